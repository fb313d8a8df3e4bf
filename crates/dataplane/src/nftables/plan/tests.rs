use super::*;
use crate::masquerade::{self, Settings};
use crate::nftables::objects::ChainObject;
use crate::nftables::simulate::Kernel;
use crate::nftables::{Growth, What, lower};
use causeway_addr::{Cidr, Family};
use causeway_model::masquerade::MasqueradeConfig;

fn settings(exempt: &[&str], ipv6: bool) -> Settings {
    let exempt: Vec<Cidr> = exempt.iter().map(|text| text.parse().unwrap()).collect();
    Settings { config: MasqueradeConfig { exempt, ipv6, ..Default::default() }, ..Settings::default() }
}

fn objects(exempt: &[&str], ipv6: bool) -> BTreeMap<TableId, TableObjects> {
    lower(&masquerade::compile(&settings(exempt, ipv6)), Growth::Declared)
}

fn run(kernel: &mut Kernel, desired: &BTreeMap<TableId, TableObjects>, limits: &Limits) -> Plan {
    let plan = plan(desired, kernel.observed(), limits);
    for batch in &plan.batches {
        kernel.commit(batch).unwrap();
    }
    assert_eq!(super::plan(desired, kernel.observed(), limits), Plan::default(), "nothing is left to do");
    plan
}

#[test]
fn a_first_sync_is_one_batch() {
    let mut kernel = Kernel::default();
    let desired = objects(&["10.0.0.0/8", "192.168.0.0/16"], true);
    let plan = run(&mut kernel, &desired, &Limits::default());
    assert_eq!((plan.batches.len(), plan.drift.len()), (1, 2));
    assert_eq!(kernel.objects(), desired);
}

#[test]
fn one_prefix_more_is_one_element() {
    let mut kernel = Kernel::default();
    run(&mut kernel, &objects(&["10.0.0.0/8"], false), &Limits::default());
    kernel.count(&masquerade::table(Family::V4), "translated");
    let plan = run(&mut kernel, &objects(&["10.0.0.0/8", "11.0.0.0/8"], false), &Limits::default());
    let [batch] = plan.batches.as_slice() else { panic!("{plan:?}") };
    assert!(matches!(batch.as_slice(), [Op::AddElements { keys, .. }] if keys.bytes == [11, 0, 0, 0]), "{batch:?}");
    assert_eq!(kernel.observed()[&masquerade::table(Family::V4)].counts["translated"].packets, 1);
}

#[test]
fn a_new_length_is_a_set_and_the_rules_of_one_chain() {
    let mut kernel = Kernel::default();
    run(&mut kernel, &objects(&["10.0.0.0/8"], false), &Limits::default());
    let plan = run(&mut kernel, &objects(&["10.0.0.0/8", "172.16.0.0/12"], false), &Limits::default());
    let flushed: Vec<&Op> = plan.batches[0].iter().filter(|op| matches!(op, Op::FlushChain { .. })).collect();
    assert_eq!(flushed.len(), 1);
    let words: Vec<String> = plan.drift.iter().map(ToString::to_string).collect();
    assert_eq!(
        words,
        [
            "table `ip causeway-masquerade`: set `exempt-12` is missing",
            "table `ip causeway-masquerade`: rule 2 (`destination is exempt`) of chain `translate` is missing",
        ]
    );
}

#[test]
fn ipv6_off_removes_its_table() {
    let mut kernel = Kernel::default();
    run(&mut kernel, &objects(&[], true), &Limits::default());
    let plan = run(&mut kernel, &objects(&[], false), &Limits::default());
    assert_eq!(plan.batches, [vec![Op::DeleteTable(masquerade::table(Family::V6))]]);
}

#[test]
fn what_does_not_fit_one_batch_is_filled_before_anybody_looks() {
    let many: Vec<String> = (0..3000).map(|n| format!("10.{}.{}.0/24", n / 256, n % 256)).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let limits = Limits { batch_bytes: 20_000 };
    let mut kernel = Kernel::default();
    let plan = run(&mut kernel, &objects(&many, false), &limits);
    assert!(plan.batches.len() > 2, "{}", plan.batches.len());
    for batch in &plan.batches {
        assert!(batch.iter().map(bytes).sum::<usize>() <= limits.batch_bytes);
    }
    let quiet = |op: &Op| matches!(op, Op::AddTable(_) | Op::AddSet { .. } | Op::AddElements { .. });
    let (_, before) = plan.batches.split_last().unwrap();
    assert!(before.iter().flatten().all(quiet));

    // Most of it changes: the old set stays whole until the new one takes its place.
    let others: Vec<String> = (0..3000).map(|n| format!("11.{}.{}.0/24", n / 256, n % 256)).collect();
    let others: Vec<&str> = others.iter().map(String::as_str).collect();
    let plan = run(&mut kernel, &objects(&others, false), &limits);
    assert!(plan.batches.len() > 2);
    let (last, before) = plan.batches.split_last().unwrap();
    assert!(before.iter().flatten().all(quiet));
    assert!(last.iter().any(|op| matches!(op, Op::DeleteSet { name, .. } if name == "exempt-24")), "{last:?}");
    assert!(kernel.objects()[&masquerade::table(Family::V4)].sets.contains_key("exempt-24.1"));
    // And back: the first name is free again.
    run(&mut kernel, &objects(&many, false), &limits);
    assert!(kernel.objects()[&masquerade::table(Family::V4)].sets.contains_key("exempt-24"));
}

