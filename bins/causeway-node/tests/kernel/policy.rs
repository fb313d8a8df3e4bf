//! Policies in a kernel: what a node that holds the compiled rules lets through, against what the policies mean.

use causeway_addr::Family;
use causeway_dataplane::nftables::{Growth, Limits, lower, plan};
use causeway_dataplane::packet::{Packet, Protocol};
use causeway_dataplane::policy::{DENIED_EGRESS, DENIED_UNKNOWN, DENIED_WITHOUT_SYN, Site, compile, table};
use causeway_linux::nftables::Connection;
use causeway_model::design::Protocol as PolicyProtocol;
use causeway_model::policy::Direction;
use causeway_policy::{End, Engine, Event, Flow, Index, PodInfo, Verdict, world};
use causeway_read::files::MemoryFiles;
use causeway_read::{Input, load as read};
use causeway_testkit::lab::topology::{POD, PODS};
use causeway_testkit::lab::{Fate, Lab, Place, Probe};
use causeway_testkit::oracle::Oracle;
use causeway_testkit::trial::{CannotProve, Trial};
use causeway_testkit::{Random, policies};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

const CLUSTERS: u64 = 200;
const PROBES: usize = 110;
const PORTS: [u16; 6] = [79, 80, 81, 82, 443, 40_000];
const PROTOCOLS: [(Protocol, PolicyProtocol); 4] = [
    (Protocol::Tcp, PolicyProtocol::Tcp),
    (Protocol::Udp, PolicyProtocol::Udp),
    (Protocol::Sctp, PolicyProtocol::Sctp),
    (Protocol::Icmp, PolicyProtocol::Icmp),
];
/// Outside, and nodes.
const ADDRESSES: [&str; 7] =
    ["203.0.113.9", "198.51.100.7", "10.9.9.9", "10.2.0.200", "10.1.0.5", "fd02::9999", "2001:db8::1"];
/// A packet is let through or it is not long before this; on a busy machine one that is missing is sent again.
const SOON: Duration = Duration::from_millis(15);
const LATE: Duration = Duration::from_secs(1);
const WORLD: &str = "198.51.100.7";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::new("policy::the_kernel_lets_through_what_policies_let_through", generated),
        Trial::new("policy::a_pod_that_is_not_known_yet_gets_nothing_through", first_millisecond),
        Trial::new("policy::a_connection_that_is_forbidden_ends_with_the_next_packet", cut),
        Trial::new("policy::the_middle_of_a_connection_nobody_saw_begin_is_stopped", middle),
        Trial::needing("policy::a_service_is_asked_about_as_what_answers_for_it", service),
        Trial::needing("policy::nft_lists_the_rules", listed),
    ]
}

fn index(objects: &[Value]) -> Index {
    let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
    let input = Input { name: "objects.json".into(), bytes: list.to_string().into(), kind: None, found: false };
    let design = read(vec![input], &MemoryFiles::default()).outcome.unwrap().design;
    world::index(&design, design.clusters.values().next().unwrap(), Engine::Strict)
}

/// nf_tables of the lab's node.
struct Holder(Connection);

impl Holder {
    fn open(lab: &Lab) -> Holder {
        Holder(lab.on_node(Connection::open).unwrap().unwrap())
    }

    /// Makes the kernel hold the rules; nothing is left to do then.
    fn load(&mut self, index: &Index, site: &Site) {
        let limits = Limits { batch_bytes: self.0.batch_limit() / 2 };
        self.load_within(index, site, &limits);
    }

    fn load_within(&mut self, index: &Index, site: &Site, limits: &Limits) {
        let wanted = lower(&compile(index, site), Growth::default());
        let tables = Family::ALL.map(table);
        let read = self.0.read(&tables).unwrap().tables;
        for batch in plan(&wanted, &read, limits).batches {
            self.0.apply(&batch, None).unwrap();
        }
        let left = plan(&wanted, &self.0.read(&tables).unwrap().tables, limits);
        assert!(left.is_empty(), "{:#?}", left.drift);
    }

    fn count(&mut self, counter: &str) -> u64 {
        self.0.counts(&table(Family::V4)).unwrap()[counter].packets
    }
}

