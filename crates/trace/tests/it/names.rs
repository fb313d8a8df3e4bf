//! What becomes of a flow whose name leads elsewhere, or nowhere.

use crate::scenarios::design;
use causeway_testkit::scenarios;
use causeway_trace::ask::{Question, ask};
use causeway_trace::{Owner, Trace, Verdict, World};

/// The trace of the vault by name, from the case of a scenario with something else in it.
fn vault(scenario: &str, changes: &[(&str, &str)]) -> Trace {
    let all = scenarios();
    let found = all.iter().find(|one| one.name.ends_with(scenario)).unwrap();
    let mut text = found.design("design").unwrap().to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    let design = design(scenario, &text);
    let question = Question {
        from: "pod/shop/app".to_owned(),
        to: "kv-prod.vault.azure.net:443".to_owned(),
        ..Question::default()
    };
    ask(&World::new(&design), &question).unwrap()
}

#[test]
fn a_service_that_refuses_the_public_path_is_not_reached_on_it() {
    let trace = vault("zone-not-linked", &[]);
    let decision = trace.decided_by.as_ref().unwrap();
    assert_eq!(trace.verdict, Verdict::Dropped);
    assert_eq!(decision.owner, Owner::Platform);
    assert_eq!(decision.object, "privateDnsZones.privatelink.vaultcore.azure.net.links");
    assert!(trace.obstacles.iter().any(|obstacle| obstacle.fix.contains("to `spoke`")), "{:?}", trace.obstacles);
    assert!(!trace.forward.is_empty() && trace.source_seen.is_none() && trace.missing.is_empty());

    // Where it does not, the way is open, and a note says that there is a better one.
    let open = vault("zone-not-linked", &[("publicAccess: disabled", "publicAccess: enabled")]);
    assert_eq!(open.verdict, Verdict::Delivered);
    assert!(open.notes.iter().any(|note| note.contains("not linked to `spoke`")), "{:?}", open.notes);
    // Refused is refused, whatever the address is.
    let bare = vault("zone-not-linked", &[("address: 203.0.113.50, ", "")]);
    assert_eq!(bare.verdict, Verdict::Dropped);
}

#[test]
fn a_name_that_leads_nowhere_says_why() {
    let nothing = vault("zone-without-record", &[]);
    assert_eq!(nothing.verdict, Verdict::Dropped);
    assert_eq!(nothing.decided_by.unwrap().object, "privateDnsZones.privatelink.vaultcore.azure.net");
    assert!(nothing.missing.is_empty() && nothing.forward.is_empty());

    let round = [("dns: {forwards: {\".\": azure}}}\n  other", "dns: {forwards: {\".\": 10.10.6.4}}}\n  other")];
    let silent = vault("wrong-upstream", &round);
    assert_eq!(silent.verdict, Verdict::Dropped, "{silent:#?}");
    assert!(silent.decided_by.unwrap().because.contains("in a circle"));
    assert!(silent.missing.is_empty());

    // A server nobody described: not known, and the name of the server says so.
    let unknown = vault("wrong-upstream", &[("dnsServers: [10.10.6.4]", "dnsServers: [10.10.6.77]")]);
    assert_eq!(unknown.verdict, Verdict::Uncertain);
    assert!(unknown.missing.iter().any(|missing| missing.fact.contains("10.10.6.77")), "{:?}", unknown.missing);
}

#[test]
fn servers_that_disagree_are_both_told() {
    let trace = vault("wrong-upstream", &[("dnsServers: [10.10.6.4]", "dnsServers: [10.0.9.20, 10.10.6.4]")]);
    assert_eq!(trace.verdict, Verdict::Uncertain);
    let answers: Vec<String> = trace.resolutions.iter().map(|answer| answer.verdict.to_string()).collect();
    assert_eq!(answers, ["resolvesPrivate", "resolvesPublic"]);
    let ways: Vec<Verdict> = trace.ways.iter().map(|way| way.verdict).collect();
    assert_eq!(ways, [Verdict::Delivered, Verdict::Dropped]);
}
