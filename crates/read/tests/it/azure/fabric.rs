//! Networks and what connects them: parts that nobody gave, halves, contradictions, routes.

use super::{errors, id, network, translated, yaml};
use causeway_model::source::Span;

#[test]
fn what_was_only_referred_to_is_in_the_design_as_unknown() {
    let cluster = format!(
        r#"{{"id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c", "networkProfile": {{"networkPlugin": "kubenet"}},
        "agentPoolProfiles": [{{"name": "a", "vnetSubnetID": "{}"}}]}}"#,
        id("net", "virtualNetworks/spoke/subnets/nodes")
    );
    let subnet = network(
        "spoke",
        &format!(
            r#""subnets": [{{"name": "other", "properties": {{"addressPrefix": "10.0.0.0/24", "routeTable": {{"id": "{}"}}, "networkSecurityGroup": {{"id": "{}"}}, "natGateway": {{"id": "{}"}}}}}}]"#,
            id("net", "routeTables/rt"),
            id("net", "networkSecurityGroups/sg"),
            id("net", "natGateways/ng")
        ),
    )
    .replace("/g/", "/net/");
    let alone = translated(&[&cluster]);
    assert!(alone.yaml.starts_with("networks:\n  spoke:\n    subnets:\n      nodes: {}\n"), "{}", alone.yaml);
    assert_eq!(
        alone.notes,
        [
            "2: the network `spoke` is referred to and was not given: give `az network vnet show`",
            "2: the subnet `nodes` is referred to and was not given: its prefix is not known",
        ]
    );
    let both = translated(&[&cluster, &subnet]);
    let expected = "\
networks:
  spoke:
    subnets:
      nodes: {}
      other:
        prefix: 10.0.0.0/24
        natGateway: ng
        nsg: sg
        routeTable: rt
routeTables:
  rt:
    known: false
networkSecurityGroups:
  sg:
    known: false
natGateways:
  ng: {}
";
    assert!(both.yaml.starts_with(expected), "{}", both.yaml);
    assert_eq!(
        both.notes,
        [
            "2: the subnet `nodes` is referred to, but its network does not list it: its prefix is not known",
            "1: the network security group `sg` is referred to and was not given: its rules are not known",
            "1: the route table `rt` is referred to and was not given: its routes are not known",
            "1: the NAT gateway `ng` is referred to and was not given: its addresses are not known",
        ]
    );
    assert_eq!(errors(&[&cluster, &subnet]), [""; 0]);
}

