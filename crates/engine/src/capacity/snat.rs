//! Ports for connections to public destinations, by outbound type.

use super::count::Count;
use super::demand::{self, Nodes, Phase};
use super::loads::{self, Flow};
use super::{ClusterPorts, Snat};
use causeway_model::arithmetic::snat as ports;
use causeway_model::design::{
    Cluster, ClusterName, Design, Firewall, FirewallKind, FirewallName, FirewallSnat, NatGateway, NatGatewayName,
    NextHop, OutboundType, PoolName, RoutePrefix, Subnet,
};
use causeway_model::facts::{Limits, snat as facts};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// A cluster's way out, with what the findings need beside the answer.
#[derive(Debug, Clone)]
pub(crate) struct Egress<'a> {
    pub(crate) name: &'a ClusterName,
    pub(crate) cluster: &'a Cluster,
    pub(crate) answer: Snat,
    /// Nodes now.
    pub(crate) now: Count,
    /// Every pool at its maximum, surge and headroom included.
    pub(crate) effective: Count,
    /// Load balancer and managed NAT gateway: outbound addresses.
    pub(crate) ips: u64,
    /// NAT gateways of the subnets the cluster's pools are on.
    pub(crate) gateways: BTreeMap<&'a NatGatewayName, &'a NatGateway>,
    /// Firewalls the default routes of these subnets lead to.
    pub(crate) firewalls: BTreeMap<&'a FirewallName, &'a Firewall>,
    /// Stated loads towards public destinations.
    pub(crate) flows: Vec<Flow<'a>>,
}

/// The way out of every cluster, by name.
pub(crate) fn all(design: &Design) -> Vec<Egress<'_>> {
    let (limits, _) = Limits::with_overrides(&design.limit_overrides);
    let mut flows = loads::of(design);
    let firewalls = by_address(design);
    let mut all: Vec<Egress> = design
        .clusters
        .iter()
        .map(|(name, cluster)| {
            let flows = flows.remove(name).unwrap_or_default();
            start(design, &firewalls, name, cluster, flows)
        })
        .collect();
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

fn start<'a>(
    design: &'a Design,
    firewalls: &BTreeMap<IpAddr, (&'a FirewallName, &'a Firewall)>,
    name: &'a ClusterName,
    cluster: &'a Cluster,
    flows: Vec<Flow<'a>>,
) -> Egress<'a> {
    let nodes = |phase| -> Count { cluster.pools.values().map(|pool| Nodes::of(cluster, pool).at(pool, phase)).sum() };
    let effective = nodes(Phase::Upgrade) + Count::exact(demand::headroom_nodes(cluster));
    let listed = cluster.outbound.public_ips.iter().filter(|ip| ip.is_ipv4()).count();
    let ips = match cluster.outbound.ips {
        Some(ips) => u64::from(ips),
        None => u64::try_from(listed).unwrap_or(u64::MAX).max(1),
    };
    let subnets = subnets(design, cluster);
    let gateways =
        subnets.iter().filter_map(|subnet| design.nat_gateways.get_key_value(subnet.nat_gateway.as_ref()?)).collect();
    let firewalls = subnets
        .iter()
        .filter_map(|subnet| {
            let table = design.route_tables.get(subnet.route_table.as_ref()?)?;
            table.routes.iter().find_map(|route| match (&route.prefix, route.next_hop) {
                (RoutePrefix::Cidr(prefix), NextHop::Appliance(ip)) if prefix.prefix_len() == 0 && prefix.is_v4() => {
                    firewalls.get(&ip).copied()
                }
                _ => None,
            })
        })
        .collect();
    Egress {
        name,
        cluster,
        answer: Snat {
            kind: cluster.outbound.kind,
            effective_nodes: effective.value(),
            ports_per_node: None,
            ports_needed: None,
            ports_available: None,
            largest_valid_ports_per_node: None,
            smallest_ip_count: None,
            fits: None,
            because: Vec::new(),
        },
        now: nodes(Phase::Now),
        effective,
        ips,
        gateways,
        firewalls,
        flows,
    }
}

/// The subnets packets of the cluster's nodes and pods are governed by.
fn subnets<'a>(design: &'a Design, cluster: &'a Cluster) -> Vec<&'a Subnet> {
    let references: BTreeSet<_> =
        cluster.pools.values().flat_map(|pool| [&pool.subnet, &pool.pod_subnet]).flatten().collect();
    references.into_iter().filter_map(|reference| design.subnet(reference)).collect()
}

fn by_address(design: &Design) -> BTreeMap<IpAddr, (&FirewallName, &Firewall)> {
    let firewalls = design.firewalls.iter();
    firewalls.filter_map(|(name, firewall)| Some((firewall.private_ip?, (name, firewall)))).collect()
}

/// Public addresses of a NAT gateway.
pub(crate) fn gateway_ips(gateway: &NatGateway) -> Option<u64> {
    let listed = gateway.public_ips.iter().filter(|ip| ip.is_ipv4()).count();
    let listed = u64::try_from(listed).ok().filter(|count| *count > 0);
    gateway.public_ip_count.map(u64::from).or(listed)
}

