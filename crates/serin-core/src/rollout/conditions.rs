//! The conditions of a Rollout: typed facts that people and tools wait for.

use super::context::Context;
use super::draft::Draft;
use super::snapshot::FailureCause;
use super::valid::Strategy;
use super::{phase, replica_set};
use crate::api::{ConditionStatus, RolloutCondition, RolloutPhase, RolloutStatus, StepKind, keys};
use crate::domain::condition::{ConditionReason as Reason, ConditionType};
use crate::domain::event::EventReason;
use crate::domain::plan::ObjectKind;
use crate::domain::time::whole_seconds;
use jiff::{SignedDuration, Timestamp};
use serin_values::time::after;

/// Derives all conditions of `next`, whose other fields are final. `stuck` is why the update is aborted now, if it is.
pub(super) fn derive(cx: &Context<'_>, stuck: Option<&str>, next: &mut RolloutStatus, draft: &mut Draft) {
    remove(next, ConditionType::InvalidSpec);
    let paused = cx.spec.is_paused || !next.pause_conditions.is_empty();
    let healthy = !paused && is_healthy(cx, next);
    let became_unhealthy = derive_healthy(cx, next, healthy);
    derive_completed(cx, next, draft);
    // Old pods that wait make a Rollout with all of its own pods not healthy, and a pause takes nothing from what runs.
    let lost_pods =
        cx.status.phase == Some(RolloutPhase::Healthy) && phase::is_progressing(cx.spec.target(), next);
    let became_unhealthy = (became_unhealthy || lost_pods) && !paused;
    let condition = Standing { paused, healthy, became_unhealthy };
    derive_progressing(cx, condition, stuck, next, draft);
    derive_paused(cx, next, paused);
    derive_available(cx, next);
    derive_replica_failure(cx, next);
    derive_failure(cx, next);
}

/// How a Rollout fares, for the condition `Progressing`.
#[derive(Clone, Copy)]
struct Standing {
    paused: bool,
    healthy: bool,
    /// It was healthy until now.
    became_unhealthy: bool,
}

/// A fact to be recorded.
struct Fact {
    kind: ConditionType,
    status: ConditionStatus,
    reason: String,
    message: String,
}

impl Fact {
    fn new(kind: ConditionType, status: ConditionStatus, reason: Reason, message: impl Into<String>) -> Self {
        Self { kind, status, reason: reason.as_str().to_owned(), message: message.into() }
    }
}

/// Records a fact. One that is recorded already stays as it is, so that its times say since when it holds.
/// True if anything changed.
fn set(status: &mut RolloutStatus, now: Timestamp, fact: Fact) -> bool {
    let known = find(status, fact.kind)
        .is_some_and(|c| c.status == fact.status && c.reason == fact.reason && c.message == fact.message);
    if !known {
        replace(status, now, fact);
    }
    !known
}

/// Records a fact anew: `lastUpdateTime` is now, `lastTransitionTime` only if the status value changes.
fn replace(status: &mut RolloutStatus, now: Timestamp, fact: Fact) {
    let now = whole_seconds(now);
    let same = find(status, fact.kind).filter(|c| c.status == fact.status);
    let since = same.map_or_else(|| now.clone(), |c| c.last_transition_time.clone());
    remove(status, fact.kind);
    status.conditions.push(RolloutCondition {
        type_: fact.kind.as_str().to_owned(),
        status: fact.status,
        last_update_time: now,
        last_transition_time: since,
        reason: fact.reason,
        message: fact.message,
    });
}

pub(super) fn find(status: &RolloutStatus, kind: ConditionType) -> Option<&RolloutCondition> {
    status.conditions.iter().find(|c| c.type_ == kind.as_str())
}

fn remove(status: &mut RolloutStatus, kind: ConditionType) {
    status.conditions.retain(|c| c.type_ != kind.as_str());
}

fn is_true(status: &RolloutStatus, kind: ConditionType) -> bool {
    find(status, kind).is_some_and(|c| c.status == ConditionStatus::True)
}

pub(super) fn has_reason(status: &RolloutStatus, reason: Reason) -> bool {
    find(status, ConditionType::Progressing).is_some_and(|c| c.reason == reason.as_str())
}

/// Everything that the spec asks for runs, and the status that says so was written for this spec.
fn is_healthy(cx: &Context<'_>, next: &RolloutStatus) -> bool {
    let counts = next.updated_replicas == cx.replicas && next.available_replicas == cx.replicas;
    let is_current = |hash: &Option<String>| *hash == next.current_pod_hash;
    counts
        && cx.is_observed()
        && match &cx.spec.strategy {
            Strategy::Canary(_) => {
                let done = cx.step_count().is_none_or(|count| next.current_step_index == Some(count));
                done && is_completed(next) && next.replicas == cx.replicas
            }
            Strategy::BlueGreen(blue_green) => {
                is_current(&next.blue_green.active_selector)
                    && (blue_green.preview_service.is_none() || is_current(&next.blue_green.preview_selector))
            }
        }
}

