//! The decoder: every rejection names its field, what producers really write is read, and it agrees
//! with the audit's own plain reading of the same bytes. One module a format.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod agreement;
mod feedback;
mod mapping;
mod product_listings;
mod product_sold;
mod transactions;

#[path = "../readings/mod.rs"]
mod readings;
