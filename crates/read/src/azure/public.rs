//! Public addresses: by value where the address or prefix was given, else by number, else not known.

use super::kind::Kind;
use super::resource::ResourceId;
use super::translate::Translation;
use super::value::*;
use crate::tree::Node;
use causeway_model::source::Span;

/// Public addresses of a gateway, firewall or load balancer.
#[derive(Debug, Default)]
pub(super) struct PublicAddresses {
    /// Known by value.
    pub(super) ips: Vec<Node>,
    /// How many IPv4 addresses there are in all; meaningful if `complete`.
    pub(super) v4: u64,
    /// How many IPv6 addresses.
    pub(super) v6: u64,
    /// False where a prefix was referred to whose size is not known.
    pub(super) complete: bool,
    /// Where the first one was read.
    pub(super) span: Option<Span>,
}

impl PublicAddresses {
    /// Counts addresses and prefixes that `owner` refers to.
    pub(super) fn of(
        cx: &mut Translation,
        owner: &str,
        addresses: &[(ResourceId, &Node)],
        prefixes: &[(ResourceId, &Node)],
    ) -> Self {
        let mut out = PublicAddresses { complete: true, ..PublicAddresses::default() };
        for (id, at) in addresses {
            out.span.get_or_insert(at.span);
            let object = cx.inventory.get(id);
            let address = object.and_then(|object| object.first(|body| text(body, "ipAddress")));
            let version = object.and_then(|object| object.get("publicIPAddressVersion")).and_then(Node::text);
            let is_v6 = address.and_then(Node::text).is_some_and(|text| text.contains(':'))
                || version.is_some_and(|version| version.eq_ignore_ascii_case("IPv6"));
            if is_v6 {
                out.v6 += 1
            } else {
                out.v4 += 1
            }
            let valid = address
                .filter(|node| node.text().is_some_and(|text| causeway_addr::parse_address(text.trim()).is_ok()));
            out.ips.extend(valid.and_then(copy));
        }
        for (id, at) in prefixes {
            out.span.get_or_insert(at.span);
            match size(cx, id) {
                Some((addresses, false)) => out.v4 = out.v4.saturating_add(addresses),
                Some((addresses, true)) => out.v6 = out.v6.saturating_add(addresses),
                None => {
                    out.complete = false;
                    let span = at.span;
                    cx.unknown(span, format!("how many addresses the prefix `{}` gives to {owner} is not known: give `az network public-ip prefix show`", id.name()));
                }
            }
        }
        out
    }

    /// The number of all IPv4 addresses as a value of the design; `None` where it is not known.
    pub(super) fn count(&self) -> Option<Node> {
        Some(Node::plain(self.span.filter(|_| self.complete)?, self.v4.to_string()))
    }

    /// The addresses by value, where all of them are known or their number is stated beside them.
    pub(super) fn list(&self) -> Option<Node> {
        one_or_many(self.ips.clone()).filter(|_| self.complete)
    }

    /// Every address is known by value, so that their number says nothing more.
    pub(super) fn all_by_value(&self) -> bool {
        self.complete && !self.ips.is_empty() && u64::try_from(self.ips.len()) == Ok(self.v4.saturating_add(self.v6))
    }
}

/// How many addresses a prefix has, and whether they are IPv6.
fn size(cx: &Translation, id: &ResourceId) -> Option<(u64, bool)> {
    let prefix = cx.inventory.get(id).filter(|object| object.kind == Kind::PublicIpPrefix)?;
    if let Some(cidr) = prefix.first(|body| text(body, "ipPrefix")).and_then(Node::text) {
        let cidr = causeway_addr::Cidr::parse(cidr.trim()).ok()?.cidr;
        return Some((u64::try_from(cidr.size()).ok()?, cidr.first().is_ipv6()));
    }
    let length = prefix.get("prefixLength").and_then(number)?;
    let is_v6 = prefix
        .get("publicIPAddressVersion")
        .and_then(Node::text)
        .is_some_and(|version| version.eq_ignore_ascii_case("IPv6"));
    let bits = u32::try_from(if is_v6 { 128 - length.min(128) } else { 32 - length.min(32) }).ok()?;
    Some((1u64.checked_shl(bits)?, is_v6))
}
