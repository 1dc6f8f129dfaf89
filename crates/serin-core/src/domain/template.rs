//! Whether a ReplicaSet already has a pod template, whatever its hash says.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::affinity::remove_terms_about_revisions;
use super::hash::semantic_text;
use crate::api::keys::{EPHEMERAL_METADATA, POD_HASH_LABEL};

/// Labels and annotations that a pod template is given while its revision plays a role
/// (`canaryMetadata`, `stableMetadata`, `activeMetadata`, `previewMetadata`).
///
/// A ReplicaSet's annotation `rollout.argoproj.io/ephemeral-metadata` holds those that it was given, as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EphemeralMetadata {
    /// Labels by key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Annotations by key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl EphemeralMetadata {
    /// What the annotation of a ReplicaSet records; nothing where it has none, or one that cannot be read.
    #[must_use]
    pub fn recorded(annotations: &BTreeMap<String, String>) -> Self {
        let recorded = annotations.get(EPHEMERAL_METADATA);
        recorded.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }
}

/// Whether `live`, the template of a ReplicaSet, is what the API server and the controller make of `desired`, the
/// template as the user wrote it.
///
/// What they add makes no difference: the hash label, the `ephemeral` metadata that the ReplicaSet was given, a
/// pod anti-affinity against other revisions, and the defaults of the API server. Neither does the notation of a
/// quantity, or the deprecated field `serviceAccount`.
#[must_use]
pub fn templates_equal(live: &Value, desired: &Value, ephemeral: &EphemeralMetadata) -> bool {
    comparable_to(desired, live, ephemeral) == comparable(desired, &EphemeralMetadata::default())
}

/// Which form of a template the digests are of. A change of that form needs another number here, since a digest of
/// another form says nothing about a template.
const FORM: &str = "1.";

/// The digest of a template as a user wrote it: the same for two templates exactly when they are equal in the sense of
/// [`templates_equal`].
#[must_use]
pub fn digest(desired: &Value) -> String {
    digest_of(&comparable(desired, &EphemeralMetadata::default()))
}

/// The digest of `live`, the template of a ReplicaSet that was created for `desired`: that of `desired` if the two are
/// equal in the sense of [`templates_equal`].
#[must_use]
pub fn stored_digest(live: &Value, desired: &Value, ephemeral: &EphemeralMetadata) -> String {
    digest_of(&comparable_to(desired, live, ephemeral))
}

/// Whether `digest` is one that [`digest`] could have made.
#[must_use]
pub fn is_digest(digest: &str) -> bool {
    digest.starts_with(FORM)
}

/// 128 bits are enough to tell templates apart.
fn digest_of(text: &str) -> String {
    let hash = Sha256::digest(text.as_bytes());
    hash.iter().take(16).fold(FORM.to_owned(), |text, byte| text + &format!("{byte:02x}"))
}

/// `live` in comparable form. Ephemeral metadata under a key that `desired` has, too, hides what `desired` has there, and
/// makes no difference.
fn comparable_to(desired: &Value, live: &Value, ephemeral: &EphemeralMetadata) -> String {
    let mut live = live.clone();
    for (field, hidden) in [("labels", &ephemeral.labels), ("annotations", &ephemeral.annotations)] {
        let entries =
            object_at(&mut live, "metadata").and_then(|metadata| metadata.get_mut(field)?.as_object_mut());
        let Some(entries) = entries else { continue };
        for key in hidden.keys() {
            let written = desired.get("metadata").and_then(|metadata| metadata.get(field)?.get(key));
            match (entries.remove(key), written) {
                (Some(_), Some(value)) => entries.insert(key.clone(), value.clone()),
                (Some(_), None) | (None, _) => None,
            };
        }
    }
    text_of(live)
}

/// The template that a user wrote, from `live`, the template of the ReplicaSet that was made of it: without the hash
/// label, the `ephemeral` metadata that the ReplicaSet was given, and a pod anti-affinity against other revisions.
#[must_use]
pub fn restored(live: &Value, ephemeral: &EphemeralMetadata) -> Value {
    let mut template = live.clone();
    remove_additions(&mut template, ephemeral);
    template
}

fn comparable(template: &Value, ephemeral: &EphemeralMetadata) -> String {
    text_of(restored(template, ephemeral))
}

/// The text by which templates are compared.
fn text_of(mut template: Value) -> String {
    remove_additions(&mut template, &EphemeralMetadata::default());
    if let Some(spec) = object_at(&mut template, "spec") {
        name_service_account(spec);
    }
    semantic_text(&template)
}

fn remove_additions(template: &mut Value, ephemeral: &EphemeralMetadata) {
    if let Some(metadata) = object_at(template, "metadata") {
        remove_keys(metadata, "labels", ephemeral.labels.keys().map(String::as_str).chain([POD_HASH_LABEL]));
        remove_keys(metadata, "annotations", ephemeral.annotations.keys().map(String::as_str));
    }
    if let Some(spec) = object_at(template, "spec") {
        remove_terms_about_revisions(spec);
    }
}

fn object_at<'a>(value: &'a mut Value, field: &str) -> Option<&'a mut Map<String, Value>> {
    value.get_mut(field)?.as_object_mut()
}

fn remove_keys<'a>(metadata: &mut Map<String, Value>, field: &str, keys: impl Iterator<Item = &'a str>) {
    if let Some(entries) = metadata.get_mut(field).and_then(Value::as_object_mut) {
        for key in keys {
            entries.remove(key);
        }
    }
}

