//! Virtual networks, their subnets and gateways, and the sites behind gateways.

use super::inventory::Object;
use super::kind::Kind;
use super::occupancy::{self, Occupancy};
use super::resource::ResourceId;
use super::translate::{Translation, section};
use super::value::*;
use crate::tree::{MapBuilder, Node};
use causeway_model::source::Span;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Route tables, security groups and NAT gateways list the subnets they are on: the same fact as in the subnet, known even
/// where the subnet was not given.
type Attached = BTreeMap<(Kind, ResourceId), (ResourceId, Span)>;

pub(super) fn networks(cx: &mut Translation) -> Vec<(Arc<str>, Span, Node)> {
    let attached = attached(cx);
    let occupancy = occupancy::count(cx);
    let ids: Vec<ResourceId> = cx.inventory.of(Kind::VirtualNetwork).map(|network| network.id.clone()).collect();
    let mut out = Vec::new();
    for id in ids {
        let gateway = gateway(cx, &id);
        let managed = id.group().is_some_and(|group| cx.cluster_of_group(group).is_some());
        let Some(network) = cx.inventory.get(&id) else { continue };
        let subnets = section(subnets(cx, network, &attached, &occupancy));
        let node = MapBuilder::new(network.span())
            .set("location", None, network.get("location").and_then(copy))
            .set("prefixes", None, address_space(cx, network))
            .set("dnsServers", None, dns_servers(network))
            .set("subnets", None, subnets)
            .set("gateway", None, gateway)
            .set("managedByAks", None, managed.then(|| Node::plain(network.name_span, "true")))
            .build();
        out.extend(cx.name(&id).map(|name| (name, network.name_span, node)));
    }
    for site in cx.inventory.of(Kind::LocalNetworkGateway) {
        let prefixes =
            site.path(&["localNetworkAddressSpace"]).map(|space| texts(space, "addressPrefixes", "addressPrefix"));
        let node = MapBuilder::new(site.span())
            .set("kind", None, Node::str(site.name_span, "onPremises"))
            .set("location", None, site.get("location").and_then(copy))
            .set("prefixes", None, many(prefixes.unwrap_or_default().into_iter().filter_map(copy).collect()))
            .build();
        out.extend(cx.name(&site.id).map(|name| (name, site.name_span, node)));
    }
    out
}

/// The network's own prefixes, else what its peerings and their other sides say about it.
fn address_space(cx: &Translation, network: &Object) -> Option<Node> {
    let own = network.first(|body| prefixes(prop(body, "addressSpace")?));
    own.or_else(|| {
        let local = cx.inventory.parts(&network.id, Kind::Peering).find_map(|half| {
            let space = half.get("localVirtualNetworkAddressSpace").or_else(|| half.get("localAddressSpace"))?;
            prefixes(space)
        });
        let remote = || {
            cx.inventory.of(Kind::Peering).find_map(|half| {
                let (other, _) = half.first(|body| reference(body, "remoteVirtualNetwork"))?;
                let space = half.get("remoteVirtualNetworkAddressSpace").or_else(|| half.get("remoteAddressSpace"))?;
                (cx.inventory.settled(&other) == network.id).then(|| prefixes(space)).flatten()
            })
        };
        local.or_else(remote).or_else(|| of_all_peers(cx, network))
    })
}

/// Where a peering names the prefixes of all the peers its network has, together: those that no network has that is
/// described. With several peers of which nothing is known, the first has them all: that a peer has them is true, and
/// which one nobody says.
fn of_all_peers(cx: &Translation, network: &Object) -> Option<Node> {
    let own = |network: &Object| network.first(|body| prefixes(prop(body, "addressSpace")?));
    let remote =
        |half: &Object| Some(cx.inventory.settled(&half.first(|body| reference(body, "remoteVirtualNetwork"))?.0));
    let leads_here = |half: &&Object| remote(half).as_ref() == Some(&network.id);
    let half = cx.inventory.of(Kind::Peering).filter(leads_here).find(|half| half.get(PEERS_ADDRESSES).is_some())?;
    let local = half.id.parent()?;
    let beside = cx.inventory.parts(&local, Kind::Peering).filter_map(remote);
    let unknown = beside.filter(|id| cx.inventory.get(id).is_none_or(|network| own(network).is_none()));
    if unknown.min().as_ref() != Some(&network.id) {
        return None;
    }
    let described: BTreeSet<String> = cx
        .inventory
        .of(Kind::VirtualNetwork)
        .filter_map(own)
        .flat_map(|list| list.items().iter().filter_map(Node::text).map(str::to_ascii_lowercase).collect::<Vec<_>>())
        .collect();
    let all = half.get(PEERS_ADDRESSES).and_then(prefixes)?;
    let is_left = |node: &&Node| node.text().is_some_and(|text| !described.contains(&text.to_ascii_lowercase()));
    many(all.items().iter().filter(is_left).cloned().collect())
}

