//! What every table must hold, recounted from the records that were written, in the simplest way.
//!
//! It can not say what became of a record whose order has versions in several partitions: which of them came
//! first depends on the run. For those it says how many there are.

use std::collections::{BTreeMap, BTreeSet};

use crate::shop::{Order, Placed, Rating, Record, Said, Topic, decimal};
use crate::tables::{Rows, TABLES};

/// The currency of orders that name none.
pub const DEFAULT_CURRENCY: &str = "FCFA";
/// How many best sellers each period has: what takings does where it is not told.
const TOP: usize = 10;

/// What must be found.
pub struct Expected {
    /// Every row of every table, as text.
    pub rows: Rows,
    /// What became of each partition's records, and of how many the run decides.
    pub outcomes: BTreeMap<(&'static str, u16), Outcomes>,
    /// Records of orders that have versions in several partitions: what a row of `corrections` for one of
    /// them must say of the order as it is, its id first. Where a log began anew, several stand at one place.
    pub roaming: BTreeMap<(u16, u64), Vec<Vec<String>>>,
}

/// Counters of a partition, as in `sources`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcomes {
    pub applied: u64,
    pub duplicates: u64,
    pub corrections: u64,
    pub cancellations: u64,
    /// Records of orders that have versions in several partitions.
    pub roaming: u64,
}

#[derive(Clone, Copy, Default)]
struct Sum {
    micros: i128,
    orders: i64,
    units: i64,
}

impl Sum {
    fn add(&mut self, order: &Order) {
        self.micros += order.micros;
        self.orders += 1;
        self.units += order.units;
    }

    fn text(self) -> [String; 3] {
        [decimal(self.micros), self.orders.to_string(), self.units.to_string()]
    }
}

/// A version: its date, topic, partition, incarnation, offset. Its date is its timestamp, but never before that of an
/// earlier record of the same order in the same partition.
type Version = (i64, Topic, u16, u8, u64);

/// All versions of an order.
#[derive(Default)]
struct Versions<'a> {
    all: BTreeMap<Version, Option<&'a Order>>,
    /// The date of the last one in each partition.
    dates: BTreeMap<(Topic, u16), i64>,
    /// The oldest timestamp.
    first: Option<i64>,
}

/// What the job keeps of what it keeps only where it is told to.
#[derive(Clone, Copy, Debug)]
pub struct Keeps {
    /// Each order's newest version.
    pub orders: bool,
    /// Totals by category and payment method together.
    pub facts: bool,
}

