//! Ranges nobody may use for pods, services or a VNet, and public ones nobody should.

use super::fabric::common;
use super::ground::{Ground, listed, prefix_path};
use super::proposal::Use;
use super::shadow::{Private, PrivateKind};
use causeway_addr::special::{self, Class};
use causeway_addr::{Cidr, Family, RangeSet};
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::{About, address};
use causeway_model::finding::{Finding, Severity};

/// A range with a role.
struct Role<'a> {
    range: Cidr,
    path: String,
    words: String,
    kind: RoleKind<'a>,
}

enum RoleKind<'a> {
    Private(&'a Private<'a>),
    Vnet { name: &'a NetworkName, clusters: Vec<&'a ClusterName> },
}

/// A part of a range that can't be used, and why.
struct Refused {
    /// The range nobody may use.
    row: Cidr,
    /// What of the user's range lies in it.
    part: Cidr,
    why: String,
    fact: Option<About>,
}

pub(super) fn check(ground: &Ground, out: &mut Vec<Finding>) {
    for (name, cluster) in &ground.design.clusters {
        for private in Private::of(name, cluster) {
            let role = Role {
                range: private.range,
                path: private.path(),
                words: private.words(),
                kind: RoleKind::Private(&private),
            };
            judge(ground, &role, out);
        }
    }
    for (name, network) in &ground.design.networks {
        if network.kind != NetworkKind::Vnet {
            continue;
        }
        for (index, prefix) in network.prefixes.iter().enumerate() {
            let role = Role {
                range: *prefix,
                path: prefix_path(name, index),
                words: format!("`{prefix}` of network `{name}`"),
                kind: RoleKind::Vnet { name, clusters: ground.users(name) },
            };
            judge(ground, &role, out);
        }
        // A subnet outside its network is wrong in itself; in a reserved range it is wrong twice.
        for (subnet, value) in &network.subnets {
            for prefix in
                value.prefixes.iter().filter(|prefix| !network.prefixes.iter().any(|space| space.overlaps(prefix)))
            {
                let role = Role {
                    range: *prefix,
                    path: format!("networks.{name}.subnets.{subnet}.prefix"),
                    words: format!("`{prefix}` of subnet `{name}/{subnet}`"),
                    kind: RoleKind::Vnet { name, clusters: ground.users(name) },
                };
                judge(ground, &role, out);
            }
        }
    }
}

fn judge(ground: &Ground, role: &Role, out: &mut Vec<Finding>) {
    let refused = refused(role);
    if !refused.is_empty() {
        out.push(reserved(ground, role, &refused));
    }
    let private = match role.kind {
        RoleKind::Private(_) => true,
        RoleKind::Vnet { .. } => role.range.is_v4(),
    };
    if private {
        out.extend(public(ground, role, &refused));
    }
}

/// What of a range can't be used in its role.
fn refused(role: &Role) -> Vec<Refused> {
    let range = &role.range;
    let mut found: Vec<Refused> = Vec::new();
    let mut add = |row: &Cidr, why: &str, fact: Option<About>| {
        if let Some(part) = common(row, range)
            && !found.iter().any(|known| known.part.covers(&part))
        {
            found.push(Refused { row: *row, part, why: why.to_owned(), fact });
        }
    };
    let for_clusters = match &role.kind {
        RoleKind::Private(_) => true,
        RoleKind::Vnet { clusters, .. } => !clusters.is_empty(),
    };
    if for_clusters {
        for row in address::RESERVED.value {
            add(row, "AKS keeps it for itself", Some(address::RESERVED.about()));
        }
    }
    for row in address::VNET_FORBIDDEN.value {
        add(row, "the platform refuses it in a VNet and never routes it to one", Some(address::VNET_FORBIDDEN.about()));
    }
    for row in special::rows(range) {
        if matches!(row.class, Class::Loopback | Class::LinkLocal | Class::Multicast | Class::ThisNetwork) {
            add(&row.cidr, &format!("it is set aside: {} ({})", row.name, row.document), None);
        }
    }
    found.sort_by_key(|refused| refused.part);
    found
}

