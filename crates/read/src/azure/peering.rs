//! Peerings: Azure has one half on each side, the design has one object for both.

use super::inventory::Object;
use super::kind::Kind;
use super::network::prefixes;
use super::resource::ResourceId;
use super::translate::Translation;
use super::value::*;
use crate::tree::{MapBuilder, Node};
use causeway_model::source::Span;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Both sides by id, the smaller id first, and the halves that were given: the one on the first side, the one on the other.
type Pairs = BTreeMap<(ResourceId, ResourceId), [Option<Object>; 2]>;

pub(super) fn peerings(cx: &mut Translation) -> Option<Node> {
    let mut out: Vec<(String, Node)> = Vec::new();
    for (pair, halves) in pairs(cx) {
        let (Some(one), Some(other)) = (cx.name(&pair.0), cx.name(&pair.1)) else { continue };
        let Some(at) = halves.iter().flatten().map(|half| half.name_span).min() else { continue };
        let span = halves.iter().flatten().map(Object::span).min().unwrap_or(at);
        let sides = [(&pair.0, &one), (&pair.1, &other)];
        other_half(cx, &sides, &halves);
        let between = Node::seq(at, vec![Node::str(at, one.clone()), Node::str(at, other.clone())]);
        let (forwarded, only_into) = forwarded_traffic(&sides, &halves);
        let node = MapBuilder::new(span)
            .set("between", None, between)
            .set("gatewayTransit", None, gateway_transit(cx, &sides, &halves))
            .set("gatewayTransitAllowed", None, gateway_refused(&halves))
            .set("forwardedTraffic", None, forwarded)
            .set("forwardedTrafficInto", None, only_into)
            .set("only", None, only(cx, &sides, &halves))
            .set("connected", None, connected(&halves))
            .build();
        out.push((format!("{one}\n{other}"), node));
    }
    out.sort_by(|one, other| one.0.cmp(&other.0));
    many(out.into_iter().map(|(_, node)| node).collect())
}

fn pairs(cx: &mut Translation) -> Pairs {
    let mut pairs = Pairs::new();
    let mut lost = Vec::new();
    for half in cx.inventory.of(Kind::Peering).filter(|half| half.is_given()) {
        let local = half.id.parent();
        let remote = half.first(|body| reference(body, "remoteVirtualNetwork"));
        let (Some(local), Some((remote, _))) = (local, remote) else {
            lost.push((half.name_span, format!("the peering `{}` does not say what it peers with", half.name)));
            continue;
        };
        let remote = cx.inventory.settled(&remote);
        if local == remote {
            lost.push((half.name_span, format!("the peering `{}` is of a network with itself", half.name)));
            continue;
        }
        let (pair, side) = if local < remote { ((local, remote), 0) } else { ((remote, local), 1) };
        if let Some(place) = pairs.entry(pair).or_default().get_mut(side) {
            place.get_or_insert_with(|| half.clone());
        }
    }
    for (at, message) in lost {
        cx.unknown(at, message);
    }
    pairs
}

/// What Azure printed says whether the other half exists. Elsewhere one half beside both networks may be all there is.
fn other_half(cx: &mut Translation, sides: &Sides, halves: &[Option<Object>; 2]) {
    let given = |id: &ResourceId| cx.inventory.get(id).is_some_and(Object::is_given);
    let [one, other] = halves;
    let ((Some(half), None) | (None, Some(half))) = (one, other) else { return };
    if half.get("peeringState").is_some() || !sides.iter().all(|(id, _)| given(id)) {
        return;
    }
    let [(_, one), (_, other)] = sides;
    let message = format!(
        "whether the peering of `{one}` and `{other}` has its other half is not known: only `{}` was given, and one half alone carries nothing",
        half.name
    );
    let at = half.name_span;
    cx.unknown(at, message);
}

type Sides<'a> = [(&'a ResourceId, &'a Arc<str>); 2];

fn gateway_transit(cx: &mut Translation, sides: &Sides, halves: &[Option<Object>; 2]) -> Option<Node> {
    let users = [(0, 1), (1, 0)];
    for (user, provider) in users {
        let (Some(Some(half)), Some((id, provider))) = (halves.get(user), sides.get(provider)) else { continue };
        if let Some(uses) = half.get("useRemoteGateways").filter(|uses| truth(uses) == Some(true)) {
            let answer = Node::str(uses.span, (*provider).clone());
            if !cx.inventory.get(id).is_some_and(Object::is_given) {
                let message =
                    format!("where the gateway of `{provider}` leads is not known: the network was not given");
                cx.unknown(answer.span, message);
            }
            return Some(answer);
        }
    }
    for (user, provider) in users {
        let (Some(None), Some(Some(offer))) = (halves.get(user), halves.get(provider)) else { continue };
        if let (Some(allowed), Some((_, user))) =
            (offer.get("allowGatewayTransit").filter(|node| truth(node) == Some(true)), sides.get(user))
        {
            let span = allowed.span;
            cx.unknown(span, format!("whether `{user}` uses the gateway it is offered is not known: its half of the peering was not given"));
        }
    }
    None
}

