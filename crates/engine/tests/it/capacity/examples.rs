//! Worked examples of the vendor's pages and of the product's own arithmetic, by name.

use super::{Plan, codes, pool};

/// Node subnets: name, mode, prefix, pool, usable, during an upgrade, fits, smallest prefix.
#[test]
fn node_subnets() {
    for (name, mode, prefix, pools, usable, upgrade, fits, smallest) in [
        (
            "nodesubnet.50plus10",
            "nodeSubnet",
            "10.80.0.0/21",
            "a: {nodes: {count: 50, max: 60}, maxPods: 30, maxSurge: 1}",
            2043,
            1891,
            true,
            21,
        ),
        (
            "nodesubnet.formula-upgrade-page",
            "nodeSubnet",
            "10.80.0.0/23",
            "a: {nodes: 10, maxPods: 30, maxSurge: 2}",
            507,
            372,
            true,
            23,
        ),
        (
            "nodesubnet.slash24-with-surge",
            "nodeSubnet",
            "10.80.0.0/24",
            "a: {nodes: 7, maxPods: 30, maxSurge: 1}",
            251,
            248,
            true,
            24,
        ),
        (
            "nodesubnet.slash24-with-surge, one more",
            "nodeSubnet",
            "10.80.0.0/24",
            "a: {nodes: 8, maxPods: 30, maxSurge: 1}",
            251,
            279,
            false,
            23,
        ),
        (
            "nodesubnet.slash24-slash22",
            "nodeSubnet",
            "10.80.0.0/22",
            "a: {nodes: 32, maxPods: 30, maxSurge: 0, maxUnavailable: 1}",
            1019,
            992,
            true,
            22,
        ),
        (
            "nodesubnet.250pods-slash16",
            "nodeSubnet",
            "10.80.0.0/16",
            "a: {nodes: 261, maxPods: 250, maxSurge: 0, maxUnavailable: 1}",
            65_531,
            65_511,
            true,
            16,
        ),
        (
            "nodesubnet.insufficient-create",
            "nodeSubnet",
            "10.80.0.0/24",
            "a: {nodes: 9, maxPods: 30, maxSurge: 1}",
            251,
            310,
            false,
            23,
        ),
        (
            "kubenet.slash24",
            "kubenet",
            "10.80.0.0/24",
            "a: {nodes: 250, maxPods: 110, maxSurge: 1}",
            251,
            251,
            true,
            24,
        ),
        (
            "overlay.autoscaler-max-count",
            "overlay",
            "10.80.0.0/26",
            "a: {nodes: {count: 3, max: 100}, maxPods: 30, maxSurge: 1}",
            59,
            101,
            false,
            25,
        ),
        (
            "upg.percent-ceil",
            "overlay",
            "10.80.0.0/24",
            "a: {nodes: 10, maxPods: 30, maxSurge: \"33%\"}",
            251,
            14,
            true,
            27,
        ),
        ("upg.capped", "overlay", "10.80.0.0/24", "a: {nodes: 3, maxPods: 30, maxSurge: 5}", 251, 6, true, 28),
        (
            "upg.33of100",
            "overlay",
            "10.80.0.0/24",
            "a: {nodes: 100, maxPods: 30, maxSurge: \"33%\"}",
            251,
            133,
            true,
            24,
        ),
        ("surge not stated, small", "overlay", "10.80.0.0/24", "a: {nodes: 3, maxPods: 30}", 251, 4, true, 28),
        ("surge not stated, large", "overlay", "10.80.0.0/24", "a: {nodes: 101, maxPods: 30}", 251, 112, true, 25),
        (
            "blue/green doubles",
            "overlay",
            "10.80.0.0/24",
            "a: {nodes: 100, maxPods: 30, blueGreen: true}",
            251,
            200,
            true,
            24,
        ),
    ] {
        let nodes = format!("prefix: {prefix}");
        let answer = Plan { mode, nodes: &nodes, pools, ..Plan::default() }.ask();
        let row = pool(&answer, "spoke/nodes");
        assert_eq!(row.usable, Some(usable), "{name}");
        assert_eq!(row.during_upgrade, Some(upgrade), "{name}: {:#?}", row.because);
        assert_eq!(row.fits, Some(fits), "{name}");
        assert_eq!(row.smallest_prefix, Some(smallest), "{name}");
        assert_eq!(row.short_by, Some(upgrade.saturating_sub(usable)), "{name}");
        let room = codes(&answer).iter().any(|code| code.starts_with("no-room") || *code == "subnet-full");
        assert_eq!(room, !fits, "{name}: {:?}", codes(&answer));
    }
}

