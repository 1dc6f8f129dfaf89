//! The next change of sizes on the way from the old ReplicaSets to the new one.

use super::fields::{available, replicas};
use super::limits::{is_recreate, limits};
use super::sight::Sight;
use crate::actors::request::Call;
use crate::view::Object;

/// The size that the new ReplicaSet begins with.
pub(super) fn first_size(sight: &Sight<'_>) -> i64 {
    let wanted = replicas(sight.deployment);
    if is_recreate(sight.deployment) {
        return if sight.total() == 0 { wanted } else { 0 };
    }
    (wanted + limits(sight.deployment).surge - sight.total()).clamp(0, wanted)
}

/// The changes to make now.
pub(super) fn next(sight: &Sight<'_>) -> Vec<Call> {
    if is_recreate(sight.deployment) {
        return recreate(sight);
    }
    let Some(new) = sight.new else { return Vec::new() };
    if let Some(call) = sight.scaled(new, new_size(sight, new)) {
        return vec![call];
    }
    shrink(sight, new)
}

/// All old pods must be gone before the first new one comes.
fn recreate(sight: &Sight<'_>) -> Vec<Call> {
    let shrinking: Vec<Call> = sight.old.iter().filter_map(|set| sight.scaled(set, 0)).collect();
    let is_left = |set: &&Object| set.integer("/status/replicas").unwrap_or(0) > 0;
    if !shrinking.is_empty() || sight.old.iter().any(is_left) {
        return shrinking;
    }
    sight.new.and_then(|new| sight.scaled(new, replicas(sight.deployment))).into_iter().collect()
}

fn new_size(sight: &Sight<'_>, new: &Object) -> i64 {
    let (wanted, present) = (replicas(sight.deployment), replicas(new));
    if present >= wanted {
        return wanted;
    }
    let room = wanted + limits(sight.deployment).surge - sight.total();
    present + room.clamp(0, wanted - present)
}

/// Takes from the old ReplicaSets what availability allows: pods that are not available first, then the oldest.
fn shrink(sight: &Sight<'_>, new: &Object) -> Vec<Call> {
    let least = replicas(sight.deployment) - limits(sight.deployment).unavailable;
    let mut room = sight.total() - least - (replicas(new) - available(new));
    let mut spare = sight.all().map(available).sum::<i64>() - least;
    let mut sizes: Vec<i64> = sight.old.iter().map(|set| replicas(set)).collect();
    for (set, size) in sight.old.iter().zip(&mut sizes) {
        let useless = (replicas(set) - available(set)).min(room).max(0);
        *size -= useless;
        room -= useless;
    }
    for size in &mut sizes {
        let taken = (*size).min(room).min(spare).max(0);
        *size -= taken;
        room -= taken;
        spare -= taken;
    }
    sight.old.iter().zip(sizes).filter_map(|(set, size)| sight.scaled(set, size)).collect()
}