/// Where the Terraform reader puts the prefixes of all peers of a network, of which a data source has one list.
pub(crate) const PEERS_ADDRESSES: &str = "addressSpacesOfAllPeers";

/// Prefixes in any of the forms Azure has for them; those of an address pool where the pool gave them.
pub(super) fn prefixes(node: &Node) -> Option<Node> {
    let mut found: Vec<Node> = texts(node, "addressPrefixes", "addressPrefix").into_iter().filter_map(copy).collect();
    if found.is_empty() {
        let allocations = list(node, "ipamPoolPrefixAllocations");
        let given = allocations.iter().flat_map(|allocation| list(allocation, "allocatedAddressPrefixes"));
        found = given.filter_map(copy).collect();
    }
    many(found)
}

/// An empty list is Azure's own resolver, as its address is.
fn dns_servers(network: &Object) -> Option<Node> {
    let servers = network.path(&["dhcpOptions", "dnsServers"])?;
    let stated: Vec<Node> = servers.items().iter().filter_map(copy).collect();
    let azure = stated.is_empty() || matches!(stated.as_slice(), [only] if only.text() == Some("168.63.129.16"));
    if azure { Some(Node::str(servers.span, "azure")) } else { many(stated) }
}

fn subnets(
    cx: &Translation,
    network: &Object,
    attached: &Attached,
    occupancy: &Occupancy,
) -> Vec<(Arc<str>, Span, Node)> {
    let subnets = cx.inventory.parts(&network.id, Kind::Subnet);
    subnets
        .map(|subnet| (subnet.name.clone(), subnet.name_span, self::subnet(cx, subnet, attached, occupancy)))
        .collect()
}

fn subnet(cx: &Translation, subnet: &Object, attached: &Attached, occupancy: &Occupancy) -> Node {
    let prefix = subnet.first(prefixes).and_then(|list| one_or_many(list.items().to_vec()));
    let texts_of = |key: &str, inner: &str| {
        let items = subnet.get(key).map_or(&[][..], Node::items);
        one_or_many(items.iter().filter_map(|item| text(item, inner)).filter_map(copy).collect())
    };
    let on = |kind: Kind, key: &str| {
        let stated = cx.name_node(subnet.first(|body| reference(body, key)));
        stated.or_else(|| {
            let (owner, span) = attached.get(&(kind, subnet.id.clone()))?;
            Some(Node::str(*span, cx.name(owner)?))
        })
    };
    let policies = [
        ("Disabled", "disabled"),
        ("Enabled", "enabled"),
        ("NetworkSecurityGroupEnabled", "nsg"),
        ("RouteTableEnabled", "routeTable"),
    ];
    MapBuilder::new(subnet.span())
        .set("prefix", None, prefix)
        .set("delegation", None, texts_of("delegations", "serviceName"))
        .set("natGateway", None, on(Kind::NatGateway, "natGateway"))
        .set("nsg", None, on(Kind::SecurityGroup, "networkSecurityGroup"))
        .set("routeTable", None, on(Kind::RouteTable, "routeTable"))
        .set(
            "privateEndpointPolicies",
            None,
            subnet.get("privateEndpointNetworkPolicies").and_then(|node| word(node, &policies)),
        )
        .set("other", None, occupancy.other(subnet))
        .set("serviceEndpoints", None, texts_of("serviceEndpoints", "service"))
        .set(
            "defaultOutboundAccess",
            None,
            subnet.get("defaultOutboundAccess").and_then(|node| Some(boolean(node, truth(node)?))),
        )
        .build()
}

