//! Parts of cells that several kinds share.

use serde_json::Value;

pub(super) use serin_kubernetes::object::{condition, holds, items, number, text};

/// What is printed where there is nothing.
pub(super) const NONE: &str = "<none>";

/// `text`, or `<none>` where it is empty.
pub(super) fn or_none(text: impl Into<String>) -> String {
    let text = text.into();
    if text.is_empty() { NONE.to_owned() } else { text }
}

/// A number or a text as it is, e.g. of a port or a percentage.
pub(super) fn scalar(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The name of an object.
pub(super) fn name(object: &Value) -> Value {
    object["metadata"]["name"].clone()
}

/// One field of every item, joined by commas.
pub(super) fn joined(list: &Value, field: &str) -> String {
    items(list).iter().map(|item| text(&item[field])).collect::<Vec<_>>().join(",")
}

/// At most `most` entries joined by `separator`, and how many more there are.
pub(super) fn shortened(entries: &[String], most: usize, separator: &str) -> String {
    let shown = entries[..entries.len().min(most)].join(separator);
    match entries.len().saturating_sub(most) {
        0 => shown,
        more => format!("{shown} + {more} more..."),
    }
}

/// A map of labels as `a=b,c=d`.
pub(super) fn labels(map: &Value) -> String {
    let pairs = map.as_object().into_iter().flatten();
    or_none(pairs.map(|(key, value)| format!("{key}={}", text(value))).collect::<Vec<_>>().join(","))
}

/// A label selector in text form.
pub(super) fn selector(selector: &Value) -> String {
    let equal = selector["matchLabels"].as_object().into_iter().flatten();
    let mut parts: Vec<(&str, String)> =
        equal.map(|(key, value)| (key.as_str(), format!("{key}={}", text(value)))).collect();
    for expression in items(&selector["matchExpressions"]) {
        let key = text(&expression["key"]);
        let mut values: Vec<&str> = items(&expression["values"]).iter().map(text).collect();
        values.sort_unstable();
        let values = values.join(",");
        parts.push((
            key,
            match text(&expression["operator"]) {
                "In" => format!("{key} in ({values})"),
                "NotIn" => format!("{key} notin ({values})"),
                "Exists" => key.to_owned(),
                _ => format!("!{key}"),
            },
        ));
    }
    parts.sort();
    or_none(parts.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn selectors_are_sorted_by_key() {
        let all = json!({"matchLabels": {"b": "1"}, "matchExpressions": [
            {"key": "c", "operator": "In", "values": ["y", "x"]},
            {"key": "a", "operator": "NotIn", "values": ["z"]},
            {"key": "d", "operator": "Exists"},
            {"key": "e", "operator": "DoesNotExist"},
        ]});
        assert_eq!(selector(&all), "a notin (z),b=1,c in (x,y),d,!e");
        assert_eq!(selector(&json!({})), NONE);
    }

    #[test]
    fn long_lists_say_how_much_is_left_out() {
        let entries = ["a", "b", "c", "d"].map(str::to_owned);
        assert_eq!(shortened(&entries, 3, ","), "a,b,c + 1 more...");
        assert_eq!(shortened(&entries[..3], 3, ","), "a,b,c");
    }
}
