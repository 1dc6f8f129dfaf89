//! What the caches hold: one small type a kind, made from a received object by leaving out what nobody reads.

use std::fmt::Debug;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::PartialObjectMeta;
use kube::{Resource, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::bulkhead;
use super::cache::{Caches, Shared};
use super::object::{ObjectKey, RawObject};
use serin_core::api::{Rollout, keys};
use serin_core::domain::plan::ObjectKind;
use serin_core::rollout::snapshot::{
    Identity, PodView, ReplicaFailure, ReplicaSetStatusView, ReplicaSetView, ServiceView,
};
use serin_core::rollout::workload::WorkloadKind;
use serin_core::rollout::{ObservedKeys, Unreadable, observed_keys};

/// A fact about an object by which a cache finds it without looking at every object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Term {
    /// It is in this namespace.
    Namespace(String),
    /// Its controller has this uid.
    ControlledBy(String),
    /// It is in this namespace and has no controller.
    Orphan(String),
    /// It names this Service.
    NamesService(ObjectKey),
    /// It names this Ingress.
    NamesIngress(ObjectKey),
    /// It says that this Rollout manages it.
    ManagedBy(ObjectKey),
    /// It takes its template from this workload.
    NamesWorkload(WorkloadKind, ObjectKey),
    /// It takes its template from a workload of this kind.
    NeedsWorkloads(WorkloadKind),
}

/// A kind that is watched and cached.
pub trait Entry: Debug + Sized + Send + Sync + 'static {
    /// The type that watch events are decoded into.
    type Wire: Resource<DynamicType: Clone> + Clone + Debug + DeserializeOwned + Send + 'static;
    /// The kind.
    const KIND: ObjectKind;

    /// The label selector of the objects that a controller of that instance watches, if not all of the kind.
    fn labels(instance_id: Option<&str>) -> Option<String>;
    /// Where the entries of the kind are kept.
    fn cache(caches: &Caches) -> &Shared<Self>;
    /// What is kept of `wire`.
    fn prune(wire: Self::Wire) -> Self;
    /// Which object in which state it is.
    fn id(&self) -> &Identity;
    /// How it is found; `key` is its own.
    fn terms(&self, key: &ObjectKey) -> Vec<Term>;
    /// Whether a decision that was made on `before` may be a different one now.
    fn differs(&self, before: &Self) -> bool;
}

/// The controller of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Its API group.
    pub group: String,
    /// Its kind.
    pub kind: String,
    /// Its name, in the namespace of the object.
    pub name: String,
    /// Its uid.
    pub uid: String,
}

impl Owner {
    fn of(meta: &ObjectMeta) -> Option<Self> {
        let owners = meta.owner_references.as_deref().unwrap_or_default();
        let owner = owners.iter().find(|owner| owner.controller == Some(true))?;
        let group = owner.api_version.split_once('/').map_or("", |(group, _)| group);
        Some(Self {
            group: group.to_owned(),
            kind: owner.kind.clone(),
            name: owner.name.clone(),
            uid: owner.uid.clone(),
        })
    }

    /// Whether it is a Rollout.
    #[must_use]
    pub fn is_rollout(&self) -> bool {
        self.kind == keys::ROLLOUT && self.group == keys::GROUP
    }
}

pub(super) fn identity(meta: &ObjectMeta) -> Identity {
    Identity {
        name: meta.name.clone().unwrap_or_default(),
        uid: meta.uid.clone().unwrap_or_default(),
        resource_version: meta.resource_version.clone().unwrap_or_default(),
    }
}

/// When the object was made.
fn created(meta: &ObjectMeta) -> Timestamp {
    meta.creation_timestamp.as_ref().map_or(Timestamp::UNIX_EPOCH, |time| time.0)
}

/// Drops what only others need: field ownership, and the copy of the manifest that `kubectl apply` keeps.
fn slim(meta: &mut ObjectMeta) {
    meta.managed_fields = None;
    if let Some(annotations) = meta.annotations.as_mut() {
        annotations.remove(keys::LAST_APPLIED);
    }
}

