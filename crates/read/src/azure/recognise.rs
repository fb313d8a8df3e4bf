//! Whether a tree holds Azure objects, told by what is in it.

use super::kind::Kind;
use super::resource::ResourceId;
use super::unwrap::as_object;
use crate::tree::{Node, Value};
use causeway_model::source::Span;

/// What a tree turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recognition {
    /// Azure objects.
    Azure,
    /// An answer of Azure's with nothing in it: `[]`, `{"value": []}`.
    Empty,
    /// An Azure object that does not say what it is and could be any of these: `--as` decides.
    Ambiguous(Vec<Kind>),
    /// Something else.
    Other,
}

/// Says whether a tree holds Azure objects: one, a list of them, or what Azure wraps lists in. One object that is
/// recognised is enough; what stands beside it and is not is noted by [`super::resources`].
pub fn recognise(tree: &Node) -> Recognition {
    match contents(tree) {
        Contents::Object(Identity::Unclear(kinds)) => Recognition::Ambiguous(kinds),
        Contents::Object(_) | Contents::Template(_) | Contents::Dictionary(_) => Recognition::Azure,
        Contents::List { items, .. } => of_list(&items),
        Contents::Table { rows: [], .. } => Recognition::Empty,
        Contents::Table { columns, .. } => {
            let has =
                |name: &str| columns.iter().any(|column| column.get_ci("name").and_then(Node::text) == Some(name));
            if has("id") || (has("type") && has("name")) { Recognition::Azure } else { Recognition::Other }
        }
        Contents::Other => Recognition::Other,
    }
}

fn of_list(items: &[&Node]) -> Recognition {
    let mut ambiguous = None;
    for item in items {
        match recognise(item) {
            Recognition::Azure => return Recognition::Azure,
            Recognition::Ambiguous(kinds) => ambiguous = Some(kinds),
            Recognition::Empty | Recognition::Other => {}
        }
    }
    match ambiguous {
        Some(kinds) => Recognition::Ambiguous(kinds),
        None if items.is_empty() => Recognition::Empty,
        None => Recognition::Other,
    }
}

/// The first object in a tree that is not of the kind the tree is forced to be (`--as`), and what it is instead. An object
/// that does not say what it is, is what it is forced to be unless it shows the keys of another kind, or none at all.
pub fn other_than(tree: &Node, forced: Kind) -> Option<(Span, String)> {
    let is = |what: String| Some((tree.span, what));
    match contents(tree) {
        Contents::Object(Identity::Type(arm)) if Kind::of_type(&arm) == Some(forced) => None,
        Contents::Object(Identity::Type(arm)) => is(match Kind::of_type(&arm) {
            Some(kind) => format!("it is `{}` (`{arm}`)", kind.as_str()),
            None => format!("its type is `{arm}`"),
        }),
        Contents::Object(Identity::Kind(kind)) if kind == forced => None,
        Contents::Object(Identity::Kind(kind)) => is(format!("it has the keys of `{}`", kind.as_str())),
        Contents::Object(Identity::Unclear(kinds)) if kinds.contains(&forced) => None,
        Contents::Object(Identity::Unclear(kinds)) => {
            let kinds: Vec<String> = kinds.iter().map(|kind| format!("`{}`", kind.as_str())).collect();
            is(format!("it has the keys of {}", kinds.join(" or ")))
        }
        Contents::List { items, .. } => items.into_iter().find_map(|item| other_than(item, forced)),
        Contents::Table { columns, rows, .. } => {
            rows.iter().find_map(|row| other_than(&as_object(columns, row), forced))
        }
        Contents::Template(_) => is("it is a template".to_owned()),
        Contents::Dictionary(values) => values.into_iter().find_map(|value| other_than(value, forced)),
        Contents::Other if tree.as_map().is_some() && (tree.get_ci("name").is_some() || forced.shows_in(tree)) => None,
        Contents::Other if tree.as_map().is_some() => is("it has none of the keys of one".to_owned()),
        Contents::Other => is(format!("it is {}", tree.type_name())),
    }
}

