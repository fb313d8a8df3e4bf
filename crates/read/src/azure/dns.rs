//! Private DNS zones, the networks they are linked to, and their records.

use super::inventory::Object;
use super::kind::Kind;
use super::resource::ResourceId;
use super::translate::Translation;
use super::value::*;
use crate::tree::{MapBuilder, Node};
use causeway_model::source::Span;
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) fn zones(cx: &mut Translation) -> Vec<(Arc<str>, Span, Node)> {
    let zones: Vec<Object> = cx.inventory.of(Kind::PrivateDnsZone).cloned().collect();
    let mut seen: BTreeMap<String, ResourceId> = BTreeMap::new();
    let mut out = Vec::new();
    for zone in &zones {
        let domain = zone.name.to_ascii_lowercase();
        if let Some(first) = seen.get(&domain) {
            let group = first.group().unwrap_or("another resource group").to_owned();
            cx.not_understood(
                zone.name_span,
                format!("a second zone `{domain}`: the design holds one of each name, and has the one in `{group}`"),
            );
            continue;
        }
        seen.insert(domain.clone(), zone.id.clone());
        let (links, fallback) = links(cx, zone);
        let unknown = links_not_given(cx, zone);
        let records = records(cx, zone);
        let node = MapBuilder::new(zone.span())
            .set("links", None, links)
            .set("linksKnown", None, unknown)
            .set("records", None, records.clone())
            .set("recordsKnown", None, records_known(cx, zone, records.is_some()))
            .set("fallbackToInternet", None, fallback)
            .build();
        out.push((domain.into(), zone.name_span, node));
    }
    out
}

/// False where the zone counts more links than were given.
fn links_not_given(cx: &mut Translation, zone: &Object) -> Option<Node> {
    let count = zone.get("numberOfVirtualNetworkLinks")?;
    let stated: usize = count.text()?.trim().parse().ok()?;
    let given = cx.inventory.parts(&zone.id, Kind::PrivateDnsLink).count();
    if given >= stated {
        return None;
    }
    let message = format!(
        "`{}` has {stated} links and {given} of them were given: which networks see it is not known (give `az network private-dns link vnet list`)",
        zone.name
    );
    let answer = boolean(count, false);
    cx.unknown(count.span, message);
    Some(answer)
}

/// Whether the zone has no other records than those given, where that is not what is taken without a word: the zone counts its
/// sets, of which one (its own authority) is in every zone, and who gives that one gives the list of all. What an alias leads to is not in the design.
fn records_known(cx: &Translation, zone: &Object, some: bool) -> Option<Node> {
    let count = zone.get("numberOfRecordSets")?;
    let stated: usize = count.text()?.trim().parse().ok()?;
    let sets: Vec<&Object> = cx.inventory.parts(&zone.id, Kind::PrivateDnsRecords).collect();
    let authority = sets.iter().any(|set| set.get("soaRecord").is_some());
    let aliases = sets.iter().any(|set| set.get("cnameRecord").is_some());
    let all = (authority || sets.len().saturating_add(1) >= stated) && !aliases;
    (all != some).then(|| boolean(count, all))
}

/// The linked networks, and whether names that are not found are asked on the internet. Each link says that for its own
/// network; the design has one answer: yes where every link says so.
fn links(cx: &mut Translation, zone: &Object) -> (Option<Node>, Option<Node>) {
    let links: Vec<Object> = cx.inventory.parts(&zone.id, Kind::PrivateDnsLink).cloned().collect();
    let (mut networks, mut policies) = (BTreeMap::new(), Vec::new());
    for link in &links {
        let Some((network, at)) = link.first(|body| reference(body, "virtualNetwork")) else {
            cx.unknown(link.name_span, format!("the network of the link `{}` is not known", link.name));
            continue;
        };
        let Some(name) = cx.name(&network) else { continue };
        networks.insert(name, at.span);
        if let Some(policy) = link.get("resolutionPolicy") {
            match policy.text().map(str::to_ascii_lowercase).as_deref() {
                Some("nxdomainredirect") => policies.push((true, policy)),
                Some("default") => policies.push((false, policy)),
                _ => cx.unknown_word(&format!("the resolution policy of the link `{}`", link.name), policy),
            }
        }
    }
    let redirected = policies.iter().filter(|(redirects, _)| *redirects).count();
    let all = redirected > 0 && redirected == networks.len();
    if redirected > 0 && !all {
        cx.not_understood(zone.name_span, format!("only some links of `{}` ask the internet for names that are not found; the design has one answer for all and says no", zone.name));
    }
    let policy = policies.iter().find(|(redirects, _)| *redirects == all).map(|(_, node)| boolean(node, all));
    (many(networks.into_iter().map(|(name, span)| Node::str(span, name)).collect()), policy)
}

/// Address records by host label.
fn records(cx: &mut Translation, zone: &Object) -> Option<Node> {
    let sets: Vec<Object> = cx.inventory.parts(&zone.id, Kind::PrivateDnsRecords).cloned().collect();
    let mut by_label: BTreeMap<Arc<str>, (Span, Vec<Node>)> = BTreeMap::new();
    for set in &sets {
        let mut addresses: Vec<Node> =
            set.all("aRecords").into_iter().filter_map(|record| text(record, "ipv4Address")).filter_map(copy).collect();
        addresses.extend(
            set.all("aaaaRecords").into_iter().filter_map(|record| text(record, "ipv6Address")).filter_map(copy),
        );
        addresses.retain(|address| address.text().is_some_and(|text| causeway_addr::parse_address(text).is_ok()));
        if set.get("cnameRecord").is_some() {
            cx.not_understood(
                set.name_span,
                format!(
                    "the alias `{}` in the private zone `{}`: zones of the design hold addresses",
                    set.name, zone.name
                ),
            );
        }
        if !addresses.is_empty() {
            by_label
                .entry(set.name.to_ascii_lowercase().into())
                .or_insert((set.name_span, Vec::new()))
                .1
                .extend(addresses);
        }
    }
    let first = by_label.values().next()?.0;
    let builder = MapBuilder::new(first);
    Some(
        by_label
            .into_iter()
            .fold(builder, |builder, (label, (span, addresses))| builder.set(&label, span, one_or_many(addresses)))
            .build(),
    )
}
