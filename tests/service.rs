//! The service over real HTTP, on both stores: every route, what it refuses, and that no answer ever
//! mixes two states.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "an age in seconds is no money")]

mod support;

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use support::postgres::PostgresServer;
use support::service::{SALES, SOON, Serving, Shop, grand_total, order};
use support::stores::{Fresh, commit, day, day_key, partition, total};
use support::wait::until;
use takings::service::ServeConfig;
use takings::store::commit::{Correction, Rejected, Why};
use takings::store::proof::ShownDifference;
use takings::store::{Commit, Inconsistent, Outcome, ProvenDay, StoreUrl};
use takings_dataflows::order::Contribution;
use takings_dataflows::view::View;

fn stores() -> [Fresh; 2] {
    [Fresh::postgres(), Fresh::sqlite()]
}

/// A shop of three days, three currencies and two epochs, with an order that was corrected, one that was
/// cancelled, and a record that could not be read.
fn stocked(store: &Fresh) -> Shop {
    let mut shop = Shop::default();
    let mut write = store.acquired();
    let orders: Vec<_> = (0..36).map(|number| order(number % 3, number as usize, number as usize / 4, 1_234)).collect();
    write.commit(&shop.epoch(&orders, 0)).unwrap();
    let mut commit: Commit = shop.epoch(&[order(40, 0, 0, -5)], 0);
    let contribution = |cents| {
        let (fact, takings) = order(1, 1, 0, cents);
        Contribution {
            fact,
            product: takings_dataflows::symbol::Symbol::new("a product"),
            amount: takings.amount,
            units: takings.units,
        }
    };
    let correction = |offset, was, now, why| Correction {
        topic: "product_sold".into(),
        partition: 0,
        offset,
        order_id: format!("order-{offset}"),
        was,
        now,
        why,
    };
    commit.corrections.push(correction(7, Some(contribution(100)), Some(contribution(150)), Why::Correction));
    commit.corrections.push(correction(9, Some(contribution(150)), None, Why::Cancellation));
    commit.rejected.push(Rejected {
        topic: "product_sold".into(),
        partition: 0,
        offset: 8,
        key: Some(b"k\xffy".to_vec()),
        payload: Some([&b"{\"a\": \x00"[..], &[b'x'; 5_000]].concat()),
        reason: "field `totalAmount` is missing".into(),
    });
    commit.partitions = vec![partition(0, 40), partition(1, 10)];
    write.commit(&commit).unwrap();
    shop
}

