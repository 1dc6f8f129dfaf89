//! `serin promote`: ends a pause or skips steps.

use clap::Args;
use serde_json::Value;
use serde_json::json;

use super::super::failure::{Failure, Program};
use super::commander::{Commander, Patches};
use super::manner::Done;
use super::obstacle;
use super::simple::is_settled;
use super::target::Target;
use super::wait::{Beginning, Goal};
use serin_core::api::{AnalysisPhase, Rollout, RolloutStatus};
use serin_insight::standing::is_observed;

/// Flags of `serin promote`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Promote {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    extent: Extent,
    #[command(flatten)]
    beginning: Beginning,
}

/// The extent of a promotion. Without a flag, it ends the pause.
#[derive(Debug, Clone, Copy, Default, Args)]
#[group(multiple = false)]
struct Extent {
    /// Skip all remaining steps, pauses and analyses of the update
    #[arg(long)]
    full: bool,
    /// Skip the current step
    #[arg(long, short = 'c')]
    skip_current_step: bool,
    /// Skip all remaining steps
    #[arg(long, short = 'a')]
    skip_all_steps: bool,
}

/// Promotes Rollouts.
pub(in crate::cli) async fn promote(flags: Promote, program: Program) -> Result<(), Failure> {
    let Promote { target, extent, beginning } = flags;
    let Beginning { waiting, manner, user } = beginning;
    let commander = Commander::open(user, manner, program).await?;
    let said = if extent.full { "fully promoted" } else { "promoted" };
    let one = async |name: &str| {
        let (_, rollout) = commander.look(name).await?;
        if !program.is_plugin() {
            obstacle::of_spec(&rollout, "promoted")?;
        }
        let patches = patches(&rollout, extent)?;
        if let Some(reason) = needless(&rollout, &patches).filter(|_| !program.is_plugin()) {
            return Err(Failure::Failed(format!("nothing to promote: rollout '{name}' {reason}")));
        }
        Ok(Done::changed(name, commander.merge(name, patches).await?, said))
    };
    let done = commander.each(target, "promote", one).await?;
    commander.wait(waiting, done, Goal::Settled).await
}

/// The reason why a promotion would have no effect, if any.
fn needless(rollout: &Rollout, patches: &Patches) -> Option<&'static str> {
    if rollout.spec.paused && patches.spec.is_some() {
        return None;
    }
    if !is_observed(rollout) {
        return patches
            .status
            .is_none()
            .then_some("has changes that the controller has not observed yet; try again");
    }
    let is_paused = rollout.status.as_ref().is_some_and(|status| !status.pause_conditions.is_empty());
    if is_settled(rollout) && !is_paused {
        return Some("is neither updating nor paused");
    }
    patches.status.is_none().then_some("is not paused and has no steps; use --full to complete the update")
}

/// The patches that promote a Rollout, as sent by the reference's plugin.
fn patches(rollout: &Rollout, extent: Extent) -> Result<Patches, Failure> {
    let status = rollout.status.clone().unwrap_or_default();
    let spec = rollout.spec.paused.then(|| json!({"spec": {"paused": false}}));
    if extent.full {
        let is_updating = status.current_pod_hash != status.stable_rs;
        return Ok(Patches { status: is_updating.then(|| json!({"status": {"promoteFull": true}})), spec });
    }
    let steps = rollout.spec.strategy.canary.as_ref().map_or(0, |canary| canary.steps.len());
    let steps = i32::try_from(steps).unwrap_or(i32::MAX);
    let index = status.current_step_index.unwrap_or(0);
    let next = if index < steps { index + 1 } else { index };
    let skips = extent.skip_current_step || extent.skip_all_steps;
    if !skips {
        return Ok(Patches { status: resume(&status, steps, next), spec });
    }
    if steps == 0 {
        return Err(Failure::Failed("the Rollout has no steps to skip".to_owned()));
    }
    let index = if extent.skip_all_steps { steps } else { next };
    Ok(Patches { status: Some(json!({"status": {"currentStepIndex": index}})), spec: None })
}

