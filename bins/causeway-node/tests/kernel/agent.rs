//! The agent as a process: started, told things, ended, on the node of a lab.

pub(crate) mod started;

use crate::agent::started::{Agent, Volume, run};
use crate::rules::{add, iptables, saved};
use causeway_addr::Family;
use causeway_dataplane::masquerade::{table, tables};
use causeway_dataplane::nftables::objects::{Keys, Op};
use causeway_dataplane::packet::Protocol;
use causeway_dataplane::ruleset::{TableFamily, TableId};
use causeway_linux::event::wait;
use causeway_linux::iptables::Variant;
use causeway_linux::nftables::{Connection, Listener};
use causeway_testkit::lab::topology::{NODE, POD};
use causeway_testkit::lab::{Lab, Place, Probe};
use causeway_testkit::oracle::{Oracle, rules_of};
use causeway_testkit::trial::{CannotProve, Trial};
use nix::fcntl::{Flock, FlockArg};
use std::fs::File;
use std::net::{IpAddr, TcpListener};
use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

const LISTED: &str = "nonMasqueradeCIDRs: [10.0.0.0/8, 8.8.8.0/24]";
const OTHER: &str = "nonMasqueradeCIDRs: [10.0.0.0/8]";
const BAD: &str = "nonMasqueradeCIDRs: [10.0.0.1/8]";
const EMPTY: &str = "nonMasqueradeCIDRs: []";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::new("agent::a_changed_config_map_reaches_packets_within_a_second", changed),
        Trial::new("agent::rules_that_others_remove_come_back", removed),
        Trial::new("agent::a_refused_file_changes_nothing", refused),
        Trial::new("agent::a_list_that_shrinks_to_nothing_waits_for_a_restart", shrunk),
        Trial::new("agent::files_that_are_all_removed_are_missed", unlisted),
        Trial::new("agent::a_directory_that_vanishes_changes_nothing", vanished),
        Trial::new("agent::killed_and_started_again_it_takes_what_is_there", killed),
        Trial::new("agent::what_it_remembers_is_what_is_there", remembered),
        Trial::new("agent::what_others_do_while_it_does_not_listen_is_put_right", unheard),
        Trial::new("agent::a_port_that_is_taken_does_not_keep_rules_away", port_taken),
        Trial::new("agent::two_of_them_come_to_rest", two),
        Trial::new("agent::once_and_cleanup_end_with_the_right_status", once),
        Trial::new("agent::started_as_the_original_it_is_the_original", original),
        Trial::needing("agent::a_change_of_back_end_leaves_nothing_behind", back_ends),
        Trial::needing("agent::a_lock_that_others_hold_is_named", lock_held),
        Trial::needing("agent::a_dry_run_shows_what_would_be_removed", dry_runs),
        Trial::needing("agent::the_old_agent_is_replaced_without_a_gap", taken_over),
        Trial::needing("agent::without_the_right_to_write_it_stays_alive", blocked),
    ]
}

/// The source the world sees of a packet of the pod's to an address.
fn source_to(lab: &mut Lab, destination: &str) -> IpAddr {
    let packet = lab.packet(POD.of(Family::V4), destination.parse().unwrap(), Protocol::Udp);
    lab.probe(&[Probe { from: Place::Pod, packet }]).unwrap()[0].source().unwrap()
}

fn node() -> IpAddr {
    NODE.of(Family::V4)
}

fn pod() -> IpAddr {
    POD.of(Family::V4)
}

fn nft(lab: &Lab) -> Connection {
    lab.on_node(Connection::open).unwrap().unwrap()
}

fn there(lab: &Lab) -> usize {
    nft(lab).read(&tables()).unwrap().tables.len()
}

