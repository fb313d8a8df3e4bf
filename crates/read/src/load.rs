//! Everything that was given becomes one model: the whole way, in the order it is walked.

mod forms;
mod state;

use crate::azure;
use crate::belong;
use crate::diagnostic::InputError;
use crate::document::{Context, DesignDocument, Document};
use crate::expand::{Expand, join};
use crate::exports as exported;
use crate::files::Files;
use crate::kind::{Kind, Sniffed, other_than, sniff};
use crate::kubernetes;
use crate::meaning;
use crate::merge::{Merge, Origin, of_cluster};
use crate::tree::{self, MapBuilder, Node};
use causeway_model::design::{Design, Note, NoteKind};
use causeway_model::finding::{Finding, Severity};
use causeway_model::source::{Sources, Span};
use std::collections::BTreeSet;
use std::sync::Arc;

pub use state::{State, state};

/// One thing to read.
#[derive(Debug, Clone)]
pub struct Input {
    /// Its name, as messages should have it; relative includes start from its folder.
    pub name: String,
    /// What it says.
    pub bytes: Vec<u8>,
    /// Forced kind (`--as`).
    pub kind: Option<Kind>,
    /// It was found in a folder rather than named: what is in it and not known is listed, not refused.
    pub found: bool,
}

/// What came of reading.
#[derive(Debug)]
pub struct Loaded {
    /// The texts, for positions and excerpts.
    pub sources: Sources,
    /// The model, or everything that is wrong.
    pub outcome: Result<Read, Vec<InputError>>,
}

/// What was read.
#[derive(Debug)]
pub struct Read {
    /// The model.
    pub design: Design,
    /// The same as one design tree, for `import`.
    pub tree: Node,
    /// What was found on the way from exports to that tree: it holds what was taken of them, so nothing can find it there.
    pub found: Vec<Finding>,
}

impl Read {
    /// The tree with what was found on the way, so that checks of it say the same.
    pub fn exported(&self) -> Node {
        let mut found = self.found.clone();
        found.sort_by(|one, other| {
            (&one.object, one.code, &one.message).cmp(&(&other.object, other.code, &other.message))
        });
        let at = |finding: &Finding| finding.at.unwrap_or(self.tree.span);
        let items: Vec<Node> = found.iter().map(|finding| written(finding, at(finding))).collect();
        let Some(first) = items.first().map(|first| first.span).filter(|_| self.tree.as_map().is_some()) else {
            return self.tree.clone();
        };
        let old = self.tree.get("importFindings").map_or(&[][..], Node::items).iter().cloned();
        let all = Node::seq(first, old.chain(items).collect());
        let others = self.tree.entries().iter().filter(|entry| entry.key.as_ref() != "importFindings");
        let builder = others.fold(MapBuilder::new(self.tree.span), |builder, entry| {
            builder.set(&entry.key, entry.key_span, Some(entry.node.clone()))
        });
        builder.set("importFindings", None, all).build()
    }
}

/// A finding as a design file has it.
fn written(finding: &Finding, at: Span) -> Node {
    let text = |text: &str| (!text.is_empty()).then(|| Node::str(at, text));
    let texts = |list: &[String]| {
        (!list.is_empty()).then(|| Node::seq(at, list.iter().map(|item| Node::str(at, item.as_str())).collect()))
    };
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    };
    MapBuilder::new(at)
        .set("finding", None, Node::str(at, finding.code.as_str()))
        .set("severity", None, Node::str(at, severity))
        .set("on", None, text(&finding.object))
        .set("message", None, text(&finding.message))
        .set("help", None, text(&finding.help))
        .set("values", None, texts(&finding.on))
        .set("evidence", None, texts(&finding.evidence))
        .set("since", None, finding.since.map(|date| Node::str(at, date.to_string())))
        .build()
}

/// Reads everything that was given as one model.
pub fn load(inputs: Vec<Input>, files: &dyn Files) -> Loaded {
    let mut loader = Loader::default();
    let included = loader.sort(inputs, files);
    let outcome = loader.build(&included);
    Loaded { sources: loader.sources, outcome }
}

/// A document with its kind, waiting for its turn.
struct Pending {
    name: String,
    found: bool,
    kind: Kind,
    node: Node,
}

#[derive(Default)]
struct Loader {
    sources: Sources,
    errors: Vec<InputError>,
    notes: Vec<Note>,
    findings: Vec<Finding>,
    pending: Vec<Pending>,
    /// What follows from the objects of a cluster, by the cluster's name.
    implied: Vec<(Arc<str>, Node)>,
}

