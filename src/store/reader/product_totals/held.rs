//! What products sold by months and days, held between answers: most days of a shop never change again.
//!
//! The contract is one of epochs. A sum that was read at an epoch is right at every later one at which none of its days
//! has changed since, as `changed_days` says at the same snapshot. A store that went back, that another run of the job
//! wrote, or in which a view was filled is another store: nothing that is held of the one before is of any use.
//!
//! What it can not do: grow without end. What was not asked for longest goes, with the products that nothing else has, and
//! a period that would not fit is not held at all.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{Datelike, Months, NaiveDate};
use takings_dataflows::amount::Amount;
use takings_dataflows::takings::Takings;

use super::{Seen, Sold, StoreError};
use crate::store::reader::statement::{Comparison, Condition};
use crate::store::reader::value::{Row, Value};
use crate::store::reader::{Head, SOLD};

/// How many rows are held at most, of 24 bytes each.
const MAX_ROWS: usize = 2_000_000;
/// So many products and currencies are numbered before it is looked which of them are still needed.
const MANY_PAIRS: usize = 100_000;
/// How many days of a month may have changed for the others to be worth reading one by one: from then on a change
/// costs its own day only.
const FEW_DAYS: usize = 8;

/// Every day that has a total, in order, with the last epoch that changed one of it.
pub(super) type Days = Vec<(NaiveDate, u64)>;

/// From a store's rows.
pub(super) fn days(rows: &[Row]) -> Result<Days, StoreError> {
    let read = |row: &Row| {
        let day = row[0].text().and_then(|text| text.parse().ok());
        day.map(|day| (day, row[1].count()))
            .ok_or_else(|| StoreError::Corrupt(format!("changed_days holds {row:?}, which is no day")))
    };
    rows.iter().map(read).collect()
}

/// The days of each month that has some.
fn months(days: &Days) -> impl Iterator<Item = (Span, &[(NaiveDate, u64)])> {
    let same =
        |(one, _): &(NaiveDate, u64), (next, _): &(NaiveDate, u64)| Span::month_of(*one) == Span::month_of(*next);
    days.chunk_by(same).map(|of_month| (Span::month_of(of_month[0].0), of_month))
}

/// A month, or a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Span {
    first: NaiveDate,
    last: NaiveDate,
}

impl Span {
    fn day(day: NaiveDate) -> Self {
        Span { first: day, last: day }
    }

    fn month_of(day: NaiveDate) -> Self {
        let first = day.with_day(1).unwrap_or(day);
        let last = first.checked_add_months(Months::new(1)).and_then(|next| next.pred_opt());
        Span { first, last: last.unwrap_or(first) }
    }

    /// On `order_date`.
    pub(super) fn conditions(self) -> Vec<Condition> {
        Period { from: Some(self.first), to: Some(self.last) }.conditions()
    }
}

/// Which days are asked for; all, where there is no bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Period {
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
}

impl Period {
    /// As conditions on `order_date` say; `None` where they are none that bound a period.
    pub(super) fn of(conditions: &[Condition]) -> Option<Period> {
        let mut period = Period::default();
        for condition in conditions.iter().filter(|condition| condition.columns == ["order_date"]) {
            let day: NaiveDate = condition.values.first()?.text()?.parse().ok()?;
            match condition.comparison {
                Comparison::AtLeast => period.from = period.from.max(Some(day)),
                Comparison::AtMost => period.to = Some(period.to.map_or(day, |to| to.min(day))),
                _ => return None,
            }
        }
        Some(period)
    }

    /// The same as conditions.
    pub(super) fn conditions(&self) -> Vec<Condition> {
        let bound = |day: Option<NaiveDate>, comparison| {
            let values = vec![Value::Text(day?.to_string())];
            Some(Condition { columns: &["order_date"], comparison, values })
        };
        let bounds = [bound(self.from, Comparison::AtLeast), bound(self.to, Comparison::AtMost)];
        bounds.into_iter().flatten().collect()
    }

    fn covers(&self, span: Span) -> bool {
        self.from.is_none_or(|from| from <= span.first) && self.to.is_none_or(|to| span.last <= to)
    }
}

/// What one product sold in one currency in a span, as small as most of them are.
struct Small {
    pair: u32,
    orders: u32,
    units: i32,
    amount: i64,
}

