//! The proof that no range overlaps another: sorted lists anybody can check by reading them once.
//!
//! A list is valid exactly if in every line the first address is at most the last, and the last comes before the first of the next
//! line (IPv4 before IPv6). Three kinds of list together cover a design: what meets in a VNet, the subnets of a network, and the
//! private ranges of a cluster among everything the cluster reaches.

use super::fabric::{Claim, Way, common};
use super::ground::Ground;
use super::shadow::{Private, PrivateKind, in_unknown_vnet};
use causeway_addr::special::Class;
use causeway_addr::{Cidr, Entry, RangeSet, disjoint};
use causeway_model::design::*;
use std::collections::{BTreeMap, BTreeSet};

/// One list, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainCertificate {
    /// Dotted path of what it is about: `networks.spoke`, `networks.spoke.subnets`, `clusters.prod`.
    pub object: String,
    /// In words.
    pub about: String,
    /// Sorted by address, if nothing overlaps; else the pairs that do.
    pub proof: Result<Vec<Entry<String>>, Vec<(String, String)>>,
    /// What belongs in the list and is not known: about that the proof says nothing.
    pub missing: Vec<String>,
}

/// Whose a range is.
type Owned = (Cidr, String);

/// Every list of a design: VNets, then subnets, then clusters, each by name. VNets in which exactly the same meets share one.
pub fn certificate(design: &Design) -> Vec<DomainCertificate> {
    let ground = Ground::new(design);
    let mut all = domains(&ground);
    all.extend(design.networks.iter().filter_map(|(name, network)| subnets(name, network)));
    all.extend(design.clusters.iter().map(|(name, cluster)| of_cluster(&ground, name, cluster)));
    all
}

fn prove(object: String, about: String, entries: &[Owned], missing: BTreeSet<String>) -> DomainCertificate {
    let named = |at: usize| entries.get(at).map(|(range, owner)| format!("{owner} `{range}`"));
    let proof = disjoint(entries)
        .map_err(|pairs| pairs.into_iter().filter_map(|(one, other)| Some((named(one)?, named(other)?))).collect());
    DomainCertificate { object, about, proof, missing: missing.into_iter().collect() }
}

/// What meets in each VNet.
fn domains(ground: &Ground) -> Vec<DomainCertificate> {
    let mut lists: BTreeMap<Vec<Owned>, Vec<&NetworkName>> = BTreeMap::new();
    for (name, domain) in ground.fabric.domains() {
        let claims: Vec<&Claim> = domain.iter().flat_map(|(_, claims)| claims).collect();
        let mut entries = owned(&claims);
        let tables = ground.fabric.tables_of(name);
        // Prefixes that the appliance's network knows are in its list; only hidden ones need what lies beyond in this one.
        if claims.iter().any(|claim| claim.way == Way::Own && !known_beyond(ground, name, &tables, &claim.cidr)) {
            entries.extend(beyond(ground, [name], &tables, &claims));
        }
        entries.sort();
        if !entries.is_empty() {
            lists.entry(entries).or_default().push(name);
        }
    }
    let mut all: Vec<DomainCertificate> = lists
        .into_iter()
        .map(|(entries, names)| {
            let first = names.first().map_or("", |name| name.as_str());
            let missing = names.iter().flat_map(|name| missing(ground, name, &ground.fabric.tables_of(name))).collect();
            let words: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            prove(
                format!("networks.{first}"),
                format!("every prefix that meets in {}", words.join(", ")),
                &entries,
                missing,
            )
        })
        .collect();
    all.sort_by(|one, other| one.object.cmp(&other.object));
    all
}

/// Claims by owner. What another network says twice is its own affair; a VNet's own prefixes are all listed.
fn owned(claims: &[&Claim]) -> Vec<Owned> {
    let inner = |claim: &Claim| {
        claims
            .iter()
            .any(|other| other.network == claim.network && other.cidr != claim.cidr && other.cidr.covers(&claim.cidr))
    };
    let mut entries = Vec::new();
    let mut seen = BTreeSet::new();
    for claim in claims {
        let own = claim.way == Way::Own;
        if own || (!inner(claim) && seen.insert((claim.cidr, claim.network))) {
            entries.push((claim.cidr, claim.network.to_string()));
        }
    }
    entries
}

