//! PostgreSQL as it really is: what stands in a job's way, what the user sees of it, and that it goes on.
//!
//! - waited for: a full disk, a lock that another session holds, no connection left, a server that takes no writes;
//! - no matter at all: limits on statements and sessions that the role or the server sets;
//! - no reason to stay, where a job is told to stop or can not go on: a server that says nothing;
//! - a setting to change: a privilege that was taken away, TLS that does not fit, a pooler that shares sessions.
//!
//! Restarts, crashes and killed sessions are in `crashes.rs` and `store_postgres.rs`, promoted replicas in
//! `postgres_failover.rs`.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "a test that can not be run here says so")]

mod support;

use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

use support::disk::Disk;
use support::link::Link;
use support::orders::Orders;
use support::pgbouncer::Pgbouncer;
use support::postgres::PostgresServer;
use support::takings::{Takings, takings};
use support::wait;

const OURS: &str = "the store is ours";
/// A stop waits ten seconds for the last commit, and five more for an answer; the rest is for a busy machine.
const ENDS_WITHIN: Duration = Duration::from_secs(25);
const WAITING: &str = "trying again until it can be done: ";

/// A database with an owner of its own, who is no superuser: its name, which is the owner's too, and its URL.
fn owned() -> (String, String) {
    let server = PostgresServer::shared();
    let name = server.fresh_database();
    let owner = format!("owner_of_{name}");
    server
        .client("postgres")
        .batch_execute(&format!("CREATE ROLE {owner} LOGIN; ALTER DATABASE {name} OWNER TO {owner}"))
        .unwrap();
    let url = server.url(&name).replace("takings@", &format!("{owner}@"));
    (name, url)
}

/// Tells a job to stop while its store says nothing; what it logged.
fn stop_without_an_answer(job: Takings) -> String {
    let told = Instant::now();
    job.signal("TERM");
    let ended = job.wait().done();
    assert!(told.elapsed() < ENDS_WITHIN, "it took {:?}:\n{}", told.elapsed(), ended.log);
    ended.log
}

/// Stops a job and holds its totals against the log.
fn stop_and_audit(job: Takings, orders: &Orders, store: &str) {
    job.signal("TERM");
    job.wait().done();
    orders.audit(store);
}

#[test]
fn a_full_disk_is_waited_for() {
    let server = PostgresServer::shared();
    let Some(disk) = Disk::new(40, server.user()) else {
        println!("not shown here: a disk that fills needs the right to mount one");
        return;
    };
    let mut admin = server.client("postgres");
    admin.batch_execute(&format!("CREATE TABLESPACE small LOCATION '{}'", disk.folder().display())).unwrap();
    admin.batch_execute("CREATE DATABASE on_small_disk TABLESPACE small").unwrap();
    let store = server.url("on_small_disk");
    let mut orders = Orders::new(500);
    let mut job = Takings::start(&orders.run(&store));
    orders.wait_until_counted(&store, &mut job);
    disk.fill();
    orders.add(20_000);
    job.wait_for(&format!("{WAITING}the store at "));
    job.wait_for("its disk is full (");
    job.wait_for("make room there, and the job goes on by itself");
    disk.make_room();
    orders.wait_until_counted(&store, &mut job);
    job.wait_for("the store answers again");
    let rejected: i64 = server.client("on_small_disk").query_one("SELECT count(*) FROM rejected", &[]).unwrap().get(0);
    assert_eq!(rejected, 0, "a full disk is no fault of a record");
    stop_and_audit(job, &orders, &store);
    admin.batch_execute("DROP DATABASE on_small_disk WITH (FORCE)").unwrap();
    admin.batch_execute("DROP TABLESPACE small").unwrap();
}

/// Behind a load balancer, say: connections are taken and stay open, and nothing comes back.
#[test]
fn a_server_that_says_nothing_is_told_and_tried_again() {
    let (_, store) = owned();
    let server = PostgresServer::shared();
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let link = Link::to(silent.local_addr().unwrap().port());
    let through = server.through(&link, &store);
    let mut orders = Orders::new(500);
    let mut job = Takings::start(&orders.run(&through));
    job.wait_for("it takes connections, and said nothing for 20 s");
    link.lead_to(server.port());
    job.wait_for(OURS);
    orders.wait_until_counted(&store, &mut job);
    // Later the server ends a session from which it hears nothing, and that is heard.
    link.lose_answers();
    orders.add(500);
    orders.wait_until_counted(&store, &mut job);
    stop_and_audit(job, &orders, &store);
}

