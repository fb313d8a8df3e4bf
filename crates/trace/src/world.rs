//! The design, indexed for walking: who holds an address, where a machine stands, what a cluster's nodes and policies do.
//!
//! An address means something only within a network: every overlay may use the same pod range. So holders are asked for per network and
//! per cluster, never globally; public addresses are the exception.

use crate::fabric::routes::Routes;
use crate::observed::Dump;
use crate::translation::{Effective, effective};
use causeway_addr::{Family, PrefixMap};
use causeway_dataplane::masquerade::{self, Settings};
use causeway_dataplane::ruleset::Ruleset;
use causeway_model::design::*;
use causeway_policy::Index;
use causeway_policy::world as policy_world;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::OnceLock;

/// Whoever holds an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder<'a> {
    /// A node of a cluster.
    Node(&'a ClusterName, &'a NodeName),
    /// A pod of a cluster, not on the host network.
    Pod(&'a ClusterName, &'a Pod),
    /// The load balancer frontend of a service, internal or public.
    Frontend(&'a ClusterName, &'a Service),
    /// A machine outside the clusters.
    Host(&'a HostName, &'a Host),
    /// A private endpoint.
    PrivateEndpoint(&'a PrivateEndpointName, &'a PrivateEndpoint),
    /// A firewall or appliance, by its private or a public address.
    Firewall(&'a FirewallName, &'a Firewall),
    /// A cluster's API server, by its private address.
    ApiServer(&'a ClusterName),
    /// The frontend of an ingress.
    Ingress(&'a ClusterName, &'a Ingress),
    /// A NAT gateway, by a public address.
    NatGateway(&'a NatGatewayName),
    /// The outbound addresses of a cluster's load balancer or managed NAT gateway.
    Outbound(&'a ClusterName),
}

/// A design, indexed.
#[derive(Debug)]
pub struct World<'a> {
    /// The design.
    pub design: &'a Design,
    networks: BTreeMap<&'a NetworkName, NetworkView<'a>>,
    clusters: BTreeMap<&'a ClusterName, ClusterView<'a>>,
    public: BTreeMap<IpAddr, Vec<Holder<'a>>>,
    /// Prefixes of networks, and of what is inside clusters.
    known: PrefixMap<()>,
    /// Subnets that pools have their nodes or pods in.
    lived_in: BTreeSet<&'a SubnetRef>,
    pub(crate) routes: Routes<'a>,
    dumps: Vec<Dump>,
}

/// One network, indexed.
#[derive(Debug)]
pub struct NetworkView<'a> {
    /// Its name.
    pub name: &'a NetworkName,
    /// What it is.
    pub network: &'a Network,
    /// Its subnets by prefix.
    pub subnets: PrefixMap<&'a SubnetName>,
    /// Directly peered networks, in the order of the design.
    pub peers: Vec<(&'a NetworkName, &'a Peering)>,
    held: BTreeMap<IpAddr, Vec<Holder<'a>>>,
}

/// One cluster, indexed.
#[derive(Debug)]
pub struct ClusterView<'a> {
    /// Its name.
    pub name: &'a ClusterName,
    /// What it is.
    pub cluster: &'a Cluster,
    design: &'a Design,
    pods: BTreeMap<IpAddr, &'a Pod>,
    nodes: BTreeMap<IpAddr, &'a NodeName>,
    services: BTreeMap<IpAddr, &'a Service>,
    fronted: BTreeMap<IpAddr, Vec<&'a Service>>,
    node_ports: BTreeMap<u16, Vec<(&'a Service, &'a ServicePort)>>,
    of_namespaces: BTreeMap<&'a str, Vec<&'a Pod>>,
    masquerade: OnceLock<Option<Ruleset>>,
    translation: OnceLock<Effective>,
    policies: OnceLock<Index>,
}

