//! What holds for exports of Azure only once everything else was read.

use super::value::number;
use crate::tree::{Entry, Node, Value};
use causeway_addr::{Cidr, parse_address};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

/// A subnet's export counts every internal frontend on it, those of Services among them. Where the Services were given
/// too, they account for their frontends, and what the export counted (it is in `exported`) is less by them.
pub(crate) fn settle(whole: &mut Node, exported: &Node) {
    let frontends = frontends(whole);
    if frontends.is_empty() {
        return;
    }
    for network in entries(exported, "networks") {
        for subnet in entries(&network.node, "subnets") {
            let counted = subnet.node.get("other").and_then(|other| other.get("loadBalancerFrontends"));
            let (Some(counted), Some(addresses)) = (counted, frontends.get(&network.key)) else { continue };
            let steps = ["networks", &network.key, "subnets", &subnet.key];
            let Some(place) = steps.iter().try_fold(&mut *whole, |node, step| value_mut(node, step)) else { continue };
            // A count of a design file is what people meant.
            let stands = place.get("other").and_then(|other| other.get("loadBalancerFrontends"));
            if stands.is_none_or(|stands| stands.span != counted.span) {
                continue;
            }
            let prefixes = prefixes(place);
            let own = addresses.iter().filter(|address| prefixes.iter().any(|prefix| prefix.contains(**address)));
            let left = number(counted).and_then(|counted| counted.checked_sub(u64::try_from(own.count()).ok()?));
            set_frontends(place, counted, left.unwrap_or(0));
        }
    }
}

/// Internal frontends of Services by the networks their clusters are in.
fn frontends(whole: &Node) -> BTreeMap<Arc<str>, Vec<IpAddr>> {
    let mut out: BTreeMap<Arc<str>, Vec<IpAddr>> = BTreeMap::new();
    for cluster in entries(whole, "clusters") {
        let services = cluster.node.get("services").map_or(&[][..], Node::items);
        let addresses: Vec<IpAddr> = services
            .iter()
            .filter_map(|service| service.get("internalIp")?.text())
            .filter_map(|text| parse_address(text).ok())
            .collect();
        let pools = entries(&cluster.node, "pools").iter();
        let mut networks: Vec<&str> =
            pools.filter_map(|pool| Some(pool.node.get("subnet")?.text()?.split_once('/')?.0)).collect();
        networks.sort_unstable();
        networks.dedup();
        for network in networks {
            out.entry(network.into()).or_default().extend(&addresses);
        }
    }
    out.retain(|_, addresses| {
        addresses.sort_unstable();
        addresses.dedup();
        !addresses.is_empty()
    });
    out
}

fn prefixes(subnet: &Node) -> Vec<Cidr> {
    let stated = ["prefix", "prefixes"].iter().filter_map(|key| subnet.get(key));
    let texts = stated.flat_map(|node| node.as_seq().unwrap_or(std::slice::from_ref(node)));
    texts.filter_map(|node| Some(Cidr::parse(node.text()?).ok()?.cidr)).collect()
}

fn set_frontends(subnet: &mut Node, counted: &Node, left: u64) {
    let Some(other) = value_mut(subnet, "other") else { return };
    let Value::Map(entries) = &mut other.value else { return };
    let entries = Arc::make_mut(entries);
    if left > 0 {
        if let Some(entry) = entries.iter_mut().find(|entry| entry.key.as_ref() == "loadBalancerFrontends") {
            entry.node = Node::plain(counted.span, left.to_string());
        }
        return;
    }
    entries.retain(|entry| entry.key.as_ref() != "loadBalancerFrontends");
    if entries.is_empty()
        && let Value::Map(fields) = &mut subnet.value
    {
        Arc::make_mut(fields).retain(|field| field.key.as_ref() != "other");
    }
}

fn entries<'a>(node: &'a Node, key: &str) -> &'a [Entry] {
    node.get(key).map_or(&[], Node::entries)
}

fn value_mut<'a>(node: &'a mut Node, key: &str) -> Option<&'a mut Node> {
    let Value::Map(entries) = &mut node.value else { return None };
    let entry = Arc::make_mut(entries).iter_mut().find(|entry| entry.key.as_ref() == key)?;
    Some(&mut entry.node)
}
