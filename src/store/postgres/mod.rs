//! The store in PostgreSQL.
//!
//! What it can not do: work through a pooler that shares a session between clients (pgbouncer in
//! transaction mode), since the lock belongs to the session.
//!
//! How each clause of [`Store`] is kept:
//! - *one holder*: a session advisory lock, freed by the server when the connection ends;
//! - *fenced*, *once*: the first statement of a commit moves `job` on only from this process's
//!   generation and the epoch that it committed last. It also locks that row until the transaction ends;
//! - *all or nothing*: one transaction;
//! - *changed rows only*: rows are written by their key, and counted.

mod books;
mod fault;
mod kept;
mod numeric;
mod orders;
mod proofs;
mod rows;
mod schema;
mod session;
mod views;

use std::time::{Duration, Instant};

use takings_dataflows::day::Day;
use takings_dataflows::event::Event;

use self::session::{Session, SessionId, Sql};
use super::proof::{BY_DAY, DayRows, DaysSeen, ProvenDay};
use super::settings::{StoredSettings, view_names};
use super::switch::Switch;
use super::url::PostgresUrl;
use super::{Commit, JobSettings, Recovered, Store, StoreError, Topics};

/// How many rows go into one statement: enough that the statement's own cost is nothing, few enough
/// that its arrays stay within some megabytes.
const ROWS_A_STATEMENT: usize = 20_000;
/// How often rows of `removals` that are older than a day are dropped.
const PRUNE_EVERY: Duration = Duration::from_secs(60);

const RAISE: Sql = Sql::new(
    "raising the generation",
    "UPDATE job SET generation = generation + 1
     RETURNING generation, epoch, time_zone, default_currency, keep_orders, views, topics, log, top, formats",
);
const LOOK: Sql = Sql::new(
    "reading job",
    "SELECT generation, epoch, time_zone, default_currency, keep_orders, views, topics, log, top, formats FROM job",
);
const SET: Sql = Sql::new(
    "writing the job's settings",
    "UPDATE job SET time_zone = $1, default_currency = $2, keep_orders = $3, views = $4, topics = $5, log = $6,
       top = $7, formats = $8",
);
const GUARD: Sql = Sql::new(
    "moving the job on",
    "WITH moved AS (
       UPDATE job SET epoch = $1, committed_at = now() WHERE generation = $2 AND epoch = $3 RETURNING epoch)
     SELECT pg_notify('takings', epoch::text) FROM moved",
);
const WHERE_IT_STANDS: Sql = Sql::new("reading job", "SELECT generation, epoch FROM job");
const PRUNE: Sql = Sql::new("pruning removals", "DELETE FROM removals WHERE removed_at < now() - interval '1 day'");

/// The write side in PostgreSQL.
pub(super) struct PostgresStore {
    url: PostgresUrl,
    /// The connection, while there is one.
    session: Option<Session>,
    /// The one before it, whose end the server may not have seen.
    previous: Option<SessionId>,
    /// What this process holds since it acquired the store.
    held: Option<Held>,
    pruned: Option<Instant>,
}

/// How far this process knows the store to be its own.
#[derive(Clone, Copy)]
struct Held {
    generation: i64,
    /// The epoch committed last, as far as it was acknowledged.
    epoch: i64,
}

impl PostgresStore {
    pub(super) const fn new(url: PostgresUrl) -> Self {
        PostgresStore { url, session: None, previous: None, held: None, pruned: None }
    }

    /// Runs `work` on the session, a new one if need be; a failure ends it.
    fn with_session<T>(
        &mut self,
        work: impl FnOnce(&mut Session, Held) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let held = self.held.ok_or_else(|| StoreError::Fault {
            doing: "writing to a store that was not acquired".to_owned(),
            source: "acquire it first".into(),
        })?;
        let mut session = match self.session.take() {
            Some(session) => session,
            None => self.resume(held)?,
        };
        let done = work(&mut session, held);
        self.previous = Some(session.id());
        if done.is_ok() {
            self.session = Some(session);
        }
        done
    }

