//! The page in a real browser, on the real binary: with Kafka and PostgreSQL behind it, and with the embedded default.
//!
//! | module | noun |
//! |---|---|
//! | `shop` | a job that counts, a service that serves it, and orders that arrive |
//! | `till` | where a test in the browser sells what it then looks for |
//! | `wire` | what an order puts on the event stream |
//! | `browser` | the dashboard's own tests (`dashboard/e2e`), run against the service |
//! | `pace` | the page while thousands of orders a second arrive |
//! | `numbers` | every number of the page, computed once more in plain SQL |
//!
//! The dashboard's tests say what a reader must see; here they run against orders that go all the way.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "times are for who reads the test's output")]
#![allow(missing_docs, reason = "a test has no readers of its documentation but those of its files")]

mod browser;
mod numbers;
mod pace;
mod shop;
#[path = "../support/mod.rs"]
mod support;
mod till;
mod wire;
