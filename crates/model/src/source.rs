//! Where something stands in the user's own files: byte-exact spans, and the texts they point into.

use std::sync::Arc;

/// A file (or standard input) that was read. Index into [`Sources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// A half-open range of bytes in one file: `start` is the first byte, `end` the one after the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file the bytes are in.
    pub file: FileId,
    /// Offset of the first byte.
    pub start: u32,
    /// Offset of the byte after the last.
    pub end: u32,
}

/// A place as people say it: 1-based line, 1-based column (in characters).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The file's name as the user gave it.
    pub file: Arc<str>,
    /// 1-based.
    pub line: u32,
    /// 1-based, counted in characters.
    pub column: u32,
}

#[derive(Debug, Clone)]
struct SourceFile {
    name: Arc<str>,
    text: Arc<str>,
    line_starts: Vec<u32>,
}

/// The texts of all files that were read, in the order they were read.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
}

impl Sources {
    /// Keeps a text under its name. Texts over 4 GiB do not fit a [`Span`]; the reader refuses them long before.
    pub fn add(&mut self, name: &str, text: Arc<str>) -> FileId {
        let line_starts = std::iter::once(0)
            .chain(text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| to_u32(at + 1)))
            .collect();
        self.files.push(SourceFile { name: name.into(), text, line_starts });
        FileId(to_u32(self.files.len() - 1))
    }

    /// The name the user gave, or an empty string for an id of another `Sources`.
    pub fn name(&self, file: FileId) -> &str {
        self.get(file).map_or("", |source| &source.name)
    }

    /// The whole text of a file, or an empty string for an id of another `Sources`.
    pub fn text(&self, file: FileId) -> &str {
        self.get(file).map_or("", |source| &source.text)
    }

    /// The text under a span; empty when the span does not lie in its file.
    pub fn slice(&self, span: Span) -> &str {
        self.text(span.file).get(span.start as usize..span.end as usize).unwrap_or("")
    }

    /// Line and column of the first byte of a span.
    pub fn position(&self, span: Span) -> Position {
        let Some(source) = self.get(span.file) else {
            return Position { file: "".into(), line: 1, column: 1 };
        };
        let line = source.line_starts.partition_point(|start| *start <= span.start);
        let line_start = line.checked_sub(1).and_then(|at| source.line_starts.get(at)).copied().unwrap_or(0);
        let before = source.text.get(line_start as usize..span.start as usize).unwrap_or("");
        Position { file: source.name.clone(), line: to_u32(line), column: to_u32(before.chars().count() + 1) }
    }

    /// Every file, in the order read.
    pub fn files(&self) -> impl Iterator<Item = (FileId, &str)> {
        self.files.iter().enumerate().map(|(at, source)| (FileId(to_u32(at)), source.name.as_ref()))
    }

    fn get(&self, file: FileId) -> Option<&SourceFile> {
        self.files.get(file.0 as usize)
    }
}

/// Sources are limited to far less than 4 GiB, so saturation never happens; it only keeps arithmetic total.
fn to_u32(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_one_based_and_count_characters() {
        let mut sources = Sources::default();
        let file = sources.add("design.yaml", "a: é1\nbb: 2\n".into());
        let at = |start, end| sources.position(Span { file, start, end });
        assert_eq!(at(0, 1), Position { file: "design.yaml".into(), line: 1, column: 1 });
        assert_eq!(at(5, 6), Position { file: "design.yaml".into(), line: 1, column: 5 });
        assert_eq!(at(7, 9), Position { file: "design.yaml".into(), line: 2, column: 1 });
        assert_eq!(sources.slice(Span { file, start: 7, end: 9 }), "bb");
        assert_eq!(sources.slice(Span { file, start: 7, end: 900 }), "");
    }
}
