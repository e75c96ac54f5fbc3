//! The job: reads the log, feeds the dataflow, commits its changes, recovers.
//!
//! One process has worker threads, each with partitions of its own, and one writer thread with the
//! store's only connection. They share [`pace::Pace`], which says which epoch is open, and nothing else.

mod error;
mod feed;
mod pace;
mod patience;
mod recovery;
mod roll_ups;
mod worker;
mod writer;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use takings_dataflows::graph::{self, Committed};
use takings_dataflows::order::PartitionId;
use takings_dataflows::upsert::Horizon;

pub use self::error::JobError;
pub(crate) use self::error::chain;
use self::pace::Pace;
use self::recovery::Start;
use crate::config::JobConfig;
use crate::source::Log;
use crate::source::kafka::KafkaLog;
use crate::store::{JobSettings, Recovered, Store, StoreError, StoreUrl};

/// Asks a running job to stop: it commits what it has read, and ends.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<std::sync::atomic::AtomicBool>);

impl Stop {
    /// Asks for it. The job notices within a tenth of a second.
    pub fn stop(&self) {
        self.0.store(true, std::sync::atomic::Ordering::Release);
    }

    /// Whether it was asked for.
    pub fn is_stopped(&self) -> bool {
        self.0.load(std::sync::atomic::Ordering::Acquire)
    }

    /// The flag itself, for a signal handler.
    pub fn flag(&self) -> Arc<std::sync::atomic::AtomicBool> {
        Arc::clone(&self.0)
    }

    /// Waits, but not past a stop. Returns whether it was stopped.
    pub fn wait(&self, duration: Duration) -> bool {
        let until = std::time::Instant::now() + duration;
        while !self.is_stopped() && std::time::Instant::now() < until {
            std::thread::park_timeout(Duration::from_millis(50).min(duration));
        }
        self.is_stopped()
    }
}

/// What a job did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// The last committed epoch.
    pub epoch: u64,
    /// Records read and committed by this run.
    pub records: u64,
    /// Transactions of this run.
    pub commits: u64,
}

/// What a run would do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rehearsal {
    /// Partitions to read.
    pub partitions: usize,
    /// Offsets to read again for the versions of orders that are counted already.
    pub to_replay: u64,
    /// Offsets to read for the first time.
    pub to_read: u64,
}

/// Everything that a run checks before it reads its first order, and changes nothing.
///
/// # Errors
/// What the run would end with.
pub fn rehearse(config: &JobConfig, log: &dyn Log, recovered: &Recovered) -> Result<Rehearsal, JobError> {
    log.check_whole(&config.order_topics())?;
    let ranges = log.partitions(&config.topics)?;
    let start = recovery::start(config, log, recovered, &ranges)?;
    let to_read = start.partitions.iter().map(|start| start.range.end - start.committed).sum();
    Ok(Rehearsal { partitions: ranges.len(), to_replay: start.to_replay(), to_read })
}

/// The settings that a store keeps, as this run has them.
pub fn settings(config: &JobConfig, log: &dyn Log) -> JobSettings {
    JobSettings {
        time_zone: config.time_zone.name().to_owned(),
        default_currency: config.default_currency.clone(),
        keep_orders: config.keep_orders,
        views: config.views.clone(),
        topics: config.topics.clone(),
        log: log.identity().to_owned(),
        top: config.top,
        formats: config.formats(),
    }
}

/// Runs a job until it is stopped, has caught up (where that was asked), or fails.
///
/// # Errors
/// [`JobError`], which tells what a restart may cure from what it can not.
pub fn run(config: &JobConfig, stop: &Stop) -> Result<Summary, JobError> {
    let mut summary = Summary::default();
    loop {
        let Ended { epoch, records, commits, is_outgrown } = start(config, stop)?;
        summary.epoch = epoch;
        summary.records += records;
        summary.commits += commits;
        if !is_outgrown || stop.is_stopped() {
            return Ok(summary);
        }
    }
}

