//! Ranges that are full, or will be: the worst thing about each, once.

use super::super::PoolKind;
use super::super::argument;
use super::super::count::Count;
use super::super::demand::{self, Phase};
use super::super::losses;
use super::super::rows::{Role, Row, User};
use super::super::services as service_range;
use super::{many, named};
use causeway_model::arithmetic::{pods, subnet};
use causeway_model::codes::{self, Code};
use causeway_model::design::{Design, Mode, Os};
use causeway_model::facts::{ModeFacts, upgrade};
use causeway_model::finding::Finding;

/// Findings about one range.
pub(super) fn check(design: &Design, row: &Row, out: &mut Vec<Finding>) {
    let shortage = match row.answer.kind {
        PoolKind::ServiceCidr => services(row),
        PoolKind::PodCidr => pod_cidr(design, row),
        PoolKind::NodeSubnet | PoolKind::PodSubnet => subnet_room(design, row),
    };
    if shortage.is_none() {
        out.extend(after_loss(design, row));
    }
    let full = shortage.as_ref().is_some_and(|finding| finding.code == codes::SUBNET_FULL);
    out.extend(shortage);
    if !full {
        out.extend(utilisation(design, row));
    }
    out.extend(shared(row));
    for user in &row.users {
        out.extend(block_waste(user));
    }
}

/// The worst of: full now, at maximum, during an upgrade, after growth.
fn subnet_room(design: &Design, row: &Row) -> Option<Finding> {
    let usable = row.usable()?;
    let needs = row.needs;
    let over = |count: Count| count.within(Some(usable)) == Some(false);
    let (code, phase, need, what) = if over(needs.certain_now) {
        (codes::SUBNET_FULL, Phase::Now, needs.certain_now, "are held by what the design has now".to_owned())
    } else if over(needs.at_max) {
        (codes::NO_ROOM_FOR_MAX, Phase::AtMax, needs.at_max, at_max_words(row))
    } else if over(needs.upgrade) {
        (codes::NO_ROOM_FOR_SURGE, Phase::Upgrade, needs.upgrade, surge_words(row))
    } else {
        return growth(design, row);
    };
    Some(shortage(design, row, code, phase, need, &what))
}

fn at_max_words(row: &Row) -> String {
    let dynamic = row.users.iter().any(|user| user.per_node.pods.is_some());
    if dynamic {
        "are needed when every pool is at its maximum and its nodes are full".to_owned()
    } else {
        "are needed when every pool is at its maximum".to_owned()
    }
}

fn surge_words(row: &Row) -> String {
    let headroom = row.users.iter().any(|user| {
        demand::headroom_nodes(user.cluster) > 0
            || (user.per_node.pods.is_some() && user.cluster.headroom.churn.is_some())
    });
    if headroom {
        "are needed during an upgrade at the maximum, surge and headroom counted in".to_owned()
    } else {
        "are needed during an upgrade at the maximum, surge counted in".to_owned()
    }
}

fn pod_cidr(design: &Design, row: &Row) -> Option<Finding> {
    let usable = row.usable()?;
    let needs = row.needs;
    let over = |count: Count| count.within(Some(usable)) == Some(false);
    let (phase, need, when) = if over(needs.now) {
        (Phase::Now, needs.now, "the nodes there are")
    } else if over(needs.at_max) {
        (Phase::AtMax, needs.at_max, "the pools at their maximum")
    } else if over(needs.upgrade) {
        (Phase::Upgrade, needs.upgrade, "an upgrade at the maximum, surge and headroom counted in,")
    } else {
        return growth(design, row);
    };
    let blocks = usable / demand::BLOCK;
    let wanted = need.map(|need| need.div_ceil(demand::BLOCK));
    let message = format!(
        "{} has {} of /24, a node takes one whole, and {when} need {wanted}",
        named(row),
        many(blocks, "block", "blocks"),
    );
    let linux = row
        .users
        .iter()
        .all(|user| user.pool.os == Os::Linux && user.cluster.mode_of(user.pool) == Some(Mode::Overlay));
    let len = row.answer.smallest_prefix;
    let help = match (len, linux) {
        (Some(len), true) => format!(
            "take a /{len} or shorter; a running overlay cluster with Linux nodes only can extend its range to one that contains it"
        ),
        (Some(len), false) => {
            format!("take a /{len} or shorter; the range of a running cluster like this can't be extended")
        }
        (None, _) => "take a shorter prefix".to_owned(),
    };
    let mut finding =
        evidence(row, Finding::new(codes::POD_CIDR_EXHAUSTED, &row.answer.object, message), phase, need).help(help);
    finding.since = since(row);
    Some(finding)
}

