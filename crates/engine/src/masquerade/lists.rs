//! Two masquerade configurations: which destinations see another source address, and who lives there.

use crate::addresses::ground::network_words;
use causeway_addr::{AddressRange, Cidr, PrefixMap, RangeSet, special as ranges};
use causeway_model::design::{Design, Masquerade, NetworkName};
use causeway_model::facts::special;
use causeway_model::masquerade::{MasqueradeConfig, MasqueradeOutcome, MasqueradeReader};
use causeway_trace::translation::{Effective, effective};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// What nodes make of one of the two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listed {
    /// They apply it.
    Applied {
        /// Destinations to which packets keep their source.
        kept: RangeSet,
        /// Those of them that need no entry of the list: link-local, all of IPv6 where it is never translated.
        besides: RangeSet,
        /// The list as the agent holds it.
        exempt: Vec<Cidr>,
        /// No file takes part: it is the agent's built-in list.
        defaults: bool,
    },
    /// The agent refuses it: rules that are there stay, and a node that starts has none.
    Refused {
        /// In the agent's words.
        message: String,
        /// It ends and is started again, over and over.
        exits: bool,
    },
}

impl From<&MasqueradeOutcome> for Listed {
    fn from(outcome: &MasqueradeOutcome) -> Listed {
        match outcome {
            MasqueradeOutcome::Applied { config, defaults } => Listed::Applied {
                kept: config.kept(),
                besides: besides(config),
                exempt: config.exempt.clone(),
                defaults: *defaults,
            },
            MasqueradeOutcome::Refused { message, exits } => {
                Listed::Refused { message: message.clone(), exits: *exits }
            }
        }
    }
}

fn besides(config: &MasqueradeConfig) -> RangeSet {
    MasqueradeConfig { exempt: Vec::new(), ..*config }.kept()
}

/// What the one cluster of a design does: everything that is known of who translates on its nodes where the design says enough, else
/// what its agent makes of the files alone. Files of which nothing says who reads them are left to `judge`.
///
/// # Errors
///
/// Why there is no such answer, in words.
pub fn of_design(design: &Design, judge: impl Fn(&Masquerade) -> MasqueradeOutcome) -> Result<Listed, String> {
    let mut clusters = design.clusters.iter();
    let (Some((name, cluster)), None) = (clusters.next(), clusters.next()) else {
        return Err(match design.clusters.len() {
            0 => "it has no cluster and no masquerade configuration".to_owned(),
            many => format!("it has {many} clusters, and it can't be told whose configuration is meant"),
        });
    };
    let missing = match effective(design, name) {
        Effective::Known(translation) => {
            let kept = translation.kept();
            let besides = if translation.translates() { besides(&translation.config) } else { kept.clone() };
            return Ok(Listed::Applied { kept, besides, exempt: translation.config.exempt, defaults: false });
        }
        Effective::Unknown { missing } => missing,
    };
    let Some(masquerade) = &cluster.masquerade else {
        return Err(format!("what its nodes translate is not known for want of {}", missing.join(" and ")));
    };
    let reading = &masquerade.reading;
    if !reading.missing.is_empty() {
        return Err(format!("not all of it was given, for want of {}", reading.missing.join(" and ")));
    }
    let nobody = masquerade.agent.is_none() && masquerade.daemon_set.is_none() && masquerade.flags.is_empty();
    match reading.outcomes.get(&reading.reader.unwrap_or(MasqueradeReader::V2)) {
        Some(outcome) if !nobody => Ok(Listed::from(outcome)),
        _ if nobody => Ok(Listed::from(&judge(masquerade))),
        _ => Err(format!("what its nodes translate is not known for want of {}", missing.join(" and "))),
    }
}

/// What differs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Destinations that will see the node where they saw the pod, by who lives there.
    pub to_node: Vec<Group>,
    /// Destinations that will see the pod where they saw the node.
    pub to_pod: Vec<Group>,
    /// Entries of the list that are new.
    pub added: Vec<Cidr>,
    /// Entries that are gone.
    pub removed: Vec<Cidr>,
    /// New entries without which nothing would be different: others exempt all of them.
    pub added_without_effect: Vec<Cidr>,
    /// Entries that are gone while all of them stays exempt.
    pub removed_without_effect: Vec<Cidr>,
}

impl Changes {
    /// Whether no destination sees another address.
    pub fn is_empty(&self) -> bool {
        self.to_node.is_empty() && self.to_pod.is_empty()
    }
}

/// Destinations that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Who lives there, in words: "subnet `spoke/pods`", "private use (RFC 1918)".
    pub who: String,
    /// The object's dotted path in the design; `None` = the design names nobody.
    pub object: Option<String>,
    /// Where, in order.
    pub ranges: Vec<AddressRange>,
    /// Machines and services at single addresses there, by name.
    pub machines: BTreeMap<String, IpAddr>,
}

