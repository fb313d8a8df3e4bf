//! What the nat table of a real machine does with a packet: rules of anybody, not only those made here.
//!
//! A condition that is not understood makes the fate uncertain only where it matters: a rule that another of its conditions rules out is
//! passed over.

use super::save::{Chain, Saved};
use super::{POSTROUTING, Rule, TABLE};
use crate::evaluate::{Known, Missing, Node, Outcome, ports};
use crate::packet::{Packet, Protocol, number};
use causeway_addr::Cidr;
use std::net::IpAddr;

/// Rules looked at before a walk is called broken.
const MOST_STEPS: usize = 1_000_000;

/// What becomes of a packet, and the chain and rule that say so; `None` = the end of POSTROUTING.
pub type Observed<'a> = (Outcome, Option<(&'a str, &'a Rule)>);

/// Walks the first packet of a connection through POSTROUTING, with the mark it has by then.
pub fn observe<'a>(saved: &'a Saved, packet: &Packet, node: &Node, known: Known) -> Observed<'a> {
    let Some(chain) = saved.chain(TABLE, POSTROUTING) else { return (Outcome::Kept, None) };
    let mut mark = known.mark;
    let mut waiting: Vec<(&str, std::slice::Iter<'_, Rule>)> = Vec::new();
    let mut here = (POSTROUTING, chain.rules.iter());
    for _ in 0..MOST_STEPS {
        let Some(rule) = here.1.next() else {
            match waiting.pop() {
                Some(before) => here = before,
                None => return (end(chain), None),
            }
            continue;
        };
        let by = Some((here.0, rule));
        match conditions(rule, packet, node, mark) {
            Met::No => continue,
            Met::Yes => {}
            Met::Unknown(_) if changes_nothing(rule) => continue,
            Met::Unknown(missing) => return (Outcome::Uncertain(missing), by),
        }
        let arguments: Vec<&str> = rule.arguments.iter().map(String::as_str).collect();
        let target = arguments.iter().position(|argument| matches!(*argument, "-j" | "-g"));
        let target = target.and_then(|at| arguments.get(at..)).unwrap_or_default();
        let (chain, back) = match target {
            [] | ["-j", "LOG" | "NFLOG" | "CONNMARK" | "TRACE", ..] => continue,
            ["-j", "ACCEPT"] => return (Outcome::Kept, by),
            ["-j", "DROP"] => return (Outcome::Dropped, by),
            ["-j", "RETURN"] => {
                match waiting.pop() {
                    Some(before) => here = before,
                    None => return (end(chain), by),
                }
                continue;
            }
            ["-j", "MASQUERADE", options @ ..] => {
                let Some(source) = node.masquerade(packet.family()) else {
                    return (Outcome::Uncertain(Missing::MasqueradeAddress(packet.family())), by);
                };
                let random = options.contains(&"--random-fully");
                return (Outcome::Translated { source, port: ports(packet.protocol, random) }, by);
            }
            ["-j", "SNAT", "--to-source", source, ..] => {
                return match source.parse::<IpAddr>() {
                    Ok(source) => (Outcome::Translated { source, port: ports(packet.protocol, false) }, by),
                    Err(_) => (Outcome::Uncertain(Missing::Expression(format!("SNAT to {source}"))), by),
                };
            }
            ["-j", "MARK", "--set-xmark", value] => match masked(value) {
                Some((value, mask)) => {
                    mark = (mark & !mask) ^ value;
                    continue;
                }
                None => return (Outcome::Uncertain(Missing::Expression(rule.to_string())), by),
            },
            ["-j", chain] => (*chain, true),
            ["-g", chain] => (*chain, false),
            _ => return (Outcome::Uncertain(Missing::Expression(rule.to_string())), by),
        };
        let Some(found) = saved.tables.get(TABLE).and_then(|table| table.chains.get_key_value(chain)) else {
            return (Outcome::Uncertain(Missing::Expression(format!("target {chain}"))), by);
        };
        let before = std::mem::replace(&mut here, (found.0.as_str(), found.1.rules.iter()));
        if back {
            waiting.push(before);
        }
    }
    (Outcome::Uncertain(Missing::Broken(format!("a walk of more than {MOST_STEPS} rules"))), None)
}

