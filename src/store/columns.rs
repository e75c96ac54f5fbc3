//! The columns of each view's table, and how a row's key and values are spread over them.

use serde_json::{Map, Value};
use takings_dataflows::amount::Amount;
use takings_dataflows::day::{Day, Month};
use takings_dataflows::listing::Listing;
use takings_dataflows::minute::Minute;
use takings_dataflows::period::Period;
use takings_dataflows::rating::Stars;
use takings_dataflows::row::{ProductTakings, Ranked, RowValue};
use takings_dataflows::symbol::Symbol;
use takings_dataflows::takings::Takings;
use takings_dataflows::view::{View, ViewKey};

use super::text::{escaped, unescaped};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellType {
    /// A calendar day.
    Day,
    /// A name, escaped as [`super::text`] says.
    Name,
    /// A period, as its text.
    Period,
    /// A small whole number: a year, a month, a rank.
    Number,
    /// The first moment of a minute.
    Minute,
    /// Exact money, or an average: six places.
    Decimal,
    /// A count of 64 bits.
    Count,
}

/// A column's name and type.
pub type Column = (&'static str, CellType);

/// A value of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// None.
    Null,
    /// A calendar day.
    Day(Day),
    /// A name, not escaped.
    Name(Symbol),
    /// A period.
    Period(Period),
    /// A small whole number.
    Number(i32),
    /// A minute.
    Minute(Minute),
    /// Exact money, or an average.
    Decimal(Amount),
    /// A count.
    Count(i64),
}

/// The key columns of a view's table, in the order of its primary key.
pub const fn key_columns(view: View) -> &'static [Column] {
    use CellType::{Day, Minute, Name, Number, Period};
    match view {
        View::Category => &[("order_date", Day), ("category", Name), ("currency", Name)],
        View::Day => &[("order_date", Day), ("currency", Name)],
        View::Month => &[("year", Number), ("month", Number), ("currency", Name)],
        View::PaymentMethod => &[("order_date", Day), ("payment_method", Name), ("currency", Name)],
        View::Facts => &[("order_date", Day), ("category", Name), ("payment_method", Name), ("currency", Name)],
        View::Product => &[("order_date", Day), ("product", Name), ("currency", Name)],
        View::Top => &[("period", Period), ("currency", Name), ("rank", Number)],
        View::Products | View::Ratings => &[("product", Name)],
        View::Minute => &[("minute", Minute), ("currency", Name)],
        View::ListedFacts => &[("order_date", Day), ("product", Name), ("payment_method", Name), ("currency", Name)],
    }
}

/// The other columns of a view's table, without the epoch.
pub const fn value_columns(view: View) -> &'static [Column] {
    use CellType::{Count, Decimal, Name};
    match view {
        View::Category
        | View::Day
        | View::Month
        | View::PaymentMethod
        | View::Facts
        | View::Minute
        | View::ListedFacts => &[("total_sales", Decimal), ("orders", Count), ("units", Count)],
        View::Product => &[
            ("total_sales", Decimal),
            ("orders", Count),
            ("units", Count),
            ("listed_sales", Decimal),
            ("listed_orders", Count),
            ("listed_units", Count),
        ],
        View::Top => &[("product", Name), ("total_sales", Decimal), ("orders", Count), ("units", Count)],
        View::Products => &[("name", Name), ("category", Name), ("price", Decimal)],
        View::Ratings => &[
            ("ratings", Count),
            ("average", Decimal),
            ("ones", Count),
            ("twos", Count),
            ("threes", Count),
            ("fours", Count),
            ("fives", Count),
        ],
    }
}

