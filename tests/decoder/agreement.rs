//! A topic read twice: by the decoder and by the audit's plain reading, which must say the same of any
//! bytes.

use proptest::prelude::*;
use takings::audit::plain::{self, Plain, PlainOrder, Rules};
use takings::config::topics::TopicFormat;
use takings::config::{JobArgs, JobConfig};
use takings::formats::{Decode, Decoded, Decoder};
use takings::source::Record;
use takings_dataflows::event::Event;
use takings_dataflows::order::{Content, OrderEvent, PartitionId};

/// A job's settings, as a file gives them.
pub(crate) fn config(settings: &str) -> Result<JobConfig, String> {
    let text = format!("source = \"orders\"\nstore = \"sqlite:shop.db\"\n{settings}");
    let args: JobArgs = toml::from_str(&text).expect("TOML with known keys");
    args.resolve().map_err(|error| error.to_string())
}

pub(crate) fn record<'a>(key: Option<&'a [u8]>, payload: Option<&'a [u8]>) -> Record<'a> {
    let partition = PartitionId { topic: 0, partition: 3 };
    Record { partition, offset: 7, next_offset: 8, timestamp: 1_700_000_000_000, key, payload }
}

/// Both readings of a job's first topic.
pub(crate) struct Readings {
    decoder: Decoder,
    rules: Rules,
    topic: TopicFormat,
}

impl Readings {
    pub(crate) fn new(settings: &str) -> Self {
        let config = config(settings).unwrap_or_else(|error| panic!("{error}"));
        Readings {
            decoder: Decoder::new(config.decoder()),
            rules: Rules::of(&config),
            topic: config.topic_formats[0].clone(),
        }
    }

    pub(crate) fn decode(&mut self, key: Option<&[u8]>, payload: Option<&[u8]>) -> Result<(Event, bool), String> {
        match self.decoder.decode(&record(key, payload)) {
            Decoded::Event { event, rounded } => Ok((event, rounded)),
            Decoded::Rejected(reject) => Err(reject.to_string()),
        }
    }

    /// What a payload says, in one line; or why it was rejected. That both readings agree on it is held
    /// as well.
    pub(crate) fn read(&mut self, payload: &str) -> Result<String, String> {
        self.said(None, Some(payload.as_bytes()))
    }

