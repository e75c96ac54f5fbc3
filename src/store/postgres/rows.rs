//! The views' tables: their rows in and out, one statement a table and kind of change.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;
use takings_dataflows::day::Day;
use takings_dataflows::minute::Minute;
use takings_dataflows::row::{RowChange, RowValue};
use takings_dataflows::view::{View, ViewKey};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::ROWS_A_STATEMENT;
use super::connection::Params;
use super::numeric::Numeric;
use super::session::{Session, Sql};
use crate::store::StoreError;
use crate::store::columns::{
    self, Cell, CellType, day_of, key_cells, key_columns, key_json, key_of, name_of, value_cells, value_columns,
    value_of,
};
use crate::store::text::escaped;

/// The statements of one view.
struct Statements {
    insert: Sql,
    update: Sql,
    delete: Sql,
    read: Sql,
}

static STATEMENTS: LazyLock<HashMap<View, Statements>> =
    LazyLock::new(|| View::TABLES.into_iter().map(|view| (view, Statements::of(view))).collect());

const DAYS: Sql = Sql::new(
    "updating changed_days",
    "INSERT INTO changed_days (order_date, epoch) SELECT d, $2 FROM unnest($1::date[]) d
     ON CONFLICT (order_date) DO UPDATE SET epoch = excluded.epoch",
);
const REMOVALS: Sql = Sql::new(
    "inserting into removals",
    "INSERT INTO removals (view, key, epoch) SELECT $1, k, $3 FROM unnest($2::jsonb[]) k",
);

const fn sql_type(cells: CellType) -> &'static str {
    match cells {
        CellType::Day => "date",
        CellType::Name | CellType::Period => "text",
        CellType::Number => "integer",
        CellType::Minute => "timestamptz",
        CellType::Decimal => "numeric",
        CellType::Count => "bigint",
    }
}

impl Statements {
    fn of(view: View) -> Statements {
        let table = view.name();
        let (keys, values) = (key_columns(view), value_columns(view));
        let names = |columns: &[columns::Column]| columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let arrays = |columns: &[columns::Column]| {
            let array = |(at, (_, cells)): (usize, &columns::Column)| format!("${}::{}[]", at + 1, sql_type(*cells));
            columns.iter().enumerate().map(array).collect::<Vec<_>>().join(", ")
        };
        let all = [keys, values].concat();
        let (key_names, value_names, all_names) = (names(keys), names(values), names(&all));
        let rows = format!("unnest({}) AS c ({all_names})", arrays(&all));
        let epoch = format!("${}::bigint", all.len() + 1);
        let same = keys.iter().map(|(name, _)| format!("t.{name} = c.{name}")).collect::<Vec<_>>().join(" AND ");
        let set = values.iter().map(|(name, _)| format!("{name} = c.{name}")).collect::<Vec<_>>().join(", ");
        let sql = |doing: &str, text: String| Sql { doing: format!("{doing} {table}").into(), text: text.into() };
        Statements {
            insert: sql(
                "inserting into",
                format!("INSERT INTO {table} ({all_names}, epoch) SELECT {all_names}, {epoch} FROM {rows}"),
            ),
            update: sql("updating", format!("UPDATE {table} t SET {set}, epoch = {epoch} FROM {rows} WHERE {same}")),
            delete: sql(
                "deleting from",
                format!("DELETE FROM {table} t USING unnest({}) AS c ({key_names}) WHERE {same}", arrays(keys)),
            ),
            read: sql("reading", format!("SELECT {key_names}, {value_names} FROM {table}")),
        }
    }
}

/// One column of many rows.
enum Array {
    Days(Vec<Option<NaiveDate>>),
    Texts(Vec<Option<Cow<'static, str>>>),
    Numbers(Vec<Option<i32>>),
    Moments(Vec<Option<DateTime<Utc>>>),
    Decimals(Vec<Option<Numeric>>),
    Counts(Vec<Option<i64>>),
}

impl Array {
    const fn of(cells: CellType) -> Array {
        match cells {
            CellType::Day => Array::Days(Vec::new()),
            CellType::Name | CellType::Period => Array::Texts(Vec::new()),
            CellType::Number => Array::Numbers(Vec::new()),
            CellType::Minute => Array::Moments(Vec::new()),
            CellType::Decimal => Array::Decimals(Vec::new()),
            CellType::Count => Array::Counts(Vec::new()),
        }
    }

