//! Days recounted one by one against the store of a real job: whichever days are asked for, and however few orders may
//! be held, the verdict is the same.
//!
//! The log is random (`TAKINGS_SEED` repeats it): orders are repeated, corrected to other days, cancelled, revived, and
//! their versions lie in any partition, with timestamps of any order.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "the seed is for who repeats a failure")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use takings::audit::days::{Asked, recount_days};
use takings::audit::{AuditError, AuditSettings, StoredState};
use takings::config::{JobArgs, JobConfig};
use takings::job::{self, Stop};
use takings::store::{self, DayRows, DaysSeen, Outcome, ProvenDay, Recovered, StoreUrl};
use takings_dataflows::day::Day;
use takings_dataflows::view::View;

const DAYS: u32 = 9;

fn seed() -> u64 {
    let seed = std::env::var("TAKINGS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(rand::random);
    println!("TAKINGS_SEED={seed}");
    seed
}

/// Writes a log of orders in so many partitions, and one of listings.
fn write_log(folder: &Path, chance: &mut StdRng, partitions: u16) {
    std::fs::create_dir_all(folder).unwrap();
    for partition in 0..partitions {
        let (mut text, mut timestamp) = (String::new(), 1_790_000_000_000i64);
        for _ in 0..400 {
            timestamp += chance.random_range(0..20_000);
            let id = chance.random_range(0..150);
            let value = if chance.random_bool(0.15) {
                "null".to_owned()
            } else {
                let (day, amount) = (1 + chance.random_range(0..DAYS), chance.random_range(-50..500));
                let currency = ["EUR", "FCFA"].choose(chance).unwrap();
                let product = chance.random_range(0..6);
                let category =
                    ["", r#","productCategory":"Toys""#, r#","productCategory":"Books""#].choose(chance).unwrap();
                format!(
                    r#"{{"orderId":"{id}","orderDate":"2026-11-{day:02}","totalAmount":{amount},"currency":"{currency}","productName":"p{product}"{category}}}"#
                )
            };
            writeln!(text, r#"{{"key":"{id}","value":{value},"timestamp":{timestamp}}}"#).unwrap();
        }
        let name =
            if partition == 0 { "product_sold.jsonl".to_owned() } else { format!("product_sold-{partition}.jsonl") };
        std::fs::write(folder.join(name), text).unwrap();
    }
    let listings: String = (0..20)
        .map(|at| {
            let (product, category) = (chance.random_range(0..6), chance.random_range(0..3));
            format!("{{\"product_id\":\"p{product}\",\"category\":\"c{category}\",\"timestamp\":\"2026-11-01T00:00:{at:02}Z\"}}\n")
        })
        .collect();
    std::fs::write(folder.join("product_listings.jsonl"), listings).unwrap();
}

struct Counted {
    config: JobConfig,
    settings: AuditSettings,
}

impl Counted {
    /// A job that has counted a log to its end.
    fn of(folder: &Path) -> Counted {
        Counted::within(folder, None)
    }

    /// The same, with a correction window.
    fn within(folder: &Path, correction_window: Option<Duration>) -> Counted {
        let store = format!("sqlite:{}", folder.join("totals.db").display());
        let args = JobArgs::of(&folder.join("log").display().to_string(), &store);
        let args = args.with_topics(&["product_sold", "product_listings"]);
        let config = JobConfig {
            until_caught_up: true,
            views: View::ALL.to_vec(),
            correction_window,
            ..args.resolve().unwrap()
        };
        let counted = Counted { settings: AuditSettings::of(&config), config };
        counted.run_again();
        counted
    }

    /// A job on such a log that has yet to run, of a few views.
    fn on(folder: &Path, keep_orders: bool) -> Counted {
        let store = format!("sqlite:{}", folder.join("totals.db").display());
        let args = JobArgs::of(&folder.join("log").display().to_string(), &store);
        let args = args.with_topics(&["product_sold", "product_listings"]);
        let views = vec![View::Day, View::Category, View::Product];
        let config = JobConfig { until_caught_up: true, keep_orders, views, ..args.resolve().unwrap() };
        Counted { settings: AuditSettings::of(&config), config }
    }

    fn run_again(&self) {
        job::run(&self.config, &Stop::default()).unwrap();
    }

    fn recovered(&self) -> Recovered {
        store::open(&StoreUrl::parse(&self.config.store).unwrap()).unwrap().look().unwrap().1
    }

    /// The whole audit.
    fn audit(&self) -> Result<takings::audit::AuditReport, AuditError> {
        let Recovered { rows, partitions, incomplete, inconsistent, .. } = self.recovered();
        let stored = StoredState { rows, partitions, incomplete, inconsistent };
        takings::audit::run(job::open_log(&self.config).unwrap().as_ref(), stored, &self.settings, &mut |_, _| {})
    }

    fn look(&self, days: &BTreeSet<Day>) -> (DaysSeen, DayRows) {
        let mut store = store::open(&StoreUrl::parse(&self.config.store).unwrap()).unwrap();
        store.look_at_days(&mut |_| days.iter().copied().collect()).unwrap()
    }

    fn prove(&self, days: &BTreeSet<Day>, are_all: bool) -> Vec<ProvenDay> {
        let (seen, rows) = self.look(days);
        let log = job::open_log(&self.config).unwrap();
        let asked = Asked {
            settings: &self.settings,
            epoch: seen.epoch,
            partitions: &seen.partitions,
            days,
            rows: &rows,
            are_all,
        };
        recount_days(log.as_ref(), &asked, &mut |_| true).unwrap().expect("nobody stopped it")
    }

    /// Changes its store by hand: how many rows.
    fn execute(&self, sql: &str) -> usize {
        let file = self.config.store.strip_prefix("sqlite:").unwrap();
        rusqlite::Connection::open(file).unwrap().execute(sql, []).unwrap()
    }
}

fn day(day: u32) -> Day {
    Day::from_date(chrono::NaiveDate::from_ymd_opt(2026, 11, day).unwrap())
}

fn all_days() -> BTreeSet<Day> {
    (1..=DAYS).map(day).collect()
}

#[test]
fn any_days_are_proven_however_they_are_asked_for() {
    let mut chance = StdRng::seed_from_u64(seed());
    for partitions in [1, 3] {
        let folder = tempfile::tempdir().unwrap();
        write_log(&folder.path().join("log"), &mut chance, partitions);
        let mut counted = Counted::of(folder.path());
        let whole = counted.prove(&all_days(), true);
        assert!(whole.iter().all(|verdict| verdict.outcome == Outcome::Proven && verdict.rows > 0), "{whole:#?}");
        for window in [None, Some(Duration::from_secs(100 * 24 * 3600))] {
            counted.settings.correction_window = window;
            for _ in 0..6 {
                let few: BTreeSet<Day> = all_days().into_iter().filter(|_| chance.random_bool(0.4)).collect();
                let expected: Vec<_> = whole.iter().filter(|verdict| few.contains(&verdict.day)).collect();
                let found = counted.prove(&few, false);
                assert_eq!(found.len(), expected.len());
                for (found, expected) in found.iter().zip(expected) {
                    assert_eq!(
                        (found.outcome, found.orders, found.rows),
                        (Outcome::Proven, expected.orders, expected.rows),
                        "{found:#?}"
                    );
                }
            }
        }
    }
}

/// With a window it matters how a version is dated: never before an earlier one of its partition, on whatever day that
/// one counted. Without the first version of `a`, its second one is dated long before the third, and so another order's.
#[test]
fn a_version_on_another_day_dates_those_that_follow() {
    const HOUR: i64 = 3_600_000;
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    write_log(&log, &mut StdRng::seed_from_u64(1), 1);
    let records = [("a", 5, 100), ("a", 1, 0), ("a", 5, 50), ("b", 1, 100)].map(|(id, day, hours)| {
        let timestamp = 1_790_000_000_000 + hours * HOUR;
        format!(
            r#"{{"key":"{id}","value":{{"orderId":"{id}","orderDate":"2026-11-{day:02}","totalAmount":{day},"productName":"p"}},"timestamp":{timestamp}}}"#
        )
    });
    std::fs::write(log.join("product_sold.jsonl"), records.join("\n") + "\n").unwrap();
    let counted = Counted::within(folder.path(), Some(Duration::from_secs(10 * 3_600)));
    for are_all in [true, false] {
        let verdicts = counted.prove(&BTreeSet::from([day(1)]), are_all);
        assert_eq!((verdicts[0].outcome, verdicts[0].orders), (Outcome::Proven, 1), "{are_all}: {verdicts:#?}");
    }
}

#[test]
fn whatever_row_is_changed_its_day_differs_and_no_other() {
    let mut chance = StdRng::seed_from_u64(seed());
    let folder = tempfile::tempdir().unwrap();
    write_log(&folder.path().join("log"), &mut chance, 2);
    let counted = Counted::of(folder.path());
    for (table, condition) in [
        ("sales_per_category", "order_date = '2026-11-02'"),
        ("sales_per_day", "order_date = '2026-11-02'"),
        ("sales_per_payment_method", "order_date = '2026-11-02'"),
        ("sales_facts", "order_date = '2026-11-02'"),
        ("sales_per_product", "order_date = '2026-11-02'"),
        ("listed_facts", "order_date = '2026-11-02'"),
        ("top_products", "period = '2026-11-02'"),
    ] {
        let one = format!("SELECT max(units) FROM {table} WHERE {condition} AND currency = 'EUR'");
        let change = |by: &str| format!("UPDATE {table} SET units = units {by} WHERE {condition} AND currency = 'EUR'");
        if counted.execute(&change("+ 1")) == 0 {
            // By chance all sales of the day name a category.
            assert_eq!(table, "listed_facts");
            continue;
        }
        let found = counted.prove(&all_days(), false);
        for verdict in &found {
            let expected = if verdict.day == day(2) { Outcome::Differs } else { Outcome::Proven };
            assert_eq!(verdict.outcome, expected, "{one}: {verdict:#?}");
        }
        let shown = &found[1].shown[0];
        assert!(shown.what.starts_with(table) && shown.what.contains("2026-11-02"), "{shown:?}");
        assert!(shown.stored != shown.counted && found[1].differences > 0, "{shown:?}");
        counted.execute(&change("- 1"));
    }
    // Rows that are gone, and rows that should not be.
    counted.execute("DELETE FROM sales_per_day WHERE order_date = '2026-11-03'");
    counted.execute("UPDATE sales_per_day SET currency = 'XXX' WHERE order_date = '2026-11-04' AND currency = 'EUR'");
    let found: Vec<u64> = counted.prove(&all_days(), false).iter().map(|verdict| verdict.differences).collect();
    assert_eq!(found, [0, 0, 2, 2, 0, 0, 0, 0, 0]);
}

#[test]
fn a_recount_ends_when_it_is_told_to() {
    let folder = tempfile::tempdir().unwrap();
    write_log(&folder.path().join("log"), &mut StdRng::seed_from_u64(1), 2);
    let counted = Counted::of(folder.path());
    let days = all_days();
    let (seen, rows) = counted.look(&days);
    let log = job::open_log(&counted.config).unwrap();
    let (settings, partitions) = (&counted.settings, &seen.partitions);
    let asked = Asked { settings, epoch: seen.epoch, partitions, days: &days, rows: &rows, are_all: false };
    let mut told = 0;
    let mut stops = |records| {
        told += records;
        told < 600
    };
    assert!(recount_days(log.as_ref(), &asked, &mut stops).unwrap().is_none());
    assert!((600..1_200).contains(&told), "it asked after {told} records");
}

const MS_A_DAY: i64 = 86_400_000;
/// 2023-11-01T06:00Z.
const BEGIN: i64 = 1_698_818_400_000;
const A_DAY: i64 = 100;

/// The day that lies so many after the first.
fn nth(days: i64) -> Day {
    Day::from_date(chrono::DateTime::from_timestamp_millis(BEGIN + days * MS_A_DAY).unwrap().date_naive())
}

/// A quiet shop's file: a hundred orders on each of these days, written then.
fn write_days(folder: &Path, days: std::ops::Range<i64>, are_dated: bool) {
    let log = folder.join("log");
    std::fs::create_dir_all(&log).unwrap();
    let mut text = String::new();
    for (day, order) in days.flat_map(|day| (0..A_DAY).map(move |order| (day, order))) {
        let written = BEGIN + day * MS_A_DAY + order * 60_000;
        let timestamp = if are_dated { format!(r#","timestamp":{written}"#) } else { String::new() };
        let (id, date) = (format!("{day}-{order}"), nth(day));
        writeln!(
            text,
            r#"{{"key":"{id}","value":{{"orderId":"{id}","orderDate":"{date}","totalAmount":2,"productName":"p"}}{timestamp}}}"#
        )
        .unwrap();
    }
    std::fs::write(log.join("product_sold.jsonl"), text).unwrap();
    std::fs::write(log.join("product_listings.jsonl"), "").unwrap();
}

/// A shop whose log began anew: its first days are gone, and three later ones are there. Its time moves once in a thousand
/// orders, which is ten of its days.
fn began_anew(folder: &Path, are_dated: bool, keep_orders: bool) -> Counted {
    write_days(folder, 0..15, are_dated);
    let mut counted = Counted::on(folder, keep_orders);
    counted.run_again();
    write_days(folder, 20..23, are_dated);
    counted.config.resume_at = vec!["product_sold/0=0".parse().unwrap()];
    counted.run_again();
    counted.config.resume_at.clear();
    counted
}

#[test]
fn what_a_quiet_log_lost_reaches_to_its_last_record() {
    let folder = tempfile::tempdir().unwrap();
    let mut counted = began_anew(folder.path(), true, false);
    let days = (0..15).chain(20..23).map(nth).collect();
    for verdict in counted.prove(&days, true) {
        let expected = if verdict.day <= nth(14) { Outcome::NotProvable } else { Outcome::Proven };
        assert_eq!(verdict.outcome, expected, "{verdict:#?}");
    }
    // A real difference after it is one.
    counted.execute(&format!("UPDATE sales_per_day SET units = units + 1 WHERE order_date = '{}'", nth(21)));
    let found = counted.prove(&BTreeSet::from([nth(21)]), false);
    assert_eq!(found[0].outcome, Outcome::Differs, "{found:#?}");
    counted.execute(&format!("UPDATE sales_per_day SET units = units - 1 WHERE order_date = '{}'", nth(21)));

    counted.config.views.push(View::Month);
    counted.run_again();
    let incomplete = counted.recovered().incomplete;
    assert_eq!(
        incomplete.iter().map(|view| (view.view, view.complete_from)).collect::<Vec<_>>(),
        [(View::Month, nth(15))]
    );
}

#[test]
fn what_a_log_without_dates_lost_may_be_of_any_day() {
    let folder = tempfile::tempdir().unwrap();
    let counted = began_anew(folder.path(), false, true);
    for verdict in counted.prove(&(0..15).chain(20..23).map(nth).collect(), true) {
        let expected = if verdict.day <= nth(14) { Outcome::NotProvable } else { Outcome::Proven };
        assert_eq!(verdict.outcome, expected, "{verdict:#?}");
    }
    match counted.audit() {
        Err(AuditError::NotProvable(why)) => assert!(why.contains("product_sold/0 began anew"), "{why}"),
        other => panic!("{other:?}"),
    }
    counted.execute(&format!("UPDATE sales_per_day SET units = units + 1 WHERE order_date = '{}'", nth(21)));
    let found = counted.prove(&BTreeSet::from([nth(21)]), false);
    assert_eq!(found[0].outcome, Outcome::NotProvable, "no date says that it is not lost: {found:#?}");
}

/// Under a window what comes later cancels nothing; without one it does, so that a view that is filled then holds less, and
/// what differs is no fault.
#[test]
fn a_view_that_is_filled_without_the_window_of_before_counts_for_itself() {
    let folder = tempfile::tempdir().unwrap();
    write_days(folder.path(), 0..1, true);
    let line = |day: i64| {
        format!(r#"{{"key":"0-7","value":null,"timestamp":{}}}"#, BEGIN + day * MS_A_DAY + A_DAY * 60_000) + "\n"
    };
    let path = folder.path().join("log/product_sold.jsonl");
    let log = std::fs::read_to_string(&path).unwrap() + &line(3);
    std::fs::write(path, log).unwrap();
    let mut counted = Counted::on(folder.path(), false);
    counted.config.correction_window = Some(Duration::from_secs(24 * 3600));
    counted.run_again();
    counted.config.correction_window = None;
    counted.config.views.push(View::Month);
    for _ in 0..3 {
        counted.run_again();
    }
    let Recovered { rows, partitions, incomplete, .. } = counted.recovered();
    let orders = |view: View| {
        let of_view = rows.iter().filter(|(key, _)| key.view() == view);
        of_view.map(|(_, value)| value.takings().unwrap().orders).sum::<i64>()
    };
    assert_eq!((orders(View::Day), orders(View::Month)), (A_DAY, A_DAY - 1));
    assert_eq!(incomplete.iter().map(|view| view.view).collect::<Vec<_>>(), [View::Month]);
    assert_eq!(partitions.iter().map(|state| state.counters.beyond_horizon).sum::<u64>(), 1);
    let verdicts = counted.prove(&BTreeSet::from([nth(0)]), true);
    assert_eq!(verdicts[0].outcome, Outcome::NotProvable, "{verdicts:#?}");
}
