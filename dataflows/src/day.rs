//! The business day, and the month it lies in.

use std::fmt;

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

/// A calendar day in the shop's time zone, as days since 1970-01-01. No time zone is left in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Day(i32);

impl Day {
    /// Days since 1970-01-01, negative before.
    pub const fn from_epoch_days(days: i32) -> Self {
        Day(days)
    }

    /// Days since 1970-01-01.
    pub const fn epoch_days(self) -> i32 {
        self.0
    }

    /// From a calendar date, in the shop's time zone.
    pub fn from_date(date: NaiveDate) -> Self {
        Day(date.to_epoch_days())
    }

    /// As a calendar date.
    pub fn date(self) -> NaiveDate {
        // Days come from dates, so they are in chrono's range; a forged one saturates.
        NaiveDate::from_epoch_days(self.0).unwrap_or(if self.0 < 0 { NaiveDate::MIN } else { NaiveDate::MAX })
    }

    /// The month it lies in.
    pub fn month(self) -> Month {
        let date = self.date();
        Month { year: date.year(), month: date.month() as u8 }
    }
}

/// ISO 8601: `2026-11-22`.
impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.date(), f)
    }
}

/// A calendar month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Month {
    /// The year.
    pub year: i32,
    /// 1 to 12.
    pub month: u8,
}

/// ISO 8601: `2026-11`.
impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_dates_and_lie_in_months() {
        let leap = NaiveDate::from_ymd_opt(2024, 2, 29).expect("a date");
        let day = Day::from_date(leap);
        assert_eq!(day.date(), leap);
        assert_eq!(day.to_string(), "2024-02-29");
        assert_eq!(day.month().to_string(), "2024-02");
        assert_eq!(Day::from_epoch_days(-1).to_string(), "1969-12-31");
    }
}
