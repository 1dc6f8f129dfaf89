//! JSON patches (RFC 6902), as lenient as the API server is.

use serde_json::{Map, Value, json};

use super::super::status::{Reason, Status};
use super::json_kind;

/// `live` with the operations of `patch` applied one after the other.
///
/// Refusals are those of the API server: 400 for something that is no list of operations, and 422 without a word on the
/// operation that cannot be done or the test that does not hold. More is allowed than RFC 6902 says: `replace` of a
/// field that is not there sets it, `copy` from one copies null, a `value` that is missing is null, `test` of a missing
/// field against null holds, and negative indices count from the end.
pub fn json(live: &Value, patch: &Value) -> Result<Value, Status> {
    let Some(operations) = patch.as_array() else {
        return Err(undecodable(patch, "[]handlers.jsonPatchOp"));
    };
    if let Some(other) = operations.iter().find(|operation| !operation.is_object()) {
        return Err(undecodable(other, "handlers.jsonPatchOp"));
    }
    let mut patched = live.clone();
    for operation in operations {
        step(&mut patched, operation).ok_or_else(impossible)?;
    }
    Ok(patched)
}

fn undecodable(value: &Value, target: &str) -> Status {
    let message = format!(
        "error decoding patch: json: cannot unmarshal {} into Go value of type {target}",
        json_kind(value)
    );
    Status::new(Reason::BadRequest, message)
}

fn impossible() -> Status {
    let message = "the server rejected our request due to an error in our request";
    Status::with(Reason::Invalid, message, json!({}))
}

/// Does one operation; nothing where it cannot be done.
fn step(document: &mut Value, operation: &Value) -> Option<()> {
    let text = |key: &str| operation.get(key).and_then(Value::as_str);
    let value = || operation.get("value").cloned().unwrap_or_default();
    let path = text("path")?;
    match text("op")? {
        "add" => Place::find(document, path)?.add(value()),
        "remove" => Place::find(document, path)?.remove().map(|_removed| ()),
        "replace" if path.is_empty() => {
            *document = value();
            (document.is_object() || document.is_array()).then_some(())
        }
        "replace" => Place::find(document, path)?.set(value()),
        "move" => {
            let moved = Place::find(document, text("from")?)?.remove()?;
            Place::find(document, path)?.add(moved)
        }
        "copy" => {
            let copied = Place::find(document, text("from")?)?.get()?.clone();
            Place::find(document, path)?.add(copied)
        }
        "test" if path.is_empty() => (*document == value()).then_some(()),
        "test" => (*Place::find(document, path)?.get()? == value()).then_some(()),
        _ => None,
    }
}

