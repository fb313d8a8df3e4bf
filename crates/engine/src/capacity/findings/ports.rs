//! Ports that do not suffice, or just so, or change when pools grow.

use super::super::egress::{self, Egress};
use super::many;
use causeway_model::arithmetic::snat as ports;
use causeway_model::codes;
use causeway_model::design::{Design, FirewallKind, FirewallName, OutboundType};
use causeway_model::facts::{Limits, snat as facts};
use causeway_model::finding::Finding;
use std::collections::BTreeMap;

/// Findings about ports of all clusters.
pub(super) fn check(design: &Design, all: &[Egress], out: &mut Vec<Finding>) {
    let (limits, _) = Limits::with_overrides(&design.limit_overrides);
    for egress in all {
        match egress.cluster.outbound.kind {
            OutboundType::LoadBalancer => load_balancer(egress, out),
            OutboundType::ManagedNatGateway
            | OutboundType::ManagedNatGatewayV2
            | OutboundType::UserAssignedNatGateway => gateway(egress, &limits, out),
            OutboundType::UserDefinedRouting | OutboundType::None | OutboundType::Block => {}
        }
    }
    firewalls(design, all, &limits, out);
}

fn outbound(egress: &Egress, field: &str) -> String {
    format!("clusters.{}.outbound.{field}", egress.name)
}

fn load_balancer(egress: &Egress, out: &mut Vec<Finding>) {
    let fixed = egress.cluster.outbound.ports_per_node.filter(|ports| *ports > 0).map(u64::from);
    match fixed {
        // What the platform refuses as a value is told by the settings.
        Some(fixed) if ports::is_valid_allocation(fixed) => fixed_ports(egress, fixed, out),
        Some(_) => return,
        None => automatic_ports(egress, out),
    }
    // A NAT gateway on every subnet takes precedence, and the load balancer's ports are not used.
    if egress.without_gateway {
        load(egress, out);
    }
}

/// With the arithmetic of the answer.
fn explained(egress: &Egress, mut finding: Finding) -> Finding {
    finding.evidence.extend(egress.answer.because.iter().cloned());
    for (pool, value) in &egress.cluster.pools {
        let nodes = value.nodes.most().map_or("an unknown number of nodes".to_owned(), |most| {
            format!("{} at most", many(u64::from(most), "node", "nodes"))
        });
        finding.related.push((format!("clusters.{}.pools.{pool}.nodes", egress.name), nodes));
    }
    finding
}

fn fixed_ports(egress: &Egress, fixed: u64, out: &mut Vec<Finding>) {
    let answer = &egress.answer;
    let Some(available) = answer.ports_available else { return };
    let nodes = egress.effective;
    let needed = nodes.at_least.saturating_mul(fixed);
    let object = outbound(egress, "portsPerNode");
    if needed > available {
        let mut ways = Vec::new();
        if let Some(ips) = answer.smallest_ip_count {
            ways.push(format!("take {ips} outbound addresses"));
        }
        if let Some(largest) = answer.largest_valid_ports_per_node {
            ways.push(format!("take {largest} ports per node"));
        }
        ways.push("use a NAT gateway, which hands ports out on demand".to_owned());
        let fact = facts::LB_EXPLICIT_FEASIBLE;
        let finding = Finding::new(
            codes::SNAT_BUDGET_EXCEEDED,
            object,
            format!(
                "{nodes} nodes, surge counted in, with {fixed} ports each need {needed} ports, and {} have {available}",
                many(egress.ips, "outbound address", "outbound addresses")
            ),
        )
        .help(ways.join(", or "))
        .on(fixed)
        .since(fact.as_of);
        out.push(explained(egress, finding).evidence(fact.cite()));
    } else if nodes.exact && available - needed < fixed {
        let finding = Finding::new(
            codes::SNAT_BUDGET_HAS_NO_HEADROOM,
            object,
            format!(
                "{needed} of {available} ports are given out when the pools are at their largest: not one more node gets {fixed}"
            ),
        )
        .help("add an outbound address or lower the ports per node before the pools grow")
        .on(fixed)
        .since(facts::LB_EXPLICIT_FEASIBLE.as_of);
        out.push(explained(egress, finding));
    }
}