fn site(node: &str) -> Site {
    Site { node: node.to_owned(), pod_ranges: Vec::new() }
}

/// What the policies of a node's pods say of a packet.
fn meant(index: &Index, here: &BTreeSet<IpAddr>, packet: &Packet, protocol: PolicyProtocol) -> bool {
    let (from, to) = (packet.source, packet.destination);
    let port = packet.destination_port;
    let flow = Flow { from: End::Address(from), to: End::Address(to), protocol, port, family: None };
    let explained = index.explain(&flow).unwrap();
    let passes = |pod, direction| !here.contains(&pod) || explained.of(direction) == Verdict::Allowed;
    passes(from, Direction::Egress) && passes(to, Direction::Ingress)
}

fn generated() {
    let first = Random::seed();
    println!("     CAUSEWAY_SEED={first}");
    let begun = Instant::now();
    let mut lab = Lab::new().unwrap();
    lab.set_patience(SOON);
    let mut holder = Holder::open(&lab);
    let (mut clusters, mut asked, mut denied) = (0, 0, 0);
    for seed in first.. {
        if clusters == CLUSTERS {
            break;
        }
        let objects = policies::cluster(seed);
        let index = index(&objects);
        let here: BTreeSet<IpAddr> = index.pods_of_node("n0").map(|(address, _)| address).collect();
        // Nobody is asked about a node without pods.
        if here.is_empty() {
            continue;
        }
        clusters += 1;
        // Now and then in very small pieces.
        match seed % 3 {
            0 => holder.load_within(&index, &site("n0"), &Limits { batch_bytes: 1_500 }),
            _ => holder.load(&index, &site("n0")),
        }
        let own: [IpAddr; 2] = ["10.1.0.4", "fd01::4"].map(|text| text.parse().unwrap());
        let mut ends: Vec<IpAddr> = index.addresses().map(|(address, _)| address).collect();
        ends.extend(ADDRESSES.map(|text| text.parse::<IpAddr>().unwrap()));
        ends.retain(|end| !own.contains(end));
        let mut random = Random::new(seed);
        let mut probes = Vec::new();
        let local: Vec<IpAddr> = here.iter().copied().collect();
        while probes.len() < PROBES {
            let (pod, other) = (*random.one_of(&local).unwrap(), *random.one_of(&ends).unwrap());
            if pod == other || Family::of(pod) != Family::of(other) {
                continue;
            }
            let (from, to) = if random.once_in(2) { (pod, other) } else { (other, pod) };
            let (protocol, of_policy) = *random.one_of(&PROTOCOLS).unwrap();
            let mut packet = lab.packet(from, to, protocol);
            if protocol != Protocol::Icmp {
                packet.destination_port = *random.one_of(&PORTS).unwrap();
            }
            let wanted = meant(&index, &here, &packet, of_policy);
            probes.push((Probe { from: Place::Pod, packet }, wanted));
        }
        let sent: Vec<Probe> = probes.iter().map(|(probe, _)| *probe).collect();
        let fates = lab.probe(&sent).unwrap();
        for ((probe, wanted), mut fate) in probes.iter().zip(fates) {
            if *wanted && fate == Fate::Lost {
                lab.set_patience(LATE);
                fate = lab.probe(&[*probe]).unwrap()[0];
                lab.set_patience(SOON);
            }
            assert_eq!(
                fate != Fate::Lost,
                *wanted,
                "CAUSEWAY_SEED={seed}: {probe:?}: {fate:?}\n{}",
                serde_json::to_string(&objects).unwrap()
            );
            denied += u64::from(!*wanted);
        }
        asked += probes.len();
    }
    println!("     {asked} packets, {denied} denied, in {:.1} s", begun.elapsed().as_secs_f64());
    assert!(asked >= 20_000 && denied > 2_000, "{asked} packets, {denied} denied");
}

fn policy(name: &str, spec: &Value) -> Value {
    json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": "default"}, "spec": spec})
}

