//! What a security group makes of a flow: rules by priority, the first that matches decides, the platform's own come last.
//!
//! A flow is between sets of addresses, so a rule may match a part of it. A denial of any part counts, unless earlier rules let that
//! part through. What a rule matches can't always be told (members of application security groups, and whether `VirtualNetwork`
//! contains an overlay's pods, source ports that clients may choose); then the answer is unknown, never a guess.

use causeway_addr::{Cidr, Family, RangeSet, special as purpose};
use causeway_model::design::*;
use causeway_model::facts::special;
use std::net::IpAddr;

/// One end of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// Addresses of the VNet, its peers or sites.
    Vnet(Cidr),
    /// Addresses of an overlay, outside every VNet.
    Overlay(Cidr),
    /// Public addresses.
    Public(Cidr),
    /// Any public address.
    Internet,
    /// The platform's load balancer probes.
    LoadBalancer,
    /// A service of the platform with a tag of its own, which has public addresses.
    Service(&'static str),
}

/// A flow to judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flow {
    pub(crate) direction: Direction,
    pub(crate) source: Side,
    pub(crate) destination: Side,
    pub(crate) protocol: Protocol,
    /// `None` = any port: only rules for all ports match.
    pub(crate) port: Option<u16>,
}

/// What becomes of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// All of it passes.
    Allowed,
    /// Some or all of it is dropped by the rule at that place of the list.
    Denied(usize),
    /// No rule lets it through: the platform's last rule drops it.
    DeniedByDefault,
    /// Whether the rule at that place drops it can't be told.
    Unknown(usize),
}

/// How much of a side a rule's addresses match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Coverage {
    Nothing,
    Unclear,
    Part,
    All,
}

/// The rules of a direction by priority, each with its place in the list.
pub(crate) fn in_order(group: &SecurityGroup, direction: Direction) -> Vec<(usize, &SecurityRule)> {
    let mut rules: Vec<_> = group.rules.iter().enumerate().filter(|(_, rule)| rule.direction == direction).collect();
    rules.sort_by_key(|(at, rule)| (rule.priority, *at));
    rules
}

/// What a group whose rules are known makes of a flow.
pub(crate) fn judge(group: &SecurityGroup, flow: &Flow) -> Verdict {
    let mut allows: Vec<&SecurityRule> = Vec::new();
    let mut unclear = false;
    for (at, rule) in in_order(group, flow.direction) {
        let on_ports = ports(rule, flow);
        let (source, destination) = (covers(&rule.source, flow.source), covers(&rule.destination, flow.destination));
        let least = on_ports.min(source).min(destination);
        match (rule.access, least) {
            (_, Coverage::Nothing) => {}
            // Whether an earlier one lets it through too does not matter.
            (Access::Allow, Coverage::All) => return Verdict::Allowed,
            (Access::Allow, Coverage::Unclear) => {
                // What follows may be let through by this one.
                unclear = true;
                allows.push(rule);
            }
            (Access::Allow, Coverage::Part) => allows.push(rule),
            (Access::Deny, _) if parts_allowed(rule, flow, &allows) => {}
            (Access::Deny, Coverage::Unclear) => return Verdict::Unknown(at),
            (Access::Deny, _) => return if unclear { Verdict::Unknown(at) } else { Verdict::Denied(at) },
        }
    }
    by_default(flow)
}

/// The platform's own rules (azure-facts `nsg.defaults_inbound`). An overlay works behind them.
fn by_default(flow: &Flow) -> Verdict {
    let inside = |side| matches!(side, Side::Vnet(_) | Side::Overlay(_));
    let passes = match flow.direction {
        _ if inside(flow.source) && inside(flow.destination) => true,
        Direction::Inbound => flow.source == Side::LoadBalancer,
        Direction::Outbound => matches!(flow.destination, Side::Internet | Side::Public(_) | Side::Service(_)),
    };
    if passes { Verdict::Allowed } else { Verdict::DeniedByDefault }
}

/// Every part of the flow a rule matches is matched by some earlier rule.
fn parts_allowed(rule: &SecurityRule, flow: &Flow, allows: &[&SecurityRule]) -> bool {
    if allows.is_empty() {
        return false;
    }
    let (sources, destinations) = (parts(&rule.source, flow.source), parts(&rule.destination, flow.destination));
    sources.iter().all(|source| {
        destinations.iter().all(|destination| {
            let part = Flow { source: *source, destination: *destination, ..*flow };
            allows.iter().any(|allow| {
                ports(allow, &part) == Coverage::All
                    && covers(&allow.source, *source) == Coverage::All
                    && covers(&allow.destination, *destination) == Coverage::All
            })
        })
    })
}