#[test]
fn a_lock_that_another_session_holds_is_waited_for() {
    let (name, store) = owned();
    let mut orders = Orders::new(500);
    let mut job = Takings::start(&orders.run(&store));
    orders.wait_until_counted(&store, &mut job);
    let mut other = PostgresServer::shared().client(&name);
    let mut lock = other.transaction().unwrap();
    lock.batch_execute("LOCK TABLE sales_per_day").unwrap();
    orders.add(500);
    job.wait_for(&format!("{WAITING}the store at "));
    job.wait_for("another session holds a lock on what is to be written (");
    assert!(job.log().contains("sales_per_day"), "{}", job.log());
    lock.rollback().unwrap();
    orders.wait_until_counted(&store, &mut job);
    stop_and_audit(job, &orders, &store);
}

/// What a role or a database sets against sessions that linger must not end a commit that takes its time.
#[test]
fn limits_that_the_role_sets_do_not_matter() {
    let (name, store) = owned();
    let mut orders = Orders::new(500);
    let mut admin = PostgresServer::shared().client(&name);
    let limits = "SELECT name FROM pg_settings WHERE name IN
                  ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout')";
    // The last one is not in every version.
    for limit in admin.query(limits, &[]).unwrap() {
        let limit: String = limit.get(0);
        admin.batch_execute(&format!("ALTER ROLE owner_of_{name} SET {limit} = '700ms'")).unwrap();
    }
    let mut job = Takings::start(&orders.run(&store));
    job.wait_for(OURS);
    orders.wait_until_counted(&PostgresServer::shared().url(&name), &mut job);
    let mut lock = admin.transaction().unwrap();
    lock.batch_execute("LOCK TABLE sales_per_day").unwrap();
    orders.add(500);
    let mut looking = PostgresServer::shared().client(&name);
    wait::until("a statement has taken longer than the role allows", Duration::from_secs(120), || {
        let waits = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'takings run%'
                     AND datname = current_database() AND wait_event_type = 'Lock' AND clock_timestamp() - query_start > '1 s'";
        (looking.query_one(waits, &[]).unwrap().get::<_, i64>(0) > 0).then_some(())
    });
    lock.rollback().unwrap();
    orders.wait_until_counted(&PostgresServer::shared().url(&name), &mut job);
    assert!(!job.log().contains(WAITING), "{}", job.log());
    stop_and_audit(job, &orders, &PostgresServer::shared().url(&name));
}

/// Where a server has a limit on transactions it ends the session. Not every version has it, so a trigger says what that
/// server would.
#[test]
fn a_transaction_that_took_longer_than_allowed_is_tried_again() {
    let (name, store) = owned();
    let mut orders = Orders::new(500);
    let mut job = Takings::start(&orders.run(&store));
    orders.wait_until_counted(&store, &mut job);
    let mut admin = PostgresServer::shared().client(&name);
    admin
        .batch_execute(
            "CREATE FUNCTION too_long() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                 RAISE EXCEPTION 'terminating connection due to transaction timeout' USING ERRCODE = '25P04';
             END $$;
             CREATE TRIGGER too_long BEFORE INSERT OR UPDATE ON sales_per_day EXECUTE FUNCTION too_long()",
        )
        .unwrap();
    orders.add(500);
    job.wait_for(&format!("{WAITING}the store at "));
    job.wait_for("longer than transaction_timeout allows (");
    admin.batch_execute("DROP TRIGGER too_long ON sales_per_day; DROP FUNCTION too_long").unwrap();
    orders.wait_until_counted(&store, &mut job);
    stop_and_audit(job, &orders, &store);
}

#[test]
fn a_connection_that_is_not_to_be_had_is_waited_for() {
    let (name, store) = owned();
    let orders = Orders::new(500);
    let mut admin = PostgresServer::shared().client(&name);
    admin.batch_execute(&format!("ALTER ROLE owner_of_{name} CONNECTION LIMIT 0")).unwrap();
    let mut job = Takings::start(&orders.run(&store));
    job.wait_for("it has no connection left");
    job.wait_for("CONNECTION LIMIT");
    // One is enough.
    admin.batch_execute(&format!("ALTER ROLE owner_of_{name} CONNECTION LIMIT 1")).unwrap();
    orders.wait_until_counted(&PostgresServer::shared().url(&name), &mut job);
    stop_and_audit(job, &orders, &PostgresServer::shared().url(&name));
}

