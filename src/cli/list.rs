//! `serin list rollouts`: Rollouts as a table.

use clap::{Args, Subcommand};
use kube::api::ListParams;

use super::client::{self, Cluster, UserFlags};
use super::failure::Failure;
use super::output::{Form, print};
use super::view::{self, ListColumns};
use crate::api::Rollout;
use crate::clock::Clock;

/// What is listed.
#[derive(Debug, Subcommand)]
pub(super) enum Kind {
    /// Rollouts, one a row.
    #[command(visible_aliases = ["ro", "rollout"])]
    Rollouts(Box<Flags>),
}

/// Flags of `serin list rollouts`.
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Only the Rollout of this name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Those of all namespaces
    #[arg(long, short = 'A')]
    all_namespaces: bool,
    /// Begin each row with the time
    #[arg(long)]
    timestamps: bool,
    /// Print the objects, or their names, for programs
    #[arg(long, short, value_name = "FORM")]
    output: Option<Form>,
    #[command(flatten)]
    user: UserFlags,
}

/// Prints a table of objects.
pub(super) async fn run(kind: Kind) -> Result<(), Failure> {
    let Kind::Rollouts(flags) = kind;
    let Flags { name, all_namespaces, timestamps, output, user } = *flags;
    let cluster = Cluster::open(user).await?;
    let rollouts = if all_namespaces { cluster.all_objects::<Rollout>() } else { cluster.rollouts() };
    let named = name.map(|name| format!("metadata.name={name}"));
    let selector = ListParams { field_selector: named, ..ListParams::default() };
    let stored = cluster.ask(rollouts.list(&selector)).await?.items;
    if let Some(form) = output {
        return print(&form.objects(&stored)?);
    }
    if stored.is_empty() {
        eprintln!("No resources found.");
        return Ok(());
    }
    // One that cannot be read must not hide the others.
    let (readable, unreadable): (Vec<_>, Vec<_>) =
        stored.into_iter().map(client::rollout).partition(Result::is_ok);
    let readable: Vec<_> = readable.into_iter().flatten().collect();
    let columns = ListColumns { timestamp: timestamps, namespace: all_namespaces };
    print(&view::list(&readable, columns, Clock::System.now()))?;
    let failures: Vec<String> =
        unreadable.into_iter().filter_map(Result::err).map(|error| error.to_string()).collect();
    if failures.is_empty() { Ok(()) } else { Err(Failure::Failed(failures.join("\n"))) }
}
