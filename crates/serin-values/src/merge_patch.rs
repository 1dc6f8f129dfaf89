//! JSON merge patches (RFC 7386): the difference of two objects.

use serde_json::{Map, Value};

/// The merge patch that turns `from` into `to`, or nothing when they are equal.
///
/// A key of `from` that `to` lacks (or has as null, which a merge patch cannot tell apart) becomes null in the
/// patch; lists are replaced whole.
#[must_use]
pub fn merge_patch(from: &Value, to: &Value) -> Option<Value> {
    match (from.as_object(), to.as_object()) {
        (Some(from), Some(to)) => {
            let patch = object_patch(from, to);
            (!patch.is_empty()).then_some(Value::Object(patch))
        }
        (None, Some(to)) => Some(Value::Object(object_patch(&Map::new(), to))),
        (Some(_) | None, None) => (from != to).then(|| to.clone()),
    }
}

fn object_patch(from: &Map<String, Value>, to: &Map<String, Value>) -> Map<String, Value> {
    let is_set = |map: &Map<String, Value>, key: &str| map.get(key).is_some_and(|value| !value.is_null());
    let removed =
        from.keys().filter(|key| is_set(from, key) && !is_set(to, key)).map(|key| (key.clone(), Value::Null));
    let changed = to.iter().filter(|(_, value)| !value.is_null()).filter_map(|(key, value)| {
        merge_patch(from.get(key).unwrap_or(&Value::Null), value).map(|patch| (key.clone(), patch))
    });
    removed.chain(changed).collect()
}

/// `target` with `patch` applied to it.
#[must_use]
pub fn apply_merge_patch(target: &Value, patch: &Value) -> Value {
    let Some(changes) = patch.as_object() else {
        return patch.clone();
    };
    let mut merged = target.as_object().cloned().unwrap_or_default();
    for (key, change) in changes {
        if change.is_null() {
            merged.remove(key);
        } else {
            let old = merged.get(key).unwrap_or(&Value::Null);
            let new = apply_merge_patch(old, change);
            merged.insert(key.clone(), new);
        }
    }
    Value::Object(merged)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn equal_values_need_no_patch() {
        assert_eq!(merge_patch(&json!({"a": [1], "b": {}}), &json!({"a": [1], "b": {}})), None);
        assert_eq!(merge_patch(&json!({"a": null}), &json!({})), None);
        assert_eq!(merge_patch(&json!({}), &json!({"a": null})), None);
    }

    #[test]
    fn only_what_differs_is_in_the_patch() {
        let from = json!({"keep": 1, "drop": 1, "list": [1, 2], "deep": {"same": 1, "old": 1}});
        let to = json!({"keep": 1, "list": [1], "deep": {"same": 1, "new": {"x": null}}});
        let patch = json!({"drop": null, "list": [1], "deep": {"old": null, "new": {}}});
        assert_eq!(merge_patch(&from, &to), Some(patch));
    }

    #[test]
    fn an_object_replaces_a_scalar() {
        assert_eq!(merge_patch(&json!({"a": 1}), &json!({"a": {}})), Some(json!({"a": {}})));
        assert_eq!(merge_patch(&json!({"a": {"b": 1}}), &json!({"a": 1})), Some(json!({"a": 1})));
    }

    fn tree() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            (0..3_i32).prop_map(Value::from),
            prop::collection::vec(0..3_i32, 0..3).prop_map(Value::from),
        ];
        let node = leaf.prop_recursive(3, 16, 4, |inner| {
            prop::collection::btree_map("[abc]", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect()))
        });
        prop::collection::btree_map("[abc]", node, 0..4)
            .prop_map(|map| Value::Object(map.into_iter().collect()))
    }

    proptest! {
        #[test]
        fn applying_the_patch_gives_the_target(from in tree(), to in tree()) {
            let patch = merge_patch(&from, &to).unwrap_or_else(|| json!({}));
            prop_assert_eq!(apply_merge_patch(&from, &patch), to);
        }
    }
}
