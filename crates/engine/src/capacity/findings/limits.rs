//! Limits of the platform: nodes, pods and pools of a cluster, pods of a node, addresses of a VNet.

use super::super::count::Count;
use super::super::demand::{self, Nodes, Phase};
use super::super::rows::Row;
use super::super::tenants;
use super::many;
use causeway_model::arithmetic::{pods, snat};
use causeway_model::codes;
use causeway_model::design::{
    Cluster, ClusterName, Design, Mode, NetworkName, Os, PolicyEngine, Pool, PoolName, ServiceType, Tier,
};
use causeway_model::facts::{About, Limits, ModeFacts, limits as dated, upgrade};
use causeway_model::finding::{Finding, Severity};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Every limit of every cluster and VNet.
pub(super) fn check(design: &Design, rows: &[Row], out: &mut Vec<Finding>) {
    let (limits, _) = Limits::with_overrides(&design.limit_overrides);
    for (name, cluster) in &design.clusters {
        for (pool_name, pool) in &cluster.pools {
            pool_limits(&limits, name, cluster, pool_name, pool, out);
        }
        cluster_limits(&limits, name, cluster, out);
        load_balancer_limits(&limits, name, cluster, out);
    }
    vnet_limits(design, &limits, rows, out);
}

fn exceeded(object: impl Into<String>, message: impl Into<String>, fact: About) -> Finding {
    Finding::new(codes::NODE_LIMIT_EXCEEDED, object, message).evidence(fact.to_string()).since(fact.as_of)
}

fn pool_limits(
    limits: &Limits,
    name: &ClusterName,
    cluster: &Cluster,
    pool_name: &PoolName,
    pool: &Pool,
    out: &mut Vec<Finding>,
) {
    let path = format!("clusters.{name}.pools.{pool_name}");
    let nodes = Nodes::of(cluster, pool_name, pool);
    let (max, surging) = (nodes.at(pool, Phase::AtMax), nodes.at(pool, Phase::Upgrade));
    let limit = limits.nodes_per_pool;
    let about = dated::NODES_PER_POOL.about();
    if max.at_least > limit {
        out.push(
            exceeded(
                format!("{path}.nodes"),
                format!("pool `{pool_name}` may have {max} nodes, and a pool has at most {limit}"),
                about,
            )
            .on(max)
            .help("split the pool: pools of at most 900 nodes leave room for a surge of 10%"),
        );
    } else if surging.at_least > limit {
        out.push(
            exceeded(
                format!("{path}.nodes"),
                format!(
                    "pool `{pool_name}` can't be upgraded at its maximum: {max} nodes and their surge are {surging}, and a pool has at most {limit}"
                ),
                about,
            )
            .on(surging)
            .evidence(demand::surge_words(pool))
            .help("lower the maximum or maxSurge, or split the pool: the upgrade is refused before it starts"),
        );
    }
    if let (Some(count), Some(most)) = (pool.nodes.count, pool.nodes.max)
        && count > most
    {
        out.push(
            Finding::new(
                codes::NODE_LIMIT_EXCEEDED,
                format!("{path}.nodes"),
                format!("pool `{pool_name}` has {count} nodes, and its autoscaler may give it {most} at most: {count} is taken for its maximum"),
            )
            .severity(Severity::Warning)
            .on(count)
            .evidence(format!("nodes: {count} now, {most} at maximum"))
            .help("state the maximum that is meant; until then room is judged for the nodes there are"),
        );
    }
    let surge_off = pool.max_surge.is_some_and(|share| share.of(100) == 0) && !pool.blue_green;
    let unavailable = pool.max_unavailable.map_or(0, |share| share.of(100));
    if surge_off && !upgrade::can_start(0, unavailable) {
        let fact = upgrade::MAX_UNAVAILABLE_DEFAULT;
        out.push(
            Finding::new(
                codes::COMBINATION_UNSUPPORTED,
                format!("{path}.maxSurge"),
                format!("pool `{pool_name}` has neither surge nor unavailable nodes, so an upgrade can't start"),
            )
            .help("set maxSurge to at least 1, or maxUnavailable on a user pool")
            .evidence(fact.cite())
            .since(fact.as_of),
        );
    }
    max_pods(cluster, &path, pool_name, pool, out);
}

