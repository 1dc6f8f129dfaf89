//! Progress that the reference does not show: causes of waiting, remaining times, and steps.

use std::cmp::Ordering;

use jiff::Timestamp;

use super::colour::Colour;
use super::field::Field;
use super::text::Text;
use super::waiting::{until, words};
use serin_core::api::{CanaryStep, Experiment, Rollout, StepKind};
use serin_core::domain::step;
use serin_insight::facts::{current_step, experiment_end, set_weight};
use serin_insight::surroundings::Surroundings;
use serin_insight::wait::{Wait, deadline, pause_end};

pub(super) fn fields(rollout: &Rollout, around: &Surroundings, now: Timestamp, is_short: bool) -> Vec<Field> {
    let wait = Wait::of(rollout, around).map(|wait| Field::new("Waits for:", words(&wait, now)));
    let deadline = deadline(rollout).map(|deadline| Field::new("Deadline:", until(deadline, now)));
    let weights = weights(rollout).map(|weights| Field::new("Traffic:", weights));
    let mut fields: Vec<Field> = [wait, deadline, weights].into_iter().flatten().collect();
    let steps = steps(rollout, now, is_short);
    if !steps.is_empty() {
        fields.push(Field::title("Steps:"));
    }
    fields.extend(steps);
    fields
}

/// The weight that the steps ask for, and the last known weight of the router.
fn weights(rollout: &Rollout) -> Option<String> {
    rollout.spec.strategy.canary.as_ref().filter(|canary| canary.is_routed())?;
    let weights = rollout.status.as_ref()?.canary.weights.as_ref()?;
    // After the last step, weights are independent of steps.
    current_step(rollout)?;
    let verified = match weights.verified {
        Some(true) => ", verified",
        Some(false) => ", not verified yet",
        None => "",
    };
    Some(format!("{} asked for, {} set{verified}", set_weight(rollout), weights.canary.weight))
}

/// The steps of a canary, with the current one marked. `is_short` shows only the current one.
fn steps(rollout: &Rollout, now: Timestamp, is_short: bool) -> Vec<Field> {
    let steps = rollout.spec.strategy.canary.iter().flat_map(|canary| &canary.steps);
    let status = rollout.status.as_ref();
    // An aborted update is at no step.
    let current =
        status.filter(|status| !status.abort).and_then(|status| status.current_step_index).unwrap_or(-1);
    let field = |(index, one): (i32, &CanaryStep)| {
        let (sign, colour) = match index.cmp(&current) {
            Ordering::Less => ("✔", Some(Colour::Green)),
            Ordering::Equal => ("→", Some(Colour::Yellow)),
            Ordering::Greater => (" ", None),
        };
        let label = Text::from("  ").with(sign, colour).with(format!(" {:>2} ", index + 1), None);
        let end = pause_end(rollout).filter(|_| index == current && is_pause(one));
        let ends = end.map_or_else(String::new, |end| format!(", ends {}", until(end, now)));
        Field::item(label, step::label(one) + &ends)
    };
    (0..).zip(steps).filter(|(index, _)| !is_short || *index == current).map(field).collect()
}

fn is_pause(step: &CanaryStep) -> bool {
    matches!(step.kind(), Some(StepKind::Pause(_)))
}

/// The remaining time of an Experiment.
pub(super) fn of_experiment(experiment: &Experiment, now: Timestamp) -> Vec<Field> {
    let is_going = experiment.status.as_ref().is_some_and(|status| !status.phase.is_completed());
    let end = experiment_end(experiment).filter(|_| is_going);
    end.map(|end| Field::new("Ends:", until(end, now))).into_iter().collect()
}
