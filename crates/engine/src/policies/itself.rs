//! Policies that can't be read, select nobody, take too much room, or have rules that never decide.

use super::Cx;
use crate::say::{cited, listed, plural};
use causeway_model::codes;
use causeway_model::facts::{cilium, policy as facts};
use causeway_model::finding::{Finding, Severity};
use causeway_model::policy::{Direction, Peer, Peers, Policy, PolicyKind};
use causeway_policy::Engine;

pub(super) fn check(cx: &Cx<'_>, out: &mut Vec<Finding>) {
    for (at, object) in cx.cluster.policies.iter().enumerate() {
        let Some(policy) = &object.meaning else { continue };
        for fault in &policy.faults {
            let path = format!("{}.policies.{at}.{}", cx.path, fault.path);
            out.push(
                Finding::new(codes::POLICY_INVALID, path, format!("`{}`: {}", policy.id, fault.message))
                    .help("write it as the API has it; `kubectl apply --dry-run=server` tells")
                    .evidence("no verdict that depends on it is sure"),
            );
        }
        out.extend(selects_nothing(cx, policy));
    }
    for shadowed in cx.index.shadowed() {
        let (by, place) = &shadowed.by;
        let whose = if *by == shadowed.policy { "the same policy".to_owned() } else { format!("`{by}`") };
        let decides = if shadowed.opposite { "and that one says something else" } else { "and that one says the same" };
        let path = cx.path(&shadowed.policy, Some((shadowed.direction, shadowed.rule)));
        let message = format!(
            "rule {} for {} of `{}` never decides: rule {place} of {whose} matches all of it before, {decides}",
            shadowed.rule, shadowed.direction, shadowed.policy
        );
        let why = match (shadowed.policy.kind, *by == shadowed.policy) {
            (PolicyKind::NetworkPolicy, _) => "rules of a NetworkPolicy only add up",
            (_, true) => "in a tier the first rule that matches decides, in the order they are written",
            _ => "in a tier the first rule that matches decides, of the policy with the lowest number first",
        };
        out.push(
            Finding::new(codes::POLICY_RULE_SHADOWED, path, message)
                .evidence(why)
                .help("delete it, or move it up if it was meant to decide")
                .related(cx.path(by, Some((shadowed.direction, *place))), "this rule comes first"),
        );
    }
}

fn selects_nothing(cx: &Cx<'_>, policy: &Policy) -> Option<Finding> {
    if !cx.is_peopled(&policy.id) || !policy.faults.is_empty() || cx.index.selects_anybody(&policy.id) {
        return None;
    }
    let wanted = policy.subject.pods.to_string();
    let where_ = policy.id.namespace.as_ref().map_or(String::new(), |namespace| format!(" of namespace `{namespace}`"));
    let message = format!("`{}` selects no pod{where_}: none is there with `{wanted}`", policy.id);
    let alive = cx.cluster.pods.iter().filter(|pod| !pod.terminated);
    let near = alive.filter(|pod| policy.id.namespace.as_ref().is_none_or(|namespace| pod.namespace == *namespace));
    let (host, own): (Vec<_>, Vec<_>) = near.partition(|pod| pod.host_network);
    let evidence =
        format!("{} there have an address of their own, {} are on the host network", pods(own.len()), pods(host.len()));
    Some(
        Finding::new(codes::POLICY_SELECTS_NOTHING, cx.path(&policy.id, None), message)
            .evidence(evidence)
            .help("compare the selector with the labels pods have; pods on the host network are never selected")
            .on(wanted),
    )
}

fn pods(count: usize) -> String {
    format!("{count} {}", plural(count, "pod", "pods"))
}

/// What the engine has room for.
pub(super) fn room(cx: &Cx<'_>, out: &mut Vec<Finding>) {
    match cx.engine {
        Engine::Cilium => maps(cx, out),
        Engine::Npm => sections(cx, out),
        _ => {}
    }
}

fn maps(cx: &Cx<'_>, out: &mut Vec<Finding>) {
    let most = cilium::POLICY_MAP_ENTRIES.value;
    for (namespace, names, entries) in cx.index.crowded(most) {
        let pods: Vec<String> = names.iter().map(|name| format!("{namespace}/{name}")).collect();
        let message = format!(
            "the policies of {} come to {entries} entries of identity and port, and the map of a pod holds {most}",
            listed(&pods)
        );
        let name = names.first();
        let selects = |policy: &&Policy| {
            cx.index.selected_by(&policy.id).iter().any(|(of, pod)| *of == namespace && Some(pod) == name)
        };
        let first = cx.index.policies().into_iter().find(selects);
        let path = first.map_or_else(|| format!("{}.policies", cx.path), |policy| cx.path(&policy.id, None));
        let mut finding = Finding::new(codes::POLICY_FANOUT_EXCEEDS_MAP, path, message).help(
            "select by namespace instead of by pod, use ranges of ports that are powers of two, or split the workload",
        );
        finding.on = pods;
        out.push(cited(finding, cilium::POLICY_MAP_ENTRIES.about()));
    }
}

fn sections(cx: &Cx<'_>, out: &mut Vec<Finding>) {
    let most = facts::NPM.value.ip_blocks;
    for policy in cx.index.policies() {
        let blocks: u64 = Direction::ALL
            .into_iter()
            .flat_map(|direction| policy.rules(direction).unwrap_or_default())
            .map(|rule| match &rule.peers {
                Peers::Of(peers) => peers.iter().filter(|peer| matches!(peer, Peer::Block(_))).count() as u64,
                Peers::Anyone { .. } => 0,
            })
            .sum();
        if blocks > most {
            let message = format!("`{}` has {blocks} `ipBlock` sections, and Azure NPM is safe with {most}", policy.id);
            let finding = Finding::new(codes::POLICY_FANOUT_EXCEEDS_MAP, cx.path(&policy.id, None), message)
                .help("join prefixes, or split the policy")
                .severity(Severity::Warning);
            out.push(cited(finding, facts::NPM.about()));
        }
    }
}
