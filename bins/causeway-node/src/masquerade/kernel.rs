//! What the agent asks of whatever holds the rules.

use crate::keeping::turn::Heard;
use causeway_addr::Family;
use causeway_dataplane::masquerade::Settings;
use causeway_dataplane::nftables::objects::Count;
use std::collections::BTreeMap;
use std::os::fd::BorrowedFd;
use std::time::Instant;

pub(crate) use crate::keeping::failure::Failure;

/// Something that holds rules: nf_tables, iptables, or a test's own.
pub(crate) trait Kernel {
    /// Its name, as users give it.
    fn name(&self) -> &'static str;

    /// Whether source ports are chosen at random unless the user says otherwise.
    fn randomises(&self) -> bool {
        true
    }

    /// Whether it holds rules of this agent or of ip-masq-agent-v2.
    ///
    /// # Errors
    /// It can't be asked.
    fn has_rules(&mut self) -> Result<bool, Failure>;

    /// Makes it hold the rules of `settings`, and nothing else of ours. Writes nothing where nothing differs.
    ///
    /// # Errors
    /// What was there is still there, whole.
    fn sync(&mut self, settings: &Settings) -> Result<Synced, Failure>;

    /// The next [`Kernel::sync`] also looks at what others have, where that may have changed since it was last looked at.
    fn look_at_others(&mut self) {}

    /// What [`Kernel::sync`] would do; nothing is written.
    fn preview(&mut self, settings: &Settings) -> Preview;

    /// Becomes readable when somebody may have changed rules; `None` = it doesn't tell.
    fn notifier(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    /// Takes in what the notifier has.
    fn hear(&mut self) -> Heard {
        Heard::default()
    }

    /// Removes every rule of this agent and of ip-masq-agent-v2. Gives whether there was one.
    ///
    /// # Errors
    /// Something could not be removed.
    fn clean(&mut self) -> Result<bool, Failure>;
}

impl Kernel for Box<dyn Kernel> {
    fn name(&self) -> &'static str {
        (**self).name()
    }

    fn randomises(&self) -> bool {
        (**self).randomises()
    }

    fn has_rules(&mut self) -> Result<bool, Failure> {
        (**self).has_rules()
    }

    fn sync(&mut self, settings: &Settings) -> Result<Synced, Failure> {
        (**self).sync(settings)
    }

    fn look_at_others(&mut self) {
        (**self).look_at_others();
    }

    fn preview(&mut self, settings: &Settings) -> Preview {
        (**self).preview(settings)
    }

    fn notifier(&self) -> Option<BorrowedFd<'_>> {
        (**self).notifier()
    }

    fn hear(&mut self) -> Heard {
        (**self).hear()
    }

    fn clean(&mut self) -> Result<bool, Failure> {
        (**self).clean()
    }
}

/// What a look at the kernel gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Synced {
    /// Changes that were made; 0 = everything was in place.
    pub(crate) changes: usize,
    /// Our tables were there and held something else: whoever did that keeps other rules.
    pub(crate) rewritten: bool,
    /// When the rules were known to be in place; `None` = when the call came back. What is only looked at comes after that.
    pub(crate) in_place_at: Option<Instant>,
    /// What was taken over or removed of other agents, one sentence each.
    pub(crate) taken_over: Vec<String>,
    /// Rules of others that take packets before ours.
    pub(crate) shadowed_by: Vec<Shadowing>,
    /// What is there and should not be, and could not be removed, one sentence each.
    pub(crate) left: Vec<String>,
    /// Exempt prefixes the kernel holds now, link-local included.
    pub(crate) present: BTreeMap<Family, usize>,
    /// What the counters show, by family and name.
    pub(crate) counts: BTreeMap<(Family, String), Count>,
}

/// What would be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Preview {
    /// The rules, in the language of whoever lists them.
    pub(crate) rules: String,
    /// The changes that lead there from what this kernel holds, one a line; empty = none.
    pub(crate) changes: Result<String, Failure>,
}

/// A rule of somebody else's that takes packets before ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shadowing {
    /// Whose it is; `unknown` where that can't be told.
    pub(crate) owner: &'static str,
    /// It is there on every node that runs its owner, and takes only what is the owner's to translate.
    pub(crate) expected: bool,
    /// One sentence about it.
    pub(crate) words: String,
}

#[cfg(test)]
pub(crate) mod fake {
    use super::*;
    use causeway_addr::Cidr;
    use std::collections::VecDeque;

    /// A kernel in memory.
    #[derive(Debug, Default)]
    pub(crate) struct Fake {
        /// The rules it holds.
        pub(crate) rules: Option<Settings>,
        /// Answers of the next calls of [`Kernel::sync`], before it works again.
        pub(crate) failures: VecDeque<Failure>,
        /// Changes that were made.
        pub(crate) writes: usize,
        /// Rules of others it has.
        pub(crate) others: Vec<Shadowing>,
        /// Those that were there when they were last looked at.
        pub(crate) looked: Vec<Shadowing>,
    }

    impl Fake {
        /// The exempt prefixes it holds.
        pub(crate) fn exempt(&self) -> Vec<String> {
            self.rules.iter().flat_map(|rules| &rules.config.exempt).map(Cidr::to_string).collect()
        }
    }

    impl Kernel for Fake {
        fn name(&self) -> &'static str {
            "fake"
        }

        fn has_rules(&mut self) -> Result<bool, Failure> {
            Ok(self.rules.is_some())
        }

        fn sync(&mut self, settings: &Settings) -> Result<Synced, Failure> {
            if let Some(failure) = self.failures.pop_front() {
                return Err(failure);
            }
            let changes = usize::from(self.rules.as_ref() != Some(settings));
            self.writes += changes;
            let rewritten = changes > 0 && self.rules.is_some();
            self.rules = Some(settings.clone());
            let present = settings.families().map(|family| (family, settings.exempt(family).len())).collect();
            Ok(Synced { changes, rewritten, present, shadowed_by: self.looked.clone(), ..Synced::default() })
        }

        fn look_at_others(&mut self) {
            self.looked.clone_from(&self.others);
        }

        fn preview(&mut self, settings: &Settings) -> Preview {
            let changes = if self.rules.as_ref() == Some(settings) { "" } else { "put it there\n" };
            Preview { rules: format!("{settings:?}\n"), changes: Ok(changes.to_owned()) }
        }

        fn clean(&mut self) -> Result<bool, Failure> {
            Ok(self.rules.take().is_some())
        }
    }
}
