//! The writer thread: an epoch's changes become one transaction.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use takings_dataflows::changes::{Change, Corrected, Earlier, EpochChanges, Kept, Rejected};
use takings_dataflows::event::Event;
use takings_dataflows::graph::Committed;
use takings_dataflows::listing::ListingEvent;
use takings_dataflows::order::{Content, IdSpace, PartitionId, Version};
use takings_dataflows::rating::RatingEvent;
use takings_dataflows::row::{RowChange, RowValue};
use takings_dataflows::view::ViewKey;
use timely::scheduling::SyncActivator;

use super::inconsistent::{Sifted, Withheld};
use super::pace::Pace;
use super::patience::Patience;
use super::recovery::Start;
use super::{JobError, Summary, error};
use crate::config::JobConfig;
use crate::source::Log;
use crate::store::commit::{Correction, EarlierOrder, KeptContent, KeptFeedback, KeptListing, KeptOrder, Why};
use crate::store::{BEAT, Commit, FilledView, PartitionState, ProvenDay, Recovered, Store, StoreError, Topics, commit};

/// What reaches the writer.
pub(super) enum ToWriter {
    /// How to wake the sink after a commit; comes first.
    Sink(SyncActivator),
    /// An epoch, complete.
    Epoch(Box<EpochChanges>),
    /// What the background audit found, and whom to tell that it is written.
    Proven(Vec<ProvenDay>, Sender<()>),
}

/// Offsets for lag tools are good enough a second old.
const NOTE_EVERY: Duration = Duration::from_secs(1);

/// What is kept beside the views goes to the workers so many events at a time: few enough for the cache.
const KEPT_A_BATCH: usize = 1024;
/// And so many times before they take it: some megabytes.
pub(super) const KEPT_AHEAD: usize = 32;

/// How often the log says again what is waited for.
const TELL_AGAIN: Duration = Duration::from_secs(60);

/// Owns the store.
pub(super) struct Writer {
    store: Box<dyn Store>,
    log: Arc<dyn Log>,
    committed: Committed,
    pace: Arc<Pace>,
    topics: Vec<String>,
    /// Which topics these are, by rank.
    topic_ids: Vec<Option<String>>,
    id_spaces: Vec<IdSpace>,
    keep_orders: bool,
    payload_limit: usize,
    partitions: BTreeMap<PartitionId, PartitionState>,
    /// Those that the store does not know yet: the next commit has a row of each, or what retention took of it before its
    /// first record was read would not be missed. No commit is made for that alone.
    unwritten: Vec<PartitionId>,
    withheld: Withheld,
    /// Views that the next commit fills.
    to_fill: Vec<FilledView>,
    sink: Option<SyncActivator>,
    summary: Summary,
    noted: Instant,
    patience: Arc<Patience>,
}

/// A partition of which nothing is read yet.
fn nothing_read(topics: &[String], PartitionId { topic, partition }: PartitionId) -> PartitionState {
    PartitionState { topic: topics[topic as usize].clone(), partition, ..PartitionState::default() }
}

