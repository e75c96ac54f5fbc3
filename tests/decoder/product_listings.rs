//! `product_listings`.

use std::cell::RefCell;

use proptest::prelude::*;

use super::agreement::{any_object, object, value};
use super::readings::Readings;

const SETTINGS: &str = "topics = [\"product_listings\"]\n";

const MEMBERS: [(&str, &str); 5] = [
    ("product_id", "1042"),
    ("name", r#""Kettle 1.7 l""#),
    ("category", r#""Kitchen""#),
    ("price", "49.90"),
    ("timestamp", r#""2023-10-01T12:34:56.123456""#),
];

fn listing(member: &str, with: &str) -> String {
    object(&MEMBERS, member, with)
}

#[test]
fn reads_a_listing_and_its_lenient_spellings() {
    let long = "n".repeat(4_096);
    for (member, value, expected) in [
        ("", "", "1042 Kettle 1.7 l Kitchen 49.900000"),
        ("product_id", r#""1042""#, "1042 Kettle 1.7 l Kitchen 49.900000"),
        ("product_id", r#""p/ü""#, "p/ü Kettle 1.7 l Kitchen 49.900000"),
        ("name", "", "1042 - Kitchen 49.900000"),
        ("name", "null", "1042 - Kitchen 49.900000"),
        ("name", r#""""#, "1042 - Kitchen 49.900000"),
        ("name", &format!("\"{long}\""), &format!("1042 {long} Kitchen 49.900000")),
        ("category", "", "1042 Kettle 1.7 l - 49.900000"),
        ("category", "null", "1042 Kettle 1.7 l - 49.900000"),
        ("category", r#""""#, "1042 Kettle 1.7 l - 49.900000"),
        ("price", "", "1042 Kettle 1.7 l Kitchen -"),
        ("price", r#""0""#, "1042 Kettle 1.7 l Kitchen 0.000000"),
        ("price", "0.30000000000000004", "1042 Kettle 1.7 l Kitchen 0.300000 rounded"),
        // Which listing is newest is the log's to say.
        ("timestamp", "", "1042 Kettle 1.7 l Kitchen 49.900000"),
        ("timestamp", r#""yesterday""#, "1042 Kettle 1.7 l Kitchen 49.900000"),
    ] {
        assert_eq!(Readings::new(SETTINGS).read(&listing(member, value)).as_deref(), Ok(expected), "{member}: {value}");
    }
}

#[test]
fn every_rejection_names_its_field() {
    let long = format!("\"{}\"", "x".repeat(256));
    let longer = format!("\"{}\"", "x".repeat(4_097));
    for (member, value, expected) in [
        ("product_id", "", "field `product_id` is missing"),
        ("product_id", "null", "field `product_id` is missing"),
        ("product_id", r#""""#, "field `product_id`: is empty"),
        ("product_id", "1e3", "field `product_id`: expected a string or a whole number, found a number `1e3`"),
        ("product_id", &long, "field `product_id`: has 256 bytes, more than 255"),
        ("name", "7", "field `name`: expected a string, found a number `7`"),
        ("name", &longer, "field `name`: has 4097 bytes, more than 4096"),
        ("name", r#""a\u0000""#, "field `name`: holds the character U+0000, which no database keeps"),
        ("category", "7", "field `category`: expected a string, found a number `7`"),
        ("category", &long, "field `category`: has 256 bytes, more than 255"),
        ("category", r#""\udc00""#, "field `category`: an escape stands for half a character (a lone surrogate)"),
        ("price", r#""on request""#, "field `price`: `on request` is not a decimal number"),
        ("price", "[]", "field `price`: expected an amount, found an array `[]`"),
        ("price", "1e400", "field `price`: `1e400` is out of range (over nine trillion)"),
        ("price", r#"1,"price":1"#, "field `price` appears twice"),
        ("price", "", "not a JSON object of this format: expected an object at byte 0"),
    ] {
        let payload = if member == "price" && value.is_empty() { "[]".to_owned() } else { listing(member, value) };
        assert_eq!(Readings::new(SETTINGS).read(&payload), Err(expected.to_owned()), "{member}: {value}");
    }
}

#[test]
fn a_record_without_payload_withdraws_the_listing_of_its_key() {
    let said = |key: Option<&[u8]>| Readings::new(SETTINGS).said(key, None);
    assert_eq!(said(Some(b"1042")).as_deref(), Ok("1042 withdrawn"));
    assert_eq!(said(Some(br#""1042""#)).as_deref(), Ok("1042 withdrawn"));
    assert_eq!(said(None), Err("neither key nor payload, so no listing is named".to_owned()));
}

thread_local! {
    /// One for all cases: what it learned of a payload must not colour the next.
    static WARM: RefCell<Readings> = RefCell::new(Readings::new(SETTINGS));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn agrees_with_the_plain_reading(payload in any_object(&MEMBERS), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        WARM.with_borrow_mut(|readings| {
            readings.agree(None, Some(payload.as_bytes()))?;
            let mut torn = payload.into_bytes();
            let at = at.index(torn.len());
            torn[at] = byte;
            readings.agree(None, Some(&torn))?;
            readings.agree(None, Some(&torn[..at]))
        })?;
    }

    #[test]
    fn agrees_on_keys(key in prop_oneof![any::<Vec<u8>>(), value().prop_map(String::into_bytes)]) {
        WARM.with_borrow_mut(|readings| readings.agree(Some(&key), None))?;
    }
}