/// Whether every network with an appliance that a prefix's packets may meet knows the prefix itself.
fn known_beyond(ground: &Ground, name: &NetworkName, tables: &BTreeSet<&RouteTableName>, prefix: &Cidr) -> bool {
    let Some((name, _)) = ground.design.networks.get_key_value(name) else {
        return true;
    };
    ground.fabric.transits(name, tables).iter().all(|transit| {
        let known =
            ground.fabric.near(transit.network, prefix).any(|claim| claim.network == name && claim.cidr.covers(prefix));
        known || !transit.prefix.overlaps(prefix)
    })
}

/// What is reached through appliances and not known otherwise, as few prefixes as hold it.
fn beyond<'a>(
    ground: &Ground<'a>,
    networks: impl IntoIterator<Item = &'a NetworkName>,
    tables: &BTreeSet<&RouteTableName>,
    near: &[&Claim],
) -> Vec<Owned> {
    let mut by_appliance: BTreeMap<String, RangeSet> = BTreeMap::new();
    let mut seen = RangeSet::new();
    // What a peering or gateway leads to directly is not reached through an appliance, whoever has it there.
    let nearer: RangeSet = near.iter().filter(|claim| claim.way != Way::Own).map(|claim| claim.cidr).collect();
    for network in networks {
        for transit in ground.fabric.transits(network, tables) {
            let claims = ground.fabric.beyond(network, &transit, &transit.prefix);
            let parts = claims.iter().filter_map(|claim| common(&claim.cidr, &transit.prefix));
            let reached: RangeSet = parts.collect::<RangeSet>().difference(&nearer);
            let new = reached.difference(&seen);
            seen = seen.union(&new);
            let owner = format!("through {} in {}", transit.appliance, transit.network);
            let known = by_appliance.entry(owner).or_default();
            *known = known.union(&new);
        }
    }
    by_appliance
        .into_iter()
        .flat_map(|(owner, ranges)| ranges.cidrs().map(|range| (range, owner.clone())).collect::<Vec<_>>())
        .collect()
}

fn subnets(name: &NetworkName, network: &Network) -> Option<DomainCertificate> {
    let mut entries = Vec::new();
    let mut missing = BTreeSet::new();
    for (subnet, value) in &network.subnets {
        let prefixes: BTreeSet<&Cidr> = value.prefixes.iter().collect();
        entries.extend(prefixes.into_iter().map(|prefix| (*prefix, format!("{name}/{subnet}"))));
        if value.prefixes.is_empty() {
            missing.insert(format!("the prefix of subnet `{name}/{subnet}`"));
        }
    }
    let about = format!("the subnets of `{name}`");
    (!network.subnets.is_empty()).then(|| prove(format!("networks.{name}.subnets"), about, &entries, missing))
}

