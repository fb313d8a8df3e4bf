//! From the agent before us to ours, under traffic: no packet leaves untranslated.

use crate::agent::started::{Volume, run};
use crate::model::{ip, settings};
use crate::rules::{Nft, Spelling, add, iptables, original, saved, wanted};
use crate::storm::{Row, meanwhile};
use causeway_addr::Family;
use causeway_dataplane::iptables::{CHAIN, parse, remove};
use causeway_dataplane::masquerade::{Settings, tables};
use causeway_dataplane::nftables::objects::Op;
use causeway_dataplane::nftables::{Limits, cleanup, plan, take_over};
use causeway_dataplane::ruleset::{TableFamily, TableId};
use causeway_linux::iptables::{Restore, Variant};
use causeway_testkit::lab::topology::{NODE, POD};
use causeway_testkit::lab::{Lab, Place};
use causeway_testkit::oracle::{chains_of, rules_of};
use causeway_testkit::trial::{CannotProve, Trial};
use std::process::Command;

/// Take-overs in one test. A gap of a microsecond would be met by one packet in tens.
const TIMES: usize = 40;

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for variant in [Variant::Nft, Variant::Legacy] {
        for spelling in [Spelling::Quoted, Spelling::Plain] {
            let title = format!("takeover::from_iptables_{variant}_spelt_{spelling:?}").to_lowercase();
            trials.push(Trial::needing(&title, move || again_and_again(variant, &[spelling])));
        }
        let title = format!("takeover::from_iptables_{variant}_with_a_jump_of_each_spelling");
        trials.push(Trial::needing(&title, move || again_and_again(variant, &[Spelling::Plain, Spelling::Quoted])));
    }
    for variant in [Variant::Nft, Variant::Legacy] {
        let title = format!("takeover::the_agent_changes_everything_on_a_node_of_iptables_{variant}");
        trials.push(Trial::needing(&title, move || changes(variant)));
    }
    for variant in [Variant::Nft, Variant::Legacy] {
        let title = format!("takeover::a_chain_of_somebody_elses_in_iptables_{variant}_stays");
        trials.push(Trial::needing(&title, move || theirs(variant)));
    }
    trials.push(Trial::needing("takeover::a_gap_would_be_seen", gap));
    trials
}

/// What others have in POSTROUTING, which must stay.
const OTHERS: &str = "*nat
:KUBE-POSTROUTING - [0:0]
-A POSTROUTING -m comment --comment \"kubernetes postrouting rules\" -j KUBE-POSTROUTING
-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
COMMIT
";

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for family in Family::ALL {
        let (pod, node) = (POD.of(family), NODE.of(family));
        let texts = match family {
            Family::V4 => ["8.8.8.8", "10.9.9.9", "172.16.0.1"],
            Family::V6 => ["2001:db8::8", "fd00:9::9", "fd00:16::1"],
        };
        // For both translated, for both exempt, and for one of them only.
        for (destination, right) in texts.into_iter().zip([vec![node], vec![pod], vec![pod, node]]) {
            rows.push(Row { from: Place::Pod, source: pod, destination: ip(destination), right });
        }
    }
    rows
}

fn again_and_again(variant: Variant, spellings: &[Spelling]) -> Result<(), CannotProve> {
    let before = settings(&["10.0.0.0/8", "172.16.0.0/12", "fd00:9::/32", "fd00:16::/32"]);
    let after = settings(&["10.0.0.0/8", "fd00:9::/32"]);
    let mut lab = Lab::new().unwrap();
    let mut nft = Nft::open(&lab);
    let mut packets = 0;
    for family in Family::ALL {
        add(&lab, &iptables(family, variant)?, OTHERS)?;
    }
    for _ in 0..TIMES {
        for family in Family::ALL {
            // Each agent appends a jump of its own spelling and fills the one chain.
            for spelling in spellings {
                add(&lab, &iptables(family, variant)?, &original(&before, family, *spelling))?;
            }
        }
        let observed = nft.0.read(&tables()).unwrap();
        nft.0.apply(&cleanup(&observed.tables), None).unwrap();
        let node = lab.namespace(Place::Node).try_clone().unwrap();
        let ((), watched) = meanwhile(&mut lab, &rows(), || match variant {
            Variant::Nft => from_nft(&mut nft, &after),
            Variant::Legacy => {
                nft.load(&after);
                for family in Family::ALL {
                    let program = iptables(family, variant).unwrap();
                    let text = remove(&parse(&node.enter(|| program.save("nat")).unwrap().unwrap()).unwrap(), CHAIN);
                    node.enter(|| program.restore(&text.unwrap(), Restore::default())).unwrap().unwrap();
                }
            }
        });
        assert!(watched.first.is_none(), "{watched:?}");
        packets += watched.packets;
        for family in Family::ALL {
            let left = saved(&lab, &iptables(family, variant)?);
            assert!(!chains_of(&left).contains(&CHAIN.to_owned()), "{left}");
            assert_eq!(rules_of(&left, "POSTROUTING").len(), 1, "others' jump and no other: {left}");
        }
    }
    println!("     {packets} packets during {TIMES} take-overs, all of them right");
    Ok(())
}

