//! Upserts: every order's newest version ([`Orders`]) with the operator around it, and the newest version
//! of what is few and small.

mod facts;
mod gathered;
mod newest;
mod operator;
mod orders;
mod slots;
mod times;

pub use facts::{FactIndex, FactTable, Group, ProductNumber};
pub(crate) use gathered::{Daily, Sold};
pub(crate) use newest::Newest;
pub(crate) use operator::upsert;
pub use orders::{Counted, Effect, Horizon, Orders, Outcome, route};