fn changed() {
    let mut lab = Lab::new().unwrap();
    let volume = Volume::new(&[("ip-masq-agent", LISTED)]);
    let mut agent = Agent::start(&lab, &volume, &["--metrics-address=127.0.0.1:0"]);
    agent.until("the rules are in place");
    assert_eq!(source_to(&mut lab, "8.8.8.8"), pod());
    assert_eq!(source_to(&mut lab, "9.9.9.9"), node());
    assert!(agent.get(&lab, "/readyz").starts_with("HTTP/1.1 200 "));

    let began = Instant::now();
    volume.swap(&[("ip-masq-agent", OTHER)]);
    agent.until("the rules are in place");
    let took = began.elapsed();
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert_eq!(source_to(&mut lab, "8.8.8.8"), node());

    let metrics = agent.get(&lab, "/metrics");
    // Counters are those of now, though the last look was before the packet.
    assert!(metrics.contains("\ncauseway_masquerade_translated_connections_total{family=\"ipv4\"} 2\n"), "{metrics}");
    assert!(metrics.contains("\ncauseway_masquerade_prefixes_present{family=\"ipv4\"} 2.0\n"), "{metrics}");
    assert!(metrics.contains("\ncauseway_masquerade_conntrack_entries "), "{metrics}");
    assert_eq!(agent.terminate(), Some(0));
    assert_eq!(source_to(&mut lab, "9.9.9.9"), node(), "the rules stay");
}

fn removed() {
    let mut lab = Lab::new().unwrap();
    let volume = Volume::new(&[("ip-masq-agent", LISTED)]);
    let mut agent = Agent::start(&lab, &volume, &["--metrics-address=127.0.0.1:0", "--resync-interval=3600", "-v=4"]);
    agent.until("the rules are in place");
    let mut other = nft(&lab);
    let mut slowest = Duration::ZERO;
    for _ in 0..100 {
        let began = Instant::now();
        other.apply(&[Op::DeleteTable(table(Family::V4))], None).unwrap();
        agent.until("they are put right");
        slowest = slowest.max(began.elapsed());
    }
    println!("slowest of 100 repairs, as the one who broke it sees it: {slowest:?}");
    assert_eq!(source_to(&mut lab, "9.9.9.9"), node());
    let metrics = agent.get(&lab, "/metrics");
    assert!(metrics.contains("\ncauseway_masquerade_repairs_total{noticed_by=\"notification\"} 100\n"), "{metrics}");
}

fn refused() {
    let mut lab = Lab::new().unwrap();
    let volume = Volume::new(&[("ip-masq-agent", BAD)]);
    let mut agent = Agent::start(&lab, &volume, &["--metrics-address=127.0.0.1:0"]);
    agent.until("nothing is translated until it is");
    assert_eq!(there(&lab), 0, "nothing is guessed");
    assert!(agent.get(&lab, "/healthz").starts_with("HTTP/1.1 200 "));
    assert!(agent.get(&lab, "/readyz").starts_with("HTTP/1.1 503 "));

    volume.swap(&[("ip-masq-agent", LISTED)]);
    agent.until("the rules are in place");
    volume.swap(&[("ip-masq-agent", LISTED), ("ip-masq-b", BAD)]);
    agent.until("the configuration of before stays in effect");
    let ready = agent.get(&lab, "/readyz");
    assert!(
        ready.starts_with("HTTP/1.1 200 ") && ready.contains("file-refused") && ready.contains("ip-masq-b"),
        "{ready}"
    );
    nft(&lab).apply(&[Op::DeleteTable(table(Family::V4))], None).unwrap();
    agent.until("they are put right");
    assert_eq!(source_to(&mut lab, "8.8.8.8"), pod());
    volume.swap(&[("ip-masq-agent", OTHER)]);
    agent.until("what was read is in effect again");
    agent.until("the rules are in place");
    assert_eq!(source_to(&mut lab, "8.8.8.8"), node());
}

fn shrunk() {
    let mut lab = Lab::new().unwrap();
    let volume = Volume::new(&[("ip-masq-agent", LISTED)]);
    let mut agent = Agent::start(&lab, &volume, &[]);
    agent.until("the rules are in place");
    volume.swap(&[("ip-masq-agent", EMPTY)]);
    agent.until("shrank to nothing");
    assert_eq!(source_to(&mut lab, "8.8.8.8"), pod());
    assert_eq!(agent.terminate(), Some(0));
    let mut agent = Agent::start(&lab, &volume, &[]);
    agent.until("the list is empty");
    agent.until("the rules are in place");
    assert_eq!(source_to(&mut lab, "8.8.8.8"), node());
}

