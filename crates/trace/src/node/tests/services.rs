use super::*;
use crate::answer::Missing;

const SERVICE: &str = "services: [{name: shop, namespace: shop, type: LoadBalancer, clusterIp: 172.16.0.20, internalIp: 10.0.0.100, ports: [PORTS], selector: {app: SELECTED}, externalTrafficPolicy: TRAFFIC, sourceRanges: [SOURCES]}]\n    kubeProxy: {PROXY}";

struct Said<'a> {
    mode: &'a str,
    selected: &'a str,
    traffic: &'a str,
    sources: &'a str,
    proxy: &'a str,
}

const USUAL: Said<'static> =
    Said { mode: "overlay", selected: "shop", traffic: "Cluster", sources: "", proxy: "mode: iptables" };

fn with(said: &Said) -> Design {
    let services = SERVICE
        .replace("PORTS", "tcp/80->8080")
        .replace("SELECTED", said.selected)
        .replace("TRAFFIC", said.traffic)
        .replace("SOURCES", said.sources);
    let services = match said.proxy {
        "cilium" => services.replace("kubeProxy: {PROXY}", "dataplane: cilium"),
        proxy => services.replace("PROXY", proxy),
    };
    cluster(said.mode, &[("SERVICES", &services)])
}

/// Each way a packet may go, there and back.
fn ways(world: &World, from: &str, to: &str, port: u16) -> Vec<String> {
    let sent = packet(address_of(world, from, false), to, TCP, port);
    let from = sender(world, from);
    match choices(world, &from.machine, true, &sent) {
        Choices::Endpoints(ends) => {
            let way = |end: &Endpoint| {
                let mut story = Story::default();
                let exit = leave(world, &mut story, Direction::Forward, &from, sent, Some(end));
                let (arrived, at, process) = match exit {
                    Exit::Pod { packet, pod } => (packet, from.machine, Process::Pod(pod)),
                    Exit::Peer { packet, pod, node: Some(name), .. } => {
                        (packet, node(world, name.as_str()), Process::Pod(pod))
                    }
                    Exit::Fabric { packet, .. } => (packet, node(world, "n2"), Process::Pod(end.pod)),
                    other => panic!("{other:?}"),
                };
                // What comes back is what was asked.
                let answerer = Sender { machine: at, process };
                let back = leave(world, &mut story, Direction::Reply, &answerer, reversed(&arrived), None);
                let back = match back {
                    Exit::Fabric { packet, .. } | Exit::Peer { packet, .. } => {
                        arrive(world, &mut story, Direction::Reply, &from.machine, packet, None)
                    }
                    here => here,
                };
                let (Exit::Pod { packet, .. } | Exit::Node { packet }) = back else { panic!("{back:?}") };
                assert_eq!(packet, reversed(&sent));
                words(&exit)
            };
            ends.iter().map(way).collect()
        }
        Choices::NoEndpoints(decision) => vec![format!("{}: {}", decision.owner, decision.because)],
        Choices::NotAService => vec!["not a service".to_owned()],
        Choices::Unknown(Missing { fact, .. }) => vec![format!("unknown: {fact}")],
    }
}

#[test]
fn a_pod_reaches_every_endpoint_with_its_own_address() {
    for proxy in ["mode: iptables", "mode: ipvs", "mode: nftables", "cilium"] {
        for (mode, web, far) in [
            ("overlay", "10.244.0.25", "Overlay to n2 as 10.244.0.25"),
            ("podSubnet", "192.168.0.25", "fabric by pods as 192.168.0.25"),
            ("podSubnetStatic", "192.168.0.25", "fabric by pods as 192.168.0.25"),
            ("nodeSubnet", "10.0.0.25", "fabric by nodes as 10.0.0.25"),
        ] {
            let design = with(&Said { mode, proxy, ..USUAL });
            let world = World::new(&design);
            let found = ways(&world, "web", "172.16.0.20", 80);
            assert_eq!(found, [format!("pod shop as {web}"), far.to_owned()], "{mode}, {proxy}");
        }
    }
}

#[test]
fn a_pod_that_reaches_itself_sees_its_node() {
    for (proxy, own) in [("mode: iptables", "10.0.0.4"), ("cilium", "10.244.0.26")] {
        let design = with(&Said { proxy, ..USUAL });
        let world = World::new(&design);
        let found = ways(&world, "shop", "172.16.0.20", 80);
        assert_eq!(found, [format!("pod shop as {own}"), "Overlay to n2 as 10.244.0.26".to_owned()], "{proxy}");
    }
}

#[test]
fn a_range_that_misses_pods_hides_them() {
    let design = with(&Said { proxy: "mode: iptables, clusterCidr: 10.99.0.0/16", ..USUAL });
    let world = World::new(&design);
    let found = ways(&world, "web", "172.16.0.20", 80);
    assert_eq!(found, ["pod shop as 10.0.0.4", "Overlay to n2 as 10.0.0.4"]);
}

