//! The rows that are asked for, in order, and where the next page begins.

use std::collections::HashMap;

use takings_dataflows::amount::Amount;
use takings_dataflows::view::UNLISTED;

use super::{ProductQuery, Sold, Sort};
use crate::store::StoreError;
use crate::store::reader::statement::{Comparison, Condition};
use crate::store::reader::value::{Row, Value};

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
pub(super) fn page_of(
    sums: &[Sold],
    listings: &[Row],
    query: &ProductQuery,
) -> Result<(Vec<Row>, Option<Vec<Value>>), StoreError> {
    let listings: HashMap<&str, &Row> = listings.iter().filter_map(|row| Some((row[0].text()?, row))).collect();
    let conditions: Vec<Wanted> = query.conditions.iter().filter_map(Wanted::of).collect();
    let mut found: Vec<(Key, &Sold, Option<&Row>)> = Vec::new();
    for sold in sums {
        let listing = listings.get(&*sold.product).copied();
        if conditions.iter().all(|wanted| wanted.is(sold, listing)) {
            found.push((key(query.sort, sold, listing), sold, listing));
        }
    }
    let order = |one: &Key, other: &Key| if query.descending { other.cmp(one) } else { one.cmp(other) };
    if let Some([value, product, currency]) = &query.after {
        let last = Key::read(query.sort, value)
            .ok_or_else(|| StoreError::Corrupt(format!("a page can not end at {value:?}")))?;
        let last_place = (product.text().unwrap_or_default(), currency.text().unwrap_or_default());
        found.retain(|(key, sold, _)| order(key, &last).then_with(|| sold.place().cmp(&last_place)).is_gt());
    }
    let place = |(one, a, _): &(Key, &Sold, _), (other, b, _): &(Key, &Sold, _)| {
        order(one, other).then_with(|| a.place().cmp(&b.place()))
    };
    let limit = query.limit as usize;
    let more = found.len() > limit;
    if more {
        // Only what is shown is sorted.
        found.select_nth_unstable_by(limit, place);
        found.truncate(limit);
    }
    found.sort_unstable_by(place);
    let next = found.last().filter(|_| more).map(|(key, sold, _)| {
        let [product, currency] = sold.names();
        vec![key.clone().write(), product, currency]
    });
    let whole = found.into_iter().map(|(_, sold, listing)| {
        let of_listing = |place: usize| listing.map_or(Value::Null, |listing| listing[place].clone());
        let ([product, currency], takings) = (sold.names(), &sold.takings);
        let amount = Value::Text(takings.amount.to_string());
        let (orders, units) = (Value::Integer(takings.orders), Value::Integer(takings.units));
        vec![product, currency, of_listing(1), of_listing(2), amount, orders, units]
    });
    Ok((whole.collect(), next))
}

impl Sold {
    /// Where it stands among those of one key.
    fn place(&self) -> (&str, &str) {
        (&self.product, &self.currency)
    }

    fn names(&self) -> [Value; 2] {
        [&self.product, &self.currency].map(|name| Value::Text(name.to_string()))
    }
}

fn key(sort: Sort, sold: &Sold, listing: Option<&Row>) -> Key {
    match sort {
        Sort::TotalSales => Key::Amount(sold.takings.amount),
        Sort::Orders => Key::Count(sold.takings.orders),
        Sort::Units => Key::Count(sold.takings.units),
        Sort::Product => Key::Text(sold.product.to_string()),
        Sort::Name => {
            let name = listing.and_then(|listing| listing[1].text());
            name.map_or(Key::Nothing, |name| Key::Text(name.to_lowercase()))
        }
    }
}

/// A condition that the store was not asked to see to.
enum Wanted {
    Currency(String),
    Category(String),
    Unlisted,
    /// In lower case.
    Search(String),
}

impl Wanted {
    fn of(condition: &Condition) -> Option<Wanted> {
        let text = condition.values.first()?.text()?;
        Some(match (condition.comparison, condition.columns) {
            (Comparison::Contains, _) => Wanted::Search(text.to_lowercase()),
            (_, ["currency"]) => Wanted::Currency(text.to_owned()),
            (_, ["category"]) if text == UNLISTED => Wanted::Unlisted,
            (_, ["category"]) => Wanted::Category(text.to_owned()),
            _ => return None,
        })
    }

    fn is(&self, sold: &Sold, listing: Option<&Row>) -> bool {
        let of_listing = |place: usize| listing.and_then(|listing| listing[place].text());
        match self {
            Wanted::Currency(currency) => &*sold.currency == currency,
            Wanted::Category(category) => of_listing(2) == Some(category),
            Wanted::Unlisted => of_listing(2).is_none_or(|category| category == UNLISTED),
            Wanted::Search(part) => {
                let texts = [Some(&*sold.product), of_listing(1)];
                texts.into_iter().flatten().any(|text| text.to_lowercase().contains(part))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use takings_dataflows::takings::Takings;

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    fn sum(product: &str, currency: &str, sales: &str, orders: i64) -> Sold {
        let takings = Takings { amount: sales.parse().expect("an amount"), orders, units: -orders };
        Sold { product: product.into(), currency: currency.into(), takings }
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
        let (rows, next) = page_of(&sums, &listings, &asked).expect("a page");
        assert_eq!((products(&rows), next), (vec!["d", "c", "b", "b", "a", "e"], None));
        assert_eq!((&rows[0][2], &rows[0][3], &rows[2][1]), (&text("thé"), &text("Tea"), &text("EUR")));
        asked.sort = Sort::Name;
        assert_eq!(products(&page_of(&sums, &listings, &asked).expect("a page").0), ["b", "b", "c", "e", "a", "d"]);
        for sort in Sort::ALL {
            for descending in [true, false] {
                let whole = page_of(&sums, &listings, &query(sort, descending, 10)).expect("a page").0;
                for limit in 1..4 {
                    let mut asked = query(sort, descending, limit);
                    let mut pages = Vec::new();
                    loop {
                        let (rows, next) = page_of(&sums, &listings, &asked).expect("a page");
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
        let found = |columns: &'static [&'static str], comparison, value: &str| {
            let conditions = vec![Condition { columns, comparison, values: vec![text(value)] }];
            let asked = ProductQuery { conditions, ..query(Sort::Product, false, 9) };
            let (rows, _) = page_of(&sums, &listings, &asked).expect("a page");
            products(&rows).into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(found(&["product", "name"], Comparison::Contains, "éT"), ["a", "ÉTÉ"]);
        assert_eq!(found(&["category"], Comparison::Equal, "Tea"), ["a"]);
        assert_eq!(found(&["category"], Comparison::Equal, "unlisted"), ["c", "ÉTÉ"]);
        assert_eq!(found(&["currency"], Comparison::Equal, "USD"), [""; 0]);
    }
}
