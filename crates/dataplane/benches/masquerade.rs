//! What the pure part of a sync costs: from settings to batches.
//!
//! `cargo bench -p causeway-dataplane`

use causeway_addr::{Cidr, Family};
use causeway_dataplane::evaluate::{Node, evaluate};
use causeway_dataplane::masquerade::{Compiled, Settings};
use causeway_dataplane::nftables::simulate::Kernel;
use causeway_dataplane::nftables::{Growth, Limits, plan};
use causeway_dataplane::packet::{Packet, Protocol};
use causeway_dataplane::ruleset::Hook;
use causeway_model::masquerade::MasqueradeConfig;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use std::hint::black_box;

fn settings(prefixes: u32) -> Settings {
    let exempt = (0..prefixes).filter_map(|n| Cidr::new((0x1000_0000 + n * 256).to_be_bytes().into(), 24)).collect();
    Settings { config: MasqueradeConfig { exempt, ..MasqueradeConfig::default() }, ..Settings::default() }
}

fn synced(compiled: &Compiled) -> Kernel {
    let mut kernel = Kernel::default();
    for batch in plan(compiled.objects(), kernel.observed(), &Limits::default()).batches {
        kernel.commit(&batch).unwrap_or_default();
    }
    kernel
}

fn first_sync(criterion: &mut Criterion) {
    for prefixes in [3, 64, 65_536] {
        let wanted = settings(prefixes);
        criterion.bench_function(&format!("first sync, {prefixes} prefixes"), |bench| {
            bench.iter_batched(
                || wanted.clone(),
                |wanted| {
                    let compiled = Compiled::new(wanted, Growth::Declared);
                    plan(compiled.objects(), Kernel::default().observed(), &Limits::default())
                },
                BatchSize::LargeInput,
            );
        });
    }
}

fn one_prefix(criterion: &mut Criterion) {
    for prefixes in [64, 65_536] {
        let before = settings(prefixes);
        let mut after = before.clone();
        after.config.exempt.remove(prefixes as usize / 2);
        let compiled = Compiled::new(before.clone(), Growth::Declared);
        let kernel = synced(&compiled);
        let mut follower = compiled.clone();
        criterion.bench_function(&format!("one prefix changes, {prefixes} prefixes"), |bench| {
            bench.iter_batched(
                || {
                    follower.update(&before);
                    follower.clone()
                },
                |mut compiled| {
                    compiled.update(&after);
                    let plan = plan(compiled.objects(), kernel.observed(), &Limits::default());
                    assert_eq!(plan.batches.len(), 1);
                    (compiled, plan)
                },
                BatchSize::PerIteration,
            );
        });
        criterion.bench_function(&format!("nothing changes, {prefixes} prefixes"), |bench| {
            bench.iter(|| plan(compiled.objects(), kernel.observed(), &Limits::default()).is_empty());
        });
    }
}

fn packet(criterion: &mut Criterion) {
    let node = Node::with_addresses([Cidr::v4([10, 0, 0, 4], 32)]).masquerading_as([10, 0, 0, 4].into());
    for prefixes in [3, 65_536] {
        let compiled = Compiled::new(settings(prefixes), Growth::Declared);
        let sent = Packet {
            source: [10, 244, 0, 7].into(),
            destination: [8, 8, 8, 8].into(),
            protocol: Protocol::Tcp,
            source_port: 40_000,
            destination_port: 443,
        };
        assert_eq!(sent.family(), Family::V4);
        criterion.bench_function(&format!("a packet, {prefixes} prefixes"), |bench| {
            bench.iter(|| evaluate(compiled.ruleset(), Hook::Postrouting, black_box(&sent), &node).outcome);
        });
    }
}

criterion_group!(benches, first_sync, one_prefix, packet);
criterion_main!(benches);
