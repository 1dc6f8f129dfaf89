//! What server-side apply says of values that their field cannot hold.

use serde_json::Value;

use super::lists::Lists;
use super::shown;

/// A field that a kind does not have.
pub(super) fn undeclared(path: &str) -> String {
    format!("{path}: field not declared in schema")
}

/// Something else than a number.
pub(super) fn no_number(path: &str, value: &Value) -> String {
    unfit(path, "numeric (int or float)", shown::type_name(value))
}

/// Something else than a text.
pub(super) fn no_text(path: &str, value: &Value) -> String {
    unfit(path, "string", &format!("&value.valueUnstructured{{Value:{}}}", shown::source(value)))
}

/// Something else than a `boolean`, a `list` or a `map`.
pub(super) fn no(wanted: &str, path: &str, value: &Value) -> String {
    unfit(path, wanted, &format!("&{{{}}}", shown::plain(value)))
}

fn unfit(path: &str, wanted: &str, found: &str) -> String {
    format!("{path}: expected {wanted}, got {found}")
}

/// Where an item of the list at `names` stands: `[name="a"]`, or `[0]` where it has no keys.
pub(super) fn place(
    lists: &dyn Lists,
    names: &[&str],
    keys: &[String],
    index: usize,
    item: &Value,
) -> String {
    let value = |key: &String| item.get(key).cloned().or_else(|| lists.key_default(names, key));
    let keys: Vec<String> =
        keys.iter().filter_map(|key| value(key).map(|value| format!("{key}={value}"))).collect();
    if keys.is_empty() { format!("[{index}]") } else { format!("[{}]", keys.join(",")) }
}
