//! The synthetic shop: the same again for the same seed, exact proportions, and totals that are true.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};
use takings::audit::plain::{self, Plain, Rules};
use takings::config::{JobArgs, JobConfig};
use takings::formats::{Decode, Decoded, Decoder};
use takings::generate::{Event, Kind, Options, Shop, ShopOptions, Topic, run};
use takings::source::Record;
use takings_dataflows::amount::Amount;
use takings_dataflows::order::PartitionId;

fn noon() -> NaiveDateTime {
    NaiveDate::from_ymd_opt(2026, 11, 22).and_then(|day| day.and_hms_opt(12, 0, 0)).expect("a time")
}

fn shop(seed: u64) -> ShopOptions {
    ShopOptions {
        seed,
        topics: vec![Topic::ProductSold],
        orders: Some(20_000),
        products: 500,
        until: noon(),
        corrections: 0.02,
        ..ShopOptions::default()
    }
}

fn whole_shop(seed: u64) -> ShopOptions {
    ShopOptions { topics: Topic::ALL.to_vec(), ..shop(seed) }
}

fn options(to: &Path, shop: ShopOptions) -> Options {
    Options::new(shop, to.display().to_string())
}

/// A job that reads all of it, with the currency that the generator means where it names none.
fn job() -> JobConfig {
    JobArgs::of("log", "sqlite:totals.db").with_topics(&Topic::ALL.map(Topic::name)).resolve().expect("sound")
}

fn rank(config: &JobConfig, topic: Topic) -> u8 {
    config.topics.iter().position(|name| name == topic.name()).expect("read") as u8
}

/// What a record says of whom: `None` withdraws.
type Said = (Topic, String, Option<Plain>);

fn said(event: &Event, rules: &Rules) -> Option<Said> {
    let said = plain::read(event.topic.name(), event.key.as_deref(), event.payload.as_deref(), rules);
    let (id, said) = match said {
        Plain::Rejected(_) => return None,
        Plain::CancelledOrder(id) | Plain::WithdrawnListing(id) | Plain::WithdrawnFeedback(id) => (id, None),
        Plain::Order(order) => (order.order_id.clone(), Some(Plain::Order(order))),
        Plain::Listing { product, .. } => {
            let again = plain::read(event.topic.name(), event.key.as_deref(), event.payload.as_deref(), rules);
            (product, Some(again))
        }
        Plain::Feedback { id, .. } => {
            let again = plain::read(event.topic.name(), event.key.as_deref(), event.payload.as_deref(), rules);
            (id, Some(again))
        }
    };
    Some((event.topic, id, said))
}

#[test]
fn the_same_seed_makes_the_same_events() {
    let (one, same): (Vec<Event>, Vec<Event>) =
        (Shop::new(whole_shop(1)).collect(), Shop::new(whole_shop(1)).collect());
    assert!(one == same);
    assert!(Shop::new(shop(2)).next() != Shop::new(shop(1)).next());
}

