//! The parameters of a request: read strictly, so that a typing error never shows as a wrong number.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

use super::errors::Problem;
use crate::store::reader::PageQuery;
use crate::store::reader::logs::ORDERS;
use crate::store::reader::statement::{Comparison, Condition};
use crate::store::reader::table::{Filter, Table, Test};
use crate::store::reader::value::{Value, is_day, moment};

/// How many rows a page holds where `limit` is not given.
pub const DEFAULT_LIMIT: u32 = 1_000;
/// How many rows a page can hold.
pub const MAX_LIMIT: u32 = 10_000;
/// The longest text that rows are compared with, in bytes.
const MAX_TEXT: usize = 512;
/// The first and the last day that there are.
const DAYS: (&str, &str) = ("0001-01-01", "9999-12-31");
/// How often a parameter may be given, where it may be given more than once.
pub const MAX_REPEATED: usize = 100;

/// The parameters of one request, each at most once but for those of [`Test::AnyOf`].
#[derive(Debug)]
pub struct Parameters {
    pairs: Vec<(String, String)>,
}

impl Parameters {
    /// Reads the part of an address after `?`.
    ///
    /// # Errors
    /// A [`Problem`] where a parameter is repeated, or none of `known`.
    pub fn read(query: &str, known: &[&str]) -> Result<Self, Problem> {
        Parameters::read_with(query, known, |_| false)
    }

    /// Reads the part of an address after `?`, of which one parameter may be given more than once.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_repeated(query: &str, known: &[&str], repeated: &str) -> Result<Self, Problem> {
        Parameters::read_with(query, known, |name| name == repeated)
    }

    /// Reads those that choose a page of `table`.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_page(query: &str, table: &Table) -> Result<Self, Problem> {
        Parameters::read_page_with(query, table, &[])
    }

    /// Reads those, and `others` of its own.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_page_with(query: &str, table: &Table, others: &[&'static str]) -> Result<Self, Problem> {
        let repeatable = |name: &str| table.filter(name).is_some_and(|filter| filter.test == Test::AnyOf);
        Parameters::read_with(query, &[page_parameters(table), others.to_vec()].concat(), repeatable)
    }

    fn read_with(query: &str, known: &[&str], repeatable: impl Fn(&str) -> bool) -> Result<Self, Problem> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            if !known.contains(&name.as_ref()) {
                let shown: String = name.chars().take(50).collect();
                let hint = if known.is_empty() {
                    "leave it out: nothing can be chosen here".to_owned()
                } else {
                    format!("the parameters here are {}", known.join(", "))
                };
                return Err(Problem::parameter(&shown, "is not known here", hint));
            }
            let times = pairs.iter().filter(|(given, _)| *given == name).count();
            if times > 0 && !repeatable(&name) {
                return Err(Problem::parameter(&name, "is given twice", "give it once"));
            }
            if times >= MAX_REPEATED {
                let what = format_args!("is given more than {MAX_REPEATED} times");
                return Err(Problem::parameter(&name, what, "ask in parts"));
            }
            pairs.push((name.into_owned(), value.into_owned()));
        }
        Ok(Parameters { pairs })
    }

    /// The text of a parameter; the first one where there are several.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// The texts of a parameter that may be given more than once, each one that rows can be compared with.
    ///
    /// # Errors
    /// A [`Problem`] that names the parameter.
    pub fn texts(&self, name: &str) -> Result<Vec<String>, Problem> {
        self.all(name).map(|text| comparable(name, text)).collect()
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.pairs.iter().filter(move |(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// Which rows of `table` are asked for.
    ///
    /// # Errors
    /// A [`Problem`] that names the parameter.
    pub fn conditions(&self, table: &Table) -> Result<Vec<Condition>, Problem> {
        let given = table.filters.iter().filter_map(|filter| Some((filter, self.get(filter.parameter)?)));
        let mut conditions: Vec<Condition> = Vec::new();
        for (filter, text) in given {
            let condition = match filter.test {
                Test::AnyOf => any_of(filter, self.all(filter.parameter))?,
                _ => condition(filter, text)?,
            };
            match conditions.iter_mut().find(|other| other.comparison == Comparison::EitherWithin) {
                // Both ends are of one and the same of the two days.
                Some(within) if condition.comparison == Comparison::EitherWithin => {
                    // `from` comes before `to` among the filters.
                    within.values.truncate(1);
                    within.values.extend(condition.values.into_iter().nth(1));
                }
                _ => conditions.push(condition),
            }
        }
        Ok(conditions)
    }

    /// Whether the greatest is to come first; `usual` where nothing is said.
    ///
    /// # Errors
    /// A [`Problem`] that names the parameter.
    pub fn is_descending(&self, usual: bool) -> Result<bool, Problem> {
        match self.get("order") {
            None => Ok(usual),
            Some("desc") => Ok(true),
            Some("asc") => Ok(false),
            Some(_) => Err(Problem::parameter("order", "is neither asc nor desc", "give order=asc or order=desc")),
        }
    }

    /// How many rows a page may hold.
    ///
    /// # Errors
    /// A [`Problem`] that names the parameter.
    pub fn limit(&self) -> Result<u32, Problem> {
        let Some(text) = self.get("limit") else { return Ok(DEFAULT_LIMIT) };
        text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit)).ok_or_else(|| {
            let hint = "follow next_cursor for more rows than one page holds";
            Problem::parameter("limit", format_args!("is not a whole number from 1 to {MAX_LIMIT}"), hint)
        })
    }

    /// Orders are many, and only their days have an index: who looks for some of them says how far back.
    fn bound_orders(&self) -> Result<(), Problem> {
        let narrowing = ["currency", "category", "payment_method", "product"];
        match narrowing.into_iter().find(|name| self.get(name).is_some()) {
            Some(name) if self.get("from").is_none() && self.get("order_id").is_none() => {
                let hint = "give `from` as well: the first day to look at; or `order_id`";
                Err(Problem::parameter(name, "would look through all orders there are", hint))
            }
            _ => Ok(()),
        }
    }

    /// Which page of `table` is asked for.
    ///
    /// # Errors
    /// A [`Problem`] that names the parameter.
    pub fn page(&self, table: &'static Table) -> Result<PageQuery, Problem> {
        let conditions = self.conditions(table)?;
        if table.name == ORDERS.name {
            self.bound_orders()?;
        }
        let (descending, limit) = (self.is_descending(table.descending)?, self.limit()?);
        let after = self.get("cursor").map(|text| read_cursor(table, text)).transpose()?;
        Ok(PageQuery { table, conditions, descending, after, limit })
    }
}

