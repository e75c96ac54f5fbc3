//! Records as they really are: compressed, odd, huge, in transactions, with clocks that are wrong. On a real Kafka.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::sync::LazyLock;
use std::time::Duration;

use support::job::{Job, NOON, dated, order, orders};
use support::kafka::{Kafka, Message};
use support::service::Serving;
use support::wait::until;
use takings::store::StoreUrl;

static KAFKA: LazyLock<Kafka> = LazyLock::new(Kafka::start);

const MINUTE: i64 = 60_000;
const DAY: i64 = 86_400_000;
const YEAR_2100: i64 = 4_102_444_800_000;

/// A topic that takes timestamps of any time.
const ANY_TIME: &[(&str, &str)] = &[("message.timestamp.after.max.ms", "9223372036854775807")];

#[test]
fn batches_of_every_codec_are_read() {
    KAFKA.create_topic("codecs", 1);
    for (codec, first) in [("none", 0), ("gzip", 100), ("snappy", 200), ("lz4", 300), ("zstd", 400)] {
        let settings = [("compression.codec", codec), ("linger.ms", "50")];
        KAFKA.produce_with("codecs", &orders(first..first + 100), &settings);
    }
    let job = Job::of(&KAFKA, "codecs");
    job.caught_up().done();
    assert_eq!(job.total(), "500.000000 500");
    job.audit();
}

