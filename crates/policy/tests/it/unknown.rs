//! What is not known: a verdict that is sure without it stays what it is once it is known, in every engine's reading.

use crate::support::{design, index};
use causeway_addr::Family;
use causeway_model::design::Protocol;
use causeway_policy::{End, Engine, Flow, Matrix, Verdict};
use causeway_testkit::{Random, policies};
use serde_json::Value;

/// The same cluster, where pods of their own address have none yet.
fn without_addresses(objects: &[Value], random: &mut Random) -> Vec<Value> {
    let mut out = objects.to_vec();
    for object in out.iter_mut().filter(|object| object["kind"] == "Pod") {
        if object["spec"]["hostNetwork"] == false && random.once_in(2) {
            object["status"].as_object_mut().unwrap().retain(|key, _| key == "phase");
        }
    }
    out
}

#[test]
fn what_is_sure_stays_so() {
    let first = Random::seed();
    eprintln!("CAUSEWAY_SEED={first}");
    let (mut sure, mut unsure) = (0_usize, 0_usize);
    for seed in (first..).take(80) {
        let objects = policies::cluster(seed);
        let mut random = Random::new(seed);
        let (whole, part) = (design(objects.clone()), design(without_addresses(&objects, &mut random)));
        let engine = Engine::WORDS[usize::try_from(seed % 4).unwrap()].1;
        let (known, unknown) = (index(&whole, engine), index(&part, engine));
        let mut ends: Vec<End> = unknown.pods().collect();
        let pods = ends.clone();
        ends.extend(["203.0.113.9", "10.1.0.4"].map(|text| End::Address(text.parse().unwrap())));
        for (protocol, port) in [(Protocol::Tcp, 80), (Protocol::Tcp, 82), (Protocol::Udp, 81), (Protocol::Icmp, 0)] {
            let matrix = Matrix::of(&unknown, &pods, protocol, port, Some(Family::V4));
            for from in 0..pods.len() {
                let one_by_one: Vec<Verdict> = (0..pods.len()).map(|to| matrix.verdict(from, to)).collect();
                assert_eq!(matrix.row(from, None), one_by_one, "CAUSEWAY_SEED={seed}, {engine}: row {from}");
            }
            for (from_at, from) in ends.iter().enumerate() {
                for (to_at, to) in ends.iter().enumerate() {
                    let family = Some(Family::V4);
                    let flow = Flow { from: from.clone(), to: to.clone(), protocol, port, family };
                    let (now, then) = (unknown.verdict(&flow).unwrap(), known.verdict(&flow).unwrap());
                    let explained = unknown.explain(&flow).unwrap();
                    assert_eq!(explained.verdict(), now, "CAUSEWAY_SEED={seed}, {engine}: {flow:?}: {explained:#?}");
                    if from_at < pods.len() && to_at < pods.len() {
                        assert_eq!(matrix.verdict(from_at, to_at), now, "CAUSEWAY_SEED={seed}, {engine}: {flow:?}");
                    }
                    match now {
                        Verdict::Uncertain => {
                            unsure += 1;
                            assert!(!explained.missing.is_empty(), "CAUSEWAY_SEED={seed}, {engine}: {explained:#?}");
                        }
                        _ => {
                            sure += 1;
                            // An engine of which something else is not known may still be unsure.
                            assert_eq!(now, then, "CAUSEWAY_SEED={seed}, {engine}: {flow:?}: {explained:#?}");
                        }
                    }
                }
            }
        }
    }
    assert!(sure > 10_000 && unsure > 100, "{sure} sure, {unsure} not");
}