fn unlisted() {
    let mut lab = Lab::new().unwrap();
    let volume = Volume::new(&[("ip-masq-agent", LISTED)]);
    let mut agent = Agent::start(&lab, &volume, &["--metrics-address=127.0.0.1:0"]);
    agent.until("the rules are in place");
    assert!(!agent.get(&lab, "/readyz").contains("files-gone"));
    volume.swap(&[]);
    agent.until("the files that were there are gone");
    agent.until("the rules are in place");
    assert!(agent.get(&lab, "/readyz").contains("files-gone"));
    assert!(agent.get(&lab, "/metrics").contains("\ncauseway_masquerade_config_files_gone 1.0\n"));
    assert_eq!(source_to(&mut lab, "8.8.8.8"), node(), "the built-in list does not have it");
    volume.swap(&[("ip-masq-agent", LISTED)]);
    agent.until("there are files again");
    agent.until("the rules are in place");
    assert_eq!(source_to(&mut lab, "8.8.8.8"), pod());
}

fn vanished() {
    let mut lab = Lab::new().unwrap();
    let volume = Volume::new(&[("ip-masq-agent", LISTED)]);
    let mut agent = Agent::start(&lab, &volume, &[]);
    agent.until("the rules are in place");
    let away = volume.path().with_extension("away");
    std::fs::rename(volume.path(), &away).unwrap();
    agent.until("can't be read");
    agent.until("the configuration of before stays in effect");
    nft(&lab).apply(&[Op::DeleteTable(table(Family::V4))], None).unwrap();
    agent.until("they are put right");
    assert_eq!(source_to(&mut lab, "8.8.8.8"), pod());
    std::fs::rename(&away, volume.path()).unwrap();
    agent.until("what was read is in effect again");
}

fn killed() {
    let mut lab = Lab::new().unwrap();
    let volume = Volume::new(&[("ip-masq-agent", LISTED)]);
    let mut agent = Agent::start(&lab, &volume, &[]);
    agent.until("the rules are in place");
    let before = nft(&lab).generation().unwrap();
    agent.kill();
    volume.swap(&[("ip-masq-agent", LISTED), ("ip-masq-b", BAD)]);
    let mut agent = Agent::start(&lab, &volume, &[]);
    agent.until("the rules that are in the kernel stay as they are");
    assert_eq!(source_to(&mut lab, "8.8.8.8"), pod());
    volume.swap(&[("ip-masq-agent", LISTED)]);
    agent.until("the rules were in place already");
    assert_eq!(nft(&lab).generation().unwrap(), before, "nothing was written");
}

/// The twin of every other test that asks for a page.
fn port_taken() {
    let mut lab = Lab::new().unwrap();
    let volume = Volume::new(&[("ip-masq-agent", LISTED)]);
    let taken = lab.on_node(|| TcpListener::bind("127.0.0.1:0")).unwrap().unwrap();
    let argument = format!("--metrics-address={}", taken.local_addr().unwrap());
    let mut agent = Agent::start(&lab, &volume, &[&argument]);
    // Whichever comes first.
    agent.until_all(&["the rules are in place", "pages can't be served at"]);
    assert_eq!(source_to(&mut lab, "8.8.8.8"), pod());
    assert_eq!(source_to(&mut lab, "9.9.9.9"), node());
    drop(taken);
    agent.until("pages are served at");
    assert!(agent.get(&lab, "/readyz").starts_with("HTTP/1.1 200 "));
    assert_eq!(agent.terminate(), Some(0));
}

