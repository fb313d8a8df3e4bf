//! Who holds addresses on a subnet: told by ids, never counted twice.

use super::{id, network, translated};

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
    assert_eq!(other(&all, &[], &[]), "privateEndpoints: 3 loadBalancerFrontends: 1 nics: 2");
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
    let counted = translated(&[
        &own,
        &CLUSTER.replace(
            r#"{"name": "a"}"#,
            &format!(r#"{{"name": "a", "vnetSubnetID": "{}"}}"#, id("g", "virtualNetworks/v/subnets/s")),
        ),
    ]);
    assert!(counted.yaml.contains("nics: 2"), "{}", counted.yaml);
    assert_eq!(
        counted.notes,
        [
            "1: nodes of a cluster that was not given (resource group `mc_x`) hold 2 addresses here: they are counted as they are now, without growth or surge"
        ]
    );
    // A design file may describe the cluster they belong to.
    let alone = translated(&[&own]);
    assert!(!alone.yaml.contains("nics"), "{}", alone.yaml);
    assert_eq!(
        alone.notes,
        [
            "1: nodes of a cluster that was not given (resource group `mc_x`) hold 2 addresses here: they are not counted, since no cluster that was exported is on the subnet"
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

/// Frontends that Services account for are not counted beside them.
#[test]
fn services_that_were_given_account_for_their_frontends() {
    let subnet = id("g", "virtualNetworks/v/subnets/s");
    let list: Vec<String> = ["a", "b"]
        .iter()
        .map(|name| {
            format!(
                r#"{{"id": "{}"}}"#,
                id("mc", &format!("loadBalancers/kubernetes-internal/frontendIPConfigurations/{name}"))
            )
        })
        .collect();
    let own = network(
        "v",
        &format!(
            r#""subnets": [{{"name": "s", "addressPrefix": "10.0.0.0/24", "ipConfigurations": [{}]}}]"#,
            list.join(",")
        ),
    );
    let cluster =
        CLUSTER.replace(r#"{"name": "a"}"#, &format!(r#"{{"name": "a", "count": 1, "vnetSubnetID": "{subnet}"}}"#));
    let service = |address: &str| {
        format!(
            r#"{{"apiVersion": "v1", "kind": "Service", "metadata": {{"name": "s{}", "namespace": "n", "annotations": {{"service.beta.kubernetes.io/azure-load-balancer-internal": "true"}}}},
            "spec": {{"type": "LoadBalancer", "clusterIP": "10.100.0.9", "ports": [{{"port": 80}}]}}, "status": {{"loadBalancer": {{"ingress": [{{"ip": "{address}"}}]}}}}}}"#,
            address.replace('.', "-")
        )
    };
    let frontends = |texts: &[&str]| {
        let tree = super::whole(texts);
        let subnet = tree.get("networks").unwrap().get("v").unwrap().get("subnets").unwrap().get("s").unwrap().clone();
        subnet
            .get("other")
            .and_then(|other| other.get("loadBalancerFrontends"))
            .and_then(|count| count.text().map(str::to_owned))
    };
    assert_eq!(frontends(&[&own, &cluster]).as_deref(), Some("2"));
    assert_eq!(frontends(&[&own, &cluster, &service("10.0.0.7")]).as_deref(), Some("1"));
    assert_eq!(frontends(&[&own, &cluster, &service("10.0.0.7"), &service("10.0.0.8")]), None);
    assert_eq!(frontends(&[&own, &cluster, &service("10.9.0.7")]).as_deref(), Some("2"));
}

#[test]
fn application_gateways_are_told_by_the_subnet_and_by_themselves() {
    let gateway = format!(
        r#"{{"id": "{}", "gatewayIPConfigurations": [{{"name": "g", "subnet": {{"id": "{}"}}}}]}}"#,
        id("g", "applicationGateways/agw"),
        id("g", "virtualNetworks/v/subnets/s")
    );
    assert_eq!(other(&[], &[], &[&gateway]), "applicationGateways: 1");
    let listed = network(
        "v",
        &format!(
            r#""subnets": [{{"name": "s", "addressPrefix": "10.0.0.0/24", "applicationGatewayIPConfigurations": [{{"id": "{}"}}]}}]"#,
            id("g", "applicationGateways/agw/gatewayIPConfigurations/g")
        ),
    );
    assert!(translated(&[&listed, &gateway]).yaml.contains("other:\n          applicationGateways: 1\n"));
    assert!(translated(&[&listed]).yaml.contains("applicationGateways: 1"));
    let cluster = format!(
        r#"{{"id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c", "networkProfile": {{"networkPlugin": "kubenet"}},
        "addonProfiles": {{"ingressApplicationGateway": {{"enabled": true, "config": {{"effectiveApplicationGatewayId": "{}"}}}}}}}}"#,
        id("g", "applicationGateways/agw")
    );
    let own = translated(&[&listed, &gateway, &cluster]).yaml;
    assert!(own.contains("kind: applicationGateway\n") && !own.contains("applicationGateways: 1"), "{own}");
}
