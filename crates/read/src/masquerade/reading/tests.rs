use super::*;
use causeway_model::codes::Code;
use causeway_model::design::{AgentMount, MountedConfigMap};
use causeway_model::masquerade::MasqueradeConfig;
use causeway_model::source::FileId;

fn settings() -> Masquerade {
    Masquerade {
        agent: None,
        flags: Vec::new(),
        files: BTreeMap::new(),
        daemon_set: None,
        config_maps: Vec::new(),
        reading: MasqueradeReading::default(),
    }
}

/// A file whose text stands in file 0 from byte 100 on, two columns in.
fn file(text: &str) -> MasqueradeFile {
    let mut at = 100;
    let lines = text.split('\n').map(|line| {
        let start = at + 2;
        at = start + u32::try_from(line.len()).unwrap() + 1;
        Span { file: FileId(0), start, end: at - 1 }
    });
    MasqueradeFile { text: text.to_owned(), lines: lines.collect() }
}

fn config_map(namespace: Option<&str>, name: &str, data: &[(&str, &str)]) -> ConfigMap {
    ConfigMap {
        name: name.to_owned(),
        namespace: namespace.map(str::to_owned),
        data: data.iter().map(|(key, text)| ((*key).to_owned(), file(text))).collect(),
    }
}

fn mounted(name: &str, optional: bool, items: Option<&[(&str, &str)]>) -> MountedConfigMap {
    let items = items.map(|items| items.iter().map(|(key, path)| ((*key).to_owned(), (*path).to_owned())).collect());
    MountedConfigMap { name: name.to_owned(), optional, items }
}

fn manifest(args: &[&str], config_maps: Vec<MountedConfigMap>) -> AgentManifest {
    AgentManifest {
        name: "ip-masq-agent".to_owned(),
        namespace: Some("kube-system".to_owned()),
        host_network: true,
        args: args.iter().map(|text| (*text).to_owned()).collect(),
        image: None,
        privileged: false,
        capabilities: vec!["NET_ADMIN".to_owned(), "NET_RAW".to_owned()],
        mounts: vec![AgentMount { path: "/etc/config/".to_owned(), sub_path: None, config_maps, host_path: None }],
        node_selector: BTreeMap::new(),
        tolerates_all: true,
    }
}

fn applied(reading: &MasqueradeReading, reader: MasqueradeReader) -> Option<&MasqueradeConfig> {
    match reading.outcomes.get(&reader)? {
        MasqueradeOutcome::Applied { config, .. } => Some(config),
        MasqueradeOutcome::Refused { .. } => None,
    }
}

fn exempt(reading: &MasqueradeReading) -> Vec<String> {
    applied(reading, MasqueradeReader::V2)
        .map(|config| config.exempt.iter().map(ToString::to_string).collect())
        .unwrap_or_default()
}

fn findings(reading: &MasqueradeReading) -> Vec<(Code, &str)> {
    reading.findings.iter().map(|finding| (finding.code, finding.object.as_str())).collect()
}

#[test]
fn files_given_directly() {
    let mut masquerade = settings();
    masquerade.agent = Some(MasqueradeAgent::IpMasqAgentV2);
    masquerade.files.insert("ip-masq-agent".into(), file("nonMasqueradeCIDRs:\n  - 10.0.0.0/16\n  - 10.1.0.1/16\n"));
    let reading = read(&masquerade, Surroundings::default(), "clusters.prod.masquerade");
    assert!(
        matches!(&reading.outcomes[&MasqueradeReader::V2], MasqueradeOutcome::Refused { exits: true, message } if message.contains("10.1.0.1"))
    );
    assert_eq!(findings(&reading), [(codes::MASQ_CONFIG_REJECTED, "clusters.prod.masquerade.files.ip-masq-agent")]);
    // Line 2 of the text is 19 + 1 + 2, then 17 + 1 + 2 bytes further; the entry stands four columns in.
    assert_eq!(reading.findings[0].at, Some(Span { file: FileId(0), start: 146, end: 157 }));
    assert_eq!(reading.findings[0].on, ["10.1.0.1/16"]);
    let list = reading.files[0].list.as_ref().unwrap();
    assert_eq!((list.len(), list[0].cidr, list[1].cidr), (2, "10.0.0.0/16".parse().ok(), None));
}

#[test]
fn an_empty_entry_points_at_its_dash() {
    let mut masquerade = settings();
    masquerade.files.insert("ip-masq-agent".into(), file("nonMasqueradeCIDRs:\n- 10.0.0.0/8\n-\n"));
    let reading = read(&masquerade, Surroundings::default(), "m");
    assert_eq!(reading.findings[0].code, codes::MASQ_ITEM_NULL);
    assert_eq!(reading.findings[0].at, Some(Span { file: FileId(0), start: 139, end: 140 }));
}