fn two() {
    let mut lab = Lab::new().unwrap();
    let volume = Volume::new(&[("ip-masq-agent", LISTED)]);
    let mut first = Agent::start(&lab, &volume, &[]);
    first.until("the rules are in place");
    let mut second = Agent::start(&lab, &volume, &["--metrics-address=127.0.0.1:0"]);
    second.until("the rules were in place already");
    let mut other = nft(&lab);
    let before = other.generation().unwrap();
    for _ in 0..50 {
        // Each of them may be quicker, and both leave the same.
        let _ = other.apply(&[Op::DeleteTable(table(Family::V4))], None);
    }
    volume.swap(&[("ip-masq-agent", OTHER)]);
    first.until("ip-masq-agent");
    second.until("ip-masq-agent");
    // Both read the change; whoever came second found it done. What is asked of one is answered after what it did.
    let ready = second.get(&lab, "/readyz");
    assert!(ready.starts_with("HTTP/1.1 200 "), "{ready}");
    assert_eq!(first.terminate(), Some(0));
    assert_eq!(second.terminate(), Some(0));
    assert_eq!(source_to(&mut lab, "8.8.8.8"), node());
    let after = other.generation().unwrap();
    assert!(after.0 - before.0 < 250, "they do not go on for ever: {before:?} {after:?}");
}

fn once() {
    let lab = Lab::new().unwrap();
    let volume = Volume::new(&[("ip-masq-agent", LISTED), ("ip-masq-b", BAD)]);
    let directory = format!("--config-dir={}", volume.path().display());
    let status = |arguments: &[&str]| run(&lab, arguments).0;
    assert_eq!(status(&["masquerade", "--once", &directory]), Some(2));
    assert_eq!(there(&lab), 0);
    assert_eq!(status(&["masquerade", "--dry-run", &directory]), Some(2));
    assert_eq!(status(&["masquerade", "--once", "--exit-on-error", &directory]), Some(255));
    assert_eq!(status(&["masquerade", "--nonsense"]), Some(2));
    assert_eq!(status(&["masquerade", "stray"]), Some(2));
    assert_eq!(status(&["nonsense"]), Some(2));
    assert_eq!(status(&[]), Some(2));

    volume.swap(&[("ip-masq-agent", LISTED)]);
    let (dry, shown, _) = run(&lab, &["masquerade", "--dry-run", &directory]);
    assert_eq!(dry, Some(0));
    assert!(shown.contains("table ip causeway-masquerade {") && shown.contains("# what would change\n"), "{shown}");
    assert_eq!(there(&lab), 0);
    assert_eq!(status(&["masquerade", "--once", "--enable-ipv6", &directory]), Some(0));
    assert_eq!(there(&lab), 2);
    let (_, shown, _) = run(&lab, &["masquerade", "--dry-run", "--enable-ipv6", &directory]);
    assert!(shown.contains("# nothing would change"), "{shown}");
    assert_eq!(status(&["masquerade", "--once", &directory]), Some(0));
    assert_eq!(there(&lab), 1, "IPv6 is off, and nothing of it is left");
    assert_eq!(status(&["masquerade", "--cleanup"]), Some(0));
    assert_eq!(there(&lab), 0);
    for (arguments, words) in [
        (["masquerade", "--help"], "--nomasq-all-reserved-ranges"),
        (["masquerade", "--version"], "causeway-node "),
        (["masquerade", "-h"], "Examples:"),
    ] {
        let (status, shown, _) = run(&lab, &arguments);
        assert_eq!(status, Some(0), "{arguments:?}");
        assert!(shown.contains(words), "{shown}");
    }
}

fn original() {
    let lab = Lab::new().unwrap();
    let volume = Volume::new(&[("ip-masq-agent", "NonMasqueradeCIDRs:\n- 10.244.0.0/16\nMasqLinkLocal: true\n")]);
    let mut agent =
        Agent::start_as("ip-masq-agent-v2", &lab, &volume, &["--v=2", "--resync-interval=60", "-logtostderr"]);
    agent.until(
        "using config: {\\\"nonMasqueradeCIDRs\\\":[\\\"10.244.0.0/16\\\"],\\\"masqLinkLocal\\\":true,\\\"masqLinkLocalIPv6\\\":false}",
    );
    agent.until("the rules are in place");
    assert_eq!(agent.terminate(), Some(0));
}

