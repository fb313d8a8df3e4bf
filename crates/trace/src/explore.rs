//! A flow may go several ways: each is walked.
//!
//! A walk asks [`Choices`] wherever somebody else would throw dice (an endpoint of a service, a node behind a load balancer) and is run
//! again until every answer was given once.

/// The answers a walk is given where it has to choose, and how many there were to choose from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Choices {
    script: Vec<usize>,
    asked: Vec<usize>,
}

impl Choices {
    /// Which of so many; 0 when there are none.
    pub(crate) fn pick(&mut self, of: usize) -> usize {
        let chosen = self.script.get(self.asked.len()).copied().unwrap_or(0);
        self.asked.push(of.max(1));
        chosen.min(of.saturating_sub(1))
    }

    /// The next walk's answers; `None` when all were given.
    fn next(self) -> Option<Choices> {
        let taken = |at: usize| self.script.get(at).copied().unwrap_or(0);
        let last = (0..self.asked.len()).rev().find(|at| self.asked.get(*at).is_some_and(|of| taken(*at) + 1 < *of))?;
        let mut script: Vec<usize> = (0..last).map(taken).collect();
        script.push(taken(last) + 1);
        Some(Choices { script, asked: Vec::new() })
    }
}

/// More ways than this are not walked; that there are more is told.
pub(crate) const MOST_WAYS: usize = 256;

/// What every way comes to, and whether there were more of them than [`MOST_WAYS`].
pub(crate) fn every_way<T>(mut walk: impl FnMut(&mut Choices) -> T) -> (Vec<T>, bool) {
    let mut out = Vec::new();
    let mut choices = Choices::default();
    loop {
        out.push(walk(&mut choices));
        match choices.next() {
            None => return (out, false),
            Some(_) if out.len() == MOST_WAYS => return (out, true),
            Some(next) => choices = next,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_combination_is_walked_once() {
        let (ways, more) = every_way(|choices| {
            let first = choices.pick(3);
            let second = if first == 1 { choices.pick(2) } else { 9 };
            (first, second)
        });
        assert_eq!(ways, [(0, 9), (1, 0), (1, 1), (2, 9)]);
        assert!(!more);
    }

    #[test]
    fn nothing_to_choose_is_one_way() {
        assert_eq!(every_way(|choices| choices.pick(0)), (vec![0], false));
        assert_eq!(every_way(|_| ()), (vec![()], false));
    }

    #[test]
    fn too_many_ways_are_told() {
        let (ways, more) = every_way(|choices| choices.pick(1_000));
        assert_eq!((ways.len(), more), (MOST_WAYS, true));
    }
}
