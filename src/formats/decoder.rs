//! The decoder of a job: every topic's format, the keys, and what holds for all of them.

use chrono_tz::Tz;
use takings_dataflows::order::{Content, IdSpace, OrderEvent, Version};

use super::json::{self, Kind, unescape};
use super::product_sold::{MAX_NAME, Reader};
use super::{Decode, Decoded, Reject};
use crate::source::Record;

/// What a decoder is told.
#[derive(Clone, Debug)]
pub struct DecoderSettings {
    /// The job's topics, sorted: a topic's place is its rank. Each has an id space of its own.
    pub topics: Vec<String>,
    /// The shop's zone, to which a moment with a zone is converted.
    pub time_zone: Tz,
    /// The currency of orders that name none.
    pub default_currency: String,
    /// Whether to hand over every field of an order.
    pub keep_orders: bool,
    /// The largest payload, in bytes.
    pub payload_limit: usize,
}

/// Reads the records of a job's topics.
///
/// Clauses that hold:
/// - *the payload names its order*: a key that differs from the payload's `orderId` is ignored;
/// - *a record without a payload cancels* the order that its key names, as text or as a JSON string;
/// - *nothing allocated*: an order of known names costs no allocation, unless orders are kept or its
///   id is neither a UUID nor within 24 bytes.
pub struct Decoder {
    spaces: Vec<IdSpace>,
    payload_limit: usize,
    product_sold: Reader,
}

impl Decoder {
    /// A decoder for one worker.
    pub fn new(settings: DecoderSettings) -> Self {
        Decoder {
            spaces: settings.topics.iter().map(|topic| IdSpace::new(topic)).collect(),
            payload_limit: settings.payload_limit,
            product_sold: Reader::new(&settings),
        }
    }
}

impl Decode for Decoder {
    fn decode(&mut self, record: &Record<'_>) -> Decoded {
        let topic = record.partition.topic;
        let version = Version::new(record.timestamp, topic, record.partition.partition, record.offset);
        let space = &self.spaces[usize::from(topic)];
        let read = match record.payload {
            Some(payload) => order(&mut self.product_sold, payload, self.payload_limit, space, version),
            None => cancellation(record.key.unwrap_or_default(), space, version).map(|event| (event, false)),
        };
        match read {
            Ok((event, rounded)) => Decoded::Order { event, rounded },
            Err(reject) => Decoded::Rejected(reject),
        }
    }
}

fn order(
    reader: &mut Reader,
    payload: &[u8],
    limit: usize,
    space: &IdSpace,
    version: Version,
) -> Result<(OrderEvent, bool), Reject> {
    if payload.len() > limit {
        return Err(Reject::TooLarge { bytes: payload.len(), limit });
    }
    let text = std::str::from_utf8(payload)
        .map_err(|error| Reject::NotJson(format!("invalid UTF-8 at byte {}", error.valid_up_to())))?;
    reader.read(text, space, version)
}

/// A tombstone: its key alone says which order it cancels.
fn cancellation(key: &[u8], space: &IdSpace, version: Version) -> Result<OrderEvent, Reject> {
    let reject = |problem: String| Reject::Field { field: "key", problem };
    let key =
        std::str::from_utf8(key).map_err(|error| reject(format!("invalid UTF-8 at byte {}", error.valid_up_to())))?;
    // Serialisers that write JSON write keys as JSON too: "42" in quotes is the order 42.
    let mut plain = String::new();
    let id = match json::string(key) {
        Ok(token) if token.kind == Kind::Escaped => {
            unescape(token.raw, &mut plain).map_err(|error| reject(error.to_string()))?;
            &plain
        }
        Ok(token) => token.raw,
        Err(_) => key,
    };
    if id.is_empty() {
        return Err(Reject::Empty);
    }
    if id.len() > MAX_NAME {
        return Err(reject(format!("has {} bytes, more than {MAX_NAME}", id.len())));
    }
    if id.contains('\0') {
        return Err(reject("holds the character U+0000, which no database keeps".to_owned()));
    }
    let (id, id_text) = space.id(id);
    Ok(OrderEvent { id, id_text, version, content: Content::Tombstone, details: None })
}
