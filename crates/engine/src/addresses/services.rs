//! Size of the service range, and the address of the cluster DNS in it.

use super::ground::{Ground, listed};
use super::shadow::{Private, PrivateKind, shortest_service_prefix};
use causeway_addr::Cidr;
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::address;
use causeway_model::finding::{Finding, Severity};
use std::net::IpAddr;

pub(super) fn check(ground: &Ground, out: &mut Vec<Finding>) {
    for (name, cluster) in &ground.design.clusters {
        for private in Private::of(name, cluster) {
            if private.kind == PrivateKind::Services {
                out.extend(too_large(ground, &private));
            }
        }
        match cluster.dns_service_ip {
            Some(dns) => out.extend(dns_address(ground, name, cluster, dns)),
            None => out.extend(no_tenth(ground, name, cluster)),
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

/// Where nobody states the address of the DNS, tools take the tenth; a range that has no tenth leaves them without one.
fn no_tenth(ground: &Ground, name: &ClusterName, cluster: &Cluster) -> Option<Finding> {
    let path = format!("clusters.{name}.dnsServiceIp");
    // Without a mode hardly anything of the cluster is known; what is written and not known yet is not missing.
    if cluster.mode.is_none() || ground.design.places.exact(&path).is_some() {
        return None;
    }
    let range = cluster.service_cidrs.first().filter(|range| range.is_v4() && range.nth(10).is_none())?;
    let about = address::DNS_SERVICE_IP_ERROR;
    let message = format!(
        "cluster `{name}` states no DNS address, and the tenth address, which is assumed then, is outside its service range `{range}`"
    );
    let help = match range.nth(2) {
        Some(free) => format!("state `dnsServiceIp: {free}`, or take a larger service range"),
        None => "take a larger service range".to_owned(),
    };
    Some(
        Finding::new(codes::DNS_SERVICE_IP_OUTSIDE_SERVICE_CIDR, path, message)
            .severity(Severity::Warning)
            .on(range)
            .related(format!("clusters.{name}.serviceCidr"), format!("service range `{range}`"))
            .evidence(format!("the platform refuses an address outside ({}): {}", about.value, about.cite()))
            .since(about.as_of)
            .help(help),
    )
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
    if range.is_v4() && range.last() == dns {
        let message = format!(
            "DNS address `{dns}` of cluster `{name}` is the last address of `{range}`, which no service can have"
        );
        return Some(
            with_ranges(Finding::new(codes::ADDRESS_OUTSIDE_RANGE, path, message))
                .evidence("the API server never hands out the last address of an IPv4 service range")
                .help(propose(Some(range))),
        );
    }
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
