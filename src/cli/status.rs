//! `serin status`: prints the status of a Rollout, once or until it has reached an end.

use std::pin::pin;
use std::time::Duration;

use clap::Args;
use clap_complete::ArgValueCandidates;
use futures::StreamExt;
use kube::api::DynamicObject;
use kube::runtime::watcher::Config;

use super::client::{self, Cluster, Limit, UserFlags};
use super::cluster::switch;
use super::completion;
use super::failure::{Failure, Program};
use super::output::{Form, print, print_on, unread};
use super::watch::{Announcer, Sight, news};
use serin_clock::{Clock, sleep};
use serin_core::api::{Rollout, RolloutPhase};
use serin_insight::facts::waits_for_user;
use serin_insight::report::StatusReport;
use serin_insight::standing::Standing;

/// Interval for checking an unchanged Rollout: the time that has passed may change the answer.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// Flags of `serin status`.
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Name of the Rollout
    #[arg(add = ArgValueCandidates::new(completion::rollouts))]
    name: String,
    /// Wait until the Rollout is Healthy or Degraded
    #[arg(long, short, value_name = "BOOL", value_parser = switch, default_value = "true",
          num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    watch: bool,
    /// Maximum time to wait, as in 5m; 0 waits without limit
    #[arg(long, short, value_name = "DURATION", value_parser = client::limit, default_value = "0")]
    timeout: Limit,
    /// Exit with 0 if the Rollout is paused until a user acts
    #[arg(long)]
    paused_is_ok: bool,
    /// Output format, one result per change: json, yaml, name, or jsonpath=TEMPLATE
    #[arg(long, short, value_name = "FORM")]
    output: Option<Form>,
    #[command(flatten)]
    user: UserFlags,
}

/// The failure for a Rollout that is not Healthy.
#[derive(Debug, Clone, Copy)]
struct Question {
    program: Program,
    paused_is_ok: bool,
}

/// Prints the status of a Rollout, once or until it has reached an end.
pub(super) async fn run(flags: Flags, program: Program) -> Result<(), Failure> {
    let Flags { name, watch, timeout, paused_is_ok, output, user } = flags;
    let form = Form::for_programs(output.as_ref());
    let question = Question { program, paused_is_ok };
    let cluster = Cluster::open(user).await?;
    // Reports at once an error that a watch would retry forever.
    let first = cluster.stored::<Rollout>(&name, program).await?;
    if !watch {
        let rollout = legible(first.clone())?;
        let standing = Standing::of(&rollout);
        print(&told(&first, &standing.last_line(), form)?)?;
        return question.answer(&standing, waits_for_user(&rollout));
    }
    let end = async {
        tokio::select! {
            end = follow(&cluster, &name, question, form) => end,
            gone = unread() => Err(gone),
        }
    };
    match timeout.0 {
        None => end.await,
        Some(limit) => tokio::time::timeout(limit, end).await.unwrap_or(Err(Failure::TimeLimit)),
    }
}

impl Question {
    /// The outcome for `--watch=false`. A pause that ends without a user counts as progressing.
    fn answer(self, standing: &Standing, waits_for_user: bool) -> Result<(), Failure> {
        let message = standing.message.clone();
        let is_plugin = self.program.is_plugin();
        match standing.phase {
            RolloutPhase::Degraded => Err(Failure::Degraded(message)),
            RolloutPhase::Paused if is_plugin || self.paused_is_ok => Ok(()),
            RolloutPhase::Paused if waits_for_user => Err(Failure::Paused(message)),
            RolloutPhase::Paused => Err(Failure::Progressing(message)),
            RolloutPhase::Progressing if !is_plugin => Err(Failure::Progressing(message)),
            RolloutPhase::Healthy | RolloutPhase::Progressing => Ok(()),
        }
    }
}

/// Prints each change of the status, until nothing more happens without a user. Under the name of the reference's
/// plugin, a pause is not an end.
async fn follow(
    cluster: &Cluster,
    name: &str,
    question: Question,
    form: Option<&Form>,
) -> Result<(), Failure> {
    let mut last = String::new();
    let look = |stored: DynamicObject| {
        let (standing, is_end) = look(stored.clone(), question)?;
        let text = told(&stored, &standing.line(), form)?;
        if text != last {
            print_on(&text)?;
            last = text;
        }
        // Only a pause that a user must end is an end.
        Ok(is_end.then(|| question.answer(&standing, true)))
    };
    until(cluster, name, question.program, look).await
}

/// The output for a Rollout: the line, or the format for programs.
fn told(stored: &DynamicObject, line: &str, form: Option<&Form>) -> Result<String, Failure> {
    match form {
        None => Ok(format!("{line}\n")),
        Some(Form::Name) => Form::Name.object(stored),
        Some(form) => form.document(&StatusReport::of(&legible(stored.clone())?)),
    }
}

/// Calls `look` after each possible change of a Rollout, and every few seconds, until it returns a result.
pub(super) async fn until(
    cluster: &Cluster,
    name: &str,
    program: Program,
    mut look: impl FnMut(DynamicObject) -> Result<Option<Result<(), Failure>>, Failure>,
) -> Result<(), Failure> {
    let settings = Config::default().fields(&format!("metadata.name={name}"));
    let mut news = pin!(news(cluster.rollouts(), settings));
    let (mut sight, mut announcer) = (Sight::default(), Announcer::default());
    loop {
        tokio::select! {
            one = news.next() => {
                let Some(one) = one else { break };
                sight.hear(one, Clock::System.now());
                announcer.look(&sight);
            }
            () = sleep(LOOK_AGAIN) => {}
        }
        if sight.is_empty() {
            return Err(if program.is_plugin() {
                cluster.unknown::<Rollout>(name, program).await
            } else {
                Failure::deleted("Rollout", name)
            });
        }
        if let Some(refusal) = sight.refusal() {
            return Err(refusal);
        }
        let Some(stored) = sight.objects.values().next().cloned() else { continue };
        if let Some(answer) = look(stored)? {
            return answer;
        }
    }
    Err(Failure::Failed("the watch has ended".to_owned()))
}

/// Parses a Rollout as far as possible. Its message reports what is wrong with it.
fn legible(stored: DynamicObject) -> Result<Rollout, Failure> {
    client::legible(stored).map(|(rollout, _)| rollout)
}

/// The standing of a Rollout, and its end if it has reached one.
fn look(stored: DynamicObject, question: Question) -> Result<(Standing, bool), Failure> {
    let rollout = legible(stored)?;
    let standing = Standing::of(&rollout);
    let is_end = match standing.phase {
        RolloutPhase::Healthy | RolloutPhase::Degraded => true,
        RolloutPhase::Paused => !question.program.is_plugin() && waits_for_user(&rollout),
        RolloutPhase::Progressing => false,
    };
    Ok((standing, is_end))
}
