//! The audit: it agrees with the job on the same log, and notices whatever is changed behind its back.
//!
//! `by_hand` holds it against books kept by hand; in the others a real job fills a real store: `rules` from few records
//! that every rule is in, `tampered` with rows changed since, and here from a generated shop.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod by_hand;
mod memory_log;
mod rules;
mod small_shop;
mod tampered;

use std::path::Path;

use chrono::{NaiveDate, TimeDelta};
use takings::audit::{AuditError, AuditReport, AuditSettings, Rules, StoredState, run};
use takings::config::{JobArgs, JobConfig};
use takings::generate::{self, Options, ShopOptions, Topic};
use takings::job::{self, Stop};
use takings::source::Log;
use takings::store::commit::Counters;
use takings::store::{self, StoreUrl};
use takings_dataflows::row::RowValue;
use takings_dataflows::takings::Takings;
use takings_dataflows::view::{View, ViewKey};

/// A job of these topics that keeps every view, on a file log and a store in this folder.
fn config(folder: &Path, topics: &[&str]) -> JobConfig {
    let (log, store) = (folder.join("log"), format!("sqlite:{}", folder.join("totals.db").display()));
    std::fs::create_dir_all(&log).expect("a folder");
    let args = JobArgs::of(&log.display().to_string(), &store).with_topics(topics);
    JobConfig { until_caught_up: true, views: View::ALL.to_vec(), ..args.resolve().expect("sound") }
}

/// A job of orders alone, that keeps days alone.
fn settings() -> AuditSettings {
    let config = JobArgs::of("log", "sqlite:totals.db").resolve().expect("sound");
    let rules = Rules { default_currency: "EUR".to_owned(), ..Rules::of(&config) };
    AuditSettings { rules, views: vec![View::Day], ..AuditSettings::of(&config) }
}

fn audit(log: &dyn Log, stored: StoredState, settings: &AuditSettings) -> Result<AuditReport, AuditError> {
    run(log, stored, settings, &mut |_, _| {})
}

/// Runs the job to the log's end; what is then stored.
fn stored(config: &JobConfig) -> StoredState {
    job::run(config, &Stop::default()).expect("caught up");
    let url = StoreUrl::parse(&config.store).expect("a store");
    let (_, recovered) = store::open(&url).expect("a store").look().expect("written");
    assert!(recovered.to_fill.is_empty());
    StoredState {
        rows: recovered.rows,
        partitions: recovered.partitions,
        incomplete: recovered.incomplete,
        inconsistent: recovered.inconsistent,
    }
}

fn verdict(config: &JobConfig, stored: StoredState) -> AuditReport {
    let log = job::open_log(config).expect("a log");
    audit(log.as_ref(), stored, &AuditSettings::of(config)).expect("a verdict")
}

/// One of each difference shown: which, stored, counted.
fn differences(report: &AuditReport) -> Vec<String> {
    report.shown.iter().map(|found| format!("{}: {} / {}", found.what, found.stored, found.counted)).collect()
}

/// The whole shop: generated to files, read by a job, and audited.
#[test]
fn the_generator_the_job_and_the_audit_agree() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = JobConfig { workers: 2, top: 5, ..config(folder.path(), &Topic::ALL.map(Topic::name)) };
    let shop = ShopOptions {
        seed: 11,
        orders: Some(10_000),
        products: 300,
        days: 60,
        until: NaiveDate::from_ymd_opt(2026, 11, 22).and_then(|day| day.and_hms_opt(12, 0, 0)).expect("a time"),
        recorded_over: TimeDelta::hours(60),
        feedback: 0.2,
        listing_changes: 0.1,
        duplicates: 0.02,
        corrections: 0.03,
        cancellations: 0.01,
        invalid: 0.01,
        ..ShopOptions::default()
    };
    let made = generate::run(Options { partitions: 3, ..Options::new(shop, config.source.clone()) }).expect("written");
    let stored = stored(&config);
    for topic in &made.topics {
        let sum = |counter: fn(&Counters) -> u64| {
            let states = stored.partitions.iter().filter(|state| state.topic == topic.name);
            states.map(|state| counter(&state.counters)).sum::<u64>()
        };
        let counts = topic.counts;
        assert_eq!(sum(|counters| counters.read), counts.events, "{}", topic.name);
        assert_eq!(sum(|counters| counters.applied), counts.orders + counts.listings + counts.feedback);
        assert_eq!(sum(|counters| counters.duplicates), counts.duplicates, "{}", topic.name);
        assert_eq!(sum(|counters| counters.corrections), counts.corrections, "{}", topic.name);
        assert_eq!(sum(|counters| counters.cancellations), counts.cancellations, "{}", topic.name);
        assert_eq!(sum(|counters| counters.rejected), counts.invalid, "{}", topic.name);
    }
    for truth in &made.totals {
        for view in [View::Day, View::Category, View::Product] {
            let mut found = Takings::default();
            for (key, value) in &stored.rows {
                let (ViewKey::Day { currency, .. }
                | ViewKey::Category { currency, .. }
                | ViewKey::Product { currency, .. }) = key
                else {
                    continue;
                };
                let total = value.takings().filter(|_| key.view() == view && currency.text() == truth.currency);
                let Some(total) = total else { continue };
                (found.orders, found.units) = (found.orders + total.orders, found.units + total.units);
                found.amount += total.amount;
            }
            assert_eq!((found.orders as u64, found.units as u64), (truth.orders, truth.units), "{view}");
            assert_eq!(found.amount.to_string(), truth.total_sales, "{view}");
        }
    }
    let (mut ratings, mut stars_sum, mut listed) = (0, 0, 0);
    for (_, value) in &stored.rows {
        match value {
            RowValue::Stars(stars) => (ratings, stars_sum) = (ratings + stars.ratings(), stars_sum + stars.stars()),
            RowValue::Listing(_) => listed += 1,
            _ => {}
        }
    }
    assert_eq!((ratings as u64, stars_sum as u64), (made.ratings.ratings, made.ratings.stars));
    assert_eq!(listed, made.listed_products);
    let minutes = stored.rows.iter().filter(|(key, _)| key.view() == View::Minute).count();
    assert!((2_880 * 2..=2_881 * 3).contains(&minutes), "48 of the 60 hours: {minutes}");

    let report = verdict(&config, stored);
    assert!(report.is_clean() && report.notes.is_empty(), "{report}");
    assert_eq!(report.records, made.counts.events);
}
