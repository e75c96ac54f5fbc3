//! `takings generate`

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context;
use chrono::{DateTime, NaiveDateTime};
use clap::Args;

use super::Exit;
use super::run::stop_on_signals;
use crate::formats::timestamp::LocalTime;
use crate::generate::{self, Options, ShopOptions, now};

/// Make a synthetic shop's events: the same ones again for the same seed and options, dates included
#[derive(Args, Clone, Debug)]
pub struct GenerateArgs {
    /// Where to: kafka://HOST:PORT[,…], or the folder of a file log
    #[arg(long, value_name = "URL|DIR")]
    to: String,

    /// New orders [default: 100000; with --rate: until stopped]
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

    /// Products in the catalogue
    #[arg(long, value_name = "P", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    products: u32,

    /// Exact re-sends, as a share of the orders
    #[arg(long, value_name = "SHARE", default_value_t = 0.01, value_parser = share)]
    duplicates: f64,

    /// Orders sent again with other content
    #[arg(long, value_name = "SHARE", default_value_t = 0.01, value_parser = share)]
    corrections: f64,

    /// Orders cancelled
    #[arg(long, value_name = "SHARE", default_value_t = 0.005, value_parser = share)]
    cancellations: f64,

    /// Records that can not be read
    #[arg(long, value_name = "SHARE", default_value_t = 0.001, value_parser = share)]
    invalid: f64,

    /// Orders with an old date
    #[arg(long, value_name = "SHARE", default_value_t = 0.05, value_parser = share)]
    late: f64,

    /// The topic
    #[arg(long, default_value = "product_sold")]
    topic: String,

    /// Partitions of the topic, where it is made
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..))]
    partitions: u16,

    /// Add to files that hold events already
    #[arg(long)]
    append: bool,

    /// An option for librdkafka, such as security.protocol=ssl; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    kafka_option: Vec<(String, String)>,

    /// Write the report to this file as well, as JSON
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

impl GenerateArgs {
    /// The options they stand for.
    pub fn options(self, stop: Arc<AtomicBool>) -> Options {
        let GenerateArgs { orders, rate, seed, days, until, products, report, .. } = self;
        let shop = ShopOptions {
            seed: seed.unwrap_or_else(rand::random),
            orders: orders.or(if rate.is_some() { None } else { Some(100_000) }),
            products,
            days: days.unwrap_or(if rate.is_some() { 1 } else { 400 }),
            until: until.unwrap_or_else(now),
            // Days asked for are days given, at a steady rate too.
            live: rate.filter(|_| days.is_none()),
            duplicates: self.duplicates,
            corrections: self.corrections,
            cancellations: self.cancellations,
            invalid: self.invalid,
            late: self.late,
        };
        Options {
            shop,
            to: self.to,
            topic: self.topic,
            partitions: self.partitions,
            rate,
            append: self.append,
            kafka_options: self.kafka_option,
            report,
            progress: true,
            stop,
        }
    }
}

/// Generates until it is done or a signal ends it, and prints the report.
pub fn run(args: GenerateArgs) -> anyhow::Result<Exit> {
    let report = generate::run(args.options(stop_on_signals()?.flag()))?;
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

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.trim().to_owned(), value.to_owned())),
        _ => Err("an option is KEY=VALUE".to_owned()),
    }
}
