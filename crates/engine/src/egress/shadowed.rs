//! Routes that never decide about a packet, and routes whose next hop can't be reached.

use super::ground::{Ground, is_described};
use super::routes::Hop;
use crate::say::{cited, listed, plural};
use causeway_addr::{Cidr, PrefixMap, RangeSet, special};
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::{routing, special as platform};
use causeway_model::finding::{Finding, Severity};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

pub(super) fn check(ground: &Ground, out: &mut Vec<Finding>) {
    for (name, table) in ground.design.route_tables.iter().filter(|(_, table)| table.known && !table.routes.is_empty())
    {
        let subnets = ground.subnets_with(name);
        if subnets.is_empty() {
            out.push(on_no_subnet(name, table));
        }
        within(name, table, out);
        next_hops(ground, name, table, subnets, out);
    }
}

fn on_no_subnet(name: &RouteTableName, table: &RouteTable) -> Finding {
    let count = table.routes.len();
    let message = format!(
        "the route table `{name}` is on no subnet: its {count} {}",
        plural(count, "route never matches", "routes never match")
    );
    let finding = Finding::new(codes::ROUTE_NEVER_MATCHES, format!("routeTables.{name}"), message)
        .help("associate the table with the subnet it is meant for, or remove it")
        .on(name);
    cited(finding, routing::TABLES_PER_SUBNET.about())
}

/// Routes that others of the same table leave nothing to.
fn within(name: &RouteTableName, table: &RouteTable, out: &mut Vec<Finding>) {
    let mut first: PrefixMap<usize> = PrefixMap::new();
    for (at, route) in table.routes.iter().enumerate() {
        let RoutePrefix::Cidr(prefix) = &route.prefix else { continue };
        let object = format!("routeTables.{name}.routes.{at}");
        if let Some(earlier) = first.get(prefix) {
            let other = table.routes.get(*earlier).map_or("", |route| route.name.as_str());
            let same = table.routes.get(*earlier).is_some_and(|other| other.next_hop == route.next_hop);
            let finding = Finding::new(
                codes::ROUTE_NEVER_MATCHES,
                object,
                format!(
                    "route `{}` has the prefix of route `{other}`, `{prefix}`: a table takes a prefix once",
                    route.name
                ),
            )
            .help(if same { "remove one of the two" } else { "remove one of the two: they lead to different hops" })
            .on(prefix)
            .related(format!("routeTables.{name}.routes.{earlier}"), "the same prefix");
            out.push(cited(finding, routing::SELECTION.about()));
            continue;
        }
        first.insert(*prefix, at);
        if let Some(address) = platform_address(prefix) {
            let finding = Finding::new(
                codes::ROUTE_NEVER_MATCHES,
                object,
                format!(
                    "route `{}` is for the platform's own address {address}, which routes of users don't apply to",
                    route.name
                ),
            )
            .help("remove the route")
            .on(prefix);
            out.push(cited(finding, platform::PLATFORM_DNS.about()));
        }
    }
    for (prefix, at) in first.iter() {
        let inside: Vec<(Cidr, usize)> =
            first.covered(&prefix).filter(|(inner, _)| *inner != prefix).map(|(inner, at)| (inner, *at)).collect();
        let covered: RangeSet = inside.iter().map(|(inner, _)| *inner).collect();
        let Some(route) = table.routes.get(*at).filter(|_| covered.covers(&prefix)) else { continue };
        let deciding: Vec<&(Cidr, usize)> = inside
            .iter()
            .filter(|(inner, _)| !inside.iter().any(|(other, _)| other != inner && other.covers(inner)))
            .collect();
        let names: Vec<&str> =
            deciding.iter().filter_map(|(_, at)| table.routes.get(*at)).map(|route| route.name.as_str()).collect();
        let mut finding = Finding::new(
            codes::ROUTE_NEVER_MATCHES,
            format!("routeTables.{name}.routes.{at}"),
            format!(
                "route `{}` never matches: the longer prefixes of {} cover all of `{prefix}`",
                route.name,
                listed(&names)
            ),
        )
        .help("remove the route, or the ones that take its packets")
        .on(prefix);
        for (inner, at) in deciding {
            finding = finding.on(inner).related(format!("routeTables.{name}.routes.{at}"), "decides instead");
        }
        out.push(cited(finding, routing::SELECTION.about()));
    }
}

fn platform_address(prefix: &Cidr) -> Option<IpAddr> {
    [platform::PLATFORM_DNS.value, platform::METADATA.value]
        .into_iter()
        .map(IpAddr::from)
        .find(|address| *prefix == Cidr::host(*address))
}

