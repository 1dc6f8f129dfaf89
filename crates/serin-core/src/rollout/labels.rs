//! How metrics name what a Rollout is and how it fares: words that dashboards know.

use crate::api::{Rollout, RolloutStatus, TrafficRouting};
use crate::domain::condition::{ConditionReason, ConditionType};

/// The word for the strategy: `blueGreen`, `canary` or `none`.
#[must_use]
pub fn strategy(rollout: &Rollout) -> &'static str {
    let strategy = &rollout.spec.strategy;
    if strategy.blue_green.is_some() {
        "blueGreen"
    } else if strategy.canary.is_some() {
        "canary"
    } else {
        "none"
    }
}

/// The words for all routers, with commas between them; plugins go by their own names. Empty if there are none.
#[must_use]
pub fn traffic_routers(rollout: &Rollout) -> String {
    let canary = rollout.spec.strategy.canary.as_ref();
    let routing = canary.and_then(|canary| canary.traffic_routing.as_ref());
    routing.map(|routing| routers(routing).join(",")).unwrap_or_default()
}

/// The words for all routers of `routing`.
pub(super) fn routers(routing: &TrafficRouting) -> Vec<&str> {
    let TrafficRouting {
        istio,
        nginx,
        alb,
        smi,
        ambassador,
        app_mesh,
        traefik,
        apisix,
        plugins,
        managed_routes: _,
        max_traffic_weight: _,
    } = routing;
    let built_in = [
        ("ALB", alb.is_some()),
        ("Ambassador", ambassador.is_some()),
        ("Istio", istio.is_some()),
        ("Nginx", nginx.is_some()),
        ("SMI", smi.is_some()),
        ("AppMesh", app_mesh.is_some()),
        ("Traefik", traefik.is_some()),
        ("Apisix", apisix.is_some()),
    ];
    let named = built_in.iter().filter(|(_, is_set)| *is_set).map(|(name, _)| *name);
    named.chain(plugins.keys().map(String::as_str)).collect()
}

/// How an update fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PhaseLabel {
    /// It has come to its end.
    Completed,
    /// It goes on.
    Progressing,
    /// It waits.
    Paused,
    /// Its deadline has passed.
    Timeout,
    /// A ReplicaSet could not be made.
    Error,
    /// It was given up.
    Abort,
    /// Its spec cannot be carried out.
    InvalidSpec,
}

impl PhaseLabel {
    /// Every one.
    pub const ALL: [Self; 7] = [
        Self::Completed,
        Self::Progressing,
        Self::Paused,
        Self::Timeout,
        Self::Error,
        Self::Abort,
        Self::InvalidSpec,
    ];

    /// The word for how the Rollout fares, by its conditions.
    #[must_use]
    pub fn of(status: Option<&RolloutStatus>) -> Self {
        let conditions = status.map(|status| status.conditions.as_slice()).unwrap_or_default();
        let find = |kind: ConditionType| conditions.iter().find(|c| c.type_ == kind.as_str());
        if find(ConditionType::InvalidSpec).is_some() {
            return Self::InvalidSpec;
        }
        let reason = find(ConditionType::Progressing).map(|condition| condition.reason.as_str());
        let words = [
            (ConditionReason::NewReplicaSetAvailable, Self::Completed),
            (ConditionReason::RolloutPaused, Self::Paused),
            (ConditionReason::ReplicaSetCreateError, Self::Error),
            (ConditionReason::ProgressDeadlineExceeded, Self::Timeout),
            (ConditionReason::RolloutAborted, Self::Abort),
        ];
        let word = words.iter().find(|(word, _)| reason == Some(word.as_str()));
        word.map_or(Self::Progressing, |(_, label)| *label)
    }

    /// The word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "Completed",
            Self::Progressing => "Progressing",
            Self::Paused => "Paused",
            Self::Timeout => "Timeout",
            Self::Error => "Error",
            Self::Abort => "Abort",
            Self::InvalidSpec => "InvalidSpec",
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn rollout(strategy: &Value) -> Rollout {
        let object = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "web"},
            "spec": {"strategy": strategy}});
        serde_json::from_value(object).expect("a Rollout")
    }

    fn phase(conditions: &Value) -> &'static str {
        let status = serde_json::from_value(json!({"conditions": conditions})).expect("a status");
        PhaseLabel::of(Some(&status)).as_str()
    }

    fn condition(kind: &str, reason: &str) -> Value {
        json!({"type": kind, "status": "True", "reason": reason, "message": "",
            "lastUpdateTime": "2026-01-01T00:00:00Z", "lastTransitionTime": "2026-01-01T00:00:00Z"})
    }

    #[test]
    fn strategies_have_the_words_of_the_spec() {
        assert_eq!(strategy(&rollout(&json!({"canary": {}}))), "canary");
        assert_eq!(strategy(&rollout(&json!({"blueGreen": {"activeService": "a"}}))), "blueGreen");
        assert_eq!(strategy(&rollout(&json!({}))), "none");
    }

    #[test]
    fn every_router_is_named() {
        let routers =
            |routing: Value| traffic_routers(&rollout(&json!({"canary": {"trafficRouting": routing}})));
        assert_eq!(routers(json!({"nginx": {"stableIngress": "i"}})), "Nginx");
        assert_eq!(
            routers(json!({"traefik": {"weightedTraefikServiceName": "t"}, "istio": {}})),
            "Istio,Traefik"
        );
        assert_eq!(routers(json!({"apisix": {}, "plugins": {"acme/router": {}}})), "Apisix,acme/router");
        assert_eq!(traffic_routers(&rollout(&json!({"canary": {}}))), "");
    }

    #[test]
    fn the_phase_follows_the_conditions() {
        for (reason, word) in [
            ("NewReplicaSetAvailable", "Completed"),
            ("RolloutPaused", "Paused"),
            ("ReplicaSetCreateError", "Error"),
            ("ProgressDeadlineExceeded", "Timeout"),
            ("RolloutAborted", "Abort"),
            ("ReplicaSetUpdated", "Progressing"),
        ] {
            assert_eq!(phase(&json!([condition("Progressing", reason)])), word);
        }
        let both =
            json!([condition("Progressing", "RolloutPaused"), condition("InvalidSpec", "InvalidSpec")]);
        assert_eq!(phase(&both), "InvalidSpec");
        assert_eq!(PhaseLabel::of(None).as_str(), "Progressing");
    }
}
