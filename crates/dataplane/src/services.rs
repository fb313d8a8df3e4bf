//! What stands in for a service's address on a node: kube-proxy's translation, and that of a data plane that replaces it, as rules.
//!
//! The meaning is that of kube-proxy (Kubernetes 1.29 to 1.34, its documentation and observed rules) in its three modes and of Cilium's
//! replacement; the form is one for all of them: frontends are keys that lead to a chain each, which marks what has to be masqueraded
//! and picks an endpoint. Where modes differ a comment at the rule says so.
//!
//! Addresses of the kind `externalIPs` are virtual addresses like those of a load balancer that leaves the destination as it is.

use crate::nftables::objects::{CHAIN_NUMBER, Keys};
use crate::prefixes::PrefixSet;
use crate::ruleset::{
    AddressField, Ask, BaseChain, Chain, ChainKind, End, Hook, MarkOf, Match, Part, Policy, Rule, Ruleset, Set, Table,
    TableFamily, TableId, Tuples, Value, Verdict, numbered_chain,
};
use causeway_addr::{Cidr, Family};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Our tables, one of family `ip` and one of family `ip6`.
pub const TABLE: &str = "causeway-services";
/// Where destinations are translated: just before iptables' -100, for packets from outside and from pods, and for the node's own.
pub const TRANSLATE_PRIORITY: i32 = -101;
/// Where packets are refused that no endpoint takes, before they are translated.
pub const REFUSE_PRIORITY: i32 = -110;
/// Where marked connections are masqueraded: before the CNI and every masquerade agent.
pub const MASQUERADE_PRIORITY: i32 = 98;
/// The bit of the packet's mark that asks for masquerade; kube-proxy's own.
pub const MARK: u32 = 0x4000;

/// Who translates, and what it has been told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// Which program.
    pub kind: Kind,
    /// What it takes for addresses of pods (`clusterCIDR`); empty = it has not been told.
    pub pods: Vec<Cidr>,
    /// `masqueradeAll`: whatever goes to a service is masqueraded.
    pub masquerade_all: bool,
    /// The addresses node ports are open on; empty = all of the node's own.
    pub node_addresses: Vec<IpAddr>,
}

/// Which program translates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// kube-proxy with iptables.
    Iptables,
    /// kube-proxy with IPVS.
    Ipvs,
    /// kube-proxy with nftables.
    Nftables,
    /// Cilium in place of kube-proxy.
    Cilium,
}

/// One port of a service, as a node sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frontend {
    /// The service's name, for people: `NAMESPACE/NAME`.
    pub service: String,
    /// IP protocol: 6, 17 or 132.
    pub protocol: u8,
    /// The port clients use.
    pub port: u16,
    /// Its addresses inside the cluster.
    pub cluster: Vec<IpAddr>,
    /// Its addresses outside: of a load balancer that leaves the destination as it is, or `externalIPs`.
    pub external: Vec<IpAddr>,
    /// Its port on every node.
    pub node_port: Option<u16>,
    /// Who answers.
    pub endpoints: Vec<Endpoint>,
    /// `externalTrafficPolicy: Local`.
    pub local: bool,
    /// `loadBalancerSourceRanges`; empty = everybody.
    pub sources: Vec<Cidr>,
}

/// Somebody who answers for a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// Its address.
    pub address: IpAddr,
    /// Its port.
    pub port: u16,
    /// It is on this node.
    pub here: bool,
}

/// Our table of a family.
pub fn table(family: Family) -> TableId {
    let family = match family {
        Family::V4 => TableFamily::Ip,
        Family::V6 => TableFamily::Ip6,
    };
    TableId { family, name: TABLE.to_owned() }
}

/// The rules of a node.
pub fn compile(proxy: &Proxy, frontends: &[Frontend]) -> Ruleset {
    Ruleset {
        tables: Family::ALL.into_iter().map(|family| (table(family), of_family(proxy, frontends, family))).collect(),
    }
}

/// The rules of a node for packets of one family.
pub fn compile_family(proxy: &Proxy, frontends: &[Frontend], family: Family) -> Ruleset {
    Ruleset { tables: BTreeMap::from([(table(family), of_family(proxy, frontends, family))]) }
}

