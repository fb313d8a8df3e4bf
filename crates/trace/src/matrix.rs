//! Every pool against every class of peer: what is seen, what becomes of it, who owns the packet when it arrives.

use crate::answer::{Owner, Trace, Verdict};
use crate::ask::{Question, ask};
use crate::stand_in;
use crate::world::World;
use causeway_dataplane::packet::Protocol;
use causeway_model::design::*;
use causeway_model::facts::special;
use std::collections::BTreeSet;
use std::fmt;

/// A kind of peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PeerClass {
    /// The sender's own node.
    OwnNode,
    /// A pod on the same node.
    SameNode,
    /// A pod of the same cluster, on another node.
    SameCluster,
    /// A service of the cluster.
    Service,
    /// A machine of the cluster's VNet.
    Vnet,
    /// A machine of a peered VNet.
    Peered,
    /// A machine on-premises.
    OnPremises,
    /// The internet.
    Internet,
    /// 168.63.129.16, port 53.
    PlatformDns,
    /// 169.254.169.254, port 80.
    PlatformMetadata,
    /// A private endpoint.
    PrivateEndpoint,
    /// The cluster's API server.
    ApiServer,
}

impl PeerClass {
    /// As outputs write it.
    pub fn as_str(self) -> &'static str {
        match self {
            PeerClass::OwnNode => "ownNode",
            PeerClass::SameNode => "sameNode",
            PeerClass::SameCluster => "sameCluster",
            PeerClass::Service => "service",
            PeerClass::Vnet => "vnet",
            PeerClass::Peered => "peered",
            PeerClass::OnPremises => "onPremises",
            PeerClass::Internet => "internet",
            PeerClass::PlatformDns => "platformDns",
            PeerClass::PlatformMetadata => "platformMetadata",
            PeerClass::PrivateEndpoint => "privateEndpoint",
            PeerClass::ApiServer => "apiServer",
        }
    }
}

impl fmt::Display for PeerClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A peer that a row is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Peer {
    /// Its kind.
    pub class: PeerClass,
    /// Which: a network, a site, an endpoint; empty where the class says it all.
    pub name: String,
}

/// One pool's flow to one peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// The cluster.
    pub cluster: ClusterName,
    /// The pool whose pods send.
    pub pool: PoolName,
    /// The peer.
    pub peer: Peer,
    /// Who sends, as a question would name it.
    pub from: String,
    /// Where, as a question would name it.
    pub to: String,
    /// What became of it.
    pub trace: Trace,
}

impl Cell {
    /// Who owns the packet when it arrives: the last who rewrote its source, else who chose its way, else who stopped it.
    pub fn owner(&self) -> Owner {
        if self.trace.verdict != Verdict::Delivered {
            return self.trace.decided_by.as_ref().map_or(Owner::None, |decision| decision.owner);
        }
        let rewrote = self.trace.forward.iter().rev().find(|hop| hop.before.source != hop.packet.source);
        let decided = self.trace.decided_by.as_ref().map(|decision| decision.owner);
        rewrote.map(|hop| hop.by).or(decided).unwrap_or(Owner::None)
    }
}

/// Every pool against every class of peer that the design has.
pub fn matrix(world: &World) -> Vec<Cell> {
    let mut out = Vec::new();
    for view in world.clusters() {
        for pool in view.cluster.pools.keys() {
            for (peer, to) in peers(world, view.name, pool) {
                let from = sender(view.cluster, view.name, pool);
                let protocol = (peer.class == PeerClass::PlatformDns).then_some(Protocol::Udp);
                let question = Question { from: from.clone(), to: to.clone(), protocol, ..Question::default() };
                if let Ok(trace) = ask(world, &question) {
                    let (cluster, pool) = (view.name.clone(), pool.clone());
                    out.push(Cell { cluster, pool, peer, from, to, trace });
                }
            }
        }
    }
    out.sort_by(|one, other| (&one.cluster, &one.peer, &one.pool).cmp(&(&other.cluster, &other.peer, &other.pool)));
    out
}

/// Any pod of the pool. A pod of its own is no better: policies would make the answer its own.
fn sender(_: &Cluster, cluster: &ClusterName, pool: &PoolName) -> String {
    format!("pool/{cluster}/{pool}")
}

