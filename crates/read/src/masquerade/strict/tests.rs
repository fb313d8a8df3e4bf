use super::super::reference::tests::file_text;
use super::*;
use MasqueradeReader::{Cilium, Merger, Original, V2};
use proptest::prelude::*;

fn issues(reader: MasqueradeReader, files: &[(&str, &str)]) -> Vec<Issue> {
    strict(reader, &Flags::defaults(reader), &Directory::of(files.iter().map(|(name, text)| (*name, *text))))
}

/// `code [severity] file "bytes": message -> help`
fn shown(files: &[(&str, &str)], issue: &Issue) -> String {
    let text = files.iter().find(|(name, _)| Some(*name) == issue.file.as_deref()).map_or("", |(_, text)| text);
    let words = issue
        .range
        .clone()
        .map_or(String::new(), |range| format!(" {:?}", text.get(range).expect("a range of the text")));
    let severity =
        if issue.severity == issue.code.severity() { String::new() } else { format!(" [{:?}]", issue.severity) };
    format!(
        "{}{severity} {}{words}: {} -> {}",
        issue.code,
        issue.file.as_deref().unwrap_or("-"),
        issue.message,
        issue.help
    )
}

#[track_caller]
fn says(reader: MasqueradeReader, files: &[(&str, &str)], expected: &[&str]) {
    let found: Vec<String> = issues(reader, files).iter().map(|issue| shown(files, issue)).collect();
    assert_eq!(found, expected, "{reader} {files:#?}");
}

#[test]
fn good_files_have_nothing_to_say() {
    says(V2, &[], &[]);
    says(
        V2,
        &[
            ("ip-masq-agent", "nonMasqueradeCIDRs: [10.0.0.0/16, 192.168.0.0/16]\nmasqLinkLocal: false\n"),
            ("..data", ""),
        ],
        &[],
    );
    says(V2, &[("ip-masq-a", "NonMasqueradeCIDRs: [10.0.0.0/16]"), ("ip-masq-b", "masqLinkLocal: true")], &[]);
    says(Original, &[("ip-masq-agent", "masqLinkLocal: true\nresyncInterval: 60s\ncidrLimit: 70")], &[]);
    says(Cilium, &[("ip-masq-agent", "")], &[]);
}

#[test]
fn entries() {
    says(
        V2,
        &[(
            "ip-masq-agent",
            "nonMasqueradeCIDRs:\n- 10.0.0.1/8\n- 10.0.0.0/08\n- 10.0.0.0/016\n- fd00::/8\n- 10.0.0.0\n-\n- \"\"\n- 5\n- ' 10.0.0.0/8'\n",
        )],
        &[
            "masq-config-rejected ip-masq-agent \"10.0.0.1/8\": `10.0.0.1/8` has host bits set, and the agent takes aligned ranges only -> write `10.0.0.0/8`",
            "masq-config-rejected ip-masq-agent \"10.0.0.0/08\": `10.0.0.0/08` passes the agent's own check, and iptables-restore refuses it -> write `10.0.0.0/8`",
            "masq-prefix-misread ip-masq-agent \"10.0.0.0/016\": `10.0.0.0/016` becomes `10.0.0.0/14` in the kernel -> write `10.0.0.0/16`",
            "masq-config-rejected ip-masq-agent \"fd00::/8\": `fd00::/8` is IPv6, and the agent runs without `--enable-ipv6` -> add the flag, or remove the entry",
            "masq-config-rejected ip-masq-agent \"10.0.0.0\": `10.0.0.0` has no prefix length -> write `10.0.0.0/32` for this one address, or the prefix length of the range you mean",
            "masq-item-null ip-masq-agent \"\": `nonMasqueradeCIDRs` has an entry with nothing in it -> fill it in or remove it; a template was probably rendered with a value missing",
            "masq-item-null ip-masq-agent \"\\\"\\\"\": `nonMasqueradeCIDRs` has an empty entry -> fill it in or remove it; a template was probably rendered with a value missing",
            "masq-config-rejected ip-masq-agent \"5\": an entry of `nonMasqueradeCIDRs` must be a range such as `10.0.0.0/16`, not a number -> write a range, in quotes if YAML takes it for something else",
            "masq-config-rejected ip-masq-agent \"' 10.0.0.0/8'\": ` 10.0.0.0/8` has white space around it -> write `10.0.0.0/8`",
        ],
    );
}

#[test]
fn the_agents_own_line_is_evidence() {
    let found = issues(V2, &[("ip-masq-agent", "nonMasqueradeCIDRs: [10.0.0.1/8]")]);
    assert_eq!(
        found[0].evidence,
        [
            "the agent logs: the daemon encountered an error: error syncing configuration: config file \"ip-masq-agent\" is invalid: \
          CIDR \"10.0.0.1/8\" is not aligned to a CIDR block, ip: \"10.0.0.1\" network: \"10.0.0.0/8\""
        ]
    );
}

