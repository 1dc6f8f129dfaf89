//! The steps of a canary: how they are named, and when a pause is over.

use jiff::{SignedDuration, Timestamp};

use crate::api::strategy::PauseStep;
use crate::api::{CanaryStep, IntOrString, StepKind};
use serin_values::duration;
use serin_values::time::after;

/// When a pause that began at `start` ends by itself; never without a duration.
#[must_use]
pub fn pause_end(pause: &PauseStep, start: Timestamp) -> Option<Timestamp> {
    let seconds = duration::pause_seconds(pause.duration.as_ref()?)?;
    Some(after(start, SignedDuration::from_secs(seconds.into())))
}

/// A step as the Events of the reference name it.
#[must_use]
pub fn label(step: &CanaryStep) -> String {
    step.kind().map_or_else(|| "invalid".to_owned(), label_of)
}

/// A step that does `kind` as the Events of the reference name it.
#[must_use]
pub fn label_of(kind: StepKind<'_>) -> String {
    match kind {
        StepKind::SetWeight(weight) => format!("setWeight: {weight}"),
        StepKind::Pause(pause) => match &pause.duration {
            None => "pause".to_owned(),
            Some(IntOrString::Int(seconds)) => format!("pause: {seconds}"),
            Some(IntOrString::String(text)) => format!("pause: {text}"),
        },
        StepKind::Experiment(_) => "experiment".to_owned(),
        StepKind::Analysis(_) => "analysis".to_owned(),
        StepKind::SetCanaryScale(scale) => {
            let what = match (scale.weight, scale.match_traffic_weight, scale.replicas) {
                (Some(weight), _, _) => format!("weight: {weight}"),
                (None, true, _) => "matchTrafficWeight: true".to_owned(),
                (None, false, replicas) => format!("replicas: {}", replicas.unwrap_or(0)),
            };
            format!("setCanaryScale{{{what}}}")
        }
        StepKind::Plugin(plugin) => format!("plugin: {}", plugin.name),
        StepKind::SetHeaderRoute(route) => {
            format!("setHeaderRoute: {}", route.name.as_deref().unwrap_or(""))
        }
        StepKind::SetMirrorRoute(route) => format!("setMirrorRoute: {}", route.name),
    }
}
