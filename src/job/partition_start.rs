//! Where one partition starts: what the store has of it, beside what its log holds and what the command says.

use serde::{Deserialize, Serialize};
use takings_dataflows::last_record::LastRecord;

use super::cut_off::{holds_last, how_to_go_on, parts_at};
use crate::config::JobConfig;
use crate::formats::Kind;
use crate::source::{Counted, Log, PartitionRange, SourceError, StartAt};
use crate::store::{Loss, PartitionState, PassedOver, loss};

/// Where one partition starts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct PartitionStart {
    pub(super) range: PartitionRange,
    /// How often its log has begun anew.
    pub(super) incarnation: u8,
    /// The offset of the first record that is not yet counted.
    pub(super) committed: u64,
    /// From here to `committed` the log is read again, for the versions of orders alone, but for what was passed over.
    pub(super) replay_from: u64,
    /// What was never counted, because a run was told to resume behind it.
    pub(super) passed_over: PassedOver,
    /// See [`PartitionState::lost_until`].
    pub(super) lost_until: i64,
    /// The newest timestamp before `committed`.
    pub(super) newest_timestamp: i64,
    /// The last record counted, where the log should hold it still.
    pub(super) last: Option<LastRecord>,
    /// How far the partition's time has come at `committed`.
    pub(super) log_time: i64,
    /// What its records are versions of.
    pub(super) kind: Kind,
    /// Whether the store knows it: it has a row of this partition of this topic.
    pub(super) is_known: bool,
    /// Whether `committed` is where it was told to resume, instead of what the store has.
    pub(super) is_resumed: bool,
}

impl PartitionStart {
    /// Checks the log of a partition against what the store has of it. `topic_id`: the topic's, where the log has such a
    /// thing. `is_counted`: whether the store counts the topic, this partition or another of it.
    ///
    /// # Errors
    /// [`SourceError::LogChanged`] where the log is not the one that was read, and nobody said how to go on.
    pub(super) fn of(
        config: &JobConfig,
        log: &dyn Log,
        range: PartitionRange,
        topic_id: Option<&str>,
        state: Option<&PartitionState>,
        is_counted: bool,
    ) -> Result<PartitionStart, SourceError> {
        let topic = config.topics[range.partition.topic as usize].as_str();
        let mut beside = Beside { config, log, topic, range, topic_id, state, is_counted };
        // With a topic that was created anew nothing is gone of a partition of which nothing was ever read.
        beside.state = state.filter(|state| state.counters.read > 0 || !beside.is_another_topic());
        let state = beside.state;
        let resumed = beside.resumes_at()?;
        let committed = resumed.unwrap_or(beside.counted());
        beside.check(committed, resumed.is_some())?;
        Ok(PartitionStart {
            range,
            incarnation: beside.incarnation(resumed)?,
            lost_until: beside.lost_until(resumed),
            committed,
            replay_from: range.first,
            passed_over: beside.passed_over(resumed),
            newest_timestamp: state.map_or(0, |state| state.newest_timestamp),
            last: beside.last_before(resumed),
            log_time: state.map_or(0, |state| state.log_time),
            kind: config.kind_of(range.partition.topic),
            is_known: state.is_some(),
            is_resumed: resumed.is_some(),
        })
    }

    /// Where live reading starts, and after what.
    pub(super) fn at(&self) -> (StartAt, Counted) {
        // Not where something was passed over after it: that may be much, and may be what can not be read.
        let is_next_to = |last: &LastRecord| self.passed_over.stretches().all(|(_, end)| end <= last.offset);
        let counted = Counted {
            last: self.last.filter(|last| last.offset >= self.range.first && is_next_to(last)),
            may_have_gaps: self.kind != Kind::Order,
        };
        (StartAt::on(self.range.partition, self.committed), counted)
    }

    /// The stretches of the log that are read again.
    pub(super) fn to_replay(&self) -> Vec<(u64, u64)> {
        self.passed_over.counted(self.replay_from, self.committed)
    }

