//! The schema in PostgreSQL: brought up to date, or refused where it is newer.

use super::fault::{fault, migration_fault};
use super::session::Session;
use crate::store::{SCHEMA_HISTORY, StoreError};

#[allow(missing_docs, unreachable_pub)]
mod embedded {
    refinery::embed_migrations!("sql/postgres/migrations");
}

/// Whether the schema is there and is the one this program writes.
///
/// # Errors
/// [`StoreError::NewerSchema`].
pub(super) fn is_known(session: &mut Session) -> Result<bool, StoreError> {
    let known = newest_known(&embedded::migrations::runner());
    match version(session)? {
        found if found > known => Err(StoreError::NewerSchema { found: found as u32, known: known as u32 }),
        found => Ok(found == known),
    }
}

fn newest_known(runner: &refinery::Runner) -> i64 {
    runner.get_migrations().iter().map(|migration| i64::from(migration.version())).max().unwrap_or(0)
}

/// Applies what is missing, all in one transaction. The caller holds the store's lock.
pub(super) fn migrate(session: &mut Session) -> Result<(), StoreError> {
    if is_known(session)? {
        return Ok(());
    }
    let mut runner = embedded::migrations::runner().set_grouped(true);
    runner.set_migration_table_name(SCHEMA_HISTORY);
    let store = session.store().to_owned();
    runner
        .run(session.client())
        .map(drop)
        .map_err(|error| migration_fault(&store, "bringing the schema up to date", error))
}

/// The store's schema version; 0 where it has none.
fn version(session: &mut Session) -> Result<i64, StoreError> {
    let doing = "reading the schema's version";
    let store = session.store().to_owned();
    let read = |client: &mut postgres::Client| {
        let history: Option<String> =
            client.query_one("SELECT to_regclass($1)::text", &[&SCHEMA_HISTORY])?.try_get(0)?;
        match history {
            None => Ok(0),
            Some(_) => client
                .query_one(&format!("SELECT coalesce(max(version), 0)::bigint FROM {SCHEMA_HISTORY}"), &[])?
                .try_get(0),
        }
    };
    read(session.client()).map_err(|error| fault(&store, doing, error))
}
