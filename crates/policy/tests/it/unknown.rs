//! What is not known: a verdict that is sure without it stays what it is once it is known, in every engine's reading.

use crate::support::{design, index};
use causeway_addr::Family;
use causeway_model::design::{PolicyEngine, Protocol};
use causeway_policy::{End, Engine, Flow, Index, Matrix, Verdict};
use causeway_testkit::{Random, policies};
use serde_json::{Value, json};

/// The same cluster, where pods of their own address have none yet and some namespaces were not seen.
fn without_addresses(objects: &[Value], random: &mut Random) -> Vec<Value> {
    let mut out = objects.to_vec();
    out.retain(|object| object["kind"] != "Namespace" || random.once_in(2));
    for object in out.iter_mut().filter(|object| object["kind"] == "Pod") {
        if object["spec"]["hostNetwork"] == false && random.once_in(2) {
            object["status"].as_object_mut().unwrap().retain(|key, _| key == "phase");
        }
    }
    out
}

#[test]
fn what_is_sure_stays_so() {
    let first = Random::seed();
    eprintln!("CAUSEWAY_SEED={first}");
    let (mut sure, mut unsure) = (0_usize, 0_usize);
    for seed in (first..).take(80) {
        let objects = policies::cluster(seed);
        let mut random = Random::new(seed);
        let (whole, part) = (design(objects.clone()), design(without_addresses(&objects, &mut random)));
        let engine = Engine::WORDS[usize::try_from(seed % 4).unwrap()].1;
        let (known, unknown) = (index(&whole, engine), index(&part, engine));
        let mut ends: Vec<End> = unknown.pods().collect();
        let pods = ends.clone();
        ends.extend(["203.0.113.9", "10.1.0.4"].map(|text| End::Address(text.parse().unwrap())));
        for (protocol, port) in [(Protocol::Tcp, 80), (Protocol::Tcp, 82), (Protocol::Udp, 81), (Protocol::Icmp, 0)] {
            let matrix = Matrix::of(&unknown, &pods, protocol, port, Some(Family::V4));
            for from in 0..pods.len() {
                let one_by_one: Vec<_> = (0..pods.len()).map(|to| matrix.cell(from, to, None)).collect();
                assert_eq!(matrix.row(from, None), one_by_one, "CAUSEWAY_SEED={seed}, {engine}: row {from}");
            }
            for (from_at, from) in ends.iter().enumerate() {
                for (to_at, to) in ends.iter().enumerate() {
                    let family = Some(Family::V4);
                    let flow = Flow { from: from.clone(), to: to.clone(), protocol, port, family };
                    let (now, then) = (unknown.verdict(&flow).unwrap(), known.verdict(&flow).unwrap());
                    let explained = unknown.explain(&flow).unwrap();
                    assert_eq!(explained.verdict(), now, "CAUSEWAY_SEED={seed}, {engine}: {flow:?}: {explained:#?}");
                    if from_at < pods.len() && to_at < pods.len() {
                        assert_eq!(matrix.verdict(from_at, to_at), now, "CAUSEWAY_SEED={seed}, {engine}: {flow:?}");
                    }
                    match now {
                        Verdict::Uncertain => {
                            unsure += 1;
                            assert!(!explained.missing.is_empty(), "CAUSEWAY_SEED={seed}, {engine}: {explained:#?}");
                        }
                        _ => {
                            sure += 1;
                            // An engine of which something else is not known may still be unsure.
                            assert_eq!(now, then, "CAUSEWAY_SEED={seed}, {engine}: {flow:?}: {explained:#?}");
                        }
                    }
                }
            }
        }
    }
    assert!(sure > 10_000 && unsure > 100, "{sure} sure, {unsure} not");
}

pub(crate) fn pod(namespace: &str, name: &str, ip: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace, "labels": {"app": name}},
        "spec": {"nodeName": "n0", "containers": [{"name": "c"}]},
        "status": {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}]}})
}

fn from(namespace: &str, peers: &Value) -> Value {
    json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "p", "namespace": namespace},
        "spec": {"podSelector": {}, "ingress": [{"from": peers}]}})
}

