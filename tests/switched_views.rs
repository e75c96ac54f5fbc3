//! Views switched on and off, from any of them to any others: what is kept equals a recount each time.
//!
//! What one view needs of a table another one may have left there, or a run that was killed before it filled its own.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stderr, reason = "what it ran is what a failure is read by")]

mod support;

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use support::stores::Fresh;
use support::takings::{Takings, takings};
use takings_dataflows::view::View;

const TOPICS: &str = "product_sold,transactions,product_listings,feedback";
const SHOPS: u64 = 3;
const RUNS: usize = 8;

/// A shop's log that becomes known part by part.
struct Log {
    whole: tempfile::TempDir,
    shown: tempfile::TempDir,
}

impl Log {
    fn of(seed: u64) -> Log {
        let (whole, shown) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let folder = whole.path().display();
        takings(&format!(
            "generate --to {folder} --topics {TOPICS} --orders 400 --days 40 --products 20 --corrections 0.2 --partitions 2 \
             --seed {seed}"
        ))
        .done();
        Log { whole, shown }
    }

    /// Shows some more lines of each file: all of them, where it is the last part of so many.
    fn show(&self, part: usize, of: usize) {
        for path in files(self.whole.path()) {
            let text = std::fs::read_to_string(&path).unwrap();
            let lines: Vec<&str> = text.lines().collect();
            let (from, to) = (lines.len() * part / of, lines.len() * (part + 1) / of);
            let shown = self.shown.path().join(path.strip_prefix(self.whole.path()).unwrap());
            std::fs::create_dir_all(shown.parent().unwrap()).unwrap();
            let mut shown = OpenOptions::new().create(true).append(true).open(shown).unwrap();
            lines[from..to].iter().for_each(|line| writeln!(shown, "{line}").unwrap());
        }
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn any_views_follow_any_views(store: impl Fn() -> Fresh) {
    let seed =
        std::env::var("TAKINGS_SEED").map_or_else(|_| rand::random::<u32>().into(), |seed| seed.parse().unwrap());
    eprintln!("TAKINGS_SEED={seed}");
    let mut chance = rand::rngs::SmallRng::seed_from_u64(seed);
    let names: Vec<&str> = View::ALL.iter().map(|view| view.name()).collect();
    for shop in 0..SHOPS {
        let (log, store) = (Log::of(seed + shop), store());
        let job = |chance: &mut rand::rngs::SmallRng| {
            let how_many = chance.random_range(1..=4);
            let views: Vec<&str> = names.choose_multiple(chance, how_many).copied().collect();
            let top = [3, 5].choose(chance).unwrap();
            let (folder, views) = (log.shown.path().display(), views.join(","));
            format!("run --source {folder} --store {} --topics {TOPICS} --views {views} --top {top}", store.url)
        };
        for part in 0..RUNS {
            log.show(part, RUNS);
            // One that is killed once the store is its own: perhaps before it has filled anything.
            if chance.random_bool(0.4) {
                let words = job(&mut chance);
                eprintln!("killed: {words}");
                let mut killed = Takings::start(&words);
                killed.wait_for("generation");
                killed.kill();
            }
            let words = job(&mut chance);
            eprintln!("{words}");
            takings(&format!("{words} --until-caught-up")).done();
            let (_, options) = words.split_once(' ').unwrap();
            takings(&format!("audit {options}")).done();
        }
    }
}

#[test]
fn any_views_follow_any_views_in_sqlite() {
    any_views_follow_any_views(Fresh::sqlite);
}

#[test]
fn any_views_follow_any_views_in_postgres() {
    any_views_follow_any_views(Fresh::postgres);
}
