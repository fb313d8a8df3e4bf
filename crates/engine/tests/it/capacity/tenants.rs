//! Who else takes addresses: endpoints, machines, frontends, other pools and clusters.

use super::{Plan, ask, codes, found, pool};
use causeway_model::finding::Severity;

#[test]
fn everybody_on_the_subnet_counts_once() {
    let plan = Plan {
        nodes: "prefix: 10.80.0.0/24, other: {privateEndpoints: 2, loadBalancerFrontends: 3, nics: 4}",
        cluster: "    apiServer: {access: private}\n    services:\n      \
                  - {name: a, type: LoadBalancer, clusterIp: 172.16.0.20, internalIp: 10.80.0.100, ports: [tcp/80]}\n      \
                  - {name: b, type: LoadBalancer, clusterIp: 172.16.0.21, internalIp: 10.80.0.100, ports: [tcp/81]}\n      \
                  - {name: c, type: LoadBalancer, clusterIp: 172.16.0.22, internal: true, ports: [tcp/82]}\n      \
                  - {name: d, type: LoadBalancer, clusterIp: 172.16.0.23, publicIp: 203.0.113.5, ports: [tcp/83]}\n      \
                  - {name: e, clusterIp: 172.16.0.24, ports: [tcp/84]}",
        rest: "privateEndpoints:\n  vault: {ip: 10.80.0.200, subnet: spoke/nodes}\n  sql: {subnet: spoke/nodes}\n\
               hosts:\n  jump: {ip: 10.80.0.210, network: spoke}\n  same: {ip: 10.80.0.200, network: spoke}\n  away: {ip: 10.80.9.9, network: spoke}",
        ..Plan::default()
    };
    let answer = plan.ask();
    let row = pool(&answer, "spoke/nodes");
    // 2 + 3 + 4 stated, 2 endpoints, 1 machine, 2 frontends, 1 of the API server.
    let others = 9 + 2 + 1 + 2 + 1;
    assert_eq!(row.now, Some(3 + others), "{:#?}", row.because);
    assert_eq!(row.during_upgrade, Some(4 + others));
    let shared = found(&answer, "subnet-shared");
    assert_eq!(shared.len(), 1);
    assert_eq!(shared[0].object, "networks.spoke.subnets.nodes");
    let related: Vec<&str> = shared[0].related.iter().map(|(object, _)| object.as_str()).collect();
    assert_eq!(
        related,
        [
            "privateEndpoints.sql",
            "privateEndpoints.vault",
            "hosts.jump",
            "networks.spoke.subnets.nodes.other.privateEndpoints",
            "networks.spoke.subnets.nodes.other.nics"
        ]
    );
}

#[test]
fn the_clusters_own_frontends_are_not_blamed() {
    let plan = Plan {
        nodes: "prefix: 10.80.0.0/24, other: {loadBalancerFrontends: 3}",
        cluster: "    apiServer: {access: private}",
        ..Plan::default()
    };
    let answer = plan.ask();
    assert_eq!(pool(&answer, "spoke/nodes").now, Some(3 + 3 + 1));
    assert_eq!(codes(&answer), Vec::<&str>::new());
}

#[test]
fn other_tenants_can_make_the_difference() {
    let plan = |nics: u32| {
        let nodes = format!("prefix: 10.80.0.0/28, other: {{nics: {nics}}}");
        Plan { nodes: &nodes, pools: "a: {nodes: 9, maxPods: 30, maxSurge: 1}", ..Plan::default() }.ask()
    };
    assert_eq!(codes(&plan(1)), ["subnet-shared"], "10 + 1 of 11");
    let answer = plan(2);
    assert_eq!(codes(&answer), ["no-room-for-surge", "subnet-shared"]);
    let proof = found(&answer, "no-room-for-surge")[0].evidence.last().expect("a proof").clone();
    assert!(proof.contains("floor((11 - 2) / 1) = 9 nodes fit and 10 are needed"), "{proof}");
}

