//! Which views are complete, and what happens to those that are switched on or off.

use chrono::NaiveDate;
use rusqlite::{Connection, Row, params};
use takings_dataflows::day::Day;
use takings_dataflows::view::View;

use super::{Failed, proofs, rows};
use crate::store::commit::{FilledView, IncompleteView};
use crate::store::settings::views_of;
use crate::store::switch::{Switch, listed_only};

/// The views whose rows are complete.
pub(super) fn complete(connection: &Connection) -> Result<Vec<View>, Failed> {
    let read = || -> rusqlite::Result<Vec<String>> {
        connection.prepare("SELECT view FROM views")?.query_map([], |row| row.get(0))?.collect()
    };
    read().map(|names| views_of(&names)).map_err(|error| Failed::at("reading views", error))
}

/// The views that are complete only from some day on.
pub(super) fn incomplete(connection: &Connection) -> Result<Vec<IncompleteView>, Failed> {
    const INCOMPLETE: &str =
        "SELECT view, complete_from, since_epoch FROM views WHERE complete_from IS NOT NULL ORDER BY view";
    let row =
        |row: &Row<'_>| -> rusqlite::Result<(String, NaiveDate, i64)> { Ok((row.get(0)?, row.get(1)?, row.get(2)?)) };
    let read = || -> rusqlite::Result<Vec<_>> { connection.prepare(INCOMPLETE)?.query_map([], row)?.collect() };
    let found = read().map_err(|error| Failed::at("reading views", error))?;
    let known = |(name, day, since_epoch): (String, NaiveDate, i64)| {
        let (complete_from, since_epoch) = (Day::from_date(day), since_epoch as u64);
        Some(IncompleteView { view: name.parse().ok()?, complete_from, since_epoch })
    };
    Ok(found.into_iter().filter_map(known).collect())
}

/// Brings the tables to what a run with other views starts from. Whether rows went that no epoch tells of.
pub(super) fn switch(connection: &Connection, epoch: i64, switch: &Switch) -> Result<bool, Failed> {
    let write = || -> rusqlite::Result<bool> {
        let mut touched = 0;
        // Before the views go whose rows these are, and with them from when on they are complete.
        for view in &switch.already {
            connection.execute(
                "INSERT OR IGNORE INTO views (view, complete_from, since_epoch)
                 SELECT ?1, (SELECT max(complete_from) FROM views), ?2",
                params![view.name(), epoch],
            )?;
        }
        for view in switch.off.iter().chain(&switch.to_fill) {
            touched += connection.execute("DELETE FROM views WHERE view = ?1", [view.name()])?;
        }
        for table in &switch.to_empty {
            touched += connection.execute(&format!("DELETE FROM {table}"), [])?;
            // Without its rows nothing of a view is inconsistent.
            connection.execute("DELETE FROM inconsistent WHERE view = ?1", [table])?;
        }
        if switch.to_listed_only {
            touched += connection.execute("DELETE FROM sales_per_product WHERE listed_orders IS NULL", [])?;
            // Amounts have six places, so their digits without the point are their millionths.
            touched += connection.execute(
                "UPDATE sales_per_product SET total_sales = listed_sales, orders = listed_orders, units = listed_units,
                   total_sales_micros = CASE WHEN length(listed_sales) < 20
                     THEN CAST(replace(listed_sales, '.', '') AS INTEGER) END
                 WHERE total_sales != listed_sales OR orders != listed_orders OR units != listed_units",
                [],
            )?;
        }
        if touched > 0 {
            // What left with a view is in no row of `removals`: feeds start over.
            connection.execute("UPDATE job SET removals_after = max(removals_after, ?1)", [epoch])?;
        }
        Ok(touched > 0)
    };
    let is_changed = write().map_err(|error| Failed::at("switching views", error))?;
    if switch.to_listed_only {
        let (totals, still) = listed_only(&proofs::read_inconsistent(connection)?);
        let cured: Vec<_> = totals.iter().map(|change| change.key).collect();
        rows::write(connection, epoch, &totals)?;
        proofs::write_inconsistent(connection, epoch, &still, &cured)?;
    }
    Ok(is_changed)
}

/// Notes the views that this commit fills.
pub(super) fn write_filled(connection: &Connection, epoch: i64, filled: &[FilledView]) -> Result<(), Failed> {
    for FilledView { view, complete_from } in filled {
        connection
            .execute(
                "INSERT INTO views (view, complete_from, since_epoch) VALUES (?1, ?2, ?3)
                 ON CONFLICT (view) DO UPDATE SET complete_from = excluded.complete_from,
                   since_epoch = excluded.since_epoch",
                params![view.name(), complete_from.map(|day| day.to_string()), epoch],
            )
            .map_err(|error| Failed::at("writing views", error))?;
    }
    Ok(())
}
