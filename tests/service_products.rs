//! The views of products, best sellers, ratings and minutes over real HTTP, on both stores: what is asked is
//! what comes, the event stream tells what changed in them, and a view that is off is off everywhere.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use serde_json::{Value, json};
use support::products::Products;
use support::service::{Serving, Shop, order};
use support::stores::{Fresh, settings};
use takings::store::{FilledView, JobSettings};
use takings_dataflows::view::View;

fn stores() -> [Fresh; 2] {
    [Fresh::postgres(), Fresh::sqlite()]
}

/// One column of the rows at a path, as text.
fn column(serving: &Serving, path: &str, name: &str) -> Vec<String> {
    let answer = serving.json(&format!("/api/v1/{path}"));
    let text = |row: &Value| row[name].as_str().map_or_else(|| row[name].to_string(), str::to_owned);
    answer["rows"].as_array().unwrap().iter().map(text).collect()
}

#[test]
fn what_is_asked_is_what_comes() {
    for store in stores() {
        Shop::default().commit(store.acquired().as_mut(), &[order(0, 0, 0, 100)], 0);
        Products::in_epoch_1(&store);
        let serving = Serving::of(&store.url);

        let sold = |query: &str| column(&serving, &format!("sales_per_product?{query}"), "total_sales");
        assert_eq!(sold(""), ["1.000000", "7.000000", "5.000000"]);
        assert_eq!(sold("product=caf%C3%A9"), ["7.000000"]);
        assert_eq!(sold("from=2026-11-23&currency=EUR"), ["1.000000"]);
        assert_eq!(sold("to=2026-11-22&order=asc"), ["5.000000", "7.000000"]);
        assert_eq!(sold("currency=USD"), [""; 0]);
        let row = &serving.json("/api/v1/sales_per_product?limit=1")["rows"][0];
        let expected = json!({"order_date": "2026-11-23", "product": "1001", "currency": "EUR", "total_sales": "1.000000", "orders": 1, "units": 1, "epoch": 1});
        assert_eq!(row, &expected, "and nothing of what only the job needs");

        let best = |query: &str| column(&serving, &format!("top_products?{query}"), "product");
        assert_eq!(best("period=all&currency=EUR"), ["café", "1001"]);
        assert_eq!(best("period=2026-11-23"), ["1001"]);
        assert_eq!(best("period=2026-11&order=desc"), ["1001", "café"]);
        assert_eq!(best("product=1001"), ["1001"; 4]);
        assert_eq!(best("").len(), 7);

        assert_eq!(column(&serving, "products", "name"), ["Teapot", "null"]);
        assert_eq!(column(&serving, "products?product=1001&product=none", "price"), ["12.500000"]);
        assert_eq!(column(&serving, "products?product=caf%C3%A9&product=1001&category=Kitchen", "product"), ["1001"]);

        assert_eq!(column(&serving, "ratings_per_product", "product"), ["1002", "1001", "café"]);
        let row = &serving.json("/api/v1/ratings_per_product?product=1001")["rows"][0];
        let expected = json!({"product": "1001", "ratings": 3, "average": "3.666667", "ones": 0, "twos": 1, "threes": 0, "fours": 1, "fives": 1, "epoch": 1});
        assert_eq!(row, &expected);

        let minutes = |query: &str| column(&serving, &format!("orders_per_minute?{query}"), "minute");
        let all = ["2026-11-23T00:02:00.000Z", "2026-11-23T00:00:00.000Z", "2026-11-22T23:59:00.000Z"];
        assert_eq!(minutes(""), all);
        assert_eq!(minutes("to=2026-11-22"), all[2..]);
        assert_eq!(minutes("from=2026-11-23"), all[..2]);
        assert_eq!(minutes("from=2026-11-23T00:00:00Z&to=2026-11-23T01:01:00%2B01:00"), all[1..2]);

        // Page by page, over every kind of key.
        for view in ["sales_per_product", "top_products", "products", "ratings_per_product", "orders_per_minute"] {
            let whole = serving.rows(view);
            let (mut pages, mut cursor) = (Vec::new(), String::new());
            loop {
                let page = serving.json(&format!("/api/v1/{view}?limit=1{cursor}"));
                pages.extend(page["rows"].as_array().unwrap().clone());
                let Some(next) = page["next_cursor"].as_str() else { break };
                cursor = format!("&cursor={next}");
            }
            assert_eq!(pages, whole, "{view}");
            let csv = serving.ask(&format!("/api/v1/{view}.csv"), &[]);
            let mut reader = csv::Reader::from_reader(csv.body.as_bytes());
            let names: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
            assert_eq!(names.len(), whole[0].as_object().unwrap().len(), "{view}");
            for (record, row) in reader.records().map(Result::unwrap).zip(&whole) {
                for (name, text) in names.iter().zip(&record) {
                    let value = row[name].as_str().map_or_else(|| row[name].to_string(), str::to_owned);
                    assert_eq!(text, value.replace("null", ""), "{view}.{name}");
                }
            }
            assert_eq!(csv.body.lines().count(), whole.len() + 1, "{view}");
        }
    }
}

