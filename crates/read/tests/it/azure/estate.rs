//! A whole estate: what it becomes, and that nothing but what it says matters.

use super::{errors, translated, yaml};
use proptest::prelude::*;
use serde_json::{Map, Value};

pub(super) const FILES: [&str; 7] = [
    include_str!("estate/clusters.json"),
    include_str!("estate/egress.json"),
    include_str!("estate/filters.json"),
    include_str!("estate/firewall.json"),
    include_str!("estate/machines.json"),
    include_str!("estate/names.json"),
    include_str!("estate/networks.json"),
];
const EXPECTED: &str = include_str!("estate/expected.yaml");

#[test]
fn the_estate_becomes_this_design() {
    let translated = translated(&FILES);
    assert_eq!(translated.yaml, EXPECTED);
    assert_eq!(
        translated.notes,
        [
            "232: the firewall rule `updates` works on names and addresses of requests: rules of the design work on addresses"
        ]
    );
    assert_eq!(translated.findings, []);
    assert_eq!(errors(&FILES), [""; 0]);
}

#[test]
fn the_tree_points_into_the_exports() {
    let translated = translated(&FILES);
    let at = |path: &[&str]| {
        let node = path.iter().fold(&translated.tree, |node, key| node.get(key).unwrap());
        let position = translated.sources.position(node.span);
        (translated.sources.slice(node.span).to_owned(), position.file.to_string())
    };
    let file = |number: usize| format!("{number}.json");
    assert_eq!(at(&["networks", "shop", "subnets", "nodes", "prefix"]), ("\"10.30.0.0/22\"".into(), file(6)));
    assert_eq!(at(&["clusters", "shop-prod", "pools", "web", "nodes", "max"]), ("20".into(), file(0)));
    assert_eq!(at(&["clusters", "shop-prod", "networkPolicy"]), ("\"calico\"".into(), file(0)));
    assert_eq!(at(&["natGateways", "batch-nat", "publicIps"]).1, file(1));
    assert_eq!(at(&["routeTables", "to-firewall", "bgpPropagation"]), ("true".into(), file(2)));
    let pool =
        translated.tree.get("clusters").unwrap().get("jobs").unwrap().get("pools").unwrap().entry("win22").unwrap();
    assert_eq!(translated.sources.slice(pool.key_span), "\"win22\"");
}

/// Every object of the estate.
fn objects() -> Vec<Value> {
    FILES.iter().flat_map(|text| serde_json::from_str::<Vec<Value>>(text).unwrap()).collect()
}

fn print(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

/// The lines that are not in both trees.
fn difference(yaml: &str) -> String {
    if yaml == EXPECTED {
        return String::new();
    }
    let missing =
        EXPECTED.lines().filter(|line| !yaml.lines().any(|other| other == *line)).map(|line| format!("-{line}"));
    let added =
        yaml.lines().filter(|line| !EXPECTED.lines().any(|other| other == *line)).map(|line| format!("+{line}"));
    format!("another order, or: {}", missing.chain(added).collect::<Vec<_>>().join("\n"))
}

/// The same tree, whatever is noted in whatever order.
fn same(texts: &[String]) -> Result<(), TestCaseError> {
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let translated = translated(&texts);
    prop_assert_eq!(difference(&translated.yaml), "");
    prop_assert_eq!(translated.findings, []);
    prop_assert_eq!(translated.notes.len(), 1, "{:?}", translated.notes);
    Ok(())
}

/// What the command line prints, as Resource Manager has it: everything of an object under `properties`, except what says
/// which object it is.
fn arm(value: &Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.iter().map(arm).collect()),
        Value::Object(entries) => {
            let is_object = entries.contains_key("id") && entries.contains_key("name");
            let (mut outer, mut inner) = (Map::new(), Map::new());
            for (key, value) in entries {
                let envelope = ["id", "name", "type", "location", "tags", "sku", "kind", "identity", "etag", "zones"];
                match key.as_str() {
                    "resourceGroup" => {}
                    key if !is_object || envelope.contains(&key) => {
                        outer.insert(key.to_owned(), arm(value));
                    }
                    key => {
                        inner.insert(key.to_owned(), arm(value));
                    }
                }
            }
            if is_object {
                outer.insert("properties".into(), Value::Object(inner));
            }
            Value::Object(outer)
        }
        other => other.clone(),
    }
}

