//! Texts as moments: the fast reader, the plain one and chrono agree.

use std::cell::RefCell;

use chrono::{DateTime, Datelike, FixedOffset, NaiveDateTime};
use chrono_tz::Tz;
use serde_json::Value;
use takings::formats::timestamp::LocalTime;

use crate::readings::Readings;

const ZONES: [Tz; 4] = [Tz::UTC, Tz::Europe__Paris, Tz::America__St_Johns, Tz::Pacific__Apia];

thread_local! {
    static WARM: RefCell<Vec<Readings>> = RefCell::new(
        ZONES
            .iter()
            .map(|zone| {
                let name = zone.name();
                Readings::new(&format!("topics = [\"transactions\"]\nkeep_orders = true\ntime_zone = \"{name}\"\n"))
            })
            .collect(),
    );
}

/// The bytes as a text, in a payload and by themselves.
pub fn attack(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let quoted = Value::from(text).to_string();
    // As a string, and as it stands: a number of milliseconds is a moment as well.
    for moment in [quoted.as_str(), text] {
        let payload = format!("{{\"transaction_id\": 1, \"amount\": 1, \"timestamp\": {moment}}}");
        WARM.with_borrow_mut(|all| {
            for readings in all {
                readings.agree(None, Some(payload.as_bytes())).unwrap_or_else(|error| panic!("{error}\n{payload}"));
            }
        });
    }
    for zone in ZONES {
        as_chrono_has_it(text, zone);
    }
}

fn as_chrono_has_it(text: &str, zone: Tz) {
    let read = LocalTime::parse(text, zone);
    if let Ok(moment) = DateTime::<FixedOffset>::parse_from_rfc3339(text) {
        let local = moment.with_timezone(&zone).naive_local();
        // A leap second, a year past the calendar's and an offset of a day are chrono's alone.
        let is_leap = text.as_bytes().get(17..19) == Some(b"60");
        if (1..=9999).contains(&moment.year()) && (1..=9999).contains(&local.year()) && !is_leap {
            let read = read.unwrap_or_else(|error| panic!("chrono reads {text} as {moment}, takings: {error}"));
            assert_eq!(read.micros(), local.and_utc().timestamp_micros(), "{text} in {zone}");
        }
    } else if let Ok(local) = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f")
        && let Ok(read) = read
    {
        assert_eq!(read.micros(), local.and_utc().timestamp_micros(), "{text} without a zone");
    }
}
