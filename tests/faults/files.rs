//! A file log and SQLite: no server, so what can happen is what files suffer.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};
use serde_json::json;
use tempfile::TempDir;

use crate::ground::Ground;
use crate::plan::Action;
use crate::released;
use crate::shop::{Placed, Record, Topic};
use crate::tables::Look;

/// A folder of its own.
pub struct Files {
    folder: TempDir,
    /// The database now; watchers follow it.
    database: Arc<Mutex<PathBuf>>,
    databases: u32,
    /// A record whose line is written in part, and the rest of it.
    torn: Option<(Placed, Vec<u8>)>,
}

impl Files {
    /// An empty log, and no database yet.
    pub fn start() -> Files {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("log")).expect("a folder");
        let database = Arc::new(Mutex::new(folder.path().join("takings.db")));
        let files = Files { folder, database, databases: 0, torn: None };
        for topic in Topic::ALL {
            for partition in 0..topic.partitions() {
                files.append(topic, partition, b"");
            }
        }
        files
    }

    fn database(&self) -> PathBuf {
        self.database.lock().expect("nobody panics with it").clone()
    }

    /// Appends to a partition; where that begins.
    fn append(&self, topic: Topic, partition: u16, bytes: &[u8]) -> u64 {
        let path = self.folder.path().join("log").join(format!("{}-{partition}.jsonl", topic.name()));
        let mut file = OpenOptions::new().create(true).append(true).open(path).expect("the log can be written");
        let offset = file.metadata().expect("a file").len();
        file.write_all(bytes).expect("the log can be written");
        offset
    }

    fn mend(&mut self) -> Option<Placed> {
        let (placed, rest) = self.torn.take()?;
        self.append(placed.record.topic, placed.record.partition, &rest);
        Some(placed)
    }
}

impl Ground for Files {
    fn job(&self) -> String {
        let log = self.folder.path().join("log");
        format!("--source {} --store sqlite:{}", log.display(), self.database().display())
    }

    fn straight(&self) -> String {
        self.job()
    }

    fn write(&mut self, records: Vec<Record>) -> Vec<Placed> {
        let mut placed: Vec<Placed> = self.mend().into_iter().collect();
        for record in records {
            let offset = self.append(record.topic, record.partition, &line(&record));
            placed.push(Placed { record, incarnation: 0, offset });
        }
        placed
    }

    fn suffer(&mut self, action: Action, records: Vec<Record>, _: &mut ChaCha8Rng) {
        match action {
            Action::TearLine if self.torn.is_none() => {
                for record in records {
                    let mut line = line(&record);
                    let rest = line.split_off(line.len() / 2);
                    let offset = self.append(record.topic, record.partition, &line);
                    self.torn = Some((Placed { record, incarnation: 0, offset }, rest));
                }
            }
            Action::HoldFile { millis, alone } if self.database().exists() => {
                let connection = Connection::open(self.database()).expect("the file can be opened");
                connection.busy_timeout(Duration::from_secs(60)).expect("a timeout");
                let begin = if alone { "BEGIN IMMEDIATE" } else { "BEGIN" };
                connection.execute_batch(&format!("{begin}; SELECT count(*) FROM sqlite_schema")).expect("held");
                std::thread::sleep(Duration::from_millis(millis.into()));
                connection.execute_batch("ROLLBACK").expect("let go");
            }
            _ => {}
        }
    }

    fn heal(&mut self) -> Vec<Placed> {
        self.mend().into_iter().collect()
    }

    fn to_last_release(&mut self) {
        self.databases += 1;
        let released = self.folder.path().join(format!("takings-{}.db", self.databases));
        released::sqlite(&self.database(), &released);
        *self.database.lock().expect("nobody panics with it") = released;
    }

    fn look(&self) -> Box<dyn Look> {
        Box::new(SqliteEyes { database: self.database.clone(), session: None })
    }
}

fn line(record: &Record) -> Vec<u8> {
    let payload = match &record.payload {
        // A payload that is JSON stands as it is.
        Some(payload) if serde_json::from_str::<serde_json::Value>(payload).is_ok() => payload.clone(),
        payload => json!(payload).to_string(),
    };
    let (key, timestamp) = (json!(record.key), record.timestamp);
    format!("{{\"key\":{key},\"value\":{payload},\"timestamp\":{timestamp}}}\n").into_bytes()
}

struct SqliteEyes {
    database: Arc<Mutex<PathBuf>>,
    session: Option<(PathBuf, Connection)>,
}

impl Look for SqliteEyes {
    fn is_postgres(&self) -> bool {
        false
    }

    fn look(&mut self, queries: &[String]) -> Result<Vec<Vec<Vec<String>>>, String> {
        let database = self.database.lock().expect("nobody panics with it").clone();
        let text = |error: rusqlite::Error| error.to_string();
        let session = self.session.take().filter(|(connected, _)| *connected == database);
        let mut connection = match session {
            Some((_, connection)) => connection,
            None => Connection::open_with_flags(&database, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(text)?,
        };
        connection.busy_timeout(Duration::from_secs(10)).map_err(text)?;
        let see = |connection: &mut Connection| -> rusqlite::Result<Vec<Vec<Vec<String>>>> {
            let snapshot = connection.transaction()?;
            queries.iter().map(|query| texts(&snapshot, query)).collect()
        };
        let seen = see(&mut connection).map_err(text)?;
        self.session = Some((database, connection));
        Ok(seen)
    }
}

fn texts(connection: &Connection, query: &str) -> rusqlite::Result<Vec<Vec<String>>> {
    let mut statement = connection.prepare(query)?;
    let width = statement.column_count();
    let text = |value| match value {
        Value::Null => "null".to_owned(),
        Value::Integer(number) => number.to_string(),
        Value::Text(text) => text,
        other => panic!("{query}: {other:?} is no exact value"),
    };
    let rows = statement.query_map([], |row| (0..width).map(|at| row.get(at).map(text)).collect())?;
    rows.collect()
}
