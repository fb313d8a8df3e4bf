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
