//! WHO and WHERE, as people type them, to ends of a flow.

use crate::ends::End;
use crate::way::{Entry, Way};
use causeway_addr::{Family, parse_address};
use causeway_model::design::*;
use causeway_model::suggest::nearest;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An end somebody named, and the port it is asked on where it is not the one that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The end as it is after translation.
    pub end: End,
    /// The port after translation; `None` = as asked.
    pub port: Option<u16>,
}

/// What a word stands for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The ends: one, the pods of a pool or behind a service, the addresses of a name.
    pub targets: Vec<Target>,
    /// Every address of the internet is meant, not the one that stands here.
    pub internet: bool,
    /// The service that stands in between.
    pub way: Option<Way>,
    /// The family the word leaves, where it says one.
    pub family: Option<Family>,
    /// What was made of the word, where it is not plain.
    pub notes: Vec<String>,
}

/// A port as people write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PortWord {
    /// From 1 to 65535.
    Number(u16),
    /// The name a pod gives it.
    Name(String),
}

impl PortWord {
    /// Reads one.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<PortWord, String> {
        let wrong = || format!("`{text}` is no port: write a number from 1 to 65535, or the name a pod gives it");
        if text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() {
            return match text.parse() {
                Ok(0) => Err("nothing listens on port 0: ports are from 1 to 65535".to_owned()),
                Ok(number) => Ok(PortWord::Number(number)),
                Err(_) => Err(wrong()),
            };
        }
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let named = text.len() <= 15 && text.bytes().all(fits) && text.bytes().any(|byte| byte.is_ascii_lowercase());
        if named { Ok(PortWord::Name(text.to_owned())) } else { Err(wrong()) }
    }
}

impl fmt::Display for PortWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PortWord::Number(number) => write!(f, "{number}"),
            PortWord::Name(name) => f.write_str(name),
        }
    }
}

/// An address that stands for the internet where policies tell its addresses not apart (RFC 5737). [`Index::explain_internet`] asks
/// about all of them.
///
/// [`Index::explain_internet`]: crate::Index::explain_internet
pub const INTERNET: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1));

/// The same of IPv6: the first address that is given out.
pub(crate) const INTERNET_V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 1));

/// How an end begins.
const KINDS: [&str; 7] = ["pod", "service", "node", "host", "pool", "apiServer", "internet"];

/// What ends there are.
const FORMS: &str = "write `pod/NAMESPACE/NAME`, `service/NAMESPACE/NAME`, `node/NAME`, `host/NAME`, `pool/CLUSTER/NAME`, \
    `apiServer/CLUSTER`, `internet`, an address or a DNS name";

/// The cluster whose policies a word is asked about: the one in front of it.
pub fn cluster_of(design: &Design, word: &str) -> Option<String> {
    let (first, rest) = word.split_once('/')?;
    let kind = rest.split('/').next().unwrap_or_default();
    if design.clusters.contains_key(first) && KINDS.contains(&kind) {
        return Some(first.to_owned());
    }
    let second = rest.split('/').next().filter(|name| design.clusters.contains_key(*name));
    second.filter(|_| first == "pool").map(str::to_owned)
}

/// Which end of a flow somebody is; a receiver on a port, where the protocol has them.
#[derive(Clone, Copy)]
enum Role<'a> {
    Sends,
    Receives(Option<&'a PortWord>),
}

impl<'a> Role<'a> {
    fn port(self) -> Option<&'a PortWord> {
        match self {
            Role::Sends => None,
            Role::Receives(port) => port,
        }
    }
}

/// A question: in which cluster, over what, on which port.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The design.
    pub design: &'a Design,
    /// The cluster whose policies are asked.
    pub cluster: &'a Cluster,
    /// Its name.
    pub name: &'a str,
    /// The protocol.
    pub protocol: Protocol,
    /// The destination port; `None` = the protocol has none.
    pub port: Option<&'a PortWord>,
}

