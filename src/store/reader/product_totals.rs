//! Totals by product over any days, with what the catalogue says of each product.
//!
//! No table holds them: they are summed from `sales_per_product` for each answer, by the store (SQLite has no exact
//! sum, so there while the rows stream). Rows are chosen, sorted and cut into pages here, so that names are searched
//! alike on both stores and in every alphabet. What that holds grows with the products that were sold, not with days.

use takings_dataflows::amount::Amount;
use takings_dataflows::view::UNLISTED;

use super::statement::{Comparison, Condition, Dialect, Statement, Statements};
use super::table::{Column, Filter, Kind, Table, Test, Trace};
use super::value::{Row, Value};
use super::views::{BY_CURRENCY, BY_PRODUCTS, CURRENCY, FROM_DAY, ORDERS, PRODUCT, TO_DAY, TOTAL_SALES, UNITS, view};
use super::{Page, ReadError, Reader, SOLD};
use crate::store::StoreError;

/// How the totals are described.
pub static PRODUCT_TOTALS: Table = Table {
    name: "product_totals",
    doc: "Totals of each product and currency over some days, or all; with its listing.",
    key: &[PRODUCT, CURRENCY],
    values: &[
        Column::new("name", Kind::Text, "Its name in the catalogue.").nullable(),
        Column::new("category", Kind::Text, "Its category in the catalogue.").nullable(),
        TOTAL_SALES,
        ORDERS,
        UNITS,
    ],
    order: &["total_sales", "product", "currency"],
    descending: true,
    filters: &[
        FROM_DAY,
        TO_DAY,
        BY_CURRENCY,
        BY_PRODUCTS,
        Filter {
            parameter: "category",
            columns: &["category"],
            test: Test::Equals,
            doc: "Only products of this category in the catalogue; `unlisted`: those without one there.",
        },
        Filter {
            parameter: "search",
            columns: &["product", "name"],
            test: Test::Contains,
            doc: "Only products with this in their text or their name, in upper or lower case.",
        },
    ],
    trace: Trace::Untraced,
};

/// By what they are sorted; of two with the same, the lesser product and currency is first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// By total sales; amounts of different currencies as numbers, so that it wants a currency.
    TotalSales,
    /// By orders.
    Orders,
    /// By units.
    Units,
    /// By the product's text.
    Product,
    /// By its name, in upper or lower case; what has none comes after all that have.
    Name,
}

impl Sort {
    /// All of them.
    pub const ALL: [Sort; 5] = [Sort::TotalSales, Sort::Orders, Sort::Units, Sort::Product, Sort::Name];

    /// As it is given in an address.
    pub const fn name(self) -> &'static str {
        match self {
            Sort::TotalSales => "total_sales",
            Sort::Orders => "orders",
            Sort::Units => "units",
            Sort::Product => "product",
            Sort::Name => "name",
        }
    }

    /// Whether the greatest comes first unless asked otherwise.
    pub const fn descending(self) -> bool {
        !matches!(self, Sort::Product | Sort::Name)
    }
}

/// Which totals.
#[derive(Clone, Debug)]
pub struct ProductQuery {
    /// Which days, currencies and products: conditions as [`PRODUCT_TOTALS`] has filters.
    pub conditions: Vec<Condition>,
    /// By what they are sorted.
    pub sort: Sort,
    /// Whether the greatest comes first.
    pub descending: bool,
    /// Where the page before ended: what it was sorted by (null: no name), the product, the currency.
    pub after: Option<[Value; 3]>,
    /// At most so many rows.
    pub limit: u32,
}

impl Reader {
    /// A page of [`PRODUCT_TOTALS`].
    ///
    /// # Errors
    /// As [`Reader::page`]: they need the view `sales_per_product`.
    pub async fn product_totals(&self, query: &ProductQuery) -> Result<Page, ReadError> {
        let Some(table) = view(SOLD) else { return Err(ReadError::ViewOff(SOLD)) };
        let (chosen, mine): (Vec<Condition>, Vec<Condition>) = query
            .conditions
            .iter()
            .cloned()
            .partition(|condition| condition.columns.iter().all(|name| table.column(name).is_some()));
        let listed: Vec<Condition> =
            chosen.iter().filter(|condition| condition.columns == ["product"]).cloned().collect();
        let statements = vec![self.statements.sums_of_products(table, &chosen), self.statements.listings(&listed)];
        let (head, mut tables) = self.snapshot(statements).await?;
        if !head.keeps(table) {
            return Err(ReadError::ViewOff(SOLD));
        }
        let (listings, sums) = (tables.pop().unwrap_or_default(), tables.pop().unwrap_or_default());
        let query = query.clone();
        // Tens of thousands of rows: not beside events.
        let work = tokio::task::spawn_blocking(move || page_of(&sums, &listings, &mine, &query));
        let (rows, next) = work.await.map_err(|error| StoreError::Fault {
            doing: "sorting totals of products".into(),
            source: Box::new(error),
        })??;
        Ok(Page { head, rows, next })
    }
}

