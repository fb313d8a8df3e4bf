//! Reading Kubernetes values: what is null is absent, and a value goes into the design only in a shape the design can read.

use crate::tree::{MapBuilder, Node};
use causeway_addr::{Cidr, Class};
use causeway_model::source::Span;
use std::net::IpAddr;

/// The value some steps down; null is absent.
pub(super) fn at<'n>(node: &'n Node, path: &[&str]) -> Option<&'n Node> {
    path.iter().try_fold(node, |node, key| node.get(key).filter(|value| !value.is_null()))
}

/// A text that says something.
pub(super) fn said<'n>(node: &'n Node, path: &[&str]) -> Option<&'n Node> {
    at(node, path).filter(|value| value.text().is_some_and(|text| !text.trim().is_empty()))
}

/// The same, its text alone.
pub(super) fn text<'n>(node: &'n Node, path: &[&str]) -> Option<&'n str> {
    said(node, path).and_then(Node::text)
}

/// Whether a boolean is set. Kubernetes reads YAML 1.1.
pub(super) fn flag(node: &Node, path: &[&str]) -> Option<bool> {
    at(node, path).and_then(Node::as_bool_11)
}

/// The items of a list that are not null.
pub(super) fn items<'n>(node: &'n Node, path: &[&str]) -> impl Iterator<Item = &'n Node> {
    at(node, path).map(Node::items).unwrap_or_default().iter().filter(|item| !item.is_null())
}

/// A boolean as annotations and ConfigMaps have it: a text.
pub(super) fn is_true(text: &str) -> bool {
    text.trim().eq_ignore_ascii_case("true")
}

/// The value of an annotation.
pub(super) fn annotation<'n>(object: &'n Node, key: &str) -> Option<&'n Node> {
    said(object, &["metadata", "annotations", key])
}

/// The value of a label.
pub(super) fn label<'n>(object: &'n Node, key: &str) -> Option<&'n Node> {
    said(object, &["metadata", "labels", key])
}

/// An address, if it is one.
pub(super) fn address(node: &Node) -> Option<IpAddr> {
    causeway_addr::parse_address(node.text()?.trim()).ok()
}

/// A prefix, if it is one.
pub(super) fn prefix(node: &Node) -> Option<Cidr> {
    Cidr::parse(node.text()?.trim()).ok().map(|parsed| parsed.cidr)
}

/// A whole number, also where it was written as a text.
pub(super) fn number(node: &Node) -> Option<u64> {
    node.as_u64().or_else(|| node.text()?.trim().parse().ok())
}

/// A port, 1 to 65535.
pub(super) fn port(node: &Node) -> Option<u16> {
    number(node).and_then(|number| u16::try_from(number).ok()).filter(|port| *port > 0)
}

/// `true` or `false` as the design file has it.
pub(super) fn truth(at: Span, value: bool) -> Node {
    Node::plain(at, if value { "true" } else { "false" })
}

/// One value stands for itself, several for a list, none for nothing.
pub(super) fn one_or_many(at: Span, mut values: Vec<Node>) -> Option<Node> {
    match values.len() {
        0 => None,
        1 => values.pop(),
        _ => Some(Node::seq(at, values)),
    }
}

/// A list, unless there is nothing in it.
pub(super) fn list(at: Span, values: Vec<Node>) -> Option<Node> {
    (!values.is_empty()).then(|| Node::seq(at, values))
}

/// A mapping, unless there is nothing in it.
pub(super) fn mapping(builder: MapBuilder) -> Option<Node> {
    (!builder.is_empty()).then(|| builder.build())
}

/// The parts of a text, separated by commas or spaces, as texts of the same place.
pub(super) fn parts(node: &Node) -> Vec<Node> {
    let text = node.text().unwrap_or_default();
    let parts = text.split([',', ' ']).map(str::trim).filter(|part| !part.is_empty());
    parts.map(|part| Node::str(node.span, part)).collect()
}

/// An address of somebody's own network (RFC 1918, RFC 6598, RFC 4193).
pub(super) fn is_private(address: IpAddr) -> bool {
    Class::of(&Cidr::host(address)).is_private()
}
