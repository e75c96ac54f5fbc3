//! Records read the plainest way, member by member with `serde_json`: a second opinion on the decoder.
//!
//! It shares no code with [`crate::formats`], on purpose: a fault there must show as a difference here.
//! What both read is the settings: which topic has which format, and what a mapping says. Tests and
//! fuzzing hold the two together.

mod values;

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::NaiveDateTime;
use chrono_tz::Tz;
use serde_json::value::RawValue;
use takings_dataflows::amount::{Amount, ParsedAmount};
use takings_dataflows::day::Day;

use self::values::{amount, at, id, moment, named, object, text};
use crate::config::JobConfig;
use crate::config::mapping::{Mapping, MomentFormat, Place};
use crate::config::topics::{Format, Kind, ProductKey, TopicFormat};

/// How records are to be read; see [`DecoderSettings`](crate::formats::DecoderSettings).
#[derive(Clone, Debug)]
pub struct Rules {
    /// How topics are read; a topic that is not among them is read as its name says.
    pub topics: Vec<TopicFormat>,
    /// What names a product in `product_sold`, for topics that are not among `topics`.
    pub product_key: ProductKey,
    /// The shop's zone.
    pub time_zone: Tz,
    /// The currency of orders that name none.
    pub default_currency: String,
    /// The largest payload, in bytes.
    pub payload_limit: usize,
}

impl Rules {
    /// As a job of these settings reads.
    pub fn of(config: &JobConfig) -> Self {
        Rules {
            topics: config.topic_formats.clone(),
            product_key: config.product_key,
            time_zone: config.time_zone,
            default_currency: config.default_currency.clone(),
            payload_limit: config.payload_limit,
        }
    }

    /// How this topic is read.
    pub fn topic(&self, topic: &str) -> Cow<'_, TopicFormat> {
        match self.topics.iter().find(|format| format.topic == topic) {
            Some(told) => Cow::Borrowed(told),
            None => Cow::Owned(TopicFormat::of(topic, self.product_key)),
        }
    }
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plain {
    /// An order is so.
    Order(Box<PlainOrder>),
    /// The order of this id is cancelled.
    CancelledOrder(String),
    /// A product is listed so.
    Listing {
        /// The product.
        product: String,
        /// Its name.
        name: Option<String>,
        /// Its category.
        category: Option<String>,
        /// The price of one unit.
        price: Option<Amount>,
        /// Whether the price had more than six places.
        rounded: bool,
    },
    /// This product's listing is withdrawn.
    WithdrawnListing(String),
    /// A product is rated so.
    Feedback {
        /// The feedback.
        id: String,
        /// The product.
        product: String,
        /// 1 to 5.
        stars: u8,
        /// All else that it says (comment, user, moment), which only tells a correction from a repetition.
        content: Vec<Option<String>>,
    },
    /// The feedback of this id is withdrawn.
    WithdrawnFeedback(String),
    /// It can not be read.
    Rejected(String),
}

/// An order, every field that takings reads.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the fields of the format, see `formats::product_sold`")]
pub struct PlainOrder {
    pub order_id: String,
    /// What it counts as sold: the name or the id, as the topic's format has it, or `unknown`.
    pub product: String,
    pub product_id: Option<String>,
    pub product_name: Option<String>,
    /// The order's own; `None`: its product's.
    pub product_category: Option<String>,
    pub product_price: Option<Amount>,
    pub product_quantity: i64,
    pub product_brand: Option<String>,
    pub currency: String,
    pub customer_id: Option<String>,
    /// Local time in the zone that cuts the topic's days, to the microsecond.
    pub order_date: NaiveDateTime,
    pub payment_method: String,
    pub total_amount: Amount,
    /// Whether an amount had more than six places.
    pub rounded: bool,
}

impl PlainOrder {
    /// The business day.
    pub fn day(&self) -> Day {
        Day::from_date(self.order_date.date())
    }
}

/// Reads one record of a topic.
pub fn read(topic: &str, key: Option<&[u8]>, payload: Option<&[u8]>, rules: &Rules) -> Plain {
    let format = rules.topic(topic);
    let said = match payload {
        Some(payload) => content(payload, &format, rules),
        None => withdrawn(key).map(|id| match format.kind() {
            Kind::Order => Plain::CancelledOrder(id),
            Kind::Listing => Plain::WithdrawnListing(id),
            Kind::Feedback => Plain::WithdrawnFeedback(id),
        }),
    };
    said.unwrap_or_else(Plain::Rejected)
}

fn withdrawn(key: Option<&[u8]>) -> Result<String, String> {
    let key = String::from_utf8(key.unwrap_or_default().to_vec()).map_err(|error| error.to_string())?;
    let id = if key.starts_with('"') && key.ends_with('"') {
        match serde_json::from_str::<Box<RawValue>>(&key) {
            Ok(_) => serde_json::from_str(&key).map_err(|error| error.to_string())?,
            Err(_) => key,
        }
    } else if key.trim_start().starts_with(['{', '[']) && serde_json::from_str::<Box<RawValue>>(&key).is_ok() {
        return Err("the key is an object or an array".to_owned());
    } else {
        key
    };
    named("key", id).and_then(|id| if id.is_empty() { Err("no key".to_owned()) } else { Ok(id) })
}

