//! The way through a service: whose address the packet has when policies see it.
//!
//! As kube-proxy does it (Kubernetes documentation, "Virtual IPs and Service Proxies" and "Using Source IP"): the address of a service
//! inside the cluster leaves the sender's address alone. What is sent to a load balancer's address or to a node's port by a client
//! inside the cluster goes straight from its node to a pod, not to the load balancer; with `externalTrafficPolicy: Cluster` it gets
//! the address of the node it is translated on when it leaves that node, with `Local` it keeps its own. The policies of a pod on the
//! same node are asked before that.

use crate::dialect::Engine;
use crate::ends::{End, Flow};
use crate::index::{Index, Seat};
use crate::walk::{Explanation, Said, Step};
use causeway_addr::Cidr;
use causeway_model::design::{Service, ServiceType, TrafficPolicy};
use causeway_model::policy::Direction;
use std::net::IpAddr;

/// By which of its addresses a service was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// By its name: inside the cluster that is the address inside, outside the load balancer's.
    Name,
    /// The address inside the cluster.
    Inside,
    /// The load balancer's address.
    Frontend,
    /// A port of a node.
    NodePort,
}

/// The way through a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// The service: namespace and name.
    pub service: String,
    /// How it was called.
    pub entry: Entry,
    /// Whether it can be called from outside the cluster.
    pub open: bool,
    /// What becomes of the sender's address on the way from outside.
    pub traffic: TrafficPolicy,
    /// Clients the load balancer's address answers; empty = all.
    pub ranges: Vec<Cidr>,
}

/// A sender as the receiver may see it.
enum Seen {
    /// As itself.
    Itself,
    /// As a node.
    Node(End),
    /// As some node of which nothing is known.
    SomeNode,
}

impl Way {
    pub(crate) fn of(service: &Service, entry: Entry) -> Way {
        Way {
            service: format!("{}/{}", service.namespace, service.name),
            entry,
            open: matches!(service.kind, ServiceType::LoadBalancer | ServiceType::NodePort),
            traffic: service.external_traffic_policy,
            ranges: service.source_ranges.clone(),
        }
    }

    /// Whether a client of the cluster, or from outside, comes the way that is meant for those outside.
    fn is_external(&self, inside: bool) -> bool {
        match self.entry {
            Entry::Frontend | Entry::NodePort => true,
            Entry::Inside => false,
            Entry::Name => !inside && self.open,
        }
    }
}

impl Index {
    /// What becomes of a flow from a client to one of the pods behind a service, and what is to know about it. `internet`: the client
    /// is every address of the internet.
    pub fn explain_way(&self, flow: &Flow, way: &Way, internet: bool) -> Option<(Flow, Explanation, Vec<String>)> {
        let client = match &flow.from {
            End::Address(address) => self.end_of(*address),
            known => known.clone(),
        };
        let seat = self.seat(&client, flow.family)?;
        let inside = seat.policed || seat.on_host;
        let itself = || match internet {
            true => self.explain_internet(flow, true),
            false => self.explain(flow).map(|explained| (flow.clone(), explained)),
        };
        let (asked, direct) = itself()?;
        let mut notes = Vec::new();
        if !inside && !way.is_external(inside) {
            notes.push(format!(
                "nothing outside the cluster can call service `{}` by itself: what is asked is whether its pods would let it in",
                way.service
            ));
        }
        if !way.is_external(inside) || seat.on_host {
            return Some((asked, direct, notes));
        }
        let masked = way.traffic == TrafficPolicy::Cluster;
        notes.push(match (inside, masked) {
            (true, true) => "a client inside the cluster goes straight to the pods, not to the load balancer; from another node it \
                comes with the address of its own node (externalTrafficPolicy: Cluster)"
                .to_owned(),
            (true, false) => "a client inside the cluster goes straight to the pods, not to the load balancer, and keeps its address \
                (externalTrafficPolicy: Local)"
                .to_owned(),
            (false, true) => "from outside it comes with the client's address if it enters at the pod's own node, else with the \
                address of the node it entered at (externalTrafficPolicy: Cluster)"
                .to_owned(),
            (false, false) => "from outside it keeps the client's address (externalTrafficPolicy: Local)".to_owned(),
        });
        let to = self.seat(&flow.to, flow.family)?;
        let seen = if masked { self.seen(&client, seat, to, inside) } else { vec![Seen::Itself] };
        let mut answers: Vec<(String, Explanation)> = Vec::new();
        for seen in seen {
            let (name, said) = match seen {
                Seen::Itself => ("its own address".to_owned(), direct.clone()),
                Seen::Node(node) => {
                    let name = format!("the address of {node}");
                    let arrived = self.explain(&Flow { from: node, ..flow.clone() })?;
                    (name, direct.clone().arriving_as(arrived))
                }
                Seen::SomeNode => {
                    if !to.policed || !self.is_selected(to.class, Direction::Ingress) {
                        continue;
                    }
                    let mut said = direct.clone();
                    said.push_unknown(
                        Direction::Ingress,
                        "it may come with the address of a node, and no node is known",
                        "the nodes of the cluster, one of which the packet may come from",
                    );
                    ("the address of a node that is not known".to_owned(), said)
                }
            };
            answers.push((name, said));
        }
        if answers.is_empty() {
            answers.push((String::new(), direct));
        }
        let hint = "name a node with `--from`, or see `externalTrafficPolicy`";
        let mut out = Explanation::of_all(answers, "which address it comes with", hint)?;
        if way.entry == Entry::Frontend || way.entry == Entry::Name {
            self.check_ranges(&mut out, way, &client, internet);
        }
        Some((asked, out, notes))
    }

