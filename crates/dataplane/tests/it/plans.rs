//! A plan leads from any state to the wanted one, and no packet on the way meets a mixture.

use crate::generate;
use causeway_addr::{Cidr, Family};
use causeway_dataplane::evaluate::Node;
use causeway_dataplane::masquerade::{Settings, compile, table};
use causeway_dataplane::nftables::objects::{ChainObject, KeyType, Keys, Op, TableObjects};
use causeway_dataplane::nftables::simulate::Kernel;
use causeway_dataplane::nftables::{Growth, Limits, Plan, interpret, logical, lower, plan};
use causeway_dataplane::packet::Packet;
use causeway_dataplane::ruleset::{Hook, TableId};
use proptest::prelude::*;
use std::collections::BTreeMap;

type Objects = BTreeMap<TableId, TableObjects>;

/// Something a stranger does to our tables.
#[derive(Debug, Clone)]
enum Vandalism {
    DeleteRule(usize),
    FlushChain(usize),
    DeleteElement(usize),
    AddElement(usize, u32),
    AddSet(u32),
    AddChain,
    AddRule(usize, usize),
    DeleteTable,
    /// It is made anew, asleep, with this many of its base chains and nothing else.
    Sleep(usize),
    Nothing,
}

fn vandalism() -> impl Strategy<Value = Vandalism> {
    prop_oneof![
        (0..9_usize).prop_map(Vandalism::DeleteRule),
        (0..4_usize).prop_map(Vandalism::FlushChain),
        (0..9_usize).prop_map(Vandalism::DeleteElement),
        (0..9_usize, any::<u32>()).prop_map(|(set, key)| Vandalism::AddElement(set, key)),
        (1..3_u32).prop_map(Vandalism::AddSet),
        Just(Vandalism::AddChain),
        (0..3_usize, 0..9_usize).prop_map(|(chain, rule)| Vandalism::AddRule(chain, rule)),
        Just(Vandalism::DeleteTable),
        (0..3_usize).prop_map(Vandalism::Sleep),
        Just(Vandalism::Nothing),
    ]
}

/// The change as the kernel would be told; none where there is nothing to change.
fn ops(kernel: &Kernel, what: &Vandalism) -> Option<Vec<Op>> {
    let id = table(Family::V4);
    let found = kernel.observed().get(&id)?;
    let objects = &found.objects;
    let table = || id.clone();
    let nth = |n: &usize| objects.chains.keys().nth(n % objects.chains.len()).cloned();
    let set = |n: &usize| objects.sets.iter().nth(*n);
    Some(vec![match what {
        Vandalism::DeleteRule(n) => {
            let rules = found.handles.iter().flat_map(|(chain, handles)| handles.iter().map(move |h| (chain, *h)));
            let (chain, handle) = rules.into_iter().nth(*n)?;
            Op::DeleteRule { table: table(), chain: chain.clone(), handle }
        }
        Vandalism::FlushChain(n) => Op::FlushChain { table: table(), name: nth(n)? },
        Vandalism::DeleteElement(n) => {
            let (name, set) = set(n)?;
            let keys = Keys::collect(set.elements.width, set.elements.get(0));
            Op::DeleteElements { table: table(), set: name.clone(), keys }
        }
        Vandalism::AddElement(n, key) => {
            let (name, set) = set(n)?;
            let keys = Keys::collect(4, [key.to_be_bytes()]);
            if set.elements.contains(&keys.bytes) {
                return None;
            }
            Op::AddElements { table: table(), set: name.clone(), keys }
        }
        Vandalism::AddSet(n) => {
            let name = format!("exempt-8.{n}");
            if objects.sets.contains_key(&name) {
                return None;
            }
            Op::AddSet { table: table(), name, key: KeyType::IPV4, size: Some(64) }
        }
        Vandalism::AddChain => Op::AddChain { table: table(), name: "strange".into(), base: None },
        Vandalism::AddRule(chain, rule) => {
            let rules: Vec<_> = objects.chains.values().flat_map(|chain| &chain.rules).collect();
            // Rules that jump would make a loop somewhere; those that look up are the interesting ones.
            let rules: Vec<_> = rules.into_iter().filter(|rule| !format!("{rule:?}").contains("Goto")).collect();
            let rule = (*rules.get(rule % rules.len().max(1))?).clone();
            Op::AddRule { table: table(), chain: nth(chain)?, rule }
        }
        Vandalism::DeleteTable => Op::DeleteTable(table()),
        Vandalism::Sleep(_) | Vandalism::Nothing => return None,
    }])
}

