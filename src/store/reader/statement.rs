//! The SQL of the read side, made from the descriptions in [`super::table`].
//!
//! Everything a client sends is a parameter, never part of the text; names come from the
//! descriptions. All statements of an answer are run at one snapshot.

use super::derived;
use super::table::{BYTES_SHOWN, Column, Kind, Table};
use super::value::Value;
use crate::store::schema::HISTORY;

/// Whose SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// PostgreSQL.
    Postgres,
    /// SQLite.
    Sqlite,
}

/// A statement with its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The text. There are few different ones, so that prepared statements can be kept.
    pub sql: String,
    /// Its parameters.
    pub parameters: Vec<Value>,
    /// What each column of the result holds.
    pub kinds: Vec<Kind>,
    /// Whether the rows are (product, currency, amount, orders, units), to be summed by the first two as they come:
    /// where a store has no exact sum.
    pub is_to_be_summed: bool,
}

impl Statement {
    pub(super) fn new(sql: String, parameters: Vec<Value>, kinds: Vec<Kind>) -> Self {
        Statement { sql, parameters, kinds, is_to_be_summed: false }
    }
}

/// How columns are compared with values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Equal.
    Equal,
    /// At least.
    AtLeast,
    /// At most.
    AtMost,
    /// Greater.
    Greater,
    /// Less.
    Less,
    /// One column is among the texts of the one value, a JSON array: one statement however many there are.
    AnyOf,
    /// One of two columns equals the one value.
    EitherEqual,
    /// One of two columns is at least the first value, and at most the second.
    EitherWithin,
    /// One column holds the one value somewhere. Only the letters a to z are the same in either case: what else is,
    /// each store and each of its locales says in its own way.
    Contains,
}

impl Comparison {
    fn sql(self, dialect: Dialect, columns: &[String], values: &[String]) -> String {
        let (left, right) = (&columns.join(", "), &values.join(", "));
        let operator = match (self, dialect) {
            (Comparison::Equal, _) => "=",
            (Comparison::AtLeast, _) => ">=",
            (Comparison::AtMost, _) => "<=",
            (Comparison::Greater, _) => ">",
            (Comparison::Less, _) => "<",
            (Comparison::AnyOf, Dialect::Postgres) => {
                return format!("{left} = ANY (ARRAY(SELECT jsonb_array_elements_text({right}::jsonb)))");
            }
            (Comparison::AnyOf, Dialect::Sqlite) => {
                return format!("{left} IN (SELECT value FROM json_each({right}))");
            }
            (Comparison::EitherEqual, _) => {
                let each: Vec<String> = columns.iter().map(|column| format!("{column} = {right}")).collect();
                return format!("({})", each.join(" OR "));
            }
            (Comparison::EitherWithin, _) => {
                let each: Vec<String> =
                    columns.iter().map(|column| format!("{column} BETWEEN {}", values.join(" AND "))).collect();
                return format!("({})", each.join(" OR "));
            }
            (Comparison::Contains, Dialect::Postgres) => {
                return format!("position(lower({right} COLLATE \"C\") IN lower({left} COLLATE \"C\")) > 0");
            }
            (Comparison::Contains, Dialect::Sqlite) => return format!("instr(lower({left}), lower({right})) > 0"),
        };
        format!("({left}) {operator} ({right})")
    }
}

/// A condition on a table's rows; several columns compare as a row does, the first one first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The columns.
    pub columns: &'static [&'static str],
    /// How they are compared.
    pub comparison: Comparison,
    /// With what: one value a column (but where the comparison says otherwise), each fitting its column's kind.
    pub values: Vec<Value>,
}

/// The statements of one kind of store.
#[derive(Clone, Copy, Debug)]
pub struct Statements(pub Dialect);