#[test]
fn each_view_says_from_when_it_is_complete() {
    for store in stores() {
        Shop::default().commit(store.acquired().as_mut(), &[order(0, 0, 0, 100)], 0);
        let products = Products::in_epoch_1(&store);
        let serving = Serving::of(&store.url);
        let views = serving.json("/api/v1/views");
        assert_eq!((&views["epoch"], views["views"].as_array().unwrap().len()), (&json!(1), 10));
        let ratings = json!({"view": "ratings_per_product", "complete_from": "2026-11-01", "since_epoch": 1});
        assert!(views["views"].as_array().unwrap().contains(&ratings), "{views}");
        assert_eq!(views["views"][0], json!({"view": "sales_per_category", "complete_from": null, "since_epoch": 0}));
        assert_eq!(serving.json("/api/v1/freshness")["views"], views["views"]);
        assert!(serving.ask("/api/v1/views.csv", &[]).body.contains("\nratings_per_product,2026-11-01,1\n"));
        assert_eq!(serving.ask("/api/v1/views?x=1", &[]).status, 400);

        // The row of one that is off may stand for a moment longer: the job's word counts.
        products.switch_off(&["products"]);
        let kept = serving.json("/api/v1/views");
        assert!(kept["views"].as_array().unwrap().iter().all(|kept| kept["view"] != "products"), "{kept}");
        let off = serving.ask("/api/v1/products", &[]);
        assert_eq!((off.status, off.problem().0.as_str()), (404, "view_off"));
    }
}

/// A run that keeps a view more has taken the store over, and reads the log again: until its first commit that view's
/// rows are none of the shop's, while the others stand.
#[test]
fn a_view_that_is_being_filled_is_not_shown_as_an_empty_one() {
    for store in stores() {
        let with = |views: &[View]| JobSettings { views: views.to_vec(), ..settings() };
        let (before, after) = ([View::PaymentMethod], [View::PaymentMethod, View::Day, View::Product]);
        let mut shop = Shop::default();
        let mut write = store.open();
        write.acquire(&with(&before)).unwrap();
        let serving = Serving::of(&store.url);
        assert_eq!(serving.ask("/api/v1/sales_per_payment_method", &[]).status, 200, "a new store has no totals");
        let mut first = shop.epoch(&[order(0, 0, 0, 100)], 0);
        first.rows.retain(|change| change.key.view() == View::PaymentMethod);
        first.filled.retain(|filled| filled.view == View::PaymentMethod);
        write.commit(&first).unwrap();
        drop(write);

        let mut write = store.open();
        let filled = write.acquire(&with(&after)).unwrap().to_fill;
        assert_eq!(filled, [View::Day, View::Product]);
        for path in
            ["sales_per_day", "sales_per_day.csv", "sales_per_product", "product_totals", "product_totals?product=1"]
        {
            let answer = serving.ask(&format!("/api/v1/{path}"), &[]);
            assert_eq!((answer.status, answer.problem().0.as_str()), (503, "view_filling"), "{path}: {}", answer.body);
        }
        assert_eq!(serving.json("/api/v1/summary")["currencies"][0]["total_sales"], "1.000000");
        assert_eq!(serving.json("/api/v1/views")["views"].as_array().unwrap().len(), 1);
        assert_eq!(serving.ask("/api/v1/sales_per_category", &[]).status, 404, "that one is off");

        let mut second = shop.epoch(&[order(0, 0, 0, 50)], 0);
        second.rows.retain(|change| change.key.view() == View::Day);
        second.rows.iter_mut().for_each(|change| change.old = None);
        second.filled = filled.into_iter().map(|view| FilledView { view, complete_from: None }).collect();
        write.commit(&second).unwrap();
        assert_eq!(serving.json("/api/v1/sales_per_day")["rows"][0]["total_sales"], "1.500000");
        assert_eq!(serving.json("/api/v1/product_totals")["rows"], json!([]));
        drop(write);

        // No other view by day is there while the only one is filled.
        store.open().acquire(&with(&[View::Category])).unwrap();
        let answer = serving.ask("/api/v1/summary", &[]);
        assert_eq!((answer.status, answer.problem().0.as_str()), (503, "view_filling"), "{}", answer.body);
    }
}

