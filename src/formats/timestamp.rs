//! The moment of an order, as local time in the shop's zone.

use chrono::{DateTime, NaiveDate, Offset, TimeZone};
use chrono_tz::Tz;
use takings_dataflows::day::Day;

const MICROS_A_SECOND: i64 = 1_000_000;
const MICROS_A_DAY: i64 = 86_400 * MICROS_A_SECOND;

/// Local time: microseconds since 1970-01-01T00:00 of the shop's own clock. Years 0001 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LocalTime(i64);

/// Why a text is no moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimestampError {
    /// Another form than ISO 8601's.
    #[error("is no ISO 8601 date and time such as 2026-11-22T12:34:56.123")]
    NotIso,
    /// A 30th of February, a 13th month, a year 0.
    #[error("is a date that does not exist")]
    NoSuchDate,
    /// An hour 24, a second 60, an offset of a day.
    #[error("is a time of day or an offset that does not exist")]
    NoSuchTime,
    /// Outside the years 1 to 9999, at least in the shop's zone.
    #[error("is not within the years 1 to 9999")]
    OutOfRange,
}

impl LocalTime {
    /// Microseconds since 1970-01-01T00:00 of the local clock.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The business day it lies in.
    pub const fn day(self) -> Day {
        // Within the years 1 to 9999 the quotient fits.
        Day::from_epoch_days(self.0.div_euclid(MICROS_A_DAY) as i32)
    }

    /// Reads ISO 8601: a date, or date and time with `T` or a space between, seconds and fraction
    /// optional (digits past microseconds are cut), and an optional zone (`Z`, `+01:00`, `+0100`, `+01`,
    /// `+00:09:21`), after which a region's name in brackets is ignored (`[Europe/Paris]`).
    ///
    /// Without a zone the text is the shop's local time as it stands; with one it is converted to
    /// `zone`.
    ///
    /// # Errors
    /// [`TimestampError`] for any other text, and for dates that no calendar has.
    pub fn parse(text: &str, zone: Tz) -> Result<Self, TimestampError> {
        let text = text.as_bytes();
        if let [sign @ (b'+' | b'-'), signed @ ..] = text {
            return Err(expanded_year(*sign, signed));
        }
        let Some((date, rest)) = text.split_first_chunk::<10>() else {
            return Err(TimestampError::NotIso);
        };
        let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = date else {
            return Err(TimestampError::NotIso);
        };
        let (century, year) = (two(y1, y2)?, two(y3, y4)?);
        let (year, month, day) = (century * 100 + year, two(m1, m2)?, two(d1, d2)?);
        let date = match NaiveDate::from_ymd_opt(year as i32, month, day) {
            Some(date) if year > 0 => date,
            _ => return Err(TimestampError::NoSuchDate),
        };
        let midnight = i64::from(date.to_epoch_days()) * MICROS_A_DAY;
        match rest {
            [] => Ok(LocalTime(midnight)),
            [b'T' | b't' | b' ', time @ ..] => {
                let (time, offset) = time_of_day(time)?;
                match offset {
                    None => Ok(LocalTime(midnight + time)),
                    Some(seconds) => LocalTime::from_utc(midnight + time - seconds * MICROS_A_SECOND, zone),
                }
            }
            _ => Err(TimestampError::NotIso),
        }
    }

    /// From milliseconds since 1970-01-01T00:00Z.
    ///
    /// # Errors
    /// [`TimestampError::OutOfRange`]
    pub fn from_epoch_millis(millis: i64, zone: Tz) -> Result<Self, TimestampError> {
        LocalTime::from_utc(millis.checked_mul(1_000).ok_or(TimestampError::OutOfRange)?, zone)
    }

    /// From microseconds since 1970-01-01T00:00Z.
    ///
    /// # Errors
    /// [`TimestampError::OutOfRange`]
    pub fn from_epoch_micros(micros: i64, zone: Tz) -> Result<Self, TimestampError> {
        LocalTime::from_utc(micros, zone)
    }

