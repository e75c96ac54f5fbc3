//! The generator to a real Kafka: everything arrives once, in order by id, and the topic is made as asked.
#![allow(clippy::expect_used, clippy::panic)] // what is not as expected is a test that fails

mod support;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use chrono::NaiveDate;
use support::kafka::Kafka;
use takings::generate::{Event, Options, Shop, ShopOptions, run};

fn shop() -> ShopOptions {
    ShopOptions {
        seed: 21,
        orders: Some(5_000),
        products: 100,
        days: 30,
        until: NaiveDate::from_ymd_opt(2026, 11, 22).and_then(|day| day.and_hms_opt(12, 0, 0)).expect("a time"),
        live: None,
        duplicates: 0.02,
        corrections: 0.02,
        cancellations: 0.01,
        invalid: 0.01,
        late: 0.05,
    }
}

fn options(kafka: &Kafka) -> Options {
    Options {
        shop: shop(),
        to: kafka.url(),
        topic: "product_sold".to_owned(),
        partitions: 3,
        rate: None,
        append: false,
        kafka_options: Vec::new(),
        report: None,
        progress: false,
        stop: Arc::new(AtomicBool::new(false)),
    }
}

#[test]
fn every_event_arrives_once_and_in_order_by_id() {
    let kafka = Kafka::start();
    let report = run(options(&kafka)).expect("sent");
    let ends: Vec<i64> = (0..3).map(|partition| kafka.watermarks("product_sold", partition).1).collect();
    assert!(ends.iter().all(|&end| end > 1_000), "{ends:?}");
    assert_eq!(ends.iter().sum::<i64>() as u64, report.counts.events);

    let mut sent: HashMap<Vec<u8>, Vec<Option<Vec<u8>>>> = HashMap::new();
    let mut without_key = 0;
    for Event { key, payload, .. } in Shop::new(shop()) {
        match key {
            Some(key) => sent.entry(key).or_default().push(payload),
            None => without_key += 1,
        }
    }
    let mut arrived: HashMap<Vec<u8>, Vec<Option<Vec<u8>>>> = HashMap::new();
    for (partition, &end) in (0..).zip(&ends) {
        for record in kafka.read("product_sold", partition, 0, end as usize) {
            match record.key {
                // Within a partition: an id that were in two would have its versions in another order.
                Some(key) => arrived.entry(key).or_default().push(record.payload),
                None => without_key -= 1,
            }
        }
    }
    assert!(arrived == sent);
    assert_eq!(without_key, 0);
}

#[test]
fn adds_to_a_topic_that_is_there_and_passes_options_through() {
    let kafka = Kafka::start();
    kafka.create_topic("product_sold", 1);
    let zstd = vec![("compression.type".to_owned(), "zstd".to_owned())];
    let report = run(Options { kafka_options: zstd, ..options(&kafka) }).expect("sent");
    assert_eq!(kafka.watermarks("product_sold", 0).1 as u64, report.counts.events);

    let wrong = vec![("no.such.option".to_owned(), "1".to_owned())];
    let error = run(Options { kafka_options: wrong, ..options(&kafka) }).expect_err("refused");
    assert!(format!("{error:#}").contains("no.such.option"), "{error:#}");
}
