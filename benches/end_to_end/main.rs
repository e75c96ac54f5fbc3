//! The whole of takings on real parts, beside the floor: `make bench`.
//!
//! Orders go into a real Kafka, and out of it in turns into nothing (the floor: librdkafka, tuned as takings tunes
//! it, records thrown away) and into a real PostgreSQL (`takings run --until-caught-up`), each as a process of its
//! own, from its start to its end. Then orders arrive at a steady rate, and each one's way from the producer's call
//! to a committed row is timed. What it measures goes to `benches/RESULTS.md`.
//!
//! This process stays small: a child's peak memory, as the kernel counts it, is never below its parent's.
#![allow(clippy::print_stderr, clippy::print_stdout, reason = "a program that people watch")]
#![allow(clippy::disallowed_methods, reason = "it waits for other processes, and nobody waits for it")]

mod child;
mod database;
mod drain;
mod floor;
mod live;
mod report;
mod restart;
mod shop;
#[path = "../../tests/support/mod.rs"]
mod support;
mod workload;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

use crate::support::kafka::Kafka;
use crate::support::postgres::PostgresServer;

/// The topic of every phase: its name decides the format.
const TOPIC: &str = "product_sold";

/// Measures takings on real parts, and writes benches/RESULTS.md.
#[derive(Debug, Parser)]
struct Options {
    /// Orders in the log; duplicates and corrections come on top, 1 % each.
    #[arg(long, default_value_t = 2_000_000)]
    orders: u64,
    /// Partitions of the topic.
    #[arg(long, default_value_t = 4)]
    partitions: i32,
    /// How often each drain is repeated; the best counts.
    #[arg(long, default_value_t = 3)]
    repeat: usize,
    /// Orders a second that arrive in the live phase.
    #[arg(long, default_value_t = 20_000)]
    rate: u64,
    /// Seconds of the live phase.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Products of the whole shop.
    #[arg(long, default_value_t = 100_000)]
    products: u64,
    /// Only the whole shop: transactions, listings and feedback, with all views. Implies --dry.
    #[arg(long)]
    shop: bool,
    /// Only a start on a store that has counted `--orders` already. Implies --dry.
    #[arg(long)]
    restart: bool,
    /// With --restart: once more with so many orders that are kept in the store.
    #[arg(long, default_value_t = 1_000_000)]
    kept_orders: u64,
    /// Print the results, and leave benches/RESULTS.md as it is.
    #[arg(long)]
    dry: bool,
    /// Given by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
    #[command(subcommand)]
    part: Option<Part>,
}

/// What this program runs as a process of its own.
#[derive(Debug, Subcommand)]
enum Part {
    /// Reads the topic to its end and throws the records away.
    Floor(floor::Options),
    /// Fills the topic, and prints what is true of it as JSON.
    Fill(workload::Fill),
    /// Fills the topics of the whole shop, and prints how much that was as JSON.
    FillShop(shop::Fill),
    /// Produces at a steady rate, and prints when each record was handed to the producer, and where it went.
    Feed(workload::Feed),
}

fn main() -> Result<()> {
    let options = Options::parse();
    match &options.part {
        Some(Part::Floor(floor)) => floor.run(),
        Some(Part::Fill(fill)) => fill.run(),
        Some(Part::FillShop(fill)) => fill.run(),
        Some(Part::Feed(feed)) => feed.run(),
        None => measure(&options),
    }
}

fn measure(options: &Options) -> Result<()> {
    eprintln!("starting Kafka and PostgreSQL");
    // The default collector and compiler: this broker is to be fast, not to start fast.
    let kafka = Kafka::start_with("-Xms1g -Xmx1g");
    // As it comes, with its durable defaults.
    let postgres = PostgresServer::start_with(&[]);
    if options.restart {
        let restarted = restart::measure(&kafka, &postgres, options)?;
        println!("| orders known | from | floor, s | start to first new order committed, s | ratio | memory, MB |");
        println!("|---|---|---|---|---|---|");
        restarted.iter().for_each(|restarted| println!("{restarted}"));
        return Ok(());
    }
    let shop = shop::measure(&kafka, &postgres, options)?;
    if options.shop {
        println!("{shop}");
        return Ok(());
    }
    kafka.create_topic(TOPIC, options.partitions);

    eprintln!("filling the topic");
    let truth = workload::Fill { bootstrap: kafka.bootstrap(), orders: options.orders, partitions: options.partitions }
        .start()
        .context("filling the topic failed")?;
    eprintln!("{} messages of {} bytes", truth.messages, truth.bytes / truth.messages);

    let drains = drain::measure(&kafka, &postgres, &truth, options.repeat)?;
    let live = live::measure(&kafka, &drains.store, options)?;
    let report = report::Report { options, truth: &truth, drains: &drains, live: &live, shop: &shop };
    println!("{report}");
    if options.dry { Ok(()) } else { report.write() }
}
