//! The synthetic shop: the same again for the same seed, exact proportions, and totals that are true.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::{NaiveDate, NaiveDateTime};
use chrono_tz::Tz;
use takings::audit::plain::{self, Plain, Rules};
use takings::formats::{Decode, Decoded, Decoder, DecoderSettings};
use takings::generate::{Event, Kind, Options, Shop, ShopOptions, run};
use takings::source::Record;
use takings_dataflows::amount::Amount;
use takings_dataflows::order::PartitionId;

fn noon() -> NaiveDateTime {
    NaiveDate::from_ymd_opt(2026, 11, 22).and_then(|day| day.and_hms_opt(12, 0, 0)).expect("a time")
}

fn shop(seed: u64) -> ShopOptions {
    ShopOptions {
        seed,
        orders: Some(20_000),
        products: 500,
        days: 400,
        until: noon(),
        live: None,
        duplicates: 0.01,
        corrections: 0.02,
        cancellations: 0.005,
        invalid: 0.001,
        late: 0.05,
    }
}

fn options(to: &Path, shop: ShopOptions) -> Options {
    Options {
        shop,
        to: to.display().to_string(),
        topic: "product_sold".to_owned(),
        partitions: 4,
        rate: None,
        append: false,
        kafka_options: Vec::new(),
        report: None,
        progress: false,
        stop: Arc::new(AtomicBool::new(false)),
    }
}

fn rules() -> Rules {
    Rules { time_zone: Tz::UTC, default_currency: "XXX".to_owned(), payload_limit: 1 << 20 }
}

#[test]
fn the_same_seed_makes_the_same_events() {
    let (one, same): (Vec<Event>, Vec<Event>) = (Shop::new(shop(1)).collect(), Shop::new(shop(1)).collect());
    assert!(one == same);
    assert!(Shop::new(shop(2)).next() != one.first().cloned());
}

#[test]
fn proportions_are_exact_and_totals_are_true() {
    let mut shop = Shop::new(shop(3));
    let mut kinds: HashMap<Kind, u64> = HashMap::new();
    let mut newest: HashMap<String, Option<plain::PlainOrder>> = HashMap::new();
    let mut decoder = Decoder::new(DecoderSettings {
        topics: vec!["product_sold".to_owned()],
        time_zone: Tz::UTC,
        default_currency: "XXX".to_owned(),
        keep_orders: false,
        payload_limit: 1 << 20,
    });
    let mut late_days = 0;
    for (offset, event) in (0..).zip(&mut shop) {
        *kinds.entry(event.kind).or_default() += 1;
        let said = plain::read(event.key.as_deref(), event.payload.as_deref(), &rules());
        let record = Record {
            partition: PartitionId { topic: 0, partition: 0 },
            offset,
            next_offset: offset + 1,
            timestamp: 0,
            key: event.key.as_deref(),
            payload: event.payload.as_deref(),
        };
        let is_rejected = matches!(decoder.decode(&record), Decoded::Rejected(_));
        assert_eq!(is_rejected, event.kind == Kind::Invalid, "{said:?}");
        match said {
            Plain::Rejected(_) => assert_eq!(event.kind, Kind::Invalid),
            Plain::Cancelled(id) => {
                assert_eq!(event.kind, Kind::Cancellation);
                assert!(newest.insert(id, None).expect("known").is_some());
            }
            Plain::Order(order) => {
                late_days += u64::from(order.order_date < noon() - chrono::TimeDelta::days(401));
                let known = newest.insert(order.order_id.clone(), Some((*order).clone()));
                match event.kind {
                    Kind::Order | Kind::Late => assert_eq!(known, None),
                    Kind::Duplicate => assert_eq!(known, Some(Some(*order))),
                    Kind::Correction => assert_ne!(known.flatten().expect("known"), *order),
                    kind => panic!("{kind:?}"),
                }
            }
        }
    }
    let counted = |kind| kinds.get(&kind).copied().unwrap_or_default();
    assert_eq!(counted(Kind::Order) + counted(Kind::Late), 20_000);
    assert_eq!(counted(Kind::Late), 1_000);
    assert!(late_days >= 900, "{late_days}");
    assert_eq!(counted(Kind::Duplicate), 200);
    assert_eq!(counted(Kind::Correction), 400);
    assert_eq!(counted(Kind::Cancellation), 100);
    assert_eq!(counted(Kind::Invalid), 20);

    let mut sums: BTreeMap<String, (u64, u64, Amount)> = BTreeMap::new();
    for order in newest.into_values().flatten() {
        let sum = sums.entry(order.currency).or_default();
        sum.0 += 1;
        sum.1 += order.product_quantity as u64;
        sum.2 += order.total_amount;
    }
    let truth: BTreeMap<_, _> = shop
        .totals()
        .map(|(currency, total)| (currency.to_owned(), (total.orders, total.units, total.amount)))
        .collect();
    assert_eq!(sums, truth);
    assert_eq!(truth.len(), 3);
}

