//! Rules that let everybody in to ports nobody should meet from the internet.

use super::filter::{Coverage, Side, covers, in_order};
use super::rule_path;
use crate::say::{cited, listed};
use causeway_addr::special;
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::nsg;
use causeway_model::finding::{Finding, Severity};

/// Ports people administer machines by.
const ADMINISTRATION: &[(u16, &str)] = &[(22, "SSH"), (3389, "RDP"), (5985, "WinRM"), (5986, "WinRM")];

pub(super) fn check(design: &Design, out: &mut Vec<Finding>) {
    for (name, group) in design.security_groups.iter().filter(|(_, group)| group.known) {
        let rules = in_order(group, Direction::Inbound);
        for (at, rule) in rules.iter().filter(|(_, rule)| rule.access == Access::Allow && from_everybody(rule)) {
            let shut = |protocol: Protocol, port: u16| denied_before(&rules, rule, protocol, port);
            let takes = |protocol: Protocol, port: u16| {
                rule.protocol.is_none_or(|of| of == protocol)
                    && rule.ports.iter().any(|ports| ports.contains(port))
                    && !shut(protocol, port)
            };
            let mut open: Vec<String> = ADMINISTRATION
                .iter()
                .filter(|(port, _)| takes(Protocol::Tcp, *port))
                .map(|(port, what)| format!("{what} (tcp/{port})"))
                .collect();
            let everything =
                rule.ports.iter().any(|ports| matches!(ports, PortMatch::Any | PortMatch::Range(0 | 1, u16::MAX)));
            if rule.protocol.is_none_or(|protocol| protocol == Protocol::Udp) && everything && !shut(Protocol::Udp, 53)
            {
                open.push("every UDP port".to_owned());
            }
            let http = open.is_empty() && takes(Protocol::Tcp, 80);
            if http {
                open.push("HTTP (tcp/80)".to_owned());
            }
            if open.is_empty() {
                continue;
            }
            let message =
                format!("rule `{}` of `{name}` lets everybody on the internet in to {}", rule.name, listed(&open));
            let finding = Finding::new(codes::NSG_OPEN_TO_INTERNET, rule_path(name, *at), message)
                .severity(if http { Severity::Info } else { Severity::Warning })
                .help(if http {
                    "if it is meant for an ingress that sends clients on to HTTPS, accept this finding; if not, close the port"
                } else {
                    "name the addresses people come from, or use a bastion; nodes are reached with `kubectl debug` without any open port"
                })
                .on(name)
                .evidence(format!("source {}, priority {}", words(&rule.source), rule.priority));
            out.push(cited(finding, nsg::SUBNET_GROUP_IS_THE_USERS.about()));
        }
    }
}

/// Anybody on the internet is among the sources.
fn from_everybody(rule: &SecurityRule) -> bool {
    covers(&rule.source, Side::Internet) == Coverage::All
        && !rule.destination.iter().all(|address| matches!(address, AddressMatch::Cidr(cidr) if cidr.is_host() && special::is_globally_reachable(cidr)))
}

/// An earlier rule shuts the port for everybody.
fn denied_before(rules: &[(usize, &SecurityRule)], rule: &SecurityRule, protocol: Protocol, port: u16) -> bool {
    rules.iter().take_while(|(_, earlier)| !std::ptr::eq(*earlier, rule)).any(|(_, earlier)| {
        earlier.access == Access::Deny
            && earlier.protocol.is_none_or(|of| of == protocol)
            && earlier.ports.iter().any(|ports| ports.contains(port))
            && covers(&earlier.source, Side::Internet) == Coverage::All
            && (earlier.destination.contains(&AddressMatch::Any) || earlier.destination == rule.destination)
    })
}

fn words(addresses: &[AddressMatch]) -> String {
    let words: Vec<String> = addresses
        .iter()
        .map(|address| match address {
            AddressMatch::Any => "*".to_owned(),
            AddressMatch::Cidr(cidr) => cidr.to_string(),
            AddressMatch::Tag(tag) => tag.clone(),
            AddressMatch::ApplicationSecurityGroup(group) => group.clone(),
        })
        .collect();
    listed(&words)
}
