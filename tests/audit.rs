//! The audit: it agrees with the job on the same log, and notices whatever is changed behind its back.
//!
//! The first tests hold it against books kept by hand; the others let a real job fill a real store.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use chrono::{NaiveDate, TimeDelta};
use takings::audit::{AuditError, AuditReport, AuditSettings, Rules, StoredState, run};
use takings::config::{JobArgs, JobConfig};
use takings::generate::{self, Options, ShopOptions, Topic};
use takings::job::{self, Stop};
use takings::source::{Log, PartitionRange, Polled, Record, Source, SourceError, StartAt, Waker};
use takings::store::commit::Counters;
use takings::store::{self, IncompleteView, PartitionState, PassedOver, StoreUrl};
use takings_dataflows::amount::Amount;
use takings_dataflows::day::Day;
use takings_dataflows::order::PartitionId;
use takings_dataflows::row::RowValue;
use takings_dataflows::symbol::Symbol;
use takings_dataflows::takings::Takings;
use takings_dataflows::view::{View, ViewKey};

/// Records of one partition: timestamp, key, payload.
type Records = Vec<(i64, Option<Vec<u8>>, Option<Vec<u8>>)>;

/// A log in memory: all partitions of one topic.
#[derive(Default)]
struct MemoryLog {
    partitions: Vec<(u64, Records)>,
}

impl Log for MemoryLog {
    fn identity(&self) -> &str {
        "memory"
    }

    fn partitions(&self, _: &[String]) -> Result<Vec<PartitionRange>, SourceError> {
        Ok((0u16..)
            .zip(&self.partitions)
            .map(|(partition, (first, records))| PartitionRange {
                partition: PartitionId { topic: 0, partition },
                first: *first,
                end: first + records.len() as u64,
            })
            .collect())
    }

    fn open(&self, _: &[String], from: &[StartAt], _: Waker) -> Result<Box<dyn Source>, SourceError> {
        let parts = from.iter().map(|start| {
            let (first, records) = &self.partitions[usize::from(start.partition.partition)];
            (*start, *first, records.clone())
        });
        Ok(Box::new(MemorySource { parts: parts.collect() }))
    }
}

struct MemorySource {
    parts: Vec<(StartAt, u64, Records)>,
}

