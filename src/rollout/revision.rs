//! Revisions: the hash of a template, and the ReplicaSet that runs it.

use super::snapshot::ReplicaSetView;
use crate::api::{Rollout, RolloutStatus};
use crate::domain::{hash, template};

/// Whether a ReplicaSet of the snapshot is one of the Rollout's: its own, or an orphan that can be adopted. One without
/// a hash is of no revision.
pub(super) fn belongs(rollout: &Rollout, rs: &ReplicaSetView) -> bool {
    let may_be = rs.owned || (!rs.deleting && rollout.metadata.deletion_timestamp.is_none());
    may_be && !rs.hash().is_empty()
}

/// The hash of the current template.
pub(super) fn hash(rollout: &Rollout, status: &RolloutStatus) -> String {
    hash::pod_template_hash(rollout.spec.template.as_value(), status.collision_count)
}

/// The ReplicaSet of the current template.
///
/// A ReplicaSet keeps the hash that it was made with: libraries and algorithms change, and a hash that differs
/// is no reason to replace running pods. So after today's hash come the one of older releases of the reference,
/// the record in a status that is current (`is_observed`), and last the template itself.
pub(super) fn find_new<'a>(
    rollout: &Rollout,
    status: &RolloutStatus,
    is_observed: bool,
    owned: &[&'a ReplicaSetView],
) -> Option<&'a ReplicaSetView> {
    let desired = rollout.spec.template.as_value();
    let labelled = |hash: &str| owned.iter().copied().find(|rs| rs.hash() == hash);
    labelled(&hash(rollout, status))
        .or_else(|| labelled(&hash::pod_template_hash_legacy_null_timestamp(desired, status.collision_count)))
        .or_else(|| is_observed.then(|| labelled(status.current_pod_hash.as_deref()?)).flatten())
        .or_else(|| {
            owned.iter().copied().find(|rs| template::templates_equal(&rs.template, desired, &rs.injected()))
        })
}
