//! The rules as the original's chain, written by `iptables-restore`.

mod bypass;

use super::kernel::{Failure, Kernel, Preview, Shadowing, Synced};
use super::legacy;
use super::nft::others;
use crate::keeping::turn::Heard;
use causeway_addr::Family;
use causeway_dataplane::iptables::{POSTROUTING, Plan, Saved, Sought, TABLE, Target, plan, steps, taken, wanted};
use causeway_dataplane::masquerade::{Settings, tables};
use causeway_dataplane::nftables::{cleanup, owner, text};
use causeway_dataplane::ruleset::{TableFamily, TableId};
use causeway_dataplane::unmarked::{Act, Step, Takes, translating};
use causeway_linux::iptables::{Iptables, Variant};
use causeway_linux::nftables::{Connection, Listener, Notice};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::os::fd::{AsFd as _, BorrowedFd};

/// The table of iptables that says which packets are not tracked.
pub(super) const RAW: &str = "raw";
/// How often a table is planned anew because it changed in between.
const TRIES: usize = 4;

/// The nat tables of iptables.
#[derive(Debug)]
pub(crate) struct Chain {
    name: String,
    variant: Variant,
    /// Every pair of programs there is.
    programs: Vec<Iptables>,
    /// To remove tables of the other back end; `None` = this kernel has none.
    connection: Option<Connection>,
    /// Hears of changes in nf_tables; the legacy variant has nobody to tell.
    listener: Option<Listener>,
}

impl Chain {
    /// The chain of that name, in the variant given.
    ///
    /// # Errors
    /// There is no program of that variant.
    pub(crate) fn open(name: &str, variant: Variant) -> Result<Chain, String> {
        Iptables::find(Family::V4, variant).map_err(|error| error.to_string())?;
        let pairs =
            Family::ALL.into_iter().flat_map(|family| [Variant::Nft, Variant::Legacy].map(|variant| (family, variant)));
        let programs = pairs.filter_map(|(family, variant)| Iptables::find(family, variant).ok()).collect();
        let listener = if variant == Variant::Nft { Listener::open().ok() } else { None };
        Ok(Chain { name: name.to_owned(), variant, programs, connection: Connection::open().ok(), listener })
    }

    fn program(&self, family: Family) -> Result<&Iptables, Failure> {
        let found = self.programs.iter().find(|program| program.family == family && program.variant == self.variant);
        found.ok_or_else(|| match Iptables::find(family, self.variant) {
            Err(error) => legacy::failure(error),
            Ok(program) => Failure::Other(format!("`{}` was not there at the start", program.restore.display())),
        })
    }

    /// A chain of somebody else's is not overwritten.
    fn may_write(&self, saved: &Saved) -> Result<(), Failure> {
        taken(saved, &self.name)
            .map_or(Ok(()), |why| Err(Failure::Other(format!("{why}; give another name with `--masq-chain`"))))
    }

    /// Makes one table hold the chain; gives how many lines that took, and the table.
    fn place(&self, settings: &Settings, family: Family) -> Result<(usize, Saved), Failure> {
        let program = self.program(family)?;
        let wanted = wanted(settings, family, &self.name);
        let (mut changes, mut last) = (0, Failure::Busy("it differs whenever it is read back".to_owned()));
        for _ in 0..TRIES {
            let saved = legacy::read(program)?;
            self.may_write(&saved)?;
            let Plan { restore: Some(text), drift } = plan(&wanted, &saved) else { return Ok((changes, saved)) };
            tracing::debug!("{}", drift.join("; "));
            match program.restore(&text, legacy::PATIENT) {
                Ok(()) => changes += text.lines().count().saturating_sub(2),
                Err(error) => last = legacy::failure(error),
            }
            if matches!(last, Failure::Blocked(_) | Failure::Locked(_)) {
                break;
            }
        }
        Err(last)
    }

    /// Programs whose tables should not have the chain, and may.
    fn elsewhere(&self, families: &[Family]) -> impl Iterator<Item = &Iptables> {
        self.programs.iter().filter(|program| {
            let here = program.variant == self.variant && families.contains(&program.family);
            !here && (program.variant == Variant::Nft || legacy::has_table(program.family))
        })
    }

    /// What [`Chain::sweep`] and [`Chain::sweep_nft`] would do.
    fn preview_of_sweeps(&mut self, families: &[Family]) -> Result<String, Failure> {
        let mut shown = String::new();
        for program in self.elsewhere(families) {
            shown.extend(legacy::removal(program, &self.name)?);
        }
        if let Some(connection) = &mut self.connection {
            let reading = connection.read(&tables()).map_err(|error| Failure::Other(error.to_string()))?;
            shown.push_str(&text::commands(&cleanup(&reading.tables)));
        }
        Ok(shown)
    }

