//! Whether an update goes back to a revision that is known to serve, and may leave out the steps.

use jiff::Timestamp;

use super::snapshot::ReplicaSetView;
use super::valid::{Strategy, ValidRollout};
use super::views::Deadline;
use crate::api::{RolloutStatus, keys};

/// How far an update is a return to an earlier revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rollback {
    /// An ordinary update.
    None,
    /// To an earlier revision, but with all steps.
    Ordinary,
    /// To a revision whose pods still run, or that is stable already: no pause and no step.
    Fast,
    /// To a revision within `rollbackWindow`: no pause and no step.
    WithinWindow,
}

impl Rollback {
    pub(super) fn classify(
        spec: &ValidRollout<'_>,
        status: &RolloutStatus,
        owned: &[&ReplicaSetView],
        new_rs: Option<&ReplicaSetView>,
        stable_rs: Option<&ReplicaSetView>,
        now: Timestamp,
    ) -> Self {
        let (Some(new), Some(stable)) = (new_rs, stable_rs) else { return Self::None };
        let is_stable = status.stable_rs.as_deref() == Some(new.hash());
        if !is_stable && new.created >= stable.created {
            return Self::None;
        }
        // An abort of this very update, by its user or its deadline, is not forgotten because it goes back.
        if status.abort && !is_stable && status.current_pod_hash.as_deref() == Some(new.hash()) {
            return Self::Ordinary;
        }
        if is_within_window(spec, owned, new, stable) {
            return Self::WithinWindow;
        }
        let blue_green = matches!(spec.strategy, Strategy::BlueGreen(_));
        let waiting = matches!(new.deadline(), Deadline::At(deadline) if deadline > now);
        if is_stable || (blue_green && waiting) { Self::Fast } else { Self::Ordinary }
    }

    /// Whether the revision is one of the last few that were stable.
    pub(super) const fn is_within_window(self) -> bool {
        matches!(self, Self::WithinWindow)
    }

    /// Whether steps, pauses and analyses are left out.
    pub(super) const fn is_fast(self) -> bool {
        matches!(self, Self::Fast | Self::WithinWindow)
    }
}

fn is_within_window(
    spec: &ValidRollout<'_>,
    owned: &[&ReplicaSetView],
    new: &ReplicaSetView,
    stable: &ReplicaSetView,
) -> bool {
    let window = spec.rollback_revisions;
    if window <= 0 || new.created >= stable.created {
        return false;
    }
    let between = owned
        .iter()
        .filter(|rs| !rs.annotations.contains_key(keys::EXPERIMENT_NAME))
        .filter(|rs| rs.created > new.created && rs.created < stable.created)
        .count();
    i32::try_from(between).unwrap_or(i32::MAX) < window
}
