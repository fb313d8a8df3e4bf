//! What differs between two designs, for people.

use super::{Look, Verbosity, findings};
use crate::capacity::{fits, layout, number, plain};
use crate::difference::{Comparison, nothing, report};
use crate::text::{count, grouped, printable, wrap};
use causeway_engine::capacity::{AddressPool, ClusterPorts, Snat};
use causeway_engine::compare::{Fate, FlowChange, OwnedRange, PoolChange, PortsChange};
use causeway_engine::masquerade::SourceChange;

/// The whole answer of `diff`: the worst first.
pub fn difference(comparison: &Comparison<'_>, look: &Look) -> String {
    let mut out = String::new();
    let difference = comparison.difference;
    let none = nothing();
    let (before, after) =
        (report(&comparison.old, comparison.threshold, &none), report(&comparison.new, comparison.threshold, &none));
    if !difference.refused.is_empty() {
        out.push_str("Steps the platform refuses\n\n");
        for finding in &difference.refused {
            let accepted = comparison.accepted(finding).map(|because| format!("accepted: {because}"));
            findings::single(&after, finding, accepted.as_deref(), look, &mut out);
        }
        gap(look, &mut out);
    }
    sources(&difference.sources, look, &mut out);
    flows(&difference.flows, look, &mut out);
    pools(&difference.capacity, look, &mut out);
    ports(&difference.ports, look, &mut out);
    if !difference.new.is_empty() {
        out.push_str("New findings\n\n");
        for (finding, because) in &difference.new {
            let accepted = because.as_ref().map(|because| format!("accepted: {because}"));
            findings::single(&after, finding, accepted.as_deref(), look, &mut out);
        }
        gap(look, &mut out);
    }
    if !difference.gone.is_empty() {
        out.push_str("Findings that are gone\n\n");
        let brief = Look { verbosity: look.verbosity.min(Verbosity::Quiet), ..*look };
        for finding in &difference.gone {
            findings::single(&before, finding, None, &brief, &mut out);
        }
        out.push('\n');
    }
    ranges(&difference.added, &difference.removed, &mut out);
    objects(comparison, &mut out);
    for (which, side) in [("old", &comparison.old), ("new", &comparison.new)] {
        let notes = super::notes(side.design, side.sources, look);
        if !notes.is_empty() {
            let gap = if look.says(Verbosity::Verbose) { "\n\n" } else { " " };
            out.push_str(&format!("Of the {which} one, `{}`:{gap}{notes}", printable(&side.design.name)));
        }
    }
    summary(comparison, look, &mut out);
    out
}

/// Findings in full end with an empty line of their own.
fn gap(look: &Look, out: &mut String) {
    if !look.says(Verbosity::Normal) {
        out.push('\n');
    }
}

fn sources(changes: &[SourceChange], look: &Look, out: &mut String) {
    if changes.is_empty() {
        return;
    }
    out.push_str("Source addresses of pods\n");
    for change in changes {
        let line = format!("{}: {} sees {} instead of {}", change.cluster, change.peer, change.after, change.before);
        indented("  ", &line, look, out);
        if !change.machines.is_empty() {
            indented("    ", &format!("there: {}", change.machines.join(", ")), look, out);
        }
    }
    out.push('\n');
}

fn flows(changes: &[FlowChange], look: &Look, out: &mut String) {
    if changes.is_empty() {
        return;
    }
    out.push_str("Flows of pods\n");
    for change in changes {
        let peer =
            if change.peer.is_empty() { change.class.clone() } else { format!("{} `{}`", change.class, change.peer) };
        let fate = |fate: &Fate| match &fate.source {
            Some(source) => format!("{}, seen as {source}, owned by {}", fate.verdict, fate.owner),
            None => format!("{} by {}", fate.verdict, fate.owner),
        };
        let what = match (&change.before, &change.after) {
            (Some(before), Some(after)) => format!("{} instead of {}", fate(after), fate(before)),
            (None, Some(after)) => format!("new: {}", fate(after)),
            (Some(before), None) => format!("gone; it was {}", fate(before)),
            (None, None) => continue,
        };
        indented("  ", &format!("{}/{} to {peer}: {what}", change.cluster, change.pool), look, out);
        if let Some(after) = change.after.as_ref().filter(|after| !after.because.is_empty()) {
            indented("    ", &after.because, look, out);
        }
    }
    out.push('\n');
}

fn indented(indent: &str, text: &str, look: &Look, out: &mut String) {
    for (at, line) in wrap(&printable(text), look.width.saturating_sub(indent.len() + 2).max(20)).iter().enumerate() {
        out.push_str(indent);
        out.push_str(if at == 0 { "" } else { "  " });
        out.push_str(line);
        out.push('\n');
    }
}

/// `3 -> 5`, one value where both are the same, and a dash for what is not there.
fn arrow(before: Option<String>, after: Option<String>) -> String {
    let or_none = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    let (before, after) = (or_none(before), or_none(after));
    if before == after { after } else { format!("{before} -> {after}") }
}