    /// A session of its own that sees one moment; the generation, epoch and settings of then.
    fn begin_to_read(&self) -> Result<(Session, i64, i64, JobSettings), StoreError> {
        let mut session = Session::open_to_read(&self.url)?;
        if !schema::is_known(&mut session)? {
            return Err(StoreError::Empty { store: self.url.to_string() });
        }
        session.batch("beginning to read", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
        let (generation, epoch, stored) = read_job(&mut session, &LOOK)?;
        let settings = stored.complete().ok_or_else(|| StoreError::Empty { store: self.url.to_string() })?;
        Ok((session, generation, epoch, settings))
    }

    /// Another session for the same generation, after the connection was lost.
    fn resume(&mut self, held: Held) -> Result<Session, StoreError> {
        let mut session = Session::open(&self.url)?;
        let held_by_another = match session.lock(self.previous) {
            Ok(()) => None,
            Err(held @ StoreError::Held { .. }) => Some(held),
            Err(error) => return Err(error),
        };
        // Whoever took the lock meanwhile has raised the generation, or is about to.
        let (generation, _) = where_it_stands(&mut session)?;
        if generation != held.generation {
            return Err(StoreError::Fenced { ours: held.generation as u64, theirs: generation as u64 });
        }
        if let Some(held) = held_by_another {
            return Err(held);
        }
        session.plan_for_commits()?;
        Ok(session)
    }
}

impl Store for PostgresStore {
    fn acquire(&mut self, settings: &JobSettings) -> Result<Recovered, StoreError> {
        if let Some(session) = self.session.take() {
            self.previous = Some(session.id());
        }
        self.held = None;
        let mut session = Session::open(&self.url)?;
        session.lock(self.previous)?;
        schema::migrate(&mut session)?;
        session.begin()?;
        let recovered = recover(&mut session, settings)?;
        session.commit()?;
        session.plan_for_commits()?;
        self.held = Some(Held { generation: recovered.generation as i64, epoch: recovered.epoch as i64 });
        self.session = Some(session);
        Ok(recovered)
    }

    fn look(&mut self) -> Result<(JobSettings, Recovered), StoreError> {
        let (mut session, generation, epoch, settings) = self.begin_to_read()?;
        let switch = Switch::of(&views::complete(&mut session)?, Some(settings.top), &settings);
        let recovered = read_rest(&mut session, generation, epoch, switch)?;
        session.batch("ending to read", "COMMIT")?;
        Ok((settings, recovered))
    }

    fn look_at_days(
        &mut self,
        choose: &mut dyn FnMut(&DaysSeen) -> Vec<Day>,
    ) -> Result<(DaysSeen, DayRows), StoreError> {
        let (mut session, _, epoch, settings) = self.begin_to_read()?;
        let switch = Switch::of(&views::complete(&mut session)?, Some(settings.top), &settings);
        let views = settings.views.iter().copied().filter(|view| !switch.to_fill.contains(view)).collect();
        let partitions = books::read_sources(&mut session)?;
        let days = proofs::read_days(&mut session, &switch.to_read)?;
        let seen = DaysSeen { settings, epoch: epoch as u64, partitions, views, days };
        let days = choose(&seen);
        let mut rows = Vec::new();
        for view in BY_DAY.into_iter().filter(|view| switch.to_read.contains(view)) {
            rows.append(&mut rows::read_of_days(&mut session, view, &days)?);
        }
        session.batch("ending to read", "COMMIT")?;
        Ok((seen, rows))
    }

    fn prove(&mut self, days: &[ProvenDay]) -> Result<(), StoreError> {
        self.with_session(|session, held| proofs::prove(session, held.generation, days))
    }

    fn kept(&mut self, topics: &Topics, each: &mut dyn FnMut(Event)) -> Result<(), StoreError> {
        self.with_session(|session, _| {
            kept::read_listings(session, topics, each)?;
            kept::read_feedback(session, topics, each)?;
            orders::read(session, topics, each)
        })
    }

