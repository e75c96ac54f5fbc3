//! Totals by product over any days, with what the catalogue says of each product.
//!
//! No table holds them: they are summed from `sales_per_product`, a month or a day at a time, by the store (SQLite has
//! no exact sum, so there while the rows stream). What was summed is held until one of its days changes
//! ([`held::Held`]). Rows are chosen, sorted and cut into pages here, so that names are searched alike on both stores and
//! in every alphabet.

pub(super) mod held;
mod page;

use std::sync::Arc;

use takings_dataflows::takings::Takings;

use self::held::{Days, Held, Period, Plan, Reading};
use super::statement::{Condition, Dialect, Statement, Statements};
use super::table::{Column, Filter, Kind, Table, Test, Trace};
use super::value::{Row, Value};
use super::views::{BY_CURRENCY, BY_PRODUCTS, CURRENCY, FROM_DAY, ORDERS, PRODUCT, TO_DAY, TOTAL_SALES, UNITS, view};
use super::{Head, Page, ReadError, Reader, SOLD};
use crate::store::StoreError;

/// How many sums are read at one snapshot while nobody waits for them: each is some megabytes on its way.
const AT_ONCE: usize = 4;
/// How many times sums are read before whoever holds them gives up: more often than a shop of a hundred years has months.
const READINGS: usize = 2_000;
/// How often a plan is made anew because someone else's came between, before the store sums the whole period.
const PLANS: usize = 3;

/// How the totals are described.
pub static PRODUCT_TOTALS: Table = Table {
    name: "product_totals",
    doc: "Totals of each product and currency over some days, or all; with its listing.",
    key: &[PRODUCT, CURRENCY],
    values: &[
        Column::new("name", Kind::Text, "Its name in the catalogue.").nullable(),
        Column::new("category", Kind::Text, "Its category in the catalogue.").nullable(),
        TOTAL_SALES,
        ORDERS,
        UNITS,
    ],
    order: &["total_sales", "product", "currency"],
    descending: true,
    filters: &[
        FROM_DAY,
        TO_DAY,
        BY_CURRENCY,
        BY_PRODUCTS,
        Filter {
            parameter: "category",
            columns: &["category"],
            test: Test::Equals,
            doc: "Only products of this category in the catalogue; `unlisted`: those without one there.",
        },
        Filter {
            parameter: "search",
            columns: &["product", "name"],
            test: Test::Contains,
            doc: "Only products with this in their text or their name, in upper or lower case.",
        },
    ],
    trace: Trace::Untraced,
};

/// By what they are sorted; of two with the same, the lesser product and currency is first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// By total sales; amounts of different currencies as numbers, so that it wants a currency.
    TotalSales,
    /// By orders.
    Orders,
    /// By units.
    Units,
    /// By the product's text.
    Product,
    /// By its name, in upper or lower case; what has none counts as greater than all names.
    Name,
}

impl Sort {
    /// All of them.
    pub const ALL: [Sort; 5] = [Sort::TotalSales, Sort::Orders, Sort::Units, Sort::Product, Sort::Name];

    /// As it is given in an address.
    pub const fn name(self) -> &'static str {
        match self {
            Sort::TotalSales => "total_sales",
            Sort::Orders => "orders",
            Sort::Units => "units",
            Sort::Product => "product",
            Sort::Name => "name",
        }
    }

    /// Whether the greatest comes first unless asked otherwise.
    pub const fn descending(self) -> bool {
        !matches!(self, Sort::Product | Sort::Name)
    }
}

/// Which totals.
#[derive(Clone, Debug)]
pub struct ProductQuery {
    /// Which days, currencies and products: conditions as [`PRODUCT_TOTALS`] has filters.
    pub conditions: Vec<Condition>,
    /// By what they are sorted.
    pub sort: Sort,
    /// Whether the greatest comes first.
    pub descending: bool,
    /// Where the page before ended: what it was sorted by (null: no name), the product, the currency.
    pub after: Option<[Value; 3]>,
    /// At most so many rows.
    pub limit: u32,
}

/// What a product sold in a currency, over some days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sold {
    product: Arc<str>,
    currency: Arc<str>,
    takings: Takings,
}

/// What sums are made of, all of one snapshot.
struct Seen {
    head: Head,
    /// The days of the period.
    days: Days,
    /// What each reading of the plan summed.
    sums: Vec<Vec<Sold>>,
    listings: Vec<Row>,
}