pub(super) fn is_completed(next: &RolloutStatus) -> bool {
    next.stable_rs.is_some() && next.stable_rs == next.current_pod_hash
}

/// True if the Rollout was healthy until now.
fn derive_healthy(cx: &Context<'_>, next: &mut RolloutStatus, healthy: bool) -> bool {
    let kind = ConditionType::Healthy;
    let fact = |status, message| Fact::new(kind, status, Reason::RolloutHealthy, message);
    if healthy {
        set(next, cx.now, fact(ConditionStatus::True, "Rollout is healthy"));
        return false;
    }
    let was_recorded = find(next, kind).is_some();
    was_recorded && set(next, cx.now, fact(ConditionStatus::False, "Rollout is not healthy"))
}

fn derive_completed(cx: &Context<'_>, next: &mut RolloutStatus, draft: &mut Draft) {
    let completed = is_completed(next);
    // The first revision of a blue-green Rollout is stable as soon as it exists: there is no update to speak of.
    if matches!(cx.spec.strategy, Strategy::BlueGreen(_)) && next.stable_rs.is_none() {
        return;
    }
    let value = if completed { ConditionStatus::True } else { ConditionStatus::False };
    let fact = Fact::new(ConditionType::Completed, value, Reason::RolloutCompleted, "RolloutCompleted");
    if set(next, cx.now, fact) && !completed {
        let message = format!(
            "Rollout not completed, started update to revision {} ({})",
            cx.revision(),
            cx.current_hash
        );
        draft.tell(EventReason::RolloutNotCompleted, message);
    }
}

fn derive_progressing(
    cx: &Context<'_>,
    Standing { paused, healthy, became_unhealthy }: Standing,
    stuck: Option<&str>,
    next: &mut RolloutStatus,
    draft: &mut Draft,
) {
    let kind = ConditionType::Progressing;
    let subject = subject(cx);
    let progressed = is_progressing(cx, next);
    let (yes, unknown) = (ConditionStatus::True, ConditionStatus::Unknown);
    if next.abort {
        derive_abort(cx, stuck, next, draft);
    } else if cx.new_rs.is_none() {
        // The plan creates it.
        let message = format!("Created new replica set \"{}-{}\"", cx.spec.name(), cx.current_hash);
        set(next, cx.now, Fact::new(kind, yes, Reason::NewReplicaSetCreated, message));
    } else if paused && !is_completed(next) {
        set(next, cx.now, Fact::new(kind, unknown, Reason::RolloutPaused, "Rollout is paused"));
    } else if healthy || is_verdict_refuted(cx, next) {
        let message = format!("{subject} has successfully progressed.");
        set(next, cx.now, Fact::new(kind, yes, Reason::NewReplicaSetAvailable, message));
    } else if became_unhealthy && is_completed(next) {
        let message = "Rollout does not have minimum availability";
        set(next, cx.now, Fact::new(kind, yes, Reason::ReplicaSetNotAvailable, message));
    } else if progressed || became_unhealthy {
        let message = format!("{subject} is progressing.");
        replace(next, cx.now, Fact::new(kind, yes, Reason::ReplicaSetUpdated, message));
    } else if has_reason(next, Reason::RolloutAborted) {
        let message = "Retrying Rollout after abort";
        set(next, cx.now, Fact::new(kind, unknown, Reason::RolloutRetry, message));
    } else if has_reason(next, Reason::RolloutPaused) {
        set(next, cx.now, Fact::new(kind, unknown, Reason::RolloutResumed, "Rollout is resumed"));
    } else if !paused {
        watch_deadline(cx, &subject, next, draft);
    }
}

/// Says that the update was aborted, and why.
pub(super) fn derive_abort(cx: &Context<'_>, why: Option<&str>, next: &mut RolloutStatus, draft: &mut Draft) {
    let message = abort_message(cx, why);
    if !has_reason(next, Reason::RolloutAborted) {
        let (kind, no) = (ConditionType::Progressing, ConditionStatus::False);
        replace(next, cx.now, Fact::new(kind, no, Reason::RolloutAborted, message.clone()));
        draft.tell(EventReason::RolloutAborted, message);
    }
}

/// The reason of the abort in the status; `None` for an abort by a user.
#[must_use]
pub fn abort_reason(status: &RolloutStatus) -> Option<&str> {
    let message = find(status, ConditionType::Progressing)?.message.strip_prefix(ABORTED)?;
    message.split_once(": ").map(|(_, why)| why)
}

