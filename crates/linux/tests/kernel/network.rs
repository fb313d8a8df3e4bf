//! Namespaces, links, routes and settings, as the kernel and the program `ip` see them.

use crate::Test;
use causeway_addr::{Cidr, Family};
use causeway_linux::namespace::Namespace;
use causeway_linux::network::{
    AddressSpec, LinkKind, LinkSpec, Mac, NeighbourSpec, Network, NetworkSpec, PeerSpec, RouteKind, RouteSpec,
    RuleSpec, Table,
};
use causeway_linux::sysctl;
use causeway_testkit::oracle::Oracle;
use causeway_testkit::trial::CannotProve;
use nix::errno::Errno;
use std::net::UdpSocket;
use std::time::Duration;

pub(crate) const TESTS: &[Test] = &[
    ("network::a_namespace_is_entered_and_left", entered),
    ("network::a_panic_inside_comes_home", panic_inside),
    ("network::a_pinned_namespace_is_opened_again", pinned),
    ("network::a_pair_across_namespaces_is_what_was_asked_for", pair),
    ("network::a_bridge_gets_its_ports", bridge),
    ("network::routes_of_every_kind_are_what_ip_shows", routes),
    ("network::a_rule_sends_packets_to_another_table", rules),
    ("network::a_namespace_answers_for_every_address", any_address),
    ("network::refusals_name_their_object", refusals),
    ("network::a_ready_link_carries_the_first_packet", ready),
    ("network::hundreds_of_addresses_fit_one_call", many),
    ("network::settings_stay_in_their_namespace", settings),
];

fn cidr(text: &str) -> Cidr {
    text.parse().unwrap()
}

fn address(text: &str) -> AddressSpec {
    text.parse().unwrap()
}

fn mac(last: u8) -> Mac {
    Mac([2, 0, 0, 0, 0, last])
}

/// Asks the program `ip` inside a namespace.
fn ip(namespace: &Namespace, arguments: &[&str]) -> Result<String, CannotProve> {
    let program = Oracle::find("ip")?;
    Ok(namespace.enter(|| program.ask(arguments)).unwrap())
}

/// Two namespaces with a pair between them: 10.1.0.1 and fd01::1 here, .2 and ::2 there.
fn two(numbers: (u32, u32)) -> (Namespace, Namespace) {
    let (here, there) = (Namespace::create("here").unwrap(), Namespace::create("there").unwrap());
    let peer = PeerSpec {
        namespace: Some("there".to_owned()),
        name: "eth1".to_owned(),
        index: Some(numbers.1),
        mac: Some(mac(2)),
        mtu: Some(1400),
    };
    let link = LinkSpec {
        name: "eth0".to_owned(),
        kind: LinkKind::Veth(peer),
        index: Some(numbers.0),
        mac: Some(mac(1)),
        mtu: Some(1400),
        up: true,
        addresses: vec![address("10.1.0.1/24"), address("fd01::1/64")],
        ..LinkSpec::default()
    };
    let spec = NetworkSpec { links: vec![link], ..NetworkSpec::default() };
    Network::open_in(&here).unwrap().apply(&spec, &[&there]).unwrap();
    let link = LinkSpec {
        name: "eth1".to_owned(),
        up: true,
        addresses: vec![address("10.1.0.2/24"), address("fd01::2/64")],
        ..LinkSpec::default()
    };
    let spec = NetworkSpec { links: vec![link], ..NetworkSpec::default() };
    Network::open_in(&there).unwrap().apply(&spec, &[]).unwrap();
    (here, there)
}

fn entered() -> Result<(), CannotProve> {
    let home = Namespace::current().unwrap().identity().unwrap();
    let other = Namespace::create("other").unwrap();
    assert_eq!(Namespace::current().unwrap().identity().unwrap(), home, "making one leaves the thread where it is");
    let inside = other.enter(|| Namespace::current().unwrap().identity().unwrap()).unwrap();
    assert_eq!(inside, other.identity().unwrap());
    assert_ne!(inside, home);
    assert_eq!(Namespace::current().unwrap().identity().unwrap(), home);
    let again = other.try_clone().unwrap();
    drop(other);
    assert_eq!(again.identity().unwrap(), inside, "a second descriptor holds it");
    Ok(())
}

