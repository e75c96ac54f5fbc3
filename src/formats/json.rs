//! JSON at the speed of the log: the members of one object, borrowed from its text.
//!
//! It accepts what `serde_json` accepts, and nothing else; a test holds it to that. What it can not
//! do: build a tree, or read a number as a float. A value stays the text that it is until someone
//! asks for it, so an unknown member costs only its scan, and an amount never loses a digit.

use std::fmt;

use super::escape::unescape;

/// A value as it stands in the text, whole and well-formed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    /// What it is.
    pub(crate) kind: Kind,
    /// Its text; that of a string is what stands between the quotes, escapes and all.
    pub(crate) raw: &'a str,
}

impl Token<'_> {
    /// Whether it is a string without a character.
    pub(crate) fn is_empty(&self) -> bool {
        self.kind == Kind::Plain && self.raw.is_empty()
    }

    /// Whether it is a string of nothing but space, if any. Escapes are read, at the cost of an allocation.
    pub(crate) fn is_blank(&self) -> bool {
        match self.kind {
            Kind::Plain => self.raw.trim().is_empty(),
            Kind::Escaped => {
                let mut plain = String::new();
                unescape(self.raw, &mut plain).is_ok() && plain.trim().is_empty()
            }
            _ => false,
        }
    }
}

/// The kinds of values. As wide as a pointer, so that a token has no padding: copies of it were made of pieces that
/// overlap, and waiting for those was a fifth of the time of reading an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// A number.
    Number,
    /// A string without escapes.
    Plain,
    /// A string with escapes: see [`unescape`](super::escape::unescape).
    Escaped,
    /// An object.
    Object,
    /// An array.
    Array,
}

impl Kind {
    /// With its article, for messages.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Kind::Null => "null",
            Kind::Bool => "a boolean",
            Kind::Number => "a number",
            Kind::Plain | Kind::Escaped => "a string",
            Kind::Object => "an object",
            Kind::Array => "an array",
        }
    }
}

/// Where a text stops being JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Syntax {
    /// What should have been there.
    expected: &'static str,
    /// The byte, from 0.
    at: usize,
}

impl fmt::Display for Syntax {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {} at byte {}", self.expected, self.at)
    }
}

/// The members of one object, one after the other.
///
/// `while object.has_member()? { key, then value }`: each of the three is called in this order.
pub(crate) struct Object<'a, 's> {
    scanner: Scanner<'a, 's>,
    is_first: bool,
}

impl<'a, 's> Object<'a, 's> {
    /// Reads `text` as one object, with nothing but space around it. `stack` is scratch space, kept by
    /// the caller so that nested values cost no allocation.
    pub(crate) fn open(text: &'a str, stack: &'s mut Vec<u8>) -> Result<Self, Syntax> {
        let mut scanner = Scanner { text, bytes: text.as_bytes(), at: 0, stack };
        scanner.space();
        if scanner.peek() != Some(b'{') {
            return Err(scanner.expected("an object"));
        }
        scanner.at += 1;
        Ok(Object { scanner, is_first: true })
    }

    /// Whether there is a further member; if not, the text was read to its end.
    #[inline]
    pub(crate) fn has_member(&mut self) -> Result<bool, Syntax> {
        let scanner = &mut self.scanner;
        scanner.space();
        match scanner.peek() {
            Some(b'}') => {
                scanner.at += 1;
                scanner.space();
                if scanner.at < scanner.bytes.len() { Err(scanner.expected("the end")) } else { Ok(false) }
            }
            _ if std::mem::take(&mut self.is_first) => Ok(true),
            Some(b',') => {
                scanner.at += 1;
                scanner.space();
                Ok(true)
            }
            _ => Err(scanner.expected("`,` or `}`")),
        }
    }

    /// The member's key.
    #[inline]
    pub(crate) fn key(&mut self) -> Result<Token<'a>, Syntax> {
        self.scanner.key()
    }

    /// Passes the key if it is `quoted`, a name without escapes in its quotes: a guess that saves a scan.
    #[inline]
    pub(crate) fn pass_key(&mut self, quoted: &str) -> Result<bool, Syntax> {
        let scanner = &mut self.scanner;
        if !starts_with(&scanner.bytes[scanner.at..], quoted.as_bytes()) {
            return Ok(false);
        }
        scanner.at += quoted.len();
        scanner.colon()?;
        Ok(true)
    }

    /// The member's value.
    #[inline(always)]
    pub(crate) fn value(&mut self) -> Result<Token<'a>, Syntax> {
        self.scanner.space();
        self.scanner.value()
    }
}

