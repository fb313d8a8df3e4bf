//! Sets of ports, protocol by protocol.

use causeway_model::design::Protocol;
use std::collections::BTreeMap;
use std::fmt;

/// Ports of protocols. Of protocols without ports the whole range stands for the protocol.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct PortSet(BTreeMap<Protocol, Vec<(u16, u16)>>);

impl PortSet {
    /// Every port of every protocol.
    pub fn all() -> PortSet {
        PortSet(crate::rows::PROTOCOLS.iter().map(|protocol| (*protocol, vec![(0, u16::MAX)])).collect())
    }

    /// Adds ports that lie after all of the protocol's that are in it.
    pub(crate) fn push(&mut self, protocol: Protocol, first: u16, last: u16) {
        let ranges = self.0.entry(protocol).or_default();
        match ranges.last_mut() {
            Some((_, end)) if end.checked_add(1) == Some(first) => *end = last,
            _ => ranges.push((first, last)),
        }
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether everything is.
    pub fn is_all(&self) -> bool {
        *self == PortSet::all()
    }

    /// The ranges, by protocol.
    pub fn ranges(&self) -> impl Iterator<Item = (Protocol, u16, u16)> {
        self.0.iter().flat_map(|(protocol, ranges)| ranges.iter().map(|(first, last)| (*protocol, *first, *last)))
    }

    /// What is in both.
    #[must_use]
    pub fn both(&self, other: &PortSet) -> PortSet {
        self.joined(other, |mine, theirs| mine && theirs)
    }

    /// What is in either.
    #[must_use]
    pub fn either(&self, other: &PortSet) -> PortSet {
        self.joined(other, |mine, theirs| mine || theirs)
    }

    /// What is in this one only.
    #[must_use]
    pub fn without(&self, other: &PortSet) -> PortSet {
        self.joined(other, |mine, theirs| mine && !theirs)
    }

    fn joined(&self, other: &PortSet, keep: fn(bool, bool) -> bool) -> PortSet {
        let mut out = PortSet::default();
        for protocol in crate::rows::PROTOCOLS {
            let of = |set: &PortSet| set.0.get(&protocol).cloned().unwrap_or_default();
            let (mine, theirs) = (of(self), of(other));
            let mut edges: Vec<u32> = mine
                .iter()
                .chain(&theirs)
                .flat_map(|(first, last)| [u32::from(*first), u32::from(*last) + 1])
                .collect();
            edges.sort_unstable();
            edges.dedup();
            for (from, to) in edges.iter().zip(edges.iter().skip(1)) {
                let (Ok(first), Ok(last)) = (u16::try_from(*from), u16::try_from(to - 1)) else { continue };
                let has = |ranges: &[(u16, u16)]| ranges.iter().any(|(low, high)| (*low..=*high).contains(&first));
                if keep(has(&mine), has(&theirs)) {
                    out.push(protocol, first, last);
                }
            }
        }
        out
    }
}

impl fmt::Display for PortSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_all() {
            return f.write_str("All Connections");
        }
        if self.is_empty() {
            return f.write_str("No Connections");
        }
        for (at, (protocol, ranges)) in self.0.iter().enumerate() {
            write!(f, "{}{}", if at == 0 { "" } else { ", " }, protocol.as_str().to_ascii_uppercase())?;
            if ranges.as_slice() == [(0, u16::MAX)] {
                continue;
            }
            for (at, (first, last)) in ranges.iter().enumerate() {
                // No connection goes to port 0.
                let first = (*first).max(1);
                f.write_str(if at == 0 { " " } else { "," })?;
                if first == *last { write!(f, "{first}")? } else { write!(f, "{first}-{last}")? }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(ranges: &[(Protocol, u16, u16)]) -> PortSet {
        let mut out = PortSet::default();
        ranges.iter().for_each(|(protocol, first, last)| out.push(*protocol, *first, *last));
        out
    }

    #[test]
    fn sets_of_ports() {
        let web = set(&[(Protocol::Tcp, 80, 80), (Protocol::Tcp, 443, 443)]);
        let low = set(&[(Protocol::Tcp, 0, 100), (Protocol::Udp, 53, 53)]);
        assert_eq!(web.both(&low).to_string(), "TCP 80");
        assert_eq!(web.either(&low).to_string(), "TCP 1-100,443, UDP 53");
        assert_eq!(web.without(&low).to_string(), "TCP 443");
        assert_eq!(PortSet::all().without(&PortSet::all()), PortSet::default());
        assert!(PortSet::all().without(&web).either(&web).is_all());
        assert_eq!(PortSet::all().to_string(), "All Connections");
    }
}
