use super::*;
use causeway_engine::masquerade::{Effective, effective};
use causeway_model::design::{ClusterName, MasqueradeAgent};

/// `who: exempt ... [+LL]`, or what is missing.
fn shown(design: &Design) -> String {
    match effective(design, &ClusterName::from("prod")) {
        Effective::Unknown { missing } => format!("unknown: {}", missing.join("; ")),
        Effective::Known(translation) => {
            assert_eq!(translation.entries.len(), translation.config.exempt.len());
            assert!(!translation.because.is_empty());
            let exempt: Vec<String> = translation.config.exempt.iter().map(ToString::to_string).collect();
            let by = if translation.by == MasqueradeAgent::None { "nobody" } else { translation.by.as_str() };
            let flags = [
                (translation.config.link_local, " +LL"),
                (translation.shipped, " (AKS)"),
                (translation.platform_snat, " (CNI)"),
            ];
            let flags: String = flags.into_iter().filter(|(set, _)| *set).map(|(_, word)| word).collect();
            let many = exempt.len();
            if many > 12 { format!("{by}: {many} ranges{flags}") } else { format!("{by}: {}{flags}", exempt.join(" ")) }
        }
    }
}

#[test]
fn who_translates_and_what_is_exempt() {
    let v2 = "ip-masq-agent-v2";
    let defaults = "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16";
    let ebpf = "    dataplane: cilium\n    ebpfHostRouting: true\n";
    let stated = |agent: &str| format!("    masquerade: {{agent: {agent}}}\n");
    let byo = "\n    mode: byo\n    pools: {a: {nodes: 1, subnet: spoke/nodes}}\n";
    let original = file("masqLinkLocal: true").replace(v2, "ip-masq-agent");
    let own_chain =
        super::manifest::GOOD.replace("--v=2", "--masq-chain=OWN").replace("192.168.0.0/16", "10.244.0.0/20");
    let both = |mode: &str, config: &str| format!("{mode}    masquerade: {{configMaps: [{config}]}}\n");
    let map = |name: &str, key: &str, text: &str| {
        format!(
            "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}, namespace: kube-system}}, data: {{{key}: '{text}'}}}}"
        )
    };
    let reconciled = map(
        "azure-ip-masq-agent-config-reconciled",
        "ip-masq-agent-reconciled",
        "NonMasqueradeCIDRs: [10.244.0.0/16, 10.9.0.0/16]",
    );
    let cases: &[(String, String)] = &[
        // What AKS ships.
        ([OVERLAY].concat(), format!("{v2}: 10.244.0.0/16 +LL (AKS)")),
        ([KUBENET].concat(), format!("{v2}: 10.244.0.0/16 +LL (AKS)")),
        ([NODE_SUBNET].concat(), format!("{v2}: 10.0.0.0/16 192.168.0.0/16 +LL (AKS)")),
        ([POD_SUBNET].concat(), "nobody:  (CNI)".into()),
        ([byo].concat(), "unknown: what the cluster's own CNI plugin translates".into()),
        (["\n    pools: {a: {nodes: 1, subnet: spoke/nodes}}\n"].concat(), "unknown: the cluster's mode".into()),
        // What users add.
        ([NODE_SUBNET, &list("10.10.0.0/16", false)].concat(), format!("{v2}: 10.0.0.0/16 10.10.0.0/16 192.168.0.0/16 +LL (AKS)")),
        ([POD_SUBNET, &list("10.0.0.0/16", false)].concat(), format!("{v2}: 10.0.0.0/16 (CNI)")),
        ([POD_SUBNET, &stated(v2)].concat(), format!("{v2}: {defaults} (CNI)")),
        ([POD_SUBNET, &stated("none")].concat(), "nobody:  (CNI)".into()),
        ([POD_SUBNET, &original].concat(), format!("ip-masq-agent: {defaults} +LL (CNI)")),
        ([byo, &list("10.0.0.0/16", true)].concat(), format!("{v2}: 10.0.0.0/16 +LL")),
        ([POD_SUBNET, super::manifest::GOOD].concat(), format!("{v2}: 10.0.0.0/16 192.168.0.0/16 (CNI)")),
        // The platform's own file, as it was exported.
        (both(OVERLAY, &reconciled), format!("{v2}: 10.9.0.0/16 10.244.0.0/16 (AKS)")),
        // Two agents, two chains: only what both exempt.
        ([OVERLAY, &own_chain].concat(), format!("{v2}: 10.244.0.0/20 +LL (AKS)")),
        ([OVERLAY, super::manifest::GOOD].concat(), "unknown: which of two agents wrote the chain last: AKS' own or `own-masq`".into()),
        // eBPF host routing.
        ([OVERLAY, ebpf].concat(), "cilium: 10.244.0.0/16 +LL (AKS)".into()),
        ([OVERLAY, ebpf, &list("10.0.0.0/16", false)].concat(), "cilium: 10.0.0.0/16 10.244.0.0/16 +LL (AKS)".into()),
        ([POD_SUBNET, ebpf].concat(), "cilium: 55 ranges +LL (AKS)".into()),
        ([POD_SUBNET, ebpf, &list("10.0.0.0/16", false)].concat(), "cilium: 55 ranges +LL (AKS)".into()),
        // What a node really has.
        ([OVERLAY, "    observedRules: {exempt: [10.0.0.0/8]}\n"].concat(), format!("{v2}: 10.0.0.0/8 +LL (AKS)")),
        ([POD_SUBNET, "    observedRules: {exempt: [10.0.0.0/8, 169.254.0.0/16]}\n"].concat(), format!("{v2}: 10.0.0.0/8 169.254.0.0/16 (CNI)")),
        // What can't be known.
        (
            [POD_SUBNET, &file("nonMasqueradeCIDRs: [x]")].concat(),             "unknown: the rules of before, which stay in place: the agent refuses its configuration (`the daemon encountered an error: error syncing configuration: config file \"ip-masq-agent\" is invalid: CIDR \"x\" could not be parsed, invalid CIDR address: x`)".into(),
        ),
    ];
    for (parts, expected) in cases {
        assert_eq!(shown(&with(&[parts])), *expected, "{parts}");
    }
}

