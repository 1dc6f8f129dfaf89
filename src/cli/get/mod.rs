//! `serin get`: one object in full, with what belongs to it; once, or as long as somebody looks.

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

/// What is shown.
#[derive(Debug, Subcommand)]
pub(super) enum Kind {
    /// A Rollout: how it stands, and the tree of its revisions, ReplicaSets and pods.
    #[command(visible_aliases = ["ro", "rollouts"],
              mut_arg("name", |name| name.add(ArgValueCandidates::new(completion::rollouts))))]
    Rollout(Box<Flags>),
    /// An Experiment: how it stands, and the tree of its ReplicaSets and analyses.
    #[command(visible_aliases = ["exp", "experiments"],
              mut_arg("name", |name| name.add(ArgValueCandidates::new(completion::experiments))))]
    Experiment(Box<Flags>),
}

/// Flags of `serin get`.
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Name of the object
    name: String,
    /// Go on showing it, until Ctrl-C
    #[arg(long, short, value_name = "BOOL", value_parser = switch, default_value = "false",
          num_args = 0..=1, require_equals = true, default_missing_value = "true", conflicts_with = "output")]
    watch: bool,
    /// Seconds after which a watch ends; 0 is never
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    timeout_seconds: u64,
    #[arg(
        long,
        help = "Show no colours; there are none where NO_COLOR is set either, nor where the output is no terminal"
    )]
    no_color: bool,
    /// Tell where pods are (wide), or print the object for programs: json, yaml, name, or jsonpath=TEMPLATE
    #[arg(long, short, value_name = "FORM")]
    output: Option<Form>,
    #[command(flatten)]
    user: UserFlags,
}

/// Shows one object in full.
pub(super) async fn run(kind: Kind, program: Program) -> Result<(), Failure> {
    let (kind, flags) = match kind {
        Kind::Rollout(flags) => (SubjectKind::Rollout, *flags),
        Kind::Experiment(flags) => (SubjectKind::Experiment, *flags),
    };
    let Flags { name, watch, timeout_seconds, no_color, output, user } = flags;
    let cluster = Cluster::open(user).await?;
    // The first look tells at once what a watch would try again and again.
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

/// Goes on showing an object of a kind, which was just made.
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

/// Prints an object as it is now, and says what of it cannot be seen.
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
