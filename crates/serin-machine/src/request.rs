//! The requests that carry out a plan, and how they are sent.
//!
//! Every write of an existing object names the uid and the resourceVersion that it was decided on; the API server
//! refuses it when either differs.

use kube_core::params::{DeleteParams, GetParams, Patch, PatchParams, PostParams, Preconditions};
use kube_core::request::Error;
use serde_json::{Value, json};

use serin_core::api::keys::FIELD_MANAGER;
use serin_core::domain::kind::StatusResource;
use serin_core::domain::object::{ObjectKey, ObjectRef};
use serin_core::domain::plan::{ObjectKind, Precondition};

/// One request about one object.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The object.
    pub target: ObjectRef,
    /// What is asked.
    pub verb: Verb,
}

/// What is asked about an object.
#[derive(Debug, Clone, PartialEq)]
pub enum Verb {
    /// Make it.
    Create {
        /// The whole object.
        body: Value,
    },
    /// Change it by a JSON merge patch, but for its status.
    Patch {
        /// The state that it must have.
        precondition: Precondition,
        /// The patch.
        patch: Value,
    },
    /// Change its status by a JSON merge patch.
    PatchStatus {
        /// The state that it must have.
        precondition: Precondition,
        /// The patch, of the whole object.
        patch: Value,
    },
    /// Delete it; what it owns goes later.
    Delete {
        /// The state that it must have.
        precondition: Precondition,
    },
    /// Evict it, if it is a Pod.
    Evict {
        /// The state that it must have.
        precondition: Precondition,
    },
    /// Read it.
    Read,
}

impl Verb {
    /// What it is called in the log.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Create { .. } => "CREATE",
            Self::Patch { .. } => "PATCH",
            Self::PatchStatus { .. } => "PATCH_STATUS",
            Self::Delete { .. } => "DELETE",
            Self::Evict { .. } => "EVICT",
            Self::Read => "READ",
        }
    }
}

impl Request {
    /// The request as HTTP has it. `version` is the API version in which the cluster serves the kind.
    pub fn to_http(&self, version: &str) -> Result<http::Request<Vec<u8>>, Error> {
        let Self { target: ObjectRef { kind, key }, verb } = self;
        let target = kube_core::Request::new(path(*kind, version, Some(&key.namespace)));
        let name = &key.name;
        match verb {
            Verb::Create { body } => {
                let params =
                    PostParams { field_manager: Some(FIELD_MANAGER.into()), ..PostParams::default() };
                target.create(&params, body.to_string().into_bytes())
            }
            Verb::Patch { precondition, patch } => {
                let patch = with_precondition(patch, precondition);
                target.patch(name, &patch_params(), &Patch::Merge(patch))
            }
            Verb::PatchStatus { precondition, patch } => {
                let patch = Patch::Merge(with_precondition(patch, precondition));
                match kind.resource().status {
                    StatusResource::Subresource => {
                        target.patch_subresource("status", name, &patch_params(), &patch)
                    }
                    StatusResource::Object => target.patch(name, &patch_params(), &patch),
                }
            }
            Verb::Delete { precondition: Precondition { uid, resource_version } } => {
                let (uid, resource_version) = (Some(uid.clone()), Some(resource_version.clone()));
                let params =
                    DeleteParams::background().preconditions(Preconditions { uid, resource_version });
                target.delete(name, &params)
            }
            Verb::Evict { precondition } => evict(&target, key, precondition),
            Verb::Read => target.get(name, &GetParams::default()),
        }
    }
}

/// The path of the objects of `kind` in that API version, in `namespace` or in all namespaces.
#[must_use]
pub fn path(kind: ObjectKind, version: &str, namespace: Option<&str>) -> String {
    let of = kind.resource();
    let root =
        if of.group.is_empty() { format!("/api/{version}") } else { format!("/apis/{}/{version}", of.group) };
    match namespace {
        Some(namespace) => format!("{root}/namespaces/{namespace}/{}", of.plural),
        None => format!("{root}/{}", of.plural),
    }
}

fn evict(
    target: &kube_core::Request,
    key: &ObjectKey,
    decided_on: &Precondition,
) -> Result<http::Request<Vec<u8>>, Error> {
    let Precondition { uid, resource_version } = decided_on;
    let eviction = json!({
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": key.name, "namespace": key.namespace},
        "deleteOptions": {"preconditions": {"uid": uid, "resourceVersion": resource_version}},
    });
    let params = PostParams::default();
    target.create_subresource("eviction", &key.name, &params, eviction.to_string().into_bytes())
}

