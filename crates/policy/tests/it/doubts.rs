//! What nobody says of APIs, engines, places and addresses: uncertain where the verdict hangs on it, and sure where it does not.

use crate::support::{design, index};
use crate::unknown::pod;
use causeway_model::design::Protocol;
use causeway_policy::{End, Engine, Flow, Matrix, Verdict};
use serde_json::{Value, json};

/// A policy of a tier about everybody, with one rule for what comes in from everybody.
fn last_tier(kind: &str, name: &str, priority: Option<u32>, action: &str) -> Value {
    let version = if kind == "ClusterNetworkPolicy" { "v1alpha2" } else { "v1alpha1" };
    let mut spec =
        json!({"subject": {"namespaces": {}}, "ingress": [{"action": action, "from": [{"namespaces": {}}]}]});
    if let Some(priority) = priority {
        spec["priority"] = priority.into();
        spec["tier"] = "Baseline".into();
    }
    json!({"apiVersion": format!("policy.networking.k8s.io/{version}"), "kind": kind, "metadata": {"name": name}, "spec": spec})
}

#[test]
fn no_api_says_which_of_the_two_last_tiers_comes_first() {
    use Verdict::{Allowed, Denied, Uncertain};
    let old = |action: &str| last_tier("BaselineAdminNetworkPolicy", "default", None, action);
    let new = |name: &str, priority: u32, action: &str| last_tier("ClusterNetworkPolicy", name, Some(priority), action);
    for (policies, expected) in [
        (vec![old("Deny"), new("a", 0, "Accept")], Uncertain),
        (vec![old("Deny"), new("a", 5, "Accept")], Uncertain),
        (vec![old("Allow"), new("a", 5, "Deny")], Uncertain),
        (vec![old("Deny"), new("a", 5, "Pass")], Uncertain),
        (vec![old("Allow"), new("a", 5, "Pass")], Allowed),
        (vec![old("Deny"), new("a", 5, "Deny")], Denied),
        (vec![old("Allow"), new("a", 5, "Accept"), new("b", 6, "Deny")], Allowed),
        (vec![old("Deny"), new("a", 5, "Deny"), new("b", 6, "Accept")], Denied),
        (vec![old("Deny")], Denied),
        (vec![new("a", 5, "Accept"), new("b", 6, "Deny")], Allowed),
    ] {
        let all = [vec![pod("x", "a", "10.2.0.1"), pod("y", "a", "10.2.1.1")], policies.clone()].concat();
        let design = design(all);
        let index = index(&design, Engine::Strict);
        let ends = [End::Pod("y".into(), "a".into()), End::Pod("x".into(), "a".into())];
        let [from, to] = ends.clone();
        let explained = index.explain(&Flow { from, to, protocol: Protocol::Tcp, port: 80, family: None }).unwrap();
        assert_eq!(explained.verdict(), expected, "{policies:?}: {explained:#?}");
        assert_eq!(Matrix::of(&index, &ends, Protocol::Tcp, 80, None).verdict(0, 1), expected, "{policies:?}");
        let names = explained.missing.iter().any(|line| line.contains("asked first: no API says"));
        assert_eq!(names, expected == Uncertain, "{:?}", explained.missing);
    }
}

