//! What stands once every version is known, and the rows of each view that follow from it.

use std::collections::{BTreeMap, HashMap};

use chrono::DateTime;
use takings_dataflows::amount::Amount;
use takings_dataflows::day::Day;
use takings_dataflows::view::View;

use super::names::{Name, Names};
use super::value::{Row, Total, Value};

/// A minute, in milliseconds.
const MINUTE: i64 = 60_000;

/// What orders are summed by: everything that a view tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Group {
    pub(super) day: Day,
    pub(super) product: Name,
    /// Its own; `None` follows the catalogue.
    pub(super) category: Option<Name>,
    pub(super) payment_method: Name,
    pub(super) currency: Name,
}

/// A product's listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Listing {
    pub(super) name: Option<Name>,
    pub(super) category: Option<Name>,
    pub(super) price: Option<Amount>,
}

/// What stands.
#[derive(Default)]
pub(super) struct Standing {
    pub(super) sales: HashMap<Group, Total>,
    /// By minute of the log, counted from 1970, and currency.
    pub(super) minutes: BTreeMap<(i64, Name), Total>,
    /// By product.
    pub(super) listings: HashMap<Name, Listing>,
    /// By product: how many of one star, of two, to five.
    pub(super) ratings: HashMap<Name, [i64; 5]>,
}

impl Standing {
    /// Adds an order, whose oldest record the log got then (in milliseconds since 1970).
    pub(super) fn sale(&mut self, group: Group, total: Total, oldest: i64) {
        self.sales.entry(group).or_default().add(total);
        // Without a timestamp it is in no minute, and neither in the first one there ever was.
        let minute = minute_of(oldest);
        if minute > 0 {
            self.minutes.entry((minute, group.currency)).or_default().add(total);
        }
    }

    /// Adds a rating.
    pub(super) fn rating(&mut self, product: Name, stars: u8) {
        let counts = self.ratings.entry(product).or_default();
        counts[usize::from(stars.clamp(1, 5)) - 1] += 1;
    }

    /// The rows of one view.
    pub(super) fn rows(&self, view: View, names: &Names, limits: &Limits<'_>) -> BTreeMap<Row, Value> {
        let text = |name: Name| names.text(name).to_owned();
        let category = |group: &Group| {
            let listed = || self.listings.get(&group.product).and_then(|listing| listing.category);
            group.category.or_else(listed).map_or("unlisted".to_owned(), text)
        };
        match view {
            View::Category => self.summed(|group| vec![group.day.to_string(), category(group), text(group.currency)]),
            View::Day => self.summed(|group| vec![group.day.to_string(), text(group.currency)]),
            View::Month => self.summed(|group| vec![month_of(group.day), text(group.currency)]),
            View::PaymentMethod => {
                self.summed(|group| vec![group.day.to_string(), text(group.payment_method), text(group.currency)])
            }
            View::Facts => self.summed(|group| {
                vec![group.day.to_string(), category(group), text(group.payment_method), text(group.currency)]
            }),
            View::ListedFacts => self.summed_of(
                |group| group.category.is_none(),
                |group| {
                    let (product, method, currency) = (group.product, group.payment_method, group.currency);
                    vec![group.day.to_string(), text(product), text(method), text(currency)]
                },
            ),
            View::Product => self.products(names, limits.views),
            View::Top => self.leaders(names, limits.top),
            View::Products => {
                let listing = |(&product, listing): (&Name, &Listing)| {
                    let Listing { name, category, price } = *listing;
                    let value = Value::Listing { name: name.map(text), category: category.map(text), price };
                    (vec![text(product)], value)
                };
                self.listings.iter().map(listing).collect()
            }
            View::Ratings => {
                self.ratings.iter().map(|(&product, counts)| (vec![text(product)], Value::Stars(*counts))).collect()
            }
            View::Minute => {
                let first = minute_of(limits.newest).saturating_sub(limits.volume_window.into());
                let kept = self.minutes.range((first, 0)..);
                kept.map(|(&(minute, currency), &total)| {
                    (vec![minute_text(minute), text(currency)], Value::Total(total))
                })
                .collect()
            }
        }
    }

