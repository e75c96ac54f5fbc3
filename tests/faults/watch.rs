//! A reader that looks all the time, several tables in one snapshot, and checks that they agree.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::tables::Look;

/// The thread that looks.
pub struct Watch {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    is_over: AtomicBool,
    seen: Mutex<Seen>,
}

/// What was seen so far.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Snapshots that were taken.
    pub snapshots: u64,
    /// Different epochs among them.
    pub epochs: u64,
    /// How often the store did not answer.
    pub unanswered: u64,
    epoch: u64,
    read: u64,
    /// The first thing that was wrong.
    wrong: Option<String>,
}

impl Watch {
    /// Starts to look.
    pub fn start(mut look: Box<dyn Look>) -> Watch {
        let shared = Arc::new(Shared::default());
        let seeing = shared.clone();
        let queries = queries(look.is_postgres());
        let thread = thread::spawn(move || {
            while !seeing.is_over.load(Ordering::Relaxed) {
                let seen = look.look(&queries);
                let is_away = seen.is_err();
                seeing.seen.lock().expect("nobody panics with it").take(seen);
                // A server that is away is not asked in a rush.
                thread::park_timeout(Duration::from_millis(if is_away { 100 } else { 5 }));
            }
        });
        Watch { shared, thread: Some(thread) }
    }

    /// What was seen so far.
    ///
    /// # Panics
    /// When any of it was wrong.
    pub fn seen(&self) -> Seen {
        let seen = self.shared.seen.lock().expect("nobody panics with it").clone();
        if let Some(wrong) = &seen.wrong {
            panic!("a reader saw a state that never was: {wrong}");
        }
        seen
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

impl Seen {
    fn take(&mut self, look: Result<Vec<Vec<Vec<String>>>, String>) {
        let Ok(answers) = look else {
            // Not there yet, or away.
            self.unanswered += 1;
            return;
        };
        let number = |at: usize| answers[at].first().and_then(|row| row[0].parse::<u64>().ok()).unwrap_or(0);
        let (epoch, read) = (number(0), number(1));
        if epoch == 0 {
            return;
        }
        self.snapshots += 1;
        self.epochs += u64::from(epoch != self.epoch);
        if epoch < self.epoch || read < self.read {
            let was = format!("epoch {} with {} records", self.epoch, self.read);
            self.wrong.get_or_insert(format!("{was}, and later epoch {epoch} with {read}"));
        }
        (self.epoch, self.read) = (epoch, read);
        for (pair, rows) in PAIRS.iter().zip(&answers[2..]) {
            if !rows.is_empty() {
                let rows: Vec<String> = rows.iter().take(8).map(|row| row.join(" | ")).collect();
                self.wrong.get_or_insert(format!("epoch {epoch}: {} differ:\n{}", pair.what, rows.join("\n")));
            }
        }
    }
}

/// Two ways to the same totals.
struct Pair {
    what: &'static str,
    one: &'static str,
    other: &'static str,
}

/// `SALES` is the column of exact amounts, `YEAR` and `MONTH` are of a date.
const PAIRS: [Pair; 7] = [
    Pair {
        what: "categories summed, and days",
        one: "SELECT order_date, currency, sum(SALES) AS s, sum(orders) AS o, sum(units) AS u FROM sales_per_category GROUP BY 1, 2",
        other: "SELECT order_date, currency, SALES AS s, orders AS o, units AS u FROM sales_per_day",
    },
    Pair {
        what: "payment methods summed, and days",
        one: "SELECT order_date, currency, sum(SALES) AS s, sum(orders) AS o, sum(units) AS u FROM sales_per_payment_method
              GROUP BY 1, 2",
        other: "SELECT order_date, currency, SALES AS s, orders AS o, units AS u FROM sales_per_day",
    },
    Pair {
        what: "facts summed, and categories",
        one: "SELECT order_date, category, currency, sum(SALES) AS s, sum(orders) AS o, sum(units) AS u FROM sales_facts
              GROUP BY 1, 2, 3",
        other: "SELECT order_date, category, currency, SALES AS s, orders AS o, units AS u FROM sales_per_category
                WHERE EXISTS (SELECT 1 FROM views WHERE view = 'sales_facts')",
    },
    Pair {
        what: "facts summed, and payment methods",
        one: "SELECT order_date, payment_method, currency, sum(SALES) AS s, sum(orders) AS o, sum(units) AS u
              FROM sales_facts GROUP BY 1, 2, 3",
        other: "SELECT order_date, payment_method, currency, SALES AS s, orders AS o, units AS u
                FROM sales_per_payment_method WHERE EXISTS (SELECT 1 FROM views WHERE view = 'sales_facts')",
    },
    Pair {
        what: "products summed, and days",
        one: "SELECT order_date, currency, sum(SALES) AS s, sum(orders) AS o, sum(units) AS u FROM sales_per_product GROUP BY 1, 2",
        other: "SELECT order_date, currency, SALES AS s, orders AS o, units AS u FROM sales_per_day",
    },
    Pair {
        what: "days summed, and months",
        one: "SELECT YEAR AS y, MONTH AS m, currency, sum(SALES) AS s, sum(orders) AS o, sum(units) AS u FROM sales_per_day
              GROUP BY 1, 2, 3",
        other: "SELECT year AS y, month AS m, currency, SALES AS s, orders AS o, units AS u FROM sales_per_month",
    },
    Pair {
        what: "records read, and their outcomes",
        one: "SELECT topic, partition, read AS r FROM sources",
        other: "SELECT topic, partition,
                applied + duplicates + superseded + corrections + cancellations + rejected + other AS r FROM sources",
    },
];

fn queries(is_postgres: bool) -> Vec<String> {
    let (sales, year, month) = if is_postgres {
        ("total_sales", "extract(year FROM order_date)::integer", "extract(month FROM order_date)::integer")
    } else {
        ("total_sales_micros", "CAST(substr(order_date, 1, 4) AS INTEGER)", "CAST(substr(order_date, 6, 2) AS INTEGER)")
    };
    let said = |sql: &str| sql.replace("SALES", sales).replace("YEAR", year).replace("MONTH", month);
    let mut queries =
        vec!["SELECT epoch FROM job".to_owned(), "SELECT CAST(coalesce(sum(read), 0) AS TEXT) FROM sources".to_owned()];
    queries.extend(PAIRS.iter().map(|pair| {
        let (one, other) = (said(pair.one), said(pair.other));
        let less = |one: &str, other: &str| format!("SELECT * FROM ({one}) AS a EXCEPT SELECT * FROM ({other}) AS b");
        let text = if is_postgres { "CAST(t.* AS TEXT)" } else { "*" };
        let [more, missing] = [less(&one, &other), less(&other, &one)];
        format!("SELECT {text} FROM (SELECT * FROM ({more}) AS x UNION ALL SELECT * FROM ({missing}) AS y) AS t")
    }));
    queries
}
