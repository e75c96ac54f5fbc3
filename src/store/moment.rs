//! Moments as columns hold them.

use chrono::{DateTime, NaiveDateTime, Utc};

use crate::source::NEWEST_TIMESTAMP;

/// A log's timestamp, in milliseconds since 1970, as a moment; `None` for 0, a log without timestamps.
/// What lies past the years 0 to 9999 is the end of them: a year of more digits could not be read back from SQLite.
pub(super) fn of_log(milliseconds: i64) -> Option<DateTime<Utc>> {
    const YEAR_0: i64 = -62_167_219_200_000;
    let within = milliseconds.clamp(YEAR_0, NEWEST_TIMESTAMP);
    (milliseconds != 0).then(|| DateTime::from_timestamp_millis(within).unwrap_or_default())
}

/// The other way.
pub(super) fn to_log(moment: Option<DateTime<Utc>>) -> i64 {
    moment.map_or(0, |moment| moment.timestamp_millis())
}

/// A local time, in microseconds since 1970-01-01T00:00 of its own clock.
pub(super) fn of_local(microseconds: i64) -> NaiveDateTime {
    DateTime::from_timestamp_micros(microseconds).unwrap_or_default().naive_utc()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_come_back() {
        for milliseconds in [0, 1, -1, 1_700_000_000_123, NEWEST_TIMESTAMP] {
            assert_eq!(to_log(of_log(milliseconds)), milliseconds);
        }
        for milliseconds in [i64::MAX, i64::MIN, NEWEST_TIMESTAMP + 1] {
            let moment = of_log(milliseconds).expect("a moment");
            let text = moment.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
            assert_eq!(text.parse(), Ok(moment), "{text}");
            assert_eq!(text.len(), "9999-12-31T23:59:59.999Z".len(), "{text}");
        }
        for microseconds in [0, -1, 1_700_000_000_123_456] {
            assert_eq!(of_local(microseconds).and_utc().timestamp_micros(), microseconds);
        }
    }
}
