//! Fields of objects as JSON, where absent ones count as empty.

use serde_json::Value;

/// The items of a list; none where it is absent.
#[must_use]
pub fn items(list: &Value) -> &[Value] {
    list.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// A text; empty where it is absent.
#[must_use]
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A whole number; 0 where it is absent.
#[must_use]
pub fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or_default()
}

/// The condition of that type.
#[must_use]
pub fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    items(&object["status"]["conditions"]).iter().find(|condition| condition["type"] == kind)
}

/// Whether the condition of that type is `True`.
#[must_use]
pub fn holds(object: &Value, kind: &str) -> bool {
    condition(object, kind).is_some_and(|condition| condition["status"] == "True")
}
