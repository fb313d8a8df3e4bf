//! The index at size: `cargo bench -p causeway-policy`. Prints Markdown.
//!
//! Two clusters of 10,000 pods and 4,000 policies: one as clusters are, with five replicas of each workload, and one where a policy
//! tells every pod from every other, which is as bad as it gets.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark looks at the clock, prints, and stops when something is wrong"
)]

use causeway_model::design::Protocol;
use causeway_model::policy::*;
use causeway_policy::{Dialect, End, Event, Flow, Index, Matrix, NodeInfo, PodInfo, Verdict};
use causeway_testkit::Random;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

const NAMESPACES: u32 = 100;
const PODS: u32 = 100;
const POLICIES: u32 = 40;
const NODES: u32 = 100;
const ROUNDS: usize = 7;

fn labelled(key: &str, value: String) -> Selector {
    Selector::new(vec![Requirement { key: key.to_owned(), operator: Operator::In(vec![value]) }])
}

fn pod(namespace: u32, at: u32, replicas: u32) -> PodInfo {
    let address = Ipv4Addr::from(0x0a02_0000 + namespace * 256 + at);
    PodInfo {
        namespace: format!("ns{namespace}"),
        name: format!("p{at}"),
        labels: BTreeMap::from([("app".to_owned(), format!("a{}", at / replicas)), ("at".to_owned(), format!("{at}"))]),
        ips: vec![IpAddr::V4(address)],
        node: Some(format!("n{}", (namespace + at) % NODES)),
        host_network: false,
        ports: BTreeMap::from([("http".to_owned(), (Protocol::Tcp, 8080))]),
    }
}

fn port(number: u16) -> Option<Vec<PolicyPort>> {
    Some(vec![PolicyPort::Range { protocol: Protocol::Tcp, first: number, last: number, by_end_port: false }])
}

fn rule(peers: Vec<Peer>, ports: Option<Vec<PolicyPort>>) -> PolicyRule {
    PolicyRule { name: None, action: Action::Accept, peers: Peers::Of(peers), ports, faulty: false }
}

/// A policy for one workload of a namespace: who may come, where it may go, names, and a prefix.
fn policy(namespace: u32, at: u32, apps: u32, random: &mut Random) -> Policy {
    let own = format!("ns{namespace}");
    let app = |random: &mut Random| labelled("app", format!("a{}", random.below(u64::from(apps))));
    let pods = |namespaces: Namespaces, pods: Selector| Peer::Pods(PodSet { namespaces, pods });
    let other = labelled("kubernetes.io/metadata.name", format!("ns{}", random.below(u64::from(NAMESPACES))));
    let names = labelled("kubernetes.io/metadata.name", "ns0".to_owned());
    let block = IpBlock {
        cidr: "203.0.113.0/24".parse_cidr(),
        except: vec![format!("203.0.113.{}/32", random.below(200)).parse_cidr()],
    };
    Policy {
        id: PolicyId { kind: PolicyKind::NetworkPolicy, namespace: Some(own.clone()), name: format!("np{at}") },
        tier: PolicyTier::NetworkPolicy,
        priority: 0,
        subject: PodSet {
            namespaces: Namespaces::Named(own.clone()),
            pods: labelled("app", format!("a{}", at % apps)),
        },
        ingress: Some(vec![
            rule(
                vec![
                    pods(Namespaces::Named(own.clone()), app(random)),
                    pods(Namespaces::Named(own.clone()), app(random)),
                ],
                port(80),
            ),
            rule(vec![pods(Namespaces::Matching(other), Selector::default())], port(8080)),
        ]),
        egress: Some(vec![
            rule(vec![pods(Namespaces::Named(own), Selector::default())], port(80)),
            rule(vec![pods(Namespaces::Matching(names), labelled("app", "a0".to_owned()))], port(53)),
            rule(vec![Peer::Block(block)], port(443)),
        ]),
        faults: Vec::new(),
    }
}

trait ParseCidr {
    fn parse_cidr(&self) -> causeway_addr::Cidr;
}

impl ParseCidr for str {
    fn parse_cidr(&self) -> causeway_addr::Cidr {
        causeway_addr::Cidr::parse(self).unwrap().cidr
    }
}

fn cluster(replicas: u32) -> Vec<Event> {
    let mut random = Random::new(7);
    let apps = PODS / replicas;
    let mut out = Vec::new();
    for node in 0..NODES {
        let ip = IpAddr::V4(Ipv4Addr::from(0x0a01_0000 + node));
        out.push(Event::Node(NodeInfo { name: format!("n{node}"), labels: BTreeMap::new(), ips: vec![ip] }));
    }
    for namespace in 0..NAMESPACES {
        out.push(Event::Namespace(format!("ns{namespace}"), BTreeMap::new()));
        out.extend((0..PODS).map(|at| Event::Pod(pod(namespace, at, replicas))));
        out.extend((0..POLICIES).map(|at| Event::Policy(policy(namespace, at, apps, &mut random))));
    }
    out
}

/// The most memory this process held, in bytes; of systems that do not say, 0.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0");
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap_or(0) * 1024
}

fn best<T>(mut work: impl FnMut() -> T) -> (Duration, T) {
    let mut best = None;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let value = work();
        let took = start.elapsed();
        if best.as_ref().is_none_or(|(known, _)| took < *known) {
            best = Some((took, value));
        }
    }
    best.unwrap()
}

fn show(what: &str, took: Duration, asked: &str) {
    let shown = match took.as_nanos() {
        0..10_000 => format!("{} ns", took.as_nanos()),
        10_000..10_000_000 => format!("{:.1} us", took.as_secs_f64() * 1e6),
        _ => format!("{:.1} ms", took.as_secs_f64() * 1e3),
    };
    println!("| {what} | {shown} | {asked} |");
}

