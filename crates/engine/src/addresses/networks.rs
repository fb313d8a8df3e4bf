//! Networks that meet and use the same addresses.

use super::fabric::Way;
use super::ground::{Ground, MOST_NAMES, listed, network_words, prefix_path, spelled};
use super::meeting::{Meeting, Meetings, Nearness, Pair};
use super::proposal::Use;
use causeway_addr::Cidr;
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::finding::{Finding, Severity};

/// One finding for each prefix that collides with another one.
pub(super) fn check(ground: &Ground, out: &mut Vec<Finding>) {
    let meetings = Meetings::new(ground);
    for group in meetings.pairs.chunk_by(|one, next| one.subject == next.subject) {
        out.extend(finding(ground, &meetings, group));
    }
}

fn finding(ground: &Ground, meetings: &Meetings, pairs: &[Pair]) -> Option<Finding> {
    let group: Vec<Meeting> = pairs.iter().take(MOST_NAMES).filter_map(|pair| meetings.meeting(pair)).collect();
    let first = group.first()?;
    let (name, index) = (first.subject, first.subject_index);
    let network = ground.design.networks.get(name)?;
    let prefix = network.prefixes.get(index).unwrap_or(&first.shared);
    let other = |meeting: &Meeting| {
        let network = ground.design.networks.get(meeting.other);
        *network.and_then(|network| network.prefixes.get(meeting.other_index)).unwrap_or(&meeting.shared)
    };
    let besides = match pairs.len() {
        1 => String::new(),
        more => format!(" and {} more", more - 1),
    };
    let message = match first.nearness {
        Nearness::Same => format!("`{prefix}` overlaps `{}`{besides}, both of network `{name}`", other(first)),
        _ => format!(
            "`{prefix}` of network `{name}` overlaps `{}` of {}{besides}",
            other(first),
            network_words(ground.design, first.other)
        ),
    };
    let sure = |pair: &Pair| meetings.meeting(pair).is_none_or(|meeting| is_error(ground, &meeting));
    let severity = if pairs.iter().any(sure) { Severity::Error } else { Severity::Warning };
    let mut finding =
        Finding::new(codes::NETWORKS_OVERLAP, prefix_path(name, index), message).severity(severity).on(prefix);
    for meeting in &group {
        let words = network_words(ground.design, meeting.other);
        let shared = spelled(&meeting.shared);
        finding = finding
            .on(other(meeting))
            .evidence(format!("{}; shared: {shared}", how(ground, meeting)))
            .related(prefix_path(meeting.other, meeting.other_index), format!("{words}, `{}`", other(meeting)));
        let machines = ground.machines.within(meeting.other, &meeting.shared);
        let lost: Vec<String> = machines.map(|(ip, who)| format!("{who} ({ip})")).collect();
        if !lost.is_empty() && meeting.nearness != Nearness::Same {
            let lost = listed(&lost);
            finding = finding.evidence(format!("from `{name}` these can't be told from its own addresses: {lost}"));
        }
    }
    if pairs.len() > MOST_NAMES {
        finding = finding.evidence(format!("and {} more prefixes", pairs.len() - MOST_NAMES));
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
    let other = ground.design.networks.get(first.other).map(|network| network.kind);
    let (subject, summary) = match other {
        Some(NetworkKind::OnPremises) => {
            ("the VNet", "; if the site's prefix is only a summary, list what the site really uses")
        }
        _ => ("the side that can still be moved", ""),
    };
    match (first.nearness, free) {
        (Nearness::Same, _) => "remove the prefix that the other one already contains".to_owned(),
        (_, Some(free)) => format!(
            "renumber {subject}, for instance to `{free}`, which is free in this design; or show only prefixes that differ (subnet peering){summary}"
        ),
        (_, None) => format!("renumber {subject}, or show only prefixes that differ (subnet peering){summary}"),
    }
}

fn how(ground: &Ground, meeting: &Meeting) -> String {
    let Meeting { subject, other, at, .. } = meeting;
    match (meeting.nearness, meeting.way) {
        (Nearness::Same, _) => "one network can't have an address twice".to_owned(),
        (_, Way::Appliance(transit)) => format!(
            "`{at}` reaches `{}` through the appliance `{}` in `{}` (route for `{}`)",
            if at == subject { other } else { subject },
            transit.appliance,
            transit.network,
            transit.prefix
        ),
        _ if at == subject || at == other => format!("`{subject}` and `{other}` route to each other"),
        _ => {
            let site = [subject, other].iter().any(|name| is_site(ground, name));
            let refused = if site {
                ""
            } else {
                "; the platform refuses the second peering (VnetAddressSpaceOverlapsWithAlreadyPeeredVnet)"
            };
            format!("both `{subject}` and `{other}` are known in `{at}`{refused}")
        }
    }
}

fn is_site(ground: &Ground, name: &NetworkName) -> bool {
    ground.design.networks.get(name).is_some_and(|network| network.kind == NetworkKind::OnPremises)
}

/// An error wherever two owners of one address meet. Milder: a site that never learns of the other's range (only one direction is
/// lost, and only if somebody lives there), and a default route that need not mean that two networks talk.
fn is_error(ground: &Ground, meeting: &Meeting) -> bool {
    let inhabited = || {
        let there = |network| ground.machines.within(network, &meeting.shared).next().is_some();
        there(meeting.other) || (meeting.nearness == Nearness::PerhapsRouted && there(meeting.subject))
    };
    match meeting.nearness {
        Nearness::Same | Nearness::Routed => true,
        Nearness::PerhapsRouted => inhabited(),
        Nearness::Known => {
            is_site(ground, meeting.subject)
                || !is_site(ground, meeting.other)
                || ground.fabric.site_learns(meeting.other, meeting.subject, &meeting.shared)
                || inhabited()
        }
    }
}
