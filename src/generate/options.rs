//! What kind of shop it is.

use chrono::{NaiveDateTime, TimeDelta, Timelike};

use super::event::Topic;

/// What kind of shop.
#[derive(Clone, Debug)]
pub struct ShopOptions {
    /// Where chance starts. It also makes the ids of orders and feedback.
    pub seed: u64,
    /// What the shop sends. Orders go to those topics that have orders, at least one.
    pub topics: Vec<Topic>,
    /// New orders; `None` is without end.
    pub orders: Option<u64>,
    /// Products in the catalogue, at least one.
    pub products: u32,
    /// Days before `until` over which order dates spread.
    pub days: u32,
    /// The newest order date, in local time; of live orders, the first.
    pub until: NaiveDateTime,
    /// Events a second: the log gets them one after the other from `until` on.
    pub rate: Option<f64>,
    /// Whether orders are dated when the log gets them, instead of spread over `days`. Needs a rate.
    pub is_live: bool,
    /// Without a rate: how long before `until` the log got the first of them.
    pub recorded_over: TimeDelta,
    /// Whether every product is listed before the first order. A shop that goes on need not.
    pub lists_catalogue: bool,
    /// The share of the orders that are transactions, where both topics are sent. This one and those
    /// below are 0 to 1.
    pub transactions: f64,
    /// New feedback, as a share of the orders.
    pub feedback: f64,
    /// Listings that change, as a share of the orders.
    pub listing_changes: f64,
    /// Exact re-sends, as a share of each topic's new records.
    pub duplicates: f64,
    /// Orders and feedback that come again with other content.
    pub corrections: f64,
    /// Orders that are cancelled, feedback and listings that are withdrawn.
    pub cancellations: f64,
    /// Records that can not be read, as a share of each topic's new records.
    pub invalid: f64,
    /// Orders dated up to 90 days before all others.
    pub late: f64,
}

/// A year of a middling shop, up to the first moment of 2026.
impl Default for ShopOptions {
    fn default() -> Self {
        ShopOptions {
            seed: 0,
            topics: Topic::ALL.to_vec(),
            orders: Some(100_000),
            products: 1_000,
            days: 400,
            until: chrono::DateTime::from_timestamp(1_767_225_600, 0).unwrap_or_default().naive_utc(),
            rate: None,
            is_live: false,
            recorded_over: TimeDelta::hours(24),
            lists_catalogue: true,
            transactions: 0.3,
            feedback: 0.05,
            listing_changes: 0.02,
            duplicates: 0.01,
            corrections: 0.01,
            cancellations: 0.005,
            invalid: 0.001,
            late: 0.05,
        }
    }
}

/// What `until` is where nobody says: this moment in UTC, to the second.
pub(super) fn now() -> NaiveDateTime {
    let now = chrono::Utc::now().naive_utc();
    now - TimeDelta::nanoseconds(i64::from(now.nanosecond()))
}
