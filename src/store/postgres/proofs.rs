//! What is proven of the totals (`proven_days`), and what can not be a total (`inconsistent`).

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;
use takings_dataflows::day::Day;
use takings_dataflows::row::RowValue;
use takings_dataflows::view::{View, ViewKey};

use super::session::{Session, Sql};
use super::{Held, where_it_stands};
use crate::store::StoreError;
use crate::store::columns::{key_json, key_of_json, value_json, value_of_json};
use crate::store::commit::Inconsistent;
use crate::store::proof::{DayState, Outcome, ProvenDay, counted_by};

const NOTE: Sql = Sql::new(
    "writing inconsistent",
    "INSERT INTO inconsistent AS t (view, key, stands, would_be, since_epoch, epoch)
     SELECT v, k, s, w, $5, $5 FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS c (v, k, s, w)
     ON CONFLICT (view, key) DO UPDATE SET stands = excluded.stands, would_be = excluded.would_be,
       epoch = excluded.epoch, cured_epoch = NULL,
       since_epoch = CASE WHEN t.cured_epoch IS NULL THEN t.since_epoch ELSE excluded.since_epoch END,
       noticed_at = CASE WHEN t.cured_epoch IS NULL THEN t.noticed_at ELSE excluded.noticed_at END",
);
const CURE: Sql = Sql::new(
    "writing inconsistent",
    "UPDATE inconsistent t SET cured_epoch = $3, epoch = $3
     FROM unnest($1::text[], $2::text[]) AS c (v, k) WHERE t.view = c.v AND t.key = c.k AND t.cured_epoch IS NULL",
);
const OPEN: Sql = Sql::new(
    "reading inconsistent",
    "SELECT view, key, stands, would_be FROM inconsistent WHERE cured_epoch IS NULL ORDER BY view, key",
);
const PROVE: Sql = Sql::new(
    "writing proven_days",
    "INSERT INTO proven_days (order_date, outcome, proven_at, epoch, orders, rows, differences, shown, reason)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     ON CONFLICT (order_date) DO UPDATE SET outcome = excluded.outcome, proven_at = excluded.proven_at,
       epoch = excluded.epoch, orders = excluded.orders, rows = excluded.rows, differences = excluded.differences,
       shown = excluded.shown, reason = excluded.reason",
);
/// Waits for a run that is taking over, and keeps one that comes later waiting until the transaction is over.
const KEEP: Sql = Sql::new("keeping job", "SELECT generation FROM job FOR SHARE");

/// Notes rows whose total can be none, and those that can be one again.
pub(super) fn write_inconsistent(
    session: &mut Session,
    epoch: i64,
    open: &[Inconsistent],
    cured: &[ViewKey],
) -> Result<(), StoreError> {
    let key = |key: &ViewKey| key_json(key).to_string();
    if !open.is_empty() {
        let value = |row: &Inconsistent, value: &RowValue| value_json(row.key.view(), value).to_string();
        let views: Vec<&str> = open.iter().map(|row| row.key.view().name()).collect();
        let keys: Vec<String> = open.iter().map(|row| key(&row.key)).collect();
        let stands: Vec<Option<String>> =
            open.iter().map(|row| row.stands.as_ref().map(|stands| value(row, stands))).collect();
        let would_be: Vec<String> = open.iter().map(|row| value(row, &row.would_be)).collect();
        session.execute(&NOTE, &[&views, &keys, &stands, &would_be, &epoch])?;
    }
    if !cured.is_empty() {
        let views: Vec<&str> = cured.iter().map(|key| key.view().name()).collect();
        let keys: Vec<String> = cured.iter().map(key).collect();
        session.execute(&CURE, &[&views, &keys, &epoch])?;
    }
    Ok(())
}

/// The rows that are open.
pub(super) fn read_inconsistent(session: &mut Session) -> Result<Vec<Inconsistent>, StoreError> {
    let (mut found, mut odd) = (Vec::new(), Vec::new());
    session.each(&OPEN, &[], |row| {
        let (view, key): (&str, &str) = (row.try_get(0)?, row.try_get(1)?);
        let (stands, would_be): (Option<&str>, &str) = (row.try_get(2)?, row.try_get(3)?);
        let read = || -> Option<Inconsistent> {
            let view = View::of_table(view)?;
            let value = |text: &str| value_of_json(view, &serde_json::from_str::<Value>(text).ok()?);
            let stands = match stands {
                None => None,
                Some(text) => Some(value(text)?),
            };
            let key = key_of_json(view, &serde_json::from_str(key).ok()?)?;
            Some(Inconsistent { key, stands, would_be: value(would_be)? })
        };
        match read() {
            Some(row) => found.push(row),
            None => odd.push(format!("{view} {key}")),
        }
        Ok(())
    })?;
    match odd.first() {
        None => Ok(found),
        Some(first) => Err(StoreError::Corrupt(format!("inconsistent holds {first}, which is no row of a view"))),
    }
}

/// Every day, with the orders that the complete views say it has.
pub(super) fn read_days(session: &mut Session, views: &[View]) -> Result<Vec<DayState>, StoreError> {
    let orders = counted_by(views).map_or("SELECT NULL::date, 0::bigint WHERE false".to_owned(), |view| {
        format!("SELECT order_date, sum(orders)::bigint FROM {view} GROUP BY order_date")
    });
    let sql = Sql {
        doing: "reading changed_days".into(),
        text: format!(
            "SELECT d.order_date, d.epoch, coalesce(o.orders, 0), p.epoch, p.proven_at, p.outcome
             FROM changed_days d LEFT JOIN ({orders}) AS o (order_date, orders) USING (order_date)
             LEFT JOIN proven_days p USING (order_date) ORDER BY d.order_date"
        )
        .into(),
    };
    let mut days = Vec::new();
    session.each(&sql, &[], |row| {
        let verdict = row.try_get::<_, Option<i64>>(3)?.zip(row.try_get::<_, Option<DateTime<Utc>>>(4)?);
        let outcome = row.try_get::<_, Option<&str>>(5)?.and_then(Outcome::of_name);
        days.push(DayState {
            day: Day::from_date(row.try_get(0)?),
            changed_epoch: row.try_get::<_, i64>(1)? as u64,
            orders: row.try_get::<_, i64>(2)?.max(0) as u64,
            verdict: verdict.zip(outcome).map(|((epoch, at), outcome)| (epoch as u64, at, outcome)),
        });
        Ok(())
    })?;
    Ok(days)
}

/// Writes verdicts, in a transaction of its own, while the store is still the holder's.
pub(super) fn prove(session: &mut Session, held: &Held, days: &[ProvenDay]) -> Result<(), StoreError> {
    session.begin()?;
    session.query(&KEEP, &[])?;
    let stands = where_it_stands(session)?;
    if let Err(error) = held.check(&stands) {
        session.batch("rolling back", "ROLLBACK")?;
        return Err(error);
    }
    for day in days {
        let date: NaiveDate = day.day.date();
        let (outcome, shown) = (day.outcome.name(), day.shown_json());
        let [epoch, orders, rows, differences] =
            [day.epoch, day.orders, day.rows, day.differences].map(|count| count as i64);
        session
            .execute(&PROVE, &[&date, &outcome, &day.at, &epoch, &orders, &rows, &differences, &shown, &day.reason])?;
    }
    session.commit().map(drop)
}
