//! The thing that a Rollout waits for, according to its status.

use jiff::Timestamp;

use crate::facts::{blocked, current_step, invalid_spec, pause_ends, replica_sets, set_weight};
use crate::object::hash;
use crate::standing::{Standing, is_observed};
use crate::surroundings::Surroundings;
use serin_core::api::rollout_status::{AnalysisRunReference, BlueGreenStatus};
use serin_core::api::{
    AnalysisPhase, PauseReason, Rollout, RolloutCondition, RolloutPhase, RolloutStatus, StepKind,
};
use serin_core::domain::condition::ConditionType;
use serin_core::rollout::progress_deadline;
use serin_values::time::after;

/// The thing that a Rollout waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wait {
    /// The end of an abort: the router still gives the canary a weight.
    AbortEnd {
        /// The weight.
        weight: i32,
    },
    /// A write that the API server refuses.
    RefusedWrite {
        /// The write, and the reason.
        said: String,
    },
    /// A retry of an aborted update, or another template.
    Retry,
    /// A valid spec.
    ValidSpec,
    /// A user who sets `spec.paused` to false.
    Resume,
    /// A decision of a user after an inconclusive run.
    Judgement(Run),
    /// The end of a pause.
    PauseEnd(Timestamp),
    /// A promotion.
    Promotion,
    /// The controller, which has not observed the spec yet.
    Observation,
    /// The controller, which must end a pause.
    Unpause,
    /// Replacement pods of a restart.
    Replacements,
    /// A run that is in progress.
    Run {
        /// Its kind.
        run: Run,
        /// Its name; `None` before the status has it.
        name: Option<String>,
    },
    /// Pods of a revision that are not available.
    Pods {
        /// The revision: `new` or `stable`.
        revision: &'static str,
        /// The number of available pods.
        available: i32,
        /// The number of wanted pods.
        size: i32,
    },
    /// The router, which does not have the weight of the steps yet.
    Weight {
        /// The canary's weight at the router.
        set: i32,
        /// The weight that the steps ask for.
        asked: i32,
    },
    /// The router, which does not report its weights yet.
    Verification,
    /// The switch of the active Service.
    Switch,
    /// The termination of old pods.
    OldPods,
    /// The next step.
    NextStep,
}

/// The kinds of runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Run {
    /// An AnalysisRun.
    Analysis,
    /// An Experiment.
    Experiment,
}

impl Wait {
    /// The thing that `rollout` waits for; `None` if it is Healthy.
    #[must_use]
    pub fn of(rollout: &Rollout, around: &Surroundings) -> Option<Self> {
        let status = rollout.status.clone().unwrap_or_default();
        match Standing::of(rollout).phase {
            RolloutPhase::Healthy => None,
            RolloutPhase::Degraded => Some(trouble(rollout, &status, around)),
            RolloutPhase::Paused => Some(pause(rollout, &status)),
            RolloutPhase::Progressing => Some(progress(rollout, &status, around)),
        }
    }
}

/// The remedy for a Degraded Rollout.
fn trouble(rollout: &Rollout, status: &RolloutStatus, around: &Surroundings) -> Wait {
    if let Some(abort) = abort_under_way(rollout, status) {
        return abort;
    }
    if invalid_spec(rollout).is_none() && status.abort {
        return Wait::Retry;
    }
    let missing = pods(rollout, around).filter(|_| invalid_spec(rollout).is_none());
    missing.or_else(|| refused_write(rollout)).unwrap_or(Wait::ValidSpec)
}

/// The pending part of an abort.
fn abort_under_way(rollout: &Rollout, status: &RolloutStatus) -> Option<Wait> {
    let weights = status.canary.weights.as_ref().filter(|_| status.abort)?;
    let weight = weights.canary.weight;
    (weight > 0).then(|| refused_write(rollout).unwrap_or(Wait::AbortEnd { weight }))
}

/// A write that the API server refuses.
fn refused_write(rollout: &Rollout) -> Option<Wait> {
    blocked(rollout).map(|said| Wait::RefusedWrite { said: said.to_owned() })
}

