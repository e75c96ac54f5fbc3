//! The schema in PostgreSQL: brought up to date, or refused where it is newer.

use tokio_postgres::Error;

use super::connection::Connection;
use super::fault::{fault, migration_fault};
use super::session::Session;
use crate::store::StoreError;
use crate::store::schema::{HISTORY, is_to_migrate};

#[allow(missing_docs, unreachable_pub)]
mod embedded {
    refinery::embed_migrations!("sql/postgres/migrations");
}

/// Applies what is missing, all in one transaction. The caller holds the store's lock.
pub(super) fn migrate(session: &mut Session) -> Result<(), StoreError> {
    if !is_to_migrate(version(session)?)? {
        return Ok(());
    }
    let mut runner = embedded::migrations::runner().set_grouped(true);
    runner.set_migration_table_name(HISTORY);
    let store = session.store().to_owned();
    session
        .connection()
        .with(async |client| runner.run_async(client).await)
        .map(drop)
        .map_err(|error| migration_fault(&store, "bringing the schema up to date", error))
}

/// The store's schema version; 0 where it has none.
pub(super) fn version(session: &mut Session) -> Result<u32, StoreError> {
    let doing = "reading the schema's version";
    let store = session.store().to_owned();
    let read = |connection: &mut Connection| -> Result<i32, Error> {
        let history: Option<String> = connection.query_one("SELECT to_regclass($1)::text", &[&HISTORY])?.try_get(0)?;
        match history {
            None => Ok(0),
            Some(_) => {
                connection.query_one(&format!("SELECT coalesce(max(version), 0)::int FROM {HISTORY}"), &[])?.try_get(0)
            }
        }
    };
    let found = read(session.connection()).map_err(|error| fault(&store, doing, error))?;
    u32::try_from(found).map_err(|_| StoreError::Corrupt(format!("its schema has version {found}")))
}