#[test]
fn nothing_given_is_nothing_read() {
    assert_eq!(read(&settings(), Surroundings::default(), "m"), MasqueradeReading::default());
    let none = Masquerade { agent: Some(MasqueradeAgent::None), ..settings() };
    assert_eq!(read(&none, Surroundings::default(), "m"), MasqueradeReading::default());
    let agent = Masquerade { agent: Some(MasqueradeAgent::IpMasqAgentV2), ..settings() };
    assert_eq!(
        exempt(&read(&agent, Surroundings::default(), "m")),
        ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"],
        "an agent without files has its defaults"
    );
}

#[test]
fn volumes_say_which_keys_are_files_and_how_they_are_called() {
    let mut masquerade = settings();
    masquerade.config_maps = vec![
        config_map(
            Some("kube-system"),
            "plain",
            &[("ip-masq-a", "nonMasqueradeCIDRs: [10.1.0.0/16]"), ("other", "nonMasqueradeCIDRs: [10.9.0.0/16]")],
        ),
        config_map(
            Some("kube-system"),
            "renamed",
            &[("config", "nonMasqueradeCIDRs: [10.2.0.0/16]"), ("unused", "x: [")],
        ),
        config_map(Some("default"), "elsewhere", &[("ip-masq-c", "nonMasqueradeCIDRs: [10.3.0.0/16]")]),
        config_map(Some("kube-system"), "forgotten", &[("ip-masq-d", "nonMasqueradeCIDRs: [10.4.0.0/16]")]),
    ];
    let sources = vec![
        mounted("plain", false, None),
        mounted("renamed", false, Some(&[("config", "ip-masq-b")])),
        mounted("elsewhere", true, None),
        mounted("absent-but-optional", true, None),
        mounted("absent", false, None),
    ];
    masquerade.daemon_set = Some(manifest(&["--v=2"], sources));
    let reading = read(&masquerade, Surroundings::default(), "m");
    assert_eq!(exempt(&reading), ["10.1.0.0/16", "10.2.0.0/16"]);
    assert_eq!(
        findings(&reading),
        [(codes::MASQ_FILE_IGNORED, "m.configMaps.0.data.other"), (codes::MASQ_FILE_IGNORED, "m.configMaps.3")]
    );
    assert_eq!(reading.missing, ["the ConfigMap `kube-system/absent`, which the DaemonSet `ip-masq-agent` mounts"]);
    let names: Vec<_> = reading.files.iter().map(|file| (file.name.as_str(), file.takes_part)).collect();
    assert_eq!(names, [("ip-masq-a", true), ("ip-masq-b", true), ("other", false)]);
}

#[test]
fn the_platforms_agent_reads_its_own_names_in_its_own_namespace() {
    let text = [("ip-masq-agent", "nonMasqueradeCIDRs: [10.0.0.0/8]")];
    let read_one = |namespace: Option<&str>, name: &str, ships_agent: bool| {
        let masquerade = Masquerade { config_maps: vec![config_map(namespace, name, &text)], ..settings() };
        read(&masquerade, Surroundings { ships_agent, ..Surroundings::default() }, "m")
    };
    for (namespace, name, ships_agent, says) in [
        ("default", "azure-ip-masq-agent-config", true, "is in the namespace `default`"),
        ("default", "azure-ip-masq-agent-config", false, "is in the namespace `default`"),
        ("kube-system", "ip-masq-config", true, "does not read the ConfigMap `ip-masq-config`"),
        ("kube-system", "azure-ip-masq-agent-config-2", true, "does not read the ConfigMap"),
    ] {
        let reading = read_one(Some(namespace), name, ships_agent);
        assert_eq!(findings(&reading), [(codes::MASQ_FILE_IGNORED, "m.configMaps.0")], "{namespace}/{name}");
        assert!(reading.findings[0].message.contains(says), "{}", reading.findings[0].message);
        assert!(reading.files.is_empty() && reading.outcomes.is_empty());
    }
    // Its own place, a place that is not stated, and an agent of somebody's own where AKS runs none.
    for (namespace, name, ships_agent) in [
        (Some("kube-system"), "azure-ip-masq-agent-config", true),
        (None, "azure-ip-masq-agent-config", true),
        (Some("kube-system"), "ip-masq-config", false),
    ] {
        let reading = read_one(namespace, name, ships_agent);
        assert_eq!(findings(&reading), []);
        assert_eq!(exempt(&reading), ["10.0.0.0/8"]);
    }
}

