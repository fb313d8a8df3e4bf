//! Now, at maximum, during upgrade, after losses, after growth; and what stays unknown.

use super::{Plan, ask, codes, found, pool};

#[test]
fn the_phases_of_node_subnet_mode() {
    let plan = Plan {
        mode: "nodeSubnet",
        nodes: "prefix: 10.80.0.0/21",
        pools: "system: {nodes: {count: 3, min: 3, max: 5}, maxPods: 30, maxSurge: 1, zones: [1, 2, 3]}\n\
                user: {nodes: {count: 6, min: 2, max: 20}, maxPods: 50, maxSurge: \"33%\", zones: [1, 2, 3]}",
        ..Plan::default()
    };
    let answer = plan.ask();
    let row = pool(&answer, "spoke/nodes");
    assert_eq!(row.total, Some(2048));
    assert_eq!(row.usable, Some(2043));
    assert_eq!(row.now, Some(3 * 31 + 6 * 51));
    assert_eq!(row.at_max, Some(5 * 31 + 20 * 51));
    assert_eq!(row.during_upgrade, Some(6 * 31 + 27 * 51));
    // The costliest node is replaced while its addresses are held.
    assert_eq!(row.after_node_loss, Some(5 * 31 + 20 * 51 + 51));
    // Two of five and seven of twenty nodes stand in the worst zone.
    assert_eq!(row.after_zone_loss, Some(7 * 31 + 27 * 51));
    assert_eq!((row.fits, row.short_by, row.smallest_prefix), (Some(true), Some(0), Some(21)));
    assert_eq!(row.prefix.as_deref(), Some("10.80.0.0/21"));
}

#[test]
fn pools_of_one_zone_are_taken_by_the_others() {
    let text = "causeway: 1\nname: zones\nnetworks:\n  spoke:\n    prefixes: [10.80.0.0/16]\n    subnets:\n      one: {prefix: 10.80.0.0/24}\n      two: {prefix: 10.80.1.0/24}\n\
        clusters:\n  prod:\n    mode: overlay\n    podCidr: 10.244.0.0/16\n    serviceCidr: 172.16.0.0/16\n    dnsServiceIp: 172.16.0.10\n    outbound: {type: none}\n    pools:\n      \
        a: {nodes: 10, maxPods: 30, maxSurge: 1, zones: [1], subnet: spoke/one}\n      b: {nodes: 6, maxPods: 30, maxSurge: 1, zones: [2], subnet: spoke/two}\n";
    let answer = ask(text);
    // Zone 1 moves ten nodes to the second subnet, zone 2 six to the first.
    assert_eq!(pool(&answer, "spoke/one").after_zone_loss, Some(16));
    assert_eq!(pool(&answer, "spoke/two").after_zone_loss, Some(16));
    assert_eq!(pool(&answer, "prod/podCidr").after_zone_loss, Some((16 + 10) * 256));
}

#[test]
fn without_zones_a_lost_zone_is_not_judged() {
    let answer = Plan::default().ask();
    let row = pool(&answer, "spoke/nodes");
    assert_eq!((row.after_node_loss, row.after_zone_loss), (Some(4), None));
    assert!(row.because.iter().any(|line| line.contains("zones of prod/system are not stated")), "{:#?}", row.because);
}