/// A key's values, one for each of [`key_columns`].
pub fn key_cells(key: &ViewKey) -> impl Iterator<Item = Cell> {
    use Cell::{Day, Name, Number};
    let of_two = |first, second| [Some(first), Some(second), None, None];
    let of_three = |first, second, third| [Some(first), Some(second), Some(third), None];
    let of_four = |first, second, third, fourth| [Some(first), Some(second), Some(third), Some(fourth)];
    let cells = match *key {
        ViewKey::Category { day, category, currency } => of_three(Day(day), Name(category), Name(currency)),
        ViewKey::Day { day, currency } => of_two(Day(day), Name(currency)),
        ViewKey::Month { month, currency } => of_three(Number(month.year), Number(month.month.into()), Name(currency)),
        ViewKey::PaymentMethod { day, payment_method, currency } => {
            of_three(Day(day), Name(payment_method), Name(currency))
        }
        ViewKey::Facts { day, category, payment_method, currency } => {
            of_four(Day(day), Name(category), Name(payment_method), Name(currency))
        }
        ViewKey::Product { day, product, currency } => of_three(Day(day), Name(product), Name(currency)),
        ViewKey::Top { period, currency, rank } => of_three(Cell::Period(period), Name(currency), Number(rank.into())),
        ViewKey::Listing { product } | ViewKey::Rating { product } => [Some(Name(product)), None, None, None],
        ViewKey::Minute { minute, currency } => of_two(Cell::Minute(minute), Name(currency)),
        ViewKey::ListedFacts { day, product, payment_method, currency } => {
            of_four(Day(day), Name(product), Name(payment_method), Name(currency))
        }
    };
    cells.into_iter().flatten()
}

/// A row's values, one for each of its view's [`value_columns`].
pub fn value_cells(value: &RowValue) -> impl Iterator<Item = Cell> {
    use Cell::{Count, Decimal, Name, Null};
    let mut cells = [None; 7];
    let mut put = |place: usize, cell| cells[place] = Some(cell);
    let total = |takings: &Takings| [Decimal(takings.amount), Count(takings.orders), Count(takings.units)];
    match value {
        RowValue::Takings(takings) => (0..).zip(total(takings)).for_each(|(place, cell)| put(place, cell)),
        RowValue::Product(ProductTakings { all, listed }) => {
            let listed = if *listed == Takings::default() { [Null; 3] } else { total(listed) };
            (0..).zip(total(all).into_iter().chain(listed)).for_each(|(place, cell)| put(place, cell));
        }
        RowValue::Ranked(Ranked { product, takings }) => {
            put(0, Name(*product));
            (1..).zip(total(takings)).for_each(|(place, cell)| put(place, cell));
        }
        RowValue::Listing(Listing { name, category, price }) => {
            put(0, name.map_or(Null, Name));
            put(1, category.map_or(Null, Name));
            put(2, price.map_or(Null, Decimal));
        }
        RowValue::Stars(stars) => {
            put(0, Count(stars.ratings()));
            put(1, Decimal(average(stars)));
            (2..).zip(stars.0).for_each(|(place, count)| put(place, Count(count)));
        }
    }
    cells.into_iter().flatten()
}

/// The average number of stars, to six places; a half goes up.
pub fn average(stars: &Stars) -> Amount {
    let ratings = i128::from(stars.ratings()).max(1);
    let micros = i128::from(stars.stars()) * 10i128.pow(Amount::PLACES);
    Amount::from_micros((2 * micros + ratings).div_euclid(2 * ratings))
}

/// The key with these values, or `None` where they are not of this view.
pub fn key_of(view: View, cells: &[Cell]) -> Option<ViewKey> {
    use Cell::{Day, Name, Number};
    Some(match (view, cells) {
        (View::Category, &[Day(day), Name(category), Name(currency)]) => ViewKey::Category { day, category, currency },
        (View::Day, &[Day(day), Name(currency)]) => ViewKey::Day { day, currency },
        (View::Month, &[Number(year), Number(month), Name(currency)]) => {
            ViewKey::Month { month: Month { year, month: month.try_into().ok()? }, currency }
        }
        (View::PaymentMethod, &[Day(day), Name(payment_method), Name(currency)]) => {
            ViewKey::PaymentMethod { day, payment_method, currency }
        }
        (View::Facts, &[Day(day), Name(category), Name(payment_method), Name(currency)]) => {
            ViewKey::Facts { day, category, payment_method, currency }
        }
        (View::Product, &[Day(day), Name(product), Name(currency)]) => ViewKey::Product { day, product, currency },
        (View::Top, &[Cell::Period(period), Name(currency), Number(rank)]) => {
            ViewKey::Top { period, currency, rank: rank.try_into().ok()? }
        }
        (View::Products, &[Name(product)]) => ViewKey::Listing { product },
        (View::Ratings, &[Name(product)]) => ViewKey::Rating { product },
        (View::Minute, &[Cell::Minute(minute), Name(currency)]) => ViewKey::Minute { minute, currency },
        (View::ListedFacts, &[Day(day), Name(product), Name(payment_method), Name(currency)]) => {
            ViewKey::ListedFacts { day, product, payment_method, currency }
        }
        _ => return None,
    })
}

