//! Entries of `ingress`: what several objects say of one door is one entry.

use super::value::list;
use crate::tree::{MapBuilder, Node};
use causeway_model::design::{Exposure, IngressKind};
use causeway_model::source::Span;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// A way in.
#[derive(Debug, Clone)]
pub(super) struct Door {
    kind: IngressKind,
    at: Span,
    exposure: Option<(Exposure, Span)>,
    pub(super) subnet: Option<Node>,
    pub(super) ip: Option<Node>,
    pub(super) ports: BTreeMap<u16, Span>,
}

impl Door {
    pub(super) fn new(kind: IngressKind, at: Span) -> Door {
        Door { kind, at, exposure: None, subnet: None, ip: None, ports: BTreeMap::new() }
    }

    /// Who reaches it. What was said first stands.
    pub(super) fn is_public(&mut self, public: bool, at: Span) {
        let exposure = if public { Exposure::Public } else { Exposure::Internal };
        self.exposure.get_or_insert((exposure, at));
    }

    /// Whether two entries may be about one door: of one kind, and nothing that is said of both differs.
    fn fits(&self, other: &Door) -> bool {
        fn agree<T: PartialEq>(one: Option<T>, other: Option<T>) -> bool {
            one.is_none() || other.is_none() || one == other
        }
        fn text(node: &Option<Node>) -> Option<String> {
            node.as_ref().and_then(Node::text).map(str::to_ascii_lowercase)
        }
        self.kind == other.kind
            && agree(self.exposure.map(|(exposure, _)| exposure), other.exposure.map(|(exposure, _)| exposure))
            && agree(text(&self.ip), text(&other.ip))
            && agree(text(&self.subnet), text(&other.subnet))
    }

    fn take(&mut self, other: Door) {
        self.exposure = self.exposure.or(other.exposure);
        self.subnet = self.subnet.take().or(other.subnet);
        self.ip = self.ip.take().or(other.ip);
        for (port, at) in other.ports {
            self.ports.entry(port).or_insert(at);
        }
    }

    /// The order doors are put together in: those of which most is known first.
    fn order(&self, other: &Door) -> Ordering {
        let text = |node: &Option<Node>| node.as_ref().and_then(Node::text).map(str::to_owned);
        let known = |door: &Door| (door.ip.is_none(), door.exposure.is_none(), door.subnet.is_none());
        self.kind
            .cmp(&other.kind)
            .then_with(|| known(self).cmp(&known(other)))
            .then_with(|| text(&self.ip).cmp(&text(&other.ip)))
            .then_with(|| {
                self.exposure.map(|(exposure, _)| exposure).cmp(&other.exposure.map(|(exposure, _)| exposure))
            })
            .then_with(|| text(&self.subnet).cmp(&text(&other.subnet)))
            .then_with(|| self.ports.keys().cmp(other.ports.keys()))
    }

    fn node(self) -> Node {
        let ports = self.ports.iter().map(|(port, at)| Node::plain(*at, port.to_string())).collect();
        MapBuilder::new(self.at)
            .set("kind", None, Node::str(self.at, self.kind.as_str()))
            .set("exposure", None, self.exposure.map(|(exposure, at)| Node::str(at, exposure.as_str())))
            .set("subnet", None, self.subnet)
            .set("ip", None, self.ip)
            .set("ports", None, list(self.at, ports))
            .build()
    }
}

/// All ways in.
#[derive(Debug, Default)]
pub(super) struct Doors(Vec<Door>);

impl Doors {
    pub(super) fn add(&mut self, door: Door) {
        self.0.push(door);
    }

    /// `ingress` of a cluster.
    pub(super) fn section(mut self) -> Option<Node> {
        self.0.sort_by(Door::order);
        let mut out: Vec<Door> = Vec::new();
        for door in self.0 {
            match out.iter_mut().find(|known| known.fits(&door)) {
                Some(known) => known.take(door),
                None => out.push(door),
            }
        }
        let span = out.first()?.at;
        list(span, out.into_iter().map(Door::node).collect())
    }
}