fn blocked() -> Result<(), CannotProve> {
    let lab = Lab::new().unwrap();
    let volume = Volume::new(&[("ip-masq-agent", LISTED)]);
    let merged = volume.writable("merged");
    let argument = format!("--merged-config={}", merged.display());
    let mut agent = Agent::start_without_privileges(&lab, &volume, &["--metrics-address=127.0.0.1:0", &argument])?;
    agent.until("blocked: this node does not let the agent write rules");
    assert_eq!(there(&lab), 0);
    let ready = agent.get(&lab, "/readyz");
    assert!(ready.starts_with("HTTP/1.1 200 ") && ready.contains("\"blocked\""), "{ready}");
    assert!(std::fs::read_to_string(&merged).unwrap().contains("8.8.8.0/24"));
    volume.swap(&[("ip-masq-agent", OTHER)]);
    agent.until("wrote the merged configuration");
    assert!(!std::fs::read_to_string(&merged).unwrap().contains("8.8.8.0/24"));
    assert_eq!(agent.terminate(), Some(0));
    Ok(())
}

fn back_ends() -> Result<(), CannotProve> {
    let save = Oracle::find("iptables-nft-save")?;
    let save_v6 = Oracle::find("ip6tables-nft-save")?;
    let mut lab = Lab::new().unwrap();
    let volume = Volume::new(&[("ip-masq-agent", LISTED)]);
    let directory = format!("--config-dir={}", volume.path().display());
    let once = |arguments: &[&str]| {
        let all: Vec<&str> = ["masquerade", "--once", directory.as_str()].iter().chain(arguments).copied().collect();
        let (status, _, said) = run(&lab, &all);
        assert_eq!(status, Some(0), "{arguments:?}: {said}");
    };
    let chains = |oracle: &Oracle| -> Vec<String> {
        let saved = lab.on_node(|| oracle.ask(&["-t", "nat"])).unwrap();
        let own = saved.lines().filter(|line| line.starts_with(':') && line.contains(" - "));
        own.filter_map(|line| line.trim_start_matches(':').split(' ').next().map(str::to_owned)).collect()
    };
    // Back end and flags, chains of iptables (IPv4, IPv6), tables of nft.
    for (arguments, v4, v6, own) in [
        (&["--backend=iptables", "--enable-ipv6"] as &[&str], "IP-MASQ-AGENT", "IP-MASQ-AGENT", 0),
        (&["--backend=iptables"], "IP-MASQ-AGENT", "", 0),
        (&["--backend=iptables", "--masq-chain=OTHER"], "OTHER", "", 0),
        (&["--backend=nft", "--enable-ipv6"], "", "", 2),
        (&["--backend=iptables", "--masq-chain=THIRD", "--enable-ipv6"], "THIRD", "THIRD", 0),
        (&[], "", "", 1),
    ] {
        once(arguments);
        assert_eq!((chains(&save).join(" ").as_str(), chains(&save_v6).join(" ").as_str()), (v4, v6), "{arguments:?}");
        assert_eq!(there(&lab), own, "{arguments:?}");
    }
    once(&["--backend=iptables"]);
    assert_eq!(source_to(&mut lab, "8.8.8.8"), pod());
    assert_eq!(source_to(&mut lab, "9.9.9.9"), node());
    assert_eq!(run(&lab, &["masquerade", "--cleanup"]).0, Some(0));
    assert_eq!(source_to(&mut lab, "9.9.9.9"), pod());
    Ok(())
}

fn lock_held() -> Result<(), CannotProve> {
    let program = iptables(Family::V4, Variant::Legacy)?;
    let mut lab = Lab::new().unwrap();
    let volume = Volume::new(&[("ip-masq-agent", LISTED)]);
    add(&lab, &program, "*mangle\n:KUBE-KUBELET-CANARY - [0:0]\nCOMMIT\n")?;
    let file = File::create("/run/xtables.lock").unwrap();
    let lock = Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, errno)| errno).unwrap();
    let mut agent = Agent::start(&lab, &volume, &["--backend=iptables", "--metrics-address=127.0.0.1:0"]);
    let ready = agent.get(&lab, "/readyz");
    assert!(ready.starts_with("HTTP/1.1 503 ") && ready.contains("\"reason\""), "{ready}");
    agent.until("waiting for the xtables lock");
    let ready = agent.get(&lab, "/readyz");
    assert!(ready.contains("waiting for the xtables lock") && !ready.contains("others kept changing"), "{ready}");
    drop(lock.unlock());
    agent.until("the kernel takes the rules again");
    assert!(agent.get(&lab, "/readyz").starts_with("HTTP/1.1 200 "));
    assert_eq!(source_to(&mut lab, "9.9.9.9"), node());
    Ok(())
}

