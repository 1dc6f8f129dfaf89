//! Healthy means that every pod runs the template of the spec.

use std::collections::BTreeMap;

use serde_json::Value;
use serin_core::api::keys;
use serin_core::domain::plan::ObjectKind;
use serin_core::domain::template::{digest, stored_digest};

use super::pods::Pod;
use super::{World, name_of};

impl World {
    /// Fails if the Rollout says that it is Healthy, and fewer pods run its template than it wants; or others, where no
    /// old pods may wait behind a router or a Service.
    pub(super) fn check_healthy(&self, rollout: &str) {
        let rollout = &self.objects[&(ObjectKind::Rollout, rollout.to_owned())];
        let is_current =
            rollout["status"]["observedGeneration"] == rollout["metadata"]["generation"].to_string().as_str();
        if rollout["status"]["phase"] != "Healthy" || !is_current {
            return;
        }
        let template = self.template_of(rollout).expect("a Rollout without a template is not Healthy");
        let sets = self.all(ObjectKind::ReplicaSet).filter(|rs| is_owned(rs, rollout));
        let (new, old): (usize, usize) = sets
            .map(|rs| {
                let annotations = annotations(rs);
                let pods = self.pods.get(name_of(rs)).map_or(&[][..], Vec::as_slice);
                let new = pods.iter().filter(|pod| runs(pod, template, &annotations)).count();
                (new, pods.len() - new)
            })
            .fold((0, 0), |sum, of_set| (sum.0 + of_set.0, sum.1 + of_set.1));
        let wanted = usize::try_from(rollout["spec"]["replicas"].as_i64().unwrap_or(1)).unwrap_or(0);
        let canary = &rollout["spec"]["strategy"]["canary"];
        let none_may_wait = canary.is_object() && canary["trafficRouting"].is_null();
        assert!(
            new >= wanted.min(super::pods::ROOM) && (old == 0 || !none_may_wait),
            "Healthy, but {new} pods of {wanted} run the template of the spec, and {old} another"
        );
    }

    /// The template that a Rollout asks for.
    pub(crate) fn template_of<'w>(&'w self, rollout: &'w Value) -> Option<&'w Value> {
        let reference = &rollout["spec"]["workloadRef"];
        let Some(name) = reference["name"].as_str() else { return Some(&rollout["spec"]["template"]) };
        let kind = match reference["kind"].as_str() {
            Some("PodTemplate") => ObjectKind::PodTemplate,
            Some("ReplicaSet") => ObjectKind::ReplicaSet,
            _ => ObjectKind::Deployment,
        };
        let workload = self.get(kind, name)?;
        let is_bare = kind == ObjectKind::PodTemplate;
        Some(if is_bare { &workload["template"] } else { &workload["spec"]["template"] })
    }
}

fn is_owned(rs: &Value, rollout: &Value) -> bool {
    let owners = rs["metadata"]["ownerReferences"].as_array();
    owners.into_iter().flatten().any(|owner| owner["uid"] == rollout["metadata"]["uid"])
}

pub(super) fn annotations(rs: &Value) -> BTreeMap<String, String> {
    serde_json::from_value(rs["metadata"]["annotations"].clone()).unwrap_or_default()
}

/// Whether the pod runs the template, or what admission made of it for its ReplicaSet.
fn runs(pod: &Pod, template: &Value, annotations: &BTreeMap<String, String>) -> bool {
    let stored = stored_digest(&pod.template, template, &pod.injected);
    let is_stored = annotations.get(keys::STORED_TEMPLATE_DIGEST) == Some(&stored);
    stored == digest(template)
        || is_stored && annotations.get(keys::TEMPLATE_DIGEST) == Some(&digest(template))
}