#[test]
fn lists_that_leave_nothing() {
    let tail = "that leaves the node is translated, those between pods included -> list the ranges pods reach with their own address; to have the built-in list, remove the file";
    let line = |rest: &str| format!("masq-list-empty ip-masq-agent{rest} {tail}");
    for (reader, text, rest) in [
        (V2, "", ": `ip-masq-agent` has no `nonMasqueradeCIDRs`, so every packet"),
        (V2, "masqLinkLocal: true", ": `ip-masq-agent` has no `nonMasqueradeCIDRs`, so every packet"),
        (V2, "nonMasqueradeCIDRs:", ": `ip-masq-agent` has no `nonMasqueradeCIDRs`, so every packet"),
        (V2, "nonMasqueradeCIDRs: []", " \"[]\": `nonMasqueradeCIDRs` is empty, so every packet"),
        (Original, "nonMasqueradeCIDRs: []", " \"[]\": `nonMasqueradeCIDRs` is empty, so every packet"),
        (Cilium, "{}", ": `ip-masq-agent` has no `nonMasqueradeCIDRs`, so every packet"),
        (
            Cilium,
            "nonMasqueradeCIDRs: ['fd00::/8']",
            " \"['fd00::/8']\": `nonMasqueradeCIDRs` has IPv6 ranges only, so every IPv4 packet",
        ),
    ] {
        says(reader, &[("ip-masq-agent", text)], &[&line(rest)]);
    }
    // Another file's list is enough, and the original agent keeps its own.
    says(V2, &[("ip-masq-agent", ""), ("ip-masq-b", "nonMasqueradeCIDRs: [10.0.0.0/8]")], &[]);
    says(Original, &[("ip-masq-agent", "")], &[]);
}

#[test]
fn keys() {
    says(
        V2,
        &[(
            "ip-masq-agent",
            "nonMasqueradeCIDRs: [10.0.0.0/8]\nnonMasqueradeCIDR: [x]\nresyncInterval: 60s\ncidrLimit: 5\nfoo: 1\n",
        )],
        &[
            "masq-unknown-key [Warning] ip-masq-agent \"nonMasqueradeCIDR\": `nonMasqueradeCIDR` is no key ip-masq-agent-v2 knows, and is ignored -> did you mean `nonMasqueradeCIDRs`?",
            "masq-unknown-key ip-masq-agent \"resyncInterval\": `resyncInterval` is a key of the original ip-masq-agent; ip-masq-agent-v2 ignores it -> use the flag `--resync-interval` instead, or remove the key",
            "masq-unknown-key ip-masq-agent \"cidrLimit\": `cidrLimit` is a key of the original ip-masq-agent; ip-masq-agent-v2 ignores it -> remove the key",
            "masq-unknown-key ip-masq-agent \"foo\": `foo` is no key ip-masq-agent-v2 knows, and is ignored -> remove it; the keys are `nonMasqueradeCIDRs`, `masqLinkLocal`, `masqLinkLocalIPv6`",
        ],
    );
    says(
        V2,
        &[(
            "ip-masq-agent",
            "nonMasqueradeCIDRs: [10.0.0.0/8]\nnonMasqueradeCIDRs: [11.0.0.0/8]\nNonMasqueradeCIDRs: [12.0.0.0/8]\n",
        )],
        &[
            "masq-key-repeated ip-masq-agent \"nonMasqueradeCIDRs\": `nonMasqueradeCIDRs` is written again later, and only the later one counts -> keep one of them, with all values",
            "masq-key-repeated ip-masq-agent \"NonMasqueradeCIDRs\": `NonMasqueradeCIDRs` and `nonMasqueradeCIDRs` are the same key to the agent, and only the value of `nonMasqueradeCIDRs` counts -> keep one of them, with all values",
        ],
    );
}

#[test]
fn files() {
    says(
        V2,
        &[
            ("masq.yaml", "nonMasqueradeCIDRs: [10.0.0.0/8]"),
            ("ip-masq-agent", "nonMasqueradeCIDRs: [10.0.0.0/8]\n---\nmasqLinkLocal: true\n"),
        ],
        &[
            "masq-file-ignored ip-masq-agent \"---\": `ip-masq-agent` holds a second YAML document, which is not read -> put everything into the first document, or the rest into another file",
            "masq-file-ignored masq.yaml: `masq.yaml` is not read: ip-masq-agent-v2 reads files whose names start with `ip-masq` -> name it `ip-masq-masq.yaml`, or remove it",
        ],
    );
    says(
        Cilium,
        &[("ip-masq-agent-reconciled", "")],
        &[
            "masq-file-ignored ip-masq-agent-reconciled: `ip-masq-agent-reconciled` is not read: cilium reads the file `ip-masq-agent` only -> put what it says into `ip-masq-agent`, or remove it",
        ],
    );
    says(
        V2,
        &[("ip-masq-agent", "a: [")],
        &[
            "masq-config-rejected ip-masq-agent \"[\": `ip-masq-agent` is no YAML or JSON the agent can read: yaml: did not find expected node content -> correct the text here, or before it",
        ],
    );
}

