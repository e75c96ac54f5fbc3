//! Orders for the benches: 20 categories, 3 currencies, 4 ways to pay, 100,000 products, 400 days.
#![allow(dead_code, reason = "each bench uses a part")]

use std::sync::LazyLock;

use takings_dataflows::amount::Amount;
use takings_dataflows::day::Day;
use takings_dataflows::graph::Settings;
use takings_dataflows::listing::{Listing, ListingEvent};
use takings_dataflows::order::{Content, Contribution, Fact, IdSpace, OrderEvent, Version};
use takings_dataflows::symbol::Symbol;
use takings_dataflows::upsert::Horizon;
use takings_dataflows::view::View;

/// Well-mixed bits of a number, the same in every run.
fn mix(number: u64) -> u64 {
    let mut bits = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// How many products there are.
pub const PRODUCTS: u64 = 100_000;

/// Which days orders are of, and whether they name their category.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traffic {
    /// 95 of 100 of the last day, as live traffic is; otherwise any of 400.
    pub is_live: bool,
    /// Whether categories come from the catalogue.
    pub is_listed: bool,
}

/// Product `number`.
pub fn product(number: u64) -> Symbol {
    Symbol::new(&format!("product {number:06}"))
}

/// Every product's listing, with a category each that follows from `turn`.
pub fn listings(turn: u64) -> Vec<ListingEvent> {
    (0..PRODUCTS).map(|number| listing(number, turn)).collect()
}

/// One product's listing.
pub fn listing(number: u64, turn: u64) -> ListingEvent {
    let category = Some(Symbol::new(&format!("category {}", mix(number + turn * PRODUCTS) % 20)));
    let version = Version::new(1_760_000_000_000, 1, 0, turn * PRODUCTS + number);
    ListingEvent { product: product(number), version, content: Some(Listing { category, ..Listing::default() }) }
}

/// Orders `numbers`, each in its first version, at offsets equal to their numbers; any days, own categories.
pub fn orders(numbers: std::ops::Range<u64>) -> Vec<OrderEvent> {
    traffic(numbers, Traffic { is_live: false, is_listed: false })
}

/// Orders `numbers` of such traffic.
pub fn traffic(numbers: std::ops::Range<u64>, traffic: Traffic) -> Vec<OrderEvent> {
    let space = IdSpace::new("product_sold");
    let names = |kind: &str, count: u64| -> Vec<Symbol> {
        (0..count).map(|number| Symbol::new(&format!("{kind} {number}"))).collect()
    };
    let (categories, methods) = (names("category", 20), names("method", 4));
    let currencies = ["EUR", "USD", "XOF"].map(Symbol::new);
    static ALL_PRODUCTS: LazyLock<Vec<Symbol>> = LazyLock::new(|| (0..PRODUCTS).map(product).collect());
    let products = &*ALL_PRODUCTS;
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
                day: Day::from_epoch_days(if traffic.is_live && !mix(random).is_multiple_of(20) {
                    20_399
                } else {
                    20_000 + (random % 400) as i32
                }),
                category: (!traffic.is_listed).then(|| categories[(random >> 16) as usize % categories.len()]),
                payment_method: methods[(random >> 24) as usize % methods.len()],
                currency: currencies[(random >> 32) as usize % currencies.len()],
            };
            let amount = Amount::from_micros(i128::from(random >> 40) * 10_000);
            let product = products[(mix(random ^ 0xb00c) % PRODUCTS) as usize];
            let contribution = Contribution { fact, product, amount, units: 1 + (random & 3) as i64 };
            let version = Version::new(1_760_000_000_000 + number as i64, 0, (number % 4) as u16, number);
            OrderEvent {
                id,
                id_text,
                version,
                minute: version.minute(),
                content: Content::Order { contribution, fingerprint: random },
                details: None,
            }
        })
        .collect()
}

/// Settings of a graph that keeps these views, from nothing.
pub fn settings(views: &[View]) -> Settings {
    Settings {
        views: views.to_vec(),
        fill: Vec::new(),
        keep_orders: false,
        horizon: Horizon::default(),
        recovered_epoch: 0,
        top: 10,
        volume_window: 2_880,
        log_time: 0,
        to_replay: Vec::new(),
        held: Default::default(),
    }
}
