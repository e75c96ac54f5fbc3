//! From a total to what made it, over real HTTP, on both stores: orders, corrections, totals of products. A shop with a
//! catalogue is counted by the real job, and whatever is shown adds up to the views.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use support::service::Serving;
use support::stores::Fresh;
use support::takings::takings;
use takings_dataflows::amount::Amount;

const TOPICS: &str = "product_sold,transactions,product_listings,feedback";

/// A shop of some weeks, with its single orders.
fn counted() -> Vec<(Fresh, Serving)> {
    let log = tempfile::tempdir().unwrap();
    let folder = log.path().display();
    takings(&format!(
        "generate --to {folder} --topics {TOPICS} --orders 4000 --days 20 --seed 11 --corrections 0.05 \
         --cancellations 0.03 --invalid 0.02 --products 40 --partitions 2"
    ))
    .done();
    let stores = [Fresh::postgres(), Fresh::sqlite()];
    stores
        .into_iter()
        .map(|store| {
            let run = format!("run --source {folder} --store {} --topics {TOPICS}", store.url);
            takings(&format!("{run} --time-zone Africa/Dakar --keep-orders --until-caught-up")).done();
            let serving = Serving::of(&store.url);
            (store, serving)
        })
        .collect()
}

/// All rows of an address, page by page.
fn all(serving: &Serving, path: &str) -> Vec<Value> {
    let (mut rows, mut cursor) = (Vec::new(), String::new());
    loop {
        let sign = if path.contains('?') { '&' } else { '?' };
        let page = serving.json(&format!("/api/v1/{path}{sign}limit=777{cursor}"));
        rows.extend(page["rows"].as_array().unwrap().clone());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return rows,
        }
    }
}

/// Sums by the columns named: amount, orders, units.
type Sums = BTreeMap<Vec<String>, (Amount, u64, i64)>;

fn sums(rows: &[Value], by: &[&str], amount: &str, orders: impl Fn(&Value) -> u64) -> Sums {
    let mut sums = Sums::new();
    for row in rows {
        let sum = sums.entry(by.iter().map(|name| row[*name].to_string()).collect()).or_default();
        sum.0 += row[amount].as_str().unwrap().parse().unwrap();
        sum.1 += orders(row);
        sum.2 += row["units"].as_i64().unwrap();
    }
    sums
}

fn of_view(rows: &[Value], by: &[&str]) -> Sums {
    sums(rows, by, "total_sales", |row| row["orders"].as_u64().unwrap())
}

fn text<'a>(row: &'a Value, name: &str) -> &'a str {
    row[name].as_str().unwrap()
}

/// An address is text: names have accents and spaces.
fn escaped(name: &str) -> String {
    url::form_urlencoded::byte_serialize(name.as_bytes()).collect()
}

