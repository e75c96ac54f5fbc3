//! What an epoch changed: the dataflow's whole output, gathered for one transaction.

use std::collections::HashMap;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use crate::last_record::LastRecord;
use crate::listing::ListingEvent;
use crate::minute::Minute;
use crate::order::{Content, Contribution, OrderDetails, OrderId, PartitionId, Version};
use crate::rating::{RatingEvent, Stars};
use crate::row::{Ranked, RowChange};
use crate::takings::Takings;
use crate::upsert::Outcome;
use crate::view::ViewKey;

/// One piece of an epoch's changes, as it travels to the sink.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Output {
    /// A total that was (`diff` -1) or is (`diff` +1).
    Total {
        /// The row.
        key: ViewKey,
        /// The total.
        takings: Takings,
        /// -1 or +1.
        diff: i64,
    },
    /// The product that held (`diff` -1) or holds (`diff` +1) a rank.
    Ranked {
        /// The row of `top_products`.
        key: ViewKey,
        /// The product and its total.
        ranked: Ranked,
        /// -1 or +1.
        diff: i64,
    },
    /// A product's ratings as they were (`diff` -1) or are (`diff` +1).
    Rated {
        /// The row of `ratings_per_product`.
        key: ViewKey,
        /// The ratings.
        stars: Stars,
        /// -1 or +1.
        diff: i64,
    },
    /// Rows with what they were and are, each from the one worker that knows it.
    Rows(Vec<RowChange>),
    /// The newest version of a listing.
    Listed(Box<ListingEvent>),
    /// The newest version of a feedback.
    Feedback(Box<RatingEvent>),
    /// An order that was corrected or cancelled.
    Corrected(Box<Corrected>),
    /// The newest version of a kept order.
    Kept(Box<Kept>),
    /// A kept order of which an older record came later than the newest one.
    Earlier(Box<Earlier>),
    /// What became of some records of a partition that reached the upsert.
    Outcomes(PartitionId, Outcomes),
    /// How far a partition was read.
    Progress(PartitionId, Progress),
    /// A record that could not be read.
    Rejected(Box<Rejected>),
}

/// An order that a record changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Corrected {
    /// The order.
    pub id: OrderId,
    /// Its id's text, as in [`crate::order::OrderEvent::id_text`].
    pub id_text: CompactString,
    /// The record that changed it.
    pub version: Version,
    /// What it counted as; `None` where it was cancelled.
    pub was: Option<Contribution>,
    /// What it counts as; `None` where it is cancelled.
    pub now: Option<Contribution>,
}

/// The newest version of an order, in full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The order.
    pub id: OrderId,
    /// Its id's text, as in [`crate::order::OrderEvent::id_text`].
    pub id_text: CompactString,
    /// The record that made this version.
    pub version: Version,
    /// The minute of the order's first record.
    pub minute: Minute,
    /// What it says.
    pub content: Content,
    /// Its other fields; `None` where it is cancelled.
    pub details: Option<Box<OrderDetails>>,
}

/// A kept order whose first record is older than was known: nothing of what is kept changes but that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Earlier {
    /// The order.
    pub id: OrderId,
    /// Its id's text, as in [`crate::order::OrderEvent::id_text`].
    pub id_text: CompactString,
    /// The record that came.
    pub version: Version,
    /// Its minute, now that of the order.
    pub minute: Minute,
}

/// A record that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// Where it stands.
    pub partition: PartitionId,
    /// Its offset.
    pub offset: u64,
    /// Its key, as it came.
    pub key: Option<Vec<u8>>,
    /// Its payload, as it came.
    pub payload: Option<Vec<u8>>,
    /// Why, naming the field.
    pub reason: String,
}

/// Counts of outcomes; they add up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcomes {
    /// Orders that were new.
    pub applied: u64,
    /// Records that repeated what was known.
    pub duplicates: u64,
    /// Records older than what was known.
    pub superseded: u64,
    /// Records that changed an order.
    pub corrections: u64,
    /// Records that cancelled an order.
    pub cancellations: u64,
    /// Of `applied`: dated before the correction horizon. Of `cancellations`: of orders that a correction window forgot.
    pub beyond_horizon: u64,
}

/// What a source did to one partition in one epoch; the counts add up, the rest takes the greatest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The offset of the next record to read.
    pub offset: u64,
    /// The newest log timestamp, in milliseconds since 1970.
    pub newest_timestamp: i64,
    /// How far the partition's time has come, in milliseconds since 1970.
    pub log_time: i64,
    /// Records read.
    pub read: u64,
    /// The last record read, of those that can be told from others.
    pub last: Option<LastRecord>,
    /// Records that could not be read.
    pub rejected: u64,
    /// Records of a kind that no kept view needs.
    pub other: u64,
    /// Records whose amount was rounded.
    pub rounded: u64,
}