/// A cluster whose nodes and pods have ranges, with one node of two known.
fn ranged(engine: &str, more: &str) -> causeway_model::design::Design {
    let text = format!(
        "causeway: 1
name: d
networks: {{v: {{prefixes: [10.0.0.0/8], subnets: {{nodes: {{prefix: 10.1.0.0/24}}}}}}}}
hosts: {{vm: {{ip: 10.1.0.200, network: v}}}}
clusters:
  c:
    version: \"1.34\"
    mode: overlay
    podCidr: 10.244.0.0/16
    serviceCidr: 172.16.0.0/16
    networkPolicy: {engine}
    pools: {{a: {{nodes: {{count: 2}}, subnet: v/nodes}}}}
    nodes: {{n0: {{ip: 10.1.0.4, pool: a}}}}
    namespaces: {{x: {{labels: {{team: red}}}}}}
    pods:
      - {{name: sub, namespace: x, labels: {{app: sub}}, node: n0, ip: 10.244.0.4}}
      - {{name: loose, namespace: x, labels: {{app: sub}}, ip: 10.244.0.5}}
      - {{name: host, namespace: x, hostNetwork: true, node: n0}}
      - {{name: agent, namespace: x, hostNetwork: true}}
      - {{name: lone, namespace: x, hostNetwork: true, ip: 10.1.0.77}}
    policies: [{more}]
"
    );
    let input = causeway_read::Input { name: "d.yaml".into(), bytes: text.clone().into(), kind: None, found: false };
    let loaded = causeway_read::load(vec![input], &causeway_read::files::MemoryFiles::default());
    loaded.outcome.unwrap_or_else(|errors| panic!("{text}: {errors:?}")).design
}

/// Lines of `FROM TO VERDICT WORD`: the word stands in what is missing.
fn asked(index: &causeway_policy::Index, lines: &[&str], about: &str) {
    for line in lines {
        let words: Vec<&str> = line.split_whitespace().collect();
        let end = |word: &str| match word.split_once('/') {
            Some(("node", name)) => End::Node(name.to_owned()),
            Some((namespace, name)) => End::Pod(namespace.to_owned(), name.to_owned()),
            None => End::Address(word.parse().unwrap()),
        };
        let (from, to) = (end(words[0]), end(words[1]));
        let flow = Flow { from, to, protocol: Protocol::Tcp, port: 80, family: None };
        let explained = index.explain(&flow).unwrap_or_else(|| panic!("{about}: {line}"));
        assert_eq!(explained.verdict().as_str(), words[2], "{about}: {line}: {explained:#?}");
        assert_eq!(index.verdict(&flow), Some(explained.verdict()), "{about}: {line}");
        let missing = explained.missing.join("; ");
        match words.get(3) {
            Some(word) => assert!(missing.contains(word), "{about}: {line}: {missing}"),
            None => assert_eq!(missing, "", "{about}: {line}"),
        }
    }
}

#[test]
fn an_address_in_a_range_of_pods_or_nodes_is_not_outside() {
    let np = |rest: &str| {
        format!(
            "{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: p, namespace: x}}, spec: {{podSelector: {{matchLabels: {{app: sub}}}}, {rest}}}}}"
        )
    };
    let block = np("ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]");
    let pods = np("ingress: [{from: [{namespaceSelector: {}}]}]");
    for (engine, policy, lines) in [
        // Identity comes before addresses: whoever has it, or nobody.
        (
            "cilium",
            &block,
            &[
                "10.244.9.9 x/sub uncertain 10.244.9.9",
                "10.1.0.99 x/sub uncertain 10.1.0.99",
                "10.9.9.9 x/sub allowed",
                "203.0.113.9 x/sub denied",
                "10.1.0.200 x/sub allowed",
            ][..],
        ),
        ("azure", &block, &["10.244.9.9 x/sub allowed", "10.1.0.99 x/sub allowed", "203.0.113.9 x/sub denied"]),
        (
            "cilium",
            &pods,
            &[
                "10.244.9.9 x/sub uncertain pods",
                "10.1.0.99 x/sub denied",
                "10.9.9.9 x/sub denied",
                "x/loose x/sub allowed",
            ],
        ),
        ("azure", &pods, &["10.244.9.9 x/sub uncertain pods", "10.1.0.99 x/sub denied", "10.1.0.200 x/sub denied"]),
        // Where nobody is let in it makes no difference who has it, but for the pod's own node.
        (
            "azure",
            &np("policyTypes: [Ingress]"),
            &["10.244.9.9 x/sub denied", "10.1.0.99 x/sub denied", "10.1.0.99 x/loose uncertain 10.1.0.99"],
        ),
        ("azure", &np("ingress: [{}]"), &["10.244.9.9 x/sub allowed", "10.1.0.99 x/loose allowed"]),
        // The pod that sends may be one that a policy keeps from sending.
        (
            "azure",
            &np("policyTypes: [Egress]"),
            &["10.244.9.9 x/sub uncertain 10.244.9.9", "10.1.0.99 x/sub allowed", "10.9.9.9 x/sub allowed"],
        ),
    ] {
        let design = ranged(engine, policy);
        let cluster = design.clusters.values().next().unwrap();
        let index = causeway_policy::world::index(&design, cluster, causeway_policy::world::engine_of(cluster));
        asked(&index, lines, &format!("{engine}, {policy}"));
    }
}