fn whole(title: &str, replicas: u32) {
    let events = cluster(replicas);
    let (took, index) = best(|| Index::of(Dialect::STRICT, Vec::new(), events.clone()));
    show(&format!("{title}: the index from nothing, {} classes", index.classes()), took, "");
    let pods: Vec<End> = index.pods().collect();
    let (took, (matrix, square)) = best(|| {
        let matrix = Matrix::of(&index, &pods, Protocol::Tcp, 80, None);
        let square = matrix.square();
        (matrix, square)
    });
    let allowed: usize = square.iter().map(causeway_policy::Bits::count).sum();
    assert!(allowed > 0);
    show(&format!("{title}: full matrix, {} pods, one port", matrix.len()), took, "2 s");
    println!("| {title}: peak memory of the process by then | {:.1} MB | 200 MB |", peak() as f64 / 1e6);
    // Verdicts among pods whose answers are known, as a tracer asks them.
    let mut random = Random::new(1);
    let mut seat = || index.seat(random.one_of(&pods).unwrap(), None).unwrap();
    let pairs: Vec<_> = (0..1000).map(|_| (seat(), seat())).collect();
    let ask = |port: u16| {
        pairs
            .iter()
            .filter(|(from, to)| index.verdict_between(*from, *to, Protocol::Tcp, port) == Verdict::Allowed)
            .count()
    };
    black_box(ask(80));
    let (took, _) = best(|| (0..100).map(|_| black_box(ask(80))).sum::<usize>());
    show(&format!("{title}: one verdict, ends known"), took / 100_000, "1 us");
    let flows: Vec<Flow> = (0..1000)
        .map(|_| {
            let address = |random: &mut Random| match random.one_of(&pods).unwrap() {
                End::Pod(namespace, name) => End::Address(ip(namespace, name)),
                other => other.clone(),
            };
            Flow {
                from: address(&mut random),
                to: address(&mut random),
                protocol: Protocol::Tcp,
                port: 80,
                family: None,
            }
        })
        .collect();
    let asked = || flows.iter().filter(|flow| index.verdict(flow) == Some(Verdict::Allowed)).count();
    black_box(asked());
    let (took, _) = best(|| (0..20).map(|_| black_box(asked())).sum::<usize>());
    show(&format!("{title}: one verdict, ends by address"), took / 20_000, "1 us");
    // One more pod, and gone again; one policy changed.
    let mut index = index;
    black_box(Matrix::of(&index, &pods, Protocol::Tcp, 80, None));
    let new = PodInfo {
        name: "new".to_owned(),
        labels: BTreeMap::from([("app".to_owned(), "anew".to_owned())]),
        ..pod(3, 200, replicas)
    };
    let (took, _) = best(|| {
        index.apply(Event::Pod(new.clone()));
        index.apply(Event::PodGone(new.namespace.clone(), new.name.clone()))
    });
    show(&format!("{title}: a pod comes and goes"), took, "");
    let mut random = Random::new(99);
    let (took, _) = best(|| index.apply(Event::Policy(policy(3, 1, PODS / replicas, &mut random))));
    show(&format!("{title}: a policy changes"), took, "");
}

fn ip(namespace: &str, name: &str) -> IpAddr {
    let number = |text: &str| text.trim_start_matches(char::is_alphabetic).parse::<u32>().unwrap();
    IpAddr::V4(Ipv4Addr::from(0x0a02_0000 + number(namespace) * 256 + number(name)))
}

/// 1,000 policies that are about one pod, or whose rules name it, in a cluster where every answer is known.
fn joined(title: &str, about: bool) {
    let mut events: Vec<Event> =
        (0..20).flat_map(|namespace| (0..PODS).map(move |at| Event::Pod(pod(namespace, at, 5)))).collect();
    let mut random = Random::new(3);
    for at in 0..1000 {
        let mut one = policy(1, at, 20, &mut random);
        one.id.name = format!("x{at}");
        let newcomer = labelled("new", "yes".to_owned());
        if about {
            one.subject.pods = if at % 2 == 0 { Selector::default() } else { newcomer };
        } else if let Some(rules) = &mut one.ingress {
            let own = Namespaces::Named("ns1".to_owned());
            rules.push(rule(vec![Peer::Pods(PodSet { namespaces: own, pods: newcomer })], port(81)));
        }
        events.push(Event::Policy(one));
    }
    let mut index = Index::of(Dialect::STRICT, Vec::new(), events);
    let pods: Vec<End> = index.pods().collect();
    let newcomer = PodInfo {
        name: "new".to_owned(),
        labels: BTreeMap::from([("new".to_owned(), "yes".to_owned())]),
        ..pod(1, 201, 5)
    };
    let mut took = Duration::MAX;
    for _ in 0..ROUNDS {
        for from in pods.iter().take(200) {
            let flow = Flow {
                from: from.clone(),
                to: pods.last().unwrap().clone(),
                protocol: Protocol::Tcp,
                port: 80,
                family: None,
            };
            black_box(index.verdict(&flow));
        }
        let start = Instant::now();
        index.apply(Event::Pod(newcomer.clone()));
        took = took.min(start.elapsed());
        index.apply(Event::PodGone(newcomer.namespace.clone(), newcomer.name.clone()));
    }
    show(title, took, "2 ms with the kernel");
}

fn main() {
    println!("| what | best of {ROUNDS} | asked for |\n|---|---|---|");
    whole("replicas", 5);
    whole("no two alike", 1);
    joined("a pod joins 1,000 policies", true);
    joined("a pod joins the rules of 1,000 policies", false);
}