#[test]
fn an_internal_controller_takes_a_frontend_nobody_listed() {
    let ask = |ingress: &str, nodes: &str| {
        let cluster = format!("    ingress: [{ingress}]");
        Plan { nodes, cluster: &cluster, ..Plan::default() }.ask()
    };
    let prefix = "prefix: 10.80.0.0/24";
    for (ingress, nodes, now) in [
        ("{kind: nginx, exposure: internal}", prefix, 4),
        ("{kind: nginx, exposure: public}", prefix, 3),
        ("{kind: nginx, exposure: internal, ip: 10.80.0.50}", prefix, 4),
        ("{kind: nginx, exposure: internal}", "prefix: 10.80.0.0/24, other: {loadBalancerFrontends: 1}", 4),
    ] {
        assert_eq!(pool(&ask(ingress, nodes), "spoke/nodes").now, Some(now), "{ingress}, {nodes}");
    }
    let gateway = ask("{kind: applicationGateway, exposure: public, subnet: spoke/nodes}", prefix);
    assert_eq!(pool(&gateway, "spoke/nodes").fits, None, "how many instances it has is not stated");
    assert!(codes(&gateway).contains(&"subnet-shared"));
}

const TWO: &str = "causeway: 1
name: two
networks:
  spoke:
    prefixes: [10.80.0.0/16]
    subnets:
      shared: {prefix: 10.80.0.0/25}
      pods: {prefix: 10.80.16.0/20}
clusters:
  one:
    mode: overlay
    podCidr: 10.244.0.0/16
    serviceCidr: 172.16.0.0/16
    dnsServiceIp: 172.16.0.10
    outbound: {type: none}
    pools:
      a: {nodes: {count: 20, max: 40}, maxPods: 30, maxSurge: 4, subnet: spoke/shared}
  two:
    mode: podSubnet
    serviceCidr: 172.17.0.0/16
    dnsServiceIp: 172.17.0.10
    outbound: {type: none}
    headroom: {emergencyNodes: 2}
    pools:
      b: {nodes: {count: 10, max: 60}, maxPods: 30, maxSurge: 6, subnet: spoke/shared, podSubnet: spoke/pods}
      c: {nodes: {count: 5, max: 10}, maxPods: 60, maxSurge: 1, subnet: spoke/shared, podSubnet: spoke/pods}
";

#[test]
fn clusters_and_pools_on_one_subnet_add_up() {
    let answer = ask(TWO);
    let row = pool(&answer, "spoke/shared");
    assert_eq!((row.now, row.at_max), (Some(35), Some(110)));
    assert_eq!(row.during_upgrade, Some(44 + 66 + 11 + 2));
    assert_eq!((row.usable, row.fits), (Some(123), Some(true)));
    // 48 addresses for 30 pods, 80 for 60; the emergency nodes cost what the costlier ones do.
    let pods = pool(&answer, "spoke/pods");
    assert_eq!(pods.at_max, Some(60 * 48 + 10 * 80));
    assert_eq!(pods.during_upgrade, Some(66 * 48 + 11 * 80 + 2 * 80));
    let rows: Vec<&str> = answer.capacity.pools.iter().map(|pool| pool.pool.as_str()).collect();
    assert_eq!(rows, ["one/podCidr", "one/serviceCidr", "spoke/pods", "spoke/shared", "two/serviceCidr"]);
}

#[test]
fn a_subnet_for_nodes_and_pods_alike_holds_both() {
    let text = TWO.replace("podSubnet: spoke/pods}\n      c", "podSubnet: spoke/shared}\n      c");
    let answer = ask(&text);
    let row = pool(&answer, "spoke/shared");
    assert_eq!(row.kind.as_str(), "nodeSubnet");
    assert_eq!(row.now, Some(35 + 10 * 48));
}

