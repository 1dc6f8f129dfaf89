//! Waits for the end of what a command started.

use clap::Args;
use futures::future::join_all;
use kube::api::DynamicObject;

use super::super::client::{self, Cluster, Limit, UserFlags};
use super::super::failure::{Failure, Program};
use super::super::status::until;
use super::manner::Manner;
use super::obstacle::Blockage;
use serin_clock::Clock;
use serin_core::api::{Rollout, RolloutPhase, RolloutStatus};
use serin_insight::facts::{invalid_spec, waits_for_user};
use serin_insight::standing::Standing;

/// Flags for waiting.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct Waiting {
    /// Wait until the command has taken effect, and print progress to the standard error
    ///
    /// The exit codes are those of `status`: 10 if the Rollout becomes Degraded, 11 if it is paused until a user
    /// acts, and 5 if --timeout passes.
    #[arg(long)]
    wait: bool,
    /// Maximum time to wait, as in 5m; 0 waits without limit
    #[arg(long, value_name = "DURATION", value_parser = client::limit, default_value = "0", requires = "wait")]
    timeout: Limit,
}

/// Flags of commands that start an update or a restart.
#[derive(Debug, Args)]
pub(super) struct Beginning {
    #[command(flatten)]
    pub(super) waiting: Waiting,
    #[command(flatten)]
    pub(super) manner: Manner,
    #[command(flatten)]
    pub(super) user: UserFlags,
}

/// The goal of a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goal {
    /// The Rollout is Healthy.
    Settled,
    /// The update is rolled back: the stable revision has all traffic and all of its pods.
    TakenBack,
}

impl Waiting {
    pub(super) fn is_asked_for(self) -> bool {
        self.wait
    }

    /// Waits for all of these Rollouts, given as of the time of the command.
    pub(super) async fn wait(
        self,
        cluster: &Cluster,
        commanded: Vec<DynamicObject>,
        goal: Goal,
        program: Program,
    ) -> Result<(), Failure> {
        let waits = commanded.iter().map(|object| async {
            match self.timeout.0 {
                None => follow(cluster, object, goal, program).await,
                Some(limit) => {
                    let late = || {
                        let name = object.metadata.name.as_deref().unwrap_or_default();
                        Failure::TimedOut(format!("timed out after {limit:?} waiting for rollout '{name}'"))
                    };
                    let end = follow(cluster, object, goal, program);
                    tokio::time::timeout(limit, end).await.unwrap_or_else(|_| Err(late()))
                }
            }
        });
        Failure::together(join_all(waits).await.into_iter().filter_map(Result::err).collect())
    }
}

/// Prints each change of a Rollout's status line, until it reaches the goal or another end.
async fn follow(
    cluster: &Cluster,
    commanded: &DynamicObject,
    goal: Goal,
    program: Program,
) -> Result<(), Failure> {
    let name = commanded.metadata.name.as_deref().unwrap_or_default();
    let mut last = String::new();
    let mut blockage = Blockage::default();
    let look = |stored: DynamicObject| {
        let is_newer = stored.metadata.resource_version != commanded.metadata.resource_version;
        let rollout = client::rollout(stored)?;
        let standing = Standing::of(&rollout);
        let line = standing.line();
        if line != last {
            eprintln!("{name}: {line}");
            last = line;
        }
        let end = if is_newer || is_fact(&rollout, goal) { end(&rollout, standing, goal) } else { None };
        Ok(end.or_else(|| blockage.look(&rollout, Clock::System.now()).map(Err)))
    };
    until(cluster, name, program, look).await
}

/// True if an end counts although the controller has not observed the command yet; other ends are from an old status.
/// With an invalid spec there may be nothing to observe. The traffic of an aborted update stays where it is.
fn is_fact(rollout: &Rollout, goal: Goal) -> bool {
    goal == Goal::TakenBack && invalid_spec(rollout).is_some()
}

