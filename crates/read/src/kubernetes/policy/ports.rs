//! Ports, in the three shapes the APIs have for them.

use super::{Reader, join};
use crate::kubernetes::value::at;
use crate::tree::Node;
use causeway_model::design::Protocol;
use causeway_model::policy::PolicyPort;

impl Reader {
    /// An item of `ports` of a NetworkPolicy.
    pub(super) fn network_port(&mut self, node: &Node, path: &str) -> Option<PolicyPort> {
        if !self.is_mapping(node, path) {
            return None;
        }
        self.fields(node, path, &["protocol", "port", "endPort"]);
        let protocol = self.protocol(node, path)?;
        let end = at(node, &["endPort"]);
        let Some(port) = at(node, &["port"]) else {
            if let Some(end) = end {
                self.fault(end, &join(path, "endPort"), "`endPort` needs `port`".to_owned());
                return None;
            }
            return Some(PolicyPort::All(protocol));
        };
        if let Some(name) = port.as_str() {
            if let Some(end) = end {
                self.fault(end, &join(path, "endPort"), "`endPort` needs a `port` that is a number".to_owned());
                return None;
            }
            return self.port_name(port, &join(path, "port"), name, Some(protocol));
        }
        let first = self.number(port, &join(path, "port"))?;
        let last = match end {
            Some(end) => self.number(end, &join(path, "endPort"))?,
            None => first,
        };
        self.range(node, path, protocol, first, last, end.is_some())
    }

    /// An item of `ports` of an AdminNetworkPolicy.
    pub(super) fn admin_port(&mut self, node: &Node, path: &str) -> Option<PolicyPort> {
        if !self.is_mapping(node, path) {
            return None;
        }
        self.one_of(node, path, &["portNumber", "portRange", "namedPort"])?;
        if let Some(stated) = at(node, &["portNumber"]) {
            let path = join(path, "portNumber");
            if !self.is_mapping(stated, &path) {
                return None;
            }
            self.fields(stated, &path, &["protocol", "port"]);
            let protocol = self.protocol(stated, &path)?;
            let port = self.needed_number(stated, &path, "port")?;
            return self.range(stated, &path, protocol, port, port, false);
        }
        if let Some(stated) = at(node, &["portRange"]) {
            let path = join(path, "portRange");
            if !self.is_mapping(stated, &path) {
                return None;
            }
            self.fields(stated, &path, &["protocol", "start", "end"]);
            let protocol = self.protocol(stated, &path)?;
            let (first, last) =
                (self.needed_number(stated, &path, "start")?, self.needed_number(stated, &path, "end")?);
            return self.range(stated, &path, protocol, first, last, false);
        }
        match at(node, &["namedPort"]) {
            Some(name) => self.port_name(name, &join(path, "namedPort"), name.text().unwrap_or_default(), None),
            None => None,
        }
    }

    /// An item of `protocols` of a ClusterNetworkPolicy.
    pub(super) fn cluster_protocol(&mut self, node: &Node, path: &str) -> Option<PolicyPort> {
        if !self.is_mapping(node, path) {
            return None;
        }
        self.one_of(node, path, &["tcp", "udp", "sctp", "destinationNamedPort"])?;
        for (key, protocol) in [("tcp", Protocol::Tcp), ("udp", Protocol::Udp), ("sctp", Protocol::Sctp)] {
            let Some(stated) = at(node, &[key]) else { continue };
            let path = join(path, key);
            if !self.is_mapping(stated, &path) {
                return None;
            }
            self.fields(stated, &path, &["destinationPort"]);
            let Some(port) = at(stated, &["destinationPort"]) else { return Some(PolicyPort::All(protocol)) };
            let path = join(&path, "destinationPort");
            self.one_of(port, &path, &["number", "range"])?;
            if let Some(number) = at(port, &["number"]) {
                let number = self.number(number, &join(&path, "number"))?;
                return self.range(port, &path, protocol, number, number, false);
            }
            let range = at(port, &["range"])?;
            let path = join(&path, "range");
            if !self.is_mapping(range, &path) {
                return None;
            }
            self.fields(range, &path, &["start", "end"]);
            let (first, last) = (self.needed_number(range, &path, "start")?, self.needed_number(range, &path, "end")?);
            if first == last {
                self.fault(range, &path, format!("`start` must be less than `end`: write `number: {first}`"));
                return None;
            }
            return self.range(range, &path, protocol, first, last, false);
        }
        match at(node, &["destinationNamedPort"]) {
            Some(name) => {
                self.port_name(name, &join(path, "destinationNamedPort"), name.text().unwrap_or_default(), None)
            }
            None => None,
        }
    }

