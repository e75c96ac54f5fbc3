//! A store that fails at its k-th call, before or after that took effect, for every k: a whole job gives the totals
//! of a plain recount all the same, and no record has two effects.
//!
//! - *passing*: the store is not reachable for a moment; the same job goes on;
//! - *final*: the job ends as it does when it is killed there, and another one starts.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "the counts are for who reads the test's output")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::OpenOptions;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, Mutex};

use support::stores::Fresh;
use takings::config::{JobArgs, JobConfig};
use takings::job::{Stop, run_with};
use takings::store::{
    Commit, DayRows, DaysSeen, JobSettings, ProvenDay, Recovered, Store, StoreError, StoreUrl, Topics, open,
};
use takings_dataflows::day::Day;
use takings_dataflows::event::Event;
use takings_dataflows::view::View;

/// Where a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    /// The store does not do it.
    Before,
    /// The store does it, and its answer is lost.
    After,
}

/// What a failure means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Passing,
    Final,
}

/// The calls of all stores of a test, counted.
#[derive(Default)]
struct Calls {
    made: u64,
    fails: Option<(u64, When, Kind)>,
    /// What failed.
    failed: Option<&'static str>,
    /// Whether the process is as good as dead: nothing works any more.
    is_dead: bool,
}

/// A store that fails once.
struct Failing {
    store: Box<dyn Store>,
    calls: Arc<Mutex<Calls>>,
}

fn failure(kind: Kind) -> StoreError {
    let source = "the test wants it so".into();
    match kind {
        Kind::Passing => StoreError::Unreachable { store: "a failing store".to_owned(), source },
        Kind::Final => StoreError::Fault { doing: "failing".to_owned(), source },
    }
}

impl Failing {
    fn call<T>(
        &mut self,
        name: &'static str,
        act: impl FnOnce(&mut dyn Store) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let fails = {
            let mut calls = self.calls.lock().unwrap();
            if calls.is_dead {
                return Err(failure(Kind::Final));
            }
            let number = calls.made;
            calls.made += 1;
            let fails = calls.fails.filter(|(at, ..)| *at == number);
            if let Some((_, _, kind)) = fails {
                calls.failed = Some(name);
                calls.is_dead = kind == Kind::Final;
            }
            fails
        };
        match fails {
            None => act(self.store.as_mut()),
            Some((_, When::Before, kind)) => Err(failure(kind)),
            Some((_, When::After, kind)) => act(self.store.as_mut()).and(Err(failure(kind))),
        }
    }
}

impl Store for Failing {
    fn acquire(&mut self, settings: &JobSettings) -> Result<Recovered, StoreError> {
        self.call("acquire", |store| store.acquire(settings))
    }

    fn look(&mut self) -> Result<(JobSettings, Recovered), StoreError> {
        self.call("look", |store| store.look())
    }

    fn look_at_days(
        &mut self,
        choose: &mut dyn FnMut(&DaysSeen) -> Vec<Day>,
    ) -> Result<(DaysSeen, DayRows), StoreError> {
        self.call("look_at_days", |store| store.look_at_days(choose))
    }

    fn prove(&mut self, days: &[ProvenDay]) -> Result<(), StoreError> {
        self.call("prove", |store| store.prove(days))
    }

    fn kept(&mut self, topics: &Topics, each: &mut dyn FnMut(Event) -> ControlFlow<()>) -> Result<(), StoreError> {
        self.call("kept", |store| store.kept(topics, each))
    }

    fn commit(&mut self, commit: &Commit) -> Result<(), StoreError> {
        self.call("commit", |store| store.commit(commit))
    }

    fn beat(&mut self) -> Result<(), StoreError> {
        self.call("beat", |store| store.beat())
    }
}

/// How often the log grows, and a job runs until it has caught up.
const BATCHES: usize = 3;
const CATEGORIES: [&str; 3] = ["books", "toys", "tools"];

/// The lines of a batch: new orders, corrections of earlier ones, repetitions, cancellations, and one bad line.
fn batch(number: usize) -> Vec<(u16, String)> {
    let mut lines = Vec::new();
    let mut say = |order: usize, payload: String| {
        let line = format!(
            "{{\"key\":\"{order}\",\"value\":{payload},\"timestamp\":{}}}",
            1_772_438_400_000u64 + number as u64 * 90_000
        );
        lines.push((order as u16 % 2, line));
    };
    let first = number * 40;
    for order in first..first + 40 {
        say(order, payload(order, number));
    }
    for order in (0..first).step_by(3) {
        say(order, payload(order, number));
    }
    for order in (0..first).step_by(7) {
        say(order, "null".to_owned());
    }
    for order in first..first + 5 {
        say(order, payload(order, number));
    }
    say(1, "\"no order\"".to_owned());
    lines
}

fn payload(order: usize, version: usize) -> String {
    format!(
        "{{\"orderId\":{order},\"orderDate\":\"2026-03-0{}\",\"totalAmount\":{}.25,\"productCategory\":\"{}\",\"currency\":\"EUR\"}}",
        order % 3 + 1,
        order + 1000 * version,
        CATEGORIES[(order + version) % 3]
    )
}

