//! The services' range.

use super::count::Count;
use super::needs::Needs;
use super::rows::{Row, blank, known, size};
use super::tenants::ipv4;
use super::{AddressPool, PoolKind};
use causeway_addr::Family;
use causeway_model::arithmetic::subnet;
use causeway_model::design::{Cluster, ClusterName, ServiceType};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Addresses of an IPv4 service range the API server never hands out: the first (the network's) and the last (its broadcast).
/// Source: the allocator of kube-apiserver, Kubernetes 1.33.
const NEVER_HANDED_OUT: u64 = 2;

/// What is known about a cluster's service range. Nobody states how many services there will be, so nothing is claimed about a maximum
/// and no size is recommended; an upgrade or a loss adds none.
pub(crate) fn row<'a>(name: &'a ClusterName, cluster: &'a Cluster) -> Row<'a> {
    let prefixes = ipv4(&cluster.service_cidrs);
    let usable = known(&prefixes, |prefix| size(prefix).saturating_sub(NEVER_HANDED_OUT));
    let held = held(cluster);
    let now = Count::of(held);
    // Filled to the last address it fits what there is, and nothing that comes.
    let fits = now.within(usable).filter(|fits| !fits || held != usable);
    let mut because = Vec::new();
    if let (Some(total), Some(usable)) = (known(&prefixes, size), usable) {
        because.push(format!("{total} addresses, the first and the last are never handed out: {usable} usable"));
    }
    let dual = cluster.service_cidrs.iter().filter(|range| range.family() == Family::V6);
    because.extend(dual.map(|range| format!("{range} is not limited in practice")));
    because.push(match held {
        Some(held) => format!(
            "{held} held by the listed services, the API server's own (the first usable address) and the cluster DNS; \
             the maximum is not stated, an upgrade adds none"
        ),
        None => "no services are listed, so how many addresses are held is unknown".to_owned(),
    });
    Row {
        answer: AddressPool {
            pool: format!("{name}/serviceCidr"),
            object: format!("clusters.{name}.serviceCidr"),
            usable,
            now: held,
            during_upgrade: held,
            after_node_loss: held,
            after_zone_loss: held,
            fits,
            short_by: held.zip(usable).map(|(held, usable)| held.saturating_sub(usable)),
            because,
            ..blank(PoolKind::ServiceCidr, &prefixes)
        },
        users: Vec::new(),
        tenants: Vec::new(),
        subnet: None,
        prefixes,
        needs: Needs { certain_now: now, now, upgrade_now: now, at_max: Count::of(None), upgrade: now, growth: None },
        others: Count::NONE,
    }
}

/// The longest range that could hand out that many.
pub(crate) fn prefix_for(held: u64) -> Option<u8> {
    subnet::prefix_for(held.saturating_add(NEVER_HANDED_OUT))
}

/// Addresses of the services that are listed; `None` when none is.
fn held(cluster: &Cluster) -> Option<u64> {
    if cluster.services.is_empty() {
        return None;
    }
    let mut addresses: BTreeSet<IpAddr> = cluster
        .services
        .iter()
        .filter(|service| service.kind != ServiceType::ExternalName)
        .flat_map(|service| service.cluster_ips.iter().copied())
        .collect();
    addresses.extend(cluster.dns_service_ip);
    addresses.extend(cluster.service_cidrs.iter().filter_map(|range| range.nth(1)));
    let inside = |ip: &&IpAddr| ip.is_ipv4() && cluster.service_cidrs.iter().any(|range| range.contains(**ip));
    u64::try_from(addresses.iter().filter(inside).count()).ok()
}