impl Statements {
    /// Rows of (product, currency, total_sales, orders, units), one for each product and currency.
    fn sums_of_products(self, table: &Table, conditions: &[Condition]) -> Statement {
        let mut parameters = Vec::new();
        let clause = self.clause(table, conditions, &mut parameters);
        let (sums, group) = match self.0 {
            Dialect::Postgres => {
                ("sum(t.total_sales)::text, sum(t.orders)::int8, sum(t.units)::int8", " GROUP BY t.product, t.currency")
            }
            Dialect::Sqlite => ("coalesce(t.total_sales_micros, t.total_sales), t.orders, t.units", ""),
        };
        let sql = format!("SELECT t.product, t.currency, {sums} FROM {} t{clause}{group}", table.name);
        let kinds = vec![Kind::Text, Kind::Text, Kind::Decimal, Kind::Integer, Kind::Integer];
        Statement { is_to_be_summed: self.0 == Dialect::Sqlite, ..Statement::new(sql, parameters, kinds) }
    }

    /// Every listing: product, name, category.
    fn listings(self, conditions: &[Condition]) -> Statement {
        let mut parameters = Vec::new();
        let clause = self.clause(&PRODUCT_TOTALS, conditions, &mut parameters);
        let sql = format!("SELECT t.product, t.name, t.category FROM products t{clause}");
        Statement::new(sql, parameters, vec![Kind::Text; 3])
    }
}

/// By what a row stands where it does. Nothing comes after everything.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Amount(Amount),
    Count(i64),
    Text(String),
    Nothing,
}

impl Key {
    /// As it was in a page's last row; `None` where it is none of this sort.
    fn read(sort: Sort, value: &Value) -> Option<Key> {
        match (sort, value) {
            (Sort::TotalSales, Value::Text(text)) => text.parse().ok().map(Key::Amount),
            (Sort::Orders | Sort::Units, Value::Integer(count)) => Some(Key::Count(*count)),
            (Sort::Product | Sort::Name, Value::Text(text)) => Some(Key::Text(text.clone())),
            (Sort::Name, Value::Null) => Some(Key::Nothing),
            _ => None,
        }
    }

    fn write(self) -> Value {
        match self {
            Key::Amount(amount) => Value::Text(amount.to_string()),
            Key::Count(count) => Value::Integer(count),
            Key::Text(text) => Value::Text(text),
            Key::Nothing => Value::Null,
        }
    }
}

impl Sort {
    /// Whether a page can have ended at this value.
    pub fn is_of(self, value: &Value) -> bool {
        Key::read(self, value).is_some()
    }
}

/// The rows asked for, and where the next page begins.
fn page_of(
    sums: &[Row],
    listings: &[Row],
    conditions: &[Condition],
    query: &ProductQuery,
) -> Result<(Vec<Row>, Option<Vec<Value>>), StoreError> {
    let listings: std::collections::HashMap<&Value, &Row> = listings.iter().map(|row| (&row[0], row)).collect();
    let conditions: Vec<Wanted> = conditions.iter().filter_map(Wanted::of).collect();
    let mut found: Vec<(Key, &Row, Option<&Row>)> = Vec::new();
    for row in sums {
        let listing = listings.get(&row[0]).copied();
        if conditions.iter().all(|wanted| wanted.is(row, listing)) {
            found.push((key(query.sort, row, listing)?, row, listing));
        }
    }
    let order = |one: &Key, other: &Key| if query.descending { other.cmp(one) } else { one.cmp(other) };
    if let Some([value, product, currency]) = &query.after {
        let last = Key::read(query.sort, value)
            .ok_or_else(|| StoreError::Corrupt(format!("a page can not end at {value:?}")))?;
        found.retain(|(key, row, _)| {
            order(key, &last).then_with(|| (&row[0], &row[1]).cmp(&(product, currency))).is_gt()
        });
    }
    let place = |(one, a, _): &(Key, &Row, _), (other, b, _): &(Key, &Row, _)| {
        order(one, other).then_with(|| a[..2].cmp(&b[..2]))
    };
    let limit = query.limit as usize;
    let more = found.len() > limit;
    if more {
        // Only what is shown is sorted.
        found.select_nth_unstable_by(limit, place);
        found.truncate(limit);
    }
    found.sort_unstable_by(place);
    let next =
        found.last().filter(|_| more).map(|(key, row, _)| vec![key.clone().write(), row[0].clone(), row[1].clone()]);
    let whole = found.into_iter().map(|(_, row, listing)| {
        let of_listing = |place: usize| listing.map_or(Value::Null, |listing| listing[place].clone());
        let mut whole = row[..2].to_vec();
        whole.extend([of_listing(1), of_listing(2)]);
        whole.extend_from_slice(&row[2..]);
        whole
    });
    Ok((whole.collect(), next))
}

