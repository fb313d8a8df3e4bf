//! The status as Prometheus reads it. `docs/guide/masquerade-agent.md` lists the names; a test holds the two together.

use super::keep::{Doubt, Shrunk};
use super::status::Status;
use causeway_addr::Family;
use causeway_dataplane::masquerade::{EXEMPT_COUNTER, PACKETS_COUNTER, TRANSLATED_COUNTER};
use causeway_linux::conntrack::Statistics;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _, text};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
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

/// The text of the metrics page, and its type.
pub(crate) fn page(sample: Sample) -> Result<String, fmt::Error> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Exposition(sample)));
    let mut page = String::new();
    text::encode(&mut page, &registry)?;
    Ok(page)
}

/// The type of the metrics page.
pub(crate) const PAGE_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Debug)]
struct Exposition(Sample);

/// A row of a metric with one label: the label's value, and the row's.
type Row<V> = (String, V);

struct Page<'a>(DescriptorEncoder<'a>);

impl Page<'_> {
    fn gauge(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        let gauge = ConstGauge::new(value);
        gauge.encode(self.0.encode_descriptor(&named(name), help, None, gauge.metric_type())?)
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        let counter = ConstCounter::new(value);
        counter.encode(self.0.encode_descriptor(&named(name), help, None, counter.metric_type())?)
    }

    fn gauges(&mut self, name: &str, help: &str, label: &str, rows: impl IntoIterator<Item = Row<f64>>) -> fmt::Result {
        let name = named(name);
        let mut metric = self.0.encode_descriptor(&name, help, None, ConstGauge::new(0.0).metric_type())?;
        for (value_of_label, value) in rows {
            ConstGauge::new(value).encode(metric.encode_family(&[(label, value_of_label.as_str())])?)?;
        }
        Ok(())
    }

    fn counters(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        rows: impl IntoIterator<Item = Row<u64>>,
    ) -> fmt::Result {
        let name = named(name);
        let mut metric = self.0.encode_descriptor(&name, help, None, ConstCounter::new(0_u64).metric_type())?;
        for (value_of_label, value) in rows {
            ConstCounter::new(value).encode(metric.encode_family(&[(label, value_of_label.as_str())])?)?;
        }
        Ok(())
    }
}

fn named(name: &str) -> String {
    format!("causeway_masquerade_{name}")
}

fn yes(value: bool) -> f64 {
    if value { 1.0 } else { 0.0 }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of prefixes and rules, and hashes of 48 bits, are exact in a double"
)]
fn number(value: u64) -> f64 {
    value as f64
}

fn count(value: usize) -> f64 {
    number(u64::try_from(value).unwrap_or(u64::MAX))
}

fn family(family: Family) -> String {
    match family {
        Family::V4 => "ipv4",
        Family::V6 => "ipv6",
    }
    .to_owned()
}

impl Collector for Exposition {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Sample { status, conntrack } = &self.0;
        let mut page = Page(encoder);
        configuration(&mut page, status)?;
        rules(&mut page, status)?;
        traffic(&mut page, status)?;
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
