//! Pools that can't be in the same cluster, and subnets that can't be used together.

use super::cited;
use crate::say::{listed, plural};
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::{About, address, automatic, pod_subnet, upgrade};
use causeway_model::finding::{Finding, Severity};
use std::collections::BTreeMap;

/// Pod subnets with the first pool of each mode that takes addresses from them, over all clusters.
pub(super) type Users<'a> = BTreeMap<&'a SubnetRef, BTreeMap<Mode, String>>;

pub(super) fn users(design: &Design) -> Users<'_> {
    let mut users = Users::new();
    for (name, cluster) in &design.clusters {
        for (pool_name, pool) in &cluster.pools {
            if let (Some(subnet), Some(mode)) = (&pool.pod_subnet, cluster.mode_of(pool)) {
                users.entry(subnet).or_default().entry(mode).or_insert_with(|| format!("{name}/{pool_name}"));
            }
        }
    }
    users
}

pub(super) fn check(design: &Design, path: &str, cluster: &Cluster, users: &Users, out: &mut Vec<Finding>) {
    let mut refuse = |object: String, about: About, message: String, help: &str| {
        out.push(cited(Finding::new(codes::COMBINATION_UNSUPPORTED, object, message).help(help), about));
    };
    for (name, pool) in &cluster.pools {
        if let Some(mode) = cluster.mode_of(pool).filter(|mode| mode.uses_pod_subnet() && pool.pod_subnet.is_none()) {
            refuse(
                format!("{path}.pools.{name}"),
                pod_subnet::KINDS_MIX.about(),
                format!(
                    "pool `{name}` has no pod subnet, and the cluster's mode is `{mode}`: its pods have nowhere to get addresses"
                ),
                "name the pool's `podSubnet`; every pool of such a cluster has one",
            );
        }
    }
    if let Some(mode) = cluster.mode.filter(|mode| !mode.uses_pod_subnet()) {
        for (name, _) in cluster.pools.iter().filter(|(_, pool)| pool.pod_subnet.is_some()) {
            refuse(
                format!("{path}.pools.{name}.podSubnet"),
                pod_subnet::KINDS_MIX.about(),
                format!(
                    "pool `{name}` has a pod subnet, and the cluster's mode is `{mode}`: pod-subnet pools can't be mixed with others"
                ),
                "remove `podSubnet`, or give every pool one and set the mode to `podSubnet`",
            );
        }
    }
    for (name, pool) in &cluster.pools {
        let pods = pool.pod_subnet.as_ref().filter(|pods| pool.subnet.as_ref() == Some(*pods));
        if let (Some(subnet), true) = (pods, cluster.mode_of(pool).is_some_and(Mode::uses_pod_subnet)) {
            refuse(
                format!("{path}.pools.{name}.podSubnet"),
                pod_subnet::SAME_VNET.about(),
                format!("pool `{name}` has `{subnet}` for its nodes and for its pods"),
                "give pods a subnet of their own in the same VNet",
            );
        }
    }
    for (name, pool) in &cluster.pools {
        let allowed = pool.max_unavailable.is_none_or(|share| matches!(share, Share::Count(0) | Share::Percent(0)));
        if pool.system == Some(true) && !allowed {
            refuse(
                format!("{path}.pools.{name}.maxUnavailable"),
                upgrade::MAX_UNAVAILABLE_DEFAULT.about(),
                format!("pool `{name}` is a system pool, and `maxUnavailable` can't be set there"),
                "leave it out (0), and let the upgrade surge",
            );
        }
    }
    let networks = cluster.networks();
    if networks.len() > 1 {
        let list = networks.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        refuse(
            format!("{path}.pools"),
            address::POOLS_SHARE_VNET.about(),
            format!("the pools' subnets are in several networks: {list}"),
            "put node and pod subnets of all pools into one VNet",
        );
    }
    let system: Vec<_> = cluster.pools.values().filter(|pool| pool.system == Some(true)).collect();
    if !system.is_empty() && system.iter().all(|pool| pool.os == Os::Windows) {
        refuse(
            format!("{path}.pools"),
            automatic::WINDOWS_FIRST_POOL.about(),
            "the only system pool is Windows: a cluster can't start with it".to_owned(),
            "add a Linux system pool",
        );
    }
    mixed_allocation(path, cluster, users, &mut refuse);
    partly_own(design, path, cluster, out);
    zones(path, cluster, out);
}

