//! What only a server can do to its client: go away at the worst moment, refuse, hold a lock.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "nobody waits for a test to stop")]

mod support;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use postgres::fallible_iterator::FallibleIterator;
use support::postgres::{GUARDED, PASSWORD, PostgresServer};
use support::proxy::{Cut, Proxy};
use support::stores::{Fresh, changed, commit, day_key, new, partition, row, settings, total};
use takings::store::{Commit, Store, StoreError, StoreUrl, open};
use takings_dataflows::view::View;

/// Commits, and again while the server is not reachable, as the job does.
fn persist(store: &mut dyn Store, commit: &Commit) -> u32 {
    let deadline = Instant::now() + Duration::from_secs(30);
    let mut failures = 0;
    loop {
        match store.commit(commit) {
            Ok(()) => return failures,
            Err(error) => assert!(error.is_transient() && Instant::now() < deadline, "{error:?}"),
        }
        failures += 1;
        thread::sleep(Duration::from_millis(10));
    }
}

/// An epoch that writes its own number into some rows: whatever is lost or doubled shows.
fn numbered(epoch: u64) -> Commit {
    let rows = (0..40).map(|after| {
        let total = total(i128::from(epoch) * 1_000_000, epoch as i64);
        if epoch == 1 { new(day_key(after, "EUR"), total) } else { changed(day_key(after, "EUR"), total) }
    });
    let mut totals: Vec<_> = rows.collect();
    totals.push(new(day_key(1_000 + epoch as i32, "EUR"), total(1, 1)));
    Commit { partitions: vec![partition(0, epoch)], ..commit(epoch, totals) }
}

/// That the store holds epoch `last`, whole, and every epoch before it once.
fn assert_whole(fresh: &Fresh, last: u64) {
    let mut expected: Vec<_> = (0..40)
        .map(|after| row(day_key(after, "EUR"), total(i128::from(last) * 1_000_000, last as i64), last))
        .collect();
    expected.extend((1..=last).map(|epoch| row(day_key(1_000 + epoch as i32, "EUR"), total(1, 1), epoch)));
    expected.sort();
    assert_eq!(fresh.view(View::Day), expected);
    let mut store = fresh.open();
    let recovered = store.acquire(&settings()).unwrap();
    assert_eq!((recovered.epoch, recovered.partitions), (last, vec![partition(0, last)]));
}

fn through(proxy: &Proxy, fresh: &Fresh, server: &PostgresServer) -> Box<dyn Store> {
    let direct = fresh.url.to_string();
    let url = direct.replace(&server.port().to_string(), &proxy.port().to_string());
    open(&StoreUrl::parse(&url).unwrap()).unwrap()
}

#[test]
fn a_commit_whose_acknowledgement_was_lost_counts_once() {
    let server = PostgresServer::shared();
    let fresh = Fresh::postgres();
    let proxy = Proxy::start(server.port());
    let mut store = through(&proxy, &fresh, &server);
    store.acquire(&settings()).unwrap();
    for epoch in 1..=12 {
        let cut = [Cut::Never, Cut::Before, Cut::After][epoch as usize % 3];
        proxy.cut_next(cut);
        let failures = persist(&mut *store, &numbered(epoch));
        assert_eq!(failures > 0, cut != Cut::Never, "epoch {epoch}");
        assert!(!proxy.is_waiting());
    }
    drop(store);
    assert_whole(&fresh, 12);
}

/// What lies between forgot the connection: this end is told, and the server is not.
#[test]
fn a_start_that_lost_its_connection_takes_its_lock_back() {
    let server = PostgresServer::shared();
    let fresh = Fresh::postgres();
    let proxy = Proxy::start(server.port());
    let mut store = through(&proxy, &fresh, &server);
    proxy.cut_next(Cut::Unseen);
    let error = store.acquire(&settings()).unwrap_err();
    assert!(matches!(error, StoreError::Unreachable { .. }), "{error:?}");
    let held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    assert_eq!(fresh.texts(held), [[Some("1".to_owned())]]);
    store.acquire(&settings()).unwrap();
    store.commit(&numbered(1)).unwrap();
    drop(store);
    assert_whole(&fresh, 1);
}