/// Unknown parts: pool, now, at maximum, during an upgrade, fits.
#[test]
fn what_is_unknown_stays_unknown() {
    for (name, mode, pools, cluster, now, at_max, upgrade, fits) in [
        ("no upper bound", "overlay", "a: {nodes: {min: 3}, maxPods: 30, maxSurge: 1}", "", Some(3), None, None, None),
        (
            "only an upper bound",
            "overlay",
            "a: {nodes: {max: 9}, maxPods: 30, maxSurge: 1}",
            "",
            None,
            Some(9),
            Some(10),
            Some(true),
        ),
        (
            "too many for certain",
            "overlay",
            "a: {nodes: {min: 3}, maxPods: 30}\nb: {nodes: 300, maxPods: 30, maxSurge: 1}",
            "",
            Some(303),
            None,
            None,
            Some(false),
        ),
        (
            "auto-provisioning",
            "overlay",
            "a: {nodes: 3, maxPods: 30, maxSurge: 1}",
            "    nodeAutoProvisioning: true",
            Some(3),
            None,
            None,
            None,
        ),
        (
            "AKS Automatic",
            "overlay",
            "a: {nodes: 3, maxPods: 30, maxSurge: 1}",
            "    automatic: true",
            Some(3),
            None,
            None,
            None,
        ),
        (
            "auto-provisioning with a stated bound",
            "overlay",
            "a: {nodes: {count: 3, max: 50}, maxPods: 30, maxSurge: 5}",
            "    nodeAutoProvisioning: true",
            Some(3),
            Some(50),
            Some(55),
            Some(true),
        ),
    ] {
        let answer = Plan { mode, pools, cluster, ..Plan::default() }.ask();
        let row = pool(&answer, "spoke/nodes");
        assert_eq!(
            (row.now, row.at_max, row.during_upgrade, row.fits),
            (now, at_max, upgrade, fits),
            "{name}: {:#?}",
            row.because
        );
        assert_eq!(row.smallest_prefix.is_some(), upgrade.is_some(), "{name}");
        assert_eq!(row.short_by.is_some(), upgrade.is_some(), "{name}");
        let snat = &answer.capacity.clusters[0].snat;
        assert_eq!(snat.effective_nodes, upgrade, "{name}");
    }
}

#[test]
fn a_plugin_cuts_its_own_range() {
    let answer = Plan { mode: "byo", ..Plan::default() }.ask();
    let row = pool(&answer, "prod/podCidr");
    assert_eq!((row.total, row.now, row.during_upgrade, row.fits), (Some(1 << 22), None, None, None));
    assert_eq!(pool(&answer, "spoke/nodes").during_upgrade, Some(4));
}

#[test]
fn windows_nodes_need_a_reserve_to_count_as_fitting() {
    let ask = |nodes: u32| {
        let pools = format!("win: {{nodes: {nodes}, maxPods: 30, maxSurge: 1, os: windows}}");
        Plan { pools: &pools, ..Plan::default() }.ask()
    };
    let tight = ask(240);
    assert_eq!(pool(&tight, "spoke/nodes").fits, None, "241 of 251, and a tenth more is 265");
    assert_eq!(codes(&tight), Vec::<&str>::new());
    assert_eq!(pool(&ask(100), "spoke/nodes").fits, Some(true));
    assert_eq!(pool(&ask(251), "spoke/nodes").fits, Some(false));
}

#[test]
fn only_the_worst_about_a_range_is_said() {
    for (name, pools, rest, expected) in [
        ("full", "a: {nodes: 252, maxPods: 30, maxSurge: 1}", "growth: {nodes: 2.0}", "subnet-full"),
        (
            "maximum",
            "a: {nodes: {count: 3, max: 252}, maxPods: 30, maxSurge: 1}",
            "growth: {nodes: 2.0}",
            "no-room-for-max",
        ),
        (
            "surge",
            "a: {nodes: {count: 3, max: 251}, maxPods: 30, maxSurge: 1}",
            "growth: {nodes: 2.0}",
            "no-room-for-surge",
        ),
        (
            "growth",
            "a: {nodes: {count: 3, max: 125}, maxPods: 30, maxSurge: 2}",
            "growth: {nodes: 2.0, months: 24}",
            "no-room-for-growth",
        ),
    ] {
        let answer = Plan { pools, rest, outbound: "{type: none}", ..Plan::default() }.ask();
        let got: Vec<&str> = codes(&answer);
        assert_eq!(got, [expected], "{name}");
        let finding = found(&answer, expected)[0];
        assert!(finding.evidence.iter().any(|line| line.contains("nodes fit and")), "{name}: {:#?}", finding.evidence);
        assert!(finding.since.is_some(), "{name}");
    }
    let none = Plan { pools: "a: {nodes: 3, maxPods: 30}", rest: "growth: {nodes: 2.0}", ..Plan::default() }.ask();
    assert_eq!(codes(&none), Vec::<&str>::new());
}

