//! The provider `newRelic`: a query in NRQL.

use std::time::Duration;

use serde_json::{Value, json};

use super::address::Address;
use super::inquiry::Inquiry;
use super::port::{Finding, Reading, Scene, Unfinished, failed};
use super::{graphql, headers, span};
use crate::api::metric::NewRelicMetric;
use crate::domain::effect::HttpRequest;

/// The Secret of metrics that name none.
const SECRET: &str = "newrelic";

/// The time for the query if the metric says none.
const LIMIT: Duration = Duration::from_secs(5);

/// The time that the answer may take beyond that of the query, so that the server can say that it took too long.
const ON_THE_WAY: Duration = Duration::from_secs(5);

const QUERY: &str = "query($accountId: Int!, $query: Nrql!, $timeout: Seconds) { \
                     actor { account(id: $accountId) { nrql(query: $query, timeout: $timeout) { results } } } }";

/// Sends the query, and gives the row or the rows of the answer.
pub(super) fn measure(
    new_relic: &NewRelicMetric,
    scene: &Scene<'_>,
    inquiry: &mut Inquiry<'_>,
) -> Result<Finding, Unfinished> {
    let limit = span::seconds(new_relic.timeout, LIMIT, "timeout value needs to be a positive value")?;
    let name = new_relic.profile.as_deref().unwrap_or(SECRET);
    let mut key = |key| {
        let found = inquiry.secret_key(&scene.settings.namespace, name, key)?;
        Ok(found.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()))
    };
    let (Some(api_key), Some(account)) = (key("personal-api-key")?, key("account-id")?) else {
        return Err(failed("account ID or personal API key not found"));
    };
    let url = match (key("base-url-nerdgraph")?, key("region")?) {
        (Some(url), _) => url,
        (None, region) => server(region.as_deref())?.to_owned(),
    };
    let account: i64 = account.parse().map_err(|_| failed("could not parse account ID"))?;
    Address::parse(&url).ok_or_else(|| failed("base-url-nerdgraph is not a URL"))?;
    let mut request = HttpRequest::get(url);
    inquiry.conceal(&api_key);
    headers::set_header(&mut request, "Api-Key", api_key);
    let variables = json!({"accountId": account, "query": new_relic.query, "timeout": limit.as_secs()});
    let mut data = graphql::ask(request, QUERY, &variables, limit + ON_THE_WAY, inquiry)?;
    let nothing = || failed("no results returned from NRQL query");
    let Value::Array(mut rows) = data["actor"]["account"]["nrql"]["results"].take() else {
        return Err(nothing());
    };
    let result = match (rows.len(), rows.pop()) {
        (0, _) | (_, None) => return Err(nothing()),
        (1, Some(Value::Object(row))) if row.is_empty() => return Err(nothing()),
        (1, Some(row)) => row,
        (_, Some(last)) => rows.into_iter().chain([last]).collect(),
    };
    Ok(Finding::Result(Reading::json(result)))
}

/// The server of a region.
fn server(region: Option<&str>) -> Result<&'static str, Unfinished> {
    match region.unwrap_or("us").to_lowercase().as_str() {
        "us" => Ok("https://api.newrelic.com/graphql"),
        "eu" => Ok("https://api.eu.newrelic.com/graphql"),
        "staging" => Ok("https://staging-api.newrelic.com/graphql"),
        other => Err(failed(format!("unknown region \"{other}\" in the Secret: us, eu or staging"))),
    }
}
