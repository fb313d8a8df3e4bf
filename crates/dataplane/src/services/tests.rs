use super::*;
use crate::evaluate::{Known, Node, Outcome, through};
use crate::nftables::{Growth, interpret_known, lower};
use crate::packet::{Packet, Protocol};
use crate::ruleset::problems;

const NODE: &str = "10.0.0.4";

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn endpoint(address: &str, here: bool) -> Endpoint {
    Endpoint { address: ip(address), port: 8080, here }
}

fn frontend(local: bool, endpoints: &[Endpoint]) -> Frontend {
    Frontend {
        service: "shop/web".to_owned(),
        protocol: 6,
        port: 80,
        cluster: vec![ip("172.16.0.10"), ip("fd00:172::10")],
        external: vec![ip("10.0.0.100")],
        node_port: Some(30080),
        endpoints: endpoints.to_vec(),
        local,
        sources: Vec::new(),
    }
}

fn proxy(kind: Kind) -> Proxy {
    let pods = ["10.244.0.0/16", "fd00:244::/64"].map(|range| range.parse().unwrap()).to_vec();
    Proxy { kind, pods, masquerade_all: false, node_addresses: Vec::new() }
}

fn node() -> Node {
    Node::with_addresses([Cidr::host(ip(NODE))]).masquerading_as(ip(NODE))
}

/// Where a packet goes, as `ADDRESS from SOURCE`, with what the objects of nf_tables do asked as well.
fn walk(proxy: &Proxy, frontend: &Frontend, source: &str, destination: &str, port: u16) -> Vec<String> {
    let rules = compile(proxy, std::slice::from_ref(frontend));
    assert_eq!(problems(&rules), []);
    let objects = lower(&rules, Growth::Declared);
    let packet = Packet {
        source: ip(source),
        destination: ip(destination),
        protocol: Protocol::Tcp,
        source_port: 40_000,
        destination_port: port,
    };
    let node = node();
    let hook = if source == NODE { Hook::Output } else { Hook::Prerouting };
    let ask = |hook, packet: &Packet, known| {
        let fate = through(&[&rules], hook, packet, &node, known);
        let (outcome, _, after) = interpret_known(&objects, hook, packet, &node, known);
        assert_eq!((&fate.outcome, fate.known), (&outcome, after), "{packet:?}");
        (fate.outcome.clone(), fate.known)
    };
    let (outcome, known) = ask(hook, &packet, Known::default());
    let ends = match outcome {
        Outcome::Redirected(ends) => ends,
        other => return vec![other.to_string()],
    };
    let way = |end: &End| {
        let after = Packet { destination: end.address, destination_port: end.port.unwrap(), ..packet };
        match ask(Hook::Postrouting, &after, known).0 {
            Outcome::Translated { source, .. } => format!("{} from {source}", end.address),
            Outcome::Kept => format!("{} from {}", end.address, packet.source),
            other => format!("{} {other}", end.address),
        }
    };
    ends.iter().map(way).collect()
}

const NEAR_END: &str = "10.244.0.9";
const FAR_END: &str = "10.244.1.9";
const CLUSTER_IP: &str = "172.16.0.10";
const VIP: &str = "10.0.0.100";
const CLIENT: &str = "10.9.0.1";
const POD: &str = "10.244.0.3";

/// What, in which modes, `externalTrafficPolicy: Local`, endpoints; from, to, port; where it goes.
type Case<'a> = (&'a str, Vec<Kind>, bool, &'a [Endpoint], &'a str, &'a str, u16, Vec<String>);