/// The names of the parameters that choose a page of `table`.
pub fn page_parameters(table: &Table) -> Vec<&'static str> {
    let filters = table.filters.iter().map(|filter| filter.parameter);
    filters.chain(["limit", "cursor", "order"]).collect()
}

fn condition(filter: &'static Filter, text: &str) -> Result<Condition, Problem> {
    let (comparison, values) = match filter.test {
        Test::EitherEquals => (Comparison::EitherEqual, vec![Value::Text(equal(filter, text)?)]),
        Test::Contains => (Comparison::Contains, vec![Value::Text(equal(filter, text)?)]),
        Test::EitherFromDay => (Comparison::EitherWithin, vec![day(filter, text)?, Value::Text(DAYS.1.to_owned())]),
        Test::EitherToDay => (Comparison::EitherWithin, vec![Value::Text(DAYS.0.to_owned()), day(filter, text)?]),
        Test::Equals | Test::AnyOf => (Comparison::Equal, vec![Value::Text(equal(filter, text)?)]),
        Test::Period => (Comparison::Equal, vec![period(filter, text)?]),
        Test::FromDay => (Comparison::AtLeast, vec![day(filter, text)?]),
        Test::ToDay => (Comparison::AtMost, vec![day(filter, text)?]),
        Test::FromMonth => (Comparison::AtLeast, month(filter, text)?),
        Test::ToMonth => (Comparison::AtMost, month(filter, text)?),
        Test::FromMoment => (Comparison::AtLeast, vec![minute(filter, text, "T00:00:00.000Z")?]),
        Test::ToMoment => (Comparison::AtMost, vec![minute(filter, text, "T23:59:59.999Z")?]),
    };
    Ok(Condition { columns: filter.columns, comparison, values })
}

