//! `serin list`: prints objects as a table, once or with a row for each change.

use std::pin::pin;
use std::time::Duration;

use clap::{Args, Subcommand};
use futures::StreamExt;
use kube::api::{Api, DynamicObject, ListParams};
use kube::runtime::watcher::Config;
use tokio::time::{Instant, sleep_until};

use super::client::{self, Cluster, UserFlags};
use super::cluster::switch;
use super::failure::{Failure, Program};
use super::output::{Form, print, print_on, unread};
use super::view::{self, ListColumns, Listed, Listing};
use super::watch::{Announcer, Sight, news};
use serin_clock::Clock;
use serin_core::api::{Experiment, Rollout};
use serin_insight::legible::Legible;

/// Time for which changes are collected before they are printed.
const PAUSE: Duration = Duration::from_millis(500);
/// Number of consecutive watch failures after which the reference's plugin stops.
const PLUGIN_PATIENCE: u32 = 5;

/// The kind to list.
#[derive(Debug, Subcommand)]
pub(super) enum Kind {
    /// List Rollouts, one per row.
    #[command(visible_aliases = ["ro", "rollout"])]
    Rollouts(Box<Flags>),
    /// List Experiments, one per row.
    #[command(visible_aliases = ["exp", "experiment"])]
    Experiments(Box<Flags>),
}

/// Flags of `serin list`.
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// List only the object of this name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// List the objects of all namespaces
    #[arg(long, short = 'A')]
    all_namespaces: bool,
    /// Start each row with the time
    #[arg(long)]
    timestamps: bool,
    /// Print a row for each change, until Ctrl-C
    #[arg(long, short, value_name = "BOOL", value_parser = switch, default_value = "false",
          num_args = 0..=1, require_equals = true, default_missing_value = "true", conflicts_with = "output")]
    watch: bool,
    /// Output format: wide (more columns), json, yaml, name, or jsonpath=TEMPLATE
    #[arg(long, short, value_name = "FORM")]
    output: Option<Form>,
    #[command(flatten)]
    user: UserFlags,
}

/// Prints a table of objects.
pub(super) async fn run(kind: Kind, program: Program) -> Result<(), Failure> {
    match kind {
        Kind::Rollouts(flags) => list::<Rollout>(*flags, program).await,
        Kind::Experiments(flags) => list::<Experiment>(*flags, program).await,
    }
}

async fn list<K: Listed + Legible>(flags: Flags, program: Program) -> Result<(), Failure> {
    let Flags { name, all_namespaces, timestamps, watch, output, user } = flags;
    let cluster = Cluster::open(user).await?;
    let objects = if all_namespaces { cluster.all_objects::<K>() } else { cluster.objects::<K>() };
    let named = name.map(|name| format!("metadata.name={name}"));
    let selector = ListParams { field_selector: named.clone(), ..ListParams::default() };
    let stored = cluster.ask(objects.list(&selector)).await;
    let stored = stored.map_err(|failure| failure.about(&K::kind(&())))?.items;
    if let Some(form) = Form::for_programs(output.as_ref()) {
        return print(&form.objects(&K::kind(&()), &stored)?);
    }
    if stored.is_empty() {
        eprintln!("No resources found.");
    }
    let wide = output == Some(Form::Wide);
    let columns = ListColumns { timestamp: timestamps, namespace: all_namespaces, wide };
    if watch {
        let settings = Config { field_selector: named, ..Config::default() };
        return tokio::select! {
            end = follow::<K>(objects, settings, columns, program) => end,
            gone = unread() => Err(gone),
        };
    }
    if stored.is_empty() {
        return Ok(());
    }
    let Read { objects, problems, failures } = Read::<K>::of(stored);
    print(&view::list(&objects, columns, Clock::System.now()))?;
    for problem in problems {
        eprintln!("{problem}");
    }
    Failure::together(failures)
}

/// Objects, parsed as far as possible.
struct Read<K> {
    objects: Vec<K>,
    /// Unreadable parts of objects that are listed nevertheless.
    problems: Vec<String>,
    /// Errors of objects that could not be parsed. They do not hide the others.
    failures: Vec<Failure>,
}

impl<K: Listed + Legible> Read<K> {
    fn of(stored: impl IntoIterator<Item = DynamicObject>) -> Self {
        let mut read = Self { objects: Vec::new(), problems: Vec::new(), failures: Vec::new() };
        for object in stored {
            match client::legible(object) {
                Ok((object, problem)) => {
                    read.objects.push(object);
                    read.problems.extend(problem);
                }
                Err(failure) => read.failures.push(failure),
            }
        }
        read
    }
}

/// Prints a row for each object that is new, changed or deleted. Never returns without an error. Under the name of
/// the reference's plugin, deleted objects get no row, and repeated watch failures end the command.
async fn follow<K: Listed + Legible>(
    objects: Api<DynamicObject>,
    settings: Config,
    columns: ListColumns,
    program: Program,
) -> Result<(), Failure> {
    let mut news = pin!(news(objects, settings));
    let (mut sight, mut announcer) = (Sight::default(), Announcer::default());
    let mut listing = Listing::new(columns, Clock::System.now());
    let mut printed = None;
    let mut due = None;
    loop {
        tokio::select! {
            Some(one) = news.next() => {
                sight.hear(one, Clock::System.now());
                announcer.look(&sight);
                sight.refusal().map_or(Ok(()), Err)?;
                give_up(&sight, program)?;
                if sight.is_settled() && due.is_none() {
                    due = Some(printed.map_or_else(Instant::now, |printed: Instant| printed + PAUSE));
                }
            }
            () = until(due) => {
                let readable = Read::<K>::of(sight.objects.values().cloned()).objects;
                let now = Clock::System.now();
                if !program.is_plugin() {
                    print_on(&listing.gone(&readable, now))?;
                }
                print_on(&listing.rows(&readable, now))?;
                (printed, due) = (Some(Instant::now()), None);
            }
        }
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// True if the command continues while the API server is unreachable.
fn give_up(sight: &Sight, program: Program) -> Result<(), Failure> {
    match sight.absence_now() {
        Some(absence) if program.is_plugin() && absence.failures > PLUGIN_PATIENCE => {
            Err(Failure::Failed(format!("cannot reach the Kubernetes API server: {}", absence.cause)))
        }
        Some(_) | None => Ok(()),
    }
}
