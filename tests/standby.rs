//! A standby takes over when it may, and whoever was replaced can not write, and says who replaced it.
//!
//! - the holder ends, well or by `kill -9`: at once;
//! - the database was away: not at all, its holder comes back;
//! - the holder is frozen (SIGSTOP), or its network is cut or silent: once the server has ended its session;
//! - then it wakes, or its network heals: it is fenced. The totals are right after each.
//!
//! Real servers, the real binary, a file log.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "the seed is for who repeats a failure")]

mod support;

use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use support::link::{Link, Traffic};
use support::orders::Orders;
use support::postgres::PostgresServer;
use support::takings::{Takings, takings};

const OURS: &str = "the store is ours";

/// A database of its own on the shared server.
fn store() -> String {
    let server = PostgresServer::shared();
    server.url(&server.fresh_database())
}

/// Starts a job that holds the store.
fn holder(run: &str) -> Takings {
    let mut holder = Takings::start(run);
    holder.wait_for(OURS);
    holder
}

/// Starts a job that waits for it.
fn standby(run: &str) -> Takings {
    let mut standby = Takings::start(&format!("{run} --standby"));
    standby.wait_for("standing by: the store is held by takings run (");
    standby
}

/// That a job that was replaced ends, and says by whom.
fn assert_fenced(replaced: Takings, by: &Takings) {
    let ended = replaced.wait().refused(70, &["fenced: takings run (", "--standby"]);
    let fence = ended.log.lines().find(|line| line.contains("fenced: ")).unwrap();
    assert!(fence.contains(&format!(", pid {}), since ", by.id())), "{fence}");
}

#[test]
fn a_standby_takes_over_when_its_holder_ends() {
    let (mut orders, store) = (Orders::new(2_000), store());
    let run = orders.run(&store);
    let first = holder(&run);
    let refused = takings(&run).refused(70, &["is held by takings run (", "--standby"]);
    assert!(refused.log.contains(&format!("pid {}", first.id())), "{}", refused.log);

    let mut second = standby(&run);
    assert!(second.log().contains(&format!("pid {}", first.id())), "{}", second.log());
    first.signal("TERM");
    first.wait().done();
    second.wait_for(OURS);

    let mut third = standby(&run);
    orders.add(500);
    second.kill();
    third.wait_for(OURS);
    orders.wait_until_counted(&store, &mut third);
    third.signal("TERM");
    third.wait().done();
    orders.audit(&store);
}

#[test]
fn a_database_that_was_away_goes_back_to_its_holder() {
    let (mut orders, server) = (Orders::new(500), PostgresServer::start());
    let store = server.url(&server.fresh_database());
    let run = orders.run(&store);
    let mut first = holder(&run);
    orders.wait_until_counted(&store, &mut first);
    let mut second = standby(&run);
    for is_orderly in [true, false] {
        if is_orderly {
            server.stop()
        } else {
            server.kill()
        }
        orders.add(500);
        server.start_again();
        orders.wait_until_counted(&store, &mut first);
    }
    assert!(second.is_running() && !second.log().contains(OURS), "{}", second.log());
    first.kill();
    second.wait_for(OURS);
    second.signal("TERM");
    second.wait().done();
    orders.audit(&store);
}

#[test]
fn what_stands_in_the_holders_way_does_not_move_the_store() {
    let (mut orders, server) = (Orders::new(500), PostgresServer::shared());
    let database = server.fresh_database();
    let store = server.url(&database);
    let run = orders.run(&store);
    let mut first = holder(&run);
    orders.wait_until_counted(&store, &mut first);
    let mut second = standby(&run);
    let mut other = server.client(&database);
    let mut lock = other.transaction().unwrap();
    lock.batch_execute("LOCK TABLE sales_per_day").unwrap();
    orders.add(500);
    first.wait_for("another session holds a lock on what is to be written (");
    lock.rollback().unwrap();
    orders.wait_until_counted(&store, &mut first);
    assert!(second.is_running() && !second.log().contains(OURS), "{}", second.log());
    first.signal("TERM");
    first.wait().done();
    second.wait_for(OURS);
    second.signal("TERM");
    second.wait().done();
    orders.audit(&store);
}

