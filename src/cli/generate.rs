//! `takings generate`

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::Context;
use chrono::{DateTime, NaiveDateTime, TimeDelta};
use clap::Args;

use super::Exit;
use super::run::stop_on_signals;
use crate::config::{ConfigError, kafka_options};
use crate::formats::timestamp::LocalTime;
use crate::generate::{self, Options, ShopOptions, Topic, now};

/// Make a synthetic shop's events: the same ones again for the same seed and options, dates included
#[derive(Args, Clone, Debug)]
pub struct GenerateArgs {
    /// Where to: kafka://HOST:PORT[,…], or the folder of a file log
    #[arg(long, value_name = "URL|DIR")]
    to: String,

    /// What the shop sends, separated by commas; orders go to those of product_sold and transactions that are
    /// among them
    #[arg(long, value_delimiter = ',', value_name = "TOPIC", default_value = "product_sold")]
    topics: Vec<Topic>,

    /// New orders, in all topics [default: 100000; with --rate: until stopped]
    #[arg(long, value_name = "N")]
    orders: Option<u64>,

    /// Events a second, dated now [default: as fast as it can]
    #[arg(long, value_name = "PER_SECOND", value_parser = rate)]
    rate: Option<f64>,

    /// Where chance starts; a seed used again in one topic sends the same order ids again
    /// [default: another one each time]
    #[arg(long)]
    seed: Option<u64>,

    /// Days over which order dates spread [default: 400; with --rate: today]
    #[arg(long, value_name = "D", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    days: Option<u32>,

    /// The newest order date, in local time, or with --rate the first [default: now, in UTC]
    #[arg(long, value_name = "DATE[TIME]", value_parser = moment)]
    until: Option<NaiveDateTime>,

    /// How long before --until the log got its first order, such as 2h: by the log's own timestamps, which
    /// orders per minute go by
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = humantime::parse_duration)]
    recorded_over: Duration,

    /// The share of the orders that are plain transactions, where both are sent
    #[arg(long, value_name = "SHARE", default_value_t = 0.3, value_parser = share)]
    transactions: f64,

    /// New feedback, as a share of the orders
    #[arg(long, value_name = "SHARE", default_value_t = 0.05, value_parser = share)]
    feedback: f64,

    /// Listings that change, as a share of the orders
    #[arg(long, value_name = "SHARE", default_value_t = 0.02, value_parser = share)]
    listing_changes: f64,

    /// Products in the catalogue
    #[arg(long, value_name = "P", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    products: u32,

    /// Exact re-sends, as a share of each topic's new records
    #[arg(long, value_name = "SHARE", default_value_t = 0.01, value_parser = share)]
    duplicates: f64,

    /// Orders and feedback sent again with other content
    #[arg(long, value_name = "SHARE", default_value_t = 0.01, value_parser = share)]
    corrections: f64,

    /// Orders cancelled, feedback and listings withdrawn
    #[arg(long, value_name = "SHARE", default_value_t = 0.005, value_parser = share)]
    cancellations: f64,

    /// Records that can not be read
    #[arg(long, value_name = "SHARE", default_value_t = 0.001, value_parser = share)]
    invalid: f64,

    /// Orders with an old date
    #[arg(long, value_name = "SHARE", default_value_t = 0.05, value_parser = share)]
    late: f64,

    /// The name under which product_sold is sent, and it alone
    #[arg(long, value_name = "NAME", conflicts_with = "topics")]
    topic: Option<String>,

    /// Partitions of each topic, where it is made
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..))]
    partitions: u16,

    /// Add to files that hold events already
    #[arg(long)]
    append: bool,

    /// An option for librdkafka, NAME=VALUE or NAME=file:PATH, such as security.protocol=ssl; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    kafka_option: Vec<String>,

    /// Write the report to this file as well, as JSON
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

impl GenerateArgs {
    /// The options they stand for.
    ///
    /// # Errors
    /// [`ConfigError`] where an option for librdkafka is none, or its secret's file can not be read.
    pub fn options(self, stop: Arc<AtomicBool>) -> Result<Options, ConfigError> {
        let GenerateArgs { orders, rate, seed, days, until, products, report, .. } = self;
        let mut topics = self.topics;
        topics.sort();
        topics.dedup();
        let shop = ShopOptions {
            seed: seed.unwrap_or_else(rand::random),
            topics,
            orders: orders.or(if rate.is_some() { None } else { Some(100_000) }),
            products,
            days: days.unwrap_or(if rate.is_some() { 1 } else { 400 }),
            until: until.unwrap_or_else(now),
            rate,
            // Days asked for are days given, at a steady rate too.
            is_live: rate.is_some() && days.is_none(),
            // What does not fit chrono's range is more than any shop's history.
            recorded_over: TimeDelta::from_std(self.recorded_over).unwrap_or(TimeDelta::MAX),
            lists_catalogue: true,
            transactions: self.transactions,
            feedback: self.feedback,
            listing_changes: self.listing_changes,
            duplicates: self.duplicates,
            corrections: self.corrections,
            cancellations: self.cancellations,
            invalid: self.invalid,
            late: self.late,
        };
        Ok(Options {
            shop,
            to: self.to,
            topic: self.topic.unwrap_or_else(|| Topic::ProductSold.name().to_owned()),
            partitions: self.partitions,
            append: self.append,
            kafka_options: kafka_options::read(&self.kafka_option)?,
            report,
            progress: true,
            stop,
        })
    }
}

/// Generates until it is done or a signal ends it, and prints the report.
pub fn run(args: GenerateArgs) -> anyhow::Result<Exit> {
    let report = generate::run(args.options(stop_on_signals()?.flag())?)?;
    write!(std::io::stdout(), "{report}").context("printing the report")?;
    Ok(Exit::Done)
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("a share is a number from 0 to 1, such as 0.01".to_owned()),
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if f64::is_finite(rate) && rate > 0.0 => Ok(rate),
        _ => Err("a rate is a number of events a second, above 0".to_owned()),
    }
}

fn moment(text: &str) -> Result<NaiveDateTime, String> {
    LocalTime::parse(text, chrono_tz::Tz::UTC)
        .ok()
        .and_then(|time| DateTime::from_timestamp_micros(time.micros()))
        .map(|time| time.naive_utc())
        .ok_or_else(|| "a date such as 2026-11-22, or with a time as 2026-11-22T18:30".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: GenerateArgs,
    }

    #[test]
    fn an_option_may_be_a_secret_in_a_file() {
        let options = |option: &str| {
            let line = Line::try_parse_from(["generate", "--to", "here", "--kafka-option", option]).expect("a line");
            line.args.options(Arc::default())
        };
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "s3cret,more\n").expect("written");
        let given = options(&format!("sasl.password=file:{}", file.path().display())).expect("options");
        assert_eq!(given.kafka_options, [("sasl.password".to_owned(), "s3cret,more".to_owned())]);
        let error = options("s3cret").expect_err("no name").to_string();
        assert!(error.contains("kafka_option") && !error.contains("s3cret"), "{error}");
    }
}
