//! What the API server refuses is a fault, and what stands beside it in other words is none.

use super::read;
use crate::tree::{Limits, parse};
use causeway_model::source::FileId;

const NETWORK: &str =
    "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: x}\nspec: ";
const CLUSTER: &str =
    "apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {name: p}\nspec: ";
const ADMIN: &str =
    "apiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\nmetadata: {name: p}\nspec: ";
const BASELINE: &str = "apiVersion: policy.networking.k8s.io/v1alpha1\nkind: BaselineAdminNetworkPolicy\nmetadata: {name: default}\nspec: ";

fn faults(text: &str) -> Vec<String> {
    let documents = parse(text, FileId(0), &Limits::default()).unwrap_or_else(|error| panic!("{text}: {error:?}"));
    let policy = read(&documents[0]).expect("a known kind").policy;
    policy.faults.into_iter().map(|fault| format!("{}: {}", fault.path, fault.message)).collect()
}

/// Each of these has a fault that says so; each good one has none.
fn hold(start: &str, cases: &[(&str, &str, &str)]) {
    for (bad, wanted, good) in cases {
        let found = faults(&format!("{start}{bad}"));
        assert!(found.iter().any(|fault| fault.contains(wanted)), "{bad}: {found:?}, not `{wanted}`");
        assert_eq!(faults(&format!("{start}{good}")), Vec::<String>::new(), "{good}");
    }
}

#[test]
fn of_a_network_policy() {
    let peer = |peer: &str| format!("{{podSelector: {{}}, ingress: [{{from: [{peer}]}}]}}");
    let port = |port: &str| format!("{{podSelector: {{}}, egress: [{{ports: [{port}]}}]}}");
    let selector = |selector: &str| format!("{{podSelector: {selector}}}");
    let cases = [
        (selector("{matchLabels: {app: 8080}}"), "put it in quotes", selector("{matchLabels: {app: '8080'}}")),
        (selector("{matchLabels: {app: true}}"), "put it in quotes", selector("{matchLabels: {app: 'true'}}")),
        (selector("{matchLabels: {app: yes}}"), "put it in quotes", selector("{matchLabels: {app: 'yes'}}")),
        (selector("{matchLabels: {app: [a]}}"), "must be text, not", selector("{matchLabels: {app: a}}")),
        (selector("{matchLabels: {app: -a}}"), "a label's value", selector("{matchLabels: {app: ''}}")),
        (selector("{matchLabels: {a b: c}}"), "no name of a label", selector("{matchLabels: {a.b/c_d: c}}")),
        (
            selector("{matchExpressions: [{key: a, operator: In, values: [1]}]}"),
            "matchExpressions.0.values.0",
            selector("{matchExpressions: [{key: a, operator: In, values: ['1']}]}"),
        ),
        (
            selector("{matchExpressions: [{key: a, operator: In, values: []}]}"),
            "`In` needs `values`",
            selector("{matchExpressions: [{key: a, operator: NotIn, values: [b]}]}"),
        ),
        (
            selector("{matchExpressions: [{key: a, operator: Exists, values: [b]}]}"),
            "takes no `values`",
            selector("{matchExpressions: [{key: a, operator: DoesNotExist}]}"),
        ),
        (
            selector("{matchExpressions: [{key: -a, operator: Exists}]}"),
            "no name of a label",
            selector("{matchExpressions: [{key: a, operator: Exists}]}"),
        ),
        (
            selector("{matchExpressions: [{key: a, operator: exists}]}"),
            "operator",
            selector("{matchExpressions: [{key: a, operator: Exists, values: []}]}"),
        ),
        (peer("{}"), "a peer needs", peer("{podSelector: {}}")),
        (
            peer("{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}"),
            "can't stand beside",
            peer("{namespaceSelector: {}, podSelector: {}}"),
        ),
        (peer("{ipBlock: {cidr: 10.0.0.0}}"), "must be a prefix", peer("{ipBlock: {cidr: 10.0.0.0/8}}")),
        (peer("{ipBlock: {cidr: ' 10.0.0.0/8'}}"), "must be a prefix", peer("{ipBlock: {cidr: 10.1.2.3/8}}")),
        (peer("{ipBlock: {except: [10.0.0.0/8]}}"), "needs `cidr`", peer("{ipBlock: {cidr: 'fd00::/8'}}")),
        (
            peer("{ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/9]}}"),
            "must be a part",
            peer("{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/9]}}"),
        ),
        (
            peer("{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8]}}"),
            "not all of it",
            peer("{ipBlock: {cidr: 10.0.0.0/8, except: []}}"),
        ),
        (
            peer("{ipBlock: {cidr: 10.0.0.0/8, except: ['fd00::/16']}}"),
            "must be a part",
            peer("{ipBlock: {cidr: 'fd00::/8', except: ['fd00::/16']}}"),
        ),
        (port("{endPort: 90}"), "needs `port`", port("{protocol: SCTP}")),
        (port("{port: http, endPort: 90}"), "is a number", port("{port: http}")),
        (port("{port: 90, endPort: 80}"), "comes before", port("{port: 80, endPort: 80}")),
        (port("{port: 0}"), "from 1 to 65535", port("{port: 1}")),
        (port("{port: 70000}"), "from 1 to 65535", port("{port: 65535}")),
        (port("{port: '80'}"), "without quotes", port("{port: 80}")),
        (port("{port: a--b}"), "name of a port", port("{port: a-b}")),
        (port("{port: 80, protocol: tcp}"), "`TCP`", port("{port: 80, protocol: TCP}")),
        (port("{port: 80, protocol: ICMP}"), "`TCP`", port("{port: 80, protocol: UDP}")),
        (
            "{podSelector: {}, policyTypes: [ingress]}".to_owned(),
            "`Ingress` or `Egress`",
            "{podSelector: {}, policyTypes: [Ingress]}".to_owned(),
        ),
        (
            "{podSelector: {}, policyTypes: [Ingress, Egress, Ingress]}".to_owned(),
            "more than two",
            "{podSelector: {}, policyTypes: [Ingress, Egress]}".to_owned(),
        ),
        ("{podSelektor: {}}".to_owned(), "did you mean `podSelector`", "{podSelector: {}}".to_owned()),
    ];
    let cases: Vec<(&str, &str, &str)> =
        cases.iter().map(|(bad, say, good)| (bad.as_str(), *say, good.as_str())).collect();
    hold(NETWORK, &cases);
    let named = |name: &str| NETWORK.replace("name: p", &format!("name: {name}"));
    assert!(
        faults(&format!("{}{{podSelector: {{}}}}", named("Upper"))).iter().any(|fault| fault.contains("metadata.name"))
    );
    assert!(faults(&format!("{}{{podSelector: {{}}}}", named("a.b-c"))).is_empty());
}

