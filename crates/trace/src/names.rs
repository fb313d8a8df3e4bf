//! A name, resolved as the asker would resolve it: who is asked, what they see, what comes back.
//!
//! The same name has several answers in one design. What a pod gets is decided by the cluster's DNS, by the servers of its nodes' network,
//! by where those forward to, and by the private zones linked to the network from which the platform's resolver is asked in the end. So a
//! resolution is walked like a packet: every server that is asked is a [`Step`], and every hop of a query a [`Query`], which the packet walk
//! can trace to port 53. Nothing is guessed: a server nobody described and a public name nobody told leave [`NameVerdict::Uncertain`].
//!
//! A network's servers are asked in order, the next one only when one is silent. Which one is silent today no design says, so every
//! different answer is given, the first server's first.

mod alias;
mod cluster;
mod domain;
mod recursive;
mod server;
mod zones;

use crate::answer::{Missing, words};
use crate::who::Party;
use crate::world::World;
use causeway_addr::Family;
use causeway_dataplane::packet::Protocol;
use causeway_model::design::*;
use causeway_model::facts::special;
use domain::normal;
use std::net::IpAddr;

words! {
    /// What becomes of a name.
    NameVerdict {
        /// To an address inside: of a private endpoint, a private zone's record, a service or pod.
        ResolvesPrivate = "resolvesPrivate",
        /// To an address on the internet.
        ResolvesPublic = "resolvesPublic",
        /// The answer is that the name does not exist, or has no address.
        Nxdomain = "nxdomain",
        /// Nobody answers: queries go in circles, or to a resolver that does not serve who asks.
        NoAnswer = "noAnswer",
        /// It can't be said without what [`Answer::missing`] names.
        Uncertain = "uncertain",
    }
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker<'a> {
    /// A pod: through the cluster's DNS, with its search list.
    Pod {
        /// Its cluster.
        cluster: &'a ClusterName,
        /// Its namespace; `None` = any pod, whose namespace is not told.
        namespace: Option<&'a str>,
        /// It is on the host network, and asks as its node does.
        host_network: bool,
    },
    /// A node, or the API server's side of it: without the cluster's DNS.
    Node(&'a ClusterName, &'a NodeName),
    /// A machine of a network: its network's servers.
    Network(&'a NetworkName),
    /// Somebody on the internet.
    Internet,
}

/// Who sends a query.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Querier {
    /// Who asks.
    Asker,
    /// LocalDNS, on the asker's node.
    LocalDns(ClusterName),
    /// The pods of the cluster's DNS.
    CoreDns(ClusterName),
    /// A DNS server of the design.
    Host(HostName),
}

/// A query on its way: from somebody to a server, port 53. Whether it gets there is the packet walk's business.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Query {
    /// Who sends it.
    pub from: Querier,
    /// To whom.
    pub server: IpAddr,
    /// Over UDP, as a rule.
    pub protocol: Protocol,
}

/// One who was asked, and what they said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Who was asked, as people name them.
    pub asked: String,
    /// For which name.
    pub name: String,
    /// What they said or did, in one phrase.
    pub said: String,
    /// Dotted path of the object that says so; empty = none.
    pub object: String,
}

/// What to change so that a name leads to its private address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remedy {
    /// Dotted path of the object to change.
    pub object: String,
    /// Why the answer is not the private one.
    pub because: String,
    /// What to change there.
    pub fix: String,
}

/// What a name resolves to for somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The name that was answered, in full and lower case: of a short name the one of the search list that exists.
    pub name: String,
    /// What becomes of it.
    pub verdict: NameVerdict,
    /// Its addresses, in the order of the record. Empty without one, and where it is known only on which side it is.
    pub addresses: Vec<IpAddr>,
    /// Names it turned out to be an alias of, in order.
    pub aliases: Vec<String>,
    /// Who was asked and what they said, in order.
    pub steps: Vec<Step>,
    /// The queries that get the answer; several lists = several servers give it, the first one first.
    pub queries: Vec<Vec<Query>>,
    /// What is not known and would be needed.
    pub missing: Vec<Missing>,
    /// What else is worth knowing.
    pub notes: Vec<String>,
    /// The service behind the public name refuses the public path; `None` = not stated.
    pub public_access_disabled: Option<bool>,
    /// Dotted path of the object that decided; empty = none.
    pub authority: String,
    /// What would have to change for the private address to come back, where one exists and does not.
    pub remedy: Option<Remedy>,
}

impl Answer {
    fn new(name: &str) -> Self {
        Answer {
            name: name.to_owned(),
            verdict: NameVerdict::Uncertain,
            addresses: Vec::new(),
            aliases: Vec::new(),
            steps: Vec::new(),
            queries: Vec::new(),
            missing: Vec::new(),
            notes: Vec::new(),
            public_access_disabled: None,
            authority: String::new(),
            remedy: None,
        }
    }

