//! Commands, options and exit codes.

use crate::support::{TODAY, check_text, program, root, run, run_in, write};
use std::io::Read as _;
use std::process::Stdio;

/// One warning (a guest on a node subnet), nothing else.
const WARNING: &str = "\
causeway: 1
name: warm
networks:
  spoke:
    prefixes: [10.0.0.0/16]
    subnets: {nodes: {prefix: 10.0.0.0/24, natGateway: egress, other: {nics: 1}}}
natGateways: {egress: {publicIps: [203.0.113.10]}}
clusters:
  prod:
    version: \"1.34\"
    mode: overlay
    dataplane: azure
    networkPolicy: none
    podCidr: 10.244.0.0/16
    serviceCidr: 172.16.0.0/16
    dnsServiceIp: 172.16.0.10
    outbound: {type: userAssignedNATGateway}
    pools: {system: {nodes: {count: 3}, maxPods: 110, maxSurge: 1, subnet: spoke/nodes}}
";

/// The same with an error: the reserved range.
fn error() -> String {
    WARNING.replace("serviceCidr: 172.16.", "serviceCidr: 172.30.").replace("Ip: 172.16.", "Ip: 172.30.")
}

fn check(design: &str, options: &[&str]) -> crate::support::Run {
    let mut args = vec!["check", "-", "--as-of", TODAY];
    args.extend(options);
    run_in(&root(), &args, design)
}

