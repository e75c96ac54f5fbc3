//! Which views are complete, and what happens to those that are switched on or off.

use takings_dataflows::day::Day;
use takings_dataflows::view::View;

use super::session::{Session, Sql};
use super::{proofs, rows};
use crate::store::StoreError;
use crate::store::commit::{FilledView, IncompleteView};
use crate::store::settings::views_of;
use crate::store::switch::{Switch, listed_only};

const COMPLETE: Sql = Sql::new("reading views", "SELECT view FROM views");
const INCOMPLETE: Sql = Sql::new(
    "reading views",
    "SELECT view, complete_from, since_epoch FROM views WHERE complete_from IS NOT NULL ORDER BY view COLLATE \"C\"",
);
const OFF: Sql = Sql::new("deleting from views", "DELETE FROM views WHERE view = ANY($1)");
const ALREADY: Sql = Sql::new(
    "inserting into views",
    "INSERT INTO views (view, complete_from, since_epoch)
     SELECT v, (SELECT max(complete_from) FROM views), $2 FROM unnest($1::text[]) v ON CONFLICT (view) DO NOTHING",
);
const FILLED: Sql = Sql::new(
    "writing views",
    "INSERT INTO views (view, complete_from, since_epoch) VALUES ($1, $2, $3)
     ON CONFLICT (view) DO UPDATE SET complete_from = excluded.complete_from, since_epoch = excluded.since_epoch",
);
/// What left with a view is in no row of `removals`: feeds start over.
const FORGET: Sql =
    Sql::new("writing job", "UPDATE job SET removals_after = greatest(removals_after, $1) WHERE removals_after < $1");
/// Without its rows nothing of a view is inconsistent.
const NOT_ODD: Sql = Sql::new("deleting from inconsistent", "DELETE FROM inconsistent WHERE view = ANY($1)");
const TO_LISTED_ONLY: &str = "
    DELETE FROM sales_per_product WHERE listed_orders IS NULL;
    UPDATE sales_per_product SET total_sales = listed_sales, orders = listed_orders, units = listed_units
    WHERE (total_sales, orders, units) IS DISTINCT FROM (listed_sales, listed_orders, listed_units)";

/// The views whose rows are complete.
pub(super) fn complete(session: &mut Session) -> Result<Vec<View>, StoreError> {
    let mut names = Vec::new();
    session.each(&COMPLETE, &[], |row| {
        names.push(row.try_get::<_, String>(0)?);
        Ok(())
    })?;
    Ok(views_of(&names))
}

/// The views that are complete only from some day on.
pub(super) fn incomplete(session: &mut Session) -> Result<Vec<IncompleteView>, StoreError> {
    let mut found = Vec::new();
    session.each(&INCOMPLETE, &[], |row| {
        let (name, complete_from) = (row.try_get::<_, String>(0)?, Day::from_date(row.try_get(1)?));
        let since_epoch = row.try_get::<_, i64>(2)? as u64;
        found.extend(name.parse().map(|view| IncompleteView { view, complete_from, since_epoch }));
        Ok(())
    })?;
    Ok(found)
}

/// Brings the tables to what a run with other views starts from. Whether rows went that no epoch tells of.
pub(super) fn switch(session: &mut Session, epoch: i64, switch: &Switch) -> Result<bool, StoreError> {
    let names = |views: &[View]| views.iter().map(|view| view.name()).collect::<Vec<_>>();
    // Before the views go whose rows these are, and with them from when on they are complete.
    if !switch.already.is_empty() {
        session.execute(&ALREADY, &[&names(&switch.already), &epoch])?;
    }
    let mut is_changed = session.execute(&OFF, &[&names(&switch.off)])? > 0;
    if !switch.to_fill.is_empty() {
        is_changed |= session.execute(&OFF, &[&names(&switch.to_fill)])? > 0;
    }
    for table in &switch.to_empty {
        let empty = Sql { doing: format!("emptying {table}").into(), text: format!("DELETE FROM {table}").into() };
        is_changed |= session.execute(&empty, &[])? > 0;
    }
    session.execute(&NOT_ODD, &[&switch.to_empty])?;
    if switch.to_listed_only {
        session.batch("cutting sales_per_product down", TO_LISTED_ONLY)?;
        let (totals, still) = listed_only(&proofs::read_inconsistent(session)?);
        let cured: Vec<_> = totals.iter().map(|change| change.key).collect();
        rows::write(session, epoch, &totals)?;
        proofs::write_inconsistent(session, epoch, &still, &cured)?;
        is_changed = true;
    }
    if is_changed {
        session.execute(&FORGET, &[&epoch])?;
    }
    Ok(is_changed)
}

/// Notes the views that this commit fills.
pub(super) fn write_filled(session: &mut Session, epoch: i64, filled: &[FilledView]) -> Result<(), StoreError> {
    for FilledView { view, complete_from } in filled {
        session.execute(&FILLED, &[&view.name(), &complete_from.map(|day| day.date()), &epoch])?;
    }
    Ok(())
}
