//! The policy agent as a process: manifests on one side, packets on the other.

mod storms;
mod troubles;

use crate::agent::started::{Agent, run};
use causeway_addr::Family;
use causeway_dataplane::nftables::{Growth, Limits, lower, plan};
use causeway_dataplane::packet::Protocol;
use causeway_dataplane::policy::{Sampling, Site, enforce, table};
use causeway_dataplane::ruleset::Rate;
use causeway_linux::event::wait;
use causeway_linux::nftables::{Connection, Listener};
use causeway_policy::{Engine, Index, world};
use causeway_read::files::MemoryFiles;
use causeway_read::{Input, load};
use causeway_testkit::lab::topology::{POD, PODS};
use causeway_testkit::lab::{Fate, Lab, Place, Probe};
use causeway_testkit::trial::Trial;
use serde_json::{Value, json};
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const PLACED: &str = "the rules are in place";
/// Longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(20);
/// What a packet that is dropped costs a test.
const SOON: Duration = Duration::from_millis(60);

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = vec![
        Trial::new("enforce::a_dump_and_a_folder_of_files_say_the_same", dump_and_folder),
        Trial::new("enforce::a_change_reaches_packets_within_a_second", change),
        Trial::new("enforce::rules_that_others_change_come_back", drift),
        Trial::new("enforce::killed_and_started_again_nothing_is_open_meanwhile", killed),
        Trial::new("enforce::a_pod_that_sends_before_it_is_known_gets_nothing_through", unknown),
        Trial::new("enforce::a_connection_a_change_forbids_ends", cut),
        Trial::new("enforce::what_is_denied_is_counted_and_told_of_by_policy", denied),
        Trial::new("enforce::a_rule_that_denies_is_told_from_what_nothing_allows", tiers),
        Trial::new("enforce::a_flood_is_told_of_by_sample", flood),
        Trial::new("enforce::the_jobs_that_end_do_what_they_say", jobs),
    ];
    trials.extend(troubles::trials());
    trials.extend(storms::trials());
    trials
}

/// A folder of manifests.
struct Manifests(tempfile::TempDir);

impl Manifests {
    fn new(files: &[(&str, &str)]) -> Manifests {
        let manifests = Manifests(tempfile::tempdir().unwrap());
        fs::create_dir(manifests.path()).unwrap();
        files.iter().for_each(|(name, text)| manifests.put(name, text));
        manifests
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("manifests")
    }

    /// As careful programs write: beside it, then in its place.
    fn put(&self, name: &str, text: &str) {
        let beside = self.0.path().join("beside");
        fs::write(&beside, text).unwrap();
        fs::rename(beside, self.path().join(name)).unwrap();
    }

    fn remove(&self, name: &str) {
        fs::remove_file(self.path().join(name)).unwrap();
    }
}

fn list(objects: &[Value]) -> String {
    let list = json!({"apiVersion": "v1", "items": objects, "kind": "List", "metadata": {"resourceVersion": ""}});
    format!("{list:#}\n")
}

fn namespace(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {"team": name}}})
}

fn node(name: &str, ranges: bool) -> Value {
    let ranges: Vec<String> = PODS.iter().filter(|_| ranges).map(ToString::to_string).collect();
    json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "spec": {"podCIDRs": ranges},
        "status": {"addresses": [{"type": "InternalIP", "address": "10.224.0.4"}]}})
}

fn pod_at(name: &str, app: &str, on: &str, ips: &[IpAddr]) -> Value {
    let ips: Vec<Value> = ips.iter().map(|ip| json!({"ip": ip})).collect();
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "shop", "labels": {"app": app}},
        "spec": {"nodeName": on, "containers": []}, "status": {"phase": "Running", "podIPs": ips}})
}

/// The lab's pod.
fn pod(app: &str) -> Value {
    pod_at("web-0", app, "n0", &Family::ALL.map(|family| POD.of(family)))
}

/// A pod of another node, which the world stands for.
const CLIENT: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7)), IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 7))];

fn policy(name: &str, spec: &Value) -> Value {
    json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": "shop"}, "spec": spec})
}