#[test]
fn killed_backends_lose_and_double_nothing() {
    let fresh = Arc::new(Fresh::postgres());
    let mut store = fresh.acquired();
    let killed = Arc::new(AtomicUsize::new(0));
    let killer = thread::spawn({
        let (fresh, killed) = (fresh.clone(), killed.clone());
        move || {
            for round in 0..20 {
                thread::sleep(Duration::from_micros(round * 7919 % 20_000));
                // Until the job is connected again there is nobody to kill.
                loop {
                    let ended = fresh.texts(
                        "SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity
                         WHERE application_name LIKE 'takings run%' AND datname = current_database()",
                    );
                    if !ended.is_empty() {
                        break;
                    }
                }
                killed.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    let (mut epoch, mut failures) = (0, 0);
    while killed.load(Ordering::Relaxed) < 20 {
        epoch += 1;
        failures += persist(&mut *store, &numbered(epoch));
    }
    killer.join().unwrap();
    assert!(failures > 0);
    persist(&mut *store, &numbered(epoch + 1));
    drop(store);
    assert_whole(&fresh, epoch + 1);
}

#[test]
fn a_server_that_restarts_or_dies_loses_and_doubles_nothing() {
    let server = PostgresServer::start();
    let fresh = Fresh::on(server.clone());
    let mut store = fresh.acquired();
    persist(&mut *store, &numbered(1));

    // Between two commits.
    server.restart();
    persist(&mut *store, &numbered(2));
    server.kill();
    let error = store.commit(&numbered(3)).unwrap_err();
    assert!(matches!(error, StoreError::Unreachable { .. }), "{error:?}");
    let error = store.commit(&numbered(3)).unwrap_err();
    assert!(matches!(error, StoreError::Unreachable { .. }), "{error:?}");
    server.start_again();
    persist(&mut *store, &numbered(3));

    // In the middle of many.
    let stop = Arc::new(AtomicBool::new(false));
    let (committed, epochs) = mpsc::channel::<u64>();
    let committing = thread::spawn({
        let stop = stop.clone();
        move || {
            let (mut epoch, mut failures) = (3, 0);
            while !stop.load(Ordering::Relaxed) {
                epoch += 1;
                failures += persist(&mut *store, &numbered(epoch));
                committed.send(epoch).unwrap();
            }
            (epoch, failures)
        }
    });
    let runs_on = || epochs.iter().take(5).for_each(drop);
    for _ in 0..3 {
        runs_on();
        server.kill();
        server.start_again();
    }
    runs_on();
    server.restart();
    runs_on();
    stop.store(true, Ordering::Relaxed);
    let (last, failures) = committing.join().unwrap();
    assert!(failures > 0);
    assert_whole(&fresh, last);
}

#[test]
fn another_holder_takes_over_while_the_first_is_cut_off() {
    let server = PostgresServer::shared();
    let fresh = Fresh::postgres();
    let proxy = Proxy::start(server.port());
    let mut first = through(&proxy, &fresh, &server);
    first.acquire(&settings()).unwrap();
    proxy.cut_next(Cut::Before);
    assert!(first.commit(&numbered(1)).unwrap_err().is_transient());
    let mut second = fresh.acquired();
    let error = first.commit(&numbered(1)).unwrap_err();
    assert!(matches!(error, StoreError::Fenced { ours: 1, theirs: 2, .. }), "{error:?}");
    second.commit(&numbered(1)).unwrap();
    drop(second);
    assert_whole(&fresh, 1);
}

#[test]
fn a_holder_whose_session_ended_goes_on_where_nobody_came() {
    let fresh = Fresh::postgres();
    let mut store = fresh.acquired();
    persist(&mut *store, &numbered(1));
    fresh.break_lock();
    assert!(store.beat().unwrap_err().is_transient());
    store.beat().unwrap();
    // It holds the lock again.
    assert!(matches!(fresh.open().acquire(&settings()), Err(StoreError::Held { .. })));
    persist(&mut *store, &numbered(2));
    drop(store);
    assert_whole(&fresh, 2);
}

#[test]
fn every_commit_is_announced() {
    let server = PostgresServer::shared();
    let database = server.fresh_database();
    let mut reader = server.client(&database);
    reader.batch_execute("LISTEN takings").unwrap();
    let mut store = open(&StoreUrl::parse(&server.url(&database)).unwrap()).unwrap();
    store.acquire(&settings()).unwrap();
    store.commit(&commit(3, vec![])).unwrap();
    store.commit(&commit(4, vec![])).unwrap();
    let heard: Vec<_> = reader
        .notifications()
        .timeout_iter(Duration::from_secs(10))
        .take(2)
        .map(|notification| Ok((notification.channel().to_owned(), notification.payload().to_owned())))
        .collect()
        .unwrap();
    assert_eq!(heard, [("takings".to_owned(), "3".to_owned()), ("takings".to_owned(), "4".to_owned())]);
}

#[test]
fn a_lock_on_a_table_is_waited_for_not_failed_on() {
    let fresh = Fresh::postgres();
    let mut store = fresh.acquired();
    store.commit(&numbered(1)).unwrap();
    let server = PostgresServer::shared();
    let database = fresh.url.to_string().rsplit('/').next().unwrap().to_owned();
    let mut other = server.client(&database);
    let mut lock = other.transaction().unwrap();
    lock.batch_execute("LOCK TABLE sales_per_day").unwrap();
    let committing = thread::spawn(move || persist(&mut *store, &numbered(2)));
    // The job's statement stands in line; then it goes through.
    let mut looking = server.client(&database);
    let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'sales_per_day'::regclass";
    while looking.query_one(waits, &[]).unwrap().get::<_, i64>(0) == 0 {
        thread::yield_now();
    }
    lock.rollback().unwrap();
    assert_eq!(committing.join().unwrap(), 0);
    assert_whole(&fresh, 2);
}

fn refusal(url: &str) -> String {
    match open(&StoreUrl::parse(url).unwrap()).unwrap().acquire(&settings()).unwrap_err() {
        StoreError::Configuration { setting: "store", message } => message,
        error => panic!("{error:?}"),
    }
}

#[test]
fn wrong_settings_are_told_from_outages() {
    let server = PostgresServer::shared();
    let database = server.fresh_database();
    let port = server.port();

    let missing = refusal(&server.url("no_such_database"));
    assert!(missing.contains("no_such_database") && missing.contains("createdb"), "{missing}");
    let wrong = refusal(&format!("postgres://{GUARDED}:hunter2@127.0.0.1:{port}/{database}"));
    assert!(wrong.contains("refused the login") && !wrong.contains("hunter2"), "{wrong}");
    let none = refusal(&format!("postgres://{GUARDED}@127.0.0.1:{port}/{database}"));
    assert!(none.contains("password"), "{none}");
    let tls = refusal(&format!("{}?sslmode=require", server.url(&database)));
    assert!(tls.contains("TLS") && tls.contains("sslmode"), "{tls}");
    // The password is right, and the role may not create tables (PostgreSQL 15 and later).
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, format!("{PASSWORD}\n")).unwrap();
    server.client(&database).batch_execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC").unwrap();
    let url = format!("postgres://{GUARDED}@127.0.0.1:{port}/{database}?password_file={}", file.display());
    let privilege = refusal(&url);
    assert!(privilege.contains("GRANT CREATE ON SCHEMA"), "{privilege}");
    server.client(&database).batch_execute(&format!("GRANT CREATE ON SCHEMA public TO {GUARDED}")).unwrap();
    open(&StoreUrl::parse(&url).unwrap()).unwrap().acquire(&settings()).unwrap();

    // Not every product's name fits in it.
    let latin = server.fresh_database() + "_latin1";
    let like_it = "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0";
    server.client("postgres").batch_execute(&format!("CREATE DATABASE {latin} {like_it}")).unwrap();
    let encoding = refusal(&server.url(&latin));
    assert!(encoding.contains("LATIN1") && encoding.contains("ENCODING 'UTF8'"), "{encoding}");

    // Somebody else's tables.
    let taken = server.fresh_database();
    server.client(&taken).batch_execute("CREATE TABLE orders (id integer)").unwrap();
    let others = refusal(&server.url(&taken));
    assert!(others.contains("orders") && others.contains("database of its own"), "{others}");

    // An outage.
    let free = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let error = open(&StoreUrl::parse(&format!("postgres://takings@127.0.0.1:{free}/takings")).unwrap())
        .unwrap()
        .acquire(&settings())
        .unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    // A server that takes no writes just now: a standby before its promotion looks the same.
    let readonly = server.fresh_database();
    server
        .client("postgres")
        .batch_execute(&format!("ALTER DATABASE {readonly} SET default_transaction_read_only = on"))
        .unwrap();
    let mut store = open(&StoreUrl::parse(&server.url(&readonly)).unwrap()).unwrap();
    let error = store.acquire(&settings()).unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    server
        .client("postgres")
        .batch_execute(&format!("ALTER DATABASE {readonly} RESET default_transaction_read_only"))
        .unwrap();
    store.acquire(&settings()).unwrap();
}

/// Statements and their plans are made while the tables are empty; they must stay right for full ones.
#[test]
fn each_row_is_looked_up_by_its_key() {
    let fresh = Fresh::postgres();
    let mut store = fresh.acquired();
    let rows = 30_000;
    store.commit(&commit(1, vec![new(day_key(-1, "EUR"), total(1, 1))])).unwrap();
    store.commit(&commit(2, vec![changed(day_key(-1, "EUR"), total(1, 1))])).unwrap();
    store.commit(&commit(3, (0..rows).map(|after| new(day_key(after, "EUR"), total(1, 1))).collect())).unwrap();
    for epoch in 4..14 {
        let totals = (0..3).map(|after| changed(day_key(after * 10_000, "EUR"), total(2, 1))).collect();
        store.commit(&commit(epoch, totals)).unwrap();
    }
    drop(store);
    // A session's figures come in once it has ended.
    let figure = |name: &str| {
        let rows = fresh.rows(&[name], "pg_stat_user_tables WHERE relname = 'sales_per_day'");
        rows[0][0].as_ref().unwrap().parse::<u64>().unwrap()
    };
    while figure("n_tup_upd") < 31 {
        thread::yield_now();
    }
    assert_eq!(figure("seq_tup_read"), 0);
    assert_eq!(figure("n_tup_hot_upd"), 31);
}

#[test]
fn sslmode_means_what_libpq_says() {
    let server = PostgresServer::start_with_tls();
    let database = server.fresh_database();
    let (port, root) = (server.port(), server.certificate());
    let acquire = |host: &str, mode: &str| {
        let url = format!("postgres://takings@{host}:{port}/{database}?{mode}");
        let mut store = open(&StoreUrl::parse(&url).unwrap()).unwrap();
        store.acquire(&settings()).map(|_| {
            let encrypted = "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
                             WHERE application_name LIKE 'takings run%'";
            server.client(&database).query_one(encrypted, &[]).unwrap().get::<_, bool>(0)
        })
    };
    let root = format!("sslrootcert={}", root.display());
    for (host, mode, encrypted) in [
        ("127.0.0.1", "sslmode=disable", false),
        ("127.0.0.1", "", true),
        ("127.0.0.1", "sslmode=require", true),
        ("127.0.0.1", &format!("sslmode=verify-ca&{root}"), true),
        ("localhost", &format!("sslmode=verify-full&{root}"), true),
    ] {
        assert_eq!(acquire(host, mode).unwrap(), encrypted, "{mode}");
    }
    for (host, mode) in [
        ("127.0.0.1", &format!("sslmode=verify-full&{root}")),
        ("localhost", &"sslmode=verify-full".to_owned()),
        ("localhost", &"sslmode=verify-ca".to_owned()),
    ] {
        let error = acquire(host, mode).unwrap_err();
        assert!(matches!(error, StoreError::Configuration { setting: "store", .. }), "{mode}: {error:?}");
        assert!(error.to_string().contains("certificate"), "{error}");
    }
}