/// The end that a Rollout has reached, if it stays there without a user.
fn end(rollout: &Rollout, standing: Standing, goal: Goal) -> Option<Result<(), Failure>> {
    match (standing.phase, goal) {
        (RolloutPhase::Healthy, Goal::Settled) => Some(Ok(())),
        (RolloutPhase::Degraded, Goal::Settled) => Some(Err(Failure::Degraded(standing.message))),
        (RolloutPhase::Paused, Goal::Settled) => {
            let is_end = rollout.spec.paused || is_paused(rollout) && waits_for_user(rollout);
            is_end.then_some(Err(Failure::Paused(standing.message)))
        }
        (RolloutPhase::Progressing, Goal::Settled) => None,
        (RolloutPhase::Healthy | RolloutPhase::Degraded, Goal::TakenBack) if is_taken_back(rollout) => {
            Some(Ok(()))
        }
        (_, Goal::TakenBack) => revoked(rollout),
    }
}

/// The failure for an abort that a retry or another template has ended.
fn revoked(rollout: &Rollout) -> Option<Result<(), Failure>> {
    let name = rollout.metadata.name.as_deref().unwrap_or_default();
    let is_aborted = rollout.status.as_ref().is_some_and(|status| status.abort);
    let why = || format!("rollout '{name}' is no longer aborted: it was retried or has another template");
    (!is_aborted).then(|| Err(Failure::Failed(why())))
}

/// True if there is a pause that no promotion has ended yet.
fn is_paused(rollout: &Rollout) -> bool {
    rollout.status.as_ref().is_some_and(|status| !status.pause_conditions.is_empty() && !status.promote_full)
}

/// True if the stable revision has all traffic and all of its pods. With an invalid spec, the size may be invalid,
/// too. Then only the traffic counts, if a router or the active Service shows it.
fn is_taken_back(rollout: &Rollout) -> bool {
    let status = rollout.status.clone().unwrap_or_default();
    let is_routed = status.canary.weights.as_ref().is_none_or(|weights| weights.canary.weight == 0);
    let active = status.blue_green.active_selector.as_ref();
    let is_switched = active.is_none_or(|active| Some(active) == status.stable_rs.as_ref());
    let others =
        if status.canary.weights.is_none() && active.is_none() { status.updated_replicas } else { 0 };
    let is_told = status.canary.weights.is_some() || active.is_some();
    let counts = invalid_spec(rollout).is_none() || !is_told;
    is_routed && is_switched && (!counts || has_all_pods(rollout, &status, others))
}

