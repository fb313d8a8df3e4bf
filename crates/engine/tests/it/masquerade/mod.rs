//! Node masquerade, case by case; each case has its twin without the fault.

mod changes;
mod effective;
mod files;
mod inside;
mod manifest;
mod outside;
mod platform;

pub(crate) use crate::support::design;
use causeway_engine::{Context, Options, capacity, masquerade};
use causeway_model::design::Design;
use causeway_model::finding::{Finding, Severity};

/// Two networks and a site around a cluster whose pods live on a subnet of their own, in a second prefix that neither the peer is
/// shown nor the site knows.
pub(crate) const NETWORKS: &str = "
causeway: 1
networks:
  spoke:
    prefixes: [10.0.0.0/16, 192.168.0.0/16]
    subnets:
      nodes: {prefix: 10.0.0.0/24}
      machines: {prefix: 10.0.4.0/24}
      pods: {prefix: 192.168.0.0/20}
  hub:
    prefixes: [10.10.0.0/16]
    gateway: {kind: expressRoute, connects: [corp]}
    subnets: {servers: {prefix: 10.10.4.0/24}}
  corp: {kind: onPremises, prefixes: [10.200.0.0/16], knows: [10.0.0.0/16, 10.10.0.0/16]}
peerings: [{between: [spoke, hub], gatewayTransit: hub, only: {spoke: [10.0.0.0/16]}}]
hosts:
  sql: {ip: 10.10.4.20, network: hub}
  erp: {ip: 10.200.1.5, network: corp}
  vm: {ip: 10.0.4.9, network: spoke}
  bank: {ip: 203.0.113.80, network: internet}
";

/// Fields of a cluster of each mode.
pub(crate) const POD_SUBNET: &str = "
    mode: podSubnet
    pools: {a: {nodes: 3, maxPods: 30, subnet: spoke/nodes, podSubnet: spoke/pods}}
";
pub(crate) const NODE_SUBNET: &str = "
    mode: nodeSubnet
    pools: {a: {nodes: 3, maxPods: 30, subnet: spoke/nodes}}
";
pub(crate) const OVERLAY: &str = "
    mode: overlay
    podCidr: 10.244.0.0/16
    serviceCidr: 172.16.0.0/16
    pools: {a: {nodes: 3, maxPods: 30, subnet: spoke/nodes}}
";
pub(crate) const KUBENET: &str = "
    mode: kubenet
    podCidr: 10.244.0.0/16
    serviceCidr: 172.16.0.0/16
    pools: {a: {nodes: 3, maxPods: 30, subnet: spoke/nodes}}
";

/// `masquerade:` with one file.
pub(crate) fn file(text: &str) -> String {
    format!("    masquerade: {{agent: ip-masq-agent-v2, files: {{ip-masq-agent: '{text}'}}}}\n")
}

/// `masquerade:` with a list and `masqLinkLocal`.
pub(crate) fn list(exempt: &str, link_local: bool) -> String {
    file(&format!("{{\"nonMasqueradeCIDRs\": [{}], \"masqLinkLocal\": {link_local}}}", quoted(exempt)))
}

fn quoted(list: &str) -> String {
    list.split_whitespace().map(|item| format!("\"{item}\"")).collect::<Vec<_>>().join(", ")
}

/// The networks around a cluster `prod` made of these fields.
pub(crate) fn with(parts: &[&str]) -> Design {
    design(&format!("{NETWORKS}\nclusters:\n  prod:{}", parts.concat()))
}

/// What the room has to say.
pub(crate) fn findings(design: &Design) -> Vec<Finding> {
    let capacity = capacity::of(design);
    let context = Context::new(design, Options { as_of: "2026-11-20".parse().unwrap() }, &capacity);
    let mut findings = Vec::new();
    masquerade::check(&context, &mut findings);
    for finding in &findings {
        assert!(!finding.message.ends_with('.') && !finding.object.is_empty(), "{finding:?}");
        assert!(!finding.help.is_empty(), "{finding:?}");
    }
    findings
}

/// `code[ !] object on ...` of every finding, sorted; `!` where it is an error, `i` where it is only worth knowing.
pub(crate) fn said(design: &Design) -> Vec<String> {
    let line = |finding: Finding| {
        let mark = match finding.severity {
            Severity::Error => "!",
            Severity::Warning => "",
            Severity::Info => "i",
        };
        format!("{}{mark} {} {}", finding.code, finding.object, finding.on.join(" ")).trim_end().to_owned()
    };
    let mut out: Vec<String> = findings(design).into_iter().map(line).collect();
    out.sort();
    out
}

/// The findings of one code, as [`said`] has them.
pub(crate) fn of(code: &str, design: &Design) -> Vec<String> {
    let is = |line: &String| line.strip_prefix(code).is_some_and(|rest| rest.starts_with(['!', ' ', 'i']));
    said(design).into_iter().filter(is).collect()
}