#[test]
fn the_internet_is_every_address_of_it() {
    let block = |cidr: &str, except: &[&str]| json!({"ipBlock": {"cidr": cidr, "except": except}});
    for (peers, expected) in [
        (json!([block("203.0.113.0/24", &[])]), Verdict::Uncertain),
        (json!([block("20.0.0.0/8", &[])]), Verdict::Uncertain),
        (json!([block("0.0.0.0/0", &["203.0.113.0/24"])]), Verdict::Uncertain),
        (json!([block("0.0.0.0/0", &["198.51.100.7/32"])]), Verdict::Uncertain),
        (json!([block("0.0.0.0/0", &["10.0.0.0/8", "192.168.0.0/16"])]), Verdict::Allowed),
        (json!([block("0.0.0.0/1", &[]), block("128.0.0.0/1", &[])]), Verdict::Allowed),
        (json!([block("10.0.0.0/8", &[])]), Verdict::Denied),
        (json!([{"podSelector": {}}]), Verdict::Denied),
    ] {
        let design = design(vec![pod("x", "a", "10.2.0.1"), from("x", &peers)]);
        let index = index(&design, Engine::Strict);
        let (from, to) = (End::Address("203.0.113.1".parse().unwrap()), End::Pod("x".into(), "a".into()));
        let flow = Flow { from, to, protocol: Protocol::Tcp, port: 80, family: None };
        let (_, explained) = index.explain_internet(&flow, true).unwrap();
        assert_eq!(explained.verdict(), expected, "{peers}: {explained:#?}");
        let asks = explained.missing.iter().any(|line| line.contains("name the address itself"));
        assert_eq!(asks, expected == Verdict::Uncertain, "{peers}: {:?}", explained.missing);
    }
}

#[test]
fn of_two_with_one_priority_none_shadows_the_other() {
    let tier = |name: &str, priority: u32, action: &str| {
        json!({"apiVersion": "policy.networking.k8s.io/v1alpha2", "kind": "ClusterNetworkPolicy", "metadata": {"name": name},
            "spec": {"tier": "Admin", "priority": priority, "subject": {"namespaces": {}},
                "ingress": [{"action": action, "from": [{"namespaces": {}}]}]}})
    };
    for (second, shadowed) in [(5, 0), (6, 1)] {
        let design = design(vec![pod("x", "a", "10.2.0.1"), tier("a", 5, "Accept"), tier("b", second, "Deny")]);
        assert_eq!(index(&design, Engine::Strict).shadowed().len(), shadowed, "{second}");
    }
}

#[test]
fn labels_of_namespaces_nobody_has_seen_are_not_known() {
    let labels = |team: &str| json!({"namespaceSelector": {"matchLabels": {"team": team}}});
    let not =
        json!({"namespaceSelector": {"matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["b"]}]}});
    let name = |name: &str| json!({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}});
    let both = json!({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "z", "team": "b"}}});
    for (peer, unseen, seen) in [
        (labels("b"), Verdict::Uncertain, Verdict::Allowed),
        (not, Verdict::Uncertain, Verdict::Denied),
        (name("y"), Verdict::Allowed, Verdict::Allowed),
        (name("z"), Verdict::Denied, Verdict::Denied),
        (both, Verdict::Denied, Verdict::Denied),
        (json!({"namespaceSelector": {}}), Verdict::Allowed, Verdict::Allowed),
    ] {
        let objects = vec![pod("x", "a", "10.2.0.1"), pod("y", "a", "10.2.1.1"), from("x", &json!([peer]))];
        let with = [objects.clone(), vec![crate::support::namespace("y", &json!({"team": "b"}))]].concat();
        for (objects, expected) in [(objects, unseen), (with, seen)] {
            let design = design(objects);
            let index = index(&design, Engine::Strict);
            let ends = [End::Pod("y".into(), "a".into()), End::Pod("x".into(), "a".into())];
            let [from, to] = ends.clone();
            let explained = index.explain(&Flow { from, to, protocol: Protocol::Tcp, port: 80, family: None }).unwrap();
            assert_eq!(explained.verdict(), expected, "{peer}: {explained:#?}");
            let names = explained.missing.iter().any(|line| line.contains("namespace `y`"));
            assert_eq!(names, expected == Verdict::Uncertain, "{peer}: {:?}", explained.missing);
            assert_eq!(Matrix::of(&index, &ends, Protocol::Tcp, 80, None).verdict(0, 1), expected, "{peer}");
        }
    }
}

