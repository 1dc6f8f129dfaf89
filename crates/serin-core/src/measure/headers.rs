//! The headers of requests.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

use crate::domain::effect::HttpRequest;

/// Sets a header, in place of one of the same name.
pub(super) fn set_header(request: &mut HttpRequest, name: &str, value: impl Into<String>) {
    request.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
    request.headers.push((name.to_owned(), value.into()));
}

/// The value of the header that sends a user name and a password.
pub(super) fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

/// Moves the user name and the password that stand in a URL into a header, unless there is one; the password, if there was
/// one.
pub(super) fn out_of_url(mut request: HttpRequest) -> (HttpRequest, Option<String>) {
    let Some(start) = request.url.find("://").map(|found| found + 3) else { return (request, None) };
    let end = request.url[start..].find(['/', '?', '#']).map_or(request.url.len(), |found| start + found);
    let Some(at) = request.url[start..end].rfind('@').map(|found| start + found) else {
        return (request, None);
    };
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let (user, password) = request.url[start..at].split_once(':').unwrap_or((&request.url[start..at], ""));
    let (user, password) = (decoded(user), decoded(password));
    request.url.replace_range(start..=at, "");
    if request.headers.iter().all(|(name, _)| !name.eq_ignore_ascii_case("Authorization")) {
        set_header(&mut request, "Authorization", basic(&user, &password));
    }
    (request, Some(password))
}