/// A key of a map, or the index of an item of a list.
enum Place<'a> {
    Key(&'a mut Map<String, Value>, String),
    Item(&'a mut Vec<Value>, String),
}

impl<'a> Place<'a> {
    /// The place that `pointer` names; its container has to be there, it itself need not be.
    ///
    /// Whatever stands before the first slash is ignored, as the API server does.
    fn find(document: &'a mut Value, pointer: &str) -> Option<Self> {
        let (_, steps) = pointer.split_once('/')?;
        let (parents, key) = steps.rsplit_once('/').map_or((None, steps), |(all, key)| (Some(all), key));
        let mut container = document;
        for step in parents.into_iter().flat_map(|all| all.split('/')) {
            container = match Self::of(container, unescape(step))? {
                Self::Key(map, key) => map.get_mut(&key)?,
                Self::Item(items, key) => {
                    let at = index(&key, items.len())?;
                    items.get_mut(at)?
                }
            };
        }
        Self::of(container, unescape(key))
    }

    fn of(container: &'a mut Value, key: String) -> Option<Self> {
        match container {
            Value::Object(map) => Some(Self::Key(map, key)),
            Value::Array(items) => Some(Self::Item(items, key)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        }
    }

    /// What is there: null for a key that is missing, and nothing for an impossible index.
    fn get(&self) -> Option<&Value> {
        match self {
            Self::Key(map, key) => Some(map.get(key).unwrap_or(&Value::Null)),
            Self::Item(items, key) => items.get(index(key, items.len())?),
        }
    }

    fn add(self, value: Value) -> Option<()> {
        match self {
            Self::Key(map, key) => {
                map.insert(key, value);
            }
            Self::Item(items, key) if key == "-" => items.push(value),
            Self::Item(items, key) => {
                let at = index(&key, items.len() + 1)?;
                items.insert(at, value);
            }
        }
        Some(())
    }

    fn set(self, value: Value) -> Option<()> {
        match self {
            Self::Key(map, key) => {
                map.insert(key, value);
            }
            Self::Item(items, key) => {
                let at = index(&key, items.len())?;
                items[at] = value;
            }
        }
        Some(())
    }

    fn remove(self) -> Option<Value> {
        match self {
            Self::Key(map, key) => map.remove(&key),
            Self::Item(items, key) => {
                let at = index(&key, items.len())?;
                Some(items.remove(at))
            }
        }
    }
}

/// An index below `length`; a negative one counts from the end.
fn index(text: &str, length: usize) -> Option<usize> {
    let number: i64 = text.parse().ok()?;
    let length = i64::try_from(length).ok()?;
    let at = if number < 0 { number + length } else { number };
    usize::try_from(at).ok().filter(|_| at < length)
}

fn unescape(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live() -> Value {
        json!({"data": {"x": "1", "a/b": "2"}, "list": ["a", "b"]})
    }

    fn patched(patch: &Value) -> Value {
        json(&live(), patch).unwrap()
    }

    fn refusal(patch: &Value) -> (u16, String) {
        let status = json(&live(), patch).unwrap_err();
        (status.reason.code(), status.message)
    }

    #[test]
    fn each_operation_changes_what_it_names() {
        let added = patched(&json!([{"op": "add", "path": "/data/y", "value": "3"}]));
        assert_eq!(added["data"]["y"], "3");
        let removed = patched(&json!([{"op": "remove", "path": "/data/a~1b"}]));
        assert_eq!(removed["data"], json!({"x": "1"}));
        let replaced = patched(&json!([{"op": "replace", "path": "/list/1", "value": "c"}]));
        assert_eq!(replaced["list"], json!(["a", "c"]));
        let moved = patched(&json!([{"op": "move", "from": "/list/0", "path": "/list/-"}]));
        assert_eq!(moved["list"], json!(["b", "a"]));
        let copied = patched(&json!([{"op": "copy", "from": "/data/x", "path": "/list/0"}]));
        assert_eq!(copied["list"], json!(["1", "a", "b"]));
    }

    #[test]
    fn a_test_that_does_not_hold_refuses_the_whole_patch() {
        let patch = json!([{"op": "add", "path": "/data/y", "value": "3"}, {"op": "test", "path": "/data/x", "value": "2"}]);
        let message = "the server rejected our request due to an error in our request".to_owned();
        assert_eq!(refusal(&patch), (422, message));
        assert_eq!(patched(&json!([{"op": "test", "path": "/data/x", "value": "1"}])), live());
    }

    #[test]
    fn what_cannot_be_done_is_refused() {
        for operation in [
            json!({"op": "remove", "path": "/data/nope"}),
            json!({"op": "add", "path": "/nope/x", "value": 1}),
            json!({"op": "add", "path": "/data/x/y", "value": 1}),
            json!({"op": "add", "path": "/list/3", "value": 1}),
            json!({"op": "add", "path": "/list/x", "value": 1}),
            json!({"op": "replace", "path": "/list/2", "value": 1}),
            json!({"op": "remove", "path": "/list/-3"}),
            json!({"op": "move", "from": "/data/nope", "path": "/data/y"}),
            json!({"op": "move", "path": "/data/y"}),
            json!({"op": "test", "path": "/list/2", "value": null}),
            json!({"op": "replace", "path": "", "value": "scalar"}),
            json!({"op": "remove", "path": ""}),
            json!({"op": "frob", "path": "/data/x"}),
            json!({"op": "add", "value": 1}),
        ] {
            let (code, _) = refusal(&json!([operation.clone()]));
            assert_eq!(code, 422, "{operation}");
        }
    }

    #[test]
    fn the_api_servers_leniencies() {
        assert_eq!(patched(&json!([{"op": "replace", "path": "/data/y", "value": "3"}]))["data"]["y"], "3");
        assert_eq!(
            patched(&json!([{"op": "copy", "from": "/data/no", "path": "/data/y"}]))["data"]["y"],
            Value::Null
        );
        assert_eq!(patched(&json!([{"op": "test", "path": "/data/y", "value": null}])), live());
        assert_eq!(patched(&json!([{"op": "add", "path": "/data/x"}]))["data"]["x"], Value::Null);
        assert_eq!(patched(&json!([{"op": "remove", "path": "/list/-1"}]))["list"], json!(["a"]));
        assert_eq!(patched(&json!([{"op": "add", "path": "data/v", "value": "1"}]))["v"], "1");
    }

    #[test]
    fn a_patch_that_is_no_list_of_operations_is_a_bad_request() {
        let message = "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp";
        assert_eq!(refusal(&json!({"op": "add"})), (400, message.to_owned()));
        let message =
            "error decoding patch: json: cannot unmarshal string into Go value of type handlers.jsonPatchOp";
        assert_eq!(refusal(&json!(["add"])), (400, message.to_owned()));
    }
}