#[test]
fn a_paused_holder_is_replaced_and_fenced() {
    let (mut orders, store) = (Orders::new(2_000), store());
    let run = orders.run(&store);
    let mut first = holder(&run);
    orders.wait_until_counted(&store, &mut first);
    first.signal("STOP");
    let mut second = standby(&run);
    second.wait_for(OURS);
    orders.add(2_000);
    orders.wait_until_counted(&store, &mut second);
    first.signal("CONT");
    assert_fenced(first, &second);
    // And the other way round, paused for so short that nobody notices.
    second.signal("STOP");
    second.signal("CONT");
    orders.add(500);
    orders.wait_until_counted(&store, &mut second);
    second.signal("TERM");
    second.wait().done();
    orders.audit(&store);
}

#[test]
fn a_holder_that_is_paused_while_it_writes_is_replaced_and_fenced() {
    let seed = std::env::var("TAKINGS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(rand::random);
    println!("TAKINGS_SEED={seed}");
    let moment = Duration::from_millis(StdRng::seed_from_u64(seed).random_range(0..1_500));
    let (orders, store) = (Orders::new(150_000), store());
    let run = orders.run(&store);
    let first = holder(&run);
    let mut second = standby(&run);
    let from = Instant::now();
    while from.elapsed() < moment {
        std::thread::yield_now();
    }
    first.signal("STOP");
    second.wait_for(OURS);
    first.signal("CONT");
    assert_fenced(first, &second);
    orders.wait_until_counted(&store, &mut second);
    second.signal("TERM");
    second.wait().done();
    orders.audit(&store);
}

#[test]
fn a_holder_behind_a_silent_network_is_replaced_and_fenced() {
    let (mut orders, store, link) = (Orders::new(2_000), store(), Link::to(PostgresServer::shared().port()));
    let through = PostgresServer::shared().through(&link, &store);
    let mut first = holder(&orders.run(&through));
    orders.wait_until_counted(&store, &mut first);
    let mut second = standby(&orders.run(&store));
    link.set(Traffic::Stands);
    // Both read these; who is behind the silence sends them, and hears nothing.
    orders.add(1_000);
    second.wait_for(OURS);
    orders.wait_until_counted(&store, &mut second);
    first.wait_for("no answer from the store for 3");
    link.set(Traffic::Flows);
    assert_fenced(first, &second);
    second.signal("TERM");
    second.wait().done();
    orders.audit(&store);
}

#[test]
fn a_holder_whose_network_is_cut_is_replaced_and_fenced() {
    let (mut orders, store, link) = (Orders::new(2_000), store(), Link::to(PostgresServer::shared().port()));
    let through = PostgresServer::shared().through(&link, &store);
    let mut first = holder(&orders.run(&through));
    orders.wait_until_counted(&store, &mut first);
    let mut second = standby(&orders.run(&store));
    link.set(Traffic::Crawls);
    orders.add(1_000);
    orders.wait_until_counted(&store, &mut first);
    assert!(!second.log().contains(OURS), "slow is not gone:\n{}", second.log());
    link.set(Traffic::Cut);
    orders.add(1_000);
    second.wait_for(OURS);
    first.wait_for("trying again until it can be done: the store at");
    orders.wait_until_counted(&store, &mut second);
    link.set(Traffic::Flows);
    assert_fenced(first, &second);
    second.signal("TERM");
    second.wait().done();
    orders.audit(&store);
}

#[test]
fn a_file_is_its_holders_while_that_one_is_paused() {
    let (orders, folder) = (Orders::new(500), tempfile::tempdir().unwrap());
    let run = orders.run(&format!("sqlite:{}", folder.path().join("totals.db").display()));
    let first = holder(&run);
    first.signal("STOP");
    // The kernel keeps the lock for who sleeps: here nobody can take it for gone.
    let mut second = standby(&run);
    first.kill();
    second.wait_for(OURS);
    second.signal("TERM");
    second.wait().done();
    orders.audit(&format!("sqlite:{}", folder.path().join("totals.db").display()));
}