fn max_pods(cluster: &Cluster, path: &str, pool_name: &PoolName, pool: &Pool, out: &mut Vec<Finding>) {
    let Some(max_pods) = pool.max_pods else { return };
    let object = format!("{path}.maxPods");
    let facts = cluster.mode_of(pool).map(|mode| &ModeFacts::of(mode).max_pods);
    let most = facts.and_then(|facts| facts.max.value).unwrap_or(250);
    let least = facts.map_or(Some(10), |facts| facts.min.value);
    let since = facts.map_or(dated::PODS_PER_NODE.as_of, |facts| facts.max.as_of);
    let source = facts.map_or_else(|| dated::PODS_PER_NODE.cite(), |facts| facts.max.cite());
    let finding = |message: String| {
        Finding::new(codes::MAX_PODS_OUT_OF_RANGE, &object, message).on(max_pods).evidence(source.clone()).since(since)
    };
    if max_pods > most {
        out.push(
            finding(format!("`maxPods: {max_pods}` of pool `{pool_name}` is more than {most}"))
                .help(format!("at most {most} pods run on a node")),
        );
        return;
    }
    if least.is_some_and(|least| max_pods < least) {
        let least = least.unwrap_or(0);
        out.push(
            finding(format!("`maxPods: {max_pods}` of pool `{pool_name}` is less than {least}"))
                .help(format!("at least {least} pods must have room on a node")),
        );
        return;
    }
    let windows = dated::PODS_PER_WINDOWS_NODE.value;
    if pool.os == Os::Windows && u64::from(max_pods) > windows {
        out.push(
            finding(format!(
                "`maxPods: {max_pods}` of the Windows pool `{pool_name}` is above the recommended {windows}"
            ))
            .severity(Severity::Warning)
            .help(format!("plan Windows nodes with {windows} pods at most")),
        );
    }
    // A pool of a cluster whose plugin hands out addresses has no such minimum.
    let (Some(nodes), true) = (pool.nodes.now().map(u64::from), least.is_some()) else {
        return;
    };
    let smallest = pods::smallest_pool(u64::from(max_pods)).unwrap_or(u64::MAX);
    // A pool scaled to zero has no nodes to judge.
    if nodes > 0 && nodes < smallest {
        out.push(
            finding(format!(
                "pool `{pool_name}` has room for {} pods on {}, and a pool must have room for {}",
                nodes.saturating_mul(u64::from(max_pods)),
                many(nodes, "node", "nodes"),
                pods::MIN_PODS_PER_POOL
            ))
            .evidence(format!("ceil({} / {max_pods}) = {smallest} nodes are the fewest", pods::MIN_PODS_PER_POOL))
            .related(format!("{path}.nodes"), many(nodes, "node", "nodes"))
            .help(format!("start with {smallest} nodes, or raise maxPods")),
        );
    }
}

