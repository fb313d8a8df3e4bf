//! Why a range has room or has not: its arithmetic in lines, and the count that proves it.

use super::PoolKind;
use super::count::{Count, many};
use super::demand::{self, Phase};
use super::rows::{Row, User};
use causeway_addr::{Cidr, Family, Request, plan};
use causeway_model::arithmetic::pods;
use causeway_model::design::{Design, Mode};

/// Writes the lines of a row's `because`; the last names what binds.
pub(crate) fn explain(design: &Design, row: &mut Row) {
    if row.answer.kind == PoolKind::ServiceCidr {
        return;
    }
    let mut lines = range(row);
    lines.extend(row.users.iter().map(user));
    if !row.tenants.is_empty() {
        let parts: Vec<&str> = row.tenants.iter().map(|tenant| tenant.what.as_str()).collect();
        lines.push(format!("others: {} = {}", parts.join(" + "), row.others));
    }
    lines.extend(headroom(row));
    lines.extend(unknowns(row));
    let needs = row.needs;
    lines.push(format!(
        "now {}; at maximum {}; during an upgrade {} at maximum, {} today",
        needs.now, needs.at_max, needs.upgrade, needs.upgrade_now
    ));
    lines.extend(bare_pods(row));
    lines.extend(losses(row));
    lines.push(verdict(design, row));
    row.answer.because = lines;
}

/// The range and what is left of it.
fn range(row: &Row) -> Vec<String> {
    let (Some(total), Some(usable)) = (row.answer.total, row.usable()) else {
        return vec!["the prefix is not known, so neither is the room".to_owned()];
    };
    let prefix = row.answer.prefix.as_deref().unwrap_or_default();
    let line = match row.answer.kind {
        PoolKind::PodCidr if total == usable => {
            format!("{prefix}: {} of /24", many(usable / demand::BLOCK, "block", "blocks"))
        }
        PoolKind::PodCidr => format!("{prefix}: holds no whole /24"),
        _ if row.in_blocks() => format!(
            "{prefix}: {} blocks of 16 less {} at the ends of each prefix, which hold the platform's reserved addresses, {usable} addresses usable",
            total / pods::STATIC_BLOCK_ADDRESSES,
            pods::STATIC_BLOCKS_LOST
        ),
        _ => format!("{prefix}: {total} addresses less {} the platform keeps, {usable} usable", total - usable),
    };
    let mut lines = vec![line];
    if row.answer.kind == PoolKind::PodCidr {
        let dual = row.users.first().into_iter().flat_map(|user| {
            let ranges = user.cluster.pod_cidrs.iter();
            ranges.filter(|range| range.family() == Family::V6)
        });
        lines.extend(dual.map(|range| {
            let blocks = 80_u32
                .checked_sub(u32::from(range.prefix_len()))
                .and_then(|bits| 1_u128.checked_shl(bits));
            match blocks {
                Some(blocks) => format!("{range}: {blocks} blocks if a node takes a /80, as samples show; no rule says so, so it limits nothing here"),
                None => format!("{range}: how much a node takes is not documented, so it limits nothing here"),
            }
        }));
    }
    lines
}

/// A pool, its cost and its nodes.
fn user(user: &User) -> String {
    let mut line = format!(
        "{}: {}; nodes: {} now, {} at maximum, {} with surge ({})",
        user.name(),
        user.per_node.how,
        user.nodes(Phase::Now),
        user.nodes(Phase::AtMax),
        user.nodes(Phase::Upgrade),
        demand::surge_words(user.pool),
    );
    if let Some(measured) = user.measured() {
        let source = if user.pool.allocated.is_some() { "by the nodes' own account" } else { "for the pods listed" };
        line.push_str(&format!("; {measured} held now {source}"));
    }
    line
}

/// What the design keeps on top of surge.
fn headroom(row: &Row) -> Vec<String> {
    let mut lines = Vec::new();
    let mut last = None;
    for user in &row.users {
        if last == Some(user.cluster_name) {
            continue;
        }
        last = Some(user.cluster_name);
        let headroom = user.cluster.headroom;
        if demand::headroom_nodes(user.cluster) > 0 {
            lines.push(format!(
                "{}: {} emergency and {} migration overlap nodes join during an upgrade, in whichever pool costs most",
                user.cluster_name, headroom.emergency_nodes, headroom.migration_overlap_nodes
            ));
        }
        if let Some(churn) = headroom.churn
            && user.per_node.pods.is_some()
        {
            lines.push(format!("{}: {churn} of pods rest before their addresses are used again", user.cluster_name));
        }
    }
    lines
}

