use super::*;

const HIDES: &str = "masq-hides-intra-cluster-traffic";
const MISS: &str = "nat-exceptions-miss-vnet-prefix";

#[test]
fn pods_and_nodes_outside_the_list_are_hidden_from_each_other() {
    let at = "clusters.prod.masquerade.files.ip-masq-agent";
    let cases: &[(&str, String, Vec<String>)] = &[
        (POD_SUBNET, list("10.0.0.0/16 192.168.0.0/16", false), vec![]),
        (POD_SUBNET, list("10.0.0.0/16", false), vec![format!("{HIDES}! {at} 192.168.0.0/20")]),
        (POD_SUBNET, list("192.168.0.0/20", false), vec![format!("{HIDES} {at} 10.0.0.0/24")]),
        // Half of the pod subnet.
        (POD_SUBNET, list("10.0.0.0/24 192.168.0.0/21", false), vec![format!("{HIDES}! {at} 192.168.8.0/21")]),
        (POD_SUBNET, list("0.0.0.0/0", false), vec![]),
        // Neither the service range nor anything else has to be in the list: services are translated before.
        (
            POD_SUBNET,
            "    serviceCidr: 172.16.0.0/16\n".to_owned() + &list("10.0.0.0/16 192.168.0.0/16", false),
            vec![],
        ),
        // Nobody translates.
        (POD_SUBNET, String::new(), vec![]),
        (NODE_SUBNET, String::new(), vec![]),
        (OVERLAY, String::new(), vec![]),
        // The platform's own list is there as well.
        (OVERLAY, file("masqLinkLocal: true"), vec![]),
        (NODE_SUBNET, list("10.10.0.0/16", true), vec![]),
        // What a node really has.
        (OVERLAY, "    observedRules: {exempt: [10.0.0.0/8]}\n".to_owned(), vec![]),
        (
            OVERLAY,
            "    observedRules: {exempt: [10.0.0.0/16]}\n".to_owned(),
            vec![format!("{HIDES}! clusters.prod.observedRules.exempt 10.244.0.0/16")],
        ),
        (
            NODE_SUBNET,
            "    observedRules: {exempt: [192.168.0.0/16]}\n".to_owned(),
            vec![format!("{HIDES}! clusters.prod.observedRules.exempt 10.0.0.0/24")],
        ),
    ];
    for (mode, masquerade, expected) in cases {
        assert_eq!(of(HIDES, &with(&[mode, masquerade])), *expected, "{mode}{masquerade}");
    }
}

#[test]
fn a_prefix_of_the_vnet_that_was_forgotten() {
    let at = "clusters.prod.masquerade.files.ip-masq-agent";
    let wider = NETWORKS.replace("192.168.0.0/16]\n    subnets", "192.168.0.0/16, 10.96.0.0/16]\n    subnets");
    let run = |mode: &str, rest: &str| of(MISS, &design(&format!("{wider}\nclusters:\n  prod:{mode}{rest}")));
    assert_eq!(run(POD_SUBNET, &list("10.0.0.0/16 192.168.0.0/16", false)), [format!("{MISS} {at} 10.96.0.0/16")]);
    assert_eq!(run(POD_SUBNET, &list("10.0.0.0/16 192.168.0.0/16 10.96.0.0/16", false)), [""; 0]);
    // Single subnets are a choice, not an oversight.
    assert_eq!(run(POD_SUBNET, &list("10.0.0.0/24 192.168.0.0/20 10.96.4.0/24", false)), [""; 0]);
    // The platform follows the VNet; what was observed did not.
    assert_eq!(run(NODE_SUBNET, ""), [""; 0]);
    assert_eq!(
        run(NODE_SUBNET, "    observedRules: {exempt: [10.0.0.0/16, 192.168.0.0/16]}\n"),
        [format!("{MISS}! clusters.prod.observedRules.exempt 10.96.0.0/16")]
    );
    assert_eq!(run(OVERLAY, "    observedRules: {exempt: [10.244.0.0/16]}\n"), [""; 0]);
}

