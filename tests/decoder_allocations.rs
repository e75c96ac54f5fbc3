//! Once warm, reading an order allocates nothing. Alone in its binary: it counts every allocation.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::alloc::System;

use chrono_tz::Tz;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use takings::formats::{Decode, Decoded, Decoder, DecoderSettings};
use takings::source::Record;
use takings_dataflows::order::PartitionId;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

#[test]
fn reading_an_order_of_known_names_allocates_nothing() {
    let mut decoder = Decoder::new(DecoderSettings {
        topics: vec!["product_sold".to_owned()],
        time_zone: Tz::Europe__Paris,
        default_currency: "EUR".to_owned(),
        keep_orders: false,
        payload_limit: 1 << 20,
    });
    let payloads: Vec<(Option<&[u8]>, Option<String>)> = (0..1_000)
        .map(|number| {
            // Escapes, nested and unknown members, lower case, a zone: every path that could allocate.
            let payload = format!(
                r#"{{"orderId": "0b9f0b1e-6f7a-4c1d-9d0e-{number:012x}", "productName": "Caf\u00e9 {number}",
                "productCategory": "\u00c9picerie", "productPrice": {number}.25, "productQuantity": "2", "x": 1, "y": 2,
                "productBrand": "Acme", "currency": "eur ", "customerId": {number}, "nested": [[{{"a": [1]}}]],
                "orderDate": "2023-10-01T12:34:56.123456+02:00", "paymentMethod": "CREDIT_CARD", "totalAmount": {number}.5}}"#
            );
            (Some(b"a key".as_slice()), (number % 10 != 0).then_some(payload))
        })
        .collect();
    let partition = PartitionId { topic: 0, partition: 0 };
    let mut decode_all = || {
        let mut orders = 0;
        for (offset, (key, payload)) in (0u64..).zip(&payloads) {
            let payload = payload.as_ref().map(String::as_bytes);
            let record = Record { partition, offset, next_offset: offset + 1, timestamp: 0, key: *key, payload };
            orders += u32::from(matches!(decoder.decode(&record), Decoded::Order { .. }));
        }
        orders
    };
    assert_eq!(decode_all(), 1_000);
    let region = Region::new(ALLOCATOR);
    assert_eq!(decode_all(), 1_000);
    let change = region.change();
    assert_eq!((change.allocations, change.reallocations), (0, 0));
}
