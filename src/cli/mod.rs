//! The command line: one file a verb, but for those that are one patch (`command`).

mod client;
pub mod cluster;
mod command;
pub mod controller;
pub mod crds;
mod explain;
mod failure;
mod get;
mod list;
mod output;
pub mod playground;
mod promote;
mod status;
pub mod view;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use failure::{Failure, Program};

/// Progressive delivery for Kubernetes: a drop-in controller for argoproj.io Rollouts.
#[derive(Debug, Parser)]
#[command(name = "serin", version, propagate_version = true, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Shows an object in full.
    #[command(subcommand)]
    Get(get::Kind),
    /// Lists objects.
    #[command(subcommand)]
    List(list::Kind),
    /// Shows how a Rollout stands, and waits until it is Healthy or Degraded.
    ///
    /// Exit codes: 0 Healthy, 10 Degraded, 11 paused until a user does something, 12 on its way (with --watch=false),
    /// 124 not Healthy in time; 3 for a Rollout that does not exist, 4 for a missing right.
    Status(Box<status::Flags>),
    /// Says what a Rollout waits for, what would help, and what comes next.
    Explain(Box<explain::Flags>),
    /// Ends the pause of a Rollout, or skips steps of its update.
    Promote(Box<promote::Flags>),
    /// Takes back the updates of Rollouts: the stable revision gets all traffic.
    Abort(Box<command::Names>),
    /// Begins an aborted update anew.
    #[command(subcommand)]
    Retry(command::Retry),
    /// Holds Rollouts where they are, until they are promoted.
    Pause(Box<command::Names>),
    /// Replaces the pods of a Rollout, one after the other.
    Restart(Box<command::Restart>),
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

/// Does what the arguments of the process ask for. Mistakes in them are explained by clap.
#[must_use]
pub fn run() -> ExitCode {
    let path = std::env::args_os().next().unwrap_or_default();
    let program = Program::of(&path.to_string_lossy());
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are asked for; there is nothing to be done if nobody reads them.
            let _unread = error.print();
            return if error.use_stderr() { program.usage_code().into() } else { ExitCode::SUCCESS };
        }
    };
    match obey(cli.verb, program) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{}: {failure}", program.complaint());
            failure.code(program).into()
        }
    }
}

fn obey(verb: Verb, program: Program) -> Result<(), Failure> {
    match verb {
        Verb::Get(kind) => ask(get::run(kind, program)),
        Verb::List(kind) => ask(list::run(kind)),
        Verb::Status(flags) => ask(status::run(*flags, program)),
        Verb::Explain(flags) => ask(explain::run(*flags, program)),
        Verb::Promote(flags) => ask(promote::run(*flags, program)),
        Verb::Abort(names) => ask(command::abort(*names, program)),
        Verb::Retry(what) => ask(command::retry(what, program)),
        Verb::Pause(names) => ask(command::pause(*names, program)),
        Verb::Restart(flags) => ask(command::restart(*flags, program)),
        Verb::Controller(flags) => controller::run(*flags).map_err(failed),
        Verb::Playground(flags) => playground::run(flags).map_err(failed),
        Verb::Crds { out } => crds::run(out.as_deref()).map_err(failed),
    }
}

#[allow(clippy::needless_pass_by_value, reason = "as `map_err` wants it")]
fn failed(error: impl std::error::Error) -> Failure {
    Failure::Failed(error.to_string())
}

/// Waits for what a user asked for.
fn ask(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Failed(format!("cannot start: {error}")))?;
    let done = runtime.block_on(work);
    // Whatever still waits for an answer is not waited for.
    runtime.shutdown_background();
    done
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
