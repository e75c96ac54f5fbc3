//! A primary that is lost, and the replica that is promoted in its place: two real servers with streaming
//! replication, the real binary, a URL that names both.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use support::link::{Link, Traffic};
use support::orders::Orders;
use support::postgres::{OWNER, PostgresServer};
use support::service::Serving;
use support::takings::{Takings, takings};
use support::wait;
use takings::store::StoreUrl;

/// Two servers, of which the second follows the first, and a database in both.
fn pair() -> (PostgresServer, PostgresServer, String) {
    let primary = PostgresServer::start();
    let database = primary.fresh_database();
    let replica = primary.replica();
    (primary, replica, database)
}

/// The URL that names both.
fn both(primary: &PostgresServer, replica: &PostgresServer, database: &str) -> String {
    format!("postgres://{OWNER}@127.0.0.1:{},127.0.0.1:{}/{database}", primary.port(), replica.port())
}

/// Waits until the replica has all that the primary has.
fn wait_until_level(primary: &PostgresServer, replica: &PostgresServer) {
    wait::until("the replica has followed", Duration::from_secs(120), || {
        (replica.log_position() >= primary.log_position()).then_some(())
    });
}

#[test]
fn a_promoted_replica_is_gone_on_with() {
    let (primary, replica, database) = pair();
    let store = both(&primary, &replica, &database);
    let mut orders = Orders::new(3_000);
    let mut job = Takings::start(&orders.run(&format!("{store}?target_session_attrs=read-write")));
    job.wait_for("the store is ours");
    orders.wait_until_counted(&primary.url(&database), &mut job);
    let mut standby = Takings::start(&format!("{} --standby", orders.run(&store)));
    standby.wait_for("standing by");

    wait_until_level(&primary, &replica);
    primary.kill();
    orders.add(1_000);
    job.wait_for("trying again until it can be done: ");
    // The replica answers, and takes no writes: that is waited for as well.
    job.wait_for("it takes no writes: it is a standby server");
    replica.promote();
    orders.wait_until_counted(&replica.url(&database), &mut job);
    job.wait_for("the store answers again");
    assert!(!standby.log().contains("the store is ours"), "{}", standby.log());

    job.kill();
    standby.wait_for("the store is ours");
    standby.signal("TERM");
    standby.wait().done();
    orders.audit(&store);
}

#[test]
fn commits_that_a_failover_lost_are_made_again() {
    let (primary, replica, database) = pair();
    let store = both(&primary, &replica, &database);
    let mut orders = Orders::new(3_000);
    let mut job = Takings::start(&orders.run(&store));
    job.wait_for("the store is ours");
    orders.wait_until_counted(&primary.url(&database), &mut job);
    wait_until_level(&primary, &replica);

    // Acknowledged by the primary, and never sent on.
    replica.stop_following();
    orders.add(1_000);
    orders.wait_until_counted(&primary.url(&database), &mut job);
    primary.kill();
    replica.promote();
    let ended =
        job.wait().refused(70, &["the store went back: it stands at epoch ", "start again to go on from epoch "]);
    assert!(!ended.log.contains("rejected"), "{}", ended.log);

    takings(&format!("{} --until-caught-up", orders.run(&store))).done();
    orders.audit(&store);
}

#[test]
fn commits_of_a_whole_run_that_a_failover_lost_are_made_again() {
    let (primary, replica, database) = pair();
    let store = both(&primary, &replica, &database);
    let mut orders = Orders::new(2_000);
    takings(&format!("{} --until-caught-up", orders.run(&store))).done();
    wait_until_level(&primary, &replica);

    // The replica does not even know that there was another run.
    replica.stop_following();
    orders.add(1_000);
    let mut job = Takings::start(&orders.run(&store));
    orders.wait_until_counted(&primary.url(&database), &mut job);
    primary.kill();
    replica.promote();
    // It comes to the same generation as the run that was lost, and to epochs of the same numbers.
    let mut other = Takings::start(&format!("{} --standby", orders.run(&store)));
    job.wait().refused(70, &[]);
    orders.wait_until_counted(&replica.url(&database), &mut other);
    other.signal("TERM");
    other.wait().done();
    orders.audit(&store);
}

#[test]
fn a_hot_standby_is_waited_for_and_can_be_read() {
    let (primary, replica, database) = pair();
    let orders = Orders::new(1_000);
    let store = replica.url(&database);
    takings(&format!("{} --until-caught-up", orders.run(&primary.url(&database)))).done();
    wait_until_level(&primary, &replica);
    // A read-only command is served by it; a run is not.
    orders.audit(&store);
    let mut job = Takings::start(&orders.run(&store));
    job.wait_for("it takes no writes: it is a standby server");
    primary.stop();
    replica.promote();
    job.wait_for("the store is ours");
    orders.wait_until_counted(&store, &mut job);
    job.signal("TERM");
    job.wait().done();
    orders.audit(&store);
}

/// A primary whose disk hangs: connections stay open and come about, and nothing is ever said.
#[test]
fn a_server_that_takes_connections_and_says_nothing_is_passed_over() {
    let (primary, replica, database) = pair();
    let link = Link::to(primary.port());
    let store = format!("postgres://{OWNER}@127.0.0.1:{},127.0.0.1:{}/{database}", link.port(), replica.port());
    let mut orders = Orders::new(1_000);
    let mut job = Takings::start(&orders.run(&store));
    job.wait_for("the store is ours");
    orders.wait_until_counted(&primary.url(&database), &mut job);
    wait_until_level(&primary, &replica);
    link.set(Traffic::Stands);
    orders.add(1_000);
    // Nobody else takes writes yet: that the commit is late is told, and it is waited for.
    job.wait_for("no answer from the store for");
    replica.promote();
    job.wait_for("answers no more, and another one that the URL names does");
    orders.wait_until_counted(&replica.url(&database), &mut job);
    job.signal("TERM");
    job.wait().done();

    let mut job = Takings::start(&orders.run(&store));
    let serving = Serving::of(&StoreUrl::parse(&store).unwrap());
    let events = serving.events(None);
    assert_eq!(events.next().name, "hello");
    job.wait_for("the store is ours");
    orders.add(1_000);
    events.wait_for("changes");
    orders.wait_until_counted(&replica.url(&database), &mut job);
    job.signal("TERM");
    job.wait().done();
    orders.audit(&replica.url(&database));
}