#[test]
fn where_a_pod_runs_may_be_unknown() {
    let np = |rest: &str| {
        format!(
            "{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: p, namespace: x}}, spec: {{podSelector: {{matchLabels: {{app: sub}}}}, {rest}}}}}"
        )
    };
    let shut = np("policyTypes: [Ingress, Egress]");
    let (ingress, open) = (np("policyTypes: [Ingress]"), np("ingress: [{}]"));
    // From the node, from what shares its network, from what is on some node's; and from an address one of those has.
    for (engine, policy, lines) in [
        (
            "azure",
            &ingress,
            &[
                "node/n0 x/sub allowed",
                "x/host x/sub allowed",
                "x/agent x/sub uncertain agent",
                "x/lone x/sub uncertain lone",
                "10.1.0.77 x/sub uncertain 10.1.0.77",
                "10.1.0.4 x/sub allowed",
            ][..],
        ),
        (
            "azure",
            &ingress,
            &[
                "node/n0 x/loose uncertain loose",
                "x/host x/loose uncertain loose",
                "x/agent x/loose uncertain agent",
                "10.1.0.4 x/loose uncertain loose",
            ],
        ),
        ("azure", &open, &["node/n0 x/loose allowed", "x/agent x/loose allowed", "x/agent x/sub allowed"]),
        (
            "azure",
            &shut,
            &["x/sub node/n0 allowed", "x/loose node/n0 uncertain loose", "x/sub x/agent uncertain agent"],
        ),
        // Cilium keeps the way to the own node shut like any other.
        (
            "cilium",
            &shut,
            &[
                "x/sub node/n0 denied",
                "x/loose node/n0 denied",
                "x/sub x/agent denied",
                "node/n0 x/loose uncertain loose",
            ],
        ),
        (
            "calico",
            &shut,
            &["x/sub node/n0 uncertain whether", "x/loose node/n0 uncertain loose", "node/n0 x/sub allowed"],
        ),
    ] {
        let design = ranged(engine, policy);
        let cluster = design.clusters.values().next().unwrap();
        let index = causeway_policy::world::index(&design, cluster, causeway_policy::world::engine_of(cluster));
        asked(&index, lines, &format!("{engine}, {policy}"));
        let ends: Vec<End> = index.pods().chain(index.nodes()).collect();
        let matrix = Matrix::of(&index, &ends, Protocol::Tcp, 80, None);
        for (at, from) in ends.iter().enumerate() {
            for (other, to) in ends.iter().enumerate() {
                let flow = Flow { from: from.clone(), to: to.clone(), protocol: Protocol::Tcp, port: 80, family: None };
                assert_eq!(Some(matrix.verdict(at, other)), index.verdict(&flow), "{engine}, {policy}: {flow:?}");
            }
        }
    }
}