#[test]
fn whom_a_policy_is_about_may_be_unknown() {
    let policy = json!({"apiVersion": "policy.networking.k8s.io/v1alpha1", "kind": "AdminNetworkPolicy", "metadata": {"name": "a"},
        "spec": {"priority": 1, "subject": {"namespaces": {"matchLabels": {"team": "a"}}},
            "ingress": [{"action": "Deny", "from": [{"namespaces": {}}]}]}});
    let objects = [pod("x", "a", "10.2.0.1"), pod("y", "a", "10.2.1.1"), policy];
    for (labels, expected, selects) in [
        (None, Verdict::Uncertain, true),
        (Some(json!({"team": "a"})), Verdict::Denied, true),
        (Some(json!({})), Verdict::Allowed, false),
    ] {
        let seen = labels.iter().flat_map(|labels| ["x", "y"].map(|name| crate::support::namespace(name, labels)));
        let design = design(objects.iter().cloned().chain(seen).collect());
        let index = index(&design, Engine::Strict);
        let ends = [End::Pod("y".into(), "a".into()), End::Pod("x".into(), "a".into())];
        assert_eq!(Matrix::of(&index, &ends, Protocol::Tcp, 80, None).verdict(0, 1), expected, "{labels:?}");
        assert_eq!(index.selects_anybody(&index.policies()[0].id.clone()), selects, "{labels:?}");
    }
}

#[test]
fn what_policies_say_that_nobody_evaluates_is_not_known() {
    let own = json!({"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy", "metadata": {"name": "l7", "namespace": "x"},
        "spec": {"endpointSelector": {}}});
    let all = json!({"apiVersion": "cilium.io/v2", "kind": "CiliumClusterwideNetworkPolicy", "metadata": {"name": "l7"},
        "spec": {"endpointSelector": {}}});
    let pods = [("x", "a", "10.2.0.1"), ("y", "a", "10.2.1.1"), ("z", "a", "10.2.2.1")];
    let pods: Vec<Value> = pods.iter().map(|(namespace, name, ip)| pod(namespace, name, ip)).collect();
    let closed = from("x", &json!([{"podSelector": {}}]));
    use Verdict::{Allowed, Denied, Uncertain};
    // From y to x, from x to y, from z to y.
    for (more, engine, expected) in [
        (vec![&own], Engine::Cilium, [Uncertain, Uncertain, Allowed]),
        (vec![&own, &closed], Engine::Cilium, [Uncertain, Uncertain, Allowed]),
        (vec![&own, &closed], Engine::Npm, [Denied, Allowed, Allowed]),
        (vec![&own, &closed], Engine::Calico, [Denied, Allowed, Allowed]),
        (vec![&own], Engine::Strict, [Uncertain, Uncertain, Allowed]),
        (vec![&all], Engine::Cilium, [Uncertain, Uncertain, Uncertain]),
        (vec![&closed], Engine::Cilium, [Denied, Allowed, Allowed]),
    ] {
        let design = design(pods.iter().chain(more.iter().copied()).cloned().collect());
        let index = causeway_policy::world::index(&design, design.clusters.values().next().unwrap(), engine);
        let ends: Vec<End> = index.pods().collect();
        let matrix = Matrix::of(&index, &ends, Protocol::Tcp, 80, None);
        for ((from, to), expected) in [(1, 0), (0, 1), (2, 1)].into_iter().zip(expected) {
            let flow = Flow {
                from: ends[from].clone(),
                to: ends[to].clone(),
                protocol: Protocol::Tcp,
                port: 80,
                family: None,
            };
            let explained = index.explain(&flow).unwrap();
            assert_eq!(explained.verdict(), expected, "{engine}, {more:?}, {from} to {to}: {explained:#?}");
            assert_eq!(matrix.verdict(from, to), expected, "{engine}, {more:?}, {from} to {to}");
        }
    }
}