/// A cluster of one namespace with these policies, and the lab's pod if it is known.
fn small(policies: &[Value], pod: bool) -> Index {
    let mut objects = vec![json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}})];
    objects.extend(policies.iter().cloned());
    let mut index = index(&objects);
    if pod {
        index.apply(Event::Pod(PodInfo {
            namespace: "default".into(),
            name: "pod".into(),
            labels: BTreeMap::new(),
            ips: Family::ALL.map(|family| POD.of(family)).into(),
            node: Some("n0".into()),
            host_network: false,
            ports: BTreeMap::new(),
        }));
    }
    index
}

fn deny(direction: &str) -> Value {
    policy(&format!("deny-{}", direction.to_lowercase()), &json!({"podSelector": {}, "policyTypes": [direction]}))
}

fn first_millisecond() {
    let mut lab = Lab::new().unwrap();
    lab.set_patience(Duration::from_millis(100));
    let mut holder = Holder::open(&lab);
    let careful = Site { node: "n0".into(), pod_ranges: PODS.to_vec() };
    let arrived = |lab: &mut Lab| {
        let probes: Vec<Probe> = (0..1000)
            .map(|at| {
                let family = if at % 4 == 0 { Family::V6 } else { Family::V4 };
                let to = if at % 4 == 0 { "2001:db8::1" } else { WORLD };
                let packet = lab.packet(POD.of(family), to.parse().unwrap(), Protocol::Udp);
                Probe { from: Place::Pod, packet }
            })
            .collect();
        lab.probe(&probes).unwrap().iter().filter(|fate| **fate != Fate::Lost).count()
    };
    holder.load(&small(&[deny("Egress")], false), &careful);
    assert_eq!(arrived(&mut lab), 0, "nobody knows the pod yet");
    assert_eq!(holder.count(DENIED_UNKNOWN), 750);
    holder.load(&small(&[deny("Egress")], true), &careful);
    assert_eq!(arrived(&mut lab), 0, "the pod is known, and may send nothing");
    assert_eq!(holder.count(DENIED_EGRESS), 750);
    holder.load(&small(&[deny("Ingress")], true), &careful);
    assert_eq!(arrived(&mut lab), 1000, "the pod is known, and may send");
}

/// A connection from the pod to the world: what each end says, the other hears, or not.
struct Talk {
    pod: TcpStream,
    world: TcpStream,
}

impl Talk {
    fn begin(lab: &Lab, port: u16) -> Talk {
        let to: SocketAddr = format!("{WORLD}:{port}").parse().unwrap();
        let listener = lab.namespace(Place::World).enter(|| TcpListener::bind(("0.0.0.0", port))).unwrap().unwrap();
        let pod = lab.namespace(Place::Pod).enter(|| TcpStream::connect_timeout(&to, LATE * 5)).unwrap().unwrap();
        let world = listener.accept().unwrap().0;
        for end in [&pod, &world] {
            end.set_nodelay(true).unwrap();
        }
        Talk { pod, world }
    }

    fn heard(from: &mut TcpStream, to: &mut TcpStream, patience: Duration) -> bool {
        from.write_all(b"x").unwrap();
        to.set_read_timeout(Some(patience)).unwrap();
        match to.read(&mut [0; 1]) {
            Ok(count) => count == 1,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => false,
            Err(error) => panic!("{error}"),
        }
    }

    fn there(&mut self, patience: Duration) -> bool {
        Talk::heard(&mut self.pod, &mut self.world, patience)
    }

    fn back(&mut self, patience: Duration) -> bool {
        Talk::heard(&mut self.world, &mut self.pod, patience)
    }
}

const SILENCE: Duration = Duration::from_millis(300);

fn cut() {
    let lab = Lab::new().unwrap();
    let mut holder = Holder::open(&lab);
    // The pod may be asked nothing; what it asks is answered.
    holder.load(&small(&[deny("Ingress")], true), &site("n0"));
    let mut talk = Talk::begin(&lab, 7001);
    assert!(talk.there(LATE) && talk.back(LATE), "answers pass where questions do");
    holder.load(&small(&[deny("Ingress"), deny("Egress")], true), &site("n0"));
    assert!(!talk.back(SILENCE), "the server's next word is not heard");
    assert!(!talk.there(SILENCE), "nor the pod's");
    assert!(holder.count(DENIED_EGRESS) > 0, "it is the pod's egress that forbids the connection, in both directions");
    // What was cut goes on where it is allowed again: nothing was forgotten meanwhile.
    holder.load(&small(&[deny("Ingress")], true), &site("n0"));
    assert!(talk.there(LATE * 5) && talk.back(LATE * 5), "both ends send again what was not heard");
}