impl Statements {
    /// One row: epoch, committed_at, its age in milliseconds, the kept views as a JSON array, the epoch
    /// after which every removal is still known, the newest timestamp of any record (one by a clock that is ahead
    /// counts as of the commit), the epoch in which a view was last switched on, whether orders are kept (1), the shop's
    /// time zone, the complete views as a JSON array, and the newest run.
    pub fn head(self) -> Statement {
        let (age, views, complete, orders_kept) = match self.0 {
            Dialect::Postgres => (
                "(extract(epoch FROM clock_timestamp() - t.committed_at) * 1000)::int8",
                "array_to_json(t.views)::text",
                "json_agg(v.view)::text",
                "t.keep_orders::int::int8",
            ),
            Dialect::Sqlite => (
                "CAST(round((julianday('now') - julianday(t.committed_at)) * 86400000) AS INTEGER)",
                "t.views",
                "json_group_array(v.view)",
                "t.keep_orders",
            ),
        };
        let committed_at = self.expression("committed_at", Kind::Timestamp);
        let newest = self.moment(match self.0 {
            // `least` passes over nulls.
            Dialect::Postgres => {
                "least(max(s.newest_timestamp), CASE WHEN max(s.newest_timestamp) IS NOT NULL THEN t.committed_at END)"
            }
            Dialect::Sqlite => "min(max(s.newest_timestamp), coalesce(t.committed_at, max(s.newest_timestamp)))",
        });
        Statement::new(
            format!(
                "SELECT t.epoch, {committed_at}, {age}, {views}, t.removals_after, \
                 (SELECT {newest} FROM sources s), (SELECT max(v.since_epoch) FROM views v), {orders_kept}, t.time_zone, \
                 (SELECT {complete} FROM views v), (SELECT r.run FROM runs r ORDER BY r.number DESC LIMIT 1) FROM job t"
            ),
            Vec::new(),
            vec![
                Kind::Integer,
                Kind::Timestamp,
                Kind::Integer,
                Kind::Text,
                Kind::Integer,
                Kind::Timestamp,
                Kind::Integer,
                Kind::Integer,
                Kind::Text,
                Kind::Text,
                Kind::Text,
            ],
        )
    }

    /// One row: whether this run is known (1), the epoch at which the next one began, and whether any later one took rows
    /// away that no epoch tells of (1).
    pub fn runs_after(self, run: &str) -> Statement {
        let (known, switched) = match self.0 {
            Dialect::Postgres => ("count(*)::int8", "coalesce(max(r.switched::int), 0)::int8"),
            Dialect::Sqlite => ("count(*)", "coalesce(max(r.switched), 0)"),
        };
        let run_is = self.parameter(1, Kind::Text);
        Statement::new(
            format!(
                "SELECT (SELECT {known} FROM runs k WHERE k.run = {run_is}), min(r.epoch), {switched} FROM runs r \
                 WHERE r.number > (SELECT k.number FROM runs k WHERE k.run = {run_is})"
            ),
            vec![Value::Text(run.to_owned())],
            vec![Kind::Integer, Kind::Integer, Kind::Integer],
        )
    }

    /// Every kept view: view, complete_from, since_epoch.
    pub fn views(self) -> Statement {
        let kinds = vec![Kind::Text, Kind::Date, Kind::Integer];
        let names = ["view", "complete_from", "since_epoch"];
        let columns: Vec<String> = names.iter().zip(&kinds).map(|(name, &kind)| self.expression(name, kind)).collect();
        Statement::new(format!("SELECT {} FROM views t", columns.join(", ")), Vec::new(), kinds)
    }

    /// A page of a table: at most `limit` rows, in the order of the table or against it.
    pub fn page(self, table: &Table, conditions: &[Condition], descending: bool, limit: u32) -> Statement {
        let direction = if descending { " DESC" } else { "" };
        let order: Vec<String> = table.order.iter().map(|name| format!("t.\"{name}\"{direction}")).collect();
        let columns: Vec<&Column> = table.columns().collect();
        let mut statement = self.select(table, &columns, conditions, &format!(" ORDER BY {}", order.join(", ")));
        self.limit(&mut statement, limit);
        statement
    }

    /// Rows of (currency, total_sales, orders, units, first day, last day) that add up to the totals
    /// of each currency. PostgreSQL adds itself; SQLite has no exact sum, so there each row comes.
    pub fn sums(self, table: &Table, conditions: &[Condition]) -> Statement {
        let kinds = vec![Kind::Text, Kind::Decimal, Kind::Integer, Kind::Integer, Kind::Date, Kind::Date];
        let (columns, group) = match self.0 {
            Dialect::Postgres => (
                "t.currency, sum(t.total_sales)::text, sum(t.orders)::int8, sum(t.units)::int8, \
                 to_char(min(t.order_date), 'YYYY-MM-DD'), to_char(max(t.order_date), 'YYYY-MM-DD')",
                " GROUP BY t.currency",
            ),
            Dialect::Sqlite => ("t.currency, t.total_sales, t.orders, t.units, t.order_date, t.order_date", ""),
        };
        let mut parameters = Vec::new();
        let clause = self.clause(table, conditions, &mut parameters);
        Statement::new(format!("SELECT {columns} FROM {} t{clause}{group}", table.name), parameters, kinds)
    }

