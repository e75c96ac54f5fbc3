//! What it costs to read one record: the budget is 400 ns for an order of 350 bytes.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use takings::config::JobArgs;
use takings::formats::{Decode, Decoder};
use takings::source::Record;
use takings_dataflows::order::PartitionId;

const SETTINGS: &str = r#"
source = "orders"
store = "sqlite:shop.db"
default_currency = "EUR"
topics = ["feedback", "product_listings", "product_sold", "shop.orders", "transactions"]
[mapping."shop.orders"]
kind = "order"
order_id = "/orderId"
product = "/productName"
category = "/productCategory"
price = "/productPrice"
quantity = "/productQuantity"
currency = "/currency"
ordered_at = "/orderDate"
payment_method = "/paymentMethod"
amount = "/totalAmount"
"#;

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

fn sale(number: u32) -> String {
    format!(
        r#"{{"transaction_id": {number}, "user_id": {}, "product_id": {}, "amount": 123.45, "timestamp": "2026-11-22T12:34:56.123456"}}"#,
        number % 1_000,
        1_000 + number % 100
    )
}

fn listing(number: u32) -> String {
    format!(
        r#"{{"product_id": {0}, "name": "Product {0}", "category": "Kitchen", "price": 49.90, "timestamp": "2026-11-22T12:34:56.123456"}}"#,
        1_000 + number % 100
    )
}

fn feedback(number: u32) -> String {
    format!(
        r#"{{"feedback_id": {number}, "product_id": {}, "user_id": {}, "rating": 4, "comment": "As described", "timestamp": "2026-11-22T12:34:56.123456"}}"#,
        1_000 + number % 100,
        number % 1_000
    )
}

fn decode(criterion: &mut Criterion) {
    let config = toml::from_str::<JobArgs>(SETTINGS).map(|args| args.resolve());
    let Ok(Ok(config)) = config else { unreachable!("the settings are sound: {config:?}") };
    let mut group = criterion.benchmark_group("decode");
    let kettle = |number| order(number, "", "Kettle 1.7 l");
    let cases: [(&str, u8, Vec<String>); 6] = [
        ("product_sold as Java writes it", 2, (0..1_000).map(kettle).collect()),
        (
            "product_sold as Python writes it",
            2,
            (0..1_000).map(|n| order(n, " ", r"Th\u00e9i\u00e8re 1,7 l")).collect(),
        ),
        ("the same by a mapping", 3, (0..1_000).map(kettle).collect()),
        ("transactions", 4, (0..1_000).map(sale).collect()),
        ("product_listings", 1, (0..1_000).map(listing).collect()),
        ("feedback", 0, (0..1_000).map(feedback).collect()),
    ];
    for (name, topic, payloads) in cases {
        let mut decoder = Decoder::new(config.decoder());
        group.throughput(Throughput::ElementsAndBytes {
            elements: payloads.len() as u64,
            bytes: payloads.iter().map(String::len).sum::<usize>() as u64,
        });
        let partition = PartitionId { topic, partition: 0 };
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                for payload in &payloads {
                    let payload = Some(payload.as_bytes());
                    let record = Record {
                        partition,
                        offset: 0,
                        next_offset: 1,
                        timestamp: 0,
                        leader_epoch: None,
                        key: payload,
                        payload,
                    };
                    black_box(decoder.decode(black_box(&record)));
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, decode);
criterion_main!(benches);
