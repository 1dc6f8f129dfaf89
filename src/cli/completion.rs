//! Shell completion of verbs, flags, and names of objects in the cluster.

use std::env;
use std::ffi::OsString;
use std::io::Write;
use std::time::Duration;

use clap::{Args, Command, FromArgMatches, ValueEnum};
use clap_complete::CompletionCandidate;
use clap_complete::engine::complete;
use clap_complete::env::{CompleteEnv, Shells};
use kube::api::ListParams;
use kube::core::ApiResource;

use super::client::{self, Cluster, UserFlags};
use super::failure::Failure;
use super::output::print;
use serin_core::api::{AnalysisRun, Experiment};

/// Environment variable that the shell scripts set when they request candidates.
const VARIABLE: &str = "SERIN_COMPLETE";
/// Timeout for reading names from the cluster.
const PATIENCE: Duration = Duration::from_secs(2);

/// Flags of `serin completion`.
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// The shell
    shell: Shell,
    #[command(flatten)]
    _without_use: UserFlags,
}

/// A shell.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
    Powershell,
}

impl Shell {
    const fn name(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Fish => "fish",
            Self::Powershell => "powershell",
        }
    }
}

/// The commands to complete, from the definition of the command line. The flags of kubectl come before them; the original
/// commands define these flags for each verb.
fn completed(definition: Command) -> Command {
    UserFlags::augment_args(definition)
}

/// Answers a shell that requests candidates for the command line with this definition. Returns true if there was a
/// request.
pub(super) fn answer(definition: fn() -> Command) -> bool {
    let environment = CompleteEnv::with_factory(move || completed(definition())).var(VARIABLE);
    environment.try_complete(env::args_os(), env::current_dir().ok().as_deref()).unwrap_or(true)
}

/// The completion script for a shell. `program` is the command that users type.
pub(super) fn script(flags: &Flags, program: &str) -> Result<(), Failure> {
    let shells = Shells::builtins();
    let failed = |why: String| Failure::Failed(format!("cannot write the script: {why}"));
    let completer =
        shells.completer(flags.shell.name()).ok_or_else(|| failed("unsupported shell".to_owned()))?;
    let mut script = Vec::new();
    completer
        .write_registration(VARIABLE, program, program, program, &mut script)
        .map_err(|error| failed(error.to_string()))?;
    print(&String::from_utf8_lossy(&script))
}

/// Answers kubectl, which requests candidates from a plugin in this way: one per line, and a final line that disables
/// file names.
pub(super) fn answer_kubectl(definition: Command, words: Vec<OsString>) -> Result<(), Failure> {
    let line: Vec<OsString> = std::iter::once(OsString::from("serin")).chain(words).collect();
    let last = line.len() - 1;
    let candidates = complete(&mut completed(definition), line, last, None).unwrap_or_default();
    let mut lines = Vec::new();
    for candidate in &candidates {
        let help = candidate.get_help().map(|help| format!("\t{help}")).unwrap_or_default();
        let value = candidate.get_value().to_string_lossy();
        // Writing to memory cannot fail.
        let _written = writeln!(lines, "{value}{help}");
    }
    print(&format!("{}:4\n", String::from_utf8_lossy(&lines)))
}

/// The names of Rollouts.
pub(super) fn rollouts() -> Vec<CompletionCandidate> {
    names(&client::rollouts())
}

/// The names of Experiments.
pub(super) fn experiments() -> Vec<CompletionCandidate> {
    names(&ApiResource::erase::<Experiment>(&()))
}

/// The names of `AnalysisRuns`.
pub(super) fn analysis_runs() -> Vec<CompletionCandidate> {
    names(&ApiResource::erase::<AnalysisRun>(&()))
}

/// The names of the objects of a kind, for the words on the command line. Empty if the cluster does not answer soon.
fn names(kind: &ApiResource) -> Vec<CompletionCandidate> {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return Vec::new();
    };
    let listed = async {
        let cluster = Cluster::open(flags(words())?).await.ok()?;
        let objects = cluster.objects_of(kind);
        tokio::time::timeout(PATIENCE, objects.list_metadata(&ListParams::default())).await.ok()?.ok()
    };
    let found = runtime.block_on(listed).map(|list| list.items).unwrap_or_default();
    found.into_iter().filter_map(|one| one.metadata.name).map(CompletionCandidate::new).collect()
}

/// The words on the command line: those behind the `--` of the script, or those from kubectl.
fn words() -> Vec<OsString> {
    let begin = |word: &OsString| word == "--" || word == COMPLETE;
    env::args_os().skip_while(|word| !begin(word)).skip(1).collect()
}

/// The words from kubectl.
pub(super) const COMPLETE: &str = "__complete";

/// The flags that select the cluster in these words.
fn flags(words: Vec<OsString>) -> Option<UserFlags> {
    let command = UserFlags::augment_args(Command::new("words")).args_override_self(true);
    let takes_value = |name: &str| {
        let is = |arg: &clap::Arg| {
            arg.get_long().is_some_and(|long| name == format!("--{long}"))
                || arg.get_short().is_some_and(|short| name == format!("-{short}"))
        };
        let known = command.get_arguments().find(|arg| is(arg))?;
        Some(known.get_num_args().is_none_or(|values| values.min_values() > 0))
    };
    let mut chosen = vec![OsString::from("words")];
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let text = word.to_string_lossy().into_owned();
        let (name, has_value) = name(&text);
        if let Some(takes_value) = takes_value(name) {
            chosen.push(word);
            if takes_value && !has_value {
                chosen.extend(words.next());
            }
        }
    }
    let matches = command.try_get_matches_from(chosen).ok()?;
    UserFlags::from_arg_matches(&matches).ok()
}

/// Parses a flag that contains its value: `--namespace=shop`, `-nshop`.
fn name(word: &str) -> (&str, bool) {
    match (word.split_once('='), word.get(..2)) {
        (_, Some(short)) if word.len() > 2 && word.starts_with('-') && short != "--" => (short, true),
        (Some((name, _)), _) => (name, true),
        (None, _) => (word, false),
    }
}