#[test]
fn the_stream_tells_what_changed() {
    for store in stores() {
        let (mut write, mut shop) = (store.acquired(), Shop::default());
        shop.commit(write.as_mut(), &[order(0, 0, 0, 100)], 0);
        let products = Products::in_epoch_1(&store);
        let serving = Serving::of(&store.url);
        let events = serving.events(None);
        let hello = events.next();
        assert_eq!((hello.name.as_str(), hello.id), ("hello", Some(1)));
        assert_eq!(hello.data["newest_record_at"], "2023-11-14T22:13:20.001Z");

        // 1001 passes café on the 22nd, in its month and in all; another listing, rating and minute come.
        for period in ["all", "2026-11", "2026-11-22"] {
            products.rank(period, 1, "1001", 9, 2);
            products.rank(period, 2, "café", 7, 2);
        }
        products.write("UPDATE products SET name = 'Coffee', epoch = 2 WHERE product = 'café'");
        products.write("UPDATE ratings_per_product SET ratings = 2, fives = 2, epoch = 2 WHERE product = 'café'");
        products.write("UPDATE sales_per_product SET orders = 9, epoch = 2 WHERE product = '1001'");
        products.minute("2026-11-23T00:03", 4, 2);
        products.write("DELETE FROM orders_per_minute WHERE minute < '2026-11-23T00:00:00Z'");
        products.removal("orders_per_minute", &json!({"minute": "2026-11-22T23:59:00.000Z", "currency": "EUR"}), 2);
        products.removal(
            "sales_per_product",
            &json!({"order_date": "2026-11-22", "product": "x", "currency": "EUR"}),
            2,
        );
        shop.commit(write.as_mut(), &[order(0, 0, 0, 100)], 0);

        let event = events.next();
        assert_eq!((event.name.as_str(), event.id), ("changes", Some(2)));
        assert_eq!(event.data["newest_record_at"], "2023-11-14T22:13:20.002Z");
        let changed = &event.data["changed"];
        let best = changed["top_products"].as_array().unwrap();
        assert_eq!(best.len(), 6, "the 23rd did not change: {best:?}");
        let first = json!({"period": "2026-11-22", "currency": "EUR", "rank": 1, "product": "1001", "total_sales": "9.000000", "orders": 9, "units": 9, "epoch": 2});
        assert!(best.contains(&first), "{best:?}");
        let listed = json!([{"product": "café", "name": "Coffee", "category": null, "price": null, "epoch": 2}]);
        assert_eq!(changed["products"], listed);
        assert_eq!(
            (changed["ratings_per_product"].as_array().unwrap().len(), &changed["ratings_per_product"][0]["ratings"]),
            (1, &json!(2))
        );
        assert_eq!(changed["orders_per_minute"][0]["minute"], "2026-11-23T00:03:00.000Z");
        assert_eq!(changed["orders_per_minute"].as_array().unwrap().len(), 1);
        assert_eq!(changed["sales_per_product"], Value::Null, "it is not streamed");
        let gone = json!({"orders_per_minute": [{"minute": "2026-11-22T23:59:00.000Z", "currency": "EUR"}]});
        assert_eq!(event.data["removed"], gone);

        // And to one that comes back: the same, in one go with what came after.
        products.rank("2026-11-23", 1, "café", 8, 3);
        products.removal("top_products", &json!({"period": "2026-11-22", "currency": "EUR", "rank": 2}), 3);
        products.write("DELETE FROM top_products WHERE period = '2026-11-22' AND rank = 2");
        shop.commit(write.as_mut(), &[order(1, 0, 0, 100)], 0);
        assert_eq!(events.next().id, Some(3));
        let back = serving.events(Some(1)).next();
        assert_eq!((back.name.as_str(), back.id), ("changes", Some(3)));
        assert_eq!(back.data["changed"]["top_products"].as_array().unwrap().len(), 6);
        let gone = json!([{"period": "2026-11-22", "currency": "EUR", "rank": 2}]);
        assert_eq!(back.data["removed"]["top_products"], gone);
    }
}

