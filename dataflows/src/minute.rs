//! The minute of the log's clock, by which orders are counted as they come.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A minute, counted from 1970-01-01T00:00Z. It is the log's, not the order's own: how busy the shop is
/// follows from when orders arrive, whatever their dates say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Minute(u32);

impl Minute {
    /// Of a record from a log without timestamps: it is in no minute.
    pub const NONE: Minute = Minute(0);

    const MILLIS: i64 = 60_000;

    /// The minute that a log's timestamp lies in (milliseconds since 1970; [`Minute::NONE`] at 0 and
    /// before).
    pub const fn of_millis(millis: i64) -> Self {
        if millis <= 0 {
            return Minute::NONE;
        }
        let minutes = millis / Minute::MILLIS;
        Minute(if minutes > u32::MAX as i64 { u32::MAX } else { minutes as u32 })
    }

    /// From its number.
    pub const fn from_number(minutes: u32) -> Self {
        Minute(minutes)
    }

    /// Minutes since 1970-01-01T00:00Z.
    pub const fn number(self) -> u32 {
        self.0
    }

    /// So many minutes before, or the first one.
    pub const fn before(self, minutes: u32) -> Self {
        Minute(self.0.saturating_sub(minutes))
    }

    /// Its first moment, in milliseconds since 1970.
    pub const fn millis(self) -> i64 {
        self.0 as i64 * Minute::MILLIS
    }

    /// Its first moment.
    pub fn moment(self) -> DateTime<Utc> {
        // Up to the year 10136: chrono reaches farther.
        DateTime::from_timestamp_millis(self.millis()).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }
}

/// ISO 8601: `2026-11-22T12:34Z`.
impl fmt::Display for Minute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.moment().format("%Y-%m-%dT%H:%MZ"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_lies_in_its_minute() {
        for millis in [60_000, 119_999, 1_700_000_000_123] {
            let minute = Minute::of_millis(millis);
            assert!((minute.millis()..minute.millis() + 60_000).contains(&millis), "{minute}");
        }
        assert_eq!(Minute::of_millis(1_700_000_000_123).to_string(), "2023-11-14T22:13Z");
        assert_eq!(Minute::of_millis(0), Minute::NONE);
        assert_eq!(Minute::of_millis(-5), Minute::NONE);
        assert_eq!(Minute::of_millis(i64::MAX).number(), u32::MAX);
        assert_eq!(Minute::from_number(3).before(5), Minute::NONE);
    }
}
