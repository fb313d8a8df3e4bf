//! The status as Prometheus reads it. `docs/guide/policy-enforcement.md` lists the names; a test holds the two together.

use super::denied::without_policy;
use super::status::{BUCKETS, Histogram, Status, Waiting};
use crate::keeping::exposition::{self, Page, count, yes};
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// The text of the page of metrics.
pub(crate) fn page(status: Status) -> Result<String, fmt::Error> {
    exposition::page("causeway_policy_", move |page| everything(page, &status))
}

fn everything(page: &mut Page<'_>, status: &Status) -> fmt::Result {
    source(page, status)?;
    policies(page, status)?;
    rules(page, status)?;
    denied(page, status)
}

fn seconds(at: Option<SystemTime>) -> Option<f64> {
    Some(at?.duration_since(UNIX_EPOCH).ok()?.as_secs_f64())
}

fn source(page: &mut Page<'_>, status: &Status) -> fmt::Result {
    page.gauge("folder_readable", "Whether the folder of manifests can be read", yes(status.folder.is_none()))?;
    let valid = status.files.iter().map(|(name, file)| (name.clone(), yes(file.trouble.is_none())));
    page.gauges("file_valid", "Whether a file can be read as it is now", "file", valid)?;
    let objects = status.files.iter().map(|(name, file)| (name.clone(), count(file.objects)));
    page.gauges("file_objects", "Objects of a file that are in effect", "file", objects)?;
    let good = status.files.iter().filter_map(|(name, file)| Some((name.clone(), seconds(file.read_at)?)));
    page.gauges(
        "file_last_good_timestamp_seconds",
        "When a file last said something new and could be read",
        "file",
        good,
    )?;
    let remarks = status.files.iter().map(|(name, file)| (name.clone(), count(file.remarks)));
    page.gauges("file_not_understood", "Things in a file that were not understood", "file", remarks)?;
    page.counter("folder_looks", "Times the folder was looked at", status.looks)?;
    page.counter("file_reads", "Files that were read because they changed", status.reads)?;
    page.counter("file_parses", "Files that were read and said something else than before", status.parses)?;
    let counts = status.counts;
    let objects = [
        ("namespaces", counts.namespaces),
        ("nodes", counts.nodes),
        ("pods", counts.pods),
        ("policies", counts.policies),
    ];
    let objects = objects.map(|(kind, number)| (kind.to_owned(), count(number)));
    page.gauges("objects", "Objects that are known", "kind", objects)?;
    page.gauge("objects_in_doubt", "Objects that are stated twice and not the same", count(status.doubts.len()))?;
    page.gauge("addresses_shut", "Addresses that are shut because it is not certain whose they are", count(status.shut))
}

fn policies(page: &mut Page<'_>, status: &Status) -> fmt::Result {
    page.gauge("policies", "Policies that are known", count(status.counts.policies))?;
    let help = "Policies that can't be translated whole: whom they select is shut where it matters";
    page.gauge("translation_failures", help, count(status.faulty.len() + status.unread.len()))?;
    let [ingress, egress] = status.selected;
    let selected = [("ingress", ingress), ("egress", egress)].map(|(of, pods)| (of.to_owned(), count(pods)));
    page.gauges("pod_addresses_selected", "Addresses of this node's pods that policies speak of", "direction", selected)
}

fn histogram(page: &mut Page<'_>, name: &str, help: &str, of: &Histogram) -> fmt::Result {
    let bounds = BUCKETS.iter().copied().chain([f64::INFINITY]);
    let buckets: Vec<(f64, u64)> = bounds.zip(of.buckets).collect();
    page.histogram(name, help, of.sum, of.count, &buckets)
}

fn rules(page: &mut Page<'_>, status: &Status) -> fmt::Result {
    page.gauge("ready", "Whether packets are treated as was read", yes(status.is_ready()))?;
    page.gauge("in_place", "Whether the kernel held the rules when last looked at", yes(status.in_place))?;
    page.gauge("blocked", "Whether the kernel refuses the rules", yes(status.blocked.is_some()))?;
    let waiting = [(Waiting::Kept, "kept"), (Waiting::Shut, "shut"), (Waiting::Without, "without")];
    let waiting = waiting.map(|(of, word)| (word.to_owned(), yes(status.waiting == Some(of))));
    page.gauges("waiting", "Whether something was never read, and what is done about it", "manner", waiting)?;
    page.gauge("rules", "Rules in the kernel", count(status.sizes.rules))?;
    page.gauge("chains", "Chains in the kernel", count(status.sizes.chains))?;
    page.gauge("sets", "Sets and maps in the kernel", count(status.sizes.sets))?;
    page.gauge("set_entries", "Entries of them", count(status.sizes.entries))?;
    let syncs = status.syncs.iter().map(|(result, looks)| ((*result).to_owned(), *looks));
    page.counters("syncs", "Looks at the kernel, by how they ended", "result", syncs)?;
    let repairs = ["notification", "resync"];
    let repairs = repairs.map(|cause| (cause.to_owned(), status.repairs.get(cause).copied().unwrap_or(0)));
    page.counters("drift_repairs", "Times rules were changed by others and put right", "noticed_by", repairs)?;
    if let Some(took) = status.last_repair {
        let help = "From notice of the last change by others to rules in place";
        page.gauge("last_repair_seconds", help, took.as_secs_f64())?;
    }
    if let Some(at) = seconds(status.last_success) {
        page.gauge("last_success_timestamp_seconds", "When the kernel last held the rules", at)?;
    }
    let help = "From notice of a change of the manifests to rules in place";
    histogram(page, "change_seconds", help, &status.changes)?;
    histogram(page, "apply_seconds", "What planning and the kernel took of a change", &status.applies)
}

fn denied(page: &mut Page<'_>, status: &Status) -> fmt::Result {
    let by_policy = status.denied.by_policy(&status.counters);
    let rows = by_policy.into_iter().map(|((policy, direction), packets)| ([policy, direction.to_owned()], packets));
    let help = "Packets a policy denied; one that nothing allows counts for every policy that isolates the pod";
    page.counters_of_two("denied_packets", help, ["policy", "direction"], rows)?;
    let others = without_policy(&status.counters);
    let others = others.into_iter().map(|(word, packets)| (word.to_owned(), packets));
    page.counters("denied_packets_without_policy", "Packets denied for another reason", "reason", others)?;
    page.counter("denied_packets_told", "Denied packets the log told of", status.told)?;
    page.counter("denied_packets_lost", "Times denied packets were lost on the way to the log", status.lost)
}

#[cfg(test)]
mod tests;
