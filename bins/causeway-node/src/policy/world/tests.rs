use super::*;
use causeway_model::design::Protocol;
use causeway_model::policy::{
    Action, Direction, Namespaces, Peers, PodSet, PolicyKind, PolicyRule, PolicyTier, Selector,
};
use causeway_policy::{Dialect, End, Engine, Flow, Verdict};

fn index() -> Index {
    Index::new(Dialect::of(Engine::Strict, None), Vec::new())
}

fn pod(name: &str, ips: &[&str]) -> (Key, Object) {
    let pod = PodInfo {
        namespace: "shop".into(),
        name: name.into(),
        labels: BTreeMap::new(),
        ips: ips.iter().map(|ip| ip.parse().unwrap()).collect(),
        node: Some("n0".into()),
        host_network: false,
        ports: BTreeMap::new(),
    };
    (Key::Pod("shop".into(), name.into()), Object::Pod(pod))
}

/// Lets everybody in, or nobody.
fn policy(open: bool) -> (Key, Object) {
    let rule = PolicyRule {
        name: None,
        action: Action::Accept,
        peers: Peers::Anyone { stated: false },
        ports: None,
        faulty: false,
    };
    let id = PolicyId { kind: PolicyKind::NetworkPolicy, namespace: Some("shop".into()), name: "p".into() };
    let policy = Policy {
        id: id.clone(),
        tier: PolicyTier::NetworkPolicy,
        priority: 0,
        subject: PodSet { namespaces: Namespaces::Named("shop".into()), pods: Selector::default() },
        ingress: Some(if open { vec![rule] } else { Vec::new() }),
        egress: None,
        faults: Vec::new(),
    };
    (Key::Policy(id), Object::Policy(Box::new(policy)))
}

fn stated(places: &[&str], (key, object): (Key, Object)) -> (Key, Stated) {
    (key, places.iter().map(|place| ((*place).to_owned(), object.clone())).collect())
}

fn both((key, one): (Key, Object), (_, other): (Key, Object)) -> (Key, Stated) {
    (key, vec![("a.yaml".to_owned(), one), ("b.yaml".to_owned(), other)])
}

fn ingress(index: &Index, to: &str) -> Verdict {
    let [from, to] = ["203.0.113.9", to].map(|text| End::Address(text.parse().unwrap()));
    let flow = Flow { from, to, protocol: Protocol::Tcp, port: 80, family: None };
    index.explain(&flow).unwrap().of(Direction::Ingress)
}

#[test]
fn a_policy_in_doubt_is_shut_and_out_of_doubt_again() {
    let (mut world, mut index) = (World::default(), index());
    world.take(vec![stated(&["a.yaml"], pod("a", &["10.0.0.1"])), stated(&["a.yaml"], policy(true))], &mut index);
    assert_eq!(ingress(&index, "10.0.0.1"), Verdict::Allowed);
    for (one, other) in [(true, false), (false, true)] {
        world.take(vec![both(policy(one), policy(other))], &mut index);
        assert_ne!(ingress(&index, "10.0.0.1"), Verdict::Allowed, "whichever stands first");
        assert_eq!((world.doubts().len(), world.faulty().len(), world.counts().policies), (1, 2, 1));
    }
    world.take(vec![stated(&["a.yaml", "b.yaml"], policy(true))], &mut index);
    assert_eq!(ingress(&index, "10.0.0.1"), Verdict::Allowed, "twice the same is once");
    assert!(world.doubts().is_empty() && world.faulty().is_empty());
    world.take(vec![(policy(true).0, Vec::new())], &mut index);
    assert_eq!((ingress(&index, "10.0.0.1"), world.counts().policies), (Verdict::Allowed, 0));
}

#[test]
fn addresses_in_doubt_are_shut_and_nobodys() {
    let (mut world, mut index) = (World::default(), index());
    let at = |text: &str| text.parse::<IpAddr>().unwrap();
    world.take(vec![both(pod("a", &["10.0.0.1"]), pod("a", &["10.0.0.2"]))], &mut index);
    assert_eq!(world.shut(), [at("10.0.0.1"), at("10.0.0.2")].into());
    assert_eq!(index.end_of(at("10.0.0.1")), End::Address(at("10.0.0.1")));
    // Somebody else with such an address does not get it either.
    world.take(vec![stated(&["c"], pod("b", &["10.0.0.1", "fd00::1"]))], &mut index);
    assert_eq!(index.end_of(at("10.0.0.1")), End::Address(at("10.0.0.1")));
    assert_eq!(index.end_of(at("fd00::1")), End::Pod("shop".into(), "b".into()));
    world.take(vec![(pod("a", &[]).0, Vec::new())], &mut index);
    assert_eq!(index.end_of(at("10.0.0.1")), End::Pod("shop".into(), "b".into()), "until the doubt is over");
    assert!(world.shut().is_empty());
}

#[test]
fn an_address_two_pods_claim_is_neithers() {
    let (mut world, mut index) = (World::default(), index());
    let address: IpAddr = "10.0.0.1".parse().unwrap();
    let of = |name: &str| stated(&["a"], pod(name, &["10.0.0.1"]));
    world.take(vec![of("a")], &mut index);
    world.take(vec![of("b")], &mut index);
    assert_eq!((index.end_of(address), world.shut()), (End::Address(address), [address].into()));
    assert!(world.doubts()[0].contains("`Pod/shop/a` and `Pod/shop/b`"));
    world.take(vec![(of("a").0, Vec::new())], &mut index);
    assert_eq!((index.end_of(address), world.shut()), (End::Pod("shop".into(), "b".into()), BTreeSet::new()));
    // Handed over in one step, in whatever order, there is no doubt.
    world.take(vec![of("a"), (of("b").0, Vec::new())], &mut index);
    assert_eq!(index.end_of(address), End::Pod("shop".into(), "a".into()));
    world.take(vec![(of("a").0, Vec::new()), of("b")], &mut index);
    assert_eq!(index.end_of(address), End::Pod("shop".into(), "b".into()));
    world.take(vec![stated(&["a"], pod("b", &[])), of("a")], &mut index);
    assert_eq!(index.end_of(address), End::Pod("shop".into(), "a".into()));
}

#[test]
fn a_namespace_in_doubt_has_no_labels() {
    let (mut world, mut index) = (World::default(), index());
    let namespace = |team: &str| {
        let labels = BTreeMap::from([("team".to_owned(), team.to_owned())]);
        (Key::Namespace("shop".into()), Object::Namespace(labels))
    };
    world.take(vec![both(namespace("red"), namespace("blue"))], &mut index);
    assert_eq!((world.counts().namespaces, world.doubts().len()), (0, 1));
    world.take(vec![stated(&["a"], namespace("red"))], &mut index);
    assert_eq!((world.counts().namespaces, world.doubts().len()), (1, 0));
}

#[test]
fn what_nobody_can_evaluate_is_listed_by_namespace() {
    let (mut world, mut index) = (World::default(), index());
    let key = Key::Unread(Some("shop".into()), "X/x".into());
    world.take(vec![stated(&["a"], (key.clone(), Object::Unread))], &mut index);
    assert_eq!(world.unread_by_namespace(), [(Some("shop".to_owned()), vec!["X/x".to_owned()])].into());
    world.take(vec![(key, Vec::new())], &mut index);
    assert!(world.unread().is_empty() && world.unread_by_namespace().is_empty());
}
