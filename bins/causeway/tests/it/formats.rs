//! What programs and pipelines read.

use crate::support::{TODAY, check_text, read, root, run_in, write};
use serde_json::Value;

/// A design with names nobody should choose, an accepted finding, errors, warnings and an expectation.
fn nasty() -> String {
    let name = "a&b <c> \\\"d\\\" 'e' ]]> \\u0001\\u001b[31m \\u202e ü \\U0001F600";
    format!(
        "\
causeway: 1
name: \"{name}\"
networks:
  \"{name}\":
    prefixes: [10.0.0.1/16, 172.30.0.0/24]
    subnets: {{\"n&<\": {{prefix: 10.0.0.0/28, other: {{nics: 1}}}}}}
clusters:
  \"{name}\":
    mode: overlay
    serviceCidr: 172.31.0.0/16
    pools: {{system: {{nodes: {{count: 20}}, subnet: \"{name}/n&<\"}}}}
accept: [{{finding: subnet-shared, because: \"{name}\"}}]
expect: [{{name: \"{name}\", from: internet, to: 10.0.0.4, verdict: dropped}}]
"
    )
}

fn print(kind: &str, design: &str) -> crate::support::Run {
    run_in(&root(), &["check", "-", "--format", kind, "--as-of", TODAY], design)
}

#[test]
fn json_has_the_fields_of_the_contract() {
    let answer = check_text(&nasty()).json();
    for key in ["causeway", "design", "findings", "capacity", "expectations", "checklist", "summary"] {
        assert!(answer.get(key).is_some(), "{key}");
    }
    assert_eq!(answer["causeway"], 1);
    let findings = answer["findings"].as_array().unwrap();
    assert!(!findings.is_empty());
    for finding in findings.iter().chain(answer["accepted"].as_array().unwrap()) {
        for key in ["code", "severity", "message", "help", "object", "on", "source", "evidence", "since"] {
            assert!(finding.get(key).is_some(), "{key} in {finding}");
        }
        let source = &finding["source"];
        assert_eq!(source["file"], "stdin", "{finding}");
        assert!(source["line"].as_u64() >= Some(1) && source["column"].as_u64() >= Some(1), "{finding}");
    }
    let count = |severity: &str| findings.iter().filter(|finding| finding["severity"] == severity).count();
    assert_eq!(answer["summary"]["errors"], count("error"));
    assert_eq!(answer["summary"]["warnings"], count("warning"));
    assert_eq!(answer["summary"]["infos"], count("info"));
    assert_eq!(answer["summary"]["accepted"], 1);
    assert_eq!(answer["accepted"][0]["because"].as_str().map(|text| text.contains('\u{1b}')), Some(true));
    assert!(answer["capacity"]["pools"].is_array() && answer["capacity"]["clusters"].is_array());
    for line in answer["checklist"].as_array().unwrap() {
        for key in ["line", "answer", "because", "needs"] {
            assert!(line[key].is_string(), "{key} in {line}");
        }
        assert!(["yes", "no", "unknown"].contains(&line["answer"].as_str().unwrap()), "{line}");
    }
}

#[test]
fn sarif_is_what_its_schema_asks_for() {
    let log = print("sarif", &nasty()).json();
    assert_eq!(log["version"], "2.1.0");
    assert!(log["$schema"].as_str().unwrap().contains("sarif-2.1.0"));
    let run = &log["runs"][0];
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["name"], "causeway");
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    let rules = driver["rules"].as_array().unwrap();
    for rule in rules {
        for key in ["shortDescription", "fullDescription", "help"] {
            assert!(rule[key]["text"].as_str().is_some_and(|text| !text.is_empty()), "{key} in {rule}");
        }
    }
    let artifacts = run["artifacts"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    assert!(results.len() > 3);
    let mut fingerprints = std::collections::BTreeSet::new();
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()), "{result}");
        assert!(result["message"]["text"].as_str().is_some_and(|text| !text.is_empty()));
        let place = &result["locations"][0]["physicalLocation"];
        let artifact = usize::try_from(place["artifactLocation"]["index"].as_u64().unwrap()).unwrap();
        assert_eq!(artifacts[artifact]["location"]["uri"], place["artifactLocation"]["uri"]);
        let region = &place["region"];
        for key in ["startLine", "startColumn", "endLine", "endColumn"] {
            assert!(region[key].as_u64() >= Some(1), "{key} in {region}");
        }
        let fingerprint = result["partialFingerprints"]["causewayFinding/v1"].as_str().unwrap();
        assert!(fingerprints.insert(fingerprint.to_owned()), "{fingerprint} stands twice");
    }
    let suppressed: Vec<&Value> = results.iter().filter(|result| result.get("suppressions").is_some()).collect();
    assert_eq!(suppressed.len(), 1);
    assert_eq!(suppressed[0]["ruleId"], "subnet-shared");
    assert_eq!(suppressed[0]["suppressions"][0]["kind"], "inSource");
}

#[test]
fn fingerprints_stay_when_lines_move() {
    let fingerprints = |design: &str| -> Vec<String> {
        let log = print("sarif", design).json();
        let results = log["runs"][0]["results"].as_array().unwrap().clone();
        results.iter().map(|result| result["partialFingerprints"].to_string()).collect()
    };
    let moved = nasty().replace("networks:", "# a comment\n\nnetworks:");
    assert_eq!(fingerprints(&nasty()), fingerprints(&moved));
}

/// Elements in order with their attributes; panics unless the text is well-formed XML without a document type.
fn elements(xml: &str) -> Vec<(String, String)> {
    let allowed =
        |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    assert!(xml.chars().all(allowed), "a character XML can't hold");
    let mut rest = xml.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>").expect("the declaration");
    let (mut open, mut all) = (Vec::new(), Vec::new());
    while let Some((text, tag)) = rest.split_once('<') {
        entities(text);
        let (tag, after) = tag.split_once('>').expect("the tag ends");
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name));
            continue;
        }
        let (tag, empty) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        entities(attributes);
        assert_eq!(attributes.matches('"').count() % 2, 0, "{attributes}");
        all.push((name.to_owned(), attributes.to_owned()));
        if !empty {
            open.push(name.to_owned());
        }
    }
    assert!(open.is_empty(), "{open:?}");
    all
}

/// Every `&` begins an entity.
fn entities(text: &str) {
    for part in text.split('&').skip(1) {
        let name = part.split_once(';').expect("the entity ends").0;
        let number = name.strip_prefix('#').is_some_and(|number| number.parse::<u32>().is_ok());
        assert!(number || ["amp", "lt", "gt", "quot", "apos"].contains(&name), "&{name};");
    }
}

#[test]
fn junit_is_well_formed_and_counts_right() {
    for design in [nasty(), "causeway: 1\nname: fine\n".to_owned(), "causeway: \"<\\u0001\"\n".to_owned()] {
        let run = print("junit", &design);
        let elements = elements(&run.stdout);
        let count = |name: &str| elements.iter().filter(|(element, _)| element == name).count();
        let stated = |key: &str| -> usize {
            let (_, attributes) = elements.iter().find(|(name, _)| name == "testsuites").unwrap();
            attributes.split(&format!("{key}=\"")).nth(1).unwrap().split('"').next().unwrap().parse().unwrap()
        };
        assert_eq!(stated("tests"), count("testcase"));
        assert_eq!(stated("failures"), count("failure"));
        assert_eq!(stated("errors"), count("error"));
        assert_eq!(stated("skipped"), count("skipped"));
        assert_eq!(run.code == 0, count("failure") + count("error") == 0, "{}", run.stdout);
    }
}

#[test]
fn people_are_not_steered_by_names() {
    let run = print("human", &nasty());
    assert!(!run.stdout.contains('\u{1b}') && !run.stdout.contains('\u{202e}'), "{}", run.stdout);
    let quiet = run_in(&root(), &["check", "-", "-q", "--as-of", TODAY], &nasty());
    assert!(!quiet.stdout.contains('\u{1b}'), "{}", quiet.stdout);
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    for kind in ["human", "json", "sarif", "junit"] {
        assert_eq!(print(kind, &nasty()).stdout, print(kind, &nasty()).stdout, "{kind}");
    }
}

#[test]
fn several_formats_are_written_at_once() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("d.yaml"), nasty());
    let args = ["check", "d.yaml", "--as-of", TODAY, "--format", "human", "--format", "json=a.json"];
    let more = ["--format", "sarif=a.sarif", "--format", "junit=a.xml", "--color", "always"];
    let run = run_in(folder.path(), &[&args[..], &more[..]].concat(), "");
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stdout.contains("error"));
    let file = |name: &str| read(&folder.path().join(name));
    let json: Value = serde_json::from_str(&file("a.json")).unwrap();
    assert_eq!(json["findings"][0]["source"]["file"], "d.yaml");
    let sarif: Value = serde_json::from_str(&file("a.sarif")).unwrap();
    assert_eq!(sarif["runs"][0]["artifacts"][0]["location"]["uri"], "d.yaml");
    elements(&file("a.xml"));
}

#[test]
fn a_file_that_cannot_be_written_is_an_error() {
    let run = print("json=no/such/folder/a.json", "causeway: 1\nname: fine\n");
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("`no/such/folder/a.json` can't be written"), "{}", run.stderr);
}

#[test]
fn errors_stand_in_the_formats_too_and_never_look_like_an_answer() {
    let broken = "causeway: 1\nclusters: {prod: {mode: overlai}}\n";
    let json = print("json", broken);
    assert_eq!(json.code, 2);
    assert!(json.stderr.contains("overlai"), "people are told as well: {}", json.stderr);
    let json = json.json();
    assert!(json.get("findings").is_none() && json.get("summary").is_none(), "{json}");
    assert_eq!(json["errors"][0]["source"]["line"], 2);
    let sarif = print("sarif", broken).json();
    let invocation = &sarif["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    assert_eq!(invocation["toolExecutionNotifications"].as_array().map(Vec::len), Some(1));
    let junit = print("junit", broken).stdout;
    assert!(elements(&junit).iter().any(|(name, _)| name == "error"), "{junit}");
}

#[test]
fn many_findings_worth_knowing_do_not_bury_the_others() {
    let design = |pools: usize| {
        let pool = |at: usize| format!("      p{at}: {{nodes: 1, maxPods: 30, maxSurge: 1, subnet: spoke/nodes}}\n");
        let pools: String = (0..pools).map(pool).collect();
        format!(
            "causeway: 1\nnetworks: {{spoke: {{prefixes: [10.0.0.0/16], subnets: {{nodes: {{prefix: 10.0.0.0/24}}}}}}}}\nclusters:\n  c:\n    mode: overlay\n    podCidr: 10.244.0.0/16\n    serviceCidr: 172.16.0.0/16\n    outbound: loadBalancer\n    pools:\n{pools}"
        )
    };
    let shown = |pools: usize, more: &[&str]| {
        let arguments: Vec<&str> = ["check", "-"].iter().chain(more).copied().collect();
        let answer = run_in(&root(), &arguments, &design(pools)).seen();
        (answer.matches("info[max-pods-low]: pool").count(), answer.contains("info[max-pods-low]: 4 more findings"))
    };
    assert_eq!(shown(12, &[]), (8, true));
    assert_eq!(shown(12, &["-v"]), (12, false));
    assert_eq!(shown(8, &[]), (8, false));
}