fn dry_runs() -> Result<(), CannotProve> {
    let volume = Volume::new(&[("ip-masq-agent", LISTED)]);
    let directory = format!("--config-dir={}", volume.path().display());
    for variant in [Variant::Nft, Variant::Legacy] {
        let lab = Lab::new().unwrap();
        let program = iptables(Family::V4, variant)?;
        add(&lab, &program, "*mangle\n:KUBE-KUBELET-CANARY - [0:0]\nCOMMIT\n")?;
        let dry = |back: &str| {
            let (status, shown, said) = run(&lab, &["masquerade", "--dry-run", back, &directory]);
            assert_eq!(status, Some(0), "{said}");
            shown.split_once("# what would change\n").map_or(String::new(), |(_, changes)| changes.to_owned())
        };
        let gone = |changes: &str| match variant {
            Variant::Nft => changes.contains("delete chain ip nat IP-MASQ-AGENT"),
            Variant::Legacy => changes.contains("(IPv4)\n*nat\n") && changes.contains("\n-X IP-MASQ-AGENT\n"),
        };
        let changes = dry("--backend=nft");
        assert!(!gone(&changes) && !changes.contains("*nat"), "nothing is there yet: {changes}");
        add(&lab, &program, OLD)?;
        let before = saved(&lab, &program);
        let changes = dry("--backend=nft");
        assert!(gone(&changes), "{changes}");
        assert_eq!(rules_of(&saved(&lab, &program), "POSTROUTING"), rules_of(&before, "POSTROUTING"));
        assert_eq!(run(&lab, &["masquerade", "--once", "--backend=nft", &directory]).0, Some(0));
        let changes = dry("--backend=nft");
        assert_eq!(changes, "", "it is done");
        let changes = dry("--backend=iptables");
        assert!(changes.contains("delete table ip causeway-masquerade"), "the back end changes: {changes}");
    }
    Ok(())
}

/// The chain of the original under any name, in either variant, translates other destinations than ours until ours is there.
fn taken_over() -> Result<(), CannotProve> {
    let volume = Volume::new(&[("ip-masq-agent", LISTED)]);
    for variant in ["nft", "legacy"] {
        let restore = Oracle::find(&format!("iptables-{variant}-restore"))?;
        let mut lab = Lab::new().unwrap();
        let script = volume.file(variant, OLD);
        if let Err(why) = lab.on_node(|| restore.attempt(&["--noflush", script.to_str().unwrap()])).unwrap() {
            return Err(CannotProve(format!("iptables-{variant} is of no use here: {why}")));
        }
        assert_eq!(source_to(&mut lab, "8.8.8.8"), node(), "the old list does not have it");
        let mut agent = Agent::start(&lab, &volume, &[]);
        agent.until("removed the chain of ip-masq-agent-v2");
        assert_eq!(source_to(&mut lab, "8.8.8.8"), pod(), "{variant}");
        assert_eq!(source_to(&mut lab, "9.9.9.9"), node(), "{variant}");
    }
    Ok(())
}

const OLD: &str = r#"*nat
:IP-MASQ-AGENT - [0:0]
-A POSTROUTING -m comment --comment "\"ip-masq-agent: ensure nat POSTROUTING directs all non-LOCAL destination traffic to our custom IP-MASQ-AGENT chain\"" -m addrtype ! --dst-type LOCAL -j IP-MASQ-AGENT
-A IP-MASQ-AGENT -d 10.0.0.0/8 -m comment --comment "ip-masq-agent: local traffic is not subject to MASQUERADE" -j RETURN
-A IP-MASQ-AGENT -m comment --comment "ip-masq-agent: outbound traffic is subject to MASQUERADE (must be last in chain)" -j MASQUERADE
COMMIT
"#;

