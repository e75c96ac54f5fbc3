//! The synthetic shop: an endless, deterministic stream of what a shop would send, and the true totals.
//!
//! The same options give the same bytes on every machine: there is one source of chance, no clock,
//! and no floating point but for counting out proportions.

use std::io::Write;

use chrono::{DateTime, Datelike, NaiveDateTime, TimeDelta, Timelike};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use takings_dataflows::amount::Amount;

use super::catalogue::{CATEGORIES, CURRENCIES, Catalogue, PAYMENT_METHODS, hour, leaning};
use super::invalid;

/// What kind of shop.
#[derive(Clone, Debug)]
pub struct ShopOptions {
    /// Where chance starts. It also makes the order ids.
    pub seed: u64,
    /// New orders; `None` is without end.
    pub orders: Option<u64>,
    /// Products in the catalogue, at least one.
    pub products: u32,
    /// Days before `until` over which order dates spread.
    pub days: u32,
    /// The newest order date, in local time; of live orders, the first.
    pub until: NaiveDateTime,
    /// Live orders: so many events a second, dated one after the other from `until` on, instead of
    /// spread over `days`.
    pub live: Option<f64>,
    /// Exact re-sends, as a share of the orders. This one and those below are 0 to 1.
    pub duplicates: f64,
    /// Orders that come again with other content.
    pub corrections: f64,
    /// Orders that are cancelled.
    pub cancellations: f64,
    /// Records that can not be read, as a share of the orders.
    pub invalid: f64,
    /// Orders dated up to 90 days before all others.
    pub late: f64,
}

/// What an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A new order.
    Order,
    /// A new order with an old date.
    Late,
    /// An order again, byte by byte.
    Duplicate,
    /// An order again, with other content.
    Correction,
    /// An order's cancellation.
    Cancellation,
    /// What can not be read.
    Invalid,
}

/// One record to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What it is.
    pub kind: Kind,
    /// The order's id; `None` for some of the invalid ones.
    pub key: Option<Vec<u8>>,
    /// The payload; `None` is a tombstone.
    pub payload: Option<Vec<u8>>,
}

/// A true total.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Total {
    /// Orders that stand.
    pub orders: u64,
    /// Their quantities.
    pub units: u64,
    /// Their amounts.
    pub amount: Amount,
}

/// An order that may still be sent again, corrected or cancelled.
#[derive(Clone, Copy)]
pub(super) struct Order {
    id: u128,
    product: u32,
    customer: u32,
    /// Microseconds since 1970, local.
    date: i64,
    /// Off the total, in minor units.
    discount: i64,
    category: u8,
    quantity: u8,
    currency: u8,
    payment_method: u8,
    habit: Habit,
    is_cancelled: bool,
}

/// How this order is written: producers differ.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Habit {
    Plain,
    NoTotal,
    TotalAsText,
    NoCategory,
    NoPaymentMethod,
    MoreFields,
}

/// How many of the newest orders can still change. Shops correct what is fresh.
const OPEN_ORDERS: usize = 1 << 16;

const DAY: i64 = 86_400_000_000;

/// The shop. An iterator over its events; ends after the last order and what belongs to it.
pub struct Shop {
    options: ShopOptions,
    random: ChaCha8Rng,
    catalogue: Catalogue,
    open: Vec<Order>,
    orders: u64,
    /// Extra events that were sent or given up, by [`EXTRAS`].
    extras: [u64; 4],
    late: u64,
    totals: [Total; CURRENCIES.len()],
    /// Characters an order is written to.
    text: Vec<u8>,
}

const EXTRAS: [Kind; 4] = [Kind::Duplicate, Kind::Correction, Kind::Cancellation, Kind::Invalid];

