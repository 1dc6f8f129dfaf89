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
mod op;
mod ownership;
mod router;
mod rules;

#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

pub use advice::{Advice, advice};
pub use annotations::annotation_key;
pub use ownership::release;
pub use router::{
    CLASS_ANNOTATION, DEFAULT_ANNOTATION_PREFIX, NginxRouter, canary_ingress_name, ingress_class,
};
pub use rules::uses_service;

use super::error::TrafficError;
use crate::api::keys;
use crate::domain::plan::Op;
use op::{create_op, patch_op, required};
use serin_values::merge_patch::merge_patch;
use serin_values::owner::controller_reference;

impl NginxRouter<'_> {
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
