//! What a PostgreSQL error means: wait, change a setting, or stop.

use std::error::Error;
use std::io;

use refinery::error::Kind;
use tokio_postgres::error::SqlState;

use crate::store::StoreError;

/// What `error`, which came while `doing` something at `store`, asks for.
pub(super) fn fault(store: &str, doing: &str, error: tokio_postgres::Error) -> StoreError {
    match verdict(store, doing, &error) {
        Verdict::Wait => unreachable(store, error),
        Verdict::Busy(why) => StoreError::Busy { store: store.to_owned(), why, source: Box::new(error) },
        Verdict::Stop(stop) => stop,
        Verdict::Other => StoreError::Fault { doing: doing.to_owned(), source: Box::new(error) },
    }
}

/// The same for an error of the driver that migrations wrapped.
pub(super) fn migration_fault(store: &str, doing: &str, error: refinery::Error) -> StoreError {
    let verdict = match error.kind() {
        Kind::Connection(_, source) => match source.downcast_ref::<tokio_postgres::Error>() {
            Some(error) => verdict(store, doing, error),
            None => Verdict::Other,
        },
        // The migrations of this program and those that the store has seen disagree.
        _ => Verdict::Stop(StoreError::Corrupt(format!("{doing}: {error}"))),
    };
    match verdict {
        Verdict::Wait => StoreError::Unreachable { store: store.to_owned(), source: Box::new(error) },
        Verdict::Busy(why) => StoreError::Busy { store: store.to_owned(), why, source: Box::new(error) },
        Verdict::Stop(stop) => stop,
        Verdict::Other => StoreError::Fault { doing: doing.to_owned(), source: Box::new(error) },
    }
}

enum Verdict {
    /// There is no contact, or there will be none for a moment.
    Wait,
    /// It answers, and something stands in the way: what, and what to do.
    Busy(String),
    Stop(StoreError),
    Other,
}

/// A failed statement or a lost connection undoes its transaction, so whatever may pass by itself (a
/// restart, a failover, a full disk that someone clears, a lock that someone holds) may be tried again.
/// None of it is ever the fault of a record.
fn verdict(store: &str, doing: &str, error: &tokio_postgres::Error) -> Verdict {
    let Some(answer) = error.as_db_error() else {
        return if is_contact(error) { Verdict::Wait } else { Verdict::Other };
    };
    let message = answer.message();
    let code = answer.code();
    let stop = match &code.code()[..2] {
        // The connection broke.
        "08" => return Verdict::Wait,
        // A deadlock or the like.
        "40" => return Verdict::Busy("it undid a transaction that was in another's way".to_owned()),
        "53" => return Verdict::Busy(lacking(code, doing)),
        // Who may log in.
        "28" => configuration(format!("the server refused the login at {store}: {message}")),
        // Pages or indexes that are damaged.
        "XX" if *code != SqlState::INTERNAL_ERROR => {
            StoreError::Corrupt(format!("{doing}: the server says {message:?}; restore its data directory"))
        }
        _ => match *code {
            SqlState::ADMIN_SHUTDOWN | SqlState::CRASH_SHUTDOWN | SqlState::CANNOT_CONNECT_NOW => return Verdict::Wait,
            SqlState::QUERY_CANCELED => {
                return Verdict::Busy(format!("somebody cancelled a statement ({doing})"));
            }
            SqlState::LOCK_NOT_AVAILABLE => {
                return Verdict::Busy(format!(
                    "another session holds a lock on what is to be written ({doing}{}); end what it does, or \
                     the session: pg_locks and pg_stat_activity tell which",
                    answer.where_().map(|place| format!(", {place}")).unwrap_or_default()
                ));
            }
            SqlState::READ_ONLY_SQL_TRANSACTION => return Verdict::Busy(read_only()),
            SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT | SqlState::IDLE_SESSION_TIMEOUT => {
                return Verdict::Busy(
                    "it ended the session of this process, which had said nothing for long (frozen, or asleep)"
                        .to_owned(),
                );
            }
            // PostgreSQL 17's `transaction_timeout`, for which the driver has no name.
            _ if code.code() == "25P04" => {
                return Verdict::Busy(format!(
                    "it ended a transaction that took longer than transaction_timeout allows ({doing}); set that to 0 for \
                     the job's role"
                ));
            }
            SqlState::INVALID_CATALOG_NAME | SqlState::DATABASE_DROPPED => {
                configuration(format!("{store}: {message}; create it (createdb), or name another"))
            }
            SqlState::INVALID_SCHEMA_NAME => configuration(format!(
                "{store}: {message}; create the schema that search_path names, or grant USAGE and CREATE on it"
            )),
            SqlState::INSUFFICIENT_PRIVILEGE => configuration(format!(
                "{store}: {message} ({doing}); let the job's role own the database, or grant it the right \
                 (from PostgreSQL 15 on: GRANT CREATE ON SCHEMA public TO the role)"
            )),
            SqlState::DUPLICATE_TABLE => configuration(format!(
                "{store}: {message}, and not by takings ({doing}); give takings a database of its own"
            )),
            SqlState::UNIQUE_VIOLATION => StoreError::Corrupt(format!(
                "{doing}: {message} ({}); what should be new is there already, so nothing was written",
                answer.detail().unwrap_or("no detail")
            )),
            SqlState::UNDEFINED_TABLE | SqlState::UNDEFINED_COLUMN => StoreError::Corrupt(format!(
                "{doing}: {message}; somebody changed the tables of takings: restore a backup, or start a new store"
            )),
            SqlState::CHECK_VIOLATION => StoreError::Corrupt(format!("{doing}: {message}; nothing was written")),
            _ => return Verdict::Other,
        },
    };
    Verdict::Stop(stop)
}

