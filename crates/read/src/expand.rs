//! Includes: `manifests` and `{path: FILE}` of masquerade files are replaced by what the files say, before anything is decoded.

use crate::diagnostic::InputError;
use crate::files::Files;
use crate::kubernetes;
use crate::merge::{Merge, Origin, of_cluster};
use crate::tree::{self, Entry, Node, Scalar, Style, Value};
use causeway_model::design::Note;
use causeway_model::finding::Finding;
use causeway_model::source::{FileId, Sources, Span};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What including collects.
pub(crate) struct Expand<'a> {
    pub(crate) files: &'a dyn Files,
    pub(crate) sources: &'a mut Sources,
    pub(crate) errors: Vec<InputError>,
    pub(crate) notes: Vec<Note>,
    pub(crate) findings: Vec<Finding>,
    /// Every file that was included, as named.
    pub(crate) included: BTreeSet<String>,
    /// What follows from the objects of a cluster: it fills gaps once all that is stated is known.
    pub(crate) implied: Vec<(Arc<str>, Node)>,
}

impl Expand<'_> {
    /// Replaces the includes of a design file that lies in `directory`.
    pub(crate) fn design(&mut self, design: &mut Node, directory: &str) {
        let Some(clusters) = entry_mut(design, "clusters") else { return };
        let Value::Map(clusters) = &mut clusters.node.value else { return };
        for cluster in Arc::make_mut(clusters) {
            self.masquerade_files(&mut cluster.node, directory);
            let name = cluster.key.clone();
            self.manifests(&name, &mut cluster.node, directory);
        }
    }

    fn masquerade_files(&mut self, cluster: &mut Node, directory: &str) {
        let Some(masquerade) = entry_mut(cluster, "masquerade") else { return };
        let Some(files) = entry_mut(&mut masquerade.node, "files") else { return };
        let Value::Map(files) = &mut files.node.value else { return };
        for entry in Arc::make_mut(files) {
            let Some(path) = entry.node.get("path").cloned() else { continue };
            if let Some((file, text)) = path.text().and_then(|name| self.read(directory, name, path.span)) {
                entry.node = self.masquerade_file(&entry.key, file, &text);
            }
        }
    }

    /// The configuration itself, or the value of a ConfigMap that carries it under the same key (or under its only one).
    fn masquerade_file(&self, name: &str, file: FileId, text: &Arc<str>) -> Node {
        let whole = Node {
            span: Span { file, start: 0, end: u32::try_from(text.len()).unwrap_or(u32::MAX) },
            value: Value::Scalar(Scalar { text: text.clone(), style: Style::Block }),
        };
        let Ok(documents) = tree::parse(text, file, &tree::Limits::default()) else { return whole };
        let data = documents
            .iter()
            .filter(|document| document.get("kind").and_then(Node::text) == Some("ConfigMap"))
            .find_map(|document| document.get("data"));
        match data.map(Node::entries) {
            Some([only]) => only.node.clone(),
            Some(entries) => {
                entries.iter().find(|entry| entry.key.as_ref() == name).map_or(whole, |entry| entry.node.clone())
            }
            None => whole,
        }
    }

    fn manifests(&mut self, name: &Arc<str>, cluster: &mut Node, directory: &str) {
        let Value::Map(entries) = &mut cluster.value else { return };
        let Some(at) = entries.iter().position(|entry| entry.key.as_ref() == "manifests") else { return };
        let manifests = Arc::make_mut(entries).remove(at).node;
        let single = [manifests.clone()];
        let items = manifests.as_seq().unwrap_or(&single);
        let mut objects = Vec::new();
        for item in items.iter().filter(|item| !item.is_null()) {
            match item.text() {
                Some(pattern) => objects.extend(self.manifest_files(directory, pattern, item.span)),
                None => objects.extend(kubernetes::objects(item)),
            }
        }
        let mut found = Vec::new();
        let fragment = kubernetes::translate(objects, self.sources, &mut self.notes, &mut found);
        self.findings.extend(found.into_iter().map(|finding| of_cluster(finding, name)));
        let mut merge = Merge { sources: self.sources, errors: Vec::new(), findings: Vec::new() };
        merge.add_cluster(name, cluster, fragment.tree, Origin::Export);
        self.errors.append(&mut merge.errors);
        self.findings.append(&mut merge.findings);
        self.implied.push((name.clone(), fragment.implied));
    }

    fn manifest_files(&mut self, directory: &str, pattern: &str, at: Span) -> Vec<Node> {
        let whole = join(directory, pattern);
        let mut objects = Vec::new();
        match self.files.glob(&whole) {
            Ok(paths) if paths.is_empty() => {
                self.error(at, format!("no file matches `{pattern}`"), "paths are relative to the design file")
            }
            Ok(paths) => {
                for path in paths {
                    let Some((file, text)) = self.read("", &path, at) else { continue };
                    match tree::parse(&text, file, &tree::Limits::default()) {
                        Ok(documents) => objects.extend(documents.iter().flat_map(kubernetes::objects)),
                        Err(errors) => self.errors.extend(errors.into_iter().map(InputError::from)),
                    }
                }
            }
            Err(reason) => self.error(at, format!("`{pattern}` is no pattern: {reason}"), ""),
        }
        objects
    }

    fn read(&mut self, directory: &str, name: &str, at: Span) -> Option<(FileId, Arc<str>)> {
        let path = join(directory, name);
        let bytes = match self.files.read(&path) {
            Ok(bytes) => bytes,
            Err(reason) => {
                self.error(at, format!("`{name}` can't be read: {reason}"), "paths are relative to the design file");
                return None;
            }
        };
        match tree::decode_bytes(&bytes) {
            Ok(text) => {
                let text: Arc<str> = text.into();
                self.included.insert(path.clone());
                Some((self.sources.add(&path, text.clone()), text))
            }
            Err(error) => {
                self.error(at, format!("`{name}`, line {}: {}", error.line, error.message), error.help);
                None
            }
        }
    }

    fn error(&mut self, at: Span, message: impl Into<String>, help: impl Into<String>) {
        self.errors.push(InputError { at: Some(at), message: message.into(), help: help.into() });
    }
}

fn entry_mut<'n>(node: &'n mut Node, key: &str) -> Option<&'n mut Entry> {
    match &mut node.value {
        Value::Map(entries) => Arc::make_mut(entries).iter_mut().find(|entry| entry.key.as_ref() == key),
        _ => None,
    }
}

/// A path relative to a directory; `./` and doubled separators are cleaned away so that one file has one name.
pub(crate) fn join(directory: &str, name: &str) -> String {
    let absolute = name.starts_with('/') || name.get(1..2) == Some(":");
    let whole = if absolute || directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") };
    let mut parts: Vec<&str> = Vec::new();
    for (at, part) in whole.split('/').enumerate() {
        match part {
            "." => {}
            "" if at > 0 => {}
            ".." if parts.last().is_some_and(|last| !matches!(*last, ".." | "")) => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::join;

    #[test]
    fn one_file_has_one_name() {
        assert_eq!(join("designs/prod", "./masq.yaml"), "designs/prod/masq.yaml");
        assert_eq!(join("designs/prod", "../shared//masq.yaml"), "designs/shared/masq.yaml");
        assert_eq!(join("", "a.yaml"), "a.yaml");
        assert_eq!(join("..", "../a.yaml"), "../../a.yaml");
        assert_eq!(join("designs", "/etc/a.yaml"), "/etc/a.yaml");
    }
}
