//! Prefix lengths the platform does not take for a VNet or a subnet.

use super::ground::{Ground, prefix_path};
use causeway_addr::Cidr;
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::{About, address, ingress, pod_subnet};
use causeway_model::finding::{Finding, Severity};
use std::collections::BTreeMap;

pub(super) fn check(ground: &Ground, out: &mut Vec<Finding>) {
    pod_subnets(ground.design, out);
    for (name, network) in &ground.design.networks {
        if network.kind != NetworkKind::Vnet {
            continue;
        }
        // The rule is about the VNets of clusters; others may differ.
        let clusters = ground.users(name);
        for (index, prefix) in network.prefixes.iter().enumerate() {
            if prefix.is_v4()
                && !clusters.is_empty()
                && u64::from(prefix.prefix_len()) < ground.limits.shortest_vnet_prefix
            {
                let message = format!("`{prefix}` of network `{name}` is too large for the VNet of a cluster");
                let rule = format!("at most a /{}", ground.limits.shortest_vnet_prefix);
                out.push(
                    finding(prefix_path(name, index), prefix, message, &rule, address::VNET_SHORTEST.about())
                        .help("use a part of it"),
                );
            }
        }
        for (subnet, value) in &network.subnets {
            for prefix in &value.prefixes {
                let path = format!("networks.{name}.subnets.{subnet}.prefix");
                out.extend(gateway_size(name, subnet, &path, prefix));
                out.extend(subnet_size(ground, &format!("subnet `{name}/{subnet}`"), path, prefix));
            }
        }
    }
}

/// Pod subnets larger than their allocation can serve: static block has a limit, dynamic allocation one that is practical.
fn pod_subnets(design: &Design, out: &mut Vec<Finding>) {
    let mut users: BTreeMap<(&SubnetRef, Mode), String> = BTreeMap::new();
    for (name, cluster) in &design.clusters {
        for (pool_name, pool) in &cluster.pools {
            if let (Some(subnet), Some(mode)) = (&pool.pod_subnet, cluster.mode_of(pool)) {
                let path = format!("clusters.{name}.pools.{pool_name}.podSubnet");
                users.entry((subnet, mode)).or_insert(path);
            }
        }
    }
    for ((reference, mode), user) in users {
        let (fact, severity) = match mode {
            Mode::PodSubnetStatic => (&pod_subnet::STATIC_SHORTEST, Severity::Error),
            Mode::PodSubnet => (&pod_subnet::DYNAMIC_SHORTEST, Severity::Warning),
            _ => continue,
        };
        let prefixes = design.subnet(reference).map(|subnet| subnet.prefixes.as_slice()).unwrap_or_default();
        for prefix in prefixes.iter().filter(|prefix| prefix.is_v4() && prefix.prefix_len() < fact.value) {
            let what = match severity {
                Severity::Error => "the largest that static block takes is",
                _ => "dynamic allocation can't use more than",
            };
            let message = format!("pod subnet `{reference}` is `{prefix}`, and {what} a /{}", fact.value);
            let path = format!("{}.prefix", reference.path());
            out.push(
                finding(path, prefix, message, &format!("at most a /{}", fact.value), fact.about())
                    .severity(severity)
                    .help("use a part of it, and give other pools pod subnets of their own")
                    .related(&user, "pods get addresses there"),
            );
        }
    }
}

fn subnet_size(ground: &Ground, who: &str, path: String, prefix: &Cidr) -> Option<Finding> {
    let length = u64::from(prefix.prefix_len());
    let (longest, shortest) = (ground.limits.longest_subnet_prefix, ground.limits.shortest_subnet_prefix);
    if prefix.is_v6() {
        let exact = address::SUBNET_IPV6;
        return (prefix.prefix_len() != exact.value).then(|| {
            let message = format!("{who} is `{prefix}`, but an IPv6 subnet is a /{}", exact.value);
            finding(path, prefix, message, "exactly that", exact.about())
                .help("give the subnet a /64 of the network's prefix")
        });
    }
    if length > longest {
        let message = format!("{who} is `{prefix}`, which is too small for the platform");
        let about = address::SUBNET_LONGEST.about();
        return Some(
            finding(path, prefix, message, &format!("at least a /{longest}"), about)
                .help(format!("make it a /{longest} or larger")),
        );
    }
    if length < shortest {
        let message = format!("{who} is `{prefix}`, which is too large for the platform");
        let about = address::SUBNET_SHORTEST.about();
        return Some(finding(path, prefix, message, &format!("at most a /{shortest}"), about).help("use a part of it"));
    }
    None
}

/// Subnets whose name says what stands in them.
fn gateway_size(network: &NetworkName, subnet: &SubnetName, path: &str, prefix: &Cidr) -> Option<Finding> {
    let rule =
        ingress::gateway_subnet(subnet.as_str()).filter(|rule| prefix.is_v4() && prefix.prefix_len() > rule.longest)?;
    let message = format!("subnet `{network}/{subnet}` is `{prefix}`, but needs a /{} or larger", rule.longest);
    let about = ingress::GATEWAY_SUBNETS.about();
    let found = finding(path.to_owned(), prefix, message, &format!("at least a /{}", rule.longest), about)
        .help(format!("make it a /{}; the subnet can be changed only while it is empty", rule.longest));
    // Small gateways of old do stand in smaller subnets.
    let mild = rule.name == "GatewaySubnet";
    Some(if mild { found.severity(Severity::Warning) } else { found })
}

fn finding(path: String, prefix: &Cidr, message: String, rule: &str, about: About) -> Finding {
    Finding::new(codes::SUBNET_SIZE_REFUSED, path, message)
        .on(prefix)
        .evidence(format!("{rule}: {about}"))
        .since(about.as_of)
}
