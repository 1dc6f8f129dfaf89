//! Autoscalers: one storage, seen in the second version and in the first, which keeps in annotations what it has no
//! fields for.

use serde_json::{Value, json};

use super::super::codec::{self, Reader};
use super::super::store::object::{at, items, members, remove, set, text};
use super::text::{self as json_text, Names};
use serin_kubernetes::types::Shape;

const METRICS: &str = "autoscaling.alpha.kubernetes.io/metrics";
const CURRENT_METRICS: &str = "autoscaling.alpha.kubernetes.io/current-metrics";
const CONDITIONS: &str = "autoscaling.alpha.kubernetes.io/conditions";
const BEHAVIOR: &str = "autoscaling.alpha.kubernetes.io/behavior";

/// The annotations that no version shows but as fields.
const ANNOTATIONS: [&str; 6] = [
    METRICS,
    CURRENT_METRICS,
    CONDITIONS,
    BEHAVIOR,
    "autoscaling.alpha.kubernetes.io/scale-down-tolerance",
    "autoscaling.alpha.kubernetes.io/scale-up-tolerance",
];

const BEHAVIOR_TYPE: Shape = Shape::Object("autoscaling/v2.HorizontalPodAutoscalerBehavior");
const CONDITION_TYPE: &str = "autoscaling/v1.HorizontalPodAutoscalerCondition";

/// What a target is aimed at where nothing else is.
const CPU_DEFAULT: i32 = 80;

/// The same of a metric in both versions: a path in the second, and a field of the first.
type Same = (&'static [&'static str], &'static str);

/// Metrics in both versions, as they are asked for or as they are.
struct Metrics {
    /// Type of one in the first version.
    first: &'static str,
    /// Type of one in the second version.
    second: &'static str,
    /// Kind of metric, and its fields.
    kinds: [(&'static str, &'static [Same]); 5],
}

const NAME: Same = (&["name"], "name");
const CONTAINER: Same = (&["container"], "container");
const METRIC: Same = (&["metric", "name"], "metricName");
const SELECTOR: Same = (&["metric", "selector"], "selector");
const METRIC_SELECTOR: Same = (&["metric", "selector"], "metricSelector");
const DESCRIBED: Same = (&["describedObject"], "target");

const TARGET_USE: Same = (&["target", "averageUtilization"], "targetAverageUtilization");
const TARGET_AVERAGE: Same = (&["target", "averageValue"], "targetAverageValue");
const TARGET_VALUE: Same = (&["target", "value"], "targetValue");
const CURRENT_USE: Same = (&["current", "averageUtilization"], "currentAverageUtilization");
const CURRENT_AVERAGE: Same = (&["current", "averageValue"], "currentAverageValue");
const CURRENT_VALUE: Same = (&["current", "value"], "currentValue");

const WANTED: Metrics = Metrics {
    first: "autoscaling/v1.MetricSpec",
    second: "autoscaling/v2.MetricSpec",
    kinds: [
        (
            "object",
            &[DESCRIBED, METRIC, SELECTOR, TARGET_VALUE, (&["target", "averageValue"], "averageValue")],
        ),
        ("pods", &[METRIC, SELECTOR, TARGET_AVERAGE]),
        ("resource", &[NAME, TARGET_USE, TARGET_AVERAGE]),
        ("containerResource", &[NAME, CONTAINER, TARGET_USE, TARGET_AVERAGE]),
        ("external", &[METRIC, METRIC_SELECTOR, TARGET_VALUE, TARGET_AVERAGE]),
    ],
};