/// Sources that are taken for pods.
const PODS: &str = "pods";
/// Addresses and ports of services.
const SERVICES: &str = "services";
/// Ports of the node.
const NODE_PORTS: &str = "node-ports";
/// The addresses node ports are open on.
const NODE_ADDRESSES: &str = "node-addresses";
/// The same of services nobody stands behind.
const REFUSED: &str = "refused";
const REFUSED_NODE_PORTS: &str = "refused-node-ports";
/// External addresses without an endpoint on this node.
const DROPPED: &str = "dropped";
const DROPPED_NODE_PORTS: &str = "dropped-node-ports";
/// External addresses not everybody may use.
const GUARDED: &str = "guarded";
/// Endpoints of this node.
const NEAR: &str = "near";
/// Endpoints with themselves: a pod that reaches itself through a service.
const LOOPBACK: &str = "loopback";

struct Writing {
    family: Family,
    table: Table,
    services: BTreeMap<(IpAddr, u8, u16), u32>,
    node_ports: BTreeMap<(u8, u16), u32>,
    guarded: BTreeMap<(IpAddr, u8, u16), u32>,
    refused: BTreeSet<(IpAddr, u8, u16)>,
    refused_node_ports: BTreeSet<(u8, u16)>,
    dropped: BTreeSet<(IpAddr, u8, u16)>,
    dropped_node_ports: BTreeSet<(u8, u16)>,
    loopback: BTreeSet<IpAddr>,
    near: BTreeSet<IpAddr>,
    /// The next chain's number.
    next: u32,
}

fn of_family(proxy: &Proxy, frontends: &[Frontend], family: Family) -> Table {
    let mut writing = Writing {
        family,
        table: Table::default(),
        services: BTreeMap::new(),
        node_ports: BTreeMap::new(),
        guarded: BTreeMap::new(),
        refused: BTreeSet::new(),
        refused_node_ports: BTreeSet::new(),
        dropped: BTreeSet::new(),
        dropped_node_ports: BTreeSet::new(),
        loopback: BTreeSet::new(),
        near: BTreeSet::new(),
        next: 1,
    };
    for frontend in frontends {
        writing.frontend(proxy, frontend);
    }
    writing.finish(proxy)
}

impl Writing {
    fn add(&mut self, rules: Vec<Rule>) -> u32 {
        let number = self.next;
        self.next = self.next.saturating_add(1);
        self.table.chains.insert(numbered_chain(number), Chain { base: None, rules });
        number
    }

    fn frontend(&mut self, proxy: &Proxy, frontend: &Frontend) {
        let family = self.family;
        let of_family = |address: &&IpAddr| Family::of(**address) == family;
        let key = |address: &IpAddr| (*address, frontend.protocol, frontend.port);
        let cluster: Vec<_> = frontend.cluster.iter().filter(of_family).map(key).collect();
        let external: Vec<_> = frontend.external.iter().filter(of_family).map(key).collect();
        let node_port = frontend.node_port.map(|port| (frontend.protocol, port));
        let all: Vec<Endpoint> =
            frontend.endpoints.iter().copied().filter(|end| Family::of(end.address) == family).collect();
        // Under Cilium a pod that reaches itself does so without leaving.
        if proxy.kind != Kind::Cilium {
            self.loopback.extend(all.iter().map(|end| end.address));
        }
        self.near.extend(all.iter().filter(|end| end.here).map(|end| end.address));
        if !frontend.sources.is_empty() {
            self.guard(frontend, &external);
        }
        if all.is_empty() {
            self.refused.extend(cluster.into_iter().chain(external));
            self.refused_node_ports.extend(node_port);
            return;
        }
        let here: Vec<Endpoint> = all.iter().copied().filter(|end| end.here).collect();
        let name = &frontend.service;
        let inside = self.inside(proxy, name, &all);
        for key in cluster {
            self.services.insert(key, inside);
        }
        if external.is_empty() && node_port.is_none() {
            return;
        }
        let outside = match frontend.local {
            false => self.outside(proxy, name, &all),
            true => self.outside_local(proxy, name, &all, &here),
        };
        // With nobody here to answer, what comes from outside ends; what comes from the cluster goes to all of them.
        let nobody_here = frontend.local && here.is_empty() && proxy.kind != Kind::Ipvs;
        for key in external {
            self.services.insert(key, outside);
            if nobody_here {
                self.dropped.insert(key);
            }
        }
        if let Some(port) = node_port {
            self.node_ports.insert(port, outside);
            if nobody_here {
                self.dropped_node_ports.insert(port);
            }
        }
    }

