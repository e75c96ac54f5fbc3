//! The shapes of the API's answers, but for the rows of the [logs](super::logged).

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use super::proofs::Proofs;
use crate::store::reader::table::Column;
use crate::store::reader::value::Value;
use crate::store::reader::{self, COUNTERS};

/// Currencies without a minor unit that `iso_currency` does not know, or names otherwise.
const WITHOUT_MINOR_UNIT: [&str; 3] = ["FCFA", "XOF", "XAF"];
/// How many places an unknown currency is shown with.
const USUAL_PLACES: u16 = 2;

/// A page of rows.
#[derive(Serialize)]
pub struct Rows<R> {
    /// The epoch it was read at.
    pub epoch: u64,
    /// The rows.
    pub rows: Vec<R>,
    /// What to give as `cursor` for the next page.
    pub next_cursor: Option<String>,
}

/// A row of a view, by the names of its columns.
pub struct Named<'a, C>(pub C, pub &'a [Value]);

impl<'a, C> Serialize for Named<'a, C>
where
    C: Iterator<Item = &'static Column> + Clone,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.1.len()))?;
        for (column, value) in self.0.clone().zip(self.1) {
            map.serialize_entry(column.name, value)?;
        }
        map.end()
    }
}

/// The whole shop at a glance.
#[derive(Debug, Serialize, ToSchema)]
pub struct Summary {
    /// The epoch it was read at.
    pub epoch: u64,
    /// The totals of each currency.
    pub currencies: Vec<CurrencyTotals>,
    /// The number of orders, in all currencies.
    pub orders: u64,
    /// The sum of their quantities.
    pub units: i64,
    /// The first day with an order.
    #[schema(format = Date)]
    pub first_day: Option<String>,
    /// The last day with an order.
    #[schema(format = Date)]
    pub last_day: Option<String>,
    /// How many records corrected an order.
    pub corrections: u64,
    /// How many records cancelled an order.
    pub cancellations: u64,
    /// How many records repeated what was known.
    pub duplicates: u64,
    /// How many records could not be read.
    pub rejected: u64,
    /// How many records were read.
    pub read: u64,
}

/// The totals of one currency.
#[derive(Debug, Serialize, ToSchema)]
pub struct CurrencyTotals {
    /// The currency.
    pub currency: String,
    /// How many places its amounts are usually shown with.
    pub minor_units: u16,
    /// The sum of the orders' amounts, exact.
    #[schema(example = "12.340000")]
    pub total_sales: String,
    /// The number of orders.
    pub orders: u64,
    /// The sum of their quantities.
    pub units: i64,
}

impl From<reader::Summary> for Summary {
    fn from(summary: reader::Summary) -> Self {
        let counter = |name| counter(&summary.counters, name);
        Summary {
            epoch: summary.head.epoch,
            orders: summary.currencies.iter().map(|total| total.orders).sum(),
            units: summary.currencies.iter().map(|total| total.units).sum(),
            corrections: counter("corrections"),
            cancellations: counter("cancellations"),
            duplicates: counter("duplicates"),
            rejected: counter("rejected"),
            read: counter("read"),
            first_day: summary.first_day,
            last_day: summary.last_day,
            currencies: summary.currencies.into_iter().map(CurrencyTotals::from).collect(),
        }
    }
}

impl From<reader::CurrencyTotal> for CurrencyTotals {
    fn from(total: reader::CurrencyTotal) -> Self {
        let reader::CurrencyTotal { currency, total_sales, orders, units } = total;
        let total_sales = total_sales.to_string();
        CurrencyTotals { minor_units: minor_units(&currency), currency, total_sales, orders, units }
    }
}

/// How many places a currency's amounts are usually shown with.
pub fn minor_units(currency: &str) -> u16 {
    if WITHOUT_MINOR_UNIT.contains(&currency) {
        return 0;
    }
    iso_currency::Currency::from_code(currency).map_or(USUAL_PLACES, |known| known.exponent().unwrap_or(USUAL_PLACES))
}

fn counter(counters: &[u64], name: &str) -> u64 {
    let place = COUNTERS.iter().position(|counter| *counter == name);
    place.and_then(|place| counters.get(place)).copied().unwrap_or(0)
}

/// How fresh the totals are.
#[derive(Debug, Serialize, ToSchema)]
pub struct Freshness {
    /// The epoch it was read at.
    pub epoch: u64,
    /// When that epoch was committed.
    #[schema(format = DateTime)]
    pub committed_at: Option<String>,
    /// How many seconds ago that is.
    pub age_seconds: Option<f64>,
    /// The newest timestamp of any record, by the log's clock.
    #[schema(format = DateTime)]
    pub newest_record_at: Option<String>,
    /// The zone by whose clock the shop's days are cut (IANA name); null before the first run.
    pub time_zone: Option<String>,
    /// Whether single orders are kept, and so can be asked for.
    pub orders_kept: bool,
    /// The views that are kept.
    pub views: Vec<KeptView>,
    /// Each partition.
    pub partitions: Vec<Partition>,
    /// What is proven of the totals, and what can not be one.
    pub proofs: Proofs,
}