impl Loader {
    /// Parses every input, tells its kind, and expands the includes of design files. Answers what was included.
    fn sort(&mut self, inputs: Vec<Input>, files: &dyn Files) -> BTreeSet<String> {
        for input in inputs {
            self.input(input);
        }
        let mut expand = Expand {
            files,
            sources: &mut self.sources,
            errors: Vec::new(),
            notes: Vec::new(),
            findings: Vec::new(),
            included: BTreeSet::new(),
            implied: Vec::new(),
        };
        for pending in self.pending.iter_mut().filter(|pending| pending.kind == Kind::Design) {
            let directory = pending.name.rsplit_once('/').map_or("", |(directory, _)| directory);
            expand.design(&mut pending.node, directory);
        }
        let Expand { mut errors, mut notes, mut findings, included, mut implied, .. } = expand;
        self.errors.append(&mut errors);
        self.notes.append(&mut notes);
        self.findings.append(&mut findings);
        self.implied.append(&mut implied);
        included
    }

    fn input(&mut self, input: Input) {
        let text: Arc<str> = match tree::decode_bytes(&input.bytes) {
            Ok(text) => text.into(),
            Err(error) => {
                let message = format!("`{}`, line {}: {}", input.name, error.line, error.message);
                self.errors.push(InputError { at: None, message, help: error.help });
                return;
            }
        };
        let file = self.sources.add(&input.name, text.clone());
        if let Some(said) = text.trim_start().strip_prefix("ERROR: ") {
            let end = u32::try_from(text.len()).unwrap_or(u32::MAX);
            return self.failed(&input.name, said.lines().next().unwrap_or(said), Span { file, start: 0, end });
        }
        if let Some((at, what)) = forms::other_output(&text) {
            let start = u32::try_from(at).unwrap_or(u32::MAX);
            return self.error(
                Some(Span { file, start, end: start }),
                format!("`{}` is {what}", input.name),
                "export again with `-o json`",
            );
        }
        let documents = match tree::parse(&text, file, &tree::Limits::default()) {
            Ok(documents) => documents,
            Err(errors) => {
                self.errors.extend(errors.into_iter().map(InputError::from));
                return;
            }
        };
        if documents.is_empty() {
            self.error(
                None,
                format!("`{}` says nothing: it is empty, or all comments", input.name),
                "leave it out, or export again",
            );
        }
        for node in documents {
            if let Some(said) = failure(&node) {
                self.failed(&input.name, said, node.span);
                continue;
            }
            if let Some((at, what)) = input.kind.and_then(|kind| other_than(&node, kind)) {
                let word = input.kind.map_or("", Kind::as_str);
                self.error(
                    Some(at),
                    format!("`{}` is not of the kind `{word}`: {what}", input.name),
                    "leave `--as` out, and what a file holds is told by its content",
                );
                continue;
            }
            let sniffed = input.kind.map_or_else(|| sniff(&node), Sniffed::Kind);
            match sniffed {
                Sniffed::Kind(kind) => {
                    self.pending.push(Pending { name: input.name.clone(), found: input.found, kind, node })
                }
                Sniffed::Unusable(what, help) if !input.found => {
                    self.error(Some(node.span), format!("`{}` is {what}", input.name), help);
                }
                Sniffed::Ambiguous(kinds) if !input.found => self.error(
                    Some(node.span),
                    format!("can't tell what the Azure object in `{}` is", input.name),
                    format!("it could be {}: say which with `--as`", kinds.join(", ")),
                ),
                Sniffed::Unknown if !input.found => self.error(
                    Some(node.span),
                    format!("can't tell what `{}` is", input.name),
                    "known are design files, `az ... -o json`, `terraform show -json`, what-if results, Kubernetes objects and masquerade files; `--as KIND` forces one",
                ),
                Sniffed::Unusable(what, _) => self.note(format!("`{}` is {what}", input.name), node.span),
                Sniffed::Ambiguous(_) | Sniffed::Unknown => {
                    self.note(format!("can't tell what `{}` is", input.name), node.span);
                }
            }
        }
    }

