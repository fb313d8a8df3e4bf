//! A table of configurations and destinations: the source the other side really sees, in every way rules can be held.

use crate::model::{agrees, cidr, expected, ip, settings};
use crate::rules::{Nft, Spelling, iptables, load_chain, original, replace, saved};
use causeway_addr::Family;
use causeway_dataplane::masquerade::{Settings, compile};
use causeway_dataplane::packet::Protocol;
use causeway_linux::iptables::Variant;
use causeway_testkit::lab::topology::{NODE, NODE_OTHER, NODE_SECOND, POD};
use causeway_testkit::lab::{Lab, Place, Probe};
use causeway_testkit::trial::{CannotProve, Trial};
use std::net::IpAddr;

/// The source that should be seen.
#[derive(Debug, Clone, Copy)]
enum Seen {
    /// The sender's own.
    Own,
    /// The node's on its first link.
    Node,
    /// The node's on its second link.
    Second,
}
use Seen::{Node, Own, Second};

/// One configuration, with destinations that it should treat differently.
struct Case {
    name: &'static str,
    exempt: &'static [&'static str],
    change: fn(&mut Settings),
    rows: &'static [(&'static str, Seen)],
}

fn nothing(_: &mut Settings) {}

/// Every destination that keeps the source has a twin beside it that does not.
const CASES: &[Case] = &[
    Case {
        name: "an_empty_list_translates_all_but_link_local",
        exempt: &[],
        change: nothing,
        rows: &[
            ("10.1.2.3", Node),
            ("8.8.8.8", Node),
            ("198.18.0.9", Second),
            ("169.254.169.254", Own),
            ("169.253.255.255", Node),
            ("169.255.0.0", Node),
            ("2001:db8::1", Node),
            ("fd00:198::9", Second),
        ],
    },
    Case {
        name: "link_local_is_translated_when_asked_for",
        exempt: &["10.244.0.0/16"],
        change: |settings| {
            settings.config.link_local = true;
            settings.config.link_local_v6 = true;
        },
        rows: &[("169.254.169.254", Node), ("168.63.129.16", Node), ("10.244.9.9", Own), ("10.245.0.0", Node)],
    },
    Case {
        name: "the_defaults",
        exempt: &["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"],
        change: nothing,
        rows: &[
            ("10.0.0.0", Own),
            ("10.255.255.255", Own),
            ("9.255.255.255", Node),
            ("11.0.0.0", Node),
            ("172.16.0.0", Own),
            ("172.31.255.255", Own),
            ("172.32.0.0", Node),
            ("172.15.255.255", Node),
            ("192.168.0.1", Own),
            ("192.169.0.1", Node),
            ("2001:db8::1", Node),
        ],
    },
    Case {
        name: "prefixes_within_prefixes_and_beside_each_other",
        exempt: &["10.0.0.0/8", "10.1.0.0/16", "10.1.2.3/32", "20.0.0.0/9", "20.128.0.0/9", "30.0.0.1/32"],
        change: nothing,
        rows: &[
            ("10.1.2.3", Own),
            ("10.200.0.1", Own),
            ("20.127.255.255", Own),
            ("20.128.0.0", Own),
            ("21.0.0.0", Node),
            ("30.0.0.1", Own),
            ("30.0.0.0", Node),
            ("30.0.0.2", Node),
        ],
    },
    Case {
        name: "everything_exempt",
        exempt: &["0.0.0.0/0", "::/0"],
        change: nothing,
        rows: &[("8.8.8.8", Own), ("198.18.0.9", Own), ("2001:db8::1", Own), ("fd00:198::9", Own)],
    },
    Case {
        name: "half_of_everything_exempt",
        exempt: &["0.0.0.0/1", "8000::/1"],
        change: nothing,
        rows: &[
            ("126.255.255.255", Own),
            ("8.8.8.8", Own),
            ("128.0.0.1", Node),
            ("2001:db8::1", Node),
            ("fd01::1", Own),
        ],
    },
    Case {
        name: "ipv6_of_every_length",
        exempt: &["2001:db8::/32", "2001:db9:1::/48", "2001:dba:0:1::/64", "2001:dbb::5/128", "fd00:198:0:8000::/49"],
        change: nothing,
        rows: &[
            ("2001:db8:ffff::1", Own),
            ("2001:db7:ffff::1", Node),
            ("2001:db9:1:ffff::1", Own),
            ("2001:db9:2::1", Node),
            ("2001:dba:0:1:ffff::", Own),
            ("2001:dba:0:2::", Node),
            ("2001:dbb::5", Own),
            ("2001:dbb::4", Node),
            ("fd00:198:0:8000::1", Own),
            ("fd00:198:0:7fff::1", Second),
        ],
    },
    Case {
        name: "without_ipv6_its_packets_are_left_alone",
        exempt: &["10.0.0.0/8"],
        change: |settings| settings.config.ipv6 = false,
        rows: &[("8.8.8.8", Node), ("2001:db8::1", Own), ("10.0.0.1", Own)],
    },
    Case {
        name: "source_ports_kept_where_asked_for",
        exempt: &["10.0.0.0/8", "2001:db8::/32"],
        change: |settings| settings.random_fully = false,
        rows: &[("8.8.8.8", Node), ("10.0.0.1", Own), ("2001:db8::1", Own), ("2001:db9::1", Node)],
    },
    Case {
        name: "only_some_sources_that_are_the_pods",
        exempt: &["10.0.0.0/8"],
        change: |settings| settings.sources = vec![cidr("10.244.1.0/24"), cidr("fd00:244:1::/64")],
        rows: &[("8.8.8.8", Node), ("10.0.0.1", Own), ("2001:db8::1", Node)],
    },
    Case {
        name: "only_some_sources_that_are_not_the_pods",
        exempt: &["10.0.0.0/8"],
        change: |settings| settings.sources = vec![cidr("10.245.0.0/16"), cidr("fd00:245::/64")],
        rows: &[("8.8.8.8", Own), ("10.0.0.1", Own), ("2001:db8::1", Own)],
    },
];