/// Counts everything.
pub fn recount(log: &[Placed], keeps: Keeps) -> Expected {
    let mut expected = Expected { rows: Rows::new(), outcomes: BTreeMap::new(), roaming: BTreeMap::new() };
    for table in &TABLES {
        expected.rows.insert(table.name, BTreeSet::new());
    }
    let mut orders: BTreeMap<&str, Versions<'_>> = BTreeMap::new();
    let mut listings = BTreeMap::new();
    let mut ratings: BTreeMap<&str, Option<&Rating>> = BTreeMap::new();

    let mut sorted: Vec<&Placed> = log.iter().collect();
    sorted.sort_by_key(|placed| (placed.record.topic, placed.record.partition, placed.incarnation, placed.offset));
    let partition_of = |placed: &&Placed| (placed.record.topic, placed.record.partition);
    for records in sorted.chunk_by(|one, next| partition_of(one) == partition_of(next)) {
        let (topic, partition) = partition_of(&records[0]);
        let (mut rejected, mut rounded) = (0, 0);
        let outcomes = expected.outcomes.entry((topic.name(), partition)).or_default();
        for &Placed { record, incarnation, offset } in records {
            rounded += i64::from(record.rounded);
            match &record.said {
                Said::Nonsense => {
                    rejected += 1;
                    let row = rejected_row(record, *offset);
                    expected.rows.get_mut("rejected").expect("a table").insert(row);
                }
                Said::Order(id, order) => {
                    let written = record.timestamp;
                    let versions = orders.entry(id).or_default();
                    let date = versions.dates.entry((topic, partition)).or_insert(written);
                    *date = written.max(*date);
                    versions.all.insert((*date, topic, partition, *incarnation, *offset), order.as_ref());
                    versions.first = Some(versions.first.map_or(written, |first| first.min(written)));
                }
                Said::Listing(product, listing) => {
                    outcomes.count(listings.insert(product.as_str(), listing.as_ref()), listing.as_ref());
                }
                Said::Rating(id, rating) => {
                    outcomes.count(ratings.insert(id, rating.as_ref()), rating.as_ref());
                }
            }
        }
        let counted = [records.len() as i64, rejected, 0, rounded];
        let mut row = vec![topic.name().to_owned(), partition.to_string()];
        row.extend(counted.map(|number| number.to_string()));
        expected.rows.get_mut("sources").expect("a table").insert(row);
    }

    let mut sums: BTreeMap<&'static str, BTreeMap<Vec<String>, Sum>> = BTreeMap::new();
    let mut products: BTreeMap<Vec<String>, (Sum, Sum)> = BTreeMap::new();
    for (id, versions) in &orders {
        let Versions { all: versions, first, .. } = versions;
        books_of(id, versions, &mut expected);
        let (newest, stands) = versions.last_key_value().expect("an order has a version");
        let Some(order) = stands else { continue };
        if keeps.orders {
            expected.rows.get_mut("orders").expect("a table").insert(kept_row(id, order, newest));
        }
        let day = order.day.to_string();
        let month: Vec<String> = order.day.format("%Y %-m").to_string().split(' ').map(str::to_owned).collect();
        let currency = order.currency.unwrap_or(DEFAULT_CURRENCY).to_owned();
        let product = order.product.unwrap_or("unknown");
        let listed = || listings.get(product).copied().flatten().and_then(|listing| listing.category);
        let category = order.category.or_else(listed).unwrap_or("unlisted").to_owned();
        let method = order.payment_method.unwrap_or("unknown").to_owned();
        if keeps.facts {
            let fact = |of: &str| vec![day.clone(), of.to_owned(), method.clone(), currency.clone()];
            sums.entry("sales_facts").or_default().entry(fact(&category)).or_default().add(order);
            if order.category.is_none() {
                sums.entry("listed_facts").or_default().entry(fact(product)).or_default().add(order);
            }
        }
        // An order is in the minute of the first of its records.
        let first = first.expect("a version");
        for (table, key) in [
            ("sales_per_category", vec![day.clone(), category, currency.clone()]),
            ("sales_per_day", vec![day.clone(), currency.clone()]),
            ("sales_per_month", [month, vec![currency.clone()]].concat()),
            ("sales_per_payment_method", vec![day.clone(), method, currency.clone()]),
            ("orders_per_minute", vec![minute_text(first), currency.clone()]),
        ] {
            sums.entry(table).or_default().entry(key).or_default().add(order);
        }
        let (all, listed) = products.entry(vec![day, product.to_owned(), currency]).or_default();
        all.add(order);
        if order.category.is_none() {
            listed.add(order);
        }
    }
    for (table, sums) in sums {
        let rows = sums.into_iter().map(|(key, sum)| [key, sum.text().to_vec()].concat());
        expected.rows.insert(table, rows.collect());
    }
    expected.rows.insert("top_products", best_sellers(&products));
    let product_rows = products.into_iter().map(|(key, (all, listed))| {
        let listed = if listed.orders > 0 { listed.text() } else { [null(), null(), null()] };
        [key, all.text().to_vec(), listed.to_vec()].concat()
    });
    expected.rows.insert("sales_per_product", product_rows.collect());
    let listing_rows = listings.iter().filter_map(|(product, listing)| {
        let listing = (*listing)?;
        let text = |text: Option<&str>| text.map_or_else(null, str::to_owned);
        let (name, category) = (text(listing.name.as_deref()), text(listing.category));
        Some(vec![(*product).to_owned(), name, category, listing.price_micros.map_or_else(null, decimal)])
    });
    expected.rows.insert("products", listing_rows.collect());
    expected.rows.insert("ratings_per_product", rated(ratings.values().copied().flatten()));
    expected
}

/// What a missing value is as text.
pub fn null() -> String {
    "null".to_owned()
}

impl Outcomes {
    /// One record after the other, of something that stays in its partition. `before`: what was known,
    /// `Some(None)` where it had been taken back.
    fn count<T: PartialEq>(&mut self, before: Option<Option<T>>, now: Option<T>) {
        match (before, now) {
            (None, Some(_)) => self.applied += 1,
            (Some(before), now) if before == now => self.duplicates += 1,
            (Some(_), Some(_)) => self.corrections += 1,
            (_, None) => self.cancellations += 1,
        }
    }
}

