//! Ports for connections to public destinations, by outbound type.

use super::ClusterPorts;
use super::Snat;
use super::count::{Count, many};
use super::demand;
use super::egress::{self, Egress, Shared, Wanted, firewall_ips, gateway_ips};
use causeway_model::arithmetic::snat as ports;
use causeway_model::design::{Design, FirewallKind, Mode, OutboundType};
use causeway_model::facts::{Limits, snat as facts};
use std::collections::BTreeMap;

/// The way out of every cluster, by name.
pub(crate) fn all(design: &Design) -> Vec<Egress<'_>> {
    let (limits, _) = Limits::with_overrides(&design.limit_overrides);
    let mut all = egress::all(design);
    let shared = Shared::of(&all);
    for egress in &mut all {
        work_out(egress, &shared, &limits);
    }
    all
}

/// As the answer states it.
pub(crate) fn answers(design: &Design) -> Vec<ClusterPorts> {
    all(design)
        .into_iter()
        .map(|egress| ClusterPorts { cluster: egress.name.to_string(), snat: egress.answer })
        .collect()
}

fn work_out(egress: &mut Egress, shared: &Shared, limits: &Limits) {
    let mut because =
        vec![format!("nodes: {} now, {} at maximum with surge and headroom", egress.now, egress.effective)];
    if demand::sizes_itself(egress.cluster) {
        because.push(
            "node auto-provisioning adds nodes by itself; state a `max` on the pool it grows to get an answer"
                .to_owned(),
        );
    }
    egress.answer.because = because;
    match egress.cluster.outbound.kind {
        OutboundType::LoadBalancer => load_balancer(egress),
        OutboundType::ManagedNatGateway | OutboundType::ManagedNatGatewayV2 => {
            managed_gateway(egress);
        }
        OutboundType::UserAssignedNatGateway => own_gateway(egress, shared),
        OutboundType::UserDefinedRouting => firewall(egress, shared, limits),
        OutboundType::None | OutboundType::Block => {
            let line = "nothing leaves to public destinations, so no port is needed";
            egress.answer.because.push(line.to_owned());
        }
    }
}

fn load_balancer(egress: &mut Egress) {
    let per_ip = ports::PORTS_PER_LOAD_BALANCER_IP;
    let ips = egress.ips;
    let available = ports::load_balancer_ports(ips);
    let fixed = egress.cluster.outbound.ports_per_node.filter(|ports| *ports > 0);
    let nodes = egress.effective;
    let in_pod_subnets =
        egress.cluster.pools.values().any(|pool| egress.cluster.mode_of(pool).is_some_and(Mode::uses_pod_subnet));
    if !egress.cluster.outbound.ips_known {
        unknown_addresses(egress, fixed);
        return;
    }
    let answer = &mut egress.answer;
    if in_pod_subnets {
        let line =
            "that pods of a pod subnet leave through the load balancer is not documented (`unk.podsubnet-lb-egress`)";
        answer.because.push(line.to_owned());
    }
    if !egress.gateways.is_empty() {
        let line = "a subnet of the cluster has a NAT gateway, which takes precedence: the load balancer's ports are reserved and not used there";
        answer.because.push(line.to_owned());
    }
    answer.ports_available = Some(available);
    answer.largest_valid_ports_per_node = nodes.value().and_then(|nodes| ports::largest_allocation(nodes, ips));
    answer
        .because
        .push(format!("{} x {per_ip} = {available} ports", many(ips, "outbound address", "outbound addresses")));
    let per_node = match fixed {
        Some(fixed) => Some(u64::from(fixed)),
        None => nodes.value().and_then(|nodes| ports::default_ports(nodes, ips)),
    };
    answer.ports_per_node = per_node;
    let needed = per_node.map(|per_node| nodes.times(Count::exact(per_node)));
    answer.ports_needed = needed.and_then(Count::value);
    answer.smallest_ip_count = answer.ports_needed.and_then(|needed| smallest(needed, per_ip));
    answer.fits = needed.and_then(|needed| needed.within(Some(available)));
    if let Some(fixed) = fixed {
        let fixed = u64::from(fixed);
        if !ports::is_valid_allocation(fixed) {
            answer.fits = Some(false);
            answer.smallest_ip_count = None;
            answer
                .because
                .push(format!("{fixed} ports a node is refused: a multiple of {}, {per_ip} at most", ports::PORT_STEP));
            return;
        }
        let carried = available / fixed;
        answer.because.push(match answer.fits {
            Some(true) => {
                format!("{nodes} x {fixed} = {} ports fit: room for {carried} nodes", needed.unwrap_or(Count::NONE))
            }
            Some(false) => format!(
                "{nodes} x {fixed} = {} ports do not fit: floor({available} / {fixed}) = {carried} nodes do",
                needed.unwrap_or(Count::NONE)
            ),
            None => format!("how many nodes there may be is unknown; {carried} with {fixed} ports fit"),
        });
        return;
    }
    answer.because.push(match (per_node, nodes.value()) {
        (Some(per_node), Some(nodes)) => format!(
            "automatic allocation by pool size: min(table({nodes}) x {ips}, {}) = {per_node} ports a node",
            ports::DEFAULT_CEILING
        ),
        (None, Some(nodes)) => {
            // No row of the table: the check fails rather than guesses.
            answer.fits = Some(false);
            format!(
                "automatic allocation has no row for {nodes} nodes, 1,000 is the last (`unk.snat-above-1000`): state the ports or use a NAT gateway"
            )
        }
        (_, None) if nodes.at_least > 1_000 => {
            answer.fits = Some(false);
            format!("automatic allocation has no row for {nodes} nodes, 1,000 is the last (`unk.snat-above-1000`)")
        }
        (_, None) => "automatic allocation by pool size, and how many nodes there may be is unknown".to_owned(),
    });
}