impl Writer {
    pub(super) fn new(
        config: &JobConfig,
        store: Box<dyn Store>,
        recovered: Recovered,
        start: &Start,
        log: Arc<dyn Log>,
        committed: Committed,
        pace: Arc<Pace>,
    ) -> Self {
        let withheld = Withheld::of(&recovered);
        let rank = |topic: &str| config.topics.iter().position(|known| known == topic);
        let mut partitions: BTreeMap<PartitionId, PartitionState> = recovered
            .partitions
            .into_iter()
            .filter_map(|state| {
                let topic = rank(&state.topic)? as u8;
                Some((PartitionId { topic, partition: state.partition }, state))
            })
            .collect();
        let unknown = || start.partitions.iter().filter(|start| !start.is_known);
        // What a store has of one all the same is of another topic, and nothing was read of that.
        for start in unknown() {
            let partition = start.range.partition;
            let offset = start.committed;
            partitions.insert(partition, PartitionState { offset, ..nothing_read(&config.topics, partition) });
        }
        // Where it was told to resume, perhaps before what the store has: offsets go on from there.
        for resumed in start.partitions.iter().filter(|start| start.is_resumed) {
            let partition = resumed.range.partition;
            let state = partitions.entry(partition).or_insert_with(|| nothing_read(&config.topics, partition));
            state.offset = resumed.committed;
            state.incarnation = resumed.incarnation;
            state.lost_until = resumed.lost_until;
            state.last = resumed.last;
            state.passed_over.clone_from(&resumed.passed_over);
        }
        Writer {
            store,
            log,
            committed,
            pace,
            id_spaces: config.id_spaces(),
            topics: config.topics.clone(),
            topic_ids: start.topic_ids.clone(),
            keep_orders: config.keep_orders,
            payload_limit: config.payload_limit,
            partitions,
            unwritten: unknown().map(|start| start.range.partition).collect(),
            withheld,
            to_fill: start.to_fill.clone(),
            sink: None,
            summary: Summary { epoch: recovered.epoch, ..Summary::default() },
            noted: Instant::now(),
            patience: Arc::default(),
        }
    }

    /// Hands what is kept beside the views to the workers, then commits epochs until they are gone.
    pub(super) fn run(mut self, kept: Sender<Vec<Event>>, epochs: &Receiver<ToWriter>) -> Summary {
        let patience = Arc::clone(&self.patience);
        std::thread::scope(|scope| {
            let (ended, watched) = bounded(0);
            scope.spawn(move || patience.watch(&watched));
            if let Err(error) = self.load_kept(kept).and_then(|()| self.commit_all(epochs)) {
                self.pace.fail(error);
            }
            drop::<Sender<()>>(ended);
        });
        self.note_offsets();
        self.summary
    }

    fn load_kept(&mut self, kept: Sender<Vec<Event>>) -> Result<(), JobError> {
        let topics = Topics::new(self.topics.iter().zip(self.id_spaces.iter().copied()));
        let with_orders = self.keep_orders;
        let Writer { store, pace, .. } = self;
        let (began, mut events) = (Instant::now(), 0u64);
        let mut batch = Vec::with_capacity(KEPT_A_BATCH);
        // Handed over twice after an outage, a version is a repetition, and changes nothing.
        let read = || {
            events = 0;
            store.kept(&topics, &mut |event| {
                if with_orders || !matches!(event, Event::Order(_)) {
                    batch.push(event);
                    events += 1;
                }
                if batch.len() < KEPT_A_BATCH {
                    return ControlFlow::Continue(());
                }
                // Nobody receives once the job is over.
                let full = std::mem::replace(&mut batch, Vec::with_capacity(KEPT_A_BATCH));
                kept.send(full).map_or(ControlFlow::Break(()), ControlFlow::Continue)
            })
        };
        let is_read = until_the_store_answers(pace, "reading what is kept beside the views", read)?;
        debug_assert!(is_read || pace.is_over());
        let _ = kept.send(batch);
        if events > 0 {
            tracing::info!(
                records = events,
                seconds = began.elapsed().as_secs_f64(),
                "read what is kept beside the views"
            );
        }
        Ok(())
    }