    /// How a receiver may see a client whose packets are given the address of a node.
    fn seen(&self, client: &End, seat: Seat, to: Seat, inside: bool) -> Vec<Seen> {
        // Where a service is translated by something else than kube-proxy it is not said what becomes of the address.
        let mut out = Vec::new();
        if self.dialect.engine == Engine::Cilium && inside {
            out.push(Seen::Itself);
        }
        let near = |node: Option<u32>| node.is_some() && node == to.node;
        if !inside {
            out.push(Seen::Itself);
            let others = self.nodes().filter(|node| self.seat(node, None).is_some_and(|seat| !near(seat.node)));
            out.extend(others.map(Seen::Node));
            if self.nodes().next().is_none() {
                out.push(Seen::SomeNode);
            }
            return out;
        }
        if (seat.node.is_none() || to.node.is_none() || near(seat.node)) && out.is_empty() {
            out.push(Seen::Itself);
        }
        if near(seat.node) {
            return out;
        }
        let own = match client {
            End::Pod(namespace, name) => self.pod(namespace, name).and_then(|pod| pod.info.node.clone()),
            _ => None,
        };
        match own.map(End::Node) {
            Some(node) if self.seat(&node, None).is_some() => out.push(Seen::Node(node)),
            Some(_) => out.push(Seen::SomeNode),
            None => {
                out.extend(self.nodes().map(Seen::Node));
                if self.nodes().next().is_none() {
                    out.push(Seen::SomeNode);
                }
            }
        }
        out
    }

    /// Clients outside the service's source ranges are dropped before any policy is asked.
    fn check_ranges(&self, out: &mut Explanation, way: &Way, client: &End, internet: bool) {
        if way.ranges.is_empty() {
            return;
        }
        let addresses: Vec<IpAddr> = match client {
            End::Address(address) if !internet => vec![*address],
            End::Pod(namespace, name) => self.pod(namespace, name).map_or(Vec::new(), |pod| pod.info.ips.clone()),
            _ => Vec::new(),
        };
        let within = |address: &IpAddr| way.ranges.iter().any(|range| range.contains(*address));
        let all = internet && way.ranges.iter().any(|range| range.prefix_len() == 0);
        if all || (!addresses.is_empty() && addresses.iter().all(within)) {
            return;
        }
        let because = format!("loadBalancerSourceRanges of service `{}` do not let the client in", way.service);
        if !addresses.is_empty() && !addresses.iter().any(within) {
            let (tier, policy, rule, rule_name) = (None, None, None, None);
            let (direction, said) = (Direction::Ingress, Said::Denied);
            out.steps.push(Step { tier, direction, said, policy, rule, rule_name, because });
            return;
        }
        out.push_unknown(
            Direction::Ingress,
            &because.replace("do not let", "may not let"),
            &format!("whether the client is in the loadBalancerSourceRanges of service `{}`", way.service),
        );
    }
}

impl Explanation {
    /// The same on the sender's side, and on the receiver's what it says of somebody else.
    fn arriving_as(mut self, other: Explanation) -> Explanation {
        self.steps.retain(|step| step.direction == Direction::Egress);
        self.steps.extend(other.steps.into_iter().filter(|step| step.direction == Direction::Ingress));
        self.missing.extend(other.missing);
        self.missing.sort();
        self.missing.dedup();
        self
    }

    fn push_unknown(&mut self, direction: Direction, because: &str, missing: &str) {
        let (tier, policy, rule, rule_name) = (None, None, None, None);
        self.steps.push(Step {
            tier,
            direction,
            said: Said::Uncertain,
            policy,
            rule,
            rule_name,
            because: because.to_owned(),
        });
        self.missing.push(missing.to_owned());
    }
}