/// Next hops that are in a network the subnet has no direct way to, or on the subnet itself.
fn next_hops(
    ground: &Ground,
    name: &RouteTableName,
    table: &RouteTable,
    subnets: &[SubnetRef],
    out: &mut Vec<Finding>,
) {
    let mut hops: BTreeMap<IpAddr, Vec<usize>> = BTreeMap::new();
    for (at, route) in table.routes.iter().enumerate() {
        if let NextHop::Appliance(ip) = route.next_hop {
            hops.entry(ip).or_default().push(at);
        }
    }
    for (ip, routes) in hops {
        let (Some(first), networks) =
            (routes.first(), subnets.iter().map(|subnet| &subnet.network).collect::<BTreeSet<_>>())
        else {
            continue;
        };
        let object = format!("routeTables.{name}.routes.{first}.nextHop");
        let names: Vec<&str> =
            routes.iter().filter_map(|at| table.routes.get(*at)).map(|route| route.name.as_str()).collect();
        let (route, leads) = (plural(names.len(), "route", "routes"), plural(names.len(), "leads", "lead"));
        let what = format!("{route} {} {leads} to {ip}", listed(&names));
        let refuse = |message: String, help: &str| {
            let finding = Finding::new(codes::NEXT_HOP_UNREACHABLE, object.as_str(), message).help(help).on(ip);
            cited(finding, routing::USER_NEXT_HOPS.about())
        };
        if special::is_globally_reachable(&Cidr::host(ip))
            && !networks.iter().any(|network| ground.is_near(network, ip))
        {
            out.push(refuse(
                format!("{what}, a public address: an appliance is reached by its private one"),
                "use the private address of the firewall",
            ));
            continue;
        }
        for network in networks {
            match ground.foreign_owner(network, ip) {
                Some(Foreign::Network(owner)) => out.push(refuse(
                    format!("{what}, which is in `{owner}`, and `{owner}` is not peered with `{network}`: packets are dropped"),
                    "peer the two networks, or use an appliance in this network or a directly peered one",
                ).related(format!("networks.{owner}"), "the appliance's network")),
                Some(Foreign::Disconnected(owner)) => out.push(refuse(
                    format!("{what}, which is in `{owner}`, and the peering with `{network}` is not connected: packets are dropped"),
                    "create the other half of the peering",
                )),
                Some(Foreign::Hidden(owner)) => out.push(refuse(
                    format!("{what}, and the peering with `{owner}` does not show that address to `{network}`: packets are dropped"),
                    "show the appliance's subnet in the peering",
                )),
                Some(Foreign::Site(site)) => out.push(refuse(
                    format!("{what}, which is at the site `{site}`: a next hop can't be reached through a gateway"),
                    "use a route to the gateway, or an appliance in a VNet",
                )),
                Some(Foreign::Nowhere(severity)) => out.push(refuse(
                    format!("{what}, which is not in `{network}` and in no network peered with it: packets are dropped"),
                    "peer the appliance's network with this one and describe both, or correct the address",
                ).severity(severity)),
                None => {}
            }
            if let Some((message, help)) = ground.wrong_place(network, ip) {
                out.push(refuse(format!("{what}, {message}"), &help).severity(Severity::Warning));
            }
        }
        let others = |subnet: &SubnetRef| {
            let mut routes = routes.iter().filter_map(|at| table.routes.get(*at));
            routes.any(|route| !ground.is_of_kubenet(subnet, route))
        };
        for subnet in subnets.iter().filter(|subnet| ground.contains(subnet, ip) && others(subnet)) {
            out.push(
                refuse(
                    format!("{what}, which is on `{subnet}` itself: what the appliance forwards comes back to it"),
                    "put the appliance on a subnet of its own, without this table",
                )
                .severity(Severity::Warning)
                .related(subnet.path(), "the table is on it"),
            );
        }
    }
}