#[test]
fn of_tiers() {
    let rule = |rest: &str| {
        format!("{{tier: Admin, priority: 1, subject: {{namespaces: {{}}}}, egress: [{{action: Accept, {rest}}}]}}")
    };
    let to = |peer: &str| rule(&format!("to: [{peer}]"));
    let with = |protocols: &str| rule(&format!("to: [{{namespaces: {{}}}}], protocols: {protocols}"));
    let standing = |text: &str, subject: &str| format!("{{{text}, subject: {subject}, ingress: []}}");
    let all = "{namespaces: {}}";
    let many = |count: usize| vec![all; count].join(", ");
    let cases = [
        (standing("tier: Admin, priority: 1001", all), "0 to 1000", standing("tier: Admin, priority: 1000", all)),
        (standing("tier: Admin, priority: '5'", all), "0 to 1000", standing("tier: Baseline, priority: 0", all)),
        (standing("tier: admin, priority: 5", all), "`Admin` or `Baseline`", standing("tier: Admin, priority: 5", all)),
        (
            standing("tier: Admin, priority: 5", "{namespaces: {}, pods: {podSelector: {}}}"),
            "exactly one of",
            standing("tier: Admin, priority: 5", "{pods: {podSelector: {}}}"),
        ),
        (standing("tier: Admin, priority: 5", "{}"), "exactly one of", standing("tier: Admin, priority: 5", all)),
        (
            standing("tier: Admin, priority: 5", "{pods: {namespaceSelector: {}}}"),
            "needs `podSelector`",
            standing("tier: Admin, priority: 5", "{pods: {namespaceSelector: {}, podSelector: {}}}"),
        ),
        (with("[]"), "is empty", with("[{tcp: {destinationPort: {number: 80}}}]")),
        (with("[{}]"), "exactly one of", with("[{destinationNamedPort: http}]")),
        (
            with("[{tcp: {destinationPort: {number: 80}}, udp: {destinationPort: {number: 80}}}]"),
            "exactly one of",
            with("[{tcp: {destinationPort: {number: 80}}}, {udp: {destinationPort: {number: 80}}}]"),
        ),
        (
            with("[{tcp: {destinationPort: {}}}]"),
            "exactly one of",
            with("[{tcp: {destinationPort: {range: {start: 80, end: 81}}}}]"),
        ),
        (
            with("[{tcp: {destinationPort: {range: {start: 80, end: 80}}}}]"),
            "less than `end`",
            with("[{sctp: {destinationPort: {range: {start: 1, end: 65535}}}}]"),
        ),
        (rule("to: []"), "at least one peer", to(all)),
        (to("{}"), "exactly one of", to("{nodes: {}}")),
        (to("{namespaces: {}, nodes: {}}"), "exactly one of", to("{pods: {podSelector: {}}}")),
        (to("{networks: []}"), "must have 1 to 25", to("{networks: [10.0.0.0/8]}")),
        (to("{networks: [10.0.0.0/8, 10.0.0.0/8]}"), "twice", to("{networks: [10.0.0.0/8, 'fd00::/8']}")),
        (to("{networks: [10.0.0.0]}"), "must be a prefix", to("{networks: [10.0.0.1/32]}")),
        (to("{domainNames: ['*']}"), "a DNS name", to("{domainNames: ['*.example.org', example.org]}")),
        (
            to("{networks: [10.0.0.0/8]}], protocols: [{destinationNamedPort: http}"),
            "can't stand beside",
            to("{namespaces: {}}], protocols: [{destinationNamedPort: http}"),
        ),
        (rule(&format!("to: [{}]", many(26))), "may have 25", rule(&format!("to: [{}]", many(25)))),
        (
            rule(&format!("name: {}, to: [{all}]", "n".repeat(101))),
            "100 characters",
            rule(&format!("name: n, to: [{all}]")),
        ),
        (to(all).replace("Accept", "Allow"), "`Accept`, `Deny` or `Pass`", to(all).replace("Accept", "Pass")),
        (
            to("{domainNames: [example.org]}").replace("Accept", "Deny"),
            "`action: Accept`",
            to("{domainNames: [example.org]}"),
        ),
    ];
    let cases: Vec<(&str, &str, &str)> =
        cases.iter().map(|(bad, say, good)| (bad.as_str(), *say, good.as_str())).collect();
    hold(CLUSTER, &cases);
}

