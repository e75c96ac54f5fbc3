//! The tests' own Kafka keeps its word: what is written is there, also after a crash, and aborted
//! transactions leave gaps only.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use support::kafka::{Kafka, Message, Placed};

#[test]
fn what_is_acknowledged_survives_a_stop_and_a_crash() {
    let mut kafka = Kafka::start();
    let cluster = kafka.cluster_id();
    kafka.create_topic("orders", 2);
    let first = kafka.produce(
        "orders",
        &[Message::new("a", "1").in_partition(1).at(1_700_000_000_123), Message::tombstone("a").in_partition(1)],
    );
    assert_eq!(first, [Placed { partition: 1, offset: 0 }, Placed { partition: 1, offset: 1 }]);

    kafka.restart();
    kafka.produce("orders", &[Message::new("b", "2").in_partition(1)]);
    kafka.kill();
    kafka.restart();

    let records = kafka.read("orders", 1, 0, 3);
    assert_eq!(records[0].payload.as_deref(), Some(b"1".as_slice()));
    assert_eq!(records[0].timestamp, 1_700_000_000_123);
    assert_eq!(records[1].payload, None);
    assert_eq!((records[2].offset, records[2].payload.as_deref()), (2, Some(b"2".as_slice())));
    assert_eq!(kafka.cluster_id(), cluster);

    kafka.pause();
    kafka.resume();
    assert_eq!(kafka.watermarks("orders", 0), (0, 0));
}

#[test]
fn topics_grow_lose_their_head_and_are_made_anew() {
    let kafka = Kafka::start();
    kafka.create_topic_with("orders", 1, &[("cleanup.policy", "compact"), ("retention.ms", "1000000")]);
    kafka.add_partitions("orders", 3);
    kafka.delete_topic("orders");

    kafka.create_topic("orders", 1);
    let many: Vec<Message> = (0..10_000).map(|n: i32| Message::new(n.to_string(), n.to_string())).collect();
    let placed = kafka.produce_with("orders", &many, &[("compression.codec", "zstd")]);
    assert!(placed.iter().map(|place| place.offset).eq(0..10_000), "one partition keeps the order");
    kafka.delete_records_before("orders", 0, 9_000);
    assert_eq!(kafka.watermarks("orders", 0), (9_000, 10_000));
}

/// Whatever was known of the partition before: what is acknowledged afterwards is not lost once more.
#[test]
fn a_partition_that_was_emptied_keeps_what_comes_after() {
    let mut kafka = Kafka::start();
    kafka.create_topic("orders", 1);
    kafka.produce("orders", &[Message::new("a", "1"), Message::new("b", "2"), Message::new("c", "3")]);
    kafka.delete_records_before("orders", 0, 2);
    kafka.stop();
    kafka.lose_records("orders", 0);
    kafka.restart();
    assert_eq!(kafka.watermarks("orders", 0), (0, 0));
    kafka.produce("orders", &[Message::new("d", "4")]);
    kafka.kill();
    kafka.restart();
    assert_eq!(kafka.watermarks("orders", 0), (0, 1));
    assert_eq!(kafka.read("orders", 0, 0, 1)[0].payload.as_deref(), Some(b"4".as_slice()));
}

#[test]
fn an_aborted_transaction_leaves_a_gap() {
    let kafka = Kafka::start();
    kafka.create_topic("orders", 1);
    let aborted = kafka.transaction("shop");
    aborted.produce("orders", &[Message::new("a", "never"), Message::new("b", "never")]);
    aborted.abort();
    let committed = kafka.transaction("shop");
    committed.produce("orders", &[Message::new("a", "1")]);
    committed.produce("orders", &[Message::new("b", "2")]);
    let placed = committed.commit();

    let records = kafka.read("orders", 0, 0, 2);
    assert_eq!(records.iter().map(|record| record.offset).collect::<Vec<_>>(), [placed[0].offset, placed[1].offset]);
    assert_eq!(placed[0].offset, 3, "two aborted records and their marker come first");
}

#[test]
fn a_python_shop_says_truly_what_it_sent() {
    let kafka = Kafka::start();
    kafka.create_topic("product_sold", 1);
    let truth = support::python::produce("product_sold.py", &kafka, "product_sold", 500, 7);
    let sent = usize::try_from(truth["sent"].as_u64().expect("a count")).expect("a count");
    assert!(sent > 500, "some orders are sent twice");
    let records = kafka.read("product_sold", 0, 0, sent);
    let text: Vec<_> =
        records.iter().map(|r| String::from_utf8(r.payload.clone().expect("a payload")).expect("UTF-8")).collect();
    for sign in ["\\u00c9lectronique", "\": ", "\\ud83d\\ude00", "+02:00", "FCFA"] {
        assert!(text.iter().any(|text| text.contains(sign)), "no payload has {sign}");
    }
    let orders: u64 = truth["totals"].as_array().expect("rows").iter().filter_map(|row| row["orders"].as_u64()).sum();
    assert_eq!(orders, 500);
}