fn patch_params() -> PatchParams {
    PatchParams { field_manager: Some(FIELD_MANAGER.into()), ..PatchParams::default() }
}

/// `patch` with the precondition in its metadata.
fn with_precondition(patch: &Value, precondition: &Precondition) -> Value {
    let mut patch = patch.clone();
    let Precondition { uid, resource_version } = precondition;
    if !patch["metadata"].is_object() {
        patch["metadata"] = json!({});
    }
    patch["metadata"]["uid"] = json!(uid);
    patch["metadata"]["resourceVersion"] = json!(resource_version);
    patch
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided_on() -> Precondition {
        Precondition { uid: "u1".into(), resource_version: "7".into() }
    }

    fn sent(kind: ObjectKind, verb: Verb) -> (String, Value) {
        let target = ObjectRef::new(kind, "shop", "web");
        let request = Request { target, verb }.to_http(kind.resource().versions[0]).expect("a request");
        let line = format!("{} {}", request.method(), request.uri());
        let kind = request.headers().get("content-type").map(|kind| kind.to_str().expect("text").to_owned());
        let body = serde_json::from_slice(request.body()).unwrap_or_default();
        (format!("{line} {}", kind.unwrap_or_default()), body)
    }

    #[test]
    fn urls_are_those_of_the_api_server() {
        let path = |kind: ObjectKind| path(kind, kind.resource().versions[0], Some("shop"));
        assert_eq!(path(ObjectKind::Rollout), "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts");
        assert_eq!(path(ObjectKind::ReplicaSet), "/apis/apps/v1/namespaces/shop/replicasets");
        assert_eq!(path(ObjectKind::Service), "/api/v1/namespaces/shop/services");
        assert_eq!(path(ObjectKind::Ingress), "/apis/networking.k8s.io/v1/namespaces/shop/ingresses");
        assert_eq!(super::path(ObjectKind::Pod, "v1", None), "/api/v1/pods");
        assert_eq!(path(ObjectKind::PodTemplate), "/api/v1/namespaces/shop/podtemplates");
    }

    #[test]
    fn a_patch_carries_the_state_that_it_was_decided_on() {
        let patch = json!({"spec": {"replicas": 3}, "metadata": {"annotations": {"a": "b"}}});
        let (line, body) = sent(ObjectKind::ReplicaSet, Verb::Patch { precondition: decided_on(), patch });
        let url = "/apis/apps/v1/namespaces/shop/replicasets/web";
        assert_eq!(
            line,
            format!("PATCH {url}?&fieldManager=rollouts-controller application/merge-patch+json")
        );
        let metadata = json!({"annotations": {"a": "b"}, "uid": "u1", "resourceVersion": "7"});
        assert_eq!(body, json!({"spec": {"replicas": 3}, "metadata": metadata}));
    }

    #[test]
    fn a_deletion_carries_preconditions_and_leaves_the_children_to_the_garbage_collector() {
        let (line, body) = sent(ObjectKind::ReplicaSet, Verb::Delete { precondition: decided_on() });
        assert!(line.starts_with("DELETE /apis/apps/v1/namespaces/shop/replicasets/web?"), "{line}");
        let preconditions = json!({"uid": "u1", "resourceVersion": "7"});
        assert_eq!(body, json!({"propagationPolicy": "Background", "preconditions": preconditions}));
    }

    #[test]
    fn a_creation_sends_the_object_as_it_is() {
        let object = json!({"metadata": {"name": "web"}, "spec": {"future": {"field": 1}}});
        let (line, body) = sent(ObjectKind::ReplicaSet, Verb::Create { body: object.clone() });
        assert!(line.starts_with("POST /apis/apps/v1/namespaces/shop/replicasets?"), "{line}");
        assert_eq!(body, object);
    }

    #[test]
    fn the_status_is_written_through_its_subresource() {
        let patch = json!({"status": {"replicas": 1}});
        let (line, body) = sent(ObjectKind::Rollout, Verb::PatchStatus { precondition: decided_on(), patch });
        assert!(
            line.starts_with("PATCH /apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/web/status?"),
            "{line}"
        );
        assert_eq!(body["metadata"], json!({"uid": "u1", "resourceVersion": "7"}));
        assert_eq!(body["status"], json!({"replicas": 1}));
    }
}
