//! Compiled policies against what they mean, on clusters made from a seed: the rules of each node, as they are evaluated and as
//! nf_tables would run them, let through what the policies of that node's pods let through.

use causeway_addr::Family;
use causeway_dataplane::evaluate::{Node, Outcome, evaluate};
use causeway_dataplane::nftables::simulate::Kernel;
use causeway_dataplane::nftables::{Growth, Limits, interpret, lower, plan as way};
use causeway_dataplane::packet::{Packet, Protocol};
use causeway_dataplane::policy::{Site, compile};
use causeway_dataplane::ruleset::{Hook, problems};
use causeway_model::design::{Design, Protocol as PolicyProtocol};
use causeway_model::policy::Direction;
use causeway_policy::{Dialect, End, Engine, Event, Flow, Index, NodeInfo, PodInfo, Verdict, world};
use causeway_read::files::MemoryFiles;
use causeway_read::{Input, load};
use causeway_testkit::{Random, policies};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Clusters that are made.
const CLUSTERS: u64 = 200;
const PORTS: [u16; 6] = [79, 80, 81, 82, 443, 40_000];
const PROTOCOLS: [(Protocol, PolicyProtocol); 4] = [
    (Protocol::Tcp, PolicyProtocol::Tcp),
    (Protocol::Udp, PolicyProtocol::Udp),
    (Protocol::Sctp, PolicyProtocol::Sctp),
    (Protocol::Icmp, PolicyProtocol::Icmp),
];
/// Outside, on both sides of the borders that prefixes have, and nodes.
const ADDRESSES: [&str; 8] =
    ["203.0.113.9", "198.51.100.7", "10.9.9.9", "10.2.0.200", "10.1.0.4", "10.1.0.5", "fd02::9999", "2001:db8::1"];

fn design(objects: Vec<Value>) -> Design {
    let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
    let input = Input { name: "objects.json".into(), bytes: list.to_string().into(), kind: None, found: false };
    load(vec![input], &MemoryFiles::default()).outcome.expect("the objects are read").design
}

fn index(objects: Vec<Value>) -> Index {
    let design = design(objects);
    world::index(&design, design.clusters.values().next().expect("there is a cluster"), Engine::Strict)
}

fn site(node: &str) -> Site {
    Site { node: node.to_owned(), pod_ranges: Vec::new() }
}

/// What the policies of a node's pods say of a flow that passes it.
fn meant(
    index: &Index,
    here: &BTreeSet<IpAddr>,
    from: IpAddr,
    to: IpAddr,
    protocol: PolicyProtocol,
    port: u16,
) -> bool {
    let flow = Flow { from: End::Address(from), to: End::Address(to), protocol, port, family: None };
    let explained = index.explain(&flow).expect("addresses are always somebody's");
    let passes = |pod, direction| !here.contains(&pod) || explained.of(direction) == Verdict::Allowed;
    from == to || passes(from, Direction::Egress) && passes(to, Direction::Ingress)
}

