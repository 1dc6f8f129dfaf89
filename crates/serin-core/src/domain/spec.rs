//! Defaults of a Rollout's spec, and facts that follow from several of its fields.
//!
//! Every method is total: it answers for an invalid spec, too. Decisions read a spec through
//! [`ValidRollout`](crate::rollout::valid::ValidRollout), which takes its values from here; lint and views may ask for a
//! Rollout that nobody has validated.

use jiff::SignedDuration;

use super::affinity::Strictness;
use super::replicas::{CanaryScale, Fenceposts, IntOrPercent, StepSize, Threshold, fenceposts};
use super::weight::WEIGHT_MAX_DEFAULT;
use crate::api::rollout_status::PingPongSide;
use crate::api::strategy::AntiAffinity;
use crate::api::{
    BlueGreenStrategy, CanaryStep, CanaryStrategy, IntOrString, RolloutSpec, RolloutStrategy, TrafficRouting,
};

/// Pods that a Rollout wants if `replicas` is not set.
pub const REPLICAS_DEFAULT: i32 = 1;
/// Old ReplicaSets that are kept if `revisionHistoryLimit` is not set.
pub const REVISION_HISTORY_LIMIT_DEFAULT: i32 = 10;
/// Seconds without progress after which an update counts as stuck, if `progressDeadlineSeconds` is not set.
pub const PROGRESS_DEADLINE_SECONDS_DEFAULT: i32 = 600;
/// Seconds before old pods are scaled down, and those of an aborted update, if the Rollout does not say.
pub const SCALE_DOWN_DELAY_SECONDS_DEFAULT: i32 = 30;

impl RolloutSpec {
    /// Pods that the Rollout wants: `replicas`, or 1.
    #[must_use]
    pub fn desired_replicas(&self) -> i32 {
        self.replicas.unwrap_or(REPLICAS_DEFAULT)
    }

    /// Old ReplicaSets to keep: `revisionHistoryLimit`, or 10.
    #[must_use]
    pub fn history_limit(&self) -> i32 {
        self.revision_history_limit.unwrap_or(REVISION_HISTORY_LIMIT_DEFAULT)
    }

    /// Seconds without progress after which an update counts as stuck: `progressDeadlineSeconds`, or 600.
    #[must_use]
    pub fn deadline_seconds(&self) -> i32 {
        self.progress_deadline_seconds.unwrap_or(PROGRESS_DEADLINE_SECONDS_DEFAULT)
    }

    /// The same as a duration.
    #[must_use]
    pub fn progress_deadline(&self) -> SignedDuration {
        SignedDuration::from_secs(self.deadline_seconds().into())
    }

    /// Number of recent revisions to which a rollback is fast; 0 if there is no `rollbackWindow`.
    #[must_use]
    pub fn rollback_revisions(&self) -> i32 {
        self.rollback_window.as_ref().map_or(0, |window| window.revisions)
    }

    /// Whether the Rollout wants pods, and does not itself allow all of them to be missing for a while.
    #[must_use]
    pub fn must_have_pods(&self) -> bool {
        let wanted = self.desired_replicas();
        let by_pods = self.strategy.canary.as_ref().filter(|canary| !canary.is_routed());
        wanted > by_pods.map_or(0, |canary| canary.limits(wanted).unavailable)
    }
}

impl RolloutStrategy {
    /// Whether users reach the Rollout through the Service whatever the weights are. `stable` is the Service of a ping-pong
    /// pair that the status records as the stable one.
    #[must_use]
    pub fn carries_users(&self, service: &str, stable: Option<PingPongSide>) -> bool {
        let canary = self.canary.as_ref();
        let of_pair = canary.and_then(|canary| canary.ping_pong.as_ref()).map(|pair| pair.roles(stable).0);
        let of_canary = canary.and_then(|canary| canary.stable_service.as_deref());
        let active = self.blue_green.as_ref().map(|blue_green| blue_green.active_service.as_str());
        [of_pair, of_canary, active].contains(&Some(service))
    }
}

