//! Where a flow begins: the sender, its address, and the way its first packet takes to leave it.

use crate::answer::Missing;
use crate::ask::Unasked;
use crate::node::{Machine, Process, Sender};
use crate::stand_in::{self, Seat};
use crate::target::Asker;
use crate::who::{Party, is_public};
use crate::world::{Holder, World};
use causeway_addr::Family;
use causeway_model::design::*;
use std::net::IpAddr;

/// A sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin<'a> {
    /// Who.
    pub(crate) kind: Kind<'a>,
    /// Its addresses, at most one a family.
    pub(crate) addresses: Vec<IpAddr>,
    /// Its words.
    pub(crate) words: String,
    /// What was assumed.
    pub(crate) notes: Vec<String>,
}

/// What a sender is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind<'a> {
    /// A pod or a process of a node.
    OnNode(Sender<'a>),
    /// A machine of a virtual network; `None` = one nobody described.
    Machine(&'a NetworkName, Option<Holder<'a>>),
    /// A machine of a site.
    Site(&'a NetworkName, Option<Holder<'a>>),
    /// A machine on the internet.
    Internet(Option<Holder<'a>>),
}

impl<'a> Origin<'a> {
    /// As whom it asks for addresses.
    pub(crate) fn asker(&self) -> Asker<'a> {
        match self.kind {
            Kind::OnNode(sender) => Asker::Cluster(sender.machine.cluster),
            Kind::Machine(network, _) | Kind::Site(network, _) => Asker::Network(network),
            Kind::Internet(_) => Asker::Internet,
        }
    }
}

/// Why nobody can send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoOrigin {
    /// It can't be asked like this.
    Unasked(Unasked),
    /// Something about the sender is not known.
    Missing(Missing),
}

/// The sender a party is.
pub(crate) fn origin<'a>(world: &World<'a>, party: &Party<'a>, to: &Party<'a>) -> Result<Origin<'a>, NoOrigin> {
    let words = party.words();
    let refuse = |message: String, help: &str| Err(NoOrigin::Unasked(Unasked { message, help: Some(help.to_owned()) }));
    match party {
        Party::Pod(cluster, pod) => Ok(of_pod(world, cluster, pod, words)),
        Party::Node(cluster, node) => Ok(of_node(world, cluster, node, words)),
        Party::PoolPod(cluster, pool) => of_pool(world, cluster, pool, words),
        Party::Host(name, host) => {
            let holder = Some(Holder::Host(name, host));
            let kind = match &host.network {
                None => Kind::Internet(holder),
                Some(network) => in_network(world, network, holder),
            };
            Ok(Origin { kind, addresses: vec![host.ip], words, notes: Vec::new() })
        }
        Party::Internet => {
            let addresses = Family::ALL.map(|family| stand_in::on_internet(world, family == Family::V6)).to_vec();
            let notes = vec!["the sender stands for any machine on the internet".to_owned()];
            Ok(Origin { kind: Kind::Internet(None), addresses, words, notes })
        }
        Party::Address(address) => of_address(world, *address),
        Party::ApiServer(cluster) => of_api_server(world, cluster, words, to),
        Party::Service(..) => refuse(format!("{words} sends nothing"), "name a pod of it"),
        Party::PrivateEndpoint(..) => {
            refuse(format!("a {words} opens no connections"), "ask about the way to it; its answers are part of that")
        }
        Party::Name(name) => {
            refuse(format!("`{name}` is a name"), "say who sends: a pod, a node, a host or an address")
        }
    }
}

fn in_network<'a>(world: &World<'a>, network: &'a NetworkName, holder: Option<Holder<'a>>) -> Kind<'a> {
    match world.design.networks.get(network).map(|network| network.kind) {
        Some(NetworkKind::OnPremises) => Kind::Site(network, holder),
        _ => Kind::Machine(network, holder),
    }
}

