//! Fleets: hubs with spokes around them, clusters in some of the spokes, and here and there a mistake.

use crate::random::Random;
use std::fmt::Write as _;

/// How large a fleet is. The same numbers give the same bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fleet {
    /// Where the mistakes are.
    pub seed: u64,
    /// Virtual networks, hubs included; 4,096 at most.
    pub vnets: u32,
    /// Subnets of all networks; 30 per network at most.
    pub subnets: u32,
    /// Clusters, one in a network at most.
    pub clusters: u32,
    /// Node pools of all clusters.
    pub pools: u32,
}

impl Fleet {
    /// The fleet the numbers in `docs/benchmarks.md` are about, this many times over.
    pub fn times(factor: u32) -> Fleet {
        Fleet { seed: 7, vnets: 200 * factor, subnets: 1000 * factor, clusters: 50 * factor, pools: 500 * factor }
    }
}

/// A hub for each group of networks.
const GROUP: u32 = 20;

/// A prefix as text.
fn prefix(address: u32, length: u8) -> String {
    format!("{}/{length}", std::net::Ipv4Addr::from(address))
}

/// The address space of a network: a /20.
fn space(vnet: u32) -> u32 {
    0x0a00_0000 + vnet * 4096
}

/// A subnet of a network: nodes, pods, endpoints, then small ones.
fn subnet(vnet: u32, at: u32) -> (String, String) {
    let base = space(vnet);
    match at {
        0 => ("nodes".into(), prefix(base, 24)),
        1 => ("pods".into(), prefix(base + 2048, 21)),
        2 => ("endpoints".into(), prefix(base + 256, 26)),
        at => (format!("s{at}"), prefix(base + 1024 + (at - 3) * 32, 27)),
    }
}

/// What the two shapes have in common: a fleet, object by object.
struct Plan {
    vnets: Vec<Vnet>,
    clusters: Vec<Cluster>,
}

struct Vnet {
    name: String,
    hub: u32,
    is_hub: bool,
    prefix: String,
    subnets: Vec<(String, String)>,
}

impl Vnet {
    /// Nodes and pods of spokes leave through the hub.
    fn is_routed(&self, subnet: &str) -> bool {
        !self.is_hub && matches!(subnet, "nodes" | "pods")
    }
}

struct Cluster {
    name: String,
    vnet: u32,
    pod_subnet: bool,
    pod_cidr: String,
    service_cidr: String,
    dns: String,
    pools: u32,
}

fn plan(fleet: &Fleet) -> Plan {
    let mut random = Random::new(fleet.seed);
    let per_vnet = fleet.subnets / fleet.vnets.max(1);
    let vnets = (0..fleet.vnets)
        .map(|at| {
            let mut subnets: Vec<(String, String)> = (0..per_vnet).map(|subnet_at| subnet(at, subnet_at)).collect();
            // A subnet somebody put over another one.
            if random.once_in(25)
                && let Some(last) = subnets.last_mut()
            {
                last.1 = prefix(space(at) + 256, 27);
            }
            let hub = at / GROUP;
            Vnet { name: format!("vnet-{at}"), hub, is_hub: at % GROUP == 0, prefix: prefix(space(at), 20), subnets }
        })
        .collect();
    let clusters = (0..fleet.clusters)
        .map(|at| {
            let vnet = at * (fleet.vnets / fleet.clusters.max(1)) + 1;
            let reserved = random.once_in(25);
            let service = if reserved { 0xac1e_0000 } else { 0xac10_0000 + (at % 224) * 4096 };
            Cluster {
                name: format!("cluster-{at}"),
                vnet: vnet.min(fleet.vnets.saturating_sub(1)),
                pod_subnet: at % 3 == 1,
                pod_cidr: prefix(0x6440_0000 + (at % 64) * 65536, 16),
                service_cidr: prefix(service, 20),
                dns: std::net::Ipv4Addr::from(service + 10).to_string(),
                pools: fleet.pools / fleet.clusters.max(1),
            }
        })
        .collect();
    Plan { vnets, clusters }
}

