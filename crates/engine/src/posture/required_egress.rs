//! Security groups against what nodes must reach outside: the platform's services by name, and DNS.

use super::filter::{Flow, Side, Verdict, judge};
use super::{group_on, rule_name, rule_path};
use crate::egress::ground::Ground;
use crate::say::cited;
use causeway_addr::{Cidr, special};
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::{egress_rules, special as platform};
use causeway_model::finding::{Finding, Severity};
use std::net::IpAddr;

/// Service tags behind which names every cluster needs are found.
const NEEDED_TAGS: &[&str] = &[
    "AzureCloud",
    "MicrosoftContainerRegistry",
    "AzureFrontDoor.FirstParty",
    "AzureActiveDirectory",
    "AzureResourceManager",
];

pub(super) fn check<'a>(ground: &Ground<'a>, path: &str, cluster: &'a Cluster, out: &mut Vec<Finding>) {
    // A network isolated cluster needs none of it.
    let isolated = matches!(cluster.outbound.kind, OutboundType::None | OutboundType::Block);
    for (reference, (subnet, uses)) in ground.subnets_of(cluster) {
        let Some((name, group)) = group_on(ground.design, subnet).filter(|_| !uses.pods_only()) else { continue };
        let Some(nodes) = subnet.prefixes.iter().find(|range| range.is_v4()).copied() else { continue };
        if !isolated {
            out.extend(internet(path, reference, name, group, nodes));
        }
        out.extend(names(ground.design, path, reference, name, group, nodes));
    }
}

fn finding(
    path: &str,
    reference: &SubnetRef,
    name: &SecurityGroupName,
    group: &SecurityGroup,
    at: usize,
    what: &str,
) -> Finding {
    Finding::new(
        codes::NSG_BLOCKS_REQUIRED_EGRESS,
        rule_path(name, at),
        format!("rule `{}` of `{name}` drops {what} of nodes in `{reference}`", rule_name(group, at)),
    )
    .on(reference)
    .related(format!("{path}.pools"), "the cluster's pools are behind it")
}

fn internet(
    path: &str,
    reference: &SubnetRef,
    name: &SecurityGroupName,
    group: &SecurityGroup,
    nodes: Cidr,
) -> Option<Finding> {
    let flow = |destination| Flow {
        direction: Direction::Outbound,
        source: Side::Vnet(nodes),
        destination,
        protocol: Protocol::Tcp,
        port: Some(443),
    };
    let (at, unknown) = match judge(group, &flow(Side::Internet)) {
        Verdict::Denied(at) => (at, false),
        // Whoever denies a group of machines by name has others in mind than nodes.
        Verdict::Unknown(at) if !group.rules.get(at).is_some_and(super::node_traffic::names_machines) => (at, true),
        _ => return None,
    };
    // Prefixes of several rules may be the internet together what none of them is alone.
    let at = denies_together(group, nodes).unwrap_or(at);
    let rule = group.rules.get(at)?;
    let everything = denies_together(group, nodes).is_some()
        || super::filter::covers(&rule.destination, Side::Internet) == super::filter::Coverage::All;
    let about = egress_rules::NAMES_NOT_ADDRESSES.about();
    let help = "allow tcp/443 to `Internet` and let a firewall decide by name: what nodes need are names, which security groups can't express";
    if unknown {
        let why = super::node_traffic::why_unknown(group, at);
        let mut found = finding(path, reference, name, group, at, "tcp/443 to the internet").help(help);
        found.message = format!(
            "whether rule `{}` of `{name}` drops tcp/443 to the internet of nodes in `{reference}` can't be told: {why}",
            rule_name(group, at)
        );
        return everything.then(|| cited(found.severity(Severity::Warning), about));
    }
    if !everything {
        // A denial of some public range or service matters where a needed service is behind it.
        let needed = rule.destination.iter().find_map(|address| match address {
            AddressMatch::Tag(tag) => NEEDED_TAGS.iter().find(|needed| is_of(tag, needed)),
            _ => None,
        })?;
        let allowed = matches!(judge(group, &flow(Side::Service(needed))), Verdict::Allowed);
        return (!allowed).then(|| {
            cited(finding(path, reference, name, group, at, &format!("tcp/443 to `{needed}`")).help(help), about)
        });
    }
    let some: Vec<&SecurityRule> = group
        .rules
        .iter()
        .filter(|earlier| {
            earlier.direction == Direction::Outbound
                && earlier.access == Access::Allow
                && earlier.priority < rule.priority
                && earlier.protocol.is_none_or(|protocol| protocol == Protocol::Tcp)
                && earlier.ports.iter().any(|ports| ports.contains(443))
                && super::filter::covers(&earlier.destination, Side::Internet) != super::filter::Coverage::Nothing
        })
        .collect();
    let allowed: Vec<&str> = some.iter().map(|rule| rule.name.as_str()).collect();
    let found = finding(path, reference, name, group, at, "tcp/443 to the internet").help(help);
    if allowed.is_empty() {
        let names: Vec<&str> = egress_rules::NAMES
            .value
            .iter()
            .filter(|name| name.required && name.condition.is_empty())
            .map(|name| name.to)
            .collect();
        return Some(cited(found.evidence(format!("nodes need {}", names.join(", "))), about));
    }
    let may_carry = |images: &&SecurityRule| images.destination.iter().any(may_hold_images);
    Some(if some.iter().any(may_carry) {
        let found = found.severity(Severity::Warning).evidence(format!(
            "the rules {} let some addresses through; whether they contain everything nodes need can't be told, and changes",
            crate::say::listed(&allowed)
        ));
        cited(found, about)
    } else {
        let found = found.evidence(format!(
            "the rules {} let other services through; none of them contains mcr.microsoft.com, from which nodes take their images",
            crate::say::listed(&allowed)
        ));
        cited(found, about)
    })
}

