//! The store in PostgreSQL.
//!
//! What it can not do: work through a pooler that shares a session between clients (pgbouncer in
//! transaction mode), since the lock belongs to the session. It says so: see [`pooler`].
//!
//! How each clause of [`Store`] is kept:
//! - *one holder*: a session advisory lock, freed by the server when the connection ends;
//! - *fenced*, *once*: the first statement of a commit moves `job` on only from this process's
//!   generation and the epoch that it committed last. It also locks that row until the transaction ends.
//!   A server that lagged and was promoted may give a generation a second time: so the holder, who is never
//!   the same, must be this process too;
//! - *all or nothing*: one transaction;
//! - *changed rows only*: rows are written by their key, and counted.

mod books;
mod connection;
mod fault;
mod kept;
mod numeric;
mod orders;
mod pooler;
mod portions;
mod proofs;
mod rows;
mod schema;
pub(in crate::store) mod servers;
pub(in crate::store) mod session;
mod views;

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use takings_dataflows::day::Day;
use takings_dataflows::event::Event;

use self::connection::Params;
use self::session::{Session, SessionId, Sql};
use super::proof::{BY_DAY, DayRows, DaysSeen, ProvenDay};
use super::schema::check_to_look;
use super::settings::{StoredSettings, job_columns, view_names};
use super::switch::Switch;
use super::url::PostgresUrl;
use super::{Commit, JobSettings, Over, Recovered, Store, StoreError, Topics, host};

/// How many rows go into one statement: enough that the statement's own cost is nothing, few enough
/// that its arrays stay within some megabytes.
const ROWS_A_STATEMENT: usize = 20_000;
/// How often rows of `removals` that are older than a day are dropped.
const PRUNE_EVERY: Duration = Duration::from_secs(60);

const RAISE: Sql = Sql::new(
    "raising the generation",
    concat!("UPDATE job SET generation = generation + 1, holder = $1 RETURNING ", job_columns!()),
);
const LOOK: Sql = Sql::new("reading job", concat!("SELECT ", job_columns!(), " FROM job"));
const SET: Sql = Sql::new(
    "writing the job's settings",
    "UPDATE job SET time_zone = $1, default_currency = $2, keep_orders = $3, views = $4, topics = $5, log = $6,
       top = $7, formats = $8, payload_limit = $9, volume_window = $10, correction_window_ms = $11",
);
const RUN: Sql = Sql::new(
    "noting the run",
    "INSERT INTO runs (run, epoch, switched)
     VALUES (lpad(to_hex((random() * 281474976710655)::bigint), 12, '0'), $1, $2)",
);
const FORGET_RUNS: Sql =
    Sql::new("forgetting old runs", "DELETE FROM runs WHERE number <= (SELECT max(number) FROM runs) - 1000");
const GUARD: Sql = Sql::new(
    "moving the job on",
    "WITH moved AS (
       UPDATE job SET epoch = $1, committed_at = now()
       WHERE generation = $2 AND epoch = $3 AND holder = $4 RETURNING epoch)
     SELECT pg_backend_pid(), pg_notify('takings', epoch::text) FROM moved",
);
const WHERE_IT_STANDS: Sql = Sql::new("reading job", "SELECT generation, epoch, holder, pg_backend_pid() FROM job");
const PRUNE: Sql = Sql::new("pruning removals", "DELETE FROM removals WHERE removed_at < now() - interval '1 day'");

/// How long a holder has to come back after the database was away, before a standby that was away from it as well
/// takes the lock: three beats.
const COMES_BACK: Duration = Duration::from_secs(15);

/// The write side in PostgreSQL.
pub(super) struct PostgresStore {
    url: PostgresUrl,
    /// What waits for another holder's end.
    standby: Standby,
    /// The connection, while there is one.
    session: Option<Session>,
    /// The one before it, whose end the server may not have seen.
    previous: Option<SessionId>,
    /// What this process holds since it acquired the store.
    held: Option<Held>,
    pruned: Option<Instant>,
    /// From when on answers are of no use.
    over: Over,
}

/// A process that found the lock taken, and asks again.
///
/// It keeps its session meanwhile. Where that one breaks, so may the holder's have, and nobody is gone: the database
/// was away, or promoted elsewhere. Then the holder, who notices with its next beat, comes first.
#[derive(Default)]
struct Standby {
    session: Option<Session>,
    /// Who held the lock.
    holder: Option<String>,
    /// Until when the lock is the holder's, taken or not.
    leaves_it_until: Option<Instant>,
}

impl Standby {
    /// A session with the lock.
    fn lock(&mut self, url: &PostgresUrl, over: &Over, previous: Option<SessionId>) -> Result<Session, StoreError> {
        let mut session = match self.session.take() {
            Some(session) => session,
            None => {
                let session = Session::open_first(url, over)?;
                self.leaves_it_until = self.holder.is_some().then(|| Instant::now() + COMES_BACK);
                session
            }
        };
        if let (Some(holder), true) = (&self.holder, self.leaves_it_until > Some(Instant::now())) {
            let holder = format!("{holder} (the database was away, and it has a moment to come back)");
            self.session = Some(session);
            return Err(StoreError::Held { store: url.to_string(), holder });
        }
        match session.lock(previous) {
            Ok(()) => {
                self.holder = None;
                Ok(session)
            }
            Err(error) => {
                if let StoreError::Held { holder, .. } = &error {
                    self.holder = Some(holder.clone());
                    self.session = Some(session);
                }
                Err(error)
            }
        }
    }
}

