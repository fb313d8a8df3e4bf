//! Policies that exist and are not enforced.

use super::cited;
use crate::Context;
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::{About, Support, policy};
use causeway_model::finding::{Finding, Severity};
use std::collections::BTreeMap;

pub(super) fn check(cx: &Context, path: &str, cluster: &Cluster, out: &mut Vec<Finding>) {
    let written: Vec<&PolicyObject> = cluster.policies.iter().filter(|policy| !is_built_in(policy)).collect();
    if written.is_empty() {
        return;
    }
    let mut by_kind: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for policy in written {
        let name = policy
            .namespace
            .as_ref()
            .map_or_else(|| policy.name.clone(), |namespace| format!("{namespace}/{}", policy.name));
        by_kind.entry(policy.kind.as_str()).or_default().push(name);
    }
    for (kind, names) in &by_kind {
        out.extend(by_engine(path, cluster, kind, names));
    }
    if by_kind.contains_key("NetworkPolicy") {
        by_system(cx, path, cluster, out);
    }
}

fn by_engine(path: &str, cluster: &Cluster, kind: &str, names: &[String]) -> Option<Finding> {
    let object = format!("{path}.networkPolicy");
    let what = format!("{} {kind} object{}", names.len(), if names.len() == 1 { "" } else { "s" });
    let finding = |message: String, about: About| {
        let mut finding = Finding::new(codes::POLICY_NOT_ENFORCED, object.as_str(), message);
        finding.on = names.to_vec();
        cited(finding, about)
    };
    let Some(engine) = cluster.network_policy else {
        return Some(
            finding(format!("{what} exist, and whether an engine enforces them is not known"), policy::DEFAULT.about())
                .severity(Severity::Warning)
                .help("state `networkPolicy`; `az aks show --query networkProfile.networkPolicy` tells"),
        );
    };
    if engine == PolicyEngine::None {
        return Some(
            finding(format!("{what} exist, and no engine enforces them: every pod talks to every pod"), policy::DEFAULT.about())
                .help("install an engine (`az aks update --network-policy cilium` with the Cilium data plane), or delete the policies so that nobody relies on them"),
        );
    }
    let wanted = match kind {
        "NetworkPolicy" => return None,
        "CiliumNetworkPolicy" | "CiliumClusterwideNetworkPolicy" => PolicyEngine::Cilium,
        "GlobalNetworkPolicy" | "StagedNetworkPolicy" | "StagedGlobalNetworkPolicy" => PolicyEngine::Calico,
        _ => {
            return Some(
                finding(
                    format!("{what} exist, and whether the engine `{engine}` reads them is not known"),
                    policy::ENGINES.about(),
                )
                .severity(Severity::Warning)
                .help("test a policy of this kind on the cluster before relying on it"),
            );
        }
    };
    (engine != wanted).then(|| {
        finding(format!("{what} exist, and the engine `{engine}` does not read them"), policy::ENGINES.about())
            .help(format!("write them as NetworkPolicies, or use `{wanted}`"))
    })
}

/// Pools whose system the engine does not run on, or no longer.
fn by_system(cx: &Context, path: &str, cluster: &Cluster, out: &mut Vec<Finding>) {
    let Some(engine) = cluster.network_policy.filter(|engine| *engine != PolicyEngine::None) else { return };
    for (name, pool) in &cluster.pools {
        let ended = engine == PolicyEngine::Azure && cx.as_of > policy::npm_ends(pool.os);
        let message = match policy::enforces_on(engine, pool.os) {
            Support::No => format!(
                "the engine `{engine}` does not run on {} nodes: policies do nothing for pods of pool `{name}`",
                pool.os
            ),
            _ if ended => format!(
                "Azure NPM ended on {} nodes on {}: policies of pods of pool `{name}` can't be relied on",
                pool.os,
                policy::npm_ends(pool.os)
            ),
            _ => continue,
        };
        let about = if ended { policy::NPM_ENDS.about() } else { policy::ENGINES.about() };
        let finding = Finding::new(codes::POLICY_NOT_ENFORCED, format!("{path}.pools.{name}"), message)
            .help("move what needs policies to pools the engine runs on, or change the engine")
            .on(pool.os);
        out.push(cited(finding, about));
    }
}

/// The platform's own policy exists on every cluster (azure-facts `np.konnectivity_policy`).
fn is_built_in(object: &PolicyObject) -> bool {
    let name = object.namespace.as_ref().map(|namespace| format!("{namespace}/{}", object.name));
    name.as_deref() == Some(policy::BUILT_IN.value)
}
