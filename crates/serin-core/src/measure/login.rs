//! The headers by which a request logs in, and tokens that are fetched before it.

use std::time::Duration;

use serde_json::Value;

use super::address::{Address, escape, form};
use super::body::{Problem, parse};
use super::headers::{basic, set_header};
use super::inquiry::Inquiry;
use super::port::{Unfinished, failed};
use crate::api::metric::{Authentication, BasicAuth, HttpHeader, OAuth2};
use crate::domain::effect::HttpRequest;

/// Parts of the names of headers whose values are not shown.
const SECRET_HEADERS: [&str; 6] = ["auth", "token", "key", "secret", "cookie", "password"];

/// Sets the headers of a metric.
pub(super) fn set_headers(request: &mut HttpRequest, headers: &[HttpHeader], inquiry: &mut Inquiry<'_>) {
    for HttpHeader { key, value } in headers {
        let name = key.to_lowercase();
        if SECRET_HEADERS.iter().any(|part| name.contains(part)) {
            // Of `Bearer TOKEN` the token is what must not be shown.
            inquiry.conceal(value.rsplit(' ').next().unwrap_or(value));
        }
        set_header(request, key, value);
    }
}

/// Refuses a login that is not built: without it, the request would be another one.
///
/// # Errors
/// The metric asks for it.
pub(super) fn refuse_google(authentication: &Authentication) -> Result<(), Unfinished> {
    match &authentication.google {
        None => Ok(()),
        Some(_) if authentication.oauth2.token_url.is_some() => {
            Err(failed("authentication.google and authentication.oauth2 exclude each other"))
        }
        Some(_) => Err(failed(
            "authentication.google is not supported; use authentication.oauth2, authentication.basicAuth or headers",
        )),
    }
}

/// Sets a user name and a password.
///
/// # Errors
/// One of the two is missing.
pub(super) fn set_basic_auth(
    request: &mut HttpRequest,
    auth: &BasicAuth,
    inquiry: &mut Inquiry<'_>,
) -> Result<(), Unfinished> {
    let (user, password) = match (&auth.username, &auth.password) {
        (None, None) => return Ok(()),
        (Some(user), Some(password)) => (user, password),
        (None, Some(_)) => return Err(missing_basic("username")),
        (Some(_), None) => return Err(missing_basic("password")),
    };
    inquiry.conceal(password);
    set_header(request, "Authorization", basic(user, password));
    Ok(())
}

fn missing_basic(half: &str) -> Unfinished {
    failed(format!("missing mandatory parameter in metric for basic auth setup: {half}"))
}

/// Fetches a token by client credentials and sets it, if the metric names an issuer. `insecure` is for the issuer, too.
///
/// # Errors
/// There is no token yet, or there will be none.
pub(super) fn set_oauth2(
    request: &mut HttpRequest,
    oauth2: &OAuth2,
    limit: Duration,
    inquiry: &mut Inquiry<'_>,
) -> Result<(), Unfinished> {
    let Some(url) = &oauth2.token_url else { return Ok(()) };
    let (Some(id), Some(secret)) = (&oauth2.client_id, &oauth2.client_secret) else {
        return Err(failed("missing mandatory parameter in metric for OAuth2 setup"));
    };
    if Address::parse(url).is_none() {
        return Err(failed("authentication.oauth2.tokenUrl is not a URL"));
    }
    inquiry.conceal(secret);
    let scopes = oauth2.scopes.join(" ");
    let mut pairs = vec![("grant_type", "client_credentials")];
    if !scopes.is_empty() {
        pairs.push(("scope", scopes.as_str()));
    }
    let mut asked = token_request(url, &pairs, request.insecure);
    set_header(&mut asked, "Authorization", basic(&escape(id), &escape(secret)));
    let mut response = inquiry.exchange("token", asked, limit)?;
    if !(200..300).contains(&response.status) {
        // Issuers that do not know the header want the credentials in the form.
        pairs.extend([("client_id", id.as_str()), ("client_secret", secret.as_str())]);
        let asked = token_request(url, &pairs, request.insecure);
        response = inquiry.exchange("token/form", asked, limit)?;
    }
    let authorization = authorization(response.status, response.body, inquiry)?;
    set_header(request, "Authorization", authorization);
    Ok(())
}

fn token_request(url: &str, pairs: &[(&str, &str)], insecure: bool) -> HttpRequest {
    let mut request = HttpRequest { insecure, ..HttpRequest::post(url, form(pairs)) };
    set_header(&mut request, "Content-Type", "application/x-www-form-urlencoded");
    request
}

/// The value of the header for the token that an issuer answered with.
fn authorization(status: u16, body: &[u8], inquiry: &mut Inquiry<'_>) -> Result<String, Unfinished> {
    let answer = parse(body);
    if !(200..300).contains(&status) {
        let code = answer.as_ref().ok().and_then(|answer| answer["error"].as_str());
        let code = code.map(|code| format!(": {code}")).unwrap_or_default();
        return Err(failed(format!("oauth2: cannot fetch token: response code {status}{code}")));
    }
    let answer = match answer {
        Ok(answer) => answer,
        Err(Problem::NotJson) => return Err(failed("oauth2: cannot parse token: the answer is not JSON")),
        Err(problem) => return Err(failed(format!("oauth2: cannot parse token: {problem}"))),
    };
    let Some(token) = answer["access_token"].as_str().filter(|token| !token.is_empty()) else {
        return Err(failed("oauth2: server response missing access_token"));
    };
    inquiry.conceal(token);
    Ok(format!("{} {token}", token_type(&answer)))
}

/// The word before the token.
fn token_type(answer: &Value) -> &str {
    match answer["token_type"].as_str() {
        Some(word) if word.eq_ignore_ascii_case("mac") => "MAC",
        Some(word) if word.eq_ignore_ascii_case("basic") => "Basic",
        Some(word) if !word.is_empty() && !word.eq_ignore_ascii_case("bearer") => word,
        Some(_) | None => "Bearer",
    }
}
