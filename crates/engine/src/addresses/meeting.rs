//! Which prefixes of different owners overlap where both are known.
//!
//! Kept small, because one careless prefix behind a hub of thousands makes millions of pairs.

use super::fabric::{Claim, Way, common};
use super::ground::Ground;
use super::shadow::is_sure;
use causeway_addr::{Cidr, overlaps};
use causeway_model::design::*;
use std::collections::BTreeMap;

/// Every two prefixes that overlap in some routing domain, each pair once.
#[derive(Debug)]
pub(super) struct Meetings<'a> {
    /// Every prefix of every network. Of two that meet, the one that stands later here gets the finding.
    prefixes: Vec<(&'a NetworkName, usize)>,
    domains: Vec<&'a NetworkName>,
    claims: Vec<Claim<'a>>,
    /// Sorted by subject, then by the other.
    pub(super) pairs: Vec<Pair>,
}

/// Two prefixes that meet, as positions in the lists of [`Meetings`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pair {
    /// The prefix the finding is about.
    pub(super) subject: u32,
    /// The one it collides with.
    pub(super) other: u32,
    /// How they meet; of several ways the surest comes first.
    pub(super) nearness: Nearness,
    domain: u32,
    claims: (u32, u32),
}

/// How two prefixes meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Nearness {
    /// Both are of one VNet.
    Same,
    /// Some VNet knows both.
    Known,
    /// Somebody routes from one to the other through an appliance.
    Routed,
    /// A default route to an appliance may lead from one to the other.
    PerhapsRouted,
}

/// A pair with its names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Meeting<'a> {
    pub(super) subject: &'a NetworkName,
    pub(super) subject_index: usize,
    pub(super) other: &'a NetworkName,
    pub(super) other_index: usize,
    pub(super) nearness: Nearness,
    /// Where both are known, or where the way through the appliance begins.
    pub(super) at: &'a NetworkName,
    /// How the farther of the two is known there.
    pub(super) way: Way<'a>,
    /// The addresses both have.
    pub(super) shared: Cidr,
}

impl<'a> Meetings<'a> {
    pub(super) fn new(ground: &Ground<'a>) -> Self {
        let prefixes = order(ground);
        let ids: BTreeMap<(&NetworkName, usize), u32> =
            (0..).zip(&prefixes).map(|(id, prefix)| (*prefix, id)).collect();
        let mut meetings = Meetings { prefixes, domains: Vec::new(), claims: Vec::new(), pairs: Vec::new() };
        for (name, domain) in ground.fabric.domains() {
            meetings.domains.push(name);
            let claims: Vec<(Cidr, Claim)> =
                domain.iter().flat_map(|(cidr, claims)| claims.iter().map(move |claim| (cidr, *claim))).collect();
            let first = meetings.claims.len();
            meetings.claims.extend(claims.iter().map(|(_, claim)| claim));
            for (one, other) in overlaps(&claims) {
                meetings.add(&ids, first + one, first + other);
            }
            for (own, beyond) in hidden(ground, name) {
                let at = meetings.claims.len();
                meetings.claims.extend([own, beyond]);
                meetings.add(&ids, at, at + 1);
            }
        }
        meetings.pairs.sort_unstable();
        meetings.pairs.dedup_by_key(|pair| (pair.subject, pair.other));
        meetings
    }

    /// Notes two claims of the last domain, by their positions.
    fn add(&mut self, ids: &BTreeMap<(&NetworkName, usize), u32>, one: usize, other: usize) {
        let (Some(first), Some(second)) = (self.claims.get(one), self.claims.get(other)) else {
            return;
        };
        let own = first.way == Way::Own && second.way == Way::Own;
        // What another network says twice is said once, in its own domain; a site may well list parts of its whole.
        if first.network == second.network && !own {
            return;
        }
        let nearness = match first.way.max(second.way) {
            _ if own => Nearness::Same,
            way @ Way::Appliance(_) if is_sure(way) => Nearness::Routed,
            Way::Appliance(_) => Nearness::PerhapsRouted,
            _ => Nearness::Known,
        };
        let id = |claim: &Claim| ids.get(&(claim.network, claim.index)).copied();
        let (Some(first), Some(second)) = (id(first), id(second)) else {
            return;
        };
        let numbers = [self.domains.len().saturating_sub(1), one, other].map(u32::try_from);
        let [Ok(domain), Ok(one), Ok(other)] = numbers else {
            return;
        };
        let (subject, other, claims) =
            if first > second { (first, second, (one, other)) } else { (second, first, (other, one)) };
        self.pairs.push(Pair { subject, other, nearness, domain, claims });
    }

    /// A pair with its names.
    pub(super) fn meeting(&self, pair: &Pair) -> Option<Meeting<'a>> {
        let at = |list: u32| usize::try_from(list).ok();
        let one = self.claims.get(at(pair.claims.0)?)?;
        let other = self.claims.get(at(pair.claims.1)?)?;
        let (subject, subject_index) = *self.prefixes.get(at(pair.subject)?)?;
        let (other_name, other_index) = *self.prefixes.get(at(pair.other)?)?;
        Some(Meeting {
            subject,
            subject_index,
            other: other_name,
            other_index,
            nearness: pair.nearness,
            at: self.domains.get(at(pair.domain)?)?,
            way: one.way.max(other.way),
            shared: common(&one.cidr, &other.cidr)?,
        })
    }
}

/// What a VNet meets behind appliances that don't know it: its hidden prefixes. What they do know meets in their own VNet.
fn hidden<'a>(ground: &Ground<'a>, name: &'a NetworkName) -> Vec<(Claim<'a>, Claim<'a>)> {
    let own = ground.design.networks.get(name).map_or(&[][..], |network| &network.prefixes);
    let mut found = Vec::new();
    for transit in ground.fabric.transits(name, &ground.fabric.tables_of(name)) {
        for (index, prefix) in own.iter().enumerate() {
            let Some(part) = common(prefix, &transit.prefix) else {
                continue;
            };
            let known = |claim: &Claim| claim.network == name && claim.cidr.covers(prefix);
            if ground.fabric.near(transit.network, prefix).any(known) {
                continue;
            }
            let own = Claim { cidr: part, network: name, index, way: Way::Own };
            found.extend(ground.fabric.beyond(name, &transit, &part).into_iter().map(|beyond| (own, beyond)));
        }
    }
    found
}

/// A VNet is easier to move than a site, what was written later easier than what was there.
fn order<'a>(ground: &Ground<'a>) -> Vec<(&'a NetworkName, usize)> {
    let mut networks: Vec<_> = ground
        .design
        .networks
        .iter()
        .map(|(name, network)| {
            let vnet = network.kind == NetworkKind::Vnet;
            (vnet, ground.written(&format!("networks.{name}")), name, network.prefixes.len())
        })
        .collect();
    networks.sort();
    networks.into_iter().flat_map(|(_, _, name, prefixes)| (0..prefixes).map(move |index| (name, index))).collect()
}