/// A Rollout, or what is known of one that cannot be read.
#[derive(Debug, Clone)]
pub struct RolloutEntry {
    /// Which one it is.
    pub id: Identity,
    /// Its content, or why it has none.
    pub content: Result<Box<Rollout>, Box<Unreadable>>,
    /// The other objects that a decision about it looks at.
    pub observed: ObservedKeys,
}

impl Entry for RolloutEntry {
    type Wire = RawObject;
    const KIND: ObjectKind = ObjectKind::Rollout;

    /// Those of its instance; without an id, those that have none.
    fn labels(instance_id: Option<&str>) -> Option<String> {
        let key = keys::INSTANCE_ID_LABEL;
        Some(instance_id.map_or_else(|| format!("!{key}"), |id| format!("{key}={id}")))
    }

    fn cache(caches: &Caches) -> &Shared<Self> {
        &caches.rollouts
    }

    fn prune(mut wire: RawObject) -> Self {
        slim(&mut wire.metadata);
        let id = identity(&wire.metadata);
        let generation = wire.metadata.generation.unwrap_or_default();
        match decode_rollout(wire) {
            Ok(rollout) => {
                // Where this panics, so does the decision, and that is reported there.
                let observed = bulkhead(|| observed_keys(&rollout)).unwrap_or_default();
                Self { id, content: Ok(Box::new(rollout)), observed }
            }
            Err((object, error)) => {
                let (path, problem) = (error.path().to_string(), error.into_inner().to_string());
                let unreadable = Unreadable { id: id.clone(), generation, object, path, problem };
                Self { id, content: Err(Box::new(unreadable)), observed: ObservedKeys::default() }
            }
        }
    }

    fn id(&self) -> &Identity {
        &self.id
    }

    fn terms(&self, key: &ObjectKey) -> Vec<Term> {
        let named = |name: &String| ObjectKey::new(&key.namespace, name);
        let mut terms = vec![Term::Namespace(key.namespace.clone())];
        terms.extend(self.observed.services.iter().map(|name| Term::NamesService(named(name))));
        terms.extend(self.observed.ingresses.iter().map(|name| Term::NamesIngress(named(name))));
        if let Some(workload) = &self.observed.workload {
            terms.push(Term::NamesWorkload(workload.kind, named(&workload.name)));
            terms.push(Term::NeedsWorkloads(workload.kind));
        }
        terms
    }

    fn differs(&self, before: &Self) -> bool {
        self.id != before.id
    }
}

type DecodeError = serde_path_to_error::Error<serde_json::Error>;

fn decode_rollout(wire: RawObject) -> Result<Rollout, (Value, DecodeError)> {
    let mut object = Map::new();
    object.insert("apiVersion".into(), keys::API_VERSION.into());
    object.insert("kind".into(), keys::ROLLOUT.into());
    object.insert("metadata".into(), json!(wire.metadata));
    object.insert("spec".into(), wire.spec);
    if !wire.status.is_null() {
        object.insert("status".into(), wire.status);
    }
    let object = Value::Object(object);
    serde_path_to_error::deserialize(&object).map_err(|error| (object, error))
}

/// A ReplicaSet that carries the hash label.
#[derive(Debug, Clone)]
pub struct ReplicaSetEntry {
    /// Its controller, if it has one.
    pub owner: Option<Owner>,
    /// What decisions read of it; `owned` is set when it is observed for a Rollout.
    pub view: ReplicaSetView,
}

impl Entry for ReplicaSetEntry {
    type Wire = RawObject;
    const KIND: ObjectKind = ObjectKind::ReplicaSet;

    fn labels(_: Option<&str>) -> Option<String> {
        Some(keys::POD_HASH_LABEL.to_owned())
    }

    fn cache(caches: &Caches) -> &Shared<Self> {
        &caches.replica_sets
    }

