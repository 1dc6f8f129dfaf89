//! Parts of HTTP messages.

use std::convert::Infallible;

use http::header::{HeaderMap, HeaderName};
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Bytes;

/// The body of a response: known as a whole, or the events of a watch.
pub type Body = UnsyncBoxBody<Bytes, Infallible>;

/// The value of a header; `None` if absent or not text.
pub(super) fn header(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