#[test]
fn who_is_masqueraded_on_the_way_to_a_service() {
    use Kind::{Cilium, Iptables, Ipvs, Nftables};
    let kube_proxy = [Iptables, Ipvs, Nftables];
    let all = [Iptables, Ipvs, Nftables, Cilium];
    let both = [endpoint(NEAR_END, true), endpoint(FAR_END, false)];
    let far = [endpoint(FAR_END, false)];
    let of = |kinds: &[Kind]| kinds.to_vec();
    let kept = |source: &str| vec![format!("{NEAR_END} from {source}"), format!("{FAR_END} from {source}")];
    let masqueraded = || kept(NODE);
    let cases: Vec<Case> = vec![
        ("a pod keeps its address", of(&all), false, &both, POD, CLUSTER_IP, 80, kept(POD)),
        ("a pod on its way to an address outside", of(&[Cilium]), false, &both, POD, VIP, 80, kept(POD)),
        ("kube-proxy masquerades it there", of(&kube_proxy), false, &both, POD, VIP, 80, masqueraded()),
        ("not a pod", of(&kube_proxy), false, &both, CLIENT, CLUSTER_IP, 80, masqueraded()),
        ("no way in from outside", of(&[Cilium]), false, &both, CLIENT, CLUSTER_IP, 80, vec!["source kept".into()]),
        ("another port is nobody's", of(&all), false, &both, POD, CLUSTER_IP, 81, vec!["source kept".into()]),
        ("from outside", of(&kube_proxy), false, &both, CLIENT, VIP, 80, masqueraded()),
        ("by the node's port", of(&kube_proxy), false, &both, CLIENT, NODE, 30080, masqueraded()),
        (
            "an endpoint near sees its client",
            of(&[Cilium]),
            false,
            &both,
            CLIENT,
            VIP,
            80,
            vec![format!("{NEAR_END} from {CLIENT}"), format!("{FAR_END} from {NODE}")],
        ),
        ("local", of(&all), true, &both, CLIENT, VIP, 80, vec![format!("{NEAR_END} from {CLIENT}")]),
        ("local by port", of(&all), true, &both, CLIENT, NODE, 30080, vec![format!("{NEAR_END} from {CLIENT}")]),
        ("nobody here", of(&[Iptables, Nftables, Cilium]), true, &far, CLIENT, VIP, 80, vec!["dropped".into()]),
        ("nobody here", of(&[Ipvs]), true, &far, CLIENT, VIP, 80, vec![format!("{FAR_END} from {CLIENT}")]),
        ("pods reach all", of(&[Iptables, Nftables, Cilium]), true, &both, POD, VIP, 80, kept(POD)),
        ("pods reach those here", of(&[Ipvs]), true, &both, POD, VIP, 80, vec![format!("{NEAR_END} from {POD}")]),
        (
            "pods reach all",
            of(&[Iptables, Nftables, Cilium]),
            true,
            &far,
            POD,
            VIP,
            80,
            vec![format!("{FAR_END} from {POD}")],
        ),
        ("nobody at all", of(&all), false, &[], POD, CLUSTER_IP, 80, vec!["rejected".into()]),
        ("nobody at all", of(&all), false, &[], CLIENT, NODE, 30080, vec!["rejected".into()]),
        (
            "itself",
            of(&kube_proxy),
            false,
            &both,
            NEAR_END,
            CLUSTER_IP,
            80,
            vec![format!("{NEAR_END} from {NODE}"), format!("{FAR_END} from {NEAR_END}")],
        ),
    ];
    for (what, kinds, local, ends, source, destination, port, expected) in cases {
        for kind in kinds {
            let found = walk(&proxy(kind), &frontend(local, ends), source, destination, port);
            assert_eq!(found, expected, "{what}: {kind:?}, {source} to {destination}:{port}");
        }
    }
}

#[test]
fn without_a_range_nobody_is_told_apart() {
    let both = [endpoint(NEAR_END, true), endpoint(FAR_END, false)];
    let none = Proxy { pods: Vec::new(), ..proxy(Kind::Iptables) };
    let found = walk(&none, &frontend(false, &both), CLIENT, CLUSTER_IP, 80);
    assert_eq!(found, [format!("{NEAR_END} from {CLIENT}"), format!("{FAR_END} from {CLIENT}")]);
    let all = Proxy { masquerade_all: true, ..proxy(Kind::Iptables) };
    let found = walk(&all, &frontend(false, &both), POD, CLUSTER_IP, 80);
    assert_eq!(found, [format!("{NEAR_END} from {NODE}"), format!("{FAR_END} from {NODE}")]);
    // A pod in no range is no pod: `externalTrafficPolicy: Local` then holds for it too.
    let found = walk(&none, &frontend(true, &both), POD, VIP, 80);
    assert_eq!(found, [format!("{NEAR_END} from {POD}")]);
}

