//! A row of a view, plainly: the texts of its key's columns, and what stands beside them.

use takings_dataflows::amount::Amount;
use takings_dataflows::row::{ProductTakings, RowValue};
use takings_dataflows::takings::Takings;
use takings_dataflows::view::ViewKey;

/// The texts of a row's key columns.
pub(super) type Row = Vec<String>;

/// A sum of orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Total {
    pub(super) amount: Amount,
    pub(super) orders: i64,
    pub(super) units: i64,
}

impl Total {
    pub(super) fn add(&mut self, other: Total) {
        self.amount += other.amount;
        self.orders += other.orders;
        self.units += other.units;
    }

    fn text(&self) -> String {
        let Total { amount, orders, units } = self;
        format!("{amount} of {orders} orders, {units} units")
    }
}

impl From<Takings> for Total {
    fn from(takings: Takings) -> Self {
        Total { amount: takings.amount, orders: takings.orders, units: takings.units }
    }
}

/// What a row holds beside its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// Of the sales views and `orders_per_minute`.
    Total(Total),
    /// Of `sales_per_product`: all sales, and those that follow the catalogue.
    Product { all: Total, listed: Total },
    /// Of `top_products`.
    Ranked { product: String, total: Total },
    /// Of `products`.
    Listing { name: Option<String>, category: Option<String>, price: Option<Amount> },
    /// Of `ratings_per_product`: how many of one star, of two, to five.
    Stars([i64; 5]),
}

impl Value {
    /// As stored.
    pub(super) fn stored(value: &RowValue) -> Self {
        match value {
            RowValue::Takings(takings) => Value::Total((*takings).into()),
            RowValue::Product(ProductTakings { all, listed }) => {
                Value::Product { all: (*all).into(), listed: (*listed).into() }
            }
            RowValue::Ranked(ranked) => {
                Value::Ranked { product: ranked.product.to_string(), total: ranked.takings.into() }
            }
            RowValue::Listing(listing) => Value::Listing {
                name: listing.name.map(|name| name.to_string()),
                category: listing.category.map(|category| category.to_string()),
                price: listing.price,
            },
            RowValue::Stars(stars) => Value::Stars(stars.0),
        }
    }

    /// In words.
    pub(super) fn text(value: &Option<Value>) -> String {
        match value {
            None => "nothing".to_owned(),
            Some(Value::Total(total)) => total.text(),
            Some(Value::Product { all, listed }) => {
                format!("{}; of those that follow the catalogue {}", all.text(), listed.text())
            }
            Some(Value::Ranked { product, total }) => format!("{product} with {}", total.text()),
            Some(Value::Listing { name, category, price }) => {
                let text = |text: &Option<String>| text.as_ref().map_or("none".to_owned(), |text| format!("{text:?}"));
                let price = price.map_or("none".to_owned(), |price| price.to_string());
                format!("name {}, category {}, price {price}", text(name), text(category))
            }
            Some(Value::Stars(stars)) => {
                let [ones, twos, threes, fours, fives] = stars;
                format!("{ones} ones, {twos} twos, {threes} threes, {fours} fours, {fives} fives")
            }
        }
    }
}

/// The key of a stored row.
pub(super) fn row_of(key: &ViewKey) -> Row {
    match key {
        ViewKey::Category { day, category, currency } => {
            vec![day.to_string(), category.to_string(), currency.to_string()]
        }
        ViewKey::Day { day, currency } => vec![day.to_string(), currency.to_string()],
        ViewKey::Month { month, currency } => vec![month.to_string(), currency.to_string()],
        ViewKey::PaymentMethod { day, payment_method, currency } => {
            vec![day.to_string(), payment_method.to_string(), currency.to_string()]
        }
        ViewKey::Facts { day, category, payment_method, currency } => {
            vec![day.to_string(), category.to_string(), payment_method.to_string(), currency.to_string()]
        }
        ViewKey::Product { day, product, currency } => {
            vec![day.to_string(), product.to_string(), currency.to_string()]
        }
        ViewKey::Top { period, currency, rank } => vec![period.to_string(), currency.to_string(), rank.to_string()],
        ViewKey::Listing { product } | ViewKey::Rating { product } => vec![product.to_string()],
        ViewKey::Minute { minute, currency } => vec![minute.to_string(), currency.to_string()],
        ViewKey::ListedFacts { day, product, payment_method, currency } => {
            vec![day.to_string(), product.to_string(), payment_method.to_string(), currency.to_string()]
        }
    }
}
