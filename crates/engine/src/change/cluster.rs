//! Changes of a cluster as a whole: mode, data plane, outbound type, API server, network.

use super::Pair;
use causeway_model::codes;
use causeway_model::design::{ApiAccess, Dataplane, IngressKind, Mode, NetworkName, Os, OutboundType, PolicyEngine};
use causeway_model::facts::outbound::{self, Change, VnetOwner};
use causeway_model::facts::{Support, lifecycle};
use causeway_model::finding::{Finding, Severity};

pub(super) fn mode(pair: &Pair, out: &mut Vec<Finding>) {
    let (Some(from), Some(to)) = (pair.old.mode, pair.new.mode) else { return };
    if from == to {
        return;
    }
    let path = format!("{}.mode", pair.path);
    let blocked = |message: String| {
        Finding::new(codes::MIGRATION_BLOCKED, path.as_str(), message)
            .on(from)
            .on(to)
            .evidence(lifecycle::PATHS.cite())
            .since(lifecycle::PATHS.as_of)
    };
    match lifecycle::path(from, to) {
        Support::Yes if to == Mode::Overlay => to_overlay(pair, from, &blocked, out),
        Support::Yes => {}
        Support::Conditional => out.push(
            blocked(format!("pools can't change from `{from}` to `{to}` in place"))
                .help(format!("add new pools with `{to}` on a new subnet, move the workloads, delete the old pools")),
        ),
        _ => out.push(
            blocked(format!("the platform offers no way from `{from}` to `{to}`"))
                .help("build a new cluster beside this one and move the workloads"),
        ),
    }
}

/// What an update to overlay asks for (azure-facts `mig.overlay.*`).
fn to_overlay(pair: &Pair, from: Mode, blocked: &dyn Fn(String) -> Finding, out: &mut Vec<Finding>) {
    if let Some(version) = pair.old.version.filter(|version| *version < lifecycle::OVERLAY_FROM) {
        out.push(
            blocked(format!(
                "an update to overlay needs Kubernetes {} or later, this cluster runs {version}",
                lifecycle::OVERLAY_FROM
            ))
            .help(format!("upgrade to {} first", lifecycle::OVERLAY_FROM)),
        );
    }
    if let Some(engine) =
        pair.old.network_policy.filter(|engine| !matches!(engine, PolicyEngine::None | PolicyEngine::Cilium))
    {
        out.push(
            blocked(format!("an update to overlay is refused while the policy engine `{engine}` is installed"))
                .help("set `networkPolicy: none` first, update, then install an engine again; nothing is enforced in between")
                .evidence(lifecycle::OVERLAY_NEEDS.note),
        );
    }
    let chosen = pair.after.places.exact(&format!("{}.podCidr", pair.path)).is_some();
    if from == lifecycle::OVERLAY_NEEDS_POD_CIDR.value && !chosen {
        out.push(
            blocked("an update from `nodeSubnet` to `overlay` needs a pod range".to_owned())
                .help("state `podCidr`: a private range outside every network the cluster talks to"),
        );
    }
    for (at, ingress) in pair.new.ingress.iter().enumerate() {
        let subnet = ingress.subnet.as_ref().and_then(|subnet| pair.after.subnet(subnet));
        let wrong = subnet.and_then(|subnet| {
            subnet
                .prefixes
                .iter()
                .find(|prefix| prefix.is_v4() && prefix.prefix_len() != lifecycle::GATEWAY_SUBNET_BEFORE_OVERLAY.value)
        });
        if let (IngressKind::ApplicationGatewayForContainers, Some(prefix)) = (ingress.kind, wrong) {
            out.push(
                blocked(format!("the subnet of Application Gateway for Containers is `{prefix}`; overlay works only with a /24 there"))
                    .help("move the gateway to a /24 before the update")
                    .related(format!("{}.ingress.{at}.subnet", pair.path), "the gateway's subnet"),
            );
        }
    }
}

