//! What to do with what was read: take it, keep what is there, or wait. The rules of a node never get worse by a mistake in a file.

use super::judge::Judged;
use causeway_addr::Family;
use causeway_read::masquerade::Accepted;
use std::sync::Arc;

/// What the agent was told to do with doubtful configurations.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Policy {
    /// One refused file refuses all.
    pub(crate) strict: bool,
    /// A list may shrink to nothing while running.
    pub(crate) allow_empty: bool,
}

/// The configuration that is kept in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    /// What the good files come to. Shared, because lists may be long.
    pub(crate) accepted: Arc<Accepted>,
    /// Some files were refused, and this is what the others say.
    pub(crate) partial: bool,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decision {
    /// What was read is what is kept in place from now on.
    Take,
    /// What was kept is kept.
    Keep(Doubt),
    /// Nothing was taken yet. Rules that are in the kernel stay as they are.
    Wait(Doubt),
}

/// Why what was read is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// The directory can't be read.
    Directory,
    /// Files are refused.
    Files,
    /// The list shrank to nothing while running.
    ShrankToNothing,
    /// Some files are refused, and the others list nothing.
    RestIsEmpty,
}

/// Remembers what is kept in place.
#[derive(Debug)]
pub(crate) struct Keeper {
    policy: Policy,
    held: Option<Held>,
}

impl Keeper {
    /// Nothing was taken yet.
    pub(crate) fn new(policy: Policy) -> Keeper {
        Keeper { policy, held: None }
    }

    /// What is kept in place; `None` = nothing was taken yet.
    pub(crate) fn held(&self) -> Option<&Held> {
        self.held.as_ref()
    }

    /// Decides about what was read. `found` = the kernel holds rules of an agent that ran before: they were made from a configuration that
    /// was good then, and stay until a whole one is read.
    pub(crate) fn decide(&mut self, judged: &Judged, found: bool) -> Decision {
        let whole = judged.is_whole();
        let doubt = if judged.unlistable.is_some() { Doubt::Directory } else { Doubt::Files };
        let Some(accepted) = &judged.accepted else { return self.doubtful(doubt) };
        let next = Held { accepted: Arc::clone(accepted), partial: !whole };
        if !whole {
            // What good files say is better than nothing, and worse than what all of them said before.
            let kept_is_whole = self.held.as_ref().map_or(found, |held| !held.partial);
            if self.policy.strict || kept_is_whole {
                return self.doubtful(doubt);
            }
            if next.accepted.config.exempt.is_empty() {
                return self.doubtful(Doubt::RestIsEmpty);
            }
        }
        if let Some(held) = &self.held
            && !self.policy.allow_empty
            && shrinks_to_nothing(held, &next)
        {
            return Decision::Keep(Doubt::ShrankToNothing);
        }
        self.held = Some(next);
        Decision::Take
    }

    fn doubtful(&self, doubt: Doubt) -> Decision {
        if self.held.is_some() { Decision::Keep(doubt) } else { Decision::Wait(doubt) }
    }
}

/// A family had entries and has none left, so that everything of it would be translated. Going back to the built-in list is no accident of
/// writing: the files are gone.
fn shrinks_to_nothing(held: &Held, next: &Held) -> bool {
    let count = |held: &Held, family| held.accepted.config.exempt.iter().filter(|cidr| cidr.family() == family).count();
    !next.accepted.defaults
        && [Family::V4, Family::V6].into_iter().any(|family| count(held, family) > 0 && count(next, family) == 0)
}

#[cfg(test)]
mod tests;