/// What can be said of a load balancer whose outbound addresses can't be counted.
fn unknown_addresses(egress: &mut Egress, fixed: Option<u32>) {
    let per_ip = ports::PORTS_PER_LOAD_BALANCER_IP;
    let nodes = egress.effective;
    let answer = &mut egress.answer;
    answer.because.push("how many outbound addresses there are is not known".to_owned());
    let Some(fixed) = fixed.map(u64::from) else { return };
    answer.ports_per_node = Some(fixed);
    if !ports::is_valid_allocation(fixed) {
        answer.fits = Some(false);
        let line = format!("{fixed} ports a node is refused: a multiple of {}, {per_ip} at most", ports::PORT_STEP);
        answer.because.push(line);
        return;
    }
    let needed = nodes.times(Count::exact(fixed));
    answer.ports_needed = needed.value();
    answer.smallest_ip_count = answer.ports_needed.and_then(|needed| smallest(needed, per_ip));
    if let Some(ips) = answer.smallest_ip_count {
        answer.because.push(format!("{nodes} x {fixed} = {needed} ports take {}", many(ips, "address", "addresses")));
    }
}

/// The fewest addresses with that many ports.
fn smallest(needed: u64, per_ip: u64) -> Option<u64> {
    (per_ip > 0).then(|| needed.div_ceil(per_ip).max(1))
}

/// The most ports towards one destination, and the fewest NAT gateway addresses for that: by ports and by connections.
fn gateway_need<'w>(wanted: impl Iterator<Item = &'w Wanted>) -> Option<(u64, u64)> {
    let same = facts::NAT_GATEWAY_SAME_DESTINATION.value;
    wanted
        .map(|wanted| {
            let ports = wanted.ports();
            let by_ports = smallest(ports, ports::PORTS_PER_NAT_GATEWAY_IP).unwrap_or(u64::MAX);
            (ports, by_ports.max(wanted.open.div_ceil(same)))
        })
        .reduce(|one, other| (one.0.max(other.0), one.1.max(other.1)))
}

fn gateway_answer(answer: &mut Snat, ips: Option<u64>, need: Option<(u64, u64)>) {
    let per_ip = ports::PORTS_PER_NAT_GATEWAY_IP;
    answer.ports_available = ips.map(|ips| ips.saturating_mul(per_ip));
    answer.ports_needed = need.map(|(ports, _)| ports);
    answer.smallest_ip_count = need.map(|(_, ips)| ips);
    answer.fits = need.zip(ips).map(|((_, wanted), ips)| wanted <= ips);
    answer.because.push(match ips {
        Some(ips) => format!(
            "{} x {per_ip} = {} ports, handed out on demand and shared by everything behind",
            many(ips, "public address", "public addresses"),
            ips.saturating_mul(per_ip)
        ),
        None => "how many public addresses the NAT gateway has is not known".to_owned(),
    });
    answer.because.push(match need {
        Some((ports, wanted)) => format!(
            "stated loads take up to {ports} ports towards one destination (ports rest {} seconds after use), which is {}; \
             one address carries {} connections to one destination",
            facts::NAT_GATEWAY_COOLDOWN_SECONDS.value.0,
            many(wanted, "address", "addresses"),
            facts::NAT_GATEWAY_SAME_DESTINATION.value
        ),
        None => "no load to a public destination is stated, so what applications need is not claimed".to_owned(),
    });
}