    fn summed(&self, row: impl Fn(&Group) -> Row) -> BTreeMap<Row, Value> {
        self.summed_of(|_| true, row)
    }

    fn summed_of(&self, counts: impl Fn(&Group) -> bool, row: impl Fn(&Group) -> Row) -> BTreeMap<Row, Value> {
        let mut sums: BTreeMap<Row, Total> = BTreeMap::new();
        for (group, total) in self.sales.iter().filter(|(group, _)| counts(group)) {
            sums.entry(row(group)).or_default().add(*total);
        }
        sums.into_iter().map(|(row, total)| (row, Value::Total(total))).collect()
    }

    /// Where nobody asked for products, only sales that follow the catalogue are kept: categories need them.
    fn products(&self, names: &Names, views: &[View]) -> BTreeMap<Row, Value> {
        let keeps_all = views.contains(&View::Product) || views.contains(&View::Top);
        let mut sums: BTreeMap<Row, (Total, Total)> = BTreeMap::new();
        for (group, total) in &self.sales {
            if !keeps_all && group.category.is_some() {
                continue;
            }
            let row = vec![
                group.day.to_string(),
                names.text(group.product).to_owned(),
                names.text(group.currency).to_owned(),
            ];
            let (all, listed) = sums.entry(row).or_default();
            all.add(*total);
            if group.category.is_none() {
                listed.add(*total);
            }
        }
        sums.into_iter().map(|(row, (all, listed))| (row, Value::Product { all, listed })).collect()
    }

    /// The first of each period and currency: the larger total, and among equal ones the product whose text's
    /// bytes come first.
    fn leaders(&self, names: &Names, top: usize) -> BTreeMap<Row, Value> {
        let mut periods: BTreeMap<(String, Name), HashMap<Name, Total>> = BTreeMap::new();
        for (group, total) in &self.sales {
            for period in ["all".to_owned(), month_of(group.day), group.day.to_string()] {
                let products = periods.entry((period, group.currency)).or_default();
                products.entry(group.product).or_default().add(*total);
            }
        }
        let mut rows = BTreeMap::new();
        for ((period, currency), products) in periods {
            let mut ranked: Vec<(&str, Total)> =
                products.into_iter().map(|(product, total)| (names.text(product), total)).collect();
            ranked.sort_unstable_by(|(one, first), (other, second)| {
                second.amount.cmp(&first.amount).then_with(|| one.as_bytes().cmp(other.as_bytes()))
            });
            for (rank, (product, total)) in (1..).zip(ranked.into_iter().take(top)) {
                let row = vec![period.clone(), names.text(currency).to_owned(), i32::to_string(&rank)];
                rows.insert(row, Value::Ranked { product: product.to_owned(), total });
            }
        }
        rows
    }
}

/// What bounds the rows of some views.
pub(super) struct Limits<'a> {
    /// The views that are kept.
    pub(super) views: &'a [View],
    /// How many best sellers each period has.
    pub(super) top: usize,
    /// How many minutes before the newest one are kept.
    pub(super) volume_window: u32,
    /// How far the log's time has come, in milliseconds since 1970.
    pub(super) newest: i64,
}

fn minute_of(millis: i64) -> i64 {
    // As far as the store's minutes reach: the year 10136.
    (millis.max(0) / MINUTE).min(u32::MAX.into())
}

fn minute_text(minute: i64) -> String {
    let moment = DateTime::from_timestamp_millis(minute * MINUTE).unwrap_or_default();
    moment.format("%Y-%m-%dT%H:%MZ").to_string()
}

fn month_of(day: Day) -> String {
    let day = day.to_string();
    day[..day.len() - 3].to_owned()
}
