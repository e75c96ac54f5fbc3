//! `product_sold`.

use std::cell::RefCell;

use chrono::DateTime;
use proptest::prelude::*;
use takings_dataflows::event::Event;
use takings_dataflows::order::OrderEvent;

use super::agreement::{any_object, object, value};
use super::readings::Readings;

const LIMIT: usize = 4_000;
const SETTINGS: &str =
    "time_zone = \"Europe/Paris\"\ndefault_currency = \"eur\"\nkeep_orders = true\npayload_limit = 4000\n";

const MEMBERS: [(&str, &str); 12] = [
    ("orderId", r#""0b9f0b1e-6f7a-4c1d-9d0e-0123456789ab""#),
    ("productId", r#""p-1""#),
    ("productName", r#""Kettle""#),
    ("productCategory", r#""Kitchen""#),
    ("productPrice", "12.50"),
    ("productQuantity", "2"),
    ("productBrand", r#""Acme""#),
    ("currency", r#""EUR""#),
    ("customerId", r#""c-1""#),
    ("orderDate", r#""2023-10-01T12:34:56.123456""#),
    ("paymentMethod", r#""CREDIT_CARD""#),
    ("totalAmount", "25.00"),
];

fn decode(payload: &str) -> Result<(OrderEvent, bool), String> {
    match Readings::new(SETTINGS).decode(None, Some(payload.as_bytes()))? {
        (Event::Order(event), rounded) => Ok((event, rounded)),
        (event, _) => panic!("{event:?}"),
    }
}

fn reason(payload: &str) -> String {
    Readings::new(SETTINGS).read(payload).expect_err(payload)
}

fn summary(payload: &str) -> String {
    Readings::new(SETTINGS).read(payload).unwrap_or_else(|reason| panic!("{payload}: {reason}"))
}

fn fingerprint(payload: &str) -> u64 {
    Readings::new(SETTINGS).fingerprint(payload)
}

/// A whole order, with one member put in place of another; an empty `with` leaves it out.
fn order(member: &str, with: &str) -> String {
    object(&MEMBERS, member, with)
}

#[test]
fn reads_a_whole_order() {
    let payload = order("", "");
    assert_eq!(
        summary(&payload),
        "0b9f0b1e-6f7a-4c1d-9d0e-0123456789ab Kettle 2023-10-01 Kitchen CREDIT_CARD EUR 25.000000 2"
    );
    let details = decode(&payload).expect("an order").0.details.expect("kept");
    assert_eq!((details.product_id.as_str(), details.customer_id.as_deref()), ("p-1", Some("c-1")));
    assert_eq!((details.product_name.as_deref(), details.product_brand.as_deref()), (Some("Kettle"), Some("Acme")));
    assert_eq!(details.product_price.expect("a price").to_string(), "12.500000");
    let local = DateTime::from_timestamp_micros(details.ordered_at).expect("in range").naive_utc();
    assert_eq!(local.to_string(), "2023-10-01 12:34:56.123456");
}

#[test]
fn reads_the_lenient_spellings() {
    for (member, value, expected) in [
        ("orderId", "42", "42 Kettle 2023-10-01 Kitchen CREDIT_CARD EUR 25.000000 2"),
        ("orderId", r#""42""#, "42 Kettle 2023-10-01 Kitchen CREDIT_CARD EUR 25.000000 2"),
        ("orderId", r#""4\u0032""#, "42 Kettle 2023-10-01 Kitchen CREDIT_CARD EUR 25.000000 2"),
        ("orderDate", "1700000000123", " 2023-11-14 Kitchen CREDIT_CARD EUR 25.000000 2"),
        ("orderDate", r#""2023-10-01T23:30:00Z""#, " 2023-10-02 Kitchen CREDIT_CARD EUR 25.000000 2"),
        ("orderDate", r#""2023-10-01""#, " 2023-10-01 Kitchen CREDIT_CARD EUR 25.000000 2"),
        ("currency", "", " 2023-10-01 Kitchen CREDIT_CARD EUR 25.000000 2"),
        ("currency", r#""""#, " 2023-10-01 Kitchen CREDIT_CARD EUR 25.000000 2"),
        ("currency", r#"" fcfa ""#, " 2023-10-01 Kitchen CREDIT_CARD FCFA 25.000000 2"),
        ("totalAmount", "", " 2023-10-01 Kitchen CREDIT_CARD EUR 25.000000 2"),
        ("totalAmount", "null", " 2023-10-01 Kitchen CREDIT_CARD EUR 25.000000 2"),
        ("totalAmount", r#""25.5""#, " 2023-10-01 Kitchen CREDIT_CARD EUR 25.500000 2"),
        ("totalAmount", "2.5e1", " 2023-10-01 Kitchen CREDIT_CARD EUR 25.000000 2"),
        ("totalAmount", "-25", " 2023-10-01 Kitchen CREDIT_CARD EUR -25.000000 2"),
        ("totalAmount", "369.59999999999997", " 2023-10-01 Kitchen CREDIT_CARD EUR 369.600000 2 rounded"),
        ("totalAmount", "0.1234567", " 2023-10-01 Kitchen CREDIT_CARD EUR 0.123457 2 rounded"),
        ("productPrice", "12.5000001", " 2023-10-01 Kitchen CREDIT_CARD EUR 25.000000 2 rounded"),
        ("productCategory", "", " 2023-10-01 - CREDIT_CARD EUR 25.000000 2"),
        ("productCategory", "null", " 2023-10-01 - CREDIT_CARD EUR 25.000000 2"),
        ("productCategory", r#""""#, " 2023-10-01 - CREDIT_CARD EUR 25.000000 2"),
        ("productCategory", r#""\u00c9lectronique""#, " 2023-10-01 Électronique CREDIT_CARD EUR 25.000000 2"),
        ("productCategory", r#""\ud83d\ude00""#, " 2023-10-01 😀 CREDIT_CARD EUR 25.000000 2"),
        ("paymentMethod", r#""""#, " 2023-10-01 Kitchen unknown EUR 25.000000 2"),
        ("productQuantity", "", " 2023-10-01 Kitchen CREDIT_CARD EUR 25.000000 1"),
        ("productQuantity", "-3", " 2023-10-01 Kitchen CREDIT_CARD EUR 25.000000 -3"),
        ("productQuantity", r#""3.0""#, " 2023-10-01 Kitchen CREDIT_CARD EUR 25.000000 3"),
        ("productPrice", "", " 2023-10-01 Kitchen CREDIT_CARD EUR 25.000000 2"),
        ("productId", "17", " 2023-10-01 Kitchen CREDIT_CARD EUR 25.000000 2"),
    ] {
        let read = summary(&order(member, value));
        assert!(read.ends_with(expected), "{member}: {value}\n{read}\n{expected}");
    }
    // No total: the price times the quantity, exactly.
    let payload =
        order("totalAmount", "").replace("12.50", "0.1").replace("\"productQuantity\":2", "\"productQuantity\":3");
    assert!(summary(&payload).ends_with("EUR 0.300000 3"));
}

#[test]
fn reads_what_python_writes() {
    // json.dumps with its defaults: a space after each separator, ASCII only.
    let payload = concat!(
        r#"{"orderId": "o-1", "productId": "p", "productName": "Caf\u00e9 \"Noir\" 1\/2", "#,
        r#""productCategory": "\u00c9picerie", "productPrice": 123.2, "productQuantity": 3, "productBrand": null, "#,
        r#""currency": "FCFA", "customerId": "c", "orderDate": "2023-10-01T12:34:56.123456", "#,
        r#""paymentMethod": "ORANGE_MONEY", "totalAmount": 369.59999999999997}"#
    );
    assert_eq!(summary(payload), "o-1 Café \"Noir\" 1/2 2023-10-01 Épicerie ORANGE_MONEY FCFA 369.600000 3 rounded");
    let details = decode(payload).expect("an order").0.details.expect("kept");
    assert_eq!(details.product_name.as_deref(), Some(r#"Café "Noir" 1/2"#));
    assert_eq!(details.product_brand, None);
}

#[test]
fn ignores_what_it_does_not_know() {
    let known = order("", "");
    let body = known.trim_start_matches('{');
    let payload = format!(
        "{{\"x\":[1,{{\"orderId\":2,\"orderId\":3}},\"\\ud800\"],\"huge\":1e999,\"y\":{{\"z\":{{}}}}, \n\"\":null,{body}"
    );
    assert_eq!(summary(&payload), summary(&known));
    assert_eq!(fingerprint(&payload), fingerprint(&known));
}

#[test]
fn every_rejection_names_its_field() {
    let long = format!("\"{}\"", "x".repeat(513));
    for (member, value, expected) in [
        ("orderId", "", "field `orderId` is missing"),
        ("orderId", "null", "field `orderId` is missing"),
        ("orderId", r#""""#, "field `orderId`: is empty"),
        ("orderId", "1.5", "field `orderId`: expected a string or a whole number, found a number `1.5`"),
        ("orderId", "1e3", "field `orderId`: expected a string or a whole number, found a number `1e3`"),
        ("orderId", "[1]", "field `orderId`: expected a string or a whole number, found an array `[1]`"),
        ("orderId", r#""a\u0000b""#, "field `orderId`: holds the character U+0000, which no database keeps"),
        ("orderId", &long, "field `orderId`: has 513 bytes, more than 255"),
        ("orderId", r#""\ud800""#, "field `orderId`: an escape stands for half a character (a lone surrogate)"),
        ("productId", "true", "field `productId`: expected a string or a whole number, found a boolean `true`"),
        ("productName", "7", "field `productName`: expected a string, found a number `7`"),
        ("productName", r#""\u0000""#, "field `productName`: holds the character U+0000, which no database keeps"),
        ("productBrand", "{}", "field `productBrand`: expected a string, found an object `{}`"),
        ("customerId", "2.5", "field `customerId`: expected a string or a whole number, found a number `2.5`"),
        ("productCategory", "1", "field `productCategory`: expected a string, found a number `1`"),
        ("productCategory", &long, "field `productCategory`: has 513 bytes, more than 255"),
        ("paymentMethod", "false", "field `paymentMethod`: expected a string, found a boolean `false`"),
        ("currency", "978", "field `currency`: expected a string, found a number `978`"),
        ("currency", r#""ABCDEFGHIJKLMNOPQ""#, "field `currency`: `ABCDEFGHIJKLMNOPQ` is longer than 16 bytes"),
        ("orderDate", "", "field `orderDate` is missing"),
        (
            "orderDate",
            r#""2023-02-30T00:00:00""#,
            "field `orderDate`: `2023-02-30T00:00:00` is a date that does not exist",
        ),
        (
            "orderDate",
            r#""yesterday""#,
            "field `orderDate`: `yesterday` is no ISO 8601 date and time such as 2026-11-22T12:34:56.123",
        ),
        (
            "orderDate",
            r#""2023-01-01T25:00:00""#,
            "field `orderDate`: `2023-01-01T25:00:00` is a time of day or an offset that does not exist",
        ),
        (
            "orderDate",
            "99999999999999999999",
            "field `orderDate`: `99999999999999999999` is not within the years 1 to 9999",
        ),
        (
            "orderDate",
            "1.5",
            "field `orderDate`: expected an ISO 8601 string or milliseconds since 1970, found a number `1.5`",
        ),
        ("productQuantity", "1.5", "field `productQuantity`: `1.5` is not a whole number"),
        ("productQuantity", "1.00000000001", "field `productQuantity`: `1.00000000001` is not a whole number"),
        (
            "productQuantity",
            "1000000001",
            "field `productQuantity`: `1000000001` is out of range (more than 1000000000)",
        ),
        ("productQuantity", r#""two""#, "field `productQuantity`: `two` is not a decimal number"),
        ("productPrice", "[]", "field `productPrice`: expected an amount, found an array `[]`"),
        ("totalAmount", r#""abc""#, "field `totalAmount`: `abc` is not a decimal number"),
        ("totalAmount", r#""""#, "field `totalAmount`: `` is not a decimal number"),
        ("totalAmount", "1e400", "field `totalAmount`: `1e400` is out of range (over nine trillion)"),
        ("totalAmount", "true", "field `totalAmount`: expected an amount, found a boolean `true`"),
        ("totalAmount", "NaN", "not a JSON object of this format: expected a value at byte 303"),
        ("totalAmount", "1,\"totalAmount\":1", "field `totalAmount` appears twice"),
        ("totalAmount", "1,\"total\\u0041mount\":1", "field `totalAmount` appears twice"),
        ("totalAmount", "1,\"x\":1,\"y\":2,\"\\u0078\":3", "field `x` appears twice"),
    ] {
        assert_eq!(reason(&order(member, value)), expected, "{member}: {value}");
    }
    let neither = order("totalAmount", "").replace(r#""productPrice":12.50,"#, "");
    assert_eq!(reason(&neither), "field `totalAmount` is missing");
    let product = order("totalAmount", "").replace("12.50", "9000000000000");
    assert_eq!(reason(&product), "field `productPrice`: times `productQuantity` is out of range");
}

#[test]
fn rejects_what_is_no_object() {
    for (payload, expected) in [
        ("", "expected an object at byte 0"),
        ("null", "expected an object at byte 0"),
        ("[]", "expected an object at byte 0"),
        ("hello", "expected an object at byte 0"),
        ("{\"orderId\":", "expected a value at byte 11"),
        ("{} {}", "expected the end at byte 3"),
    ] {
        assert_eq!(reason(payload), format!("not a JSON object of this format: {expected}"), "{payload}");
    }
    let reject = |payload: &[u8]| Readings::new(SETTINGS).said(None, Some(payload)).expect_err("not UTF-8");
    let latin = order("", "").replace("Kitchen", "K?chen").into_bytes();
    let latin: Vec<u8> = latin.into_iter().map(|byte| if byte == b'?' { 0xfc } else { byte }).collect();
    assert!(reject(&latin).starts_with("not a JSON object of this format: invalid UTF-8 at byte "));
    // What producers put before the JSON is named, whatever follows it.
    let whole = order("", "").into_bytes();
    for (before, expected) in [
        (&b"\xef\xbb\xbf"[..], "begins with a byte order mark (EF BB BF)"),
        (b"\0\0\0\0\x07", "begins with a Schema Registry header (schema id 7), and takings reads plain JSON"),
        (b"\0\0\x01\xff\xff\x02\x06", "begins with a Schema Registry header (schema id 131071)"),
    ] {
        let reason = reject(&[before, &whole].concat());
        assert!(reason.starts_with(&format!("not a JSON object of this format: {expected}")), "{reason}");
    }
    assert!(reject(b"\0\0\0\0").ends_with("expected an object at byte 0"));
    assert_eq!(reject(&[b' '; LIMIT + 1]), "payload of at least 4001 bytes is over the limit of 4000");
}

#[test]
fn a_record_without_payload_cancels_the_order_of_its_key() {
    let decode = |key: Option<&[u8]>| Readings::new(SETTINGS).said(key, None);
    assert_eq!(decode(Some(b"o-1")), Ok("o-1 cancelled".to_owned()));
    assert_eq!(decode(Some(b"42")), Ok("42 cancelled".to_owned()));
    assert_eq!(decode(Some(br#""42""#)), Ok("42 cancelled".to_owned()));
    assert_eq!(decode(Some("\"\\u00e9\"".as_bytes())), Ok("é cancelled".to_owned()));
    assert_eq!(decode(Some(b"\"open")), Ok("\"open cancelled".to_owned()));
    // An object holds the id somewhere; braces alone make none.
    for (key, what) in [
        (r#"{"orderId":42}"#, "a JSON object"),
        (" {\"schema\": {\"type\": \"string\"}, \"payload\": \"42\"}\n", "a JSON object"),
        ("{}", "a JSON object"),
        ("[1]", "a JSON array"),
        ("[ ]", "a JSON array"),
    ] {
        let expected = format!("field `key`: is {what}, which names no order");
        assert_eq!(decode(Some(key.as_bytes())), Err(expected), "{key}");
    }
    for id in ["{0B9F0B1E-6F7A-4C1D-9D0E-0123456789AB}", "[A]", "{\"a\":1", "[1]{"] {
        assert_eq!(decode(Some(id.as_bytes())), Ok(format!("{id} cancelled")), "{id}");
    }
    let empty = Err("neither key nor payload, so no order is named".to_owned());
    assert_eq!(decode(None), empty);
    assert_eq!(decode(Some(b"")), empty);
    assert_eq!(decode(Some(b"\"\"")), empty);
    assert_eq!(decode(Some(b"\xff")), Err("field `key`: invalid UTF-8 at byte 0".to_owned()));
    assert_eq!(
        decode(Some(b"a\0")),
        Err("field `key`: holds the character U+0000, which no database keeps".to_owned())
    );
    assert_eq!(decode(Some(&[b'x'; 513])), Err("field `key`: has 513 bytes, more than 255".to_owned()));
}

#[test]
fn the_payload_names_its_order_whatever_the_key() {
    let payload = order("orderId", r#""mine""#);
    let said = Readings::new(SETTINGS).said(Some(b"another"), Some(payload.as_bytes()));
    assert!(said.expect("an order").starts_with("mine "));
}

#[test]
fn the_product_is_the_name_or_the_id() {
    let by_id = format!("{SETTINGS}product_key = \"id\"\n");
    let both = |payload: &str| {
        let product =
            |said: Result<String, String>| said.map(|said| said.split(' ').nth(1).unwrap_or_default().to_owned());
        (product(Readings::new(SETTINGS).read(payload)), product(Readings::new(&by_id).read(payload)))
    };
    let ok = |one: &str, other: &str| (Ok(one.to_owned()), Ok(other.to_owned()));
    assert_eq!(both(&order("", "")), ok("Kettle", "p-1"));
    assert_eq!(both(&order("productId", "42")), ok("Kettle", "42"));
    for nothing in ["", "null", r#""""#] {
        assert_eq!(both(&order("productName", nothing)), ok("unknown", "p-1"), "{nothing}");
        assert_eq!(both(&order("productId", nothing)), ok("Kettle", "unknown"), "{nothing}");
    }
    // A name that is too long to tell products apart by is any text where it does not.
    let long = order("productName", &format!("\"{}\"", "é".repeat(128)));
    let reason = "field `productName`: has 256 bytes, more than 255".to_owned();
    assert_eq!(both(&long), (Err(reason), Ok("p-1".to_owned())));
}

#[test]
fn the_same_content_has_the_same_fingerprint_however_it_is_written() {
    let payload = order("", "");
    let value: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&payload).expect("JSON");
    let backwards: serde_json::Map<_, _> = value.into_iter().rev().collect();
    let pretty = serde_json::to_string_pretty(&backwards).expect("JSON");
    assert_eq!(fingerprint(&pretty.replace("Kettle", "\\u004bettle")), fingerprint(&payload));
    assert_eq!(fingerprint(&order("totalAmount", "\"25\"")), fingerprint(&payload));
    assert_eq!(fingerprint(&order("currency", "")), fingerprint(&payload));
    assert_eq!(fingerprint(&order("productCategory", "")), fingerprint(&order("productCategory", r#""""#)));
    assert_ne!(fingerprint(&order("productCategory", "")), fingerprint(&order("productCategory", "\"unlisted\"")));

    let mut seen = std::collections::HashSet::from([fingerprint(&payload)]);
    for (member, value) in [
        ("productId", "\"p-2\""),
        ("productName", "\"Pan\""),
        ("productName", ""),
        ("productName", "\"\""),
        ("productCategory", "\"Home\""),
        ("productPrice", "12.51"),
        ("productPrice", ""),
        ("productQuantity", "3"),
        ("productBrand", ""),
        ("currency", "\"USD\""),
        ("customerId", "\"c-2\""),
        ("orderDate", "\"2023-10-01T12:34:56.123457\""),
        ("paymentMethod", "\"CASH\""),
        ("totalAmount", "25.000001"),
    ] {
        assert!(seen.insert(fingerprint(&order(member, value))), "{member}: {value}");
    }
}

/// Kept orders hold fingerprints, so a change here is a change of schema.
#[test]
fn the_fingerprint_is_fixed() {
    assert_eq!(format!("{:016x}", fingerprint(&order("", ""))), "f8c1e01e5d6d4b11");
}

thread_local! {
    /// One for all cases: what it learned of a payload must not colour the next.
    static WARM: RefCell<Readings> = RefCell::new(Readings::new(SETTINGS));
}

fn agree(key: Option<&[u8]>, payload: Option<&[u8]>) -> Result<(), TestCaseError> {
    Ok(WARM.with_borrow_mut(|readings| readings.agree(key, payload))?)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn agrees_with_the_plain_reading(payload in any_object(&MEMBERS)) {
        agree(None, Some(payload.as_bytes()))?;
    }

    #[test]
    fn agrees_on_torn_bytes(payload in any_object(&MEMBERS), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut payload = payload.into_bytes();
        let at = at.index(payload.len());
        payload[at] = byte;
        agree(None, Some(&payload))?;
        agree(None, Some(&payload[..at]))?;
    }

    #[test]
    fn agrees_on_what_is_a_correction(one in any_object(&MEMBERS), other in any_object(&MEMBERS)) {
        WARM.with_borrow_mut(|readings| readings.agree_on_pair(&one, &other))?;
    }

    #[test]
    fn agrees_on_keys(key in prop_oneof![any::<Vec<u8>>(), value().prop_map(String::into_bytes)]) {
        agree(Some(&key), None)?;
    }
}