/// The fleet as a design file.
pub fn design(fleet: &Fleet) -> String {
    let Plan { vnets, clusters } = plan(fleet);
    let mut out = String::from("causeway: 1\nname: fleet\nnetworks:\n");
    // Writing to a string cannot fail, here and below.
    for vnet in &vnets {
        let _ =
            writeln!(out, "  {}:\n    location: westeurope\n    prefixes: [{}]\n    subnets:", vnet.name, vnet.prefix);
        for (name, prefix) in &vnet.subnets {
            let (mut routes, mut group) = (String::new(), String::new());
            if vnet.is_routed(name) {
                routes = format!(", routeTable: rt-{}", vnet.hub);
                group = format!(", nsg: nsg-{}", vnet.hub);
            }
            let _ = writeln!(out, "      {name}: {{prefix: {prefix}{routes}{group}}}");
        }
    }
    out.push_str("peerings:\n");
    for vnet in vnets.iter().filter(|vnet| !vnet.is_hub) {
        let _ = writeln!(out, "  - {{between: [{}, vnet-{}], forwardedTraffic: true}}", vnet.name, vnet.hub * GROUP);
    }
    out.push_str("routeTables:\n");
    for hub in vnets.iter().filter(|vnet| vnet.is_hub) {
        let firewall = std::net::Ipv4Addr::from(space(hub.hub * GROUP) + 4);
        let _ = writeln!(
            out,
            "  rt-{}:\n    routes:\n      - {{name: default, prefix: 0.0.0.0/0, nextHop: {{appliance: {firewall}}}}}",
            hub.hub
        );
    }
    out.push_str("networkSecurityGroups:\n");
    for hub in vnets.iter().filter(|vnet| vnet.is_hub) {
        let _ = writeln!(
            out,
            "  nsg-{}:\n    rules:\n      - {{name: no-ssh, priority: 100, direction: inbound, access: deny, protocol: tcp, source: Internet, ports: [22]}}",
            hub.hub
        );
    }
    out.push_str("firewalls:\n");
    for hub in vnets.iter().filter(|vnet| vnet.is_hub) {
        let address = std::net::Ipv4Addr::from(space(hub.hub * GROUP) + 4);
        let _ = writeln!(
            out,
            "  fw-{}: {{kind: azureFirewall, subnet: vnet-{}/nodes, privateIp: {address}, publicIpCount: 20, instances: 2}}",
            hub.hub,
            hub.hub * GROUP
        );
    }
    out.push_str("clusters:\n");
    for cluster in &clusters {
        let (mode, pods) = if cluster.pod_subnet {
            ("podSubnet", String::new())
        } else {
            ("overlay", format!("    podCidr: {}\n", cluster.pod_cidr))
        };
        let _ = writeln!(
            out,
            "  {}:\n    location: westeurope\n    mode: {mode}\n    version: \"1.34\"\n    dataplane: azure\n    networkPolicy: calico\n{pods}    serviceCidr: {}\n    dnsServiceIp: {}\n    outbound: {{type: userDefinedRouting}}\n    pools:",
            cluster.name, cluster.service_cidr, cluster.dns
        );
        for pool in 0..cluster.pools {
            let pods =
                if cluster.pod_subnet { format!(", podSubnet: vnet-{}/pods", cluster.vnet) } else { String::new() };
            let _ = writeln!(
                out,
                "      pool{pool}: {{nodes: {{count: 2, min: 1, max: 2}}, maxPods: 50, maxSurge: 1, subnet: vnet-{}/nodes{pods}, zones: [1, 2, 3]}}",
                cluster.vnet
            );
        }
    }
    out
}

