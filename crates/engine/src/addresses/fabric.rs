//! Who routes to whom: the prefixes that meet in a virtual network.
//!
//! A routing domain is a VNet, its direct peers (the prefixes they show) and the sites its own or its peers' gateways
//! reach. Peering is not transitive; a route to an appliance in a peer is what makes two spokes meet ([`Fabric::transits`]).

use causeway_addr::{Cidr, Family, PrefixMap};
use causeway_model::design::*;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// A prefix that a network has, as it is seen from one VNet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Claim<'a> {
    /// The prefix; a part of the network's own where the peering shows only that.
    pub(crate) cidr: Cidr,
    /// Whose it is.
    pub(crate) network: &'a NetworkName,
    /// Which of the network's prefixes it is (part of).
    pub(crate) index: usize,
    /// How it comes to be here.
    pub(crate) way: Way<'a>,
}

/// How a prefix comes to be known in a VNet. Ordered from near to far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way<'a> {
    /// It is the VNet's own.
    Own,
    /// A direct peering.
    Peer {
        /// Both halves exist.
        connected: bool,
        /// Packets from beyond are accepted.
        forwarded: bool,
    },
    /// The gateway of this network.
    Gateway(&'a NetworkName),
    /// A user-defined route to an appliance.
    Appliance(Transit<'a>),
}

/// A route that leads to an appliance in another network, and through it to whatever that network reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Transit<'a> {
    /// What is routed that way.
    pub(crate) prefix: Cidr,
    /// The network of the (last) appliance.
    pub(crate) network: &'a NetworkName,
    /// The appliance.
    pub(crate) appliance: IpAddr,
    /// It hides the sender, so peers that refuse forwarded packets are reached all the same.
    pub(crate) translates: bool,
}

/// The routing domains of a design, worked out once.
#[derive(Debug)]
pub(crate) struct Fabric<'a> {
    design: &'a Design,
    neighbours: BTreeMap<&'a NetworkName, Vec<(&'a NetworkName, &'a Peering)>>,
    domains: BTreeMap<&'a NetworkName, PrefixMap<Vec<Claim<'a>>>>,
    subnets: BTreeMap<&'a NetworkName, PrefixMap<Vec<&'a SubnetName>>>,
    translating: BTreeSet<IpAddr>,
}

impl<'a> Fabric<'a> {
    pub(crate) fn new(design: &'a Design) -> Self {
        let mut neighbours: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for peering in &design.peerings {
            let (one, other) = &peering.between;
            if one != other {
                neighbours.entry(one).or_default().push((other, peering));
                neighbours.entry(other).or_default().push((one, peering));
            }
        }
        let mut subnets: BTreeMap<_, PrefixMap<Vec<_>>> = BTreeMap::new();
        for (name, network) in &design.networks {
            let map = subnets.entry(name).or_default();
            for (subnet, value) in &network.subnets {
                for prefix in &value.prefixes {
                    map.or_default(*prefix).push(subnet);
                }
            }
        }
        let translating = design
            .firewalls
            .values()
            .filter(|firewall| firewall.snat == FirewallSnat::Always)
            .filter_map(|firewall| firewall.private_ip)
            .collect();
        let mut fabric = Fabric { design, neighbours, domains: BTreeMap::new(), subnets, translating };
        for (name, network) in &design.networks {
            if network.kind == NetworkKind::Vnet {
                let mut map: PrefixMap<Vec<Claim>> = PrefixMap::new();
                for claim in fabric.claims(name, network) {
                    map.or_default(claim.cidr).push(claim);
                }
                fabric.domains.insert(name, map);
            }
        }
        fabric
    }

    /// The VNets, each with every prefix that meets in it.
    pub(crate) fn domains(&self) -> impl Iterator<Item = (&'a NetworkName, &PrefixMap<Vec<Claim<'a>>>)> {
        self.domains.iter().map(|(name, claims)| (*name, claims))
    }

