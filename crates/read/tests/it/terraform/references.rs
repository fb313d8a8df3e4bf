//! Who refers to whom, where ids are known after apply only.

use super::*;
use causeway_model::finding::Severity;

const SUBNETS: &str = r#"{"mode": "managed", "type": "azurerm_subnet", "name": "this", "expressions": {"name": {"references": ["each.key"]},
    "virtual_network_name": {"references": ["azurerm_virtual_network.v.name", "azurerm_virtual_network.v"]}},
    "for_each_expression": {"references": ["var.subnets"]}}"#;

/// The subnet of a pool whose `vnet_subnet_id` is set by an expression, in a plan with the subnets `a` and `b`.
fn subnet_by(references: &str) -> (String, String) {
    subnet_in(&format!(
        r#"{{"resources": [{SUBNETS}, {{"mode": "managed", "type": "azurerm_kubernetes_cluster_node_pool", "name": "b",
            "for_each_expression": {{"references": ["var.pools"]}},
            "expressions": {{"vnet_subnet_id": {{"references": {references}}},
            "kubernetes_cluster_id": {{"references": ["azurerm_kubernetes_cluster.k.id", "azurerm_kubernetes_cluster.k"]}}}}}}]}}"#
    ))
}

fn subnet_in(configuration: &str) -> (String, String) {
    let resource = |address: &str, kind: &str, name: &str, key: &str, values: &str| {
        format!(
            r#"{{"address": "{address}", "mode": "managed", "type": "{kind}", "name": "{name}", {key} "values": {values}}}"#
        )
    };
    let subnet = |key: &str| {
        let values = format!(
            r#"{{"name": "snet-{key}", "resource_group_name": "rg", "virtual_network_name": "v", "address_prefixes": ["10.0.{}.0/24"]}}"#,
            key.len()
        );
        resource(
            &format!(r#"azurerm_subnet.this[\"{key}\"]"#),
            "azurerm_subnet",
            "this",
            &format!(r#""index": "{key}","#),
            &values,
        )
    };
    let network = r#"{"name": "v", "resource_group_name": "rg", "address_space": ["10.0.0.0/16"]}"#;
    let cluster = r#"{"name": "k", "resource_group_name": "rg", "default_node_pool": [], "network_profile": [{"network_plugin": "azure", "network_plugin_mode": "overlay"}]}"#;
    let pool = r#"{"name": "pool", "node_count": 1, "mode": "System"}"#;
    let address = r#"azurerm_kubernetes_cluster_node_pool.b[\"a\"]"#;
    let kind = "azurerm_kubernetes_cluster_node_pool";
    let plan = format!(
        r#"{{"format_version": "1.2", "variables": {{"pools": {{"value": {{"a": {{"subnet": "bb"}}}}}}}},
            "planned_values": {{"root_module": {{"resources": [{}, {}, {}, {}, {}]}}}},
            "resource_changes": [{{"address": "{address}", "mode": "managed", "type": "{kind}", "name": "b", "index": "a",
                "change": {{"actions": ["create"], "before": null, "after": {pool},
                    "after_unknown": {{"id": true, "vnet_subnet_id": true, "kubernetes_cluster_id": true}}}}}}],
            "configuration": {{"root_module": {configuration}}}}}"#,
        resource("azurerm_virtual_network.v", "azurerm_virtual_network", "v", "", network),
        subnet("a"),
        subnet("bb"),
        resource("azurerm_kubernetes_cluster.k", "azurerm_kubernetes_cluster", "k", "", cluster),
        resource(address, kind, "b", r#""index": "a","#, pool),
    );
    let loaded = loaded(&[("plan.json", &plan)]);
    let read = loaded.outcome.unwrap();
    let pools = read.tree.get("clusters").unwrap().get("k").unwrap().get("pools").unwrap();
    let subnet = pools.get("pool").unwrap().get("subnet").unwrap().text().unwrap().to_owned();
    let notes = read.design.notes.iter().map(|note| note.message.as_str()).collect::<Vec<_>>().join("\n");
    (subnet, notes)
}

#[test]
fn keys_lead_to_one_of_several() {
    for (references, expected) in [
        (r#"["azurerm_subnet.this[\"bb\"].id", "azurerm_subnet.this[\"bb\"]", "azurerm_subnet.this"]"#, "v/snet-bb"),
        (r#"["azurerm_subnet.this", "each.key"]"#, "v/snet-a"),
        (r#"["azurerm_subnet.this", "each.value.subnet", "each.value"]"#, "v/snet-bb"),
        (
            r#"["local.create", "azurerm_subnet.this[\"a\"].id", "azurerm_subnet.this[\"a\"]", "azurerm_subnet.this"]"#,
            "v/snet-a",
        ),
    ] {
        let (subnet, notes) = subnet_by(references);
        assert_eq!((subnet.as_str(), notes.as_str()), (expected, ""), "{references}");
    }
}

#[test]
fn what_can_not_be_told_is_not_guessed() {
    for references in [
        r#"["azurerm_subnet.this"]"#,
        r#"["azurerm_subnet.this[\"c\"].id", "azurerm_subnet.this[\"c\"]", "azurerm_subnet.this"]"#,
        r#"["local.subnet_id"]"#,
        r#"["local.subnets[\"c\"].id", "local.subnets[\"c\"]", "local.subnets"]"#,
        r#"["var.subnet_id"]"#,
        r#"["azurerm_subnet.other.id", "azurerm_subnet.other"]"#,
        "[]",
    ] {
        let (subnet, notes) = subnet_by(references);
        assert!(subnet.starts_with("unknown/"), "{references}: {subnet}");
        assert!(notes.contains("`vnetSubnetID` of `pool` is not known"), "{references}: {notes}");
    }
}

#[test]
fn a_local_that_is_asked_for_a_name_is_taken_for_it_and_that_is_said() {
    for references in [
        r#"["local.subnets[\"bb\"].id", "local.subnets[\"bb\"]", "local.subnets"]"#,
        r#"["local.subnets[\"snet-bb\"].id", "local.subnets[\"snet-bb\"]", "local.subnets"]"#,
    ] {
        let (subnet, notes) = subnet_by(references);
        assert_eq!(subnet, "v/snet-bb");
        assert_eq!(
            notes,
            "where `vnet_subnet_id` of `azurerm_kubernetes_cluster_node_pool.b[\"a\"]` comes from is not in the plan: it is taken for `azurerm_subnet.this[\"bb\"]`, by its name"
        );
    }
}

#[test]
fn without_a_configuration_only_what_must_be_is_concluded() {
    let (subnet, notes) = subnet_in("{}");
    assert!(subnet.starts_with("unknown/"), "{subnet}");
    // There is one cluster it can be of, and that is said.
    assert!(notes.contains("it is taken for `azurerm_kubernetes_cluster.k`, the only one there is"), "{notes}");
}

/// A plan of a network with one subnet in it, and of what refers to it.
fn notes_of(objects: &[Object], configuration: &str) -> (Node, Vec<String>) {
    let plan = plan(objects, configuration);
    let read = loaded(&[("plan.json", &plan)]).outcome.unwrap();
    (read.tree, read.design.notes.into_iter().map(|note| note.message).collect())
}

#[test]
fn the_only_subnet_inside_a_network_is_found() {
    let (tree, notes) = notes_of(
        &[
            (
                "azurerm_virtual_network",
                "v",
                None,
                Some(
                    r#"{"name": "v", "resource_group_name": "rg", "address_space": ["10.0.0.0/16"],
                    "subnet": [{"name": "n", "address_prefixes": ["10.0.0.0/24"], "security_group": ""}]}"#,
                ),
                r#"{"id": true, "subnet": [{"id": true, "address_prefixes": [false]}]}"#,
            ),
            (
                "azurerm_private_endpoint",
                "e",
                None,
                Some(
                    r#"{"name": "e", "resource_group_name": "rg", "ip_configuration": [{"name": "one", "private_ip_address": "10.0.0.9"}]}"#,
                ),
                r#"{"id": true, "subnet_id": true, "ip_configuration": [{}]}"#,
            ),
        ],
        r#"{"resources": [{"mode": "managed", "type": "azurerm_private_endpoint", "name": "e", "expressions":
            {"subnet_id": {"references": ["azurerm_virtual_network.v.subnet", "azurerm_virtual_network.v"]}}}]}"#,
    );
    assert_eq!(notes, [""; 0]);
    let endpoint = tree.get("privateEndpoints").unwrap().get("e").unwrap();
    assert_eq!(endpoint.get("subnet").and_then(Node::text), Some("v/n"));
}

