//! Questions in GraphQL.

use std::time::Duration;

use serde_json::{Value, json};

use super::inquiry::Inquiry;
use super::port::{Unfinished, failed};
use super::{body, headers};
use crate::domain::effect::HttpRequest;

/// Sends a query with variables as the body of `request`, and gives the `data` of the answer.
pub(super) fn ask(
    mut request: HttpRequest,
    query: &str,
    variables: &Value,
    limit: Duration,
    inquiry: &mut Inquiry<'_>,
) -> Result<Value, Unfinished> {
    request.method = "POST".into();
    request.body = json!({"query": query, "variables": variables}).to_string().into_bytes();
    headers::set_header(&mut request, "Content-Type", "application/json; charset=utf-8");
    headers::set_header(&mut request, "Accept", "application/json; charset=utf-8");
    let response = inquiry.exchange("query", request, limit)?;
    let answer = body::parse(response.body);
    let errors = answer.as_ref().ok().and_then(|answer| answer["errors"].as_array());
    let messages = errors.into_iter().flatten().filter_map(|error| error["message"].as_str());
    let messages = messages.collect::<Vec<_>>().join(", ");
    if !messages.is_empty() {
        return Err(failed(format!("graphql: {messages}")));
    }
    if !(200..300).contains(&response.status) {
        let quoted = body::quote(response.body);
        return Err(failed(format!("graphql: server returned status code {}: {quoted}", response.status)));
    }
    let mut answer = answer.map_err(|problem| failed(format!("graphql: {problem}")))?;
    Ok(answer["data"].take())
}
