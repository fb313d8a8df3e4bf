//! Whole processes on whole fleets, and what the machine could do at best: `cargo bench -p causeway`.
//!
//! Everything is measured in one run, round after round, so that a busy machine slows all of it alike. Every row is a process of its
//! own, the floors too (this program started again), and the system says what each took: its time and the most memory it held. The
//! process that measures stays small, because what it holds when it starts another counts as that one's. Prints Markdown.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark starts processes, looks at the clock, prints, and stops when something is wrong"
)]

use causeway_model::source::FileId;
use causeway_read::tree::{Limits, parse};
use causeway_testkit::{Fleet, azure, design};
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use wait4::Wait4;

const ROUNDS: usize = 12;

/// What is repeated within a round, so that short runs are seen undisturbed as often as long ones.
const REPEATS_OF_SHORT: usize = 3;

/// What one process took.
struct Cost {
    wall: Duration,
    /// In user mode and in the system.
    cpu: Duration,
    /// The most memory it held, in bytes.
    peak: u64,
}

/// One row of the table.
struct Row {
    what: String,
    program: PathBuf,
    args: Vec<String>,
    repeats: usize,
    costs: Vec<Cost>,
}

impl Row {
    fn new(what: &str, program: &Path, args: &[&str]) -> Row {
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        Row { what: what.to_owned(), program: program.to_owned(), args, repeats: 1, costs: Vec::new() }
    }

    fn short(self) -> Row {
        Row { repeats: REPEATS_OF_SHORT, ..self }
    }

