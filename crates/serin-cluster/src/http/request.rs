//! The request to the API that an HTTP request is.

use http::header::{CONTENT_TYPE, HeaderMap, USER_AGENT};
use hyper::body::Bytes;
use serde_json::Value;

use super::message::header;
use super::protobuf;
use crate::api::body::{self, Document, Form};
use crate::api::request::{Options, PatchType, Request, Target, Verb};
use crate::api::status::{Reason, Status};

/// How much of a body that is no object a refusal shows.
const SHOWN_BYTES: usize = 30;

/// Reads a request; `kind` is what a body is to be of, none where the target is nothing.
pub(super) fn read(
    verb: Verb,
    target: Target,
    mut options: Options,
    headers: &HeaderMap,
    sent: &Bytes,
    kind: Option<&str>,
) -> Result<Request, Status> {
    if options.field_manager.is_empty() {
        let agent = header(headers, USER_AGENT).unwrap_or_default();
        agent.split('/').next().unwrap_or_default().clone_into(&mut options.field_manager);
    }
    let media = header(headers, CONTENT_TYPE).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim();
    let patch_type = if verb == Verb::Patch { Some(patch_type(media)?) } else { None };
    let document = match (verb, patch_type, kind) {
        (Verb::Get | Verb::List | Verb::Watch, ..) | (_, _, None) => none(),
        (Verb::Delete | Verb::DeleteCollection, ..) if sent.is_empty() => none(),
        (_, Some(patch_type), _) => patch(patch_type, sent)?,
        (_, None, Some(kind)) => object(media, sent, kind)?,
    };
    Ok(Request { verb, patch_type, target, options, body: document.value, form: document.form })
}

fn none() -> Document {
    Document { value: Value::Null, form: Form::default() }
}

fn patch_type(media: &str) -> Result<PatchType, Status> {
    match media {
        "application/json-patch+json" => Ok(PatchType::Json),
        "application/merge-patch+json" => Ok(PatchType::Merge),
        "application/strategic-merge-patch+json" => Ok(PatchType::Strategic),
        "application/apply-patch+yaml" => Ok(PatchType::Apply),
        _ => Err(Status::new(Reason::UnsupportedMediaType, "415: Unsupported Media Type")),
    }
}

fn patch(patch_type: PatchType, sent: &[u8]) -> Result<Document, Status> {
    let (read, complaint) = match patch_type {
        PatchType::Apply => (body::yaml(sent), "error decoding YAML: error converting YAML to JSON: "),
        PatchType::Strategic => (body::json(sent), ""),
        PatchType::Merge | PatchType::Json => (body::json(sent), "error decoding patch: "),
    };
    read.map_err(|why| Status::new(Reason::BadRequest, format!("{complaint}{why}")))
}

/// An object, or what there is to say of one.
fn object(media: &str, sent: &[u8], kind: &str) -> Result<Document, Status> {
    let unrecognized = |why: &str| {
        let shown = shown(sent);
        let message =
            format!("the object provided is unrecognized (must be of type {kind}): {why} ({shown})");
        Status::new(Reason::BadRequest, message)
    };
    let no_json = |why: &str| unrecognized(&format!("couldn't get version/kind; json parse error: {why}"));
    let document = match media {
        "" | "application/json" => body::json(sent).map_err(|why| no_json(&why))?,
        "application/yaml" => body::yaml(sent).map_err(|why| unrecognized(&why))?,
        protobuf::MEDIA => {
            let read = protobuf::parse(sent).map_err(|why| {
                let message = format!("the body is no object in the protobuf form: {why}");
                Status::new(Reason::BadRequest, message)
            });
            Document { value: read?, ..none() }
        }
        _ => return Err(unsupported()),
    };
    let what = match document.value {
        Value::Object(_) => return Ok(document),
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
    };
    Err(no_json(&format!(
        "json: cannot unmarshal {what} into Go value of type struct {{ APIVersion string \
         \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }}"
    )))
}

/// The beginning of a body, in hexadecimal digits unless it begins like an object.
fn shown(sent: &[u8]) -> String {
    let start = &sent[..sent.len().min(SHOWN_BYTES)];
    let rest = if sent.len() > SHOWN_BYTES { " ..." } else { "" };
    match sent.first() {
        None => "<empty>".to_owned(),
        Some(b'{') => format!("{}{rest}", String::from_utf8_lossy(start)),
        Some(_) => {
            let digits: Vec<String> = start.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("{}{rest}", digits.concat())
        }
    }
}

fn unsupported() -> Status {
    let message = format!(
        "the body of the request was in an unknown format - accepted media types include: application/json, \
         application/yaml, {}",
        protobuf::MEDIA
    );
    Status::new(Reason::UnsupportedMediaType, message)
}