fn cluster_limits(limits: &Limits, name: &ClusterName, cluster: &Cluster, out: &mut Vec<Finding>) {
    let path = format!("clusters.{name}");
    let sum = |phase| -> Count {
        cluster.pools.iter().map(|(name, pool)| Nodes::of(cluster, name, pool).at(pool, phase)).sum()
    };
    let headroom = Count::exact(demand::headroom_nodes(cluster));
    let (max, surging) = (sum(Phase::AtMax), sum(Phase::Upgrade) + headroom);
    let pools = u64::try_from(cluster.pools.len()).unwrap_or(u64::MAX);
    if pools > limits.pools_per_cluster {
        out.push(
            exceeded(
                &path,
                format!(
                    "cluster `{name}` has {pools} node pools, and at most {} are supported",
                    limits.pools_per_cluster
                ),
                dated::POOLS_PER_CLUSTER.about(),
            )
            .on(pools)
            .help("merge pools that differ in nothing that matters"),
        );
    }
    let free = cluster.tier == Some(Tier::Free);
    let (limit, about) = if free {
        (limits.nodes_per_cluster_free, dated::NODES_PER_CLUSTER_FREE.about())
    } else {
        (limits.nodes_per_cluster, dated::NODES_PER_CLUSTER.about())
    };
    let tier = if free { " in the free tier" } else { "" };
    let kubenet = cluster.mode == Some(Mode::Kubenet);
    if max.at_least > limit && !kubenet {
        out.push(
            exceeded(
                &path,
                format!("cluster `{name}` may have {max} nodes, and at most {limit} are supported{tier}"),
                about,
            )
            .on(max)
            .help(if free {
                "take the standard tier, or lower the maxima"
            } else {
                "split the cluster, or lower the maxima"
            }),
        );
    } else if surging.at_least > limit && !kubenet {
        out.push(
            exceeded(
                &path,
                format!("cluster `{name}` can't be upgraded at its maximum: {max} nodes and their surge are {surging}, and at most {limit} are supported{tier}"),
                about,
            )
            .severity(Severity::Warning)
            .on(surging)
            .help(if free {
                "take the standard tier, lower the maxima, or upgrade pool after pool".to_owned()
            } else {
                format!("upgrade below {} nodes, or pool after pool", dated::UPGRADE_NODES_BELOW)
            }),
        );
    }
    if kubenet && surging.at_least > limits.kubenet_nodes {
        out.push(
            exceeded(
                &path,
                format!(
                    "kubenet cluster `{name}` may have {surging} nodes, surge counted in, and carries {}: one route each",
                    limits.kubenet_nodes
                ),
                ModeFacts::of(Mode::Kubenet).max_nodes.about(),
            )
            .on(surging)
            .help("move to overlay, which needs no routes"),
        );
    }
    let density = pods_in_all(cluster);
    if cluster.network_policy == Some(PolicyEngine::Azure) {
        let about = dated::NPM_NODES.about();
        if max.at_least > limits.npm_nodes {
            out.push(
                exceeded(
                    &path,
                    format!(
                        "cluster `{name}` may have {max} nodes, and Azure NPM is supported up to {}",
                        limits.npm_nodes
                    ),
                    about,
                )
                .on(max)
                .help("move to the Cilium data plane, which enforces policies itself"),
            );
        } else if density.at_least > limits.npm_pods {
            out.push(
                exceeded(
                    &path,
                    format!(
                        "cluster `{name}` has room for {density} pods, and Azure NPM is supported up to {}",
                        limits.npm_pods
                    ),
                    about,
                )
                .severity(Severity::Warning)
                .on(density)
                .help("keep the number of pods below, or move to the Cilium data plane"),
            );
        }
    }
    pods_of_cluster(limits, &path, name, cluster, density, out);
}

/// Pods all pools have room for at their maximum.
fn pods_in_all(cluster: &Cluster) -> Count {
    cluster
        .pools
        .iter()
        .map(|(name, pool)| {
            let max_pods = pool.max_pods.map(u64::from);
            Nodes::of(cluster, name, pool).at(pool, Phase::AtMax).times(Count::of(max_pods))
        })
        .sum()
}

fn pods_of_cluster(
    limits: &Limits,
    path: &str,
    name: &ClusterName,
    cluster: &Cluster,
    density: Count,
    out: &mut Vec<Finding>,
) {
    let Some(mode) = cluster.mode else { return };
    let (recommended, most) = match mode {
        Mode::Overlay => (Some(limits.overlay_pods_per_cluster), Some(limits.overlay_pods_per_cluster_at_most)),
        Mode::PodSubnet => (Some(limits.pod_subnet_pods_per_cluster), None),
        Mode::PodSubnetStatic => (None, Some(limits.static_block_pods_per_cluster)),
        Mode::NodeSubnet | Mode::Kubenet | Mode::Byo => (None, None),
    };
    let about = ModeFacts::of(mode).max_pods_cluster.about();
    let severity = match (most, recommended) {
        (Some(most), _) if density.at_least > most => Severity::Error,
        (_, Some(recommended)) if density.at_least > recommended => Severity::Warning,
        _ => return,
    };
    let limit = match severity {
        Severity::Error => most.or(recommended),
        _ => recommended.or(most),
    };
    out.push(
        exceeded(
            path,
            format!(
                "cluster `{name}` has room for {density} pods at its maximum, and a cluster of this mode carries {}",
                limit.unwrap_or(0)
            ),
            about,
        )
        .severity(severity)
        .on(density)
        .evidence(
            "nodes x maxPods of all pools at their maximum; both limits hold apart, their product is not promised",
        )
        .help("lower maxPods or the maxima to the pods you plan, or split the cluster"),
    );
}

