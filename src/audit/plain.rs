//! Records read the plainest way, member by member with `serde_json`: a second opinion on the decoder.
//!
//! It shares no code with [`crate::formats`], on purpose: a fault there must show as a difference here.
//! Tests and fuzzing hold the two together.

use std::fmt;

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::Tz;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;
use takings_dataflows::amount::{Amount, ParsedAmount};
use takings_dataflows::day::Day;

/// How records are to be read; see [`DecoderSettings`](crate::formats::DecoderSettings).
#[derive(Clone, Debug)]
pub struct Rules {
    /// The shop's zone.
    pub time_zone: Tz,
    /// The currency of orders that name none.
    pub default_currency: String,
    /// The largest payload, in bytes.
    pub payload_limit: usize,
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plain {
    /// An order is so.
    Order(Box<PlainOrder>),
    /// The order of this id is cancelled.
    Cancelled(String),
    /// It can not be read.
    Rejected(String),
}

/// An order, every field that takings reads.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the fields of the format, see `formats::product_sold`")]
pub struct PlainOrder {
    pub order_id: String,
    pub product_id: Option<String>,
    pub product_name: Option<String>,
    pub product_category: String,
    pub product_price: Option<Amount>,
    pub product_quantity: i64,
    pub product_brand: Option<String>,
    pub currency: String,
    pub customer_id: Option<String>,
    /// Local time in the shop's zone, to the microsecond.
    pub order_date: NaiveDateTime,
    pub payment_method: String,
    pub total_amount: Amount,
    /// Whether an amount had more than six places.
    pub rounded: bool,
}

impl PlainOrder {
    /// The business day.
    pub fn day(&self) -> Day {
        Day::from_date(self.order_date.date())
    }
}

/// Reads one record.
pub fn read(key: Option<&[u8]>, payload: Option<&[u8]>, rules: &Rules) -> Plain {
    let said = match payload {
        Some(payload) => order(payload, rules).map(|order| Plain::Order(Box::new(order))),
        None => cancelled(key).map(Plain::Cancelled),
    };
    said.unwrap_or_else(Plain::Rejected)
}

fn cancelled(key: Option<&[u8]>) -> Result<String, String> {
    let key = String::from_utf8(key.unwrap_or_default().to_vec()).map_err(|error| error.to_string())?;
    let id = if key.starts_with('"') && key.ends_with('"') {
        match serde_json::from_str::<Box<RawValue>>(&key) {
            Ok(_) => serde_json::from_str(&key).map_err(|error| error.to_string())?,
            Err(_) => key,
        }
    } else {
        key
    };
    named("key", id).and_then(|id| if id.is_empty() { Err("no key".to_owned()) } else { Ok(id) })
}

fn order(payload: &[u8], rules: &Rules) -> Result<PlainOrder, String> {
    if payload.len() > rules.payload_limit {
        return Err("too large".to_owned());
    }
    let payload = std::str::from_utf8(payload).map_err(|error| error.to_string())?;
    let Members(members) = serde_json::from_str(payload).map_err(|error| error.to_string())?;
    for (place, (name, _)) in members.iter().enumerate() {
        if members[..place].iter().any(|(other, _)| other == name) {
            return Err(format!("{name} appears twice"));
        }
    }
    let member = |name: &str| {
        let found = members.iter().find(|(known, _)| known == name).map(|(_, value)| value.get());
        found.filter(|value| *value != "null")
    };

    let id = |name| member(name).map(|value| id(name, value)).transpose();
    let text = |name| member(name).map(|value| text(name, value)).transpose();
    let name_or = |name, instead: &str| match text(name)? {
        Some(found) if !found.is_empty() => named(name, found),
        _ => Ok(instead.to_owned()),
    };
    let amount = |name| member(name).map(|value| amount(name, value)).transpose();

    let order_id = id("orderId")?.filter(|id| !id.is_empty()).ok_or("orderId is missing or empty")?;
    let currency = text("currency")?.unwrap_or_default().trim().to_uppercase();
    if currency.len() > 16 {
        return Err("currency is too long".to_owned());
    }
    let order_date = member("orderDate").ok_or("orderDate is missing")?;
    let order_date = moment(order_date, rules.time_zone).ok_or_else(|| format!("orderDate {order_date}"))?;
    let product_quantity = match amount("productQuantity")? {
        None => 1,
        Some(quantity) => {
            let micros = quantity.amount.micros();
            if quantity.rounded || micros % 1_000_000 != 0 || micros.abs() > 1_000_000_000_000_000 {
                return Err("productQuantity is no whole number, or out of range".to_owned());
            }
            (micros / 1_000_000) as i64
        }
    };
    let price = amount("productPrice")?;
    let (total, total_rounded) = match (amount("totalAmount")?, price) {
        (Some(total), _) => (total.amount, total.rounded),
        (None, Some(price)) => {
            (price.amount.checked_times(product_quantity).ok_or("price times quantity is out of range")?, false)
        }
        (None, None) => return Err("totalAmount is missing".to_owned()),
    };
    Ok(PlainOrder {
        order_id,
        product_id: id("productId")?,
        product_name: text("productName")?,
        product_category: name_or("productCategory", "unlisted")?,
        product_price: price.map(|price| price.amount),
        product_quantity,
        product_brand: text("productBrand")?,
        currency: if currency.is_empty() { rules.default_currency.trim().to_uppercase() } else { currency },
        customer_id: id("customerId")?,
        order_date,
        payment_method: name_or("paymentMethod", "unknown")?,
        total_amount: total,
        rounded: total_rounded || price.is_some_and(|price| price.rounded),
    })
}

/// An object's members as they stand, the repeated ones too.
struct Members(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Members;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(key) = map.next_key::<String>()? {
                    members.push((key, map.next_value().map_err(A::Error::custom)?));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Each)
    }
}

