//! Pools that can't be in the same cluster, and subnets that can't be used together.

use super::cited;
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::{About, address, automatic, pod_subnet};
use causeway_model::finding::Finding;
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

pub(super) fn check(path: &str, cluster: &Cluster, users: &Users, out: &mut Vec<Finding>) {
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
