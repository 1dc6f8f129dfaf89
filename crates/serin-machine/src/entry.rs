//! What the caches hold of an object: what finds it, and its content with what nobody reads left out.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::Value;

use crate::content::{Content, Pod, ReplicaSet, Rollout, Service, Workload};
use crate::object::RawObject;
use serin_core::domain::object::{ObjectKey, ObjectRef};
use serin_core::domain::plan::ObjectKind;
use serin_core::rollout::ObservedKeys;
use serin_core::rollout::snapshot::Identity;

/// A fact about an object by which a cache finds it without looking at every object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Term {
    /// It is a primary object in this namespace.
    Namespace(String),
    /// Its controller has this uid.
    ControlledBy(String),
    /// It is in this namespace and has no controller.
    Orphan(String),
    /// A decision about it looks at this object.
    Names(ObjectRef),
    /// A decision about it looks at an object of this kind.
    Needs(ObjectKind),
    /// It says that this Rollout manages it.
    ManagedBy(ObjectKey),
}

/// The controller of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Its API group.
    pub group: Box<str>,
    /// Its kind.
    pub kind: Box<str>,
    /// Its name, in the namespace of the object.
    pub name: Box<str>,
    /// Its uid.
    pub uid: Box<str>,
}

impl Owner {
    /// The controller that `meta` names.
    #[must_use]
    pub fn of(meta: &ObjectMeta) -> Option<Self> {
        let owners = meta.owner_references.as_deref().unwrap_or_default();
        let owner = owners.iter().find(|owner| owner.controller == Some(true))?;
        let group = owner.api_version.split_once('/').map_or("", |(group, _)| group);
        Some(Self {
            group: group.into(),
            kind: owner.kind.as_str().into(),
            name: owner.name.as_str().into(),
            uid: owner.uid.as_str().into(),
        })
    }

    /// Whether it is of `kind`.
    #[must_use]
    pub fn is(&self, kind: ObjectKind) -> bool {
        let of = kind.resource();
        *self.kind == *of.kind && *self.group == *of.group
    }

    /// Whether it is a Rollout.
    #[must_use]
    pub fn is_rollout(&self) -> bool {
        self.is(ObjectKind::Rollout)
    }
}

/// An object in a cache.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Which one it is, in which state.
    pub id: Identity,
    /// Its controller, if it has one.
    pub owner: Option<Owner>,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// The other objects that a decision about it looks at, if it is a primary object.
    pub observed: ObservedKeys,
    /// The rest.
    pub content: Content,
}

impl Entry {
    /// The entry of `object` with that content, which looks at no other objects.
    #[must_use]
    pub fn new(object: &RawObject, content: Content) -> Self {
        Self {
            id: object.identity(),
            owner: Owner::of(&object.metadata),
            deleting: object.metadata.deletion_timestamp.is_some(),
            observed: ObservedKeys::default(),
            content,
        }
    }

    /// How it is found; `key` is its own and `kind` that of its cache.
    pub(crate) fn terms(&self, kind: ObjectKind, key: &ObjectKey) -> Vec<Term> {
        let mut terms = Vec::new();
        match &self.owner {
            Some(owner) => terms.push(Term::ControlledBy(String::from(&*owner.uid))),
            None if kind == ObjectKind::ReplicaSet => terms.push(Term::Orphan(key.namespace.clone())),
            None => {}
        }
        if kind == ObjectKind::Rollout {
            terms.push(Term::Namespace(key.namespace.clone()));
        }
        if let Content::Service(service) = &self.content {
            let manager = service.managed_by.as_ref();
            terms.extend(manager.map(|name| Term::ManagedBy(ObjectKey::new(&key.namespace, &**name))));
        }
        for object in &self.observed.objects {
            terms.push(Term::Names(object.clone()));
            terms.push(Term::Needs(object.kind));
        }
        terms.sort_unstable();
        terms.dedup();
        terms
    }

    /// Whether it is another state of the object than `before`.
    #[must_use]
    pub fn is_other_version(&self, before: &Self) -> bool {
        self.id != before.id
    }

    /// The object as JSON, if that is how it is kept.
    #[must_use]
    pub fn json(&self) -> Option<Value> {
        match &self.content {
            Content::Json(object) => object.get(),
            Content::Rollout(_)
            | Content::ReplicaSet(_)
            | Content::Service(_)
            | Content::Pod(_)
            | Content::Workload(_) => None,
        }
    }

    /// The content of a Rollout.
    #[must_use]
    pub fn rollout(&self) -> Option<&Rollout> {
        if let Content::Rollout(rollout) = &self.content { Some(rollout) } else { None }
    }

    /// The content of a ReplicaSet.
    #[must_use]
    pub fn replica_set(&self) -> Option<&ReplicaSet> {
        if let Content::ReplicaSet(replica_set) = &self.content { Some(replica_set) } else { None }
    }

    /// The content of a Service.
    #[must_use]
    pub fn service(&self) -> Option<&Service> {
        if let Content::Service(service) = &self.content { Some(service) } else { None }
    }

    /// The content of a Pod.
    #[must_use]
    pub fn pod(&self) -> Option<&Pod> {
        if let Content::Pod(pod) = &self.content { Some(pod) } else { None }
    }

    /// The content of a workload.
    #[must_use]
    pub fn workload(&self) -> Option<&Workload> {
        if let Content::Workload(workload) = &self.content { Some(workload) } else { None }
    }
}
