//! The two strategies, and the steps of a canary.

use macro_rules_attribute::apply;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::analysis::{DryRun, MeasurementRetention, RolloutAnalysis, RolloutArgument, TemplateRef};
use super::experiment::TemplateService;
use super::rollout_status::PingPongSide;
use super::routing::{RouteMatch, StringMatch, TrafficRouting};
use super::wire::{is_default, null_as_default, wire};
use super::{IntOrString, LabelSelector, TemplateMetadata};

/// Both revisions run side by side, and the active Service is switched between them.
#[apply(wire)]
pub struct BlueGreenStrategy {
    /// Service that carries the users' traffic.
    pub active_service: String,
    /// Service that selects the new revision before it is promoted.
    pub preview_service: Option<String>,
    /// Number of pods of the new revision before it is promoted; `spec.replicas` if not set.
    pub preview_replica_count: Option<i32>,
    /// Whether the new revision is promoted without a user; true if not set.
    pub auto_promotion_enabled: Option<bool>,
    /// Seconds to wait before the new revision is promoted by itself.
    pub auto_promotion_seconds: i32,
    /// Pods that may be missing during a restart, as a number or a percentage; 25% if not set.
    pub max_unavailable: Option<IntOrString>,
    /// Seconds before the previous revision is scaled to zero; 30 if not set.
    pub scale_down_delay_seconds: Option<i32>,
    /// Number of old revisions that may wait to be scaled down; unlimited if not set.
    pub scale_down_delay_revision_limit: Option<i32>,
    /// Seconds before an aborted revision is scaled to zero; 30 if not set, and 0 keeps it.
    pub abort_scale_down_delay_seconds: Option<i32>,
    /// Analysis that must succeed before the Service is switched.
    pub pre_promotion_analysis: Option<RolloutAnalysis>,
    /// Analysis that must succeed after the Service was switched.
    pub post_promotion_analysis: Option<RolloutAnalysis>,
    /// Keeps pods of two revisions off the same node.
    pub anti_affinity: Option<AntiAffinity>,
    /// Labels and annotations of pods while their revision is the preview.
    pub preview_metadata: Option<TemplateMetadata>,
    /// Labels and annotations of pods while their revision is active.
    pub active_metadata: Option<TemplateMetadata>,
}

/// The new revision gets a growing share of pods or traffic.
#[apply(wire)]
pub struct CanaryStrategy {
    /// Service that selects the new revision.
    pub canary_service: Option<String>,
    /// Service that selects the stable revision.
    pub stable_service: Option<String>,
    /// What happens between the start of an update and its end, in order.
    pub steps: Vec<CanaryStep>,
    /// What splits traffic between the revisions; without it, the numbers of pods do.
    pub traffic_routing: Option<TrafficRouting>,
    /// Pods above `spec.replicas` that may exist during an update, as a number or a percentage; 25% if not set.
    pub max_surge: Option<IntOrString>,
    /// Pods that may be missing during an update, as a number or a percentage; 25% if not set.
    pub max_unavailable: Option<IntOrString>,
    /// Analysis that runs beside the steps.
    pub analysis: Option<BackgroundAnalysis>,
    /// Keeps pods of two revisions off the same node.
    pub anti_affinity: Option<AntiAffinity>,
    /// Labels and annotations of pods while their revision is the canary.
    pub canary_metadata: Option<TemplateMetadata>,
    /// Labels and annotations of pods while their revision is stable.
    pub stable_metadata: Option<TemplateMetadata>,
    /// Seconds before the previous revision is scaled to zero; 30 if not set, and only with traffic routing.
    pub scale_down_delay_seconds: Option<i32>,
    /// Number of old revisions that may wait to be scaled down; unlimited if not set.
    pub scale_down_delay_revision_limit: Option<i32>,
    /// Seconds before an aborted revision is scaled to zero; 30 if not set, and 0 keeps it.
    pub abort_scale_down_delay_seconds: Option<i32>,
    /// Whether the stable revision shrinks while the canary grows; only with traffic routing.
    pub dynamic_stable_scale: bool,
    /// Two Services that take turns in being the stable one.
    pub ping_pong: Option<PingPong>,
    /// Least number of pods of a ReplicaSet that serves; only with traffic routing.
    pub min_pods_per_replica_set: Option<i32>,
    /// How many available pods are enough for a revision to count as available; all if not set.
    pub replica_progress_threshold: Option<ReplicaProgressThreshold>,
}