impl Question<'_> {
    /// Who sends.
    ///
    /// # Errors
    /// What is wrong with the word, and what to write instead.
    pub fn sender(&self, word: &str) -> Result<Found, String> {
        let own = self.without_cluster(word)?;
        if own.starts_with("service/") {
            return Err("a service does not send: name a pod, a node or an address with `--from`".to_owned());
        }
        self.find(&own, Role::Sends)
    }

    /// Who receives: of a service the pods behind it, whichever of its addresses or names it is called by.
    ///
    /// # Errors
    /// What is wrong with the word, or with the port, and what to write instead.
    pub fn receiver(&self, word: &str) -> Result<Found, String> {
        let own = self.without_cluster(word)?;
        let mut found = self.find(&own, Role::Receives(self.port))?;
        let Some(PortWord::Name(name)) = self.port else { return Ok(found) };
        if let Some(target) = found.targets.iter_mut().find(|target| target.port.is_none()) {
            let known = match &target.end {
                End::Pod(namespace, pod) => self.named_port(namespace, pod, name)?,
                _ => return Err(format!("`{name}` is no port here: only pods name their ports")),
            };
            target.port = Some(known);
        }
        Ok(found)
    }

    fn named_port(&self, namespace: &str, pod: &str, name: &str) -> Result<u16, String> {
        let known = self.cluster.pods.iter().find(|known| known.namespace == namespace && known.name == pod);
        let ports = known.map(|pod| &pod.named_ports);
        match ports.and_then(|ports| ports.get(name)) {
            Some((protocol, number)) if *protocol == self.protocol => Ok(*number),
            Some((protocol, number)) => Err(format!(
                "`{name}` is no port of {}: pod `{namespace}/{pod}` means {protocol}/{number} by it",
                self.protocol
            )),
            None => {
                let all: Vec<&str> = ports.map_or(Vec::new(), |ports| ports.keys().map(String::as_str).collect());
                let hint = match all.as_slice() {
                    [] => "; it gives none a name".to_owned(),
                    all => format!("; it names {}", all.join(", ")),
                };
                Err(format!("`{name}` is no port of pod `{namespace}/{pod}`{hint}"))
            }
        }
    }

    /// The word without the name of this cluster in front.
    fn without_cluster(&self, word: &str) -> Result<String, String> {
        if word.is_empty() {
            return Err(format!("nobody is named: {FORMS}"));
        }
        let Some((first, rest)) = word.split_once('/') else { return Ok(word.to_owned()) };
        let kind = rest.split('/').next().unwrap_or_default();
        if KINDS.contains(&first) || !KINDS.contains(&kind) {
            return Ok(word.to_owned());
        }
        if first == self.name {
            return Ok(rest.to_owned());
        }
        if self.design.clusters.contains_key(first) {
            return Err(self.elsewhere(word, first));
        }
        Err(unknown("cluster", first, self.design.clusters.keys().map(ClusterName::as_str)))
    }

    fn elsewhere(&self, word: &str, cluster: &str) -> String {
        format!(
            "`{word}` is of cluster `{cluster}`, and what is asked are the policies of `{}`: they see an address from outside; \
             give the one the packet has when it gets here",
            self.name
        )
    }

    fn find(&self, word: &str, role: Role<'_>) -> Result<Found, String> {
        let port = role.port();
        let one = |end: End| Found { targets: vec![Target { end, port: None }], ..Found::default() };
        let bare = word.strip_prefix('[').and_then(|word| word.strip_suffix(']')).unwrap_or(word);
        if let Ok(address) = parse_address(bare) {
            return self.at(address, role);
        }
        let parts: Vec<&str> = word.split('/').collect();
        if KINDS.contains(&parts.first().copied().unwrap_or_default()) && parts.iter().any(|part| part.is_empty()) {
            return Err(format!("a name is missing in `{word}`: {FORMS}"));
        }
        match parts.as_slice() {
            ["internet"] => Ok(Found { internet: true, ..one(End::Address(INTERNET)) }),
            ["pod", namespace, name] => self.pod(namespace, name).map(one),
            ["service", namespace, name] => self.service(namespace, name, port),
            ["node", name] => match self.cluster.nodes.contains_key(*name) {
                true => match self.on_node(port) {
                    Some((service, of_port)) => {
                        let what = format!("port {} of node `{name}`", of_port.node_port.unwrap_or_default());
                        self.behind(service, of_port, Entry::NodePort, &what)
                    }
                    None => Ok(one(End::Node((*name).to_owned()))),
                },
                false => Err(unknown("node", name, self.cluster.nodes.keys().map(NodeName::as_str))),
            },
            ["host", name] => match self.design.hosts.get(*name) {
                Some(host) => Ok(one(End::Address(host.ip))),
                None => Err(unknown("host", name, self.design.hosts.keys().map(HostName::as_str))),
            },
            ["pool", cluster, name] => self.pool(cluster, name),
            ["apiServer"] => self.api_server(self.name),
            ["apiServer", cluster] => self.api_server(cluster),
            [name] if name.contains('.') && !name.contains(char::is_whitespace) => self.named(name, port),
            _ => Err(self.nobody(word, &parts)),
        }
    }

    /// Whoever has an address: a service where it is one of its own, else as it is.
    fn at(&self, address: IpAddr, role: Role<'_>) -> Result<Found, String> {
        let family = Some(Family::of(address));
        let one =
            Found { targets: vec![Target { end: End::Address(address), port: None }], family, ..Found::default() };
        let Role::Receives(port) = role else { return Ok(one) };
        let mut found = match self.service_at(address, port) {
            Some((service, entry)) => {
                let of_port = self.port_of(service, port)?;
                self.behind(service, of_port, entry, &format!("`{address}`"))?
            }
            None => {
                match self.cluster.nodes.values().any(|node| node.ips.contains(&address)).then(|| self.on_node(port)) {
                    Some(Some((service, of_port))) => {
                        let what = format!("port {} of a node", of_port.node_port.unwrap_or_default());
                        self.behind(service, of_port, Entry::NodePort, &what)?
                    }
                    _ => one,
                }
            }
        };
        found.family = family;
        Ok(found)
    }

    /// The service an address is one of; of several that share it the one with the port.
    fn service_at(&self, address: IpAddr, port: Option<&PortWord>) -> Option<(&Service, Entry)> {
        let entry = |service: &Service| {
            if service.cluster_ips.contains(&address) {
                return Some(Entry::Inside);
            }
            [service.internal_ip, service.public_ip].contains(&Some(address)).then_some(Entry::Frontend)
        };
        let all = || self.cluster.services.iter().filter_map(|service| Some((service, entry(service)?)));
        all().find(|(service, _)| self.port_of(service, port).is_ok()).or_else(|| all().next())
    }

    /// The service whose port on nodes it is.
    fn on_node(&self, port: Option<&PortWord>) -> Option<(&Service, &ServicePort)> {
        let Some(PortWord::Number(wanted)) = port else { return None };
        let ports =
            self.cluster.services.iter().flat_map(|service| service.ports.iter().map(move |port| (service, port)));
        ports.into_iter().find(|(_, port)| port.protocol == self.protocol && port.node_port == Some(*wanted))
    }

    fn pod(&self, namespace: &str, name: &str) -> Result<End, String> {
        match self.cluster.pods.iter().find(|pod| pod.namespace == namespace && pod.name == name) {
            Some(pod) if pod.terminated => {
                Err(format!("pod `{namespace}/{name}` has ended: it has no address, and no policy is about it"))
            }
            Some(_) => Ok(End::Pod(namespace.to_owned(), name.to_owned())),
            None => {
                let pods = self.cluster.pods.iter();
                let known: Vec<String> = pods.map(|pod| format!("{}/{}", pod.namespace, pod.name)).collect();
                Err(unknown("pod", &format!("{namespace}/{name}"), known.iter().map(String::as_str)))
            }
        }
    }

    fn pool(&self, cluster: &str, name: &str) -> Result<Found, String> {
        if cluster != self.name {
            return Err(match self.design.clusters.contains_key(cluster) {
                true => self.elsewhere(&format!("pool/{cluster}/{name}"), cluster),
                false => unknown("cluster", cluster, self.design.clusters.keys().map(ClusterName::as_str)),
            });
        }
        let pools = &self.cluster.pools;
        if !pools.contains_key(name)
            && !self.cluster.nodes.values().any(|node| node.pool.as_ref().is_some_and(|pool| pool.as_str() == name))
        {
            return Err(unknown("pool", name, pools.keys().map(PoolName::as_str)));
        }
        let on_it = |pod: &&Pod| {
            let node = pod.node.as_ref().and_then(|node| self.cluster.nodes.get(node.as_str()));
            !pod.terminated && node.and_then(|node| node.pool.as_ref()).is_some_and(|pool| pool.as_str() == name)
        };
        let pods = self.cluster.pods.iter().filter(on_it);
        let targets: Vec<Target> =
            pods.map(|pod| Target { end: End::Pod(pod.namespace.clone(), pod.name.clone()), port: None }).collect();
        if targets.is_empty() {
            return Err(format!("no pod is known to run on a node of pool `{name}`: name a pod"));
        }
        let notes = vec![format!("pool `{name}` has {} pods here: each is asked", targets.len())];
        Ok(Found { targets, notes, ..Found::default() })
    }

    fn api_server(&self, cluster: &str) -> Result<Found, String> {
        let Some(of) = self.design.clusters.get(cluster) else {
            return Err(unknown("cluster", cluster, self.design.clusters.keys().map(ClusterName::as_str)));
        };
        match of.api_server.private_ip {
            Some(address) => {
                let targets = vec![Target { end: End::Address(address), port: None }];
                let notes = vec![format!("the API server of `{cluster}` is {address}")];
                Ok(Found { targets, notes, ..Found::default() })
            }
            None => Err(format!("the address of `apiServer/{cluster}` is not known: give the address itself")),
        }
    }

    /// What may be meant by something that is nobody.
    fn nobody(&self, word: &str, parts: &[&str]) -> String {
        let workloads = ["deployment", "statefulset", "daemonset", "replicaset", "job", "cronjob"];
        let first = parts.first().copied().unwrap_or_default();
        let rest = || parts.iter().skip(1).copied().collect::<Vec<_>>().join("/");
        let pods = || self.cluster.pods.iter().map(|pod| (pod, format!("{}/{}", pod.namespace, pod.name)));
        let known = if workloads.contains(&first.to_lowercase().as_str()) {
            let name = parts.last().copied().unwrap_or_default();
            let of = |pod: &Pod| {
                pod.template_of.as_deref().and_then(|of| of.split_once('/')).is_some_and(|(_, of)| of == name)
            };
            let found = pods().find(|(pod, full)| of(pod) || *full == rest());
            found.map(|(_, full)| format!("pod/{full}"))
        } else if let ["svc" | "services", ..] = parts {
            Some(format!("service/{}", rest()))
        } else if parts.len() > 1 && nearest(first, KINDS).is_some() {
            nearest(first, KINDS).map(|kind| format!("{kind}/{}", rest()))
        } else {
            let found =
                pods().find(|(pod, full)| full == word || pod.name == word).map(|(_, full)| format!("pod/{full}"));
            found.or_else(|| nearest(word, KINDS).filter(|kind| *kind == "internet").map(str::to_owned))
        };
        let hint = known.map_or(String::new(), |known| format!("; did you mean `{known}`?"));
        format!("`{word}` is nobody{hint}; {FORMS}")
    }

    pub(crate) fn service(&self, namespace: &str, name: &str, port: Option<&PortWord>) -> Result<Found, String> {
        let is = |service: &&Service| service.namespace == namespace && service.name == name;
        let Some(service) = self.cluster.services.iter().find(is) else {
            let all = self.cluster.services.iter();
            let known: Vec<String> = all.map(|service| format!("{}/{}", service.namespace, service.name)).collect();
            return Err(unknown("service", &format!("{namespace}/{name}"), known.iter().map(String::as_str)));
        };
        let of_port = self.port_of(service, port)?;
        self.behind(service, of_port, Entry::Name, "")
    }

    fn port_of<'a>(&self, service: &'a Service, port: Option<&PortWord>) -> Result<&'a ServicePort, String> {
        let name = format!("{}/{}", service.namespace, service.name);
        let asked = match port {
            Some(PortWord::Number(number)) => {
                let is = |known: &&ServicePort| known.protocol == self.protocol && known.port == *number;
                match service.ports.iter().find(is) {
                    Some(found) => return Ok(found),
                    None => format!("service `{name}` has no port {}/{number}", self.protocol),
                }
            }
            Some(PortWord::Name(word)) => format!("`{word}` is no port: of a service give the number"),
            None => format!("service `{name}` answers on its ports only, not to {}", self.protocol),
        };
        let known: Vec<String> = service.ports.iter().map(|port| format!("{}/{}", port.protocol, port.port)).collect();
        Err(match known.as_slice() {
            [] => format!("{asked}; service `{name}` has no port"),
            known => format!("{asked}; it has {}", known.join(", ")),
        })
    }

    /// The pods behind a port of a service.
    pub(crate) fn behind(
        &self,
        service: &Service,
        of_port: &ServicePort,
        entry: Entry,
        what: &str,
    ) -> Result<Found, String> {
        let name = format!("{}/{}", service.namespace, service.name);
        let targets: Vec<Target> = behind(self.cluster, service, of_port)
            .map(|(pod, port)| Target { end: End::Pod(pod.namespace.clone(), pod.name.clone()), port: Some(port) })
            .collect();
        if service.kind == ServiceType::ExternalName {
            return Err(format!("service `{name}` is another name for something else: give that"));
        }
        if targets.is_empty() && service.selector.is_empty() {
            return Err(format!(
                "service `{name}` selects no pods: who stands behind it is kept by hand; give the address"
            ));
        }
        if targets.is_empty() {
            let port = format!("{}/{}", of_port.protocol, of_port.port);
            return Err(format!("no pod that is known stands behind service `{name}` on {port}"));
        }
        let notes = match entry {
            Entry::Name => Vec::new(),
            Entry::Inside => vec![format!("{what} is the address of service `{name}` inside the cluster")],
            Entry::Frontend => vec![format!("{what} is the load balancer's address of service `{name}`")],
            Entry::NodePort => vec![format!("{what} is service `{name}`")],
        };
        Ok(Found { targets, notes, way: Some(Way::of(service, entry)), ..Found::default() })
    }
}

/// The pods behind a port of a service, each with its own port.
pub fn behind<'a>(
    cluster: &'a Cluster,
    service: &'a Service,
    port: &'a ServicePort,
) -> impl Iterator<Item = (&'a Pod, u16)> {
    let selected = |pod: &&Pod| {
        pod.namespace == service.namespace
            && !pod.terminated
            && !service.selector.is_empty()
            && service.selector.iter().all(|(key, value)| pod.labels.get(key) == Some(value))
    };
    cluster.pods.iter().filter(selected).filter_map(|pod| {
        let number = match &port.target {
            TargetPort::Number(number) => *number,
            TargetPort::Name(name) => {
                pod.named_ports.get(name).filter(|(known, _)| *known == port.protocol).map(|(_, number)| *number)?
            }
        };
        Some((pod, number))
    })
}

pub(crate) fn unknown<'a>(kind: &str, name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let all: Vec<&str> = known.collect();
    let hint = match nearest(name, all.iter().copied()) {
        Some(nearest) => format!("; did you mean `{nearest}`?"),
        None if all.is_empty() => format!("; no {kind} is known here"),
        None => String::new(),
    };
    format!("there is no {kind} `{name}`{hint}")
}