    fn prune(mut wire: RawObject) -> Self {
        slim(&mut wire.metadata);
        let meta = &mut wire.metadata;
        let view = ReplicaSetView {
            id: identity(meta),
            created: created(meta),
            deleting: meta.deletion_timestamp.is_some(),
            owned: false,
            labels: meta.labels.take().unwrap_or_default(),
            annotations: meta.annotations.take().unwrap_or_default(),
            owner_references: meta.owner_references.iter().flatten().map(|owner| json!(owner)).collect(),
            generation: meta.generation.unwrap_or_default(),
            replicas: integer(&wire.spec, "replicas").unwrap_or(1),
            min_ready_seconds: integer(&wire.spec, "minReadySeconds").unwrap_or_default(),
            template: wire.spec.get_mut("template").map(Value::take).unwrap_or_default(),
            status: replica_set_status(&wire.status),
        };
        Self { owner: Owner::of(&wire.metadata), view }
    }

    fn id(&self) -> &Identity {
        &self.view.id
    }

    fn terms(&self, key: &ObjectKey) -> Vec<Term> {
        vec![match &self.owner {
            Some(owner) => Term::ControlledBy(owner.uid.clone()),
            None => Term::Orphan(key.namespace.clone()),
        }]
    }

    fn differs(&self, before: &Self) -> bool {
        self.view.id != before.view.id
    }
}

pub(super) fn integer(object: &Value, field: &str) -> Option<i32> {
    object.get(field)?.as_i64().and_then(|n| i32::try_from(n).ok())
}