fn subject(cx: &Context<'_>) -> String {
    match cx.new_rs {
        Some(rs) => format!("ReplicaSet \"{}\"", rs.id.name),
        None => format!("Rollout \"{}\"", cx.spec.name()),
    }
}

/// The beginning of the message about an abort; the revision and the reason follow.
const ABORTED: &str = "Rollout aborted update to revision ";

fn abort_message(cx: &Context<'_>, why: Option<&str>) -> String {
    let message = format!("{ABORTED}{}", cx.revision());
    why.filter(|why| !why.is_empty()).map_or(message.clone(), |why| format!("{message}: {why}"))
}

/// Whether the new status is further than the one that was read.
fn is_progressing(cx: &Context<'_>, next: &RolloutStatus) -> bool {
    let before = cx.status;
    let outdated = |status: &RolloutStatus| i64::from(status.replicas) - i64::from(status.updated_replicas);
    let counts = next.updated_replicas != before.updated_replicas
        || outdated(next) < outdated(before)
        || next.ready_replicas > before.ready_replicas
        || next.available_replicas > before.available_replicas;
    let is_another = before.current_pod_hash.is_some() && next.current_pod_hash != before.current_pod_hash;
    counts
        || is_another
        || match cx.spec.strategy {
            Strategy::Canary(_) => {
                let both = before.current_step_index.zip(next.current_step_index);
                next.stable_rs != before.stable_rs
                    || both.is_some_and(|(before, next)| before != next)
                    || next.current_step_hash != before.current_step_hash
            }
            Strategy::BlueGreen(_) => {
                next.blue_green.active_selector != before.blue_green.active_selector
                    || next.blue_green.preview_selector != before.blue_green.preview_selector
            }
        }
}

/// Why an update that is stuck is aborted now, where the Rollout asks for that. `next` has been counted.
pub(super) fn stuck(cx: &Context<'_>, next: &RolloutStatus, draft: &mut Draft) -> Option<String> {
    let is_wanted = cx.spec.aborts_at_deadline && !cx.status.abort && cx.new_rs.is_some();
    let is_over = has_reason(cx.status, Reason::ProgressDeadlineExceeded)
        || deadline(cx, cx.status).is_some_and(|deadline| deadline < cx.now);
    let is_paused = cx.spec.is_paused || has_reason(cx.status, Reason::RolloutPaused);
    let goes_on = is_completed(next) || is_progressing(cx, next) || is_waiting_on_purpose(cx);
    if !is_wanted || !is_over || is_paused || goes_on {
        return None;
    }
    let why = format!("{} has timed out progressing.", subject(cx));
    draft.tell(EventReason::RolloutAborted, why.clone());
    Some(why)
}

/// When an update counts as stuck unless it goes on before.
fn deadline(cx: &Context<'_>, status: &RolloutStatus) -> Option<Timestamp> {
    let progressing = find(status, ConditionType::Progressing)?;
    Some(after(progressing.last_update_time.0, cx.spec.progress_deadline))
}

/// Says that a Rollout is stuck when its deadline has passed, and else sees to it that this is noticed in time. It runs
/// for whatever is not as the spec asks for: an update, the first deployment, and pods that were available and are not.
fn watch_deadline(cx: &Context<'_>, subject: &str, next: &mut RolloutStatus, draft: &mut Draft) {
    let Some(deadline) = deadline(cx, next) else { return };
    let is_known = has_reason(next, Reason::ProgressDeadlineExceeded);
    if is_known || is_waiting_on_purpose(cx) || !phase::is_progressing(cx.spec.target(), next) {
        return;
    }
    if deadline < cx.now {
        let message = format!("{subject} has timed out progressing.");
        let reason = Reason::ProgressDeadlineExceeded;
        let fact = Fact::new(ConditionType::Progressing, ConditionStatus::False, reason, message);
        set(next, cx.now, fact);
    } else {
        draft.wake_at(after(deadline, SignedDuration::from_secs(1)));
    }
}

/// Whether the deadline is said to have passed although nothing is missing any more.
fn is_verdict_refuted(cx: &Context<'_>, next: &RolloutStatus) -> bool {
    let is_missing = phase::is_progressing(cx.spec.target(), next);
    has_reason(next, Reason::ProgressDeadlineExceeded) && is_completed(next) && !is_missing
}

/// Whether the Rollout waits for something that has a time of its own: the gate of a step, or a restart to come.
fn is_waiting_on_purpose(cx: &Context<'_>) -> bool {
    let at_gate = cx.step_of(cx.status).is_some_and(|(_, kind)| match kind {
        StepKind::Pause(_) | StepKind::Experiment(_) | StepKind::Analysis(_) => true,
        StepKind::SetWeight(_)
        | StepKind::SetCanaryScale(_)
        | StepKind::SetHeaderRoute(_)
        | StepKind::SetMirrorRoute(_)
        | StepKind::Plugin(_) => false,
    });
    let restart = cx.spec.restart_at.filter(|at| cx.status.restarted_at.as_ref() != Some(at));
    at_gate || restart.is_some_and(|at| at.0 > cx.now)
}

