//! A store as the last release would have left it: its tables under that release's schema, with all rows, and
//! without what later migrations added, nor a word of the views that it did not know. The next start then brings live
//! data up to date, and fills those that it is asked for.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::support::postgres::PostgresServer;

/// The schema version of the last release.
const RELEASED: u32 = 2;

/// Takes out what it would not have known: `sales_facts`. The job's list of views is of either store's own kind.
fn forget_later_views(without_it: &str) -> String {
    format!(
        "DELETE FROM views WHERE view = 'sales_facts';
         DELETE FROM removals WHERE view = 'sales_facts';
         UPDATE job SET views = {without_it};"
    )
}

/// Copies a database into one of the released schema; its name.
pub fn postgres(server: &PostgresServer, from: &str) -> String {
    let to = server.fresh_database();
    let (mut old, mut new) = (server.client(from), server.client(&to));
    for migration in migrations("postgres") {
        new.batch_execute(&migration.sql).expect("a migration");
    }
    new.batch_execute(&history("postgres")).expect("the history");
    const COLUMNS: &str = "SELECT table_name::text, string_agg(quote_ident(column_name), ',' ORDER BY column_name)
        FROM information_schema.columns WHERE table_schema = 'public' AND table_name != 'takings_schema_history'
        GROUP BY table_name";
    let of_old: Vec<(String, String)> =
        old.query(COLUMNS, &[]).expect("tables").iter().map(|row| (row.get(0), row.get(1))).collect();
    let tables: Vec<(String, String)> =
        new.query(COLUMNS, &[]).expect("tables").iter().map(|row| (row.get(0), row.get(1))).collect();
    // Emptied first, all of them: a trigger of one writes to another.
    for (table, _) in &tables {
        new.batch_execute(&format!("DELETE FROM {table}")).expect("emptied");
    }
    for (table, columns) in &tables {
        let Some((_, known)) = of_old.iter().find(|(name, _)| name == table) else { continue };
        let known: Vec<&str> = known.split(',').collect();
        let both: Vec<&str> = columns.split(',').filter(|column| known.contains(column)).collect();
        let both = both.join(",");
        let mut rows = Vec::new();
        let mut out = old.copy_out(&format!("COPY {table} ({both}) TO STDOUT BINARY")).expect("copied out");
        out.read_to_end(&mut rows).expect("read");
        drop(out);
        let mut into = new.copy_in(&format!("COPY {table} ({both}) FROM STDIN BINARY")).expect("copied in");
        into.write_all(&rows).expect("written");
        into.finish().expect("copied");
    }
    new.batch_execute(&forget_later_views("array_remove(views, 'sales_facts')")).expect("forgotten");
    to
}

/// Copies a database file into a new one of the released schema.
pub fn sqlite(from: &Path, to: &Path) {
    let new = Connection::open(to).expect("a new file");
    new.execute_batch("PRAGMA journal_mode = WAL").expect("a journal");
    for migration in migrations("sqlite") {
        new.execute_batch(&migration.sql).expect("a migration");
    }
    new.execute_batch(&history("sqlite")).expect("the history");
    new.execute("ATTACH DATABASE ?1 AS old", [from.to_str().expect("UTF-8")]).expect("attached");
    let list = |sql: &str| -> Vec<String> {
        let mut statement = new.prepare(sql).expect("a statement");
        let rows = statement.query_map([], |row| row.get(0)).expect("rows");
        rows.collect::<Result<_, _>>().expect("text")
    };
    let tables = list("SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name != 'takings_schema_history'");
    for table in &tables {
        new.execute_batch(&format!("DELETE FROM main.{table}")).expect("emptied");
    }
    for table in &tables {
        let columns = |schema: &str| list(&format!("SELECT name FROM pragma_table_info('{table}', '{schema}')"));
        let known = columns("old");
        let both: Vec<String> =
            columns("main").iter().filter(|name| known.contains(name)).map(|name| format!("\"{name}\"")).collect();
        let both = both.join(", ");
        new.execute_batch(&format!("INSERT INTO main.{table} ({both}) SELECT {both} FROM old.{table}"))
            .expect("copied");
    }
    let without_it = "(SELECT json_group_array(value) FROM json_each(job.views) WHERE value != 'sales_facts')";
    new.execute_batch(&forget_later_views(without_it)).expect("forgotten");
}

struct Migration {
    version: u32,
    name: String,
    sql: String,
}

/// The migrations up to the released schema, in their order.
fn migrations(kind: &str) -> Vec<Migration> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("sql/{kind}/migrations"));
    let mut migrations: Vec<Migration> = std::fs::read_dir(folder)
        .expect("migrations")
        .map(|entry| {
            let path = entry.expect("a file").path();
            let name = path.file_stem().and_then(|name| name.to_str()).expect("a name").to_owned();
            let version = name.strip_prefix('V').and_then(|rest| rest.split_once("__")).expect("a version").0;
            Migration {
                version: version.parse().expect("a version"),
                sql: std::fs::read_to_string(&path).expect("SQL"),
                name,
            }
        })
        .filter(|migration| migration.version <= RELEASED)
        .collect();
    migrations.sort_by_key(|migration| migration.version);
    assert_eq!(migrations.len() as u32, RELEASED, "a released migration is missing");
    migrations
}

/// What refinery would have noted of them.
fn history(kind: &str) -> String {
    let mut sql = "CREATE TABLE takings_schema_history (version INT4 PRIMARY KEY, name VARCHAR(255),
        applied_on VARCHAR(255), checksum VARCHAR(255));"
        .to_owned();
    for Migration { version, name, sql: text } in migrations(kind) {
        let checksum = refinery::Migration::unapplied(&name, &text).expect("a migration").checksum();
        let name = name.split_once("__").expect("a name").1;
        sql += &format!(
            "INSERT INTO takings_schema_history VALUES ({version}, '{name}', '2026-11-23T00:00:00Z', '{checksum}');"
        );
    }
    sql
}