#[test]
fn proportions_are_exact_and_totals_are_true() {
    let (config, mut shop) = (job(), Shop::new(whole_shop(3)));
    let rules = Rules::of(&config);
    let mut kinds: HashMap<(Topic, Kind), u64> = HashMap::new();
    let mut newest: HashMap<(Topic, String), Option<Plain>> = HashMap::new();
    let mut decoder = Decoder::new(config.decoder());
    let mut late_days = 0;
    let mut places: HashMap<(Topic, String), u64> = HashMap::new();
    let mut rounded = 0;
    for (offset, event) in (0..).zip(&mut shop) {
        *kinds.entry((event.topic, event.kind)).or_default() += 1;
        let record = Record {
            partition: PartitionId { topic: rank(&config, event.topic), partition: 0 },
            offset,
            next_offset: offset + 1,
            timestamp: event.timestamp,
            leader_epoch: None,
            key: event.key.as_deref(),
            payload: event.payload.as_deref(),
        };
        let is_rejected = matches!(decoder.decode(&record), Decoded::Rejected(_));
        let text = event.payload.as_deref().map(String::from_utf8_lossy);
        assert_eq!(is_rejected, event.kind == Kind::Invalid, "{:?} {text:?}", event.topic);
        let Some((topic, id, now)) = said(&event, &rules) else {
            assert_eq!(event.kind, Kind::Invalid, "{text:?}");
            continue;
        };
        if let Some(Plain::Order(order)) = &now {
            late_days += u64::from(order.order_date < noon() - TimeDelta::days(401));
            rounded += u64::from(order.rounded);
        }
        assert_eq!(*places.entry((topic, id.clone())).or_insert(event.place), event.place, "one partition an id");
        let known = newest.insert((topic, id), now.clone());
        match event.kind {
            Kind::Order | Kind::Late | Kind::Listing | Kind::Feedback => assert_eq!(known, None),
            Kind::Duplicate => assert_eq!(known, Some(now)),
            Kind::Correction => assert!(now.is_some() && known.expect("known") != now, "{now:?}"),
            Kind::Cancellation => assert!(now.is_none() && known.flatten().is_some()),
            Kind::Invalid => panic!("{event:?} was read"),
        }
    }
    let counted = |topic, kind| kinds.get(&(topic, kind)).copied().unwrap_or_default();
    let of = |topic, of: [Kind; 5]| of.map(|kind| counted(topic, kind));
    let kinds = [Kind::Late, Kind::Duplicate, Kind::Correction, Kind::Cancellation, Kind::Invalid];
    assert_eq!(counted(Topic::ProductSold, Kind::Order) + counted(Topic::ProductSold, Kind::Late), 14_000);
    assert_eq!(of(Topic::ProductSold, kinds), [700, 140, 280, 70, 14]);
    assert_eq!(counted(Topic::Transactions, Kind::Order) + counted(Topic::Transactions, Kind::Late), 6_000);
    assert_eq!(of(Topic::Transactions, kinds), [300, 60, 120, 30, 6]);
    assert_eq!(counted(Topic::ProductListings, Kind::Listing), 500);
    assert_eq!(of(Topic::ProductListings, kinds), [0, 9, 400, 5, 1]);
    assert_eq!(counted(Topic::Feedback, Kind::Feedback), 1_000);
    assert_eq!(of(Topic::Feedback, kinds), [0, 10, 20, 5, 1]);
    assert!(late_days >= 900, "{late_days}");
    assert!(rounded > 20, "some producers add up binary fractions: {rounded}");

    let mut sums: BTreeMap<(Topic, String), (u64, u64, Amount)> = BTreeMap::new();
    let (mut ratings, mut stars_sum, mut listed) = (0, 0, 0);
    for ((topic, _), standing) in newest {
        match standing {
            Some(Plain::Order(order)) => {
                let sum = sums.entry((topic, order.currency)).or_default();
                sum.0 += 1;
                sum.1 += order.product_quantity as u64;
                sum.2 += order.total_amount;
            }
            Some(Plain::Feedback { stars, .. }) => (ratings, stars_sum) = (ratings + 1, stars_sum + u64::from(stars)),
            Some(Plain::Listing { .. }) => listed += 1,
            _ => {}
        }
    }
    let truth: BTreeMap<_, _> = [Topic::ProductSold, Topic::Transactions]
        .into_iter()
        .flat_map(|topic| shop.totals(topic).map(move |(currency, total)| ((topic, currency.to_owned()), total)))
        .filter(|(_, total)| total.orders > 0)
        .map(|(group, total)| (group, (total.orders, total.units, total.amount)))
        .collect();
    assert_eq!(sums, truth);
    assert_eq!(truth.len(), 4, "three currencies, and that of transactions");
    assert_eq!((ratings, stars_sum), shop.ratings());
    assert_eq!(listed, shop.listed());
    assert!((490..500).contains(&listed), "{listed}");
}

#[test]
fn popular_products_lead_and_nights_are_quiet() {
    let only_orders = ShopOptions { duplicates: 0.0, corrections: 0.0, cancellations: 0.0, invalid: 0.0, ..shop(4) };
    let mut products: HashMap<String, u32> = HashMap::new();
    let mut hours = [0; 24];
    let rules = Rules::of(&job());
    for event in Shop::new(only_orders) {
        let Plain::Order(order) = plain::read("product_sold", None, event.payload.as_deref(), &rules) else {
            panic!("{event:?}")
        };
        *products.entry(order.product_id.expect("an id")).or_default() += 1;
        hours[chrono::Timelike::hour(&order.order_date) as usize] += 1;
    }
    let mut sales: Vec<u32> = products.into_values().collect();
    sales.sort_unstable_by(|one, other| other.cmp(one));
    assert!(sales[0] > 2_000 && sales[0] > 5 * sales[10], "{:?}", &sales[..12]);
    assert!(hours[20] > 4 * hours[4], "{hours:?}");
}

