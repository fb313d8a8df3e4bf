//! From one design to another: who sees another source address of pods than before.

use super::view::{Ground, View};
use crate::addresses::ground::network_words;
use crate::appliances::Appliances;
use causeway_addr::{Cidr, Family, RangeSet, special as ranges};
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::special;
use causeway_model::finding::Finding;
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

/// The address a peer sees of a pod that calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// The pod's own.
    Pod,
    /// Its node's.
    Node,
    /// The pod's for some destinations, the node's for the rest.
    Mixed {
        /// Destinations that see the pod.
        pod: Vec<Cidr>,
    },
    /// The public address of whatever stands here: a NAT gateway, a load balancer, a firewall.
    Public(String),
    /// It can't be said.
    Unknown(String),
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Seen::Pod => f.write_str("the pod's address"),
            Seen::Node => f.write_str("the node's address"),
            Seen::Mixed { pod } => {
                let pod: Vec<String> = pod.iter().map(|cidr| format!("`{cidr}`")).collect();
                write!(f, "the pod's address from {}, the node's from the rest", pod.join(", "))
            }
            Seen::Public(what) => write!(f, "{what}"),
            Seen::Unknown(what) => write!(f, "an address that is not known ({what})"),
        }
    }
}

/// A peer that sees another address after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceChange {
    /// The cluster whose pods call.
    pub cluster: ClusterName,
    /// Who is called, in words: "pods of the cluster", "network `hub`", "the internet".
    pub peer: String,
    /// What it saw.
    pub before: Seen,
    /// What it sees.
    pub after: Seen,
    /// Named machines there.
    pub machines: Vec<String>,
}

/// Everybody who sees another source address of a cluster's pods after the change. Clusters are matched by name; one that is on
/// one side only changes nothing for anybody.
pub fn source_changes(before: &Design, after: &Design) -> Vec<SourceChange> {
    let (before, after) = (Ground::new(before), Ground::new(after));
    let mut out = Vec::new();
    for new in &after.views {
        let Some(old) = before.views.iter().find(|old| old.name == new.name) else { continue };
        let (was, is) = (seen_by(&before, old), seen_by(&after, new));
        for (peer, (now, machines)) in is {
            let Some((then, _)) = was.get(&peer) else { continue };
            if *then != now {
                out.push(SourceChange {
                    cluster: new.name.clone(),
                    peer: peer.words(after.design),
                    before: then.clone(),
                    after: now,
                    machines,
                });
            }
        }
    }
    out
}

/// The same as findings on the design after the change.
pub(super) fn findings(before: &Design, after: &Design) -> Vec<Finding> {
    let finding = |change: SourceChange| {
        let object = format!("clusters.{}.masquerade", change.cluster);
        let message = format!("{} sees {} instead of {} when pods call", change.peer, change.after, change.before);
        let mut finding = Finding::new(codes::SOURCE_IDENTITY_CHANGES, object, message)
            .help("let everyone who allows or logs by source address know both addresses before the change")
            .on(change.peer);
        if !change.machines.is_empty() {
            finding.evidence.push(format!("there: {}", change.machines.join(", ")));
        }
        finding
    };
    source_changes(before, after).into_iter().map(finding).collect()
}

/// A class of peers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Peer {
    Pods,
    Vnet(NetworkName),
    Other(NetworkName),
    Internet,
    PlatformDns,
    Metadata,
}

impl Peer {
    fn words(&self, design: &Design) -> String {
        match self {
            Peer::Pods => "pods of the cluster".to_owned(),
            Peer::Vnet(network) => format!("the cluster's VNet `{network}`"),
            Peer::Other(network) => network_words(design, network),
            Peer::Internet => "the internet".to_owned(),
            Peer::PlatformDns => "the platform's DNS".to_owned(),
            Peer::Metadata => "the metadata service".to_owned(),
        }
    }
}

