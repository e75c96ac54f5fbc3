//! Which epoch is open: the one thing that the workers of a process share.
//!
//! Worker 0 of process 0 leads. It closes an epoch when the one before is committed and enough time has
//! passed; the others follow, those of other processes when its word arrives. Group commit comes of itself: an
//! epoch that is large stays open three times as long as the last transaction took, so that under load three
//! quarters of the time go to reading. Measured in a prototype over two million orders: fixed caps of 10,000
//! records took 7.1 s, 200,000 3.0 s, this rule 2.2 s.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::Thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::calm::Calm;
use super::cluster::Cluster;
use super::{JobError, Stop};

/// An epoch stays open at least so long, within these bounds twice the last transaction: latency is
/// bought with transactions. An order that comes after a pause finds its epoch open for long, and does
/// not wait.
const OPEN_AT_LEAST: Duration = Duration::from_millis(2);
const OPEN_WHEN_SMALL: Duration = Duration::from_millis(10);

/// From so many records on an epoch counts as catching up.
pub(super) const LARGE: u64 = 10_000;

/// An epoch takes no more than so many records: bounds what a transaction holds in memory.
const RECORDS_AT_MOST: u64 = 1_000_000;
/// The same where memory is tight.
const RECORDS_WHEN_TIGHT: u64 = 50_000;

/// However slow the store is, an epoch that nobody waits for is not held back longer.
const HELD_BACK_AT_MOST: Duration = Duration::from_secs(5);

/// Shared by the workers and the writer of a process.
pub(super) struct Pace {
    /// The epoch that is open. Written by worker 0, or as process 0 says.
    open: AtomicU64,
    /// Records fed to the open epoch so far, by all workers; may include a few of the one before.
    fed: AtomicU64,
    /// How long the last transaction took, in microseconds. Written by the writer.
    last_commit: AtomicU64,
    /// Workers that have read all that was present at the start.
    caught_up: AtomicUsize,
    /// Set by worker 0 when all is committed: everybody ends.
    is_finished: AtomicBool,
    /// Set where the log has a partition that nobody reads: the job starts anew to share it out.
    is_outgrown: AtomicBool,
    /// Set while little memory is left: epochs are kept small.
    is_tight: AtomicBool,
    /// Why reading ends, where memory is about to: said once all that was read is committed.
    exhausted: Mutex<Option<JobError>>,
    is_exhausted: AtomicBool,
    /// Set where it ended before the last epoch was committed.
    is_cut_short: AtomicBool,
    threads: Mutex<Vec<Thread>>,
    failure: Mutex<Option<JobError>>,
    has_failed: AtomicBool,
    stop: Stop,
    /// The other processes, where there are any.
    cluster: Option<Arc<Cluster>>,
    /// Whether there is time for other things.
    pub(super) calm: Calm,
}

impl Pace {
    pub(super) fn new(open: u64, stop: Stop, cluster: Option<Arc<Cluster>>) -> Self {
        Pace {
            open: AtomicU64::new(open),
            fed: AtomicU64::new(0),
            last_commit: AtomicU64::new(0),
            caught_up: AtomicUsize::new(0),
            is_finished: AtomicBool::new(false),
            is_outgrown: AtomicBool::new(false),
            is_tight: AtomicBool::new(false),
            exhausted: Mutex::default(),
            is_exhausted: AtomicBool::new(false),
            is_cut_short: AtomicBool::new(false),
            threads: Mutex::default(),
            failure: Mutex::default(),
            has_failed: AtomicBool::new(false),
            stop,
            cluster,
            calm: Calm::default(),
        }
    }

    /// The calling thread is one to wake when an epoch closes.
    pub(super) fn join(&self) {
        self.threads.lock().push(std::thread::current());
    }

    pub(super) fn wake_all(&self) {
        self.threads.lock().iter().for_each(Thread::unpark);
    }

    /// The open epoch.
    pub(super) fn open(&self) -> u64 {
        self.open.load(Ordering::Acquire)
    }

    /// Notes that records were fed to the open epoch.
    pub(super) fn feed(&self, records: u64) {
        if records == 0 {
            return;
        }
        self.fed_elsewhere(records);
        if let Some(cluster) = self.leader() {
            cluster.tell_fed(records);
        }
    }

    /// Notes that another process fed records. What is said of an epoch that has closed meanwhile counts for
    /// the next one, which may then hold nothing: that is no transaction.
    pub(super) fn fed_elsewhere(&self, records: u64) {
        if self.fed.fetch_add(records, Ordering::AcqRel) == 0 {
            self.wake_all();
        }
    }

    /// Where another process leads: the way to it.
    fn leader(&self) -> Option<&Cluster> {
        self.cluster.as_deref().filter(|cluster| !cluster.leads())
    }

    /// The way to those that this process leads.
    fn followers(&self) -> Option<&Cluster> {
        self.cluster.as_deref().filter(|cluster| cluster.leads())
    }

    /// Records fed to the open epoch.
    pub(super) fn fed(&self) -> u64 {
        self.fed.load(Ordering::Acquire)
    }

    /// How long the open epoch must still stay open, given when it was opened; zero: it may close.
    pub(super) fn remaining(&self, opened: Instant) -> Duration {
        let commit = Duration::from_micros(self.last_commit.load(Ordering::Relaxed));
        let fed = self.fed();
        let at_least = if fed >= self.records_at_most() {
            Duration::ZERO
        } else if fed >= LARGE {
            (commit * 3).clamp(OPEN_AT_LEAST, HELD_BACK_AT_MOST)
        } else {
            (commit * 2).clamp(OPEN_AT_LEAST, OPEN_WHEN_SMALL)
        };
        at_least.saturating_sub(opened.elapsed())
    }