fn managed_gateway(egress: &mut Egress) {
    let (after_close, ..) = facts::NAT_GATEWAY_COOLDOWN_SECONDS.value;
    let mut wanted: BTreeMap<&str, Wanted> = BTreeMap::new();
    for flow in egress.flows.iter().filter(|flow| flow.public) {
        wanted.entry(flow.to).or_default().add(flow, after_close);
    }
    let need = gateway_need(wanted.values());
    let ips = egress.cluster.outbound.ips_known.then_some(egress.ips);
    gateway_answer(&mut egress.answer, ips, need);
}

fn own_gateway(egress: &mut Egress, shared: &Shared) {
    if egress.gateways.is_empty() {
        egress.answer.because.push("no subnet of the cluster has a NAT gateway".to_owned());
        return;
    }
    if egress.gateways.len() > 1 {
        let names: Vec<&str> = egress.gateways.keys().map(|name| name.as_str()).collect();
        egress.answer.because.push(format!(
            "pools leave through different NAT gateways ({}); the numbers are of the one with the least to spare",
            names.join(", ")
        ));
    }
    // Each is judged by its own loads. An unknown number of addresses comes first: it is the one nothing can be promised for.
    let judged = egress.gateways.iter().map(|(name, gateway)| {
        let wanted = shared.gateways.get(name).into_iter().flat_map(BTreeMap::values);
        (gateway_ips(gateway), gateway_need(wanted))
    });
    // Addresses it has beyond those its loads need; `None`, the least, where their number is not known.
    let spare = |(ips, need): &(Option<u64>, Option<(u64, u64)>)| {
        let wanted = need.map_or(0, |(_, wanted)| wanted);
        ips.map(|ips| i128::from(ips) - i128::from(wanted))
    };
    let Some((ips, need)) = judged.min_by_key(spare) else { return };
    gateway_answer(&mut egress.answer, ips, need);
}

fn firewall(egress: &mut Egress, shared: &Shared, limits: &Limits) {
    let per_ip = limits.snat_ports_per_firewall_ip;
    let Some((name, found)) =
        egress.firewalls.iter().min_by_key(|(_, firewall)| firewall_ips(firewall)).map(|(name, found)| (*name, *found))
    else {
        let line = "no firewall of the design stands behind the default route, so its ports are not known";
        egress.answer.because.push(line.to_owned());
        return;
    };
    if found.kind == FirewallKind::Appliance {
        let line = format!("how many ports the appliance `{name}` has is its own affair");
        egress.answer.because.push(line);
        return;
    }
    let ips = firewall_ips(found);
    let need = shared.firewalls.get(name).and_then(|wanted| wanted.values().map(|wanted| wanted.ports()).max());
    let answer = &mut egress.answer;
    answer.ports_available = ips.map(|ips| ips.saturating_mul(per_ip));
    answer.ports_needed = need;
    answer.smallest_ip_count = need.and_then(|need| smallest(need, per_ip));
    answer.fits = need.zip(answer.ports_available).map(|(need, available)| need <= available);
    answer.because.push(match ips {
        Some(ips) => format!(
            "firewall `{name}`: {} x {per_ip} = {} ports, shared by everything behind; \
             other pages count them per instance as well, {} here (`unk.firewall-ports`), which is not promised",
            many(ips, "public address", "public addresses"),
            ips.saturating_mul(per_ip),
            found.instances.unwrap_or(2)
        ),
        None => format!("how many public addresses the firewall `{name}` has is not known"),
    });
    answer.because.push(match need {
        Some(need) => format!("stated loads behind it take up to {need} ports towards one destination"),
        None => "no load through it is stated, so what applications need is not claimed".to_owned(),
    });
}
