use super::*;
use crate::masquerade::{self, Settings};
use causeway_addr::Cidr;
use causeway_model::masquerade::MasqueradeConfig;

fn lowered(exempt: &[&str], family: Family) -> TableObjects {
    let exempt: Vec<Cidr> = exempt.iter().map(|text| text.parse().unwrap()).collect();
    let config = MasqueradeConfig { exempt, link_local: true, link_local_v6: true, ipv6: true };
    let ruleset = masquerade::compile(&Settings { config, ..Settings::default() });
    lower(&ruleset, Growth::Declared).remove(&masquerade::table(family)).unwrap()
}

#[test]
fn a_set_and_a_rule_per_length() {
    let objects = lowered(&["10.0.0.0/8", "10.1.0.0/16", "11.0.0.0/8", "0.0.0.0/0", "192.0.2.1/32"], Family::V4);
    let sets: Vec<(&str, usize)> = objects.sets.iter().map(|(name, set)| (name.as_str(), set.elements.len())).collect();
    assert_eq!(sets, [("exempt-0", 1), ("exempt-16", 1), ("exempt-32", 1), ("exempt-8", 2)]);
    let rules = &objects.chains["translate"].rules;
    assert_eq!(rules.len(), 5);
    assert_eq!(rules[1].expressions[1], mask(vec![255, 0, 0, 0]));
    assert_eq!(
        rules[3].expressions,
        [
            Expression::Payload { header: Header::Network, offset: 16, length: 4, to: REGISTER },
            Expression::Lookup { set: "exempt-32".into(), register: REGISTER, inverted: false },
            Expression::CountOn("exempt".into()),
            Expression::Verdict(VerdictObject::Return),
        ],
        "a whole address needs no mask"
    );
    assert_eq!(rules[4].expressions[1], Expression::Masquerade { flags: 16 });
}

#[test]
fn every_length_of_ipv6_has_its_mask() {
    let all: Vec<String> = (0..=128).map(|length| format!("::/{length}")).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let objects = lowered(&all, Family::V6);
    assert_eq!(objects.sets.len(), 129);
    let rules = &objects.chains["translate"].rules;
    assert_eq!(rules.len(), 130);
    for (length, rule) in rules.iter().enumerate().take(128) {
        let Expression::Bitwise { mask, .. } = &rule.expressions[1] else { panic!("no mask") };
        let ones: u32 = mask.iter().map(|byte| byte.count_ones()).sum();
        assert_eq!((ones as usize, mask.len()), (length, 16));
    }
}

#[test]
fn a_rule_that_only_counts_counts_once_whatever_matches() {
    let prefixes: Vec<Cidr> = ["10.0.0.0/8", "10.1.0.0/16"].map(|text| text.parse().unwrap()).to_vec();
    let count = Rule {
        matches: vec![Match::In { field: AddressField::Source, set: "some".into() }],
        counter: Some("seen".into()),
        sample: None,
        verdict: None,
        comment: String::new(),
    };
    let table = Table {
        limits: BTreeMap::new(),
        sets: BTreeMap::from([("some".into(), Set::Prefixes(PrefixSet::new(Family::V4, &prefixes)))]),
        counters: ["seen".to_owned()].into(),
        chains: BTreeMap::from([("all".into(), crate::ruleset::Chain { base: None, rules: vec![count] })]),
    };
    let objects = lower_table(TableFamily::Ip, &table, Growth::ByItself);
    let jump = Expression::Verdict(VerdictObject::Jump("all.0".into()));
    assert_eq!(objects.chains["all"].rules[0].expressions, [jump]);
    let apart = &objects.chains["all.0"].rules;
    assert_eq!(apart.len(), 2);
    assert!(apart.iter().all(|rule| rule.expressions.ends_with(&[Expression::Verdict(VerdictObject::Return)])));
}

#[test]
fn declared_sizes_leave_room() {
    for (keys, size) in [(0, 64), (48, 64), (49, 128), (96, 128), (65_536, 131_072)] {
        assert_eq!(Growth::Declared.size(keys), Some(size), "{keys} keys");
    }
    assert_eq!(Growth::ByItself.size(9), None);
}