fn peers(world: &World, name: &ClusterName, pool_name: &PoolName) -> Vec<(Peer, String)> {
    let mut out: Vec<(Peer, String)> = Vec::new();
    let design = world.design;
    let Some(cluster) = design.clusters.get(name) else { return out };
    let mut add = |class: PeerClass, name: &str, to: String| out.push((Peer { class, name: name.to_owned() }, to));
    // Another pod of the cluster: one of another pool where there is one, so that it is on another node for sure.
    let other = cluster.pools.keys().find(|other| *other != pool_name).unwrap_or(pool_name);
    let listed = cluster.pods.iter().find(|pod| !pod.host_network && !pod.terminated && pod.template_of.is_none());
    match listed {
        Some(pod) => {
            let port = pod.listens.first().map_or(443, |(_, port)| *port);
            add(PeerClass::SameCluster, "", format!("{name}/pod/{}/{}:{port}", pod.namespace, pod.name));
        }
        None => add(PeerClass::SameCluster, "", format!("pool/{name}/{other}:443")),
    }
    if let Some(service) = cluster.services.iter().find(|service| !service.cluster_ips.is_empty()) {
        let port = service.ports.first().map_or(443, |port| port.port);
        add(PeerClass::Service, "", format!("{name}/service/{}/{}:{port}", service.namespace, service.name));
    }
    add(PeerClass::Internet, "", "internet:443".to_owned());
    add(PeerClass::PlatformDns, "", format!("{}:53", special::PLATFORM_DNS.value));
    add(PeerClass::PlatformMetadata, "", format!("{}:80", special::METADATA.value));
    add(PeerClass::ApiServer, "", format!("apiServer/{name}:443"));
    let home: BTreeSet<&NetworkName> = cluster.networks();
    for network in &home {
        if let Some(to) = machine(world, network) {
            add(PeerClass::Vnet, network.as_str(), to);
        }
    }
    let mut near: BTreeSet<&NetworkName> = home.clone();
    for network in &home {
        for (peer, _) in world.network(network).map_or(&[][..], |view| &view.peers) {
            near.insert(peer);
            if !home.contains(peer)
                && let Some(to) = machine(world, peer)
            {
                add(PeerClass::Peered, peer.as_str(), to);
            }
        }
    }
    let gateways = near.iter().filter_map(|network| design.networks.get(*network)?.gateway.as_ref());
    let sites: BTreeSet<&NetworkName> = gateways.flat_map(|gateway| &gateway.connects).collect();
    for site in sites {
        if let Some(to) = machine(world, site) {
            add(PeerClass::OnPremises, site.as_str(), to);
        }
    }
    for (endpoint, value) in &design.private_endpoints {
        if near.contains(&value.subnet.network) && value.ip.is_some() {
            let port = value.listens.first().map_or(443, |(_, port)| *port);
            add(PeerClass::PrivateEndpoint, endpoint.as_str(), format!("privateEndpoint/{endpoint}:{port}"));
        }
    }
    out
}

/// A machine of a network: one the design names, else an address of it that stands for any.
fn machine(world: &World, network: &NetworkName) -> Option<String> {
    let design = world.design;
    let host = design.hosts.iter().find(|(_, host)| host.network.as_ref() == Some(network));
    if let Some((name, host)) = host {
        let port = host.listens.iter().find(|(protocol, _)| *protocol == causeway_model::design::Protocol::Tcp);
        let port = port.or(host.listens.first()).map_or(443, |(_, port)| *port);
        return Some(format!("host/{name}:{port}"));
    }
    let value = design.networks.get(network)?;
    let view = world.network(network)?;
    // A subnet nobody lives on says most about its network; pods' and nodes' own subnets have rules of their own.
    let free = value.subnets.iter().find(|(name, subnet)| {
        let reference = SubnetRef { network: network.clone(), subnet: (*name).clone() };
        !world.is_lived_in(&reference) && subnet.delegations.is_empty() && subnet.prefixes.iter().any(|p| !p.is_v6())
    });
    let prefix = match free {
        Some((_, subnet)) => subnet.prefixes.iter().find(|prefix| !prefix.is_v6())?,
        None => value.prefixes.iter().find(|prefix| !prefix.is_v6())?,
    };
    Some(format!(
        "{}:443",
        stand_in::in_prefix(prefix, stand_in::Seat::Machine, |address| !view.holders(address).is_empty())
    ))
}
