use super::*;

const CODE: &str = "exempt-destination-cannot-route-back";

fn back(parts: &[&str]) -> Vec<String> {
    of(CODE, &with(parts))
}

/// The networks with something replaced.
fn other(changes: &[(&str, &str)], cluster: &[&str]) -> Vec<String> {
    let mut networks = NETWORKS.to_owned();
    for (from, to) in changes {
        assert!(networks.contains(from), "{from}");
        networks = networks.replace(from, to);
    }
    of(CODE, &design(&format!("{networks}\nclusters:\n  prod:{}", cluster.concat())))
}

#[test]
fn the_peer_is_shown_one_prefix_and_the_site_knows_one() {
    let at = "clusters.prod.masquerade.files.ip-masq-agent";
    assert_eq!(back(&[POD_SUBNET, &list("10.0.0.0/16 192.168.0.0/16", false)]), [""; 0]);
    assert_eq!(
        back(&[POD_SUBNET, &list("10.0.0.0/8 192.168.0.0/16", false)]),
        [format!("{CODE}! {at} 10.10.0.0/16"), format!("{CODE}! {at} 10.200.0.0/16")]
    );
    assert_eq!(
        back(&[POD_SUBNET, &list("10.0.0.0/16 192.168.0.0/16 10.200.1.0/24", false)]),
        [format!("{CODE}! {at} 10.200.1.0/24")]
    );
}

#[test]
fn names_machines_and_says_why() {
    let design = with(&[POD_SUBNET, &list("10.0.0.0/16 192.168.0.0/16 10.200.0.0/16", false)]);
    let finding = findings(&design).into_iter().find(|finding| finding.code.as_str() == CODE).unwrap();
    assert_eq!(
        finding.message,
        "pods keep their own address towards site `corp`, and answers do not come back: it has no route to `192.168.0.0/20` of the pods' `192.168.0.0/20`"
    );
    assert_eq!(
        finding.help,
        "take site `corp` out of the exempt ranges (`10.200.0.0/16`), so that it sees the nodes, or have the pods' range routed there"
    );
    assert_eq!(
        finding.evidence[..4],
        [
            "the gateway of `hub` announces `10.0.0.0/16` of `spoke`",
            "the routers of `corp` accept `10.0.0.0/16` and `10.10.0.0/16`",
            "cut off from pods: `host/erp`",
            "exempt: `10.200.0.0/16`",
        ]
    );
    assert!(finding.at.is_some(), "the place is the entry's own");
}

#[test]
fn no_packet_leaves_in_a_family_pods_do_not_have() {
    let both = [
        ("prefixes: [10.0.0.0/16, 192.168.0.0/16]", "prefixes: [10.0.0.0/16, 192.168.0.0/16, 'fd00:1::/48']"),
        ("prefixes: [10.10.0.0/16]", "prefixes: [10.10.0.0/16, 'fd00:2::/48']"),
        ("only: {spoke: [10.0.0.0/16]}", "only: {spoke: [10.0.0.0/16, 'fd00:1::/48']}"),
    ];
    assert_eq!(other(&both, &[OVERLAY]), [""; 0]);
    assert_eq!(other(&both, &[KUBENET]), [""; 0]);
    let exempt = list("10.244.0.0/16 fd00:2::/48", true);
    assert_eq!(other(&both, &[OVERLAY, &exempt]), [""; 0]);
    // Pods that do have such addresses keep them.
    let dual = OVERLAY
        .replace("podCidr: 10.244.0.0/16", "ipFamilies: [ipv4, ipv6]\n    podCidr: [10.244.0.0/16, 'fd00:9::/56']");
    let at = "clusters.prod.masquerade.files.ip-masq-agent";
    assert_eq!(other(&both, &[&dual, &exempt]), [format!("{CODE}! {at} fd00:2::/48")]);
}

#[test]
fn whoever_is_told_can_answer() {
    let wide = list("10.0.0.0/8 192.168.0.0/16", false);
    // Plain peering shows every prefix, and the site accepts everything it is told.
    let shown = (", only: {spoke: [10.0.0.0/16]}", "");
    assert_eq!(other(&[shown, (", knows: [10.0.0.0/16, 10.10.0.0/16]", "")], &[POD_SUBNET, &wide]), [""; 0]);
    // The site alone is choosy.
    let at = "clusters.prod.masquerade.files.ip-masq-agent";
    assert_eq!(other(&[shown], &[POD_SUBNET, &wide]), [format!("{CODE}! {at} 10.200.0.0/16")]);
    // It knows half of the pods.
    let half = ("knows: [10.0.0.0/16, 10.10.0.0/16]", "knows: [10.0.0.0/16, 192.168.0.0/21]");
    assert_eq!(other(&[shown, half], &[POD_SUBNET, &wide]), [format!("{CODE}! {at} 10.200.0.0/16")]);
    // A peering that is not there carries nothing in either direction.
    assert_eq!(other(&[("gatewayTransit: hub, ", "connected: false, ")], &[POD_SUBNET, &wide]), [""; 0]);
    // A route of the peer's own leads back.
    let routed = ("servers: {prefix: 10.10.4.0/24}}", "servers: {prefix: 10.10.4.0/24, routeTable: back}}");
    let table = (
        "hosts:\n",
        "routeTables: {back: {routes: [{name: pods, prefix: 192.168.0.0/16, nextHop: {appliance: 10.0.4.9}}]}}\nhosts:\n",
    );
    let left = other(&[routed, table], &[POD_SUBNET, &wide]);
    assert_eq!(left, [format!("{CODE}! {at} 10.200.0.0/16")]);
}