/// Two Services that take turns in being the stable one.
#[apply(wire)]
pub struct PingPong {
    /// First of the two Services.
    pub ping_service: String,
    /// Second of the two Services.
    pub pong_service: String,
}

impl PingPong {
    /// The stable Service and the other one, where `stable` is recorded as the stable one. Where nothing is recorded it
    /// is pong.
    #[must_use]
    pub fn roles(&self, stable: Option<PingPongSide>) -> (&str, &str) {
        match stable {
            Some(PingPongSide::Ping) => (&self.ping_service, &self.pong_service),
            Some(PingPongSide::Pong) | None => (&self.pong_service, &self.ping_service),
        }
    }
}

/// How many available pods are enough for a revision to count as available.
#[apply(wire)]
pub struct ReplicaProgressThreshold {
    /// What `value` counts: `Percent` of the desired pods, or `Pods`.
    #[serde(rename = "type")]
    pub type_: String,
    /// Number of pods, or percentage of them.
    #[serde(default, deserialize_with = "null_as_default")]
    #[serde_with(skip_apply)]
    pub value: i32,
}

/// Keeps pods of two revisions off the same node; exactly one of the two must be set.
#[apply(wire)]
pub struct AntiAffinity {
    /// The scheduler prefers other nodes.
    pub preferred_during_scheduling_ignored_during_execution: Option<PreferredAntiAffinity>,
    /// The scheduler takes other nodes only.
    pub required_during_scheduling_ignored_during_execution: Option<RequiredAntiAffinity>,
}

/// How strongly other nodes are preferred.
#[apply(wire)]
pub struct PreferredAntiAffinity {
    /// Weight of the preference, from 1 to 100.
    #[serde(default, deserialize_with = "null_as_default")]
    #[serde_with(skip_apply)]
    pub weight: i32,
}

/// Other nodes are required; there is nothing to set.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RequiredAntiAffinity {}

/// Analysis that runs beside the steps.
#[apply(wire)]
pub struct BackgroundAnalysis {
    /// Templates whose metrics are measured.
    pub templates: Vec<TemplateRef>,
    /// Arguments for the templates.
    pub args: Vec<RolloutArgument>,
    /// Metrics whose failure has no effect.
    pub dry_run: Vec<DryRun>,
    /// How many measurements of which metrics are kept.
    pub measurement_retention: Vec<MeasurementRetention>,
    /// Labels and annotations of the AnalysisRun.
    pub analysis_run_metadata: Option<TemplateMetadata>,
    /// Index of the step at which the analysis starts; 0 if not set.
    pub starting_step: Option<i32>,
}

impl BackgroundAnalysis {
    /// The analysis itself, without the step at which it starts.
    #[must_use]
    pub fn to_analysis(&self) -> RolloutAnalysis {
        RolloutAnalysis {
            templates: self.templates.clone(),
            args: self.args.clone(),
            dry_run: self.dry_run.clone(),
            measurement_retention: self.measurement_retention.clone(),
            analysis_run_metadata: self.analysis_run_metadata.clone(),
        }
    }
}