impl CanaryStrategy {
    /// Whether a router splits the traffic, rather than the numbers of pods.
    #[must_use]
    pub fn is_routed(&self) -> bool {
        self.traffic_routing.is_some()
    }

    /// The weight that stands for all traffic: `maxTrafficWeight`, or 100.
    #[must_use]
    pub fn total_weight(&self) -> i32 {
        self.traffic_routing.as_ref().map_or(WEIGHT_MAX_DEFAULT, TrafficRouting::total_weight)
    }

    /// The pods that may be too many, and those that may be missing, during an update of so many replicas.
    #[must_use]
    pub fn limits(&self, replicas: i32) -> Fenceposts {
        fenceposts(self.max_surge.as_ref(), self.max_unavailable.as_ref(), replicas)
    }

    /// The sizes and weights that the steps set, one entry a step.
    #[must_use]
    pub fn step_sizes(&self) -> Vec<StepSize> {
        self.steps.iter().map(CanaryStep::size).collect()
    }

    /// How many available pods are enough: `replicaProgressThreshold`, or all. A negative value reads as all.
    #[must_use]
    pub fn threshold(&self) -> Threshold {
        match &self.replica_progress_threshold {
            Some(threshold) if threshold.value < 0 => Threshold::All,
            Some(threshold) if threshold.type_ == "Percent" => Threshold::Percent(threshold.value),
            Some(threshold) => Threshold::Pods(threshold.value),
            None => Threshold::All,
        }
    }

    /// Seconds before the pods of the last stable revision go: `scaleDownDelaySeconds`, or 30. Only with a router.
    #[must_use]
    pub fn scale_down_delay_seconds(&self) -> i32 {
        self.scale_down_delay_seconds.unwrap_or(SCALE_DOWN_DELAY_SECONDS_DEFAULT)
    }

    /// Seconds for which an aborted revision keeps its pods: `abortScaleDownDelaySeconds`, or 30. `None` where they are
    /// scaled like others: without a router, for a delay that is not positive, and where a dynamic stable revision takes
    /// their place unless a delay is set.
    #[must_use]
    pub fn abort_hold_seconds(&self) -> Option<i32> {
        let follows_traffic = self.dynamic_stable_scale && self.abort_scale_down_delay_seconds.is_none();
        let seconds = self.abort_scale_down_delay_seconds.unwrap_or(SCALE_DOWN_DELAY_SECONDS_DEFAULT);
        (self.is_routed() && seconds > 0 && !follows_traffic).then_some(seconds)
    }
}

impl TrafficRouting {
    /// The weight that stands for all traffic: `maxTrafficWeight`, or 100.
    #[must_use]
    pub fn total_weight(&self) -> i32 {
        self.max_traffic_weight.unwrap_or(WEIGHT_MAX_DEFAULT)
    }
}

impl CanaryStep {
    /// The size and weight that the step sets; nothing for a step of another kind.
    #[must_use]
    pub fn size(&self) -> StepSize {
        let scale = self.set_canary_scale.as_ref().map(|scale| CanaryScale {
            weight: scale.weight,
            replicas: scale.replicas,
            match_traffic_weight: scale.match_traffic_weight,
        });
        StepSize { set_weight: self.set_weight, set_canary_scale: scale }
    }
}

impl BlueGreenStrategy {
    /// Seconds before the pods of the previous revision go: `scaleDownDelaySeconds`, or 30.
    #[must_use]
    pub fn scale_down_delay_seconds(&self) -> i32 {
        self.scale_down_delay_seconds.unwrap_or(SCALE_DOWN_DELAY_SECONDS_DEFAULT)
    }

    /// Seconds for which an aborted revision keeps its pods: `abortScaleDownDelaySeconds`, or 30. `None` for 0, with which
    /// they are scaled like others.
    #[must_use]
    pub fn abort_hold_seconds(&self) -> Option<i32> {
        let seconds = self.abort_scale_down_delay_seconds.unwrap_or(SCALE_DOWN_DELAY_SECONDS_DEFAULT);
        (seconds != 0).then_some(seconds)
    }
}

