//! The generator to a real Kafka: everything arrives once, in order by id, and the topic is made as asked.
#![allow(clippy::expect_used, clippy::panic)] // what is not as expected is a test that fails

mod support;

use std::collections::HashMap;

use chrono::NaiveDate;
use support::kafka::Kafka;
use support::takings::takings;
use takings::generate::{Event, Options, Shop, ShopOptions, Topic, run};

fn shop() -> ShopOptions {
    ShopOptions {
        seed: 21,
        orders: Some(5_000),
        products: 100,
        days: 30,
        until: NaiveDate::from_ymd_opt(2026, 11, 22).and_then(|day| day.and_hms_opt(12, 0, 0)).expect("a time"),
        duplicates: 0.02,
        corrections: 0.02,
        cancellations: 0.01,
        invalid: 0.01,
        ..ShopOptions::default()
    }
}

fn options(kafka: &Kafka) -> Options {
    Options { partitions: 3, ..Options::new(shop(), kafka.url()) }
}

/// Key and payload.
type Sent = (Option<Vec<u8>>, Option<Vec<u8>>);

#[test]
fn every_event_arrives_once_and_in_order_by_id() {
    let kafka = Kafka::start();
    let report = run(options(&kafka)).expect("sent");
    let mut sent: HashMap<(Topic, u64), Vec<Sent>> = HashMap::new();
    for Event { topic, key, payload, place, .. } in Shop::new(shop()) {
        sent.entry((topic, place % 3)).or_default().push((key, payload));
    }
    for (topic, counted) in Topic::ALL.into_iter().zip(&report.topics) {
        let mut arrived = 0;
        for partition in 0..3 {
            let end = kafka.watermarks(topic.name(), partition).1;
            let records = kafka.read(topic.name(), partition, 0, end as usize).into_iter();
            let records: Vec<Sent> = records.map(|record| (record.key, record.payload)).collect();
            // As they were made: a correction never comes before what it corrects.
            assert!(records == sent[&(topic, partition as u64)], "{}/{partition}", topic.name());
            arrived += end as u64;
        }
        assert_eq!(arrived, counted.counts.events);
    }
}

/// By the command line, to the verdict: with the log's own timestamps, and versions in one partition each.
#[test]
fn a_whole_shop_is_counted_and_proven() {
    let kafka = Kafka::start();
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path().display();
    let topics = Topic::ALL.map(Topic::name).join(",");
    let shop = "--orders 6000 --days 40 --products 80 --seed 31 --recorded-over 90m --listing-changes 0.2";
    takings(&format!("generate --to {} --topics {topics} {shop} --report {at}/truth.json", kafka.url())).done();
    let job = format!("--source {} --topics {topics} --store sqlite:{at}/totals.db", kafka.url());
    takings(&format!("run {job} --workers 2 --until-caught-up")).done();
    let audit = takings(&format!("audit {job}")).done();
    assert!(audit.out.contains("no difference") && !audit.out.contains("note:"), "{}", audit.out);

    let truth: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.path().join("truth.json")).expect("a file")).expect("JSON");
    let store = rusqlite::Connection::open(folder.path().join("totals.db")).expect("the store");
    let one = |sql: &str| -> i64 { store.query_row(sql, [], |row| row.get(0)).expect("a number") };
    assert_eq!(one("SELECT sum(ratings) FROM ratings_per_product"), truth["ratings"]["ratings"]);
    assert_eq!(one("SELECT count(*) FROM products"), truth["listed_products"]);
    let orders = truth["totals"].as_array().expect("totals").iter().map(|total| total["orders"].as_i64());
    assert_eq!(one("SELECT sum(orders) FROM orders_per_minute"), orders.map(Option::unwrap_or_default).sum::<i64>());
    assert!((90..=91).contains(&one("SELECT count(DISTINCT minute) FROM orders_per_minute")));
}

#[test]
fn adds_to_a_topic_that_is_there_and_passes_options_through() {
    let kafka = Kafka::start();
    kafka.create_topic("product_sold", 1);
    let zstd = vec![("compression.type".to_owned(), "zstd".to_owned())];
    let report = run(Options { kafka_options: zstd, ..options(&kafka) }).expect("sent");
    // As many partitions as the topic has, whatever was asked for.
    assert_eq!(kafka.watermarks("product_sold", 0).1 as u64, report.topics[0].counts.events);

    let wrong = vec![("no.such.option".to_owned(), "1".to_owned())];
    let error = run(Options { kafka_options: wrong, ..options(&kafka) }).expect_err("refused");
    assert!(format!("{error:#}").contains("no.such.option"), "{error:#}");
}
