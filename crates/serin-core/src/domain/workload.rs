//! The workloads that the template of a Rollout may come from (`spec.workloadRef`).

use super::kind::ObjectKind;
use crate::api::rollout::WorkloadRef;

/// The kinds that a template may come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WorkloadKind {
    /// `apps/v1` Deployment.
    Deployment,
    /// `apps/v1` ReplicaSet.
    ReplicaSet,
    /// `v1` PodTemplate.
    PodTemplate,
}

impl WorkloadKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Deployment, Self::ReplicaSet, Self::PodTemplate];

    /// The kind that `reference` asks for; `None` for one that no template may come from.
    #[must_use]
    pub fn of(reference: &WorkloadRef) -> Option<Self> {
        let asked = (reference.api_version.as_deref()?, reference.kind.as_deref()?);
        Self::ALL.into_iter().find(|kind| (kind.api_version(), kind.as_str()) == asked)
    }

    /// The kind of objects as which its workloads are observed.
    #[must_use]
    pub const fn observed(self) -> ObjectKind {
        match self {
            Self::Deployment => ObjectKind::Deployment,
            Self::ReplicaSet => ObjectKind::WorkloadReplicaSet,
            Self::PodTemplate => ObjectKind::PodTemplate,
        }
    }

    /// The kind of workloads that is observed as `kind`, if that is one.
    #[must_use]
    pub fn observed_as(kind: ObjectKind) -> Option<Self> {
        Self::ALL.into_iter().find(|workload| workload.observed() == kind)
    }

    /// `kind`, as manifests have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::ReplicaSet => "ReplicaSet",
            Self::PodTemplate => "PodTemplate",
        }
    }

    /// `apiVersion`, as manifests have it.
    const fn api_version(self) -> &'static str {
        match self {
            Self::Deployment | Self::ReplicaSet => "apps/v1",
            Self::PodTemplate => "v1",
        }
    }
}

/// A workload in the namespace of a Rollout.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WorkloadName {
    /// Its kind.
    pub kind: WorkloadKind,
    /// `metadata.name`.
    pub name: String,
}

impl WorkloadName {
    /// The workload that `reference` names, if a template may come from there.
    #[must_use]
    pub fn of(reference: &WorkloadRef) -> Option<Self> {
        Some(Self { kind: WorkloadKind::of(reference)?, name: reference.name.clone()? })
    }
}

/// When the pods of a Deployment go whose template the Rollout runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScaleDown {
    /// Not at all.
    Never,
    /// All at once, when the Rollout is healthy.
    OnSuccess,
    /// One for each available pod of the Rollout.
    Progressively,
}

impl ScaleDown {
    /// What `reference` asks for; never if it does not say, `None` for a word that means nothing.
    #[must_use]
    pub fn of(reference: &WorkloadRef) -> Option<Self> {
        match reference.scale_down.as_deref() {
            None | Some("never") => Some(Self::Never),
            Some("onsuccess") => Some(Self::OnSuccess),
            Some("progressively") => Some(Self::Progressively),
            Some(_) => None,
        }
    }
}