    fn commit_all(&mut self, epochs: &Receiver<ToWriter>) -> Result<(), JobError> {
        loop {
            let message = match epochs.recv_timeout(BEAT) {
                Ok(message) => message,
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Err(RecvTimeoutError::Timeout) => {
                    let Writer { store, pace, patience, .. } = self;
                    let doing = "keeping the store";
                    until_the_store_answers(pace, doing, || patience.with(doing, || store.beat()))?;
                    continue;
                }
            };
            let changes = match message {
                ToWriter::Sink(activator) => {
                    self.sink = Some(activator);
                    continue;
                }
                ToWriter::Epoch(changes) => *changes,
                ToWriter::Proven(days, written) => {
                    let Writer { store, pace, patience, .. } = self;
                    let doing = "writing what is proven";
                    until_the_store_answers(pace, doing, || patience.with(doing, || store.prove(&days)))?;
                    let _ = written.send(());
                    continue;
                }
            };
            let read: u64 = changes.progress.values().map(|progress| progress.read).sum();
            let commit = self.commit_of(changes)?;
            let began = Instant::now();
            if !self.persist(&commit)? {
                return Ok(());
            }
            self.pace.committed_in(began.elapsed());
            self.pace.calm.committed(read);
            self.to_fill.clear();
            self.summary.epoch = commit.epoch;
            self.summary.records += read;
            self.summary.commits += 1;
            tracing::debug!(
                epoch = commit.epoch,
                records = read,
                rows = commit.rows.len(),
                millis = began.elapsed().as_millis() as u64,
                "committed"
            );
            self.committed.set(commit.epoch);
            if let Some(sink) = &self.sink {
                // Fails only where the worker is gone.
                let _ = sink.activate();
            }
            if self.noted.elapsed() > NOTE_EVERY {
                self.note_offsets();
            }
        }
    }

    /// Writes until it is written; `false` where the job is over first.
    fn persist(&mut self, commit: &Commit) -> Result<bool, JobError> {
        let Writer { store, pace, patience, .. } = self;
        let doing = format!("writing epoch {}", commit.epoch);
        until_the_store_answers(pace, &doing, || patience.with(&doing, || store.commit(commit)))
    }

    fn note_offsets(&mut self) {
        self.noted = Instant::now();
        let offsets = self.partitions.iter().map(|(partition, state)| (*partition, state.offset)).collect();
        self.log.note_committed(&self.topics, &offsets);
    }

    fn commit_of(&mut self, changes: EpochChanges) -> Result<Commit, JobError> {
        let EpochChanges {
            epoch,
            totals,
            ranked,
            rated,
            mut rows,
            listings,
            feedback,
            corrected,
            kept,
            earlier,
            outcomes,
            progress,
            rejected,
        } = changes;
        rows.reserve(totals.len() + ranked.len() + rated.len());
        add_changes(&mut rows, epoch, totals, RowValue::Takings)?;
        add_changes(&mut rows, epoch, ranked, RowValue::Ranked)?;
        add_changes(&mut rows, epoch, rated, RowValue::Stars)?;
        let Sifted { inconsistent, cured } = self.withheld.sift(epoch, &mut rows);
        // Neighbours in the table are written together: a fifth less of the server's time.
        rows.sort_unstable_by_key(|row| row.key);

        let mut moved: BTreeMap<PartitionId, PartitionState> = BTreeMap::new();
        for partition in std::mem::take(&mut self.unwritten) {
            self.state(partition, &mut moved);
        }
        for (partition, progress) in progress {
            let state = self.state(partition, &mut moved);
            state.offset = state.offset.max(progress.offset);
            state.newest_timestamp = state.newest_timestamp.max(progress.newest_timestamp);
            state.log_time = state.log_time.max(progress.log_time);
            state.last = state.last.max(progress.last);
            let counters = &mut state.counters;
            counters.read += progress.read;
            counters.rejected += progress.rejected;
            counters.other += progress.other;
            counters.rounded += progress.rounded;
        }
        for (partition, outcomes) in outcomes {
            let counters = &mut self.state(partition, &mut moved).counters;
            counters.applied += outcomes.applied;
            counters.duplicates += outcomes.duplicates;
            counters.superseded += outcomes.superseded;
            counters.corrections += outcomes.corrections;
            counters.cancellations += outcomes.cancellations;
            counters.beyond_horizon += outcomes.beyond_horizon;
        }
        for state in moved.values() {
            if !state.counters.balance() {
                return Err(JobError::Inconsistent(format!(
                    "the counters of {}/{} do not balance in epoch {epoch}: {:?}",
                    state.topic, state.partition, state.counters
                )));
            }
        }
        self.partitions.extend(moved.iter().map(|(partition, state)| (*partition, state.clone())));
        Ok(Commit {
            epoch,
            rows,
            corrections: corrected.into_iter().map(|corrected| self.correction(corrected)).collect(),
            rejected: rejected.into_iter().map(|rejected| self.rejected(rejected)).collect(),
            orders: self.newest_kept(kept),
            earlier: self.earliest(earlier),
            listings: self.newest_listings(listings),
            feedback: self.newest_feedback(feedback),
            filled: self.to_fill.clone(),
            inconsistent,
            cured,
            partitions: moved.into_values().collect(),
        })
    }

