//! Finds causes for the state of a Rollout: one function per question, the most important first.

use super::availability;
use super::cause::{Cause, Finding, FirstStep, Mistake, WayBack};
use super::lease::{self, Controller};
use super::naming::{mistakes, object};
use super::references;
use super::scene::Scene;
use serin_core::api::{PauseReason, RolloutPhase, StepKind};
use serin_core::domain::condition::{ConditionReason, ConditionType};
use serin_core::domain::pause::{self, Promotion};
use serin_core::domain::plan::ObjectKind;
use serin_core::guard;
use serin_core::rollout::validate::Refusal;
use serin_core::rollout::workload::WorkloadKind;
use serin_core::rollout::{abort_reason, invalid_reason, progress_deadline, refusal};

type Question = fn(&Scene<'_>) -> Option<Finding>;

/// The questions. The first one with an answer is the main cause. Later answers are added if they are true at the
/// same time.
const QUESTIONS: [(Question, IsAside); 19] = [
    (deletion, IsAside::No),
    (controller, IsAside::No),
    (spec, IsAside::No),
    (router, IsAside::No),
    (guarded, IsAside::No),
    (refused, IsAside::Yes),
    (aborted, IsAside::No),
    (held, IsAside::No),
    (pause, IsAside::No),
    (availability::no_pods, IsAside::Yes),
    (availability::broken_pods, IsAside::Yes),
    (deadline, IsAside::Yes),
    (availability::budget, IsAside::Yes),
    (acts, IsAside::No),
    (availability::coming_pods, IsAside::No),
    (availability::restart, IsAside::No),
    (nothing, IsAside::No),
    (availability::leaving, IsAside::Yes),
    (shrinks, IsAside::Yes),
];

/// True if an answer is worth reporting beside a more important one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IsAside {
    Yes,
    No,
}

/// The causes for the current state, the main one first. Never empty.
pub(super) fn causes(scene: &Scene<'_>) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    for (question, aside) in QUESTIONS {
        if found.is_empty() || aside == IsAside::Yes {
            found.extend(question(scene));
        }
    }
    if found.is_empty() {
        let message = scene.next.message.clone().unwrap_or_default();
        found.push(Finding::of(Cause::Other { message }));
    }
    // Without a running controller nothing is carried out, so nothing else matters.
    if matches!(found[0].cause, Cause::Controller { .. }) {
        found.extend(spec(scene));
    }
    if found[0].cause.is_about_spec() {
        found.extend(abort_beside(scene));
    }
    // An abort waits for the write, too.
    if matches!(found[0].cause, Cause::Refused { .. }) {
        found.extend(aborted(scene));
    }
    found
}

/// With an invalid spec: the abort of a started update, or the hint that an abort is possible.
fn abort_beside(scene: &Scene<'_>) -> Option<Finding> {
    if scene.before.abort {
        return Some(abort(scene, None));
    }
    let way_back = scene.way_back();
    let helps = way_back.target().is_some() && scene.would_carry_out_abort();
    helps.then(|| Finding::of(Cause::Abortable { way_back }))
}

fn deletion(scene: &Scene<'_>) -> Option<Finding> {
    let meta = &scene.rollout.metadata;
    let since = meta.deletion_timestamp.as_ref()?.0;
    let finalizers = meta.finalizers.clone().unwrap_or_default();
    Some(Finding::of(Cause::Deletion { finalizers }).since(Some(since)))
}

/// True if there is work to do and no controller does it.
fn controller(scene: &Scene<'_>) -> Option<Finding> {
    let instance = lease::instance_id(&scene.snapshot.rollout);
    let controller = lease::controller(scene.picture, instance, scene.now);
    let is_missed = match &controller {
        Controller::Gone { .. } => scene.acts() || !scene.is_observed(),
        // There may be a controller without a Lease; it would have acted by now.
        Controller::Absent { .. } | Controller::Unknown | Controller::Leads => !scene.is_observed(),
    };
    let since = match &controller {
        Controller::Gone { since, .. } => *since,
        Controller::Absent { .. } | Controller::Unknown | Controller::Leads => None,
    };
    // A controller whose write was refused is active, unless it stopped afterwards.
    let is_gone = matches!(controller, Controller::Gone { .. });
    let is_missed = is_missed && (is_gone || scene.condition(ConditionType::Blocked).is_none());
    let generation = scene.rollout.metadata.generation.filter(|_| !scene.is_observed());
    let instance = instance.unwrap_or_default().to_owned();
    let cause = Cause::Controller { generation, controller, instance };
    is_missed.then(|| Finding::of(cause).since(since))
}

fn spec(scene: &Scene<'_>) -> Option<Finding> {
    let cause = match refusal(scene.snapshot)? {
        Refusal::Invalid { errors, unbuilt } => {
            let unbuilt = unbuilt.into_iter().map(|field| Mistake {
                path: field.path,
                value: "set".to_owned(),
                problem: format!("this version of Serin cannot {} yet", field.what),
            });
            Cause::Spec(mistakes(&errors).into_iter().chain(unbuilt).collect())
        }
        Refusal::Unbuilt(fields) => {
            Cause::Unbuilt { fields: fields.into_iter().map(|field| (field.path, field.what)).collect() }
        }
        Refusal::Reference(errors) => references::reference(scene, &errors),
    };
    let since = scene.condition(ConditionType::InvalidSpec).map(|invalid| invalid.last_transition_time.0);
    Some(Finding::of(cause).since(since))
}