#[test]
fn a_server_that_takes_no_writes_is_waited_for() {
    let (name, store) = owned();
    let mut orders = Orders::new(500);
    let mut admin = PostgresServer::shared().client("postgres");
    let mut turn = |to: &str| {
        admin.batch_execute(&format!("ALTER DATABASE {name} SET default_transaction_read_only = {to}")).unwrap()
    };
    turn("on");
    let mut job = Takings::start(&orders.run(&store));
    job.wait_for("waiting: the store at ");
    job.wait_for("default_transaction_read_only is on");
    turn("off");
    orders.wait_until_counted(&store, &mut job);
    // A session that is open takes no notice; one that comes after an outage does.
    turn("on");
    let mut admin = PostgresServer::shared().client("postgres");
    let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
    admin.execute(&end, &[]).unwrap();
    orders.add(500);
    job.wait_for(&format!("{WAITING}the store at "));
    wait::until("it says why", Duration::from_secs(120), || {
        (job.log().matches("default_transaction_read_only is on").count() > 1).then_some(())
    });
    admin.batch_execute(&format!("ALTER DATABASE {name} SET default_transaction_read_only = off")).unwrap();
    orders.wait_until_counted(&store, &mut job);
    stop_and_audit(job, &orders, &store);
}

#[test]
fn a_privilege_that_was_taken_away_is_named() {
    let (name, store) = owned();
    let mut orders = Orders::new(500);
    let mut job = Takings::start(&orders.run(&store));
    orders.wait_until_counted(&store, &mut job);
    let mut admin = PostgresServer::shared().client(&name);
    admin.batch_execute(&format!("REVOKE ALL ON sales_per_day FROM owner_of_{name}")).unwrap();
    orders.add(500);
    job.wait().refused(78, &["setting `store`", "permission denied for table sales_per_day", "grant it the right"]);
    admin.batch_execute(&format!("GRANT ALL ON sales_per_day TO owner_of_{name}")).unwrap();
    takings(&format!("{} --until-caught-up", orders.run(&store))).done();
    orders.audit(&store);
}

#[test]
fn a_stop_does_not_wait_for_a_server_that_is_frozen() {
    let (mut orders, server) = (Orders::new(500), PostgresServer::start());
    let store = server.url(&server.fresh_database());
    // The background audit asks again and again, with a session of its own.
    let mut job = Takings::start(&format!("{} --audit-every 1s", orders.run(&store)));
    orders.wait_until_counted(&store, &mut job);
    let mut standby = Takings::start(&format!("{} --standby", orders.run(&store)));
    standby.wait_for("standing by: ");
    let frozen = server.freeze();
    orders.add(500);
    let mut newcomer = Takings::start(&format!("{} --standby", orders.run(&store)));
    job.wait_for("no answer from the store for 3");
    newcomer.wait_for("it takes connections, and said nothing for 20 s");
    // One that waits for the lock, one that asks for its first session, and one that holds the store.
    stop_without_an_answer(standby);
    stop_without_an_answer(newcomer);
    let log = stop_without_an_answer(job);
    assert!(log.contains("stopped; the last epoch is not committed"), "{log}");
    drop(frozen);
    let mut next = Takings::start(&format!("{} --standby", orders.run(&store)));
    next.wait_for(OURS);
    orders.wait_until_counted(&store, &mut next);
    stop_and_audit(next, &orders, &store);
}

#[test]
fn a_job_that_can_not_go_on_says_so_while_its_server_is_frozen() {
    let (mut orders, server) = (Orders::new(500), PostgresServer::start());
    let store = server.url(&server.fresh_database());
    let mut job = Takings::start(&orders.run(&store));
    orders.wait_until_counted(&store, &mut job);
    let frozen = server.freeze();
    orders.add(500);
    job.wait_for("no answer from the store for 3");
    orders.empty_a_file();
    let from = Instant::now();
    job.wait().refused(78, &["is not the file it was"]);
    assert!(from.elapsed() < ENDS_WITHIN, "{:?}", from.elapsed());
    drop(frozen);
}

