//! What is kept of a workload that a template may come from.

use serde_json::Value;

use crate::object::{RawObject, integer};
use crate::packed::Packed;
use serin_core::api::{LabelSelector, PodTemplate};
use serin_core::rollout::snapshot::{Identity, WorkloadView};
use serin_core::rollout::workload::WorkloadKind;

/// What is kept of a workload.
#[derive(Debug, Clone, PartialEq)]
pub struct Workload {
    kind: WorkloadKind,
    generation: i64,
    template: Packed<Value>,
    selector: Option<LabelSelector>,
    replicas: i32,
}

impl Workload {
    /// What is kept of `wire`, a workload of `kind`.
    pub(crate) fn of(kind: WorkloadKind, wire: &RawObject) -> Self {
        let template = match kind {
            WorkloadKind::Deployment | WorkloadKind::ReplicaSet => wire.spec.get("template"),
            WorkloadKind::PodTemplate => Some(&wire.template),
        };
        let selector = wire.spec.get("selector").cloned().unwrap_or_default();
        Self {
            kind,
            generation: wire.metadata.generation.unwrap_or_default(),
            template: Packed::new(template.unwrap_or(&Value::Null)),
            selector: serde_json::from_value(selector).unwrap_or_default(),
            replicas: integer(&wire.spec, "replicas").unwrap_or(1),
        }
    }

    /// What decisions read of the workload of that entry.
    #[must_use]
    pub fn view(&self, id: &Identity) -> WorkloadView {
        let template = self.template.get().unwrap_or_default();
        WorkloadView {
            kind: self.kind,
            id: id.clone(),
            generation: self.generation,
            template: serde_json::from_value::<PodTemplate>(template).unwrap_or_default(),
            selector: self.selector.clone(),
            replicas: self.replicas,
        }
    }

    /// `spec.selector`.
    #[must_use]
    pub const fn selector(&self) -> Option<&LabelSelector> {
        self.selector.as_ref()
    }
}
