//! Tables of fields and their checks, and the checks that several tables share.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::super::error::{Findings, Path};
use super::super::names::{self, Verdict};

/// Looks at one field; `None` where it is absent, null or a blank string (which the API server fills in).
pub(super) type Check = fn(Option<&Value>, &Path, &mut Findings);

/// Applies `table` to the fields of `value`. A name in the table is a path with dots.
pub(super) fn run(table: &[(&str, Check)], value: &Value, path: &Path, found: &mut Findings) {
    for (name, check) in table {
        let field = name.split('.').try_fold(value, |value, part| value.get(part));
        let is_set = |field: &&Value| !field.is_null() && field.as_str() != Some("");
        check(field.filter(is_set), &path.field(name), found);
    }
}

/// Applies `table` to each item of `list`.
pub(super) fn each(list: Option<&Value>, path: &Path, found: &mut Findings, table: &[(&str, Check)]) {
    for (index, item) in items(list).enumerate() {
        run(table, item, &path.index(index), found);
    }
}

pub(super) fn items(list: Option<&Value>) -> impl Iterator<Item = &Value> {
    list.and_then(Value::as_array).into_iter().flatten()
}

pub(super) fn entries(map: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    map.and_then(Value::as_object).into_iter().flat_map(Map::iter)
}

pub(super) fn one_of(value: Option<&Value>, path: &Path, found: &mut Findings, allowed: &[&str]) {
    if let Some(value) = value
        && !value.as_str().is_some_and(|text| allowed.contains(&text))
    {
        found.invalid(path, value.clone(), format!("must be one of {}", allowed.join(", ")));
    }
}

pub(super) fn in_range(
    value: &Value,
    range: std::ops::RangeInclusive<i64>,
    path: &Path,
    found: &mut Findings,
) {
    if !value.as_i64().is_some_and(|number| range.contains(&number)) {
        let problem = format!("must be between {} and {}, inclusive", range.start(), range.end());
        found.invalid(path, value.clone(), problem);
    }
}

pub(super) fn formed(value: &Value, form: fn(&str) -> Verdict, path: &Path, found: &mut Findings) {
    if let Err(problem) = form(value.as_str().unwrap_or_default()) {
        found.invalid(path, value.clone(), problem);
    }
}

pub(super) fn subdomain(value: Option<&Value>, path: &Path, found: &mut Findings) {
    if let Some(value) = value {
        formed(value, names::dns_subdomain, path, found);
    }
}

pub(super) fn label_name(value: Option<&Value>, path: &Path, found: &mut Findings) {
    if let Some(value) = value {
        formed(value, names::dns_label, path, found);
    }
}

/// Checks labels.
pub(in crate::rollout::validate) fn labels(value: Option<&Value>, path: &Path, found: &mut Findings) {
    for (key, value) in entries(value) {
        formed(&Value::from(key.as_str()), names::qualified_name, path, found);
        if is_text(key, value, path, found)
            && let Err(problem) = names::label_value(value.as_str().unwrap_or_default())
        {
            found.invalid(path, value.clone(), format!("the value of {key} {problem}"));
        }
    }
}

/// Checks annotations. Their keys are compared without regard to case.
pub(in crate::rollout::validate) fn annotation_keys(
    value: Option<&Value>,
    path: &Path,
    found: &mut Findings,
) {
    for (key, value) in entries(value) {
        if let Err(problem) = names::qualified_name(&key.to_lowercase()) {
            found.invalid(path, key.as_str(), problem);
        }
        is_text(key, value, path, found);
    }
}

fn is_text(key: &str, value: &Value, path: &Path, found: &mut Findings) -> bool {
    if !value.is_string() {
        found.invalid_but(
            path,
            value.clone(),
            format!("the value of {key} must be a string"),
            "put it in quotes",
        );
    }
    value.is_string()
}

pub(super) fn names_differ(list: Option<&Value>, field: &str, path: &Path, found: &mut Findings) {
    let mut seen = BTreeSet::new();
    for (index, item) in items(list).enumerate() {
        let name = item.get(field).and_then(Value::as_str).unwrap_or_default();
        if !name.is_empty() && !seen.insert(name) {
            let problem = "is used more than once";
            found.invalid_but(&path.index(index).field(field), name, problem, "give each its own");
        }
    }
}