pub(super) fn dataplane(pair: &Pair, out: &mut Vec<Finding>) {
    let (from, to) = (pair.old.dataplane, pair.new.dataplane);
    if from == to {
        return;
    }
    let blocked = |message: String| {
        Finding::new(codes::MIGRATION_BLOCKED, format!("{}.dataplane", pair.path), message)
            .on(from)
            .on(to)
            .evidence(lifecycle::TO_CILIUM.cite())
            .since(lifecycle::TO_CILIUM.as_of)
    };
    if to == Dataplane::Azure {
        out.push(
            blocked("the data plane can't go back from Cilium".to_owned())
                .help("build a new cluster and move the workloads"),
        );
        return;
    }
    if let Some(mode) = pair.old.mode.filter(|mode| !lifecycle::TO_CILIUM.value.contains(mode)) {
        let help = if mode == Mode::Kubenet {
            "update to overlay first, then to Cilium"
        } else {
            "build a new cluster with Cilium"
        };
        out.push(blocked(format!("the data plane of a `{mode}` cluster can't be updated to Cilium")).help(help));
    }
    if pair.old.mode != pair.new.mode && lifecycle::ONE_AT_A_TIME.value {
        out.push(
            blocked("mode and data plane can't change in one operation".to_owned())
                .help("update the mode first, the data plane after it"),
        );
    }
    for (name, _) in pair.new.pools.iter().filter(|(_, pool)| pool.os == Os::Windows) {
        out.push(
            blocked(format!("Cilium has no Windows nodes, and pool `{name}` is Windows"))
                .help("move Windows workloads to another cluster first")
                .related(format!("{}.pools.{name}", pair.path), "the Windows pool"),
        );
    }
    if pair.old.node_auto_provisioning && pair.new.node_auto_provisioning {
        out.push(
            blocked("the update to Cilium is refused while node auto-provisioning is on".to_owned())
                .help("switch auto-provisioning off, update, switch it on again"),
        );
    }
}

pub(super) fn outbound(pair: &Pair, out: &mut Vec<Finding>) {
    let (from, to) = (pair.old.outbound.kind, pair.new.outbound.kind);
    if from == to {
        return;
    }
    // A VNet that AKS made is its own even where an export lists it.
    let made = |name: &&NetworkName| pair.before.networks.get(*name).is_some_and(|network| network.managed_by_aks);
    let owner = if pair.old.networks().iter().all(made) { VnetOwner::Managed } else { VnetOwner::Own };
    let (change, about) = outbound::change(owner, from, to);
    let finding = |message: String| {
        Finding::new(codes::OUTBOUND_CHANGE_UNSUPPORTED, format!("{}.outbound.type", pair.path), message)
            .on(from)
            .on(to)
            .evidence(about.to_string())
            .since(about.as_of)
    };
    if pair.old.node_auto_provisioning || pair.new.node_auto_provisioning {
        out.push(
            finding("the outbound type can't change while node auto-provisioning is on".to_owned())
                .help("switch auto-provisioning off first, or build a new cluster"),
        );
        return;
    }
    match change {
        Change::Supported | Change::Same => {}
        Change::Doubtful => out.push(
            finding(format!(
                "pages disagree whether the outbound type can change from `{from}` to `{to}`: plan as if it can't"
            ))
            .severity(Severity::Warning)
            .help("try it on a throw-away cluster of the same kind first"),
        ),
        Change::Refused => out.push(
            finding(format!("the platform refuses a change of the outbound type from `{from}` to `{to}`"))
                .help(other_ways(owner, from)),
        ),
    }
}

fn other_ways(owner: VnetOwner, from: OutboundType) -> String {
    let ways: Vec<_> = OutboundType::WORDS
        .iter()
        .filter(|(_, to)| *to != from && outbound::change(owner, from, *to).0 == Change::Supported)
        .map(|(word, _)| format!("`{word}`"))
        .collect();
    if ways.is_empty() {
        "no other type can be reached from here: build a new cluster".to_owned()
    } else {
        format!("from here it can become {}", ways.join(", "))
    }
}

pub(super) fn api_server(pair: &Pair, out: &mut Vec<Finding>) {
    let (from, to) = (pair.old.api_server.access, pair.new.api_server.access);
    if from == ApiAccess::VnetIntegration && to != from {
        out.push(
            Finding::new(
                codes::MIGRATION_BLOCKED,
                format!("{}.apiServer.access", pair.path),
                "API server VNet integration can't be switched off",
            )
            .help("keep it, or build a new cluster")
            .on(from)
            .on(to),
        );
    }
    if matches!((from, to), (ApiAccess::Public, ApiAccess::Private) | (ApiAccess::Private, ApiAccess::Public)) {
        out.push(
            Finding::new(
                codes::MIGRATION_BLOCKED,
                format!("{}.apiServer.access", pair.path),
                format!("a cluster can't change between `{from}` and `{to}` access in place"),
            )
            .help("update to VNet integration, where public and private access can change, or build a new cluster")
            .on(from)
            .on(to),
        );
    }
}

pub(super) fn network(pair: &Pair, out: &mut Vec<Finding>) {
    let (from, to) = (pair.old.networks(), pair.new.networks());
    if !from.is_empty() && from.is_disjoint(&to) {
        let list = |names: &std::collections::BTreeSet<_>| {
            names
                .iter()
                .map(|name: &&causeway_model::design::NetworkName| format!("`{name}`"))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let target = if to.is_empty() { "a network of the platform's".to_owned() } else { list(&to) };
        out.push(
            Finding::new(
                codes::MIGRATION_BLOCKED,
                format!("{}.pools", pair.path),
                format!("a cluster can't move from {} to {target}", list(&from)),
            )
            .help("build a new cluster in the other network and move the workloads"),
        );
    }
}