#[test]
fn a_config_map_nobody_gave_leaves_the_answer_open() {
    let absent = super::manifest::GOOD.replace("{name: own, items", "{name: other, items");
    assert_eq!(
        shown(&with(&[POD_SUBNET, &absent])),
        "unknown: the ConfigMap `kube-system/other`, which the DaemonSet `own-masq` mounts"
    );
    let optional = absent.replace("{name: other, items", "{name: other, optional: true, items");
    assert_eq!(
        shown(&with(&[POD_SUBNET, &optional])),
        "ip-masq-agent-v2: 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 (CNI)"
    );
    let alone = optional.split("      configMaps:").next().unwrap().to_owned();
    assert_eq!(
        shown(&with(&[POD_SUBNET, &alone])),
        "unknown: the ConfigMap `kube-system/other`, which the DaemonSet `own-masq` mounts"
    );
}

#[test]
fn an_open_answer_is_said() {
    let code = "masq-config-unknown";
    let alone = super::manifest::GOOD.split("      configMaps:").next().unwrap().to_owned();
    let lines = of(code, &with(&[POD_SUBNET, &alone]));
    assert_eq!(
        lines,
        [format!(
            "{code} clusters.prod.masquerade the ConfigMap `kube-system/own`, which the DaemonSet `own-masq` mounts"
        )]
    );
    assert_eq!(of(code, &with(&[POD_SUBNET, super::manifest::GOOD])), [""; 0]);
    let observed = format!("    observedRules: {{exempt: [10.0.0.0/16, 192.168.0.0/16]}}{alone}");
    assert_eq!(of(code, &with(&[POD_SUBNET, &observed])), [""; 0]);
}

#[test]
fn what_a_list_decides_address_by_address() {
    let design = with(&[POD_SUBNET, &list("10.0.0.0/16 192.168.0.0/16", false)]);
    let Effective::Known(translation) = effective(&design, &ClusterName::from("prod")) else { panic!("not known") };
    let kept = translation.kept();
    for (address, keeps) in [
        ("10.0.5.9", true),
        ("192.168.7.20", true),
        ("172.20.1.1", false),
        ("10.50.0.9", false),
        ("8.8.8.8", false),
        ("169.254.169.254", true),
        ("168.63.129.16", false),
        // IPv6 is left alone by an agent that runs without it.
        ("2001:db8::1", true),
    ] {
        assert_eq!(kept.contains(address.parse().unwrap()), keeps, "{address}");
    }
}

#[test]
fn ranges_nobody_knows_leave_the_answer_open() {
    let managed = "causeway: 1\nclusters:\n  prod: {mode: nodeSubnet, pools: {a: {nodes: 1}}}\n";
    assert_eq!(
        shown(&design(managed)),
        "unknown: the ranges AKS exempts: the pod range, or the prefixes of the cluster's VNet"
    );
}
