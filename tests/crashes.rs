//! Kafka and PostgreSQL away, at the start and later: the job waits, and loses nothing. What random moments can do is in
//! `tests/faults`.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "the seed is for who repeats a failure")]

mod support;

use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
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

/// The fault suite once met a start that never ended: some workers had looked for the stop before it came, and waited
/// for the one that had not.
#[test]
fn a_stop_at_any_moment_of_a_start_ends_it() {
    let seed = std::env::var("TAKINGS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(rand::random);
    println!("TAKINGS_SEED={seed}");
    let mut chance = StdRng::seed_from_u64(seed);
    let folder = tempfile::tempdir().unwrap();
    let (log, store) = (folder.path().join("log"), folder.path().join("shop.db"));
    takings(&format!("generate --to {} --orders 3000 --seed 5", log.display())).done();
    let job = format!("--source {} --store sqlite:{}", log.display(), store.display());
    takings(&format!("run {job} --until-caught-up")).done();
    for _ in 0..40 {
        let running = Takings::start(&format!("run {job} --workers 3"));
        let moment = Instant::now() + Duration::from_millis(chance.random_range(0..250));
        while Instant::now() < moment {
            std::thread::yield_now();
        }
        running.signal("TERM");
        let ended = running.wait();
        // The signal itself ends it where it comes before the handlers are there.
        assert!(ended.code.is_none_or(|code| code == 0), "{}", ended.log);
    }
    takings(&format!("audit {job}")).done();
}