#[test]
fn a_set_that_is_full_is_replaced_by_a_larger_one() {
    let list: Vec<String> = (0..200).map(|n| format!("10.0.{n}.0/24")).collect();
    let list: Vec<&str> = list.iter().map(String::as_str).collect();
    let mut kernel = Kernel::default();
    run(&mut kernel, &objects(&list[..40], false), &Limits::default());
    let plan = run(&mut kernel, &objects(&list, false), &Limits::default());
    assert!(plan.drift.iter().any(|drift| drift.what == What::UnsuitableSet("exempt-24".into())), "{:?}", plan.drift);
}

#[test]
fn drift_is_named_and_repaired() {
    let desired = objects(&["10.0.0.0/8", "192.168.0.0/16"], false);
    let id = masquerade::table(Family::V4);
    let fresh = || {
        let mut kernel = Kernel::default();
        run(&mut kernel, &desired, &Limits::default());
        kernel
    };
    let table = || id.clone();
    let first_rule = |kernel: &Kernel, chain: &str| kernel.observed()[&id].handles[chain][0];
    let handle = first_rule(&fresh(), "translate");
    let cases: Vec<(Vec<Op>, &str)> = vec![
        (vec![Op::DeleteTable(table())], "is missing"),
        (
            vec![Op::DeleteRule { table: table(), chain: "translate".into(), handle }],
            "rule 1 (`destination is exempt`) of chain `translate` is missing",
        ),
        (
            vec![Op::FlushChain { table: table(), name: "postrouting".into() }],
            "rule 1 (`destination is this machine`) of chain `postrouting` is missing",
        ),
        (
            vec![Op::DeleteElements {
                table: table(),
                set: "exempt-8".into(),
                keys: Keys::collect(4, [[10_u8, 0, 0, 0]]),
            }],
            "`10.0.0.0` is missing in set `exempt-8`",
        ),
        (
            vec![Op::AddElements {
                table: table(),
                set: "exempt-8".into(),
                keys: Keys::collect(4, [[0_u8; 4], [9; 4]]),
            }],
            "`0.0.0.0`, `9.9.9.9` are not wanted in set `exempt-8`",
        ),
        (vec![Op::AddChain { table: table(), name: "strange".into(), base: None }], "chain `strange` is not wanted"),
        (vec![Op::AddCounter { table: table(), name: "mine".into() }], "counter `mine` is not wanted"),
    ];
    for (vandalism, words) in cases {
        let mut kernel = fresh();
        kernel.commit(&vandalism).unwrap();
        let plan = run(&mut kernel, &desired, &Limits::default());
        assert!(plan.drift[0].to_string().ends_with(words), "{} for {vandalism:?}", plan.drift[0]);
        assert_eq!(kernel.objects(), desired);
    }
}

#[test]
fn a_dormant_table_is_woken() {
    let desired = objects(&["10.0.0.0/8"], false);
    let mut kernel = Kernel::default();
    let id = masquerade::table(Family::V4);
    let mut asleep = desired[&id].clone();
    asleep.flags = 1;
    kernel.install(id, asleep);
    let plan = run(&mut kernel, &desired, &Limits::default());
    assert_eq!(plan.drift[0].to_string(), "table `ip causeway-masquerade`: is dormant");
}

#[test]
fn a_chain_that_hangs_elsewhere_is_hung_up_anew() {
    let desired = objects(&["10.0.0.0/8"], false);
    let id = masquerade::table(Family::V4);
    let mut moved = desired[&id].clone();
    let chain: &mut ChainObject = moved.chains.get_mut("postrouting").unwrap();
    chain.base.as_mut().unwrap().priority = 300;
    let mut kernel = Kernel::default();
    kernel.install(id, moved);
    run(&mut kernel, &desired, &Limits::default());
    assert_eq!(kernel.objects(), desired);
}

#[test]
fn tables_of_others_are_left_alone() {
    let mut kernel = Kernel::default();
    let other = TableId { family: crate::ruleset::TableFamily::Ip, name: "nat".into() };
    kernel.install(other.clone(), TableObjects::default());
    run(&mut kernel, &objects(&[], false), &Limits::default());
    assert_eq!(cleanup(kernel.observed()), [Op::DeleteTable(masquerade::table(Family::V4))]);
    kernel.commit(&cleanup(kernel.observed())).unwrap();
    assert_eq!(kernel.objects().keys().collect::<Vec<_>>(), [&other]);
}

#[test]
fn a_dormant_table_is_woken_and_one_without_our_base_chains_is_made_anew() {
    let id = masquerade::table(Family::V4);
    let whole = objects(&["10.0.0.0/8", "192.168.0.0/16"], false);
    let base = whole[&id]
        .chains
        .iter()
        .filter(|(_, chain)| chain.base.is_some())
        .map(|(name, chain)| (name.clone(), ChainObject { rules: Vec::new(), ..chain.clone() }));
    let only_bases = TableObjects { chains: base.clone().collect(), ..TableObjects::default() };
    let only_one = TableObjects { chains: base.take(1).collect(), ..TableObjects::default() };
    let cases = [
        (whole[&id].clone(), 1, false),
        (only_bases.clone(), 1, false),
        (only_one, 1, true),
        (TableObjects::default(), 1, true),
        // Flags that nobody can clear.
        (whole[&id].clone(), 4, true),
        (TableObjects::default(), 0, false),
    ];
    for limits in [Limits::default(), Limits { batch_bytes: 1 }] {
        for (found, flags, anew) in &cases {
            let mut kernel = Kernel::default();
            kernel.install(id.clone(), TableObjects { flags: *flags, ..found.clone() });
            let plan = run(&mut kernel, &whole, &limits);
            assert_eq!(plan.batches[0].contains(&Op::DeleteTable(id.clone())), *anew, "{flags} {found:?}");
        }
    }
}
