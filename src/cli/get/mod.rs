//! `serin get`: shows an object with its dependents, once or continuously.

mod live;
mod scene;
mod subject;

use std::time::Duration;

use clap::{Args, Subcommand};
use clap_complete::ArgValueCandidates;
use kube::api::DynamicObject;

use super::client::{Cluster, UserFlags};
use super::cluster::switch;
use super::completion;
use super::failure::{Failure, Program};
use super::output::{Form, has_colours, is_capable, print};
use super::view::Look;
use live::Canvas;
use scene::Scene;
use serin_clock::Clock;
use serin_core::api::{Experiment, Rollout};
use subject::Subject;
pub(super) use subject::SubjectKind;

/// The kind to show.
#[derive(Debug, Subcommand)]
pub(super) enum Kind {
    /// Show a Rollout: status, steps, and the tree of revisions, ReplicaSets and pods.
    #[command(visible_aliases = ["ro", "rollouts"],
              mut_arg("name", |name| name.add(ArgValueCandidates::new(completion::rollouts))))]
    Rollout(Box<Flags>),
    /// Show an Experiment: status, and the tree of its ReplicaSets and analyses.
    #[command(visible_aliases = ["exp", "experiments"],
              mut_arg("name", |name| name.add(ArgValueCandidates::new(completion::experiments))))]
    Experiment(Box<Flags>),
}

/// Flags of `serin get`.
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Name of the object
    name: String,
    /// Watch the object until Ctrl-C
    #[arg(long, short, value_name = "BOOL", value_parser = switch, default_value = "false",
          num_args = 0..=1, require_equals = true, default_missing_value = "true", conflicts_with = "output")]
    watch: bool,
    /// Stop watching after this many seconds; 0 never stops
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    timeout_seconds: u64,
    #[arg(long, help = "Disable colours; NO_COLOR and an output that is not a terminal do the same")]
    no_color: bool,
    /// Output format: wide (shows the nodes of pods), json, yaml, name, or jsonpath=TEMPLATE
    #[arg(long, short, value_name = "FORM")]
    output: Option<Form>,
    #[command(flatten)]
    user: UserFlags,
}

/// Shows an object with its dependents.
pub(super) async fn run(kind: Kind, program: Program) -> Result<(), Failure> {
    let (kind, flags) = match kind {
        Kind::Rollout(flags) => (SubjectKind::Rollout, *flags),
        Kind::Experiment(flags) => (SubjectKind::Experiment, *flags),
    };
    let Flags { name, watch, timeout_seconds, no_color, output, user } = flags;
    let cluster = Cluster::open(user).await?;
    // Reports at once an error that a watch would retry forever.
    let stored = match kind {
        SubjectKind::Rollout => cluster.stored::<Rollout>(&name, program).await?,
        SubjectKind::Experiment => cluster.stored::<Experiment>(&name, program).await?,
    };
    if let Some(form) = Form::for_programs(output.as_ref()) {
        return print(&form.object(&stored)?);
    }
    let subject = Subject::read(kind, stored)?;
    let is_coloured = !no_color && has_colours();
    if !watch {
        let is_wide = output == Some(Form::Wide);
        return once(&cluster, &subject, (is_coloured, is_wide), program).await;
    }
    let limit = Some(Duration::from_secs(timeout_seconds)).filter(|limit| !limit.is_zero());
    follow(&cluster, &subject, &name, is_coloured, limit, program).await
}

/// Watches an object that was just created.
pub(super) async fn watch(
    cluster: Cluster,
    kind: SubjectKind,
    made: DynamicObject,
    no_color: bool,
    program: Program,
) -> Result<(), Failure> {
    let (name, place) = (made.metadata.name.clone(), made.metadata.namespace.clone());
    let cluster = cluster.within(place);
    let subject = Subject::read(kind, made)?;
    follow(&cluster, &subject, &name.unwrap_or_default(), !no_color && has_colours(), None, program).await
}

async fn follow(
    cluster: &Cluster,
    subject: &Subject,
    name: &str,
    is_coloured: bool,
    limit: Option<Duration>,
    program: Program,
) -> Result<(), Failure> {
    let scene = Scene::open(cluster, name, subject, program);
    live::show(scene, Canvas::new(is_coloured, is_capable())?, limit).await
}

/// Prints the current state of an object, and warnings about kinds that cannot be listed.
async fn once(
    cluster: &Cluster,
    subject: &Subject,
    (is_coloured, is_wide): (bool, bool),
    program: Program,
) -> Result<(), Failure> {
    let (around, missing) = subject.around(cluster).await?;
    let is_full = !program.is_plugin();
    let look = Look { is_coloured, is_full, is_wide, ..Look::plain(Clock::System.now()) };
    print(&subject.shown(&around, &look))?;
    for one in missing {
        eprintln!("{one}");
    }
    Ok(())
}
