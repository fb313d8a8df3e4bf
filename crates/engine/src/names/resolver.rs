//! Who answers a network's queries.

use causeway_model::design::*;
use causeway_model::facts::special;
use std::net::IpAddr;

/// Forwarders in a row before a query is taken to go in circles.
const MOST_STEPS: usize = 8;

/// Where a query for a name ends, as far as the design says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Answerer<'a> {
    /// The platform's resolver, asked from this network: it sees the private zones linked to it, and the internet.
    Platform(&'a NetworkName),
    /// Not known.
    Unknown,
}

/// Who answers queries of a network for a name: the first of its servers, since the others are asked only when it is silent.
pub(super) fn of_network<'a>(design: &'a Design, network: &NetworkName, name: &str) -> Answerer<'a> {
    let Some((network, value)) = design.networks.get_key_value(network) else { return Answerer::Unknown };
    match &value.dns_servers {
        DnsServers::Azure => Answerer::Platform(network),
        DnsServers::Custom(servers) => {
            servers.first().map_or(Answerer::Unknown, |server| of_server(design, network, *server, name))
        }
    }
}

/// Who answers what a server of a network is asked.
pub(super) fn of_server<'a>(design: &'a Design, network: &'a NetworkName, server: IpAddr, name: &str) -> Answerer<'a> {
    let (mut server, mut asked_from) = (server, network);
    for _ in 0..MOST_STEPS {
        if server == IpAddr::V4(special::PLATFORM_DNS.value) {
            return Answerer::Platform(asked_from);
        }
        let Some(host) = design.hosts.values().find(|host| host.ip == server && !host.dns_forwards.is_empty()) else {
            return Answerer::Unknown;
        };
        let Some(network) = host.network.as_ref().and_then(|network| design.networks.get_key_value(network)) else {
            return Answerer::Unknown;
        };
        // Only a VNet's machines reach the platform's resolver.
        let vnet = network.1.kind == NetworkKind::Vnet;
        match forward(&host.dns_forwards, name) {
            Some(DnsForward::Azure) if vnet => return Answerer::Platform(network.0),
            Some(DnsForward::Server(next)) => (server, asked_from) = (next, network.0),
            _ => return Answerer::Unknown,
        }
    }
    Answerer::Unknown
}

/// Where a server sends a name: by the longest suffix that fits, `.` for the rest.
fn forward(forwards: &std::collections::BTreeMap<String, Vec<DnsForward>>, name: &str) -> Option<DnsForward> {
    let fits = forwards.iter().filter(|(suffix, _)| is_below(name, suffix)).max_by_key(|(suffix, _)| labels(suffix));
    fits.and_then(|(_, targets)| targets.first().copied())
}

fn labels(suffix: &str) -> usize {
    suffix.split('.').filter(|label| !label.is_empty()).count()
}

/// A name is a domain or below it; every name is below `.`.
pub(super) fn is_below(name: &str, domain: &str) -> bool {
    let (name, domain) =
        (name.trim_end_matches('.').to_ascii_lowercase(), domain.trim_matches('.').to_ascii_lowercase());
    domain.is_empty() || name == domain || name.strip_suffix(&domain).is_some_and(|rest| rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_suffix_forwards() {
        let server = |last: u8| DnsForward::Server(IpAddr::from([10, 0, 0, last]));
        let forwards = [
            (".".to_owned(), vec![DnsForward::Azure]),
            ("corp.example".to_owned(), vec![server(1)]),
            ("eu.corp.example.".to_owned(), vec![server(2)]),
        ];
        let forwards = forwards.into_iter().collect();
        assert_eq!(forward(&forwards, "a.eu.corp.example"), Some(server(2)));
        assert_eq!(forward(&forwards, "CORP.example."), Some(server(1)));
        assert_eq!(forward(&forwards, "notcorp.example"), Some(DnsForward::Azure));
        assert!(is_below("a.b", ".") && is_below("a.b", "b") && !is_below("ab", "b"));
    }
}
