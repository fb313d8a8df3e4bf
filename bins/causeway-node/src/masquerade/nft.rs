//! The rules in tables of our own in nf_tables, over netlink.

pub(crate) mod others;

use super::kernel::{Failure, Kernel, Preview, Shadowing, Synced};
use super::legacy::{self, Leftovers};
use crate::keeping::tables::{Besides, Tables};
use crate::keeping::turn::Heard;
use causeway_addr::Family;
use causeway_dataplane::masquerade::{Compiled, EXEMPT_SET, Settings, table, tables};
use causeway_dataplane::nftables::objects::{ObservedTable, Op};
use causeway_dataplane::nftables::{Growth, logical, text};
use causeway_dataplane::ruleset::{TableFamily, TableId};
use causeway_linux::netlink;
use causeway_linux::nftables::{Connection, Generation};
use others::OldAgent;
use std::os::fd::BorrowedFd;

/// nf_tables of the network namespace it was opened in.
#[derive(Debug)]
pub(crate) struct Nft {
    tables: Tables,
    old: Old,
    wanted: Option<Compiled>,
    /// Rules of others as they were last looked at.
    shadows: Option<Shadows>,
    /// What others have is to be looked at.
    closely: bool,
    /// The name the original's chain may have.
    chain: String,
    /// What of it is in legacy tables, as was last seen.
    leftovers: Option<Leftovers>,
}

/// The old agent's chain, which goes in the moment our rules come.
#[derive(Debug)]
struct Old {
    agent: OldAgent,
    /// It may have come back since it was last looked for.
    unsure: bool,
    /// The state of all tables in which it was known not to be there.
    without: Option<Generation>,
}

impl Besides for Old {
    fn ops(
        &mut self,
        connection: &mut Connection,
        generation: Generation,
        remembered: bool,
    ) -> Result<Vec<Op>, netlink::Error> {
        let look = self.unsure || (!remembered && self.without != Some(generation));
        let ops = if look { self.agent.removal(connection)? } else { Vec::new() };
        self.unsure = !ops.is_empty();
        if look && ops.is_empty() {
            self.without = Some(generation);
        }
        Ok(ops)
    }

    fn committed(&mut self, _: Generation, after: Generation, besides: bool) {
        self.without = self.without.filter(|_| !besides).map(|_| after);
    }
}

/// With the rules of others that were looked at, which what we commit leaves as they are.
struct Together<'a>(&'a mut Old, &'a mut Option<Shadows>);

impl Besides for Together<'_> {
    fn ops(
        &mut self,
        connection: &mut Connection,
        generation: Generation,
        remembered: bool,
    ) -> Result<Vec<Op>, netlink::Error> {
        self.0.ops(connection, generation, remembered)
    }

    fn committed(&mut self, before: Generation, after: Generation, besides: bool) {
        self.0.committed(before, after, besides);
        if let Some(shadows) = &mut self.1
            && !besides
            && shadows.generation == Some(before)
        {
            shadows.generation = Some(after);
        }
    }
}

/// Rules of others that take packets before ours.
#[derive(Debug)]
struct Shadows {
    /// The state of all tables in which they are these; `None` = they are to be looked at again whatever that is.
    generation: Option<Generation>,
    found: Vec<Shadowing>,
}

impl Nft {
    /// Opens it. `chain` is the name the original's chain may have.
    ///
    /// # Errors
    /// The kernel has no nf_tables, or no sockets are to be had. A kernel that refuses shows at the first look.
    pub(crate) fn open(chain: &str) -> Result<Nft, netlink::Error> {
        Ok(Nft {
            tables: Tables::open(tables())?,
            old: Old { agent: OldAgent::new(chain), unsure: true, without: None },
            wanted: None,
            shadows: None,
            closely: true,
            chain: chain.to_owned(),
            leftovers: None,
        })
    }

    /// Looks at rules of others that take packets before ours, unless nobody changed anything since; not knowing them is no reason to fail.
    fn look_at_shadows(&mut self, settings: &Settings) {
        let generation = self.tables.generation();
        if self.shadows.as_ref().is_some_and(|known| known.generation.is_some() && known.generation == generation) {
            return;
        }
        let families: Vec<Family> = settings.families().collect();
        match others::before_ours(&mut self.tables.connection, &families) {
            Ok(found) => {
                let found = found.into_iter().map(others::shadowing).collect();
                self.shadows = Some(Shadows { generation, found });
            }
            Err(error) => {
                tracing::debug!("rules of others can't be looked at: {error}");
                // What was known is better than nothing, and is asked for again.
                let found = self.shadows.take().map(|known| known.found).unwrap_or_default();
                self.shadows = Some(Shadows { generation: None, found });
            }
        }
    }
}

