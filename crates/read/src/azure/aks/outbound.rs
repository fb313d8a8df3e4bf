//! How a cluster's packets reach the internet, and with how many addresses and ports.

use super::super::inventory::Object;
use super::super::kind::Kind;
use super::super::public::PublicAddresses;
use super::super::translate::Translation;
use super::super::value::*;
use super::{Cluster, words_of};
use crate::tree::{MapBuilder, Node};
use causeway_model::codes;
use causeway_model::finding::Finding;

const TYPES: &[(&str, &str)] = &[
    ("loadBalancer", "loadBalancer"),
    ("managedNATGateway", "managedNATGateway"),
    ("managedNATGatewayV2", "managedNATGatewayV2"),
    ("userAssignedNATGateway", "userAssignedNATGateway"),
    ("userDefinedRouting", "userDefinedRouting"),
    ("none", "none"),
    ("block", "block"),
];

pub(super) fn outbound(cx: &mut Translation, cluster: &Cluster) -> Option<Node> {
    let kind = words_of(cx, cluster, "outboundType", TYPES);
    if kind.is_none() {
        not_known(cx, cluster);
    }
    let named = kind.as_ref().and_then(Node::text).map(str::to_owned);
    let details = match named.as_deref() {
        Some("managedNATGateway" | "managedNATGatewayV2") => nat_gateway(cx, cluster),
        // An outbound type that is not stated is the load balancer's.
        Some("loadBalancer") | None => load_balancer(cx, cluster),
        Some(_) => Details::default(),
    };
    let span = kind.as_ref().or(details.first()).map(|node| node.span)?;
    let only_kind = details.first().is_none();
    if let (true, Some(kind)) = (only_kind, &kind) {
        return Some(kind.clone());
    }
    Some(
        MapBuilder::new(span)
            .set("type", None, kind)
            .set("ips", None, details.ips)
            .set("ipsKnown", None, details.ips_known)
            .set("ipv6Ips", None, details.ipv6_ips)
            .set("publicIps", None, details.public_ips)
            .set("portsPerNode", None, details.ports)
            .set("idleTimeoutMinutes", None, details.idle)
            .build(),
    )
}

/// A type that is stated and not known is judged as the platform's default, and must not pass for one that is not stated.
fn not_known(cx: &mut Translation, cluster: &Cluster) {
    let Some(stated) = cluster.network("outboundType") else { return };
    let Some(word) = stated.text().map(str::trim).filter(|text| !text.is_empty()) else { return };
    let Some(name) = cx.name(&cluster.object.id) else { return };
    let message =
        format!("the outbound type is `{word}`, which this version does not know: `loadBalancer` is judged instead");
    let finding = Finding::new(codes::OUTBOUND_NOT_EXPLICIT, format!("clusters.{name}.outbound.type"), message)
        .help("see whether the word is right; if it is a new one, what is said of egress does not hold")
        .on(word)
        .evidence("the types known are those of outbound.md as of the date of the facts")
        .at(Some(stated.span));
    cx.findings.push(finding);
}

#[derive(Debug, Default)]
struct Details {
    ips: Option<Node>,
    /// `false` where a prefix of unknown size is among the addresses.
    ips_known: Option<Node>,
    ipv6_ips: Option<Node>,
    public_ips: Option<Node>,
    ports: Option<Node>,
    idle: Option<Node>,
}

impl Details {
    fn first(&self) -> Option<&Node> {
        [&self.ips, &self.ips_known, &self.ipv6_ips, &self.public_ips, &self.ports, &self.idle]
            .into_iter()
            .flatten()
            .next()
    }
}

