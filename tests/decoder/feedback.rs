//! `feedback`.

use super::agreement::{agree_on_any_bytes, object};
use super::readings::Readings;

const SETTINGS: &str = "topics = [\"feedback\"]\n";

const MEMBERS: [(&str, &str); 6] = [
    ("feedback_id", r#""f-1""#),
    ("product_id", "1042"),
    ("user_id", "7"),
    ("rating", "4"),
    ("comment", r#""Très bien 😀""#),
    ("timestamp", r#""2023-10-01T12:34:56.123456""#),
];

fn feedback(member: &str, with: &str) -> String {
    object(&MEMBERS, member, with)
}

#[test]
fn reads_feedback_and_its_lenient_spellings() {
    for (member, value, expected) in [
        ("", "", "f-1 1042 4"),
        ("feedback_id", "42", "42 1042 4"),
        ("feedback_id", r#""42""#, "42 1042 4"),
        ("product_id", r#""1042""#, "f-1 1042 4"),
        ("rating", "5.0", "f-1 1042 5"),
        ("rating", r#""5""#, "f-1 1042 5"),
        ("rating", "1e0", "f-1 1042 1"),
        // All else can be anything: nobody's rating is lost for half an emoji.
        ("comment", r#""cut \ud83d""#, "f-1 1042 4"),
        ("comment", r#""\u0000""#, "f-1 1042 4"),
        ("comment", r#"{"text":["x"]}"#, "f-1 1042 4"),
        ("comment", "", "f-1 1042 4"),
        ("user_id", "1.5", "f-1 1042 4"),
        ("timestamp", r#""yesterday""#, "f-1 1042 4"),
        ("timestamp", "", "f-1 1042 4"),
    ] {
        assert_eq!(
            Readings::new(SETTINGS).read(&feedback(member, value)).as_deref(),
            Ok(expected),
            "{member}: {value}"
        );
    }
}

#[test]
fn every_rejection_names_its_field() {
    let long = format!("\"{}\"", "x".repeat(256));
    for (member, value, expected) in [
        ("feedback_id", "", "field `feedback_id` is missing"),
        ("feedback_id", r#""""#, "field `feedback_id`: is empty"),
        ("feedback_id", "[]", "field `feedback_id`: expected a string or a whole number, found an array `[]`"),
        ("feedback_id", &long, "field `feedback_id`: has 256 bytes, more than 255"),
        ("product_id", "", "field `product_id` is missing"),
        ("product_id", "null", "field `product_id` is missing"),
        ("product_id", r#""""#, "field `product_id`: is empty"),
        ("product_id", "0.5", "field `product_id`: expected a string or a whole number, found a number `0.5`"),
        ("rating", "", "field `rating` is missing"),
        ("rating", "null", "field `rating` is missing"),
        ("rating", "0", "field `rating`: `0` is not 1 to 5"),
        ("rating", "6", "field `rating`: `6` is not 1 to 5"),
        ("rating", "-1", "field `rating`: `-1` is not 1 to 5"),
        ("rating", "4.5", "field `rating`: `4.5` is not a whole number"),
        ("rating", "5.0000001", "field `rating`: `5.0000001` is not a whole number"),
        ("rating", r#""good""#, "field `rating`: `good` is not a decimal number"),
        ("rating", "true", "field `rating`: expected a whole number, found a boolean `true`"),
        ("rating", "1e400", "field `rating`: `1e400` is out of range (over nine trillion)"),
        ("rating", r#"5,"rating":1"#, "field `rating` appears twice"),
    ] {
        let reason = Readings::new(SETTINGS).read(&feedback(member, value));
        assert_eq!(reason, Err(expected.to_owned()), "{member}: {value}");
    }
}

#[test]
fn a_record_without_payload_withdraws_the_feedback_of_its_key() {
    let said = |key: Option<&[u8]>| Readings::new(SETTINGS).said(key, None);
    assert_eq!(said(Some(b"f-1")).as_deref(), Ok("f-1 withdrawn"));
    assert_eq!(said(Some(br#""f-1""#)).as_deref(), Ok("f-1 withdrawn"));
    assert_eq!(said(None), Err("neither key nor payload, so no feedback is named".to_owned()));
}

#[test]
fn the_same_content_has_the_same_fingerprint_however_it_is_written() {
    let mut readings = Readings::new(SETTINGS);
    let first = readings.fingerprint(&feedback("", ""));
    for (member, value) in [
        ("rating", "4.0"),
        ("rating", r#""4""#),
        ("user_id", r#""7""#),
        ("product_id", r#""1042""#),
        ("comment", r#""Tr\u00e8s bien \ud83d\ude00""#),
        ("comment", r#""Très bien 😀","x":1"#),
    ] {
        assert_eq!(readings.fingerprint(&feedback(member, value)), first, "{member}: {value}");
    }
    let mut seen = std::collections::HashSet::from([first]);
    for (member, value) in [
        ("feedback_id", "1"),
        ("product_id", "7"),
        ("rating", "5"),
        ("comment", r#""Bien""#),
        ("comment", r#""""#),
        ("comment", ""),
        ("user_id", "8"),
        ("user_id", ""),
        ("timestamp", ""),
        ("timestamp", "1"),
    ] {
        assert!(seen.insert(readings.fingerprint(&feedback(member, value))), "{member}: {value}");
    }
}

agree_on_any_bytes!(SETTINGS, MEMBERS);
