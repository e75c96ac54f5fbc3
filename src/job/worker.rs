//! A worker thread: load what was, then read, feed and step until it is over.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
// Asked for every record: its hash is a tenth of the standard library's.
use hashbrown::HashMap;
use takings_dataflows::changes::{EpochChanges, Output, Progress};
use takings_dataflows::event::Event;
use takings_dataflows::graph::{self, Committed, Graph};
use takings_dataflows::order::PartitionId;
use takings_dataflows::row::RowValue;
use takings_dataflows::view::ViewKey;
use timely::worker::Worker;

use super::JobError;
use super::feed::Feed;
use super::pace::Pace;
use super::partition_start::PartitionStart;
use super::recovery::Start;
use super::unread::Unread;
use super::writer::ToWriter;
use crate::config::JobConfig;
use crate::source::{Log, Polled, Source, SourceError, StartAt, Waker};

/// Records taken in one go before the dataflow has a turn: few enough to stay in the cache.
const BATCH: usize = 1024;

/// The longest sleep. Whatever happens wakes a worker at once; this only bounds how late it notices a
/// signal, and lets the client deliver its log lines.
const SLEEP_AT_MOST: Duration = Duration::from_millis(100);

/// How long a worker waits for more of what is kept before it looks what others sent it.
const KEPT_COMES_WITHIN: Duration = Duration::from_millis(1);

/// How long a stop waits for the last commit. What is not committed is read again by the next run.
const FAREWELL: Duration = Duration::from_secs(10);

/// What every worker is given.
pub(super) struct Shared {
    pub(super) config: JobConfig,
    pub(super) log: Arc<dyn Log>,
    pub(super) start: Arc<Start>,
    pub(super) rows: Arc<Vec<(ViewKey, RowValue)>>,
    pub(super) kept: Receiver<Vec<Event>>,
    pub(super) pace: Arc<Pace>,
    pub(super) committed: Committed,
    pub(super) dataflow: graph::Settings,
    pub(super) to_writer: Sender<ToWriter>,
}

/// One worker, from its start to its end. Failures end the whole job.
pub(super) fn run(worker: &mut Worker, shared: &Shared) {
    let pace = &shared.pace;
    pace.join();
    let sender = shared.to_writer.clone();
    let mut graph = graph::build(worker, &shared.dataflow, &shared.committed, move |changes: EpochChanges| {
        // The writer gone means that the job has failed already, and says why itself.
        let _ = sender.send(ToWriter::Epoch(Box::new(changes)));
    });
    if worker.index() == 0 {
        let _ = shared.to_writer.send(ToWriter::Sink(graph.sink.clone()));
    }
    let mine = shared.start.share(worker.index(), worker.peers(), shared.config.workers);
    let feed = Feed::new(&shared.config, &shared.start);
    let mut reading = Reading { worker, graph: &mut graph, shared, mine, feed };
    let outcome = reading.load().and_then(|()| reading.live());
    match outcome {
        Err(error) => pace.fail(error),
        // Whatever made it leave, the others must not wait for it: a stop that comes while the job starts finds
        // some of them in front of their first look at it, and some behind.
        Ok(()) if worker.index() == 0 => pace.finish(),
        Ok(()) => {}
    }
    // Not all epochs are complete when it is over: without this the worker would wait for them.
    for dataflow in worker.installed_dataflows() {
        worker.drop_dataflow(dataflow);
    }
}

/// A piece of a partition that is read again.
struct Stretch<'a> {
    start: &'a PartitionStart,
    first: u64,
    until: u64,
    /// Whether it is the partition's last.
    is_last: bool,
}

struct Reading<'a> {
    worker: &'a mut Worker,
    graph: &'a mut Graph,
    shared: &'a Shared,
    /// The partitions that this worker reads.
    mine: Vec<&'a PartitionStart>,
    feed: Feed,
}