/// False where one half uses the other side's gateway and the other half says that it may not.
fn gateway_refused(halves: &[Option<Object>; 2]) -> Option<Node> {
    [(0, 1), (1, 0)].into_iter().find_map(|(user, provider)| {
        let (Some(Some(user)), Some(Some(provider))) = (halves.get(user), halves.get(provider)) else { return None };
        user.get("useRemoteGateways").filter(|uses| truth(uses) == Some(true))?;
        let refused = provider.get("allowGatewayTransit").filter(|allows| truth(allows) == Some(false))?;
        Some(boolean(refused, false))
    })
}

/// Each half says whether its own network accepts packets that were only forwarded by the other one. The design has one
/// word for both, and the one side where they differ.
fn forwarded_traffic(sides: &Sides, halves: &[Option<Object>; 2]) -> (Option<Node>, Option<Node>) {
    let said: Vec<(bool, &Node, &Arc<str>)> = halves
        .iter()
        .zip(sides)
        .filter_map(|(half, (_, name))| {
            let node = half.as_ref()?.get("allowForwardedTraffic")?;
            Some((truth(node)?, node, *name))
        })
        .collect();
    let yes = said.iter().find(|(value, ..)| *value);
    let no = said.iter().find(|(value, ..)| !value);
    match (yes, no) {
        (Some((_, node, only)), Some((_, refused, _))) => {
            (Some(boolean(refused, false)), Some(Node::str(node.span, (*only).clone())))
        }
        (Some((value, node, _)), None) | (None, Some((value, node, _))) => (Some(boolean(node, *value)), None),
        (None, None) => (None, None),
    }
}

/// What a side shows, where it does not show all of its prefixes.
fn only(cx: &mut Translation, sides: &Sides, halves: &[Option<Object>; 2]) -> Option<Node> {
    let mut shown: BTreeMap<String, Node> = BTreeMap::new();
    for (at, (id, name)) in sides.iter().enumerate() {
        let (here, there) = (halves.get(at).and_then(Option::as_ref), halves.get(1 - at).and_then(Option::as_ref));
        let partial = [here, there]
            .into_iter()
            .flatten()
            .find_map(|half| half.get("peerCompleteVnets").filter(|node| truth(node) == Some(false)));
        let told = there.and_then(|half| half.get("remoteAddressSpace")).and_then(prefixes);
        let list = match partial {
            Some(partial) => {
                let own = here.and_then(|half| half.get("localAddressSpace")).and_then(prefixes);
                let list = told.or(own).or_else(|| by_subnet_names(cx, id, here, there));
                if list.is_none() {
                    cx.unknown(partial.span, format!("which subnets of `{name}` the peering shows is not known"));
                }
                list
            }
            // The other side learns of new prefixes when the peering is synchronised, not before.
            None => told.filter(|told| differs(cx, id, told)),
        };
        if let Some(list) = list {
            shown.insert(name.to_string(), one_or_many(list.items().to_vec())?);
        }
    }
    let first: Span = shown.values().next()?.span;
    let builder = MapBuilder::new(first);
    Some(shown.into_iter().fold(builder, |builder, (name, list)| builder.set(&name, None, list)).build())
}

fn by_subnet_names(
    cx: &Translation,
    network: &ResourceId,
    here: Option<&Object>,
    there: Option<&Object>,
) -> Option<Node> {
    let names = here
        .and_then(|half| half.get("localSubnetNames"))
        .or_else(|| there.and_then(|half| half.get("remoteSubnetNames")))?;
    let mut list = Vec::new();
    for name in names.items().iter().filter_map(Node::text) {
        let subnet = cx.inventory.get(&network.child("subnets", name)?)?;
        list.extend(subnet.first(prefixes)?.items().to_vec());
    }
    many(list)
}

/// Whether the other side was told other prefixes than the network has.
fn differs(cx: &Translation, network: &ResourceId, told: &Node) -> bool {
    let texts = |list: &Node| {
        list.items().iter().filter_map(|node| node.text().map(str::to_ascii_lowercase)).collect::<BTreeSet<_>>()
    };
    let own = cx.inventory.get(network).and_then(|network| network.first(|body| prefixes(prop(body, "addressSpace")?)));
    own.is_some_and(|own| texts(&own) != texts(told))
}

/// False where a half says that the other one is missing, or that traffic is not let through.
fn connected(halves: &[Option<Object>; 2]) -> Option<Node> {
    let halves = || halves.iter().flatten();
    let broken = halves().find_map(|half| {
        let state = half
            .get("peeringState")
            .filter(|state| state.text().is_some_and(|text| !text.eq_ignore_ascii_case("Connected")));
        state.or_else(|| half.get("allowVirtualNetworkAccess").filter(|node| truth(node) == Some(false)))
    });
    match broken {
        Some(node) => Some(boolean(node, false)),
        None => halves().find_map(|half| half.get("peeringState")).map(|node| boolean(node, true)),
    }
}
