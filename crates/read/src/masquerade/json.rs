//! JSON exactly as strict as Go's `encoding/json`, with its words: the same key may stand twice, halves of surrogate pairs
//! and bytes that are no UTF-8 become U+FFFD, and everything is checked before anything is used.

use super::go;
use super::value::{Document, Fault, Frame, Member, Node, Step, Value};
use std::ops::Range;

/// Go refuses deeper nesting.
const MAX_DEPTH: usize = 10_000;

/// Whether the agents take a text for JSON: its first byte that is no white space is `{`.
pub(super) fn looks_like_json(bytes: &[u8]) -> bool {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => bytes.get(..error.valid_up_to()).and_then(|valid| std::str::from_utf8(valid).ok()).unwrap_or(""),
    };
    text.trim_start().starts_with('{')
}

/// Reads a JSON text.
///
/// # Errors
/// What Go says, and where.
pub(super) fn read(bytes: &[u8]) -> Result<Document, Fault> {
    let mut scanner = Scanner { bytes, at: 0, frames: Vec::new(), root: None };
    scanner.run()?;
    let root = scanner.root.unwrap_or(Node { range: 0..bytes.len(), value: Value::Null });
    Ok(Document { root, json: true, more: None })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Expect {
    Value,
    ValueOrClose,
    Key,
    KeyOrClose,
    Colon,
    AfterValue,
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    frames: Vec<Frame>,
    root: Option<Node>,
}

impl Scanner<'_> {
    fn run(&mut self) -> Result<(), Fault> {
        let mut expect = Expect::Value;
        loop {
            self.skip_space();
            let Some(byte) = self.peek() else {
                return if self.root.is_some() { Ok(()) } else { Err(self.cut_off()) };
            };
            if self.root.is_some() {
                return Err(self.unexpected("after top-level value"));
            }
            expect = match (expect, byte) {
                (Expect::ValueOrClose, b']') | (Expect::KeyOrClose, b'}') => self.close()?,
                (Expect::Value | Expect::ValueOrClose, _) => self.value(byte)?,
                (Expect::Key | Expect::KeyOrClose, b'"') => self.key()?,
                (Expect::Key | Expect::KeyOrClose, _) => {
                    return Err(self.unexpected("looking for beginning of object key string"));
                }
                (Expect::Colon, b':') => {
                    self.at += 1;
                    Expect::Value
                }
                (Expect::Colon, _) => return Err(self.unexpected("after object key")),
                (Expect::AfterValue, _) => self.after_value(byte)?,
            };
        }
    }

    fn value(&mut self, byte: u8) -> Result<Expect, Fault> {
        let start = self.at;
        match byte {
            b'{' | b'[' => {
                if self.frames.len() >= MAX_DEPTH {
                    return Err(self.fault("exceeded max depth".to_owned(), start..start + 1));
                }
                self.at += 1;
                let is_map = byte == b'{';
                self.frames.push(Frame::new(start, is_map, 0));
                Ok(if is_map { Expect::KeyOrClose } else { Expect::ValueOrClose })
            }
            b'"' => {
                let text = self.string()?;
                Ok(self.place(start, Value::String(text)))
            }
            b't' => self.literal("true", Value::Bool(true)),
            b'f' => self.literal("false", Value::Bool(false)),
            b'n' => self.literal("null", Value::Null),
            b'-' | b'0'..=b'9' => {
                self.number()?;
                let text = self.bytes.get(start..self.at).map(String::from_utf8_lossy).unwrap_or_default();
                let number = Value::Number(text.into_owned());
                Ok(self.place(start, number))
            }
            _ => Err(self.unexpected("looking for beginning of value")),
        }
    }

    /// Puts a scalar that ends here where it belongs.
    fn place(&mut self, start: usize, value: Value) -> Expect {
        self.place_node(Node { range: start..self.at, value })
    }

    fn place_node(&mut self, node: Node) -> Expect {
        match self.frames.last_mut() {
            None => self.root = Some(node),
            Some(frame) => match frame.key.take() {
                Some((key, key_range, _)) => frame.members.push(Member { key, key_range, node }),
                None => frame.items.push(node),
            },
        }
        Expect::AfterValue
    }

    fn key(&mut self) -> Result<Expect, Fault> {
        let start = self.at;
        let text = self.string()?;
        if let Some(frame) = self.frames.last_mut() {
            frame.key = Some((text, start..self.at, false));
        }
        Ok(Expect::Colon)
    }

    fn after_value(&mut self, byte: u8) -> Result<Expect, Fault> {
        let is_map = self.frames.last().is_some_and(|frame| frame.is_map);
        match (is_map, byte) {
            (true, b',') => {
                self.at += 1;
                Ok(Expect::Key)
            }
            (false, b',') => {
                self.at += 1;
                Ok(Expect::Value)
            }
            (true, b'}') | (false, b']') => self.close(),
            (true, _) => Err(self.unexpected("after object key:value pair")),
            (false, _) => Err(self.unexpected("after array element")),
        }
    }

    fn close(&mut self) -> Result<Expect, Fault> {
        self.at += 1;
        let depth = self.frames.len();
        match self.frames.pop() {
            Some(frame) => {
                let node = frame.close(self.at, depth);
                Ok(self.place_node(node))
            }
            None => Err(self.unexpected("after top-level value")),
        }
    }

    fn literal(&mut self, word: &str, value: Value) -> Result<Expect, Fault> {
        let start = self.at;
        for expected in word.bytes() {
            match self.peek() {
                None => return Err(self.cut_off()),
                Some(byte) if byte == expected => self.at += 1,
                Some(_) => {
                    return Err(self.unexpected(&format!("in literal {word} (expecting '{}')", char::from(expected))));
                }
            }
        }
        Ok(self.place(start, value))
    }

    /// Go's states of a number: a digit wherever one must stand, and whatever follows is not its business.
    fn number(&mut self) -> Result<(), Fault> {
        if self.peek() == Some(b'-') {
            self.at += 1;
            self.digit("in numeric literal")?;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits();
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digit("after decimal point in numeric literal")?;
            self.digits();
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digit("in exponent of numeric literal")?;
            self.digits();
        }
        Ok(())
    }

    fn digit(&self, context: &str) -> Result<(), Fault> {
        match self.peek() {
            Some(b'0'..=b'9') => Ok(()),
            Some(_) => Err(self.unexpected(context)),
            None => Err(self.cut_off()),
        }
    }

    fn digits(&mut self) {
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
    }

    fn string(&mut self) -> Result<String, Fault> {
        self.at += 1;
        let mut text: Vec<u8> = Vec::new();
        loop {
            match self.peek() {
                None => return Err(self.cut_off()),
                Some(b'"') => {
                    self.at += 1;
                    return Ok(String::from_utf8_lossy(&text).into_owned());
                }
                Some(b'\\') => self.escape(&mut text)?,
                Some(byte) if byte < 0x20 => return Err(self.unexpected("in string literal")),
                Some(byte) => {
                    text.push(byte);
                    self.at += 1;
                }
            }
        }
    }

    fn escape(&mut self, text: &mut Vec<u8>) -> Result<(), Fault> {
        self.at += 1;
        let simple = match self.peek() {
            None => return Err(self.cut_off()),
            Some(byte @ (b'"' | b'\\' | b'/')) => byte,
            Some(b'b') => 8,
            Some(b'f') => 12,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'u') => {
                self.at += 1;
                let unit = self.four_digits()?;
                let c = self.pair(unit).unwrap_or(char::REPLACEMENT_CHARACTER);
                text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                return Ok(());
            }
            Some(_) => return Err(self.unexpected("in string escape code")),
        };
        text.push(simple);
        self.at += 1;
        Ok(())
    }

    fn four_digits(&mut self) -> Result<u32, Fault> {
        let mut unit = 0;
        for _ in 0..4 {
            let Some(byte) = self.peek() else {
                return Err(self.cut_off());
            };
            let Some(digit) = char::from(byte).to_digit(16) else {
                return Err(self.unexpected("in \\u hexadecimal character escape"));
            };
            unit = unit * 16 + digit;
            self.at += 1;
        }
        Ok(unit)
    }

    /// The character of a unit of UTF-16, together with the second half after it if it is the first one.
    fn pair(&mut self, first: u32) -> Option<char> {
        if !(0xd800..0xe000).contains(&first) {
            return char::from_u32(first);
        }
        let rest = self.bytes.get(self.at..self.at + 6)?;
        let digits = std::str::from_utf8(rest.strip_prefix(b"\\u")?).ok()?;
        let second = u32::from_str_radix(digits, 16).ok()?;
        if first >= 0xdc00 || !(0xdc00..0xe000).contains(&second) {
            return None;
        }
        self.at += 6;
        char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00))
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn unexpected(&self, context: &str) -> Fault {
        let byte = self.peek().unwrap_or_default();
        // The message is about one byte; the place is the whole character.
        let rest = self.bytes.get(self.at + 1..).unwrap_or_default();
        let more = rest.iter().take_while(|byte| matches!(byte, 0x80..=0xbf)).count();
        self.fault(format!("invalid character {} {context}", go::quote_byte(byte)), self.at..self.at + 1 + more)
    }

    fn cut_off(&self) -> Fault {
        self.fault("unexpected end of JSON input".to_owned(), self.bytes.len()..self.bytes.len())
    }

    fn fault(&self, message: String, range: Range<usize>) -> Fault {
        Fault { step: Step::Unmarshal, message, range }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_is_refused_in_gos_words() {
        for (text, message, at) in [
            ("{*", "invalid character '*' looking for beginning of object key string", 1),
            ("{", "unexpected end of JSON input", 1),
            (r#"{"a""#, "unexpected end of JSON input", 4),
            (r#"{"a" 1}"#, "invalid character '1' after object key", 5),
            (r#"{"a":1 "b":2}"#, "invalid character '\"' after object key:value pair", 7),
            (r#"{"a":[1 2]}"#, "invalid character '2' after array element", 8),
            (r#"{"a":[1,]}"#, "invalid character ']' looking for beginning of value", 8),
            (r#"{"a":1,}"#, "invalid character '}' looking for beginning of object key string", 7),
            (r#"{"a":1} x"#, "invalid character 'x' after top-level value", 8),
            (r#"{"a":1}{"b":2}"#, "invalid character '{' after top-level value", 7),
            (r#"{"a":01}"#, "invalid character '1' after object key:value pair", 6),
            (r#"{"a":-}"#, "invalid character '}' in numeric literal", 6),
            (r#"{"a":1.}"#, "invalid character '}' after decimal point in numeric literal", 7),
            (r#"{"a":1e}"#, "invalid character '}' in exponent of numeric literal", 7),
            (r#"{"a":trve}"#, "invalid character 'v' in literal true (expecting 'u')", 7),
            (r#"{"a":yes}"#, "invalid character 'y' looking for beginning of value", 5),
            ("{\"a\":\"x\ny\"}", r"invalid character '\n' in string literal", 7),
            (r#"{"a":"\x"}"#, "invalid character 'x' in string escape code", 7),
            (r#"{"a":"\u12g4"}"#, r"invalid character 'g' in \u hexadecimal character escape", 10),
            ("{'a':1}", r"invalid character '\'' looking for beginning of object key string", 1),
            (r#"{"a":1}}"#, "invalid character '}' after top-level value", 7),
            ("{\"a\":1 // one\n}", "invalid character '/' after object key:value pair", 7),
        ] {
            let fault = read(text.as_bytes()).expect_err(text);
            assert_eq!((fault.message.as_str(), fault.range.start), (message, at), "{text}");
        }
    }

    #[test]
    fn what_only_go_takes_is_taken() {
        let document = read(b"\n {\"a\": 1, \"a\": \"\\ud800 \\ud83d\\ude00 \xff\", \"b\": [null, true]}\n").unwrap();
        let Value::Map(members) = document.root.value else { panic!("no mapping") };
        assert_eq!(members.iter().map(|member| member.key.as_str()).collect::<Vec<_>>(), ["a", "a", "b"]);
        assert_eq!(members[1].node.value, Value::String("\u{fffd} \u{1f600} \u{fffd}".into()));
        assert_eq!(members[0].node.range, 8..9);
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(read(nested(9_999).as_bytes()).is_ok());
        assert_eq!(read(nested(10_000).as_bytes()).unwrap_err().message, "exceeded max depth");
    }

    #[test]
    fn the_first_byte_decides() {
        assert!(looks_like_json(b" \n\t{"));
        assert!(looks_like_json("\u{a0}{".as_bytes()));
        assert!(!looks_like_json(b"[1]"));
        assert!(!looks_like_json(b"a: {}"));
        assert!(!looks_like_json(b""));
        assert!(!looks_like_json(b"\xef\xbb\xbf{}"));
        assert!(!looks_like_json(b"\xff{"));
    }
}
