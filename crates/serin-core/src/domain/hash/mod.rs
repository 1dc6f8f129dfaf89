//! Short identities of a pod template and of a list of canary steps.
//!
//! Both hash the JSON that the reference's Go types would be written as, so that ReplicaSets and statuses made by
//! the reference keep their identity. The Go types are data here (`layout`); the text is made by `render`.

mod container_layout;
mod defaults;
mod layout;
mod meta_layout;
mod pod_layout;
mod render;
mod step_layout;
mod volume_layout;

use serde_json::Value;
use serin_values::text_hash::{text_hash, text_hash_after};

use self::pod_layout::POD_TEMPLATE_SPEC;
use self::render::{Style, render_list, render_struct};
use self::step_layout::CANARY_STEP;

/// The pod hash of `template`, as the reference computes it since 1.9.
///
/// `template` is `.spec.template` as stored, without the hash label and without injected metadata. A set
/// `collision_count` moves the hash, even a zero.
#[must_use]
pub fn pod_template_hash(template: &Value, collision_count: Option<i32>) -> String {
    template_hash(template, collision_count, Style::Current)
}

/// The pod hash of `template`, as the reference versions 1.2 to 1.8 computed it: every unset `creationTimestamp` is
/// part of the hashed text. It finds ReplicaSets that those versions made.
#[must_use]
pub fn pod_template_hash_legacy_null_timestamp(template: &Value, collision_count: Option<i32>) -> String {
    template_hash(template, collision_count, Style::NullTimestamps)
}

/// The hash of `.spec.strategy.canary.steps`; a missing list has a hash, too, and an empty one is the same as a
/// missing one.
#[must_use]
pub fn step_hash(steps: Option<&Value>) -> String {
    text_hash(&step_text(steps))
}

/// The text that [`step_hash`] is the hash of.
#[must_use]
pub fn step_text(steps: Option<&Value>) -> String {
    let steps = steps.filter(|steps| steps.as_array().is_some_and(|steps| !steps.is_empty()));
    render_list(&CANARY_STEP, steps, Style::Current)
}

/// A text that is the same for two templates exactly when Kubernetes holds them to be equal: the notation of
/// quantities, missing against empty lists, and defaults of the API server make no difference.
pub(super) fn semantic_text(template: &Value) -> String {
    render_struct(&POD_TEMPLATE_SPEC, template, Style::Semantic)
}

fn template_hash(template: &Value, collision_count: Option<i32>, style: Style) -> String {
    text_hash_after(&render_struct(&POD_TEMPLATE_SPEC, template, style), collision_count)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn container_with_quantities(cpu: &Value, request: &Value, memory: &str) -> Value {
        json!({"metadata": {"labels": {"foo": "bar"}}, "spec": {"containers": [{
            "name": "container-name", "image": "foo/bar", "resources": {
                "limits": {"cpu": cpu, "memory": memory}, "requests": {"cpu": request, "memory": memory}}}]}})
    }

    fn demo(name: &str, gates: &Value) -> Value {
        json!({"metadata": {"labels": {"app": name}}, "spec": {"readinessGates": gates, "containers": [{
            "name": name, "image": "nginx:1.19-alpine", "ports": [{"name": "http", "containerPort": 80, "protocol": "TCP"}],
            "resources": {"requests": {"cpu": "5m", "memory": "16Mi"}}}]}})
    }

    #[test]
    fn hash_with_and_without_null_timestamps() {
        let gates = json!([{"conditionType": "argoproj.io/e2e-readiness"}]);
        for (template, current, legacy) in [
            (json!({}), "658c46c486", "76bbb58f74"),
            (demo("canary-scaledowndelay", &Value::Null), "674d8cf959", "66597877b7"),
            (demo("dynamic-stable-scale", &gates), "6b56c8cdb4", "868d98995b"),
        ] {
            assert_eq!(pod_template_hash(&template, None), current);
            assert_eq!(pod_template_hash_legacy_null_timestamp(&template, None), legacy);
        }
    }

    #[test]
    fn hash_does_not_depend_on_notation_of_quantities() {
        for (cpu, request) in
            [(json!("2000m"), json!("150m")), (json!("2"), json!("0.15")), (json!(2), json!(0.15))]
        {
            let template = container_with_quantities(&cpu, &request, "8192M");
            assert_eq!(pod_template_hash(&template, None), "6f496f9f78");
        }
    }

    #[test]
    fn collision_counts_move_the_hash() {
        let template = demo("canary-scaledowndelay", &Value::Null);
        for (count, hash) in [(0, "68785fb4f5"), (1, "dbc977b9d"), (2, "79f9d7d965")] {
            assert_eq!(pod_template_hash(&template, Some(count)), hash);
        }
    }

    #[test]
    fn step_hashes() {
        for (steps, hash) in [
            (Value::Null, "5ffbfbbd64"),
            (json!([]), "5ffbfbbd64"),
            (json!([{"pause": {}}]), "6b9b86fbd5"),
            (json!([{"pause": {}}, {"pause": {}}]), "79c9b9f6bf"),
            (json!([{"setWeight": 20}, {"pause": {"duration": "1h"}}]), "6d87b67cf8"),
        ] {
            assert_eq!(step_hash(Some(&steps)), hash);
        }
        assert_eq!(step_hash(None), "5ffbfbbd64");
    }
}
