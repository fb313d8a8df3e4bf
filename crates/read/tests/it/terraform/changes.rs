//! What there is and what there will be: what a plan does to objects.

use super::*;

const NETWORK: &str = r#"{"id": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v", "name": "v",
    "resource_group_name": "rg", "location": "westeurope", "address_space": ["10.0.0.0/16"], "dns_servers": [], "subnet": []}"#;

fn names(tree: &Node, section: &str) -> Vec<String> {
    tree.get(section).map_or(&[][..], Node::entries).iter().map(|entry| entry.key.to_string()).collect()
}

fn before(tree: &Node, section: &str) -> Vec<String> {
    tree.get("before").map(|before| names(before, section)).unwrap_or_default()
}

#[test]
fn a_plan_that_changes_nothing_has_no_past() {
    let plan = plan(&[("azurerm_virtual_network", "v", Some(NETWORK), Some(NETWORK), "{}")], "{}");
    let tree = tree(&[("plan.json", &plan)]);
    assert_eq!(names(&tree, "networks"), ["v"]);
    assert!(tree.get("before").is_none());
}

#[test]
fn what_is_removed_is_in_the_past_only() {
    let other = NETWORK.replace("virtualNetworks/v", "virtualNetworks/w").replace(r#""name": "v""#, r#""name": "w""#);
    let plan = plan(
        &[
            ("azurerm_virtual_network", "v", Some(NETWORK), None, "{}"),
            ("azurerm_virtual_network", "w", None, Some(&other), r#"{"guid": true}"#),
        ],
        "{}",
    );
    let tree = tree(&[("plan.json", &plan)]);
    assert_eq!(names(&tree, "networks"), ["w"]);
    assert_eq!(before(&tree, "networks"), ["v"]);
}

/// A plan of one object that is moved, left to others, or only cleaned up.
fn one(actions: &str, before: &str, after: &str, more: &str) -> String {
    format!(
        r#"{{"format_version": "1.2", "planned_values": {{"root_module": {{}}}}, "resource_changes": [
            {{"address": "azurerm_virtual_network.v", {more} "mode": "managed", "type": "azurerm_virtual_network", "name": "v",
              "change": {{"actions": {actions}, "before": {before}, "after": {after}, "after_unknown": {{}}}}}}]}}"#
    )
}