fn content(payload: &[u8], format: &TopicFormat, rules: &Rules) -> Result<Plain, String> {
    if payload.len() > rules.payload_limit {
        return Err("too large".to_owned());
    }
    let payload = std::str::from_utf8(payload).map_err(|error| error.to_string())?;
    let fields = match &format.format {
        Format::Mapped(mapping) => Fields::mapped(payload, mapping)?,
        Format::ProductSold(_) => Fields::of_members(payload, &PRODUCT_SOLD)?,
        Format::Transactions => Fields::of_members(payload, &TRANSACTIONS)?,
        Format::ProductListings => Fields::of_members(payload, &PRODUCT_LISTINGS)?,
        Format::Feedback => Fields::of_members(payload, &FEEDBACK)?,
    };
    match format.kind() {
        Kind::Order => order(&fields, format, rules).map(|order| Plain::Order(Box::new(order))),
        Kind::Listing => listing(&fields),
        Kind::Feedback => feedback(&fields),
    }
}

/// Field and member, of each built-in format.
const PRODUCT_SOLD: [(&str, &str); 12] = [
    ("order_id", "orderId"),
    ("product", "productId"),
    ("product_name", "productName"),
    ("category", "productCategory"),
    ("price", "productPrice"),
    ("quantity", "productQuantity"),
    ("product_brand", "productBrand"),
    ("currency", "currency"),
    ("customer_id", "customerId"),
    ("ordered_at", "orderDate"),
    ("payment_method", "paymentMethod"),
    ("amount", "totalAmount"),
];
const TRANSACTIONS: [(&str, &str); 5] = [
    ("order_id", "transaction_id"),
    ("customer_id", "user_id"),
    ("product", "product_id"),
    ("amount", "amount"),
    ("ordered_at", "timestamp"),
];
const PRODUCT_LISTINGS: [(&str, &str); 4] =
    [("product", "product_id"), ("name", "name"), ("category", "category"), ("price", "price")];
const FEEDBACK: [(&str, &str); 6] = [
    ("feedback_id", "feedback_id"),
    ("product", "product_id"),
    ("rating", "rating"),
    ("comment", "comment"),
    ("user_id", "user_id"),
    ("timestamp", "timestamp"),
];

/// What a payload holds of each field, as JSON text; what is missing or `null` is not there.
struct Fields<'a> {
    values: BTreeMap<&'static str, String>,
    mapping: Option<&'a Mapping>,
}