#[test]
fn a_map_of_the_platforms_name_is_read_by_whoever_mounts_it() {
    let mut masquerade = settings();
    let text = [("ip-masq-agent", "nonMasqueradeCIDRs: [10.0.0.0/16]")];
    masquerade.config_maps = vec![config_map(Some("net"), "azure-ip-masq-agent-config", &text)];
    let mut own = manifest(&[], vec![mounted("azure-ip-masq-agent-config", false, None)]);
    own.namespace = Some("net".into());
    masquerade.daemon_set = Some(own);
    let reading = read(&masquerade, Surroundings::default(), "m");
    assert_eq!((exempt(&reading), findings(&reading)), (vec!["10.0.0.0/16".to_owned()], vec![]));
    // The DaemonSet AKS runs is in its own namespace, and finds nothing.
    let mut platforms = manifest(&[], vec![mounted("azure-ip-masq-agent-config", true, None)]);
    platforms.name = "azure-ip-masq-agent".into();
    masquerade.daemon_set = Some(platforms);
    let reading = read(&masquerade, Surroundings { ships_agent: true, ..Surroundings::default() }, "m");
    assert_eq!(findings(&reading), [(codes::MASQ_FILE_IGNORED, "m.configMaps.0")]);
    assert!(reading.files.is_empty());
}

#[test]
fn a_key_the_volume_does_not_ask_for_leaves_the_defaults() {
    let run = |key: &str, optional: bool| {
        let mut masquerade = settings();
        masquerade.config_maps =
            vec![config_map(Some("kube-system"), "own", &[(key, "nonMasqueradeCIDRs: [10.1.0.0/16]")])];
        let volume = mounted("own", optional, Some(&[("config", "ip-masq-agent")]));
        masquerade.daemon_set = Some(manifest(&[], vec![volume]));
        read(&masquerade, Surroundings::default(), "m")
    };
    let wrong = run("ip-masq-agent", true);
    assert_eq!(findings(&wrong), [(codes::MASQ_FILE_IGNORED, "m.configMaps.0.data.ip-masq-agent")]);
    assert!(wrong.findings[0].message.contains("built-in list `10.0.0.0/8`"), "{}", wrong.findings[0].message);
    assert_eq!(findings(&run("ip-masq-agent", false)), [], "the pods do not start, which is said of the DaemonSet");
    let right = run("config", true);
    assert_eq!((exempt(&right), findings(&right)), (vec!["10.1.0.0/16".to_owned()], vec![]));
}

#[test]
fn one_key_mounted_over_one_file() {
    let mut masquerade = settings();
    masquerade.config_maps =
        vec![config_map(Some("kube-system"), "one", &[("config", "nonMasqueradeCIDRs: [10.1.0.0/16]")])];
    let mut manifest = manifest(&[], vec![mounted("one", false, None)]);
    manifest.mounts[0].path = "/etc/config/ip-masq-agent".into();
    manifest.mounts[0].sub_path = Some("config".into());
    masquerade.daemon_set = Some(manifest);
    assert_eq!(exempt(&read(&masquerade, Surroundings::default(), "m")), ["10.1.0.0/16"]);
}

#[test]
fn a_directory_nobody_mounts_is_not_there() {
    let mut masquerade = settings();
    let mut manifest = manifest(&[], vec![]);
    manifest.mounts.clear();
    masquerade.daemon_set = Some(manifest);
    let reading = read(&masquerade, Surroundings::default(), "m");
    assert!(
        matches!(&reading.outcomes[&MasqueradeReader::V2], MasqueradeOutcome::Refused { message, .. } if message.contains("failed to read config directory"))
    );
    assert_eq!(findings(&reading), [(codes::MASQ_CONFIG_REJECTED, "m")]);
}