/// Small changes are made to what was remembered, without reading it back; somebody who reads everything finds nothing to change.
fn remembered() {
    let mut lab = Lab::new().unwrap();
    let list = |third: usize| format!("nonMasqueradeCIDRs: [10.0.0.0/8, 8.8.{third}.0/24, 8.9.{}.0/24]", third / 2);
    let volume = Volume::new(&[("ip-masq-agent", &list(0))]);
    let mut agent = Agent::start(&lab, &volume, &["--resync-interval=3600", "-v=4"]);
    agent.until("the rules are in place");
    let directory = format!("--config-dir={}", volume.path().display());
    let mut other = nft(&lab);
    let elsewhere = TableId { family: TableFamily::Ip, name: "elsewhere".to_owned() };
    for third in 1..=8 {
        let op = if third % 2 == 1 { Op::AddTable(elsewhere.clone()) } else { Op::DeleteTable(elsewhere.clone()) };
        other.apply(&[op], None).unwrap();
        volume.swap(&[("ip-masq-agent", &list(third))]);
        agent.until("the rules are in place");
        let (status, shown, _) = run(&lab, &["masquerade", "--dry-run", &directory]);
        assert!(status == Some(0) && shown.contains("# nothing would change"), "{third}: {shown}");
    }
    assert_eq!(source_to(&mut lab, "8.8.8.1"), pod());
    assert_eq!(source_to(&mut lab, "8.8.7.1"), node());
    let set = causeway_dataplane::nftables::lower::set_of_length("exempt", 24);
    let keys = Keys::collect(4, [[8, 8, 8, 0]]);
    other.apply(&[Op::DeleteElements { table: table(Family::V4), set, keys }], None).unwrap();
    agent.until("they are put right");
    assert_eq!(source_to(&mut lab, "8.8.8.1"), pod());
}

/// Around large changes of its own the agent does not listen. Somebody who removes its table the moment such a change is committed is not
/// heard of, and the table comes back all the same.
fn unheard() {
    const TIMES: u8 = 10;
    const PREFIXES: u32 = 5000;
    let lab = Lab::new().unwrap();
    let list = |first: u8| {
        let prefixes = (0..PREFIXES).map(|at| {
            let [_, a, b, c] = (at * 16).to_be_bytes();
            format!("- {first}.{a}.{b}.{c}/28\n")
        });
        format!("nonMasqueradeCIDRs:\n{}", prefixes.collect::<String>())
    };
    let volume = Volume::new(&[("ip-masq-agent", &list(10))]);
    let mut agent = Agent::start(&lab, &volume, &["--resync-interval=3600", "--max-cidrs=10000", "-v=4"]);
    agent.until("the rules are in place");
    let directory = format!("--config-dir={}", volume.path().display());
    let mut other = nft(&lab);
    for time in 1..=TIMES {
        let before = other.generation().unwrap();
        volume.swap(&[("ip-masq-agent", &list(10 + time))]);
        let until = Instant::now() + Duration::from_secs(20);
        // The new number is there before the agent is told that its change is committed.
        while other.generation().unwrap() == before {
            assert!(Instant::now() < until, "it takes the list");
        }
        other.apply(&[Op::DeleteTable(table(Family::V4))], None).unwrap();
        agent.until("the rules are in place");
        let mut listener = lab.on_node(Listener::open).unwrap().unwrap();
        loop {
            let (status, shown, _) = run(&lab, &["masquerade", "--dry-run", "--max-cidrs=10000", &directory]);
            assert_eq!(status, Some(0), "{shown}");
            if shown.contains("# nothing would change") {
                break;
            }
            // It was heard after all, and is being put right.
            wait(&[listener.as_fd()], Some(Duration::from_secs(1))).unwrap();
            listener.drain().unwrap();
            assert!(Instant::now() < until, "{time}: nobody puts it right");
        }
    }
}
