//! What nobody says of an engine or of an API, and how it may be: what is sure is sure in each of these worlds.

use crate::classes::Class;
use crate::dialect::Known;
use crate::index::Index;
use crate::rules::Compiled;
use causeway_model::policy::{Direction, PolicyKind, PolicyTier};

/// One way it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct World {
    /// The engine reads policies of policy.networking.k8s.io.
    pub(crate) tiered: bool,
    /// The engine enforces policies with `endPort`.
    pub(crate) ranges: bool,
    /// The BaselineAdminNetworkPolicy is asked after those of the newer API.
    pub(crate) old_baseline_last: bool,
}

impl World {
    /// Whether the engine enforces a policy there.
    pub(crate) fn enforces(&self, policy: &Compiled) -> bool {
        self.ranges || !policy.doubted
    }
}

impl Index {
    /// The worlds that may differ in what they say of a class; the first is what is taken for the likely one.
    pub(crate) fn worlds(&self, class: &Class, direction: Direction) -> Vec<World> {
        let (mut tiers, mut doubted, mut old, mut new) = (false, false, false, false);
        for (policy, _) in self.rules_of(class, direction) {
            tiers |= policy.source.tier != PolicyTier::NetworkPolicy;
            doubted |= policy.doubted;
            if policy.source.tier == PolicyTier::Baseline {
                old |= policy.is_old_baseline();
                new |= policy.source.id.kind == PolicyKind::ClusterNetworkPolicy;
            }
        }
        let either = |open: bool, likely: bool| if open { vec![likely, !likely] } else { vec![likely] };
        let mut out = Vec::new();
        for tiered in either(tiers && self.dialect.reads_tiers == Known::NotSaid, tiers) {
            for ranges in either(doubted, true) {
                for old_baseline_last in either(tiered && old && new, true) {
                    out.push(World { tiered, ranges, old_baseline_last });
                }
            }
        }
        out
    }

    /// What is not known where two worlds say different things of a class.
    pub(crate) fn between(&self, one: World, other: World, class: &Class, direction: Direction) -> Vec<String> {
        let engine = self.dialect.engine;
        let mut out = Vec::new();
        let named = |wanted: &dyn Fn(&Compiled) -> bool| {
            let mut found = self.rules_of(class, direction).map(|(policy, _)| policy).filter(|policy| wanted(policy));
            found.next().map(|policy| policy.source.id.to_string()).unwrap_or_default()
        };
        if one.tiered != other.tiered {
            out.push(format!("whether `{engine}` reads policies of policy.networking.k8s.io"));
        }
        if one.ranges != other.ranges {
            let policy = named(&|policy| policy.doubted);
            out.push(format!(
                "whether `{engine}` enforces `{policy}`, which has an `endPort`: only with Cilium 1.17 or later (Kubernetes 1.32) is \
                 that sure; give the version of the cluster"
            ));
        }
        if one.old_baseline_last != other.old_baseline_last {
            let old = named(&Compiled::is_old_baseline);
            let new = named(&|policy| policy.source.tier == PolicyTier::Baseline && !policy.is_old_baseline());
            out.push(format!("which of `{old}` and `{new}` is asked first: no API says"));
        }
        out
    }

    /// The policies about a class in one world, in the order they are asked there.
    pub(crate) fn rules_in<'a>(
        &'a self,
        world: World,
        class: &'a Class,
        direction: Direction,
        tier: PolicyTier,
    ) -> Vec<(&'a Compiled, &'a [crate::rules::Rule])> {
        let all = self.rules_of(class, direction);
        let mut out: Vec<_> = all.filter(|(policy, _)| policy.source.tier == tier && world.enforces(policy)).collect();
        if !world.old_baseline_last {
            out.sort_by_key(|(policy, _)| !policy.is_old_baseline());
        }
        out
    }
}

/// Whether two policies of one tier have the same place in it.
pub(crate) fn is_tie(one: &Compiled, other: &Compiled) -> bool {
    (one.source.priority, one.is_old_baseline()) == (other.source.priority, other.is_old_baseline())
}
