//! Documents that are damaged, strange or huge.

use super::promises::of_reading;
use super::*;
use serde_json::{Value, json};

const DOCUMENTS: &[&str] = &[
    include_str!("v4-create.json"),
    include_str!("v3-update.json"),
    include_str!("state.json"),
    include_str!("azapi.json"),
    include_str!("what-if.json"),
];

/// What a value is replaced by.
fn damages() -> [Value; 7] {
    [
        json!(null),
        json!("x"),
        json!(-1),
        json!(true),
        json!([]),
        json!([{}]),
        json!({"references": ["module.a", "[", ""]}),
    ]
}

/// Every place of a document.
fn places(value: &Value, path: String, out: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                places(item, format!("{path}/{at}"), out);
            }
        }
        Value::Object(entries) => {
            for (key, item) in entries {
                places(item, format!("{path}/{}", key.replace('~', "~0").replace('/', "~1")), out);
            }
        }
        _ => {}
    }
    out.push(path);
}

#[test]
fn any_value_may_be_another() {
    for document in DOCUMENTS {
        let whole: Value = serde_json::from_str(document).unwrap();
        let mut all = Vec::new();
        places(&whole, String::new(), &mut all);
        // A prime, so that the places that are tried differ from document to document.
        for (at, place) in all.iter().enumerate().step_by(97) {
            let mut damaged = whole.clone();
            *damaged.pointer_mut(place).unwrap() = damages()[at % damages().len()].clone();
            of_reading(damaged.to_string().as_bytes());
        }
    }
}

#[test]
fn any_text_ends() {
    for text in [
        "",
        "{}",
        "[]",
        "null",
        r#"{"format_version": "1.2"}"#,
        r#"{"format_version": "9.0", "planned_values": {"root_module": []}}"#,
        r#"{"resource_changes": [{"address": "a", "change": {}}]}"#,
        r#"{"values": {"root_module": {"resources": [{"address": "x", "type": "azurerm_subnet", "values": {}}]}}}"#,
        r#"{"changes": [{"changeType": "Create", "resourceId": "/a/providers/b"}]}"#,
        r#"{"changes": {"x": 1}}"#,
    ] {
        of_reading(text.as_bytes());
    }
}

/// Modules whose inputs and outputs refer to each other without an end.
#[test]
fn references_that_go_in_circles_end() {
    let subnet = r#"{"name": "n", "virtual_network_name": "v"}"#;
    let pool = r#"{"name": "p"}"#;
    let unknown = r#"{"vnet_subnet_id": true, "kubernetes_cluster_id": true}"#;
    let configuration = r#"{
        "resources": [{"mode": "managed", "type": "azurerm_kubernetes_cluster_node_pool", "name": "p",
            "expressions": {"vnet_subnet_id": {"references": ["module.a.x", "module.a"]}}}],
        "module_calls": {"a": {"expressions": {"y": {"references": ["module.a.x", "module.a", "var.y"]}}, "module": {
            "outputs": {"x": {"expression": {"references": ["var.y", "module.b.z", "module.b"]}}},
            "module_calls": {"b": {"expressions": {}, "module": {"outputs": {"z": {"expression": {"references": ["module.b", "var.y"]}}}}}}
        }}}}"#;
    let mut plan = plan(
        &[
            ("azurerm_subnet", "n", None, Some(subnet), r#"{"id": true}"#),
            ("azurerm_kubernetes_cluster_node_pool", "p", None, Some(pool), unknown),
        ],
        configuration,
    );
    // An object of each module, so that the modules have instances.
    let inner = r#""child_modules": [{"address": "module.a", "child_modules": [{"address": "module.a.module.b", "resources": [
        {"address": "module.a.module.b.azurerm_subnet.m", "type": "azurerm_subnet", "name": "m", "values": {"name": "m"}}]}]}], "resources""#;
    plan = plan.replacen(r#""resources""#, inner, 1);
    of_reading(plan.as_bytes());
    assert!(read(&[("plan.json", &plan)]).contains("`vnetSubnetID` of `p` is not known"));
}

#[test]
fn a_plan_of_thousands_of_objects_is_read_at_once() {
    let rules: Vec<(String, String)> = (0..4000)
        .map(|at| {
            let values = format!(
                r#"{{"name": "r{at}", "resource_group_name": "rg", "network_security_group_name": "nsg{}", "priority": {},
                    "direction": "Inbound", "access": "Allow", "protocol": "Tcp", "source_address_prefix": "*",
                    "destination_address_prefix": "*", "destination_port_range": "{at}"}}"#,
                at % 200,
                100 + at / 200
            );
            (format!("r{at}"), values)
        })
        .collect();
    let groups: Vec<(String, String)> = (0..200)
        .map(|at| (format!("g{at}"), format!(r#"{{"name": "nsg{at}", "resource_group_name": "rg"}}"#)))
        .collect();
    let mut objects: Vec<Object> = Vec::new();
    for (name, values) in &rules {
        objects.push(("azurerm_network_security_rule", name, None, Some(values), r#"{"id": true}"#));
    }
    for (name, values) in &groups {
        objects.push((
            "azurerm_network_security_group",
            name,
            None,
            Some(values),
            r#"{"id": true, "security_rule": true}"#,
        ));
    }
    let plan = plan(&objects, "{}");
    let tree = tree(&[("plan.json", &plan)]);
    let groups = tree.get("networkSecurityGroups").unwrap();
    assert_eq!(groups.entries().len(), 200);
    assert!(groups.entries().iter().all(|group| group.node.get("rules").unwrap().items().len() == 20));
}
