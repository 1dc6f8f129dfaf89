//! Selects the Rollouts of a command.

use std::io::{self, BufRead, IsTerminal, Write};

use clap::Args;
use clap_complete::ArgValueCandidates;
use kube::api::ListParams;

use super::super::client::Cluster;
use super::super::completion;
use super::super::failure::Failure;

/// Rollouts by name, by labels, or all.
#[derive(Debug, Args)]
pub(super) struct Target {
    /// Names of Rollouts
    #[arg(value_name = "NAME", required_unless_present_any = ["selector", "all"],
          conflicts_with_all = ["selector", "all"], add = ArgValueCandidates::new(completion::rollouts))]
    pub(super) names: Vec<String>,
    #[command(flatten)]
    pub(super) others: Unnamed,
}

/// Selection without names.
#[derive(Debug, Args)]
pub(super) struct Unnamed {
    /// Select by labels, as in app=cart,tier!=test
    #[arg(long, short = 'l', value_name = "LABELS", conflicts_with = "all")]
    selector: Option<String>,
    /// Select all Rollouts of the namespace; asks for confirmation on a terminal
    #[arg(long)]
    all: bool,
    /// Do not ask for confirmation
    #[arg(long, short)]
    yes: bool,
}

impl Unnamed {
    /// True if any selection was given.
    pub(super) fn are_meant(&self) -> bool {
        self.all || self.selector.is_some()
    }
}

impl Target {
    /// The selected names. Empty if the user does not confirm. `what` names the command, as in `abort`.
    pub(super) async fn names(self, cluster: &Cluster, what: &str) -> Result<Vec<String>, Failure> {
        let Self { names, others: Unnamed { selector, all, yes } } = self;
        if !names.is_empty() {
            return Ok(names);
        }
        let labels = ListParams { label_selector: selector.clone(), ..ListParams::default() };
        let found = cluster.ask(cluster.rollouts().list_metadata(&labels)).await?.items;
        let names: Vec<String> = found.into_iter().filter_map(|one| one.metadata.name).collect();
        let place = &cluster.namespace;
        if names.is_empty() {
            let which = selector.map(|labels| format!(" with the labels {labels:?}")).unwrap_or_default();
            return Err(Failure::NotFound(format!("no Rollout{which} found in namespace {place:?}")));
        }
        let question = match names.as_slice() {
            [only] => format!("{what} the only Rollout in namespace {place:?} ({only})?"),
            names => {
                let (count, list) = (names.len(), names.join(", "));
                format!("{what} all {count} Rollouts in namespace {place:?} ({list})?")
            }
        };
        let is_meant = !all || yes || is_confirmed(&question)?;
        Ok(if is_meant { names } else { Vec::new() })
    }
}

/// Asks for confirmation on a terminal. Returns true without one.
fn is_confirmed(question: &str) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() {
        return Ok(true);
    }
    let failed =
        |error: io::Error| Failure::Failed(format!("cannot ask for confirmation: {error}; use --yes"));
    let mut complaints = io::stderr();
    write!(complaints, "{question} [y/N] ").and_then(|()| complaints.flush()).map_err(failed)?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(failed)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
