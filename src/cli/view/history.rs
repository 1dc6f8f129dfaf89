//! The revisions of a Rollout as a table.

use jiff::Timestamp;
use kube::api::DynamicObject;
use serde::Serialize;
use serde_json::Value;

use super::facts::roles;
use super::text::{Text, table};
use serin_core::api::{Rollout, keys};
use serin_kubernetes::age::human;

/// Annotation with the reason for a change, as set by users and kubectl.
const CHANGE_CAUSE: &str = "kubernetes.io/change-cause";
const TITLES: [&str; 7] = ["REVISION", "AGE", "ROLE", "REPLICAS", "IMAGES", "REPLICASET", "CHANGE-CAUSE"];

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
    /// Describes revision `number` of `rollout` with the ReplicaSet `set`.
    #[must_use]
    pub fn of(number: i64, set: &DynamicObject, rollout: &Rollout) -> Self {
        let hash = set.metadata.labels.as_ref().and_then(|labels| labels.get(keys::POD_HASH_LABEL));
        let roles = hash.map(|hash| roles(rollout, hash)).unwrap_or_default();
        let containers = set.data.pointer("/spec/template/spec/containers").and_then(Value::as_array);
        let image = |container: &Value| container["image"].as_str().map(str::to_owned);
        Self {
            revision: number,
            replica_set: set.metadata.name.clone().unwrap_or_default(),
            created_at: set.metadata.creation_timestamp.as_ref().map(|time| time.0.to_string()),
            roles: roles.into_iter().map(super::facts::Role::word).collect(),
            replicas: set.data.pointer("/status/replicas").and_then(Value::as_i64).unwrap_or(0),
            images: containers.into_iter().flatten().filter_map(image).collect(),
            change_cause: set.metadata.annotations.as_ref().and_then(|all| all.get(CHANGE_CAUSE).cloned()),
        }
    }

    fn cells(&self, now: Timestamp) -> Vec<Text> {
        let created = self.created_at.as_ref().and_then(|created| created.parse::<Timestamp>().ok());
        let age = created.map(|created| human(now.duration_since(created).as_secs())).unwrap_or_default();
        let cells = [
            self.revision.to_string(),
            age,
            self.roles.join(","),
            self.replicas.to_string(),
            self.images.join(","),
            self.replica_set.clone(),
            self.change_cause.clone().unwrap_or_default(),
        ];
        cells.map(Text::from).to_vec()
    }
}

/// Revisions as a table, one per row, in the given order.
#[must_use]
pub fn history(revisions: &[RevisionFacts], now: Timestamp) -> String {
    let rows = std::iter::once(TITLES.map(Text::from).to_vec());
    let rows: Vec<_> = rows.chain(revisions.iter().map(|revision| revision.cells(now))).collect();
    table(&rows, false)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_revision_is_a_row() {
        let rollout =
            json!({"metadata": {}, "spec": {"strategy": {"canary": {}}}, "status": {"stableRS": "h"}});
        let rollout: Rollout = serde_json::from_value(rollout).unwrap();
        let template = json!({"spec": {"containers": [{"image": "a:1"}, {"image": "b"}]}});
        let set = json!({
            "metadata": {"name": "cart-h", "creationTimestamp": "2026-01-01T00:00:00Z",
                "labels": {keys::POD_HASH_LABEL: "h"}, "annotations": {CHANGE_CAUSE: "a new look"}},
            "spec": {"template": template}, "status": {"replicas": 3},
        });
        let facts = RevisionFacts::of(7, &serde_json::from_value(set).unwrap(), &rollout);
        let shown = history(&[facts], "2026-01-01T01:00:00Z".parse().unwrap());
        let rows: Vec<Vec<&str>> = shown
            .lines()
            .map(|line| line.split("  ").filter(|cell| !cell.is_empty()).map(str::trim).collect())
            .collect();
        assert_eq!(rows, [&TITLES[..], &["7", "60m", "stable", "3", "a:1,b", "cart-h", "a new look"]]);
    }
}