/// Pod ranges: nodes, surge, prefix, blocks, fits, smallest prefix.
#[test]
fn node_blocks() {
    for (name, mode, pod_cidr, nodes, surge, blocks, fits, smallest) in [
        ("overlay.max-nodes-slash24", "overlay", "10.244.0.0/24", 1, 0, 1, true, 24),
        ("overlay.max-nodes-slash24, one more", "overlay", "10.244.0.0/24", 2, 0, 1, false, 23),
        ("overlay.max-nodes-slash23", "overlay", "10.244.0.0/23", 2, 0, 2, true, 23),
        ("overlay.max-nodes-slash18", "overlay", "10.244.0.0/18", 64, 0, 64, true, 18),
        ("overlay.max-nodes-slash16", "overlay", "10.244.0.0/16", 256, 0, 256, true, 16),
        ("overlay.max-nodes-slash15", "overlay", "10.244.0.0/15", 512, 0, 512, true, 15),
        ("overlay.max-nodes-slash14", "overlay", "10.244.0.0/14", 900, 100, 1024, true, 14),
        ("overlay.max-nodes-slash12", "overlay", "100.64.0.0/12", 1000, 0, 4096, true, 14),
        ("overlay.1000-nodes-110pods", "overlay", "100.64.0.0/15", 1000, 0, 512, false, 14),
        ("overlay.250-nodes-surge", "overlay", "10.244.0.0/16", 250, 10, 256, false, 15),
        ("a block is whole or none", "overlay", "10.244.0.0/25", 1, 0, 0, false, 24),
        ("kubenet.node-blocks", "kubenet", "10.244.0.0/16", 3, 0, 256, true, 22),
    ] {
        let pools = format!("a: {{nodes: {nodes}, maxPods: 110, maxSurge: {surge}, maxUnavailable: 1}}");
        let answer = Plan { mode, nodes: "prefix: 10.80.0.0/20", pod_cidr, pools: &pools, ..Plan::default() }.ask();
        let row = pool(&answer, "prod/podCidr");
        assert_eq!(row.usable, Some(blocks * 256), "{name}");
        assert_eq!(row.now, Some(nodes * 256), "{name}");
        assert_eq!(row.during_upgrade, Some((nodes + surge) * 256), "{name}");
        assert_eq!(row.fits, Some(fits), "{name}");
        assert_eq!(row.smallest_prefix, Some(smallest), "{name}");
        assert_eq!(codes(&answer).contains(&"pod-cidr-exhausted"), !fits, "{name}");
        if !fits {
            let wanted = format!("/{smallest} is the smallest prefix");
            assert!(row.because.iter().any(|line| line.contains(&wanted)), "{name}: {:#?}", row.because);
        }
    }
}

#[test]
fn overlay_5000_nodes() {
    let pools = "a: {nodes: 1000, maxPods: 30, maxSurge: 0, maxUnavailable: 1}\n\
                 b: {nodes: 1000, maxPods: 30, maxSurge: 0, maxUnavailable: 1}\n\
                 c: {nodes: 1000, maxPods: 30, maxSurge: 0, maxUnavailable: 1}\n\
                 d: {nodes: 1000, maxPods: 30, maxSurge: 0, maxUnavailable: 1}\n\
                 e: {nodes: 1000, maxPods: 30, maxSurge: 0, maxUnavailable: 1}";
    let plan = Plan {
        nodes: "prefix: 10.80.0.0/19",
        pod_cidr: "100.64.0.0/11",
        pools,
        outbound: "{type: none}",
        ..Plan::default()
    };
    let answer = plan.ask();
    let row = pool(&answer, "prod/podCidr");
    assert_eq!((row.smallest_prefix, row.fits), (Some(11), Some(true)));
    assert_eq!(codes(&answer), Vec::<&str>::new(), "scale.5000-pools: five pools of 1,000 are supported");
}

