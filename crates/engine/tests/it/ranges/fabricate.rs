//! Designs made by hand, and random ones from a few colliding prefixes.

use causeway_addr::Cidr;
use causeway_model::design::*;
use causeway_model::finding::Places;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::net::IpAddr;

pub(super) fn empty() -> Design {
    Design {
        name: "fabricated".into(),
        networks: BTreeMap::new(),
        peerings: Vec::new(),
        route_tables: BTreeMap::new(),
        security_groups: BTreeMap::new(),
        nat_gateways: BTreeMap::new(),
        firewalls: BTreeMap::new(),
        hosts: BTreeMap::new(),
        private_endpoints: BTreeMap::new(),
        private_dns_zones: BTreeMap::new(),
        public_dns: BTreeMap::new(),
        clusters: BTreeMap::new(),
        growth: None,
        alarm_at: None,
        loads: Vec::new(),
        records: BTreeMap::new(),
        accept: Vec::new(),
        expect: Vec::new(),
        limit_overrides: BTreeMap::new(),
        exported: false,
        places: Places::default(),
        assumed: Vec::new(),
        notes: Vec::new(),
        findings: Vec::new(),
        before: None,
    }
}

pub(super) fn network(kind: NetworkKind, prefixes: Vec<Cidr>) -> Network {
    Network {
        kind,
        location: None,
        prefixes,
        dns_servers: DnsServers::Azure,
        subnets: BTreeMap::new(),
        gateway: None,
        knows: None,
        managed_by_aks: false,
    }
}

pub(super) fn subnet(prefixes: Vec<Cidr>) -> Subnet {
    Subnet {
        prefixes,
        delegations: Vec::new(),
        nat_gateway: None,
        nsg: None,
        route_table: None,
        private_endpoint_policies: None,
        other: OtherAddresses::default(),
        service_endpoints: Vec::new(),
        default_outbound_access: None,
    }
}

pub(super) fn pool(subnet: Option<SubnetRef>) -> Pool {
    Pool {
        nodes: PoolSize { count: Some(3), min: None, max: None },
        max_pods: Some(110),
        max_surge: None,
        max_unavailable: None,
        os: Os::Linux,
        os_sku: None,
        subnet,
        pod_subnet: None,
        mode: None,
        zones: Vec::new(),
        node_public_ip: false,
        labels: BTreeMap::new(),
        taints: Vec::new(),
        system: None,
        vm_size: None,
        availability_set: false,
        blue_green: false,
        allocated: None,
    }
}

pub(super) fn cluster(mode: Option<Mode>, pods: Vec<Cidr>, services: Vec<Cidr>, subnet: Option<SubnetRef>) -> Cluster {
    Cluster {
        location: None,
        subnet_permissions: None,
        mode,
        version: None,
        dataplane: Dataplane::Azure,
        ebpf_host_routing: false,
        network_policy: None,
        pod_cidrs: pods,
        service_cidrs: services,
        dns_service_ip: None,
        ip_families: vec![IpFamily::Ipv4],
        outbound: Outbound {
            kind: OutboundType::LoadBalancer,
            stated: false,
            ips: None,
            ips_known: true,
            ipv6_ips: None,
            public_ips: Vec::new(),
            ports_per_node: None,
            idle_timeout_minutes: None,
        },
        api_server: ApiServer {
            access: ApiAccess::Public,
            stated: false,
            subnet: None,
            authorized_ranges: None,
            public: None,
            private_fqdn: None,
            private_dns_zone: None,
            public_fqdn: None,
            private_ip: None,
        },
        kube_proxy: KubeProxy { mode: None, cluster_cidrs: None },
        pools: BTreeMap::from([(PoolName::from("system"), pool(subnet))]),
        headroom: Headroom::default(),
        ipam: Ipam::default(),
        masquerade: None,
        observed_exempt: None,
        ingress: Vec::new(),
        nodes: BTreeMap::new(),
        namespaces: BTreeMap::new(),
        pods: Vec::new(),
        services: Vec::new(),
        policies: Vec::new(),
        tier: None,
        local_dns: None,
        node_auto_provisioning: false,
        automatic: false,
        load_balancer_sku: None,
        http_application_routing: false,
        open_service_mesh: false,
        virtual_nodes: None,
        static_egress_gateway: false,
    }
}

pub(super) fn cidr(text: &str) -> Cidr {
    text.parse().unwrap()
}

/// Few prefixes, so that they meet often: ten /16, some halves, some wider ones, two IPv6.
fn prefix() -> impl Strategy<Value = Cidr> {
    prop_oneof![
        8 => (0u8..24).prop_map(|second| Cidr::v4([10, second, 0, 0], 16)),
        2 => (0u8..12).prop_map(|second| Cidr::v4([10, second, 128, 0], 17)),
        1 => (0u8..4).prop_map(|second| Cidr::v4([10, second * 4, 0, 0], 14)),
        2 => (0u16..4).prop_map(|group| Cidr::v6([0xfd00, group, 0, 0, 0, 0, 0, 0], 48)),
    ]
}

#[derive(Debug, Clone)]
struct Vnet {
    prefixes: Vec<Cidr>,
    subnets: Vec<(usize, u8)>,
    routed: Option<(usize, Option<usize>)>,
    connects: Vec<bool>,
    dns: Option<u8>,
}

