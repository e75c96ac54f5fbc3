//! The orders: 20 categories, 3 currencies, 400 days in random order, 1 % sent twice, 1 % corrected later.
//!
//! The worst that a shop can do to an engine that writes what changed: hardly two orders in a row share a total.
//! An order's content follows from its number, so that nothing is kept to send it again.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufWriter, Write as _};
use std::process::Stdio;
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use chrono::{Days, NaiveDate};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message as _};
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer};
use serde::{Deserialize, Serialize};

use crate::{TOPIC, child};

/// How far back a duplicate or a correction reaches, in orders.
const REACH: u64 = 100_000;
/// One order in so many is sent again, and one in so many is corrected.
const ONE_IN: u64 = 100;
/// Live orders have numbers from here on, so that they are none of those in the log.
const LIVE: u64 = 1 << 40;

/// What is true of the log.
#[derive(Debug, Serialize, Deserialize)]
pub struct Truth {
    /// Messages sent.
    pub messages: u64,
    /// Bytes of their payloads.
    pub bytes: u64,
    /// Currency to (cents, orders, units).
    pub totals: BTreeMap<String, (i64, i64, i64)>,
}

/// Which days orders are of.
#[derive(Clone, Copy, Debug)]
enum Days400 {
    /// Any of 400, at random.
    Any,
    /// Today, and one in twenty of any.
    Today,
}

struct Order {
    cents: i64,
    units: i64,
    currency: &'static str,
}

/// Writes the order of this number, in this version, into `payload`; its key into `key`.
fn write_order(number: u64, version: u64, days: Days400, key: &mut String, payload: &mut String) -> Order {
    let mut id = ChaCha8Rng::seed_from_u64(number);
    let mut random = ChaCha8Rng::seed_from_u64(number << 2 | (version + 1));
    key.clear();
    // Writing to a string can not fail.
    let _ = write!(key, "{}", uuid::Builder::from_random_bytes(id.random()).into_uuid());
    let price = random.random_range(100..100_000_i64);
    let units = random.random_range(1..=5_i64);
    let cents = price * units;
    let currency = ["EUR", "USD", "GBP"][random.random_range(0..3)];
    let first = NaiveDate::from_ymd_opt(2025, 1, 1).unwrap_or_default();
    let back = match days {
        Days400::Today if random.random_range(0..20) != 0 => 399,
        _ => random.random_range(0..400),
    };
    let day = first.checked_add_days(Days::new(back)).unwrap_or(first);
    let (hour, minute, second) = (random.random_range(0..24), random.random_range(0..60), random.random_range(0..60));
    let micros = random.random_range(0..1_000_000);
    let product = random.random_range(0..5_000);
    let category = product % 20;
    let customer = random.random_range(0..100_000);
    let payment = ["CREDIT_CARD", "CASH_ON_DELIVERY", "ORANGE_MONEY", "PAYPAL"][random.random_range(0..4)];
    payload.clear();
    let _ = write!(
        payload,
        "{{\"orderId\": \"{key}\", \"productId\": \"P{product:05}\", \"productName\": \"Product {product:05}\", \
         \"productCategory\": \"Category {category:02}\", \"productPrice\": {}.{:02}, \"productQuantity\": {units}, \
         \"productBrand\": \"Brand {:02}\", \"currency\": \"{currency}\", \"customerId\": \"C{customer:06}\", \
         \"orderDate\": \"{day}T{hour:02}:{minute:02}:{second:02}.{micros:06}\", \"paymentMethod\": \"{payment}\", \
         \"totalAmount\": {}.{:02}}}",
        price / 100,
        price % 100,
        product % 50,
        cents / 100,
        cents % 100
    );
    Order { cents, units, currency }
}

/// Which partition an order goes to, always.
pub fn partition_of(number: u64, partitions: i32) -> Result<i32> {
    Ok(i32::try_from(number % u64::try_from(partitions)?)?)
}

/// Fills the topic as fast as it can.
#[derive(Debug, clap::Args)]
pub struct Fill {
    /// The broker.
    #[arg(long)]
    pub bootstrap: String,
    /// Orders; duplicates and corrections come on top.
    #[arg(long)]
    pub orders: u64,
    /// Partitions of the topic.
    #[arg(long)]
    pub partitions: i32,
}