    /// Every prefix that meets in a VNet; `None` for sites.
    pub(crate) fn domain(&self, network: &NetworkName) -> Option<&PrefixMap<Vec<Claim<'a>>>> {
        self.domains.get(network)
    }

    /// The networks directly peered with one, with the peering, without a walk through all of them.
    pub(crate) fn peers(&self, network: &NetworkName) -> &[(&'a NetworkName, &'a Peering)] {
        self.neighbours.get(network).map_or(&[], Vec::as_slice)
    }

    /// The subnets of a network that share addresses with a range.
    pub(crate) fn subnets_in(&self, network: &NetworkName, range: &Cidr) -> Vec<(Cidr, SubnetRef)> {
        let Some((network, map)) = self.subnets.get_key_value(network) else {
            return Vec::new();
        };
        map.overlapping(range)
            .flat_map(|(cidr, names)| names.iter().map(move |name| (cidr, *name)))
            .map(|(cidr, subnet)| (cidr, SubnetRef { network: (*network).clone(), subnet: subnet.clone() }))
            .collect()
    }

    /// Every prefix a VNet knows that shares addresses with a range, near ones first: its own, its peers', its sites', and
    /// what lies behind the appliances that these route tables point at.
    pub(crate) fn meets(
        &self,
        network: &'a NetworkName,
        tables: &BTreeSet<&RouteTableName>,
        range: &Cidr,
    ) -> Vec<Claim<'a>> {
        let mut found: Vec<Claim> = self.near(network, range).copied().collect();
        let mut seen: BTreeMap<_, Vec<Cidr>> = BTreeMap::new();
        for claim in &found {
            let known = seen.entry((claim.network, claim.index)).or_default();
            known.push(claim.cidr);
        }
        for transit in self.transits(network, tables) {
            let Some(part) = common(&transit.prefix, range) else {
                continue;
            };
            for claim in self.beyond(network, &transit, &part) {
                let known = seen.entry((claim.network, claim.index)).or_default();
                if !known.iter().any(|known| known.covers(&claim.cidr)) {
                    known.push(claim.cidr);
                    found.push(claim);
                }
            }
        }
        found.sort_by_key(|claim| (claim.way, claim.network, claim.index, claim.cidr));
        found
    }

    /// What meets in the VNet itself.
    pub(crate) fn near(&self, network: &NetworkName, range: &Cidr) -> impl Iterator<Item = &Claim<'a>> {
        self.domains
            .get(network)
            .into_iter()
            .flat_map(|claims| claims.overlapping(range).flat_map(|(_, claims)| claims))
    }

    /// What a VNet reaches through an appliance, within a range that is routed there.
    pub(crate) fn beyond(&self, from: &'a NetworkName, transit: &Transit<'a>, range: &Cidr) -> Vec<Claim<'a>> {
        self.near(transit.network, range)
            .filter(|claim| claim.network != from)
            .filter(|claim| match claim.way {
                Way::Peer { forwarded, .. } => forwarded || transit.translates,
                _ => true,
            })
            .map(|claim| Claim { way: Way::Appliance(*transit), ..*claim })
            .collect()
    }

    /// The appliances in other networks that these route tables of a VNet lead to, and those they lead on to.
    pub(crate) fn transits(
        &self,
        network: &'a NetworkName,
        tables: &BTreeSet<&RouteTableName>,
    ) -> BTreeSet<Transit<'a>> {
        let mut found = BTreeSet::new();
        let mut open = Vec::new();
        for family in Family::ALL {
            for table in tables {
                open.extend(self.hops(network, table, &family.everything(), false));
            }
        }
        // Prefixes only ever get longer on the way, so this ends even where routes lead in circles.
        while let Some(transit) = open.pop() {
            if !found.insert(transit) {
                continue;
            }
            let at = Cidr::host(transit.appliance);
            for (_, subnet) in self.subnets_in(transit.network, &at) {
                let subnet = self.design.subnet(&subnet);
                if let Some(table) = subnet.and_then(|subnet| subnet.route_table.as_ref()) {
                    let next = self.hops(transit.network, table, &transit.prefix, transit.translates);
                    open.extend(next.into_iter().filter(|next| next.network != network));
                }
            }
        }
        found
    }

    /// The appliances that a route table used in a network points at, in that network or a peer.
    fn hops(&self, at: &NetworkName, table: &RouteTableName, within: &Cidr, translated: bool) -> Vec<Transit<'a>> {
        let Some(table) = self.design.route_tables.get(table) else {
            return Vec::new();
        };
        let hop = |route: &Route| {
            let (RoutePrefix::Cidr(prefix), NextHop::Appliance(appliance)) = (&route.prefix, route.next_hop) else {
                return None;
            };
            let (_, claims) = self.domains.get(at)?.longest_match(appliance)?;
            let owner = claims.iter().min_by_key(|claim| claim.way)?;
            matches!(owner.way, Way::Own | Way::Peer { .. }).then_some(())?;
            Some(Transit {
                prefix: common(prefix, within)?,
                network: owner.network,
                appliance,
                translates: translated || self.translating.contains(&appliance),
            })
        };
        table.routes.iter().filter_map(hop).collect()
    }

    /// The route tables on a network's subnets.
    pub(crate) fn tables_of(&self, network: &NetworkName) -> BTreeSet<&'a RouteTableName> {
        self.design
            .networks
            .get(network)
            .into_iter()
            .flat_map(|network| network.subnets.values())
            .filter_map(|subnet| subnet.route_table.as_ref())
            .collect()
    }

    /// Whether a site learns (a part of) a VNet's range: some gateway that connects it is told, and the site accepts it.
    pub(crate) fn site_learns(&self, site: &NetworkName, vnet: &NetworkName, range: &Cidr) -> bool {
        let accepts =
            self.design.networks.get(site).is_none_or(|site| {
                site.knows.as_ref().is_none_or(|knows| knows.iter().any(|known| known.overlaps(range)))
            });
        let connects = |network: &NetworkName| {
            self.design
                .networks
                .get(network)
                .and_then(|network| network.gateway.as_ref())
                .is_some_and(|gateway| gateway.connects.contains(site))
        };
        let peers = self.neighbours.get(vnet).map_or(&[][..], Vec::as_slice);
        let told = connects(vnet)
            || peers.iter().any(|(peer, peering)| {
                connects(peer) && self.design.shown(peering, vnet).iter().any(|shown| shown.overlaps(range))
            });
        accepts && told
    }

    /// Every prefix that meets in a VNet, each once.
    fn claims(&self, name: &'a NetworkName, network: &'a Network) -> BTreeSet<Claim<'a>> {
        let mut claims: BTreeMap<(Cidr, &NetworkName, usize), Way> = BTreeMap::new();
        let mut claim = |cidr: Cidr, network, index, way| {
            let known = claims.entry((cidr, network, index)).or_insert(way);
            // Of two halves of one peering the better one counts.
            if let (Way::Peer { connected, forwarded }, Way::Peer { connected: one, forwarded: other }) =
                (&mut *known, way)
            {
                *connected |= one;
                *forwarded |= other;
            }
        };
        for (index, prefix) in network.prefixes.iter().enumerate() {
            claim(*prefix, name, index, Way::Own);
        }
        let mut gateways: BTreeMap<&NetworkName, &Gateway> = BTreeMap::new();
        gateways.extend(network.gateway.iter().map(|gateway| (name, gateway)));
        for (peer, peering) in self.neighbours.get(name).map_or(&[][..], Vec::as_slice) {
            let Some(value) = self.design.networks.get(*peer) else {
                continue;
            };
            let way = Way::Peer { connected: peering.connected, forwarded: peering.accepts_forwarded(peer) };
            for shown in self.design.shown(peering, peer) {
                let index = value.prefixes.iter().position(|prefix| prefix.covers(shown));
                claim(*shown, *peer, index.unwrap_or(0), way);
            }
            if peering.gateway_transit.as_ref() == Some(*peer) {
                gateways.extend(value.gateway.iter().map(|gateway| (*peer, gateway)));
            }
        }
        for (owner, gateway) in gateways {
            for (site, value) in gateway.connects.iter().filter_map(|site| self.design.networks.get_key_value(site)) {
                for (index, prefix) in value.prefixes.iter().enumerate() {
                    // A default route learned from a site is no address of the site.
                    if site != name && prefix.prefix_len() > 0 {
                        claim(*prefix, site, index, Way::Gateway(owner));
                    }
                }
            }
        }
        claims.into_iter().map(|((cidr, network, index), way)| Claim { cidr, network, index, way }).collect()
    }
}

/// The addresses two prefixes share: the longer of the two, if they overlap.
pub(crate) fn common(one: &Cidr, other: &Cidr) -> Option<Cidr> {
    if one.covers(other) {
        Some(*other)
    } else if other.covers(one) {
        Some(*one)
    } else {
        None
    }
}
