use super::*;

const DENY: &str = "policies: [{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: shut, namespace: shop}, spec: {podSelector: {matchLabels: {app: APP}}, policyTypes: [TYPE], RULE: [ALLOWED]}}]\n    networkPolicy: calico";

fn with(mode: &str, app: &str, egress: bool, allowed: &str, services: &str) -> Design {
    let (kind, rule) = if egress { ("Egress", "egress") } else { ("Ingress", "ingress") };
    let policies = DENY.replace("APP", app).replace("TYPE", kind).replace("RULE", rule).replace("ALLOWED", allowed);
    cluster(mode, &[("POLICIES", &policies), ("SERVICES", services)])
}

fn denied(story: &Story) -> Vec<(Direction, Verdict, Owner)> {
    let of = |obstacle: &crate::answer::Obstacle| (obstacle.direction, obstacle.verdict, obstacle.decision.owner);
    story.obstacles.iter().map(of).collect()
}

const POLICY: (Direction, Verdict, Owner) = (Direction::Forward, Verdict::DeniedByPolicy, Owner::NetworkPolicy);

#[test]
fn the_senders_policies_are_asked_before_anything_leaves() {
    for mode in ["overlay", "podSubnet", "podSubnetStatic", "nodeSubnet", "kubenet"] {
        let shut = with(mode, "web", true, "", "");
        let open = with(mode, "web", true, "{to: [{ipBlock: {cidr: 10.10.0.0/16}}]}", "");
        for (design, expected) in [(shut, vec![POLICY]), (open, vec![])] {
            let world = World::new(&design);
            let (_, story) = leaving(&world, "web", "10.10.1.5", TCP, 443);
            assert_eq!(denied(&story), expected, "{mode}");
            // The node's own packets are nobody's business.
            assert_eq!(denied(&leaving(&world, "node/n1", "10.10.1.5", TCP, 443).1), []);
        }
    }
}

#[test]
fn the_receivers_policies_see_the_source_as_it_arrives() {
    let shut = |allowed: &str| with("overlay", "shop", false, allowed, "");
    for (allowed, expected) in [
        ("", vec![POLICY]),
        ("{from: [{podSelector: {matchLabels: {app: web}}}]}", vec![]),
        ("{from: [{podSelector: {matchLabels: {app: other}}}]}", vec![POLICY]),
    ] {
        let design = shut(allowed);
        let world = World::new(&design);
        let (found, story) = leaving(&world, "web", "10.244.0.26", TCP, 8080);
        assert_eq!((found.as_str(), denied(&story)), ("pod shop as 10.244.0.25", expected.clone()), "{allowed}");
        // On another node it is asked there.
        let (_, mut story) = leaving(&world, "web", "10.244.1.25", TCP, 8080);
        assert_eq!(denied(&story), []);
        let arriving = packet(address_of(&world, "web", false), "10.244.1.25", TCP, 8080);
        let exit = arrive(&world, &mut story, Direction::Forward, &node(&world, "n2"), arriving, None);
        assert_eq!((words(&exit).as_str(), denied(&story)), ("pod far as 10.244.0.25", expected), "{allowed}");
    }
}

#[test]
fn egress_is_asked_of_the_endpoint_not_of_the_service() {
    let service = "services: [{name: shop, namespace: shop, clusterIp: 172.16.0.20, ports: [tcp/80->8080], selector: {app: shop}}]";
    let to_service = "{to: [{ipBlock: {cidr: 172.16.0.0/16}}]}";
    let to_pods = "{to: [{podSelector: {matchLabels: {app: shop}}}], ports: [{port: 8080}]}";
    for (allowed, expected) in [(to_service, vec![POLICY]), (to_pods, vec![])] {
        let design = with("overlay", "web", true, allowed, service);
        let world = World::new(&design);
        let sent = packet(address_of(&world, "web", false), "172.16.0.20", TCP, 80);
        let from = sender(&world, "web");
        let Choices::Endpoints(ends) = choices(&world, &from.machine, true, &sent) else { panic!() };
        for end in &ends {
            let mut story = Story::default();
            leave(&world, &mut story, Direction::Forward, &from, sent, Some(end));
            assert_eq!(denied(&story), expected, "{allowed}");
        }
    }
}

#[test]
fn a_port_nobody_listens_on_refuses() {
    let design = cluster("overlay", &[]);
    let world = World::new(&design);
    for (port, expected) in [(8080, vec![]), (81, vec![(Direction::Forward, Verdict::Dropped, Owner::None)])] {
        assert_eq!(denied(&leaving(&world, "web", "10.244.0.26", TCP, port).1), expected, "port {port}");
    }
    // Of a pod that says nothing nothing is known.
    assert_eq!(denied(&leaving(&world, "shop", "10.244.0.25", TCP, 81).1), []);
}
