//! The scale subresource: one number of an object, and what it is matched by.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::codec::{self, Reader};
use super::super::kinds::Plain;
use super::super::patch::{self, Manager};
use super::super::request::{PatchType, Verb};
use super::super::status::{Reason, Status};
use super::super::store::object::{at, items, name, namespace, resource_version, set, text, uid};
use super::super::store::{ScalePaths, Store};
use super::body::{check_name, check_type, undecodable, unpatchable};
use super::call::{Answer, Call, Part};
use super::update::check_uid;
use super::{refuse, tracking};

/// The type of a scale.
const SCALE: &str = "autoscaling/v1.Scale";

/// The number that the scale of a custom resource without one has while it is written.
const UNSET: i32 = i32::MIN;

impl Store {
    pub(super) fn scale(&mut self, call: &Call<'_>) -> Result<Answer, Status> {
        let paths = call.resource.scale.clone().ok_or_else(refuse::no_resource)?;
        if call.resource.custom.is_some() && call.request.patch_type == Some(PatchType::Strategic) {
            return Err(refuse::unsupported_patch());
        }
        let sent = if call.request.verb == Verb::Update { Some(replacement(call)?) } else { None };
        let key = call.key(call.name());
        let live = self.read(&key).cloned().ok_or_else(|| refuse::not_found(&call.resource, call.name()))?;
        let is_custom = call.resource.custom.is_some();
        let mut before = scale_of(&paths, &live, is_custom);
        let number = steps(&paths.spec);
        let is_unset = is_custom && at(&live, &number).is_null();
        let field = format!("the spec replicas field \".{}\"", paths.spec.join("."));
        if call.request.verb == Verb::Get {
            return if is_unset {
                Err(refuse::internal(&format!("{field} does not exist")))
            } else {
                Ok(Answer::ok(before))
            };
        }
        if is_unset {
            set(&mut before, &["spec", "replicas"], UNSET.into());
        }
        let owners = patch::scale_owners(&live, &number);
        if !owners.is_null() {
            set(&mut before, &["metadata", "managedFields"], owners);
        }
        let wanted = match sent {
            Some(sent) => {
                check_uid(call, &key, uid(&sent), uid(&live))?;
                sent
            }
            None => patched(call, &before)?,
        };
        let wanted = tracked(call, &before, wanted);
        if is_custom && at(&wanted, &["spec", "replicas"]) == UNSET {
            return Err(refuse::bad_request(format!("{field} cannot be empty")));
        }
        // Of a custom resource the object is looked at, and not its scale.
        if !is_custom {
            check(call, &wanted)?;
        }
        let candidate = scaled(call, &live, &wanted, &number);
        let after = self.change(call, Part::Main, &live, candidate)?;
        Ok(Answer::ok(scale_of(&paths, &after, is_custom)))
    }
}

/// The scale that a PUT sent.
fn replacement(call: &Call<'_>) -> Result<Value, Status> {
    let sent = &call.request.body;
    let scale = decoded(call, sent).map_err(|why| match &call.resource.custom {
        // The server of custom resources does not know how to say it.
        Some(_) => refuse::bad_request(
            "no kind is registered for the type v1.Scale in scheme \"pkg/runtime/scheme.go:111\"",
        ),
        None => refuse::bad_request(format!("Scale in version \"v1\" cannot be handled as a Scale: {why}")),
    })?;
    check_name(call, &scale)?;
    Ok(scale)
}

/// A scale as its type has it.
fn decoded(call: &Call<'_>, sent: &Value) -> Result<Value, String> {
    let decoded = codec::decode(SCALE, sent, call.reader())
        .unwrap_or_else(|| Err("its type is not known".to_owned()))?;
    // What is refused here is refused as a value that does not fit is.
    let refused = |status: Status| undecodable(&status).unwrap_or_default().to_owned();
    call.report_fields(&decoded.unknown).map_err(refused)?;
    Ok(decoded.object)
}

