//! Whole processes on whole fleets, and what the machine could do at best: `cargo bench -p causeway`.
//!
//! Everything is measured in one run, round after round, so that a busy machine slows all of it alike. Prints Markdown.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a benchmark starts processes, looks at the clock, and stops when something is wrong"
)]

use causeway_model::source::FileId;
use causeway_read::tree::{Limits, parse};
use causeway_testkit::{Fleet, azure, design};
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 15;

/// One row of the table.
struct Row {
    what: String,
    run: Box<dyn FnMut() -> usize>,
    times: Vec<Duration>,
    /// Kilobytes.
    peak: usize,
}

impl Row {
    fn new(what: &str, run: impl FnMut() -> usize + 'static) -> Row {
        Row { what: what.to_owned(), run: Box::new(run), times: Vec::new(), peak: 0 }
    }

    /// The fastest of all rounds: what it costs when nothing else is going on.
    fn best(&self) -> f64 {
        self.times.iter().min().map_or(0.0, Duration::as_secs_f64) * 1000.0
    }

    fn median(&self) -> f64 {
        let mut times = self.times.clone();
        times.sort();
        times.get(times.len() / 2).map_or(0.0, Duration::as_secs_f64) * 1000.0
    }
}

/// The most memory a running process has held so far, in kilobytes; 0 where the system does not say.
fn peak(pid: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

/// Runs the program to its end, and answers the most memory it held.
fn program(args: &[&str], codes: &[i32]) -> usize {
    let mut child = Command::new(env!("CARGO_BIN_EXE_causeway"))
        .args(args)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let mut most = 0;
    loop {
        most = most.max(peak(child.id()));
        if let Some(status) = child.try_wait().expect("it can be waited for") {
            assert!(codes.contains(&status.code().unwrap_or(-1)), "{args:?} ended with {status}");
            return most;
        }
        std::thread::sleep(Duration::from_micros(200));
    }
}

fn check(path: &Path) -> impl FnMut() -> usize + 'static {
    let path = path.to_str().expect("the path is UTF-8").to_owned();
    move || program(&["check", &path, "--as-of", "2026-11-20"], &[0, 1])
}

fn main() {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let write = |name: &str, text: &str| -> PathBuf {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    };
    let private_pods = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/private-pods");
    let mut rows = vec![
        Row::new("process that does nothing (`--version`)", || program(&["--version"], &[0])),
        Row::new("check one design (`examples/private-pods`)", check(&private_pods)),
    ];
    for factor in [1, 10] {
        let fleet = Fleet::times(factor);
        let text = design(&fleet);
        let path = write(&format!("design-{factor}.yaml"), &text);
        rows.push(Row::new(&format!("check fleet x{factor}, design file of {} kB", text.len() / 1000), check(&path)));
        let floor = path.clone();
        rows.push(Row::new(&format!("floor: read those bytes, x{factor}"), move || {
            black_box(std::fs::read(&floor).unwrap());
            0
        }));
        rows.push(Row::new(&format!("floor: parse those bytes into a tree, x{factor}"), move || {
            black_box(parse(&text, FileId(0), &Limits::default()).unwrap());
            0
        }));
        let exports = azure(&fleet);
        let mut size = 0;
        for (name, text) in &exports {
            size += text.len();
            write(&format!("azure-{factor}/{name}"), text);
        }
        let azure = folder.path().join(format!("azure-{factor}"));
        rows.push(Row::new(&format!("check fleet x{factor}, Azure exports of {} kB", size / 1000), check(&azure)));
        rows.push(Row::new(&format!("floor: parse those bytes with serde_json, x{factor}"), move || {
            for (_, text) in &exports {
                black_box(serde_json::from_str::<serde_json::Value>(text).unwrap());
            }
            0
        }));
    }
    for _ in 0..ROUNDS {
        for row in &mut rows {
            let start = Instant::now();
            let peak = (row.run)();
            row.times.push(start.elapsed());
            row.peak = row.peak.max(peak);
        }
    }
    println!("| what | best | median | peak memory |\n|---|---|---|---|");
    for row in &rows {
        let peak = if row.peak > 0 { format!("{:.1} MB", row.peak as f64 / 1000.0) } else { String::new() };
        println!("| {} | {:.2} ms | {:.2} ms | {peak} |", row.what, row.best(), row.median());
    }
    println!();
    let best = |start: &str| rows.iter().find(|row| row.what.starts_with(start)).map_or(0.0, Row::best);
    for shape in ["design file", "Azure exports"] {
        let of = |factor: u32| best(&format!("check fleet x{factor}, {shape}"));
        println!("{shape}: ten times the fleet costs {:.1} times as much", of(10) / of(1));
    }
}
