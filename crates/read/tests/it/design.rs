//! Design files.

use causeway_read::files::MemoryFiles;
use causeway_read::{Input, Loaded, load};

fn read(text: &str) -> Loaded {
    read_with(text, &[])
}

fn read_with(text: &str, files: &[(&str, &str)]) -> Loaded {
    let files = MemoryFiles(files.iter().map(|(name, text)| (name.to_string(), text.as_bytes().to_vec())).collect());
    let input = Input { name: "design.yaml".into(), bytes: text.as_bytes().to_vec(), kind: None, found: false };
    load(vec![input], &files)
}

/// Every error as `line:column message [help]`.
fn errors(text: &str) -> Vec<String> {
    let loaded = read(text);
    let Err(errors) = loaded.outcome else { return Vec::new() };
    errors
        .iter()
        .map(|error| {
            let at = error.at.map(|span| loaded.sources.position(span));
            let at = at.map_or(String::new(), |at| format!("{}:{} ", at.line, at.column));
            let help = if error.help.is_empty() { String::new() } else { format!(" [{}]", error.help) };
            format!("{at}{}{help}", error.message)
        })
        .collect()
}

#[test]
fn all_semantic_errors_are_reported_at_once_with_places_and_suggestions() {
    let text = "\
causeway: 1
networks:
  spoke:
    prefixes: [10.0.0.0/16, 10.1.0.0/33]
    subnets:
      nodes: {prefix: 10.0.0.0/24, routeTable: podz, natGatway: egress}
routeTables:
  pods: {routes: [{name: default, prefix: 0.0.0.0/0, nextHop: {appliance: 10.0.0.04}}]}
clusters:
  prod:
    mode: overlayed
    serviceCIDR: 10.2.0.0/16
    pools:
      system: {nodes: {count: 3}, subnet: spoke/node}
expect:
  - {from: pod/default/app, to: host/erp:443, verdict: deliverd}
";
    assert_eq!(
        errors(text),
        [
            "4:29 `networks.spoke.prefixes.1`: the prefix length `/33` is too long for IPv4 [an IPv4 prefix length is between 0 and 32]",
            "6:48 unknown route table `podz` [did you mean `pods`?]",
            "6:54 `networks.spoke.subnets.nodes` has no field `natGatway` [did you mean `natGateway`?]",
            "8:63 `routeTables.pods.routes.0.nextHop` must be the address of the appliance: `04` in `10.0.0.04` has a leading zero \
             [some programs read a leading zero as octal; write `10.0.0.4` if decimal is meant]",
            "11:11 `clusters.prod.mode` can't be `overlayed` [did you mean `overlay`?]",
            "12:5 `clusters.prod` has no field `serviceCIDR` [did you mean `serviceCidr`?]",
            "14:43 unknown subnet `spoke/node` [did you mean `spoke/nodes`?]",
            "16:12 `pod/default/app` is nobody this design knows [write `pod/NS/NAME`, `service/NS/NAME`, `node/NAME`, `host/NAME`, \
             `pool/CLUSTER/NAME`, `apiServer/CLUSTER`, `internet`, an address or a DNS name]",
            "16:33 `host/erp` is nobody this design knows [write `pod/NS/NAME`, `service/NS/NAME`, `node/NAME`, `host/NAME`, \
             `pool/CLUSTER/NAME`, `apiServer/CLUSTER`, `internet`, an address or a DNS name]",
            "16:56 `expect.0.verdict` can't be `deliverd` [did you mean `delivered`?]",
        ]
    );
}

#[test]
fn masquerade_files_are_read_where_they_lie_and_keep_their_lines() {
    let text = "\
causeway: 1
clusters:
  prod:
    mode: overlay
    masquerade:
      files:
        ip-masq-agent: {path: ./masq.yaml}
        ip-masq-inline: |
          nonMasqueradeCIDRs:
            - 10.0.0.0/8
";
    let loaded = read_with(text, &[("masq.yaml", "nonMasqueradeCIDRs:\n- 10.0.0.0/16\n")]);
    let read = loaded.outcome.unwrap();
    let files = &read.design.clusters["prod"].masquerade.as_ref().unwrap().files;
    let lines = |name: &str| {
        let file = &files[name];
        file.lines.iter().map(|line| (loaded.sources.position(*line), loaded.sources.slice(*line))).collect::<Vec<_>>()
    };
    let place = |file: &str, line, column| causeway_model::source::Position { file: file.into(), line, column };
    assert_eq!(
        lines("ip-masq-agent"),
        [(place("masq.yaml", 1, 1), "nonMasqueradeCIDRs:"), (place("masq.yaml", 2, 1), "- 10.0.0.0/16")]
    );
    assert_eq!(
        lines("ip-masq-inline"),
        [(place("design.yaml", 9, 11), "nonMasqueradeCIDRs:"), (place("design.yaml", 10, 11), "  - 10.0.0.0/8")]
    );
}

#[test]
fn the_version_of_the_language_is_asked_for() {
    assert_eq!(
        errors("networks: {a: {prefixes: [10.0.0.0/16]}}\n"),
        ["`causeway: 1` is missing: it says which version of the language this is [write `causeway: 1` on top]"]
    );
    assert_eq!(
        errors("causeway: 2\n"),
        ["1:11 this program reads version 1 of the language, not 2 [write `causeway: 1`]"]
    );
}

#[test]
fn what_two_design_files_say_of_the_design_itself_must_agree() {
    let errors = |one: &str, other: &str| {
        let files = [("one.yaml", one), ("two.yaml", other)];
        let inputs = files.map(|(name, text)| Input {
            name: name.to_owned(),
            bytes: text.as_bytes().to_vec(),
            kind: None,
            found: true,
        });
        let loaded = load(inputs.to_vec(), &MemoryFiles::default());
        let errors = loaded.outcome.err().unwrap_or_default();
        errors.into_iter().map(|error| error.message).collect::<Vec<_>>()
    };
    let networks = "networks: {a: {prefixes: [10.0.0.0/16]}}\n";
    let said = |what: &str| format!("causeway: 1\n{what}\n{networks}");
    assert_eq!(
        errors(&said("name: east"), &said("name: west")),
        ["`name` is defined twice: `east` at one.yaml:2, `west` here"]
    );
    assert_eq!(
        errors(&said("growth: {months: 12}"), &said("growth: {months: 24}")),
        ["`growth.months` is defined twice: `12` at one.yaml:2, `24` here"]
    );
    assert_eq!(
        errors(&said("name: east"), "causeway: 2\n"),
        ["`causeway` is defined twice: `1` at one.yaml:1, `2` here"]
    );
    assert_eq!(errors(&said("name: east"), &said("name: \"east\"")), [""; 0]);
    assert_eq!(errors(&said("name: east"), "causeway: 1\ngrowth: {months: 12}\n"), [""; 0]);
}
