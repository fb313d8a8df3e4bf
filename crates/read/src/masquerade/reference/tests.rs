use super::*;
use proptest::prelude::*;

use MasqueradeReader::{Cilium, Merger, Original, V2};

fn flags(reader: MasqueradeReader, arguments: &[&str]) -> Flags {
    super::super::parse_flags(reader, arguments).expect("flags")
}

fn run(reader: MasqueradeReader, arguments: &[&str], files: &[(&str, &str)]) -> Result<Accepted, String> {
    let directory = Directory::of(files.iter().map(|(name, text)| (*name, *text)));
    reference(reader, &flags(reader, arguments), &directory).map_err(|rejected| rejected.message)
}

/// `10.0.0.0/8 172.16.0.0/12 +LL +LL6`: what is exempt, and which link-local range is translated.
fn shown(result: Result<Accepted, String>) -> String {
    match result {
        Err(message) => format!("refused: {message}"),
        Ok(Accepted { config, defaults, .. }) => {
            let mut words: Vec<String> = config.exempt.iter().map(Cidr::to_string).collect();
            words.extend(defaults.then(|| "(defaults)".to_owned()));
            words.extend(config.link_local.then(|| "+LL".to_owned()));
            words.extend(config.link_local_v6.then(|| "+LL6".to_owned()));
            words.join(" ")
        }
    }
}

const RFC1918: &str = "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 (defaults)";
const ALL_RESERVED: &str = "10.0.0.0/8 100.64.0.0/10 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 \
                            198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 240.0.0.0/4 (defaults)";

