//! The `serin` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    serin::cli::run()
}