/// A tag is that of a service, in one region or all.
fn is_of(tag: &str, service: &str) -> bool {
    tag.eq_ignore_ascii_case(service)
        || tag.get(..service.len()).is_some_and(|start| start.eq_ignore_ascii_case(service))
            && tag.get(service.len()..).is_some_and(|rest| rest.starts_with('.'))
}

/// The registry of the platform's images, or what stands before it, may be among these destinations.
fn may_hold_images(address: &AddressMatch) -> bool {
    match address {
        AddressMatch::Tag(tag) => {
            let holders = ["Internet", "AzureCloud", "MicrosoftContainerRegistry", "AzureFrontDoor"];
            holders.iter().any(|service| is_of(tag, service))
        }
        AddressMatch::Cidr(cidr) => special::touches_public(cidr),
        AddressMatch::Any => true,
        AddressMatch::ApplicationSecurityGroup(_) => false,
    }
}

/// The rule with which denials of prefixes have taken the whole internet from nodes, none of it having been let through by a rule
/// for all of it before; `None` where they don't.
fn denies_together(group: &SecurityGroup, nodes: Cidr) -> Option<usize> {
    use super::filter::{Coverage, covers, in_order, is_internet, prefixes, source_ports};
    let mut denied = causeway_addr::RangeSet::new();
    for (at, rule) in in_order(group, Direction::Outbound) {
        let https = rule.protocol.is_none_or(|protocol| protocol == Protocol::Tcp)
            && rule.ports.iter().any(|ports| ports.contains(443))
            && source_ports(rule) == Coverage::All;
        if !https || covers(&rule.source, Side::Vnet(nodes)) != Coverage::All {
            continue;
        }
        match rule.access {
            Access::Allow if covers(&rule.destination, Side::Internet) == Coverage::All => return None,
            Access::Allow => {}
            Access::Deny => {
                prefixes(&rule.destination).for_each(|prefix| denied.insert(prefix));
                if is_internet(&denied) {
                    return Some(at);
                }
            }
        }
    }
    None
}

/// Names: the platform's resolver has a tag of its own, servers of one's own have addresses.
fn names<'a>(
    design: &'a Design,
    path: &str,
    reference: &'a SubnetRef,
    name: &SecurityGroupName,
    group: &SecurityGroup,
    nodes: Cidr,
) -> Vec<Finding> {
    let flow = |destination| Flow {
        direction: Direction::Outbound,
        source: Side::Vnet(nodes),
        destination,
        protocol: Protocol::Udp,
        port: Some(53),
    };
    let servers = design.networks.get(&reference.network).map(|network| &network.dns_servers);
    let mut out = Vec::new();
    match servers {
        Some(DnsServers::Custom(servers)) => {
            for server in
                servers.iter().filter(|server| server.is_ipv4() && **server != IpAddr::V4(platform::PLATFORM_DNS.value))
            {
                let to = Cidr::host(*server);
                let side = if special::is_globally_reachable(&to) { Side::Public(to) } else { Side::Vnet(to) };
                if let Verdict::Denied(at) = judge(group, &flow(side)) {
                    let found = finding(
                        path,
                        reference,
                        name,
                        group,
                        at,
                        &format!("names (udp/53 to the network's DNS server {server})"),
                    )
                    .help("allow udp and tcp 53 to the network's DNS servers")
                    .on(server);
                    out.push(cited(found, egress_rules::NETWORK.about()));
                }
            }
        }
        _ => {
            // Only its own tag touches the platform's resolver, or its address.
            let denied = super::filter::in_order(group, Direction::Outbound).into_iter().find(|(_, rule)| {
                rule.destination.iter().any(
                    |address| matches!(address, AddressMatch::Tag(tag) if tag.eq_ignore_ascii_case("AzurePlatformDNS")),
                )
            });
            if let Some((at, rule)) = denied.filter(|(_, rule)| rule.access == Access::Deny) {
                let dns = rule.ports.iter().any(|ports| ports.contains(53));
                let found = finding(path, reference, name, group, at, "names (the platform's resolver)")
                    .help("remove the rule, or give the network DNS servers of its own");
                out.extend(dns.then(|| cited(found, platform::COREDNS_UPSTREAM.about())));
            }
        }
    }
    out
}