fn of_pod<'a>(world: &World<'a>, cluster: &'a ClusterName, pod: &'a Pod, words: String) -> Origin<'a> {
    let machine = Machine::of_pod(world, cluster, pod);
    if pod.host_network {
        let of_node = Family::ALL.into_iter().filter_map(|family| machine.address(world, family));
        let of_node = of_node.filter(|(_, stands)| !stands).map(|(address, _)| address);
        let addresses = if pod.ips.is_empty() { of_node.collect() } else { pod.ips.clone() };
        let kind = Kind::OnNode(Sender { machine, process: Process::Host });
        let notes = vec![format!("{words} is on the network of its node")];
        return Origin { kind, addresses, words, notes };
    }
    let mut notes = Vec::new();
    let mut addresses = pod.ips.clone();
    if addresses.is_empty() {
        let stands = Family::ALL.into_iter().filter_map(|family| stand_in::pod_address(world, cluster, pod, family));
        addresses = stands.collect();
        if let Some(address) = addresses.first() {
            notes.push(format!("the address of {words} is not known: {address} stands for it"));
        }
    }
    Origin { kind: Kind::OnNode(Sender { machine, process: Process::Pod(Some(pod)) }), addresses, words, notes }
}

fn of_node<'a>(world: &World<'a>, cluster: &'a ClusterName, node: &'a NodeName, words: String) -> Origin<'a> {
    let view = world.cluster(cluster);
    let addresses = view.and_then(|view| view.cluster.nodes.get(node)).map_or(Vec::new(), |node| node.ips.clone());
    let kind = Kind::OnNode(Sender { machine: Machine::named(world, cluster, node), process: Process::Host });
    Origin { kind, addresses, words, notes: Vec::new() }
}

fn of_pool<'a>(
    world: &World<'a>,
    cluster: &'a ClusterName,
    pool: &'a PoolName,
    words: String,
) -> Result<Origin<'a>, NoOrigin> {
    let stands =
        Family::ALL.into_iter().filter_map(|family| stand_in::pod_of_pool(world, cluster, pool, family, Seat::Sender));
    let addresses: Vec<IpAddr> = stands.collect();
    if addresses.is_empty() {
        return Err(NoOrigin::Missing(Missing::new(
            format!("where pods of {words} get their addresses"),
            format!("write the pool's `subnet` and `podSubnet`, or `clusters.{cluster}.podCidr` and `mode`"),
        )));
    }
    let notes = vec![format!(
        "the sender stands for any pod of {words} that no policy selects; its addresses are examples of their ranges"
    )];
    let kind = Kind::OnNode(Sender { machine: Machine::of_pool(cluster, pool), process: Process::Pod(None) });
    Ok(Origin { kind, addresses, words, notes })
}

/// Whoever has an address: somebody described, else somebody of the only network that contains it.
fn of_address<'a>(world: &World<'a>, address: IpAddr) -> Result<Origin<'a>, NoOrigin> {
    let words = address.to_string();
    let mut found: Vec<Origin> = Vec::new();
    for view in world.clusters() {
        if let Some(pod) = view.pod_at(address) {
            let words = format!("pod/{}/{}", pod.namespace, pod.name);
            found.push(of_pod(world, view.name, pod, words));
        } else if let Some(node) = view.node_at(address) {
            found.push(of_node(world, view.name, node, format!("node/{node}")));
        }
    }
    for (name, network) in &world.design.networks {
        let Some(view) = world.network(name).filter(|_| network.prefixes.iter().any(|prefix| prefix.contains(address)))
        else {
            continue;
        };
        let holders = view.holders(address);
        let in_cluster = |holder: &&Holder| matches!(holder, Holder::Pod(..) | Holder::Node(..));
        if holders.iter().any(|holder| in_cluster(&holder)) {
            continue;
        }
        let holder = holders.first().copied();
        let words = match holder {
            Some(Holder::Host(name, _)) => format!("host/{name}"),
            _ => words.clone(),
        };
        let notes = match holder {
            None => vec![format!("the sender is assumed: nobody in `{name}` is known to have {address}")],
            Some(_) => Vec::new(),
        };
        found.push(Origin { kind: in_network(world, name, holder), addresses: vec![address], words, notes });
    }
    match found.len() {
        0 if is_public(address) => {
            let holder = world.public_holders(address).first().copied();
            Ok(Origin { kind: Kind::Internet(holder), addresses: vec![address], words, notes: Vec::new() })
        }
        0 => Err(NoOrigin::Missing(Missing::new(
            format!("which network {address} is in"),
            "add the network that has it to the design (`az network vnet list -o json`, or an on-premises network)",
        ))),
        1 => found.pop().ok_or_else(|| NoOrigin::Missing(Missing::new("the sender", "name it"))),
        _ => {
            let names: Vec<String> = found.iter().map(|origin| format!("`{}`", origin.words)).collect();
            Err(NoOrigin::Unasked(Unasked {
                message: format!("{address} may be several senders: {}", names.join(", ")),
                help: Some("name the one you mean, with its cluster in front".to_owned()),
            }))
        }
    }
}

