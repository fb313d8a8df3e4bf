use super::*;

#[test]
fn the_platforms_addresses_answer_nodes() {
    let code = "platform-address-needs-snat";
    let at = "clusters.prod.masquerade.files.ip-masq-agent";
    let run = |parts: &[&str]| of(code, &with(parts));
    assert_eq!(run(&[OVERLAY]), [""; 0]);
    assert_eq!(run(&[OVERLAY, &list("168.63.129.16/32", true)]), [format!("{code}! {at} 168.63.129.16")]);
    assert_eq!(run(&[OVERLAY, &list("168.0.0.0/8", true)]), [format!("{code}! {at} 168.63.129.16")]);
    assert_eq!(
        run(&[OVERLAY, &list("0.0.0.0/0", true)]),
        [format!("{code} {at} 169.254.169.254"), format!("{code}! {at} 168.63.129.16")]
    );
    assert_eq!(run(&[OVERLAY, &list("169.254.0.0/16", true)]), [format!("{code} {at} 169.254.169.254")]);
    // AKS' own file says true, and booleans are ORed.
    assert_eq!(run(&[OVERLAY, &list("10.244.0.0/16", false)]), [""; 0]);
    // Azure's CNI translates these two before any list is asked.
    assert_eq!(run(&[POD_SUBNET, &list("0.0.0.0/0", false)]), [""; 0]);
    assert_eq!(run(&[POD_SUBNET]), [""; 0]);
    // Pods of node-subnet mode have addresses of the interface.
    assert_eq!(run(&[NODE_SUBNET, &list("168.63.129.16/32", false)]), [""; 0]);
    // With eBPF host routing that CNI's rules are bypassed too.
    let cilium = |exempt: &str| {
        let files = format!("{{ip-masq-agent: '{{\"nonMasqueradeCIDRs\": [\"{exempt}\"], \"masqLinkLocal\": true}}'}}");
        format!("    dataplane: cilium\n    ebpfHostRouting: true\n    masquerade: {{agent: cilium, files: {files}}}\n")
    };
    assert_eq!(run(&[POD_SUBNET, &cilium("168.0.0.0/8")]), [format!("{code}! {at} 168.63.129.16")]);
    assert_eq!(run(&[POD_SUBNET, &cilium("10.0.0.0/8")]), [""; 0]);
    // With DNS servers of its own the VNet's pods do not ask the platform's.
    let own = NETWORKS.replace(
        "prefixes: [10.0.0.0/16, 192.168.0.0/16]\n",
        "prefixes: [10.0.0.0/16, 192.168.0.0/16]\n    dnsServers: [10.10.4.20]\n",
    );
    let own = design(&format!("{own}\nclusters:\n  prod:{OVERLAY}{}", list("168.63.129.16/32", true)));
    assert_eq!(of(code, &own), [format!("{code} {at} 168.63.129.16")]);
}

#[test]
fn no_rule_of_iptables_is_met_under_ebpf_host_routing() {
    let code = "masq-agent-bypassed";
    let ebpf = "    dataplane: cilium\n    ebpfHostRouting: true\n";
    let agent = list("10.0.0.0/16 192.168.0.0/16", false);
    assert_eq!(of(code, &with(&[POD_SUBNET, ebpf, &agent])), [format!("{code}! clusters.prod.masquerade.agent")]);
    assert_eq!(of(code, &with(&[POD_SUBNET, &agent])), [""; 0]);
    assert_eq!(of(code, &with(&[POD_SUBNET, ebpf])), [""; 0]);
    assert_eq!(
        of(code, &with(&[POD_SUBNET, ebpf, &agent.replace("ip-masq-agent-v2", "causeway")])),
        [format!("{code}! clusters.prod.masquerade.agent")]
    );
    assert_eq!(of(code, &with(&[POD_SUBNET, ebpf, &agent.replace("ip-masq-agent-v2", "cilium")])), [""; 0]);
    // In overlay the files are the platform agent's, and AKS hands them to Cilium.
    assert_eq!(of(code, &with(&[OVERLAY, ebpf, &agent])), [""; 0]);
    assert_eq!(
        of(code, &with(&[OVERLAY, ebpf, super::manifest::GOOD])),
        [format!("{code}! clusters.prod.masquerade.daemonSet")]
    );
}

#[test]
fn two_agents_on_one_node() {
    let code = "masq-agents-compete";
    let own = super::manifest::GOOD;
    assert_eq!(of(code, &with(&[NODE_SUBNET, own])), [format!("{code}! clusters.prod.masquerade.daemonSet own-masq")]);
    assert_eq!(of(code, &with(&[POD_SUBNET, own])), [""; 0]);
    let chain = own.replace("--v=2", "--masq-chain=OWN");
    assert_eq!(of(code, &with(&[OVERLAY, &chain])), [format!("{code} clusters.prod.masquerade.daemonSet own-masq")]);
    let theirs = own.replace("own-masq", "azure-ip-masq-agent");
    assert_eq!(of(code, &with(&[OVERLAY, &theirs])), [""; 0]);
}

#[test]
fn the_platforms_file_says_true_whatever_the_users_says() {
    let code = "masq-files-contradict";
    let at = "clusters.prod.masquerade.files.ip-masq-agent";
    assert_eq!(of(code, &with(&[OVERLAY, &list("10.244.0.0/16", false)])), [format!("{code} {at}")]);
    assert_eq!(of(code, &with(&[NODE_SUBNET, &list("10.10.0.0/16", false)])), [format!("{code} {at}")]);
    assert_eq!(of(code, &with(&[OVERLAY, &list("10.244.0.0/16", true)])), [""; 0]);
    assert_eq!(of(code, &with(&[POD_SUBNET, &list("10.0.0.0/16 192.168.0.0/16", false)])), [""; 0]);
}
