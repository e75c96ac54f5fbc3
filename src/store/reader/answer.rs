//! What is asked of a reader, and what it answers.

use std::sync::Arc;

use takings_dataflows::amount::Amount;

use super::ReadError;
use super::state_id::StateId;
use super::statement::Condition;
use super::table::Table;
use super::value::{Row, Value};
use super::views::VIEWS;

/// Which state an answer is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The last committed epoch; 0 in a new store.
    pub epoch: u64,
    /// When it was committed, by the store's clock (ISO 8601, UTC).
    pub committed_at: Option<String>,
    /// How long ago that is, in milliseconds, by the same clock.
    pub age_ms: Option<i64>,
    /// The names of the views that are kept; `None` before the first run.
    pub views: Option<Vec<String>>,
    /// The names of the views whose rows are complete, kept or not.
    pub complete: Vec<String>,
    /// Every row that left a view in an epoch after this one is known by its removal.
    pub removals_after: u64,
    /// The newest timestamp of any record, by the log's clock.
    pub newest_record_at: Option<String>,
    /// The epoch in which a view was last switched on, and filled from the log.
    pub views_since: u64,
    /// Whether single orders are kept.
    pub orders_kept: bool,
    /// The zone by whose clock days are cut (IANA name); `None` before the first run.
    pub time_zone: Option<String>,
    /// The newest run; see [`StateId::run`].
    pub run: Option<Arc<str>>,
}

impl Head {
    /// Which state it is.
    pub fn state(&self) -> StateId {
        StateId { epoch: self.epoch, run: self.run.clone() }
    }

    /// Whether the job keeps this table, and its rows are complete.
    pub fn keeps(&self, table: &Table) -> bool {
        self.check(table).is_ok()
    }

    /// That the job keeps this table, and its rows are complete. In a new store they are: there is nothing to count yet.
    ///
    /// # Errors
    /// [`ReadError::ViewOff`]; [`ReadError::ViewFilling`].
    pub fn check(&self, table: &Table) -> Result<(), ReadError> {
        let is_among = |names: &[String]| names.iter().any(|name| name == table.name);
        if !VIEWS.iter().any(|view| view.name == table.name) {
            return Ok(());
        }
        if self.views.as_deref().is_some_and(|views| !is_among(views)) {
            return Err(ReadError::ViewOff(table.name));
        }
        if self.epoch > 0 && !is_among(&self.complete) {
            return Err(ReadError::ViewFilling(table.name));
        }
        Ok(())
    }
}

/// Which page of a table.
#[derive(Clone, Debug)]
pub struct PageQuery {
    /// The table.
    pub table: &'static Table,
    /// Which rows.
    pub conditions: Vec<Condition>,
    /// Whether the greatest comes first.
    pub descending: bool,
    /// The values of the order's columns in the last row of the page before.
    pub after: Option<Vec<Value>>,
    /// At most so many rows.
    pub limit: u32,
}

/// A page of a table.
#[derive(Clone, Debug)]
pub struct Page {
    /// The state it is of.
    pub head: Head,
    /// The rows; values in the order of the table's columns.
    pub rows: Vec<Row>,
    /// The values of the order's columns in the last row, where more follow.
    pub next: Option<Vec<Value>>,
}

/// The totals of one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CurrencyTotal {
    /// The currency.
    pub currency: String,
    /// The sum of the orders' amounts.
    pub total_sales: Amount,
    /// The number of orders.
    pub orders: u64,
    /// The sum of their quantities.
    pub units: i64,
}

/// The whole shop at a glance.
#[derive(Clone, Debug)]
pub struct Summary {
    /// The state it is of.
    pub head: Head,
    /// Each currency, by name.
    pub currencies: Vec<CurrencyTotal>,
    /// The first day with an order.
    pub first_day: Option<String>,
    /// The last day with an order.
    pub last_day: Option<String>,
    /// The sums of [`COUNTERS`](super::COUNTERS) over all partitions.
    pub counters: Vec<u64>,
}

/// A view that is kept, and what it counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptView {
    /// Its name.
    pub view: &'static str,
    /// It counts what the log has held since this day; `None`: all that was ever in the log.
    pub complete_from: Option<String>,
    /// The epoch in which it was switched on.
    pub since_epoch: u64,
}

/// Which views are kept.
#[derive(Clone, Debug)]
pub struct KeptViews {
    /// The state it is of.
    pub head: Head,
    /// Each of them, in the order of the documentation.
    pub views: Vec<KeptView>,
}

/// How fresh the totals are.
#[derive(Clone, Debug)]
pub struct Freshness {
    /// The state it is of.
    pub head: Head,
    /// Which views are kept.
    pub views: Vec<KeptView>,
    /// Each partition: topic, partition, offset, newest_timestamp, then [`COUNTERS`](super::COUNTERS).
    pub partitions: Vec<Row>,
    /// What is proven.
    pub proofs: Proofs,
}

/// How many closed days are proven.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proofs {
    /// Closed days: all before the newest one.
    pub days: u64,
    /// Those whose every row is what the log says, and did not change since.
    pub proven: u64,
    /// Those that differ.
    pub differing: u64,
    /// Those that the log no longer holds whole.
    pub not_provable: u64,
    /// Rows whose total no set of records can have, now.
    pub inconsistent: u64,
    /// When the oldest proof was found.
    pub first_proven_at: Option<String>,
    /// When the newest one was.
    pub last_proven_at: Option<String>,
}

/// What the background audit found.
#[derive(Clone, Debug)]
pub struct Audit {
    /// Days, with the state that all of it is of.
    pub page: Page,
    /// All of them in numbers.
    pub proofs: Proofs,
}

/// What changed since an epoch.
#[derive(Clone, Debug)]
pub struct Changes {
    /// The state it is of.
    pub head: Head,
    /// The rows that changed, as they are now, by view.
    pub changed: Vec<(&'static Table, Vec<Row>)>,
    /// The keys of the rows that left, by view: each value in the order of the view's key.
    pub removed: Vec<(&'static Table, Vec<Row>)>,
    /// The sums of [`COUNTERS`](super::COUNTERS) over all partitions.
    pub counters: Vec<u64>,
    /// Of the products that were asked for; `None` where that is too much to send.
    pub of_products: Option<ProductDays>,
}

/// Products of which more than what changed is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Followed<'a> {
    /// Their texts.
    pub products: &'a [String],
    /// At most so many rows of theirs.
    pub limit: u32,
}

/// How some products stand on the days that changed.
///
/// *Absolute*: all rows that they have on each of these days, so that those that left need not be known.
#[derive(Clone, Debug, Default)]
pub struct ProductDays {
    /// Every day of which anything changed, of whatever product.
    pub days: Vec<String>,
    /// Rows of `sales_per_product`.
    pub rows: Vec<Row>,
}

/// What [`Reader::changes`](super::Reader::changes) finds.
#[derive(Clone, Debug)]
pub enum Since {
    /// Exactly this changed.
    Changed(Changes),
    /// It can not be told, or is too much to send: start from a snapshot.
    StartOver(Head),
}