#[test]
fn what_is_proven_and_what_is_impossible_is_told() {
    for store in stores() {
        stocked(&store);
        let serving = Serving::of(&store.url);
        let audit = serving.json("/api/v1/audit");
        assert_eq!(
            (&audit["epoch"], &audit["proofs"]["days"], &audit["proofs"]["unproven"]),
            (&json!(2), &json!(3), &json!(3))
        );
        assert_eq!(
            (&audit["proofs"]["last_proven_at"], &audit["rows"][0]["state"]),
            (&Value::Null, &json!("unproven"))
        );
        assert_eq!(serving.json("/api/v1/inconsistent")["rows"], json!([]));

        let mut write = store.acquired();
        let verdict = |after, outcome, differences, shown| ProvenDay {
            day: day(after),
            outcome,
            at: chrono::DateTime::from_timestamp_millis(1_795_000_000_123).unwrap(),
            epoch: 2,
            orders: 12,
            rows: 40,
            differences,
            shown,
            reason: None,
        };
        let difference = ShownDifference { what: "a row".into(), stored: "1".into(), counted: "2".into() };
        write
            .prove(&[verdict(0, Outcome::Proven, 0, vec![]), verdict(1, Outcome::Differs, 1, vec![difference])])
            .unwrap();
        let key = day_key(1, "EUR");
        let odd = Inconsistent { key, stands: None, would_be: total(-5_000_000, -1).into() };
        write.commit(&Commit { inconsistent: vec![odd], ..commit(3, vec![]) }).unwrap();

        // No epoch is needed to see it, and no answer of it may be kept.
        let answer = serving.ask("/api/v1/audit?order=asc&limit=2", &[("if-none-match", "*")]);
        assert_eq!((answer.status, answer.header("etag")), (200, ""));
        let audit = answer.json();
        let at = "2026-11-18T11:06:40.123Z";
        let proofs = json!({"days": 3, "proven": 1, "differing": 1, "not_provable": 0, "unproven": 1,
            "first_proven_at": at, "last_proven_at": at, "inconsistent_groups": 1});
        assert_eq!(audit["proofs"], proofs);
        let first = json!({"order_date": "2026-11-22", "state": "proven", "proven_at": at, "epoch": 2, "orders": 12,
            "rows": 40, "differences": 0, "shown": [], "reason": null});
        assert_eq!(audit["rows"][0], first);
        assert_eq!(audit["rows"][1]["shown"], json!([{"what": "a row", "stored": "1", "counted": "2"}]));
        let rest = serving.json(&format!(
            "/api/v1/audit?order=asc&limit=2&cursor={}",
            audit["next_cursor"].as_str().expect("a third day")
        ));
        assert_eq!((&rest["rows"][0]["state"], &rest["next_cursor"]), (&json!("unproven"), &Value::Null));
        let csv = serving.ask("/api/v1/audit.csv?order=asc&limit=2", &[]);
        let rest = serving
            .ask(&format!("/api/v1/audit.csv?order=asc&limit=2&cursor={}", csv.header("takings-next-cursor")), &[]);
        assert_eq!((csv.body.lines().count(), rest.body.lines().count()), (3, 2));
        assert_eq!((csv.header("etag"), rest.header("takings-next-cursor")), ("", ""));
        let one = serving.json("/api/v1/audit?from=2026-11-23&to=2026-11-23&state=differs");
        assert_eq!(one["rows"].as_array().unwrap().len(), 1);

        let row = &serving.json("/api/v1/inconsistent?view=sales_per_day")["rows"][0];
        assert_eq!(row["key"], json!({"order_date": "2026-11-23", "currency": "EUR"}));
        assert_eq!(row["would_be"], json!({"total_sales": "-5.000000", "orders": -1, "units": -2}));
        assert_eq!((&row["stands"], &row["cured_epoch"], &row["since_epoch"]), (&Value::Null, &Value::Null, &json!(3)));
        assert_eq!(serving.json("/api/v1/inconsistent?view=sales_per_month")["rows"], json!([]));
        let metrics = serving.ask("/metrics", &[]).body;
        for line in [
            "takings_inconsistent_groups 1",
            "takings_audit_days{state=\"proven\"} 1",
            "takings_audit_days{state=\"differs\"} 1",
            "takings_audit_days{state=\"unproven\"} 1",
            "takings_books_balanced{topic=\"product_sold\",partition=\"0\"} 1",
        ] {
            assert!(metrics.lines().any(|found| found == line), "{line} is not in {metrics}");
        }

        // Somebody took the constraint away, and lost a record.
        if store.is_postgres() {
            store
                .execute("ALTER TABLE sources DROP CONSTRAINT books_balance; UPDATE sources SET applied = applied - 1");
            assert_eq!(serving.json("/api/v1/freshness")["partitions"][0]["balanced"], false);
            let metrics = serving.ask("/metrics", &[]).body;
            assert!(metrics.contains("takings_books_balanced{topic=\"product_sold\",partition=\"0\"} 0"), "{metrics}");
        }
    }
}