impl Reader {
    /// A page of [`PRODUCT_TOTALS`].
    ///
    /// # Errors
    /// As [`Reader::page`]: they need the view `sales_per_product`.
    pub async fn product_totals(&self, query: &ProductQuery) -> Result<Page, ReadError> {
        let listed: Vec<Condition> =
            query.conditions.iter().filter(|condition| condition.columns == ["product"]).cloned().collect();
        // Some products are found by their key, whatever the period.
        let held = match Period::of(&query.conditions) {
            Some(period) if listed.is_empty() => self.held_sums(&period).await?,
            _ => None,
        };
        let (head, sums, listings) = match held {
            Some(found) => found,
            None => self.read_sums(&query.conditions, &listed).await?,
        };
        let query = query.clone();
        // Tens of thousands of rows: not beside events.
        let work = tokio::task::spawn_blocking(move || page::page_of(&sums, &listings, &query));
        let (rows, next) = work.await.map_err(|error| StoreError::Fault {
            doing: "sorting totals of products".into(),
            source: Box::new(error),
        })??;
        Ok(Page { head, rows, next })
    }

    /// Sums of a period, from what is held of it and what changed since, with all listings. Where some of it was never
    /// held, that is seen to meanwhile: whoever asks does not wait for it.
    async fn held_sums(&self, period: &Period) -> Result<Option<(Head, Vec<Sold>, Vec<Row>)>, ReadError> {
        let of = *period;
        for _ in 0..PLANS {
            let plan = move |held: &mut Held, head: &Head, days: &Days| held.plan(head, &of, days);
            let (plan, mut seen) = self.see(period, true, plan).await?;
            let mut held = self.held.lock();
            if plan.lacks && held.begin() {
                let reader = self.clone();
                tokio::spawn(async move { reader.hold(&of).await });
            }
            if let [Reading::Period(_)] = plan.readings[..] {
                return Ok(Some((seen.head, seen.sums.pop().unwrap_or_default(), seen.listings)));
            }
            held.take(&plan, &seen);
            if let Some(sums) = held.sums(&plan, period, seen.head.epoch, &seen.days) {
                return Ok(Some((seen.head, sums, seen.listings)));
            }
        }
        Ok(None)
    }

    /// Holds the sums of all months, so that whoever asks first need not wait for them.
    pub async fn hold_product_totals(&self) {
        if self.held.lock().begin() {
            self.hold(&Period::default()).await;
        }
    }

    /// Holds what was never held of a period, a few spans at a time: each is right from its own epoch on.
    async fn hold(&self, period: &Period) {
        let of = *period;
        for _ in 0..READINGS {
            let plan = move |held: &mut Held, head: &Head, days: &Days| held.plan_to_hold(head, &of, days, AT_ONCE);
            match self.see(period, false, plan).await {
                Ok((plan, seen)) => {
                    self.held.lock().take(&plan, &seen);
                    if !plan.lacks {
                        break;
                    }
                }
                // Whoever asks next finds out anew what is wrong.
                Err(error) => {
                    tracing::debug!(%error, "totals of products are not held yet");
                    break;
                }
            }
        }
        self.held.lock().end();
    }

    /// The days of a period, and at the same snapshot what is to be read by the plan that follows from them.
    async fn see(
        &self,
        period: &Period,
        with_listings: bool,
        plan: impl FnOnce(&mut Held, &Head, &Days) -> Plan + Send + 'static,
    ) -> Result<(Plan, Seen), ReadError> {
        let Some(table) = view(SOLD) else { return Err(ReadError::ViewOff(SOLD)) };
        let statements = self.statements;
        let first = vec![statements.days(table, &period.conditions())];
        let (held, (tell, told)) = (Arc::clone(&self.held), std::sync::mpsc::sync_channel(1));
        let then = move |head: &Head, tables: &[Vec<Row>]| {
            let [days] = tables else { return Vec::new() };
            let Ok(days) = held::days(days) else { return Vec::new() };
            let plan = plan(&mut held.lock(), head, &days);
            let sum_of = |reading: &Reading| statements.sums_of_products(table, &reading.conditions());
            let mut more: Vec<Statement> = plan.readings.iter().map(sum_of).collect();
            if with_listings {
                more.push(statements.listings(&[]));
            }
            // Nobody takes it where the reading fails.
            let _ = tell.send(plan);
            more
        };
        let (head, tables) = self.snapshot_then(first, then).await?;
        head.check(table)?;
        let mut tables = tables.into_iter();
        let days = held::days(&tables.next().unwrap_or_default())?;
        let plan = told.try_recv().map_err(|error| StoreError::Fault {
            doing: "choosing which totals of products to read".into(),
            source: Box::new(error),
        })?;
        let read = tables.by_ref().take(plan.readings.len());
        let sums: Vec<Vec<Sold>> = read.map(|rows| sold(&rows)).collect::<Result<_, StoreError>>()?;
        Ok((plan, Seen { head, days, sums, listings: tables.next().unwrap_or_default() }))
    }

