//! Fields of a Rollout as values of arguments.

use serde_json::{Map, Value};

use serin_values::go_text::{float, quoted};

/// The value of the field `path` of `rollout`, a whole object.
///
/// A path that starts with `metadata` has the form of the downward API: `metadata.name`, `metadata.labels['KEY']`
/// (empty if there is no such label), or `metadata.labels` for all of them. Every other path leads through the object,
/// such as `spec.template.spec.containers[0].image`.
///
/// # Errors
///
/// Why there is no such value, in the words of the reference.
pub(super) fn value_of(rollout: &Value, path: &str) -> Result<String, String> {
    if path.starts_with("metadata") { of_metadata(rollout, path) } else { of_object(rollout, path) }
}

fn of_metadata(rollout: &Value, path: &str) -> Result<String, String> {
    let map = |name: &str| rollout.get("metadata")?.get(name)?.as_object();
    if let Some((field, key)) = with_key(path) {
        return match field {
            "metadata.labels" => Ok(entry(map("labels"), key)),
            "metadata.annotations" => Ok(entry(map("annotations"), key)),
            other => Err(format!("fieldPath {other:?} does not support subscript")),
        };
    }
    match path {
        "metadata.name" | "metadata.namespace" | "metadata.uid" => {
            let field = path.trim_start_matches("metadata.");
            Ok(entry(rollout.get("metadata").and_then(Value::as_object), field))
        }
        "metadata.labels" => Ok(lines(map("labels"))),
        "metadata.annotations" => Ok(lines(map("annotations"))),
        other => Err(format!("unsupported fieldPath: {other}")),
    }
}

/// Field and key of `FIELD['KEY']`.
fn with_key(path: &str) -> Option<(&str, &str)> {
    path.strip_suffix("']")?.split_once("['")
}

fn entry(map: Option<&Map<String, Value>>, key: &str) -> String {
    map.and_then(|map| map.get(key)?.as_str()).unwrap_or_default().to_owned()
}

/// Entries as `KEY="VALUE"`, one a line, sorted by key.
fn lines(map: Option<&Map<String, Value>>) -> String {
    let entries = map.into_iter().flatten().filter_map(|(key, value)| Some((key, value.as_str()?)));
    let mut lines: Vec<_> = entries.map(|(key, value)| (key, format!("{key}={}", quoted(value)))).collect();
    lines.sort();
    lines.into_iter().map(|(_, line)| line).collect::<Vec<_>>().join("\n")
}

fn of_object(rollout: &Value, path: &str) -> Result<String, String> {
    let invalid = || format!("invalid path {path} in rollout");
    let mut value = rollout;
    for part in path.split(['.', '[', ']']).filter(|part| !part.is_empty()) {
        value = match value {
            Value::Array(items) => {
                let index: i64 = part.parse().map_err(|_| format!("invalid index '{part}'"))?;
                let item = usize::try_from(index).ok().and_then(|index| items.get(index));
                item.ok_or_else(|| format!("index {index} out of range"))?
            }
            Value::Object(fields) => fields.get(part).unwrap_or(&Value::Null),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return Err(invalid()),
        };
    }
    match value {
        Value::Null => Err(invalid()),
        Value::Bool(value) => Ok(value.to_string()),
        // The reference reads every number as a float.
        Value::Number(number) => Ok(number.as_f64().map_or_else(|| number.to_string(), float)),
        Value::String(text) => Ok(text.clone()),
        Value::Array(_) | Value::Object(_) => {
            Err(format!("path {path} in rollout must terminate in a primitive value"))
        }
    }
}