fn any_of<'a>(filter: &'static Filter, texts: impl Iterator<Item = &'a str>) -> Result<Condition, Problem> {
    let texts = texts.map(|text| equal(filter, text)).collect::<Result<Vec<String>, Problem>>()?;
    let values = vec![Value::Text(serde_json::Value::from(texts).to_string())];
    Ok(Condition { columns: filter.columns, comparison: Comparison::AnyOf, values })
}

fn equal(filter: &Filter, text: &str) -> Result<String, Problem> {
    comparable(filter.parameter, text)
}

fn comparable(parameter: &str, text: &str) -> Result<String, Problem> {
    if text.is_empty() || text.len() > MAX_TEXT || text.contains('\0') {
        let what = format_args!("is not a text of 1 to {MAX_TEXT} bytes");
        return Err(Problem::parameter(parameter, what, "leave it out to choose all"));
    }
    Ok(text.to_owned())
}

fn period(filter: &Filter, text: &str) -> Result<Value, Problem> {
    let is_month = text.len() == 7 && is_day(&format!("{text}-01"));
    if text == "all" || is_month || is_day(text) {
        return Ok(Value::Text(text.to_owned()));
    }
    Err(Problem::parameter(filter.parameter, "is no period", "give all, a month such as 2026-11, or a day in full"))
}

/// A moment; of a day, the one at `time`.
fn minute(filter: &Filter, text: &str, time: &str) -> Result<Value, Problem> {
    let whole = if is_day(text) { format!("{text}{time}") } else { text.to_owned() };
    moment(&whole).map(Value::Text).ok_or_else(|| {
        let hint = "give a moment such as 2026-11-22T12:34:00Z, or a day such as 2026-11-22";
        Problem::parameter(filter.parameter, "is no moment", hint)
    })
}

fn day(filter: &Filter, text: &str) -> Result<Value, Problem> {
    if is_day(text) {
        return Ok(Value::Text(text.to_owned()));
    }
    Err(Problem::parameter(filter.parameter, "is not a date", "give a calendar day such as 2026-11-22"))
}

fn month(filter: &Filter, text: &str) -> Result<Vec<Value>, Problem> {
    let first = if text.len() == 7 { format!("{text}-01") } else { text.to_owned() };
    let number = |range| first.get(range).and_then(|digits: &str| digits.parse().ok()).map(Value::Integer);
    match (is_day(&first), number(0..4), number(5..7)) {
        (true, Some(year), Some(month)) => Ok(vec![year, month]),
        _ => {
            Err(Problem::parameter(filter.parameter, "is not a month", "give a month such as 2026-11, or a day in it"))
        }
    }
}

/// Where a page ended: opaque to clients, and good for this table only.
pub fn write_cursor(table: &Table, last: &[Value]) -> String {
    // Text and numbers: can not fail to become JSON.
    BASE64.encode(serde_json::to_vec(&(table.name, last)).unwrap_or_default())
}