fn panic_inside() -> Result<(), CannotProve> {
    let home = Namespace::current().unwrap().identity().unwrap();
    let other = Namespace::create("other").unwrap();
    let inside = std::panic::AssertUnwindSafe(|| other.enter(|| std::panic::resume_unwind(Box::new("no"))));
    assert!(std::panic::catch_unwind(inside).is_err());
    assert_eq!(Namespace::current().unwrap().identity().unwrap(), home);
    Ok(())
}

fn pinned() -> Result<(), CannotProve> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pinned");
    let made = Namespace::create("made").unwrap();
    made.pin(&path).unwrap();
    let taken = made.pin(&path).unwrap_err();
    assert_eq!(taken.errno, Errno::EEXIST);
    let identity = made.identity().unwrap();
    drop(made);
    assert_eq!(Namespace::open(&path).unwrap().identity().unwrap(), identity);
    Namespace::unpin(&path).unwrap();
    assert!(!path.exists());
    let gone = Namespace::open(&path).unwrap_err();
    assert!(gone.is_missing() && gone.to_string().contains(path.to_str().unwrap()), "{gone}");
    std::fs::write(&path, "").unwrap();
    assert_eq!(Namespace::open(&path).unwrap_err().errno, Errno::EINVAL, "a file is no namespace");
    Ok(())
}

fn pair() -> Result<(), CannotProve> {
    let (here, there) = two((7, 9));
    let links = Network::open_in(&there).unwrap().links().unwrap();
    let eth1 = links.iter().find(|link| link.name == "eth1").unwrap();
    assert_eq!((eth1.index, eth1.mac, eth1.mtu, eth1.up), (9, Some(mac(2)), 1400, true));
    assert_eq!(eth1.kind, "veth");
    let mut network = Network::open_in(&here).unwrap();
    let held: Vec<String> = network.addresses().unwrap().iter().map(|one| one.address.to_string()).collect();
    assert_eq!(held, ["10.1.0.1/24", "fd01::1/64"], "and no address of the kernel's own making");
    let shown = ip(&here, &["-o", "link", "show", "eth0"])?;
    assert!(
        shown.contains("7: eth0@if9") && shown.contains("mtu 1400") && shown.contains("02:00:00:00:00:01"),
        "{shown}"
    );
    network.delete_link("eth0").unwrap();
    assert!(network.links().unwrap().iter().all(|link| link.name != "eth0"));
    assert_eq!(network.delete_link("eth0").unwrap_err().errno, Errno::ENODEV);
    Ok(())
}

fn bridge() -> Result<(), CannotProve> {
    let namespace = Namespace::create("bridged").unwrap();
    let mut network = Network::open_in(&namespace).unwrap();
    let veth = |name: &str, peer: &str| LinkSpec {
        name: name.to_owned(),
        kind: LinkKind::Veth(PeerSpec { name: peer.to_owned(), ..PeerSpec::default() }),
        master: Some("br0".to_owned()),
        up: true,
        ..LinkSpec::default()
    };
    let bridge =
        LinkSpec { name: "br0".to_owned(), kind: LinkKind::Bridge, mac: Some(mac(9)), up: true, ..LinkSpec::default() };
    let spec = NetworkSpec { links: vec![bridge, veth("p0", "q0"), veth("p1", "q1")], ..NetworkSpec::default() };
    network.apply(&spec, &[]).unwrap();
    let links = network.links().unwrap();
    let bridge = links.iter().find(|link| link.name == "br0").unwrap();
    assert_eq!((bridge.kind.as_str(), bridge.mac), ("bridge", Some(mac(9))));
    let ports: Vec<&str> =
        links.iter().filter(|link| link.master == Some(bridge.index)).map(|link| link.name.as_str()).collect();
    assert_eq!(ports, ["p0", "p1"]);
    assert!(ip(&namespace, &["-o", "link", "show", "p0"])?.contains("master br0"));
    Ok(())
}

