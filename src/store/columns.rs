//! The key columns of each view: what its table calls them, and how a row's key is spread over them.

use serde_json::{Map, Value};
use takings_dataflows::day::{Day, Month};
use takings_dataflows::symbol::Symbol;
use takings_dataflows::view::{View, ViewKey};

use super::text::{escaped, unescaped};

/// What a key column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyType {
    /// A calendar day.
    Day,
    /// A name, escaped as [`super::text`] says.
    Name,
    /// A whole number: a year, a month.
    Number,
}

/// A key column's name and type.
pub type KeyColumn = (&'static str, KeyType);

/// A value of a key column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyValue {
    /// A calendar day.
    Day(Day),
    /// A name, not escaped.
    Name(Symbol),
    /// A whole number.
    Number(i32),
}

/// The key columns of a view's table, in the order of its primary key.
pub const fn key_columns(view: View) -> &'static [KeyColumn] {
    use KeyType::{Day, Name, Number};
    match view {
        View::Category => &[("order_date", Day), ("category", Name), ("currency", Name)],
        View::Day => &[("order_date", Day), ("currency", Name)],
        View::Month => &[("year", Number), ("month", Number), ("currency", Name)],
        View::PaymentMethod => &[("order_date", Day), ("payment_method", Name), ("currency", Name)],
    }
}

/// A key's values, one for each of [`key_columns`].
pub fn key_values(key: &ViewKey) -> impl Iterator<Item = KeyValue> {
    use KeyValue::{Day, Name, Number};
    let values = match *key {
        ViewKey::Category { day, category, currency } => [Some(Day(day)), Some(Name(category)), Some(Name(currency))],
        ViewKey::Day { day, currency } => [Some(Day(day)), Some(Name(currency)), None],
        ViewKey::Month { month, currency } => {
            [Some(Number(month.year)), Some(Number(month.month.into())), Some(Name(currency))]
        }
        ViewKey::PaymentMethod { day, payment_method, currency } => {
            [Some(Day(day)), Some(Name(payment_method)), Some(Name(currency))]
        }
    };
    values.into_iter().flatten()
}

/// The key with these values, or `None` where they are not of this view.
pub fn key_of(view: View, values: &[KeyValue]) -> Option<ViewKey> {
    use KeyValue::{Day, Name, Number};
    Some(match (view, values) {
        (View::Category, &[Day(day), Name(category), Name(currency)]) => ViewKey::Category { day, category, currency },
        (View::Day, &[Day(day), Name(currency)]) => ViewKey::Day { day, currency },
        (View::Month, &[Number(year), Number(month), Name(currency)]) => {
            ViewKey::Month { month: Month { year, month: month.try_into().ok()? }, currency }
        }
        (View::PaymentMethod, &[Day(day), Name(payment_method), Name(currency)]) => {
            ViewKey::PaymentMethod { day, payment_method, currency }
        }
        _ => return None,
    })
}

/// The day a key lies in, where its view goes by days.
pub fn day_of(key: &ViewKey) -> Option<Day> {
    key_values(key).find_map(|value| match value {
        KeyValue::Day(day) => Some(day),
        _ => None,
    })
}

/// A key as `removals` holds it: an object of its columns, `{"order_date":"2026-11-22","currency":"EUR"}`.
pub fn key_json(key: &ViewKey) -> Value {
    let columns = key_columns(key.view()).iter().zip(key_values(key));
    Value::Object(Map::from_iter(columns.map(|(&(name, _), value)| {
        let value = match value {
            KeyValue::Day(day) => Value::String(day.to_string()),
            KeyValue::Name(name) => Value::String(escaped(name.text()).into_owned()),
            KeyValue::Number(number) => Value::from(number),
        };
        (name.to_owned(), value)
    })))
}

/// A name as a store holds it.
pub fn name_of(written: &str) -> Symbol {
    Symbol::new(&unescaped(written))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_spreads_over_its_columns_and_back() {
        let (day, name, currency) = (Day::from_epoch_days(20_779), Symbol::new("a\0b"), Symbol::new("EUR"));
        for key in [
            ViewKey::Category { day, category: name, currency },
            ViewKey::Day { day, currency },
            ViewKey::Month { month: day.month(), currency },
            ViewKey::PaymentMethod { day, payment_method: name, currency },
        ] {
            let values: Vec<KeyValue> = key_values(&key).collect();
            assert_eq!(values.len(), key_columns(key.view()).len());
            assert_eq!(key_of(key.view(), &values), Some(key));
        }
        assert_eq!(
            key_json(&ViewKey::Category { day, category: name, currency }).to_string(),
            r#"{"order_date":"2026-11-22","category":"a␀0b","currency":"EUR"}"#
        );
        assert_eq!(
            key_json(&ViewKey::Month { month: day.month(), currency }).to_string(),
            r#"{"year":2026,"month":11,"currency":"EUR"}"#
        );
    }
}