/// The twin: who removes before installing lets packets out untranslated, and that is seen.
fn gap() -> Result<(), CannotProve> {
    let before = settings(&["10.0.0.0/8", "172.16.0.0/12", "fd00:9::/32", "fd00:16::/32"]);
    let mut lab = Lab::new().unwrap();
    let program = iptables(Family::V4, Variant::Nft)?;
    add(&lab, &program, &original(&before, Family::V4, Spelling::Plain))?;
    let mut nft = Nft::open(&lab);
    let node = lab.namespace(Place::Node).try_clone().unwrap();
    let rows: Vec<Row> = rows().into_iter().filter(|row| row.source.is_ipv4()).collect();
    let ((), watched) = meanwhile(&mut lab, &rows, || {
        let text = remove(&parse(&node.enter(|| program.save("nat")).unwrap().unwrap()).unwrap(), CHAIN);
        node.enter(|| program.restore(&text.unwrap(), Restore::default())).unwrap().unwrap();
        nft.load(&before);
    });
    let (row, fate) = watched.first.expect("packets between the two");
    assert_eq!((row.right, fate.source()), (vec![NODE.of(Family::V4)], Some(POD.of(Family::V4))));
    Ok(())
}

/// A chain of somebody else's with the name the agent was given stays, and so does the jump to it.
fn theirs(variant: Variant) -> Result<(), CannotProve> {
    const THEIRS: &str = "*nat\n:MINE - [0:0]\n-A POSTROUTING -j MINE\n\
        -A MINE -s 203.0.113.0/24 -m comment --comment \"not the agent's\" -j MASQUERADE\nCOMMIT\n";
    let lab = Lab::new().unwrap();
    let program = iptables(Family::V4, variant)?;
    add(&lab, &program, HINT)?;
    add(&lab, &program, THEIRS)?;
    let volume = Volume::new(&[("ip-masq-agent", "nonMasqueradeCIDRs: [10.0.0.0/8]")]);
    let directory = format!("--config-dir={}", volume.path().display());
    let rules = || {
        let text = saved(&lab, &program);
        [rules_of(&text, "POSTROUTING"), rules_of(&text, "MINE")].concat()
    };
    let before = rules();
    for (arguments, status) in [
        (&["--backend=nft", "--once"] as &[&str], 0),
        (&["--backend=iptables", "--once"], 3),
        (&["--backend=iptables", "--cleanup"], 0),
        (&["--backend=nft", "--cleanup"], 0),
    ] {
        let all: Vec<&str> = ["masquerade", "--masq-chain=MINE", &directory].iter().chain(arguments).copied().collect();
        let (ended, _, said) = run(&lab, &all);
        assert_eq!(ended, Some(status), "{arguments:?} {said}");
        assert_eq!(said.contains("somebody else's"), status == 3, "{arguments:?} {said}");
        assert_eq!(rules(), before, "{arguments:?} {said}");
    }
    Ok(())
}

/// What the kubelet leaves for those who want to know which iptables the node uses.
const HINT: &str = "*mangle\n:KUBE-KUBELET-CANARY - [0:0]\nCOMMIT\n";

/// Where our rules, or the original's, are found.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    /// Families of our tables.
    tables: Vec<TableFamily>,
    /// Chains that jumps in POSTROUTING lead to, others' aside: variant, family, chain.
    chains: Vec<(Variant, Family, String)>,
}

fn found(lab: &Lab, nft: &mut Nft) -> Result<Found, CannotProve> {
    let tables = nft.0.read(&tables()).unwrap().tables.into_keys().map(|id| id.family).collect();
    let mut chains = Vec::new();
    for variant in [Variant::Nft, Variant::Legacy] {
        for family in Family::ALL {
            let text = saved(lab, &iptables(family, variant)?);
            let foreign = |chain: &String| {
                chain.starts_with("KUBE-") || !chain.contains(|c: char| c.is_ascii_lowercase() || c == '-')
            };
            let ours: Vec<String> = chains_of(&text).into_iter().filter(|chain| !foreign(chain)).collect();
            let jumps = rules_of(&text, "POSTROUTING").len();
            let kube = usize::from(text.contains(":KUBE-POSTROUTING"));
            assert_eq!(jumps, ours.len() + kube, "one jump for each chain: {text}");
            chains.extend(ours.into_iter().map(|chain| (variant, family, chain)));
        }
    }
    Ok(Found { tables, chains })
}

