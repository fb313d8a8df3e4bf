//! A test target without the standard harness, for tests that change the process before any thread starts.
//!
//! It prints and takes arguments as the standard one does, so `cargo test NAME` and nextest work. Tests run one after the other.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Instant;

/// One test.
pub struct Trial {
    /// Its name: `module::what_holds`.
    pub name: String,
    /// What it does; it fails by panicking. Ok = it holds; an error = it can't be proved here, and why.
    pub run: Box<dyn Fn() -> Result<(), CannotProve>>,
}

/// Why a test can't be carried out on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CannotProve(pub String);

impl Trial {
    /// A test that can always be carried out.
    pub fn new(name: &str, run: impl Fn() + 'static) -> Trial {
        Trial {
            name: name.to_owned(),
            run: Box::new(move || {
                run();
                Ok(())
            }),
        }
    }

    /// A test that needs something the machine may lack.
    pub fn needing(name: &str, run: impl Fn() -> Result<(), CannotProve> + 'static) -> Trial {
        Trial { name: name.to_owned(), run: Box::new(run) }
    }
}

/// What was asked for on the command line.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wanted {
    filters: Vec<String>,
    skip: Vec<String>,
    exact: bool,
    list: bool,
    ignored: bool,
}

/// Options of the standard harness that take a value and change nothing here.
const WITH_VALUE: [&str; 6] = ["--format", "--color", "--test-threads", "--logfile", "--shuffle-seed", "-Z"];

impl Wanted {
    fn of(arguments: impl IntoIterator<Item = String>) -> Wanted {
        let mut wanted = Wanted::default();
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--exact" => wanted.exact = true,
                "--list" => wanted.list = true,
                "--ignored" => wanted.ignored = true,
                "--skip" => wanted.skip.extend(arguments.next()),
                known if WITH_VALUE.contains(&known) => drop(arguments.next()),
                option if option.starts_with('-') => {}
                _ => wanted.filters.push(argument),
            }
        }
        wanted
    }

    fn is_for(&self, name: &str) -> bool {
        let matches = |filter: &String| if self.exact { name == filter } else { name.contains(filter.as_str()) };
        // Nothing here is marked as ignored.
        !self.ignored && (self.filters.is_empty() || self.filters.iter().any(matches)) && !self.skip.iter().any(matches)
    }
}

/// Runs those tests that the arguments ask for. The exit code is 101 if one failed, as with the standard harness.
///
/// With `strict`, a test that can't be proved on this machine has failed.
pub fn run(trials: &[Trial], arguments: impl IntoIterator<Item = String>, strict: bool) -> ExitCode {
    let wanted = Wanted::of(arguments);
    let chosen: Vec<&Trial> = trials.iter().filter(|trial| wanted.is_for(&trial.name)).collect();
    if wanted.list {
        chosen.iter().for_each(|trial| println!("{}: test", trial.name));
        return ExitCode::SUCCESS;
    }
    println!("\nrunning {} tests", chosen.len());
    let begun = now();
    let (mut failed, mut unproved) = (Vec::new(), BTreeMap::new());
    for trial in &chosen {
        let outcome = catch_unwind(AssertUnwindSafe(&trial.run));
        let word = match outcome {
            Ok(Ok(())) => "ok".to_owned(),
            Ok(Err(CannotProve(why))) if !strict => {
                let word = format!("cannot be proved here: {why}");
                unproved.insert(&trial.name, why);
                word
            }
            Ok(Err(CannotProve(why))) => {
                failed.push(&trial.name);
                format!("FAILED: {why}")
            }
            Err(_) => {
                failed.push(&trial.name);
                "FAILED".to_owned()
            }
        };
        println!("test {} ... {word}", trial.name);
    }
    if !failed.is_empty() {
        println!("\nfailures:");
        failed.iter().for_each(|name| println!("    {name}"));
    }
    let passed = chosen.len() - failed.len() - unproved.len();
    println!(
        "\ntest result: {}. {passed} passed; {} failed; {} ignored; 0 measured; {} filtered out; finished in {:.2}s\n",
        if failed.is_empty() { "ok" } else { "FAILED" },
        failed.len(),
        unproved.len(),
        trials.len() - chosen.len(),
        begun.elapsed().as_secs_f64()
    );
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(101) }
}

#[expect(clippy::disallowed_methods, reason = "a test run says how long it took")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn wanted(arguments: &[&str]) -> Wanted {
        Wanted::of(arguments.iter().map(|one| (*one).to_owned()))
    }

    #[test]
    fn names_are_chosen_as_the_standard_harness_does() {
        assert!(wanted(&[]).is_for("a::b"));
        assert!(wanted(&["a", "x"]).is_for("a::b"));
        assert!(!wanted(&["x"]).is_for("a::b"));
        assert!(!wanted(&["a", "--exact"]).is_for("a::b"));
        assert!(wanted(&["--exact", "a::b", "--nocapture"]).is_for("a::b"));
        assert!(!wanted(&["--skip", "b"]).is_for("a::b"));
        assert!(wanted(&["--test-threads", "1", "--format", "terse", "--color=always"]).is_for("a::b"));
        assert!(!wanted(&["--ignored"]).is_for("a::b"));
    }

    #[test]
    fn a_failure_is_counted_and_the_rest_still_runs() {
        let ran = Arc::new(AtomicUsize::new(0));
        let counting = |ran: &Arc<AtomicUsize>| {
            let ran = Arc::clone(ran);
            move || {
                ran.fetch_add(1, Ordering::Relaxed);
            }
        };
        let trials = [
            Trial::new("first", || std::panic::resume_unwind(Box::new("no"))),
            Trial::new("second", counting(&ran)),
            Trial::needing("third", || Err(CannotProve("no tool".to_owned()))),
        ];
        assert_eq!(run(&trials, [], false), ExitCode::from(101));
        assert_eq!(ran.load(Ordering::Relaxed), 1);
        assert_eq!(run(&trials, ["second".to_owned()], false), ExitCode::SUCCESS);
        assert_eq!(run(&trials, ["third".to_owned()], false), ExitCode::SUCCESS);
        assert_eq!(run(&trials, ["third".to_owned()], true), ExitCode::from(101));
        assert_eq!(run(&trials, ["--list".to_owned()], true), ExitCode::SUCCESS);
        assert_eq!(ran.load(Ordering::Relaxed), 2);
    }
}
