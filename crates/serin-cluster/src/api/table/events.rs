//! The row of an event, in its stored form.

use jiff::Timestamp;
use serde_json::Value;

use super::column::{BuiltIn, NAME, text as column, wide};
use super::format::{name, number, text};
use serin_kubernetes::age;

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

fn cells(event: &Value, now: Timestamp) -> Vec<Value> {
    let object = &event["involvedObject"];
    let kind = text(&object["kind"]).to_lowercase();
    let target = match text(&object["name"]) {
        "" => kind,
        name => format!("{kind}/{name}"),
    };
    let seen = |field: &str| {
        let time = &event[field];
        age::since(if time.is_null() { &event["eventTime"] } else { time }, now)
    };
    let series = &event["series"];
    let (last, count) = if series.is_null() {
        (seen("lastTimestamp"), number(&event["count"]).max(1))
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
        text(&event["message"]).trim().into(),
        seen("firstTimestamp").into(),
        count.into(),
        name(event),
    ]
}

/// Who reported it, and from where.
fn source(event: &Value) -> String {
    let source = &event["source"];
    let or = |own: &Value, reported: &Value| match text(own) {
        "" => text(reported).to_owned(),
        own => own.to_owned(),
    };
    let component = or(&source["component"], &event["reportingComponent"]);
    let instance = or(&source["host"], &event["reportingInstance"]);
    if instance.is_empty() { component } else { format!("{component}, {instance}") }
}