/// The values of a row, or `None` where they are not of this view.
pub fn value_of(view: View, cells: &[Cell]) -> Option<RowValue> {
    use Cell::{Count, Decimal, Name, Null};
    let total = |cells: &[Cell]| match *cells {
        [Decimal(amount), Count(orders), Count(units)] => Some(Takings { amount, orders, units }),
        [Null, Null, Null] => Some(Takings::default()),
        _ => None,
    };
    let name = |cell: &Cell| match *cell {
        Name(name) => Some(Some(name)),
        Null => Some(None),
        _ => None,
    };
    Some(match (view, cells) {
        (View::Product, cells) => {
            let (all, listed) = cells.split_at_checked(3)?;
            RowValue::Product(ProductTakings { all: total(all)?, listed: total(listed)? })
        }
        (View::Top, [Name(product), takings @ ..]) => {
            RowValue::Ranked(Ranked { product: *product, takings: total(takings)? })
        }
        (View::Products, [called, category, price]) => {
            let price = match *price {
                Decimal(price) => Some(price),
                Null => None,
                _ => return None,
            };
            RowValue::Listing(Listing { name: name(called)?, category: name(category)?, price })
        }
        (View::Ratings, [Count(_), Decimal(_), counts @ ..]) => {
            let counts: Option<Vec<i64>> =
                counts.iter().map(|cell| if let Count(count) = cell { Some(*count) } else { None }).collect();
            RowValue::Stars(Stars(counts?.try_into().ok()?))
        }
        (
            View::Category
            | View::Day
            | View::Month
            | View::PaymentMethod
            | View::Facts
            | View::Minute
            | View::ListedFacts,
            cells,
        ) => RowValue::Takings(total(cells)?),
        _ => return None,
    })
}

/// The day a key lies in, where its view goes by days.
pub fn day_of(key: &ViewKey) -> Option<Day> {
    key_cells(key).find_map(|cell| match cell {
        Cell::Day(day) => Some(day),
        _ => None,
    })
}

