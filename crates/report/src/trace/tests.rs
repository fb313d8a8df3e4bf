//! Printers of traces, on traces made by hand.

use super::*;
use crate::human::{Look, Verbosity};
use causeway_dataplane::packet::{Packet, Protocol};
use causeway_model::design::SubnetRef;
use causeway_model::source::Sources;
use causeway_trace::names::{Answer, NameVerdict, Step};
use causeway_trace::{Decision, Direction, Hop, Missing, Obstacle, Owner};
use serde_json::Value;
use std::net::IpAddr;

const TEXT: &str = "\
networks:
  spoke:
    subnets:
      nodes: {routeTable: pods}
clusters: {prod: {masquerade: {agent: ip-masq-agent-v2}}}
networkSecurityGroups:
  pods: {rules: [{name: deny-all}]}
";

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn flow(source: &str, source_port: u16, destination: &str, destination_port: u16) -> Packet {
    let (source, destination) = (ip(source), ip(destination));
    Packet { source, destination, protocol: Protocol::Tcp, source_port, destination_port }
}

fn hop(at: &str, did: &str, (by, object): (Owner, &str), before: Packet, packet: Packet) -> Hop {
    Hop { at: at.to_owned(), did: did.to_owned(), by, object: object.to_owned(), before, packet }
}

fn trace(verdict: Verdict, from: &str, to: &str, sent: Packet) -> Trace {
    Trace {
        from: from.to_owned(),
        to: to.to_owned(),
        sent: Some(sent),
        sender_node: None,
        verdict,
        source_seen: None,
        source_leaving_node: None,
        snat_by: None,
        dnat_to: None,
        governed_by_subnet: None,
        decided_by: None,
        forward: Vec::new(),
        reply: Vec::new(),
        obstacles: Vec::new(),
        missing: Vec::new(),
        notes: Vec::new(),
        resolution: None,
        resolutions: Vec::new(),
        idle_timeout_seconds: None,
        mtu: None,
        ways: Vec::new(),
    }
}

/// A pod asks a machine on-premises: its node translates, the answer comes back.
fn delivered() -> Trace {
    let sent = flow("192.168.0.25", 32768, "10.200.1.5", 443);
    let out = flow("10.0.0.5", 32768, "10.200.1.5", 443);
    let answer = flow("10.200.1.5", 443, "10.0.0.5", 32768);
    let home = flow("10.200.1.5", 443, "192.168.0.25", 32768);
    let agent = (Owner::IpMasqAgent, "clusters.prod.masquerade");
    Trace {
        sender_node: Some(ip("10.0.0.5")),
        source_seen: Some(ip("10.0.0.5")),
        source_leaving_node: Some(ip("10.0.0.5")),
        snat_by: Some(Owner::IpMasqAgent),
        governed_by_subnet: Some(SubnetRef { network: "spoke".into(), subnet: "nodes".into() }),
        decided_by: Some(Decision::new(Owner::IpMasqAgent, "clusters.prod.masquerade", "10.200.1.5 is not exempt")),
        forward: vec![
            hop("pod/payments/app", "sends", (Owner::None, ""), sent, sent),
            hop("node/n1", "masquerades what is not exempt", agent, sent, out),
            hop(
                "subnet spoke/nodes",
                "routes to the gateway",
                (Owner::SystemRoute, "networks.spoke.subnets.nodes"),
                out,
                out,
            ),
            hop("host/erp", "takes it", (Owner::None, "hosts.erp"), out, out),
        ],
        reply: vec![
            hop("host/erp", "answers", (Owner::None, ""), answer, answer),
            hop("node/n1", "undoes its masquerading", agent, answer, home),
            hop("pod/payments/app", "takes the answer", (Owner::None, ""), home, home),
        ],
        notes: vec!["the gateway passes everything on: no filter of the site is described".to_owned()],
        idle_timeout_seconds: Some(240),
        mtu: Some(1500),
        ..trace(Verdict::Delivered, "pod/payments/app", "host/erp:443", sent)
    }
}

