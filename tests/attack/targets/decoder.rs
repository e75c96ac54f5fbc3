//! Payloads and keys of the built-in formats: the decoder and `serde_json` accept the same, and read the same.

use std::cell::RefCell;

use crate::readings::Readings;

/// The formats with what settings change in how they are read.
const SETTINGS: [&str; 5] = [
    "time_zone = \"Europe/Paris\"\ndefault_currency = \"eur\"\nkeep_orders = true\npayload_limit = 4000\n",
    "product_key = \"id\"\ntime_zone = \"America/St_Johns\"\npayload_limit = 4000\n",
    "topics = [\"transactions\"]\ntime_zone = \"Africa/Douala\"\nkeep_orders = true\n",
    "topics = [\"product_listings\"]\n",
    "topics = [\"feedback\"]\n",
];

thread_local! {
    /// One for all cases: what it learned of a payload must not colour the next.
    static WARM: RefCell<Vec<Readings>> = RefCell::new(SETTINGS.map(Readings::new).into_iter().collect());
}

/// The first byte says of what the rest is: of a payload, or (from 128 on) of a key without one. A newline in a
/// payload's middle splits it in two, which both readings must take for the same content or for different ones.
pub fn attack(data: &[u8]) {
    let Some((&first, rest)) = data.split_first() else { return };
    WARM.with_borrow_mut(|all| {
        for readings in all {
            let agreed = if first >= 128 { readings.agree(Some(rest), None) } else { readings.agree(None, Some(rest)) };
            agreed.unwrap_or_else(|error| panic!("{error}\n{}", String::from_utf8_lossy(rest)));
            let Ok(text) = std::str::from_utf8(rest) else { continue };
            if let Some((one, other)) = text.split_once('\n') {
                readings.agree_on_pair(one, other).unwrap_or_else(|error| panic!("{error}"));
            }
        }
    });
}