/// Compares. Both sides must be applied; a configuration that is refused changes nothing on a node that runs.
pub fn changes(old: &Listed, new: &Listed, design: Option<&Design>) -> Changes {
    let (Listed::Applied { kept: before, exempt: old, .. }, Listed::Applied { kept: after, exempt: new, besides, .. }) =
        (old, new)
    else {
        return Changes::default();
    };
    let atlas = Atlas::new(design);
    let (old, new): (BTreeSet<&Cidr>, BTreeSet<&Cidr>) = (old.iter().collect(), new.iter().collect());
    let added: Vec<Cidr> = new.difference(&old).map(|cidr| **cidr).collect();
    let removed: Vec<Cidr> = old.difference(&new).map(|cidr| **cidr).collect();
    // What stays exempt without the new entries: those both lists have, and what is exempt for another reason.
    let both: RangeSet = new.intersection(&old).map(|cidr| **cidr).collect();
    let without = besides.union(&both);
    let mut entries = PrefixMap::new();
    for cidr in &new {
        entries.insert(**cidr, ());
    }
    let covered = |cidr: &Cidr| cidr.supernet().is_some_and(|wider| entries.longest_covering(&wider).is_some());
    Changes {
        to_node: atlas.groups(&before.difference(after)),
        to_pod: atlas.groups(&after.difference(before)),
        added_without_effect: added.iter().copied().filter(|cidr| without.covers(cidr) || covered(cidr)).collect(),
        removed_without_effect: removed.iter().copied().filter(|cidr| after.covers(cidr)).collect(),
        added,
        removed,
    }
}

/// Who lives where.
struct Atlas {
    areas: Vec<Area>,
    machines: Vec<(String, IpAddr)>,
}

struct Area {
    who: String,
    object: String,
    space: RangeSet,
}

impl Atlas {
    fn new(design: Option<&Design>) -> Atlas {
        let platform =
            [("the platform's DNS", special::PLATFORM_DNS.value), ("the metadata service", special::METADATA.value)];
        let mut machines: Vec<(String, IpAddr)> =
            platform.into_iter().map(|(name, address)| (name.to_owned(), IpAddr::V4(address))).collect();
        let mut areas = Vec::new();
        if let Some(design) = design {
            areas.extend(design.networks.keys().flat_map(|name| network(design, name)));
            for (name, cluster) in &design.clusters {
                let mut add = |what: &str, key: &str, cidrs: &[Cidr]| {
                    areas.push(Area {
                        who: format!("{what} of cluster `{name}`"),
                        object: format!("clusters.{name}.{key}"),
                        space: cidrs.iter().copied().collect(),
                    });
                };
                add("pods", "podCidr", &cluster.pod_cidrs);
                add("services", "serviceCidr", &cluster.service_cidrs);
            }
            machines.extend(design.hosts.iter().map(|(name, host)| (format!("host/{name}"), host.ip)));
            let endpoints = design.private_endpoints.iter();
            machines.extend(
                endpoints.filter_map(|(name, endpoint)| Some((format!("private endpoint `{name}`"), endpoint.ip?))),
            );
            let firewalls = design.firewalls.iter();
            machines.extend(
                firewalls.filter_map(|(name, firewall)| Some((format!("firewall `{name}`"), firewall.private_ip?))),
            );
        }
        Atlas { areas, machines }
    }

    fn groups(&self, changed: &RangeSet) -> Vec<Group> {
        let mut groups = Vec::new();
        let mut rest = changed.clone();
        for area in &self.areas {
            let part = changed.intersection(&area.space);
            if !part.is_empty() {
                rest = rest.difference(&area.space);
                groups.push(self.group(area.who.clone(), Some(area.object.clone()), &part));
            }
        }
        // What nobody names is told apart by what it is for.
        let mut classes: BTreeMap<ranges::Class, RangeSet> = BTreeMap::new();
        for cidr in rest.cidrs() {
            for (range, class) in ranges::parts(&cidr) {
                classes.entry(class).or_default().insert(range);
            }
        }
        groups.extend(classes.iter().map(|(class, part)| {
            let who = match class {
                ranges::Class::Public => "public addresses".to_owned(),
                other => format!("{other} addresses"),
            };
            self.group(who, None, part)
        }));
        groups
    }

    fn group(&self, who: String, object: Option<String>, part: &RangeSet) -> Group {
        let machines = self.machines.iter().filter(|(_, address)| part.contains(*address)).cloned().collect();
        Group { who, object, ranges: part.ranges().to_vec(), machines }
    }
}

/// The subnets of a network, and what of it lies in none.
fn network(design: &Design, name: &NetworkName) -> Vec<Area> {
    let Some(network) = design.networks.get(name) else { return Vec::new() };
    let mut rest: RangeSet = network.prefixes.iter().copied().collect();
    let mut areas = Vec::new();
    for (subnet, found) in &network.subnets {
        let space: RangeSet = found.prefixes.iter().copied().collect();
        rest = rest.difference(&space);
        areas.push(Area {
            who: format!("subnet `{name}/{subnet}`"),
            object: format!("networks.{name}.subnets.{subnet}"),
            space,
        });
    }
    let who = match areas.is_empty() {
        true => network_words(design, name),
        false => format!("{} outside its subnets", network_words(design, name)),
    };
    areas.push(Area { who, object: format!("networks.{name}"), space: rest });
    areas
}
