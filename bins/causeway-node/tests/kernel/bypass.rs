//! The back end of iptables beside rules of others that make its chain useless: said, never passed over.

use crate::agent::started::{Agent, Volume};
use crate::rules::{add, iptables};
use causeway_addr::Family;
use causeway_dataplane::packet::Protocol;
use causeway_linux::iptables::Variant;
use causeway_testkit::lab::topology::{NODE, POD};
use causeway_testkit::lab::{Lab, Place, Probe};
use causeway_testkit::oracle::Oracle;
use causeway_testkit::trial::{CannotProve, Trial};
use std::net::IpAddr;

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for variant in [Variant::Nft, Variant::Legacy] {
        let title = format!("bypass::packets_that_others_let_go_before_us_in_iptables_{variant}_are_told");
        trials.push(Trial::needing(&title, move || bypassed(variant)));
    }
    trials.push(Trial::needing("bypass::a_dormant_table_is_told", dormant));
    trials
}

const LISTED: &str = "nonMasqueradeCIDRs: [10.0.0.0/8]";
const ARGUMENTS: [&str; 3] = ["--backend=iptables", "--resync-interval=1", "--metrics-address=127.0.0.1:0"];

/// The source the world sees of a packet of the pod's to an address that is not listed.
fn source(lab: &mut Lab) -> Option<IpAddr> {
    let packet = lab.packet(POD.of(Family::V4), "9.9.9.9".parse().unwrap(), Protocol::Udp);
    lab.probe(&[Probe { from: Place::Pod, packet }]).unwrap()[0].source()
}

fn bypassed(variant: Variant) -> Result<(), CannotProve> {
    let program = iptables(Family::V4, variant)?;
    let mut lab = Lab::new().unwrap();
    add(&lab, &program, "*mangle\n:KUBE-KUBELET-CANARY - [0:0]\nCOMMIT\n")?;
    let volume = Volume::new(&[("ip-masq-agent", LISTED)]);
    let mut agent = Agent::start(&lab, &volume, &ARGUMENTS);
    agent.until("the rules are in place");
    for rule in ["-j ACCEPT", "-s 10.244.0.0/16 -j RETURN"] {
        // The first makes no difference, and is not told.
        let both = format!("*nat\n-I POSTROUTING -d 10.1.0.0/16 -j ACCEPT\n-I POSTROUTING {rule}\nCOMMIT\n");
        add(&lab, &program, &both)?;
        agent.until("before our jump");
        let ready = agent.get(&lab, "/readyz");
        assert_eq!(ready.matches("\"shadowed\"").count(), 1, "{ready}");
        if rule == "-j ACCEPT" {
            assert_eq!(source(&mut lab), Some(POD.of(Family::V4)), "it is true");
        }
        let away = format!("*nat\n-D POSTROUTING -d 10.1.0.0/16 -j ACCEPT\n-D POSTROUTING {rule}\nCOMMIT\n");
        add(&lab, &program, &away)?;
        agent.until("not there any more");
        agent.get_until(&lab, "/readyz", "\"ok\"");
        assert_eq!(source(&mut lab), Some(NODE.of(Family::V4)));
    }
    Ok(())
}

fn dormant() -> Result<(), CannotProve> {
    let nft = Oracle::find("nft")?;
    let program = iptables(Family::V4, Variant::Nft)?;
    let mut lab = Lab::new().unwrap();
    add(&lab, &program, "*mangle\n:KUBE-KUBELET-CANARY - [0:0]\nCOMMIT\n")?;
    let volume = Volume::new(&[("ip-masq-agent", LISTED)]);
    let mut agent = Agent::start(&lab, &volume, &ARGUMENTS);
    agent.until("the rules are in place");
    agent.get_until(&lab, "/readyz", "\"ok\"");
    lab.on_node(|| nft.ask(&["add table ip nat { flags dormant; }"])).unwrap();
    agent.until("is dormant");
    assert_eq!(source(&mut lab), Some(POD.of(Family::V4)), "it is true");
    assert!(agent.get(&lab, "/readyz").starts_with("HTTP/1.1 503 "));
    lab.on_node(|| nft.ask(&["add table ip nat"])).unwrap();
    agent.until("the kernel takes the rules again");
    assert_eq!(source(&mut lab), Some(NODE.of(Family::V4)));
    agent.get_until(&lab, "/readyz", "\"ok\"");
    Ok(())
}
