//! The command line: one file a verb.

pub mod controller;
pub mod crds;
pub mod playground;
pub mod view;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Progressive delivery for Kubernetes: a drop-in controller for argoproj.io Rollouts.
#[derive(Debug, Parser)]
#[command(name = "serin", version, propagate_version = true, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Runs the controller: watches Rollouts and carries out what they ask for.
    Controller(Box<controller::Flags>),
    /// Runs everything on this machine, without Kubernetes, and shifts real HTTP traffic.
    Playground(playground::Flags),
    /// Prints the definitions of the custom resources (CRDs), or writes them to files.
    Crds {
        /// The directory to write one file a kind to, instead of printing them.
        #[arg(long, value_name = "DIRECTORY")]
        out: Option<PathBuf>,
    },
}

/// Does what the arguments of the process ask for. Mistakes in them end the process with clap's message and code 2.
#[must_use]
pub fn run() -> ExitCode {
    let done = match Cli::parse().verb {
        Verb::Controller(flags) => controller::run(*flags).map_err(|error| error.to_string()),
        Verb::Playground(flags) => playground::run(flags).map_err(|error| error.to_string()),
        Verb::Crds { out } => crds::run(out.as_deref()).map_err(|error| error.to_string()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("serin: {message}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_namespace_may_be_named_in_either_mode() {
        let parse = |args: &[&str]| Cli::try_parse_from(["serin", "controller"].iter().chain(args));
        assert!(parse(&["-n", "shop"]).is_ok());
        assert!(parse(&["-n", "shop", "--namespaced"]).is_ok());
        assert!(parse(&["--no-such-flag"]).is_err());
    }
}
