//! What is proven of the totals (`proven_days`), and what can not be a total (`inconsistent`).

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use rusqlite::{Connection, Row, TransactionBehavior, params};
use serde_json::Value;
use takings_dataflows::day::Day;
use takings_dataflows::row::RowValue;
use takings_dataflows::view::{View, ViewKey};

use super::{Failed, Held};
use crate::store::StoreError;
use crate::store::columns::{key_json, key_of_json, value_json, value_of_json};
use crate::store::commit::Inconsistent;
use crate::store::proof::{DayState, Outcome, ProvenDay, counted_by};

/// Notes rows whose total can be none, and those that can be one again.
pub(super) fn write_inconsistent(
    connection: &Connection,
    epoch: i64,
    open: &[Inconsistent],
    cured: &[ViewKey],
) -> Result<(), Failed> {
    let write = || -> rusqlite::Result<()> {
        let mut note = connection.prepare_cached(
            "INSERT INTO inconsistent AS t (view, key, stands, would_be, since_epoch, epoch)
             VALUES (?1, ?2, ?3, ?4, ?5, ?5)
             ON CONFLICT (view, key) DO UPDATE SET stands = excluded.stands, would_be = excluded.would_be,
               epoch = excluded.epoch, cured_epoch = NULL,
               since_epoch = CASE WHEN t.cured_epoch IS NULL THEN t.since_epoch ELSE excluded.since_epoch END,
               noticed_at = CASE WHEN t.cured_epoch IS NULL THEN t.noticed_at ELSE excluded.noticed_at END",
        )?;
        for row in open {
            let view = row.key.view();
            let value = |value: &RowValue| value_json(view, value).to_string();
            let (key, would_be) = (key_json(&row.key).to_string(), value(&row.would_be));
            note.execute(params![view.name(), key, row.stands.as_ref().map(value), would_be, epoch])?;
        }
        let mut cure = connection.prepare_cached(
            "UPDATE inconsistent SET cured_epoch = ?3, epoch = ?3 WHERE view = ?1 AND key = ?2 AND cured_epoch IS NULL",
        )?;
        for key in cured {
            cure.execute(params![key.view().name(), key_json(key).to_string(), epoch])?;
        }
        Ok(())
    };
    write().map_err(|error| Failed::at("writing inconsistent", error))
}

/// The rows that are open.
pub(super) fn read_inconsistent(connection: &Connection) -> Result<Vec<Inconsistent>, Failed> {
    type Texts = (String, String, Option<String>, String);
    const OPEN: &str =
        "SELECT view, key, stands, would_be FROM inconsistent WHERE cured_epoch IS NULL ORDER BY view, key";
    let texts = |row: &Row<'_>| -> rusqlite::Result<Texts> { Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)) };
    let read = || -> rusqlite::Result<Vec<Texts>> { connection.prepare(OPEN)?.query_map([], texts)?.collect() };
    let rows = read().map_err(|error| Failed::at("reading inconsistent", error))?;
    let row = |(view, key, stands, would_be): Texts| {
        let read = || -> Option<Inconsistent> {
            let view = View::of_table(&view)?;
            let value = |text: &str| value_of_json(view, &serde_json::from_str::<Value>(text).ok()?);
            let stands = match &stands {
                None => None,
                Some(text) => Some(value(text)?),
            };
            let key = key_of_json(view, &serde_json::from_str(&key).ok()?)?;
            Some(Inconsistent { key, stands, would_be: value(&would_be)? })
        };
        let odd = || StoreError::Corrupt(format!("inconsistent holds {view} {key}, which is no row of a view"));
        read().ok_or_else(|| Failed::Store(odd()))
    };
    rows.into_iter().map(row).collect()
}

/// Every day, with the orders that the complete views say it has.
pub(super) fn read_days(connection: &Connection, views: &[View]) -> Result<Vec<DayState>, Failed> {
    let orders = counted_by(views).map_or("SELECT NULL AS order_date, 0 AS orders WHERE 0".to_owned(), |view| {
        format!("SELECT order_date, sum(orders) AS orders FROM {view} GROUP BY order_date")
    });
    let sql = format!(
        "SELECT d.order_date, d.epoch, coalesce(o.orders, 0), p.epoch, p.proven_at, p.outcome
         FROM changed_days d LEFT JOIN ({orders}) AS o ON o.order_date = d.order_date
         LEFT JOIN proven_days p ON p.order_date = d.order_date ORDER BY d.order_date"
    );
    let state = |row: &Row<'_>| -> rusqlite::Result<DayState> {
        let verdict = row.get::<_, Option<i64>>(3)?.zip(row.get::<_, Option<DateTime<Utc>>>(4)?);
        let outcome = row.get::<_, Option<String>>(5)?.and_then(|name| Outcome::of_name(&name));
        Ok(DayState {
            day: Day::from_date(row.get::<_, NaiveDate>(0)?),
            changed_epoch: row.get::<_, i64>(1)? as u64,
            orders: row.get::<_, i64>(2)?.max(0) as u64,
            verdict: verdict.zip(outcome).map(|((epoch, at), outcome)| (epoch as u64, at, outcome)),
        })
    };
    let read = || -> rusqlite::Result<Vec<DayState>> { connection.prepare(&sql)?.query_map([], state)?.collect() };
    read().map_err(|error| Failed::at("reading changed_days", error))
}

/// Writes verdicts, in a transaction of its own, while the store is still the holder's.
pub(super) fn prove(connection: &mut Connection, held: &Held, days: &[ProvenDay]) -> Result<(), Failed> {
    let failed = |error| Failed::at("writing proven_days", error);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    held.check(&transaction)?;
    let write = || -> rusqlite::Result<()> {
        let mut put = transaction.prepare_cached(
            "INSERT INTO proven_days (order_date, outcome, proven_at, epoch, orders, rows, differences, shown, reason)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT (order_date) DO UPDATE SET outcome = excluded.outcome, proven_at = excluded.proven_at,
               epoch = excluded.epoch, orders = excluded.orders, rows = excluded.rows,
               differences = excluded.differences, shown = excluded.shown, reason = excluded.reason",
        )?;
        for day in days {
            put.execute(params![
                day.day.to_string(),
                day.outcome.name(),
                day.at.to_rfc3339_opts(SecondsFormat::Millis, true),
                day.epoch as i64,
                day.orders as i64,
                day.rows as i64,
                day.differences as i64,
                day.shown_json(),
                day.reason
            ])?;
        }
        Ok(())
    };
    write().map_err(failed)?;
    transaction.commit().map_err(failed)
}