#[test]
fn orders_add_up_to_the_totals() {
    for (store, serving) in counted() {
        assert_eq!(serving.json("/api/v1/views")["orders_kept"], true);
        let orders = all(&serving, "orders");
        for (view, by) in [
            ("sales_per_category", ["order_date", "category", "currency"].as_slice()),
            ("sales_per_payment_method", &["order_date", "payment_method", "currency"]),
            ("sales_per_product", &["order_date", "product", "currency"]),
            ("sales_per_day", &["order_date", "currency"]),
        ] {
            let found = sums(&orders, by, "amount", |_| 1);
            assert!(found.len() > 20, "{view}: {}", found.len());
            assert_eq!(found, of_view(&all(&serving, view), by), "{view} of {}", store.url);
        }
        let follows = |row: &&Value| text(row, "topic") == "transactions" && text(row, "category") != "unlisted";
        assert!(orders.iter().filter(follows).count() > 100, "many orders follow the catalogue");

        // The newest first, as text that orders.
        let place = |row: &Value| ["order_date", "topic", "order_id"].map(|name| text(row, name).to_owned());
        let places: Vec<_> = orders.iter().map(place).collect();
        let mut days: Vec<_> = places.iter().map(|[day, ..]| day).collect();
        assert!(days.is_sorted_by(|one, next| one >= next));
        days.dedup();
        assert_eq!(all(&serving, "orders?order=asc").iter().rev().map(place).collect::<Vec<_>>(), places);

        // Each filter is what it says, and all of it.
        let one = &orders[orders.len() / 2];
        let (from, to) = (days[3].clone(), days[1].clone());
        let within = |row: &Value| text(row, "order_date") >= &*from && text(row, "order_date") <= &*to;
        for name in ["currency", "category", "payment_method", "product"] {
            let value = text(one, name);
            let found = all(&serving, &format!("orders?from={from}&to={to}&{name}={}", escaped(value)));
            let expected: Vec<Value> =
                orders.iter().filter(|row| within(row) && text(row, name) == value).cloned().collect();
            assert_eq!(found, expected, "{name} is {value}");
            let refused = serving.ask(&format!("/api/v1/orders?{name}={}", escaped(value)), &[]);
            assert_eq!((refused.status, refused.problem().0.as_str()), (400, "invalid_parameter"));
            assert!(refused.problem().1.contains(&format!("`{name}`")), "{}", refused.body);
        }
        let found = all(&serving, &format!("orders?order_id={}", escaped(text(one, "order_id"))));
        assert!(found.contains(one) && found.iter().all(|row| row["order_id"] == one["order_id"]));
        assert_eq!(one["ordered_at"].as_str().unwrap().len(), "2026-11-22T12:34:56.789000".len());

        // As for any table.
        let csv = serving.ask("/api/v1/orders.csv?limit=10000", &[("accept-encoding", "gzip")]);
        assert_eq!(csv.header("content-encoding"), "gzip");
        let csv = serving.ask("/api/v1/orders.csv?limit=10000", &[]);
        assert_eq!(csv.body.lines().count(), orders.len() + 1);
        let again = serving.ask("/api/v1/orders", &[("if-none-match", csv.header("etag"))]);
        assert_eq!(again.status, 304);
    }
}

/// A role that reads the totals, and not what single customers bought.
#[test]
fn orders_that_are_withheld_are_told_from_orders_that_are_not_kept() {
    let store = Fresh::postgres();
    let mut settings = support::stores::settings();
    settings.keep_orders = true;
    store.open().acquire(&settings).unwrap();
    let role = format!("reader_of_{}", store.database());
    store.execute(&format!(
        "CREATE ROLE {role} LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}; REVOKE SELECT ON orders FROM {role}"
    ));
    let url = store.url.to_string().replacen(support::postgres::OWNER, &role, 1);
    let serving = Serving::of(&url.parse().unwrap());
    let answer = serving.ask("/api/v1/orders", &[]);
    let error = &answer.json()["error"];
    assert_eq!((answer.status, error["code"].as_str()), (403, Some("withheld")), "{error}");
    assert!(error["message"].as_str().unwrap().contains("permission denied for table orders"), "{error}");
    assert!(error["hint"].as_str().unwrap().contains("GRANT SELECT"), "{error}");
    assert_eq!(serving.ask("/api/v1/sales_per_day", &[]).status, 200, "all else is shown");
    store.execute("UPDATE job SET keep_orders = false");
    let answer = serving.ask("/api/v1/orders", &[]);
    assert_eq!((answer.status, answer.problem().0.as_str()), (404, "orders_not_kept"));
}

#[test]
fn orders_that_are_not_kept_are_not_shown() {
    for store in [Fresh::postgres(), Fresh::sqlite()] {
        let mut settings = support::stores::settings();
        settings.keep_orders = false;
        store.open().acquire(&settings).unwrap();
        let serving = Serving::of(&store.url);
        for path in ["/api/v1/views", "/api/v1/freshness"] {
            let answer = serving.json(path);
            assert_eq!(
                (&answer["orders_kept"], &answer["time_zone"]),
                (&json!(false), &json!("Africa/Dakar")),
                "{path}"
            );
        }
        let answer = serving.ask("/api/v1/orders", &[]);
        assert_eq!((answer.status, answer.problem().0.as_str()), (404, "orders_not_kept"));
        assert!(answer.json()["error"]["hint"].as_str().unwrap().contains("--keep-orders"), "{}", answer.body);
        assert_eq!(serving.ask("/api/v1/orders?order_id=", &[]).status, 400);
        settings.views = vec![takings_dataflows::view::View::Category];
        store.open().acquire(&settings).unwrap();
        let off = serving.ask("/api/v1/product_totals", &[]);
        assert_eq!((off.status, off.problem().0.as_str()), (404, "view_off"));
        assert_eq!(json!(null), answer.json()["rows"]);
    }
}

