use super::*;

fn held(config: &MasqueradeConfig) -> HeldStatus {
    HeldStatus {
        hash: hash(config),
        desired: BTreeMap::from([(Family::V4, 1)]),
        empty: config.exempt.is_empty(),
        defaults: false,
        partial: false,
    }
}

fn rule(expected: bool) -> Shadowing {
    Shadowing { owner: "kube-proxy", expected, words: "a rule".to_owned() }
}

fn config(exempt: &[&str]) -> MasqueradeConfig {
    MasqueradeConfig {
        exempt: exempt.iter().map(|text| text.parse().unwrap()).collect(),
        ..MasqueradeConfig::default()
    }
}

#[test]
fn the_hash_tells_configurations_apart() {
    let plain = config(&["10.0.0.0/8"]);
    assert_eq!(hash(&plain), hash(&config(&["10.0.0.0/8"])));
    for other in [
        config(&[]),
        config(&["10.0.0.0/9"]),
        config(&["10.0.0.0/8", "11.0.0.0/8"]),
        MasqueradeConfig { link_local: true, ..plain.clone() },
        MasqueradeConfig { link_local_v6: true, ..plain.clone() },
        MasqueradeConfig { ipv6: true, ..plain.clone() },
    ] {
        assert_ne!(hash(&plain), hash(&other), "{other:?}");
    }
    assert!(hash(&plain) < 1 << 48);
}

#[test]
fn what_it_says_in_each_state() {
    let good = Status { held: Some(held(&config(&["10.0.0.0/8"]))), in_place: true, ..Status::default() };
    let blocked = Status { blocked: Some("no".into()), in_place: false, ..good.clone() };
    for (status, word, ready) in [
        (Status::default(), "not-ready", false),
        (good.clone(), "ok", true),
        (Status { in_place: false, failure: Some("x".into()), ..good.clone() }, "not-ready", false),
        (Status { in_place: false, ..good.clone() }, "not-ready", false),
        (Status { files_gone: true, ..good.clone() }, "degraded", true),
        (Status { unlistable: Some("gone".into()), ..good.clone() }, "degraded", true),
        (Status { doubt: Some(Doubt::ShrankToNothing(Shrunk::Both)), ..good.clone() }, "degraded", true),
        (Status { held: Some(held(&config(&[]))), ..good.clone() }, "degraded", true),
        (Status { shadowed_by: vec![rule(false)], ..good.clone() }, "degraded", true),
        (Status { shadowed_by: vec![rule(true)], ..good.clone() }, "ok", true),
        (blocked.clone(), "blocked", false),
        (Status { merged: Some(Ok(())), ..blocked.clone() }, "blocked", true),
        (Status { merged: Some(Err("full".into())), ..blocked }, "blocked", false),
    ] {
        let shown = status.to_json(Instant::now());
        assert_eq!((shown["status"].as_str(), shown["ready"].as_bool()), (Some(word), Some(ready)), "{shown:#}");
        let reasons = shown["reasons"].as_array().unwrap().len();
        assert_eq!(reasons == 0, word == "ok", "{shown:#}");
    }
}

#[test]
fn a_loop_that_does_not_come_round_hangs() {
    let now = Instant::now();
    let status = Status { alive: Some(now), patience: Duration::from_secs(90), ..Status::default() };
    assert!(status.is_alive(now + Duration::from_secs(90)));
    assert!(!status.is_alive(now + Duration::from_secs(91)));
    assert_eq!(status.to_json(now + Duration::from_secs(91))["status"], "hanging");
}
