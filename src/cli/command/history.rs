//! `serin history`: lists the revisions of a Rollout.

use clap::Args;
use clap_complete::ArgValueCandidates;

use super::super::client::{self, Cluster, UserFlags};
use super::super::completion;
use super::super::failure::{Failure, Program};
use super::super::output::{Form, print, yaml};
use super::super::view;
use super::revision::{Revision, revisions};
use serin_clock::Clock;
use serin_core::api::{Rollout, keys};
use serin_core::domain::template::restored;
use serin_insight::revision::RevisionFacts;

/// Flags of `serin history`.
#[derive(Debug, Args)]
pub(in crate::cli) struct History {
    /// Name of the Rollout
    #[arg(add = ArgValueCandidates::new(completion::rollouts))]
    name: String,
    /// Show the template of this revision
    #[arg(long, value_name = "NUMBER")]
    revision: Option<i64>,
    /// Output format: json, yaml, name, wide, or jsonpath=TEMPLATE
    #[arg(long, short, value_name = "FORM")]
    output: Option<Form>,
    #[command(flatten)]
    user: UserFlags,
}

/// Prints the revisions of a Rollout, newest first.
pub(in crate::cli) async fn history(flags: History, program: Program) -> Result<(), Failure> {
    let History { name, revision, output, user } = flags;
    let cluster = Cluster::open(user).await?;
    let (rollout, _) = client::legible::<Rollout>(cluster.stored::<Rollout>(&name, program).await?)?;
    let revisions = revisions(&cluster, &rollout).await?;
    if let Some(number) = revision {
        let found = revisions.iter().find(|revision| revision.number == number);
        let unknown = || Failure::NotFound(format!("rollout '{name}' has no revision {number}"));
        let found = found.ok_or_else(unknown)?;
        let template = restored(found.template(), &found.ephemeral());
        return print(&match Form::for_programs(output.as_ref()) {
            Some(form) => form.document(&template)?,
            None => yaml(&template)?,
        });
    }
    if let Some(form) = Form::for_programs(output.as_ref()).filter(|form| **form == Form::Name) {
        let sets: Vec<_> = revisions.into_iter().map(|revision| revision.set).collect();
        return print(&form.objects(keys::ROLLOUT, &sets)?);
    }
    let facts: Vec<_> = revisions.iter().map(|revision| facts(revision, &rollout)).collect();
    match Form::for_programs(output.as_ref()) {
        Some(form) => print(&form.document(&serde_json::json!({"revisions": facts}))?),
        None => print(&view::history(&facts, Clock::System.now())),
    }
}

fn facts(Revision { number, set }: &Revision, rollout: &Rollout) -> RevisionFacts {
    RevisionFacts::of(*number, &set.metadata, &set.data, rollout)
}