#[test]
fn a_policy_nobody_evaluates_is_about_whom_its_selector_may_mean() {
    use Verdict::{Allowed, Uncertain};
    let labelled = |name: &str, ip: &str| pod("x", name, ip);
    let node = |name: &str, ip: &str, pool: &str| {
        json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": {"pool": pool}},
            "status": {"addresses": [{"type": "InternalIP", "address": ip}]}})
    };
    let cilium = |kind: &str, spec: &Value| {
        let mut metadata = json!({"name": "l7"});
        if kind == "CiliumNetworkPolicy" {
            metadata["namespace"] = "x".into();
        }
        json!({"apiVersion": "cilium.io/v2", "kind": kind, "metadata": metadata, "spec": spec})
    };
    let (own, wide) = ("CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy");
    let calico = |selector: &str| {
        json!({"apiVersion": "projectcalico.org/v3", "kind": "NetworkPolicy", "metadata": {"name": "l7", "namespace": "x"},
            "spec": {"selector": selector}})
    };
    // From b to a, from c to b, from the node n1 to b, from a to the node n1.
    for (policy, engine, expected) in [
        (
            cilium(own, &json!({"endpointSelector": {"matchLabels": {"app": "a"}}})),
            Engine::Cilium,
            [Uncertain, Allowed, Allowed, Uncertain],
        ),
        (
            cilium(own, &json!({"endpointSelector": {"matchLabels": {"k8s:app": "a"}}})),
            Engine::Cilium,
            [Uncertain, Allowed, Allowed, Uncertain],
        ),
        (
            cilium(own, &json!({"endpointSelector": {"matchLabels": {"app": "z"}}})),
            Engine::Cilium,
            [Allowed, Allowed, Allowed, Allowed],
        ),
        (cilium(own, &json!({"endpointSelector": {}})), Engine::Cilium, [Uncertain, Uncertain, Uncertain, Uncertain]),
        (
            cilium(wide, &json!({"endpointSelector": {"matchLabels": {"k8s:io.kubernetes.pod.namespace": "y"}}})),
            Engine::Cilium,
            [Allowed, Allowed, Allowed, Allowed],
        ),
        (
            cilium(wide, &json!({"nodeSelector": {"matchLabels": {"pool": "p"}}})),
            Engine::Cilium,
            [Allowed, Allowed, Uncertain, Uncertain],
        ),
        (
            cilium(wide, &json!({"nodeSelector": {"matchLabels": {"pool": "q"}}})),
            Engine::Cilium,
            [Allowed, Allowed, Allowed, Allowed],
        ),
        (cilium(own, &json!({"ingress": []})), Engine::Cilium, [Uncertain, Uncertain, Uncertain, Uncertain]),
        (calico("app == 'a'"), Engine::Calico, [Uncertain, Allowed, Allowed, Uncertain]),
        (calico("app == 'a'"), Engine::Cilium, [Allowed, Allowed, Allowed, Allowed]),
        (calico("app == 'a' || app == 'b'"), Engine::Calico, [Uncertain, Uncertain, Uncertain, Uncertain]),
    ] {
        let all = vec![
            labelled("a", "10.2.0.1"),
            labelled("b", "10.2.0.2"),
            labelled("c", "10.2.0.3"),
            node("n1", "10.1.0.5", "p"),
            policy.clone(),
        ];
        let design = design(all);
        let index = causeway_policy::world::index(&design, design.clusters.values().next().unwrap(), engine);
        let pod = |name: &str| End::Pod("x".into(), name.into());
        let ends = [pod("a"), pod("b"), pod("c"), End::Node("n1".into())];
        let matrix = Matrix::of(&index, &ends, Protocol::Tcp, 80, None);
        for ((from, to), expected) in [(1, 0), (2, 1), (3, 1), (0, 3)].into_iter().zip(expected) {
            let flow = Flow {
                from: ends[from].clone(),
                to: ends[to].clone(),
                protocol: Protocol::Tcp,
                port: 80,
                family: None,
            };
            let explained = index.explain(&flow).unwrap();
            assert_eq!(explained.verdict(), expected, "{engine}, {policy}: {flow:?}: {explained:#?}");
            assert_eq!(index.verdict(&flow), Some(expected), "{engine}, {policy}: {flow:?}");
            assert_eq!(matrix.verdict(from, to), expected, "{engine}, {policy}: {flow:?}");
            let names = explained.missing.iter().any(|line| line.contains("l7"));
            assert_eq!(names, expected == Uncertain, "{policy}: {:?}", explained.missing);
        }
    }
}
