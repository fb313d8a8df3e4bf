//! What is denied is counted for whoever denies it, and told of with his name: on clusters made from a seed, every packet that rules drop
//! against the rule that decided.

use causeway_addr::Family;
use causeway_dataplane::evaluate::{Node, Outcome, evaluate};
use causeway_dataplane::nftables::simulate::Kernel;
use causeway_dataplane::nftables::{Growth, Limits, interpret, lower, plan, text};
use causeway_dataplane::packet::{Packet, Protocol};
use causeway_dataplane::policy::{DENIED_EGRESS, DENIED_INGRESS, Enforced, Sampling, Site, compile, enforce};
use causeway_dataplane::ruleset::{Hook, Rate, Verdict, problems};
use causeway_model::design::Protocol as PolicyProtocol;
use causeway_model::policy::{Direction, PolicyTier};
use causeway_policy::{End, Engine, Flow, Index, world};
use causeway_read::files::MemoryFiles;
use causeway_read::{Input, load};
use causeway_testkit::{Random, policies};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::IpAddr;

const CLUSTERS: u64 = 120;
const PORTS: [u16; 6] = [79, 80, 81, 82, 443, 40_000];
const PROTOCOLS: [(Protocol, PolicyProtocol); 4] = [
    (Protocol::Tcp, PolicyProtocol::Tcp),
    (Protocol::Udp, PolicyProtocol::Udp),
    (Protocol::Sctp, PolicyProtocol::Sctp),
    (Protocol::Icmp, PolicyProtocol::Icmp),
];
const OUTSIDE: [&str; 3] = ["203.0.113.9", "198.51.100.7", "fd02::9999"];
const SAMPLING: Sampling = Sampling { group: 77, rate: Rate { per_second: 10, burst: 20 } };

fn index(objects: &[Value]) -> Index {
    let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
    let input = Input { name: "objects.json".into(), bytes: list.to_string().into(), kind: None, found: false };
    let design = load(vec![input], &MemoryFiles::default()).outcome.unwrap().design;
    world::index(&design, design.clusters.values().next().unwrap(), Engine::Strict)
}

fn site() -> Site {
    Site { node: "n0".to_owned(), pod_ranges: Vec::new() }
}

/// Whom the rules blame for a packet: the direction, and the policies of the counter it raised.
fn blamed(enforced: &Enforced, packet: &Packet) -> Option<(Direction, Vec<String>)> {
    let fate = evaluate(&enforced.ruleset, Hook::Forward, packet, &Node::default());
    if fate.outcome == Outcome::Kept {
        return None;
    }
    let counters: Vec<&str> = fate.counters.iter().map(|counter| counter.name).collect();
    let [total, own] = counters.as_slice() else { panic!("{packet:?} raised {counters:?}") };
    let mut of_counter = enforced
        .reasons
        .iter()
        .filter(|((family, _), reason)| *family == Family::of(packet.source) && reason.counter == **own);
    let (_, reason) = of_counter.next().unwrap_or_else(|| panic!("nobody knows `{own}`"));
    let wanted = if reason.direction == Direction::Egress { DENIED_EGRESS } else { DENIED_INGRESS };
    assert_eq!(*total, wanted, "{packet:?}");
    Some((reason.direction, reason.policies.iter().map(ToString::to_string).collect()))
}

