//! The cluster with nodes that pods are not on: who sends from there comes with a node's address.

use super::Cx;
use super::cuts::{end, samples};
use super::doors::stranger;
use causeway_addr::Family;
use causeway_model::policy::Policy;
use causeway_policy::{ClassId, End, Event, Index, NodeInfo, world};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Where pods are taken to be that no node is stated of. No node is called so: dots may not be the last of a name.
const OWN: &str = "own.";

/// An index in which every pod is on some node, and the nodes it may not be on.
pub(super) struct Elsewhere {
    pub(super) index: Index,
    /// Nodes by name, with their addresses.
    nodes: BTreeMap<String, Vec<IpAddr>>,
    /// Their nodes, of pods that have one stated.
    seats: BTreeMap<(String, String), String>,
    guests: usize,
    /// A pod of a namespace nobody has seen, without a label.
    pub(super) stranger: End,
}

impl Elsewhere {
    /// `None` where no node's address is known, nor the ranges they are in.
    pub(super) fn of(cx: &Cx<'_>) -> Option<Elsewhere> {
        let known = cx.cluster.nodes.iter().filter(|(_, node)| !node.ips.is_empty());
        let mut nodes: BTreeMap<String, Vec<IpAddr>> =
            known.map(|(name, node)| (name.to_string(), node.ips.clone())).collect();
        let mut index = cx.index.clone();
        if nodes.is_empty() {
            let ranges = world::node_ranges(cx.design, cx.cluster);
            for (at, address) in ranges.iter().flat_map(|range| samples(&cx.index, *range)).enumerate() {
                let name = format!("other.{at}.");
                index.apply(Event::Node(NodeInfo { name: name.clone(), labels: BTreeMap::new(), ips: vec![address] }));
                nodes.insert(name, vec![address]);
            }
        }
        let most = cx.cluster.pools.values().map(|pool| pool.nodes.most());
        let one_alone = !cx.cluster.pools.is_empty() && most.sum::<Option<u32>>().is_some_and(|all| all <= 1);
        if nodes.is_empty() || (one_alone && cx.cluster.nodes.len() <= 1) {
            return None;
        }
        let (index, stranger) = stranger(&index)?;
        // Of nodes that policies don't tell apart two are enough: one of them is not the receiver's.
        let mut alike: BTreeMap<Vec<ClassId>, usize> = BTreeMap::new();
        nodes.retain(|name, _| {
            let node = End::Node(name.clone());
            let seats = Family::ALL.into_iter().filter_map(|family| index.seat(&node, Some(family)));
            let seen = alike.entry(seats.map(|seat| seat.class).collect()).or_default();
            *seen += 1;
            *seen <= 2
        });
        let mut out = Elsewhere { index, nodes, seats: BTreeMap::new(), guests: 0, stranger };
        for pod in cx.cluster.pods.iter().filter(|pod| !pod.terminated && !pod.host_network) {
            if let Some(node) = &pod.node {
                out.seats.insert((pod.namespace.clone(), pod.name.clone()), node.to_string());
                continue;
            }
            out.index.seat_on(&end(pod), OWN);
        }
        Some(out)
    }

    /// A pod a policy would select, on no node that is known; `None` if no pod can be so.
    pub(super) fn invite(&mut self, policy: &Policy) -> Option<End> {
        self.guests += 1;
        let (index, end) = self.index.with_pod_of(policy, &format!("selected.{}", self.guests))?;
        self.index = index;
        self.index.seat_on(&end, OWN);
        Some(end)
    }

    /// The node a pod is on, if that is stated.
    pub(super) fn node_of(&self, pod: &End) -> Option<&str> {
        let End::Pod(namespace, name) = pod else { return None };
        self.seats.get(&(namespace.clone(), name.clone())).map(String::as_str)
    }

    /// Nodes with an address of the family that a pod is not on.
    pub(super) fn nodes_but_of(&self, pod: &End, family: Option<Family>) -> Vec<End> {
        let own = self.node_of(pod);
        let fits = |ips: &[IpAddr]| family.is_none_or(|family| ips.iter().any(|ip| Family::of(*ip) == family));
        let others = self.nodes.iter().filter(|(name, ips)| own != Some(name.as_str()) && fits(ips));
        others.map(|(name, _)| End::Node(name.clone())).collect()
    }
}
