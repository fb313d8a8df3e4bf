//! Configuration that belongs to a mode the cluster does not have.

use super::view::{AtEntry, Ground, View};
use crate::addresses::ground::listed;
use causeway_addr::{Cidr, RangeSet};
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::{masquerade as facts, special};
use causeway_model::finding::{Finding, Severity};
use causeway_trace::translation::{Exemption, is_platform_config_map, own_manifest, platform_agent};
use std::collections::BTreeMap;

/// The pod range AKS proposes; in a list it is usually copied.
const USUAL_POD_RANGE: Cidr = Cidr::v4([10, 244, 0, 0], 16);

pub(super) fn check(ground: &Ground, view: &View, out: &mut Vec<Finding>) {
    if view.is_hidden() {
        from_flat_mode(view, out);
    } else {
        foreign_pod_ranges(ground, view, out);
    }
    nobody_reads(view, out);
}

/// Pods have no address outside the cluster, and yet something outside is exempt.
fn from_flat_mode(view: &View, out: &mut Vec<Finding>) {
    let kubenet = match view.cluster.mode {
        Some(Mode::Overlay) => false,
        Some(Mode::Kubenet) => true,
        _ => return,
    };
    let Some(translation) = view.translation().filter(|translation| translation.translates()) else { return };
    let mut allowed = view.pod_ranges();
    for cidr in view.cluster.service_cidrs.iter().chain([&special::LINK_LOCAL, &special::LINK_LOCAL_IPV6]) {
        allowed.insert(*cidr);
    }
    if kubenet {
        // Where the route table is on every subnet, exempting the VNet works.
        for network in view.cluster.networks().iter().filter_map(|network| view.design.networks.get(*network)) {
            for prefix in &network.prefixes {
                allowed.insert(*prefix);
            }
        }
    }
    let foreign = |entry: &&Exemption| entry.origin.is_users() && !allowed.covers(&entry.cidr);
    let mut by_object: BTreeMap<Option<&str>, Vec<&Exemption>> = BTreeMap::new();
    for entry in translation.entries.iter().filter(foreign) {
        by_object.entry(entry.origin.object()).or_default().push(entry);
    }
    for entries in by_object.values() {
        let Some(first) = entries.first() else { continue };
        let cidrs: Vec<Cidr> = entries.iter().map(|entry| entry.cidr).collect();
        let mode = if kubenet { "kubenet" } else { "overlay" };
        let message = format!(
            "{} {} exempt, which is for pods with addresses of the VNet; those of mode `{mode}` have none outside the cluster",
            listed(&cidrs),
            if cidrs.len() == 1 { "is" } else { "are" }
        );
        let keep: Vec<Cidr> = view.pods.iter().map(|home| home.cidr).collect();
        let files = view.cluster.masquerade.iter().flat_map(|masquerade| &masquerade.reading.files);
        let from = files.filter(|file| Some(file.object.as_str()) == first.origin.object());
        let map = from.filter_map(|file| file.config_map.as_deref()).next();
        let map = map.map(|map| format!(" (the ConfigMap `{map}`)")).unwrap_or_default();
        let mut finding = Finding::new(codes::LEFTOVER_MASQ_CONFIG, view.list_object(), message)
            .help(format!("remove the file{map}, or leave {} in it only", listed(&keep)))
            .evidence("merging only adds: the platform's own file can't take an exemption back")
            .evidence(facts::CONFIG_MAPS.cite())
            .since(facts::CONFIG_MAPS.as_of)
            .severity(if kubenet { Severity::Warning } else { Severity::Error })
            .at_entry(&first.origin);
        if finding.object.is_empty() {
            finding.object = view.list_object();
        }
        finding.on.extend(cidrs.iter().map(ToString::to_string));
        out.push(finding);
    }
}