#[test]
fn who_is_blamed_is_who_decided() {
    let first = Random::seed();
    eprintln!("CAUSEWAY_SEED={first}");
    let (mut by_rule, mut by_nothing) = (0, 0);
    for seed in (first..).take(usize::try_from(CLUSTERS).unwrap()) {
        let objects = policies::cluster(seed);
        let index = index(&objects);
        let enforced = enforce(&index, &site(), Some(&SAMPLING));
        assert_eq!(problems(&enforced.ruleset), [], "CAUSEWAY_SEED={seed}");
        let here: BTreeSet<IpAddr> = index.pods_of_node("n0").map(|(address, _)| address).collect();
        let own: Vec<IpAddr> = ["10.1.0.4", "fd01::4"].map(|text| text.parse().unwrap()).into();
        let mut ends: BTreeSet<IpAddr> = index.addresses().map(|(address, _)| address).collect();
        ends.extend(OUTSIDE.map(|text| text.parse::<IpAddr>().unwrap()));
        ends.retain(|end| !own.contains(end));
        let mut random = Random::new(seed);
        let pairs = ends.iter().flat_map(|from| ends.iter().map(move |to| (*from, *to)));
        let pairs = pairs.filter(|(from, to)| from != to && Family::of(*from) == Family::of(*to));
        for (from, to) in pairs.filter(|(from, to)| here.contains(from) || here.contains(to)) {
            let (protocol, asked) = *random.one_of(&PROTOCOLS).unwrap();
            let port = *random.one_of(&PORTS).unwrap();
            let packet =
                Packet { source: from, destination: to, protocol, source_port: 50_000, destination_port: port };
            let Some((direction, policies)) = blamed(&enforced, &packet) else { continue };
            let pod = if direction == Direction::Egress { from } else { to };
            assert!(here.contains(&pod), "CAUSEWAY_SEED={seed}: {packet:?} is denied by policies of another node");
            let flow = Flow { from: End::Address(from), to: End::Address(to), protocol: asked, port, family: None };
            let explained = index.explain(&flow).unwrap();
            let step = explained.steps.iter().rfind(|step| step.direction == direction).unwrap();
            let named = step.policy.as_ref().map(ToString::to_string);
            let context = format!("CAUSEWAY_SEED={seed}: {packet:?}: {policies:?} are blamed, and {step:?} decided");
            match (step.tier, named) {
                (Some(PolicyTier::Admin | PolicyTier::Baseline), Some(policy)) => {
                    assert_eq!(policies, [policy], "{context}");
                    by_rule += 1;
                }
                (_, Some(policy)) => {
                    assert!(policies.contains(&policy), "{context}");
                    by_nothing += 1;
                }
                (_, None) => assert!(!policies.is_empty(), "{context}"),
            }
        }
    }
    eprintln!("{by_rule} denied by a rule, {by_nothing} because nothing allows them");
    assert!(by_rule > 100 && by_nothing > 1000, "{by_rule}, {by_nothing}");
}

#[test]
fn telling_of_packets_changes_nothing_for_them() {
    let first = Random::seed();
    eprintln!("CAUSEWAY_SEED={first}");
    for seed in (first..).take(40) {
        let index = index(&policies::cluster(seed));
        let told = enforce(&index, &site(), Some(&SAMPLING));
        let silent = compile(&index, &site());
        let objects = lower(&told.ruleset, Growth::default());
        // Rules, limits and all that is told of can be put in place, and read back are what they were.
        let mut kernel = Kernel::default();
        for batch in plan(&objects, kernel.observed(), &Limits::default()).batches {
            kernel.commit(&batch).unwrap();
        }
        assert!(plan(&objects, kernel.observed(), &Limits::default()).is_empty(), "CAUSEWAY_SEED={seed}");
        // The way back takes the limits away.
        let quiet = lower(&silent, Growth::default());
        for batch in plan(&quiet, kernel.observed(), &Limits::default()).batches {
            kernel.commit(&batch).unwrap();
        }
        assert!(plan(&quiet, kernel.observed(), &Limits::default()).is_empty(), "CAUSEWAY_SEED={seed}");
        let ends: Vec<IpAddr> = index.addresses().map(|(address, _)| address).collect();
        for (from, to) in ends.iter().flat_map(|from| ends.iter().map(move |to| (*from, *to))) {
            if Family::of(from) != Family::of(to) {
                continue;
            }
            let packet = Packet {
                source: from,
                destination: to,
                protocol: Protocol::Tcp,
                source_port: 50_000,
                destination_port: 80,
            };
            let fate = evaluate(&told.ruleset, Hook::Forward, &packet, &Node::default()).outcome;
            assert_eq!(fate, evaluate(&silent, Hook::Forward, &packet, &Node::default()).outcome);
            assert_eq!(fate, interpret(&objects, Hook::Forward, &packet, &Node::default()).0);
        }
    }
}

