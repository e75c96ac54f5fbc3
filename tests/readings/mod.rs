//! A topic read twice: by the decoder and by the audit's plain reading (`serde_json`, member by member), which
//! must say the same of any bytes. The property tests and the fuzz targets both hold the two together here.

use takings::audit::plain::{self, Plain, PlainOrder, Rules};
use takings::config::topics::TopicFormat;
use takings::config::{JobArgs, JobConfig};
use takings::formats::{Decode, Decoded, Decoder};
use takings::source::Record;
use takings_dataflows::event::Event;
use takings_dataflows::order::{Content, OrderEvent, PartitionId};

/// Where the two readings part.
#[derive(Debug)]
pub struct Disagreement(pub String);

impl std::fmt::Display for Disagreement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Disagreement {}

macro_rules! same {
    ($one:expr, $other:expr $(, $more:expr)* $(,)?) => {
        let (one, other) = (&$one, &$other);
        if *one != *other {
            let more: &[&dyn std::fmt::Display] = &[$(&$more),*];
            let more: String = more.iter().map(|more| format!("\n{more}")).collect();
            return Err(Disagreement(format!("{} is {one:?}, and {} is {other:?}{more}", stringify!($one), stringify!($other))));
        }
    };
}

/// A job's settings, as a file gives them.
pub fn config(settings: &str) -> Result<JobConfig, String> {
    let text = format!("source = \"orders\"\nstore = \"sqlite:shop.db\"\n{settings}");
    let args: JobArgs = toml::from_str(&text).expect("TOML with known keys");
    args.resolve().map_err(|error| error.to_string())
}

pub fn record<'a>(key: Option<&'a [u8]>, payload: Option<&'a [u8]>) -> Record<'a> {
    let partition = PartitionId { topic: 0, partition: 3 };
    Record { partition, offset: 7, next_offset: 8, timestamp: 1_700_000_000_000, leader_epoch: None, key, payload }
}

/// Both readings of a job's first topic.
pub struct Readings {
    decoder: Decoder,
    rules: Rules,
    topic: TopicFormat,
}

impl Readings {
    pub fn new(settings: &str) -> Self {
        Readings::of(&config(settings).unwrap_or_else(|error| panic!("{error}")))
    }

    pub fn of(config: &JobConfig) -> Self {
        Readings {
            decoder: Decoder::new(config.decoder()),
            rules: Rules::of(config),
            topic: config.topic_formats[0].clone(),
        }
    }

    pub fn decode(&mut self, key: Option<&[u8]>, payload: Option<&[u8]>) -> Result<(Event, bool), String> {
        match self.decoder.decode(&record(key, payload)) {
            Decoded::Event { event, rounded } => Ok((event, rounded)),
            Decoded::Rejected(reject) => Err(reject.to_string()),
        }
    }

    /// What a payload says, in one line; or why it was rejected. That both readings agree on it is held
    /// as well.
    pub fn read(&mut self, payload: &str) -> Result<String, String> {
        self.said(None, Some(payload.as_bytes()))
    }

    /// What a record says, in one line.
    pub fn said(&mut self, key: Option<&[u8]>, payload: Option<&[u8]>) -> Result<String, String> {
        self.agree(key, payload).unwrap_or_else(|error| panic!("{error}\n{payload:?}"));
        let (event, rounded) = self.decode(key, payload)?;
        let rounded = if rounded { " rounded" } else { "" };
        let none = || "-".to_owned();
        Ok(match event {
            Event::Order(event) => {
                let id = self.topic.id_space().text(event.id, &event.id_text);
                let Content::Order { contribution, .. } = event.content else { return Ok(format!("{id} cancelled")) };
                let (fact, product) = (contribution.fact, contribution.product);
                let category = fact.category.map_or("-", |category| category.text());
                let (amount, units) = (contribution.amount, contribution.units);
                format!(
                    "{id} {product} {} {category} {} {} {amount} {units}{rounded}",
                    fact.day, fact.payment_method, fact.currency
                )
            }
            Event::Listing(event) => {
                let Some(content) = event.content else { return Ok(format!("{} withdrawn", event.product)) };
                let name = content.name.map_or_else(none, |name| name.to_string());
                let category = content.category.map_or_else(none, |category| category.to_string());
                let price = content.price.map_or_else(none, |price| price.to_string());
                format!("{} {name} {category} {price}{rounded}", event.product)
            }
            Event::Rating(event) => {
                let id = self.topic.id_space().text(event.id, &event.id_text);
                let Some(content) = event.content else { return Ok(format!("{id} withdrawn")) };
                format!("{id} {} {}", content.product, content.stars)
            }
        })
    }

