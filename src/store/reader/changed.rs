//! The SQL of what changed after an epoch, asked for many times a second.
//!
//! What it costs must follow from what changed, not from what there is. In PostgreSQL that takes some words: of a
//! prepared statement the planner does not know the epoch, and takes a third of all rows for new; of tables that were
//! just filled it has no statistics. Then it reads tables whole: measured with 15,000 best sellers and 10,000 products,
//! 14 ms instead of 4. So:
//! - a bound above beside the one below: of a range the planner expects a two-hundredth, and takes the index;
//! - a lateral join from the days that changed, which `OFFSET 0` keeps as it is: one look at the key's index for each.

use std::fmt::Write as _;

use super::derived;
use super::statement::{Comparison, Condition, Dialect, Statement, Statements};
use super::table::{Column, Kind, Table, Trace};
use super::value::Value;

/// No epoch is greater.
const LAST_EPOCH: i64 = i64::MAX;

impl Statements {
    /// The rows of a view that an epoch after `since` changed; at most `limit`. None for a view that is not
    /// streamed.
    pub fn changed(self, table: &Table, since: i64, limit: u32) -> Option<Statement> {
        let days = self.days_after(1);
        let among = match table.trace {
            Trace::ByDay => Some(Among { column: "order_date", of: format!("SELECT d.order_date {days}") }),
            Trace::ByPeriod => Some(Among { column: "period", of: self.periods(&days) }),
            Trace::ByEpoch => None,
            Trace::Untraced => return None,
        };
        let bounds = [(Comparison::Greater, since), (Comparison::AtMost, LAST_EPOCH)];
        let bounds = bounds.map(|(comparison, epoch)| Condition {
            columns: &["epoch"],
            comparison,
            values: vec![Value::Integer(epoch)],
        });
        Some(self.among(table, &bounds[..], among.as_ref(), Vec::new(), limit))
    }

    /// Every day that an epoch after `since` changed, the first one first.
    pub fn changed_days(self, since: i64) -> Statement {
        let (day, epoch) = (self.expression("order_date", Kind::Date), self.parameter(1, Kind::Integer));
        let sql = format!("SELECT {day} FROM changed_days t WHERE t.epoch > {epoch} ORDER BY t.order_date");
        Statement::new(sql, vec![Value::Integer(since)], vec![Kind::Date])
    }

    /// All rows of some products on those days; at most `limit`. By the table's key, whose first columns are the day
    /// and the product.
    pub fn of_changed_days(self, table: &Table, products: &[String], since: i64, limit: u32) -> Statement {
        let any = Condition {
            columns: &["product"],
            comparison: Comparison::AnyOf,
            values: vec![Value::Text(serde_json::Value::from(products).to_string())],
        };
        let days = Among { column: "order_date", of: format!("SELECT d.order_date {}", self.days_after(2)) };
        self.among(table, &[any], Some(&days), vec![Value::Integer(since)], limit)
    }

    /// The rows that left one of the views named after `since`: view, key as a JSON object; at most `limit`.
    pub fn removed(self, views: &[&str], since: i64, limit: u32) -> Statement {
        let key = match self.0 {
            Dialect::Postgres => "t.key::text",
            Dialect::Sqlite => "t.key",
        };
        let (epoch, views) = (self.parameter(1, Kind::Integer), views.join("', '"));
        let sql = format!("SELECT t.view, {key} FROM removals t WHERE t.epoch > {epoch} AND t.view IN ('{views}')");
        let mut statement = Statement::new(sql, vec![Value::Integer(since)], vec![Kind::Text, Kind::Text]);
        self.limit(&mut statement, limit);
        statement
    }

    /// `FROM` the days that changed after the epoch in a parameter.
    fn days_after(self, parameter: usize) -> String {
        format!("FROM changed_days d WHERE d.epoch > {}", self.parameter(parameter, Kind::Integer))
    }

    /// All time, and the month and the day of each of these days.
    fn periods(self, days: &str) -> String {
        let (day, month) = match self.0 {
            Dialect::Postgres => ("to_char(d.order_date, 'YYYY-MM-DD')", "to_char(d.order_date, 'YYYY-MM')"),
            Dialect::Sqlite => ("d.order_date", "substr(d.order_date, 1, 7)"),
        };
        format!("SELECT 'all' AS period UNION ALL SELECT {day} {days} UNION ALL SELECT DISTINCT {month} {days}")
    }

    /// The rows that the conditions choose, where one column must be among others' values; `more` are parameters that
    /// stand in those.
    fn among(
        self,
        table: &Table,
        conditions: &[Condition],
        among: Option<&Among>,
        mut more: Vec<Value>,
        limit: u32,
    ) -> Statement {
        let mut parameters = Vec::new();
        let mut from =
            format!("{} t{}", derived::source(self.0, table), self.clause(table, conditions, &mut parameters));
        parameters.append(&mut more);
        if let Some(Among { column, of }) = among {
            // Writing to a string can not fail.
            match self.0 {
                Dialect::Postgres => {
                    from = format!(
                        "({of}) c CROSS JOIN LATERAL (SELECT * FROM {from} AND t.{column} = c.{column} OFFSET 0) t"
                    );
                }
                Dialect::Sqlite => _ = write!(from, " AND t.{column} IN ({of})"),
            }
        }
        let columns: Vec<&Column> = table.columns().collect();
        let mut statement = self.selected(&columns, &from, parameters);
        self.limit(&mut statement, limit);
        statement
    }
}

/// That a column is among those values.
struct Among {
    column: &'static str,
    /// A query for values, each once, under the column's name.
    of: String,
}
