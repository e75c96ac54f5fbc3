//! One field's value, as text, name, id, amount, number or moment.
//!
//! A value that is missing is `None`, and whether that may be is its format's to say; a value that can
//! not be what its field is rejects the record, naming the field.

use std::fmt::Write;

use takings_dataflows::amount::{Amount, AmountError, ParsedAmount};

use super::Reject;
use super::escape::unescape;
use super::json::{Kind, Token};
use super::timestamp::LocalTime;
use crate::config::mapping::MomentFormat;

/// Bytes of an id, a product, a category or a payment method. A row of PostgreSQL's indexes holds 2,704
/// bytes, a store may write four for one, and a name takes memory for as long as the job runs.
pub(super) const MAX_NAME: usize = 255;
/// Bytes of a currency's code.
const MAX_CURRENCY: usize = 16;
/// The largest quantity, either way.
const MAX_QUANTITY: i128 = 1_000_000_000;

/// A field of a payload.
#[derive(Clone, Copy)]
pub(super) struct Field<'p> {
    /// As the producer calls it.
    pub(super) name: &'p str,
    /// Its value; never `null`.
    pub(super) token: Option<Token<'p>>,
}

/// Memory that lives on from field to field, so that reading allocates nothing.
#[derive(Default)]
pub(super) struct Scratch {
    /// A string without its escapes.
    pub(super) plain: String,
    /// What is made of it: a currency in upper case, a scaled amount.
    made: String,
}

impl<'p> Field<'p> {
    pub(super) fn missing(self) -> Reject {
        Reject::Missing(self.name.to_owned())
    }

    pub(super) fn reject(self, problem: impl ToString) -> Reject {
        Reject::Field { field: self.name.to_owned(), problem: problem.to_string() }
    }

    fn mistyped(self, expected: &str, found: Token<'_>) -> Reject {
        self.reject(format_args!("expected {expected}, found {} {}", found.kind.name(), excerpt(found.raw)))
    }

