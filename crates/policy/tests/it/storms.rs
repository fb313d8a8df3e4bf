//! Events in any order, and back again, lead to the index that is made at once.

use crate::support::design;
use causeway_model::design::Protocol;
use causeway_policy::{Dialect, End, Engine, Event, Flow, Index, world};
use causeway_testkit::{Random, policies};
use std::net::IpAddr;

fn gone(event: &Event) -> Event {
    match event {
        Event::Namespace(name, _) | Event::NamespaceGone(name) => Event::NamespaceGone(name.clone()),
        Event::Node(node) => Event::NodeGone(node.name.clone()),
        Event::NodeGone(name) => Event::NodeGone(name.clone()),
        Event::Pod(pod) => Event::PodGone(pod.namespace.clone(), pod.name.clone()),
        Event::PodGone(namespace, name) => Event::PodGone(namespace.clone(), name.clone()),
        Event::Policy(policy) => Event::PolicyGone(policy.id.clone()),
        Event::PolicyGone(id) => Event::PolicyGone(id.clone()),
    }
}

fn shuffled(mut events: Vec<Event>, random: &mut Random) -> Vec<Event> {
    for at in (1..events.len()).rev() {
        let other = usize::try_from(random.below(at as u64 + 1)).unwrap();
        events.swap(at, other);
    }
    events
}

/// Every answer of an index, in one text.
fn answers(index: &Index) -> String {
    let mut ends: Vec<End> = index.pods().collect();
    let outside: [IpAddr; 3] = ["203.0.113.9", "10.2.0.12", "10.1.0.4"].map(|text| text.parse().unwrap());
    ends.extend(outside.map(End::Address));
    let mut out = String::new();
    for from in &ends {
        for to in &ends {
            for protocol in [Protocol::Tcp, Protocol::Udp] {
                for port in [80, 81, 443] {
                    let flow = Flow { from: from.clone(), to: to.clone(), protocol, port, family: None };
                    out.push(index.verdict(&flow).map_or(' ', causeway_policy::Verdict::symbol));
                }
            }
        }
        out.push('\n');
    }
    out
}

#[test]
fn storms_end_where_they_should() {
    let first = Random::seed();
    eprintln!("CAUSEWAY_SEED={first}");
    for seed in (first..).take(60) {
        let design_ = design(policies::cluster(seed));
        let cluster = design_.clusters.values().next().unwrap();
        let other = design(policies::cluster(seed.wrapping_add(1)));
        let other = other.clusters.values().next().unwrap();
        let engine = Engine::WORDS[usize::try_from(seed % 4).unwrap()].1;
        let dialect = Dialect::of(engine, None);
        let wanted = Index::of(dialect, Vec::new(), world::events(cluster));
        let mut random = Random::new(seed);
        let mut index = Index::new(dialect, Vec::new());
        // Another cluster's objects come first, many of the same names; some of ours come and go meanwhile, and are asked about.
        let mut storm = world::events(other);
        storm.extend(world::events(cluster));
        let ours = storm.clone();
        for event in shuffled(storm, &mut random) {
            index.apply(event.clone());
            if random.once_in(3) {
                index.apply(gone(&event));
            }
            if random.once_in(5) {
                answers(&index);
            }
        }
        // In the end what is not ours is gone, and what is ours is there.
        for event in shuffled(ours, &mut random) {
            index.apply(gone(&event));
        }
        for event in shuffled(world::events(cluster), &mut random) {
            index.apply(event);
        }
        assert_eq!(answers(&index), answers(&wanted), "CAUSEWAY_SEED={seed}, {engine}");
        assert_eq!(index.classes(), wanted.classes(), "CAUSEWAY_SEED={seed}: classes nobody is in are left");
    }
}

#[test]
fn what_changes_nothing_touches_nothing() {
    let design = design(policies::cluster(11));
    let cluster = design.clusters.values().next().unwrap();
    let mut index = Index::of(Dialect::STRICT, Vec::new(), world::events(cluster));
    answers(&index);
    for event in world::events(cluster) {
        let touched = index.apply(event.clone());
        assert!(touched.is_nothing(), "{event:?}: {touched:?}");
    }
}

