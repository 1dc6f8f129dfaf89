//! The fields of `spec.strategy.blueGreen`.

use super::error::{Findings, Path};
use super::limits::{self, not_negative};
use super::{names, roles};
use crate::api::strategy::AntiAffinity;
use crate::api::{BlueGreenStrategy, LabelSelector};

/// Checks a blue-green strategy of a Rollout with that selector; `history` is the number of old ReplicaSets that are
/// kept.
pub(super) fn check(
    strategy: &BlueGreenStrategy,
    selector: &LabelSelector,
    history: i32,
    path: &Path,
    found: &mut Findings,
) {
    let active = strategy.active_service.as_str();
    if active == strategy.preview_service.as_deref().unwrap_or_default() {
        let path = path.field("activeService");
        if active.is_empty() {
            found.required(&path, "name the Service that carries the users' traffic");
        } else {
            let problem = "is also the previewService";
            found.invalid_but(&path, active, problem, "use two Services, or leave previewService out");
        }
    }
    names::check_service(Some(active), &path.field("activeService"), found);
    names::check_service(strategy.preview_service.as_deref(), &path.field("previewService"), found);
    if let Some(limit) = strategy.scale_down_delay_revision_limit.filter(|limit| *limit > history) {
        found.invalid(
            &path.field("scaleDownDelayRevisionLimit"),
            limit,
            format!("must not be greater than spec.revisionHistoryLimit, which is {history}"),
        );
    }
    // The reference takes a negative count as it is, and asks for fewer than no pods.
    not_negative(strategy.preview_replica_count, &path.field("previewReplicaCount"), found);
    limits::check(strategy.max_unavailable.as_ref(), &path.field("maxUnavailable"), found);
    roles::check(strategy.preview_metadata.as_ref(), selector, &path.field("previewMetadata"), found);
    roles::check(strategy.active_metadata.as_ref(), selector, &path.field("activeMetadata"), found);
    check_anti_affinity(strategy.anti_affinity.as_ref(), path, found);
}

/// Checks `antiAffinity` below `path`; both strategies have it.
pub(super) fn check_anti_affinity(affinity: Option<&AntiAffinity>, path: &Path, found: &mut Findings) {
    let Some(affinity) = affinity else { return };
    let path = path.field("antiAffinity");
    let preferred = affinity.preferred_during_scheduling_ignored_during_execution.as_ref();
    let required = affinity.required_during_scheduling_ignored_during_execution.as_ref();
    if preferred.is_some() == required.is_some() {
        found.invalid(
            &path,
            if required.is_some() { "preferred, required" } else { "{}" },
            "must have exactly one of preferredDuringSchedulingIgnoredDuringExecution and \
             requiredDuringSchedulingIgnoredDuringExecution",
        );
    } else if let Some(preferred) = preferred.filter(|preferred| !(1..=100).contains(&preferred.weight)) {
        let path = path.field("preferredDuringSchedulingIgnoredDuringExecution.weight");
        found.invalid(&path, preferred.weight, "must be between 1 and 100");
    }
}
