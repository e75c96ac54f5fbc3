//! How each topic is read: by a format that is built in, or by a mapping of the shop's own.
//!
//! In the configuration file a table `[mapping."TOPIC"]` says it; a topic without one is read by the
//! built-in format of its own name, and any other name as `product_sold`.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use takings_dataflows::order::IdSpace;
use toml::{Table, Value};

use super::ConfigError;
use super::mapping::Mapping;

/// What the records of a topic are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Versions of orders.
    Order,
    /// Versions of products' listings.
    Listing,
    /// Versions of customers' feedback.
    Feedback,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 3] = [Kind::Order, Kind::Listing, Kind::Feedback];

    /// Its name in the configuration file.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Order => "order",
            Kind::Listing => "listing",
            Kind::Feedback => "feedback",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What names a product in the format `product_sold`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProductKey {
    /// `productName`: shops whose product ids are new for each order.
    #[default]
    Name,
    /// `productId`.
    Id,
}

impl FromStr for ProductKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "name" => Ok(ProductKey::Name),
            "id" => Ok(ProductKey::Id),
            _ => Err(format!("{text:?} is neither name nor id")),
        }
    }
}

/// How a payload is laid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// See [`crate::formats::product_sold`].
    ProductSold(ProductKey),
    /// See [`crate::formats::transactions`].
    Transactions,
    /// See [`crate::formats::product_listings`].
    ProductListings,
    /// See [`crate::formats::feedback`].
    Feedback,
    /// See [`crate::config::mapping`].
    Mapped(Arc<Mapping>),
}

impl Format {
    /// The names of the built-in formats.
    pub const BUILT_IN: [&str; 4] = ["product_sold", "transactions", "product_listings", "feedback"];

    /// The built-in format of this name.
    pub fn built_in(name: &str, product_key: ProductKey) -> Option<Format> {
        Some(match name {
            "product_sold" => Format::ProductSold(product_key),
            "transactions" => Format::Transactions,
            "product_listings" => Format::ProductListings,
            "feedback" => Format::Feedback,
            _ => return None,
        })
    }

    /// What its records are about.
    pub fn kind(&self) -> Kind {
        match self {
            Format::ProductSold(_) | Format::Transactions => Kind::Order,
            Format::ProductListings => Kind::Listing,
            Format::Feedback => Kind::Feedback,
            Format::Mapped(mapping) => mapping.kind,
        }
    }
}

/// For people; a mapping only says that it is one, and of what.
impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Format::ProductSold(ProductKey::Name) => f.write_str("product_sold"),
            Format::ProductSold(ProductKey::Id) => f.write_str("product_sold, products by id"),
            Format::Transactions => f.write_str("transactions"),
            Format::ProductListings => f.write_str("product_listings"),
            Format::Feedback => f.write_str("feedback"),
            Format::Mapped(mapping) => write!(f, "{} by its mapping", mapping.kind),
        }
    }
}

/// A topic, and how it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicFormat {
    /// The topic.
    pub topic: String,
    /// How its payloads are laid out.
    pub format: Format,
    /// The space that its ids are in, where it shares one with other topics.
    pub id_space: Option<String>,
    /// The zone whose clock cuts its days, where it is not the shop's.
    pub time_zone: Option<Tz>,
    /// The currency of its orders that name none, where it is not the job's.
    pub default_currency: Option<String>,
}

/// A topic's description in a store, in one spelling only.
#[derive(Serialize)]
struct Description<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mapping: Option<&'a Mapping>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_space: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_zone: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_currency: Option<&'a str>,
}

impl TopicFormat {
    /// A topic without a mapping: its own name says how it is read.
    pub fn of(topic: &str, product_key: ProductKey) -> Self {
        TopicFormat {
            topic: topic.to_owned(),
            format: Format::built_in(topic, product_key).unwrap_or(Format::ProductSold(product_key)),
            id_space: None,
            time_zone: None,
            default_currency: None,
        }
    }