impl<'a> World<'a> {
    /// Indexes a design.
    pub fn new(design: &'a Design) -> World<'a> {
        let mut networks: BTreeMap<&NetworkName, NetworkView> = BTreeMap::new();
        for (name, network) in &design.networks {
            let mut subnets = PrefixMap::new();
            for (subnet, value) in &network.subnets {
                for prefix in &value.prefixes {
                    subnets.insert(*prefix, subnet);
                }
            }
            networks.insert(name, NetworkView { name, network, subnets, peers: Vec::new(), held: BTreeMap::new() });
        }
        for peering in &design.peerings {
            let (one, other) = &peering.between;
            for (here, there) in [(one, other), (other, one)] {
                if one != other
                    && let Some(view) = networks.get_mut(here)
                {
                    view.peers.push((there, peering));
                }
            }
        }
        let clusters = design.clusters.iter().map(|(name, cluster)| (name, ClusterView::new(design, name, cluster)));
        let mut world = World {
            design,
            networks,
            clusters: clusters.collect(),
            public: BTreeMap::new(),
            known: PrefixMap::new(),
            lived_in: BTreeSet::new(),
            routes: Routes::new(design),
            dumps: Vec::new(),
        };
        world.place_machines();
        world.place_clusters();
        for prefix in design.networks.values().flat_map(|network| &network.prefixes) {
            world.known.insert(*prefix, ());
        }
        for cluster in design.clusters.values() {
            for range in cluster.pod_cidrs.iter().chain(&cluster.service_cidrs) {
                world.known.insert(*range, ());
            }
            let subnets = cluster.pools.values().flat_map(|pool| [&pool.subnet, &pool.pod_subnet]);
            world.lived_in.extend(subnets.flatten());
        }
        world
    }

    fn hold(&mut self, network: &NetworkName, address: IpAddr, holder: Holder<'a>) {
        if let Some(view) = self.networks.get_mut(network) {
            view.held.entry(address).or_default().push(holder);
        }
    }

    fn hold_publicly(&mut self, address: IpAddr, holder: Holder<'a>) {
        self.public.entry(address).or_default().push(holder);
    }

    fn place_machines(&mut self) {
        let design = self.design;
        for (name, host) in &design.hosts {
            match &host.network {
                Some(network) => self.hold(network, host.ip, Holder::Host(name, host)),
                None => self.hold_publicly(host.ip, Holder::Host(name, host)),
            }
        }
        for (name, endpoint) in &design.private_endpoints {
            if let Some(ip) = endpoint.ip {
                self.hold(&endpoint.subnet.network, ip, Holder::PrivateEndpoint(name, endpoint));
            }
        }
        for (name, firewall) in &design.firewalls {
            let holder = Holder::Firewall(name, firewall);
            if let Some(ip) = firewall.private_ip {
                for network in self.standing(firewall, ip) {
                    self.hold(network, ip, holder);
                }
            }
            for ip in &firewall.public_ips {
                self.hold_publicly(*ip, holder);
            }
        }
        for (name, gateway) in &design.nat_gateways {
            for ip in &gateway.public_ips {
                self.hold_publicly(*ip, Holder::NatGateway(name));
            }
        }
    }

    /// The networks a firewall stands in: its subnet's, else every one that contains its address.
    fn standing(&self, firewall: &'a Firewall, ip: IpAddr) -> Vec<&'a NetworkName> {
        match &firewall.subnet {
            Some(subnet) => vec![&subnet.network],
            None => {
                let contains = |(_, network): &(_, &Network)| network.prefixes.iter().any(|prefix| prefix.contains(ip));
                self.design.networks.iter().filter(contains).map(|(name, _)| name).collect()
            }
        }
    }

    fn place_clusters(&mut self) {
        let design = self.design;
        for (name, cluster) in &design.clusters {
            let networks: Vec<&NetworkName> = cluster.networks().into_iter().collect();
            let home = |world: &World<'a>, address: IpAddr| -> Vec<&'a NetworkName> {
                let contains = |network: &&'a NetworkName| {
                    let network = world.design.networks.get(*network);
                    network.is_some_and(|network| network.prefixes.iter().any(|prefix| prefix.contains(address)))
                };
                networks.iter().copied().filter(contains).collect()
            };
            for (node, value) in &cluster.nodes {
                for ip in &value.ips {
                    for network in home(self, *ip) {
                        self.hold(network, *ip, Holder::Node(name, node));
                    }
                }
            }
            if cluster.mode.is_some_and(Mode::is_flat) {
                for pod in cluster.pods.iter().filter(|pod| !pod.host_network && !pod.terminated) {
                    for ip in &pod.ips {
                        for network in home(self, *ip) {
                            self.hold(network, *ip, Holder::Pod(name, pod));
                        }
                    }
                }
            }
            for service in &cluster.services {
                if let Some(ip) = service.internal_ip {
                    for network in home(self, ip) {
                        self.hold(network, ip, Holder::Frontend(name, service));
                    }
                }
                if let Some(ip) = service.public_ip {
                    self.hold_publicly(ip, Holder::Frontend(name, service));
                }
            }
            if let (Some(ip), Some(subnet)) = (cluster.api_server.private_ip, &cluster.api_server.subnet) {
                self.hold(&subnet.network, ip, Holder::ApiServer(name));
            } else if let Some(ip) = cluster.api_server.private_ip {
                for network in home(self, ip) {
                    self.hold(network, ip, Holder::ApiServer(name));
                }
            }
            for ingress in &cluster.ingress {
                let Some(ip) = ingress.ip else { continue };
                let homes = home(self, ip);
                if homes.is_empty() {
                    self.hold_publicly(ip, Holder::Ingress(name, ingress));
                }
                for network in homes {
                    self.hold(network, ip, Holder::Ingress(name, ingress));
                }
            }
            for ip in &cluster.outbound.public_ips {
                self.hold_publicly(*ip, Holder::Outbound(name));
            }
        }
    }

    /// Whether an address is in a prefix of some network, or of what is inside some cluster.
    pub(crate) fn is_described(&self, address: IpAddr) -> bool {
        self.known.longest_match(address).is_some()
    }

    /// Whether a pool has its nodes or pods in a subnet.
    pub(crate) fn is_lived_in(&self, subnet: &SubnetRef) -> bool {
        self.lived_in.contains(subnet)
    }

    /// A network.
    pub fn network(&self, name: &NetworkName) -> Option<&NetworkView<'a>> {
        self.networks.get(name)
    }

