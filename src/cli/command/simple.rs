//! Commands that send a single patch: abort, retry, pause, restart, terminate.

use clap::{Args, Subcommand};
use clap_complete::ArgValueCandidates;
use jiff::{SignedDuration, Timestamp};
use kube::core::ApiResource;
use serde_json::{Value, json};

use super::super::client::UserFlags;
use super::super::completion;
use super::super::failure::{Failure, Program};
use super::commander::{Commander, Patches};
use super::manner::{Done, Manner};
use super::obstacle;
use super::target::Target;
use super::wait::{Beginning, Goal};
use serin_clock::Clock;
use serin_core::api::{AnalysisRun, Experiment, Rollout};
use serin_core::domain::time;
use serin_insight::standing::is_observed;
use serin_values::duration;

/// Flags of `serin pause` and `serin retry rollout`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Plain {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    manner: Manner,
    #[command(flatten)]
    user: UserFlags,
}

/// Flags of `serin abort`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Abort {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    beginning: Beginning,
}

/// Flags of `serin restart`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Restart {
    #[command(flatten)]
    target: Target,
    /// Time to wait before the restart, as in 10m
    #[arg(long = "in", short, value_name = "DURATION", value_parser = delay, default_value = "0s")]
    delay: SignedDuration,
    #[command(flatten)]
    beginning: Beginning,
}

fn delay(text: &str) -> Result<SignedDuration, String> {
    let delay = duration::go_duration(text).filter(|delay| !delay.is_negative());
    delay.ok_or_else(|| "expected a duration such as 15s or 1m30s".to_owned())
}

/// The kind to retry.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Retry {
    /// Retry the aborted updates of Rollouts.
    #[command(visible_aliases = ["ro", "rollouts"])]
    Rollout(Box<Plain>),
    /// Restart Experiments from the beginning.
    #[command(visible_aliases = ["exp", "experiments"], mut_arg("names", |names| names.add(ArgValueCandidates::new(completion::experiments))))]
    Experiment(Box<Named>),
}

/// The kind to terminate.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Terminate {
    /// Terminate `AnalysisRuns`.
    #[command(visible_aliases = ["ar", "analysisruns"], mut_arg("names", |names| names.add(ArgValueCandidates::new(completion::analysis_runs))))]
    Analysisrun(Box<Named>),
    /// Terminate Experiments.
    #[command(visible_aliases = ["exp", "experiments"], mut_arg("names", |names| names.add(ArgValueCandidates::new(completion::experiments))))]
    Experiment(Box<Named>),
}

/// Objects of a kind, by name.
#[derive(Debug, Args)]
pub(in crate::cli) struct Named {
    /// Names of the objects
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
    #[command(flatten)]
    manner: Manner,
    #[command(flatten)]
    user: UserFlags,
}

/// A command that sends a single patch of a Rollout.
struct Order {
    /// The verb that users type.
    verb: &'static str,
    /// The result, as words that follow the name of the Rollout.
    done: &'static str,
    patches: fn() -> Patches,
    needless: fn(&Rollout) -> Option<Needless>,
    /// True if the command has no effect while the spec is invalid.
    needs_spec: bool,
    /// A suggestion for users whose command has no effect, and its verb.
    instead: Option<(&'static str, &'static str)>,
}

/// The reason why a command would have no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needless {
    /// The Rollout is in that state already. Counts as success.
    IsSo,
    /// The command does not apply to the Rollout. Has the reason, as words that follow its name.
    IsNot(&'static str),
}

const ABORT: Order = Order {
    verb: "abort",
    done: "aborted",
    patches: || Patches { status: Some(json!({"status": {"abort": true}})), spec: None },
    needless: |rollout| match (is_aborted(rollout), is_settled(rollout)) {
        (true, _) => Some(Needless::IsSo),
        (false, true) => Some(Needless::IsNot("has no update in progress")),
        (false, false) => None,
    },
    needs_spec: false,
    instead: Some(("list the revisions for `undo --to-revision`", "history")),
};

const RETRY: Order = Order {
    verb: "retry",
    done: "retried",
    patches: || Patches { status: Some(json!({"status": {"abort": false}})), spec: None },
    needless: |rollout| (!is_aborted(rollout)).then_some(Needless::IsNot("is not aborted")),
    needs_spec: true,
    instead: None,
};

const PAUSE: Order = Order {
    verb: "pause",
    done: "paused",
    patches: || Patches { status: None, spec: Some(json!({"spec": {"paused": true}})) },
    needless: |rollout| rollout.spec.paused.then_some(Needless::IsSo),
    needs_spec: false,
    instead: None,
};

impl Order {
    /// Sends the command to each of the Rollouts.
    async fn give(&self, commander: &Commander, target: Target) -> Result<Vec<Done>, Failure> {
        commander.each(target, self.verb, async |name: &str| self.give_one(commander, name).await).await
    }

    async fn give_one(&self, commander: &Commander, name: &str) -> Result<Done, Failure> {
        if !commander.program.is_plugin() {
            let (object, rollout) = commander.look(name).await?;
            match (self.needless)(&rollout) {
                None => {}
                Some(Needless::IsSo) => {
                    return Ok(Done::unchanged(name, object, &format!("is already {}", self.done)));
                }
                Some(Needless::IsNot(what)) => return Err(self.pointless(commander, name, what)),
            }
            if self.needs_spec {
                obstacle::of_spec(&rollout, self.done)?;
            }
        }
        Ok(Done::changed(name, commander.merge(name, (self.patches)()).await?, self.done))
    }