#[test]
fn growth_of_the_pod_range() {
    let plan = Plan {
        pod_cidr: "10.244.0.0/20",
        pools: "a: {nodes: 10, maxPods: 30, maxSurge: 1}",
        rest: "growth: {nodes: 1.5, months: 12}",
        ..Plan::default()
    };
    // 15 nodes and one for surge fit 16 blocks; 16 and one do not.
    assert_eq!(codes(&plan.ask()), Vec::<&str>::new());
    let more = Plan { rest: "growth: {nodes: 1.51, months: 12}", ..plan };
    let answer = more.ask();
    assert_eq!(codes(&answer), ["no-room-for-growth"]);
    assert_eq!(found(&answer, "no-room-for-growth")[0].object, "clusters.prod.podCidr");
}

#[test]
fn the_alarm_level_is_the_designs() {
    for (rest, expected) in [("alarmAt: \"80%\"", true), ("alarmAt: \"95%\"", false), ("", false)] {
        let plan = Plan {
            pools: "a: {nodes: 220, maxPods: 30, maxSurge: 1}",
            outbound: "{type: none}",
            rest,
            ..Plan::default()
        };
        assert_eq!(codes(&plan.ask()).contains(&"utilisation-above-alarm"), expected, "{rest}");
    }
}

#[test]
fn dynamic_pods_are_only_full_where_they_were_counted() {
    // 20 nodes with 112 addresses each are more than 1,019, but nobody says the nodes are full.
    let plan = |more: &str| {
        let pools = format!("a: {{nodes: 20, maxPods: 110, maxSurge: 1{more}}}");
        Plan { mode: "podSubnet", pods: "prefix: 10.96.0.0/22", pools: &pools, ..Plan::default() }.ask()
    };
    let full = plan("");
    assert!(codes(&full).contains(&"no-room-for-max") && !codes(&full).contains(&"subnet-full"), "{:?}", codes(&full));
    let counted = plan(", allocated: 1020");
    assert_eq!(pool(&counted, "spoke/pods").now, Some(1020));
    assert!(codes(&counted).contains(&"subnet-full"), "{:?}", codes(&counted));
    let few = plan(", allocated: 400");
    assert_eq!(pool(&few, "spoke/pods").now, Some(400));
    assert!(codes(&few).contains(&"no-room-for-max"), "{:?}", codes(&few));
}

#[test]
fn stranded_addresses_come_with_small_nodes() {
    let plan = |nodes: u32, max_pods: u32| {
        let pools = format!("a: {{nodes: {nodes}, maxPods: {max_pods}, maxSurge: 1}}");
        Plan { mode: "podSubnet", pods: "prefix: 10.96.0.0/23", pools: &pools, ..Plan::default() }.ask()
    };
    let small = plan(13, 10);
    assert_eq!(codes(&small), ["pod-subnet-stranded-addresses"], "13 x 22 of 507 lie idle");
    assert_eq!(codes(&plan(3, 100)), Vec::<&str>::new());
    // Batches make the difference: 4 x 128 are too many, 4 x 110 would fit.
    let decides = plan(3, 110);
    assert_eq!(codes(&decides), ["no-room-for-surge", "pod-subnet-stranded-addresses"]);
}

