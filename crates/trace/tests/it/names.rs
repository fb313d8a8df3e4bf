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

/// A policy that lets the vault through and forgot the cluster's DNS, which nobody described.
#[test]
fn a_pod_that_may_not_ask_for_names_gets_none() {
    let policy = |more: &str| {
        format!(
            "    policies:\n      - apiVersion: networking.k8s.io/v1\n        kind: NetworkPolicy\n        metadata: {{name: only-vault, namespace: shop}}\n        \
             spec: {{podSelector: {{}}, policyTypes: [Egress], egress: [{{to: [{{ipBlock: {{cidr: 10.0.9.4/32}}}}]}}{more}]}}\nexpect:"
        )
    };
    let linked = ("{links: [hub]", "{links: [spoke]");
    let forgot = vault("zone-not-linked", &[linked, ("expect:", &policy(""))]);
    assert_eq!(forgot.verdict, Verdict::DeniedByPolicy);
    let decision = forgot.decided_by.unwrap();
    assert_eq!((decision.owner, decision.object.as_str()), (Owner::NetworkPolicy, "clusters.prod.policies.0"));

    let to_dns = ", {to: [{namespaceSelector: {}, podSelector: {matchLabels: {k8s-app: kube-dns}}}], ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]}";
    let open = [linked, ("expect:", &policy(to_dns))];
    assert_eq!(vault("zone-not-linked", &open).verdict, Verdict::Delivered);
    // LocalDNS is asked on the node, which that rule does not open.
    let local = ("    dnsServiceIp: 172.16.0.10", "    dnsServiceIp: 172.16.0.10\n    localDns: true");
    assert_eq!(vault("zone-not-linked", &[open[0], open[1], local]).verdict, Verdict::DeniedByPolicy);
    let to_node = format!("{to_dns}, {{to: [{{ipBlock: {{cidr: 169.254.10.0/24}}}}]}}");
    assert_eq!(vault("zone-not-linked", &[linked, ("expect:", &policy(&to_node)), local]).verdict, Verdict::Delivered);
}
