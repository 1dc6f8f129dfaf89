//! Pods with the hash label, of which only the metadata is asked for.

use super::row::{Demand, Extent, KindRow, Labels};
use crate::content::{Content, Pod};
use crate::entry::Entry;
use crate::object::RawObject;

/// How Pods are watched.
pub(super) const ROW: KindRow = KindRow {
    demand: Demand::Always,
    extent: Extent::Metadata,
    labels: Labels::Hash,
    prune,
    differs,
    is_primary: false,
};

fn prune(wire: &mut RawObject) -> Entry {
    wire.slim();
    let pod = Pod::of(wire);
    Entry::new(wire, Content::Pod(Box::new(pod)))
}

fn differs(now: &Entry, before: &Entry) -> bool {
    now.id.uid != before.id.uid
        || now.owner != before.owner
        || now.deleting != before.deleting
        || now.pod() != before.pod()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pod_that_only_reports_its_health_does_not_differ() {
        let pod = |version: &str, label: &str| {
            let wire = json!({"metadata": {"name": "p", "uid": "u", "resourceVersion": version, "labels": {"l": label}}});
            prune(&mut serde_json::from_value(wire).expect("a pod"))
        };
        assert!(!differs(&pod("2", "a"), &pod("1", "a")));
        assert!(differs(&pod("2", "b"), &pod("1", "a")));
    }
}
