//! Traces at size: `cargo bench -p causeway-trace`. Prints Markdown.
//!
//! One flow at a time through a design with everything on its way (policies, a service, a firewall, a private zone), and every representative
//! flow of whole fleets: each pool of each cluster towards every class of peer, there and back.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark looks at the clock, prints, and stops when something is wrong"
)]

use causeway_model::design::Design;
use causeway_read::files::MemoryFiles;
use causeway_read::{Input, load};
use causeway_testkit::{Fleet, design as fleet_design};
use causeway_trace::ask::{Question, ask};
use causeway_trace::matrix::matrix;
use causeway_trace::{Verdict, World};
use std::hint::black_box;
use std::time::{Duration, Instant};

const ROUNDS: usize = 7;

/// Each round of a single trace is so many of them.
const TRACES: u32 = 2_000;

const ONE: &str = r#"
causeway: 1
name: one
networks:
  spoke:
    prefixes: [10.0.0.0/16]
    subnets:
      nodes: {prefix: 10.0.0.0/22, routeTable: spoke, nsg: nodes}
      machines: {prefix: 10.0.5.0/24, nsg: machines}
      endpoints: {prefix: 10.0.9.0/27}
  hub:
    prefixes: [10.10.0.0/16]
    gateway: {kind: expressRoute, connects: [corp]}
    subnets: {servers: {prefix: 10.10.4.0/24}, AzureFirewallSubnet: {prefix: 10.10.0.0/26}}
  corp: {kind: onPremises, prefixes: [10.200.0.0/16]}
peerings: [{between: [spoke, hub], gatewayTransit: hub, forwardedTraffic: true}]
routeTables:
  spoke: {routes: [{name: default, prefix: 0.0.0.0/0, nextHop: {appliance: 10.10.0.4}}]}
networkSecurityGroups:
  nodes:
    rules:
      - {name: no-ssh, priority: 100, direction: inbound, access: deny, protocol: tcp, source: Internet, ports: [22]}
      - {name: no-secrets, priority: 110, direction: outbound, access: deny, protocol: "*", source: "*", destination: 10.10.9.0/24, ports: "*"}
  machines:
    rules:
      - {name: web, priority: 100, direction: inbound, access: allow, protocol: tcp, source: 10.0.0.0/22, destination: "*", ports: [8080]}
      - {name: rest, priority: 4000, direction: inbound, access: deny, protocol: "*", source: "*", destination: "*", ports: "*"}
firewalls:
  hub-fw:
    kind: azureFirewall
    subnet: hub/AzureFirewallSubnet
    privateIp: 10.10.0.4
    publicIps: [203.0.113.77]
    snat: internet
    rules: [{name: web, source: [10.0.0.0/16], destination: "*", protocol: tcp, ports: [443], access: allow}]
hosts:
  machine: {ip: 10.0.5.4, network: spoke, listens: [tcp/8080]}
  erp: {ip: 10.200.1.5, network: corp, listens: [tcp/443]}
  bank: {ip: 198.51.100.80, network: internet, listens: [tcp/443]}
privateEndpoints:
  vault: {ip: 10.0.9.4, subnet: spoke/endpoints, names: [kv-prod.vault.azure.net], listens: [tcp/443]}
privateDnsZones:
  privatelink.vaultcore.azure.net: {links: [spoke], records: {kv-prod: 10.0.9.4}}
publicDns:
  kv-prod.vault.azure.net: {cname: kv-prod.privatelink.vaultcore.azure.net, address: 203.0.113.50, publicAccess: disabled}
clusters:
  prod:
    mode: overlay
    version: "1.33"
    networkPolicy: calico
    podCidr: 10.244.0.0/16
    serviceCidr: 172.16.0.0/16
    dnsServiceIp: 172.16.0.10
    outbound: {type: userDefinedRouting}
    pools: {system: {nodes: {count: 2}, subnet: spoke/nodes}}
    nodes:
      n1: {ip: 10.0.0.4, pool: system, podCidr: 10.244.0.0/24}
      n2: {ip: 10.0.0.5, pool: system, podCidr: 10.244.1.0/24}
    pods:
      - {name: app, namespace: shop, node: n1, ip: 10.244.0.5, labels: {app: app}}
      - {name: db-0, namespace: shop, node: n2, ip: 10.244.1.5, labels: {app: db}, listens: [tcp/5432]}
      - {name: coredns, namespace: kube-system, node: n2, ip: 10.244.1.9, labels: {k8s-app: kube-dns}, listens: [udp/53, tcp/53]}
    services:
      - {name: db, namespace: shop, type: ClusterIP, clusterIp: 172.16.0.20, ports: [tcp/5432], selector: {app: db}}
      - {name: kube-dns, namespace: kube-system, type: ClusterIP, clusterIp: 172.16.0.10, ports: [udp/53, tcp/53], selector: {k8s-app: kube-dns}}
    policies:
      - apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: app, namespace: shop}
        spec:
          podSelector: {matchLabels: {app: app}}
          policyTypes: [Ingress, Egress]
          egress:
            - {to: [{podSelector: {matchLabels: {app: db}}}]}
            - {to: [{namespaceSelector: {}, podSelector: {matchLabels: {k8s-app: kube-dns}}}]}
            - {to: [{ipBlock: {cidr: 0.0.0.0/0}}], ports: [{port: 443, protocol: TCP}, {port: 8080, protocol: TCP}]}