/// Reads `text` as one string, with nothing around it.
pub(crate) fn string(text: &str) -> Result<Token<'_>, Syntax> {
    let mut scanner = Scanner { text, bytes: text.as_bytes(), at: 0, stack: &mut Vec::new() };
    if scanner.peek() != Some(b'"') {
        return Err(scanner.expected("a string"));
    }
    let token = scanner.string()?;
    if scanner.at < scanner.bytes.len() {
        return Err(scanner.expected("the end"));
    }
    Ok(token)
}

/// What `text` is, where it is one object or one array, with nothing but space around it.
pub(crate) fn container(text: &str) -> Option<Kind> {
    let mut scanner = Scanner { text, bytes: text.as_bytes(), at: 0, stack: &mut Vec::new() };
    scanner.space();
    if !matches!(scanner.peek(), Some(b'{' | b'[')) {
        return None;
    }
    let token = scanner.value().ok()?;
    scanner.space();
    (scanner.at == scanner.bytes.len()).then_some(token.kind)
}

/// The element of this number, from 0, of `text`, which is one array. `stack` is scratch space.
pub(crate) fn element<'a>(text: &'a str, index: usize, stack: &mut Vec<u8>) -> Result<Option<Token<'a>>, Syntax> {
    let mut scanner = Scanner { text, bytes: text.as_bytes(), at: 0, stack };
    if scanner.peek() != Some(b'[') {
        return Err(scanner.expected("an array"));
    }
    scanner.at += 1;
    scanner.space();
    if scanner.peek() == Some(b']') {
        return Ok(None);
    }
    for _ in 0..index {
        scanner.value()?;
        scanner.space();
        match scanner.peek() {
            Some(b',') => scanner.at += 1,
            Some(b']') => return Ok(None),
            _ => return Err(scanner.expected("`,` or `]`")),
        }
        scanner.space();
    }
    scanner.value().map(Some)
}

struct Scanner<'a, 's> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    stack: &'s mut Vec<u8>,
}

impl<'a> Scanner<'a, '_> {
    fn expected(&self, expected: &'static str) -> Syntax {
        Syntax { expected, at: self.at }
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline]
    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    /// A key and the colon after it.
    #[inline]
    fn key(&mut self) -> Result<Token<'a>, Syntax> {
        if self.peek() != Some(b'"') {
            return Err(self.expected("a key in quotes"));
        }
        let key = self.string()?;
        self.colon()?;
        Ok(key)
    }

    #[inline]
    fn colon(&mut self) -> Result<(), Syntax> {
        self.space();
        if self.peek() != Some(b':') {
            return Err(self.expected("`:`"));
        }
        self.at += 1;
        Ok(())
    }

    // Always inlined, and all that gives it its token: where one came back through memory, in halves, it was waited for
    // at once, in whole, a quarter of the time of reading an order.
    #[inline(always)]
    fn value(&mut self) -> Result<Token<'a>, Syntax> {
        match self.peek() {
            Some(open @ (b'{' | b'[')) => {
                let start = self.at;
                self.container()?;
                let kind = if open == b'{' { Kind::Object } else { Kind::Array };
                Ok(Token { kind, raw: &self.text[start..self.at] })
            }
            _ => self.scalar(),
        }
    }

    #[inline(always)]
    fn scalar(&mut self) -> Result<Token<'a>, Syntax> {
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b'n') => self.literal("null", Kind::Null),
            Some(b't') => self.literal("true", Kind::Bool),
            Some(b'f') => self.literal("false", Kind::Bool),
            _ => Err(self.expected("a value")),
        }
    }

    #[inline(always)]
    fn literal(&mut self, word: &'static str, kind: Kind) -> Result<Token<'a>, Syntax> {
        let end = self.at + word.len();
        if self.bytes.get(self.at..end) != Some(word.as_bytes()) {
            return Err(self.expected("a value"));
        }
        let raw = &self.text[self.at..end];
        self.at = end;
        Ok(Token { kind, raw })
    }

    fn digits(&mut self) -> Result<(), Syntax> {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(self.expected("a digit"));
        }
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        Ok(())
    }

    #[inline(always)]
    fn number(&mut self) -> Result<Token<'a>, Syntax> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(Token { kind: Kind::Number, raw: &self.text[start..self.at] })
    }

    /// A string, from its opening quote. Escapes are checked for their form only.
    #[inline(always)]
    fn string(&mut self) -> Result<Token<'a>, Syntax> {
        self.at += 1;
        let start = self.at;
        let mut kind = Kind::Plain;
        loop {
            self.at += plain_length(&self.bytes[self.at..]);
            match self.peek() {
                Some(b'"') => {
                    let raw = &self.text[start..self.at];
                    self.at += 1;
                    return Ok(Token { kind, raw });
                }
                Some(b'\\') => {
                    kind = Kind::Escaped;
                    self.at += 1;
                    match self.peek() {
                        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
                        Some(b'u') => {
                            self.at += 1;
                            for _ in 0..4 {
                                if !self.peek().is_some_and(|byte| byte.is_ascii_hexdigit()) {
                                    return Err(self.expected("a hexadecimal digit"));
                                }
                                self.at += 1;
                            }
                        }
                        _ => return Err(self.expected("an escape")),
                    }
                }
                Some(_) => return Err(self.expected("no control character within a string")),
                None => return Err(self.expected("the end of a string")),
            }
        }
    }

    /// An object or array, however deep, without recursion.
    fn container(&mut self) -> Result<(), Syntax> {
        self.stack.clear();
        loop {
            self.space();
            match self.peek() {
                Some(open @ (b'{' | b'[')) => {
                    self.at += 1;
                    self.space();
                    let close = open + 2; // in ASCII both brackets are two apart
                    if self.peek() == Some(close) {
                        self.at += 1;
                    } else {
                        self.stack.push(close);
                        if close == b'}' {
                            self.key()?;
                        }
                        continue;
                    }
                }
                _ => drop(self.scalar()?),
            }
            // A value is complete; close what ends after it.
            loop {
                let Some(&close) = self.stack.last() else { return Ok(()) };
                self.space();
                match self.peek() {
                    Some(b',') => {
                        self.at += 1;
                        if close == b'}' {
                            self.space();
                            self.key()?;
                        }
                        break;
                    }
                    Some(byte) if byte == close => {
                        self.at += 1;
                        self.stack.pop();
                    }
                    _ => return Err(self.expected("`,` or a closing bracket")),
                }
            }
        }
    }
}

