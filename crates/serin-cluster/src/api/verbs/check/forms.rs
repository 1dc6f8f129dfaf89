//! Forms of single values, and what is said of those that are wrong.

use std::net::IpAddr;

use serde_json::Value;

use super::super::super::names::{label_faults, label_value_faults, qualified_name_faults, subdomain_faults};
use super::super::super::status::Cause;
use super::super::super::store::object::{at, items, text};
use super::super::metadata::check_labels;
use super::super::refuse::{not_allowed, required, too_long, unsupported, wrong};

/// A number that may be zero but not less.
pub(super) const NOT_NEGATIVE: &str = "must be greater than or equal to 0";
/// What was set once stays.
pub(super) const IMMUTABLE: &str = "field is immutable";

const PORT_RANGE: &str = "must be between 1 and 65535, inclusive";
const PORT_NAME_MAX: usize = 15;
const PERCENT: &str = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or \
    '93%', regex used for validation is '[0-9]+%')";
const ADDRESS: &str = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";

pub(super) fn not_negative(field: String, number: &Value) -> Option<Cause> {
    number.as_i64().filter(|value| *value < 0).map(|_| wrong(field, number, NOT_NEGATIVE))
}

/// What is the same before and after a change.
pub(super) fn unchanged(path: &[&str], old: &Value, new: &Value) -> Vec<Cause> {
    if at(old, path) == at(new, path) {
        return Vec::new();
    }
    vec![wrong(path.join("."), at(new, path), IMMUTABLE)]
}

/// One of a few words; what is missing is required.
pub(super) fn word(field: &str, object: &Value, name: &str, known: &[&str]) -> Option<Cause> {
    match text(object, &[name]) {
        "" => Some(required(format!("{field}.{name}"), "")),
        word if known.contains(&word) => None,
        word => Some(unsupported(format!("{field}.{name}"), word, known)),
    }
}

pub(super) fn label(field: &str, name: &str) -> Vec<Cause> {
    label_faults(name).into_iter().map(|why| wrong(field, &name.into(), &why)).collect()
}

pub(super) fn subdomain(field: &str, name: &str) -> Vec<Cause> {
    subdomain_faults(name).into_iter().map(|why| wrong(field, &name.into(), &why)).collect()
}

pub(super) fn qualified_name(field: &str, name: &str) -> Vec<Cause> {
    qualified_name_faults(name).into_iter().map(|why| wrong(field, &name.into(), &why)).collect()
}

/// A port by its number; what is no number counts as 0.
pub(super) fn port_number(field: String, port: &Value) -> Option<Cause> {
    let number = port.as_i64().unwrap_or(0);
    (!(1..=65_535).contains(&number)).then(|| wrong(field, &number.into(), PORT_RANGE))
}

/// A port by its number or its name.
pub(super) fn port(field: &str, port: &Value) -> Vec<Cause> {
    match port.as_str() {
        Some(name) => port_name(field, name),
        None => port_number(field.to_owned(), port).into_iter().collect(),
    }
}

pub(super) fn port_name(field: &str, name: &str) -> Vec<Cause> {
    let faults = [
        (name.len() > PORT_NAME_MAX, "must be no more than 15 characters"),
        (
            name.is_empty()
                || !name
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'),
            "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
        ),
        (!name.bytes().any(|byte| byte.is_ascii_lowercase()), "must contain at least one letter (a-z)"),
        (name.contains("--"), "must not contain consecutive hyphens"),
        (name.starts_with('-') || name.ends_with('-'), "must not begin or end with a hyphen"),
    ];
    faults.into_iter().filter(|(is_so, _)| *is_so).map(|(_, why)| wrong(field, &name.into(), why)).collect()
}

/// A number that is not negative, or a percentage.
pub(super) fn count_or_percent(field: &str, value: &Value) -> Vec<Cause> {
    match value {
        Value::String(text) if percent(text).is_none() => vec![wrong(field, value, PERCENT)],
        Value::Null | Value::String(_) => Vec::new(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            not_negative(field.to_owned(), value).into_iter().collect()
        }
    }
}

