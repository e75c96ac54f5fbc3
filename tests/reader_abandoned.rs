//! A read that nobody waits for is ended: a page that is left, a client that went away, however long the store would
//! take.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "nobody waits for a test to stop")]

mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use support::postgres::PostgresServer;
use support::stores::Fresh;
use takings::service::parameters::Parameters;
use takings::store::StoreUrl;
use takings::store::reader::logs::CORRECTIONS;
use takings::store::reader::{PageQuery, Reader, ReaderOptions};
use tokio::runtime::Runtime;

/// One connection, and no limit that would end a read.
const PATIENT: ReaderOptions = ReaderOptions { connections: 1, timeout: Duration::from_secs(3_600) };
/// How long a test waits for what should take a moment.
const PATIENCE: Duration = Duration::from_secs(60);

fn corrections() -> PageQuery {
    let parameters = Parameters::read_page("", &CORRECTIONS).and_then(|parameters| parameters.page(&CORRECTIONS));
    parameters.unwrap_or_else(|problem| panic!("{}", problem.message))
}

/// Asks for a page and leaves once `is_under_way`.
fn abandon(runtime: &Runtime, reader: &Arc<Reader>, mut is_under_way: impl FnMut() -> bool) {
    let (reader, query) = (Arc::clone(reader), corrections());
    let asked = runtime.spawn(async move { reader.page(&query).await.map(|page| page.rows) });
    let asked_at = Instant::now();
    while !is_under_way() {
        assert!(asked_at.elapsed() < PATIENCE, "the read does not begin");
        assert!(!asked.is_finished(), "answered: {:?}", runtime.block_on(asked));
        std::thread::sleep(Duration::from_millis(20));
    }
    asked.abort();
}

fn reader(runtime: &Runtime, url: &StoreUrl) -> Arc<Reader> {
    Arc::new(runtime.block_on(async { Reader::open(url, PATIENT) }).unwrap())
}

#[test]
fn the_server_ends_a_query_that_nobody_waits_for() {
    let fresh = Fresh::postgres();
    drop(fresh.acquired());
    let server = PostgresServer::shared();
    let mut other = server.client(fresh.database());
    other.batch_execute("BEGIN; LOCK TABLE corrections IN ACCESS EXCLUSIVE MODE").unwrap();
    let mut watch = server.client(fresh.database());
    let mut waiting = || -> i64 {
        let ask = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                   AND application_name = 'takings serve' AND wait_event_type = 'Lock'";
        watch.query_one(ask, &[]).unwrap().get(0)
    };
    let runtime = Runtime::new().unwrap();
    let reader = reader(&runtime, &fresh.url);
    abandon(&runtime, &reader, || waiting() == 1);
    let left = Instant::now();
    while waiting() > 0 {
        assert!(left.elapsed() < PATIENCE, "the server still works for nobody");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_query_of_sqlite_that_nobody_waits_for_gives_its_connection_back() {
    let fresh = Fresh::sqlite();
    drop(fresh.acquired());
    let StoreUrl::Sqlite(file) = &fresh.url else { panic!("a file") };
    let database = rusqlite::Connection::open(file).unwrap();
    let names = "SELECT group_concat('i AS ' || name) FROM pragma_table_info('corrections')";
    let columns: String = database.query_row(names, [], |row| row.get(0)).unwrap();
    // A table without an end.
    database
        .execute_batch(&format!(
            "DROP TABLE corrections; CREATE VIEW corrections AS
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT 1 FROM n) SELECT {columns} FROM n;"
        ))
        .unwrap();
    let runtime = Runtime::new().unwrap();
    let reader = reader(&runtime, &fresh.url);
    let asked = Instant::now();
    abandon(&runtime, &reader, || asked.elapsed() > Duration::from_millis(200));
    let head = runtime.block_on(async { tokio::time::timeout(PATIENCE, reader.head()).await });
    // A read without an end would be waited for.
    runtime.shutdown_background();
    head.expect("the connection is still in use").unwrap();
}
