//! One job in several processes, on one machine or on many.
//!
//! The dataflow spans all workers of all processes. Process 0 leads: it alone writes the store, and decides
//! when an epoch closes. The others are told where to start ([`Plan`]), read partitions of their own, and
//! need no store.
//!
//! What it can not do: go on without a process. The state of its orders is gone with it. So whenever one is
//! lost, all end, each saying which one was lost, and a supervisor starts them again; the last commit is where
//! they go on. And it does not ask who is there: whoever reaches the ports of a cluster is trusted.
//!
//! What holds:
//! - *a lost peer ends everybody*: one that ended closes its connections; one that is stopped, or cut off, is
//!   not heard for [`SILENT_AT_MOST`];
//! - *the end is explained*: a process that ends on its own accord says why before it closes anything;
//! - *no word is lost*: words of a link arrive in their order, and a link that breaks is a lost peer.

mod hello;
mod link;
mod meeting;
mod stream;

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use parking_lot::Mutex;
use timely::communication::allocator::ProcessBuilder;
use timely::communication::allocator::zero_copy::initialize::initialize_networking_from_sockets;
use timely::communication::{AllocatorBuilder, Hooks};

use self::link::Word;
pub(super) use self::meeting::Meeting;
use self::stream::PeerStream;
use super::pace::Pace;
use super::recovery::Plan;
use super::{JobError, Stop};
use crate::cli::Exit;
use crate::config::JobConfig;
use crate::config::hosts::Hosts;

/// How often a process says that it is alive.
const BEAT_EVERY: Duration = Duration::from_millis(500);
/// A peer that is not heard for so long is lost.
const SILENT_AT_MOST: Duration = Duration::from_secs(5);
/// How long a connection that closed may go unexplained: words on other links may be on their way.
const EXPLAINED_WITHIN: Duration = Duration::from_secs(1);
/// Words that wait for a process that is still starting.
const WORDS_AT_MOST: usize = 4096;

/// Why a cluster can not work.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// The address that the hosts file gives this process can not be listened at. It may pass.
    #[error("process {process} can not listen at {address}, which the hosts file gives it")]
    Listen {
        /// This process.
        process: usize,
        /// Its address.
        address: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Another process was started with other settings.
    #[error(
        "refused by process {process} at {address}: {what}; start all processes with the same settings, but for --process"
    )]
    Differs {
        /// Which one said so.
        process: usize,
        /// Where it is.
        address: String,
        /// What differs, with both values.
        what: String,
    },
    /// Another process reads another log.
    #[error("this process reads the log {ours}, and process 0 reads {theirs}; give all the same --source")]
    OtherLog {
        /// This process's log.
        ours: String,
        /// Process 0's.
        theirs: String,
    },
    /// Another process ended, and said why.
    #[error(
        "process {process} at {address} ended, and with it all others: {why}; started again, all go on from the last commit"
    )]
    Ended {
        /// Which.
        process: usize,
        /// Where it is.
        address: String,
        /// Why.
        why: String,
    },
    /// Memory was about to run out in another process, so all stopped in order.
    #[error("process {process} at {address} ended, and in order all others with it: {why}")]
    Exhausted {
        /// Which.
        process: usize,
        /// Where it is.
        address: String,
        /// Its own message.
        why: String,
    },
    /// The connections could not be set up.
    #[error("connecting the dataflow to its peers failed")]
    Connections(#[source] std::io::Error),
}

impl ClusterError {
    /// Whether the same attempt may succeed later.
    pub const fn is_transient(&self) -> bool {
        matches!(self, ClusterError::Listen { .. })
    }

    /// Whether the settings are wrong, so that no restart helps.
    pub const fn is_configuration(&self) -> bool {
        matches!(self, ClusterError::Differs { .. } | ClusterError::OtherLog { .. } | ClusterError::Exhausted { .. })
    }
}

/// This process's side of a cluster that is complete.
pub(super) struct Cluster {
    hosts: Hosts,
    /// Where to say words, by process.
    links: Vec<Option<Mutex<TcpStream>>>,
    /// The dataflow's connections, until it takes them.
    dataflow: Mutex<Vec<Option<TcpStream>>>,
    /// What the others say, but for what is dealt with at once.
    words: Receiver<(usize, Word)>,
    began: Instant,
    /// When each was last heard, in milliseconds after `began`.
    heard: Vec<AtomicU64>,
    /// Set once this or another process has said that it is over: from then on connections may close.
    is_ending: AtomicBool,
    /// Set once words set the pace.
    is_attached: AtomicBool,
    stop: Stop,
}

