//! A crash between any two steps of a commit, and of a start: for every step there is, the store holds a whole
//! number of epochs, none of those that were acknowledged is lost, and the same commit again counts once.
//!
//! - PostgreSQL: the connection is cut at the k-th message, before the server sees it and after it has answered,
//!   for every k until the commit passes ([`support::proxy`]). At a start the two ways take turns.
//! - SQLite: everything that a process wrote and synced is traced, and its files are rebuilt as they were after the
//!   k-th step, for every k: so a `kill -9` leaves them. A power cut leaves less, what was synced and any part of the
//!   rest; that is tried for every k as well.
//!
//! A store that had no fault says what each epoch must leave.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "the seed and the counts are for who reads the test's output")]
#![allow(missing_docs, reason = "a test")]

mod everything;
#[path = "../support/mod.rs"]
mod support;
mod trace;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use everything::{Dump, dump, everything};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use support::postgres::PostgresServer;
use support::proxy::{Cut, Proxy};
use support::stores::{Fresh, settings};
use takings::store::{Store, StoreError, StoreUrl, open};

/// Tells the process that this binary starts which store to commit to.
const STORE: &str = "TAKINGS_TEST_STORE";
/// How many epochs that process commits.
const EPOCHS: u64 = 4;
const PATIENCE: Duration = Duration::from_secs(120);

fn seed() -> u64 {
    let seed = std::env::var("TAKINGS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(rand::random);
    println!("TAKINGS_SEED={seed}");
    seed
}

/// What a store without faults holds after each of the first epochs, the one before the first included.
fn reference(fresh: &Fresh, epochs: u64) -> Vec<Dump> {
    let mut store = fresh.acquired();
    let mut dumps = vec![dump(fresh)];
    for epoch in 1..=epochs {
        store.commit(&everything(epoch)).unwrap();
        dumps.push(dump(fresh));
    }
    dumps
}

/// As the job does: again while the server does not answer.
fn until_it_answers<T>(mut attempt: impl FnMut() -> Result<T, StoreError>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match attempt() {
            Ok(done) => return done,
            Err(error) => assert!(error.is_transient() && Instant::now() < deadline, "{error:?}"),
        }
        std::thread::yield_now();
    }
}

fn through(proxy: &Proxy, fresh: &Fresh) -> Box<dyn Store> {
    let direct = PostgresServer::shared().port().to_string();
    open(&StoreUrl::parse(&fresh.url.to_string().replace(&direct, &proxy.port().to_string())).unwrap()).unwrap()
}

#[test]
fn postgres_cut_at_every_message_of_a_commit() {
    let (fresh, without_faults) = (Fresh::postgres(), Fresh::postgres());
    let mut twin = without_faults.acquired();
    let proxy = Proxy::start(PostgresServer::shared().port());
    let mut store = through(&proxy, &fresh);
    store.acquire(&settings()).unwrap();

    let mut epoch = 0;
    let mut messages = Vec::new();
    let mut before = dump(&without_faults);
    for cut in [Cut::Before, Cut::After] {
        for others in 0.. {
            epoch += 1;
            let commit = everything(epoch);
            twin.commit(&commit).unwrap();
            let after = dump(&without_faults);
            proxy.cut_after(others, cut);
            let acknowledged = store.commit(&commit).is_ok();
            let is_through = proxy.is_waiting();
            proxy.cut_after(u64::MAX, Cut::Never);
            let seen = dump(&fresh);
            assert!(seen == before || seen == after, "{cut:?} message {others}: half of epoch {epoch}:\n{seen:#?}");
            assert!(seen == after || !acknowledged, "{cut:?} message {others}: acknowledged, and not there");
            until_it_answers(|| store.commit(&commit));
            assert_eq!(dump(&fresh), after, "{cut:?} message {others}, and epoch {epoch} once more");
            before = after;
            if is_through {
                messages.push(others);
                break;
            }
        }
    }
    println!("{epoch} epochs; messages of a commit: {messages:?}");
    assert!(messages.iter().all(|count| *count > 20), "{messages:?}");
    drop(store);
    assert_eq!(fresh.open().acquire(&settings()).unwrap().epoch, epoch);
}