fn automatic_ports(egress: &Egress, out: &mut Vec<Finding>) {
    let nodes = egress.effective.at_least;
    let table = facts::LB_DEFAULT_TABLE;
    let object = format!("clusters.{}.outbound", egress.name);
    let Some(later) = ports::default_ports(nodes, egress.ips) else {
        let finding = Finding::new(
            codes::SNAT_BUDGET_EXCEEDED,
            object,
            format!(
                "automatic allocation gives no documented number of ports to {} nodes, 1,000 is the last",
                egress.effective
            ),
        )
        .help("state portsPerNode with enough outbound addresses, or use a NAT gateway")
        .on(nodes)
        .since(table.as_of);
        out.push(explained(egress, finding).evidence(table.cite()));
        return;
    };
    if !egress.cluster.outbound.ips_known {
        return;
    }
    let Some(now) = egress.now.value().and_then(|now| ports::default_ports(now, egress.ips)) else {
        return;
    };
    if later < now {
        let suggestion = egress.answer.largest_valid_ports_per_node.map_or(String::new(), |largest| {
            format!(", {largest} at most with {}", many(egress.ips, "address", "addresses"))
        });
        let finding = Finding::new(
            codes::SNAT_PORTS_HALVE,
            object,
            format!(
                "growing from {} to {nodes} nodes takes every node from {now} to {later} ports, and connections that hold the others break",
                egress.now
            ),
        )
        .help(format!("state portsPerNode{suggestion}, or use a NAT gateway"))
        .on(now)
        .on(later)
        .since(table.as_of);
        out.push(explained(egress, finding).evidence(table.cite()));
    }
}

/// What applications say they open against what one node has.
fn load(egress: &Egress, out: &mut Vec<Finding>) {
    let (Some(share), Some((to, open))) = (egress.answer.ports_per_node, egress::busiest_node(egress)) else {
        return;
    };
    let over = open > share;
    let tight = u128::from(open) * 10 > u128::from(share) * 9;
    if !over && !tight {
        return;
    }
    let (code, message) = if over {
        (
            codes::SNAT_BUDGET_EXCEEDED,
            format!(
                "the stated loads open up to {open} connections to `{to}` from one node, and a node has {share} ports"
            ),
        )
    } else {
        (
            codes::SNAT_BUDGET_HAS_NO_HEADROOM,
            format!(
                "the stated loads open up to {open} connections to `{to}` from one node, of the {share} ports it has"
            ),
        )
    };
    let mut finding = Finding::new(code, outbound(egress, "portsPerNode"), message)
        .help("give a node more ports, spread the load over more nodes, or use a NAT gateway")
        .on(open)
        .since(facts::PORTS_ARE_PER_DESTINATION.as_of)
        .evidence("one port serves one connection per destination address and port");
    for flow in egress.flows.iter().filter(|flow| flow.to == to) {
        finding = finding.related(format!("loads.{}", flow.at), format!("{} open at a time", flow.open));
    }
    out.push(explained(egress, finding));
}

fn gateway(egress: &Egress, limits: &Limits, out: &mut Vec<Finding>) {
    let answer = &egress.answer;
    let (Some(available), Some(needed), Some(wanted)) =
        (answer.ports_available, answer.ports_needed, answer.smallest_ip_count)
    else {
        return;
    };
    let object = egress
        .gateways
        .iter()
        .filter(|_| egress.cluster.outbound.kind == OutboundType::UserAssignedNatGateway)
        .min_by_key(|(_, gateway)| egress::gateway_ips(gateway))
        .map_or_else(|| outbound(egress, "ips"), |(name, _)| format!("natGateways.{name}"));
    let over = answer.fits == Some(false);
    let tight = u128::from(needed) * 10 > u128::from(available) * 9;
    if !over && !tight {
        return;
    }
    let code = if over { codes::SNAT_BUDGET_EXCEEDED } else { codes::SNAT_BUDGET_HAS_NO_HEADROOM };
    let help = if wanted > limits.nat_gateway_ips {
        format!(
            "{wanted} public addresses would be needed and a NAT gateway takes {}: spread the load over subnets with gateways of their own",
            limits.nat_gateway_ips
        )
    } else if over {
        format!("give the NAT gateway {wanted} public addresses")
    } else {
        "give the NAT gateway another public address".to_owned()
    };
    let mut finding = Finding::new(
        code,
        object,
        format!(
            "the stated loads take up to {needed} ports towards one destination, and the NAT gateway has {available}"
        ),
    )
    .help(help)
    .on(needed)
    .since(facts::NAT_GATEWAY_PORTS_PER_IP.as_of);
    finding.evidence.clone_from(&answer.because);
    for flow in egress.flows.iter().filter(|flow| flow.public) {
        finding = finding.related(format!("loads.{}", flow.at), format!("{} open at a time", flow.open));
    }
    if !out.contains(&finding) {
        out.push(finding);
    }
}

