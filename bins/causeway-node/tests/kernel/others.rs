//! Rules of others that come and go while the agent runs: it says what they do to packets, and takes it back when they are gone.

use crate::agent::started::{Agent, Volume};
use crate::model::settings;
use crate::rules::{Spelling, add, iptables, original};
use causeway_addr::Family;
use causeway_dataplane::packet::Protocol;
use causeway_linux::iptables::Variant;
use causeway_testkit::lab::topology::{NODE, POD};
use causeway_testkit::lab::{Lab, Place, Probe};
use causeway_testkit::oracle::Oracle;
use causeway_testkit::trial::{CannotProve, Trial};
use std::net::IpAddr;

const LISTED: &str = "nonMasqueradeCIDRs: [10.0.0.0/8]";
const EXEMPT: &str = "10.50.0.1";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::needing("others::a_chain_that_comes_is_reported_and_taken_back_when_it_goes", come_and_go),
        Trial::needing("others::each_resync_looks_where_nothing_is_heard", at_resync),
        Trial::needing("others::the_old_agent_that_comes_back_to_legacy_tables_goes_at_the_next_resync", old_in_legacy),
        Trial::needing("others::kube_proxy_as_it_is_is_no_reason_to_worry", kube_proxy),
        Trial::needing("others::what_turns_tracking_off_or_translates_afterwards_is_reported", instead),
        Trial::needing("others::our_table_put_to_sleep_wakes_whatever_is_in_it", asleep),
        Trial::new("others::two_agents_that_differ_say_so_and_slow_down", contested),
    ]
}

fn feed(lab: &Lab, text: &str) -> Result<(), CannotProve> {
    let nft = Oracle::find("nft")?;
    lab.on_node(|| nft.feed(&["-f", "-"], text)).unwrap().unwrap();
    Ok(())
}

/// The source the world sees of a packet of the pod's to an exempt address.
fn exempt(lab: &mut Lab) -> IpAddr {
    let packet = lab.packet(POD.of(Family::V4), EXEMPT.parse().unwrap(), Protocol::Udp);
    lab.probe(&[Probe { from: Place::Pod, packet }]).unwrap()[0].source().unwrap()
}

fn started(lab: &Lab, volume: &Volume, resync: &str) -> Agent {
    let mut agent = Agent::start(lab, volume, &["--metrics-address=127.0.0.1:0", resync]);
    agent.until("the rules are in place");
    agent
}

fn status(agent: &Agent, lab: &Lab) -> String {
    let page = agent.get(lab, "/readyz");
    let (_, rest) = page.split_once("\"status\": \"").unwrap_or_else(|| panic!("{page}"));
    rest.split('"').next().unwrap().to_owned()
}

const THEIRS: &str = "table ip f { chain c { type nat hook postrouting priority 100; masquerade; }; }";

fn come_and_go() -> Result<(), CannotProve> {
    let mut lab = Lab::new().unwrap();
    let volume = Volume::new(&[("ip-masq-agent", LISTED)]);
    feed(&lab, THEIRS)?;
    let mut agent = started(&lab, &volume, "--resync-interval=3600");
    agent.until("before ours");
    assert_eq!((status(&agent, &lab).as_str(), exempt(&mut lab)), ("degraded", NODE.of(Family::V4)));
    for _ in 0..2 {
        feed(&lab, "delete table ip f")?;
        agent.until("not there any more");
        assert_eq!((status(&agent, &lab).as_str(), exempt(&mut lab)), ("ok", POD.of(Family::V4)));
        // What takes nothing from ours is nobody's business.
        feed(
            &lab,
            "table ip g { chain c { type nat hook postrouting priority 100; counter; }; chain d { masquerade; }; }",
        )?;
        feed(&lab, THEIRS)?;
        agent.until("before ours");
        assert_eq!((status(&agent, &lab).as_str(), exempt(&mut lab)), ("degraded", NODE.of(Family::V4)));
        assert!(!agent.get(&lab, "/readyz").contains("ip g"));
    }
    Ok(())
}