/// What the server has too little of.
fn lacking(code: &SqlState, doing: &str) -> String {
    match *code {
        SqlState::DISK_FULL => {
            format!("its disk is full ({doing}); make room there, and the job goes on by itself")
        }
        SqlState::TOO_MANY_CONNECTIONS => "it has no connection left; end sessions that nobody needs, or raise \
             max_connections, or the CONNECTION LIMIT of the role or the database"
            .to_owned(),
        SqlState::OUT_OF_MEMORY => format!("it has no memory left ({doing}); give it more, or less to do"),
        _ => format!("a limit of the server is reached ({doing}); raise it"),
    }
}

fn read_only() -> String {
    "it takes no writes: it is a standby server, or default_transaction_read_only is on for the role, the database or \
     the server; promote it, name the primary as well (HOST1:PORT1,HOST2:PORT2), or turn that off"
        .to_owned()
}

/// The same for what came while connecting: there a refusal of the driver's own is about a setting.
pub(super) fn connect_fault(store: &str, error: tokio_postgres::Error) -> StoreError {
    if error.as_db_error().is_some() {
        return fault(store, "connecting", error);
    }
    let refusal = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    if refusal.is_some_and(|refusal| refusal.kind() == io::ErrorKind::PermissionDenied) {
        // The driver's word for a server that is not what target_session_attrs asks for.
        return StoreError::Busy { store: store.to_owned(), why: read_only(), source: Box::new(error) };
    }
    if is_contact(&error) {
        return unreachable(store, error);
    }
    let cause = error.source().map(|source| format!(": {source}")).unwrap_or_default();
    configuration(format!("{store} can not be used: {error}{cause}; check the password, sslmode and sslrootcert"))
}

/// Whether the error is of the network, or of a peer that went away, rather than an answer.
fn is_contact(error: &tokio_postgres::Error) -> bool {
    let mut cause = error.source();
    if cause.is_none() {
        // Closed, timed out, or a message that makes no sense: all the driver says is its kind.
        return true;
    }
    while let Some(error) = cause {
        if error.is::<io::Error>() {
            return true;
        }
        cause = error.source();
    }
    false
}

fn unreachable(store: &str, error: tokio_postgres::Error) -> StoreError {
    StoreError::Unreachable { store: store.to_owned(), source: Box::new(error) }
}

fn configuration(message: String) -> StoreError {
    StoreError::Configuration { setting: "store", message }
}