fn change(text: &str, flip: &mut impl FnMut() -> bool) -> String {
    text.chars().map(|letter| if flip() { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() }).collect()
}

/// Keys, ids and words in another case; `flip` says which letters.
fn recased(value: &Value, flip: &mut impl FnMut() -> bool) -> Value {
    match value {
        Value::Object(entries) => {
            let mut out = Map::new();
            for (key, value) in entries {
                // Labels are the users' own words, and `Network.SNAT...` is no key of an object.
                let own = key == "nodeLabels";
                let name = change(key, flip);
                out.insert(name, if own { value.clone() } else { recased(value, flip) });
            }
            Value::Object(out)
        }
        Value::Array(items) => Value::Array(items.iter().map(|item| recased(item, flip)).collect()),
        Value::String(text) if text.starts_with("/subscriptions/") => Value::String(change(text, flip)),
        Value::String(text) if WORDS.contains(&text.as_str()) => Value::String(change(text, flip)),
        other => other.clone(),
    }
}

/// Words of Azure's whose case varies.
const WORDS: &[&str] = &[
    "Allow",
    "Deny",
    "Inbound",
    "Outbound",
    "Tcp",
    "TCP",
    "UDP",
    "VirtualAppliance",
    "Internet",
    "None",
    "VirtualNetworkGateway",
    "azure",
    "calico",
    "overlay",
    "userDefinedRouting",
    "loadBalancer",
    "Standard",
    "Free",
    "Linux",
    "Windows",
    "System",
    "User",
    "DynamicIndividual",
    "StaticBlock",
    "IPv4",
    "IPv6",
    "Vpn",
    "Connected",
    "RouteTableEnabled",
    "Disabled",
    "NetworkRule",
    "NatRule",
    "ApplicationRule",
    "Default",
    "IANAPrivateRanges",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn order_does_not_matter(order in Just((0..60).collect::<Vec<usize>>()).prop_shuffle(), cut in 0usize..20) {
        let objects = objects();
        let objects: Vec<Value> = order.into_iter().filter_map(|at| objects.get(at).cloned()).collect();
        let (one, other) = objects.split_at(cut);
        same(&[print(&Value::Array(one.to_vec())), print(&Value::Array(other.to_vec()))])?;
    }

    #[test]
    fn case_does_not_matter(seed in any::<u64>()) {
        let mut state = seed;
        let mut flip = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) & 1 == 1
        };
        // Words that are printed as they are written keep their case: only ids, keys and words of Azure's vary.
        let objects: Vec<Value> = objects().iter().map(|object| recased(object, &mut flip)).collect();
        let texts: Vec<String> = objects.iter().map(print).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let translated = translated(&texts);
        prop_assert_eq!(translated.yaml.to_lowercase(), EXPECTED.to_lowercase());
        prop_assert_eq!(translated.findings, []);
    }

    #[test]
    fn shape_does_not_matter(in_arm in prop::collection::vec(any::<bool>(), 60)) {
        let objects = objects();
        prop_assert!(objects.len() <= in_arm.len());
        let mixed = objects.iter().zip(in_arm).map(|(object, yes)| if yes { arm(object) } else { object.clone() });
        same(&[print(&Value::Array(mixed.collect()))])?;
    }

    #[test]
    fn saying_it_twice_changes_nothing(again in prop::collection::vec(any::<bool>(), 60)) {
        let objects = objects();
        let twice = objects.iter().zip(again).filter(|(_, yes)| *yes).map(|(object, _)| arm(object));
        let texts = [print(&Value::Array(objects.clone())), print(&Value::Array(twice.collect()))];
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let translated = translated(&texts);
        prop_assert_eq!(difference(&translated.yaml), "");
        prop_assert_eq!(translated.findings, []);
    }
}