#[test]
fn a_difference_is_what_explanations_differ_in_own_nodes_too() {
    let node = |name: &str, ip: &str| {
        json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": {}},
            "status": {"addresses": [{"type": "InternalIP", "address": ip}]}})
    };
    let mut host = pod("x", "h", "10.1.0.4");
    host["spec"]["hostNetwork"] = json!(true);
    let mut far = pod("x", "far", "10.2.0.2");
    far["spec"]["nodeName"] = json!("n1");
    let objects = vec![node("n0", "10.1.0.4"), node("n1", "10.1.0.5"), pod("x", "a", "10.2.0.1"), far, host];
    let closed = json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "p", "namespace": "x"},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}});
    let (open, shut) = (design(objects.clone()), design([objects, vec![closed]].concat()));
    for (before, after) in [
        (index(&open, Engine::Strict), index(&shut, Engine::Strict)),
        (index(&shut, Engine::Strict), index(&shut, Engine::Cilium)),
        (index(&open, Engine::Cilium), index(&shut, Engine::Cilium)),
        (index(&open, Engine::Calico), index(&shut, Engine::Calico)),
    ] {
        let found = causeway_policy::difference(&before, &after, None);
        let ends: Vec<End> = before.pods().chain(before.nodes()).collect();
        for from in &ends {
            for to in ends.iter().filter(|to| *to != from) {
                let flow = Flow { from: from.clone(), to: to.clone(), protocol: Protocol::Tcp, port: 80, family: None };
                let (was, is) = (before.verdict(&flow).unwrap(), after.verdict(&flow).unwrap());
                let is_of = |party: &causeway_policy::Party, end: &End| match (party, end) {
                    (causeway_policy::Party::Pods(of, names), End::Pod(namespace, name)) => {
                        of == namespace && names.contains(name)
                    }
                    (causeway_policy::Party::Unseen(name), end) => *name == end.to_string(),
                    _ => false,
                };
                let mut changes =
                    found.changes.iter().filter(|change| is_of(&change.from, from) && is_of(&change.to, to));
                assert_eq!(changes.next().is_some(), was != is, "{flow:?}: {was}, then {is}: {:#?}", found.changes);
                assert_eq!(changes.next(), None, "{flow:?}");
            }
        }
    }
}

#[test]
fn without_an_engine_no_policy_is_enforced() {
    let design =
        design(vec![pod("x", "a", "10.2.0.1"), pod("y", "a", "10.2.1.1"), from("x", &json!([{"podSelector": {}}]))]);
    for (stated, engine, expected, unenforced) in [
        (Some(PolicyEngine::None), Engine::None, Verdict::Allowed, 1),
        (None, Engine::Strict, Verdict::Denied, 0),
        (Some(PolicyEngine::Cilium), Engine::Cilium, Verdict::Denied, 0),
    ] {
        let mut cluster = design.clusters.values().next().unwrap().clone();
        cluster.network_policy = stated;
        assert_eq!(causeway_policy::world::engine_of(&cluster), engine);
        let index = causeway_policy::world::index(&design, &cluster, engine);
        let ends = [End::Pod("y".into(), "a".into()), End::Pod("x".into(), "a".into())];
        assert_eq!(Matrix::of(&index, &ends, Protocol::Tcp, 80, None).verdict(0, 1), expected, "{engine}");
        assert_eq!(index.unenforced().len(), unenforced, "{engine}");
    }
}

