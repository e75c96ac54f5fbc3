//! What the dataflow needs of a kept order, in one value: the column `packed` of `orders`.
//!
//! A start reads every kept order, and fifteen columns a row are written, sent and read by a call each: six million took
//! 14.8 s, half of it the server's. One value takes a third. The columns stay, for readers of the
//! table, and for rows whose `packed` is null: those of an earlier schema, and those of which a column changed since.
//!
//! *Invariant: a value that is there says what the columns say.* Whoever writes one of these columns alone sets it to null.
//!
//! Its bytes are postcard's (<https://postcard.jamesmunns.com/wire-format>), after one that says in which form they are.

use serde::{Deserialize, Serialize};
use takings_dataflows::amount::Amount;
use takings_dataflows::day::Day;
use takings_dataflows::minute::Minute;
use takings_dataflows::order::{Content, Contribution, Fact, OrderEvent, Version};
use takings_dataflows::symbol::SymbolCache;

use super::commit::{KeptContent, KeptOrder};
use super::{StoreError, Topics};

/// The form of these bytes. Another set or order of fields is another form.
const FORM: u8 = 1;

/// Topics by name and ids by text, as in the columns: what a number or a hash of them means may change between runs.
#[derive(Serialize, Deserialize)]
struct Packed<'a> {
    topic: &'a str,
    order_id: &'a str,
    partition: u16,
    incarnation: u8,
    offset: u64,
    timestamp: i64,
    first_timestamp: i64,
    day: i32,
    category: Option<&'a str>,
    payment_method: &'a str,
    currency: &'a str,
    product: &'a str,
    amount: i128,
    units: i64,
    fingerprint: u64,
}

/// The value of an order that is not cancelled.
pub(super) fn pack(order: &KeptOrder, content: &KeptContent) -> Vec<u8> {
    let KeptContent { contribution: Contribution { fact, product, amount, units }, fingerprint, .. } = content;
    let packed = Packed {
        topic: &order.topic,
        order_id: &order.order_id,
        partition: order.partition,
        incarnation: order.incarnation,
        offset: order.offset,
        timestamp: order.timestamp,
        first_timestamp: order.first_timestamp,
        day: fact.day.epoch_days(),
        category: fact.category.map(|category| category.text()),
        payment_method: fact.payment_method.text(),
        currency: fact.currency.text(),
        product: product.text(),
        amount: amount.micros(),
        units: *units,
        fingerprint: *fingerprint,
    };
    postcard::to_extend(&packed, vec![FORM])
        .unwrap_or_else(|error| unreachable!("numbers and text always have a form, and memory grows: {error}"))
}

/// The event that a value stands for; `names` saves asking for the same names again.
///
/// # Errors
/// [`StoreError::Corrupt`] where the bytes are none of [`pack`]'s, or of a topic that the job does not have.
pub(super) fn unpack(bytes: &[u8], topics: &Topics, names: &mut SymbolCache) -> Result<OrderEvent, StoreError> {
    let Some((&FORM, bytes)) = bytes.split_first() else {
        return Err(corrupt(format!("it is in form {:?}, and this program knows {FORM}", bytes.first())));
    };
    let (packed, rest) = postcard::take_from_bytes::<Packed<'_>>(bytes).map_err(|error| corrupt(error.to_string()))?;
    if !rest.is_empty() {
        return Err(corrupt(format!("{} bytes are left over", rest.len())));
    }
    let (rank, space) = topics.get("orders", packed.topic)?;
    let version = Version::new(packed.timestamp, rank, packed.partition, packed.offset);
    let fact = Fact {
        day: Day::from_epoch_days(packed.day),
        category: packed.category.map(|category| names.get(category)),
        payment_method: names.get(packed.payment_method),
        currency: names.get(packed.currency),
    };
    let contribution = Contribution {
        fact,
        product: names.get(packed.product),
        amount: Amount::from_micros(packed.amount),
        units: packed.units,
    };
    let (id, id_text) = space.id(packed.order_id);
    Ok(OrderEvent {
        id,
        id_text,
        version: version.in_incarnation(packed.incarnation),
        minute: Minute::of_millis(packed.first_timestamp),
        content: Content::Order { contribution, fingerprint: packed.fingerprint },
        details: None,
    })
}