#[test]
fn every_route_answers_from_one_epoch() {
    for store in stores() {
        stocked(&store);
        let serving = Serving::of(&store.url);

        let summary = serving.json("/api/v1/summary");
        assert_eq!(summary["epoch"], 2);
        assert_eq!(summary["orders"], 37);
        assert_eq!((&summary["first_day"], &summary["last_day"]), (&json!("2026-11-22"), &json!("2027-01-01")));
        let currencies: Vec<_> = summary["currencies"].as_array().unwrap().iter().collect();
        let names: Vec<_> = currencies.iter().map(|total| total["currency"].as_str().unwrap()).collect();
        assert_eq!(names, ["EUR", "FCFA", "USD"]);
        assert_eq!(currencies[0]["total_sales"], "148.030000");
        assert_eq!(
            currencies[1],
            &json!({"currency": "FCFA", "minor_units": 0, "total_sales": "148.080000", "orders": 12, "units": 12})
        );
        assert_eq!((&summary["read"], &summary["duplicates"]), (&json!(50), &json!(25)));
        let one = serving.json("/api/v1/summary?from=2026-11-23&to=2026-11-23&currency=EUR");
        assert_eq!((&one["orders"], one["currencies"].as_array().unwrap().len()), (&json!(3), 1));

        // Newest first; a negative total is a total.
        let days = serving.json("/api/v1/sales_per_day?currency=EUR");
        let last = json!({"order_date": "2027-01-01", "currency": "EUR", "total_sales": "-0.050000", "orders": 1, "units": 1, "epoch": 2});
        assert_eq!(days["rows"][0], last);
        assert_eq!(days["rows"].as_array().unwrap().len(), 4);
        let months = serving.json("/api/v1/sales_per_month?from=2026-12&order=asc");
        assert_eq!(
            months["rows"],
            json!([{"year": 2027, "month": 1, "currency": "EUR", "total_sales": "-0.050000", "orders": 1, "units": 1, "epoch": 2}])
        );
        let categories = serving.json("/api/v1/sales_per_category?category=%C3%89lectronique&to=2026-11-30");
        assert!(categories["rows"].as_array().unwrap().iter().all(|row| row["category"] == "Électronique"));
        assert_eq!(categories["rows"].as_array().unwrap().len(), 3);
        let paid =
            serving.json("/api/v1/sales_per_payment_method?payment_method=ORANGE_MONEY&from=2026-11-22&to=2026-11-22");
        assert_eq!(paid["rows"].as_array().unwrap().len(), 2);

        let corrections = serving.json("/api/v1/corrections");
        assert_eq!(corrections["rows"][0]["order_id"], "order-9");
        assert_eq!(corrections["rows"][0]["now"], Value::Null);
        let corrected = &serving.json("/api/v1/corrections?order_id=order-7")["rows"];
        assert_eq!(corrected.as_array().unwrap().len(), 1);
        assert_eq!(corrected[0]["why"], "correction");
        let mut was = corrected[0]["was"].clone();
        was.as_object_mut().unwrap().remove("product");
        let expected = json!({"order_date": "2026-11-23", "category": "Électronique", "payment_method": "ORANGE_MONEY", "currency": "EUR", "amount": "1.000000", "units": 1});
        assert_eq!(was, expected);
        assert_eq!(corrected[0]["now"]["amount"], "1.500000");

        let rejected = &serving.json("/api/v1/rejected")["rows"][0];
        assert_eq!((&rejected["offset"], &rejected["key"]), (&json!(8), &json!("k\u{fffd}y")));
        assert_eq!(rejected["reason"], "field `totalAmount` is missing");
        assert_eq!((rejected["payload"].as_str().unwrap().len(), &rejected["payload_cut"]), (2048, &json!(true)));
        let csv = serving.ask("/api/v1/rejected.csv", &[]).body;
        let mut csv = csv::Reader::from_reader(csv.as_bytes());
        let names: Vec<String> = csv.headers().unwrap().iter().map(str::to_owned).collect();
        let row = csv.records().next().unwrap().unwrap();
        let of = |name: &str| &row[names.iter().position(|known| known == name).unwrap()];
        assert_eq!((of("payload"), of("payload_cut")), (rejected["payload"].as_str().unwrap(), "true"));
        assert_eq!(of("key"), rejected["key"].as_str().unwrap());

        let freshness = serving.json("/api/v1/freshness");
        assert_eq!(freshness["partitions"].as_array().unwrap().len(), 2);
        let first = &freshness["partitions"][0];
        assert_eq!((&first["offset"], &first["read"], &first["applied"]), (&json!(40), &json!(40), &json!(20)));
        assert_eq!(first["newest_timestamp"], "2023-11-14T22:13:20.040Z");
        assert_eq!(freshness["newest_record_at"], "2023-11-14T22:13:20.040Z");
        assert!(freshness["age_seconds"].to_string().parse::<f64>().unwrap() < 60.0);
        assert_eq!(freshness["committed_at"].as_str().unwrap().len(), "2026-11-22T12:34:56.789Z".len());

        assert_eq!(serving.ask("/healthz", &[]).status, 200);
        assert_eq!(serving.ask("/readyz", &[]).status, 200);
        assert_eq!(serving.json("/api/v1/openapi.json")["openapi"].as_str().unwrap().split('.').next(), Some("3"));
        let metrics = serving.ask("/metrics", &[]).body;
        for line in [
            "takings_store_reachable 1",
            "takings_committed_epoch 2",
            "takings_records_total{topic=\"product_sold\",partition=\"0\",outcome=\"applied\"} 20",
            "takings_http_requests_total{route=\"summary\",status=\"200\"} 2",
            "# EOF",
        ] {
            assert!(metrics.contains(line), "no {line} in\n{metrics}");
        }
        let page = serving.ask("/", &[]);
        assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    }
}

