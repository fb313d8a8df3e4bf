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
    /// There were files while running, none is left, and the built-in list is in effect.
    pub(crate) files_gone: bool,
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
    /// A list shrank to nothing while running.
    ShrankToNothing(Shrunk),
    /// Some files are refused, and the others list nothing.
    RestIsEmpty,
}

/// Whose list shrank to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shrunk {
    /// That of one family.
    One(Family),
    /// Those of both.
    Both,
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
        let had_files = self.held.as_ref().is_some_and(|held| !held.accepted.defaults || held.files_gone);
        let files_gone = accepted.defaults && had_files;
        let next = Held { accepted: Arc::clone(accepted), partial: !whole, files_gone };
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
            && let Some(shrunk) = shrunk(held, &next)
        {
            if let Shrunk::One(family) = shrunk {
                self.held = Some(mixed(held, &next, family));
            }
            return Decision::Keep(Doubt::ShrankToNothing(shrunk));
        }
        self.held = Some(next);
        Decision::Take
    }

    fn doubtful(&self, doubt: Doubt) -> Decision {
        if self.held.is_some() { Decision::Keep(doubt) } else { Decision::Wait(doubt) }
    }
}

/// Families that had entries and have none left, so that everything of them would be translated. Going back to the built-in list is no
/// accident of writing: the files are gone.
fn shrunk(held: &Held, next: &Held) -> Option<Shrunk> {
    let has = |held: &Held, family| held.accepted.config.exempt.iter().any(|cidr| cidr.family() == family);
    let shrinks = |family| !next.accepted.defaults && has(held, family) && !has(next, family);
    match (shrinks(Family::V4), shrinks(Family::V6)) {
        (true, true) => Some(Shrunk::Both),
        (true, false) => Some(Shrunk::One(Family::V4)),
        (false, true) => Some(Shrunk::One(Family::V6)),
        (false, false) => None,
    }
}

/// What was read, but of one family what is kept: rules of one family do not see packets of the other.
fn mixed(held: &Held, next: &Held, family: Family) -> Held {
    let (old, new) = (&held.accepted, &next.accepted);
    let text_family = |text: &str| if text.contains(':') { Family::V6 } else { Family::V4 };
    let mut accepted = Accepted::clone(new);
    accepted.defaults = old.defaults;
    accepted.config.exempt.extend(old.config.exempt.iter().filter(|cidr| cidr.family() == family));
    accepted.config.exempt.sort();
    accepted.texts.extend(old.texts.iter().filter(|text| text_family(text) == family).cloned());
    accepted.texts.sort();
    match family {
        Family::V4 => accepted.config.link_local = old.config.link_local,
        Family::V6 => accepted.config.link_local_v6 = old.config.link_local_v6,
    }
    Held { accepted: Arc::new(accepted), ..next.clone() }
}

#[cfg(test)]
mod tests;
