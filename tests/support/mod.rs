//! Real servers for the tests: started on free ports in temporary folders, gone when the test is.
//!
//! Every integration test compiles this module for itself and uses the part it needs, hence the
//! allowances: what one test leaves unused another one calls, a server that does not start is a test
//! that fails, and what is awaited is asked for in turns.
#![allow(dead_code, unreachable_pub, unused_imports)]
#![allow(clippy::disallowed_methods, clippy::expect_used, clippy::panic, clippy::unwrap_used)]

pub mod clients;
pub mod cluster;
pub mod disk;
pub mod guard;
pub mod job;
pub mod kafka;
pub mod link;
pub mod orders;
pub mod pgbouncer;
pub mod port;
pub mod postgres;
pub mod products;
pub mod proxy;
pub mod python;
pub mod service;
pub mod stores;
pub mod takings;
pub mod target;
pub mod wait;
