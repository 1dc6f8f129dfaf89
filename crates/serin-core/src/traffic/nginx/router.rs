//! The settings of the router, and the names and classes of Ingresses.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::domain::object::ObjectRef;
use crate::domain::plan::ObjectKind;
use crate::domain::weight::WEIGHT_MAX_DEFAULT;

/// The annotation prefix that ingress-nginx uses unless it was started with another one.
pub const DEFAULT_ANNOTATION_PREFIX: &str = "nginx.ingress.kubernetes.io";

/// The annotation that names an Ingress's class; older than `spec.ingressClassName`, and it wins over that.
pub const CLASS_ANNOTATION: &str = "kubernetes.io/ingress.class";

/// How many bytes of `<rollout>-<ingress>` a canary Ingress's name keeps; with the suffix it fits in 253.
const NAME_BYTES_KEPT: usize = 246;

/// What the router needs to know of a Rollout.
#[derive(Debug, Clone, Copy)]
pub struct NginxRouter<'a> {
    /// Namespace of the Rollout.
    pub namespace: &'a str,
    /// Name of the Rollout.
    pub rollout: &'a str,
    /// Uid of the Rollout; it makes a canary Ingress recognisable as the Rollout's own.
    pub uid: &'a str,
    /// The Service that the stable Ingress sends requests to.
    pub stable_service: &'a str,
    /// The Service that takes its place in the canary Ingress.
    pub canary_service: &'a str,
    /// Names of the stable Ingresses, in the Rollout's order.
    pub stable_ingresses: &'a [String],
    /// Prefix of ingress-nginx's annotations; [`DEFAULT_ANNOTATION_PREFIX`] when the Rollout sets none.
    pub annotation_prefix: &'a str,
    /// `additionalIngressAnnotations`: keys get the prefix unless they have it.
    pub additional_annotations: &'a BTreeMap<String, String>,
    /// `canaryIngressAnnotations`: taken as they are.
    pub canary_annotations: &'a BTreeMap<String, String>,
    /// `maxTrafficWeight`, the weight that stands for all traffic; 100 when the Rollout sets none.
    pub max_weight: Option<i32>,
    /// The name under which this program writes, as it appears in `metadata.managedFields`.
    pub field_manager: &'a str,
}

impl NginxRouter<'_> {
    /// The Ingresses to observe: each stable one, followed by its canary.
    #[must_use]
    pub fn observe_keys(&self) -> Vec<ObjectRef> {
        self.stable_ingresses
            .iter()
            .flat_map(|stable| [stable.clone(), canary_ingress_name(self.rollout, stable)])
            .map(|name| ObjectRef::new(ObjectKind::Ingress, self.namespace, name))
            .collect()
    }

    /// The weight that stands for all traffic.
    #[must_use]
    pub fn full_weight(&self) -> i32 {
        self.max_weight.unwrap_or(WEIGHT_MAX_DEFAULT)
    }
}

/// Name of the canary Ingress that stands beside the Ingress `stable`; empty when that is empty.
#[must_use]
pub fn canary_ingress_name(rollout: &str, stable: &str) -> String {
    if stable.is_empty() {
        return String::new();
    }
    let mut name = format!("{rollout}-{stable}");
    name.truncate(name.floor_char_boundary(NAME_BYTES_KEPT));
    name.push_str("-canary");
    name
}

/// The class of an Ingress: its annotation if that is not empty, else `spec.ingressClassName`, else empty.
#[must_use]
pub fn ingress_class(ingress: &Value) -> &str {
    let annotation = ingress.pointer("/metadata/annotations").and_then(|all| all.get(CLASS_ANNOTATION));
    annotation
        .and_then(Value::as_str)
        .filter(|class| !class.is_empty())
        .or_else(|| ingress.pointer("/spec/ingressClassName").and_then(Value::as_str))
        .unwrap_or_default()
}
