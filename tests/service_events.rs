//! The event stream, on both stores: only what changed, nothing lost and nothing doubled, however a
//! client comes, goes, comes back, or lags.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod support;

use std::io::{BufReader, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::json;
use support::service::{Browser, Event, Events, SALES, SOON, Serving, Shop, order};
use support::stores::Fresh;
use support::wait::until;
use takings_dataflows::view::View;

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
    let mut resumed = false;
    while browser.epoch() < shop.epoch {
        let event = events.next();
        let before = browser.epoch();
        browser.apply(&event);
        resumed |= event.data["since"].as_u64() == Some(before) && event.id.unwrap() > before + 10;
    }
    assert!(resumed, "it was told many epochs in one event");
    for view in SALES {
        assert_eq!(sorted(browser.view(view)), sorted(serving.rows(view.name())), "{view}");
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
