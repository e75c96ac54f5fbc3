//! What one record did to its order.

use super::facts::{FactIndex, ProductNumber};
use crate::amount::Amount;
use crate::minute::Minute;
use crate::order::Version;
use crate::takings::Takings;

/// What one record did to its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A new order. `beyond_horizon`: it is dated before what is still known, or its record came late, so that it may
    /// correct an order that is no longer known.
    Applied {
        /// See above.
        beyond_horizon: bool,
    },
    /// The same content as known. `is_newest`: the record is now the order's newest version.
    Duplicate {
        /// See above.
        is_newest: bool,
    },
    /// Older than what is known; nothing changed.
    Superseded,
    /// Other content than known: what it was, `None` where it had been cancelled.
    Corrected {
        /// What it was.
        was: Option<Counted>,
    },
    /// Cancelled: what it was, `None` where the order was not known.
    Cancelled {
        /// What it was.
        was: Option<Counted>,
        /// By a correction window the order is not known, though it may be counted.
        beyond_horizon: bool,
    },
}

/// A contribution as a slot holds it: its fact by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The group it counts in; see [`Orders::facts`](super::Orders::facts).
    pub fact: FactIndex,
    /// What was sold.
    pub product: ProductNumber,
    /// Its amount.
    pub amount: Amount,
    /// Its quantity.
    pub units: i64,
}

impl Counted {
    /// What it adds to its totals.
    pub const fn takings(&self) -> Takings {
        Takings::of_order(self.amount, self.units)
    }
}

/// What one record did, and where that leaves its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effect {
    /// What it did.
    pub outcome: Outcome,
    /// What the order counts as now; `None` where it is cancelled.
    pub is: Option<Counted>,
    /// The minute the order counted in before; for a new order the one it counts in now.
    pub minute_was: Minute,
    /// The minute it counts in now: that of its oldest record that is known.
    pub minute: Minute,
    /// The version that stands now; see [`Version::beside`] for its timestamp.
    pub version: Version,
}

impl Effect {
    /// What the order counted as before.
    pub const fn was(&self) -> Option<Counted> {
        match self.outcome {
            Outcome::Applied { .. } => None,
            Outcome::Duplicate { .. } | Outcome::Superseded => self.is,
            Outcome::Corrected { was } | Outcome::Cancelled { was, .. } => was,
        }
    }

    /// Whether it changed what the order counts as.
    pub const fn changes_order(&self) -> bool {
        !matches!(self.outcome, Outcome::Duplicate { .. } | Outcome::Superseded)
    }
}
