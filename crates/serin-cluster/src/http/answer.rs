//! Answers as HTTP responses.

use std::convert::Infallible;

use http::header::{ALLOW, CONTENT_TYPE, HeaderValue, WARNING};
use http::{Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use serde_json::Value;

use super::accept::Form;
use super::message::Body;
use crate::api::discovery;
use crate::api::status::Status;

/// A body that is known as a whole.
pub(super) fn whole(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never: Infallible| match never {}).boxed_unsync()
}

/// A response with a document.
pub(super) fn document(code: u16, body: &Value, form: Form) -> Response<Body> {
    let (bytes, media) = match form {
        Form::Yaml => (serde_yaml::to_string(body).unwrap_or_default().into_bytes(), "application/yaml"),
        Form::Discovery => (serde_json::to_vec(body).unwrap_or_default(), discovery::AGGREGATED),
        Form::Json | Form::Table(_) | Form::Metadata => {
            (serde_json::to_vec(body).unwrap_or_default(), "application/json")
        }
    };
    respond(code, media, whole(bytes))
}

/// The protobuf form of `/openapi/v2`, as clients ask for it, and as it is answered: the first is no media type.
const SWAGGER_ASKED: &str = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
const SWAGGER: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

/// `/openapi/v2` in its protobuf form, if a client asks for that: kubectl does about kinds that `/openapi/v3` does not
/// have, such as a List. It says `swagger: "2.0"` and defines nothing, so that nothing is checked by it.
pub(super) fn swagger(accept: Option<&str>) -> Option<Response<Body>> {
    let is_asked = accept?.split(',').any(|media| media.trim() == SWAGGER_ASKED);
    is_asked.then(|| respond(200, SWAGGER, whole(&b"\x0a\x032.0"[..])))
}

/// A response with a word.
pub(super) fn text(code: u16, word: &'static str) -> Response<Body> {
    respond(code, "text/plain; charset=utf-8", whole(word))
}

/// A refusal.
pub(super) fn refusal(status: &Status) -> Response<Body> {
    let mut response = document(status.reason.code(), &status.to_json(), Form::Json);
    warn(&mut response, &status.warnings);
    response
}

/// A response whose body follows.
pub(super) fn respond(code: u16, media: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media));
    if code == 405 {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE"));
    }
    response
}

/// Adds a header for each warning, as clients print them.
pub(super) fn warn(response: &mut Response<Body>, warnings: &[String]) {
    for warning in warnings {
        let quoted = warning.replace('\\', "\\\\").replace('"', "\\\"").replace(['\n', '\r'], " ");
        if let Ok(value) = HeaderValue::from_str(&format!("299 - \"{quoted}\"")) {
            response.headers_mut().append(WARNING, value);
        }
    }
}
