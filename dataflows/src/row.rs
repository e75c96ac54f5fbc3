//! What a row of a view holds beside its key, and how it changes.

use differential_dataflow::difference::{IsZero, Semigroup};
use serde::{Deserialize, Serialize};

use crate::listing::Listing;
use crate::rating::Stars;
use crate::symbol::Symbol;
use crate::takings::Takings;
use crate::view::ViewKey;

/// The total of a product on a day in a currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductTakings {
    /// Of all its sales.
    pub all: Takings,
    /// Of those among them that name no category: they follow the catalogue. No view can give this
    /// back, so it is kept beside the total.
    pub listed: Takings,
}

impl ProductTakings {
    /// Whether this can be the total of a set of sales.
    pub fn is_consistent(&self) -> bool {
        let mut own = self.all;
        own.plus_equals(&-self.listed);
        self.all.is_consistent() && self.listed.is_consistent() && own.is_consistent()
    }

    /// Whether any sale is left in it.
    pub const fn is_alive(&self) -> bool {
        self.all.is_alive()
    }
}

/// A product at its rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Ranked {
    /// The product.
    pub product: Symbol,
    /// Its total in the period.
    pub takings: Takings,
}

/// The values of a row. Which kind it is follows from the row's view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RowValue {
    /// Of the sales views and `orders_per_minute`.
    Takings(Takings),
    /// Of `sales_per_product`.
    Product(ProductTakings),
    /// Of `top_products`.
    Ranked(Ranked),
    /// Of `products`.
    Listing(Listing),
    /// Of `ratings_per_product`.
    Stars(Stars),
}

impl RowValue {
    /// Whether a set of records can sum to this. A row for which this is false is a fault, and must
    /// never be written.
    pub fn is_consistent(&self) -> bool {
        match self {
            RowValue::Takings(takings) => takings.is_consistent() && takings.is_alive(),
            RowValue::Product(product) => product.is_consistent() && product.is_alive(),
            RowValue::Ranked(ranked) => ranked.takings.is_consistent() && ranked.takings.is_alive(),
            RowValue::Listing(_) => true,
            RowValue::Stars(stars) => stars.is_consistent() && !stars.is_zero(),
        }
    }

    /// The total, where it is one.
    pub const fn takings(&self) -> Option<Takings> {
        match self {
            RowValue::Takings(takings) => Some(*takings),
            RowValue::Product(ProductTakings { all, .. }) => Some(*all),
            RowValue::Ranked(ranked) => Some(ranked.takings),
            RowValue::Listing(_) | RowValue::Stars(_) => None,
        }
    }
}

impl From<Takings> for RowValue {
    fn from(takings: Takings) -> Self {
        RowValue::Takings(takings)
    }
}

/// A row that an epoch changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowChange {
    /// The row.
    pub key: ViewKey,
    /// What it was: `None` where the row is new.
    pub old: Option<RowValue>,
    /// What it is: `None` where the row goes.
    pub new: Option<RowValue>,
}