    /// Removes the chain where it is not wanted: of a family that is off, and from the tables of the other variant.
    fn sweep(&self, families: &[Family], synced: &mut Synced) -> Result<(), Failure> {
        for program in self.elsewhere(families) {
            if legacy::take_out(program, &self.name)? {
                synced.changes += 1;
                synced
                    .taken_over
                    .push(format!("removed the chain from the tables of {} ({})", program.variant, program.family));
            }
        }
        Ok(())
    }

    /// Removes the tables of the other back end.
    fn sweep_nft(&mut self) -> Result<bool, Failure> {
        let Some(connection) = &mut self.connection else { return Ok(false) };
        let reading = connection.read(&tables()).map_err(|error| Failure::Other(error.to_string()))?;
        let ops = cleanup(&reading.tables);
        connection.apply(&ops, Some(reading.generation)).map_err(|error| Failure::Other(error.to_string()))?;
        Ok(!ops.is_empty())
    }

    /// Rules of a dormant table are there and are not asked. Others' rules are in it too, so that it is not for us to wake it.
    fn is_awake(&mut self, families: &[Family]) -> Result<(), Failure> {
        const DORMANT: u32 = 1;
        let Some(connection) = self.connection.as_mut().filter(|_| self.variant == Variant::Nft) else { return Ok(()) };
        for family in families {
            let id = TableId {
                family: if *family == Family::V4 { TableFamily::Ip } else { TableFamily::Ip6 },
                name: TABLE.to_owned(),
            };
            let table = connection.read_chains(&id, &[]).ok().flatten();
            if table.is_some_and(|table| table.objects.flags & DORMANT != 0) {
                let words = format!(
                    "table `{id}` is dormant: nothing in it has an effect, our chain included; `nft add table {id}` wakes it"
                );
                return Err(Failure::Other(words));
            }
        }
        Ok(())
    }

    fn shadowed_by(&mut self, settings: &Settings, families: &[Family], saved: &[(Family, Saved)]) -> Vec<Shadowing> {
        let bypasses = saved.iter().flat_map(|(family, saved)| bypass::bypasses(settings, *family, saved, &self.name));
        let bypasses: Vec<Shadowing> = bypasses.collect();
        let mut found: Vec<Shadowing> =
            saved.iter().flat_map(|(family, saved)| earlier(*family, saved, Some(&self.name))).collect();
        let elsewhere = self.connection.as_mut().map(|connection| others::before_ours(connection, families));
        // The table of iptables itself was looked at in its own words.
        let elsewhere = elsewhere.and_then(Result::ok).unwrap_or_default();
        found.extend(bypasses);
        found.extend(elsewhere.into_iter().filter(|shadow| shadow.table.name != TABLE).map(others::shadowing));
        found
    }
}

/// Rules that translate, in POSTROUTING before our jump (or all, where we have none) and in the chains led to from there.
pub(super) fn earlier(family: Family, saved: &Saved, ours: Option<&str>) -> Vec<Shadowing> {
    let mut chains = steps(saved, TABLE, Sought::Translation);
    if let Some(ours) = ours {
        let to_ours = |step: &Step| matches!(&step.act, Act::Jump(chain) | Act::Goto(chain) if chain == ours);
        if let Some(rules) = chains.get_mut(POSTROUTING)
            && let Some(at) = rules.iter().position(to_ours)
        {
            rules.truncate(at);
        }
        chains.remove(ours);
    }
    let table = table_id(family, TABLE);
    named(&table, &chains, POSTROUTING, |takes, how| format!("translates {} ({how}) before ours", of_them(takes)))
}

/// Rules that turn connection tracking off, in what was saved of table `raw`.
pub(super) fn untracked(family: Family, saved: &Saved) -> Vec<Shadowing> {
    let chains = steps(saved, RAW, Sought::NoTracking);
    let table = table_id(family, RAW);
    let found = ["PREROUTING", "OUTPUT"].into_iter().flat_map(|from| {
        named(&table, &chains, from, |takes, how| {
            format!("turns connection tracking off for {} ({how}), so that they are not translated", of_them(takes))
        })
    });
    found.collect()
}

fn table_id(family: Family, name: &str) -> TableId {
    let family = if family == Family::V4 { TableFamily::Ip } else { TableFamily::Ip6 };
    TableId { family, name: name.to_owned() }
}

