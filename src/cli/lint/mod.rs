//! `serin lint`: checks manifests before they reach a cluster. Reports what the controller would refuse, and what is
//! valid but probably not intended.

mod check;
mod controller;
mod finding;
mod forms;
mod guess;
mod live;
mod object;
mod plugin;
mod rule;
mod rules;
mod sarif;
mod shape;
mod source;
mod strict;
mod world;

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::client::{Cluster, UserFlags};
use super::failure::{Failure, Program};
use super::output::print;
use finding::Finding;
pub(super) use object::Sound;
use rule::Severity;
use source::files::{self, File};

/// Flags of `serin lint`.
#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(super) struct Flags {
    /// Files and directories to check; - is the standard input
    #[arg(value_name = "FILE")]
    paths: Vec<PathBuf>,
    /// File or directory to check; repeatable
    #[arg(long = "filename", short = 'f', value_name = "FILE")]
    filenames: Vec<PathBuf>,
    /// Include subdirectories
    #[arg(long, short = 'R')]
    recursive: bool,
    /// Exit with 1 if there are warnings
    #[arg(long, visible_alias = "warnings-are-errors")]
    strict: bool,
    /// Also check against the cluster: objects that Rollouts reference, and whether the user may write Rollouts
    #[arg(long)]
    live: bool,
    /// Output format of the findings
    #[arg(long, short, value_name = "FORM")]
    output: Option<Form>,
    /// Print all rules as a Markdown table
    #[arg(long, exclusive = true)]
    rules: bool,
    #[command(flatten)]
    user: UserFlags,
}

/// An output format for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// A JSON document.
    Json,
    /// SARIF 2.1.0, which code hosts show beside the source lines.
    Sarif,
}

/// Checks manifests and prints the findings.
pub(super) async fn run(flags: Flags, program: Program) -> Result<(), Failure> {
    if flags.rules {
        return print(&rules::table());
    }
    let paths: Vec<PathBuf> = flags.filenames.into_iter().chain(flags.paths).collect();
    if paths.is_empty() {
        return Err(Failure::Usage("no file or directory given; use `serin lint -f FILE`".to_owned()));
    }
    let files = files::read(&paths, flags.recursive);
    if program.is_plugin() {
        return plugin::lint(&files);
    }
    let cluster = if flags.live { Some(Cluster::open(flags.user).await?) } else { None };
    let report = report(&files, cluster.as_ref()).await?;
    let document = match flags.output {
        None => forms::text(&report.findings),
        Some(Form::Json) => format!("{:#}\n", forms::json(&report.findings)),
        Some(Form::Sarif) => format!("{:#}\n", sarif::log(&report.findings)),
    };
    print(&document)?;
    verdict(&report, flags.strict)
}

/// The objects in files. Fails for anything that is unreadable or has unknown fields.
pub(super) fn sound(paths: &[PathBuf]) -> Result<Vec<Sound>, Failure> {
    let (objects, mut findings) = object::objects(&files::read(paths, false));
    findings.extend(check::read(&objects).1.into_iter().filter(|finding| !finding.is_about_status()));
    if !findings.is_empty() {
        return Err(Failure::Failed(forms::text(&findings).trim_end().to_owned()));
    }
    if objects.is_empty() {
        return Err(Failure::Failed("the files contain no object".to_owned()));
    }
    Ok(objects.into_iter().map(object::Object::into_sound).collect())
}

/// The result of checking files.
struct Report {
    /// Sorted by file, line and column.
    findings: Vec<Finding>,
    /// The number of Rollouts.
    rollouts: usize,
}

async fn report(files: &[File], cluster: Option<&Cluster>) -> Result<Report, Failure> {
    let (objects, mut findings) = object::objects(files);
    let (rollouts, unread) = check::read(&objects);
    findings.extend(unread.into_iter().filter(|finding| !finding.is_about_status()));
    let world = check::world(&objects);
    let live = match cluster {
        Some(cluster) => Some(live::Live::look(cluster, &rollouts, &world).await?),
        None => None,
    };
    for rollout in &rollouts {
        findings.extend(check::judge(rollout, live.as_ref().map_or(&world, |live| &live.world)));
        findings.extend(live.iter().flat_map(|live| live.judge(rollout)));
    }
    // A file may be given twice. Its findings are sorted by position.
    findings.sort_by(|one, other| one.order().cmp(&other.order()));
    findings.dedup();
    let is_rollout = |object: &&object::Object| object.is(serin_core::api::keys::ROLLOUT);
    Ok(Report { findings, rollouts: objects.iter().filter(is_rollout).count() })
}

/// Returns `Ok` if there are only warnings and notes. Prints the summary to the standard error.
fn verdict(report: &Report, is_strict: bool) -> Result<(), Failure> {
    let worst_allowed = if is_strict { Severity::Note } else { Severity::Warning };
    let is_error = |finding: &Finding| finding.rule.severity < worst_allowed;
    match forms::summary(&report.findings) {
        Some(summary) if report.findings.iter().any(is_error) => return Err(Failure::Failed(summary)),
        Some(summary) => eprintln!("serin: {summary}"),
        None if report.rollouts == 0 => eprintln!("serin: the files contain no Rollout"),
        None => {}
    }
    Ok(())
}
