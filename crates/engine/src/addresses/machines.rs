//! Which object of the design has which address, by network: what a range that hides addresses makes unreachable.

use causeway_addr::Cidr;
use causeway_model::design::*;
use std::collections::BTreeMap;
use std::net::IpAddr;

type Addresses = BTreeMap<IpAddr, Vec<String>>;

/// Addresses of named objects by network, and of those on the internet.
#[derive(Debug, Default)]
pub(super) struct Machines<'a> {
    networks: BTreeMap<&'a NetworkName, Addresses>,
    internet: Addresses,
}

impl<'a> Machines<'a> {
    pub(super) fn new(design: &'a Design) -> Self {
        let mut machines = Machines::default();
        for (name, host) in &design.hosts {
            machines.add(host.network.as_ref(), host.ip, || format!("host/{name}"));
        }
        for (name, endpoint) in &design.private_endpoints {
            let network = Some(&endpoint.subnet.network);
            if let Some(ip) = endpoint.ip {
                machines.add(network, ip, || format!("privateEndpoint/{name}"));
            }
        }
        for (name, firewall) in &design.firewalls {
            if let (Some(subnet), Some(ip)) = (&firewall.subnet, firewall.private_ip) {
                machines.add(Some(&subnet.network), ip, || format!("firewall/{name}"));
            }
        }
        for (name, cluster) in &design.clusters {
            machines.cluster(name, cluster);
        }
        machines
    }

    fn cluster(&mut self, name: &'a ClusterName, cluster: &'a Cluster) {
        let networks = cluster.networks();
        let Some(network) = networks.first().copied() else {
            return;
        };
        let server = &cluster.api_server;
        if let Some(ip) = server.private_ip {
            let network = server.subnet.as_ref().map_or(network, |subnet| &subnet.network);
            self.add(Some(network), ip, || format!("apiServer/{name}"));
        }
        for (node, value) in &cluster.nodes {
            let pool = value.pool.as_ref().and_then(|pool| cluster.pools.get(pool));
            let subnet = pool.and_then(|pool| pool.subnet.as_ref());
            for ip in &value.ips {
                let network = subnet.map_or(network, |subnet| &subnet.network);
                self.add(Some(network), *ip, || format!("{name}/node/{node}"));
            }
        }
        for service in &cluster.services {
            if let Some(ip) = service.internal_ip {
                self.add(Some(network), ip, || format!("{name}/service/{}/{}", service.namespace, service.name));
            }
        }
    }

    fn add(&mut self, network: Option<&'a NetworkName>, ip: IpAddr, name: impl FnOnce() -> String) {
        let addresses = match network {
            Some(network) => self.networks.entry(network).or_default(),
            None => &mut self.internet,
        };
        addresses.entry(ip).or_default().push(name());
    }

    /// The objects of a network whose addresses lie in a range, by address.
    pub(super) fn within(
        &self,
        network: &NetworkName,
        range: &Cidr,
    ) -> impl Iterator<Item = (IpAddr, &str)> + use<'_, 'a> {
        named(self.networks.get(network), range)
    }

    /// The same for the internet.
    pub(super) fn on_internet(&self, range: &Cidr) -> impl Iterator<Item = (IpAddr, &str)> + use<'_, 'a> {
        named(Some(&self.internet), range)
    }
}

fn named<'m>(addresses: Option<&'m Addresses>, range: &Cidr) -> impl Iterator<Item = (IpAddr, &'m str)> + use<'m> {
    let range = range.first()..=range.last();
    addresses
        .into_iter()
        .flat_map(move |addresses| addresses.range(range.clone()))
        .flat_map(|(ip, names)| names.iter().map(|name| (*ip, name.as_str())))
}
