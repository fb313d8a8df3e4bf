use super::*;
use causeway_dataplane::iptables::parse;

const SAVED: &str = r#"*nat
:POSTROUTING ACCEPT [0:0]
:IP-MASQ-AGENT - [0:0]
:KUBE-POSTROUTING - [0:0]
:SWIFT - [0:0]
:ODD - [0:0]
:LATER - [0:0]
-A POSTROUTING -j KUBE-POSTROUTING
-A POSTROUTING -j SWIFT
-A POSTROUTING -d 203.0.113.0/24 -j ODD
-A POSTROUTING -m addrtype ! --dst-type LOCAL -j IP-MASQ-AGENT
-A POSTROUTING -j LATER
-A IP-MASQ-AGENT -j MASQUERADE
-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
-A KUBE-POSTROUTING -m mark --mark 0x4000/0x4000 -j MASQUERADE --random-fully
-A SWIFT -s 10.240.0.0/16 -d 168.63.129.16/32 -p udp -m udp --dport 53 -j SNAT --to-source 10.224.0.4
-A ODD -j MASQUERADE
-A LATER -j MASQUERADE
COMMIT
"#;

#[test]
fn rules_before_ours_are_found_and_those_after_it_are_not() {
    let found = earlier(Family::V4, &parse(SAVED).unwrap(), Some("IP-MASQ-AGENT"));
    let mut shown: Vec<(&str, bool, &str)> =
        found.iter().map(|rule| (rule.owner, rule.expected, rule.words.as_str())).collect();
    shown.sort_unstable();
    assert_eq!(
        shown,
        [
            (
                "kube-proxy",
                true,
                "table `ip nat`: rule 2 of chain `KUBE-POSTROUTING`, of kube-proxy, translates packets with a mark (MASQUERADE) before ours"
            ),
            (
                "the platform's own translation",
                true,
                "table `ip nat`: rule 1 of chain `SWIFT`, of the platform's own translation, translates packets (SNAT) before ours"
            ),
            ("unknown", false, "table `ip nat`: rule 1 of chain `ODD` translates packets (MASQUERADE) before ours"),
        ]
    );
}

#[test]
fn kube_proxys_chain_of_today_is_expected_and_without_its_guard_it_is_not() {
    let expected = |guard: &str| {
        let text = format!(
            "*nat\n:POSTROUTING ACCEPT [0:0]\n:KUBE-POSTROUTING - [0:0]\n-A POSTROUTING -j KUBE-POSTROUTING\n{guard}\
             -A KUBE-POSTROUTING -j MARK --xor-mark 0x4000\n-A KUBE-POSTROUTING -j MASQUERADE --random-fully\nCOMMIT\n"
        );
        let found = earlier(Family::V4, &parse(&text).unwrap(), None);
        assert_eq!(found.len(), 1);
        found[0].expected
    };
    assert!(expected("-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN\n"));
    assert!(!expected("-A KUBE-POSTROUTING -m mark --mark 0x4000/0x4000 -j RETURN\n"));
    assert!(!expected(""));
}

#[test]
fn rules_that_turn_tracking_off_are_found() {
    let raw = "*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A PREROUTING -j CT --notrack\n-A OUTPUT -p udp -j CT --zone 1\nCOMMIT\n";
    let words: Vec<String> = untracked(Family::V6, &parse(raw).unwrap()).into_iter().map(|rule| rule.words).collect();
    let expected = "table `ip6 raw`: rule 1 of chain `PREROUTING` turns connection tracking off for every packet (CT --notrack), so that \
                    they are not translated";
    assert_eq!(words, [expected]);
}

#[test]
fn without_others_there_is_nothing_before_ours() {
    let saved = parse("*nat\n:POSTROUTING ACCEPT [0:0]\n:X - [0:0]\n-A POSTROUTING -j X\n-A X -j MASQUERADE\nCOMMIT\n")
        .unwrap();
    assert_eq!(earlier(Family::V4, &saved, Some("X")), []);
    assert_eq!(earlier(Family::V4, &saved, None).len(), 1, "without a jump of ours every rule is somebody else's");
    assert_eq!(earlier(Family::V6, &Saved::default(), None), []);
}