fn end(chain: &Chain) -> Outcome {
    if chain.policy.as_deref() == Some("DROP") { Outcome::Dropped } else { Outcome::Kept }
}

/// A rule that only counts or logs.
fn changes_nothing(rule: &Rule) -> bool {
    !rule.arguments.iter().any(|argument| argument == "-j" || argument == "-g")
}

/// Whether a rule's conditions are met.
enum Met {
    Yes,
    No,
    Unknown(Missing),
}

/// The conditions of a rule, those that rule it out before those that are not understood.
fn conditions(rule: &Rule, packet: &Packet, node: &Node, mark: u32) -> Met {
    let mut unknown: Option<Missing> = None;
    let mut rest = rule.arguments.as_slice();
    let mut not = false;
    while let [option, after @ ..] = rest {
        rest = after;
        let one = match (option.as_str(), after) {
            ("-j" | "-g", _) => break,
            ("!", _) => {
                not = true;
                continue;
            }
            ("-m", [_, ..]) | ("--comment", [_, ..]) => {
                rest = after.get(1..).unwrap_or_default();
                continue;
            }
            (option, [value, ..]) if option.starts_with('-') && value != "!" && !value.starts_with('-') => {
                rest = after.get(1..).unwrap_or_default();
                condition(option, value, packet, node, mark)
            }
            _ => None,
        };
        match one {
            Some(met) if met == not => return Met::No,
            Some(_) => {}
            None if option == "--dst-type" && after.first().is_some_and(|value| value == "LOCAL") => {
                unknown.get_or_insert(Missing::LocalAddresses);
            }
            None => {
                unknown.get_or_insert(Missing::Expression(rule.to_string()));
            }
        }
        not = false;
    }
    unknown.map_or(Met::Yes, Met::Unknown)
}

/// One condition; `None` = not known, or not understood.
fn condition(option: &str, value: &str, packet: &Packet, node: &Node, mark: u32) -> Option<bool> {
    let has_ports = matches!(packet.protocol, Protocol::Tcp | Protocol::Udp | Protocol::Sctp);
    match option {
        "-s" => Some(prefix(value)?.contains(packet.source)),
        "-d" => Some(prefix(value)?.contains(packet.destination)),
        "-p" => Some(match value {
            "all" => true,
            "tcp" => packet.protocol == Protocol::Tcp,
            "udp" => packet.protocol == Protocol::Udp,
            "sctp" => packet.protocol == Protocol::Sctp,
            "icmp" | "ipv6-icmp" | "icmpv6" => packet.protocol == Protocol::Icmp,
            other => number(packet) == other.parse().ok()?,
        }),
        "--dport" if has_ports => within(value, packet.destination_port),
        "--sport" if has_ports => within(value, packet.source_port),
        "--dports" if has_ports => among(value, packet.destination_port),
        "--sports" if has_ports => among(value, packet.source_port),
        "--mark" => masked(value).map(|(value, mask)| mark & mask == value),
        "--dst-type" if value == "LOCAL" => node.is_local(packet.destination),
        "--src-type" if value == "LOCAL" => node.is_local(packet.source),
        _ => None,
    }
}

fn prefix(text: &str) -> Option<Cidr> {
    match text.parse::<IpAddr>() {
        Ok(address) => Some(Cidr::host(address)),
        Err(_) => text.parse().ok(),
    }
}

/// `443` or `30000:32767`.
fn within(text: &str, port: u16) -> Option<bool> {
    let (first, last) = text.split_once(':').unwrap_or((text, text));
    Some((first.parse::<u16>().ok()?..=last.parse::<u16>().ok()?).contains(&port))
}

fn among(text: &str, port: u16) -> Option<bool> {
    text.split(',').map(|one| within(one, port)).try_fold(false, |met, one| Some(met | one?))
}

