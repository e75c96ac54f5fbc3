//! `transactions`.

use super::agreement::{agree_on_any_bytes, object};
use super::readings::Readings;

const SETTINGS: &str = "topics = [\"transactions\"]\ntime_zone = \"Europe/Paris\"\ndefault_currency = \"eur\"\n";

const MEMBERS: [(&str, &str); 5] = [
    ("transaction_id", r#""t-1""#),
    ("user_id", "7"),
    ("product_id", "1042"),
    ("amount", "123.45"),
    ("timestamp", r#""2023-10-01T12:34:56.123456""#),
];

fn sale(member: &str, with: &str) -> String {
    object(&MEMBERS, member, with)
}

#[test]
fn reads_a_sale_and_its_lenient_spellings() {
    for (member, value, expected) in [
        ("", "", "t-1 1042 2023-10-01 - unknown EUR 123.450000 1"),
        ("transaction_id", "42", "42 1042 2023-10-01 - unknown EUR 123.450000 1"),
        ("transaction_id", r#""42""#, "42 1042 2023-10-01 - unknown EUR 123.450000 1"),
        ("product_id", r#""1042""#, "t-1 1042 2023-10-01 - unknown EUR 123.450000 1"),
        ("product_id", r#""10\u00342""#, "t-1 1042 2023-10-01 - unknown EUR 123.450000 1"),
        ("product_id", "", "t-1 unknown 2023-10-01 - unknown EUR 123.450000 1"),
        ("product_id", "null", "t-1 unknown 2023-10-01 - unknown EUR 123.450000 1"),
        ("product_id", r#""""#, "t-1 unknown 2023-10-01 - unknown EUR 123.450000 1"),
        ("user_id", "", "t-1 1042 2023-10-01 - unknown EUR 123.450000 1"),
        ("amount", r#""123.45""#, "t-1 1042 2023-10-01 - unknown EUR 123.450000 1"),
        ("amount", "-5", "t-1 1042 2023-10-01 - unknown EUR -5.000000 1"),
        ("amount", "369.59999999999997", "t-1 1042 2023-10-01 - unknown EUR 369.600000 1 rounded"),
        ("timestamp", r#""2023-10-01T22:30:00Z""#, "t-1 1042 2023-10-02 - unknown EUR 123.450000 1"),
        ("timestamp", r#""1970-01-01T00:00:00""#, "t-1 1042 1970-01-01 - unknown EUR 123.450000 1"),
        ("timestamp", "1700000000123", "t-1 1042 2023-11-14 - unknown EUR 123.450000 1"),
        // What other formats know is no part of this one.
        (
            "user_id",
            r#"1,"category":"Toys","currency":"USD","quantity":3,"payment_method":"CASH""#,
            "t-1 1042 2023-10-01 - unknown EUR 123.450000 1",
        ),
        ("user_id", r#"1,"category":[],"orderId":{}"#, "t-1 1042 2023-10-01 - unknown EUR 123.450000 1"),
    ] {
        assert_eq!(Readings::new(SETTINGS).read(&sale(member, value)).as_deref(), Ok(expected), "{member}: {value}");
    }
}

#[test]
fn every_rejection_names_its_field() {
    let long = format!("\"{}\"", "x".repeat(256));
    for (member, value, expected) in [
        ("transaction_id", "", "field `transaction_id` is missing"),
        ("transaction_id", "null", "field `transaction_id` is missing"),
        ("transaction_id", r#""""#, "field `transaction_id`: is empty"),
        ("transaction_id", "1.5", "field `transaction_id`: expected a string or a whole number, found a number `1.5`"),
        ("transaction_id", &long, "field `transaction_id`: has 256 bytes, more than 255"),
        ("product_id", "1.5", "field `product_id`: expected a string or a whole number, found a number `1.5`"),
        ("product_id", "[7]", "field `product_id`: expected a string or a whole number, found an array `[7]`"),
        ("product_id", &long, "field `product_id`: has 256 bytes, more than 255"),
        ("product_id", r#""\u0000""#, "field `product_id`: holds the character U+0000, which no database keeps"),
        ("user_id", "false", "field `user_id`: expected a string or a whole number, found a boolean `false`"),
        ("amount", "", "field `amount` is missing"),
        ("amount", "null", "field `amount` is missing"),
        ("amount", r#""""#, "field `amount`: `` is not a decimal number"),
        ("amount", r#""12,50""#, "field `amount`: `12,50` is not a decimal number"),
        ("amount", "1e13", "field `amount`: `1e13` is out of range (over nine trillion)"),
        ("amount", "{}", "field `amount`: expected an amount, found an object `{}`"),
        ("amount", "NaN", "not a JSON object of this format: expected a value at byte 63"),
        ("timestamp", "", "field `timestamp` is missing"),
        (
            "timestamp",
            "1700000000.5",
            "field `timestamp`: expected an ISO 8601 string or milliseconds since 1970, found a number `1700000000.5`",
        ),
        (
            "timestamp",
            r#""2023-02-29T00:00:00""#,
            "field `timestamp`: `2023-02-29T00:00:00` is a date that does not exist",
        ),
        (
            "timestamp",
            r#""+275760-09-13T00:00:00.000Z""#,
            "field `timestamp`: `+275760-09-13T00:00:00.000Z` is not within the years 1 to 9999",
        ),
        (
            "timestamp",
            r#""Sun, 22 Nov 2026""#,
            "field `timestamp`: `Sun, 22 Nov 2026` is no ISO 8601 date and time such as 2026-11-22T12:34:56.123",
        ),
        ("amount", r#"1,"amount":1"#, "field `amount` appears twice"),
        ("amount", r#"1,"x":1,"\u0078":1"#, "field `x` appears twice"),
    ] {
        let reason = Readings::new(SETTINGS).read(&sale(member, value));
        assert_eq!(reason, Err(expected.to_owned()), "{member}: {value}");
    }
}

#[test]
fn a_record_without_payload_cancels_the_sale_of_its_key() {
    let said = |key: Option<&[u8]>| Readings::new(SETTINGS).said(key, None);
    assert_eq!(said(Some(b"t-1")).as_deref(), Ok("t-1 cancelled"));
    assert_eq!(said(Some(b"42")).as_deref(), Ok("42 cancelled"));
    assert_eq!(said(Some(br#""42""#)).as_deref(), Ok("42 cancelled"));
    assert_eq!(said(None), Err("neither key nor payload, so no order is named".to_owned()));
}

#[test]
fn the_same_content_has_the_same_fingerprint_however_it_is_written() {
    let mut readings = Readings::new(SETTINGS);
    let first = readings.fingerprint(&sale("", ""));
    for (member, value) in
        [("product_id", r#""1042""#), ("user_id", r#""7""#), ("amount", "\"123.450\""), ("user_id", "7,\"x\":1")]
    {
        assert_eq!(readings.fingerprint(&sale(member, value)), first, "{member}: {value}");
    }
    let mut seen = std::collections::HashSet::from([first]);
    for (member, value) in [
        ("transaction_id", "1"),
        ("product_id", "1043"),
        ("product_id", ""),
        ("user_id", "8"),
        ("user_id", ""),
        ("amount", "1"),
        ("timestamp", "5"),
    ] {
        assert!(seen.insert(readings.fingerprint(&sale(member, value))), "{member}: {value}");
    }
}

agree_on_any_bytes!(SETTINGS, MEMBERS);