    fn from_utc(micros: i64, zone: Tz) -> Result<Self, TimestampError> {
        let utc = DateTime::from_timestamp_micros(micros).ok_or(TimestampError::OutOfRange)?.naive_utc();
        let offset = zone.offset_from_utc_datetime(&utc).fix().local_minus_utc();
        let local = LocalTime(micros + i64::from(offset) * MICROS_A_SECOND);
        let years = NaiveDate::from_ymd_opt(1, 1, 1).zip(NaiveDate::from_ymd_opt(9999, 12, 31));
        let known = years.is_some_and(|(first, last)| (first..=last).contains(&local.day().date()));
        if known { Ok(local) } else { Err(TimestampError::OutOfRange) }
    }
}

/// Why a date with a signed year is none. JavaScript and Java write one, of four to ten digits, for years
/// past 9999 and before 0; it is said of those that they are out of range, which tells more than that
/// they look odd.
fn expanded_year(sign: u8, text: &[u8]) -> TimestampError {
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let year = text[..length].iter().fold(0u64, |year, digit| (year * 10 + u64::from(digit - b'0')).min(1 << 40));
    let is_date = matches!(text[length..], [b'-', m1, m2, b'-', d1, d2, ..] if two(m1, m2).and(two(d1, d2)).is_ok());
    if is_date && (4..=10).contains(&length) && (sign == b'-' || year > 9_999) {
        TimestampError::OutOfRange
    } else {
        TimestampError::NotIso
    }
}

/// Two digits.
#[inline]
fn two(tens: u8, ones: u8) -> Result<u32, TimestampError> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    if tens > 9 || ones > 9 {
        return Err(TimestampError::NotIso);
    }
    Ok(u32::from(tens) * 10 + u32::from(ones))
}

/// `HH:MM[:SS[.fraction]]` and a zone: microseconds since midnight, and seconds east of UTC.
fn time_of_day(text: &[u8]) -> Result<(i64, Option<i64>), TimestampError> {
    let &[h1, h2, b':', m1, m2, ref rest @ ..] = text else {
        return Err(TimestampError::NotIso);
    };
    let (hour, minute) = (two(h1, h2)?, two(m1, m2)?);
    let (second, mut rest) = match rest {
        &[b':', s1, s2, ref rest @ ..] => (two(s1, s2)?, rest),
        rest => (0, rest),
    };
    if hour > 23 || minute > 59 || second > 59 {
        return Err(TimestampError::NoSuchTime);
    }
    let mut micros = i64::from((hour * 60 + minute) * 60 + second) * MICROS_A_SECOND;
    // A fraction of minutes is ISO 8601 as well, but nobody writes it: it needs seconds before it.
    if let [b'.' | b',', digits @ ..] = rest
        && text.get(5) == Some(&b':')
    {
        let length = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if length == 0 {
            return Err(TimestampError::NotIso);
        }
        let mut weight = MICROS_A_SECOND / 10;
        for &digit in &digits[..length] {
            micros += i64::from(digit - b'0') * weight;
            weight /= 10;
        }
        rest = &digits[length..];
    }
    let (rest, is_in_region) = region(rest)?;
    let offset = match *rest {
        [] if is_in_region => return Err(TimestampError::NotIso),
        [] => None,
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), ref offset @ ..] => {
            let (hours, minutes, seconds) = match *offset {
                [h1, h2] => (two(h1, h2)?, 0, 0),
                [h1, h2, m1, m2] | [h1, h2, b':', m1, m2] => (two(h1, h2)?, two(m1, m2)?, 0),
                // Local mean time, from before there were zones.
                [h1, h2, b':', m1, m2, b':', s1, s2] => (two(h1, h2)?, two(m1, m2)?, two(s1, s2)?),
                _ => return Err(TimestampError::NotIso),
            };
            if hours > 23 || minutes > 59 || seconds > 59 {
                return Err(TimestampError::NoSuchTime);
            }
            let seconds = i64::from((hours * 60 + minutes) * 60 + seconds);
            Some(if sign == b'-' { -seconds } else { seconds })
        }
        _ => return Err(TimestampError::NotIso),
    };
    Ok((micros, offset))
}