/// The API server itself. With VNet integration it stands in its subnet; otherwise it reaches nodes and pods through the tunnel that
/// agents in the cluster opened, so what nodes and pods see comes from a node (azure-facts `egr.konnectivity`, `cp.vnetint.node_path`).
fn of_api_server<'a>(
    world: &World<'a>,
    name: &'a ClusterName,
    words: String,
    to: &Party<'a>,
) -> Result<Origin<'a>, NoOrigin> {
    let missing = |fact: String, how: String| Err(NoOrigin::Missing(Missing::new(fact, how)));
    let Some(cluster) = world.design.clusters.get(name) else {
        return missing(words, "describe the cluster".to_owned());
    };
    // Pods outside the VNet it reaches through the tunnel all the same.
    let hidden = cluster.mode.is_some_and(|mode| matches!(mode, Mode::Overlay | Mode::Byo))
        && matches!(to, Party::Pod(..) | Party::PoolPod(..) | Party::Service(..));
    if cluster.api_server.access == ApiAccess::VnetIntegration && !hidden {
        let Some((reference, subnet)) =
            cluster.api_server.subnet.as_ref().and_then(|subnet| Some((subnet, world.design.subnet(subnet)?)))
        else {
            return missing(
                format!("the subnet of {words}"),
                format!("write `clusters.{name}.apiServer.subnet`, or import `az aks show -o json`"),
            );
        };
        let stands =
            || stand_in::in_subnet(world, &reference.network, subnet, Family::V4, Seat::ApiServer(cluster.pools.len()));
        let addresses: Vec<IpAddr> = cluster.api_server.private_ip.or_else(stands).into_iter().collect();
        let kind = Kind::Machine(&reference.network, Some(Holder::ApiServer(name)));
        return Ok(Origin { kind, addresses, words, notes: vec!["the API server stands in its subnet".to_owned()] });
    }
    let node = cluster.nodes.keys().next();
    let note =
        "the API server reaches nodes and pods through the tunnel its agents open: what is seen comes from a node";
    if let Some(node) = node {
        let mut origin = of_node(world, name, node, words);
        origin.notes.push(note.to_owned());
        return Ok(origin);
    }
    let pool = cluster.pools.keys().next();
    let stands = |family| stand_in::node_of_pool(world, name, pool?, family);
    let addresses: Vec<IpAddr> = Family::ALL.into_iter().filter_map(stands).collect();
    let Some(pool) = pool.filter(|_| !addresses.is_empty()) else {
        return missing(
            "the node the tunnel of the API server ends at".to_owned(),
            "give a node with its address".to_owned(),
        );
    };
    let kind = Kind::OnNode(Sender { machine: Machine::of_pool(name, pool), process: Process::Host });
    Ok(Origin { kind, addresses, words, notes: vec![note.to_owned()] })
}