/// As the standard library's, without its call for a handful of bytes.
#[inline]
fn starts_with(bytes: &[u8], start: &[u8]) -> bool {
    let Some(bytes) = bytes.get(..start.len()) else { return false };
    let ((words, rest), (start_words, start_rest)) = (bytes.as_chunks::<8>(), start.as_chunks::<8>());
    let same = |(word, start): (&[u8; 8], &[u8; 8])| u64::from_ne_bytes(*word) == u64::from_ne_bytes(*start);
    words.iter().zip(start_words).all(same) && rest.iter().zip(start_rest).all(|(byte, start)| byte == start)
}

/// How many bytes at the start are neither quote, backslash nor control character. Eight at a time:
/// most of an order's bytes are within strings.
#[inline]
fn plain_length(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    const fn below(word: u64, limit: u8) -> u64 {
        word.wrapping_sub(ONES * limit as u64) & !word
    }
    let mut length = 0;
    let (words, _) = bytes.as_chunks::<8>();
    for &word in words {
        let word = u64::from_le_bytes(word);
        let quote = below(word ^ (ONES * b'"' as u64), 1);
        let backslash = below(word ^ (ONES * b'\\' as u64), 1);
        // The lowest bit that is set is exact; a borrow can only forge those above it.
        let special = (quote | backslash | below(word, 0x20)) & HIGH;
        if special != 0 {
            return length + special.trailing_zeros() as usize / 8;
        }
        length += 8;
    }
    length + bytes[length..].iter().take_while(|&&byte| byte >= 0x20 && byte != b'"' && byte != b'\\').count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_array_has_its_elements() {
        let element = |text, index| element(text, index, &mut Vec::new()).map(|token| token.map(|token| token.raw));
        for (index, expected) in [(0, Some("1")), (1, Some(r#"{"a": [2, ","]}"#)), (2, Some("[]")), (3, None)] {
            assert_eq!(element(r#"[ 1 , {"a": [2, ","]},[] ]"#, index), Ok(expected), "{index}");
        }
        assert_eq!(element("[]", 0), Ok(None));
        assert_eq!(element("[ ]", 7), Ok(None));
        assert!(element("{}", 0).is_err());
        assert!(element("[1 2]", 1).is_err());
    }

    #[derive(Debug, PartialEq)]
    struct Failed;

    impl From<Syntax> for Failed {
        fn from(_: Syntax) -> Self {
            Failed
        }
    }

    /// The members as `serde_json` reads them.
    struct Members(Vec<(String, Box<serde_json::value::RawValue>)>);

    impl<'de> serde::Deserialize<'de> for Members {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Each;
            impl<'de> serde::de::Visitor<'de> for Each {
                type Value = Members;
                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("an object")
                }
                fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                    let mut members = Vec::new();
                    while let Some(member) = map.next_entry()? {
                        members.push(member);
                    }
                    Ok(Members(members))
                }
            }
            deserializer.deserialize_map(Each)
        }
    }

    fn ours(text: &str) -> Result<Vec<(String, String)>, Failed> {
        let mut found = Vec::new();
        let mut stack = Vec::new();
        let mut object = Object::open(text, &mut stack)?;
        while object.has_member()? {
            let mut name = String::new();
            if object.pass_key("\"a\"")? {
                name.push('a');
            } else {
                unescape(object.key()?.raw, &mut name).map_err(|_| Failed)?;
            }
            let value = object.value()?;
            let quote = if matches!(value.kind, Kind::Plain | Kind::Escaped) { "\"" } else { "" };
            found.push((name, format!("{quote}{}{quote}", value.raw)));
        }
        Ok(found)
    }

    fn theirs(text: &str) -> Result<Vec<(String, String)>, Failed> {
        let members: Members = serde_json::from_str(text).map_err(|_| Failed)?;
        Ok(members.0.into_iter().map(|(key, value)| (key, value.get().to_owned())).collect())
    }

    #[test]
    fn reads_as_serde_json_does() {
        for text in [
            r#"{}"#,
            r#" { "a" : 1 , "b":[ ],"c":{},"d":[[],{"x":[1,{"y":null}]}] } "#,
            r#"{"a":"\u00e9\ud83d\ude00\n\/"}"#,
            r#"{"\u0061":1,"a":2}"#,
            r#"{"a":"\ud800"}"#,
            r#"{"\ud800":1}"#,
            r#"{"\ud800\u0041":1}"#,
            r#"{"\udc00":1}"#,
            r#"{"a":01}"#,
            r#"{"a":1.}"#,
            r#"{"a":-}"#,
            r#"{"a":-0.0e+10}"#,
            r#"{"a":1e400}"#,
            r#"{"a":NaN}"#,
            r#"{"a":Infinity}"#,
            r#"{"a":nul}"#,
            r#"{"a":1,}"#,
            r#"{,}"#,
            r#"{"a" 1}"#,
            r#"{"a":1} x"#,
            r#"{"a":[1,]}"#,
            r#"{"a":[1}"#,
            r#"{"a":{"b"}}"#,
            r#"{"a":{"b":1,}}"#,
            r#"{"a":"\x"}"#,
            r#"{"a":"\u12g4"}"#,
            "{\"a\":\"tab\there\"}",
            "{\"a\":\"1234567\u{1}\"}",
            "\u{feff}{}",
            r#"{'a':1}"#,
            r#"[1]"#,
            r#"null"#,
            r#""#,
            r#"{"#,
            r#"{"a":"never ends"#,
            r#"{"a":tru"#,
            r#"{/*no*/}"#,
        ] {
            assert_eq!(ours(text), theirs(text), "{text}");
        }
    }

    #[test]
    fn depth_costs_no_stack() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(1_000_000), "]".repeat(1_000_000));
        assert_eq!(ours(&deep).map(|found| found.len()), Ok(1));
    }

    #[test]
    fn says_where_it_went_wrong() {
        let mut stack = Vec::new();
        let mut object = Object::open(r#"{"a":1 "b":2}"#, &mut stack).expect("an object");
        assert_eq!(object.has_member(), Ok(true));
        assert_eq!(object.pass_key("\"b\""), Ok(false));
        assert_eq!(object.key().map(|key| key.raw), Ok("a"));
        assert_eq!(object.value(), Ok(Token { kind: Kind::Number, raw: "1" }));
        let error = object.has_member().expect_err("no comma");
        assert_eq!(error.to_string(), "expected `,` or `}` at byte 7");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn agrees_on_soup(text in r#"\{("|\\|u|d8|[a-f0-9]|\[|\]|\{|\}|,|:| |-|\.|e|null|true|é|\\u00e9){0,40}\}"#) {
            prop_assert_eq!(ours(&text), theirs(&text));
        }

        #[test]
        fn agrees_on_strings(name in any::<String>(), value in any::<String>(), padding in 0usize..9) {
            let text = serde_json::json!({ name: value, "pad": "x".repeat(padding) }).to_string();
            prop_assert_eq!(ours(&text), theirs(&text));
        }

        #[test]
        fn plain_length_is_exact(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let plain = |byte: &&u8| **byte >= 0x20 && **byte != b'"' && **byte != b'\\';
            prop_assert_eq!(plain_length(&bytes), bytes.iter().take_while(plain).count());
        }
    }
}