#[test]
fn objects_of_one_name_are_told_apart_by_where_they_come_from() {
    let network = r#"{"name": "hub", "resource_group_name": "rg", "address_space": ["10.0.0.0/16"]}"#;
    let subnet = r#"{"name": "n", "resource_group_name": "rg", "virtual_network_name": "hub", "address_prefixes": ["10.0.0.0/24"]}"#;
    let (tree, notes) = notes_of(
        &[
            ("azurerm_virtual_network", "east", None, Some(network), r#"{"id": true}"#),
            ("azurerm_virtual_network", "west", None, Some(network), r#"{"id": true}"#),
            ("azurerm_subnet", "west", None, Some(subnet), r#"{"id": true}"#),
        ],
        r#"{"resources": [{"mode": "managed", "type": "azurerm_subnet", "name": "west", "expressions":
            {"virtual_network_name": {"references": ["azurerm_virtual_network.west.name", "azurerm_virtual_network.west"]}}}]}"#,
    );
    let networks = tree.get("networks").unwrap();
    assert_eq!(networks.entries().len(), 2);
    let with = networks.entries().iter().find(|network| network.node.get("subnets").is_some()).unwrap();
    assert!(with.key.contains("west"), "{}", with.key);
    assert_eq!(notes.len(), 1, "{notes:?}");
}