fn pause(rollout: &Rollout, status: &RolloutStatus) -> Wait {
    let reason = status.pause_conditions.first().map(|condition| condition.reason);
    if rollout.spec.paused {
        // A promotion would end the current step, too.
        return Wait::Resume;
    }
    match reason {
        Some(PauseReason::InconclusiveAnalysisRun) => Wait::Judgement(Run::Analysis),
        Some(PauseReason::InconclusiveExperiment) => Wait::Judgement(Run::Experiment),
        Some(PauseReason::CanaryPauseStep | PauseReason::BlueGreenPause) | None => {
            pause_end(rollout).map_or(Wait::Promotion, Wait::PauseEnd)
        }
    }
}

/// The end of a pause that ends without a user.
#[must_use]
pub fn pause_end(rollout: &Rollout) -> Option<Timestamp> {
    pause_ends(rollout).collect::<Option<Vec<_>>>()?.into_iter().max()
}

/// The cause that a progressing update is waiting for.
fn progress(rollout: &Rollout, status: &RolloutStatus, around: &Surroundings) -> Wait {
    if let Some(refused) = refused_write(rollout) {
        return refused;
    }
    if rollout.status.is_none() || !is_observed(rollout) {
        return Wait::Observation;
    }
    if status.controller_pause && status.pause_conditions.is_empty() {
        return Wait::Unpause;
    }
    if rollout.spec.restart_at.is_some() && rollout.spec.restart_at != status.restarted_at {
        return Wait::Replacements;
    }
    let causes = [run(rollout, status), pods(rollout, around), traffic(rollout, status)];
    causes.into_iter().flatten().next().unwrap_or_else(|| rest(rollout, status))
}

/// A running analysis or experiment.
fn run(rollout: &Rollout, status: &RolloutStatus) -> Option<Wait> {
    let canary = &status.canary;
    let step = current_step(rollout)
        .and_then(|index| rollout.spec.strategy.canary.as_ref()?.steps.get(index)?.kind());
    let is_going = |run: &&AnalysisRunReference| match run.status {
        AnalysisPhase::Unknown | AnalysisPhase::Pending | AnalysisPhase::Running => true,
        AnalysisPhase::Successful
        | AnalysisPhase::Failed
        | AnalysisPhase::Error
        | AnalysisPhase::Inconclusive => false,
    };
    let named = |run: Run, name: Option<&String>| Wait::Run { run, name: name.cloned() };
    let of_step = canary.current_step_analysis_run_status.as_ref();
    match step {
        Some(StepKind::Experiment(_)) => {
            return Some(named(Run::Experiment, canary.current_experiment.as_ref()));
        }
        Some(StepKind::Analysis(_)) if of_step.is_none_or(|run| is_going(&run)) => {
            return Some(named(Run::Analysis, of_step.map(|run| &run.name)));
        }
        _ => {}
    }
    let BlueGreenStatus {
        pre_promotion_analysis_run_status: before,
        post_promotion_analysis_run_status: after,
        ..
    } = &status.blue_green;
    let run = [before, after].into_iter().flatten().find(is_going)?;
    Some(named(Run::Analysis, Some(&run.name)))
}

/// Unavailable pods of the current or the stable revision.
fn pods(rollout: &Rollout, around: &Surroundings) -> Option<Wait> {
    let status = rollout.status.as_ref()?;
    let missing = |wanted: &Option<String>, revision: &'static str| {
        let set = replica_sets(rollout, around).find(|set| Some(hash(set)) == wanted.as_deref())?;
        let size = set.spec.as_ref()?.replicas.unwrap_or(1);
        let available = set.status.as_ref().and_then(|status| status.available_replicas).unwrap_or(0);
        (available < size).then_some(Wait::Pods { revision, available, size })
    };
    missing(&status.current_pod_hash, "new").or_else(|| missing(&status.stable_rs, "stable"))
}