#[test]
fn all_pages_together_are_the_whole() {
    for store in stores() {
        stocked(&store);
        let serving = Serving::of(&store.url);
        for (view, order) in [("sales_per_category", "asc"), ("sales_per_day", "desc"), ("corrections", "desc")] {
            let whole = serving.json(&format!("/api/v1/{view}?order={order}"));
            let mut pages = Vec::new();
            let mut cursor = String::new();
            loop {
                let page = serving.json(&format!("/api/v1/{view}?order={order}&limit=3{cursor}"));
                let rows = page["rows"].as_array().unwrap();
                assert!(!rows.is_empty() && rows.len() <= 3, "{view}: {page}");
                pages.extend(rows.clone());
                match page["next_cursor"].as_str() {
                    Some(next) => cursor = format!("&cursor={next}"),
                    None => break,
                }
            }
            assert_eq!(json!(pages), whole["rows"], "{view}");
        }
    }
}

#[test]
fn csv_holds_the_same_rows() {
    for store in stores() {
        stocked(&store);
        let serving = Serving::of(&store.url);
        for view in SALES.map(View::name) {
            let by_suffix = serving.ask(&format!("/api/v1/{view}.csv"), &[]);
            let by_header = serving.ask(&format!("/api/v1/{view}"), &[("accept", "text/csv")]);
            assert_eq!(by_suffix.body, by_header.body);
            assert_eq!(by_suffix.header("content-type"), "text/csv; charset=utf-8");
            let mut reader = csv::Reader::from_reader(by_suffix.body.as_bytes());
            let names = reader.headers().unwrap().clone();
            let rows: Vec<Value> = reader
                .records()
                .map(|record| names.iter().zip(&record.unwrap()).map(|(name, text)| (name, text.to_owned())).collect())
                .collect();
            let expected = serving.rows(view);
            assert_eq!(rows.len(), expected.len());
            for (row, expected) in rows.iter().zip(&expected) {
                for (name, value) in expected.as_object().unwrap() {
                    assert_eq!(row[name].as_str().unwrap(), value.to_string().trim_matches('"'), "{view}.{name}");
                }
            }
        }
        let page = serving.ask("/api/v1/sales_per_day.csv?limit=2", &[]);
        let rest = serving.ask(&format!("/api/v1/sales_per_day?cursor={}", page.header("takings-next-cursor")), &[]);
        assert_eq!(rest.json()["rows"].as_array().unwrap().len(), serving.rows("sales_per_day").len() - 2);
        for view in ["summary", "corrections", "rejected", "freshness"] {
            let lines = serving.ask(&format!("/api/v1/{view}.csv"), &[]).body.lines().count();
            assert!(lines >= 2, "{view}");
        }
    }
}

#[test]
fn what_a_client_holds_is_not_sent_again() {
    for store in stores() {
        let mut shop = stocked(&store);
        let serving = Serving::of(&store.url);
        for path in ["/api/v1/summary", "/api/v1/sales_per_month", "/api/v1/corrections.csv"] {
            let first = serving.ask(path, &[]);
            let tag = first.header("etag");
            assert!(tag.starts_with("\"2-"), "{tag}");
            assert_eq!(first.header("cache-control"), "no-cache");
            let again = serving.ask(path, &[("if-none-match", tag)]);
            assert_eq!((again.status, again.body.as_str(), again.header("etag")), (304, "", tag));
        }
        // Its age changes by the second: it is never held.
        assert_eq!(serving.ask("/api/v1/freshness", &[("if-none-match", "\"2\"")]).status, 200);
        shop.commit(store.acquired().as_mut(), &[order(0, 0, 0, 1)], 0);
        let changed = serving.ask("/api/v1/summary", &[("if-none-match", "\"2\"")]);
        assert_eq!((changed.status, changed.json()["epoch"].as_u64()), (200, Some(3)));
    }
}

