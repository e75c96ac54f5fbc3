//! Texts as amounts: the fast reader, the plain one, and a sum by hand, digit by digit, agree.

use std::cell::RefCell;

use serde_json::Value;
use takings_dataflows::amount::{Amount, AmountError, ParsedAmount};

use crate::readings::Readings;

thread_local! {
    static WARM: RefCell<Vec<Readings>> = RefCell::new(
        ["topics = [\"transactions\"]\nkeep_orders = true\n", "keep_orders = true\n"]
            .map(Readings::new)
            .into_iter()
            .collect(),
    );
}

/// The bytes as a text: by itself, as a string and as a number of a payload, and as a price and a quantity.
pub fn attack(data: &[u8]) {
    let by_hand = read(data);
    assert_eq!(Amount::parse(data), by_hand, "{}", String::from_utf8_lossy(data));
    if let Ok(ParsedAmount { amount, .. }) = by_hand {
        assert_eq!(amount.to_string().parse(), Ok(amount), "it reads what it writes");
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    let quoted = Value::from(text).to_string();
    for amount in [quoted.as_str(), text] {
        let payloads = [
            format!("{{\"transaction_id\": 1, \"timestamp\": \"2023-10-01\", \"amount\": {amount}}}"),
            format!(
                "{{\"orderId\": 1, \"orderDate\": \"2023-10-01\", \"productPrice\": {amount}, \"productQuantity\": 3}}"
            ),
            format!(
                "{{\"orderId\": 1, \"orderDate\": \"2023-10-01\", \"productPrice\": 0.1, \"productQuantity\": {amount}}}"
            ),
        ];
        WARM.with_borrow_mut(|all| {
            for readings in all.iter_mut() {
                for payload in &payloads {
                    readings.agree(None, Some(payload.as_bytes())).unwrap_or_else(|error| panic!("{error}\n{payload}"));
                }
            }
        });
    }
}

/// By hand: the digits around a moved point, as text.
fn read(text: &[u8]) -> Result<ParsedAmount, AmountError> {
    let text = std::str::from_utf8(text).map_err(|_| AmountError::NotDecimal)?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (is_negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => {
            let (is_negative, unsigned) = match exponent.strip_prefix('-') {
                Some(rest) => (true, rest),
                None => (false, exponent.strip_prefix('+').unwrap_or(exponent)),
            };
            if !digits(unsigned) {
                return Err(AmountError::NotDecimal);
            }
            // An exponent of ten digits is as good as any greater one.
            let value = unsigned.trim_start_matches('0');
            let value: i64 = if value.len() > 9 { 1_000_000_000 } else { value.parse().unwrap_or(0) };
            (mantissa, if is_negative { -value } else { value })
        }
        None => (unsigned, 0),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) if digits(fraction) => (whole, fraction),
        Some(_) => return Err(AmountError::NotDecimal),
        None => (mantissa, ""),
    };
    if !digits(whole) {
        return Err(AmountError::NotDecimal);
    }
    let all = format!("{whole}{fraction}");
    let leading = all.len() - all.trim_start_matches('0').len();
    let all = &all[leading..];
    if all.is_empty() {
        return Ok(ParsedAmount { amount: Amount::ZERO, rounded: false });
    }
    // So many of the digits stand before the point of the micros.
    let before = whole.len() as i64 - leading as i64 + exponent + 6;
    if before > 30 {
        return Err(AmountError::OutOfRange);
    }
    let (kept, lost) = if before <= 0 {
        // Zeros between the point and the first digit: it is less than a half, unless it follows the point.
        (String::new(), if before == 0 { all.to_owned() } else { format!("0{all}") })
    } else if before as usize >= all.len() {
        (format!("{all}{}", "0".repeat(before as usize - all.len())), String::new())
    } else {
        let (kept, lost) = all.split_at(before as usize);
        (kept.to_owned(), lost.to_owned())
    };
    let mut micros: i128 = if kept.is_empty() { 0 } else { kept.parse().map_err(|_| AmountError::OutOfRange)? };
    let lost = lost.trim_end_matches('0');
    let is_half = lost == "5";
    let is_more = !is_half && lost.as_bytes().first().is_some_and(|digit| *digit >= b'5');
    if is_more || (is_half && micros % 2 == 1) {
        micros += 1;
    }
    if micros > Amount::MAX_ABS.micros() {
        return Err(AmountError::OutOfRange);
    }
    let amount = Amount::from_micros(if is_negative { -micros } else { micros });
    Ok(ParsedAmount { amount, rounded: !lost.is_empty() })
}