#[test]
fn a_firewall_that_puts_its_own_address_in_front_is_answered() {
    let at = "clusters.prod.masquerade.files.ip-masq-agent";
    let wide = list("10.0.0.0/8 192.168.0.0/16", false);
    let firewall = |snat: &str, routes: &str, bgp: &str| {
        let tables = format!("routeTables: {{out: {{{bgp}routes: [{routes}]}}}}\n");
        let firewalls =
            format!("firewalls: {{fw: {{kind: nva, subnet: hub/servers, privateIp: 10.10.4.4, snat: {snat}}}}}\n");
        let hosts = format!("{tables}{firewalls}hosts:\n");
        let pods = ("pods: {prefix: 192.168.0.0/20}", "pods: {prefix: 192.168.0.0/20, routeTable: out}");
        other(&[("hosts:\n", &hosts), pods], &[POD_SUBNET, &wide])
    };
    let (hub, corp) = (format!("{CODE}! {at} 10.10.0.0/16"), format!("{CODE}! {at} 10.200.0.0/16"));
    let all = "{name: all, prefix: 0.0.0.0/0, nextHop: {appliance: 10.10.4.4}}";
    let to_corp = "{name: corp, prefix: 10.200.0.0/16, nextHop: {appliance: 10.10.4.4}}";
    let elsewhere = "{name: corp, prefix: 10.200.0.0/16, nextHop: {appliance: 10.10.4.99}}";
    assert_eq!(firewall("always", to_corp, ""), [hub.as_str()]);
    assert_eq!(firewall("never", to_corp, ""), [hub.clone(), corp.clone()]);
    // The peer's and the site's own prefixes are longer than the default route ...
    assert_eq!(firewall("always", all, ""), [hub.clone(), corp.clone()]);
    // ... unless the gateway's routes are kept out.
    assert_eq!(firewall("always", all, "bgpPropagation: false, "), [hub.as_str()]);
    // Nobody says what this one does.
    assert_eq!(firewall("never", elsewhere, ""), [hub]);
}

#[test]
fn without_an_agent_every_destination_is_exempt() {
    let at = "clusters.prod.masquerade";
    assert_eq!(back(&[POD_SUBNET]), [format!("{CODE}! {at} 10.10.0.0/16"), format!("{CODE}! {at} 10.200.0.0/16")]);
    // Nobody named a machine there.
    let nobody = [("  sql: {ip: 10.10.4.20, network: hub}\n", ""), ("  erp: {ip: 10.200.1.5, network: corp}\n", "")];
    assert_eq!(
        other(&nobody, &[POD_SUBNET]),
        [format!("{CODE} {at} 10.10.0.0/16"), format!("{CODE} {at} 10.200.0.0/16")]
    );
    assert_eq!(
        other(&[(", only: {spoke: [10.0.0.0/16]}", ""), (", knows: [10.0.0.0/16, 10.10.0.0/16]", "")], &[POD_SUBNET]),
        [""; 0]
    );
}

#[test]
fn in_node_subnet_mode_the_list_decides_who_sees_pods() {
    // Pods have addresses of the node subnet, which the peer and the site know.
    assert_eq!(back(&[NODE_SUBNET, &list("10.10.0.0/16 10.200.0.0/16", true)]), [""; 0]);
    let at = "clusters.prod.masquerade.files.ip-masq-agent";
    let unknown = other(
        &[("only: {spoke: [10.0.0.0/16]}", "only: {spoke: [192.168.0.0/16]}")],
        &[NODE_SUBNET, &list("10.10.0.0/16", true)],
    );
    assert_eq!(unknown, [format!("{CODE}! {at} 10.10.0.0/16")]);
}

