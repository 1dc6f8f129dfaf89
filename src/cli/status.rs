//! `serin status`: how a Rollout stands, or how it gets to its end.

use std::pin::pin;

use clap::Args;
use futures::TryStreamExt;
use kube::api::DynamicObject;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, watcher};

use super::client::{self, Cluster, Limit, UserFlags};
use super::cluster::switch;
use super::failure::{Failure, Program};
use super::output::print;
use super::view::{Standing, waits_for_user};
use crate::api::{Rollout, RolloutPhase};
use crate::controller::failure::root_cause;

/// Flags of `serin status`.
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Name of the Rollout
    name: String,
    /// Wait until the Rollout is Healthy or Degraded
    #[arg(long, short, value_name = "BOOL", value_parser = switch, default_value = "true",
          num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    watch: bool,
    /// How long to wait, as in 5m; 0 waits for ever
    #[arg(long, short, value_name = "DURATION", value_parser = client::limit, default_value = "0")]
    timeout: Limit,
    /// A Rollout that waits for a user is where it should be
    #[arg(long)]
    paused_is_ok: bool,
    #[command(flatten)]
    user: UserFlags,
}

/// What a Rollout that is not Healthy means to who asked.
#[derive(Debug, Clone, Copy)]
struct Question {
    program: Program,
    paused_is_ok: bool,
}

/// Prints how a Rollout stands, once or until it has come to an end.
pub(super) async fn run(flags: Flags, program: Program) -> Result<(), Failure> {
    let Flags { name, watch, timeout, paused_is_ok, user } = flags;
    let question = Question { program, paused_is_ok };
    let cluster = Cluster::open(user).await?;
    // The first look tells at once what a watch would try again and again.
    let first = client::rollout(cluster.stored::<Rollout>(&name, program).await?)?;
    if !watch {
        let standing = Standing::of(&first);
        print(&format!("{}\n", standing.last_line()))?;
        return question.answer(&standing);
    }
    let end = follow(&cluster, &name, question);
    match timeout.0 {
        None => end.await,
        Some(limit) => tokio::time::timeout(limit, end).await.unwrap_or(Err(Failure::TimeLimit)),
    }
}

impl Question {
    /// What a Rollout that was asked about once is said to be.
    fn answer(self, standing: &Standing) -> Result<(), Failure> {
        match (standing.phase, self.program) {
            (RolloutPhase::Degraded, _) => Err(Failure::Degraded(standing.message.clone())),
            (RolloutPhase::Healthy, _)
            | (RolloutPhase::Paused | RolloutPhase::Progressing, Program::Plugin) => Ok(()),
            (RolloutPhase::Paused, Program::Serin) if self.paused_is_ok => Ok(()),
            (RolloutPhase::Paused, Program::Serin) => Err(Failure::Paused(standing.message.clone())),
            (RolloutPhase::Progressing, Program::Serin) => {
                Err(Failure::Progressing(standing.message.clone()))
            }
        }
    }
}

/// Prints each change of how a Rollout stands, until nothing more happens by itself. Under the name of the reference's
/// plugin a pause is no end.
async fn follow(cluster: &Cluster, name: &str, question: Question) -> Result<(), Failure> {
    let settings = watcher::Config::default().fields(&format!("metadata.name={name}"));
    let mut events = pin!(watcher(cluster.rollouts(), settings).default_backoff());
    let mut last = String::new();
    loop {
        let stored = match events.try_next().await {
            Ok(Some(event)) => match event {
                watcher::Event::Apply(stored) | watcher::Event::InitApply(stored) => stored,
                watcher::Event::Delete(_) => {
                    return Err(cluster.unknown::<Rollout>(name, question.program).await);
                }
                watcher::Event::Init | watcher::Event::InitDone => continue,
            },
            Ok(None) => return Err(Failure::Failed("the watch has ended".to_owned())),
            Err(error) => {
                refused(&error)?;
                continue;
            }
        };
        let (standing, is_end) = look(stored, question)?;
        let line = standing.line();
        if line != last {
            print(&format!("{line}\n"))?;
            last = line;
        }
        if is_end {
            return question.answer(&standing);
        }
    }
}

/// How a Rollout stands, and whether that is an end.
fn look(stored: DynamicObject, question: Question) -> Result<(Standing, bool), Failure> {
    let rollout = client::rollout(stored)?;
    let standing = Standing::of(&rollout);
    let is_end = match standing.phase {
        RolloutPhase::Healthy | RolloutPhase::Degraded => true,
        RolloutPhase::Paused => question.program == Program::Serin && waits_for_user(&rollout),
        RolloutPhase::Progressing => false,
    };
    Ok((standing, is_end))
}

/// Whether a watch must not be tried again: what the API server refuses, it will refuse again.
fn refused(error: &watcher::Error) -> Result<(), Failure> {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status))
            if status.code == 403 =>
        {
            Err(Failure::Refused(status.message.clone()))
        }
        watcher::Error::NoResourceVersion => Err(Failure::Failed(root_cause(error))),
        watcher::Error::InitialListFailed(_)
        | watcher::Error::WatchStartFailed(_)
        | watcher::Error::WatchError(_)
        | watcher::Error::WatchFailed(_) => Ok(()),
    }
}
