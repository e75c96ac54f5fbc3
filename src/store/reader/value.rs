//! Values as a store gives and takes them.

use serde::{Serialize, Serializer};

use super::table::Kind;

/// A value of a row, or a parameter of a statement.
///
/// Dates, moments and money are text in the one form of their [`Kind`], so that both stores give the
/// same and no float is ever between.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// Null.
    Null,
    /// Text, a day, a moment or money.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// A row, its values in the order of the columns asked for.
pub type Row = Vec<Value>;

impl Value {
    /// The text, where it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number, where it is one.
    pub const fn integer(&self) -> Option<i64> {
        match self {
            Value::Integer(number) => Some(*number),
            _ => None,
        }
    }

    /// A count or an epoch: the number, and 0 where it is none (a sum over no rows).
    pub fn count(&self) -> u64 {
        self.integer().and_then(|number| u64::try_from(number).ok()).unwrap_or(0)
    }

    /// Whether a value from outside may be compared with a column of this kind. Both stores take
    /// what passes here, so that no request can make a statement fail.
    pub fn fits(&self, kind: Kind) -> bool {
        match (self, kind) {
            (Value::Text(text), Kind::Text) => !text.contains('\0'),
            (Value::Text(text), Kind::Date) => is_day(text),
            (Value::Text(text), Kind::Timestamp) => moment(text).is_some_and(|moment| moment == *text),
            (Value::Integer(_), Kind::Integer) => true,
            _ => false,
        }
    }
}

/// Whether this is a calendar day as `2026-11-22`, of the years 1 to 9999.
pub fn is_day(text: &str) -> bool {
    let shape = text.len() == 10
        && text
            .bytes()
            .enumerate()
            .all(|(at, byte)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() });
    shape && !text.starts_with("0000") && chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()
}

/// A moment in the one form of [`Kind::Timestamp`], from any ISO 8601 form with a zone; of the years 1 to 9999.
pub fn moment(text: &str) -> Option<String> {
    let moment = chrono::DateTime::parse_from_rfc3339(text).ok()?.to_utc();
    let text = moment.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
    is_day(text.get(..10)?).then_some(text)
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_none(),
            Value::Text(text) => serializer.serialize_str(text),
            Value::Integer(number) => serializer.serialize_i64(*number),
            Value::Bytes(bytes) => serializer.serialize_str(&String::from_utf8_lossy(bytes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_one_form() {
        assert!(is_day("2024-02-29"));
        for text in ["2023-02-29", "2026-1-01", "0000-01-01", "+026-01-01", "2026-11-22T00", "", "2026/11/22"] {
            assert!(!is_day(text), "{text:?}");
        }
    }

    #[test]
    fn moments_are_brought_into_one_form() {
        for text in ["2026-11-22T12:34:00Z", "2026-11-22T13:34:00.000+01:00", "2026-11-22t12:34:00.0001z"] {
            assert_eq!(moment(text).as_deref(), Some("2026-11-22T12:34:00.000Z"), "{text:?}");
        }
        for text in ["2026-11-22", "2026-11-22T12:34:00", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", ""]
        {
            assert_eq!(moment(text), None, "{text:?}");
        }
        assert!(Value::Text("2026-11-22T12:34:00.000Z".into()).fits(Kind::Timestamp));
        assert!(!Value::Text("2026-11-22T12:34:00Z".into()).fits(Kind::Timestamp));
    }

    #[test]
    fn a_zero_byte_never_reaches_a_store() {
        assert!(!Value::Text("a\0b".into()).fits(Kind::Text));
        assert!(Value::Text("é".into()).fits(Kind::Text));
        assert!(!Value::Integer(1).fits(Kind::Text));
    }
}
