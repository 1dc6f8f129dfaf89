//! The row of an event, of the core group or of `events.k8s.io`.

use jiff::Timestamp;
use serde_json::Value;

use super::format::{name, number, text};
use super::{BuiltIn, NAME, age, text as column, wide};

pub(super) const EVENTS: BuiltIn = BuiltIn {
    columns: &[
        column("Last Seen").of("core/v1.Event", "lastTimestamp"),
        column("Type").of("core/v1.Event", "type"),
        column("Reason").of("core/v1.Event", "reason"),
        column("Object").of("core/v1.Event", "involvedObject"),
        wide("Subobject").of("core/v1.ObjectReference", "fieldPath"),
        wide("Source").of("core/v1.Event", "source"),
        column("Message").of("core/v1.Event", "message"),
        wide("First Seen").of("core/v1.Event", "firstTimestamp"),
        wide("Count").of("core/v1.Event", "count"),
        NAME.wide(),
    ],
    cells,
};

/// The first of two fields that is there: the two groups name some things differently.
fn either<'a>(event: &'a Value, first: &str, second: &str) -> &'a Value {
    event.get(first).filter(|value| !value.is_null()).unwrap_or(&event[second])
}

fn cells(event: &Value, now: Timestamp) -> Vec<Value> {
    let object = either(event, "involvedObject", "regarding");
    let kind = text(&object["kind"]).to_lowercase();
    let target = match text(&object["name"]) {
        "" => kind,
        name => format!("{kind}/{name}"),
    };
    let seen = |first: &str, second: &str| {
        let time = either(event, first, second);
        age::since(if time.is_null() { &event["eventTime"] } else { time }, now)
    };
    let series = &event["series"];
    let (last, count) = if series.is_null() {
        let count = number(either(event, "count", "deprecatedCount"));
        (seen("lastTimestamp", "deprecatedLastTimestamp"), count.max(1))
    } else {
        (age::since(&series["lastObservedTime"], now), number(&series["count"]))
    };
    vec![
        last.into(),
        event["type"].clone(),
        event["reason"].clone(),
        target.into(),
        text(&object["fieldPath"]).into(),
        source(event).into(),
        text(either(event, "message", "note")).trim().into(),
        seen("firstTimestamp", "deprecatedFirstTimestamp").into(),
        count.into(),
        name(event),
    ]
}

/// Who reported it, and from where.
fn source(event: &Value) -> String {
    let source = either(event, "source", "deprecatedSource");
    let or = |own: &Value, reported: &Value| match text(own) {
        "" => text(reported).to_owned(),
        own => own.to_owned(),
    };
    let component = or(&source["component"], either(event, "reportingComponent", "reportingController"));
    let instance = or(&source["host"], &event["reportingInstance"]);
    if instance.is_empty() { component } else { format!("{component}, {instance}") }
}
