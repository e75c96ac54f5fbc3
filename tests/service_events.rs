//! The event stream, on both stores: only what changed, nothing lost and nothing doubled, however a
//! client comes, goes, comes back, or lags.

#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::unwrap_used)]

mod support;

use std::collections::BTreeMap;
use std::io::{BufReader, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use support::service::{Browser, Event, Events, SALES, SOON, Serving, Shop, order};
use support::stores::{Fresh, day};
use support::wait::until;
use takings::store::{Commit, Store};
use takings_dataflows::amount::Amount;
use takings_dataflows::row::{ProductTakings, RowChange, RowValue};
use takings_dataflows::symbol::Symbol;
use takings_dataflows::takings::Takings;
use takings_dataflows::view::{View, ViewKey};

fn stores() -> [Fresh; 2] {
    [Fresh::postgres(), Fresh::sqlite()]
}

#[test]
fn an_event_holds_what_changed_and_nothing_else() {
    for store in stores() {
        let mut write = store.acquired();
        let mut shop = Shop::default();
        let many: Vec<_> = (0..100).map(|number| order(number, number as usize, 0, 100)).collect();
        shop.commit(write.as_mut(), &[order(0, 0, 0, 100), order(0, 0, 0, 200)], 0);
        shop.commit(write.as_mut(), &many, 0);
        let serving = Serving::of(&store.url);
        let events = serving.events(None);
        let hello = events.next();
        assert_eq!((hello.name.as_str(), hello.id, &hello.data["epoch"]), ("hello", Some(2), &json!(2)));

        shop.commit(write.as_mut(), &[order(7, 1, 1, 550)], 0);
        let event = events.next();
        let total = |mut row: serde_json::Value| {
            let more = json!({"total_sales": "5.500000", "orders": 1, "units": 1, "epoch": 3});
            row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            json!([row])
        };
        assert_eq!((event.name.as_str(), event.id), ("changes", Some(3)));
        assert_eq!((&event.data["since"], &event.data["epoch"]), (&json!(2), &json!(3)));
        assert!(event.data["committed_at"].is_string());
        assert_eq!(event.data["removed"], json!({}));
        assert_eq!(
            event.data["changed"],
            json!({
                "sales_per_category": total(json!({"order_date": "2026-11-29", "category": "Électronique", "currency": "FCFA"})),
                "sales_per_day": total(json!({"order_date": "2026-11-29", "currency": "FCFA"})),
                "sales_per_month": total(json!({"year": 2026, "month": 11, "currency": "FCFA"})),
                "sales_per_payment_method":
                    total(json!({"order_date": "2026-11-29", "payment_method": "ORANGE_MONEY", "currency": "FCFA"})),
                "sales_facts": total(json!({
                    "order_date": "2026-11-29",
                    "category": "Électronique",
                    "payment_method": "ORANGE_MONEY",
                    "currency": "FCFA"
                })),
            })
        );
        assert_eq!((&event.data["sources"]["read"], &event.data["sources"]["applied"]), (&json!(103), &json!(103)));

        // The rows that its only order leaves go with it.
        let mut removing = Shop::default();
        std::mem::swap(&mut removing, &mut shop);
        let gone = removing.commit(write.as_mut(), &[], 2);
        let event = events.next();
        assert_eq!(event.id, Some(gone));
        assert_eq!(event.data["removed"], json!({}), "another order of that day is left");
        let gone = removing.commit(write.as_mut(), &[], 100);
        let event = events.next();
        assert_eq!(event.id, Some(gone));
        assert_eq!(event.data["changed"], json!({}));
        assert_eq!(event.data["removed"]["sales_per_day"].as_array().unwrap().len(), 100);
        assert!(
            event.data["removed"]["sales_per_day"]
                .as_array()
                .unwrap()
                .contains(&json!({"order_date": "2026-11-22", "currency": "EUR"}))
        );
        // And may come back.
        let back = removing.commit(write.as_mut(), &[order(0, 0, 0, 1)], 0);
        let event = events.next();
        assert_eq!(
            (event.id, &event.data["changed"]["sales_per_day"][0]["total_sales"]),
            (Some(back), &json!("0.010000"))
        );
    }
}

#[test]
fn a_client_that_comes_back_is_told_what_it_missed() {
    for store in stores() {
        let mut write = store.acquired();
        let mut shop = Shop::default();
        shop.commit(write.as_mut(), &[order(0, 0, 0, 100), order(1, 0, 0, 100), order(2, 0, 0, 100)], 0);
        let serving = Serving::of(&store.url);
        let mut browser = Browser::load(&serving);
        // Missed: a row that changes, one that goes, one that goes and comes back, one that comes.
        shop.commit(write.as_mut(), &[order(2, 0, 0, 50)], 2);
        shop.commit(write.as_mut(), &[order(1, 0, 0, 70), order(3, 1, 1, 70)], 0);
        until("the service has seen the epoch", SOON, || {
            serving.ask("/metrics", &[]).body.contains("takings_feed_epoch 3").then_some(())
        });

        let events = serving.events(Some(1));
        let event = events.next();
        assert_eq!((event.name.as_str(), event.id, &event.data["since"]), ("changes", Some(3), &json!(1)));
        assert_eq!(event.data["removed"]["sales_per_day"], json!([{"order_date": "2026-11-22", "currency": "EUR"}]));
        browser.apply(&event);
        for view in SALES {
            assert_eq!(sorted(browser.view(view)), sorted(serving.rows(view.name())), "{view}");
        }
        // Then as everyone.
        shop.commit(write.as_mut(), &[order(0, 0, 0, 1)], 0);
        assert_eq!(events.next().id, Some(4));
        // Nothing missed: nothing told until something changes.
        let current = serving.events(Some(4));
        shop.commit(write.as_mut(), &[order(0, 0, 0, 1)], 0);
        assert_eq!(current.next().id, Some(5));
        // By the address as well, as for a page that reloads itself.
        let by_address = serving.ask_events("/api/v1/events?last_event_id=4");
        assert_eq!((by_address.next().id), Some(5));
    }
}

#[test]
fn what_can_not_be_told_is_a_reset() {
    for store in stores() {
        let mut write = store.acquired();
        let mut shop = Shop::default();
        shop.commit(write.as_mut(), &[order(0, 0, 0, 100), order(1, 0, 0, 100)], 0);
        shop.commit(write.as_mut(), &[], 1);
        shop.commit(write.as_mut(), &[order(5, 0, 0, 100)], 0);
        let serving = Serving::of(&store.url);
        let reset = |last| {
            let event = serving.events(Some(last)).next();
            assert_eq!(
                (event.name.as_str(), event.id, &event.data["epoch"]),
                ("reset", Some(3), &json!(3)),
                "after {last}"
            );
        };
        // Of another store, or one that went back.
        reset(99);
        assert_eq!(serving.events(Some(1)).next().name, "changes");
        // What left in epoch 2 is forgotten: from 2 on it can be told, before it can not.
        store.execute("DELETE FROM removals");
        assert_eq!(serving.events(Some(2)).next().name, "changes");
        // The last answer for 1 is kept while no epoch is new; one more makes it anew.
        let events = serving.events(None);
        assert_eq!(events.next().name, "hello");
        shop.commit(write.as_mut(), &[order(5, 0, 0, 100)], 0);
        assert_eq!(events.next().id, Some(4));
        let event = serving.events(Some(1)).next();
        assert_eq!((event.name.as_str(), event.id), ("reset", Some(4)));
        // An epoch with more rows than are worth sending.
        let many: Vec<_> = (0..2_000).map(|number| order(number, number as usize, number as usize, 100)).collect();
        shop.commit(write.as_mut(), &many, 0);
        let event = events.next();
        assert_eq!((event.name.as_str(), event.id), ("reset", Some(5)));
        shop.commit(write.as_mut(), &[order(0, 0, 0, 1)], 0);
        let event = events.next();
        assert_eq!((event.name.as_str(), event.id, &event.data["since"]), ("changes", Some(6), &json!(5)));
    }
}

/// Browsers come at any moment of a busy shop, load their snapshots while it goes on, and must end with
/// exactly what the store holds, having seen no state that does not add up.
#[test]
fn snapshot_and_events_lose_and_double_nothing() {
    for store in stores() {
        let mut write = store.acquired();
        let mut shop = Shop::default();
        shop.commit(write.as_mut(), &[order(0, 0, 0, 100)], 0);
        let serving = Serving::of(&store.url);
        let done = AtomicBool::new(false);
        let told = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            let browsers: Vec<_> = (0..3)
                .map(|number| {
                    let (serving, done, told) = (&serving, &done, &told);
                    scope.spawn(move || {
                        let mut seen = 0;
                        // Those that come back each time show that coming back loses nothing either.
                        let mut browser: Option<Browser> = None;
                        loop {
                            let finished = done.load(Ordering::Relaxed);
                            let last = browser.as_ref().map(Browser::epoch).filter(|_| number > 0);
                            let events = serving.events(last);
                            if last.is_none() {
                                assert_eq!(events.next().name, "hello");
                                browser = Some(Browser::load(serving));
                            }
                            let browser = browser.as_mut().unwrap();
                            let end = serving.json("/api/v1/summary")["epoch"].as_u64().unwrap();
                            while browser.epoch() < end {
                                let event = events.next();
                                browser.apply(&event);
                                seen += 1;
                                if seen == 1 {
                                    told.fetch_add(1, Ordering::Relaxed);
                                }
                                if browser.is_of_one_state() {
                                    adds_up(browser, &event);
                                }
                            }
                            if finished {
                                return (seen, std::mem::take(browser));
                            }
                        }
                    })
                })
                .collect();
            // Until each was told something: a store can be quicker than a browser that loads one state after another.
            for number in (0..5_000).take_while(|&number| number < 50 || told.load(Ordering::Relaxed) < 3) {
                let orders: Vec<_> = (0..10)
                    .map(|at| order((number as i32 * 7 + at) % 40, number + at as usize, number, 100 + i64::from(at)))
                    .collect();
                let cancelled = if number % 3 == 2 { shop.len() / 2 } else { 0 };
                shop.commit(write.as_mut(), &orders, cancelled);
            }
            done.store(true, Ordering::Relaxed);
            for browser in browsers {
                let (seen, browser) = browser.join().unwrap();
                assert!(seen > 0, "it saw some events");
                for view in SALES {
                    assert_eq!(sorted(browser.view(view)), sorted(serving.rows(view.name())), "{view}");
                }
            }
        });
    }
}

