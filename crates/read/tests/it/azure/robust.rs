//! Whatever the JSON, there is an answer and no panic, and the answer is a design tree.

use super::estate::FILES;
use super::promises::of_translating;
use causeway_read::files::MemoryFiles;
use causeway_read::{Input, load};
use proptest::prelude::*;
use serde_json::Value;

const KEYS: &[&str] = &[
    "id",
    "name",
    "type",
    "properties",
    "value",
    "data",
    "columns",
    "rows",
    "count",
    "location",
    "sku",
    "tier",
    "networkProfile",
    "networkPlugin",
    "networkPluginMode",
    "podCidr",
    "podCidrs",
    "serviceCidr",
    "outboundType",
    "loadBalancerProfile",
    "outboundIPPrefixes",
    "publicIPPrefixes",
    "effectiveOutboundIPs",
    "agentPoolProfiles",
    "vnetSubnetID",
    "podSubnetID",
    "podIPAllocationMode",
    "enableAutoScaling",
    "maxCount",
    "upgradeSettings",
    "maxSurge",
    "addressSpace",
    "addressPrefixes",
    "addressPrefix",
    "subnets",
    "ipConfigurations",
    "privateEndpoints",
    "networkSecurityGroup",
    "routeTable",
    "natGateway",
    "virtualNetworkPeerings",
    "remoteVirtualNetwork",
    "remoteAddressSpace",
    "peerCompleteVnets",
    "localSubnetNames",
    "securityRules",
    "priority",
    "direction",
    "access",
    "protocol",
    "routes",
    "nextHopType",
    "nextHopIpAddress",
    "publicIpAddresses",
    "firewallPolicy",
    "ruleCollectionGroups",
    "ruleCollections",
    "rules",
    "ruleType",
    "action",
    "ipProtocols",
    "sourceAddresses",
    "destinationPorts",
    "snat",
    "privateRanges",
    "basePolicy",
    "subnet",
    "privateIPAddress",
    "publicIPAddress",
    "networkInterfaces",
    "virtualNetwork",
    "aRecords",
    "ipv4Address",
    "nodeResourceGroup",
    "apiServerAccessProfile",
    "subnetId",
    "enablePrivateCluster",
    "$schema",
    "resources",
];

fn texts() -> impl Strategy<Value = String> {
    let kinds = [
        "virtualNetworks/v",
        "virtualNetworks/v/subnets/s",
        "virtualNetworks/w/virtualNetworkPeerings/p",
        "routeTables/t",
        "routeTables/t/routes/r",
        "networkSecurityGroups/g",
        "natGateways/n",
        "azureFirewalls/f",
        "firewallPolicies/p",
        "firewallPolicies/p/ruleCollectionGroups/c",
        "networkInterfaces/i",
        "privateEndpoints/e",
        "privateDnsZones/z.example",
        "privateDnsZones/z.example/A/a",
        "privateDnsZones/z.example/virtualNetworkLinks/l",
        "publicIPPrefixes/x",
        "loadBalancers/kubernetes",
    ];
    let ids = prop::sample::select(kinds.to_vec()).prop_map(|path| super::id("g", path));
    let clusters = prop::sample::select(vec!["c", "d", "c/agentPools/a"]).prop_map(|path| {
        format!("/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/{path}")
    });
    let words = prop::sample::select(vec![
        "azure",
        "overlay",
        "kubenet",
        "VirtualAppliance",
        "10.0.0.0/8",
        "10.0.0.4",
        "10.0.0.1-10.0.0.9",
        "*",
        "Allow",
        "NetworkRule",
        "TCP",
        "1.2",
        "Inbound",
        "100",
        "loadBalancer",
        "33%",
        "true",
        "[x]",
        "",
        "/",
        "deploymentTemplate",
        "255.255.255.255/32",
        "::/0",
    ]);
    prop_oneof![3 => ids, 1 => clusters, 4 => words.prop_map(str::to_owned), 1 => ".{0,9}"]
}

