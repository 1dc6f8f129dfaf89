//! The command line. Each verb has its own file, except those that send a single patch (`command`).

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
mod program;
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
    /// Show an object with its dependents.
    #[command(subcommand)]
    Get(get::Kind),
    /// List objects.
    #[command(subcommand)]
    List(list::Kind),
    /// Show the status of a Rollout, and wait until it is Healthy or Degraded.
    ///
    /// Exit codes: 0 Healthy, 10 Degraded, 11 paused until a user acts, 12 progressing (with --watch=false), 124 not
    /// Healthy within --timeout; 3 the Rollout does not exist, 4 permission denied.
    Status(Box<status::Flags>),
    /// Explain what a Rollout is waiting for, how to unblock it, and what happens next.
    Explain(Box<explain::Flags>),
    /// End the pause of Rollouts, or skip steps of their updates.
    Promote(Box<command::Promote>),
    /// Abort the updates of Rollouts: the stable revision gets all traffic.
    Abort(Box<command::Abort>),
    /// Retry aborted updates or Experiments.
    #[command(subcommand)]
    Retry(command::Retry),
    /// Pause Rollouts until they are promoted.
    Pause(Box<command::Plain>),
    /// Restart the pods of Rollouts, one after the other.
    Restart(Box<command::Restart>),
    /// Roll back to an earlier revision with an update to its template.
    Undo(Box<command::Undo>),
    /// List the revisions of a Rollout, with their images and roles.
    History(Box<command::History>),
    /// Create Rollouts and related objects from files.
    Create(Box<command::Create>),
    /// Set a part of the pod template.
    #[command(subcommand)]
    Set(command::Set),
    /// Terminate running `AnalysisRuns` or Experiments.
    #[command(subcommand)]
    Terminate(command::Terminate),
    /// Check manifests before you apply them.
    ///
    /// Exit codes: 0 no findings, or only warnings and notes; 1 errors (with --strict also warnings); 2 invalid
    /// arguments.
    Lint(Box<lint::Flags>),
    /// Print the version.
    #[command(mut_args(client::without_use))]
    Version(Box<version::Flags>),
    /// Print a completion script for a shell. It also completes the names of Rollouts.
    ///
    /// To enable it in the current shell: `source <(serin completion bash)`. For other shells, see their manual.
    #[command(mut_args(client::without_use))]
    Completion(Box<completion::Flags>),
    /// Print the reference of the command line, or write it as man pages.
    Manual {
        /// Directory for the man pages, one per verb.
        #[arg(long, value_name = "DIRECTORY")]
        man: Option<PathBuf>,
    },
    /// Completion requests from kubectl.
    #[command(name = completion::COMPLETE, hide = true)]
    Complete {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<OsString>,
    },
    /// Run the controller, which watches and reconciles Rollouts.
    Controller(Box<controller::Flags>),
    /// Run everything on this machine without Kubernetes, and shift real HTTP traffic.
    #[cfg(feature = "playground")]
    Playground(playground::Flags),
    /// Print the custom resource definitions (CRDs), or write them to files.
    Crds {
        /// Directory for the definitions, one file per kind. Without it, prints them.
        #[arg(long, value_name = "DIRECTORY")]
        out: Option<PathBuf>,
    },
    /// Show all Rollouts on a web page. Not available yet.
    Dashboard(Later),
    /// Notify about events of Rollouts. Not available yet.
    Notifications(Later),
}

/// Arguments of verbs that are not available yet.
#[derive(Debug, Args)]
struct Later {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    arguments: Vec<OsString>,
}

impl Later {
    fn refuse(self, what: &str) -> Failure {
        let arguments = self.arguments.iter().map(|one| format!(" {}", one.to_string_lossy()));
        let asked: String = std::iter::once(what.to_owned()).chain(arguments).collect();
        Failure::Failed(format!("{asked}: this version has no {what} yet; a later version will have it"))
    }
}

/// The definition of the command line: verbs, arguments and help texts.
#[must_use]
pub fn definition() -> clap::Command {
    Cli::command()
}

/// Runs the command in the arguments of the process. clap reports invalid arguments.
#[must_use]
pub fn run() -> ExitCode {
    let path = std::env::args_os().next().unwrap_or_default();
    let program = Program::of(&path.to_string_lossy());
    if completion::answer(definition) {
        return ExitCode::SUCCESS;
    }
    let arguments = arguments::in_order(&definition(), std::env::args_os().collect());
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version were printed. An error means that no one reads them.
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
        Verb::Manual { man: None } => manual::page(definition()),
        Verb::Manual { man: Some(folder) } => manual::man_pages(definition(), &folder),
        Verb::Dashboard(later) => Err(later.refuse("dashboard")),
        Verb::Notifications(later) => Err(later.refuse("notifications")),
        Verb::Complete { words } => completion::answer_kubectl(definition(), words),
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

/// Runs the future of a user command.
fn ask(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Failed(format!("cannot start: {error}")))?;
    let done = runtime.block_on(work);
    // Pending requests are not awaited.
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
