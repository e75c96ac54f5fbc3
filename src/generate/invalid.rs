//! What no shop should send: one sort of fault after the other.

/// Key and payload of a record.
type Sent = (Option<Vec<u8>>, Option<Vec<u8>>);

/// The sorts of faults.
const SORTS: u64 = 15;

/// Makes a sound order unreadable, in the `number`th way.
pub(super) fn spoil(number: u64, key: Vec<u8>, order: &[u8]) -> Sent {
    let text = String::from_utf8_lossy(order).into_owned();
    let payload = match number % SORTS {
        0 => text[..text.floor_char_boundary(text.len() / 2)].to_owned().into_bytes(),
        1 => replace(&text, "orderId", "order_id"),
        2 => member(&text, "orderId", "\"\""),
        3 => replace(&text, "orderDate", "order_date"),
        4 => member(&text, "orderDate", "\"2026-02-30T12:00:00\""),
        5 => member(&text, "orderDate", "\"yesterday\""),
        6 => with(&text, "totalAmount", "\"a lot\""),
        7 => with(&text, "totalAmount", "1e15"),
        8 => [text.trim_end_matches('}'), ",\"currency\":\"EUR\"}"].concat().into_bytes(),
        9 => {
            let mut bytes = member(&text, "productBrand", "\"?\"");
            if let Some(byte) = bytes.iter_mut().find(|byte| **byte == b'?') {
                *byte = 0xff;
            }
            bytes
        }
        10 => b"the shop is closed".to_vec(),
        11 => member(&text, "productQuantity", "1.5"),
        12 => member(&text, "productCategory", "7"),
        13 => member(&text, "productName", "\"\\u0000\""),
        _ => return (None, None),
    };
    (Some(key), Some(payload))
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