#[test]
fn nobody_outside_knows_overlay_pods() {
    let at = "clusters.prod.masquerade.files.ip-masq-agent";
    assert_eq!(back(&[OVERLAY]), [""; 0]);
    assert_eq!(back(&[OVERLAY, &list("10.244.0.0/16 172.16.0.0/16", true)]), [""; 0]);
    assert_eq!(back(&[OVERLAY, &list("10.0.4.0/24", true)]), [format!("{CODE}! {at} 10.0.4.0/24")]);
    assert_eq!(back(&[OVERLAY, &list("10.0.0.0/24", true)]), [""; 0], "nodes of the cluster know its pods");
    assert_eq!(
        back(&[OVERLAY, &list("203.0.113.0/24 10.99.0.0/16", true)]),
        [format!("{CODE}! {at} 203.0.113.0/24")],
        "a known range is named, an unknown one is left over"
    );
    let all = back(&[OVERLAY, &list("10.0.0.0/8", true)]);
    let networks: Vec<_> = all.iter().map(|line| line.rsplit(' ').next().unwrap()).collect();
    assert_eq!(networks.len(), 3, "{all:#?}");
}

#[test]
fn kubenet_pods_are_known_where_the_route_table_is() {
    let at = "clusters.prod.masquerade.files.ip-masq-agent";
    let vnet = list("10.0.0.0/16", true);
    let table = (
        "hosts:\n",
        "routeTables: {pods: {routes: [{name: a, prefix: 10.244.0.0/16, nextHop: {appliance: 10.0.0.4}}]}}\nhosts:\n",
    );
    let nodes = ("nodes: {prefix: 10.0.0.0/24}", "nodes: {prefix: 10.0.0.0/24, routeTable: pods}");
    let machines = ("machines: {prefix: 10.0.4.0/24}", "machines: {prefix: 10.0.4.0/24, routeTable: pods}");
    assert_eq!(other(&[table, nodes], &[KUBENET, &vnet]).len(), 1);
    assert_eq!(other(&[table, nodes, machines], &[KUBENET, &vnet]), [""; 0]);
    assert_eq!(back(&[KUBENET]), [""; 0]);
    assert_eq!(
        other(&[table, nodes, machines], &[KUBENET, &list("10.10.0.0/16", true)]),
        [format!("{CODE}! {at} 10.10.0.0/16")]
    );
}

#[test]
fn what_is_left_over_from_another_mode() {
    let code = "leftover-masq-config";
    let at = "clusters.prod.masquerade.files.ip-masq-agent";
    let left = |parts: &[&str]| of(code, &with(parts));
    assert_eq!(
        left(&[OVERLAY, &list("10.0.0.0/8 10.99.0.0/16 10.244.0.0/16", true)]),
        [format!("{code}! {at} 10.0.0.0/8 10.99.0.0/16")]
    );
    assert_eq!(left(&[OVERLAY, &list("10.244.0.0/16", true)]), [""; 0]);
    assert_eq!(left(&[OVERLAY, &list("10.244.4.0/24 172.16.0.0/16 169.254.0.0/16", true)]), [""; 0]);
    assert_eq!(left(&[OVERLAY]), [""; 0]);
    assert_eq!(
        left(&[OVERLAY, "    observedRules: {exempt: [10.0.0.0/8]}\n"]),
        [format!("{code}! clusters.prod.observedRules.exempt.0 10.0.0.0/8")]
    );
    assert_eq!(left(&[KUBENET, &list("10.0.0.0/16", true)]), [""; 0]);
    assert_eq!(left(&[KUBENET, &list("10.0.0.0/8", true)]), [format!("{code} {at} 10.0.0.0/8")]);
    // The range AKS proposes for overlay pods, in a mode without.
    assert_eq!(
        left(&[POD_SUBNET, &list("10.0.0.0/16 192.168.0.0/16 10.244.0.0/16", false)]),
        [format!("{code} {at} 10.244.0.0/16")]
    );
    assert_eq!(left(&[POD_SUBNET, &list("10.0.0.0/16 192.168.0.0/16 10.10.0.0/16", false)]), [""; 0]);
    // Another cluster's pods.
    let other = "  other: {mode: overlay, podCidr: 100.64.0.0/16, pools: {a: {nodes: 1, subnet: spoke/nodes}}}\n";
    assert_eq!(
        left(&[POD_SUBNET, &list("10.0.0.0/16 192.168.0.0/16 100.64.0.0/16", false), other]),
        [format!("{code} {at} 100.64.0.0/16")]
    );
}

#[test]
fn config_maps_of_an_agent_that_is_not_there() {
    let code = "leftover-masq-config";
    let maps = "    masquerade:
      configMaps:
        - {apiVersion: v1, kind: ConfigMap, metadata: {name: azure-ip-masq-agent-config, namespace: kube-system}, data: {ip-masq-agent: 'nonMasqueradeCIDRs: [10.0.0.0/16]'}}
";
    assert_eq!(
        of(code, &with(&[POD_SUBNET, maps])),
        [format!("{code} clusters.prod.masquerade.configMaps.0 azure-ip-masq-agent-config")]
    );
    assert_eq!(of(code, &with(&[NODE_SUBNET, maps])), [""; 0]);
    assert_eq!(of(code, &with(&[POD_SUBNET, &maps.replace("azure-", "")])), [""; 0]);
}