/// The text form of a minute where a store has none of its own: as other moments.
pub fn minute_text(minute: Minute) -> String {
    minute.moment().format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// A key as `removals` holds it: an object of its columns, `{"order_date":"2026-11-22","currency":"EUR"}`.
pub fn key_json(key: &ViewKey) -> Value {
    json_of(key_columns(key.view()), key_cells(key))
}

/// A row's values as an object of its columns: `{"total_sales":"12.340000","orders":1,"units":2}`.
pub fn value_json(view: View, value: &RowValue) -> Value {
    json_of(value_columns(view), value_cells(value))
}

/// The key that [`key_json`] wrote, or `None` where it is none of this view's.
pub fn key_of_json(view: View, json: &Value) -> Option<ViewKey> {
    key_of(view, &cells_of(key_columns(view), json)?)
}

/// The values that [`value_json`] wrote, or `None` where they are none of this view's.
pub fn value_of_json(view: View, json: &Value) -> Option<RowValue> {
    value_of(view, &cells_of(value_columns(view), json)?)
}

fn json_of(columns: &[Column], cells: impl Iterator<Item = Cell>) -> Value {
    Value::Object(Map::from_iter(columns.iter().zip(cells).map(|(&(name, _), cell)| {
        let value = match cell {
            Cell::Null => Value::Null,
            Cell::Day(day) => Value::String(day.to_string()),
            Cell::Name(name) => Value::String(escaped(name.text()).into_owned()),
            Cell::Period(period) => Value::String(period.to_string()),
            Cell::Number(number) => Value::from(number),
            Cell::Minute(minute) => Value::String(minute_text(minute)),
            Cell::Decimal(amount) => Value::String(amount.to_string()),
            Cell::Count(count) => Value::from(count),
        };
        (name.to_owned(), value)
    })))
}

fn cells_of(columns: &[Column], json: &Value) -> Option<Vec<Cell>> {
    let cell = |(name, kind): &Column| {
        let value = json.get(*name)?;
        Some(match (kind, value) {
            (_, Value::Null) => Cell::Null,
            (CellType::Day, Value::String(text)) => Cell::Day(Day::from_date(text.parse().ok()?)),
            (CellType::Name, Value::String(text)) => Cell::Name(name_of(text)),
            (CellType::Period, Value::String(text)) => Cell::Period(text.parse().ok()?),
            (CellType::Number, value) => Cell::Number(value.as_i64()?.try_into().ok()?),
            (CellType::Minute, Value::String(text)) => {
                let moment = chrono::DateTime::parse_from_rfc3339(text).ok()?;
                Cell::Minute(Minute::of_millis(moment.timestamp_millis()))
            }
            (CellType::Decimal, Value::String(text)) => Cell::Decimal(text.parse().ok()?),
            (CellType::Count, value) => Cell::Count(value.as_i64()?),
            _ => return None,
        })
    };
    columns.iter().map(cell).collect()
}

/// A name as a store holds it.
pub fn name_of(written: &str) -> Symbol {
    Symbol::new(&unescaped(written))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn total(amount: i128) -> Takings {
        Takings { amount: Amount::from_micros(amount), orders: 2, units: 3 }
    }

    #[test]
    fn every_row_spreads_over_its_columns_and_back() {
        let (day, name, currency) = (Day::from_epoch_days(20_779), Symbol::new("a\0b"), Symbol::new("EUR"));
        let (minute, cash) = (Minute::of_millis(1_700_000_000_000), Symbol::new("CASH"));
        let listing = |price| Listing { name: Some(name), category: None, price };
        let rows = [
            (ViewKey::Category { day, category: name, currency }, RowValue::Takings(total(1))),
            (ViewKey::Day { day, currency }, RowValue::Takings(total(-1))),
            (ViewKey::Month { month: day.month(), currency }, RowValue::Takings(total(0))),
            (ViewKey::PaymentMethod { day, payment_method: name, currency }, RowValue::Takings(total(5))),
            (
                ViewKey::Product { day, product: name, currency },
                RowValue::Product(ProductTakings { all: total(7), listed: total(6) }),
            ),
            (
                ViewKey::Product { day, product: name, currency },
                RowValue::Product(ProductTakings { all: total(7), listed: Takings::default() }),
            ),
            (
                ViewKey::Top { period: Period::Month(day.month()), currency, rank: 10 },
                RowValue::Ranked(Ranked { product: name, takings: total(8) }),
            ),
            (ViewKey::Listing { product: name }, RowValue::Listing(listing(None))),
            (ViewKey::Listing { product: name }, RowValue::Listing(listing(Some(Amount::from_micros(9))))),
            (ViewKey::Rating { product: name }, RowValue::Stars(Stars([1, 0, 2, 0, 3]))),
            (ViewKey::Minute { minute, currency }, RowValue::Takings(total(4))),
            (ViewKey::Facts { day, category: name, payment_method: cash, currency }, RowValue::Takings(total(2))),
            (ViewKey::ListedFacts { day, product: name, payment_method: cash, currency }, RowValue::Takings(total(3))),
        ];
        for (key, value) in rows {
            let cells: Vec<Cell> = key_cells(&key).collect();
            assert_eq!(cells.len(), key_columns(key.view()).len());
            assert_eq!(key_of(key.view(), &cells), Some(key));
            let cells: Vec<Cell> = value_cells(&value).collect();
            assert_eq!(cells.len(), value_columns(key.view()).len());
            assert_eq!(value_of(key.view(), &cells), Some(value));
            assert_eq!(key_of_json(key.view(), &key_json(&key)), Some(key));
            assert_eq!(value_of_json(key.view(), &value_json(key.view(), &value)), Some(value));
        }
        assert!(View::TABLES.iter().all(|view| rows.iter().any(|(key, _)| key.view() == *view)));
        let json = |key: ViewKey| key_json(&key).to_string();
        assert_eq!(json(rows[0].0), r#"{"order_date":"2026-11-22","category":"a␀0b","currency":"EUR"}"#);
        assert_eq!(json(rows[2].0), r#"{"year":2026,"month":11,"currency":"EUR"}"#);
        assert_eq!(json(rows[6].0), r#"{"period":"2026-11","currency":"EUR","rank":10}"#);
        assert_eq!(json(rows[10].0), r#"{"minute":"2023-11-14T22:13:00.000Z","currency":"EUR"}"#);
    }

    #[test]
    fn averages_have_six_places() {
        let average = |counts| average(&Stars(counts)).to_string();
        assert_eq!(average([0, 0, 0, 0, 1]), "5.000000");
        assert_eq!(average([1, 1, 0, 0, 0]), "1.500000");
        assert_eq!(average([2, 1, 0, 0, 0]), "1.333333");
        assert_eq!(average([1, 2, 0, 0, 0]), "1.666667");
    }
}
