//! The workload that `spec.workloadRef` names: what the Rollout takes from it.
//!
//! What it gives is filled into a copy of the Rollout for the time of one decision. Writes are patches of single fields, so
//! that nothing of it is ever stored in the Rollout but the workload's generation.

use std::borrow::Cow;

use super::snapshot::{Snapshot, WorkloadView};
use crate::api::Rollout;
pub use crate::domain::workload::{WorkloadKind, WorkloadName};

/// The workload of the snapshot, if the Rollout names one and it is there.
pub(super) fn found(snapshot: &Snapshot) -> Option<&WorkloadView> {
    snapshot.workload.as_ref()?.as_ref().ok()
}

/// The Rollout with the template that it takes from its workload, and with that one's selector if it has none.
#[must_use]
pub fn filled(snapshot: &Snapshot) -> Cow<'_, Rollout> {
    let Some(workload) = found(snapshot) else { return Cow::Borrowed(&snapshot.rollout) };
    Cow::Owned(filled_by(&snapshot.rollout, workload))
}

/// `rollout` with the template of `workload`, and with its selector if it has none.
#[must_use]
pub fn filled_by(rollout: &Rollout, workload: &WorkloadView) -> Rollout {
    let mut rollout = rollout.clone();
    rollout.spec.template = workload.template.clone();
    rollout.spec.selector = rollout.spec.selector.or_else(|| workload.selector.clone());
    rollout
}
