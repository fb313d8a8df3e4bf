//! What is taken for an Azure export, and as what.

use super::{document, translated, translated_as};
use causeway_read::azure::{Kind, Recognition, recognise};

#[test]
fn azure_is_told_from_the_rest() {
    let id = super::id("g", "virtualNetworks/v");
    let cases = [
        (format!(r#"{{"id": "{id}", "addressSpace": {{}}}}"#), Recognition::Azure),
        (r#"{"type": "Microsoft.Network/virtualNetworks", "name": "v"}"#.into(), Recognition::Azure),
        (r#"{"apiVersion": "2024-05-01", "kind": "Regular", "type": "Microsoft.Network/networkInterfaces", "name": "n"}"#.into(), Recognition::Azure),
        (format!(r#"{{"value": [{{"id": "{id}"}}], "nextLink": null}}"#), Recognition::Azure),
        ("[]".into(), Recognition::Empty),
        (r#"{"value": []}"#.into(), Recognition::Empty),
        (r#"{"data": {"columns": [{"name": "id"}], "rows": []}}"#.into(), Recognition::Empty),
        (r#"{"networkPlugin": "azure", "serviceCidr": "10.0.0.0/16"}"#.into(), Recognition::Azure),
        (r#"[{"name": "a", "vmSize": "x", "maxPods": 30, "osType": "Linux"}]"#.into(), Recognition::Azure),
        (r#"{"value": [{"source": "Default", "state": "Active", "addressPrefix": ["10.0.0.0/8"], "nextHopType": "None", "nextHopIpAddress": []}]}"#.into(), Recognition::Azure),
        (r#"{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {}}"#.into(), Recognition::Other),
        (r#"{"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "Pod", "metadata": {}}]}"#.into(), Recognition::Other),
        (r#"{"format_version": "1.2", "planned_values": {"root_module": {}}}"#.into(), Recognition::Other),
        (r#"{"nonMasqueradeCIDRs": ["10.0.0.0/8"]}"#.into(), Recognition::Other),
        (r#"{"id": "17", "type": "circle", "name": "x"}"#.into(), Recognition::Other),
        (r#"{"type": "application/json", "name": "x"}"#.into(), Recognition::Other),
        ("[1, 2]".into(), Recognition::Other),
        (r#"{"a": []}"#.into(), Recognition::Other),
        (
            r#"{"access": "Allow", "direction": "Inbound", "priority": 100, "addressPrefix": "10.0.0.0/8", "nextHopType": "None"}"#.into(),
            Recognition::Ambiguous(vec![Kind::SecurityRule, Kind::Route]),
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(recognise(&document(&text)), expected, "{text}");
    }
}

/// Without id and type the keys of an object show what it is.
#[test]
fn objects_without_a_type_are_told_by_their_keys() {
    let cases = [
        (
            r#"{"name": "v", "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}"#,
            "networks:\n  v:\n    prefixes: [10.0.0.0/16]\n",
        ),
        (
            r#"{"name": "s", "addressPrefix": "10.0.0.0/24", "delegations": []}"#,
            "networks:\n  network:\n    subnets:\n      s:\n        prefix: 10.0.0.0/24\n",
        ),
        (
            r#"{"name": "t", "disableBgpRoutePropagation": true, "routes": []}"#,
            "routeTables:\n  t:\n    bgpPropagation: false\n    routes: []\n",
        ),
        (r#"{"name": "g", "securityRules": []}"#, "networkSecurityGroups:\n  g:\n    rules: []\n"),
        (
            r#"{"name": "nat", "idleTimeoutInMinutes": 9, "publicIpAddresses": []}"#,
            "natGateways:\n  nat:\n    publicIpCount: 0\n    idleTimeoutMinutes: 9\n",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(translated(&[text]).yaml, expected, "{text}");
    }
}

#[test]
fn a_forced_kind_decides_what_an_object_does_not_say() {
    let text = r#"{"name": "s", "addressPrefix": "10.0.0.0/24"}"#;
    let unforced = translated(&[text]);
    assert_eq!(
        (unforced.yaml.as_str(), unforced.notes),
        ("{}\n", vec!["1: a mapping that is no Azure object".to_owned()])
    );
    let forced = translated_as(&[text], Kind::parse("subnet"));
    assert_eq!(forced.yaml, "networks:\n  network:\n    subnets:\n      s:\n        prefix: 10.0.0.0/24\n");
    assert_eq!(Kind::parse("subnets"), None);
}

#[test]
fn what_has_no_part_in_a_design_is_said() {
    let text = r#"[
        {"id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm", "name": "vm", "properties": {"hardwareProfile": {"vmSize": "x"}}},
        {"id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v", "name": "v", "type": "Microsoft.Network/virtualNetworks", "location": "x", "properties": null},
        17,
        {"source": "User", "state": "Active", "addressPrefix": ["0.0.0.0/0"], "nextHopType": "None", "nextHopIpAddress": []}
    ]"#;
    let translated = translated(&[text]);
    assert_eq!(translated.yaml, "{}\n");
    assert_eq!(
        translated.notes,
        [
            "5: an effective route table with 1 routes is what one interface saw, not what was configured: it has no part in the design",
            "3: `v` is listed without its properties: export the object itself (`az resource list` leaves them out)",
            "4: a number that is no Azure object",
            "2: `vm` of type `microsoft.compute/virtualmachines` has no part in the design",
        ]
    );
}

/// Nothing to check must not look like nothing wrong.
#[test]
fn exports_that_hold_nothing_are_an_error() {
    let routes = r#"{"value": [{"source": "User", "state": "Active", "addressPrefix": ["0.0.0.0/0"], "nextHopType": "None", "nextHopIpAddress": []}]}"#;
    let network = format!(r#"{{"id": "{}", "addressSpace": {{}}}}"#, super::id("g", "virtualNetworks/v"));
    let address = format!(r#"{{"id": "{}", "ipAddress": "198.51.100.1"}}"#, super::id("g", "publicIPAddresses/a"));
    assert_eq!(super::errors(&[&address]), [""; 0]);
    assert_eq!(translated(&[&address]).notes, ["1: public addresses that nothing given uses: `a`"]);
    for text in ["[]", routes] {
        assert_eq!(super::errors(&[text]), ["what was given holds nothing that a design is made of"]);
        assert_eq!(super::errors(&[text, &network]), [""; 0]);
    }
}

#[test]
fn a_list_that_goes_on_is_said() {
    let link = r#"{"value": [], "nextLink": "https://management.azure.com/next"}"#;
    let token = r#"{"count": 1, "data": [], "skip_token": "abc"}"#;
    for text in [link, token] {
        assert_eq!(
            translated(&[text]).notes,
            ["1: this list is one page of several: what the other pages hold is not known"]
        );
    }
}

#[test]
fn keys_nobody_knows_are_said_once() {
    let network = |name: &str| {
        format!(
            r#"{{"id": "{}", "addressSpace": {{}}, "warpDrive": {{"on": true}}, "offSwitch": false, "none": null}}"#,
            super::id("g", &format!("virtualNetworks/{name}"))
        )
    };
    let translated = translated(&[&network("a"), &network("b")]);
    assert_eq!(translated.notes, ["1: `warpDrive` in 2 objects of the kind `vnet`"]);
}

#[test]
fn a_template_counts_as_far_as_it_has_no_expressions() {
    let text = r#"{
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "resources": [
            {"type": "Microsoft.Network/virtualNetworks", "apiVersion": "2024-05-01", "name": "v", "location": "westeurope",
             "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}},
             "resources": [{"type": "subnets", "name": "inner", "properties": {"addressPrefix": "10.0.0.0/24"}}]},
            {"type": "Microsoft.Network/virtualNetworks/subnets", "name": "v/outer", "properties": {"addressPrefix": "10.0.1.0/24"}},
            {"type": "Microsoft.Network/routeTables", "name": "[parameters('t')]", "properties": {"routes": []}},
            {"type": "Microsoft.Network/routeTables", "name": "a/b", "properties": {"routes": []}}
        ]
    }"#;
    let translated = translated(&[text]);
    assert_eq!(
        translated.yaml,
        "networks:\n  v:\n    location: westeurope\n    prefixes: [10.0.0.0/16]\n    subnets:\n      inner:\n        prefix: 10.0.0.0/24\n      outer:\n        prefix: 10.0.1.0/24\n"
    );
    assert_eq!(
        translated.notes,
        [
            "8: the resource `[parameters('t')]` of the template holds an expression that only Azure resolves: give the answer of `az deployment group what-if --no-pretty-print`, or export the object itself",
            "9: the name `a/b` does not fit the type `microsoft.network/routetables`",
        ]
    );
}
