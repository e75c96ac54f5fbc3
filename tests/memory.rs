//! Memory: a limit that stops a job in order, and a window that bounds what it holds.

#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::unwrap_used)]

mod support;

use std::io::{BufWriter, Write};
use std::time::Duration;

use support::kafka::Kafka;
use support::kafka::Message;
use support::stores::Fresh;
use support::takings::{Takings, takings};
use support::wait::until;

/// So many orders take a hundred megabytes more than a job that has read none.
const ORDERS: u64 = 1_200_000;

fn order(number: u64) -> String {
    let day = 1 + number % 28;
    format!(r#"{{"orderId":{number},"orderDate":"2026-11-{day:02}","totalAmount":{}}}"#, number % 100)
}

/// The totals of the first `read` orders.
fn holds_the_first(store: &Fresh, read: u64) {
    let rows = store.rows(&["sum(orders)", "sum(total_sales_micros)"], "sales_per_day");
    let sum: u64 = (0..read).map(|number| number % 100).sum();
    let number = |column: usize| rows[0][column].as_deref().map_or(0, |text| text.parse::<u64>().unwrap());
    assert_eq!((number(0), number(1)), (read, sum * 1_000_000));
}

fn read(store: &Fresh) -> u64 {
    store.rows(&["read"], "sources").first().map_or(0, |row| row[0].as_deref().unwrap().parse().unwrap())
}

/// Whole epochs are committed, the message says what to do, and with a higher limit it goes on.
#[test]
fn a_job_stops_in_order_before_memory_runs_out() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = BufWriter::new(std::fs::File::create(folder.path().join("product_sold.jsonl")).unwrap());
    for number in 0..ORDERS {
        writeln!(file, "{}", order(number)).unwrap();
    }
    file.into_inner().unwrap().sync_all().unwrap();
    let store = Fresh::sqlite();
    let run = |limit: &str| {
        takings(&format!(
            "run --source {} --store {} --views sales_per_day --until-caught-up --memory-limit {limit}",
            folder.path().display(),
            store.url
        ))
    };
    let said = [
        "close to the limit of 120.0 MiB that --memory-limit sets",
        "all that it had read is committed",
        "--correction-window",
    ];
    let ended = run("120MiB").refused(78, &said);
    let first = read(&store);
    eprintln!("{}", ended.log);
    assert!(first > 0 && first < ORDERS, "it read {first}");
    holds_the_first(&store, first);

    // A restart alone comes to the same place, or a little further, and harms nothing.
    run("120MiB").refused(78, &said);
    let second = read(&store);
    assert!((first..ORDERS).contains(&second), "{first}, then {second}");
    holds_the_first(&store, second);

    run("4GiB").done();
    assert_eq!(read(&store), ORDERS);
    holds_the_first(&store, ORDERS);
}

/// The log's time passes the window ten times, in epochs large and small: what is held stays a window's worth.
#[test]
fn what_is_held_is_a_windows_worth_however_long_it_runs() {
    const WINDOW: u64 = 20_000;
    const STEP: u64 = 10_000;
    const MILLIS_AN_ORDER: u64 = 3_600_000 / WINDOW;
    let kafka = Kafka::start();
    let topic = "product_sold";
    kafka.create_topic(topic, 1);
    let store = Fresh::sqlite();
    let start = |views: &str| {
        let mut job = Takings::start(&format!(
            "run --source {} --store {} --topics {topic} --views {views} --correction-window 1h --no-audit \
             --serve 127.0.0.1:0",
            kafka.url(),
            store.url
        ));
        job.wait_for("serving on http://");
        let log = job.log();
        let address = log.split("serving on http://").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
        let metric = move |name: &str| -> Option<u64> {
            let text = reqwest::blocking::get(format!("http://{address}/metrics")).ok()?.text().ok()?;
            let line = text.lines().find(|line| line.starts_with(name))?;
            line.rsplit(' ').next()?.parse().ok()
        };
        (job, metric)
    };
    let (job, metric) = start("sales_per_day");
    let from = 1_780_000_000_000;
    let mut held = Vec::new();
    for step in 1..=20 {
        let numbers = (step - 1) * STEP..step * STEP;
        let messages: Vec<Message> = numbers
            .map(|number| {
                let at = from + (number * MILLIS_AN_ORDER) as i64;
                Message::new(number.to_string(), order(number)).at(at).in_partition(0)
            })
            .collect();
        kafka.produce(topic, &messages);
        until(format!("{} are committed", step * STEP), Duration::from_secs(240), || {
            (metric("takings_committed_offset")? >= step * STEP).then_some(())
        });
        held.push((
            metric("takings_orders_held").unwrap(),
            metric("takings_resident_memory_bytes").unwrap() / 1_000_000,
        ));
    }
    eprintln!("orders held, megabytes: {held:?}");
    let most = held.iter().map(|(orders, _)| *orders).max().unwrap();
    // The window, as long again for what comes late (a day, where the window is longer), a quarter of both until all
    // was looked at, and the epochs under way.
    assert!(most <= 2 * WINDOW * 5 / 4 + 2 * STEP, "{most} held of a window of {WINDOW}");
    assert!(held.last().unwrap().0 >= WINDOW * 9 / 10, "what may be corrected is known");
    job.signal("TERM");
    assert_eq!(job.wait().code, Some(0));
    assert_eq!(read(&store), 20 * STEP);

    // A view that is filled from all of the log holds no more of it.
    let (mut job, metric) = start("sales_per_day,sales_per_month");
    job.wait_for("replayed what is committed");
    let epoch = || store.texts("SELECT CAST(max(epoch) AS TEXT) FROM sales_per_month").pop()?.pop()?;
    until("months are filled", Duration::from_secs(240), epoch);
    let filled = metric("takings_orders_held").unwrap();
    eprintln!("orders held after a fill: {filled}");
    assert!((WINDOW * 9 / 10..=2 * WINDOW * 5 / 4 + 2 * STEP).contains(&filled), "{filled} held");
    job.signal("TERM");
    assert_eq!(job.wait().code, Some(0));
    let orders = store.texts("SELECT CAST(sum(orders) AS TEXT) FROM sales_per_month");
    assert_eq!(orders, [[Some((20 * STEP).to_string())]]);
}