fn deny(direction: &str) -> Value {
    let name = format!("deny-{}", direction.to_lowercase());
    policy(&name, &json!({"podSelector": {}, "policyTypes": [direction]}))
}

/// Lets clients in, and the pod out to nobody but them, on port 80.
fn only_clients() -> Value {
    let client = json!({"podSelector": {"matchLabels": {"app": "client"}}});
    let ports = json!([{"protocol": "UDP", "port": 80}]);
    policy(
        "only-clients",
        &json!({"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": [client], "ports": ports}], "egress": [{"to": [client], "ports": ports}]}),
    )
}

fn everything() -> Vec<Value> {
    vec![
        namespace("shop"),
        node("n0", true),
        pod("web"),
        pod_at("client-0", "client", "n1", &CLIENT),
        pod_at("other-0", "other", "n1", &["198.51.100.9".parse().unwrap(), "2001:db8::9".parse().unwrap()]),
        only_clients(),
    ]
}

/// Whether a packet to a port passes, in one direction.
fn passes(lab: &mut Lab, from: Place, source: IpAddr, destination: IpAddr, port: u16) -> bool {
    let mut packet = lab.packet(source, destination, Protocol::Udp);
    packet.destination_port = port;
    lab.probe(&[Probe { from, packet }]).unwrap() != [Fate::Lost]
}

fn out(lab: &mut Lab, to: &str, port: u16) -> bool {
    let to: IpAddr = to.parse().unwrap();
    passes(lab, Place::Pod, POD.of(Family::of(to)), to, port)
}

fn into(lab: &mut Lab, from: &str, port: u16) -> bool {
    let from: IpAddr = from.parse().unwrap();
    passes(lab, Place::World, from, POD.of(Family::of(from)), port)
}

fn quick() -> Lab {
    let mut lab = Lab::new().unwrap();
    lab.set_patience(SOON);
    lab
}

/// Asks until it is so.
fn until(what: &str, mut is_so: impl FnMut() -> bool) -> Duration {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "it never came about: {what}");
    }
    begun.elapsed()
}

/// What the kernel should hold for all manifests of a folder, worked out from nothing, differs from what it holds in this.
fn differs(connection: &mut Connection, manifests: &Path) -> Vec<String> {
    let mut inputs = Vec::new();
    for entry in fs::read_dir(manifests).unwrap() {
        let path = entry.unwrap().path();
        let Ok(bytes) = fs::read(&path) else { continue };
        if path.extension().is_some_and(|ending| ending == "md") {
            continue;
        }
        inputs.push(Input { name: path.display().to_string(), bytes, kind: None, found: false });
    }
    let design = load(inputs, &MemoryFiles::default()).outcome.unwrap().design;
    let cluster = design.clusters.values().next().unwrap();
    let index: Index = world::index(&design, cluster, Engine::Strict);
    let ranges = cluster.nodes.iter().find(|(name, _)| name.to_string() == "n0");
    let mut pod_ranges = ranges.map(|(_, node)| node.pod_cidrs.clone()).unwrap_or_default();
    pod_ranges.sort();
    let site = Site { node: "n0".to_owned(), pod_ranges };
    let sampling = Sampling { group: 4617, rate: Rate { per_second: 10, burst: 10 } };
    let wanted = lower(&enforce(&index, &site, Some(&sampling)).ruleset, Growth::default());
    let read = connection.read(&Family::ALL.map(table)).unwrap().tables;
    plan(&wanted, &read, &Limits::default()).drift.iter().map(ToString::to_string).collect()
}

/// Waits until the kernel holds what the manifests say.
fn settled(lab: &Lab, manifests: &Manifests) {
    let (mut connection, mut listener) =
        lab.on_node(|| (Connection::open().unwrap(), Listener::open().unwrap())).unwrap();
    let begun = Instant::now();
    loop {
        let _ = listener.drain().unwrap();
        let differing = differs(&mut connection, &manifests.path());
        if differing.is_empty() {
            return;
        }
        let left = PATIENCE.checked_sub(begun.elapsed());
        let left = left.unwrap_or_else(|| panic!("the kernel never came to hold it: {differing:#?}"));
        // What is committed wakes; what was committed in between is seen at the latest then.
        wait(&[listener.as_fd()], Some(left.min(Duration::from_millis(200)))).unwrap();
    }
}