    /// Its addresses of one family.
    pub fn of_family(&self, family: Family) -> impl Iterator<Item = IpAddr> {
        self.addresses.iter().copied().filter(move |address| address.is_ipv6() == (family == Family::V6))
    }

    fn step(&mut self, asked: impl Into<String>, said: impl Into<String>, object: impl Into<String>) {
        let name = self.aliases.last().unwrap_or(&self.name).clone();
        self.steps.push(Step { asked: asked.into(), name, said: said.into(), object: object.into() });
    }

    fn lacks(mut self, missing: Missing) -> Self {
        self.verdict = NameVerdict::Uncertain;
        self.missing.push(missing);
        self
    }

    /// The same for whoever asks the same thing.
    fn agrees(&self, other: &Answer) -> bool {
        let sorted = |answer: &Answer| {
            let mut addresses = answer.addresses.clone();
            addresses.sort_unstable();
            addresses
        };
        self.verdict == other.verdict && sorted(self) == sorted(other) && self.missing == other.missing
    }
}

impl Answer {
    /// Queries that come before those of the answer.
    fn after(mut self, queries: &[Query]) -> Self {
        if self.queries.is_empty() {
            self.queries.push(Vec::new());
        }
        for way in &mut self.queries {
            way.splice(0..0, queries.iter().cloned());
        }
        self
    }
}

impl<'a> Asker<'a> {
    /// As a party of a flow asks; `None` = it can't be said where it asks from.
    pub fn of(world: &World<'a>, party: &Party<'a>) -> Option<Asker<'a>> {
        match party {
            Party::Pod(cluster, pod) => {
                Some(Asker::Pod { cluster, namespace: Some(&pod.namespace), host_network: pod.host_network })
            }
            Party::PoolPod(cluster, _) => Some(Asker::Pod { cluster, namespace: None, host_network: false }),
            Party::Node(cluster, node) => Some(Asker::Node(cluster, node)),
            Party::Host(_, host) => Some(host.network.as_ref().map_or(Asker::Internet, Asker::Network)),
            Party::PrivateEndpoint(_, endpoint) => Some(Asker::Network(&endpoint.subnet.network)),
            Party::Internet => Some(Asker::Internet),
            Party::Address(address) if crate::who::is_public(*address) => Some(Asker::Internet),
            Party::Address(address) => {
                let mut inside = world.design.networks.iter().filter(|(_, network)| {
                    let contains = |prefix: &causeway_addr::Cidr| prefix.contains(*address);
                    network.prefixes.iter().any(contains)
                });
                match (inside.next(), inside.next()) {
                    (Some((network, _)), None) => Some(Asker::Network(network)),
                    _ => None,
                }
            }
            Party::ApiServer(_) | Party::Service(..) | Party::Name(_) => None,
        }
    }
}

/// What a name resolves to for somebody: every different answer, the likeliest first. Never empty.
pub fn resolve<'a>(world: &World<'a>, asker: Asker<'a>, name: &str) -> Vec<Answer> {
    let is_absolute = name.ends_with('.');
    let name = normal(name);
    let resolver = Resolver { world };
    let found = match asker {
        Asker::Internet => vec![resolver.recursive(None, &name)],
        Asker::Network(network) => resolver.of_network(Querier::Asker, network, &name),
        Asker::Node(cluster, node) => resolver.as_node(Querier::Asker, cluster, Some(node), &name),
        Asker::Pod { cluster, host_network: true, .. } => resolver.host_network_pod(cluster, &name),
        Asker::Pod { cluster, namespace, .. } => resolver.pod(cluster, namespace, &name, is_absolute),
    };
    resolver.judged(found)
}

/// Asks on somebody's behalf.
struct Resolver<'w, 'a> {
    world: &'w World<'a>,
}