/// The API server copies the name of the service account between the field and its deprecated twin.
fn name_service_account(spec: &mut Map<String, Value>) {
    let is_named =
        spec.get("serviceAccountName").and_then(Value::as_str).is_some_and(|name| !name.is_empty());
    if let Some(name) = spec.remove("serviceAccount")
        && !is_named
    {
        spec.insert("serviceAccountName".to_owned(), name);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn desired() -> Value {
        json!({
            "metadata": {"labels": {"app": "demo"}},
            "spec": {
                "serviceAccountName": "runner",
                "containers": [{
                    "name": "web", "image": "demo:1", "ports": [{"containerPort": 80}],
                    "livenessProbe": {"httpGet": {"port": "http"}},
                    "resources": {"limits": {"memory": "1Gi", "cpu": 0.5}},
                    "env": [{"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
                }],
                "volumes": [{"name": "scratch"}, {"name": "config", "configMap": {"name": "c"}}],
            },
        })
    }

    /// `desired` as a ReplicaSet holds it after the controller and the API server have added their parts.
    fn live() -> Value {
        json!({
            "metadata": {
                "creationTimestamp": null,
                "labels": {"app": "demo", "rollouts-pod-template-hash": "abc", "role": "canary"},
                "annotations": {"note": "canary"},
            },
            "spec": {
                "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{
                    "labelSelector": {"matchExpressions": [
                        {"key": "rollouts-pod-template-hash", "operator": "In", "values": ["old"]}]},
                    "topologyKey": "kubernetes.io/hostname"}]}},
                "containers": [{
                    "name": "web", "image": "demo:1", "imagePullPolicy": "IfNotPresent",
                    "ports": [{"containerPort": 80, "protocol": "TCP"}],
                    "livenessProbe": {"httpGet": {"port": "http", "path": "/", "scheme": "HTTP"}, "timeoutSeconds": 1,
                        "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3},
                    "resources": {"limits": {"memory": "1073741824", "cpu": "500m"}},
                    "env": [{"name": "NODE", "valueFrom": {"fieldRef": {
                        "apiVersion": "v1", "fieldPath": "spec.nodeName"}}}],
                    "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
                }],
                "volumes": [{"name": "scratch", "emptyDir": {}},
                    {"name": "config", "configMap": {"name": "c", "defaultMode": 420}}],
                "dnsPolicy": "ClusterFirst", "restartPolicy": "Always", "schedulerName": "default-scheduler",
                "securityContext": {}, "terminationGracePeriodSeconds": 30,
                "serviceAccount": "runner", "serviceAccountName": "runner",
            },
        })
    }

    fn ephemeral() -> EphemeralMetadata {
        serde_json::from_value(json!({"labels": {"role": "canary"}, "annotations": {"note": "canary"}}))
            .unwrap()
    }

    #[test]
    fn a_template_equals_what_is_made_of_it() {
        assert_eq!(comparable(&live(), &ephemeral()), comparable(&desired(), &EphemeralMetadata::default()));
        assert!(templates_equal(&desired(), &desired(), &EphemeralMetadata::default()));
        assert!(!templates_equal(&live(), &desired(), &EphemeralMetadata::default()));
    }

    #[test]
    fn a_changed_field_makes_a_difference() {
        for (pointer, value) in [
            ("/metadata/labels/app", json!("other")),
            ("/metadata/annotations", json!({"a": "b"})),
            ("/spec/containers/0/image", json!("demo:2")),
            ("/spec/containers/0/livenessProbe/timeoutSeconds", json!(2)),
            ("/spec/containers/0/resources/limits/memory", json!("1G")),
            ("/spec/containers/0/securityContext", json!({"privileged": false})),
            ("/spec/terminationGracePeriodSeconds", json!(0)),
            ("/spec/volumes/0/emptyDir", json!({"medium": "Memory"})),
            ("/spec/serviceAccountName", json!("other")),
            ("/spec/affinity/nodeAffinity", json!({})),
        ] {
            let mut changed = desired();
            let (parent, field) = pointer.rsplit_once('/').unwrap();
            if changed.pointer(parent).is_none() {
                changed["spec"]["affinity"] = json!({});
            }
            changed.pointer_mut(parent).unwrap()[field] = value;
            assert!(!templates_equal(&live(), &changed, &ephemeral()), "{pointer}");
        }
    }

    #[test]
    fn zero_values_make_no_difference() {
        let mut spelled = desired();
        spelled["spec"]["hostNetwork"] = json!(false);
        spelled["spec"]["tolerations"] = json!([]);
        spelled["spec"]["affinity"] = json!({});
        spelled["spec"]["containers"][0]["workingDir"] = json!("");
        assert!(templates_equal(&live(), &spelled, &ephemeral()));
    }

    #[test]
    fn other_anti_affinity_counts() {
        let term = json!({"weight": 1, "podAffinityTerm": {"topologyKey": "zone", "labelSelector": {
            "matchExpressions": [{"key": "app", "operator": "Exists"}]}}});
        let affinity =
            json!({"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [term]}});
        let mut wanted = desired();
        wanted["spec"]["affinity"] = affinity.clone();
        assert!(!templates_equal(&live(), &wanted, &ephemeral()));
        let mut given = live();
        given["spec"]["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"] =
            affinity["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"].clone();
        assert!(templates_equal(&given, &wanted, &ephemeral()));
    }

    #[test]
    fn deprecated_service_account_names_the_account() {
        let mut wanted = desired();
        let spec = wanted["spec"].as_object_mut().unwrap();
        let name = spec.remove("serviceAccountName").unwrap();
        spec.insert("serviceAccount".to_owned(), name);
        assert!(templates_equal(&live(), &wanted, &ephemeral()));
    }
}