fn dump_and_folder() {
    let mut lab = quick();
    let objects = everything();
    let names = ["ns.yaml", "node.json", "web.yml", "client.yaml", "other.yaml", "policy.yaml"];
    let files: Vec<(&str, String)> =
        names.iter().zip(&objects).map(|(name, object)| (*name, format!("{object:#}\n"))).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let several = files.iter().map(|(_, text)| *text).collect::<Vec<_>>().join("---\n");
    for files in [files, vec![("dump.yaml", &list(&objects))], vec![("all.yaml", &several), ("README.md", "none")]] {
        let manifests = Manifests::new(&files);
        let mut agent = Agent::start_policy(&lab, &manifests.path(), &["--metrics-address=127.0.0.1:0"]);
        agent.line("in place");
        settled(&lab, &manifests);
        for (client, other) in [("198.51.100.7", "198.51.100.9"), ("2001:db8::7", "2001:db8::9")] {
            assert!(into(&mut lab, client, 80), "{client} is let in");
            assert!(!into(&mut lab, other, 80), "{other} is not");
            assert!(!into(&mut lab, client, 81), "nor is another port");
            assert!(out(&mut lab, client, 80) && !out(&mut lab, other, 80) && !out(&mut lab, client, 81));
        }
        let page = agent.get(&lab, "/metrics");
        assert_eq!(row(&page, "causeway_policy_objects_in_doubt"), 0);
        assert_eq!(row(&page, "causeway_policy_objects{kind=\"nodes\"}"), 1);
        assert_eq!(agent.terminate(), Some(0));
    }
    let (code, _, said) = run(&lab, &["policy", "--cleanup"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(into(&mut lab, "198.51.100.9", 80) && out(&mut lab, "2001:db8::9", 81), "without rules everything passes");
}

fn change() {
    let mut lab = quick();
    let manifests = Manifests::new(&[("cluster.yaml", &list(&everything()))]);
    let mut agent = Agent::start_policy(&lab, &manifests.path(), &["--metrics-address=127.0.0.1:0"]);
    agent.until(PLACED);
    assert!(!into(&mut lab, "198.51.100.9", 80));
    // The other one becomes a client, and stops being one.
    for (app, passing) in [("client", true), ("other", false), ("client", true)] {
        let begun = Instant::now();
        let mut objects = everything();
        objects[4]["metadata"]["labels"]["app"] = app.into();
        manifests.put("cluster.yaml", &list(&objects));
        until("the packet passes, or does not", || into(&mut lab, "198.51.100.9", 80) == passing);
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
        settled(&lab, &manifests);
    }
    let page = agent.get_until(&lab, "/metrics", "causeway_policy_change_seconds_count 4");
    assert!(page.contains("causeway_policy_file_parses_total 4"), "{page}");
}

fn drift() {
    let mut lab = quick();
    let manifests = Manifests::new(&[("cluster.yaml", &list(&everything()))]);
    let mut agent =
        Agent::start_policy(&lab, &manifests.path(), &["--metrics-address=127.0.0.1:0", "--resync-interval=3600"]);
    agent.until(PLACED);
    let mut connection = lab.on_node(Connection::open).unwrap().unwrap();
    for round in 1..=4 {
        let [v4, v6] = Family::ALL.map(table);
        let ops = causeway_dataplane::nftables::objects::Op::DeleteTable;
        let read = connection.read(&[v4.clone(), v6.clone()]).unwrap();
        let batch = match round {
            1 => vec![ops(v4), ops(v6)],
            2 => vec![ops(v6)],
            3 => vec![causeway_dataplane::nftables::objects::Op::FlushChain { table: v4, name: "forward".into() }],
            _ => {
                let set = read.tables[&v4].objects.sets["policed"].clone();
                let keys = set.elements;
                vec![causeway_dataplane::nftables::objects::Op::DeleteElements {
                    table: v4,
                    set: "policed".into(),
                    keys,
                }]
            }
        };
        connection.apply(&batch, None).unwrap();
        agent.get_until(&lab, "/metrics", &format!("drift_repairs_total{{noticed_by=\"notification\"}} {round}"));
        settled(&lab, &manifests);
        assert!(!into(&mut lab, "198.51.100.9", 80) && !into(&mut lab, "2001:db8::9", 80));
        assert!(into(&mut lab, "198.51.100.7", 80) && into(&mut lab, "2001:db8::7", 80));
    }
    let page = agent.get(&lab, "/readyz");
    assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
}

fn killed() {
    let mut lab = quick();
    let manifests = Manifests::new(&[("cluster.yaml", &list(&everything()))]);
    let mut agent = Agent::start_policy(&lab, &manifests.path(), &[]);
    agent.until(PLACED);
    let before = lab.on_node(|| Connection::open().unwrap().generation().unwrap()).unwrap();
    let path = manifests.path();
    // Packets go on through death and rebirth: none that is denied may arrive.
    let ended = std::sync::atomic::AtomicBool::new(false);
    let (tell, begun) = std::sync::mpsc::channel();
    let node = lab.namespace(Place::Node).try_clone().unwrap();
    let (arrived, agent) = std::thread::scope(|scope| {
        let (ended, lab) = (&ended, &mut lab);
        let prober = scope.spawn(move || {
            lab.set_patience(Duration::from_millis(5));
            let (mut sent, mut arrived) = (0_u32, 0_u32);
            while !ended.load(std::sync::atomic::Ordering::Acquire) {
                let probes: Vec<Probe> = (0..8)
                    .map(|_| {
                        let packet = lab.packet(POD.of(Family::V4), "203.0.113.9".parse().unwrap(), Protocol::Udp);
                        Probe { from: Place::Pod, packet }
                    })
                    .collect();
                let fates = lab.probe(&probes).unwrap();
                sent += 8;
                arrived += u32::try_from(fates.iter().filter(|fate| **fate != Fate::Lost).count()).unwrap();
                let _ = tell.send(());
            }
            (sent, arrived)
        });
        begun.recv().unwrap();
        for _ in 0..3 {
            agent.kill();
            agent = Agent::start_policy_in(&node, &path, &[]);
            agent.until("the rules were in place already");
        }
        ended.store(true, std::sync::atomic::Ordering::Release);
        (prober.join().unwrap(), agent)
    });
    assert!(arrived.0 > 0 && arrived.1 == 0, "{arrived:?}");
    let after = lab.on_node(|| Connection::open().unwrap().generation().unwrap()).unwrap();
    assert_eq!(before, after, "who finds everything in place writes nothing");
    agent.kill();
    // What changed while nobody was there is put right, and nothing is open before.
    let mut objects = everything();
    objects[4]["metadata"]["labels"]["app"] = "client".into();
    manifests.put("cluster.yaml", &list(&objects));
    assert!(!into(&mut lab, "198.51.100.9", 80));
    let mut agent = Agent::start_policy(&lab, &manifests.path(), &[]);
    agent.until(PLACED);
    lab.set_patience(SOON);
    assert!(into(&mut lab, "198.51.100.9", 80));
}

fn unknown() {
    let mut lab = quick();
    let mut objects = everything();
    objects.remove(2);
    let manifests = Manifests::new(&[("cluster.yaml", &list(&objects))]);
    let mut agent = Agent::start_policy(&lab, &manifests.path(), &["--metrics-address=127.0.0.1:0"]);
    agent.until(PLACED);
    assert!(!out(&mut lab, "198.51.100.7", 80) && !out(&mut lab, "2001:db8::7", 80), "nobody knows it");
    assert!(!into(&mut lab, "198.51.100.7", 80) && !into(&mut lab, "2001:db8::7", 80));
    assert!(agent.line("\"denied\"").contains("not known yet"), "and the log says why");
    agent.get_until(&lab, "/metrics", "denied_packets_without_policy_total{reason=\"unknown-pod\"} 4");
    manifests.put("cluster.yaml", &list(&everything()));
    agent.until(PLACED);
    assert!(out(&mut lab, "198.51.100.7", 80) && out(&mut lab, "2001:db8::7", 80));
    // A range that is given counts, whatever the node's object says; `none` is none.
    drop(agent);
    manifests.put("cluster.yaml", &list(&objects));
    let mut agent = Agent::start_policy(&lab, &manifests.path(), &["--pod-cidrs=none"]);
    agent.until(PLACED);
    assert!(out(&mut lab, "198.51.100.9", 81), "what is not known is let through then");
    drop(agent);
    let mut agent = Agent::start_policy(&lab, &manifests.path(), &["--pod-cidrs=10.244.1.0/28"]);
    agent.until(PLACED);
    assert!(!out(&mut lab, "198.51.100.9", 81) && out(&mut lab, "2001:db8::9", 81));
}

fn cut() {
    let lab = Lab::new().unwrap();
    let to: std::net::SocketAddr = "198.51.100.7:7010".parse().unwrap();
    let mut objects = everything();
    objects.pop();
    let manifests = Manifests::new(&[("cluster.yaml", &list(&objects))]);
    let mut agent = Agent::start_policy(&lab, &manifests.path(), &[]);
    agent.until(PLACED);
    manifests.put("policy.yaml", &list(&[deny("Ingress")]));
    agent.until(PLACED);
    let listener =
        lab.namespace(Place::World).enter(|| std::net::TcpListener::bind(("0.0.0.0", 7010))).unwrap().unwrap();
    let mut pod =
        lab.namespace(Place::Pod).enter(|| std::net::TcpStream::connect_timeout(&to, PATIENCE)).unwrap().unwrap();
    let mut world = listener.accept().unwrap().0;
    let heard = |from: &mut std::net::TcpStream, to: &mut std::net::TcpStream, patience: Duration| {
        use std::io::{Read as _, Write as _};
        from.write_all(b"x").unwrap();
        to.set_read_timeout(Some(patience)).unwrap();
        to.read(&mut [0]).is_ok_and(|count| count == 1)
    };
    assert!(heard(&mut pod, &mut world, PATIENCE) && heard(&mut world, &mut pod, PATIENCE), "answers are let in");
    manifests.put("policy.yaml", &list(&[deny("Ingress"), deny("Egress")]));
    agent.until(PLACED);
    let silence = Duration::from_millis(300);
    assert!(!heard(&mut world, &mut pod, silence) && !heard(&mut pod, &mut world, silence), "it is cut both ways");
    assert!(agent.line("\"denied\"").contains("NetworkPolicy/shop/deny-egress"), "by what began it");
    manifests.remove("policy.yaml");
    agent.until(PLACED);
    let mut ended = [0; 8];
    use std::io::Read as _;
    world.set_read_timeout(Some(PATIENCE)).unwrap();
    assert!(world.read(&mut ended).is_ok(), "what is allowed again goes on where it was");
}

/// The number of a metric's row.
fn row(page: &str, row: &str) -> u64 {
    let line = page.lines().find(|line| line.starts_with(row)).unwrap_or_else(|| panic!("no {row} in {page}"));
    // Gauges are written with a fraction.
    line.rsplit(' ').next().unwrap().trim_end_matches(".0").parse().unwrap()
}

fn denied() {
    let mut lab = quick();
    let mut objects = everything();
    objects.push(deny("Ingress"));
    let manifests = Manifests::new(&[("cluster.yaml", &list(&objects))]);
    let mut agent = Agent::start_policy(&lab, &manifests.path(), &["--metrics-address=127.0.0.1:0"]);
    agent.until(PLACED);
    assert!(!into(&mut lab, "198.51.100.9", 80));
    let line = agent.line("\"denied\"");
    for words in [
        "\"source\":\"198.51.100.9\"",
        "\"destination\":\"10.244.1.7\"",
        "\"destination_port\":80",
        "\"source_port\":",
        "\"protocol\":\"UDP\"",
        "\"from\":\"pod/shop/other-0\"",
        "\"to\":\"pod/shop/web-0\"",
        "\"direction\":\"ingress\"",
        "\"by\":\"NetworkPolicy/shop/deny-ingress, NetworkPolicy/shop/only-clients\"",
    ] {
        assert!(line.contains(words), "{words}: {line}");
    }
    assert!(!out(&mut lab, "2001:db8::9", 80));
    let line = agent.line("\"denied\"");
    for words in ["fd00:244:1::7", "\"egress\"", "\"by\":\"NetworkPolicy/shop/only-clients\"", "pod/shop/web-0"] {
        assert!(line.contains(words), "{words}: {line}");
    }
    let of = |policy: &str, direction: &str| {
        format!(
            "causeway_policy_denied_packets_total{{policy=\"NetworkPolicy/shop/{policy}\",direction=\"{direction}\"}}"
        )
    };
    let page = agent.get(&lab, "/metrics");
    for (policy, direction) in [("deny-ingress", "ingress"), ("only-clients", "ingress"), ("only-clients", "egress")] {
        assert_eq!(row(&page, &of(policy, direction)), 1, "each that isolates the pod");
    }
    assert_eq!(row(&page, "causeway_policy_policies "), 2);
    assert_eq!(row(&page, "causeway_policy_denied_packets_told_total"), 2);
    for metric in
        ["rules", "sets", "chains", "set_entries", "apply_seconds_count", "file_objects{file=\"cluster.yaml\"}"]
    {
        assert!(row(&page, &format!("causeway_policy_{metric}")) > 0, "{metric}");
    }
    // Counts stay when the policies they were for change.
    objects.pop();
    manifests.put("cluster.yaml", &list(&objects));
    agent.until(PLACED);
    assert!(!into(&mut lab, "198.51.100.9", 80));
    agent.until("\"denied\"");
    let page = agent.get(&lab, "/metrics");
    assert_eq!([row(&page, &of("deny-ingress", "ingress")), row(&page, &of("only-clients", "ingress"))], [1, 2]);
    let page = agent.get(&lab, "/healthz");
    assert!(page.starts_with("HTTP/1.1 200 ") && page.contains("\"status\": \"ok\""), "{page}");
}

fn tiers() {
    let mut lab = quick();
    let mut objects = everything();
    let rule = |action: &str, port: u16| {
        json!({"action": action, "from": [{"namespaces": {"matchLabels": {"team": "shop"}}}],
            "protocols": [{"udp": {"destinationPort": {"number": port}}}]})
    };
    let ports = |action: &str, port: u16| {
        let mut rule = rule(action, port);
        rule.as_object_mut().unwrap().remove("protocols");
        rule["ports"] = json!([{"portNumber": {"protocol": "UDP", "port": port}}]);
        rule
    };
    objects.push(json!({"apiVersion": "policy.networking.k8s.io/v1alpha1", "kind": "AdminNetworkPolicy",
        "metadata": {"name": "guard"}, "spec": {"priority": 5, "subject": {"namespaces": {}},
            "ingress": [ports("Deny", 80), ports("Allow", 81)]}}));
    let manifests = Manifests::new(&[("cluster.yaml", &list(&objects))]);
    let mut agent = Agent::start_policy(&lab, &manifests.path(), &["--metrics-address=127.0.0.1:0"]);
    agent.until(PLACED);
    settled(&lab, &manifests);
    let expected = [(80, Some("AdminNetworkPolicy/guard")), (81, None), (82, Some("NetworkPolicy/shop/only-clients"))];
    for (port, by) in expected {
        for client in ["198.51.100.7", "2001:db8::7"] {
            assert_eq!(into(&mut lab, client, port), by.is_none(), "{client} {port}");
            if let Some(by) = by {
                let line = agent.line("\"denied\"");
                assert!(line.contains(&format!("\"by\":\"{by}\"")), "{port}: {line}");
            }
        }
    }
    let page = agent.get(&lab, "/metrics");
    let of =
        |policy: &str| format!("causeway_policy_denied_packets_total{{policy=\"{policy}\",direction=\"ingress\"}}");
    assert_eq!(row(&page, &of("AdminNetworkPolicy/guard")), 2);
    assert_eq!(row(&page, &of("NetworkPolicy/shop/only-clients")), 2);
}

fn flood() {
    let mut lab = quick();
    let mut objects = everything();
    objects.push(deny("Egress"));
    let manifests = Manifests::new(&[("cluster.yaml", &list(&objects))]);
    let mut agent =
        Agent::start_policy(&lab, &manifests.path(), &["--metrics-address=127.0.0.1:0", "--deny-log-rate=5"]);
    agent.until(PLACED);
    lab.set_patience(Duration::from_millis(1));
    let begun = Instant::now();
    let probes: Vec<Probe> = (0..2_000)
        .map(|_| Probe {
            from: Place::Pod,
            packet: lab.packet(POD.of(Family::V4), "203.0.113.9".parse().unwrap(), Protocol::Udp),
        })
        .collect();
    assert!(lab.probe(&probes).unwrap().iter().all(|fate| *fate == Fate::Lost));
    let page = agent.get(&lab, "/metrics");
    let counted = row(
        &page,
        "causeway_policy_denied_packets_total{policy=\"NetworkPolicy/shop/deny-egress\",direction=\"egress\"}",
    );
    assert_eq!(counted, 2_000, "each is counted");
    agent.get_until(&lab, "/metrics", "denied_packets_told_total 5");
    let told = row(&agent.get(&lab, "/metrics"), "causeway_policy_denied_packets_told_total");
    let most = 5 + 5 * (begun.elapsed().as_secs() + 1);
    assert!(told >= 5 && told <= most, "{told} of at most {most} are told of");
}

fn jobs() {
    let mut lab = quick();
    let manifests = Manifests::new(&[("cluster.yaml", &list(&everything()))]);
    let path = manifests.path().display().to_string();
    let with = |job: &'static str| ["policy", "--manifests", &path, "--node-name", "n0", job].map(str::to_owned);
    let act = |lab: &Lab, job| run(lab, &with(job).iter().map(String::as_str).collect::<Vec<_>>());
    let (code, printed, said) = act(&lab, "--dry-run");
    assert_eq!(code, Some(0), "{said}");
    assert!(
        printed.contains("table ip causeway-policy {") && printed.contains("# what would change\nadd table"),
        "{printed}"
    );
    assert!(printed.contains("log prefix \"denied-unknown\" group 4617"), "{printed}");
    assert!(into(&mut lab, "198.51.100.9", 80), "nothing was changed");
    let (code, _, said) = act(&lab, "--once");
    assert_eq!(code, Some(0), "{said}");
    assert!(!into(&mut lab, "198.51.100.9", 80) && into(&mut lab, "198.51.100.7", 80));
    // A file that can't be read refuses everything.
    manifests.put("broken.yaml", "kind: [");
    for job in ["--once", "--dry-run"] {
        let (code, _, said) = act(&lab, job);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains("broken.yaml"), "{said}");
    }
    assert!(!into(&mut lab, "198.51.100.9", 80), "what is there stays");
    let (code, _, said) = run(&lab, &["policy", "--cleanup"]);
    assert!(code == Some(0) && said.contains("removed the rules"), "{said}");
    assert!(
        lab.on_node(|| Connection::open().unwrap().read(&Family::ALL.map(table)).unwrap().tables.is_empty()).unwrap()
    );
    assert!(into(&mut lab, "198.51.100.9", 80));
    let (code, _, said) = run(&lab, &["policy", "--cleanup"]);
    assert!(code == Some(0) && said.contains("nothing to remove"), "{said}");
    for wrong in [
        &["policy"] as &[&str],
        &["policy", "--manifests"],
        &["policy", "--manifests", "x", "--pod-cidrs", "y"],
        &["policy", "--once", "--cleanup"],
    ] {
        let (code, _, said) = run(&lab, wrong);
        assert_eq!(code, Some(2), "{wrong:?}: {said}");
    }
    let (code, printed, _) = run(&lab, &["policy", "--help"]);
    assert!(code == Some(0) && printed.contains("--manifests"), "{printed}");
}