impl Fill {
    /// Fills it from a process of its own.
    pub fn start(&self) -> Result<Truth> {
        let mut command = child::this_program()?;
        command.args(["fill", "--bootstrap", &self.bootstrap]);
        command.args(["--orders", &self.orders.to_string(), "--partitions", &self.partitions.to_string()]);
        let output = command.stderr(Stdio::inherit()).output()?;
        ensure!(output.status.success(), "the producer ended with {}", output.status);
        serde_json::from_slice(&output.stdout).context("the producer did not say what it sent")
    }

    /// Fills it from here, and prints the truth.
    pub fn run(&self) -> Result<()> {
        let producer = producer(&self.bootstrap, "20", Sent::default())?;
        let (mut key, mut payload) = (String::new(), String::new());
        let mut truth = Truth { messages: 0, bytes: 0, totals: BTreeMap::new() };
        let mut corrected = std::collections::BTreeSet::new();
        let mut send = |number: u64, version: u64, signs: &[(u64, i64)]| -> Result<()> {
            for &(of, sign) in signs {
                let order = write_order(number, of, Days400::Any, &mut key, &mut payload);
                let total = truth.totals.entry(order.currency.to_owned()).or_default();
                *total = (total.0 + sign * order.cents, total.1 + sign, total.2 + sign * order.units);
            }
            write_order(number, version, Days400::Any, &mut key, &mut payload);
            truth.messages += 1;
            truth.bytes += payload.len() as u64;
            send(&producer, (TOPIC, partition_of(number, self.partitions)?), Some(&key), &payload, 0)
        };
        let mut random = ChaCha8Rng::seed_from_u64(7);
        for number in 0..self.orders {
            send(number, 0, &[(0, 1)])?;
            if number % ONE_IN == ONE_IN / 2 {
                let old = random.random_range(number.saturating_sub(REACH)..=number);
                // A corrected order sent in its old version would be a correction back.
                send(old, u64::from(corrected.contains(&old)), &[])?;
            }
            if number % ONE_IN == ONE_IN - 1 {
                let old = loop {
                    let old = random.random_range(number.saturating_sub(REACH)..=number);
                    if corrected.insert(old) {
                        break old;
                    }
                };
                send(old, 1, &[(0, -1), (1, 1)])?;
            }
        }
        producer.flush(Duration::from_secs(60))?;
        println!("{}", serde_json::to_string(&truth)?);
        Ok(())
    }
}

/// Produces new orders at a steady rate.
#[derive(Debug, clap::Args)]
pub struct Feed {
    /// The broker.
    #[arg(long)]
    pub bootstrap: String,
    /// Partitions of the topic.
    #[arg(long)]
    pub partitions: i32,
    /// The number of the first order.
    #[arg(long)]
    pub first: u64,
    /// Orders.
    #[arg(long)]
    pub count: u64,
    /// Orders a second.
    #[arg(long)]
    pub rate: u64,
    /// Orders of any day, instead of mostly today.
    #[arg(long)]
    pub any_day: bool,
}

/// One order's way into the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
    /// When it was handed to the producer, in microseconds since 1970.
    pub produced: i64,
}

impl Feed {
    /// Feeds from a process of its own.
    pub fn start(&self) -> Result<Vec<Stamp>> {
        let mut command = child::this_program()?;
        command.args(["feed", "--bootstrap", &self.bootstrap, "--partitions", &self.partitions.to_string()]);
        command.args(["--first", &self.first.to_string(), "--count", &self.count.to_string()]);
        command.args(["--rate", &self.rate.to_string()]);
        command.args(self.any_day.then_some("--any-day"));
        let output = command.stderr(Stdio::inherit()).output()?;
        ensure!(output.status.success(), "the producer ended with {}", output.status);
        let mut stamps = std::str::from_utf8(&output.stdout)?
            .lines()
            .map(|line| {
                let numbers: Vec<i64> = line.split(' ').map(str::parse).collect::<Result<_, _>>()?;
                let &[partition, offset, produced] = numbers.as_slice() else { anyhow::bail!("{line:?} is no stamp") };
                Ok(Stamp { partition: i32::try_from(partition)?, offset, produced })
            })
            .collect::<Result<Vec<_>>>()?;
        ensure!(stamps.len() as u64 == self.count, "{} of {} orders were produced", stamps.len(), self.count);
        stamps.sort_unstable();
        Ok(stamps)
    }