    fn commit(&mut self, commit: &Commit) -> Result<(), StoreError> {
        if commit.is_done_or_refused(self.held.map(|held| held.epoch))? {
            return Ok(());
        }
        let prune = self.pruned.is_none_or(|pruned| pruned.elapsed() >= PRUNE_EVERY);
        self.with_session(|session, held| write(session, held, commit, prune))?;
        if let Some(held) = &mut self.held {
            held.epoch = commit.epoch as i64;
        }
        if prune {
            self.pruned = Some(Instant::now());
        }
        Ok(())
    }
}

/// Raises the generation and reads what the last commit left, in the transaction that is open. From
/// the first statement on, a commit under an older generation waits, and then fails.
fn recover(session: &mut Session, settings: &JobSettings) -> Result<Recovered, StoreError> {
    let (generation, epoch, stored) = read_job(session, &RAISE)?;
    stored.check(settings)?;
    let switch = Switch::of(&views::complete(session)?, stored.top, settings);
    views::switch(session, epoch, &switch)?;
    let JobSettings { time_zone, default_currency, keep_orders, topics, log, top, formats, .. } = settings;
    let (top, formats) = (i32::from(*top), serde_json::json!(formats));
    let views = view_names(settings);
    session.execute(&SET, &[time_zone, default_currency, keep_orders, &views, topics, log, &top, &formats])?;
    read_rest(session, generation, epoch, switch)
}

/// The one row of `job`: generation, epoch, settings.
fn read_job(session: &mut Session, sql: &Sql) -> Result<(i64, i64, StoredSettings), StoreError> {
    let rows = session.query(sql, &[])?;
    let [row] = rows.as_slice() else {
        return Err(StoreError::Corrupt(format!("job holds {} rows, and should hold one", rows.len())));
    };
    let read = || -> Result<(i64, i64, StoredSettings), postgres::Error> {
        let stored = StoredSettings {
            time_zone: row.try_get(2)?,
            default_currency: row.try_get(3)?,
            keep_orders: row.try_get(4)?,
            views: row.try_get(5)?,
            topics: row.try_get(6)?,
            log: row.try_get(7)?,
            top: row.try_get::<_, Option<i32>>(8)?.and_then(|top| top.try_into().ok()),
            formats: row.try_get::<_, Option<serde_json::Value>>(9)?.and_then(|text| serde_json::from_value(text).ok()),
        };
        Ok((row.try_get(0)?, row.try_get(1)?, stored))
    };
    read().map_err(|error| fault::fault(session.store(), &sql.doing, error))
}

/// Sources and rows, in the transaction that is open.
fn read_rest(session: &mut Session, generation: i64, epoch: i64, switch: Switch) -> Result<Recovered, StoreError> {
    let partitions = books::read_sources(session)?;
    let mut rows = Vec::new();
    for &view in &switch.to_read {
        rows.append(&mut rows::read(session, view)?);
    }
    let (generation, epoch) = (generation as u64, epoch as u64);
    let incomplete = views::incomplete(session)?;
    let inconsistent = proofs::read_inconsistent(session)?;
    Ok(Recovered { generation, epoch, partitions, rows, to_fill: switch.to_fill, incomplete, inconsistent })
}

/// One epoch in one transaction.
fn write(session: &mut Session, held: Held, commit: &Commit, prune: bool) -> Result<(), StoreError> {
    let epoch = commit.epoch as i64;
    session.begin()?;
    if session.query(&GUARD, &[&epoch, &held.generation, &held.epoch])?.is_empty() {
        let stands = where_it_stands(session)?;
        session.batch("rolling back", "ROLLBACK")?;
        return match stands {
            (generation, _) if generation != held.generation => {
                Err(StoreError::Fenced { ours: held.generation as u64, theirs: generation as u64 })
            }
            // It was committed, and its acknowledgement lost.
            (_, found) if found == epoch => Ok(()),
            (_, found) => Err(StoreError::Corrupt(format!(
                "it stands at epoch {found}, and this process committed epoch {} last: the database went back (a \
                 failover to a server that lagged, or a restored backup); start again to go on from there",
                held.epoch
            ))),
        };
    }
    rows::write(session, epoch, &commit.rows)?;
    proofs::write_inconsistent(session, epoch, &commit.inconsistent, &commit.cured)?;
    orders::write(session, epoch, &commit.orders)?;
    orders::write_earlier(session, epoch, &commit.earlier)?;
    kept::write_listings(session, epoch, &commit.listings)?;
    kept::write_feedback(session, epoch, &commit.feedback)?;
    views::write_filled(session, epoch, &commit.filled)?;
    books::write_corrections(session, epoch, &commit.corrections)?;
    books::write_rejected(session, epoch, &commit.rejected)?;
    books::write_sources(session, epoch, &commit.partitions)?;
    if prune {
        session.execute(&PRUNE, &[])?;
    }
    match session.commit()? {
        Some(found) if found >= commit.epoch => Ok(()),
        found => Err(StoreError::Corrupt(format!(
            "epoch {epoch} was rolled back without an error; the store stands at {found:?}"
        ))),
    }
}

/// The generation and epoch of the store.
fn where_it_stands(session: &mut Session) -> Result<(i64, i64), StoreError> {
    let rows = session.query(&WHERE_IT_STANDS, &[])?;
    let row = rows.first().ok_or_else(|| StoreError::Corrupt("job is empty, and should hold one row".to_owned()))?;
    let read = || Ok((row.try_get(0)?, row.try_get(1)?));
    read().map_err(|error| fault::fault(session.store(), &WHERE_IT_STANDS.doing, error))
}
