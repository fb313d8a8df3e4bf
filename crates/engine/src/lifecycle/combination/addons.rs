//! Virtual nodes and static egress gateways: what they do not go with.

use super::super::cited;
use super::Clash;
use crate::Context;
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::{About, ModeFacts, Support, automatic, cilium, snat};
use causeway_model::finding::{Finding, Severity};

pub(super) fn check(clash: &mut Clash, cx: &Context, cluster: &Cluster) {
    if let Some(nodes) = &cluster.virtual_nodes {
        virtual_nodes(clash, cx, cluster, nodes);
    }
    if cluster.static_egress_gateway {
        static_egress_gateway(clash, cluster);
    }
}

impl Clash<'_> {
    fn doubt(&mut self, field: &str, about: About, message: String, help: &str) {
        let finding = Finding::new(codes::COMBINATION_UNSUPPORTED, format!("{}.{field}", self.path), message);
        self.out.push(cited(finding.severity(Severity::Warning).help(help), about));
    }
}

fn virtual_nodes(clash: &mut Clash, cx: &Context, cluster: &Cluster, nodes: &VirtualNodes) {
    const OFF: &str = "switch the add-on off, or make a cluster of a flat mode for such pods";
    if let Some(mode) = cluster.mode {
        let fact = &ModeFacts::of(mode).virtual_nodes;
        let message = format!("virtual nodes do not go with `{mode}`: their pods have addresses of the VNet");
        match fact.value {
            Support::No => clash.refuse("virtualNodes", fact.about(), message, OFF),
            Support::Unknown if mode != Mode::Byo => {
                let message = format!("whether virtual nodes go with `{mode}` is stated nowhere");
                clash.doubt("virtualNodes", fact.about(), message, "try it on a cluster that serves nobody first");
            }
            Support::Unknown | Support::Conditional | Support::Yes => {}
        }
    }
    let limits = automatic::VIRTUAL_NODES_LIMITS.about();
    if cluster.ip_families.contains(&IpFamily::Ipv6) {
        clash.refuse("virtualNodes", limits, "virtual nodes do not go with IPv6".to_owned(), OFF);
    }
    if cluster.api_server.authorized_ranges.as_ref().is_some_and(|ranges| !ranges.is_empty()) {
        let message = "virtual nodes do not go with authorized ranges of the API server".to_owned();
        clash.refuse("apiServer.authorizedRanges", limits, message, "remove the ranges, or switch the add-on off");
    }
    let Some(reference) = &nodes.subnet else { return };
    for (name, other) in &cx.design.clusters {
        for (pool_name, pool) in &other.pools {
            let what = match (pool.subnet.as_ref() == Some(reference), pool.pod_subnet.as_ref() == Some(reference)) {
                (true, _) => "nodes",
                (_, true) => "pods",
                _ => continue,
            };
            let object = format!("{}.virtualNodes", clash.path);
            let message = format!(
                "virtual nodes need a subnet of their own, and the {what} of `{name}/{pool_name}` are in `{reference}`"
            );
            let finding = Finding::new(codes::COMBINATION_UNSUPPORTED, object, message)
                .help("make a subnet for virtual nodes alone")
                .on(reference)
                .related(format!("clusters.{name}.pools.{pool_name}"), "also there");
            clash.out.push(cited(finding, automatic::VIRTUAL_NODES_NEED.about()));
        }
    }
}

fn static_egress_gateway(clash: &mut Clash, cluster: &Cluster) {
    const HELP: &str = "switch the gateway off, or make a cluster of another mode for it";
    let field = "staticEgressGateway";
    if let Some(fact) = cluster.mode.map(|mode| &ModeFacts::of(mode).static_egress_gateway)
        && fact.value == Support::No
    {
        let message = "a static egress gateway does not go with pod subnets".to_owned();
        clash.refuse(field, fact.about(), message, HELP);
    }
    let about = snat::STATIC_EGRESS_PREFIXES.about();
    if cluster.ip_families.contains(&IpFamily::Ipv6) {
        clash.refuse(field, about, "a static egress gateway does not go with dual stack".to_owned(), HELP);
    }
    if cluster.ebpf_host_routing {
        let message = "a static egress gateway does not go with eBPF host routing".to_owned();
        clash.refuse(field, cilium::HOST_ROUTING.about(), message, HELP);
    }
}
