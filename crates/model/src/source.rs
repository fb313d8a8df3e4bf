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
    /// Characters that begin before each block of [`BLOCK`] bytes: exports are often one line of megabytes, and a column in it must
    /// not cost a walk through the line.
    blocks: Vec<u32>,
}

/// Bytes of a block.
const BLOCK: usize = 1 << 12;

/// Characters that begin in a stretch of UTF-8, wherever it was cut.
fn begin_in(bytes: &[u8]) -> u32 {
    to_u32(bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count())
}

impl SourceFile {
    /// Characters that begin between two bytes.
    fn between(&self, from: u32, to: u32) -> u32 {
        match self.text.as_bytes().get(from as usize..to as usize) {
            Some(short) if short.len() < BLOCK => begin_in(short),
            _ => self.before(to).saturating_sub(self.before(from)),
        }
    }

    /// Characters that begin before a byte.
    fn before(&self, at: u32) -> u32 {
        let at = at as usize;
        let block = at / BLOCK;
        let counted = self.blocks.get(block).copied().unwrap_or(0);
        counted.saturating_add(self.text.as_bytes().get(block * BLOCK..at).map_or(0, begin_in))
    }
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
        let counted = text.as_bytes().chunks(BLOCK).scan(0_u32, |before, block| {
            *before = before.saturating_add(begin_in(block));
            Some(*before)
        });
        let blocks = std::iter::once(0).chain(counted).collect();
        self.files.push(SourceFile { name: name.into(), text, line_starts, blocks });
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
        // A span of another text: there is no such column.
        let inside = source.text.is_char_boundary(span.start as usize);
        let column = if inside { source.between(line_start, span.start) } else { 0 };
        Position { file: source.name.clone(), line: to_u32(line), column: column.saturating_add(1) }
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
        assert_eq!(at(900, 901), Position { file: "design.yaml".into(), line: 3, column: 1 });
        assert_eq!(sources.slice(Span { file, start: 7, end: 9 }), "bb");
        assert_eq!(sources.slice(Span { file, start: 7, end: 900 }), "");
    }
    #[test]
    fn columns_of_a_line_of_megabytes_are_counted_right() {
        let text = "é".repeat(100_000) + "\n" + &"aé€😀".repeat(50_000);
        let mut sources = Sources::default();
        let file = sources.add("long", text.as_str().into());
        for (at, _) in text.char_indices().step_by(997).chain([(0, ' '), (text.len(), ' '), (BLOCK, ' ')]) {
            let start = u32::try_from(at).unwrap();
            let line_start = text.get(..at).unwrap().rfind('\n').map_or(0, |newline| newline + 1);
            let column = u32::try_from(text.get(line_start..at).unwrap().chars().count() + 1).unwrap();
            assert_eq!(sources.position(Span { file, start, end: start }).column, column, "byte {at}");
        }
    }
}
