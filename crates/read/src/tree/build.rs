//! What the YAML and the JSON reader share: a stack of open lists and mappings from which the tree is made, without
//! recursion, with the rules that hold for both (depth, unique keys) and with repeated texts stored once.

use super::{Entry, Limits, Node, Scalar, Style, SyntaxError, Value};
use causeway_model::source::{FileId, Span};
use std::collections::BTreeSet;
use std::sync::Arc;

/// How big a value is when aliases are expanded.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Measure {
    /// Values in it, itself included.
    pub(super) nodes: usize,
    /// Lists and mappings inside each other, itself included; 0 for a scalar.
    pub(super) height: usize,
}

impl Measure {
    pub(super) const SCALAR: Measure = Measure { nodes: 1, height: 0 };
}

/// A value that was closed.
pub(super) struct Closed {
    pub(super) node: Node,
    pub(super) measure: Measure,
    /// The anchor it was opened with; 0 for none.
    pub(super) anchor: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Seq,
    Map,
}

struct PendingKey {
    text: Arc<str>,
    span: Span,
    merge: bool,
}

struct Frame {
    kind: Kind,
    start: u32,
    /// Last byte of what was written in it so far.
    end: u32,
    /// Where the children of this frame begin in `nodes` or `entries`.
    base: usize,
    key: Option<PendingKey>,
    /// Index into `entries` of the merge key.
    merge: Option<usize>,
    measure: Measure,
    anchor: usize,
}

/// Line and column of a byte, as people see them: for messages that name a second place.
pub(super) type Places<'t> = &'t dyn Fn(usize) -> (usize, usize);

/// Makes trees out of opened, closed and placed values.
pub(super) struct Builder<'t> {
    text: &'t str,
    file: FileId,
    places: Places<'t>,
    limits: &'t Limits,
    nodes: Vec<Node>,
    entries: Vec<Entry>,
    frames: Vec<Frame>,
    root: Option<Node>,
    interner: Interner,
    /// What was wrong but did not stop the reader.
    pub(super) errors: Vec<SyntaxError>,
}

impl<'t> Builder<'t> {
    pub(super) fn new(text: &'t str, file: FileId, limits: &'t Limits, places: Places<'t>) -> Self {
        Builder {
            text,
            file,
            places,
            limits,
            nodes: Vec::new(),
            entries: Vec::new(),
            frames: Vec::new(),
            root: None,
            interner: Interner::default(),
            errors: Vec::new(),
        }
    }