#[test]
fn wrapping_does_not_matter() {
    let objects = Value::Array(objects());
    let plain = print(&objects);
    let columns = ["id", "name", "type", "location", "sku", "properties"];
    let rows: Vec<Value> = objects
        .as_array()
        .unwrap()
        .iter()
        .map(|object| {
            let object = arm(object);
            Value::Array(columns.iter().map(|column| object.get(column).cloned().unwrap_or(Value::Null)).collect())
        })
        .collect();
    let columns: Vec<Value> =
        columns.iter().map(|name| serde_json::json!({ "name": name, "type": "string" })).collect();
    let graph = serde_json::json!({ "count": rows.len(), "data": { "columns": columns, "rows": rows }, "resultTruncated": "false" });
    for text in [
        format!("{{\"value\": {plain}}}"),
        format!("{{\"count\": 9, \"data\": {plain}, \"skip_token\": null, \"total_records\": 9}}"),
        print(&graph),
        format!("[[{plain}], []]"),
        format!("{{\"network\": {plain}, \"nothing\": []}}"),
        plain.clone().replace("[\n  {", "[\n\n{"),
    ] {
        same(&[text]).unwrap();
    }
    let lines: Vec<String> = objects.as_array().unwrap().iter().map(Value::to_string).collect();
    same(&[lines.join("\n")]).unwrap();
}

/// Parts printed by commands of their own say the same as inside their whole.
#[test]
fn parts_may_stand_alone() {
    let mut objects = objects();
    let mut parts = Vec::new();
    for object in &mut objects {
        for key in ["subnets", "virtualNetworkPeerings", "securityRules", "routes"] {
            let is_list_of_parts = object
                .get(key)
                .and_then(Value::as_array)
                .is_some_and(|list| list.iter().all(|item| item.get("name").is_some()));
            if is_list_of_parts && let Some(Value::Array(list)) = object.as_object_mut().unwrap().remove(key) {
                parts.extend(list);
            }
        }
    }
    // Without its list of rules it is not known to have none.
    let expected = EXPECTED.replace("    rules: []\n", "").replace("  servers:\n", "  servers: {}\n");
    let expected = expected.replacen("servers: {}\n        prefix", "servers:\n        prefix", 1);
    let text = print(&Value::Array(objects.into_iter().chain(parts).collect()));
    assert_eq!(translated(&[&text]).yaml, expected);
}

/// Pools printed by `az aks nodepool list` have ids and a type of their own.
#[test]
fn pools_may_stand_alone() {
    let mut objects = objects();
    let mut pools = Vec::new();
    for cluster in objects.iter_mut().filter(|object| object.get("agentPoolProfiles").is_some()) {
        let id = cluster["id"].as_str().unwrap().to_owned();
        let Some(Value::Array(list)) = cluster.as_object_mut().unwrap().remove("agentPoolProfiles") else { continue };
        for pool in list {
            let mut pool = pool.as_object().unwrap().clone();
            pool.insert("id".into(), format!("{id}/agentPools/{}", pool["name"].as_str().unwrap()).into());
            pool.insert("type".into(), "Microsoft.ContainerService/managedClusters/agentPools".into());
            pool.insert("typePropertiesType".into(), "VirtualMachineScaleSets".into());
            pools.push(Value::Object(pool));
        }
    }
    let texts = [print(&Value::Array(pools)), print(&Value::Array(objects))];
    same(&texts).unwrap();
}

#[test]
fn nothing_becomes_nothing() {
    assert_eq!(yaml(&["[]", r#"{"value": []}"#]), "{}\n");
}