    /// A cluster.
    pub fn cluster(&self, name: &ClusterName) -> Option<&ClusterView<'a>> {
        self.clusters.get(name)
    }

    /// Every cluster, in name order.
    pub fn clusters(&self) -> impl Iterator<Item = &ClusterView<'a>> {
        self.clusters.values()
    }

    /// Puts what a machine printed in place of what the model assumes of it.
    pub fn observe(&mut self, dump: Dump) {
        self.dumps.push(dump);
    }

    /// What a node printed: of itself, else of any node.
    pub fn observed(&self, node: Option<&NodeName>, family: Family) -> Option<&Dump> {
        let mut fitting = self.dumps.iter().filter(|dump| dump.family == family);
        let own = fitting.clone().find(|dump| dump.node.is_some() && dump.node.as_ref() == node);
        own.or_else(|| fitting.find(|dump| dump.node.is_none()))
    }

    /// Who holds a public address. Two may: then the design says so of both.
    pub fn public_holders(&self, address: IpAddr) -> &[Holder<'a>] {
        self.public.get(&address).map_or(&[], Vec::as_slice)
    }
}

impl<'a> NetworkView<'a> {
    /// Whether an address is one of the network's.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.network.prefixes.iter().any(|prefix| prefix.contains(address))
    }

    /// The subnet an address lies in.
    pub fn subnet_of(&self, address: IpAddr) -> Option<(&'a SubnetName, &'a Subnet)> {
        let (_, name) = self.subnets.longest_match(address)?;
        Some((name, self.network.subnets.get(*name)?))
    }

    /// Who holds an address of the network; nobody known = empty.
    pub fn holders(&self, address: IpAddr) -> &[Holder<'a>] {
        self.held.get(&address).map_or(&[], Vec::as_slice)
    }
}

impl<'a> ClusterView<'a> {
    fn new(design: &'a Design, name: &'a ClusterName, cluster: &'a Cluster) -> ClusterView<'a> {
        let mut pods = BTreeMap::new();
        for pod in cluster.pods.iter().filter(|pod| !pod.host_network && !pod.terminated) {
            for ip in &pod.ips {
                pods.entry(*ip).or_insert(pod);
            }
        }
        let mut nodes = BTreeMap::new();
        for (node, value) in &cluster.nodes {
            for ip in &value.ips {
                nodes.entry(*ip).or_insert(node);
            }
        }
        let mut services = BTreeMap::new();
        for service in &cluster.services {
            for ip in &service.cluster_ips {
                services.entry(*ip).or_insert(service);
            }
        }
        let mut fronted: BTreeMap<IpAddr, Vec<&Service>> = BTreeMap::new();
        let mut node_ports: BTreeMap<u16, Vec<(&Service, &ServicePort)>> = BTreeMap::new();
        for service in &cluster.services {
            for ip in [service.internal_ip, service.public_ip].into_iter().flatten() {
                fronted.entry(ip).or_default().push(service);
            }
            for port in &service.ports {
                if let Some(number) = port.node_port {
                    node_ports.entry(number).or_default().push((service, port));
                }
            }
        }
        let mut of_namespaces: BTreeMap<&str, Vec<&Pod>> = BTreeMap::new();
        for pod in cluster.pods.iter().filter(|pod| !pod.terminated) {
            of_namespaces.entry(&pod.namespace).or_default().push(pod);
        }
        let (translation, policies, masquerade) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        ClusterView {
            name,
            cluster,
            design,
            pods,
            nodes,
            services,
            fronted,
            node_ports,
            of_namespaces,
            masquerade,
            translation,
            policies,
        }
    }

    /// The pod with an address. Pods on the host network have none of their own.
    pub fn pod_at(&self, address: IpAddr) -> Option<&'a Pod> {
        self.pods.get(&address).copied()
    }