fn reserved(ground: &Ground, role: &Role, refused: &[Refused]) -> Finding {
    let rows: Vec<Cidr> = refused.iter().map(|refused| refused.row).collect();
    let verb = match rows.as_slice() {
        [only] if only == &role.range => "is reserved".to_owned(),
        [only] if only.covers(&role.range) => format!("lies in reserved `{only}`"),
        rows => format!("overlaps reserved {}", listed(rows)),
    };
    let message = format!("{} {verb}", role.words);
    let mut finding = Finding::new(codes::RESERVED_RANGE, &role.path, message).on(role.range);
    for refused in refused {
        if refused.row != role.range {
            finding = finding.on(refused.row);
        }
        let cite = refused.fact.map_or(String::new(), |fact| format!(": {fact}"));
        finding = finding.evidence(format!("`{}`: {}{cite}", refused.row, refused.why));
    }
    finding.since = refused.iter().find_map(|refused| refused.fact).map(|fact| fact.as_of);
    match &role.kind {
        RoleKind::Private(private) => {
            finding = finding.evidence(match private.kind {
                PrivateKind::Pods => "a pod range that overlaps it is rejected when the cluster is created or updated; any overlap counts",
                PrivateKind::Services => "a service range cannot use it; any overlap counts, and the range of a running cluster can't be replaced",
            });
            ground.mention_default(finding, &role.path, &role.range).help(private.way_out(ground))
        }
        RoleKind::Vnet { name, clusters } => {
            if !clusters.is_empty() {
                finding = finding.evidence(format!(
                    "the VNet of {} {} cannot use it",
                    if clusters.len() == 1 { "cluster" } else { "clusters" },
                    listed(clusters)
                ));
            }
            let subnets: Vec<SubnetRef> = refused
                .iter()
                .flat_map(|refused| ground.fabric.subnets_in(name, &refused.part))
                .map(|(_, subnet)| subnet)
                .collect();
            if !subnets.is_empty() {
                finding = finding.evidence(format!("subnets there: {}", listed(&subnets)));
            }
            finding.help(vnet_help(ground, &role.range))
        }
    }
}

fn vnet_help(ground: &Ground, range: &Cidr) -> String {
    match ground.proposals.range(Use::Network, range.family(), range.prefix_len(), &[]) {
        Some(free) => format!("use another address space; `{free}` is free in this design"),
        None => "use another address space, RFC 1918 or RFC 6598".to_owned(),
    }
}

/// What is not private space and not refused anyway.
fn public(ground: &Ground, role: &Role, refused: &[Refused]) -> Option<Finding> {
    let gone: RangeSet = refused.iter().map(|refused| refused.part).collect();
    let whole: RangeSet = [role.range].into_iter().collect();
    let private: RangeSet = match role.range.family() {
        Family::V4 => address::SUPPORTED_FOR_PODS.value.iter().copied().collect(),
        Family::V6 => special::private_space(Family::V6),
    };
    let rest = whole.difference(&private).difference(&gone);
    let lost: Vec<(String, &str)> = rest
        .cidrs()
        .flat_map(|part| ground.machines.on_internet(&part).collect::<Vec<_>>())
        .map(|(ip, name)| (format!("{name} ({ip})"), name))
        .collect();
    let owned = rest.cidrs().any(|part| special::touches_public(&part));
    // The rule about pods names IPv4 ranges only; of IPv6, what nobody routes anyway does no harm.
    if rest.is_empty() || (role.range.is_v6() && !owned && lost.is_empty()) {
        return None;
    }
    let parts: Vec<Cidr> = rest.cidrs().collect();
    let what = match (owned, parts.as_slice()) {
        (true, [only]) if only == &role.range => "is public: it belongs to somebody on the internet".to_owned(),
        (true, parts) => {
            format!("contains public addresses, which belong to somebody on the internet: {}", listed(parts))
        }
        (false, _) if role.range.is_v6() => "is not unique local space (RFC 4193)".to_owned(),
        (false, _) => "is neither RFC 1918 nor RFC 6598 space".to_owned(),
    };
    let names: Vec<&String> = lost.iter().map(|(name, _)| name).collect();
    let losing = if lost.is_empty() { String::new() } else { format!(", and hides {}", listed(&names)) };
    let mut finding =
        Finding::new(codes::PUBLIC_RANGE_USED, &role.path, format!("{} {what}{losing}", role.words)).on(role.range);
    if !lost.is_empty() {
        finding = finding.severity(Severity::Error);
    }
    for (_, name) in &lost {
        finding = finding.on(name);
    }
    let fact = address::SUPPORTED_FOR_PODS;
    if owned {
        finding = finding.evidence(match &role.kind {
            RoleKind::Private(_) => "inside the cluster the range leads to it, so pods can't reach the real owner",
            RoleKind::Vnet { .. } => {
                "the VNet's routes win over the way to the internet, so the real owner can't be reached"
            }
        });
    }
    Some(match &role.kind {
        RoleKind::Private(private) => {
            if private.kind == PrivateKind::Pods {
                let words = format!("the platform does not refuse it, but it is out of support: {}", fact.cite());
                finding = finding.evidence(words).since(fact.as_of);
            }
            ground.mention_default(finding, &role.path, &role.range).help(private.way_out(ground))
        }
        RoleKind::Vnet { .. } => finding.help(format!(
            "{}; if you own the range and do not announce it, accept this finding with that reason",
            vnet_help(ground, &role.range)
        )),
    })
}
