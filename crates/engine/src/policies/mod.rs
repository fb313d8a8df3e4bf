//! What policies do that their writers did not mean: names, doors and watchers cut off, prefixes that match nobody or too many, rules
//! that never decide, or that meet other addresses than they were written for.

mod balanced;
mod blocks;
mod cuts;
mod dns;
mod doors;
mod itself;
mod nodes;
mod translated;
mod watchers;

use crate::Context;
use causeway_model::design::{Cluster, ClusterName, Design, PolicyEngine};
use causeway_model::finding::Finding;
use causeway_model::policy::{Direction, PolicyId};
use causeway_policy::{Engine, Index, world};
use std::collections::{BTreeMap, BTreeSet};

/// Policies of a cluster, and what they come to.
struct Cx<'a> {
    design: &'a Design,
    path: String,
    name: &'a ClusterName,
    cluster: &'a Cluster,
    engine: Engine,
    index: Index,
    /// Where each policy stands in the list.
    places: BTreeMap<&'a PolicyId, usize>,
    /// Namespaces whose pods are known.
    peopled: BTreeSet<&'a str>,
}

impl Cx<'_> {
    /// The path of a policy, or of one of its rules.
    fn path(&self, policy: &PolicyId, rule: Option<(Direction, usize)>) -> String {
        let at = self.places.get(policy);
        let policies = format!("{}.policies", self.path);
        let policy = at.map_or_else(|| policies.clone(), |at| format!("{policies}.{at}"));
        rule.map_or_else(|| policy.clone(), |(direction, rule)| format!("{policy}.spec.{direction}.{rule}"))
    }

    /// Whether the pods a policy could select are known: a design that lists none says nothing about them.
    fn is_peopled(&self, policy: &PolicyId) -> bool {
        match &policy.namespace {
            Some(namespace) => self.peopled.contains(namespace.as_str()),
            None => !self.peopled.is_empty(),
        }
    }

    /// Policies that are not understood may allow what the others do not.
    fn has_foreign(&self) -> bool {
        self.cluster.policies.iter().any(|policy| policy.meaning.is_none())
    }
}

pub(crate) fn check(context: &Context<'_>, out: &mut Vec<Finding>) {
    for (name, cluster) in &context.design.clusters {
        if cluster.policies.iter().all(|policy| policy.meaning.is_none()) {
            continue;
        }
        let engine = match world::engine_of(cluster) {
            // What policies mean among each other they mean without anybody who enforces them.
            Engine::None => Engine::Strict,
            engine => engine,
        };
        let ids = cluster.policies.iter().map(|policy| policy.meaning.as_ref().map(|meaning| &meaning.id));
        let alive = cluster.pods.iter().filter(|pod| !pod.terminated);
        let cx = Cx {
            design: context.design,
            path: format!("clusters.{name}"),
            name,
            cluster,
            engine,
            // Checks ask what the policies that are understood say, and tell themselves where others may say more.
            index: world::index_of_understood(context.design, cluster, engine),
            places: ids.enumerate().filter_map(|(at, id)| Some((id?, at))).collect(),
            peopled: alive.map(|pod| pod.namespace.as_str()).collect(),
        };
        itself::check(&cx, out);
        // What nobody enforces cuts nothing; that it is not enforced is a finding of its own.
        if cluster.network_policy != Some(PolicyEngine::None) {
            dns::check(&cx, out);
            blocks::check(&cx, out);
            doors::check(&cx, out);
            watchers::check(&cx, out);
            translated::check(&cx, out);
            itself::room(&cx, out);
        }
    }
}
