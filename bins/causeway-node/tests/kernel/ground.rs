//! The lab itself, with rules written by hand: what every other test stands on.

use causeway_addr::Family;
use causeway_dataplane::packet::Protocol;
use causeway_testkit::lab::topology::{NODE, NODE_OTHER, NODE_SECOND, POD};
use causeway_testkit::lab::{Fate, Lab, Place, Probe};
use causeway_testkit::oracle::Oracle;
use causeway_testkit::trial::Trial;
use std::net::IpAddr;
use std::time::Instant;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::new("ground::packets_keep_their_source_without_rules", without_rules),
        Trial::new("ground::connections_come_back_without_rules", connections),
        Trial::new("ground::what_the_node_sends_itself_is_seen_there", to_itself),
        Trial::needing("ground::a_masquerade_by_hand_is_seen", || {
            by_hand(&Oracle::find("nft")?);
            Ok(())
        }),
        Trial::needing("ground::what_is_dropped_is_lost", || {
            dropped(&Oracle::find("nft")?);
            Ok(())
        }),
        Trial::new("ground::thousands_of_probes_a_second", speed),
    ]
}

const PROTOCOLS: [Protocol; 5] = [Protocol::Tcp, Protocol::Udp, Protocol::Sctp, Protocol::Icmp, Protocol::Other(47)];

fn far(family: Family) -> [IpAddr; 2] {
    match family {
        Family::V4 => ["8.8.8.8".parse().unwrap(), "198.18.5.5".parse().unwrap()],
        Family::V6 => ["2001:db8::8".parse().unwrap(), "fd00:198::5".parse().unwrap()],
    }
}

fn one(lab: &mut Lab, from: Place, source: IpAddr, destination: IpAddr, protocol: Protocol) -> Fate {
    let packet = lab.packet(source, destination, protocol);
    lab.probe(&[Probe { from, packet }]).unwrap()[0]
}

fn without_rules() {
    let mut lab = Lab::new().unwrap();
    for family in Family::ALL {
        for destination in far(family) {
            for (from, source) in [(Place::Pod, POD.of(family)), (Place::Node, NODE.of(family))] {
                for protocol in PROTOCOLS {
                    let packet = lab.packet(source, destination, protocol);
                    let fate = lab.probe(&[Probe { from, packet }]).unwrap()[0];
                    let Fate::Seen { at: Place::World, packet: seen } = fate else {
                        panic!("{from:?} {packet:?} {fate:?}")
                    };
                    assert_eq!((seen.source, seen.destination, seen.protocol), (source, destination, protocol));
                }
            }
        }
    }
}

fn connections() {
    let mut lab = Lab::new().unwrap();
    for family in Family::ALL {
        for destination in far(family) {
            assert_eq!(lab.connect(Place::Pod, destination).unwrap(), POD.of(family));
        }
        let [first, second] = far(family);
        assert_eq!(lab.connect(Place::Node, first).unwrap(), NODE.of(family));
        assert_eq!(lab.connect(Place::Node, second).unwrap(), NODE_SECOND.of(family));
    }
}

fn to_itself() {
    let mut lab = Lab::new().unwrap();
    for family in Family::ALL {
        let (source, destination) = (NODE.of(family), NODE_OTHER.of(family));
        let fate = one(&mut lab, Place::Node, source, destination, Protocol::Udp);
        assert!(matches!(fate, Fate::Seen { at: Place::Node, .. }), "{fate:?}");
        assert_eq!(fate.source(), Some(source));
    }
}

const BY_HAND: &str = "
table ip t { chain c { type nat hook postrouting priority 101; ip daddr 9.0.0.0/8 return; masquerade fully-random; }; }
table ip6 t { chain c { type nat hook postrouting priority 101; ip6 daddr 2001:db9::/32 return; masquerade; }; }
";

fn by_hand(nft: &Oracle) {
    let mut lab = Lab::new().unwrap();
    lab.on_node(|| nft.feed(&["-f", "-"], BY_HAND)).unwrap().unwrap();
    let exempt: [IpAddr; 2] = ["9.9.9.9".parse().unwrap(), "2001:db9::9".parse().unwrap()];
    for (family, exempt) in Family::ALL.into_iter().zip(exempt) {
        let [first, second] = far(family);
        let pod = POD.of(family);
        for protocol in PROTOCOLS {
            let mut source = |to| one(&mut lab, Place::Pod, pod, to, protocol).source();
            assert_eq!(source(first), Some(NODE.of(family)), "{protocol:?}");
            assert_eq!(source(second), Some(NODE_SECOND.of(family)), "{protocol:?}");
            assert_eq!(source(exempt), Some(pod), "{protocol:?}");
        }
        assert_eq!(lab.connect(Place::Pod, first).unwrap(), NODE.of(family));
        assert_eq!(lab.connect(Place::Pod, exempt).unwrap(), pod);
    }
}

fn dropped(nft: &Oracle) {
    let mut lab = Lab::new().unwrap();
    let drop = "table inet t { chain c { type filter hook postrouting priority 0; udp dport 1-65535 drop; }; }";
    lab.on_node(|| nft.feed(&["-f", "-"], drop)).unwrap().unwrap();
    for family in Family::ALL {
        let [to, _] = far(family);
        for (from, source) in [(Place::Pod, POD.of(family)), (Place::Node, NODE.of(family))] {
            assert_eq!(one(&mut lab, from, source, to, Protocol::Udp), Fate::Lost);
            assert!(one(&mut lab, from, source, to, Protocol::Tcp).source().is_some());
        }
    }
}

fn speed() {
    const PROBES: usize = 4000;
    let mut lab = Lab::new().unwrap();
    let [to, _] = far(Family::V4);
    let source = POD.of(Family::V4);
    let probes: Vec<Probe> =
        (0..PROBES).map(|_| Probe { from: Place::Pod, packet: lab.packet(source, to, Protocol::Udp) }).collect();
    let begun = Instant::now();
    let fates = lab.probe(&probes).unwrap();
    let took = begun.elapsed();
    let wrong: Vec<_> = fates.iter().enumerate().filter(|(_, fate)| fate.source() != Some(source)).collect();
    assert!(wrong.is_empty(), "{} of {PROBES} in {took:?}: {:?}", wrong.len(), wrong.first());
    println!("     {PROBES} probes in {took:?}");
    assert!(took.as_secs() < 4, "{took:?}");
}
