//! What a decision is made on: everything that was observed about one Rollout, at one moment.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use crate::api::keys;
use crate::api::{LabelSelector, PodTemplate, Rollout};
use crate::domain::effect::KnownEffects;
use crate::domain::object::Objects;
use crate::domain::plan::{ObjectKind, Precondition};
use crate::domain::workload::WorkloadKind;

/// Everything that [`decide`](super::decide) may look at.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The Rollout itself.
    pub rollout: Rollout,
    /// Every ReplicaSet of the namespace that carries the hash label and is controlled by this Rollout, or by nobody.
    /// By creation time, then name.
    pub replica_sets: Vec<ReplicaSetView>,
    /// The Services of the namespace that the Rollout names, or that say it manages them, by name; those that do not
    /// exist are absent.
    pub services: BTreeMap<String, ServiceView>,
    /// What the Rollout's routers read and write, and what the Rollout controls of these kinds.
    pub objects: Objects,
    /// The Pods controlled by `replica_sets`, by name. Empty where the Rollout has no ephemeral metadata and is not to
    /// be restarted.
    pub pods: Vec<PodView>,
    /// What `spec.workloadRef` names, or why that is not known. `None` where it names nothing, or nothing that a
    /// template may come from.
    pub workload: Option<Result<WorkloadView, Unresolved>>,
    /// What became of the last attempt to carry out a plan, if the API server refused a part of it.
    pub last_failure: Option<Failure>,
    /// Since when decisions have kept a difference of the status for a later write, if they do.
    pub held_since: Option<Timestamp>,
}

/// What is remembered of the last decision about a primary object, for the next.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Remembered {
    /// See [`Snapshot::last_failure`].
    pub last_failure: Option<Failure>,
    /// See [`Snapshot::held_since`].
    pub held_since: Option<Timestamp>,
    /// The effects that the last plan named, and what came of them.
    pub effects: KnownEffects,
}

/// What identifies an object and its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.resourceVersion`.
    pub resource_version: String,
}

impl Identity {
    /// The identity of a Rollout as it was read.
    #[must_use]
    pub fn of(rollout: &Rollout) -> Self {
        let text = |field: &Option<String>| field.clone().unwrap_or_default();
        Self {
            name: text(&rollout.metadata.name),
            uid: text(&rollout.metadata.uid),
            resource_version: text(&rollout.metadata.resource_version),
        }
    }

    /// The precondition of a write that is decided on this state.
    #[must_use]
    pub fn precondition(&self) -> Precondition {
        Precondition { uid: self.uid.clone(), resource_version: self.resource_version.clone() }
    }
}

/// What decisions read of a ReplicaSet.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplicaSetView {
    /// Which one it is.
    pub id: Identity,
    /// `metadata.creationTimestamp`.
    pub created: Timestamp,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// Whether its controller is this Rollout; else it has none.
    pub owned: bool,
    /// `metadata.labels`.
    pub labels: BTreeMap<String, String>,
    /// `metadata.annotations`.
    pub annotations: BTreeMap<String, String>,
    /// `metadata.ownerReferences`.
    pub owner_references: Vec<Value>,
    /// `metadata.generation`.
    pub generation: i64,
    /// `spec.replicas`; 1 where it is absent.
    pub replicas: i32,
    /// `spec.minReadySeconds`.
    pub min_ready_seconds: i32,
    /// `spec.template`.
    pub template: Value,
    /// `status`.
    pub status: ReplicaSetStatusView,
}

/// What decisions read of a ReplicaSet's status.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReplicaSetStatusView {
    /// `replicas`: pods that exist.
    pub replicas: i32,
    /// `readyReplicas`.
    pub ready: i32,
    /// `availableReplicas`: ready for `minReadySeconds`.
    pub available: i32,
    /// `observedGeneration`.
    pub observed_generation: i64,
    /// The `ReplicaFailure` condition when it is True: why pods cannot be made.
    pub failure: Option<ReplicaFailure>,
}

/// A ReplicaSet's `ReplicaFailure` condition.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplicaFailure {
    /// `reason`.
    pub reason: String,
    /// `message`.
    pub message: String,
    /// `lastTransitionTime`.
    pub since: Timestamp,
}

/// What decisions read of a Service.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceView {
    /// Which one it is.
    pub id: Identity,
    /// `spec.selector`.
    pub selector: BTreeMap<String, String>,
    /// The Rollout that the Service says it is managed by.
    pub managed_by: Option<String>,
}

impl ServiceView {
    /// The pod hash that it selects: pods of one revision only, if there is one.
    #[must_use]
    pub fn selected_hash(&self) -> Option<&str> {
        self.selector.get(keys::POD_HASH_LABEL).map(String::as_str)
    }
}

/// What decisions read of a Pod.
#[derive(Debug, Clone, PartialEq)]
pub struct PodView {
    /// Which one it is.
    pub id: Identity,
    /// `metadata.creationTimestamp`.
    pub created: Timestamp,
    /// The uid of the ReplicaSet that controls it.
    pub owner_uid: String,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// `metadata.labels`.
    pub labels: BTreeMap<String, String>,
    /// `metadata.annotations`.
    pub annotations: BTreeMap<String, String>,
}

/// What decisions read of the workload that a template comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkloadView {
    /// Its kind.
    pub kind: WorkloadKind,
    /// Which one it is.
    pub id: Identity,
    /// `metadata.generation`.
    pub generation: i64,
    /// The pod template.
    pub template: PodTemplate,
    /// `spec.selector`, which a PodTemplate does not have.
    pub selector: Option<LabelSelector>,
    /// `spec.replicas`; 1 where it is absent. Of no meaning for a PodTemplate.
    pub replicas: i32,
}

/// Why the workload that a Rollout names gives no template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unresolved {
    /// It does not exist.
    Absent,
    /// The controller cannot look at objects of that kind; what the API server says about that.
    Unreadable(String),
}

/// A write that the API server refused for a reason that waiting alone does not mend.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// The kind of the object.
    pub kind: ObjectKind,
    /// Its name.
    pub name: String,
    /// What the API server said.
    pub cause: FailureCause,
}

/// Why a write was refused.
#[derive(Debug, Clone, PartialEq)]
pub enum FailureCause {
    /// 409 `AlreadyExists`: an object of that name is there.
    AlreadyExists {
        /// The uid of its controller, if it has one.
        owner_uid: Option<String>,
        /// Its `spec.template`, null where it has none.
        template: Value,
        /// The digest of the template that it was created for, if it says so.
        digest: Option<String>,
        /// Whether it has the hash label, without which it is never observed.
        has_hash: bool,
    },
    /// 403: the controller may not do that.
    Forbidden(String),
    /// 400 or 422: the object is invalid, or an admission webhook or quota refused it.
    Rejected(String),
}
