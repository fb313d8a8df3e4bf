//! The addresses of the lab, and how its namespaces are wired.

use super::Place;
use causeway_addr::{Cidr, Family};
use causeway_linux::namespace::Namespace;
use causeway_linux::network::{
    AddressSpec, LinkKind, LinkSpec, Mac, NeighbourSpec, Network, NetworkSpec, PeerSpec, RouteSpec,
};
use causeway_linux::{sysctl, system::SystemError};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

/// A pair of addresses, one of each family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Both {
    /// IPv4.
    pub v4: Ipv4Addr,
    /// IPv6.
    pub v6: Ipv6Addr,
}

impl Both {
    const fn new(v4: [u8; 4], v6: [u16; 8]) -> Both {
        let [a, b, c, d, e, f, g, h] = v6;
        let [i, j, k, l] = v4;
        Both { v4: Ipv4Addr::new(i, j, k, l), v6: Ipv6Addr::new(a, b, c, d, e, f, g, h) }
    }

    /// The one of a family.
    pub const fn of(&self, family: Family) -> IpAddr {
        match family {
            Family::V4 => IpAddr::V4(self.v4),
            Family::V6 => IpAddr::V6(self.v6),
        }
    }

    fn each(self) -> [IpAddr; 2] {
        [self.of(Family::V4), self.of(Family::V6)]
    }

    fn alone(self) -> Vec<AddressSpec> {
        self.each()
            .map(|address| AddressSpec { address, prefix_length: if address.is_ipv4() { 32 } else { 128 } })
            .into()
    }
}

/// The pod.
pub const POD: Both = Both::new([10, 244, 1, 7], [0xfd00, 0x244, 1, 0, 0, 0, 0, 7]);
/// The addresses of the node's pods.
pub const PODS: [Cidr; 2] = [Cidr::v4([10, 244, 1, 0], 24), Cidr::v6([0xfd00, 0x244, 1, 0, 0, 0, 0, 0], 64)];
/// The node on its first link, by which everything leaves that has no better way.
pub const NODE: Both = Both::new([10, 224, 0, 4], [0xfd00, 0x224, 0, 0, 0, 0, 0, 4]);
/// The node on its second link.
pub const NODE_SECOND: Both = Both::new([192, 0, 2, 4], [0xfd00, 0x192, 0, 0, 0, 0, 0, 4]);
/// Destinations that leave by the second link.
pub const SECOND: [Cidr; 2] = [Cidr::v4([198, 18, 0, 0], 15), Cidr::v6([0xfd00, 0x198, 0, 0, 0, 0, 0, 0], 32)];
/// Another address of the node, on no link that leads anywhere.
pub const NODE_OTHER: Both = Both::new([10, 224, 255, 9], [0xfd00, 0x224, 0xffff, 0, 0, 0, 0, 9]);
/// The world's end of the first and of the second link.
const GATEWAYS: [Both; 2] = [
    Both::new([10, 224, 0, 1], [0xfd00, 0x224, 0, 0, 0, 0, 0, 1]),
    Both::new([192, 0, 2, 1], [0xfd00, 0x192, 0, 0, 0, 0, 0, 1]),
];
/// The node on the pod's link: a neighbour only, no address of the node.
const POD_GATEWAY: Both = Both::new([169, 254, 1, 1], [0xfe80, 0, 0, 0, 0, 0, 0, 1]);

const EVERYTHING: [Cidr; 2] = [Cidr::v4([0; 4], 0), Cidr::v6([0; 8], 0)];

/// Hardware addresses: link and end.
const fn mac(link: u8, end: u8) -> Mac {
    Mac([2, 0, 0, 0, link, end])
}

/// One end of a veth pair and the other.
fn pair(name: &str, index: u32, link: u8, addresses: Vec<AddressSpec>, peer: (Place, &str, u32)) -> LinkSpec {
    let (place, peer_name, peer_index) = peer;
    LinkSpec {
        name: name.to_owned(),
        index: Some(index),
        mac: Some(mac(link, 1)),
        up: true,
        addresses,
        kind: LinkKind::Veth(PeerSpec {
            namespace: Some(place.name().to_owned()),
            name: peer_name.to_owned(),
            index: Some(peer_index),
            mac: Some(mac(link, 2)),
            mtu: None,
        }),
        ..LinkSpec::default()
    }
}

fn existing(name: &str, index: u32, addresses: Vec<AddressSpec>) -> LinkSpec {
    LinkSpec { name: name.to_owned(), index: Some(index), up: true, addresses, ..LinkSpec::default() }
}

