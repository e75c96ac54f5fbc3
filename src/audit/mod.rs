//! The audit.
pub mod plain;