fn routes() -> Result<(), CannotProve> {
    let (here, _there) = two((7, 9));
    let kind = |kind, text: &str| RouteSpec { kind, link: None, ..RouteSpec::on(cidr(text), "eth0") };
    let with = |text: &str, change: &dyn Fn(&mut RouteSpec)| {
        let mut route = RouteSpec::via(cidr(text), "10.1.0.2".parse().unwrap(), "eth0");
        change(&mut route);
        route
    };
    let added = vec![
        RouteSpec::via(cidr("0.0.0.0/0"), "10.1.0.2".parse().unwrap(), "eth0"),
        RouteSpec::via(cidr("::/0"), "fd01::2".parse().unwrap(), "eth0"),
        RouteSpec::via(cidr("10.7.0.0/16"), "fd01::2".parse().unwrap(), "eth0"),
        RouteSpec::on(cidr("10.2.0.0/16"), "eth0"),
        RouteSpec::local(cidr("10.3.0.0/16")),
        kind(RouteKind::Blackhole, "10.4.0.0/16"),
        kind(RouteKind::Unreachable, "fd04::/32"),
        kind(RouteKind::Prohibit, "10.5.0.0/16"),
        with("10.6.0.0/16", &|route| {
            route.mtu = Some(1300);
            route.metric = Some(50);
            route.source = Some("10.1.0.1".parse().unwrap());
            route.table = Table(1000);
        }),
    ];
    let mut network = Network::open_in(&here).unwrap();
    let lo = LinkSpec { name: "lo".to_owned(), up: true, ..LinkSpec::default() };
    let spec = NetworkSpec { links: vec![lo], routes: added.clone(), ..NetworkSpec::default() };
    network.apply(&spec, &[]).unwrap();
    let shown = ip(&here, &["route", "show", "table", "all"])? + &ip(&here, &["-6", "route", "show", "table", "all"])?;
    for line in [
        "default via 10.1.0.2 dev eth0 proto static onlink",
        "default via fd01::2 dev eth0 proto static metric 1024",
        "10.7.0.0/16 via inet6 fd01::2 dev eth0 proto static",
        "10.2.0.0/16 dev eth0 proto static scope link",
        "local 10.3.0.0/16 dev lo proto static scope host",
        "blackhole 10.4.0.0/16 proto static",
        "unreachable fd04::/32",
        "prohibit 10.5.0.0/16 proto static",
        "10.6.0.0/16 via 10.1.0.2 dev eth0 table 1000 proto static src 10.1.0.1 metric 50 onlink mtu 1300",
    ] {
        assert!(shown.contains(line), "no `{line}` in\n{shown}");
    }
    network.delete_routes(&added).unwrap();
    let left = ip(&here, &["route", "show", "table", "all", "proto", "static"])?;
    assert!(left.trim().is_empty(), "{left}");
    assert_eq!(network.delete_routes(&added[..1]).unwrap_err().errno, Errno::ESRCH);
    Ok(())
}