#[test]
fn arguments_are_read() {
    let mut masquerade = settings();
    masquerade.files.insert("ip-masq-agent".into(), file("nonMasqueradeCIDRs: ['fd00::/8', 10.0.0.0/8]"));
    let run = |flags: &[&str]| {
        let flags = flags.iter().map(|text| (*text).to_owned()).collect();
        read(&Masquerade { flags, ..masquerade.clone() }, Surroundings::default(), "m")
    };
    assert_eq!(exempt(&run(&["--enable-ipv6"])), ["10.0.0.0/8", "fd00::/8"]);
    assert_eq!(exempt(&run(&["/ip-masq-agent-v2", "--enable-ipv6"])), ["10.0.0.0/8", "fd00::/8"]);
    let misspelt = run(&["--v=2", "--enable-ip6"]);
    assert_eq!(findings(&misspelt)[0], (codes::AGENT_MANIFEST_MISCONFIGURED, "m.flags.1"));
    assert_eq!(
        misspelt.findings[0].message,
        "ip-masq-agent-v2 ends at its argument `--enable-ip6`: flag provided but not defined: -enable-ip6"
    );
    assert_eq!(misspelt.findings[0].help, "did you mean `--enable-ipv6`?");
    assert!(applied(&misspelt, MasqueradeReader::V2).is_none());
    let unread = run(&["--enable-ipv6", "true", "--v=2"]);
    assert_eq!(unread.findings[0].message, "nothing from the argument `true` on is read");
    assert_eq!(unread.findings[0].object, "m.flags.1");
    assert!(run(&["--enable-ipv6", "--resync-interval=0"]).findings[0].message.contains("a loop without a pause"));
}

#[test]
fn behind_ebpf_host_routing_the_merger_reads_them() {
    let mut masquerade = settings();
    masquerade.config_maps = vec![config_map(
        Some("kube-system"),
        "azure-ip-masq-agent-config",
        &[("ip-masq-agent", "nonMasqueradeCIDRs: ['fd00::/8', 10.0.0.0/8]")],
    )];
    assert_eq!(
        findings(&read(&masquerade, Surroundings { ships_agent: false, ebpf_host_routing: true, ipv6: false }, "m")),
        []
    );
    assert_eq!(
        findings(&read(&masquerade, Surroundings::default(), "m")),
        [(codes::MASQ_CONFIG_REJECTED, "m.configMaps.0.data.ip-masq-agent")]
    );
}

#[test]
fn keys_of_one_name_in_two_config_maps_both_count() {
    let mut masquerade = settings();
    masquerade.config_maps = vec![
        config_map(None, "a", &[("ip-masq-agent", "nonMasqueradeCIDRs: [10.1.0.0/16]")]),
        config_map(None, "b", &[("ip-masq-agent", "nonMasqueradeCIDRs: [10.2.0.0/16]")]),
    ];
    assert_eq!(exempt(&read(&masquerade, Surroundings::default(), "m")), ["10.1.0.0/16", "10.2.0.0/16"]);
}

#[test]
fn the_agent_aks_ships_knows_ipv6_where_the_cluster_does() {
    let mut masquerade = settings();
    masquerade.files.insert("ip-masq-agent".into(), file("nonMasqueradeCIDRs: ['fd00::/8', 10.0.0.0/8]"));
    let around = Surroundings { ipv6: true, ..Surroundings::default() };
    assert_eq!(exempt(&read(&masquerade, around, "m")), ["10.0.0.0/8", "fd00::/8"]);
    masquerade.flags.push("--v=2".into());
    assert!(exempt(&read(&masquerade, around, "m")).is_empty(), "arguments that are stated are all there is");
}

#[test]
fn arguments_inside_a_shell_are_not_known() {
    let masquerade =
        Masquerade { daemon_set: Some(manifest(&["sh", "-c", "ip-masq-agent --v=2"], vec![])), ..settings() };
    let reading = read(&masquerade, Surroundings::default(), "m");
    assert_eq!(reading.missing, ["the agent's arguments, which stand in another program's command line"]);
}

#[test]
fn our_own_agent_has_flags_of_its_own_beside_the_shared_ones() {
    let mounts = vec![mounted("config", false, None)];
    for (image, args) in [
        (Some("registry.example/causeway-node:1"), &["--v=2", "--metrics-address=:1", "--enable-ipv6"] as &[&str]),
        (Some("causeway-node-iptables"), &["--backend", "iptables", "--enable-ipv6"]),
        (None, &["/causeway-node", "masquerade", "--strict", "--enable-ipv6", "--max-cidrs=9"]),
    ] {
        let mut masquerade = settings();
        let daemon_set = AgentManifest { image: image.map(str::to_owned), ..manifest(args, mounts.clone()) };
        masquerade.daemon_set = Some(daemon_set);
        let list = ("ip-masq-agent", "nonMasqueradeCIDRs: [fd00::/8]");
        masquerade.config_maps.push(config_map(Some("kube-system"), "config", &[list]));
        let reading = read(&masquerade, Surroundings::default(), "m");
        assert!(reading.enable_ipv6, "{args:?}");
        assert_eq!(exempt(&reading), ["fd00::/8"], "{args:?}");
        assert!(!reading.findings.iter().any(|finding| finding.message.contains("argument")), "{:?}", reading.findings);
    }
}