#[test]
fn a_range_of_ports_is_sure_where_every_version_reads_it() {
    let range = json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "p", "namespace": "x"},
        "spec": {"podSelector": {}, "ingress": [{"ports": [{"port": 80, "endPort": 90}]}]}});
    let design = design(vec![pod("x", "a", "10.2.0.1"), pod("y", "a", "10.2.1.1"), range]);
    // On the first port, on another one of the range, and outside of it, where the policy may be not enforced at all.
    use Verdict::{Allowed, Denied, Uncertain};
    for (version, engine, verdicts) in [
        (None, Engine::Cilium, [Allowed, Uncertain, Uncertain]),
        (Some("1.31.0"), Engine::Cilium, [Allowed, Uncertain, Uncertain]),
        (Some("1.32.0"), Engine::Cilium, [Allowed, Allowed, Denied]),
        (None, Engine::Strict, [Allowed, Allowed, Denied]),
        (None, Engine::Npm, [Allowed, Allowed, Denied]),
    ] {
        let mut cluster = design.clusters.values().next().unwrap().clone();
        cluster.version = version.map(|text| causeway_model::design::Version::parse(text).unwrap());
        let index = causeway_policy::world::index(&design, &cluster, engine);
        let ends = [End::Pod("y".into(), "a".into()), End::Pod("x".into(), "a".into())];
        for (port, expected) in [80, 85, 95].into_iter().zip(verdicts) {
            let [from, to] = ends.clone();
            let flow = Flow { from, to, protocol: Protocol::Tcp, port, family: None };
            let explained = index.explain(&flow).unwrap();
            assert_eq!(explained.verdict(), expected, "{version:?}, {engine}, {port}: {explained:#?}");
            let names = explained.missing.iter().any(|line| line.contains("version") || line.contains("ports of"));
            assert_eq!(names, expected == Verdict::Uncertain, "{:?}", explained.missing);
            assert_eq!(
                Matrix::of(&index, &ends, Protocol::Tcp, port, None).verdict(0, 1),
                expected,
                "{version:?}, {engine}"
            );
        }
    }
}

#[test]
fn families_that_differ_are_not_one_answer() {
    let with = |namespace: &str, ips: &[&str]| {
        let mut out = pod(namespace, "a", ips[0]);
        out["status"]["podIPs"] = ips.iter().map(|ip| json!({"ip": ip})).collect();
        out
    };
    let (four, six) = (json!([{"ipBlock": {"cidr": "10.2.0.0/16"}}]), json!([{"podSelector": {}}]));
    let both = json!([{"ipBlock": {"cidr": "10.2.0.0/16"}}, {"ipBlock": {"cidr": "fd00::/16"}}]);
    for (from_ips, to_ips, peers, expected) in [
        (&["10.2.1.1", "fd00::2"][..], &["10.2.0.1", "fd00::1"][..], &four, Verdict::Uncertain),
        (&["10.2.1.1", "fd00::2"][..], &["10.2.0.1", "fd00::1"][..], &both, Verdict::Allowed),
        (&["10.2.1.1", "fd00::2"][..], &["10.2.0.1", "fd00::1"][..], &six, Verdict::Denied),
        (&["10.2.1.1", "fd00::2"][..], &["10.2.0.1"][..], &four, Verdict::Allowed),
        (&["10.2.1.1"][..], &["fd00::1"][..], &both, Verdict::Uncertain),
    ] {
        let design = design(vec![with("y", from_ips), with("x", to_ips), from("x", peers)]);
        let index = index(&design, Engine::Strict);
        let (from, to) = (End::Pod("y".into(), "a".into()), End::Pod("x".into(), "a".into()));
        let flow = Flow { from, to, protocol: Protocol::Tcp, port: 80, family: None };
        let explained = index.explain(&flow).unwrap();
        assert_eq!(explained.verdict(), expected, "{from_ips:?}, {to_ips:?}, {peers}: {explained:#?}");
        assert_eq!(index.verdict(&flow), Some(expected));
        assert_eq!(explained.missing.is_empty(), expected != Verdict::Uncertain, "{explained:#?}");
    }
}

/// Two pods with both families, one of each alone, and a policy that lets in one family only.
fn of_two_families(peers: &Value) -> (Index, Vec<End>) {
    let with = |namespace: &str, ips: &[&str]| {
        let mut out = pod(namespace, "a", ips[0]);
        out["status"]["podIPs"] = ips.iter().map(|ip| json!({"ip": ip})).collect();
        out
    };
    let objects = vec![
        with("both", &["fd00::1", "10.2.0.1"]),
        with("four", &["10.2.0.2"]),
        with("six", &["fd00::3"]),
        with("x", &["10.2.0.9", "fd00::9"]),
        from("x", peers),
    ];
    let index = index(&design(objects), Engine::Strict);
    let ends = index.pods().collect();
    (index, ends)
}

