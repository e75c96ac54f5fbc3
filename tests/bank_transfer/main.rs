//! The bank-transfer test of "Internal consistency in streaming systems" (Jamie Brandon, 2021): money moves from
//! one account to another, none comes and none goes, so every state that anyone can see sums to zero.
//!
//! An account is a category, and a transfer is the correction of one order, which moves its amount from one
//! category to another. Half of the orders are of some amount, half of its opposite. A system that writes the two
//! halves of a correction apart, or shows them apart, shows money that never was. Readers look as fast as they
//! can, at the tables and at the event stream, while jobs, services and the database are killed.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "the seed and what was seen are for who reads the test's output")]
#![allow(missing_docs, reason = "a test")]

mod bank;
mod readers;
#[path = "../support/mod.rs"]
mod support;

use std::fs::OpenOptions;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bank::{Bank, Entry, PARTITIONS, SETUP};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use readers::{Seen, Tables, read_stream, read_tables};
use support::kafka::{Kafka, Message};
use support::postgres::PostgresServer;
use support::takings::Takings;
use support::{port, wait};

/// How many faults there are.
const FAULTS: usize = 14;
/// How many epochs each reader must have seen at least: a test that saw nothing shows nothing.
const AT_LEAST: u64 = 60;
/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(240);

fn seed() -> u64 {
    let seed = std::env::var("TAKINGS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(rand::random);
    println!("TAKINGS_SEED={seed}");
    seed
}

/// A process that a fault may kill.
struct Killable {
    command: String,
    process: Takings,
}

impl Killable {
    fn start(command: String) -> Killable {
        let process = Takings::start(&command);
        Killable { command, process }
    }

    /// Kills it and starts it again, with other words.
    fn replace(&mut self, command: String) {
        if self.process.is_running() {
            self.process.signal("KILL");
        }
        // The address and the store are free once the process is gone.
        wait::until("a killed process ends", PATIENCE, || (!self.process.is_running()).then_some(()));
        self.process = Takings::start(&command);
        self.command = command;
    }

    /// Starts it again where it ended, as a supervisor does.
    fn tend(&mut self) {
        if !self.process.is_running() {
            let ended = std::mem::replace(&mut self.process, Takings::start(&self.command)).wait();
            assert_eq!(ended.code, Some(70), "takings {} ended by itself:\n{}", self.command, ended.log);
        }
    }
}

/// Moves money and breaks things until all readers have seen enough. `write` appends to the log, `strike` hurts the
/// database.
fn no_money_comes_or_goes(
    job: &str,
    store: &str,
    tables: impl Tables + Clone + 'static,
    write: impl Fn(Vec<Entry>) + Send + 'static,
    mut strike: impl FnMut(&mut StdRng),
) {
    let mut chance = StdRng::seed_from_u64(seed());
    let mut bank = Bank::new(chance.random());
    write(bank.open_accounts());
    let run = |workers: u32| format!("run {job} --workers {workers}");
    let mut job = Killable::start(run(2));
    let mut watching = tables.clone();
    wait::until("the accounts are set up", PATIENCE, || {
        job.tend();
        (watching.read().ok()? == SETUP as u64).then_some(())
    });

    let serve = format!("serve --store {store} --listen 127.0.0.1:{}", port::free());
    let address = serve.rsplit(' ').next().expect("an address").to_owned();
    let mut service = Killable::start(serve.clone());
    let is_over = Arc::new(AtomicBool::new(false));
    let sql = read_tables(tables.clone(), is_over.clone());
    let stream = read_stream(&address, is_over.clone());
    let writer = std::thread::spawn({
        let is_over = is_over.clone();
        move || {
            while !is_over.load(Ordering::Relaxed) {
                write(bank.transfers());
                std::thread::park_timeout(Duration::from_millis(5));
            }
            bank.made()
        }
    });

    let mut epoch = 0;
    for fault in 0..FAULTS {
        let deadline = Instant::now() + PATIENCE;
        // Between two faults every reader sees some epochs.
        let before = (sql.seen().epochs, stream.seen().epochs);
        wait::until(format!("readers after fault {fault}"), PATIENCE * 2, || {
            job.tend();
            service.tend();
            let (now, there) = (sql.seen(), stream.seen());
            assert!(Instant::now() < deadline, "{now:?} {there:?}\n{}\n{}", job.process.log(), service.process.log());
            (now.epochs >= before.0 + 4 && there.epochs >= before.1 + 4).then_some(())
        });
        let latest = sql.seen().epoch;
        assert!(latest > epoch, "epoch {latest} after {epoch}");
        epoch = latest;
        match chance.random_range(0..3) {
            0 => job.replace(run(chance.random_range(1..=3))),
            1 => service.replace(serve.clone()),
            _ => strike(&mut chance),
        }
    }
    wait::until("readers have seen enough", PATIENCE, || {
        job.tend();
        service.tend();
        (sql.seen().epochs >= AT_LEAST && stream.seen().epochs >= AT_LEAST).then_some(())
    });
    is_over.store(true, Ordering::Relaxed);
    let made = writer.join().expect("all was written");
    wait::until("everything is committed", PATIENCE, || {
        job.tend();
        (watching.read().ok()? == made as u64).then_some(())
    });
    // A stream ends with its service.
    service.process.kill();
    let (sql, stream) = (sql.end(), stream.end());
    println!("{} transfers; tables: {sql:?}; stream: {stream:?}", made - SETUP);
    let enough = |seen: &Seen| seen.epochs >= AT_LEAST && seen.different >= AT_LEAST / 2;
    assert!(enough(&sql) && enough(&stream), "{sql:?} {stream:?}");
}

#[test]
fn in_postgres_and_on_its_stream() {
    let kafka = Kafka::start();
    kafka.create_topic("product_sold", PARTITIONS.into());
    let server = PostgresServer::start();
    let database = server.fresh_database();
    let store = server.url(&database);
    let job = format!("--source {} --store {store}", kafka.url());
    let write = move |entries: Vec<Entry>| {
        let message = |entry: Entry| Message::new(entry.id, entry.payload).in_partition(entry.partition.into());
        let messages: Vec<Message> = entries.into_iter().map(message).collect();
        kafka.produce("product_sold", &messages);
    };
    let tables = readers::Postgres::new(&store);
    no_money_comes_or_goes(&job, &store, tables, write, |chance| {
        if chance.random() {
            server.kill();
        } else {
            server.stop();
        }
        server.start_again();
    });
}

#[test]
fn in_sqlite_and_on_its_stream() {
    let folder = tempfile::tempdir().expect("a folder");
    let (log, database) = (folder.path().join("log"), folder.path().join("takings.db"));
    std::fs::create_dir(&log).expect("a folder");
    let store = format!("sqlite:{}", database.display());
    let job = format!("--source {} --store {store}", log.display());
    let write = move |entries: Vec<Entry>| {
        for entry in entries {
            let path = log.join(format!("product_sold-{}.jsonl", entry.partition));
            let mut file = OpenOptions::new().create(true).append(true).open(path).expect("the log can be written");
            file.write_all(format!("{}\n", entry.payload).as_bytes()).expect("the log can be written");
        }
    };
    let tables = readers::Sqlite::new(&database);
    no_money_comes_or_goes(&job, &store, tables, write, |chance| {
        // Another writer has the file for a while.
        let other = rusqlite::Connection::open(&database).expect("the file can be opened");
        other.busy_timeout(PATIENCE).expect("a timeout");
        other.execute_batch("BEGIN IMMEDIATE").expect("the file is free at some time");
        std::thread::park_timeout(Duration::from_millis(chance.random_range(10..500)));
        other.execute_batch("ROLLBACK").expect("let go");
    });
}
