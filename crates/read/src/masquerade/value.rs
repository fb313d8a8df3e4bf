//! What a masquerade file says, with the bytes of each value: the common ground of its YAML and its JSON form.
//!
//! Unlike [`crate::tree`] this keeps a key that is written twice, because the agents take the later one and do not
//! complain, and it knows scalars as YAML 1.1 and Go do.

use std::ops::Range;

/// Lists and mappings deeper than this are kept without what is in them. A masquerade file means something on two levels.
pub(super) const KEPT_DEPTH: usize = 16;

/// A value and its bytes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) range: Range<usize>,
    pub(super) value: Value,
}

/// What a [`Node`] is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    /// As JSON writes it.
    Number(String),
    String(String),
    Seq(Vec<Node>),
    /// In the order written, keys as often as they are written.
    Map(Vec<Member>),
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Member {
    pub(super) key: String,
    pub(super) key_range: Range<usize>,
    pub(super) node: Node,
}

impl Value {
    /// The word Go's JSON package has for it.
    pub(super) fn go_word(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "bool",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Seq(_) => "array",
            Value::Map(_) => "object",
        }
    }

    /// What it is, for people.
    pub(super) fn words(&self) -> &'static str {
        match self {
            Value::Null => "nothing",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Seq(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }
}

/// A list or mapping that is not closed yet.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) start: usize,
    pub(super) items: Vec<Node>,
    pub(super) members: Vec<Member>,
    pub(super) is_map: bool,
    /// The key whose value comes next, its bytes, and whether it is a merge key.
    pub(super) key: Option<(String, Range<usize>, bool)>,
    /// What it can be referred to by later; 0 = nothing.
    pub(super) anchor: usize,
}

impl Frame {
    pub(super) fn new(start: usize, is_map: bool, anchor: usize) -> Frame {
        Frame { start, items: Vec::new(), members: Vec::new(), is_map, key: None, anchor }
    }

    /// The closed value; without its content when it lies too deep to matter.
    pub(super) fn close(self, end: usize, depth: usize) -> Node {
        let keep = depth <= KEPT_DEPTH;
        let value = match (self.is_map, keep) {
            (true, true) => Value::Map(self.members),
            (true, false) => Value::Map(Vec::new()),
            (false, true) => Value::Seq(self.items),
            (false, false) => Value::Seq(Vec::new()),
        };
        Node { range: self.start..end.max(self.start), value }
    }
}

/// A text that was read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Document {
    pub(super) root: Node,
    /// It was JSON: keys are looked at in the order written. YAML goes through a table with sorted keys first.
    pub(super) json: bool,
    /// Where a second YAML document begins, which no agent reads.
    pub(super) more: Option<Range<usize>>,
}

/// Why a text could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// At which step, for the words around it.
    pub(super) step: Step,
    /// In the words of the library the agents use.
    pub(super) message: String,
    /// Where.
    pub(super) range: Range<usize>,
}

/// The steps of reading a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// YAML to JSON.
    Convert,
    /// JSON to the agent's own structure.
    Unmarshal,
}
