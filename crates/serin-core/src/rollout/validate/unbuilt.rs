//! What a Rollout asks for that is valid, but that this version cannot do.
//!
//! Carrying on without it would be worse than stopping: a router that is ignored sends traffic where nobody expects
//! it, and an analysis that is skipped promotes what it should have stopped. A row goes when its feature is built.

use std::fmt;

use crate::api::{CanaryStrategy, Rollout, StepKind};

/// A feature that a Rollout uses and this version lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unbuilt {
    /// Path of the field that asks for it.
    pub path: String,
    /// What the field asks for, in words that follow "cannot".
    pub what: &'static str,
}

impl fmt::Display for Unbuilt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: this version of Serin cannot {} yet; the Rollout stays unchanged",
            self.path, self.what
        )
    }
}

/// Names of the routers that `rollout` configures and this version cannot drive, in the order in which routers are
/// asked.
#[must_use]
pub fn unbuilt_routers(rollout: &Rollout) -> Vec<&'static str> {
    let canary = rollout.spec.strategy.canary.as_ref();
    let Some(routing) = canary.and_then(|canary| canary.traffic_routing.as_ref()) else {
        return Vec::new();
    };
    let set = [
        ("istio", routing.istio.is_some()),
        ("alb", routing.alb.is_some()),
        ("smi", routing.smi.is_some()),
        ("ambassador", routing.ambassador.is_some()),
        ("appMesh", routing.app_mesh.is_some()),
        ("traefik", routing.traefik.is_some()),
        ("apisix", routing.apisix.is_some()),
        ("plugins", !routing.plugins.is_empty()),
    ];
    set.into_iter().filter_map(|(name, set)| set.then_some(name)).collect()
}

/// Everything that `rollout` asks for and this version lacks, routers included.
#[must_use]
pub fn unbuilt_features(rollout: &Rollout) -> Vec<Unbuilt> {
    let spec = &rollout.spec;
    let mut all = Vec::new();
    let mut need = |set: bool, path: &str, what: &'static str| {
        if set {
            all.push(Unbuilt { path: format!("spec.{path}"), what });
        }
    };
    if let Some(blue_green) = &spec.strategy.blue_green {
        let before = blue_green.pre_promotion_analysis.is_some();
        let after = blue_green.post_promotion_analysis.is_some();
        need(before, "strategy.blueGreen.prePromotionAnalysis", ANALYSE);
        need(after, "strategy.blueGreen.postPromotionAnalysis", ANALYSE);
    }
    if let Some(canary) = &spec.strategy.canary {
        need(canary.analysis.is_some(), "strategy.canary.analysis", ANALYSE);
    }
    for router in unbuilt_routers(rollout) {
        let path = format!("spec.strategy.canary.trafficRouting.{router}");
        all.push(Unbuilt { path, what: "set weights with this router" });
    }
    all.extend(spec.strategy.canary.iter().flat_map(unbuilt_steps));
    all
}

const ANALYSE: &str = "run an analysis";

fn unbuilt_steps(canary: &CanaryStrategy) -> Vec<Unbuilt> {
    let steps = canary.steps.iter().enumerate();
    let kinds = steps.flat_map(|(index, step)| step.kinds_set().map(move |kind| (index, kind)));
    kinds
        .filter_map(|(index, kind)| {
            let (name, what) = match kind {
                StepKind::Experiment(_) => ("experiment", "run an experiment"),
                StepKind::Analysis(_) => ("analysis", ANALYSE),
                StepKind::SetHeaderRoute(_) => ("setHeaderRoute", "route by header"),
                StepKind::SetMirrorRoute(_) => ("setMirrorRoute", "mirror requests"),
                StepKind::Plugin(_) => ("plugin", "run step plugins"),
                StepKind::Pause(_) | StepKind::SetCanaryScale(_) | StepKind::SetWeight(_) => return None,
            };
            Some(Unbuilt { path: format!("spec.strategy.canary.steps[{index}].{name}"), what })
        })
        .collect()
}