#[test]
fn names_that_are_known_later_still_hold_objects_together() {
    let (tree, notes) = notes_of(
        &[
            (
                "azurerm_resource_group",
                "rg",
                None,
                Some(r#"{"location": "westeurope"}"#),
                r#"{"id": true, "name": true}"#,
            ),
            (
                "azurerm_virtual_network",
                "v",
                None,
                Some(r#"{"address_space": ["10.0.0.0/16"]}"#),
                r#"{"id": true, "name": true, "resource_group_name": true}"#,
            ),
            (
                "azurerm_subnet",
                "n",
                None,
                Some(r#"{"name": "nodes", "address_prefixes": ["10.0.0.0/24"]}"#),
                r#"{"id": true, "virtual_network_name": true, "resource_group_name": true}"#,
            ),
        ],
        r#"{"resources": [{"mode": "managed", "type": "azurerm_subnet", "name": "n", "expressions":
            {"virtual_network_name": {"references": ["azurerm_virtual_network.v.name", "azurerm_virtual_network.v"]}}},
            {"mode": "managed", "type": "azurerm_virtual_network", "name": "v", "expressions":
            {"name": {"references": ["random_pet.v.id", "random_pet.v"]}, "resource_group_name": {"references": ["azurerm_resource_group.rg.name", "azurerm_resource_group.rg"]}}}]}"#,
    );
    let network = tree.get("networks").unwrap().get("v").unwrap();
    assert_eq!(
        network.get("subnets").unwrap().get("nodes").unwrap().get("prefix").and_then(Node::text),
        Some("10.0.0.0/24")
    );
    assert!(notes.contains(&"`name` of `v` is not known before the change is made".to_owned()), "{notes:?}");
}

