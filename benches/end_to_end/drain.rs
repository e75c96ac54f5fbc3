//! Catching up: the whole topic into nothing, and into totals, in turns.

use std::path::Path;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::child::{self, Used};
use crate::database::{self, Looks};
use crate::support::kafka::Kafka;
use crate::support::postgres::PostgresServer;
use crate::workload::Truth;
use crate::{TOPIC, floor};

/// Threads of both contestants.
pub const THREADS: [i32; 2] = [1, 2];

/// The best of some drains with one number of threads.
#[derive(Clone, Copy, Debug)]
pub struct Best {
    /// Reading alone.
    pub floor: Used,
    /// takings.
    pub takings: Used,
    /// Rows that takings wrote.
    pub rows: i64,
}

/// What catching up cost.
#[derive(Debug)]
pub struct Drains {
    /// By [`THREADS`].
    pub best: [Best; 2],
    /// What a reader saw while takings caught up.
    pub looks: Looks,
    /// A store that holds the whole topic.
    pub store: String,
}

/// Drains the topic `repeat` times each way, and checks every result.
pub fn measure(kafka: &Kafka, postgres: &PostgresServer, truth: &Truth, repeat: usize) -> Result<Drains> {
    let folder = TempDir::new()?;
    let mut best = [None::<Best>; 2];
    for round in 1..=repeat {
        for (best, threads) in best.iter_mut().zip(THREADS) {
            let log = folder.path().join("log");
            let partitions = i32::try_from(kafka.partitions(TOPIC))?;
            let topics = vec![TOPIC.to_owned()];
            let floor = floor::Options { bootstrap: kafka.bootstrap(), topics, partitions, consumers: threads }
                .measure(&log)?;
            let url = postgres.url(&postgres.fresh_database());
            let takings = drain(kafka, &url, threads, &log)?;
            let rows = database::rows_written(&url)?;
            database::check_totals(&url, truth)?;
            eprintln!(
                "round {round}, {threads} thread(s): floor {:.2} s, takings {:.2} s, {} MB, {} rows",
                floor.wall.as_secs_f64(),
                takings.wall.as_secs_f64(),
                takings.peak / 1_000_000,
                rows
            );
            let this = Best { floor, takings, rows };
            let kept = best.get_or_insert(this);
            if floor.wall < kept.floor.wall {
                kept.floor = floor;
            }
            if takings.wall < kept.takings.wall {
                (kept.takings, kept.rows) = (takings, rows);
            }
        }
    }

    eprintln!("once more, with a reader that compares the tables; then the audit");
    let url = postgres.url(&postgres.fresh_database());
    let watch = database::watch_agreement(&url)?;
    let log = folder.path().join("log");
    drain(kafka, &url, 2, &log)?;
    let looks = watch.finish()?;
    audit_of(kafka, &url, &[TOPIC.to_owned()], &log)?;
    let [one, two] = best.map(|best| best.context("nothing was measured"));
    Ok(Drains { best: [one?, two?], looks, store: url })
}

/// The views that need no product: what the budget of catching up is about. The others are in [`crate::shop`].
pub const VIEWS: &str = "sales_per_category,sales_per_day,sales_per_month,sales_per_payment_method";

fn drain(kafka: &Kafka, store: &str, workers: i32, log: &Path) -> Result<Used> {
    let mut command = child::takings();
    command.args(["run", "--source", &kafka.url(), "--store", store, "--topics", TOPIC, "--views", VIEWS]);
    command.args(["--workers", &workers.to_string(), "--until-caught-up"]);
    child::run(&mut command, log).context("takings run failed")
}

/// Recounts the log the plain way; a difference is an error.
pub fn audit_of(kafka: &Kafka, store: &str, topics: &[String], log: &Path) -> Result<()> {
    let mut command = child::takings();
    command.args(["audit", "--source", &kafka.url(), "--store", store, "--topics", &topics.join(",")]);
    child::run(&mut command, log).map(drop).context("takings audit failed")
}