    /// Sums that the store makes of everything that the conditions choose.
    async fn read_sums(
        &self,
        conditions: &[Condition],
        listed: &[Condition],
    ) -> Result<(Head, Vec<Sold>, Vec<Row>), ReadError> {
        let Some(table) = view(SOLD) else { return Err(ReadError::ViewOff(SOLD)) };
        let is_of_table = |condition: &&Condition| condition.columns.iter().all(|name| table.column(name).is_some());
        let chosen: Vec<Condition> = conditions.iter().filter(is_of_table).cloned().collect();
        let statements = vec![self.statements.sums_of_products(table, &chosen), self.statements.listings(listed)];
        let (head, mut tables) = self.snapshot(statements).await?;
        head.check(table)?;
        let (listings, sums) = (tables.pop().unwrap_or_default(), tables.pop().unwrap_or_default());
        Ok((head, sold(&sums)?, listings))
    }
}

/// What the store's rows of sums hold.
fn sold(rows: &[Row]) -> Result<Vec<Sold>, StoreError> {
    let read = |row: &Row| {
        let amount = row[2].text().and_then(|text| text.parse().ok());
        match (row[0].text(), row[1].text(), amount, row[3].integer(), row[4].integer()) {
            (Some(product), Some(currency), Some(amount), Some(orders), Some(units)) => Ok(Sold {
                product: product.into(),
                currency: currency.into(),
                takings: Takings { amount, orders, units },
            }),
            _ => Err(StoreError::Corrupt(format!("{SOLD} sums to {row:?}, which are no totals"))),
        }
    };
    rows.iter().map(read).collect()
}

impl Statements {
    /// Every day that has, or had, a total, with the last epoch that changed one of it.
    fn days(self, table: &Table, conditions: &[Condition]) -> Statement {
        let mut parameters = Vec::new();
        let clause = self.clause(table, conditions, &mut parameters);
        let (day, epoch) = match self.0 {
            Dialect::Postgres => ("to_char(t.order_date, 'YYYY-MM-DD')", "t.epoch::int8"),
            Dialect::Sqlite => ("t.order_date", "t.epoch"),
        };
        let sql = format!("SELECT {day}, {epoch} FROM changed_days t{clause} ORDER BY t.order_date");
        Statement::new(sql, parameters, vec![Kind::Date, Kind::Integer])
    }

    /// Rows of (product, currency, total_sales, orders, units), one for each product and currency.
    fn sums_of_products(self, table: &Table, conditions: &[Condition]) -> Statement {
        let mut parameters = Vec::new();
        let clause = self.clause(table, conditions, &mut parameters);
        let (sums, group) = match self.0 {
            Dialect::Postgres => {
                ("sum(t.total_sales)::text, sum(t.orders)::int8, sum(t.units)::int8", " GROUP BY t.product, t.currency")
            }
            Dialect::Sqlite => ("coalesce(t.total_sales_micros, t.total_sales), t.orders, t.units", ""),
        };
        let sql = format!("SELECT t.product, t.currency, {sums} FROM {} t{clause}{group}", table.name);
        let kinds = vec![Kind::Text, Kind::Text, Kind::Decimal, Kind::Integer, Kind::Integer];
        Statement { is_to_be_summed: self.0 == Dialect::Sqlite, ..Statement::new(sql, parameters, kinds) }
    }

    /// Every listing: product, name, category.
    fn listings(self, conditions: &[Condition]) -> Statement {
        let mut parameters = Vec::new();
        let clause = self.clause(&PRODUCT_TOTALS, conditions, &mut parameters);
        let sql = format!("SELECT t.product, t.name, t.category FROM products t{clause}");
        Statement::new(sql, parameters, vec![Kind::Text; 3])
    }
}
