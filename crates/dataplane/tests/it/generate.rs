//! Configurations and packets that meet each other: prefixes and addresses are drawn from the same few places.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "the places are written right here")]

use causeway_addr::{Cidr, Family};
use causeway_dataplane::evaluate::Node;
use causeway_dataplane::masquerade::Settings;
use causeway_dataplane::packet::{Packet, Protocol};
use causeway_model::masquerade::MasqueradeConfig;
use proptest::prelude::*;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const PLACES: [&str; 8] =
    ["10.0.0.4", "10.244.3.9", "169.254.169.254", "192.168.1.1", "8.8.8.8", "0.0.0.0", "255.255.255.255", "127.0.0.1"];
const PLACES_V6: [&str; 7] = ["fd00::4", "fd00:244::9", "fe80::1", "2001:db8::1", "::", "::1", "ff02::1"];

/// An address near one of the places: some low bits are other ones.
pub(crate) fn address(family: Family) -> BoxedStrategy<IpAddr> {
    let places: Vec<IpAddr> = match family {
        Family::V4 => PLACES.iter().map(|text| text.parse().unwrap()).collect(),
        Family::V6 => PLACES_V6.iter().map(|text| text.parse().unwrap()).collect(),
    };
    let near = prop_oneof![3 => Just(0_u32), 2 => 0_u32..20, 1 => 0..=u32::from(family.width())];
    (prop::sample::select(places), near, any::<u128>())
        .prop_map(|(place, bits, noise)| {
            let noise = noise & 1_u128.checked_shl(bits).map_or(u128::MAX, |bit| bit - 1);
            match place {
                IpAddr::V4(v4) => IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() ^ noise as u32)),
                IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() ^ noise)),
            }
        })
        .boxed()
}

pub(crate) fn prefix(family: Family) -> impl Strategy<Value = Cidr> {
    let usual = match family {
        Family::V4 => vec![0_u8, 8, 12, 16, 24, 32],
        Family::V6 => vec![0_u8, 7, 10, 32, 48, 64, 128],
    };
    let length = prop_oneof![3 => prop::sample::select(usual), 1 => 0..=family.width()];
    (address(family), length).prop_map(|(address, length)| Cidr::new(address, length).unwrap())
}

fn prefixes(most: usize) -> impl Strategy<Value = Vec<Cidr>> {
    prop::collection::vec(prop_oneof![prefix(Family::V4), prefix(Family::V6)], 0..=most)
}

pub(crate) fn settings() -> impl Strategy<Value = Settings> {
    let sources = prop_oneof![2 => Just(Vec::new()), 1 => prefixes(3)];
    (prefixes(12), sources, any::<[bool; 4]>()).prop_map(
        |(exempt, sources, [link_local, link_local_v6, ipv6, random])| {
            let config = MasqueradeConfig { exempt, link_local, link_local_v6, ipv6 };
            Settings { config, sources, random_fully: random }
        },
    )
}

pub(crate) fn packet() -> impl Strategy<Value = Packet> {
    let ends = prop_oneof![(address(Family::V4), address(Family::V4)), (address(Family::V6), address(Family::V6)),];
    let protocols = vec![Protocol::Tcp, Protocol::Udp, Protocol::Sctp, Protocol::Icmp, Protocol::Other(47)];
    (ends, prop::sample::select(protocols), any::<[u16; 2]>()).prop_map(
        |((source, destination), protocol, [from, to])| Packet {
            source,
            destination,
            protocol,
            source_port: from,
            destination_port: to,
        },
    )
}

/// A node, of which perhaps not all is known.
pub(crate) fn node() -> impl Strategy<Value = Node> {
    let own = prop::collection::vec(prop_oneof![address(Family::V4), address(Family::V6)], 0..4);
    (own, prop::option::weighted(0.9, Just(())), prop::option::weighted(0.9, 0..2_usize)).prop_map(
        |(own, local, masquerade)| {
            let node = Node::with_addresses(own.iter().map(|address| Cidr::host(*address)));
            let node = Node { local: node.local.filter(|_| local.is_some()), ..node };
            let places = masquerade.map(|at| [["10.0.0.4", "192.0.2.1"][at], ["fd00::4", "2001:db8::1"][at]]);
            places.into_iter().flatten().fold(node, |node, place| node.masquerading_as(place.parse().unwrap()))
        },
    )
}
