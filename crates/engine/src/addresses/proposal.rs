//! A concrete way out: a free range that collides with nothing in the design.

use causeway_addr::{Cidr, Family, RangeSet};
use causeway_model::design::*;
use causeway_model::facts::address;
use std::cell::OnceCell;

/// What a range is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Use {
    /// Services of a cluster.
    Services,
    /// Pods outside the VNet.
    Pods,
    /// Address space of a VNet.
    Network,
}

impl Use {
    /// Where to look, in this order.
    fn spaces(self, family: Family) -> &'static [Cidr] {
        const TEN: Cidr = Cidr::v4([10, 0, 0, 0], 8);
        const CUSTOM: Cidr = Cidr::v4([10, 244, 0, 0], 14);
        const TWELVE: Cidr = Cidr::v4([172, 16, 0, 0], 12);
        const SIXTEEN: Cidr = Cidr::v4([192, 168, 0, 0], 16);
        const SHARED: Cidr = Cidr::v4([100, 64, 0, 0], 10);
        const LOCAL: Cidr = Cidr::v6([0xfd00, 0, 0, 0, 0, 0, 0, 0], 8);
        match (family, self) {
            (Family::V6, _) => &[LOCAL],
            // Many sites announce all of 10.0.0.0/8 (`addr.onprem_recommendation`).
            (Family::V4, Use::Services) => &[TWELVE, TEN, SIXTEEN, SHARED],
            (Family::V4, Use::Pods) => &[CUSTOM, SHARED, TEN, TWELVE, SIXTEEN],
            (Family::V4, Use::Network) => &[TEN, TWELVE, SIXTEEN],
        }
    }
}

/// Finds free ranges.
#[derive(Debug)]
pub(super) struct Proposals<'a> {
    design: &'a Design,
    networks: OnceCell<RangeSet>,
    everything: OnceCell<RangeSet>,
}

impl<'a> Proposals<'a> {
    pub(super) fn new(design: &'a Design) -> Self {
        Proposals { design, networks: OnceCell::new(), everything: OnceCell::new() }
    }

    /// A free range of this length: one that nothing in the design uses, else (private ranges may be used by several
    /// clusters) one that no network uses and that is not in `besides`.
    pub(super) fn range(&self, what: Use, family: Family, len: u8, besides: &[Cidr]) -> Option<Cidr> {
        let spaces = what.spaces(family);
        let in_free = |taken: &RangeSet| {
            let taken = taken.union(&besides.iter().copied().collect());
            spaces.iter().find_map(|space| first_free(space, &taken, len))
        };
        in_free(self.everything()).or_else(|| match what {
            Use::Services | Use::Pods => in_free(self.networks()),
            Use::Network => None,
        })
    }

    /// A free range of this length in the address space of a network, on no subnet of it.
    pub(super) fn subnet(&self, network: &Network, family: Family, len: u8) -> Option<Cidr> {
        let mut taken: RangeSet = reserved().collect();
        taken.extend(network.subnets.values().flat_map(|subnet| subnet.prefixes.iter().copied()));
        let space = network.prefixes.iter().filter(|prefix| prefix.family() == family);
        space.into_iter().find_map(|space| first_free(space, &taken, len))
    }

    /// Every network's addresses, and what the platform keeps.
    fn networks(&self) -> &RangeSet {
        self.networks.get_or_init(|| {
            let networks = self.design.networks.values();
            let ranges = networks.flat_map(|network| {
                let subnets = network.subnets.values().flat_map(|subnet| &subnet.prefixes);
                network.prefixes.iter().chain(subnets).filter(|prefix| prefix.prefix_len() > 0).copied()
            });
            let hosts = self.design.hosts.values().map(|host| Cidr::host(host.ip));
            ranges.chain(hosts).chain(reserved()).collect()
        })
    }

    /// That and the private ranges of every cluster.
    fn everything(&self) -> &RangeSet {
        self.everything.get_or_init(|| {
            let clusters = self.design.clusters.values();
            let ranges = clusters.flat_map(|cluster| cluster.pod_cidrs.iter().chain(&cluster.service_cidrs).copied());
            let private: RangeSet = ranges.filter(|range| range.prefix_len() > 0).collect();
            self.networks().union(&private)
        })
    }
}

/// Ranges nobody should be given.
fn reserved() -> impl Iterator<Item = Cidr> {
    let reserved = address::RESERVED.value.iter().chain(address::VNET_FORBIDDEN.value);
    reserved.copied().chain([address::DOCKER_BRIDGE.value])
}

/// The lowest prefix of a length in a space that shares no address with what is taken.
fn first_free(space: &Cidr, taken: &RangeSet, len: u8) -> Option<Cidr> {
    if len < space.prefix_len() {
        return None;
    }
    let space: RangeSet = [*space].into_iter().collect();
    let free = space.difference(taken);
    let block = free.cidrs().find(|block| block.prefix_len() <= len)?;
    Cidr::new(block.first(), len)
}
