//! What differs between two masquerade configurations.

use crate::human::Look;
use crate::json::to_text;
use crate::text::{count, grouped, printable, wrap};
use causeway_addr::Cidr;
use causeway_engine::masquerade::lists::{Changes, Group, Listed};
use serde::Serialize;

/// Ranges of one group that people are shown; programs get all.
const SHOWN: usize = 12;

/// Two configurations and what differs.
#[derive(Debug, Clone, Copy)]
pub struct Lists<'a> {
    /// What the old one is called, and what nodes make of it.
    pub old: (&'a str, &'a Listed),
    /// The new one.
    pub new: (&'a str, &'a Listed),
    /// What differs.
    pub changes: &'a Changes,
}

impl Lists<'_> {
    /// The new configuration is refused, or anything changes where nothing may.
    pub fn fails(&self, deny_change: bool) -> bool {
        let refused = |(_, listed): &(&str, &Listed)| matches!(listed, Listed::Refused { .. });
        refused(&self.new) || (deny_change && (refused(&self.old) || !self.changes.is_empty()))
    }
}

/// For people.
pub fn human(lists: &Lists<'_>, look: &Look) -> String {
    let mut out = String::new();
    for (which, (name, listed)) in [("old", lists.old), ("new", lists.new)] {
        match listed {
            Listed::Refused { message, exits } => refused(which, name, message, *exits, look, &mut out),
            Listed::Applied { defaults: true, .. } => {
                let text = format!(
                    "The {which} one, `{name}`, has no file that takes part: the agent's built-in list counts."
                );
                paragraph("", &text, look, &mut out);
                out.push('\n');
            }
            Listed::Applied { .. } => {}
        }
    }
    groups(
        "Translated from now on: the node's address is seen instead of the pod's",
        &lists.changes.to_node,
        look,
        &mut out,
    );
    groups(
        "No longer translated: the pod's address is seen instead of the node's",
        &lists.changes.to_pod,
        look,
        &mut out,
    );
    idle("Entries that came and change nothing", &lists.changes.added_without_effect, look, &mut out);
    idle("Entries that went and stay exempt", &lists.changes.removed_without_effect, look, &mut out);
    out.push_str(&summary(lists));
    out
}

fn refused(which: &str, name: &str, message: &str, exits: bool, look: &Look, out: &mut String) {
    paragraph("", &format!("The {which} one, `{name}`, is refused by the agent: {message}"), look, out);
    let after =
        if exits { "The agent ends, and is started again and again. " } else { "The agent keeps what it has. " };
    let nodes = "Rules that are on a node stay; a node that starts now translates nothing.";
    paragraph("  ", &format!("{after}{nodes}"), look, out);
    out.push('\n');
}

fn groups(title: &str, groups: &[Group], look: &Look, out: &mut String) {
    if groups.is_empty() {
        return;
    }
    out.push_str(title);
    out.push('\n');
    for group in groups {
        let ranges = listed(group.ranges.iter().map(ToString::to_string), group.ranges.len());
        paragraph("  ", &format!("{}: {ranges}", group.who), look, out);
        if !group.machines.is_empty() {
            let machines = group.machines.iter().map(|(name, address)| format!("{name} ({address})"));
            paragraph("    ", &format!("there: {}", listed(machines, group.machines.len())), look, out);
        }
    }
    out.push('\n');
}

fn idle(title: &str, entries: &[Cidr], look: &Look, out: &mut String) {
    if !entries.is_empty() {
        let entries = listed(entries.iter().map(ToString::to_string), entries.len());
        paragraph("", &format!("{title}: {entries}"), look, out);
        out.push('\n');
    }
}

fn listed(items: impl Iterator<Item = String>, all: usize) -> String {
    let mut text = items.take(SHOWN).collect::<Vec<_>>().join(", ");
    if all > SHOWN {
        text.push_str(&format!(" and {} more", grouped((all - SHOWN) as u64)));
    }
    text
}

