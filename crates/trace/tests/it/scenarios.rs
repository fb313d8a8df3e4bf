//! Every scenario of `scenarios/`: that its twin denies what it lets through.

use causeway_model::design::{Design, Expectation};
use causeway_read::files::MemoryFiles;
use causeway_read::{Input, load};
use causeway_testkit::scenarios;
use std::collections::{BTreeMap, BTreeSet};

pub(crate) fn design(name: &str, text: &str) -> Design {
    let input = Input { name: name.to_owned(), bytes: text.as_bytes().to_vec(), kind: None, found: false };
    match load(vec![input], &MemoryFiles::default()).outcome {
        Ok(read) => read.design,
        Err(errors) => panic!("{name}: {errors:#?}"),
    }
}

/// A twin says no to something its case lets through, and a failure is fixed in a file beside it.
#[test]
fn every_scenario_has_a_twin_that_denies() {
    let expects = |design: &Design, field: &str, words: &[&str]| -> BTreeSet<String> {
        let fits = |expectation: &&Expectation| {
            expectation
                .asserts
                .get(field)
                .is_some_and(|values| values.iter().any(|value| words.contains(&value.as_str())))
        };
        design.expect.iter().filter(fits).map(|expectation| expectation.name.clone()).collect()
    };
    let all = scenarios();
    assert!(all.len() >= 35, "{}", all.len());
    let mut numbers: BTreeMap<&str, &str> = BTreeMap::new();
    for scenario in &all {
        let (number, rest) = scenario.name.split_once('-').unwrap();
        assert!(number.len() == 3 && number.parse::<u16>().is_ok() && !rest.is_empty(), "{}", scenario.name);
        assert_eq!(numbers.insert(number, &scenario.name), None, "{}", scenario.name);
        let read = |name: &str| scenario.design(name).map(|text| design(&format!("{}/{name}", scenario.name), text));
        let (case, deny, fixed) = (read("design").unwrap(), read("deny").unwrap(), read("fixed"));
        let denied = expects(&deny, "verdict", &["dropped", "deniedByPolicy"]);
        let open = fixed.as_ref().unwrap_or(&case);
        let passes = expects(open, "verdict", &["delivered"]);
        // Where the case is itself that nothing passes the twin has a second reason.
        let twin = denied.intersection(&passes).count() > 0 || (passes.is_empty() && !denied.is_empty());
        assert!(twin, "{}: its twin denies nothing of what passes", scenario.name);
        if let Some(fixed) = &fixed {
            let asserts = |design: &Design| -> Vec<(String, _)> {
                design.expect.iter().map(|one| (one.name.clone(), one.asserts.clone())).collect()
            };
            assert_ne!(asserts(&case), asserts(fixed), "{}: fixed and the same", scenario.name);
        }
        for design in [Some(&case), Some(&deny), fixed.as_ref()].into_iter().flatten() {
            assert!(!design.expect.is_empty(), "{}", scenario.name);
        }
    }
}
/// What the scenarios expect is so.
#[test]
fn every_expectation_of_every_scenario_holds() {
    let mut wrong = Vec::new();
    let mut asked = 0;
    for scenario in &scenarios() {
        for name in ["design", "deny", "fixed"] {
            let Some(text) = scenario.design(name) else { continue };
            let design = design(&format!("{}/{name}", scenario.name), text);
            let world = causeway_trace::World::new(&design);
            for expectation in &design.expect {
                asked += 1;
                let judged = causeway_trace::expect::judge(&world, expectation);
                if !judged.passed {
                    let what = judged.because.join("; ");
                    wrong.push(format!("{}/{name}: {}: {what}", scenario.name, expectation.name));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {asked}:\n{}", wrong.len(), wrong.join("\n"));
}