/// The same fleet as Azure prints it: file names with their JSON.
pub fn azure(fleet: &Fleet) -> Vec<(&'static str, String)> {
    let Plan { vnets, clusters } = plan(fleet);
    const NETWORK: &str =
        "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/net/providers/Microsoft.Network";
    const SERVICE: &str =
        "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/aks/providers/Microsoft.ContainerService";
    let id = |vnet: u32| format!("{NETWORK}/virtualNetworks/vnet-{vnet}");
    let (mut networks, mut managed, mut tables, mut groups) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (at, vnet) in (0..).zip(&vnets) {
        let subnets: Vec<String> = vnet
            .subnets
            .iter()
            .map(|(name, prefix)| {
                let (mut table, mut group) = ("null".to_owned(), "null".to_owned());
                if vnet.is_routed(name) {
                    table = format!("{{\"id\": \"{NETWORK}/routeTables/rt-{}\"}}", vnet.hub);
                    group = format!("{{\"id\": \"{NETWORK}/networkSecurityGroups/nsg-{}\"}}", vnet.hub);
                }
                format!(
                    "{{\"id\": \"{}/subnets/{name}\", \"name\": \"{name}\", \"type\": \"Microsoft.Network/virtualNetworks/subnets\", \"addressPrefix\": \"{prefix}\", \"delegations\": [], \"routeTable\": {table}, \"networkSecurityGroup\": {group}, \"provisioningState\": \"Succeeded\"}}",
                    id(at)
                )
            })
            .collect();
        let peer = |remote: u32| {
            format!(
                "{{\"name\": \"to-vnet-{remote}\", \"peeringState\": \"Connected\", \"peeringSyncLevel\": \"FullyInSync\", \"allowVirtualNetworkAccess\": true, \"allowForwardedTraffic\": true, \"allowGatewayTransit\": false, \"useRemoteGateways\": false, \"remoteVirtualNetwork\": {{\"id\": \"{}\"}}}}",
                id(remote)
            )
        };
        let peerings: Vec<String> = if vnet.is_hub {
            (at + 1..at + GROUP).filter(|remote| *remote < fleet.vnets).map(peer).collect()
        } else {
            vec![peer(vnet.hub * GROUP)]
        };
        networks.push(format!(
            "  {{\"id\": \"{}\", \"name\": \"{}\", \"type\": \"Microsoft.Network/virtualNetworks\", \"location\": \"westeurope\", \"addressSpace\": {{\"addressPrefixes\": [\"{}\"]}}, \"dhcpOptions\": {{\"dnsServers\": []}}, \"subnets\": [\n    {}\n  ], \"virtualNetworkPeerings\": [\n    {}\n  ]}}",
            id(at),
            vnet.name,
            vnet.prefix,
            subnets.join(",\n    "),
            peerings.join(",\n    ")
        ));
        if vnet.is_hub {
            let firewall = std::net::Ipv4Addr::from(space(at) + 4);
            tables.push(format!(
                "  {{\"id\": \"{NETWORK}/routeTables/rt-{}\", \"name\": \"rt-{}\", \"type\": \"Microsoft.Network/routeTables\", \"location\": \"westeurope\", \"disableBgpRoutePropagation\": false, \"routes\": [{{\"name\": \"default\", \"addressPrefix\": \"0.0.0.0/0\", \"nextHopType\": \"VirtualAppliance\", \"nextHopIpAddress\": \"{firewall}\"}}]}}",
                vnet.hub, vnet.hub
            ));
            groups.push(format!(
                "  {{\"id\": \"{NETWORK}/networkSecurityGroups/nsg-{}\", \"name\": \"nsg-{}\", \"type\": \"Microsoft.Network/networkSecurityGroups\", \"location\": \"westeurope\", \"securityRules\": [{{\"name\": \"no-ssh\", \"priority\": 100, \"direction\": \"Inbound\", \"access\": \"Deny\", \"protocol\": \"Tcp\", \"sourceAddressPrefix\": \"Internet\", \"sourcePortRange\": \"*\", \"destinationAddressPrefix\": \"*\", \"destinationPortRange\": \"22\"}}]}}",
                vnet.hub, vnet.hub
            ));
        }
    }
    for cluster in &clusters {
        let (mode, pods) = if cluster.pod_subnet {
            ("null", "null".to_owned())
        } else {
            ("\"overlay\"", format!("\"{}\"", cluster.pod_cidr))
        };
        let pools: Vec<String> = (0..cluster.pools)
            .map(|pool| {
                let pods = if cluster.pod_subnet { format!("\"{}/subnets/pods\"", id(cluster.vnet)) } else { "null".to_owned() };
                format!(
                    "{{\"name\": \"pool{pool}\", \"mode\": \"{}\", \"count\": 2, \"enableAutoScaling\": true, \"minCount\": 1, \"maxCount\": 2, \"maxPods\": 50, \"vnetSubnetId\": \"{}/subnets/nodes\", \"podSubnetId\": {pods}, \"upgradeSettings\": {{\"maxSurge\": \"1\"}}, \"osType\": \"Linux\", \"availabilityZones\": [\"1\", \"2\", \"3\"], \"type\": \"VirtualMachineScaleSets\"}}",
                    if pool == 0 { "System" } else { "User" },
                    id(cluster.vnet)
                )
            })
            .collect();
        managed.push(format!(
            "  {{\"id\": \"{SERVICE}/managedClusters/{name}\", \"name\": \"{name}\", \"type\": \"Microsoft.ContainerService/ManagedClusters\", \"location\": \"westeurope\", \"kubernetesVersion\": \"1.34\", \"apiServerAccessProfile\": {{\"authorizedIpRanges\": [\"198.51.100.0/24\"], \"enablePrivateCluster\": false}}, \"networkProfile\": {{\"networkPlugin\": \"azure\", \"networkPluginMode\": {mode}, \"networkDataplane\": \"azure\", \"networkPolicy\": \"calico\", \"podCidr\": {pods}, \"serviceCidr\": \"{}\", \"dnsServiceIp\": \"{}\", \"ipFamilies\": [\"IPv4\"], \"outboundType\": \"userDefinedRouting\", \"loadBalancerSku\": \"standard\"}}, \"agentPoolProfiles\": [\n    {}\n  ]}}",
            cluster.service_cidr,
            cluster.dns,
            pools.join(",\n    "),
            name = cluster.name
        ));
    }
    let list = |items: Vec<String>| format!("[\n{}\n]\n", items.join(",\n"));
    vec![
        ("vnets.json", list(networks)),
        ("clusters.json", list(managed)),
        ("route-tables.json", list(tables)),
        ("nsgs.json", list(groups)),
    ]
}
