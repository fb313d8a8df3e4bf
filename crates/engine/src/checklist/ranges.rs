//! Lines about ranges: nothing overlaps, services come from the central list, DNS and endpoints stand where they may.

use super::desk::{Desk, names};
use super::judgement::Judgement;
use crate::addresses;
use causeway_model::codes::{self, Code};
use causeway_model::design::{Cluster, ClusterName, SubnetRef};
use causeway_model::finding::Severity;
use std::collections::{BTreeMap, BTreeSet};

/// Two owners of the same address, or a range nobody may use.
const OVERLAPS: &[Code] = &[
    codes::NETWORKS_OVERLAP,
    codes::SUBNETS_OVERLAP,
    codes::SUBNET_OUTSIDE_NETWORK,
    codes::SERVICE_CIDR_OVERLAPS_VNET,
    codes::SERVICE_CIDR_OVERLAPS_PEER,
    codes::SERVICE_CIDR_OVERLAPS_ONPREM,
    codes::POD_CIDR_OVERLAPS_VNET,
    codes::POD_CIDR_OVERLAPS_PEER,
    codes::POD_CIDR_OVERLAPS_ONPREM,
    codes::POD_CIDR_OVERLAPS_SERVICE_CIDR,
    codes::RESERVED_RANGE,
];

/// What is wrong with a service range.
const SERVICE_RANGE: &[Code] = &[
    codes::SERVICE_CIDR_OVERLAPS_VNET,
    codes::SERVICE_CIDR_OVERLAPS_PEER,
    codes::SERVICE_CIDR_OVERLAPS_ONPREM,
    codes::SERVICE_CIDR_TOO_LARGE,
    codes::SERVICE_CIDR_EXHAUSTED,
    codes::POD_CIDR_OVERLAPS_SERVICE_CIDR,
    codes::RESERVED_RANGE,
    codes::PUBLIC_RANGE_USED,
];

/// The VNet does not overlap peers, on-premises, pods or services.
pub(super) fn disjoint(desk: &Desk) -> Judgement {
    let mut line = Judgement::default();
    desk.against(&mut line, OVERLAPS);
    if line.fails() {
        return line;
    }
    for (name, _) in desk.clusters(&mut line) {
        for field in ["podCidr", "serviceCidr"] {
            let path = format!("clusters.{name}.{field}");
            if desk.is_assumed(&path) {
                line.unknown(format!("`{path}` is not stated, only the platform's default is assumed"), state(&path));
            }
        }
    }
    let (mut lists, mut ranges) = (0, 0);
    for certificate in addresses::certificate(desk.design) {
        for missing in &certificate.missing {
            line.unknown(format!("{missing} {} not known", verb(missing)), missing.clone());
        }
        match certificate.proof {
            Ok(sorted) => {
                lists += 1;
                ranges += sorted.len();
            }
            // Every overlap that matters is a finding; should one be missed, silence must not become a yes.
            Err(pairs) => line.no(format!(
                "in {}: {}",
                certificate.about,
                pairs.iter().map(|(one, other)| format!("{one} overlaps {other}")).collect::<Vec<_>>().join(", ")
            )),
        }
    }
    if lists > 0 {
        line.yes(format!(
            "{ranges} entries in {lists} lists of ranges that meet are disjoint (`--certificate` prints them)"
        ));
    }
    line
}

fn verb(subject: &str) -> &'static str {
    if ["the prefixes", "the sites", "the routes"].iter().any(|plural| subject.starts_with(plural)) {
        "are"
    } else {
        "is"
    }
}

pub(super) fn state(path: &str) -> String {
    format!("state `{path}`")
}

/// The service range comes from the central list: people know, unless the range itself is wrong or nobody chose it.
pub(super) fn services(desk: &Desk) -> Judgement {
    let mut line = Judgement::default();
    let about_services = |object: &str| object.ends_with(".serviceCidr") || object.ends_with(".podCidr");
    for finding in desk.found(SERVICE_RANGE, Severity::Warning, about_services) {
        if finding.object.ends_with(".serviceCidr") || finding.code == codes::POD_CIDR_OVERLAPS_SERVICE_CIDR {
            line.no(desk.words(finding));
        }
    }
    for (name, cluster) in desk.clusters(&mut line) {
        let path = format!("clusters.{name}.serviceCidr");
        if cluster.service_cidrs.is_empty() || desk.is_assumed(&path) {
            line.unknown(format!("`{path}` is not stated, so nobody can have allocated it"), state(&path));
        } else {
            line.yes(format!("`{name}` has {}", names(&cluster.service_cidrs)));
        }
    }
    line
}