    /// As its table in the configuration file says.
    ///
    /// # Errors
    /// [`ConfigError`] which names the topic and the key.
    pub(super) fn from_table(topic: &str, mut table: Table, product_key: ProductKey) -> Result<Self, ConfigError> {
        let setting = format!("mapping.{topic:?}");
        let wrong = |key: &str, message: String| ConfigError::new(&setting, format!("`{key}`: {message}"));
        let mut text = |key: &str| match table.remove(key) {
            None => Ok(None),
            Some(Value::String(text)) if !text.trim().is_empty() => Ok(Some(text)),
            Some(other) => Err(wrong(key, format!("{other} is no text"))),
        };
        let (kind, format) = (text("kind")?, text("format")?);
        let id_space = text("id_space")?;
        let time_zone = match text("time_zone")? {
            None => None,
            Some(name) => Some(zone(&name).map_err(|message| wrong("time_zone", message))?),
        };
        let default_currency = match text("default_currency")? {
            None => None,
            Some(code) => Some(currency(&code).map_err(|message| wrong("default_currency", message))?),
        };
        let format = match (kind, format) {
            (None, Some(name)) => {
                if let Some(key) = table.keys().next() {
                    let message = "does not go with `format`: a built-in format knows its fields; name `kind` instead \
                                   to map them";
                    return Err(wrong(key, message.to_owned()));
                }
                Format::built_in(&name, product_key).ok_or_else(|| {
                    wrong("format", format!("{name:?} is not built in; these are: {}", Format::BUILT_IN.join(", ")))
                })?
            }
            (Some(name), None) => {
                let kind = Kind::ALL.into_iter().find(|kind| kind.name() == name);
                let kind =
                    kind.ok_or_else(|| wrong("kind", format!("{name:?} is not one of order, listing, feedback")))?;
                let mapping = Mapping::from_table(kind, table).map_err(|(key, message)| wrong(&key, message))?;
                Format::Mapped(Arc::new(mapping))
            }
            _ => {
                let message = "names either `kind` (order, listing or feedback) and its fields, or a built-in `format`";
                return Err(ConfigError::new(&setting, message));
            }
        };
        Ok(TopicFormat { topic: topic.to_owned(), format, id_space, time_zone, default_currency })
    }

    /// What its records are about.
    pub fn kind(&self) -> Kind {
        self.format.kind()
    }

    /// The space that its ids are in: its own, unless it shares one.
    pub fn id_space(&self) -> IdSpace {
        IdSpace::new(self.id_space_name())
    }

    fn id_space_name(&self) -> &str {
        self.id_space.as_deref().unwrap_or(&self.topic)
    }

    /// How it is read, in one spelling: a store keeps it, and refuses a run that reads otherwise.
    pub fn describe(&self) -> String {
        let (format, mapping) = match &self.format {
            Format::Mapped(mapping) => (None, Some(mapping.as_ref())),
            built_in => (Some(built_in.to_string()), None),
        };
        let is_plain = self.id_space.is_none() && self.time_zone.is_none() && self.default_currency.is_none();
        match format {
            Some(format) if is_plain => format,
            format => {
                let description = Description {
                    format,
                    mapping,
                    id_space: self.id_space.as_deref(),
                    time_zone: self.time_zone.map(Tz::name),
                    default_currency: self.default_currency.as_deref(),
                };
                // Nothing in it can fail to be JSON: texts, and maps whose keys are texts.
                serde_json::to_string(&description).unwrap_or_default()
            }
        }
    }
}

/// Two topics of orders whose ids are in one space, if there are: a space may be named as another topic is.
pub(super) fn of_shared_ids(formats: &[TopicFormat]) -> Option<(&str, &str)> {
    let orders: Vec<&TopicFormat> = formats.iter().filter(|format| format.kind() == Kind::Order).collect();
    orders.iter().enumerate().find_map(|(at, one)| {
        let other = orders[at + 1..].iter().find(|other| other.id_space_name() == one.id_space_name())?;
        Some((one.topic.as_str(), other.topic.as_str()))
    })
}

/// An IANA time zone.
pub(super) fn zone(name: &str) -> Result<Tz, String> {
    name.parse().map_err(|_| format!("{name:?} is no IANA time zone, such as Africa/Douala"))
}

/// A currency's code, as it is kept.
pub(super) fn currency(code: &str) -> Result<String, String> {
    let code = code.trim().to_uppercase();
    if code.is_empty() || code.len() > 16 || code.contains('\0') {
        return Err("is 1 to 16 bytes, such as EUR or FCFA".to_owned());
    }
    Ok(code)
}
