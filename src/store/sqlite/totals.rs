//! The views' tables: their rows in and out.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use rusqlite::types::{ToSqlOutput, Type, Value};
use rusqlite::{Connection, Row, ToSql, params, params_from_iter};
use takings_dataflows::amount::Amount;
use takings_dataflows::day::Day;
use takings_dataflows::takings::Takings;
use takings_dataflows::view::{View, ViewKey};

use super::{Failed, exact};
use crate::store::StoreError;
use crate::store::columns::{KeyType, KeyValue, day_of, key_columns, key_json, key_of, key_values, name_of};
use crate::store::commit::TotalChange;
use crate::store::text::escaped;

/// The statements of one view.
struct Statements {
    insert: String,
    update: String,
    delete: String,
    read: String,
}

static STATEMENTS: LazyLock<HashMap<View, Statements>> =
    LazyLock::new(|| View::ALL.into_iter().map(|view| (view, Statements::of(view))).collect());

impl Statements {
    /// Parameters: 1 amount, 2 micros, 3 orders, 4 units, 5 epoch, then the key; for `delete` just the key.
    fn of(view: View) -> Statements {
        let table = view.name();
        let names: Vec<&str> = key_columns(view).iter().map(|(name, _)| *name).collect();
        let columns = names.join(", ");
        let same = |from: usize| {
            names
                .iter()
                .enumerate()
                .map(|(index, name)| format!("{name} = ?{}", from + index))
                .collect::<Vec<_>>()
                .join(" AND ")
        };
        let places = (0..names.len()).map(|index| format!("?{}", 6 + index)).collect::<Vec<_>>().join(", ");
        Statements {
            insert: format!(
                "INSERT INTO {table} (total_sales, total_sales_micros, orders, units, epoch, {columns})
                 VALUES (?1, ?2, ?3, ?4, ?5, {places})"
            ),
            update: format!(
                "UPDATE {table} SET total_sales = ?1, total_sales_micros = ?2, orders = ?3, units = ?4, epoch = ?5
                 WHERE {}",
                same(6)
            ),
            delete: format!("DELETE FROM {table} WHERE {}", same(1)),
            read: format!("SELECT {columns}, total_sales, orders, units FROM {table}"),
        }
    }
}

impl ToSql for KeyValue {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Owned(match self {
            KeyValue::Day(day) => Value::Text(day.to_string()),
            KeyValue::Name(name) => Value::Text(escaped(name.text()).into_owned()),
            KeyValue::Number(number) => Value::Integer((*number).into()),
        }))
    }
}

/// Writes the changed totals of an epoch.
pub(super) fn write(connection: &Connection, epoch: i64, totals: &[TotalChange]) -> Result<(), Failed> {
    // In the order of the tree: by view, then by day.
    let mut sorted: Vec<&TotalChange> = totals.iter().collect();
    sorted.sort_unstable_by_key(|change| change.key);
    for changes in sorted.chunk_by(|one, next| one.key.view() == next.key.view()) {
        let view = changes[0].key.view();
        let failed = |error| Failed::at(format!("writing {view}"), error);
        let statements = &STATEMENTS[&view];
        let prepare = |text: &str| connection.prepare_cached(text).map_err(failed);
        let (mut insert, mut update, mut delete) =
            (prepare(&statements.insert)?, prepare(&statements.update)?, prepare(&statements.delete)?);
        for change in changes {
            let key: Vec<KeyValue> = key_values(&change.key).collect();
            let touched = match (change.old, change.new) {
                (None, None) => continue,
                (Some(_), None) => {
                    let touched = delete.execute(params_from_iter(&key)).map_err(failed)?;
                    removed(connection, epoch, &change.key)?;
                    touched
                }
                (old, Some(Takings { amount, orders, units })) => {
                    let (text, micros) = exact(amount);
                    let mut params: Vec<&dyn ToSql> = vec![&text, &micros, &orders, &units, &epoch];
                    params.extend(key.iter().map(|value| value as &dyn ToSql));
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
    let days: BTreeSet<Day> = totals.iter().filter_map(|change| day_of(&change.key)).collect();
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
pub(super) fn read(connection: &Connection, view: View) -> Result<Vec<(ViewKey, Takings)>, Failed> {
    let kinds = key_columns(view);
    let total = |row: &Row<'_>| -> rusqlite::Result<(ViewKey, Takings)> {
        let mut values = Vec::with_capacity(kinds.len());
        for (index, (_, kind)) in kinds.iter().enumerate() {
            values.push(match kind {
                KeyType::Day => KeyValue::Day(Day::from_date(row.get(index)?)),
                KeyType::Name => KeyValue::Name(name_of(row.get_ref(index)?.as_str()?)),
                KeyType::Number => KeyValue::Number(row.get(index)?),
            });
        }
        let odd = |index, what: &str| rusqlite::Error::FromSqlConversionFailure(index, Type::Text, what.into());
        let n = kinds.len();
        let amount: Amount = row.get_ref(n)?.as_str()?.parse().map_err(|_| odd(n, "an amount that is none"))?;
        let key = key_of(view, &values).ok_or_else(|| odd(0, "a key that is none"))?;
        Ok((key, Takings { amount, orders: row.get(n + 1)?, units: row.get(n + 2)? }))
    };
    let read =
        || -> rusqlite::Result<Vec<_>> { connection.prepare(&STATEMENTS[&view].read)?.query_map([], total)?.collect() };
    read().map_err(|error| Failed::at(format!("reading {view}"), error))
}