#[test]
fn wrong_requests_are_told_what_is_wrong() {
    let store = Fresh::sqlite();
    stocked(&store);
    let serving = Serving::of(&store.url);
    for (path, status, code, part) in [
        ("/api/v1/sales_per_day?from=22.11.2026", 400, "invalid_parameter", "`from` is not a date"),
        ("/api/v1/sales_per_month?to=soon", 400, "invalid_parameter", "`to` is not a month"),
        (
            "/api/v1/sales_per_day?limit=100000",
            400,
            "invalid_parameter",
            "`limit` is not a whole number from 1 to 10000",
        ),
        ("/api/v1/sales_per_day?curency=EUR", 400, "invalid_parameter", "`curency` is not known here"),
        ("/api/v1/sales_per_day?cursor=abc", 400, "invalid_parameter", "`cursor` is none"),
        ("/api/v1/summary?limit=1", 400, "invalid_parameter", "`limit` is not known here"),
        ("/api/v1/freshness?x=", 400, "invalid_parameter", "`x` is not known here"),
        ("/api/v1/events?last_event_id=7-%00", 400, "invalid_parameter", "`last_event_id` is no event's id"),
        ("/api/v1/events?last_event_id=x", 400, "invalid_parameter", "`last_event_id` is no event's id"),
        ("/api/v1/sales_per_moon", 404, "not_found", "nothing"),
        ("/api/v1/", 404, "not_found", "nothing"),
        ("/api/v2/summary", 404, "not_found", "nothing"),
        ("/no/such/file.js", 404, "not_found", "nothing"),
        ("/../Cargo.toml", 404, "not_found", "nothing"),
        ("/%2e%2e/Cargo.toml", 404, "not_found", "nothing"),
    ] {
        let answer = serving.ask(path, &[]);
        let (found, message) = answer.problem();
        assert_eq!((answer.status, found.as_str()), (status, code), "{path}: {message}");
        assert!(message.contains(part), "{path}: {message}");
    }
    for method in ["POST", "PUT", "DELETE", "PATCH"] {
        let answer = serving.send(method, "/api/v1/summary", "");
        assert_eq!((answer.status, answer.problem().0.as_str()), (405, "method_not_allowed"));
        assert_eq!(answer.header("allow"), "GET, HEAD");
    }
    let body = serving.send("GET", "/api/v1/summary", "{}");
    assert_eq!((body.status, body.problem().0.as_str()), (413, "request_too_large"));
    let long = serving.ask(&format!("/api/v1/summary?currency={}", "E".repeat(9_000)), &[]);
    assert_eq!((long.status, long.problem().0.as_str()), (414, "request_too_large"));
    let head = serving.send("HEAD", "/api/v1/summary", "");
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    let rebound = serving.ask("/api/v1/summary", &[("host", "shop.example:8080")]);
    assert_eq!((rebound.status, rebound.problem().0.as_str()), (421, "unexpected_host"));
}

