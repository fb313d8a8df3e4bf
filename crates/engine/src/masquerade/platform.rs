//! Where the platform comes in: its addresses that answer nodes only, the agent it runs itself, and the data plane that never
//! asks iptables.

use super::view::{AtEntry, View};
use causeway_addr::Cidr;
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::masquerade::{self as facts, ShippedConfig};
use causeway_model::facts::{cilium, special};
use causeway_model::finding::{Finding, Severity};
use causeway_trace::translation::{Origin, Translation, is_reconciled, own_manifest, platform_agent};
use std::net::IpAddr;

pub(super) fn check(view: &View, out: &mut Vec<Finding>) {
    bypassed(view, out);
    competing(view, out);
    overruled(view, out);
    if let Some(translation) = view.translation() {
        platform_dns(view, translation, out);
        metadata(view, translation, out);
    }
}

/// With eBPF host routing no packet meets a rule of iptables.
fn bypassed(view: &View, out: &mut Vec<Finding>) {
    if !view.cluster.ebpf_host_routing {
        return;
    }
    let masquerade = view.cluster.masquerade.as_ref();
    let stated = masquerade.and_then(|masquerade| masquerade.agent);
    let own = own_manifest(view.cluster);
    if own.is_none() && masquerade.is_some_and(|masquerade| masquerade.daemon_set.is_some()) {
        // The platform's own keeps running, and nobody counts on it.
        return;
    }
    let iptables = matches!(
        stated,
        Some(MasqueradeAgent::IpMasqAgentV2 | MasqueradeAgent::IpMasqAgent | MasqueradeAgent::Causeway)
    );
    // Files without a DaemonSet are the platform agent's, and AKS hands them to Cilium.
    let (object, who) = match (own, stated) {
        (Some(manifest), _) => (format!("{}.masquerade.daemonSet", view.path), format!("`{}`", manifest.name)),
        (None, Some(agent)) if iptables && platform_agent(view.cluster) != Some(true) => {
            (format!("{}.masquerade.agent", view.path), format!("`{agent}`"))
        }
        _ => return,
    };
    let message =
        format!("{who} has no effect: with eBPF host routing packets of pods do not meet the rules it writes");
    let mut finding = Finding::new(codes::MASQ_AGENT_BYPASSED, object, message)
        .help("turn eBPF host routing off, or make the pods' range routable wherever pods must be answered")
        .evidence(cilium::HOST_ROUTING.cite())
        .since(cilium::HOST_ROUTING.as_of)
        .related(format!("{}.ebpfHostRouting", view.path), "eBPF host routing");
    if let Some(translation) = view.translation() {
        finding.evidence.extend(translation.because.iter().cloned());
    }
    out.push(finding);
}

/// The platform's agent and another one on the same nodes.
fn competing(view: &View, out: &mut Vec<Finding>) {
    let Some(manifest) = own_manifest(view.cluster).filter(|_| !view.cluster.ebpf_host_routing) else { return };
    let (Some(true), Some(mode)) = (platform_agent(view.cluster), view.cluster.mode) else { return };
    let chain = view.cluster.masquerade.as_ref().and_then(|masquerade| masquerade.reading.chain.as_deref());
    let (message, severity) = match chain {
        None => (
            format!(
                "`{}` and the agent AKS runs in mode `{mode}` write the same chain in turn, each with its own list",
                manifest.name
            ),
            Severity::Error,
        ),
        Some(chain) => (
            format!(
                "`{}` adds the chain `{chain}` to that of the agent AKS runs in mode `{mode}`: a packet keeps its source only if both exempt its destination",
                manifest.name
            ),
            Severity::Warning,
        ),
    };
    out.push(
        Finding::new(codes::MASQ_AGENTS_COMPETE, format!("{}.masquerade.daemonSet", view.path), message)
            .severity(severity)
            .help(format!(
                "remove it, and put its ranges into the ConfigMap `{}` (key `ip-masq-agent`)",
                facts::CONFIG_MAPS.value.1
            ))
            .evidence(facts::SHIPPED_ON.cite())
            .evidence(facts::CHAIN.cite())
            .since(facts::SHIPPED_ON.as_of)
            .on(&manifest.name),
    );
}

