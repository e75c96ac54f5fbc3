//! `kill -9` of the job at random moments, restarts of PostgreSQL and Kafka between: no total differs.
//!
//! The moments follow from a printed seed; `TAKINGS_SEED` repeats them, as far as a machine repeats itself.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "the seed is for who repeats a failure")]

mod support;

use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use support::kafka::Kafka;
use support::postgres::PostgresServer;
use support::takings::{Takings, takings};

fn seed() -> u64 {
    let seed = std::env::var("TAKINGS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(rand::random);
    println!("TAKINGS_SEED={seed}");
    seed
}

/// Lets a random time pass in which the job works; it is the fault's moment, not a wait for anything.
fn some_moment(chance: &mut StdRng, job: &mut Takings) {
    let moment = Instant::now() + Duration::from_millis(chance.random_range(0..400));
    while Instant::now() < moment && job.is_running() {
        std::thread::yield_now();
    }
}

#[test]
fn killed_twenty_times_no_total_differs() {
    let mut chance = StdRng::seed_from_u64(seed());
    let mut kafka = Kafka::start();
    let server = PostgresServer::start();
    let database = server.fresh_database();
    let store = server.url(&database);
    let topics = format!(
        "generate --to {} --topic product_sold --corrections 0.03 --cancellations 0.02 --invalid 0.001",
        kafka.url()
    );
    takings(&format!("{topics} --orders 40000 --days 90 --seed 1")).done();
    let job = format!("--source {} --store {store}", kafka.url());

    for kill in 0..20 {
        let workers = chance.random_range(1..=3);
        let mut running = Takings::start(&format!("run {job} --workers {workers}"));
        if kill % 4 == 1 {
            // Orders arrive while it runs, among them corrections of the ones before.
            takings(&format!("{topics} --orders 3000 --days 90 --seed {}", chance.random_range(1..4))).done();
        }
        some_moment(&mut chance, &mut running);
        match kill % 5 {
            2 => {
                if chance.random() {
                    server.kill()
                } else {
                    server.stop()
                }
                some_moment(&mut chance, &mut running);
                server.start_again();
                some_moment(&mut chance, &mut running);
            }
            3 => {
                if chance.random() {
                    kafka.kill()
                } else {
                    kafka.stop()
                }
                some_moment(&mut chance, &mut running);
                kafka.restart();
                some_moment(&mut chance, &mut running);
            }
            _ => {}
        }
        assert!(running.is_running(), "an outage ended the job:\n{}", running.log());
        running.kill();
    }
    takings(&format!("run {job} --workers 2 --until-caught-up")).done();
    let audit = takings(&format!("audit {job}")).done();
    assert!(audit.out.contains("no difference"), "{}", audit.out);
}

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
