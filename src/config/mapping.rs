//! A mapping: where the fields of an order, a listing or a feedback stand in a topic's JSON.
//!
//! Each field is a JSON pointer (RFC 6901), or a table with more to say:
//!
//! | key | meaning |
//! |---|---|
//! | `pointer` | where the value stands |
//! | `constant` | the value, the same for all records; instead of `pointer` |
//! | `default` | the value where the pointer finds nothing, `null` or (for names and currencies) an empty text, of a currency a blank one too |
//! | `scale`, for amounts | how many of the last digits are decimal places: 2 for cents |
//! | `format`, for moments | `iso`, `epoch_seconds`, `epoch_millis` or `epoch_micros` |
//! | `time_zone`, for moments | the zone whose clock cuts this topic's days |
//!
//! | kind | fields (`*`: required) |
//! |---|---|
//! | order | `order_id`*, `ordered_at`*, `amount` (or `price`, times `quantity`)*, `quantity`, `product`, `category`, `currency`, `payment_method`, `product_name`, `product_brand`, `customer_id` |
//! | listing | `product`*, `name`, `category`, `price` |
//! | feedback | `feedback_id`*, `product`*, `rating`*, `comment`, `user_id`, `timestamp` |
//!
//! What a value may look like, and what it means where it is missing, is as in the built-in formats; a
//! category or a payment method may be a whole number as well. Constants and defaults are texts, read
//! as a payload's texts are: `"12.50"`, never a float.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde::Serialize;
use takings_dataflows::amount::Amount;
use toml::{Table, Value};

use super::topics::{Kind, currency, zone};

/// Where one field comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// A JSON pointer or a constant.
    #[serde(flatten)]
    pub place: Place,
    /// Instead of what a pointer does not find.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// Of an amount: how many of its last digits are decimal places.
    #[serde(skip_serializing_if = "is_zero")]
    pub scale: u8,
    /// Of a moment: how it is written.
    #[serde(skip_serializing_if = "MomentFormat::is_any")]
    pub format: MomentFormat,
    /// Of a moment: the zone whose clock cuts the days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<chrono_tz::Tz>,
}

/// Where a value stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// At this JSON pointer, which starts with `/`.
    Pointer(String),
    /// Nowhere: it is always this.
    Constant(String),
}

/// How a moment is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MomentFormat {
    /// As the built-in formats have it: ISO 8601, or a whole number of milliseconds since 1970 in UTC.
    #[default]
    Any,
    /// ISO 8601 only.
    Iso,
    /// Seconds since 1970 in UTC, with a fraction or without.
    EpochSeconds,
    /// Milliseconds since 1970 in UTC.
    EpochMillis,
    /// Microseconds since 1970 in UTC.
    EpochMicros,
}

impl MomentFormat {
    const NAMES: [(&str, MomentFormat); 4] = [
        ("iso", MomentFormat::Iso),
        ("epoch_seconds", MomentFormat::EpochSeconds),
        ("epoch_millis", MomentFormat::EpochMillis),
        ("epoch_micros", MomentFormat::EpochMicros),
    ];

    fn is_any(&self) -> bool {
        *self == MomentFormat::Any
    }
}

fn is_zero(scale: &u8) -> bool {
    *scale == 0
}

/// Where each field of a topic's records comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mapping {
    /// What the records are about.
    pub kind: Kind,
    /// By the field's name.
    pub fields: BTreeMap<&'static str, Origin>,
}

/// What may be said of a field.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trait {
    /// It names the record: neither constant nor default.
    Identity,
    /// Decimal places may be implied.
    Amount,
    /// A form and a zone, but neither constant nor default.
    Moment,
    /// None of these.
    Other,
}

