//! The job: reads the log, feeds the dataflow, commits its changes, recovers.
//!
//! One process has worker threads, each with partitions of its own, and one writer thread with the
//! store's only connection. They share [`pace::Pace`], which says which epoch is open, and nothing else.
//! Several processes make one job by [`cluster`]; then process 0 alone has a writer.

mod calm;
mod cluster;
mod cut_off;
mod error;
mod feed;
mod inconsistent;
pub mod memory;
mod pace;
mod partition_start;
mod patience;
mod prover;
mod recovery;
mod roll_ups;
mod unread;
mod worker;
mod writer;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use takings_dataflows::graph::{self, Committed};
use takings_dataflows::order::PartitionId;
use takings_dataflows::upsert::Horizon;

pub use self::cluster::ClusterError;
use self::cluster::{Cluster, Meeting};
pub(crate) use self::cut_off::first_of_another;
pub use self::error::JobError;
pub(crate) use self::error::chain;
use self::pace::Pace;
use self::partition_start::PartitionStart;
use self::recovery::Plan;
use crate::config::JobConfig;
use crate::formats::Kind;
use crate::source::files::FileLog;
use crate::source::kafka::KafkaLog;
use crate::source::place::Place;
use crate::source::{Log, SourceError};
use crate::store::{BEAT, JobSettings, Over, Recovered, Store, StoreError, StoreUrl};

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
    /// Whether it ended before the last epoch was committed.
    pub is_cut_short: bool,
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
    let topic_ids = log.topic_ids(&config.topics)?;
    let ranges = log.partitions(&config.topics)?;
    let recovered = inconsistent::overlay(recovered.clone())?;
    let start = recovery::start(config, log, &recovered, &ranges, topic_ids)?;
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
        payload_limit: config.payload_limit as u64,
        volume_window: config.volume_window,
        correction_window: config.correction_window,
    }
}

/// Runs a job until it is stopped, has caught up (where that was asked), or fails.
///
/// # Errors
/// [`JobError`], which tells what a restart may cure from what it can not.
pub fn run(config: &JobConfig, stop: &Stop) -> Result<Summary, JobError> {
    run_with(config, stop, &crate::store::open)
}

/// How a store is opened by its address.
pub type OpenStore<'a> = &'a dyn Fn(&StoreUrl) -> Result<Box<dyn Store>, StoreError>;