#[test]
fn addresses_that_are_not_known_are_counted() {
    let address = |name: &str| format!(r#"{{"name": "{name}", "resource_group_name": "rg", "ip_version": "IPv4"}}"#);
    let (tree, _) = notes_of(
        &[
            ("azurerm_public_ip", "a", None, Some(&address("a")), r#"{"id": true, "ip_address": true}"#),
            ("azurerm_public_ip", "b", None, Some(&address("b")), r#"{"id": true, "ip_address": true}"#),
            (
                "azurerm_kubernetes_cluster",
                "k",
                None,
                Some(
                    r#"{"name": "k", "resource_group_name": "rg", "default_node_pool": [{"name": "system", "node_count": 1}], "network_profile":
                    [{"network_plugin": "azure", "network_plugin_mode": "overlay", "outbound_type": "loadBalancer", "load_balancer_profile":
                    [{"outbound_ports_allocated": 1024}]}]}"#,
                ),
                r#"{"id": true, "network_profile": [{"load_balancer_profile": [{"outbound_ip_address_ids": true, "managed_outbound_ip_count": true}]}]}"#,
            ),
        ],
        r#"{"resources": [{"mode": "managed", "type": "azurerm_kubernetes_cluster", "name": "k", "expressions": {"network_profile":
            [{"load_balancer_profile": [{"outbound_ports_allocated": {"constant_value": 1024}, "outbound_ip_address_ids":
            {"references": ["azurerm_public_ip.a.id", "azurerm_public_ip.a", "azurerm_public_ip.b.id", "azurerm_public_ip.b"]}}]}]}}]}"#,
    );
    let outbound = tree.get("clusters").unwrap().get("k").unwrap().get("outbound").unwrap();
    assert_eq!(outbound.get("ips").and_then(Node::text), Some("2"));
    assert_eq!(outbound.get("portsPerNode").and_then(Node::text), Some("1024"));
}

#[test]
fn what_only_the_configuration_holds_is_found_there() {
    let (tree, notes) = notes_of(
        &[
            (
                "azurerm_virtual_network",
                "v",
                None,
                Some(r#"{"name": "v", "resource_group_name": "rg", "address_space": ["10.0.0.0/16"]}"#),
                r#"{"id": true}"#,
            ),
            (
                "azurerm_subnet",
                "n",
                None,
                Some(
                    r#"{"name": "n", "resource_group_name": "rg", "virtual_network_name": "v", "address_prefixes": ["10.0.0.0/24"],
                    "route_table_id_wo": null, "network_security_group_id_wo": null}"#,
                ),
                r#"{"id": true, "route_table_id": true, "network_security_group_id": true}"#,
            ),
            (
                "azurerm_route_table",
                "r",
                None,
                Some(r#"{"name": "r", "resource_group_name": "rg", "route": []}"#),
                r#"{"id": true}"#,
            ),
        ],
        r#"{"resources": [{"mode": "managed", "type": "azurerm_subnet", "name": "n", "expressions": {
            "route_table_id_wo": {"references": ["azurerm_route_table.r.id", "azurerm_route_table.r"]}}}]}"#,
    );
    let subnet = tree.get("networks").unwrap().get("v").unwrap().get("subnets").unwrap().get("n").unwrap();
    assert_eq!(subnet.get("routeTable").and_then(Node::text), Some("r"));
    assert!(subnet.get("nsg").is_none());
    assert_eq!(notes, [""; 0]);
}

#[test]
fn values_that_must_not_be_shown_are_not_read() {
    let values = r#"{"name": "v", "resource_group_name": "rg", "address_space": ["10.77.0.0/16"]}"#;
    let text = plan(&[("azurerm_virtual_network", "v", None, Some(values), r#"{"id": true}"#)], "{}")
        .replace(r#""after_unknown""#, r#""after_sensitive": {"address_space": [true]}, "after_unknown""#);
    let said = read(&[("plan.json", &text)]);
    assert!(!said.contains("10.77"), "{said}");
    assert!(said.contains("`address_space` of `azurerm_virtual_network.v` is sensitive"), "{said}");
}

#[test]
fn addresses_of_rules_that_are_not_known_stay_in_the_rule() {
    let (tree, _) = notes_of(
        &[(
            "azurerm_network_security_group",
            "g",
            None,
            Some(
                r#"{"name": "g", "resource_group_name": "rg", "security_rule": [{"name": "in", "priority": 100, "direction": "Inbound",
                "access": "Allow", "protocol": "Tcp", "source_address_prefixes": null, "source_port_range": "*",
                "destination_address_prefixes": ["10.0.0.0/24", null], "destination_port_range": "443"}]}"#,
            ),
            r#"{"id": true, "security_rule": [{"source_address_prefix": true, "destination_address_prefixes": [false, true]}]}"#,
        )],
        r#"{"resources": [{"mode": "managed", "type": "azurerm_network_security_group", "name": "g", "expressions": {"security_rule":
            [{"name": {"constant_value": "in"}, "source_address_prefix": {"references": ["azurerm_public_ip.x.ip_address", "azurerm_public_ip.x"]}}]}}]}"#,
    );
    let rules = tree.get("networkSecurityGroups").unwrap().get("g").unwrap().get("rules").unwrap();
    assert_eq!(rules.items()[0].get("source").and_then(Node::text), Some("unknown"));
    let destination: Vec<_> =
        rules.items()[0].get("destination").unwrap().items().iter().filter_map(Node::text).collect();
    assert_eq!(destination, ["10.0.0.0/24", "unknown"]);
}