/// One step of a canary. Exactly one field should be set; validation reports the others.
#[apply(wire)]
pub struct CanaryStep {
    /// Share of the canary, in percent or in parts of `maxTrafficWeight`.
    pub set_weight: Option<i32>,
    /// Waits for a time, or for a user.
    pub pause: Option<PauseStep>,
    /// Runs an Experiment to its end.
    pub experiment: Option<ExperimentStep>,
    /// Runs an analysis to its end.
    pub analysis: Option<RolloutAnalysis>,
    /// Sets the number of canary pods apart from the weight.
    pub set_canary_scale: Option<SetCanaryScale>,
    /// Sends requests with certain headers to the canary.
    pub set_header_route: Option<SetHeaderRoute>,
    /// Sends copies of certain requests to the canary.
    pub set_mirror_route: Option<SetMirrorRoute>,
    /// Runs a step plugin.
    pub plugin: Option<PluginStep>,
}

/// What one canary step does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum StepKind<'a> {
    /// Waits for a time, or for a user.
    Pause(&'a PauseStep),
    /// Sets the number of canary pods apart from the weight.
    SetCanaryScale(&'a SetCanaryScale),
    /// Sets the share of the canary.
    SetWeight(i32),
    /// Runs an Experiment to its end.
    Experiment(&'a ExperimentStep),
    /// Runs an analysis to its end.
    Analysis(&'a RolloutAnalysis),
    /// Sends requests with certain headers to the canary.
    SetHeaderRoute(&'a SetHeaderRoute),
    /// Sends copies of certain requests to the canary.
    SetMirrorRoute(&'a SetMirrorRoute),
    /// Runs a step plugin.
    Plugin(&'a PluginStep),
}

impl CanaryStep {
    /// What the step does: the first kind that is set, in the order in which the reference looks for them; `None`
    /// for a step that sets none.
    #[must_use]
    pub fn kind(&self) -> Option<StepKind<'_>> {
        self.kinds_set().next()
    }

    /// Every kind that the step sets, in the order in which the reference looks for them. More than one is a
    /// mistake of the user.
    pub fn kinds_set(&self) -> impl Iterator<Item = StepKind<'_>> {
        [
            self.pause.as_ref().map(StepKind::Pause),
            self.set_canary_scale.as_ref().map(StepKind::SetCanaryScale),
            self.set_weight.map(StepKind::SetWeight),
            self.experiment.as_ref().map(StepKind::Experiment),
            self.analysis.as_ref().map(StepKind::Analysis),
            self.set_header_route.as_ref().map(StepKind::SetHeaderRoute),
            self.set_mirror_route.as_ref().map(StepKind::SetMirrorRoute),
            self.plugin.as_ref().map(StepKind::Plugin),
        ]
        .into_iter()
        .flatten()
    }
}

/// Waits for a time, or for a user.
#[apply(wire)]
pub struct PauseStep {
    /// How long to wait, as seconds or a duration such as 30s or 1h; until a user promotes if not set.
    pub duration: Option<IntOrString>,
}

/// Sets the number of canary pods apart from the weight; matchTrafficWeight goes before replicas, and that before weight.
#[apply(wire)]
pub struct SetCanaryScale {
    /// Canary pods as a percentage of `spec.replicas`.
    pub weight: Option<i32>,
    /// Canary pods as a number.
    pub replicas: Option<i32>,
    /// Whether the number of canary pods follows the traffic weight again.
    pub match_traffic_weight: bool,
}

/// Sends requests with certain headers to the canary.
#[apply(wire)]
pub struct SetHeaderRoute {
    /// Name of the route, one of `managedRoutes`.
    pub name: Option<String>,
    /// Headers that a request must all have; none removes the route.
    #[serde(rename = "match")]
    pub matches: Vec<HeaderMatch>,
}

/// One header of a request.
#[apply(wire)]
pub struct HeaderMatch {
    /// Name of the header.
    pub header_name: String,
    /// Value of the header.
    #[serde(deserialize_with = "null_as_default")]
    pub header_value: StringMatch,
}

/// Sends copies of certain requests to the canary.
#[apply(wire)]
pub struct SetMirrorRoute {
    /// Name of the route, one of `managedRoutes`.
    pub name: String,
    /// Requests that are copied; none removes the route.
    #[serde(rename = "match")]
    pub matches: Vec<RouteMatch>,
    /// Percentage of the matching requests that is copied; all if not set.
    pub percentage: Option<i32>,
}

/// Runs a step plugin.
#[apply(wire)]
pub struct PluginStep {
    /// Name of the plugin, as `owner/name`.
    pub name: String,
    /// Configuration that is handed to the plugin.
    pub config: Option<Value>,
}

/// Runs an Experiment to its end.
#[apply(wire)]
pub struct ExperimentStep {
    /// What the Experiment runs.
    #[serde(default, deserialize_with = "null_as_default")]
    #[serde_with(skip_apply)]
    pub templates: Vec<ExperimentStepTemplate>,
    /// How long it runs once it is available, as a duration; until its analyses end if not set.
    pub duration: Option<String>,
    /// Analyses of the Experiment.
    pub analyses: Vec<ExperimentStepAnalysis>,
    /// Metrics whose failure has no effect.
    pub dry_run: Vec<DryRun>,
    /// Labels and annotations of the AnalysisRuns.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub analysis_run_metadata: TemplateMetadata,
    /// Seconds before the finished templates are scaled to zero; 30 if not set.
    pub scale_down_delay_seconds: Option<i32>,
}

/// One ReplicaSet of an Experiment that a step runs.
#[apply(wire)]
pub struct ExperimentStepTemplate {
    /// Name of the template, unique within the step.
    pub name: String,
    /// Whose pods it copies: `canary` or `stable`.
    pub spec_ref: String,
    /// Number of pods; 1 if not set.
    pub replicas: Option<i32>,
    /// Labels and annotations of its pods.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub metadata: TemplateMetadata,
    /// Selector of its pods; that of the copied revision if not set.
    pub selector: Option<LabelSelector>,
    /// Share of the traffic that it gets.
    pub weight: Option<i32>,
    /// A Service for its pods.
    pub service: Option<TemplateService>,
}

/// One analysis of an Experiment that a step runs.
#[apply(wire)]
pub struct ExperimentStepAnalysis {
    /// Name of the analysis, unique within the step.
    pub name: String,
    /// Name of the template.
    pub template_name: String,
    /// Whether it is a ClusterAnalysisTemplate.
    pub cluster_scope: bool,
    /// Arguments for the template.
    pub args: Vec<RolloutArgument>,
    /// Whether the Experiment ends only after this analysis.
    pub required_for_completion: bool,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn step(value: serde_json::Value) -> CanaryStep {
        serde_json::from_value(value).expect("a step")
    }

    #[test]
    fn a_step_with_several_kinds_is_the_first_in_the_order_of_the_reference() {
        let all = step(json!({
            "setWeight": 20,
            "pause": {},
            "experiment": {"templates": []},
            "analysis": {},
            "setCanaryScale": {"weight": 5},
            "setHeaderRoute": {"name": "h"},
            "setMirrorRoute": {"name": "m"},
            "plugin": {"name": "org/p"},
        }));
        let kinds: Vec<_> = all.kinds_set().collect();
        assert!(matches!(
            kinds[..],
            [
                StepKind::Pause(_),
                StepKind::SetCanaryScale(_),
                StepKind::SetWeight(20),
                StepKind::Experiment(_),
                StepKind::Analysis(_),
                StepKind::SetHeaderRoute(_),
                StepKind::SetMirrorRoute(_),
                StepKind::Plugin(_),
            ]
        ));
        assert_eq!(all.kind(), Some(kinds[0]));
    }

    #[test]
    fn a_step_with_nothing_that_is_known_has_no_kind() {
        assert_eq!(step(json!({"setWait": 20, "pause": null})).kind(), None);
    }

    #[test]
    fn weight_zero_is_a_kind() {
        assert_eq!(step(json!({"setWeight": 0})).kind(), Some(StepKind::SetWeight(0)));
    }
}