#[test]
fn every_answer_is_guarded_and_long_ones_are_compressed() {
    let store = Fresh::sqlite();
    stocked(&store);
    let serving = Serving::of(&store.url);
    for path in ["/", "/api/v1/summary", "/no/such/page", "/healthz"] {
        let answer = serving.ask(path, &[]);
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(policy.contains("script-src 'self';"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
    }
    let compressed = serving.ask("/api/v1/sales_per_category", &[("accept-encoding", "gzip, br")]);
    assert_eq!(compressed.header("content-encoding"), "gzip");
    assert!(compressed.header("vary").contains("accept-encoding"));
    assert_eq!(serving.ask("/api/v1/sales_per_category", &[]).header("content-encoding"), "");
    assert_eq!(serving.ask("/healthz", &[("accept-encoding", "gzip")]).header("content-encoding"), "");
}

#[test]
fn a_token_opens_what_other_machines_can_reach() {
    let store = Fresh::sqlite();
    stocked(&store);
    let everywhere = ServeConfig::new(store.url.clone(), "0.0.0.0:0".parse().unwrap());
    let Err(refused) = takings::service::Running::start(everywhere.clone()) else {
        panic!("it started without a token")
    };
    assert!(refused.to_string().contains("setting `token`"), "{refused}");

    let serving = Serving::with(ServeConfig { token: Some("s3cret".into()), ..everywhere });
    for path in ["/api/v1/summary", "/api/v1/events", "/metrics", "/api/v1/openapi.json", "/assets/none.js"] {
        let answer = serving.ask(path, &[]);
        assert_eq!((answer.status, answer.problem().0.as_str()), (401, "unauthorized"), "{path}");
        let asks: Vec<_> = answer.headers.get_all("www-authenticate").iter().collect();
        assert_eq!(asks, ["Bearer", "Basic realm=\"takings\""], "a browser asks by itself");
        for by_page in [("x-requested-with", "takings"), ("accept", "text/event-stream")] {
            let answer = serving.ask(path, &[by_page]);
            let asks: Vec<_> = answer.headers.get_all("www-authenticate").iter().collect();
            assert_eq!(answer.status, 401, "{path}");
            assert_eq!(asks, ["Bearer"], "{path}: the page asks");
        }
        assert_eq!(serving.ask(path, &[("authorization", "Bearer s3cres")]).status, 401);
    }
    assert_eq!(serving.ask("/api/v1/summary", &[("authorization", "Bearer s3cret")]).status, 200);
    assert_eq!(serving.ask("/healthz", &[]).status, 200);
    assert_eq!(serving.ask("/readyz", &[]).status, 200);
    assert_eq!(serving.ask("/", &[]).header("content-type"), "text/html; charset=utf-8", "the page holds no numbers");
}

#[test]
fn a_view_that_is_off_says_so() {
    let store = Fresh::postgres();
    let mut settings = support::stores::settings();
    settings.views = vec![View::Month, View::PaymentMethod];
    let mut write = store.open();
    write.acquire(&settings).unwrap();
    let mut commit = Shop::default().epoch(&[order(0, 0, 0, 100)], 0);
    commit.rows.retain(|change| settings.views.contains(&change.key.view()));
    commit.filled.retain(|filled| settings.views.contains(&filled.view));
    write.commit(&commit).unwrap();
    let serving = Serving::of(&store.url);
    let off = serving.ask("/api/v1/sales_per_day", &[]);
    assert_eq!((off.status, off.problem().0.as_str()), (404, "view_off"));
    let hint = |view: &str| serving.ask(&format!("/api/v1/{view}"), &[]).json()["error"]["hint"].to_string();
    assert!(hint("sales_per_day").contains("sales_per_day among its --views"), "{}", hint("sales_per_day"));
    assert!(hint("sales_facts").contains("--views default,sales_facts"), "{}", hint("sales_facts"));
    // The summary is made from another view by day.
    assert_eq!(serving.json("/api/v1/summary")["currencies"][0]["total_sales"], "1.000000");
}

/// Readers look as fast as they can while the shop commits: whatever they see adds up.
#[test]
fn no_answer_mixes_two_states() {
    for store in stores() {
        let mut write = store.acquired();
        let mut shop = Shop::default();
        shop.commit(write.as_mut(), &[order(0, 0, 0, 100)], 0);
        let serving = Serving::of(&store.url);
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let readers: Vec<_> = (0..2)
                .map(|_| {
                    scope.spawn(|| {
                        let mut looks = 0u32;
                        let mut epochs = std::collections::BTreeSet::new();
                        while !done.load(Ordering::Relaxed) {
                            let summary = serving.json("/api/v1/summary");
                            // Every record is an order that came: read and orders are of different tables.
                            assert_eq!(summary["orders"], summary["read"], "{summary}");
                            let rows = serving.json("/api/v1/sales_per_category");
                            let newest = rows["rows"].as_array().unwrap().iter().map(|row| row["epoch"].as_u64()).max();
                            assert_eq!(newest.flatten(), rows["epoch"].as_u64(), "rows and epoch are of one state");
                            epochs.insert(summary["epoch"].as_u64());
                            looks += 1;
                        }
                        (looks, epochs.len())
                    })
                })
                .collect();
            for number in 0..60 {
                let orders: Vec<_> =
                    (0..20).map(|at| order(at % 5, number + at as usize, number, 100 + i64::from(at))).collect();
                shop.commit(write.as_mut(), &orders, 0);
            }
            done.store(true, Ordering::Relaxed);
            for reader in readers {
                let (looks, epochs) = reader.join().unwrap();
                assert!(looks > 2 && epochs > 1, "{looks} looks at {epochs} epochs");
            }
        });
        let all = [
            grand_total(&serving.rows("sales_per_day")),
            grand_total(&serving.rows("sales_per_category")),
            grand_total(&serving.rows("sales_per_month")),
            grand_total(&serving.rows("sales_per_payment_method")),
            grand_total(&serving.rows("sales_facts")),
        ];
        assert!(all.windows(2).all(|pair| pair[0] == pair[1]));
    }
}

