//! Everything changes all the time; what the kernel holds in the end is what the manifests say in the end.

use super::*;
use causeway_testkit::{Random, policies};
use std::collections::BTreeMap;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        Trial::new("enforce::a_storm_of_changes_ends_with_what_is_meant", storm),
        Trial::new("enforce::a_rival_who_never_lets_be_opens_nothing_for_long", rival),
        Trial::new("enforce::a_pod_that_joins_a_thousand_policies_is_cheap", thousand),
    ]
}

const ROUNDS: usize = 12;
/// Changes of a round, which come as they come.
const BURST: u64 = 30;

/// Objects by a name of their own; each stands in a file that its name chooses.
type Objects = BTreeMap<String, Value>;

fn key(object: &Value) -> String {
    let text = |path: &str| object.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    format!("{}-{}-{}", text("/kind"), text("/metadata/namespace"), text("/metadata/name"))
}

fn file_of(key: &str) -> String {
    let number = key.bytes().fold(7_u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(u32::from(byte))) % 9;
    format!("part-{number}.yaml")
}

/// Writes the files that changed. Careless writers write in place.
fn write(manifests: &Manifests, before: &Objects, now: &Objects, random: &mut Random) {
    let files = |objects: &Objects| {
        let mut files: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for (key, object) in objects {
            files.entry(file_of(key)).or_default().push(object.clone());
        }
        files
    };
    let (before, now) = (files(before), files(now));
    for (name, objects) in &now {
        if before.get(name) == Some(objects) {
            continue;
        }
        match random.once_in(3) {
            true => fs::write(manifests.path().join(name), list(objects)).unwrap(),
            false => manifests.put(name, &list(objects)),
        }
    }
    for name in before.keys().filter(|name| !now.contains_key(*name)) {
        let _ = fs::remove_file(manifests.path().join(name));
    }
}

fn addresses(pod: &Value) -> Vec<String> {
    let ips = pod.pointer("/status/podIPs").and_then(Value::as_array);
    ips.into_iter().flatten().filter_map(|ip| Some(ip["ip"].as_str()?.to_owned())).collect()
}

/// One of the things that happen.
fn change(objects: &mut Objects, gone: &mut Objects, pool: &[Value], random: &mut Random) {
    let keys: Vec<String> = objects.keys().cloned().collect();
    let some = random.one_of(&keys).cloned();
    match (random.below(8), some) {
        // Away, perhaps to come back.
        (0 | 1, Some(key)) if objects.len() > 4 => {
            let object = objects.remove(&key).unwrap();
            gone.insert(key, object);
        }
        // Back again, as it was.
        (2, _) => {
            let keys: Vec<String> = gone.keys().cloned().collect();
            if let Some(key) = random.one_of(&keys) {
                let object = gone.remove(key).unwrap();
                put(objects, object);
            }
        }
        // Another name, and the same for the rest: the addresses move to it.
        (3, Some(key)) => {
            let mut object = objects.remove(&key).unwrap();
            let name = format!("renamed{}", random.below(50));
            object["metadata"]["name"] = name.into();
            put(objects, object);
        }
        // Something of another cluster in its place.
        (4..=6, _) => put(objects, random.one_of(pool).unwrap().clone()),
        // Other labels.
        (_, Some(key)) => {
            let apps = ["web", "api", "db", "job"];
            let labels = json!({"app": random.one_of(&apps).unwrap(), "team": "red"});
            objects.get_mut(&key).unwrap()["metadata"]["labels"] = labels;
        }
        _ => {}
    }
}

/// Who comes last has the addresses: no two pods have one at the same time.
fn put(objects: &mut Objects, object: Value) {
    let mine = addresses(&object);
    objects.retain(|_, other| !addresses(other).iter().any(|ip| mine.contains(ip)));
    objects.insert(key(&object), object);
}

