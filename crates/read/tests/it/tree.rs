//! The promises of [`super::tree_promises`], over a fixed corpus and over pseudo-random changes to it.

use super::tree_promises::of_reading;

/// Good texts, and texts that are likely to break a reader or once broke this one.
const CORPUS: &[&str] = &[
    "",
    "a: 1\n",
    "# comment\n---\na: &x {b: 1, <<: {c: 2}}\nd: *x\ne: [*x, y, 'it''s', \"q\\t\\u00e9\\x41\\\n  z\"]\n...\n---\nb\n",
    "a: |\n  x\n   y\n\n  z\nb: >-\n\n  folded\n  text\n\n   more\nc: |2+\n   x\n\n",
    "k:\n- a\n-   - b\n    - c: d\n      e: f\n-\n? q\n: r\n",
    "networks:\n  spoke:\n    prefixes: [10.0.0.0/16, 192.168.0.0/16]\n    subnets:\n      nodes: {prefix: 10.0.0.0/24, nsg: nodes}\n",
    "{\"a\": [1, -2.5e3, true, null, \"x\\n\\u00e9\\ud83d\\ude00\"], \"b\": {\"c\": {}}}",
    "{\"a\": 1}\n{\"a\": 2}\n[[[]]]",
    "[10.0.0.0/16, corp, \"x\", {a: b}, ]",
    "kind: ConfigMap\ndata:\n  ip-masq-agent: |-\n    nonMasqueradeCIDRs:\n      - 10.0.0.0/8\n    resyncInterval: 60s\n  json: '{\"a\": [1, {\"b\": 2}]}'\n",
    "{{ .Values.x }}",
    "\u{feff}é: \"😀\"\r\nü: |\r\n  ä\r\n",
    "!!map {!!str a: !!int '1', ? !!null ~ : ! x}",
    "&a : *a",
    "- &a\n- *a\n- &b [*b]\n",
    "%YAML 1.2\n%TAG ! tag:x,2000:\n--- !y\na: b\n",
    "a: 'x\n\n  y'\nb: \"\\ud800\"\nc: \"\\q\"\n",
    "\t\ta: b\n- \t- c\n",
    "a: |\n\n\n\nb: >+\n\n",
    "? |\n  block key\n: |\n  value\n",
    "? - a\n: - b\n",
    "<<: [{a: 1}, {a: 2, b: 3}]\na: 0\n",
];

#[test]
fn promises_hold_for_the_corpus() {
    CORPUS.iter().for_each(|text| of_reading(text.as_bytes()));
}

#[test]
fn promises_hold_for_every_beginning_of_the_corpus() {
    for text in CORPUS {
        (0..text.len()).for_each(|end| of_reading(&text.as_bytes()[..end]));
    }
}

/// Bytes, runs of the corpus and pieces of syntax, put, cut and exchanged at random: the same at every run.
#[test]
fn promises_hold_for_random_changes() {
    const PIECES: &[&str] = &[
        "\n", "\n  ", "\n\n", " ", ": ", ":", "- ", "-", "# ", "[", "]", "{", "}", ",", "\"", "'", "\\", "\\u12",
        "|\n", ">\n", "|2", "&a ", "*a", "!x ", "!!str ", "? ", "<<: ", "---\n", "...", "\t", "\r\n", "\u{feff}", "é",
        "😀", "\0", "~", "0x1", "%", "a: b\n", "{a: [b, ", "\u{85}", "\u{2028}", "//", "NaN",
    ];
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..20_000 {
        let mut bytes = random.one_of(CORPUS).as_bytes().to_vec();
        for _ in 0..=random.below(4) {
            let at = random.below(bytes.len() + 1);
            match random.below(5) {
                0 => bytes.truncate(at),
                1 => drop(bytes.drain(at..(at + random.below(6)).min(bytes.len()))),
                2 => {
                    let other = random.one_of(CORPUS).as_bytes();
                    let start = random.below(other.len() + 1);
                    let end = start + random.below(other.len() - start + 1);
                    bytes.splice(at..at, other[start..end].iter().copied());
                }
                _ => drop(bytes.splice(at..at, random.one_of(PIECES).bytes())),
            }
        }
        of_reading(&bytes);
    }
}

/// xorshift64*: enough for choosing.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let wide = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(wide).unwrap_or_default() % end.max(1)
    }

    fn one_of<'c>(&mut self, choices: &[&'c str]) -> &'c str {
        choices.get(self.below(choices.len())).copied().unwrap_or_default()
    }
}