fn read_cursor(table: &Table, text: &str) -> Result<Vec<Value>, Problem> {
    let wrong = || {
        let hint = "give next_cursor of the page before as it came, or leave it out for the first page";
        Problem::parameter("cursor", "is none that this view gave", hint)
    };
    let bytes = BASE64.decode(text).map_err(|_| wrong())?;
    let (name, last): (String, Vec<serde_json::Value>) = serde_json::from_slice(&bytes).map_err(|_| wrong())?;
    if name != table.name || last.len() != table.order.len() {
        return Err(wrong());
    }
    let values = table.order.iter().zip(last).map(|(name, value)| {
        let value = match value {
            serde_json::Value::String(text) => Value::Text(text),
            serde_json::Value::Number(number) => number.as_i64().map(Value::Integer).ok_or_else(wrong)?,
            _ => return Err(wrong()),
        };
        let (_, column) = table.column(name).ok_or_else(wrong)?;
        if value.fits(column.kind) { Ok(value) } else { Err(wrong()) }
    });
    values.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::reader::views::view;

    fn page(name: &str, query: &str) -> Result<PageQuery, Problem> {
        let table = view(name).expect("a view");
        Parameters::read_page(query, table)?.page(table)
    }

    #[test]
    fn a_wrong_parameter_is_named_with_what_to_do() {
        for (view, query, part) in [
            ("sales_per_day", "form=2026-01-01", "`form` is not known here"),
            ("sales_per_day", "from=2026-02-30", "`from` is not a date"),
            ("sales_per_day", "to=yesterday", "`to` is not a date"),
            ("sales_per_day", "category=Books", "`category` is not known here"),
            ("sales_per_month", "from=2026-13", "`from` is not a month"),
            ("sales_per_month", "to=26-1", "`to` is not a month"),
            ("sales_per_day", "limit=0", "`limit` is not a whole number"),
            ("sales_per_day", "limit=10001", "`limit` is not a whole number"),
            ("sales_per_day", "limit=ten", "`limit` is not a whole number"),
            ("sales_per_day", "order=up", "`order` is neither"),
            ("sales_per_day", "cursor=!", "`cursor` is none"),
            ("sales_per_day", "currency=", "`currency` is not a text"),
            ("sales_per_day", "currency=%00", "`currency` is not a text"),
            ("sales_per_day", "from=2026-01-01&from=2026-01-02", "`from` is given twice"),
            ("sales_per_product", "product=a&product=b", "`product` is given twice"),
            ("products", "product=a&product=", "`product` is not a text"),
            ("top_products", "period=2026", "`period` is no period"),
            ("top_products", "period=2026-13", "`period` is no period"),
            ("orders_per_minute", "from=12:34", "`from` is no moment"),
            ("orders_per_minute", "to=2026-11-22T12:34", "`to` is no moment"),
        ] {
            let problem = page(view, query).expect_err(query);
            assert!(problem.message.contains(part), "{query}: {}", problem.message);
            assert!(!problem.hint.is_empty());
        }
    }

    #[test]
    fn a_month_is_given_as_a_month_or_a_day_in_it() {
        for text in ["2026-11", "2026-11-22"] {
            let query = page("sales_per_month", &format!("from={text}")).expect("a month");
            assert_eq!(query.conditions[0].values, [Value::Integer(2026), Value::Integer(11)]);
        }
    }

    #[test]
    fn several_products_are_one_condition() {
        let query = page("products", "product=a%22b&product=1001&category=Books").expect("a page");
        assert_eq!(query.conditions[0].values, [Value::Text(r#"["a\"b","1001"]"#.into())]);
        assert_eq!((query.conditions[0].comparison, query.conditions.len()), (Comparison::AnyOf, 2));
        let many = "product=a&".repeat(MAX_REPEATED + 1);
        assert!(page("products", &many).expect_err("too many").message.contains("more than 100 times"));
    }

    #[test]
    fn a_day_stands_for_all_its_minutes() {
        let query = page("orders_per_minute", "from=2026-11-22&to=2026-11-22").expect("a page");
        let bounds: Vec<_> = query.conditions.iter().map(|condition| condition.values[0].text()).collect();
        assert_eq!(bounds, [Some("2026-11-22T00:00:00.000Z"), Some("2026-11-22T23:59:59.999Z")]);
        let query = page("orders_per_minute", "from=2026-11-22T13:34:00%2B01:00").expect("a page");
        assert_eq!(query.conditions[0].values[0].text(), Some("2026-11-22T12:34:00.000Z"));
    }

    #[test]
    fn a_cursor_is_good_for_its_own_view_only() {
        let table = view("sales_per_day").expect("a view");
        let last = vec![Value::Text("2026-11-22".into()), Value::Text("EUR".into())];
        let cursor = write_cursor(table, &last);
        assert_eq!(page("sales_per_day", &format!("cursor={cursor}")).expect("a page").after, Some(last));
        assert!(page("sales_per_month", &format!("cursor={cursor}")).is_err());
        let forged = BASE64.encode(r#"["sales_per_day",["2026-99-99","EUR"]]"#);
        assert!(page("sales_per_day", &format!("cursor={forged}")).is_err());
    }
}