impl Shop {
    /// Opens the shop.
    pub fn new(options: ShopOptions) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(options.seed);
        let catalogue = Catalogue::new(options.products, &mut random);
        Shop {
            options,
            random,
            catalogue,
            open: Vec::new(),
            orders: 0,
            extras: [0; 4],
            late: 0,
            totals: [Total::default(); CURRENCIES.len()],
            text: Vec::with_capacity(512),
        }
    }

    /// The true totals of all events so far, by currency.
    pub fn totals(&self) -> impl Iterator<Item = (&'static str, Total)> {
        CURRENCIES.iter().map(|currency| currency.code).zip(self.totals)
    }

    /// New orders so far.
    pub fn orders(&self) -> u64 {
        self.orders
    }

    /// An event that is due beside the orders.
    fn extra(&mut self) -> Option<Event> {
        let shares =
            [self.options.duplicates, self.options.corrections, self.options.cancellations, self.options.invalid];
        for (place, kind) in EXTRAS.into_iter().enumerate() {
            if self.extras[place] >= due(self.orders, shares[place]) {
                continue;
            }
            self.extras[place] += 1;
            if kind == Kind::Invalid {
                return Some(self.invalid(self.extras[place]));
            }
            // Where hardly any order stands none may be found; then this one is not sent.
            if let Some(at) = self.standing_order() {
                return Some(match kind {
                    Kind::Duplicate => self.event(kind, &self.open[at].clone()),
                    Kind::Correction => self.correction(at),
                    _ => self.cancellation(at),
                });
            }
        }
        None
    }

    fn standing_order(&mut self) -> Option<usize> {
        if self.open.is_empty() {
            return None;
        }
        (0..16).map(|_| self.random.random_range(0..self.open.len())).find(|&at| !self.open[at].is_cancelled)
    }

    fn new_order(&mut self) -> Event {
        self.orders += 1;
        let is_late = self.late < due(self.orders, self.options.late);
        self.late += u64::from(is_late);
        let order = self.fresh_order(is_late);
        self.count(&order, 1);
        if self.open.len() < OPEN_ORDERS {
            self.open.push(order);
        } else {
            self.open[(self.orders as usize) % OPEN_ORDERS] = order;
        }
        self.event(if is_late { Kind::Late } else { Kind::Order }, &order)
    }

    fn fresh_order(&mut self, is_late: bool) -> Order {
        let random = &mut self.random;
        // Version and variant as RFC 9562 has them for chance.
        let id = random.random::<u128>() & !(0xf000 << 64) & !(0b11 << 62) | (0x4000 << 64) | (0b10 << 62);
        let product = self.catalogue.choose(random);
        Order {
            id,
            product,
            customer: random.random_range(0..200_000),
            date: order_date(&self.options, self.orders, is_late, random),
            discount: 0,
            category: self.catalogue.product(product).category,
            quantity: 1 + leaning(5, random),
            currency: leaning(CURRENCIES.len(), random),
            payment_method: leaning(PAYMENT_METHODS.len(), random),
            habit: match random.random_range(0..128) {
                0 => Habit::NoTotal,
                1 => Habit::TotalAsText,
                2 => Habit::NoCategory,
                3 => Habit::NoPaymentMethod,
                4 => Habit::MoreFields,
                _ => Habit::Plain,
            },
            is_cancelled: false,
        }
    }

    fn correction(&mut self, at: usize) -> Event {
        let mut order = self.open[at];
        self.count(&order, -1);
        // A habit may hide a field, and with it the correction.
        order.habit = Habit::Plain;
        let random = &mut self.random;
        match random.random_range(0..5) {
            0 => order.quantity = order.quantity % 9 + 1,
            1 => order.category = (order.category + 1 + random.random_range(0..19)) % CATEGORIES.len() as u8,
            2 => order.payment_method = (order.payment_method + 1 + random.random_range(0..5)) % 6,
            3 => order.date -= random.random_range(1..=40) * DAY,
            _ => order.discount += 1 + random.random_range(0..50),
        }
        self.open[at] = order;
        self.count(&order, 1);
        self.event(Kind::Correction, &order)
    }

    fn cancellation(&mut self, at: usize) -> Event {
        self.open[at].is_cancelled = true;
        let order = self.open[at];
        self.count(&order, -1);
        Event { kind: Kind::Cancellation, key: Some(key(order.id)), payload: None }
    }

    fn invalid(&mut self, number: u64) -> Event {
        let order = self.fresh_order(false);
        self.write(&order);
        let (key, payload) = invalid::spoil(number, key(order.id), &self.text);
        Event { kind: Kind::Invalid, key, payload }
    }

    fn event(&mut self, kind: Kind, order: &Order) -> Event {
        self.write(order);
        Event { kind, key: Some(key(order.id)), payload: Some(self.text.clone()) }
    }

    fn count(&mut self, order: &Order, times: i64) {
        let currency = &CURRENCIES[usize::from(order.currency)];
        let (_, minor) = self.prices(order);
        let micros = i128::from(minor) * 10i128.pow(Amount::PLACES - currency.places);
        let total = &mut self.totals[usize::from(order.currency)];
        total.orders = total.orders.wrapping_add_signed(times);
        total.units = total.units.wrapping_add_signed(times * i64::from(order.quantity));
        total.amount += Amount::from_micros(micros).times(times);
    }

    /// Price and total, in minor units.
    fn prices(&self, order: &Order) -> (i64, i64) {
        let price = self.catalogue.product(order.product).price(&CURRENCIES[usize::from(order.currency)]);
        (price, price * i64::from(order.quantity) - order.discount)
    }

    /// Writes the order as JSON to `text`.
    fn write(&mut self, order: &Order) {
        let product = self.catalogue.product(order.product);
        let currency = &CURRENCIES[usize::from(order.currency)];
        let (price, total) = self.prices(order);
        let date = DateTime::from_timestamp_micros(order.date).unwrap_or_default().naive_utc();
        let decimal = |minor| Decimal { minor, places: currency.places };
        let (category, payment_method) = (
            if order.habit == Habit::NoCategory { "" } else { CATEGORIES[usize::from(order.category)] },
            if order.habit == Habit::NoPaymentMethod { "" } else { PAYMENT_METHODS[usize::from(order.payment_method)] },
        );
        let text = &mut self.text;
        text.clear();
        // Writing to memory does not fail.
        let _ = write!(
            text,
            concat!(
                r#"{{"orderId":"{}","productId":"P{:06}","productName":"{}","productCategory":"{}","#,
                r#""productPrice":{},"productQuantity":{},"productBrand":"{}","currency":"{}","customerId":"C{:06}","#,
                r#""orderDate":"{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}","paymentMethod":"{}""#
            ),
            Id(order.id),
            order.product,
            product.name,
            category,
            decimal(price),
            order.quantity,
            product.brand,
            currency.code,
            order.customer,
            date.year(),
            date.month(),
            date.day(),
            date.hour(),
            date.minute(),
            date.second(),
            date.nanosecond() / 1_000,
            payment_method,
        );
        let _ = match order.habit {
            Habit::NoTotal => write!(text, "}}"),
            Habit::TotalAsText => write!(text, ",\"totalAmount\":\"{}\"}}", decimal(total)),
            Habit::MoreFields => {
                write!(text, ",\"coupon\":{{\"codes\":[\"A\\u0301\",null]}},\"totalAmount\":{}}}", decimal(total))
            }
            _ => write!(text, ",\"totalAmount\":{}}}", decimal(total)),
        };
    }
}

