use super::*;

/// A DaemonSet of somebody's own without a fault.
pub(crate) const GOOD: &str = "
    masquerade:
      daemonSet:
        apiVersion: apps/v1
        kind: DaemonSet
        metadata: {name: own-masq, namespace: kube-system}
        spec:
          template:
            spec:
              hostNetwork: true
              nodeSelector: {kubernetes.io/os: linux}
              tolerations: [{operator: Exists}]
              containers:
                - name: masq
                  image: example.com/ip-masq-agent-v2:v1
                  args: [\"--v=2\"]
                  securityContext: {capabilities: {add: [NET_ADMIN, NET_RAW]}}
                  volumeMounts:
                    - {name: config, mountPath: /etc/config}
                    - {name: lock, mountPath: /run/xtables.lock}
              volumes:
                - {name: config, projected: {sources: [{configMap: {name: own, items: [{key: list, path: ip-masq-agent}]}}]}}
                - {name: lock, hostPath: {path: /run/xtables.lock}}
      configMaps:
        - {apiVersion: v1, kind: ConfigMap, metadata: {name: own, namespace: kube-system}, data: {list: 'nonMasqueradeCIDRs: [10.0.0.0/16, 192.168.0.0/16]'}}
";

/// What is said of the DaemonSet with something replaced.
fn lint(cluster: &str, from: &str, to: &str) -> Vec<String> {
    assert!(from.is_empty() || GOOD.contains(from), "{from}");
    let text = if from.is_empty() { GOOD.to_owned() } else { GOOD.replace(from, to) };
    let design = with(&[cluster, &text]);
    let of_manifest =
        findings(&design).into_iter().filter(|finding| finding.code.as_str() == "agent-manifest-misconfigured");
    let mut out: Vec<String> = of_manifest
        .map(|finding| {
            assert_eq!(finding.object, "clusters.prod.masquerade.daemonSet");
            format!("{}{}", if finding.severity == Severity::Error { "! " } else { "" }, finding.message)
        })
        .collect();
    out.sort();
    out
}

#[test]
fn each_fault_has_its_line_and_a_good_manifest_none() {
    assert_eq!(said(&with(&[POD_SUBNET, GOOD])), [""; 0]);
    let tainted = POD_SUBNET.replace("maxPods: 30", "maxPods: 30, taints: [\"gpu=true:NoSchedule\"]");
    let windows = POD_SUBNET.replace("podSubnet: spoke/pods}}", "podSubnet: spoke/pods}, win: {nodes: 1, os: windows, maxPods: 30, subnet: spoke/nodes, podSubnet: spoke/pods}}");
    let cases: &[(&str, &str, &str, &[&str])] = &[
        (
            POD_SUBNET,
            "hostNetwork: true",
            "hostNetwork: false",
            &["! `own-masq` does not run on the host network, so it writes its rules where no packet of a pod passes"],
        ),
        (POD_SUBNET, "[NET_ADMIN, NET_RAW]", "[NET_ADMIN]", &["`own-masq` lacks the capability `NET_RAW`"]),
        (POD_SUBNET, "[NET_ADMIN, NET_RAW]", "[]", &["! `own-masq` lacks the capabilities `NET_ADMIN` and `NET_RAW`"]),
        (
            POD_SUBNET,
            "image: example.com/ip-masq-agent-v2:v1\n                  args: [\"--v=2\"]\n                  securityContext: {capabilities: {add: [NET_ADMIN, NET_RAW]}}",
            "image: example.com/causeway-node:v1\n                  args: [\"--v=2\", \"--metrics-address=:1\"]\n                  securityContext: {capabilities: {add: [NET_ADMIN]}}",
            &[],
        ),
        (
            POD_SUBNET,
            "image: example.com/ip-masq-agent-v2:v1\n                  args: [\"--v=2\"]\n                  securityContext: {capabilities: {add: [NET_ADMIN, NET_RAW]}}",
            "image: example.com/causeway-node-iptables:v1\n                  args: [--backend=iptables]\n                  securityContext: {capabilities: {add: [NET_ADMIN]}}",
            &["`own-masq` lacks the capability `NET_RAW`"],
        ),
        (POD_SUBNET, "[NET_ADMIN, NET_RAW]", "[CAP_NET_ADMIN, ALL]", &[]),
        (POD_SUBNET, "{capabilities: {add: [NET_ADMIN, NET_RAW]}}", "{privileged: true}", &[]),
        (
            POD_SUBNET,
            "mountPath: /etc/config",
            "mountPath: /etc/masq",
            &["! `own-masq` mounts its ConfigMap at `/etc/masq`, and reads `/etc/config` only"],
        ),
        (
            POD_SUBNET,
            "name: config, mountPath: /etc/config",
            "name: lock, mountPath: /other",
            &["! `own-masq` mounts nothing at `/etc/config`: the agent ends when the directory is missing"],
        ),
        (
            POD_SUBNET,
            "name: config, mountPath",
            "name: none, mountPath",
            &["! the volume at `/etc/config` brings no ConfigMap"],
        ),
        (
            POD_SUBNET,
            "mountPath: /etc/config",
            "mountPath: /etc/config/ip-masq-agent, subPath: ip-masq-agent",
            &[
                "`/etc/config/ip-masq-agent` is mounted with `subPath`, so changes of the ConfigMap never reach the agent",
            ],
        ),
        (
            POD_SUBNET,
            "{configMap: {name: own, items: [{key: list, path: ip-masq-agent}]}}",
            "{configMap: null, name: own, items: [{key: list, path: ip-masq-agent}]}",
            &[
                "! a volume source says `configMap` and names none: `name`, `optional` and `items` belong one level deeper",
            ],
        ),
        (
            POD_SUBNET,
            "metadata: {name: own, namespace: kube-system}",
            "metadata: {name: own}",
            &[
                "! the ConfigMap `own` is in namespace `default` and the DaemonSet in `kube-system`: its pods do not start",
            ],
        ),
        (
            POD_SUBNET,
            "{name: own-masq, namespace: kube-system}",
            "{name: own-masq, namespace: masq}",
            &["! the ConfigMap `own` is in namespace `kube-system` and the DaemonSet in `masq`: its pods do not start"],
        ),
        (
            POD_SUBNET,
            "key: list, path",
            "key: lst, path",
            &["! the ConfigMap `own` has no key `lst`, which the volume asks for: the pods do not start"],
        ),
        (
            POD_SUBNET,
            "path: ip-masq-agent}",
            "path: ip-masq/agent}",
            &["! the key `list` becomes `ip-masq/agent`, in a folder the agent does not look into"],
        ),
        (
            POD_SUBNET,
            "hostPath: {path: /run/xtables.lock}",
            "emptyDir: {}",
            &[
                "`own-masq` does not share the host's `/run/xtables.lock`, so it and kube-proxy can write iptables at the same time",
            ],
        ),
        (POD_SUBNET, "hostPath: {path: /run/xtables.lock}", "hostPath: {path: /run}", &[]),
        (
            POD_SUBNET,
            "--v=2",
            "--enable-ip6",
            &["! ip-masq-agent-v2 ends at its argument `--enable-ip6`: flag provided but not defined: -enable-ip6"],
        ),
        (POD_SUBNET, "tolerations: [{operator: Exists}]", "tolerations: []", &[]),
        (
            &tainted,
            "tolerations: [{operator: Exists}]",
            "tolerations: []",
            &["`own-masq` may not run on the nodes of `a`, whose taints it is not seen to tolerate"],
        ),
        (&tainted, "", "", &[]),
        (&windows, "", "", &[]),
        (
            &windows,
            "nodeSelector: {kubernetes.io/os: linux}",
            "nodeSelector: {}",
            &["nothing keeps `own-masq` off Windows nodes, where it can't start"],
        ),
        (POD_SUBNET, "nodeSelector: {kubernetes.io/os: linux}", "nodeSelector: {}", &[]),
        (
            POD_SUBNET,
            "kubernetes.io/os: linux",
            "kubernetes.io/os: windows",
            &["! `kubernetes.io/os: windows` keeps `own-masq` off every Linux node"],
        ),
        (
            POD_SUBNET,
            "kubernetes.io/os: linux",
            "agentpool: b",
            &["the node selector of `own-masq` leaves out the nodes of `a`, where nothing is translated"],
        ),
        (POD_SUBNET, "kubernetes.io/os: linux", "agentpool: a", &[]),
    ];
    for (cluster, from, to, expected) in cases {
        assert_eq!(lint(cluster, from, to), *expected, "{from} -> {to}");
    }
}

#[test]
fn a_key_that_becomes_no_file_the_agent_reads() {
    let text = GOOD.replace(", items: [{key: list, path: ip-masq-agent}]", "");
    assert_eq!(
        of("masq-file-ignored", &with(&[POD_SUBNET, &text])),
        ["masq-file-ignored clusters.prod.masquerade.configMaps.0.data.list"]
    );
    assert_eq!(of("masq-file-ignored", &with(&[POD_SUBNET, GOOD])), [""; 0]);
}
