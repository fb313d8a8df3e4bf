//! From one design to another: what changes for whom.
//!
//! Pure: two designs and a day in, a [`Difference`] out. Objects are matched by their names; formatting, comments and the order in
//! which unordered things are written make no difference.

mod findings;
mod flows;
mod objects;

pub use flows::{Fate, FlowChange};

use crate::capacity::{AddressPool, ClusterPorts};
use crate::masquerade::{self, SourceChange};
use crate::{Answer, Options, change, check};
use causeway_addr::Cidr;
use causeway_model::design::Design;
use causeway_model::finding::Finding;
use std::collections::{BTreeMap, BTreeSet};

/// What differs between two designs.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Steps the platform refuses. Places are those of the new design.
    pub refused: Vec<Finding>,
    /// Who sees another source address of pods.
    pub sources: Vec<SourceChange>,
    /// Representative flows with another verdict, source address or owner.
    pub flows: Vec<FlowChange>,
    /// Address pools with other numbers, by name.
    pub capacity: Vec<PoolChange>,
    /// SNAT ports with other numbers, by cluster.
    pub ports: Vec<PortsChange>,
    /// Findings of the new design that the old one does not have; with the reason where the new one accepts them.
    pub new: Vec<(Finding, Option<String>)>,
    /// Findings of the old design that the new one does not have. Places are those of the old design.
    pub gone: Vec<Finding>,
    /// Ranges that somebody has now, and had not.
    pub added: Vec<OwnedRange>,
    /// Ranges that somebody had, and has not.
    pub removed: Vec<OwnedRange>,
    /// Objects that packets meet and that differ. What that does to flows of pods is in [`Difference::flows`].
    pub objects: Vec<ObjectChange>,
}

/// An address pool before and after.
#[derive(Debug, Clone, PartialEq)]
pub struct PoolChange {
    /// `NETWORK/SUBNET`, `CLUSTER/podCidr` or `CLUSTER/serviceCidr`.
    pub pool: String,
    /// As it was; `None` = it was not there.
    pub before: Option<AddressPool>,
    /// As it is; `None` = it is not there any more.
    pub after: Option<AddressPool>,
}

/// A cluster's ports before and after.
#[derive(Debug, Clone, PartialEq)]
pub struct PortsChange {
    /// The cluster.
    pub cluster: String,
    /// As they were.
    pub before: Option<ClusterPorts>,
    /// As they are.
    pub after: Option<ClusterPorts>,
}

/// A range and who has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OwnedRange {
    /// Dotted path of the field.
    pub object: String,
    /// The range.
    pub range: Cidr,
}

/// An object that differs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectChange {
    /// Dotted path of the object, or of its field.
    pub object: String,
    /// In what way.
    pub how: How,
}

/// How an object differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// It is new.
    Added,
    /// It is no longer there.
    Removed,
    /// It says something else.
    Changed,
}

impl How {
    /// The word that is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            How::Added => "added",
            How::Removed => "removed",
            How::Changed => "changed",
        }
    }
}

impl PoolChange {
    /// Whether it fits changes, or becomes known or unknown. A pool that comes or goes changes what fits only where it does not fit.
    pub fn changes_fit(&self) -> bool {
        changes_fit(self.before.as_ref().map(|pool| pool.fits), self.after.as_ref().map(|pool| pool.fits))
    }
}

impl PortsChange {
    /// Whether they fit changes, or becomes known or unknown.
    pub fn changes_fit(&self) -> bool {
        changes_fit(self.before.as_ref().map(|ports| ports.snat.fits), self.after.as_ref().map(|ports| ports.snat.fits))
    }
}

fn changes_fit(before: Option<Option<bool>>, after: Option<Option<bool>>) -> bool {
    match (before, after) {
        (Some(before), Some(after)) => before != after,
        (None, Some(fits)) => fits == Some(false),
        (_, None) => false,
    }
}

impl Difference {
    /// Something changes for somebody: a step is refused, a source address or what fits changes, or an object that packets meet
    /// differs, of which nobody can say yet that it changes nothing.
    pub fn concerns_somebody(&self) -> bool {
        !self.refused.is_empty()
            || !self.sources.is_empty()
            || self.flows.iter().any(FlowChange::concerns_somebody)
            || !self.objects.is_empty()
            || self.capacity.iter().any(PoolChange::changes_fit)
            || self.ports.iter().any(PortsChange::changes_fit)
    }