fn services(row: &Row) -> Option<Finding> {
    let usable = row.usable()?;
    let held = row.needs.now.value().filter(|held| *held >= usable)?;
    let mut finding = Finding::new(
        codes::SERVICE_CIDR_EXHAUSTED,
        &row.answer.object,
        format!(
            "{} has {usable} usable addresses and the listed services hold {held}: there is none for another",
            named(row)
        ),
    )
    .help(match service_range::prefix_for(held) {
        Some(len) => format!("take a range much larger than a /{len}, which would be full again"),
        None => "take a shorter prefix".to_owned(),
    });
    finding.on.extend(row.prefixes.iter().map(ToString::to_string));
    finding.evidence.clone_from(&row.answer.because);
    Some(finding)
}

/// What the stated growth needs.
fn growth(design: &Design, row: &Row) -> Option<Finding> {
    let need = row.needs.growth?;
    let factor = demand::growth(design)?;
    if need.within(row.usable()) != Some(false) {
        return None;
    }
    let months = design
        .growth
        .and_then(|growth| growth.months)
        .map_or(String::new(), |months| format!(" in {}", many(u64::from(months), "month", "months")));
    let what = format!("are needed after growth by {factor}{months}, surge counted in");
    let mut finding = shortage(design, row, codes::NO_ROOM_FOR_GROWTH, Phase::Growth(factor), need, &what);
    finding.related.push(("growth".to_owned(), format!("nodes x {factor}")));
    finding.help = match prefix_for(row, need) {
        Some(len) => format!("while it is a plan, {}", argument::remedy(design, row, len)),
        None => "no single range is large enough: split the pools".to_owned(),
    };
    Some(finding)
}

/// What holds everything as long as nothing is lost: the worst of a node and a zone that can't be replaced.
fn after_loss(design: &Design, row: &Row) -> Option<Finding> {
    let usable = row.usable()?;
    if row.answer.kind == PoolKind::ServiceCidr {
        return None;
    }
    let losses = losses::of(row);
    let over = |count: Count| count.within(Some(usable)) == Some(false);
    let (lost, need) = if over(losses.node) {
        ("node", losses.node)
    } else if over(losses.zone) {
        ("zone", losses.zone)
    } else {
        return None;
    };
    let message = format!(
        "{} has {} and {need} are needed at the maximum to replace a lost {lost} while its addresses are still held",
        named(row),
        many(usable, "usable address", "usable addresses")
    );
    let help = match prefix_for(row, need) {
        Some(len) => format!("while it is a plan, {}", argument::remedy(design, row, len)),
        None => "no single range is large enough: split the pools".to_owned(),
    };
    let mut finding =
        evidence(row, Finding::new(codes::NO_ROOM_AFTER_LOSS, &row.answer.object, message), Phase::AtMax, need)
            .help(help);
    finding.since = since(row);
    Some(finding)
}

/// The longest prefix with room for a need in a row's range.
fn prefix_for(row: &Row, need: Count) -> Option<u8> {
    let need = need.value()?;
    match row.answer.kind {
        PoolKind::PodCidr => pods::pod_cidr_for(need.div_ceil(demand::BLOCK)),
        _ if row.in_blocks() => pods::static_subnet_for(need.div_ceil(pods::STATIC_BLOCK_ADDRESSES)),
        _ => subnet::subnet_for(need),
    }
}

fn shortage(design: &Design, row: &Row, code: Code, phase: Phase, need: Count, what: &str) -> Finding {
    let usable = row.usable().unwrap_or(0);
    let message =
        format!("{} has {} and {need} {what}", named(row), many(usable, "usable address", "usable addresses"));
    let help = match row.answer.smallest_prefix {
        Some(len) => format!(
            "put the pools on a new subnet, since the range of one in use can't be changed: {}",
            argument::remedy(design, row, len)
        ),
        None => "put the pools on a new, larger subnet, since the range of one in use can't be changed".to_owned(),
    };
    let mut finding = evidence(row, Finding::new(code, &row.answer.object, message), phase, need).help(help);
    finding.since =
        if code == codes::NO_ROOM_FOR_SURGE { Some(upgrade::FAILS_WITHOUT_SURGE.as_of) } else { since(row) };
    finding
}

/// The date of what says how many addresses a node takes here.
fn since(row: &Row) -> Option<jiff::civil::Date> {
    let user = row.users.first()?;
    let facts = ModeFacts::of(user.cluster.mode_of(user.pool)?);
    Some(match user.role {
        Role::Nodes => facts.node_takes.as_of,
        Role::Pods | Role::Blocks => facts.allocation.as_of,
    })
}

