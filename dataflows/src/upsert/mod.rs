//! Orders as upserts: the state ([`Orders`]) and the operator around it.

mod facts;
mod operator;
mod orders;

pub use facts::{FactIndex, FactTable, Group};
pub(crate) use operator::upsert;
pub use orders::{Counted, Horizon, Orders, Outcome, route};