#[test]
fn a_store_that_is_not_there_yet_is_waited_for() {
    let store = Fresh::sqlite();
    let serving = Serving::of(&store.url);
    assert_eq!(serving.ask("/healthz", &[]).status, 200);
    let answer = serving.ask("/api/v1/summary", &[]);
    assert_eq!((answer.status, answer.problem().0.as_str()), (503, "store_unreachable"));
    assert!(answer.problem().1.contains("not there yet"), "{}", answer.body);
    assert!(serving.ask("/metrics", &[]).body.contains("takings_store_reachable 0"));
    let events = serving.events(None);
    assert_eq!(events.wait_for("contact").data["contact"], false);
    stocked(&store);
    until("the store is found", SOON, || (serving.ask("/readyz", &[]).status == 200).then_some(()));
    // Perhaps it was found before its first epoch.
    let mut reached = events.wait_for("hello").id;
    while reached != Some(2) {
        reached = events.wait_for("changes").id;
    }
    assert_eq!(serving.json("/api/v1/summary")["epoch"], 2);
}

#[test]
fn a_store_that_no_job_has_brought_up_to_date_yet_is_waited_for() {
    for store in [Fresh::sqlite(), Fresh::postgres()] {
        stocked(&store);
        let serving = Serving::of(&store.url);
        assert_eq!(serving.ask("/readyz", &[]).status, 200);
        store.execute("DELETE FROM takings_schema_history WHERE version > 2");
        let answer = serving.ask("/readyz", &[]);
        assert_eq!((answer.status, answer.problem().0.as_str()), (503, "store_unreachable"));
        // A table that the older schema does not have is no fault either.
        store.execute("DROP TABLE sources");
        let answer = serving.ask("/api/v1/summary", &[]);
        assert_eq!((answer.status, answer.problem().0.as_str()), (503, "store_unreachable"));
        assert!(answer.problem().1.contains("schema version 2"), "{}", answer.body);
    }
}

#[test]
fn an_outage_is_told_and_passes() {
    let server = PostgresServer::start();
    let store = Fresh::on(server.clone());
    let mut shop = stocked(&store);
    let serving = Serving::of(&store.url);
    let events = serving.events(None);
    assert_eq!(events.next().name, "hello");

    server.stop();
    let lost = events.next();
    assert_eq!((lost.name.as_str(), lost.id, &lost.data["contact"]), ("contact", None, &json!(false)));
    assert_eq!(serving.ask("/healthz", &[]).status, 200);
    for path in ["/readyz", "/api/v1/summary", "/api/v1/sales_per_day"] {
        let answer = serving.ask(path, &[]);
        assert_eq!((answer.status, answer.problem().0.as_str()), (503, "store_unreachable"), "{path}");
        assert!(!answer.body.contains("takings@"), "an address leaks: {}", answer.body);
    }
    assert!(serving.ask("/metrics", &[]).body.contains("takings_feed_contact 0"));
    // A page that is opened meanwhile is told as well.
    let late = serving.events(None);
    assert_eq!(late.next().data["contact"], false);

    server.start_again();
    until("it is ready again", SOON, || (serving.ask("/readyz", &[]).status == 200).then_some(()));
    assert_eq!(events.wait_for("contact").data["contact"], true);
    shop.commit(store.acquired().as_mut(), &[order(0, 0, 0, 1)], 0);
    assert_eq!(events.wait_for("changes").id, Some(3));
    assert_eq!(late.wait_for("changes").id, Some(3));
    assert_eq!(serving.json("/api/v1/summary")["epoch"], 3);
}

/// A wrong store is said at the start; its password is not.
#[test]
fn a_wrong_password_is_a_setting_to_change() {
    use support::postgres::{GUARDED, PASSWORD};
    let server = PostgresServer::shared();
    let database = server.fresh_database();
    let url = format!("postgres://{GUARDED}:not-{PASSWORD}@127.0.0.1:{}/{database}", server.port()).replace(' ', "%20");
    let serving = Serving::of(&StoreUrl::parse(&url).unwrap());
    let answer = serving.ask("/api/v1/summary", &[]);
    assert_eq!((answer.status, answer.problem().0.as_str()), (503, "store_unusable"));
    assert!(answer.problem().1.contains("setting `store`") && !answer.body.contains(PASSWORD), "{}", answer.body);
}