    /// A span that ends on a whole character.
    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        let end = end.max(start).min(self.text.len());
        let whole = (end..=self.text.len()).find(|at| self.text.is_char_boundary(*at)).unwrap_or(end);
        Span { file: self.file, start: to_u32(start), end: to_u32(whole) }
    }

    pub(super) fn error(&self, start: usize, end: usize, message: impl Into<String>, help: &str) -> SyntaxError {
        SyntaxError { span: self.span(start, end), message: message.into(), help: help.to_owned() }
    }

    pub(super) fn share(&mut self, text: &str) -> Arc<str> {
        self.interner.share(text)
    }

    pub(super) fn scalar(&mut self, text: &str, style: Style, start: usize, end: usize) -> Node {
        let text = self.share(text);
        Node { span: self.span(start, end), value: Value::Scalar(Scalar { text, style }) }
    }

    pub(super) fn depth(&self) -> usize {
        self.frames.len()
    }

    /// First byte of the innermost open list or mapping.
    pub(super) fn open_start(&self) -> Option<usize> {
        self.frames.last().map(|frame| frame.start as usize)
    }

    pub(super) fn is_in_map(&self) -> bool {
        self.frames.last().is_some_and(|frame| frame.kind == Kind::Map)
    }

    /// The next scalar is a key.
    pub(super) fn wants_key(&self) -> bool {
        self.frames.last().is_some_and(|frame| frame.kind == Kind::Map && frame.key.is_none())
    }

    /// Last byte of the key whose value comes next.
    pub(super) fn key_end(&self) -> Option<usize> {
        self.frames.last().and_then(|frame| frame.key.as_ref()).map(|key| key.span.end as usize)
    }

    pub(super) fn open_seq(&mut self, start: usize, anchor: usize) -> Result<(), SyntaxError> {
        self.open(Kind::Seq, self.nodes.len(), start, anchor)
    }

    pub(super) fn open_map(&mut self, start: usize, anchor: usize) -> Result<(), SyntaxError> {
        self.open(Kind::Map, self.entries.len(), start, anchor)
    }

    fn open(&mut self, kind: Kind, base: usize, start: usize, anchor: usize) -> Result<(), SyntaxError> {
        if self.frames.len() >= self.limits.depth {
            return Err(self.too_deep(start, start + 1));
        }
        let measure = Measure { nodes: 1, height: 1 };
        self.frames.push(Frame {
            kind,
            start: to_u32(start),
            end: to_u32(start),
            base,
            key: None,
            merge: None,
            measure,
            anchor,
        });
        Ok(())
    }

    pub(super) fn too_deep(&self, start: usize, end: usize) -> SyntaxError {
        let message = format!("lists and mappings stand more than {} deep in each other", self.limits.depth);
        self.error(start, end, message, "no document this program reads is that deep")
    }

    pub(super) fn key(&mut self, text: &str, span: Span, merge: bool) {
        let text = self.share(text);
        if let Some(frame) = self.frames.last_mut() {
            frame.end = frame.end.max(span.end);
            frame.key = Some(PendingKey { text, span, merge });
        }
    }

    /// Puts a finished value where it belongs: into the open list or mapping, or at the root.
    pub(super) fn place(&mut self, node: Node, measure: Measure) {
        let end = node.span.end;
        self.place_until(node, measure, end);
    }

    /// [`Builder::place`] for a value that was defined elsewhere: `end` is the last byte of what stands here for it.
    pub(super) fn place_until(&mut self, node: Node, measure: Measure, end: u32) {
        let Some(frame) = self.frames.last_mut() else {
            self.root = Some(node);
            return;
        };
        frame.end = frame.end.max(end);
        frame.measure.nodes = frame.measure.nodes.saturating_add(measure.nodes);
        frame.measure.height = frame.measure.height.max(measure.height.saturating_add(1));
        match (frame.kind, frame.key.take()) {
            (Kind::Map, Some(key)) => {
                if key.merge {
                    frame.merge = Some(self.entries.len());
                }
                self.entries.push(Entry { key: key.text, key_span: key.span, node });
            }
            _ => self.nodes.push(node),
        }
    }

    /// Closes the open list or mapping. `end` is where its closing bracket ends; without one it ends with its last child.
    pub(super) fn close(&mut self, end: Option<usize>) -> Option<Closed> {
        let frame = self.frames.pop()?;
        let value = match frame.kind {
            Kind::Seq => Value::Seq(Arc::new(taken(&mut self.nodes, frame.base))),
            Kind::Map => Value::Map(Arc::new(self.close_map(&frame))),
        };
        let span = Span { file: self.file, start: frame.start, end: end.map_or(frame.end, to_u32) };
        Some(Closed { node: Node { span, value }, measure: frame.measure, anchor: frame.anchor })
    }

    fn close_map(&mut self, frame: &Frame) -> Vec<Entry> {
        let entries = taken(&mut self.entries, frame.base);
        for (first, again) in duplicates(&entries) {
            if self.errors.len() >= self.limits.errors {
                break;
            }
            let (line, column) = (self.places)(first.start as usize);
            let key = self.text.get(again.start as usize..again.end as usize).unwrap_or_default();
            self.errors.push(SyntaxError {
                span: again,
                message: format!("the key `{key}` is already in this mapping, at line {line}, column {column}"),
                help: "keep one of the two".to_owned(),
            });
        }
        match frame.merge.and_then(|at| at.checked_sub(frame.base)) {
            Some(at) => self.merge(entries, at),
            None => entries,
        }
    }

    /// Replaces the merge key at `at` by the entries it brings. What the mapping says itself wins, then the earlier
    /// of several merged mappings.
    fn merge(&mut self, entries: Vec<Entry>, at: usize) -> Vec<Entry> {
        let Some(merged) = entries.get(at) else {
            return entries;
        };
        let sources: Vec<&Node> = match &merged.node.value {
            Value::Seq(nodes) => nodes.iter().collect(),
            _ => vec![&merged.node],
        };
        let mut seen: BTreeSet<Arc<str>> =
            entries.iter().enumerate().filter(|(index, _)| *index != at).map(|(_, entry)| entry.key.clone()).collect();
        let mut brought = Vec::new();
        for source in sources {
            let Value::Map(source_entries) = &source.value else {
                self.errors.push(SyntaxError {
                    span: source.span,
                    message: "the merge key `<<` takes a mapping or a list of mappings".to_owned(),
                    help: "write `<<: *name`, or put the key in quotes if it is meant literally".to_owned(),
                });
                continue;
            };
            brought.extend(source_entries.iter().filter(|entry| seen.insert(entry.key.clone())).cloned());
        }
        let mut result = Vec::with_capacity(entries.len() + brought.len());
        for (index, entry) in entries.into_iter().enumerate() {
            if index == at {
                result.append(&mut brought);
            } else {
                result.push(entry);
            }
        }
        result
    }

    /// The finished tree of a document.
    pub(super) fn take_root(&mut self) -> Option<Node> {
        self.root.take()
    }

    /// Forgets a document that could not be read to its end.
    pub(super) fn abandon(&mut self) {
        self.frames.clear();
        self.nodes.clear();
        self.entries.clear();
        self.root = None;
    }
}

