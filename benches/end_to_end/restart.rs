//! Starting again: from the process's start until the first new order is committed, with so many orders known.
//!
//! Once from the log, which is read again for the versions of orders, and once from kept orders, which are in the
//! store. Asked for by `--restart`, with `--orders` of each; `--kept-orders 0` leaves the second out: writing fifty
//! million kept orders takes PostgreSQL longer than the measurement.

use std::fmt;
use std::time::Duration;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::support::kafka::Kafka;
use crate::support::postgres::PostgresServer;
use crate::workload::{Feed, Fill};
use crate::{Options, TOPIC, child, drain, live};

/// Workers of the restarted job.
const WORKERS: &str = "2";

/// One restart.
#[derive(Clone, Copy, Debug)]
pub struct Restarted {
    /// Orders known, each in its newest version.
    orders: u64,
    /// Whether they are kept in the store.
    is_kept: bool,
    /// From the process's start to the first new order committed.
    took: Duration,
    /// The most memory it held until then, in bytes.
    resident: u64,
}

/// Fills a topic, catches up with it, and starts again.
pub fn measure(kafka: &Kafka, postgres: &PostgresServer, options: &Options) -> Result<Vec<Restarted>> {
    kafka.create_topic(TOPIC, options.partitions);
    eprintln!("filling the topic with {} orders", options.orders);
    let fill = |orders| Fill { bootstrap: kafka.bootstrap(), orders, partitions: options.partitions }.start();
    fill(options.orders).context("filling the topic failed")?;
    let mut restarted = vec![once(kafka, postgres, options, options.orders, false)?];
    if options.kept_orders > 0 {
        kafka.delete_topic(TOPIC);
        kafka.create_topic(TOPIC, options.partitions);
        eprintln!("filling the topic with {} orders to keep", options.kept_orders);
        fill(options.kept_orders).context("filling the topic failed")?;
        restarted.push(once(kafka, postgres, options, options.kept_orders, true)?);
    }
    Ok(restarted)
}

fn once(kafka: &Kafka, postgres: &PostgresServer, options: &Options, orders: u64, is_kept: bool) -> Result<Restarted> {
    let folder = TempDir::new()?;
    let log = folder.path().join("log");
    let store = postgres.url(&postgres.fresh_database());
    let command = || {
        let mut command = child::takings();
        command.args(["run", "--source", &kafka.url(), "--store", &store, "--topics", TOPIC, "--workers", WORKERS]);
        command.args(["--views", drain::VIEWS]);
        command.args(is_kept.then_some("--keep-orders"));
        command
    };
    eprintln!("catching up, kept: {is_kept}");
    let caught_up = child::run(command().arg("--until-caught-up"), &log).context("catching up failed")?;
    eprintln!("caught up after {:.1} s; starting again", caught_up.wall.as_secs_f64());
    let mut takings = child::start(&mut command(), &log)?;
    let feed = Feed {
        bootstrap: kafka.bootstrap(),
        partitions: options.partitions,
        first: 0,
        count: 1,
        rate: options.rate,
        any_day: false,
    };
    live::await_committed(&store, &feed.start()?, &mut takings).context("the restarted job does not commit")?;
    let (took, resident) = (takings.age(), takings.resident()?);
    takings.stop().context("takings did not stop in an orderly way")?;
    eprintln!("live after {:.1} s", took.as_secs_f64());
    Ok(Restarted { orders, is_kept, took, resident })
}

impl fmt::Display for Restarted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Restarted { orders, is_kept, took, resident } = self;
        let from = if *is_kept { "kept orders" } else { "the log" };
        write!(f, "| {orders} | {from} | {:.1} | {} |", took.as_secs_f64(), resident / 1_000_000)
    }
}