impl Cluster {
    /// Meets all others; `None` once stopped.
    ///
    /// # Errors
    /// As [`Meeting::gather`].
    pub(super) fn gather(
        meeting: &Meeting,
        config: &JobConfig,
        stop: &Stop,
    ) -> Result<Option<Arc<Cluster>>, ClusterError> {
        let Some(met) = meeting.gather(config, stop)? else { return Ok(None) };
        let hosts = meeting.hosts().clone();
        let mut readers = Vec::new();
        let mut links = Vec::new();
        for (process, link) in met.links.into_iter().enumerate() {
            if let Some(link) = &link {
                link.set_read_timeout(None).map_err(ClusterError::Connections)?;
                link.set_write_timeout(Some(SILENT_AT_MOST)).map_err(ClusterError::Connections)?;
                readers.push((process, link.try_clone().map_err(ClusterError::Connections)?));
            }
            links.push(link.map(Mutex::new));
        }
        for stream in met.dataflow.iter().flatten() {
            stream.set_read_timeout(None).map_err(ClusterError::Connections)?;
            stream.set_write_timeout(None).map_err(ClusterError::Connections)?;
        }
        let (sender, words) = bounded(WORDS_AT_MOST);
        let heard = (0..hosts.processes()).map(|_| AtomicU64::new(0)).collect();
        let cluster = Arc::new(Cluster {
            hosts,
            links,
            dataflow: Mutex::new(met.dataflow),
            words,
            began: Instant::now(),
            heard,
            is_ending: AtomicBool::new(false),
            is_attached: AtomicBool::new(false),
            stop: stop.clone(),
        });
        let start = |name: String, run: Box<dyn FnOnce() + Send>| {
            std::thread::Builder::new().name(name).spawn(run).map_err(ClusterError::Connections)
        };
        for (process, link) in readers {
            let (cluster, sender) = (Arc::clone(&cluster), sender.clone());
            start(format!("peer-{process}"), Box::new(move || cluster.listen(process, link, &sender)))?;
        }
        let beating = Arc::clone(&cluster);
        start("beats".to_owned(), Box::new(move || beating.beat()))?;
        let (process, processes) = (cluster.hosts.process(), cluster.hosts.processes());
        tracing::info!("process {process} of {processes}: all are there");
        Ok(Some(cluster))
    }

    /// Whether this is process 0.
    pub(super) const fn leads(&self) -> bool {
        self.hosts.process() == 0
    }

    /// Says to process 0 that so many records were fed to the open epoch.
    pub(super) fn tell_fed(&self, records: u64) {
        self.tell(0, &Word::Fed(records));
    }

    /// Says to process 0 that one more worker has caught up.
    pub(super) fn tell_caught_up(&self) {
        self.tell(0, &Word::CaughtUp);
    }

    /// Says to process 0 that all are to stop in order.
    pub(super) fn tell_stop(&self) {
        self.tell(0, &Word::Stop);
    }

    /// The memory of `process` is about to run out: process 0 is to know, and from it all others, before they hear that it
    /// is over.
    pub(super) fn tell_exhausted(&self, process: usize, why: &str) {
        let word = Word::Exhausted { process, why: why.to_owned() };
        if self.leads() { self.tell_all(&word) } else { self.tell(0, &word) }
    }

    /// Which process this is.
    pub(super) const fn process(&self) -> usize {
        self.hosts.process()
    }

    /// Of a process that was asked to stop before it had begun: tells process 0, and waits until all know. Until then it is
    /// to be there, or it would be lost.
    ///
    /// # Errors
    /// [`ClusterError::Ended`].
    pub(super) fn stop_before_the_start(&self) -> Result<(), ClusterError> {
        self.tell_stop();
        while self.plan()?.is_some() {}
        Ok(())
    }

    /// What another process ended with before this one had begun, where one did.
    ///
    /// # Errors
    /// [`ClusterError::Ended`].
    pub(super) fn check_before_the_start(&self) -> Result<(), ClusterError> {
        while !self.is_attached.load(Ordering::Acquire)
            && let Ok((process, word)) = self.words.try_recv()
        {
            if let Word::Failed(why) = word {
                return Err(self.ended(process, why));
            }
        }
        Ok(())
    }

    /// From process 0: where everything starts.
    pub(super) fn tell_plan(&self, plan: &Plan) {
        self.tell_all(&Word::Plan(Box::new(plan.clone())));
    }

