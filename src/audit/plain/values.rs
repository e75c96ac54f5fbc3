//! One value, read the plainest way from its JSON text.

use std::fmt;

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::Tz;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;
use takings_dataflows::amount::{Amount, AmountError, ParsedAmount};

use crate::config::mapping::MomentFormat;

/// What a JSON pointer (without its first `/`) finds. An object on the way must not repeat a member.
pub(super) fn at(value: &str, pointer: &str) -> Result<Option<String>, String> {
    let (segment, rest) = match pointer.split_once('/') {
        Some((segment, rest)) => (segment, Some(rest)),
        None => (pointer, None),
    };
    let found = if value.trim_start().starts_with('{') {
        let name = segment.replace("~1", "/").replace("~0", "~");
        object(value)?.into_iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    } else if value.starts_with('[') && (segment == "0" || all_digits(segment) && !segment.starts_with('0')) {
        let items: Vec<Box<RawValue>> = serde_json::from_str(value).map_err(|error| error.to_string())?;
        segment.parse().ok().and_then(|place: usize| items.into_iter().nth(place))
    } else {
        None
    };
    match (found, rest) {
        (None, _) => Ok(None),
        (Some(value), None) => Ok(Some(value.get().to_owned())),
        (Some(value), Some(rest)) => at(value.get(), rest),
    }
}

pub(super) fn object(text: &str) -> Result<Vec<(String, Box<RawValue>)>, String> {
    let Members(members) = serde_json::from_str(text).map_err(|error| error.to_string())?;
    for (place, (name, _)) in members.iter().enumerate() {
        if members[..place].iter().any(|(other, _)| other == name) {
            return Err(format!("{name} appears twice"));
        }
    }
    Ok(members)
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

pub(super) fn text(name: &str, value: &str) -> Result<String, String> {
    let text: String = serde_json::from_str(value).map_err(|error| format!("{name}: {error}"))?;
    if text.contains('\0') { Err(format!("{name} holds U+0000")) } else { Ok(text) }
}

pub(super) fn named(name: &str, text: String) -> Result<String, String> {
    if text.len() > 255 || text.contains('\0') {
        return Err(format!("{name} is too long or holds U+0000"));
    }
    Ok(text)
}

pub(super) fn id(name: &str, value: &str) -> Result<String, String> {
    let id = if is_whole(value) { value.to_owned() } else { text(name, value)? };
    named(name, id)
}

fn is_whole(value: &str) -> bool {
    all_digits(value.strip_prefix('-').unwrap_or(value))
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|character| character.is_ascii_digit())
}

/// An amount whose last digits are so many decimal places.
pub(super) fn amount(name: &str, value: &str, places: i64) -> Result<ParsedAmount, String> {
    let mut digits = if value.starts_with('"') { text(name, value)? } else { value.to_owned() };
    // As it stands it must be a number already; how large is asked once it is scaled.
    if places > 0 && Amount::parse(digits.as_bytes()) != Err(AmountError::NotDecimal) {
        let at = digits.find(['e', 'E']).unwrap_or(digits.len());
        let exponent = digits.split_off(at);
        let exponent: i64 = match exponent.get(1..) {
            None => 0,
            Some(exponent) => exponent.parse().unwrap_or(if exponent.starts_with('-') { -1 << 40 } else { 1 << 40 }),
        };
        digits = format!("{digits}e{}", exponent - places);
    }
    Amount::parse(digits.as_bytes()).map_err(|error| format!("{name}: {error}"))
}

pub(super) fn moment(value: &str, format: MomentFormat, zone: Tz) -> Option<NaiveDateTime> {
    let places = match format {
        MomentFormat::Any if is_whole(value) => Some(3),
        MomentFormat::Any | MomentFormat::Iso => None,
        MomentFormat::EpochSeconds => Some(0),
        MomentFormat::EpochMillis => Some(3),
        MomentFormat::EpochMicros => Some(6),
    };
    let moment = match places {
        Some(places) => {
            let micros = cut_to_micros(value, places)?;
            zone.from_utc_datetime(&DateTime::from_timestamp_micros(micros)?.naive_utc()).naive_local()
        }
        None => local_time(&text("moment", value).ok()?, zone)?,
    };
    (1..=9999).contains(&moment.year()).then_some(moment)
}

/// Microseconds since 1970, of a number of seconds whose last digits are so many decimal places. What is finer is
/// dropped, as from a text: toward the past.
fn cut_to_micros(value: &str, places: i64) -> Option<i64> {
    let seconds = amount("moment", value, places).ok()?;
    let nearest = i64::try_from(seconds.amount.micros()).ok()?;
    if !seconds.rounded {
        return Some(nearest);
    }
    let number = if value.starts_with('"') { text("moment", value).ok()? } else { value.to_owned() };
    let number = number.to_lowercase();
    let (mantissa, exponent) = number.split_once('e').unwrap_or((&number, "0"));
    let exponent: i64 = exponent.parse().unwrap_or(-1 << 40); // more digits: so small that nothing is left
    let unsigned = mantissa.trim_start_matches(['+', '-']);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    // The point stands behind the microseconds once it is moved so far.
    let point = whole.len() as i64 + exponent - places + 6;
    let before_point: String = format!("{whole}{fraction}").chars().take(point.max(0) as usize).collect();
    let micros: i64 = if before_point.is_empty() { 0 } else { before_point.parse().ok()? };
    Some(if mantissa.starts_with('-') { -micros - 1 } else { micros })
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
    let (rest, is_in_region) = match rest[1..].strip_suffix(']') {
        // Java's ZonedDateTime: the region's name follows the offset.
        Some(rest) => {
            let (rest, region) = rest.split_once('[')?;
            let known = |character: char| character.is_ascii_alphanumeric() || "~/._+-:".contains(character);
            if !region.starts_with(|first: char| first.is_ascii_alphabetic()) || !region.chars().all(known) {
                return None;
            }
            (rest, true)
        }
        None => (&rest[1..], false),
    };
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
        return (!is_in_region).then_some(local);
    }

    let east = match offset {
        "Z" | "z" => 0,
        // Only a sign may have an offset after it.
        _ if offset.starts_with(['Z', 'z']) => return None,
        _ => {
            let digits = &offset[1..];
            let parts = match digits.len() {
                4 => {
                    let (hours, minutes) = digits.split_at_checked(2)?;
                    vec![hours, minutes]
                }
                _ => digits.split(':').collect(),
            };
            let part = |place: usize| parts.get(place).map_or(Some(0), |part| number(part, 2));
            let (hours, minutes, seconds) = (part(0)? as i32, part(1)? as i32, part(2)? as i32);
            if parts.len() > 3 || hours > 23 || minutes > 59 || seconds > 59 {
                return None;
            }
            let sign = if offset.starts_with('-') { -1 } else { 1 };
            sign * ((hours * 60 + minutes) * 60 + seconds)
        }
    };
    let utc = local.checked_sub_signed(TimeDelta::seconds(FixedOffset::east_opt(east)?.local_minus_utc().into()))?;
    Some(zone.from_utc_datetime(&utc).naive_local())
}