/// Public addresses of a firewall.
pub(crate) fn firewall_ips(firewall: &Firewall) -> Option<u64> {
    let listed = firewall.public_ips.iter().filter(|ip| ip.is_ipv4()).count();
    let listed = u64::try_from(listed).ok().filter(|count| *count > 0);
    firewall.public_ip_count.map(u64::from).or(listed)
}

/// What everybody behind a gateway or firewall opens, per destination.
#[derive(Debug, Default)]
pub(crate) struct Shared<'a> {
    /// Behind NAT gateways: ports, those that cool down after use counted in.
    pub(crate) gateways: BTreeMap<&'a NatGatewayName, BTreeMap<&'a str, Wanted>>,
    /// Behind firewalls.
    pub(crate) firewalls: BTreeMap<&'a FirewallName, BTreeMap<&'a str, Wanted>>,
}

/// Connections towards one destination.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Wanted {
    /// Open at a time.
    pub(crate) open: u64,
    /// Ports closed not long enough ago to be used again.
    pub(crate) cooling: u64,
}

impl Wanted {
    fn add(&mut self, flow: &Flow, cooldown: u64) {
        self.open = self.open.saturating_add(flow.open);
        let cooling = flow.per_second.saturating_mul(cooldown);
        self.cooling = self.cooling.saturating_add(cooling);
    }

    /// Ports.
    pub(crate) fn ports(self) -> u64 {
        self.open.saturating_add(self.cooling)
    }
}

impl<'a> Shared<'a> {
    pub(crate) fn of(all: &[Egress<'a>]) -> Self {
        let (after_close, ..) = facts::NAT_GATEWAY_COOLDOWN_SECONDS.value;
        let mut shared = Shared::default();
        for egress in all {
            for flow in &egress.flows {
                for name in egress.gateways.keys().filter(|_| flow.public) {
                    let wanted = shared.gateways.entry(name).or_default();
                    wanted.entry(flow.to).or_default().add(flow, after_close);
                }
                for (name, firewall) in &egress.firewalls {
                    if translated(firewall, flow) {
                        let wanted = shared.firewalls.entry(name).or_default();
                        // How long a firewall keeps a port after use is not documented.
                        wanted.entry(flow.to).or_default().add(flow, 0);
                    }
                }
            }
        }
        shared
    }
}

/// Whether the firewall gives a flow a port of its own.
fn translated(firewall: &Firewall, flow: &Flow) -> bool {
    match firewall.snat {
        FirewallSnat::Always => true,
        FirewallSnat::Never => false,
        FirewallSnat::Internet => match flow.address {
            Some(address) => !firewall.private_ranges.iter().any(|range| range.contains(address)),
            None => flow.public,
        },
    }
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
        OutboundType::LoadBalancer => load_balancer(egress, limits),
        OutboundType::ManagedNatGateway | OutboundType::ManagedNatGatewayV2 => {
            managed_gateway(egress, limits);
        }
        OutboundType::UserAssignedNatGateway => own_gateway(egress, shared, limits),
        OutboundType::UserDefinedRouting => firewall(egress, shared, limits),
        OutboundType::None | OutboundType::Block => {
            let line = "nothing leaves to public destinations, so no port is needed";
            egress.answer.because.push(line.to_owned());
        }
    }
}