#[test]
fn corrections_and_rejects_are_found_by_what_they_hold() {
    for (store, serving) in counted() {
        let corrections = all(&serving, "corrections");
        let cancelled = corrections.iter().filter(|row| row["now"].is_null()).count();
        assert!(corrections.len() > 100 && cancelled > 20, "{} and {cancelled}", corrections.len());
        let listed: BTreeMap<String, Value> = all(&serving, "products")
            .into_iter()
            .map(|row| (text(&row, "product").to_owned(), row["category"].clone()))
            .collect();
        // Where the side names none, its category is the catalogue's.
        let of = |side: &Value, name: &str| -> Option<String> {
            match (side.is_null(), name, side[name].as_str()) {
                (true, ..) => None,
                (_, "category", None) => {
                    let listed = side["product"].as_str().and_then(|product| listed.get(product));
                    Some(listed.and_then(Value::as_str).unwrap_or("unlisted").to_owned())
                }
                (_, _, text) => text.map(str::to_owned),
            }
        };
        let sides = |row: &Value, test: &dyn Fn(&Value) -> bool| test(&row["was"]) || test(&row["now"]);
        let expected = |test: &dyn Fn(&Value) -> bool| -> Vec<Value> {
            corrections.iter().filter(|row| test(row)).cloned().collect()
        };
        for name in ["currency", "category", "payment_method", "product"] {
            let mut values: Vec<String> =
                corrections.iter().flat_map(|row| [of(&row["was"], name), of(&row["now"], name)]).flatten().collect();
            values.sort();
            values.dedup();
            assert!(!values.is_empty());
            for value in values.iter().take(5).chain([&"none such".to_owned()]) {
                let found = all(&serving, &format!("corrections?{name}={}", escaped(value)));
                let is = |row: &Value| sides(row, &|side| of(side, name).as_ref() == Some(value));
                assert_eq!(found, expected(&is), "{name} is {value}, {}", store.url);
            }
        }
        let mut days: Vec<String> = corrections.iter().filter_map(|row| of(&row["was"], "order_date")).collect();
        days.sort();
        let (from, to) = (&days[days.len() / 3], &days[days.len() / 2]);
        for (query, from, to) in [
            (format!("from={from}&to={to}"), from.as_str(), to.as_str()),
            (format!("from={to}"), to, "9"),
            (format!("to={from}"), "", from),
        ] {
            let found = all(&serving, &format!("corrections?{query}"));
            let within = |day: String| day.as_str() >= from && day.as_str() <= to;
            let is = |row: &Value| sides(row, &|side| of(side, "order_date").is_some_and(within));
            assert!(found.len() < corrections.len() && !found.is_empty(), "{query}");
            assert_eq!(found, expected(&is), "{query}");
        }
        let found = all(&serving, "corrections?why=cancellation");
        assert_eq!(found, expected(&|row| row["why"] == "cancellation"));
        let id = text(&corrections[0], "order_id");
        let part = id[id.len() / 3..id.len() / 2 + 1].to_uppercase();
        let found = all(&serving, &format!("corrections?search={part}"));
        assert_eq!(found, expected(&|row| text(row, "order_id").to_uppercase().contains(&part)));
        assert!(found.iter().any(|row| text(row, "order_id") == id));
        for row in &corrections {
            assert_eq!(text(row, "noticed_at").len(), "2026-11-22T12:34:56.789Z".len());
        }

        let rejected = all(&serving, "rejected");
        let expected = |test: &dyn Fn(&Value) -> bool| -> Vec<Value> {
            rejected.iter().filter(|row| test(row)).cloned().collect()
        };
        let reason = text(&rejected[0], "reason");
        let part = reason[..reason.len() / 2].to_uppercase();
        let found = all(&serving, &format!("rejected?reason={}", escaped(&part)));
        assert_eq!(found, expected(&|row| text(row, "reason").to_uppercase().contains(&part)));
        assert!(!found.is_empty());
        let found = all(&serving, "rejected?topic=transactions");
        assert!(!found.is_empty() && found.len() < rejected.len());
        assert_eq!(found, expected(&|row| row["topic"] == "transactions"));
        assert_eq!(all(&serving, "rejected?reason=%25"), expected(&|row| text(row, "reason").contains('%')));
    }
}