/// The same in two lines, for words that are long.
fn tall(before: Option<String>, after: Option<String>) -> String {
    match (before, after) {
        (Some(before), Some(after)) if before != after => format!("{before}\n-> {after}"),
        (before, after) => arrow(before, after),
    }
}

fn pools(changes: &[PoolChange], look: &Look, out: &mut String) {
    if changes.is_empty() {
        return;
    }
    out.push_str("Addresses\n");
    let rows = changes.iter().map(|PoolChange { pool, before, after }| {
        let prefix = |pool: &AddressPool| plain(pool.prefix.as_deref().unwrap_or("?"));
        let of = |read: &dyn Fn(&AddressPool) -> String| arrow(before.as_ref().map(read), after.as_ref().map(read));
        [
            plain(pool),
            tall(before.as_ref().map(prefix), after.as_ref().map(prefix)),
            of(&|pool| number(pool.usable)),
            of(&|pool| number(pool.at_max)),
            of(&|pool| number(pool.during_upgrade)),
            of(&|pool| fits(pool.fits, pool.short_by)),
        ]
    });
    let header = ["pool", "prefix", "usable", "at\nmaximum", "during\nupgrade", "fits"];
    out.push_str(&layout(look, header, rows.collect(), 2..=4));
    out.push('\n');
}

fn ports(changes: &[PortsChange], look: &Look, out: &mut String) {
    if changes.is_empty() {
        return;
    }
    out.push_str("SNAT ports\n");
    let rows = changes.iter().map(|PortsChange { cluster, before, after }| {
        let kind = |ports: &ClusterPorts| ports.snat.kind.as_str().to_owned();
        let of = |read: &dyn Fn(&Snat) -> String| {
            arrow(before.as_ref().map(|ports| read(&ports.snat)), after.as_ref().map(|ports| read(&ports.snat)))
        };
        [
            plain(cluster),
            tall(before.as_ref().map(kind), after.as_ref().map(kind)),
            of(&|snat| number(snat.effective_nodes)),
            of(&|snat| number(snat.ports_per_node)),
            of(&|snat| number(snat.ports_needed)),
            of(&|snat| number(snat.ports_available)),
            of(&|snat| fits(snat.fits, None)),
        ]
    });
    let header = ["cluster", "type", "nodes", "ports\nper node", "needed", "available", "fits"];
    out.push_str(&layout(look, header, rows.collect(), 2..=5));
    out.push('\n');
}

fn ranges(added: &[OwnedRange], removed: &[OwnedRange], out: &mut String) {
    if added.is_empty() && removed.is_empty() {
        return;
    }
    out.push_str("Ranges\n");
    for (sign, ranges) in [("-", removed), ("+", added)] {
        for OwnedRange { object, range } in ranges {
            out.push_str(&format!("  {sign} {range}  {}\n", printable(object)));
        }
    }
    out.push('\n');
}

fn objects(comparison: &Comparison<'_>, out: &mut String) {
    let objects = &comparison.difference.objects;
    if objects.is_empty() {
        return;
    }
    out.push_str("Objects that packets meet; what they change for pods stands under flows\n");
    for change in objects {
        out.push_str(&format!("  {:7}  {}\n", change.how.as_str(), printable(&change.object)));
    }
    out.push('\n');
}

/// The last line.
fn summary(comparison: &Comparison<'_>, look: &Look, out: &mut String) {
    let difference = comparison.difference;
    if difference.is_empty() {
        out.push_str("nothing differs that packets, addresses or findings depend on\n");
        return;
    }
    let fit = difference.capacity.iter().filter(|change| change.changes_fit()).count()
        + difference.ports.iter().filter(|change| change.changes_fit()).count();
    let parts = [
        (difference.refused.len(), "refused step"),
        (difference.sources.len(), "changed source address"),
        (difference.flows.len(), "changed flow"),
        (fit, "change of what fits"),
        (difference.new.len(), "new finding"),
        (difference.gone.len(), "gone finding"),
        (difference.objects.len(), "changed object"),
    ];
    let words: Vec<String> = parts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, one)| match *one {
            "changed source address" if *number > 1 => format!("{} changed source addresses", grouped(*number as u64)),
            "change of what fits" if *number > 1 => format!("{} changes of what fits", grouped(*number as u64)),
            one => count(*number, one),
        })
        .collect();
    let verdict = if comparison.fails() { "failed" } else { "passed" };
    let words = if words.is_empty() { "only numbers differ".to_owned() } else { words.join(", ") };
    let (old, new) = (printable(&comparison.old.design.name), printable(&comparison.new.design.name));
    let names = if old == new { format!("`{new}`") } else { format!("`{old}` to `{new}`") };
    indented("", &format!("{names} {verdict}: {words}"), look, out);
}
