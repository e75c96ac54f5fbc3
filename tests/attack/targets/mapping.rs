//! Any mapping on any payload: what the decoder finds is what `serde_json` has at that pointer.

use std::fmt::Write;

use serde_json::Value;
use takings::audit::plain::{self, Plain, Rules};
use takings_dataflows::event::Event;

use super::bytes::Bytes;
use crate::readings::{Readings, config};

/// Names that pointers and payloads share: plain, empty, escaped, numbers, and one that is another's beginning.
const NAMES: [&str; 10] = ["a", "b", "", "0", "1", "01", "a/b", "m~n", "é", "ab"];

const KINDS: [(&str, &[&str]); 3] = [
    (
        "order",
        &[
            "order_id",
            "ordered_at",
            "amount",
            "price",
            "quantity",
            "product",
            "category",
            "currency",
            "payment_method",
            "product_name",
            "product_brand",
            "customer_id",
        ],
    ),
    ("listing", &["product", "name", "category", "price"]),
    ("feedback", &["feedback_id", "product", "rating", "comment", "user_id", "timestamp"]),
];

/// The first bytes choose a mapping and a payload's shape; what is left is the payload itself, where the shape
/// says so.
pub fn attack(data: &[u8]) {
    let mut bytes = Bytes(data);
    let settings = mapping(&mut bytes);
    let Ok(config) = config(&settings) else { return };
    let payload = if bytes.one_in(2) { bytes.text().into_owned() } else { value(&mut bytes, 4) };
    let mut readings = Readings::of(&config);
    let payload_bytes = payload.as_bytes();
    readings.agree(None, Some(payload_bytes)).unwrap_or_else(|error| panic!("{error}\n{settings}\n{payload}"));
    as_serde_json_has_it(&settings, &payload, &mut readings);
    // A payload cut short is none, in both readings.
    readings
        .agree(None, Some(&payload_bytes[..payload_bytes.len() / 2]))
        .unwrap_or_else(|error| panic!("{error}\n{settings}\n{payload} cut in half"));
    let rules = Rules::of(&config);
    let said = plain::read(&config.topics[0], None, Some(payload_bytes), &rules);
    assert_eq!(matches!(said, Plain::Rejected(_)), readings.decode(None, Some(payload_bytes)).is_err());
}

/// Where a listing is read: its texts are what `serde_json::Value::pointer` finds, whatever the plain reading
/// says of them.
fn as_serde_json_has_it(settings: &str, payload: &str, readings: &mut Readings) {
    let Ok((Event::Listing(event), _)) = readings.decode(None, Some(payload.as_bytes())) else { return };
    // Half of a surrogate pair in a text that nobody reads is no fault of the record; a `Value` reads all of them.
    let Ok(whole) = serde_json::from_str::<Value>(payload) else { return };
    let table: toml::Table = toml::from_str(settings).expect("accepted, so it is TOML");
    let content = event.content.expect("with a payload");
    let found = [
        ("product", Some(event.product.text().to_owned())),
        ("name", content.name.map(|name| name.text().to_owned())),
        ("category", content.category.map(|category| category.text().to_owned())),
    ];
    for (field, read) in found {
        let Some(pointer) = table["mapping"]["t"].get(field).and_then(toml::Value::as_str) else { continue };
        // Of a member that is there twice serde_json has the last one, and takings has refused it.
        let there = match whole.pointer(pointer) {
            Some(Value::String(text)) if text.is_empty() => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        // Whole numbers past 64 bits are read as they are written; a `Value` rounds them.
        if there.as_ref().is_some_and(|text| text.contains(['e', '.'])) {
            continue;
        }
        assert_eq!(read, there, "{field} at {pointer}\n{settings}\n{payload}");
    }
}

fn mapping(bytes: &mut Bytes<'_>) -> String {
    let (kind, fields) = *bytes.pick(&KINDS);
    let mut text = format!("topics = [\"t\"]\nkeep_orders = {}\n[mapping.t]\nkind = \"{kind}\"\n", bytes.one_in(2));
    for field in fields {
        let pointer = pointer(bytes);
        // Quoted as TOML quotes: the names hold nothing that would need more.
        let _ = match bytes.below(8) {
            0 => Ok(()),
            1 => writeln!(text, "{field} = {{ pointer = \"{pointer}\", scale = {} }}", bytes.below(13)),
            2 => writeln!(text, "{field} = {{ pointer = \"{pointer}\", default = \"{}\" }}", bytes.below(6)),
            3 => {
                let format = bytes.pick(&["iso", "epoch_seconds", "epoch_millis", "epoch_micros"]);
                writeln!(
                    text,
                    "{field} = {{ pointer = \"{pointer}\", format = \"{format}\", time_zone = \"Asia/Tehran\" }}"
                )
            }
            4 => writeln!(text, "{field} = {{ constant = \"{}\" }}", bytes.below(6)),
            _ => writeln!(text, "{field} = \"{pointer}\""),
        };
    }
    text
}

fn pointer(bytes: &mut Bytes<'_>) -> String {
    (0..=bytes.below(3)).map(|_| format!("/{}", bytes.pick(&NAMES).replace('~', "~0").replace('/', "~1"))).collect()
}

/// JSON of these names, now and then with one twice or spelt with escapes.
fn value(bytes: &mut Bytes<'_>, depth: usize) -> String {
    let whole = depth == 4;
    match if whole { 0 } else { bytes.below(12) } {
        0..=3 if depth > 0 => {
            let members = (0..=bytes.below(6)).map(|_| {
                let name = *bytes.pick(&NAMES);
                let name = match name.chars().next() {
                    Some(first) if bytes.one_in(8) => {
                        format!("\\u{:04X}{}", u32::from(first), &name[first.len_utf8()..])
                    }
                    _ => name.to_owned(),
                };
                format!("\"{name}\":{}", value(bytes, depth - 1))
            });
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        4 | 5 if depth > 0 => {
            let items = (0..bytes.below(4)).map(|_| value(bytes, depth - 1)).collect::<Vec<_>>();
            format!("[{}]", items.join(" , "))
        }
        6 => "null".to_owned(),
        7 => format!("{}", bytes.below(6)),
        8 => (*bytes.pick(&["1700000000", "-0", "1e3", "12.5", "1.5e-3", "123456789012345678901", "0.0000005"]))
            .to_owned(),
        9 => (*bytes.pick(&["\"\"", "\"5\"", "\"\\ud83d\\ude00\"", "\"\\ud83d\"", "\"\\u0000\"", "\" x \"", "true"]))
            .to_owned(),
        10 => {
            (*bytes.pick(&["\"2023-10-01\"", "\"2023-10-01T22:00:00Z\"", "\"1700000000.5\"", "\"12.50\"", "\"EUR\""]))
                .to_owned()
        }
        _ => format!("\"{}\"", bytes.pick(&NAMES)),
    }
}
