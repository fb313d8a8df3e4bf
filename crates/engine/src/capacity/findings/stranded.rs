//! Addresses that nodes of dynamic allocation hold and no pod uses.

use super::super::demand::{self, Phase};
use super::super::rows::{Row, User};
use super::named;
use causeway_model::codes;
use causeway_model::design::Mode;
use causeway_model::facts::ModeFacts;
use causeway_model::finding::Finding;

/// Addresses that batches hold and no pod uses: a third of the subnet, or what makes the difference between fitting and not.
pub(super) fn planned(row: &Row) -> Option<Finding> {
    let usable = row.usable().filter(|usable| *usable > 0)?;
    let dynamic: Vec<&User> = row.users.iter().filter(|user| user.per_node.pods.is_some()).collect();
    if dynamic.is_empty() {
        return None;
    }
    let idle_at = |phase| -> u64 {
        dynamic
            .iter()
            .map(|user| {
                let idle = user.per_node.addresses.at_least.saturating_sub(user.per_node.pods.unwrap_or(0));
                user.nodes(phase).at_least.saturating_mul(idle)
            })
            .fold(0, u64::saturating_add)
    };
    let idle = idle_at(Phase::AtMax);
    let surging = idle_at(Phase::Upgrade);
    let need = row.needs.upgrade.at_least;
    let decides = need > usable && need.saturating_sub(surging) <= usable;
    if !decides && u128::from(idle) * 3 < u128::from(usable) {
        return None;
    }
    let mut finding = Finding::new(
        codes::POD_SUBNET_STRANDED_ADDRESSES,
        &row.answer.object,
        format!("on {} up to {idle} of {usable} usable addresses lie idle in the batches of full nodes", named(row)),
    )
    .help("use fewer, larger nodes: idle addresses come with nodes, not with pods")
    .since(ModeFacts::of(Mode::PodSubnet).allocation.as_of);
    finding.on.extend(row.prefixes.iter().map(ToString::to_string));
    for user in dynamic {
        let (held, used) = (user.per_node.addresses.at_least, user.per_node.pods.unwrap_or(0));
        finding.evidence.push(format!(
            "{}: a full node holds {held} addresses for {used} pods, {} idle; {} nodes at maximum",
            user.name(),
            held.saturating_sub(used),
            user.nodes(Phase::AtMax)
        ));
        finding.related.push((format!("{}.maxPods", user.path()), format!("{held} addresses for {used} pods")));
    }
    if decides {
        finding.evidence.push(format!(
            "an upgrade needs {need} of {usable}; with one address a pod it would need {}",
            need.saturating_sub(surging)
        ));
    }
    Some(finding)
}

/// Pools whose nodes hold more by their own account than the pods listed on them explain: addresses of pods long gone, or a release
/// that never came.
pub(super) fn leaked(user: &User) -> Option<Finding> {
    user.per_node.pods?;
    let (held, inventory) = (user.pool.allocated?, user.inventory.as_ref()?);
    let batches = demand::batches(user.cluster);
    let (explained, pods) = (inventory.at_most(batches), inventory.pods());
    if held <= explained {
        return None;
    }
    Some(
        Finding::new(
            codes::POD_SUBNET_STRANDED_ADDRESSES,
            format!("{}.podSubnet", user.path()),
            format!("the nodes of `{}` hold {held} addresses for {pods} pods, and at most {explained} are explained", user.name()),
        )
        .help("look at the release side: `spec.ipsNotInUse` of the nodes' network configurations, and addresses of pods long gone")
        .on(held)
        .evidence(format!(
            "a node gives a batch of {} back when more than {} of its addresses are free, so it holds {} more than its pods at most",
            batches.batch,
            batches.max_free(),
            batches.max_free()
        ))
        .since(ModeFacts::of(Mode::PodSubnet).allocation.as_of),
    )
}