/// Static blocks: maxPods, blocks a node, waste.
#[test]
fn static_blocks() {
    for (max_pods, blocks, waste) in [
        (31, 2, 0),
        (15, 1, 0),
        (16, 2, 15),
        (30, 2, 1),
        (32, 3, 15),
        (47, 3, 0),
        (48, 4, 15),
        (110, 7, 1),
        (239, 15, 0),
        (250, 16, 5),
    ] {
        let pools = format!("a: {{nodes: 10, maxPods: {max_pods}, maxSurge: 1}}");
        let answer = Plan { mode: "podSubnetStatic", pools: &pools, ..Plan::default() }.ask();
        let row = pool(&answer, "spoke/pods");
        assert_eq!(row.now, Some(10 * blocks * 16), "static.maxpods-{max_pods}");
        assert_eq!(row.during_upgrade, Some(11 * blocks * 16), "static.maxpods-{max_pods}");
        let found = super::found(&answer, "static-block-waste");
        assert_eq!(found.len(), usize::from(waste > 0), "static.maxpods-{max_pods}");
        for finding in found {
            assert_eq!(finding.object, "clusters.prod.pools.a.maxPods");
            assert!(finding.message.contains(&format!("leaves {waste} address")), "{}", finding.message);
        }
    }
}

/// Static pod subnets: prefix, maxPods, nodes that fit.
#[test]
fn static_pod_subnets() {
    for (name, prefix, max_pods, usable, nodes, smallest) in [
        ("static.slash16-nodes-30", "10.96.0.0/16", 30, 65_504, 2047, 16),
        ("static.slash13-250", "10.96.0.0/13", 250, 524_256, 2047, 13),
        ("a small one", "10.96.0.0/26", 15, 32, 2, 26),
    ] {
        for (extra, fits) in [(0, true), (1, false)] {
            let halves = ((nodes + extra) / 2, (nodes + extra) - (nodes + extra) / 2);
            let pools = format!(
                "a: {{nodes: {}, maxPods: {max_pods}, maxSurge: 0, maxUnavailable: 1}}\nb: {{nodes: {}, maxPods: {max_pods}, maxSurge: 0, maxUnavailable: 1}}",
                halves.0, halves.1
            );
            let pods = format!("prefix: {prefix}");
            let answer = Plan {
                mode: "podSubnetStatic",
                nodes: "prefix: 10.80.0.0/20",
                pods: &pods,
                pools: &pools,
                ..Plan::default()
            }
            .ask();
            let row = pool(&answer, "spoke/pods");
            assert_eq!(row.usable, Some(usable), "{name}");
            assert_eq!(row.fits, Some(fits), "{name}, {extra} more");
            assert_eq!(row.smallest_prefix, Some(if fits { smallest } else { smallest - 1 }), "{name}, {extra} more");
        }
    }
}