#[test]
fn a_node_asks_as_itself() {
    let design = with(&USUAL);
    let world = World::new(&design);
    let found = ways(&world, "node/n1", "172.16.0.20", 80);
    assert_eq!(found, ["pod shop as 10.0.0.4", "Overlay to n2 as 10.0.0.4"]);
}

#[test]
fn what_nobody_answers_is_said() {
    let design = with(&Said { selected: "nobody", ..USUAL });
    let world = World::new(&design);
    let none = "kube-proxy: no pod stands behind service/shop/shop for TCP 80";
    assert_eq!(ways(&world, "web", "172.16.0.20", 80), [none]);
    let other = "kube-proxy: service/shop/shop has no such port: TCP 81";
    assert_eq!(ways(&world, "web", "172.16.0.20", 81), [other]);
    let unknown = "unknown: which service has the address 172.16.0.21";
    assert_eq!(ways(&world, "web", "172.16.0.21", 80), [unknown]);
    assert_eq!(ways(&world, "web", "10.10.1.5", 80), ["not a service"]);
    let replaced = with(&Said { proxy: "mode: none", ..USUAL });
    let world = World::new(&replaced);
    let unknown = "unknown: what translates services in place of kube-proxy";
    assert_eq!(ways(&world, "web", "172.16.0.20", 80), [unknown]);
}

/// What becomes of a client's packet to the load balancer's address at a node, by endpoint.
fn at_node(world: &World, at: &str, client: &str) -> Vec<String> {
    let machine = node(world, at);
    let sent = packet(client.parse().unwrap(), "10.0.0.100", TCP, 80);
    match choices(world, &machine, false, &sent) {
        Choices::Endpoints(ends) => {
            let way = |end: &Endpoint| {
                let mut story = Story::default();
                words(&arrive(world, &mut story, Direction::Forward, &machine, sent, Some(end)))
            };
            ends.iter().map(way).collect()
        }
        Choices::NoEndpoints(decision) => vec![decision.rule.unwrap_or(decision.because)],
        other => vec![format!("{other:?}")],
    }
}

#[test]
fn a_client_from_outside_is_hidden_or_kept() {
    const CLIENT: &str = "10.10.1.5";
    let hidden = ["pod shop as 10.0.0.4", "Overlay to n2 as 10.0.0.4"];
    let kept = ["pod shop as 10.10.1.5"];
    for proxy in ["mode: iptables", "mode: ipvs", "mode: nftables"] {
        let design = with(&Said { proxy, ..USUAL });
        assert_eq!(at_node(&World::new(&design), "n1", CLIENT), hidden, "{proxy}");
        let design = with(&Said { proxy, traffic: "Local", ..USUAL });
        assert_eq!(at_node(&World::new(&design), "n1", CLIENT), kept, "{proxy}");
    }
    let design = with(&Said { proxy: "cilium", ..USUAL });
    let near = ["pod shop as 10.10.1.5", "Overlay to n2 as 10.0.0.4"];
    assert_eq!(at_node(&World::new(&design), "n1", CLIENT), near);
    // web alone is on n1: n2 has nobody to answer.
    let design = with(&Said { traffic: "Local", selected: "web", ..USUAL });
    assert_eq!(at_node(&World::new(&design), "n2", CLIENT), ["externalTrafficPolicy"]);
    assert_eq!(at_node(&World::new(&design), "n1", CLIENT), ["pod web as 10.10.1.5"]);
    let design = with(&Said { sources: "10.200.0.0/16", ..USUAL });
    assert_eq!(at_node(&World::new(&design), "n1", CLIENT), ["loadBalancerSourceRanges"]);
    assert_eq!(at_node(&World::new(&design), "n1", "10.200.0.1"), hidden);
}

#[test]
fn an_answer_from_another_node_goes_back_by_the_node_that_was_asked() {
    let design = with(&USUAL);
    let world = World::new(&design);
    let (n1, n2) = (node(&world, "n1"), node(&world, "n2"));
    let sent = packet("10.10.1.5".parse().unwrap(), "10.0.0.100", TCP, 80);
    let Choices::Endpoints(ends) = choices(&world, &n1, false, &sent) else { panic!() };
    let far = ends.iter().find(|end| end.pod.is_some_and(|pod| pod.name == "far")).unwrap();
    let mut story = Story::default();
    let Exit::Peer { packet: there, .. } = arrive(&world, &mut story, Direction::Forward, &n1, sent, Some(far)) else {
        panic!()
    };
    let exit = arrive(&world, &mut story, Direction::Forward, &n2, there, None);
    let Exit::Pod { packet: received, pod } = exit else { panic!("{exit:?}") };
    let answerer = Sender { machine: n2, process: Process::Pod(pod) };
    let exit = leave(&world, &mut story, Direction::Reply, &answerer, reversed(&received), None);
    let Exit::Fabric { packet: back, .. } = exit else { panic!("{exit:?}") };
    assert_eq!(back.destination.to_string(), "10.0.0.4");
    let exit = arrive(&world, &mut story, Direction::Reply, &n1, back, None);
    let Exit::Fabric { packet, .. } = exit else { panic!("{exit:?}") };
    assert_eq!(packet, reversed(&sent));
}
