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
use crate::{Options, TOPIC, child, drain, floor, live};

/// Workers of the restarted job, and consumers of the floor beside it.
const WORKERS: i32 = 2;

/// How long the restarted job may take: many times the budget of fifty million orders.
const PATIENCE: Duration = Duration::from_secs(900);

/// One restart.
#[derive(Clone, Copy, Debug)]
pub struct Restarted {
    /// Orders known, each in its newest version.
    orders: u64,
    /// Whether they are kept in the store.
    is_kept: bool,
    /// Reading the topic alone, from that process's start to its end.
    floor: Duration,
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
        command.args(["run", "--source", &kafka.url(), "--store", &store, "--topics", TOPIC]);
        command.args(["--workers", &WORKERS.to_string()]);
        command.args(["--views", drain::VIEWS]);
        command.args(is_kept.then_some("--keep-orders"));
        command
    };
    eprintln!("catching up, kept: {is_kept}");
    let caught_up = child::run(command().arg("--until-caught-up"), &log).context("catching up failed")?;
    let topics = vec![TOPIC.to_owned()];
    let floor =
        floor::Options { bootstrap: kafka.bootstrap(), topics, partitions: options.partitions, consumers: WORKERS };
    let floor = floor.measure(&log)?.wall;
    let (caught_up, read) = (caught_up.wall.as_secs_f64(), floor.as_secs_f64());
    eprintln!("caught up after {caught_up:.1} s, read alone in {read:.1} s; starting again");
    let mut takings = child::start(&mut command(), &log)?;
    let feed = Feed {
        bootstrap: kafka.bootstrap(),
        partitions: options.partitions,
        first: 0,
        count: 1,
        rate: options.rate,
        any_day: false,
    };
    live::await_committed(&store, &feed.start()?, &mut takings, PATIENCE)
        .context("the restarted job does not commit")?;
    let (took, resident) = (takings.age(), takings.resident()?);
    takings.stop().context("takings did not stop in an orderly way")?;
    eprintln!("live after {:.1} s", took.as_secs_f64());
    Ok(Restarted { orders, is_kept, floor, took, resident })
}

impl fmt::Display for Restarted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Restarted { orders, is_kept, floor, took, resident } = self;
        let from = if *is_kept { "kept orders" } else { "the log" };
        let (floor, took) = (floor.as_secs_f64(), took.as_secs_f64());
        write!(f, "| {orders} | {from} | {floor:.1} | {took:.1} | {:.1} | {} |", took / floor, resident / 1_000_000)
    }
}