/// Everything one epoch changed.
#[derive(Clone, Debug, Default)]
pub struct EpochChanges {
    /// The epoch.
    pub epoch: u64,
    /// Changed totals: what each was and is.
    pub totals: HashMap<ViewKey, Change<Takings>>,
    /// Changed ranks of best sellers.
    pub ranked: HashMap<ViewKey, Change<Ranked>>,
    /// Changed ratings of products.
    pub rated: HashMap<ViewKey, Change<Stars>>,
    /// All other changed rows, each once.
    pub rows: Vec<RowChange>,
    /// Newest listings, each product as often as the epoch changed it.
    pub listings: Vec<ListingEvent>,
    /// Newest feedback, each as often as the epoch changed it.
    pub feedback: Vec<RatingEvent>,
    /// Corrected orders.
    pub corrected: Vec<Corrected>,
    /// Kept orders, each as often as the epoch changed it.
    pub kept: Vec<Kept>,
    /// Kept orders that began earlier than was known.
    pub earlier: Vec<Earlier>,
    /// Outcomes by partition.
    pub outcomes: HashMap<PartitionId, Outcomes>,
    /// Progress by partition.
    pub progress: HashMap<PartitionId, Progress>,
    /// Records that could not be read.
    pub rejected: Vec<Rejected>,
}

/// What a row's values were and are.
///
/// The two come in any order and perhaps in several pieces; what cancels out is gone. The common case,
/// one of each, takes no allocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change<V> {
    was: Option<V>,
    is: Option<V>,
    /// Pieces that found the place of theirs taken: they cancel out with later ones, or are a fault.
    more: Vec<(V, i64)>,
}

impl<V> Default for Change<V> {
    fn default() -> Self {
        Change { was: None, is: None, more: Vec::new() }
    }
}

impl<V: Copy + PartialEq> Change<V> {
    fn add(&mut self, value: V, diff: i64) {
        let (place, opposite) = match diff {
            1 => (&mut self.is, &mut self.was),
            -1 => (&mut self.was, &mut self.is),
            _ => return self.more.push((value, diff)),
        };
        if *opposite == Some(value) {
            *opposite = None;
        } else if place.is_none() {
            *place = Some(value);
        } else {
            self.more.push((value, diff));
            self.settle();
        }
    }

    /// Puts the pieces together once more: there are few.
    fn settle(&mut self) {
        let mut pieces = std::mem::take(&mut self.more);
        pieces.extend(self.was.take().map(|was| (was, -1)));
        pieces.extend(self.is.take().map(|is| (is, 1)));
        let mut sums: Vec<(V, i64)> = Vec::new();
        for (value, diff) in pieces {
            match sums.iter_mut().find(|(known, _)| *known == value) {
                Some((_, sum)) => *sum += diff,
                None => sums.push((value, diff)),
            }
        }
        for (value, sum) in sums {
            match sum {
                0 => {}
                1 if self.is.is_none() => self.is = Some(value),
                -1 if self.was.is_none() => self.was = Some(value),
                _ => self.more.push((value, sum)),
            }
        }
    }

    /// What it was and what it is, each `None` where there was or is no row.
    ///
    /// # Errors
    /// The change itself, where it is not one value turning into one other: only a fault can cause it.
    pub fn was_and_is(&self) -> Result<(Option<V>, Option<V>), &Change<V>> {
        if self.more.is_empty() {
            return Ok((self.was, self.is));
        }
        let mut settled = self.clone();
        settled.settle();
        if settled.more.is_empty() { Ok((settled.was, settled.is)) } else { Err(self) }
    }
}

impl EpochChanges {
    /// Takes one output in.
    pub fn add(&mut self, output: Output) {
        match output {
            Output::Total { key, takings, diff } => self.totals.entry(key).or_default().add(takings, diff),
            Output::Ranked { key, ranked, diff } => self.ranked.entry(key).or_default().add(ranked, diff),
            Output::Rated { key, stars, diff } => self.rated.entry(key).or_default().add(stars, diff),
            Output::Rows(mut rows) => self.rows.append(&mut rows),
            Output::Listed(listing) => self.listings.push(*listing),
            Output::Feedback(feedback) => self.feedback.push(*feedback),
            Output::Corrected(corrected) => self.corrected.push(*corrected),
            Output::Kept(kept) => self.kept.push(*kept),
            Output::Earlier(earlier) => self.earlier.push(*earlier),
            Output::Outcomes(partition, outcomes) => self.outcomes.entry(partition).or_default().add(&outcomes),
            Output::Progress(partition, progress) => self.progress.entry(partition).or_default().add(&progress),
            Output::Rejected(rejected) => self.rejected.push(*rejected),
        }
    }