/// A router that does not apply the weights of the steps yet.
fn traffic(rollout: &Rollout, status: &RolloutStatus) -> Option<Wait> {
    rollout.spec.strategy.canary.as_ref().filter(|canary| canary.is_routed())?;
    let weights = status.canary.weights.as_ref()?;
    let (asked, set) = (set_weight(rollout), weights.canary.weight);
    if current_step(rollout).is_some() && asked != set {
        return Some(Wait::Weight { set, asked });
    }
    (weights.verified == Some(false)).then_some(Wait::Verification)
}

fn rest(rollout: &Rollout, status: &RolloutStatus) -> Wait {
    let is_switched = status.blue_green.active_selector == status.current_pod_hash;
    if rollout.spec.strategy.blue_green.is_some() && !is_switched {
        Wait::Switch
    } else if status.replicas > status.updated_replicas && status.stable_rs == status.current_pod_hash {
        Wait::OldPods
    } else {
        Wait::NextStep
    }
}

/// The time at which an update counts as stuck unless it makes progress. `None` during an intended wait.
#[must_use]
pub fn deadline(rollout: &Rollout) -> Option<Timestamp> {
    let status = rollout.status.as_ref()?;
    let is_stable = status.stable_rs == status.current_pod_hash;
    let step =
        current_step(rollout).and_then(|index| rollout.spec.strategy.canary.as_ref()?.steps.get(index));
    let is_gate =
        step.is_some_and(|step| step.pause.is_some() || step.experiment.is_some() || step.analysis.is_some());
    if Standing::of(rollout).phase != RolloutPhase::Progressing || is_stable || is_gate {
        return None;
    }
    let is_progress = |one: &&RolloutCondition| one.type_ == ConditionType::Progressing.as_str();
    let progress = status.conditions.iter().find(is_progress)?;
    Some(after(progress.last_update_time.0, progress_deadline(rollout)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn wait(spec: &Value, status: &Value) -> Option<Wait> {
        let rollout = json!({"metadata": {"generation": 2}, "spec": spec, "status": status});
        Wait::of(&serde_json::from_value(rollout).unwrap(), &Surroundings::default())
    }

    fn pausing(pause: &Value) -> Value {
        json!({"strategy": {"canary": {"steps": [{"pause": pause}]}}})
    }

    #[test]
    fn a_pause_waits_for_its_end_or_for_a_user() {
        let paused = |reason: &str| {
            let pause = json!({"reason": reason, "startTime": "2026-01-01T00:00:00Z"});
            json!({"phase": "Paused", "controllerPause": true, "currentStepIndex": 0, "pauseConditions": [pause]})
        };
        let (step, inconclusive) = (paused("CanaryPauseStep"), paused("InconclusiveAnalysisRun"));
        let end = "2026-01-01T00:01:00Z".parse().unwrap();
        let (timed, open) = (pausing(&json!({"duration": "1m"})), pausing(&json!({})));
        assert_eq!(wait(&timed, &step), Some(Wait::PauseEnd(end)));
        assert_eq!(wait(&open, &step), Some(Wait::Promotion));
        assert_eq!(wait(&open, &inconclusive), Some(Wait::Judgement(Run::Analysis)));
        assert_eq!(wait(&json!({"paused": true}), &json!({"phase": "Paused"})), Some(Wait::Resume));
    }

    #[test]
    fn other_phases_wait_for_what_the_status_lacks() {
        let spec = pausing(&json!({}));
        for (status, expected) in [
            (json!({"phase": "Healthy"}), None),
            (json!({"phase": "Degraded", "abort": true}), Some(Wait::Retry)),
            (json!({"phase": "Degraded"}), Some(Wait::ValidSpec)),
            (json!({"phase": "Progressing", "observedGeneration": "1"}), Some(Wait::Observation)),
            (json!({"phase": "Progressing", "controllerPause": true}), Some(Wait::Unpause)),
            (json!({"phase": "Progressing"}), Some(Wait::NextStep)),
            (json!({"phase": "Progressing", "replicas": 2, "updatedReplicas": 1}), Some(Wait::OldPods)),
        ] {
            assert_eq!(wait(&spec, &status), expected, "{status}");
        }
    }
}