/// How one start of a job ended, without a failure.
#[derive(Default)]
struct Ended {
    epoch: u64,
    records: u64,
    commits: u64,
    /// Whether it ended because the log has a new partition.
    is_outgrown: bool,
}

fn start(config: &JobConfig, stop: &Stop) -> Result<Ended, JobError> {
    let Some(log) = patiently(stop, || open_log(config))? else { return Ok(Ended::default()) };
    let settings = settings(config, log.as_ref());
    // Two servers are asked at once: a start is short.
    let (is_whole, acquired) = std::thread::scope(|scope| {
        let checking = scope.spawn(|| patiently(stop, || Ok(log.check_whole(&config.order_topics())?)));
        let acquired = acquire(config, &settings, stop);
        let stopped = || Err(JobError::Dataflow("asking for the topics' settings panicked".to_owned()));
        (checking.join().unwrap_or_else(|_| stopped()), acquired)
    });
    let Some((mut store, recovered)) = acquired? else { return Ok(Ended::default()) };
    if is_whole?.is_none() {
        return Ok(Ended::default());
    }
    // The log may be waited for, and the store is kept meanwhile.
    let asked = patiently(stop, || {
        store.beat()?;
        Ok(log.partitions(&config.topics)?)
    });
    let Some(ranges) = asked? else { return Ok(Ended::default()) };
    let start = recovery::start(config, log.as_ref(), &recovered, &ranges)?;
    tracing::info!(
        epoch = recovered.epoch,
        generation = recovered.generation,
        partitions = ranges.len(),
        to_replay = start.to_replay(),
        "the store is ours; reading {}",
        config.source
    );
    live(config, &log, store, recovered, start, stop)
}

/// The log that a source names.
pub fn open_log(config: &JobConfig) -> Result<Arc<dyn Log>, JobError> {
    if config.source.starts_with("kafka://") {
        return Ok(Arc::new(KafkaLog::connect(&config.source, &config.kafka_options)?));
    }
    Ok(Arc::new(crate::source::files::FileLog::open(std::path::Path::new(&config.source), config.payload_limit)?))
}

/// Tries again with growing pauses while what fails may be cured by waiting; `None` once stopped.
fn patiently<T>(stop: &Stop, mut attempt: impl FnMut() -> Result<T, JobError>) -> Result<Option<T>, JobError> {
    let mut pause = Duration::from_millis(100);
    loop {
        match attempt() {
            Ok(value) => return Ok(Some(value)),
            Err(error) if error.is_transient() => {
                tracing::warn!("waiting: {}", error::chain(&error));
                if stop.wait(pause) {
                    return Ok(None);
                }
                pause = (pause * 2).min(Duration::from_secs(5));
            }
            Err(error) => return Err(error),
        }
    }
}

/// A store that is ours, and what it held.
type Acquired = (Box<dyn Store>, Recovered);

/// Takes the store, waiting for its holder where this is a standby.
fn acquire(config: &JobConfig, settings: &JobSettings, stop: &Stop) -> Result<Option<Acquired>, JobError> {
    let url = StoreUrl::parse(&config.store)?;
    let mut told = String::new();
    // One store for all attempts: it knows for whom it waits.
    let mut store = crate::store::open(&url)?;
    loop {
        let taken = patiently(stop, || match store.acquire(settings) {
            Ok(recovered) => Ok(Ok(recovered)),
            Err(StoreError::Held { holder, .. }) if config.standby => Ok(Err(holder)),
            Err(error) => Err(error.into()),
        })?;
        match taken {
            None => return Ok(None),
            Some(Ok(recovered)) => return Ok(Some((store, recovered))),
            Some(Err(holder)) => {
                if holder != told {
                    tracing::info!("standing by: the store is held by {holder}");
                    told = holder;
                }
                if stop.wait(Duration::from_millis(500)) {
                    return Ok(None);
                }
            }
        }
    }
}

