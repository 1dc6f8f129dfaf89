//! The input of rules: a Rollout and the known objects around it.

use std::collections::BTreeMap;

use crate::cli::lint::world::{Autoscaler, World};
use serin_core::api::analysis::{AnalysisTemplateSpec, TemplateRef};
use serin_core::api::{CanaryStep, CanaryStrategy, Rollout, StepKind};
use serin_core::domain::plan::ObjectKind;
use serin_core::rollout::observed_keys;
use serin_core::rollout::snapshot::ServiceView;

/// The path of the canary strategy.
pub(super) const CANARY: &str = "spec.strategy.canary";
/// The path of the blue-green strategy.
pub(super) const BLUE_GREEN: &str = "spec.strategy.blueGreen";

/// A Rollout, with the template of its workload if it is known.
pub(in crate::cli::lint) struct Subject<'w> {
    pub(in crate::cli::lint) rollout: &'w Rollout,
    pub(in crate::cli::lint) world: &'w World,
}

impl<'w> Subject<'w> {
    pub(super) fn canary(&self) -> Option<&'w CanaryStrategy> {
        self.rollout.spec.strategy.canary.as_ref()
    }

    pub(super) fn namespace(&self) -> Option<&'w str> {
        self.rollout.metadata.namespace.as_deref()
    }

    /// The Services that the Rollout references, by name.
    pub(super) fn services(&self) -> BTreeMap<String, ServiceView> {
        self.world.services(&observed_keys(self.rollout).names(ObjectKind::Service), self.namespace())
    }

    /// The autoscaler of the Rollout, and its name.
    pub(super) fn autoscaler(&self) -> Option<(&'w str, &'w Autoscaler)> {
        let name = self.rollout.metadata.name.as_deref().unwrap_or_default();
        self.world.autoscaler_of(name, self.namespace())
    }

    /// The number of pods, if known: the minimum of the autoscaler, otherwise `replicas`.
    pub(super) fn replicas(&self) -> Option<i32> {
        let least = self.autoscaler().map(|(_, autoscaler)| autoscaler.least);
        least.or(self.rollout.spec.replicas).filter(|replicas| *replicas > 0)
    }

    pub(super) fn template(&self, reference: &TemplateRef) -> Option<&'w AnalysisTemplateSpec> {
        self.world.template(reference, self.namespace())
    }
}

/// The weight for all traffic, by which shares are divided.
pub(super) fn full_weight(canary: &CanaryStrategy) -> i32 {
    canary.total_weight().max(1)
}

/// The `setWeight` steps, with their indexes.
pub(super) fn weights(canary: &CanaryStrategy) -> Vec<(usize, i32)> {
    let weight = |(index, step): (usize, &CanaryStep)| Some((index, step.set_weight?));
    canary.steps.iter().enumerate().filter_map(weight).collect()
}

/// The path of a step.
pub(super) fn step_path(index: usize) -> String {
    format!("{CANARY}.steps[{index}]")
}

/// True if a step takes time, so that the steps before it have a visible effect.
pub(super) fn lasts(step: &CanaryStep) -> bool {
    match step.kind() {
        Some(StepKind::Pause(_) | StepKind::Experiment(_) | StepKind::Analysis(_) | StepKind::Plugin(_)) => {
            true
        }
        Some(
            StepKind::SetCanaryScale(_)
            | StepKind::SetWeight(_)
            | StepKind::SetHeaderRoute(_)
            | StepKind::SetMirrorRoute(_),
        )
        | None => false,
    }
}
