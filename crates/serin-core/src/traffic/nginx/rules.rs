//! The spec of a canary Ingress: the stable one's, with the canary Service in the stable Service's place.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::router::NginxRouter;
use crate::traffic::error::TrafficError;

const PATHS: &str = "/http/paths";
const BACKEND_SERVICE: &str = "/backend/service/name";

/// The class and TLS settings of `stable`, and those of its rules that use the stable Service.
///
/// A rule that uses it is kept whole, with its paths to other Services, as the reference does. Rules without HTTP
/// paths and paths whose backend is a resource have no Service to replace.
pub(super) fn canary_spec(
    router: &NginxRouter<'_>,
    name: &str,
    stable: &Value,
) -> Result<Value, TrafficError> {
    let rules: Vec<Value> = rules_of(stable)
        .filter_map(|rule| with_service_replaced(rule, router.stable_service, router.canary_service))
        .collect();
    if rules.is_empty() {
        return Err(TrafficError::NoRuleUsesService {
            ingress: name.to_owned(),
            service: router.stable_service.to_owned(),
            backends: backend_services(stable).into_iter().map(str::to_owned).collect(),
        });
    }
    let mut spec = Map::new();
    for field in ["ingressClassName", "tls"] {
        if let Some(value) = stable.pointer("/spec").and_then(|spec| spec.get(field)) {
            spec.insert(field.to_owned(), value.clone());
        }
    }
    spec.insert("rules".to_owned(), Value::Array(rules));
    Ok(Value::Object(spec))
}

/// Whether a rule of `ingress` sends requests to `service`.
#[must_use]
pub fn uses_service(ingress: &Value, service: &str) -> bool {
    backend_services(ingress).contains(service)
}

/// The Services that the rules of `ingress` send requests to.
pub(super) fn backend_services(ingress: &Value) -> BTreeSet<&str> {
    rules_of(ingress)
        .filter_map(|rule| rule.pointer(PATHS).and_then(Value::as_array))
        .flatten()
        .filter_map(|path| path.pointer(BACKEND_SERVICE).and_then(Value::as_str))
        .collect()
}

fn rules_of(ingress: &Value) -> impl Iterator<Item = &Value> {
    ingress.pointer("/spec/rules").and_then(Value::as_array).into_iter().flatten()
}

fn with_service_replaced(rule: &Value, from: &str, to: &str) -> Option<Value> {
    let mut rule = rule.clone();
    let mut replaced = false;
    for path in rule.pointer_mut(PATHS).and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(service) = path.pointer_mut(BACKEND_SERVICE)
            && service == from
        {
            *service = Value::from(to);
            replaced = true;
        }
    }
    replaced.then_some(rule)
}
