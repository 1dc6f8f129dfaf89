//! Line-based difference of two pod templates.

use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use super::super::failure::Failure;
use super::super::output::yaml;
use super::super::view::{Colour, Text};
use serin_core::domain::template::{EphemeralMetadata, templates_equal};

/// The number of unchanged lines around each change.
const AROUND: usize = 3;

/// The changed lines of YAML: removed ones start with `-`, new ones with `+`. Ignores fields that only one template
/// has and that equal the default, because stored templates contain all defaults.
pub(super) fn difference(from: &Value, to: &Value, is_coloured: bool) -> Result<String, Failure> {
    let (from, to) = (yaml(&lean(from, to))?, yaml(&lean(to, from))?);
    let diff = TextDiff::from_lines(&from, &to);
    let mut lines = String::new();
    for (index, group) in diff.grouped_ops(AROUND).iter().enumerate() {
        if index > 0 {
            lines += "  ...\n";
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let (sign, colour) = match change.tag() {
                ChangeTag::Delete => ("- ", Some(Colour::Red)),
                ChangeTag::Insert => ("+ ", Some(Colour::Green)),
                ChangeTag::Equal => ("  ", None),
            };
            let line = format!("{sign}{}", change.value().trim_end_matches('\n'));
            lines += &Text::default().with(line, colour).shown(is_coloured);
            lines.push('\n');
        }
    }
    Ok(lines)
}

/// A template without default values that the other one does not have.
fn lean(template: &Value, other: &Value) -> Value {
    let mut lean = template.clone();
    let mut only_here = Vec::new();
    collect_only_here(template, other, "", &mut only_here);
    for (parent, field) in only_here {
        let mut shorter = lean.clone();
        let object = shorter.pointer_mut(&parent).and_then(Value::as_object_mut);
        if object.is_some_and(|object| object.remove(&field).is_some())
            && templates_equal(&shorter, template, &EphemeralMetadata::default())
        {
            lean = shorter;
        }
    }
    lean
}

/// The fields that only `value` has: pointers to their parents, with field names.
fn collect_only_here(value: &Value, other: &Value, at: &str, found: &mut Vec<(String, String)>) {
    match (value, other) {
        (Value::Object(fields), Value::Object(others)) => {
            for (field, value) in fields {
                let inside = format!("{at}/{}", field.replace('~', "~0").replace('/', "~1"));
                match others.get(field) {
                    Some(other) => collect_only_here(value, other, &inside, found),
                    None => found.push((at.to_owned(), field.clone())),
                }
            }
        }
        (Value::Array(items), Value::Array(others)) => {
            for (index, (item, other)) in items.iter().zip(others).enumerate() {
                collect_only_here(item, other, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn template(image: &str) -> Value {
        json!({"metadata": {"labels": {"app": "cart"}}, "spec": {"containers": [{"name": "web", "image": image}]}})
    }

    #[test]
    fn changed_lines_are_shown_among_their_neighbours() {
        let to = template("cart:2");
        let lines = "      app: cart\n  spec:\n    containers:\n-   - image: cart:1\n+   - image: cart:2\n      name: web\n";
        assert_eq!(difference(&template("cart:1"), &to, false).unwrap(), lines);
        let coloured = difference(&template("cart:1"), &to, true).unwrap();
        assert!(
            coloured.contains("\x1b[31m-   - image: cart:1\x1b[0m\n\x1b[32m+   - image: cart:2\x1b[0m\n")
        );
    }

    #[test]
    fn what_means_the_same_is_no_difference() {
        let mut stored = template("cart:1");
        stored["spec"]["restartPolicy"] = "Always".into();
        stored["spec"]["containers"][0]["imagePullPolicy"] = "IfNotPresent".into();
        assert_eq!(difference(&template("cart:1"), &stored, false).unwrap(), "");
        stored["spec"]["containers"][0]["imagePullPolicy"] = "Always".into();
        let lines = difference(&template("cart:1"), &stored, false).unwrap();
        assert!(
            lines.contains("+     imagePullPolicy: Always\n") && !lines.contains("restartPolicy"),
            "{lines}"
        );
    }
}
