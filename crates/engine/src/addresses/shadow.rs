//! Private ranges of a cluster (services, overlay pods) that hide addresses the cluster must reach.
//!
//! Such a range is known to the cluster alone, so nobody outside is disturbed by it; but a packet from a pod to an address in it
//! never leaves the node. What of the networks around lies in the range is lost to the pods.

use super::fabric::{Claim, Way, common};
use super::ground::{Ground, MOST_NAMES, first_of, listed, network_words, prefix_path, spelled};
use super::proposal::Use;
use causeway_addr::Cidr;
use causeway_model::codes::{self, Code};
use causeway_model::design::*;
use causeway_model::facts::address;
use causeway_model::finding::{Finding, Severity};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// One private range of a cluster.
#[derive(Debug, Clone, Copy)]
pub(super) struct Private<'a> {
    pub(super) name: &'a ClusterName,
    pub(super) cluster: &'a Cluster,
    pub(super) kind: PrivateKind,
    pub(super) range: Cidr,
}

/// What a private range is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PrivateKind {
    /// Services.
    Services,
    /// Pods outside the VNet.
    Pods,
}

/// Where a range collides, seen from the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Vnet,
    Peer,
    Site,
}

impl<'a> Private<'a> {
    /// The private ranges of a cluster. Pods of the flat modes have none: their addresses are the VNet's.
    pub(super) fn of(name: &'a ClusterName, cluster: &'a Cluster) -> Vec<Private<'a>> {
        let private = |kind, range: &Cidr| Private { name, cluster, kind, range: *range };
        let services = cluster.service_cidrs.iter().map(|range| private(PrivateKind::Services, range));
        let pods = cluster.pod_cidrs.iter().filter(|_| !cluster.mode.is_some_and(Mode::is_flat));
        services.chain(pods.map(|range| private(PrivateKind::Pods, range))).collect()
    }

    /// Its dotted path.
    pub(super) fn path(&self) -> String {
        match self.kind {
            PrivateKind::Services => format!("clusters.{}.serviceCidr", self.name),
            PrivateKind::Pods => format!("clusters.{}.podCidr", self.name),
        }
    }

    /// "service range `10.0.0.0/16` of cluster `prod`".
    pub(super) fn words(&self) -> String {
        let what = match self.kind {
            PrivateKind::Services => "service range",
            PrivateKind::Pods => "pod range",
        };
        format!("{what} `{}` of cluster `{}`", self.range, self.name)
    }

    fn code(&self, side: Side) -> Code {
        match (self.kind, side) {
            (PrivateKind::Services, Side::Vnet) => codes::SERVICE_CIDR_OVERLAPS_VNET,
            (PrivateKind::Services, Side::Peer) => codes::SERVICE_CIDR_OVERLAPS_PEER,
            (PrivateKind::Services, Side::Site) => codes::SERVICE_CIDR_OVERLAPS_ONPREM,
            (PrivateKind::Pods, Side::Vnet) => codes::POD_CIDR_OVERLAPS_VNET,
            (PrivateKind::Pods, Side::Peer) => codes::POD_CIDR_OVERLAPS_PEER,
            (PrivateKind::Pods, Side::Site) => codes::POD_CIDR_OVERLAPS_ONPREM,
        }
    }

    /// A sentence that names a range that would do, if there is one.
    pub(super) fn way_out(&self, ground: &Ground) -> String {
        let cluster = self.cluster;
        let besides: Vec<Cidr> = cluster.pod_cidrs.iter().chain(&cluster.service_cidrs).copied().collect();
        let (what, longest) = match self.kind {
            PrivateKind::Services => (Use::Services, shortest_service_prefix(ground, &self.range)),
            PrivateKind::Pods => (Use::Pods, 0),
        };
        let len = self.range.prefix_len().max(longest);
        let free = ground.proposals.range(what, self.range.family(), len, &besides);
        match (free, self.kind) {
            (Some(free), PrivateKind::Services) => format!(
                "use a service range outside everything the cluster reaches; `{free}` is free in this design (move `dnsServiceIp` with it)"
            ),
            (Some(free), PrivateKind::Pods) => {
                format!("use a pod range outside everything the pods must reach; `{free}` is free in this design")
            }
            (None, _) => format!(
                "use a range outside everything the cluster reaches; no private /{len} is free in this design, so a smaller one is needed"
            ),
        }
    }
}

