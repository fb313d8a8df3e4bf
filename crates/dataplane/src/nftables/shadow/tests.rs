use super::*;
use crate::nftables::fixtures::*;
use crate::nftables::objects::{Register, TableObjects};
use crate::nftables::simulate::Kernel;
use crate::ruleset::Policy;

#[test]
fn rules_that_come_first_are_named() {
    let mut kernel = Kernel::default();
    kernel.install(nat(), node());
    let late = objects(vec![("late", base(102), vec![rule(vec![Expression::Masquerade { flags: 0 }])])]);
    kernel.install(TableId { family: TableFamily::Inet, name: "late".into() }, late);
    let six = objects(vec![("six", base(0), vec![rule(vec![Expression::Masquerade { flags: 0 }])])]);
    kernel.install(TableId { family: TableFamily::Ip6, name: "six".into() }, six);
    let snat = Expression::Other { name: "nat".into(), extension: String::new(), data: Vec::new() };
    let lookup = Expression::Other { name: "lookup".into(), extension: String::new(), data: attribute_of(3, &[0; 4]) };
    let mapped =
        objects(vec![("early", base(-5), vec![rule(vec![lookup])]), ("perhaps", None, vec![rule(vec![snat])])]);
    kernel.install(TableId { family: TableFamily::Inet, name: "mapped".into() }, mapped);
    assert_eq!(
        words(&kernel),
        [
            "table `inet mapped`: rule 1 of chain `perhaps` translates packets (snat) before ours, from chain `early` at priority -5",
            "table `ip nat`: rule 1 of chain `IP-MASQ-AGENT`, of ip-masq-agent, translates every packet (MASQUERADE) before ours, \
             from chain `POSTROUTING` at priority 100",
            "table `ip nat`: rule 1 of chain `KUBE-POSTROUTING`, of kube-proxy, translates packets (MASQUERADE) before ours, \
             from chain `POSTROUTING` at priority 100",
            "table `inet late`: rule 1 of chain `late` translates every packet (masquerade) that ours let go, from chain `late` at priority \
             102",
        ]
    );
}

fn words(kernel: &Kernel) -> Vec<String> {
    shadows(Family::V4, kernel.observed()).iter().map(ToString::to_string).collect()
}

fn attribute_of(kind: u16, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 4).unwrap();
    let mut bytes = [length.to_ne_bytes(), kind.to_ne_bytes()].concat();
    bytes.extend(payload);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// `-m mark [!] --mark 0x4000/0x4000` as nft_compat has it.
fn marked(inverted: bool) -> Expression {
    let mark = 0x4000_u32.to_ne_bytes();
    let information = [&mark[..], &mark, &[u8::from(inverted), 0, 0, 0]].concat();
    let data =
        [attribute_of(1, b"mark\0"), attribute_of(2, &1_u32.to_be_bytes()), attribute_of(3, &information)].concat();
    Expression::Other { name: "match".into(), extension: "mark".into(), data }
}

fn let_go() -> Expression {
    Expression::Verdict(VerdictObject::Return)
}

/// Which packets the one rule of KUBE-POSTROUTING that translates takes.
fn taken_by(before: Vec<Expression>) -> Takes {
    let rules = vec![rule(before), rule(vec![extension("target", "MARK")]), masquerade_target()];
    let table =
        objects(vec![("POSTROUTING", base(100), vec![jump("KUBE-POSTROUTING")]), ("KUBE-POSTROUTING", None, rules)]);
    let mut kernel = Kernel::default();
    kernel.install(nat(), table);
    let found = shadows(Family::V4, kernel.observed());
    assert_eq!((found.len(), found[0].rule, found[0].owner), (1, 2, Some("kube-proxy")));
    found[0].takes
}

#[test]
fn kube_proxys_chain_takes_what_is_marked_and_one_without_its_guard_takes_everything() {
    assert_eq!(taken_by(vec![marked(true), Expression::Counter, let_go()]), Takes::Marked);
    // Marked packets return, and all others are translated.
    assert_eq!(taken_by(vec![marked(false), let_go()]), Takes::Everything);
    assert_eq!(taken_by(vec![]), Takes::Everything);
    assert_eq!(taken_by(vec![extension("match", "addrtype"), let_go()]), Takes::Everything);
    // In nftables' own words: mark & 0x4000 == 0, or != 0x4000.
    let native = |equal, value: u32| {
        let mask = 0x4000_u32.to_ne_bytes().to_vec();
        vec![
            Expression::Meta { key: 3, to: Register(0) },
            Expression::Bitwise { from: Register(0), to: Register(0), mask, xor: vec![0; 4] },
            Expression::Compare { register: Register(0), equal, value: value.to_ne_bytes().to_vec() },
            let_go(),
        ]
    };
    assert_eq!([native(true, 0), native(false, 0x4000)].map(taken_by), [Takes::Marked; 2]);
    assert_eq!([native(false, 0), native(true, 0x4000)].map(taken_by), [Takes::Everything; 2]);
}

#[test]
fn what_turns_connection_tracking_off_is_named_where_it_does() {
    let hooked = |hook, priority| Some(BaseChain { kind: ChainKind::Filter, hook, priority, policy: Policy::Accept });
    let other = |name: &str, data| Expression::Other { name: name.into(), extension: String::new(), data };
    let ct = |flags: u16| Expression::Other {
        name: "target".into(),
        extension: "CT".into(),
        data: attribute_of(3, &[&flags.to_ne_bytes()[..], &[0; 6]].concat()),
    };
    let mut local_dns = rule(vec![extension("match", "udp"), ct(1)]);
    local_dns.comment = "NodeLocal DNS Cache: skip conntrack".into();
    let rules = || vec![rule(vec![other("notrack", Vec::new())])];
    let table = objects(vec![
        ("raw", hooked(Hook::Prerouting, -300), vec![rule(vec![ct(0)]), rule(vec![ct(1)])]),
        ("out", hooked(Hook::Output, -300), vec![local_dns]),
        // After connection tracking, or where nothing is tracked anyway: nothing comes of it.
        ("late", hooked(Hook::Prerouting, -150), rules()),
        ("elsewhere", hooked(Hook::Forward, -300), rules()),
        ("unreached", None, rules()),
    ]);
    let mut kernel = Kernel::default();
    kernel.install(TableId { family: TableFamily::Ip, name: "raw".into() }, table);
    assert_eq!(
        words(&kernel),
        [
            "table `ip raw`: rule 1 of chain `out` (`NodeLocal DNS Cache: skip conntrack`), of NodeLocal DNSCache, turns connection \
             tracking off for packets (CT --notrack), so that they are not translated, from chain `out` at priority -300",
            "table `ip raw`: rule 2 of chain `raw` turns connection tracking off for every packet (CT --notrack), so that they are not \
             translated, from chain `raw` at priority -300",
        ]
    );
}

#[test]
fn a_table_that_is_dormant_takes_nothing() {
    let mut kernel = Kernel::default();
    kernel.install(nat(), TableObjects { flags: 1, ..node() });
    assert!(words(&kernel).is_empty());
}