    /// What reaches the service by its own address.
    fn inside(&mut self, proxy: &Proxy, name: &str, all: &[Endpoint]) -> u32 {
        let pick = self.pick(name, all);
        let mut rules = Vec::new();
        match (proxy.kind, proxy.masquerade_all, proxy.pods.is_empty()) {
            // It translates where a connection is made, within the cluster alone, and masquerades nothing.
            (Kind::Cilium, ..) => {
                return self
                    .add(vec![rule(from(PODS), goto(pick), name), rule(vec![Match::LocalSource], goto(pick), name)]);
            }
            (_, true, _) => rules.push(rule(Vec::new(), marked(), "whatever goes to a service is masqueraded")),
            // Without a range nobody is told apart, and nothing is masqueraded.
            (_, false, true) => {}
            (_, false, false) => {
                rules.push(rule(from(PODS), goto(pick), "a pod keeps its address"));
                rules.push(rule(Vec::new(), marked(), "not from a pod: masqueraded"));
            }
        }
        rules.push(rule(Vec::new(), goto(pick), name));
        self.add(rules)
    }

    /// What reaches it by an address of the outside, or a node's port: `externalTrafficPolicy: Cluster`.
    fn outside(&mut self, proxy: &Proxy, name: &str, all: &[Endpoint]) -> u32 {
        let pick = self.pick(name, all);
        let mut rules = Vec::new();
        if proxy.kind == Kind::Cilium {
            // Pods and nodes of the cluster are translated where they make the connection.
            rules.push(rule(from(PODS), goto(pick), "a pod keeps its address"));
        }
        rules.push(rule(Vec::new(), marked(), "from outside: masqueraded"));
        rules.push(rule(Vec::new(), goto(pick), name));
        self.add(rules)
    }

    /// The same with `externalTrafficPolicy: Local`.
    fn outside_local(&mut self, proxy: &Proxy, name: &str, all: &[Endpoint], here: &[Endpoint]) -> u32 {
        if proxy.kind == Kind::Ipvs {
            // Only those here, and where there is none all of them: the client's address is kept, so an answer from elsewhere misses it.
            let pick = self.pick(name, if here.is_empty() { all } else { here });
            return pick;
        }
        let mut rules = Vec::new();
        let every = self.pick(name, all);
        if !proxy.pods.is_empty() {
            rules.push(rule(from(PODS), goto(every), "from a pod: to every endpoint"));
        }
        let own = self
            .add(vec![rule(Vec::new(), marked(), "from this node: masqueraded"), rule(Vec::new(), goto(every), name)]);
        rules.push(rule(vec![Match::LocalSource], goto(own), "from this node: to every endpoint"));
        if !here.is_empty() {
            let near = self.pick(name, here);
            rules.push(rule(Vec::new(), goto(near), "from outside: to an endpoint of this node"));
        }
        self.add(rules)
    }

    /// One of these.
    fn pick(&mut self, name: &str, ends: &[Endpoint]) -> u32 {
        let ends = ends.iter().map(|end| End { address: end.address, port: Some(end.port) }).collect();
        self.add(vec![rule(Vec::new(), Verdict::Redirect(ends), name)])
    }

    /// Only some may use it.
    fn guard(&mut self, frontend: &Frontend, external: &[(IpAddr, u8, u16)]) {
        let set = format!("sources-{}", self.next);
        let ranges = PrefixSet::new(self.family, &frontend.sources);
        self.table.sets.insert(set.clone(), Set::Prefixes(ranges));
        let number = self.add(vec![
            rule(from(&set), Verdict::Return, "in loadBalancerSourceRanges"),
            rule(Vec::new(), Verdict::Drop, &frontend.service),
        ]);
        self.guarded.extend(external.iter().map(|key| (*key, number)));
    }