/// The state after some events: of each object the last one.
#[derive(Default)]
struct Latest(std::collections::BTreeMap<String, Event>);

impl Latest {
    fn take(&mut self, event: &Event) {
        let key = |event: &Event| match gone(event) {
            Event::PolicyGone(id) => format!("policy {id}"),
            other => format!("{other:?}"),
        };
        let is_gone =
            matches!(event, Event::NamespaceGone(_) | Event::NodeGone(_) | Event::PodGone(..) | Event::PolicyGone(_));
        match is_gone {
            true => drop(self.0.remove(&key(event))),
            false => drop(self.0.insert(key(event), event.clone())),
        }
    }
}

/// What policies say of an address to another in a direction, with where the two sit.
fn said(index: &Index, from: IpAddr, to: IpAddr) -> Option<[causeway_policy::Verdict; 2]> {
    let flow = Flow { from: End::Address(from), to: End::Address(to), protocol: Protocol::Tcp, port: 80, family: None };
    let explained = index.explain(&flow)?;
    Some(causeway_model::policy::Direction::ALL.map(|direction| explained.of(direction)))
}

#[test]
fn what_was_not_touched_is_as_it_was_and_all_is_as_if_made_at_once() {
    use causeway_model::policy::Direction;
    let first = Random::seed();
    eprintln!("CAUSEWAY_SEED={first}");
    let (mut kept, mut changed) = (0_usize, 0_usize);
    for seed in (first..).take(12) {
        let here = design(policies::cluster(seed));
        let other = design(policies::cluster(seed.wrapping_add(1)));
        let events = |design: &causeway_model::design::Design| world::events(design.clusters.values().next().unwrap());
        // Two pods with one address are for the order of events to decide.
        let elsewhere = |mut event: Event| {
            if let Event::Pod(pod) = &mut event {
                pod.ips.retain(IpAddr::is_ipv4);
                for ip in pod.ips.iter_mut().filter(|_| !pod.host_network) {
                    if let IpAddr::V4(v4) = ip {
                        *ip = IpAddr::V4(std::net::Ipv4Addr::from_bits(v4.to_bits() + 100));
                    }
                }
            }
            event
        };
        let mut storm: Vec<Event> = events(&here);
        storm.extend(events(&other).into_iter().map(elsewhere));
        storm.extend(storm.clone().iter().map(gone));
        storm.extend(events(&here));
        let mut random = Random::new(seed);
        let engine = Engine::WORDS[usize::try_from(seed % 4).unwrap()].1;
        let dialect = Dialect::of(engine, None);
        let (mut index, mut latest) = (Index::new(dialect, Vec::new()), Latest::default());
        let mut known: Vec<IpAddr> =
            ["203.0.113.9", "10.2.0.12", "198.51.100.7"].map(|text| text.parse().unwrap()).into();
        let of_pods = storm.iter().filter_map(|event| match event {
            Event::Pod(pod) if !pod.host_network => pod.ips.first().copied(),
            Event::Node(node) => node.ips.first().copied(),
            _ => None,
        });
        known.extend(of_pods);
        known.sort();
        known.dedup();
        known.retain(IpAddr::is_ipv4);
        for (at, event) in shuffled(storm, &mut random).into_iter().enumerate() {
            let before = index.clone();
            let touched = index.apply(event.clone());
            latest.take(&event);
            let seat = |index: &Index, ip: IpAddr| index.seat(&End::Address(ip), None).unwrap();
            for from in &known {
                for to in &known {
                    let ends = [(to, Direction::Ingress, 0), (from, Direction::Egress, 1)];
                    let (was, is) = (said(&before, *from, *to).unwrap(), said(&index, *from, *to).unwrap());
                    let moved = [from, to].iter().any(|ip| {
                        let outside =
                            [&before, &index].iter().any(|index| matches!(index.end_of(**ip), End::Address(_)));
                        touched.moved.contains(ip) || (outside && touched.outside)
                    });
                    for (of, direction, slot) in ends {
                        let class = seat(&before, *of).class;
                        if moved || touched.stale[direction as usize].has(class) {
                            changed += 1;
                            continue;
                        }
                        kept += 1;
                        let shown = format!(
                            "CAUSEWAY_SEED={seed}, {engine}, {event:?}: {from} to {to}, {direction}: {touched:?}"
                        );
                        assert_eq!(seat(&before, *of), seat(&index, *of), "{shown}");
                        assert_eq!(was[slot], is[slot], "{shown}");
                    }
                }
            }
            if at % 7 == 0 {
                let made = Index::of(dialect, Vec::new(), latest.0.values().cloned().collect());
                assert_eq!(answers(&index), answers(&made), "CAUSEWAY_SEED={seed}, {engine}, after {at} events");
                assert_eq!(index.classes(), made.classes(), "CAUSEWAY_SEED={seed}, {engine}, after {at} events");
            }
        }
    }
    assert!(kept > 10_000 && changed > 1_000, "{kept} kept, {changed} changed");
}