    /// From process 0: this epoch is open now.
    pub(super) fn tell_opened(&self, epoch: u64) {
        self.tell_all(&Word::Opened(epoch));
    }

    /// From process 0: it is over. Said once.
    pub(super) fn tell_finished(&self, again: bool) {
        if !self.is_ending.swap(true, Ordering::AcqRel) {
            self.tell_all(&Word::Finished { again });
        }
    }

    /// This process ends because of `error`, unless it is over already. Said once.
    pub(super) fn tell_failed(&self, error: &JobError) {
        if !self.is_ending.swap(true, Ordering::AcqRel) {
            self.tell_all(&Word::Failed(super::chain(error)));
        }
    }

    /// Where everything starts, as process 0 says it; `None` where it is over before.
    ///
    /// # Errors
    /// [`ClusterError::Ended`].
    pub(super) fn plan(&self) -> Result<Option<Plan>, ClusterError> {
        loop {
            match self.words.recv_timeout(BEAT_EVERY) {
                Ok((_, Word::Plan(plan))) => return Ok(Some(*plan)),
                Ok((process, Word::Failed(why))) => return Err(self.ended(process, why)),
                Ok((_, Word::Finished { .. })) | Err(RecvTimeoutError::Disconnected) => return Ok(None),
                // Nothing else is said before; a peer that is lost ends the process.
                Ok(_) | Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// Lets what the others say set the pace, until it is over.
    pub(super) fn attach(self: &Arc<Self>, pace: &Arc<Pace>) -> Result<(), JobError> {
        self.is_attached.store(true, Ordering::Release);
        let (cluster, pace) = (Arc::clone(self), Arc::clone(pace));
        let follow = move || {
            while let Ok((process, word)) = cluster.words.recv() {
                match word {
                    Word::Fed(records) => pace.fed_elsewhere(records),
                    Word::CaughtUp => pace.caught_up_elsewhere(),
                    Word::Opened(epoch) => pace.follow(epoch),
                    Word::Exhausted { process, why } => {
                        if cluster.leads() {
                            cluster.tell_exhausted(process, &why);
                        }
                        pace.exhausted_elsewhere(cluster.exhausted(process, why).into());
                    }
                    Word::Finished { again } => return pace.leave(again),
                    Word::Failed(why) => return pace.fail(cluster.ended(process, why).into()),
                    Word::Beat | Word::Plan(_) | Word::Stop => {}
                }
            }
        };
        let thread = std::thread::Builder::new().name("words".to_owned()).spawn(follow);
        thread.map(drop).map_err(|source| JobError::Thread { what: "the thread that listens to peers", source })
    }

    /// The communication between all workers of all processes. Its threads are not waited for: they end with
    /// their peers, and once it is over nothing that they could still bring is of use.
    ///
    /// # Errors
    /// [`ClusterError::Connections`].
    pub(super) fn communication(self: &Arc<Self>, workers: usize) -> Result<Vec<AllocatorBuilder>, ClusterError> {
        let streams = std::mem::take(&mut *self.dataflow.lock());
        let stream = |(process, stream): (usize, Option<TcpStream>)| {
            stream.map(|stream| PeerStream { stream, cluster: Arc::clone(self), process })
        };
        let streams = streams.into_iter().enumerate().map(stream).collect();
        let hooks = Hooks::default();
        let builders = ProcessBuilder::new_typed_vector(workers, hooks.refill.clone(), hooks.spill.clone());
        let (builders, threads) =
            initialize_networking_from_sockets(builders, streams, self.hosts.process(), workers, hooks)
                .map_err(ClusterError::Connections)?;
        std::mem::forget(threads);
        Ok(builders.into_iter().map(AllocatorBuilder::Tcp).collect())
    }

    fn tell_all(&self, word: &Word) {
        self.hosts.peers().for_each(|process| self.tell(process, word));
    }

    fn tell(&self, process: usize, word: &Word) {
        let Some(link) = self.links.get(process).and_then(Option::as_ref) else { return };
        // A word is made of strings, numbers and lists: its JSON can not fail.
        let Ok(mut line) = serde_json::to_vec(word) else { return };
        line.push(b'\n');
        // A failure is a broken link, which its reader and the beats notice as well.
        let _ = link.lock().write_all(&line);
    }

    /// A link's reader.
    fn listen(&self, process: usize, link: TcpStream, words: &Sender<(usize, Word)>) {
        let mut lines = BufReader::new(link);
        let mut line = Vec::new();
        loop {
            line.clear();
            let what = match lines.read_until(b'\n', &mut line) {
                Ok(0) => "it closed the connection".to_owned(),
                Err(error) => error.to_string(),
                Ok(_) => match serde_json::from_slice(&line) {
                    Ok(word) => {
                        self.hear(process, word, words);
                        continue;
                    }
                    Err(error) => format!("it said what is no word of this job: {error}"),
                },
            };
            return self.broke(process, &what);
        }
    }

    fn hear(&self, process: usize, word: Word, words: &Sender<(usize, Word)>) {
        self.heard[process].store(self.began.elapsed().as_millis() as u64, Ordering::Release);
        // Whether nothing is to come any more, not even another start.
        let mut is_over = false;
        match word {
            Word::Beat => return,
            Word::Stop => return self.stop.stop(),
            Word::Failed(_) | Word::Finished { .. } => {
                is_over = !matches!(word, Word::Finished { again: true });
                self.is_ending.store(true, Ordering::Release);
            }
            Word::Plan(_) | Word::Opened(_) | Word::Fed(_) | Word::CaughtUp | Word::Exhausted { .. } => {}
        }
        // Nobody listens any more once it is over.
        let _ = words.send((process, word));
        // Who waits for the store or for Kafka does not listen yet, and is to wait no longer.
        if is_over && !self.is_attached.load(Ordering::Acquire) {
            self.stop.stop();
        }
    }

    /// Says that this process is alive, and watches that the others are.
    fn beat(&self) {
        let mut last = Instant::now();
        let mut has_told_stop = false;
        while !self.is_ending.load(Ordering::Acquire) {
            self.tell_all(&Word::Beat);
            if self.stop.is_stopped() && !has_told_stop && !self.leads() {
                self.tell_stop();
                has_told_stop = true;
            }
            std::thread::park_timeout(BEAT_EVERY);
            if last.elapsed() > SILENT_AT_MOST {
                let seconds = last.elapsed().as_secs();
                self.end(&format!("this process was stopped for {seconds} s, and its peers have gone on without it"));
            }
            last = Instant::now();
            let now = self.began.elapsed();
            let silent = |process: &usize| {
                now.saturating_sub(Duration::from_millis(self.heard[*process].load(Ordering::Acquire)))
            };
            if let Some(process) = self.hosts.peers().find(|process| silent(process) > SILENT_AT_MOST) {
                self.lost(
                    process,
                    &format!(
                        "it was not heard for {:.0} s: it is stopped, or the network to it is cut",
                        silent(&process).as_secs_f64()
                    ),
                );
            }
        }
    }

    /// A connection broke. Returns where the end has been explained; otherwise the peer is lost, and the
    /// process ends.
    fn broke(&self, process: usize, what: &str) {
        let until = Instant::now() + EXPLAINED_WITHIN;
        while !self.is_ending.load(Ordering::Acquire) && Instant::now() < until {
            std::thread::park_timeout(Duration::from_millis(10));
        }
        if !self.is_ending.load(Ordering::Acquire) {
            self.lost(process, what);
        }
    }

    fn lost(&self, process: usize, what: &str) {
        self.end(&format!("lost process {process} at {}: {what}", self.hosts.address(process)));
    }

    /// Tells the others, and ends this process: its workers wait for the lost one's, and would for ever.
    #[expect(clippy::disallowed_methods, reason = "other threads can not be unwound, and the kernel frees the locks")]
    fn end(&self, why: &str) {
        if self.is_ending.swap(true, Ordering::AcqRel) {
            return;
        }
        tracing::error!("{why}; all processes end: started again, they go on from the last commit");
        self.tell_all(&Word::Failed(why.to_owned()));
        std::process::exit(Exit::Fault as i32);
    }

    fn exhausted(&self, process: usize, why: String) -> ClusterError {
        ClusterError::Exhausted { process, address: self.hosts.address(process).to_owned(), why }
    }

    fn ended(&self, process: usize, why: String) -> ClusterError {
        ClusterError::Ended { process, address: self.hosts.address(process).to_owned(), why }
    }

    /// Ends this process's side of the links. What it has said still arrives; what the others say is still
    /// read, since a connection that is closed over unread words takes those of its other side with it.
    pub(super) fn close(&self) {
        self.is_ending.store(true, Ordering::Release);
        for link in self.links.iter().flatten() {
            let _ = link.lock().shutdown(Shutdown::Write);
        }
    }
}