fn at_resync() -> Result<(), CannotProve> {
    let mut lab = Lab::new().unwrap();
    let volume = Volume::new(&[("ip-masq-agent", LISTED)]);
    let masquerade = "*nat\n-I POSTROUTING -s 10.244.0.0/16 -j MASQUERADE\nCOMMIT\n";
    let legacy = iptables(Family::V4, Variant::Legacy)?;
    let mut agent = started(&lab, &volume, "--resync-interval=1");
    assert_eq!(status(&agent, &lab), "ok");
    add(&lab, &legacy, masquerade)?;
    agent.until("before ours");
    assert_eq!((status(&agent, &lab).as_str(), exempt(&mut lab)), ("degraded", NODE.of(Family::V4)));
    add(&lab, &legacy, &masquerade.replace("-I", "-D"))?;
    agent.until("not there any more");
    assert_eq!((status(&agent, &lab).as_str(), exempt(&mut lab)), ("ok", POD.of(Family::V4)));
    Ok(())
}

fn old_in_legacy() -> Result<(), CannotProve> {
    let mut lab = Lab::new().unwrap();
    let volume = Volume::new(&[("ip-masq-agent", LISTED)]);
    let legacy = iptables(Family::V4, Variant::Legacy)?;
    let mut agent = started(&lab, &volume, "--resync-interval=1");
    for _ in 0..2 {
        // Its list has not what ours has.
        add(&lab, &legacy, &original(&settings(&["192.168.0.0/16"]), Family::V4, Spelling::Quoted))?;
        agent.until("removed the chain of ip-masq-agent-v2 from the legacy tables");
        assert_eq!(exempt(&mut lab), POD.of(Family::V4));
    }
    Ok(())
}

/// kube-proxy as it writes its chain today; marked packets are those of services.
const KUBE_PROXY: &str = "*nat
:KUBE-POSTROUTING - [0:0]
-A POSTROUTING -m comment --comment \"kubernetes postrouting rules\" -j KUBE-POSTROUTING
-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
-A KUBE-POSTROUTING -j MARK --xor-mark 0x4000
-A KUBE-POSTROUTING -m comment --comment \"kubernetes service traffic requiring SNAT\" -j MASQUERADE --random-fully
COMMIT
";
const KUBE_PROXY_NFT: &str = "table ip kube-proxy {
  chain masquerading { meta mark and 0x4000 == 0 return; meta mark set meta mark xor 0x4000; masquerade fully-random; }
  chain nat-postrouting { type nat hook postrouting priority srcnat; jump masquerading; }
}";

