//! The background audit's thread: which days are recounted when, at what pace.
//!
//! It has no part in the job: it reads the log with a reader of its own and the store at a moment of its own, and hands
//! verdicts to the writer. Whatever fails here is told and tried again; nothing of it ends the job. A wrong audit must
//! not stop a shop, and neither does a right one: readers are told.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use takings_dataflows::day::Day;

use super::error::chain;
use super::pace::Pace;
use super::writer::ToWriter;
use super::{JobError, open_log};
use crate::audit::days::{Asked, recount_days};
use crate::audit::{AuditError, AuditSettings};
use crate::config::JobConfig;
use crate::store::{DayState, DaysSeen, Outcome, Over, ProvenDay, StoreUrl};

/// How often it looks whether there is something to prove, at most.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// The first look comes so long after the start.
const FIRST_LOOK: Duration = Duration::from_secs(10);
/// A pass that proves days anew is followed by so many times its own length without one.
const REST: u32 = 4;
/// How long it waits for the job to have time again.
const BUSY: Duration = Duration::from_millis(100);
/// How many differences of a pass are logged.
const LOGGED: usize = 20;

/// Proves days until the job is over.
pub(super) fn run(config: &JobConfig, pace: &Arc<Pace>, to_writer: &Sender<ToWriter>, ended: &Receiver<()>) {
    let settings = AuditSettings::of(config);
    let mut prover = Prover { config, settings, pace, to_writer, ended, told: String::new() };
    let mut pause = FIRST_LOOK.min(config.audit_every);
    while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(pause) {
        pause = LOOK_EVERY.min(config.audit_every);
        if !prover.has_time() {
            pause = pause.min(FIRST_LOOK);
            continue;
        }
        match prover.pass() {
            Ok(next) => {
                prover.told.clear();
                pause = next.unwrap_or(pause);
            }
            Err(error) => prover.tell(&error),
        }
    }
}

/// Why a pass came to no verdict.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Job(#[from] JobError),
    #[error(transparent)]
    Audit(#[from] AuditError),
}

struct Prover<'a> {
    config: &'a JobConfig,
    settings: AuditSettings,
    pace: &'a Arc<Pace>,
    to_writer: &'a Sender<ToWriter>,
    ended: &'a Receiver<()>,
    /// The failure that was told last.
    told: String,
}

impl Prover<'_> {
    fn has_time(&self) -> bool {
        self.pace.calm.has_time(self.pace.fed())
    }

    fn is_over(&self) -> bool {
        self.pace.is_over()
            || self.pace.is_stopping()
            || self.ended.try_recv() != Err(crossbeam_channel::TryRecvError::Empty)
    }

    /// Waits, but not past the end.
    fn wait(&self, time: Duration) {
        let _ = self.ended.recv_timeout(time);
    }

    /// Once, not every minute of an outage.
    fn tell(&mut self, error: &Failed) {
        let text = chain(error);
        if text != self.told {
            tracing::warn!("the background audit waits: {text}");
            self.told = text;
        }
    }

    /// Proves as many days as fit, and says how long to rest; `None` where there was nothing to do.
    fn pass(&mut self) -> Result<Option<Duration>, Failed> {
        let config = self.config;
        let mut store =
            crate::store::open(&StoreUrl::parse(&config.store).map_err(JobError::from)?).map_err(JobError::from)?;
        let pace = Arc::clone(self.pace);
        store.give_up_once(Over::once(move || pace.is_over()));
        let mut due = Due::default();
        let choose = &mut |seen: &DaysSeen| {
            due = Due::of(&seen.days, Utc::now(), config.audit_every, config.audit_orders);
            due.days.iter().copied().collect()
        };
        let (seen, rows) = store.look_at_days(choose).map_err(JobError::from)?;
        if due.days.is_empty() || seen.views.is_empty() {
            return Ok(None);
        }
        self.settings.views.clone_from(&seen.views);
        let began = Instant::now();
        let (mut records, rate) = (0u64, f64::from(config.audit_rate));
        let mut busy = Duration::ZERO;
        let log = open_log(config)?;
        let asked = Asked {
            settings: &self.settings,
            epoch: seen.epoch,
            partitions: &seen.partitions,
            days: &due.days,
            rows: &rows,
            are_all: due.are_all,
        };
        let verdicts = recount_days(log.as_ref(), &asked, &mut |read| {
            records += read;
            while !self.has_time() && !self.is_over() {
                self.wait(BUSY);
                busy += BUSY;
            }
            let ahead = Duration::from_secs_f64(records as f64 / rate)
                .saturating_sub(began.elapsed() - busy.min(began.elapsed()));
            let until = Instant::now() + ahead;
            while !self.is_over() && Instant::now() < until {
                self.wait(BUSY.min(until.saturating_duration_since(Instant::now())));
            }
            !self.is_over()
        })?;
        let Some(verdicts) = verdicts else { return Ok(None) };
        report(&verdicts, records, began.elapsed());
        // Before it is written the next pass would prove the same days. A writer that ended leaves what it was sent
        // where it is: nobody answers then, and the job is over.
        let (written, is_written) = bounded(1);
        let _ = self.to_writer.send(ToWriter::Proven(verdicts, written));
        while is_written.recv_timeout(BUSY) == Err(RecvTimeoutError::Timeout) && !self.is_over() {}
        let rest = (began.elapsed() * REST).max(LOOK_EVERY.min(config.audit_every));
        Ok(Some(if due.are_new { Duration::ZERO } else { rest }))
    }
}