const FOUND: Metrics = Metrics {
    first: "autoscaling/v1.MetricStatus",
    second: "autoscaling/v2.MetricStatus",
    kinds: [
        (
            "object",
            &[DESCRIBED, METRIC, SELECTOR, CURRENT_VALUE, (&["current", "averageValue"], "averageValue")],
        ),
        ("pods", &[METRIC, SELECTOR, CURRENT_AVERAGE]),
        ("resource", &[NAME, CURRENT_USE, CURRENT_AVERAGE]),
        ("containerResource", &[NAME, CONTAINER, CURRENT_USE, CURRENT_AVERAGE]),
        ("external", &[METRIC, METRIC_SELECTOR, CURRENT_VALUE, CURRENT_AVERAGE]),
    ],
};

impl Metrics {
    fn to_first(&self, metric: &Value) -> Value {
        self.converted(self.first, metric, |block, same, found| {
            for (path, field) in same {
                put(found, &[field], at(block, path));
            }
        })
    }

    fn to_second(&self, metric: &Value) -> Value {
        self.converted(self.second, metric, |block, same, found| {
            for (path, field) in same {
                put(found, path, at(block, &[field]));
            }
        })
    }

    fn converted(&self, into: &str, metric: &Value, convert: impl Fn(&Value, &[Same], &mut Value)) -> Value {
        let mut found = json!({"type": metric["type"]});
        for (kind, same) in self.kinds {
            if let Some(block) = metric.get(kind).filter(|block| !block.is_null()) {
                found[kind] = json!({});
                convert(block, same, &mut found[kind]);
                aim(kind, &mut found[kind]);
            }
        }
        read(into, &found).unwrap_or(found)
    }
}

fn put(object: &mut Value, path: &[&str], value: &Value) {
    if !value.is_null() {
        set(object, path, value.clone());
    }
}

/// Says what a target of the second version is, which the first leaves to its fields.
fn aim(kind: &str, block: &mut Value) {
    if !block["target"].is_object() || kind == "object" && block.get("describedObject").is_none() {
        return;
    }
    let has = |field: &str| !at(block, &["target", field]).is_null();
    let by_value = match kind {
        "object" => !has("averageValue"),
        _ => has("value"),
    };
    let aim = if has("averageUtilization") {
        "Utilization"
    } else if by_value {
        "Value"
    } else {
        "AverageValue"
    };
    if !by_value && at(block, &["target", "value"]) == "0" {
        remove(block, &["target", "value"]);
    }
    set(block, &["target", "type"], aim.into());
}

/// A value as its type has it.
fn read(type_name: &str, value: &Value) -> Option<Value> {
    codec::decode(type_name, value, Reader::Json)?.ok().map(|decoded| decoded.object)
}

/// Whether a metric is the one that the first version has a field for.
fn is_cpu(metric: &Value) -> bool {
    metric["type"] == "Resource" && at(metric, &["resource", "name"]) == "cpu"
}

/// An autoscaler of the second version in the first.
pub(super) fn to_first(second: &Value) -> Value {
    let mut first = second.clone();
    let (spec, status) = (at(second, &["spec"]), at(second, &["status"]));
    for path in
        [["spec", "metrics"], ["spec", "behavior"], ["status", "currentMetrics"], ["status", "conditions"]]
    {
        remove(&mut first, &path);
    }
    drop_annotations(&mut first);
    let used = ["resource", "target", "averageUtilization"];
    let has_field = |metric: &&Value| is_cpu(metric) && !at(metric, &used).is_null();
    let metrics = items(spec, &["metrics"]);
    if let Some(metric) = metrics.iter().find(has_field) {
        set(&mut first, &["spec", "targetCPUUtilizationPercentage"], at(metric, &used).clone());
    }
    let others: Vec<Value> =
        metrics.iter().filter(|metric| !has_field(metric)).map(|metric| WANTED.to_first(metric)).collect();
    annotate(&mut first, METRICS, WANTED.first, others);
    let current = items(status, &["currentMetrics"]);
    let found = |metric: &Value| at(metric, &["resource", "current", "averageUtilization"]).clone();
    let mut percentages = current.iter().filter(|metric| is_cpu(metric)).map(found);
    if let Some(percentage) = percentages.rfind(|value| !value.is_null()) {
        set(&mut first, &["status", "currentCPUUtilizationPercentage"], percentage);
    }
    annotate(
        &mut first,
        CURRENT_METRICS,
        FOUND.first,
        current.iter().map(|metric| FOUND.to_first(metric)).collect(),
    );
    annotate(&mut first, CONDITIONS, CONDITION_TYPE, items(status, &["conditions"]).to_vec());
    if spec["behavior"].is_object() {
        let text = json_text::write(&BEHAVIOR_TYPE, &spec["behavior"], Names::Own);
        set(&mut first, &["metadata", "annotations", BEHAVIOR], text.into());
    }
    normal("autoscaling/v1.HorizontalPodAutoscaler", first)
}