fn attached(cx: &Translation) -> Attached {
    let mut out = Attached::new();
    for kind in [Kind::RouteTable, Kind::SecurityGroup, Kind::NatGateway] {
        for owner in cx.inventory.of(kind) {
            for body in &owner.bodies {
                for (subnet, at) in references(body, "subnets") {
                    out.entry((kind, cx.inventory.settled(&subnet))).or_insert((owner.id.clone(), at.span));
                }
            }
        }
    }
    out
}

/// The gateways standing in a network, as one: a design's network has one gateway.
fn gateway(cx: &mut Translation, network: &ResourceId) -> Option<Node> {
    let stands_here = |gateway: &&Object| {
        let configurations = gateway.all("ipConfigurations");
        configurations.into_iter().any(|configuration| {
            let subnet = reference(configuration, "subnet").map(|(subnet, _)| subnet);
            subnet.and_then(|subnet| cx.inventory.settled(&subnet).parent()).as_ref() == Some(network)
        })
    };
    let here: Vec<Object> = cx.inventory.of(Kind::VirtualNetworkGateway).filter(stands_here).cloned().collect();
    if here.is_empty() {
        gateway_not_given(cx, network);
        return None;
    }
    let kinds = [("ExpressRoute", "expressRoute"), ("Vpn", "vpn")];
    let mut found: Vec<(Node, &Object)> = Vec::new();
    for gateway in &here {
        match gateway.get("gatewayType") {
            Some(stated) => match word(stated, &kinds) {
                Some(kind) => found.push((kind, gateway)),
                None => cx.unknown_word(&format!("the type of the gateway `{}`", gateway.name), stated),
            },
            None => cx.unknown(gateway.span(), format!("the type of the gateway `{}` is not stated", gateway.name)),
        }
    }
    // ExpressRoute carries the traffic where both stand side by side.
    found.sort_by_key(|(kind, _)| kind.text() != Some("expressRoute"));
    if let Some((_, second)) = found.get(1) {
        let span = second.name_span;
        cx.not_understood(span, format!("`{}` has several gateways; the design holds them as one", network.name()));
    }
    let mut sites = BTreeMap::new();
    for (kind, gateway) in &found {
        let reached = connections(cx, gateway);
        if reached.is_empty() {
            let what = if kind.text() == Some("vpn") { "its tunnels" } else { "its circuit" };
            cx.unknown(gateway.name_span, format!("what the gateway `{}` reaches through {what} is not known: describe the sites as networks of kind `onPremises` under `connects`", gateway.name));
        }
        sites.extend(reached);
    }
    let (kind, first) = found.first()?;
    let connects = sites.into_iter().map(|(name, span)| Node::str(span, name)).collect();
    Some(MapBuilder::new(first.span()).set("kind", None, kind.clone()).set("connects", None, many(connects)).build())
}

/// The sites a gateway has connections to.
fn connections(cx: &Translation, gateway: &Object) -> BTreeMap<Arc<str>, Span> {
    let own = cx.inventory.of(Kind::Connection).filter(|connection| {
        let from = connection.first(|body| reference(body, "virtualNetworkGateway1"));
        from.is_some_and(|(from, _)| cx.inventory.settled(&from) == gateway.id)
    });
    own.filter_map(|connection| {
        let (site, at) = connection.first(|body| reference(body, "localNetworkGateway2"))?;
        Some((cx.name(&site)?, at.span))
    })
    .collect()
}

/// A subnet shows that a gateway stands in it, even where the gateway was not given.
fn gateway_not_given(cx: &mut Translation, network: &ResourceId) {
    let own = |subnet: &&Object| subnet.name.eq_ignore_ascii_case("GatewaySubnet");
    let seen = cx.inventory.parts(network, Kind::Subnet).filter(own).find_map(|subnet| {
        let configurations = subnet.all("ipConfigurations").into_iter().filter_map(id_of);
        let gateways =
            configurations.filter_map(|(id, at)| Some((id.ancestor(Kind::VirtualNetworkGateway.arm())?, at.span)));
        gateways.min_by(|one, other| one.0.cmp(&other.0))
    });
    if let Some((gateway, span)) = seen {
        cx.unknown(
            span,
            format!(
                "the gateway `{}` was not given: where it leads is not known (give `az network vnet-gateway show`)",
                gateway.name()
            ),
        );
    }
}
