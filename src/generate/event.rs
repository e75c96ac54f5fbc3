//! What the synthetic shop sends: one record of one topic.

use clap::ValueEnum;
use serde::Serialize;

/// A topic of the shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum Topic {
    /// Orders with all that there is to say of them.
    ProductSold,
    /// Orders that only say which product and how much.
    Transactions,
    /// The catalogue.
    ProductListings,
    /// Ratings of products.
    Feedback,
}

impl Topic {
    /// All of them.
    pub const ALL: [Topic; 4] = [Topic::ProductSold, Topic::Transactions, Topic::ProductListings, Topic::Feedback];

    /// Its name, by which a job knows its format.
    pub const fn name(self) -> &'static str {
        match self {
            Topic::ProductSold => "product_sold",
            Topic::Transactions => "transactions",
            Topic::ProductListings => "product_listings",
            Topic::Feedback => "feedback",
        }
    }

    /// Whether its records are orders.
    pub const fn has_orders(self) -> bool {
        matches!(self, Topic::ProductSold | Topic::Transactions)
    }
}

/// What an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A new order.
    Order,
    /// A new order with an old date.
    Late,
    /// A product's first listing.
    Listing,
    /// A new feedback.
    Feedback,
    /// An order, a listing or a feedback again, byte by byte.
    Duplicate,
    /// One of them again, with other content.
    Correction,
    /// One of them cancelled or withdrawn.
    Cancellation,
    /// What can not be read.
    Invalid,
}

/// One record to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Where to.
    pub topic: Topic,
    /// What it is.
    pub kind: Kind,
    /// The key: the order's id in `product_sold`; elsewhere records name themselves in their payloads, and
    /// have a key where they withdraw. Some that can not be read have none.
    pub key: Option<Vec<u8>>,
    /// The payload; `None` is a tombstone.
    pub payload: Option<Vec<u8>>,
    /// The log's timestamp, in milliseconds since 1970. It never goes back.
    pub timestamp: i64,
    /// A number that all versions of one order, listing or feedback have in common. Modulo the number of
    /// partitions it is theirs: the records keep their order, key or not.
    pub place: u64,
}
