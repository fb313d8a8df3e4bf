//! Small texts with an inner form: `tcp/443`, `tcp/80->8080`, `80-90`, rule addresses.

use super::Meaning;
use causeway_addr::Cidr;
use causeway_model::design::*;

impl Meaning<'_> {
    /// `tcp/443`; also `NAME=tcp/443`, with the name.
    pub(super) fn listens(&mut self, path: &str, texts: &[String]) -> Vec<(Option<String>, Protocol, u16)> {
        let mut out = Vec::new();
        for (at, text) in texts.iter().enumerate() {
            let (name, port) = match text.split_once('=') {
                Some((name, port)) => (Some(name.to_owned()), port),
                None => (None, text.as_str()),
            };
            match protocol_and_port(port) {
                Some((protocol, port)) => out.push((name, protocol, port)),
                None => self.error(
                    &format!("{path}.{at}"),
                    format!("`{text}` is not a protocol and port"),
                    "write for example `tcp/443`, or `http=tcp/8080` to name the port",
                ),
            }
        }
        out
    }

    /// `tcp/80->8080`, `tcp/80`, `tcp/80->http`, `tcp/80->8080@30080`.
    pub(super) fn service_ports(&mut self, path: &str, texts: &[String]) -> Vec<ServicePort> {
        let mut out = Vec::new();
        for (at, text) in texts.iter().enumerate() {
            match service_port(text) {
                Some(port) => out.push(port),
                None => self.error(
                    &format!("{path}.{at}"),
                    format!("`{text}` is not a service port"),
                    "write for example `tcp/80->8080`; `@30080` at the end names the node port",
                ),
            }
        }
        out
    }

    /// Ports of a rule: `*`, `443`, `8000-8080`.
    pub(super) fn port_matches(&mut self, path: &str, texts: &[String]) -> Vec<PortMatch> {
        let mut out = Vec::new();
        for (at, text) in texts.iter().enumerate() {
            match port_match(text.trim()) {
                Some(port) => out.push(port),
                None => self.error(
                    &format!("{path}.{at}"),
                    format!("`{text}` is neither a port nor a range of ports"),
                    "write for example `443`, `8000-8080` or `*`",
                ),
            }
        }
        out
    }

    /// Addresses of a rule: `*`, a prefix, an address, `asg:NAME`, else a service tag.
    pub(super) fn address_matches(&mut self, path: &str, texts: &[String]) -> Vec<AddressMatch> {
        let mut out = Vec::new();
        for (at, text) in texts.iter().enumerate() {
            match self.address_match(text.trim()) {
                Ok(value) => out.push(value),
                Err((message, help)) => self.error(&format!("{path}.{at}"), message, help),
            }
        }
        out
    }

    fn address_match(&self, text: &str) -> Result<AddressMatch, (String, String)> {
        if text == "*" || text.eq_ignore_ascii_case("any") {
            return Ok(AddressMatch::Any);
        }
        if let Some(group) = text.strip_prefix("asg:") {
            return Ok(AddressMatch::ApplicationSecurityGroup(group.to_owned()));
        }
        let looks_numeric = text.starts_with(|c: char| c.is_ascii_digit()) || text.contains(':');
        if !looks_numeric {
            return Ok(AddressMatch::Tag(text.to_owned()));
        }
        if text.contains('/') {
            // Azure truncates host bits in rules without a word; what the rule matches is the network.
            return Cidr::parse(text)
                .map(|parsed| AddressMatch::Cidr(parsed.cidr))
                .map_err(|error| (error.to_string(), error.hint().unwrap_or_default()));
        }
        causeway_addr::parse_address(text)
            .map(|address| AddressMatch::Cidr(Cidr::host(address)))
            .map_err(|error| (error.to_string(), error.hint().unwrap_or_default()))
    }

    /// A rule's protocol; `None` inside for any.
    pub(super) fn rule_protocol(&mut self, path: &str, text: &str) -> Option<Option<Protocol>> {
        if text == "*" || text.eq_ignore_ascii_case("any") {
            return Some(None);
        }
        self.word(path, text, Protocol::WORDS).map(Some)
    }
}

fn protocol_and_port(text: &str) -> Option<(Protocol, u16)> {
    let (protocol, port) = text.split_once('/')?;
    Some((Protocol::parse(protocol)?, port.parse().ok().filter(|port| *port > 0)?))
}

fn service_port(text: &str) -> Option<ServicePort> {
    let (text, node_port) = match text.split_once('@') {
        Some((text, port)) => (text, Some(port.parse().ok()?)),
        None => (text, None),
    };
    let (front, target) = match text.split_once("->") {
        Some((front, target)) => (front.trim(), Some(target.trim())),
        None => (text.trim(), None),
    };
    let (protocol, port) = protocol_and_port(front)?;
    let target = match target {
        None => TargetPort::Number(port),
        Some(target) => match target.parse() {
            Ok(0) => return None,
            Ok(number) => TargetPort::Number(number),
            Err(_) if is_port_name(target) => TargetPort::Name(target.to_owned()),
            Err(_) => return None,
        },
    };
    Some(ServicePort { protocol, port, target, node_port })
}

/// Letters, digits and hyphens, with a letter among them (RFC 6335, section 5.1, as Kubernetes has it).
fn is_port_name(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && text.bytes().any(|byte| byte.is_ascii_alphabetic())
}

fn port_match(text: &str) -> Option<PortMatch> {
    if text == "*" {
        return Some(PortMatch::Any);
    }
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    (first <= last).then_some(PortMatch::Range(first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn service_ports_in_all_their_forms() {
        let port = |target, node_port| Some(ServicePort { protocol: Protocol::Tcp, port: 80, target, node_port });
        assert_eq!(service_port("tcp/80"), port(TargetPort::Number(80), None));
        assert_eq!(service_port("tcp/80->8080"), port(TargetPort::Number(8080), None));
        assert_eq!(service_port("tcp/80->http@30080"), port(TargetPort::Name("http".into()), Some(30080)));
        assert_eq!(service_port("tcp/80->8080-web"), port(TargetPort::Name("8080-web".into()), None));
        for wrong in
            ["tcp/80->70000", "tcp/80->a b", "80", "tcp/0", "tcp/80->", "tcp/80->0", "tcp/70000", "quic/80", "tcp/80@x"]
        {
            assert_eq!(service_port(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn port_ranges() {
        assert_eq!(port_match("*"), Some(PortMatch::Any));
        assert_eq!(port_match("443"), Some(PortMatch::Range(443, 443)));
        assert_eq!(port_match("8000-8080"), Some(PortMatch::Range(8000, 8080)));
        for wrong in ["", "8080-8000", "a", "-1", "65536"] {
            assert_eq!(port_match(wrong), None, "{wrong}");
        }
    }
}
