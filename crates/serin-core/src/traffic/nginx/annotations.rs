//! The annotations of a canary Ingress.

use serde_json::{Map, Value};

use super::router::{CLASS_ANNOTATION, NginxRouter};
use crate::traffic::error::TrafficError;

/// ingress-nginx splits by 100 whenever `canary-weight-total` is not above it.
const SMALLEST_TOTAL_HONOURED: i64 = 101;

/// The annotations that the canary Ingress must have, later sources winning over earlier ones.
pub(super) fn desired(
    router: &NginxRouter<'_>,
    stable: &Value,
    weight: i32,
) -> Result<Map<String, Value>, TrafficError> {
    let prefix = router.annotation_prefix;
    let mut wanted = Map::new();
    let class = stable.pointer("/metadata/annotations").and_then(|all| all.get(CLASS_ANNOTATION));
    if let Some(class) = class {
        wanted.insert(CLASS_ANNOTATION.to_owned(), class.clone());
    }
    for (key, value) in router.additional_annotations {
        wanted.insert(with_prefix(prefix, key)?, Value::from(value.as_str()));
    }
    for (key, value) in router.canary_annotations {
        wanted.insert(key.clone(), Value::from(value.as_str()));
    }
    let (weight, total) = honoured(weight, router.max_weight);
    wanted.insert(format!("{prefix}/canary"), Value::from("true"));
    wanted.insert(format!("{prefix}/canary-weight"), Value::from(weight.to_string()));
    if let Some(total) = total {
        wanted.insert(format!("{prefix}/canary-weight-total"), Value::from(total.to_string()));
    }
    Ok(wanted)
}

/// The weight and total to write.
///
/// ingress-nginx takes a total below 100 for 100, which would turn 50 of 50 into half of the traffic. Both numbers
/// are multiplied until the total counts; the share stays exact.
fn honoured(weight: i32, max_weight: Option<i32>) -> (i64, Option<i64>) {
    let weight = i64::from(weight);
    match max_weight.map(i64::from) {
        None => (weight, None),
        Some(total) => {
            let factor = factor(total);
            (weight * factor, Some(total * factor))
        }
    }
}

fn factor(total: i64) -> i64 {
    if (1..100).contains(&total) { (SMALLEST_TOTAL_HONOURED + total - 1) / total } else { 1 }
}

/// An annotation key of `additionalIngressAnnotations`, completed with the prefix unless it has it; else what is wrong.
pub fn annotation_key(prefix: &str, key: &str) -> Result<String, String> {
    match key.split_once('/') {
        None if !key.is_empty() => Ok(format!("{prefix}/{key}")),
        Some((own_prefix, name)) if own_prefix == prefix && !name.is_empty() => Ok(key.to_owned()),
        Some(_) | None => Err(format!(
            "must be a name without a slash, which gets the prefix {prefix}/, or start with that; \
             move annotations with another prefix to canaryIngressAnnotations"
        )),
    }
}

fn with_prefix(prefix: &str, key: &str) -> Result<String, TrafficError> {
    annotation_key(prefix, key).map_err(|problem| TrafficError::AnnotationKey {
        field: "spec.strategy.canary.trafficRouting.nginx.additionalIngressAnnotations".to_owned(),
        key: key.to_owned(),
        problem,
    })
}