fn adds_up(browser: &Browser, event: &Event) {
    let day = browser.grand_total(View::Day);
    for view in SALES {
        assert_eq!(browser.grand_total(view), day, "{view} and sales_per_day disagree after {event:?}");
    }
}

/// One that does not read for a long time holds nobody up, and is then told in one go.
#[test]
fn a_slow_client_harms_no_one_and_catches_up() {
    let store = Fresh::sqlite();
    let mut write = store.acquired();
    let mut shop = Shop::default();
    let wide = |cents| -> Vec<_> { (0..1_200).map(|number| order(number % 600, number as usize, 0, cents)).collect() };
    shop.commit(write.as_mut(), &wide(1), 0);
    let serving = Serving::of(&store.url);
    let mut browser = Browser::load(&serving);
    let slow = {
        let mut stream = TcpStream::connect(serving.running.address()).unwrap();
        write!(stream, "GET /api/v1/events?last_event_id=1 HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
        stream
    };
    let quick = serving.events(Some(1));
    let told = |name: &str| -> u64 {
        let metrics = serving.ask("/metrics", &[]).body;
        let line = metrics.lines().find(|line| line.starts_with(name)).expect("a metric");
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    // More than the queue and the kernel's buffers hold.
    while told("takings_feed_links_total") < 100 {
        let epoch = shop.commit(write.as_mut(), &wide(1), 0);
        while quick.next().id != Some(epoch) {}
    }
    // Chunks of HTTP come between, but no event is split by them in the middle of a line's start.
    let events = Events::read(BufReader::new(Dechunked::new(slow)));
    let (mut resumed, mut has_contact) = (false, false);
    while browser.epoch() < shop.epoch {
        let event = events.next();
        if event.name == "contact" {
            has_contact |= event.data["contact"] == true;
            continue;
        }
        let before = browser.epoch();
        browser.apply(&event);
        resumed |= event.data["since"].as_u64() == Some(before) && event.id.unwrap() > before + 10;
    }
    assert!(resumed, "it was told many epochs in one event");
    assert!(has_contact, "what it missed may have said that the store is back");
    for view in SALES {
        assert_eq!(sorted(browser.view(view)), sorted(serving.rows(view.name())), "{view}");
    }
}

/// Sales of some products on some days, which come, change and go at random.
struct Sold {
    rng: ChaCha8Rng,
    rows: BTreeMap<ViewKey, i64>,
    epoch: u64,
}

impl Sold {
    fn new() -> Sold {
        let seed = std::env::var("TAKINGS_SEED").ok().map_or_else(rand::random, |seed| seed.parse().unwrap());
        eprintln!("TAKINGS_SEED={seed}");
        Sold { rng: ChaCha8Rng::seed_from_u64(seed), rows: BTreeMap::new(), epoch: 0 }
    }

    /// The next epoch: some rows of a day or two.
    fn commit(&mut self, store: &mut dyn Store) -> u64 {
        let mut changes: BTreeMap<ViewKey, RowChange> = BTreeMap::new();
        for _ in 0..self.rng.random_range(1..12) {
            let day = day(self.rng.random_range(0..4));
            let product = Symbol::new(["tea", "café", "salt \"fin\"", "rice"][self.rng.random_range(0..4)]);
            let currency = Symbol::new(["EUR", "FCFA"][self.rng.random_range(0..2)]);
            let key = ViewKey::Product { day, product, currency };
            let old = self.rows.get(&key).copied();
            let new = (old.is_none() || self.rng.random_bool(0.6)).then(|| self.rng.random_range(1..1_000));
            match new {
                Some(orders) => self.rows.insert(key, orders),
                None => self.rows.remove(&key),
            };
            let old = changes.get(&key).map_or(old.map(sold), |change| change.old);
            changes.insert(key, RowChange { key, old, new: new.map(sold) });
        }
        self.epoch += 1;
        let rows = changes.into_values().filter(|change| change.old.is_some() || change.new.is_some()).collect();
        let filled = if self.epoch == 1 { support::stores::all_filled() } else { Vec::new() };
        store.commit(&Commit { epoch: self.epoch, rows, filled, ..Commit::default() }).unwrap();
        self.epoch
    }
}

fn sold(orders: i64) -> RowValue {
    let all = Takings { amount: Amount::from_micros(i128::from(orders) * 10_000), orders, units: orders };
    RowValue::Product(ProductTakings { all, listed: Takings::default() })
}

/// The page of some products: a snapshot of their rows, and what the stream tells.
struct ProductPage {
    path: String,
    products: Vec<&'static str>,
    rows: Vec<Value>,
    epoch: u64,
    events: Events,
    seen: usize,
}

impl ProductPage {
    fn open(serving: &Serving, products: &[&'static str]) -> ProductPage {
        let query: String = products
            .iter()
            .map(|product| {
                format!("&product={}", url::form_urlencoded::byte_serialize(product.as_bytes()).collect::<String>())
            })
            .collect();
        let path = format!("/api/v1/events?{}", &query[1..]);
        let events = serving.ask_events(&path);
        assert_eq!(events.next().name, "hello");
        let (rows, epoch) = ProductPage::snapshot(serving, products);
        ProductPage { path, products: products.to_vec(), rows, epoch, events, seen: 0 }
    }

    /// All rows of these products; several answers, so that they may be of several epochs: the earliest counts.
    fn snapshot(serving: &Serving, products: &[&str]) -> (Vec<Value>, u64) {
        let page = serving.json("/api/v1/sales_per_product?limit=10000");
        let rows = page["rows"].as_array().unwrap().iter();
        let rows = rows.filter(|row| products.contains(&row["product"].as_str().unwrap()));
        (rows.cloned().collect(), page["epoch"].as_u64().unwrap())
    }

    /// The connection drops, and the browser comes back.
    fn drop_and_resume(&mut self, serving: &Serving) {
        self.events = serving.ask_events(&format!("{}&last_event_id={}", self.path, self.epoch));
    }

    fn follow_to(&mut self, epoch: u64) {
        while self.epoch < epoch {
            let event = self.events.wait_for("changes");
            self.apply(&event);
        }
    }

    fn apply(&mut self, event: &Event) {
        let told = event.data["products"].as_array().unwrap_or_else(|| panic!("no products in {event:?}"));
        let names: Vec<&str> = told.iter().map(|told| told["product"].as_str().unwrap()).collect();
        let mut products = self.products.clone();
        products.sort_unstable();
        assert_eq!(names, products);
        if event.id.unwrap() <= self.epoch {
            return;
        }
        assert!(event.data["since"].as_u64().unwrap() <= self.epoch, "a gap before {event:?}");
        for told in told {
            let days = told["days"].as_array().unwrap();
            self.rows.retain(|row| row["product"] != told["product"] || !days.contains(&row["order_date"]));
            for row in told["rows"].as_array().unwrap() {
                assert!(row["product"] == told["product"] && days.contains(&row["order_date"]), "{event:?}");
                self.rows.push(row.clone());
            }
        }
        self.epoch = event.id.unwrap();
        self.seen += 1;
    }

    fn is_as(&self, serving: &Serving) {
        let (rows, epoch) = ProductPage::snapshot(serving, &self.products);
        assert_eq!((self.epoch, sorted(self.rows.clone())), (epoch, sorted(rows)), "{:?}", self.products);
    }
}

/// Pages follow products while their sales change, join in the middle, drop and come back, and end with exactly what
/// the store holds. Who follows none is told nothing of it.
#[test]
fn followed_products_are_as_a_fresh_snapshot() {
    for store in stores() {
        let (mut write, mut sales) = (store.acquired(), Sold::new());
        sales.commit(write.as_mut());
        let serving = Serving::of(&store.url);
        let plain = serving.events(None);
        assert_eq!(plain.next().name, "hello");
        let mut pages = vec![
            ProductPage::open(&serving, &["tea", "café"]),
            ProductPage::open(&serving, &["café", "tea"]),
            ProductPage::open(&serving, &["nothing of the kind"]),
        ];
        for round in 0..40 {
            let epoch = sales.commit(write.as_mut());
            match round {
                10 => pages.push(ProductPage::open(&serving, &["salt \"fin\"", "rice", "tea"])),
                15 | 30 => pages[1].drop_and_resume(&serving),
                20 => pages[3].drop_and_resume(&serving),
                _ => {}
            }
            if round % 4 == 3 {
                for page in &mut pages {
                    page.follow_to(epoch);
                    page.is_as(&serving);
                }
            }
        }
        assert!(pages.iter().all(|page| page.seen > 1), "each was told by and by");
        assert!(pages[2].rows.is_empty());
        let event = plain.wait_for("changes");
        assert_eq!(event.data["products"], Value::Null);
        assert!(!event.data.to_string().contains("café"));
    }
}

#[test]
fn any_number_of_sets_is_followed_and_too_much_of_one_is_told() {
    for store in stores() {
        let mut write = store.acquired();
        let row = |day: i32, orders| {
            let key = ViewKey::Product {
                day: support::stores::day(day),
                product: Symbol::new("tea"),
                currency: Symbol::new("EUR"),
            };
            RowChange { key, old: None, new: Some(sold(orders)) }
        };
        let first =
            Commit { epoch: 1, rows: vec![row(0, 1)], filled: support::stores::all_filled(), ..Commit::default() };
        write.commit(&first).unwrap();
        let serving = Serving::of(&store.url);
        for (query, status, code) in [
            ("product=", 400, "invalid_parameter"),
            ("product=1&product=2&product=3&product=4&product=5&product=6", 400, "invalid_parameter"),
        ] {
            let answer = serving.ask(&format!("/api/v1/events?{query}"), &[]);
            assert_eq!((answer.status, answer.problem().0.as_str()), (status, code), "{query}");
        }
        // More sets than are read together: each is told, the one that comes last in their order too.
        let mut followed: Vec<Events> =
            (0..100).map(|number| serving.ask_events(&format!("/api/v1/events?product=p{number:03}"))).collect();
        followed.push(serving.ask_events("/api/v1/events?product=tea"));
        for events in &followed {
            assert_eq!(events.next().name, "hello");
        }
        write.commit(&Commit { epoch: 2, rows: vec![row(7_000, 2)], ..Commit::default() }).unwrap();
        for (number, events) in followed.iter().enumerate() {
            let event = events.next();
            assert_eq!((event.name.as_str(), event.id), ("changes", Some(2)));
            let rows = event.data["products"][0]["rows"].as_array().expect("rows");
            assert_eq!(rows.len(), usize::from(number == 100), "{}", event.data);
        }
        drop(followed);

        // More days than are worth sending, which others are not told of at all.
        let serving = Serving::of(&store.url);
        let (plain, page) = (serving.events(None), serving.ask_events("/api/v1/events?product=tea"));
        assert_eq!((plain.next().name.as_str(), page.next().name.as_str()), ("hello", "hello"));
        let many = Commit { epoch: 3, rows: (1..5_500).map(|day| row(day, 1)).collect(), ..Commit::default() };
        write.commit(&many).unwrap();
        assert_eq!((plain.next().name.as_str(), page.next().name.as_str()), ("changes", "reset"));
        write.commit(&Commit { epoch: 4, rows: vec![row(6_000, 4)], ..Commit::default() }).unwrap();
        let event = page.next();
        assert_eq!((event.name.as_str(), event.id), ("changes", Some(4)));
        assert_eq!(event.data["products"][0]["rows"][0]["orders"], 4);
    }
}

#[test]
fn streams_end_with_the_service() {
    let store = Fresh::sqlite();
    Shop::default().commit(store.acquired().as_mut(), &[order(0, 0, 0, 100)], 0);
    let serving = Serving::of(&store.url);
    let events: Vec<Events> = (0..20).map(|_| serving.events(None)).collect();
    for stream in &events {
        assert_eq!(stream.next().name, "hello");
    }
    assert!(serving.ask("/metrics", &[]).body.contains("takings_event_streams 20"));
    serving.running.stop();
    for stream in &events {
        assert_eq!(stream.next_or_end(), None);
    }
}

fn sorted(mut rows: Vec<serde_json::Value>) -> Vec<String> {
    let mut rows: Vec<String> = rows.drain(..).map(|row| row.to_string()).collect();
    rows.sort();
    rows
}

/// The body of a chunked answer.
struct Dechunked {
    stream: BufReader<TcpStream>,
    left: usize,
    begun: bool,
}

impl Dechunked {
    fn new(stream: TcpStream) -> Self {
        Dechunked { stream: BufReader::new(stream), left: 0, begun: false }
    }

    fn line(&mut self) -> std::io::Result<String> {
        let mut line = String::new();
        std::io::BufRead::read_line(&mut self.stream, &mut line)?;
        Ok(line.trim_end().to_owned())
    }
}

impl std::io::Read for Dechunked {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if !self.begun {
            while !self.line()?.is_empty() {}
            self.begun = true;
        }
        while self.left == 0 {
            let line = self.line()?;
            if line.is_empty() {
                continue;
            }
            self.left = usize::from_str_radix(&line, 16).map_err(std::io::Error::other)?;
            if self.left == 0 {
                return Ok(0);
            }
        }
        let most = self.left.min(buffer.len());
        let read = std::io::Read::read(&mut self.stream, &mut buffer[..most])?;
        self.left -= read;
        Ok(read)
    }
}
