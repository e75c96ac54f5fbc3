//! The views of sales: which groups each sums, and which totals a fact is part of.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::day::{Day, Month};
use crate::order::Fact;
use crate::symbol::Symbol;

/// A view of sales. Its name is its table's name: a contract with readers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum View {
    /// `sales_per_category`: by day, category and currency.
    Category,
    /// `sales_per_day`: by day and currency.
    Day,
    /// `sales_per_month`: by month and currency.
    Month,
    /// `sales_per_payment_method`: by day, payment method and currency.
    PaymentMethod,
}

impl View {
    /// All of them, in the order of the documentation.
    pub const ALL: [View; 4] = [View::Category, View::Day, View::Month, View::PaymentMethod];

    /// The name of its table, of its route and of its key in the event feed.
    pub const fn name(self) -> &'static str {
        match self {
            View::Category => "sales_per_category",
            View::Day => "sales_per_day",
            View::Month => "sales_per_month",
            View::PaymentMethod => "sales_per_payment_method",
        }
    }
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no view's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no view is named {0:?}; the views are sales_per_category, sales_per_day, sales_per_month, sales_per_payment_method"
)]
pub struct NoSuchView(pub String);

impl FromStr for View {
    type Err = NoSuchView;

    fn from_str(name: &str) -> Result<Self, NoSuchView> {
        View::ALL.into_iter().find(|view| view.name() == name).ok_or_else(|| NoSuchView(name.to_owned()))
    }
}

/// A row of a view: the group, without its total.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ViewKey {
    /// A row of `sales_per_category`.
    Category {
        /// `order_date`
        day: Day,
        /// `category`
        category: Symbol,
        /// `currency`
        currency: Symbol,
    },
    /// A row of `sales_per_day`.
    Day {
        /// `order_date`
        day: Day,
        /// `currency`
        currency: Symbol,
    },
    /// A row of `sales_per_month`.
    Month {
        /// `year`, `month`
        month: Month,
        /// `currency`
        currency: Symbol,
    },
    /// A row of `sales_per_payment_method`.
    PaymentMethod {
        /// `order_date`
        day: Day,
        /// `payment_method`
        payment_method: Symbol,
        /// `currency`
        currency: Symbol,
    },
}

impl ViewKey {
    /// The row of `view` that sums this fact. Each fact is part of exactly one row of each view.
    pub fn of(view: View, fact: &Fact) -> ViewKey {
        let &Fact { day, category, payment_method, currency } = fact;
        match view {
            View::Category => ViewKey::Category { day, category, currency },
            View::Day => ViewKey::Day { day, currency },
            View::Month => ViewKey::Month { month: day.month(), currency },
            View::PaymentMethod => ViewKey::PaymentMethod { day, payment_method, currency },
        }
    }

    /// The view this is a row of.
    pub const fn view(&self) -> View {
        match self {
            ViewKey::Category { .. } => View::Category,
            ViewKey::Day { .. } => View::Day,
            ViewKey::Month { .. } => View::Month,
            ViewKey::PaymentMethod { .. } => View::PaymentMethod,
        }
    }
}

/// For messages: `sales_per_day (2026-11-22, EUR)`.
impl fmt::Display for ViewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.view())?;
        match self {
            ViewKey::Category { day, category, currency } => write!(f, "({day}, {category}, {currency})"),
            ViewKey::Day { day, currency } => write!(f, "({day}, {currency})"),
            ViewKey::Month { month, currency } => write!(f, "({month}, {currency})"),
            ViewKey::PaymentMethod { day, payment_method, currency } => {
                write!(f, "({day}, {payment_method}, {currency})")
            }
        }
    }
}
