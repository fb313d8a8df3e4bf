use super::*;
use std::collections::BTreeSet;

fn read(manner: Manner, arguments: &[&str]) -> Result<Options, Ended> {
    let arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
    super::read(manner, &arguments)
}

fn drop_in(arguments: &[&str]) -> Options {
    read(Manner::DropIn, arguments).unwrap_or_else(|ended| panic!("{arguments:?}: {ended:?}"))
}

#[test]
fn the_arguments_of_the_original_mean_what_they_meant() {
    let defaults = drop_in(&[]);
    assert_eq!(defaults.flags, Flags::defaults(MasqueradeReader::V2));
    assert_eq!(defaults.resync, Duration::from_secs(60));
    assert_eq!(defaults.config_dir, PathBuf::from("/etc/config"));
    assert!(!defaults.strict && !defaults.allow_empty && !defaults.exit_on_error);
    assert_eq!((defaults.job, defaults.backend, defaults.metrics_address), (Job::Run, Backend::Auto, None));

    for (arguments, expected) in [
        (
            &["--v=2", "--resync-interval=60"] as &[&str],
            Flags { verbosity: 2, ..Flags::defaults(MasqueradeReader::V2) },
        ),
        (&["-v", "4"], Flags { verbosity: 4, ..Flags::defaults(MasqueradeReader::V2) }),
        (&["-masq-chain=X"], Flags { masq_chain: "X".into(), ..Flags::defaults(MasqueradeReader::V2) }),
        (
            &["--masq-chain", "A", "--masq-chain", "B"],
            Flags { masq_chain: "B".into(), ..Flags::defaults(MasqueradeReader::V2) },
        ),
        (&["-enable-ipv6"], Flags { enable_ipv6: true, ..Flags::defaults(MasqueradeReader::V2) }),
        (&["-enable-ipv6=0"], Flags::defaults(MasqueradeReader::V2)),
        (&["--enable-ipv6", "--enable-ipv6=F"], Flags::defaults(MasqueradeReader::V2)),
        (
            &["--nomasq-all-reserved-ranges=TRUE"],
            Flags { all_reserved_ranges: true, ..Flags::defaults(MasqueradeReader::V2) },
        ),
        (&["--resync-interval", "0x10"], Flags { resync_interval: 16, ..Flags::defaults(MasqueradeReader::V2) }),
        (
            &["-logtostderr", "--vmodule=a=2", "-stderrthreshold", "ERROR", "--log_dir=/x", "--add_dir_header"],
            Flags::defaults(MasqueradeReader::V2),
        ),
    ] {
        assert_eq!(drop_in(arguments).flags, expected, "{arguments:?}");
    }
}

#[test]
fn ours_are_read_in_the_same_manner() {
    let options = drop_in(&[
        "-config-dir",
        "/x",
        "--strict",
        "--source-cidrs=10.2.0.0/16,10.1.0.0/16",
        "-source-cidrs",
        "10.1.0.0/16",
        "--metrics-address=:9100",
        "--backend=nft",
        "--random-fully=false",
        "--exit-on-error=T",
        "--allow-empty",
        "--max-cidrs=1000",
        "--merged-config=/m",
        "--log-format=json",
        "--once",
    ]);
    assert_eq!(options.config_dir, PathBuf::from("/x"));
    assert_eq!(options.sources, ["10.1.0.0/16".parse().unwrap(), "10.2.0.0/16".parse().unwrap()]);
    assert_eq!(options.metrics_address.as_deref(), Some(":9100"));
    assert_eq!((options.backend, options.job, options.log_format), (Backend::Nft, Job::Once, LogFormat::Json));
    assert!(options.strict && options.exit_on_error && options.allow_empty);
    assert_eq!(options.random_fully, Some(false));
    assert_eq!(options.flags.max_entries, 1000);
    assert_eq!(options.merged_config, Some(PathBuf::from("/m")));
}

