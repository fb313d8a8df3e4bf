//! Lines about mode and data plane.

use super::desk::{Desk, names};
use super::judgement::Judgement;
use super::ranges::state;
use causeway_model::codes;
use causeway_model::design::{Os, PolicyEngine};
use causeway_model::finding::Severity;

/// Mode and data plane were chosen from requirements: nobody chose what nobody stated, what the platform refuses, or what ends.
pub(super) fn documented(desk: &Desk) -> Judgement {
    let mut line = Judgement::default();
    desk.against(&mut line, &[codes::MODE_RETIRING]);
    let about_the_choice = |object: &str| {
        object.starts_with("clusters.")
            && [".mode", ".dataplane", ".networkPolicy", ".ipFamilies"].iter().any(|field| object.ends_with(field))
    };
    for finding in desk.found(&[codes::COMBINATION_UNSUPPORTED], Severity::Error, about_the_choice) {
        line.no(desk.words(finding));
    }
    for (name, cluster) in desk.clusters(&mut line) {
        let mode = cluster.mode.filter(|_| !desk.is_assumed(&format!("clusters.{name}.mode")));
        let dataplane = desk.is_stated(&format!("clusters.{name}.dataplane"));
        if mode.is_none() {
            line.unknown(format!("the mode of `{name}` is not stated"), state(&format!("clusters.{name}.mode")));
        }
        if !dataplane {
            line.unknown(
                format!("the data plane of `{name}` is not stated"),
                state(&format!("clusters.{name}.dataplane")),
            );
        }
        if let (Some(mode), true) = (mode, dataplane) {
            line.yes(format!("`{name}` is `{mode}` on `{}`", cluster.dataplane));
        }
    }
    line
}

/// The enforcement engine is known, still runs, and reads the policies there are.
pub(super) fn enforcement(desk: &Desk) -> Judgement {
    let mut line = Judgement::default();
    for finding in desk.found(&[codes::POLICY_NOT_ENFORCED, codes::POLICY_ENGINE_RETIRING], Severity::Warning, |_| true)
    {
        match (finding.severity, finding.code) {
            (Severity::Error, _) => line.no(desk.words(finding)),
            (_, codes::POLICY_ENGINE_RETIRING) => line.remark(desk.words(finding)),
            _ => line.unknown(desk.words(finding), finding.help.clone()),
        }
    }
    for (name, cluster) in desk.clusters(&mut line) {
        match cluster.network_policy {
            Some(PolicyEngine::None) => line.no(format!("`{name}` has no engine: every pod talks to every pod")),
            Some(engine) => line.yes(format!("`{name}` has `{engine}`")),
            None => line.unknown(
                format!("the policy engine of `{name}` is not stated"),
                format!(
                    "state `clusters.{name}.networkPolicy`; `az aks show --query networkProfile.networkPolicy` tells"
                ),
            ),
        }
    }
    line
}

/// The differences of Windows nodes: settled where there are none.
pub(super) fn windows(desk: &Desk) -> Judgement {
    let mut line = Judgement::default();
    for (name, cluster) in desk.clusters(&mut line) {
        let windows: Vec<_> = cluster.pools.iter().filter(|(_, pool)| pool.os == Os::Windows).collect();
        if cluster.pools.is_empty() {
            line.unknown(format!("the pools of `{name}` are not listed"), state(&format!("clusters.{name}.pools")));
        } else if windows.is_empty() {
            line.yes(format!("no pool of `{name}` is Windows"));
        } else {
            let pools = names(windows.iter().map(|(pool, _)| pool));
            line.unknown(format!("Windows pools of `{name}`: {pools}"), "");
        }
    }
    line
}