    /// The state of a partition in this epoch, from what is committed.
    fn state<'a>(
        &self,
        partition: PartitionId,
        moved: &'a mut BTreeMap<PartitionId, PartitionState>,
    ) -> &'a mut PartitionState {
        moved.entry(partition).or_insert_with(|| {
            let known = self.partitions.get(&partition).cloned();
            let mut state = known.unwrap_or_else(|| nothing_read(&self.topics, partition));
            state.topic_id.clone_from(&self.topic_ids[partition.topic as usize]);
            state
        })
    }

    fn correction(&self, corrected: Corrected) -> Correction {
        let Corrected { id, id_text, version, was, now } = corrected;
        let PartitionId { topic, partition } = version.partition();
        Correction {
            topic: self.topics[topic as usize].clone(),
            partition,
            offset: version.offset(),
            order_id: self.id_spaces[topic as usize].text(id, &id_text),
            was,
            now,
            why: if now.is_some() { Why::Correction } else { Why::Cancellation },
        }
    }

    fn rejected(&self, rejected: Rejected) -> commit::Rejected {
        let Rejected { partition, offset, key, mut payload, reason } = rejected;
        if let Some(payload) = &mut payload {
            payload.truncate(self.payload_limit);
        }
        commit::Rejected {
            topic: self.topics[partition.topic as usize].clone(),
            partition: partition.partition,
            offset,
            key,
            payload,
            reason,
        }
    }

    /// The newest version of each order: an epoch may change one several times.
    fn newest_kept(&self, kept: Vec<Kept>) -> Vec<KeptOrder> {
        let order_of = |Kept { id, id_text, version, minute, content, details }| {
            let PartitionId { topic, partition } = version.partition();
            let current = match content {
                Content::Tombstone => None,
                Content::Order { contribution, fingerprint } => Some(KeptContent {
                    contribution,
                    details: details.map(|details| *details).unwrap_or_default(),
                    fingerprint,
                }),
            };
            KeptOrder {
                topic: self.topics[topic as usize].clone(),
                order_id: self.id_spaces[topic as usize].text(id, &id_text),
                partition,
                incarnation: version.incarnation(),
                offset: version.offset(),
                timestamp: version.timestamp(),
                first_timestamp: minute.millis(),
                current,
            }
        };
        newest(kept, |kept| (kept.id, kept.version)).map(order_of).collect()
    }

    /// The first minute of each order that began earlier than was known.
    fn earliest(&self, earlier: Vec<Earlier>) -> Vec<EarlierOrder> {
        let mut first: BTreeMap<(u8, String), i64> = BTreeMap::new();
        for Earlier { id, id_text, version, minute } in earlier {
            let PartitionId { topic, .. } = version.partition();
            let order_id = self.id_spaces[topic as usize].text(id, &id_text);
            let known = first.entry((topic, order_id)).or_insert(i64::MAX);
            *known = minute.millis().min(*known);
        }
        let order_of = |((topic, order_id), first_timestamp): ((u8, String), i64)| EarlierOrder {
            topic: self.topics[usize::from(topic)].clone(),
            order_id,
            first_timestamp,
        };
        first.into_iter().map(order_of).collect()
    }

    fn newest_listings(&self, listings: Vec<ListingEvent>) -> Vec<KeptListing> {
        let listing_of = |ListingEvent { product, version, content }| {
            let PartitionId { topic, partition } = version.partition();
            KeptListing {
                product: product.text().to_owned(),
                topic: self.topics[topic as usize].clone(),
                partition,
                incarnation: version.incarnation(),
                offset: version.offset(),
                timestamp: version.timestamp(),
                is_withdrawn: content.is_none(),
            }
        };
        newest(listings, |event| (event.product, event.version)).map(listing_of).collect()
    }

    fn newest_feedback(&self, feedback: Vec<RatingEvent>) -> Vec<KeptFeedback> {
        let feedback_of = |RatingEvent { id, id_text, version, content }| {
            let PartitionId { topic, partition } = version.partition();
            KeptFeedback {
                topic: self.topics[topic as usize].clone(),
                feedback_id: self.id_spaces[topic as usize].text(id, &id_text),
                partition,
                incarnation: version.incarnation(),
                offset: version.offset(),
                timestamp: version.timestamp(),
                current: content,
            }
        };
        newest(feedback, |event| (event.id, event.version)).map(feedback_of).collect()
    }
}

