//! Keeping up: orders at a steady rate, and the time each takes to be committed.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::child::Running;
use crate::database::{self, Seen};
use crate::support::kafka::Kafka;
use crate::workload::{Feed, Stamp};
use crate::{Options, TOPIC, child, drain};

/// How long to wait for something that takes a moment.
const PATIENCE: Duration = Duration::from_secs(120);

/// What keeping up cost.
#[derive(Debug)]
pub struct Live {
    /// From the start of a process on a store that is caught up to the first new order committed.
    pub restart: Duration,
    /// Share of a core while nothing arrives.
    pub idle_cpu: f64,
    /// Memory while nothing arrives, in bytes: every order of the log is known.
    pub idle_memory: u64,
    /// Orders mostly of today, as they come to a shop.
    pub today: Paced,
    /// Orders of any of 400 days.
    pub any_day: Paced,
}

/// Orders at a steady rate.
#[derive(Debug)]
pub struct Paced {
    /// Share of a core that takings used meanwhile.
    pub cpu: f64,
    /// From the producer's call to the commit being visible: microseconds, sorted.
    pub latencies: Vec<i64>,
    /// Commits a second.
    pub commits: f64,
}

impl Paced {
    /// The latency that this share of orders stays below, in milliseconds.
    pub fn percentile(&self, share: f64) -> f64 {
        let last = self.latencies.len().saturating_sub(1);
        let index = (last as f64 * share).round() as usize;
        self.latencies.get(index).copied().unwrap_or_default() as f64 / 1000.0
    }
}

/// Starts takings on a store that holds the whole log, and feeds it.
pub fn measure(kafka: &Kafka, store: &str, options: &Options) -> Result<Live> {
    let folder = TempDir::new()?;
    let log = folder.path().join("log");
    let mut command = child::takings();
    command.args(["run", "--source", &kafka.url(), "--store", store, "--topics", TOPIC, "--workers", "1"]);
    command.args(["--views", drain::VIEWS]);
    let mut takings = child::start(&mut command, &log)?;

    eprintln!("waiting for the restarted job");
    let mut next = 0;
    let mut feed = |count: u64, any_day: bool| {
        let feed = Feed {
            bootstrap: kafka.bootstrap(),
            partitions: options.partitions,
            first: next,
            count,
            rate: options.rate,
            any_day,
        };
        next += count;
        feed.start()
    };
    let first = feed(1, false)?;
    await_committed(store, &first, &mut takings, PATIENCE).context("the restarted job does not commit")?;
    let restart = takings.age();

    eprintln!("idle for ten seconds");
    // Let the first order's epoch and its clean-up pass.
    std::thread::sleep(Duration::from_secs(2));
    let (cpu, start) = (takings.cpu()?, Instant::now());
    std::thread::sleep(Duration::from_secs(10));
    let idle_cpu = (takings.cpu()? - cpu).as_secs_f64() / start.elapsed().as_secs_f64();
    let idle_memory = takings.resident()?;

    let mut paced = |any_day: bool| -> Result<Paced> {
        eprintln!("{} orders a second for {} s, any day: {any_day}", options.rate, options.seconds);
        let watch = database::watch_offsets(store, TOPIC)?;
        let (cpu, start) = (takings.cpu()?, Instant::now());
        let stamps = feed(options.rate * options.seconds, any_day)?;
        let cpu = (takings.cpu()? - cpu).as_secs_f64() / start.elapsed().as_secs_f64();
        await_committed(store, &stamps, &mut takings, PATIENCE).context("the job does not keep up")?;
        // A last look may still be under way.
        std::thread::sleep(Duration::from_millis(200));
        let seen = watch.finish()?;
        let commits = seen.len() as f64 / options.seconds as f64;
        Ok(Paced { cpu, latencies: latencies(&stamps, &seen)?, commits })
    };
    let today = paced(false)?;
    let any_day = paced(true)?;
    takings.stop().context("takings did not stop in an orderly way")?;
    drain::audit_of(kafka, store, &[TOPIC.to_owned()], &log)?;
    Ok(Live { restart, idle_cpu, idle_memory, today, any_day })
}

/// Waits until all of these orders are committed.
pub fn await_committed(store: &str, stamps: &[Stamp], takings: &mut Running, patience: Duration) -> Result<()> {
    let mut client = database::connect(store)?;
    let start = Instant::now();
    loop {
        takings.check()?;
        let offsets = database::offsets(&mut client, TOPIC)?;
        if stamps.iter().all(|stamp| offsets.get(&stamp.partition).is_some_and(|&offset| offset > stamp.offset)) {
            return Ok(());
        }
        ensure!(start.elapsed() < patience, "not all orders are committed after {patience:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Each order's time from the producer's call to the first look that saw it committed, sorted.
fn latencies(stamps: &[Stamp], seen: &[Seen]) -> Result<Vec<i64>> {
    let mut latencies = Vec::with_capacity(stamps.len());
    let mut look = 0;
    let mut partition = None;
    // Stamps are sorted by partition and offset, looks by time: in a partition both only go forward.
    for stamp in stamps {
        if partition.replace(stamp.partition) != Some(stamp.partition) {
            look = 0;
        }
        let sees = |seen: &Seen| seen.offsets.get(&stamp.partition).is_some_and(|&offset| offset > stamp.offset);
        while seen.get(look).is_some_and(|seen| !sees(seen)) {
            look += 1;
        }
        let seen = seen.get(look).context("an order was never seen as committed: were notifications lost?")?;
        latencies.push(seen.at - stamp.produced);
    }
    latencies.sort_unstable();
    Ok(latencies)
}