/// Who holds the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holder {
    /// Our tables.
    Nft,
    /// Our chain.
    Chain(Variant),
    /// The chain of the agent before us.
    Original(Variant),
}

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for (name, holder) in [
        ("nft", Holder::Nft),
        ("iptables_nft", Holder::Chain(Variant::Nft)),
        ("iptables_legacy", Holder::Chain(Variant::Legacy)),
        ("original_in_iptables_nft", Holder::Original(Variant::Nft)),
        ("original_in_iptables_legacy", Holder::Original(Variant::Legacy)),
    ] {
        for case in CASES {
            // The original knows no sources.
            let mut changed = settings(&[]);
            (case.change)(&mut changed);
            if !matches!(holder, Holder::Original(_)) || changed.sources.is_empty() {
                trials.push(Trial::needing(&format!("packets::{name}::{}", case.name), move || prove(case, holder)));
            }
        }
    }
    for variant in [Variant::Nft, Variant::Legacy] {
        let title = format!("packets::iptables_{variant}::the_chain_is_the_originals_word_for_word");
        trials.push(Trial::needing(&title, move || word_for_word(variant)));
    }
    for (name, holder) in [
        ("nft", Holder::Nft),
        ("iptables_nft", Holder::Chain(Variant::Nft)),
        ("iptables_legacy", Holder::Chain(Variant::Legacy)),
    ] {
        let title = format!("packets::{name}::link_local_of_ipv6_is_kept_unless_asked_for");
        trials.push(Trial::needing(&title, move || link_local_v6(holder)));
    }
    trials.push(Trial::new("packets::nft::what_the_node_sends_itself_keeps_its_source", to_itself));
    trials
}