/// Takes a region's name in brackets off the end, as Java's `ZonedDateTime` writes it: the offset before
/// it says all.
#[inline]
fn region(text: &[u8]) -> Result<(&[u8], bool), TimestampError> {
    let [before @ .., b']'] = text else { return Ok((text, false)) };
    let at = before.iter().position(|&byte| byte == b'[').ok_or(TimestampError::NotIso)?;
    let is_known = |byte: &u8| byte.is_ascii_alphanumeric() || b"~/._+-:".contains(byte);
    match &before[at + 1..] {
        name @ [first, ..] if first.is_ascii_alphabetic() && name.iter().all(is_known) => Ok((&before[..at], true)),
        _ => Err(TimestampError::NotIso),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARIS: Tz = Tz::Europe__Paris;

    fn local(text: &str) -> String {
        match LocalTime::parse(text, PARIS) {
            Ok(time) => DateTime::from_timestamp_micros(time.micros()).expect("in range").naive_utc().to_string(),
            Err(error) => format!("{error:?}"),
        }
    }

    #[test]
    fn without_a_zone_it_is_local_time_as_it_stands() {
        for (text, expected) in [
            ("2023-10-01T12:34:56.123456", "2023-10-01 12:34:56.123456"),
            ("2023-10-01 12:34:56", "2023-10-01 12:34:56"),
            ("2023-10-01T12:34", "2023-10-01 12:34:00"),
            ("2023-10-01", "2023-10-01 00:00:00"),
            ("2023-10-01T12:34:56.1", "2023-10-01 12:34:56.100"),
            ("2023-10-01T12:34:56,5", "2023-10-01 12:34:56.500"),
            ("2023-10-01T12:34:56.123456789", "2023-10-01 12:34:56.123456"),
            ("2024-02-29T00:00:00", "2024-02-29 00:00:00"),
            ("0001-01-01", "0001-01-01 00:00:00"),
            ("9999-12-31T23:59:59.999999", "9999-12-31 23:59:59.999999"),
            // An hour that the clocks skipped is taken as it stands.
            ("2026-03-29T02:30:00", "2026-03-29 02:30:00"),
        ] {
            assert_eq!(local(text), expected, "{text}");
        }
    }

    #[test]
    fn with_a_zone_it_is_converted() {
        for (text, expected) in [
            ("2026-11-22T23:30:00Z", "2026-11-23 00:30:00"),
            ("2026-11-22T23:30Z", "2026-11-23 00:30:00"),
            ("2026-11-22T23:30:00.000000001z", "2026-11-23 00:30:00"),
            ("2026-11-22T23:30:00+01:00", "2026-11-22 23:30:00"),
            ("2026-11-22T23:30:00+0100", "2026-11-22 23:30:00"),
            ("2026-11-22T23:30:00+01", "2026-11-22 23:30:00"),
            ("2026-11-22 23:30:00.25-05:30", "2026-11-23 06:00:00.250"),
            ("0001-01-01T00:00:00+01:00", "OutOfRange"),
            ("9999-12-31T23:30:00Z", "OutOfRange"),
        ] {
            assert_eq!(local(text), expected, "{text}");
        }
    }

    /// What `datetime.isoformat()`, `Date.toISOString()`, `Instant`, `OffsetDateTime` and `ZonedDateTime`
    /// printed.
    #[test]
    fn reads_what_python_javascript_and_java_print() {
        for (text, expected) in [
            // Python 3: datetime.isoformat(), of naive and aware moments, with and without microseconds.
            ("2026-11-22T12:34:56.123456", "2026-11-22 12:34:56.123456"),
            ("2026-11-22T12:34:56", "2026-11-22 12:34:56"),
            ("2026-11-22T00:00:00", "2026-11-22 00:00:00"),
            ("1970-01-01T00:00:00", "1970-01-01 00:00:00"),
            ("2026-11-22 12:34:56.123456", "2026-11-22 12:34:56.123456"),
            ("2026-11-22T12:34:56.000123+00:00", "2026-11-22 13:34:56.000123"),
            ("2026-11-22T12:34:56.123456+05:30", "2026-11-22 08:04:56.123456"),
            ("2026-11-22T12:34:56-08:00", "2026-11-22 21:34:56"),
            // Paris before 1911, and what `timespec="minutes"` and "milliseconds" leave.
            ("1900-01-01T00:00:00+00:09:21", "1900-01-01 00:00:00"),
            ("1900-01-01T12:00:00.000001-00:25:21", "1900-01-01 12:34:42.000001"),
            ("2026-11-22T12:34+01:00", "2026-11-22 12:34:00"),
            ("2026-11-22T12:34:56.123+01:00", "2026-11-22 12:34:56.123"),
            // JavaScript: new Date(…).toISOString().
            ("2026-11-22T12:34:56.789Z", "2026-11-22 13:34:56.789"),
            ("1970-01-01T00:00:00.000Z", "1970-01-01 01:00:00"),
            ("0001-01-01T00:00:00.000Z", "0001-01-01 00:09:21"),
            // Java: Instant.toString(), which prints 0, 3, 6 or 9 digits.
            ("2026-11-22T12:34:56Z", "2026-11-22 13:34:56"),
            ("2026-11-22T12:34:00Z", "2026-11-22 13:34:00"),
            ("2026-11-22T12:34:56.100Z", "2026-11-22 13:34:56.100"),
            ("2026-11-22T12:34:56.100200Z", "2026-11-22 13:34:56.100200"),
            ("2026-11-22T12:34:56.100200300Z", "2026-11-22 13:34:56.100200"),
            // Java: LocalDateTime, OffsetDateTime, ZonedDateTime, which leave seconds of zero out.
            ("2026-11-22T12:34", "2026-11-22 12:34:00"),
            ("2026-11-22T12:34Z", "2026-11-22 13:34:00"),
            ("2026-11-22T12:34:56.123456789+01:00", "2026-11-22 12:34:56.123456"),
            ("2026-11-22T12:34-03:30", "2026-11-22 17:04:00"),
            ("1900-01-01T00:00+00:09:21", "1900-01-01 00:00:00"),
            ("2026-11-22T12:34:56+01:00[Europe/Paris]", "2026-11-22 12:34:56"),
            ("2026-11-22T12:34Z[UTC]", "2026-11-22 13:34:00"),
            ("2026-11-22T12:34:56-05:00[America/Port-au-Prince]", "2026-11-22 18:34:56"),
            ("2026-11-22T12:34+02:00[UTC+02:00]", "2026-11-22 11:34:00"),
        ] {
            assert_eq!(local(text), expected, "{text}");
        }
    }

    /// Paris: 2026-03-29 has 23 hours, 2026-10-25 has 25.
    #[test]
    fn days_are_cut_right_when_clocks_change() {
        for (text, expected) in [
            ("2026-03-28T22:59:59Z", "2026-03-28 23:59:59"),
            ("2026-03-28T23:00:00Z", "2026-03-29 00:00:00"),
            ("2026-03-29T00:59:59Z", "2026-03-29 01:59:59"),
            ("2026-03-29T01:00:00Z", "2026-03-29 03:00:00"),
            ("2026-03-29T21:59:59Z", "2026-03-29 23:59:59"),
            ("2026-03-29T22:00:00Z", "2026-03-30 00:00:00"),
            ("2026-10-24T21:59:59Z", "2026-10-24 23:59:59"),
            ("2026-10-24T22:00:00Z", "2026-10-25 00:00:00"),
            ("2026-10-25T00:30:00Z", "2026-10-25 02:30:00"),
            ("2026-10-25T01:30:00Z", "2026-10-25 02:30:00"),
            ("2026-10-25T22:59:59Z", "2026-10-25 23:59:59"),
            ("2026-10-25T23:00:00Z", "2026-10-26 00:00:00"),
        ] {
            assert_eq!(local(text), expected, "{text}");
        }
        let hours = |day: &str, first: &str, hours: i64| {
            let first = LocalTime::parse(first, Tz::UTC).expect("a time").micros() / 1_000;
            (0..hours * 60).all(|minute| {
                let time = LocalTime::from_epoch_millis(first + minute * 60_000, PARIS).expect("in range");
                time.day().to_string() == day
            })
        };
        assert!(hours("2026-03-29", "2026-03-28T23:00", 23));
        assert!(hours("2026-10-25", "2026-10-24T22:00", 25));
    }

    #[test]
    fn refuses_what_no_calendar_has() {
        use TimestampError::*;
        for (text, expected) in [
            ("", NotIso),
            ("2023", NotIso),
            ("2023-1-01", NotIso),
            ("01/10/2023 12:00", NotIso),
            ("2023-10-01T", NotIso),
            ("2023-10-01X12:00:00", NotIso),
            ("2023-10-01T12", NotIso),
            ("2023-10-01T1:00:00", NotIso),
            ("2023-10-01T12:00:", NotIso),
            ("2023-10-01T12:00:0", NotIso),
            ("2023-10-01T12:00.5", NotIso),
            ("2023-10-01T12:00:00.", NotIso),
            ("2023-10-01T12:00:00.x", NotIso),
            ("2023-10-01T12:00:00 ", NotIso),
            (" 2023-10-01T12:00:00", NotIso),
            ("2023-10-01T12:00:00ZZ", NotIso),
            ("2023-10-01T12:00:00+1", NotIso),
            ("2023-10-01T12:00:00+01:0", NotIso),
            ("2023-10-01T12:00:00[Europe/Paris]", NotIso),
            ("2023-10-01T12:00:00+01:00[]", NotIso),
            ("2023-10-01T12:00:00+01:00[Europe/Paris", NotIso),
            ("2023-10-01T12:00:00+01:00Europe/Paris]", NotIso),
            ("2023-10-01T12:00:00+01:00[1/2]", NotIso),
            ("2023-10-01T12:00:00+01:00:0", NotIso),
            ("2023-10-01T12:00:00+01:00:00:00", NotIso),
            ("2023-10-01T12:00:00+010000", NotIso),
            ("+2023-10-01", NotIso),
            ("+002023-10-01T12:00:00.000Z", NotIso),
            ("+010000-1-01", NotIso),
            ("-001-10-01", NotIso),
            ("20é3-10-01", NotIso),
            ("2023-02-29", NoSuchDate),
            ("2023-02-30T00:00:00", NoSuchDate),
            ("2023-13-01", NoSuchDate),
            ("2023-00-10", NoSuchDate),
            ("2023-10-00", NoSuchDate),
            ("0000-10-01", NoSuchDate),
            ("2023-10-01T24:00:00", NoSuchTime),
            ("2023-10-01T12:60:00", NoSuchTime),
            ("2023-10-01T23:59:60", NoSuchTime),
            ("2023-10-01T12:00:00+24:00", NoSuchTime),
            ("2023-10-01T12:00:00+00:09:60", NoSuchTime),
            // What JavaScript's and Java's largest and smallest moments look like.
            ("+275760-09-13T00:00:00.000Z", OutOfRange),
            ("-271821-04-20T00:00:00.000Z", OutOfRange),
            ("-000001-12-31T00:00:00.000Z", OutOfRange),
            ("+10000-01-01T00:00Z", OutOfRange),
            ("+1000000000-12-31T23:59:59.999999999Z", OutOfRange),
            ("-1000000000-01-01T00:00:00Z", OutOfRange),
            ("0000-01-01T00:00:00.000Z", NoSuchDate),
        ] {
            assert_eq!(LocalTime::parse(text, PARIS), Err(expected), "{text}");
        }
    }

    #[test]
    fn epoch_milliseconds_are_utc() {
        let time = LocalTime::from_epoch_millis(1_700_000_000_123, PARIS).expect("in range");
        assert_eq!(local("2023-11-14T22:13:20.123Z"), "2023-11-14 23:13:20.123");
        assert_eq!(Ok(time), LocalTime::parse("2023-11-14T22:13:20.123Z", PARIS));
        assert_eq!(LocalTime::from_epoch_millis(i64::MAX, PARIS), Err(TimestampError::OutOfRange));
        assert_eq!(LocalTime::from_epoch_millis(253_402_300_800_000, Tz::UTC), Err(TimestampError::OutOfRange));
    }
}