/// The arithmetic, the count that proves it, and the pools that take part.
fn evidence(row: &Row, mut finding: Finding, phase: Phase, need: Count) -> Finding {
    finding.on.extend(row.prefixes.iter().map(ToString::to_string));
    let proof = argument::counting(row, need, phase);
    finding.evidence.extend(row.answer.because.iter().filter(|line| !line.starts_with("does not fit")).cloned());
    finding.evidence.push(proof);
    for user in &row.users {
        let words = format!(
            "{} now, {} at maximum, {} with surge",
            user.nodes(Phase::Now),
            user.nodes(Phase::AtMax),
            user.nodes(Phase::Upgrade)
        );
        let path = format!("{}.nodes", user.path());
        if !finding.related.iter().any(|(known, _)| *known == path) {
            finding.related.push((path, words));
        }
    }
    finding
}

/// Fuller than the level the design states.
fn utilisation(design: &Design, row: &Row) -> Option<Finding> {
    if row.answer.kind == PoolKind::ServiceCidr {
        return None;
    }
    let level = u128::from(design.alarm_at?);
    let (now, usable) = (row.needs.now.at_least, row.usable().filter(|usable| *usable > 0)?);
    if u128::from(now) * 100 <= level * u128::from(usable) {
        return None;
    }
    let percent = u128::from(now) * 100 / u128::from(usable);
    let mut finding = Finding::new(
        codes::UTILISATION_ABOVE_ALARM,
        &row.answer.object,
        format!("{} is at {percent}%, above the alarm level of {level}%", named(row)),
    )
    .help("plan the next range now: a new subnet, its routes and allow-lists take longer than filling the rest")
    .evidence(format!("{now} of {usable} usable addresses are held now"));
    finding.on.extend(row.prefixes.iter().map(ToString::to_string));
    if row.users.iter().any(|user| user.per_node.pods.is_some() && user.measured().is_none()) {
        finding.evidence.push("how many pods run is not counted, so every node is taken as full".to_owned());
    }
    finding.related.push(("alarmAt".to_owned(), format!("{level}%")));
    Some(finding)
}

/// Others on the subnet that nodes or pods want to grow on.
fn shared(row: &Row) -> Option<Finding> {
    let guests: Vec<_> = row.tenants.iter().filter(|tenant| tenant.competes).collect();
    if guests.is_empty() {
        return None;
    }
    let held: Count = guests.iter().map(|tenant| tenant.addresses).sum();
    let subnet = row.subnet.as_ref()?;
    let whose = match row.answer.kind {
        PoolKind::PodSubnet => "pods",
        _ => "nodes",
    };
    let mut finding = Finding::new(
        codes::SUBNET_SHARED,
        subnet.path(),
        format!("{} belongs to {whose}, and others hold {held} of its addresses", named(row)),
    )
    .help("give private endpoints, gateways and machines subnets of their own: a /27 carries 27 endpoints");
    finding.on.extend(row.prefixes.iter().map(ToString::to_string));
    for tenant in guests {
        finding.evidence.push(tenant.what.clone());
        finding.related.push((tenant.object.clone(), tenant.what.clone()));
    }
    if let (Some(usable), Some(need)) = (row.usable(), row.needs.upgrade.value()) {
        finding.evidence.push(format!("an upgrade needs {need} of {usable} usable addresses, theirs counted in"));
    }
    Some(finding)
}

/// Addresses of a node's blocks that no pod can use.
fn block_waste(user: &User) -> Option<Finding> {
    if user.role != Role::Pods || !user.per_node.in_blocks {
        return None;
    }
    let max_pods = u64::from(user.pool.max_pods?);
    let waste = pods::static_waste(max_pods);
    if waste == 0 {
        return None;
    }
    let blocks = pods::static_blocks_per_node(max_pods);
    let above = pods::static_ideal_max_pods(max_pods);
    let below = above.saturating_sub(pods::STATIC_BLOCK_ADDRESSES);
    let choice = if below >= 10 { format!("{below} or {above}") } else { above.to_string() };
    let facts = ModeFacts::of(Mode::PodSubnetStatic);
    Some(
        Finding::new(
            codes::STATIC_BLOCK_WASTE,
            format!("{}.maxPods", user.path()),
            format!(
                "`maxPods: {max_pods}` takes {} of 16 on every node and leaves {} unused",
                many(blocks, "block", "blocks"),
                many(waste, "address", "addresses")
            ),
        )
        .help(format!("for the next pool take {choice}: one less than a multiple of 16 uses blocks whole"))
        .on(max_pods)
        .evidence(format!(
            "ceil(({max_pods} + 1) / 16) = {blocks} blocks, {} addresses for pods, {waste} more than `maxPods`",
            above
        ))
        .evidence(format!(
            "{} at the maximum waste {} addresses",
            user.nodes(Phase::AtMax),
            user.nodes(Phase::AtMax).times(Count::exact(waste))
        ))
        .since(facts.allocation.as_of),
    )
}
