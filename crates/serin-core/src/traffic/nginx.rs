//! The router for ingress-nginx: a second Ingress, marked as canary, that carries the weight.
//!
//! The user's Ingress (the *stable* one) is read and never written. Beside each one stands a canary Ingress with the
//! same hosts and paths whose backend is the canary Service; ingress-nginx sends it the share of requests that the
//! annotation `canary-weight` says. It is made at the first rollout and stays, at weight 0, between rollouts.
//!
//! Deliberately absent: `extensions/v1beta1` (gone since Kubernetes 1.22), header and mirror routes (ingress-nginx
//! takes header rules as annotations, which the user sets), and checking a weight after it was written
//! (ingress-nginx reports none).

mod advice;
mod annotations;
mod config;
mod ownership;
mod rules;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

pub use advice::{Advice, advice};
pub use annotations::annotation_key;
pub use ownership::release;
pub use rules::uses_service;

use super::error::TrafficError;
use crate::api::keys;
use crate::domain::event::{EventNote, EventReason};
use crate::domain::object::ObjectRef;
use crate::domain::plan::{Action, ObjectKind, Op, Precondition, Purpose};
use crate::domain::weight::WEIGHT_MAX_DEFAULT;
use serin_values::merge_patch::merge_patch;
use serin_values::owner::controller_reference;

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

    /// What to write so that the canary Service gets `weight` of [`full_weight`](Self::full_weight) of the requests
    /// for `stable`; nothing when `canary` already says so.
    ///
    /// `canary` is the Ingress named [`canary_ingress_name`], or nothing when there is none.
    pub fn render(
        &self,
        stable: &Value,
        canary: Option<&Value>,
        weight: i32,
    ) -> Result<Option<Op>, TrafficError> {
        if !(0..=self.full_weight()).contains(&weight) {
            return Err(TrafficError::WeightOutOfRange { weight, max: self.full_weight() });
        }
        let stable_name = required(stable, "", "metadata.name", "/metadata/name")?;
        let name = self.unshared_canary_name(stable_name)?;
        let annotations = annotations::desired(self, stable, weight)?;
        let spec = rules::canary_spec(self, stable_name, stable)?;
        match canary {
            None => {
                let body = self.body(&name, &annotations, &spec);
                Ok(Some(create_op(name, body, weight)))
            }
            Some(canary) => {
                ownership::check_is_ours(self.rollout, self.uid, canary)?;
                self.patch(canary, &annotations, &spec, weight)
            }
        }
    }

    fn body(&self, name: &str, annotations: &Map<String, Value>, spec: &Value) -> Value {
        json!({
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": {
                "name": name,
                "annotations": annotations,
                "ownerReferences": [
                    controller_reference(keys::API_VERSION, keys::ROLLOUT, self.rollout, self.uid),
                ],
            },
            "spec": spec,
        })
    }

    /// The spec of a canary Ingress is wholly ours. Of its metadata only annotations are: those that we want, and
    /// those that we alone set earlier. Labels and all else belong to whoever put them there.
    fn patch(
        &self,
        canary: &Value,
        annotations: &Map<String, Value>,
        spec: &Value,
        weight: i32,
    ) -> Result<Option<Op>, TrafficError> {
        let present = canary.pointer("/metadata/annotations").and_then(Value::as_object);
        let mut wanted = present.cloned().unwrap_or_default();
        for key in ownership::annotations_of(canary, self.field_manager) {
            wanted.remove(key);
        }
        wanted.extend(annotations.clone());
        let before = json!({"metadata": {"annotations": present}, "spec": canary.get("spec")});
        let after = json!({"metadata": {"annotations": wanted}, "spec": spec});
        let Some(patch) = merge_patch(&before, &after) else {
            return Ok(None);
        };
        patch_op(canary, patch, weight).map(Some)
    }

    fn unshared_canary_name(&self, stable: &str) -> Result<String, TrafficError> {
        let canary = canary_ingress_name(self.rollout, stable);
        let other = self
            .stable_ingresses
            .iter()
            .find(|other| *other != stable && canary_ingress_name(self.rollout, other) == canary);
        match other {
            None => Ok(canary),
            Some(other) => Err(TrafficError::SharedCanaryName {
                first: other.clone(),
                second: stable.to_owned(),
                canary,
            }),
        }
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

/// Should the Ingress exist by the time it is created, it has to be read and rendered again: it may be ours.
fn create_op(name: String, body: Value, weight: i32) -> Op {
    let message = format!("Creating canary ingress `{name}` with weight `{weight}`");
    ingress_op(
        name,
        Action::Create { body },
        weight,
        EventNote::new(EventReason::CreatingCanaryIngress, message),
    )
}

fn patch_op(canary: &Value, patch: Value, weight: i32) -> Result<Op, TrafficError> {
    let name = required(canary, "", "metadata.name", "/metadata/name")?;
    let uid = required(canary, name, "metadata.uid", "/metadata/uid")?;
    let version = required(canary, name, "metadata.resourceVersion", "/metadata/resourceVersion")?;
    let precondition = Precondition { uid: uid.to_owned(), resource_version: version.to_owned() };
    let message = format!("Updating Ingress `{name}` to desiredWeight '{weight}'");
    let event = EventNote::new(EventReason::PatchingCanaryIngress, message);
    Ok(ingress_op(name.to_owned(), Action::Patch { precondition, patch }, weight, event))
}

fn ingress_op(name: String, action: Action, weight: i32, event: EventNote) -> Op {
    let purposes = vec![Purpose::Route { weight }];
    Op { kind: ObjectKind::Ingress, namespace: None, name, action, purposes, events: vec![event] }
}

fn required<'v>(
    ingress: &'v Value,
    name: &str,
    field: &'static str,
    pointer: &str,
) -> Result<&'v str, TrafficError> {
    ingress
        .pointer(pointer)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
        .ok_or_else(|| TrafficError::Incomplete { kind: "Ingress", name: name.to_owned(), field })
}