impl Reading<'_> {
    /// Wakes this thread; given to whatever may have news for it.
    fn waker() -> Waker {
        let thread = std::thread::current();
        Arc::new(move || thread.unpark())
    }

    /// Feeds base totals and the versions already counted in them, at the recovered epoch, and waits
    /// until all workers have.
    fn load(&mut self) -> Result<(), JobError> {
        let epoch = self.shared.dataflow.recovered_epoch;
        self.graph.inputs.advance_to(epoch);
        if self.worker.index() == 0 {
            self.shared.rows.iter().for_each(|row| self.graph.inputs.base.send(*row));
        }
        self.load_kept();
        self.replay()?;
        self.feed.announce(&mut self.graph.inputs, self.mine.iter().map(|start| start.range.partition));
        self.graph.inputs.advance_to(epoch + 1);
        while self.graph.probe.less_than(&(epoch + 1)) && !self.is_leaving() {
            self.worker.step_or_park(Some(SLEEP_AT_MOST));
        }
        // Where it was told to resume is committed at once: the next run needs no telling. And what was filled, which waits
        // in the next epoch, would wait for a record to close it; that it is nothing, where the log holds nothing for a
        // view, is to be committed as well: by any partition, which is where it was.
        let has_filled = self.worker.index() == 0 && epoch > 0 && !self.shared.dataflow.fill.is_empty();
        let any = self.shared.start.partitions.first().filter(|_| has_filled);
        let resumed = self.mine.iter().copied().filter(|start| start.is_resumed);
        for start in resumed.chain(any) {
            let progress = Progress { offset: start.committed, ..Progress::default() };
            self.graph.inputs.reports.send(Output::Progress(start.range.partition, progress));
            self.shared.pace.feed(1);
        }
        Ok(())
    }

    /// Feeds what the store keeps beside the views. Each worker of the leading process takes what comes next, and sends
    /// it to where it belongs; to those of other processes nothing comes.
    fn load_kept(&mut self) {
        while !self.is_leaving() {
            match self.shared.kept.recv_timeout(KEPT_COMES_WITHIN) {
                Ok(events) => events.into_iter().for_each(|event| self.graph.inputs.send(event)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            // What other workers sent here would wait in memory otherwise.
            self.worker.step();
        }
    }

    fn is_leaving(&self) -> bool {
        self.shared.pace.may_leave()
    }

    /// Reads what is committed already, from the horizon on.
    fn replay(&mut self) -> Result<(), JobError> {
        let mut mine: Vec<_> = self.mine.iter().map(|start| (*start, start.to_replay().into_iter())).collect();
        let (began, mut records) = (Instant::now(), 0);
        // One stretch of each at a time: what was passed over may be what can not be read.
        loop {
            let next = mine.iter_mut().filter_map(|(start, stretches)| {
                let (first, until) = stretches.next()?;
                Some(Stretch { start, first, until, is_last: stretches.len() == 0 })
            });
            let stretches: Vec<_> = next.collect();
            if stretches.is_empty() || self.is_leaving() {
                break;
            }
            records += self.replay_stretches(&stretches)?;
        }
        if records > 0 {
            tracing::info!(records, seconds = began.elapsed().as_secs_f64(), "replayed what is committed");
        }
        Ok(())
    }

    /// Reads one stretch each of some partitions; how many records that were.
    fn replay_stretches(&mut self, stretches: &[Stretch<'_>]) -> Result<u64, JobError> {
        let Shared { config, log, .. } = self.shared;
        let from: Vec<_> = stretches
            .iter()
            .map(|stretch| StartAt {
                partition: stretch.start.range.partition,
                offset: stretch.first,
                until: Some(stretch.until),
            })
            .collect();
        let mut left: HashMap<PartitionId, (u64, i64)> = stretches
            .iter()
            .map(|Stretch { start, until, .. }| (start.range.partition, (*until, start.newest_timestamp)))
            .collect();
        let mut source = log.open(&config.topics, &from, Self::waker())?;
        let mut records = 0u64;
        while !left.is_empty() && !self.is_leaving() {
            let mut rewritten = None;
            let (feed, inputs) = (&mut self.feed, &mut self.graph.inputs);
            let handed = source.poll(BATCH, &mut |polled| match polled {
                Polled::Record(record) => {
                    let Some(&(committed, newest)) = left.get(&record.partition) else { return };
                    if record.offset >= committed {
                        left.remove(&record.partition);
                        return;
                    }
                    if record.timestamp > newest {
                        rewritten.get_or_insert((record.partition, record.offset));
                    }
                    feed.replay(inputs, &record);
                    records += 1;
                    if record.next_offset >= committed {
                        left.remove(&record.partition);
                    }
                }
                Polled::End { partition, offset } => {
                    if left.get(&partition).is_some_and(|&(committed, _)| offset >= committed) {
                        left.remove(&partition);
                    }
                }
            });
            let handed = handed.map_err(SourceError::of_what_was_counted)?;
            if let Some((partition, offset)) = rewritten {
                return Err(super::recovery::rewritten(config, partition, offset).into());
            }
            if handed == 0 {
                self.worker.step_or_park(Some(SLEEP_AT_MOST));
            } else {
                let stands = stretches.iter().map(|stretch| {
                    let partition = stretch.start.range.partition;
                    (partition, stretch.is_last && !left.contains_key(&partition))
                });
                self.feed.announce_replay(&mut self.graph.inputs, stands);
                self.worker.step();
            }
        }
        Ok(records)
    }

    /// Reads, feeds and steps until it is over.
    fn live(&mut self) -> Result<(), JobError> {
        if self.is_leaving() {
            return Ok(());
        }
        let Shared { config, log, pace, .. } = self.shared;
        let leads = self.worker.index() == 0;
        let mine: Vec<_> = self.mine.iter().map(|start| start.at()).collect();
        let mut unread = Unread::of(self.mine.iter().copied());
        let mut source =
            if mine.is_empty() { None } else { Some(log.open_after(&config.topics, &mine, Self::waker())?) };
        let mut is_reading = true;
        pace.calm.go_live();
        let mut lead = Lead::new(pace.open());

        loop {
            if pace.is_over() {
                return Ok(());
            }
            self.follow(pace.open());
            if config.until_caught_up && unread.asks() {
                // An outage is the reader's to tell.
                log.partitions(&config.topics).iter().for_each(|ranges| unread.shorten(ranges));
            }
            if is_reading && config.until_caught_up && unread.is_empty() {
                is_reading = false;
                for waiting in source.iter().flat_map(|source| source.waiting()) {
                    tracing::warn!("caught up without what may not be read yet: {waiting}");
                }
                pace.catch_up();
            }
            let mut handed = 0;
            if let Some(source) = &mut source
                && is_reading
                && !pace.is_stopping()
                && pace.fed() < pace.records_at_most()
            {
                handed = self.read(source.as_mut(), &mut unread)?;
            }
            if self.feed.has_waited() {
                pace.feed(1);
            }
            let mut sleep = SLEEP_AT_MOST;
            if leads {
                match lead.next(pace, self.worker.peers(), |epoch| !self.graph.probe.less_than(&epoch)) {
                    Next::Wait(duration) => sleep = duration.min(SLEEP_AT_MOST),
                    Next::Closed => continue,
                    Next::Finished => return Ok(()),
                }
            }
            if handed == 0 {
                self.worker.step_or_park(Some(sleep));
            } else {
                self.worker.step();
            }
        }
    }

    fn follow(&mut self, open: u64) {
        if self.graph.inputs.epoch() < open {
            self.feed.report(&mut self.graph.inputs);
            self.graph.inputs.advance_to(open);
        }
    }

    fn read(&mut self, source: &mut dyn Source, unread: &mut Unread) -> Result<usize, JobError> {
        let (feed, inputs) = (&mut self.feed, &mut self.graph.inputs);
        let mut outcome = Ok(());
        let mut records = 0;
        let handed = source.poll(BATCH, &mut |polled| match polled {
            Polled::Record(record) => {
                if outcome.is_ok() {
                    match feed.live(inputs, &record) {
                        Ok(weight) => records += weight,
                        Err(error) => outcome = Err(error),
                    }
                }
                unread.reach(record.partition, record.next_offset, false);
            }
            Polled::End { partition, offset } => {
                feed.end(partition, offset);
                unread.reach(partition, offset, true);
            }
        })?;
        outcome?;
        self.shared.pace.feed(records);
        Ok(handed)
    }
}

/// What worker 0 decides: when an epoch closes, and when all is done.
struct Lead {
    open: u64,
    opened: Instant,
    /// Set once the last epoch is closed: from then on this process feeds nothing.
    ending_since: Option<Instant>,
}

enum Next {
    /// Nothing to do before so much time, unless woken.
    Wait(Duration),
    /// An epoch was closed: follow.
    Closed,
    /// All is committed, or it took too long.
    Finished,
}

impl Lead {
    fn new(open: u64) -> Self {
        Lead { open, opened: Instant::now(), ending_since: None }
    }

    fn next(&mut self, pace: &Pace, workers: usize, is_committed_before: impl Fn(u64) -> bool) -> Next {
        let is_free = is_committed_before(self.open);
        if let Some(since) = self.ending_since {
            // A stop does not wait for a store that is away; who waits for everything to be committed does.
            if is_free || (pace.is_stopping() && since.elapsed() > FAREWELL) {
                if !is_free {
                    pace.cut_short();
                }
                pace.finish();
                return Next::Finished;
            }
            return Next::Wait(FAREWELL);
        }
        let is_ending = pace.is_stopping() || pace.caught_up() == workers;
        if is_ending {
            self.ending_since = Some(Instant::now());
        } else if pace.fed() == 0 || !is_free {
            return Next::Wait(SLEEP_AT_MOST);
        } else {
            let remaining = pace.remaining(self.opened);
            if remaining > Duration::ZERO {
                return Next::Wait(remaining);
            }
        }
        pace.close();
        self.open += 1;
        self.opened = Instant::now();
        Next::Closed
    }
}
