//! JSON to tree: RFC 8259 to the letter, one pass, no recursion.
//!
//! A text in braces may be YAML as well (`[10.0.0.0/16, corp]`). Where it stops being JSON decides: what no YAML
//! writer would write (a comment with slashes, `NaN`, a comma too many) is reported as broken JSON.

use super::build::{Builder, Closed, Measure, Places};
use super::json_scalar::{self, StringError};
use super::{Limits, Node, Style, SyntaxError};
use causeway_model::source::FileId;

/// Why a text is not JSON.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) errors: Vec<SyntaxError>,
    /// It may be YAML in braces.
    pub(super) may_be_yaml: bool,
    /// It is more likely broken JSON than broken YAML.
    pub(super) looks_like_json: bool,
}

pub(super) fn parse(text: &str, file: FileId, limits: &Limits, places: Places<'_>) -> Result<Vec<Node>, Failure> {
    let mut reader = Reader {
        text,
        at: 0,
        builder: Builder::new(text, file, limits, places),
        documents: Vec::new(),
        quoted_keys: 0,
        unescaped: String::new(),
    };
    let stopped = reader.read();
    let mut errors = reader.builder.errors;
    match stopped {
        Ok(()) if errors.is_empty() => Ok(reader.documents),
        Ok(()) => Err(Failure { errors, may_be_yaml: false, looks_like_json: true }),
        Err(stop) => {
            let may_be_yaml = stop.may_be_yaml && errors.is_empty();
            errors.push(stop.error);
            errors.sort_by_key(|error| error.span.start);
            errors.truncate(limits.errors.max(1));
            Err(Failure { errors, may_be_yaml, looks_like_json: reader.quoted_keys > 0 })
        }
    }
}

struct Stop {
    error: SyntaxError,
    may_be_yaml: bool,
}

/// What may stand next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    /// The root of a document.
    Document,
    /// After `[`.
    ItemOrClose,
    /// After a `,` in a list.
    Item,
    /// After `{`.
    KeyOrClose,
    /// After a `,` in a mapping.
    Key,
    /// After a `:`.
    MapValue,
    /// After a value.
    CommaOrClose,
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    builder: Builder<'t>,
    documents: Vec<Node>,
    quoted_keys: usize,
    unescaped: String,
}