/// Azure Firewalls, each with everybody behind it.
fn firewalls(design: &Design, all: &[Egress], limits: &Limits, out: &mut Vec<Finding>) {
    let shared = egress::Shared::of(all);
    let mut behind: BTreeMap<&FirewallName, Vec<&Egress>> = BTreeMap::new();
    for egress in all {
        for name in egress.firewalls.keys() {
            behind.entry(name).or_default().push(egress);
        }
    }
    for (name, clusters) in behind {
        let Some(firewall) = design.firewalls.get(name) else { continue };
        let Some(ips) = egress::firewall_ips(firewall).filter(|_| firewall.kind == FirewallKind::AzureFirewall) else {
            continue;
        };
        let available = ips.saturating_mul(limits.snat_ports_per_firewall_ip);
        let nodes = clusters.iter().map(|egress| egress.effective.at_least).fold(0, u64::saturating_add);
        let worst = shared
            .firewalls
            .get(name)
            .into_iter()
            .flatten()
            .map(|(to, wanted)| (wanted.ports(), *to))
            .max_by(|one, other| one.0.cmp(&other.0).then(other.1.cmp(one.1)));
        // Without loads nothing is claimed about applications, but a share smaller than the smallest a load balancer gives is worth a word.
        let (_, smallest_share) = ports::DEFAULT_TABLE.last().copied().unwrap_or((0, 0));
        let share = available / nodes.max(1);
        let message = match worst {
            Some((wanted, to)) if wanted > available => format!(
                "the stated loads take up to {wanted} ports towards `{to}`, and firewall `{name}` has {available}"
            ),
            None if share < smallest_share => {
                format!("{nodes} nodes share the {available} ports of firewall `{name}`, {share} each")
            }
            _ => continue,
        };
        let wanted = worst.map(|(wanted, _)| wanted.div_ceil(limits.snat_ports_per_firewall_ip.max(1)).max(1));
        let mut finding = Finding::new(codes::FIREWALL_SNAT_EXHAUSTED, format!("firewalls.{name}.publicIps"), message)
            .help(match wanted {
                Some(wanted) => format!("give it {wanted} public addresses, or put a NAT gateway on its subnet"),
                None => format!(
                    "give it {} public addresses as recommended, or put a NAT gateway on its subnet; state loads to have them judged",
                    limits.firewall_ips
                ),
            })
            .on(ips)
            .evidence(format!(
                "{} x {} = {available} ports towards one destination; other pages count them per instance, {} here",
                many(ips, "public address", "public addresses"),
                limits.snat_ports_per_firewall_ip,
                firewall.instances.unwrap_or(2)
            ))
            .evidence(facts::FIREWALL_PORTS_PER_IP.cite())
            .since(facts::FIREWALL_PORTS_PER_IP.as_of);
        if worst.is_none() {
            finding = finding.evidence(format!(
                "no load through it is stated, so what applications need is not known; a load balancer gives a node {smallest_share} at least"
            ));
        }
        for egress in clusters {
            let words = format!("{} nodes at maximum with surge", egress.effective);
            finding = finding.related(format!("clusters.{}", egress.name), words);
            for flow in &egress.flows {
                finding = finding.related(format!("loads.{}", flow.at), format!("{} open at a time", flow.open));
            }
        }
        out.push(finding);
    }
}
