//! From a tree to an agent's own structure, with the rules and the words of Go's `encoding/json`.

use super::cidr;
use super::go;
use super::value::{Document, Fault, Member, Node, Step, Value};
use causeway_model::masquerade::MasqueradeReader;
use std::ops::Range;

/// `nonMasqueradeCIDRs`
pub(super) const LIST: &str = "nonMasqueradeCIDRs";
/// `masqLinkLocal`
pub(super) const LINK_LOCAL: &str = "masqLinkLocal";
/// `masqLinkLocalIPv6`
pub(super) const LINK_LOCAL_V6: &str = "masqLinkLocalIPv6";
/// `resyncInterval`, of the original agent.
pub(super) const RESYNC: &str = "resyncInterval";
/// `cidrLimit`, of the original agent.
pub(super) const LIMIT: &str = "cidrLimit";

/// The keys a reader knows.
pub(super) fn known_keys(reader: MasqueradeReader) -> &'static [&'static str] {
    match reader {
        MasqueradeReader::Original => &[LIST, LINK_LOCAL, LINK_LOCAL_V6, RESYNC, LIMIT],
        _ => &[LIST, LINK_LOCAL, LINK_LOCAL_V6],
    }
}

/// The known key a written one means.
pub(super) fn field_of(reader: MasqueradeReader, key: &str) -> Option<&'static str> {
    let known = known_keys(reader);
    known.iter().find(|field| **field == key).or_else(|| known.iter().find(|field| go::same_key(key, field))).copied()
}

/// An entry of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    /// Empty when nothing was written.
    pub(super) text: String,
    pub(super) range: Range<usize>,
}

/// What a file says, once every key was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fields {
    /// `None` = null or absent.
    pub(super) list: Option<Vec<Item>>,
    pub(super) link_local: bool,
    pub(super) link_local_v6: bool,
    pub(super) limit: i64,
}

impl Fields {
    /// Before a file is read: the defaults it is laid over, for the original agent; nothing for the others.
    pub(super) fn start(list: Option<&[&str]>) -> Fields {
        let item = |text: &&str| Item { text: (*text).to_owned(), range: 0..0 };
        Fields {
            list: list.map(|list| list.iter().map(item).collect()),
            link_local: false,
            link_local_v6: false,
            limit: 64,
        }
    }
}

/// The keys of the root in the order Go sees them: as written in JSON; sorted, the last of each spelling, from YAML.
pub(super) fn members(document: &Document) -> Vec<&Member> {
    let Value::Map(members) = &document.root.value else {
        return Vec::new();
    };
    if document.json {
        return members.iter().collect();
    }
    let mut table: std::collections::BTreeMap<&str, &Member> = std::collections::BTreeMap::new();
    for member in members {
        table.insert(&member.key, member);
    }
    table.into_values().collect()
}

/// Sets an agent's fields from a document.
///
/// # Errors
/// The first wrong type; a value with a reader of its own stops the rest and is reported instead.
pub(super) fn read(reader: MasqueradeReader, document: &Document, start: Fields) -> Result<Fields, Fault> {
    let mut decoder = Decoder { reader, fields: start, wrong_type: None };
    match &document.root.value {
        Value::Map(_) => {
            for member in members(document) {
                decoder.member(member)?;
            }
        }
        Value::Null => {}
        other => {
            let owner = match reader {
                MasqueradeReader::Cilium => "ipmasq.config",
                _ => "main.MasqConfig",
            };
            return Err(fault(
                format!("json: cannot unmarshal {} into Go value of type {owner}", other.go_word()),
                document.root.range.clone(),
            ));
        }
    }
    match decoder.wrong_type {
        Some(fault) => Err(fault),
        None => Ok(decoder.fields),
    }
}

fn fault(message: String, range: Range<usize>) -> Fault {
    Fault { step: Step::Unmarshal, message, range }
}

struct Decoder {
    reader: MasqueradeReader,
    fields: Fields,
    /// The first wrong type; reading goes on after it.
    wrong_type: Option<Fault>,
}

impl Decoder {
    fn member(&mut self, member: &Member) -> Result<(), Fault> {
        let node = &member.node;
        match field_of(self.reader, &member.key) {
            Some(LIST) => self.list(node),
            Some(LINK_LOCAL) => {
                if let Some(value) = self.boolean(LINK_LOCAL, node) {
                    self.fields.link_local = value;
                }
                Ok(())
            }
            Some(LINK_LOCAL_V6) => {
                if let Some(value) = self.boolean(LINK_LOCAL_V6, node) {
                    self.fields.link_local_v6 = value;
                }
                Ok(())
            }
            Some(LIMIT) => {
                self.limit(node);
                Ok(())
            }
            Some(RESYNC) => duration(node),
            _ => Ok(()),
        }
    }

