//! Nasty texts: a fixed corpus, and random edits of well-formed ones.

use proptest::prelude::*;

use crate::promises::of_reading;

/// Well-formed and nearly well-formed texts, each nasty in its own way.
const CORPUS: &[&str] = &[
    "",
    " ",
    "/",
    "//",
    "-",
    "%",
    ".",
    ":",
    "::",
    ":::",
    "::/0",
    "::/00",
    "::/128",
    "::/129",
    "0.0.0.0/0",
    "0.0.0.0/-0",
    "0.0.0.0/+0",
    "0/0",
    "10/8",
    "10.0.0.0",
    "10.0.0.0/",
    "10.0.0.0//8",
    "10.0.0.0/8/8",
    "10.0.0.0/8.0",
    "10.0.0.0/8 ",
    "\t10.0.0.0/8",
    "10.0.0.0 /8",
    "10.0.0.0/ 8",
    "10.0.0.0/\u{2003}8",
    "10.0.0.0\u{a0}/8",
    "10.0.0.0\u{200b}/8",
    "\u{feff}10.0.0.0/8",
    "10.0.0.0/8\u{0}",
    "10.0.0.0/8\r\n10.1.0.0/16",
    "10.0.0.0/８",
    "１０.0.0.0/8",
    "10。0。0。0/8",
    "\u{202e}8/0.0.0.01",
    "10.0.0.0/008",
    "010.0.0.0/8",
    "0010.00.000.0/8",
    "0x0a.0.0.0/8",
    "012.0.0.1",
    "10.0.0.0/99999999999999999999999999999999999999999",
    "10.0.0.0/00000000000000000000000000000000000000008",
    "00000000000000000000000000000000000000000000010.0.0.0/8",
    "10.0.0.256/24",
    "10.0.0.999999999999/24",
    "10.0.0/24",
    "10.0.0.0.0/24",
    "10..0.0/24",
    ".10.0.0.0/24",
    "10.0.0.0./24",
    "167772160/8",
    "10.0.0.0/255.0.0.0",
    "10.0.0.0/255.0.255.0",
    "10.0.0.0/0.0.0.255",
    "10.0.0.7/24",
    "fd00::/8%eth0",
    "fe80::1%eth0",
    "fe80::1%/64",
    "fe80::1%25eth0/64",
    "10.0.0.1%eth0/32",
    "%eth0/64",
    "[fd00::]/8",
    "[fd00::1]:443",
    "10.0.0.1:443",
    "::ffff:10.0.0.0/104",
    "::ffff:10.0.0.0/95",
    "::ffff:10.0.0.0/999",
    "::ffff:10.0.0.0/",
    "::ffff:0a00:0000/104",
    "::FFFF:10.0.0.1",
    "::ffff:010.0.0.0/104",
    "::ffff:0:10.0.0.0/104",
    "::10.0.0.0/104",
    "64:ff9b::10.0.0.0/104",
    "0:0:0:0:0:ffff:10.0.0.0/104",
    "1:2:3:4:5:6:7:8/128",
    "1:2:3:4:5:6:7:8:9/128",
    "1::2::3/64",
    "12345::/16",
    "FD00::/8",
    "fd00:0000:0000:0000:0000:0000:0000:0000/8",
    "fd00::g/64",
    "::1.2.3/64",
    "::01.2.3.4/128",
    "10.0.0.0/8,10.1.0.0/16",
    "10.0.0.0/8;10.1.0.0/16",
    "10.0.0.0/8 10.1.0.0/16",
    "10.0.0.0,10.0.0.1",
    "10.0.0.4-10.0.0.9",
    "10.0.0.9-10.0.0.4",
    "10.0.0.0-::1",
    "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "10.0.0.0-",
    "-10.0.0.0",
    "10.0.0.0/8-10.0.0.0/8",
    "10.0.0.0/8 # the data centre",
    "10.0.0.0/8;",
    "10.0.0.0/8'",
    "`10.0.0.0/8`",
    "\"10.0.0.0/8\"",
    "VirtualNetwork",
    "*",
    "any",
    "null",
    "~",
    "0.0.0.0/0.0.0.0",
    "localhost/32",
    "example.com",
    "\u{1f30d}/8",
    "e\u{301}/8",
    "\u{1b}[31m10.0.0.0/8\u{1b}[0m",
];

#[test]
fn the_corpus() {
    for text in CORPUS {
        of_reading(text);
    }
}

#[test]
fn long_texts_are_refused_in_few_words() {
    for unit in ["0", "1", "0.", ".", ":", "::", "/", "%", "-", " ", "10.0.0.0/8,", "é", "\u{200b}"] {
        let long = unit.repeat(200_000 / unit.len());
        of_reading(&long);
        of_reading(&format!("10.0.0.0/{long}"));
        of_reading(&format!("{long}/8"));
        of_reading(&format!("fe80::1%{long}/64"));
        of_reading(&format!("10.0.0.0-{long}"));
    }
}

fn well_formed() -> impl Strategy<Value = String> {
    let v4 =
        (any::<[u8; 4]>(), 0u8..=33).prop_map(|(octets, len)| format!("{}/{len}", std::net::Ipv4Addr::from(octets)));
    let v6 = (any::<[u16; 8]>(), any::<[bool; 8]>(), 0u8..=129).prop_map(|(segments, keep, len)| {
        let mut segments = segments;
        for (segment, keep) in segments.iter_mut().zip(keep) {
            *segment = if keep { *segment } else { 0 };
        }
        format!("{}/{len}", std::net::Ipv6Addr::from(segments))
    });
    let corpus = prop::sample::select(CORPUS).prop_map(str::to_owned);
    prop_oneof![v4, v6, corpus]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn edited_texts(
        text in well_formed(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), "[0-9a-f.:/%, \\-\\PC]?", 0usize..2), 0..4),
    ) {
        let mut chars: Vec<char> = text.chars().collect();
        for (at, with, gone) in edits {
            let at = at.index(chars.len() + 1);
            let end = (at + gone).min(chars.len());
            chars.splice(at..end, with.chars());
        }
        of_reading(&chars.into_iter().collect::<String>());
    }

    #[test]
    fn any_text(text in any::<String>()) {
        of_reading(&text);
    }
}
