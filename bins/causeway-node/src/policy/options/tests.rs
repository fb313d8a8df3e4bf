use super::*;
use std::collections::BTreeSet;

fn read(arguments: &[&str]) -> Result<Options, String> {
    let arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
    super::read(&arguments, Some("host".to_owned())).map_err(|error| error.to_string())
}

#[test]
fn what_is_not_said_has_a_default() {
    let options = read(&["--manifests", "x", "--node-name", "n0"]).unwrap();
    assert_eq!((options.job, options.node.as_str(), options.pod_ranges), (Job::Run, "n0", None));
    assert_eq!((options.log_rate, options.log_group, options.metrics_address), (10, 4617, None));
    assert_eq!(read(&["--manifests", "x", "--node-name", " "]).unwrap().node, "host");
    assert_eq!(read(&["--cleanup"]).unwrap().job, Job::Cleanup);
}

#[test]
fn ranges_are_read_and_none_is_none() {
    let ranges = |texts: &str| read(&["--manifests", "x", "--pod-cidrs", texts]).map(|options| options.pod_ranges);
    let two = ["10.1.0.0/24", "fd00::/64"].map(|text| text.parse::<Cidr>().unwrap()).to_vec();
    assert_eq!(ranges("fd00::/64,10.1.0.0/24,10.1.0.0/24").unwrap(), Some(two));
    assert_eq!(ranges("none").unwrap(), Some(Vec::new()));
    assert!(ranges("none,10.1.0.0/24").unwrap_err().contains("stands alone"));
    assert!(ranges("10.1.0.0/33").unwrap_err().contains("`--pod-cidrs`"));
}

#[test]
fn what_makes_no_sense_is_refused() {
    for (arguments, words) in [
        (&["--manifests"] as &[&str], "--manifests"),
        (&[], "--manifests"),
        (&["--manifests", "x", "--once", "--dry-run"], "cannot be used with"),
        (&["--manifests", "x", "--metrics-address", "nonsense"], "no address to listen at"),
        (&["--manifests", "x", "--resync-interval", "0"], "0"),
        (&["--manifests", "x", "--deny-log-rate", "1001"], "1001"),
        (&["--manifests", "x", "more"], "more"),
    ] {
        let message = read(arguments).unwrap_err();
        assert!(message.contains(words), "{arguments:?}: {message}");
    }
}

#[test]
fn the_guide_has_every_flag_and_no_other() {
    let guide = include_str!("../../../../../docs/guide/policy-enforcement.md");
    let mut command = Written::command();
    command.build();
    let own = command.get_arguments().filter_map(|flag| flag.get_long());
    let own: BTreeSet<&str> = own.filter(|name| !["help", "version"].contains(name)).collect();
    let rows = guide.lines().filter_map(|line| line.strip_prefix("| `--")?.split('`').next());
    assert_eq!(rows.collect::<BTreeSet<_>>(), own);
}

#[test]
fn examples_of_the_help_are_read() {
    let mut read_at_least = 0;
    for line in EXAMPLES.lines().filter_map(|line| line.trim().strip_prefix("causeway-node policy ")) {
        let words = line.split("    ").next().unwrap().split_whitespace();
        let arguments: Vec<&str> = words.take_while(|word| word.starts_with(['-', '.', '/', 'a', ':', '1'])).collect();
        assert!(read(&arguments).is_ok(), "{arguments:?}: {:?}", read(&arguments));
        read_at_least += 1;
    }
    assert_eq!(read_at_least, 5);
}
