//! Wire formats to events: what a record's bytes say.
//!
//! Four formats are built in, each with a page of its own: [`product_sold`], [`transactions`],
//! [`product_listings`] and [`feedback`]. Any other JSON is read by a mapping
//! ([`crate::config::mapping`]). A format only says where the fields stand; what they mean is said once a
//! kind, in `order`, `listing` and `rating`, and how a value is read once for all, in `fields`.

pub mod decoder;
pub(crate) mod escape;
pub mod feedback;
mod fields;
pub(crate) mod json;
mod layout;
mod listing;
mod members;
mod order;
mod pointers;
pub mod product_listings;
pub mod product_sold;
mod rating;
pub mod timestamp;
pub mod transactions;

use takings_dataflows::event::Event;

pub use crate::config::topics::Kind;
pub use decoder::{Decoder, DecoderSettings};

use crate::source::Record;

/// What a record is.
#[derive(Debug)]
pub enum Decoded {
    /// A version of an order, a listing or a feedback.
    Event {
        /// The version.
        event: Event,
        /// Whether an amount had more than six places and was rounded.
        rounded: bool,
    },
    /// A record that can not be read, and why. It goes to `rejected`, with its bytes.
    Rejected(Reject),
}

/// Why a record can not be read.
///
/// The message names the field, as the producer spells it (in a mapping: its pointer), and what was
/// found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reject {
    /// Neither key nor payload: nothing is named.
    #[error("neither key nor payload, so no {0} is named")]
    Empty(Kind),
    /// Over the payload limit.
    #[error("payload of at least {bytes} bytes is over the limit of {limit}")]
    TooLarge {
        /// Its size, as far as the log handed it over.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The bytes are no JSON object of the format.
    #[error("not a JSON object of this format: {0}")]
    NotJson(String),
    /// A field that must be there is not.
    #[error("field `{0}` is missing")]
    Missing(String),
    /// A field has a value that can not be.
    #[error("field `{field}`: {problem}")]
    Field {
        /// The field, as the producer spells it.
        field: String,
        /// What is wrong with its value.
        problem: String,
    },
    /// A key appears twice in the object.
    #[error("field `{0}` appears twice")]
    Duplicate(String),
}

impl From<json::Syntax> for Reject {
    fn from(syntax: json::Syntax) -> Self {
        Reject::NotJson(syntax.to_string())
    }
}

/// Reads the records of every topic of a job. One per worker: it keeps a cache of names.
pub trait Decode {
    /// What this record says. Allocates nothing for a record of known names in a built-in format once
    /// warm, unless orders are kept.
    fn decode(&mut self, record: &Record<'_>) -> Decoded;
}