fn middle() {
    let lab = Lab::new().unwrap();
    let mut holder = Holder::open(&lab);
    // Without rules that ask for it nothing is tracked: nobody sees this connection begin.
    let mut talk = Talk::begin(&lab, 7002);
    assert!(talk.there(LATE) && talk.back(LATE));
    let web = json!({"podSelector": {}, "policyTypes": ["Ingress", "Egress"],
        "egress": [{"to": [{"ipBlock": {"cidr": "198.51.100.0/24"}}], "ports": [{"protocol": "TCP", "port": 7000, "endPort": 7009}]}]});
    holder.load(&small(&[policy("web", &web)], true), &site("n0"));
    assert!(!talk.back(SILENCE), "an answer can't begin it the other way round");
    assert!(!talk.there(SILENCE), "nor can the pod in the middle");
    assert!(holder.count(DENIED_WITHOUT_SYN) > 0);
    let mut again = Talk::begin(&lab, 7003);
    assert!(again.there(LATE) && again.back(LATE), "what begins as connections do passes");
}

fn egress(name: &str, cidr: &str, port: u16) -> Value {
    policy(
        name,
        &json!({"podSelector": {}, "policyTypes": ["Ingress", "Egress"],
            "egress": [{"to": [{"ipBlock": {"cidr": cidr}}], "ports": [{"protocol": "TCP", "port": port}]}]}),
    )
}

/// The destination is translated before, as for a service, and the source after, as on the way out of a node.
fn service() -> Result<(), CannotProve> {
    let lab = Lab::new().unwrap();
    let nft = Oracle::find("nft")?;
    let rules = format!(
        "table ip others {{
            chain services {{ type nat hook prerouting priority dstnat; ip daddr 10.96.0.1 tcp dport 80 dnat to {WORLD}:7004; }}
            chain leave {{ type nat hook postrouting priority srcnat; oifname \"eth0\" masquerade; }}
        }}"
    );
    lab.on_node(|| nft.feed(&["-f", "-"], &rules)).unwrap().unwrap();
    let mut holder = Holder::open(&lab);
    let listener = lab.namespace(Place::World).enter(|| TcpListener::bind(("0.0.0.0", 7004))).unwrap().unwrap();
    let connect = || {
        let to: SocketAddr = "10.96.0.1:80".parse().unwrap();
        lab.namespace(Place::Pod).enter(|| TcpStream::connect_timeout(&to, SILENCE)).unwrap()
    };
    holder.load(&small(&[egress("to-the-service", "10.96.0.1/32", 80)], true), &site("n0"));
    assert!(connect().is_err(), "the service's own address is nobody's where policies are asked");
    holder.load(&small(&[egress("to-another-port", "198.51.100.7/32", 80)], true), &site("n0"));
    assert!(connect().is_err(), "nor is its port");
    holder.load(&small(&[egress("to-what-answers", "198.51.100.7/32", 7004)], true), &site("n0"));
    let mut pod = connect().unwrap();
    let mut world = listener.accept().unwrap().0;
    assert_ne!(world.peer_addr().unwrap().ip(), POD.of(Family::V4), "the source was translated behind the rules");
    assert!(Talk::heard(&mut pod, &mut world, LATE) && Talk::heard(&mut world, &mut pod, LATE));
    Ok(())
}

/// Whoever asks nft about a node must get an answer: programs read through it.
fn listed() -> Result<(), CannotProve> {
    let nft = Oracle::find("nft")?;
    let lab = Lab::new().unwrap();
    let mut holder = Holder::open(&lab);
    for seed in 1..=12 {
        holder.load(&index(&policies::cluster(seed)), &Site { node: "n0".into(), pod_ranges: PODS.to_vec() });
        for words in [&["list", "ruleset"] as &[&str], &["-j", "list", "ruleset"]] {
            let text = lab.on_node(|| nft.ask(words)).unwrap();
            assert!(text.contains("causeway-policy") && text.contains("egress-pods"), "{text}");
        }
    }
    Ok(())
}
