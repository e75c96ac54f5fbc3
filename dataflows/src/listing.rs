//! What the catalogue says of a product.

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::order::Version;
use crate::symbol::Symbol;

/// A product as it is listed. What a listing does not say is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// Its name.
    pub name: Option<Symbol>,
    /// The category that its sales take where they name none.
    pub category: Option<Symbol>,
    /// The price of one unit, in whatever currency the shop lists.
    pub price: Option<Amount>,
}

/// One record of a listing topic, decoded: one version of one product's listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListingEvent {
    /// The product.
    pub product: Symbol,
    /// Where the record stands, and how new it is: the newest listing of a product wins.
    pub version: Version,
    /// What it says; `None` withdraws the listing (a null payload).
    pub content: Option<Listing>,
}