/// The router's message about an unusable Ingress.
fn router(scene: &Scene<'_>) -> Option<Finding> {
    let said = invalid_reason(&scene.next)?.to_owned();
    let since = scene.next.conditions.iter().find(|one| one.type_ == ConditionType::InvalidSpec.as_str());
    Some(Finding::of(Cause::Router { said }).since(since.map(|one| one.last_transition_time.0)))
}

fn guarded(scene: &Scene<'_>) -> Option<Finding> {
    let refusal = guard::check(scene.snapshot, &scene.plan).err()?;
    Some(Finding::of(Cause::Guarded { said: refusal.to_string() }))
}

/// The write that the API server refuses, as recorded by the controller.
fn refused(scene: &Scene<'_>) -> Option<Finding> {
    let blocked = scene.condition(ConditionType::Blocked)?;
    let cause = Cause::Refused { said: blocked.message.clone() };
    Some(Finding::of(cause).since(Some(blocked.last_transition_time.0)))
}

fn aborted(scene: &Scene<'_>) -> Option<Finding> {
    (scene.before.abort && scene.next.abort).then(|| abort(scene, Some(scene.way_back())))
}

fn abort(scene: &Scene<'_>, way_back: Option<WayBack>) -> Finding {
    let said = abort_reason(&scene.before).unwrap_or_default().to_owned();
    let since = scene.before.aborted_at.as_ref().map(|time| time.0);
    Finding::of(Cause::Aborted { said, serving: scene.serving(), way_back }).since(since)
}

fn held(scene: &Scene<'_>) -> Option<Finding> {
    let paused = scene.condition(ConditionType::Paused).filter(|_| scene.before.pause_conditions.is_empty());
    let since = paused.map(|paused| paused.last_transition_time.0);
    scene.rollout.spec.paused.then(|| Finding::of(Cause::Held).since(since))
}

/// A pause that has started and that the plan does not end.
fn pause(scene: &Scene<'_>) -> Option<Finding> {
    let stays = |reason| scene.next.pause_conditions.iter().any(|pause| pause.reason == reason);
    let current = scene.before.pause_conditions.iter().find(|pause| stays(pause.reason))?;
    let start = current.start_time.0;
    let step = scene.before.current_step_index.and_then(|index| usize::try_from(index).ok());
    let until = pause::end(&scene.rollout.spec.strategy, step, current);
    let cause = match current.reason {
        PauseReason::CanaryPauseStep => of_step(scene, step?)?,
        PauseReason::BlueGreenPause => {
            let blue_green = scene.rollout.spec.strategy.blue_green.as_ref()?;
            let seconds = blue_green.auto_promotion_seconds;
            let is_idle = Promotion::of(blue_green) == Promotion::ByUser && seconds > 0;
            let idle_seconds = is_idle.then_some(seconds);
            let preview = blue_green.preview_service.clone();
            Cause::Promotion { preview, idle_seconds, way_back: scene.way_back() }
        }
        PauseReason::InconclusiveAnalysisRun | PauseReason::InconclusiveExperiment => {
            Cause::Inconclusive { way_back: scene.way_back() }
        }
    };
    Some(Finding::of(cause).since(Some(start)).until(until))
}

fn of_step(scene: &Scene<'_>, index: usize) -> Option<Cause> {
    let steps = &scene.rollout.spec.strategy.canary.as_ref()?.steps;
    let is_pause = matches!(steps.get(index)?.kind(), Some(StepKind::Pause(_)));
    is_pause.then(|| Cause::Pause { step: index + 1, steps: steps.len(), way_back: scene.way_back() })
}

fn deadline(scene: &Scene<'_>) -> Option<Finding> {
    let progressing = scene.condition(ConditionType::Progressing)?;
    let is_over = progressing.reason == ConditionReason::ProgressDeadlineExceeded.as_str();
    let seconds = progress_deadline(&scene.rollout).as_secs();
    let cause = Cause::Deadline { seconds, way_back: scene.way_back() };
    is_over.then(|| Finding::of(cause).since(Some(progressing.last_transition_time.0)))
}

fn acts(scene: &Scene<'_>) -> Option<Finding> {
    scene.acts().then(|| Finding::of(Cause::Acts))
}

fn nothing(scene: &Scene<'_>) -> Option<Finding> {
    if scene.next.phase != Some(RolloutPhase::Healthy) {
        return None;
    }
    let since = scene.condition(ConditionType::Healthy).map(|healthy| healthy.last_transition_time.0);
    let pods = scene.rollout.spec.desired_replicas();
    Some(Finding::of(Cause::Nothing { pods, first: first_step(scene) }).since(since))
}

/// A Rollout that replaces a Deployment with more pods than the Rollout asks for.
fn shrinks(scene: &Scene<'_>) -> Option<Finding> {
    let workload = scene.snapshot.workload.as_ref()?.as_ref().ok()?;
    let mode = scene.rollout.spec.workload_ref.as_ref()?.scale_down.as_deref();
    let goes =
        workload.kind == WorkloadKind::Deployment && matches!(mode, Some("onsuccess" | "progressively"));
    let (from, to) = (workload.replicas, scene.rollout.spec.replicas?);
    let name = object(ObjectKind::Deployment, &workload.id.name);
    (goes && to < from).then(|| Finding::of(Cause::Shrinks { workload: name, from, to }))
}

/// The first action after a change of the template.
fn first_step(scene: &Scene<'_>) -> FirstStep {
    let strategy = &scene.rollout.spec.strategy;
    if let Some(blue_green) = &strategy.blue_green {
        return FirstStep::Preview(Promotion::of(blue_green));
    }
    let mut steps = strategy.canary.iter().flat_map(|canary| &canary.steps);
    steps.find_map(|step| step.set_weight).map_or(FirstStep::Replace, FirstStep::Weight)
}
