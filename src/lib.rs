//! takings: live sales totals, exact to the cent.
//!
//! The shell around [`takings_dataflows`]: everything that touches the world. See ARCHITECTURE.md.

pub mod audit;
pub mod cli;
pub mod config;
pub mod formats;
pub mod generate;
pub mod job;
pub mod service;
pub mod source;
pub mod store;
