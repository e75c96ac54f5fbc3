//! An order, and how the two kinds of producers write it.

use std::fmt;
use std::io::Write;

use chrono::{DateTime, Datelike, NaiveDateTime, Timelike};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use takings_dataflows::amount::Amount;

use super::catalogue::{CATEGORIES, CURRENCIES, Catalogue, PAYMENT_METHODS, hour};
use super::event::Topic;
use super::options::ShopOptions;

/// The currency of transactions, which do not name it: a job's default unless it is told otherwise.
pub(super) const TRANSACTION_CURRENCY: usize = 2;

/// The numeric id of the first product.
pub(super) const FIRST_PRODUCT: u32 = 1_000;

/// A day, in microseconds.
pub(super) const DAY: i64 = 86_400_000_000;

/// An order as it stands.
#[derive(Clone, Copy)]
pub(super) struct Order {
    pub(super) topic: Topic,
    pub(super) id: u128,
    pub(super) product: u32,
    pub(super) customer: u32,
    /// Microseconds since 1970, local.
    pub(super) date: i64,
    /// Of one unit, in minor units.
    pub(super) price: i64,
    /// Off the total, in minor units.
    pub(super) discount: i64,
    pub(super) category: u8,
    pub(super) quantity: u8,
    pub(super) currency: u8,
    pub(super) payment_method: u8,
    pub(super) habit: Habit,
}

/// How this order is written: producers differ.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Habit {
    Plain,
    NoTotal,
    TotalAsText,
    /// What adding binary fractions leaves: `369.59999999999997`. Only in transactions.
    FloatNoise,
    NoCategory,
    NoPaymentMethod,
    MoreFields,
}

impl Order {
    /// The total, in minor units.
    pub(super) fn minor(&self) -> i64 {
        self.price * i64::from(self.quantity) - self.discount
    }

    /// The total.
    pub(super) fn amount(&self) -> Amount {
        let places = CURRENCIES[usize::from(self.currency)].places;
        Amount::from_micros(i128::from(self.minor()) * 10i128.pow(Amount::PLACES - places))
    }

    /// The pieces that a reader counts: a transaction does not say how many.
    pub(super) fn units(&self) -> i64 {
        if self.topic == Topic::Transactions { 1 } else { self.quantity.into() }
    }

    /// Writes the order as its topic has it.
    pub(super) fn write(&self, catalogue: &Catalogue, text: &mut Vec<u8>) {
        text.clear();
        // Writing to memory does not fail.
        let _ = match self.topic {
            Topic::Transactions => self.write_transaction(text),
            _ => self.write_product_sold(catalogue, text),
        };
    }

    fn write_product_sold(&self, catalogue: &Catalogue, text: &mut Vec<u8>) -> std::io::Result<()> {
        let product = catalogue.product(self.product);
        let currency = &CURRENCIES[usize::from(self.currency)];
        let decimal = |minor| Decimal { minor, places: currency.places };
        let (category, payment_method) = (
            if self.habit == Habit::NoCategory { "" } else { CATEGORIES[usize::from(self.category)] },
            if self.habit == Habit::NoPaymentMethod { "" } else { PAYMENT_METHODS[usize::from(self.payment_method)] },
        );
        write!(
            text,
            concat!(
                r#"{{"orderId":"{}","productId":"P{:06}","productName":"{}","productCategory":"{}","#,
                r#""productPrice":{},"productQuantity":{},"productBrand":"{}","currency":"{}","customerId":"C{:06}","#,
                r#""orderDate":"{}","paymentMethod":"{}""#
            ),
            Id(self.id),
            self.product,
            product.name,
            category,
            decimal(self.price),
            self.quantity,
            product.brand,
            currency.code,
            self.customer,
            Moment(self.date),
            payment_method,
        )?;
        let total = decimal(self.minor());
        match self.habit {
            Habit::NoTotal => write!(text, "}}"),
            Habit::TotalAsText => write!(text, ",\"totalAmount\":\"{total}\"}}"),
            Habit::MoreFields => {
                write!(text, ",\"coupon\":{{\"codes\":[\"A\\u0301\",null]}},\"totalAmount\":{total}}}")
            }
            _ => write!(text, ",\"totalAmount\":{total}}}"),
        }
    }

    fn write_transaction(&self, text: &mut Vec<u8>) -> std::io::Result<()> {
        let Order { id, customer, date, .. } = *self;
        let product = FIRST_PRODUCT + self.product;
        let places = CURRENCIES[usize::from(self.currency)].places;
        let total = Decimal { minor: self.minor(), places };
        write!(text, r#"{{"transaction_id":"{}","user_id":{customer},"product_id":"#, Id(id))?;
        match self.habit {
            // One product, as a number or as text.
            Habit::MoreFields => write!(text, "\"{product}\",\"channel\":[\"web\",null],\"amount\":{total}")?,
            Habit::TotalAsText => write!(text, "{product},\"amount\":\"{total}\"")?,
            // A hair less, and the same amount once it is rounded.
            Habit::FloatNoise => {
                let hair = i128::from(self.minor()) * 10i128.pow(14 - places) - 3;
                write!(text, "{product},\"amount\":{}.{:014}", hair / 10i128.pow(14), hair % 10i128.pow(14))?;
            }
            _ => write!(text, "{product},\"amount\":{total}")?,
        }
        write!(text, ",\"timestamp\":\"{}\"}}", Moment(date))
    }
}

/// The date of a new order that the log gets at `moment`.
pub(super) fn order_date(options: &ShopOptions, moment: i64, is_late: bool, random: &mut ChaCha8Rng) -> i64 {
    let until = options.until.and_utc().timestamp_micros();
    let length = i64::from(options.days.max(1)) * DAY;
    let back = if is_late { random.random_range(1..=90) * DAY } else { 0 };
    if options.is_live {
        return moment - back;
    }
    if is_late {
        return until - length - back + random.random_range(0..DAY);
    }
    let midnight = until - until.rem_euclid(DAY) - random.random_range(0..options.days.max(1)) as i64 * DAY;
    let date = midnight + hour(random) * (DAY / 24) + random.random_range(0..DAY / 24);
    // What would be later than the last moment fills the first day, which else would be as short as the
    // last one is: so every day but these two is a whole one.
    if date > until { date - length } else { date }
}

/// A UUID in its canonical form.
pub(super) struct Id(pub(super) u128);

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        uuid::Uuid::from_u128(self.0).as_hyphenated().fmt(f)
    }
}

/// Microseconds since 1970 as Python writes a local time: `2023-10-01T12:34:56.123456`.
pub(super) struct Moment(pub(super) i64);

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment: NaiveDateTime = DateTime::from_timestamp_micros(self.0).unwrap_or_default().naive_utc();
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}",
            moment.year(),
            moment.month(),
            moment.day(),
            moment.hour(),
            moment.minute(),
            moment.second(),
            moment.nanosecond() / 1_000,
        )
    }
}

/// Minor units as a decimal number.
pub(super) struct Decimal {
    pub(super) minor: i64,
    pub(super) places: u32,
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.places == 0 {
            return self.minor.fmt(f);
        }
        let (sign, minor) = (if self.minor < 0 { "-" } else { "" }, self.minor.unsigned_abs());
        let scale = 10u64.pow(self.places);
        write!(f, "{sign}{}.{:0width$}", minor / scale, minor % scale, width = self.places as usize)
    }
}