/// Which views are kept, and from when on each is complete.
#[derive(Debug, Serialize, ToSchema)]
pub struct Views {
    /// The epoch it was read at.
    pub epoch: u64,
    /// The zone by whose clock the shop's days are cut (IANA name); null before the first run.
    pub time_zone: Option<String>,
    /// Whether single orders are kept, and so can be asked for.
    pub orders_kept: bool,
    /// Each of them; a view that is not here is switched off.
    pub views: Vec<KeptView>,
}

/// A view that is kept.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeptView {
    /// Its name.
    pub view: &'static str,
    /// It counts what the log has held since this day: the view was switched on when earlier records were no
    /// longer there. Null: it counts all that was ever in the log.
    #[schema(format = Date)]
    pub complete_from: Option<String>,
    /// The epoch in which it was switched on.
    pub since_epoch: u64,
}

impl From<&reader::KeptView> for KeptView {
    fn from(kept: &reader::KeptView) -> Self {
        let reader::KeptView { view, complete_from, since_epoch } = kept.clone();
        KeptView { view, complete_from, since_epoch }
    }
}

impl From<&reader::KeptViews> for Views {
    fn from(kept: &reader::KeptViews) -> Self {
        let reader::Head { epoch, time_zone, orders_kept, .. } = kept.head.clone();
        Views { epoch, time_zone, orders_kept, views: kept.views.iter().map(KeptView::from).collect() }
    }
}

/// How far a partition is committed, and what became of its records: `read` is the sum of `applied`,
/// `duplicates`, `superseded`, `corrections`, `cancellations`, `rejected` and `other`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Partition {
    /// The topic.
    pub topic: String,
    /// The partition's number.
    pub partition: u64,
    /// The offset of the next record to read.
    pub offset: u64,
    /// The newest timestamp of its records, by the log's clock.
    #[schema(format = DateTime)]
    pub newest_timestamp: Option<String>,
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
    /// Records that cancelled an order.
    pub cancellations: u64,
    /// Records that could not be read.
    pub rejected: u64,
    /// Records of a kind that no kept view needs.
    pub other: u64,
    /// Of `applied` and `cancellations`: those that came too late to find the order that they may mean.
    pub beyond_horizon: u64,
    /// Records whose amount had more than six places.
    pub rounded: u64,
    /// Whether `read` is the sum that it must be.
    pub balanced: bool,
}

impl From<&reader::Freshness> for Freshness {
    fn from(freshness: &reader::Freshness) -> Self {
        let partitions: Vec<Partition> =
            freshness.partitions.iter().map(|row| Partition::from(row.as_slice())).collect();
        Freshness {
            epoch: freshness.head.epoch,
            committed_at: freshness.head.committed_at.clone(),
            // A clock that was set back must not show a negative age.
            age_seconds: freshness.head.age_ms.map(|age| age.max(0) as f64 / 1000.0),
            newest_record_at: freshness.head.newest_record_at.clone(),
            time_zone: freshness.head.time_zone.clone(),
            orders_kept: freshness.head.orders_kept,
            views: freshness.views.iter().map(KeptView::from).collect(),
            partitions,
            proofs: Proofs::from(&freshness.proofs),
        }
    }
}

impl Partition {
    /// Every outcome that a record can have, and how many had it.
    pub const fn outcomes(&self) -> [(&'static str, u64); 7] {
        [
            ("applied", self.applied),
            ("duplicates", self.duplicates),
            ("superseded", self.superseded),
            ("corrections", self.corrections),
            ("cancellations", self.cancellations),
            ("rejected", self.rejected),
            ("other", self.other),
        ]
    }
}

impl From<&[Value]> for Partition {
    fn from(row: &[Value]) -> Self {
        let count = |name| {
            let place = COUNTERS.iter().position(|counter| *counter == name);
            place.and_then(|place| row.get(4 + place)).map_or(0, Value::count)
        };
        let outcomes = ["applied", "duplicates", "superseded", "corrections", "cancellations", "rejected", "other"];
        Partition {
            balanced: count("read") == outcomes.into_iter().map(count).sum::<u64>(),
            topic: text(row, 0).unwrap_or_default(),
            partition: row[1].count(),
            offset: row[2].count(),
            newest_timestamp: text(row, 3),
            read: count("read"),
            applied: count("applied"),
            duplicates: count("duplicates"),
            superseded: count("superseded"),
            corrections: count("corrections"),
            cancellations: count("cancellations"),
            rejected: count("rejected"),
            other: count("other"),
            beyond_horizon: count("beyond_horizon"),
            rounded: count("rounded"),
        }
    }
}

fn text(row: &[Value], place: usize) -> Option<String> {
    row.get(place).and_then(Value::text).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn currencies_are_shown_with_their_own_places() {
        for (currency, places) in [("EUR", 2), ("JPY", 0), ("FCFA", 0), ("XOF", 0), ("TND", 3), ("POINTS", 2)] {
            assert_eq!(minor_units(currency), places, "{currency}");
        }
    }
}