fn vnet() -> impl Strategy<Value = Vnet> {
    (
        prop::collection::vec(prefix(), 1..3),
        prop::collection::vec((0usize..3, 0u8..8), 1..4),
        prop::option::weighted(0.4, (0usize..4, prop::option::of(0usize..6))),
        prop::collection::vec(prop::bool::weighted(0.3), 2),
        prop::option::weighted(0.1, 0u8..24),
    )
        .prop_map(|(prefixes, subnets, routed, connects, dns)| Vnet { prefixes, subnets, routed, connects, dns })
}

/// Up to five VNets, two sites, random peerings (some showing one prefix only), routes to appliances, three clusters.
pub(super) fn designs() -> impl Strategy<Value = Design> {
    (
        prop::collection::vec(vnet(), 1..6),
        prop::collection::vec((prop::collection::vec(prefix(), 1..3), prop::option::of(prefix())), 2),
        prop::collection::vec(
            (
                0usize..5,
                0usize..5,
                any::<bool>(),
                any::<bool>(),
                prop::option::weighted(0.3, 0usize..2),
                prop::option::of(any::<bool>()),
            ),
            0..7,
        ),
        prop::collection::vec((0usize..5, prefix(), prefix(), 0usize..4), 0..4),
    )
        .prop_map(|(vnets, sites, peerings, clusters)| build(&vnets, &sites, &peerings, &clusters))
}

type RandomPeering = (usize, usize, bool, bool, Option<usize>, Option<bool>);

fn build(
    vnets: &[Vnet],
    sites: &[(Vec<Cidr>, Option<Cidr>)],
    peerings: &[RandomPeering],
    clusters: &[(usize, Cidr, Cidr, usize)],
) -> Design {
    let mut design = empty();
    let name = |at: usize| NetworkName::from(format!("vnet{}", at % vnets.len()).as_str());
    let appliance = |at: usize| vnets[at % vnets.len()].prefixes[0].nth(4).unwrap();
    for (at, (prefixes, knows)) in sites.iter().enumerate() {
        let mut site = network(NetworkKind::OnPremises, prefixes.clone());
        site.knows = knows.map(|known| vec![known]);
        design.networks.insert(NetworkName::from(format!("site{at}").as_str()), site);
    }
    for (at, vnet) in vnets.iter().enumerate() {
        let mut value = network(NetworkKind::Vnet, vnet.prefixes.clone());
        let connects: Vec<NetworkName> = vnet
            .connects
            .iter()
            .enumerate()
            .filter(|(_, yes)| **yes)
            .map(|(site, _)| NetworkName::from(format!("site{site}").as_str()))
            .collect();
        if !connects.is_empty() {
            value.gateway = Some(Gateway { kind: GatewayKind::ExpressRoute, connects });
        }
        if let Some(dns) = vnet.dns {
            value.dns_servers = DnsServers::Custom(vec![IpAddr::from([10, dns, 0, 4])]);
        }
        let table = vnet.routed.map(|(to, prefix)| {
            let table = RouteTableName::from(format!("table{at}").as_str());
            let prefix = prefix.map_or(cidr("0.0.0.0/0"), |prefix| vnets[prefix % vnets.len()].prefixes[0]);
            let route = Route {
                name: "through".into(),
                prefix: RoutePrefix::Cidr(prefix),
                next_hop: NextHop::Appliance(appliance(to)),
            };
            design
                .route_tables
                .insert(table.clone(), RouteTable { known: true, bgp_propagation: None, routes: vec![route] });
            table
        });
        for (index, (of, third)) in vnet.subnets.iter().enumerate() {
            let space = vnet.prefixes[of % vnet.prefixes.len()];
            let len = if space.is_v4() { 24 } else { 64 };
            let mut value_of = subnet(space.subnets(len).nth(usize::from(*third)).into_iter().collect());
            value_of.route_table = table.clone().filter(|_| index == 0);
            value.subnets.insert(SubnetName::from(format!("subnet{index}").as_str()), value_of);
        }
        design.networks.insert(name(at), value);
    }
    for (one, other, forwarded, connected, transit, only) in peerings {
        let (one, other) = (name(*one), name(*other));
        if one == other {
            continue;
        }
        let first = |side: &NetworkName| design.networks[side].prefixes[..1].to_vec();
        let mut shown = BTreeMap::new();
        if let Some(both) = only {
            shown.insert(one.clone(), first(&one));
            if *both {
                shown.insert(other.clone(), first(&other));
            }
        }
        design.peerings.push(Peering {
            gateway_transit: transit.map(|side| if side == 0 { one.clone() } else { other.clone() }),
            between: (one, other),
            forwarded_traffic: *forwarded,
            forwarded_into: None,
            only: shown,
            gateway_transit_allowed: true,
            connected: *connected,
        });
    }
    for (at, (vnet, pods, services, mode)) in clusters.iter().enumerate() {
        let mode = [Some(Mode::Overlay), Some(Mode::Kubenet), Some(Mode::NodeSubnet), None][*mode];
        let subnet = SubnetRef { network: name(*vnet), subnet: SubnetName::from("subnet0") };
        let value = cluster(mode, vec![*pods], vec![*services], Some(subnet));
        design.clusters.insert(ClusterName::from(format!("cluster{at}").as_str()), value);
    }
    design
}