#[test]
fn windows_nodes_translate_to_subnets_that_came_after_them() {
    let windows = POD_SUBNET.replace("maxPods: 30", "maxPods: 30, os: windows");
    let grown = NETWORKS.replace(
        "machines: {prefix: 10.0.4.0/24}",
        "machines: {prefix: 10.0.4.0/24}\n      new: {prefix: 10.0.5.0/24}",
    );
    let after = |cluster: &str| {
        let mut after = design(&format!("{grown}\nclusters:\n  prod:{cluster}"));
        after.before = Some(Box::new(with(&[cluster])));
        of(MISS, &after)
    };
    assert_eq!(after(&windows), [format!("{MISS} clusters.prod.pools new")]);
    assert_eq!(after(POD_SUBNET), [""; 0]);
    assert_eq!(of(MISS, &with(&[&windows])), [""; 0]);
}

#[test]
fn kube_proxy_takes_pods_for_strangers() {
    let code = "kube-proxy-cluster-cidr-misses-pods";
    let line = |on: &str| vec![format!("{code}! clusters.prod.kubeProxy.clusterCidr {on}")];
    let cases: &[(&str, &str, Vec<String>)] = &[
        (POD_SUBNET, "{mode: iptables, clusterCidr: 192.168.0.0/20}", vec![]),
        (POD_SUBNET, "{mode: iptables, clusterCidr: 10.244.0.0/16}", line("192.168.0.0/20")),
        (POD_SUBNET, "{clusterCidr: 192.168.0.0/21}", line("192.168.8.0/21")),
        (POD_SUBNET, "{mode: none, clusterCidr: 10.244.0.0/16}", vec![]),
        (POD_SUBNET, "{mode: ipvs, clusterCidr: 10.244.0.0/16}", line("192.168.0.0/20")),
        (POD_SUBNET, "{mode: iptables}", vec![]),
        (OVERLAY, "{mode: iptables, clusterCidr: 10.244.0.0/16}", vec![]),
        (OVERLAY, "{mode: iptables, clusterCidr: 10.0.0.0/24}", line("10.244.0.0/16")),
        (NODE_SUBNET, "{mode: iptables, clusterCidr: 10.0.0.0/16}", vec![]),
        (NODE_SUBNET, "{mode: iptables, clusterCidr: 10.244.0.0/16}", line("10.0.0.0/24")),
    ];
    for (mode, proxy, expected) in cases {
        assert_eq!(of(code, &with(&[mode, &format!("    kubeProxy: {proxy}\n")])), *expected, "{mode} {proxy}");
    }
}

#[test]
fn controls_of_the_pod_subnet_that_translated_packets_do_not_meet() {
    let code = "pod-subnet-control-bypassed-by-masquerade";
    let tables = "routeTables: {a: {routes: []}, b: {routes: []}}\nnetworkSecurityGroups: {g: {rules: []}}\nnatGateways: {n: {publicIps: [203.0.113.9]}}\n";
    let run = |pods: &str, nodes: &str, masquerade: &str| {
        let networks = NETWORKS
            .replace("pods: {prefix: 192.168.0.0/20}", &format!("pods: {{prefix: 192.168.0.0/20{pods}}}"))
            .replace("nodes: {prefix: 10.0.0.0/24}", &format!("nodes: {{prefix: 10.0.0.0/24{nodes}}}"));
        of(code, &design(&format!("{networks}{tables}\nclusters:\n  prod:{POD_SUBNET}{masquerade}")))
    };
    let exempt = list("10.0.0.0/16 192.168.0.0/16", false);
    let at = "clusters.prod.pools.a.podSubnet";
    assert_eq!(run(", routeTable: a, nsg: g, natGateway: n", "", &exempt), [format!("{code} {at} a g n")]);
    assert_eq!(run(", routeTable: a", ", routeTable: b", &exempt), [format!("{code} {at} a")]);
    assert_eq!(
        run(", routeTable: a, nsg: g, natGateway: n", ", routeTable: a, nsg: g, natGateway: n", &exempt),
        [""; 0]
    );
    assert_eq!(run("", ", routeTable: a", &exempt), [""; 0], "what the node subnet has besides does apply");
    assert_eq!(run(", routeTable: a", "", ""), [""; 0], "nobody translates");
    assert_eq!(run(", routeTable: a", "", &list("0.0.0.0/0", false)), [""; 0], "nothing is translated");
    assert_eq!(
        run(", routeTable: a", "", "    dataplane: cilium\n    ebpfHostRouting: true\n"),
        [""; 0],
        "only the platform's addresses are translated"
    );
}