/// What is more than all.
pub(super) fn at_most_all(field: &str, value: &Value) -> Option<Cause> {
    let percent = value.as_str().and_then(percent)?;
    (percent > 100).then(|| wrong(field, value, "must not be greater than 100%"))
}

fn percent(text: &str) -> Option<u64> {
    let digits = text.strip_suffix('%').filter(|digits| !digits.is_empty())?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().unwrap_or(u64::MAX))
}

/// An address of a machine.
pub(super) fn address(field: &str, text: &str) -> Option<Cause> {
    text.parse::<IpAddr>().is_err().then(|| wrong(field, &text.into(), ADDRESS))
}

/// An address that traffic can be sent to.
pub(super) fn endpoint(field: &str, text: &str) -> Vec<Cause> {
    let Ok(address) = text.parse::<IpAddr>() else { return self::address(field, text).into_iter().collect() };
    let (is_local, is_local_group) = match address {
        IpAddr::V4(address) => (address.is_link_local(), address.octets()[..3] == [224, 0, 0]),
        IpAddr::V6(address) => (address.is_unicast_link_local(), address.segments()[0] == 0xff02),
    };
    let faults = [
        (address.is_unspecified(), format!("may not be unspecified ({text})")),
        (address.is_loopback(), "may not be in the loopback range (127.0.0.0/8, ::1/128)".to_owned()),
        (is_local, "may not be in the link-local range (169.254.0.0/16, fe80::/10)".to_owned()),
        (is_local_group, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)".to_owned()),
    ];
    faults.into_iter().filter(|(is_so, _)| *is_so).map(|(_, why)| wrong(field, &text.into(), &why)).collect()
}

/// A selector of labels.
pub(super) fn selector(field: &str, selector: &Value) -> Vec<Cause> {
    let mut causes = check_labels(&format!("{field}.matchLabels"), at(selector, &["matchLabels"]));
    for (index, requirement) in items(selector, &["matchExpressions"]).iter().enumerate() {
        let here = format!("{field}.matchExpressions[{index}]");
        let values = items(requirement, &["values"]);
        let operator = text(requirement, &["operator"]);
        match operator {
            "In" | "NotIn" if values.is_empty() => {
                let why = "must be specified when `operator` is 'In' or 'NotIn'";
                causes.push(required(format!("{here}.values"), why));
            }
            "Exists" | "DoesNotExist" if !values.is_empty() => {
                let why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
                causes.push(not_allowed(format!("{here}.values"), why));
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            _ => causes.push(wrong(
                format!("{here}.operator"),
                &operator.into(),
                "not a valid selector operator",
            )),
        }
        causes.extend(qualified_name(&format!("{here}.key"), text(requirement, &["key"])));
        for (place, value) in values.iter().enumerate() {
            let faults = label_value_faults(value.as_str().unwrap_or_default());
            causes
                .extend(faults.into_iter().map(|why| wrong(format!("{here}.values[{place}]"), value, &why)));
        }
    }
    causes
}

/// The name of a value in a map that becomes a file or a variable.
pub(super) fn config_key(field: &str, key: &str) -> Vec<Cause> {
    const CHARACTERS: &str = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. \
        'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
    let field = format!("{field}[{key}]");
    let mut causes = Vec::new();
    if key.len() > 253 {
        causes.push(wrong(field.clone(), &key.into(), "must be no more than 253 characters"));
    }
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)) {
        causes.push(wrong(field.clone(), &key.into(), CHARACTERS));
    }
    let path_fault = match key {
        "." => Some("must not be '.'".to_owned()),
        ".." => Some("must not be '..'".to_owned()),
        key if key.starts_with("..") => Some("must not start with '..'".to_owned()),
        _ => None,
    };
    causes.extend(path_fault.map(|why| wrong(field, &key.into(), &why)));
    causes
}

/// What all values of maps may take together.
pub(super) fn total_size(field: &str, bytes: usize) -> Option<Cause> {
    const MOST: usize = 1024 * 1024;
    (bytes > MOST).then(|| too_long(field, MOST))
}