    /// A list is decoded into the one that is there: a null entry leaves what stands in its place.
    fn list(&mut self, node: &Node) -> Result<(), Fault> {
        let items = match &node.value {
            Value::Null => {
                self.fields.list = None;
                return Ok(());
            }
            Value::Seq(items) => items,
            other => {
                let of = if self.reader == MasqueradeReader::Cilium { "[]ipmasq.Ipnet" } else { "[]string" };
                self.wrong(other.go_word(), LIST, of, node);
                return Ok(());
            }
        };
        let before = self.fields.list.take().unwrap_or_default();
        let mut list = Vec::with_capacity(items.len());
        for (at, item) in items.iter().enumerate() {
            let text = match &item.value {
                _ if self.reader == MasqueradeReader::Cilium => Some(prefix(item)?),
                Value::String(text) => Some(text.clone()),
                Value::Null => None,
                other => {
                    self.wrong(other.go_word(), LIST, "string", item);
                    None
                }
            };
            let text = text.or_else(|| before.get(at).map(|item| item.text.clone())).unwrap_or_default();
            list.push(Item { text, range: item.range.clone() });
        }
        self.fields.list = Some(list);
        Ok(())
    }

    fn boolean(&mut self, field: &str, node: &Node) -> Option<bool> {
        match &node.value {
            Value::Bool(value) => Some(*value),
            Value::Null => None,
            other => {
                self.wrong(other.go_word(), field, "bool", node);
                None
            }
        }
    }

    fn limit(&mut self, node: &Node) {
        match &node.value {
            Value::Null => {}
            Value::Number(text) => match text.parse::<i64>() {
                Ok(limit) => self.fields.limit = limit,
                Err(_) => self.wrong(&format!("number {text}"), LIMIT, "int", node),
            },
            other => self.wrong(other.go_word(), LIMIT, "int", node),
        }
    }

    fn wrong(&mut self, word: &str, field: &str, of: &str, node: &Node) {
        let owner = if self.reader == MasqueradeReader::Cilium { "config" } else { "MasqConfig" };
        let message = format!("json: cannot unmarshal {word} into Go struct field {owner}.{field} of type {of}");
        self.wrong_type.get_or_insert_with(|| fault(message, node.range.clone()));
    }
}

/// An entry of Cilium's list, which reads it itself.
fn prefix(item: &Node) -> Result<String, Fault> {
    let Value::String(text) = &item.value else {
        let shown = match &item.value {
            Value::Null => "null".to_owned(),
            Value::Bool(value) => value.to_string(),
            Value::Number(text) => text.clone(),
            other => other.go_word().to_owned(),
        };
        return Err(fault(format!("Invalid CIDR: {shown}"), item.range.clone()));
    };
    match cidr::parse_prefix(text) {
        Some(_) => Ok(text.clone()),
        None => Err(fault(format!("Invalid CIDR {}", go::quote(text)), item.range.clone())),
    }
}

/// The original agent's interval, which reads itself as well.
fn duration(node: &Node) -> Result<(), Fault> {
    let shown = match &node.value {
        Value::String(text) => {
            return go::parse_duration(text).map(drop).map_err(|message| fault(message, node.range.clone()));
        }
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(text) => text.clone(),
        Value::Seq(_) => "[".to_owned(),
        Value::Map(_) => "{".to_owned(),
    };
    let message = format!("expected string value for unmarshal to field of type Duration, got {}", go::quote(&shown));
    Err(fault(message, node.range.clone()))
}

#[cfg(test)]
mod tests {
    use super::super::{json, yaml};
    use super::*;
    use MasqueradeReader::{Cilium, Original, V2};

    fn fields(reader: MasqueradeReader, text: &str) -> Result<Fields, String> {
        let document = if json::looks_like_json(text.as_bytes()) {
            json::read(text.as_bytes())
        } else {
            yaml::read(text.as_bytes())
        };
        let start = Fields::start((reader == Original).then_some(&["10.0.0.0/8", "172.16.0.0/12"]));
        read(reader, &document.expect(text), start).map_err(|fault| fault.message)
    }

    fn list(reader: MasqueradeReader, text: &str) -> Option<Vec<String>> {
        let list = fields(reader, text).expect(text).list;
        list.map(|list| list.into_iter().map(|item| item.text).collect())
    }

