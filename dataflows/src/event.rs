//! Whatever a record can say.

use crate::listing::ListingEvent;
use crate::order::{OrderEvent, Version};
use crate::rating::RatingEvent;

/// One record, decoded: one version of an order, of a listing, or of a feedback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Of an order.
    Order(OrderEvent),
    /// Of a product's listing.
    Listing(ListingEvent),
    /// Of a feedback.
    Rating(RatingEvent),
}

impl Event {
    /// Where the record stands, and how new it is.
    pub const fn version(&self) -> Version {
        match self {
            Event::Order(event) => event.version,
            Event::Listing(event) => event.version,
            Event::Rating(event) => event.version,
        }
    }

    /// Moves a record of the first incarnation of its partition to this one: see [`Version`].
    pub fn move_to_incarnation(&mut self, incarnation: u8) {
        let version = match self {
            Event::Order(event) => &mut event.version,
            Event::Listing(event) => &mut event.version,
            Event::Rating(event) => &mut event.version,
        };
        *version = version.in_incarnation(incarnation);
    }
}