#[test]
fn of_the_first_version_of_tiers() {
    let rule = |rest: &str| {
        format!("{{subject: {{namespaces: {{}}}}, ingress: [{{action: Allow, from: [{{namespaces: {{}}}}], {rest}}}]}}")
    };
    let cases = [
        (rule("ports: []"), "is empty", rule("ports: [{namedPort: http}]")),
        (rule("ports: [{}]"), "exactly one of", rule("ports: [{portNumber: {protocol: TCP, port: 80}}]")),
        (
            rule("ports: [{portNumber: {protocol: TCP, port: 80}, namedPort: http}]"),
            "exactly one of",
            rule("ports: [{portRange: {protocol: TCP, start: 80, end: 81}}]"),
        ),
        (
            rule("name: x").replace("namespaces: {}}, in", "pods: {podSelector: {}}}, in"),
            "needs `namespaceSelector`",
            rule("name: x").replace("namespaces: {}}, in", "pods: {namespaceSelector: {}, podSelector: {}}}, in"),
        ),
        (rule("name: x").replace("Allow", "Pass"), "`Allow` or `Deny`", rule("name: x").replace("Allow", "Deny")),
        (rule("name: x").replacen('{', "{priority: 5, ", 1), "no field `priority`", rule("name: x")),
    ];
    let cases: Vec<(&str, &str, &str)> =
        cases.iter().map(|(bad, say, good)| (bad.as_str(), *say, good.as_str())).collect();
    hold(BASELINE, &cases);
    let other = BASELINE.replace("name: default", "name: mine");
    assert!(faults(&format!("{other}{}", rule("name: x"))).iter().any(|fault| fault.contains("`default`, not `mine`")));
    let admin = rule("name: x").replacen('{', "{priority: 5, ", 1);
    hold(
        ADMIN,
        &[(&rule("name: x"), "0 to 1000", &admin), (&admin.replace("Allow", "Accept"), "`Allow`, `Deny`", &admin)],
    );
}