impl AntiAffinity {
    /// How strictly pods of another revision are kept away.
    #[must_use]
    pub fn strictness(&self) -> Strictness {
        let preferred = self.preferred_during_scheduling_ignored_during_execution.as_ref();
        preferred.map_or(Strictness::Required, |preferred| Strictness::Preferred(preferred.weight))
    }
}

/// Pods of `replicas` that may be missing during a restart: `maxUnavailable` rounded down, or 25 %. 0 for a limit that
/// cannot be read.
#[must_use]
pub fn restart_limit(max_unavailable: Option<&IntOrString>, replicas: i32) -> i32 {
    let limit = max_unavailable.map_or(Some(IntOrPercent::DEFAULT), IntOrPercent::parse);
    limit.map_or(0, |limit| limit.rounded_down(replicas))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn spec(spec: Value) -> RolloutSpec {
        serde_json::from_value(spec).unwrap()
    }

    #[test]
    fn fields_that_are_not_set_have_the_defaults_of_the_reference() {
        let spec = spec(json!({"strategy": {"canary": {}, "blueGreen": {"activeService": "a"}}}));
        assert_eq!(spec.desired_replicas(), 1);
        assert_eq!(spec.history_limit(), 10);
        assert_eq!(spec.progress_deadline(), SignedDuration::from_mins(10));
        assert_eq!(spec.rollback_revisions(), 0);
        let (canary, blue_green) = (spec.strategy.canary.unwrap(), spec.strategy.blue_green.unwrap());
        assert_eq!((canary.total_weight(), canary.threshold()), (100, Threshold::All));
        assert_eq!(canary.scale_down_delay_seconds(), 30);
        assert_eq!(blue_green.scale_down_delay_seconds(), 30);
        assert_eq!(restart_limit(None, 8), 2);
    }

    #[test]
    fn an_aborted_canary_is_held_behind_a_router_only() {
        let hold = |canary: Value| {
            spec(json!({"strategy": {"canary": canary}})).strategy.canary.unwrap().abort_hold_seconds()
        };
        let routed = json!({"nginx": {"stableIngress": "i"}});
        for (canary, expected) in [
            (json!({}), None),
            (json!({"trafficRouting": routed}), Some(30)),
            (json!({"trafficRouting": routed, "abortScaleDownDelaySeconds": 5}), Some(5)),
            (json!({"trafficRouting": routed, "abortScaleDownDelaySeconds": 0}), None),
            (json!({"trafficRouting": routed, "dynamicStableScale": true}), None),
            (
                json!({"trafficRouting": routed, "dynamicStableScale": true, "abortScaleDownDelaySeconds": 5}),
                Some(5),
            ),
        ] {
            assert_eq!(hold(canary.clone()), expected, "{canary}");
        }
    }

    #[test]
    fn all_pods_may_be_missing_where_the_limits_say_so() {
        let must = |replicas: i32, canary: Value| {
            spec(json!({"replicas": replicas, "strategy": {"canary": canary}})).must_have_pods()
        };
        assert!(must(1, json!({})));
        assert!(!must(0, json!({})));
        assert!(!must(1, json!({"maxSurge": 0, "maxUnavailable": 1})));
        let routed = json!({"maxSurge": 0, "maxUnavailable": 1, "trafficRouting": {"nginx": {}}});
        assert!(must(1, routed), "a router decides who gets traffic, not the limits");
    }

    #[test]
    fn users_come_through_the_stable_service_of_each_kind() {
        let strategy = |strategy: Value| spec(json!({"strategy": strategy})).strategy;
        let canary = strategy(json!({"canary": {
            "stableService": "s", "canaryService": "c", "pingPong": {"pingService": "i", "pongService": "o"},
        }}));
        let services = |side| ["s", "c", "i", "o"].map(|service| canary.carries_users(service, side));
        assert_eq!(services(None), [true, false, false, true]);
        assert_eq!(services(Some(PingPongSide::Ping)), [true, false, true, false]);
        let blue_green = strategy(json!({"blueGreen": {"activeService": "a", "previewService": "p"}}));
        assert_eq!(["a", "p"].map(|service| blue_green.carries_users(service, None)), [true, false]);
    }
}