fn corrupt(why: String) -> StoreError {
    StoreError::Corrupt(format!(
        "a value of orders.packed can not be read: {why}; the row's other columns say the same, so to have them read: \
         UPDATE orders SET packed = NULL"
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use takings_dataflows::order::OrderDetails;
    use takings_dataflows::symbol::Symbol;

    use super::*;

    fn topics() -> Topics {
        use takings_dataflows::order::IdSpace;
        let names = ["listings".to_owned(), "sold".to_owned()];
        Topics::new(names.iter().map(|name| (name, IdSpace::new(name))))
    }

    prop_compose! {
        fn any_order()(
            order_id in "\\PC{1,50}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\0",
            names in prop::array::uniform4("\\PC{0,9}"),
            has_category: bool,
            (partition, incarnation, fingerprint) in any::<(u16, u8, u64)>(),
            (offset, timestamp) in (0..=Version::MAX_OFFSET, 0..=Version::MAX_TIMESTAMP),
            minute in 0..4_000_000i64,
            day in -100_000..100_000i32,
            amount: i128,
            units in -Contribution::MAX_UNITS..=Contribution::MAX_UNITS,
        ) -> (KeptOrder, KeptContent) {
            let [category, payment_method, currency, product] = names.map(|name| Symbol::new(&name));
            let fact = Fact {
                day: Day::from_epoch_days(day),
                category: has_category.then_some(category),
                payment_method,
                currency,
            };
            let contribution = Contribution { fact, product, amount: Amount::from_micros(amount), units };
            let content = KeptContent { contribution, details: OrderDetails::default(), fingerprint };
            let order = KeptOrder {
                topic: "sold".to_owned(),
                order_id,
                partition,
                incarnation,
                offset,
                timestamp,
                first_timestamp: minute * 60_000,
                current: None,
            };
            (order, content)
        }
    }

    proptest! {
        #[test]
        fn what_is_packed_comes_back((order, content) in any_order()) {
            use takings_dataflows::order::IdSpace;
            let event = unpack(&pack(&order, &content), &topics(), &mut SymbolCache::default()).expect("readable");
            let (id, id_text) = IdSpace::new("sold").id(&order.order_id);
            prop_assert_eq!((event.id, event.id_text), (id, id_text));
            let version = Version::new(order.timestamp, 1, order.partition, order.offset);
            prop_assert_eq!(event.version, version.in_incarnation(order.incarnation));
            prop_assert_eq!(event.minute.millis(), order.first_timestamp);
            let KeptContent { contribution, fingerprint, .. } = content;
            prop_assert_eq!(event.content, Content::Order { contribution, fingerprint });
            prop_assert_eq!(event.details, None);
        }

        #[test]
        fn what_is_cut_or_longer_is_refused((order, content) in any_order(), cut in any::<prop::sample::Index>()) {
            let mut bytes = pack(&order, &content);
            let mut names = SymbolCache::default();
            let cut = cut.index(bytes.len());
            prop_assert!(unpack(&bytes[..cut], &topics(), &mut names).is_err());
            bytes.push(0);
            prop_assert!(unpack(&bytes, &topics(), &mut names).is_err());
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _ = unpack(&bytes, &topics(), &mut SymbolCache::default());
        }
    }

    #[test]
    fn another_form_is_told_with_what_to_do() {
        let error = unpack(&[9, 0, 0], &topics(), &mut SymbolCache::default()).expect_err("another form").to_string();
        assert!(error.contains("form Some(9)") && error.contains("SET packed = NULL"), "{error}");
    }
}