#[test]
fn odd_records_are_read_or_kept_as_rejected() {
    KAFKA.create_topic_with("odd", 1, &[("max.message.bytes", "9000000")]);
    let mut headed = order("1", "1");
    headed.headers = vec![("trace".to_owned(), vec![0, 255]), (String::new(), Vec::new())];
    let unkeyed = Message { key: None, ..order("2", "1") };
    let empty_key = Message { key: Some(Vec::new()), ..order("3", "1") };
    let huge = |id: &str, length: usize| {
        let payload = String::from_utf8(order(id, "1").payload.unwrap()).unwrap();
        Message::new(id, payload.replacen('{', &format!(r#"{{"note": "{}", "#, "x".repeat(length)), 1))
    };
    let records = [
        headed,
        unkeyed,
        empty_key,
        // Just within what a broker takes of itself, and what is over the limit of a payload.
        huge("4", 900_000),
        huge("5", 8_000_000),
        Message { key: Some(b"6".to_vec()), payload: Some(Vec::new()), ..Message::default() },
        Message::default(),
        Message { key: Some(Vec::new()), ..Message::default() },
        Message::tombstone("1"),
    ];
    KAFKA.produce_with("odd", &records, &[("message.max.bytes", "9000000")]);
    // Control batches stand between: neither counted nor missed.
    for (id, commits) in [("7", true), ("8", false)] {
        let transaction = KAFKA.transaction("odd");
        transaction.produce("odd", &[order(id, "1")]);
        if commits {
            transaction.commit();
        } else {
            transaction.abort();
        }
    }
    let job = Job::of(&KAFKA, "odd");
    job.caught_up().done();
    let rejected = job.rows("SELECT \"offset\" FROM rejected ORDER BY 1");
    assert_eq!(job.count("rejected"), rejected.len() as i64);
    assert_eq!(rejected, ["4", "5", "6", "7"], "what is over the limit, and what names no order");
    assert_eq!(job.total(), "4.000000 4", "2, 3, 4 and 7");
    assert_eq!((job.count("read"), job.count("cancellations")), (10, 1));
    job.audit();
}

#[test]
fn a_transaction_that_stays_open_is_waited_for_and_told() {
    KAFKA.create_topic("open", 1);
    KAFKA.produce("open", &[order("1", "1")]);
    let open = KAFKA.transaction("open");
    open.produce("open", &[order("2", "10")]);
    KAFKA.produce("open", &[order("3", "1")]);
    let job = Job::of(&KAFKA, "open");
    // What is behind it can not be read: it is no reason never to end, and none to be silent.
    let ended = job.caught_up().done();
    assert!(ended.log.contains("open/0: offsets 1 to 2 wait for a transaction that is still open"), "{}", ended.log);
    assert_eq!(job.total(), "1.000000 1");
    let mut running = job.start();
    running.wait_for("open/0: offsets 1 to 2 wait for a transaction that is still open");
    assert_eq!(job.total(), "1.000000 1");
    open.commit();
    job.until_read(&mut running, 3);
    assert_eq!(job.total(), "12.000000 3");
    running.signal("TERM");
    running.wait().done();
    job.audit();
}

/// What stands between the committed offset and the first one that is left is lost, as far as anybody can tell.
#[test]
fn markers_after_the_last_record_are_committed_too() {
    const TOPIC: &str = "markers";
    KAFKA.create_topic(TOPIC, 2);
    let job = Job::of(&KAFKA, TOPIC);
    let transact = |id: &str, partition| {
        let transaction = KAFKA.transaction(id);
        transaction.produce(TOPIC, &[order(id, "1").in_partition(partition)]);
        transaction
    };
    let offset = |partition: u16| {
        let rows = job.rows(&format!("SELECT \"offset\" FROM sources WHERE partition = {partition}"));
        rows.first().map_or(0, |offset| offset.parse::<u64>().expect("an offset"))
    };
    let within = Duration::from_secs(60);
    let mut running = job.start();
    transact("1", 0).commit();
    job.until_read(&mut running, 1);
    // By itself, since no more comes.
    until("the marker to be committed", within, || (offset(0) == 2).then_some(()));
    // With a record of another partition.
    transact("2", 0).abort();
    until("the end to be seen", within, || {
        KAFKA.produce(TOPIC, &[order("3", "1").in_partition(1)]);
        (offset(0) == 4).then_some(())
    });
    running.signal("TERM");
    running.wait().done();

    // At a stop, of a job that has seen the end.
    transact("4", 0).abort();
    job.caught_up().done();
    assert_eq!(offset(0), 6);
    job.audit();
    // Retention leaves nothing, and nothing is lost.
    KAFKA.delete_records_before(TOPIC, 0, 6);
    job.caught_up().done();
    assert_eq!(job.total(), "2.000000 2");
}

#[test]
fn a_transaction_that_times_out_never_counts() {
    KAFKA.create_topic("timed_out", 1);
    let open = KAFKA.transaction_with("timed_out", &[("transaction.timeout.ms", "2000")]);
    open.produce("timed_out", &[order("1", "10")]);
    KAFKA.produce("timed_out", &[order("2", "1")]);
    let job = Job::of(&KAFKA, "timed_out");
    let mut running = job.start();
    // The producer is gone, as far as the broker can tell.
    job.until_read(&mut running, 1);
    assert_eq!(job.total(), "1.000000 1");
    running.signal("TERM");
    running.wait().done();
    drop(open);
    job.audit();
}

#[test]
fn clocks_that_go_back_or_are_ahead_change_no_total() {
    for window in ["", "--correction-window 30d"] {
        let topic = if window.is_empty() { "clocks" } else { "clocks_in_a_window" };
        KAFKA.create_topic_with(topic, 2, ANY_TIME);
        let at = |id: u32, amount: &str, partition, at| order(&id.to_string(), amount).in_partition(partition).at(at);
        // Enough for the log's time to be known, and one clock in ten that is years ahead.
        let many = |first: u32, start: i64| -> Vec<Message> {
            let when = |n: u32| if n % 10 == 9 { YEAR_2100 + i64::from(n) } else { start + i64::from(n) };
            (0..6_000).map(|n| at(first + n, "1", (n % 2) as i32, when(n))).collect()
        };
        KAFKA.produce(topic, &many(0, NOON));
        KAFKA.produce(
            topic,
            &[
                // As far as a timestamp goes, and before 1970.
                at(100_001, "5", 0, i64::MAX),
                at(100_002, "5", 1, 0),
                // Corrections of orders with good clocks, by a good clock, after all of that.
                at(0, "3", 0, NOON + DAY),
                at(1, "3", 1, NOON - DAY),
            ],
        );
        let job = Job::with(&KAFKA, topic, window);
        job.caught_up().done();
        assert_eq!(job.total(), "6014.000000 6002", "{window}");
        job.audit();
        assert_eq!(
            job.rows("SELECT count(*) FROM sources WHERE log_time BETWEEN '2026-11-22' AND '2026-11-23'"),
            ["2"]
        );
        // Minutes are the records' own, and those of good clocks stay.
        let minutes = "SELECT minute, orders FROM orders_per_minute WHERE minute LIKE '2026-11-22%'";
        assert_eq!(job.rows(minutes), ["2026-11-22T10:00:00.000Z 5399"], "{window}");
        // What is shown as the newest record is none that was not yet written when it was counted.
        let served = Serving::of(&StoreUrl::parse(&job.store()).expect("a store"));
        let newest = served.json("/api/v1/freshness")["newest_record_at"].as_str().expect("a moment").to_owned();
        assert!(newest.as_str() > "2026-11-22" && newest.as_str() < "2100", "{newest}");
        // A restart knows all orders that the first run knew: nothing was forgotten for one clock's sake.
        KAFKA.produce(topic, &[at(2, "3", 0, NOON + 2 * DAY), at(3, "3", 1, NOON + MINUTE), at(9, "3", 1, NOON)]);
        job.caught_up().done();
        assert_eq!(job.total(), "6020.000000 6002", "{window}");
        assert_eq!(job.count("beyond_horizon"), 0);
        // And so does a run that goes on.
        let mut running = job.start();
        KAFKA.produce(topic, &many(10_000, NOON + DAY));
        KAFKA.produce(topic, &[at(4, "3", 0, NOON + 2 * DAY), at(5, "3", 1, NOON + 2 * DAY)]);
        job.until_read(&mut running, 12_009);
        assert_eq!(job.total(), "12024.000000 12002", "{window}");
        running.signal("TERM");
        running.wait().done();
        job.audit();
    }
}

#[test]
fn a_window_forgets_what_is_older_and_says_so() {
    KAFKA.create_topic_with("window", 2, ANY_TIME);
    let many = |first: u32, start: i64| -> Vec<Message> {
        (first..first + 2_000).map(|n| order(&n.to_string(), "1").in_partition(0).at(start + i64::from(n))).collect()
    };
    KAFKA.produce("window", &[dated("old", "5", "2026-10-01").in_partition(0).at(NOON - 52 * DAY)]);
    // Partition 1 is idle from its first record on, and holds nothing back.
    KAFKA.produce("window", &[dated("idle", "5", "2026-10-01").in_partition(1).at(NOON - 52 * DAY)]);
    KAFKA.produce("window", &many(0, NOON));
    let job = Job::with(&KAFKA, "window", "--correction-window 7d");
    job.caught_up().done();
    let old_minutes = "SELECT count(*) FROM orders_per_minute WHERE minute < '2026-11-20'";
    assert_eq!(job.rows(old_minutes), ["0"], "minutes long before the log's time are dropped");
    job.audit();
    // The replay begins a week and a day before the log's time, or before that of a partition that stands still.
    let mut running = job.start();
    running.wait_for("replayed what is committed");
    assert!(running.log().contains("records=2001"), "{}", running.log());
    KAFKA.produce("window", &[dated("old", "6", "2026-10-01").in_partition(0).at(NOON + DAY)]);
    KAFKA.produce("window", &[order("1", "3").in_partition(0).at(NOON + DAY)]);
    // Its broker was away, say.
    KAFKA.produce("window", &[dated("idle", "7", "2026-10-01").in_partition(1).at(NOON - 51 * DAY)]);
    job.until_read(&mut running, 2_005);
    running.signal("TERM");
    running.wait().done();
    assert_eq!(job.count("beyond_horizon"), 1);
    assert_eq!(job.total(), "2002.000000 2000");
    let of_the_day = "SELECT total_sales, orders FROM sales_per_day WHERE order_date = '2026-10-01'";
    assert_eq!(job.rows(of_the_day), ["18.000000 3"], "5 and 6 as two orders, and 7 in place of 5");
    job.audit();
}

#[test]
fn a_short_window_takes_no_minutes_away() {
    KAFKA.create_topic_with("minutes", 1, ANY_TIME);
    KAFKA.produce("minutes", &[order("morning", "5").at(NOON - 10 * 60 * MINUTE)]);
    let many: Vec<_> = (0..2_000).map(|n| order(&n.to_string(), "1").at(NOON + i64::from(n))).collect();
    KAFKA.produce("minutes", &many);
    let job = Job::with(&KAFKA, "minutes", "--correction-window 1h");
    job.caught_up().done();
    // The second run needs an hour of orders for corrections, and the minutes of two days.
    KAFKA.produce("minutes", &[order("later", "3").at(NOON + MINUTE)]);
    job.caught_up().done();
    assert_eq!(job.rows("SELECT total_sales FROM orders_per_minute ORDER BY minute LIMIT 1"), ["5.000000"]);
    job.audit();
}

#[test]
fn a_window_of_orders_is_none_of_listings_and_ratings() {
    KAFKA.create_topic_with("bought", 1, ANY_TIME);
    KAFKA.create_topic_with("rated", 1, ANY_TIME);
    let stars = r#"{"feedback_id": "f", "product_id": "p", "rating": 5}"#;
    KAFKA.produce("rated", &[Message::new("f", stars.to_owned()).at(NOON - 52 * DAY)]);
    let many: Vec<_> = (0..2_000).map(|n| order(&n.to_string(), "1").at(NOON + i64::from(n))).collect();
    KAFKA.produce("bought", &many);
    let folder = tempfile::tempdir().expect("a folder");
    let settings = folder.path().join("takings.toml");
    let mapping = "mapping.bought.format = \"product_sold\"\nmapping.rated.format = \"feedback\"\n";
    std::fs::write(&settings, mapping).expect("written");
    let options = format!("--correction-window 7d --config {}", settings.display());
    let job = Job::with(&KAFKA, "bought,rated", &options);
    job.caught_up_with("--views sales_per_day").done();
    job.caught_up_with("--views sales_per_day,ratings_per_product").done();
    assert_eq!(job.rows("SELECT product, ratings FROM ratings_per_product"), ["p 1"]);
    job.audit();
}

#[test]
fn the_brokers_own_clock_may_date_records() {
    KAFKA.create_topic_with("appended", 1, &[("message.timestamp.type", "LogAppendTime")]);
    KAFKA.produce("appended", &[order("1", "1").at(YEAR_2100), order("2", "1").at(1), order("1", "2").at(1)]);
    let job = Job::of(&KAFKA, "appended");
    job.caught_up().done();
    assert_eq!(job.total(), "3.000000 2");
    assert_eq!(job.rows("SELECT count(*) FROM sources WHERE newest_timestamp BETWEEN '2020' AND '2100'"), ["1"]);
    job.audit();
}
