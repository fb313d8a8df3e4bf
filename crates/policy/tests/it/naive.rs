//! The index against an evaluator that shares nothing with it, on clusters made from a seed.

use crate::support::{design, index};
use causeway_model::design::Protocol;
use causeway_policy::{End, Engine, Flow, Index, Matrix, Verdict};
use causeway_testkit::naive::{Naive, Peer};
use causeway_testkit::{Random, policies};
use serde_json::Value;
use std::net::IpAddr;

/// Clusters that are made; `CAUSEWAY_CLUSTERS` asks for more.
fn clusters() -> u64 {
    std::env::var("CAUSEWAY_CLUSTERS").ok().and_then(|text| text.parse().ok()).unwrap_or(200)
}

const PORTS: [u16; 5] = [79, 80, 81, 82, 443];
const PROTOCOLS: [(&str, Protocol); 3] = [("TCP", Protocol::Tcp), ("UDP", Protocol::Udp), ("SCTP", Protocol::Sctp)];
/// Outside, on both sides of the borders that prefixes have, and nodes.
const ADDRESSES: [&str; 7] =
    ["203.0.113.9", "198.51.100.7", "10.9.9.9", "10.2.0.200", "10.1.0.4", "10.1.0.5", "fd02::9999"];

fn name(pod: &Value) -> End {
    let part = |path: &str| pod.pointer(path).and_then(Value::as_str).unwrap_or("default").to_owned();
    End::Pod(part("/metadata/namespace"), part("/metadata/name"))
}

fn has_v6(pod: &Value) -> bool {
    let ips = pod.pointer("/status/podIPs").and_then(Value::as_array);
    ips.into_iter().flatten().any(|ip| ip["ip"].as_str().is_some_and(|ip| ip.contains(':')))
}

/// Compares every pair of a cluster; says how many.
fn compare(seed: u64, objects: &[Value], index: &Index) -> usize {
    let naive = Naive::new(objects);
    let other = Naive::new(objects).with_old_baseline_first();
    let mut ends: Vec<(End, Peer<'_>, bool, bool)> =
        naive.pods().map(|pod| (name(pod), Peer::Pod(pod), true, has_v6(pod))).collect();
    for text in ADDRESSES {
        let address: IpAddr = text.parse().unwrap();
        ends.push((End::Address(address), Peer::Address(address), address.is_ipv4(), address.is_ipv6()));
    }
    let mut compared = 0;
    let mut random = Random::new(seed);
    for (word, protocol) in PROTOCOLS {
        for port in PORTS {
            let pods: Vec<End> =
                ends.iter().map(|(end, ..)| end.clone()).filter(|end| matches!(end, End::Pod(..))).collect();
            let matrix = Matrix::of(index, &pods, protocol, port, Some(causeway_addr::Family::V4));
            for (from, from_peer, from_v4, from_v6) in &ends {
                for (to, to_peer, to_v4, to_v6) in &ends {
                    for v6 in [false, true] {
                        let meet = if v6 { *from_v6 && *to_v6 } else { *from_v4 && *to_v4 };
                        // A part of them is enough: there are many clusters.
                        if !meet || !random.once_in(4) {
                            continue;
                        }
                        let family = if v6 { causeway_addr::Family::V6 } else { causeway_addr::Family::V4 };
                        let flow = Flow { from: from.clone(), to: to.clone(), protocol, port, family: Some(family) };
                        let [one, other] =
                            [&naive, &other].map(|naive| naive.by_direction(*from_peer, *to_peer, word, port, v6));
                        let expected = one.into_iter().zip(other).map(|said| match said {
                            (true, true) => Verdict::Allowed,
                            (false, false) => Verdict::Denied,
                            _ => Verdict::Uncertain,
                        });
                        let expected = expected.fold(Verdict::Allowed, Verdict::and);
                        let explained = index.explain(&flow).expect("both ends are there");
                        let got = index.verdict(&flow).expect("both ends are there");
                        compared += 1;
                        assert!(
                            got == expected && explained.verdict() == expected,
                            "CAUSEWAY_SEED={seed}: {flow:?}: {expected} by the text, {got} by the index, {} explained: {explained:#?}\n{}",
                            explained.verdict(),
                            serde_json::to_string(&objects).unwrap()
                        );
                        if let (Some(from), Some(to), false) =
                            (pods.iter().position(|pod| pod == from), pods.iter().position(|pod| pod == to), v6)
                        {
                            assert_eq!(
                                matrix.verdict(from, to),
                                expected,
                                "CAUSEWAY_SEED={seed}: {flow:?} in the matrix"
                            );
                        }
                    }
                }
            }
        }
    }
    compared
}

#[test]
fn the_index_agrees_with_the_text_of_the_apis() {
    let first = Random::seed();
    eprintln!("CAUSEWAY_SEED={first}");
    let mut compared = 0;
    for seed in (first..).take(usize::try_from(clusters()).unwrap()) {
        let objects = policies::cluster(seed);
        let design = design(objects.clone());
        compared += compare(seed, &objects, &index(&design, Engine::Strict));
    }
    eprintln!("{compared} verdicts compared");
    assert!(compared > 20_000, "{compared}");
}
