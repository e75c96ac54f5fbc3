//! What is written in one transaction, and what is read back at a start.

use std::cmp::Ordering;

use std::collections::BTreeMap;
use std::time::Duration;

use takings_dataflows::day::Day;
use takings_dataflows::last_record::LastRecord;
use takings_dataflows::order::{Contribution, OrderDetails};
use takings_dataflows::rating::Rating;
use takings_dataflows::row::{RowChange, RowValue};
use takings_dataflows::view::{View, ViewKey};

use super::{Loss, PassedOver, StoreError, loss};

/// Everything one epoch changed. Written whole or not at all.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// The epoch; one more than, or any number past, the one committed before it.
    pub epoch: u64,
    /// Changed rows of the views, each key at most once.
    pub rows: Vec<RowChange>,
    /// Orders that were corrected or cancelled.
    pub corrections: Vec<Correction>,
    /// Records that could not be read.
    pub rejected: Vec<Rejected>,
    /// Kept orders, each (topic, order id) at most once: their newest version. Empty unless asked for.
    pub orders: Vec<KeptOrder>,
    /// Kept orders whose first record is older than was known, each (topic, order id) at most once. They are
    /// written before, or stand in `orders`.
    pub earlier: Vec<EarlierOrder>,
    /// Listings with a new version, each product at most once.
    pub listings: Vec<KeptListing>,
    /// Feedback with a new version, each (topic, feedback id) at most once.
    pub feedback: Vec<KeptFeedback>,
    /// Views that were switched on, and that this commit fills from the log.
    pub filled: Vec<FilledView>,
    /// Rows whose total no set of records can have: the view keeps what it holds.
    pub inconsistent: Vec<Inconsistent>,
    /// Rows that were inconsistent, and are written again from now on.
    pub cured: Vec<ViewKey>,
    /// Every partition that moved, with its new state (absolute, not the difference).
    pub partitions: Vec<PartitionState>,
}

/// A row whose total no set of records can have, open in the table `inconsistent`. Never written to its view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inconsistent {
    /// The row.
    pub key: ViewKey,
    /// What the view holds in its place, the last value that could be one; `None`: no row.
    pub stands: Option<RowValue>,
    /// What it would be.
    pub would_be: RowValue,
}

/// A view that is complete from now on, as far as the log goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FilledView {
    /// The view.
    pub view: View,
    /// The day since which every record of the log is counted; `None`: all there ever were.
    pub complete_from: Option<Day>,
}

/// Why an order's contribution changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The same id came with other content.
    Correction,
    /// The order was cancelled.
    Cancellation,
}

impl Why {
    /// As it is written in the table.
    pub const fn name(self) -> &'static str {
        match self {
            Why::Correction => "correction",
            Why::Cancellation => "cancellation",
        }
    }
}

/// A row of `corrections`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correction {
    /// The topic of the record that corrected.
    pub topic: String,
    /// Its partition.
    pub partition: u16,
    /// Its offset.
    pub offset: u64,
    /// The order.
    pub order_id: String,
    /// What it counted as: `None` where it had been cancelled.
    pub was: Option<Contribution>,
    /// What it counts as now: `None` where it is cancelled.
    pub now: Option<Contribution>,
    /// Which of the two.
    pub why: Why,
}

/// A row of `rejected`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// The record's topic.
    pub topic: String,
    /// Its partition.
    pub partition: u16,
    /// Its offset.
    pub offset: u64,
    /// Its key's bytes as they came.
    pub key: Option<Vec<u8>>,
    /// Its payload's bytes as they came, cut at the payload limit.
    pub payload: Option<Vec<u8>>,
    /// Why, naming the field.
    pub reason: String,
}

/// A row of `orders`, or of `cancelled_orders`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptOrder {
    /// The order's topic (its id space is the topic's).
    pub topic: String,
    /// Its id.
    pub order_id: String,
    /// Partition of the record that made this version.
    pub partition: u16,
    /// How often the log of that partition had begun anew; see [`Version`](takings_dataflows::order::Version).
    pub incarnation: u8,
    /// Offset of that record.
    pub offset: u64,
    /// That record's log timestamp, in milliseconds since 1970.
    pub timestamp: i64,
    /// The same of the order's first record, to the minute.
    pub first_timestamp: i64,
    /// What it is: `None` where it is cancelled (the row leaves `orders` for `cancelled_orders`).
    pub current: Option<KeptContent>,
}

/// The content of a kept order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptContent {
    /// What it counts as.
    pub contribution: Contribution,
    /// The fields that no total needs.
    pub details: OrderDetails,
    /// The content's fingerprint.
    pub fingerprint: u64,
}

/// A kept order of which a record came late that is older than its first one: its version stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EarlierOrder {
    /// The order's topic.
    pub topic: String,
    /// Its id.
    pub order_id: String,
    /// The log timestamp of its first record, in milliseconds since 1970, to the minute.
    pub first_timestamp: i64,
}