/// Workers, writer and everything between a start and an end.
fn live(
    config: &JobConfig,
    log: &Arc<dyn Log>,
    store: Box<dyn Store>,
    recovered: Recovered,
    start: Start,
    stop: &Stop,
) -> Result<Ended, JobError> {
    let committed = Committed::default();
    committed.set(recovered.epoch);
    let pace = Arc::new(Pace::new(recovered.epoch + 1, stop.clone()));
    let dataflow = graph::Settings {
        views: config.views.clone(),
        fill: recovered.to_fill.clone(),
        keep_orders: config.keep_orders,
        horizon: Horizon {
            window: config.correction_window.map(|window| window.as_millis() as i64),
            complete_from: start.complete_from,
        },
        recovered_epoch: recovered.epoch,
        top: config.top.into(),
        volume_window: config.volume_window,
    };
    let rows = recovered.rows.clone();
    let (to_writer, from_workers) = bounded(1024);
    let (kept_to_worker, kept) = bounded(4096);
    let writer = writer::Writer::new(
        config,
        store,
        recovered,
        start.to_fill.clone(),
        Arc::clone(log),
        committed.clone(),
        Arc::clone(&pace),
    );
    let writing = std::thread::Builder::new()
        .name("writer".to_owned())
        .spawn(move || writer.run(kept_to_worker, &from_workers))
        .map_err(|source| JobError::Thread { what: "the writer", source })?;

    let known: BTreeSet<PartitionId> = start.partitions.iter().map(|start| start.range.partition).collect();
    let worker_config = config.clone();
    let shared = worker::Shared {
        config: worker_config,
        log: Arc::clone(log),
        start: Arc::new(start),
        rows: Arc::new(rows),
        kept,
        pace: Arc::clone(&pace),
        committed,
        dataflow,
        to_writer,
    };
    let workers = timely::execute(timely_config(config.workers), move |worker| worker::run(worker, &shared))
        .map_err(JobError::Dataflow)?;
    std::thread::scope(|scope| {
        let (ended, watched) = bounded::<()>(0);
        if !config.until_caught_up {
            let pace = &pace;
            scope.spawn(move || watch_partitions(config, log.as_ref(), &known, pace, &watched));
        }
        for ended in workers.join() {
            if let Err(message) = ended {
                pace.fail(JobError::Dataflow(message));
            }
        }
        drop(ended);
    });
    // The workers are gone, and with them the channel's senders: the writer ends once it has drained it.
    let Summary { epoch, records, commits } = writing.join().unwrap_or_default();
    match pace.take_failure() {
        Some(failure) => Err(failure),
        None => Ok(Ended { epoch, records, commits, is_outgrown: pace.is_outgrown() }),
    }
}

/// How often the log is asked for new partitions.
const LOOK_FOR_PARTITIONS: Duration = Duration::from_secs(10);

/// Ends this start of the job once the log has a partition that nobody reads; the next start shares it out.
fn watch_partitions(
    config: &JobConfig,
    log: &dyn Log,
    known: &BTreeSet<PartitionId>,
    pace: &Pace,
    ended: &Receiver<()>,
) {
    while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(LOOK_FOR_PARTITIONS) {
        // An outage is the readers' to tell.
        let Ok(ranges) = log.partitions(&config.topics) else { continue };
        if let Some(new) = ranges.iter().map(|range| range.partition).find(|partition| !known.contains(partition)) {
            let topic = &config.topics[new.topic as usize];
            tracing::info!("{topic} has a new partition, {}; starting again to read it", new.partition);
            pace.outgrow();
            return;
        }
    }
}

fn timely_config(workers: usize) -> timely::Config {
    let worker = timely::WorkerConfig::default().idle_spin(Duration::ZERO);
    let communication =
        if workers <= 1 { timely::CommunicationConfig::Thread } else { timely::CommunicationConfig::Process(workers) };
    timely::Config { communication, worker }
}
