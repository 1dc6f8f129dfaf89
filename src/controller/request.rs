//! From an op to the HTTP request that carries it out.
//!
//! Every write of an existing object names the uid and the resourceVersion that it was decided on; the API server
//! refuses it when either differs.

use http::Request;
use kube::core::Resource;
use kube::core::params::{DeleteParams, GetParams, Patch, PatchParams, PostParams, Preconditions};
use kube::core::request::Error;
use serde_json::{Value, json};

use super::object::{ObjectKey, RawObject};
use serin_core::api::keys::FIELD_MANAGER;
use serin_core::domain::plan::{Action, ObjectKind, Precondition};

/// The request that carries out `action` on the object of `kind` at `key`. The precondition in `newer`, that of an
/// earlier write of the same plan, takes the place of the one that was decided on.
pub fn of_action(
    kind: ObjectKind,
    key: &ObjectKey,
    action: &Action,
    newer: Option<&Precondition>,
) -> Result<Request<Vec<u8>>, Error> {
    let target = target(kind, &key.namespace);
    match action {
        Action::Create { body } => {
            let params = PostParams { field_manager: Some(FIELD_MANAGER.into()), ..PostParams::default() };
            target.create(&params, body.to_string().into_bytes())
        }
        Action::Patch { precondition, patch } => {
            let patch = with_precondition(patch, newer.unwrap_or(precondition));
            target.patch(&key.name, &patch_params(), &Patch::Merge(patch))
        }
        Action::Evict { precondition, .. } => evict(&target, key, precondition),
        Action::Delete { precondition } => {
            let Precondition { uid, resource_version } = newer.unwrap_or(precondition).clone();
            let params = DeleteParams::background()
                .preconditions(Preconditions { uid: Some(uid), resource_version: Some(resource_version) });
            target.delete(&key.name, &params)
        }
    }
}

fn evict(
    target: &kube::core::Request,
    key: &ObjectKey,
    decided_on: &Precondition,
) -> Result<Request<Vec<u8>>, Error> {
    let Precondition { uid, resource_version } = decided_on;
    let eviction = json!({
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": key.name, "namespace": key.namespace},
        "deleteOptions": {"preconditions": {"uid": uid, "resourceVersion": resource_version}},
    });
    target.create_subresource(
        "eviction",
        &key.name,
        &PostParams::default(),
        eviction.to_string().into_bytes(),
    )
}

/// The request that patches the status of the Rollout at `key`.
pub fn of_status(
    key: &ObjectKey,
    patch: &Value,
    precondition: &Precondition,
) -> Result<Request<Vec<u8>>, Error> {
    let patch = with_precondition(patch, precondition);
    let target = target(ObjectKind::Rollout, &key.namespace);
    target.patch_subresource("status", &key.name, &patch_params(), &Patch::Merge(patch))
}

/// The request that reads an object.
pub fn of_read(kind: ObjectKind, key: &ObjectKey) -> Result<Request<Vec<u8>>, Error> {
    target(kind, &key.namespace).get(&key.name, &GetParams::default())
}

fn target(kind: ObjectKind, namespace: &str) -> kube::core::Request {
    kube::core::Request::new(RawObject::url_path(&kind, Some(namespace)))
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

    fn sent(kind: ObjectKind, action: &Action, newer: Option<&Precondition>) -> (String, Value) {
        show(of_action(kind, &ObjectKey::new("shop", "web"), action, newer))
    }

    fn show(request: Result<Request<Vec<u8>>, Error>) -> (String, Value) {
        let request = request.expect("a request");
        let line = format!("{} {}", request.method(), request.uri());
        let kind = request.headers().get("content-type").map(|kind| kind.to_str().expect("text").to_owned());
        let body = serde_json::from_slice(request.body()).unwrap_or_default();
        (format!("{line} {}", kind.unwrap_or_default()), body)
    }

    #[test]
    fn a_patch_carries_the_state_that_it_was_decided_on() {
        let patch = json!({"spec": {"replicas": 3}, "metadata": {"annotations": {"a": "b"}}});
        let action = Action::Patch { precondition: decided_on(), patch };
        let (line, body) = sent(ObjectKind::ReplicaSet, &action, None);
        let url = "/apis/apps/v1/namespaces/shop/replicasets/web";
        assert_eq!(
            line,
            format!("PATCH {url}?&fieldManager=rollouts-controller application/merge-patch+json")
        );
        let metadata = json!({"annotations": {"a": "b"}, "uid": "u1", "resourceVersion": "7"});
        assert_eq!(body, json!({"spec": {"replicas": 3}, "metadata": metadata}));
    }

    #[test]
    fn a_second_write_goes_on_from_the_first() {
        let action = Action::Patch { precondition: decided_on(), patch: json!({"spec": {}}) };
        let newer = Precondition { uid: "u1".into(), resource_version: "8".into() };
        let (_, body) = sent(ObjectKind::Service, &action, Some(&newer));
        assert_eq!(body["metadata"], json!({"uid": "u1", "resourceVersion": "8"}));
    }

    #[test]
    fn a_deletion_carries_preconditions_and_leaves_the_children_to_the_garbage_collector() {
        let (line, body) = sent(ObjectKind::ReplicaSet, &Action::Delete { precondition: decided_on() }, None);
        assert!(line.starts_with("DELETE /apis/apps/v1/namespaces/shop/replicasets/web?"), "{line}");
        let preconditions = json!({"uid": "u1", "resourceVersion": "7"});
        assert_eq!(body, json!({"propagationPolicy": "Background", "preconditions": preconditions}));
    }

    #[test]
    fn a_creation_sends_the_object_as_it_is() {
        let object = json!({"metadata": {"name": "web"}, "spec": {"future": {"field": 1}}});
        let (line, body) = sent(ObjectKind::ReplicaSet, &Action::Create { body: object.clone() }, None);
        assert!(line.starts_with("POST /apis/apps/v1/namespaces/shop/replicasets?"), "{line}");
        assert_eq!(body, object);
    }

    #[test]
    fn the_status_is_written_through_its_subresource() {
        let patch = json!({"status": {"replicas": 1}});
        let (line, body) = show(of_status(&ObjectKey::new("shop", "web"), &patch, &decided_on()));
        assert!(
            line.starts_with("PATCH /apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/web/status?"),
            "{line}"
        );
        assert_eq!(body["metadata"], json!({"uid": "u1", "resourceVersion": "7"}));
        assert_eq!(body["status"], json!({"replicas": 1}));
    }
}
