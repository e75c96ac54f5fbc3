//! Upserts: every order's newest version ([`Orders`]) with the operator around it, and the newest version
//! of what is few and small.

mod effect;
mod facts;
mod newest;
mod operator;
mod orders;
mod slots;
mod sums;
mod times;

pub use effect::{Counted, Effect, Outcome};
pub use facts::{FactIndex, FactTable, Group, ProductNumber};
pub(crate) use newest::Newest;
pub(crate) use operator::upsert;
pub use orders::{Horizon, Orders, route};
pub(crate) use sums::{Daily, Sold};
