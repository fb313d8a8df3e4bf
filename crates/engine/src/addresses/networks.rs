//! Networks that meet and use the same addresses.

use super::fabric::{Claim, Way, common};
use super::ground::{Ground, MOST_NAMES, network_words, prefix_path, spelled};
use super::proposal::Use;
use super::shadow::is_sure;
use causeway_addr::{Cidr, overlaps};
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::finding::{Finding, Severity};
use std::collections::BTreeMap;

/// One prefix of one network.
type Prefix<'a> = (&'a NetworkName, usize);

/// Two prefixes that overlap where both are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Meeting<'a> {
    /// The prefix that the finding is about: its rank and itself.
    subject: (u32, Prefix<'a>),
    /// The one it collides with.
    other: (u32, Prefix<'a>),
    /// How sure it is that they meet; the surest of several ways comes first.
    way: Meets<'a>,
    /// What both say they have.
    shared: Cidr,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Meets<'a> {
    /// Two prefixes of one VNet.
    Same,
    /// In this VNet.
    In(&'a NetworkName),
    /// The subject reaches the other through an appliance.
    Through(Way<'a>),
}

/// One finding for each prefix that collides with another one.
pub(super) fn check(ground: &Ground, out: &mut Vec<Finding>) {
    let mut meetings = meetings(ground);
    meetings.sort_unstable();
    meetings.dedup_by_key(|meeting| (meeting.subject, meeting.other));
    for group in meetings.chunk_by(|one, next| one.subject == next.subject) {
        out.extend(finding(ground, group));
    }
}

/// Every two prefixes that overlap in some routing domain; a pair may come up several times.
pub(super) fn meetings<'a>(ground: &Ground<'a>) -> Vec<Meeting<'a>> {
    let ranks = ranks(ground);
    let rank = |network: &NetworkName| ranks.get(network).copied().unwrap_or(u32::MAX);
    let meeting = |one: Prefix<'a>, other: Prefix<'a>, way, shared| {
        let (one, other) = ((rank(one.0), one), (rank(other.0), other));
        let (subject, other) = if one > other { (one, other) } else { (other, one) };
        Meeting { subject, other, way, shared }
    };
    let mut found = Vec::new();
    for (name, domain) in ground.fabric.domains() {
        let claims: Vec<(Cidr, Claim)> =
            domain.iter().flat_map(|(cidr, claims)| claims.iter().map(move |claim| (cidr, *claim))).collect();
        for (one, other) in overlaps(&claims) {
            let (Some((_, one)), Some((_, other))) = (claims.get(one), claims.get(other)) else {
                continue;
            };
            let Some(shared) = common(&one.cidr, &other.cidr) else {
                continue;
            };
            let same = one.network == other.network;
            // What another network says twice is said once, in its own domain; a site may well list parts of its whole.
            if same && (one.way != Way::Own || other.way != Way::Own) {
                continue;
            }
            let way = if same { Meets::Same } else { Meets::In(name) };
            found.push(meeting((one.network, one.index), (other.network, other.index), way, shared));
        }
        let transits = ground.fabric.transits(name, &ground.fabric.tables_of(name));
        let own = ground.design.networks.get(name).map_or(&[][..], |network| &network.prefixes);
        for transit in &transits {
            for (index, prefix) in own.iter().enumerate() {
                let Some(part) = common(prefix, &transit.prefix) else {
                    continue;
                };
                for claim in ground.fabric.beyond(name, transit, &part) {
                    if let Some(shared) = common(&claim.cidr, &part) {
                        found.push(meeting(
                            (name, index),
                            (claim.network, claim.index),
                            Meets::Through(claim.way),
                            shared,
                        ));
                    }
                }
            }
        }
    }
    found
}

/// Who gets the finding: the higher rank. A VNet is easier to move than a site, what was written later easier than what was there.
fn ranks<'a>(ground: &Ground<'a>) -> BTreeMap<&'a NetworkName, u32> {
    let mut order: Vec<_> = ground
        .design
        .networks
        .iter()
        .map(|(name, network)| {
            let vnet = network.kind == NetworkKind::Vnet;
            (vnet, ground.written(&format!("networks.{name}")), name)
        })
        .collect();
    order.sort();
    (0..).zip(order).map(|(rank, (_, _, name))| (name, rank)).collect()
}

