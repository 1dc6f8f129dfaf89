//! A revision, for programs.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Serialize;
use serde_json::Value;

use crate::facts::{Role, roles};
use serin_core::api::{Rollout, keys};

/// Annotation with the reason for a change, as set by users and kubectl.
pub const CHANGE_CAUSE: &str = "kubernetes.io/change-cause";

/// A revision, for programs. Field names are stable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RevisionFacts {
    /// The revision number.
    pub revision: i64,
    /// Name of its ReplicaSet.
    pub replica_set: String,
    /// Creation time in RFC 3339.
    pub created_at: Option<String>,
    /// Its role in the Rollout, as in `stable`, `canary`, `active`, `preview`.
    pub roles: Vec<&'static str>,
    /// The number of its pods.
    pub replicas: i64,
    /// The images of its containers, in order.
    pub images: Vec<String>,
    /// The annotation `kubernetes.io/change-cause`.
    pub change_cause: Option<String>,
}

impl RevisionFacts {
    /// Describes revision `number` of `rollout` with the ReplicaSet that has this metadata and, in `set`, spec and
    /// status.
    #[must_use]
    pub fn of(number: i64, metadata: &ObjectMeta, set: &Value, rollout: &Rollout) -> Self {
        let hash = metadata.labels.as_ref().and_then(|labels| labels.get(keys::POD_HASH_LABEL));
        let roles = hash.map(|hash| roles(rollout, hash)).unwrap_or_default();
        let containers = set.pointer("/spec/template/spec/containers").and_then(Value::as_array);
        let image = |container: &Value| container["image"].as_str().map(str::to_owned);
        Self {
            revision: number,
            replica_set: metadata.name.clone().unwrap_or_default(),
            created_at: metadata.creation_timestamp.as_ref().map(|time| time.0.to_string()),
            roles: roles.into_iter().map(Role::word).collect(),
            replicas: set.pointer("/status/replicas").and_then(Value::as_i64).unwrap_or(0),
            images: containers.into_iter().flatten().filter_map(image).collect(),
            change_cause: metadata.annotations.as_ref().and_then(|all| all.get(CHANGE_CAUSE).cloned()),
        }
    }
}