/// Rules and backends of the cluster's load balancers.
fn load_balancer_limits(limits: &Limits, name: &ClusterName, cluster: &Cluster, out: &mut Vec<Finding>) {
    let path = format!("clusters.{name}.services");
    let balanced: Vec<_> =
        cluster.services.iter().filter(|service| service.kind == ServiceType::LoadBalancer).collect();
    let count = u64::try_from(balanced.len()).unwrap_or(u64::MAX);
    let ports = |service: &causeway_model::design::Service| u64::try_from(service.ports.len()).unwrap_or(u64::MAX);
    let rules = balanced.iter().map(|service| ports(service)).fold(0, u64::saturating_add);
    if count > limits.load_balancer_services || rules > limits.load_balancer_rules_per_nic {
        let limit = limits.load_balancer_services.min(limits.load_balancer_rules_per_nic);
        out.push(
            exceeded(
                &path,
                format!("the {count} load balancer services of `{name}` take {rules} rules, and a node's interface takes {limit}"),
                dated::LOAD_BALANCER_RULES_PER_NIC.about(),
            )
            .on(rules)
            .help("put an ingress controller or gateway in front of services that share an address"),
        );
    }
    let nodes: Count =
        cluster.pools.iter().map(|(name, pool)| Nodes::of(cluster, name, pool).at(pool, Phase::AtMax)).sum();
    let mut frontends: BTreeMap<(Option<IpAddr>, usize), u64> = BTreeMap::new();
    for (at, service) in balanced.iter().enumerate() {
        let ip = service.internal_ip.or(service.public_ip);
        // Services share a frontend by sharing its address; without one each gets its own.
        let key = (ip, if ip.is_some() { 0 } else { at });
        let sum = frontends.entry(key).or_default();
        *sum = sum.saturating_add(ports(service));
    }
    let busiest = frontends.into_values().max().unwrap_or(0);
    let used = snat::backend_ip_configurations(1, busiest, nodes.at_least);
    if used > limits.backends_per_frontend {
        out.push(
            exceeded(
                &path,
                format!(
                    "a load balancer frontend of `{name}` takes {busiest} ports x {nodes} nodes = {used} backend configurations, and carries {}",
                    limits.backends_per_frontend
                ),
                dated::BACKENDS_PER_FRONTEND.about(),
            )
            .on(used)
            .help("spread the ports over several frontends, or let fewer nodes be backends"),
        );
    }
}

/// Private addresses in use in each VNet: nodes, pods of flat modes (a static block counts once), and everybody else.
fn vnet_limits(design: &Design, limits: &Limits, rows: &[Row], out: &mut Vec<Finding>) {
    let mut used: BTreeMap<&NetworkName, u64> = BTreeMap::new();
    for row in rows {
        let Some(subnet) = &row.subnet else { continue };
        let sum = used.entry(&subnet.network).or_default();
        for user in &row.users {
            let each = user.per_node.addresses.at_least;
            let each = if user.per_node.in_blocks { each / pods::STATIC_BLOCK_ADDRESSES } else { each };
            *sum = sum.saturating_add(user.nodes(Phase::AtMax).at_least.saturating_mul(each));
        }
    }
    let others = tenants::of(design, limits);
    for (subnet, tenants) in &others {
        if let Some(sum) = used.get_mut(&subnet.network) {
            let held: Count = tenants.iter().map(|tenant| tenant.addresses).sum();
            *sum = sum.saturating_add(held.at_least);
        }
    }
    for (network, used) in used {
        if used > limits.private_ips_per_vnet {
            out.push(
                exceeded(
                    format!("networks.{network}"),
                    format!(
                        "VNet `{network}` has {used} addresses in use at the maximum, and carries {}",
                        limits.private_ips_per_vnet
                    ),
                    dated::PRIVATE_IPS_PER_VNET.about(),
                )
                .on(used)
                .evidence("nodes, pods that hold VNet addresses, endpoints and frontends; a block of static allocation counts once")
                .help("take overlay, whose pods hold no VNet address, or static blocks, or several VNets"),
            );
        }
    }
}