/// The same on a store that is opened another way: tests hand in one that fails.
///
/// # Errors
/// As [`run`].
pub fn run_with(config: &JobConfig, stop: &Stop, open: OpenStore<'_>) -> Result<Summary, JobError> {
    let mut summary = Summary::default();
    let meeting = match &config.hosts {
        Some(hosts) if hosts.processes() > 1 => match patiently(stop, || Ok(Meeting::open(hosts)?))? {
            None => return Ok(summary),
            meeting => meeting,
        },
        _ => None,
    };
    loop {
        let Ended { epoch, records, commits, is_outgrown, is_cut_short } = match &meeting {
            None => lead(config, None, stop, open)?,
            Some(meeting) => together(config, meeting, stop, open)?,
        };
        summary.epoch = epoch;
        summary.records += records;
        summary.commits += commits;
        summary.is_cut_short = is_cut_short;
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
    /// Whether it ended before the last epoch was committed.
    is_cut_short: bool,
}

/// One start of a job of several processes. However it ends, the others are told.
fn together(config: &JobConfig, meeting: &Meeting, stop: &Stop, open: OpenStore<'_>) -> Result<Ended, JobError> {
    let Some(cluster) = Cluster::gather(meeting, config, stop)? else { return Ok(Ended::default()) };
    let ended = if cluster.leads() {
        let ended = lead(config, Some(&cluster), stop, open);
        ended.and_then(|ended| Ok(cluster.check_before_the_start().map(|()| ended)?))
    } else {
        follow(config, &cluster, stop)
    };
    match &ended {
        Ok(ended) if cluster.leads() => cluster.tell_finished(ended.is_outgrown && !stop.is_stopped()),
        Ok(_) => {}
        Err(error) => cluster.tell_failed(error),
    }
    cluster.close();
    ended
}

/// The start of process 0, or of a job's only one: it takes the store, and says where all begin.
fn lead(
    config: &JobConfig,
    cluster: Option<&Arc<Cluster>>,
    stop: &Stop,
    open: OpenStore<'_>,
) -> Result<Ended, JobError> {
    let Some(log) = patiently(stop, || open_log(config))? else { return Ok(Ended::default()) };
    let settings = settings(config, log.as_ref());
    let begun = std::thread::scope(|scope| {
        // Two servers are asked at once: a start is short.
        let checking = scope.spawn(|| patiently(stop, || Ok(log.check_whole(&config.order_topics())?)));
        let Some((mut store, recovered)) = acquire(config, &settings, stop, open)? else { return Ok(None) };
        let recovered = inconsistent::overlay(recovered)?;
        let start = kept_meanwhile(store.as_mut(), |is_kept| {
            let panicked = |_| Err(JobError::Dataflow("asking for the topics' settings panicked".to_owned()));
            if checking.join().unwrap_or_else(panicked)?.is_none() {
                return Ok(None);
            }
            // Ids first: whatever is read after belongs to these topics, or is not handed over.
            patiently(stop, || {
                is_kept()?;
                let topic_ids = log.topic_ids(&config.topics)?;
                let ranges = log.partitions(&config.topics)?;
                recovery::start(config, log.as_ref(), &recovered, &ranges, topic_ids)
            })
        })?;
        Ok::<_, JobError>(start.map(|start| (store, recovered, start)))
    })?;
    let Some((mut store, recovered, start)) = begun else { return Ok(Ended::default()) };
    tracing::info!(
        epoch = recovered.epoch,
        generation = recovered.generation,
        partitions = start.partitions.len(),
        to_replay = start.to_replay(),
        "the store is ours; reading {}",
        config.source
    );
    let plan = Plan { epoch: recovered.epoch, log: log.identity().to_owned(), fill: recovered.to_fill.clone(), start };
    let pace = Arc::new(Pace::new(plan.epoch + 1, stop.clone(), cluster.cloned()));
    // From here on a stop waits a while for the last commit.
    let ending = Arc::clone(&pace);
    store.give_up_once(Over::once(move || ending.is_leaving_for_good()));
    if let Some(cluster) = cluster {
        cluster.attach(&pace)?;
        cluster.tell_plan(&plan);
    }
    live(config, &log, plan, Some((store, recovered)), &pace, cluster)
}

/// The start of any other process: it is told where to begin, and needs no store.
fn follow(config: &JobConfig, cluster: &Arc<Cluster>, stop: &Stop) -> Result<Ended, JobError> {
    let stopped = || Ok(cluster.stop_before_the_start().map(|()| Ended::default())?);
    let Some(log) = patiently(stop, || open_log(config))? else { return stopped() };
    let Some(plan) = cluster.plan()? else { return Ok(Ended::default()) };
    if log.identity() != plan.log {
        return Err(ClusterError::OtherLog { ours: log.identity().to_owned(), theirs: plan.log }.into());
    }
    // A reader goes by the ids that its own process asked for: without them it would read on in a topic that was created
    // anew.
    let Some(topic_ids) = patiently(stop, || Ok(log.topic_ids(&config.topics)?))? else { return stopped() };
    check_same_topics(config, &plan.start.topic_ids, &topic_ids)?;
    let pace = Arc::new(Pace::new(plan.epoch + 1, stop.clone(), Some(Arc::clone(cluster))));
    cluster.attach(&pace)?;
    tracing::info!(epoch = plan.epoch, "process 0 leads; reading {}", config.source);
    live(config, &log, plan, None, &pace, Some(cluster))
}

/// That the topics are those whose offsets process 0 checked, where a log has ids of them.
fn check_same_topics(
    config: &JobConfig,
    checked: &[Option<String>],
    here: &[Option<String>],
) -> Result<(), SourceError> {
    for (topic, ids) in config.topics.iter().zip(checked.iter().zip(here)) {
        if let (Some(was), Some(is)) = ids
            && was != is
        {
            return Err(SourceError::LogChanged {
                topic: topic.clone(),
                partition: 0,
                what: format!(
                    "the topic was deleted and created anew while the job started: its id was {was}, and is {is}; nothing of \
                     the new one was read"
                ),
                hint: "start again: the start checks the log against the store, and says how to go on".to_owned(),
            });
        }
    }
    Ok(())
}

/// The log that a source names.
pub fn open_log(config: &JobConfig) -> Result<Arc<dyn Log>, JobError> {
    Ok(match &config.place {
        Place::Kafka(brokers) => Arc::new(KafkaLog::connect(brokers, &config.kafka_options)?),
        Place::Folder(folder) => Arc::new(FileLog::open(folder, config.payload_limit)?),
    })
}

/// Does what may take long, such as waiting for the log, on a thread of its own, and keeps the store meanwhile: a session
/// that says nothing would lose it to a standby, which may be as slow. The work asks now and then whether it is kept.
fn kept_meanwhile<T: Send>(
    store: &mut dyn Store,
    work: impl FnOnce(&dyn Fn() -> Result<(), JobError>) -> Result<T, JobError> + Send,
) -> Result<T, JobError> {
    let (failed, failure) = bounded(1);
    let (working, is_working) = bounded::<()>(0);
    std::thread::scope(|scope| {
        let work = scope.spawn(move || {
            let _working = working;
            work(&|| failure.try_recv().map_or(Ok(()), Err))
        });
        while is_working.recv_timeout(BEAT) == Err(RecvTimeoutError::Timeout) {
            if let Err(error) = store.beat() {
                // One is told at a time.
                let _ = failed.try_send(JobError::from(error));
            }
        }
        work.join().unwrap_or_else(|_| Err(JobError::Dataflow("preparing the start panicked".to_owned())))
    })
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
fn acquire(
    config: &JobConfig,
    settings: &JobSettings,
    stop: &Stop,
    open: OpenStore<'_>,
) -> Result<Option<Acquired>, JobError> {
    let url = StoreUrl::parse(&config.store)?;
    let mut told = String::new();
    // One store for all attempts: it knows for whom it waits.
    let mut store = open(&url)?;
    let asked = stop.clone();
    store.give_up_once(Over::once(move || asked.is_stopped()));
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

/// Workers, writer and everything between a start and an end. Where another process leads there is no store,
/// and so no writer.
fn live(
    config: &JobConfig,
    log: &Arc<dyn Log>,
    plan: Plan,
    acquired: Option<Acquired>,
    pace: &Arc<Pace>,
    cluster: Option<&Arc<Cluster>>,
) -> Result<Ended, JobError> {
    let Plan { epoch: recovered_epoch, fill, start, .. } = plan;
    let committed = Committed::default();
    committed.set(recovered_epoch);
    let log_time = start.partitions.iter().map(|start| start.log_time).max().unwrap_or(0);
    let is_replayed = |start: &&PartitionStart| start.kind == Kind::Order && !start.to_replay().is_empty();
    let to_replay = start.partitions.iter().filter(is_replayed).map(|start| start.range.partition).collect();
    let dataflow = graph::Settings {
        views: config.views.clone(),
        fill,
        keep_orders: config.keep_orders,
        horizon: Horizon {
            window: config.correction_window.map(|window| window.as_millis() as i64),
            complete_from: start.complete_from,
        },
        recovered_epoch,
        top: config.top.into(),
        volume_window: config.volume_window,
        log_time,
        to_replay,
        held: config.held.clone(),
    };
    let (to_writer, from_workers) = bounded(1024);
    let (kept_to_workers, kept) = bounded(writer::KEPT_AHEAD);
    let mut rows = Vec::new();
    let writing = match acquired {
        // Nothing of it comes to the workers here.
        None => {
            drop(kept_to_workers);
            None
        }
        Some((store, mut recovered)) => {
            rows = std::mem::take(&mut recovered.rows);
            let writer = writer::Writer::new(
                config,
                store,
                recovered,
                &start,
                Arc::clone(log),
                committed.clone(),
                Arc::clone(pace),
            );
            let writing = std::thread::Builder::new()
                .name("writer".to_owned())
                .spawn(move || writer.run(kept_to_workers, &from_workers))
                .map_err(|source| JobError::Thread { what: "the writer", source })?;
            Some(writing)
        }
    };

    let to_prove = to_writer.clone();
    let known: BTreeSet<PartitionId> = start.partitions.iter().map(|start| start.range.partition).collect();
    let shared = worker::Shared {
        config: config.clone(),
        log: Arc::clone(log),
        start: Arc::new(start),
        rows: Arc::new(rows),
        kept,
        pace: Arc::clone(pace),
        committed,
        dataflow,
        to_writer,
    };
    let builders = match cluster {
        Some(cluster) => cluster.communication(config.workers)?,
        None => communication(config.workers).try_build().map_err(JobError::Dataflow)?.0,
    };
    let worker_config = timely::WorkerConfig::default().idle_spin(Duration::ZERO);
    let workers = timely::execute::execute_from(builders, Box::new(()), worker_config, move |worker| {
        worker::run(worker, &shared);
    })
    .map_err(JobError::Dataflow)?;
    std::thread::scope(|scope| {
        let (ended, watched) = bounded::<()>(0);
        let memory_ended = watched.clone();
        if let Some(limit) = memory::Limit::in_force(config.memory_limit) {
            scope.spawn(move || memory::watch(limit, &config.held, pace, &memory_ended));
        }
        if writing.is_some() && !config.until_caught_up {
            let audit_ended = watched.clone();
            scope.spawn(move || watch_partitions(config, log.as_ref(), &known, pace, &watched));
            if !config.no_audit {
                scope.spawn(move || prover::run(config, pace, &to_prove, &audit_ended));
            }
        }
        for ended in workers.join() {
            if let Err(message) = ended {
                pace.fail(JobError::Dataflow(message));
            }
        }
        drop(ended);
    });
    // The workers are gone, and with them the channel's senders: the writer ends once it has drained it.
    let summary = writing.and_then(|writing| writing.join().ok()).unwrap_or_default();
    let Summary { epoch, records, commits, .. } = summary;
    match pace.take_failure() {
        Some(failure) => Err(failure),
        None => {
            Ok(Ended { epoch, records, commits, is_outgrown: pace.is_outgrown(), is_cut_short: pace.is_cut_short() })
        }
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

/// How the workers of one process reach each other.
fn communication(workers: usize) -> timely::CommunicationConfig {
    if workers <= 1 { timely::CommunicationConfig::Thread } else { timely::CommunicationConfig::Process(workers) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retention_in_the_middle_of_a_look_is_looked_at_again() {
        let gone =
            SourceError::OffsetGone { topic: "sold".to_owned(), partition: 0, what: "offset 1 is gone".to_owned() };
        let mut looks = [Err(JobError::from(gone)), Ok(2)].into_iter();
        let seen = patiently(&Stop::default(), || looks.next().expect("no third look"));
        assert_eq!(seen.expect("seen"), Some(2));
    }

    /// The store is asked while a start takes its time, and whoever was replaced meanwhile hears of it.
    #[test]
    fn a_slow_start_keeps_the_store() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("takings.db");
        let mut store = crate::store::open(&StoreUrl::Sqlite(file.clone())).expect("a store");
        store.acquire(&JobSettings::default()).expect("ours");
        let other = rusqlite::Connection::open(file).expect("the same");
        let begun = std::time::Instant::now();
        let ended = kept_meanwhile(store.as_mut(), move |is_kept| {
            assert_eq!(other.execute("UPDATE job SET generation = generation + 1", []), Ok(1));
            while begun.elapsed() < BEAT * 12 {
                is_kept()?;
                std::thread::park_timeout(Duration::from_millis(10));
            }
            Ok(())
        });
        assert!(matches!(ended, Err(JobError::Store(StoreError::Fenced { .. }))), "{ended:?}");
    }
}
