//! The stretches of time for which best sellers are ranked.

use std::fmt;
use std::str::FromStr;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::day::{Day, Month};

/// All time, a month, or a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Period {
    /// All days there are.
    All,
    /// A calendar month.
    Month(Month),
    /// A business day.
    Day(Day),
}

/// `all`, `2026-11`, `2026-11-22`: as the tables have it.
impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Period::All => f.write_str("all"),
            Period::Month(month) => month.fmt(f),
            Period::Day(day) => day.fmt(f),
        }
    }
}

/// A text that names no period.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no period: all, a month as 2026-11, or a day as 2026-11-22")]
pub struct NoSuchPeriod(pub String);

impl FromStr for Period {
    type Err = NoSuchPeriod;

    fn from_str(text: &str) -> Result<Self, NoSuchPeriod> {
        let date = |text: &str| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(Day::from_date);
        let period = match text {
            "all" => Some(Period::All),
            day if day.rmatches('-').count() >= 2 => date(day).map(Period::Day),
            month => date(&format!("{month}-01")).map(|day| Period::Month(day.month())),
        };
        // One spelling each: what is read is what would be written.
        period.filter(|period| period.to_string() == text).ok_or_else(|| NoSuchPeriod(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_come_back_from_their_text() {
        let day = Day::from_epoch_days(20_779);
        for period in [Period::All, Period::Day(day), Period::Month(day.month())] {
            assert_eq!(period.to_string().parse(), Ok(period));
        }
        assert_eq!(Period::Month(day.month()).to_string(), "2026-11");
        for text in ["", "All", "2026", "2026-1", "2026-11-2", "2026-13", "2026-02-30"] {
            assert!(text.parse::<Period>().is_err(), "{text}");
        }
    }
}