#[test]
fn kubernetes_objects_of_a_plan_belong_to_its_only_cluster() {
    let cluster = r#"{"name": "k", "resource_group_name": "rg", "default_node_pool": [{"name": "system", "node_count": 1}],
        "network_profile": [{"network_plugin": "azure", "network_plugin_mode": "overlay"}]}"#;
    let files = r#"{"metadata": [{"name": "azure-ip-masq-agent-config", "namespace": "kube-system"}],
        "data": {"ip-masq-agent": "nonMasqueradeCIDRs: [10.0.0.0/8]\n"}}"#;
    let one = ("azurerm_kubernetes_cluster", "k", None, Some(cluster), r#"{"id": true}"#);
    let config = ("kubernetes_config_map_v1", "masq", None, Some(files), r#"{"id": true}"#);
    let (tree, _) = notes_of(&[one, config], "{}");
    let cluster = tree.get("clusters").unwrap().get("k").unwrap();
    assert!(to_yaml(cluster).contains("10.0.0.0/8"), "{}", to_yaml(cluster));
    let other = cluster_named_twice(one.3.unwrap());
    let (tree, notes) =
        notes_of(&[one, ("azurerm_kubernetes_cluster", "m", None, Some(&other), r#"{"id": true}"#), config], "{}");
    assert_eq!(tree.get("clusters").unwrap().entries().len(), 2);
    assert!(notes.iter().any(|note| note.starts_with("1 Kubernetes objects of a plan with 2 clusters")), "{notes:?}");
}

fn cluster_named_twice(values: &str) -> String {
    values.replace(r#""name": "k""#, r#""name": "m""#)
}

#[test]
fn attributes_of_newer_providers_are_said() {
    let values = r#"{"name": "n", "resource_group_name": "rg", "virtual_network_name": "v", "address_prefixes": ["10.0.0.0/24"],
        "service_gateway_id": "x", "unused_feature_enabled": false}"#;
    let (_, notes) = notes_of(&[("azurerm_subnet", "n", None, Some(values), r#"{"id": true}"#)], "{}");
    assert!(
        notes.contains(
            &"`service_gateway_id` of one object of type `azurerm_subnet`: this version does not know it".to_owned()
        ),
        "{notes:?}"
    );
    assert!(!notes.iter().any(|note| note.contains("unused_feature")), "{notes:?}");
}

#[test]
fn data_sources_that_are_read_later_still_name_what_they_read() {
    let values = r#"{"name": "nodes", "resource_group_name": "rg", "virtual_network_name": "v"}"#;
    let network = r#"{"id": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v", "name": "v",
        "resource_group_name": "rg", "address_space": ["10.0.0.0/16"]}"#;
    let pool = r#"{"name": "k", "resource_group_name": "rg", "default_node_pool": [{"name": "system", "node_count": 1}],
        "network_profile": [{"network_plugin": "azure", "network_plugin_mode": "overlay"}]}"#;
    let text = plan(
        &[
            ("azurerm_virtual_network", "v", Some(network), Some(network), "{}"),
            (
                "azurerm_kubernetes_cluster",
                "k",
                None,
                Some(pool),
                r#"{"id": true, "default_node_pool": [{"vnet_subnet_id": true}]}"#,
            ),
        ],
        r#"{"resources": [{"mode": "managed", "type": "azurerm_kubernetes_cluster", "name": "k", "expressions": {"default_node_pool":
            [{"vnet_subnet_id": {"references": ["data.azurerm_subnet.n.id", "data.azurerm_subnet.n"]}}]}}]}"#,
    );
    let later = format!(
        r#""resource_changes": [{{"address": "data.azurerm_subnet.n", "mode": "data", "type": "azurerm_subnet", "name": "n",
            "change": {{"actions": ["read"], "before": null, "after": {values},
            "after_unknown": {{"id": true, "address_prefixes": true, "route_table_id": true}}}}}},"#
    );
    let text = text.replace(r#""resource_changes": ["#, &later);
    let read = loaded(&[("plan.json", &text)]).outcome.unwrap();
    let pool = read.tree.get("clusters").unwrap().get("k").unwrap().get("pools").unwrap().get("system").unwrap();
    assert_eq!(pool.get("subnet").and_then(Node::text), Some("v/nodes"));
    let notes: Vec<_> = read.design.notes.iter().map(|note| note.message.as_str()).collect();
    assert!(notes.contains(&"`addressPrefixes` of `nodes` is not known before the change is made"), "{notes:?}");
    assert!(notes.contains(&"`routeTable` of `nodes` is not known before the change is made"), "{notes:?}");
}

