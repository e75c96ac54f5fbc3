//! The views: which rows each has, and which rows a sale is part of.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::day::{Day, Month};
use crate::minute::Minute;
use crate::period::Period;
use crate::symbol::Symbol;

/// The category of a sale that names none, whose product the catalogue does not have or has without one.
pub const UNLISTED: &str = "unlisted";

/// A product or payment method that an order does not name.
pub const UNKNOWN: &str = "unknown";

/// A view. Its name is its table's name: a contract with readers.
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
    /// `sales_facts`: by day, category, payment method and currency.
    Facts,
    /// `sales_per_product`: by day, product and currency.
    Product,
    /// `top_products`: the best sellers of all time, of each month and of each day, by currency.
    Top,
    /// `products`: the catalogue.
    Products,
    /// `ratings_per_product`: by product.
    Ratings,
    /// `orders_per_minute`: by minute of the log and currency.
    Minute,
    /// `listed_facts`: by day, product, payment method and currency, the sales that follow the catalogue. No view of
    /// readers, but what [`View::Facts`] can not give back: it is kept where that is.
    ListedFacts,
}

impl View {
    /// All that readers are shown, in the order of the documentation.
    pub const ALL: [View; 10] = [
        View::Category,
        View::Day,
        View::Month,
        View::PaymentMethod,
        View::Facts,
        View::Product,
        View::Top,
        View::Products,
        View::Ratings,
        View::Minute,
    ];

    /// Those that are kept where nobody says which: all but `sales_facts`, which has several times the rows of the
    /// other totals by day.
    pub const DEFAULT: [View; 9] = [
        View::Category,
        View::Day,
        View::Month,
        View::PaymentMethod,
        View::Product,
        View::Top,
        View::Products,
        View::Ratings,
        View::Minute,
    ];

    /// Every table of rows: the views, and what is kept beside them.
    pub const TABLES: [View; 11] = [
        View::Category,
        View::Day,
        View::Month,
        View::PaymentMethod,
        View::Facts,
        View::Product,
        View::Top,
        View::Products,
        View::Ratings,
        View::Minute,
        View::ListedFacts,
    ];

    /// The name of its table, of its route and of its key in the event feed.
    pub const fn name(self) -> &'static str {
        match self {
            View::Category => "sales_per_category",
            View::Day => "sales_per_day",
            View::Month => "sales_per_month",
            View::PaymentMethod => "sales_per_payment_method",
            View::Facts => "sales_facts",
            View::Product => "sales_per_product",
            View::Top => "top_products",
            View::Products => "products",
            View::Ratings => "ratings_per_product",
            View::Minute => "orders_per_minute",
            View::ListedFacts => "listed_facts",
        }
    }

    /// Whether readers are shown it.
    pub const fn is_shown(self) -> bool {
        !matches!(self, View::ListedFacts)
    }

    /// The view, or what is kept beside views, whose table this is.
    pub fn of_table(name: &str) -> Option<View> {
        View::TABLES.into_iter().find(|view| view.name() == name)
    }
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no view's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no view is named {0:?}; the views are {all}", all = View::ALL.map(View::name).join(", "))]
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
    /// A row of `sales_facts`.
    Facts {
        /// `order_date`
        day: Day,
        /// `category`
        category: Symbol,
        /// `payment_method`
        payment_method: Symbol,
        /// `currency`
        currency: Symbol,
    },
    /// A row of `sales_per_product`.
    Product {
        /// `order_date`
        day: Day,
        /// `product`
        product: Symbol,
        /// `currency`
        currency: Symbol,
    },
    /// A row of `top_products`.
    Top {
        /// `period`
        period: Period,
        /// `currency`
        currency: Symbol,
        /// `rank`, from 1
        rank: u16,
    },
    /// A row of `products`.
    Listing {
        /// `product`
        product: Symbol,
    },
    /// A row of `ratings_per_product`.
    Rating {
        /// `product`
        product: Symbol,
    },
    /// A row of `orders_per_minute`.
    Minute {
        /// `minute`
        minute: Minute,
        /// `currency`
        currency: Symbol,
    },
    /// A row of `listed_facts`.
    ListedFacts {
        /// `order_date`
        day: Day,
        /// `product`
        product: Symbol,
        /// `payment_method`
        payment_method: Symbol,
        /// `currency`
        currency: Symbol,
    },
}

impl ViewKey {
    /// The view this is a row of.
    pub const fn view(&self) -> View {
        match self {
            ViewKey::Category { .. } => View::Category,
            ViewKey::Day { .. } => View::Day,
            ViewKey::Month { .. } => View::Month,
            ViewKey::PaymentMethod { .. } => View::PaymentMethod,
            ViewKey::Facts { .. } => View::Facts,
            ViewKey::Product { .. } => View::Product,
            ViewKey::Top { .. } => View::Top,
            ViewKey::Listing { .. } => View::Products,
            ViewKey::Rating { .. } => View::Ratings,
            ViewKey::Minute { .. } => View::Minute,
            ViewKey::ListedFacts { .. } => View::ListedFacts,
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
            ViewKey::Facts { day, category, payment_method, currency } => {
                write!(f, "({day}, {category}, {payment_method}, {currency})")
            }
            ViewKey::Product { day, product, currency } => write!(f, "({day}, {product}, {currency})"),
            ViewKey::Top { period, currency, rank } => write!(f, "({period}, {currency}, {rank})"),
            ViewKey::Listing { product } | ViewKey::Rating { product } => write!(f, "({product})"),
            ViewKey::Minute { minute, currency } => write!(f, "({minute}, {currency})"),
            ViewKey::ListedFacts { day, product, payment_method, currency } => {
                write!(f, "({day}, {product}, {payment_method}, {currency})")
            }
        }
    }
}