#[test]
fn popular_products_lead_and_nights_are_quiet() {
    let only_orders = ShopOptions { duplicates: 0.0, corrections: 0.0, cancellations: 0.0, invalid: 0.0, ..shop(4) };
    let mut products: HashMap<String, u32> = HashMap::new();
    let mut hours = [0; 24];
    for event in Shop::new(only_orders) {
        let Plain::Order(order) = plain::read(None, event.payload.as_deref(), &rules()) else { panic!("{event:?}") };
        *products.entry(order.product_id.expect("an id")).or_default() += 1;
        hours[chrono::Timelike::hour(&order.order_date) as usize] += 1;
    }
    let mut sales: Vec<u32> = products.into_values().collect();
    sales.sort_unstable_by(|one, other| other.cmp(one));
    assert!(sales[0] > 2_000 && sales[0] > 5 * sales[10], "{:?}", &sales[..12]);
    assert!(hours[20] > 4 * hours[4], "{hours:?}");
}

fn lines(folder: &Path) -> Vec<Vec<u8>> {
    (0..4).map(|part| std::fs::read(folder.join(format!("product_sold-{part}.jsonl"))).expect("a file")).collect()
}

#[test]
fn writes_a_file_log_and_a_report() {
    let folder = tempfile::tempdir().expect("a folder");
    let (one, same) = (folder.path().join("one"), folder.path().join("same"));
    let file = folder.path().join("report.json");
    let report = run(Options { report: Some(file.clone()), ..options(&one, shop(5)) }).expect("written");
    run(options(&same, shop(5))).expect("written");
    assert!(lines(&one) == lines(&same));
    assert_eq!(report.counts.events, lines(&one).iter().flatten().filter(|&&byte| byte == b'\n').count() as u64);
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(file).expect("a file")).expect("JSON");
    assert_eq!(json["orders"], 20_000);
    assert_eq!(json["totals"][0]["currency"], "FCFA");
    assert!(json["totals"][1]["total_sales"].as_str().expect("text").contains('.'));
    let printed = report.to_string();
    assert!(printed.contains("corrections               400"), "{printed}");

    let refused = run(options(&one, shop(6))).expect_err("not empty").to_string();
    assert!(refused.contains("--append"), "{refused}");
    let before = lines(&one);
    run(Options { append: true, ..options(&one, shop(6)) }).expect("added");
    assert!(
        before.iter().zip(lines(&one)).all(|(before, after)| after.starts_with(before) && after.len() > before.len())
    );
}

#[test]
fn keeps_a_steady_rate_until_it_is_stopped() {
    let folder = tempfile::tempdir().expect("a folder");
    let live = ShopOptions { orders: None, live: Some(2_000.0), days: 1, ..shop(7) };
    let options = Options { rate: Some(2_000.0), ..options(folder.path(), live) };
    let stop = Arc::clone(&options.stop);
    let generator = std::thread::spawn(move || run(options));
    // Readers see events while it goes on.
    let path = folder.path().join("product_sold-0.jsonl");
    while std::fs::metadata(&path).map_or(0, |metadata| metadata.len()) < 50_000 {
        std::thread::park_timeout(Duration::from_millis(5));
    }
    stop.store(true, Ordering::Relaxed);
    let report = generator.join().expect("no panic").expect("written");
    let expected = report.seconds * 2_000.0;
    assert!((report.counts.events as f64) < expected + 1.0 && report.counts.events as f64 > expected * 0.8, "{report}");
    let text = String::from_utf8_lossy(&std::fs::read(path).expect("a file")).into_owned();
    assert!(text.lines().filter(|line| line.contains("\"orderDate\":\"2026-11-22T12:00:0")).count() > 100);
}
