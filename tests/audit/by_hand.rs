//! The audit against books that are kept by hand.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::NaiveDate;
use takings::audit::days::{Asked, recount_days};
use takings::audit::{AuditError, AuditSettings, StoredState};
use takings::source::Record;
use takings::store::commit::Counters;
use takings::store::{IncompleteView, Outcome, PartitionState, PassedOver};
use takings_dataflows::amount::Amount;
use takings_dataflows::day::Day;
use takings_dataflows::last_record::LastRecord;
use takings_dataflows::order::PartitionId;
use takings_dataflows::row::RowValue;
use takings_dataflows::symbol::Symbol;
use takings_dataflows::takings::Takings;
use takings_dataflows::view::{View, ViewKey};

use super::memory_log::{MemoryLog, Records};
use super::{audit, differences, settings};

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
    MemoryLog { partitions: vec![(0, one), (0, vec![(1, None, order("c", "4"))])], ..MemoryLog::default() }
}

/// A store that counted this many orders and this much, each partition with its end and counters.
fn by_hand(euros: i128, orders: i64, partitions: &[(u64, Counters)]) -> StoredState {
    let day = Day::from_date(NaiveDate::from_ymd_opt(2026, 11, 22).expect("a day"));
    let takings = Takings { amount: Amount::from_micros(euros * 1_000_000), orders, units: orders };
    let state = |(partition, &(offset, counters)): (u16, &(u64, Counters))| PartitionState {
        topic: "product_sold".to_owned(),
        partition,
        incarnation: 0,
        offset,
        newest_timestamp: 0,
        log_time: 0,
        topic_id: None,
        passed_over: PassedOver::default(),
        lost_until: 0,
        last: None,
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
    let log = MemoryLog { partitions: vec![(0, one), (0, two)], ..MemoryLog::default() };
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
    let log = MemoryLog { partitions: vec![(0, records)], ..MemoryLog::default() };
    let windowed = AuditSettings { correction_window: Some(Duration::from_secs(2 * 86_400)), ..settings() };
    let stored = by_hand(9, 2, &[(4, Counters { read: 4, applied: 2, corrections: 2, ..Counters::default() })]);
    let report = audit(&log, stored.clone(), &windowed).expect("a verdict");
    assert!(report.is_clean(), "{report}");
    assert!(!audit(&log, stored, &settings()).expect("a verdict").is_clean());
}

#[test]
fn what_another_window_decided_is_no_fault_of_the_store() {
    const DAY: i64 = 86_400_000;
    let within =
        |days: u64| AuditSettings { correction_window: Some(Duration::from_secs(days * 86_400)), ..settings() };
    let records: Records = vec![(1, key("a"), order("a", "1")), (3 * DAY, key("a"), order("a", "2"))];
    let log = MemoryLog { partitions: vec![(0, records)], ..MemoryLog::default() };
    // Counted under a window of a day, and recounted under one of thirty, or none.
    let two = Counters { read: 2, applied: 2, beyond_horizon: 1, ..Counters::default() };
    let stored = by_hand(3, 2, &[(2, two)]);
    assert!(audit(&log, stored.clone(), &within(1)).expect("a verdict").is_clean());
    for settings in [within(30), settings()] {
        is_not_provable(&log, &stored, &settings, "a correction window decided what counts (1 late records");
    }
    // The other way round.
    let one = Counters { read: 2, applied: 1, corrections: 1, ..Counters::default() };
    let stored = by_hand(2, 1, &[(2, one)]);
    assert!(audit(&log, stored.clone(), &within(30)).expect("a verdict").is_clean());
    is_not_provable(&log, &stored, &within(1), "a correction window decided what counts");
    // Where no record is late a difference is one.
    let wrong = by_hand(9, 1, &[(2, Counters { read: 2, applied: 1, corrections: 1, ..Counters::default() })]);
    assert!(!audit(&log, wrong.clone(), &within(30)).expect("a verdict").is_clean());
    assert!(!audit(&log, wrong, &settings()).expect("a verdict").is_clean());
}

#[test]
fn what_the_log_lost_can_not_be_proven() {
    let mut log = small();
    let stored = small_by_hand();
    log.partitions[0].0 = 2;
    log.partitions[0].1.drain(..2);
    let error = audit(&log, stored.clone(), &settings()).expect_err("lost").to_string();
    assert!(error.starts_with("not provable: the log lost records (product_sold/0 starts at offset 2)"), "{error}");

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

/// Of the small log: the last record of its first partition.
fn last_of(log: &MemoryLog) -> LastRecord {
    let (first, records) = &log.partitions[0];
    let (timestamp, key, payload) = records.last().expect("one");
    let offset = first + records.len() as u64 - 1;
    let record = Record {
        partition: PartitionId { topic: 0, partition: 0 },
        offset,
        next_offset: offset + 1,
        timestamp: *timestamp,
        leader_epoch: None,
        key: key.as_deref(),
        payload: payload.as_deref(),
    };
    record.as_last()
}

/// Both audits call it not provable, and say why.
fn is_not_provable(log: &MemoryLog, stored: &StoredState, settings: &AuditSettings, why: &str) {
    match audit(log, stored.clone(), settings) {
        Err(AuditError::NotProvable(said)) => assert!(said.contains(why), "{said}"),
        other => panic!("{other:?}"),
    }
    let ViewKey::Day { day, .. } = stored.rows[0].0 else { panic!("{stored:?}") };
    let days = BTreeSet::from([day]);
    let StoredState { partitions, rows, .. } = stored;
    let asked = Asked { settings, epoch: 1, partitions, days: &days, rows, are_all: true };
    let found = recount_days(log, &asked, &mut |_| true).expect("readable").expect("nobody stopped it");
    assert_eq!(found[0].outcome, Outcome::NotProvable, "{found:?}");
    assert!(found[0].reason.as_ref().is_some_and(|said| said.contains(why)), "{found:?}");
}

#[test]
fn another_log_is_no_fault_of_the_store() {
    let (mut log, mut stored) = (MemoryLog { topic_id: Some("one".to_owned()), ..small() }, small_by_hand());
    for state in &mut stored.partitions {
        state.topic_id = Some("one".to_owned());
    }
    stored.partitions[0].last = Some(last_of(&log));
    assert!(audit(&log, stored.clone(), &settings()).expect("a verdict").is_clean());

    // Cut off, and grown past what was counted by others.
    let grown = |(timestamp, key, _): &(i64, _, _)| (*timestamp, Option::clone(key), order("other", "7"));
    let cut: Records =
        log.partitions[0].1[..4].iter().cloned().chain(log.partitions[0].1[4..].iter().map(grown)).collect();
    let cut = MemoryLog { topic_id: log.topic_id.clone(), partitions: vec![(0, cut), log.partitions[1].clone()] };
    is_not_provable(
        &cut,
        &stored,
        &settings(),
        "the record at offset 8 of product_sold/0 is not the one that stood there",
    );

    // Created anew, with as many records.
    log.topic_id = Some("two".to_owned());
    log.partitions[1].1 = vec![(1, None, order("d", "6"))];
    is_not_provable(&log, &stored, &settings(), "topic product_sold was created anew: its id is two");
}

/// What the audit of a single day finds, which was counted as one order more than the log still holds of it.
fn outcome(records: Records, lost: u64, newest_timestamp: i64, log_time: i64, dated: i64) -> Outcome {
    let day = Day::from_date(chrono::DateTime::from_timestamp_millis(dated).expect("a date").date_naive());
    let end = lost + records.len() as u64;
    let log = MemoryLog { partitions: vec![(lost, records)], ..MemoryLog::default() };
    let mut stored = by_hand(5, 1, &[(end, Counters { read: end, applied: end, ..Counters::default() })]);
    stored.rows = vec![(ViewKey::Day { day, currency: Symbol::new("EUR") }, stored.rows[0].1)];
    stored.partitions[0].newest_timestamp = newest_timestamp;
    stored.partitions[0].log_time = log_time;
    let (settings, days) = (settings(), BTreeSet::from([day]));
    let StoredState { partitions, rows, .. } = &stored;
    let asked = Asked { settings: &settings, epoch: 1, partitions, days: &days, rows, are_all: true };
    let found = recount_days(&log, &asked, &mut |_| true).expect("readable").expect("nobody stopped it");
    found[0].outcome
}

#[test]
fn a_loss_reaches_to_what_is_left_and_no_single_clock_says_where_that_is() {
    const DAY: i64 = 86_400_000;
    const BEGIN: i64 = 1_698_818_400_000;
    const YEAR_2100: i64 = 4_102_444_800_000;
    let held = |dates: &[i64]| -> Records {
        (0..).zip(dates).map(|(id, date)| (*date, key(&format!("{id}")), order(&format!("{id}"), "1"))).collect()
    };
    // All is gone, fourteen days and 1,500 records after it began: log time is that of the tenth record.
    let emptied = |day: i64| outcome(held(&[]), 1_500, BEGIN + 14 * DAY, BEGIN, BEGIN + day * DAY);
    assert_eq!([0, 1, 7, 14, 15].map(emptied)[..4], [Outcome::NotProvable; 4]);
    assert_eq!(emptied(15), Outcome::Differs);
    // The newest record is dated by a clock that is ahead.
    let ahead = |day: i64| outcome(held(&[]), 1_500, YEAR_2100, BEGIN, BEGIN + day * DAY);
    assert_eq!((ahead(14), ahead(20_000)), (Outcome::NotProvable, Outcome::Differs));
    // The first record held is of a clock at 1970, or one that is ahead.
    for wrong in [1_000, YEAR_2100] {
        let dates: Vec<i64> = [wrong].into_iter().chain((0..20).map(|hour| BEGIN + 3 * DAY + hour * 60_000)).collect();
        let cut = |day: i64| outcome(held(&dates), 300, BEGIN + 4 * DAY, BEGIN, BEGIN + day * DAY);
        assert_eq!((cut(2), cut(3), cut(4)), (Outcome::NotProvable, Outcome::NotProvable, Outcome::Differs), "{wrong}");
    }
    // No date at all.
    assert_eq!(outcome(held(&[0, 0]), 5, 0, 0, BEGIN), Outcome::NotProvable);
}
