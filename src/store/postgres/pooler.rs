//! A pooler between this process and the server: one that gives each client a session of its own is fine, one that
//! hands a session from client to client at every transaction is not.
//!
//! With the latter the store's lock would stay with whoever comes next, and so would the session's settings. It is
//! looked for before the first setting, and noticed whenever a statement is answered by another session.

use std::thread;
use std::time::Duration;

use crossbeam_channel::bounded;
use tokio_postgres::{Error, SimpleQueryMessage};

use super::connection::Connection;
use crate::store::StoreError;

/// How long the second connection is waited for: a pooler without a free session keeps it waiting.
const SECOND_CONNECTION: Duration = Duration::from_secs(3);

/// One session of one server, told apart from every other.
type Place = Option<(String, String)>;

/// Whether a second connection, which `dial` makes, is answered by the session that answers `connection`, while both
/// are open. That proves it; where no second connection comes about, nothing is proved.
pub(super) fn shares_sessions(
    connection: &mut Connection,
    dial: impl FnOnce() -> Result<Connection, StoreError> + Send + 'static,
) -> Result<bool, Error> {
    let ours = place(connection)?;
    let (tell, told) = bounded(1);
    let asking = thread::Builder::new().name("second connection".to_owned()).spawn(move || {
        if let Ok(mut second) = dial() {
            // Kept until the first one has been asked again.
            let place = place(&mut second).ok().flatten();
            let _ = tell.send((place, second));
        }
    });
    let Ok(_) = asking else { return Ok(false) };
    let Ok((theirs, _second)) = told.recv_timeout(SECOND_CONNECTION) else { return Ok(false) };
    let again = place(connection)?;
    Ok(ours != again || (ours.is_some() && ours == theirs))
}

/// Which session runs this.
fn place(connection: &mut Connection) -> Result<Place, Error> {
    let asked = "SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()";
    let answers = connection.simple_query(asked)?;
    Ok(answers.iter().find_map(|answer| match answer {
        SimpleQueryMessage::Row(row) => Some((row.get(0)?.to_owned(), row.get(1)?.to_owned())),
        _ => None,
    }))
}

/// What to say of it.
pub(super) fn refusal(store: &str) -> StoreError {
    StoreError::Configuration {
        setting: "store",
        message: format!(
            "{store} is a pooler that hands one server session from client to client, and the store's lock needs a \
             session of its own; give the address of PostgreSQL itself, or set pool_mode=session for this database \
             (pgbouncer.ini: DATABASE = host=… pool_mode=session)"
        ),
    }
}