fn text(object: &Value, field: &str) -> String {
    object.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn replica_set_status(status: &Value) -> ReplicaSetStatusView {
    let conditions = status.get("conditions").and_then(Value::as_array);
    let failed = |c: &&Value| text(c, "type") == "ReplicaFailure" && text(c, "status") == "True";
    let failure = conditions.into_iter().flatten().find(failed).map(|condition| ReplicaFailure {
        reason: text(condition, "reason"),
        message: text(condition, "message"),
        since: text(condition, "lastTransitionTime").parse().unwrap_or(Timestamp::UNIX_EPOCH),
    });
    ReplicaSetStatusView {
        replicas: integer(status, "replicas").unwrap_or_default(),
        ready: integer(status, "readyReplicas").unwrap_or_default(),
        available: integer(status, "availableReplicas").unwrap_or_default(),
        observed_generation: status.get("observedGeneration").and_then(Value::as_i64).unwrap_or_default(),
        failure,
    }
}

/// A Service.
#[derive(Debug, Clone)]
pub struct ServiceEntry(
    /// What decisions read of it.
    pub ServiceView,
);

impl Entry for ServiceEntry {
    type Wire = RawObject;
    const KIND: ObjectKind = ObjectKind::Service;

    fn labels(_: Option<&str>) -> Option<String> {
        None
    }

    fn cache(caches: &Caches) -> &Shared<Self> {
        &caches.services
    }

    fn prune(wire: RawObject) -> Self {
        let selector = wire.spec.get("selector").and_then(Value::as_object);
        let pair = |(key, value): (&String, &Value)| Some((key.clone(), value.as_str()?.to_owned()));
        Self(ServiceView {
            id: identity(&wire.metadata),
            selector: selector.into_iter().flatten().filter_map(pair).collect(),
            managed_by: wire.annotations().get(keys::MANAGED_BY_ROLLOUTS).cloned(),
        })
    }

    fn id(&self) -> &Identity {
        &self.0.id
    }

    fn terms(&self, key: &ObjectKey) -> Vec<Term> {
        let rollout = self.0.managed_by.as_ref().map(|name| ObjectKey::new(&key.namespace, name));
        rollout.map(Term::ManagedBy).into_iter().collect()
    }

    fn differs(&self, before: &Self) -> bool {
        let (now, before) = (&self.0, &before.0);
        now.id.uid != before.id.uid || now.selector != before.selector || now.managed_by != before.managed_by
    }
}

/// An Ingress without its status.
#[derive(Debug, Clone)]
pub struct IngressEntry {
    /// Which one it is.
    pub id: Identity,
    /// The object as JSON, for the router.
    pub object: Value,
    /// Its controller.
    pub owner: Option<Owner>,
}

impl Entry for IngressEntry {
    type Wire = RawObject;
    const KIND: ObjectKind = ObjectKind::Ingress;

    fn labels(_: Option<&str>) -> Option<String> {
        None
    }

    fn cache(caches: &Caches) -> &Shared<Self> {
        &caches.ingresses
    }

    fn prune(mut wire: RawObject) -> Self {
        let managed_fields = wire.metadata.managed_fields.take();
        slim(&mut wire.metadata);
        let owner = Owner::of(&wire.metadata).filter(Owner::is_rollout);
        if owner.is_some() {
            // Who set an annotation decides whether it may be taken away again.
            wire.metadata.managed_fields = managed_fields;
        }
        let object = json!({
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": wire.metadata,
            "spec": wire.spec,
        });
        Self { id: identity(&wire.metadata), object, owner }
    }

    fn id(&self) -> &Identity {
        &self.id
    }

    fn terms(&self, _: &ObjectKey) -> Vec<Term> {
        self.owner.iter().map(|owner| Term::ControlledBy(owner.uid.clone())).collect()
    }

    fn differs(&self, before: &Self) -> bool {
        let metadata = |entry: &Self, field: &str| entry.object["metadata"].get(field).cloned();
        let changed = |field: &str| metadata(self, field) != metadata(before, field);
        self.object["spec"] != before.object["spec"]
            || ["uid", "labels", "annotations", "ownerReferences", "deletionTimestamp"]
                .into_iter()
                .any(changed)
    }
}

/// A Pod that carries the hash label, of which only the metadata is received.
#[derive(Debug, Clone)]
pub struct PodEntry {
    /// Its controller, if it has one.
    pub owner: Option<Owner>,
    /// What decisions read of it.
    pub view: PodView,
}

impl Entry for PodEntry {
    type Wire = PartialObjectMeta<Pod>;
    const KIND: ObjectKind = ObjectKind::Pod;

    fn labels(_: Option<&str>) -> Option<String> {
        Some(keys::POD_HASH_LABEL.to_owned())
    }

    fn cache(caches: &Caches) -> &Shared<Self> {
        &caches.pods
    }

    fn prune(mut wire: Self::Wire) -> Self {
        slim(&mut wire.metadata);
        let owner = Owner::of(&wire.metadata);
        let meta = wire.metadata;
        let view = PodView {
            id: identity(&meta),
            created: created(&meta),
            owner_uid: owner.as_ref().map(|owner| owner.uid.clone()).unwrap_or_default(),
            deleting: meta.deletion_timestamp.is_some(),
            labels: meta.labels.unwrap_or_default(),
            annotations: meta.annotations.unwrap_or_default(),
        };
        Self { owner, view }
    }

    fn id(&self) -> &Identity {
        &self.view.id
    }

    fn terms(&self, _: &ObjectKey) -> Vec<Term> {
        self.owner.iter().map(|owner| Term::ControlledBy(owner.uid.clone())).collect()
    }

    fn differs(&self, before: &Self) -> bool {
        let same_state = PodView { id: before.view.id.clone(), ..self.view.clone() } == before.view;
        self.view.id.uid != before.view.id.uid || !same_state
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn raw(object: Value) -> RawObject {
        serde_json::from_value(object).expect("an object")
    }

    #[test]
    fn a_replica_set_keeps_what_decisions_read() {
        let entry = ReplicaSetEntry::prune(raw(json!({
            "metadata": {
                "name": "web-1", "namespace": "shop", "uid": "u1", "resourceVersion": "7", "generation": 3,
                "creationTimestamp": "2026-01-02T03:04:05Z", "labels": {"app": "web"},
                "annotations": {"a": "b", "kubectl.kubernetes.io/last-applied-configuration": "{}"},
                "managedFields": [{"manager": "kubectl"}],
                "ownerReferences": [
                    {"apiVersion": "v1", "kind": "Other", "name": "x", "uid": "u8"},
                    {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "web", "uid": "u9", "controller": true},
                ],
            },
            "spec": {"replicas": 4, "minReadySeconds": 5, "template": {"spec": {"future": true}}},
            "status": {"replicas": 4, "readyReplicas": 3, "availableReplicas": 2, "observedGeneration": 3, "conditions": [
                {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "quota",
                 "lastTransitionTime": "2026-01-02T03:04:06Z"},
            ]},
        })));
        assert!(entry.owner.as_ref().is_some_and(|owner| owner.is_rollout() && owner.uid == "u9"));
        let view = entry.view;
        assert_eq!((view.replicas, view.min_ready_seconds, view.generation), (4, 5, 3));
        assert_eq!((view.status.ready, view.status.available), (3, 2));
        assert_eq!(view.template, json!({"spec": {"future": true}}));
        assert_eq!(view.annotations.keys().collect::<Vec<_>>(), ["a"]);
        assert_eq!(view.created.to_string(), "2026-01-02T03:04:05Z");
        assert_eq!(view.status.failure.map(|f| f.reason).as_deref(), Some("FailedCreate"));
    }

    #[test]
    fn an_instance_watches_its_own_rollouts_alone() {
        let key = "argo-rollouts.argoproj.io/controller-instance-id";
        assert_eq!(RolloutEntry::labels(None), Some(format!("!{key}")));
        assert_eq!(RolloutEntry::labels(Some("blue")), Some(format!("{key}=blue")));
        assert_eq!(ReplicaSetEntry::labels(Some("blue")).as_deref(), Some("rollouts-pod-template-hash"));
        assert_eq!(ServiceEntry::labels(Some("blue")), None);
    }

    #[test]
    fn an_absent_size_is_one() {
        assert_eq!(ReplicaSetEntry::prune(raw(json!({"metadata": {"name": "x"}}))).view.replicas, 1);
    }

    #[test]
    fn an_orphan_is_found_by_its_namespace() {
        let entry = ReplicaSetEntry::prune(raw(json!({"metadata": {"name": "x", "namespace": "shop"}})));
        assert_eq!(entry.terms(&ObjectKey::new("shop", "x")), [Term::Orphan("shop".into())]);
    }

    #[test]
    fn a_rollout_that_cannot_be_read_says_where_and_why() {
        let entry = RolloutEntry::prune(raw(json!({
            "metadata": {"name": "web", "namespace": "shop", "uid": "u", "resourceVersion": "1", "generation": 2},
            "spec": {"replicas": "three"},
        })));
        let unreadable = entry.content.expect_err("replicas is no number");
        assert_eq!((unreadable.path.as_str(), unreadable.generation), ("spec.replicas", 2));
        assert!(unreadable.problem.contains("three"), "{}", unreadable.problem);
        assert_eq!(unreadable.object["spec"]["replicas"], "three");
    }

    #[test]
    fn a_pod_that_only_reports_its_health_does_not_differ() {
        let pod = |version: &str, label: &str| {
            let meta = json!({"metadata": {"name": "p", "uid": "u", "resourceVersion": version, "labels": {"l": label}}});
            PodEntry::prune(serde_json::from_value(meta).expect("a pod"))
        };
        assert!(!pod("2", "a").differs(&pod("1", "a")));
        assert!(pod("2", "b").differs(&pod("1", "a")));
    }

    #[test]
    fn an_ingress_loses_its_status_and_differs_by_what_routers_read() {
        let ingress = |version: &str, weight: &str| {
            IngressEntry::prune(raw(json!({
                "metadata": {"name": "i", "uid": "u", "resourceVersion": version, "annotations": {"weight": weight},
                    "managedFields": [{"manager": "m"}]},
                "spec": {"ingressClassName": "nginx"},
                "status": {"loadBalancer": {}},
            })))
        };
        let entry = ingress("1", "5");
        assert!(
            entry.object.get("status").is_none() && entry.object["metadata"].get("managedFields").is_none()
        );
        assert!(!ingress("2", "5").differs(&entry) && ingress("2", "6").differs(&entry));
    }

    #[test]
    fn a_service_keeps_selector_and_manager() {
        let entry = ServiceEntry::prune(raw(json!({
            "metadata": {"name": "s", "annotations": {"argo-rollouts.argoproj.io/managed-by-rollouts": "web"}},
            "spec": {"selector": {"app": "web"}, "clusterIP": "10.0.0.1"},
        })));
        assert_eq!(entry.0.managed_by.as_deref(), Some("web"));
        assert_eq!(entry.0.selector, BTreeMap::from([("app".to_owned(), "web".to_owned())]));
    }
}