fn load_balancer(egress: &mut Egress, limits: &Limits) {
    let per_ip = limits.snat_ports_per_load_balancer_ip;
    let ips = egress.ips;
    let available = ips.saturating_mul(per_ip);
    let fixed = egress.cluster.outbound.ports_per_node.filter(|ports| *ports > 0);
    let nodes = egress.effective;
    let largest = |nodes: u64| {
        let fair = (available / nodes.max(1)).min(per_ip);
        Some(fair - fair % ports::PORT_STEP).filter(|ports| *ports > 0)
    };
    let answer = &mut egress.answer;
    answer.ports_available = Some(available);
    answer.largest_valid_ports_per_node = nodes.value().and_then(largest);
    answer.because.push(format!("{ips} outbound addresses x {per_ip} = {available} ports"));
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
        let valid = fixed <= per_ip && fixed.is_multiple_of(ports::PORT_STEP);
        if !valid {
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

/// The fewest addresses with that many ports.
fn smallest(needed: u64, per_ip: u64) -> Option<u64> {
    (per_ip > 0).then(|| needed.div_ceil(per_ip).max(1))
}

/// The most ports towards one destination, and the fewest NAT gateway addresses for that: by ports and by connections.
fn gateway_need<'w>(wanted: impl Iterator<Item = &'w Wanted>, limits: &Limits) -> Option<(u64, u64)> {
    let same = facts::NAT_GATEWAY_SAME_DESTINATION.value;
    wanted
        .map(|wanted| {
            let ports = wanted.ports();
            let by_ports = smallest(ports, limits.snat_ports_per_nat_gateway_ip).unwrap_or(u64::MAX);
            (ports, by_ports.max(wanted.open.div_ceil(same)))
        })
        .reduce(|one, other| (one.0.max(other.0), one.1.max(other.1)))
}

fn gateway_answer(answer: &mut Snat, ips: Option<u64>, need: Option<(u64, u64)>, limits: &Limits) {
    let per_ip = limits.snat_ports_per_nat_gateway_ip;
    answer.ports_available = ips.map(|ips| ips.saturating_mul(per_ip));
    answer.ports_needed = need.map(|(ports, _)| ports);
    answer.smallest_ip_count = need.map(|(_, ips)| ips);
    answer.fits = need.zip(ips).map(|((_, wanted), ips)| wanted <= ips);
    answer.because.push(match ips {
        Some(ips) => format!(
            "{ips} public addresses x {per_ip} = {} ports, handed out on demand and shared by everything behind",
            ips.saturating_mul(per_ip)
        ),
        None => "how many public addresses the NAT gateway has is not known".to_owned(),
    });
    answer.because.push(match need {
        Some((ports, wanted)) => format!(
            "stated loads take up to {ports} ports towards one destination (ports rest {} seconds after use), which is {wanted} addresses; \
             one address carries {} connections to one destination",
            facts::NAT_GATEWAY_COOLDOWN_SECONDS.value.0,
            facts::NAT_GATEWAY_SAME_DESTINATION.value
        ),
        None => "no load to a public destination is stated, so what applications need is not claimed".to_owned(),
    });
}

fn managed_gateway(egress: &mut Egress, limits: &Limits) {
    let (after_close, ..) = facts::NAT_GATEWAY_COOLDOWN_SECONDS.value;
    let mut wanted: BTreeMap<&str, Wanted> = BTreeMap::new();
    for flow in egress.flows.iter().filter(|flow| flow.public) {
        wanted.entry(flow.to).or_default().add(flow, after_close);
    }
    let need = gateway_need(wanted.values(), limits);
    gateway_answer(&mut egress.answer, Some(egress.ips), need, limits);
}

fn own_gateway(egress: &mut Egress, shared: &Shared, limits: &Limits) {
    if egress.gateways.is_empty() {
        egress.answer.because.push("no subnet of the cluster has a NAT gateway".to_owned());
        return;
    }
    if egress.gateways.len() > 1 {
        let names: Vec<&str> = egress.gateways.keys().map(|name| name.as_str()).collect();
        egress.answer.because.push(format!(
            "pools leave through different NAT gateways ({}); the numbers are of the one with the fewest addresses",
            names.join(", ")
        ));
    }
    // An unknown number of addresses sorts first: it is the one nothing can be promised for.
    let ips = egress.gateways.values().map(|gateway| gateway_ips(gateway)).min().flatten();
    let wanted = egress.gateways.keys().filter_map(|name| shared.gateways.get(name));
    let need = gateway_need(wanted.flat_map(BTreeMap::values), limits);
    gateway_answer(&mut egress.answer, ips, need, limits);
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
            "firewall `{name}`: {ips} public addresses x {per_ip} = {} ports, shared by everything behind; \
             other pages count them per instance as well, {} here (`unk.firewall-ports`), which is not promised",
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

/// Connections of the stated loads that share one node, by destination: what a load balancer's share of a node has to carry.
pub(crate) fn busiest_node<'a>(egress: &Egress<'a>) -> Option<(&'a str, u64)> {
    let mut spread: BTreeMap<&str, u64> = BTreeMap::new();
    let mut single: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
    for flow in egress.flows.iter().filter(|flow| flow.public) {
        match &flow.node {
            Some(node) => {
                let sum = single.entry(flow.to).or_default().entry(node).or_default();
                *sum = sum.saturating_add(flow.open);
            }
            None => {
                let nodes = flow.pool.and_then(|pool| nodes_now(egress.cluster, pool)).unwrap_or(1);
                let sum = spread.entry(flow.to).or_default();
                *sum = sum.saturating_add(flow.open.div_ceil(nodes.max(1)));
            }
        }
    }
    let destinations: BTreeSet<&str> = spread.keys().chain(single.keys()).copied().collect();
    let node_need = |to: &str| {
        let on_nodes = single.get(to);
        // Senders on nodes nobody named may share the busiest one.
        let unnamed = on_nodes.and_then(|nodes| nodes.get("")).copied().unwrap_or(0);
        let named = on_nodes
            .into_iter()
            .flatten()
            .filter(|(node, _)| !node.is_empty())
            .map(|(_, open)| *open)
            .max()
            .unwrap_or(0);
        let even = spread.get(to).copied().unwrap_or(0);
        named.saturating_add(unnamed).saturating_add(even)
    };
    let found = destinations.into_iter().map(|to| (node_need(to), std::cmp::Reverse(to))).max()?;
    let to = egress.flows.iter().map(|flow| flow.to).find(|to| *to == found.1.0)?;
    Some((to, found.0))
}

fn nodes_now(cluster: &Cluster, pool: &PoolName) -> Option<u64> {
    let pool = cluster.pools.get(pool)?;
    Nodes::of(cluster, pool).now.value()
}