impl Source for MemorySource {
    fn poll(&mut self, max: usize, each: &mut dyn FnMut(Polled<'_>)) -> Result<usize, SourceError> {
        let mut count = 0;
        for (start, first, records) in &mut self.parts {
            while count < max
                && let Some((timestamp, key, payload)) = records.get((start.offset - *first) as usize)
            {
                each(Polled::Record(Record {
                    partition: start.partition,
                    offset: start.offset,
                    next_offset: start.offset + 1,
                    timestamp: *timestamp,
                    key: key.as_deref(),
                    payload: payload.as_deref(),
                }));
                start.offset += 1;
                count += 1;
            }
        }
        Ok(count)
    }
}

/// A job of these topics that keeps every view, on a file log and a store in this folder.
fn config(folder: &Path, topics: &[&str]) -> JobConfig {
    let (log, store) = (folder.join("log"), format!("sqlite:{}", folder.join("totals.db").display()));
    std::fs::create_dir_all(&log).expect("a folder");
    let args = JobArgs::of(&log.display().to_string(), &store).with_topics(topics);
    JobConfig { until_caught_up: true, views: View::ALL.to_vec(), ..args.resolve().expect("sound") }
}

fn settings_of(config: &JobConfig) -> AuditSettings {
    AuditSettings {
        topics: config.topics.clone(),
        rules: Rules::of(config),
        views: config.views.clone(),
        correction_window: config.correction_window,
        top: config.top.into(),
        volume_window: config.volume_window,
    }
}

/// A job of orders alone, that keeps days alone.
fn settings() -> AuditSettings {
    let config = JobArgs::of("log", "sqlite:totals.db").resolve().expect("sound");
    let rules = Rules { default_currency: "EUR".to_owned(), ..Rules::of(&config) };
    AuditSettings { rules, views: vec![View::Day], ..settings_of(&config) }
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
    audit(log.as_ref(), stored, &settings_of(config)).expect("a verdict")
}

/// One of each difference shown: which, stored, counted.
fn differences(report: &AuditReport) -> Vec<String> {
    report.shown.iter().map(|found| format!("{}: {} / {}", found.what, found.stored, found.counted)).collect()
}

fn order(id: &str, amount: &str) -> Option<Vec<u8>> {
    Some(format!(r#"{{"orderId":"{id}","orderDate":"2026-11-22","totalAmount":{amount}}}"#).into_bytes())
}

fn key(id: &str) -> Option<Vec<u8>> {
    Some(id.as_bytes().to_vec())
}

fn small() -> MemoryLog {
    let one: Records = vec![
        (1, key("a"), order("a", "1.00")),
        (2, key("b"), order("b", "2.0000001")),
        (3, key("a"), order("a", "1")),
        (4, key("a"), order("a", "3")),
        (5, key("b"), None),
        (6, key("b"), None),
        (7, key("b"), order("b", "2")),
        (8, key("x"), None),
        (9, None, Some(b"soup".to_vec())),
    ];
    MemoryLog { partitions: vec![(0, one), (0, vec![(1, None, order("c", "4"))])] }
}

/// A store that counted this many orders and this much, each partition with its end and counters.
fn by_hand(euros: i128, orders: i64, partitions: &[(u64, Counters)]) -> StoredState {
    let day = Day::from_date(NaiveDate::from_ymd_opt(2026, 11, 22).expect("a day"));
    let takings = Takings { amount: Amount::from_micros(euros * 1_000_000), orders, units: orders };
    let state = |(partition, &(offset, counters)): (u16, &(u64, Counters))| PartitionState {
        topic: "product_sold".to_owned(),
        partition,
        offset,
        newest_timestamp: 0,
        log_time: 0,
        topic_id: None,
        passed_over: PassedOver::default(),
        counters,
    };
    StoredState {
        rows: vec![(ViewKey::Day { day, currency: Symbol::new("EUR") }, RowValue::Takings(takings))],
        partitions: (0..).zip(partitions).map(state).collect(),
        ..StoredState::default()
    }
}

fn small_by_hand() -> StoredState {
    let one = Counters {
        read: 9,
        applied: 2,
        duplicates: 2,
        corrections: 2,
        cancellations: 2,
        rejected: 1,
        rounded: 1,
        ..Counters::default()
    };
    by_hand(9, 3, &[(9, one), (1, Counters { read: 1, applied: 1, ..Counters::default() })])
}

#[test]
fn counts_what_became_of_each_record() {
    let report = audit(&small(), small_by_hand(), &settings()).expect("a verdict");
    assert!(report.is_clean(), "{report}");
    assert_eq!((report.records, report.orders, report.rows, report.counters), (10, 4, 1, 18));

    let mut stored = small_by_hand();
    stored.partitions[0].counters.applied += 1;
    stored.partitions[0].counters.duplicates -= 1;
    assert_eq!(
        differences(&audit(&small(), stored, &settings()).expect("a verdict")),
        ["product_sold/0 applied: 3 / 2", "product_sold/0 duplicates: 1 / 2"]
    );
}

#[test]
fn stops_at_the_committed_offsets() {
    let mut log = small();
    log.partitions[0].1.push((10, key("late"), order("late", "5")));
    assert!(audit(&log, small_by_hand(), &settings()).expect("a verdict").is_clean());
    let nothing = audit(&log, StoredState::default(), &settings()).expect("a verdict");
    assert!(nothing.is_clean() && nothing.records == 0);
}

#[test]
fn orders_that_cross_partitions_are_told_apart_by_version() {
    let one: Records = vec![(5, key("a"), order("a", "1")), (7, key("b"), order("b", "1"))];
    let two: Records = vec![(3, key("a"), order("a", "2")), (6, key("a"), order("a", "3"))];
    let log = MemoryLog { partitions: vec![(0, one), (0, two)] };
    // This run met the newest first of partition 0, so what came after was superseded: no other run need.
    let one = Counters { read: 2, applied: 2, ..Counters::default() };
    let two = Counters { read: 2, superseded: 1, corrections: 1, ..Counters::default() };
    let report = audit(&log, by_hand(4, 2, &[(2, one), (2, two)]), &settings()).expect("a verdict");
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.notes.len(), 2, "{report}");
    assert!(report.notes[0].starts_with("product_sold/0 shares orders with other partitions"), "{report}");
}

#[test]
fn past_the_window_an_id_begins_anew() {
    let day = 86_400_000;
    let records: Records = vec![
        (0, key("a"), order("a", "1")),
        (day, key("a"), order("a", "2")),
        (3 * day + 1, key("a"), order("a", "5")),
        (4 * day, key("a"), order("a", "7")),
    ];
    let log = MemoryLog { partitions: vec![(0, records)] };
    let windowed = AuditSettings { correction_window: Some(Duration::from_secs(2 * 86_400)), ..settings() };
    let stored = by_hand(9, 2, &[(4, Counters { read: 4, applied: 2, corrections: 2, ..Counters::default() })]);
    let report = audit(&log, stored.clone(), &windowed).expect("a verdict");
    assert!(report.is_clean(), "{report}");
    assert!(!audit(&log, stored, &settings()).expect("a verdict").is_clean());
}

#[test]
fn what_the_log_lost_can_not_be_proven() {
    let mut log = small();
    let stored = small_by_hand();
    log.partitions[0].0 = 2;
    log.partitions[0].1.drain(..2);
    let error = audit(&log, stored.clone(), &settings()).expect_err("lost").to_string();
    assert!(
        error.starts_with("not provable: the log lost its first records (product_sold/0 starts at offset 2)"),
        "{error}"
    );

    // A store that never saw them is as complete as the log.
    let one = Counters {
        read: 7,
        applied: 1,
        duplicates: 1,
        corrections: 2,
        cancellations: 2,
        rejected: 1,
        ..Counters::default()
    };
    let fresh = by_hand(9, 3, &[(9, one), (1, Counters { read: 1, applied: 1, ..Counters::default() })]);
    let (view, ViewKey::Day { day, .. }) = (View::Day, fresh.rows[0].0) else { panic!("{fresh:?}") };
    let filled = StoredState { incomplete: vec![IncompleteView { view, complete_from: day, since_epoch: 1 }], ..fresh };
    let report = audit(&log, filled, &settings()).expect("a verdict");
    assert!(report.is_clean(), "{report}");
    assert!(report.notes[0].starts_with("sales_per_day is complete from 2026-11-22 on"), "{report}");
    assert!(report.notes[1].contains("proves the totals from there on"), "{report}");

    let mut short = small();
    short.partitions[0].1.pop();
    let error = audit(&short, stored.clone(), &settings()).expect_err("short").to_string();
    assert!(error.contains("product_sold/0 ends at offset 8, and it was counted up to 9"), "{error}");

    let mut other = stored;
    other.partitions[0].topic = "returns".to_owned();
    let error = audit(&small(), other, &settings()).expect_err("unknown").to_string();
    assert_eq!(error, "the store counted topic returns, which is not among --topics; add it");
}

/// What each of a shop's rules makes of few records, in all four topics. Timestamps are minutes from here.
const START: i64 = 1_795_000_000_000 / 60_000;

fn write(folder: &Path, file: &str, records: &[(i64, &str, &str)]) {
    let mut lines = Vec::new();
    for (minute, key, value) in records {
        let timestamp = (START + minute) * 60_000 + 7;
        writeln!(lines, "{{\"key\":{key},\"timestamp\":{timestamp},\"value\":{value}}}").expect("in memory");
    }
    std::fs::write(folder.join("log").join(file), lines).expect("written");
}

fn small_shop(folder: &Path) -> JobConfig {
    let config = config(folder, &Topic::ALL.map(Topic::name));
    let sold = |id: &str, name: &str, category: &str, amount: &str| {
        format!(
            r#"{{"orderId":"{id}","orderDate":"2026-11-21","productName":"{name}","productCategory":"{category}","currency":"EUR","totalAmount":{amount}}}"#
        )
    };
    let paid = |id: u8, product: u16, amount: &str| {
        format!(
            r#"{{"transaction_id":{id},"user_id":1,"product_id":{product},"amount":{amount},"timestamp":"2026-11-22T10:00:00"}}"#
        )
    };
    let listed = |product: u16, category: &str, price: &str| {
        format!(r#"{{"product_id":{product},"name":"Thing {product}","category":{category},"price":{price}}}"#)
    };
    let rated = |id: &str, product: u16, rating: &str| {
        format!(r#"{{"feedback_id":"{id}","product_id":{product},"user_id":2,"rating":{rating},"comment":"ok"}}"#)
    };
    write(
        folder,
        "product_sold-0.jsonl",
        &[
            // Long before the others: but so few records do not tell what the log's time is.
            (0, "\"o1\"", &sold("o1", "Lamp", "Home", "5")),
            (3_000, "\"o2\"", &sold("o2", "Chair", "", "7.5")),
            // It counts in the minute of its first record, with its last amount.
            (3_100, "\"o3\"", &sold("o3", "Lamp", "Home", "1")),
            (3_101, "\"o3\"", &sold("o3", "Lamp", "Home", "2.5")),
        ],
    );
    write(
        folder,
        "transactions-0.jsonl",
        &[
            (3_000, "null", &paid(1, 1001, "10.00")),
            (3_001, "null", &paid(2, 1002, "10")),
            (3_002, "null", &paid(3, 1003, "9.999999999999999")),
            (3_003, "null", &paid(4, 1001, "1")),
            (3_004, "4", "null"),
            (3_005, "null", &paid(5, 1001, "\"soon\"")),
            (3_006, "null", &paid(6, 1004, "3")),
        ],
    );
    write(
        folder,
        "product_listings-0.jsonl",
        &[
            (10, "null", &listed(1001, "\"Toys\"", "10")),
            (11, "null", &listed(1002, "\"Toys\"", "10")),
            (12, "null", &listed(1003, "null", "10")),
            (13, "null", &listed(1001, "\"Books\"", "10.5")),
            (14, "null", &listed(1001, "\"Books\"", "10.5")),
            (15, "1002", "null"),
        ],
    );
    write(
        folder,
        "feedback-0.jsonl",
        &[
            (10, "null", &rated("f1", 1001, "5")),
            (11, "null", &rated("f2", 1001, "4")),
            (12, "null", &rated("f1", 1001, "1")),
            (13, "null", &rated("f3", 1002, "3")),
            (14, "\"f3\"", "null"),
            (15, "null", &rated("f4", 1009, "6")),
            (16, "null", &rated("f5", 1009, "2")),
        ],
    );
    config
}

/// Every row as text, sorted.
fn rows(stored: &StoredState, view: View) -> Vec<String> {
    let mut rows: Vec<String> = stored
        .rows
        .iter()
        .filter(|(key, _)| key.view() == view)
        .map(|(key, value)| match value {
            RowValue::Ranked(ranked) => format!("{key} {} {}", ranked.product, ranked.takings.amount),
            RowValue::Listing(listing) => format!("{key} {:?}", listing.category.map(Symbol::text)),
            RowValue::Stars(stars) => format!("{key} {:?}", stars.0),
            value => format!("{key} {}", value.takings().expect("a total").amount),
        })
        .collect();
    rows.sort();
    rows
}

/// Job and audit are two readings of the same rules; this holds both to what the rules say.
#[test]
fn every_view_is_what_its_rules_say() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = small_shop(folder.path());
    let stored = stored(&config);
    assert_eq!(
        rows(&stored, View::Category),
        [
            "sales_per_category (2026-11-21, Home, EUR) 7.500000",
            "sales_per_category (2026-11-21, unlisted, EUR) 7.500000",
            "sales_per_category (2026-11-22, Books, USD) 10.000000",
            "sales_per_category (2026-11-22, unlisted, USD) 23.000000",
        ]
    );
    assert_eq!(
        rows(&stored, View::Facts),
        [
            "sales_facts (2026-11-21, Home, unknown, EUR) 7.500000",
            "sales_facts (2026-11-21, unlisted, unknown, EUR) 7.500000",
            "sales_facts (2026-11-22, Books, unknown, USD) 10.000000",
            "sales_facts (2026-11-22, unlisted, unknown, USD) 23.000000",
        ]
    );
    assert_eq!(
        rows(&stored, View::ListedFacts),
        [
            "listed_facts (2026-11-21, Chair, unknown, EUR) 7.500000",
            "listed_facts (2026-11-22, 1001, unknown, USD) 10.000000",
            "listed_facts (2026-11-22, 1002, unknown, USD) 10.000000",
            "listed_facts (2026-11-22, 1003, unknown, USD) 10.000000",
            "listed_facts (2026-11-22, 1004, unknown, USD) 3.000000",
        ]
    );
    assert_eq!(
        rows(&stored, View::Top)[..7],
        [
            "top_products (2026-11, EUR, 1) Chair 7.500000",
            "top_products (2026-11, EUR, 2) Lamp 7.500000",
            "top_products (2026-11, USD, 1) 1001 10.000000",
            "top_products (2026-11, USD, 2) 1002 10.000000",
            "top_products (2026-11, USD, 3) 1003 10.000000",
            "top_products (2026-11, USD, 4) 1004 3.000000",
            "top_products (2026-11-21, EUR, 1) Chair 7.500000",
        ]
    );
    assert_eq!(rows(&stored, View::Products), ["products (1001) Some(\"Books\")", "products (1003) None"]);
    assert_eq!(
        rows(&stored, View::Ratings),
        ["ratings_per_product (1001) [1, 0, 0, 1, 0]", "ratings_per_product (1009) [0, 1, 0, 0, 0]"]
    );
    assert_eq!(rows(&stored, View::Minute).len(), 7, "{:?}", rows(&stored, View::Minute));
    assert!(rows(&stored, View::Minute)[6].ends_with("EUR) 2.500000"), "{:?}", rows(&stored, View::Minute));
    let report = verdict(&config, stored);
    assert!(report.is_clean() && report.notes.is_empty(), "{report}");
    assert_eq!((report.records, report.orders, report.products, report.feedback), (24, 8, 3, 4));
}

type Rows = Vec<(ViewKey, RowValue)>;

/// A change of a view's first stored row, and what the difference must say.
type Tampering = (View, fn(&mut Rows, usize), &'static str);

fn one_more_order(rows: &mut Rows, at: usize) {
    match &mut rows[at].1 {
        RowValue::Takings(takings) => takings.orders += 1,
        RowValue::Product(product) => product.all.orders += 1,
        RowValue::Ranked(ranked) => ranked.takings.orders += 1,
        value => panic!("{value:?} has no orders"),
    }
}

fn gone(rows: &mut Rows, at: usize) {
    rows.remove(at);
}

#[test]
fn each_kind_of_row_that_is_changed_by_hand_is_found_and_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = small_shop(folder.path());
    let sound = stored(&config);
    let mut tamperings: Vec<Tampering> = Vec::new();
    for view in View::TABLES {
        tamperings.push((view, gone, "stored nothing, counted "));
        if ![View::Products, View::Ratings].contains(&view) {
            tamperings.push((view, one_more_order, " orders, "));
        }
    }
    tamperings.extend::<[Tampering; 7]>([
        (
            View::Ratings,
            |rows, at| {
                if let RowValue::Stars(stars) = &mut rows[at].1 {
                    stars.0[2] += 1
                }
            },
            " 1 threes, ",
        ),
        (
            View::Products,
            |rows, at| {
                if let RowValue::Listing(listing) = &mut rows[at].1 {
                    listing.category = Some(Symbol::new("Garden"));
                }
            },
            "category \"Garden\"",
        ),
        (
            View::Products,
            |rows, at| {
                if let RowValue::Listing(listing) = &mut rows[at].1 {
                    listing.price = Some(Amount::from_micros(1));
                }
            },
            "price 0.000001",
        ),
        (
            View::Product,
            |rows, at| {
                if let RowValue::Product(product) = &mut rows[at].1 {
                    product.listed.units += 1;
                }
            },
            "of those that follow the catalogue",
        ),
        (
            View::Top,
            |rows, at| {
                if let RowValue::Ranked(ranked) = &mut rows[at].1 {
                    ranked.product = Symbol::new("Kettle");
                }
            },
            "Kettle with",
        ),
        (
            View::Minute,
            |rows, at| {
                // A minute that should have gone.
                let (mut key, value) = rows[at];
                if let ViewKey::Minute { minute, .. } = &mut key {
                    *minute = minute.before(3_200);
                }
                rows.push((key, value));
            },
            "counted nothing",
        ),
        (
            View::Category,
            |rows, at| {
                let (mut key, value) = rows[at];
                if let ViewKey::Category { currency, .. } = &mut key {
                    *currency = Symbol::new("CHF");
                }
                rows.push((key, value));
            },
            "CHF): stored ",
        ),
    ]);
    for (view, change, found) in tamperings {
        let mut stored = sound.clone();
        let at = stored.rows.iter().position(|(key, _)| key.view() == view).expect("a row");
        change(&mut stored.rows, at);
        let report = verdict(&config, stored);
        assert_eq!(report.differences, 1, "{view} {found}: {report}");
        let printed = report.to_string();
        assert!(printed.contains(found) && report.shown[0].what.starts_with(view.name()), "{found}: {printed}");
    }
}

#[test]
fn counters_of_listings_and_feedback_are_recounted() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = small_shop(folder.path());
    let sound = stored(&config);
    let counters = |topic: &str| {
        let state = sound.partitions.iter().find(|state| state.topic == topic).expect("read");
        let Counters { read, applied, duplicates, corrections, cancellations, rejected, .. } = state.counters;
        [read, applied, duplicates, corrections, cancellations, rejected]
    };
    assert_eq!(counters("product_listings"), [6, 3, 1, 1, 1, 0]);
    assert_eq!(counters("feedback"), [7, 4, 0, 1, 1, 1]);
    for topic in ["product_listings", "feedback"] {
        let mut stored = sound.clone();
        let state = stored.partitions.iter_mut().find(|state| state.topic == topic).expect("read");
        (state.counters.applied, state.counters.corrections) = (2, 99);
        let report = verdict(&config, stored);
        assert_eq!(report.differences, 2, "{report}");
        assert!(report.shown.iter().all(|found| found.what.starts_with(&format!("{topic}/0 "))), "{report}");
    }
}

/// Categories alone need the catalogue, and the sales that follow it; feedback is passed over. Switched on
/// later, ratings are filled from the log.
#[test]
fn views_that_are_off_are_neither_missed_nor_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    let whole = small_shop(folder.path());
    let some = JobConfig { views: vec![View::Category], ..whole.clone() };
    let counted = stored(&some);
    assert!(counted.rows.iter().all(|(key, _)| ![View::Day, View::Ratings].contains(&key.view())));
    let report = verdict(&some, counted);
    assert!(report.is_clean() && report.notes.is_empty(), "{report}");

    let report = verdict(&whole, stored(&whole));
    assert!(report.is_clean(), "{report}");
    assert!(report.notes[0].contains("feedback/0 was read in part while no view needed it"), "{report}");
}

/// The whole shop: generated to files, read by a job, and audited.
#[test]
fn the_generator_the_job_and_the_audit_agree() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = JobConfig { workers: 2, top: 5, ..config(folder.path(), &Topic::ALL.map(Topic::name)) };
    let made = generate::run(Options {
        shop: ShopOptions {
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
        },
        to: config.source.clone(),
        topic: "product_sold".to_owned(),
        partitions: 3,
        append: false,
        kafka_options: Vec::new(),
        report: None,
        progress: false,
        stop: Arc::new(AtomicBool::new(false)),
    })
    .expect("written");
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
