//! What a canary step is called in events.

use serde_json::Value;

/// A short description of a step of `.spec.strategy.canary.steps`, such as `setWeight: 20` or `pause: 1h`.
///
/// Of a step with several kinds the first counts; one with none is `invalid`.
#[must_use]
pub fn step_label(step: &Value) -> String {
    let of = |kind: &str| step.get(kind).filter(|value| !value.is_null());
    let name_of = |step: &Value| text(step.get("name"));
    if let Some(weight) = of("setWeight") {
        return format!("setWeight: {weight}");
    }
    if let Some(pause) = of("pause") {
        return match pause.get("duration").filter(|duration| !duration.is_null()) {
            Some(duration) => format!("pause: {}", text(Some(duration))),
            None => "pause".to_owned(),
        };
    }
    for kind in ["experiment", "analysis"] {
        if of(kind).is_some() {
            return kind.to_owned();
        }
    }
    if let Some(scale) = of("setCanaryScale") {
        return scale_label(scale);
    }
    for kind in ["plugin", "setHeaderRoute", "setMirrorRoute"] {
        if let Some(step) = of(kind) {
            return format!("{kind}: {}", name_of(step));
        }
    }
    "invalid".to_owned()
}

fn scale_label(scale: &Value) -> String {
    if let Some(weight) = scale.get("weight").filter(|weight| !weight.is_null()) {
        return format!("setCanaryScale{{weight: {weight}}}");
    }
    if scale.get("matchTrafficWeight") == Some(&Value::Bool(true)) {
        return "setCanaryScale{matchTrafficWeight: true}".to_owned();
    }
    match scale.get("replicas").filter(|replicas| !replicas.is_null()) {
        Some(replicas) => format!("setCanaryScale{{replicas: {replicas}}}"),
        None => "invalid".to_owned(),
    }
}

/// A string without its quotes; any other value as JSON.
fn text(value: Option<&Value>) -> String {
    value.map_or_else(String::new, |value| {
        value.as_str().map_or_else(|| value.to_string(), str::to_owned)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn labels() {
        for (step, label) in [
            (json!({"setWeight": 20}), "setWeight: 20"),
            (json!({"pause": {}}), "pause"),
            (json!({"pause": {"duration": "1h"}}), "pause: 1h"),
            (json!({"pause": {"duration": 10}}), "pause: 10"),
            (json!({"experiment": {"templates": []}}), "experiment"),
            (json!({"analysis": {"templates": []}}), "analysis"),
            (
                json!({"setCanaryScale": {"weight": 5, "replicas": 1}}),
                "setCanaryScale{weight: 5}",
            ),
            (
                json!({"setCanaryScale": {"matchTrafficWeight": true}}),
                "setCanaryScale{matchTrafficWeight: true}",
            ),
            (
                json!({"setCanaryScale": {"replicas": 3}}),
                "setCanaryScale{replicas: 3}",
            ),
            (json!({"setCanaryScale": {}}), "invalid"),
            (json!({"plugin": {"name": "org/step"}}), "plugin: org/step"),
            (
                json!({"setHeaderRoute": {"name": "beta"}}),
                "setHeaderRoute: beta",
            ),
            (
                json!({"setMirrorRoute": {"name": "copy"}}),
                "setMirrorRoute: copy",
            ),
            (json!({"setWeight": null}), "invalid"),
        ] {
            assert_eq!(step_label(&step), label);
        }
    }
}