#[test]
fn help_lists_what_is_built_and_nothing_else() {
    let run = run(&["--help"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    let listed: Vec<&str> = run
        .stdout
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(
        listed,
        [
            "check",
            "trace",
            "capacity",
            "diff",
            "masq-diff",
            "policy",
            "import",
            "explain",
            "schema",
            "completions",
            "man",
            "help"
        ]
    );
}

#[test]
fn help_fits_and_has_examples() {
    for command in ["check", "capacity", "diff", "masq-diff", "policy", "import", "explain", "schema", "completions"] {
        let run = run(&[command, "--help"]);
        assert_eq!(run.code, 0, "{command}");
        assert!(run.stdout.contains("Example") && run.stdout.contains(&format!("causeway {command}")), "{command}");
        let widest = run.stdout.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(widest <= 100, "{command}: {widest} columns");
    }
}

#[test]
fn the_program_without_a_command_says_how_it_is_used() {
    let run = run(&[]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
    assert!(run.stderr.contains("Usage: causeway <COMMAND>"), "{}", run.stderr);
}

#[test]
fn exit_codes_follow_the_threshold() {
    let error = error();
    let cases: &[(&str, &[&str], i32)] = &[
        (WARNING, &[], 0),
        (WARNING, &["--deny", "warning"], 1),
        (WARNING, &["--deny", "info"], 1),
        (WARNING, &["--deny", "warning", "--allow", "subnet-shared"], 0),
        (&error, &[], 1),
        (&error, &["--allow", "reserved-range"], 0),
        (&error, &["--allow", "reserved-range", "--deny", "warning"], 1),
        (&error, &["--allow", "reserved-range", "--allow", "subnet-shared", "--deny", "warning"], 0),
        ("causeway: 2\n", &[], 2),
        (WARNING, &["--deny", "fatal"], 2),
        (WARNING, &["--allow", "reserved-rang"], 2),
        (WARNING, &["--as-of", "tomorrow"], 2),
        (WARNING, &["--as", "desing"], 2),
        (WARNING, &["--format", "yaml"], 2),
        (WARNING, &["--format", "json="], 2),
        (WARNING, &["--format", "json", "--format", "human"], 2),
        (WARNING, &["-q", "-v"], 2),
    ];
    for (design, options, code) in cases {
        let run = check(design, options);
        assert_eq!(run.code, *code, "{options:?}\n{}{}", run.stdout, run.stderr);
    }
}

#[test]
fn an_allowed_code_is_still_printed_and_not_counted() {
    let run = check(&error(), &["--allow", "reserved-range"]);
    assert!(run.stdout.contains("error[reserved-range]"), "{}", run.stdout);
    assert!(run.stdout.contains("does not count: allowed by `--allow`"), "{}", run.stdout);
    assert!(run.stdout.ends_with("`warm` passed: 0 errors, 1 warning, 0 infos, 1 allowed\n"), "{}", run.stdout);
}

#[test]
fn an_accepted_finding_is_listed_apart_and_not_counted() {
    let design = format!("{WARNING}accept: [{{finding: subnet-shared, on: networks.spoke, because: known}}]\n");
    let run = check(&design, &["--deny", "info"]);
    assert_eq!(run.code, 0, "{}", run.stdout);
    assert!(run.stdout.ends_with("`warm` passed: 0 errors, 0 warnings, 0 infos, 1 accepted\n"), "{}", run.stdout);
    assert!(!run.stdout.contains("warning[subnet-shared]"), "{}", run.stdout);
    let verbose = check(&design, &["-v"]);
    assert!(verbose.stdout.contains("warning[subnet-shared]"), "{}", verbose.stdout);
    assert!(verbose.stdout.contains("accepted: known"), "{}", verbose.stdout);
}

#[test]
fn a_mistyped_code_gets_a_suggestion() {
    for args in [&["explain", "reserved-rang"][..], &["check", "x", "--allow", "reserved_range"]] {
        let run = run(args);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{args:?}");
        assert!(run.stderr.contains("did you mean `reserved-range`?"), "{}", run.stderr);
    }
    let run_question = run(&["explain", "unk.windows-reserve"]);
    assert_eq!((run_question.code, run_question.stdout.as_str()), (2, ""));
    assert!(run_question.stderr.contains("did you mean `unk.windows-reserved`?"), "{}", run_question.stderr);
    assert!(run(&["explain", "banana"]).stderr.contains("`causeway explain` lists all codes"));
}

/// Answers name what nobody has established; whoever reads the name can ask about it.
#[test]
fn open_questions_are_explained() {
    let page = run(&["explain", "unk.windows-reserved"]);
    assert_eq!(page.code, 0, "{}", page.stderr);
    for part in ["# unk.windows-reserved\n", "## How to find out\n", "windowsReservedPercent: 10"] {
        assert!(page.stdout.contains(part), "{part}: {}", page.stdout);
    }
    assert!(run(&["explain"]).stdout.contains("\n  unk.windows-reserved "));
    assert_eq!(run(&["check", "x", "--allow", "unk.windows-reserved"]).code, 2);
}

#[test]
fn an_expectation_nobody_can_evaluate_fails() {
    let design = format!("{WARNING}expect: [{{name: e, from: internet, to: \"10.0.0.4:0\", verdict: dropped}}]\n");
    let run = check(&design, &[]);
    assert_eq!(run.code, 1, "{}", run.stdout);
    assert!(run.stdout.contains("not evaluated: e: "), "{}", run.stdout);
    let answer = check_text(&design).json();
    assert_eq!(answer["summary"]["expectationsFailed"], 1);
    assert_eq!(answer["expectations"][0]["passed"], false);
}

#[test]
fn quiet_says_a_line_per_finding() {
    let run = check(&error(), &["-q"]);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert!(lines[0].starts_with("error[reserved-range]: ") && lines[0].ends_with("(stdin:15:18)"), "{}", lines[0]);
    assert!(lines[1].starts_with("warning[subnet-shared]: "), "{}", lines[1]);
    assert_eq!(lines[2..], ["`warm` failed: 1 error, 1 warning, 0 infos"]);
}

#[test]
fn colour_is_asked_for_or_left_out() {
    let escapes = |options: &[&str]| check(WARNING, options).stdout.contains('\u{1b}');
    assert!(!escapes(&[]));
    assert!(!escapes(&["--color", "never"]));
    assert!(escapes(&["--color", "always"]));
    let plain = check(WARNING, &[]).stdout;
    let coloured = check(WARNING, &["--color", "always"]).stdout;
    let stripped: String = coloured
        .split('\u{1b}')
        .enumerate()
        .map(|(at, part)| if at == 0 { part } else { part.split_once('m').map_or(part, |(_, rest)| rest) })
        .collect();
    assert_eq!(plain, stripped, "colour carries no meaning of its own");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("d.yaml"), WARNING);
    for args in [&["explain"][..], &["schema"], &["check", "d.yaml", "--as-of", TODAY], &["man"]] {
        let mut child =
            program(folder.path()).args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let status = child.wait().unwrap();
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        assert_eq!((status.code(), stderr.as_str()), (Some(0), ""), "{args:?}");
    }
}

#[test]
fn capacity_fails_for_what_does_not_fit() {
    let small = WARNING.replace("10.0.0.0/24", "10.0.0.0/29").replace("count: 3", "count: 9");
    for (design, code) in [(WARNING, 0), (small.as_str(), 1)] {
        let run = run_in(&root(), &["capacity", "-", "--as-of", TODAY], design);
        assert_eq!(run.code, code, "{}{}", run.stdout, run.stderr);
        let json = run_in(&root(), &["capacity", "-", "--format", "json", "--as-of", TODAY], design);
        assert_eq!(json.code, code);
        let json = json.json();
        assert_eq!(json["causeway"], 1);
        let nodes = json["pools"].as_array().unwrap().iter().find(|pool| pool["pool"] == "spoke/nodes").unwrap();
        assert_eq!(nodes["fits"], code == 0, "{nodes}");
        assert!(nodes["because"].is_string(), "{nodes}");
        assert_eq!(json["clusters"][0]["snat"]["type"], "userAssignedNATGateway");
    }
}

#[test]
fn capacity_prints_human_and_json_only() {
    let run = run(&["capacity", "x", "--format", "sarif"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("`capacity` does not print sarif; it prints human and json"), "{}", run.stderr);
}

#[test]
fn completions_and_manual_pages_are_printed() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let run = run(&["completions", shell]);
        assert!(run.code == 0 && run.stdout.contains("capacity"), "{shell}");
    }
    assert!(run(&["man"]).stdout.contains(".TH causeway 1"));
    assert!(run(&["man", "check"]).stdout.contains("\\-\\-checklist"));
    assert!(run(&["man", "trace"]).stdout.contains("\\-\\-matrix"));
    assert_eq!(run(&["man", "lab"]).code, 2);
}

#[test]
fn what_people_see() {
    insta::assert_snapshot!("check_human", check(&error(), &[]).seen());
    insta::assert_snapshot!("check_errors", check("causeway: 1\nclusters: {prod: {mode: overlai}}\n", &[]).seen());
    insta::assert_snapshot!("explain_list", run(&["explain"]).stdout.lines().take(3).collect::<Vec<_>>().join("\n"));
    insta::assert_snapshot!("capacity_human", run_in(&root(), &["capacity", "-", "--as-of", TODAY], WARNING).seen());
}