#[test]
fn a_data_source_of_a_cluster_does_not_say_where_its_pods_are() {
    let values = r#"{"id": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/k", "name": "k",
        "resource_group_name": "rg", "kubernetes_version": "1.33.1", "private_cluster_enabled": false,
        "agent_pool_profile": [{"name": "system", "count": 3, "max_pods": 110, "os_type": "Linux", "vnet_subnet_id":
            "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v/subnets/n"}],
        "network_profile": [{"network_plugin": "azure", "service_cidr": "10.1.0.0/16", "dns_service_ip": "10.1.0.10", "pod_cidr": ""}]}"#;
    let text = format!(
        r#"{{"format_version": "1.0", "values": {{"root_module": {{"resources": [{{"address": "data.azurerm_kubernetes_cluster.k",
            "mode": "data", "type": "azurerm_kubernetes_cluster", "name": "k", "values": {values}}}]}}}}}}"#
    );
    let read = loaded(&[("state.json", &text)]).outcome.unwrap();
    let cluster = read.tree.get("clusters").unwrap().get("k").unwrap();
    assert!(cluster.get("mode").is_none(), "{}", to_yaml(cluster));
    assert_eq!(cluster.get("serviceCidr").and_then(Node::text), Some("10.1.0.0/16"));
    let pool = cluster.get("pools").unwrap().get("system").unwrap();
    assert_eq!(pool.get("subnet").and_then(Node::text), Some("v/n"));
}