#[test]
fn rules_of_every_node_let_through_what_policies_let_through() {
    let first = Random::seed();
    eprintln!("CAUSEWAY_SEED={first}");
    let (mut compared, mut denied) = (0_u64, 0_u64);
    for seed in (first..).take(usize::try_from(CLUSTERS).unwrap()) {
        let objects = policies::cluster(seed);
        let index = index(objects.clone());
        let mut random = Random::new(seed);
        let mut ends: BTreeSet<IpAddr> = index.addresses().map(|(address, _)| address).collect();
        ends.extend(ADDRESSES.map(|text| text.parse::<IpAddr>().unwrap()));
        for (at, node) in ["n0", "n1"].into_iter().enumerate() {
            let rules = compile(&index, &site(node));
            assert_eq!(problems(&rules), [], "CAUSEWAY_SEED={seed}");
            let objects_of = lower(&rules, Growth::default());
            let here: BTreeSet<IpAddr> = index.pods_of_node(node).map(|(address, _)| address).collect();
            let own = [format!("10.1.0.{}", at + 4), format!("fd01::{}", at + 4)].map(|text| text.parse().unwrap());
            for from in &ends {
                for to in ends.iter().filter(|to| Family::of(**to) == Family::of(*from)) {
                    // Between a node and its own pods nothing is forwarded; and elsewhere nobody of here is asked.
                    let next_to = |one: &IpAddr, other: &IpAddr| here.contains(one) && own.contains(other);
                    if next_to(from, to) || next_to(to, from) || !(here.contains(from) || here.contains(to)) {
                        continue;
                    }
                    for (protocol, asked) in PROTOCOLS {
                        let port = *random.one_of(&PORTS).unwrap();
                        let packet = Packet {
                            source: *from,
                            destination: *to,
                            protocol,
                            source_port: 50_000,
                            destination_port: port,
                        };
                        let expected = meant(&index, &here, *from, *to, asked, port);
                        let fate = evaluate(&rules, Hook::Forward, &packet, &Node::default());
                        let passes = fate.outcome == Outcome::Kept;
                        assert_eq!(
                            passes,
                            expected,
                            "CAUSEWAY_SEED={seed}, node {node}: {packet:?}: {fate:#?}\n{}",
                            serde_json::to_string(&objects).unwrap()
                        );
                        let (run, _) = interpret(&objects_of, Hook::Forward, &packet, &Node::default());
                        assert_eq!(run, fate.outcome, "CAUSEWAY_SEED={seed}, node {node}: {packet:?}");
                        compared += 1;
                        denied += u64::from(!expected);
                    }
                }
            }
        }
    }
    eprintln!("{compared} packets compared, {denied} of them denied");
    assert!(compared > CLUSTERS * 100 && denied > compared / 20, "{compared}, {denied} denied");
}

fn tables(
    index: &Index,
    node: &str,
) -> BTreeMap<causeway_dataplane::ruleset::TableId, causeway_dataplane::nftables::objects::TableObjects> {
    lower(&compile(index, &site(node)), Growth::default())
}

/// Any cluster to any other in one plan, batch by batch, and then nothing is left to do.
#[test]
fn the_way_from_one_cluster_to_the_next_ends_there() {
    let first = Random::seed();
    eprintln!("CAUSEWAY_SEED={first}");
    let mut kernel = Kernel::default();
    let mut batches = 0;
    for seed in first..first + 60 {
        let wanted = tables(&index(policies::cluster(seed)), "n0");
        // Room for everything at once, and hardly any.
        let limits = if seed % 2 == 0 { Limits::default() } else { Limits { batch_bytes: 1_500 } };
        let plan = way(&wanted, kernel.observed(), &limits);
        batches += plan.batches.len();
        for batch in plan.batches {
            kernel.commit(&batch).unwrap_or_else(|refused| panic!("CAUSEWAY_SEED={seed}: {refused}"));
        }
        assert!(way(&wanted, kernel.observed(), &Limits::default()).is_empty(), "CAUSEWAY_SEED={seed}");
        assert_eq!(kernel.objects().keys().collect::<Vec<_>>(), wanted.keys().collect::<Vec<_>>());
    }
    assert!(batches > 90, "{batches}");
}

/// Everything of a cluster, as events.
fn events(seed: u64) -> Vec<Event> {
    let design = design(policies::cluster(seed));
    world::events(design.clusters.values().next().expect("there is a cluster"))
}

fn gone(event: Event) -> Option<Event> {
    Some(match event {
        Event::Pod(pod) => Event::PodGone(pod.namespace, pod.name),
        Event::Policy(policy) => Event::PolicyGone(policy.id),
        Event::Namespace(name, _) => Event::NamespaceGone(name),
        Event::Node(node) => Event::NodeGone(node.name),
        _ => return None,
    })
}