fn rules() -> Result<(), CannotProve> {
    let (here, _there) = two((7, 9));
    let rule = |family, source: Option<&str>, priority| RuleSpec {
        family,
        priority,
        source: source.map(cidr),
        destination: None,
        incoming: None,
        mark: None,
        table: Table(1000),
    };
    let marked = RuleSpec { mark: Some((0x10, 0xf0)), incoming: Some("eth0".to_owned()), ..rule(Family::V6, None, 60) };
    let spec = NetworkSpec {
        routes: vec![RouteSpec {
            table: Table(1000),
            ..RouteSpec::via(cidr("9.0.0.0/8"), "10.1.0.2".parse().unwrap(), "eth0")
        }],
        rules: vec![rule(Family::V4, Some("10.1.0.1/32"), 50), marked],
        ..NetworkSpec::default()
    };
    Network::open_in(&here).unwrap().apply(&spec, &[]).unwrap();
    assert!(ip(&here, &["rule"])?.contains("50:\tfrom 10.1.0.1 lookup 1000"));
    assert!(ip(&here, &["-6", "rule"])?.contains("60:\tfrom all fwmark 0x10/0xf0 iif eth0 lookup 1000"));
    assert!(ip(&here, &["route", "get", "9.9.9.9", "from", "10.1.0.1"])?.contains("via 10.1.0.2"));
    let program = Oracle::find("ip")?;
    let without = here.enter(|| program.attempt(&["route", "get", "9.9.9.9"])).unwrap();
    assert!(without.is_err(), "the main table has no such route: {without:?}");
    Ok(())
}

fn any_address() -> Result<(), CannotProve> {
    let namespace = Namespace::create("everybody").unwrap();
    let lo = LinkSpec { name: "lo".to_owned(), up: true, ..LinkSpec::default() };
    let routes = vec![RouteSpec::local(cidr("0.0.0.0/0")), RouteSpec::local(cidr("::/0"))];
    let spec = NetworkSpec { links: vec![lo], routes, ..NetworkSpec::default() };
    let mut network = Network::open_in(&namespace).unwrap();
    network.apply(&spec, &[]).unwrap();
    network.wait_until_ready(&["lo"], Duration::from_secs(5)).unwrap();
    for (own, any) in [("0.0.0.0:0", "8.8.8.8"), ("[::]:0", "2001:db8::8")] {
        let seen = namespace.enter(|| {
            let server = UdpSocket::bind(own).unwrap();
            let port = server.local_addr().unwrap().port();
            let client = UdpSocket::bind(own).unwrap();
            client.send_to(b"x", (any, port)).unwrap();
            server.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            server.recv_from(&mut [0; 8]).map(|(length, _)| length).unwrap()
        });
        assert_eq!(seen.unwrap(), 1, "{any}");
    }
    Ok(())
}

fn refusals() -> Result<(), CannotProve> {
    let (here, _there) = two((7, 9));
    let mut network = Network::open_in(&here).unwrap();
    let mut refused = |spec: NetworkSpec| network.apply(&spec, &[]).unwrap_err().to_string();
    let existing = |name: &str| LinkSpec { name: name.to_owned(), ..LinkSpec::default() };
    let missing = refused(NetworkSpec { links: vec![existing("eth9")], ..NetworkSpec::default() });
    assert!(
        missing.contains("find link `eth9` in network namespace `here`") && missing.contains("ENODEV"),
        "{missing}"
    );
    let taken = LinkSpec { kind: LinkKind::Bridge, ..existing("eth0") };
    let taken = refused(NetworkSpec { links: vec![taken], ..NetworkSpec::default() });
    assert!(taken.contains("create link `eth0`") && taken.contains("EEXIST"), "{taken}");
    let nowhere = RouteSpec { on_link: false, ..RouteSpec::via(cidr("9.0.0.0/8"), "7.7.7.7".parse().unwrap(), "eth0") };
    let nowhere = refused(NetworkSpec { routes: vec![nowhere], ..NetworkSpec::default() });
    assert!(nowhere.contains("add route `9.0.0.0/8`"), "{nowhere}");
    let mtu =
        refused(NetworkSpec { links: vec![LinkSpec { mtu: Some(7), ..existing("eth0") }], ..NetworkSpec::default() });
    assert!(mtu.contains("change link `eth0`"), "{mtu}");
    let peer = PeerSpec { namespace: Some("nobody".to_owned()), ..PeerSpec::default() };
    let peer = LinkSpec { kind: LinkKind::Veth(peer), ..existing("eth5") };
    let peer = refused(NetworkSpec { links: vec![peer], ..NetworkSpec::default() });
    assert!(peer.contains("create link `eth5`") && peer.contains("`nobody`"), "{peer}");
    let neighbour = NeighbourSpec { address: "10.1.0.9".parse().unwrap(), mac: mac(9), link: "eth8".to_owned() };
    let neighbour = refused(NetworkSpec { neighbours: vec![neighbour], ..NetworkSpec::default() });
    assert!(neighbour.contains("`eth8`"), "{neighbour}");
    let late = network.wait_until_ready(&["eth0", "eth7"], Duration::from_millis(1)).unwrap_err();
    assert!(late.errno == Errno::ETIMEDOUT && late.wanted.contains("`eth7`"), "{late}");
    Ok(())
}