fn loopback(addresses: Vec<AddressSpec>) -> LinkSpec {
    existing("lo", 1, addresses)
}

fn neighbours(of: Both, mac: Mac, link: &str) -> [NeighbourSpec; 2] {
    of.each().map(|address| NeighbourSpec { address, mac, link: link.to_owned() })
}

fn ways(to: [Cidr; 2], by: Both, link: &str) -> [RouteSpec; 2] {
    let [v4, v6] = to;
    [RouteSpec::via(v4, by.of(Family::V4), link), RouteSpec::via(v6, by.of(Family::V6), link)]
}

/// Wires the namespaces of the pod, the node and the world. Nobody needs to be asked for anything afterwards: every neighbour is
/// known, every address is usable, so the first packet passes.
pub(super) fn build(pod: &Namespace, node: &Namespace, world: &Namespace) -> Result<(), SystemError> {
    let [first, second] = GATEWAYS;
    node.enter(|| settings(true))??;
    for other in [pod, world] {
        other.enter(|| settings(false))??;
    }
    Network::open_in(node)?.apply(
        &NetworkSpec {
            links: vec![
                loopback(NODE_OTHER.alone()),
                pair("eth0", 2, 1, NODE.alone(), (Place::World, "eth0", 12)),
                pair("eth1", 3, 2, NODE_SECOND.alone(), (Place::World, "eth1", 13)),
                pair("pod0", 4, 3, Vec::new(), (Place::Pod, "eth0", 2)),
            ],
            neighbours: [
                neighbours(first, mac(1, 2), "eth0"),
                neighbours(second, mac(2, 2), "eth1"),
                neighbours(POD, mac(3, 2), "pod0"),
            ]
            .concat(),
            routes: [ways(EVERYTHING, first, "eth0"), ways(SECOND, second, "eth1"), ways(PODS, POD, "pod0")].concat(),
            rules: Vec::new(),
        },
        &[pod, world],
    )?;
    Network::open_in(pod)?.apply(
        &NetworkSpec {
            links: vec![loopback(Vec::new()), existing("eth0", 2, POD.alone())],
            neighbours: neighbours(POD_GATEWAY, mac(3, 1), "eth0").into(),
            routes: ways(EVERYTHING, POD_GATEWAY, "eth0").into(),
            rules: Vec::new(),
        },
        &[],
    )?;
    // First the neighbours: once the world is everybody, no address is a neighbour's any more.
    let world_routes = [
        host_ways(NODE, "eth0"),
        host_ways(NODE_SECOND, "eth1"),
        ways(PODS, NODE, "eth0"),
        EVERYTHING.map(RouteSpec::local),
    ]
    .concat();
    Network::open_in(world)?.apply(
        &NetworkSpec {
            links: vec![
                loopback(Vec::new()),
                existing("eth0", 12, first.alone()),
                existing("eth1", 13, second.alone()),
            ],
            neighbours: [neighbours(NODE, mac(1, 1), "eth0"), neighbours(NODE_SECOND, mac(2, 1), "eth1")].concat(),
            routes: world_routes,
            rules: Vec::new(),
        },
        &[],
    )?;
    for (namespace, links) in
        [(pod, &["lo", "eth0"][..]), (node, &["lo", "eth0", "eth1", "pod0"]), (world, &["lo", "eth0", "eth1"])]
    {
        Network::open_in(namespace)?.wait_until_ready(links, Duration::from_secs(5))?;
    }
    Ok(())
}

/// A neighbour's own addresses, on its link.
fn host_ways(of: Both, link: &str) -> [RouteSpec; 2] {
    of.each().map(|address| RouteSpec::on(Cidr::host(address), link))
}

fn settings(forwards: bool) -> Result<(), SystemError> {
    let forwards = if forwards { "1" } else { "0" };
    // Links that are made later take their settings from `default`; of `rp_filter` the stricter of `all` and the link holds.
    for (name, value) in [
        ("net.ipv4.conf.all.rp_filter", "0"),
        ("net.ipv4.conf.default.rp_filter", "0"),
        ("net.ipv4.ip_forward", forwards),
        ("net.ipv6.conf.all.forwarding", forwards),
        ("net.ipv6.conf.default.accept_ra", "0"),
        ("net.ipv6.conf.default.router_solicitations", "0"),
    ] {
        sysctl::set(name, value)?;
    }
    Ok(())
}
