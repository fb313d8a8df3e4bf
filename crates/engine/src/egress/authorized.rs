//! Who may call a public API server: the cluster's own nodes among them, and only ranges the platform takes.

use super::ground::{Ground, WayOut};
use crate::Context;
use crate::say::{cited, listed};
use causeway_addr::{Cidr, special};
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::{About, limits, outbound};
use causeway_model::finding::{Finding, Severity};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// The range that stands for "nobody but the cluster": it adds no address.
const NOBODY: Cidr = Cidr::v4([0, 0, 0, 0], 32);

/// A way out and what is known of its addresses.
struct Way<'a> {
    words: String,
    path: String,
    known: Vec<IpAddr>,
    /// Every address is known.
    complete: bool,
    /// Whether the platform allows these addresses by itself is not known.
    doubtful: bool,
    from: Vec<&'a SubnetRef>,
}

pub(super) fn check<'a>(cx: &Context, ground: &Ground<'a>, path: &str, cluster: &'a Cluster, out: &mut Vec<Finding>) {
    let server = &cluster.api_server;
    let Some(ranges) = server.authorized_ranges.as_ref().filter(|ranges| !ranges.is_empty()) else { return };
    let object = format!("{path}.apiServer.authorizedRanges");
    // A private API server takes no ranges at all; that is said elsewhere.
    if server.access == ApiAccess::Private {
        return;
    }
    valid(cx, &object, server, ranges, out);
    // Nodes of an integrated API server reach it inside the VNet.
    if server.access != ApiAccess::Public {
        return;
    }
    for way in ways(ground, path, cluster).into_values() {
        let allowed = |ip: &&IpAddr| ranges.iter().any(|range| range.contains(**ip));
        let missing: Vec<&IpAddr> = way.known.iter().filter(|ip| ip.is_ipv4() && !allowed(ip)).collect();
        let everybody = ranges.iter().any(|range| range.is_v4() && range.prefix_len() == 0);
        let (message, severity) = if !missing.is_empty() {
            let message =
                format!("nodes come from {} ({}), which the allowed ranges don't contain", listed(&missing), way.words);
            (message, if way.doubtful { Severity::Warning } else { Severity::Error })
        } else if !way.complete && !everybody {
            let message = format!(
                "nodes come from {}, and whether the allowed ranges contain all its addresses can't be told: they are not all known",
                way.words
            );
            (message, Severity::Warning)
        } else {
            continue;
        };
        let mut finding = Finding::new(codes::AUTHORIZED_RANGES_MISS_EGRESS, object.as_str(), message)
            .severity(severity)
            .help("add every address the cluster's nodes leave from to `authorizedRanges`, or make the API server private")
            .related(way.path.as_str(), "the way out");
        if way.doubtful {
            finding = finding.evidence("whether the platform adds these addresses by itself is not documented");
        }
        for ip in missing {
            finding = finding.on(ip);
        }
        for subnet in way.from {
            finding = finding.on(subnet);
        }
        out.push(cited(finding, outbound::CARRIES_API_SERVER_TRAFFIC.about()));
    }
}

/// Ranges the platform refuses.
fn valid(cx: &Context, object: &str, server: &ApiServer, ranges: &[Cidr], out: &mut Vec<Finding>) {
    let about: About = limits::AUTHORIZED_RANGES.about();
    let mut refuse = |object: String, message: String, help: &str, on: String| {
        out.push(cited(Finding::new(codes::AUTHORIZED_RANGES_INVALID, object, message).help(help).on(on), about));
    };
    let most = cx.limits.authorized_ranges_for(server.access == ApiAccess::VnetIntegration);
    let count = u64::try_from(ranges.len()).unwrap_or(u64::MAX);
    if count > most {
        let message = format!("{count} allowed ranges, and the platform takes {most}");
        refuse(
            object.to_owned(),
            message,
            "join neighbouring ranges, or use API server VNet integration",
            count.to_string(),
        );
    }
    for (at, range) in ranges.iter().enumerate().filter(|(_, range)| **range != NOBODY) {
        let what = if range.is_v6() {
            "is IPv6: allowed ranges are IPv4"
        } else if range.prefix_len() > 0 && !could_be_public(range) {
            "is not public: the API server sees public addresses only, and the platform refuses the range"
        } else {
            continue;
        };
        refuse(
            format!("{object}.{at}"),
            format!("the allowed range `{range}` {what}"),
            "list the public addresses clients come from",
            range.to_string(),
        );
    }
}