/// The fields of a kind, whether each is required, and what may be said of it.
const fn fields(kind: Kind) -> &'static [(&'static str, bool, Trait)] {
    match kind {
        Kind::Order => &[
            ("order_id", true, Trait::Identity),
            ("ordered_at", true, Trait::Moment),
            ("amount", false, Trait::Amount),
            ("price", false, Trait::Amount),
            ("quantity", false, Trait::Other),
            ("product", false, Trait::Other),
            ("category", false, Trait::Other),
            ("currency", false, Trait::Other),
            ("payment_method", false, Trait::Other),
            ("product_name", false, Trait::Other),
            ("product_brand", false, Trait::Other),
            ("customer_id", false, Trait::Other),
        ],
        Kind::Listing => &[
            ("product", true, Trait::Identity),
            ("name", false, Trait::Other),
            ("category", false, Trait::Other),
            ("price", false, Trait::Amount),
        ],
        Kind::Feedback => &[
            ("feedback_id", true, Trait::Identity),
            ("product", true, Trait::Other),
            ("rating", true, Trait::Other),
            ("comment", false, Trait::Other),
            ("user_id", false, Trait::Other),
            ("timestamp", false, Trait::Other),
        ],
    }
}

/// The most decimal places that an amount's last digits can be.
const MAX_SCALE: i64 = 12;

/// The key at fault, and what is wrong with it.
type Fault = (String, String);

impl Mapping {
    /// From what stands in a topic's table beside `kind` and the topic's own settings.
    pub(super) fn from_table(kind: Kind, table: Table) -> Result<Self, Fault> {
        let known = fields(kind);
        let mut fields = BTreeMap::new();
        for (key, value) in table {
            let Some(&(name, _, of)) = known.iter().find(|(name, ..)| *name == key) else {
                let names: Vec<&str> = known.iter().map(|(name, ..)| *name).collect();
                let message = format!("is no field of a mapping of kind {kind}; its fields are: {}", names.join(", "));
                return Err((key, message));
            };
            let origin =
                origin(of, value).and_then(|origin| checked(kind, name, origin)).map_err(|message| (key, message))?;
            fields.insert(name, origin);
        }
        for &(name, is_required, _) in known {
            if is_required && !fields.contains_key(name) {
                return Err((name.to_owned(), format!("is missing: a mapping of kind {kind} needs it")));
            }
        }
        if kind == Kind::Order && !fields.contains_key("amount") && !fields.contains_key("price") {
            return Err(("amount".to_owned(), "is missing: a mapping of kind order needs it, or `price`".to_owned()));
        }
        Ok(Mapping { kind, fields })
    }

    /// The zone that the mapping of its moment names.
    pub fn time_zone(&self) -> Option<chrono_tz::Tz> {
        self.fields.values().find_map(|origin| origin.time_zone)
    }
}

fn origin(of: Trait, value: Value) -> Result<Origin, String> {
    let plain = |place| Origin { place, default: None, scale: 0, format: MomentFormat::Any, time_zone: None };
    let mut table = match value {
        Value::String(text) => return pointer(text).map(plain),
        Value::Table(table) => table,
        other => return Err(format!("{other} is neither a JSON pointer such as \"/item/sku\" nor a table with one")),
    };
    let place = match (table.remove("pointer"), table.remove("constant")) {
        (Some(Value::String(text)), None) => pointer(text)?,
        (None, Some(value)) if may_be_given(of) => Place::Constant(given("constant", value)?),
        (None, Some(_)) => return Err("can not be a constant: each record has its own".to_owned()),
        _ => return Err("names either a `pointer` (a text such as \"/item/sku\") or a `constant`".to_owned()),
    };
    let is_constant = matches!(place, Place::Constant(_));
    let mut origin = plain(place);
    for (key, value) in table {
        match (key.as_str(), of) {
            ("default", _) if is_constant => return Err("`default` does not go with `constant`".to_owned()),
            ("default", of) if may_be_given(of) => origin.default = Some(given("default", value)?),
            ("default", _) => return Err("can have no `default`: each record has its own".to_owned()),
            ("scale", Trait::Amount) => match value.as_integer() {
                Some(scale @ 0..=MAX_SCALE) => origin.scale = scale as u8,
                _ => return Err(format!("`scale` is a whole number of decimal places, 0 to {MAX_SCALE}, not {value}")),
            },
            ("format", Trait::Moment) => {
                let known = MomentFormat::NAMES.iter().find(|(name, _)| value.as_str() == Some(name));
                let Some(&(_, format)) = known else {
                    let names: Vec<&str> = MomentFormat::NAMES.iter().map(|(name, _)| *name).collect();
                    return Err(format!("`format` is one of {}, not {value}", names.join(", ")));
                };
                origin.format = format;
            }
            ("time_zone", Trait::Moment) => match value.as_str() {
                Some(name) => origin.time_zone = Some(zone(name).map_err(|message| format!("`time_zone`: {message}"))?),
                None => return Err(format!("`time_zone` is a text such as \"Africa/Douala\", not {value}")),
            },
            _ => return Err(format!("`{key}` is nothing that can be said of this field")),
        }
    }
    Ok(origin)
}