/// What must come out: by day and category, total and orders; and how many corrections and cancellations.
fn recount() -> (BTreeSet<Vec<Option<String>>>, usize) {
    let mut orders: BTreeMap<usize, Option<usize>> = BTreeMap::new();
    let mut changes = 0;
    for number in 0..BATCHES {
        let first = number * 40;
        let said = (first..first + 40).map(|order| (order, Some(number)));
        let corrected = (0..first).step_by(3).map(|order| (order, Some(number)));
        let cancelled = (0..first).step_by(7).map(|order| (order, None));
        for (order, now) in said.chain(corrected).chain(cancelled) {
            changes += usize::from(orders.insert(order, now).is_some_and(|was| was != now));
        }
    }
    let mut totals: BTreeMap<(String, &str), (u64, u64)> = BTreeMap::new();
    for (order, version) in orders {
        let Some(version) = version else { continue };
        let key = (format!("2026-03-0{}", order % 3 + 1), CATEGORIES[(order + version) % 3]);
        let total = totals.entry(key).or_default();
        total.0 += (order + 1000 * version) as u64 * 100 + 25;
        total.1 += 1;
    }
    let row = |((day, category), (cents, orders)): ((String, &str), (u64, u64))| {
        let total = format!("{}.{:02}0000", cents / 100, cents % 100);
        [day, category.to_owned(), "EUR".to_owned(), total, orders.to_string(), orders.to_string()].map(Some).to_vec()
    };
    (totals.into_iter().map(row).collect(), changes)
}

/// Everything but when it was written.
fn seen(fresh: &Fresh) -> Vec<Vec<Vec<Option<String>>>> {
    let mut all: Vec<_> = View::ALL
        .into_iter()
        .map(|view| {
            let mut rows = fresh.view(view);
            rows.iter_mut().for_each(|row| drop(row.pop()));
            rows
        })
        .collect();
    let books = [
        "topic",
        "partition",
        "\"offset\"",
        "read",
        "applied",
        "duplicates",
        "superseded",
        "corrections",
        "cancellations",
        "rejected",
    ];
    all.push(fresh.rows(&books, "sources"));
    all.push(fresh.rows(&["partition", "\"offset\"", "order_id", "why", "was_amount", "now_amount"], "corrections"));
    all.push(fresh.rows(&["partition", "\"offset\"", "reason"], "rejected"));
    all.push(fresh.rows(&["order_id", "total_amount", "\"offset\"", "first_log_timestamp"], "orders"));
    all
}

/// Runs all batches through one job after another, with one failure or none; what is in the store then, and what
/// failed.
fn run_all(fresh: &Fresh, log: &Path, fails: Option<(u64, When, Kind)>, keep: bool) -> Option<&'static str> {
    let calls = Arc::new(Mutex::new(Calls { fails, ..Calls::default() }));
    let args = JobArgs::of(log.to_str().unwrap(), &fresh.url.to_string());
    let config = JobConfig { until_caught_up: true, keep_orders: keep, workers: 2, ..args.resolve().unwrap() };
    for number in 0..BATCHES {
        for (partition, line) in batch(number) {
            let path = log.join(format!("product_sold-{partition}.jsonl"));
            let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
            writeln!(file, "{line}").unwrap();
        }
        loop {
            let opened = calls.clone();
            let store = move |url: &StoreUrl| -> Result<Box<dyn Store>, StoreError> {
                Ok(Box::new(Failing { store: open(url)?, calls: opened.clone() }))
            };
            let ended = run_with(&config, &Stop::default(), &store);
            let was_killed = std::mem::take(&mut calls.lock().unwrap().is_dead);
            match ended {
                Ok(_) => break,
                Err(error) => assert!(was_killed, "{fails:?}: {error:?}"),
            }
        }
    }
    calls.lock().unwrap().failed
}

fn a_failure_at_every_call(make: fn() -> Fresh) {
    let (expected, changes) = recount();
    for keep in [false, true] {
        let (folder, fresh) = (tempfile::tempdir().unwrap(), make());
        assert_eq!(run_all(&fresh, folder.path(), None, keep), None);
        let wanted = seen(&fresh);
        let categories: BTreeSet<_> = wanted[0].iter().cloned().collect();
        assert_eq!(categories, expected);
        assert_eq!(wanted[View::ALL.len() + 1].len(), changes);
        // Side by side: most of each run is waiting for disks, and for a job to try again.
        let modes = [
            (When::Before, Kind::Passing),
            (When::After, Kind::Passing),
            (When::Before, Kind::Final),
            (When::After, Kind::Final),
        ];
        std::thread::scope(|scope| {
            for (when, kind) in modes {
                let wanted = &wanted;
                scope.spawn(move || {
                    let mut failed = Vec::new();
                    for at in 0.. {
                        let (folder, fresh) = (tempfile::tempdir().unwrap(), make());
                        let Some(call) = run_all(&fresh, folder.path(), Some((at, when, kind)), keep) else { break };
                        failed.push(call);
                        let differs = format!("call {at}, {call}, failed {when:?}, {kind:?}; orders kept: {keep}");
                        assert_eq!(&seen(&fresh), wanted, "{differs}");
                    }
                    println!("{when:?} {kind:?}, orders kept: {keep}: {failed:?}");
                    // Which of them comes when is the run's; all kinds have their turn.
                    assert!(failed.len() >= 3 * BATCHES, "{failed:?}");
                    assert!(["acquire", "kept", "commit"].iter().all(|call| failed.contains(call)), "{failed:?}");
                });
            }
        });
    }
}

#[test]
fn in_sqlite() {
    a_failure_at_every_call(Fresh::sqlite);
}

#[test]
fn in_postgres() {
    a_failure_at_every_call(Fresh::postgres);
}