/// The shortest prefix AKS takes for services.
pub(super) fn shortest_service_prefix(ground: &Ground, range: &Cidr) -> u8 {
    if range.is_v4() {
        u8::try_from(ground.limits.shortest_service_prefix).unwrap_or(address::SERVICE_CIDR_SHORTEST.value)
    } else {
        address::SERVICE_CIDR_SHORTEST_IPV6.value
    }
}

/// Private ranges against everything the cluster's networks reach, and against each other.
pub(super) fn check(ground: &Ground, out: &mut Vec<Finding>) {
    for (name, cluster) in &ground.design.clusters {
        let ranges = Private::of(name, cluster);
        for private in &ranges {
            let met = meets(ground, private);
            for side in [Side::Vnet, Side::Peer, Side::Site] {
                let claims: Vec<Claim> = met.iter().filter(|claim| side_of(ground, claim) == side).copied().collect();
                out.extend(match side {
                    Side::Vnet => against_vnet(ground, private, &claims),
                    Side::Peer | Side::Site => against_others(ground, private, side, &claims),
                });
            }
            out.extend(against_unknown_vnet(ground, private));
        }
        own_ranges(ground, &ranges, out);
    }
}

/// Everything a private range collides with, near things first, each once.
pub(super) fn meets<'a>(ground: &Ground<'a>, private: &Private<'a>) -> Vec<Claim<'a>> {
    let tables = ground.tables_of(private.cluster);
    let networks = private.cluster.networks();
    let mut all: Vec<Claim> =
        networks.iter().flat_map(|network| ground.fabric.meets(network, &tables, &private.range)).collect();
    // A network of the cluster's own counts as that, however else it is reached.
    all.retain(|claim| claim.way == Way::Own || !networks.contains(claim.network));
    all.sort_by_key(|claim| (claim.way, claim.network, claim.index, claim.cidr));
    all.dedup();
    all
}

fn side_of(ground: &Ground, claim: &Claim) -> Side {
    let network = ground.design.networks.get(claim.network);
    match (claim.way, network.map(|network| network.kind)) {
        (Way::Own, _) => Side::Vnet,
        (_, Some(NetworkKind::OnPremises)) | (Way::Gateway(_), _) => Side::Site,
        _ => Side::Peer,
    }
}

