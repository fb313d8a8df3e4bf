//! NAT gateways.

use super::inventory::Object;
use super::kind::Kind;
use super::public::PublicAddresses;
use super::translate::Translation;
use super::value::*;
use crate::tree::{MapBuilder, Node};
use causeway_model::source::Span;
use std::sync::Arc;

pub(super) fn gateways(cx: &mut Translation) -> Vec<(Arc<str>, Span, Node)> {
    let gateways: Vec<Object> = cx.inventory.of(Kind::NatGateway).cloned().collect();
    let mut out = Vec::new();
    for gateway in &gateways {
        let refer =
            |key: &str| gateway.first(|body| prop(body, key).map(|_| references(body, key))).unwrap_or_default();
        let mut addresses = refer("publicIpAddresses");
        addresses.extend(refer("publicIpAddressesV6"));
        let mut prefixes = refer("publicIpPrefixes");
        prefixes.extend(refer("publicIpPrefixesV6"));
        let public = PublicAddresses::of(cx, &format!("the NAT gateway `{}`", gateway.name), &addresses, &prefixes);
        let later = ["publicIpAddresses", "publicIpPrefixes"].iter().any(|key| gateway.is_later(key));
        let none = gateway.is_given() && addresses.is_empty() && prefixes.is_empty() && !later;
        let count = match none {
            true => {
                Some(Node::plain(gateway.get("publicIpAddresses").map_or(gateway.name_span, |node| node.span), "0"))
            }
            false => public.count().filter(|_| !public.all_by_value() && !later),
        };
        let node = MapBuilder::new(gateway.span())
            .set("publicIps", None, public.list().filter(|_| !later))
            .set("publicIpCount", None, count)
            .set("idleTimeoutMinutes", None, gateway.get("idleTimeoutInMinutes").and_then(copy_number))
            .set("sku", None, gateway.path(&["sku", "name"]).and_then(copy))
            .build();
        out.extend(cx.name(&gateway.id).map(|name| (name, gateway.name_span, node)));
    }
    out
}