/// The scale that a patch makes.
fn patched(call: &Call<'_>, before: &Value) -> Result<Value, Status> {
    let lists = Plain(SCALE);
    let sent = &call.request.body;
    let patched = match call.request.patch_type {
        Some(PatchType::Json) => patch::json(before, sent)?,
        Some(PatchType::Merge) => patch::merge(before, sent)?,
        Some(PatchType::Strategic) if call.resource.custom.is_none() => {
            patch::strategic(&lists, before, sent)?
        }
        Some(PatchType::Apply) => {
            check_type(sent, "autoscaling/v1", "Scale")?;
            let is_owned = !at(before, &["metadata", "managedFields"]).is_null();
            if call.resource.custom.is_some() && !is_owned {
                let why = unconvertible("live", "", "");
                let why = format!("failed to create manager for existing fields: {why}");
                return Err(Status::new(Reason::Unknown, why));
            }
            let applied = patch::apply(&lists, Some(before), sent, &manager(call), call.now)?;
            if call.resource.custom.is_some() {
                let why = unconvertible("new", namespace(sent), name(sent));
                return Err(Status::new(Reason::Unknown, why));
            }
            call.report_repeated()?;
            applied
        }
        Some(PatchType::Strategic) | None => return Err(refuse::unsupported_patch()),
    };
    let scale = decoded(call, &patched).map_err(|why| match call.request.patch_type {
        Some(PatchType::Strategic) => unpatchable(&patch::spent(before, sent), &why),
        _ => unpatchable(&patched.to_string(), &why),
    })?;
    check_name(call, &scale)?;
    Ok(scale)
}

fn manager<'a>(call: &'a Call<'_>) -> Manager<'a> {
    Manager { reset: &[], ..tracking::manager(call, Part::Main) }
}

/// The server of custom resources cannot find out who owns what of a scale.
fn unconvertible(what: &str, namespace: &str, name: &str) -> String {
    format!(
        "failed to convert {what} object ({namespace}/{name}; autoscaling/v1, Kind=Scale) to proper version: request to \
         convert CR to an invalid group/version: autoscaling/v1"
    )
}

/// The scale with its owners.
fn tracked(call: &Call<'_>, before: &Value, wanted: Value) -> Value {
    if call.request.patch_type == Some(PatchType::Apply) {
        return wanted;
    }
    patch::track(&Plain(SCALE), before, wanted, &manager(call), call.now)
}

/// The object with the number and the owners of a scale.
fn scaled(call: &Call<'_>, live: &Arc<Value>, wanted: &Value, number: &[&str]) -> Value {
    let mut candidate = (**live).clone();
    let replicas = at(wanted, &["spec", "replicas"]).as_i64().unwrap_or(0);
    set(&mut candidate, number, replicas.into());
    // The number alone is changed, whatever else happened since: no version is no precondition.
    let version = resource_version(wanted);
    let version = if version.is_empty() { resource_version(live) } else { version };
    set(&mut candidate, &["metadata", "resourceVersion"], version.into());
    patch::keep_scale_owners(&mut candidate, wanted, &call.resource.api_version(), number);
    candidate
}

fn check(call: &Call<'_>, wanted: &Value) -> Result<(), Status> {
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
    let scale = json!({
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {
            "name": name(object),
            "namespace": namespace(object),
            "uid": uid(object),
            "resourceVersion": resource_version(object),
            "creationTimestamp": at(object, &["metadata", "creationTimestamp"]),
        },
        "spec": {"replicas": number(&paths.spec)},
        "status": {"replicas": number(&paths.status), "selector": selector},
    });
    match codec::decode(SCALE, &scale, Reader::Json) {
        Some(Ok(decoded)) => decoded.object,
        Some(Err(_)) | None => scale,
    }
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
    for requirement in items(selector, &["matchExpressions"]) {
        let key = text(requirement, &["key"]);
        let mut values: Vec<&str> =
            items(requirement, &["values"]).iter().filter_map(Value::as_str).collect();
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
