//! A listing, whatever its format: what its fields mean.

use takings_dataflows::event::Event;
use takings_dataflows::listing::{Listing, ListingEvent};
use takings_dataflows::order::{IdSpace, Version};
use takings_dataflows::symbol::SymbolCache;

use super::decoder::Reader;
use super::fields::Scratch;
use super::layout::Layout;
use super::{Kind, Reject, product_listings};
use crate::config::topics::{Format, TopicFormat};

/// The fields of a listing, in the order that [`ListingReader`] takes them.
const FIELDS: [&str; 4] = ["product", "name", "category", "price"];

/// Bytes of a product's name. It is in no index.
const MAX_PRODUCT_NAME: usize = 4_096;

/// Reads listings. An empty name or category is as good as none.
pub(super) struct ListingReader {
    layout: Layout<4>,
    /// Whether a category may be a number.
    numbers_are_names: bool,
    price_scale: u8,
    names: SymbolCache,
    scratch: Scratch,
}

impl ListingReader {
    pub(super) fn new(topic: &TopicFormat) -> Self {
        let (layout, mapping) = match &topic.format {
            Format::Mapped(mapping) => (Layout::mapped(mapping, FIELDS), Some(mapping)),
            _ => (Layout::of_members(product_listings::MEMBERS), None),
        };
        ListingReader {
            layout,
            numbers_are_names: mapping.is_some(),
            price_scale: mapping.and_then(|mapping| mapping.fields.get("price")).map_or(0, |origin| origin.scale),
            names: SymbolCache::default(),
            scratch: Scratch::default(),
        }
    }
}

impl Reader for ListingReader {
    fn kind(&self) -> Kind {
        Kind::Listing
    }

    fn read(&mut self, payload: &str, _: &IdSpace, version: Version) -> Result<(Event, bool), Reject> {
        let ListingReader { layout, numbers_are_names, price_scale, names, scratch } = self;
        let [product, name, category, price] = layout.fields(payload)?;
        let product = names.get(product.required_id(&mut scratch.plain)?);
        let name = name.text_up_to(MAX_PRODUCT_NAME, &mut scratch.plain)?.filter(|name| !name.is_empty());
        let name = name.map(|name| names.get(name));
        let category = category.label(*numbers_are_names, &mut scratch.plain)?;
        let category = category.map(|category| names.get(category));
        let price = price.amount(*price_scale, scratch)?;
        let rounded = price.is_some_and(|price| price.rounded);
        let content = Some(Listing { name, category, price: price.map(|price| price.amount) });
        Ok((Event::Listing(ListingEvent { product, version, content }), rounded))
    }

    fn withdraw(&mut self, product: &str, _: &IdSpace, version: Version) -> Event {
        Event::Listing(ListingEvent { product: self.names.get(product), version, content: None })
    }
}