fn paragraph(indent: &str, text: &str, look: &Look, out: &mut String) {
    for (at, line) in wrap(&printable(text), look.width.saturating_sub(indent.len() + 2).max(20)).iter().enumerate() {
        out.push_str(indent);
        out.push_str(if at == 0 { "" } else { "  " });
        out.push_str(line);
        out.push('\n');
    }
}

fn summary(lists: &Lists<'_>) -> String {
    match (lists.old.1, lists.new.1) {
        (_, Listed::Refused { .. }) => {
            "Nothing changes on nodes that run; the new configuration does not take effect.\n".to_owned()
        }
        (Listed::Refused { .. }, _) => "What changes can't be said: what nodes have now is not known.\n".to_owned(),
        _ if lists.changes.is_empty() => "No destination sees another address.\n".to_owned(),
        _ => {
            let ranges = |groups: &[Group]| groups.iter().map(|group| group.ranges.len()).sum::<usize>();
            let (to_node, to_pod) = (ranges(&lists.changes.to_node), ranges(&lists.changes.to_pod));
            format!(
                "{} translated from now on, {} no longer; connections that exist keep the address they have.\n",
                count(to_node, "range"),
                count(to_pod, "range")
            )
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    causeway: u32,
    old: JsonSide<'a>,
    new: JsonSide<'a>,
    changes: Vec<JsonGroup<'a>>,
    entries: JsonEntries,
    summary: JsonSummary,
}

#[derive(Serialize)]
struct JsonSide<'a> {
    name: &'a str,
    /// The agent's words, where it refuses the configuration.
    refused: Option<&'a str>,
    /// No file takes part: the built-in list counts.
    defaults: bool,
}

#[derive(Serialize)]
struct JsonGroup<'a> {
    /// Whose address is seen: `pod` or `node`.
    before: &'static str,
    after: &'static str,
    who: &'a str,
    object: Option<&'a str>,
    ranges: Vec<String>,
    machines: Vec<JsonMachine<'a>>,
}

#[derive(Serialize)]
struct JsonMachine<'a> {
    name: &'a str,
    address: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonEntries {
    added: Vec<String>,
    removed: Vec<String>,
    added_without_effect: Vec<String>,
    removed_without_effect: Vec<String>,
}

#[derive(Serialize)]
struct JsonSummary {
    /// Some destination sees another address.
    changes: bool,
    /// Both configurations are applied, so that the comparison is complete.
    compared: bool,
}

/// For programs.
pub fn json(lists: &Lists<'_>) -> String {
    let side = |(name, listed): (&'_ str, &'_ Listed)| -> (String, Option<String>, bool) {
        match listed {
            Listed::Applied { defaults, .. } => (name.to_owned(), None, *defaults),
            Listed::Refused { message, .. } => (name.to_owned(), Some(message.clone()), false),
        }
    };
    let (old, new) = (side(lists.old), side(lists.new));
    let changes = lists.changes;
    let to_node = changes.to_node.iter().map(|group| json_group(group, "pod", "node"));
    let to_pod = changes.to_pod.iter().map(|group| json_group(group, "node", "pod"));
    let words = |cidrs: &[Cidr]| cidrs.iter().map(ToString::to_string).collect();
    to_text(&Document {
        causeway: 1,
        old: JsonSide { name: &old.0, refused: old.1.as_deref(), defaults: old.2 },
        new: JsonSide { name: &new.0, refused: new.1.as_deref(), defaults: new.2 },
        changes: to_node.chain(to_pod).collect(),
        entries: JsonEntries {
            added: words(&changes.added),
            removed: words(&changes.removed),
            added_without_effect: words(&changes.added_without_effect),
            removed_without_effect: words(&changes.removed_without_effect),
        },
        summary: JsonSummary { changes: !changes.is_empty(), compared: old.1.is_none() && new.1.is_none() },
    })
}

fn json_group<'a>(group: &'a Group, before: &'static str, after: &'static str) -> JsonGroup<'a> {
    let machines = group.machines.iter().map(|(name, address)| JsonMachine { name, address: address.to_string() });
    JsonGroup {
        before,
        after,
        who: &group.who,
        object: group.object.as_deref(),
        ranges: group.ranges.iter().map(ToString::to_string).collect(),
        machines: machines.collect(),
    }
}
