//! What a careful operator wants to know about masquerade files before an agent reads them.

mod together;

use super::cidr::GoCidr;
use super::fields::{self, LINK_LOCAL, LINK_LOCAL_V6, LIST};
use super::flags::Flags;
use super::opened::{Held, Opened};
use super::reference::{self, Directory, DirectoryEntry, Rejected, SINGLE_FILE, takes_part};
use super::value::{Document, Member, Node, Value};
use causeway_addr::Cidr;
use causeway_model::codes::{self, Code};
use causeway_model::finding::Severity;
use causeway_model::masquerade::MasqueradeReader;
use causeway_model::suggest::nearest;
use std::ops::Range;

/// The file AKS writes and keeps.
const RECONCILED_FILE: &str = "ip-masq-agent-reconciled";

/// One thing to know about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// What kind of thing.
    pub code: Code,
    /// How bad.
    pub severity: Severity,
    /// The file; `None` when it is about the directory.
    pub file: Option<String>,
    /// The bytes of the file; `None` when it is about the whole of it.
    pub range: Option<Range<usize>>,
    /// One sentence: lower case, no full stop.
    pub message: String,
    /// What to do.
    pub help: String,
    /// What leads to it.
    pub evidence: Vec<String>,
}

/// One entry that takes part, in all files together.
struct Entry {
    file: String,
    text: String,
    range: Range<usize>,
    /// As it ends up in the kernel; `None` where it does not.
    cidr: Option<Cidr>,
}

/// One value of a boolean.
struct Said {
    file: String,
    range: Range<usize>,
    value: bool,
}

struct Strict<'a> {
    reader: MasqueradeReader,
    flags: &'a Flags,
    issues: Vec<Issue>,
    entries: Vec<Entry>,
    link_local: Vec<Said>,
    link_local_v6: Vec<Said>,
    /// Files that take part and could be read, with the place of their list if they have one.
    lists: Vec<(String, Option<Range<usize>>)>,
}

/// Everything worth knowing, in the order of files and bytes. A directory that a reader refuses always has an issue of severity
/// error among them.
pub fn strict(reader: MasqueradeReader, flags: &Flags, directory: &Directory) -> Vec<Issue> {
    Opened::new(directory).strict(reader, flags)
}

/// `rejected` = what the reader refuses of the directory, if it does.
pub(super) fn issues(
    reader: MasqueradeReader,
    flags: &Flags,
    directory: &Opened<'_>,
    rejected: Option<&Rejected>,
) -> Vec<Issue> {
    let mut strict = Strict {
        reader,
        flags,
        issues: Vec::new(),
        entries: Vec::new(),
        link_local: Vec::new(),
        link_local_v6: Vec::new(),
        lists: Vec::new(),
    };
    for (name, held) in directory.entries() {
        strict.file(name, held);
    }
    strict.redundant();
    strict.contradictions();
    strict.empty();
    if let Some(rejected) = rejected {
        strict.what_is_left(rejected);
    }
    let order = |issue: &Issue| (issue.file.clone(), issue.range.as_ref().map(|range| (range.start, range.end)));
    strict.issues.sort_by_key(order);
    strict.issues
}