#[test]
fn a_matrix_asks_every_family_both_ends_have() {
    let block = json!([{"ipBlock": {"cidr": "10.2.0.0/16"}}]);
    let (index, ends) = of_two_families(&block);
    let all = Matrix::of(&index, &ends, Protocol::Tcp, 80, None);
    let symbols = |matrix: &Matrix, from: usize| -> String {
        matrix.row(from, None).into_iter().map(causeway_policy::Cell::symbol).collect()
    };
    // Over IPv6 nothing is let in; what has only one family has only one answer; strangers have none.
    let rows: Vec<String> = (0..4).map(|from| symbols(&all, from)).collect();
    assert_eq!(rows, ["...4", "..?.", ".?.X", "...4"]);
    for (from, of) in ends.iter().enumerate() {
        for (to, other) in ends.iter().enumerate() {
            let flow = Flow { from: of.clone(), to: other.clone(), protocol: Protocol::Tcp, port: 80, family: None };
            assert_eq!(all.verdict(from, to), index.verdict(&flow).unwrap(), "{flow:?}");
        }
    }
    for (family, rows) in [(Family::V4, ["...", "...", "..."]), (Family::V6, ["..X", "..X", "..X"])] {
        let one = Matrix::of(&index, &ends, Protocol::Tcp, 80, Some(family));
        assert_eq!((0..3).map(|from| symbols(&one, from)).collect::<Vec<_>>(), rows, "{family:?}");
        assert_eq!(index.without(family).len(), 1);
    }
    assert_eq!(index.strangers(), Some(("four/a".to_owned(), "six/a".to_owned())));
}

#[test]
fn lists_name_the_family_where_it_makes_a_difference() {
    let (shut, _) = of_two_families(&json!([{"ipBlock": {"cidr": "10.2.0.0/16"}}]));
    let (open, _) = of_two_families(&json!([{"ipBlock": {"cidr": "::/0"}}, {"ipBlock": {"cidr": "0.0.0.0/0"}}]));
    let found = |index: &Index, family: Option<Family>| -> Vec<String> {
        let all = causeway_policy::connections(index, family).into_iter();
        let pods = all.filter(|one| ![&one.from, &one.to].iter().any(|party| party.to_string().contains("External")));
        pods.map(|one| format!("{} {} {:?} {}", one.from, one.to, one.family, one.ports)).collect()
    };
    let to_x = |all: Vec<String>| all.into_iter().filter(|line| line.contains(" x/a ")).collect::<Vec<_>>();
    assert_eq!(to_x(found(&shut, None)), ["both/a x/a Some(V4) All Connections", "four/a x/a None All Connections"]);
    assert_eq!(to_x(found(&shut, Some(Family::V6))), Vec::<String>::new());
    assert_eq!(to_x(found(&shut, Some(Family::V4))).len(), 2);
    let changes = |family: Option<Family>| -> Vec<String> {
        let all = causeway_policy::difference(&open, &shut, family).changes.into_iter();
        all.filter(|one| one.from.to_string() == "both/a")
            .map(|one| format!("{} {:?} {}", one.to, one.family, one.lost))
            .collect()
    };
    assert_eq!(changes(None), ["x/a Some(V6) All Connections"]);
    assert_eq!(changes(Some(Family::V4)), Vec::<String>::new());
    assert_eq!(changes(Some(Family::V6)), ["x/a None All Connections"]);
    let exposed = |family: Option<Family>| {
        let all = causeway_policy::exposure(&shut, family).inward.into_iter();
        all.filter(|one| one.to.to_string() == "x/a").map(|one| one.from.to_string()).collect::<Vec<_>>()
    };
    assert!(exposed(None).iter().any(|from| from.starts_with("10.2.0.0-")), "{:?}", exposed(None));
    assert!(!exposed(Some(Family::V6)).iter().any(|from| from.contains("External")), "{:?}", exposed(None));
}