#[test]
fn postgres_cut_at_every_message_of_a_start() {
    let reference = reference(&Fresh::postgres(), 1);
    let proxy = Proxy::start(PostgresServer::shared().port());
    let cut_once = |fresh: &Fresh, others, cut| {
        let mut store = through(&proxy, fresh);
        proxy.cut_after(others, cut);
        let first = store.acquire(&settings());
        let is_through = proxy.is_waiting();
        proxy.cut_after(u64::MAX, Cut::Never);
        if first.is_err() {
            until_it_answers(|| store.acquire(&settings()));
        }
        (store, is_through)
    };
    // Where there is a store already.
    let known = Fresh::postgres();
    known.acquired().commit(&everything(1)).unwrap();
    // The two ways to cut take turns; the seed says which begins, and where.
    let mut chance = StdRng::seed_from_u64(seed());
    let turn: u64 = chance.random_range(0..2);
    let cut_at = |others: u64| if (others + turn).is_multiple_of(2) { Cut::After } else { Cut::Before };
    for others in 0.. {
        let cut = cut_at(others);
        let (_store, is_through) = cut_once(&known, others, cut);
        assert_eq!(dump(&known), reference[1], "{cut:?} message {others} of a start");
        if is_through {
            println!("{others} messages of a start");
            break;
        }
    }
    // Where the tables are still to be made, every time a new database: some of the messages.
    for others in (chance.random_range(0..7)..).step_by(7) {
        let (fresh, cut) = (Fresh::postgres(), cut_at(others));
        let (mut store, is_through) = cut_once(&fresh, others, cut);
        until_it_answers(|| store.commit(&everything(1)));
        assert_eq!(dump(&fresh), reference[1], "{cut:?} message {others} of a first start");
        if is_through {
            println!("{others} messages of a first start");
            break;
        }
    }
}

/// Not a test of its own: the process that is traced. It says each epoch once that is committed.
#[test]
fn commits_some_epochs() {
    let Ok(url) = std::env::var(STORE) else { return };
    let mut store = open(&StoreUrl::parse(&url).unwrap()).unwrap();
    assert_eq!(store.acquire(&settings()).unwrap().epoch, 0);
    println!("\nepoch 0");
    for epoch in 1..=EPOCHS {
        store.commit(&everything(epoch)).unwrap();
        println!("\nepoch {epoch}");
    }
}

/// What that process wrote to its database, step by step.
fn traced() -> trace::Trace {
    let folder = in_memory();
    let (fresh, output) = (folder.path().join("takings.db"), folder.path().join("trace"));
    let status = Command::new("strace")
        .args(["-f", "-y", "-xx", "-s", "10000000", "-e", "trace=pwrite64,write,ftruncate,fsync,fdatasync,unlink"])
        .arg("-o")
        .arg(&output)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "commits_some_epochs", "--nocapture", "--test-threads", "1"])
        .env(STORE, format!("sqlite:{}", fresh.display()))
        .stdout(Stdio::null())
        .status()
        .expect("strace runs; scripts/packages.sh installs it");
    assert!(status.success());
    trace::Trace::parse(&std::fs::read_to_string(output).unwrap(), fresh.to_str().unwrap())
}

/// A folder that is not on a disk, where there is one: what a crash left is made by hand, and a start on it syncs.
fn in_memory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// Starts on files as a crash left them.
fn recover(files: &trace::Files, acknowledged: Option<u64>, reference: &[Dump], what: &str) {
    let folder = in_memory();
    files.write(folder.path());
    let fresh = Fresh::sqlite_in(folder);
    let mut store = fresh.open();
    let epoch = store.acquire(&settings()).unwrap_or_else(|error| panic!("{what}: {error:?}")).epoch;
    let least = acknowledged.unwrap_or(0);
    assert!(epoch == least || epoch == least + 1, "{what}: epoch {epoch} is there, and {least} was acknowledged");
    assert_eq!(dump(&fresh), reference[epoch as usize], "{what}: half of epoch {epoch}");
    if epoch < EPOCHS {
        store.commit(&everything(epoch + 1)).unwrap();
        assert_eq!(dump(&fresh), reference[epoch as usize + 1], "{what}: the commit after it");
    }
}

#[test]
fn sqlite_killed_after_every_step() {
    let reference = reference(&Fresh::sqlite_in(in_memory()), EPOCHS);
    let trace = traced();
    let mut files = trace::Files::default();
    for (number, step) in trace.steps.iter().enumerate() {
        recover(&files, files.acknowledged, &reference, &format!("killed before step {number}"));
        files.take(step);
    }
    assert_eq!(files.acknowledged, Some(EPOCHS));
    recover(&files, Some(EPOCHS), &reference, "killed at the end");
    println!("{} steps", trace.steps.len());
    assert!(trace.steps.len() > 100);
}

#[test]
fn sqlite_without_power_after_every_step() {
    let mut chance = StdRng::seed_from_u64(seed());
    let reference = reference(&Fresh::sqlite_in(in_memory()), EPOCHS);
    let trace = traced();
    let mut files = trace::Files::default();
    for (number, step) in trace.steps.iter().enumerate() {
        // Before the store is acquired once nothing was promised.
        if files.acknowledged.is_some() {
            let left = files.without_power(&mut chance);
            recover(&left, files.acknowledged, &reference, &format!("no power from step {number} on"));
        }
        files.take(step);
    }
    assert_eq!(files.acknowledged, Some(EPOCHS));
}