/// The platform takes overlay where no plugin is named, and that is said; where one is named, or the provider can't tell, nothing is
/// taken for granted.
#[test]
fn a_cluster_without_a_network_profile_has_the_platforms_default() {
    let with = |profile: &str| {
        let cluster = format!(
            r#"{{"name": "k", "resource_group_name": "rg", "default_node_pool": [{{"name": "a", "node_count": 1, "type": "VirtualMachineScaleSets"}}]{profile}}}"#
        );
        let plan = plan(
            &[("azurerm_kubernetes_cluster", "k", None, Some(&cluster), r#"{"id": true, "network_profile": true}"#)],
            "{}",
        );
        let text = read(&[("plan.json", &plan)]);
        let findings = loaded(&[("plan.json", &plan)]).outcome.unwrap().design.findings;
        let warned = findings
            .iter()
            .any(|finding| finding.severity == Severity::Warning && finding.message.contains("overlay is assumed"));
        (text.contains("mode: overlay"), warned, text.contains("availabilitySet"))
    };
    assert_eq!(with(""), (true, true, false));
    assert_eq!(with(r#", "network_profile": [{"network_plugin": "kubenet"}]"#), (false, false, false));
}

/// A cluster of which only the name is known is no input without a cluster.
#[test]
fn clusters_that_nothing_is_known_of_are_named() {
    let cluster = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/k";
    // With nothing but such a cluster there is no design at all, which is an error of its own.
    let network = r#"{"id": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v", "name": "v",
        "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": []}"#;
    let named = |files: &[(&str, &str)]| {
        let files: Vec<(&str, &str)> = files.iter().copied().chain([("network.json", network)]).collect();
        let findings = loaded(&files).outcome.unwrap().design.findings;
        let named = findings.iter().filter(|finding| finding.code == causeway_model::codes::NOTHING_TO_CHECK);
        named.map(|finding| (finding.severity, finding.object.clone())).collect::<Vec<_>>()
    };
    let body = |kind: &str, unknown: &str, body: &str| {
        let values =
            format!(r#"{{"name": "k", "parent_id": "/subscriptions/s/resourceGroups/rg", "type": "{kind}"{body}}}"#);
        plan(&[("azapi_resource", "k", None, Some(&values), unknown)], "{}")
    };
    let kind = "Microsoft.ContainerService/managedClusters@2025-05-01";
    let missed = [(Severity::Warning, "clusters.k".to_owned())];
    let unknown = body(kind, r#"{"id": true, "body": true}"#, "");
    assert_eq!(named(&[("plan.json", &unknown)]), missed);
    let other = body("Microsoft.Network/routeTables@2024-05-01", r#"{"id": true, "body": true}"#, "");
    assert_eq!(named(&[("plan.json", &other)]), []);
    let known =
        body(kind, r#"{"id": true}"#, r#", "body": {"properties": {"networkProfile": {"networkPlugin": "kubenet"}}}"#);
    assert_eq!(named(&[("plan.json", &known)]), []);
    let export = format!(r#"{{"id": "{cluster}", "name": "k", "networkProfile": {{"networkPlugin": "kubenet"}}}}"#);
    assert_eq!(named(&[("plan.json", &unknown), ("export.json", &export)]), []);
    for change in ["Unsupported", "Deploy", "Ignore"] {
        let result = format!(
            r#"{{"status": "Succeeded", "changes": [{{"resourceId": "{cluster}", "changeType": "{change}", "before": null, "after": null}}]}}"#
        );
        assert_eq!(named(&[("result.json", &result)]), missed, "{change}");
        assert_eq!(named(&[("result.json", &result), ("export.json", &export)]), [], "{change}");
    }
}

/// A data source has one list of the prefixes of all its peers.
#[test]
fn peers_of_a_data_source_have_its_prefixes() {
    let id =
        |name: &str| format!("/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/{name}");
    let state = |peers: &str, addresses: &str| {
        format!(
            r#"{{"format_version": "1.0", "values": {{"root_module": {{"resources": [{{"address": "data.azurerm_virtual_network.v", "mode": "data",
                "type": "azurerm_virtual_network", "name": "v", "values": {{"id": "{}", "name": "v", "resource_group_name": "rg",
                "address_space": ["10.0.0.0/16"], "vnet_peerings": {peers}, "vnet_peerings_addresses": {addresses}}}}}]}}}}}}"#,
            id("v")
        )
    };
    let prefixes = |files: &[(&str, &str)], name: &str| {
        let tree = tree(files);
        let list = tree.get("networks").unwrap().get(name).and_then(|network| network.get("prefixes").cloned());
        list.map(|list| list.items().iter().filter_map(Node::text).map(str::to_owned).collect::<Vec<_>>())
            .unwrap_or_default()
    };
    let one = state(&format!(r#"{{"to-hub": "{}"}}"#, id("hub")), r#"["10.3.0.0/16", "10.4.0.0/16"]"#);
    assert_eq!(prefixes(&[("state.json", &one)], "hub"), ["10.3.0.0/16", "10.4.0.0/16"]);
    let two = format!(r#"{{"to-hub": "{}", "to-tools": "{}"}}"#, id("hub"), id("tools"));
    let two = state(&two, r#"["10.4.0.0/16", "10.3.0.0/16"]"#);
    let hub = format!(
        r#"{{"id": "{}", "name": "hub", "addressSpace": {{"addressPrefixes": ["10.3.0.0/16"]}}, "subnets": []}}"#,
        id("hub")
    );
    let files = [("state.json", two.as_str()), ("hub.json", hub.as_str())];
    assert_eq!(prefixes(&files, "hub"), ["10.3.0.0/16"]);
    assert_eq!(prefixes(&files, "tools"), ["10.4.0.0/16"]);
    let alone = [("state.json", two.as_str())];
    assert_eq!(prefixes(&alone, "hub"), ["10.4.0.0/16", "10.3.0.0/16"]);
    assert_eq!(prefixes(&alone, "tools"), [""; 0]);
}
