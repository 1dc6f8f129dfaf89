//! Why a router cannot render a weight.

use thiserror::Error;

/// Why a weight cannot be written to a router's object.
///
/// Nothing is written for the object concerned; each message names the object, the value and the way out.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TrafficError {
    /// A stable Ingress is not there, so there is nothing to split.
    #[error("ingress `{ingress}` not found; create it, or correct its name in the traffic routing")]
    NoIngress {
        /// Name of the Ingress.
        ingress: String,
    },
    /// No rule of the stable Ingress sends requests to the stable Service, so there is nothing to split.
    #[error(
        "ingress `{ingress}` has no rules using service {service} backend: its rules use {}; \
         point a path of it at {service}, or set stableService to the Service that it uses",
        list_or_none(.backends)
    )]
    NoRuleUsesService {
        /// Name of the stable Ingress.
        ingress: String,
        /// Name of the stable Service.
        service: String,
        /// Services that the rules do use, without repetitions.
        backends: Vec<String>,
    },
    /// An Ingress with the canary Ingress's name exists and belongs to something else.
    #[error(
        "canary ingress `{ingress}` controlled by different object: {owner}; delete or rename that Ingress so that \
         Rollout {rollout} can create its own"
    )]
    ForeignIngress {
        /// Name of the Ingress.
        ingress: String,
        /// Name of the Rollout that wants it.
        rollout: String,
        /// Who controls it, in words.
        owner: String,
    },
    /// Two stable Ingresses would share one canary Ingress, because their names differ only after the cut.
    #[error(
        "ingresses `{first}` and `{second}` would both get the canary ingress `{canary}`: names are cut to 246 \
         characters; shorten the name of the Rollout or of one Ingress"
    )]
    SharedCanaryName {
        /// The stable Ingress that comes first in the list.
        first: String,
        /// The stable Ingress that collides with it.
        second: String,
        /// Name of the canary Ingress that both would get.
        canary: String,
    },
    /// An annotation key that no Kubernetes object may have.
    #[error("{field}: Invalid value: {key:?}: {problem}")]
    AnnotationKey {
        /// Path of the field in the Rollout.
        field: String,
        /// The key as the user wrote it.
        key: String,
        /// What is wrong and what would be right.
        problem: String,
    },
    /// A weight outside of what the router can express.
    #[error("weight {weight} is outside of 0..={max}, the range that maxTrafficWeight sets")]
    WeightOutOfRange {
        /// The weight asked for.
        weight: i32,
        /// The weight that stands for all traffic.
        max: i32,
    },
    /// An observed object lacks what every object of a cluster has.
    #[error("{kind} `{name}` has no {field}: it was not read from a cluster")]
    Incomplete {
        /// Kind of the object.
        kind: &'static str,
        /// Name of the object, empty when that is what is missing.
        name: String,
        /// Path of the missing field.
        field: &'static str,
    },
}

fn list_or_none(names: &[String]) -> String {
    if names.is_empty() { "no Service".to_owned() } else { names.join(", ") }
}
