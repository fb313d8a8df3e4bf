//! The old agent's chain in tables of iptables, reached by iptables' own programs: in nf_tables it is reached without them, in legacy tables
//! there is no other way.

use super::iptables::{RAW, earlier, untracked};
use super::kernel::{Failure, Shadowing};
use causeway_addr::Family;
use causeway_dataplane::iptables::{Saved, TABLE, parse, remove};
use causeway_linux::iptables::{
    Iptables, IptablesError, IptablesFailure, Restore, Variant, knows_legacy_tables, legacy_tables,
};

use std::fmt::Write as _;

/// How often a removal is planned anew because the table changed in between.
const TRIES: usize = 4;

/// The lock is waited for a second at a time, so that what is waited for can be told, and other things be done, in between.
pub(crate) const PATIENT: Restore = Restore { flush: false, lock_seconds: 1, test: false };

/// What was found, in sentences.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Leftovers {
    /// What was removed.
    pub(crate) removed: Vec<String>,
    /// What could not be, or is not known.
    pub(crate) left: Vec<String>,
    /// Rules of others that translate there.
    pub(crate) shadowed_by: Vec<Shadowing>,
}

/// Removes the chain of that name, and any other of the old agent's, from legacy tables, and looks who else translates there.
pub(crate) fn sweep(chain: &str) -> Leftovers {
    let mut leftovers = Leftovers::default();
    for family in Family::ALL {
        let unknown = |why: &str| {
            format!(
                "whether ip-masq-agent-v2 left its chain in the legacy tables ({family}), where it would still translate, is not known: {why}"
            )
        };
        if !knows_legacy_tables(family) {
            leftovers.left.push(unknown("the kernel does not tell this user which tables there are"));
        }
        if !has_table(family) {
            continue;
        }
        let cleaned = Iptables::find(family, Variant::Legacy).map_err(failure).and_then(|program| {
            let removed = take_out(&program, chain)?;
            Ok((removed, earlier(family, &read(&program)?, None)))
        });
        match cleaned {
            Ok((removed, others)) => {
                leftovers.shadowed_by.extend(others);
                if removed {
                    let words = format!("removed the chain of ip-masq-agent-v2 from the legacy tables ({family})");
                    leftovers.removed.push(words);
                }
            }
            Err(why) => leftovers.left.push(unknown(&why.to_string())),
        }
    }
    look_at_raw(&mut leftovers);
    leftovers
}

/// What [`sweep`] would remove, as text for the programs. Nothing is written, and no table is made.
pub(crate) fn preview(chain: &str) -> String {
    let mut text = String::new();
    for family in Family::ALL.into_iter().filter(|family| has_table(*family)) {
        let removal =
            Iptables::find(family, Variant::Legacy).map_err(failure).and_then(|program| removal(&program, chain));
        match removal {
            Ok(None) => {}
            Ok(Some(removal)) => text.push_str(&removal),
            Err(why) => {
                let _ = writeln!(text, "# what would go from the legacy tables ({family}) is not known: {why}");
            }
        }
    }
    text
}

/// What [`take_out`] would do, as text under a heading; `None` = nothing.
pub(crate) fn removal(program: &Iptables, chain: &str) -> Result<Option<String>, Failure> {
    let text = remove(&read(program)?, chain);
    Ok(text.map(|text| format!("# from the tables of {} ({})\n{text}", program.variant, program.family)))
}

/// Looks who turns connection tracking off in legacy tables.
fn look_at_raw(leftovers: &mut Leftovers) {
    for family in Family::ALL.into_iter().filter(|family| legacy_tables(*family).iter().any(|table| table == RAW)) {
        let found =
            Iptables::find(family, Variant::Legacy).map_err(failure).and_then(|program| read_table(&program, RAW));
        match found {
            Ok(saved) => leftovers.shadowed_by.extend(untracked(family, &saved)),
            Err(why) => leftovers.left.push(format!(
                "whether rules of the legacy table `{RAW}` ({family}) turn connection tracking off, without which nothing is translated, is not known: {why}"
            )),
        }
    }
}

/// The old agent's chain is in a legacy table, as far as can be told.
pub(crate) fn has_chain(chain: &str) -> bool {
    let mut programs = Family::ALL
        .into_iter()
        .filter(|family| has_table(*family))
        .filter_map(|family| Iptables::find(family, Variant::Legacy).ok());
    programs.any(|program| read(&program).is_ok_and(|saved| remove(&saved, chain).is_some()))
}

/// Asking a legacy program about a table makes the table.
pub(crate) fn has_table(family: Family) -> bool {
    legacy_tables(family).iter().any(|table| table == TABLE)
}

/// Removes the chain and its jumps; gives whether there was something.
pub(crate) fn take_out(program: &Iptables, chain: &str) -> Result<bool, Failure> {
    let mut last = Failure::Busy(String::new());
    for _ in 0..TRIES {
        let Some(text) = remove(&read(program)?, chain) else { return Ok(false) };
        match program.restore(&text, PATIENT) {
            Ok(()) => return Ok(true),
            Err(error) => last = failure(error),
        }
        if matches!(last, Failure::Blocked(_) | Failure::Locked(_)) {
            break;
        }
    }
    Err(last)
}

/// The nat table.
pub(crate) fn read(program: &Iptables) -> Result<Saved, Failure> {
    read_table(program, TABLE)
}

fn read_table(program: &Iptables, table: &str) -> Result<Saved, Failure> {
    let text = program.save(table).map_err(failure)?;
    parse(&text)
        .map_err(|error| Failure::Other(format!("what `{}` prints is not understood: {error}", program.save.display())))
}

/// In the agent's terms.
pub(crate) fn failure(error: IptablesError) -> Failure {
    let words = error.to_string();
    match error.failure {
        IptablesFailure::NotPermitted { .. } => Failure::Blocked(words),
        IptablesFailure::Locked { .. } => Failure::Locked(words),
        IptablesFailure::Missing
        | IptablesFailure::NotRun { .. }
        | IptablesFailure::TimedOut { .. }
        | IptablesFailure::Rejected { .. } => Failure::Other(words),
    }
}
