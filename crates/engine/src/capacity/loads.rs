//! What applications open towards public destinations, as the design states it under `loads`.

use causeway_addr::{Cidr, Class};
use causeway_model::design::{Cluster, ClusterName, Design, Load, PoolName};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// A stated load that leaves a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Flow<'a> {
    /// Its number under `loads`.
    pub(crate) at: usize,
    /// The sender's cluster.
    pub(crate) cluster: &'a ClusterName,
    /// The sender's pool, where it is known.
    pub(crate) pool: Option<&'a PoolName>,
    /// The one node it comes from; `None` = spread over the nodes of its pool.
    pub(crate) node: Option<String>,
    /// The destination as written, port included: ports are taken per destination.
    pub(crate) to: &'a str,
    /// Its address, where it is known.
    pub(crate) address: Option<IpAddr>,
    /// Outside every network of the design and every private range.
    pub(crate) public: bool,
    /// Connections open at a time: as stated, or as many as the rate keeps open, whichever is more.
    pub(crate) open: u64,
    /// New connections a second.
    pub(crate) per_second: u64,
}

/// The loads of every cluster, in the order written.
pub(crate) fn of(design: &Design) -> BTreeMap<&ClusterName, Vec<Flow<'_>>> {
    let mut flows: BTreeMap<&ClusterName, Vec<Flow>> = BTreeMap::new();
    for (at, load) in design.loads.iter().enumerate() {
        let Some((cluster, pool, node)) = sender(design, &load.from) else {
            continue;
        };
        let Some((address, public)) = destination(design, &load.to) else {
            continue;
        };
        flows.entry(cluster).or_default().push(Flow {
            at,
            cluster,
            pool,
            node,
            to: &load.to,
            address,
            public,
            open: open(load),
            per_second: load.per_second.unwrap_or(0),
        });
    }
    flows
}

/// Connections open at a time.
fn open(load: &Load) -> u64 {
    let kept = load.per_second.unwrap_or(0).saturating_mul(load.seconds.unwrap_or(0));
    load.concurrent.unwrap_or(0).max(kept)
}

/// Cluster, pool and node of a sender: `pod/NS/NAME`, `node/NAME`, `pool/CLUSTER/NAME`, with `CLUSTER/` in front where there are several.
/// `None` for senders that are no part of a cluster.
fn sender<'a>(design: &'a Design, from: &str) -> Option<(&'a ClusterName, Option<&'a PoolName>, Option<String>)> {
    if let Some(rest) = from.strip_prefix("pool/") {
        let (cluster, pool) = rest.split_once('/')?;
        let (name, cluster) = design.clusters.get_key_value(cluster)?;
        let (pool, _) = cluster.pools.get_key_value(pool)?;
        return Some((name, Some(pool), None));
    }
    let (kind, _) = from.split_once('/')?;
    let (clusters, who): (Vec<_>, &str) = if matches!(kind, "pod" | "node" | "service") {
        (design.clusters.iter().collect(), from)
    } else {
        let (_, rest) = from.split_once('/')?;
        (design.clusters.get_key_value(kind).into_iter().collect(), rest)
    };
    let (kind, rest) = who.split_once('/')?;
    match kind {
        "pod" => {
            let (namespace, name) = rest.split_once('/')?;
            let found = clusters.iter().find_map(|(cluster_name, cluster)| {
                let pod = cluster.pods.iter().find(|pod| pod.namespace == namespace && pod.name == name)?;
                let node = pod.node.as_ref().map(ToString::to_string);
                Some((*cluster_name, pool_of(cluster, node.as_deref()), node))
            });
            // A pod nobody listed still runs in the only cluster there is, on a node nobody named.
            let (cluster, pool, node) = found.or(match clusters.as_slice() {
                [(name, _)] => Some((*name, None, None)),
                _ => None,
            })?;
            Some((cluster, pool, Some(node.unwrap_or_default())))
        }
        "node" => clusters
            .iter()
            .find(|(_, cluster)| cluster.nodes.contains_key(rest))
            .map(|(name, cluster)| (*name, pool_of(cluster, Some(rest)), Some(rest.to_owned()))),
        _ => None,
    }
}

fn pool_of<'a>(cluster: &'a Cluster, node: Option<&str>) -> Option<&'a PoolName> {
    let pool = cluster.nodes.get(node?)?.pool.as_ref()?;
    cluster.pools.get_key_value(pool).map(|(name, _)| name)
}

/// Address of a destination and whether it is public. `None` for what has no address of its own outside (services, pods, nodes).
fn destination(design: &Design, to: &str) -> Option<(Option<IpAddr>, bool)> {
    if let Some(rest) = to.strip_prefix("host/") {
        let host = design.hosts.get(without_port(rest))?;
        return Some((Some(host.ip), host.network.is_none()));
    }
    let inside = ["pod/", "service/", "node/", "apiServer/", "pool/"];
    if inside.iter().any(|kind| to.starts_with(kind) || to.contains(&format!("/{kind}"))) {
        return None;
    }
    let target = without_port(to);
    if target == "internet" {
        return Some((None, true));
    }
    if let Ok(address) = target.trim_matches(['[', ']']).parse::<IpAddr>() {
        return Some((Some(address), is_public(design, address)));
    }
    let addresses = resolve(design, target);
    let address = addresses.first().copied();
    // A name nobody describes is somewhere on the internet, which is the answer that costs ports.
    Some((address, address.is_none_or(|address| is_public(design, address))))
}

fn without_port(text: &str) -> &str {
    match text.rsplit_once(':') {
        // An IPv6 address without brackets has colons of its own.
        Some((before, port))
            if port.bytes().all(|byte| byte.is_ascii_digit()) && (!before.contains(':') || before.ends_with(']')) =>
        {
            before
        }
        _ => text,
    }
}

fn is_public(design: &Design, address: IpAddr) -> bool {
    let outside = matches!(
        Class::of(&Cidr::host(address)),
        Class::Public | Class::Documentation | Class::Benchmarking | Class::Mixed
    );
    outside && !design.networks.values().flat_map(|network| &network.prefixes).any(|prefix| prefix.contains(address))
}

/// Addresses of a name as the design describes it: aliases followed, a private zone before a public name's own addresses.
fn resolve(design: &Design, name: &str) -> Vec<IpAddr> {
    let mut name = name.trim_end_matches('.');
    let mut addresses = Vec::new();
    // Longer chains than this are loops.
    for _ in 0..8 {
        let private = design.private_dns_zones.iter().find_map(|(zone, content)| {
            let label = name.strip_suffix(zone.as_str())?.strip_suffix('.')?;
            content.records.get(label)
        });
        if let Some(found) = private {
            return found.clone();
        }
        let Some(public) = design.public_dns.get(name) else { break };
        addresses.clone_from(&public.addresses);
        let Some(alias) = &public.cname else { break };
        name = alias.trim_end_matches('.');
    }
    addresses
}