    fn push(&mut self, cell: Cell) {
        match (self, cell) {
            (Array::Days(days), Cell::Day(day)) => days.push(Some(day.date())),
            (Array::Texts(texts), Cell::Name(name)) => texts.push(Some(escaped(name.text()))),
            (Array::Texts(texts), Cell::Period(period)) => texts.push(Some(period.to_string().into())),
            (Array::Numbers(numbers), Cell::Number(number)) => numbers.push(Some(number)),
            (Array::Moments(moments), Cell::Minute(minute)) => moments.push(Some(minute.moment())),
            (Array::Decimals(decimals), Cell::Decimal(amount)) => decimals.push(Some(Numeric(amount))),
            (Array::Counts(counts), Cell::Count(count)) => counts.push(Some(count)),
            (Array::Texts(texts), Cell::Null) => texts.push(None),
            (Array::Decimals(decimals), Cell::Null) => decimals.push(None),
            (Array::Counts(counts), Cell::Null) => counts.push(None),
            _ => unreachable!("cells follow their columns"),
        }
    }

    fn param(&self) -> &(dyn ToSql + Sync) {
        match self {
            Array::Days(days) => days,
            Array::Texts(texts) => texts,
            Array::Numbers(numbers) => numbers,
            Array::Moments(moments) => moments,
            Array::Decimals(decimals) => decimals,
            Array::Counts(counts) => counts,
        }
    }
}

/// Rows turned into columns.
struct Arrays(Vec<Array>);

impl Arrays {
    fn of(columns: &[&[columns::Column]]) -> Self {
        Arrays(columns.iter().flat_map(|columns| columns.iter()).map(|(_, cells)| Array::of(*cells)).collect())
    }

    fn push(&mut self, cells: impl Iterator<Item = Cell>) {
        self.0.iter_mut().zip(cells).for_each(|(array, cell)| array.push(cell));
    }