/// Dynamic pod subnets: maxPods, host-network pods, addresses a full node holds.
#[test]
fn dynamic_pod_subnets() {
    for (name, max_pods, host, held) in [
        ("dyn.threshold-8 and two on the host", 10, 2, 16),
        ("dyn.threshold-9", 10, 1, 32),
        ("dyn.36-pods", 36, 0, 48),
        ("dyn.250-pods, clamped", 250, 0, 250),
        ("every-field", 110, 6, 112),
        ("110", 110, 0, 128),
        ("30", 30, 0, 48),
    ] {
        let pools = format!("a: {{nodes: {{count: 3, max: 5}}, maxPods: {max_pods}, maxSurge: \"10%\"}}");
        let cluster = format!("    ipam: {{batch: 16, minFreeFraction: 0.5, hostNetworkPodsPerNode: {host}}}");
        let answer = Plan { mode: "podSubnet", pools: &pools, cluster: &cluster, ..Plan::default() }.ask();
        let row = pool(&answer, "spoke/pods");
        assert_eq!((row.now, row.at_max), (Some(3 * held), Some(5 * held)), "{name}");
        assert_eq!(row.during_upgrade, Some(6 * held), "{name}");
        assert_eq!(row.usable, Some(65_531), "{name}");
        let upper = format!("one address a pod would be {}", max_pods - host);
        assert!(row.because.iter().any(|line| line.contains(&upper)), "{name}: {:#?}", row.because);
        let nodes = pool(&answer, "spoke/nodes");
        assert_eq!((nodes.now, nodes.during_upgrade), (Some(3), Some(6)), "{name}");
    }
}

#[test]
fn churn_rests_on_top_of_surge() {
    let plan = Plan {
        mode: "podSubnet",
        pools: "a: {nodes: {count: 3, max: 5}, maxPods: 110, maxSurge: 1}",
        cluster: "    headroom: {churn: \"10%\"}\n    ipam: {hostNetworkPodsPerNode: 6}",
        ..Plan::default()
    };
    let answer = plan.ask();
    let row = pool(&answer, "spoke/pods");
    assert_eq!(row.at_max, Some(5 * 112));
    // 6 nodes with 104 pods each, a tenth of them resting, rounded up.
    assert_eq!(row.during_upgrade, Some(6 * 112 + 63));
}

#[test]
fn brief002_node_formula() {
    let plan = Plan {
        nodes: "prefix: 10.80.0.0/23",
        pools: "system: {nodes: 3, maxPods: 30, maxSurge: 0, maxUnavailable: 1}\n\
                one: {nodes: 200, maxPods: 30, maxSurge: \"10%\"}\n\
                two: {nodes: 100, maxPods: 30, maxSurge: \"10%\"}",
        cluster: "    headroom: {emergencyNodes: 20, migrationOverlapNodes: 50}",
        ..Plan::default()
    };
    let answer = plan.ask();
    let row = pool(&answer, "spoke/nodes");
    assert_eq!(row.during_upgrade, Some(408 - 5));
    assert_eq!((row.smallest_prefix, row.fits), (Some(23), Some(true)));
}

#[test]
fn brief002_plan_fixed() {
    let answer = super::ask(
        "causeway: 1\nname: brief002\nnetworks:\n  spoke:\n    prefixes: [10.80.0.0/16]\n    subnets:\n      nodes: {prefix: 10.80.16.0/21}\n      \
         ingress: {prefix: 10.80.32.0/24}\n      endpoints: {prefix: 10.80.40.0/24}\nclusters:\n  prod:\n    version: \"1.34\"\n    mode: overlay\n    \
         podCidr: 100.64.0.0/14\n    serviceCidr: 172.29.0.0/16\n    dnsServiceIp: 172.29.0.10\n    outbound: {type: loadBalancer, ips: 1}\n    pools:\n      \
         system: {nodes: 3, maxPods: 110, maxSurge: 1, subnet: spoke/nodes}\n",
    );
    assert_eq!(codes(&answer), Vec::<&str>::new());
    assert_eq!(pool(&answer, "spoke/nodes").usable, Some(2043));
    let range = pool(&answer, "prod/podCidr");
    assert_eq!(range.usable, Some(1024 * 256));
    let last = range.because.last().expect("lines");
    assert_eq!(
        last,
        "the pod range bounds the cluster: the pod range carries 1024 nodes, the node subnet 2043, surge counted in"
    );
}