#[test]
fn files_together() {
    let first = "nonMasqueradeCIDRs: [10.0.0.0/8, 192.168.0.0/16]\nmasqLinkLocal: true";
    let second = "nonMasqueradeCIDRs: [10.1.0.0/16, 192.168.0.0/16]\nmasqLinkLocal: false";
    says(
        V2,
        &[("ip-masq-a", first), ("ip-masq-b", second)],
        &[
            "masq-entry-redundant ip-masq-b \"10.1.0.0/16\": `10.1.0.0/16` lies in `10.0.0.0/8` in `ip-masq-a`, which is exempt already -> remove it; it changes nothing",
            "masq-entry-redundant ip-masq-b \"192.168.0.0/16\": `192.168.0.0/16` stands there already in `ip-masq-a` -> remove it; it changes nothing",
            "masq-files-contradict ip-masq-b \"false\": `masqLinkLocal: false` has no effect: `ip-masq-a` says true -> booleans of all files are ORed; to have false, remove `masqLinkLocal` from `ip-masq-a`",
        ],
    );
}

#[test]
fn nobody_is_told_to_change_the_file_aks_keeps() {
    let users = "nonMasqueradeCIDRs: [10.0.0.0/8]\nmasqLinkLocal: false";
    let theirs = "NonMasqueradeCIDRs: [10.244.0.0/16]\nMasqLinkLocal: true";
    says(
        V2,
        &[("ip-masq-agent", users), ("ip-masq-agent-reconciled", theirs)],
        &[
            "masq-files-contradict ip-masq-agent \"false\": `masqLinkLocal: false` has no effect: `ip-masq-agent-reconciled` says true -> booleans of all files are ORed, and AKS keeps `ip-masq-agent-reconciled`; remove `masqLinkLocal` here",
        ],
    );
}

#[test]
fn other_readers() {
    says(
        Cilium,
        &[("ip-masq-agent", "nonMasqueradeCIDRs: [2.2.2.2/16, '::ffff:10.0.0.0/104', 10.0.0.0/8]")],
        &[
            "masq-prefix-misread [Warning] ip-masq-agent \"2.2.2.2/16\": `2.2.2.2/16` has host bits set, and becomes `2.2.0.0/16` -> write `2.2.0.0/16` if that is meant",
            "masq-prefix-misread ip-masq-agent \"'::ffff:10.0.0.0/104'\": `::ffff:10.0.0.0/104` is an IPv6 range to Cilium, and no IPv4 packet is exempt by it -> write `10.0.0.0/8`",
        ],
    );
    says(
        Merger,
        &[("ip-masq-agent", "nonMasqueradeCIDRs: [10.0.0.0/08]")],
        &[
            "masq-config-rejected ip-masq-agent \"10.0.0.0/08\": `10.0.0.0/08` passes the merger, and Cilium refuses the file it writes -> write `10.0.0.0/8`",
        ],
    );
    says(
        Original,
        &[("ip-masq-agent", "resyncInterval: 60")],
        &[
            "masq-config-rejected ip-masq-agent \"60\": the configuration is refused: expected string value for unmarshal to field of type Duration, got \"60\" -> correct what the message names",
        ],
    );
}

#[test]
fn too_many_entries_point_at_the_first_that_is_too_much() {
    let list: String = (0..66).map(|at| format!("- 10.{at}.0.0/16\n")).collect();
    let text = format!("nonMasqueradeCIDRs:\n{list}");
    says(
        V2,
        &[("ip-masq-agent", &text)],
        &[
            "masq-config-rejected ip-masq-agent \"10.64.0.0/16\": `ip-masq-agent` lists 66 ranges, and the agent takes 64 per file -> join neighbouring ranges, or move some to a second file: the limit is per file",
        ],
    );
}

proptest! {
    #[test]
    fn what_an_agent_refuses_is_never_passed_over(
        reader in prop::sample::select(MasqueradeReader::ALL.to_vec()),
        texts in prop::collection::vec(file_text(), 1..3),
        ipv6 in any::<bool>(),
    ) {
        let flags = Flags { enable_ipv6: ipv6, ..Flags::defaults(reader) };
        let name = |at: usize| if at == 0 { "ip-masq-agent".to_owned() } else { format!("ip-masq-{at}") };
        let directory = Directory::of(texts.iter().enumerate().map(|(at, text)| (name(at), text.as_str())));
        let found = strict(reader, &flags, &directory);
        let refused = reference::reference(reader, &flags, &directory).is_err();
        let said = found.iter().any(|issue| matches!(issue.code, codes::MASQ_CONFIG_REJECTED | codes::MASQ_ITEM_NULL));
        if refused {
            prop_assert!(said, "{texts:?}: {found:?}");
        }
        // The other way round too, but for an empty entry in whose place an earlier list has one.
        let repeated = found.iter().any(|issue| issue.code == codes::MASQ_KEY_REPEATED);
        if said && reader != Original && !repeated {
            prop_assert!(refused, "{texts:?}: {found:?}");
        }
        for issue in &found {
            if let (Some(file), Some(range)) = (&issue.file, &issue.range) {
                let text = texts.iter().enumerate().find(|(at, _)| name(*at) == *file).map(|(_, text)| text).unwrap();
                prop_assert!(text.get(range.clone()).is_some(), "{range:?} of {text:?}");
            }
        }
    }
}
