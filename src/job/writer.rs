//! The writer thread: an epoch's changes become one transaction.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};
use takings_dataflows::changes::{Corrected, EpochChanges, Kept, Rejected};
use takings_dataflows::graph::Committed;
use takings_dataflows::order::{Content, IdSpace, OrderEvent, PartitionId};
use timely::scheduling::SyncActivator;

use super::pace::Pace;
use super::{JobError, Summary, error};
use crate::config::JobConfig;
use crate::source::Log;
use crate::store::commit::{Correction, KeptContent, KeptOrder, TotalChange, Why};
use crate::store::{Commit, PartitionState, Recovered, Store, commit};

/// What reaches the writer.
pub(super) enum ToWriter {
    /// How to wake the sink after a commit; comes first.
    Sink(SyncActivator),
    /// An epoch, complete.
    Epoch(Box<EpochChanges>),
}

/// Offsets for lag tools are good enough a second old.
const NOTE_EVERY: Duration = Duration::from_secs(1);

/// Owns the store.
pub(super) struct Writer {
    store: Box<dyn Store>,
    log: Arc<dyn Log>,
    committed: Committed,
    pace: Arc<Pace>,
    topics: Vec<String>,
    id_spaces: Vec<IdSpace>,
    keep_orders: bool,
    payload_limit: usize,
    partitions: BTreeMap<PartitionId, PartitionState>,
    sink: Option<SyncActivator>,
    summary: Summary,
    noted: Instant,
}

impl Writer {
    pub(super) fn new(
        config: &JobConfig,
        store: Box<dyn Store>,
        recovered: Recovered,
        log: Arc<dyn Log>,
        committed: Committed,
        pace: Arc<Pace>,
    ) -> Self {
        let rank = |topic: &str| config.topics.iter().position(|known| known == topic);
        let partitions = recovered
            .partitions
            .into_iter()
            .filter_map(|state| {
                let topic = rank(&state.topic)? as u8;
                Some((PartitionId { topic, partition: state.partition }, state))
            })
            .collect();
        Writer {
            store,
            log,
            committed,
            pace,
            id_spaces: config.topics.iter().map(|topic| IdSpace::new(topic)).collect(),
            topics: config.topics.clone(),
            keep_orders: config.keep_orders,
            payload_limit: config.payload_limit,
            partitions,
            sink: None,
            summary: Summary { epoch: recovered.epoch, ..Summary::default() },
            noted: Instant::now(),
        }
    }

    /// Hands kept orders to worker 0, then commits epochs until the workers are gone.
    pub(super) fn run(mut self, kept: Sender<OrderEvent>, epochs: &Receiver<ToWriter>) -> Summary {
        if let Err(error) = self.load_kept(kept).and_then(|()| self.commit_all(epochs)) {
            self.pace.fail(error);
        }
        self.note_offsets();
        self.summary
    }

    fn load_kept(&mut self, kept: Sender<OrderEvent>) -> Result<(), JobError> {
        if self.keep_orders {
            self.store.kept_orders(&self.topics, &mut |event| {
                // Nobody receives once the job is over.
                let _ = kept.send(event);
            })?;
        }
        Ok(())
    }

    fn commit_all(&mut self, epochs: &Receiver<ToWriter>) -> Result<(), JobError> {
        while let Ok(message) = epochs.recv() {
            let changes = match message {
                ToWriter::Sink(activator) => {
                    self.sink = Some(activator);
                    continue;
                }
                ToWriter::Epoch(changes) => *changes,
            };
            let read: u64 = changes.progress.values().map(|progress| progress.read).sum();
            let commit = self.commit_of(changes)?;
            let began = Instant::now();
            if !self.persist(&commit)? {
                return Ok(());
            }
            self.pace.committed_in(began.elapsed());
            self.summary.epoch = commit.epoch;
            self.summary.records += read;
            self.summary.commits += 1;
            tracing::debug!(
                epoch = commit.epoch,
                records = read,
                totals = commit.totals.len(),
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
        Ok(())
    }

    /// Writes until it is written; `false` where the job is over first.
    fn persist(&mut self, commit: &Commit) -> Result<bool, JobError> {
        let mut pause = Duration::from_millis(50);
        let mut is_away = false;
        loop {
            match self.store.commit(commit) {
                Ok(()) => {
                    if is_away {
                        tracing::info!(epoch = commit.epoch, "the store answers again; nothing was lost");
                    }
                    return Ok(true);
                }
                Err(error) if error.is_transient() => {
                    if !is_away {
                        tracing::warn!(
                            epoch = commit.epoch,
                            "no contact with the store, trying again: {}",
                            error::chain(&error)
                        );
                    }
                    is_away = true;
                    if self.pace.is_over() {
                        return Ok(false);
                    }
                    std::thread::park_timeout(pause);
                    pause = (pause * 2).min(Duration::from_secs(2));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn note_offsets(&mut self) {
        self.noted = Instant::now();
        let offsets = self.partitions.iter().map(|(partition, state)| (*partition, state.offset)).collect();
        self.log.note_committed(&self.topics, &offsets);
    }

    fn commit_of(&mut self, changes: EpochChanges) -> Result<Commit, JobError> {
        let EpochChanges { epoch, totals, corrected, kept, outcomes, progress, rejected } = changes;
        let mut rows = Vec::with_capacity(totals.len());
        for (key, change) in &totals {
            let (old, new) = change
                .was_and_is()
                .map_err(|pieces| JobError::Inconsistent(format!("{key} in epoch {epoch}: {pieces:?}")))?;
            if old != new {
                rows.push(TotalChange { key: *key, old, new });
            }
        }
        // Neighbours in the table are written together: a fifth less of the server's time.
        rows.sort_unstable_by_key(|row| row.key);

        let mut moved: BTreeMap<PartitionId, PartitionState> = BTreeMap::new();
        for (partition, progress) in progress {
            let state = self.state(partition, &mut moved);
            state.offset = state.offset.max(progress.offset);
            state.newest_timestamp = state.newest_timestamp.max(progress.newest_timestamp);
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
            totals: rows,
            corrections: corrected.into_iter().map(|corrected| self.correction(corrected)).collect(),
            rejected: rejected.into_iter().map(|rejected| self.rejected(rejected)).collect(),
            orders: self.newest_kept(kept),
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
            self.partitions.get(&partition).cloned().unwrap_or_else(|| PartitionState {
                topic: self.topics[partition.topic as usize].clone(),
                partition: partition.partition,
                ..PartitionState::default()
            })
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

    /// An epoch may change an order several times, and its pieces come from several workers in any
    /// order: the newest version of each is what is kept.
    fn newest_kept(&self, kept: Vec<Kept>) -> Vec<KeptOrder> {
        let mut newest: BTreeMap<_, Kept> = BTreeMap::new();
        for kept in kept {
            match newest.entry(kept.id) {
                std::collections::btree_map::Entry::Occupied(mut known) => {
                    if kept.version > known.get().version {
                        known.insert(kept);
                    }
                }
                std::collections::btree_map::Entry::Vacant(free) => _ = free.insert(kept),
            }
        }
        newest
            .into_values()
            .map(|Kept { id, id_text, version, content, details }| {
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
                    offset: version.offset(),
                    timestamp: version.timestamp(),
                    current,
                }
            })
            .collect()
    }
}