#[test]
fn upg_subnet_full() {
    // Eight blocks of 31 leave 3 of 251; the surge node needs 31.
    let answer = Plan { mode: "nodeSubnet", pools: "a: {nodes: 8, maxPods: 30, maxSurge: 1}", ..Plan::default() }.ask();
    assert_eq!(codes(&answer), ["no-room-for-surge"]);
    let finding = super::found(&answer, "no-room-for-surge")[0];
    assert_eq!(finding.object, "networks.spoke.subnets.nodes.prefix");
    assert_eq!(finding.on, ["10.80.0.0/24"]);
    let proof = finding.evidence.last().expect("a proof");
    assert!(proof.contains("floor(251 / 31) = 8 nodes fit and 9 are needed"), "{proof}");
    assert!(
        finding.help.contains("/23 is the smallest prefix that works, and 10.80.2.0/23 is free for it"),
        "{}",
        finding.help
    );
    assert_eq!(
        finding.related,
        [("clusters.prod.pools.a.nodes".to_owned(), "8 now, 8 at maximum, 9 with surge".to_owned())]
    );
}

/// maxPods: mode, value, nodes, what the finding says.
#[test]
fn max_pods() {
    for (name, mode, max_pods, nodes, os, says) in [
        ("overlay.max-pods-10", "overlay", 10, 2, "linux", Some("room for 20 pods on 2 nodes")),
        ("overlay.max-pods-10, three nodes", "overlay", 10, 3, "linux", None),
        ("overlay.max-pods-9", "overlay", 9, 10, "linux", Some("less than 10")),
        ("overlay.max-pods-251", "overlay", 251, 1, "linux", Some("more than 250")),
        ("250", "overlay", 250, 1, "linux", None),
        ("windows", "overlay", 111, 1, "windows", Some("above the recommended 110")),
        ("windows, as recommended", "overlay", 110, 1, "windows", None),
        ("a plugin's affair", "byo", 9, 1, "linux", None),
        ("scaled to zero", "overlay", 10, 0, "linux", None),
    ] {
        let pools = format!("a: {{nodes: {nodes}, maxPods: {max_pods}, maxSurge: 1, os: {os}}}");
        let answer = Plan { mode, pools: &pools, ..Plan::default() }.ask();
        let found = super::found(&answer, "max-pods-out-of-range");
        match says {
            Some(says) => {
                assert_eq!(found.len(), 1, "{name}");
                assert!(found[0].message.contains(says), "{name}: {}", found[0].message);
                assert_eq!(found[0].object, "clusters.prod.pools.a.maxPods", "{name}");
            }
            None => assert!(found.is_empty(), "{name}: {found:?}"),
        }
    }
}