fn of_them(takes: Takes) -> &'static str {
    match takes {
        Takes::Everything => "every packet",
        Takes::Some => "packets",
        Takes::Marked => "packets with a mark",
    }
}

fn named(
    table: &TableId,
    chains: &BTreeMap<&str, Vec<Step>>,
    from: &str,
    does: impl Fn(Takes, &str) -> String,
) -> Vec<Shadowing> {
    let found = translating(chains, from).into_iter().map(|((chain, at), (how, takes))| {
        let owner = owner(table, chain);
        let by = owner.map_or_else(String::new, |owner| format!(", of {owner},"));
        let words = format!("table `{table}`: rule {} of chain `{chain}`{by} {}", at + 1, does(takes, how));
        Shadowing { owner: owner.unwrap_or("unknown"), expected: owner.is_some() && takes != Takes::Everything, words }
    });
    found.collect()
}

impl Chain {
    fn was_changed(&mut self) -> bool {
        let Some(listener) = &mut self.listener else { return false };
        match listener.drain() {
            Ok(notices) => notices.iter().any(|notice| match notice {
                Notice::Lost => true,
                Notice::Change(change) => change.tables.iter().any(|table| table.name == TABLE),
            }),
            Err(error) => {
                tracing::warn!("changes of the rules are not told any more, and are found at the next look: {error}");
                self.listener = None;
                true
            }
        }
    }
}

impl Kernel for Chain {
    fn name(&self) -> &'static str {
        match self.variant {
            Variant::Nft => "iptables-nft",
            Variant::Legacy => "iptables-legacy",
        }
    }

    /// The rules are those of the original, to the letter.
    fn randomises(&self) -> bool {
        false
    }

    fn has_rules(&mut self) -> Result<bool, Failure> {
        let saved = legacy::read(self.program(Family::V4)?)?;
        let ours = self.connection.as_mut().and_then(|connection| connection.read(&tables()).ok());
        Ok(saved.chain(TABLE, &self.name).is_some() || ours.is_some_and(|ours| !ours.tables.is_empty()))
    }

    fn sync(&mut self, settings: &Settings) -> Result<Synced, Failure> {
        let families: Vec<Family> = settings.families().collect();
        let mut synced = Synced::default();
        let mut saved = Vec::new();
        for family in &families {
            let (changes, table) = self.place(settings, *family)?;
            synced.changes += changes;
            let rules = table.chain(TABLE, &self.name).map_or(0, |chain| {
                chain.rules.iter().filter(|rule| rule.meaning().target == Some(Target::Return)).count()
            });
            synced.present.insert(*family, rules);
            saved.push((*family, table));
        }
        self.is_awake(&families)?;
        self.sweep(&families, &mut synced)?;
        if self.sweep_nft()? {
            synced.changes += 1;
            synced.taken_over.push("removed the tables of the back end nft".to_owned());
        }
        synced.shadowed_by = self.shadowed_by(settings, &families, &saved);
        Ok(synced)
    }

    fn preview(&mut self, settings: &Settings) -> Preview {
        let (mut rules, mut changes) = (String::new(), Ok(String::new()));
        for family in settings.families() {
            let wanted = wanted(settings, family, &self.name);
            let add = |text: &mut String, plan: Plan| {
                if let Some(restore) = plan.restore {
                    let _ = write!(text, "# {family}\n{restore}");
                }
            };
            add(&mut rules, plan(&wanted, &Saved::default()));
            let there = self.program(family).and_then(legacy::read);
            changes = changes.and_then(|mut text| {
                let there = there?;
                self.may_write(&there)?;
                add(&mut text, plan(&wanted, &there));
                Ok(text)
            });
        }
        let families: Vec<Family> = settings.families().collect();
        let changes = changes.and_then(|changes| Ok(changes + &self.preview_of_sweeps(&families)?));
        Preview { rules, changes }
    }

    fn notifier(&self) -> Option<BorrowedFd<'_>> {
        self.listener.as_ref().map(|listener| listener.as_fd())
    }

    fn hear(&mut self) -> Heard {
        let changed = self.was_changed();
        Heard { look: changed, ours: changed, others: false }
    }

    fn clean(&mut self) -> Result<bool, Failure> {
        let mut synced = Synced::default();
        self.sweep(&[], &mut synced)?;
        Ok(self.sweep_nft()? || synced.changes > 0)
    }
}

#[cfg(test)]
mod tests;