    /// A string's characters, without escapes.
    pub(super) fn text<'t>(self, plain: &'t mut String) -> Result<Option<&'t str>, Reject>
    where
        'p: 't,
    {
        self.token.map(|token| self.text_of(token, plain)).transpose()
    }

    fn text_of<'t>(self, token: Token<'t>, plain: &'t mut String) -> Result<&'t str, Reject> {
        match token.kind {
            Kind::Plain => Ok(token.raw),
            Kind::Escaped => {
                plain.clear();
                unescape(token.raw, plain).map_err(|error| self.reject(error))?;
                // Only an escape can write it, and PostgreSQL's texts can not hold it.
                if plain.contains('\0') {
                    return Err(self.reject("holds the character U+0000, which no database keeps"));
                }
                Ok(plain)
            }
            _ => Err(self.mistyped("a string", token)),
        }
    }

    /// Whatever it is, as text, for fields that only tell one version from another: a string's
    /// characters (as they stand, where an escape is half a character), any other value's JSON.
    pub(super) fn anything<'t>(self, plain: &'t mut String) -> Option<&'t str>
    where
        'p: 't,
    {
        let token = self.token?;
        if token.kind != Kind::Escaped {
            return Some(token.raw);
        }
        plain.clear();
        Some(if unescape(token.raw, plain).is_ok() { plain } else { token.raw })
    }

    /// A string of at most [`MAX_NAME`] bytes.
    pub(super) fn name<'t>(self, plain: &'t mut String) -> Result<Option<&'t str>, Reject>
    where
        'p: 't,
    {
        self.text_up_to(MAX_NAME, plain)
    }

    /// A string of at most so many bytes.
    pub(super) fn text_up_to<'t>(self, limit: usize, plain: &'t mut String) -> Result<Option<&'t str>, Reject>
    where
        'p: 't,
    {
        match self.text(plain)? {
            Some(text) if text.len() > limit => Err(self.too_long(text, limit)),
            text => Ok(text),
        }
    }

    pub(super) fn too_long(self, text: &str, limit: usize) -> Reject {
        self.reject(format_args!("has {} bytes, more than {limit}", text.len()))
    }

    /// An id: a string, or a whole number's own digits. `42` and `"42"` are one id.
    pub(super) fn id<'t>(self, plain: &'t mut String) -> Result<Option<&'t str>, Reject>
    where
        'p: 't,
    {
        match self.token {
            Some(token) if token.kind == Kind::Number => {
                if !is_whole(token.raw) || token.raw.len() > MAX_NAME {
                    return Err(self.mistyped("a string or a whole number", token));
                }
                Ok(Some(token.raw))
            }
            Some(token) if !matches!(token.kind, Kind::Plain | Kind::Escaped) => {
                Err(self.mistyped("a string or a whole number", token))
            }
            _ => self.name(plain),
        }
    }

    /// A category or a payment method: an empty one is none, and a mapping's may be a number.
    pub(super) fn label<'t>(self, may_be_number: bool, plain: &'t mut String) -> Result<Option<&'t str>, Reject>
    where
        'p: 't,
    {
        let label = if may_be_number { self.id(plain) } else { self.name(plain) }?;
        Ok(label.filter(|label| !label.is_empty()))
    }

    /// An id that must be there, and not be empty.
    pub(super) fn required_id<'t>(self, plain: &'t mut String) -> Result<&'t str, Reject>
    where
        'p: 't,
    {
        match self.id(plain)? {
            None => Err(self.missing()),
            Some("") => Err(self.reject("is empty")),
            Some(id) => Ok(id),
        }
    }

    /// A currency's code, trimmed and in upper case; an empty one is none.
    pub(super) fn currency<'t>(self, scratch: &'t mut Scratch) -> Result<Option<&'t str>, Reject>
    where
        'p: 't,
    {
        let Scratch { plain, made } = scratch;
        let Some(code) = self.text(plain)? else { return Ok(None) };
        let code = if code.bytes().all(|byte| byte.is_ascii_uppercase()) {
            code
        } else {
            made.clear();
            made.extend(code.trim().chars().take(MAX_CURRENCY + 1).flat_map(char::to_uppercase));
            made
        };
        if code.len() > MAX_CURRENCY {
            return Err(self.reject(format_args!("{} is longer than {MAX_CURRENCY} bytes", excerpt(code))));
        }
        Ok(Some(code).filter(|code| !code.is_empty()))
    }

    /// An amount, a number or a string of one, whose last `scale` digits are decimal places.
    pub(super) fn amount(self, scale: u8, scratch: &mut Scratch) -> Result<Option<ParsedAmount>, Reject> {
        let Some(token) = self.token else { return Ok(None) };
        let Scratch { plain, made } = scratch;
        let digits = match token.kind {
            Kind::Number => token.raw,
            Kind::Plain | Kind::Escaped => self.text_of(token, plain)?,
            _ => return Err(self.mistyped("an amount", token)),
        };
        let parsed = if scale == 0 { Amount::parse(digits.as_bytes()) } else { scaled(digits, scale, made) };
        parsed.map(Some).map_err(|error| self.reject(format_args!("{} is {error}", excerpt(digits))))
    }

    /// A whole number of moderate size, or a string of one.
    pub(super) fn whole(self, scratch: &mut Scratch) -> Result<Option<i64>, Reject> {
        let Some(token) = self.token else { return Ok(None) };
        if token.kind == Kind::Number
            && let [digit @ b'0'..=b'9'] = token.raw.as_bytes()
        {
            return Ok(Some(i64::from(digit - b'0')));
        }
        if !matches!(token.kind, Kind::Number | Kind::Plain | Kind::Escaped) {
            return Err(self.mistyped("a whole number", token));
        }
        let Some(parsed) = self.amount(0, scratch)? else { return Ok(None) };
        let micros = parsed.amount.micros();
        let unit = 10i128.pow(Amount::PLACES);
        if parsed.rounded || micros % unit != 0 {
            return Err(self.reject(format_args!("{} is not a whole number", excerpt(token.raw))));
        }
        let whole = micros / unit;
        if whole.abs() > MAX_QUANTITY {
            let problem = format_args!("{} is out of range (more than {MAX_QUANTITY})", excerpt(token.raw));
            return Err(self.reject(problem));
        }
        Ok(Some(whole as i64))
    }

    /// A moment that must be there.
    pub(super) fn moment(
        self,
        format: MomentFormat,
        zone: chrono_tz::Tz,
        scratch: &mut Scratch,
    ) -> Result<LocalTime, Reject> {
        let Some(token) = self.token else { return Err(self.missing()) };
        let is_text = matches!(token.kind, Kind::Plain | Kind::Escaped);
        // Seconds since 1970 are scaled from what is written as amounts are.
        let scale = match format {
            MomentFormat::Any if token.kind == Kind::Number && is_whole(token.raw) => {
                let millis = token.raw.parse().unwrap_or(i64::MAX); // more digits: out of range just as well
                let moment = LocalTime::from_epoch_millis(millis, zone);
                return moment.map_err(|error| self.reject(format_args!("{} {error}", excerpt(token.raw))));
            }
            MomentFormat::Any | MomentFormat::Iso if is_text => {
                let written = self.text_of(token, &mut scratch.plain)?;
                let moment = LocalTime::parse(written, zone);
                return moment.map_err(|error| self.reject(format_args!("{} {error}", excerpt(written))));
            }
            MomentFormat::Any => return Err(self.mistyped("an ISO 8601 string or milliseconds since 1970", token)),
            MomentFormat::Iso => return Err(self.mistyped("an ISO 8601 string", token)),
            MomentFormat::EpochSeconds => 0,
            MomentFormat::EpochMillis => 3,
            MomentFormat::EpochMicros => 6,
        };
        let Some(seconds) = self.amount(scale, scratch)? else { return Err(self.missing()) };
        let micros = if seconds.rounded {
            // Money is rounded to its nearest, a moment is cut as in a text: it never comes to lie in the next day.
            let digits = if is_text { self.text_of(token, &mut scratch.plain)? } else { token.raw };
            whole_micros(digits, scale).map_err(|error| self.reject(format_args!("{} is {error}", excerpt(digits))))?
        } else {
            i64::try_from(seconds.amount.micros()).unwrap_or(i64::MAX)
        };
        LocalTime::from_epoch_micros(micros, zone)
            .map_err(|error| self.reject(format_args!("{} {error}", excerpt(token.raw))))
    }
}

