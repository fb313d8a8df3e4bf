//! Size of the service range, and the address of the cluster DNS in it.

use super::ground::{Ground, listed};
use super::shadow::{Private, PrivateKind, shortest_service_prefix};
use causeway_addr::Cidr;
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::address;
use causeway_model::finding::Finding;
use std::net::IpAddr;

pub(super) fn check(ground: &Ground, out: &mut Vec<Finding>) {
    for (name, cluster) in &ground.design.clusters {
        for private in Private::of(name, cluster) {
            if private.kind == PrivateKind::Services {
                out.extend(too_large(ground, &private));
            }
        }
        if let Some(dns) = cluster.dns_service_ip {
            out.extend(dns_address(ground, name, cluster, dns));
        }
    }
}

fn too_large(ground: &Ground, private: &Private) -> Option<Finding> {
    let shortest = shortest_service_prefix(ground, &private.range);
    if private.range.prefix_len() >= shortest {
        return None;
    }
    let (about, rule) = if private.range.is_v4() {
        (address::SERVICE_CIDR_SHORTEST.about(), "an IPv4 service range must be smaller than a /12")
    } else {
        (address::SERVICE_CIDR_SHORTEST_IPV6.about(), "an IPv6 service range is no larger than /108")
    };
    let fits = Cidr::new(private.range.first(), if private.range.is_v4() { 16 } else { shortest });
    let help = match fits {
        Some(fits) => format!("use a part of it, `{fits}` for instance"),
        None => "use a part of it".to_owned(),
    };
    let message = format!("{} is too large: the platform takes /{shortest} at most", private.words());
    let finding = Finding::new(codes::SERVICE_CIDR_TOO_LARGE, private.path(), message)
        .on(private.range)
        .evidence(format!("{rule}: {about}"))
        .since(about.as_of)
        .help(help);
    Some(ground.mention_default(finding, &private.path(), &private.range))
}

/// The DNS address is in the service range, and not an address that is taken.
fn dns_address(ground: &Ground, name: &ClusterName, cluster: &Cluster, dns: IpAddr) -> Option<Finding> {
    let path = format!("clusters.{name}.dnsServiceIp");
    let ranges = &cluster.service_cidrs;
    let about = address::DNS_SERVICE_IP_ERROR;
    let tenth = |range: &Cidr| range.nth(10).or_else(|| range.nth(2));
    let propose = |range: Option<&Cidr>| match range.and_then(tenth) {
        Some(free) => format!("use `{free}`; .10 is the convention"),
        None => "use another address of the service range".to_owned(),
    };
    let with_ranges = |mut finding: Finding| {
        for range in ranges {
            finding = finding.related(format!("clusters.{name}.serviceCidr"), format!("service range `{range}`"));
            finding = ground.mention_default(finding, &format!("clusters.{name}.serviceCidr"), range);
        }
        finding.on(dns).since(about.as_of)
    };
    let Some(range) = ranges.iter().find(|range| range.contains(dns)) else {
        // Without a range nothing can be said.
        let first = ranges.first()?;
        let message =
            format!("DNS address `{dns}` of cluster `{name}` is outside its service range {}", listed(ranges));
        return Some(
            with_ranges(Finding::new(codes::DNS_SERVICE_IP_OUTSIDE_SERVICE_CIDR, path, message))
                .evidence(format!("the platform refuses it ({}): {}", about.value, about.cite()))
                .help(propose(Some(first))),
        );
    };
    let kubernetes = address::KUBERNETES_SERVICE_OFFSET;
    let message = match range.index_of(dns) {
        Some(0) => format!(
            "DNS address `{dns}` of cluster `{name}` is the network address of `{range}`, which no service can have"
        ),
        Some(index) if index == kubernetes.value => {
            format!(
                "DNS address `{dns}` of cluster `{name}` is the first address of `{range}`, which is the API server's"
            )
        }
        _ => return None,
    };
    Some(
        with_ranges(Finding::new(codes::DNS_SERVICE_IP_IS_FIRST_ADDRESS, path, message))
            .evidence(format!(
                "`kubernetes.default.svc` has the first address of the service range: {}",
                kubernetes.cite()
            ))
            .help(propose(Some(range))),
    )
}