    fn params(&self) -> Vec<&(dyn ToSql + Sync)> {
        self.0.iter().map(Array::param).collect()
    }
}

/// Writes the changed rows of an epoch.
pub(super) fn write(session: &mut Session, epoch: i64, rows: &[RowChange]) -> Result<(), StoreError> {
    // By view, then by day: neighbours on the page one after the other. A fifth of the server's time.
    let mut sorted: Vec<&RowChange> = rows.iter().collect();
    sorted.sort_unstable_by_key(|change| change.key);
    for changes in sorted.chunk_by(|one, next| one.key.view() == next.key.view()) {
        let view = changes[0].key.view();
        let statements = &STATEMENTS[&view];
        let mut new: Vec<(&ViewKey, &RowValue)> = Vec::new();
        let mut changed: Vec<(&ViewKey, &RowValue)> = Vec::new();
        let mut gone: Vec<&ViewKey> = Vec::new();
        for change in changes {
            match (&change.old, &change.new) {
                (None, Some(row)) => new.push((&change.key, row)),
                (Some(_), Some(row)) => changed.push((&change.key, row)),
                (Some(_), None) => gone.push(&change.key),
                (None, None) => {}
            }
        }
        for keys in gone.chunks(ROWS_A_STATEMENT) {
            remove(session, view, epoch, keys, &statements.delete)?;
        }
        for (sql, rows) in [(&statements.update, &changed), (&statements.insert, &new)] {
            for rows in rows.chunks(ROWS_A_STATEMENT) {
                put(session, view, epoch, rows, sql)?;
            }
        }
    }
    let days: BTreeSet<Day> = rows.iter().filter_map(|change| day_of(&change.key)).collect();
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
    rows: &[(&ViewKey, &RowValue)],
    sql: &Sql,
) -> Result<(), StoreError> {
    let mut arrays = Arrays::of(&[key_columns(view), value_columns(view)]);
    rows.iter().for_each(|(key, value)| arrays.push(key_cells(key).chain(value_cells(value))));
    let mut params = arrays.params();
    params.push(&epoch);
    let touched = session.execute(sql, &params)?;
    all_there(sql, touched, rows.len())
}

fn remove(session: &mut Session, view: View, epoch: i64, keys: &[&ViewKey], sql: &Sql) -> Result<(), StoreError> {
    let mut arrays = Arrays::of(&[key_columns(view)]);
    keys.iter().for_each(|key| arrays.push(key_cells(key)));
    let touched = session.execute(sql, &arrays.params())?;
    all_there(sql, touched, keys.len())?;
    if !view.is_shown() {
        return Ok(());
    }
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
pub(super) fn read(session: &mut Session, view: View) -> Result<Vec<(ViewKey, RowValue)>, StoreError> {
    read_by(session, view, &STATEMENTS[&view].read, &[])
}

/// The rows of some days, of a view that goes by days; of best sellers those of the days themselves.
pub(super) fn read_of_days(
    session: &mut Session,
    view: View,
    days: &[Day],
) -> Result<Vec<(ViewKey, RowValue)>, StoreError> {
    let Sql { doing, text } = &STATEMENTS[&view].read;
    let sql = |condition: &str| Sql { doing: doing.clone(), text: format!("{text} WHERE {condition}").into() };
    if view == View::Top {
        let periods: Vec<String> = days.iter().map(Day::to_string).collect();
        return read_by(session, view, &sql("period = ANY($1::text[])"), &[&periods]);
    }
    let dates: Vec<NaiveDate> = days.iter().map(|day| day.date()).collect();
    read_by(session, view, &sql("order_date = ANY($1::date[])"), &[&dates])
}

fn read_by(
    session: &mut Session,
    view: View,
    sql: &Sql,
    params: Params<'_>,
) -> Result<Vec<(ViewKey, RowValue)>, StoreError> {
    let (keys, values) = (key_columns(view), value_columns(view));
    let columns = [keys, values].concat();
    let (mut rows, mut odd) = (Vec::new(), 0);
    let mut cells = Vec::with_capacity(columns.len());
    session.each(sql, params, |row| {
        cells.clear();
        for (at, (_, kind)) in columns.iter().enumerate() {
            cells.push(cell(row, at, *kind)?);
        }
        let (key, value) = cells.split_at(keys.len());
        match key_of(view, key).zip(value_of(view, value)) {
            Some(row) => rows.push(row),
            None => odd += 1,
        }
        Ok(())
    })?;
    if odd > 0 {
        return Err(StoreError::Corrupt(format!("{view} holds {odd} rows that are none of its")));
    }
    Ok(rows)
}

fn cell(row: &Row, at: usize, kind: CellType) -> Result<Cell, tokio_postgres::Error> {
    let cell = match kind {
        CellType::Day => row.try_get::<_, Option<NaiveDate>>(at)?.map(|day| Cell::Day(Day::from_date(day))),
        CellType::Name => row.try_get::<_, Option<&str>>(at)?.map(|name| Cell::Name(name_of(name))),
        // A text that is no period leaves a row that is none of its view's.
        CellType::Period => row.try_get::<_, Option<&str>>(at)?.and_then(|text| text.parse().ok()).map(Cell::Period),
        CellType::Number => row.try_get::<_, Option<i32>>(at)?.map(Cell::Number),
        CellType::Minute => row
            .try_get::<_, Option<DateTime<Utc>>>(at)?
            .map(|moment| Cell::Minute(Minute::of_millis(moment.timestamp_millis()))),
        CellType::Decimal => row.try_get::<_, Option<Numeric>>(at)?.map(|Numeric(amount)| Cell::Decimal(amount)),
        CellType::Count => row.try_get::<_, Option<i64>>(at)?.map(Cell::Count),
    };
    Ok(cell.unwrap_or(Cell::Null))
}
