//! Destinations to which pods keep their address, and which can't answer it.

use super::view::{AtEntry, Ground, View};
use crate::addresses::fabric::{Claim, Way};
use crate::addresses::ground::{listed, network_words};
use causeway_addr::{Cidr, Family, RangeSet, special as ranges};
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::{ModeFacts, special};
use causeway_model::finding::{Finding, Severity};
use causeway_trace::translation::{Origin, Translation};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Why an answer can't come back, in words, with the facts behind.
struct NoWayBack {
    because: String,
    evidence: Vec<String>,
    /// The destination knows the nodes, so translating would help.
    nodes_known: bool,
}

pub(super) fn check(ground: &Ground, view: &View, out: &mut Vec<Finding>) {
    let Some(translation) = view.translation() else { return };
    // A plugin may route its pods where it likes.
    if view.pods.is_empty() || view.cluster.mode.is_none_or(|mode| mode == Mode::Byo) {
        return;
    }
    let kept = leaving(view, translation);
    let mut known = RangeSet::new();
    for (network, (claims, parts)) in destinations(ground, view, &kept) {
        known = known.union(&claims.iter().map(|claim| claim.cidr).collect());
        let ways: Vec<Way> = claims.iter().map(|claim| claim.way).collect();
        let Some(no_way) = judge(ground, view, network, &ways, &parts) else { continue };
        let machines = ground.machines_in(network, &parts);
        let words = network_words(ground.design, network);
        out.push(finding(view, translation, &words, &parts, &machines, no_way));
    }
    if view.is_hidden() {
        let public = public_part(&kept, &known);
        let hosts = ground.design.hosts.iter().filter(|(_, host)| host.network.is_none() && public.contains(host.ip));
        let hosts: Vec<String> = hosts.map(|(name, _)| format!("host/{name}")).collect();
        let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
        if !public.is_empty() {
            let no_way = NoWayBack {
                because: format!("nobody outside the cluster can route to {}", pods_words(view)),
                evidence: Vec::new(),
                nodes_known: true,
            };
            out.push(finding(view, translation, "the internet", &public, &hosts, no_way));
        }
    }
}

/// Where packets with a pod's address go: what is exempt, without the cluster's own ranges and without the platform's
/// addresses, which have a check of their own.
fn leaving(view: &View, translation: &Translation) -> RangeSet {
    let mut kept = translation.kept();
    // Where pods have no address of a family, no packet of it leaves them.
    for family in Family::ALL.into_iter().filter(|family| !has_family(view, *family)) {
        kept.remove(family.everything());
    }
    let own = view.pods.iter().map(|home| home.cidr).chain(view.cluster.service_cidrs.iter().copied());
    for cidr in
        own.chain([special::LINK_LOCAL, special::LINK_LOCAL_IPV6, Cidr::host(IpAddr::V4(special::PLATFORM_DNS.value))])
    {
        kept.remove(cidr);
    }
    if view.is_hidden() {
        // Nodes of the cluster know where its pods are.
        for home in &view.nodes {
            kept.remove(home.cidr);
        }
    }
    kept
}

/// Pods have addresses of a family: one of their ranges, or one the cluster is to have and whose range is not stated.
fn has_family(view: &View, family: Family) -> bool {
    let stated = match family {
        Family::V4 => IpFamily::Ipv4,
        Family::V6 => IpFamily::Ipv6,
    };
    let ranged = view.is_hidden() && view.cluster.ip_families.contains(&stated);
    ranged || view.pods.iter().any(|home| home.cidr.family() == family)
}