impl<'a> Resolver<'_, 'a> {
    /// As a process on a node: the servers of the node's network; of every network of the cluster where the node does not tell.
    fn as_node(&self, from: Querier, cluster: &'a ClusterName, node: Option<&NodeName>, name: &str) -> Vec<Answer> {
        let own = node.and_then(|node| {
            let (_, pool) = self.world.cluster(cluster)?.pool_of(node)?;
            Some(&pool.subnet.as_ref()?.network)
        });
        let networks: Vec<&'a NetworkName> = match own {
            Some(network) => vec![network],
            None => self
                .world
                .design
                .clusters
                .get(cluster)
                .map_or(Vec::new(), |value| value.networks().into_iter().collect()),
        };
        if networks.is_empty() {
            let missing = Missing::new(
                format!("the network of the nodes of `{cluster}`, whose DNS servers they ask"),
                format!(
                    "write `clusters.{cluster}.pools.POOL.subnet`; `az aks show --query agentPoolProfiles[].vnetSubnetId` shows it"
                ),
            );
            return vec![Answer::new(name).lacks(missing)];
        }
        combine(networks.into_iter().flat_map(|network| self.of_network(from.clone(), network, name)))
    }

    /// A pod on the host network has its node's `resolv.conf` unless it asks for the cluster's.
    fn host_network_pod(&self, cluster: &'a ClusterName, name: &str) -> Vec<Answer> {
        if domain::is_below(name, cluster::DOMAIN) {
            let missing = Missing::new(
                "the dnsPolicy of a pod on the host network: only with `ClusterFirstWithHostNet` it knows names of the cluster",
                "`kubectl get pod NAME -n NAMESPACE -o jsonpath={.spec.dnsPolicy}`",
            );
            return vec![Answer::new(name).lacks(missing)];
        }
        let mut found = self.as_node(Querier::Asker, cluster, None, name);
        for answer in &mut found {
            answer.notes.push("a pod on the host network asks the servers of its node".to_owned());
        }
        found
    }

    /// A network's servers, in order.
    fn of_network(&self, from: Querier, network: &'a NetworkName, name: &str) -> Vec<Answer> {
        let Some(value) = self.world.design.networks.get(network) else {
            let missing =
                Missing::new(format!("the DNS servers of `{network}`"), format!("describe `networks.{network}`"));
            return vec![Answer::new(name).lacks(missing)];
        };
        match &value.dns_servers {
            DnsServers::Azure if value.kind == NetworkKind::OnPremises => {
                let missing = Missing::new(
                    format!("the DNS servers of the site `{network}`"),
                    format!("write `networks.{network}.dnsServers`, and the servers as hosts with `dns.forwards`"),
                );
                vec![Answer::new(name).lacks(missing)]
            }
            DnsServers::Azure => {
                let query = Query { from, server: PLATFORM_DNS, protocol: Protocol::Udp };
                vec![self.recursive(Some(network), name).after(&[query])]
            }
            DnsServers::Custom(servers) => {
                let each = servers.iter().flat_map(|server| {
                    let mut trail = server::Trail::default();
                    let mut found = self.server(from.clone(), network, *server, name, &mut trail);
                    for answer in &mut found {
                        // Nothing on the way knows better whom to blame.
                        if let Some(remedy) = answer.remedy.as_mut().filter(|remedy| remedy.object.is_empty()) {
                            remedy.object = format!("networks.{network}.dnsServers");
                        }
                    }
                    found
                });
                combine(each)
            }
        }
    }

    /// On which side the addresses are, now that they are known.
    fn judged(&self, mut found: Vec<Answer>) -> Vec<Answer> {
        for answer in &mut found {
            let resolves = matches!(answer.verdict, NameVerdict::ResolvesPrivate | NameVerdict::ResolvesPublic);
            if resolves && !answer.addresses.is_empty() {
                let inside = answer.addresses.iter().all(|address| self.is_inside(*address));
                answer.verdict = if inside { NameVerdict::ResolvesPrivate } else { NameVerdict::ResolvesPublic };
            }
            // Whom nobody in the design serves nobody can serve better.
            let wanting = matches!(answer.verdict, NameVerdict::ResolvesPublic | NameVerdict::Nxdomain);
            answer.remedy = answer.remedy.take().filter(|remedy| wanting && !remedy.object.is_empty());
        }
        combine(found)
    }

    /// Whether packets to an address stay inside: it is no public one, or the design has it within a network or as a private endpoint.
    fn is_inside(&self, address: IpAddr) -> bool {
        let design = self.world.design;
        !crate::who::is_public(address)
            || design.private_endpoints.values().any(|endpoint| endpoint.ip == Some(address))
            || design.networks.values().any(|network| network.prefixes.iter().any(|prefix| prefix.contains(address)))
    }
}

/// The platform's resolver.
pub const PLATFORM_DNS: IpAddr = IpAddr::V4(special::PLATFORM_DNS.value);

/// Every different answer once, in order. Silence is no answer where somebody else gives one.
fn combine(found: impl IntoIterator<Item = Answer>) -> Vec<Answer> {
    let mut out: Vec<Answer> = Vec::new();
    let mut silent: Vec<Answer> = Vec::new();
    for answer in found {
        let list = if answer.verdict == NameVerdict::NoAnswer { &mut silent } else { &mut out };
        match list.iter_mut().find(|known| known.agrees(&answer)) {
            Some(known) => {
                let new = answer.queries.into_iter().filter(|way| !known.queries.contains(way)).collect::<Vec<_>>();
                known.queries.extend(new);
                for note in answer.notes {
                    if !known.notes.contains(&note) {
                        known.notes.push(note);
                    }
                }
            }
            None => list.push(answer),
        }
    }
    match out.first_mut() {
        None => silent,
        Some(first) => {
            for said in silent.iter().filter_map(|answer| answer.steps.last()) {
                first.notes.push(format!("{} does not answer: {}", said.asked, said.said));
            }
            out
        }
    }
}

#[cfg(test)]
mod tests;