    /// What a record says, in one line.
    pub(crate) fn said(&mut self, key: Option<&[u8]>, payload: Option<&[u8]>) -> Result<String, String> {
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
    pub(crate) fn fingerprint(&mut self, payload: &str) -> u64 {
        let (event, _) =
            self.decode(None, Some(payload.as_bytes())).unwrap_or_else(|error| panic!("{error}: {payload}"));
        match event {
            Event::Order(OrderEvent { content: Content::Order { fingerprint, .. }, .. }) => fingerprint,
            Event::Rating(event) => event.content.expect("content").fingerprint,
            other => panic!("{other:?} has none"),
        }
    }

    /// Holds the two readings of a record together.
    pub(crate) fn agree(&mut self, key: Option<&[u8]>, payload: Option<&[u8]>) -> Result<(), TestCaseError> {
        let plainly = plain::read(&self.topic.topic, key, payload, &self.rules);
        let fast = self.decode(key, payload);
        let space = self.topic.id_space();
        match (fast, plainly) {
            (Err(_), Plain::Rejected(_)) => Ok(()),
            (Ok((Event::Order(event), rounded)), Plain::Order(plain)) => {
                prop_assert_eq!(space.text(event.id, &event.id_text), plain.order_id.clone());
                prop_assert_eq!(rounded, plain.rounded);
                prop_assert_eq!(event.minute, event.version.minute());
                same_order(event, *plain)
            }
            (Ok((Event::Order(event), false)), Plain::CancelledOrder(id)) => {
                prop_assert_eq!(event.content, Content::Tombstone);
                prop_assert_eq!(space.text(event.id, &event.id_text), id);
                Ok(())
            }
            (Ok((Event::Listing(event), found)), Plain::Listing { product, name, category, price, rounded }) => {
                let content = event.content.ok_or_else(|| TestCaseError::fail("withdrawn with a payload"))?;
                prop_assert_eq!(event.product.text(), product);
                prop_assert_eq!(content.name.map(|name| name.text().to_owned()), name);
                prop_assert_eq!(content.category.map(|category| category.text().to_owned()), category);
                prop_assert_eq!(content.price, price);
                prop_assert_eq!(found, rounded);
                Ok(())
            }
            (Ok((Event::Listing(event), false)), Plain::WithdrawnListing(product)) => {
                prop_assert_eq!(event.content, None);
                prop_assert_eq!(event.product.text(), product);
                Ok(())
            }
            (Ok((Event::Rating(event), false)), Plain::Feedback { id, product, stars, .. }) => {
                let content = event.content.ok_or_else(|| TestCaseError::fail("withdrawn with a payload"))?;
                prop_assert_eq!(space.text(event.id, &event.id_text), id);
                prop_assert_eq!(content.product.text(), product);
                prop_assert_eq!(content.stars, stars);
                Ok(())
            }
            (Ok((Event::Rating(event), false)), Plain::WithdrawnFeedback(id)) => {
                prop_assert_eq!(event.content, None);
                prop_assert_eq!(space.text(event.id, &event.id_text), id);
                Ok(())
            }
            (fast, plain) => Err(TestCaseError::fail(format!("{fast:?}\n{plain:?}"))),
        }
    }

    /// Holds that two payloads have the same content in both readings, or in neither: what one takes for
    /// a correction must not be a repetition to the other.
    pub(crate) fn agree_on_pair(&mut self, one: &str, other: &str) -> Result<(), TestCaseError> {
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
        prop_assert_eq!(plain_one == plain_other, fast(one) == fast(other), "{}\n{}", one, other);
        Ok(())
    }
}

fn same_order(event: OrderEvent, plain: PlainOrder) -> Result<(), TestCaseError> {
    let Content::Order { contribution, .. } = event.content else {
        return Err(TestCaseError::fail("a tombstone with a payload"));
    };
    let (fact, day) = (contribution.fact, plain.day());
    prop_assert_eq!(fact.day, day);
    prop_assert_eq!(contribution.product.text(), plain.product);
    prop_assert_eq!(fact.category.map(|category| category.text().to_owned()), plain.product_category);
    prop_assert_eq!(fact.payment_method.text(), plain.payment_method);
    prop_assert_eq!(fact.currency.text(), plain.currency);
    prop_assert_eq!(contribution.amount, plain.total_amount);
    prop_assert_eq!(contribution.units, plain.product_quantity);
    let Some(details) = event.details else { return Ok(()) };
    prop_assert_eq!(details.product_id, plain.product_id.unwrap_or_default());
    prop_assert_eq!(details.product_name, plain.product_name);
    prop_assert_eq!(details.product_brand, plain.product_brand);
    prop_assert_eq!(details.product_price, plain.product_price);
    prop_assert_eq!(details.customer_id, plain.customer_id);
    prop_assert_eq!(details.ordered_at, plain.order_date.and_utc().timestamp_micros());
    Ok(())
}

/// A JSON value that may stand where another is expected.
pub(crate) fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => any::<String>().prop_map(|text| serde_json::Value::from(text).to_string()),
        3 => r#""(\\u00[0-9a-f]{2}|\\ud83d\\ude00|\\ud800|\\n|\\"|[a-z]){0,6}""#,
        3 => r"-?(0|[1-9][0-9]{0,13})(\.[0-9]{1,9})?([eE][+-]?[0-9]{1,2})?",
        3 => r#""[+-]?[0-9]{1,8}(\.[0-9]{0,9})?([eE][+-]?[0-9]{0,3})?""#,
        4 => r#""20[0-9]{2}-(0[1-9]|1[0-2])-[0-3][0-9]([T ][0-2][0-9]:[0-5][0-9](:[0-5][0-9](\.[0-9]{1,9})?)?(Z|[+-][01][0-9](:?[0-5][0-9](:[0-5][0-9])?)?)?(\[[A-Z][A-Za-z/+:1-]{0,8}\]?)?)?""#,
        1 => r#""[+-]0{0,2}[0-9]{4,6}-(0[1-9]|1[0-2])-[0-3][0-9]T00:00:00.000Z""#,
        2 => r"[0-9]{1,15}",
        2 => "[0-6](\\.[05])?",
        1 => Just("null".to_owned()),
        1 => Just("\"\"".to_owned()),
        1 => Just("true".to_owned()),
        1 => Just(r#"{"a":[1,{"a":2}]}"#.to_owned()),
        1 => Just(format!("\"{}\"", "y".repeat(520))),
        1 => "[0-9a-z\"\\\\{}\\[\\],:]{0,6}",
    ]
}

