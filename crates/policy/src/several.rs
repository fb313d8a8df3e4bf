//! A question that stands for several: the internet is every address outside, and ends with two families may meet in either.

use crate::ends::{End, Flow, Verdict};
use crate::index::{Index, Seat};
use crate::walk::{Explanation, Said, Step};
use causeway_addr::{Cidr, Family};
use causeway_model::policy::Direction;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Ranges nobody on the internet has: RFC 6890, RFC 1918, RFC 6598, multicast and what is reserved. Of IPv6 only 2000::/3 is given out.
const NOT_THE_INTERNET: [&str; 14] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "224.0.0.0/3",
    "::/3",
    "4000::/2",
    "8000::/1",
    "2001:db8::/32",
];

impl Index {
    /// An address of the internet for every class of them that policies tell apart, those of one family. Ranges of pods are not there.
    pub fn internet(&self, family: Family) -> Vec<IpAddr> {
        let mut cuts: Vec<Cidr> = NOT_THE_INTERNET.iter().filter_map(|text| text.parse().ok()).collect();
        cuts.extend(&self.pod_ranges);
        cuts.extend(self.ranges_of_unseen());
        let inner: Vec<Cidr> = cuts.clone();
        // The address everybody knows stands for as much as it can.
        let known: Vec<IpAddr> = vec![crate::who::INTERNET, crate::who::INTERNET_V6];
        let mut of_class: BTreeMap<u32, IpAddr> = BTreeMap::new();
        let stretches = crate::connections::stretches(self, &cuts, family);
        for (first, last, seat) in stretches {
            let stated = known.iter().find(|address| (first..=last).contains(*address)).copied();
            let free = |address: IpAddr| {
                !self.addresses.contains_key(&address) && inner.iter().all(|range| !range.contains(address))
            };
            let all = family.everything();
            let own = (0..64).find_map(|step| {
                let address = all.nth(all.index_of(first)?.checked_add(step)?)?;
                (address <= last && free(address)).then_some(address)
            });
            let Some(address) = stated.filter(|address| free(*address)).or(own) else { continue };
            let place = of_class.entry(seat.class).or_insert(address);
            if known.contains(&address) {
                *place = address;
            }
        }
        let mut out: Vec<IpAddr> = of_class.into_values().collect();
        out.sort_by_key(|address| (!known.contains(address), *address));
        out
    }

    /// The ways a flow can be read, each with where its ends sit, if there is not one alone: in every family both ends have, and none if
    /// they have none in common.
    pub(crate) fn readings(&self, flow: &Flow) -> Option<Vec<(String, Seat, Seat)>> {
        let (of_from, of_to) = (self.families(&flow.from), self.families(&flow.to));
        let mut both: Vec<Family> = of_from.iter().copied().filter(|family| of_to.contains(family)).collect();
        both.sort_unstable();
        both.dedup();
        if of_from.is_empty() || of_to.is_empty() || flow.family.is_some() && !both.is_empty() || both.len() == 1 {
            return None;
        }
        let seats = both.into_iter().filter_map(|family| {
            let (from, to) = (self.seat(&flow.from, Some(family))?, self.seat(&flow.to, Some(family))?);
            let name = if family == Family::V4 { "ipv4" } else { "ipv6" };
            Some((name.to_owned(), from, to))
        });
        Some(seats.collect())
    }

    /// What becomes of a flow from, or to, the internet: sure only if it is the same for every address of it.
    pub fn explain_internet(&self, flow: &Flow, sends: bool) -> Option<(Flow, Explanation)> {
        let other = if sends { &flow.to } else { &flow.from };
        let mut families: Vec<Family> = match flow.family {
            Some(family) => vec![family],
            None => self.families(other),
        };
        families.sort_unstable();
        families.dedup();
        let mut answers = Vec::new();
        for address in families.into_iter().flat_map(|family| self.internet(family)) {
            let mut asked = flow.clone();
            *(if sends { &mut asked.from } else { &mut asked.to }) = End::Address(address);
            asked.family = Some(Family::of(address));
            let explained = self.explain(&asked)?;
            answers.push((address, asked, explained));
        }
        let (_, first, _) = answers.first()?;
        let first = first.clone();
        let explained = answers.into_iter().map(|(address, _, explained)| (address.to_string(), explained)).collect();
        Some((first, Explanation::of_all(explained, "which address of the internet", "name the address itself")?))
    }
}

impl Explanation {
    /// Of ends that have no family of addresses in common: no packet goes from one to the other as it is.
    pub(crate) fn of_strangers() -> Explanation {
        let because = "the ends have no address family in common".to_owned();
        let (tier, policy, rule, rule_name) = (None, None, None, None);
        let (direction, said) = (Direction::Egress, Said::Uncertain);
        let step = Step { tier, direction, said, policy, rule, rule_name, because };
        Explanation { steps: vec![step], missing: vec!["an address family that both ends have".to_owned()] }
    }

    /// Of answers to a question that stands for several: the first of them if all have one verdict, else uncertain.
    pub(crate) fn of_all(answers: Vec<(String, Explanation)>, unknown: &str, hint: &str) -> Option<Explanation> {
        let verdicts: Vec<(String, Verdict)> =
            answers.iter().map(|(name, answer)| (name.clone(), answer.verdict())).collect();
        let differs = |of: &dyn Fn(&Explanation) -> Verdict| {
            answers.iter().any(|(_, answer)| answers.first().is_some_and(|(_, first)| of(answer) != of(first)))
        };
        let all = differs(&Explanation::verdict);
        let by_direction = [Direction::Egress, Direction::Ingress].map(|direction| differs(&|one| one.of(direction)));
        let mut answers = answers.into_iter().map(|(_, answer)| answer);
        let mut out = answers.next()?;
        if !all {
            return Some(out);
        }
        out.missing.extend(answers.flat_map(|answer| answer.missing));
        let mut shown: Vec<String> = Vec::new();
        for wanted in [Verdict::Allowed, Verdict::Denied, Verdict::Uncertain] {
            let of = verdicts.iter().find(|(_, verdict)| *verdict == wanted);
            shown.extend(of.map(|(name, verdict)| format!("`{name}` is {verdict}")));
        }
        let shown = shown.join(", ");
        for (direction, differs) in [Direction::Egress, Direction::Ingress].into_iter().zip(by_direction) {
            if differs {
                let (because, said) = (format!("it is not the same for all: {shown}"), Said::Uncertain);
                let at = match direction {
                    Direction::Egress => {
                        out.steps.iter().rposition(|step| step.direction == direction).map_or(0, |at| at + 1)
                    }
                    Direction::Ingress => out.steps.len(),
                };
                let (tier, policy, rule, rule_name) = (None, None, None, None);
                out.steps.insert(at, Step { tier, direction, said, policy, rule, rule_name, because });
            }
        }
        out.missing.push(format!("{unknown}: {shown}; {hint}"));
        out.missing.sort();
        out.missing.dedup();
        Some(out)
    }
}