/// The platform's own file says true, whatever a user's says.
fn overruled(view: &View, out: &mut Vec<Finding>) {
    let Some(masquerade) = &view.cluster.masquerade else { return };
    let files = &masquerade.reading.files;
    // With the platform's file at hand the two were compared when they were read.
    if platform_agent(view.cluster) != Some(true)
        || own_manifest(view.cluster).is_some()
        || files.iter().any(is_reconciled)
    {
        return;
    }
    let Some(shipped) = ShippedConfig::of(view.design, view.cluster) else { return };
    let said = files.iter().filter(|file| file.takes_part).flat_map(|file| {
        let both = [
            ("masqLinkLocal", file.link_local, shipped.link_local),
            ("masqLinkLocalIPv6", file.link_local_v6, shipped.link_local_ipv6),
        ];
        both.into_iter().filter_map(move |(key, said, shipped)| Some((file, key, said?, shipped)))
    });
    for (file, key, (value, at), shipped) in said {
        if value || !shipped {
            continue;
        }
        let message = format!("`{key}: false` has no effect: the file AKS keeps beside it says true");
        out.push(
            Finding::new(codes::MASQ_FILES_CONTRADICT, file.object.clone(), message)
                .help(format!("remove `{key}`; it can only be false where AKS runs no agent"))
                .evidence("booleans of all files are ORed")
                .evidence(facts::SHIPPED_LINK_LOCAL.cite())
                .since(facts::SHIPPED_LINK_LOCAL.as_of)
                .at(at),
        );
    }
}

/// Pods' addresses are known to nobody but the nodes.
fn needs_translation(view: &View, translation: &Translation) -> bool {
    view.is_hidden() || (view.cluster.mode.is_some_and(Mode::uses_pod_subnet) && !translation.platform_snat)
}

/// 168.63.129.16 is not link-local; whoever exempts it takes the platform's DNS from pods.
fn platform_dns(view: &View, translation: &Translation, out: &mut Vec<Finding>) {
    let address = Cidr::host(IpAddr::V4(special::PLATFORM_DNS.value));
    if !needs_translation(view, translation) || !translation.kept().covers(&address) {
        return;
    }
    let entry = translation.entries.iter().find(|entry| entry.cidr.covers(&address));
    let by = entry.map_or_else(|| "nobody translates".to_owned(), |entry| format!("`{}` is exempt", entry.cidr));
    let message = format!(
        "pods reach the platform's DNS `{}` with their own address, which it does not answer: {by}",
        address.addr()
    );
    let custom = view.cluster.networks().iter().filter_map(|network| view.design.networks.get(*network)).all(
        |network| matches!(&network.dns_servers, DnsServers::Custom(servers) if !servers.contains(&address.addr())),
    );
    let mut finding = Finding::new(codes::PLATFORM_ADDRESS_NEEDS_SNAT, view.list_object(), message)
        .help("leave `168.63.129.16` out of the exempt ranges: split the range around it")
        .evidence(special::PLATFORM_DNS.cite())
        .since(facts::PLATFORM_SNAT.as_of)
        .on(address.addr());
    if custom && !view.cluster.networks().is_empty() {
        finding = finding
            .severity(Severity::Warning)
            .evidence("the VNet has DNS servers of its own, so cluster DNS does not ask this address");
    } else {
        finding = finding.evidence("cluster DNS runs in pods and asks this address for every name outside the cluster");
    }
    out.push(placed(finding, entry.map(|entry| &entry.origin), translation));
}

/// 169.254.169.254 answers nodes only.
fn metadata(view: &View, translation: &Translation, out: &mut Vec<Finding>) {
    let address = Cidr::host(IpAddr::V4(special::METADATA.value));
    // Where nobody translates that is said already.
    if !translation.translates() || !needs_translation(view, translation) || !translation.kept().covers(&address) {
        return;
    }
    let entry = translation.entries.iter().find(|entry| entry.cidr.covers(&address));
    let by = entry.map_or_else(
        || "link-local destinations are exempt unless `masqLinkLocal` is true".to_owned(),
        |entry| format!("`{}` is exempt", entry.cidr),
    );
    let message = format!(
        "pods reach the metadata service `{}` with their own address, which it does not answer: {by}",
        address.addr()
    );
    let finding = Finding::new(codes::PLATFORM_ADDRESS_NEEDS_SNAT, view.list_object(), message)
        .severity(Severity::Warning)
        .help("set `masqLinkLocal: true`; to keep pods away from it, use a policy or the platform's restriction")
        .evidence(special::METADATA.cite())
        .since(facts::PLATFORM_SNAT.as_of)
        .on(address.addr());
    out.push(placed(finding, entry.map(|entry| &entry.origin), translation));
}

fn placed(mut finding: Finding, origin: Option<&Origin>, translation: &Translation) -> Finding {
    finding.evidence.extend(translation.because.iter().cloned());
    match origin {
        Some(origin) if origin.object().is_some() => finding.at_entry(origin),
        _ => finding,
    }
}