#[test]
fn the_answer_serialises_as_the_contract_says() {
    let answer = Plan { outbound: "{type: loadBalancer, ips: 2, portsPerNode: 1000}", ..Plan::default() }.ask();
    let json = serde_json::to_value(&answer.capacity).expect("plain data");
    let keys = |value: &serde_json::Value| -> Vec<String> {
        let mut keys: Vec<String> = value.as_object().expect("an object").keys().cloned().collect();
        keys.sort();
        keys
    };
    assert_eq!(
        keys(&json["pools"][0]),
        [
            "afterNodeLoss",
            "afterZoneLoss",
            "atMax",
            "because",
            "duringUpgrade",
            "fits",
            "kind",
            "now",
            "pool",
            "prefix",
            "shortBy",
            "smallestPrefix",
            "total",
            "usable"
        ]
    );
    assert_eq!(
        keys(&json["clusters"][0]["snat"]),
        [
            "because",
            "effectiveNodes",
            "fits",
            "largestValidPortsPerNode",
            "portsAvailable",
            "portsNeeded",
            "portsPerNode",
            "smallestIpCount",
            "type"
        ]
    );
    assert_eq!(json["clusters"][0]["snat"]["type"], "loadBalancer");
    assert_eq!(json["pools"][0]["kind"], "podCidr");
    assert_eq!(json["pools"][0]["afterZoneLoss"], serde_json::Value::Null);
}

/// Three nodes with twelve, nine and no pods that need an address, and a host-network pod each.
fn listed(more: &str) -> super::Answer {
    let mut cluster = String::from("    nodes:\n");
    let mut pods = String::from("    pods:\n");
    for (node, count) in [("n1", 12), ("n2", 9), ("n3", 0)] {
        cluster.push_str(&format!("      {node}: {{ip: 10.80.0.{}, pool: a}}\n", 3 + count));
        pods.push_str(&format!(
            "      - {{name: host-{node}, namespace: kube-system, node: {node}, hostNetwork: true}}\n"
        ));
        for at in 0..count {
            pods.push_str(&format!("      - {{name: {node}-{at}, node: {node}, ip: 10.96.0.{}}}\n", 20 + count + at));
        }
    }
    let pools = format!("a: {{nodes: 3, maxPods: 110, maxSurge: 1{more}}}");
    Plan { mode: "podSubnet", pools: &pools, cluster: &(cluster + &pods), ..Plan::default() }.ask()
}

#[test]
fn pods_that_are_all_listed_are_counted() {
    let answer = listed("");
    let row = pool(&answer, "spoke/pods");
    assert_eq!(row.now, Some(32 + 32 + 16), "{:#?}", row.because);
    assert_eq!(row.during_upgrade, Some(4 * 128));
    assert_eq!(codes(&answer), Vec::<&str>::new());
}

#[test]
fn addresses_no_pod_explains_are_said() {
    // 12 + 24, 9 + 24 and 24 addresses are explained by the rule for giving back.
    assert_eq!(codes(&listed(", allocated: 93")), Vec::<&str>::new());
    let answer = listed(", allocated: 94");
    assert_eq!(codes(&answer), ["pod-subnet-stranded-addresses"]);
    let finding = found(&answer, "pod-subnet-stranded-addresses")[0];
    assert_eq!(finding.object, "clusters.prod.pools.a.podSubnet");
    assert!(
        finding.message.contains("hold 94 addresses for 21 pods, and at most 93 are explained"),
        "{}",
        finding.message
    );
    assert_eq!(pool(&answer, "spoke/pods").now, Some(94));
}

#[test]
fn what_the_mode_is_planned_with_is_said() {
    let plan = Plan { mode: "podSubnetStatic", pools: "a: {nodes: 3, maxSurge: 1}", ..Plan::default() };
    let answer = plan.ask();
    let row = pool(&answer, "spoke/pods");
    assert_eq!(row.now, Some(3 * 256));
    assert!(row.because.iter().any(|line| line.contains("maxPods is not stated")), "{:#?}", row.because);
}