/// Documentation ranges stand for public ones in examples.
fn could_be_public(range: &Cidr) -> bool {
    special::touches_public(range) || special::is_documentation(range)
}

/// The ways nodes take to a public API server. Pods that call it by address leave the same way or are judged by their own subnet.
fn ways<'a>(ground: &Ground<'a>, path: &str, cluster: &'a Cluster) -> BTreeMap<String, Way<'a>> {
    let mut ways: BTreeMap<String, Way> = BTreeMap::new();
    for (reference, (subnet, uses)) in ground.subnets_of(cluster) {
        if uses.pods_only() {
            continue;
        }
        let way = match ground.way_out(subnet) {
            WayOut::Route(_, _, NextHop::Appliance(ip)) => match ground.firewall(&reference.network, ip) {
                Some((name, firewall)) => Way {
                    words: format!("firewall `{name}`"),
                    path: format!("firewalls.{name}"),
                    known: firewall.public_ips.clone(),
                    complete: complete(&firewall.public_ips, firewall.public_ip_count),
                    doubtful: false,
                    from: Vec::new(),
                },
                None => Way {
                    words: format!("the appliance {ip}"),
                    path: reference.path(),
                    known: Vec::new(),
                    complete: false,
                    doubtful: false,
                    from: Vec::new(),
                },
            },
            WayOut::NatGateway(name) => {
                let gateway = ground.design.nat_gateways.get(name);
                let ips = gateway.map(|gateway| gateway.public_ips.clone()).unwrap_or_default();
                Way {
                    words: format!("NAT gateway `{name}`"),
                    path: format!("natGateways.{name}"),
                    complete: complete(&ips, gateway.and_then(|gateway| gateway.public_ip_count)),
                    known: ips,
                    doubtful: false,
                    from: Vec::new(),
                }
            }
            _ => continue,
        };
        ways.entry(way.path.clone()).or_insert(way).from.push(reference);
    }
    let managed = matches!(cluster.outbound.kind, OutboundType::ManagedNatGateway | OutboundType::ManagedNatGatewayV2);
    // A load balancer's addresses are allowed by the platform itself.
    if managed && ways.is_empty() && !cluster.outbound.public_ips.is_empty() {
        let way = Way {
            words: "the managed NAT gateway".to_owned(),
            path: format!("{path}.outbound"),
            known: cluster.outbound.public_ips.clone(),
            complete: true,
            doubtful: true,
            from: Vec::new(),
        };
        ways.insert(way.path.clone(), way);
    }
    for (name, pool) in cluster.pools.iter().filter(|(_, pool)| pool.node_public_ip) {
        let subnet = pool.subnet.as_ref().and_then(|reference| ground.design.subnet(reference));
        let direct = subnet.is_none_or(|subnet| ground.way_out(subnet) == WayOut::OutboundType);
        let known: Vec<IpAddr> = cluster
            .nodes
            .values()
            .filter(|node| node.pool.as_ref() == Some(name))
            .flat_map(|node| &node.ips)
            .filter(|ip| special::is_globally_reachable(&Cidr::host(**ip)))
            .copied()
            .collect();
        if direct {
            let way = Way {
                words: format!("public addresses of their own (pool `{name}`)"),
                path: format!("{path}.pools.{name}"),
                complete: false,
                known,
                doubtful: false,
                from: Vec::new(),
            };
            ways.insert(way.path.clone(), way);
        }
    }
    ways
}

fn complete(known: &[IpAddr], count: Option<u32>) -> bool {
    let listed = known.iter().filter(|ip| ip.is_ipv4()).count();
    !known.is_empty() && count.is_none_or(|count| usize::try_from(count).is_ok_and(|count| listed >= count))
}
