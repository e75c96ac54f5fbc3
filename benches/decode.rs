//! What it costs to read one order: the budget is 400 ns for 350 bytes.

use std::hint::black_box;

use chrono_tz::Tz;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use takings::formats::{Decode, Decoder, DecoderSettings};
use takings::source::Record;
use takings_dataflows::order::PartitionId;

fn order(number: u32, space: &str, name: &str) -> String {
    format!(
        concat!(
            r#"{{"orderId":{0}"0b9f0b1e-6f7a-4c1d-9d0e-{1:012x}",{0}"productId":{0}"product-{1:05}",{0}"productName":{0}"{2}","#,
            r#"{0}"productCategory":{0}"Kitchen",{0}"productPrice":{0}12.50,{0}"productQuantity":{0}3,{0}"productBrand":{0}"Acme","#,
            r#"{0}"currency":{0}"EUR",{0}"customerId":{0}"customer-{1:06}",{0}"orderDate":{0}"2026-11-22T12:34:56.123456","#,
            r#"{0}"paymentMethod":{0}"CREDIT_CARD",{0}"totalAmount":{0}37.50}}"#
        ),
        space, number, name
    )
}

fn decode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decode");
    for (name, payloads) in [
        ("as Java writes it", (0..1_000).map(|number| order(number, "", "Kettle 1.7 l")).collect::<Vec<_>>()),
        ("as Python writes it", (0..1_000).map(|number| order(number, " ", r"Th\u00e9i\u00e8re 1,7 l")).collect()),
    ] {
        let mut decoder = Decoder::new(DecoderSettings {
            topics: vec!["product_sold".to_owned()],
            time_zone: Tz::UTC,
            default_currency: "EUR".to_owned(),
            keep_orders: false,
            payload_limit: 1 << 20,
        });
        group.throughput(Throughput::ElementsAndBytes {
            elements: payloads.len() as u64,
            bytes: payloads.iter().map(String::len).sum::<usize>() as u64,
        });
        let partition = PartitionId { topic: 0, partition: 0 };
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                for payload in &payloads {
                    let payload = Some(payload.as_bytes());
                    let record = Record { partition, offset: 0, next_offset: 1, timestamp: 0, key: payload, payload };
                    black_box(decoder.decode(black_box(&record)));
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, decode);
criterion_main!(benches);
