//! `serin get rollout`: one Rollout in full, with what belongs to it.

use std::env;
use std::io::IsTerminal;

use clap::{Args, Subcommand};
use k8s_openapi::api::apps::v1::ReplicaSet;
use kube::api::ListParams;
use kube::core::Selector;

use super::client::{self, Cluster, UserFlags};
use super::failure::{Failure, Program};
use super::output::{Form, print};
use super::view::{self, Surroundings, is_owned};
use crate::api::{Experiment, Rollout, keys};
use crate::clock::Clock;

/// What is shown.
#[derive(Debug, Subcommand)]
pub(super) enum Kind {
    /// A Rollout: how it stands, and the tree of its revisions, ReplicaSets and pods.
    #[command(visible_aliases = ["ro", "rollouts"])]
    Rollout(Box<Flags>),
}

/// Flags of `serin get rollout`.
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Name of the Rollout
    name: String,
    #[arg(
        long,
        help = "Show no colours; there are none where NO_COLOR is set either, nor where the output is no terminal"
    )]
    no_color: bool,
    /// Print the object, or its name, for programs
    #[arg(long, short, value_name = "FORM")]
    output: Option<Form>,
    #[command(flatten)]
    user: UserFlags,
}

/// Prints one object in full.
pub(super) async fn run(kind: Kind, program: Program) -> Result<(), Failure> {
    let Kind::Rollout(flags) = kind;
    let Flags { name, no_color, output, user } = *flags;
    let cluster = Cluster::open(user).await?;
    let stored = cluster.stored::<Rollout>(&name, program).await?;
    if let Some(form) = output {
        return print(&form.object(&stored)?);
    }
    let rollout = client::rollout(stored)?;
    let around = around(&cluster, &rollout).await?;
    print(&view::rollout(&rollout, &around, Clock::System.now(), !no_color && has_colours()))
}

/// Whether who reads the output sees colours.
fn has_colours() -> bool {
    let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    std::io::stdout().is_terminal()
        && !is_set("NO_COLOR")
        && env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// What may belong to a Rollout: of each kind one list, as short as selectors make it.
async fn around(cluster: &Cluster, rollout: &Rollout) -> Result<Surroundings, Failure> {
    let hashed = ListParams::default().labels(keys::POD_HASH_LABEL);
    let experiments: Vec<Experiment> = cluster.list(&hashed).await?;
    // What an Experiment makes has labels of its own.
    let is_alone = !experiments.iter().any(|one| is_owned(&one.metadata, &rollout.metadata));
    let selector = if is_alone { selector(rollout) } else { ListParams::default() };
    let runs = if is_alone { hashed } else { ListParams::default() };
    let (replica_sets, pods, analysis_runs) = tokio::try_join!(
        cluster.list::<ReplicaSet>(&selector),
        cluster.list(&selector),
        cluster.list(&runs),
    )?;
    Ok(Surroundings { replica_sets, pods, experiments, analysis_runs })
}

/// Which ReplicaSets and pods a Rollout may have made.
fn selector(rollout: &Rollout) -> ListParams {
    let own = rollout.spec.selector.clone().and_then(|selector| Selector::try_from(selector).ok());
    let hashed = ListParams::default().labels(keys::POD_HASH_LABEL);
    own.map_or(hashed, |selector| ListParams::default().labels_from(&selector))
}
