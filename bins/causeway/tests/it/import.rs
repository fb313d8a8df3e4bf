//! `import` writes a design that says what was read.

use crate::pages::examples;
use crate::support::{TODAY, check_text, findings, read, root, run_in, write};
use serde_json::Value;

/// What a check of the same network says, whatever file it stands in.
fn said(answer: &Value) -> Vec<Value> {
    let list = answer["findings"].as_array().cloned().unwrap_or_default();
    list.into_iter()
        .map(|mut finding| {
            for key in ["source", "related"] {
                finding.as_object_mut().unwrap().remove(key);
            }
            finding
        })
        .collect()
}

#[test]
fn the_imported_design_has_the_findings_of_what_it_was_imported_from() {
    let mut problems = Vec::new();
    for example in examples() {
        let direct = check_text(&example.text);
        let imported = run_in(&root(), &["import", "-"], &example.text);
        if direct.code == 2 || imported.code == 2 {
            continue;
        }
        let again = check_text(&imported.stdout);
        if again.code == 2 {
            problems.push(format!("{}: the import can't be read:\n{}", example.code, again.stderr));
        } else if said(&direct.json()) != said(&again.json()) {
            problems.push(format!(
                "{}: {:?} became {:?}",
                example.code,
                findings(&direct.json()),
                findings(&again.json())
            ));
        } else if direct.json()["capacity"] != again.json()["capacity"] {
            problems.push(format!("{}: the capacity differs", example.code));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn a_file_is_replaced_only_by_force() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("a.yaml"), "causeway: 1\nname: a\n");
    write(&folder.path().join("out.yaml"), "precious\n");
    let refused = run_in(folder.path(), &["import", "a.yaml", "-o", "out.yaml"], "");
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(refused.stderr.contains("--force"), "{}", refused.stderr);
    assert_eq!(read(&folder.path().join("out.yaml")), "precious\n");

    let done = run_in(folder.path(), &["import", "a.yaml", "-o", "out.yaml", "--force"], "");
    assert_eq!((done.code, done.stdout.as_str()), (0, ""));
    let text = read(&folder.path().join("out.yaml"));
    assert!(text.starts_with("# Written by `causeway import` from a.yaml\ncauseway: 1\n"), "{text}");
    let checked = run_in(folder.path(), &["check", "out.yaml", "--as-of", TODAY], "");
    assert_eq!(checked.code, 0, "{}", checked.stdout);
}

#[test]
fn what_was_assumed_is_said_beside_the_design() {
    let design = "causeway: 1\nclusters: {prod: {mode: overlay, pools: {a: {nodes: {count: 1}}}}}\n";
    let run = run_in(&root(), &["import", "-"], design);
    assert_eq!(run.code, 0);
    assert!(run.stderr.contains("assumed (`-v` lists them)"), "{}", run.stderr);
    let verbose = run_in(&root(), &["import", "-", "-v"], design);
    assert!(verbose.stderr.contains("clusters.prod.podCidr: 10.244.0.0/16"), "{}", verbose.stderr);
    assert_eq!(run.stdout, verbose.stdout);
}

/// What the design can't say is not lost: it stands above it, and only what there is.
#[test]
fn what_the_design_cannot_say_stands_above_it() {
    let half = r#"[{"name": "one", "id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/a",
        "type": "Microsoft.Network/virtualNetworks", "addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}, "novelty": 1,
        "subnets": [{"name": "n", "addressPrefix": "10.1.0.0/24",
            "routeTable": {"id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/routeTables/t"}}]}]"#;
    let run = run_in(&root(), &["import", "-"], half);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let (heading, design) = run.stdout.split_once("causeway: 1").unwrap();
    let verbose = run_in(&root(), &["import", "-", "-v"], half);
    for line in verbose.stderr.lines().filter(|line| line.starts_with("  stdin:")) {
        assert!(heading.contains(&format!("# {line}\n")), "{line} is not in\n{heading}");
    }
    assert!(heading.contains("# Not understood"), "{heading}");
    assert!(heading.contains("# Not known from what was given"), "{heading}");
    assert!(heading.lines().all(|line| line.starts_with('#')), "{heading}");
    assert!(design.contains("known: false"), "{design}");
    let whole = run_in(&root(), &["import", "-"], "{causeway: 1, name: a, networks: {n: {prefixes: [10.0.0.0/16]}}}");
    assert!(whole.stdout.starts_with("# Written by `causeway import` from stdin\ncauseway: 1\n"), "{}", whole.stdout);
}

#[test]
fn where_inputs_disagree_the_import_says_so() {
    let network = |prefix: &str| {
        format!(
            r#"{{"id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/a", "name": "a",
                "type": "Microsoft.Network/virtualNetworks", "addressSpace": {{"addressPrefixes": ["{prefix}"]}}, "subnets": []}}"#
        )
    };
    let import = |one: &str, other: &str| {
        run_in(&root(), &["import", "-"], &format!("[{}, {}]", network(one), network(other))).stdout
    };
    assert!(
        import("10.1.0.0/16", "10.2.0.0/16")
            .contains("# Where inputs disagreed, this design has the first:\n#   stdin:")
    );
    assert!(!import("10.1.0.0/16", "10.1.0.0/16").contains("# Where"));
}

/// The design holds one of two counts, and the greatest number of nodes only: what was wrong about the exports is kept beside.
#[test]
fn what_was_wrong_about_exports_is_still_said_of_the_imported_design() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = |sizes: &str| {
        let id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/k";
        let profile = r#"{"networkPlugin": "azure", "networkPluginMode": "overlay", "podCidr": "10.244.0.0/16", "serviceCidr": "172.16.0.0/16", "outboundType": "loadBalancer"}"#;
        format!(
            r#"{{"id": "{id}", "name": "k", "networkProfile": {profile}, "agentPoolProfiles": [{{"name": "a", "maxPods": 110, "upgradeSettings": {{"maxSurge": "1"}}, {sizes}}}]}}"#
        )
    };
    let codes = |file: &str| {
        let answer = run_in(folder.path(), &["check", "--format", "json", file], "");
        said(&answer.json()).iter().map(|one| one["message"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let swapped = cluster(r#""count": 3, "enableAutoScaling": true, "minCount": 12, "maxCount": 5"#);
    for (text, word) in [(swapped.as_str(), Some("more than the most")), (&cluster(r#""count": 3"#), None)] {
        write(&folder.path().join("k.json"), text);
        let imported = run_in(folder.path(), &["import", "k.json"], "");
        assert_eq!(imported.stdout.contains("importFindings"), word.is_some(), "{}", imported.stdout);
        write(&folder.path().join("k.yaml"), &imported.stdout);
        let again = run_in(folder.path(), &["import", "k.yaml"], "");
        write(&folder.path().join("again.yaml"), &again.stdout);
        assert_eq!(codes("k.json"), codes("k.yaml"));
        assert_eq!(codes("k.json"), codes("again.yaml"));
        assert_eq!(
            codes("k.yaml").iter().any(|message| word.is_some_and(|word| message.contains(word))),
            word.is_some()
        );
    }
}