fn text(name: &str, value: &str) -> Result<String, String> {
    let text: String = serde_json::from_str(value).map_err(|error| format!("{name}: {error}"))?;
    if text.contains('\0') { Err(format!("{name} holds U+0000")) } else { Ok(text) }
}

fn named(name: &str, text: String) -> Result<String, String> {
    if text.len() > 255 || text.contains('\0') {
        return Err(format!("{name} is too long or holds U+0000"));
    }
    Ok(text)
}

fn id(name: &str, value: &str) -> Result<String, String> {
    let id = if is_whole(value) { value.to_owned() } else { text(name, value)? };
    named(name, id)
}

fn is_whole(value: &str) -> bool {
    all_digits(value.strip_prefix('-').unwrap_or(value))
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|character| character.is_ascii_digit())
}

fn amount(name: &str, value: &str) -> Result<ParsedAmount, String> {
    let digits = if value.starts_with('"') { text(name, value)? } else { value.to_owned() };
    Amount::parse(digits.as_bytes()).map_err(|error| format!("{name}: {error}"))
}

fn moment(value: &str, zone: Tz) -> Option<NaiveDateTime> {
    let moment = if is_whole(value) {
        zone.from_utc_datetime(&DateTime::from_timestamp_millis(value.parse().ok()?)?.naive_utc()).naive_local()
    } else {
        local_time(&text("orderDate", value).ok()?, zone)?
    };
    (1..=9999).contains(&moment.year()).then_some(moment)
}

fn local_time(text: &str, zone: Tz) -> Option<NaiveDateTime> {
    let number = |text: &str, digits: usize| {
        (text.len() == digits && all_digits(text)).then(|| text.parse::<u32>().ok()).flatten()
    };
    let (date, rest) = text.split_at_checked(10)?;
    let [year, month, day] = date.split('-').collect::<Vec<_>>().try_into().ok()?;
    let date = NaiveDate::from_ymd_opt(number(year, 4)? as i32, number(month, 2)?, number(day, 2)?)?;
    if date.year() < 1 {
        return None;
    }
    let Some(separator) = rest.chars().next() else { return Some(date.and_time(NaiveTime::MIN)) };
    if !['T', 't', ' '].contains(&separator) {
        return None;
    }
    let rest = &rest[1..];
    let (clock, offset) = rest.split_at(rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len()));

    let parts: Vec<&str> = clock.split(':').collect();
    let (seconds, fraction) = match parts.get(2) {
        None => (0, ""),
        Some(part) => match part.split_once(['.', ',']) {
            None => (number(part, 2)?, ""),
            Some((seconds, fraction)) => (number(seconds, 2)?, all_digits(fraction).then_some(fraction)?),
        },
    };
    if !(2..=3).contains(&parts.len()) || seconds > 59 {
        return None;
    }
    let micros: u32 = format!("{fraction:0<6.6}").parse().ok()?;
    let time = NaiveTime::from_hms_micro_opt(number(parts[0], 2)?, number(parts[1], 2)?, seconds, micros)?;
    let local = date.and_time(time);
    if offset.is_empty() {
        return Some(local);
    }

    let east = match offset {
        "Z" | "z" => 0,
        _ => {
            let digits = &offset[1..];
            let (hours, minutes) = match digits.len() {
                2 => (digits, "00"),
                4 => digits.split_at_checked(2)?,
                _ => digits.split_once(':')?,
            };
            let (hours, minutes) = (number(hours, 2)? as i32, number(minutes, 2)? as i32);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let sign = if offset.starts_with('-') { -1 } else { 1 };
            sign * (hours * 60 + minutes) * 60
        }
    };
    let utc = local.checked_sub_signed(TimeDelta::seconds(FixedOffset::east_opt(east)?.local_minus_utc().into()))?;
    Some(zone.from_utc_datetime(&utc).naive_local())
}
