//! Rows of times, and prefixes to measure with.
#![allow(dead_code, reason = "each benchmark uses its part")]

use causeway_addr::Cidr;
use causeway_dataplane::masquerade::Settings;
use causeway_model::masquerade::MasqueradeConfig;
use std::fmt::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// One row: what, its times, and the most it may take.
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) asked: Option<Duration>,
    pub(crate) times: Vec<Duration>,
}

/// The rows in the order in which they were first measured.
#[derive(Default)]
pub(crate) struct Sheet(pub(crate) Vec<Row>);

impl Sheet {
    pub(crate) fn add(&mut self, what: &str, asked: Option<Duration>, time: Duration) {
        match self.0.iter_mut().find(|row| row.what == what) {
            Some(row) => row.times.push(time),
            None => self.0.push(Row { what: what.to_owned(), asked, times: vec![time] }),
        }
    }

    pub(crate) fn print(&mut self) {
        println!("| what | median | best | asked for | of what is asked |\n|---|---|---|---|---|");
        for row in &mut self.0 {
            row.times.sort();
            let (median, best) = (row.times[row.times.len() / 2], row.times[0]);
            let asked = row.asked.map_or(String::new(), |asked| format!("under {}", shown(asked)));
            let ratio =
                row.asked.map_or(String::new(), |asked| format!("{:.2}", median.as_secs_f64() / asked.as_secs_f64()));
            println!("| {} | {} | {} | {asked} | {ratio} |", row.what, shown(median), shown(best));
        }
    }
}

pub(crate) fn shown(time: Duration) -> String {
    let micros = time.as_secs_f64() * 1e6;
    match micros {
        ..100.0 => format!("{micros:.1} us"),
        ..100_000.0 => format!("{:.2} ms", micros / 1e3),
        _ => format!("{:.0} ms", micros / 1e3),
    }
}

pub(crate) const fn micros(micros: u64) -> Option<Duration> {
    Some(Duration::from_micros(micros))
}

pub(crate) fn timed<T>(run: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let value = run();
    (start.elapsed(), value)
}

/// That many prefixes, of lengths 20, 24, 28 and 32.
pub(crate) fn settings(count: u32) -> Settings {
    of_lengths(count, &[24, 28, 32, 20])
}

/// That many prefixes of these lengths, all in 16.0.0.0/4.
pub(crate) fn of_lengths(count: u32, lengths: &[u8]) -> Settings {
    let prefix = |n: u32| {
        let length = lengths[n as usize % lengths.len()];
        Cidr::new((0x1000_0000 + n * 4096).to_be_bytes().into(), length)
    };
    let mut exempt: Vec<Cidr> = (0..count).filter_map(prefix).collect();
    exempt.sort();
    Settings { config: MasqueradeConfig { exempt, ..MasqueradeConfig::default() }, ..Settings::default() }
}

/// Gives a program its input and waits for it.
pub(crate) fn fed(program: &str, arguments: &[&str], text: &str) -> Duration {
    timed(|| {
        let mut child =
            Command::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("a peer");
        std::io::Write::write_all(&mut child.stdin.take().expect("a pipe"), text.as_bytes()).expect("write");
        assert!(child.wait().expect("wait").success(), "{program}");
    })
    .0
}

/// The chain of the original agent, through the program it uses.
pub(crate) fn chain(count: u32) -> String {
    let mut text =
        "*nat\n:IP-MASQ-AGENT - [0:0]\n-A POSTROUTING -m addrtype ! --dst-type LOCAL -j IP-MASQ-AGENT\n".to_owned();
    for prefix in settings(count).config.exempt {
        let _ = writeln!(text, "-A IP-MASQ-AGENT -d {prefix} -m comment --comment \"exempt\" -j RETURN");
    }
    text + "-A IP-MASQ-AGENT -j MASQUERADE\nCOMMIT\n"
}