/// The networks the cluster's packets reach, with what of them lies in the exempt ranges. What lies beyond an appliance counts
/// for pods nobody outside knows; for the others it is the trace of a packet that says what the appliance does.
fn destinations<'a>(
    ground: &Ground<'a>,
    view: &View<'a>,
    kept: &RangeSet,
) -> BTreeMap<&'a NetworkName, (Vec<Claim<'a>>, RangeSet)> {
    let own = view.cluster.networks();
    let tables = view.pod_tables();
    let detours = if view.is_hidden() { Detours::default() } else { Detours::of(ground, view) };
    let mut found: BTreeMap<&NetworkName, (Vec<Claim>, RangeSet)> = BTreeMap::new();
    let mut add = |claim: &Claim<'a>| {
        let parts = detours.without(kept.within(claim.cidr), claim);
        if parts.is_empty() || (own.contains(claim.network) && claim.way != Way::Own) {
            return;
        }
        let entry = found.entry(claim.network).or_default();
        entry.0.push(*claim);
        entry.1 = entry.1.union(&parts);
    };
    for network in &own {
        for range in searched(kept) {
            if view.is_hidden() {
                ground.fabric.meets(network, &tables, &range).iter().for_each(&mut add);
            } else {
                ground.fabric.near(network, &range).filter(|claim| claim.way != Way::Own).for_each(&mut add);
            }
        }
    }
    found
}

/// Where to look for networks: the exempt ranges, or everything where they are many.
fn searched(kept: &RangeSet) -> Vec<Cidr> {
    const MANY: usize = 40;
    let cidrs: Vec<Cidr> = kept.cidrs().take(MANY + 1).collect();
    if cidrs.len() > MANY { Family::ALL.into_iter().map(Family::everything).collect() } else { cidrs }
}

/// What of the exempt ranges is the internet. Ranges of documents count, since designs name hosts by them.
fn public_part(kept: &RangeSet, known: &RangeSet) -> RangeSet {
    let is_internet = |class: &ranges::Class| matches!(class, ranges::Class::Public | ranges::Class::Documentation);
    let outside = kept.difference(known);
    let parts = outside.cidrs().filter(Cidr::is_v4).flat_map(|cidr| ranges::parts(&cidr));
    parts.filter(|(_, class)| is_internet(class)).map(|(range, _)| range).collect()
}

/// Whether answers from a network find a pod's address; `None` = they do, or it is not known that they don't.
fn judge(ground: &Ground, view: &View, network: &NetworkName, ways: &[Way], parts: &RangeSet) -> Option<NoWayBack> {
    let nowhere = |evidence: Vec<String>| {
        Some(NoWayBack {
            because: format!("nobody outside the cluster can route to {}", pods_words(view)),
            evidence,
            nodes_known: true,
        })
    };
    match view.cluster.mode? {
        Mode::Overlay => nowhere(vec![ModeFacts::of(Mode::Overlay).reachable.cite()]),
        Mode::Kubenet if view.cluster.networks().contains(network) => by_route_table(ground, view, network, parts),
        Mode::Kubenet => nowhere(vec!["pods' routes are in the route table of the node subnet only".to_owned()]),
        Mode::Byo => None,
        Mode::PodSubnet | Mode::PodSubnetStatic | Mode::NodeSubnet => flat(ground, view, network, ways),
    }
}

/// kubenet: a machine of the VNet answers if its subnet's route table leads to the nodes.
fn by_route_table(ground: &Ground, view: &View, network: &NetworkName, parts: &RangeSet) -> Option<NoWayBack> {
    let node_tables = view.pod_tables();
    let pods = view.pod_ranges();
    let routes = |table: &RouteTableName| {
        let Some(table) = view.design.route_tables.get(table) else { return false };
        let covered: RangeSet = table
            .routes
            .iter()
            .filter(|route| matches!(route.next_hop, NextHop::Appliance(_) | NextHop::UnknownAppliance))
            .filter_map(|route| match route.prefix {
                RoutePrefix::Cidr(cidr) => Some(cidr),
                RoutePrefix::ServiceTag(_) => None,
            })
            .collect();
        covered.is_superset(&pods)
    };
    let answers =
        |subnet: &Subnet| subnet.route_table.as_ref().is_some_and(|table| node_tables.contains(table) || routes(table));
    let subnets = &ground.design.networks.get(network)?.subnets;
    let inside = subnets.iter().filter(|(_, subnet)| subnet.prefixes.iter().any(|prefix| parts.overlaps(prefix)));
    let silent: Vec<String> =
        inside.filter(|(_, subnet)| !answers(subnet)).map(|(name, _)| format!("{network}/{name}")).collect();
    (!silent.is_empty()).then(|| NoWayBack {
        because: format!("the route tables of {} do not lead to {}", listed(&silent), pods_words(view)),
        evidence: vec!["kubenet writes pods' routes into the route table of the node subnet only".to_owned()],
        nodes_known: true,
    })
}

