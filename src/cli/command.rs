//! The commands that are one patch of a Rollout: abort, retry, pause, restart.

use clap::{Args, Subcommand};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::client::{Cluster, UserFlags};
use super::failure::{Failure, Program};
use super::output::print;
use crate::clock::Clock;
use crate::domain::{duration, time};

/// Rollouts that a command is about. The first failure ends it.
#[derive(Debug, Args)]
pub(super) struct Names {
    /// Names of Rollouts
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
    #[command(flatten)]
    user: UserFlags,
}

/// What is retried.
#[derive(Debug, Subcommand)]
pub(super) enum Retry {
    /// Rollouts whose update was aborted.
    #[command(visible_aliases = ["ro", "rollouts"])]
    Rollout(Box<Names>),
}

/// Flags of `serin restart`.
#[derive(Debug, Args)]
pub(super) struct Restart {
    /// Name of the Rollout
    name: String,
    /// How long to wait before, as in 10m
    #[arg(long = "in", short, value_name = "DURATION", value_parser = wait, default_value = "0s")]
    wait: SignedDuration,
    #[command(flatten)]
    user: UserFlags,
}

fn wait(text: &str) -> Result<SignedDuration, String> {
    let wait = duration::go_duration(text).filter(|wait| !wait.is_negative());
    wait.ok_or_else(|| "a duration is written as in 15s or 1m30s".to_owned())
}

/// Takes back updates.
pub(super) async fn abort(names: Names, program: Program) -> Result<(), Failure> {
    let cluster = Cluster::open(names.user).await?;
    for name in names.names {
        cluster.patch_status(&name, &json!({"status": {"abort": true}}), None, program).await?;
        print(&format!("rollout '{name}' aborted\n"))?;
    }
    Ok(())
}

/// Begins aborted updates anew.
pub(super) async fn retry(what: Retry, program: Program) -> Result<(), Failure> {
    let Retry::Rollout(names) = what;
    let cluster = Cluster::open(names.user).await?;
    for name in names.names {
        cluster.patch_status(&name, &json!({"status": {"abort": false}}), None, program).await?;
        print(&format!("rollout '{name}' retried\n"))?;
    }
    Ok(())
}

/// Holds Rollouts where they are.
pub(super) async fn pause(names: Names, program: Program) -> Result<(), Failure> {
    let cluster = Cluster::open(names.user).await?;
    for name in names.names {
        cluster.patch(&name, &json!({"spec": {"paused": true}}), program).await?;
        print(&format!("rollout '{name}' paused\n"))?;
    }
    Ok(())
}

/// Replaces the pods of a Rollout.
pub(super) async fn restart(flags: Restart, program: Program) -> Result<(), Failure> {
    let Restart { name, wait, user } = flags;
    let cluster = Cluster::open(user).await?;
    let at = restart_time(Clock::System.now(), wait);
    cluster.patch(&name, &json!({"spec": {"restartAt": at}}), program).await?;
    print(&format!("rollout '{name}' restarts in {}\n", go_text(wait)))
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
            let wait = wait(text).unwrap();
            assert_eq!((restart_time(now, wait).as_str(), go_text(wait).as_str()), (at, said));
        }
        assert!(wait("-1s").is_err() && wait("soon").is_err());
    }
}
