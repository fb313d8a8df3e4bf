//! Peerings that carry less than they seem to: a half is missing, or the gateway behind them can't be used.

use crate::say::cited;
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::routing;
use causeway_model::finding::{Finding, Severity};
use std::collections::BTreeSet;

pub(super) fn check(design: &Design, out: &mut Vec<Finding>) {
    let clusters: BTreeSet<&NetworkName> = design.clusters.values().flat_map(Cluster::networks).collect();
    for (at, peering) in design.peerings.iter().enumerate() {
        let path = format!("peerings.{at}");
        let finding = if peering.connected {
            gateway(design, &path, peering)
        } else {
            Some(disconnected(design, &path, peering, &clusters))
        };
        out.extend(finding);
    }
}

/// No packet passes. An error where something of the design is known to need it: whether anybody else does is not stated, and a
/// peering may be cut on purpose.
fn disconnected(design: &Design, path: &str, peering: &Peering, clusters: &BTreeSet<&NetworkName>) -> Finding {
    let (one, other) = &peering.between;
    let mut needs: Vec<String> = Vec::new();
    if let Some(lender) = &peering.gateway_transit {
        let user = if lender == one { other } else { one };
        needs.push(format!("`{user}` uses the gateway of `{lender}`"));
    }
    for (from, to) in [(one, other), (other, one)] {
        let (Some(asking), Some(asked)) = (design.networks.get(from), design.networks.get(to)) else { continue };
        let DnsServers::Custom(servers) = &asking.dns_servers else { continue };
        let there = |server| asked.prefixes.iter().any(|prefix| prefix.contains(server));
        if let Some(server) = servers.iter().find(|server| there(**server)) {
            needs.push(format!("`{from}` asks the DNS server {server} in `{to}`"));
        }
    }
    let matters = !needs.is_empty() && [one, other].into_iter().any(|end| clusters.contains(end));
    let what = format!("the peering of `{one}` and `{other}` is not connected: no packet passes between them");
    let message = if matters { format!("{what}, and {}", needs.join(", and ")) } else { what };
    let mut finding = Finding::new(codes::PEERING_INCOMPLETE, format!("{path}.connected"), message)
        .severity(if matters { Severity::Error } else { Severity::Warning })
        .help("create the missing half; one that is `Disconnected` is deleted on both sides and created again. If the networks are to stay apart, take the peering away")
        .on(one)
        .on(other);
    for end in [one, other] {
        finding = finding.related(format!("networks.{end}"), "an end of it");
    }
    cited(finding, routing::OPTIONAL_SYSTEM.about())
}

/// The gateway of the other side is not offered, or there is none.
fn gateway(design: &Design, path: &str, peering: &Peering) -> Option<Finding> {
    let lender = peering.gateway_transit.as_ref()?;
    let (one, other) = &peering.between;
    let user = if lender == one { other } else { one };
    let network = design.networks.get(lender)?;
    let finding = |message: String, help: String| {
        Finding::new(codes::PEERING_INCOMPLETE, format!("{path}.gatewayTransit"), message)
            .help(help)
            .on(lender)
            .related(format!("networks.{lender}"), "whose gateway is to be used")
    };
    if !peering.gateway_transit_allowed {
        let message = format!(
            "`{user}` is to use the gateway of `{lender}`, whose half of the peering does not allow it: what lies behind the gateway is not reached"
        );
        let help = format!(
            "set `allowGatewayTransit` on the half of `{lender}`, or `useRemoteGateways: false` on the half of `{user}`"
        );
        return Some(
            finding(message, help)
                .severity(Severity::Error)
                .evidence("`useRemoteGateways` on one half needs `allowGatewayTransit` on the other")
                .evidence(routing::OPTIONAL_SYSTEM.about().to_string()),
        );
    }
    let described = network.kind == NetworkKind::Vnet && !network.prefixes.is_empty();
    let has_subnet = network.subnets.keys().any(|name| name.as_str().eq_ignore_ascii_case("GatewaySubnet"));
    if !described || network.gateway.is_some() || has_subnet {
        return None;
    }
    let message = format!(
        "`{user}` is to use the gateway of `{lender}`, and none is described there: nothing behind it is known to be reached"
    );
    let help = format!(
        "describe it (`gateway: {{kind: ..., connects: [...]}}` in `{lender}`, or give `az network vnet-gateway show`); if there is none, take `gatewayTransit` away"
    );
    let evidence = if network.subnets.is_empty() {
        format!("`{lender}` has no `gateway`")
    } else {
        format!("`{lender}` has no `gateway`, and none of its subnets is a `GatewaySubnet`, where a gateway stands")
    };
    Some(cited(finding(message, help).evidence(evidence), routing::OPTIONAL_SYSTEM.about()))
}
