//! The views' tables: their rows in and out, one statement a table and kind of change.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use chrono::NaiveDate;
use postgres::Row;
use postgres::types::ToSql;
use serde_json::Value;
use takings_dataflows::day::Day;
use takings_dataflows::takings::Takings;
use takings_dataflows::view::{View, ViewKey};

use super::ROWS_A_STATEMENT;
use super::numeric::Numeric;
use super::session::{Session, Sql};
use crate::store::StoreError;
use crate::store::columns::{KeyType, KeyValue, day_of, key_columns, key_json, key_of, key_values, name_of};
use crate::store::commit::TotalChange;
use crate::store::text::escaped;

/// The statements of one view.
struct Statements {
    insert: Sql,
    update: Sql,
    delete: Sql,
    read: Sql,
}

static STATEMENTS: LazyLock<HashMap<View, Statements>> =
    LazyLock::new(|| View::ALL.into_iter().map(|view| (view, Statements::of(view))).collect());

const DAYS: Sql = Sql::new(
    "updating changed_days",
    "INSERT INTO changed_days (order_date, epoch) SELECT d, $2 FROM unnest($1::date[]) d
     ON CONFLICT (order_date) DO UPDATE SET epoch = excluded.epoch",
);
const REMOVALS: Sql = Sql::new(
    "inserting into removals",
    "INSERT INTO removals (view, key, epoch) SELECT $1, k, $3 FROM unnest($2::jsonb[]) k",
);

impl Statements {
    fn of(view: View) -> Statements {
        let table = view.name();
        let columns = key_columns(view);
        let names = columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let arrays: Vec<String> = columns
            .iter()
            .enumerate()
            .map(|(index, (_, kind))| {
                let sql_type = match kind {
                    KeyType::Day => "date",
                    KeyType::Name => "text",
                    KeyType::Number => "integer",
                };
                format!("${}::{sql_type}[]", index + 1)
            })
            .collect();
        let arrays = arrays.join(", ");
        let n = columns.len();
        let rows = format!(
            "unnest({arrays}, ${}::numeric[], ${}::bigint[], ${}::bigint[]) AS c ({names}, total_sales, orders, units)",
            n + 1,
            n + 2,
            n + 3
        );
        let same = columns.iter().map(|(name, _)| format!("t.{name} = c.{name}")).collect::<Vec<_>>().join(" AND ");
        let sql = |doing: &str, text: String| Sql { doing: format!("{doing} {table}").into(), text: text.into() };
        Statements {
            insert: sql(
                "inserting into",
                format!(
                    "INSERT INTO {table} ({names}, total_sales, orders, units, epoch)
                     SELECT {names}, total_sales, orders, units, ${}::bigint FROM {rows}",
                    n + 4
                ),
            ),
            update: sql(
                "updating",
                format!(
                    "UPDATE {table} t SET total_sales = c.total_sales, orders = c.orders, units = c.units,
                     epoch = ${}::bigint FROM {rows} WHERE {same}",
                    n + 4
                ),
            ),
            delete: sql(
                "deleting from",
                format!("DELETE FROM {table} t USING unnest({arrays}) AS c ({names}) WHERE {same}"),
            ),
            read: sql("reading", format!("SELECT {names}, total_sales, orders, units FROM {table}")),
        }
    }
}

/// One key column of many rows.
enum Column {
    Days(Vec<NaiveDate>),
    Names(Vec<Cow<'static, str>>),
    Numbers(Vec<i32>),
}

impl Column {
    fn push(&mut self, value: KeyValue) {
        match (self, value) {
            (Column::Days(days), KeyValue::Day(day)) => days.push(day.date()),
            (Column::Names(names), KeyValue::Name(name)) => names.push(escaped(name.text())),
            (Column::Numbers(numbers), KeyValue::Number(number)) => numbers.push(number),
            _ => unreachable!("key_values follows key_columns"),
        }
    }

    fn param(&self) -> &(dyn ToSql + Sync) {
        match self {
            Column::Days(days) => days,
            Column::Names(names) => names,
            Column::Numbers(numbers) => numbers,
        }
    }
}

/// The key columns of some rows of one view.
fn columns_of<'a>(view: View, keys: impl Iterator<Item = &'a ViewKey>) -> Vec<Column> {
    let mut columns: Vec<Column> = key_columns(view)
        .iter()
        .map(|(_, kind)| match kind {
            KeyType::Day => Column::Days(Vec::new()),
            KeyType::Name => Column::Names(Vec::new()),
            KeyType::Number => Column::Numbers(Vec::new()),
        })
        .collect();
    for key in keys {
        for (column, value) in columns.iter_mut().zip(key_values(key)) {
            column.push(value);
        }
    }
    columns
}