fn finding(ground: &Ground, group: &[Meeting]) -> Option<Finding> {
    let first = group.first()?;
    let (_, (name, index)) = first.subject;
    let network = ground.design.networks.get(name)?;
    let prefix = network.prefixes.get(index).unwrap_or(&first.shared);
    let other = |meeting: &Meeting| {
        let (_, (name, index)) = meeting.other;
        let network = ground.design.networks.get(name);
        *network.and_then(|network| network.prefixes.get(index)).unwrap_or(&meeting.shared)
    };
    let besides = match group.len() {
        1 => String::new(),
        more => format!(" and {} more", more - 1),
    };
    let (_, (other_name, _)) = first.other;
    let message = match first.way {
        Meets::Same => format!("`{prefix}` overlaps `{}`{besides}, both of network `{name}`", other(first)),
        _ => format!(
            "`{prefix}` of network `{name}` overlaps `{}` of {}{besides}",
            other(first),
            network_words(ground.design, other_name)
        ),
    };
    let worst = group.iter().map(|meeting| severity(ground, meeting)).max().unwrap_or(Severity::Error);
    let mut finding =
        Finding::new(codes::NETWORKS_OVERLAP, prefix_path(name, index), message).severity(worst).on(prefix);
    for meeting in group.iter().take(MOST_NAMES) {
        let (_, (other_name, other_index)) = meeting.other;
        let words = network_words(ground.design, other_name);
        let shared = spelled(&meeting.shared);
        finding = finding
            .on(other(meeting))
            .evidence(format!("{}; shared: {shared}", how(ground, meeting)))
            .related(prefix_path(other_name, other_index), format!("{words}, `{}`", other(meeting)));
        let lost: Vec<String> =
            ground.machines.within(other_name, &meeting.shared).map(|(ip, who)| format!("{who} ({ip})")).collect();
        if !lost.is_empty() && meeting.way != Meets::Same {
            finding = finding.evidence(format!(
                "from `{name}` these can't be told from its own addresses: {}",
                super::ground::listed(&lost)
            ));
        }
    }
    if group.len() > MOST_NAMES {
        finding = finding.evidence(format!("and {} more prefixes", group.len() - MOST_NAMES));
    }
    Some(finding.help(help(ground, name, network, prefix, first)))
}

fn help(ground: &Ground, name: &NetworkName, network: &Network, prefix: &Cidr, first: &Meeting) -> String {
    if network.kind == NetworkKind::OnPremises {
        return format!(
            "let `{name}` announce only what it alone uses, or translate at the border; if one prefix is only a summary of many, list what is really used"
        );
    }
    let free = ground.proposals.range(Use::Network, prefix.family(), prefix.prefix_len(), &network.prefixes);
    let other = ground.design.networks.get(first.other.1.0).map(|network| network.kind);
    let (subject, summary) = match other {
        Some(NetworkKind::OnPremises) => {
            ("the VNet", "; if the site's prefix is only a summary, list what the site really uses")
        }
        _ => ("the side that can still be moved", ""),
    };
    match (first.way, free) {
        (Meets::Same, _) => "remove the prefix that the other one already contains".to_owned(),
        (_, Some(free)) => format!(
            "renumber {subject}, for instance to `{free}`, which is free in this design; or show only prefixes that differ (subnet peering){summary}"
        ),
        (_, None) => format!("renumber {subject}, or show only prefixes that differ (subnet peering){summary}"),
    }
}

fn how(ground: &Ground, meeting: &Meeting) -> String {
    let (_, (subject, _)) = meeting.subject;
    let (_, (other, _)) = meeting.other;
    match meeting.way {
        Meets::Same => "one network can't have an address twice".to_owned(),
        Meets::In(at) if at == subject || at == other => {
            format!("`{subject}` and `{other}` route to each other")
        }
        Meets::In(at) => {
            let site = [subject, other].iter().any(|name| {
                ground.design.networks.get(*name).is_some_and(|network| network.kind == NetworkKind::OnPremises)
            });
            let refused = if site {
                ""
            } else {
                "; the platform refuses the second peering (VnetAddressSpaceOverlapsWithAlreadyPeeredVnet)"
            };
            format!("both `{subject}` and `{other}` are known in `{at}`{refused}")
        }
        Meets::Through(Way::Appliance(transit)) => format!(
            "`{subject}` and `{other}` meet through the appliance `{}` in `{}` (route for `{}`)",
            transit.appliance, transit.network, transit.prefix
        ),
        Meets::Through(_) => format!("`{subject}` and `{other}` meet"),
    }
}

/// An error wherever two owners of one address meet. Milder: a site that never learns of the other's range (only one direction is
/// lost, and only if somebody lives there), and a default route that need not mean that two networks talk.
fn severity(ground: &Ground, meeting: &Meeting) -> Severity {
    let (_, (subject, _)) = meeting.subject;
    let (_, (other, _)) = meeting.other;
    let inhabited = || ground.machines.within(other, &meeting.shared).next().is_some();
    let sure = match meeting.way {
        Meets::Same => true,
        Meets::Through(way) => is_sure(way) || inhabited(),
        Meets::In(_) => {
            let kinds = [subject, other].map(|name| ground.design.networks.get(name).map(|network| network.kind));
            kinds != [Some(NetworkKind::Vnet), Some(NetworkKind::OnPremises)]
                || ground.fabric.site_learns(other, subject, &meeting.shared)
                || inhabited()
        }
    };
    if sure { Severity::Error } else { Severity::Warning }
}
