//! Few records of all four topics, that every rule is in.

use std::io::Write;
use std::path::Path;

use takings::config::JobConfig;
use takings::generate::Topic;

use super::config;

/// What each of a shop's rules makes of few records, in all four topics. Timestamps are minutes from here.
pub(super) const START: i64 = 1_795_000_000_000 / 60_000;

fn write(folder: &Path, file: &str, records: &[(i64, &str, &str)]) {
    let mut lines = Vec::new();
    for (minute, key, value) in records {
        let timestamp = (START + minute) * 60_000 + 7;
        writeln!(lines, "{{\"key\":{key},\"timestamp\":{timestamp},\"value\":{value}}}").expect("in memory");
    }
    std::fs::write(folder.join("log").join(file), lines).expect("written");
}

pub(super) fn small_shop(folder: &Path) -> JobConfig {
    let config = config(folder, &Topic::ALL.map(Topic::name));
    let sold = |id: &str, name: &str, category: &str, amount: &str| {
        format!(
            r#"{{"orderId":"{id}","orderDate":"2026-11-21","productName":"{name}","productCategory":"{category}","currency":"EUR","totalAmount":{amount}}}"#
        )
    };
    let paid = |id: u8, product: u16, amount: &str| {
        format!(
            r#"{{"transaction_id":{id},"user_id":1,"product_id":{product},"amount":{amount},"timestamp":"2026-11-22T10:00:00"}}"#
        )
    };
    let listed = |product: u16, category: &str, price: &str| {
        format!(r#"{{"product_id":{product},"name":"Thing {product}","category":{category},"price":{price}}}"#)
    };
    let rated = |id: &str, product: u16, rating: &str| {
        format!(r#"{{"feedback_id":"{id}","product_id":{product},"user_id":2,"rating":{rating},"comment":"ok"}}"#)
    };
    write(
        folder,
        "product_sold-0.jsonl",
        &[
            // Long before the others: but so few records do not tell what the log's time is.
            (0, "\"o1\"", &sold("o1", "Lamp", "Home", "5")),
            (3_000, "\"o2\"", &sold("o2", "Chair", "", "7.5")),
            // It counts in the minute of its first record, with its last amount.
            (3_100, "\"o3\"", &sold("o3", "Lamp", "Home", "1")),
            (3_101, "\"o3\"", &sold("o3", "Lamp", "Home", "2.5")),
        ],
    );
    write(
        folder,
        "transactions-0.jsonl",
        &[
            (3_000, "null", &paid(1, 1001, "10.00")),
            (3_001, "null", &paid(2, 1002, "10")),
            (3_002, "null", &paid(3, 1003, "9.999999999999999")),
            (3_003, "null", &paid(4, 1001, "1")),
            (3_004, "4", "null"),
            (3_005, "null", &paid(5, 1001, "\"soon\"")),
            (3_006, "null", &paid(6, 1004, "3")),
        ],
    );
    write(
        folder,
        "product_listings-0.jsonl",
        &[
            (10, "null", &listed(1001, "\"Toys\"", "10")),
            (11, "null", &listed(1002, "\"Toys\"", "10")),
            (12, "null", &listed(1003, "null", "10")),
            (13, "null", &listed(1001, "\"Books\"", "10.5")),
            (14, "null", &listed(1001, "\"Books\"", "10.5")),
            (15, "1002", "null"),
        ],
    );
    write(
        folder,
        "feedback-0.jsonl",
        &[
            (10, "null", &rated("f1", 1001, "5")),
            (11, "null", &rated("f2", 1001, "4")),
            (12, "null", &rated("f1", 1001, "1")),
            (13, "null", &rated("f3", 1002, "3")),
            (14, "\"f3\"", "null"),
            (15, "null", &rated("f4", 1009, "6")),
            (16, "null", &rated("f5", 1009, "2")),
        ],
    );
    config
}
