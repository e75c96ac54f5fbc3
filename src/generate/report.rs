//! What a run of the generator sent, and what a reader of it must find.

use std::fmt;
use std::time::Duration;

use chrono::NaiveDateTime;
use serde::Serialize;

use super::event::{Kind, Topic};
use super::shop::{Shop, Total};

/// What was sent.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Where to.
    pub to: String,
    /// By topic.
    pub topics: Vec<TopicReport>,
    /// The seed: with the same options it makes the same events again.
    pub seed: u64,
    /// The newest order date, or where live orders start.
    pub until: NaiveDateTime,
    /// How many of each kind, in all topics.
    #[serde(flatten)]
    pub counts: Counts,
    /// How long it took.
    pub seconds: f64,
    /// What the orders of all topics come to, where nothing else is in them. Transactions count in the
    /// currency that a job takes where none is named.
    pub totals: Vec<CurrencyTotal>,
    /// What the feedback comes to.
    pub ratings: RatingTotal,
    /// How many products are listed.
    pub listed_products: u64,
}

/// What was sent to a topic.
#[derive(Clone, Debug, Serialize)]
pub struct TopicReport {
    /// The topic.
    pub name: String,
    /// How many of each kind.
    #[serde(flatten)]
    pub counts: Counts,
    /// What its orders come to; empty where it has none.
    pub totals: Vec<CurrencyTotal>,
}

/// The feedback that stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct RatingTotal {
    /// How many.
    pub ratings: u64,
    /// The sum of their stars.
    pub stars: u64,
}

/// Events by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// All of them.
    pub events: u64,
    /// New orders, late ones among them.
    pub orders: u64,
    /// New orders with an old date.
    pub late: u64,
    /// First listings of products.
    pub listings: u64,
    /// New feedback.
    pub feedback: u64,
    /// Exact re-sends.
    pub duplicates: u64,
    /// Orders, listings or feedback again, with other content.
    pub corrections: u64,
    /// Orders cancelled, listings and feedback withdrawn.
    pub cancellations: u64,
    /// What can not be read.
    pub invalid: u64,
}

impl Counts {
    pub(super) fn count(&mut self, kind: Kind) {
        self.events += 1;
        self.orders += u64::from(matches!(kind, Kind::Order | Kind::Late));
        self.late += u64::from(kind == Kind::Late);
        self.listings += u64::from(kind == Kind::Listing);
        self.feedback += u64::from(kind == Kind::Feedback);
        self.duplicates += u64::from(kind == Kind::Duplicate);
        self.corrections += u64::from(kind == Kind::Correction);
        self.cancellations += u64::from(kind == Kind::Cancellation);
        self.invalid += u64::from(kind == Kind::Invalid);
    }
}

/// The true total of a currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CurrencyTotal {
    /// The currency.
    pub currency: String,
    /// Orders that stand.
    pub orders: u64,
    /// Their quantities.
    pub units: u64,
    /// Their amounts, as decimal text with six places.
    pub total_sales: String,
}

/// The true totals of some topics' orders, by currency.
pub(super) fn totals(shop: &Shop, topics: &[Topic]) -> Vec<CurrencyTotal> {
    let mut sums: Vec<(&str, Total)> = Vec::new();
    for topic in topics.iter().filter(|topic| topic.has_orders()) {
        for (place, (currency, total)) in shop.totals(*topic).enumerate() {
            match sums.get_mut(place) {
                Some((_, sum)) => {
                    sum.orders += total.orders;
                    sum.units += total.units;
                    sum.amount += total.amount;
                }
                None => sums.push((currency, total)),
            }
        }
    }
    let text = |(currency, total): (&str, Total)| CurrencyTotal {
        currency: currency.to_owned(),
        orders: total.orders,
        units: total.units,
        total_sales: total.amount.to_string(),
    };
    sums.into_iter().map(text).collect()
}

impl Report {
    pub(super) fn new(
        to: String,
        topics: Vec<TopicReport>,
        seed: u64,
        until: NaiveDateTime,
        counts: Counts,
        took: Duration,
        shop: &Shop,
    ) -> Self {
        let (ratings, stars) = shop.ratings();
        Report {
            to,
            topics,
            seed,
            until,
            counts,
            seconds: took.as_secs_f64(),
            totals: totals(shop, &Topic::ALL),
            ratings: RatingTotal { ratings, stars },
            listed_products: shop.listed(),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { to, topics, seed, until, counts, seconds, totals, ratings, listed_products } = self;
        let speed = counts.events as f64 / seconds.max(1e-3);
        let names: Vec<&str> = topics.iter().map(|topic| topic.name.as_str()).collect();
        let (topic, names) = (if names.len() == 1 { "topic" } else { "topics" }, names.join(", "));
        writeln!(f, "sent {} events to {to}, {topic} {names}, in {seconds:.1} s ({speed:.0}/s)", counts.events)?;
        writeln!(f, "  seed {seed}, until {until}")?;
        for (name, count) in [
            ("orders", counts.orders),
            ("  of them late", counts.late),
            ("listings", counts.listings),
            ("feedback", counts.feedback),
            ("duplicates", counts.duplicates),
            ("corrections", counts.corrections),
            ("cancellations", counts.cancellations),
            ("invalid", counts.invalid),
        ] {
            writeln!(f, "  {name:<16} {count:>12}")?;
        }
        writeln!(f, "  {:<16} {:>12} {:>12} {:>24}", "true totals", "orders", "units", "total sales")?;
        for total in totals {
            let CurrencyTotal { currency, orders, units, total_sales } = total;
            writeln!(f, "  {currency:<16} {orders:>12} {units:>12} {total_sales:>24}")?;
        }
        if counts.feedback > 0 {
            writeln!(f, "  {:<16} {:>12}, {} stars in all", "ratings", ratings.ratings, ratings.stars)?;
        }
        if counts.listings > 0 {
            writeln!(f, "  {:<16} {listed_products:>12}", "products listed")?;
        }
        Ok(())
    }
}
