//! Room and ports, from design files to numbers and findings.
#![expect(clippy::panic, clippy::expect_used, clippy::indexing_slicing, reason = "helpers of tests")]

mod examples;
mod phases;
mod ports;
mod properties;
mod tenants;

use causeway_engine::capacity::{AddressPool, Snat};
use causeway_engine::{Answer, Options, check};
use causeway_model::finding::Finding;

/// What the engine says about a design file.
fn ask(text: &str) -> Answer {
    check(&crate::support::design(text), Options { as_of: jiff::civil::date(2026, 11, 1) })
}

/// The row of that name.
fn pool<'a>(answer: &'a Answer, name: &str) -> &'a AddressPool {
    let names: Vec<&str> = answer.capacity.pools.iter().map(|pool| pool.pool.as_str()).collect();
    answer.capacity.pools.iter().find(|pool| pool.pool == name).unwrap_or_else(|| panic!("no `{name}` among {names:?}"))
}

/// The ports of the only cluster.
fn snat(answer: &Answer) -> &Snat {
    assert_eq!(answer.capacity.clusters.len(), 1);
    &answer.capacity.clusters[0].snat
}

/// Findings of a code.
fn found<'a>(answer: &'a Answer, code: &str) -> Vec<&'a Finding> {
    answer.findings.iter().filter(|finding| finding.code.as_str() == code).collect()
}

/// Codes of capacity and ports that were found, sorted, each once.
fn codes(answer: &Answer) -> Vec<&'static str> {
    const OURS: &[&str] = &[
        "subnet-full",
        "no-room-for-max",
        "no-room-for-surge",
        "no-room-for-growth",
        "pod-cidr-exhausted",
        "service-cidr-exhausted",
        "pod-subnet-stranded-addresses",
        "static-block-waste",
        "max-pods-out-of-range",
        "node-limit-exceeded",
        "subnet-shared",
        "utilisation-above-alarm",
        "snat-budget-exceeded",
        "snat-budget-has-no-headroom",
        "snat-ports-halve",
        "firewall-snat-exhausted",
        "outbound-setting-out-of-range",
    ];
    let mut codes: Vec<_> =
        answer.findings.iter().map(|finding| finding.code.as_str()).filter(|code| OURS.contains(code)).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

/// A cluster on a spoke, with what differs filled in.
struct Plan<'a> {
    mode: &'a str,
    nodes: &'a str,
    pods: &'a str,
    pod_cidr: &'a str,
    outbound: &'a str,
    pools: &'a str,
    cluster: &'a str,
    rest: &'a str,
}

impl Default for Plan<'_> {
    fn default() -> Self {
        Plan {
            mode: "overlay",
            nodes: "prefix: 10.80.0.0/24",
            pods: "prefix: 10.96.0.0/16",
            pod_cidr: "100.64.0.0/10",
            outbound: "{type: loadBalancer, ips: 1}",
            pools: "system: {nodes: 3, maxPods: 30, maxSurge: 1}",
            cluster: "",
            rest: "",
        }
    }
}

impl Plan<'_> {
    fn text(&self) -> String {
        let pod_subnet = self.mode.starts_with("podSubnet");
        let pools: Vec<String> = self
            .pools
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(|line| {
                let mut line = line.trim().to_owned();
                let end = line.rfind('}').expect("a pool in braces");
                let subnets =
                    if pod_subnet { ", subnet: spoke/nodes, podSubnet: spoke/pods" } else { ", subnet: spoke/nodes" };
                line.insert_str(end, subnets);
                format!("      {line}\n")
            })
            .collect();
        let pod_cidr = if matches!(self.mode, "overlay" | "kubenet" | "byo") {
            format!("    podCidr: {}\n", self.pod_cidr)
        } else {
            String::new()
        };
        let pods = if pod_subnet { format!("      pods: {{{}}}\n", self.pods) } else { String::new() };
        format!(
            "causeway: 1\nname: plan\nnetworks:\n  spoke:\n    prefixes: [10.80.0.0/12, 10.96.0.0/11]\n    subnets:\n      nodes: {{{}}}\n{pods}\
             clusters:\n  prod:\n    version: \"1.34\"\n    mode: {}\n{pod_cidr}    serviceCidr: 172.16.0.0/16\n    dnsServiceIp: 172.16.0.10\n    \
             outbound: {}\n    pools:\n{}{}\n{}\n",
            self.nodes,
            self.mode,
            self.outbound,
            pools.concat(),
            self.cluster,
            self.rest,
        )
    }

    fn ask(&self) -> Answer {
        ask(&self.text())
    }
}
