//! Events: one storage, seen as core events and as events of `events.k8s.io`.

use serde_json::{Value, json};

use super::super::store::Resource;
use super::super::store::object::{fill, members, remove, set};

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

/// An event as it is stored: as the core has it, with the fields that it always shows.
pub(super) fn to_stored(resource: &Resource, mut event: Value) -> Value {
    if resource.group == "events.k8s.io" {
        for (core, new) in NAMES {
            rename(&mut event, new, core);
        }
    }
    fill(&mut event, &["involvedObject"], json!({}));
    fill(&mut event, &["source"], json!({}));
    for shown in ["firstTimestamp", "lastTimestamp", "eventTime"] {
        members(&mut event).entry(shown).or_insert(Value::Null);
    }
    for shown in ["reportingComponent", "reportingInstance"] {
        fill(&mut event, &[shown], "");
    }
    micro_time(&mut event);
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

/// `eventTime` has six digits of a second.
fn micro_time(event: &mut Value) {
    let time = event["eventTime"].as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok());
    if let Some(time) = time {
        set(event, &["eventTime"], time.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string().into());
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::store::Registry;
    use super::*;

    #[test]
    fn both_views_show_the_same_event() {
        let registry = Registry::built_in();
        let new = registry.find("events.k8s.io", "v1", "events").expect("events");
        let sent = json!({"regarding": {"name": "p"}, "note": "m", "reportingController": "c",
            "eventTime": "2026-01-01T00:00:00Z"});
        let stored = to_stored(&new, sent);
        assert_eq!(
            stored,
            json!({"involvedObject": {"name": "p"}, "message": "m", "reportingComponent": "c",
                "reportingInstance": "", "eventTime": "2026-01-01T00:00:00.000000Z", "source": {},
                "firstTimestamp": null, "lastTimestamp": null})
        );
        assert_eq!(
            to_new(&stored),
            json!({"regarding": {"name": "p"}, "note": "m", "reportingController": "c",
                "eventTime": "2026-01-01T00:00:00.000000Z", "deprecatedSource": {},
                "deprecatedFirstTimestamp": null, "deprecatedLastTimestamp": null})
        );
    }
}
