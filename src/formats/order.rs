//! An order, whatever its format: what its fields mean.

use takings_dataflows::event::Event;
use takings_dataflows::order::{Content, Contribution, Fact, IdSpace, OrderDetails, OrderEvent, Version};
use takings_dataflows::symbol::{Symbol, SymbolCache};
use xxhash_rust::xxh3::xxh3_64;

use super::decoder::{DecoderSettings, Reader};
use super::fields::{MAX_NAME, Scratch, put_text};
use super::layout::Layout;
use super::{Kind, Reject};
use super::{product_sold, transactions};
use crate::config::mapping::{Mapping, MomentFormat};
use crate::config::topics::{Format, ProductKey, TopicFormat};

/// The fields of an order, in the order that [`OrderReader`] takes them.
const FIELDS: [&str; 12] = [
    "order_id",
    "product",
    "product_name",
    "category",
    "price",
    "quantity",
    "product_brand",
    "currency",
    "customer_id",
    "ordered_at",
    "payment_method",
    "amount",
];

/// Reads orders.
///
/// Clauses that hold:
/// - *the fingerprint is of the content*, not of its spelling: the same values in another order of
///   members, with other escapes or as other JSON types have the same one;
/// - *what is not said is not guessed*: no category is `None`, no product or payment method `unknown`.
pub(super) struct OrderReader {
    layout: Layout<12>,
    product_key: ProductKey,
    /// Whether a category or a payment method may be a number.
    numbers_are_names: bool,
    /// Whether the format knows prices only, and no amount.
    is_priced: bool,
    amount_scale: u8,
    price_scale: u8,
    moments: MomentFormat,
    time_zone: chrono_tz::Tz,
    default_currency: String,
    keep_orders: bool,
    names: SymbolCache,
    scratch: Scratch,
    /// What the fingerprint is taken of.
    content: Vec<u8>,
}

impl OrderReader {
    pub(super) fn new(topic: &TopicFormat, settings: &DecoderSettings) -> Self {
        let (layout, product_key, mapping) = match &topic.format {
            Format::ProductSold(key) => (Layout::of_members(product_sold::MEMBERS), *key, None),
            Format::Mapped(mapping) => (Layout::mapped(mapping, FIELDS), ProductKey::Id, Some(mapping.as_ref())),
            _ => (Layout::of_members(transactions::MEMBERS), ProductKey::Id, None),
        };
        let origin = |field: &str| mapping.and_then(|mapping| mapping.fields.get(field));
        let time_zone = mapping.and_then(Mapping::time_zone).or(topic.time_zone).unwrap_or(settings.time_zone);
        let default_currency = topic.default_currency.as_ref().unwrap_or(&settings.default_currency);
        OrderReader {
            layout,
            product_key,
            numbers_are_names: mapping.is_some(),
            is_priced: mapping.is_some() && origin("amount").is_none(),
            amount_scale: origin("amount").map_or(0, |origin| origin.scale),
            price_scale: origin("price").map_or(0, |origin| origin.scale),
            moments: origin("ordered_at").map_or(MomentFormat::Any, |origin| origin.format),
            time_zone,
            default_currency: default_currency.clone(),
            keep_orders: settings.keep_orders,
            names: SymbolCache::default(),
            scratch: Scratch::default(),
            content: Vec::new(),
        }
    }
}

impl Reader for OrderReader {
    fn kind(&self) -> Kind {
        Kind::Order
    }