    /// Translates exports, merges everything into one design tree and gives it its meaning.
    fn build(&mut self, included: &BTreeSet<String>) -> Result<Read, Vec<InputError>> {
        // A file a design includes, found again in the same folder, is no second statement.
        let pending: Vec<Pending> = std::mem::take(&mut self.pending)
            .into_iter()
            .filter(|pending| !(pending.found && included.contains(&join("", &pending.name))))
            .collect();
        let Some(first) = pending.first() else {
            if self.errors.is_empty() {
                // What was found and could not be told is why.
                let seen = self.notes.iter().take(3).map(|note| note.message.as_str()).collect::<Vec<_>>().join("; ");
                let help = "give a design file, a folder of them, or exports";
                let help = if seen.is_empty() { help.to_owned() } else { format!("{help}: {seen}") };
                self.error(None, "nothing to read: no file of a known kind was given", help);
            }
            return Err(std::mem::take(&mut self.errors));
        };
        let name = name_of(&pending).unwrap_or_else(|| stem(&first.name)).to_owned();
        let (mut designs, mut objects, mut masquerade, mut exports) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for pending in pending {
            match pending.kind {
                Kind::Design => designs.push(pending.node),
                Kind::Kubernetes => objects.extend(kubernetes::objects(&pending.node)),
                Kind::Masquerade => masquerade.push(pending),
                Kind::Azure(_) | Kind::Terraform | Kind::WhatIf => exports.push((pending.kind, pending.node)),
            }
        }
        let exported = designs.is_empty();
        let mut designs = designs.into_iter();
        let mut merge = Merge { sources: &self.sources, errors: Vec::new(), findings: Vec::new() };
        let mut whole =
            designs.next().unwrap_or_else(|| MapBuilder::new(nowhere(&exports, &objects, &masquerade)).build());
        for design in designs {
            merge.add(&mut whole, design, Origin::Design);
        }
        let translated = exported::translate(exports, &self.sources, &mut self.notes, &mut self.findings);
        let exports = translated.tree;
        if let Some(tree) = &exports {
            merge.add(&mut whole, tree.clone(), Origin::Export);
        }
        objects.extend(self::objects_of_a_plan(translated.objects, &whole, &mut self.notes));
        for (name, objects) in belong::by_cluster(&whole, objects, &self.sources, &mut self.errors) {
            let mut found = Vec::new();
            let fragment = kubernetes::translate(objects, &self.sources, &mut self.notes, &mut found);
            merge.attach(&mut whole, &name, fragment.tree, Origin::Export);
            self.implied.push((name.clone(), fragment.implied));
            self.findings.extend(found.into_iter().map(|finding| of_cluster(finding, &name)));
        }
        for file in masquerade {
            let text = self.sources.slice(file.node.span).to_owned();
            match belong::only_cluster(&whole, file.node.span, "this masquerade file is") {
                Ok(name) => merge.attach(&mut whole, &name, masquerade_fragment(&file, &text), Origin::Export),
                Err(error) => self.errors.push(error),
            }
        }
        for (name, implied) in std::mem::take(&mut self.implied) {
            let implied = kubernetes::fitting(&mut whole, &name, implied, &mut self.notes);
            merge.attach(&mut whole, &name, implied, Origin::Implied);
        }
        let Merge { mut errors, mut findings, .. } = merge;
        self.errors.append(&mut errors);
        self.findings.append(&mut findings);
        kubernetes::settle(&mut whole, &mut self.notes);
        if let Some(exports) = &exports {
            azure::settle(&mut whole, exports);
        }
        if exported && exports.is_none() && whole.entries().is_empty() {
            self.says_nothing(whole.span);
        }
        let whole = complete(whole, &name, exported);
        self.mean(whole, exported || exports.is_some())
    }

    /// Exports of which nothing is left must not pass for a network in which all is well.
    fn says_nothing(&mut self, at: Span) {
        const MOST: usize = 3;
        let notes: Vec<&str> = self.notes.iter().take(MOST).map(|note| note.message.as_str()).collect();
        let help = if notes.is_empty() {
            "give what was exported of clusters and networks: `az aks show`, `az network vnet show`".to_owned()
        } else {
            notes.join("; ")
        };
        self.error(Some(at), "what was given holds nothing that a design is made of", help);
    }

    fn mean(&mut self, tree: Node, exported: bool) -> Result<Read, Vec<InputError>> {
        let before = tree.get("before").filter(|node| !node.is_null()).cloned();
        let mut design = self.decode(&tree);
        let before = before.and_then(|before| self.decode(&complete(before, "before", true)));
        if let Some(design) = &mut design {
            design.before = before.map(Box::new);
            design.exported = exported;
        }
        match design {
            Some(mut design) if self.errors.is_empty() => {
                design.notes.append(&mut self.notes);
                let found = std::mem::take(&mut self.findings);
                design.findings.extend(found.iter().cloned());
                Ok(Read { design, tree, found })
            }
            _ => {
                let mut errors = std::mem::take(&mut self.errors);
                errors.sort_by(|one, other| (one.at, &one.message).cmp(&(other.at, &other.message)));
                errors.dedup();
                Err(errors)
            }
        }
    }

    fn decode(&mut self, tree: &Node) -> Option<Design> {
        let mut context = Context::default();
        let document = DesignDocument::decode(tree, &mut context);
        let Some(document) = document else {
            self.errors.append(&mut context.errors);
            return None;
        };
        match meaning::of(document, context, &self.sources) {
            Ok(design) => Some(design),
            Err(mut errors) => {
                self.errors.append(&mut errors);
                None
            }
        }
    }