/// Writes the changed totals of an epoch.
pub(super) fn write(session: &mut Session, epoch: i64, totals: &[TotalChange]) -> Result<(), StoreError> {
    // By view, then by day: neighbours on the page one after the other. A fifth of the server's time.
    let mut sorted: Vec<&TotalChange> = totals.iter().collect();
    sorted.sort_unstable_by_key(|change| change.key);
    for changes in sorted.chunk_by(|one, next| one.key.view() == next.key.view()) {
        let view = changes[0].key.view();
        let statements = &STATEMENTS[&view];
        let mut new: Vec<(&ViewKey, Takings)> = Vec::new();
        let mut changed: Vec<(&ViewKey, Takings)> = Vec::new();
        let mut gone: Vec<&ViewKey> = Vec::new();
        for change in changes {
            match (change.old, change.new) {
                (None, Some(total)) => new.push((&change.key, total)),
                (Some(_), Some(total)) => changed.push((&change.key, total)),
                (Some(_), None) => gone.push(&change.key),
                (None, None) => {}
            }
        }
        for rows in gone.chunks(ROWS_A_STATEMENT) {
            remove(session, view, epoch, rows, &statements.delete)?;
        }
        for (sql, rows) in [(&statements.update, &changed), (&statements.insert, &new)] {
            for rows in rows.chunks(ROWS_A_STATEMENT) {
                put(session, view, epoch, rows, sql)?;
            }
        }
    }
    let days: BTreeSet<Day> = totals.iter().filter_map(|change| day_of(&change.key)).collect();
    if !days.is_empty() {
        let days: Vec<NaiveDate> = days.into_iter().map(Day::date).collect();
        session.execute(&DAYS, &[&days, &epoch])?;
    }
    Ok(())
}

fn put(
    session: &mut Session,
    view: View,
    epoch: i64,
    rows: &[(&ViewKey, Takings)],
    sql: &Sql,
) -> Result<(), StoreError> {
    let columns = columns_of(view, rows.iter().map(|(key, _)| *key));
    let amounts: Vec<Numeric> = rows.iter().map(|(_, total)| Numeric(total.amount)).collect();
    let orders: Vec<i64> = rows.iter().map(|(_, total)| total.orders).collect();
    let units: Vec<i64> = rows.iter().map(|(_, total)| total.units).collect();
    let mut params: Vec<&(dyn ToSql + Sync)> = columns.iter().map(Column::param).collect();
    params.extend([&amounts as &(dyn ToSql + Sync), &orders, &units, &epoch]);
    let touched = session.execute(sql, &params)?;
    all_there(sql, touched, rows.len())
}

fn remove(session: &mut Session, view: View, epoch: i64, keys: &[&ViewKey], sql: &Sql) -> Result<(), StoreError> {
    let columns = columns_of(view, keys.iter().copied());
    let params: Vec<&(dyn ToSql + Sync)> = columns.iter().map(Column::param).collect();
    let touched = session.execute(sql, &params)?;
    all_there(sql, touched, keys.len())?;
    let keys: Vec<Value> = keys.iter().map(|key| key_json(key)).collect();
    session.execute(&REMOVALS, &[&view.name(), &keys, &epoch]).map(drop)
}

fn all_there(sql: &Sql, touched: u64, given: usize) -> Result<(), StoreError> {
    if touched == given as u64 {
        return Ok(());
    }
    Err(StoreError::Corrupt(format!(
        "{}: {touched} of {given} rows are there, so its rows were changed by something else; nothing was written",
        sql.doing
    )))
}

/// Every row of a view.
pub(super) fn read(session: &mut Session, view: View) -> Result<Vec<(ViewKey, Takings)>, StoreError> {
    let kinds = key_columns(view);
    let value = |row: &Row, index: usize| -> Result<KeyValue, postgres::Error> {
        Ok(match kinds[index].1 {
            KeyType::Day => KeyValue::Day(Day::from_date(row.try_get(index)?)),
            KeyType::Name => KeyValue::Name(name_of(row.try_get(index)?)),
            KeyType::Number => KeyValue::Number(row.try_get(index)?),
        })
    };
    let (mut totals, mut odd) = (Vec::new(), 0);
    session.each(&STATEMENTS[&view].read, &[], |row| {
        let values = (0..kinds.len()).map(|index| value(row, index)).collect::<Result<Vec<_>, _>>()?;
        let n = kinds.len();
        let Numeric(amount) = row.try_get(n)?;
        let total = Takings { amount, orders: row.try_get(n + 1)?, units: row.try_get(n + 2)? };
        match key_of(view, &values) {
            Some(key) => totals.push((key, total)),
            None => odd += 1,
        }
        Ok(())
    })?;
    if odd > 0 {
        return Err(StoreError::Corrupt(format!("{view} holds {odd} rows with a key that is none")));
    }
    Ok(totals)
}
