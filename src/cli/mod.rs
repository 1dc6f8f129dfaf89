//! The command line: one file a verb, but for those that are one patch (`command`).

mod arguments;
mod client;
pub mod cluster;
mod command;
mod completion;
pub mod controller;
pub mod crds;
mod explain;
mod failure;
mod get;
mod given;
mod jsonpath;
mod lint;
mod list;
pub mod manual;
mod output;
#[cfg(feature = "playground")]
pub mod playground;
mod screen;
mod status;
mod stops;
mod version;
pub mod view;
mod watch;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand};

use failure::{Failure, Program};

/// Progressive delivery for Kubernetes: a drop-in controller for argoproj.io Rollouts.
#[derive(Debug, Parser)]
#[command(
    name = "serin",
    version,
    propagate_version = true,
    disable_help_subcommand = true,
    args_override_self = true
)]
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
    /// Ends the pause of Rollouts, or skips steps of their updates.
    Promote(Box<command::Promote>),
    /// Takes back the updates of Rollouts: the stable revision gets all traffic.
    Abort(Box<command::Abort>),
    /// Begins what was aborted anew.
    #[command(subcommand)]
    Retry(command::Retry),
    /// Holds Rollouts where they are, until they are promoted.
    Pause(Box<command::Plain>),
    /// Replaces the pods of Rollouts, one after the other.
    Restart(Box<command::Restart>),
    /// Goes back to an earlier revision, by an update to its template.
    Undo(Box<command::Undo>),
    /// Lists the revisions of a Rollout, with their images and what they are to it.
    History(Box<command::History>),
    /// Makes Rollouts and what belongs to them, from files.
    Create(Box<command::Create>),
    /// Sets a part of the template.
    #[command(subcommand)]
    Set(command::Set),
    /// Ends what runs, before its time.
    #[command(subcommand)]
    Terminate(command::Terminate),
    /// Checks manifests before they reach a cluster.
    ///
    /// Exit codes: 0 nothing or only warnings and notes were found, 1 errors (with --strict also warnings), 2 wrong arguments.
    Lint(Box<lint::Flags>),
    /// Says which build this is.
    #[command(mut_args(client::without_use))]
    Version(Box<version::Flags>),
    /// Prints a script that completes what you type, with the names of Rollouts, for a shell.
    ///
    /// For the shell that you are in: `source <(serin completion bash)`; for others see the manual of the shell.
    #[command(mut_args(client::without_use))]
    Completion(Box<completion::Flags>),
    /// Prints the reference of the command line, or writes it as man pages.
    Manual {
        /// The folder to write man pages to, one a verb.
        #[arg(long, value_name = "DIRECTORY")]
        man: Option<PathBuf>,
    },
    /// What kubectl asks a plugin for the candidates of a completion.
    #[command(name = completion::COMPLETE, hide = true)]
    Complete {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<OsString>,
    },
    /// Runs the controller: watches Rollouts and carries out what they ask for.
    Controller(Box<controller::Flags>),
    /// Runs everything on this machine, without Kubernetes, and shifts real HTTP traffic.
    #[cfg(feature = "playground")]
    Playground(playground::Flags),
    /// Prints the definitions of the custom resources (CRDs), or writes them to files.
    Crds {
        /// The directory to write one file a kind to, instead of printing them.
        #[arg(long, value_name = "DIRECTORY")]
        out: Option<PathBuf>,
    },
    /// A page with all Rollouts. It comes with a later version.
    Dashboard(Later),
    /// Messages about what happens to Rollouts. They come with a later version.
    Notifications(Later),
}

/// Arguments of what is not there yet.
#[derive(Debug, Args)]
struct Later {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    arguments: Vec<OsString>,
}

impl Later {
    fn refuse(self, what: &str) -> Failure {
        let arguments = self.arguments.iter().map(|one| format!(" {}", one.to_string_lossy()));
        let asked: String = std::iter::once(what.to_owned()).chain(arguments).collect();
        Failure::Failed(format!("{asked}: this version has no {what} yet; it comes with a later one"))
    }
}

/// What precedes the flags that say which cluster is meant, in help.
const CLUSTER_HEADING: &str = "Which cluster, and as whom";

/// Does what the arguments of the process ask for. Mistakes in them are explained by clap.
#[must_use]
pub fn run() -> ExitCode {
    let path = std::env::args_os().next().unwrap_or_default();
    let program = Program::of(&path.to_string_lossy());
    if completion::answer() {
        return ExitCode::SUCCESS;
    }
    let arguments = arguments::in_order(&Cli::command(), std::env::args_os().collect());
    let cli = match Cli::try_parse_from(arguments) {
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
            if failure != Failure::Unread {
                for complaint in failure.complaints() {
                    eprintln!("{}: {complaint}", program.complaint());
                }
            }
            failure.code(program).into()
        }
    }
}

fn obey(verb: Verb, program: Program) -> Result<(), Failure> {
    match verb {
        Verb::Get(kind) => ask(get::run(kind, program)),
        Verb::List(kind) => ask(list::run(kind, program)),
        Verb::Status(flags) => ask(status::run(*flags, program)),
        Verb::Explain(flags) => ask(explain::run(*flags, program)),
        Verb::Promote(flags) => ask(command::promote(*flags, program)),
        Verb::Abort(flags) => ask(command::abort(*flags, program)),
        Verb::Retry(what) => ask(command::retry(what, program)),
        Verb::Pause(flags) => ask(command::pause(*flags, program)),
        Verb::Restart(flags) => ask(command::restart(*flags, program)),
        Verb::Undo(flags) => ask(command::undo(*flags, program)),
        Verb::History(flags) => ask(command::history(*flags, program)),
        Verb::Create(flags) => ask(command::create(*flags, program)),
        Verb::Set(what) => ask(command::set(what, program)),
        Verb::Terminate(what) => ask(command::terminate(what, program)),
        Verb::Version(flags) => version::run(&flags, program),
        Verb::Completion(flags) => completion::script(&flags, program.name()),
        Verb::Manual { man } => man.map_or_else(manual::page, |folder| manual::man_pages(&folder)),
        Verb::Dashboard(later) => Err(later.refuse("dashboard")),
        Verb::Notifications(later) => Err(later.refuse("notifications")),
        Verb::Complete { words } => completion::answer_kubectl(words),
        Verb::Lint(flags) => ask(lint::run(*flags, program)),
        Verb::Controller(flags) => controller::run(*flags).map_err(failed),
        #[cfg(feature = "playground")]
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