/// Limits of nodes and pods: name, plan, what the finding says.
#[test]
fn node_limits() {
    let many: String = (0..101).map(|at| format!("p{at}: {{nodes: 1, maxPods: 30, maxSurge: 1}}\n")).collect();
    for (name, mode, pools, cluster, says) in [
        (
            "kubenet.route-limit",
            "kubenet",
            "a: {nodes: 401, maxPods: 30, maxSurge: 0, maxUnavailable: 1}",
            "",
            Some("may have 401 nodes"),
        ),
        ("kubenet at the limit", "kubenet", "a: {nodes: 400, maxPods: 30, maxSurge: 0, maxUnavailable: 1}", "", None),
        (
            "kubenet, surge above",
            "kubenet",
            "a: {nodes: 400, maxPods: 30, maxSurge: 1}",
            "",
            Some("may have 401 nodes"),
        ),
        (
            "upg.over-1000",
            "overlay",
            "a: {nodes: 990, maxPods: 30, maxSurge: 20}",
            "",
            Some("990 nodes and their surge are 1010"),
        ),
        ("upg.over-1000, just not", "overlay", "a: {nodes: 990, maxPods: 30, maxSurge: 10}", "", None),
        (
            "pool",
            "overlay",
            "a: {nodes: {count: 3, max: 1001}, maxPods: 30, maxSurge: 1}",
            "",
            Some("may have 1001 nodes"),
        ),
        (
            "free tier",
            "overlay",
            "a: {nodes: 600, maxPods: 30, maxSurge: 1}\nb: {nodes: 401, maxPods: 30, maxSurge: 1}",
            "    tier: free",
            Some("at most 1000 are supported in the free tier"),
        ),
        (
            "npm",
            "nodeSubnet",
            "a: {nodes: 251, maxPods: 30, maxSurge: 1}",
            "    networkPolicy: azure",
            Some("Azure NPM is supported up to 250"),
        ),
        (
            "npm pods",
            "overlay",
            "a: {nodes: 200, maxPods: 110, maxSurge: 1}",
            "    networkPolicy: azure",
            Some("room for 22000 pods"),
        ),
        ("pools", "overlay", many.as_str(), "", Some("has 101 node pools")),
        (
            "pods-per-cluster-overlay, warning",
            "overlay",
            "a: {nodes: 900, maxPods: 250, maxSurge: 1}",
            "",
            Some("room for 225000 pods"),
        ),
        ("dynamic pods", "podSubnet", "a: {nodes: 460, maxPods: 110, maxSurge: 1}", "", Some("room for 50600 pods")),
        ("a raised limit", "overlay", "a: {nodes: {count: 3, max: 1001}, maxPods: 30, maxSurge: 1}", "limits", None),
    ] {
        let raised = cluster == "limits";
        let plan = Plan {
            mode,
            pools,
            nodes: "prefix: 10.80.0.0/16",
            outbound: "{type: none}",
            cluster: if raised { "" } else { cluster },
            rest: if raised { "limits: {nodesPerPool: 2000}" } else { "" },
            ..Plan::default()
        };
        let answer = plan.ask();
        let found = super::found(&answer, "node-limit-exceeded");
        match says {
            Some(says) => assert!(found.iter().any(|finding| finding.message.contains(says)), "{name}: {found:#?}"),
            None => assert!(found.is_empty(), "{name}: {found:#?}"),
        }
    }
}

#[test]
fn upg_both_zero() {
    let answer = Plan { pools: "a: {nodes: 3, maxPods: 30, maxSurge: 0, maxUnavailable: 0}", ..Plan::default() }.ask();
    let found = super::found(&answer, "combination-unsupported");
    assert!(found.iter().any(|finding| finding.object == "clusters.prod.pools.a.maxSurge"), "{found:#?}");
}

#[test]
fn a_vnet_carries_65536_addresses() {
    let plan = |nodes: u32| {
        let pools = format!("a: {{nodes: {nodes}, maxPods: 250, maxSurge: 0, maxUnavailable: 1}}");
        Plan {
            mode: "nodeSubnet",
            nodes: "prefix: 10.80.0.0/12",
            pools: &pools,
            outbound: "{type: none}",
            ..Plan::default()
        }
        .ask()
    };
    // 261 x 251 = 65,511 and one more node is 65,762.
    assert!(super::found(&plan(261), "node-limit-exceeded").is_empty());
    let answer = plan(262);
    let found = super::found(&answer, "node-limit-exceeded");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].object, "networks.spoke");
}

#[test]
fn lb_10000_backends() {
    let pools = |more: u32| {
        format!(
            "a: {{nodes: 1000, maxPods: 30, maxSurge: 0, maxUnavailable: 1}}\nb: {{nodes: {}, maxPods: 30, maxSurge: 0, maxUnavailable: 1}}",
            1000 + more
        )
    };
    let cluster = "    services: [{name: a, type: LoadBalancer, clusterIp: 172.16.0.20, ports: [tcp/1, tcp/2, tcp/3, tcp/4, tcp/5]}]";
    let ask = |more| {
        Plan {
            nodes: "prefix: 10.80.0.0/19",
            pools: &pools(more),
            cluster,
            outbound: "{type: none}",
            ..Plan::default()
        }
        .ask()
    };
    assert!(super::found(&ask(0), "node-limit-exceeded").is_empty(), "5 ports x 2,000 nodes");
    // The pool above 1,000 is another finding.
    let answer = ask(1);
    let found = super::found(&answer, "node-limit-exceeded");
    assert!(found.iter().any(|finding| finding.message.contains("= 10005 backend configurations")), "{found:#?}");
}