#[test]
fn only_some_may_use_a_guarded_address() {
    for kind in [Kind::Iptables, Kind::Ipvs, Kind::Nftables, Kind::Cilium] {
        let sources = vec!["10.9.0.0/24".parse().unwrap()];
        let guarded = Frontend { sources, ..frontend(false, &[endpoint(NEAR_END, true)]) };
        assert_eq!(walk(&proxy(kind), &guarded, "10.9.1.1", VIP, 80), ["dropped"]);
        assert_eq!(walk(&proxy(kind), &guarded, POD, VIP, 80), ["dropped"], "pods are no exception");
        assert_ne!(walk(&proxy(kind), &guarded, CLIENT, VIP, 80), ["dropped"]);
        assert_ne!(walk(&proxy(kind), &guarded, POD, CLUSTER_IP, 80), ["dropped"]);
    }
}

#[test]
fn a_service_of_two_families_has_endpoints_in_each() {
    let six = Endpoint { address: ip("fd00:244::9"), port: 8080, here: true };
    let rules = compile(&proxy(Kind::Iptables), &[frontend(false, &[endpoint(NEAR_END, true), six])]);
    assert_eq!(problems(&rules), []);
    let packet = Packet {
        source: ip("fd00:244::3"),
        destination: ip("fd00:172::10"),
        protocol: Protocol::Tcp,
        source_port: 40_000,
        destination_port: 80,
    };
    let fate = through(&[&rules], Hook::Prerouting, &packet, &node(), Known::default());
    assert_eq!(fate.packet.map(|packet| packet.destination), Some(six.address));
}

#[test]
fn a_service_is_translated_by_its_own_rules_alone() {
    let services: Vec<Frontend> = (0..6_u8)
        .map(|at| {
            let address = |base: &str| ip(&format!("{base}.{}", 10 + at));
            let ends = [endpoint(NEAR_END, true), endpoint(FAR_END, false)];
            let ends = match at % 3 {
                0 => &ends[..],
                1 => &ends[1..],
                _ => &[],
            };
            Frontend {
                service: format!("shop/s{at}"),
                cluster: vec![address("172.16.0")],
                external: vec![address("10.0.1")],
                node_port: Some(30_080 + u16::from(at)),
                sources: if at > 3 { vec!["10.9.0.0/24".parse().unwrap()] } else { Vec::new() },
                ..frontend(at % 2 == 0, ends)
            }
        })
        .collect();
    let node = node();
    for kind in [Kind::Iptables, Kind::Ipvs, Kind::Nftables, Kind::Cilium] {
        let all = compile(&proxy(kind), &services);
        assert_eq!(problems(&all), []);
        for service in &services {
            let alone = compile_family(&proxy(kind), std::slice::from_ref(service), Family::V4);
            let keys = [(service.cluster[0], 80), (service.external[0], 80), (ip(NODE), service.node_port.unwrap())];
            for (destination, destination_port) in keys {
                for source in [POD, CLIENT, "10.9.1.1", NEAR_END, NODE].map(ip) {
                    let protocol = Protocol::Tcp;
                    let packet = Packet { source, destination, protocol, source_port: 40_000, destination_port };
                    let ask = |rules: &Ruleset| {
                        let first = through(&[rules], Hook::Prerouting, &packet, &node, Known::default());
                        let after = |end: End| Packet { destination: end.address, ..packet };
                        let ends = match &first.outcome {
                            Outcome::Redirected(ends) => ends.clone(),
                            _ => Vec::new(),
                        };
                        let last = ends.into_iter().map(|end| {
                            through(&[rules], Hook::Postrouting, &after(end), &node, first.known).outcome.to_string()
                        });
                        (first.outcome.to_string(), last.collect::<Vec<_>>())
                    };
                    assert_eq!(ask(&all), ask(&alone), "{kind:?}, {}: {packet:?}", service.service);
                }
            }
        }
    }
}
