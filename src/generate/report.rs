//! What a run of the generator sent, and what a reader of it must find.

use std::fmt;
use std::time::Duration;

use chrono::NaiveDateTime;
use serde::Serialize;

use super::shop::{Kind, Shop};

/// What was sent.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Where to.
    pub to: String,
    /// The topic.
    pub topic: String,
    /// The seed: with the same options it makes the same events again.
    pub seed: u64,
    /// The newest order date, or where live orders start.
    pub until: NaiveDateTime,
    /// How many of each kind.
    #[serde(flatten)]
    pub counts: Counts,
    /// How long it took.
    pub seconds: f64,
    /// What the orders come to, where nothing else is in the topic.
    pub totals: Vec<CurrencyTotal>,
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
    /// Exact re-sends.
    pub duplicates: u64,
    /// Orders again, with other content.
    pub corrections: u64,
    /// Orders cancelled.
    pub cancellations: u64,
    /// What can not be read.
    pub invalid: u64,
}

impl Counts {
    pub(super) fn count(&mut self, kind: Kind) {
        self.events += 1;
        self.orders += u64::from(matches!(kind, Kind::Order | Kind::Late));
        self.late += u64::from(kind == Kind::Late);
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

impl Report {
    pub(super) fn new(
        to: String,
        topic: String,
        seed: u64,
        until: NaiveDateTime,
        counts: Counts,
        took: Duration,
        shop: &Shop,
    ) -> Self {
        let totals = shop
            .totals()
            .map(|(currency, total)| CurrencyTotal {
                currency: currency.to_owned(),
                orders: total.orders,
                units: total.units,
                total_sales: total.amount.to_string(),
            })
            .collect();
        Report { to, topic, seed, until, counts, seconds: took.as_secs_f64(), totals }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { to, topic, seed, until, counts, seconds, totals } = self;
        let speed = counts.events as f64 / seconds.max(1e-3);
        writeln!(f, "sent {} events to {to}, topic {topic}, in {seconds:.1} s ({speed:.0}/s)", counts.events)?;
        writeln!(f, "  seed {seed}, until {until}")?;
        for (name, count) in [
            ("orders", counts.orders),
            ("  of them late", counts.late),
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
        Ok(())
    }
}
