//! What PostgreSQL says of a run: rows written, totals, offsets as they become visible.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use postgres::fallible_iterator::FallibleIterator;
use postgres::{Client, NoTls};

use crate::workload::{Truth, now_micros};

/// The tables whose totals must agree with each other and with the truth.
const VIEWS: [&str; 4] = ["sales_per_category", "sales_per_day", "sales_per_month", "sales_per_payment_method"];

/// Connects to a database, by its URL.
pub fn connect(url: &str) -> Result<Client> {
    Client::connect(url, NoTls).with_context(|| format!("{url} is not reachable"))
}

/// Rows inserted, updated and deleted in all tables since the database was made.
pub fn rows_written(url: &str) -> Result<i64> {
    let mut client = connect(url)?;
    let sum = "SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::bigint FROM pg_stat_user_tables";
    // A server process hands its counts over when it ends, which may be after its client has.
    let mut last = -1;
    for _ in 0..60 {
        let now: i64 = client.query_one(sum, &[])?.get(0);
        if now > 0 && now == last {
            return Ok(now);
        }
        last = now;
        std::thread::sleep(Duration::from_millis(500));
    }
    bail!("{url}: no rows were written, or their number does not come to rest");
}

/// That every view sums up to the truth, to the cent.
pub fn check_totals(url: &str, truth: &Truth) -> Result<()> {
    let mut client = connect(url)?;
    for view in VIEWS {
        let sums = format!(
            "SELECT currency, (sum(total_sales) * 100)::bigint, sum(orders)::bigint, sum(units)::bigint, \
             sum(total_sales) * 100 = (sum(total_sales) * 100)::bigint FROM {view} GROUP BY currency"
        );
        let mut totals = BTreeMap::new();
        for row in client.query(&sums, &[])? {
            ensure!(row.get::<_, bool>(4), "{view} holds parts of a cent");
            totals.insert(row.get::<_, String>(0), (row.get(1), row.get(2), row.get(3)));
        }
        ensure!(totals == truth.totals, "{view} holds {totals:?}, and the truth is {:?}", truth.totals);
    }
    Ok(())
}

/// A second thread that does something over and over until it is told to stop.
pub struct Watch<T> {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<T>>,
}

impl<T> Watch<T> {
    /// Stops it, and returns what it saw.
    pub fn finish(self) -> Result<T> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| anyhow!("the watching thread panicked"))?
    }
}

/// How often a reader looked, and how often two tables disagreed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Looks {
    /// Looks at tables that had rows.
    pub all: u64,
    /// Looks in which two views had different sums.
    pub torn: u64,
}

/// Compares the sums of all views, each time in one statement, as a reader sees them.
pub fn watch_agreement(url: &str) -> Result<Watch<Looks>> {
    let mut client = connect(url)?;
    let sums: Vec<String> = VIEWS
        .iter()
        .map(|view| format!("SELECT currency, sum(total_sales), sum(orders), sum(units) FROM {view} GROUP BY currency"))
        .collect();
    // Equal sums are one row a currency; a fifth column would tell nothing more.
    let look = format!(
        "SELECT count(*), count(DISTINCT currency) FROM (({}) UNION ({}) UNION ({}) UNION ({})) AS sums",
        sums[0], sums[1], sums[2], sums[3]
    );
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let thread = std::thread::spawn(move || {
        let mut looks = Looks::default();
        while !stopped.load(Ordering::Relaxed) {
            // The tables appear with the first start of takings.
            if let Ok(row) = client.query_one(&look, &[]) {
                let (rows, currencies): (i64, i64) = (row.get(0), row.get(1));
                looks.all += u64::from(rows > 0);
                looks.torn += u64::from(rows != currencies);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(looks)
    });
    Ok(Watch { stop, thread })
}

/// The offsets that were committed, and when a reader could know it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Microseconds since 1970, after the answer was there.
    pub at: i64,
    /// Partition to the offset of the next record.
    pub offsets: BTreeMap<i32, i64>,
}

/// The committed offsets as they are now.
pub fn offsets(client: &mut Client, topic: &str) -> Result<BTreeMap<i32, i64>> {
    let rows = client.query("SELECT partition, \"offset\" FROM sources WHERE topic = $1", &[&topic])?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// Waits for each notification of a commit, and reads the offsets that are visible then.
pub fn watch_offsets(url: &str, topic: &'static str) -> Result<Watch<Vec<Seen>>> {
    let mut client = connect(url)?;
    client.batch_execute("LISTEN takings")?;
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let thread = std::thread::spawn(move || {
        let mut seen = Vec::new();
        while !stopped.load(Ordering::Relaxed) {
            if client.notifications().timeout_iter(Duration::from_millis(100)).next()?.is_none() {
                continue;
            }
            // Several commits may have passed: the look is at the newest.
            while client.notifications().iter().next()?.is_some() {}
            let offsets = offsets(&mut client, topic)?;
            seen.push(Seen { at: now_micros(), offsets });
        }
        Ok(seen)
    });
    Ok(Watch { stop, thread })
}