/// Two things in the way there, one back.
fn dropped() -> Trace {
    let sent = flow("fd00:1::25", 32768, "fd00:2::5", 443);
    let deny = Decision::new(Owner::Nsg, "networkSecurityGroups.pods.rules.0", "nothing may leave the subnet")
        .rule("deny-all");
    let lost = Decision::new(Owner::RemoteRouter, "networks.corp.knows", "the site has no route to fd00:1::/64");
    let obstacle = |direction, verdict, decision: &Decision, fix: &str, firm| Obstacle {
        direction,
        verdict,
        decision: decision.clone(),
        fix: fix.to_owned(),
        firm,
        met: 0,
    };
    Trace {
        decided_by: Some(deny.clone()),
        source_leaving_node: Some(sent.source),
        snat_by: Some(Owner::None),
        forward: vec![
            hop("pod/payments/app", "sends", (Owner::None, ""), sent, sent),
            hop(
                "subnet spoke/pods",
                "stopped by `deny-all`",
                (Owner::Nsg, "networkSecurityGroups.pods.rules.0"),
                sent,
                sent,
            ),
        ],
        obstacles: vec![
            obstacle(
                Direction::Forward,
                Verdict::Dropped,
                &deny,
                "allow port 443 to fd00:2::5 with a priority below 100",
                true,
            ),
            obstacle(Direction::Reply, Verdict::ReplyLost, &lost, "announce fd00:1::/64 to the site", false),
        ],
        missing: vec![Missing::new(
            "the routes node `n1` has",
            "az network nic show-effective-route-table -g GROUP -n NIC -o json",
        )],
        ..trace(Verdict::Dropped, "pod/payments/app", "[fd00:2::5]:443", sent)
    }
}

const NASTY: &str = "a<b>&\"c\"; end %% #35; \u{1b}[31m \u{202e}ü\u{1F600} | `x` {{y}} \n--> z";

/// Names nobody should choose, and one that is longer than any box.
fn nasty() -> Trace {
    let packet = Packet { protocol: Protocol::Icmp, ..flow("10.0.0.4", 32768, "10.0.0.5", 0) };
    let decision = Decision::new(Owner::Udr, NASTY, NASTY).rule(NASTY);
    let way = trace(Verdict::Dropped, NASTY, NASTY, packet);
    Trace {
        decided_by: Some(decision.clone()),
        forward: vec![
            hop(NASTY, NASTY, (Owner::Udr, NASTY), packet, packet),
            hop(&"x".repeat(300), &"ü".repeat(200), (Owner::None, ""), packet, packet),
        ],
        obstacles: vec![Obstacle {
            direction: Direction::Forward,
            verdict: Verdict::ReplyLost,
            decision,
            fix: NASTY.to_owned(),
            firm: true,
            met: 0,
        }],
        missing: vec![Missing::new(NASTY, NASTY)],
        notes: vec![NASTY.to_owned()],
        ways: vec![way.clone(), way],
        ..trace(Verdict::ReplyLost, NASTY, NASTY, packet)
    }
}

