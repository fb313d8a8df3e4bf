//! Clusters in all their forms.

use super::{errors, translated};

/// The fields of one cluster as YAML, with what is noted.
fn cluster(body: &str) -> (String, Vec<String>) {
    let text = format!(
        r#"{{"id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c", "name": "c", {body}}}"#
    );
    let translated = translated(&[&text]);
    // Most of these bodies are parts, and name no plugin.
    let others = translated.findings.iter().filter(|finding| {
        !["overlay is assumed", "neither a number nor", "`loadBalancer` is judged instead"]
            .iter()
            .any(|part| finding.message.contains(part))
    });
    assert_eq!(others.count(), 0, "{:?}", translated.findings);
    let yaml = translated.yaml.split_once("  c:").map_or("", |(_, fields)| fields);
    let fields: Vec<&str> =
        yaml.lines().map(|line| line.strip_prefix("    ").unwrap_or(line)).filter(|line| !line.is_empty()).collect();
    (fields.join("\n"), translated.notes.iter().map(|note| note.split_once(": ").unwrap().1.to_owned()).collect())
}

/// One field of a cluster with this body.
fn field(body: &str, name: &str) -> String {
    let (fields, _) = cluster(body);
    let start = format!("{name}:");
    let mut lines = fields.lines().skip_while(|line| !line.starts_with(&start));
    let first = lines.next().unwrap_or("").trim_start_matches(&start).trim().to_owned();
    let rest = lines.take_while(|line| line.starts_with(' ')).map(str::trim);
    std::iter::once(first.as_str()).chain(rest).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

fn notes(body: &str) -> Vec<String> {
    cluster(body).1
}

const PODS: &str =
    r#""podSubnetID": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/pods""#;

#[test]
fn the_mode_comes_from_plugin_mode_and_pools() {
    let cases = [
        (r#""networkPlugin": "azure", "networkPluginMode": "overlay""#, r#"{"name": "a"}"#.to_owned(), "overlay"),
        (r#""networkPlugin": "Azure", "networkPluginMode": "Overlay""#, r#"{"name": "a"}"#.into(), "overlay"),
        (r#""networkPlugin": "kubenet""#, r#"{"name": "a"}"#.into(), "kubenet"),
        (r#""networkPlugin": "none""#, r#"{"name": "a"}"#.into(), "byo"),
        (r#""networkPlugin": "azure", "networkPluginMode": null"#, r#"{"name": "a"}"#.into(), "nodeSubnet"),
        (r#""networkPlugin": "azure", "networkPluginMode": """#, format!(r#"{{"name": "a", {PODS}}}"#), "podSubnet"),
        (
            r#""networkPlugin": "azure""#,
            format!(r#"{{"name": "a", {PODS}, "podIPAllocationMode": "StaticBlock"}}"#),
            "podSubnetStatic",
        ),
        (
            r#""networkPlugin": "azure""#,
            format!(r#"{{"name": "a", {PODS}, "podIPAllocationMode": "StaticBlock"}}, {{"name": "b", {PODS}}}"#),
            "podSubnet",
        ),
        (r#""networkPlugin": null"#, format!(r#"{{"name": "a", {PODS}}}"#), "podSubnet"),
        (r#""networkPluginMode": "overlay""#, r#"{"name": "a"}"#.into(), "overlay"),
        (r#""networkPlugin": "magic""#, r#"{"name": "a"}"#.into(), ""),
        (r#""networkPlugin": "azure", "networkPluginMode": "magic""#, r#"{"name": "a"}"#.into(), ""),
        (r#""networkPlugin": "azure""#, String::new(), ""),
    ];
    for (profile, pools, mode) in cases {
        let body = format!(r#""networkProfile": {{{profile}}}, "agentPoolProfiles": [{pools}]"#);
        assert_eq!(field(&body, "mode"), mode, "{body}");
    }
}

#[test]
fn only_pools_that_differ_have_a_mode_of_their_own() {
    let body = format!(
        r#""networkProfile": {{"networkPlugin": "azure"}}, "agentPoolProfiles": [{{"name": "a", {PODS}, "podIPAllocationMode": "staticblock"}}, {{"name": "b", {PODS}, "podIPAllocationMode": "DynamicIndividual"}}]"#
    );
    assert_eq!(field(&body, "pools"), "a: podSubnet: v/pods mode: podSubnetStatic b: podSubnet: v/pods");
}

#[test]
fn what_the_mode_does_not_say_is_noted() {
    let pool = r#""agentPoolProfiles": [{"name": "a"}]"#;
    assert_eq!(notes(&format!(r#""networkProfile": {{}}, {pool}"#)), [""; 0]);
    let warnings = |profile: &str| {
        let id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c";
        let text = format!(r#"{{"id": "{id}", "name": "c", "networkProfile": {profile}, {pool}}}"#);
        let found = translated(&[&text]).findings;
        found.iter().map(|one| format!("{:?} {} {}", one.severity, one.code, one.object)).collect::<Vec<_>>()
    };
    assert_eq!(warnings("{}"), ["Warning mode-retiring clusters.c.mode"]);
    assert_eq!(warnings(r#"{"networkPlugin": "azure"}"#), [""; 0]);
    assert_eq!(field(&format!(r#""networkProfile": {{}}, {pool}"#), "mode"), "overlay");
    assert_eq!(
        notes(r#""networkProfile": {"networkPlugin": "azure"}"#),
        [
            "whether pods of the cluster `c` have a subnet of their own is not known: give its pools (`az aks nodepool list`)"
        ]
    );
    assert_eq!(
        notes(&format!(r#""networkProfile": {{"networkPlugin": "magic"}}, {pool}"#)),
        ["the network plugin of the cluster `c` is `magic`, which this version does not know"]
    );
    let flat = format!(r#""networkProfile": {{"networkPlugin": "azure", "podCidr": "10.244.0.0/16"}}, {pool}"#);
    assert_eq!(
        notes(&flat),
        ["the pod range of the cluster `c`: pods of the mode `nodeSubnet` get addresses of the network"]
    );
    assert_eq!(field(&flat, "podCidr"), "");
}

#[test]
fn sizes_are_bounds_only_while_the_autoscaler_is_on() {
    let nodes = |pool: &str| field(&format!(r#""agentPoolProfiles": [{{"name": "a", {pool}}}]"#), "pools");
    assert_eq!(nodes(r#""count": 3, "enableAutoScaling": false, "minCount": 1, "maxCount": 9"#), "a: nodes: 3");
    assert_eq!(
        nodes(r#""count": 3, "enableAutoScaling": true, "minCount": 1, "maxCount": 9"#),
        "a: nodes: count: 3 min: 1 max: 9"
    );
    assert_eq!(nodes(r#""count": 3, "minCount": 1, "maxCount": 9"#), "a: nodes: count: 3 min: 1 max: 9");
    assert_eq!(nodes(r#""count": 0, "maxPods": "30""#), "a: nodes: 0 maxPods: 30");
    assert_eq!(
        nodes(
            r#""type": "VirtualMachines", "virtualMachinesProfile": {"scale": {"manual": [{"size": "a", "count": 2}, {"size": "b", "count": 3}]}}"#
        ),
        "a: nodes: 5"
    );
    assert_eq!(
        nodes(
            r#""enableAutoScaling": true, "virtualMachinesProfile": {"scale": {"autoscale": {"size": "a", "minCount": 2, "maxCount": 5}}}"#
        ),
        "a: nodes: min: 2 max: 5"
    );
}

#[test]
fn upgrades_zones_and_the_rest_of_a_pool() {
    let pool = |pool: &str| field(&format!(r#""agentPoolProfiles": [{{"name": "a", {pool}}}]"#), "pools");
    assert_eq!(
        pool(r#""upgradeSettings": {"maxSurge": "33%", "maxUnavailable": "0"}"#),
        "a: maxSurge: 33% maxUnavailable: 0"
    );
    assert_eq!(pool(r#""upgradeSettings": {"maxSurge": "5"}"#), "a: maxSurge: 5");
    assert_eq!(pool(r#""upgradeSettings": {"maxSurge": ""}"#), "a: {}");
    assert_eq!(pool(r#""upgradeStrategy": "BlueGreen""#), "a: blueGreen: true");
    assert_eq!(
        pool(r#""availabilityZones": ["1", "3"], "enableNodePublicIP": true"#),
        r#"a: zones: ["1", "3"] nodePublicIp: true"#
    );
    assert_eq!(pool(r#""mode": "Gateway""#), "a: system: false");
    assert_eq!(
        notes(
            r#""networkProfile": {"networkPlugin": "kubenet"}, "agentPoolProfiles": [{"name": "a", "upgradeSettings": {"maxSurge": "lots"}, "osType": "Plan9", "powerState": {"code": "Stopped"}}]"#
        ),
        [
            "the pool `a` of the cluster `c` is stopped: it is counted as if it ran",
            "`osType` of the pool `a` of the cluster `c` is `Plan9`, which this version does not know",
            "`maxSurge` of the pool `a` of the cluster `c` is `lots`, which this version does not know"
        ]
    );
}

#[test]
fn outbound_addresses_are_counted_where_they_can_be() {
    let outbound =
        |profile: &str| field(&format!(r#""networkProfile": {{"networkPlugin": "kubenet", {profile}}}"#), "outbound");
    assert_eq!(outbound(r#""outboundType": "userAssignedNATGateway""#), "userAssignedNATGateway");
    assert_eq!(outbound(r#""outboundType": "LOADBALANCER""#), "loadBalancer");
    assert_eq!(outbound(r#""outboundType": "teleport""#), "");
    assert_eq!(
        outbound(
            r#""outboundType": "loadBalancer", "loadBalancerProfile": {"managedOutboundIPs": {"count": 3, "countIPv6": 1}, "allocatedOutboundPorts": 0}"#
        ),
        "type: loadBalancer ips: 3 ipv6Ips: 1 portsPerNode: 0"
    );
    assert_eq!(
        outbound(
            r#""loadBalancerProfile": {"effectiveOutboundIPs": [{"id": "/subscriptions/s/resourceGroups/m/providers/Microsoft.Network/publicIPAddresses/a"}]}"#
        ),
        "ips: 1"
    );
    assert_eq!(
        outbound(
            r#""outboundType": "managedNATGateway", "natGatewayProfile": {"managedOutboundIPProfile": {"count": 4}, "idleTimeoutInMinutes": 7}"#
        ),
        "type: managedNATGateway ips: 4 idleTimeoutMinutes: 7"
    );
}

#[test]
fn a_prefix_of_unknown_size_makes_the_number_unknown() {
    let body = r#""networkProfile": {"networkPlugin": "kubenet", "outboundType": "loadBalancer", "loadBalancerProfile": {"allocatedOutboundPorts": 8, "outboundIPPrefixes": {"publicIPPrefixes": [{"id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/publicIPPrefixes/p"}]}}}"#;
    assert_eq!(field(body, "outbound"), "type: loadBalancer ipsKnown: false portsPerNode: 8");
    assert_eq!(
        notes(body),
        [
            "how many addresses the prefix `p` gives to the cluster `c` is not known: give `az network public-ip prefix show`"
        ]
    );
}

#[test]
fn where_the_cluster_says_nothing_its_load_balancer_does() {
    let cluster = r#"{"id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c", "location": "West Europe",
        "networkProfile": {"networkPlugin": "kubenet", "outboundType": "loadBalancer"}}"#;
    let group = "/subscriptions/s/resourceGroups/MC_g_c_westeurope/providers/Microsoft.Network";
    let balancer = format!(
        r#"{{"id": "{group}/loadBalancers/kubernetes", "properties": {{
            "frontendIPConfigurations": [
                {{"id": "{group}/loadBalancers/kubernetes/frontendIPConfigurations/out", "properties": {{"publicIPAddress": {{"id": "{group}/publicIPAddresses/o"}}}}}},
                {{"id": "{group}/loadBalancers/kubernetes/frontendIPConfigurations/in", "properties": {{"publicIPAddress": {{"id": "{group}/publicIPAddresses/i"}}}}}}],
            "outboundRules": [{{"name": "aksOutboundRule", "properties": {{"allocatedOutboundPorts": 1024, "idleTimeoutInMinutes": 30, "frontendIPConfigurations": [{{"id": "{group}/loadBalancers/kubernetes/frontendIPConfigurations/out"}}]}}}}]}}}}"#
    );
    let translated = translated(&[cluster, &balancer]);
    let expected = "    outbound:\n      type: loadBalancer\n      ips: 1\n      portsPerNode: 1024\n      idleTimeoutMinutes: 30\n";
    assert!(translated.yaml.contains(expected), "{}", translated.yaml);
}

#[test]
fn the_api_server_is_public_unless_it_says_otherwise() {
    let api = |profile: &str| {
        field(
            &format!(r#""networkProfile": {{"networkPlugin": "kubenet"}}, "apiServerAccessProfile": {profile}"#),
            "apiServer",
        )
    };
    assert_eq!(api("null"), "public");
    assert_eq!(api(r#"{"authorizedIPRanges": ["192.0.2.1/32"]}"#), "access: public authorizedRanges: [192.0.2.1/32]");
    assert_eq!(
        api(r#"{"enablePrivateCluster": true, "privateDNSZone": "System"}"#),
        "access: private privateDnsZone: system"
    );
    assert_eq!(
        api(r#"{"enablePrivateCluster": true, "privateDNSZone": "none"}"#),
        "access: private privateDnsZone: none"
    );
    let subnet =
        r#""subnetId": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/api""#;
    assert_eq!(
        api(&format!(r#"{{"enableVnetIntegration": true, {subnet}}}"#)),
        "access: vnetIntegration subnet: v/api public: true"
    );
    assert_eq!(
        api(&format!(r#"{{"enableVnetIntegration": true, "enablePrivateCluster": true, {subnet}}}"#)),
        "access: vnetIntegration subnet: v/api public: false"
    );
}

#[test]
fn the_rest_of_a_cluster() {
    let whole = r#""location": "westeurope", "sku": {"name": "Automatic", "tier": "Standard"}, "properties": {
        "kubernetesVersion": "1.34", "currentKubernetesVersion": "1.34.1",
        "nodeProvisioningProfile": {"mode": "Auto"},
        "addonProfiles": {"httpApplicationRouting": {"enabled": true}},
        "networkProfile": {"networkPlugin": "azure", "networkPluginMode": "overlay", "networkDataplane": "cilium", "loadBalancerSku": "Basic",
            "kubeProxyConfig": {"enabled": true, "mode": "IPVS"}, "advancedNetworking": {"enabled": true, "performance": {"accelerationMode": "BpfVeth"}}},
        "agentPoolProfiles": [{"name": "a", "count": 1, "localDNSProfile": {"mode": "Required"}}]}"#;
    let expected = "location: westeurope\nmode: overlay\nversion: 1.34.1\ndataplane: cilium\nebpfHostRouting: true\nnetworkPolicy: cilium\n\
        apiServer: public\nkubeProxy: ipvs\npools:\n  a:\n    nodes: 1\ntier: standard\nlocalDns: true\nnodeAutoProvisioning: true\n\
        automatic: true\nloadBalancerSku: basic\nhttpApplicationRouting: true";
    assert_eq!(cluster(whole), (expected.to_owned(), Vec::new()));
}

#[test]
fn ingress_controllers_of_the_cluster() {
    let ingress =
        |body: &str| field(&format!(r#""networkProfile": {{"networkPlugin": "kubenet"}}, {body}"#), "ingress");
    assert_eq!(ingress(r#""ingressProfile": {"webAppRouting": {"enabled": true}}"#), "- kind: nginx exposure: public");
    assert_eq!(ingress(r#""ingressProfile": {"webAppRouting": {"enabled": false}}"#), "");
    assert_eq!(
        ingress(
            r#""ingressProfile": {"webAppRouting": {"enabled": true, "nginx": {"defaultIngressControllerType": "None"}}}"#
        ),
        ""
    );
    assert_eq!(
        ingress(r#""ingressProfile": {"applicationLoadBalancer": {"enabled": true}}"#),
        "- kind: applicationGatewayForContainers"
    );
    let mesh = r#""serviceMeshProfile": {"mode": "Istio", "istio": {"components": {"ingressGateways": [{"enabled": true, "mode": "Internal"}, {"enabled": false, "mode": "External"}]}}}"#;
    assert_eq!(ingress(mesh), "- kind: istio exposure: internal");
}

#[test]
fn the_application_gateway_tells_its_subnet_address_and_ports() {
    let cluster = r#"{"id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c", "networkProfile": {"networkPlugin": "kubenet"},
        "addonProfiles": {"ingressApplicationGateway": {"enabled": true, "config": {"effectiveApplicationGatewayId": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/applicationGateways/gw"}}}}"#;
    let gateway = r#"{"id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/applicationGateways/gw", "properties": {
        "gatewayIPConfigurations": [{"properties": {"subnet": {"id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/gw"}}}],
        "frontendIPConfigurations": [{"properties": {"privateIPAddress": "10.0.5.9"}}],
        "frontendPorts": [{"properties": {"port": 80}}, {"properties": {"port": 443}}]}}"#;
    let translated = translated(&[cluster, gateway]);
    let expected = "    ingress:\n      - kind: applicationGateway\n        exposure: internal\n        subnet: v/gw\n        ip: 10.0.5.9\n        ports: [80, 443]\n";
    assert!(translated.yaml.ends_with(expected), "{}", translated.yaml);
}

#[test]
fn gateways_for_containers_belong_to_the_cluster_in_their_network() {
    let subnet = |name: &str| super::id("g", &format!("virtualNetworks/v/subnets/{name}"));
    let cluster = |name: &str| {
        format!(
            r#"{{"id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/{name}", "networkProfile": {{"networkPlugin": "kubenet"}},
            "agentPoolProfiles": [{{"name": "a", "vnetSubnetId": "{}"}}]}}"#,
            subnet("nodes")
        )
    };
    let association = format!(
        r#"{{"id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.ServiceNetworking/trafficControllers/t/associations/x", "properties": {{"associationType": "subnets", "subnet": {{"id": "{}"}}}}}}"#,
        subnet("alb")
    );
    let one = translated(&[&cluster("c"), &association]).yaml;
    assert!(
        one.contains("    ingress:\n      - kind: applicationGatewayForContainers\n        subnet: v/alb\n"),
        "{one}"
    );
    let two = translated(&[&cluster("c"), &cluster("d"), &association]);
    assert!(!two.yaml.contains("ingress"), "{}", two.yaml);
    assert!(
        two.notes
            .iter()
            .any(|note| note
                .ends_with("which cluster the Application Gateway for Containers at `alb` serves is not known")),
        "{:?}",
        two.notes
    );
}

#[test]
fn bare_parts_join_the_only_cluster_or_become_one() {
    let profile = r#"{"networkPlugin": "kubenet", "podCidr": "10.244.0.0/16", "serviceCidr": "10.0.0.0/16", "dnsServiceIP": "10.0.0.10", "outboundType": "loadBalancer"}"#;
    let pools = r#"[{"name": "a", "count": 2, "maxPods": 110, "osType": "Linux", "vmSize": "x"}]"#;
    let named = r#"[{"id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/prod/agentPools/b", "name": "b", "count": 1}]"#;
    let bare = translated(&[profile, pools]).yaml;
    assert!(bare.starts_with("clusters:\n  cluster:\n    mode: kubenet\n"), "{bare}");
    assert!(bare.contains("      a:\n        nodes: 2\n"), "{bare}");
    let joined = translated(&[pools, named, profile]).yaml;
    assert!(joined.starts_with("clusters:\n  prod:\n    mode: kubenet\n"), "{joined}");
    assert!(
        joined.contains("      a:\n        nodes: 2\n") && joined.contains("      b:\n        nodes: 1\n"),
        "{joined}"
    );
    let two = translated(&[profile, profile]).yaml;
    assert!(two.contains("  cluster:\n") && two.contains("  cluster-2:\n"), "{two}");
    assert_eq!(errors(&[pools, named, profile]), [""; 0]);
}

#[test]
fn pools_of_availability_sets_are_told_from_scale_sets() {
    let pool = |kind: &str| field(&format!(r#""agentPoolProfiles": [{{"name": "a", {kind}}}]"#), "pools");
    assert!(pool(r#""type": "AvailabilitySet""#).contains("availabilitySet: true"));
    assert!(pool(r#""typePropertiesType": "AvailabilitySet""#).contains("availabilitySet: true"));
    assert!(!pool(r#""type": "VirtualMachineScaleSets""#).contains("availabilitySet"));
}

#[test]
fn add_ons_that_limit_a_cluster_are_read() {
    let subnet = super::id("g", "virtualNetworks/v/subnets/nodes");
    let pools = format!(r#""agentPoolProfiles": [{{"name": "a", "count": 1, "vnetSubnetId": "{subnet}"}}]"#);
    let nodes =
        |addon: &str| field(&format!(r#"{pools}, "addonProfiles": {{"aciConnectorLinux": {addon}}}"#), "virtualNodes");
    assert_eq!(nodes(r#"{"enabled": true, "config": {"SubnetName": "aci"}}"#), "subnet: v/aci");
    assert_eq!(nodes(r#"{"enabled": false, "config": {"SubnetName": "aci"}}"#), "");
    let gateway = |text: &str| field(text, "staticEgressGateway");
    assert_eq!(gateway(r#""networkProfile": {"staticEgressGatewayProfile": {"enabled": true}}"#), "true");
    assert_eq!(gateway(r#""agentPoolProfiles": [{"name": "a", "mode": "Gateway"}]"#), "true");
    assert_eq!(gateway(r#""networkProfile": {"staticEgressGatewayProfile": {"enabled": false}}"#), "");
}

#[test]
fn a_pool_without_a_pod_subnet_among_others_has_no_mode_of_its_own() {
    let body = format!(
        r#""networkProfile": {{"networkPlugin": "azure"}}, "agentPoolProfiles": [{{"name": "a", {PODS}}}, {{"name": "b"}}]"#
    );
    assert_eq!(field(&body, "mode"), "podSubnet");
    assert_eq!(field(&body, "pools"), "a: podSubnet: v/pods b: {}");
}

#[test]
fn the_second_azure_linux_is_told_by_its_image() {
    let pool = |image: &str, sku: &str| {
        let body =
            format!(r#""agentPoolProfiles": [{{"name": "a", "osSKU": "{sku}", "nodeImageVersion": "{image}"}}]"#);
        field(&body, "pools")
    };
    assert_eq!(pool("AKSAzureLinux-V2gen2-202509.1.0", "AzureLinux"), "a: osSku: AzureLinux2");
    assert_eq!(pool("AKSAzureLinux-V3gen2-202509.1.0", "AzureLinux"), "a: osSku: AzureLinux");
    assert_eq!(pool("AKSUbuntu-2204gen2containerd-202509.1.0", "Ubuntu"), "a: osSku: Ubuntu");
    let mesh =
        |on: &str| field(&format!(r#""addonProfiles": {{"openServiceMesh": {{"enabled": {on}}}}}"#), "openServiceMesh");
    assert_eq!((mesh("true").as_str(), mesh("false").as_str()), ("true", ""));
}

#[test]
fn what_is_stated_and_not_known_is_not_called_unstated() {
    let found = |outbound: &str, surge: &str| {
        let id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c";
        let text = format!(
            r#"{{"id": "{id}", "name": "c", "networkProfile": {{"networkPlugin": "kubenet", {outbound}}},
                "agentPoolProfiles": [{{"name": "a", "upgradeSettings": {{{surge}}}}}]}}"#
        );
        let found = translated(&[&text]).findings;
        found.iter().map(|one| format!("{:?} {} {}", one.severity, one.code, one.object)).collect::<Vec<_>>()
    };
    assert_eq!(
        found(r#""outboundType": "quantum""#, r#""maxSurge": "abc""#),
        [
            "Warning max-surge-not-set clusters.c.pools.a.maxSurge",
            "Warning outbound-not-explicit clusters.c.outbound.type"
        ]
    );
    assert_eq!(found(r#""outboundType": "none""#, r#""maxSurge": "10%""#), [""; 0]);
    assert_eq!(found(r#""outboundType": null"#, r#""maxSurge": """#), [""; 0]);
}