/// What is in a tree, one layer of wrapping taken off.
pub(super) enum Contents<'a> {
    /// One object.
    Object(Identity),
    /// Objects in a row. `more` is where Azure says that the list goes on elsewhere.
    List { items: Vec<&'a Node>, more: Option<&'a Node> },
    /// A Resource Graph answer as a table.
    Table { columns: &'a [Node], rows: &'a [Node], more: Option<&'a Node> },
    /// The resources of a template.
    Template(&'a [Node]),
    /// A mapping of names to objects or lists, all of which are Azure's.
    Dictionary(Vec<&'a Node>),
    /// Something else.
    Other,
}

/// What an object says it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Identity {
    /// Its type, in lower case.
    Type(String),
    /// It does not say, but it can only be this.
    Kind(Kind),
    /// It does not say, and could be any of these.
    Unclear(Vec<Kind>),
}

/// Takes one layer of wrapping off.
pub(super) fn contents(tree: &Node) -> Contents<'_> {
    match &tree.value {
        Value::Scalar(_) => Contents::Other,
        Value::Seq(items) => Contents::List { items: items.iter().collect(), more: None },
        Value::Map(_) => of_mapping(tree),
    }
}

fn of_mapping(tree: &Node) -> Contents<'_> {
    if let Some(arm) = own_type(tree) {
        return Contents::Object(Identity::Type(arm));
    }
    if let Some(value) = tree.get_ci("value").and_then(Node::as_seq) {
        let more = tree.get_ci("nextLink").filter(|link| !link.is_null() && link.text() != Some(""));
        return Contents::List { items: value.iter().collect(), more };
    }
    if let Some(answer) = resource_graph(tree) {
        return answer;
    }
    let is_template = tree
        .get_ci("$schema")
        .and_then(Node::text)
        .is_some_and(|schema| schema.to_ascii_lowercase().contains("deploymenttemplate"));
    if is_template {
        return Contents::Template(tree.get_ci("resources").map_or(&[], Node::items));
    }
    match Kind::candidates(tree).as_slice() {
        [] => {}
        [kind] => return Contents::Object(Identity::Kind(*kind)),
        several => return Contents::Object(Identity::Unclear(several.to_vec())),
    }
    // What people make of several answers: `{"network": {...}, "pools": [...]}`. All or nothing, so that no foreign
    // document is taken for it. Each value is looked at once: twice would double with every layer.
    let values: Vec<&Node> = tree.entries().iter().map(|entry| &entry.node).collect();
    let mut some = false;
    for value in &values {
        match recognise(value) {
            Recognition::Azure => some = true,
            Recognition::Empty => {}
            Recognition::Ambiguous(_) | Recognition::Other => return Contents::Other,
        }
    }
    if some { Contents::Dictionary(values) } else { Contents::Other }
}

/// `az graph query` and the interface behind it: `data` beside a count, a list of objects or a table.
fn resource_graph(tree: &Node) -> Option<Contents<'_>> {
    let data = tree.get_ci("data")?;
    let counted = ["count", "totalRecords", "total_records"].iter().any(|key| tree.get_ci(key).is_some());
    let truncated = tree
        .get_ci("resultTruncated")
        .filter(|value| value.text().is_some_and(|text| text.eq_ignore_ascii_case("true")));
    let goes_on = ["skip_token", "$skipToken", "skipToken"]
        .iter()
        .find_map(|key| tree.get_ci(key))
        .filter(|token| !token.is_null());
    let more = truncated.or(goes_on);
    if let Some(items) = data.as_seq() {
        let objects = items.iter().all(|item| item.as_map().is_some());
        return (counted || objects).then(|| Contents::List { items: items.iter().collect(), more });
    }
    let columns = data.get_ci("columns")?.as_seq()?;
    let rows = data.get_ci("rows")?.as_seq()?;
    Some(Contents::Table { columns, rows, more })
}

/// The type an object states, by its id or by its type.
fn own_type(tree: &Node) -> Option<String> {
    // Kubernetes objects have a type of another sort.
    if tree.get_ci("metadata").is_some() && tree.get_ci("kind").is_some() {
        return None;
    }
    if let Some(id) = tree.get_ci("id").and_then(Node::text).and_then(ResourceId::parse) {
        return Some(id.kind().to_owned());
    }
    let text = tree.get_ci("type").and_then(Node::text)?;
    let text = text.split('@').next().unwrap_or(text).trim().to_ascii_lowercase();
    let (provider, steps) = text.split_once('/')?;
    let name = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.');
    let plausible = provider.contains('.') && name(provider) && steps.split('/').all(name);
    (plausible && tree.get_ci("name").is_some()).then_some(text)
}