fn with<T>(trace: &Trace, run: impl Fn(&Traced<'_>) -> T) -> T {
    let mut sources = Sources::default();
    let file = sources.add("design.yaml", TEXT.into());
    let mut design = Design::default();
    let mut written = |path: &str, text: &str| {
        let start = u32::try_from(TEXT.find(text).unwrap()).unwrap();
        let end = start + u32::try_from(text.len()).unwrap();
        design.places.insert(path, Span { file, start, end });
    };
    written("networks.spoke.subnets.nodes", "nodes");
    written("clusters.prod.masquerade", "masquerade");
    written("networkSecurityGroups.pods.rules.0", "{name: deny-all}");
    run(&Traced { design: &design, sources: &sources, trace })
}

fn look(verbosity: Verbosity) -> Look {
    Look { verbosity, ..Look::default() }
}

#[test]
fn people_read_a_line_a_hop() {
    let print = |trace: &Trace, verbosity| with(trace, |traced| human(traced, &look(verbosity)));
    insta::assert_snapshot!("human_delivered", print(&delivered(), Verbosity::Normal));
    insta::assert_snapshot!("human_dropped", print(&dropped(), Verbosity::Verbose));
    insta::assert_snapshot!("human_quiet", print(&dropped(), Verbosity::Quiet));
    let several = Trace { ways: vec![delivered(), dropped()], ..delivered() };
    insta::assert_snapshot!("human_ways", print(&several, Verbosity::Normal));
}

#[test]
fn lines_for_people_fit_and_steer_nothing() {
    for trace in [delivered(), dropped()] {
        let text = with(&trace, |traced| human(traced, &look(Verbosity::Verbose)));
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        assert!(text.lines().all(|line| line.trim_end() == line), "{text}");
    }
    let text = with(&nasty(), |traced| human(traced, &look(Verbosity::Verbose)));
    assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
    let colored = with(&delivered(), |traced| human(traced, &Look { color: true, ..Look::default() }));
    assert!(colored.starts_with("\u{1b}[1;32mdelivered\u{1b}[0m: pod/payments/app"), "{colored}");
}

#[test]
fn programs_read_the_contract() {
    let delivered: Value = serde_json::from_str(&with(&delivered(), json)).unwrap();
    insta::assert_snapshot!("json_delivered", with(&self::delivered(), json));
    assert_eq!(delivered["forward"][1]["packet"]["src"], "10.0.0.5");
    let dropped: Value = serde_json::from_str(&with(&dropped(), json)).unwrap();
    for field in ["sourceSeen", "dnatTo", "governedBySubnet", "idleTimeoutSeconds", "mtu"] {
        assert_eq!(dropped.get(field), Some(&Value::Null), "{field}");
    }
    assert_eq!(dropped["reply"], Value::Array(Vec::new()));
    assert_eq!(dropped["obstacles"][0]["source"]["line"], 7);
    let nasty: Value = serde_json::from_str(&with(&nasty(), json)).unwrap();
    assert_eq!(nasty["from"], NASTY);
    assert_eq!(
        nasty["forward"][0]["packet"],
        serde_json::json!({
            "src": "10.0.0.4", "dst": "10.0.0.5", "proto": "icmp", "sport": null, "dport": null,
        })
    );
    assert_eq!(nasty["ways"][1]["verdict"], "dropped");
}

#[test]
fn diagrams_hold_no_character_mermaid_would_take_for_its_own() {
    insta::assert_snapshot!("mermaid_delivered", with(&delivered(), mermaid));
    insta::assert_snapshot!("mermaid_dropped", with(&dropped(), mermaid));
    insta::assert_snapshot!("mermaid_nasty", with(&nasty(), mermaid));
    assert_eq!(
        with(&trace(Verdict::Uncertain, "a", "b", flow("10.0.0.4", 1, "10.0.0.5", 2)), mermaid).lines().count(),
        4
    );
}

/// The number of an attribute.
fn number(line: &str, key: &str) -> usize {
    line.split(&format!(" {key}=\"")).nth(1).unwrap().split('"').next().unwrap().parse().unwrap()
}

#[test]
fn pictures_are_xml_in_which_no_text_leaves_its_box() {
    insta::assert_snapshot!("svg_delivered", with(&delivered(), svg));
    for trace in [delivered(), dropped(), nasty()] {
        let picture = with(&trace, svg);
        let (mut right, mut below) = (number(picture.lines().next().unwrap(), "width"), 0);
        for line in picture.lines() {
            if line.starts_with("<rect class=\"") && line.contains(" x=") {
                right = number(line, "x") + number(line, "width");
                below = number(line, "y") + number(line, "height");
            }
            if line.starts_with("<text") && !line.contains(">the way") {
                let text = line.split_once('>').unwrap().1.trim_end_matches("</text>");
                let names = ["&amp;", "&lt;", "&gt;", "&quot;"];
                let shown = names.iter().fold(text.to_owned(), |text, name| text.replace(name, "x"));
                let columns: usize = shown.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
                assert!(number(line, "x") + columns * 76 / 10 <= right, "{line}");
                let in_box = !line.contains("class=\"faint\"");
                assert!(!in_box || number(line, "y") < below, "{line}");
            }
        }
        assert!(!picture.contains(['\u{1b}', '\u{202e}']), "{picture}");
    }
}

/// The pod asked for the site by name.
fn by_name() -> Trace {
    let answer = Answer {
        name: "erp.corp.example".to_owned(),
        verdict: NameVerdict::ResolvesPrivate,
        addresses: vec![ip("10.200.1.5")],
        aliases: vec!["erp-1.corp.example".to_owned()],
        steps: vec![Step {
            asked: "DNS of `prod`".to_owned(),
            name: "erp.corp.example".to_owned(),
            said: "asks the servers of its node".to_owned(),
            object: "clusters.prod.masquerade".to_owned(),
        }],
        queries: Vec::new(),
        missing: Vec::new(),
        notes: Vec::new(),
        public_access_disabled: None,
        authority: String::new(),
        remedy: None,
    };
    Trace { resolution: Some(answer), ..delivered() }
}

#[test]
fn what_a_name_resolves_to_is_told_by_every_printer() {
    let text = with(&by_name(), |traced| human(traced, &Look::default()));
    let lines = "\nThe name erp.corp.example: resolvesPrivate, 10.200.1.5, an alias of erp-1.corp.example\n   1  DNS of `prod`: asks";
    assert!(text.contains(lines), "{text}");
    let answer: Value = serde_json::from_str(&with(&by_name(), json)).unwrap();
    assert_eq!(answer["resolves"], "resolvesPrivate");
    assert_eq!(answer["resolution"]["steps"][0]["source"]["line"], 5);
    let words = "erp.corp.example: resolvesPrivate, 10.200.1.5";
    assert!(with(&by_name(), mermaid).contains(&format!("Note over h0: {words}\n")));
    assert!(with(&by_name(), svg).contains(&format!(">{words}</text>")));
}

#[test]
fn a_failing_flow_leads_through_the_files_it_was_written_in() {
    let expecting = |trace: &Trace, verdict| -> Value {
        serde_json::from_str(&with(trace, |traced| sarif(traced, &[verdict]))).unwrap()
    };
    let fine = expecting(&delivered(), Verdict::Delivered);
    assert_eq!(fine["runs"][0]["results"], Value::Array(Vec::new()));
    assert_eq!(expecting(&dropped(), Verdict::Dropped)["runs"][0]["results"], Value::Array(Vec::new()));
    let failing = expecting(&dropped(), Verdict::Delivered);
    let result = &failing["runs"][0]["results"][0];
    assert_eq!(result["locations"][0]["physicalLocation"]["region"]["startLine"], 7);
    let flows = result["codeFlows"][0]["threadFlows"].as_array().unwrap();
    assert_eq!(flows.len(), 1, "the way back passes nothing that was written");
    assert_eq!(flows[0]["locations"][0]["executionOrder"], 2);
    assert_eq!(
        result["relatedLocations"][0]["logicalLocations"][0]["fullyQualifiedName"],
        "networkSecurityGroups.pods.rules.0"
    );
    let unexpected = expecting(&delivered(), Verdict::Dropped);
    let flows = unexpected["runs"][0]["results"][0]["codeFlows"][0]["threadFlows"].as_array().unwrap().len();
    assert_eq!(flows, 2);
    let uncertain = Trace { verdict: Verdict::Uncertain, ..delivered() };
    assert_eq!(expecting(&uncertain, Verdict::Uncertain)["runs"][0]["results"].as_array().unwrap().len(), 1);
}