/// The DNS address is inside the service range and not the first.
pub(super) fn dns_address(desk: &Desk) -> Judgement {
    let mut line = Judgement::default();
    let wrong = [codes::DNS_SERVICE_IP_OUTSIDE_SERVICE_CIDR, codes::DNS_SERVICE_IP_IS_FIRST_ADDRESS];
    desk.against(&mut line, &wrong);
    for (name, cluster) in desk.clusters(&mut line) {
        let mut open = false;
        for field in ["dnsServiceIp", "serviceCidr"] {
            let path = format!("clusters.{name}.{field}");
            let missing = match field {
                "dnsServiceIp" => cluster.dns_service_ip.is_none(),
                _ => cluster.service_cidrs.is_empty(),
            };
            if missing || desk.is_assumed(&path) {
                line.unknown(format!("`{path}` is not stated"), state(&path));
                open = true;
            }
        }
        let Some(dns) = cluster.dns_service_ip.filter(|_| !open) else { continue };
        match cluster.service_cidrs.iter().find_map(|range| Some((range, range.index_of(dns)?))) {
            Some((range, 2..)) => {
                line.yes(format!("`{dns}` of `{name}` is inside `{range}` and not its first address"))
            }
            // A finding says the same in more words.
            _ if desk.speaks_of(&wrong, &format!("clusters.{name}.dnsServiceIp")) => {}
            _ => line.no(format!("`{dns}` of `{name}` is no address of its service range that the DNS may have")),
        }
    }
    line
}

/// Private endpoints do not compete with nodes.
pub(super) fn private_endpoints(desk: &Desk) -> Judgement {
    let mut line = Judgement::default();
    let mut used: BTreeMap<&SubnetRef, BTreeSet<&ClusterName>> = BTreeMap::new();
    for (name, cluster) in desk.clusters(&mut line) {
        for subnet in subnets(cluster) {
            used.entry(subnet).or_default().insert(name);
        }
        for (pool, _) in cluster.pools.iter().filter(|(_, pool)| pool.subnet.is_none()) {
            let path = format!("clusters.{name}.pools.{pool}.subnet");
            line.unknown(format!("which subnet pool `{pool}` of `{name}` is on is not stated"), state(&path));
        }
        if cluster.pools.is_empty() {
            line.unknown(format!("the pools of `{name}` are not listed"), state(&format!("clusters.{name}.pools")));
        }
    }
    let design = desk.design;
    let mut apart: BTreeSet<SubnetRef> = BTreeSet::new();
    let mut among: BTreeMap<SubnetRef, u64> = BTreeMap::new();
    let stated = design.subnets().map(|(subnet, value)| (subnet, value.other.private_endpoints));
    let listed = design.private_endpoints.values().map(|endpoint| (endpoint.subnet.clone(), 1));
    for (subnet, count) in listed.chain(stated).filter(|(_, count)| *count > 0) {
        if used.contains_key(&subnet) {
            let sum = among.entry(subnet).or_default();
            *sum = sum.saturating_add(count);
        } else {
            apart.insert(subnet);
        }
    }
    for (subnet, count) in among {
        let accepted = desk
            .found(&[codes::SUBNET_SHARED], Severity::Info, |object| object == subnet.path())
            .next()
            .map_or(String::new(), |finding| format!(": {}", desk.words(finding)));
        let whose = used.get(&subnet).map_or(String::new(), names);
        let plural = if count == 1 { "" } else { "s" };
        line.no(format!("{count} private endpoint{plural} on `{subnet}`, a subnet of {whose}{accepted}"));
    }
    let said = desk.is_stated("privateEndpoints");
    match apart.is_empty() {
        false => line.yes(format!("endpoints stand on {}, where no pool is", names(&apart))),
        true if said => line.yes("the design states that there are none"),
        true => line.unknown(
            "the design lists no private endpoint",
            "`privateEndpoints` in the design (`{}` if there are none), or `az network private-endpoint list -o json`",
        ),
    }
    line
}

/// The subnets of a cluster's nodes and pods.
pub(super) fn subnets(cluster: &Cluster) -> impl Iterator<Item = &SubnetRef> {
    cluster.pools.values().flat_map(|pool| [&pool.subnet, &pool.pod_subnet]).flatten()
}
