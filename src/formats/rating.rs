//! Feedback, whatever its format: what its fields mean.

use takings_dataflows::event::Event;
use takings_dataflows::order::{IdSpace, Version};
use takings_dataflows::rating::{Rating, RatingEvent};
use takings_dataflows::symbol::SymbolCache;
use xxhash_rust::xxh3::xxh3_64;

use super::decoder::Reader;
use super::fields::{Scratch, excerpt, put_text};
use super::layout::Layout;
use super::{Kind, Reject, feedback};
use crate::config::topics::{Format, TopicFormat};

/// The fields of a feedback, in the order that [`RatingReader`] takes them.
const FIELDS: [&str; 6] = ["feedback_id", "product", "rating", "comment", "user_id", "timestamp"];

/// Reads feedback. Only its product and its stars count; all else tells a correction from a repetition,
/// and can be anything.
pub(super) struct RatingReader {
    layout: Layout<6>,
    names: SymbolCache,
    scratch: Scratch,
    /// What the fingerprint is taken of.
    content: Vec<u8>,
}

impl RatingReader {
    pub(super) fn new(topic: &TopicFormat) -> Self {
        let layout = match &topic.format {
            Format::Mapped(mapping) => Layout::mapped(mapping, FIELDS),
            _ => Layout::of_members(feedback::MEMBERS),
        };
        RatingReader { layout, names: SymbolCache::default(), scratch: Scratch::default(), content: Vec::new() }
    }
}

impl Reader for RatingReader {
    fn kind(&self) -> Kind {
        Kind::Feedback
    }

    fn read(&mut self, payload: &str, space: &IdSpace, version: Version) -> Result<(Event, bool), Reject> {
        let RatingReader { layout, names, scratch, content } = self;
        let [feedback_id, product, rating, comment, user_id, timestamp] = layout.fields(payload)?;
        content.clear();
        let id = feedback_id.required_id(&mut scratch.plain)?;
        put_text(content, Some(id));
        let (id, id_text) = space.id(id);
        let text = product.required_id(&mut scratch.plain)?;
        put_text(content, Some(text));
        let product = names.get(text);
        let stars = match rating.whole(scratch)? {
            None => return Err(rating.missing()),
            Some(stars @ 1..=5) => stars as u8,
            Some(_) => {
                let found = excerpt(rating.token.map_or("", |token| token.raw));
                return Err(rating.reject(format_args!("{found} is not 1 to 5")));
            }
        };
        content.push(stars);
        for field in [comment, user_id, timestamp] {
            put_text(content, field.anything(&mut scratch.plain));
        }
        let content = Some(Rating { product, stars, fingerprint: xxh3_64(content) });
        Ok((Event::Rating(RatingEvent { id, id_text, version, content }), false))
    }

    fn withdraw(&mut self, id: &str, space: &IdSpace, version: Version) -> Event {
        let (id, id_text) = space.id(id);
        Event::Rating(RatingEvent { id, id_text, version, content: None })
    }
}
