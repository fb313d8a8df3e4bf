//! The promises of [`super::masquerade_promises`], over a fixed corpus, its halves, and all pairs of it.

use super::masquerade_promises::{of_arguments, of_reading};

const CORPUS: &[&[u8]] = &[
    b"",
    b"{",
    b"{}",
    b"[]",
    b"null",
    b"- a\n- b\n",
    b"nonMasqueradeCIDRs: [10.0.0.0/8]\nmasqLinkLocal: true\n",
    b"NonMasqueradeCIDRs:\n  - 192.168.0.0/16\nMasqLinkLocal: true\nmasqLinkLocalIPv6: yes\n",
    b"nonMasqueradeCIDRs:\n-\n- \"\"\n- ~\n- 10.0.0.0/016\n- 10.0.0.0/08\n- ::ffff:10.0.0.0/104\n- fd00::/8\n",
    b"nonMasqueradeCIDRs: [1, true, [a], {b: c}, 0.5, .nan]\n",
    b"nonMasqueradeCIDRs: &a [10.0.0.0/8]\nother: *a\n<<: {masqLinkLocal: true}\n",
    b"nonMasqueradeCIDRs: [10.0.0.0/8]\n---\nsecond: [\n",
    b"nonMasqueradeCIDRs: [::/0]\n",
    b"nonMasqueradeCIDRs: |\n  10.0.0.0/8\n",
    b"resyncInterval: 60\ncidrLimit: -1\n",
    b"cidrLimit: 99999999999999999999\nresyncInterval: 1.5h\n",
    b"{\"nonMasqueradeCIDRs\": [\"10.0.0.0/8\", null], \"masqLinkLocal\": \"yes\"}",
    b"{\"nonMasqueradeCIDRs\": [\"10.0.0.0/8\"]} trailing",
    b"{\"a\": \"\\ud800\", \"A\": \"\\uZZZZ\"}",
    b"{nonMasqueradeCIDRs: [10.0.0.0/8]}",
    b"\xef\xbb\xbfnonMasqueradeCIDRs: [10.0.0.0/8]\n",
    b"\xff\xfea\0:\0 \0b\0",
    b"\xfe\xff\0a\0:",
    b"a: \xff\xfe\n",
    b"\x00\x01\x02",
    b"%YAML 1.2\n---\na: 1\n",
    b"? [complex]\n: key\n",
    b"a: &x [*x]\n",
    b"!!binary MTAuMC4wLjAvOA==: !!int \"5\"\n",
    "nonMasqueradeCIDRs: [\"１０.0.0.0/8\", é]\nmaſqLin\u{212a}Local: true\n".as_bytes(),
    "\u{a0}{\u{85}".as_bytes(),
    b"a:\n\t- b\n",
    b"a: 'never closed\n",
    b"*",
    b"a: b: c",
];

#[test]
fn the_corpus_keeps_the_promises() {
    for first in CORPUS {
        for second in CORPUS {
            of_reading(first, second, true);
        }
        for end in 0..first.len() {
            of_reading(&first[..end], b"", false);
            of_reading(&first[end..], b"", true);
        }
    }
}

#[test]
fn deep_and_repeated_texts_keep_the_promises() {
    for text in
        ["[".repeat(20_000), "{\"a\":".repeat(20_000), "- ".repeat(5_000), "a: &x\n".repeat(500), "? ".repeat(3_000)]
    {
        of_reading(text.as_bytes(), b"", false);
        of_reading(format!("{{\"a\": {text}").as_bytes(), b"", false);
    }
}

#[test]
fn arguments_keep_the_promises() {
    for arguments in [
        &["--v"] as &[&str],
        &["-"],
        &["--"],
        &["---"],
        &["-=1"],
        &["--v=2", "--", "x"],
        &["--resync-interval", "-5"],
        &["-masq-chain="],
        &["--enable-ipv6=\u{0}"],
        &["é"],
    ] {
        of_arguments(arguments);
    }
}
