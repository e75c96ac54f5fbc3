//! The command line: one module a subcommand.

pub mod generate;