    #[test]
    fn wrong_types_are_refused_in_gos_words() {
        let into = |field: &str, of: &str| format!("into Go struct field MasqConfig.{field} of type {of}");
        for (reader, text, message) in [
            (
                V2,
                "nonMasqueradeCIDRs: [5]",
                format!("json: cannot unmarshal number {}", into("nonMasqueradeCIDRs", "string")),
            ),
            (
                V2,
                "nonMasqueradeCIDRs: [yes]",
                format!("json: cannot unmarshal bool {}", into("nonMasqueradeCIDRs", "string")),
            ),
            (
                V2,
                "nonMasqueradeCIDRs: [[a]]",
                format!("json: cannot unmarshal array {}", into("nonMasqueradeCIDRs", "string")),
            ),
            (
                V2,
                "nonMasqueradeCIDRs: [{a: b}]",
                format!("json: cannot unmarshal object {}", into("nonMasqueradeCIDRs", "string")),
            ),
            (
                V2,
                "nonMasqueradeCIDRs: 10.0.0.0/8",
                format!("json: cannot unmarshal string {}", into("nonMasqueradeCIDRs", "[]string")),
            ),
            (
                V2,
                "nonMasqueradeCIDRs: {a: b}",
                format!("json: cannot unmarshal object {}", into("nonMasqueradeCIDRs", "[]string")),
            ),
            (V2, "masqLinkLocal: \"true\"", format!("json: cannot unmarshal string {}", into("masqLinkLocal", "bool"))),
            (V2, "masqLinkLocal: 1", format!("json: cannot unmarshal number {}", into("masqLinkLocal", "bool"))),
            (V2, "[a]", "json: cannot unmarshal array into Go value of type main.MasqConfig".to_owned()),
            (V2, "just text", "json: cannot unmarshal string into Go value of type main.MasqConfig".to_owned()),
            (Cilium, "[a]", "json: cannot unmarshal array into Go value of type ipmasq.config".to_owned()),
            // The sorted table puts masqLinkLocal first, whatever the file does.
            (
                V2,
                "nonMasqueradeCIDRs: 5\nmasqLinkLocal: x",
                format!("json: cannot unmarshal string {}", into("masqLinkLocal", "bool")),
            ),
            (
                V2,
                r#"{"nonMasqueradeCIDRs": 5, "masqLinkLocal": "x"}"#,
                format!("json: cannot unmarshal number {}", into("nonMasqueradeCIDRs", "[]string")),
            ),
            (Original, "cidrLimit: 1.5", format!("json: cannot unmarshal number 1.5 {}", into("cidrLimit", "int"))),
            (Original, "cidrLimit: many", format!("json: cannot unmarshal string {}", into("cidrLimit", "int"))),
            (
                Original,
                "resyncInterval: 60",
                "expected string value for unmarshal to field of type Duration, got \"60\"".to_owned(),
            ),
            (
                Original,
                "resyncInterval:",
                "expected string value for unmarshal to field of type Duration, got \"null\"".to_owned(),
            ),
            (Original, "resyncInterval: \"60\"", "time: missing unit in duration \"60\"".to_owned()),
            // A value that reads itself is reported before a wrong type that came first.
            (
                Original,
                "masqLinkLocal: 1\nresyncInterval: 60",
                "expected string value for unmarshal to field of type Duration, got \"60\"".to_owned(),
            ),
            (Cilium, "nonMasqueradeCIDRs: [null]", "Invalid CIDR: null".to_owned()),
            (Cilium, "nonMasqueradeCIDRs: [10.0.0.0/08]", "Invalid CIDR \"10.0.0.0/08\"".to_owned()),
        ] {
            assert_eq!(fields(reader, text), Err(message), "{reader} {text}");
        }
    }

    #[test]
    fn keys_are_set_in_gos_order() {
        let one = |text: &str| Some(vec![text.to_owned()]);
        assert_eq!(
            list(V2, "nonMasqueradeCIDRs: [a]\nNonMasqueradeCIDRs: [b]"),
            one("a"),
            "the table is sorted, capitals first"
        );
        assert_eq!(
            list(V2, r#"{"nonMasqueradeCIDRs": ["a"], "NonMasqueradeCIDRs": ["b"]}"#),
            one("b"),
            "the later one wins"
        );
        assert_eq!(list(V2, "nonMasqueradeCIDRs: [a]\nnonMasqueradeCIDRs: [b]"), one("b"));
        assert_eq!(list(V2, "nonMasqueradeCIDRs: [a]\nNonMasqueradeCIDRs:"), one("a"));
        assert_eq!(list(V2, "nonMasqueradeCIDRs:"), None);
        assert_eq!(list(V2, ""), None);
        assert_eq!(list(V2, "nonMasqueradeCIDRs: []"), Some(vec![]));
        assert!(
            fields(V2, r#"{"masqLinkLocal": true, "MASQLINKLOCAL": null}"#).unwrap().link_local,
            "null changes nothing"
        );
        assert!(!fields(V2, "masqLinkLocal: null").unwrap().link_local);
        assert!(fields(V2, "masqlinklocalipv6: on").unwrap().link_local_v6);
    }

    #[test]
    fn null_entries_leave_what_stands_in_their_place() {
        assert_eq!(list(V2, "nonMasqueradeCIDRs: [null, a]"), Some(vec![String::new(), "a".into()]));
        assert_eq!(list(Original, "nonMasqueradeCIDRs: [null, a]"), Some(vec!["10.0.0.0/8".into(), "a".into()]));
        assert_eq!(list(Original, "masqLinkLocal: true"), Some(vec!["10.0.0.0/8".into(), "172.16.0.0/12".into()]));
        assert_eq!(list(Original, "nonMasqueradeCIDRs: null"), None);
    }

    #[test]
    fn unknown_keys_are_passed_over() {
        assert_eq!(list(V2, "resyncInterval: 60\ncidrLimit: x\nother: {a: [1]}"), None);
        assert_eq!(fields(Original, "cidrLimit: 100").unwrap().limit, 100);
    }
}