fn policy(name: &str, spec: &Value) -> Value {
    json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": "shop"}, "spec": spec})
}

fn pod(name: &str, ip: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "shop"},
        "spec": {"nodeName": "n0"}, "status": {"podIP": ip}})
}

#[test]
fn every_drop_is_told_of_and_rules_name_policies() {
    let deny = json!({"podSelector": {}, "policyTypes": ["Ingress"]});
    let objects = [
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}),
        pod("a", "10.0.0.1"),
        policy("one", &deny),
        policy("two", &deny),
    ];
    let enforced = enforce(&index(&objects), &site(), Some(&SAMPLING));
    for table in enforced.ruleset.tables.values() {
        let drops = table.chains.values().flat_map(|chain| &chain.rules);
        assert!(drops.filter(|rule| rule.verdict == Some(Verdict::Drop)).all(|rule| rule.sample.is_some()));
    }
    let printed = text::tables(&lower(&enforced.ruleset, Growth::default()));
    assert!(printed.contains("limit told-10-20 {\n\t\trate 10/second burst 20 packets\n"), "{printed}");
    assert!(printed.contains("drop comment \"NetworkPolicy/shop/one, NetworkPolicy/shop/two\""), "{printed}");
    let ((_, prefix), _) = enforced.reasons.first_key_value().unwrap();
    assert!(
        printed.contains(&format!("limit name \"told-10-20\" log prefix \"{prefix}\" group 77 snaplen")),
        "{printed}"
    );
}

#[test]
fn names_of_many_policies_fit_a_comment() {
    let deny = json!({"podSelector": {}, "policyTypes": ["Egress"]});
    let mut objects = vec![pod("a", "10.0.0.1")];
    objects.extend((0..40).map(|at| policy(&format!("policy-with-a-long-name-{at}"), &deny)));
    let enforced = enforce(&index(&objects), &site(), None);
    assert_eq!(problems(&enforced.ruleset), []);
    let chains = enforced.ruleset.tables.values().flat_map(|table| table.chains.values());
    let comments = chains.flat_map(|chain| &chain.rules).map(|rule| rule.comment.as_str());
    let named: Vec<&str> = comments.filter(|comment| comment.starts_with("NetworkPolicy/")).collect();
    assert!(named.len() == 1 && named[0].ends_with("more"), "{named:?}");
    let reason = enforced.reasons.values().next().unwrap();
    assert_eq!(reason.policies.len(), 40, "the reason has all of them");
}

/// The name of a chain does not depend on what was known before: who starts again finds the same rules.
#[test]
fn an_index_that_grew_has_the_rules_of_one_that_was_there_at_once() {
    let first = Random::seed();
    eprintln!("CAUSEWAY_SEED={first}");
    for seed in (first..).take(40) {
        let (before, objects) = (policies::cluster(seed), policies::cluster(seed + 1000));
        let events = |objects: &[Value]| {
            let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
            let input = Input { name: "x.json".into(), bytes: list.to_string().into(), kind: None, found: false };
            let design = load(vec![input], &MemoryFiles::default()).outcome.unwrap().design;
            world::events(design.clusters.values().next().unwrap())
        };
        let mut grown = index(&before);
        for event in events(&before) {
            use causeway_policy::Event;
            grown.apply(match event {
                Event::Policy(policy) => Event::PolicyGone(policy.id),
                Event::Namespace(name, _) => Event::NamespaceGone(name),
                Event::Node(node) => Event::NodeGone(node.name),
                Event::Pod(pod) => Event::PodGone(pod.namespace, pod.name),
                other => other,
            });
        }
        events(&objects).into_iter().for_each(|event| {
            grown.apply(event);
        });
        let fresh = index(&objects);
        assert!(
            compile(&grown, &site()) == compile(&fresh, &site()),
            "CAUSEWAY_SEED={seed}: what was there before shows"
        );
    }
}