/// The private ranges of a cluster among everything it reaches.
fn of_cluster<'a>(ground: &Ground<'a>, name: &'a ClusterName, cluster: &'a Cluster) -> DomainCertificate {
    let tables = ground.tables_of(cluster);
    let networks = cluster.networks();
    let near: Vec<&Claim> = networks
        .iter()
        .filter_map(|network| ground.fabric.domain(network))
        .flat_map(|domain| domain.iter().flat_map(|(_, claims)| claims))
        .filter(|claim| claim.way == Way::Own || !networks.contains(claim.network))
        .collect();
    let mut entries = owned(&near);
    entries.extend(beyond(ground, networks.iter().copied(), &tables, &near));
    // A subnet that sticks out of its network counts as well.
    for network in &networks {
        let value = ground.design.networks.get(*network);
        let stray =
            value.into_iter().flat_map(|value| value.subnets.iter().map(move |(subnet, of)| (subnet, of, value)));
        for (subnet, of, value) in stray {
            let outside =
                of.prefixes.iter().filter(|prefix| !value.prefixes.iter().any(|space| space.overlaps(prefix)));
            entries.extend(outside.map(|prefix| (*prefix, format!("{network}/{subnet}"))));
        }
    }
    let reached: RangeSet = entries.iter().map(|(range, _)| *range).collect();
    let mut single = BTreeSet::new();
    for network in &networks {
        if let Some(DnsServers::Custom(servers)) =
            ground.design.networks.get(*network).map(|network| &network.dns_servers)
        {
            single.extend(servers.iter().map(|server| (Cidr::host(*server), format!("DNS server of {network}"))));
        }
    }
    for (host, value) in ground.design.hosts.iter().filter(|(_, host)| host.network.is_none()) {
        let range = Cidr::host(value.ip);
        if matches!(Class::of(&range), Class::Public | Class::Documentation) {
            single.insert((range, format!("host/{host}")));
        }
    }
    let mut held = BTreeSet::new();
    entries.extend(single.into_iter().filter(|(range, _)| !reached.covers(range) && held.insert(*range)));
    for private in Private::of(name, cluster) {
        let kind = match private.kind {
            PrivateKind::Services => "serviceCidr",
            PrivateKind::Pods => "podCidr",
        };
        entries.push((private.range, format!("{name}/{kind}")));
    }
    entries.sort();
    let mut unknown: BTreeSet<String> = networks.iter().flat_map(|network| missing(ground, network, &tables)).collect();
    if networks.is_empty() || in_unknown_vnet(ground.design, cluster) {
        unknown.insert(format!("the VNet of `{name}`, which AKS makes or the design leaves open"));
    }
    if cluster.service_cidrs.is_empty() {
        unknown.insert(format!("the service range of `{name}`"));
    }
    if cluster.pod_cidrs.is_empty() && !cluster.mode.is_some_and(Mode::is_flat) {
        unknown.insert(format!("the pod range of `{name}`"));
    }
    let about = format!("the private ranges of cluster `{name}` among everything it reaches");
    prove(format!("clusters.{name}"), about, &entries, unknown)
}

/// What the design leaves open around a VNet.
fn missing(ground: &Ground, name: &NetworkName, tables: &BTreeSet<&RouteTableName>) -> BTreeSet<String> {
    let design = ground.design;
    let mut missing = BTreeSet::new();
    let Some((name, network)) = design.networks.get_key_value(name) else {
        return missing;
    };
    let peers = ground.fabric.peers(name);
    let mut around: BTreeSet<&NetworkName> = peers.iter().map(|(peer, _)| *peer).collect();
    around.extend(network.gateway.iter().flat_map(|gateway| &gateway.connects));
    around.insert(name);
    for around in around {
        if design.networks.get(around).is_some_and(|network| network.prefixes.is_empty()) {
            missing.insert(format!("the prefixes of network `{around}`"));
        }
    }
    let transit = peers.iter().filter(|(peer, peering)| peering.gateway_transit.as_ref() == Some(*peer));
    let beyond = transit.filter_map(|(peer, _)| Some((*peer, design.networks.get(*peer)?, true)));
    for (owner, network, lent) in beyond.chain([(name, network, false)]) {
        // A gateway that is used, listed or has its subnet leads somewhere, even if nobody says where.
        let there = lent || network.gateway.is_some() || network.subnets.keys().any(is_of_gateway);
        if there && network.gateway.as_ref().is_none_or(|gateway| gateway.connects.is_empty()) {
            missing.insert(format!("the sites behind the gateway of `{owner}`"));
        }
    }
    let unread = tables.iter().filter(|table| design.route_tables.get(**table).is_some_and(|table| !table.known));
    missing.extend(unread.map(|table| format!("the routes of table `{table}`")));
    for (table, route) in tables.iter().flat_map(|table| {
        design
            .route_tables
            .get(*table)
            .into_iter()
            .flat_map(move |value| value.routes.iter().map(move |route| (table, route)))
    }) {
        let behind = match route.next_hop {
            NextHop::UnknownAppliance => "an appliance whose address is not known".to_owned(),
            NextHop::Appliance(ip) if ground.fabric.near(name, &Cidr::host(ip)).next().is_none() => {
                format!("the appliance `{ip}`, which is in no network known here")
            }
            _ => continue,
        };
        missing.insert(format!("what lies behind {behind} (route `{}` of table `{table}`)", route.name));
    }
    missing
}

/// The platform puts gateways into a subnet of this name and nothing else.
fn is_of_gateway(subnet: &SubnetName) -> bool {
    subnet.as_str().eq_ignore_ascii_case("GatewaySubnet")
}