/// What the file itself gives is read at the start once, and refused where it would reject every record.
fn checked(kind: Kind, field: &str, mut origin: Origin) -> Result<Origin, String> {
    let scale = origin.scale;
    let given = match &mut origin.place {
        Place::Constant(text) => text,
        Place::Pointer(_) => match &mut origin.default {
            Some(text) => text,
            None => return Ok(origin),
        },
    };
    let whole = |most: RangeInclusive<i64>| given.parse::<i64>().is_ok_and(|number| most.contains(&number));
    let limit = match field {
        "name" => 4_096,
        "product_name" | "product_brand" | "comment" | "user_id" | "timestamp" => usize::MAX,
        _ => 255,
    };
    let problem = match field {
        // As it is counted: a scale makes it smaller, never larger.
        "amount" | "price" if scale > 0 && !given.contains(['e', 'E']) => {
            Amount::parse(format!("{given}e-{scale}").as_bytes()).err().map(|error| error.to_string())
        }
        "amount" | "price" => Amount::parse(given.as_bytes()).err().map(|error| error.to_string()),
        "product" if kind == Kind::Feedback && given.is_empty() => {
            Some("empty, and feedback names a product".to_owned())
        }
        "quantity" if !whole(-1_000_000_000..=1_000_000_000) => Some("no whole number up to a billion".to_owned()),
        "rating" if !whole(1..=5) => Some("not 1 to 5".to_owned()),
        "currency" => match currency(given) {
            Ok(code) => {
                *given = code;
                None
            }
            Err(problem) => return Err(format!("{given:?} {problem}")),
        },
        _ if given.contains('\0') => Some("a text with the character U+0000, which no database keeps".to_owned()),
        _ if given.len() > limit => Some(format!("longer than {limit} bytes")),
        _ => None,
    };
    match problem {
        Some(problem) => Err(format!("{given:?} is {problem}")),
        None => Ok(origin),
    }
}

/// Whether a constant or a default makes sense.
fn may_be_given(of: Trait) -> bool {
    !matches!(of, Trait::Identity | Trait::Moment)
}

fn pointer(text: String) -> Result<Place, String> {
    // `~` stands for itself only as `~0`, and for `/` as `~1`.
    let is_escaped = text.split('~').skip(1).all(|after| after.starts_with(['0', '1']));
    if !text.starts_with('/') || !is_escaped || text.split('/').count() > 33 {
        return Err(format!(
            "{text:?} is no JSON pointer: `/`, then names separated by `/`, such as \"/item/sku\" (at most 32; `~1` \
             and `~0` stand for `/` and `~` within a name)"
        ));
    }
    Ok(Place::Pointer(text))
}

/// A value that the file itself gives: a text, or a whole number as its digits.
fn given(key: &str, value: Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text),
        Value::Integer(number) => Ok(number.to_string()),
        other => Err(format!("`{key}` is a text or a whole number, not {other}; write \"12.50\" in quotes")),
    }
}
