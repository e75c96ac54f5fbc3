//! A line with a key: `{"key": "ORDER", "value": {…}, "timestamp": 1700000000000}`.
//!
//! `value` is the payload: `null` for none (which cancels the order that the key names), the text
//! of a string, or any other JSON as it stands. `key` is a string's text, another JSON value as it stands,
//! or `null` for none. `timestamp`, in milliseconds since 1970, may be left out. Any other member, or
//! a missing one, makes the line a payload of its own.

use crate::formats::escape::unescape;
use crate::formats::json::{Kind, Object, Token};

/// What such a line holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// The record's key.
    pub key: Option<&'a [u8]>,
    /// The record's payload; none cancels.
    pub payload: Option<&'a [u8]>,
    /// In milliseconds since 1970, where the line says it.
    pub timestamp: Option<i64>,
}

/// Memory that lives on from line to line.
#[derive(Default)]
pub struct Scratch {
    stack: Vec<u8>,
    key: String,
    payload: String,
}

/// Takes a line apart, if it is an envelope.
pub fn open<'a>(line: &'a [u8], scratch: &'a mut Scratch) -> Option<Envelope<'a>> {
    // Most lines are payloads, and show it in their first member.
    let inside = line.trim_ascii_start().strip_prefix(b"{")?.trim_ascii_start();
    if ![b"\"key\"".as_slice(), b"\"value\"", b"\"timestamp\"", b"\"\\"].iter().any(|start| inside.starts_with(start)) {
        return None;
    }
    let line = std::str::from_utf8(line).ok()?;
    let Scratch { stack, key: key_text, payload: payload_text } = scratch;
    let (mut key, mut value, mut timestamp) = (None, None, None);
    let mut object = Object::open(line, stack).ok()?;
    while object.has_member().ok()? {
        key_text.clear();
        unescape(object.key().ok()?.raw, key_text).ok()?;
        let member = match key_text.as_str() {
            "key" => &mut key,
            "value" => &mut value,
            "timestamp" => &mut timestamp,
            _ => return None,
        };
        if member.replace(object.value().ok()?).is_some() {
            return None;
        }
    }
    let timestamp = match timestamp {
        None => None,
        Some(Token { kind: Kind::Number, raw }) => Some(raw.parse().ok()?),
        Some(_) => return None,
    };
    Some(Envelope { key: bytes(key?, key_text)?, payload: bytes(value?, payload_text)?, timestamp })
}

/// The bytes a member stands for: `Some(None)` for `null`, `None` where its text is no text.
fn bytes<'a>(token: Token<'a>, text: &'a mut String) -> Option<Option<&'a [u8]>> {
    match token.kind {
        Kind::Null => Some(None),
        Kind::Escaped => {
            text.clear();
            unescape(token.raw, text).ok()?;
            Some(Some(text.as_bytes()))
        }
        _ => Some(Some(token.raw.as_bytes())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(line: &str) -> Option<(Option<String>, Option<String>, Option<i64>)> {
        let text = |bytes: Option<&[u8]>| bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        open(line.as_bytes(), &mut Scratch::default())
            .map(|envelope| (text(envelope.key), text(envelope.payload), envelope.timestamp))
    }

    #[test]
    fn takes_envelopes_apart() {
        let some = |text: &str| Some(text.to_owned());
        for (line, expected) in [
            (r#"{"key":"o-1","value":null}"#, (some("o-1"), None, None)),
            (r#" { "value" : {"a": 1} , "key" : 42 } "#, (some("42"), some(r#"{"a": 1}"#), None)),
            (r#"{"timestamp":17,"key":null,"value":[]}"#, (None, some("[]"), Some(17))),
            (r#"{"key":"\u00e9","value":"not \"json\""}"#, (some("é"), some(r#"not "json""#), None)),
            (r#"{"\u006bey":"a","value":""}"#, (some("a"), some(""), None)),
        ] {
            assert_eq!(opened(line), Some(expected), "{line}");
        }
    }

    #[test]
    fn leaves_payloads_whole() {
        for line in [
            r#"{"orderId":"1","key":"x","value":null}"#,
            r#"{"key":"x","value":null,"orderId":"1"}"#,
            r#"{"key":"x"}"#,
            r#"{"value":null}"#,
            r#"{"key":"x","value":null,"value":1}"#,
            r#"{"key":"x","value":null,"timestamp":"1"}"#,
            r#"{"key":"x","value":null,"timestamp":1.5}"#,
            r#"{"key":"x","value":null"#,
            r#"{"key":"\ud800","value":null}"#,
            r#"[]"#,
            r#""#,
            r#"key"#,
        ] {
            assert_eq!(opened(line), None, "{line}");
        }
        assert_eq!(open(b"{\"key\":\"\xff\",\"value\":null}", &mut Scratch::default()), None);
    }
}
