//! Upserts: every order's newest version ([`Orders`]) with the operator around it, and the newest version
//! of what is few and small.

mod facts;
mod newest;
mod operator;
mod orders;
mod slots;
mod sums;
mod times;

pub use facts::{FactIndex, FactTable, Group, ProductNumber};
pub(crate) use newest::Newest;
pub(crate) use operator::upsert;
pub use orders::{Counted, Effect, Horizon, Orders, Outcome, route};
pub(crate) use sums::{Daily, Sold};