    /// How many records an epoch takes at most.
    pub(super) fn records_at_most(&self) -> u64 {
        if self.is_tight.load(Ordering::Relaxed) { RECORDS_WHEN_TIGHT } else { RECORDS_AT_MOST }
    }

    /// Whether little memory is left.
    pub(super) fn tighten(&self, is_tight: bool) {
        self.is_tight.store(is_tight, Ordering::Relaxed);
    }

    /// Ends reading, as a stop does; the job then ends with this, in every process.
    pub(super) fn exhaust(&self, why: JobError) {
        if let Some(cluster) = &self.cluster {
            cluster.tell_exhausted(cluster.process(), &super::chain(&why));
        }
        self.exhausted_elsewhere(why);
    }

    /// The same because of another process.
    pub(super) fn exhausted_elsewhere(&self, why: JobError) {
        self.exhausted.lock().get_or_insert(why);
        self.is_exhausted.store(true, Ordering::Release);
        self.wake_all();
    }

    /// Opens the next epoch, and wakes everybody to follow.
    pub(super) fn close(&self) {
        // First the count, then the epoch: what is fed to the new epoch is counted in it.
        self.fed.store(0, Ordering::Release);
        let open = self.open.fetch_add(1, Ordering::AcqRel) + 1;
        self.wake_all();
        if let Some(cluster) = self.followers() {
            cluster.tell_opened(open);
        }
    }

    /// Opens an epoch as process 0 says.
    pub(super) fn follow(&self, open: u64) {
        debug_assert!(open > self.open(), "epochs only grow");
        self.fed.store(0, Ordering::Release);
        self.open.store(open, Ordering::Release);
        self.wake_all();
    }

    pub(super) fn committed_in(&self, duration: Duration) {
        self.last_commit.store(duration.as_micros() as u64, Ordering::Relaxed);
    }

    /// A worker of this process has read all that was there at the start.
    pub(super) fn catch_up(&self) {
        self.caught_up_elsewhere();
        if let Some(cluster) = self.leader() {
            cluster.tell_caught_up();
        }
    }

    /// A worker of another process has.
    pub(super) fn caught_up_elsewhere(&self) {
        self.caught_up.fetch_add(1, Ordering::AcqRel);
        self.wake_all();
    }

    pub(super) fn caught_up(&self) -> usize {
        self.caught_up.load(Ordering::Acquire)
    }

    /// Whether reading should end: a stop was asked for, or another start is needed.
    pub(super) fn is_stopping(&self) -> bool {
        self.stop.is_stopped() || self.is_outgrown() || self.is_exhausted.load(Ordering::Acquire)
    }

    pub(super) fn outgrow(&self) {
        self.is_outgrown.store(true, Ordering::Release);
        self.wake_all();
    }

    pub(super) fn is_outgrown(&self) -> bool {
        self.is_outgrown.load(Ordering::Acquire)
    }

    /// It is over, for all processes. Where another process leads it says so first.
    pub(super) fn finish(&self) {
        let again = self.is_outgrown() && !self.stop.is_stopped();
        if let Some(cluster) = self.followers() {
            cluster.tell_finished(again);
        }
        self.leave(again);
    }

    /// It is over before the last epoch is committed: what that holds is read again by the next run.
    pub(super) fn cut_short(&self) {
        tracing::warn!("the last epoch was not committed in time; what it holds is read again by the next run");
        self.is_cut_short.store(true, Ordering::Release);
    }

    pub(super) fn is_cut_short(&self) -> bool {
        self.is_cut_short.load(Ordering::Acquire)
    }

    /// It is over; `again` where all start anew at once.
    pub(super) fn leave(&self, again: bool) {
        self.is_outgrown.fetch_or(again, Ordering::AcqRel);
        self.is_finished.store(true, Ordering::Release);
        self.wake_all();
    }

    /// Whether a worker that has nothing to commit may leave before it is over: what it leaves undone, others
    /// wait for.
    pub(super) fn may_leave(&self) -> bool {
        self.is_over() || (self.is_stopping() && self.leader().is_none())
    }

    /// Whether workers should leave: finished or failed.
    pub(super) fn is_over(&self) -> bool {
        self.is_finished.load(Ordering::Acquire) || self.has_failed.load(Ordering::Acquire)
    }

    /// Whether the process itself is about to end, and needs no answer from the store any more. Where the job only starts
    /// anew it does: its own session would stand in its way.
    pub(super) fn is_leaving_for_good(&self) -> bool {
        let starts_anew = self.is_outgrown() && !self.stop.is_stopped() && !self.is_exhausted.load(Ordering::Acquire);
        self.has_failed.load(Ordering::Acquire) || (self.is_finished.load(Ordering::Acquire) && !starts_anew)
    }

    /// Ends the job with the first failure.
    pub(super) fn fail(&self, error: JobError) {
        if let Some(cluster) = &self.cluster {
            cluster.tell_failed(&error);
        }
        self.failure.lock().get_or_insert(error);
        self.has_failed.store(true, Ordering::Release);
        self.wake_all();
    }

    pub(super) fn take_failure(&self) -> Option<JobError> {
        self.failure.lock().take().or_else(|| self.exhausted.lock().take())
    }
}
