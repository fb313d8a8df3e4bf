//! Packed keys: search, change, comparison.

use super::objects::Keys;

/// Runs of equal bytes are compared in pieces of this many before single keys are looked at.
const PIECE: usize = 4096;

impl Keys {
    /// No key yet, of this width in bytes.
    pub fn new(width: usize) -> Keys {
        Keys { width, bytes: Vec::new() }
    }

    /// Keys in any order, some perhaps twice. What is not of the width is left out.
    pub fn collect<K: AsRef<[u8]>>(width: usize, keys: impl IntoIterator<Item = K>) -> Keys {
        let mut all = Keys::new(width);
        let mut sorted = true;
        let mut last: Option<usize> = None;
        for key in keys {
            let key = key.as_ref();
            if key.len() != width {
                continue;
            }
            if sorted {
                match last.and_then(|at| all.bytes.get(at..)).map(|before| before.cmp(key)) {
                    Some(std::cmp::Ordering::Equal) => continue,
                    Some(std::cmp::Ordering::Greater) => sorted = false,
                    _ => {}
                }
            }
            last = Some(all.bytes.len());
            all.bytes.extend_from_slice(key);
        }
        if !sorted {
            let mut list: Vec<&[u8]> = all.iter().collect();
            list.sort_unstable();
            list.dedup();
            all = Keys { width, bytes: list.concat() };
        }
        all
    }

    /// How many keys.
    pub fn len(&self) -> usize {
        self.bytes.len().checked_div(self.width).unwrap_or_default()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The keys in order.
    pub fn iter(&self) -> std::slice::ChunksExact<'_, u8> {
        self.bytes.chunks_exact(self.width.max(1))
    }

    /// The key at a position.
    pub fn get(&self, at: usize) -> Option<&[u8]> {
        let start = at.checked_mul(self.width)?;
        self.bytes.get(start..start.checked_add(self.width)?)
    }

    /// Whether it is there.
    pub fn contains(&self, key: &[u8]) -> bool {
        self.search(key).is_ok()
    }

    /// Its position, or the position it would get.
    fn search(&self, key: &[u8]) -> Result<usize, usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.get(middle).map(|found| found.cmp(key)) {
                Some(std::cmp::Ordering::Equal) => return Ok(middle),
                Some(std::cmp::Ordering::Less) => low = middle + 1,
                _ => high = middle,
            }
        }
        Err(low)
    }

    /// The first entry that begins with these bytes: the pair of a key, in a map.
    pub fn beginning(&self, head: &[u8]) -> Option<&[u8]> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.get(middle).is_some_and(|found| found < head) { low = middle + 1 } else { high = middle }
        }
        self.get(low).filter(|found| found.starts_with(head))
    }

    /// Puts a key in its place; false if it was there or has another width.
    pub fn insert(&mut self, key: &[u8]) -> bool {
        match self.search(key) {
            Err(at) if key.len() == self.width => {
                let start = at * self.width;
                self.bytes.splice(start..start, key.iter().copied());
                true
            }
            _ => false,
        }
    }

    /// Takes a key away; false if it was not there.
    pub fn remove(&mut self, key: &[u8]) -> bool {
        match self.search(key) {
            Ok(at) => {
                self.bytes.drain(at * self.width..(at + 1) * self.width);
                true
            }
            Err(_) => false,
        }
    }

    /// What must be added to get from `old` to this, and what must be taken away. Equal heads and tails, which are nearly
    /// everything when a list changes, are passed over as blocks of memory.
    pub fn since(&self, old: &Keys) -> Change {
        let width = self.width.max(old.width);
        let none = || Keys::new(width);
        if self.width != old.width && !self.is_empty() && !old.is_empty() {
            return Change { added: self.clone(), removed: old.clone() };
        }
        let head = whole(equal_head(&self.bytes, &old.bytes), width);
        let (Some(new), Some(old)) = (self.bytes.get(head..), old.bytes.get(head..)) else {
            return Change { added: none(), removed: none() };
        };
        let tail = whole(equal_tail(new, old), width);
        let (Some(new), Some(old)) =
            (new.get(..new.len().saturating_sub(tail)), old.get(..old.len().saturating_sub(tail)))
        else {
            return Change { added: none(), removed: none() };
        };
        let mut change = Change { added: none(), removed: none() };
        let (mut new, mut old) = (new.chunks_exact(width.max(1)).peekable(), old.chunks_exact(width.max(1)).peekable());
        loop {
            let order = match (new.peek(), old.peek()) {
                (Some(a), Some(b)) => a.cmp(b),
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (None, None) => return change,
            };
            if order.is_le()
                && let Some(key) = new.next()
                && order.is_lt()
            {
                change.added.bytes.extend_from_slice(key);
            }
            if order.is_ge()
                && let Some(key) = old.next()
                && order.is_gt()
            {
                change.removed.bytes.extend_from_slice(key);
            }
        }
    }

    /// The keys in pieces of at most this many.
    pub fn pieces(&self, most: usize) -> impl Iterator<Item = Keys> + '_ {
        let bytes = most.max(1).saturating_mul(self.width.max(1));
        self.bytes.chunks(bytes).map(|piece| Keys { width: self.width, bytes: piece.to_vec() })
    }
}

/// The way from one list of keys to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Only in the new one.
    pub added: Keys,
    /// Only in the old one.
    pub removed: Keys,
}

impl Change {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }
}

/// The largest multiple of the width that is not above the length.
fn whole(length: usize, width: usize) -> usize {
    length - length.checked_rem(width).unwrap_or_default()
}

fn equal_head(a: &[u8], b: &[u8]) -> usize {
    let pieces: usize = a.chunks(PIECE).zip(b.chunks(PIECE)).take_while(|(x, y)| x == y).map(|(x, _)| x.len()).sum();
    let rest = a.iter().skip(pieces).zip(b.iter().skip(pieces));
    pieces + rest.take_while(|(x, y)| x == y).count()
}

fn equal_tail(a: &[u8], b: &[u8]) -> usize {
    let pieces: usize = a.rchunks(PIECE).zip(b.rchunks(PIECE)).take_while(|(x, y)| x == y).map(|(x, _)| x.len()).sum();
    let rest = a.iter().rev().skip(pieces).zip(b.iter().rev().skip(pieces));
    pieces + rest.take_while(|(x, y)| x == y).count()
}

#[cfg(test)]
mod tests;
