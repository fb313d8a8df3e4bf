//! Representative flows whose fate differs between two designs.

use causeway_model::design::Design;
use causeway_trace::matrix::{Cell, matrix};
use causeway_trace::{Owner, Verdict, World};
use std::collections::BTreeMap;

/// What becomes of a representative flow, as far as somebody would notice a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fate {
    /// The verdict.
    pub verdict: Verdict,
    /// The source the receiver sees: an address, or `pod` or `node` where it is the sender's own or its node's; `None` = it sees none, or it
    /// can't be said.
    pub source: Option<String>,
    /// Who owns the packet when it arrives, or who stopped it.
    pub owner: Owner,
    /// Who decided, in a sentence; empty = nobody did.
    pub because: String,
}

/// A representative flow that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowChange {
    /// The cluster.
    pub cluster: String,
    /// The pool whose pods send.
    pub pool: String,
    /// Kind of peer (`internet`, `peered`, ...).
    pub class: String,
    /// Which peer; empty where the class says it all.
    pub peer: String,
    /// What became of it; `None` = there was no such flow.
    pub before: Option<Fate>,
    /// What becomes of it; `None` = there is no such flow any more.
    pub after: Option<Fate>,
}

impl FlowChange {
    /// Whether somebody notices: a flow that was and is there and differs.
    pub fn concerns_somebody(&self) -> bool {
        self.before.is_some() && self.after.is_some()
    }
}

type Key = (String, String, causeway_trace::matrix::Peer);

/// Every representative flow of two designs that differs.
pub(super) fn changes(before: &Design, after: &Design) -> Vec<FlowChange> {
    let (before, after) = (fates(before), fates(after));
    let keys: std::collections::BTreeSet<&Key> = before.keys().chain(after.keys()).collect();
    let mut out = Vec::new();
    for key in keys {
        let (old, new) = (before.get(key), after.get(key));
        let differs = match (old, new) {
            (Some(old), Some(new)) => (old.verdict, &old.source, old.owner) != (new.verdict, &new.source, new.owner),
            _ => true,
        };
        if differs {
            let (cluster, pool, peer) = key.clone();
            let class = peer.class.to_string();
            out.push(FlowChange { cluster, pool, class, peer: peer.name, before: old.cloned(), after: new.cloned() });
        }
    }
    out
}

fn fates(design: &Design) -> BTreeMap<Key, Fate> {
    let world = World::new(design);
    let key = |cell: &Cell| (cell.cluster.to_string(), cell.pool.to_string(), cell.peer.clone());
    matrix(&world).iter().map(|cell| (key(cell), fate(cell))).collect()
}

fn fate(cell: &Cell) -> Fate {
    let trace = &cell.trace;
    // An address that only stands for others says nothing by itself.
    let source = trace.source_seen.map(|source| match trace.sent {
        Some(sent) if sent.source == source => "pod".to_owned(),
        _ if trace.sender_node == Some(source) => "node".to_owned(),
        _ if trace.notes.iter().any(|note| note.contains(&format!("{source} stands for"))) => "unknown".to_owned(),
        _ => source.to_string(),
    });
    let because = trace.decided_by.as_ref().map_or(String::new(), |decision| decision.because.clone());
    Fate { verdict: trace.verdict, source, owner: cell.owner(), because }
}