fn kube_proxy() -> Result<(), CannotProve> {
    let guard = "-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN\n";
    type Load<'a> = &'a dyn Fn(&Lab, bool) -> Result<(), CannotProve>;
    let by_iptables = |variant| {
        move |lab: &Lab, guarded: bool| {
            let text = if guarded { KUBE_PROXY.to_owned() } else { KUBE_PROXY.replace(guard, "") };
            add(lab, &iptables(Family::V4, variant)?, &text)
        }
    };
    let by_nft = |lab: &Lab, guarded: bool| {
        let text = KUBE_PROXY_NFT.to_owned();
        feed(lab, &if guarded { text } else { text.replace("meta mark and 0x4000 == 0 return;", "") })
    };
    let loads: [Load<'_>; 3] = [&by_iptables(Variant::Nft), &by_iptables(Variant::Legacy), &by_nft];
    for load in loads {
        for guarded in [true, false] {
            let mut lab = Lab::new().unwrap();
            let volume = Volume::new(&[("ip-masq-agent", LISTED)]);
            load(&lab, guarded)?;
            let mut agent = started(&lab, &volume, "--resync-interval=3600");
            agent.until("of kube-proxy,");
            let expected = if guarded { ("ok", POD) } else { ("degraded", NODE) };
            assert_eq!((status(&agent, &lab).as_str(), exempt(&mut lab)), (expected.0, expected.1.of(Family::V4)));
        }
    }
    Ok(())
}

fn instead() -> Result<(), CannotProve> {
    const LATER: &str = "table ip f { chain c { type nat hook postrouting priority 200; masquerade; }; }";
    const UNTRACKED: &str = "table ip f { chain c { type filter hook prerouting priority -300; notrack; }; }";
    let volume = Volume::new(&[("ip-masq-agent", LISTED)]);
    let translated = |lab: &mut Lab, to: &str| {
        let packet = lab.packet(POD.of(Family::V4), to.parse().unwrap(), Protocol::Udp);
        lab.probe(&[Probe { from: Place::Pod, packet }]).unwrap()[0].source().unwrap() == NODE.of(Family::V4)
    };
    for (text, words, both) in
        [(LATER, "that ours let go", [true, true]), (UNTRACKED, "so that they are not translated", [false; 2])]
    {
        let mut lab = Lab::new().unwrap();
        let mut agent = started(&lab, &volume, "--resync-interval=3600");
        feed(&lab, text)?;
        agent.until(words);
        assert_eq!(status(&agent, &lab), "degraded");
        assert_eq!([EXEMPT, "9.9.9.9"].map(|to| translated(&mut lab, to)), both);
        feed(&lab, "delete table ip f")?;
        agent.until("not there any more");
        // Where everything is tracked already nothing is turned off.
        feed(&lab, &UNTRACKED.replace("-300", "-150").replace(" f ", " g "))?;
        feed(&lab, THEIRS)?;
        agent.until("before ours");
        let page = agent.get(&lab, "/readyz");
        assert!(page.contains("`ip f`") && !page.contains("`ip g`"), "{page}");
    }
    let mut lab = Lab::new().unwrap();
    let mut agent = started(&lab, &volume, "--resync-interval=1");
    let raw = "*raw\n-A PREROUTING -j CT --notrack\nCOMMIT\n";
    add(&lab, &iptables(Family::V4, Variant::Legacy)?, raw)?;
    agent.until("so that they are not translated");
    assert!(!translated(&mut lab, "9.9.9.9"));
    Ok(())
}

fn asleep() -> Result<(), CannotProve> {
    const BASE: &str = "add chain ip causeway-masquerade postrouting { type nat hook postrouting priority 101; }";
    const STRANGE: &str = "add chain ip causeway-masquerade strange { type filter hook forward priority 5; }";
    let mut lab = Lab::new().unwrap();
    let volume = Volume::new(&[("ip-masq-agent", LISTED)]);
    let arguments = ["--metrics-address=127.0.0.1:0", "--resync-interval=3600", "-v=4"];
    let mut agent = Agent::start(&lab, &volume, &arguments);
    agent.until("the rules are in place");
    let anew = "delete table ip causeway-masquerade\nadd table ip causeway-masquerade { flags dormant; }\n";
    let sleep = "add table ip causeway-masquerade { flags dormant; }\n";
    for text in [sleep.to_owned(), anew.to_owned(), format!("{anew}{BASE}\n"), format!("{anew}{STRANGE}\n")] {
        feed(&lab, &text)?;
        agent.until("they are put right");
        let mut packet = |to: &str| lab.packet(POD.of(Family::V4), to.parse().unwrap(), Protocol::Udp);
        let probes = ["9.9.9.9", EXEMPT].map(|to| Probe { from: Place::Pod, packet: packet(to) });
        let sources = lab.probe(&probes).unwrap().into_iter().map(|fate| fate.source().unwrap());
        assert_eq!(sources.collect::<Vec<_>>(), [NODE.of(Family::V4), POD.of(Family::V4)], "{text}");
        assert_eq!(status(&agent, &lab), "ok");
    }
    Ok(())
}

fn contested() {
    const ELSE: &str = "nonMasqueradeCIDRs: [10.0.0.0/8, 8.8.8.0/24]";
    let lab = Lab::new().unwrap();
    let (one, other) = (Volume::new(&[("ip-masq-agent", LISTED)]), Volume::new(&[("ip-masq-agent", ELSE)]));
    let mut first = started(&lab, &one, "--resync-interval=3600");
    assert_eq!(status(&first, &lab), "ok");
    let mut second = started(&lab, &other, "--resync-interval=3600");
    for agent in [&mut first, &mut second] {
        agent.until("again and again");
        let page = agent.get(&lab, "/readyz");
        assert!(page.contains("contested") && !page.contains("\"ok\""), "{page}");
    }
    // Both have come to their calm by then; each write of one makes at most one of the other.
    let mut nft = lab.on_node(causeway_linux::nftables::Connection::open).unwrap().unwrap();
    let mut listener = lab.on_node(causeway_linux::nftables::Listener::open).unwrap().unwrap();
    let began = std::time::Instant::now();
    let before = nft.generation().unwrap();
    while began.elapsed() < std::time::Duration::from_secs(3) {
        causeway_linux::event::wait(&[std::os::fd::AsFd::as_fd(&listener)], Some(std::time::Duration::from_secs(1)))
            .unwrap();
        listener.drain().unwrap();
    }
    let writes = nft.generation().unwrap().0 - before.0;
    assert!((1..40).contains(&writes), "{writes}");
}