    /// A pod by namespace and name.
    pub fn pod(&self, namespace: &str, name: &str) -> Option<&'a Pod> {
        self.cluster.pods.iter().find(|pod| pod.namespace == namespace && pod.name == name)
    }

    /// The node with an address.
    pub fn node_at(&self, address: IpAddr) -> Option<&'a NodeName> {
        self.nodes.get(&address).copied()
    }

    /// Whether a described service has an address, and pods that are described stand behind it.
    pub(crate) fn is_served(&self, address: IpAddr) -> bool {
        self.service_at(address).is_some_and(|service| {
            service.ports.iter().any(|port| causeway_policy::who::behind(self.cluster, service, port).next().is_some())
        })
    }

    /// The service with a cluster address.
    pub fn service_at(&self, address: IpAddr) -> Option<&'a Service> {
        self.services.get(&address).copied()
    }

    /// Services that have an address of a load balancer.
    pub fn fronted_at(&self, address: IpAddr) -> &[&'a Service] {
        self.fronted.get(&address).map_or(&[], Vec::as_slice)
    }

    /// Ports of services that nodes have a port for.
    pub fn node_port(&self, port: u16) -> &[(&'a Service, &'a ServicePort)] {
        self.node_ports.get(&port).map_or(&[], Vec::as_slice)
    }

    /// The pods of a namespace that have not ended.
    pub fn pods_of(&self, namespace: &str) -> &[&'a Pod] {
        self.of_namespaces.get(namespace).map_or(&[], Vec::as_slice)
    }

    /// The pool of a node; of the only pool there is where the node does not say.
    pub fn pool_of(&self, node: &NodeName) -> Option<(&'a PoolName, &'a Pool)> {
        let pools = &self.cluster.pools;
        match self.cluster.nodes.get(node)?.pool.as_ref() {
            Some(pool) => pools.get_key_value(pool),
            None => pools.iter().next().filter(|_| pools.len() == 1),
        }
    }

    /// The node whose block of the pod range contains an address (overlay and kubenet).
    pub fn node_of_block(&self, address: IpAddr) -> Option<&'a NodeName> {
        let mut nodes = self.cluster.nodes.iter();
        nodes.find(|(_, node)| node.pod_cidrs.iter().any(|block| block.contains(address))).map(|(name, _)| name)
    }

    /// Whether an address is in the cluster's own pod range (modes whose pods live outside the VNet).
    pub fn in_pod_cidr(&self, address: IpAddr) -> bool {
        let own = self.cluster.mode.is_some_and(Mode::uses_pod_cidr);
        own && self.cluster.pod_cidrs.iter().any(|range| range.contains(address))
    }

    /// Who translates on the nodes, and what is exempt.
    pub fn translation(&self) -> &Effective {
        self.translation.get_or_init(|| effective(self.design, self.name))
    }

    /// The rules of whoever masquerades on the nodes; `None` = nobody, or it is not known who.
    pub fn masquerade(&self) -> Option<&Ruleset> {
        let compiled = || {
            let translation = self.translation().known().filter(|translation| translation.translates())?;
            // The ports it chooses are not told apart here.
            let settings = Settings { config: translation.config.clone(), sources: Vec::new(), random_fully: false };
            Some(masquerade::compile(&settings))
        };
        self.masquerade.get_or_init(compiled).as_ref()
    }

    /// What the cluster's policies mean to the engine it has.
    pub fn policies(&self) -> &Index {
        self.policies
            .get_or_init(|| policy_world::index(self.design, self.cluster, policy_world::engine_of(self.cluster)))
    }
}
