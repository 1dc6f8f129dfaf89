//! The provider `kayenta`: begins an analysis, and looks at it until it is complete.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::address::{Address, escape_segment};
use super::inquiry::{Inquiry, Response};
use super::port::{Finding, Scene, Unfinished, failed};
use super::{body, headers, span};
use crate::api::analysis::AnalysisPhase;
use crate::api::metric::{KayentaMetric, KayentaScope, KayentaScopeDetail, Metric};
use crate::domain::effect::HttpRequest;

/// The time for an answer.
const LIMIT: Duration = Duration::from_secs(15);

/// The time between two looks.
const DELAY: SignedDuration = SignedDuration::from_secs(15);

/// The entry of `metadata` that names the analysis.
const EXECUTION: &str = "canaryExecutionId";

/// Begins the analysis, or looks at the one that was begun.
pub(super) fn measure(
    kayenta: &KayentaMetric,
    metric: &Metric,
    scene: &Scene<'_>,
    inquiry: &mut Inquiry<'_>,
) -> Result<Finding, Unfinished> {
    let address = Address::parse(&kayenta.address);
    let address = address.ok_or_else(|| failed("provider.kayenta.address is not a URL"))?;
    let execution = scene.begun.and_then(|begun| begun.metadata.get(EXECUTION));
    let Some(execution) = execution else {
        return begin(address, kayenta, metric, scene, inquiry);
    };
    let url = address.join(&format!("/canary/{}", escape_segment(execution)), &[]);
    let answer = answer(inquiry.exchange("look", HttpRequest::get(url), LIMIT)?, "Invalid Response")?;
    match answer["complete"].as_bool() {
        Some(true) => verdict(&answer, kayenta),
        Some(false) => Err(later(execution, scene, inquiry)),
        None => Err(failed("Missing Complete Status")),
    }
}

fn begin(
    address: Address<'_>,
    kayenta: &KayentaMetric,
    metric: &Metric,
    scene: &Scene<'_>,
    inquiry: &mut Inquiry<'_>,
) -> Result<Finding, Unfinished> {
    let body = json!({
        "scopes": scopes(kayenta, metric, scene)?,
        "thresholds": {"pass": kayenta.threshold.pass, "marginal": kayenta.threshold.marginal},
    });
    let application = ("application", kayenta.application.as_str());
    let configuration = ("configurationAccountName", kayenta.configuration_account_name.as_str());
    let url = address.join("/canaryConfig", &[application, configuration]);
    let response = inquiry.exchange("configuration", HttpRequest::get(url), LIMIT)?;
    let status = response.status;
    let configurations = answer(response, &format!("Invalid Response: HTTP {status}"))?;
    let wanted = configurations.as_array().into_iter().flatten();
    let mut wanted = wanted.filter(|one| one["name"].as_str() == Some(&kayenta.canary_config_name));
    let id = wanted.find_map(|one| one["id"].as_str());
    let id = id.ok_or_else(|| failed("Canary config not found"))?;
    let accounts = [
        application,
        ("metricsAccountName", kayenta.metrics_account_name.as_str()),
        configuration,
        ("storageAccountName", kayenta.storage_account_name.as_str()),
    ];
    let url = address.join(&format!("/canary/{}", escape_segment(id)), &accounts);
    let mut request = HttpRequest::post(url, body.to_string());
    headers::set_header(&mut request, "Content-Type", "application/json");
    let answer = answer(inquiry.exchange("begin", request, LIMIT)?, "Invalid Response")?;
    let execution = answer[EXECUTION].as_str().filter(|id| !id.is_empty());
    let execution = execution.ok_or_else(|| failed("Invalid canaryExecutionId"))?;
    Err(later(execution, scene, inquiry))
}

/// Looks again after a while.
fn later(execution: &str, scene: &Scene<'_>, inquiry: &Inquiry<'_>) -> Unfinished {
    let now = inquiry.begun().unwrap_or(scene.at);
    let metadata = [(EXECUTION.to_owned(), execution.to_owned())].into();
    Unfinished::Later { at: now.checked_add(DELAY).unwrap_or(Timestamp::MAX), metadata }
}

fn answer(response: Response<'_>, problem: &str) -> Result<Value, Unfinished> {
    if response.status == 200 { body::json(response.body) } else { Err(failed(problem)) }
}

fn scopes(
    kayenta: &KayentaMetric,
    metric: &Metric,
    scene: &Scene<'_>,
) -> Result<Map<String, Value>, Unfinished> {
    let scopes = kayenta.scopes.iter().map(|scope| {
        check_times(scope)?;
        let side = |detail: &KayentaScopeDetail| {
            Ok(json!({
                "scope": detail.scope,
                "location": detail.region,
                "step": detail.step,
                "start": start(detail, kayenta, metric, scene)?,
                "end": if detail.end.is_empty() { whole(scene.at) } else { detail.end.clone() },
            }))
        };
        let sides = json!({
            "controlScope": side(&scope.control_scope)?,
            "experimentScope": side(&scope.experiment_scope)?,
        });
        Ok((scope.name.clone(), sides))
    });
    scopes.collect()
}

/// Refuses a time that only one side has.
fn check_times(scope: &KayentaScope) -> Result<(), Unfinished> {
    let (control, experiment) = (&scope.control_scope, &scope.experiment_scope);
    for (field, one, other) in
        [("start", &control.start, &experiment.start), ("end", &control.end, &experiment.end)]
    {
        if one.is_empty() != other.is_empty() {
            let said =
                format!("controlScope.{field} and experimentScope.{field} must both be set or be empty");
            return Err(failed(said));
        }
    }
    Ok(())
}

/// The start of the time that is compared: that of the side, or that of the run, or an interval ago.
fn start(
    detail: &KayentaScopeDetail,
    kayenta: &KayentaMetric,
    metric: &Metric,
    scene: &Scene<'_>,
) -> Result<String, Unfinished> {
    if !detail.start.is_empty() {
        return Ok(detail.start.clone());
    }
    if kayenta.lookback {
        return Ok(whole(scene.run_started.unwrap_or(scene.at)));
    }
    let interval = span::duration("interval", metric.interval.as_deref())?;
    let interval = interval.ok_or_else(|| failed("interval must be set: a scope has no start"))?;
    Ok(whole(span::before(scene.at, interval)))
}

/// A time in whole seconds.
fn whole(time: Timestamp) -> String {
    Timestamp::from_second(time.as_second()).unwrap_or(time).to_string()
}

/// What the score means.
fn verdict(answer: &Value, kayenta: &KayentaMetric) -> Result<Finding, Unfinished> {
    let score = answer["result"]["judgeResult"]["score"]["score"].as_f64();
    let score = score.ok_or_else(|| failed("Missing Score"))?.trunc();
    let threshold = &kayenta.threshold;
    #[allow(clippy::cast_precision_loss, reason = "scores are percents")]
    let (pass, marginal) = (threshold.pass as f64, threshold.marginal as f64);
    let phase = if score >= pass {
        AnalysisPhase::Successful
    } else if score >= marginal {
        AnalysisPhase::Inconclusive
    } else {
        AnalysisPhase::Failed
    };
    Ok(Finding::Verdict { phase, message: None, value: format!("{score:.0}") })
}
