//! What a SQLite error means: wait, change a setting, or stop.

use refinery::error::Kind;
use rusqlite::ErrorCode;

use crate::store::StoreError;

/// What `error`, which came while `doing` something at `store`, asks for.
pub(super) fn fault(store: &str, doing: &str, error: rusqlite::Error) -> StoreError {
    match verdict(store, doing, &error) {
        Verdict::Busy(why) => StoreError::Busy { store: store.to_owned(), why, source: Box::new(error) },
        Verdict::Stop(stop) => stop,
        Verdict::Other => StoreError::Fault { doing: doing.to_owned(), source: Box::new(error) },
    }
}

/// The same for an error of the driver that migrations wrapped.
pub(super) fn migration_fault(store: &str, error: refinery::Error) -> StoreError {
    let doing = "bringing the schema up to date";
    let verdict = match error.kind() {
        Kind::Connection(_, source) => match source.downcast_ref::<rusqlite::Error>() {
            Some(error) => verdict(store, doing, error),
            None => Verdict::Other,
        },
        _ => Verdict::Stop(StoreError::Corrupt(format!("{doing}: {error}"))),
    };
    match verdict {
        Verdict::Busy(why) => StoreError::Busy { store: store.to_owned(), why, source: Box::new(error) },
        Verdict::Stop(stop) => stop,
        Verdict::Other => StoreError::Fault { doing: doing.to_owned(), source: Box::new(error) },
    }
}

enum Verdict {
    /// It passes, or someone lets it: what it is, and what to do.
    Busy(String),
    Stop(StoreError),
    Other,
}

/// A failed statement undoes its transaction. Another program that writes the file, and a disk that is
/// full, pass by themselves or by someone's hand, and are never the fault of a record.
fn verdict(store: &str, doing: &str, error: &rusqlite::Error) -> Verdict {
    let configuration = |what: String| {
        Verdict::Stop(StoreError::Configuration { setting: "store", message: format!("{store}: {what}") })
    };
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            Verdict::Busy(format!("another program is writing the file ({doing}); end what it does"))
        }
        Some(ErrorCode::DiskFull) => {
            Verdict::Busy(format!("the disk is full ({doing}); make room there, and the job goes on by itself"))
        }
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => {
            configuration(format!("{error} ({doing}); let the job's user write the file and its folder"))
        }
        Some(ErrorCode::NotADatabase) => configuration("the file is not a SQLite database; name another".to_owned()),
        Some(ErrorCode::DatabaseCorrupt) => {
            Verdict::Stop(StoreError::Corrupt(format!("{doing}: {error}; restore the file, or start a new store")))
        }
        Some(ErrorCode::ConstraintViolation) => {
            Verdict::Stop(StoreError::Corrupt(format!("{doing}: {error}; nothing was written")))
        }
        _ => Verdict::Other,
    }
}
