use super::*;

fn judged(careful: bool, files: &[(&str, &str)]) -> Judged {
    let directory = Directory::of(files.iter().map(|(name, text)| (*name, *text)));
    judge(&Flags::defaults(V2), careful, Path::new("/etc/config"), &directory)
}

/// `ip-masq-a: 2 | ip-masq-b: refused (why) => what the good ones come to`
fn shown(judged: &Judged) -> String {
    let files = judged.files.iter().map(|(name, file)| match &file.refused {
        Some(why) => format!("{name}: refused ({why})"),
        None => format!("{name}: {}", file.entries),
    });
    let files: Vec<String> = files.collect();
    let union = match &judged.accepted {
        None => "nothing".to_owned(),
        Some(accepted) if accepted.defaults => "defaults".to_owned(),
        Some(accepted) => accepted.texts.join(" "),
    };
    format!("{} => {union}", files.join(" | "))
}

#[test]
fn each_file_has_a_verdict_of_its_own() {
    let good = "nonMasqueradeCIDRs: [10.0.0.0/8]";
    let other = "nonMasqueradeCIDRs:\n- 192.168.0.0/16\n- 172.16.0.0/12\n";
    for (files, expected) in [
        (&[] as &[(&str, &str)], " => defaults"),
        (&[("readme", "x: [")], " => defaults"),
        (
            &[("ip-masq-a", good), ("ip-masq-b", other)],
            "ip-masq-a: 1 | ip-masq-b: 2 => 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16",
        ),
        (&[("ip-masq-a", "")], "ip-masq-a: 0 => "),
        (
            &[("ip-masq-a", good), ("ip-masq-b", "nonMasqueradeCIDRs:\n- 10.0.0.0/8\n- 10.0.0.1/8\n")],
            "ip-masq-a: 1 | ip-masq-b: refused (line 3: config file \"ip-masq-b\" is invalid: CIDR \"10.0.0.1/8\" is not aligned to a \
             CIDR block, ip: \"10.0.0.1\" network: \"10.0.0.0/8\") => 10.0.0.0/8",
        ),
        (
            &[("ip-masq-a", "nonMasqueradeCIDRs: [10.0.0.0/08]")],
            "ip-masq-a: refused (line 1: exit status 2: iptables-restore: invalid mask `08' specified) => nothing",
        ),
        (
            &[("ip-masq-a", "nonMasqueradeCIDRs: [fd00::/8]")],
            "ip-masq-a: refused (line 1: config file \"ip-masq-a\" is invalid: ipv6 is not enabled, but ipv6 cidr fd00::/8 provided. \
             Enable ipv6 using --enable-ipv6 agent flag) => nothing",
        ),
    ] {
        assert_eq!(shown(&judged(false, files)), expected, "{files:?}");
    }
}

#[test]
fn the_original_would_end_where_anything_is_refused() {
    let all = judged(false, &[("ip-masq-a", "nonMasqueradeCIDRs: [10.0.0.0/8]"), ("ip-masq-b", "- 1")]);
    let line = all.original.as_deref().unwrap();
    assert!(line.starts_with("the daemon encountered an error: error syncing configuration: "), "{line}");
    assert!(!all.is_whole());
    let fine = judged(false, &[("ip-masq-a", "nonMasqueradeCIDRs: [10.0.0.0/8]")]);
    assert_eq!(fine.original, None);
    assert!(fine.is_whole());
}

#[test]
fn a_refusal_says_what_to_write() {
    let all = judged(false, &[("ip-masq-a", "nonMasqueradeCIDRs: [10.0.0.1/8]")]);
    assert_eq!(all.files["ip-masq-a"].help.as_deref(), Some("write `10.0.0.0/8`"));
}

#[test]
fn careful_reading_refuses_what_was_not_meant() {
    for (text, careful_refuses) in [
        ("nonMasqueradeCIDRs: [10.0.0.0/016]", true),
        ("nonMasqueradeCIDR: [10.0.0.0/8]", true),
        ("nonMasqueradeCIDRs: [10.0.0.0/8]\nnonMasqueradeCIDRs: [10.1.0.0/16]", true),
        ("nonMasqueradeCIDRs: [10.0.0.0/8]\n---\nmore: 1\n", true),
        ("nonMasqueradeCIDRs: [10.0.0.0/8]\nresyncInterval: 60s", false),
        ("nonMasqueradeCIDRs: [10.0.0.0/8, 10.1.0.0/16]", false),
        ("", false),
    ] {
        let files = [("ip-masq-a", text)];
        assert!(judged(false, &files).is_whole(), "{text}");
        assert_eq!(!judged(true, &files).is_whole(), careful_refuses, "{text}");
    }
    let pair = [("ip-masq-agent", "masqLinkLocal: false"), ("ip-masq-agent-reconciled", "masqLinkLocal: true")];
    assert!(judged(true, &pair).is_whole(), "AKS' own pair contradicts itself wherever it is used");
}

#[test]
fn what_is_not_refused_is_remarked_on() {
    let all = judged(false, &[("ip-masq-a", "nonMasqueradeCIDR: [10.0.0.0/8]")]);
    let remarks = all.files["ip-masq-a"].remarks.join("\n");
    assert!(remarks.contains("did you mean `nonMasqueradeCIDRs`?"), "{remarks}");
    assert!(remarks.contains("line 1: `nonMasqueradeCIDR` is no key"), "{remarks}");
}

#[test]
fn words_name_the_directory_that_was_read() {
    let gone = Directory::Unlistable("no such file or directory".to_owned());
    for (path, expected) in [("/etc/config", "open /etc/config/:"), ("/x/", "open /x/:")] {
        let all = judge(&Flags::defaults(V2), false, Path::new(path), &gone);
        assert!(all.original.as_deref().unwrap().contains(expected), "{:?}", all.original);
        assert_eq!(all.unlistable.as_deref(), Some("no such file or directory"));
        assert!(all.accepted.is_none() && !all.is_whole());
    }
}
