//! Why a run of iptables failed.

use std::fmt;
use std::time::Duration;

/// A run that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IptablesError {
    /// The program.
    pub program: String,
    /// Why.
    pub failure: IptablesFailure,
}

/// Why a run failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IptablesFailure {
    /// There is no such program.
    Missing,
    /// It could not be started, or not be talked to.
    NotRun {
        /// The system's answer.
        reason: String,
    },
    /// The process lacks a capability: NET_ADMIN, and for the legacy programs NET_RAW and the lock file; or the node refuses writes.
    NotPermitted {
        /// What the program printed.
        message: String,
    },
    /// Another program held the lock of x_tables all the while. Trying again later helps.
    Locked {
        /// What the program printed.
        message: String,
    },
    /// It did not end in time and was killed. Each table is applied wholly or not at all, so nothing is half done.
    TimedOut {
        /// How long it was waited for.
        after: Duration,
    },
    /// It did not like the text; nothing of the table was applied.
    Rejected {
        /// What it printed.
        message: String,
        /// The line it names, counted from 1.
        line: Option<usize>,
        /// What stands on that line.
        text: Option<String>,
    },
}

impl IptablesFailure {
    /// From the exit status (`None` = a signal), what was printed to the error stream, and the text that was given in.
    pub(super) fn of(status: Option<i32>, stderr: &str, input: &str) -> IptablesFailure {
        let message = stderr.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ");
        let says = |words: &[&str]| words.iter().any(|word| stderr.contains(word));
        // Status 4 is also what the nft programs end with when the kernel refuses for other reasons.
        if says(&["xtables lock"]) && says(&["holding", "Resource temporarily unavailable"]) {
            return IptablesFailure::Locked { message };
        }
        if says(&["Permission denied", "Operation not permitted", "you must be root"]) {
            return IptablesFailure::NotPermitted { message };
        }
        let line = line(stderr);
        let text = line.and_then(|line| input.lines().nth(line.checked_sub(1)?)).map(str::to_owned);
        let message = match status {
            Some(status) if message.is_empty() => format!("exit status {status}"),
            None => format!("ended by a signal; {message}").trim_end_matches("; ").to_owned(),
            _ => message,
        };
        IptablesFailure::Rejected { message, line, text }
    }
}

/// The line a message names: `line 3 failed`, `Error occurred at line: 3`, `line 3: RULE_APPEND failed`.
fn line(message: &str) -> Option<usize> {
    message.split("line").skip(1).find_map(|rest| {
        let rest = rest.trim_start_matches(':').trim_start();
        let end = rest.find(|one: char| !one.is_ascii_digit()).unwrap_or(rest.len());
        rest.get(..end)?.parse().ok()
    })
}

impl fmt::Display for IptablesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let program = &self.program;
        match &self.failure {
            IptablesFailure::Missing => write!(f, "no program `{program}` of the wanted variant"),
            IptablesFailure::NotRun { reason } => write!(f, "can't run `{program}`: {reason}"),
            IptablesFailure::NotPermitted { message } => write!(f, "`{program}` is not permitted: {message}"),
            IptablesFailure::Locked { message } => write!(f, "`{program}` did not get the lock: {message}"),
            IptablesFailure::TimedOut { after } => {
                write!(f, "`{program}` did not end within {} s and was killed", after.as_secs())
            }
            IptablesFailure::Rejected { message, line, text } => {
                write!(f, "`{program}` failed: {message}")?;
                if let (Some(line), Some(text)) = (line, text) {
                    write!(f, "; line {line} is `{text}`")?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for IptablesError {}