#[test]
fn associations_are_known_from_either_side() {
    let subnet = id("g", "virtualNetworks/v/subnets/s");
    let table = format!(r#"{{"id": "{}", "routes": [], "subnets": [{{"id": "{subnet}"}}]}}"#, id("g", "routeTables/t"));
    let group = format!(
        r#"{{"id": "{}", "securityRules": [], "subnets": [{{"id": "{subnet}"}}]}}"#,
        id("g", "networkSecurityGroups/g")
    );
    let nat = format!(
        r#"{{"id": "{}", "publicIpAddresses": [], "subnets": [{{"id": "{subnet}"}}]}}"#,
        id("g", "natGateways/nat")
    );
    let own = network(
        "v",
        r#""addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [{"name": "s", "addressPrefixes": ["10.0.0.0/24"]}]"#,
    );
    let tree = yaml(&[&table, &group, &nat, &own]);
    let expected =
        "      s:\n        prefix: 10.0.0.0/24\n        natGateway: nat\n        nsg: g\n        routeTable: t\n";
    assert!(tree.contains(expected), "{tree}");
}

#[test]
fn objects_of_one_name_are_told_apart_by_their_groups() {
    let in_group = |group: &str, prefix: &str| {
        network("v", &format!(r#""addressSpace": {{"addressPrefixes": ["{prefix}"]}}"#))
            .replace("/g/", &format!("/{group}/"))
    };
    let (one, other) = (in_group("one", "10.1.0.0/16"), in_group("two", "10.2.0.0/16"));
    let expected = "networks:\n  one.v:\n    prefixes: [10.1.0.0/16]\n  two.v:\n    prefixes: [10.2.0.0/16]\n";
    assert_eq!(yaml(&[&one, &other]), expected);
    assert_eq!(yaml(&[&other, &one]), expected);
}

#[test]
fn prefixes_of_an_address_pool_count() {
    let pool = r#"{"ipamPoolPrefixAllocations": [{"numberOfIpAddresses": "256", "pool": {"id": "/x"}, "allocatedAddressPrefixes": ["10.9.0.0/24"]}]"#;
    let own = network("v", &format!(r#""addressSpace": {pool}}}, "subnets": [{}, "name": "s"}}]"#, pool));
    assert_eq!(
        yaml(&[&own]),
        "networks:\n  v:\n    prefixes: [10.9.0.0/24]\n    subnets:\n      s:\n        prefix: 10.9.0.0/24\n"
    );
}

#[test]
fn inputs_that_disagree_are_found_and_the_first_is_believed() {
    let list = network(
        "v",
        r#""addressSpace": {"addressPrefixes": ["10.0.0.0/16", "10.1.0.0/16"]}, "subnets": [{"name": "s", "addressPrefix": "10.0.0.0/24", "delegations": []}]"#,
    );
    let same = network("v", r#""addressSpace": {"addressPrefixes": ["10.1.0.0/16", "10.0.0.0/16"]}"#);
    let show = format!(
        r#"{{"id": "{}", "addressPrefix": "10.0.0.0/23", "delegations": []}}"#,
        id("G", "virtualNetworks/V/subnets/S")
    );
    let translated = translated(&[&list, &same, &show]);
    assert!(translated.yaml.contains("prefix: 10.0.0.0/24"), "{}", translated.yaml);
    let [finding] = translated.findings.as_slice() else { panic!("{:?}", translated.findings) };
    assert_eq!((finding.code.as_str(), finding.object.as_str()), ("exports-disagree", "networks.v.subnets.s.prefix"));
    assert_eq!(finding.message, "two inputs disagree about `s`: `10.0.0.0/24`, then `10.0.0.0/23`");
    assert_eq!(translated.sources.slice(finding.at.unwrap()), "\"10.0.0.0/23\"");
}

fn half(from: &str, to: &str, body: &str) -> String {
    format!(
        r#"{{"id": "{}", "remoteVirtualNetwork": {{"id": "{}"}}, {body}}}"#,
        id("g", &format!("virtualNetworks/{from}/virtualNetworkPeerings/to-{to}")),
        id("g", &format!("virtualNetworks/{to}"))
    )
}

fn peerings(halves: &[&str]) -> (String, Vec<String>) {
    let networks = [
        network(
            "a",
            r#""addressSpace": {"addressPrefixes": ["10.1.0.0/16", "10.9.0.0/16"]}, "subnets": [{"name": "s", "addressPrefix": "10.1.2.0/24"}]"#,
        ),
        network("b", r#""addressSpace": {"addressPrefixes": ["10.2.0.0/16"]}"#),
    ];
    let texts: Vec<&str> = halves.iter().copied().chain(networks.iter().map(String::as_str)).collect();
    let translated = translated(&texts);
    assert_eq!(errors(&texts), [""; 0]);
    let (_, peerings) = translated.yaml.split_once("peerings:\n").unwrap_or_default();
    (peerings.to_owned(), translated.notes)
}

#[test]
fn two_halves_are_one_peering() {
    let connected = r#""peeringState": "Connected", "allowForwardedTraffic": true"#;
    let one = half("a", "b", &format!(r#"{connected}, "useRemoteGateways": true"#));
    let other = half("b", "a", &format!(r#"{connected}, "allowGatewayTransit": true"#));
    let expected = "  - between: [a, b]\n    gatewayTransit: b\n    forwardedTraffic: true\n    connected: true\n";
    assert_eq!(peerings(&[&one, &other]), (expected.to_owned(), Vec::new()));
    assert_eq!(peerings(&[&other, &one]), (expected.to_owned(), Vec::new()));
    assert_eq!(peerings(&[&one]), (expected.to_owned(), Vec::new()));
    let (tree, notes) = peerings(&[&other]);
    assert_eq!(tree, "  - between: [a, b]\n    forwardedTraffic: true\n    connected: true\n");
    assert_eq!(
        notes,
        ["1: whether `a` uses the gateway it is offered is not known: its half of the peering was not given"]
    );
}

#[test]
fn a_peering_that_does_not_carry_traffic_is_not_connected() {
    for body in [r#""peeringState": "Initiated""#, r#""peeringState": "Connected", "allowVirtualNetworkAccess": false"#]
    {
        assert_eq!(peerings(&[&half("a", "b", body)]).0, "  - between: [a, b]\n    connected: false\n");
    }
}

#[test]
fn a_gateway_that_the_other_half_does_not_allow_is_told() {
    let said = |allowed: bool| {
        let one = half("a", "b", r#""useRemoteGateways": true"#);
        let other = half("b", "a", &format!(r#""allowGatewayTransit": {allowed}, "useRemoteGateways": false"#));
        peerings(&[&one, &other]).0
    };
    assert_eq!(said(true), "  - between: [a, b]\n    gatewayTransit: b\n");
    assert_eq!(said(false), "  - between: [a, b]\n    gatewayTransit: b\n    gatewayTransitAllowed: false\n");
    // Neither uses it, so that neither allows it is nothing.
    let apart = half("b", "a", r#""allowGatewayTransit": false"#);
    assert_eq!(peerings(&[&half("a", "b", r#""useRemoteGateways": false"#), &apart]).0, "  - between: [a, b]\n");
}

#[test]
fn one_half_beside_both_networks_may_be_all_there_is() {
    let notes = |halves: &[&str]| peerings(halves).1.into_iter().filter(|note| note.contains("other half")).count();
    let (one, other) =
        (half("a", "b", r#""allowForwardedTraffic": true"#), half("b", "a", r#""allowForwardedTraffic": true"#));
    assert_eq!(notes(&[&one]), 1);
    assert_eq!(notes(&[&one, &other]), 0);
    assert_eq!(notes(&[&half("a", "b", r#""peeringState": "Connected""#)]), 0);
}

#[test]
fn one_half_alone_may_accept_what_was_forwarded() {
    let said = |from, to, value: bool| half(from, to, &format!(r#""allowForwardedTraffic": {value}"#));
    let tree = |one, other| peerings(&[&said("a", "b", one), &said("b", "a", other)]).0;
    assert_eq!(tree(true, true), "  - between: [a, b]\n    forwardedTraffic: true\n");
    assert_eq!(tree(false, false), "  - between: [a, b]\n    forwardedTraffic: false\n");
    assert_eq!(tree(true, false), "  - between: [a, b]\n    forwardedTraffic: false\n    forwardedTrafficInto: a\n");
    assert_eq!(tree(false, true), "  - between: [a, b]\n    forwardedTraffic: false\n    forwardedTrafficInto: b\n");
}

#[test]
fn subnet_peering_shows_some_prefixes_only() {
    let by_name = half(
        "a",
        "b",
        r#""peerCompleteVnets": false, "localSubnetNames": ["s"], "remoteAddressSpace": {"addressPrefixes": ["10.2.0.0/16"]}"#,
    );
    assert_eq!(peerings(&[&by_name]).0, "  - between: [a, b]\n    only:\n      a: 10.1.2.0/24\n      b: 10.2.0.0/16\n");
    let told = half(
        "b",
        "a",
        r#""peerCompleteVnets": false, "remoteAddressSpace": {"addressPrefixes": ["10.1.2.0/24", "10.1.3.0/24"]}, "localAddressSpace": {"addressPrefixes": ["10.2.0.0/17"]}"#,
    );
    assert_eq!(
        peerings(&[&told]).0,
        "  - between: [a, b]\n    only:\n      a: [10.1.2.0/24, 10.1.3.0/24]\n      b: 10.2.0.0/17\n"
    );
    let unsaid = half(
        "a",
        "b",
        r#""peeringState": "Connected", "peerCompleteVnets": false, "remoteAddressSpace": {"addressPrefixes": ["10.2.0.0/16"]}"#,
    );
    assert_eq!(peerings(&[&unsaid]).1, ["1: which subnets of `a` the peering shows is not known"]);
}

#[test]
fn a_peering_that_was_not_synchronised_shows_the_old_prefixes() {
    let old = half("b", "a", r#""remoteAddressSpace": {"addressPrefixes": ["10.1.0.0/16"]}"#);
    assert_eq!(peerings(&[&old]).0, "  - between: [a, b]\n    only:\n      a: 10.1.0.0/16\n");
}

#[test]
fn the_other_side_of_a_peering_is_known_by_what_the_peering_says() {
    let spoke = network(
        "spoke",
        &format!(
            r#""addressSpace": {{"addressPrefixes": ["10.1.0.0/16"]}}, "virtualNetworkPeerings": [{{"name": "p", "peeringState": "Connected", "remoteVirtualNetwork": {{"id": "{}"}}, "remoteAddressSpace": {{"addressPrefixes": ["10.200.0.0/16"]}}, "remoteVirtualNetworkAddressSpace": {{"addressPrefixes": ["10.200.0.0/16", "10.201.0.0/16"]}}}}]"#,
            id("far", "virtualNetworks/hub")
        ),
    );
    let tree = translated(&[&spoke]).yaml;
    assert!(tree.starts_with("networks:\n  hub:\n    prefixes: [10.200.0.0/16, 10.201.0.0/16]\n"), "{tree}");
}

#[test]
fn a_route_whose_hop_is_not_known_stays() {
    let table = format!(
        r#"{{"id": "{}", "disableBgpRoutePropagation": "true", "routes": [
            {{"name": "a", "addressPrefix": "0.0.0.0/0", "nextHopType": "VirtualAppliance"}},
            {{"name": "b", "addressPrefix": "10.0.0.0/8", "nextHopType": "Wormhole"}},
            {{"name": "c", "addressPrefix": "10.0.0.0/8"}},
            {{"name": "d", "nextHopType": "None"}}]}}"#,
        id("g", "routeTables/t")
    );
    let translated = translated(&[&table]);
    let hop = "        nextHop:\n          appliance: unknown\n";
    let expected = format!(
        "routeTables:\n  t:\n    bgpPropagation: false\n    routes:\n      - name: a\n        prefix: 0.0.0.0/0\n{hop}      - name: b\n        prefix: 10.0.0.0/8\n{hop}      - name: c\n        prefix: 10.0.0.0/8\n{hop}"
    );
    assert_eq!(translated.yaml, expected);
    assert_eq!(
        translated.notes,
        [
            "2: the address of the next hop of the route `a` is not known",
            "3: the next hop of the route `b` is `Wormhole`, which this version does not know",
            "4: the next hop of the route `c` is not known",
            "5: the prefix of the route `d` is not known: the route is left out",
        ]
    );
    assert_eq!(errors(&[&table]), [""; 0]);
}

#[test]
fn gateways_and_the_sites_behind_them() {
    let gateway = |name: &str, kind: &str| {
        format!(
            r#"{{"id": "{}", "gatewayType": "{kind}", "ipConfigurations": [{{"name": "c", "subnet": {{"id": "{}"}}}}]}}"#,
            id("g", &format!("virtualNetworkGateways/{name}")),
            id("g", "virtualNetworks/hub/subnets/GatewaySubnet")
        )
    };
    let hub = network(
        "hub",
        r#""addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [{"name": "GatewaySubnet", "addressPrefix": "10.0.0.0/27"}]"#,
    );
    let express = translated(&[&hub, &gateway("er", "ExpressRoute")]);
    assert!(express.yaml.ends_with("    gateway:\n      kind: expressRoute\n"), "{}", express.yaml);
    assert_eq!(
        express.notes,
        [
            "1: what the gateway `er` reaches through its circuit is not known: describe the sites as networks of kind `onPremises` under `connects`"
        ]
    );
    let odd = translated(&[&hub, &gateway("x", "Stargate")]);
    assert_eq!(odd.notes, ["1: the type of the gateway `x` is `Stargate`, which this version does not know"]);
    let unseen = network(
        "hub",
        &format!(
            r#""subnets": [{{"name": "GatewaySubnet", "ipConfigurations": [{{"id": "{}"}}]}}]"#,
            id("g", "virtualNetworkGateways/er/ipConfigurations/c")
        ),
    );
    assert_eq!(
        translated(&[&unseen]).notes,
        ["1: the gateway `er` was not given: where it leads is not known (give `az network vnet-gateway show`)"]
    );
}

#[test]
fn values_known_later_are_said_and_not_guessed() {
    use causeway_read::azure::{KnownLater, Resource, ResourceId, translate};
    let body = super::document(r#"{"networkProfile": {"networkPlugin": "azure"}}"#);
    let pool_body = super::document(r#"{"count": 1}"#);
    let at: Span = body.span;
    let cluster = ResourceId::new(None, Some("g"), "Microsoft.ContainerService/managedClusters", &["c"]).unwrap();
    let pool = cluster.child("agentPools", "a").unwrap();
    let later = |path: &str| KnownLater { path: path.into(), at };
    let resource = |id: &ResourceId, body, later| Resource {
        kind: id.kind().into(),
        name: id.name().into(),
        id: Some(id.clone()),
        name_span: at,
        parent: None,
        body,
        later,
    };
    let all = vec![
        resource(&pool, pool_body, vec![later("properties.vnetSubnetID"), later("properties.podSubnetID")]),
        resource(&cluster, body, vec![later("properties.networkProfile.networkPolicy")]),
    ];
    let (mut notes, mut findings) = (Vec::new(), Vec::new());
    let tree = causeway_read::tree::to_yaml(&translate(all, &mut notes, &mut findings));
    let expected = "\
networks:
  unknown:
    subnets:
      c-a: {}
clusters:
  c:
    apiServer: public
    pools:
      a:
        nodes: 1
        subnet: unknown/c-a
";
    assert_eq!(tree, expected);
    let messages: Vec<&str> = notes.iter().map(|note| note.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "`networkProfile.networkPolicy` of `c` is not known before the change is made",
            "`vnetSubnetID` of `a` is not known before the change is made",
            "`podSubnetID` of `a` is not known before the change is made",
            "whether pods of the cluster `c` have a subnet of their own is not known: give its pools (`az aks nodepool list`)",
        ]
    );
}
