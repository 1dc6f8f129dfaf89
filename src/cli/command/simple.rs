//! The commands that are one patch: abort, retry, pause, restart, terminate.

use clap::{Args, Subcommand};
use clap_complete::ArgValueCandidates;
use jiff::{SignedDuration, Timestamp};
use kube::core::ApiResource;
use serde_json::{Value, json};

use super::super::client::UserFlags;
use super::super::completion;
use super::super::failure::{Failure, Program};
use super::super::view::is_observed;
use super::commander::{Commander, Patches};
use super::manner::{Done, Manner};
use super::target::Target;
use super::wait::{Beginning, Goal};
use crate::api::{AnalysisRun, Experiment, Rollout};
use crate::clock::Clock;
use crate::domain::{duration, time};

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
    /// How long to wait before, as in 10m
    #[arg(long = "in", short, value_name = "DURATION", value_parser = delay, default_value = "0s")]
    delay: SignedDuration,
    #[command(flatten)]
    beginning: Beginning,
}

fn delay(text: &str) -> Result<SignedDuration, String> {
    let delay = duration::go_duration(text).filter(|delay| !delay.is_negative());
    delay.ok_or_else(|| "a duration is written as in 15s or 1m30s".to_owned())
}

/// What is retried.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Retry {
    /// Rollouts whose update was aborted.
    #[command(visible_aliases = ["ro", "rollouts"])]
    Rollout(Box<Plain>),
    /// Experiments, which begin anew.
    #[command(visible_aliases = ["exp", "experiments"], mut_arg("names", |names| names.add(ArgValueCandidates::new(completion::experiments))))]
    Experiment(Box<Named>),
}

/// What is ended before its time.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Terminate {
    /// `AnalysisRuns`.
    #[command(visible_aliases = ["ar", "analysisruns"], mut_arg("names", |names| names.add(ArgValueCandidates::new(completion::analysis_runs))))]
    Analysisrun(Box<Named>),
    /// Experiments.
    #[command(visible_aliases = ["exp", "experiments"], mut_arg("names", |names| names.add(ArgValueCandidates::new(completion::experiments))))]
    Experiment(Box<Named>),
}

/// Objects of a kind, by name.
#[derive(Debug, Args)]
pub(in crate::cli) struct Named {
    /// Names
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
    #[command(flatten)]
    manner: Manner,
    #[command(flatten)]
    user: UserFlags,
}

/// Takes back updates.
pub(in crate::cli) async fn abort(flags: Abort, program: Program) -> Result<(), Failure> {
    let Beginning { waiting, manner, user } = flags.beginning;
    let commander = Commander::open(user, manner, program).await?;
    let one = async |name: &str| {
        if program == Program::Serin {
            let (object, rollout) = commander.look(name).await?;
            if is_aborted(&rollout) {
                return Ok(Done::unchanged(name, object, "is aborted already"));
            }
            if is_settled(&rollout) {
                let hint = format!("to go back to an earlier revision: {}", commander.command("undo", name));
                return Err(Failure::Failed(format!(
                    "nothing to abort: no update of rollout '{name}' is under way; {hint}"
                )));
            }
        }
        let patches = Patches { status: Some(json!({"status": {"abort": true}})), spec: None };
        Ok(Done::changed(name, commander.merge(name, patches).await?, "aborted"))
    };
    let done = commander.each(flags.target, "abort", one).await?;
    commander.wait(waiting, done, Goal::TakenBack).await
}

/// Begins aborted updates, or Experiments, anew.
pub(in crate::cli) async fn retry(what: Retry, program: Program) -> Result<(), Failure> {
    match what {
        Retry::Rollout(flags) => retry_rollouts(*flags, program).await,
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

async fn retry_rollouts(flags: Plain, program: Program) -> Result<(), Failure> {
    let commander = Commander::open(flags.user, flags.manner, program).await?;
    let one = async |name: &str| {
        if program == Program::Serin && !is_aborted(&commander.look(name).await?.1) {
            return Err(Failure::Failed(format!("nothing to retry: rollout '{name}' is not aborted")));
        }
        let patches = Patches { status: Some(json!({"status": {"abort": false}})), spec: None };
        Ok(Done::changed(name, commander.merge(name, patches).await?, "retried"))
    };
    commander.each(flags.target, "retry", one).await.map(drop)
}

/// Holds Rollouts where they are.
pub(in crate::cli) async fn pause(flags: Plain, program: Program) -> Result<(), Failure> {
    let commander = Commander::open(flags.user, flags.manner, program).await?;
    let one = async |name: &str| {
        if program == Program::Serin {
            let (object, rollout) = commander.look(name).await?;
            if rollout.spec.paused {
                return Ok(Done::unchanged(name, object, "is paused already"));
            }
        }
        let patches = Patches { status: None, spec: Some(json!({"spec": {"paused": true}})) };
        Ok(Done::changed(name, commander.merge(name, patches).await?, "paused"))
    };
    commander.each(flags.target, "pause", one).await.map(drop)
}

/// Replaces the pods of Rollouts.
pub(in crate::cli) async fn restart(flags: Restart, program: Program) -> Result<(), Failure> {
    let Beginning { waiting, manner, user } = flags.beginning;
    let commander = Commander::open(user, manner, program).await?;
    let at = restart_time(Clock::System.now(), flags.delay);
    let said = format!("restarts in {}", go_text(flags.delay));
    let one = async |name: &str| {
        let patches = Patches { status: None, spec: Some(json!({"spec": {"restartAt": at}})) };
        Ok(Done::changed(name, commander.merge(name, patches).await?, &said))
    };
    let done = commander.each(flags.target, "restart", one).await?;
    commander.wait(waiting, done, Goal::Settled).await
}

/// Ends `AnalysisRuns` and Experiments before their time.
pub(in crate::cli) async fn terminate(what: Terminate, program: Program) -> Result<(), Failure> {
    let change = json!({"spec": {"terminate": true}});
    match what {
        Terminate::Analysisrun(named) => {
            let kind = ApiResource::erase::<AnalysisRun>(&());
            merge_into_each(&kind, "analysisRun", "terminated", *named, change, program).await
        }
        Terminate::Experiment(named) => {
            // What the reference says here is a slip of its own, which scripts may look for.
            let done = if program == Program::Plugin { "retried" } else { "terminated" };
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

/// Whether all of the users get the current template, as far as the controller knows.
pub(super) fn is_settled(rollout: &Rollout) -> bool {
    let status = rollout.status.clone().unwrap_or_default();
    is_observed(rollout) && status.stable_rs.is_some() && status.current_pod_hash == status.stable_rs
}

/// When pods are to be replaced, in whole seconds.
fn restart_time(now: Timestamp, wait: SignedDuration) -> String {
    time::whole_seconds(time::after(now, wait)).0.to_string()
}

/// A wait as Go writes it, without fractions of a second.
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
