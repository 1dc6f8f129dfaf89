//! Amounts of resources: `resources`, `sizeLimit`, `divisor`, `overhead`.

use serde_json::Value;

use super::super::error::{Findings, Path};
use super::super::names;
use super::table::entries;
use serin_values::quantity::Quantity;

/// What a container may ask for by a name without a prefix; huge pages have the size in the name.
const PLAIN_RESOURCES: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];

/// Endings that people write, and the suffixes that they may mean.
const MISTAKEN: &[(&str, &[&str])] = &[
    ("mm", &["m"]),
    ("mcpu", &["m"]),
    ("cpu", &[""]),
    ("b", &[""]),
    ("g", &["Gi", "G"]),
    ("t", &["Ti", "T"]),
    ("kb", &["Ki", "k"]),
    ("mb", &["Mi", "M"]),
    ("gb", &["Gi", "G"]),
    ("tb", &["Ti", "T"]),
    ("ki", &["Ki"]),
    ("mi", &["Mi"]),
    ("gi", &["Gi"]),
    ("ti", &["Ti"]),
    ("kib", &["Ki"]),
    ("mib", &["Mi"]),
    ("gib", &["Gi"]),
    ("tib", &["Ti"]),
    ("k", &["Ki", "k"]),
];

/// Checks the `resources` of a container.
pub(super) fn of_container(value: Option<&Value>, path: &Path, found: &mut Findings) {
    for kind in ["limits", "requests"] {
        for (name, amount) in entries(value.and_then(|value| value.get(kind))) {
            let path = path.field(kind);
            resource_name(name, &path, found);
            check(Some(amount), &path.field(name), found);
        }
    }
    requests_within_limits(value, path, found);
}

/// Checks the `resources` of a pod or a volume claim.
pub(super) fn of_anything(value: Option<&Value>, path: &Path, found: &mut Findings) {
    for kind in ["limits", "requests"] {
        each(value.and_then(|value| value.get(kind)), &path.field(kind), found);
    }
}

/// Checks a map from names of resources to amounts.
pub(super) fn each(value: Option<&Value>, path: &Path, found: &mut Findings) {
    for (name, amount) in entries(value) {
        check(Some(amount), &path.field(name), found);
    }
}

/// Checks one amount. The API server takes null for 0.
pub(super) fn check(value: Option<&Value>, path: &Path, found: &mut Findings) {
    let Some(value) = value.filter(|value| !value.is_null()) else { return };
    match read(value) {
        None => found.invalid_but(
            path,
            value.clone(),
            "must be a number, which may end in m, k, M, G, T, P, E, Ki, Mi, Gi, Ti, Pi or Ei",
            value.as_str().and_then(meant).unwrap_or_else(|| "write for example 500m, 2 or 128Mi".to_owned()),
        ),
        Some(amount) if Quantity::parse("0").is_some_and(|zero| amount < zero) => {
            found.invalid(path, value.clone(), "must be 0 or more");
        }
        Some(_) => {}
    }
}

fn read(value: &Value) -> Option<Quantity> {
    match value {
        Value::String(text) => Quantity::parse(text),
        Value::Number(number) => Quantity::parse(&number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// What the author of a malformed amount may have meant.
fn meant(text: &str) -> Option<String> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, ending) = text.split_at(end);
    let ending = ending.trim().to_ascii_lowercase();
    let (_, suffixes) = MISTAKEN.iter().find(|(mistaken, _)| *mistaken == ending)?;
    let amounts = suffixes.iter().map(|suffix| format!("{number}{suffix}"));
    let amounts: Vec<String> = amounts.filter(|amount| Quantity::parse(amount).is_some()).collect();
    (!amounts.is_empty()).then(|| format!("write {}", amounts.join(" or ")))
}

fn resource_name(name: &str, path: &Path, found: &mut Findings) {
    if let Err(problem) = names::qualified_name(name) {
        found.invalid(path, name, problem);
    } else if !name.contains('/') && !name.starts_with("hugepages-") && !PLAIN_RESOURCES.contains(&name) {
        found.invalid_but(
            path,
            name,
            "is not a resource of Kubernetes, which are cpu, memory and ephemeral-storage",
            "others have a prefix, such as nvidia.com/gpu",
        );
    }
}

fn requests_within_limits(value: Option<&Value>, path: &Path, found: &mut Findings) {
    let of = |kind: &str| value.and_then(|value| value.get(kind));
    for (name, amount) in entries(of("requests")) {
        let limit = of("limits").and_then(|limits| limits.get(name)).filter(|limit| !limit.is_null());
        let (Some(limit), Some(amount_read)) = (limit, read(amount)) else { continue };
        if read(limit).is_some_and(|limit| limit < amount_read) {
            let limit = limit.as_str().map_or_else(|| limit.to_string(), ToOwned::to_owned);
            let problem = format!("must not be more than limits.{name}, which is {limit}");
            found.invalid_but(
                &path.field("requests").field(name),
                amount.clone(),
                problem,
                "lower it or raise the limit",
            );
        }
    }
}
