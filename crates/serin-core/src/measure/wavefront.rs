//! The provider `wavefront`.

use std::time::Duration;

use serde_json::Value;

use super::address::Address;
use super::inquiry::Inquiry;
use super::port::{Datum, Finding, Reading, Scene, Unfinished, failed};
use super::{body, headers, notation};
use crate::api::metric::WavefrontMetric;
use crate::domain::effect::HttpRequest;

/// The Secret with a token for each address.
const SECRET: &str = "wavefront-api-tokens";

/// The time for an answer.
const LIMIT: Duration = Duration::from_secs(30);

/// A point of a series.
struct Point {
    at: i64,
    /// Seconds from the time of the measurement.
    drift: i64,
    number: f64,
}

/// Sends the query, and gives the point of each series that is nearest to now.
pub(super) fn measure(
    wavefront: &WavefrontMetric,
    scene: &Scene<'_>,
    inquiry: &mut Inquiry<'_>,
) -> Result<Finding, Unfinished> {
    let address = wavefront.address.as_deref().unwrap_or_default();
    let token = inquiry.secret_key(&scene.settings.namespace, SECRET, address)?;
    let token = token.filter(|token| !token.is_empty()).ok_or_else(|| failed("API token not found"))?;
    inquiry.conceal(&token);
    let url = if address.contains("://") { address.to_owned() } else { format!("https://{address}") };
    let server =
        Address::parse(&url).ok_or_else(|| failed("provider.wavefront.address is not an address"))?;
    let now = scene.at.as_second();
    let time = now.saturating_mul(1000).to_string();
    let query = wavefront.query.as_deref().unwrap_or_default();
    let pairs = [("e", time.as_str()), ("g", "s"), ("i", "true"), ("p", "1"), ("q", query), ("s", &time)];
    let mut request = HttpRequest::get(server.join("/api/v2/chart/api", &pairs));
    headers::set_header(&mut request, "Authorization", format!("Bearer {token}"));
    let response = inquiry.exchange("query", request, LIMIT)?;
    if response.status != 200 {
        let quoted = body::quote(response.body);
        return Err(failed(format!("server returned {}: {quoted}", response.status)));
    }
    reading(&body::json(response.body)?, now).map(Finding::Result)
}

fn reading(answer: &Value, now: i64) -> Result<Reading, Unfinished> {
    let series = answer["timeseries"].as_array().map_or(&[][..], Vec::as_slice);
    let points: Vec<_> = series.iter().filter_map(|one| nearest(&one["data"], now)).collect();
    let mut reading = match points.as_slice() {
        [] => return Err(failed("No TimeSeries found in response from Wavefront")),
        [point] => Reading::new(Datum::Float(point.number), short(point)),
        several => {
            let numbers = several.iter().map(|point| point.number).collect();
            Reading::new(Datum::Floats(numbers), notation::list(several, ",", short))
        }
    };
    let shown = |text: fn(&Point) -> String| match points.as_slice() {
        [point] => text(point),
        several => notation::list(several, ",", text),
    };
    let warnings = answer["warnings"].as_str().filter(|text| !text.is_empty());
    let facts = [
        ("timestamps", Some(shown(|point| point.at.to_string()))),
        ("drift", Some(shown(|point| point.drift.to_string()))),
        ("warnings", warnings.map(str::to_owned)),
    ];
    let facts = facts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?)));
    reading.metadata = facts.collect();
    Ok(reading)
}

/// A number with two decimals.
fn short(point: &Point) -> String {
    format!("{:.2}", point.number)
}

/// The point of a series that is nearest to a time, the first of equals.
fn nearest(data: &Value, now: i64) -> Option<Point> {
    let points = data.as_array()?.iter().filter_map(|point| {
        #[allow(clippy::cast_possible_truncation, reason = "times are whole seconds")]
        let at = point.get(0)?.as_f64()? as i64;
        Some(Point { at, drift: at.saturating_sub(now), number: point.get(1)?.as_f64()? })
    });
    points.min_by_key(|point| point.drift.saturating_abs())
}