#[test]
fn totals_of_products_are_the_sums_of_their_days() {
    for (store, serving) in counted() {
        let sold = all(&serving, "sales_per_product");
        let listed: BTreeMap<String, Value> =
            all(&serving, "products").into_iter().map(|row| (text(&row, "product").to_owned(), row)).collect();
        let of_listing =
            |row: &Value, name: &str| listed.get(text(row, "product")).map_or(Value::Null, |row| row[name].clone());
        let by = ["product", "currency"].as_slice();
        let days: Vec<&str> = sold.iter().map(|row| text(row, "order_date")).collect();
        let (from, to) = (days[days.len() * 2 / 3], days[days.len() / 3]);
        let some = text(&sold[0], "product");
        for (query, from, to) in [(String::new(), "", "9"), (format!("from={from}&to={to}"), from, to)] {
            let within = |row: &&Value| text(row, "order_date") >= from && text(row, "order_date") <= to;
            let expected = of_view(&sold.iter().filter(within).cloned().collect::<Vec<_>>(), by);
            let rows = all(&serving, &format!("product_totals?{query}"));
            assert_eq!(of_view(&rows, by), expected, "{query} of {}", store.url);
            assert_eq!(rows.len(), expected.len(), "each product and currency once");
            for row in &rows {
                assert_eq!((&row["name"], &row["category"]), (&of_listing(row, "name"), &of_listing(row, "category")));
            }
            let narrowed = all(&serving, &format!("product_totals?{query}&product={}&product=none", escaped(some)));
            assert!(narrowed.iter().all(|row| text(row, "product") == some));
            let of_one = rows.iter().filter(|row| text(row, "product") == some).count();
            assert_eq!((narrowed.len(), of_one > 0), (of_one, true));
        }

        let rows = all(&serving, "product_totals?currency=EUR");
        let amounts: Vec<Amount> = rows.iter().map(|row| text(row, "total_sales").parse().unwrap()).collect();
        assert!(amounts.len() > 10 && amounts.is_sorted_by(|one, next| one >= next));
        for (sort, order) in [("orders", "asc"), ("units", "desc"), ("product", "asc"), ("name", "desc")] {
            let path = format!("product_totals?sort={sort}&order={order}");
            let (mut pages, mut cursor) = (Vec::new(), String::new());
            loop {
                let page = serving.json(&format!("/api/v1/{path}&limit=7{cursor}"));
                pages.extend(page["rows"].as_array().unwrap().clone());
                let Some(next) = page["next_cursor"].as_str() else { break };
                cursor = format!("&cursor={next}");
            }
            assert_eq!(pages, all(&serving, &path), "{path}");
        }
        let name = listed.values().find_map(|row| row["name"].as_str()).unwrap();
        let part: String = name.chars().skip(1).take(4).collect::<String>().to_uppercase();
        let found = all(&serving, &format!("product_totals?sort=name&search={}", escaped(&part)));
        let has = |row: &Value, name| row[name].as_str().is_some_and(|text| text.to_uppercase().contains(&part));
        assert!(!found.is_empty() && found.iter().all(|row| has(row, "product") || has(row, "name")));

        let csv = serving.ask("/api/v1/product_totals.csv?limit=3&sort=orders", &[]);
        assert_eq!(csv.body.lines().next(), Some("product,currency,name,category,total_sales,orders,units"));
        let rest = format!("/api/v1/product_totals?sort=orders&cursor={}", csv.header("takings-next-cursor"));
        assert_eq!(serving.json(&rest)["rows"].as_array().unwrap().len(), all(&serving, "product_totals").len() - 3);
        let again = serving.ask("/api/v1/product_totals", &[("if-none-match", csv.header("etag"))]);
        assert_eq!(again.status, 304);
    }
}
