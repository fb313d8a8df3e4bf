//! nft and iptables as oracles: what we write they print, what they write we read.

use crate::Test;
use crate::fixture::{creation, everything, table};
use causeway_dataplane::nftables::objects::{Expression, VerdictObject};
use causeway_dataplane::ruleset::{ChainKind, Hook, TableFamily, TableId};
use causeway_linux::nftables::Connection;
use causeway_testkit::oracle::Oracle;
use causeway_testkit::trial::CannotProve;

pub(crate) const TESTS: &[Test] = &[
    ("nft::nft_prints_what_we_wrote", nft_prints),
    ("nft::nfts_listing_as_JSON_has_our_keys", nft_json),
    ("nft::nft_loads_its_own_listing_of_ours_and_we_read_the_same", nft_round_trip),
    ("nft::rules_of_iptables-nft_are_recognised", iptables_rules),
];

fn nft_prints() -> Result<(), CannotProve> {
    let mut connection = Connection::open().expect("open");
    connection.apply(&creation(&table(), &everything(TableFamily::Ip)), None).expect("apply");
    // Some versions of nft write an equals sign before a set's name.
    let printed = Oracle::find("nft")?.ask(&["list table ip causeway-test"]).replace(" == @", " @");
    let long = "x".repeat(127);
    let expected = format!(
        r#"table ip causeway-test {{
	counter exempt {{
		packets 0 bytes 0
	}}

	counter translated {{
		packets 0 bytes 0
	}}

	set exempt-31 {{
		type ipv4_addr
		size 64
		elements = {{ 0.0.0.0, 254.254.254.254 }}
	}}

	set grows {{
		type ipv4_addr
	}}

	set twice {{
		type ipv4_addr . ipv4_addr
		elements = {{ 7.7.7.7 . 7.7.7.7 }}
	}}

	map ways {{
		type inet_proto . inet_service : verdict
		size 64
		elements = {{ tcp . 80 : goto to-00000007 }}
	}}

	chain again {{
		masquerade
	}}

	chain count {{
		type filter hook postrouting priority -110; policy drop;
		ct status snat ct direction original counter packets 0 bytes 0
		udp dport 53 ct original packets != 0 accept
		ct original ip saddr . ct reply ip saddr @twice accept comment "a pod to itself"
		ct protocol . ct reply proto-src vmap @ways comment "by port"
		drop comment "the end"
	}}

	chain postrouting {{
		type nat hook postrouting priority srcnat + 1; policy accept;
		fib daddr type local return comment "{long}"
		jump again
		goto translate
	}}

	chain to-00000007 {{
	}}

	chain translate {{
		ip daddr & 254.254.254.254 @exempt-31 counter name "exempt" return comment "destinations that keep the pod's address"
		ip daddr != @exempt-31 counter name "translated"
		masquerade fully-random comment "fully random"
	}}
}}
"#
    );
    assert_eq!(printed, expected, "nft prints:\n{printed}");
    Ok(())
}

fn nft_json() -> Result<(), CannotProve> {
    let mut connection = Connection::open().expect("open");
    connection
        .apply(&creation(&TableId { family: TableFamily::Ip6, ..table() }, &everything(TableFamily::Ip6)), None)
        .expect("apply");
    let printed = Oracle::find("nft")?.ask(&["-j", "list set ip6 causeway-test exempt-31"]);
    assert!(printed.contains(r#""type": "ipv6_addr""#), "{printed}");
    assert!(printed.contains(r#""elem": ["::", "fefe:fefe:fefe:fefe:fefe:fefe:fefe:fefe"]"#), "{printed}");
    Ok(())
}

fn nft_round_trip() -> Result<(), CannotProve> {
    let mut connection = Connection::open().expect("open");
    for family in [TableFamily::Ip, TableFamily::Ip6] {
        let id = TableId { family, ..table() };
        connection.apply(&creation(&id, &everything(family)), None).expect("apply");
        let ours = connection.read_table(&id).expect("read").expect("table").objects;
        let listing = Oracle::find("nft")?.ask(&["-s", &format!("list table {id}")]);
        // Ports of a direction beside something else it prints, but has no grammar for.
        let listing: String =
            listing.lines().filter(|line| !line.contains("by port")).flat_map(|line| [line, "\n"]).collect();
        Oracle::find("nft")?.ask(&[&format!("delete table {id}")]);
        Oracle::find("nft")?.ask(&[&listing]);
        let theirs = connection.read_table(&id).expect("read").expect("table").objects;
        assert_eq!(theirs.sets, ours.sets, "{id}");
        assert_eq!(theirs.counters, ours.counters, "{id}");
        for chain in ["again", "postrouting", "translate"] {
            let registers_aside = |chain: &str, objects: &causeway_dataplane::nftables::objects::TableObjects| {
                format!("{:?}", objects.chains[chain]).replace("Register(4)", "Register(0)")
            };
            assert_eq!(registers_aside(chain, &theirs), registers_aside(chain, &ours), "{id} {chain}");
        }
    }
    Ok(())
}

fn iptables_rules() -> Result<(), CannotProve> {
    let restore = "*nat\n:IP-MASQ-AGENT - [0:0]\n\
        -A POSTROUTING -m comment --comment \"ip-masq-agent: a jump\" -m addrtype ! --dst-type LOCAL -j IP-MASQ-AGENT\n\
        -A IP-MASQ-AGENT -d 10.0.0.0/8 -m comment --comment \"local\" -j RETURN\n\
        -A IP-MASQ-AGENT -j MASQUERADE\nCOMMIT\n";
    let directory = std::env::temp_dir().join(format!("causeway-iptables-{}", std::process::id()));
    std::fs::write(&directory, restore).expect("write");
    Oracle::find("iptables-nft-restore")?.ask(&["--noflush", directory.to_str().expect("path")]);
    std::fs::remove_file(&directory).expect("remove");

    let mut connection = Connection::open().expect("open");
    let nat: Vec<_> = connection
        .base_chains()
        .expect("chains")
        .into_iter()
        .filter(|chain| chain.base.kind == ChainKind::Nat && chain.base.hook == Hook::Postrouting)
        .collect();
    assert_eq!(nat.len(), 1);
    assert_eq!(
        (nat[0].table.to_string().as_str(), nat[0].name.as_str(), nat[0].base.priority),
        ("ip nat", "POSTROUTING", 100)
    );
    let table = connection.read_table(&nat[0].table).expect("read").expect("table");
    let chains = &table.objects.chains;
    let jump = &chains["POSTROUTING"].rules[0];
    assert_eq!(jump.expressions.last(), Some(&Expression::Verdict(VerdictObject::Jump("IP-MASQ-AGENT".into()))));
    let extensions: Vec<&str> = jump
        .expressions
        .iter()
        .filter_map(|expression| match expression {
            Expression::Other { name, extension, .. } if name == "match" => Some(extension.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(extensions, ["comment", "addrtype"], "{jump:?}");
    let agent = &chains["IP-MASQ-AGENT"].rules;
    assert_eq!(agent.len(), 2);
    assert!(matches!(agent[0].expressions.last(), Some(Expression::Verdict(VerdictObject::Return))), "{:?}", agent[0]);
    assert!(
        matches!(agent[1].expressions.last(), Some(Expression::Other { name, extension, .. }) if name == "target" && extension == "MASQUERADE"),
        "{:?}",
        agent[1]
    );
    Ok(())
}