#[test]
fn what_is_refused_and_why() {
    for (arguments, because) in [
        (&["--nonsense"] as &[&str], "flag provided but not defined: -nonsense"),
        (&["--resync-interval=60s"], r#"invalid value "60s" for flag -resync-interval: parse error"#),
        (&["--enable-ipv6=maybe"], r#"invalid boolean value "maybe" for -enable-ipv6: parse error"#),
        (&["--v=high"], r#"invalid value "high" for flag -v: strconv.ParseInt: parsing "high": invalid syntax"#),
        (&["--strict=maybe"], "invalid value 'maybe' for '--strict[=<BOOL>]': not a boolean: write `true` or `false`"),
        (&["--backend=ipfw"], "invalid value 'ipfw' for '--backend <BACKEND>'"),
        (&["--max-cidrs=-1"], "invalid value '-1' for '--max-cidrs <COUNT>': invalid digit found in string"),
        (
            &["--masq-chain=A-CHAIN-OF-TWENTY-NINE-LETTERS"],
            "`--masq-chain=A-CHAIN-OF-TWENTY-NINE-LETTERS` must have 1 to 28 characters",
        ),
        (&["--masq-chain="], "`--masq-chain=` must have 1 to 28 characters"),
        (&["--masq-chain=a b"], "`--masq-chain=a b` is no name of a chain"),
        (&["--masq-chain=-x"], "`--masq-chain=-x` is no name of a chain"),
        (&["--source-cidrs=fd00::/8"], "`--source-cidrs`: `fd00::/8` is IPv6; add `--enable-ipv6`"),
        (
            &["--metrics-address=9100"],
            "`--metrics-address=9100` is no address to listen at; write `host:port` or `:port`",
        ),
        (&["--metrics-address=:http"], "`--metrics-address=:http` is no address to listen at"),
        (&["--once", "--cleanup"], "`--once`, `--dry-run` and `--cleanup` exclude one another"),
    ] {
        let Err(Ended::Refused(message)) = read(Manner::DropIn, arguments) else {
            panic!("{arguments:?} is not refused")
        };
        assert!(message.starts_with(because), "{arguments:?}: {message}");
    }
    let Err(Ended::Refused(message)) = read(Manner::DropIn, &["--source-cidrs=10.0.0.1/8"]) else {
        panic!("host bits")
    };
    assert!(message.contains("10.0.0.0/8"), "{message}");
    let Err(Ended::Refused(message)) = read(Manner::DropIn, &["--to-ports=1024-2047"]) else { panic!("ports") };
    assert!(message.starts_with("`--to-ports` is not available"), "{message}");
}

#[test]
fn stray_words_are_passed_over_as_the_original_does_and_refused_after_the_subcommand() {
    let stray = ["--enable-ipv6", "false", "--resync-interval=5"];
    let options = drop_in(&stray);
    assert!(options.flags.enable_ipv6);
    assert_eq!(options.resync, Duration::from_secs(60));
    assert!(options.remarks[0].contains("`false`"), "{:?}", options.remarks);
    assert!(matches!(read(Manner::Subcommand, &stray), Err(Ended::Refused(_))));
}

#[test]
fn an_interval_without_a_pause_becomes_a_second() {
    for interval in ["--resync-interval=0", "--resync-interval=-7"] {
        let options = drop_in(&[interval]);
        assert_eq!(options.resync, Duration::from_secs(1));
        assert!(options.remarks[0].starts_with(&format!("`{interval}`")));
    }
}

#[test]
fn every_flag_is_explained() {
    let command = command();
    let silent = command.get_arguments().filter(|flag| !flag.is_hide_set() && flag.get_help().is_none());
    assert_eq!(silent.count(), 0);
    let known = causeway_read::masquerade::known_flags(MasqueradeReader::V2);
    let missing: Vec<&str> =
        known.filter(|name| !command.get_arguments().any(|flag| flag.get_long() == Some(name))).collect();
    assert_eq!(missing, [] as [&str; 0], "every flag of the original is known");
}

#[test]
fn the_guide_has_every_flag_and_no_other() {
    let guide = include_str!("../../../../../docs/guide/masquerade-agent.md");
    let command = command();
    let own = command.get_arguments().filter(|flag| !flag.is_hide_set()).filter_map(|flag| flag.get_long());
    // `-v` stands in the text above the table.
    let own: BTreeSet<&str> = own.filter(|name| *name != "v").collect();
    let rows = guide.lines().filter_map(|line| line.strip_prefix("| `--")?.split('`').next());
    assert_eq!(rows.collect::<BTreeSet<_>>(), own);
}

#[test]
fn names_of_others_chains_are_refused() {
    for name in ["POSTROUTING", "OUTPUT", "KUBE-POSTROUTING", "CNI-HOSTPORT-MASQ", "MASQUERADE", "cali-nat-outgoing"] {
        let flag = format!("--masq-chain={name}");
        for manner in [Manner::DropIn, Manner::Subcommand] {
            let Err(Ended::Refused(message)) = read(manner, &[&flag, "--cleanup"]) else { panic!("{name} is taken") };
            assert!(message.starts_with(&format!("`--masq-chain={name}` is taken: ")), "{message}");
        }
    }
    assert_eq!(drop_in(&["--masq-chain=KUBELESS"]).flags.masq_chain, "KUBELESS");
}