    fn finish(mut self, proxy: &Proxy) -> Table {
        let family = self.family;
        let address = Part::Address(family);
        let here = Ask::Address(AddressField::Destination, family.width());
        let frontend = || vec![here.clone(), Ask::Protocol, Ask::Port];
        let port = || vec![Ask::Protocol, Ask::Port];
        let three = [address, Part::Protocol, Part::Port];
        let two = [Part::Protocol, Part::Port];
        let values = |(address, protocol, port): &(IpAddr, u8, u16)| {
            Tuples::key(&[Value::Address(*address), Value::Protocol(*protocol), Value::Port(*port)])
        };
        let ports = |(protocol, port): &(u8, u16)| Tuples::key(&[Value::Protocol(*protocol), Value::Port(*port)]);
        let sets = [
            (SERVICES, leading(&three, self.services.iter().map(|(key, chain)| (values(key), *chain)))),
            (NODE_PORTS, leading(&two, self.node_ports.iter().map(|(key, chain)| (ports(key), *chain)))),
            (GUARDED, leading(&three, self.guarded.iter().map(|(key, chain)| (values(key), *chain)))),
            (REFUSED, keys(&three, self.refused.iter().map(values))),
            (REFUSED_NODE_PORTS, keys(&two, self.refused_node_ports.iter().map(ports))),
            (DROPPED, keys(&three, self.dropped.iter().map(values))),
            (DROPPED_NODE_PORTS, keys(&two, self.dropped_node_ports.iter().map(ports))),
            (
                LOOPBACK,
                keys(
                    &[address, address],
                    self.loopback.iter().map(|end| Tuples::key(&[Value::Address(*end), Value::Address(*end)])),
                ),
            ),
        ];
        self.table.sets.extend(sets.map(|(name, set)| (name.to_owned(), set)));
        let pods = PrefixSet::new(family, &proxy.pods);
        self.table.sets.insert(PODS.to_owned(), Set::Prefixes(pods));
        let addresses: Vec<Cidr> = proxy.node_addresses.iter().copied().map(Cidr::host).collect();
        self.table.sets.insert(NODE_ADDRESSES.to_owned(), Set::Prefixes(PrefixSet::new(family, &addresses)));
        let of_node = || match proxy.node_addresses.is_empty() {
            true => vec![Match::LocalDestination],
            false => vec![Match::In { field: AddressField::Destination, set: NODE_ADDRESSES.to_owned() }],
        };
        let has = |of: Vec<Ask>, set: &str| Match::Tuple { of, set: set.to_owned() };
        let lead = |of: Vec<Ask>, map: &str| Verdict::Lead { of, map: map.to_owned() };
        let with = |mut matches: Vec<Match>, more: Match| {
            matches.push(more);
            matches
        };
        let translate = vec![
            rule(Vec::new(), lead(frontend(), SERVICES), "addresses of services"),
            rule(of_node(), lead(port(), NODE_PORTS), "ports of the node"),
        ];
        let begins = || vec![Match::Begins];
        let refuse = vec![
            rule(with(begins(), has(frontend(), REFUSED)), Verdict::Reject, "nobody stands behind the service"),
            rule(
                [begins(), of_node(), vec![has(port(), REFUSED_NODE_PORTS)]].concat(),
                Verdict::Reject,
                "nobody stands behind the node's port",
            ),
            rule(begins(), Verdict::Jump("unguarded".to_owned()), "who may use it"),
            rule(begins(), Verdict::Goto("elsewhere".to_owned()), "who answers here"),
        ];
        // What is let through comes back, and is looked at further.
        let unguarded = vec![rule(Vec::new(), lead(frontend(), GUARDED), "only some may use it")];
        let elsewhere = vec![
            // Those who reach every endpoint all the same.
            rule(from(PODS), Verdict::Return, "a pod reaches every endpoint"),
            rule(vec![Match::LocalSource], Verdict::Return, "the node reaches every endpoint"),
            rule(vec![has(frontend(), DROPPED)], Verdict::Drop, "no endpoint on this node"),
            rule(
                [of_node(), vec![has(port(), DROPPED_NODE_PORTS)]].concat(),
                Verdict::Drop,
                "no endpoint on this node for the node's port",
            ),
        ];
        let both = |field| Ask::Address(field, family.width());
        let masquerade = Verdict::Masquerade { fully_random: true };
        let near: Vec<Cidr> = self.near.iter().copied().map(Cidr::host).collect();
        self.table.sets.insert(NEAR.to_owned(), Set::Prefixes(PrefixSet::new(family, &near)));
        let mut postrouting = Vec::new();
        if proxy.kind == Kind::Cilium {
            let to_near = vec![Match::In { field: AddressField::Destination, set: NEAR.to_owned() }];
            let why = "an endpoint of this node answers by this node anyway, so its client keeps its address";
            postrouting.push(rule(to_near, Verdict::Accept, why));
        }
        postrouting.extend([
            rule(
                vec![
                    Match::DestinationTranslated,
                    has(vec![both(AddressField::Source), both(AddressField::Destination)], LOOPBACK),
                ],
                masquerade.clone(),
                "a pod that reaches itself",
            ),
            rule(vec![Match::Marked { of: MarkOf::Packet, bits: MARK }], masquerade, "marked for masquerade"),
        ]);
        let base = |kind, hook, priority| Some(BaseChain { kind, hook, priority, policy: Policy::Accept });
        let chains = [
            ("prerouting", base(ChainKind::Nat, Hook::Prerouting, TRANSLATE_PRIORITY), translate.clone()),
            ("output", base(ChainKind::Nat, Hook::Output, TRANSLATE_PRIORITY), translate),
            ("refuse", base(ChainKind::Filter, Hook::Prerouting, REFUSE_PRIORITY), refuse.clone()),
            ("refuse-own", base(ChainKind::Filter, Hook::Output, REFUSE_PRIORITY), refuse),
            ("unguarded", None, unguarded),
            ("elsewhere", None, elsewhere),
            ("postrouting", base(ChainKind::Nat, Hook::Postrouting, MASQUERADE_PRIORITY), postrouting),
        ];
        self.table.chains.extend(chains.map(|(name, base, rules)| (name.to_owned(), Chain { base, rules })));
        self.table
    }
}