/// How far this process knows the store to be its own.
#[derive(Clone)]
struct Held {
    generation: i64,
    /// The epoch committed last, as far as it was acknowledged.
    epoch: i64,
    /// This process, in words that no other acquiring has.
    holder: String,
}

/// What `job` says of who holds the store, and of how far it is.
struct Standing {
    generation: i64,
    epoch: i64,
    holder: Option<String>,
}

impl Held {
    /// Whether the store is still this process's, as it stands, with all that was committed.
    fn check(&self, stands: &Standing) -> Result<(), StoreError> {
        let is_ours = stands.holder.as_deref() == Some(&self.holder);
        if stands.generation > self.generation || (stands.generation == self.generation && !is_ours) {
            return Err(StoreError::Fenced {
                by: stands.holder.clone().unwrap_or_else(|| "another process".to_owned()),
                ours: self.generation as u64,
                theirs: stands.generation as u64,
            });
        }
        if !is_ours || stands.epoch < self.epoch {
            return Err(StoreError::WentBack { ours: self.epoch as u64, found: stands.epoch as u64 });
        }
        Ok(())
    }
}

impl PostgresStore {
    pub(super) fn new(url: PostgresUrl) -> Self {
        PostgresStore {
            url,
            standby: Standby::default(),
            session: None,
            previous: None,
            held: None,
            pruned: None,
            over: Over::default(),
        }
    }

    /// Runs `work` on the session, a new one if need be; a failure ends it.
    fn with_session<T>(
        &mut self,
        work: impl FnOnce(&mut Session, &Held) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let held = self.held.clone().ok_or_else(|| StoreError::Fault {
            doing: "writing to a store that was not acquired".to_owned(),
            source: "acquire it first".into(),
        })?;
        let mut session = match self.session.take() {
            Some(session) => session,
            None => self.resume(&held)?,
        };
        let done = work(&mut session, &held);
        self.previous = Some(session.id());
        // What only stands in the way costs the transaction, and not the session: with it would go the lock, to a
        // standby that the same thing stands in the way of.
        let is_usable = match &done {
            Ok(_) => true,
            Err(StoreError::Busy { .. }) => session.batch("rolling back", "ROLLBACK").is_ok(),
            Err(_) => false,
        };
        if is_usable {
            self.session = Some(session);
        }
        done
    }

    /// A session of its own that sees one moment; the generation, epoch and settings of then.
    fn begin_to_read(&self) -> Result<(Session, i64, i64, JobSettings), StoreError> {
        let mut session = Session::open_to_read(&self.url, &self.over)?;
        check_to_look(schema::version(&mut session)?, &self.url.to_string())?;
        session.batch("beginning to read", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
        let (generation, epoch, stored) = read_job(&mut session, &LOOK, &[])?;
        let settings = stored.complete().ok_or_else(|| StoreError::Empty { store: self.url.to_string() })?;
        Ok((session, generation, epoch, settings))
    }

    /// Another session for the same generation, after the connection was lost.
    fn resume(&mut self, held: &Held) -> Result<Session, StoreError> {
        let mut session = Session::open(&self.url, &self.over)?;
        let newcomer = match session.lock(self.previous) {
            Ok(()) => {
                // Should it break below, the server may hold the lock for it a while longer.
                self.previous = Some(session.id());
                None
            }
            Err(StoreError::Held { store, holder }) => Some((store, holder)),
            Err(error) => return Err(error),
        };
        held.check(&where_it_stands(&mut session)?)?;
        if let Some((store, holder)) = newcomer {
            // Whoever took the lock meanwhile is about to raise the generation, or to end without.
            let why = format!("{holder} came while this process had no contact with it, and may take it over");
            return Err(StoreError::Busy { source: why.clone().into(), store, why });
        }
        session.plan_for_commits()?;
        Ok(session)
    }
}

impl Store for PostgresStore {
    fn give_up_once(&mut self, over: Over) {
        for session in self.session.iter_mut().chain(&mut self.standby.session) {
            session.give_up_once(over.clone());
        }
        self.over = over;
    }

    fn acquire(&mut self, settings: &JobSettings) -> Result<Recovered, StoreError> {
        if let Some(session) = self.session.take() {
            self.previous = Some(session.id());
        }
        self.held = None;
        let mut session = self.standby.lock(&self.url, &self.over, self.previous)?;
        // Should the connection break below, the server may hold the lock for this session a while longer.
        self.previous = Some(session.id());
        session.check_encoding()?;
        schema::migrate(&mut session)?;
        session.begin()?;
        let holder = host::this_holder();
        let recovered = recover(&mut session, settings, &holder)?;
        session.commit()?;
        session.plan_for_commits()?;
        self.held = Some(Held { generation: recovered.generation as i64, epoch: recovered.epoch as i64, holder });
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
        self.with_session(|session, held| proofs::prove(session, held, days))
    }

