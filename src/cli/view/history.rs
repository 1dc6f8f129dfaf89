//! The revisions of a Rollout as a table.

use jiff::Timestamp;

use super::text::{Text, table};
use serin_insight::revision::RevisionFacts;
use serin_kubernetes::age::human;

const TITLES: [&str; 7] = ["REVISION", "AGE", "ROLE", "REPLICAS", "IMAGES", "REPLICASET", "CHANGE-CAUSE"];

fn cells(revision: &RevisionFacts, now: Timestamp) -> Vec<Text> {
    let created = revision.created_at.as_ref().and_then(|created| created.parse::<Timestamp>().ok());
    let age = created.map(|created| human(now.duration_since(created).as_secs())).unwrap_or_default();
    let cells = [
        revision.revision.to_string(),
        age,
        revision.roles.join(","),
        revision.replicas.to_string(),
        revision.images.join(","),
        revision.replica_set.clone(),
        revision.change_cause.clone().unwrap_or_default(),
    ];
    cells.map(Text::from).to_vec()
}

/// Revisions as a table, one per row, in the given order.
#[must_use]
pub fn history(revisions: &[RevisionFacts], now: Timestamp) -> String {
    let rows = std::iter::once(TITLES.map(Text::from).to_vec());
    let rows: Vec<_> = rows.chain(revisions.iter().map(|revision| cells(revision, now))).collect();
    table(&rows, false)
}

#[cfg(test)]
mod tests {
    use kube::api::DynamicObject;
    use serde_json::json;

    use super::*;
    use serin_core::api::{Rollout, keys};
    use serin_insight::revision::CHANGE_CAUSE;

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
        let set: DynamicObject = serde_json::from_value(set).unwrap();
        let facts = RevisionFacts::of(7, &set.metadata, &set.data, &rollout);
        let shown = history(&[facts], "2026-01-01T01:00:00Z".parse().unwrap());
        let rows: Vec<Vec<&str>> = shown
            .lines()
            .map(|line| line.split("  ").filter(|cell| !cell.is_empty()).map(str::trim).collect())
            .collect();
        assert_eq!(rows, [&TITLES[..], &["7", "60m", "stable", "3", "a:1,b", "cart-h", "a new look"]]);
    }
}
