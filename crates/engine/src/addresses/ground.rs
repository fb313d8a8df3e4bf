//! What all checks of ranges stand on, worked out once, and the words they share.

use super::fabric::Fabric;
use super::machines::Machines;
use super::proposal::Proposals;
use causeway_addr::Cidr;
use causeway_model::design::*;
use causeway_model::facts::Limits;
use causeway_model::finding::Finding;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

/// What all checks of ranges stand on.
#[derive(Debug)]
pub(super) struct Ground<'a> {
    pub(super) design: &'a Design,
    pub(super) fabric: Fabric<'a>,
    pub(super) machines: Machines<'a>,
    pub(super) proposals: Proposals<'a>,
    /// The dated limits, or the design's own.
    pub(super) limits: Limits,
    assumed: BTreeMap<&'a str, Vec<&'a Assumption>>,
    users: BTreeMap<&'a NetworkName, BTreeSet<&'a ClusterName>>,
}

impl<'a> Ground<'a> {
    pub(super) fn new(design: &'a Design) -> Self {
        let mut assumed: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for assumption in &design.assumed {
            assumed.entry(assumption.object.as_str()).or_default().push(assumption);
        }
        let mut users: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for (name, cluster) in &design.clusters {
            for network in cluster.networks() {
                users.entry(network).or_default().insert(name);
            }
        }
        Ground {
            design,
            fabric: Fabric::new(design),
            machines: Machines::new(design),
            proposals: Proposals::new(design),
            limits: Limits::with_overrides(&design.limit_overrides).0,
            assumed,
            users,
        }
    }

    /// The clusters whose pools are in a network.
    pub(super) fn users(&self, network: &NetworkName) -> Vec<&'a ClusterName> {
        self.users.get(network).map(|users| users.iter().copied().collect()).unwrap_or_default()
    }

    /// Says so if a range was filled in rather than stated.
    pub(super) fn mention_default(&self, finding: Finding, path: &str, range: &Cidr) -> Finding {
        let value = range.to_string();
        match self.assumed.get(path).and_then(|all| all.iter().find(|assumption| assumption.value == value)) {
            Some(assumption) => {
                finding.evidence(format!("`{path}` is not stated; `{value}` is assumed: {}", assumption.because))
            }
            None => finding,
        }
    }

    /// Where things stand in the user's files, to tell earlier from later: files in the order read, then bytes; what has no
    /// place comes after, by name. The order of an export is nobody's intention and changes from one to the next: there, names
    /// alone decide, as they do in the design file `import` writes of it.
    pub(super) fn written(&self, path: &str) -> impl Ord + use<> {
        let place = if self.design.exported { None } else { self.design.places.exact(path) };
        (place.is_none(), place)
    }
}

impl<'a> Ground<'a> {
    /// The route tables that packets of a cluster's nodes and pods meet.
    pub(super) fn tables_of(&self, cluster: &'a Cluster) -> BTreeSet<&'a RouteTableName> {
        cluster
            .pools
            .values()
            .flat_map(|pool| [&pool.subnet, &pool.pod_subnet])
            .flatten()
            .filter_map(|subnet| self.design.subnet(subnet)?.route_table.as_ref())
            .collect()
    }
}

/// The most names a finding lists; the rest is counted.
pub(super) const MOST_NAMES: usize = 12;

/// "`a`, `b` and 3 more", at most [`MOST_NAMES`] by name.
pub(crate) fn listed<T: Display>(items: &[T]) -> String {
    let quoted = |item: &T| format!("`{item}`");
    let rest = items.len().saturating_sub(MOST_NAMES);
    let mut shown: Vec<String> = items.iter().take(MOST_NAMES).map(quoted).collect();
    if rest > 0 {
        return format!("{} and {rest} more", shown.join(", "));
    }
    match (shown.pop(), shown.is_empty()) {
        (None, _) => String::new(),
        (Some(last), true) => last,
        (Some(last), false) => format!("{} and {last}", shown.join(", ")),
    }
}

/// The first of several things, and how many there are besides: "`a`", "`a` and 2 more".
pub(crate) fn first_of<T: Display>(items: &[T]) -> String {
    match items {
        [] => String::new(),
        [only] => format!("`{only}`"),
        [first, rest @ ..] => format!("`{first}` and {} more", rest.len()),
    }
}

/// "10.0.0.0/24 (10.0.0.0 to 10.0.0.255, 256 addresses)".
pub(super) fn spelled(range: &Cidr) -> String {
    format!(
        "`{range}` ({} to {}, {} {})",
        range.first(),
        range.last(),
        range.size(),
        if range.size() == 1 { "address" } else { "addresses" }
    )
}

/// The dotted path of one prefix of a network.
pub(super) fn prefix_path(network: &NetworkName, index: usize) -> String {
    format!("networks.{network}.prefixes.{index}")
}

/// "network `spoke`", "site `corp`".
pub(crate) fn network_words(design: &Design, network: &NetworkName) -> String {
    match design.networks.get(network).map(|network| network.kind) {
        Some(NetworkKind::OnPremises) => format!("site `{network}`"),
        _ => format!("network `{network}`"),
    }
}