    /// One row: the sums of the counters named, over all partitions.
    pub fn counters(self, names: &[&str]) -> Statement {
        let sums: Vec<String> = names
            .iter()
            .map(|name| match self.0 {
                Dialect::Postgres => format!("sum(t.\"{name}\")::int8"),
                Dialect::Sqlite => format!("sum(t.\"{name}\")"),
            })
            .collect();
        Statement::new(
            format!("SELECT {} FROM sources t", sums.join(", ")),
            Vec::new(),
            vec![Kind::Integer; names.len()],
        )
    }

    /// Every partition: topic, partition, offset, newest_timestamp, then the counters named.
    pub fn partitions(self, counters: &[&str]) -> Statement {
        let mut kinds = vec![Kind::Text, Kind::Integer, Kind::Integer, Kind::Timestamp];
        kinds.resize(4 + counters.len(), Kind::Integer);
        let names = ["topic", "partition", "offset", "newest_timestamp"];
        let columns: Vec<String> =
            names.iter().chain(counters).zip(&kinds).map(|(name, &kind)| self.expression(name, kind)).collect();
        Statement::new(
            format!("SELECT {} FROM sources t ORDER BY t.topic, t.partition", columns.join(", ")),
            Vec::new(),
            kinds,
        )
    }

    /// One row: closed days, those proven, those that differ, those not provable, rows that are inconsistent now; when
    /// the first and the last of the proven days were proven.
    pub fn proofs(self) -> Statement {
        let count = |expression: &str| match self.0 {
            Dialect::Postgres => format!("{expression}::int8"),
            Dialect::Sqlite => expression.to_owned(),
        };
        let days = |state: &str| count(&format!("sum(CASE WHEN t.state = '{state}' THEN 1 ELSE 0 END)"));
        let proven = "CASE WHEN t.state IN ('proven', 'changed') THEN t.proven_at END";
        let open = count("(SELECT count(*) FROM inconsistent i WHERE i.cured_epoch IS NULL)");
        let columns = [
            count("count(*)"),
            days("proven"),
            days("differs"),
            days("not_provable"),
            open,
            self.moment(&format!("min({proven})")),
            self.moment(&format!("max({proven})")),
        ];
        let mut kinds = vec![Kind::Integer; 5];
        kinds.resize(7, Kind::Timestamp);
        Statement::new(format!("SELECT {} FROM day_proofs t", columns.join(", ")), Vec::new(), kinds)
    }

    /// The version of the schema, as its migrations left it.
    pub fn schema_version(self) -> Statement {
        let version = self.expression("version", Kind::Integer);
        Statement::new(
            format!("SELECT {version} FROM {HISTORY} t ORDER BY t.version DESC LIMIT 1"),
            Vec::new(),
            vec![Kind::Integer],
        )
    }

    /// A parameter as well: texts with each limit would fill the cache of prepared statements.
    pub(super) fn limit(self, statement: &mut Statement, limit: u32) {
        statement.parameters.push(Value::Integer(limit.into()));
        let parameter = self.parameter(statement.parameters.len(), Kind::Integer);
        statement.sql.push_str(&format!(" LIMIT {parameter}"));
    }

    pub(super) fn select(self, table: &Table, columns: &[&Column], conditions: &[Condition], end: &str) -> Statement {
        let mut parameters = Vec::new();
        let clause = self.clause(table, conditions, &mut parameters);
        let from = format!("{} t{clause}{end}", derived::source(self.0, table));
        self.selected(columns, &from, parameters)
    }

    /// These columns of what is named `t` after `FROM`.
    pub(super) fn selected(self, columns: &[&Column], from: &str, parameters: Vec<Value>) -> Statement {
        let expressions: Vec<String> = columns.iter().map(|column| self.expression(column.name, column.kind)).collect();
        let kinds = columns.iter().map(|column| column.kind).collect();
        Statement::new(format!("SELECT {} FROM {from}", expressions.join(", ")), parameters, kinds)
    }

