//! The `takings` binary; see [`takings::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    takings::cli::main()
}
