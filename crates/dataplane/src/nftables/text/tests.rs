use super::*;
use crate::masquerade::{self, Settings};
use crate::nftables::{Growth, Limits, lower, plan};
use causeway_addr::Cidr;
use causeway_model::masquerade::MasqueradeConfig;

fn lowered() -> BTreeMap<TableId, TableObjects> {
    let exempt: Vec<Cidr> = ["10.0.0.0/8", "192.0.2.7/32"].map(|text| text.parse().unwrap()).to_vec();
    let config = MasqueradeConfig { exempt, ..MasqueradeConfig::default() };
    let sources = vec!["10.244.0.0/16".parse().unwrap()];
    lower(&masquerade::compile(&Settings { config, sources, random_fully: true }), Growth::Declared)
}

#[test]
fn tables_read_as_nft_lists_them() {
    let wanted = r#"table ip causeway-masquerade {
	counter exempt {
		packets 0 bytes 0
	}

	counter translated {
		packets 0 bytes 0
	}

	counter translated-packets {
		packets 0 bytes 0
	}

	set exempt-16 {
		type ipv4_addr
		size 64
		elements = { 169.254.0.0 }
	}

	set exempt-32 {
		type ipv4_addr
		size 64
		elements = { 192.0.2.7 }
	}

	set exempt-8 {
		type ipv4_addr
		size 64
		elements = { 10.0.0.0 }
	}

	set sources-16 {
		type ipv4_addr
		size 64
		elements = { 10.244.0.0 }
	}

	chain count {
		type filter hook postrouting priority srcnat + 10; policy accept;
		ct status snat ct direction original counter name "translated-packets" comment "packets whose source was translated, by whomever"
	}

	chain postrouting {
		type nat hook postrouting priority srcnat + 1; policy accept;
		fib daddr type local return comment "destination is this machine"
		ip saddr & 255.255.0.0 == @sources-16 goto translate comment "sources that are translated"
	}

	chain translate {
		ip daddr & 255.0.0.0 == @exempt-8 counter name "exempt" return comment "destination is exempt"
		ip daddr & 255.255.0.0 == @exempt-16 counter name "exempt" return comment "destination is exempt"
		ip daddr @exempt-32 counter name "exempt" return comment "destination is exempt"
		counter name "translated" masquerade fully-random comment "everything else leaves with the address of the node"
	}
}
"#;
    assert_eq!(tables(&lowered()), wanted);
}

#[test]
fn a_plan_reads_as_commands() {
    let first = plan(&lowered(), &BTreeMap::new(), &Limits::default());
    let text = commands(&first.batches[0]);
    for line in [
        "add table ip causeway-masquerade",
        "add counter ip causeway-masquerade translated",
        "add set ip causeway-masquerade exempt-8 { type ipv4_addr; size 64; }",
        "add element ip causeway-masquerade exempt-8 { 10.0.0.0 }",
        "add chain ip causeway-masquerade postrouting { type nat hook postrouting priority srcnat + 1; policy accept; }",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
    }
}

#[test]
fn maps_and_connections_read_as_nft_lists_them() {
    use crate::ruleset::{
        Ask, BaseChain, Chain, Match, Part, Rule, Ruleset, Set, Table, TableFamily, Tuples, Value, Verdict,
    };
    let leading = |key: &[Value], chain: u32| [Tuples::key(key), chain.to_be_bytes().to_vec()].concat();
    let mut pods = Tuples::new(vec![Part::Address(causeway_addr::Family::V4)], true);
    pods.entries.insert(&leading(&[Value::Address([10, 2, 0, 9].into())], 7));
    let mut ports = Tuples::new(vec![Part::Protocol, Part::Port], false);
    ports.entries.insert(&Tuples::key(&[Value::Protocol(6), Value::Port(80)]));
    ports.entries.insert(&Tuples::key(&[Value::Protocol(132), Value::Port(443)]));
    let rule = |matches, verdict| Rule {
        matches,
        counter: None,
        sample: None,
        verdict: Some(verdict),
        comment: String::new(),
    };
    let has = Match::Tuple { of: vec![Ask::Protocol, Ask::Port], set: "ports".into() };
    let base = BaseChain { kind: ChainKind::Filter, hook: Hook::Forward, priority: 0, policy: Policy::Accept };
    let forward = vec![
        rule(vec![Match::BeginsWithoutSyn], Verdict::Drop),
        rule(Vec::new(), Verdict::Lead { of: vec![Ask::Beginner(24)], map: "pods".into() }),
        rule(vec![has], Verdict::Accept),
    ];
    let chains = [("forward", Some(base), forward), ("to-00000007", None, Vec::new())];
    let table = Table {
        sets: [("pods".to_owned(), Set::Tuples(pods)), ("ports".to_owned(), Set::Tuples(ports))].into(),
        chains: chains.map(|(name, base, rules)| (name.to_owned(), Chain { base, rules })).into(),
        ..Table::default()
    };
    let id = TableId { family: TableFamily::Ip, name: "t".to_owned() };
    let lowered = lower(&Ruleset { tables: [(id, table)].into() }, Growth::ByItself);
    let wanted = r#"table ip t {
	map pods {
		type ipv4_addr : verdict
		elements = { 10.2.0.9 : goto to-00000007 }
	}

	set ports {
		type inet_proto . inet_service
		elements = { tcp . 80, sctp . 443 }
	}

	chain forward {
		type filter hook forward priority filter; policy accept;
		meta l4proto tcp ct state new tcp flags & syn == 0x0 drop
		ct original ip saddr & 255.255.255.0 vmap @pods
		ct protocol . ct reply proto-src @ports accept
	}

	chain to-00000007 {
	}
}
"#;
    assert_eq!(tables(&lowered), wanted);
    let ops = &plan(&lowered, &BTreeMap::new(), &Limits::default()).batches[0];
    let said = commands(ops);
    assert!(said.contains("add map ip t pods { type ipv4_addr : verdict; }"), "{said}");
    assert!(said.contains("add element ip t pods { 10.2.0.9 : goto to-00000007 }"), "{said}");
    let at = |words: &str| said.find(words).unwrap();
    assert!(
        at("add chain ip t to-00000007") < at("add element ip t pods"),
        "a chain is there before keys lead to it: {said}"
    );
}
