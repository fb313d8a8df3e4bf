//! Every pool against every class of peer, in print.

use super::{Traced, value, words};
use crate::human::Look;
use crate::json::to_text;
use crate::text::{printable, wrap};
use crate::trace::JsonTrace;
use causeway_model::design::{ClusterName, Design, PoolName};
use causeway_model::source::Sources;
use causeway_trace::matrix::{Cell, PeerClass};
use causeway_trace::{Trace, Verdict};
use serde::Serialize;
use std::collections::BTreeSet;
use std::net::IpAddr;

#[derive(Serialize)]
struct Document<'a> {
    causeway: u32,
    matrix: Vec<JsonCell<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonCell<'a> {
    cluster: &'a str,
    pool: &'a str,
    /// The class of the peer.
    peer: &'static str,
    /// Which one of its class; null where the class says it all.
    name: Option<&'a str>,
    from: &'a str,
    to: &'a str,
    verdict: &'static str,
    source_seen: Option<IpAddr>,
    /// `pod`, `node` or `other`: whose address that is.
    seen_as: Option<&'static str>,
    owner: &'static str,
    trace: JsonTrace<'a>,
}

/// For programs.
pub fn matrix_json<'a>(design: &'a Design, sources: &'a Sources, cells: &'a [Cell]) -> String {
    let cell = |cell: &'a Cell| -> JsonCell<'a> {
        JsonCell {
            cluster: cell.cluster.as_str(),
            pool: cell.pool.as_str(),
            peer: cell.peer.class.as_str(),
            name: Some(cell.peer.name.as_str()).filter(|name| !name.is_empty()),
            from: &cell.from,
            to: &cell.to,
            verdict: cell.trace.verdict.as_str(),
            source_seen: cell.trace.source_seen,
            seen_as: seen_as(&cell.trace),
            owner: cell.owner().as_str(),
            trace: value(&Traced { design, sources, trace: &cell.trace }),
        }
    };
    to_text(&Document { causeway: 1, matrix: cells.iter().map(cell).collect() })
}

/// Whose address is seen.
fn seen_as(trace: &Trace) -> Option<&'static str> {
    let seen = trace.source_seen?;
    Some(match (&trace.sent, trace.sender_node) {
        (Some(sent), _) if sent.source == seen => "pod",
        (_, Some(node)) if node == seen => "node",
        _ => "other",
    })
}

fn class(class: PeerClass) -> &'static str {
    match class {
        PeerClass::OwnNode => "own node",
        PeerClass::SameNode => "pod, same node",
        PeerClass::SameCluster => "pod, same cluster",
        PeerClass::Service => "service",
        PeerClass::Vnet => "VNet",
        PeerClass::Peered => "peered",
        PeerClass::OnPremises => "on-premises",
        PeerClass::Internet => "internet",
        PeerClass::PlatformDns => "platform DNS",
        PeerClass::PlatformMetadata => "platform metadata",
        PeerClass::PrivateEndpoint => "private endpoint",
        PeerClass::ApiServer => "API server",
    }
}

/// A line: pools that fare alike share it.
struct Line<'a> {
    cluster: &'a ClusterName,
    pools: Vec<&'a PoolName>,
    cell: &'a Cell,
}

/// Nobody would tell them apart but by the pods' own addresses.
fn alike(one: &Cell, other: &Cell) -> bool {
    let key = |cell: &Cell| {
        let seen = cell.trace.source_seen.filter(|_| seen_as(&cell.trace) == Some("other"));
        (cell.trace.verdict, seen_as(&cell.trace), seen, cell.owner(), cell.peer.clone())
    };
    one.cluster == other.cluster && key(one) == key(other)
}

/// Peer, verdict, source seen, owner.
fn row(cell: &Cell) -> [String; 4] {
    let trace = &cell.trace;
    let name = if cell.peer.name.is_empty() { String::new() } else { format!(" {}", cell.peer.name) };
    let peer = format!("{}{name}", class(cell.peer.class));
    let seen = trace.source_seen.map_or("-".to_owned(), |seen| match seen_as(trace) {
        Some("other") | None => seen.to_string(),
        Some(whose) => format!("{seen} ({whose})"),
    });
    let owner = match words::owner(cell.owner()) {
        "" => "-",
        owner => owner,
    };
    [printable(&peer).into_owned(), trace.verdict.to_string(), seen, owner.to_owned()]
}

/// For people: a line a peer, and one more for each pool that fares otherwise.
pub fn matrix_human(cells: &[Cell], look: &Look) -> String {
    let mut lines: Vec<Line<'_>> = Vec::new();
    for cell in cells {
        match lines.iter_mut().find(|line| alike(line.cell, cell)) {
            Some(line) => line.pools.push(&cell.pool),
            None => lines.push(Line { cluster: &cell.cluster, pools: vec![&cell.pool], cell }),
        }
    }
    if lines.is_empty() {
        return "there is no pool here whose pods could send\n".to_owned();
    }
    let mut out = String::new();
    let mut unsure: Vec<(&str, &str)> = Vec::new();
    let mut of: Option<&ClusterName> = None;
    let rows: Vec<[String; 4]> = lines.iter().map(|line| row(line.cell)).collect();
    let wide = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|text| text.chars().count()).max().unwrap_or(0).max(11)
    };
    let [peers, verdicts, seens] = [wide(0), wide(1), wide(2)];
    for (line, [peer, verdict, seen, owner]) in lines.iter().zip(&rows) {
        let all = cells.iter().filter(|cell| cell.cluster == *line.cluster).map(|cell| &cell.pool);
        let all: BTreeSet<&PoolName> = all.collect();
        if of != Some(line.cluster) {
            let gap = if of.is_some() { "\n" } else { "" };
            let (title, to) = (printable(line.cluster.as_str()), "pods of it to");
            out.push_str(&format!("{gap}Cluster {title}\n"));
            out.push_str(&format!("  {to:peers$}  {:verdicts$}  {:seens$}  owner\n", "verdict", "source seen"));
            of = Some(line.cluster);
        }
        let trace = &line.cell.trace;
        out.push_str(&format!("  {peer:peers$}  {verdict:verdicts$}  {seen:seens$}  {owner}\n"));
        if line.pools.len() < all.len() {
            let names: Vec<&str> = line.pools.iter().map(|pool| pool.as_str()).collect();
            let word = if names.len() == 1 { "pool" } else { "pools" };
            let text = format!("{word} {}", names.join(", "));
            for text in wrap(&printable(&text), look.width.saturating_sub(6)) {
                out.push_str(&format!("      {text}\n"));
            }
        }
        if trace.verdict == Verdict::Uncertain {
            unsure.extend(trace.missing.iter().map(|missing| (missing.fact.as_str(), missing.how.as_str())));
        }
    }
    unsure.sort_unstable();
    unsure.dedup();
    if !unsure.is_empty() {
        out.push_str("\nNot known, and needed\n");
        for (fact, how) in unsure {
            for (at, line) in
                wrap(&printable(&format!("{fact}: {how}")), look.width.saturating_sub(6)).iter().enumerate()
            {
                out.push_str(&format!("   {}  {line}\n", if at == 0 { "-" } else { " " }));
            }
        }
    }
    out.push_str("\n`causeway trace PATH --from WHO --to WHERE` tells the whole story of one of them.\n");
    out
}
