//! What there is to judge at all: an input without a cluster must not look like a cluster without faults.

use causeway_addr::Cidr;
use causeway_model::codes;
use causeway_model::design::{Design, SubnetRef};
use causeway_model::finding::{Finding, Severity};
use std::collections::BTreeMap;

/// Says which questions nobody asked, because their objects are missing.
pub(crate) fn check(design: &Design, out: &mut Vec<Finding>) {
    out.extend(no_cluster(design));
    for (name, cluster) in &design.clusters {
        if cluster.pools.is_empty() {
            let message = format!("cluster `{name}` lists no pool: room was not judged");
            out.push(
                Finding::new(codes::NOTHING_TO_CHECK, format!("clusters.{name}"), message)
                    .severity(Severity::Warning)
                    .help("give the pools too: `az aks nodepool list -o json`, or `pools` in the design file"),
            );
        }
    }
    unknown_prefixes(design, out);
}

fn no_cluster(design: &Design) -> Option<Finding> {
    let sites_and_vnets = design.networks.len();
    let finding = |message: String, severity| {
        Finding::new(codes::NOTHING_TO_CHECK, "clusters", message).severity(severity).help(
            "give the cluster too: `az aks show -o json`, a plan that creates it, or `clusters` in the design file",
        )
    };
    // A cluster that is there and not described was named by the reader.
    let is_named = design.findings.iter().any(|finding| finding.code == codes::NOTHING_TO_CHECK);
    if !design.clusters.is_empty() || is_named {
        return None;
    }
    if sites_and_vnets == 0 {
        let message = "there is neither a network nor a cluster here: nothing was judged".to_owned();
        return Some(finding(message, Severity::Warning));
    }
    let networks = if sites_and_vnets == 1 { "1 network".to_owned() } else { format!("{sites_and_vnets} networks") };
    let message =
        format!("there is no cluster here, only {networks}: room, masquerading, egress and life cycle were not judged");
    Some(finding(message, Severity::Info))
}

/// Subnets that pools take addresses from and whose IPv4 prefix nobody gives: an unknown room must not look like a sufficient one.
fn unknown_prefixes(design: &Design, out: &mut Vec<Finding>) {
    let mut users: BTreeMap<&SubnetRef, Vec<String>> = BTreeMap::new();
    for (name, cluster) in &design.clusters {
        for (pool_name, pool) in &cluster.pools {
            for (subnet, field) in [(&pool.subnet, "subnet"), (&pool.pod_subnet, "podSubnet")] {
                if let Some(subnet) = subnet {
                    let path = format!("clusters.{name}.pools.{pool_name}.{field}");
                    users.entry(subnet).or_default().push(path);
                }
            }
        }
    }
    for (reference, paths) in users {
        let subnet = design.subnet(reference);
        if subnet.is_some_and(|subnet| subnet.prefixes.iter().any(Cidr::is_v4)) {
            continue;
        }
        let message = format!("the IPv4 prefix of subnet `{reference}` is not known: its room was not judged");
        let mut finding =
            Finding::new(codes::NOTHING_TO_CHECK, reference.path(), message).severity(Severity::Warning).help(
                "give the network too (`az network vnet show -o json`), or check that the pools name a subnet it has",
            );
        for path in paths {
            finding = finding.related(path, "takes addresses from it");
        }
        out.push(finding);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use causeway_model::design::Design;

    fn read(text: &str) -> Design {
        let input = causeway_read::Input { name: "design.yaml".into(), bytes: text.into(), kind: None, found: false };
        causeway_read::load(vec![input], &causeway_read::files::MemoryFiles::default()).outcome.unwrap().design
    }

    fn said(text: &str) -> Vec<(Severity, String)> {
        let mut out = Vec::new();
        check(&read(text), &mut out);
        out.into_iter().map(|finding| (finding.severity, finding.object)).collect()
    }

    #[test]
    fn an_empty_input_is_not_a_clean_one() {
        let of = |severity, object: &str| vec![(severity, object.to_owned())];
        assert_eq!(said("causeway: 1"), of(Severity::Warning, "clusters"));
        assert_eq!(said("{causeway: 1, networks: {a: {prefixes: [10.0.0.0/16]}}}"), of(Severity::Info, "clusters"));
        assert_eq!(said("{causeway: 1, clusters: {a: {mode: overlay, pools: {p: {nodes: 1}}}}}"), []);
    }

    #[test]
    fn a_cluster_without_pools_and_a_subnet_without_a_prefix_are_no_pass() {
        let without = "{causeway: 1, clusters: {a: {mode: overlay}, b: {mode: overlay, pools: {}}}}";
        assert_eq!(
            said(without),
            [(Severity::Warning, "clusters.a".to_owned()), (Severity::Warning, "clusters.b".to_owned())]
        );
        let on = |nodes: &str, pods: &str| {
            said(&format!(
                "{{causeway: 1, networks: {{n: {{prefixes: [10.0.0.0/16], subnets: {{s: {nodes}, p: {pods}}}}}}}, \
                 clusters: {{a: {{mode: podSubnet, pools: {{q: {{nodes: 1, subnet: n/s, podSubnet: n/p}}}}}}}}}}"
            ))
        };
        let (nodes, pods) = ("{prefix: 10.0.0.0/24}", "{prefix: 10.0.4.0/22}");
        assert_eq!(on(nodes, pods), []);
        assert_eq!(on("{}", pods), [(Severity::Warning, "networks.n.subnets.s".to_owned())]);
        assert_eq!(on(nodes, "{}"), [(Severity::Warning, "networks.n.subnets.p".to_owned())]);
    }
}
