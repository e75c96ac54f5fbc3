//! A process that is killed while it commits: the next one finds its lock free and its last epoch whole.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "nobody waits for a test to stop")]

mod support;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use support::stores::{Fresh, changed, commit, day_key, new, partition, row, settings, total};
use takings::store::{Commit, StoreUrl, open};
use takings_dataflows::view::View;

/// Tells the process that this binary starts which store to commit to.
const STORE: &str = "TAKINGS_TEST_STORE";
const ROWS: i32 = 200;

/// Not a test of its own: what the killed process does. It prints each epoch once it is committed.
#[test]
fn commits_until_killed() {
    let Ok(url) = std::env::var(STORE) else { return };
    let mut store = open(&StoreUrl::parse(&url).unwrap()).unwrap();
    let mut epoch = store.acquire(&settings()).unwrap().epoch;
    loop {
        epoch += 1;
        let row = |after| {
            let (key, total) = (day_key(after, "EUR"), total(epoch.into(), 1));
            if epoch == 1 { new(key, total) } else { changed(key, total) }
        };
        let commit = Commit { partitions: vec![partition(0, epoch)], ..commit(epoch, (0..ROWS).map(row).collect()) };
        store.commit(&commit).unwrap();
        println!("\nepoch {epoch}");
    }
}

fn kill_again_and_again(fresh: &Fresh) {
    let mut acknowledged = 0;
    for round in 1..=6u64 {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "commits_until_killed", "--nocapture"])
            .env(STORE, fresh.url.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut epochs = lines.filter_map(|line| line.unwrap().strip_prefix("epoch ")?.parse::<u64>().ok());
        let first = epochs.next().unwrap();
        assert!(first > acknowledged, "epoch {first} after {acknowledged}");
        std::thread::sleep(std::time::Duration::from_micros(round * 7919 % 11_000));
        process.kill().unwrap();
        process.wait().unwrap();
        acknowledged = epochs.last().unwrap_or(first);

        let recovered = fresh.open().acquire(&settings()).unwrap();
        assert_eq!(recovered.generation, round * 2);
        let epoch = recovered.epoch;
        assert!(epoch == acknowledged || epoch == acknowledged + 1, "{epoch} found, {acknowledged} acknowledged");
        assert_eq!(recovered.partitions, [partition(0, epoch)]);
        let whole: Vec<_> = (0..ROWS).map(|after| row(day_key(after, "EUR"), total(epoch.into(), 1), epoch)).collect();
        assert_eq!(fresh.view(View::Day), whole);
    }
}

#[test]
fn postgres_keeps_what_was_acknowledged() {
    kill_again_and_again(&Fresh::postgres());
}

#[test]
fn sqlite_keeps_what_was_acknowledged() {
    kill_again_and_again(&Fresh::sqlite());
}