fn prove(case: &Case, holder: Holder) -> Result<(), CannotProve> {
    let mut settings = settings(case.exempt);
    (case.change)(&mut settings);
    let mut lab = Lab::new().unwrap();
    match holder {
        Holder::Nft => Nft::open(&lab).load(&settings),
        Holder::Chain(variant) => load_chain(&lab, variant, &settings)?,
        Holder::Original(variant) => {
            for family in settings.families() {
                replace(&lab, &iptables(family, variant)?, &original(&settings, family, Spelling::Quoted))?;
            }
        }
    }
    let ruleset = compile(&settings);
    for (destination, seen) in case.rows {
        let destination = ip(destination);
        let family = Family::of(destination);
        let pod = POD.of(family);
        let by_hand = match seen {
            Own => pod,
            Node => NODE.of(family),
            Second => NODE_SECOND.of(family),
        };
        for protocol in [Protocol::Tcp, Protocol::Udp, Protocol::Sctp, Protocol::Icmp] {
            let packet = lab.packet(pod, destination, protocol);
            let fate = lab.probe(&[Probe { from: Place::Pod, packet }]).unwrap()[0];
            assert_eq!(expected(&ruleset, &packet), Some(by_hand), "the model, for {destination}");
            assert!(agrees(Some(by_hand), &packet, &fate), "the kernel, for {destination}: {fate:?}, not {by_hand}");
        }
        // Answers come back through whatever was translated.
        assert_eq!(lab.connect(Place::Pod, destination).unwrap(), by_hand, "a connection to {destination}");
    }
    Ok(())
}

/// Only the node itself can send to link-local addresses of its own links: such packets are never forwarded.
fn link_local_v6(holder: Holder) -> Result<(), CannotProve> {
    let mut lab = Lab::new().unwrap();
    for translated in [false, true] {
        let mut settings = settings(&[]);
        settings.config.link_local_v6 = translated;
        match holder {
            Holder::Chain(variant) => load_chain(&lab, variant, &settings)?,
            _ => Nft::open(&lab).load(&settings),
        }
        let (other, node) = (NODE_OTHER.of(Family::V6), NODE.of(Family::V6));
        for (destination, seen) in [
            ("fe80::99", if translated { node } else { other }),
            ("febf:ffff::99", if translated { node } else { other }),
            ("2001:db8::99", node),
        ] {
            let packet = lab.packet(other, ip(destination), Protocol::Udp);
            let fate = lab.probe(&[Probe { from: Place::Node, packet }]).unwrap()[0];
            assert_eq!(expected(&compile(&settings), &packet), Some(seen), "the model, for {destination}");
            assert_eq!(fate.source(), Some(seen), "the kernel, for {destination}: {fate:?}");
        }
    }
    Ok(())
}

fn to_itself() {
    let mut lab = Lab::new().unwrap();
    let settings = settings(&[]);
    Nft::open(&lab).load(&settings);
    let ruleset = compile(&settings);
    for family in Family::ALL {
        let pairs: [(IpAddr, IpAddr); 3] = [
            (NODE_OTHER.of(family), NODE.of(family)),
            (NODE_SECOND.of(family), NODE_OTHER.of(family)),
            (NODE.of(family), NODE.of(family)),
        ];
        for (source, destination) in pairs {
            let packet = lab.packet(source, destination, Protocol::Udp);
            let fate = lab.probe(&[Probe { from: Place::Node, packet }]).unwrap()[0];
            assert_eq!(expected(&ruleset, &packet), Some(source));
            assert_eq!(fate.source(), Some(source), "{source} to {destination}");
        }
        // The twin: the same source to somewhere else leaves as the node's own address of that link.
        let far = ip(if family == Family::V4 { "8.8.8.8" } else { "2001:db8::8" });
        let packet = lab.packet(NODE_OTHER.of(family), far, Protocol::Udp);
        let fate = lab.probe(&[Probe { from: Place::Node, packet }]).unwrap()[0];
        assert_eq!(fate.source(), Some(NODE.of(family)));
    }
}

/// What `iptables-save` shows after the original and after us, where nothing is asked of us that the original does not have.
fn word_for_word(variant: Variant) -> Result<(), CannotProve> {
    for case in CASES {
        let mut settings = settings(case.exempt);
        (case.change)(&mut settings);
        settings.random_fully = false;
        if !settings.sources.is_empty() {
            continue;
        }
        let (theirs, ours) = (Lab::new().unwrap(), Lab::new().unwrap());
        load_chain(&ours, variant, &settings)?;
        for family in settings.families() {
            let program = iptables(family, variant)?;
            replace(&theirs, &program, &original(&settings, family, Spelling::Quoted))?;
            let rules = |lab: &Lab| {
                let text = saved(lab, &program);
                text.lines().filter(|line| line.starts_with("-A ")).map(str::to_owned).collect::<Vec<_>>()
            };
            assert_eq!(rules(&ours), rules(&theirs), "{}", case.name);
        }
    }
    Ok(())
}