#[test]
fn an_address_that_only_pods_on_a_nodes_network_have_is_somebodys_and_moves_with_the_node() {
    use causeway_policy::Verdict::{Allowed, Denied, Uncertain};
    use causeway_policy::{NodeInfo, PodInfo};
    use serde_json::json;
    let tier = json!({"apiVersion": "policy.networking.k8s.io/v1alpha2", "kind": "ClusterNetworkPolicy",
        "metadata": {"name": "control"}, "spec": {"tier": "Admin", "priority": 10, "subject": {"namespaces": {}},
            "egress": [{"action": "Deny", "to": [{"nodes": {"matchLabels": {"role": "control"}}}]}]}});
    let design = design(vec![tier]);
    let mut index = Index::of(Dialect::STRICT, Vec::new(), world::events(design.clusters.values().next().unwrap()));
    let pod = |name: &str, node: &str, ip: IpAddr, host_network: bool| {
        let (namespace, name, node) = ("default".into(), name.into(), Some(node.into()));
        Event::Pod(PodInfo {
            namespace,
            name,
            labels: Default::default(),
            ips: vec![ip],
            node,
            host_network,
            ports: Default::default(),
        })
    };
    let node = |role: &str| {
        let labels = [("role".to_owned(), role.to_owned())].into();
        Event::Node(NodeInfo { name: "n1".into(), labels, ips: Vec::new() })
    };
    let [own, host]: [IpAddr; 2] = ["10.2.0.9", "10.1.0.5"].map(|ip| ip.parse().unwrap());
    index.apply(pod("a", "n0", own, false));
    let everybody = |index: &Index| index.addresses().map(|(address, _)| address).collect::<Vec<_>>();
    assert_eq!(everybody(&index), [own]);
    let outside = index.seat(&End::Address(host), None);
    for (change, verdict) in [
        (pod("proxy", "n1", host, true), Uncertain),
        (node("worker"), Allowed),
        (node("control"), Denied),
        (Event::NodeGone("n1".into()), Uncertain),
    ] {
        let before = index.seat(&End::Address(host), None);
        let touched = index.apply(change.clone());
        assert!(touched.moved.contains(&host), "{change:?}: {touched:?}");
        assert_ne!(index.seat(&End::Address(host), None), before, "{change:?}");
        assert_eq!(everybody(&index), [host, own], "{change:?}");
        assert_eq!(index.addresses().next().map(|(_, seat)| seat), index.seat(&End::Address(host), None));
        assert_eq!(said(&index, own, host).unwrap()[1], verdict, "{change:?}");
    }
    let flow =
        Flow { from: End::Address(own), to: End::Address(host), protocol: Protocol::Tcp, port: 80, family: None };
    let explained = index.explain(&flow).unwrap();
    let missing = "the labels of the node whose network `10.1.0.5` is on, for `ClusterNetworkPolicy/control`: there is no Node object of it";
    assert_eq!(explained.missing, [missing]);
    assert!(index.apply(Event::PodGone("default".into(), "proxy".into())).moved.contains(&host));
    assert_eq!((everybody(&index), index.seat(&End::Address(host), None)), (vec![own], outside));
}