impl Iterator for Shop {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        if let Some(extra) = self.extra() {
            return Some(extra);
        }
        if self.options.orders.is_some_and(|orders| self.orders >= orders) {
            return None;
        }
        Some(self.new_order())
    }
}

/// How many of a kind should have come with so many orders.
fn due(orders: u64, share: f64) -> u64 {
    (orders as f64 * share + 0.5) as u64
}

fn order_date(options: &ShopOptions, number: u64, is_late: bool, random: &mut ChaCha8Rng) -> i64 {
    let until = options.until.and_utc().timestamp_micros();
    let days = i64::from(options.days.max(1));
    let back = if is_late { random.random_range(1..=90) * DAY } else { 0 };
    if let Some(rate) = options.live {
        return until + (number as f64 / rate * 1e6) as i64 - back;
    }
    if is_late {
        return until - days * DAY - back + random.random_range(0..DAY);
    }
    let midnight = until - until.rem_euclid(DAY) - random.random_range(0..days) * DAY;
    let date = midnight + hour(random) * (DAY / 24) + random.random_range(0..DAY / 24);
    if date > until { date - DAY } else { date }
}

fn key(id: u128) -> Vec<u8> {
    Id(id).to_string().into_bytes()
}

/// A UUID in its canonical form.
struct Id(u128);

impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        uuid::Uuid::from_u128(self.0).as_hyphenated().fmt(f)
    }
}

/// Minor units as a decimal number.
struct Decimal {
    minor: i64,
    places: u32,
}

impl std::fmt::Display for Decimal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.places == 0 {
            return self.minor.fmt(f);
        }
        let (sign, minor) = (if self.minor < 0 { "-" } else { "" }, self.minor.unsigned_abs());
        let scale = 10u64.pow(self.places);
        write!(f, "{sign}{}.{:0width$}", minor / scale, minor % scale, width = self.places as usize)
    }
}

/// The default of `until`: this moment in UTC, to the second.
pub(super) fn now() -> NaiveDateTime {
    let now = chrono::Utc::now().naive_utc();
    now - TimeDelta::nanoseconds(i64::from(now.nanosecond()))
}