/// A row of `listings`: which version of a product's listing is the newest. What it says is in `products`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptListing {
    /// The product.
    pub product: String,
    /// The topic of the record that made this version.
    pub topic: String,
    /// Its partition.
    pub partition: u16,
    /// How often the log of its partition had begun anew; see [`Version`](takings_dataflows::order::Version).
    pub incarnation: u8,
    /// Its offset.
    pub offset: u64,
    /// Its log timestamp, in milliseconds since 1970.
    pub timestamp: i64,
    /// Whether it withdraws the listing.
    pub is_withdrawn: bool,
}

/// A row of `feedback`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptFeedback {
    /// The feedback's topic (its id space is the topic's).
    pub topic: String,
    /// Its id.
    pub feedback_id: String,
    /// Partition of the record that made this version.
    pub partition: u16,
    /// How often the log of that partition had begun anew; see [`Version`](takings_dataflows::order::Version).
    pub incarnation: u8,
    /// Offset of that record.
    pub offset: u64,
    /// That record's log timestamp, in milliseconds since 1970.
    pub timestamp: i64,
    /// What it says: `None` where it is withdrawn.
    pub current: Option<Rating>,
}

/// How far one partition is committed, and what became of its records.
///
/// *The books balance*: `read = applied + duplicates + superseded + corrections + cancellations +
/// rejected + other`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartitionState {
    /// The topic.
    pub topic: String,
    /// The partition's number.
    pub partition: u16,
    /// How often its log has begun anew below what was read; see [`Version`](takings_dataflows::order::Version).
    pub incarnation: u8,
    /// The offset of the next record to read.
    pub offset: u64,
    /// The newest log timestamp, in milliseconds since 1970; 0 without any.
    pub newest_timestamp: i64,
    /// How far its time has come, in milliseconds since 1970; 0 before it is known. See
    /// [`LogTime`](takings_dataflows::log_time::LogTime).
    pub log_time: i64,
    /// What tells its topic from a later one of the same name, where the log has such a thing.
    pub topic_id: Option<String>,
    /// What was never counted, because a run was told to resume behind it.
    pub passed_over: PassedOver,
    /// What was counted when its log began anew is dated up to here, in milliseconds since 1970, and may be gone from the
    /// log. 0 where it never did, or no date says.
    pub lost_until: i64,
    /// The last record read, where it is known: the next start looks for it.
    pub last: Option<LastRecord>,
    /// The counters since the store was made.
    pub counters: Counters,
}

impl PartitionState {
    /// See [`reached`](loss::reached).
    pub fn reached(&self, now: i64) -> i64 {
        loss::reached(self.newest_timestamp, self.log_time, now)
    }

    /// What its log lost that may have been counted. `first`: the offset of the first record that it holds.
    pub fn loss(&self, first: u64) -> Option<Loss> {
        Loss::of(first, self.incarnation, self.lost_until).filter(|_| self.counters.read > 0)
    }

    /// The same in words.
    pub fn lost(&self, first: u64) -> Option<String> {
        let PartitionState { topic, partition, .. } = self;
        self.loss(first)?;
        Some(match super::moment::of_log(self.lost_until) {
            Some(until) => format!("{topic}/{partition} began anew after {until}"),
            None if self.incarnation > 0 => format!("{topic}/{partition} began anew, nobody knows when"),
            None => format!("{topic}/{partition} starts at offset {first}"),
        })
    }

    /// The same, with what stands in `sources.passed_over` and `sources.last_record`.
    pub(super) fn with_written(
        self,
        passed_over: Option<String>,
        last: Option<String>,
    ) -> Result<PartitionState, StoreError> {
        let passed_over = PassedOver::read(passed_over.as_deref(), &self.topic, self.partition)?;
        let last = last.map(|last| read_last(&last, &self.topic, self.partition)).transpose()?;
        Ok(PartitionState { passed_over, last, ..self })
    }

    /// As the last record stands in `sources.last_record`: `{"offset":19,"leader_epoch":3,"checksum":2914}`.
    pub(super) fn written_last(&self) -> Option<String> {
        // Numbers: can not fail to become JSON.
        self.last.map(|last| serde_json::to_string(&last).unwrap_or_default())
    }
}

fn read_last(text: &str, topic: &str, partition: u16) -> Result<LastRecord, StoreError> {
    serde_json::from_str(text).map_err(|error| {
        StoreError::Corrupt(format!(
            "sources.last_record of {topic}/{partition} is {text:?}, which is no record's place: {error}"
        ))
    })
}