/// What one statement sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// A span, to be held.
    Span(Span),
    /// The whole period, which is not held.
    Period(Period),
}

impl Reading {
    /// On `order_date`.
    pub(super) fn conditions(&self) -> Vec<Condition> {
        match self {
            Reading::Span(span) => span.conditions(),
            Reading::Period(period) => period.conditions(),
        }
    }
}

/// What is to be read for a period's sums, at the snapshot at which that was decided.
pub(super) struct Plan {
    pub(super) readings: Vec<Reading>,
    /// Whether some of the period was never held: whoever asks next would gain if it were.
    pub(super) lacks: bool,
    /// Of which store: see [`Held::take`].
    store: u64,
}

/// The spans to read, and how many days with totals these have.
#[derive(Default)]
struct Wanted {
    spans: Vec<Span>,
    days: usize,
}

/// What was sold in a span.
struct Sums {
    /// At which epoch it was read.
    epoch: u64,
    /// When it was last asked for.
    used: u64,
    small: Box<[Small]>,
    /// Those that are not small.
    large: Vec<(u32, Takings)>,
}

/// See the module.
#[derive(Default)]
pub(in crate::store::reader) struct Held {
    /// Which run's it is; see [`StateId::run`](crate::store::reader::state_id::StateId::run).
    run: Option<Arc<str>>,
    /// How many stores were seen before this one.
    store: u64,
    /// The newest epoch of the store that was seen.
    epoch: u64,
    spans: HashMap<Span, Sums>,
    /// Products and currencies, numbered.
    pairs: Vec<(Arc<str>, Arc<str>)>,
    numbers: HashMap<(Arc<str>, Arc<str>), u32>,
    /// How many there were when it was last looked which are needed.
    needed: usize,
    rows: usize,
    asked: u64,
    /// Periods of so many days do not fit.
    too_many_days: Option<usize>,
    /// Whether someone reads what is not held yet.
    is_filling: bool,
}

impl Held {
    /// Forgets what is of another store than the one that is just seen.
    fn is_of(&mut self, head: &Head) {
        if self.run != head.run || head.epoch < self.epoch || self.epoch < head.views_since {
            let (store, is_filling) = (self.store + 1, self.is_filling);
            *self = Held { run: head.run.clone(), store, is_filling, ..Held::default() };
        }
        self.epoch = head.epoch;
    }

    /// What to read for a period at the snapshot that is just seen: what changed since it was held, or all of it at once
    /// where that is most of it.
    pub(super) fn plan(&mut self, head: &Head, period: &Period, days: &Days) -> Plan {
        self.is_of(head);
        let Wanted { spans: wanted, days: changed } = self.wanted(period, head.epoch, days);
        let fits = self.fits(days);
        let in_pieces = fits && (wanted.len() < 2 || 2 * changed <= days.len());
        let lacks = fits && !in_pieces && wanted.iter().any(|span| !self.spans.contains_key(span));
        let readings =
            if in_pieces { wanted.into_iter().map(Reading::Span).collect() } else { vec![Reading::Period(*period)] };
        Plan { readings, lacks, store: self.store }
    }

    /// Some of the spans of a period that were never held, to be read while nobody waits for them.
    pub(super) fn plan_to_hold(&mut self, head: &Head, period: &Period, days: &Days, most: usize) -> Plan {
        self.is_of(head);
        self.make_room(days.len());
        let fits = self.fits(days);
        let mut lacking = self.wanted(period, head.epoch, days).spans;
        lacking.retain(|span| fits && !self.spans.contains_key(span));
        let lacks = lacking.len() > most;
        lacking.truncate(most);
        Plan { readings: lacking.into_iter().map(Reading::Span).collect(), lacks, store: self.store }
    }

    /// Whether so many days were not found to be too many yet.
    fn fits(&self, days: &Days) -> bool {
        self.too_many_days.is_none_or(|many| days.len() < many)
    }

