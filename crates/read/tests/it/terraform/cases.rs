//! Documents with the designs they come to.

use super::*;

fn is_as_written(name: &str, document: &str, expected: &str) {
    let came = read(&[(&format!("{name}.json"), document)]);
    assert!(came == expected, "{name} came out as\n<<<\n{came}>>>");
}

macro_rules! cases {
    ($($test:ident $file:literal;)*) => {
        $(#[test]
        fn $test() {
            is_as_written($file, include_str!(concat!($file, ".json")), include_str!(concat!($file, ".yaml")));
        })*
    };
}

cases! {
    a_plan_of_version_4_that_creates_everything_in_modules "v4-create";
    a_plan_of_version_3_that_changes_an_estate "v3-update";
    a_state_with_data_sources "state";
    bodies_of_resource_manager "azapi";
    a_what_if_result "what-if";
}

#[test]
fn a_plan_and_the_export_of_what_it_made_are_the_same_design() {
    let planned = tree(&[("estate.json", include_str!("v4-create.json"))]);
    let exported = tree(&[("estate.json", include_str!("v4-create.az.json"))]);
    assert!(planned.same(&exported), "{}\n{}", to_yaml(&planned), to_yaml(&exported));
}

#[test]
fn an_export_of_what_a_plan_changes_tells_the_time_before() {
    // The plan moves the cluster's only pool to another subnet; the export still has the old one, and other pools besides.
    let network = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v";
    let cluster = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/k";
    let values = |subnet: &str| {
        format!(
            r#"{{"id": "{cluster}", "name": "k", "resource_group_name": "rg", "location": "westeurope",
                "default_node_pool": [{{"name": "system", "node_count": 2, "vnet_subnet_id": "{network}/subnets/{subnet}"}}],
                "network_profile": [{{"network_plugin": "azure", "network_plugin_mode": "overlay"}}]}}"#
        )
    };
    let plan = plan(&[("azurerm_kubernetes_cluster", "k", Some(&values("a")), Some(&values("b")), "{}")], "{}");
    let export = format!(
        r#"{{"id": "{cluster}", "name": "k", "agentPoolProfiles": [
            {{"name": "system", "count": 2, "vnetSubnetId": "{network}/subnets/a"}},
            {{"name": "extra", "count": 1, "vnetSubnetId": "{network}/subnets/c"}}],
            "networkProfile": {{"networkPlugin": "azure", "networkPluginMode": "overlay", "podCidr": "10.244.0.0/16"}}}}"#
    );
    let loaded = loaded(&[("plan.json", &plan), ("export.json", &export)]);
    let read = loaded.outcome.unwrap();
    assert_eq!(read.design.findings, []);
    let pools = |tree: &Node| {
        let pools = tree.get("clusters").unwrap().get("k").unwrap().get("pools").unwrap();
        let subnet = |name: &str| pools.get(name).unwrap().get("subnet").unwrap().text().unwrap().to_owned();
        (subnet("system"), subnet("extra"))
    };
    assert_eq!(pools(&read.tree), ("v/b".to_owned(), "v/c".to_owned()));
    assert_eq!(pools(read.tree.get("before").unwrap()), ("v/a".to_owned(), "v/c".to_owned()));
}

#[test]
fn the_state_beside_its_plan_tells_the_time_before() {
    let plan = include_str!("v3-update.json");
    let whole: serde_json::Value = serde_json::from_str(plan).unwrap();
    let state = whole["prior_state"].to_string();
    let loaded = loaded(&[("plan.json", plan), ("state.json", &state)]);
    let read = loaded.outcome.unwrap();
    assert_eq!(read.design.findings, []);
    let alone = tree(&[("plan.json", plan)]);
    assert!(read.tree.same(&alone), "{}\n{}", to_yaml(&read.tree), to_yaml(&alone));
}

#[test]
fn an_association_that_goes_leaves_the_subnet_as_it_is() {
    let subnet = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v/subnets/n";
    let table = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/routeTables/r";
    let association = format!(r#"{{"id": "{subnet}", "subnet_id": "{subnet}", "route_table_id": "{table}"}}"#);
    let plan = plan(&[("azurerm_subnet_route_table_association", "n", Some(&association), None, "{}")], "{}");
    let export = format!(
        r#"{{"id": "{}", "name": "v", "addressSpace": {{"addressPrefixes": ["10.0.0.0/16"]}}, "subnets": [
            {{"id": "{subnet}", "name": "n", "addressPrefix": "10.0.0.0/24", "routeTable": {{"id": "{table}"}}}}]}}"#,
        subnet.split("/subnets").next().unwrap()
    );
    let tree = tree(&[("plan.json", &plan), ("export.json", &export)]);
    let subnet =
        |tree: &Node| tree.get("networks").unwrap().get("v").unwrap().get("subnets").unwrap().get("n").unwrap().clone();
    assert_eq!(subnet(&tree).get("prefix").and_then(Node::text), Some("10.0.0.0/24"));
    assert!(subnet(&tree).get("routeTable").is_none());
    assert_eq!(subnet(tree.get("before").unwrap()).get("routeTable").and_then(Node::text), Some("r"));
}
