//! Orders for the benches: 20 categories, 3 currencies, 4 ways to pay, 400 days in random order.

use takings_dataflows::amount::Amount;
use takings_dataflows::day::Day;
use takings_dataflows::order::{Content, Contribution, Fact, IdSpace, OrderEvent, Version};
use takings_dataflows::symbol::Symbol;

/// Well-mixed bits of a number, the same in every run.
fn mix(number: u64) -> u64 {
    let mut bits = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// Orders `numbers`, each in its first version, at offsets equal to their numbers.
pub fn orders(numbers: std::ops::Range<u64>) -> Vec<OrderEvent> {
    let space = IdSpace::new("product_sold");
    let names = |kind: &str, count: u64| -> Vec<Symbol> {
        (0..count).map(|number| Symbol::new(&format!("{kind} {number}"))).collect()
    };
    let (categories, methods) = (names("category", 20), names("method", 4));
    let currencies = ["EUR", "USD", "XOF"].map(Symbol::new);
    numbers
        .map(|number| {
            let (high, low) = (mix(number), mix(number ^ u64::MAX));
            let uuid = format!(
                "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
                high >> 32,
                high >> 16 & 0xffff,
                high & 0xfff,
                low >> 48 & 0xfff,
                low & 0xffff_ffff_ffff
            );
            let (id, id_text) = space.id(&uuid);
            let random = mix(number ^ 0x5eed);
            let fact = Fact {
                day: Day::from_epoch_days(20_000 + (random % 400) as i32),
                category: categories[(random >> 16) as usize % categories.len()],
                payment_method: methods[(random >> 24) as usize % methods.len()],
                currency: currencies[(random >> 32) as usize % currencies.len()],
            };
            let amount = Amount::from_micros(i128::from(random >> 40) * 10_000);
            let contribution = Contribution { fact, amount, units: 1 + (random & 3) as i64 };
            OrderEvent {
                id,
                id_text,
                version: Version::new(1_760_000_000_000 + number as i64, 0, (number % 4) as u16, number),
                content: Content::Order { contribution, fingerprint: random },
                details: None,
            }
        })
        .collect()
}