/// Pods with addresses of the VNet: whoever knows these knows pods.
fn flat(ground: &Ground, view: &View, network: &NetworkName, ways: &[Way]) -> Option<NoWayBack> {
    let design = ground.design;
    let mut told = RangeSet::new();
    let mut why = Vec::new();
    let mut judged = false;
    for own in view.cluster.networks() {
        for way in ways {
            match way {
                Way::Own => return None,
                Way::Peer { connected: false, .. } | Way::Appliance(_) => {}
                Way::Peer { .. } => {
                    for (_, peering) in design.peers(own).filter(|(peer, _)| *peer == network) {
                        judged = true;
                        let shown = design.shown(peering, own);
                        why.push(format!("the peering shows {} of `{own}` to `{network}`", listed(shown)));
                        told.extend_with(shown);
                    }
                }
                Way::Gateway(owner) => {
                    judged = true;
                    let shown = shown_to_gateway(design, own, owner);
                    why.push(format!("the gateway of `{owner}` announces {} of `{own}`", listed(&shown)));
                    told.extend_with(&shown);
                }
            }
        }
    }
    // Only beyond an appliance: what that one does to packets is for the trace of a packet to say.
    if !judged {
        return None;
    }
    if let Some(knows) = design.networks.get(network).and_then(|network| network.knows.as_ref()) {
        why.push(format!(
            "the routers of `{network}` accept {}",
            if knows.is_empty() { "nothing".to_owned() } else { listed(knows) }
        ));
        told = told.intersection(&knows.iter().copied().collect());
    }
    let unknown: Vec<Cidr> = view.pod_ranges().difference(&told).cidrs().collect();
    if unknown.is_empty() || routed_back(design, network, &unknown) {
        return None;
    }
    let nodes_known = view.nodes.iter().all(|home| told.covers(&home.cidr));
    Some(NoWayBack {
        because: format!("it has no route to {} of {}", listed(&unknown), pods_words(view)),
        evidence: why,
        nodes_known,
    })
}

/// What of a VNet a gateway announces to its sites.
fn shown_to_gateway(design: &Design, own: &NetworkName, owner: &NetworkName) -> Vec<Cidr> {
    if own == owner {
        return design.networks.get(own).map(|network| network.prefixes.clone()).unwrap_or_default();
    }
    let through = design.peers(own).filter(|(peer, peering)| *peer == owner && peering.lends_gateway() == Some(owner));
    through.flat_map(|(_, peering)| design.shown(peering, own).to_vec()).collect()
}

/// Routes to appliances that put their own address in front, or may do so: one that translates everything, one nobody
/// described, one whose address is not known yet.
#[derive(Default)]
struct Detours {
    prefixes: Vec<Cidr>,
    /// Routes from gateways are kept out of the pods' route tables, so that shorter routes of users win over them.
    no_gateway_routes: bool,
}

impl Detours {
    fn of(ground: &Ground, view: &View) -> Detours {
        let names = view.pod_tables();
        let mut prefixes = Vec::new();
        for own in view.cluster.networks() {
            let transits = ground.fabric.transits(own, &names);
            prefixes.extend(transits.iter().filter(|transit| transit.translates).map(|transit| transit.prefix));
        }
        let described: BTreeSet<IpAddr> =
            view.design.firewalls.values().filter_map(|firewall| firewall.private_ip).collect();
        let tables: Vec<&RouteTable> = names.iter().filter_map(|name| view.design.route_tables.get(*name)).collect();
        for route in tables.iter().flat_map(|table| &table.routes) {
            let may = match route.next_hop {
                NextHop::UnknownAppliance => true,
                NextHop::Appliance(ip) => !described.contains(&ip),
                _ => false,
            };
            if let (true, RoutePrefix::Cidr(prefix)) = (may, &route.prefix) {
                prefixes.push(*prefix);
            }
        }
        let no_gateway_routes = !tables.is_empty() && tables.iter().all(|table| table.bgp_propagation == Some(false));
        Detours { prefixes, no_gateway_routes }
    }