    /// A number that two payloads share if, and only if, their content is the same.
    pub fn fingerprint(&mut self, payload: &str) -> u64 {
        let (event, _) =
            self.decode(None, Some(payload.as_bytes())).unwrap_or_else(|error| panic!("{error}: {payload}"));
        match event {
            Event::Order(OrderEvent { content: Content::Order { fingerprint, .. }, .. }) => fingerprint,
            Event::Rating(event) => event.content.expect("content").fingerprint,
            other => panic!("{other:?} has none"),
        }
    }

    /// Holds the two readings of a record together.
    pub fn agree(&mut self, key: Option<&[u8]>, payload: Option<&[u8]>) -> Result<(), Disagreement> {
        let plainly = plain::read(&self.topic.topic, key, payload, &self.rules);
        let fast = self.decode(key, payload);
        let space = self.topic.id_space();
        match (fast, plainly) {
            (Err(_), Plain::Rejected(_)) => Ok(()),
            (Ok((Event::Order(event), rounded)), Plain::Order(plain)) => {
                same!(space.text(event.id, &event.id_text), plain.order_id.clone());
                same!(rounded, plain.rounded);
                same!(event.minute, event.version.minute());
                same_order(event, *plain)
            }
            (Ok((Event::Order(event), false)), Plain::CancelledOrder(id)) => {
                same!(event.content, Content::Tombstone);
                same!(space.text(event.id, &event.id_text), id);
                Ok(())
            }
            (Ok((Event::Listing(event), found)), Plain::Listing { product, name, category, price, rounded }) => {
                let content = event.content.ok_or_else(|| Disagreement("withdrawn with a payload".to_owned()))?;
                same!(event.product.text(), product);
                same!(content.name.map(|name| name.text().to_owned()), name);
                same!(content.category.map(|category| category.text().to_owned()), category);
                same!(content.price, price);
                same!(found, rounded);
                Ok(())
            }
            (Ok((Event::Listing(event), false)), Plain::WithdrawnListing(product)) => {
                same!(event.content, None);
                same!(event.product.text(), product);
                Ok(())
            }
            (Ok((Event::Rating(event), false)), Plain::Feedback { id, product, stars, .. }) => {
                let content = event.content.ok_or_else(|| Disagreement("withdrawn with a payload".to_owned()))?;
                same!(space.text(event.id, &event.id_text), id);
                same!(content.product.text(), product);
                same!(content.stars, stars);
                Ok(())
            }
            (Ok((Event::Rating(event), false)), Plain::WithdrawnFeedback(id)) => {
                same!(event.content, None);
                same!(space.text(event.id, &event.id_text), id);
                Ok(())
            }
            (fast, plain) => Err(Disagreement(format!("{fast:?}\n{plain:?}"))),
        }
    }

    /// Holds that two payloads have the same content in both readings, or in neither: what one takes for
    /// a correction must not be a repetition to the other.
    pub fn agree_on_pair(&mut self, one: &str, other: &str) -> Result<(), Disagreement> {
        let plainly = |payload: &str| match plain::read(&self.topic.topic, None, Some(payload.as_bytes()), &self.rules)
        {
            Plain::Rejected(_) => None,
            Plain::Order(mut order) => {
                order.rounded = false;
                Some(Plain::Order(order))
            }
            said => Some(said),
        };
        let (Some(plain_one), Some(plain_other)) = (plainly(one), plainly(other)) else { return Ok(()) };
        let mut fast = |payload: &str| match self.decode(None, Some(payload.as_bytes())) {
            Ok((Event::Order(event), _)) => Some((Some(event.content), None)),
            Ok((Event::Rating(event), _)) => Some((None, event.content)),
            _ => None,
        };
        same!(plain_one == plain_other, fast(one) == fast(other), one, other);
        Ok(())
    }
}

fn same_order(event: OrderEvent, plain: PlainOrder) -> Result<(), Disagreement> {
    let Content::Order { contribution, .. } = event.content else {
        return Err(Disagreement("a tombstone with a payload".to_owned()));
    };
    let (fact, day) = (contribution.fact, plain.day());
    same!(fact.day, day);
    same!(contribution.product.text(), plain.product);
    same!(fact.category.map(|category| category.text().to_owned()), plain.product_category);
    same!(fact.payment_method.text(), plain.payment_method);
    same!(fact.currency.text(), plain.currency);
    same!(contribution.amount, plain.total_amount);
    same!(contribution.units, plain.product_quantity);
    let Some(details) = event.details else { return Ok(()) };
    same!(details.product_id, plain.product_id.unwrap_or_default());
    same!(details.product_name, plain.product_name);
    same!(details.product_brand, plain.product_brand);
    same!(details.product_price, plain.product_price);
    same!(details.customer_id, plain.customer_id);
    same!(details.ordered_at, plain.order_date.and_utc().timestamp_micros());
    Ok(())
}