#[test]
fn what_is_left_to_others_stays() {
    let tree = tree(&[("plan.json", &one(r#"["forget"]"#, NETWORK, "null", ""))]);
    assert_eq!(names(&tree, "networks"), ["v"]);
    assert!(tree.get("before").is_none());
}

#[test]
fn what_is_left_of_an_old_replacement_is_nowhere() {
    let text = one(r#"["delete"]"#, NETWORK, "null", r#""deposed": "0a1b2c3d","#);
    let tables = r#"{"root_module": {"resources": [{"address": "azurerm_route_table.r", "mode": "managed",
        "type": "azurerm_route_table", "name": "r", "values": {"name": "r", "resource_group_name": "rg"}}]}}"#;
    let tree = tree(&[("plan.json", &text.replace(r#"{"root_module": {}}"#, tables))]);
    assert_eq!(names(&tree, "networks"), [""; 0]);
    assert_eq!(names(&tree, "routeTables"), ["r"]);
    assert!(tree.get("before").is_none());
}

#[test]
fn the_prior_state_tells_what_a_plan_does_not_touch() {
    let moved = one(r#"["no-op"]"#, NETWORK, NETWORK, r#""previous_address": "azurerm_virtual_network.old","#);
    let resource = |address: &str, mode: &str, kind: &str, values: &str| {
        format!(r#"{{"address": "{address}", "mode": "{mode}", "type": "{kind}", "name": "x", "values": {values}}}"#)
    };
    let route = r#"{"id": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/routeTables/r", "name": "r", "route": []}"#;
    let hub = NETWORK.replace("virtualNetworks/v", "virtualNetworks/hub").replace(r#""name": "v""#, r#""name": "hub""#);
    let gone =
        NETWORK.replace("virtualNetworks/v", "virtualNetworks/gone").replace(r#""name": "v""#, r#""name": "gone""#);
    let prior = [
        resource("azurerm_virtual_network.old", "managed", "azurerm_virtual_network", NETWORK),
        resource("azurerm_route_table.untargeted", "managed", "azurerm_route_table", route),
        resource("data.azurerm_virtual_network.hub", "data", "azurerm_virtual_network", &hub),
        resource("azurerm_virtual_network.deposed", "managed", "azurerm_virtual_network", &gone).replacen(
            '{',
            r#"{"deposed_key": "0a1b2c3d", "#,
            1,
        ),
    ];
    let state = format!(r#""prior_state": {{"values": {{"root_module": {{"resources": [{}]}}}}}}, "#, prior.join(","));
    let tree = tree(&[("plan.json", &moved.replacen('{', &format!("{{{state}"), 1))]);
    assert_eq!(names(&tree, "networks"), ["hub", "v"]);
    assert_eq!(names(&tree, "routeTables"), ["r"]);
    assert!(tree.get("before").is_none());
}

#[test]
fn a_cluster_that_is_made_anew_changes_nothing_in_place() {
    let cluster = |range: &str| {
        format!(
            r#"{{"name": "k", "resource_group_name": "rg", "location": "westeurope",
                "default_node_pool": [{{"name": "system", "node_count": 1}}],
                "network_profile": [{{"network_plugin": "azure", "network_plugin_mode": "overlay", "pod_cidr": "{range}"}}]}}"#
        )
    };
    let update = plan(
        &[("azurerm_kubernetes_cluster", "k", Some(&cluster("10.1.0.0/16")), Some(&cluster("10.2.0.0/16")), "{}")],
        "{}",
    );
    assert_eq!(before(&tree(&[("plan.json", &update)]), "clusters"), ["k"]);
    let replace = update.replace(r#"["update"]"#, r#"["delete", "create"]"#);
    let tree = tree(&[("plan.json", &replace)]);
    assert_eq!(names(&tree, "clusters"), ["k"]);
    assert_eq!(before(&tree, "clusters"), [""; 0]);
}

#[test]
fn parts_that_are_objects_of_their_own_are_believed_over_their_whole() {
    let group = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/networkSecurityGroups/g";
    let rule = |name: &str, priority: u32| {
        format!(
            r#"{{"id": "{group}/securityRules/{name}", "name": "{name}", "network_security_group_name": "g", "resource_group_name": "rg",
                "priority": {priority}, "direction": "Inbound", "access": "Deny", "protocol": "*", "source_address_prefix": "*",
                "source_port_range": "*", "destination_address_prefix": "*", "destination_port_range": "*"}}"#
        )
    };
    let whole = format!(
        r#"{{"id": "{group}", "name": "g", "resource_group_name": "rg", "security_rule": [{}, {}, {}]}}"#,
        rule("changed", 100),
        rule("removed", 200),
        rule("inside", 300)
    );
    let plan = plan(
        &[
            ("azurerm_network_security_group", "g", Some(&whole), Some(&whole), "{}"),
            (
                "azurerm_network_security_rule",
                "changed",
                Some(&rule("changed", 100)),
                Some(&rule("changed", 150)),
                "{}",
            ),
            ("azurerm_network_security_rule", "removed", Some(&rule("removed", 200)), None, "{}"),
        ],
        "{}",
    );
    let loaded = loaded(&[("plan.json", &plan)]);
    let read = loaded.outcome.unwrap();
    assert_eq!(read.design.findings, []);
    let rules = |tree: &Node| {
        let rules = tree.get("networkSecurityGroups").unwrap().get("g").unwrap().get("rules").unwrap();
        let said = |rule: &Node| {
            format!("{} {}", rule.get("priority").unwrap().text().unwrap(), rule.get("name").unwrap().text().unwrap())
        };
        rules.items().iter().map(said).collect::<Vec<_>>()
    };
    assert_eq!(rules(&read.tree), ["150 changed", "300 inside"]);
    assert_eq!(rules(read.tree.get("before").unwrap()), ["100 changed", "200 removed", "300 inside"]);
}

#[test]
fn plans_that_are_not_whole_say_so() {
    let text = format!(
        r#"{{"format_version": "2.0", "errored": true, "deferred_changes": [{{"reason": "instance_count_unknown"}}],
            "values": {{"root_module": {{"resources": [{{"address": "azurerm_virtual_network.v", "mode": "managed",
            "type": "azurerm_virtual_network", "name": "v", "values": {NETWORK}}}]}}}}}}"#
    );
    let said = read(&[("plan.json", &text)]);
    for part in ["has the format `2.0`", "failed half way", "1 changes are put off"] {
        assert!(said.contains(part), "{said}");
    }
    let empty = loaded(&[("plan.json", r#"{"format_version": "1.0"}"#)]);
    let errors = empty.outcome.unwrap_err();
    assert_eq!(
        errors.iter().map(|error| error.help.as_str()).collect::<Vec<_>>(),
        ["the plan or state holds no objects"]
    );
}