fn has_all_pods(rollout: &Rollout, status: &RolloutStatus, others: i32) -> bool {
    status.available_replicas.saturating_sub(others) >= rollout.spec.desired_replicas()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn rollout(spec: &Value, status: &Value) -> Rollout {
        serde_json::from_value(json!({"metadata": {"name": "demo"}, "spec": spec, "status": status})).unwrap()
    }

    #[test]
    fn each_standing_is_an_end_or_not() {
        const PAUSED: &str = "CanaryPauseStep";
        let pause = json!([{"reason": PAUSED, "startTime": "2026-01-01T00:00:00Z"}]);
        let steps = |pause: Value| json!({"strategy": {"canary": {"steps": [{"pause": pause}]}}});
        let held = json!({"paused": true, "strategy": {"canary": {}}});
        let by_pause =
            json!({"phase": "Paused", "message": PAUSED, "pauseConditions": pause, "controllerPause": true});
        let mut promoted = by_pause.clone();
        promoted["promoteFull"] = true.into();
        let ended = json!({"phase": "Paused", "message": PAUSED});
        let aborted = |status: &Value| {
            let mut status = status.clone();
            status["abort"] = true.into();
            status
        };
        let revoked = || {
            let why = "rollout 'demo' is no longer aborted: it was retried or has another template";
            Some(Err(Failure::Failed(why.to_owned())))
        };
        let is_paused = || Some(Err(Failure::Paused(PAUSED.to_owned())));
        for (spec, status, goal, expected) in [
            (&held, json!({"phase": "Healthy"}), Goal::Settled, Some(Ok(()))),
            (
                &held,
                json!({"phase": "Degraded", "message": "why"}),
                Goal::Settled,
                Some(Err(Failure::Degraded("why".to_owned()))),
            ),
            (&held, json!({"phase": "Progressing", "message": "more"}), Goal::Settled, None),
            (&held, json!({"phase": "Paused", "message": PAUSED}), Goal::Settled, is_paused()),
            (&steps(json!({})), by_pause.clone(), Goal::Settled, is_paused()),
            (&steps(json!({"duration": "1h"})), by_pause.clone(), Goal::Settled, None),
            (&steps(json!({})), promoted, Goal::Settled, None),
            (&steps(json!({})), ended, Goal::Settled, None),
            (&steps(json!({})), aborted(&by_pause), Goal::TakenBack, None),
            (&steps(json!({})), by_pause, Goal::TakenBack, revoked()),
        ] {
            let rollout = rollout(spec, &status);
            assert_eq!(end(&rollout, Standing::of(&rollout), goal), expected, "{spec} {status} {goal:?}");
        }
    }

    #[test]
    fn an_update_is_taken_back_when_the_stable_revision_has_traffic_and_pods() {
        let weights = |canary: i32| {
            json!({"weights": {"canary": {"weight": canary, "podTemplateHash": "b", "serviceName": "c"},
            "stable": {"weight": 100 - canary, "podTemplateHash": "a", "serviceName": "s"}}})
        };
        for (status, is_end) in [
            (json!({"availableReplicas": 3}), true),
            (json!({"availableReplicas": 2}), false),
            // Without a router, the pods of the update stay until others replace them.
            (json!({"availableReplicas": 3, "updatedReplicas": 1}), false),
            (json!({"availableReplicas": 4, "updatedReplicas": 1, "canary": weights(0)}), true),
            (json!({"availableReplicas": 4, "updatedReplicas": 1, "canary": weights(5)}), false),
            (
                json!({"availableReplicas": 3, "updatedReplicas": 3, "blueGreen": {"activeSelector": "a"}}),
                true,
            ),
            (
                json!({"availableReplicas": 3, "updatedReplicas": 3, "blueGreen": {"activeSelector": "b"}}),
                false,
            ),
        ] {
            let mut status = status;
            status["stableRS"] = "a".into();
            status["phase"] = "Degraded".into();
            status["abort"] = true.into();
            let rollout = rollout(&json!({"replicas": 3}), &status);
            let expected = is_end.then_some(Ok(()));
            assert_eq!(end(&rollout, Standing::of(&rollout), Goal::TakenBack), expected, "{status}");
        }
    }
    #[test]
    fn where_the_spec_is_invalid_an_abort_is_done_when_traffic_is_back() {
        let time = "2026-01-01T00:00:00Z";
        let invalid = json!([{"type": "InvalidSpec", "status": "True", "reason": "InvalidSpec", "message": "why",
            "lastUpdateTime": time, "lastTransitionTime": time}]);
        let weights = |canary: i32| {
            json!({"weights": {"canary": {"weight": canary, "podTemplateHash": "b", "serviceName": "c"},
                "stable": {"weight": 100 - canary, "podTemplateHash": "a", "serviceName": "s"}}})
        };
        for (status, is_end) in [
            (json!({"canary": weights(0), "availableReplicas": 1}), true),
            (json!({"canary": weights(10), "availableReplicas": 3}), false),
            (json!({"blueGreen": {"activeSelector": "a"}}), true),
            (json!({"blueGreen": {"activeSelector": "b"}, "availableReplicas": 3}), false),
            // Only pods show the traffic.
            (json!({"availableReplicas": 3, "updatedReplicas": 1}), false),
            (json!({"availableReplicas": 3}), true),
        ] {
            let mut status = status;
            for (field, value) in [
                ("phase", json!("Degraded")),
                ("abort", json!(true)),
                ("stableRS", json!("a")),
                ("conditions", invalid.clone()),
            ] {
                status[field] = value;
            }
            let rollout = rollout(&json!({"replicas": 3}), &status);
            let expected = is_end.then_some(Ok(()));
            assert_eq!(end(&rollout, Standing::of(&rollout), Goal::TakenBack), expected, "{status}");
        }
    }
}