/// The parts of a side that a rule's addresses name.
fn parts(addresses: &[AddressMatch], side: Side) -> Vec<Side> {
    let within = |cidr: Cidr, range: Cidr, make: fn(Cidr) -> Side| {
        if cidr.covers(&range) { side } else { make(cidr) }
    };
    addresses
        .iter()
        .filter(|address| coverage(address, side) != Coverage::Nothing)
        .map(|address| match (address, side) {
            (AddressMatch::Cidr(cidr), Side::Vnet(range)) => within(*cidr, range, Side::Vnet),
            (AddressMatch::Cidr(cidr), Side::Overlay(range)) => within(*cidr, range, Side::Overlay),
            (AddressMatch::Cidr(cidr), Side::Public(range)) => within(*cidr, range, Side::Public),
            (AddressMatch::Cidr(cidr), Side::Internet) if cidr.prefix_len() > 0 => Side::Public(*cidr),
            _ => side,
        })
        .collect()
}

fn ports(rule: &SecurityRule, flow: &Flow) -> Coverage {
    if rule.protocol.is_some_and(|protocol| protocol != flow.protocol) {
        return Coverage::Nothing;
    }
    let everything = |port: &PortMatch| match port {
        PortMatch::Any => true,
        PortMatch::Range(first, last) => *first <= 1 && *last == u16::MAX,
    };
    let matches = match flow.port {
        Some(wanted) => rule.ports.iter().any(|port| port.contains(wanted)),
        None => rule.ports.iter().any(everything),
    };
    if matches { source_ports(rule) } else { Coverage::Nothing }
}

/// How many of the connections a rule's source ports match. Programs get a port of the range the kernel hands out of itself.
pub(crate) fn source_ports(rule: &SecurityRule) -> Coverage {
    /// Nobody needs privileges for these, and translation may put any of them.
    const UNPRIVILEGED: (u16, u16) = (1024, u16::MAX);
    /// What Linux hands out (`net.ipv4.ip_local_port_range`, kernel documentation, ip-sysctl).
    const LINUX: (u16, u16) = (32_768, 60_999);
    /// The same with what Windows hands out, from 49152 on.
    const HANDED_OUT: (u16, u16) = (32_768, u16::MAX);
    if rule.source_ports.is_empty() {
        return Coverage::All;
    }
    let mut ranges: Vec<(u16, u16)> = rule
        .source_ports
        .iter()
        .map(|port| match port {
            PortMatch::Any => (0, u16::MAX),
            PortMatch::Range(first, last) => (*first, *last),
        })
        .collect();
    ranges.sort_unstable();
    let contain = |(first, last): (u16, u16)| {
        let mut next = u32::from(first);
        for (from, to) in &ranges {
            if u32::from(*from) <= next {
                next = next.max(u32::from(*to).saturating_add(1));
            }
        }
        next > u32::from(last)
    };
    let touch = |(first, last): (u16, u16)| ranges.iter().any(|(from, to)| *from <= last && first <= *to);
    match rule.access {
        _ if contain(UNPRIVILEGED) => Coverage::All,
        _ if !touch(HANDED_OUT) => Coverage::Nothing,
        // A rule that lets some ports through lets nobody through for certain.
        Access::Allow => Coverage::Part,
        Access::Deny if contain(LINUX) => Coverage::Part,
        Access::Deny => Coverage::Unclear,
    }
}

/// How much of a side a list of addresses matches.
pub(crate) fn covers(addresses: &[AddressMatch], side: Side) -> Coverage {
    let best = addresses.iter().map(|address| coverage(address, side)).max().unwrap_or(Coverage::Nothing);
    let range = match side {
        Side::Vnet(range) | Side::Overlay(range) | Side::Public(range) => range,
        Side::Internet if best == Coverage::Part && is_internet(&prefixes(addresses).collect()) => {
            return Coverage::All;
        }
        _ => return best,
    };
    // Several prefixes may cover together what none covers alone.
    let together: RangeSet = prefixes(addresses).filter(|cidr| cidr.overlaps(&range)).collect();
    if best == Coverage::Part && together.covers(&range) { Coverage::All } else { best }
}

/// The prefixes of a list.
pub(crate) fn prefixes(addresses: &[AddressMatch]) -> impl Iterator<Item = Cidr> + '_ {
    addresses.iter().filter_map(|address| match address {
        AddressMatch::Cidr(cidr) => Some(*cidr),
        _ => None,
    })
}

/// Every public IPv4 address is in the set.
pub(crate) fn is_internet(set: &RangeSet) -> bool {
    let parts = purpose::parts(&Family::V4.everything());
    parts.iter().filter(|(_, class)| *class == purpose::Class::Public).all(|(range, _)| set.covers(range))
}