/// Where an address is that a network has no direct route to.
enum Foreign<'a> {
    Network(&'a NetworkName),
    Disconnected(&'a NetworkName),
    Hidden(&'a NetworkName),
    Site(&'a NetworkName),
    /// In no network of the design that is in reach; how certain that is.
    Nowhere(Severity),
}

impl<'a> Ground<'a> {
    /// An address is in the network or in a part a peer shows.
    fn is_near(&self, network: &NetworkName, address: IpAddr) -> bool {
        self.routes.owner(network, address).is_some_and(|hop| matches!(hop, Hop::Vnet | Hop::Peer(_)))
    }

    /// The network an address is in, if that is known and no direct route leads there.
    fn foreign_owner(&self, network: &NetworkName, address: IpAddr) -> Option<Foreign<'a>> {
        let contains =
            |other: &Network| other.prefixes.iter().any(|prefix| prefix.prefix_len() > 0 && prefix.contains(address));
        // A network without prefixes is only referred to: what it is peered with may not be known either.
        let described = self.design.networks.get(network).is_some_and(|network| !network.prefixes.is_empty());
        if !described || self.is_near(network, address) {
            return None;
        }
        let owners: Vec<(&NetworkName, &Network)> =
            self.design.networks.iter().filter(|(name, other)| *name != network && contains(other)).collect();
        if let Some((owner, peering)) =
            self.peers(network).find(|(peer, _)| owners.iter().any(|(owner, _)| owner == peer))
        {
            let (owner, _) = self.design.networks.get_key_value(owner)?;
            return Some(if peering.connected { Foreign::Hidden(owner) } else { Foreign::Disconnected(owner) });
        }
        let Some((owner, value)) = owners.first() else { return self.nowhere(network, address).map(Foreign::Nowhere) };
        Some(if value.kind == NetworkKind::OnPremises { Foreign::Site(owner) } else { Foreign::Network(owner) })
    }

    /// How certain it is that an address in no network of the design is out of reach; `None` where nothing can be said.
    fn nowhere(&self, network: &NetworkName, address: IpAddr) -> Option<Severity> {
        let one = self.design.networks.get(network)?;
        if one.kind != NetworkKind::Vnet || one.managed_by_aks {
            return None;
        }
        let peers: Vec<(&NetworkName, &Peering)> = self.design.peers(network).collect();
        // A peer of which no prefix is known may well be where the appliance stands.
        if peers.iter().any(|(peer, peering)| self.design.shown(peering, peer).is_empty()) {
            return Some(Severity::Info);
        }
        let gateway = one.gateway.is_some()
            || peers.iter().any(|(peer, peering)| peering.gateway_transit.as_ref() == Some(*peer));
        // A described appliance that no subnet is named for stands in a network that is not described.
        let placeless = self.firewall(network, address).is_some_and(|(_, firewall)| firewall.subnet.is_none());
        Some(if gateway || placeless { Severity::Warning } else { Severity::Error })
    }

    /// Why nobody answers at an address in reach, and what to do: on no subnet, or on the firewall's subnet and not the firewall's.
    fn wrong_place(&self, network: &NetworkName, address: IpAddr) -> Option<(String, String)> {
        let (owner, own) = match self.routes.owner(network, address)? {
            Hop::Vnet => self.design.networks.get_key_value(network)?,
            Hop::Peer(peer) => (peer, self.design.networks.get(peer)?),
            _ => return None,
        };
        let Some(name) = self.subnet_at(owner, address) else {
            // Without subnets, or with one whose prefix is open, the list is not the whole one; nor need it be of another network.
            let known = owner == network && !own.subnets.is_empty() && own.subnets.values().all(is_described);
            return known.then(|| {
                (
                    format!("which is in `{owner}` and on none of its subnets: nobody answers there"),
                    "use the address of an appliance that stands on a subnet, or describe the subnet".to_owned(),
                )
            });
        };
        let here = |subnet: &SubnetRef| subnet.network == *owner && subnet.subnet == *name;
        // Beside appliances of other kinds there may be load balancers and more of them.
        let standing = self.design.firewalls.iter().filter(|(_, firewall)| {
            firewall.kind == FirewallKind::AzureFirewall && firewall.subnet.as_ref().is_some_and(here)
        });
        let firewalls: Vec<(&FirewallName, IpAddr)> =
            standing.map(|(name, firewall)| Some((name, firewall.private_ip?))).collect::<Option<_>>()?;
        let (firewall, right) = *firewalls.first()?;
        if self.firewall(network, address).is_some() {
            return None;
        }
        Some((
            format!("which is on the subnet of firewall `{firewall}` and not its private address {right}"),
            format!("use {right}, the firewall's private address, as the next hop"),
        ))
    }

    /// A route AKS writes for a kubenet cluster on the subnet: a node's block of the pod range leads to the node.
    fn is_of_kubenet(&self, subnet: &SubnetRef, route: &Route) -> bool {
        let RoutePrefix::Cidr(prefix) = &route.prefix else { return false };
        let mut clusters = self.design.clusters.values().filter(|cluster| cluster.mode == Some(Mode::Kubenet));
        clusters.any(|cluster| {
            cluster.pod_cidrs.iter().any(|pods| pods.covers(prefix) && pods != prefix)
                && cluster.pools.values().any(|pool| pool.subnet.as_ref() == Some(subnet))
        })
    }

    fn contains(&self, subnet: &SubnetRef, address: IpAddr) -> bool {
        self.design.subnet(subnet).is_some_and(|subnet| subnet.prefixes.iter().any(|prefix| prefix.contains(address)))
    }
}