/// Says in the log what a pass found.
fn report(verdicts: &[ProvenDay], records: u64, took: Duration) {
    let count = |outcome| verdicts.iter().filter(|verdict| verdict.outcome == outcome).count();
    let (proven, differing, lost) = (count(Outcome::Proven), count(Outcome::Differs), count(Outcome::NotProvable));
    let epoch = verdicts.first().map_or(0, |verdict| verdict.epoch);
    tracing::info!(
        epoch,
        records,
        seconds = took.as_secs_f64(),
        "the background audit recounted {} days: {proven} proven, {differing} differ, {lost} not provable",
        verdicts.len()
    );
    let differing = verdicts.iter().filter(|verdict| verdict.outcome == Outcome::Differs);
    let shown: Vec<_> = differing.flat_map(|verdict| &verdict.shown).collect();
    for difference in shown.iter().take(LOGGED) {
        tracing::error!(
            epoch,
            "the store is not what the log says: {}: stored {}, counted {}; `takings audit` compares everything",
            difference.what,
            difference.stored,
            difference.counted
        );
    }
    for verdict in verdicts.iter().filter(|verdict| verdict.outcome == Outcome::NotProvable).take(1) {
        tracing::warn!("{} can not be proven: {}", verdict.day, verdict.reason.as_deref().unwrap_or_default());
    }
}

/// What is to be proven next.
#[derive(Default)]
struct Due {
    days: BTreeSet<Day>,
    /// Whether these are all days that there are, the open ones included.
    are_all: bool,
    /// Whether any of them has no verdict yet.
    are_new: bool,
}

impl Due {
    /// Closed days without a verdict come first, the oldest first; then those that changed since they were proven, then
    /// those whose verdict is older than `every`. Of these as many as have `orders_at_most` orders together, or one.
    fn of(days: &[DayState], now: DateTime<Utc>, every: Duration, orders_at_most: u64) -> Due {
        let newest = days.iter().map(|state| state.day).max();
        let every = TimeDelta::from_std(every).unwrap_or(TimeDelta::MAX);
        let rank = |state: &&DayState| match state.verdict {
            _ if Some(state.day) >= newest => None,
            None => Some((0, DateTime::UNIX_EPOCH, state.day)),
            Some((epoch, at, _)) if epoch < state.changed_epoch => Some((1, at, state.day)),
            Some((_, at, _)) if now.signed_duration_since(at) >= every => Some((2, at, state.day)),
            Some(_) => None,
        };
        let mut due: Vec<_> = days.iter().filter_map(|state| Some((rank(&state)?, state))).collect();
        due.sort_unstable_by_key(|(rank, _)| *rank);
        let mut chosen = Due { are_new: due.first().is_some_and(|((rank, ..), _)| *rank == 0), ..Due::default() };
        let mut orders = 0;
        for (_, state) in due {
            orders += state.orders;
            if !chosen.days.is_empty() && orders > orders_at_most {
                break;
            }
            chosen.days.insert(state.day);
        }
        chosen.are_all = days.iter().map(|state| state.orders).sum::<u64>() <= orders_at_most;
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: Duration = Duration::from_secs(3600);

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn state(day: i32, orders: u64, verdict: Option<(u64, i64)>) -> DayState {
        let verdict = verdict.map(|(epoch, minutes)| (epoch, now() - TimeDelta::minutes(minutes), Outcome::Proven));
        DayState { day: Day::from_epoch_days(day), changed_epoch: 10, orders, verdict }
    }

    fn due(days: &[DayState], orders_at_most: u64) -> Vec<i32> {
        let due = Due::of(days, now(), EVERY, orders_at_most);
        due.days.iter().map(|day| day.epoch_days()).collect()
    }

    #[test]
    fn the_newest_day_is_not_closed() {
        assert_eq!(due(&[state(1, 5, None)], 100), [0; 0]);
        assert_eq!(due(&[state(1, 5, None), state(2, 5, None)], 100), [1]);
    }

    #[test]
    fn the_oldest_without_a_verdict_comes_first() {
        let days = [state(1, 5, Some((4, 1))), state(2, 5, None), state(3, 5, None), state(4, 5, None)];
        assert_eq!(due(&days, 9), [2], "as many as fit");
        assert_eq!(due(&days, 1), [2], "one at least, however large");
        assert_eq!(due(&days, 10), [2, 3]);
        assert_eq!(due(&days, 15), [1, 2, 3], "the one that changed is last");
    }

    #[test]
    fn what_was_proven_is_proven_in_turn() {
        let days =
            [state(1, 5, Some((10, 59))), state(2, 5, Some((10, 61))), state(3, 5, Some((10, 90))), state(4, 5, None)];
        assert_eq!(due(&days, 5), [3]);
        assert_eq!(due(&days, 50), [2, 3]);
        assert!(!Due::of(&days, now(), EVERY, 50).are_new);
    }

    #[test]
    fn all_orders_are_held_only_where_all_fit() {
        let days = [state(1, 5, None), state(2, 6, None)];
        assert!(Due::of(&days, now(), EVERY, 11).are_all);
        assert!(!Due::of(&days, now(), EVERY, 10).are_all);
    }
}
