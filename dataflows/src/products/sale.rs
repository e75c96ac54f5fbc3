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
    /// Whether the order names no category, and follows the catalogue.
    pub(crate) is_listed: bool,
    pub(crate) takings: Takings,
}
