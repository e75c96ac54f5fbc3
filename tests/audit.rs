//! The audit: it agrees with the upsert on the same log, and notices whatever is changed behind its back.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use chrono::NaiveDate;
use chrono_tz::Tz;
use takings::audit::{AuditError, AuditReport, AuditSettings, Rules, StoredState, run};
use takings::formats::{Decode, Decoded, Decoder, DecoderSettings};
use takings::generate::{self, Options, ShopOptions};
use takings::source::files::FileLog;
use takings::source::{Log, PartitionRange, Polled, Record, Source, SourceError, StartAt, Waker};
use takings::store::PartitionState;
use takings_dataflows::order::{Content, PartitionId};
use takings_dataflows::takings::Takings;
use takings_dataflows::upsert::{Horizon, Orders, Outcome};
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
                start.newest_timestamp = start.newest_timestamp.max(*timestamp);
                each(Polled::Record(Record {
                    partition: start.partition,
                    offset: start.offset,
                    next_offset: start.offset + 1,
                    timestamp: start.newest_timestamp,
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

fn topics() -> Vec<String> {
    vec!["product_sold".to_owned()]
}

fn settings() -> AuditSettings {
    AuditSettings {
        topics: topics(),
        rules: Rules { time_zone: Tz::UTC, default_currency: "EUR".to_owned(), payload_limit: 1 << 20 },
        views: View::ALL.to_vec(),
        correction_window: None,
    }
}

/// What a job would have stored: the real decoder and the real upsert, fed in arrival order.
fn count(log: &dyn Log, window: Option<i64>) -> StoredState {
    let mut decoder = Decoder::new(DecoderSettings {
        topics: topics(),
        time_zone: Tz::UTC,
        default_currency: "EUR".to_owned(),
        keep_orders: false,
        payload_limit: 1 << 20,
    });
    let mut orders = Orders::new(Horizon { window, complete_from: None });
    let mut states: BTreeMap<PartitionId, PartitionState> = BTreeMap::new();
    let mut totals: BTreeMap<ViewKey, Takings> = BTreeMap::new();
    let ranges = log.partitions(&topics()).expect("there");
    for range in ranges {
        let partition = range.partition;
        let state = states.entry(partition).or_default();
        (state.topic, state.partition) = (topics()[0].clone(), partition.partition);
        let (sender, woken) = mpsc::sync_channel(1);
        let start = StartAt { partition, offset: range.first, newest_timestamp: 0 };
        let waker: Waker = Arc::new(move || sender.try_send(()).unwrap_or_default());
        let mut source = log.open(&topics(), &[start], waker).expect("opened");
        while state.offset < range.end {
            let polled = source.poll(1_000, &mut |polled| {
                let Polled::Record(record) = polled else { return };
                state.offset = record.next_offset;
                state.counters.read += 1;
                let event = match decoder.decode(&record) {
                    Decoded::Rejected(_) => return state.counters.rejected += 1,
                    Decoded::Order { event, rounded } => {
                        state.counters.rounded += u64::from(rounded);
                        event
                    }
                };
                let now = match event.content {
                    Content::Order { contribution, .. } => Some(contribution),
                    Content::Tombstone => None,
                };
                let outcome = orders.apply(&event);
                let in_full = |was: Option<_>| was.map(|was| orders.facts().contribution(was));
                let (was, now) = match outcome {
                    Outcome::Applied { .. } => {
                        state.counters.applied += 1;
                        (None, now)
                    }
                    Outcome::Duplicate { .. } => return state.counters.duplicates += 1,
                    Outcome::Superseded => return state.counters.superseded += 1,
                    Outcome::Corrected { was } => {
                        state.counters.corrections += 1;
                        (in_full(was), now)
                    }
                    Outcome::Cancelled { was } => {
                        state.counters.cancellations += 1;
                        (in_full(was), None)
                    }
                };
                for view in View::ALL {
                    for (contribution, sign) in [(was, -1), (now, 1)] {
                        let Some(contribution) = contribution else { continue };
                        let row = totals.entry(ViewKey::of(view, &contribution.fact)).or_default();
                        let takings = contribution.takings();
                        row.amount += takings.amount.times(sign);
                        row.orders += takings.orders * sign;
                        row.units += takings.units * sign;
                    }
                }
            });
            if polled.expect("read") == 0 {
                woken.recv_timeout(Duration::from_secs(10)).expect("woken");
            }
        }
    }
    totals.retain(|_, total| total.is_alive());
    StoredState { totals: totals.into_iter().collect(), partitions: states.into_values().collect() }
}

fn audit(log: &dyn Log, stored: StoredState, settings: &AuditSettings) -> Result<AuditReport, AuditError> {
    run(log, stored, settings, &mut |_, _| {})
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

#[test]
fn counts_what_became_of_each_record() {
    let log = small();
    let stored = count(&log, None);
    let counters = stored.partitions[0].counters;
    assert_eq!((counters.read, counters.applied, counters.duplicates, counters.corrections), (9, 2, 2, 2));
    assert_eq!((counters.cancellations, counters.rejected, counters.rounded), (2, 1, 1));
    let report = audit(&log, stored, &settings()).expect("a verdict");
    assert!(report.is_clean(), "{report}");
    assert_eq!((report.records, report.orders, report.rows, report.counters), (10, 4, 4, 18));
}

#[test]
fn notices_each_total_and_counter_that_differs() {
    let log = small();
    let differences = |change: &dyn Fn(&mut StoredState)| {
        let mut stored = count(&log, None);
        change(&mut stored);
        let report = audit(&log, stored, &settings()).expect("a verdict");
        report
            .shown
            .iter()
            .map(|found| format!("{}: {} / {}", found.what, found.stored, found.counted))
            .collect::<Vec<_>>()
    };
    let place =
        |stored: &StoredState, view| stored.totals.iter().position(|(key, _)| key.view() == view).expect("a row");
    assert_eq!(
        differences(&|stored| {
            let at = place(stored, View::Day);
            stored.totals[at].1.amount += takings_dataflows::amount::Amount::from_micros(1);
        }),
        ["sales_per_day (2026-11-22, EUR): 9.000001 of 3 orders, 3 units / 9.000000 of 3 orders, 3 units"]
    );
    assert_eq!(
        differences(&|stored| stored.totals.retain(|(key, _)| key.view() != View::Month)),
        ["sales_per_month (2026-11, EUR): nothing / 9.000000 of 3 orders, 3 units"]
    );
    assert_eq!(
        differences(&|stored| {
            let (mut key, total) = stored.totals[place(stored, View::Category)];
            if let ViewKey::Category { currency, .. } = &mut key {
                *currency = takings_dataflows::symbol::Symbol::new("USD");
            }
            stored.totals.push((key, total));
        }),
        ["sales_per_category (2026-11-22, unlisted, USD): 9.000000 of 3 orders, 3 units / nothing"]
    );
    assert_eq!(
        differences(&|stored| {
            stored.partitions[0].counters.applied += 1;
            stored.partitions[0].counters.duplicates -= 1;
        }),
        ["product_sold/0 applied: 3 / 2", "product_sold/0 duplicates: 1 / 2"]
    );
}

#[test]
fn stops_at_the_committed_offsets() {
    let mut log = small();
    let stored = count(&log, None);
    log.partitions[0].1.push((10, key("late"), order("late", "5")));
    assert!(audit(&log, stored, &settings()).expect("a verdict").is_clean());
    let nothing = audit(&log, StoredState::default(), &settings()).expect("a verdict");
    assert!(nothing.is_clean() && nothing.records == 0);
}

#[test]
fn orders_that_cross_partitions_are_told_apart_by_version() {
    let one: Records = vec![(5, key("a"), order("a", "1")), (7, key("b"), order("b", "1"))];
    let two: Records = vec![(3, key("a"), order("a", "2")), (6, key("a"), order("a", "3"))];
    let log = MemoryLog { partitions: vec![(0, one), (0, two)] };
    let stored = count(&log, None);
    // The run met the newest first of partition 0, so what came after was superseded: no other run need.
    assert_eq!(stored.partitions[1].counters.superseded, 1);
    let report = audit(&log, stored, &settings()).expect("a verdict");
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
        (3 * day + 1, key("a"), order("a", "2")),
        (4 * day, key("a"), None),
    ];
    let log = MemoryLog { partitions: vec![(0, records)] };
    let windowed = AuditSettings { correction_window: Some(Duration::from_secs(2 * 86_400)), ..settings() };
    let stored = count(&log, Some(2 * day));
    assert_eq!(stored.partitions[0].counters.applied, 2);
    let report = audit(&log, stored.clone(), &windowed).expect("a verdict");
    assert!(report.is_clean(), "{report}");
    assert!(!audit(&log, stored, &settings()).expect("a verdict").is_clean());
}

#[test]
fn what_the_log_lost_can_not_be_proven() {
    let mut log = small();
    let stored = count(&log, None);
    log.partitions[0].0 = 2;
    log.partitions[0].1.drain(..2);
    let error = audit(&log, stored.clone(), &settings()).expect_err("lost").to_string();
    assert!(
        error.starts_with("not provable: the log lost its first records (product_sold/0 starts at offset 2)"),
        "{error}"
    );

    // A store that never saw them is as complete as the log.
    let fresh = count(&log, None);
    assert!(audit(&log, fresh, &settings()).expect("a verdict").is_clean());

    let mut short = small();
    short.partitions[0].1.pop();
    let error = audit(&short, stored.clone(), &settings()).expect_err("short").to_string();
    assert!(error.contains("product_sold/0 ends at offset 8, and it was counted up to 9"), "{error}");

    let mut other = stored;
    other.partitions[0].topic = "returns".to_owned();
    let error = audit(&small(), other, &settings()).expect_err("unknown").to_string();
    assert_eq!(error, "the store counted topic returns, which is not among --topics; add it");
}

/// The whole feed: generated to files, read by the file log, decoded and upserted, and audited.
#[test]
fn the_generator_the_upsert_and_the_audit_agree() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = generate::run(Options {
        shop: ShopOptions {
            seed: 11,
            orders: Some(10_000),
            products: 300,
            days: 60,
            until: NaiveDate::from_ymd_opt(2026, 11, 22).and_then(|day| day.and_hms_opt(12, 0, 0)).expect("a time"),
            live: None,
            duplicates: 0.02,
            corrections: 0.03,
            cancellations: 0.01,
            invalid: 0.01,
            late: 0.05,
        },
        to: folder.path().display().to_string(),
        topic: topics()[0].clone(),
        partitions: 3,
        rate: None,
        append: false,
        kafka_options: Vec::new(),
        report: None,
        progress: false,
        stop: Arc::new(AtomicBool::new(false)),
    })
    .expect("written");
    let log = FileLog::open(folder.path(), 1 << 20).expect("a folder");
    let stored = count(&log, None);
    let sum = |counter: fn(&PartitionState) -> u64| stored.partitions.iter().map(counter).sum::<u64>();
    assert_eq!(sum(|state| state.counters.read), made.counts.events);
    assert_eq!(sum(|state| state.counters.applied), made.counts.orders);
    assert_eq!(sum(|state| state.counters.duplicates), made.counts.duplicates);
    assert_eq!(sum(|state| state.counters.corrections), made.counts.corrections);
    assert_eq!(sum(|state| state.counters.cancellations), made.counts.cancellations);
    assert_eq!(sum(|state| state.counters.rejected), made.counts.invalid);
    for truth in &made.totals {
        let mut found = Takings::default();
        for (key, total) in &stored.totals {
            if matches!(key, ViewKey::Day { currency, .. } if currency.text() == truth.currency) {
                (found.orders, found.units) = (found.orders + total.orders, found.units + total.units);
                found.amount += total.amount;
            }
        }
        assert_eq!((found.orders as u64, found.units as u64), (truth.orders, truth.units));
        assert_eq!(found.amount.to_string(), truth.total_sales);
    }
    let report = audit(&log, stored, &settings()).expect("a verdict");
    assert!(report.is_clean() && report.notes.is_empty(), "{report}");
    assert_eq!(report.records, made.counts.events);
}
