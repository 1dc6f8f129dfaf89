//! What is wrong with an object.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::super::lists::ListType;
use super::super::status::Cause;
use super::Schema;
use super::cause::{NO_FIELD, cause, required};
use super::cel_value::to_cel;
use super::kind::Kind;
use super::node::Node;
use super::rule::Subject;

/// Reasons after which rules are not tried, because they could not rely on the types.
const BLOCKING: [&str; 5] = [
    "FieldValueNotSupported",
    "FieldValueRequired",
    "FieldValueTooLong",
    "FieldValueTooMany",
    "FieldValueTypeInvalid",
];

const STATUS: &str = "status";

const NOT_CHECKED: &str = "Invalid value: null: some validation rules were not checked because the object was invalid; \
                           correct the existing errors to complete validation";

impl Schema {
    /// What is wrong with the form of `new`, worded as the API server does.
    ///
    /// What an update leaves as it was in `old` is not held against it.
    #[must_use]
    pub fn faults(&self, new: &Value, old: Option<&Value>) -> Vec<Cause> {
        let mut causes = Vec::new();
        check(&self.root, new, old, "", &mut causes);
        causes
    }

    /// As [`Schema::faults`], of the status alone: messages take it for the whole.
    #[must_use]
    pub fn faults_of_status(&self, new: &Value, old: &Value) -> Vec<Cause> {
        let mut causes = Vec::new();
        if let (Some(node), Some(status)) = (self.root.field(STATUS), new.get(STATUS)) {
            check(node, status, old.get(STATUS), "", &mut causes);
        }
        for cause in &mut causes {
            let has_field = !cause.field.is_empty() && cause.field != NO_FIELD;
            cause.field = if has_field { below(STATUS, &cause.field) } else { STATUS.to_owned() };
        }
        causes
    }

    /// What is wrong between the parts of `new`: items that are there twice, and rules that do not hold. Rules rely on a
    /// right form: they are not tried where one of `causes` says that it is wrong.
    pub fn check_whole(&self, new: &Value, old: Option<&Value>, causes: &mut Vec<Cause>) {
        let mut twice = Vec::new();
        check_lists(&self.root, new, None, "", &mut twice);
        let was_so = |old: &Value| {
            let mut twice = Vec::new();
            check_lists(&self.root, old, None, "", &mut twice);
            !twice.is_empty()
        };
        if !old.is_some_and(was_so) {
            causes.append(&mut twice);
        }
        if !self.has_rules {
            return;
        }
        if causes.iter().any(|cause| BLOCKING.contains(&cause.reason.as_str())) {
            causes.push(cause("FieldValueInvalid", NO_FIELD, NOT_CHECKED));
        } else {
            check_rules(&self.root, new, old, "", causes);
        }
    }
}

impl Node {
    /// What is wrong with a default.
    pub(super) fn faults_of_default(&self, default: &Value) -> Vec<Cause> {
        let mut causes = Vec::new();
        check(self, default, None, "", &mut causes);
        causes
    }
}

