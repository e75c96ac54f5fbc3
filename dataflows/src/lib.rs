//! The dataflow of takings: from versions of orders to exact totals.
//!
//! What it can not do: read a clock, a file, a socket or an environment variable. Whatever it
//! computes follows from what it is fed, so the same log gives the same totals on every machine.

#![forbid(unsafe_code)]

pub mod amount;
pub mod changes;
pub mod day;
pub mod event;
pub mod graph;
mod in_order;
pub mod last_record;
pub mod listing;
pub mod log_time;
pub mod minute;
pub mod order;
pub mod period;
pub mod products;
pub mod rating;
mod ratings;
pub mod rollup;
pub mod row;
pub mod symbol;
pub mod takings;
pub mod upsert;
pub mod view;
mod volume;
