//! Rows of what limits numbers of pods: disruption budgets and autoscalers.

use serde_json::Value;

use super::column::{AGE, BuiltIn, NAME, number as count, text as column};
use super::format::{NONE, items, name, number as whole, scalar, shortened, text};
use serin_kubernetes::age;

pub(super) fn find(group: &str, plural: &str) -> Option<BuiltIn> {
    match (group, plural) {
        ("policy", "poddisruptionbudgets") => Some(BUDGETS),
        ("autoscaling", "horizontalpodautoscalers") => Some(AUTOSCALERS),
        _ => None,
    }
}

const BUDGETS: BuiltIn = BuiltIn {
    columns: &[
        NAME,
        column("Min Available").meaning("The minimum number of pods that must be available."),
        column("Max Unavailable").meaning("The maximum number of pods that may be unavailable."),
        count("Allowed Disruptions").meaning("Calculated number of pods that may be disrupted at this time."),
        AGE,
    ],
    cells: |budget, now| {
        let bound = |field: &str| {
            let bound = &budget["spec"][field];
            Value::from(if bound.is_null() { "N/A".to_owned() } else { scalar(bound) })
        };
        vec![
            name(budget),
            bound("minAvailable"),
            bound("maxUnavailable"),
            whole(&budget["status"]["disruptionsAllowed"]).into(),
            age::of(budget, now),
        ]
    },
};

const AUTOSCALERS: BuiltIn = BuiltIn {
    columns: &[
        NAME,
        column("Reference").of("autoscaling/v2.HorizontalPodAutoscalerSpec", "scaleTargetRef"),
        column("Targets").of("autoscaling/v2.HorizontalPodAutoscalerSpec", "metrics"),
        column("MinPods").of("autoscaling/v2.HorizontalPodAutoscalerSpec", "minReplicas"),
        column("MaxPods").of("autoscaling/v2.HorizontalPodAutoscalerSpec", "maxReplicas"),
        column("Replicas").of("autoscaling/v2.HorizontalPodAutoscalerStatus", "currentReplicas"),
        AGE,
    ],
    cells: |autoscaler, now| {
        let (spec, status) = (&autoscaler["spec"], &autoscaler["status"]);
        let target = &spec["scaleTargetRef"];
        let least =
            spec["minReplicas"].as_i64().map_or_else(|| "<unset>".to_owned(), |least| least.to_string());
        vec![
            name(autoscaler),
            format!("{}/{}", text(&target["kind"]), text(&target["name"])).into(),
            targets(spec, status).into(),
            least.into(),
            whole(&spec["maxReplicas"]).into(),
            whole(&status["currentReplicas"]).into(),
            age::of(autoscaler, now),
        ]
    },
};

/// How many metrics are printed.
const SHOWN: usize = 2;

fn targets(spec: &Value, status: &Value) -> String {
    // The first version knows the CPU only, and has fields for it.
    if let Some(target) = spec["targetCPUUtilizationPercentage"].as_i64() {
        let current = &status["currentCPUUtilizationPercentage"];
        return format!(
            "cpu: {}/{target}%",
            current.as_i64().map_or_else(unknown, |current| format!("{current}%"))
        );
    }
    let metrics = items(&spec["metrics"]);
    if metrics.is_empty() {
        return NONE.to_owned();
    }
    let current = items(&status["currentMetrics"]);
    let shown: Vec<String> = metrics
        .iter()
        .enumerate()
        .map(|(index, metric)| target(metric, current.get(index).unwrap_or(&Value::Null)))
        .collect();
    shortened(&shown, SHOWN, ", ")
}

fn unknown() -> String {
    age::UNKNOWN.to_owned()
}

/// `CURRENT/TARGET` of one metric.
fn target(metric: &Value, current: &Value) -> String {
    let (field, is_resource, marks_average) = match text(&metric["type"]) {
        "External" => ("external", false, true),
        "Pods" => ("pods", false, false),
        "Object" => ("object", false, true),
        "Resource" => ("resource", true, false),
        "ContainerResource" => ("containerResource", true, false),
        _ => return "<unknown type>".to_owned(),
    };
    let (wanted, now) = (&metric[field]["target"], &current[field]["current"]);
    let prefix = if is_resource { format!("{}: ", text(&metric[field]["name"])) } else { String::new() };
    let quantity = |value: &Value| if value.is_null() { unknown() } else { scalar(value) };
    if !wanted["averageValue"].is_null() {
        let mark = if marks_average { " (avg)" } else { "" };
        return format!(
            "{prefix}{}/{}{mark}",
            quantity(&now["averageValue"]),
            scalar(&wanted["averageValue"])
        );
    }
    if is_resource {
        let percent = |value: &Value, absent: &str| {
            value.as_i64().map_or_else(|| absent.to_owned(), |value| format!("{value}%"))
        };
        let used = percent(&now["averageUtilization"], age::UNKNOWN);
        return format!("{prefix}{used}/{}", percent(&wanted["averageUtilization"], "<auto>"));
    }
    format!("{}/{}", quantity(&now["value"]), quantity(&wanted["value"]))
}
