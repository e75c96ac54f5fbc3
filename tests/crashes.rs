//! Kafka and PostgreSQL away, at the start and later: the job waits, and loses nothing. What random moments can do is in
//! `tests/faults`.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use support::kafka::Kafka;
use support::postgres::PostgresServer;
use support::takings::{Takings, takings};

#[test]
fn outages_are_waited_for() {
    let mut kafka = Kafka::start();
    kafka.create_topic("product_sold", 2);
    let server = PostgresServer::start();
    let store = server.url(&server.fresh_database());
    let job = format!("--source {} --store {store}", kafka.url());
    server.stop();
    let mut running = Takings::start(&format!("run {job}"));
    running.wait_for("waiting: ");
    server.start_again();
    running.wait_for("the store is ours");
    let generate = format!("generate --to {} --orders 500 --seed", kafka.url());
    takings(&format!("{generate} 1")).done();
    kafka.kill();
    kafka.restart();
    takings(&format!("{generate} 2")).done();
    server.kill();
    server.start_again();
    takings(&format!("{generate} 3")).done();
    let mut client = None;
    support::wait::until("everything is committed", Duration::from_secs(60), || {
        assert!(running.is_running(), "{}", running.log());
        let client =
            client.get_or_insert_with(|| postgres::Client::connect(&store, postgres::NoTls).expect("it answers"));
        let applied: Option<i64> = client.query_one("SELECT sum(applied)::bigint FROM sources", &[]).ok()?.get(0);
        (applied == Some(1500)).then_some(())
    });
    running.signal("TERM");
    running.wait().done();
    takings(&format!("audit {job}")).done();
}
