//! Experiments.

use super::row::{KindRow, named, whole};
use crate::entry::Entry;
use crate::object::RawObject;
use serin_core::domain::plan::ObjectKind;

/// How Experiments are watched. Nothing decides on them yet, so that they are watched only while they are named.
pub(super) const ROW: KindRow = named(prune);

fn prune(wire: &mut RawObject) -> Entry {
    whole(ObjectKind::Experiment, wire)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_experiment_keeps_how_far_it_is() {
        let metadata = json!({"name": "trial", "namespace": "shop"});
        let wire = json!({"metadata": metadata, "spec": {"templates": []}, "status": {"phase": "Running"}});
        let kept = prune(&mut serde_json::from_value(wire).expect("an object")).json().expect("JSON");
        assert_eq!(kept["status"]["phase"], "Running");
    }
}