fn storm() {
    let seed = Random::seed();
    println!("     CAUSEWAY_SEED={seed}");
    let mut random = Random::new(seed);
    let lab = Lab::new().unwrap();
    let pool: Vec<Value> = (0..4).flat_map(|at| policies::cluster(seed.wrapping_add(at))).collect();
    let (mut objects, mut gone) = (Objects::new(), Objects::new());
    policies::cluster(seed).into_iter().for_each(|object| put(&mut objects, object));
    let manifests = Manifests::new(&[]);
    write(&manifests, &Objects::new(), &objects, &mut random);
    let mut agent = Agent::start_policy(&lab, &manifests.path(), &["--metrics-address=127.0.0.1:0"]);
    agent.line("in place");
    let mut changes = 0;
    for round in 0..ROUNDS {
        for _ in 0..1 + random.below(BURST) {
            let before = objects.clone();
            for _ in 0..1 + random.below(3) {
                change(&mut objects, &mut gone, &pool, &mut random);
                changes += 1;
            }
            write(&manifests, &before, &objects, &mut random);
        }
        if random.once_in(4) {
            agent.kill();
            agent = Agent::start_policy(&lab, &manifests.path(), &["--metrics-address=127.0.0.1:0"]);
        }
        println!("     round {round}: {} objects after {changes} changes", objects.len());
        settled(&lab, &manifests);
    }
    let page = agent.get_until(&lab, "/metrics", "causeway_policy_objects_in_doubt 0.0");
    assert!(page.contains("drift_repairs_total{noticed_by=\"notification\"} 0"), "{page}");
}

/// Somebody empties the chain that everything goes through, again as soon as it is right.
fn rival() {
    const TIMES: usize = 40;
    let mut lab = quick();
    let manifests = Manifests::new(&[("cluster.yaml", &list(&everything()))]);
    let arguments = ["--metrics-address=127.0.0.1:0", "--resync-interval=3600"];
    let mut agent = Agent::start_policy(&lab, &manifests.path(), &arguments);
    agent.until(PLACED);
    let (mut connection, mut listener) =
        lab.on_node(|| (Connection::open().unwrap(), Listener::open().unwrap())).unwrap();
    let v4 = table(Family::V4);
    let mut held = || connection.read(std::slice::from_ref(&v4)).unwrap().tables.remove(&v4).map(|table| table.objects);
    let right = held();
    let mut rival = lab.on_node(Connection::open).unwrap().unwrap();
    let mut open: Vec<Duration> = Vec::new();
    for _ in 0..TIMES {
        let flush = causeway_dataplane::nftables::objects::Op::FlushChain { table: v4.clone(), name: "forward".into() };
        rival.apply(&[flush], None).unwrap();
        let begun = Instant::now();
        loop {
            let _ = listener.drain().unwrap();
            if held() == right {
                break;
            }
            let left = PATIENCE.checked_sub(begun.elapsed()).expect("it is never put right");
            wait(&[listener.as_fd()], Some(left)).unwrap();
        }
        open.push(begun.elapsed());
    }
    assert!(!into(&mut lab, "198.51.100.9", 80) && into(&mut lab, "198.51.100.7", 80));
    open.sort();
    println!("     rules of a rival are gone after {:?}, at most {:?}", open[TIMES / 2], open[TIMES - 1]);
    assert!(open[TIMES / 2] < Duration::from_millis(100), "{open:?}");
}

/// One pod more, in a file of its own, in a cluster with a thousand policies that all select it.
fn thousand() {
    let lab = Lab::new().unwrap();
    let policies: Vec<Value> = (0..1000)
        .map(|at| {
            let cidr = format!("100.{}.{}.0/24", at / 250, at % 250);
            policy(&format!("p{at}"), &json!({"podSelector": {}, "policyTypes": ["Egress"],
                "egress": [{"to": [{"ipBlock": {"cidr": cidr}}], "ports": [{"protocol": "UDP", "port": 8000 + at % 20}]}]}))
        })
        .collect();
    let manifests = Manifests::new(&[("cluster.yaml", &list(&everything()[..5])), ("policies.yaml", &list(&policies))]);
    let mut agent = Agent::start_policy(&lab, &manifests.path(), &["--metrics-address=127.0.0.1:0"]);
    agent.until(PLACED);
    let reads = row(&agent.get(&lab, "/metrics"), "causeway_policy_file_parses_total");
    let mut took: Vec<Duration> = Vec::new();
    for at in 0..10_u8 {
        let ip: IpAddr = format!("10.244.1.{}", 100 + at).parse().unwrap();
        let begun = Instant::now();
        manifests.put(&format!("new-{at}.yaml"), &list(&[pod_at(&format!("new-{at}"), "web", "n0", &[ip])]));
        agent.until(PLACED);
        took.push(begun.elapsed());
    }
    settled(&lab, &manifests);
    let page = agent.get(&lab, "/metrics");
    assert_eq!(row(&page, "causeway_policy_file_parses_total"), reads + 10, "no other file is read again");
    took.sort();
    let sum = page.lines().find(|line| line.starts_with("causeway_policy_apply_seconds_sum")).unwrap();
    println!("     a pod more, from its file to the log that says so: {:?}, at most {:?}; {sum}", took[5], took[9]);
    assert!(took[9] < Duration::from_secs(1), "{took:?}");
}