/// The condition appears with the first pause and stays from then on.
fn derive_paused(cx: &Context<'_>, next: &mut RolloutStatus, paused: bool) {
    if next.abort || paused == is_true(next, ConditionType::Paused) {
        return;
    }
    let value = if paused { ConditionStatus::True } else { ConditionStatus::False };
    let fact = Fact::new(ConditionType::Paused, value, Reason::RolloutPaused, "Rollout is paused");
    set(next, cx.now, fact);
}

fn derive_available(cx: &Context<'_>, next: &mut RolloutStatus) {
    let available = match cx.spec.strategy {
        Strategy::Canary(_) => next.available_replicas >= cx.replicas,
        Strategy::BlueGreen(_) => cx.active_replica_set(next).is_some_and(|rs| rs.is_saturated(cx.replicas)),
    };
    let (value, message) = if available {
        (ConditionStatus::True, "Rollout has minimum availability")
    } else {
        (ConditionStatus::False, "Rollout does not have minimum availability")
    };
    set(next, cx.now, Fact::new(ConditionType::Available, value, Reason::AvailableReason, message));
}

/// Passes on why pods cannot be made: a quota, a webhook, a missing service account.
fn derive_replica_failure(cx: &Context<'_>, next: &mut RolloutStatus) {
    let failure =
        cx.new_rs.into_iter().chain(cx.owned.iter().copied()).find_map(|rs| rs.status.failure.as_ref());
    let Some(failure) = failure else {
        remove(next, ConditionType::ReplicaFailure);
        return;
    };
    let fact = Fact {
        kind: ConditionType::ReplicaFailure,
        status: ConditionStatus::True,
        reason: failure.reason.clone(),
        message: failure.message.clone(),
    };
    set(next, failure.since, fact);
}

/// Says which write the API server refused and why, until it succeeds.
pub(super) fn derive_failure(cx: &Context<'_>, next: &mut RolloutStatus) {
    remove(next, ConditionType::Blocked);
    let Some(failure) = &cx.snapshot.last_failure else { return };
    let lost = format!(
        "it exists, but has lost its label {}; set the label to {}, or delete the object",
        keys::POD_HASH_LABEL,
        cx.current_hash
    );
    let (reason, said) = match &failure.cause {
        FailureCause::Forbidden(said) => (Reason::Forbidden, said),
        FailureCause::Rejected(said) => (Reason::Rejected, said),
        FailureCause::AlreadyExists { .. } if replica_set::has_lost_its_hash(cx) => {
            (Reason::LostLabel, &lost)
        }
        FailureCause::AlreadyExists { .. } => return,
    };
    let (kind, name) = (failure.kind, &failure.name);
    let known = find(cx.status, ConditionType::Blocked).cloned();
    let message = format!("The API server refused a write of {kind:?} {name}: {said}");
    next.conditions.extend(known);
    set(next, cx.now, Fact::new(ConditionType::Blocked, ConditionStatus::True, reason, message));
    if kind == ObjectKind::ReplicaSet && cx.new_rs.is_none() {
        let message = format!("Failed to create new replica set \"{name}\": {said}");
        let reason = Reason::ReplicaSetCreateError;
        set(next, cx.now, Fact::new(ConditionType::Progressing, ConditionStatus::False, reason, message));
    }
}

/// Separates the name of the Rollout from the mistakes in the message about an invalid spec.
const IS_INVALID: &str = " is invalid: ";

/// The mistakes that the condition `InvalidSpec` of the status reports.
#[must_use]
pub fn invalid_reason(status: &RolloutStatus) -> Option<&str> {
    let message = find(status, ConditionType::InvalidSpec)?.message.as_str();
    Some(message.split_once(IS_INVALID).map_or(message, |(_, why)| why))
}

/// Says why the spec cannot be carried out.
pub(super) fn set_invalid(status: &mut RolloutStatus, now: Timestamp, name: &str, why: &str) {
    let message = format!("The Rollout \"{name}\"{IS_INVALID}{why}");
    let fact = Fact::new(ConditionType::InvalidSpec, ConditionStatus::True, Reason::InvalidSpec, message);
    set(status, now, fact);
    if find(status, ConditionType::Healthy).is_some() {
        let (kind, reason) = (ConditionType::Healthy, Reason::RolloutHealthy);
        set(status, now, Fact::new(kind, ConditionStatus::False, reason, "Rollout is not healthy"));
    }
}