/// The agent as a process, from the original to our tables, to our chain, back, to a chain of another name, without IPv6, and away,
/// under traffic all the while.
fn changes(variant: Variant) -> Result<(), CannotProve> {
    let list = settings(&["10.0.0.0/8", "fd00:9::/32"]);
    let with_six = Volume::new(&[("ip-masq-agent", "nonMasqueradeCIDRs: [10.0.0.0/8, 'fd00:9::/32']")]);
    let without = Volume::new(&[("ip-masq-agent", "nonMasqueradeCIDRs: [10.0.0.0/8]")]);
    let mut lab = Lab::new().unwrap();
    let mut nft = Nft::open(&lab);
    for family in Family::ALL {
        let program = iptables(family, variant)?;
        for text in
            [HINT, OTHERS, &original(&list, family, Spelling::Plain), &original(&list, family, Spelling::Quoted)]
        {
            add(&lab, &program, text)?;
        }
    }
    let chains = |name: &str, families: &[Family]| Found {
        tables: Vec::new(),
        chains: families.iter().map(|family| (variant, *family, name.to_owned())).collect(),
    };
    let ours = |families: &[TableFamily]| Found { tables: families.to_vec(), chains: Vec::new() };
    let both = [TableFamily::Ip, TableFamily::Ip6];
    let steps: [(&[&str], Found); 9] = [
        (&["--backend=nft", "--enable-ipv6"], ours(&both)),
        (&["--backend=iptables", "--enable-ipv6"], chains(CHAIN, &Family::ALL)),
        (&["--backend=nft", "--enable-ipv6"], ours(&both)),
        (&["--backend=iptables", "--enable-ipv6", "--masq-chain=ANOTHER-NAME"], chains("ANOTHER-NAME", &Family::ALL)),
        (&["--backend=iptables", "--enable-ipv6", "--masq-chain=THIRD-NAME"], chains("THIRD-NAME", &Family::ALL)),
        (&["--backend=iptables", "--masq-chain=THIRD-NAME"], chains("THIRD-NAME", &[Family::V4])),
        (&["--backend=nft", "--masq-chain=THIRD-NAME"], ours(&both[..1])),
        (&["--backend=nft", "--enable-ipv6"], ours(&both)),
        (&["--cleanup"], ours(&[])),
    ];
    let node = lab.namespace(Place::Node).try_clone().unwrap();
    let mut packets = 0;
    for (arguments, expected) in steps {
        let six = arguments.contains(&"--enable-ipv6");
        let cleaning = arguments.contains(&"--cleanup");
        let rows: Vec<Row> = rows().into_iter().filter(|row| !cleaning && (six || row.source.is_ipv4())).collect();
        let (output, watched) = meanwhile(&mut lab, &rows, || {
            let mut command = Command::new(env!("CARGO_BIN_EXE_causeway-node"));
            let volume = if six { &with_six } else { &without };
            command.arg("masquerade").args(arguments).arg(format!("--config-dir={}", volume.path().display()));
            command.args((!cleaning).then_some("--once"));
            node.enter(|| command.output()).unwrap().unwrap()
        });
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?} {said}");
        // Where IPv6 was off before, its packets go untranslated until it is on.
        if watched.first.as_ref().is_some_and(|(row, _)| row.source.is_ipv4() || expected.tables.len() < 2) {
            panic!("{arguments:?} {watched:?} {said}");
        }
        packets += watched.packets;
        assert_eq!(found(&lab, &mut nft)?, expected, "{arguments:?} {said}");
    }
    println!("     {packets} packets, all of them right");
    Ok(())
}

/// One transaction: ours in, theirs out.
fn from_nft(nft: &mut Nft, settings: &Settings) {
    let nat = [TableFamily::Ip, TableFamily::Ip6].map(|family| TableId { family, name: "nat".to_owned() });
    let ours = nft.0.read(&tables()).unwrap();
    let theirs = nft.0.read(&nat).unwrap();
    let mut batches = plan(&wanted(settings), &ours.tables, &Limits::default()).batches;
    let last: &mut Vec<Op> = batches.last_mut().unwrap();
    last.extend(nat.iter().flat_map(|id| take_over(id, &theirs.tables[id], CHAIN)));
    for batch in &batches {
        nft.0.apply(batch, None).unwrap();
    }
}