/// Pods, policies, namespaces and nodes come, go and come again as others, in any order; after every few of them the kernel holds what
/// is meant then.
#[test]
fn a_storm_of_changes_ends_with_what_is_meant() {
    let first = Random::seed();
    eprintln!("CAUSEWAY_SEED={first}");
    let mut compared = 0;
    for seed in first..first + 20 {
        let mut random = Random::new(seed);
        let mut index = Index::of(Dialect::of(Engine::Strict, None), Vec::new(), events(seed));
        let mut changes: Vec<Event> = events(seed).into_iter().filter_map(gone).collect();
        changes.extend(events(seed + 1));
        changes.extend(events(seed));
        let mut kernel = Kernel::default();
        while !changes.is_empty() {
            let at = usize::try_from(random.below(u64::try_from(changes.len()).unwrap())).unwrap();
            let change = changes.swap_remove(at);
            // An address is given to a pod when the one before has gone.
            if let Event::Pod(pod) = &change {
                for ip in &pod.ips {
                    if let End::Pod(namespace, name) = index.end_of(*ip) {
                        index.apply(Event::PodGone(namespace, name));
                    }
                }
            }
            index.apply(change);
            if !random.once_in(4) && !changes.is_empty() {
                continue;
            }
            let wanted = tables(&index, "n0");
            for batch in way(&wanted, kernel.observed(), &Limits::default()).batches {
                kernel.commit(&batch).unwrap_or_else(|refused| panic!("CAUSEWAY_SEED={seed}: {refused}"));
            }
            assert!(way(&wanted, kernel.observed(), &Limits::default()).is_empty(), "CAUSEWAY_SEED={seed}");
            let here: BTreeSet<IpAddr> = index.pods_of_node("n0").map(|(address, _)| address).collect();
            let mut ends: Vec<IpAddr> = index.addresses().map(|(address, _)| address).collect();
            ends.extend(ADDRESSES.map(|text| text.parse::<IpAddr>().unwrap()));
            ends.retain(|end| !["10.1.0.4", "fd01::4"].map(|own| own.parse::<IpAddr>().unwrap()).contains(end));
            let objects = kernel.objects();
            for _ in 0..40 {
                let (source, destination) = (*random.one_of(&ends).unwrap(), *random.one_of(&ends).unwrap());
                if Family::of(source) != Family::of(destination)
                    || !(here.contains(&source) || here.contains(&destination))
                {
                    continue;
                }
                let (protocol, asked) = *random.one_of(&PROTOCOLS).unwrap();
                let destination_port = *random.one_of(&PORTS).unwrap();
                let packet = Packet { source, destination, protocol, source_port: 50_000, destination_port };
                let expected = meant(&index, &here, source, destination, asked, destination_port);
                let (outcome, _) = interpret(&objects, Hook::Forward, &packet, &Node::default());
                assert_eq!(outcome == Outcome::Kept, expected, "CAUSEWAY_SEED={seed}: {packet:?}: {outcome}");
                compared += 1;
            }
        }
    }
    eprintln!("{compared} packets compared");
    // How many there are hangs on the seed: 2,000 to 3,500 as a rule.
    assert!(compared > 1_000, "{compared}");
}

fn pod(name: &str, ip: &str, app: &str) -> Event {
    Event::Pod(PodInfo {
        namespace: "default".into(),
        name: name.into(),
        labels: BTreeMap::from([("app".into(), app.into())]),
        ips: vec![ip.parse().unwrap()],
        node: Some("n0".into()),
        host_network: false,
        ports: BTreeMap::new(),
    })
}

fn small(policies: Vec<Value>) -> Index {
    let mut objects = vec![json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}})];
    objects.extend(policies);
    let mut index = index(objects);
    let ips = vec!["10.1.0.4".parse().unwrap()];
    index.apply(Event::Node(NodeInfo { name: "n0".into(), labels: BTreeMap::new(), ips }));
    index
}

fn policy(spec: &Value) -> Value {
    json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": {"name": "p", "namespace": "default"}, "spec": spec})
}

fn passes(index: &Index, site: &Site, from: &str, to: &str, protocol: Protocol, port: u16) -> bool {
    let (source, destination) = (from.parse().unwrap(), to.parse().unwrap());
    let packet = Packet { source, destination, protocol, source_port: 50_000, destination_port: port };
    evaluate(&compile(index, site), Hook::Forward, &packet, &Node::default()).outcome == Outcome::Kept
}