    fn read(&mut self, payload: &str, space: &IdSpace, version: Version) -> Result<(Event, bool), Reject> {
        let OrderReader { layout, names, scratch, content, numbers_are_names, product_key, .. } = self;
        let fields = layout.fields(payload)?;
        let [
            order_id,
            product_id,
            product_name,
            category,
            price,
            quantity,
            product_brand,
            currency,
            customer_id,
            ordered_at,
            payment_method,
            amount,
        ] = fields;
        content.clear();
        let mut rounded = false;

        let id = order_id.required_id(&mut scratch.plain)?;
        put_text(content, Some(id));
        let (id, id_text) = space.id(id);

        let mut details = self.keep_orders.then(Box::<OrderDetails>::default);
        let mut product = None;
        let text = product_id.id(&mut scratch.plain)?;
        put_text(content, text);
        if *product_key == ProductKey::Id {
            product = symbol(text, names);
        }
        if let (Some(details), Some(id)) = (&mut details, text) {
            details.product_id = id.to_owned();
        }
        let text = customer_id.id(&mut scratch.plain)?;
        put_text(content, text);
        if let Some(details) = &mut details {
            details.customer_id = text.map(str::to_owned);
        }
        let text = product_name.text(&mut scratch.plain)?;
        put_text(content, text);
        if *product_key == ProductKey::Name {
            // Cut short, two products would be one: it is rejected as an id is.
            if let Some(name) = text.filter(|name| name.len() > MAX_NAME) {
                return Err(product_name.too_long(name, MAX_NAME));
            }
            product = symbol(text, names);
        }
        if let Some(details) = &mut details {
            details.product_name = text.map(str::to_owned);
        }
        let text = product_brand.text(&mut scratch.plain)?;
        put_text(content, text);
        if let Some(details) = &mut details {
            details.product_brand = text.map(str::to_owned);
        }

        let text = category.label(*numbers_are_names, &mut scratch.plain)?;
        put_text(content, text);
        let category = symbol(text, names);
        let text = payment_method.label(*numbers_are_names, &mut scratch.plain)?;
        let payment_method = named(text.unwrap_or("unknown"), names, content);
        let currency = match currency.currency(scratch)? {
            None => named(&self.default_currency, names, content),
            Some(code) => named(code, names, content),
        };

        let ordered_at = ordered_at.moment(self.moments, self.time_zone, scratch)?;
        content.extend_from_slice(&ordered_at.micros().to_le_bytes());
        let units = quantity.whole(scratch)?.unwrap_or(1);
        content.extend_from_slice(&units.to_le_bytes());
        let unit_price = price.amount(self.price_scale, scratch)?;
        content.push(unit_price.is_some().into());
        if let Some(price) = unit_price {
            rounded |= price.rounded;
            content.extend_from_slice(&price.amount.micros().to_le_bytes());
        }
        let unit_price = unit_price.map(|price| price.amount);
        let total = match (amount.amount(self.amount_scale, scratch)?, unit_price) {
            (Some(total), _) => {
                rounded |= total.rounded;
                total.amount
            }
            (None, Some(unit_price)) => unit_price
                .checked_times(units)
                .ok_or_else(|| price.reject(format_args!("times `{}` is out of range", quantity.name)))?,
            (None, None) if self.is_priced => return Err(price.missing()),
            (None, None) => return Err(amount.missing()),
        };
        content.extend_from_slice(&total.micros().to_le_bytes());
        if let Some(details) = &mut details {
            details.product_price = unit_price;
            details.ordered_at = ordered_at.micros();
        }

        let product = product.unwrap_or_else(|| names.get("unknown"));
        let fact = Fact { day: ordered_at.day(), category, payment_method, currency };
        let contribution = Contribution { fact, product, amount: total, units };
        let content = Content::Order { contribution, fingerprint: xxh3_64(content) };
        let minute = version.minute();
        Ok((Event::Order(OrderEvent { id, id_text, version, minute, content, details }), rounded))
    }

    fn withdraw(&mut self, id: &str, space: &IdSpace, version: Version) -> Event {
        let (id, id_text) = space.id(id);
        let (minute, content) = (version.minute(), Content::Tombstone);
        Event::Order(OrderEvent { id, id_text, version, minute, content, details: None })
    }
}

/// A name's symbol, unless it is empty.
fn symbol(text: Option<&str>, names: &mut SymbolCache) -> Option<Symbol> {
    text.filter(|text| !text.is_empty()).map(|text| names.get(text))
}

/// A name's symbol; its text goes into the content.
fn named(name: &str, names: &mut SymbolCache, content: &mut Vec<u8>) -> Symbol {
    put_text(content, Some(name));
    names.get(name)
}