#[test]
fn a_view_that_is_switched_on_or_off_is_a_reset() {
    for store in stores() {
        let (mut write, mut shop) = (store.acquired(), Shop::default());
        shop.commit(write.as_mut(), &[order(0, 0, 0, 100)], 0);
        let products = Products::in_epoch_1(&store);
        let serving = Serving::of(&store.url);
        let events = serving.events(None);
        assert_eq!(events.next().name, "hello");
        products.switch_off(&["ratings_per_product"]);
        let off = events.next();
        assert_eq!((off.name.as_str(), off.id), ("reset", Some(1)));

        // On again: what fills it is of days that did not change.
        products.write("UPDATE views SET since_epoch = 2 WHERE view = 'ratings_per_product'");
        products.switch_off(&[]);
        shop.commit(write.as_mut(), &[order(0, 0, 0, 100)], 0);
        assert_eq!(serving.events(Some(1)).next().name, "reset", "to one that was away meanwhile");
        while events.wait_for("reset").id != Some(2) {}
        shop.commit(write.as_mut(), &[order(0, 0, 0, 100)], 0);
        assert_eq!(events.wait_for("changes").id, Some(3));
    }
}

/// An EventSource that is refused never asks again.
#[test]
fn following_a_product_whose_view_is_off_costs_no_stream() {
    for store in stores() {
        let (mut write, mut shop) = (store.acquired(), Shop::default());
        shop.commit(write.as_mut(), &[order(0, 0, 0, 100)], 0);
        let products = Products::in_epoch_1(&store);
        products.switch_off(&["sales_per_product"]);
        let serving = Serving::of(&store.url);
        // Once the feed has seen the store.
        assert_eq!(serving.events(None).next().name, "hello");
        let events = serving.ask_events("/api/v1/events?product=1001");
        assert_eq!(events.next().name, "hello");
        shop.commit(write.as_mut(), &[order(0, 0, 0, 100)], 0);
        let told = events.wait_for("changes");
        assert_eq!(told.data["changed"]["sales_per_day"][0]["orders"], 2, "{told:?}");
        assert_eq!(told.data["products"], json!([{"product": "1001", "days": [], "rows": []}]));

        // On again, and filled: the same stream goes on with it.
        products.write("UPDATE views SET since_epoch = 3 WHERE view = 'sales_per_product'");
        products.switch_off(&[]);
        shop.commit(write.as_mut(), &[order(0, 0, 0, 100)], 0);
        while events.wait_for("reset").id != Some(3) {}
        shop.commit(write.as_mut(), &[order(0, 0, 0, 100)], 0);
        let told = events.wait_for("changes");
        assert_eq!(told.data["products"][0]["rows"][0]["order_date"], "2026-11-22", "{told:?}");
    }
}

#[test]
fn a_correction_may_follow_the_catalogue() {
    for store in stores() {
        Shop::default().commit(store.acquired().as_mut(), &[order(0, 0, 0, 100)], 0);
        store.execute(
            "INSERT INTO corrections (topic, partition, \"offset\", order_id, why, was_order_date, was_product,
                 was_payment_method, was_currency, was_amount, was_units, now_order_date, now_product, now_category,
                 now_payment_method, now_currency, now_amount, now_units, epoch)
             VALUES ('transactions', 0, 3, 't1', 'correction', '2026-11-22', '1001', 'unknown', 'USD', '1.000000', 1,
                 '2026-11-22', '1002', 'Books', 'unknown', 'USD', '1.000000', 1, 1)",
        );
        let row = &Serving::of(&store.url).json("/api/v1/corrections")["rows"][0];
        assert_eq!((&row["was"]["product"], &row["was"]["category"]), (&json!("1001"), &Value::Null));
        assert_eq!((&row["now"]["product"], &row["now"]["category"]), (&json!("1002"), &json!("Books")));
    }
}