#[test]
fn a_pod_that_is_not_known_yet_sends_and_receives_nothing() {
    let mut index = small(vec![]);
    let careful = Site { node: "n0".into(), pod_ranges: vec!["10.2.0.0/24".parse().unwrap()] };
    for (from, to) in [("10.2.0.9", "203.0.113.1"), ("203.0.113.1", "10.2.0.9")] {
        assert!(!passes(&index, &careful, from, to, Protocol::Udp, 53), "{from} to {to} before it is known");
        assert!(passes(&index, &site("n0"), from, to, Protocol::Udp, 53), "nobody said which ranges are the node's");
    }
    index.apply(pod("a", "10.2.0.9", "web"));
    for (from, to) in [("10.2.0.9", "203.0.113.1"), ("203.0.113.1", "10.2.0.9")] {
        assert!(passes(&index, &careful, from, to, Protocol::Udp, 53), "{from} to {to} once it is known");
    }
    index.apply(Event::PodGone("default".into(), "a".into()));
    assert!(!passes(&index, &careful, "10.2.0.9", "203.0.113.1", Protocol::Udp, 53), "and not when it is gone");
}

#[test]
fn a_policy_that_cannot_be_read_lets_nothing_in() {
    let broken = policy(&json!({"podSelector": {}, "policyTypes": ["Ingress"],
        "ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/33"}}]}]}));
    let mut index = small(vec![broken]);
    index.apply(pod("a", "10.2.0.9", "web"));
    assert!(!passes(&index, &site("n0"), "10.0.0.1", "10.2.0.9", Protocol::Tcp, 80));
    assert!(
        passes(&index, &site("n0"), "10.2.0.9", "10.0.0.1", Protocol::Tcp, 80),
        "the other direction is not spoken of"
    );
}

/// A pod on the network of a node has that node's address before anybody has told of the node, and after it is gone.
#[test]
fn a_node_that_is_known_by_its_pods_alone_is_nobody_outside() {
    let node = |labels: &[(&str, &str)], ips: &[&str]| {
        let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Event::Node(NodeInfo { name: "n1".into(), labels, ips: ips.iter().map(|ip| ip.parse().unwrap()).collect() })
    };
    let on_host = |ips: &[&str]| {
        Event::Pod(PodInfo {
            namespace: "default".into(),
            name: "proxy".into(),
            labels: BTreeMap::new(),
            ips: ips.iter().map(|ip| ip.parse().unwrap()).collect(),
            node: Some("n1".into()),
            host_network: true,
            ports: BTreeMap::new(),
        })
    };
    let (v4, v6) = ("10.1.0.5", "fd01::5");
    let gone = || Event::PodGone("default".into(), "proxy".into());
    let control = [("role", "control")];
    for (action, rest) in [("Deny", "Accept"), ("Accept", "Deny")] {
        let control_plane = json!([{"nodes": {"matchLabels": {"role": "control"}}}]);
        let everybody = json!([{"networks": ["0.0.0.0/0", "::/0"]}]);
        let tier = json!({"apiVersion": "policy.networking.k8s.io/v1alpha2", "kind": "ClusterNetworkPolicy",
            "metadata": {"name": "control"}, "spec": {"tier": "Admin", "priority": 10, "subject": {"namespaces": {}},
                "egress": [{"action": action, "to": control_plane}, {"action": rest, "to": everybody}]}});
        let mut index = small(vec![tier]);
        index.apply(pod("a", "10.2.0.9", "web"));
        index.apply(pod("b", "fd02::9", "web"));
        let (of_control, of_rest) = (action == "Accept", rest == "Accept");
        for (change, expected, when) in [
            (None, of_rest, "nobody has it"),
            (Some(on_host(&[v4, v6])), false, "somebody's of whom it is not known whether the rule is about them"),
            (Some(node(&control, &[v4, v6])), of_control, "a node the rule is about"),
            (Some(node(&[], &[v4, v6])), of_rest, "a node it is not about"),
            (Some(node(&control, &[])), of_control, "a node the rule is about, whose address only its pod has"),
            (Some(node(&[], &[])), of_rest, "the same of one it is not about"),
            (Some(Event::NodeGone("n1".into())), false, "a node that is gone"),
            (Some(on_host(&[v4])), false, "one family less"),
            (Some(gone()), of_rest, "nobody has it any more"),
        ] {
            let fewer = when == "one family less";
            if let Some(change) = change {
                index.apply(change);
            }
            for (from, to, expected) in
                [("10.2.0.9", v4, expected), ("fd02::9", v6, if fewer { of_rest } else { expected })]
            {
                let of = [from, to].map(|ip| End::Address(ip.parse().unwrap()));
                let [sender, receiver] = of;
                let flow =
                    Flow { from: sender, to: receiver, protocol: PolicyProtocol::Udp, port: 40_000, family: None };
                let said = index.verdict(&flow) == Some(Verdict::Allowed);
                assert_eq!(said, expected, "{action}: {to}: {when}: what is meant");
                let passes = passes(&index, &site("n0"), from, to, Protocol::Udp, 40_000);
                assert_eq!(passes, expected, "{action}: {to}: {when}: what the rules do");
            }
            assert_eq!(passes(&index, &site("n0"), "10.2.0.9", "203.0.113.1", Protocol::Udp, 40_000), of_rest);
        }
    }
}