/// The patch that ends the controller's pause or the current step; `None` if there is neither.
fn resume(status: &RolloutStatus, steps: i32, next: i32) -> Option<Value> {
    let analysis = status.canary.current_step_analysis_run_status.as_ref();
    let is_inconclusive = analysis.is_some_and(|run| run.status == AnalysisPhase::Inconclusive);
    let is_paused = !status.pause_conditions.is_empty();
    if is_paused && is_inconclusive && status.controller_pause {
        return Some(
            json!({"status": {"pauseConditions": null, "controllerPause": false, "currentStepIndex": next}}),
        );
    }
    if is_paused {
        return Some(json!({"status": {"pauseConditions": null}}));
    }
    (steps > 0).then(|| json!({"status": {"pauseConditions": null, "currentStepIndex": next}}))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Extent = Extent { full: false, skip_current_step: false, skip_all_steps: false };
    const FULL: Extent = Extent { full: true, ..PLAIN };
    const SKIP: Extent = Extent { skip_current_step: true, ..PLAIN };
    const SKIP_ALL: Extent = Extent { skip_all_steps: true, ..PLAIN };

    fn rollout(strategy: &str, paused: bool, status: &Value) -> Rollout {
        let strategy = match strategy {
            "blueGreen" => json!({"blueGreen": {"activeService": "a"}}),
            "stepless" => json!({"canary": {}}),
            _ => json!({"canary": {"steps": [{"setWeight": 1}, {"pause": {}}]}}),
        };
        let spec = json!({"strategy": strategy, "paused": paused});
        serde_json::from_value(json!({"metadata": {}, "spec": spec, "status": status})).unwrap()
    }

    #[test]
    fn each_situation_has_its_patches() {
        let pause = |reason: &str| json!([{"reason": reason, "startTime": "2026-01-01T00:00:00Z"}]);
        let paused = json!({"pauseConditions": pause("CanaryPauseStep"), "controllerPause": true, "currentStepIndex": 1});
        let inconclusive = json!({
            "pauseConditions": pause("InconclusiveAnalysisRun"), "controllerPause": true, "currentStepIndex": 0,
            "canary": {"currentStepAnalysisRunStatus": {"name": "a", "status": "Inconclusive"}},
        });
        let mut resumed = inconclusive.clone();
        resumed["controllerPause"] = false.into();
        let updating = json!({"currentPodHash": "b", "stableRS": "a"});
        let settled = json!({"currentPodHash": "a", "stableRS": "a", "currentStepIndex": 2});
        for (extent, strategy, status, expected) in [
            (SKIP, "canary", &paused, json!({"currentStepIndex": 2})),
            (SKIP, "canary", &settled, json!({"currentStepIndex": 2})),
            (SKIP, "canary", &json!({}), json!({"currentStepIndex": 1})),
            (SKIP_ALL, "canary", &json!({}), json!({"currentStepIndex": 2})),
            (FULL, "canary", &updating, json!({"promoteFull": true})),
            (FULL, "blueGreen", &updating, json!({"promoteFull": true})),
            (FULL, "canary", &settled, Value::Null),
            (
                PLAIN,
                "canary",
                &inconclusive,
                json!({"pauseConditions": null, "controllerPause": false, "currentStepIndex": 1}),
            ),
            (PLAIN, "canary", &resumed, json!({"pauseConditions": null})),
            (PLAIN, "canary", &paused, json!({"pauseConditions": null})),
            (PLAIN, "blueGreen", &paused, json!({"pauseConditions": null})),
            (PLAIN, "stepless", &paused, json!({"pauseConditions": null})),
            (PLAIN, "canary", &json!({}), json!({"pauseConditions": null, "currentStepIndex": 1})),
            (PLAIN, "canary", &settled, json!({"pauseConditions": null, "currentStepIndex": 2})),
            (PLAIN, "blueGreen", &json!({}), Value::Null),
            (PLAIN, "stepless", &json!({}), Value::Null),
        ] {
            for is_paused in [false, true] {
                let patches = patches(&rollout(strategy, is_paused, status), extent).unwrap();
                let status = patches.status.map_or(Value::Null, |patch| patch["status"].clone());
                assert_eq!(status, expected, "{extent:?} {strategy} {status}");
                let skips = extent.skip_current_step || extent.skip_all_steps;
                let spec = (is_paused && !skips).then(|| json!({"spec": {"paused": false}}));
                assert_eq!(patches.spec, spec, "{extent:?} {strategy} {status}");
            }
        }
    }

    #[test]
    fn only_steps_can_be_skipped() {
        for (strategy, extent) in [("blueGreen", SKIP), ("stepless", SKIP), ("stepless", SKIP_ALL)] {
            let refused = patches(&rollout(strategy, true, &json!({})), extent);
            assert!(matches!(refused, Err(Failure::Failed(_))), "{strategy} {extent:?}: {refused:?}");
        }
    }

    #[test]
    fn what_would_do_nothing_is_refused() {
        const SETTLED: Option<&str> = Some("is neither updating nor paused");
        const UNSEEN: Option<&str> = Some("has changes that the controller has not observed yet; try again");
        const STEPLESS: Option<&str> =
            Some("is not paused and has no steps; use --full to complete the update");
        let pause = json!([{"reason": "BlueGreenPause", "startTime": "2026-01-01T00:00:00Z"}]);
        let settled =
            |pause: &Value| json!({"currentPodHash": "a", "stableRS": "a", "pauseConditions": pause});
        let updating = json!({"currentPodHash": "b", "stableRS": "a"});
        for (strategy, is_paused, generation, status, expected) in [
            ("canary", false, 1, settled(&Value::Null), SETTLED),
            ("canary", true, 1, settled(&Value::Null), None),
            ("canary", false, 1, settled(&pause), None),
            ("canary", false, 1, updating.clone(), None),
            // A first revision, which is not stable yet.
            ("canary", false, 1, json!({}), None),
            // The change may be an update, which the pause belongs to.
            ("canary", false, 2, settled(&Value::Null), None),
            ("stepless", false, 2, settled(&Value::Null), UNSEEN),
            ("stepless", true, 2, settled(&Value::Null), None),
            ("stepless", false, 1, updating.clone(), STEPLESS),
            ("blueGreen", false, 1, updating, STEPLESS),
        ] {
            let mut rollout = rollout(strategy, is_paused, &status);
            rollout.metadata.generation = Some(generation);
            rollout.status.get_or_insert_default().observed_generation = Some("1".to_owned());
            let patches = patches(&rollout, PLAIN).unwrap();
            assert_eq!(
                needless(&rollout, &patches),
                expected,
                "{strategy} {is_paused} {generation} {status}"
            );
        }
    }
}
