//! What no shop should send: one sort of fault after the other.

use super::event::Topic;

/// Key and payload of a record.
type Sent = (Option<Vec<u8>>, Option<Vec<u8>>);

/// The sorts of faults of `product_sold`.
const SORTS: u64 = 15;

/// Makes a sound record of a topic unreadable, in the `number`th way.
pub(super) fn spoil(topic: Topic, number: u64, key: Vec<u8>, payload: &[u8]) -> Sent {
    let text = String::from_utf8_lossy(payload).into_owned();
    let faults = match topic {
        Topic::ProductSold => return product_sold(number, key, &text),
        Topic::Transactions => [
            replace(&text, "transaction_id", "id"),
            member(&text, "transaction_id", "\"\""),
            replace(&text, "amount", "sum"),
            member(&text, "amount", "\"a lot\""),
            member(&text, "amount", "true"),
            with(&text, "timestamp", "\"yesterday\""),
            replace(&text, "timestamp", "when"),
        ],
        Topic::ProductListings => [
            replace(&text, "product_id", "id"),
            member(&text, "product_id", "null"),
            member(&text, "product_id", "1.5"),
            member(&text, "price", "\"free\""),
            member(&text, "price", "[12.5]"),
            member(&text, "price", "1e40"),
            replace(&text, "name", "product_id"),
        ],
        Topic::Feedback => [
            member(&text, "rating", "0"),
            member(&text, "rating", "6"),
            member(&text, "rating", "4.5"),
            replace(&text, "rating", "stars"),
            replace(&text, "feedback_id", "id"),
            replace(&text, "product_id", "product"),
            member(&text, "rating", "\"great\""),
        ],
    };
    let sorts = faults.len() as u64 + 3;
    match number % sorts {
        // Half of it, nothing of it, and no JSON at all.
        0 => (None, Some(half(&text))),
        1 => (None, None),
        2 => (None, Some(b"the shop is closed".to_vec())),
        fault => (None, faults.into_iter().nth((fault - 3) as usize)),
    }
}

fn product_sold(number: u64, key: Vec<u8>, text: &str) -> Sent {
    let payload = match number % SORTS {
        0 => half(text),
        1 => replace(text, "orderId", "order_id"),
        2 => member(text, "orderId", "\"\""),
        3 => replace(text, "orderDate", "order_date"),
        4 => member(text, "orderDate", "\"2026-02-30T12:00:00\""),
        5 => member(text, "orderDate", "\"yesterday\""),
        6 => with(text, "totalAmount", "\"a lot\""),
        7 => with(text, "totalAmount", "1e15"),
        8 => [text.trim_end_matches('}'), ",\"currency\":\"EUR\"}"].concat().into_bytes(),
        9 => {
            let mut bytes = member(text, "productBrand", "\"?\"");
            if let Some(byte) = bytes.iter_mut().find(|byte| **byte == b'?') {
                *byte = 0xff;
            }
            bytes
        }
        10 => b"the shop is closed".to_vec(),
        11 => member(text, "productQuantity", "1.5"),
        12 => member(text, "productCategory", "7"),
        13 => member(text, "productName", "\"\\u0000\""),
        _ => return (None, None),
    };
    (Some(key), Some(payload))
}

fn half(text: &str) -> Vec<u8> {
    text[..text.floor_char_boundary(text.len() / 2)].to_owned().into_bytes()
}

fn replace(text: &str, name: &str, other: &str) -> Vec<u8> {
    text.replacen(&format!("\"{name}\""), &format!("\"{other}\""), 1).into_bytes()
}

/// Puts `value` in place of a member that is there, and is not the last.
fn member(text: &str, name: &str, value: &str) -> Vec<u8> {
    let start = text.find(&format!("\"{name}\":")).map(|at| at + name.len() + 3);
    let spoiled = start.and_then(|start| {
        let end = start + text[start..].find(",\"")?;
        Some(format!("{}{value}{}", &text[..start], &text[end..]))
    });
    spoiled.unwrap_or_default().into_bytes()
}

/// Ends the object with this member in place of its own.
fn with(text: &str, name: &str, value: &str) -> Vec<u8> {
    let end = text.find(&format!(",\"{name}\"")).unwrap_or(text.len() - 1);
    format!("{},\"{name}\":{value}}}", &text[..end]).into_bytes()
}
