//! `takings generate`: a synthetic shop, to Kafka or to a file log.

mod catalogue;
mod event;
mod files;
mod invalid;
mod kafka;
mod listings;
mod open;
mod options;
mod order;
mod report;
mod reviews;
mod shop;
mod timeline;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use indicatif::{ProgressBar, ProgressStyle};

pub use event::{Event, Kind, Topic};
pub use options::ShopOptions;
pub use report::{Counts, CurrencyTotal, RatingTotal, Report, TopicReport};
pub use shop::{Shop, Total};

use files::FileSink;
use kafka::KafkaSink;

use crate::source::place::Place;

/// What to generate, and where to.
#[derive(Clone, Debug)]
pub struct Options {
    /// The shop.
    pub shop: ShopOptions,
    /// `kafka://HOST:PORT[,…]` or a folder.
    pub to: String,
    /// The name under which `product_sold` is sent. The other topics have their own names.
    pub topic: String,
    /// The partitions of each topic, where it is made.
    pub partitions: u16,
    /// Whether to add to files that hold events already.
    pub append: bool,
    /// Options passed through to librdkafka.
    pub kafka_options: Vec<(String, String)>,
    /// A file to write the report to, as JSON.
    pub report: Option<PathBuf>,
    /// Whether to show progress, if standard error is a terminal.
    pub progress: bool,
    /// Set by anyone to end after the event at hand; what was sent is then delivered and reported.
    pub stop: Arc<AtomicBool>,
}

impl Options {
    /// A shop's events to a log that has none yet, four partitions a topic, in silence and until they are out.
    pub fn new(shop: ShopOptions, to: String) -> Self {
        Options {
            shop,
            to,
            topic: Topic::ProductSold.name().to_owned(),
            partitions: 4,
            append: false,
            kafka_options: Vec::new(),
            report: None,
            progress: false,
            stop: Arc::default(),
        }
    }

    /// The name under which a topic is sent.
    pub fn name(&self, topic: Topic) -> &str {
        if topic == Topic::ProductSold { &self.topic } else { topic.name() }
    }
}

/// Where events go.
trait Sink {
    /// Takes an event; it may be delivered later.
    fn send(&mut self, event: &Event) -> anyhow::Result<()>;
    /// Lets readers see soon what was sent.
    fn flush(&mut self) -> anyhow::Result<()>;
    /// Waits until everything is delivered.
    fn finish(&mut self) -> anyhow::Result<()>;
}

/// Events between two looks at the clock when nothing else bounds the speed.
const SLICE: u64 = 1_024;
/// How long to sleep between slices at a steady rate: smooth to a reader that looks every few milliseconds.
const PAUSE: Duration = Duration::from_millis(2);

/// Generates until the orders are out or someone says stop, and waits until all is delivered.
///
/// # Errors
/// When the destination can not be written, or an event was not delivered.
pub fn run(options: Options) -> anyhow::Result<Report> {
    if !options.shop.topics.iter().any(|topic| topic.has_orders()) {
        bail!("setting `topics`: names no topic with orders; add product_sold, transactions or both");
    }
    let topics: Vec<(Topic, String)> =
        options.shop.topics.iter().map(|&topic| (topic, options.name(topic).to_owned())).collect();
    let Options { shop: shop_options, to, partitions, append, kafka_options, report, progress, stop, .. } = options;
    let mut sink: Box<dyn Sink> = match Place::parse(&to).map_err(|message| anyhow!("setting `to`: {message}"))? {
        Place::Kafka(brokers) => Box::new(KafkaSink::connect(&brokers, &topics, partitions, &kafka_options)?),
        Place::Folder(folder) => Box::new(FileSink::create(&folder, &topics, partitions, append)?),
    };
    let (seed, until, rate) = (shop_options.seed, shop_options.until, shop_options.rate);
    let bar = if progress { progress_bar(shop_options.orders) } else { ProgressBar::hidden() };
    let mut shop = Shop::new(shop_options);
    let mut sent: BTreeMap<Topic, Counts> = topics.iter().map(|(topic, _)| (*topic, Counts::default())).collect();
    let mut counts = Counts::default();

    let started = Instant::now();
    'shop: while !stop.load(Ordering::Relaxed) {
        let slice = match rate {
            // What is due by now: after a stall it catches up. The catalogue comes at once.
            Some(rate) => {
                let due = (started.elapsed().as_secs_f64() * rate) as u64;
                (due + shop.to_list()).saturating_sub(counts.events - counts.listings)
            }
            None => SLICE,
        };
        for _ in 0..slice.min(SLICE) {
            let Some(event) = shop.next() else { break 'shop };
            sink.send(&event)?;
            counts.count(event.kind);
            sent.entry(event.topic).or_default().count(event.kind);
        }
        bar.set_position(counts.orders);
        if rate.is_some() {
            sink.flush()?;
            if slice < SLICE {
                std::thread::park_timeout(PAUSE);
            }
        }
    }
    sink.finish()?;
    bar.finish_and_clear();

    let topics = topics.into_iter().map(|(topic, name)| {
        let counts = sent.get(&topic).copied().unwrap_or_default();
        TopicReport { name, counts, totals: report::totals(&shop, &[topic]) }
    });
    let written = Report::new(to, topics.collect(), seed, until, counts, started.elapsed(), &shop);
    if let Some(path) = report {
        let json = serde_json::to_string_pretty(&written).context("writing the report as JSON")?;
        std::fs::write(&path, json + "\n").with_context(|| format!("writing the report to {}", path.display()))?;
    }
    Ok(written)
}

fn progress_bar(orders: Option<u64>) -> ProgressBar {
    let (bar, template) = match orders {
        Some(orders) => (ProgressBar::new(orders), "{wide_bar} {human_pos}/{human_len} orders, {per_sec}, {eta} left"),
        None => (ProgressBar::new_spinner(), "{spinner} {human_pos} orders, {per_sec}"),
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// The default of [`ShopOptions::until`]: this moment in UTC, to the second.
pub fn now() -> chrono::NaiveDateTime {
    options::now()
}