    /// Nothing at all differs that this program knows of.
    pub fn is_empty(&self) -> bool {
        !self.concerns_somebody()
            && self.flows.is_empty()
            && self.capacity.is_empty()
            && self.ports.is_empty()
            && self.new.is_empty()
            && self.gone.is_empty()
            && self.added.is_empty()
            && self.removed.is_empty()
    }
}

/// Compares two designs. What either of them says of a state before itself has no part in it.
pub fn compare(old: &Design, new: &Design, options: Options) -> Difference {
    let old = Design { before: None, ..old.clone() };
    // With the old state attached, acceptances of what the change itself brings have something to match.
    let new = Design { before: Some(Box::new(old.clone())), ..new.clone() };
    let (before, after) = (check(&old, options), check(&new, options));
    let (new_findings, gone) = findings::compare(&before, &after);
    let (capacity, ports) = rooms(&before, &after);
    let (had, has) = (ranges(&old), ranges(&new));
    Difference {
        refused: change::check(&old, &new),
        sources: masquerade::source_changes(&old, &new),
        flows: flows::changes(&old, &new),
        capacity,
        ports,
        new: new_findings,
        gone,
        added: has.difference(&had).cloned().collect(),
        removed: had.difference(&has).cloned().collect(),
        objects: objects::compare(&old, &new),
    }
}

fn rooms(before: &Answer, after: &Answer) -> (Vec<PoolChange>, Vec<PortsChange>) {
    let pools = |answer: &Answer| -> BTreeMap<String, AddressPool> {
        answer.capacity.pools.iter().map(|pool| (pool.pool.clone(), pool.clone())).collect()
    };
    let ports = |answer: &Answer| -> BTreeMap<String, ClusterPorts> {
        answer.capacity.clusters.iter().map(|ports| (ports.cluster.clone(), ports.clone())).collect()
    };
    let pools = pairs(pools(before), pools(after), |one, other| {
        let numbers = |pool: &AddressPool| AddressPool { because: Vec::new(), object: String::new(), ..pool.clone() };
        numbers(one) == numbers(other)
    });
    let ports = pairs(ports(before), ports(after), |one, other| {
        let numbers = |ports: &ClusterPorts| {
            let mut ports = ports.clone();
            ports.snat.because.clear();
            ports
        };
        numbers(one) == numbers(other)
    });
    (
        pools.into_iter().map(|(pool, before, after)| PoolChange { pool, before, after }).collect(),
        ports.into_iter().map(|(cluster, before, after)| PortsChange { cluster, before, after }).collect(),
    )
}

type Pair<V> = (String, Option<V>, Option<V>);

/// What differs, by name; what is the same on both sides is left out.
fn pairs<V>(mut old: BTreeMap<String, V>, mut new: BTreeMap<String, V>, same: impl Fn(&V, &V) -> bool) -> Vec<Pair<V>> {
    let names: BTreeSet<String> = old.keys().chain(new.keys()).cloned().collect();
    let both = |name: String| (old.remove(&name), new.remove(&name), name);
    names
        .into_iter()
        .map(both)
        .filter(|(before, after, _)| !matches!((before, after), (Some(before), Some(after)) if same(before, after)))
        .map(|(before, after, name)| (name, before, after))
        .collect()
}

/// Every range with its owner.
fn ranges(design: &Design) -> BTreeSet<OwnedRange> {
    let mut all = BTreeSet::new();
    let mut own = |object: String, ranges: &[Cidr]| {
        all.extend(ranges.iter().map(|range| OwnedRange { object: object.clone(), range: *range }));
    };
    for (name, network) in &design.networks {
        own(format!("networks.{name}.prefixes"), &network.prefixes);
    }
    for (reference, subnet) in design.subnets() {
        own(format!("{}.prefix", reference.path()), &subnet.prefixes);
    }
    for (name, cluster) in &design.clusters {
        own(format!("clusters.{name}.podCidr"), &cluster.pod_cidrs);
        own(format!("clusters.{name}.serviceCidr"), &cluster.service_cidrs);
    }
    all
}
