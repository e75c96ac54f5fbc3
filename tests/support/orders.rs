//! A file log of orders that grows as a test wants, counted by the real binary.

use std::time::Duration;

use super::takings::{Takings, takings};
use super::wait;

/// How long a busy machine may take to count what was added.
const PATIENCE: Duration = Duration::from_secs(240);

/// A folder with a topic of orders, and corrections and cancellations of them.
pub struct Orders {
    folder: tempfile::TempDir,
    seed: u32,
}

impl Orders {
    /// With so many orders.
    pub fn new(orders: u32) -> Orders {
        let mut log = Orders { folder: tempfile::tempdir().expect("a folder"), seed: 0 };
        log.add(orders);
        log
    }

    /// Adds so many.
    pub fn add(&mut self, orders: u32) {
        self.seed += 1;
        let (at, seed) = (self.folder.path().display(), self.seed);
        takings(&format!(
            "generate --to {at} --append --topic product_sold --partitions 2 --orders {orders} --days 30 --seed {seed} \
             --corrections 0.03 --cancellations 0.02 --duplicates 0.01 --invalid 0"
        ))
        .done();
    }

    /// Empties one of its files, as nobody should.
    pub fn empty_a_file(&self) {
        let mut files = std::fs::read_dir(self.folder.path()).expect("the folder").flatten();
        let file = files.find(|file| file.path().extension().is_some_and(|kind| kind == "jsonl"));
        std::fs::write(file.expect("a file").path(), "").expect("written");
    }

    /// The command that counts them into a store.
    pub fn run(&self, store: &str) -> String {
        format!("run {}", self.job(store))
    }

    fn job(&self, store: &str) -> String {
        format!("--source {} --store {store}", self.folder.path().display())
    }

    /// Waits until all that is there is committed. `store` is asked directly.
    pub fn wait_until_counted(&self, store: &str, job: &mut Takings) {
        let all: u64 = std::fs::read_dir(self.folder.path())
            .expect("the folder")
            .flatten()
            .filter(|file| file.path().extension().is_some_and(|kind| kind == "jsonl"))
            .map(|file| file.metadata().expect("a size").len())
            .sum();
        wait::until("everything is counted", PATIENCE, || {
            assert!(job.is_running(), "{}", job.log());
            let mut client = postgres::Client::connect(store, postgres::NoTls).ok()?;
            let sum = "SELECT coalesce(sum(\"offset\"), 0)::bigint FROM sources";
            let counted: i64 = client.query_one(sum, &[]).ok()?.get(0);
            (counted as u64 == all).then_some(())
        });
    }

    /// Recounts all of it the plain way.
    pub fn audit(&self, store: &str) {
        let audit = takings(&format!("audit {}", self.job(store))).done();
        assert!(audit.out.contains("no difference"), "{}", audit.out);
    }
}