/// Names of sets as they are wanted, and sizes left out: what makes no difference.
fn plain(objects: &Objects) -> String {
    let tables = objects.iter().map(|(id, table)| {
        let sets: BTreeMap<&str, &Keys> = table.sets.iter().map(|(name, set)| (logical(name), &set.elements)).collect();
        let chains = format!("{:?}", table.chains);
        let chains = (1..20).fold(chains, |text, n| text.replace(&format!(".{n}\""), "\""));
        format!("{id} {sets:?} {:?} {chains}", table.counters)
    });
    tables.collect::<Vec<_>>().join("\n")
}

fn desired(settings: &Settings, growth: Growth) -> Objects {
    lower(&compile(settings), growth)
}

/// Commits the plan's batches, all or the first few, and looks at every packet after each.
fn commit(
    kernel: &mut Kernel,
    plan: &Plan,
    wanted: &Objects,
    batches: usize,
    packets: &[Packet],
) -> Result<(), TestCaseError> {
    let node = Node::with_addresses([Cidr::v4([10, 0, 0, 4], 32)])
        .masquerading_as([10, 0, 0, 4].into())
        .masquerading_as([0xfd00, 0, 0, 0, 0, 0, 0, 4].into());
    let fates = |objects: &Objects| -> Vec<_> {
        packets.iter().map(|packet| interpret(objects, Hook::Postrouting, packet, &node)).collect()
    };
    let (before, after) = (fates(&kernel.objects()), fates(wanted));
    for (at, batch) in plan.batches.iter().take(batches).enumerate() {
        let done = kernel.commit(batch);
        prop_assert!(done.is_ok(), "batch {}: {:?}\n{:#?}", at, done, batch);
        let expected = if at + 1 == plan.batches.len() { &after } else { &before };
        prop_assert_eq!(&fates(&kernel.objects()), expected, "after batch {} of {}", at + 1, plan.batches.len());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn every_way_leads_to_what_is_wanted(
        wishes in prop::collection::vec((generate::settings(), 0..4_usize), 1..4),
        damage in prop::collection::vec(vandalism(), 4),
        batch_bytes in prop::sample::select(vec![1_usize, 600, 1500, 4000, 180_000]),
        growth in prop::sample::select(vec![Growth::Declared, Growth::ByItself]),
        packets in prop::collection::vec(generate::packet(), 6),
    ) {
        let limits = Limits { batch_bytes };
        let mut kernel = Kernel::default();
        let mut damage = damage.iter();
        for (settings, interrupted) in &wishes {
            let wanted = desired(settings, growth);
            // Perhaps a process dies between two batches first.
            let first = plan(&wanted, kernel.observed(), &limits);
            if *interrupted > 0 && *interrupted < first.batches.len() {
                commit(&mut kernel, &first, &wanted, *interrupted, &packets)?;
            }
            let way = plan(&wanted, kernel.observed(), &limits);
            prop_assert_eq!(way.batches.is_empty(), way.drift.is_empty());
            commit(&mut kernel, &way, &wanted, usize::MAX, &packets)?;
            prop_assert_eq!(plain(&kernel.objects()), plain(&wanted));
            let again = plan(&wanted, kernel.observed(), &limits);
            prop_assert!(again.is_empty() && again.drift.is_empty(), "{:#?}", again);
            if let Some(Vandalism::Sleep(bases)) = damage.clone().next() {
                let id = table(Family::V4);
                let of_base = |(name, chain): (&String, &ChainObject)| {
                    (name.clone(), ChainObject { rules: Vec::new(), ..chain.clone() })
                };
                let found = kernel.objects().remove(&id).unwrap_or_default();
                let chains = found.chains.iter().filter(|(_, chain)| chain.base.is_some()).map(of_base);
                kernel.install(id, TableObjects { flags: 1, chains: chains.take(*bases).collect(), ..TableObjects::default() });
            }
            if let Some(ops) = damage.next().and_then(|what| ops(&kernel, what)) {
                // The pretended kernel refuses what the real one would: then nothing happened.
                let _ = kernel.commit(&ops);
            }
        }
    }

    #[test]
    fn counters_survive_all_changes(first in generate::settings(), second in generate::settings()) {
        let mut kernel = Kernel::default();
        for settings in [&first, &second] {
            for batch in plan(&desired(settings, Growth::Declared), kernel.observed(), &Limits::default()).batches {
                prop_assert!(kernel.commit(&batch).is_ok());
            }
            kernel.count(&table(Family::V4), "translated");
        }
        prop_assert_eq!(kernel.observed()[&table(Family::V4)].counts["translated"].packets, 2);
    }
}