    /// A command that failed leaves its complaint where its answer should be.
    fn failed(&mut self, name: &str, said: &str, at: Span) {
        let said = said.trim().trim_end_matches('.');
        self.error(
            Some(at),
            format!("the command that wrote `{name}` failed: {said}"),
            "mend what it complains of, and export again",
        );
    }

    fn error(&mut self, at: Option<Span>, message: impl Into<String>, help: impl Into<String>) {
        self.errors.push(InputError { at, message: message.into(), help: help.into() });
    }

    fn note(&mut self, message: String, at: Span) {
        self.notes.push(Note { kind: NoteKind::NotUnderstood, message, at: Some(at) });
    }
}

/// What Azure answers where it refuses: `{"error": {"code": "…", "message": "…"}}`, and nothing beside it.
fn failure(node: &Node) -> Option<&str> {
    let [only] = node.entries() else { return None };
    let error = only.key.eq_ignore_ascii_case("error").then_some(&only.node)?;
    let text = |key: &str| error.get_ci(key).and_then(Node::text).filter(|text| !text.is_empty());
    let code = text("code")?;
    Some(text("message").unwrap_or(code))
}

/// A masquerade file on its own belongs to the cluster's configuration directory under its own name.
fn masquerade_fragment(file: &Pending, text: &str) -> Node {
    let at = file.node.span;
    let name = file.name.rsplit('/').next().unwrap_or(&file.name);
    let files = MapBuilder::new(at).set(name, None, Node::block(at, text)).build();
    MapBuilder::new(at).set("masquerade", None, MapBuilder::new(at).set("files", None, files).build()).build()
}

/// The design's name and version, where the inputs did not state them. A design file without its version stays without: that is
/// an error of the user's.
fn complete(tree: Node, name: &str, exported: bool) -> Node {
    let at = Span { end: tree.span.start, ..tree.span };
    let version = tree.entry("causeway").map(|entry| (entry.key_span, entry.node.clone()));
    let version = version.or_else(|| exported.then(|| (at, Node::plain(at, "1"))));
    let name =
        tree.entry("name").map_or_else(|| (at, Node::str(at, name)), |entry| (entry.key_span, entry.node.clone()));
    // Both stand on top, as people write them.
    let mut builder = MapBuilder::new(tree.span);
    if let Some((key, version)) = version {
        builder = builder.set("causeway", key, version);
    }
    builder = builder.set("name", name.0, name.1);
    for entry in tree.entries() {
        builder = builder.set(&entry.key, entry.key_span, entry.node.clone());
    }
    builder.build()
}

/// Objects that a plan makes inside a cluster belong to the only cluster there is; with several it can't be told.
fn objects_of_a_plan(objects: Vec<Node>, whole: &Node, notes: &mut Vec<Note>) -> Vec<Node> {
    let clusters = whole.get("clusters").map_or(0, |clusters| clusters.entries().len());
    match objects.first() {
        Some(first) if clusters != 1 => {
            let message = format!(
                "{} Kubernetes objects of a plan with {clusters} clusters: which cluster they are of can't be told, so they are left out",
                objects.len()
            );
            notes.push(Note { kind: NoteKind::NotUnderstood, message, at: Some(first.span) });
            Vec::new()
        }
        _ => objects,
    }
}

fn nowhere(exports: &[(Kind, Node)], objects: &[Node], masquerade: &[Pending]) -> Span {
    let first =
        exports.first().map(|(_, node)| node).or(objects.first()).or(masquerade.first().map(|pending| &pending.node));
    first.map_or(Span { file: causeway_model::source::FileId(0), start: 0, end: 0 }, |node| node.span)
}

/// Several files that were found in a folder are called as the folder that holds all of them.
fn name_of(pending: &[Pending]) -> Option<&str> {
    let (first, rest) = pending.split_first()?;
    if rest.is_empty() || !pending.iter().all(|file| file.found) {
        return None;
    }
    let mut folder = first.name.rsplit_once('/')?.0;
    while !rest.iter().all(|file| file.name.strip_prefix(folder).is_some_and(|below| below.starts_with('/'))) {
        folder = folder.rsplit_once('/')?.0;
    }
    folder.rsplit('/').next().filter(|name| !matches!(*name, "" | "." | ".."))
}

/// `designs/prod.yaml` is called `prod`; `designs/prod/design.yaml` too.
fn stem(name: &str) -> &str {
    let mut parts = name.rsplit('/');
    let file = parts.next().unwrap_or(name);
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    match parts.next() {
        Some(folder) if matches!(stem, "design" | "main" | "index") => folder,
        _ => stem,
    }
}