fn coverage(address: &AddressMatch, side: Side) -> Coverage {
    let by_range = |cidr: &Cidr, range: &Cidr| {
        if cidr.covers(range) {
            Coverage::All
        } else if cidr.overlaps(range) {
            Coverage::Part
        } else {
            Coverage::Nothing
        }
    };
    let tag = |name: &str, wanted: &str| {
        name.eq_ignore_ascii_case(wanted)
            || name.split_once('.').is_some_and(|(service, _)| service.eq_ignore_ascii_case(wanted))
    };
    match (address, side) {
        (AddressMatch::Any, _) => Coverage::All,
        (AddressMatch::Cidr(cidr), _) if cidr.prefix_len() == 0 && cidr.is_v4() => Coverage::All,
        (AddressMatch::Cidr(cidr), Side::Vnet(range) | Side::Overlay(range) | Side::Public(range)) => {
            by_range(cidr, &range)
        }
        (AddressMatch::Cidr(cidr), Side::Internet | Side::Service(_)) => {
            if purpose::touches_public(cidr) {
                Coverage::Part
            } else {
                Coverage::Nothing
            }
        }
        (AddressMatch::Cidr(cidr), Side::LoadBalancer) => {
            by_range(cidr, &Cidr::host(IpAddr::V4(special::PLATFORM_DNS.value)))
        }
        (AddressMatch::ApplicationSecurityGroup(_), Side::Vnet(_)) => Coverage::Unclear,
        (AddressMatch::ApplicationSecurityGroup(_), _) => Coverage::Nothing,
        (AddressMatch::Tag(name), Side::Vnet(_)) => {
            if tag(name, "VirtualNetwork") {
                Coverage::All
            } else {
                Coverage::Nothing
            }
        }
        (AddressMatch::Tag(name), Side::Overlay(_)) => {
            if tag(name, "VirtualNetwork") {
                Coverage::Unclear
            } else {
                Coverage::Nothing
            }
        }
        (AddressMatch::Tag(name), Side::LoadBalancer) => {
            if tag(name, "AzureLoadBalancer") {
                Coverage::All
            } else if tag(name, "VirtualNetwork") {
                Coverage::Unclear
            } else {
                Coverage::Nothing
            }
        }
        (AddressMatch::Tag(name), Side::Internet) => match () {
            () if tag(name, "Internet") => Coverage::All,
            () if tag(name, "VirtualNetwork") || tag(name, "AzureLoadBalancer") => Coverage::Nothing,
            () => Coverage::Part,
        },
        (AddressMatch::Tag(name), Side::Public(_)) => match () {
            () if tag(name, "Internet") => Coverage::All,
            () if tag(name, "VirtualNetwork") || tag(name, "AzureLoadBalancer") => Coverage::Nothing,
            () => Coverage::Unclear,
        },
        (AddressMatch::Tag(name), Side::Service(service)) => {
            if tag(name, "Internet") || tag(name, service) {
                Coverage::All
            } else {
                Coverage::Nothing
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(priority: u32, access: Access, source: &str, destination: &str, ports: &[PortMatch]) -> SecurityRule {
        let side = |text: &str| {
            text.split(' ')
                .map(|word| match word {
                    "*" => AddressMatch::Any,
                    asg if asg.starts_with('@') => AddressMatch::ApplicationSecurityGroup(asg.to_owned()),
                    text => text.parse().map_or_else(|_| AddressMatch::Tag(text.to_owned()), AddressMatch::Cidr),
                })
                .collect()
        };
        SecurityRule {
            name: format!("r{priority}"),
            priority,
            direction: Direction::Inbound,
            access,
            protocol: Some(Protocol::Tcp),
            source: side(source),
            source_ports: vec![PortMatch::Any],
            destination: side(destination),
            ports: ports.to_vec(),
        }
    }

    fn verdict(rules: &[SecurityRule], source: Side, destination: Side) -> Verdict {
        let group = SecurityGroup { rules: rules.to_vec(), known: true };
        let flow =
            Flow { direction: Direction::Inbound, source, destination, protocol: Protocol::Tcp, port: Some(443) };
        judge(&group, &flow)
    }

    fn range(text: &str) -> Cidr {
        text.parse().unwrap()
    }

    #[test]
    fn senders_have_high_ports() {
        let with = |access, ports: &[(u16, u16)]| {
            let mut rule = rule(100, access, "*", "*", &[PortMatch::Any]);
            rule.source_ports = ports.iter().map(|(first, last)| PortMatch::Range(*first, *last)).collect();
            source_ports(&rule)
        };
        use Access::{Allow, Deny};
        for access in [Allow, Deny] {
            assert_eq!(with(access, &[]), Coverage::All);
            assert_eq!(with(access, &[(0, 65535)]), Coverage::All);
            assert_eq!(with(access, &[(30_000, 65535), (1024, 29_999)]), Coverage::All);
            assert_eq!(with(access, &[(53, 53), (123, 123)]), Coverage::Nothing);
        }
        assert_eq!(
            (with(Deny, &[(32_768, 61_000)]), with(Allow, &[(32_768, 61_000)])),
            (Coverage::Part, Coverage::Part)
        );
        assert_eq!(
            (with(Deny, &[(50_000, 50_010)]), with(Allow, &[(50_000, 50_010)])),
            (Coverage::Unclear, Coverage::Part)
        );
    }

    #[test]
    fn prefixes_may_be_the_internet_together() {
        let all = |text: &str| covers(&rule(100, Access::Deny, text, "*", &[]).source, Side::Internet);
        assert_eq!(all("0.0.0.0/1 128.0.0.0/1"), Coverage::All);
        assert_eq!(all("0.0.0.0/1 128.0.0.0/2"), Coverage::Part);
        assert_eq!(all("10.0.0.0/8"), Coverage::Nothing);
    }

    #[test]
    fn the_first_rule_that_matches_decides() {
        use Access::{Allow, Deny};
        let (nodes, pods) = (Side::Vnet(range("10.0.0.0/24")), Side::Overlay(range("10.244.0.0/16")));
        let any = &[PortMatch::Any];
        let cases: &[(&str, Vec<SecurityRule>, Side, Side, Verdict)] = &[
            ("no rule", vec![], nodes, nodes, Verdict::Allowed),
            ("nobody from outside", vec![], Side::Internet, nodes, Verdict::DeniedByDefault),
            ("probes", vec![], Side::LoadBalancer, nodes, Verdict::Allowed),
            ("an overlay behind the platform's rules", vec![], pods, pods, Verdict::Allowed),
            ("everything denied", vec![rule(100, Deny, "*", "*", any)], nodes, nodes, Verdict::Denied(0)),
            (
                "order is priority, not the list",
                vec![rule(200, Deny, "*", "*", any), rule(100, Allow, "VirtualNetwork", "VirtualNetwork", any)],
                nodes,
                nodes,
                Verdict::Allowed,
            ),
            (
                "another port",
                vec![rule(100, Deny, "*", "*", &[PortMatch::Range(22, 22)])],
                nodes,
                nodes,
                Verdict::Allowed,
            ),
            ("a part", vec![rule(100, Deny, "10.0.0.128/25", "*", any)], nodes, nodes, Verdict::Denied(0)),
            (
                "a part that passes before",
                vec![rule(100, Allow, "10.0.0.128/25", "*", any), rule(200, Deny, "10.0.0.192/26", "*", any)],
                nodes,
                nodes,
                Verdict::Allowed,
            ),
            (
                "only a part passes before",
                vec![rule(100, Allow, "10.0.0.128/25", "*", any), rule(200, Deny, "*", "*", any)],
                nodes,
                nodes,
                Verdict::Denied(1),
            ),
            (
                "two halves pass before",
                vec![rule(100, Allow, "10.0.0.0/25 10.0.0.128/25", "*", any), rule(200, Deny, "*", "*", any)],
                nodes,
                nodes,
                Verdict::Allowed,
            ),
            (
                "the tag may not contain the overlay",
                vec![rule(100, Allow, "VirtualNetwork", "VirtualNetwork", any), rule(200, Deny, "*", "*", any)],
                pods,
                pods,
                Verdict::Unknown(1),
            ),
            (
                "prefixes of the network don't contain the overlay",
                vec![rule(100, Allow, "10.0.0.0/16", "*", any), rule(200, Deny, "*", "*", any)],
                pods,
                pods,
                Verdict::Denied(1),
            ),
            (
                "both the tag and a prefix let the overlay through",
                vec![
                    rule(100, Allow, "VirtualNetwork", "VirtualNetwork", any),
                    rule(110, Allow, "10.244.0.0/16", "10.244.0.0/16", any),
                    rule(200, Deny, "*", "*", any),
                ],
                pods,
                pods,
                Verdict::Allowed,
            ),
            (
                "members of a group are not known",
                vec![rule(100, Allow, "@nodes", "*", any), rule(200, Deny, "*", "*", any)],
                nodes,
                nodes,
                Verdict::Unknown(1),
            ),
            (
                "probes denied",
                vec![rule(100, Deny, "AzureLoadBalancer", "*", any)],
                Side::LoadBalancer,
                nodes,
                Verdict::Denied(0),
            ),
            (
                "the internet let in",
                vec![rule(100, Allow, "Internet", "*", any)],
                Side::Internet,
                nodes,
                Verdict::Allowed,
            ),
            (
                "one address let in",
                vec![rule(100, Allow, "198.51.100.0/24", "*", any)],
                Side::Public(range("198.51.100.7/32")),
                nodes,
                Verdict::Allowed,
            ),
        ];
        for (name, rules, source, destination, expected) in cases {
            assert_eq!(verdict(rules, *source, *destination), *expected, "{name}");
        }
    }
}