fn seen_by(ground: &Ground, view: &View) -> BTreeMap<Peer, (Seen, Vec<String>)> {
    let mut out = BTreeMap::new();
    let own = view.cluster.networks();
    let pods = view.pod_ranges();
    if !pods.is_empty() {
        out.insert(Peer::Pods, (towards(view, &pods), Vec::new()));
    }
    let mut homes = pods.clone();
    for home in &view.nodes {
        homes.insert(home.cidr);
    }
    let mut reached: BTreeMap<&NetworkName, RangeSet> = BTreeMap::new();
    for network in &own {
        for claim in ground.fabric.near(network, &Family::V4.everything()) {
            reached.entry(claim.network).or_default().insert(claim.cidr);
        }
    }
    for (network, range) in reached {
        let machines = ground.machines_in(network, &range).into_iter().map(str::to_owned).collect();
        let is_own = own.contains(network);
        // Only the prefix as a whole: pods and nodes in it are a class of their own.
        let rest = if is_own { range.difference(&homes) } else { range };
        if rest.is_empty() {
            continue;
        }
        let peer = if is_own { Peer::Vnet(network.clone()) } else { Peer::Other(network.clone()) };
        out.insert(peer, (towards(view, &rest), machines));
    }
    let hosts = ground.design.hosts.iter().filter(|(_, host)| host.network.is_none());
    out.insert(Peer::Internet, (internet(view), hosts.map(|(name, _)| format!("host/{name}")).collect()));
    for (peer, address) in [(Peer::PlatformDns, special::PLATFORM_DNS.value), (Peer::Metadata, special::METADATA.value)]
    {
        let single = RangeSet::from_iter([Cidr::host(IpAddr::V4(address))]);
        let seen = match view.translation() {
            Some(translation) if translation.platform_snat => Seen::Node,
            _ => towards(view, &single),
        };
        out.insert(peer, (seen, Vec::new()));
    }
    out
}

fn towards(view: &View, destinations: &RangeSet) -> Seen {
    let translation = match &view.effective {
        super::Effective::Known(translation) => translation,
        super::Effective::Unknown { missing } => return Seen::Unknown(missing.join(", ")),
    };
    let pod = destinations.intersection(&translation.kept());
    if pod.is_empty() {
        Seen::Node
    } else if pod == *destinations {
        Seen::Pod
    } else {
        Seen::Mixed { pod: pod.cidrs().collect() }
    }
}

/// Beyond the network it is a public address: that of what governs the packet, which is the pod subnet's or the node subnet's.
fn internet(view: &View) -> Seen {
    let mut public: RangeSet = [Family::V4.everything()].into_iter().collect();
    public = public.difference(&ranges::private_space(Family::V4));
    for cidr in [special::LINK_LOCAL, Cidr::host(IpAddr::V4(special::PLATFORM_DNS.value))] {
        public.remove(cidr);
    }
    let as_pod = match towards(view, &public) {
        Seen::Unknown(what) => return Seen::Unknown(what),
        Seen::Node => false,
        Seen::Pod => true,
        mixed => return mixed,
    };
    let subnets = view.cluster.pools.values().filter_map(|pool| {
        let flat = view.cluster.mode.is_some_and(Mode::uses_pod_subnet);
        if as_pod && flat { pool.pod_subnet.as_ref() } else { pool.subnet.as_ref() }
    });
    let appliances = Appliances::new(view.design);
    let mut ways: Vec<String> = subnets
        .filter_map(|reference| Some(way_out(view, &appliances, &reference.network, view.design.subnet(reference)?)))
        .collect();
    if ways.is_empty() {
        ways.push(by_outbound_type(view));
    }
    ways.sort();
    ways.dedup();
    Seen::Public(ways.join(" or "))
}

/// What a subnet's packets leave through, in the platform's order: a default route, a NAT gateway, the cluster's own way.
fn way_out(view: &View, appliances: &Appliances, network: &NetworkName, subnet: &Subnet) -> String {
    let table = subnet.route_table.as_ref().and_then(|name| Some((name, view.design.route_tables.get(name)?)));
    let default = table.and_then(|(name, table)| {
        let is_default =
            |route: &&Route| matches!(route.prefix, RoutePrefix::Cidr(prefix) if prefix == Family::V4.everything());
        table.routes.iter().find(is_default).map(|route| (name, route.next_hop))
    });
    match default {
        Some((_, NextHop::Appliance(ip))) => {
            return appliances.at(network, ip).map_or_else(
                || format!("whatever address the appliance `{ip}` has outside"),
                |(name, firewall)| format!("an address of the firewall `{name}`{}", addresses(&firewall.public_ips)),
            );
        }
        Some((name, NextHop::UnknownAppliance | NextHop::Gateway)) => {
            return format!("whatever stands behind the default route of `{name}`");
        }
        _ => {}
    }
    if let Some(name) = &subnet.nat_gateway {
        let ips = view.design.nat_gateways.get(name).map_or(&[][..], |gateway| &gateway.public_ips);
        return format!("an address of the NAT gateway `{name}`{}", addresses(ips));
    }
    by_outbound_type(view)
}

fn by_outbound_type(view: &View) -> String {
    let outbound = &view.cluster.outbound;
    format!("an address of the cluster's outbound type `{}`{}", outbound.kind, addresses(&outbound.public_ips))
}

fn addresses(ips: &[IpAddr]) -> String {
    if ips.is_empty() {
        return String::new();
    }
    let mut ips: Vec<String> = ips.iter().map(|ip| format!("`{ip}`")).collect();
    ips.sort();
    format!(" ({})", ips.join(", "))
}
