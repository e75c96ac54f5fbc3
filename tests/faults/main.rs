//! The fault suite: a long random list of what can happen to a job, run from a printed seed, and after each
//! calm period every row of every table compared with a recount of what was written.
//!
//! | module | noun |
//! |---|---|
//! | `plan` | the list of actions, from the seed |
//! | `shop` | the records, and what each of them says |
//! | `oracle` | what every table must hold, recounted the plain way |
//! | `tables` | the tables as text, and their differences |
//! | `ground`, `servers`, `files` | where it happens: Kafka and PostgreSQL, or a file log and SQLite |
//! | `released` | a store as the last release left it |
//! | `job` | the processes under test |
//! | `watch` | a reader that looks all the time |
//! | `story` | a run |
//!
//! `TAKINGS_SEED=… cargo test --test faults` repeats a run: the same actions with the same records, at the same
//! moments as far as a machine repeats itself. A seed that once failed stays in [`REGRESSIONS`]. With
//! `TAKINGS_SOAK_MINUTES` it goes on for so long (`make soak SEED=… MINUTES=…`).

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "seeds and counts are for who reads the test's output")]
#![allow(clippy::disallowed_methods, reason = "nobody waits for a test to stop; how long a fault lasts is a time")]
#![allow(missing_docs, reason = "a test has no readers of its documentation but those of its files")]

mod files;
mod ground;
mod job;
mod oracle;
mod plan;
mod released;
mod servers;
mod shop;
mod story;
#[path = "../support/mod.rs"]
mod support;
mod tables;
mod watch;

use std::time::Duration;

use files::Files;
use plan::Place;
use servers::Servers;
use story::{Length, Story};

/// Seeds that once failed, with how many actions it takes. Each one is run again, always.
const REGRESSIONS: &[(u64, Place, usize)] = &[
    // Kept orders: a record older than the first one moved its order's minute until the next start only.
    (3, Place::Files, 16),
    // A view that was filled was committed by a partition without any record, which had a row of zeros from then on.
    (16_947_106_463_446_989_951, Place::Files, 29),
    // Kept orders: what retention left of the log was taken for all that is known.
    (2, Place::Servers, 44),
];

/// How long the runs of `make test` are.
const ACTIONS: usize = 80;

fn seed() -> u64 {
    let given = std::env::var("TAKINGS_SEED").ok();
    given.map_or_else(rand::random, |seed| seed.parse().expect("TAKINGS_SEED is a number"))
}

fn length() -> Length {
    let minutes = std::env::var("TAKINGS_SOAK_MINUTES").ok();
    minutes.map_or(Length::Actions(ACTIONS), |minutes| {
        Length::Time(Duration::from_secs_f64(minutes.parse::<f64>().expect("TAKINGS_SOAK_MINUTES is a number") * 60.0))
    })
}

#[test]
fn servers_and_everything_that_happens_to_them() {
    Story::new(seed(), Place::Servers, Servers::start()).run(length());
}

#[test]
fn files_and_everything_that_happens_to_them() {
    Story::new(seed(), Place::Files, Files::start()).run(length());
}

#[test]
fn what_once_failed() {
    for &(seed, place, actions) in REGRESSIONS {
        match place {
            Place::Servers => Story::new(seed, place, Servers::start()).run(Length::Actions(actions)),
            Place::Files => Story::new(seed, place, Files::start()).run(Length::Actions(actions)),
        }
    }
}

#[test]
fn a_seed_gives_the_same_list_every_time() {
    for place in [Place::Servers, Place::Files] {
        let list = || {
            let mut plan = plan::Plan::new(7, place, oracle::Keeps { orders: true, facts: false });
            (0..500).map(|_| plan.next()).collect::<Vec<_>>()
        };
        let first = list();
        assert_eq!(first, list());
        let records = || {
            use rand::SeedableRng;
            let (mut shop, mut words) = (shop::Shop::new(), rand_chacha::ChaCha8Rng::seed_from_u64(7));
            let records = first.iter().take(60).flat_map(|&action| shop.records(action, &mut words));
            records.map(|record| format!("{record:?}")).collect::<Vec<_>>()
        };
        assert_eq!(records(), records());
    }
}