/// Readiness is no matter of luck: made and used a hundred times, and never slowly.
fn ready() -> Result<(), CannotProve> {
    let begun = std::time::Instant::now();
    for _ in 0..100 {
        let (here, there) = two((7, 9));
        for (namespace, link) in [(&here, "eth0"), (&there, "eth1")] {
            Network::open_in(namespace).unwrap().wait_until_ready(&[link], Duration::from_secs(5)).unwrap();
        }
        for (own, to) in [("0.0.0.0:0", "10.1.0.2"), ("[::]:0", "fd01::2")] {
            let server = there.enter(|| UdpSocket::bind(own).unwrap()).unwrap();
            server.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            let client = here.enter(|| UdpSocket::bind(own).unwrap()).unwrap();
            client.send_to(b"x", (to, server.local_addr().unwrap().port())).unwrap();
            server.recv_from(&mut [0; 8]).unwrap();
        }
    }
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(20), "{took:?}");
    Ok(())
}

fn many() -> Result<(), CannotProve> {
    let namespace = Namespace::create("many").unwrap();
    let mut network = Network::open_in(&namespace).unwrap();
    let addresses: Vec<AddressSpec> =
        (0..1000).map(|at| address(&format!("10.9.{}.{}/32", at / 250, at % 250 + 1))).collect();
    let lo = LinkSpec { name: "lo".to_owned(), up: true, addresses: addresses.clone(), ..LinkSpec::default() };
    network.apply(&NetworkSpec { links: vec![lo], ..NetworkSpec::default() }, &[]).unwrap();
    let held = network.addresses().unwrap();
    assert!(addresses.iter().all(|wanted| held.iter().any(|held| held.address == *wanted)), "{}", held.len());
    // Every one of a thousand messages is refused, and the first refusal is told.
    let routes: Vec<RouteSpec> =
        (0..1000).map(|at| RouteSpec::on(cidr(&format!("10.9.{}.{}/32", at / 250, at % 250 + 1)), "lo")).collect();
    let wrong: Vec<RouteSpec> =
        routes.into_iter().map(|route| RouteSpec { via: "9.9.9.9".parse().ok(), ..route }).collect();
    let error = network.apply(&NetworkSpec { routes: wrong, ..NetworkSpec::default() }, &[]).unwrap_err();
    assert!(error.wanted.contains("`10.9.0.1/32`"), "{error}");
    Ok(())
}

fn settings() -> Result<(), CannotProve> {
    let (one, two) = (Namespace::create("one").unwrap(), Namespace::create("two").unwrap());
    one.enter(|| {
        assert!(sysctl::set("net.ipv4.ip_forward", "1").unwrap());
        assert!(!sysctl::set("net.ipv4.ip_forward", "1").unwrap(), "nothing to do the second time");
        assert_eq!(sysctl::get("net/ipv4/conf/lo/forwarding").unwrap(), "1");
    })
    .unwrap();
    assert_eq!(two.enter(|| sysctl::get("net.ipv4.ip_forward").unwrap()).unwrap(), "0");
    let wrong = one.enter(|| sysctl::set("net.ipv4.ip_forward", "maybe").unwrap_err()).unwrap();
    assert_eq!(
        (wrong.errno, wrong.to_string().contains("set `net.ipv4.ip_forward` to `maybe`")),
        (Errno::EINVAL, true)
    );
    Ok(())
}