    /// What of all that was counted, or might have been, is not in the log.
    pub(super) fn loss(&self) -> Option<Loss> {
        Loss::of(self.range.first, self.incarnation, self.lost_until)
    }

    /// Up to when whatever stood before `committed` is dated; see [`reached`](loss::reached).
    pub(super) fn reached(&self, now: i64) -> i64 {
        // What was passed over has dates that nobody read.
        let is_read = self.passed_over.stretches().all(|(_, end)| end < self.committed);
        if is_read { loss::reached(self.newest_timestamp, self.log_time, now) } else { now }
    }

    /// Whether everything that the log holds of it is committed.
    pub(super) fn is_at_end(&self) -> bool {
        self.committed >= self.range.end
    }
}

/// A partition's log beside what was counted of it.
///
/// `resumed`, where it is given: the offset at which it goes on because the command says so.
struct Beside<'a> {
    config: &'a JobConfig,
    log: &'a dyn Log,
    topic: &'a str,
    range: PartitionRange,
    topic_id: Option<&'a str>,
    state: Option<&'a PartitionState>,
    is_counted: bool,
}

impl Beside<'_> {
    /// The id of the topic that was counted, and that of this one, where both are known.
    fn ids(&self) -> Option<(&str, &str)> {
        self.state.and_then(|state| state.topic_id.as_deref()).zip(self.topic_id)
    }

    fn is_another_topic(&self) -> bool {
        self.ids().is_some_and(|(was, is)| was != is)
    }

    /// The offset of the first record that the store has not counted. The first commit that counts a topic has a row of
    /// each of its partitions: one without came later, and counts from its beginning. (Or an earlier version wrote the
    /// store, and it never had a record.) What a topic that is new to the store lost before is no loss to it.
    fn counted(&self) -> u64 {
        match self.state {
            Some(state) => state.offset,
            None if self.is_counted => 0,
            None => self.range.first,
        }
    }

    fn last(&self) -> Option<LastRecord> {
        self.state.and_then(|state| state.last)
    }

    /// Where the command says to go on, if the log has such an offset, and nothing would count twice.
    fn resumes_at(&self) -> Result<Option<u64>, SourceError> {
        let Beside { config, topic, range: PartitionRange { partition, first, end }, .. } = self;
        let number = partition.partition;
        let told = config.resume_at.iter().find(|at| at.topic == *topic && at.partition == number);
        let Some(offset) = told.map(|at| at.offset).filter(|offset| (*first..=*end).contains(offset)) else {
            return Ok(None);
        };
        let counted = self.counted();
        // It goes on there anyway.
        if offset == counted && !self.is_another_topic() {
            return Ok(None);
        }
        if self.is_resumed_already(offset)? {
            tracing::warn!(
                "{topic}/{number}: --resume-at offset {offset} is passed over, since the log holds what was counted up to \
                 offset {counted}, and nothing may count twice; take it out of the command"
            );
            return Ok(None);
        }
        tracing::warn!("{topic}/{number}: resuming at offset {offset} as told, instead of {counted}");
        Ok(Some(offset))
    }

    /// Whether going back to `offset` would count again what is counted: an earlier start was told to, and read on. The
    /// command may be repeated for ever by what restarts the job, and the job starts again by itself as well.
    fn is_resumed_already(&self, offset: u64) -> Result<bool, SourceError> {
        if self.is_another_topic() || offset > self.counted() {
            return Ok(false);
        }
        // Where orders are kept, what is read twice counts once, and what was passed over may be wanted after all.
        let was_passed_over =
            |state: &PartitionState| state.passed_over.stretches().any(|(from, to)| (from..to).contains(&offset));
        if self.config.keep_orders && self.state.is_some_and(was_passed_over) {
            return Ok(false);
        }
        match self.last() {
            Some(last) => holds_last(self.config, self.log, &self.range, last),
            None => Ok(false),
        }
    }

    /// Refuses a log that does not go on at `committed`. `is_told`: whether the command says that it does.
    fn check(&self, committed: u64, is_told: bool) -> Result<(), SourceError> {
        let Beside { config, log, topic, range, .. } = self;
        let PartitionRange { partition, first, end } = *range;
        let go_on_at_first = || how_to_go_on(config, topic, range, Some(first));
        if let Some((was, is)) = self.ids().filter(|(was, is)| was != is && !is_told) {
            return Err(self.changed(
                format!(
                    "the topic was created anew: its id is {is}, and what was counted up to offset {committed} is of {was}, \
                     which is gone"
                ),
                go_on_at_first(),
            ));
        }
        if committed < first {
            return Err(self.changed(
                format!("offsets {committed} to {} are gone from the log before they were read", first - 1),
                go_on_at_first(),
            ));
        }
        if committed <= end {
            return Ok(());
        }
        let is_same_topic = self.ids().is_some() && !self.is_another_topic();
        let (mut hint, why) = if is_same_topic {
            (String::new(), "it was cut off")
        } else {
            let number = partition.partition;
            let anew =
                format!("if it was created anew, --resume-at {topic}/{number}={first} counts what it holds; if not, ");
            (anew, "the topic was created anew or cut off")
        };
        let parts = match self.last().filter(|_| is_same_topic) {
            Some(last) => parts_at(*log, &config.topics, range, last)?,
            None => None,
        };
        hint.push_str(&how_to_go_on(config, topic, range, parts));
        Err(self.changed(format!("offset {committed} is committed, but the log ends at {end}: {why}"), hint))
    }

    fn changed(&self, what: String, hint: String) -> SourceError {
        let (topic, partition) = (self.topic.to_owned(), self.range.partition.partition);
        SourceError::LogChanged { topic, partition, what, hint }
    }

    fn incarnation(&self, resumed: Option<u64>) -> Result<u8, SourceError> {
        let before = self.state.map_or(0, |state| state.incarnation);
        let begins_anew = match resumed {
            None => false,
            Some(_) if self.is_another_topic() => true,
            Some(resumed) => resumed < self.counted() && !self.goes_on_as_counted()?,
        };
        before.checked_add(u8::from(begins_anew)).ok_or_else(|| {
            self.changed(
                format!("the log began anew more than {} times, which versions can not tell apart", u8::MAX),
                "start with a new store: `takings run` with another --store counts what the log holds".to_owned(),
            )
        })
    }

    /// Whether the log is the one that was counted, so that what is read twice is known by its offset. Where that is not
    /// known, since an earlier schema did not keep the last record, it is.
    fn goes_on_as_counted(&self) -> Result<bool, SourceError> {
        self.last().map_or(Ok(true), |last| holds_last(self.config, self.log, &self.range, last))
    }

    fn lost_until(&self, resumed: Option<u64>) -> i64 {
        let Some(state) = self.state else { return 0 };
        let is_lost = resumed.is_some_and(|resumed| self.is_another_topic() || resumed < state.offset);
        let reached = || state.reached(chrono::Utc::now().timestamp_millis());
        if is_lost { state.lost_until.max(reached()) } else { state.lost_until }
    }

    fn passed_over(&self, resumed: Option<u64>) -> PassedOver {
        let mut passed_over = self.state.map(|state| state.passed_over.clone()).unwrap_or_default();
        let Some(resumed) = resumed else { return passed_over };
        if self.is_another_topic() {
            // Nothing of it was ever counted.
            passed_over = PassedOver::default();
            passed_over.add(0, resumed);
        } else {
            // Cut off and gone on, or passed over: of what is before, what was counted still is.
            passed_over.cut(resumed);
            passed_over.add(self.counted(), resumed);
        }
        passed_over
    }

    /// The last record counted; one that stands behind where it is told to resume, or in another topic, is no more.
    fn last_before(&self, resumed: Option<u64>) -> Option<LastRecord> {
        self.last().filter(|last| match resumed {
            None => true,
            Some(resumed) => !self.is_another_topic() && last.offset < resumed,
        })
    }
}
