//! The read side of a store: what the service shows.
//!
//! What it can not do: write. And it never mixes two states: *every answer is of one snapshot*, read
//! together with the epoch it is of, so that no two tables of an answer disagree.

mod answer;
mod changed;
mod derived;
pub mod logs;
pub mod postgres;
pub mod product_totals;
pub mod sqlite;
pub mod state_id;
pub mod statement;
pub mod table;
pub mod value;
pub mod views;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use takings_dataflows::amount::Amount;
use tokio::sync::Notify;

pub use self::answer::{
    Audit, Changes, CurrencyTotal, Followed, Freshness, Head, KeptView, KeptViews, Page, PageQuery, ProductDays,
    Proofs, Since, Summary,
};
use self::product_totals::held::Held;
use self::state_id::StateId;
use self::statement::{Comparison, Condition, Dialect, Statement, Statements};
use self::table::Table;
use self::value::{Row, Value};
use self::views::{VIEWS, view};
use crate::store::StoreError;
use crate::store::schema::check_to_read;
use crate::store::url::StoreUrl;

/// The counters of a partition, in the order in which they are read and shown.
pub const COUNTERS: [&str; 10] = [
    "read",
    "applied",
    "duplicates",
    "superseded",
    "corrections",
    "cancellations",
    "rejected",
    "other",
    "beyond_horizon",
    "rounded",
];

/// Views by day that the summary can be made from: each order is in exactly one row of each. The
/// smallest one first.
const SUMMED: [&str; 4] = ["sales_per_day", "sales_per_payment_method", "sales_per_category", "sales_facts"];

/// The view whose rows are told only of products that are followed.
pub const SOLD: &str = "sales_per_product";

/// What a kind of store must be able to do; all SQL is in [`Statements`].
#[async_trait]
pub trait Backend: Send + Sync {
    /// Whose SQL it takes.
    fn dialect(&self) -> Dialect;

    /// Runs the statements at one snapshot, and at the same one those that follow from their answers; the rows of each.
    ///
    /// # Errors
    /// [`StoreError::Unreachable`] where trying again may help, in bounded time; [`StoreError::Empty`].
    async fn read_then(&self, statements: Vec<Statement>, then: Then) -> Result<Vec<Vec<Row>>, StoreError>;

    /// The same, where nothing follows.
    ///
    /// # Errors
    /// As [`Backend::read_then`].
    async fn read(&self, statements: Vec<Statement>) -> Result<Vec<Vec<Row>>, StoreError> {
        self.read_then(statements, Box::new(|_| Vec::new())).await
    }

    /// Notifies `wake` soon after each commit of the job until the guard is dropped; perhaps also
    /// without cause, and never reliably: who waits must look from time to time.
    fn watch(&self, wake: Arc<Notify>) -> WatchGuard;
}

/// What else to read, once the first answers are there.
pub type Then = Box<dyn FnOnce(&[Vec<Row>]) -> Vec<Statement> + Send>;

/// Ends a watch when dropped.
pub struct WatchGuard(Option<Box<dyn FnOnce() + Send + Sync>>);

impl WatchGuard {
    /// A guard that calls `stop` when dropped.
    pub fn new(stop: impl FnOnce() + Send + Sync + 'static) -> Self {
        WatchGuard(Some(Box::new(stop)))
    }
}

impl Drop for WatchGuard {
    fn drop(&mut self) {
        if let Some(stop) = self.0.take() {
            stop();
        }
    }
}

/// Bounds of a reader.
#[derive(Clone, Copy, Debug)]
pub struct ReaderOptions {
    /// How many snapshots are read at once, each on its own connection.
    pub connections: usize,
    /// How long one answer may take, waiting for a connection included.
    pub timeout: Duration,
}

impl Default for ReaderOptions {
    fn default() -> Self {
        ReaderOptions { connections: 8, timeout: Duration::from_secs(10) }
    }
}

