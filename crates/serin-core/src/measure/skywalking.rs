//! The provider `skywalking`: a query in GraphQL.

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::address::Address;
use super::inquiry::Inquiry;
use super::port::{Finding, Reading, Scene, Unfinished, failed};
use super::{graphql, span};
use crate::api::metric::SkyWalkingMetric;
use crate::domain::effect::HttpRequest;

/// The time that is asked about if the metric says none.
const INTERVAL: SignedDuration = SignedDuration::from_mins(5);

/// The time for an answer.
const LIMIT: Duration = Duration::from_secs(30);

/// Sends the query, and gives the data of the answer.
pub(super) fn measure(
    skywalking: &SkyWalkingMetric,
    scene: &Scene<'_>,
    inquiry: &mut Inquiry<'_>,
) -> Result<Finding, Unfinished> {
    let address = Address::parse(skywalking.address.as_deref().unwrap_or_default());
    let address = address.ok_or_else(|| failed("provider.skywalking.address is not a URL"))?;
    let interval = span::duration("provider.skywalking.interval", skywalking.interval.as_deref())?;
    let start = span::before(scene.at, interval.unwrap_or(INTERVAL));
    let variables = json!({"duration": {"start": minute(start), "end": minute(scene.at), "step": "MINUTE"}});
    let request = HttpRequest::get(address.join("/graphql", &[]));
    let query = skywalking.query.as_deref().unwrap_or_default();
    let data = graphql::ask(request, query, &variables, LIMIT, inquiry)?;
    if data.is_null() {
        return Err(failed("no results returned from SkyWalking query"));
    }
    Ok(Finding::Result(Reading::json(data)))
}

/// A time in whole minutes, in UTC.
fn minute(time: Timestamp) -> String {
    time.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H%M").to_string()
}
