//! The page in a real browser, on the real binary with Kafka and PostgreSQL behind it.
//!
//! The browser's own tests are the dashboard's (`dashboard/e2e`): numbers equal to the service's, patched
//! within the stream, both languages, both themes, the connection cut, nothing for axe to find. Here they
//! run against orders that go all the way. And the way itself is watched: what an order puts on the wire is
//! the rows that it changed, and it is there within moments.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use support::kafka::{Kafka, Message};
use support::postgres::PostgresServer;
use support::service::Events;
use support::takings::{Takings, takings};
use support::{port, wait};
use takings_dataflows::view::View;

/// A job that serves, on a shop of this many orders.
struct Shop {
    kafka: Kafka,
    job: Takings,
    url: String,
}

fn shop(orders: u32) -> Shop {
    let kafka = Kafka::start();
    let server = PostgresServer::shared();
    let store = server.url(&server.fresh_database());
    takings(&format!("generate --to {} --orders {orders} --days 120 --seed 5", kafka.url())).done();
    let url = format!("127.0.0.1:{}", port::free());
    let mut job = Takings::start(&format!("run --source {} --store {store} --serve {url}", kafka.url()));
    let url = format!("http://{url}");
    let sent: i64 = (0..4).map(|partition| kafka.watermarks("product_sold", partition).1).sum();
    wait::until("every record is served", Duration::from_secs(120), || {
        assert!(job.is_running(), "{}", job.log());
        let summary: serde_json::Value = reqwest::blocking::get(format!("{url}/api/v1/summary")).ok()?.json().ok()?;
        (summary["read"].as_i64()? == sent).then_some(())
    });
    Shop { kafka, job, url }
}

/// Those of totals that are streamed.
fn views_that_an_order_changes() -> BTreeSet<&'static str> {
    let not = ["sales_per_product", "products", "ratings_per_product"];
    View::DEFAULT.iter().map(|view| view.name()).filter(|name| !not.contains(name)).collect()
}

#[test]
fn an_order_puts_only_the_rows_it_changed_on_the_wire() {
    let shop = shop(3_000);
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
    shop.kafka.produce("product_sold", &[order("12.34", "Books")]);
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
    shop.kafka.produce("product_sold", &[order("10.00", "Toys")]);
    let second = events.wait_for("changes");
    let moved = &second.data["changed"]["sales_per_category"];
    assert_eq!((moved[0]["category"].as_str(), moved.as_array().map(Vec::len)), (Some("Toys"), Some(1)), "{moved}");
    assert_eq!(second.data["removed"]["sales_per_category"][0]["category"], "Books", "{}", second.data);

    // The very same order again changes no total, and so no row of any view is sent.
    shop.kafka.produce("product_sold", &[order("10.00", "Toys")]);
    let third = events.wait_for("changes");
    assert_eq!(third.data["changed"].as_object().map(serde_json::Map::len), Some(0), "{}", third.data);
    shop.job.signal("TERM");
    shop.job.wait().done();
}

#[test]
fn the_page_is_right_in_chromium() {
    let shop = shop(20_000);
    let live = Takings::start(&format!("generate --to {} --rate 20 --seed 6", shop.kafka.url()));
    let dashboard = Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboard");
    let output = Command::new("npx")
        .args(["--no-install", "vitest", "run", "--project", "e2e"])
        .current_dir(dashboard)
        .env("BASE_URL", &shop.url)
        .output()
        .expect("npx starts: run make dashboard");
    println!("{}", String::from_utf8_lossy(&output.stdout));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    drop(live);
    shop.job.signal("TERM");
    shop.job.wait().done();
}