/// Such a commit is on the primary's disk, and in force once it was replicated, or waits no more.
#[test]
fn a_commit_that_waits_for_a_replica_and_was_not_waited_for_counts_once() {
    let (mut orders, server) = (Orders::new(500), PostgresServer::start());
    let store = server.url(&server.fresh_database());
    let mut job = Takings::start(&orders.run(&store));
    orders.wait_until_counted(&store, &mut job);
    let mut admin = server.client("postgres");
    let mut wait_for = |replica: &str| {
        admin.batch_execute(&format!("ALTER SYSTEM SET synchronous_standby_names = '{replica}'")).unwrap();
        admin.batch_execute("SELECT pg_reload_conf()").unwrap();
    };
    wait_for("nobody");
    orders.add(500);
    let mut looking = server.client("postgres");
    wait::until("a commit waits", Duration::from_secs(60), || {
        let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
        (looking.query_one(waits, &[]).unwrap().get::<_, i64>(0) > 0).then_some(())
    });
    stop_without_an_answer(job);
    wait_for("");
    let mut next = Takings::start(&format!("{} --standby", orders.run(&store)));
    next.wait_for(OURS);
    orders.wait_until_counted(&store, &mut next);
    stop_and_audit(next, &orders, &store);
}

#[test]
fn tls_that_does_not_fit_is_named() {
    let server = PostgresServer::start_with_tls();
    let (orders, folder) = (Orders::new(500), tempfile::tempdir().unwrap());
    let database = server.fresh_database();
    server.refuse_plain_connections();
    let (port, root) = (server.port(), server.certificate());
    let other = folder.path().join("other.crt");
    let made = Command::new("openssl")
        .args(["req", "-x509", "-nodes", "-newkey", "rsa:2048", "-days", "2", "-subj", "/CN=localhost", "-keyout"])
        .arg(folder.path().join("other.key"))
        .arg("-out")
        .arg(&other)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let run = |host: &str, tls: String| {
        orders.run(&format!("postgres://takings@{host}:{port}/{database}?{tls}")) + " --until-caught-up"
    };
    let (root, other) = (root.display(), other.display());
    // TLS is wanted, and not offered.
    takings(&run("localhost", "sslmode=disable".to_owned())).refused(78, &["setting `store`", "no encryption"]);
    // Another authority, none at all, another name.
    for (host, tls, said) in [
        ("localhost", format!("sslmode=verify-full&sslrootcert={other}"), "certificate verify failed"),
        ("localhost", "sslmode=verify-full".to_owned(), "certificate verify failed"),
        ("127.0.0.1", format!("sslmode=verify-full&sslrootcert={root}"), "IP address mismatch"),
    ] {
        takings(&run(host, tls)).refused(78, &["setting `store`", said, "check", "sslrootcert"]);
    }
    takings(&run("localhost", format!("sslmode=verify-full&sslrootcert={root}"))).done();
}

#[test]
fn a_pooler_that_gives_a_session_works_and_one_that_shares_it_is_refused() {
    let server = PostgresServer::shared();
    let (mut orders, name) = (Orders::new(1_000), server.fresh_database());
    for mode in ["transaction", "statement"] {
        let pgbouncer = Pgbouncer::start(server.port(), mode, 20);
        takings(&orders.run(&pgbouncer.url(&name))).refused(78, &["setting `store`", "pooler", "pool_mode=session"]);
    }
    // It left nothing behind: neither a lock nor tables.
    let locks = "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database WHERE locktype = 'advisory' AND datname = $1";
    assert_eq!(server.client(&name).query_one(locks, &[&name]).unwrap().get::<_, i64>(0), 0);

    // With one session a database, the job has it and nobody else: that is enough.
    let pgbouncer = Pgbouncer::start(server.port(), "session", 1);
    let through = pgbouncer.url(&name);
    let mut job = Takings::start(&orders.run(&through));
    orders.wait_until_counted(&server.url(&name), &mut job);
    // It goes away in the middle, with its connections.
    orders.add(5_000);
    drop(pgbouncer);
    job.wait_for(WAITING);
    job.kill();
    let pgbouncer = Pgbouncer::start(server.port(), "session", 5);
    let through = pgbouncer.url(&name);
    let mut job = Takings::start(&orders.run(&through));
    orders.wait_until_counted(&server.url(&name), &mut job);
    let mut standby = Takings::start(&format!("{} --standby", orders.run(&through)));
    standby.wait_for("standing by: the store is held by takings run (");
    job.kill();
    standby.wait_for(OURS);
    stop_and_audit(standby, &orders, &server.url(&name));
}