/// The VNet of the cluster. Pods: an error. Services: refused on a subnet, discouraged elsewhere.
fn against_vnet(ground: &Ground, private: &Private, claims: &[Claim]) -> Option<Finding> {
    let range = &private.range;
    let networks = private.cluster.networks();
    let mut subnets: Vec<(Cidr, SubnetRef)> =
        networks.iter().flat_map(|network| ground.fabric.subnets_in(network, range)).collect();
    subnets.sort();
    let hidden = hidden(ground, &networks.iter().map(|network| (*network, *range)).collect::<Vec<_>>());
    let servers = lost_dns_servers(ground, private);
    if claims.is_empty() && subnets.is_empty() && servers.is_empty() {
        return None;
    }
    let names: Vec<&SubnetRef> = subnets.iter().map(|(_, name)| name).collect();
    let code = private.code(Side::Vnet);
    let finding = |message| Finding::new(code, private.path(), message).on(range);
    let mut finding = match (claims.first(), private.kind) {
        _ if !subnets.is_empty() => {
            finding(format!("{} overlaps subnet {} of its own VNet", private.words(), first_of(&names)))
        }
        (Some(claim), PrivateKind::Services) => {
            let mild = hidden.is_empty() && servers.is_empty();
            let place = if claim.cidr.covers(range) { "lies in" } else { "overlaps" };
            finding(format!(
                "{} {place} `{}` of its own network `{}`, though on no subnet of it yet",
                private.words(),
                claim.cidr,
                claim.network
            ))
            .severity(if mild { Severity::Warning } else { Severity::Error })
        }
        (Some(claim), PrivateKind::Pods) => {
            finding(format!("{} overlaps `{}` of its own network `{}`", private.words(), claim.cidr, claim.network))
        }
        (None, _) => finding(format!(
            "{} hides {} from the pods, a DNS server of their VNet",
            private.words(),
            first_of(&servers)
        )),
    };
    for claim in claims {
        finding = with_claim(ground, finding, private, claim);
    }
    for (prefix, subnet) in subnets.iter().take(MOST_NAMES) {
        let part = common(prefix, range).unwrap_or(*prefix);
        finding = finding
            .on(subnet)
            .evidence(format!("subnet `{subnet}` is `{prefix}`; shared: {}", spelled(&part)))
            .related(format!("{}.prefix", subnet.path()), format!("subnet `{subnet}`, `{prefix}`"));
    }
    for server in &servers {
        finding = finding.on(server).evidence(format!("the VNet's DNS server `{server}` lies in the range: names that are not the cluster's own can't be resolved by pods"));
    }
    finding = with_hidden(finding, &hidden);
    let (fact, help) = match private.kind {
        PrivateKind::Services if !subnets.is_empty() => {
            let error = address::SERVICE_CIDR_OVERLAP_ERROR;
            finding = finding
                .evidence(format!("the platform compares the two before an upgrade and stops with {}", error.value));
            if private.cluster.node_auto_provisioning {
                finding =
                    finding.evidence("node auto-provisioning does not check it: the nodes come up, only traffic fails");
            }
            let help = format!(
                "{}; on a running cluster the range can't be replaced: move the subnet",
                private.way_out(ground)
            );
            (error.about(), help)
        }
        PrivateKind::Services => {
            finding = finding.evidence("Azure does not know service addresses: a subnet or machine put there later can't be reached by pods, and a subnet there stops upgrades");
            let help = format!("{}; on a running cluster keep subnets off the range", private.way_out(ground));
            (address::SERVICE_CIDR_OVERLAP_ERROR.about(), help)
        }
        PrivateKind::Pods => {
            finding = finding.evidence("the rule is against every prefix of the VNet, not only the node subnet");
            if private.cluster.node_auto_provisioning {
                finding =
                    finding.evidence("node auto-provisioning does not check it: the nodes come up, only traffic fails");
            }
            (address::POD_CIDR_MUST_NOT_OVERLAP.about(), private.way_out(ground))
        }
    };
    Some(finished(ground, finding, private).evidence(fact.to_string()).since(fact.as_of).help(help))
}

