//! `serin create`: creates objects from files, and `AnalysisRuns` from templates.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::super::client::{Cluster, UserFlags};
use super::super::failure::{Failure, Program};
use super::super::get::{self, SubjectKind};
use super::super::lint;
use super::analysis_run::{AnalysisRunFlags, analysis_run};
use super::manner::Manner;
use super::new::New;

/// Flags of `serin create`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(in crate::cli) struct Create {
    #[command(subcommand)]
    what: Option<What>,
    /// File or directory with manifests; - is the standard input; repeatable
    #[arg(long = "filename", short = 'f', value_name = "FILE", required = true)]
    filenames: Vec<PathBuf>,
    /// Watch the last object, a Rollout or an Experiment, until Ctrl-C
    #[arg(long, short, conflicts_with_all = ["dry_run", "output"])]
    watch: bool,
    /// Show no colours
    #[arg(long)]
    no_color: bool,
    #[command(flatten)]
    manner: Manner,
    #[command(flatten)]
    user: UserFlags,
}

/// Objects that are not created from their own manifest.
#[derive(Debug, Subcommand)]
enum What {
    /// Create an `AnalysisRun` from a template.
    #[command(visible_aliases = ["ar", "analysisruns"])]
    Analysisrun(Box<AnalysisRunFlags>),
}

/// Creates objects.
pub(in crate::cli) async fn create(flags: Create, program: Program) -> Result<(), Failure> {
    if let Some(What::Analysisrun(flags)) = flags.what {
        return analysis_run(*flags).await;
    }
    let objects = lint::sound(&flags.filenames)?;
    // All objects are checked before the first one is created.
    let objects = objects.into_iter().map(New::of).collect::<Result<Vec<_>, _>>()?;
    let watched = objects.last().filter(|_| flags.watch);
    let watched = watched.map(|last| SubjectKind::of(last.kind())).transpose()?;
    let cluster = Cluster::open(flags.user).await?;
    let mut made = Vec::new();
    for new in objects {
        made.push(new.make(&cluster, &flags.manner).await?);
    }
    flags.manner.tell_programs(&made)?;
    match (watched, made.pop()) {
        (Some(kind), Some(last)) => get::watch(cluster, kind, last, flags.no_color, program).await,
        (Some(_) | None, Some(_) | None) => Ok(()),
    }
}