/// Entries that are some other cluster's pod range, or the one this cluster had.
fn foreign_pod_ranges(ground: &Ground, view: &View, out: &mut Vec<Finding>) {
    let Some(translation) = view.translation().filter(|translation| translation.translates()) else { return };
    let mut own: RangeSet = view.pods.iter().chain(&view.nodes).map(|home| home.cidr).collect();
    for network in ground.design.networks.values() {
        for prefix in &network.prefixes {
            own.insert(*prefix);
        }
    }
    let whose = |cidr: &Cidr| -> Option<String> {
        if own.overlaps(cidr) {
            return None;
        }
        let before = view.design.before.as_deref().and_then(|before| before.clusters.get(view.name));
        if before.is_some_and(|before| before.pod_cidrs.contains(cidr)) {
            return Some("the pod range this cluster had before".to_owned());
        }
        let other = ground.views.iter().filter(|other| other.is_hidden());
        let other = other
            .flat_map(|other| other.pods.iter().map(move |home| (other.name, home.cidr)))
            .find(|(_, pods)| pods == cidr);
        match other {
            Some((name, _)) => {
                Some(format!("the pod range of the cluster `{name}`, which nobody outside it can reach"))
            }
            None if view.cluster.pod_cidrs.contains(cidr) => {
                Some("a pod range of the cluster that its mode does not use".to_owned())
            }
            None => (*cidr == USUAL_POD_RANGE).then(|| "the pod range AKS proposes for overlay clusters".to_owned()),
        }
    };
    for entry in translation.entries.iter().filter(|entry| entry.origin.is_users()) {
        let Some(whose) = whose(&entry.cidr) else { continue };
        let message = format!("`{}` is exempt: {whose}", entry.cidr);
        let pods: Vec<Cidr> = view.pods.iter().map(|home| home.cidr).collect();
        let finding = Finding::new(codes::LEFTOVER_MASQ_CONFIG, view.list_object(), message)
            .severity(Severity::Warning)
            .help("remove the entry")
            .evidence(format!("pods of this cluster are in {}", listed(&pods)))
            .on(entry.cidr);
        let finding = if entry.origin.object().is_some() { finding.at_entry(&entry.origin) } else { finding };
        out.push(finding);
    }
}

/// ConfigMaps of the agent AKS ships, in a mode in which it ships none.
fn nobody_reads(view: &View, out: &mut Vec<Finding>) {
    let Some(masquerade) = &view.cluster.masquerade else { return };
    if platform_agent(view.cluster) != Some(false) || view.cluster.ebpf_host_routing {
        return;
    }
    let Some(mode) = view.cluster.mode else { return };
    let mounted = |map: &ConfigMap| {
        let mounts =
            masquerade.daemon_set.iter().flat_map(|manifest| &manifest.mounts).flat_map(|mount| &mount.config_maps);
        mounts.into_iter().any(|mounted| mounted.name == map.name)
    };
    let platforms =
        masquerade.config_maps.iter().enumerate().filter(|(_, map)| is_platform_config_map(&map.name) && !mounted(map));
    // One in another namespace is read in no mode, and that is said already.
    let said = |at: usize| {
        let object = format!("{}.masquerade.configMaps.{at}", view.path);
        masquerade.reading.findings.iter().any(|finding| finding.object == object)
    };
    let platforms = platforms.filter(|(at, _)| !said(*at));
    for (at, map) in platforms {
        let message =
            format!("nothing reads the ConfigMap `{}`: AKS runs no masquerade agent in mode `{mode}`", map.name);
        out.push(
            Finding::new(codes::LEFTOVER_MASQ_CONFIG, format!("{}.masquerade.configMaps.{at}", view.path), message)
                .severity(Severity::Warning)
                .help("remove it; with an agent of your own, mount a ConfigMap of its own")
                .evidence(facts::SHIPPED_ON.cite())
                .since(facts::SHIPPED_ON.as_of)
                .on(&map.name),
        );
    }
    let theirs = masquerade.daemon_set.as_ref().filter(|_| own_manifest(view.cluster).is_none());
    if let Some(manifest) = theirs {
        let message =
            format!("`{}` is the agent AKS ships in other modes; in mode `{mode}` it ships none", manifest.name);
        out.push(
            Finding::new(codes::LEFTOVER_MASQ_CONFIG, format!("{}.masquerade.daemonSet", view.path), message)
                .severity(Severity::Warning)
                .help("remove it, or give your own copy another name")
                .evidence(facts::SHIPPED_ON.cite())
                .since(facts::SHIPPED_ON.as_of)
                .on(&manifest.name),
        );
    }
}
