//! The cause that a Rollout is waiting for, and its remaining time.

use jiff::Timestamp;

use super::facts::{blocked, current_step, invalid_spec, pause_ends, replica_sets, set_weight};
use super::look::Surroundings;
use super::object::hash;
use super::quantity::left;
use super::standing::{Standing, is_observed};
use serin_core::api::rollout_status::{AnalysisRunReference, BlueGreenStatus};
use serin_core::api::{
    AnalysisPhase, PauseReason, Rollout, RolloutCondition, RolloutPhase, RolloutStatus, StepKind,
};
use serin_core::domain::condition::ConditionType;
use serin_core::rollout::progress_deadline;
use serin_kubernetes::age::human;
use serin_values::time::after;

/// The cause in words; `None` if the Rollout is not waiting.
pub(super) fn reason(rollout: &Rollout, around: &Surroundings, now: Timestamp) -> Option<String> {
    let standing = Standing::of(rollout);
    let status = rollout.status.clone().unwrap_or_default();
    match standing.phase {
        RolloutPhase::Healthy => None,
        RolloutPhase::Degraded => Some(trouble(rollout, &status, around)),
        RolloutPhase::Paused => Some(pause(rollout, &status, now)),
        RolloutPhase::Progressing => Some(progress(rollout, &status, around)),
    }
}

/// The remedy for a Degraded Rollout.
fn trouble(rollout: &Rollout, status: &RolloutStatus, around: &Surroundings) -> String {
    if let Some(abort) = abort_under_way(rollout, status) {
        return abort;
    }
    if invalid_spec(rollout).is_none() && status.abort {
        return "a retry, or another template".to_owned();
    }
    let missing = pods(rollout, around).filter(|_| invalid_spec(rollout).is_none());
    missing.or_else(|| refused_write(rollout)).unwrap_or_else(|| "a valid spec".to_owned())
}

/// The pending part of an abort.
fn abort_under_way(rollout: &Rollout, status: &RolloutStatus) -> Option<String> {
    let weights = status.canary.weights.as_ref().filter(|_| status.abort)?;
    let weight = weights.canary.weight;
    let still = || format!("the end of the abort: the router still gives the canary {weight}");
    (weight > 0).then(|| refused_write(rollout).unwrap_or_else(still))
}

/// A write that the API server refuses.
fn refused_write(rollout: &Rollout) -> Option<String> {
    blocked(rollout).map(|said| format!("a refused write: {said}"))
}

fn pause(rollout: &Rollout, status: &RolloutStatus, now: Timestamp) -> String {
    let reason = status.pause_conditions.first().map(|condition| condition.reason);
    if rollout.spec.paused {
        // A promotion would end the current step, too.
        return "a user to resume it (spec.paused is true)".to_owned();
    }
    match (reason, pause_left(rollout, now)) {
        (Some(PauseReason::InconclusiveAnalysisRun), _) => {
            "a promotion or an abort: an analysis was inconclusive".to_owned()
        }
        (Some(PauseReason::InconclusiveExperiment), _) => {
            "a promotion or an abort: an experiment was inconclusive".to_owned()
        }
        (_, Some(left)) => format!("the end of the pause {left}, or a promotion"),
        (Some(PauseReason::CanaryPauseStep | PauseReason::BlueGreenPause) | None, None) => {
            "a promotion".to_owned()
        }
    }
}

/// The remaining time of a pause.
pub(super) fn pause_left(rollout: &Rollout, now: Timestamp) -> Option<String> {
    Some(until(pause_ends(rollout).collect::<Option<Vec<_>>>()?.into_iter().max()?, now))
}

/// The time until `end`.
pub(super) fn until(then: Timestamp, now: Timestamp) -> String {
    if then <= now {
        "now".to_owned()
    } else {
        format!("in {}", human(left(then.duration_since(now)).as_secs()))
    }
}

/// The cause that a progressing update is waiting for.
fn progress(rollout: &Rollout, status: &RolloutStatus, around: &Surroundings) -> String {
    if let Some(refused) = refused_write(rollout) {
        return refused;
    }
    if rollout.status.is_none() || !is_observed(rollout) {
        return "the controller, which has not observed this spec yet".to_owned();
    }
    if status.controller_pause && status.pause_conditions.is_empty() {
        return "the controller, which must end the pause".to_owned();
    }
    if rollout.spec.restart_at.is_some() && rollout.spec.restart_at != status.restarted_at {
        return "replacement pods".to_owned();
    }
    let causes = [run(rollout, status), pods(rollout, around), traffic(rollout, status)];
    causes.into_iter().flatten().next().unwrap_or_else(|| rest(rollout, status).to_owned())
}

/// A running analysis or experiment.
fn run(rollout: &Rollout, status: &RolloutStatus) -> Option<String> {
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
    let named = |kind: &str, name: Option<&String>| match name {
        Some(name) => format!("the {kind} {name}"),
        None => format!("the {kind} of its step"),
    };
    let of_step = canary.current_step_analysis_run_status.as_ref();
    match step {
        Some(StepKind::Experiment(_)) => {
            return Some(named("experiment", canary.current_experiment.as_ref()));
        }
        Some(StepKind::Analysis(_)) if of_step.is_none_or(|run| is_going(&run)) => {
            return Some(named("analysis", of_step.map(|run| &run.name)));
        }
        _ => {}
    }
    let BlueGreenStatus {
        pre_promotion_analysis_run_status: before,
        post_promotion_analysis_run_status: after,
        ..
    } = &status.blue_green;
    let run = [before, after].into_iter().flatten().find(is_going)?;
    Some(named("analysis", Some(&run.name)))
}

/// Unavailable pods of the current or the stable revision.
fn pods(rollout: &Rollout, around: &Surroundings) -> Option<String> {
    let status = rollout.status.as_ref()?;
    let missing = |wanted: &Option<String>, name: &str| {
        let set = replica_sets(rollout, around).find(|set| Some(hash(set)) == wanted.as_deref())?;
        let size = set.spec.as_ref()?.replicas.unwrap_or(1);
        let available = set.status.as_ref().and_then(|status| status.available_replicas).unwrap_or(0);
        (available < size).then(|| format!("pods of the {name} revision, {available} of {size} available"))
    };
    missing(&status.current_pod_hash, "new").or_else(|| missing(&status.stable_rs, "stable"))
}

/// A router that does not apply the weights of the steps yet.
fn traffic(rollout: &Rollout, status: &RolloutStatus) -> Option<String> {
    rollout.spec.strategy.canary.as_ref()?.traffic_routing.as_ref()?;
    let weights = status.canary.weights.as_ref()?;
    let (asked, set) = (set_weight(rollout), weights.canary.weight);
    if current_step(rollout).is_some() && asked != set {
        return Some(format!("the router, which gives the canary {set} instead of {asked}"));
    }
    (weights.verified == Some(false)).then(|| "the router, which does not report the weights yet".to_owned())
}

fn rest(rollout: &Rollout, status: &RolloutStatus) -> &'static str {
    let is_switched = status.blue_green.active_selector == status.current_pod_hash;
    if rollout.spec.strategy.blue_green.is_some() && !is_switched {
        "the switch of the active Service"
    } else if status.replicas > status.updated_replicas && status.stable_rs == status.current_pod_hash {
        "the termination of old pods"
    } else {
        "its next step"
    }
}

/// The time at which an update counts as stuck unless it makes progress. `None` during an intended wait.
pub(super) fn deadline(rollout: &Rollout) -> Option<Timestamp> {
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
