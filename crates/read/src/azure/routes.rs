//! Route tables.

use super::inventory::Object;
use super::kind::Kind;
use super::translate::Translation;
use super::value::*;
use crate::tree::{MapBuilder, Node};
use causeway_model::source::Span;
use std::sync::Arc;

pub(super) fn tables(cx: &mut Translation) -> Vec<(Arc<str>, Span, Node)> {
    let tables: Vec<Object> = cx.inventory.of(Kind::RouteTable).cloned().collect();
    let mut out = Vec::new();
    for table in &tables {
        let mut routes: Vec<Object> = cx.inventory.parts(&table.id, Kind::Route).cloned().collect();
        routes.sort_by(|one, other| one.name.cmp(&other.name));
        let routes: Vec<Node> = routes.iter().filter_map(|route| self::route(cx, route)).collect();
        let propagation = table.get("disableBgpRoutePropagation").and_then(|node| Some(boolean(node, !truth(node)?)));
        let known = super::nsg::known(table, routes.is_empty());
        let node = MapBuilder::new(table.span())
            .set("bgpPropagation", None, propagation)
            .set("routes", None, many(routes).or_else(|| super::nsg::empty(table, "routes")))
            .set("known", None, known)
            .build();
        out.extend(cx.name(&table.id).map(|name| (name, table.name_span, node)));
    }
    out
}

fn route(cx: &mut Translation, route: &Object) -> Option<Node> {
    let Some(prefix) = route.first(|body| text(body, "addressPrefix")).and_then(copy) else {
        cx.unknown(
            route.span(),
            format!("the prefix of the route `{}` is not known: the route is left out", route.name),
        );
        return None;
    };
    let next_hop = next_hop(cx, route);
    Some(
        MapBuilder::new(route.span())
            .set("name", None, Node::str(route.name_span, route.name.clone()))
            .set("prefix", None, prefix)
            .set("nextHop", None, next_hop)
            .build(),
    )
}

/// A hop that is not known stays in the design as an appliance of unknown address: leaving the route out would let
/// packets take another one.
fn next_hop(cx: &mut Translation, route: &Object) -> Node {
    let kinds =
        [("Internet", "internet"), ("VnetLocal", "vnet"), ("VirtualNetworkGateway", "gateway"), ("None", "none")];
    let unknown = |span: Span| MapBuilder::new(span).set("appliance", None, Node::str(span, "unknown")).build();
    let Some(stated) = route.first(|body| text(body, "nextHopType")) else {
        cx.unknown(route.span(), format!("the next hop of the route `{}` is not known", route.name));
        return unknown(route.span());
    };
    if let Some(kind) = word(stated, &kinds) {
        return kind;
    }
    if !stated.text().is_some_and(|text| text.eq_ignore_ascii_case("VirtualAppliance")) {
        cx.unknown_word(&format!("the next hop of the route `{}`", route.name), stated);
        return unknown(stated.span);
    }
    match route.first(|body| text(body, "nextHopIpAddress")) {
        Some(address) if address.text().is_some_and(|text| causeway_addr::parse_address(text).is_ok()) => {
            MapBuilder::new(address.span).set("appliance", None, copy(address)).build()
        }
        other => {
            let span = other.unwrap_or(stated).span;
            cx.unknown(span, format!("the address of the next hop of the route `{}` is not known", route.name));
            unknown(span)
        }
    }
}