/// Peers and sites.
fn against_others(ground: &Ground, private: &Private, side: Side, claims: &[Claim]) -> Option<Finding> {
    let nearest = claims.first()?;
    let parts: Vec<(&NetworkName, Cidr)> =
        claims.iter().filter_map(|claim| Some((claim.network, common(&claim.cidr, &private.range)?))).collect();
    let hidden = hidden(ground, &parts);
    // A default route through an appliance makes two networks meet only if somebody also lets them; where a machine is known there, somebody means to.
    let sure = !hidden.is_empty() || claims.iter().any(|claim| is_sure(claim.way));
    let mut networks: Vec<&NetworkName> = claims.iter().map(|claim| claim.network).collect();
    let mut seen = BTreeSet::new();
    networks.retain(|network| seen.insert(*network));
    let who = match side {
        Side::Site => "on-premises network",
        _ => match nearest.way {
            Way::Appliance(_) => "network",
            _ => "peered network",
        },
    };
    let besides = match networks.len() {
        0 | 1 => String::new(),
        2 => ", and of one more network".to_owned(),
        more => format!(", and of {} more networks", more - 1),
    };
    let losing = match hidden.as_slice() {
        [] => String::new(),
        names => format!(": pods can't reach {}", listed(&names.iter().map(|(_, name)| name).collect::<Vec<_>>())),
    };
    let message =
        format!("{} overlaps `{}` of {who} `{}`{besides}{losing}", private.words(), nearest.cidr, nearest.network);
    let mut finding = Finding::new(private.code(side), private.path(), message).on(private.range);
    if !sure {
        finding = finding.severity(Severity::Warning);
    }
    for claim in claims.iter().take(MOST_NAMES) {
        finding = with_claim(ground, finding, private, claim);
        let part = common(&claim.cidr, &private.range).unwrap_or(claim.cidr);
        let subnets: Vec<SubnetRef> =
            ground.fabric.subnets_in(claim.network, &part).into_iter().map(|(_, name)| name).collect();
        if !subnets.is_empty() {
            finding = finding.evidence(format!("subnets of `{}` in it: {}", claim.network, listed(&subnets)));
            for subnet in subnets.iter().take(MOST_NAMES) {
                finding = finding.on(subnet);
            }
        }
    }
    if claims.len() > MOST_NAMES {
        finding = finding.evidence(format!("and {} more prefixes", claims.len() - MOST_NAMES));
    }
    finding = with_hidden(finding, &hidden);
    finding = finding.evidence(match private.kind {
        PrivateKind::Services => "a packet from a pod to a service address is rewritten or refused on the pod's own node and never reaches the network",
        PrivateKind::Pods => "inside the cluster the pod range is routed to nodes: a packet from a pod into it never leaves the cluster, and the answer to a client there is lost as well",
    });
    let fact = match private.kind {
        PrivateKind::Services => address::SERVICE_CIDR_OVERLAP_ERROR.about(),
        PrivateKind::Pods => address::POD_CIDR_MUST_NOT_OVERLAP.about(),
    };
    let mut help = private.way_out(ground);
    if side == Side::Peer {
        help.push_str("; or let the peer show other prefixes only (subnet peering)");
    }
    Some(finished(ground, finding, private).evidence(fact.to_string()).since(fact.as_of).help(help))
}

/// A VNet that AKS makes has ranges nobody documents: no guess, but no silence where they were seen.
fn against_unknown_vnet(ground: &Ground, private: &Private) -> Option<Finding> {
    let hint = address::MANAGED_VNET_HINT;
    if !in_unknown_vnet(ground.design, private.cluster) || !hint.overlaps(&private.range) {
        return None;
    }
    let finding = Finding::new(
        private.code(Side::Vnet),
        private.path(),
        format!("{} may overlap the VNet that AKS makes for it", private.words()),
    )
    .severity(Severity::Warning)
    .on(private.range)
    .evidence(format!("no pool names a subnet, so AKS makes the VNet; nodes of such networks were seen in `{hint}`, which is not documented (unk.managed-vnet-ranges)"))
    .help(format!("state the VNet's prefixes under `networks`, or {}", private.way_out(ground)));
    Some(finished(ground, finding, private))
}

/// Whether a cluster has pools in a VNet whose prefixes the design doesn't have.
pub(super) fn in_unknown_vnet(design: &Design, cluster: &Cluster) -> bool {
    let unknown =
        |network: &NetworkName| design.networks.get(network).is_none_or(|network| network.prefixes.is_empty());
    cluster.pools.values().any(|pool| pool.subnet.is_none()) || cluster.networks().into_iter().any(unknown)
}

/// Pod range against service range, and ranges of one kind against each other.
fn own_ranges(ground: &Ground, ranges: &[Private], out: &mut Vec<Finding>) {
    let pods = ranges.iter().filter(|private| private.kind == PrivateKind::Pods);
    for pod in pods {
        for service in ranges.iter().filter(|private| private.kind == PrivateKind::Services) {
            let Some(part) = common(&pod.range, &service.range) else {
                continue;
            };
            let fact = address::POD_CIDR_MUST_NOT_OVERLAP;
            let message = format!("{} overlaps its service range `{}`", pod.words(), service.range);
            let finding = Finding::new(codes::POD_CIDR_OVERLAPS_SERVICE_CIDR, pod.path(), message)
                .on(pod.range)
                .on(service.range)
                .evidence(format!(
                    "shared: {}; a pod with an address there is hidden by the service rules",
                    spelled(&part)
                ))
                .related(service.path(), format!("service range `{}`", service.range))
                .since(fact.as_of)
                .help(service.way_out(ground));
            let finding = finished(ground, finding, pod);
            out.push(ground.mention_default(finding, &service.path(), &service.range).evidence(fact.cite()));
        }
    }
}

