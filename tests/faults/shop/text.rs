//! What the shop's producers write.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::{Listing, Order, Rating};

/// Millionths as decimal text with six places.
pub fn decimal(micros: i128) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    format!("{sign}{}.{:06}", micros.abs() / 1_000_000, micros.abs() % 1_000_000)
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("text")
}

/// A member, where it has a value.
fn member(name: &str, value: Option<String>) -> String {
    value.map(|value| format!(",\"{name}\":{value}")).unwrap_or_default()
}

/// An order; with `rounded` its amount has a seventh place, which rounds to nothing.
pub(super) fn order_text(chance: &mut ChaCha8Rng, id: &str, order: &Order, rounded: bool) -> String {
    let mut amount = decimal(order.micros);
    if rounded {
        amount.push('4');
    }
    if chance.random() {
        amount = quoted(&amount);
    }
    // Some producers write an id that is a number as a number: it is the same id.
    let id = if id.bytes().all(|byte| byte.is_ascii_digit()) && chance.random() { id.to_owned() } else { quoted(id) };
    let text = |name: Option<&'static str>| name.map(quoted);
    format!(
        "{{\"orderId\":{id},\"orderDate\":\"{}T12:34:56\",\"totalAmount\":{amount},\"productQuantity\":{},\
         \"customerId\":{}{}{}{}{}}}",
        order.day,
        order.units,
        order.customer,
        member("productName", text(order.product)),
        member("productCategory", text(order.category)),
        member("paymentMethod", text(order.payment_method)),
        member("currency", text(order.currency)),
    )
}

pub(super) fn listing_text(product: &str, listing: &Listing) -> String {
    format!(
        "{{\"product_id\":{}{}{}{}}}",
        quoted(product),
        member("name", listing.name.as_deref().map(quoted)),
        member("category", listing.category.map(quoted)),
        member("price", listing.price_micros.map(decimal)),
    )
}

pub(super) fn rating_text(id: &str, rating: &Rating) -> String {
    format!(
        "{{\"feedback_id\":{},\"product_id\":{},\"rating\":{},\"comment\":\"comment {}\"}}",
        quoted(id),
        quoted(rating.product),
        rating.stars,
        rating.comment
    )
}