fn annotate(object: &mut Value, annotation: &str, type_name: &'static str, values: Vec<Value>) {
    if !values.is_empty() {
        let list = Shape::List(None, Box::new(Shape::Object(type_name)));
        let text = json_text::write(&list, &Value::Array(values), Names::Api);
        set(object, &["metadata", "annotations", annotation], text.into());
    }
}

/// An autoscaler of the first version in the second.
pub(super) fn to_second(first: Value) -> Value {
    let mut second = first;
    let annotation = |object: &Value, name: &str| {
        serde_json::from_str::<Value>(text(object, &["metadata", "annotations", name])).ok()
    };
    let by_cpu = |percentage: Value| {
        json!({"type": "Resource", "resource": {"name": "cpu",
        "target": {"type": "Utilization", "averageUtilization": percentage}}})
    };
    let list = |metrics: &Metrics, value: Option<Value>| -> Vec<Value> {
        let value = value.unwrap_or_default();
        value.as_array().into_iter().flatten().map(|metric| metrics.to_second(metric)).collect()
    };
    let mut metrics = list(&WANTED, annotation(&second, METRICS));
    metrics.extend(remove(&mut second, &["spec", "targetCPUUtilizationPercentage"]).map(by_cpu));
    if metrics.is_empty() {
        metrics.push(by_cpu(CPU_DEFAULT.into()));
    }
    set(&mut second, &["spec", "metrics"], metrics.into());
    let behavior = annotation(&second, BEHAVIOR).map(|text| json_text::with_api_names(&BEHAVIOR_TYPE, &text));
    if let Some(behavior) =
        behavior.filter(|behavior| behavior.as_object().is_some_and(|parts| !parts.is_empty()))
    {
        set(&mut second, &["spec", "behavior"], behavior);
    }
    let percentage = remove(&mut second, &["status", "currentCPUUtilizationPercentage"]);
    let found = list(&FOUND, annotation(&second, CURRENT_METRICS));
    if !found.is_empty() {
        set(&mut second, &["status", "currentMetrics"], found.into());
    } else if let Some(percentage) = percentage {
        let metric = json!({"type": "Resource", "resource": {"name": "cpu",
            "current": {"averageUtilization": percentage}}});
        set(&mut second, &["status", "currentMetrics"], json!([metric]));
    }
    if let Some(conditions) = annotation(&second, CONDITIONS) {
        set(&mut second, &["status", "conditions"], conditions);
    }
    drop_annotations(&mut second);
    normal("autoscaling/v2.HorizontalPodAutoscaler", second)
}

fn drop_annotations(object: &mut Value) {
    for name in ANNOTATIONS {
        remove(object, &["metadata", "annotations", name]);
    }
    if at(object, &["metadata", "annotations"]).as_object().is_some_and(serde_json::Map::is_empty) {
        remove(object, &["metadata", "annotations"]);
    }
}

/// An object as its type has it; `kind` and `apiVersion` stay.
fn normal(type_name: &str, object: Value) -> Value {
    let Some(mut decoded) = read(type_name, &object) else { return object };
    for field in ["kind", "apiVersion"] {
        members(&mut decoded).insert(field.to_owned(), object[field].clone());
    }
    decoded
}
