//! A packet is delivered to whoever was meant, or to nobody.

use causeway_model::design::Design;
use causeway_read::files::MemoryFiles;
use causeway_read::{Input, load};
use causeway_trace::{Question, World, ask::ask};

const ESTATE: &str = r#"
causeway: 1
name: estate
networks:
  spoke:
    prefixes: [10.1.0.0/16]
    subnets:
      nodes: {prefix: 10.1.0.0/24}
      api: {prefix: 10.1.11.0/28, delegation: Microsoft.ContainerService/managedClusters}
hosts:
  bank: {ip: 198.51.100.80, network: internet, listens: [tcp/443]}
clusters:
  one:
    mode: overlay
    networkPolicy: none
    podCidr: 10.244.0.0/16
    serviceCidr: 172.16.0.0/16
    dnsServiceIp: 172.16.0.10
    outbound: {type: loadBalancer, publicIps: [203.0.113.5, 203.0.113.6]}
    apiServer: {access: vnetIntegration, subnet: spoke/api, privateIp: 10.1.11.4, public: false}
    pools: {p: {nodes: {count: 1}, subnet: spoke/nodes}}
    nodes: {n1: {ip: 10.1.0.4, pool: p, podCidr: 10.244.0.0/24}}
    pods: [{name: a, namespace: x, node: n1, ip: 10.244.0.10, listens: [tcp/8080]}]
    services: [{name: i, namespace: x, type: LoadBalancer, clusterIp: 172.16.0.20, internalIp: 10.1.0.100, ports: [tcp/80->8080], selector: {app: a}}]
  two:
    mode: overlay
    networkPolicy: none
    podCidr: 10.244.0.0/16
    serviceCidr: 172.17.0.0/16
    dnsServiceIp: 172.17.0.10
    outbound: {type: loadBalancer, publicIps: [203.0.113.7]}
    apiServer: {access: public, authorizedRanges: [203.0.113.5/32]}
    pools: {p: {nodes: {count: 1}, subnet: spoke/nodes}}
    nodes: {m1: {ip: 10.1.0.5, pool: p, podCidr: 10.244.0.0/24}}
    pods:
      - {name: a, namespace: x, node: m1, ip: 10.244.0.10, listens: [tcp/8080]}
      - {name: b, namespace: x, node: m1, ip: 10.244.0.11, listens: [tcp/8080]}
"#;

fn design(text: &str) -> Design {
    let input = Input { name: "estate.yaml".to_owned(), bytes: text.as_bytes().to_vec(), kind: None, found: false };
    match load(vec![input], &MemoryFiles::default()).outcome {
        Ok(read) => read.design,
        Err(errors) => panic!("{errors:#?}"),
    }
}

/// Verdict and who decided.
fn answer(design: &Design, from: &str, to: &str) -> (&'static str, String) {
    let question = Question { from: from.to_owned(), to: to.to_owned(), ..Question::default() };
    match ask(&World::new(design), &question) {
        Ok(trace) => {
            let object = trace.decided_by.map_or(String::new(), |decision| decision.object);
            (trace.verdict.as_str(), object)
        }
        Err(unasked) => ("refused", unasked.message),
    }
}

#[test]
fn each_flow_comes_to_whom_it_was_meant_for_or_to_nobody() {
    let design = design(ESTATE);
    let cases = [
        // Two clusters give the same address to pods of their own.
        ("two/pod/x/a", "two/pod/x/b:8080", "delivered", ""),
        ("one/pod/x/a", "two/pod/x/a:8080", "dropped", "clusters.two.podCidr"),
        ("one/pod/x/a", "two/pod/x/b:8080", "dropped", "clusters.two.podCidr"),
        // An outbound address lets answers in only, whoever asks.
        ("internet", "203.0.113.7:80", "dropped", "clusters.two.outbound"),
        ("one/pod/x/a", "203.0.113.7:80", "dropped", "clusters.two.outbound"),
        ("one/pod/x/a", "198.51.100.80:443", "delivered", "clusters.one.outbound"),
        // Nobody can have what the platform keeps of a subnet.
        ("one/pod/x/a", "10.1.0.3:80", "dropped", "networks.spoke.subnets.nodes"),
        ("one/pod/x/a", "10.1.0.255:80", "dropped", "networks.spoke.subnets.nodes"),
        ("one/pod/x/a", "10.1.0.77:80", "delivered", "clusters.one.masquerade"),
        ("one/pod/x/a", "224.0.0.1:80", "dropped", ""),
        // The API server listens where it does, and lets in whom it is told to.
        ("one/pod/x/a", "apiServer/one:443", "delivered", "clusters.one.masquerade"),
        ("one/pod/x/a", "apiServer/one:80", "dropped", "clusters.one.apiServer.listens"),
        ("one/pod/x/a", "172.16.0.1:443", "delivered", "clusters.one.masquerade"),
        ("two/pod/x/a", "apiServer/two:443", "dropped", "clusters.two.apiServer.authorizedRanges"),
        ("one/pod/x/a", "apiServer/two:443", "uncertain", ""),
        ("apiServer/one", "one/pod/x/a:8080", "delivered", ""),
        ("internet", "apiServer/one:443", "dropped", ""),
        // What has a frontend inside only is not on the internet.
        ("internet", "one/service/x/i:80", "dropped", ""),
        ("one/pod/x/a", "10.1.0.300:80", "refused", "`10.1.0.300` is no address"),
    ];
    for (from, to, verdict, object) in cases {
        assert_eq!(answer(&design, from, to), (verdict, object.to_owned()), "{from} to {to}");
    }
}