#[test]
fn a_pod_reaches_itself_whatever_its_policies_say() {
    let mut index = small(vec![policy(&json!({"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}))]);
    index.apply(pod("a", "10.2.0.9", "web"));
    index.apply(pod("b", "10.2.0.10", "web"));
    assert!(passes(&index, &site("n0"), "10.2.0.9", "10.2.0.9", Protocol::Tcp, 80));
    assert!(!passes(&index, &site("n0"), "10.2.0.9", "10.2.0.10", Protocol::Tcp, 80));
}

/// However many policies speak of a pod, it is one key in a map; the rules stay as they are.
#[test]
fn a_pod_that_joins_a_thousand_policies_is_one_key() {
    let policies = (0..1000).map(|at| {
        let mut one = policy(&json!({"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Ingress"],
            "ingress": [{"from": [{"ipBlock": {"cidr": format!("10.{}.{}.0/24", 100 + at / 250, at % 250)}}],
                "ports": [{"protocol": "TCP", "port": 8000 + at % 7}]}]}));
        one["metadata"]["name"] = json!(format!("p{at}"));
        one
    });
    let mut index = small(policies.collect());
    index.apply(pod("a", "10.2.0.9", "web"));
    let before = tables(&index, "n0");
    index.apply(pod("b", "10.2.0.10", "web"));
    let after = tables(&index, "n0");
    let mut changed = Vec::new();
    for (id, table) in &after {
        assert_eq!(table.chains, before[id].chains, "the rules stay");
        for (name, set) in &table.sets {
            let change = set.elements.since(&before[id].sets[name].elements);
            if !change.is_empty() {
                changed.push((name.as_str(), change.added.len(), change.removed.len()));
            }
        }
    }
    let keys = ["ingress-isolated", "ingress-pods", "itself", "pods", "policed"].map(|set| (set, 1, 0));
    assert_eq!(changed, keys);
    let rules: usize = after.values().flat_map(|table| table.chains.values()).map(|chain| chain.rules.len()).sum();
    assert!(rules < 80, "{rules} rules for a thousand policies");
    assert!(passes(&index, &site("n0"), "10.100.5.9", "10.2.0.10", Protocol::Tcp, 8005));
    assert!(!passes(&index, &site("n0"), "10.100.5.9", "10.2.0.10", Protocol::Tcp, 8004));
}

#[test]
fn an_empty_cluster_gives_rules_that_stop_nothing() {
    let index = Index::new(Dialect::of(Engine::Strict, None), Vec::new());
    assert_eq!(problems(&compile(&index, &site("n0"))), []);
    assert!(passes(&index, &site("n0"), "10.2.0.9", "203.0.113.1", Protocol::Tcp, 80));
}
