//! The status as Prometheus reads it. `docs/guide/masquerade-agent.md` lists the names; a test holds the two together.

use super::keep::{Doubt, Shrunk};
use super::status::Status;
use crate::keeping::exposition::{self, Page, count, number, yes};
use causeway_addr::Family;
use causeway_dataplane::masquerade::{EXEMPT_COUNTER, PACKETS_COUNTER, TRANSLATED_COUNTER};
use causeway_linux::conntrack::Statistics;
use std::collections::BTreeMap;
use std::fmt;
use std::time::UNIX_EPOCH;

/// One look at everything.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sample {
    /// The agent's own.
    pub(crate) status: Status,
    /// Connection tracking's; `None` where it can't be asked.
    pub(crate) conntrack: Option<Statistics>,
}

/// The text of the metrics page.
pub(crate) fn page(sample: Sample) -> Result<String, fmt::Error> {
    exposition::page("causeway_masquerade_", move |page| everything(page, &sample))
}

fn family(family: Family) -> String {
    match family {
        Family::V4 => "ipv4",
        Family::V6 => "ipv6",
    }
    .to_owned()
}

fn everything(page: &mut Page<'_>, sample: &Sample) -> fmt::Result {
    let Sample { status, conntrack } = sample;
    configuration(page, status)?;
    rules(page, status)?;
    traffic(page, status)?;
    let Some(conntrack) = conntrack else { return Ok(()) };
    page.gauge("conntrack_entries", "Connections the node tracks", f64::from(conntrack.entries))?;
    if let Some(most) = conntrack.maximum {
        page.gauge("conntrack_limit", "Connections the node can track", f64::from(most))?;
    }
    page.counter(
        "conntrack_insert_failed",
        "Connections lost because another one had the same source port",
        conntrack.insert_failed,
    )?;
    page.counter("conntrack_dropped", "Packets dropped because no connection could be added", conntrack.dropped)
}

fn configuration(page: &mut Page<'_>, status: &Status) -> fmt::Result {
    let valid = status.files.iter().map(|(name, (_, refused))| (name.clone(), yes(refused.is_none())));
    page.gauges("file_valid", "Whether a file of the configuration is accepted", "file", valid)?;
    let entries = status.files.iter().map(|(name, (entries, _))| (name.clone(), count(*entries)));
    page.gauges("file_entries", "Prefixes a file brings; 0 while it is refused", "file", entries)?;
    page.counter("config_reads", "Times the configuration was read", status.reads)?;
    let current = status.doubt.is_none() && status.held.is_some();
    page.gauge("config_current", "Whether what was read last is in effect", yes(current))?;
    let doubts = [Doubt::Directory, Doubt::Files, Doubt::ShrankToNothing(Shrunk::Both), Doubt::RestIsEmpty];
    let doubts =
        doubts.map(|doubt| (doubt.word().to_owned(), yes(status.doubt.map(Doubt::word) == Some(doubt.word()))));
    page.gauges("config_held_back", "Whether what was read last is held back, and why", "reason", doubts)?;
    if let Some(held) = &status.held {
        page.gauge("config_hash", "Tells configurations in effect apart", number(held.hash))?;
        page.gauge("config_partial", "Whether only some files are in effect", yes(held.partial))?;
        page.gauge("config_defaults", "Whether the built-in list is in effect", yes(held.defaults))?;
        page.gauge("config_files_gone", "Whether all files were removed while running", yes(status.files_gone))?;
        page.gauge("config_empty", "Whether no prefix is in effect", yes(held.empty))?;
    }
    if let Some(merged) = &status.merged {
        page.gauge("merged_config_written", "Whether the merged configuration is written", yes(merged.is_ok()))?;
    }
    Ok(())
}

fn rules(page: &mut Page<'_>, status: &Status) -> fmt::Result {
    page.gauges("backend", "What holds the rules", "name", [(status.backend.to_owned(), 1.0)])?;
    page.gauge("ready", "Whether packets are treated as the configuration in effect says", yes(status.is_ready()))?;
    page.gauge("in_place", "Whether the kernel held the rules when last looked at", yes(status.in_place))?;
    page.gauge("blocked", "Whether the kernel refuses the rules", yes(status.blocked.is_some()))?;
    let desired = status.held.iter().flat_map(|held| &held.desired);
    let desired = desired.map(|(of, prefixes)| (family(*of), count(*prefixes)));
    page.gauges("prefixes_desired", "Exempt prefixes that should be in the kernel", "family", desired)?;
    let present = status.present.iter().map(|(of, prefixes)| (family(*of), count(*prefixes)));
    page.gauges("prefixes_present", "Exempt prefixes that are in the kernel", "family", present)?;
    let looks = status.looks.iter().map(|(result, looks)| ((*result).to_owned(), *looks));
    page.counters("looks", "Looks at the kernel, by how they ended", "result", looks)?;
    page.counter("writes", "Looks that had to change something", status.writes)?;
    let repairs = ["notification", "resync"];
    let repairs = repairs.map(|cause| (cause.to_owned(), status.repairs.get(cause).copied().unwrap_or(0)));
    page.counters("repairs", "Times rules were changed by others and put right", "noticed_by", repairs)?;
    if let Some(took) = status.last_repair {
        page.gauge(
            "last_repair_seconds",
            "From notice of the last change by others to rules in place",
            took.as_secs_f64(),
        )?;
    }
    if let Some(since) = status.last_success.and_then(|at| at.duration_since(UNIX_EPOCH).ok()) {
        page.gauge("last_success_timestamp_seconds", "When the kernel last held the rules", since.as_secs_f64())?;
    }
    let mut foreign = BTreeMap::from([("unknown", 0)]);
    status.shadowed_by.iter().for_each(|rule| *foreign.entry(rule.owner).or_default() += 1);
    let foreign = foreign.into_iter().map(|(owner, rules)| (owner.to_owned(), count(rules)));
    page.gauges("foreign_rules", "Rules of others that take packets before ours", "owner", foreign)?;
    page.gauge("left_behind", "Rules of other agents that could not be removed", count(status.left.len()))
}

fn traffic(page: &mut Page<'_>, status: &Status) -> fmt::Result {
    let of = |name: &'static str| status.counts.iter().filter(move |((_, counter), _)| counter == name);
    let packets = |name| of(name).map(|((of, _), count)| (family(*of), count.packets));
    let help = "Packets of connections whose source was translated, by whomever";
    page.counters("translated_packets", help, "family", packets(PACKETS_COUNTER))?;
    let bytes = of(PACKETS_COUNTER).map(|((of, _), count)| (family(*of), count.bytes));
    page.counters("translated_bytes", "Bytes of those packets", "family", bytes)?;
    page.counters("translated_connections", "Connections translated here", "family", packets(TRANSLATED_COUNTER))?;
    page.counters("exempt_connections", "Connections to exempt destinations", "family", packets(EXEMPT_COUNTER))
}

#[cfg(test)]
mod tests;