    /// Whether nothing happened, not even that a record was read.
    pub fn is_empty(&self) -> bool {
        let EpochChanges {
            epoch: _,
            totals,
            ranked,
            rated,
            rows,
            listings,
            feedback,
            corrected,
            kept,
            earlier,
            outcomes,
            progress,
            rejected,
        } = self;
        totals.is_empty()
            && ranked.is_empty()
            && rated.is_empty()
            && rows.is_empty()
            && listings.is_empty()
            && feedback.is_empty()
            && corrected.is_empty()
            && kept.is_empty()
            && earlier.is_empty()
            && outcomes.is_empty()
            && progress.is_empty()
            && rejected.is_empty()
    }
}

/// Something of each partition. A worker meets few, and records come in runs of one partition: a look at the last
/// one and a scan beat a map.
#[derive(Clone, Debug)]
pub struct ByPartition<T> {
    each: Vec<(PartitionId, T)>,
    last: usize,
}

impl<T> Default for ByPartition<T> {
    fn default() -> Self {
        ByPartition { each: Vec::new(), last: 0 }
    }
}

impl<T: Default> ByPartition<T> {
    /// What there is of a partition.
    pub fn at(&mut self, partition: PartitionId) -> &mut T {
        if self.each.get(self.last).is_none_or(|(known, _)| *known != partition) {
            let known = self.each.iter().position(|(known, _)| *known == partition);
            self.last = known.unwrap_or_else(|| {
                self.each.push((partition, T::default()));
                self.each.len() - 1
            });
        }
        &mut self.each[self.last].1
    }

    /// Keeps what `keeps` says.
    pub fn retain(&mut self, mut keeps: impl FnMut(PartitionId, &mut T) -> bool) {
        self.each.retain_mut(|(partition, what)| keeps(*partition, what));
    }

    /// Hands over all of it.
    pub fn drain(&mut self, mut each: impl FnMut(PartitionId, T)) {
        self.each.drain(..).for_each(|(partition, what)| each(partition, what));
    }
}

impl Outcomes {
    /// Counts one record.
    pub fn count(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Applied { beyond_horizon } => {
                self.applied += 1;
                self.beyond_horizon += u64::from(*beyond_horizon);
            }
            Outcome::Duplicate { .. } => self.duplicates += 1,
            Outcome::Superseded => self.superseded += 1,
            Outcome::Corrected { .. } => self.corrections += 1,
            Outcome::Cancelled { beyond_horizon, .. } => {
                self.cancellations += 1;
                self.beyond_horizon += u64::from(*beyond_horizon);
            }
        }
    }

    /// Adds each count.
    pub fn add(&mut self, other: &Outcomes) {
        self.applied += other.applied;
        self.duplicates += other.duplicates;
        self.superseded += other.superseded;
        self.corrections += other.corrections;
        self.cancellations += other.cancellations;
        self.beyond_horizon += other.beyond_horizon;
    }
}

impl Progress {
    /// Adds the counts and keeps the greater offset, timestamp and last record.
    pub fn add(&mut self, other: &Progress) {
        self.offset = self.offset.max(other.offset);
        self.newest_timestamp = self.newest_timestamp.max(other.newest_timestamp);
        self.log_time = self.log_time.max(other.log_time);
        self.last = self.last.max(other.last);
        self.read += other.read;
        self.rejected += other.rejected;
        self.other += other.other;
        self.rounded += other.rounded;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amount::Amount;

    #[test]
    fn pieces_of_a_change_cancel_out_whatever_their_order() {
        let total = |orders| Takings { amount: Amount::from_micros(7), orders, units: 1 };
        let mut change = Change::default();
        for (takings, diff) in [(total(3), 1), (total(1), -1), (total(2), -1), (total(2), 1)] {
            change.add(takings, diff);
        }
        assert_eq!(change.was_and_is(), Ok((Some(total(1)), Some(total(3)))));
        change.add(total(4), 1);
        assert!(change.was_and_is().is_err(), "two totals at once");
    }
}
