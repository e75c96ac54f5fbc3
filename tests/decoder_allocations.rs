//! Once warm, reading a record allocates nothing. Alone in its binary: it counts every allocation.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use takings::config::JobArgs;
use takings::formats::{Decode, Decoded, Decoder};
use takings::source::Record;
use takings_dataflows::order::PartitionId;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const SETTINGS: &str = r#"
source = "orders"
store = "sqlite:shop.db"
time_zone = "Europe/Paris"
topics = ["feedback", "product_listings", "product_sold", "shop.orders", "transactions"]
[mapping."shop.orders"]
kind = "order"
order_id = "/order/number"
product = "/items/0/sku"
amount = { pointer = "/total/cents", scale = 2 }
category = { pointer = "/group", default = "Books" }
ordered_at = { pointer = "/created", format = "epoch_millis" }
"#;

/// Escapes, nested and unknown members, lower case, zones, numbers in texts: every path that could
/// allocate.
fn payload(topic: u8, number: u32) -> String {
    let product = number % 50;
    match topic {
        0 => format!(
            r#"{{"feedback_id": {number}, "product_id": "{product}", "user_id": {number}, "rating": "4.0",
            "comment": "tr\u00e8s bien \ud83d {number}", "timestamp": "2023-10-01T12:34:56Z", "x": {{"y": [1]}}}}"#
        ),
        1 => format!(
            r#"{{"product_id": {product}, "name": "Caf\u00e9 {product}", "category": "\u00c9picerie", "price": "12.{product}",
            "timestamp": "2023-10-01T12:34:56Z", "x": [[1]]}}"#
        ),
        2 => format!(
            r#"{{"orderId": "0b9f0b1e-6f7a-4c1d-9d0e-{number:012x}", "productName": "Caf\u00e9 {product}",
            "productCategory": "\u00c9picerie", "productPrice": {number}.25, "productQuantity": "2", "x": 1, "y": 2,
            "productBrand": "Acme", "currency": "eur ", "customerId": {number}, "nested": [[{{"a": [1]}}]],
            "orderDate": "2023-10-01T12:34:56.123456+02:00", "paymentMethod": "CREDIT_CARD", "totalAmount": {number}.5}}"#
        ),
        3 => format!(
            r#"{{"order": {{"number": {number}, "x": []}}, "items": [{{"sku": "\u0041-{product}", "x": 1, "y": 2}}, 7],
            "total": {{"cents": "{number}e1"}}, "created": "1700000000123"}}"#
        ),
        _ => format!(
            r#"{{"transaction_id": "\u0041{number}", "user_id": {number}, "product_id": {product}, "amount": {number}.45,
            "timestamp": "2023-10-01T12:34:56.123456+00:00", "category": "x", "x": {{"y": 1}}}}"#
        ),
    }
}

#[test]
fn reading_records_of_known_names_allocates_nothing() {
    let args: JobArgs = toml::from_str(SETTINGS).expect("settings");
    let config = args.resolve().expect("sound settings");
    let mut decoder = Decoder::new(config.decoder());
    let payloads: Vec<(u8, Option<String>)> = (0..5_000)
        .map(|number| (number % 5, number / 5))
        .map(|(topic, number)| (topic as u8, (number % 10 != 0).then(|| payload(topic as u8, number))))
        .collect();
    let mut decode_all = || {
        let mut read = 0;
        for (offset, (topic, payload)) in (0u64..).zip(&payloads) {
            let partition = PartitionId { topic: *topic, partition: 0 };
            let payload = payload.as_ref().map(String::as_bytes);
            let key = Some(b"\"a key\"".as_slice());
            let record =
                Record { partition, offset, next_offset: offset + 1, timestamp: 0, leader_epoch: None, key, payload };
            match decoder.decode(&record) {
                Decoded::Event { .. } => read += 1,
                Decoded::Rejected(reason) => panic!("{reason}: {payload:?}"),
            }
        }
        read
    };
    assert_eq!(decode_all(), 5_000);
    let region = Region::new(ALLOCATOR);
    assert_eq!(decode_all(), 5_000);
    let change = region.change();
    assert_eq!((change.allocations, change.reallocations), (0, 0));
}
