//! The pods of a ReplicaSet.

use super::super::pods::PODS;
use crate::view::{Object, View};

/// The resource of ReplicaSets.
pub(in crate::actors) const REPLICA_SETS: &str = "replicasets.apps";

/// The pods that `set` controls.
pub(super) fn controlled<'a>(view: &'a View, set: &'a Object) -> impl Iterator<Item = &'a Object> {
    let dependents = view.dependents(set.uid()).filter(|(place, _)| &*place.resource == PODS);
    dependents.map(|(_, pod)| pod).filter(|pod| pod.controller().is_some_and(|owner| owner.uid == set.uid()))
}