/// What files an agent finds, and what becomes of them: reader, arguments, files, result.
type Row<'a> = (MasqueradeReader, &'a [&'a str], &'a [(&'a str, &'a str)], &'a str);

#[test]
fn what_files_come_to() {
    let rows: &[Row] = &[
        // Which files count.
        (V2, &[], &[], RFC1918),
        (V2, &["--nomasq-all-reserved-ranges"], &[], ALL_RESERVED),
        (V2, &["--nomasq-all-reserved-ranges"], &[("ip-masq-agent", "")], ""),
        (V2, &[], &[("config", "nonMasqueradeCIDRs: [10.1.0.0/16]"), ("..data", "x"), ("masq-agent", "y: [")], RFC1918),
        (V2, &[], &[("ip-masq", "nonMasqueradeCIDRs: [10.1.0.0/16]")], "10.1.0.0/16"),
        (V2, &[], &[("ip-masqconfig-1", "nonMasqueradeCIDRs: [10.1.0.0/16]")], "10.1.0.0/16"),
        (V2, &[], &[("ip-masq-agent.bak", "nonMasqueradeCIDRs: [10.1.0.0/16]")], "10.1.0.0/16"),
        (V2, &[], &[("IP-MASQ-agent", "nonMasqueradeCIDRs: [10.1.0.0/16]")], RFC1918),
        // A file that says nothing about the list empties it.
        (V2, &[], &[("ip-masq-agent", "# nothing but a comment\n")], ""),
        (V2, &[], &[("ip-masq-agent", "{}")], ""),
        (V2, &[], &[("ip-masq-agent", "masqLinkLocal: true")], "+LL"),
        (V2, &[], &[("ip-masq-agent", "nonMasqueradeCIDRs: []")], ""),
        (V2, &[], &[("ip-masq-agent", "nonMasqueradeCIDRs: null\nmasqLinkLocal: yes")], "+LL"),
        (V2, &[], &[("ip-masq-agent", "nonMasqueradeCIDRs: ~\nmasqLinkLocal: ~")], ""),
        // Only IPv6.
        (V2, &["--enable-ipv6"], &[("ip-masq-agent", "nonMasqueradeCIDRs: [fd00::/8]")], "fd00::/8"),
        // Merging.
        (
            V2,
            &["--enable-ipv6"],
            &[
                ("ip-masq-a", "nonMasqueradeCIDRs: [155.128.0.0/9, 10.0.0.0/8]\nmasqLinkLocal: false"),
                ("ip-masq-b", "masqLinkLocalIPv6: true"),
                ("ip-masq-c", r#"{"nonMasqueradeCIDRs": ["10.240.0.0/16", "10.0.0.0/8", "fc00::/7"]}"#),
                ("other", "nonMasqueradeCIDRs: [1.0.0.0/8]"),
            ],
            "10.0.0.0/8 10.240.0.0/16 155.128.0.0/9 fc00::/7 +LL6",
        ),
        (
            V2,
            &[],
            &[
                ("ip-masq-a", "masqLinkLocal: true"),
                ("ip-masq-b", "masqLinkLocal: false\nnonMasqueradeCIDRs: [10.0.0.0/8]"),
            ],
            "10.0.0.0/8 +LL",
        ),
        // Keys compare without regard to case; the capitals of AKS' own file and the small letters of its merger.
        (
            V2,
            &[],
            &[("ip-masq-agent-reconciled", "NonMasqueradeCIDRs:\n  - 192.168.0.0/16\nMasqLinkLocal: true\n")],
            "192.168.0.0/16 +LL",
        ),
        (
            V2,
            &[],
            &[("ip-masq-agent", "nonmasqueradecidrs: [10.0.0.0/8]\nmasqlinklocal: on\nmasqlinklocalipv6: y\n")],
            "10.0.0.0/8 +LL +LL6",
        ),
        // Entries.
        (V2, &[], &[("ip-masq-agent", "nonMasqueradeCIDRs: [0.0.0.0/0]")], "0.0.0.0/0"),
        (V2, &[], &[("ip-masq-agent", "nonMasqueradeCIDRs: [10.0.0.0/016]")], "10.0.0.0/14"),
        (V2, &[], &[("ip-masq-agent", "first: 1\n---\nnonMasqueradeCIDRs: [10.0.0.0/8]")], ""),
        // The original agent.
        (Original, &[], &[], RFC1918),
        (
            Original,
            &["--nomasq-all-reserved-ranges"],
            &[("ip-masq-agent", "masqLinkLocal: true")],
            &ALL_RESERVED.replace(" (defaults)", " +LL"),
        ),
        (Original, &[], &[("ip-masq-agent", "")], "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16"),
        (
            Original,
            &[],
            &[("ip-masq-agent", "masqLinkLocal: true\nresyncInterval: 30s")],
            "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 +LL",
        ),
        (Original, &[], &[("ip-masq-agent", "nonMasqueradeCIDRs: []")], ""),
        (Original, &[], &[("ip-masq-agent", "nonMasqueradeCIDRs: [1.0.0.0/8]")], "1.0.0.0/8"),
        (Original, &[], &[("ip-masq-agent-reconciled", "nonMasqueradeCIDRs: [1.0.0.0/8]")], RFC1918),
        // Cilium.
        (Cilium, &[], &[], ALL_RESERVED),
        (Cilium, &[], &[("ip-masq-agent", "")], ALL_RESERVED),
        (Cilium, &[], &[("ip-masq-agent", "# a comment is no empty file")], ""),
        (Cilium, &[], &[("ip-masq-agent", "nonMasqueradeCIDRs: [1.1.1.1/32, 2.2.2.2/16]")], "1.1.1.1/32 2.2.0.0/16"),
        (Cilium, &[], &[("ip-masq-agent", "nonMasqueradeCIDRs:\n- 8.8.0.0/16")], "8.8.0.0/16"),
        (Cilium, &[], &[("ip-masq-agent", "nonMasqueradeCIDRs:")], ""),
        (
            Cilium,
            &[],
            &[("ip-masq-agent", r#"{"nonMasqueradeCIDRs": ["8.8.0.0/16", "1.1.2.3/16"], "masqLinkLocal": true}"#)],
            "1.1.0.0/16 8.8.0.0/16 +LL",
        ),
        // AKS' merger in front of Cilium.
        (Merger, &[], &[], ALL_RESERVED),
        (Merger, &[], &[("ip-masq-a", "")], ""),
        (
            Merger,
            &[],
            &[
                ("ip-masq-a", "nonMasqueradeCIDRs: [10.0.0.0/8]\nmasqLinkLocalIPv6: true"),
                ("ip-masq-b", "nonMasqueradeCIDRs: [192.168.0.0/16]\nmasqLinkLocal: true"),
            ],
            "10.0.0.0/8 192.168.0.0/16 +LL +LL6",
        ),
        (Merger, &[], &[("ip-masq-a", "nonMasqueradeCIDRs: ['2001:db8::/32']")], "2001:db8::/32"),
    ];
    for (reader, arguments, files, expected) in rows {
        assert_eq!(shown(run(*reader, arguments, files)), *expected, "{reader} {arguments:?} {files:?}");
    }
}

#[test]
fn what_is_refused_and_in_which_words() {
    let many: String = (0..65).map(|at| format!("- 10.{at}.0.0/16\n")).collect();
    let many = format!("nonMasqueradeCIDRs:\n{many}");
    let item = |text: &str| format!("nonMasqueradeCIDRs: [{text}]");
    let invalid = |text: &str| format!("config file \"ip-masq-agent\" is invalid: {text}");
    let rows: Vec<(MasqueradeReader, &[&str], String, String)> = vec![
        (V2, &[], many.clone(), invalid("the daemon can only accept up to 64 CIDRs (excluding link-local), but got 65 CIDRs (excluding link local)")),
        (V2, &[], item("abcdefg"), invalid("CIDR \"abcdefg\" could not be parsed, invalid CIDR address: abcdefg")),
        (V2, &[], item("10.0.0.0/8, abcdefg"), invalid("CIDR \"abcdefg\" could not be parsed, invalid CIDR address: abcdefg")),
        (V2, &[], item("10.256.0.0/16"), invalid("CIDR \"10.256.0.0/16\" could not be parsed, invalid CIDR address: 10.256.0.0/16")),
        (V2, &[], item("10.0.0.0"), invalid("CIDR \"10.0.0.0\" could not be parsed, invalid CIDR address: 10.0.0.0")),
        (V2, &[], item("010.0.0.0/8"), invalid("CIDR \"010.0.0.0/8\" could not be parsed, invalid CIDR address: 010.0.0.0/8")),
        (V2, &[], item("\" 10.0.0.0/8\""), invalid("CIDR \" 10.0.0.0/8\" could not be parsed, invalid CIDR address:  10.0.0.0/8")),
        (V2, &["--enable-ipv6"], item("'fe80::1%eth0/64'"), invalid("CIDR \"fe80::1%eth0/64\" could not be parsed, invalid CIDR address: fe80::1%eth0/64")),
        (V2, &[], item("10.0.0.1/8"), invalid("CIDR \"10.0.0.1/8\" is not aligned to a CIDR block, ip: \"10.0.0.1\" network: \"10.0.0.0/8\"")),
        (V2, &[], "nonMasqueradeCIDRs:\n  - \n".into(), invalid("CIDR \"\" could not be parsed, invalid CIDR address: ")),
        (V2, &[], item("\"\""), invalid("CIDR \"\" could not be parsed, invalid CIDR address: ")),
        (V2, &[], item("null"), invalid("CIDR \"\" could not be parsed, invalid CIDR address: ")),
        (V2, &[], item("fd00::/8"), invalid("ipv6 is not enabled, but ipv6 cidr fd00::/8 provided. Enable ipv6 using --enable-ipv6 agent flag")),
        // Alignment is looked at before the family.
        (V2, &[], item("fd00::1/8"), invalid("CIDR \"fd00::1/8\" is not aligned to a CIDR block, ip: \"fd00::1\" network: \"fd00::/8\"")),
        (V2, &[], item("5"), "failed to unmarshal config file \"ip-masq-agent\", error: json: cannot unmarshal number into Go struct field MasqConfig.nonMasqueradeCIDRs of type string".into()),
        (V2, &[], "masqLinkLocal: 'true'".into(), "failed to unmarshal config file \"ip-masq-agent\", error: json: cannot unmarshal string into Go struct field MasqConfig.masqLinkLocal of type bool".into()),
        (V2, &[], "{*".into(), "failed to unmarshal config file \"ip-masq-agent\", error: invalid character '*' looking for beginning of object key string".into()),
        (V2, &[], "{nonMasqueradeCIDRs: [10.0.0.0/8]}".into(), "failed to unmarshal config file \"ip-masq-agent\", error: invalid character 'n' looking for beginning of object key string".into()),
        (V2, &[], "{} trailing".into(), "failed to unmarshal config file \"ip-masq-agent\", error: invalid character 't' after top-level value".into()),
        (V2, &[], "*".into(), "failed to convert config file \"ip-masq-agent\" to JSON, error: yaml: did not find expected alphabetic or numeric character".into()),
        (V2, &[], item("10.0.0.0/08"), "exit status 2: iptables-restore: invalid mask `08' specified".into()),
        (V2, &[], item("'::ffff:10.0.0.0/104'"), "exit status 2: iptables-restore: invalid mask `104' specified".into()),
        (V2, &["--enable-ipv6"], item("'fd00::/08'"), "exit status 2: ip6tables-restore: invalid mask `08' specified".into()),
        (V2, &["--masq-chain=A-CHAIN-NAME-OF-MORE-THAN-28-CHARACTERS"], item("10.0.0.0/8"), "error creating chain \"A-CHAIN-NAME-OF-MORE-THAN-28-CHARACTERS\": exit status 2: iptables: chain name `A-CHAIN-NAME-OF-MORE-THAN-28-CHARACTERS' too long (must be under 29 chars)".into()),
        (Original, &[], many.clone(), "the daemon can only accept up to 64 CIDRs (excluding link-local), but got 65 CIDRs (excluding link local)".into()),
        (Original, &[], "cidrLimit: 2".into(), "the daemon can only accept up to 2 CIDRs (excluding link-local), but got 3 CIDRs (excluding link local)".into()),
        (Original, &[], "resyncInterval: 60".into(), "expected string value for unmarshal to field of type Duration, got \"60\"".into()),
        (Cilium, &[], item("notacidr"), "Failed to de-serialize json: Invalid CIDR \"notacidr\"".into()),
        (Cilium, &[], "a: [".into(), "Failed to convert to json: yaml: did not find expected node content".into()),
        (Merger, &[], item("10.0.0.4/8"), invalid("CIDR \"10.0.0.4/8\" is not aligned to a CIDR block, ip: \"10.0.0.4\" network: \"10.0.0.0/8\": ip not aligned to CIDR block")),
        (Merger, &[], item("10.0.0.0/33"), invalid("CIDR \"10.0.0.0/33\" could not be parsed: invalid CIDR address: 10.0.0.0/33")),
        (Merger, &[], item("10.0.0.0/08"), "Failed to de-serialize json: Invalid CIDR \"10.0.0.0/08\"".into()),
    ];
    for (reader, arguments, text, message) in rows {
        let result = run(reader, arguments, &[("ip-masq-agent", &text)]).map(|accepted| accepted.config.exempt);
        assert_eq!(result, Err(message), "{reader} {arguments:?} {text}");
    }
}

#[test]
fn sixty_four_are_fine_and_two_files_of_sixty_four_too() {
    let list = |first: usize| {
        format!(
            "nonMasqueradeCIDRs: [{}]",
            (0..64).map(|at| format!("{first}.{at}.0.0/16")).collect::<Vec<_>>().join(", ")
        )
    };
    assert_eq!(run(V2, &[], &[("ip-masq-a", &list(10)), ("ip-masq-b", &list(11))]).unwrap().config.exempt.len(), 128);
    let many = format!(
        "cidrLimit: 65\nnonMasqueradeCIDRs: [{}]",
        (0..65).map(|at| format!("10.{at}.0.0/16")).collect::<Vec<_>>().join(", ")
    );
    assert_eq!(run(Original, &[], &[("ip-masq-agent", &many)]).unwrap().config.exempt.len(), 65);
    assert!(run(Merger, &[], &[("ip-masq-agent", &many)]).is_ok());
}

#[test]
fn one_bad_file_spoils_all_and_the_first_by_name_is_named() {
    let files = [
        ("ip-masq-c", "a: ["),
        ("ip-masq-a", "nonMasqueradeCIDRs: [10.0.0.0/8]"),
        ("ip-masq-b", "nonMasqueradeCIDRs: [x]"),
    ];
    assert_eq!(
        run(V2, &[], &files).unwrap_err(),
        "config file \"ip-masq-b\" is invalid: CIDR \"x\" could not be parsed, invalid CIDR address: x"
    );
}

#[test]
fn directories_and_what_can_not_be_read() {
    let entries = |entry: DirectoryEntry| Directory::Entries(BTreeMap::from([("ip-masq-agent".to_owned(), entry)]));
    let missing = Directory::Unlistable("no such file or directory".to_owned());
    let denied = || entries(DirectoryEntry::Unreadable("permission denied".to_owned()));
    let rows = [
        (V2, missing.clone(), "failed to read config directory, error: open /etc/config/: no such file or directory"),
        (
            V2,
            entries(DirectoryEntry::Directory),
            "failed to read config file \"ip-masq-agent\", error: read /etc/config/ip-masq-agent: is a directory",
        ),
        (
            V2,
            denied(),
            "failed to read config file \"ip-masq-agent\", error: open /etc/config/ip-masq-agent: permission denied",
        ),
        (Original, denied(), "open /etc/config/ip-masq-agent: permission denied"),
        (Cilium, missing.clone(), "Failed to add \"/etc/config\" dir to fsnotify watcher: no such file or directory"),
        (
            Cilium,
            entries(DirectoryEntry::Directory),
            "Failed to read /etc/config/ip-masq-agent: read /etc/config/ip-masq-agent: is a directory",
        ),
        (
            Merger,
            missing.clone(),
            "failed to read config directory, error: open /etc/config/: no such file or directory",
        ),
    ];
    for (reader, directory, message) in rows {
        let rejected = reference(reader, &Flags::defaults(reader), &directory).unwrap_err();
        assert_eq!(rejected.message, message);
    }
    assert!(reference(Original, &Flags::defaults(Original), &missing).unwrap().defaults);
    let beside = Directory::Entries(BTreeMap::from([("config".to_owned(), DirectoryEntry::Directory)]));
    assert!(
        reference(V2, &Flags::defaults(V2), &beside).unwrap().defaults,
        "a directory of another name is passed over"
    );
}

#[test]
fn what_is_logged_says_the_step_and_who_goes_on() {
    let logged = |reader, text: &str| {
        let rejected =
            reference(reader, &Flags::defaults(reader), &Directory::of([("ip-masq-agent", text)])).unwrap_err();
        (rejected.logged(), rejected.exits)
    };
    assert_eq!(
        logged(V2, "nonMasqueradeCIDRs: [x]"),
        (
            "the daemon encountered an error: error syncing configuration: config file \"ip-masq-agent\" is invalid: CIDR \"x\" could not be parsed, invalid CIDR address: x".to_owned(),
            true
        )
    );
    assert_eq!(
        logged(V2, "nonMasqueradeCIDRs: [10.0.0.0/08]"),
        ("the daemon encountered an error: error syncing masquerade rules: exit status 2: iptables-restore: invalid mask `08' specified".to_owned(), true)
    );
    assert_eq!(
        logged(Original, "a: b: c"),
        ("error syncing configuration: yaml: mapping values are not allowed in this context".to_owned(), false)
    );
    assert_eq!(
        logged(Cilium, "[]").0,
        "Failed to de-serialize json: json: cannot unmarshal array into Go value of type ipmasq.config"
    );
    assert!(
        logged(Merger, "[]").0.starts_with(
            "the daemon encountered an error: error merging configuration: failed to unmarshal config file"
        )
    );
}

#[test]
fn texts_are_kept_as_written() {
    let accepted = run(
        V2,
        &["--enable-ipv6"],
        &[("ip-masq-agent", "nonMasqueradeCIDRs: ['2001:DB8::/32', '2001:db8::/32', 10.0.0.0/8]")],
    )
    .unwrap();
    assert_eq!(accepted.texts, ["10.0.0.0/8", "2001:DB8::/32", "2001:db8::/32"]);
    assert_eq!(accepted.config.exempt.len(), 2);
    assert!(accepted.config.ipv6);
}

fn reader() -> impl Strategy<Value = MasqueradeReader> {
    prop::sample::select(MasqueradeReader::ALL.to_vec())
}

/// Text that is often nearly a configuration.
pub(in crate::masquerade) fn file_text() -> impl Strategy<Value = String> {
    let entry = prop_oneof![
        "[0-9]{1,3}\\.[0-9]{1,3}\\.0\\.0/[0-9]{1,2}",
        Just("10.0.0.0/8".to_owned()),
        Just("10.0.0.0/016".to_owned()),
        Just("'fd00::/8'".to_owned()),
        Just("null".to_owned()),
        Just("10.0.0.1/8".to_owned()),
        Just("\"\"".to_owned()),
        Just("7".to_owned()),
    ];
    let key = prop::sample::select(vec!["nonMasqueradeCIDRs", "NonMasqueradeCIDRs", "nonMasqueradeCIDR"]);
    let list =
        (key, prop::collection::vec(entry, 0..4)).prop_map(|(key, entries)| format!("{key}: [{}]", entries.join(", ")));
    let flag = ("(masqLinkLocal|MASQLINKLOCAL|masqLinkLocalIPv6|other)", "(true|false|yes|null|1|x)")
        .prop_map(|(key, value)| format!("{key}: {value}"));
    let lines = prop::collection::vec(prop_oneof![list, flag], 0..4).prop_map(|lines| lines.join("\n"));
    prop_oneof![8 => lines, 1 => "\\PC{0,40}", 1 => "[-:{}\\[\\],\"'#&*!|> \n\ta-z0-9]{0,60}"]
}

proptest! {
    #[test]
    fn nothing_makes_a_reader_panic(reader in reader(), bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let directory = Directory::of([("ip-masq-agent", bytes)]);
        let _ = reference(reader, &Flags::defaults(reader), &directory);
    }

    #[test]
    fn nearly_a_configuration_does_not_either(reader in reader(), text in file_text(), ipv6 in any::<bool>()) {
        let flags = Flags { enable_ipv6: ipv6, ..Flags::defaults(reader) };
        let directory = Directory::of([("ip-masq-agent", text)]);
        if let Ok(accepted) = reference(reader, &flags, &directory) {
            prop_assert!(accepted.config.exempt.is_sorted());
        }
    }

    #[test]
    fn the_order_of_files_makes_no_difference(texts in prop::collection::vec(file_text(), 1..4)) {
        let flags = Flags::defaults(V2);
        let name = |at: usize| format!("ip-masq-{at}");
        let forward = Directory::of(texts.iter().enumerate().map(|(at, text)| (name(at), text.as_str())));
        let last = texts.len() - 1;
        let backward = Directory::of(texts.iter().enumerate().map(|(at, text)| (name(last - at), text.as_str())));
        let (forward, backward) = (reference(V2, &flags, &forward), reference(V2, &flags, &backward));
        prop_assert_eq!(forward.is_ok(), backward.is_ok());
        if let (Ok(forward), Ok(backward)) = (forward, backward) {
            prop_assert_eq!((forward.config, forward.texts), (backward.config, backward.texts));
        }
    }

    #[test]
    fn splitting_a_list_over_files_makes_no_difference(first in prop::collection::vec(0_u8..20, 1..8), second in prop::collection::vec(0_u8..20, 1..8)) {
        let list = |octets: &[u8]| format!("nonMasqueradeCIDRs: [{}]", octets.iter().map(|octet| format!("10.{octet}.0.0/16")).collect::<Vec<_>>().join(", "));
        let whole: Vec<u8> = first.iter().chain(&second).copied().collect();
        let split = run(V2, &[], &[("ip-masq-a", &list(&first)), ("ip-masq-b", &list(&second))]).unwrap();
        prop_assert_eq!(split.config, run(V2, &[], &[("ip-masq-a", &list(&whole))]).unwrap().config);
    }
}