    /// Feeds from here, and prints a line for each order: partition, offset, when it was produced.
    pub fn run(&self) -> Result<()> {
        let producer = producer(&self.bootstrap, "0.5", Sent::default())?;
        let days = if self.any_day { Days400::Any } else { Days400::Today };
        let (mut key, mut payload) = (String::new(), String::new());
        // The first message waits for metadata and a connection: not an order's fault.
        producer.client().fetch_metadata(Some(TOPIC), Duration::from_secs(10))?;
        let start = Instant::now();
        for index in 0..self.count {
            let due = Duration::from_nanos(index * 1_000_000_000 / self.rate);
            while let Some(early) = due.checked_sub(start.elapsed()).filter(|early| !early.is_zero()) {
                std::thread::sleep(early.max(Duration::from_micros(200)));
            }
            let number = LIVE + self.first + index;
            write_order(number, 0, days, &mut key, &mut payload);
            let produced = now_micros();
            send(
                &producer,
                (TOPIC, partition_of(number, self.partitions)?),
                Some(&key),
                &payload,
                usize::try_from(produced)?,
            )?;
        }
        let behind = start.elapsed().saturating_sub(Duration::from_nanos(self.count * 1_000_000_000 / self.rate));
        if behind > Duration::from_millis(100) {
            eprintln!("the producer fell {behind:?} behind its rate");
        }
        producer.flush(Duration::from_secs(60))?;
        let mut out = BufWriter::new(std::io::stdout().lock());
        for stamp in producer.context().stamps.lock().unwrap_or_else(|error| error.into_inner()).iter() {
            writeln!(out, "{} {} {}", stamp.partition, stamp.offset, stamp.produced)?;
        }
        Ok(out.flush()?)
    }
}

/// Microseconds since 1970.
pub fn now_micros() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as i64)
}

/// Where orders went that carry the time they were produced at.
#[derive(Default)]
pub struct Sent {
    stamps: Mutex<Vec<Stamp>>,
}

impl ClientContext for Sent {}

impl ProducerContext for Sent {
    /// When it was produced, in microseconds since 1970; zero where nobody asks.
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, produced: usize) {
        match result {
            Ok(message) if produced > 0 => {
                let stamp =
                    Stamp { partition: message.partition(), offset: message.offset(), produced: produced as i64 };
                self.stamps.lock().unwrap_or_else(|error| error.into_inner()).push(stamp);
            }
            Ok(_) => {}
            Err((error, _)) => {
                eprintln!("an order could not be produced: {error}");
                std::process::exit(1);
            }
        }
    }
}

/// A producer that loses nothing.
pub fn producer(bootstrap: &str, linger: &str, context: Sent) -> Result<ThreadedProducer<Sent>> {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", bootstrap)
        .set("enable.idempotence", "true")
        .set("linger.ms", linger)
        .set("batch.num.messages", "20000")
        .set("queue.buffering.max.messages", "200000");
    Ok(ThreadedProducer::from_config_and_context(&config, context)?)
}

/// Sends a message, waiting where the client's queue is full.
pub fn send(
    producer: &ThreadedProducer<Sent>,
    (topic, partition): (&str, i32),
    key: Option<&str>,
    payload: &str,
    opaque: usize,
) -> Result<()> {
    let mut record = BaseRecord::with_opaque_to(topic, opaque).partition(partition).payload(payload);
    if let Some(key) = key {
        record = record.key(key);
    }
    while let Err((error, refused)) = producer.send(record) {
        ensure!(error == KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), "producing failed: {error}");
        std::thread::sleep(Duration::from_millis(5));
        record = refused;
    }
    Ok(())
}