/// What became of a partition's records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Records read.
    pub read: u64,
    /// Orders that were new.
    pub applied: u64,
    /// Records that repeated what was known.
    pub duplicates: u64,
    /// Records older than what was known.
    pub superseded: u64,
    /// Records that changed an order.
    pub corrections: u64,
    /// Records that cancelled an order, known or not.
    pub cancellations: u64,
    /// Records that could not be read.
    pub rejected: u64,
    /// Records of a kind that no kept view needs.
    pub other: u64,
    /// Of `applied`: those dated before the correction horizon, which may be corrections of orders
    /// no longer known. Of `cancellations`: those that came later than a correction window, or may have: what they
    /// cancel stays counted.
    pub beyond_horizon: u64,
    /// Records with an amount of more than six places, which was rounded.
    pub rounded: u64,
}

impl Counters {
    /// Whether every record read has exactly one outcome.
    pub const fn balance(&self) -> bool {
        self.read
            == self.applied
                + self.duplicates
                + self.superseded
                + self.corrections
                + self.cancellations
                + self.rejected
                + self.other
    }
}

/// The settings under which a store's totals were made. A store keeps them and refuses others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobSettings {
    /// The shop's time zone (IANA name), by which days are cut.
    pub time_zone: String,
    /// The currency of records that name none.
    pub default_currency: String,
    /// Whether every order is kept in `orders`.
    pub keep_orders: bool,
    /// The views that are kept.
    pub views: Vec<View>,
    /// The topics, sorted; adding one later is allowed.
    pub topics: Vec<String>,
    /// Which log the offsets belong to: Kafka's cluster id, or the folder's path.
    pub log: String,
    /// How many best sellers each period has.
    pub top: u16,
    /// How each topic's records are read, in words that change when its meaning does.
    pub formats: BTreeMap<String, String>,
    /// The largest payload, in bytes: what is longer is rejected.
    pub payload_limit: u64,
    /// How many minutes `orders_per_minute` reaches back; may change.
    pub volume_window: u32,
    /// How far back a correction reaches, where it is not as far as the log; may change.
    pub correction_window: Option<Duration>,
}

/// What a store held when it was acquired.
#[derive(Clone, Debug, Default)]
pub struct Recovered {
    /// This process's generation.
    pub generation: u64,
    /// The last committed epoch; 0 in a new store.
    pub epoch: u64,
    /// Every partition known, as committed.
    pub partitions: Vec<PartitionState>,
    /// Every row of every table that the job's views need.
    pub rows: Vec<(ViewKey, RowValue)>,
    /// Views that are switched on, and not filled yet: they have no rows.
    pub to_fill: Vec<View>,
    /// Views that were filled when the log had lost its first records.
    pub incomplete: Vec<IncompleteView>,
    /// Rows whose total no set of records can have: `rows` holds what stands in their place.
    pub inconsistent: Vec<Inconsistent>,
}

/// A view that counts only what the log held when it was filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IncompleteView {
    /// The view.
    pub view: View,
    /// The day since which every record of the log is counted.
    pub complete_from: Day,
    /// The epoch in which it was filled: views of one epoch count the same records.
    pub since_epoch: u64,
}

impl Commit {
    /// Whether this epoch is `last`, the one that this process committed last, and so is done. Refuses
    /// what must never be written, whatever went wrong before: an older epoch, a total that no set of
    /// orders can have, books that do not balance.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] naming the row.
    pub(super) fn is_done_or_refused(&self, last: Option<i64>) -> Result<bool, StoreError> {
        if let Some(last) = last {
            match (self.epoch as i64).cmp(&last) {
                Ordering::Less => {
                    return Err(StoreError::Corrupt(format!(
                        "epoch {} was to be written after epoch {last}",
                        self.epoch
                    )));
                }
                Ordering::Equal => return Ok(true),
                Ordering::Greater => {}
            }
        }
        if let Some(change) = self.rows.iter().find(|change| change.new.is_some_and(|row| !row.is_consistent())) {
            return Err(StoreError::Corrupt(format!(
                "{} would hold {:?}; nothing of epoch {} was written",
                change.key, change.new, self.epoch
            )));
        }
        let is_odd = |odd: &&Inconsistent| {
            odd.would_be.is_consistent() || odd.stands.is_some_and(|stands| !stands.is_consistent())
        };
        if let Some(odd) = self.inconsistent.iter().find(is_odd) {
            return Err(StoreError::Corrupt(format!(
                "{} was to be noted as inconsistent with {:?} in place of {:?}; nothing of epoch {} was written",
                odd.key, odd.stands, odd.would_be, self.epoch
            )));
        }
        if let Some(state) = self.partitions.iter().find(|state| !state.counters.balance()) {
            return Err(StoreError::Corrupt(format!(
                "the books of {}/{} do not balance: {:?}; nothing of epoch {} was written",
                state.topic, state.partition, state.counters, self.epoch
            )));
        }
        Ok(false)
    }
}
