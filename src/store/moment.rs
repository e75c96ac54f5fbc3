//! Moments as columns hold them.

use chrono::{DateTime, NaiveDateTime, Utc};

/// A log's timestamp, in milliseconds since 1970, as a moment; `None` for 0, a log without timestamps.
/// What no calendar reaches is the year 10000.
pub(super) fn of_log(milliseconds: i64) -> Option<DateTime<Utc>> {
    const YEAR_10000: i64 = 253_402_300_800_000;
    (milliseconds != 0)
        .then(|| DateTime::from_timestamp_millis(milliseconds.clamp(-YEAR_10000, YEAR_10000)).unwrap_or_default())
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
        for milliseconds in [0, 1, -1, 1_700_000_000_123, 253_402_300_799_999] {
            assert_eq!(to_log(of_log(milliseconds)), milliseconds);
        }
        assert_eq!(of_log(i64::MAX), of_log(253_402_300_800_000));
        for microseconds in [0, -1, 1_700_000_000_123_456] {
            assert_eq!(of_local(microseconds).and_utc().timestamp_micros(), microseconds);
        }
    }
}
