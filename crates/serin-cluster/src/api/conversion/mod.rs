//! Built-in kinds that are served in several versions and stored in one: events, and autoscalers.

mod autoscalers;
mod events;
mod text;

use std::borrow::Cow;

use serde_json::Value;

use super::kinds::{self, Kind};

/// How the objects of a kind in one version differ from the stored ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Stored,
    /// An event of `events.k8s.io`, stored as one of the core.
    NewEvent,
    /// An autoscaler of the first version, stored in the second.
    FirstAutoscaler,
}

impl Form {
    fn of(kind: &Kind) -> Self {
        match (kind.group.as_str(), kind.version.as_str(), kind.plural.as_str()) {
            ("events.k8s.io", "v1", "events") => Self::NewEvent,
            ("autoscaling", "v1", "horizontalpodautoscalers") => Self::FirstAutoscaler,
            _ => Self::Stored,
        }
    }
}

/// What is stored of an object of a kind; `apiVersion` is the caller's to set.
pub(super) fn to_stored(kind: &Kind, object: Value) -> Value {
    match Form::of(kind) {
        Form::Stored => object,
        Form::NewEvent => events::to_core(object),
        Form::FirstAutoscaler => autoscalers::to_second(object),
    }
}

/// What is stored of an object of a kind, which may be the object itself.
pub(super) fn as_stored<'o>(kind: &Kind, object: &'o Value) -> Cow<'o, Value> {
    match Form::of(kind) {
        Form::Stored => Cow::Borrowed(object),
        Form::NewEvent | Form::FirstAutoscaler => Cow::Owned(to_stored(kind, object.clone())),
    }
}

/// A stored object as a kind shows it; `apiVersion` is the caller's to set.
pub(super) fn to_shown(kind: &Kind, stored: &Value) -> Value {
    match Form::of(kind) {
        Form::Stored => stored.clone(),
        Form::NewEvent => events::to_new(stored),
        Form::FirstAutoscaler => autoscalers::to_first(stored),
    }
}

/// A built-in kind in another of the versions of its group.
pub(super) fn in_version(kind: &Kind, api_version: &str) -> Option<&'static Kind> {
    let is_it = |other: &&Kind| {
        (&other.group, &other.plural) == (&kind.group, &kind.plural) && other.api_version() == api_version
    };
    kinds::built_in().iter().find(is_it)
}

/// An object of a built-in kind in another of the versions of its group, and the kind in that version.
pub(super) fn between(kind: &Kind, object: &Value, api_version: &str) -> Option<(&'static Kind, Value)> {
    let other = in_version(kind, api_version)?;
    let mut shown = to_shown(other, &to_stored(kind, object.clone()));
    shown["apiVersion"] = api_version.into();
    Some((other, shown))
}