/// An amount whose last digits are decimal places: its exponent is so much less.
fn scaled(digits: &str, scale: u8, made: &mut String) -> Result<ParsedAmount, AmountError> {
    let (mantissa, exponent) = split_exponent(digits)?;
    made.clear();
    // Writing to a string can not fail.
    let _ = write!(made, "{mantissa}e{}", exponent - i64::from(scale));
    Amount::parse(made.as_bytes())
}

/// A number's digits, and its exponent, bounded so that no sum with it overflows.
fn split_exponent(digits: &str) -> Result<(&str, i64), AmountError> {
    let Some((mantissa, exponent)) = digits.split_once(['e', 'E']) else { return Ok((digits, 0)) };
    let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    if unsigned.is_empty() || !unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(AmountError::NotDecimal);
    }
    let size = unsigned.bytes().fold(0i64, |sum, digit| (sum * 10 + i64::from(digit - b'0')).min(1 << 40));
    Ok((mantissa, if exponent.starts_with('-') { -size } else { size }))
}

/// The microseconds since 1970 that are over at this moment: cut, so before 1970 the next one further back. `digits`
/// are a number that is known to have more than microseconds, and to be in range.
fn whole_micros(digits: &str, scale: u8) -> Result<i64, AmountError> {
    let (mantissa, exponent) = split_exponent(digits)?;
    let unsigned = mantissa.trim_start_matches(['+', '-']);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    // This many digits make whole microseconds.
    let kept = whole.len() as i64 + exponent - i64::from(scale) + i64::from(Amount::PLACES);
    let kept = usize::try_from(kept).unwrap_or(0);
    let micros = whole.bytes().chain(fraction.bytes()).take(kept);
    let micros = micros.fold(0i64, |micros, digit| micros.saturating_mul(10).saturating_add(i64::from(digit - b'0')));
    Ok(if mantissa.starts_with('-') { -micros - 1 } else { micros })
}

fn is_whole(number: &str) -> bool {
    number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
}

/// The start of a producer's text, short enough for a message.
pub(super) fn excerpt(text: &str) -> String {
    let mut characters = text.chars();
    let start: String = characters.by_ref().take(48).collect();
    if characters.next().is_some() { format!("`{start}…`") } else { format!("`{start}`") }
}

/// Adds a text to what a fingerprint is taken of.
pub(super) fn put_text(content: &mut Vec<u8>, text: Option<&str>) {
    let length = text.map_or(u32::MAX, |text| text.len() as u32);
    content.extend_from_slice(&length.to_le_bytes());
    content.extend_from_slice(text.unwrap_or("").as_bytes());
}