/// Objects of these members, some with another value, some with members more, in another order, or with
/// space between.
pub(crate) fn any_object(members: &'static [(&'static str, &'static str)]) -> impl Strategy<Value = String> {
    let changed = prop::collection::vec(prop::option::weighted(0.15, value()), members.len());
    let twice =
        prop::sample::select(members).prop_map(|(name, _)| format!("\\u{:04x}{}", name.as_bytes()[0], &name[1..]));
    let strange = prop::collection::vec((prop_oneof![3 => "[a-c]{1,2}", 1 => twice], value()), 0..3);
    (changed, strange, prop::bool::weighted(0.1), "[ \n\t]{0,2}").prop_map(move |(changed, strange, shuffle, space)| {
        let sound = members.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
        let mut members: Vec<(String, String)> = sound
            .zip(changed)
            .map(|((name, value), changed)| (name, changed.unwrap_or(value)))
            .chain(strange)
            .collect();
        if shuffle {
            members.reverse();
        }
        let members: Vec<_> = members.into_iter().map(|(k, v)| format!("{space}\"{k}\"{space}:{v}{space}")).collect();
        format!("{space}{{{}}}{space}", members.join(","))
    })
}

/// An object of these members, with one value put in place of another; an empty `with` leaves it out.
pub(crate) fn object(members: &[(&str, &str)], member: &str, with: &str) -> String {
    let written: Vec<String> = members
        .iter()
        .map(|&(name, value)| (name, if name == member { with } else { value }))
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("\"{name}\":{value}"))
        .collect();
    format!("{{{}}}", written.join(","))
}

/// Tests that both readings agree on any bytes: objects of the format's members, whole and torn, and keys.
macro_rules! agree_on_any_bytes {
    ($settings:expr, $members:expr) => {
        use std::cell::RefCell;

        use proptest::prelude::*;

        use super::agreement::{any_object, value};

        thread_local! {
            /// One for all cases: what it learned of a payload must not colour the next.
            static WARM: RefCell<Readings> = RefCell::new(Readings::new($settings));
        }

        proptest! {
            #![proptest_config(ProptestConfig::with_cases(3_000))]

            #[test]
            fn agrees_with_the_plain_reading(payload in any_object(&$members), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
                WARM.with_borrow_mut(|readings| {
                    readings.agree(None, Some(payload.as_bytes()))?;
                    let mut torn = payload.into_bytes();
                    let at = at.index(torn.len());
                    torn[at] = byte;
                    readings.agree(None, Some(&torn))?;
                    readings.agree(None, Some(&torn[..at]))
                })?;
            }

            #[test]
            fn agrees_on_what_is_a_correction(one in any_object(&$members), other in any_object(&$members)) {
                WARM.with_borrow_mut(|readings| readings.agree_on_pair(&one, &other))?;
            }

            #[test]
            fn agrees_on_keys(key in prop_oneof![any::<Vec<u8>>(), value().prop_map(String::into_bytes)]) {
                WARM.with_borrow_mut(|readings| readings.agree(Some(&key), None))?;
            }
        }
    };
}
pub(crate) use agree_on_any_bytes;
