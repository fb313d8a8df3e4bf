//! From the agent before us to ours, under traffic: no packet leaves untranslated.

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
