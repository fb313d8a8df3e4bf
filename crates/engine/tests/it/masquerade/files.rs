use super::*;

/// A design with this file; where each finding points, as text.
fn pointed(cluster: &str, lines: &str) -> Vec<(String, String)> {
    let body: String = lines.lines().map(|line| format!("          {line}\n")).collect();
    let text = format!(
        "{NETWORKS}\nclusters:\n  prod:{cluster}    masquerade:\n      agent: ip-masq-agent-v2\n      files:\n        ip-masq-agent: |\n{body}"
    );
    let design = design(&text);
    findings(&design)
        .into_iter()
        .map(|finding| {
            let words =
                finding.at.map_or("", |at| text.get(at.start as usize..at.end as usize).expect("a place in the text"));
            (finding.code.to_string(), words.to_owned())
        })
        .collect()
}

#[test]
fn findings_point_at_the_bytes_in_the_users_own_file() {
    let pair = |code: &str, words: &str| (code.to_owned(), words.to_owned());
    assert_eq!(
        pointed(POD_SUBNET, "nonMasqueradeCIDRs:\n  - 10.0.0.0/16\n  - 192.168.0.1/16\n  -\nresyncIntervall: 5\n"),
        [
            pair("masq-config-rejected", "192.168.0.1/16"),
            pair("masq-item-null", "-"),
            pair("masq-unknown-key", "resyncIntervall"),
        ]
    );
    assert_eq!(pointed(POD_SUBNET, "nonMasqueradeCIDRs: [10.0.0.0/16, 192.168.0.0/16]\nmasqLinkLocal: false\n"), []);
    assert_eq!(
        pointed(POD_SUBNET, "nonMasqueradeCIDRs: [10.0.0.0/16, 192.168.0.0/16, 10.200.0.0/16]\n"),
        [pair("exempt-destination-cannot-route-back", "10.200.0.0/16")]
    );
    assert_eq!(pointed(OVERLAY, "masqLinkLocal: no\n"), [pair("masq-files-contradict", "no")]);
}

#[test]
fn an_empty_list_is_filled_by_the_platforms_own_file() {
    let code = "masq-list-empty";
    let at = "clusters.prod.masquerade.files.ip-masq-agent";
    for text in ["", "masqLinkLocal: true", "nonMasqueradeCIDRs: []"] {
        assert_eq!(of(code, &with(&[POD_SUBNET, &file(text)])).len(), 1, "{text}");
        assert_eq!(of(code, &with(&[OVERLAY, &file(text)])), [""; 0], "{text}");
    }
    assert_eq!(of(code, &with(&[POD_SUBNET, &list("10.0.0.0/8 192.168.0.0/16", false)])), [""; 0]);
    // The original agent keeps its own list.
    let original = file("masqLinkLocal: true").replace("ip-masq-agent-v2", "ip-masq-agent");
    assert_eq!(of(code, &with(&[POD_SUBNET, &original])), [""; 0]);
    assert_eq!(of(code, &with(&[POD_SUBNET, &file("{}")])), [format!("{code}! {at}")]);
}

#[test]
fn what_the_agent_refuses_leaves_the_rest_unjudged() {
    let lines = said(&with(&[POD_SUBNET, &list("10.0.0.0/16 192.168.0.1/16", false)]));
    assert_eq!(lines, ["masq-config-rejected! clusters.prod.masquerade.files.ip-masq-agent 192.168.0.1/16"]);
}

#[test]
fn a_config_map_nobody_reads_changes_nothing() {
    let map = |namespace: &str, name: &str| {
        format!(
            "    masquerade:\n      configMaps:\n        - metadata: {{name: {name}, namespace: {namespace}}}\n          data: {{ip-masq-agent: 'nonMasqueradeCIDRs: [10.0.0.0/8]'}}\n"
        )
    };
    let all = |namespace: &str, name: &str| said(&with(&[OVERLAY, &map(namespace, name)]));
    let ignored = ["masq-file-ignored clusters.prod.masquerade.configMaps.0 "];
    for (namespace, name) in [("default", "azure-ip-masq-agent-config"), ("kube-system", "ip-masq-config")] {
        let lines = all(namespace, name);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].starts_with(ignored[0].trim_end()), "{lines:?}");
    }
    let lines = all("kube-system", "azure-ip-masq-agent-config");
    assert!(lines.iter().any(|line| line.starts_with("leftover-masq-config!")), "{lines:?}");
    assert!(!lines.iter().any(|line| line.starts_with("masq-file-ignored")), "{lines:?}");
    // Where AKS runs no agent the namespace is said, once.
    let flat = said(&with(&[POD_SUBNET, &map("default", "azure-ip-masq-agent-config")]));
    assert_eq!(flat.iter().filter(|line| line.contains("configMaps.0")).count(), 1, "{flat:?}");
}