/// What became of an order's records.
fn books_of(id: &str, versions: &BTreeMap<Version, Option<&Order>>, expected: &mut Expected) {
    let partitions: BTreeSet<u16> = versions.keys().map(|(_, _, partition, ..)| *partition).collect();
    let mut before: Option<Option<&Order>> = None;
    for (&(_, topic, partition, _, offset), &order) in versions {
        let outcomes = expected.outcomes.entry((topic.name(), partition)).or_default();
        if partitions.len() > 1 {
            outcomes.roaming += 1;
            let says = [vec![id.to_owned()], columns(order)].concat();
            expected.roaming.entry((partition, offset)).or_default().push(says);
            continue;
        }
        let was = before.replace(order);
        outcomes.count(was, order);
        let Some(was) = was.filter(|was| *was != order) else { continue };
        let why = if order.is_some() { "correction" } else { "cancellation" };
        let place = [topic.name(), &partition.to_string(), &offset.to_string(), id, why].map(str::to_owned);
        let row = [place.to_vec(), columns(was), columns(order)].concat();
        expected.rows.get_mut("corrections").expect("a table").insert(row);
    }
}

/// An order as `corrections` has it.
fn columns(order: Option<&Order>) -> Vec<String> {
    let Some(order) = order else { return vec![null(); 6] };
    vec![
        order.day.to_string(),
        order.category.map_or_else(null, str::to_owned),
        order.payment_method.unwrap_or("unknown").to_owned(),
        order.currency.unwrap_or(DEFAULT_CURRENCY).to_owned(),
        decimal(order.micros),
        order.units.to_string(),
    ]
}

fn kept_row(id: &str, order: &Order, &(_, topic, partition, incarnation, offset): &Version) -> Vec<String> {
    vec![
        topic.name().to_owned(),
        id.to_owned(),
        order.product.unwrap_or("unknown").to_owned(),
        order.category.map_or_else(null, str::to_owned),
        decimal(order.micros),
        order.units.to_string(),
        order.currency.unwrap_or(DEFAULT_CURRENCY).to_owned(),
        order.customer.to_string(),
        order.day.to_string(),
        order.payment_method.unwrap_or("unknown").to_owned(),
        partition.to_string(),
        incarnation.to_string(),
        offset.to_string(),
    ]
}

fn rejected_row(record: &Record, offset: u64) -> Vec<String> {
    let hex = |text: &Option<String>| match text {
        None => null(),
        Some(text) => text.bytes().map(|byte| format!("{byte:02x}")).collect(),
    };
    let place = [record.topic.name().to_owned(), record.partition.to_string(), offset.to_string()];
    [place.to_vec(), vec![hex(&record.key), hex(&record.payload)]].concat()
}

fn minute_text(millis: i64) -> String {
    let minute = chrono::DateTime::from_timestamp_millis(millis / 60_000 * 60_000).expect("a moment");
    minute.format("%Y-%m-%dT%H:%MZ").to_string()
}

fn best_sellers(products: &BTreeMap<Vec<String>, (Sum, Sum)>) -> BTreeSet<Vec<String>> {
    let mut periods: BTreeMap<(String, &str), BTreeMap<&str, Sum>> = BTreeMap::new();
    for (key, (all, _)) in products {
        let [day, product, currency] = key.as_slice() else { unreachable!("day, product, currency") };
        for period in ["all", &day[..7], day] {
            let sum = periods.entry((period.to_owned(), currency)).or_default().entry(product).or_default();
            sum.micros += all.micros;
            sum.orders += all.orders;
            sum.units += all.units;
        }
    }
    let mut rows = BTreeSet::new();
    for ((period, currency), sums) in periods {
        let mut ranked: Vec<(&str, Sum)> = sums.into_iter().collect();
        // Products come in the order of their bytes, and among equals that order stays.
        ranked.sort_by_key(|(_, sum)| -sum.micros);
        for (rank, (product, sum)) in (1..).zip(ranked).take(TOP) {
            let key = [period.clone(), currency.to_owned(), i32::to_string(&rank), product.to_owned()];
            rows.insert([key.to_vec(), sum.text().to_vec()].concat());
        }
    }
    rows
}

fn rated<'a>(ratings: impl Iterator<Item = &'a Rating>) -> BTreeSet<Vec<String>> {
    let mut counts: BTreeMap<&str, [i128; 5]> = BTreeMap::new();
    for rating in ratings {
        counts.entry(rating.product).or_default()[usize::from(rating.stars) - 1] += 1;
    }
    let row = |(product, counts): (&str, [i128; 5])| {
        let ratings: i128 = counts.iter().sum();
        let stars: i128 = counts.iter().zip(1..).map(|(count, stars)| count * stars).sum();
        let average = decimal((stars * 2_000_000 + ratings) / (2 * ratings));
        let mut row = vec![product.to_owned(), ratings.to_string(), average];
        row.extend(counts.map(|count| count.to_string()));
        row
    };
    counts.into_iter().map(row).collect()
}