/// A pool has more nodes than its autoscaler may give it, or fewer.
fn out_of_bounds(user: &User) -> Option<String> {
    let nodes = &user.pool.nodes;
    let count = nodes.count?;
    let name = user.name();
    match (nodes.min, nodes.max) {
        (_, Some(max)) if count > max => {
            Some(format!("{name}: {count} nodes now, above the maximum of {max}: {count} is taken for the maximum"))
        }
        (Some(min), _) if count < min => {
            Some(format!("{name}: {count} now, below the minimum of {min}: `now` takes what there is"))
        }
        _ => None,
    }
}

/// What is missing for a whole answer.
fn unknowns(row: &Row) -> Vec<String> {
    let mut lines = Vec::new();
    let mut last = None;
    for user in &row.users {
        if last != Some(user.cluster_name) && demand::sizes_itself(user.cluster) {
            lines.push(format!(
                "{}: node auto-provisioning adds nodes by itself; state a `max` on the pool it grows to get an answer",
                user.cluster_name
            ));
        }
        last = Some(user.cluster_name);
        lines.extend(out_of_bounds(user));
        if user.per_node.pods.is_some() && user.measured().is_none() {
            lines.push(format!(
                "{}: how many pods run now is not counted, so `now` takes every node as full",
                user.name()
            ));
        }
    }
    let mut without: Vec<String> = row.users.iter().filter(|user| user.pool.zones.is_empty()).map(User::name).collect();
    without.dedup();
    if !without.is_empty() {
        lines.push(format!("zones of {} are not stated, so the loss of one is not judged", without.join(", ")));
    }
    if row.has_windows_nodes() && row.usable().is_some() {
        lines.push(
            "Windows nodes have more addresses reserved than Linux ones, how many is not documented (`unk.windows-reserved`): \
             the counts leave them out, and it only counts as fitting with a tenth to spare"
                .to_owned(),
        );
    }
    lines
}

/// Under dynamic allocation both figures: whole batches, and the rule of thumb of one address a pod.
fn bare_pods(row: &Row) -> Option<String> {
    let mut dynamic = row.users.iter().filter(|user| user.per_node.pods.is_some()).peekable();
    dynamic.peek()?;
    let pods: Count = dynamic.map(|user| user.nodes(Phase::Upgrade).times(Count::of(user.per_node.pods))).sum();
    Some(format!(
        "nodes x pods at full density, surge counted in, is {pods}; batches make it {}, headroom and others counted in",
        row.needs.upgrade
    ))
}

/// After losing a node or a zone, and whether what replaces them finds room.
fn losses(row: &Row) -> Option<String> {
    let usable = row.usable()?;
    let words = |after: Option<u64>| match after {
        Some(after) if after > usable => format!("{after}, for which there is no room"),
        Some(after) => after.to_string(),
        None => "unknown".to_owned(),
    };
    Some(format!(
        "after losing a node at maximum {}; after losing a zone {}",
        words(row.answer.after_node_loss),
        words(row.answer.after_zone_loss)
    ))
}

/// The last line: what is left, what is missing, or what would have to be known.
fn verdict(design: &Design, row: &Row) -> String {
    let Some(usable) = row.usable() else {
        return "unknown: the prefix".to_owned();
    };
    match row.answer.fits {
        Some(true) => {
            let need = row.needs.upgrade.at_least;
            format!("fits: {need} of {usable} during an upgrade, {} left", usable.saturating_sub(need))
        }
        Some(false) => {
            let mut line = counting(row, row.needs.upgrade, Phase::Upgrade);
            if let Some(len) = row.answer.smallest_prefix {
                line.push_str(&format!("; {}", remedy(design, row, len)));
            }
            line
        }
        None if row.needs.upgrade.exact => "unknown: what Windows nodes reserve (`unk.windows-reserved`)".to_owned(),
        None => format!(
            "unknown: at least {} of {usable} during an upgrade, and a part is not stated",
            row.needs.upgrade.at_least
        ),
    }
}