/// The path of a field below `path`.
fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// Checks everything but lists for duplicates, and rules.
fn check(node: &Node, new: &Value, old: Option<&Value>, path: &str, causes: &mut Vec<Cause>) {
    if old == Some(new) || (new.is_null() && node.is_nullable) || !node.check_type(new, path, causes) {
        return;
    }
    check_junctors(node, new, path, causes);
    node.checks.check_value(new, path, causes);
    match new {
        Value::Array(items) => {
            let Some(of_items) = node.items.as_deref() else { return };
            for (index, item) in items.iter().enumerate() {
                let old = counterpart(node, item, old);
                check(of_items, item, old, &format!("{path}[{index}]"), causes);
            }
        }
        Value::Object(fields) => check_fields(node, fields, old, path, causes),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn check_fields(
    node: &Node,
    fields: &Map<String, Value>,
    old: Option<&Value>,
    path: &str,
    causes: &mut Vec<Cause>,
) {
    for (name, value) in fields {
        if let Some(node) = node.field(name) {
            check(node, value, old.and_then(|old| old.get(name)), &below(path, name), causes);
        }
    }
    let needed = if node.is_embedded { ["apiVersion", "kind"].as_slice() } else { &[] };
    let needed: BTreeSet<&str> =
        needed.iter().copied().chain(node.checks.required.iter().map(String::as_str)).collect();
    for name in needed.into_iter().filter(|name| !fields.contains_key(*name)) {
        causes.push(required(below(path, name), ""));
    }
}

/// Checks `allOf`, `anyOf`, `oneOf` and `not`.
fn check_junctors(node: &Node, new: &Value, path: &str, causes: &mut Vec<Cause>) {
    let checks = &node.checks;
    let faults = |branch: &Node| {
        let mut faults = Vec::new();
        check(branch, new, None, path, &mut faults);
        faults
    };
    let mut complain = |text: String| {
        causes.push(cause(
            "FieldValueInvalid",
            NO_FIELD,
            format!("Invalid value: \"\": {path:?} must {text}"),
        ));
    };
    let any: Vec<_> = checks.any_of.iter().map(faults).collect();
    let one: Vec<_> = checks.one_of.iter().map(faults).collect();
    let all: Vec<_> = checks.all_of.iter().map(faults).collect();
    let mut details = Vec::new();
    if !any.is_empty() && any.iter().all(|faults| !faults.is_empty()) {
        complain("validate at least one schema (anyOf)".to_owned());
        details.extend(any.into_iter().next());
    }
    let matching = one.iter().filter(|faults| faults.is_empty()).count();
    if !one.is_empty() && matching != 1 {
        let found =
            if matching == 0 { "none valid".to_owned() } else { format!("{matching} valid alternatives") };
        complain(format!("validate one and only one schema (oneOf). Found {found}"));
        details.extend(one.into_iter().next().filter(|_| matching == 0));
    }
    if all.iter().any(|faults| !faults.is_empty()) {
        let has_none = all.iter().all(|faults| !faults.is_empty());
        complain(format!(
            "validate all the schemas (allOf){}",
            if has_none { ". None validated" } else { "" }
        ));
        details.extend(all);
    }
    if checks.not.as_deref().is_some_and(|not| faults(not).is_empty()) {
        complain("not validate the schema (not)".to_owned());
    }
    causes.extend(details.into_iter().flatten());
}

/// The values of the keys of an item of a list of maps.
fn keys_of(keys: &[String], item: &Value) -> Value {
    keys.iter().filter_map(|key| item.get(key).map(|value| (key.clone(), value.clone()))).collect()
}

/// What an item of a list was before; nothing where that cannot be said.
fn counterpart<'a>(node: &Node, item: &Value, old: Option<&'a Value>) -> Option<&'a Value> {
    let Some(ListType::Map(keys)) = &node.list_type else { return None };
    old?.as_array()?.iter().find(|old| keys_of(keys, old) == keys_of(keys, item))
}

/// Finds duplicates in sets and lists of maps.
fn check_lists(node: &Node, new: &Value, old: Option<&Value>, path: &str, causes: &mut Vec<Cause>) {
    if old == Some(new) {
        return;
    }
    match new {
        Value::Array(items) => {
            let identity = |item: &Value| match &node.list_type {
                Some(ListType::Set) => Some(item.clone()),
                Some(ListType::Map(keys)) => Some(keys_of(keys, item)),
                Some(ListType::Atomic) | None => None,
            };
            let identities: Vec<Option<Value>> = items.iter().map(identity).collect();
            for (index, identity) in identities.iter().enumerate() {
                let Some(value) = identity else { continue };
                if identities[..index].contains(identity) {
                    let message = format!("Duplicate value: {value}");
                    causes.push(cause("FieldValueDuplicate", format!("{path}[{index}]"), message));
                }
            }
            let Some(of_items) = node.items.as_deref() else { return };
            for (index, item) in items.iter().enumerate() {
                let old = counterpart(node, item, old);
                check_lists(of_items, item, old, &format!("{path}[{index}]"), causes);
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                if let Some(node) = node.field(name) {
                    check_lists(node, value, old.and_then(|old| old.get(name)), &below(path, name), causes);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Tries the rules.
fn check_rules(node: &Node, new: &Value, old: Option<&Value>, path: &str, causes: &mut Vec<Cause>) {
    if new.is_null() && node.kind != Some(Kind::Object) {
        return;
    }
    let is_unchanged = old == Some(new);
    let mut rules = node.rules.iter().filter(|rule| rule.is_transition || !is_unchanged).peekable();
    if rules.peek().is_some() {
        let seen = |value| to_cel(value, Some(node));
        let subject = Subject { kind: node.kind, value: new, new: seen(new), old: old.map(seen) };
        causes.extend(rules.filter_map(|rule| rule.fault(&subject, path)));
    }
    match new {
        Value::Array(items) => {
            let Some(of_items) = node.items.as_deref().filter(|items| items.has_rules()) else { return };
            for (index, item) in items.iter().enumerate() {
                let old = counterpart(node, item, old);
                check_rules(of_items, item, old, &format!("{path}[{index}]"), causes);
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                if let Some(node) = node.field(name).filter(|node| node.has_rules()) {
                    check_rules(node, value, old.and_then(|old| old.get(name)), &below(path, name), causes);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