    fn pointless(&self, commander: &Commander, name: &str, what: &str) -> Failure {
        let instead = self.instead.map(|(to, verb)| format!("; to {to}: {}", commander.command(verb, name)));
        let instead = instead.unwrap_or_default();
        Failure::Failed(format!("nothing to {}: rollout '{name}' {what}{instead}", self.verb))
    }
}

/// Aborts updates.
pub(in crate::cli) async fn abort(flags: Abort, program: Program) -> Result<(), Failure> {
    let Beginning { waiting, manner, user } = flags.beginning;
    let commander = Commander::open(user, manner, program).await?;
    let done = ABORT.give(&commander, flags.target).await?;
    commander.wait(waiting, done, Goal::TakenBack).await
}

/// Retries aborted updates, or Experiments.
pub(in crate::cli) async fn retry(what: Retry, program: Program) -> Result<(), Failure> {
    match what {
        Retry::Rollout(flags) => give(&RETRY, *flags, program).await,
        Retry::Experiment(named) => {
            let change = json!({"status": null});
            merge_into_each(
                &ApiResource::erase::<Experiment>(&()),
                "experiment",
                "retried",
                *named,
                change,
                program,
            )
            .await
        }
    }
}

/// Pauses Rollouts.
pub(in crate::cli) async fn pause(flags: Plain, program: Program) -> Result<(), Failure> {
    give(&PAUSE, flags, program).await
}

async fn give(order: &Order, flags: Plain, program: Program) -> Result<(), Failure> {
    let commander = Commander::open(flags.user, flags.manner, program).await?;
    order.give(&commander, flags.target).await.map(drop)
}

/// Restarts the pods of Rollouts.
pub(in crate::cli) async fn restart(flags: Restart, program: Program) -> Result<(), Failure> {
    let Beginning { waiting, manner, user } = flags.beginning;
    let commander = Commander::open(user, manner, program).await?;
    let at = restart_time(Clock::System.now(), flags.delay);
    let said = format!("restarts in {}", go_text(flags.delay));
    let one = async |name: &str| {
        if !program.is_plugin() {
            obstacle::of_spec(&commander.look(name).await?.1, "restarted")?;
        }
        let patches = Patches { status: None, spec: Some(json!({"spec": {"restartAt": at}})) };
        Ok(Done::changed(name, commander.merge(name, patches).await?, &said))
    };
    let done = commander.each(flags.target, "restart", one).await?;
    commander.wait(waiting, done, Goal::Settled).await
}

/// Terminates running `AnalysisRuns` and Experiments.
pub(in crate::cli) async fn terminate(what: Terminate, program: Program) -> Result<(), Failure> {
    let change = json!({"spec": {"terminate": true}});
    match what {
        Terminate::Analysisrun(named) => {
            let kind = ApiResource::erase::<AnalysisRun>(&());
            merge_into_each(&kind, "analysisRun", "terminated", *named, change, program).await
        }
        Terminate::Experiment(named) => {
            // The reference's message has this typo, and scripts may match on it.
            let done = if program.is_plugin() { "retried" } else { "terminated" };
            let kind = ApiResource::erase::<Experiment>(&());
            merge_into_each(&kind, "experiment", done, *named, change, program).await
        }
    }
}

async fn merge_into_each(
    kind: &ApiResource,
    word: &str,
    done: &str,
    named: Named,
    change: Value,
    program: Program,
) -> Result<(), Failure> {
    let commander = Commander::open(named.user, named.manner, program).await?;
    let one = async |name: &str| {
        let object = commander.merge_into(kind, name, &change, None).await?;
        Ok(Done {
            said: format!("{word} '{name}' {done}"),
            rollout: object.clone(),
            object,
            is_changed: true,
        })
    };
    commander.each_of(named.names, one).await.map(drop)
}

fn is_aborted(rollout: &Rollout) -> bool {
    rollout.status.as_ref().is_some_and(|status| status.abort)
}

/// True if all users reach the current template, as far as the controller knows.
pub(super) fn is_settled(rollout: &Rollout) -> bool {
    let status = rollout.status.clone().unwrap_or_default();
    is_observed(rollout) && status.stable_rs.is_some() && status.current_pod_hash == status.stable_rs
}

/// The time of the restart, in whole seconds.
fn restart_time(now: Timestamp, wait: SignedDuration) -> String {
    time::whole_seconds(serin_values::time::after(now, wait)).0.to_string()
}

/// Formats a duration as Go does, without fractions of a second.
fn go_text(wait: SignedDuration) -> String {
    let seconds = wait.as_secs();
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{rest}s"),
        (0, _) => format!("{minutes}m{rest}s"),
        _ => format!("{hours}h{minutes}m{rest}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restart_is_at_a_whole_second() {
        let now = "2026-01-01T00:00:01.9Z".parse().unwrap();
        for (text, at, said) in [
            ("0s", "2026-01-01T00:00:01Z", "0s"),
            ("90s", "2026-01-01T00:01:31Z", "1m30s"),
            ("1h", "2026-01-01T01:00:01Z", "1h0m0s"),
        ] {
            let wait = delay(text).unwrap();
            assert_eq!((restart_time(now, wait).as_str(), go_text(wait).as_str()), (at, said));
        }
        assert!(delay("-1s").is_err() && delay("soon").is_err());
    }
}