    /// What of a destination is left when what goes the other way is taken out. The longest prefix wins, and a user's route wins
    /// over one of the same length.
    fn without(&self, mut parts: RangeSet, claim: &Claim) -> RangeSet {
        let all = self.no_gateway_routes && matches!(claim.way, Way::Gateway(_));
        for prefix in self.prefixes.iter().filter(|prefix| all || claim.cidr.covers(prefix)) {
            parts.remove(*prefix);
        }
        parts
    }
}

/// A route table of the destination leads to pods by hand.
fn routed_back(design: &Design, network: &NetworkName, pods: &[Cidr]) -> bool {
    let Some(network) = design.networks.get(network) else { return false };
    let tables = network.subnets.values().filter_map(|subnet| design.route_tables.get(subnet.route_table.as_ref()?));
    let mut routes = tables.flat_map(|table| &table.routes);
    routes.any(|route| match (&route.prefix, route.next_hop) {
        (RoutePrefix::Cidr(prefix), NextHop::Appliance(_) | NextHop::UnknownAppliance) => {
            prefix.prefix_len() > 0 && pods.iter().any(|pods| prefix.covers(pods))
        }
        _ => false,
    })
}

trait ExtendWith {
    fn extend_with(&mut self, cidrs: &[Cidr]);
}

impl ExtendWith for RangeSet {
    fn extend_with(&mut self, cidrs: &[Cidr]) {
        for cidr in cidrs {
            self.insert(*cidr);
        }
    }
}

fn pods_words(view: &View) -> String {
    let cidrs: Vec<Cidr> = view.pods.iter().map(|home| home.cidr).collect();
    let what = if view.is_hidden() { "the pod range" } else { "the pods'" };
    format!("{what} {}", listed(&cidrs))
}

fn finding(
    view: &View,
    translation: &Translation,
    to: &str,
    parts: &RangeSet,
    machines: &[&str],
    no_way: NoWayBack,
) -> Finding {
    let ranges: Vec<Cidr> = parts.cidrs().collect();
    let message = format!("pods keep their own address towards {to}, and answers do not come back: {}", no_way.because);
    let responsible: Vec<_> = translation.entries.iter().filter(|entry| parts.overlaps(&entry.cidr)).collect();
    let entry = responsible.iter().find(|entry| entry.origin.is_users()).or(responsible.first());
    let entries: Vec<Cidr> = responsible.iter().map(|entry| entry.cidr).collect();
    let exempt = listed(&entries);
    let help = match (view.is_hidden(), &entry, no_way.nodes_known) {
        (true, Some(_), _) => format!("take {to} out of the exempt ranges ({exempt}), so that it sees the nodes"),
        (true, None, _) => "run a masquerade agent: whatever leaves the pod range must be translated".to_owned(),
        (false, None, true) => format!(
            "let the nodes translate what goes to {to}: run a masquerade agent that does not exempt it, or have the pods' range routed there"
        ),
        (false, Some(_), true) => format!(
            "take {to} out of the exempt ranges ({exempt}), so that it sees the nodes, or have the pods' range routed there"
        ),
        (false, _, false) => format!(
            "have the pods' range routed back from {to}; it does not know the nodes' range either, so translation alone does not help"
        ),
    };
    let mut finding = Finding::new(codes::EXEMPT_DESTINATION_CANNOT_ROUTE_BACK, view.list_object(), message).help(help);
    if let Some(entry) = entry
        && entry.origin != Origin::Platform
    {
        finding = finding.at_entry(&entry.origin);
    }
    // Nobody decided here that this destination be exempt, and nobody named a machine in it.
    if !translation.translates() && machines.is_empty() && !view.is_hidden() {
        finding = finding.severity(Severity::Warning);
    }
    for home in &view.pods {
        finding = finding.related(&home.object, home.words.clone());
    }
    finding.on.extend(ranges.iter().map(ToString::to_string));
    finding.evidence.extend(no_way.evidence);
    if !machines.is_empty() {
        finding.evidence.push(format!("cut off from pods: {}", listed(machines)));
    }
    if !entries.is_empty() {
        finding.evidence.push(format!("exempt: {exempt}"));
    }
    finding.evidence.extend(translation.because.iter().cloned());
    finding
}
