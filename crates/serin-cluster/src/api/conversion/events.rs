//! Events: one storage, seen as core events and as events of `events.k8s.io`.

use serde_json::Value;

use super::super::store::object::{members, remove};

/// Names of the same field: in the core, and in `events.k8s.io`.
const NAMES: [(&str, &str); 7] = [
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
    ("reportingComponent", "reportingController"),
];

/// An event of `events.k8s.io` as the core has it.
pub(super) fn to_core(mut event: Value) -> Value {
    for (core, new) in NAMES {
        rename(&mut event, new, core);
    }
    event
}

/// A stored event as `events.k8s.io` shows it.
pub(super) fn to_new(stored: &Value) -> Value {
    let mut event = stored.clone();
    for (core, new) in NAMES {
        rename(&mut event, core, new);
    }
    for omitted in ["reportingController", "reportingInstance"] {
        if event[omitted] == "" {
            remove(&mut event, &[omitted]);
        }
    }
    event
}

fn rename(event: &mut Value, from: &str, to: &str) {
    if let Some(value) = members(event).remove(from) {
        members(event).insert(to.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_views_show_the_same_event() {
        let sent = json!({"regarding": {"name": "p"}, "note": "m", "reportingController": "c", "deprecatedCount": 2});
        let stored = to_core(sent.clone());
        let expected =
            json!({"involvedObject": {"name": "p"}, "message": "m", "reportingComponent": "c", "count": 2});
        assert_eq!(stored, expected);
        assert_eq!(to_new(&stored), sent);
    }
}
