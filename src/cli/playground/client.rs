//! Actions of a user of the playground's Rollout.

use std::time::Duration;

use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{ListParams, Patch, PatchParams};
use kube::{Api, Client, ResourceExt};
use serde_json::{Value, json};

use super::error::PlaygroundError;
use serin_clock::sleep;
use serin_core::api::{Rollout, RolloutPhase, RolloutStatus, keys};

/// Polling interval.
const LOOK: Duration = Duration::from_millis(25);
/// Maximum number of polls: 15 s.
const LOOKS: usize = 600;

/// A user of the Rollout `demo` in the namespace `default`.
#[derive(Debug, Clone)]
pub(super) struct User {
    rollouts: Api<Rollout>,
    pods: Api<Pod>,
    replica_sets: Api<ReplicaSet>,
    name: String,
}

impl User {
    pub(super) fn new(client: &Client, namespace: &str, name: &str) -> Self {
        Self {
            rollouts: Api::namespaced(client.clone(), namespace),
            pods: Api::namespaced(client.clone(), namespace),
            replica_sets: Api::namespaced(client.clone(), namespace),
            name: name.to_owned(),
        }
    }

    async fn rollout(&self) -> Result<Rollout, PlaygroundError> {
        Ok(self.rollouts.get(&self.name).await?)
    }

    pub(super) async fn pod_names(&self) -> Result<Vec<String>, PlaygroundError> {
        let pods = self.pods.list(&ListParams::default()).await?.items;
        Ok(pods.into_iter().filter_map(|pod| pod.metadata.name).collect())
    }

    /// Sets the image of the first container.
    pub(super) async fn set_image(&self, image: &str) -> Result<(), PlaygroundError> {
        let mut containers = self
            .rollout()
            .await?
            .spec
            .template
            .as_value()
            .pointer("/spec/containers")
            .cloned()
            .unwrap_or_default();
        containers[0]["image"] = json!(image);
        let patch = json!({"spec": {"template": {"spec": {"containers": containers}}}});
        self.rollouts.patch(&self.name, &PatchParams::default(), &Patch::Merge(&patch)).await?;
        Ok(())
    }

    pub(super) async fn promote(&self) -> Result<(), PlaygroundError> {
        self.patch_status(&json!({"status": {"pauseConditions": null}})).await
    }

    pub(super) async fn abort(&self) -> Result<(), PlaygroundError> {
        self.patch_status(&json!({"status": {"abort": true}})).await
    }

    /// Waits until a ReplicaSet has a scale-down deadline. An earlier rollback to its revision would have to wait.
    pub(super) async fn wait_for_delay(&self) -> Result<(), PlaygroundError> {
        for _ in 0..LOOKS {
            let sets = self.replica_sets.list(&ListParams::default()).await?.items;
            if sets.iter().any(|set| set.annotations().contains_key(keys::SCALE_DOWN_DEADLINE)) {
                return Ok(());
            }
            sleep(LOOK).await;
        }
        Err(PlaygroundError::Story("timed out waiting for the scale-down delay of the old pods".to_owned()))
    }

    async fn patch_status(&self, patch: &Value) -> Result<(), PlaygroundError> {
        self.rollouts.patch_status(&self.name, &PatchParams::default(), &Patch::Merge(patch)).await?;
        Ok(())
    }

    /// Waits until the status for the current spec has that phase, and `is_there` is true.
    pub(super) async fn wait(
        &self,
        phase: RolloutPhase,
        is_there: impl Fn(&RolloutStatus) -> bool,
    ) -> Result<RolloutStatus, PlaygroundError> {
        let mut last = String::new();
        for _ in 0..LOOKS {
            let rollout = self.rollout().await?;
            let generation = rollout.metadata.generation.unwrap_or_default().to_string();
            if let Some(status) = rollout.status {
                let is_fresh = status.observed_generation == Some(generation);
                if is_fresh && status.phase == Some(phase) && is_there(&status) {
                    return Ok(status);
                }
                last = format!("{:?}: {}", status.phase, status.message.unwrap_or_default());
            }
            sleep(LOOK).await;
        }
        Err(PlaygroundError::Story(format!("timed out waiting for {phase:?}; the Rollout is {last}")))
    }
}
