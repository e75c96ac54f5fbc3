//! The shop: makes records, and knows what each of them says.

mod text;

use chrono::{Days, NaiveDate};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

pub use self::text::decimal;
use self::text::{listing_text, order_text, rating_text};
use crate::plan::{Action, PARTITIONS};

/// A topic of the shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// Ratings.
    Feedback,
    /// The catalogue.
    ProductListings,
    /// Orders.
    ProductSold,
}

impl Topic {
    /// All of them, in the order of their names.
    pub const ALL: [Topic; 3] = [Topic::Feedback, Topic::ProductListings, Topic::ProductSold];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Topic::Feedback => "feedback",
            Topic::ProductListings => "product_listings",
            Topic::ProductSold => "product_sold",
        }
    }

    /// How many partitions it starts with.
    pub const fn partitions(self) -> u16 {
        match self {
            Topic::Feedback => 2,
            Topic::ProductListings => 1,
            Topic::ProductSold => PARTITIONS.0,
        }
    }
}

/// What an order is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    pub day: NaiveDate,
    pub product: Option<&'static str>,
    pub category: Option<&'static str>,
    pub payment_method: Option<&'static str>,
    pub currency: Option<&'static str>,
    pub micros: i128,
    pub units: i64,
    /// No total shows it, and a change of it is a correction all the same.
    pub customer: u32,
}

/// What a listing is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    pub name: Option<String>,
    pub category: Option<&'static str>,
    pub price_micros: Option<i128>,
}

/// What a rating is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rating {
    pub product: &'static str,
    pub stars: u8,
    pub comment: u32,
}

/// What a record says. `None` takes it back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// Of an order.
    Order(String, Option<Order>),
    /// Of a product.
    Listing(String, Option<Listing>),
    /// Of a feedback.
    Rating(String, Option<Rating>),
    /// Nothing that can be read.
    Nonsense,
}

/// A record, not yet written.
#[derive(Clone, Debug)]
pub struct Record {
    /// Where to.
    pub topic: Topic,
    /// Into which partition.
    pub partition: u16,
    /// Its key.
    pub key: Option<String>,
    /// Its payload.
    pub payload: Option<String>,
    /// Its timestamp, as its producer gives it.
    pub timestamp: i64,
    /// What it says.
    pub said: Said,
    /// Whether an amount in it has more than six places.
    pub rounded: bool,
}

/// A record in the log.
#[derive(Clone, Debug)]
pub struct Placed {
    /// The record.
    pub record: Record,
    /// How often its partition's log had begun anew.
    pub incarnation: u8,
    /// Its offset.
    pub offset: u64,
}

const PRODUCTS: [&str; 14] = [
    "Café moulu",
    "Thé",
    "Bouilloire",
    "Lampe",
    "Radio",
    "Livre",
    "Stylo",
    "Carnet",
    "Clé",
    "Sac",
    "Robe",
    "Mangue",
    "Savon",
    "O'Brien \"1\"",
];
const CATEGORIES: [&str; 6] = ["Épicerie", "Maison", "Électronique", "Livres", "Mode", "Soins"];
const METHODS: [&str; 4] = ["CREDIT_CARD", "ORANGE_MONEY", "CASH", "WAVE"];
const CURRENCIES: [&str; 3] = ["EUR", "USD", "FCFA"];
/// 2026-03-02T08:00Z. Log time goes on from here, and a run stays within what `orders_per_minute` keeps.
const BEGINNING: i64 = 1_772_438_400_000;

/// An order that was made, cancelled or not.
struct Known {
    id: String,
    /// Where its versions go; `None`: each into another one, as a producer without keys does.
    partition: Option<u16>,
    now: Order,
}

/// Everything that was ever made.
pub struct Shop {
    partitions: u16,
    clock: i64,
    orders: Vec<Known>,
    ratings: Vec<(String, Rating)>,
    made: Vec<Record>,
}

/// How a record is made, where there is one to make.
type Make = fn(&mut Shop, &mut ChaCha8Rng) -> Option<Record>;

impl Shop {
    /// A shop without orders.
    pub fn new() -> Shop {
        Shop { partitions: PARTITIONS.0, clock: BEGINNING, orders: Vec::new(), ratings: Vec::new(), made: Vec::new() }
    }

    /// One more.
    pub fn add_partition(&mut self) {
        self.partitions += 1;
    }

