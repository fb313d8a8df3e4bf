//! The outbound type: stated, met by what is on the subnets, and really the way packets take.

use super::ground::{Ground, Uses, WayOut, is_translated_to_internet};
use crate::say::{cited, is_found, listed};
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::{outbound, routing, snat};
use causeway_model::finding::{Finding, Severity};
use std::collections::BTreeMap;

pub(super) fn check<'a>(ground: &Ground<'a>, path: &str, cluster: &'a Cluster, out: &mut Vec<Finding>) {
    if !cluster.outbound.stated {
        // Of a cluster whose mode is not known, little else of its platform side is.
        let object = format!("{path}.outbound.type");
        // A type that this version does not know was named by the reader.
        let is_named = is_found(ground.design, codes::OUTBOUND_NOT_EXPLICIT, &object);
        if cluster.mode.is_some() && !cluster.automatic && !is_named {
            out.push(not_stated(path, cluster));
        }
        return;
    }
    let subnets = ground.subnets_of(cluster);
    match cluster.outbound.kind {
        OutboundType::UserAssignedNatGateway => {
            nat_gateway_missing(ground, path, cluster, &subnets, out);
            other_way(ground, path, cluster, &subnets, out);
        }
        OutboundType::LoadBalancer => other_way(ground, path, cluster, &subnets, out),
        // The managed gateways don't go with subnets of one's own at all, which is said elsewhere.
        OutboundType::ManagedNatGateway | OutboundType::ManagedNatGatewayV2 => {}
        // A default route is the type itself; without an outbound type whatever is on the subnet is the user's affair.
        OutboundType::UserDefinedRouting | OutboundType::None | OutboundType::Block => {}
    }
}

type Subnets<'a> = BTreeMap<&'a SubnetRef, (&'a Subnet, Uses<'a>)>;

fn not_stated(path: &str, cluster: &Cluster) -> Finding {
    let message = format!("the outbound type is not stated: `{}` is what the platform takes", cluster.outbound.kind);
    let finding = Finding::new(codes::OUTBOUND_NOT_EXPLICIT, format!("{path}.outbound.type"), message)
        .help("state `outbound.type`: `userAssignedNATGateway` with a NAT gateway on the subnets, `userDefinedRouting` through a firewall, or `loadBalancer` with `ips` and `portsPerNode`")
        .evidence(outbound::DEFAULT.cite())
        .evidence(format!("the platform's default outbound access is no way out any more: it ended on {}", snat::DEFAULT_ACCESS_ENDS.value));
    cited(finding, snat::DEFAULT_ACCESS_ENDS.about())
}

/// The type needs a NAT gateway on the subnets packets leave from.
fn nat_gateway_missing(ground: &Ground, path: &str, cluster: &Cluster, subnets: &Subnets, out: &mut Vec<Finding>) {
    for (reference, (subnet, uses)) in subnets {
        if ground.way_out(subnet) != WayOut::OutboundType {
            continue;
        }
        // Pods whose packets carry a node's address leave by the node subnet.
        if uses.pods_only() && is_translated_to_internet(cluster) != Some(false) {
            continue;
        }
        let message = format!(
            "the outbound type is `userAssignedNATGateway`, and `{reference}`, where {} are, has no NAT gateway",
            uses.words()
        );
        let help = if uses.pods_only() {
            "put the NAT gateway on the pod subnet as well: packets with pod addresses leave by that subnet's own configuration"
        } else {
            "put the NAT gateway on the subnet before the cluster is made: the platform refuses the type without it"
        };
        let finding = Finding::new(codes::NAT_GATEWAY_MISSING, reference.path(), message)
            .help(help)
            .on(reference)
            .related(format!("{path}.outbound.type"), "the outbound type");
        out.push(cited(finding, outbound::USER_ASSIGNED_NAT_GATEWAY.about()));
    }
}

/// Packets take another way than the type says.
fn other_way(ground: &Ground, path: &str, cluster: &Cluster, subnets: &Subnets, out: &mut Vec<Finding>) {
    let kind = cluster.outbound.kind;
    let mut ways: BTreeMap<String, (String, Severity, Vec<&SubnetRef>)> = BTreeMap::new();
    for (reference, (subnet, uses)) in subnets {
        if uses.pods_only() && is_translated_to_internet(cluster) != Some(false) {
            continue;
        }
        let way_out = ground.way_out(subnet);
        let severity = match way_out {
            WayOut::Route(_, _, NextHop::None) => Severity::Error,
            // It works, and the load balancer's addresses and ports are not used.
            WayOut::NatGateway(_) => Severity::Info,
            _ => Severity::Warning,
        };
        let (way, object) = match way_out {
            WayOut::Route(table, at, hop @ (NextHop::Appliance(_) | NextHop::UnknownAppliance)) => {
                let way = match hop {
                    NextHop::Appliance(ip) => format!("through {}", ground.hop_words(&reference.network, ip)),
                    _ => "through an appliance".to_owned(),
                };
                (way, format!("routeTables.{table}.routes.{at}"))
            }
            WayOut::Route(table, at, NextHop::Gateway) => {
                ("through the virtual network gateway".to_owned(), format!("routeTables.{table}.routes.{at}"))
            }
            WayOut::Route(table, at, NextHop::None) => {
                ("nowhere: the route drops them".to_owned(), format!("routeTables.{table}.routes.{at}"))
            }
            WayOut::NatGateway(gateway) if kind != OutboundType::UserAssignedNatGateway => {
                (format!("through the NAT gateway `{gateway}`"), format!("{}.natGateway", reference.path()))
            }
            _ => continue,
        };
        ways.entry(way).or_insert_with(|| (object, severity, Vec::new())).2.push(reference);
    }
    for (way, (object, severity, references)) in ways {
        let message = format!("the outbound type is `{kind}`, and packets of {} leave {way}", listed(&references));
        let mut finding = Finding::new(codes::OUTBOUND_NOT_EXPLICIT, format!("{path}.outbound.type"), message)
            .help("state the type that is meant (`userDefinedRouting` for a route, `userAssignedNATGateway` for a NAT gateway), or take the other way out off the subnet")
            .evidence("a default route to an appliance or gateway comes first, then a NAT gateway, then public addresses of nodes, then the load balancer")
            .related(object, "the way packets take");
        finding = finding.severity(severity);
        if severity == Severity::Error {
            finding = finding.help("remove the route to nowhere, or state `outbound.type: none` if the cluster is meant to have no way out");
        }
        for reference in references {
            finding = finding.on(reference);
        }
        out.push(cited(finding, routing::EGRESS_ORDER.about()));
    }
}
