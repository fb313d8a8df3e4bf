//! Subnets without pools that the frontends of internal load balancers fill.

use super::super::rows::{known, size};
use super::super::tenants::{self, Tenant, ipv4};
use crate::Context;
use causeway_model::arithmetic::subnet;
use causeway_model::codes;
use causeway_model::design::SubnetRef;
use causeway_model::finding::Finding;
use std::collections::BTreeSet;

pub(super) fn check(cx: &Context, out: &mut Vec<Finding>) {
    let pools = || cx.design.clusters.values().flat_map(|cluster| cluster.pools.values());
    // Those have a row of their own, where tenants are counted in.
    let judged: BTreeSet<&SubnetRef> = pools().flat_map(|pool| pool.subnet.iter().chain(&pool.pod_subnet)).collect();
    for (reference, tenants) in tenants::of(cx.design, &cx.limits) {
        if !judged.contains(&reference) {
            out.extend(full(cx, &reference, &tenants));
        }
    }
}

fn full(cx: &Context, reference: &SubnetRef, tenants: &[Tenant]) -> Option<Finding> {
    let is_frontend = |tenant: &&Tenant| tenant.object.starts_with("clusters.") && tenant.object.contains(".services.");
    // What a subnet states for others may be the same frontends once more.
    let stated = |tenant: &&Tenant| !tenant.object.starts_with("networks.");
    tenants.iter().find(is_frontend)?;
    let prefixes = ipv4(&cx.design.subnet(reference)?.prefixes);
    let usable = known(&prefixes, |prefix| subnet::usable(size(prefix)))?;
    let need = tenants.iter().filter(stated).map(|tenant| tenant.addresses.at_least).fold(0, u64::saturating_add);
    if need <= usable {
        return None;
    }
    let message = format!(
        "`{reference}` has {usable} usable addresses and {need} are asked of it, frontends of services counted in"
    );
    let mut finding = Finding::new(codes::SUBNET_FULL, format!("{}.prefix", reference.path()), message)
        .help("name another subnet for some of the services, or let them share a frontend");
    finding.on.extend(prefixes.iter().map(ToString::to_string));
    for tenant in tenants.iter().filter(stated) {
        finding = finding.evidence(tenant.what.clone()).related(tenant.object.clone(), tenant.what.clone());
    }
    Some(finding)
}
