//! The views' tables: their rows in and out.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use rusqlite::types::{ToSqlOutput, Type, Value};
use rusqlite::{Connection, Row, ToSql, params, params_from_iter};
use takings_dataflows::amount::Amount;
use takings_dataflows::day::Day;
use takings_dataflows::minute::Minute;
use takings_dataflows::row::{RowChange, RowValue};
use takings_dataflows::view::{View, ViewKey};

use super::{Failed, exact};
use crate::store::StoreError;
use crate::store::columns::{
    Cell, CellType, Column, day_of, key_cells, key_columns, key_json, key_of, minute_text, name_of, value_cells,
    value_columns, value_of,
};
use crate::store::text::escaped;

/// The total of money that has its millionths beside it, as an integer: SQLite can not sum decimals.
const SUMMED: &str = "total_sales";

/// The statements of one view.
struct Statements {
    insert: String,
    update: String,
    delete: String,
    read: String,
}

static STATEMENTS: LazyLock<HashMap<View, Statements>> =
    LazyLock::new(|| View::TABLES.into_iter().map(|view| (view, Statements::of(view))).collect());

/// Whether rows of a view have the column [`SUMMED`], and where among the values.
fn summed(view: View) -> Option<usize> {
    value_columns(view).iter().position(|(name, _)| *name == SUMMED)
}

impl Statements {
    /// Parameters: the key, then the values, then the epoch, then the millionths where there are any; for
    /// `delete` just the key.
    fn of(view: View) -> Statements {
        let table = view.name();
        let keys: Vec<&str> = key_columns(view).iter().map(|(name, _)| *name).collect();
        let values: Vec<&str> = value_columns(view).iter().map(|(name, _)| *name).collect();
        let written: Vec<String> = values
            .iter()
            .map(|name| (*name).to_owned())
            .chain(["epoch".to_owned()])
            .chain(summed(view).map(|_| format!("{SUMMED}_micros")))
            .collect();
        let same = keys.iter().zip(1..).map(|(name, at)| format!("{name} = ?{at}")).collect::<Vec<_>>().join(" AND ");
        let set: Vec<String> =
            written.iter().zip(keys.len() + 1..).map(|(name, at)| format!("{name} = ?{at}")).collect();
        let places: Vec<String> = (1..=keys.len() + written.len()).map(|at| format!("?{at}")).collect();
        Statements {
            insert: format!(
                "INSERT INTO {table} ({}, {}) VALUES ({})",
                keys.join(", "),
                written.join(", "),
                places.join(", ")
            ),
            update: format!("UPDATE {table} SET {} WHERE {same}", set.join(", ")),
            delete: format!("DELETE FROM {table} WHERE {same}"),
            read: format!("SELECT {}, {} FROM {table}", keys.join(", "), values.join(", ")),
        }
    }
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Owned(match self {
            Cell::Null => Value::Null,
            Cell::Day(day) => Value::Text(day.to_string()),
            Cell::Name(name) => Value::Text(escaped(name.text()).into_owned()),
            Cell::Period(period) => Value::Text(period.to_string()),
            Cell::Number(number) => Value::Integer((*number).into()),
            Cell::Minute(minute) => Value::Text(minute_text(*minute)),
            Cell::Decimal(amount) => Value::Text(amount.to_string()),
            Cell::Count(count) => Value::Integer(*count),
        }))
    }
}

/// Writes the changed rows of an epoch.
pub(super) fn write(connection: &Connection, epoch: i64, rows: &[RowChange]) -> Result<(), Failed> {
    // In the order of the tree: by view, then by day.
    let mut sorted: Vec<&RowChange> = rows.iter().collect();
    sorted.sort_unstable_by_key(|change| change.key);
    for changes in sorted.chunk_by(|one, next| one.key.view() == next.key.view()) {
        let view = changes[0].key.view();
        let failed = |error| Failed::at(format!("writing {view}"), error);
        let statements = &STATEMENTS[&view];
        let summed = summed(view);
        let prepare = |text: &str| connection.prepare_cached(text).map_err(failed);
        let (mut insert, mut update, mut delete) =
            (prepare(&statements.insert)?, prepare(&statements.update)?, prepare(&statements.delete)?);
        let mut cells: Vec<Cell> = Vec::new();
        for change in changes {
            cells.clear();
            cells.extend(key_cells(&change.key));
            let touched = match (&change.old, &change.new) {
                (None, None) => continue,
                (Some(_), None) => {
                    let touched = delete.execute(params_from_iter(&cells)).map_err(failed)?;
                    if view.is_shown() {
                        removed(connection, epoch, &change.key)?;
                    }
                    touched
                }
                (old, Some(value)) => {
                    let first = cells.len();
                    cells.extend(value_cells(value));
                    let micros = summed.map(|at| match cells[first + at] {
                        Cell::Decimal(amount) => exact(amount).1,
                        _ => None,
                    });
                    let mut params: Vec<&dyn ToSql> = cells.iter().map(|cell| cell as &dyn ToSql).collect();
                    params.push(&epoch);
                    params.extend(micros.as_ref().map(|micros| micros as &dyn ToSql));
                    if old.is_none() { insert.execute(&*params) } else { update.execute(&*params) }.map_err(failed)?
                }
            };
            if touched != 1 {
                return Err(Failed::Store(StoreError::Corrupt(format!(
                    "{} is not there, so {view} was changed by something else; nothing was written",
                    change.key
                ))));
            }
        }
    }
    let days: BTreeSet<Day> = rows.iter().filter_map(|change| day_of(&change.key)).collect();
    let failed = |error| Failed::at("writing changed_days", error);
    let mut put = connection
        .prepare_cached(
            "INSERT INTO changed_days (order_date, epoch) VALUES (?1, ?2)
             ON CONFLICT (order_date) DO UPDATE SET epoch = excluded.epoch",
        )
        .map_err(failed)?;
    for day in days {
        put.execute(params![day.to_string(), epoch]).map_err(failed)?;
    }
    Ok(())
}

