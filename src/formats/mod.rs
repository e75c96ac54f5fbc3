//! Wire formats to events: what a record's bytes say.

pub mod decoder;
pub(crate) mod json;
pub mod product_sold;
pub mod timestamp;

use takings_dataflows::order::OrderEvent;

pub use decoder::{Decoder, DecoderSettings};

use crate::source::Record;

/// What a record is.
#[derive(Debug)]
pub enum Decoded {
    /// A version of an order.
    Order {
        /// The version.
        event: OrderEvent,
        /// Whether an amount had more than six places and was rounded.
        rounded: bool,
    },
    /// A record that can not be read, and why. It goes to `rejected`, with its bytes.
    Rejected(Reject),
}

/// Why a record can not be read.
///
/// The message names the field, as the producer spells it, and what was found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reject {
    /// Neither key nor payload: no order is named.
    #[error("neither key nor payload, so no order is named")]
    Empty,
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
    Missing(&'static str),
    /// A field has a value that can not be.
    #[error("field `{field}`: {problem}")]
    Field {
        /// The field, as the producer spells it.
        field: &'static str,
        /// What is wrong with its value.
        problem: String,
    },
    /// A key appears twice in the object.
    #[error("field `{0}` appears twice")]
    Duplicate(String),
}

/// Reads the records of every topic of a job. One per worker: it keeps a cache of names.
pub trait Decode {
    /// What this record says. Allocates nothing for an order of a known kind once warm, unless orders
    /// are kept.
    fn decode(&mut self, record: &Record<'_>) -> Decoded;
}