#[test]
fn service_addresses_are_counted_where_services_are_listed() {
    let answer = Plan::default().ask();
    let row = pool(&answer, "prod/serviceCidr");
    assert_eq!((row.total, row.usable), (Some(65_536), Some(65_534)));
    assert_eq!((row.now, row.at_max, row.during_upgrade, row.fits), (None, None, None, None));
    let listed = Plan {
        cluster: "    services:\n      - {name: kubernetes, clusterIp: 172.16.0.1, ports: [tcp/443]}\n      - {name: kube-dns, namespace: kube-system, clusterIp: 172.16.0.10, ports: [udp/53]}\n      \
                  - {name: a, clusterIp: 172.16.0.20, ports: [tcp/80]}\n      - {name: headless, ports: [tcp/80]}",
        ..Plan::default()
    };
    let answer = listed.ask();
    let row = pool(&answer, "prod/serviceCidr");
    assert_eq!((row.now, row.at_max, row.during_upgrade, row.fits), (Some(3), None, Some(3), Some(true)));
    assert_eq!(row.smallest_prefix, None, "nobody says how many services there will be");
}

#[test]
fn a_full_service_range_is_said() {
    let with = |last: u8| {
        let services: String = (3..=last)
            .map(|at| format!("\n      - {{name: s{at}, clusterIp: 172.16.0.{at}, ports: [tcp/80]}}"))
            .collect();
        let plan = Plan { cluster: &format!("    services:{services}"), ..Plan::default() };
        ask(&plan.text().replace("172.16.0.0/16", "172.16.0.0/29").replace("172.16.0.10", "172.16.0.2"))
    };
    let answer = with(7);
    assert_eq!(codes(&answer), ["service-cidr-exhausted"]);
    assert_eq!(pool(&answer, "prod/serviceCidr").fits, Some(false));
    let answer = with(6);
    assert_eq!(codes(&answer), ["service-cidr-exhausted"], "none is left for another service");
    assert_eq!(pool(&answer, "prod/serviceCidr").fits, None);
    let answer = with(5);
    assert_eq!(codes(&answer), [""; 0]);
    assert_eq!(pool(&answer, "prod/serviceCidr").fits, Some(true));
}

#[test]
fn frontends_fill_a_subnet_of_their_own() {
    let with = |count: u8| {
        let services: String = (1..=count)
            .map(|at| {
                format!(
                    "\n      - {{name: s{at}, type: LoadBalancer, internal: true, internalSubnet: frontends, \
                     clusterIp: 172.16.0.2{at}, ports: [tcp/80]}}"
                )
            })
            .collect();
        let plan = Plan { cluster: &format!("    services:{services}"), ..Plan::default() };
        let text = plan.text();
        let at = text.find("    subnets:\n").map(|at| at + "    subnets:\n".len()).unwrap();
        let (before, after) = text.split_at(at);
        ask(&format!("{before}      frontends: {{prefix: 10.80.255.0/29}}\n{after}"))
    };
    assert_eq!(codes(&with(3)), [""; 0]);
    assert_eq!(codes(&with(4)), ["subnet-full"]);
}

#[test]
fn more_nodes_than_the_autoscaler_may_give_is_said() {
    let with = |nodes: &str| {
        let answer =
            Plan { pools: &format!("a: {{nodes: {nodes}, maxPods: 30, maxSurge: 1}}"), ..Plan::default() }.ask();
        let said: Vec<_> = found(&answer, "node-limit-exceeded").iter().map(|finding| finding.severity).collect();
        let row = pool(&answer, "spoke/nodes");
        (said, row.at_max, row.because.iter().any(|line| line.contains("the minimum of 3")))
    };
    assert_eq!(with("{count: 9, min: 3, max: 5}"), (vec![Severity::Warning], Some(9), false));
    assert_eq!(with("{count: 5, min: 3, max: 5}"), (vec![], Some(5), false));
    assert_eq!(with("{count: 2, min: 3, max: 5}"), (vec![], Some(5), true));
}