fn removed(connection: &Connection, epoch: i64, key: &ViewKey) -> Result<(), Failed> {
    connection
        .prepare_cached("INSERT INTO removals (view, key, epoch) VALUES (?1, ?2, ?3)")
        .and_then(|mut insert| insert.execute(params![key.view().name(), key_json(key).to_string(), epoch]))
        .map(drop)
        .map_err(|error| Failed::at("writing removals", error))
}

/// Every row of a view.
pub(super) fn read(connection: &Connection, view: View) -> Result<Vec<(ViewKey, RowValue)>, Failed> {
    read_by(connection, view, &STATEMENTS[&view].read, &[])
}

/// The rows of some days, of a view that goes by days; of best sellers those of the days themselves.
pub(super) fn read_of_days(
    connection: &Connection,
    view: View,
    days: &[Day],
) -> Result<Vec<(ViewKey, RowValue)>, Failed> {
    let column = if view == View::Top { "period" } else { "order_date" };
    let days: Vec<String> = days.iter().map(Day::to_string).collect();
    let sql = format!("{} WHERE {column} IN (SELECT value FROM json_each(?1))", STATEMENTS[&view].read);
    read_by(connection, view, &sql, &[&serde_json::json!(days).to_string()])
}

fn read_by(
    connection: &Connection,
    view: View,
    sql: &str,
    params: &[&dyn ToSql],
) -> Result<Vec<(ViewKey, RowValue)>, Failed> {
    let (keys, values) = (key_columns(view), value_columns(view));
    let cells = |row: &Row<'_>, columns: &[Column], from: usize| -> rusqlite::Result<Vec<Cell>> {
        columns.iter().enumerate().map(|(at, (_, kind))| cell(row, from + at, *kind)).collect()
    };
    let row = |row: &Row<'_>| -> rusqlite::Result<(ViewKey, RowValue)> {
        let (key, value) = (cells(row, keys, 0)?, cells(row, values, keys.len())?);
        key_of(view, &key).zip(value_of(view, &value)).ok_or_else(|| odd(0, "a row that is none of its view's"))
    };
    let read = || -> rusqlite::Result<Vec<_>> { connection.prepare(sql)?.query_map(params, row)?.collect() };
    read().map_err(|error| Failed::at(format!("reading {view}"), error))
}

fn odd(at: usize, what: &str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(at, Type::Text, what.into())
}

fn cell(row: &Row<'_>, at: usize, kind: CellType) -> rusqlite::Result<Cell> {
    let value = row.get_ref(at)?;
    if value == rusqlite::types::ValueRef::Null {
        return Ok(Cell::Null);
    }
    Ok(match kind {
        CellType::Day => Cell::Day(Day::from_date(row.get(at)?)),
        CellType::Name => Cell::Name(name_of(value.as_str()?)),
        CellType::Period => Cell::Period(value.as_str()?.parse().map_err(|_| odd(at, "a period that is none"))?),
        CellType::Number => Cell::Number(row.get(at)?),
        CellType::Minute => Cell::Minute(Minute::of_millis(row.get::<_, DateTime<Utc>>(at)?.timestamp_millis())),
        CellType::Decimal => {
            let amount: Amount = value.as_str()?.parse().map_err(|_| odd(at, "an amount that is none"))?;
            Cell::Decimal(amount)
        }
        CellType::Count => Cell::Count(row.get(at)?),
    })
}