/// Tries until it is done; `false` where the job is over first.
fn until_the_store_answers(
    pace: &Pace,
    doing: &str,
    mut attempt: impl FnMut() -> Result<(), StoreError>,
) -> Result<bool, JobError> {
    let mut pause = Duration::from_millis(50);
    let began = Instant::now();
    let mut told: Option<(String, Instant)> = None;
    loop {
        match attempt() {
            Ok(()) => {
                if told.is_some() {
                    let seconds = began.elapsed().as_secs_f32();
                    tracing::info!("{doing}: the store answers again, after {seconds:.1} s; nothing was lost");
                }
                return Ok(true);
            }
            Err(error) if error.is_transient() && pace.is_over() => return Ok(false),
            Err(error) if error.is_transient() => {
                let why = error::chain(&error);
                // Once, whenever the reason changes, and now and then: the last line of a log tells what is waited for.
                if told.as_ref().is_none_or(|(last, when)| *last != why || when.elapsed() >= TELL_AGAIN) {
                    tracing::warn!("{doing}: trying again until it can be done: {why}");
                    told = Some((why, Instant::now()));
                }
                std::thread::park_timeout(pause);
                pause = (pause * 2).min(Duration::from_secs(2));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Changes of one kind of row, as the store takes them.
fn add_changes<V: Copy + PartialEq + std::fmt::Debug>(
    rows: &mut Vec<RowChange>,
    epoch: u64,
    changes: HashMap<ViewKey, Change<V>>,
    value_of: fn(V) -> RowValue,
) -> Result<(), JobError> {
    for (key, change) in changes {
        let (old, new) = change
            .was_and_is()
            .map_err(|pieces| JobError::Inconsistent(format!("{key} in epoch {epoch}: {pieces:?}")))?;
        if old != new {
            rows.push(RowChange { key, old: old.map(value_of), new: new.map(value_of) });
        }
    }
    Ok(())
}

/// The newest version of each: pieces come from several workers in any order.
fn newest<T, K: Ord>(all: Vec<T>, place: impl Fn(&T) -> (K, Version)) -> impl Iterator<Item = T> {
    let mut newest: BTreeMap<K, (Version, T)> = BTreeMap::new();
    for one in all {
        let (key, version) = place(&one);
        match newest.entry(key) {
            std::collections::btree_map::Entry::Occupied(mut known) => {
                if version > known.get().0 {
                    known.insert((version, one));
                }
            }
            std::collections::btree_map::Entry::Vacant(free) => _ = free.insert((version, one)),
        }
    }
    newest.into_values().map(|(_, one)| one)
}