    /// The spans that must be read before [`sums`](Self::sums) can be given as of an epoch.
    fn wanted(&mut self, period: &Period, at: u64, days: &Days) -> Wanted {
        self.asked += 1;
        let mut wanted = Wanted::default();
        for (month, of_month) in months(days) {
            if self.is_right(month, period, at, of_month) {
                continue;
            }
            let single: Vec<Span> = of_month
                .iter()
                .map(|&(day, epoch)| (Span::day(day), epoch))
                .filter(|(day, epoch)| self.is_stale(*day, at, *epoch))
                .map(|(day, _)| day)
                .collect();
            let changed = match self.spans.get(&month) {
                Some(sums) => of_month.iter().filter(|(_, epoch)| *epoch > sums.epoch).count(),
                None => single.len(),
            };
            if period.covers(month) && changed > FEW_DAYS {
                wanted.days += of_month.len();
                wanted.spans.push(month);
            } else {
                wanted.days += single.len();
                wanted.spans.extend(single);
            }
        }
        wanted
    }

    /// Whether a month is asked for as a whole, is held, and nothing of it changed. What was read at a later epoch than
    /// this one tells nothing of it.
    fn is_right(&mut self, month: Span, period: &Period, at: u64, days: &[(NaiveDate, u64)]) -> bool {
        let asked = self.asked;
        period.covers(month)
            && self.spans.get_mut(&month).is_some_and(|sums| {
                sums.used = asked;
                sums.epoch <= at && days.iter().all(|(_, epoch)| *epoch <= sums.epoch)
            })
    }

    fn is_stale(&mut self, day: Span, at: u64, epoch: u64) -> bool {
        let asked = self.asked;
        self.spans.get_mut(&day).is_none_or(|sums| {
            sums.used = asked;
            sums.epoch > at || epoch > sums.epoch
        })
    }

    /// Whether whoever asks may begin to read what is not held yet: one at a time does.
    pub(super) fn begin(&mut self) -> bool {
        !std::mem::replace(&mut self.is_filling, true)
    }

    /// That the one who began has ended.
    pub(super) fn end(&mut self) {
        self.is_filling = false;
    }

    /// Takes what was read by plan, where the store is still the one that it was made of; of a span that someone else read
    /// later, theirs stays.
    pub(super) fn take(&mut self, plan: &Plan, seen: &Seen) {
        if self.store != plan.store {
            return;
        }
        for (reading, sold) in plan.readings.iter().zip(&seen.sums) {
            if let Reading::Span(span) = reading
                && self.spans.get(span).is_none_or(|known| known.epoch < seen.head.epoch)
            {
                self.put(*span, seen.head.epoch, sold);
            }
        }
    }

    fn put(&mut self, span: Span, epoch: u64, sold: &[Sold]) {
        self.forget_pairs();
        let mut sums = Sums { epoch, used: self.asked, small: Box::default(), large: Vec::new() };
        let mut small = Vec::with_capacity(sold.len());
        for Sold { product, currency, takings } in sold {
            let pair = self.number(product, currency);
            let Takings { amount, orders, units } = *takings;
            match (amount.micros().try_into(), orders.try_into(), units.try_into()) {
                (Ok(amount), Ok(orders), Ok(units)) => small.push(Small { pair, orders, units, amount }),
                _ => sums.large.push((pair, *takings)),
            }
        }
        sums.small = small.into_boxed_slice();
        self.rows += sold.len();
        if let Some(before) = self.spans.insert(span, sums) {
            self.rows -= before.rows();
        }
    }

    fn number(&mut self, product: &Arc<str>, currency: &Arc<str>) -> u32 {
        let pair = (product.clone(), currency.clone());
        *self.numbers.entry(pair).or_insert_with_key(|pair| {
            self.pairs.push(pair.clone());
            // Each is an entry in memory of more than a hundred bytes: there are never so many.
            u32::try_from(self.pairs.len() - 1).unwrap_or(u32::MAX)
        })
    }

    /// Numbers anew what is held, where there are twice as many numbers as were needed the last time: that costs a look at
    /// every row, and so comes seldom.
    fn forget_pairs(&mut self) {
        if self.pairs.len() < MANY_PAIRS.max(2 * self.needed) {
            return;
        }
        let known = std::mem::take(&mut self.pairs);
        self.numbers = HashMap::new();
        let mut numbers: Vec<Option<u32>> = vec![None; known.len()];
        let mut spans = std::mem::take(&mut self.spans);
        for sums in spans.values_mut() {
            let small = sums.small.iter_mut().map(|small| &mut small.pair);
            for pair in small.chain(sums.large.iter_mut().map(|(pair, _)| pair)) {
                let place = *pair as usize;
                if let (Some(number), Some((product, currency))) = (numbers.get_mut(place), known.get(place)) {
                    *pair = *number.get_or_insert_with(|| self.number(product, currency));
                }
            }
        }
        self.spans = spans;
        self.needed = self.pairs.len();
    }

