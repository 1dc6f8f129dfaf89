//! The scale subresource: one number of an object, and what it is matched by.

use serde_json::{Value, json};

use super::super::request::{PatchType, Verb};
use super::super::status::Status;
use super::super::store::object::{at, name, namespace, resource_version, set, text, uid};
use super::super::store::{ScalePaths, Store};
use super::update::Part;
use super::{Answer, Call, refuse};
use crate::cluster::api::patch;

impl Store {
    pub(super) fn scale(&mut self, call: &Call<'_>) -> Result<Answer, Status> {
        let paths = call.resource.scale.clone().ok_or_else(refuse::no_resource)?;
        let key = call.key(call.name());
        let live = self.read(&key).cloned().ok_or_else(|| refuse::not_found(&call.resource, call.name()))?;
        let shown = scale_of(&paths, &live, call.resource.custom.is_some());
        let wanted = match call.request.verb {
            Verb::Get => return Ok(Answer::ok(shown)),
            Verb::Update => call.request.body.clone(),
            Verb::Patch => match call.request.patch_type {
                Some(PatchType::Json) => patch::json(&shown, &call.request.body)?,
                // A scale has no lists: all other patches merge it.
                _ => patch::merge(&shown, &call.request.body)?,
            },
            Verb::List | Verb::Watch | Verb::Create | Verb::Delete | Verb::DeleteCollection => {
                return Err(refuse::method_not_allowed());
            }
        };
        check(call, &wanted)?;
        let mut candidate = (*live).clone();
        let replicas = at(&wanted, &["spec", "replicas"]).as_i64().unwrap_or(0);
        set(&mut candidate, &steps(&paths.spec), replicas.into());
        set(&mut candidate, &["metadata", "resourceVersion"], resource_version(&wanted).into());
        if resource_version(&wanted).is_empty() {
            // The number alone is changed, whatever else happened since: no version is a precondition.
            set(&mut candidate, &["metadata", "resourceVersion"], resource_version(&live).into());
        }
        let after = self.change(call, Part::Main, &live, candidate)?;
        Ok(Answer::ok(scale_of(&paths, &after, call.resource.custom.is_some())))
    }
}

fn check(call: &Call<'_>, wanted: &Value) -> Result<(), Status> {
    let inside = name(wanted);
    if !inside.is_empty() && inside != call.name() {
        return Err(refuse::bad_request(format!(
            "the name of the object ({inside}) does not match the name on the URL ({})",
            call.name()
        )));
    }
    let replicas = at(wanted, &["spec", "replicas"]);
    if replicas.as_i64().unwrap_or(0) < 0 {
        let why = "must be greater than or equal to 0";
        let causes = [refuse::wrong("spec.replicas", replicas, why)];
        return Err(refuse::invalid_kind("autoscaling", "Scale", call.name(), &causes));
    }
    Ok(())
}

fn scale_of(paths: &ScalePaths, object: &Value, custom: bool) -> Value {
    let number = |path: &[String]| at(object, &steps(path)).as_i64().unwrap_or(0);
    let selector = match &paths.selector {
        Some(path) => text(object, &steps(path)).to_owned(),
        None if custom => String::new(),
        None => selector_text(at(object, &["spec", "selector"])),
    };
    let mut status = json!({"replicas": number(&paths.status)});
    if !selector.is_empty() {
        status["selector"] = selector.into();
    }
    let mut spec = json!({});
    let replicas = number(&paths.spec);
    if replicas != 0 {
        spec["replicas"] = replicas.into();
    }
    json!({
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {
            "name": name(object),
            "namespace": namespace(object),
            "uid": uid(object),
            "resourceVersion": resource_version(object),
            "creationTimestamp": at(object, &["metadata", "creationTimestamp"]),
        },
        "spec": spec,
        "status": status,
    })
}

fn steps(path: &[String]) -> Vec<&str> {
    path.iter().map(String::as_str).collect()
}

/// A label selector as text.
fn selector_text(selector: &Value) -> String {
    let mut terms: Vec<(String, String)> = Vec::new();
    for (key, value) in at(selector, &["matchLabels"]).as_object().into_iter().flatten() {
        terms.push((key.clone(), format!("{key}={}", value.as_str().unwrap_or_default())));
    }
    for requirement in super::super::store::object::items(selector, &["matchExpressions"]) {
        let key = text(requirement, &["key"]);
        let mut values: Vec<&str> = super::super::store::object::items(requirement, &["values"])
            .iter()
            .filter_map(Value::as_str)
            .collect();
        values.sort_unstable();
        let term = match text(requirement, &["operator"]) {
            "In" => format!("{key} in ({})", values.join(",")),
            "NotIn" => format!("{key} notin ({})", values.join(",")),
            "Exists" => key.to_owned(),
            _ => format!("!{key}"),
        };
        terms.push((key.to_owned(), term));
    }
    terms.sort();
    terms.into_iter().map(|(_, term)| term).collect::<Vec<_>>().join(",")
}