#[test]
fn a_loss_without_room_is_told_once_and_by_its_smaller_kind() {
    let lost = |prefix: &str, pools: &str| {
        let plan = Plan { nodes: &format!("prefix: {prefix}"), pools, ..Plan::default() };
        let answer = plan.ask();
        let losses = found(&answer, "no-room-after-loss");
        let said = losses.iter().map(|finding| (finding.object.clone(), finding.message.contains("a lost zone")));
        said.collect::<Vec<_>>()
    };
    let zones = |nodes: u32| format!("system: {{nodes: {nodes}, maxPods: 30, maxSurge: 1, zones: [1, 2, 3]}}");
    let prefix = || "networks.spoke.subnets.nodes.prefix".to_owned();
    // 27 usable addresses: 20 nodes and 7 of a lost zone are 27.
    assert_eq!(lost("10.80.0.0/27", &zones(20)), []);
    assert_eq!(lost("10.80.0.0/27", &zones(21)), [(prefix(), true)]);
    // Without surge, all nodes fit during an upgrade, and no lost one can be replaced.
    let full = "system: {nodes: 27, maxPods: 30, maxSurge: 0, maxUnavailable: 1, zones: [1, 2, 3]}";
    assert_eq!(lost("10.80.0.0/27", full), [(prefix(), false)]);
    // Zones nobody stated are not judged, and what does not fit anyway is told as that.
    assert_eq!(lost("10.80.0.0/27", "system: {nodes: 26, maxPods: 30, maxSurge: 1}"), []);
    assert_eq!(lost("10.80.0.0/27", &zones(28)), []);
}

#[test]
fn listed_nodes_count_where_they_are_more_than_the_pool_has() {
    let answer = |pools: &str, listed: usize| {
        let nodes: Vec<String> =
            (0..listed).map(|at| format!("      n{at}: {{ip: 10.80.0.{}, pool: system}}\n", at + 4)).collect();
        Plan { pools, cluster: &format!("    nodes:\n{}", nodes.concat()), ..Plan::default() }.ask()
    };
    let fixed = "system: {nodes: 3, maxPods: 30, maxSurge: 1}";
    // An upgrade explains one more.
    let upgrading = answer(fixed, 4);
    let row = pool(&upgrading, "spoke/nodes");
    assert_eq!((row.now, row.at_max, row.during_upgrade), (Some(4), Some(3), Some(4)));
    assert_eq!(found(&upgrading, "exports-disagree").len(), 0);
    let old = answer(fixed, 240);
    let row = pool(&old, "spoke/nodes");
    assert_eq!((row.now, row.at_max, row.during_upgrade), (Some(240), Some(240), Some(241)));
    let disagree = found(&old, "exports-disagree");
    assert_eq!(disagree.len(), 1);
    assert_eq!(disagree[0].object, "clusters.prod.pools.system.nodes");
    // Fewer than the pool has: not all may have been given. Within an autoscaler's bounds: nothing to say.
    assert_eq!(pool(&answer(fixed, 1), "spoke/nodes").now, Some(3));
    let scaled = answer("system: {nodes: {count: 3, min: 1, max: 30}, maxPods: 30, maxSurge: 1}", 20);
    let row = pool(&scaled, "spoke/nodes");
    assert_eq!((row.now, row.at_max), (Some(20), Some(30)));
    assert_eq!(found(&scaled, "exports-disagree").len(), 0);
}

#[test]
fn nodes_of_auto_provisioning_count_where_their_addresses_are() {
    let with = |label: &str| {
        let nodes: Vec<String> = (0..240)
            .map(|at| format!("      n{at}: {{ip: 10.80.0.{}, labels: {{{label}: default}}}}\n", at + 10))
            .collect();
        Plan { cluster: &format!("    nodeAutoProvisioning: true\n    nodes:\n{}", nodes.concat()), ..Plan::default() }
            .ask()
    };
    let answer = with("karpenter.sh/nodepool");
    assert_eq!(pool(&answer, "spoke/nodes").now, Some(3 + 240));
    assert_eq!(pool(&answer, "prod/podCidr").now, Some((3 + 240) * 256));
    assert_eq!(found(&answer, "subnet-shared").len(), 0);
    // A node nobody says the origin of may be of the pool.
    assert_eq!(pool(&with("team"), "spoke/nodes").now, Some(3));
}
