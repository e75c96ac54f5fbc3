//! Totals of products over any period, from what the service holds of the store: after every epoch, whatever it changed
//! and however, they are what a plain sum of the rows gives.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{Days, NaiveDate};
use rand::Rng;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::Value;
use support::products::Products;
use support::service::{Serving, Shop, order};
use support::stores::Fresh;
use takings_dataflows::amount::Amount;

/// How long the shop has been open: some whole months, and parts of two.
const DAYS: u64 = 100;
const STEPS: usize = 60;

fn day(after: u64) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 8, 10).unwrap() + Days::new(after)
}

/// A store that is written as its contract says, behind the job's back.
struct Written<'a> {
    store: &'a Fresh,
    epoch: u64,
    random: StdRng,
}

impl Written<'_> {
    /// The next epoch, committed so many seconds ago, in words.
    fn next(&mut self, ago: u32) -> String {
        self.epoch += 1;
        let then = match self.store.is_postgres() {
            true => format!("now() - interval '{ago} seconds'"),
            false => format!("strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-{ago} seconds')"),
        };
        format!("UPDATE job SET epoch = {}, committed_at = {then};", self.epoch)
    }

    /// Rows of a day: written anew, and some that go.
    fn sold(&mut self, day: NaiveDate) -> String {
        let mut sql = format!("DELETE FROM sales_per_product WHERE order_date = '{day}';");
        for (product, currency) in (0..6).flat_map(|product| ["EUR", "FCFA"].map(|currency| (product, currency))) {
            if self.random.random_bool(0.4) {
                continue;
            }
            // Now and then more than 64 bits of millionths, and more orders than 32.
            let large = if self.random.random_bool(0.05) { 9_300_000_000_000_i64 } else { 0 };
            let sales = large + self.random.random_range(-50..500_i64);
            let orders = self.random.random_range(1..9) + large / 1_000;
            let (column, micros) = match (self.store.is_postgres(), large) {
                (true, _) => ("", String::new()),
                (false, 0) => (", total_sales_micros", format!(", {sales}000000")),
                (false, _) => (", total_sales_micros", ", NULL".to_owned()),
            };
            sql.push_str(&format!(
                "INSERT INTO sales_per_product (order_date, product, currency, total_sales{column}, orders, units, epoch)
                 VALUES ('{day}', 'p{product}', '{currency}', '{sales}.000000'{micros}, {orders}, {orders}, {});",
                self.epoch
            ));
        }
        sql
    }

    /// Changes a day behind everyone's back, at once with what makes it right to.
    fn sell(&mut self, with: &str, day: NaiveDate) {
        let sold = self.sold(day);
        self.store.execute(&format!("BEGIN;{with};{sold}COMMIT"));
    }

    /// The next epoch, committed so many seconds ago, with what it changes: at once, since the service reads at any
    /// time.
    fn commit(&mut self, ago: u32, days: impl IntoIterator<Item = u64>) {
        let next = self.next(ago);
        let changed = self.changed(days);
        self.store.execute(&format!("BEGIN;{next}{changed}COMMIT"));
    }

    fn changed(&mut self, days: impl IntoIterator<Item = u64>) -> String {
        let mut sql = String::new();
        for after in days {
            let (day, epoch) = (day(after), self.epoch);
            sql.push_str(&self.sold(day));
            sql.push_str(&format!(
                "INSERT INTO changed_days (order_date, epoch) VALUES ('{day}', {epoch})
                 ON CONFLICT (order_date) DO UPDATE SET epoch = {epoch};"
            ));
        }
        sql
    }
}

type Sums = BTreeMap<(String, String), (Amount, i64, i64)>;

/// The plain sum of the rows.
fn summed(store: &Fresh, period: [Option<NaiveDate>; 2]) -> Sums {
    let [from, to] = period.map(|day| day.map(|day| day.to_string()));
    let mut sums = Sums::new();
    for row in store.rows(&["order_date", "product", "currency", "total_sales", "orders", "units"], "sales_per_product")
    {
        let [day, product, currency, amount, orders, units]: [String; 6] =
            row.into_iter().map(Option::unwrap).collect::<Vec<_>>().try_into().unwrap();
        if from.as_ref().is_none_or(|from| *from <= day) && to.as_ref().is_none_or(|to| day <= *to) {
            let sum = sums.entry((product, currency)).or_default();
            sum.0 += amount.parse().unwrap();
            sum.1 += orders.parse::<i64>().unwrap();
            sum.2 += units.parse::<i64>().unwrap();
        }
    }
    sums
}

/// What the service says, at this epoch.
fn shown(serving: &Serving, period: [Option<NaiveDate>; 2], epoch: u64) -> Sums {
    let (said, sums) = answered(serving, period);
    assert_eq!(said, epoch, "{period:?}");
    sums
}