fn key(sort: Sort, row: &Row, listing: Option<&Row>) -> Result<Key, StoreError> {
    let value = match sort {
        Sort::TotalSales => &row[2],
        Sort::Orders => &row[3],
        Sort::Units => &row[4],
        Sort::Product => &row[0],
        Sort::Name => {
            let name = listing.and_then(|listing| listing[1].text());
            return Ok(name.map_or(Key::Nothing, |name| Key::Text(name.to_lowercase())));
        }
    };
    let wrong = || StoreError::Corrupt(format!("{SOLD} sums to {value:?}, which is no {}", sort.name()));
    Key::read(sort, value).ok_or_else(wrong)
}

/// A condition on what the catalogue says.
enum Wanted {
    Category(String),
    Unlisted,
    /// In lower case.
    Search(String),
}

impl Wanted {
    fn of(condition: &Condition) -> Option<Wanted> {
        let text = condition.values.first()?.text()?;
        Some(match condition.comparison {
            Comparison::Contains => Wanted::Search(text.to_lowercase()),
            _ if text == UNLISTED => Wanted::Unlisted,
            _ => Wanted::Category(text.to_owned()),
        })
    }

    fn is(&self, row: &Row, listing: Option<&Row>) -> bool {
        let of_listing = |place: usize| listing.and_then(|listing| listing[place].text());
        match self {
            Wanted::Category(category) => of_listing(2) == Some(category),
            Wanted::Unlisted => of_listing(2).is_none_or(|category| category == UNLISTED),
            Wanted::Search(part) => {
                let texts = [row[0].text(), of_listing(1)];
                texts.into_iter().flatten().any(|text| text.to_lowercase().contains(part))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    fn sum(product: &str, currency: &str, sales: &str, orders: i64) -> Row {
        vec![text(product), text(currency), text(sales), Value::Integer(orders), Value::Integer(-orders)]
    }

    fn query(sort: Sort, descending: bool, limit: u32) -> ProductQuery {
        ProductQuery { conditions: Vec::new(), sort, descending, after: None, limit }
    }

    fn products(rows: &[Row]) -> Vec<&str> {
        rows.iter().filter_map(|row| row[0].text()).collect()
    }

    /// Past what an integer or a float holds, of one amount, and without a name.
    #[test]
    fn pages_of_every_sort_are_the_whole() {
        let sums = [
            sum("d", "EUR", "9223372036854775808000001.000000", 1),
            sum("c", "EUR", "9223372036854775808000000.000000", 2),
            sum("b", "USD", "10.000000", 2),
            sum("b", "EUR", "10.000000", 2),
            sum("a", "EUR", "9.000000", 3),
            sum("e", "EUR", "-11.000000", 3),
        ];
        let listings = [vec![text("a"), text("Épice"), Value::Null], vec![text("d"), text("thé"), text("Tea")]];
        let mut asked = query(Sort::TotalSales, true, 10);
        let (rows, next) = page_of(&sums, &listings, &[], &asked).expect("a page");
        assert_eq!((products(&rows), next), (vec!["d", "c", "b", "b", "a", "e"], None));
        assert_eq!((&rows[0][2], &rows[0][3], &rows[2][1]), (&text("thé"), &text("Tea"), &text("EUR")));
        asked.sort = Sort::Name;
        assert_eq!(
            products(&page_of(&sums, &listings, &[], &asked).expect("a page").0),
            ["b", "b", "c", "e", "a", "d"]
        );
        for sort in Sort::ALL {
            for descending in [true, false] {
                let whole = page_of(&sums, &listings, &[], &query(sort, descending, 10)).expect("a page").0;
                for limit in 1..4 {
                    let mut asked = query(sort, descending, limit);
                    let mut pages = Vec::new();
                    loop {
                        let (rows, next) = page_of(&sums, &listings, &[], &asked).expect("a page");
                        pages.extend(rows);
                        let Some(next) = next else { break };
                        assert!(sort.is_of(&next[0]));
                        asked.after = next.try_into().ok();
                    }
                    assert_eq!(pages, whole, "{} {descending} {limit}", sort.name());
                }
            }
        }
    }

    #[test]
    fn names_are_searched_in_every_alphabet() {
        let sums = [sum("a", "EUR", "1.000000", 1), sum("ÉTÉ", "EUR", "1.000000", 1), sum("c", "EUR", "1.000000", 1)];
        let listings = [vec![text("a"), text("Été"), text("Tea")], vec![text("c"), Value::Null, text("unlisted")]];
        let found = |columns, comparison, value: &str| {
            let conditions = [Condition { columns, comparison, values: vec![text(value)] }];
            let (rows, _) = page_of(&sums, &listings, &conditions, &query(Sort::Product, false, 9)).expect("a page");
            products(&rows).into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(found(&["product", "name"], Comparison::Contains, "éT"), ["a", "ÉTÉ"]);
        assert_eq!(found(&["category"], Comparison::Equal, "Tea"), ["a"]);
        assert_eq!(found(&["category"], Comparison::Equal, "unlisted"), ["c", "ÉTÉ"]);
    }
}