    /// The records of an action.
    pub fn records(&mut self, action: Action, chance: &mut ChaCha8Rng) -> Vec<Record> {
        let (count, make): (u16, Make) = match action {
            Action::Sell(count) => (count, |shop, chance| Some(shop.sell(chance, false))),
            Action::SellLate(count) => (count, |shop, chance| Some(shop.sell(chance, true))),
            Action::TearLine => (1, |shop, chance| Some(shop.sell(chance, false))),
            Action::Duplicate(count) => (count, Shop::repeat),
            Action::Correct(count) => (count, Shop::correct),
            Action::Cancel(count) => (count, |shop, chance| Some(shop.cancel(chance))),
            Action::Reject(count) => (count, |shop, chance| Some(shop.blunder(chance))),
            Action::List(count) => (count, |shop, chance| Some(shop.list(chance))),
            Action::Rate(count) => (count, |shop, chance| Some(shop.rate(chance))),
            _ => return Vec::new(),
        };
        let records: Vec<Record> = (0..count).filter_map(|_| make(self, chance)).collect();
        self.made.extend(records.iter().cloned());
        records
    }

    /// Orders that nobody will ever see.
    pub fn sell_in_vain(&mut self, count: u16, chance: &mut ChaCha8Rng) -> Vec<Record> {
        let known = self.orders.len();
        let records = (0..count).map(|_| self.sell(chance, false)).collect();
        self.orders.truncate(known);
        records
    }

    /// The producer's clock: it goes on, and now and then one of them is behind.
    fn timestamp(&mut self, chance: &mut ChaCha8Rng) -> i64 {
        self.clock += chance.random_range(0..400);
        self.clock - if chance.random_ratio(1, 40) { chance.random_range(0..3_600_000) } else { 0 }
    }

    fn record(&mut self, chance: &mut ChaCha8Rng, topic: Topic, partition: u16, id: &str, said: Said) -> Record {
        let timestamp = self.timestamp(chance);
        let key = Some(id.to_owned());
        Record { topic, partition, key, payload: None, timestamp, said, rounded: false }
    }

    fn order_record(&mut self, chance: &mut ChaCha8Rng, at: usize, order: Option<Order>) -> Record {
        let Known { id, partition, .. } = &self.orders[at];
        let (id, partition) = (id.clone(), partition.unwrap_or_else(|| chance.random_range(0..self.partitions)));
        let rounded = order.is_some() && chance.random_ratio(1, 30);
        let payload = order.as_ref().map(|order| order_text(chance, &id, order, rounded));
        let said = Said::Order(id.clone(), order);
        Record { payload, rounded, ..self.record(chance, Topic::ProductSold, partition, &id, said) }
    }

    fn sell(&mut self, chance: &mut ChaCha8Rng, late: bool) -> Record {
        let number = self.orders.len();
        // Ids that are UUIDs and others, which are kept in different ways.
        let id = match number % 3 {
            0 => format!("{:08x}-1c2d-4e3f-8a4b-{:012x}", number, chance.random::<u64>() >> 16),
            1 => format!("order {number}"),
            _ => number.to_string(),
        };
        let partition = (!chance.random_ratio(1, 12)).then(|| chance.random_range(0..self.partitions));
        let order = any_order(chance, late);
        self.orders.push(Known { id, partition, now: order.clone() });
        self.order_record(chance, number, Some(order))
    }

    /// A record of before, the newest ones more often than others.
    fn repeat(&mut self, chance: &mut ChaCha8Rng) -> Option<Record> {
        let back = chance.random_range(1..=self.made.len().max(1)).min(chance.random_range(1..2_000));
        let mut record = self.made.get(self.made.len().checked_sub(back)?)?.clone();
        record.timestamp = self.timestamp(chance);
        Some(record)
    }

    fn correct(&mut self, chance: &mut ChaCha8Rng) -> Option<Record> {
        let at = self.some_order(chance)?;
        let mut order = self.orders[at].now.clone();
        match chance.random_range(0..7) {
            0 => order.micros = any_amount(chance),
            1 => order.category = any_of(chance, &CATEGORIES, 4),
            2 => order.product = any_of(chance, &PRODUCTS, 20),
            3 => order.payment_method = any_of(chance, &METHODS, 20),
            4 => order.customer += 1,
            5 => (order.units, order.micros) = (-order.units, -order.micros),
            _ => order = any_order(chance, false),
        }
        self.orders[at].now = order.clone();
        Some(self.order_record(chance, at, Some(order)))
    }

    fn cancel(&mut self, chance: &mut ChaCha8Rng) -> Record {
        match self.some_order(chance).filter(|_| !chance.random_ratio(1, 20)) {
            Some(at) => self.order_record(chance, at, None),
            None => {
                let (id, partition) = (format!("nobody's {}", self.clock), chance.random_range(0..self.partitions));
                let said = Said::Order(id.clone(), None);
                self.record(chance, Topic::ProductSold, partition, &id, said)
            }
        }
    }