/// What the service says, and of which epoch.
fn answered(serving: &Serving, period: [Option<NaiveDate>; 2]) -> (u64, Sums) {
    let [from, to] = period;
    let bound = |name: &str, day: Option<NaiveDate>| day.map_or(String::new(), |day| format!("&{name}={day}"));
    let path = format!("/api/v1/product_totals?limit=1000{}{}", bound("from", from), bound("to", to));
    let answer = serving.json(&path);
    let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    let sum = |row: &Value| {
        let amount = row["total_sales"].as_str().unwrap().parse().unwrap();
        (
            (text(row, "product"), text(row, "currency")),
            (amount, row["orders"].as_i64().unwrap(), row["units"].as_i64().unwrap()),
        )
    };
    (answer["epoch"].as_u64().unwrap(), answer["rows"].as_array().unwrap().iter().map(sum).collect())
}

fn every_epoch_is_summed_anew(store: &Fresh) {
    Shop::default().commit(store.acquired().as_mut(), &[order(0, 0, 0, 100)], 0);
    Products::in_epoch_1(store);
    let mut written = Written { store, epoch: 1, random: StdRng::seed_from_u64(11) };
    written.commit(60, 0..DAYS);
    let serving = Serving::of(&store.url);
    let check = |written: &mut Written<'_>, what: &str| {
        let mut one = || written.random.random_bool(0.7).then(|| day(written.random.random_range(0..DAYS)));
        let (one, other) = (one(), one());
        let some = if one.is_some() && other.is_some() { [one.min(other), one.max(other)] } else { [one, other] };
        let august = [Some(day(0)), NaiveDate::from_ymd_opt(2026, 8, 31)];
        for period in [[None, None], some, august, [one, one]] {
            assert_eq!(shown(&serving, period, written.epoch), summed(store, period), "{what}, {period:?}");
        }
    };
    check(&mut written, "as it was found");
    for step in 0..STEPS {
        let today = DAYS - 1;
        let early = written.random.random_range(0..DAYS);
        match step % 12 {
            // The shop of one run of the job: today, and what is corrected.
            0..4 => written.commit(0, [today]),
            4..6 => written.commit(0, [today, early]),
            6 => written.commit(60, early..DAYS),
            7 => written.commit(0, early / 2..DAYS),
            // Another run of it, a store that was put back, a view that was filled: nothing that was held is right.
            8 | 9 => {
                let run =
                    format!("INSERT INTO runs (run, epoch, switched) VALUES ('run {step}', {}, false)", written.epoch);
                written.sell(&run, day(early));
            }
            10 => {
                written.epoch -= 3;
                let next = written.next(60);
                written.sell(&next, day(early));
            }
            _ => {
                let next = written.next(60);
                written.sell(&format!("{next}UPDATE views SET since_epoch = {}", written.epoch), day(early));
            }
        }
        check(&mut written, &format!("step {step}"));
    }
}

/// Readers ask while epochs are committed, so that plans are made while others are carried out.
fn answers_overlap(store: &Fresh) {
    Shop::default().commit(store.acquired().as_mut(), &[order(0, 0, 0, 100)], 0);
    Products::in_epoch_1(store);
    let mut written = Written { store, epoch: 1, random: StdRng::seed_from_u64(12) };
    written.commit(0, 0..DAYS);
    let periods = [[None, None], [Some(day(10)), Some(day(60))], [Some(day(95)), None], [Some(day(99)); 2]];
    let serving = Serving::of(&store.url);
    let mut truth = BTreeMap::new();
    let mut note = |epoch| {
        for period in periods {
            truth.insert((epoch, period), summed(store, period));
        }
    };
    note(written.epoch);
    let is_over = AtomicBool::new(false);
    let answers: Vec<_> = std::thread::scope(|scope| {
        let ask = |at: usize| {
            let mut heard = Vec::new();
            while !is_over.load(Ordering::Acquire) {
                let period = periods[(at + heard.len()) % periods.len()];
                heard.push((period, answered(&serving, period)));
            }
            heard
        };
        let readers: Vec<_> = (0..4).map(|at| scope.spawn(move || ask(at))).collect();
        for step in 0..STEPS as u64 {
            // Mostly today and a few days before; now and then most of them.
            let some = if step % 10 == 9 { 70 } else { written.random.random_range(1..12) };
            let days: Vec<u64> = (0..some).map(|_| written.random.random_range(0..DAYS)).chain([DAYS - 1]).collect();
            written.commit(0, days);
            note(written.epoch);
        }
        is_over.store(true, Ordering::Release);
        readers.into_iter().flat_map(|reader| reader.join().expect("no answer failed")).collect()
    });
    for (period, (epoch, sums)) in &answers {
        assert_eq!(Some(sums), truth.get(&(*epoch, *period)), "{period:?} at epoch {epoch}");
    }
    let epochs: BTreeSet<u64> = answers.iter().map(|(_, (epoch, _))| *epoch).collect();
    assert!(epochs.len() > 5, "the readers saw {} epochs only, in {} answers", epochs.len(), answers.len());
}

#[test]
fn answers_that_overlap_are_each_of_their_own_epoch_in_sqlite() {
    answers_overlap(&Fresh::sqlite());
}

#[test]
fn answers_that_overlap_are_each_of_their_own_epoch_in_postgres() {
    answers_overlap(&Fresh::postgres());
}

#[test]
fn every_epoch_is_summed_anew_in_sqlite() {
    every_epoch_is_summed_anew(&Fresh::sqlite());
}

#[test]
fn every_epoch_is_summed_anew_in_postgres() {
    every_epoch_is_summed_anew(&Fresh::postgres());
}