impl Kernel for Nft {
    fn name(&self) -> &'static str {
        "nft"
    }

    fn has_rules(&mut self) -> Result<bool, Failure> {
        let ours = self.tables.any()?;
        let old = self.old.agent.removal(&mut self.tables.connection)?;
        Ok(ours || !old.is_empty() || legacy::has_chain(&self.chain))
    }

    fn sync(&mut self, settings: &Settings) -> Result<Synced, Failure> {
        let wanted = match self.wanted.take() {
            Some(mut wanted) => {
                wanted.update(settings);
                wanted
            }
            None => Compiled::new(settings.clone(), Growth::default()),
        };
        let settled = self.tables.settle(wanted.objects(), &mut Together(&mut self.old, &mut self.shadows));
        self.wanted = Some(wanted);
        let settled = settled?;
        let mut synced = Synced {
            changes: settled.changes,
            rewritten: settled.rewritten,
            in_place_at: settled.at,
            ..Synced::default()
        };
        if settled.besides {
            synced.taken_over.push("removed the chain of ip-masq-agent-v2 and its jump".to_owned());
        }
        for (id, table) in self.tables.seen() {
            let Some(family) = family(id) else { continue };
            synced.present.insert(family, prefixes(table));
        }
        for family in settings.families() {
            let counts = self.tables.connection.counts(&table(family))?;
            synced.counts.extend(counts.into_iter().map(|(name, count)| ((family, name), count)));
        }
        if std::mem::take(&mut self.closely) {
            self.look_at_shadows(settings);
            // After ours is in place: until then the old chain is better than none. Legacy tables tell nobody of changes, and their programs
            // are run only where there are such tables.
            let leftovers = legacy::sweep(&self.chain);
            synced.taken_over.extend(leftovers.removed.iter().cloned());
            self.leftovers = Some(leftovers);
        }
        if let Some(known) = &self.shadows {
            synced.shadowed_by.clone_from(&known.found);
        }
        if let Some(leftovers) = &self.leftovers {
            synced.left.clone_from(&leftovers.left);
            synced.shadowed_by.extend(leftovers.shadowed_by.iter().cloned());
        }
        Ok(synced)
    }

    fn look_at_others(&mut self) {
        self.closely = true;
    }

    fn preview(&mut self, settings: &Settings) -> Preview {
        let wanted = Compiled::new(settings.clone(), Growth::default());
        let changes = self.tables.preview(wanted.objects(), &mut self.old);
        let changes = changes.map(|changes| changes + &legacy::preview(&self.chain));
        Preview { rules: text::tables(wanted.objects()), changes }
    }

    fn notifier(&self) -> Option<BorrowedFd<'_>> {
        self.tables.notifier()
    }

    fn hear(&mut self) -> Heard {
        let old = &mut self.old;
        self.tables.hear(|change| {
            old.unsure |= change.tables.iter().any(is_nat_of_iptables);
            old.unsure
        })
    }

    fn clean(&mut self) -> Result<bool, Failure> {
        let leftovers = legacy::sweep(&self.chain);
        if !leftovers.left.is_empty() {
            return Err(Failure::Other(leftovers.left.join("; ")));
        }
        self.old.unsure = true;
        Ok(self.tables.remove(&mut self.old)? || !leftovers.removed.is_empty())
    }
}

/// The tables iptables keeps its nat rules in, where the old agent's chain would come back.
fn is_nat_of_iptables(table: &TableId) -> bool {
    table.name == "nat" && matches!(table.family, TableFamily::Ip | TableFamily::Ip6)
}

fn family(table: &TableId) -> Option<Family> {
    match table.family {
        TableFamily::Ip => Some(Family::V4),
        TableFamily::Ip6 => Some(Family::V6),
        TableFamily::Inet => None,
    }
}

/// Exempt prefixes in a table: the keys of the sets that hold them, one per length, and only of those that rules look into.
fn prefixes(table: &ObservedTable) -> usize {
    let of_lengths = table.objects.sets.iter().filter(|(name, _)| {
        let length = logical(name).strip_prefix(EXEMPT_SET).and_then(|rest| rest.strip_prefix('-'));
        length.is_some_and(|length| length.parse::<u8>().is_ok())
    });
    of_lengths.map(|(_, set)| set.elements.len()).sum()
}