    fn kept(&mut self, topics: &Topics, each: &mut dyn FnMut(Event) -> ControlFlow<()>) -> Result<(), StoreError> {
        self.with_session(|session, _| {
            kept::read_listings(session, topics, each)?;
            kept::read_feedback(session, topics, each)?;
            orders::read(session, topics, each)
        })
    }

    fn commit(&mut self, commit: &Commit) -> Result<(), StoreError> {
        if commit.is_done_or_refused(self.held.as_ref().map(|held| held.epoch))? {
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

    fn beat(&mut self) -> Result<(), StoreError> {
        self.with_session(|session, held| held.check(&where_it_stands(session)?))
    }
}

/// Raises the generation and reads what the last commit left, in the transaction that is open. From
/// the first statement on, a commit under an older generation waits, and then fails.
fn recover(session: &mut Session, settings: &JobSettings, holder: &str) -> Result<Recovered, StoreError> {
    let (generation, epoch, stored) = read_job(session, &RAISE, &[&holder])?;
    stored.check(settings)?;
    let switch = Switch::of(&views::complete(session)?, stored.top, settings);
    let is_switched = views::switch(session, epoch, &switch)?;
    session.execute(&RUN, &[&epoch, &is_switched])?;
    session.execute(&FORGET_RUNS, &[])?;
    let JobSettings { time_zone, default_currency, keep_orders, topics, log, top, formats, .. } = settings;
    let (top, formats, views) = (i32::from(*top), serde_json::json!(formats), view_names(settings));
    let [payload_limit, volume_window] = [settings.payload_limit as i64, settings.volume_window.into()];
    let correction_window = settings.correction_window.map(|window| window.as_millis() as i64);
    session.execute(
        &SET,
        &[
            time_zone,
            default_currency,
            keep_orders,
            &views,
            topics,
            log,
            &top,
            &formats,
            &payload_limit,
            &volume_window,
            &correction_window,
        ],
    )?;
    read_rest(session, generation, epoch, switch)
}

/// The one row of `job`: generation, epoch, settings.
fn read_job(session: &mut Session, sql: &Sql, params: Params<'_>) -> Result<(i64, i64, StoredSettings), StoreError> {
    let rows = session.query(sql, params)?;
    let [row] = rows.as_slice() else {
        return Err(StoreError::Corrupt(format!("job holds {} rows, and should hold one", rows.len())));
    };
    let read = || -> Result<(i64, i64, StoredSettings), tokio_postgres::Error> {
        let stored = StoredSettings {
            time_zone: row.try_get(2)?,
            default_currency: row.try_get(3)?,
            keep_orders: row.try_get(4)?,
            views: row.try_get(5)?,
            topics: row.try_get(6)?,
            log: row.try_get(7)?,
            top: row.try_get::<_, Option<i32>>(8)?.and_then(|top| top.try_into().ok()),
            formats: row.try_get::<_, Option<serde_json::Value>>(9)?.and_then(|text| serde_json::from_value(text).ok()),
            payload_limit: row.try_get::<_, Option<i64>>(10)?.map(|limit| limit as u64),
            volume_window: row.try_get::<_, Option<i64>>(11)?.map(|minutes| minutes as u32),
            correction_window: row.try_get::<_, Option<i64>>(12)?.map(|millis| Duration::from_millis(millis as u64)),
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
fn write(session: &mut Session, held: &Held, commit: &Commit, prune: bool) -> Result<(), StoreError> {
    let epoch = commit.epoch as i64;
    session.begin()?;
    let moved = session.query(&GUARD, &[&epoch, &held.generation, &held.epoch, &held.holder])?;
    let Some(moved) = moved.first() else {
        let stands = where_it_stands(session)?;
        session.batch("rolling back", "ROLLBACK")?;
        held.check(&stands)?;
        return match stands.epoch {
            // It was committed, and its acknowledgement lost.
            found if found == epoch => Ok(()),
            found => Err(StoreError::Corrupt(format!(
                "it stands at epoch {found}, and this process committed epoch {} last: somebody wrote to the table job; \
                 restore a backup",
                held.epoch
            ))),
        };
    };
    let pid = moved.try_get(0).map_err(|error| fault::fault(session.store(), &GUARD.doing, error))?;
    session.is_its_own(pid)?;
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

/// Who holds the store, and how far it is.
fn where_it_stands(session: &mut Session) -> Result<Standing, StoreError> {
    let rows = session.query(&WHERE_IT_STANDS, &[])?;
    let row = rows.first().ok_or_else(|| StoreError::Corrupt("job is empty, and should hold one row".to_owned()))?;
    let read = || {
        let stands = Standing { generation: row.try_get(0)?, epoch: row.try_get(1)?, holder: row.try_get(2)? };
        Ok((stands, row.try_get(3)?))
    };
    let (stands, pid) = read().map_err(|error| fault::fault(session.store(), &WHERE_IT_STANDS.doing, error))?;
    session.is_its_own(pid)?;
    Ok(stands)
}
