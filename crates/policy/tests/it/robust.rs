//! The promises, over clusters with values exchanged at random: the same at every run.

use crate::promises::of_asking;
use causeway_testkit::{Random, policies};
use serde_json::{Value, json};

/// Values that stand where others are expected.
fn strange(random: &mut Random, donor: &[Value]) -> Value {
    const TEXTS: [&str; 12] = [
        "",
        "a b",
        "10.0.0.0",
        "10.0.0.0/33",
        "fd00::/8",
        "0.0.0.0/0",
        "Networkpolicy",
        "NotIn",
        "Pass",
        "http",
        "default",
        "-",
    ];
    let choice = usize::try_from(random.below(12)).unwrap();
    match random.below(6) {
        0 => Value::Null,
        1 => json!(random.below(70_000)),
        2 => json!({}),
        3 => json!([]),
        4 => part(&donor[usize::try_from(random.below(donor.len() as u64)).unwrap()], random).clone(),
        _ => TEXTS[choice].into(),
    }
}

fn part<'a>(value: &'a Value, random: &mut Random) -> &'a Value {
    let inner: Vec<&Value> = match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(fields) => fields.values().collect(),
        _ => Vec::new(),
    };
    match inner.is_empty() || random.once_in(4) {
        true => value,
        false => part(inner[usize::try_from(random.below(inner.len() as u64)).unwrap()], random),
    }
}

fn change(value: &mut Value, random: &mut Random, donor: &[Value]) {
    let size = match value {
        Value::Array(items) => items.len(),
        Value::Object(fields) => fields.len(),
        _ => 0,
    };
    if size == 0 || random.once_in(6) {
        *value = strange(random, donor);
        return;
    }
    let at = usize::try_from(random.below(size as u64)).unwrap();
    match value {
        Value::Array(items) if random.once_in(8) => items.push(items[at].clone()),
        Value::Array(items) => change(&mut items[at], random, donor),
        Value::Object(fields) => {
            let key = fields.keys().nth(at).unwrap().clone();
            match random.once_in(8) {
                true => drop(fields.remove(&key)),
                false => change(&mut fields[&key], random, donor),
            }
        }
        _ => {}
    }
}

#[test]
fn promises_hold_for_clusters_and_for_random_changes_to_them() {
    let first = Random::seed();
    eprintln!("CAUSEWAY_SEED={first}");
    for seed in (first..).take(30) {
        let mut objects = policies::cluster(seed);
        let donor = policies::cluster(seed.wrapping_add(1));
        let mut random = Random::new(seed);
        for _ in 0..4 {
            let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
            of_asking(list.to_string().as_bytes());
            for _ in 0..=random.below(3) {
                let at = usize::try_from(random.below(objects.len() as u64)).unwrap();
                change(&mut objects[at], &mut random, &donor);
            }
        }
    }
}
