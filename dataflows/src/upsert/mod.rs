//! Orders as upserts: the state ([`Orders`]) and the operator around it.

mod operator;
mod orders;

pub(crate) use operator::upsert;
pub use orders::{Horizon, Orders, Outcome, route};
