//! Lines of a file log: what is taken apart as an envelope is what `serde_json` takes apart.

use std::cell::RefCell;
use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use takings::source::files::envelope::{Envelope, Scratch, open};

thread_local! {
    /// One for all lines: what it learned of one must not colour the next.
    static WARM: RefCell<Scratch> = RefCell::default();
}

/// A line, without its end.
pub fn attack(line: &[u8]) {
    let plainly = plainly(line);
    WARM.with_borrow_mut(|scratch| {
        let opened = open(line, scratch).map(|Envelope { key, payload, timestamp }| {
            (key.map(<[u8]>::to_vec), payload.map(<[u8]>::to_vec), timestamp)
        });
        assert_eq!(opened, plainly, "{}", String::from_utf8_lossy(line));
    });
}

type Opened = (Option<Vec<u8>>, Option<Vec<u8>>, Option<i64>);

fn plainly(line: &[u8]) -> Option<Opened> {
    let text = std::str::from_utf8(line).ok()?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let members = reader.deserialize_map(Members).ok()?;
    reader.end().ok()?;
    let names = ["key", "value", "timestamp"];
    let [key, value, timestamp] = names.map(|name| {
        let mut found = members.iter().filter(|(known, _)| known == name).map(|(_, value)| value.get());
        (found.next(), found.next().is_some())
    });
    if members.iter().any(|(name, _)| !names.contains(&name.as_str())) || key.1 || value.1 || timestamp.1 {
        return None;
    }
    let timestamp = match timestamp.0 {
        None => None,
        Some(text) => Some(text.parse().ok()?),
    };
    Some((bytes(key.0?)?, bytes(value.0?)?, timestamp))
}

fn bytes(value: &str) -> Option<Option<Vec<u8>>> {
    Some(match value {
        "null" => None,
        text if text.starts_with('"') => Some(serde_json::from_str::<String>(text).ok()?.into_bytes()),
        json => Some(json.as_bytes().to_vec()),
    })
}

/// An object's members as they stand.
struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(String, Box<RawValue>)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(name) = map.next_key()? {
            members.push((name, map.next_value()?));
        }
        Ok(members)
    }
}