"#;

fn read(name: &str, text: &str) -> Design {
    let input = Input { name: name.to_owned(), bytes: text.as_bytes().to_vec(), kind: None, found: false };
    match load(vec![input], &MemoryFiles::default()).outcome {
        Ok(read) => read.design,
        Err(errors) => panic!("{name}: {errors:#?}"),
    }
}

/// The memory this process holds, in bytes; of systems that do not say, 0.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0");
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
        0..10_000_000 => format!("{:.1} us", took.as_secs_f64() * 1e6),
        _ => format!("{:.1} ms", took.as_secs_f64() * 1e3),
    };
    println!("| {what} | {shown} | {asked} |");
}

fn single() {
    let design = read("one", ONE);
    let world = World::new(&design);
    let flows = [
        ("pod to a machine of the VNet", "host/machine:8080"),
        ("pod to the internet through a firewall", "host/bank:443"),
        ("pod to the site behind the firewall and a gateway", "host/erp:443"),
        ("pod to a service", "service/shop/db:5432"),
        ("pod to a private endpoint by its name", "kv-prod.vault.azure.net:443"),
    ];
    for (what, to) in flows {
        let question = Question { from: "pod/shop/app".to_owned(), to: to.to_owned(), ..Question::default() };
        let once = ask(&world, &question).unwrap();
        assert_eq!(once.verdict, Verdict::Delivered, "{to}: {once:#?}");
        let (took, ()) = best(|| (0..TRACES).for_each(|_| drop(black_box(ask(&world, &question)))));
        let hops = once.forward.len() + once.reply.len();
        show(&format!("{what}, {hops} hops"), took / TRACES, "50 us");
    }
}

/// Every representative flow of a fleet this many times the usual one.
fn fleet(factor: u32) {
    let text = fleet_design(&Fleet::times(factor));
    let design = read("fleet", &text);
    drop(text);
    let clusters = design.clusters.len();
    let (took, _) = best(|| World::new(&design));
    show(&format!("{clusters} clusters: the world from nothing"), took, "");
    let cells = matrix(&World::new(&design));
    let answered = cells.iter().filter(|cell| !cell.trace.reply.is_empty()).count();
    assert!(cells.len() > clusters * 50 && answered > 0, "{} {answered}", cells.len());
    let (took, _) = best(|| matrix(&World::new(&design)));
    let asked = if factor == 1 { "2 s" } else { "" };
    let what = format!("{clusters} clusters: all {} flows, {answered} of them there and back", cells.len());
    show(&what, took, asked);
}

/// A process of its own, so that nothing measured before it counts.
fn held_by(factor: u32) -> f64 {
    let program = std::env::current_exe().unwrap();
    let out = std::process::Command::new(program).args(["memory", &factor.to_string()]).output().unwrap();
    let held: f64 = String::from_utf8(out.stdout).unwrap().trim().parse().unwrap();
    println!("| {} clusters: world and answers in memory | {:.1} MB | |", 50 * factor, held / 1e6);
    held
}

/// What the world of a fleet and all answers take, in bytes.
fn memory_of(factor: u32) -> u64 {
    let design = read("fleet", &fleet_design(&Fleet::times(factor)));
    let before = resident();
    let world = World::new(&design);
    let cells = matrix(&world);
    let held = resident().saturating_sub(before);
    black_box((world, cells));
    held
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let ["memory", factor] = words.as_slice() {
        return println!("{}", memory_of(factor.parse().unwrap()));
    }
    println!("| what | best of {ROUNDS} | asked for |\n|---|---|---|");
    single();
    if words.contains(&"single") {
        return;
    }
    fleet(1);
    fleet(4);
    let (one, four) = (held_by(1), held_by(4));
    println!("| four times the fleet : the fleet, memory | {:.1} | linear |", four / one);
}
