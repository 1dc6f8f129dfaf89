//! Reads and checks the body of a write.

use serde_json::{Value, json};

use super::super::kinds;
use super::super::request::Verb;
use super::super::status::{Reason, Status};
use super::super::store::Resource;
use super::super::store::object::{at, fill, name, namespace, resource_version, set, text};
use super::call::Call;
use super::versions::stamp;
use super::{custom, refuse, strategy};

/// The object that a client sent: of the right kind, and for the namespace of the URL.
pub(super) fn body(call: &Call<'_>, sent: &Value) -> Result<Value, Status> {
    let resource = &call.resource;
    if !sent.is_object() {
        let message = format!(
            "the object provided is unrecognized (must be of type {}): couldn't get version/kind; json parse error: \
             json: cannot unmarshal into Go value of type struct {{ APIVersion string; Kind string }} ({sent})",
            resource.kind
        );
        return Err(refuse::bad_request(message));
    }
    if resource.custom.is_some() {
        custom::check_kind(call, sent)?;
    } else {
        check_kind(resource, sent)?;
    }
    let mut object = sent.clone();
    fill(&mut object, &["metadata"], json!({}));
    if resource.custom.is_none() {
        stamp(resource, &mut object);
    }
    let mut object = strategy::decode(call, &object)?;
    let is_patch = call.request.verb == Verb::Patch;
    let (given, expected) = (text(&object, &["apiVersion"]), resource.api_version());
    if resource.custom.is_some() && !is_patch && given != expected {
        return Err(refuse::bad_request(format!(
            "the API version in the data ({given}) does not match the expected API version ({expected})"
        )));
    }
    let is_own = given == expected;
    let empties = at(sent, &["metadata", "managedFields"]).as_array().is_some_and(Vec::is_empty);
    if empties && resource.custom.is_none() {
        // Other than no list, an empty one says that all is to be forgotten.
        set(&mut object, &["metadata", "managedFields"], json!([]));
    }
    let (inside, asked) = (namespace(&object).to_owned(), call.namespace().unwrap_or_default());
    if inside.is_empty() && !asked.is_empty() {
        set(&mut object, &["metadata", "namespace"], asked.into());
    } else if inside != asked && resource.namespaced {
        let why = "the namespace of the provided object does not match the namespace sent on the request";
        return Err(refuse::bad_request(why));
    }
    if is_own {
        set(&mut object, &["apiVersion"], resource.stored_version.clone().into());
    }
    Ok(object)
}

/// As [`body`]; also refuses a name other than the one in the URL.
pub(super) fn named_body(call: &Call<'_>, sent: &Value) -> Result<Value, Status> {
    let candidate = body(call, sent)?;
    check_name(call, &candidate)?;
    Ok(candidate)
}

/// A client may leave out kind and version of a built-in kind, but not send others.
fn check_kind(resource: &Resource, sent: &Value) -> Result<(), Status> {
    let (kind, version) = (text(sent, &["kind"]), text(sent, &["apiVersion"]));
    let expected = resource.api_version();
    if (kind.is_empty() || kind == resource.kind) && (version.is_empty() || version == expected) {
        return Ok(());
    }
    let kind = if kind.is_empty() { &resource.kind } else { kind };
    let version = if version.is_empty() { &expected } else { version };
    let known = kinds::built_in().iter().any(|known| known.kind == kind && known.api_version() == version);
    let why = if known {
        let (from, to) = (version.rsplit('/').next().unwrap_or(version), resource.group.split('.').next());
        let to = to.filter(|group| !group.is_empty()).unwrap_or("core");
        format!("converting ({from}.{kind}) to ({to}.{}): unknown conversion", resource.kind)
    } else {
        format!(
            "no kind \"{kind}\" is registered for version \"{version}\" in scheme \"pkg/runtime/scheme.go:111\""
        )
    };
    let message =
        format!("{kind} in version \"{}\" cannot be handled as a {}: {why}", resource.version, resource.kind);
    Err(refuse::bad_request(message))
}

/// Refuses to apply a configuration of another type than the one of the URL.
pub(super) fn check_type(config: &Value, version: &str, kind: &str) -> Result<(), Status> {
    let text = |field: &str| config[field].as_str().unwrap_or_default();
    let (given_version, given_kind) = (text("apiVersion"), text("kind"));
    if (given_version, given_kind) == (version, kind) {
        return Ok(());
    }
    let shown = match given_version.matches('/').count() {
        0 => format!("/{given_version}, Kind={given_kind}"),
        1 => format!("{given_version}, Kind={given_kind}"),
        _ => "/, Kind=".to_owned(),
    };
    Err(refuse::bad_request(format!("invalid object type: {shown}")))
}

/// Refuses a body without a name, and one whose name is not the one in the URL.
pub(super) fn check_name(call: &Call<'_>, candidate: &Value) -> Result<(), Status> {
    match name(candidate) {
        "" => Err(refuse::bad_request(format!(
            "the name of the object ({} based on URL) was undeterminable: name must be provided",
            call.name()
        ))),
        inside if inside == call.name() => Ok(()),
        inside => Err(refuse::bad_request(format!(
            "the name of the object ({inside}) does not match the name on the URL ({})",
            call.name()
        ))),
    }
}

/// The resourceVersion in what was sent; 0 where there is none.
pub(super) fn sent_version(candidate: &Value) -> Result<u64, Status> {
    match resource_version(candidate) {
        "" => Ok(0),
        sent => sent.parse().map_err(|_| {
            let why = format!("strconv.ParseUint: parsing {sent:?}: invalid syntax");
            Status::new(Reason::Unknown, why)
        }),
    }
}

/// Why something is no object of a kind.
pub(super) fn undecodable(status: &Status) -> Option<&str> {
    let (_, rest) = status.message.split_once(" cannot be handled as a ")?;
    rest.split_once(": ").map(|(_, why)| why)
}

/// What a patch makes is no object of the kind.
pub(super) fn unpatchable(patched: &str, why: &str) -> Status {
    let causes = [refuse::wrong("patch", &patched.into(), why)];
    refuse::invalid_kind("", "", "", &causes)
}
