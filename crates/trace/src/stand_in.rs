//! Addresses that stand for any of a range: held by nobody the design names.

use crate::world::World;
use causeway_addr::{AddressRange, Cidr, Family};
use causeway_model::design::*;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How many addresses are looked at before the last one is taken: designs name few.
const TRIES: u128 = 4096;

/// Who an address stands for: different ones never share one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seat {
    /// Any pod of the pool at that place of its cluster, sending.
    Sender(usize),
    /// The node of such a pod.
    Node(usize),
    /// Any pod of the pool at that place of its cluster, receiving.
    Receiver(usize),
    /// The API server of a cluster with so many pools.
    ApiServer(usize),
    /// The pod at that place of its cluster's list, whose address is not known, in a cluster with so many pools.
    Pod(usize, usize),
    /// A machine nobody described.
    Machine,
}

impl Seat {
    /// How many free addresses are left to others.
    fn rank(self) -> usize {
        match self {
            Seat::Sender(pool) => 3 * pool,
            Seat::Node(pool) => 3 * pool + 1,
            Seat::Receiver(pool) => 3 * pool + 2,
            Seat::ApiServer(pools) => 3 * pools,
            Seat::Pod(pools, pod) => 3 * pools + 1 + pod,
            // Beyond any number of pools a cluster has (azure-facts: 100).
            Seat::Machine => 301,
        }
    }
}

/// An address of a prefix that nobody is known to hold, from its upper end (the platform gives out from the lower). In a prefix that is
/// too small for everybody the last one is shared.
pub(crate) fn in_prefix(prefix: &Cidr, seat: Seat, taken: impl Fn(IpAddr) -> bool) -> IpAddr {
    let range = AddressRange::from(*prefix);
    let (first, last) = (number(range.first()), number(range.last()));
    // The last address of an IPv4 subnet is the broadcast address.
    let upper = last.saturating_sub(u128::from(prefix.prefix_len() < 31)).max(first);
    // The first four are the platform's own (azure-facts `addr.subnet.reserved_by_azure`).
    let own = if prefix.prefix_len() <= 29 || prefix.is_v6() { 4 } else { 0 };
    let lower = upper.saturating_sub(TRIES).max(first.saturating_add(own)).min(upper);
    let mut free = (lower..=upper).rev().map(|number| address(prefix, number)).filter(|address| !taken(*address));
    let mut found = None;
    for _ in 0..=seat.rank() {
        match free.next() {
            Some(next) => found = Some(next),
            None => break,
        }
    }
    found.unwrap_or_else(|| address(prefix, upper))
}

/// An address of the internet that no object of the design has (RFC 5737 and RFC 3849 set these aside).
pub(crate) fn on_internet(world: &World, is_v6: bool) -> IpAddr {
    let candidates: Vec<IpAddr> = if is_v6 {
        (1..=64).map(|last| Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, last).into()).collect()
    } else {
        let nets = [[192, 0, 2], [198, 51, 100], [203, 0, 113]];
        nets.iter().flat_map(|[a, b, c]| [1, 9, 99, 199].map(|last| Ipv4Addr::new(*a, *b, *c, last).into())).collect()
    };
    let free = candidates.iter().find(|address| world.public_holders(**address).is_empty());
    free.or(candidates.first()).copied().unwrap_or(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)))
}

/// An address in a subnet that no machine of the design has.
pub(crate) fn in_subnet(
    world: &World,
    network: &NetworkName,
    value: &Subnet,
    family: Family,
    seat: Seat,
) -> Option<IpAddr> {
    let prefix = value.prefixes.iter().find(|prefix| prefix.family() == family)?;
    let view = world.network(network)?;
    Some(in_prefix(prefix, seat, |address| !view.holders(address).is_empty()))
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u32::from(v4).into(),
        IpAddr::V6(v6) => v6.into(),
    }
}

fn address(prefix: &Cidr, number: u128) -> IpAddr {
    match prefix.is_v6() {
        true => IpAddr::V6(number.into()),
        false => IpAddr::V4(u32::try_from(number).unwrap_or(u32::MAX).into()),
    }
}

/// An address for a pod whose own is not known: from its node's block, else from where pods of its pool get theirs.
pub(crate) fn pod_address(world: &World, cluster: &ClusterName, pod: &Pod, family: Family) -> Option<IpAddr> {
    let view = world.cluster(cluster)?;
    let at = view.cluster.pods.iter().position(|known| std::ptr::eq(known, pod)).unwrap_or_default();
    let seat = Seat::Pod(view.cluster.pools.len(), at);
    if let Some(node) = pod.node.as_ref().and_then(|node| view.cluster.nodes.get(node))
        && let Some(block) = node.pod_cidrs.iter().find(|block| block.family() == family)
    {
        return Some(in_prefix(block, seat, |address| view.pod_at(address).is_some()));
    }
    let pool = pod.node.as_ref().and_then(|node| view.pool_of(node)).map(|(name, _)| name);
    let pool = pool.or_else(|| view.cluster.pools.keys().next().filter(|_| view.cluster.pools.len() == 1))?;
    at_seat(world, cluster, pool, family, seat)
}

/// An address that stands for any pod of a pool.
pub(crate) fn pod_of_pool(
    world: &World,
    cluster: &ClusterName,
    name: &PoolName,
    family: Family,
    seat: fn(usize) -> Seat,
) -> Option<IpAddr> {
    let seat = seat(place(world.design.clusters.get(cluster)?, name));
    at_seat(world, cluster, name, family, seat)
}

fn at_seat(world: &World, cluster: &ClusterName, name: &PoolName, family: Family, seat: Seat) -> Option<IpAddr> {
    let view = world.cluster(cluster)?;
    let pool = view.cluster.pools.get(name)?;
    let subnet = match view.cluster.mode_of(pool)? {
        Mode::NodeSubnet => pool.subnet.as_ref(),
        mode if mode.uses_pod_subnet() => pool.pod_subnet.as_ref(),
        _ => {
            let range = view.cluster.pod_cidrs.iter().find(|range| range.family() == family)?;
            return Some(in_prefix(range, seat, |address| {
                view.pod_at(address).is_some() || view.node_of_block(address).is_some()
            }));
        }
    }?;
    in_subnet(world, &subnet.network, world.design.subnet(subnet)?, family, seat)
}

/// An address that stands for any node of a pool.
pub(crate) fn node_of_pool(world: &World, cluster: &ClusterName, name: &PoolName, family: Family) -> Option<IpAddr> {
    let value = world.design.clusters.get(cluster)?;
    let subnet = value.pools.get(name)?.subnet.as_ref()?;
    in_subnet(world, &subnet.network, world.design.subnet(subnet)?, family, Seat::Node(place(value, name)))
}

fn place(cluster: &Cluster, pool: &PoolName) -> usize {
    cluster.pools.keys().position(|known| known == pool).unwrap_or_default()
}