/// What stands on a stack from `base` on, in no more memory than it needs.
fn taken<T>(stack: &mut Vec<T>, base: usize) -> Vec<T> {
    /// From here on, copying costs more than a new stack.
    const MANY: usize = 10_000;
    if base == 0 && stack.len() > MANY {
        let mut all = std::mem::take(stack);
        all.shrink_to_fit();
        return all;
    }
    stack.drain(base.min(stack.len())..).collect()
}

/// Keys that stand twice: the first place and the later one, in the order of the later ones.
fn duplicates(entries: &[Entry]) -> Vec<(Span, Span)> {
    const FEW: usize = 12;
    let mut found = Vec::new();
    if entries.len() <= FEW {
        for (index, entry) in entries.iter().enumerate() {
            if let Some(first) = entries.iter().take(index).find(|other| other.key == entry.key) {
                found.push((first.key_span, entry.key_span));
            }
        }
        return found;
    }
    let mut sorted: Vec<&Entry> = entries.iter().collect();
    sorted.sort_by(|a, b| a.key.cmp(&b.key)); // stable: the first place stays first
    for run in sorted.chunk_by(|a, b| a.key == b.key) {
        if let [first, again @ ..] = run {
            found.extend(again.iter().map(|entry| (first.key_span, entry.key_span)));
        }
    }
    found.sort_by_key(|(_, again)| again.start);
    found
}

/// 1-based line and column (in characters) of a byte.
pub(super) fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

/// Texts are shorter than 4 GiB (checked before reading), so this never saturates.
pub(super) fn to_u32(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// Gives the same memory to the same short text, most of the time. A cache with one place per hash: bounded memory,
/// constant time whatever the text, and nothing in the output depends on it.
struct Interner {
    slots: Vec<Option<Arc<str>>>,
}

impl Default for Interner {
    fn default() -> Self {
        Interner { slots: vec![None; Interner::SLOTS] }
    }
}

impl Interner {
    const SLOTS: usize = 1 << 11;
    /// Longer texts rarely repeat.
    const LONGEST: usize = 48;

    fn share(&mut self, text: &str) -> Arc<str> {
        if text.len() > Interner::LONGEST {
            return text.into();
        }
        // FNV-1a, folded to the number of slots.
        let hash = text
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        let index = usize::try_from((hash ^ (hash >> 32)) % Interner::SLOTS as u64).unwrap_or_default();
        let Some(slot) = self.slots.get_mut(index) else {
            return text.into();
        };
        match slot {
            Some(known) if known.as_ref() == text => known.clone(),
            _ => slot.insert(text.into()).clone(),
        }
    }
}