/// Once, what would have been later than the last moment went to the day before.
#[test]
fn no_day_is_twice_as_large_as_another() {
    let early = noon() - TimeDelta::hours(10);
    let shop = ShopOptions { days: 10, until: early, late: 0.0, invalid: 0.0, corrections: 0.0, ..shop(8) };
    let mut days: BTreeMap<NaiveDate, u64> = BTreeMap::new();
    let rules = Rules::of(&job());
    for event in Shop::new(shop) {
        if let Plain::Order(order) = plain::read("product_sold", None, event.payload.as_deref(), &rules) {
            assert!(order.order_date <= early && order.order_date > early - TimeDelta::days(10));
            *days.entry(order.order_date.date()).or_default() += 1;
        }
    }
    let sizes: Vec<u64> = days.into_values().collect();
    assert_eq!(sizes.len(), 11, "{sizes:?}");
    assert!(sizes[1..10].iter().all(|size| (1_800..2_200).contains(size)), "{sizes:?}");
    assert!((1_800..2_200).contains(&(sizes[0] + sizes[10])), "the two ends are a day together: {sizes:?}");
}

#[test]
fn the_last_hour_of_the_log_is_busy_and_no_timestamp_goes_back() {
    let shop = ShopOptions { recorded_over: TimeDelta::hours(3), ..whole_shop(9) };
    let end = noon().and_utc().timestamp_millis();
    let mut minutes = vec![0; 180];
    let mut newest = 0;
    for event in Shop::new(shop) {
        assert!(event.timestamp >= newest, "{event:?}");
        newest = event.timestamp;
        if matches!(event.kind, Kind::Order | Kind::Late) {
            minutes[(180 - (end - event.timestamp + 59_999) / 60_000).clamp(0, 179) as usize] += 1;
        }
    }
    assert_eq!(newest, end);
    assert!(minutes.iter().all(|orders| (50..200).contains(orders)), "{minutes:?}");
    assert!(minutes.iter().collect::<BTreeSet<_>>().len() > 20, "some are busier: {minutes:?}");
}

#[test]
fn products_are_rated_each_in_its_own_way() {
    let shop = ShopOptions { feedback: 1.0, invalid: 0.0, ..whole_shop(10) };
    let rules = Rules::of(&job());
    let mut ratings: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    for event in Shop::new(shop).filter(|event| event.topic == Topic::Feedback) {
        if let Plain::Feedback { product, stars, .. } =
            plain::read("feedback", event.key.as_deref(), event.payload.as_deref(), &rules)
        {
            let (count, sum) = ratings.entry(product).or_default();
            (*count, *sum) = (*count + 1.0, *sum + f64::from(stars));
        }
    }
    let mut averages: Vec<f64> =
        ratings.into_values().filter(|(count, _)| *count > 100.0).map(|(count, sum)| sum / count).collect();
    averages.sort_unstable_by(f64::total_cmp);
    assert!(averages.len() > 15 && averages[0] < 3.6 && averages[averages.len() - 1] > 4.3, "{averages:?}");
}

#[test]
fn listings_change_and_some_have_no_category() {
    let rules = Rules::of(&job());
    let mut newest: HashMap<String, (Option<String>, Option<Amount>)> = HashMap::new();
    let (mut moves, mut prices, mut without, mut keyless) = (0, 0, 0, 0);
    for event in Shop::new(whole_shop(11)).filter(|event| event.topic == Topic::ProductListings) {
        let read = plain::read("product_listings", event.key.as_deref(), event.payload.as_deref(), &rules);
        let Plain::Listing { product, name, category, price, .. } = read else { continue };
        assert!(name.is_some() && price.is_some());
        keyless += u64::from(event.key.is_none());
        without += u64::from(category.is_none());
        if let Some(before) = newest.insert(product, (category.clone(), price)) {
            moves += u64::from(before.0 != category);
            prices += u64::from(before.1 != price);
        }
    }
    assert!(moves > 50 && prices > 200, "{moves} {prices}");
    assert!(without >= 10 && keyless > 300, "{without} {keyless}");
}

