//! The decoder of a job: every topic's format, the keys, and what holds for all of them.

use chrono_tz::Tz;
use takings_dataflows::event::Event;
use takings_dataflows::order::{IdSpace, Version};

use super::escape::unescape;
use super::fields::MAX_NAME;
use super::json;
use super::listing::ListingReader;
use super::order::OrderReader;
use super::rating::RatingReader;
use super::{Decode, Decoded, Kind, Reject};
use crate::config::topics::TopicFormat;
use crate::source::Record;

/// What a decoder is told.
#[derive(Clone, Debug)]
pub struct DecoderSettings {
    /// The job's topics, sorted by name: a topic's place is its rank.
    pub topics: Vec<TopicFormat>,
    /// The shop's zone, to which a moment with a zone is converted.
    pub time_zone: Tz,
    /// The currency of orders that name none, as it is kept: trimmed and in upper case.
    pub default_currency: String,
    /// Whether to hand over every field of an order.
    pub keep_orders: bool,
    /// The largest payload, in bytes.
    pub payload_limit: usize,
}

/// Reads the payloads of one topic.
pub(super) trait Reader: Send {
    /// What they are about.
    fn kind(&self) -> Kind;

    /// What a payload says, and whether an amount in it was rounded. `space` scopes its id.
    fn read(&mut self, payload: &str, space: &IdSpace, version: Version) -> Result<(Event, bool), Reject>;

    /// That what this id names is no more.
    fn withdraw(&mut self, id: &str, space: &IdSpace, version: Version) -> Event;
}

struct Topic {
    space: IdSpace,
    reader: Box<dyn Reader>,
}

/// Reads the records of a job's topics.
///
/// Clauses that hold:
/// - *the payload names its order* (its product, its feedback): a key that says otherwise is ignored;
/// - *a record without a payload withdraws* what its key names, as text or as a string of JSON;
/// - *nothing allocated*: a record of known names in a built-in format costs no allocation, unless
///   orders are kept or its id is neither a UUID nor within 24 bytes.
pub struct Decoder {
    topics: Vec<Topic>,
    payload_limit: usize,
}

impl Decoder {
    /// A decoder for one worker.
    pub fn new(settings: DecoderSettings) -> Self {
        let topic = |topic: &TopicFormat| {
            let reader: Box<dyn Reader> = match topic.kind() {
                Kind::Order => Box::new(OrderReader::new(topic, &settings)),
                Kind::Listing => Box::new(ListingReader::new(topic)),
                Kind::Feedback => Box::new(RatingReader::new(topic)),
            };
            Topic { space: topic.id_space(), reader }
        };
        Decoder { topics: settings.topics.iter().map(topic).collect(), payload_limit: settings.payload_limit }
    }
}

impl Decode for Decoder {
    fn decode(&mut self, record: &Record<'_>) -> Decoded {
        let topic = record.partition.topic;
        let version = Version::new(record.timestamp, topic, record.partition.partition, record.offset);
        let Topic { space, reader } = &mut self.topics[usize::from(topic)];
        let read = match record.payload {
            Some(payload) => text(payload, self.payload_limit)
                .and_then(|text| reader.read(text, space, version))
                .map_err(|reject| explained(reject, payload)),
            None => {
                let mut plain = String::new();
                named(record.key.unwrap_or_default(), reader.kind(), &mut plain)
                    .map(|id| (reader.withdraw(id, space, version), false))
            }
        };
        match read {
            Ok((event, rounded)) => Decoded::Event { event, rounded },
            Err(reject) => Decoded::Rejected(reject),
        }
    }
}

fn text(payload: &[u8], limit: usize) -> Result<&str, Reject> {
    if payload.len() > limit {
        return Err(Reject::TooLarge { bytes: payload.len(), limit });
    }
    simdutf8::compat::from_utf8(payload)
        .map_err(|error| Reject::NotJson(format!("invalid UTF-8 at byte {}", error.valid_up_to())))
}

/// Names what stands before the JSON, where that is why there is none: looked for only once reading has failed.
fn explained(reject: Reject, payload: &[u8]) -> Reject {
    match (&reject, payload) {
        (Reject::NotJson(_), [0xef, 0xbb, 0xbf, ..]) => Reject::NotJson(
            "begins with a byte order mark (EF BB BF), which is no part of JSON; let the producer leave it out"
                .to_owned(),
        ),
        (Reject::NotJson(_), &[0, a, b, c, d, ..]) => Reject::NotJson(format!(
            "begins with a Schema Registry header (schema id {}), and takings reads plain JSON; let the producer use a \
             serialiser that needs no registry, or convert the topic",
            u32::from_be_bytes([a, b, c, d])
        )),
        _ => reject,
    }
}

/// What the key of a record without a payload names.
fn named<'k>(key: &'k [u8], kind: Kind, plain: &'k mut String) -> Result<&'k str, Reject> {
    let reject = |problem: String| Reject::Field { field: "key".to_owned(), problem };
    let key =
        std::str::from_utf8(key).map_err(|error| reject(format!("invalid UTF-8 at byte {}", error.valid_up_to())))?;
    // Serialisers that write JSON write keys as JSON too: "42" in quotes is the order 42.
    let id = match json::string(key) {
        Ok(token) if token.kind == json::Kind::Escaped => {
            unescape(token.raw, plain).map_err(|error| reject(error.to_string()))?;
            plain
        }
        Ok(token) => token.raw,
        // No id looks so, but a record's whole key does: taken as it stands it would cancel nothing, unseen. An id in
        // braces that is no JSON, as some write UUIDs, stays one.
        Err(_) => match json::container(key) {
            Some(json::Kind::Object) => return Err(reject(format!("is a JSON object, which names no {kind}"))),
            Some(_) => return Err(reject(format!("is a JSON array, which names no {kind}"))),
            None => key,
        },
    };
    if id.is_empty() {
        return Err(Reject::Empty(kind));
    }
    if id.len() > MAX_NAME {
        return Err(reject(format!("has {} bytes, more than {MAX_NAME}", id.len())));
    }
    if id.contains('\0') {
        return Err(reject("holds the character U+0000, which no database keeps".to_owned()));
    }
    Ok(id)
}