/// What was worked out of a rule for whoever has a port of some name is worked out again when somebody with one comes or goes, and an
/// address two nodes say they have is a node's until both are gone.
#[test]
fn ports_by_name_and_addresses_of_two_nodes_do_not_depend_on_what_came_first() {
    use causeway_policy::{NodeInfo, PodInfo};
    use serde_json::json;
    let policy = json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": {"name": "p", "namespace": "default"}, "spec": {"podSelector": {}, "policyTypes": ["Egress"],
            "egress": [{"ports": [{"protocol": "TCP", "port": "http"}]}]}});
    let design = design(vec![policy]);
    let mut index = Index::of(Dialect::STRICT, Vec::new(), world::events(design.clusters.values().next().unwrap()));
    let pod = |name: &str, ip: IpAddr, number: Option<u16>| {
        let ports = number.map(|number| ("http".into(), (Protocol::Tcp, number))).into_iter().collect();
        let (namespace, name, node) = ("default".into(), name.into(), Some("n0".into()));
        Event::Pod(PodInfo {
            namespace,
            name,
            labels: Default::default(),
            ips: vec![ip],
            node,
            host_network: false,
            ports,
        })
    };
    let [own, other, host]: [IpAddr; 3] = ["10.2.0.9", "10.2.0.10", "10.1.0.5"].map(|ip| ip.parse().unwrap());
    index.apply(pod("a", own, None));
    for (number, allowed) in [(None, false), (Some(80), true), (Some(81), false), (Some(80), true), (None, false)] {
        index.apply(pod("b", other, number));
        let flow =
            Flow { from: End::Address(own), to: End::Address(other), protocol: Protocol::Tcp, port: 80, family: None };
        assert_eq!(index.verdict(&flow) == Some(causeway_policy::Verdict::Allowed), allowed, "{number:?}");
    }
    let node = |name: &str| Event::Node(NodeInfo { name: name.into(), labels: Default::default(), ips: vec![host] });
    for (first, last) in [("n1", "n2"), ("n2", "n1")] {
        index.apply(node(first));
        index.apply(node(last));
        assert_eq!(index.end_of(host), End::Node("n2".into()));
        index.apply(Event::NodeGone("n2".into()));
        assert_eq!(index.end_of(host), End::Node("n1".into()));
        index.apply(Event::NodeGone("n1".into()));
        assert_eq!(index.end_of(host), End::Address(host));
    }
}

#[test]
fn stretches_say_what_verdicts_say() {
    use causeway_model::policy::Direction;
    for seed in 0..20 {
        let design = design(policies::cluster(seed));
        let cluster = design.clusters.values().next().unwrap();
        let index = Index::of(Dialect::STRICT, Vec::new(), world::events(cluster));
        let outside: IpAddr = "203.0.113.9".parse().unwrap();
        let seat = index.seat(&End::Address(outside), None).unwrap();
        for pod in index.pods() {
            for port in [79, 80, 81, 443] {
                let flow = Flow {
                    from: pod.clone(),
                    to: End::Address(outside),
                    protocol: Protocol::Tcp,
                    port,
                    family: Some(causeway_addr::Family::V4),
                };
                let Some(stretches) = index.stretches(&pod, Direction::Egress) else { continue };
                let mut on_it = stretches.iter().filter(|stretch| {
                    stretch.protocol == Protocol::Tcp && (stretch.first..=stretch.last).contains(&port)
                });
                let stretch = on_it.next().expect("every port is in a stretch");
                assert!(on_it.next().is_none(), "and in one only");
                assert_eq!(Some(stretch.outcome.of(seat.class)), index.verdict(&flow), "{seed}: {flow:?}");
            }
        }
    }
}
