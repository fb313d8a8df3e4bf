//! Networks and what stands in them: parts that nobody gave, halves, contradictions, who holds addresses.

use super::{errors, id, translated, yaml};
use causeway_model::source::Span;
use causeway_read::tree::Node;

fn network(name: &str, body: &str) -> String {
    format!(r#"{{"id": "{}", "name": "{name}", {body}}}"#, id("g", &format!("virtualNetworks/{name}")))
}

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
fn halves_that_differ_accept_nothing_forwarded() {
    let (tree, notes) = peerings(&[
        &half("a", "b", r#""allowForwardedTraffic": true"#),
        &half("b", "a", r#""allowForwardedTraffic": false"#),
    ]);
    assert_eq!(tree, "  - between: [a, b]\n    forwardedTraffic: false\n");
    assert_eq!(
        notes,
        [
            "1: `a` accepts forwarded packets from `b`, but not the other way round; the design has one answer for both and says no"
        ]
    );
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
    let unsaid =
        half("a", "b", r#""peerCompleteVnets": false, "remoteAddressSpace": {"addressPrefixes": ["10.2.0.0/16"]}"#);
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

/// `other` of the subnet `s`, whose holders these are; `more` is given beside it.
fn other(holders: &[&str], endpoints: &[&str], more: &[&str]) -> String {
    let list = |ids: &[&str]| ids.iter().map(|id| format!(r#"{{"id": "{id}"}}"#)).collect::<Vec<_>>().join(", ");
    let own = network(
        "v",
        &format!(
            r#""addressSpace": {{"addressPrefixes": ["10.0.0.0/16"]}}, "subnets": [{{"name": "s", "addressPrefix": "10.0.0.0/24", "ipConfigurations": [{}], "privateEndpoints": [{}]}}]"#,
            list(holders),
            list(endpoints)
        ),
    );
    let texts: Vec<&str> = std::iter::once(own.as_str()).chain(more.iter().copied()).collect();
    let translated = translated(&texts);
    let (_, subnet) = translated.yaml.split_once("      s:\n        prefix: 10.0.0.0/24\n").unwrap();
    let own = subnet.lines().take_while(|line| line.starts_with("        ")).map(str::trim);
    own.collect::<Vec<_>>().join(" ").trim_start_matches("other:").trim().to_owned()
}

const CLUSTER: &str = r#"{"id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c", "location": "westeurope",
    "nodeResourceGroup": "mc", "networkProfile": {"networkPlugin": "kubenet"}, "apiServerAccessProfile": {"enablePrivateCluster": true}, "agentPoolProfiles": [{"name": "a"}]}"#;

#[test]
fn holders_of_addresses_are_told_by_their_ids() {
    let node = "/SUBSCRIPTIONS/S/RESOURCEGROUPS/MC/PROVIDERS/MICROSOFT.COMPUTE/VIRTUALMACHINESCALESETS/AKS-A-1-VMSS/VIRTUALMACHINES/0/NETWORKINTERFACES/AKS-A-1-VMSS/IPCONFIGURATIONS/IPCONFIG1";
    let machine = id("g", "networkInterfaces/vm/ipConfigurations/primary");
    let endpoint = id("g", "networkInterfaces/pe.nic.123/ipConfigurations/privateEndpointIpConfig.1");
    let second = id("g", "networkInterfaces/pe.nic.123/ipConfigurations/privateEndpointIpConfig.2");
    let frontend = id("g", "loadBalancers/lb/frontendIPConfigurations/f");
    let gateway = id("g", "virtualNetworkGateways/gw/ipConfigurations/default");
    let api = id("mc", "networkInterfaces/kube-apiserver.nic.7/ipConfigurations/privateEndpointIpConfig.7");
    let all = [node, &machine, &endpoint, &second, &frontend, &gateway, &api];
    assert_eq!(other(&all, &[], &[CLUSTER]), "privateEndpoints: 2 loadBalancerFrontends: 1 nics: 2");
    assert_eq!(other(&all, &[], &[]), "privateEndpoints: 3 loadBalancerFrontends: 1 nics: 3");
    assert_eq!(other(&[node, &api], &[], &[CLUSTER]), "");
    assert_eq!(other(&[], &[], &[]), "");
}

#[test]
fn the_api_servers_endpoint_is_found_on_its_subnet() {
    let api = id("mc", "networkInterfaces/kube-apiserver.nic.7/ipConfigurations/privateEndpointIpConfig.7");
    let own = network("v", &format!(r#""subnets": [{{"name": "s", "ipConfigurations": [{{"id": "{api}"}}]}}]"#));
    let tree = translated(&[&own, CLUSTER]).yaml;
    assert!(tree.contains("    apiServer:\n      access: private\n      subnet: v/s\n"), "{tree}");
    let endpoint = format!(
        r#"{{"id": "{}", "subnet": {{"id": "{}"}}, "customDnsConfigs": [{{"fqdn": "x", "ipAddresses": ["10.0.0.7"]}}]}}"#,
        id("mc", "privateEndpoints/kube-apiserver"),
        id("g", "virtualNetworks/v/subnets/s")
    );
    let tree = translated(&[&own, CLUSTER, &endpoint]).yaml;
    assert!(
        tree.contains("    apiServer:\n      access: private\n      subnet: v/s\n      privateIp: 10.0.0.7\n"),
        "{tree}"
    );
    assert!(!tree.contains("privateEndpoints"), "{tree}");
}

#[test]
fn what_is_an_object_of_its_own_is_not_counted_again() {
    let subnet = id("g", "virtualNetworks/v/subnets/s");
    let machine = id("g", "networkInterfaces/vm/ipConfigurations/primary");
    let nic = format!(
        r#"{{"id": "{}", "ipConfigurations": [{{"name": "primary", "privateIPAddress": "10.0.0.9", "subnet": {{"id": "{subnet}"}}}}], "enableIPForwarding": false}}"#,
        id("g", "networkInterfaces/vm")
    );
    assert_eq!(other(&[&machine], &[], &[&nic]), "");
    assert_eq!(other(&[], &[], &[&nic]), "");

    let interface = id("g", "networkInterfaces/pe.nic.1/ipConfigurations/privateEndpointIpConfig.1");
    let (this, that) = (id("g", "privateEndpoints/pe"), id("g", "privateEndpoints/other"));
    let endpoint =
        |id: &str| format!(r#"{{"id": "{id}", "subnet": {{"id": "{subnet}"}}, "privateLinkServiceConnections": []}}"#);
    assert_eq!(other(&[&interface], &[&this], &[&endpoint(&this)]), "");
    assert_eq!(other(&[&interface], &[&this, &that], &[&endpoint(&this)]), "privateEndpoints: 1");
    assert_eq!(other(&[&interface], &[&this], &[]), "privateEndpoints: 1");
    // An endpoint whose interface has a name of its own takes one of the machines' places.
    let custom = id("g", "networkInterfaces/my-nic/ipConfigurations/c");
    assert_eq!(other(&[&custom, &machine], &[&that], &[]), "privateEndpoints: 1 nics: 1");
    assert_eq!(other(&[&custom, &machine], &[&that], &[&endpoint(&that)]), "nics: 1");
}

#[test]
fn nodes_of_clusters_that_were_not_given_count_as_they_are() {
    let node = |number: u8| {
        id("mc_x", &format!("y/{number}"))
            .replace("Microsoft.Network/y", "Microsoft.Compute/virtualMachineScaleSets/aks-pool-1-vmss/virtualMachines")
            + "/networkInterfaces/n/ipConfigurations/i"
    };
    let own = network(
        "v",
        &format!(
            r#""subnets": [{{"name": "s", "ipConfigurations": [{{"id": "{}"}}, {{"id": "{}"}}]}}]"#,
            node(0),
            node(1)
        ),
    );
    let translated = translated(&[&own]);
    assert!(translated.yaml.contains("nics: 2"), "{}", translated.yaml);
    assert_eq!(
        translated.notes,
        [
            "1: nodes of a cluster that was not given (resource group `mc_x`) hold 2 addresses here: they are counted as they are now, without growth or surge"
        ]
    );
}

#[test]
fn the_platforms_own_network_is_used_by_pools_that_name_none() {
    let own = network("aks-vnet-1", r#""addressSpace": {"addressPrefixes": ["10.224.0.0/12"]}, "subnets": [{"name": "aks-subnet", "addressPrefix": "10.224.0.0/16"}]"#).replace("/g/", "/MC/");
    let tree = translated(&[&own, CLUSTER]).yaml;
    assert!(tree.contains("    managedByAks: true\n"), "{tree}");
    assert!(tree.contains("      a:\n        subnet: aks-vnet-1/aks-subnet\n"), "{tree}");
    let alone = translated(&[CLUSTER]).yaml;
    assert!(alone.contains("      a: {}\n"), "{alone}");
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
fn public_addresses_are_a_list_a_number_or_not_known() {
    let nat = |body: &str, more: &[&str]| {
        let own = format!(r#"{{"id": "{}", "idleTimeoutInMinutes": 4, {body}}}"#, id("g", "natGateways/nat"));
        let texts: Vec<&str> = std::iter::once(own.as_str()).chain(more.iter().copied()).collect();
        let (_, fields) = translated(&texts)
            .yaml
            .split_once("  nat:\n")
            .map(|(one, other)| (one.to_owned(), other.to_owned()))
            .unwrap();
        fields.lines().map(str::trim).filter(|line| !line.starts_with("idle")).collect::<Vec<_>>().join(" ")
    };
    let address = id("g", "publicIPAddresses/a");
    let prefix = id("g", "publicIPPrefixes/p");
    let known = format!(r#"{{"id": "{address}", "ipAddress": "198.51.100.7", "publicIPAllocationMethod": "Static"}}"#);
    let sized = format!(r#"{{"id": "{prefix}", "prefixLength": 28, "publicIPAddressVersion": "IPv4"}}"#);
    let by_address = format!(r#""publicIpAddresses": [{{"id": "{address}"}}]"#);
    let both = format!(r#"{by_address}, "publicIpPrefixes": [{{"id": "{prefix}"}}]"#);
    assert_eq!(nat(&by_address, &[&known]), "publicIps: 198.51.100.7");
    assert_eq!(nat(&by_address, &[]), "publicIpCount: 1");
    assert_eq!(nat(&both, &[&known, &sized]), "publicIps: 198.51.100.7 publicIpCount: 17");
    assert_eq!(nat(&both, &[&known]), "");
    assert_eq!(nat(r#""publicIpAddresses": null"#, &[]), "publicIpCount: 0");
}

fn firewall(body: &str, more: &[&str]) -> super::Translated {
    let own = format!(r#"{{"id": "{}", "networkRuleCollections": [], {body}}}"#, id("g", "azureFirewalls/fw"));
    let texts: Vec<&str> = std::iter::once(own.as_str()).chain(more.iter().copied()).collect();
    assert_eq!(errors(&texts), [""; 0]);
    translated(&texts)
}

#[test]
fn when_a_firewall_translates() {
    let snat = |ranges: &str| {
        let body = format!(r#""additionalProperties": {{"Network.SNAT.PrivateRanges": "{ranges}"}}"#);
        let tree = firewall(&body, &[]).tree;
        let own = tree.get("firewalls").unwrap().get("fw").unwrap();
        let word = own.get("snat").into_iter();
        let all = word.chain(own.get("privateRanges").map(Node::items).unwrap_or_default());
        all.filter_map(Node::text).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(snat("255.255.255.255/32"), "always");
    assert_eq!(snat("0.0.0.0/0"), "never");
    assert_eq!(
        snat("IANAPrivateRanges, 192.0.2.0/24, 198.51.100.4"),
        "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 100.64.0.0/10 192.0.2.0/24 198.51.100.4/32"
    );
    assert_eq!(snat(""), "");
    let policy = format!(
        r#"{{"id": "{}", "ruleCollectionGroups": [], "snat": {{"privateRanges": ["0.0.0.0/0"], "autoLearnPrivateRanges": "Enabled"}}}}"#,
        id("g", "firewallPolicies/p")
    );
    let learning = firewall(&format!(r#""firewallPolicy": {{"id": "{}"}}"#, id("g", "firewallPolicies/p")), &[&policy]);
    assert!(learning.yaml.contains("    snat: never\n    policy: true\n"), "{}", learning.yaml);
    assert!(
        learning
            .notes
            .contains(&"1: the firewall `fw` learns private ranges by itself: which they are is not known".to_owned()),
        "{:?}",
        learning.notes
    );
}

#[test]
fn classic_rules_and_a_hubs_addresses() {
    let body = r#""hubIPAddresses": {"privateIPAddress": "10.9.0.4", "publicIPs": {"count": 3, "addresses": [{"address": "198.51.100.1"}]}},
        "networkRuleCollections": [
            {"name": "two", "properties": {"priority": 300, "action": {"type": "Deny"}, "rules": [{"name": "b", "protocols": ["Any"], "sourceAddresses": ["*"], "destinationAddresses": ["*"], "destinationPorts": ["*"]}]}},
            {"name": "one", "properties": {"priority": 200, "action": {"type": "Allow"}, "rules": [{"name": "a", "protocols": ["ICMP"], "sourceAddresses": ["10.0.0.0/8"], "destinationAddresses": ["Storage"], "destinationPorts": ["*"]}]}}],
        "natRuleCollections": [{"name": "n", "properties": {"priority": 100, "action": {"type": "Dnat"}, "rules": [
            {"name": "c", "protocols": ["TCP", "UDP"], "sourceAddresses": ["*"], "destinationAddresses": ["198.51.100.1"], "destinationPorts": ["53"], "translatedAddress": "10.0.0.53", "translatedPort": "53"},
            {"name": "d", "protocols": ["TCP"], "sourceAddresses": ["*"], "destinationAddresses": ["198.51.100.1"], "destinationPorts": ["80-90"], "translatedFqdn": "inside.example", "translatedPort": "80"}]}}]"#;
    let own = format!(r#"{{"id": "{}", {body}}}"#, id("g", "azureFirewalls/fw"));
    let translated = translated(&[&own]);
    let expected = r#"firewalls:
  fw:
    kind: azureFirewall
    privateIp: 10.9.0.4
    publicIps: 198.51.100.1
    publicIpCount: 3
    rules:
      - name: a
        source: 10.0.0.0/8
        destination: Storage
        protocol: icmp
        ports: "*"
        access: allow
      - name: b
        source: "*"
        destination: "*"
        protocol: "*"
        ports: "*"
        access: deny
    dnat:
      - name: c
        publicIp: 198.51.100.1
        protocol: tcp
        port: 53
        to: 10.0.0.53
        toPort: 53
      - name: c
        publicIp: 198.51.100.1
        protocol: udp
        port: 53
        to: 10.0.0.53
        toPort: 53
"#;
    assert_eq!(translated.yaml, expected);
    assert_eq!(
        translated.notes,
        [
            "7: where the firewall rule `d` leads is not known by address",
            "7: the ports of the firewall rule `d`: the design translates one port at a time",
        ]
    );
    assert_eq!(errors(&[&own]), [""; 0]);
}

#[test]
fn rules_that_were_not_given_are_said() {
    let policy = id("g", "firewallPolicies/p");
    let group = id("g", "firewallPolicies/p/ruleCollectionGroups/r");
    let by_policy = format!(r#""firewallPolicy": {{"id": "{policy}"}}"#);
    let none = firewall(&by_policy, &[]);
    assert!(
        none.notes.contains(&"1: the firewall policy `p` was not given: its rules are not known".to_owned()),
        "{:?}",
        none.notes
    );
    let only_policy = format!(r#"{{"id": "{policy}", "ruleCollectionGroups": [{{"id": "{group}"}}]}}"#);
    let half = firewall(&by_policy, &[&only_policy]);
    let missing = "1: the rule collection group `r` was not given: its rules are not known (give `az network firewall policy rule-collection-group list`)";
    assert!(half.notes.contains(&missing.to_owned()), "{:?}", half.notes);
    let rules = format!(
        r#"{{"id": "{group}", "priority": 100, "ruleCollections": [{{"ruleCollectionType": "FirewallPolicyFilterRuleCollection", "priority": 1, "action": {{"type": "Allow"}}, "rules": [
            {{"ruleType": "NetworkRule", "name": "x", "ipProtocols": ["TCP"], "sourceIpGroups": ["{}"], "destinationFqdns": ["db.example"], "destinationPorts": ["5432"]}}]}}]}}"#,
        id("g", "ipGroups/apps")
    );
    let whole = firewall(&by_policy, &[&rules]);
    assert!(
        whole.yaml.contains("        source: ipGroup.apps\n        destination: fqdn.db.example\n"),
        "{}",
        whole.yaml
    );
    let unused = translated(&[&only_policy, &rules]);
    assert!(
        unused.notes.contains(&"1: no firewall that was given uses the policy `p`: its rules are left out".to_owned()),
        "{:?}",
        unused.notes
    );
}

#[test]
fn zones_with_links_and_records() {
    let zone =
        |group: &str| format!(r#"{{"id": "{}", "numberOfRecordSets": 1}}"#, id(group, "privateDnsZones/z.example"));
    let link = |name: &str, policy: &str| {
        format!(
            r#"{{"id": "{}", "registrationEnabled": false, "resolutionPolicy": "{policy}", "virtualNetwork": {{"id": "{}"}}}}"#,
            id("g", &format!("privateDnsZones/z.example/virtualNetworkLinks/{name}")),
            id("g", &format!("virtualNetworks/{name}"))
        )
    };
    let records = format!(
        r#"[{{"id": "{}", "ttl": 1, "aRecords": [{{"ipv4Address": "10.0.0.1"}}, {{"ipv4Address": "10.0.0.2"}}]}}, {{"id": "{}", "ttl": 1, "aaaaRecords": [{{"ipv6Address": "fd00::1"}}]}}, {{"id": "{}", "ttl": 1, "cnameRecord": {{"cname": "x"}}}}]"#,
        id("g", "privateDnsZones/z.example/A/DB"),
        id("g", "privateDnsZones/z.example/AAAA/db"),
        id("g", "privateDnsZones/z.example/CNAME/alias")
    );
    let (hub, spoke) = (network("hub", r#""addressSpace": {}"#), network("spoke", r#""addressSpace": {}"#));
    let both = translated(&[
        &zone("g"),
        &link("hub", "NxDomainRedirect"),
        &link("spoke", "NxDomainRedirect"),
        &records,
        &hub,
        &spoke,
    ]);
    let expected = "privateDnsZones:\n  z.example:\n    links: [hub, spoke]\n    records:\n      db: [10.0.0.1, 10.0.0.2, fd00::1]\n    fallbackToInternet: true\n";
    assert!(both.yaml.ends_with(expected), "{}", both.yaml);
    assert_eq!(
        both.notes,
        ["1: the alias `alias` in the private zone `z.example`: zones of the design hold addresses"]
    );
    let mixed = translated(&[&zone("g"), &link("hub", "NxDomainRedirect"), &link("spoke", "Default"), &hub, &spoke]);
    assert!(mixed.yaml.ends_with("    fallbackToInternet: false\n"), "{}", mixed.yaml);
    let twice = translated(&[&zone("h"), &zone("g")]);
    assert_eq!(
        twice.notes,
        ["1: a second zone `z.example`: the design holds one of each name, and has the one in `g`"]
    );
}

#[test]
fn machines_are_hosts() {
    let nic = format!(
        r#"{{"id": "{}", "enableIPForwarding": true, "ipConfigurations": [{{"name": "c", "primary": true, "privateIPAddress": "10.0.0.4", "subnet": {{"id": "{}"}}}}]}}"#,
        id("g", "networkInterfaces/nva"),
        id("g", "virtualNetworks/v/subnets/s")
    );
    let translated = translated(&[&nic, &network("v", r#""subnets": [{"name": "s"}]"#)]);
    assert!(translated.yaml.ends_with("hosts:\n  nva:\n    ip: 10.0.0.4\n    network: v\n"), "{}", translated.yaml);
    assert_eq!(
        translated.notes,
        ["1: `nva` forwards packets of others: if it is an appliance, describe it under `firewalls`"]
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