fn rule(matches: Vec<Match>, verdict: Verdict, comment: &str) -> Rule {
    const LONGEST: usize = 127;
    let mut end = comment.len().min(LONGEST);
    while !comment.is_char_boundary(end) {
        end -= 1;
    }
    let comment = comment.get(..end).unwrap_or_default().to_owned();
    Rule { matches, counter: None, sample: None, verdict: Some(verdict), comment }
}

fn from(set: &str) -> Vec<Match> {
    vec![Match::In { field: AddressField::Source, set: set.to_owned() }]
}

fn marked() -> Verdict {
    Verdict::Mark { of: MarkOf::Packet, bits: MARK }
}

fn goto(chain: u32) -> Verdict {
    Verdict::Goto(numbered_chain(chain))
}

fn keys(parts: &[Part], of: impl Iterator<Item = Vec<u8>>) -> Set {
    let mut tuples = Tuples::new(parts.to_vec(), false);
    let all: Vec<Vec<u8>> = of.collect();
    tuples.entries = Keys::collect(tuples.key_width(), all.iter().map(Vec::as_slice));
    Set::Tuples(tuples)
}

fn leading(parts: &[Part], of: impl Iterator<Item = (Vec<u8>, u32)>) -> Set {
    let mut tuples = Tuples::new(parts.to_vec(), true);
    let all: Vec<Vec<u8>> = of.map(|(key, chain)| [key, chain.to_be_bytes().to_vec()].concat()).collect();
    tuples.entries = Keys::collect(tuples.key_width() + CHAIN_NUMBER, all.iter().map(Vec::as_slice));
    Set::Tuples(tuples)
}

#[cfg(test)]
mod tests;