/// Pools with a subnet in a VNet of one's own beside pools without any, which would be in one the platform makes.
fn partly_own(design: &Design, path: &str, cluster: &Cluster, out: &mut Vec<Finding>) {
    let own = cluster.pools.iter().find(|(_, pool)| {
        let network = pool.subnet.as_ref().and_then(|subnet| design.networks.get(&subnet.network));
        network.is_some_and(|network| !network.managed_by_aks)
    });
    let Some((named, Some(subnet))) = own.map(|(name, pool)| (name, &pool.subnet)) else { return };
    for (name, _) in cluster.pools.iter().filter(|(_, pool)| pool.subnet.is_none()) {
        // A subnet that is written down and not known yet is not a missing one, nor is that of a pool only its nodes tell of.
        let at = format!("{path}.pools.{name}");
        if design.places.exact(&format!("{at}.subnet")).is_some() {
            continue;
        }
        let only_nodes = cluster.nodes.values().any(|node| node.pool.as_ref() == Some(name));
        let about = address::POOLS_SHARE_VNET.about();
        let mut finding = Finding::new(
            codes::COMBINATION_UNSUPPORTED,
            at,
            format!("pool `{name}` names no subnet, and pool `{named}` is on `{subnet}`: all pools are in one VNet"),
        )
        .help("name a subnet of the same VNet for every pool")
        .related(format!("{path}.pools.{named}.subnet"), "a subnet of your own");
        if only_nodes {
            finding = finding.severity(Severity::Warning);
        }
        out.push(cited(finding, about));
    }
}

/// Zones are numbered from one to three in every region that has them.
fn zones(path: &str, cluster: &Cluster, out: &mut Vec<Finding>) {
    for (name, pool) in &cluster.pools {
        // Nodes outside every zone are labelled zero.
        let unknown = |zone: &&String| zone.parse::<u32>().is_ok_and(|number| number > 3);
        let odd: Vec<&String> = pool.zones.iter().filter(unknown).collect();
        if odd.is_empty() {
            continue;
        }
        let message = format!(
            "pool `{name}` names {} {}, and regions have the zones 1 to 3",
            plural(odd.len(), "zone", "zones"),
            listed(&odd)
        );
        out.push(
            Finding::new(codes::COMBINATION_UNSUPPORTED, format!("{path}.pools.{name}.zones"), message)
                .severity(Severity::Warning)
                .help("name zones the region has (`az vm list-skus --location … --zone`)"),
        );
    }
}

/// A pod subnet is either dynamic or static block for everyone who uses it. Judged over all clusters; each is told of its own pools.
fn mixed_allocation(
    path: &str,
    cluster: &Cluster,
    users: &Users,
    refuse: &mut impl FnMut(String, About, String, &str),
) {
    for (name, pool) in &cluster.pools {
        let (Some(subnet), Some(Mode::PodSubnetStatic)) = (&pool.pod_subnet, cluster.mode_of(pool)) else { continue };
        if let Some(dynamic) = users.get(subnet).and_then(|modes| modes.get(&Mode::PodSubnet)) {
            refuse(
                format!("{path}.pools.{name}.podSubnet"),
                pod_subnet::ONE_ALLOCATION_PER_SUBNET.about(),
                format!(
                    "pool `{name}` takes static blocks from `{subnet}`, and pool `{dynamic}` takes single addresses from it"
                ),
                "give static block pools a pod subnet of their own",
            );
        }
    }
}