    fn some_order(&self, chance: &mut ChaCha8Rng) -> Option<usize> {
        (!self.orders.is_empty()).then(|| chance.random_range(0..self.orders.len()))
    }

    fn list(&mut self, chance: &mut ChaCha8Rng) -> Record {
        let product = PRODUCTS[chance.random_range(0..PRODUCTS.len())];
        let listing = (!chance.random_ratio(1, 6)).then(|| Listing {
            name: chance.random_ratio(5, 6).then(|| format!("{product} {}", chance.random_range(1..4))),
            category: any_of(chance, &CATEGORIES, 6),
            price_micros: chance.random_ratio(4, 5).then(|| chance.random_range(1..90_000_000)),
        });
        let payload = listing.as_ref().map(|listing| listing_text(product, listing));
        let said = Said::Listing(product.to_owned(), listing);
        Record { payload, ..self.record(chance, Topic::ProductListings, 0, product, said) }
    }

    fn rate(&mut self, chance: &mut ChaCha8Rng) -> Record {
        let is_known = !self.ratings.is_empty() && chance.random_ratio(1, 3);
        let at = if is_known { chance.random_range(0..self.ratings.len()) } else { self.ratings.len() };
        let rating = Rating {
            product: PRODUCTS[chance.random_range(0..PRODUCTS.len())],
            stars: chance.random_range(1..=5),
            comment: chance.random_range(0..1_000),
        };
        if !is_known {
            self.ratings.push((format!("f-{at}"), rating.clone()));
        }
        let id = self.ratings[at].0.clone();
        let rating = (!is_known || !chance.random_ratio(1, 4)).then_some(rating);
        let payload = rating.as_ref().map(|rating| rating_text(&id, rating));
        let partition = at as u16 % Topic::Feedback.partitions();
        let said = Said::Rating(id.clone(), rating);
        Record { payload, ..self.record(chance, Topic::Feedback, partition, &id, said) }
    }

    /// A record that must be rejected.
    fn blunder(&mut self, chance: &mut ChaCha8Rng) -> Record {
        let payloads = [
            "not json",
            "",
            r#"{"orderId": "x", "orderDate": "2026-02-30T10:00:00", "totalAmount": 1}"#,
            r#"{"orderId": "", "orderDate": "2026-02-03T10:00:00", "totalAmount": 1}"#,
            r#"{"orderDate": "2026-02-03T10:00:00", "totalAmount": 1}"#,
            r#"{"orderId": "y", "orderDate": "2026-02-03T10:00:00", "totalAmount": "a lot"}"#,
            r#"{"orderId": "z", "orderDate": "2026-02-03T10:00:00"}"#,
            r#"{"orderId": "o", "orderId": "p", "orderDate": "2026-02-03T10:00:00", "totalAmount": 1}"#,
        ];
        let partition = chance.random_range(0..self.partitions);
        let payload = Some(payloads[chance.random_range(0..payloads.len())].to_owned());
        let mut record = self.record(chance, Topic::ProductSold, partition, "k", Said::Nonsense);
        if chance.random() {
            record.key = None;
        }
        Record { payload, ..record }
    }
}

fn any_of(chance: &mut ChaCha8Rng, names: &[&'static str], none_in: u32) -> Option<&'static str> {
    (!chance.random_ratio(1, none_in)).then(|| names[chance.random_range(0..names.len())])
}

/// Prices of a shop, with the odd refund, a fraction of a cent, and a fortune.
fn any_amount(chance: &mut ChaCha8Rng) -> i128 {
    match chance.random_range(0..40) {
        0 => 0,
        1..4 => -i128::from(chance.random_range(1..500_000)) * 10_000,
        4..8 => i128::from(chance.random_range(1..90_000_000)),
        8 => 1_000_000_000 * 1_000_000 - i128::from(chance.random_range(0..1_000)),
        _ => i128::from(chance.random_range(1..500_000)) * 10_000,
    }
}

fn any_order(chance: &mut ChaCha8Rng, late: bool) -> Order {
    let (first, days) = if late { ((2024, 12, 25), 12) } else { ((2026, 1, 20), 40) };
    let first = NaiveDate::from_ymd_opt(first.0, first.1, first.2).expect("a day");
    Order {
        day: first + Days::new(chance.random_range(0..days)),
        product: any_of(chance, &PRODUCTS, 20),
        category: any_of(chance, &CATEGORIES, 4),
        payment_method: any_of(chance, &METHODS, 20),
        currency: any_of(chance, &CURRENCIES, 8),
        micros: any_amount(chance),
        units: chance.random_range(1..5),
        customer: chance.random_range(0..1_000),
    }
}
