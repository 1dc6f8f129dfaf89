//! An AnalysisRun as decisions see it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::api::analysis::{AnalysisRunSpec, AnalysisRunStatus};
use crate::domain::effect::KnownEffects;
use crate::domain::object::ObjectKey;
use crate::rollout::snapshot::{Failure, Identity};

/// An AnalysisRun, as far as decisions look at it.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Which one it is.
    pub id: Identity,
    /// `metadata.namespace`.
    pub namespace: String,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// `spec`, or where it cannot be read and why.
    pub spec: Result<AnalysisRunSpec, Unreadable>,
    /// `status`; as if it were new where that cannot be read.
    pub status: AnalysisRunStatus,
    /// What is known of the effects that it asked for.
    pub effects: KnownEffects,
    /// Its Jobs, and others that have the names which its own would have.
    pub jobs: BTreeMap<ObjectKey, Value>,
    /// The last write that was refused.
    pub last_failure: Option<Failure>,
}

/// Why the spec of a run cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Where in the object the problem is, e.g. `spec.metrics[0].count`.
    pub path: String,
    /// What is wrong there.
    pub problem: String,
}

impl Run {
    /// Reads `spec` and `status` of the AnalysisRun with that identity.
    #[must_use]
    pub fn read(id: Identity, namespace: &str, deleting: bool, spec: &Value, status: &Value) -> Self {
        let spec = serde_path_to_error::deserialize(spec).map_err(|error| Unreadable {
            path: format!("spec.{}", error.path()),
            problem: error.into_inner().to_string(),
        });
        let status = serde_json::from_value(status.clone()).unwrap_or_default();
        Self {
            id,
            namespace: namespace.to_owned(),
            deleting,
            spec,
            status,
            effects: KnownEffects::new(),
            jobs: BTreeMap::new(),
            last_failure: None,
        }
    }
}