/// Addresses the platform manages are a number; one's own are ids, counted as far as they are known.
fn load_balancer(cx: &mut Translation, cluster: &Cluster) -> Details {
    let label = cluster.label();
    let Some(profile) = cluster.network("loadBalancerProfile") else { return of_the_balancer(cx, cluster) };
    let own = path(profile, &["outboundIPs"]).map(|own| references(own, "publicIPs")).unwrap_or_default();
    let prefixes =
        path(profile, &["outboundIPPrefixes"]).map(|own| references(own, "publicIPPrefixes")).unwrap_or_default();
    let effective = references(profile, "effectiveOutboundIPs");
    let managed = prop(profile, "managedOutboundIPs");
    let mut details = Details {
        ports: prop(profile, "allocatedOutboundPorts").and_then(copy_number),
        idle: prop(profile, "idleTimeoutInMinutes").and_then(copy_number),
        ..Details::default()
    };
    if !own.is_empty() || !prefixes.is_empty() {
        let public = PublicAddresses::of(cx, &label, &own, &prefixes);
        details.ips = public.count();
        details.ips_known = unknown(&public);
        details.ipv6_ips =
            public.count().filter(|_| public.v6 > 0).map(|node| Node::plain(node.span, public.v6.to_string()));
        details.public_ips = one_or_many(public.ips);
        return details;
    }
    let public = PublicAddresses::of(cx, &label, &effective, &[]);
    let managed_count = |key: &str| managed.and_then(|managed| prop(managed, key)).and_then(copy_number);
    details.ips = managed_count("count").or_else(|| public.count());
    details.ipv6_ips = managed_count("countIPv6").filter(|count| count.as_u64() != Some(0));
    if details.ipv6_ips.is_none() && public.v6 > 0 {
        details.ipv6_ips = public.count().map(|node| Node::plain(node.span, public.v6.to_string()));
    }
    details.public_ips = one_or_many(public.ips);
    details
}

fn unknown(public: &PublicAddresses) -> Option<Node> {
    public.span.filter(|_| !public.complete).map(|span| Node::plain(span, "false"))
}

fn nat_gateway(cx: &mut Translation, cluster: &Cluster) -> Details {
    let Some(profile) = cluster.network("natGatewayProfile") else { return Details::default() };
    let effective = references(profile, "effectiveOutboundIPs");
    let public = PublicAddresses::of(cx, &cluster.label(), &effective, &[]);
    Details {
        ips: path(profile, &["managedOutboundIPProfile", "count"]).and_then(copy_number).or_else(|| public.count()),
        public_ips: one_or_many(public.ips),
        idle: prop(profile, "idleTimeoutInMinutes").and_then(copy_number),
        ..Details::default()
    }
}

/// Where the cluster itself says nothing, its load balancer does: `kubernetes` in the nodes' resource group.
fn of_the_balancer(cx: &mut Translation, cluster: &Cluster) -> Details {
    let own = |balancer: &&Object| {
        balancer.name.eq_ignore_ascii_case("kubernetes")
            && balancer.id.group().and_then(|group| cx.cluster_of_group(group)) == Some(&cluster.object.id)
    };
    let Some(balancer) = cx.inventory.of(Kind::LoadBalancer).find(own).cloned() else { return Details::default() };
    let Some(rule) = balancer.all("outboundRules").into_iter().next() else { return Details::default() };
    let wanted = references(rule, "frontendIPConfigurations");
    let mut addresses = Vec::new();
    let mut prefixes = Vec::new();
    for frontend in balancer.all("frontendIPConfigurations") {
        let id = frontend.get_ci("id").and_then(id_of).map(|(id, _)| id);
        if id.is_some_and(|id| wanted.iter().any(|(other, _)| *other == id)) {
            addresses.extend(reference(frontend, "publicIPAddress"));
            prefixes.extend(reference(frontend, "publicIPPrefix"));
        }
    }
    let public = PublicAddresses::of(cx, &cluster.label(), &addresses, &prefixes);
    Details {
        ips: public.count(),
        ips_known: unknown(&public),
        ipv6_ips: public.count().filter(|_| public.v6 > 0).map(|node| Node::plain(node.span, public.v6.to_string())),
        public_ips: one_or_many(public.ips),
        ports: prop(rule, "allocatedOutboundPorts").and_then(copy_number),
        idle: prop(rule, "idleTimeoutInMinutes").and_then(copy_number),
    }
}
