//! User-defined routing: the default route has to be there, on every subnet packets leave from.

use super::ground::{Ground, Uses, is_translated_to_internet};
use super::routes::DefaultRoute;
use crate::say::{cited, listed};
use causeway_addr::Cidr;
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::outbound;
use causeway_model::finding::{Finding, Severity};

/// How a subnet misses its default route.
enum Lack<'a> {
    NoTable,
    NoRoute(&'a RouteTableName),
    /// Both halves of the internet are routed, the whole is not.
    Halves(&'a RouteTableName),
    Leads(&'a RouteTableName, usize, NextHop),
    /// It leads to a gateway that is nowhere.
    NoGateway(&'a RouteTableName, usize),
}

pub(super) fn check<'a>(ground: &Ground<'a>, path: &str, cluster: &'a Cluster, out: &mut Vec<Finding>) {
    if cluster.outbound.kind != OutboundType::UserDefinedRouting {
        return;
    }
    for (reference, (subnet, uses)) in ground.subnets_of(cluster) {
        if uses.pods_only() && is_translated_to_internet(cluster) != Some(false) {
            continue;
        }
        let lack = match ground.routes.default_route(subnet) {
            DefaultRoute::NoTable => Lack::NoTable,
            DefaultRoute::None(table) if has_halves(ground.design, table) => Lack::Halves(table),
            DefaultRoute::None(table) => Lack::NoRoute(table),
            DefaultRoute::Route(table, at, hop @ (NextHop::Internet | NextHop::None | NextHop::Vnet)) => {
                Lack::Leads(table, at, hop)
            }
            DefaultRoute::Route(table, at, NextHop::Gateway) if !has_gateway(ground.design, &reference.network) => {
                Lack::NoGateway(table, at)
            }
            DefaultRoute::Unknown | DefaultRoute::Route(..) => continue,
        };
        out.push(finding(ground, path, reference, &uses, &lack));
    }
}

fn finding<'a>(ground: &Ground<'a>, path: &str, reference: &'a SubnetRef, uses: &Uses, lack: &Lack) -> Finding {
    let object = format!("{path}.outbound.type");
    let what = uses.words();
    let (message, at) = match lack {
        Lack::NoTable => {
            (format!("{what} in `{reference}` have no default route: the subnet has no route table"), reference.path())
        }
        Lack::NoRoute(table) => (
            format!("{what} in `{reference}` have no default route: the table `{table}` has no `0.0.0.0/0`"),
            format!("routeTables.{table}"),
        ),
        Lack::Halves(table) => (
            format!(
                "{what} in `{reference}` have the two halves of a default route in `{table}`, and the platform looks for `0.0.0.0/0`"
            ),
            format!("routeTables.{table}"),
        ),
        Lack::Leads(table, at, hop) => (
            format!("the default route of `{reference}` leads {}, not to an appliance or gateway", words(*hop)),
            format!("routeTables.{table}.routes.{at}"),
        ),
        Lack::NoGateway(table, at) => (
            format!(
                "the default route of `{reference}` leads to the gateway, and `{}` has none, nor uses one of a peer: packets are dropped",
                reference.network
            ),
            format!("routeTables.{table}.routes.{at}"),
        ),
    };
    let mut finding = Finding::new(codes::UDR_WITHOUT_DEFAULT_ROUTE, object, message)
        .help("add the route `0.0.0.0/0` with the firewall's private address as next hop; the platform checks it when the cluster is made")
        .on(reference)
        .related(at, "here");
    // A subnet for a gateway says that one is there or comes.
    let unsure = matches!(lack, Lack::NoGateway(..)) && has_gateway_subnet(ground.design, &reference.network);
    if matches!(lack, Lack::Halves(_)) || unsure {
        finding = finding.severity(Severity::Warning);
    }
    if let Lack::NoTable | Lack::NoRoute(_) = lack
        && let Some((words, certain)) = learned(ground, reference)
    {
        finding = finding.evidence(words);
        if certain && !matches!(lack, Lack::NoTable) {
            finding = finding.severity(Severity::Warning);
        }
    }
    cited(finding, outbound::USER_DEFINED_ROUTING.about())
}

/// A gateway in reach may bring a default route by BGP: then packets have a way, though the table has no route. True where the
/// design says that it does.
fn learned<'a>(ground: &Ground<'a>, reference: &'a SubnetRef) -> Option<(String, bool)> {
    let subnet = ground.design.subnet(reference)?;
    let table = subnet.route_table.as_ref().and_then(|table| ground.design.route_tables.get(table));
    if table.is_some_and(|table| table.bgp_propagation == Some(false)) {
        return None;
    }
    if ground.routes.learns_default(&reference.network) {
        return Some(("a gateway in reach announces `0.0.0.0/0`: it is the only default route, and goes when the other side stops announcing it".to_owned(), true));
    }
    let network = ground.design.networks.get(&reference.network)?;
    let transit: Vec<&NetworkName> = ground
        .peers(&reference.network)
        .filter(|(peer, peering)| peering.lends_gateway() == Some(*peer))
        .map(|(peer, _)| peer)
        .collect();
    if network.gateway.is_none() && transit.is_empty() {
        return None;
    }
    let whose = if network.gateway.is_some() { vec![&reference.network] } else { transit };
    Some((
        format!(
            "whether the gateway of {} announces `0.0.0.0/0` is not stated; if it does, that is the only default route",
            listed(&whose)
        ),
        false,
    ))
}

/// A gateway stands in the network, or it uses that of a peer.
fn has_gateway(design: &Design, network: &NetworkName) -> bool {
    design.networks.get(network).is_none_or(|one| one.gateway.is_some() || one.prefixes.is_empty())
        || design.peers(network).any(|(peer, peering)| peering.lends_gateway() == Some(peer))
}

fn has_gateway_subnet(design: &Design, network: &NetworkName) -> bool {
    let mut subnets = design.networks.get(network).into_iter().flat_map(|one| one.subnets.keys());
    subnets.any(|name| name.as_str().eq_ignore_ascii_case("GatewaySubnet"))
}

fn has_halves(design: &Design, table: &RouteTableName) -> bool {
    const HALVES: [Cidr; 2] = [Cidr::v4([0, 0, 0, 0], 1), Cidr::v4([128, 0, 0, 0], 1)];
    let Some(table) = design.route_tables.get(table) else { return false };
    let leads = |half: &Cidr| {
        table.routes.iter().any(|route| {
            route.prefix == RoutePrefix::Cidr(*half)
                && matches!(route.next_hop, NextHop::Appliance(_) | NextHop::UnknownAppliance | NextHop::Gateway)
        })
    };
    HALVES.iter().all(leads)
}

fn words(hop: NextHop) -> &'static str {
    match hop {
        NextHop::Internet => "to the internet",
        NextHop::None => "nowhere (packets are dropped)",
        NextHop::Vnet => "into the VNet itself",
        NextHop::Appliance(_) | NextHop::UnknownAppliance => "to an appliance",
        NextHop::Gateway => "to the gateway",
    }
}