    fn run(&mut self) {
        let start = Instant::now();
        let mut command = Command::new(&self.program);
        command.args(&self.args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let used = command.spawn().expect("the program starts").wait4().expect("it can be waited for");
        let wall = start.elapsed();
        // Findings are no failure here.
        assert!(matches!(used.status.code(), Some(0 | 1)), "{:?} ended with {}", self.args, used.status);
        self.costs.push(Cost { wall, cpu: used.rusage.utime + used.rusage.stime, peak: used.rusage.maxrss });
    }

    /// The fastest of all rounds, in milliseconds: what it costs when nothing else is going on.
    fn best(&self) -> f64 {
        milliseconds(self.costs.iter().map(|cost| cost.wall).min())
    }

    fn median(&self) -> f64 {
        let mut times: Vec<Duration> = self.costs.iter().map(|cost| cost.wall).collect();
        times.sort();
        milliseconds(times.get(times.len() / 2).copied())
    }

    /// The least processor time, in milliseconds.
    fn cpu(&self) -> f64 {
        milliseconds(self.costs.iter().map(|cost| cost.cpu).min())
    }

    /// In megabytes.
    fn peak(&self) -> f64 {
        self.costs.iter().map(|cost| cost.peak).max().unwrap_or_default() as f64 / 1e6
    }
}

fn milliseconds(time: Option<Duration>) -> f64 {
    time.unwrap_or_default().as_secs_f64() * 1000.0
}

/// The parts of the work that this program does when it starts itself: making the inputs, and the floors.
fn part(args: &[String]) -> bool {
    let (Some(what), files) = (args.first(), args.get(1..).unwrap_or_default()) else { return false };
    let text = |file: &String| std::fs::read_to_string(file).unwrap();
    match what.as_str() {
        "make" => {
            for factor in [1, 10] {
                let folder = Path::new(files.first().unwrap()).join(format!("x{factor}"));
                let fleet = Fleet::times(factor);
                std::fs::create_dir_all(folder.join("azure")).unwrap();
                std::fs::write(folder.join("design.yaml"), design(&fleet)).unwrap();
                for (name, text) in azure(&fleet) {
                    std::fs::write(folder.join("azure").join(name), text).unwrap();
                }
            }
        }
        "tree" => files.iter().for_each(|file| {
            black_box(parse(&text(file), FileId(0), &Limits::default()).unwrap());
        }),
        "serde" => files.iter().for_each(|file| {
            black_box(serde_json::from_str::<serde_json::Value>(&text(file)).unwrap());
        }),
        _ => return false,
    }
    true
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if part(&args) {
        return;
    }
    let own = std::env::current_exe().expect("this program has a path");
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let folder = folder.path().to_str().expect("its path is UTF-8");
    assert!(Command::new(&own).args(["make", folder]).status().expect("this program starts").success());

    let causeway = Path::new(env!("CARGO_BIN_EXE_causeway"));
    let private_pods = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/private-pods");
    let check = |what: &str, path: &str| Row::new(what, causeway, &["check", path, "--as-of", "2026-11-20"]);
    let mut rows = vec![
        Row::new("process that does nothing (`--version`)", causeway, &["--version"]).short(),
        check("check one design (`examples/private-pods`)", private_pods).short(),
    ];
    for factor in [1, 10] {
        let design = format!("{folder}/x{factor}/design.yaml");
        let azure = format!("{folder}/x{factor}/azure");
        let exports: Vec<String> = std::fs::read_dir(&azure)
            .unwrap()
            .map(|entry| entry.unwrap().path().to_str().unwrap().to_owned())
            .collect();
        let kilobytes = |files: &[String]| files.iter().map(|file| size(file)).sum::<u64>() / 1000;
        let floor = |part: &'static str, files: &[String]| {
            let args: Vec<&str> = std::iter::once(part).chain(files.iter().map(String::as_str)).collect();
            let what = if part == "tree" { "parse into a tree" } else { "parse with serde_json" };
            Row::new(&format!("floor x{factor}: {what}, {} kB", kilobytes(files)), &own, &args)
        };
        let designs = [design.clone()];
        let mut of_factor = vec![
            check(&format!("check x{factor}: design file, {} kB", kilobytes(&designs)), &design),
            floor("tree", &designs),
            check(&format!("check x{factor}: Azure exports, {} kB", kilobytes(&exports)), &azure),
            floor("tree", &exports),
            floor("serde", &exports),
        ];
        if factor == 1 {
            of_factor = of_factor.into_iter().map(Row::short).collect();
        }
        rows.extend(of_factor);
    }
    for _ in 0..ROUNDS {
        for row in &mut rows {
            for _ in 0..row.repeats {
                row.run();
            }
        }
    }
    print(&rows);
}

fn size(file: &str) -> u64 {
    std::fs::metadata(file).unwrap().len()
}

fn print(rows: &[Row]) {
    println!("| what | best | median | processor | peak memory |\n|---|---|---|---|---|");
    for row in rows {
        let (best, median, cpu, peak) = (row.best(), row.median(), row.cpu(), row.peak());
        println!("| {} | {best:.1} ms | {median:.1} ms | {cpu:.1} ms | {peak:.1} MB |", row.what);
    }
    println!("\n| ratio | design file | Azure exports |\n|---|---|---|");
    // In the order they were made: after the first two, five of each factor.
    let best = |at: usize| rows.get(at).map_or(f64::NAN, Row::best);
    let (one, ten) = (2, 7);
    let ratio = |what: &str, design: f64, azure: f64| println!("| {what} | {design:.1} | {azure:.1} |");
    ratio("ten fleets : one fleet", best(ten) / best(one), best(ten + 2) / best(one + 2));
    ratio("ten fleets : one fleet, parsing alone", best(ten + 1) / best(one + 1), best(ten + 3) / best(one + 3));
    ratio("one fleet : parsing the same bytes into a tree", best(one) / best(one + 1), best(one + 2) / best(one + 3));
    ratio("ten fleets : parsing the same bytes into a tree", best(ten) / best(ten + 1), best(ten + 2) / best(ten + 3));
    println!("| ten fleets : parsing the same bytes with serde_json | | {:.1} |", best(ten + 2) / best(ten + 4));
}
