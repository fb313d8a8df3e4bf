//! Tree to YAML that people like to read and that every YAML reader, of version 1.1 or 1.2, reads the same.

use super::resolve;
use super::{Entry, Node, Scalar, Style, Value};

/// Columns a list may take in one line.
const WIDTH: usize = 100;
/// Longer keys need the explicit form: YAML looks no further than 1,024 characters for the `:`.
const LONGEST_SIMPLE_KEY: usize = 900;

/// Writes a tree as a YAML document: two spaces of indentation, short lists of scalars in one line, texts of several
/// lines as `|` blocks, quotes only where a reader could take a string for something else. Reading it again gives an
/// equal tree up to spans and styles.
pub fn to_yaml(node: &Node) -> String {
    let mut writer = Writer { out: String::new() };
    match &node.value {
        Value::Map(entries) if !entries.is_empty() => writer.entries(entries, 0, false),
        // Never `[...]` at the root: a text that begins so is taken for JSON first.
        Value::Seq(items) if !items.is_empty() => writer.items(items, 0, false),
        _ => writer.value(node, 0, false),
    }
    writer.out
}

struct Writer {
    out: String,
}

impl Writer {
    fn line(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn indent(&mut self, indent: usize) {
        self.out.extend(std::iter::repeat_n(' ', indent));
    }

    /// The entries of a mapping, each on lines of its own; the first goes on in the current line if `inside_item`.
    fn entries(&mut self, entries: &[Entry], indent: usize, inside_item: bool) {
        for (index, entry) in entries.iter().enumerate() {
            if index > 0 || !inside_item {
                self.indent(indent);
            }
            let key = key_text(&entry.key);
            if key.chars().count() > LONGEST_SIMPLE_KEY {
                self.out.push_str("? ");
                self.line(&key);
                self.indent(indent);
            } else {
                self.out.push_str(&key);
            }
            self.out.push(':');
            self.after_key(&entry.node, indent);
        }
    }

    fn after_key(&mut self, node: &Node, indent: usize) {
        match &node.value {
            Value::Map(entries) if !entries.is_empty() => {
                self.out.push('\n');
                self.entries(entries, indent + 2, false);
            }
            Value::Seq(items) if !items.is_empty() => match inline_list(items, self.column() + 1) {
                Some(list) => {
                    self.out.push(' ');
                    self.line(&list);
                }
                None => {
                    self.out.push('\n');
                    self.items(items, indent + 2, false);
                }
            },
            _ => {
                self.out.push(' ');
                self.value(node, indent + 2, true);
            }
        }
    }

    /// The items of a list, each on lines of its own; the first goes on in the current line if `inside_item`.
    fn items(&mut self, items: &[Node], indent: usize, inside_item: bool) {
        for (index, item) in items.iter().enumerate() {
            if index > 0 || !inside_item {
                self.indent(indent);
            }
            self.out.push_str("- ");
            match &item.value {
                Value::Map(entries) if !entries.is_empty() => self.entries(entries, indent + 2, true),
                Value::Seq(inner) if !inner.is_empty() => match inline_list(inner, self.column()) {
                    Some(list) => self.line(&list),
                    None => self.items(inner, indent + 2, true),
                },
                _ => self.value(item, indent + 2, true),
            }
        }
    }

    /// A scalar or an empty list or mapping, and the end of its line. `indent` is that of the lines of a block.
    fn value(&mut self, node: &Node, indent: usize, nested: bool) {
        match &node.value {
            Value::Map(_) => self.line("{}"),
            Value::Seq(_) => self.line("[]"),
            Value::Scalar(scalar) if fits_block(&scalar.text) => {
                // At the root, a block that is not indented could hold what looks like the end of the document.
                self.block(&scalar.text, if nested { indent } else { indent + 2 });
            }
            Value::Scalar(scalar) => self.line(&one_line(scalar, false)),
        }
    }

    fn block(&mut self, text: &str, indent: usize) {
        self.out.push('|');
        if text.starts_with([' ', '\n']) {
            self.out.push('2'); // or the first line would be taken for the indentation
        }
        let body = text.strip_suffix('\n');
        match body {
            None => self.out.push('-'),
            Some(body) if body.ends_with('\n') => self.out.push('+'),
            Some(_) => {}
        }
        self.out.push('\n');
        for line in body.unwrap_or(text).split('\n') {
            if !line.is_empty() {
                self.indent(indent);
                self.out.push_str(line);
            }
            self.out.push('\n');
        }
    }

    /// Characters in the current line.
    fn column(&self) -> usize {
        self.out.rsplit('\n').next().unwrap_or_default().chars().count()
    }
}

/// `[a, b]`, if it is a list of short scalars that ends within the line.
fn inline_list(items: &[Node], column: usize) -> Option<String> {
    let mut list = String::from("[");
    let mut width = column + 2;
    for (index, item) in items.iter().enumerate() {
        let Value::Scalar(scalar) = &item.value else {
            return None;
        };
        let text = one_line(scalar, true);
        width += text.chars().count() + 2;
        if width > WIDTH + 2 || scalar.text.contains('\n') {
            return None;
        }
        if index > 0 {
            list.push_str(", ");
        }
        list.push_str(&text);
    }
    list.push(']');
    Some(list)
}

fn key_text(key: &str) -> String {
    one_line(&Scalar { text: key.into(), style: Style::Quoted }, true)
}

/// A scalar in one line, with quotes if it needs them.
fn one_line(scalar: &Scalar, in_brackets: bool) -> String {
    let text = scalar.text.as_ref();
    let typed = scalar.style == Style::Plain;
    if typed && text.is_empty() {
        return "null".to_owned();
    }
    let may_be_plain = fits_plain(text, in_brackets);
    if may_be_plain && (typed || !resolve::looks_typed(text))
        || typed && (resolve::is_null(text) || resolve::is_number(text))
    {
        return text.to_owned();
    }
    let printable = text.chars().all(is_printable);
    if printable && text.contains(['"', '\\']) && !text.contains(['\'', '\t']) {
        return format!("'{text}'");
    }
    double_quoted(text)
}

/// Whether a text can stand without quotes in every YAML reader.
fn fits_plain(text: &str, in_brackets: bool) -> bool {
    let mut chars = text.chars();
    let begins_well = match chars.next() {
        None => false,
        Some('-') => chars.next().is_some_and(|second| second.is_alphanumeric()),
        Some(first) => first.is_alphanumeric() || matches!(first, '/' | '.' | '_' | '(' | '+' | '$' | '^' | '~' | '<'),
    };
    let has_meaning = text.ends_with([' ', ':'])
        || text.contains(": ")
        || text.contains(" #")
        || text.starts_with("...")
        || in_brackets && text.contains([',', '[', ']', '{', '}', '?']);
    begins_well
        && !has_meaning
        && text.chars().all(|char| char == ' ' || char.is_ascii_graphic() || char.is_alphanumeric())
}

/// Whether a text can stand as a `|` block: several lines, every one of them visible.
fn fits_block(text: &str) -> bool {
    let visible = |line: &str| line.is_empty() || !line.trim_matches(' ').is_empty();
    text.contains('\n')
        && !text.trim_matches('\n').is_empty()
        && text.split('\n').all(visible)
        && text.chars().all(|char| char == '\n' || is_printable(char))
}

fn is_printable(char: char) -> bool {
    !char.is_control() && !matches!(char, '\u{feff}' | '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}')
}

fn double_quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for char in text.chars() {
        match char {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            char if is_printable(char) => quoted.push(char),
            char => match u32::from(char) {
                code @ 0..=0xff => quoted.push_str(&format!("\\x{code:02x}")),
                code @ 0x100..=0xffff => quoted.push_str(&format!("\\u{code:04x}")),
                code => quoted.push_str(&format!("\\U{code:08x}")),
            },
        }
    }
    quoted.push('"');
    quoted
}