/// The count that proves that a need does not fit: how many nodes do, and how many there are.
pub(crate) fn counting(row: &Row, need: Count, phase: Phase) -> String {
    let usable = row.usable().unwrap_or(0);
    let short = need.at_least.saturating_sub(usable);
    let nodes = distinct_nodes(row, phase);
    let others = row.others.at_least;
    let costs: Vec<Count> = row.users.iter().map(|user| user.per_node.addresses).collect();
    let same = costs.first().filter(|first| first.exact && costs.iter().all(|cost| cost == *first) && one_role(row));
    let Some(cost) = same.map(|cost| cost.at_least).filter(|cost| *cost > 0) else {
        return format!("does not fit: {} are needed and {usable} usable, {short} short", need);
    };
    let fit = usable.saturating_sub(others) / cost;
    if row.answer.kind == PoolKind::PodCidr {
        return format!(
            "does not fit: {nodes} nodes need {nodes} blocks of /24 and there are {fit}; {fit} nodes fit, surge counted in"
        );
    }
    let less = if others > 0 { format!("({usable} - {others})") } else { usable.to_string() };
    format!(
        "does not fit: {need} are needed and {usable} usable, {short} short; floor({less} / {cost}) = {fit} nodes fit and {nodes} are needed"
    )
}

/// Nodes of a row in a phase, headroom counted in; a pool with two roles in the range counts once.
fn distinct_nodes(row: &Row, phase: Phase) -> Count {
    let mut last = None;
    let mut total = Count::NONE;
    let mut cluster = None;
    for user in &row.users {
        let key = (user.cluster_name, user.pool_name);
        if last != Some(key) {
            total = total + user.nodes(phase);
        }
        last = Some(key);
        if cluster != Some(user.cluster_name) && matches!(phase, Phase::Upgrade | Phase::Growth(_)) {
            total = total + Count::exact(demand::headroom_nodes(user.cluster));
        }
        cluster = Some(user.cluster_name);
    }
    total
}

fn one_role(row: &Row) -> bool {
    let churn = row.users.iter().any(|user| user.per_node.pods.is_some() && user.cluster.headroom.churn.is_some());
    !churn && row.users.windows(2).all(|pair| matches!(pair, [one, other] if one.role == other.role))
}

/// The smallest prefix that works, and whether there is a place for it.
pub(crate) fn remedy(design: &Design, row: &Row, len: u8) -> String {
    let works = format!("/{len} is the smallest prefix that works");
    match row.answer.kind {
        PoolKind::PodCidr => {
            let overlay = row.users.iter().all(|user| user.cluster.mode_of(user.pool) == Some(Mode::Overlay));
            match (overlay, row.prefixes.first().and_then(|prefix| prefix.truncate(len))) {
                (true, Some(wider)) => format!("{works}; {wider} is the one that contains the range"),
                _ => works,
            }
        }
        PoolKind::NodeSubnet | PoolKind::PodSubnet => match free_block(design, row, len) {
            Some(Ok(block)) => format!("{works}, and {block} is free for it"),
            Some(Err(Some(largest))) => {
                format!("{works}, and the network has none free: its largest free block is a /{largest}")
            }
            Some(Err(None)) => format!("{works}, and the network has no free block at all"),
            None => works,
        },
        PoolKind::ServiceCidr => works,
    }
}

/// A free aligned block of the row's network, or the length of the largest there is. `None` where there is no network to look in.
fn free_block(design: &Design, row: &Row, len: u8) -> Option<Result<Cidr, Option<u8>>> {
    let network = design.networks.get(&row.subnet.as_ref()?.network)?;
    let taken: Vec<Cidr> = network.subnets.values().flat_map(|subnet| subnet.prefixes.iter().copied()).collect();
    let request = Request::new("subnet", Family::V4, len)?;
    Some(match plan(&network.prefixes, &taken, &[request]) {
        Ok(placed) => Ok(placed.first()?.cidr),
        Err(proof) => Err(proof.levels.iter().find(|level| level.free > 0).map(|level| level.prefix_len)),
    })
}