    pub(super) fn clause(self, table: &Table, conditions: &[Condition], parameters: &mut Vec<Value>) -> String {
        let mut clause = String::new();
        for condition in conditions {
            clause.push_str(if clause.is_empty() { " WHERE " } else { " AND " });
            let left: Vec<String> = condition.columns.iter().map(|name| format!("t.\"{name}\"")).collect();
            let mut right = Vec::with_capacity(condition.values.len());
            for (name, value) in condition.columns.iter().zip(&condition.values) {
                parameters.push(value.clone());
                let kind = table.column(name).map_or(Kind::Text, |(_, column)| column.kind);
                right.push(self.parameter(parameters.len(), kind));
            }
            clause.push_str(&condition.comparison.sql(self.0, &left, &right));
            if let Some(narrowed) = derived::narrowed(self.0, table, condition) {
                clause.push_str(" AND ");
                clause.push_str(narrowed);
            }
        }
        clause
    }

    /// Dates go to PostgreSQL as text and are read there, so that every parameter is text or a number.
    pub(super) fn parameter(self, number: usize, kind: Kind) -> String {
        match (self.0, kind) {
            (Dialect::Sqlite, _) => format!("?{number}"),
            (Dialect::Postgres, Kind::Date) => format!("${number}::text::date"),
            (Dialect::Postgres, Kind::Timestamp) => format!("${number}::text::timestamptz"),
            (Dialect::Postgres, Kind::Integer) => format!("${number}::int8"),
            (Dialect::Postgres, Kind::Text | Kind::Decimal | Kind::Bytes) => format!("${number}::text"),
        }
    }

    /// A moment as text.
    fn moment(self, expression: &str) -> String {
        match self.0 {
            Dialect::Postgres => {
                format!("to_char({expression} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')")
            }
            Dialect::Sqlite => expression.to_owned(),
        }
    }

    /// A column as the text or number that [`Value`] holds. One byte more than is shown tells that
    /// there were more.
    pub(super) fn expression(self, name: &str, kind: Kind) -> String {
        match (self.0, kind) {
            (Dialect::Postgres, Kind::Date) => format!("to_char(t.\"{name}\", 'YYYY-MM-DD')"),
            (Dialect::Postgres, Kind::Integer) => format!("t.\"{name}\"::int8"),
            (Dialect::Postgres, Kind::Decimal) => format!("t.\"{name}\"::text"),
            (Dialect::Postgres, Kind::Timestamp) => self.moment(&format!("t.\"{name}\"")),
            (Dialect::Postgres, Kind::Bytes) => format!("substring(t.\"{name}\" FROM 1 FOR {})", BYTES_SHOWN + 1),
            (Dialect::Sqlite, Kind::Bytes) => format!("substr(t.\"{name}\", 1, {})", BYTES_SHOWN + 1),
            (Dialect::Postgres, Kind::Text) | (Dialect::Sqlite, _) => format!("t.\"{name}\""),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::reader::views::view;

    fn month_page() -> (Statement, Statement) {
        let table = view("sales_per_month").expect("a view");
        let conditions = [
            Condition {
                columns: &["year", "month"],
                comparison: Comparison::AtLeast,
                values: vec![Value::Integer(2026), Value::Integer(11)],
            },
            Condition {
                columns: &["currency"],
                comparison: Comparison::Equal,
                values: vec![Value::Text("EUR".into())],
            },
        ];
        let page = |dialect| Statements(dialect).page(table, &conditions, true, 11);
        (page(Dialect::Postgres), page(Dialect::Sqlite))
    }

    #[test]
    fn a_page_is_one_statement_whose_values_are_parameters() {
        let (postgres, sqlite) = month_page();
        assert_eq!(
            postgres.sql,
            "SELECT t.\"year\"::int8, t.\"month\"::int8, t.\"currency\", t.\"total_sales\"::text, \
             t.\"orders\"::int8, t.\"units\"::int8, t.\"epoch\"::int8 FROM sales_per_month t \
             WHERE (t.\"year\", t.\"month\") >= ($1::int8, $2::int8) AND (t.\"currency\") = ($3::text) \
             ORDER BY t.\"year\" DESC, t.\"month\" DESC, t.\"currency\" DESC LIMIT $4::int8"
        );
        assert!(sqlite.sql.contains("WHERE (t.\"year\", t.\"month\") >= (?1, ?2) AND (t.\"currency\") = (?3)"));
        assert_eq!(postgres.parameters, sqlite.parameters);
        assert_eq!(postgres.kinds.len(), 7);
    }
}
