//! `serin version`: prints the version.

use clap::Args;
use serde_json::json;

use super::client::UserFlags;
use super::failure::{Failure, Program};
use super::output::{Form, print};

/// Flags of `serin version`.
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Print the version number only
    #[arg(long)]
    short: bool,
    /// Output format: json, yaml, or jsonpath=TEMPLATE, with the fields `version` and `platform`
    #[arg(long, short, value_name = "FORM")]
    output: Option<Form>,
    #[command(flatten)]
    _without_use: UserFlags,
}

/// Prints the version.
pub(super) fn run(flags: &Flags, program: Program) -> Result<(), Failure> {
    let version = concat!("v", env!("CARGO_PKG_VERSION"));
    let platform = format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH);
    if let Some(form) = Form::for_programs(flags.output.as_ref()) {
        return print(&form.document(&json!({"version": version, "platform": platform}))?);
    }
    if flags.short {
        return print(&format!("{version}\n"));
    }
    print(&format!("{}: {version}\n  Platform: {platform}\n", program.name()))
}