fn values() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        1 => Just(serde_json::Value::Null),
        1 => any::<bool>().prop_map(Into::into),
        2 => prop_oneof![Just(0i64), Just(100), Just(-1), Just(70_000), any::<i64>()].prop_map(Into::into),
        6 => texts().prop_map(Into::into),
    ];
    leaf.prop_recursive(6, 160, 8, |inner| {
        let mapping = prop::collection::vec((prop::sample::select(KEYS.to_vec()), inner.clone()), 0..8);
        prop_oneof![
            1 => prop::collection::vec(inner, 0..6).prop_map(Into::into),
            4 => mapping.prop_map(|entries| entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_json_breaks_the_importer(value in values()) {
        of_translating(value.to_string().as_bytes());
    }
}

/// Real objects with something wrong in them: values gone, of another type, or of another object.
fn damaged(value: &Value, dice: &mut impl FnMut() -> usize) -> Value {
    if dice().is_multiple_of(40) {
        let others = [
            Value::Null,
            true.into(),
            (-7).into(),
            "".into(),
            "x/y".into(),
            "10.0.0.0/33".into(),
            Value::Array(Vec::new()),
            serde_json::json!({"id": "/"}),
        ];
        return others.get(dice() % others.len()).cloned().unwrap_or_default();
    }
    match value {
        Value::Array(items) => items.iter().map(|item| damaged(item, dice)).collect(),
        Value::Object(entries) => {
            let kept: Vec<_> = entries.iter().filter(|_| !dice().is_multiple_of(25)).collect();
            kept.into_iter().map(|(key, value)| (key.clone(), damaged(value, dice))).collect()
        }
        other => other.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn damaged_objects_do_not_break_the_importer(seed in any::<u64>()) {
        let mut state = seed;
        let mut dice = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize
        };
        let all: Vec<Value> = FILES.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
        of_translating(damaged(&Value::Array(all), &mut dice).to_string().as_bytes());
    }
}

/// Nesting that would double the work with every layer if it were looked at twice.
#[test]
fn deep_wrapping_costs_no_more_than_it_should() {
    for (open, close) in [(r#"{"a":"#, "}"), (r#"{"a":["#, "]}"), (r#"{"value":["#, "]}"), ("[", "]")] {
        let text = format!(
            "{}{}{}",
            open.repeat(60),
            r#"{"id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v", "addressSpace": {}}"#,
            close.repeat(60)
        );
        assert_eq!(super::translated(&[&text]).yaml, "networks:\n  v: {}\n", "{open}");
    }
}

/// Loads one text as `x.json`: the messages of errors, or those of notes and findings.
fn said(text: &str, kind: Option<&str>) -> (bool, Vec<String>) {
    let kind = kind.map(|word| causeway_read::kind::Kind::parse(word).unwrap());
    let input = Input { name: "x.json".into(), bytes: text.as_bytes().to_vec(), kind, found: false };
    match load(vec![input], &MemoryFiles::default()).outcome {
        Err(errors) => (false, errors.into_iter().map(|error| error.message).collect()),
        Ok(read) => {
            let notes = read.design.notes.into_iter().map(|note| note.message);
            (true, notes.chain(read.design.findings.into_iter().map(|finding| finding.message)).collect())
        }
    }
}

const AKS: &str = r#"{"id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c", "name": "c",
"networkProfile": {"networkPlugin": "azure", "networkPluginMode": "overlay", "podCidr": "10.244.0.0/16", "podCidrs": ["10.244.0.0/16"]},
"agentPoolProfiles": [{"name": "p", "count": 3, "maxCount": 10, "enableAutoScaling": true, "maxPods": 30,
"vnetSubnetID": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/n"}]}"#;

#[test]
fn a_forced_kind_that_is_not_the_documents_own_is_refused() {
    for word in
        ["vnet", "subnet", "nsg", "route-table", "lb", "kubernetes", "masquerade", "terraform", "what-if", "design"]
    {
        let (read, messages) = said(AKS, Some(word));
        assert!(!read, "{word}");
        assert!(messages[0].contains(&format!("is not of the kind `{word}`")), "{word}: {messages:?}");
    }
    assert!(!said(r#"{"hello": 1}"#, Some("vnet")).0);
    assert!(!said(r#"{"hello": 1}"#, Some("kubernetes")).0);
    for word in ["aks", "azure"] {
        assert!(said(AKS, Some(word)).0, "{word}");
    }
    assert!(said(r#"{"name": "v", "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}"#, Some("vnet")).0);
}

#[test]
fn values_of_a_wrong_type_do_not_vanish() {
    for (from, to) in [
        (r#""count": 3"#, r#""count": -1"#),
        (r#""count": 3"#, r#""count": 3.7"#),
        (r#""maxCount": 10"#, r#""maxCount": "ten""#),
        (r#""maxPods": 30"#, r#""maxPods": [30]"#),
        ("/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/n", "snet-nodes"),
    ] {
        let changed = AKS.replace(from, to);
        assert_ne!(changed, AKS);
        assert!(!said(&changed, None).0, "{to}");
    }
    for to in [r#""count": "3""#, r#""count": null"#] {
        assert!(said(&AKS.replace(r#""count": 3"#, to), None).0, "{to}");
    }
    let (read, messages) = said(&AKS.replace(r#""networkProfile": {"#, r#""networkProfile": "x", "other": {"#), None);
    assert!(read && messages.iter().any(|message| message.contains("`networkProfile`")), "{messages:?}");
}

#[test]
fn a_single_range_that_is_not_of_the_list_beside_it_is_told() {
    let disagree = |messages: &[String]| messages.iter().any(|message| message.contains("disagree"));
    assert!(!disagree(&said(AKS, None).1));
    let (read, messages) = said(&AKS.replace(r#"["10.244.0.0/16"]"#, r#"["10.9.0.0/16"]"#), None);
    assert!(read && disagree(&messages), "{messages:?}");
    let dual = AKS.replace(r#"["10.244.0.0/16"]"#, r#"["10.244.0.0/16", "fd00::/64"]"#);
    assert!(!disagree(&said(&dual, None).1));
}

#[test]
fn what_a_failed_command_left_is_told_as_such() {
    for text in [
        r#"{"error": {"code": "AuthorizationFailed", "message": "no right to read"}}"#,
        "ERROR: (AuthorizationFailed) no right to read: ask\nCode: AuthorizationFailed\n",
    ] {
        let (read, messages) = said(text, None);
        assert!(!read && messages[0].starts_with("the command that wrote `x.json` failed: "), "{messages:?}");
    }
    assert!(said(&AKS.replacen('{', r#"{"error": null, "#, 1), None).0);
}

#[test]
fn a_pool_whose_fewest_nodes_are_more_than_its_most_is_told() {
    let bound = |min: &str| said(&AKS.replace(r#""maxCount""#, &format!(r#""minCount": {min}, "maxCount""#)), None);
    let told = |messages: &[String]| messages.iter().any(|message| message.contains("more than the most, 10"));
    let (read, messages) = bound("12");
    assert!(read && told(&messages), "{messages:?}");
    assert!(!told(&bound("10").1));
}

#[test]
fn an_acceptance_says_why() {
    let design = |because: &str| {
        format!(
            "causeway: 1\nnetworks: {{a: {{prefixes: [10.0.0.0/16]}}}}\naccept: [{{finding: cidr-host-bits-set, because: {because}}}]\n"
        )
    };
    let (read, messages) = said(&design("\"  \""), None);
    assert!(!read && messages[0].contains("`because` is empty"), "{messages:?}");
    assert!(said(&design("known"), None).0);
}
