//! What is kept of a ReplicaSet.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::object::{RawObject, integer, text};
use crate::packed::Packed;
use serin_core::rollout::snapshot::{Identity, ReplicaFailure, ReplicaSetStatusView, ReplicaSetView};

/// What is kept of a ReplicaSet.
#[derive(Debug, Clone)]
pub struct ReplicaSet {
    created: Timestamp,
    generation: i64,
    replicas: i32,
    min_ready_seconds: i32,
    status: ReplicaSetStatusView,
    body: Packed<Body>,
}

/// What is read only when the ReplicaSet is observed.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Body {
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    owner_references: Vec<OwnerReference>,
    template: Value,
}

impl ReplicaSet {
    /// What is kept of `wire`, from which it is taken.
    pub(crate) fn of(wire: &mut RawObject) -> Self {
        let meta = &mut wire.metadata;
        let body = Body {
            labels: meta.labels.take().unwrap_or_default(),
            annotations: meta.annotations.take().unwrap_or_default(),
            owner_references: meta.owner_references.clone().unwrap_or_default(),
            template: wire.spec.get_mut("template").map(Value::take).unwrap_or_default(),
        };
        Self {
            created: wire.created(),
            generation: wire.metadata.generation.unwrap_or_default(),
            replicas: integer(&wire.spec, "replicas").unwrap_or(1),
            min_ready_seconds: integer(&wire.spec, "minReadySeconds").unwrap_or_default(),
            status: status(&wire.status),
            body: Packed::new(&body),
        }
    }

    /// What decisions read of the ReplicaSet of that entry, which the Rollout owns or may adopt.
    #[must_use]
    pub fn view(&self, id: &Identity, deleting: bool, owned: bool) -> ReplicaSetView {
        let Body { labels, annotations, owner_references, template } = self.body.get().unwrap_or_default();
        ReplicaSetView {
            id: id.clone(),
            created: self.created,
            deleting,
            owned,
            labels,
            annotations,
            owner_references: owner_references.iter().map(|owner| serde_json::json!(owner)).collect(),
            generation: self.generation,
            replicas: self.replicas,
            min_ready_seconds: self.min_ready_seconds,
            template,
            status: self.status.clone(),
        }
    }

    /// `metadata.labels`.
    #[must_use]
    pub fn labels(&self) -> BTreeMap<String, String> {
        self.body.get().map(|body| body.labels).unwrap_or_default()
    }

    /// `status.availableReplicas`.
    #[must_use]
    pub const fn available(&self) -> i32 {
        self.status.available
    }
}

fn status(status: &Value) -> ReplicaSetStatusView {
    let conditions = status.get("conditions").and_then(Value::as_array);
    let failed = |c: &&Value| text(c, "type") == "ReplicaFailure" && text(c, "status") == "True";
    let failure = conditions.into_iter().flatten().find(failed).map(|condition| ReplicaFailure {
        reason: text(condition, "reason"),
        message: text(condition, "message"),
        since: text(condition, "lastTransitionTime").parse().unwrap_or(Timestamp::UNIX_EPOCH),
    });
    ReplicaSetStatusView {
        replicas: integer(status, "replicas").unwrap_or_default(),
        ready: integer(status, "readyReplicas").unwrap_or_default(),
        available: integer(status, "availableReplicas").unwrap_or_default(),
        observed_generation: status.get("observedGeneration").and_then(Value::as_i64).unwrap_or_default(),
        failure,
    }
}