/// Why a page or a summary can not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The job does not keep this view.
    #[error("the view {0} is switched off")]
    ViewOff(&'static str),
    /// The job keeps it from this run on, and has not read again what it counts.
    #[error("the view {0} was switched on, and is being filled from the log")]
    ViewFilling(&'static str),
    /// The job keeps totals only.
    #[error("single orders are not kept")]
    OrdersNotKept,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Reads a store. Cheap to clone; all clones share their connections.
#[derive(Clone)]
pub struct Reader {
    backend: Arc<dyn Backend>,
    statements: Statements,
    /// What products sold, as it was last read.
    held: Arc<parking_lot::Mutex<Held>>,
}

impl Reader {
    /// A reader of the store at `url`. Contacts nothing yet.
    ///
    /// # Errors
    /// [`StoreError::Configuration`] where a file that the URL names can not be read.
    pub fn open(url: &StoreUrl, options: ReaderOptions) -> Result<Self, StoreError> {
        let backend: Arc<dyn Backend> = match url {
            StoreUrl::Sqlite(file) => Arc::new(sqlite::Sqlite::open(file, options)),
            StoreUrl::Postgres(url) => Arc::new(postgres::Postgres::open((**url).clone(), options)?),
        };
        Ok(Reader::new(backend))
    }

    /// A reader on any backend.
    pub fn new(backend: Arc<dyn Backend>) -> Self {
        let statements = Statements(backend.dialect());
        Reader { backend, statements, held: Arc::default() }
    }

    /// See [`Backend::watch`].
    pub fn watch(&self, wake: Arc<Notify>) -> WatchGuard {
        self.backend.watch(wake)
    }

    /// Which state the store is in.
    ///
    /// # Errors
    /// As [`Backend::read`].
    pub async fn head(&self) -> Result<Head, StoreError> {
        self.snapshot(Vec::new()).await.map(|(head, _)| head)
    }

    /// Checks that the store answers and has a schema this program knows.
    ///
    /// # Errors
    /// As [`Backend::read`]; [`StoreError::OlderSchema`], [`StoreError::NewerSchema`].
    pub async fn ready(&self) -> Result<Head, StoreError> {
        let (head, tables) = self.snapshot(vec![self.statements.schema_version()]).await?;
        check_version(&tables)?;
        Ok(head)
    }

    /// A page of a table.
    ///
    /// # Errors
    /// As [`Backend::read`] and [`Head::check`]; [`ReadError::OrdersNotKept`].
    pub async fn page(&self, query: &PageQuery) -> Result<Page, ReadError> {
        let is_of_orders = query.table.name == logs::ORDERS.name;
        let (head, mut tables) = match self.snapshot(vec![self.statement_of(query)]).await {
            // That there are none is the better word than that they may not be read.
            Err(StoreError::Withheld { .. }) if is_of_orders && !self.head().await?.orders_kept => {
                return Err(ReadError::OrdersNotKept);
            }
            seen => seen?,
        };
        if is_of_orders && !head.orders_kept {
            return Err(ReadError::OrdersNotKept);
        }
        head.check(query.table)?;
        Ok(paged(head, query, tables.pop().unwrap_or_default()))
    }

    /// What the background audit found: a page of [`logs::DAY_PROOFS`], and the sums of all days.
    ///
    /// # Errors
    /// As [`Backend::read`].
    pub async fn audit(&self, query: &PageQuery) -> Result<Audit, StoreError> {
        let (head, mut tables) = self.snapshot(vec![self.statement_of(query), self.statements.proofs()]).await?;
        let proofs = proofs(&tables.pop().unwrap_or_default());
        Ok(Audit { page: paged(head, query, tables.pop().unwrap_or_default()), proofs })
    }

    fn statement_of(&self, query: &PageQuery) -> Statement {
        let PageQuery { table, conditions, descending, after, limit } = query;
        let mut conditions = conditions.clone();
        if let Some(values) = after {
            let comparison = if *descending { Comparison::Less } else { Comparison::Greater };
            conditions.push(Condition { columns: table.order, comparison, values: values.clone() });
        }
        // One row more tells whether another page follows.
        self.statements.page(table, &conditions, *descending, limit.saturating_add(1))
    }

    /// The totals of each currency, over the days and the currency that `conditions` choose (on the
    /// columns of `sales_per_day`).
    ///
    /// # Errors
    /// As [`Backend::read`]; [`ReadError::ViewOff`] where no view by day is kept, [`ReadError::ViewFilling`] where none
    /// is complete yet.
    pub async fn summary(&self, conditions: &[Condition]) -> Result<Summary, ReadError> {
        let mut filling = None;
        for table in SUMMED.iter().filter_map(|name| view(name)) {
            let statements = vec![self.statements.sums(table, conditions), self.statements.counters(&COUNTERS)];
            let (head, tables) = self.snapshot(statements).await?;
            match head.check(table) {
                Ok(()) => return Ok(summarise(head, &tables)?),
                Err(error) if matches!(error, ReadError::ViewFilling(_)) => _ = filling.get_or_insert(error),
                Err(_) => {}
            }
        }
        Err(filling.unwrap_or(ReadError::ViewOff("sales_per_day")))
    }

    /// Every partition, how far it is committed and what became of its records.
    ///
    /// # Errors
    /// As [`Backend::read`].
    pub async fn freshness(&self) -> Result<Freshness, StoreError> {
        let statements = vec![self.statements.views(), self.statements.partitions(&COUNTERS), self.statements.proofs()];
        let (head, mut tables) = self.snapshot(statements).await?;
        let proofs = proofs(&tables.pop().unwrap_or_default());
        let partitions = tables.pop().unwrap_or_default();
        let views = kept(&head, &tables.pop().unwrap_or_default());
        Ok(Freshness { head, views, partitions, proofs })
    }

    /// Which views are kept, and from when on each is complete.
    ///
    /// # Errors
    /// As [`Backend::read`].
    pub async fn views(&self) -> Result<KeptViews, StoreError> {
        let (head, mut tables) = self.snapshot(vec![self.statements.views()]).await?;
        let views = kept(&head, &tables.pop().unwrap_or_default());
        Ok(KeptViews { head, views })
    }

    /// What changed after `since`, at most `limit` rows: applied to any state from `since` on, it
    /// gives the state of the answer's epoch. With how the products that are `followed` stand on the days that changed.
    ///
    /// Starting over is needed where `since` is no state of this store (it is another one, or went back since), where
    /// rows that left since then are no longer known, where a view was switched off since then, or on and so filled with
    /// rows of any age, or past the limit.
    ///
    /// # Errors
    /// As [`Backend::read`].
    pub async fn changes(&self, since: &StateId, limit: u32, followed: Followed<'_>) -> Result<Since, StoreError> {
        let StateId { epoch: since, run } = since;
        let since = *since;
        let Ok(after) = i64::try_from(since) else {
            return self.head().await.map(Since::StartOver);
        };
        let bound = limit.saturating_add(1);
        let traced = || VIEWS.iter().filter(|view| view.is_streamed());
        let mut statements: Vec<Statement> =
            traced().filter_map(|view| self.statements.changed(view, after, bound)).collect();
        let names: Vec<&str> = traced().map(|view| view.name).collect();
        statements.push(self.statements.removed(&names, after, bound));
        statements.push(self.statements.counters(&COUNTERS));
        statements.push(self.statements.runs_after(run.as_deref().unwrap_or_default()));
        let sold = view(SOLD).filter(|_| !followed.products.is_empty());
        if let Some(sold) = sold {
            statements.push(self.statements.changed_days(after));
            statements.push(self.statements.of_changed_days(
                sold,
                followed.products,
                after,
                followed.limit.saturating_add(1),
            ));
        }
        let (head, mut tables) = self.snapshot(statements).await?;
        let of_products = sold.map_or_else(
            || Some(ProductDays::default()),
            |sold| {
                let rows = tables.pop().unwrap_or_default();
                let days = tables.pop().unwrap_or_default();
                let days = days.iter().filter_map(|row| row[0].text()).map(str::to_owned).collect();
                if !head.keeps(sold) {
                    return Some(ProductDays::default());
                }
                (rows.len() <= followed.limit as usize).then_some(ProductDays { days, rows })
            },
        );
        let runs = tables.pop().unwrap_or_default();
        let is_left = run.is_some() && !goes_on(&runs, since);
        let counters = tables.pop().map(|rows| counts(&rows)).unwrap_or_default();
        let removals = tables.pop().unwrap_or_default();
        let rows: usize = tables.iter().map(Vec::len).sum::<usize>() + removals.len();
        // In a store without any epoch there was no view to switch on: all rows are new.
        let switched_on = since > 0 && since < head.views_since;
        if is_left || since > head.epoch || since < head.removals_after || switched_on || rows > limit as usize {
            return Ok(Since::StartOver(head));
        }
        let changed: Vec<(&'static Table, Vec<Row>)> =
            traced().zip(tables).filter(|(view, rows)| !rows.is_empty() && head.keeps(view)).collect();
        let removed = left(&removals, &changed)?;
        Ok(Since::Changed(Changes { head, changed, removed, counters, of_products }))
    }

    /// The head and what the statements give, all of one snapshot.
    async fn snapshot(&self, statements: Vec<Statement>) -> Result<(Head, Vec<Vec<Row>>), StoreError> {
        self.snapshot_then(statements, |_, _| Vec::new()).await
    }

    /// The same, and of the same snapshot what the statements give that follow from the head and the first answers.
    async fn snapshot_then(
        &self,
        mut statements: Vec<Statement>,
        then: impl FnOnce(&Head, &[Vec<Row>]) -> Vec<Statement> + Send + 'static,
    ) -> Result<(Head, Vec<Vec<Row>>), StoreError> {
        statements.insert(0, self.statements.head());
        let then: Then = Box::new(|tables| match tables.split_first() {
            Some((head, others)) => head_of(head).map_or_else(|_| Vec::new(), |head| then(&head, others)),
            None => Vec::new(),
        });
        let mut tables = match self.backend.read_then(statements, then).await {
            Ok(tables) => tables,
            // What is missing may be what a store lacks that no job has brought up to date.
            Err(error @ (StoreError::Empty { .. } | StoreError::Fault { .. })) => {
                let versions = self.backend.read(vec![self.statements.schema_version()]).await;
                return Err(versions.ok().and_then(|tables| check_version(&tables).err()).unwrap_or(error));
            }
            Err(error) => return Err(error),
        };
        let rows = if tables.is_empty() { Vec::new() } else { tables.remove(0) };
        Ok((head_of(&rows)?, tables))
    }
}

/// Which state the store is in, from the answer to [`Statements::head`].
fn head_of(rows: &[Row]) -> Result<Head, StoreError> {
    let row = rows.first().ok_or_else(|| StoreError::Corrupt("the table job has no row".into()))?;
    let names = |place: usize, of: &str| match row[place].text() {
        Some(names) => serde_json::from_str::<Vec<String>>(names)
            .map(Some)
            .map_err(|error| StoreError::Corrupt(format!("{of} is {names:?}, which is no list of names: {error}"))),
        None => Ok(None),
    };
    Ok(Head {
        epoch: row[0].count(),
        committed_at: row[1].text().map(str::to_owned),
        age_ms: row[2].integer(),
        views: names(3, "job.views")?,
        complete: names(9, "the list of complete views")?.unwrap_or_default(),
        removals_after: row[4].count(),
        newest_record_at: row[5].text().map(str::to_owned),
        views_since: row[6].count(),
        orders_kept: row[7].integer() == Some(1),
        time_zone: row[8].text().map(str::to_owned),
        run: row[10].text().map(Arc::from),
    })
}

/// Whether this epoch of a run is in the store's past, and every row that left since then is told by an epoch: from the
/// answer to [`Statements::runs_after`].
fn goes_on(runs: &[Row], epoch: u64) -> bool {
    let Some([known, next, switched]) = runs.first().map(Vec::as_slice) else { return false };
    known.count() == 1 && switched.count() == 0 && next.integer().is_none_or(|next| epoch <= next as u64)
}

/// That a schema of the version that was read is one to read.
fn check_version(tables: &[Vec<Row>]) -> Result<(), StoreError> {
    let Some(row) = tables.first().and_then(|rows| rows.first()) else { return Ok(()) };
    check_to_read(u32::try_from(row[0].count()).unwrap_or(u32::MAX))
}

/// The rows that were asked for, and where the next page begins, if there is one more.
fn paged(head: Head, PageQuery { table, limit, .. }: &PageQuery, mut rows: Vec<Row>) -> Page {
    let more = rows.len() > *limit as usize;
    rows.truncate(*limit as usize);
    let next = rows.last().filter(|_| more).map(|row| {
        let places = table.order.iter().filter_map(|name| table.column(name));
        places.map(|(place, _)| row[place].clone()).collect()
    });
    Page { head, rows, next }
}

fn proofs(rows: &[Row]) -> Proofs {
    let count = |place: usize| rows.first().map_or(0, |row| row[place].count());
    let moment = |place: usize| rows.first().and_then(|row| row[place].text()).map(str::to_owned);
    Proofs {
        days: count(0),
        proven: count(1),
        differing: count(2),
        not_provable: count(3),
        inconsistent: count(4),
        first_proven_at: moment(5),
        last_proven_at: moment(6),
    }
}

/// The kept views among the rows of `views`. One of a newer takings is none of ours. They come with the first commit; in a
/// store without any each view counts all that there is.
fn kept(head: &Head, rows: &[Row]) -> Vec<KeptView> {
    let row_of = |view: &Table| rows.iter().find(|row| row[0].text() == Some(view.name));
    let kept = VIEWS.iter().filter(|view| head.keeps(view)).filter_map(|view| {
        let Some(row) = row_of(view) else {
            let is_new = head.epoch == 0 && head.views.is_some();
            return is_new.then_some(KeptView { view: view.name, complete_from: None, since_epoch: 0 });
        };
        let complete_from = row[1].text().map(str::to_owned);
        Some(KeptView { view: view.name, complete_from, since_epoch: row[2].count() })
    });
    kept.collect()
}

fn counts(rows: &[Row]) -> Vec<u64> {
    rows.first().map(|row| row.iter().map(Value::count).collect()).unwrap_or_default()
}

fn summarise(head: Head, tables: &[Vec<Row>]) -> Result<Summary, StoreError> {
    let mut currencies = std::collections::BTreeMap::<&str, CurrencyTotal>::new();
    let mut first_day: Option<&str> = None;
    let mut last_day: Option<&str> = None;
    for row in tables.first().into_iter().flatten() {
        let currency = row[0].text().unwrap_or_default();
        let text = row[1].text().unwrap_or_default();
        let amount: Amount =
            text.parse().map_err(|error| StoreError::Corrupt(format!("total_sales {text:?} is {error}")))?;
        let total = currencies.entry(currency).or_insert_with(|| CurrencyTotal {
            currency: currency.to_owned(),
            total_sales: Amount::ZERO,
            orders: 0,
            units: 0,
        });
        total.total_sales += amount;
        total.orders += row[2].count();
        total.units += row[3].integer().unwrap_or(0);
        first_day = first_day.into_iter().chain(row[4].text()).min();
        last_day = last_day.into_iter().chain(row[5].text()).max();
    }
    let (first_day, last_day) = (first_day.map(str::to_owned), last_day.map(str::to_owned));
    let currencies = currencies.into_values().collect();
    let counters = tables.get(1).map(|rows| counts(rows)).unwrap_or_default();
    Ok(Summary { head, currencies, first_day, last_day, counters })
}

/// The keys that left, by view, without those that came back since: a row that came back is among
/// the changed ones.
fn left(
    removals: &[Row],
    changed: &[(&'static Table, Vec<Row>)],
) -> Result<Vec<(&'static Table, Vec<Row>)>, StoreError> {
    let mut keys: std::collections::BTreeMap<&str, std::collections::BTreeSet<Row>> = Default::default();
    for removal in removals {
        let (Some(name), Some(text)) = (removal[0].text(), removal[1].text()) else { continue };
        let Some(view) = view(name) else { continue };
        keys.entry(view.name).or_default().insert(removed_key(view, text)?);
    }
    let mut removed = Vec::new();
    for view in &VIEWS {
        let Some(mut gone) = keys.remove(view.name) else { continue };
        for row in changed.iter().filter(|(table, _)| table.name == view.name).flat_map(|(_, rows)| rows) {
            gone.remove(&row[..view.key.len()]);
        }
        if !gone.is_empty() {
            removed.push((view, gone.into_iter().collect()));
        }
    }
    Ok(removed)
}

fn removed_key(view: &Table, text: &str) -> Result<Row, StoreError> {
    let wrong = || StoreError::Corrupt(format!("removals holds {text}, which is no key of {}", view.name));
    let key: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text).map_err(|_| wrong())?;
    let value = |name: &str| match key.get(name) {
        Some(serde_json::Value::String(text)) => Ok(Value::Text(text.clone())),
        Some(serde_json::Value::Number(number)) => number.as_i64().map(Value::Integer).ok_or_else(wrong),
        _ => Err(wrong()),
    };
    view.key.iter().map(|column| value(column.name)).collect()
}