    /// What was sold in a period, as it was seen by plan; `None` where someone else's plan came between.
    pub(super) fn sums(&mut self, plan: &Plan, period: &Period, at: u64, days: &Days) -> Option<Vec<Sold>> {
        if self.store != plan.store || !self.wanted(period, at, days).spans.is_empty() {
            return None;
        }
        let mut totals = vec![Takings::default(); self.pairs.len()];
        for (month, of_month) in months(days) {
            if self.is_right(month, period, at, of_month) {
                self.add(month, &mut totals);
            } else {
                of_month.iter().for_each(|(day, _)| self.add(Span::day(*day), &mut totals));
            }
        }
        self.make_room(days.len());
        let sold = totals.into_iter().zip(&self.pairs).filter(|(takings, _)| takings.is_alive());
        let sold = sold.map(|(takings, (product, currency))| Sold {
            product: product.clone(),
            currency: currency.clone(),
            takings,
        });
        Some(sold.collect())
    }

    fn add(&self, span: Span, totals: &mut [Takings]) {
        let Some(sums) = self.spans.get(&span) else {
            debug_assert!(false, "{SOLD}: {span:?} is wanted");
            return;
        };
        let small = sums.small.iter().map(|&Small { pair, orders, units, amount }| {
            let amount = Amount::from_micros(amount.into());
            (pair, Takings { amount, orders: orders.into(), units: units.into() })
        });
        for (pair, takings) in small.chain(sums.large.iter().copied()) {
            if let Some(total) = totals.get_mut(pair as usize) {
                total.amount += takings.amount;
                total.orders += takings.orders;
                total.units += takings.units;
            }
        }
    }

    /// Lets go of what was not asked for longest, until the rest fits.
    pub(super) fn make_room(&mut self, days: usize) {
        if self.rows <= MAX_ROWS {
            return;
        }
        let mut oldest: Vec<(u64, Span)> = self.spans.iter().map(|(span, sums)| (sums.used, *span)).collect();
        oldest.sort_unstable_by_key(|(used, _)| *used);
        for (used, span) in oldest {
            if self.rows <= MAX_ROWS {
                return;
            }
            if used == self.asked {
                self.too_many_days = Some(days);
            }
            self.rows -= self.spans.remove(&span).map_or(0, |sums| sums.rows());
        }
    }
}

impl Sums {
    fn rows(&self) -> usize {
        self.small.len() + self.large.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sold(product: usize, amount: i64) -> Sold {
        let takings = Takings { amount: Amount::from_micros(amount.into()), orders: 1, units: 1 };
        Sold { product: format!("product-{product}").into(), currency: "EUR".into(), takings }
    }

    fn day(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, day).unwrap()
    }

    #[test]
    fn products_that_no_span_has_any_more_are_forgotten() {
        let mut held = Held::default();
        held.put(Span::day(day(1)), 1, &[sold(MANY_PAIRS, 1), sold(7, 2), sold(8, i64::MAX)]);
        held.spans.get_mut(&Span::day(day(1))).unwrap().large.push((1, sold(7, 40).takings));
        // Products come and go: each day of these has others.
        for turn in 0..4 {
            let many: Vec<Sold> = (0..MANY_PAIRS / 2).map(|product| sold(turn * MANY_PAIRS + product, 1)).collect();
            held.put(Span::day(day(2)), turn as u64, &many);
        }
        assert!(held.pairs.len() <= 2 * MANY_PAIRS, "{} are numbered", held.pairs.len());
        assert_eq!(held.numbers.len(), held.pairs.len());
        let mut totals = vec![Takings::default(); held.pairs.len()];
        held.add(Span::day(day(1)), &mut totals);
        let mut of_the_day: Vec<(&str, i128)> = totals
            .iter()
            .zip(&held.pairs)
            .filter(|(takings, _)| takings.is_alive())
            .map(|(takings, (product, _))| (&**product, takings.amount.micros()))
            .collect();
        of_the_day.sort_unstable();
        assert_eq!(of_the_day, [("product-100000", 1), ("product-7", 42), ("product-8", i64::MAX.into())]);
    }
}
