//! What an order puts on the wire: the rows that it changed, and nothing else.

use std::collections::BTreeSet;
use std::time::Instant;

use takings_dataflows::view::View;

use crate::shop::{Kind, Shop};
use crate::support::kafka::Message;
use crate::support::service::Events;

/// Those of totals that are streamed.
fn views_that_an_order_changes() -> BTreeSet<&'static str> {
    let not = ["sales_per_product", "products", "ratings_per_product"];
    View::DEFAULT.iter().map(|view| view.name()).filter(|name| !not.contains(name)).collect()
}

#[test]
fn an_order_puts_only_the_rows_it_changed_on_the_wire() {
    let shop = Shop::on(Kind::Servers, "", 3_000);
    let stream = reqwest::blocking::Client::builder()
        .timeout(None)
        .build()
        .and_then(|client| client.get(format!("{}/api/v1/events", shop.url)).send())
        .expect("the stream opens");
    let events = Events::read(std::io::BufReader::new(stream));
    // The stream may still be telling of the shop that was there before.
    let summary: serde_json::Value = reqwest::blocking::get(format!("{}/api/v1/summary", shop.url))
        .and_then(reqwest::blocking::Response::json)
        .expect("a summary");
    while events.next().id.is_none_or(|epoch| epoch < summary["epoch"].as_u64().expect("an epoch")) {}

    let order = |amount: &str, category: &str| {
        let payload = format!(
            r#"{{"orderId": "wire", "productCategory": "{category}", "totalAmount": {amount}, "currency": "XTS", "paymentMethod": "CARD", "orderDate": "2026-02-03T10:00:00", "productId": "p"}}"#
        );
        Message::new("wire", payload)
    };
    let sent = Instant::now();
    shop.kafka().produce("product_sold", &[order("12.34", "Books")]);
    let first = events.wait_for("changes");
    println!("an order was on the wire {:?} after it was handed to the producer", sent.elapsed());
    let changed = first.data["changed"].as_object().expect("views");
    let told: BTreeSet<&str> = changed.keys().map(String::as_str).collect();
    assert_eq!(told, views_that_an_order_changes());
    for (view, rows) in changed {
        let rows = rows.as_array().expect("rows");
        // It is the best seller of its day, of its month and of all time: nothing else is sold in its currency.
        assert_eq!(rows.len(), if view == "top_products" { 3 } else { 1 }, "{view}");
        for row in rows {
            assert_eq!(row["total_sales"], "12.340000");
            assert_eq!(row["orders"], 1);
        }
    }

    // A correction moves it to another category: the old row goes, and is told as gone.
    shop.kafka().produce("product_sold", &[order("10.00", "Toys")]);
    let second = events.wait_for("changes");
    let moved = &second.data["changed"]["sales_per_category"];
    assert_eq!((moved[0]["category"].as_str(), moved.as_array().map(Vec::len)), (Some("Toys"), Some(1)), "{moved}");
    assert_eq!(second.data["removed"]["sales_per_category"][0]["category"], "Books", "{}", second.data);

    // The very same order again changes no total, and so no row of any view is sent.
    shop.kafka().produce("product_sold", &[order("10.00", "Toys")]);
    let third = events.wait_for("changes");
    assert_eq!(third.data["changed"].as_object().map(serde_json::Map::len), Some(0), "{}", third.data);
    shop.stop();
}
