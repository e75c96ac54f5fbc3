//! Where totals are kept: the write side that the job's sink uses, and the read side of the service.
//!
//! Two implementations, PostgreSQL and SQLite, pass one conformance suite (`tests/store_conformance.rs`).
//! No other module holds SQL.

pub mod columns;
pub mod commit;
pub mod error;
mod host;
pub mod loss;
mod moment;
mod over;
mod packed;
mod passed_over;
mod postgres;
pub mod proof;
pub mod reader;
pub mod schema;
mod settings;
mod spaces;
mod sqlite;
mod switch;
pub mod text;
pub mod url;

use std::ops::ControlFlow;
use std::time::Duration;

use takings_dataflows::day::Day;
use takings_dataflows::event::Event;

pub use commit::{Commit, FilledView, IncompleteView, Inconsistent, JobSettings, PartitionState, Recovered};
pub use error::StoreError;
pub use loss::Loss;
pub use over::Over;
pub use passed_over::PassedOver;
pub use proof::{DayRows, DayState, DaysSeen, Outcome, ProvenDay};
pub use spaces::Topics;
pub use url::StoreUrl;

/// How often an idle holder says that it lives. A frozen one is replaced after six of these; see
/// `postgres/session.rs`.
pub const BEAT: Duration = Duration::from_secs(5);

/// The write side of a store. Touches nothing until it is acquired.
///
/// # Errors
/// [`StoreError::Configuration`] for a store that this build can not write.
pub fn open(url: &StoreUrl) -> Result<Box<dyn Store>, StoreError> {
    Ok(match url {
        StoreUrl::Postgres(url) => Box::new(postgres::PostgresStore::new((**url).clone())),
        StoreUrl::Sqlite(file) => Box::new(sqlite::SqliteStore::new(file.clone())),
    })
}

/// The write side: one job, one connection, one transaction an epoch.
///
/// Contract, which the conformance suite checks of every implementation:
/// - *one holder*: between a successful [`acquire`](Store::acquire) and drop no other process
///   acquires the same store; the operating system or the server frees it when the process dies;
/// - *fenced*: each acquire raises the generation; a commit under an older one changes nothing and
///   fails with [`StoreError::Fenced`];
/// - *no clock*: what a process may write never depends on one. How soon a store is free after its holder froze
///   does, in PostgreSQL: the server ends a session that is silent for too long, and [`beat`](Store::beat) is
///   what keeps it from that;
/// - *all or nothing*: after a crash at any moment the store holds a whole number of epochs;
/// - *once*: a commit that is repeated because its outcome was unknown takes effect once. It must be the
///   same commit: one that has taken in later epochs as well would be refused if the first did take effect;
/// - *changed rows only*: rows that a commit does not name keep their epoch;
/// - *no impossible total*: what no set of records can sum to is noted in `inconsistent`, in the same transaction,
///   and never written to its view.
pub trait Store: Send {
    /// From when on its answers are of no use. What is not answered by a little later fails as if the store were not
    /// reachable, whether it was asked before or after. Nothing to do for a store that is never silent.
    fn give_up_once(&mut self, _over: Over) {}

    /// Brings the schema up to date, takes the lock, raises the generation, and reads what the last
    /// commit left.
    ///
    /// # Errors
    /// [`StoreError::Held`] where another process holds it (a standby tries again);
    /// [`StoreError::NewerSchema`], [`StoreError::Settings`]: see there.
    fn acquire(&mut self, settings: &JobSettings) -> Result<Recovered, StoreError>;

    /// What the last commit left and under which settings, read at one moment and without taking the
    /// store: a job may hold it meanwhile. Changes nothing.
    ///
    /// # Errors
    /// [`StoreError::Empty`] where no job ever wrote here; [`StoreError::OlderSchema`], [`StoreError::NewerSchema`].
    fn look(&mut self) -> Result<(JobSettings, Recovered), StoreError>;

    /// What the last commit left of some days, read at one moment and without taking the store; `choose` is shown
    /// all days, and says which. Changes nothing.
    ///
    /// # Errors
    /// As [`look`](Store::look).
    fn look_at_days(
        &mut self,
        choose: &mut dyn FnMut(&DaysSeen) -> Vec<Day>,
    ) -> Result<(DaysSeen, DayRows), StoreError>;

    /// Writes what an audit found of some days, in place of what it found of them before. No epoch of its own: no
    /// total changes.
    ///
    /// # Errors
    /// [`StoreError::Fenced`], as a commit; [`StoreError::Unreachable`] may be tried again.
    fn prove(&mut self, days: &[ProvenDay]) -> Result<(), StoreError>;

    /// Hands every kept listing, feedback, order and cancellation to `each`, as events with the version they
    /// were written with, in no particular order; orders without the details that no total needs. `topics` gives
    /// each of the job's topics its rank (as in
    /// [`takings_dataflows::order::PartitionId`]) and its id space. Ends early, without an error, where `each` breaks off.
    fn kept(&mut self, topics: &Topics, each: &mut dyn FnMut(Event) -> ControlFlow<()>) -> Result<(), StoreError>;

    /// Writes one epoch, durably, in one transaction. Returns when it is committed.
    ///
    /// # Errors
    /// What [is transient](StoreError::is_transient) may be tried again with the same commit, and is then safe
    /// to repeat even if the first one did reach the store. [`StoreError::Fenced`]; [`StoreError::WentBack`].
    fn commit(&mut self, commit: &Commit) -> Result<(), StoreError>;

    /// Says that this process lives, and learns whether it was replaced. Called every [`BEAT`] while there is
    /// nothing to commit; writes nothing.
    ///
    /// # Errors
    /// As [`commit`](Store::commit).
    fn beat(&mut self) -> Result<(), StoreError>;
}