/// `0x4000/0x4000`, `0x1`.
fn masked(text: &str) -> Option<(u32, u32)> {
    let number = |text: &str| match text.strip_prefix("0x") {
        Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16).ok(),
        None => text.parse().ok(),
    };
    match text.split_once('/') {
        Some((value, mask)) => Some((number(value)?, number(mask)?)),
        None => Some((number(text)?, u32::MAX)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iptables::parse;

    /// A node as an agent and kube-proxy leave it, with the CNI's translation for the platform's DNS.
    const SAVED: &str = "\
*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:IP-MASQ-AGENT - [0:0]
:KUBE-POSTROUTING - [0:0]
:SWIFT-POSTROUTING - [0:0]
-A POSTROUTING -m comment --comment \"kubernetes postrouting rules\" -j KUBE-POSTROUTING
-A POSTROUTING -m addrtype ! --dst-type LOCAL -j SWIFT-POSTROUTING
-A POSTROUTING -m comment --comment \"ip-masq-agent\" -m addrtype ! --dst-type LOCAL -j IP-MASQ-AGENT
-A IP-MASQ-AGENT -d 10.0.0.0/8 -m comment --comment \"ip-masq-agent: local\" -j RETURN
-A IP-MASQ-AGENT ! -d 192.0.2.0/24 -m comment --comment \"ip-masq-agent: rest\" -j MASQUERADE --random-fully
-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0
-A KUBE-POSTROUTING -j MASQUERADE --random-fully
-A SWIFT-POSTROUTING -s 10.241.0.0/16 -d 168.63.129.16/32 -p udp -m udp --dport 53 -j SNAT --to-source 10.240.0.4
COMMIT
";

    fn seen(text: &str, packet: &str, mark: u32) -> (Option<String>, String) {
        let saved = parse(text).unwrap();
        let (ends, port) = packet.rsplit_once(' ').unwrap();
        let (source, destination) = ends.split_once(' ').unwrap();
        let packet = Packet {
            source: source.parse().unwrap(),
            destination: destination.parse().unwrap(),
            protocol: if port == "53" { Protocol::Udp } else { Protocol::Tcp },
            source_port: 32768,
            destination_port: port.parse().unwrap(),
        };
        let own: IpAddr = "10.240.0.4".parse().unwrap();
        let node = Node::with_addresses([Cidr::host(own)]).masquerading_as(own);
        let (outcome, by) = observe(&saved, &packet, &node, Known { mark, ..Known::default() });
        let source = match outcome {
            Outcome::Translated { source, .. } => Some(source.to_string()),
            Outcome::Kept => None,
            other => Some(format!("{other:?}")),
        };
        (source, by.map_or(String::new(), |(chain, _)| chain.to_owned()))
    }

    #[test]
    fn a_node_translates_as_its_rules_say() {
        let node = Some("10.240.0.4".to_owned());
        assert_eq!(seen(SAVED, "10.241.0.9 203.0.113.9 443", 0), (node.clone(), "IP-MASQ-AGENT".into()));
        assert_eq!(seen(SAVED, "10.241.0.9 10.1.2.3 443", 0), (None, String::new()), "exempt, and the end is reached");
        assert_eq!(seen(SAVED, "10.241.0.9 192.0.2.7 443", 0), (None, String::new()), "the other way round");
        assert_eq!(seen(SAVED, "10.241.0.9 10.240.0.4 443", 0), (None, String::new()), "the node itself");
        assert_eq!(seen(SAVED, "10.241.0.9 10.1.2.3 443", 0x4000), (node.clone(), "KUBE-POSTROUTING".into()));
        assert_eq!(seen(SAVED, "10.241.0.9 168.63.129.16 53", 0), (node, "SWIFT-POSTROUTING".into()));
    }

    #[test]
    fn what_is_not_understood_makes_it_uncertain_only_where_it_matters() {
        let strange = |conditions: &str| {
            format!("*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING {conditions} -j MASQUERADE\nCOMMIT\n")
        };
        for (conditions, uncertain) in [
            ("-m set --match-set pods src", true),
            ("-o eth0", true),
            ("-d 10.9.0.0/16 -m set --match-set pods src", false),
            ("-m set --match-set pods src -d 10.9.0.0/16", false),
            ("-p udp -o eth0", false),
        ] {
            let (source, _) = seen(&strange(conditions), "10.241.0.9 10.1.2.3 443", 0);
            assert_eq!(source.is_some_and(|text| text.starts_with("Uncertain")), uncertain, "{conditions}");
        }
    }
}