/// What every finding on a private range says besides.
fn finished(ground: &Ground, finding: Finding, private: &Private) -> Finding {
    let finding = ground.mention_default(finding, &private.path(), &private.range);
    if private.kind == PrivateKind::Pods && private.cluster.mode.is_none() {
        return finding.evidence(format!(
            "the mode of cluster `{}` is not stated; the range is judged as one outside the VNet (overlay, kubenet, own CNI)",
            private.name
        ));
    }
    finding
}

fn with_claim(ground: &Ground, finding: Finding, private: &Private, claim: &Claim) -> Finding {
    let part = common(&claim.cidr, &private.range).unwrap_or(claim.cidr);
    let whose = network_words(ground.design, claim.network);
    let way = match claim.way {
        Way::Own => String::new(),
        Way::Peer { connected: true, .. } => ", a direct peer".to_owned(),
        Way::Peer { connected: false, .. } => ", a peer once the other half of the peering exists".to_owned(),
        Way::Gateway(owner) => format!(", reached by the gateway of `{owner}`"),
        Way::Appliance(transit) => format!(
            ", reached through the appliance `{}` in `{}` (route for `{}`)",
            transit.appliance, transit.network, transit.prefix
        ),
    };
    let mut finding = finding
        .evidence(format!("{whose} has `{}`{way}; shared: {}", claim.cidr, spelled(&part)))
        .related(prefix_path(claim.network, claim.index), format!("{whose}, `{}`", claim.cidr));
    let text = part.to_string();
    if !finding.on.contains(&text) {
        finding.on.push(text);
    }
    finding
}

/// Whether packets certainly go there: not by a mere default route, not over half a peering.
pub(super) fn is_sure(way: Way) -> bool {
    match way {
        Way::Own | Way::Gateway(_) => true,
        Way::Peer { connected, .. } => connected,
        Way::Appliance(transit) => transit.prefix.prefix_len() > 0,
    }
}

/// The machines of the design in parts of networks, each once.
fn hidden<'g>(ground: &'g Ground, parts: &[(&NetworkName, Cidr)]) -> Vec<(IpAddr, &'g str)> {
    let mut all: Vec<(IpAddr, &str)> =
        parts.iter().flat_map(|(network, part)| ground.machines.within(network, part)).collect();
    let mut seen = BTreeSet::new();
    all.retain(|machine| seen.insert(*machine));
    all
}

fn with_hidden(mut finding: Finding, hidden: &[(IpAddr, &str)]) -> Finding {
    if hidden.is_empty() {
        return finding;
    }
    let names: Vec<String> = hidden.iter().map(|(ip, name)| format!("{name} ({ip})")).collect();
    for (_, name) in hidden.iter().take(MOST_NAMES) {
        finding = finding.on(name);
    }
    finding.evidence(format!("pods can't reach {}", listed(&names)))
}

/// DNS servers of the cluster's VNets that lie in the range and in no network the cluster is known to reach.
fn lost_dns_servers(ground: &Ground, private: &Private) -> Vec<IpAddr> {
    let tables = ground.tables_of(private.cluster);
    let mut lost = BTreeSet::new();
    for network in private.cluster.networks() {
        let Some(DnsServers::Custom(servers)) = ground.design.networks.get(network).map(|network| &network.dns_servers)
        else {
            continue;
        };
        let known = |server: &IpAddr| !ground.fabric.meets(network, &tables, &Cidr::host(*server)).is_empty();
        lost.extend(servers.iter().filter(|server| private.range.contains(**server) && !known(server)).copied());
    }
    lost.into_iter().collect()
}