impl<'t> Reader<'t> {
    fn read(&mut self) -> Result<(), Stop> {
        if self.text.starts_with('\u{feff}') {
            self.at = '\u{feff}'.len_utf8();
        }
        let mut expect = Expect::Document;
        loop {
            self.skip_space();
            let Some(byte) = self.peek() else {
                return if self.builder.depth() == 0 { Ok(()) } else { Err(self.cut_off()) };
            };
            expect = match (expect, byte) {
                (Expect::Document | Expect::ItemOrClose | Expect::Item | Expect::MapValue, b'{' | b'[') => {
                    self.open(byte)?
                }
                (Expect::Document, _) => return Err(self.after_document(byte)),
                (Expect::KeyOrClose, b'}') | (Expect::ItemOrClose, b']') => self.close(),
                (Expect::KeyOrClose | Expect::Key, b'"') => self.key()?,
                (Expect::ItemOrClose | Expect::Item | Expect::MapValue, b'"') => self.string()?,
                (Expect::CommaOrClose, b',') => {
                    self.at += 1;
                    if self.builder.is_in_map() { Expect::Key } else { Expect::Item }
                }
                (Expect::CommaOrClose, b'}') if self.builder.is_in_map() => self.close(),
                (Expect::CommaOrClose, b']') if !self.builder.is_in_map() => self.close(),
                (Expect::ItemOrClose | Expect::Item | Expect::MapValue, _) if is_word(byte) => self.word(expect)?,
                _ => return Err(self.unexpected(expect, byte)),
            };
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn stop(&self, start: usize, end: usize, message: impl Into<String>, help: &str) -> Stop {
        Stop { error: self.builder.error(start, end, message, help), may_be_yaml: false }
    }

    fn open(&mut self, bracket: u8) -> Result<Expect, Stop> {
        let (opened, next) = match bracket {
            b'{' => (self.builder.open_map(self.at, 0), Expect::KeyOrClose),
            _ => (self.builder.open_seq(self.at, 0), Expect::ItemOrClose),
        };
        opened.map_err(|error| Stop { error, may_be_yaml: false })?;
        self.at += 1;
        Ok(next)
    }

    fn close(&mut self) -> Expect {
        self.at += 1;
        if let Some(Closed { node, measure, .. }) = self.builder.close(Some(self.at)) {
            self.builder.place(node, measure);
        }
        if self.builder.depth() > 0 {
            return Expect::CommaOrClose;
        }
        self.documents.extend(self.builder.take_root());
        Expect::Document
    }

    fn key(&mut self) -> Result<Expect, Stop> {
        let start = self.at;
        let end = self.scan_string()?;
        let span = self.builder.span(start, end);
        let raw = self.text.get(start + 1..end - 1).unwrap_or_default();
        let text = if self.unescaped.is_empty() { raw } else { &self.unescaped };
        self.builder.key(text, span, false);
        self.at = end;
        self.quoted_keys += 1;
        self.skip_space();
        match self.peek() {
            Some(b':') => {
                self.at += 1;
                Ok(Expect::MapValue)
            }
            None => Err(self.cut_off()),
            Some(_) => {
                let help = "write `\"key\": value`";
                Err(self.stop(self.at, self.at + 1, "a `:` is missing after the key", help))
            }
        }
    }

    fn string(&mut self) -> Result<Expect, Stop> {
        let start = self.at;
        let end = self.scan_string()?;
        let raw = self.text.get(start + 1..end - 1).unwrap_or_default();
        let text = if self.unescaped.is_empty() { raw } else { &self.unescaped };
        let node = self.builder.scalar(text, Style::Quoted, start, end);
        self.at = end;
        self.builder.place(node, Measure::SCALAR);
        Ok(Expect::CommaOrClose)
    }

    /// Reads the string at the reader's place: where it ends (after the quote). `unescaped` holds its text if it has
    /// escapes, and nothing otherwise.
    fn scan_string(&mut self) -> Result<usize, Stop> {
        json_scalar::string(self.text, self.at, &mut self.unescaped).map_err(|error| {
            let (range, message, help, may_be_yaml) = match error {
                StringError::Unclosed => (
                    self.at..self.at + 1,
                    "this string is never closed".to_owned(),
                    "close the quote; if the file is cut off, write it again",
                    false,
                ),
                StringError::LineBreak => (
                    self.at..self.at + 1,
                    "this string is not closed in its line".to_owned(),
                    "close the quote, or write a line break as `\\n`",
                    false,
                ),
                StringError::Control(at, byte) => (
                    at..at + 1,
                    format!("the control character U+{byte:04X} stands in a string"),
                    "write it as an escape (`\\t` for a tab)",
                    false,
                ),
                StringError::Escape(range) => (
                    range.clone(),
                    format!("`{}` is no escape of JSON", self.text.get(range).unwrap_or_default()),
                    "write `\\\\` for a backslash",
                    true,
                ),
                StringError::Surrogate(range) => (
                    range,
                    "half of a surrogate pair stands alone in this string".to_owned(),
                    "write both halves, or the character itself",
                    false,
                ),
            };
            Stop { error: self.builder.error(range.start, range.end, message, help), may_be_yaml }
        })
    }

    /// `true`, `false`, `null` or a number.
    fn word(&mut self, expect: Expect) -> Result<Expect, Stop> {
        let start = self.at;
        let rest = self.text.get(start..).unwrap_or_default();
        let word = json_scalar::word(rest);
        if !matches!(word, "true" | "false" | "null") && !json_scalar::is_number(word) {
            return Err(self.no_value(expect, word));
        }
        let end = start + word.len();
        let node = self.builder.scalar(word, Style::Plain, start, end);
        self.at = end;
        self.builder.place(node, Measure::SCALAR);
        Ok(Expect::CommaOrClose)
    }

    fn no_value(&self, expect: Expect, word: &str) -> Stop {
        let (start, end) = (self.at, self.at + word.len());
        if word.starts_with("//") || word.starts_with("/*") {
            return self.comment();
        }
        let number = word.trim_start_matches(['-', '+']);
        if matches!(number, "NaN" | "nan" | "Infinity" | "undefined" | "None") {
            let help = "write `null`, or leave the key out";
            return self.stop(start, end, format!("`{word}` is no JSON value"), help);
        }
        let what = if expect == Expect::MapValue { "the value" } else { "the item" };
        Stop {
            may_be_yaml: true,
            ..self.stop(
                start,
                end,
                format!("{what} `{word}` is neither a number nor `true`, `false` or `null`"),
                "put text in double quotes",
            )
        }
    }

    fn comment(&self) -> Stop {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = rest.find('\n').unwrap_or(rest.len());
        self.stop(self.at, self.at + length, "JSON has no comments", "remove the comment")
    }

    fn cut_off(&self) -> Stop {
        let start = self.builder.open_start().unwrap_or(self.at);
        let bracket = self.text.get(start..start + 1).unwrap_or_default();
        let help = "the file may be cut off: did the command that wrote it finish?";
        self.stop(start, start + 1, format!("the text ends before this `{bracket}` is closed"), help)
    }

    fn after_document(&self, byte: u8) -> Stop {
        let (start, end) = (self.at, self.at + 1);
        let rest = self.text.get(start..).unwrap_or_default();
        match byte {
            b',' => self.stop(
                start,
                end,
                "there is a `,` between two JSON values",
                "remove it, or make a list of the values",
            ),
            b'}' | b']' => self.stop(start, end, "this bracket closes nothing", "remove it"),
            b'/' if rest.starts_with("//") || rest.starts_with("/*") => self.comment(),
            _ => Stop {
                may_be_yaml: true,
                ..self.stop(start, end, "there is text after the JSON value", "a JSON file holds JSON values only")
            },
        }
    }

    fn unexpected(&self, expect: Expect, byte: u8) -> Stop {
        let (start, end) = (self.at, self.at + 1);
        let rest = self.text.get(start..).unwrap_or_default();
        let shown = rest.chars().next().unwrap_or_default();
        if rest.starts_with("//") || rest.starts_with("/*") {
            return self.comment();
        }
        match (expect, byte) {
            (Expect::Key, b'}') | (Expect::Item, b']') => {
                let comma = self.text.get(..start).and_then(|before| before.rfind(',')).unwrap_or(start);
                self.stop(
                    comma,
                    comma + 1,
                    "a `,` stands before the closing bracket",
                    "JSON has no comma after the last value: remove it",
                )
            }
            (Expect::KeyOrClose | Expect::Key, b'{')
                if self.text.get(..start).is_some_and(|before| before.ends_with('{')) =>
            {
                self.stop(
                    start - 1,
                    end,
                    "`{{` is no JSON and no YAML",
                    "if this is a template, render it first (`helm template`)",
                )
            }
            (Expect::KeyOrClose | Expect::Key, b',') | (Expect::ItemOrClose | Expect::Item, b',') => {
                self.stop(start, end, "there is nothing before this `,`", "remove it")
            }
            (Expect::KeyOrClose | Expect::Key, _) => Stop {
                may_be_yaml: !matches!(byte, b'[' | b']' | b'{' | b':'),
                ..self.stop(start, end, format!("a key cannot begin with `{shown}`"), "put keys in double quotes")
            },
            (Expect::MapValue, b',' | b'}' | b']') => Stop {
                may_be_yaml: byte != b']',
                ..self.stop(start, end, "the key has no value", "write a value after the `:`, such as `null`")
            },
            (Expect::CommaOrClose, b'}' | b']') => {
                let opened = if byte == b'}' { '[' } else { '{' };
                self.stop(start, end, format!("`{opened}` is closed by `{shown}`"), "close it with its own bracket")
            }
            (Expect::CommaOrClose, b'"' | b'{' | b'[' | b'-' | b'0'..=b'9') => {
                self.stop(start, end, "a `,` is missing before this value", "separate values with `,`")
            }
            (Expect::ItemOrClose | Expect::Item, b'}') => {
                self.stop(start, end, "`[` is closed by `}`", "close it with its own bracket")
            }
            _ => Stop {
                may_be_yaml: true,
                ..self.stop(
                    start,
                    end,
                    format!("`{shown}` cannot stand here"),
                    "a value is followed by `,` or a closing bracket",
                )
            },
        }
    }
}

/// Bytes a word may begin with: everything that has no meaning of its own.
fn is_word(byte: u8) -> bool {
    !matches!(byte, b'{' | b'}' | b'[' | b']' | b',' | b':' | b'"')
}
