//! What an order adds to its product, and what it takes from it.

use serde::{Deserialize, Serialize};

use crate::day::Day;
use crate::symbol::Symbol;
use crate::takings::Takings;

/// A change of what a product sold on a day in a currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sale {
    pub(crate) product: Symbol,
    pub(crate) day: Day,
    pub(crate) currency: Symbol,
    pub(crate) part: Part,
    pub(crate) takings: Takings,
}

/// Which row of its product a sale counts in. What follows the catalogue is sent once for each row that is kept of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Part {
    /// The day's, and the order names its category.
    Own,
    /// The day's, and the order names none: it follows the catalogue.
    Listed,
    /// Of a sale that follows the catalogue: the one of this payment method.
    ListedBy(Symbol),
}

const _: () = assert!(size_of::<Sale>() == 64);