impl Strict<'_> {
    fn push(
        &mut self,
        code: Code,
        file: &str,
        range: Option<Range<usize>>,
        message: String,
        help: String,
    ) -> &mut Issue {
        self.issues.push(Issue {
            code,
            severity: code.severity(),
            file: Some(file.to_owned()),
            range,
            message,
            help,
            evidence: Vec::new(),
        });
        let last = self.issues.len() - 1;
        #[expect(clippy::indexing_slicing, reason = "an element was just pushed")]
        &mut self.issues[last]
    }

    fn file(&mut self, name: &str, held: &Held<'_>) {
        if !takes_part(self.reader, name) {
            self.ignored(name);
            return;
        }
        let bytes = match held.entry {
            DirectoryEntry::File(bytes) => bytes,
            DirectoryEntry::Directory => {
                let help = "remove it, or give it another name".to_owned();
                self.push(
                    codes::MASQ_CONFIG_REJECTED,
                    name,
                    None,
                    format!("`{name}` is a directory, and the agent tries to read it"),
                    help,
                );
                return;
            }
            DirectoryEntry::Unreadable(why) => {
                let message = format!("`{name}` can't be read: {why}");
                self.push(
                    codes::MASQ_CONFIG_REJECTED,
                    name,
                    None,
                    message,
                    "let the agent read it, or remove it".to_owned(),
                );
                return;
            }
        };
        match held.document() {
            Ok(document) => self.document(name, document, bytes),
            Err(fault) => {
                let message = format!("`{name}` is no YAML or JSON the agent can read: {}", fault.message);
                self.push(
                    codes::MASQ_CONFIG_REJECTED,
                    name,
                    Some(fault.range),
                    message,
                    "correct the text here, or before it".to_owned(),
                );
            }
        }
    }

    fn ignored(&mut self, name: &str) {
        // What the kubelet keeps beside the files of a ConfigMap volume.
        if name.starts_with("..") {
            return;
        }
        let reader = self.reader;
        let (reads, help) = if matches!(reader, MasqueradeReader::V2 | MasqueradeReader::Merger) {
            (
                "files whose names start with `ip-masq`".to_owned(),
                format!("name it `ip-masq-{}`, or remove it", name.trim_start_matches('.')),
            )
        } else {
            (format!("the file `{SINGLE_FILE}` only"), format!("put what it says into `{SINGLE_FILE}`, or remove it"))
        };
        self.push(codes::MASQ_FILE_IGNORED, name, None, format!("`{name}` is not read: {reader} reads {reads}"), help);
    }

    fn document(&mut self, name: &str, document: &Document, bytes: &[u8]) {
        if let Some(range) = &document.more {
            let message = format!("`{name}` holds a second YAML document, which is not read");
            let help = "put everything into the first document, or the rest into another file".to_owned();
            self.push(codes::MASQ_FILE_IGNORED, name, Some(range.clone()), message, help);
        }
        let Value::Map(written) = &document.root.value else {
            if document.root.value == Value::Null {
                // Cilium takes no bytes at all for no file.
                if self.reader != MasqueradeReader::Cilium || !bytes.is_empty() {
                    self.lists.push((name.to_owned(), None));
                }
            } else {
                let message = format!("`{name}` must be a mapping, not {}", document.root.value.words());
                self.push(
                    codes::MASQ_CONFIG_REJECTED,
                    name,
                    Some(document.root.range.clone()),
                    message,
                    format!("write `{LIST}: [...]`"),
                );
            }
            return;
        };
        self.unknown_keys(name, written);
        let seen = fields::members(document);
        self.repeated_keys(name, written, &seen);
        let mut list = None;
        let last_list = seen.iter().rposition(|member| fields::field_of(self.reader, &member.key) == Some(LIST));
        for (at, member) in seen.into_iter().enumerate() {
            let node = &member.node;
            match fields::field_of(self.reader, &member.key) {
                Some(LIST) if Some(at) == last_list => list = self.list(name, node),
                Some(LIST) => self.replaced_list(name, node),
                Some(LINK_LOCAL) => {
                    if let Some(value) = self.boolean(name, LINK_LOCAL, node) {
                        self.link_local.push(Said { file: name.to_owned(), range: node.range.clone(), value });
                    }
                }
                Some(LINK_LOCAL_V6) => {
                    if let Some(value) = self.boolean(name, LINK_LOCAL_V6, node) {
                        self.link_local_v6.push(Said { file: name.to_owned(), range: node.range.clone(), value });
                    }
                }
                _ => {}
            }
        }
        self.lists.push((name.to_owned(), list));
    }

    fn unknown_keys(&mut self, name: &str, members: &[Member]) {
        let reader = self.reader;
        for member in members.iter().filter(|member| fields::field_of(reader, &member.key).is_none()) {
            let (key, range) = (&member.key, Some(member.key_range.clone()));
            if let Some(own) = fields::field_of(MasqueradeReader::Original, key) {
                let instead = match own {
                    fields::RESYNC if reader == MasqueradeReader::V2 => {
                        "use the flag `--resync-interval` instead, or remove the key"
                    }
                    _ => "remove the key",
                };
                let message = format!("`{key}` is a key of the original ip-masq-agent; {reader} ignores it");
                self.push(codes::MASQ_UNKNOWN_KEY, name, range, message, instead.to_owned());
                continue;
            }
            let known = fields::known_keys(reader);
            match nearest(key, known.iter().copied()) {
                Some(meant) => {
                    let message = format!("`{key}` is no key {reader} knows, and is ignored");
                    let issue =
                        self.push(codes::MASQ_UNKNOWN_KEY, name, range, message, format!("did you mean `{meant}`?"));
                    issue.severity = Severity::Warning;
                }
                None => {
                    let message = format!("`{key}` is no key {reader} knows, and is ignored");
                    let help = format!(
                        "remove it; the keys are {}",
                        known.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")
                    );
                    self.push(codes::MASQ_UNKNOWN_KEY, name, range, message, help);
                }
            }
        }
    }

    /// Keys that set the same field: the last the agent looks at wins.
    fn repeated_keys(&mut self, name: &str, written: &[Member], seen: &[&Member]) {
        for field in fields::known_keys(self.reader) {
            let sets = |member: &&Member| fields::field_of(self.reader, &member.key) == Some(field);
            let Some(winner) = seen.iter().copied().rfind(sets) else {
                continue;
            };
            let losers: Vec<_> =
                written.iter().filter(sets).filter(|member| member.key_range != winner.key_range).collect();
            for loser in losers {
                let message = if loser.key == winner.key {
                    format!("`{}` is written again later, and only the later one counts", loser.key)
                } else {
                    format!(
                        "`{}` and `{}` are the same key to the agent, and only the value of `{}` counts",
                        loser.key, winner.key, winner.key
                    )
                };
                let range = Some(loser.key_range.clone());
                self.push(
                    codes::MASQ_KEY_REPEATED,
                    name,
                    range,
                    message,
                    "keep one of them, with all values".to_owned(),
                );
            }
        }
    }

    fn boolean(&mut self, name: &str, field: &str, node: &Node) -> Option<bool> {
        match &node.value {
            Value::Bool(value) => Some(*value),
            Value::Null => None,
            other => {
                let message = format!("`{field}` must be true or false, not {}", other.words());
                let help = "write `true` or `false` without quotes".to_owned();
                self.push(codes::MASQ_CONFIG_REJECTED, name, Some(node.range.clone()), message, help);
                None
            }
        }
    }

    /// The place of the list, if it is one.
    fn list(&mut self, name: &str, node: &Node) -> Option<Range<usize>> {
        let items = match &node.value {
            Value::Null => return None,
            Value::Seq(items) => items,
            other => {
                let message = format!("`{LIST}` must be a list, not {}", other.words());
                let help = "write one entry a line, each after a `-`".to_owned();
                self.push(codes::MASQ_CONFIG_REJECTED, name, Some(node.range.clone()), message, help);
                return Some(node.range.clone());
            }
        };
        for item in items {
            if let Some(entry) = self.item(name, item) {
                self.entries.push(entry);
            }
        }
        let count = items.len();
        let limit = self.flags.max_entries;
        if self.reader == MasqueradeReader::V2 && count > limit {
            let range = items.get(limit).map(|item| item.range.clone());
            let message = format!("`{name}` lists {count} ranges, and the agent takes {limit} per file");
            let help = "join neighbouring ranges, or move some to a second file: the limit is per file".to_owned();
            self.push(codes::MASQ_CONFIG_REJECTED, name, range, message, help);
        }
        Some(node.range.clone())
    }

    /// A list a later one takes the place of: its types are looked at, and by Cilium its entries.
    fn replaced_list(&mut self, name: &str, node: &Node) {
        match &node.value {
            Value::Seq(items) => {
                for item in items {
                    let has_type = matches!(item.value, Value::String(_) | Value::Null);
                    if self.reader == MasqueradeReader::Cilium || !has_type {
                        self.item(name, item);
                    }
                }
            }
            _ => drop(self.list(name, node)),
        }
    }

    fn item(&mut self, name: &str, item: &Node) -> Option<Entry> {
        let range = item.range.clone();
        let text = match &item.value {
            Value::String(text) if !text.trim().is_empty() => text,
            Value::Null | Value::String(_) => {
                let what = if item.value == Value::Null { "an entry with nothing in it" } else { "an empty entry" };
                let help = "fill it in or remove it; a template was probably rendered with a value missing".to_owned();
                self.push(codes::MASQ_ITEM_NULL, name, Some(range), format!("`{LIST}` has {what}"), help);
                return None;
            }
            other => {
                let message =
                    format!("an entry of `{LIST}` must be a range such as `10.0.0.0/16`, not {}", other.words());
                self.push(
                    codes::MASQ_CONFIG_REJECTED,
                    name,
                    Some(range),
                    message,
                    "write a range, in quotes if YAML takes it for something else".to_owned(),
                );
                return None;
            }
        };
        let cidr = match self.reader {
            MasqueradeReader::Cilium => self.cilium_entry(name, text, &range),
            _ => self.entry(name, text, &range),
        };
        Some(Entry { file: name.to_owned(), text: text.clone(), range, cidr })
    }

    /// An entry of an agent that refuses what is not aligned. Gives what the kernel gets.
    fn entry(&mut self, name: &str, text: &str, range: &Range<usize>) -> Option<Cidr> {
        let (reader, flags) = (self.reader, self.flags);
        if let Err(logged) = reference::entry(reader, flags, text) {
            let (message, help) = match (Cidr::parse(text), GoCidr::parse(text)) {
                (_, Some(go)) if !go.is_aligned() => {
                    let meant = go.meant().map_or_else(String::new, |cidr| format!("write `{cidr}`"));
                    (format!("`{text}` has host bits set, and the agent takes aligned ranges only"), meant)
                }
                (_, Some(go)) if go.is_v6() => (
                    format!("`{text}` is IPv6, and the agent runs without `--enable-ipv6`"),
                    "add the flag, or remove the entry".to_owned(),
                ),
                (Err(error), _) => (error.to_string(), error.hint().unwrap_or_default()),
                (Ok(_), _) => (format!("`{text}` is refused"), String::new()),
            };
            let issue = self.push(codes::MASQ_CONFIG_REJECTED, name, Some(range.clone()), message, help);
            issue.evidence.push(format!("the agent logs: {logged}"));
            return None;
        }
        let go = GoCidr::parse(text)?;
        let meant = go.meant();
        let write = meant.map_or_else(String::new, |cidr| format!("write `{cidr}`"));
        if reader == MasqueradeReader::Merger {
            if super::cidr::parse_prefix(text).is_none() {
                let message = format!("`{text}` passes the merger, and Cilium refuses the file it writes");
                self.push(codes::MASQ_CONFIG_REJECTED, name, Some(range.clone()), message, write);
                return None;
            }
            return self.as_cilium_has_it(name, go, text, range);
        }
        match go.programmed(text) {
            Err(mask) => {
                let message = format!("`{text}` passes the agent's own check, and iptables-restore refuses it");
                let issue = self.push(codes::MASQ_CONFIG_REJECTED, name, Some(range.clone()), message, write);
                issue.evidence.push(format!("iptables-restore: invalid mask `{mask}' specified"));
                None
            }
            Ok(programmed) => {
                if meant != Some(programmed) {
                    let message = format!("`{text}` becomes `{programmed}` in the kernel");
                    let issue = self.push(codes::MASQ_PREFIX_MISREAD, name, Some(range.clone()), message, write);
                    issue.evidence.push("iptables takes a prefix length with a leading zero for octal".to_owned());
                }
                Some(programmed)
            }
        }
    }

    /// An entry of Cilium's file: host bits are cut without a word.
    fn cilium_entry(&mut self, name: &str, text: &str, range: &Range<usize>) -> Option<Cidr> {
        let Some(go) = super::cidr::parse_prefix(text) else {
            let (message, help) = match Cidr::parse(text) {
                Err(error) => (error.to_string(), error.hint().unwrap_or_default()),
                Ok(_) => (format!("`{text}` is refused"), String::new()),
            };
            self.push(codes::MASQ_CONFIG_REJECTED, name, Some(range.clone()), message, help);
            return None;
        };
        self.as_cilium_has_it(name, go, text, range)
    }

    fn as_cilium_has_it(&mut self, name: &str, go: GoCidr, text: &str, range: &Range<usize>) -> Option<Cidr> {
        let held = go.masked()?;
        let meant = go.meant();
        if meant != Some(held) {
            let message = format!("`{text}` is an IPv6 range to Cilium, and no IPv4 packet is exempt by it");
            let help = meant.map_or_else(String::new, |cidr| format!("write `{cidr}`"));
            self.push(codes::MASQ_PREFIX_MISREAD, name, Some(range.clone()), message, help);
        } else if !go.is_aligned() {
            let message = format!("`{text}` has host bits set, and becomes `{held}`");
            let issue = self.push(
                codes::MASQ_PREFIX_MISREAD,
                name,
                Some(range.clone()),
                message,
                format!("write `{held}` if that is meant"),
            );
            issue.severity = Severity::Warning;
        }
        Some(held)
    }
}

#[cfg(test)]
mod tests;