impl<'a> Fields<'a> {
    fn of_members(payload: &str, members: &[(&'static str, &str)]) -> Result<Self, String> {
        let mut values = BTreeMap::new();
        let object = object(payload)?;
        for &(field, member) in members {
            if let Some((_, value)) = object.iter().find(|(name, value)| name == member && value.get() != "null") {
                values.insert(field, value.get().to_owned());
            }
        }
        Ok(Fields { values, mapping: None })
    }

    fn mapped(payload: &str, mapping: &'a Mapping) -> Result<Self, String> {
        object(payload)?;
        let mut values = BTreeMap::new();
        for (&field, origin) in &mapping.fields {
            let mut value = match &origin.place {
                Place::Constant(constant) => Some(serde_json::Value::from(constant.as_str()).to_string()),
                Place::Pointer(pointer) => at(payload, &pointer[1..])?.filter(|value| value != "null"),
            };
            let may_be_empty =
                ["category", "currency", "payment_method", "product", "product_name", "product_brand", "name"];
            // A currency is trimmed before it is looked at.
            let text = value.as_deref().and_then(|value| serde_json::from_str::<String>(value).ok());
            let is_empty =
                text.is_some_and(|text| if field == "currency" { text.trim().is_empty() } else { text.is_empty() });
            if is_empty && may_be_empty.contains(&field) {
                value = origin.default.is_none().then(|| "\"\"".to_owned());
            }
            let default = origin.default.as_ref().map(|text| serde_json::Value::from(text.as_str()).to_string());
            if let Some(value) = value.or(default) {
                values.insert(field, value);
            }
        }
        Ok(Fields { values, mapping: Some(mapping) })
    }

    fn get(&self, field: &str) -> Option<&str> {
        self.values.get(field).map(String::as_str)
    }

    fn id(&self, field: &str) -> Result<Option<String>, String> {
        self.get(field).map(|value| id(field, value)).transpose()
    }

    fn text(&self, field: &str) -> Result<Option<String>, String> {
        self.get(field).map(|value| text(field, value)).transpose()
    }

    /// A name of at most 255 bytes; an empty one is none. Mappings may hold a number.
    fn name(&self, field: &str) -> Result<Option<String>, String> {
        let name = if self.mapping.is_some() { self.id(field)? } else { self.text(field)? };
        name.filter(|name| !name.is_empty()).map(|name| named(field, name)).transpose()
    }

    fn amount(&self, field: &str) -> Result<Option<ParsedAmount>, String> {
        let origin = self.mapping.and_then(|mapping| mapping.fields.get(field));
        let places = origin.map_or(0, |origin| i64::from(origin.scale));
        self.get(field).map(|value| amount(field, value, places)).transpose()
    }

    fn whole(&self, field: &str) -> Result<Option<i64>, String> {
        let Some(value) = self.get(field) else { return Ok(None) };
        let number = amount(field, value, 0)?;
        let micros = number.amount.micros();
        if number.rounded || micros % 1_000_000 != 0 || micros.abs() > 1_000_000_000_000_000 {
            return Err(format!("{field} is no whole number, or out of range"));
        }
        Ok(Some((micros / 1_000_000) as i64))
    }
}

fn order(fields: &Fields<'_>, format: &TopicFormat, rules: &Rules) -> Result<PlainOrder, String> {
    let order_id = fields.id("order_id")?.filter(|id| !id.is_empty()).ok_or("the order id is missing or empty")?;
    let (product_id, product_name) = (fields.id("product")?, fields.text("product_name")?);
    let product = match format.format {
        Format::ProductSold(ProductKey::Name) => product_name.clone(),
        _ => product_id.clone(),
    };
    let product = product.filter(|product| !product.is_empty()).unwrap_or_else(|| "unknown".to_owned());

    let currency = fields.text("currency")?.unwrap_or_default().trim().to_uppercase();
    if currency.len() > 16 {
        return Err("the currency is too long".to_owned());
    }
    let default = format.default_currency.as_ref().unwrap_or(&rules.default_currency).trim().to_uppercase();

    let moments = fields.mapping.and_then(|mapping| mapping.fields.get("ordered_at"));
    let zone = moments.and_then(|origin| origin.time_zone).or(format.time_zone).unwrap_or(rules.time_zone);
    let order_date = fields.get("ordered_at").ok_or("the moment is missing")?;
    let order_date = moment(order_date, moments.map_or(MomentFormat::Any, |origin| origin.format), zone)
        .ok_or_else(|| format!("{order_date} is no moment"))?;

    let product_quantity = fields.whole("quantity")?.unwrap_or(1);
    let price = fields.amount("price")?;
    let (total, total_rounded) = match (fields.amount("amount")?, price) {
        (Some(total), _) => (total.amount, total.rounded),
        (None, Some(price)) => {
            (price.amount.checked_times(product_quantity).ok_or("price times quantity is out of range")?, false)
        }
        (None, None) => return Err("the amount is missing".to_owned()),
    };
    Ok(PlainOrder {
        order_id,
        product: named("product", product)?,
        product_id,
        product_name,
        product_category: fields.name("category")?,
        product_price: price.map(|price| price.amount),
        product_quantity,
        product_brand: fields.text("product_brand")?,
        currency: if currency.is_empty() { default } else { currency },
        customer_id: fields.id("customer_id")?,
        order_date,
        payment_method: fields.name("payment_method")?.unwrap_or_else(|| "unknown".to_owned()),
        total_amount: total,
        rounded: total_rounded || price.is_some_and(|price| price.rounded),
    })
}

fn listing(fields: &Fields<'_>) -> Result<Plain, String> {
    let product = fields.id("product")?.filter(|id| !id.is_empty()).ok_or("the product is missing or empty")?;
    let name = fields.text("name")?.filter(|name| !name.is_empty());
    if name.as_ref().is_some_and(|name| name.len() > 4_096) {
        return Err("the name is too long".to_owned());
    }
    let price = fields.amount("price")?;
    Ok(Plain::Listing {
        product,
        name,
        category: fields.name("category")?,
        price: price.map(|price| price.amount),
        rounded: price.is_some_and(|price| price.rounded),
    })
}

fn feedback(fields: &Fields<'_>) -> Result<Plain, String> {
    let id = fields.id("feedback_id")?.filter(|id| !id.is_empty()).ok_or("the feedback id is missing or empty")?;
    let product = fields.id("product")?.filter(|id| !id.is_empty()).ok_or("the product is missing or empty")?;
    let stars = fields.whole("rating")?.ok_or("the rating is missing")?;
    if !(1..=5).contains(&stars) {
        return Err(format!("{stars} is not 1 to 5"));
    }
    // Half a character in a comment is no reason to lose a rating.
    let said = |field| {
        let value = fields.get(field)?;
        let as_it_stands = value.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(value);
        Some(serde_json::from_str::<String>(value).unwrap_or_else(|_| as_it_stands.to_owned()))
    };
    let content = ["comment", "user_id", "timestamp"].map(said).to_vec();
    Ok(Plain::Feedback { id, product, stars: stars as u8, content })
}