fn lines(folder: &Path, topic: Topic) -> Vec<Vec<u8>> {
    let file = |part| folder.join(format!("{}-{part}.jsonl", topic.name()));
    (0..4).map(|part| std::fs::read(file(part)).expect("a file")).collect()
}

#[test]
fn writes_a_file_log_and_a_report() {
    let folder = tempfile::tempdir().expect("a folder");
    let (one, same) = (folder.path().join("one"), folder.path().join("same"));
    let file = folder.path().join("report.json");
    let report = run(Options { report: Some(file.clone()), ..options(&one, whole_shop(5)) }).expect("written");
    run(options(&same, whole_shop(5))).expect("written");
    for topic in Topic::ALL {
        assert!(lines(&one, topic) == lines(&same, topic));
    }
    for (topic, part) in Topic::ALL.into_iter().zip(&report.topics) {
        assert_eq!(part.name, topic.name());
        let count = lines(&one, topic).iter().flatten().filter(|&&byte| byte == b'\n').count() as u64;
        assert_eq!(part.counts.events, count);
    }
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(file).expect("a file")).expect("JSON");
    assert_eq!(json["orders"], 20_000);
    assert_eq!((&json["topics"][1]["name"], &json["topics"][1]["orders"]), (&"transactions".into(), &6_000.into()));
    assert_eq!(json["totals"][0]["currency"], "FCFA");
    assert!(json["totals"][1]["total_sales"].as_str().expect("text").contains('.'));
    assert_eq!(json["ratings"]["ratings"], report.ratings.ratings);
    let printed = report.to_string();
    assert!(printed.contains("corrections               820"), "{printed}");

    let refused = run(options(&one, whole_shop(6))).expect_err("not empty").to_string();
    assert!(refused.contains("--append"), "{refused}");
    let before = lines(&one, Topic::Feedback);
    run(Options { append: true, ..options(&one, whole_shop(6)) }).expect("added");
    assert!(
        before
            .iter()
            .zip(lines(&one, Topic::Feedback))
            .all(|(before, after)| after.starts_with(before) && after.len() > before.len())
    );

    let no_orders = ShopOptions { topics: vec![Topic::Feedback], ..shop(6) };
    let refused = run(options(&folder.path().join("none"), no_orders)).expect_err("no orders").to_string();
    assert!(refused.contains("add product_sold"), "{refused}");
}

#[test]
fn keeps_a_steady_rate_until_it_is_stopped() {
    let folder = tempfile::tempdir().expect("a folder");
    let live = ShopOptions { orders: None, rate: Some(2_000.0), is_live: true, days: 1, ..whole_shop(7) };
    let options = options(folder.path(), live);
    let stop = Arc::clone(&options.stop);
    let generator = std::thread::spawn(move || run(options));
    // Readers see events while it goes on.
    let path = folder.path().join("product_sold-0.jsonl");
    while std::fs::metadata(&path).map_or(0, |metadata| metadata.len()) < 50_000 {
        std::thread::park_timeout(Duration::from_millis(5));
    }
    stop.store(true, Ordering::Relaxed);
    let report = generator.join().expect("no panic").expect("written");
    // The catalogue comes at once.
    let sent = (report.counts.events - report.counts.listings) as f64;
    let expected = report.seconds * 2_000.0;
    assert_eq!(report.counts.listings, 500);
    assert!(sent < expected + 1.0 && sent > expected * 0.8, "{report}");
    let text = String::from_utf8_lossy(&std::fs::read(path).expect("a file")).into_owned();
    assert!(text.lines().filter(|line| line.contains("\"orderDate\":\"2026-11-22T12:00:0")).count() > 100);
    let first = format!("\"timestamp\":{}", noon().and_utc().timestamp());
    assert!(text.lines().next().expect("a line").contains(&first), "the log's time is that of the orders");
}