    /// A mapping with exactly one of these fields; said if it is none.
    pub(super) fn one_of(&mut self, node: &Node, path: &str, known: &[&str]) -> Option<()> {
        if !self.is_mapping(node, path) {
            return None;
        }
        self.fields(node, path, known);
        let stated = known.iter().filter(|key| at(node, &[key]).is_some()).count();
        if stated != 1 {
            let known: Vec<String> = known.iter().map(|key| format!("`{key}`")).collect();
            let (known, path_) = (known.join(", "), path);
            self.fault(node, path, format!("`{path_}` needs exactly one of {known}"));
            return None;
        }
        Some(())
    }

    /// Whether it is a mapping; said if not.
    pub(super) fn is_mapping(&mut self, node: &Node, path: &str) -> bool {
        if node.as_map().is_none() {
            self.wrong(node, path, "a mapping");
        }
        node.as_map().is_some()
    }

    fn protocol(&mut self, node: &Node, path: &str) -> Option<Protocol> {
        let Some(stated) = at(node, &["protocol"]) else { return Some(Protocol::Tcp) };
        let protocol = match stated.text() {
            Some("TCP") => Some(Protocol::Tcp),
            Some("UDP") => Some(Protocol::Udp),
            Some("SCTP") => Some(Protocol::Sctp),
            _ => None,
        };
        if protocol.is_none() {
            self.wrong(stated, &join(path, "protocol"), "`TCP`, `UDP` or `SCTP`");
        }
        protocol
    }

    fn number(&mut self, node: &Node, path: &str) -> Option<u16> {
        let number = node.as_u64().and_then(|number| u16::try_from(number).ok()).filter(|number| *number > 0);
        if number.is_none() {
            self.wrong(node, path, "a port from 1 to 65535");
        }
        number
    }

    fn needed_number(&mut self, node: &Node, path: &str, key: &str) -> Option<u16> {
        match at(node, &[key]) {
            Some(number) => self.number(number, &join(path, key)),
            None => {
                self.fault(node, path, format!("`{path}` needs `{key}`"));
                None
            }
        }
    }

    fn range(
        &mut self,
        node: &Node,
        path: &str,
        protocol: Protocol,
        first: u16,
        last: u16,
        by_end_port: bool,
    ) -> Option<PolicyPort> {
        if last < first {
            self.fault(node, path, format!("the last port {last} comes before the first one {first}"));
            return None;
        }
        Some(PolicyPort::Range { protocol, first, last, by_end_port })
    }

    /// Names of ports have 1 to 15 of a-z, 0-9 and hyphens, and at least one letter.
    fn port_name(&mut self, node: &Node, path: &str, name: &str, protocol: Option<Protocol>) -> Option<PolicyPort> {
        let fits = (1..=15).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && name.bytes().any(|byte| byte.is_ascii_lowercase())
            && !name.starts_with('-')
            && !name.ends_with('-')
            && !name.contains("--");
        if !fits {
            self.wrong(node, path, "a port number without quotes, or the name of a port");
            return None;
        }
        Some(PolicyPort::Named { protocol, name: name.to_owned() })
    }
}
