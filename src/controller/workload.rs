//! The workloads that Rollouts take their templates from: Deployments, ReplicaSets and PodTemplates.
//!
//! There may be thousands of them that no Rollout names, so a kind is watched only once a Rollout has named an object of
//! it, and a template is kept as text, since most are never asked for.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::marker::PhantomData;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::Notify;

use super::cache::{Caches, Shared};
use super::entry::{Entry, RolloutEntry, Term, identity, integer};
use super::object::{ObjectKey, RawObject};
use super::trigger::{Trigger, rollouts_with};
use crate::api::{LabelSelector, PodTemplate};
use crate::domain::plan::ObjectKind;
use crate::rollout::snapshot::{Identity, Unresolved, WorkloadView};
use crate::rollout::workload::{WorkloadKind, WorkloadName};

/// When a Rollout is looked at again whose workload cannot be seen yet; the first list comes sooner.
const UNSEEN: Duration = Duration::from_secs(1);

/// A kind of workloads.
pub trait OfKind: Debug + Send + Sync + 'static {
    /// Where the API server serves it.
    const KIND: ObjectKind;
    /// What Rollouts call it.
    const WORKLOAD: WorkloadKind;

    /// Where the workloads of the kind are kept.
    fn cache(workloads: &Workloads) -> &Shared<WorkloadEntry<Self>>
    where
        Self: Sized;
}

/// Deployments.
#[derive(Debug)]
pub struct Deployments;

/// ReplicaSets, whoever controls them.
#[derive(Debug)]
pub struct ReplicaSets;

/// PodTemplates.
#[derive(Debug)]
pub struct PodTemplates;

impl OfKind for Deployments {
    const KIND: ObjectKind = ObjectKind::Deployment;
    const WORKLOAD: WorkloadKind = WorkloadKind::Deployment;

    fn cache(workloads: &Workloads) -> &Shared<WorkloadEntry<Self>> {
        &workloads.deployments
    }
}

impl OfKind for ReplicaSets {
    const KIND: ObjectKind = ObjectKind::ReplicaSet;
    const WORKLOAD: WorkloadKind = WorkloadKind::ReplicaSet;

    fn cache(workloads: &Workloads) -> &Shared<WorkloadEntry<Self>> {
        &workloads.replica_sets
    }
}

impl OfKind for PodTemplates {
    const KIND: ObjectKind = ObjectKind::PodTemplate;
    const WORKLOAD: WorkloadKind = WorkloadKind::PodTemplate;

    fn cache(workloads: &Workloads) -> &Shared<WorkloadEntry<Self>> {
        &workloads.pod_templates
    }
}

/// A workload of the kind `K`.
#[derive(Debug)]
pub struct WorkloadEntry<K> {
    id: Identity,
    generation: i64,
    /// The pod template, as JSON.
    template: Box<str>,
    selector: Option<LabelSelector>,
    replicas: i32,
    kind: PhantomData<K>,
}

impl<K: OfKind> WorkloadEntry<K> {
    /// What decisions read of it.
    fn view(&self) -> WorkloadView {
        WorkloadView {
            kind: K::WORKLOAD,
            id: self.id.clone(),
            generation: self.generation,
            template: serde_json::from_str::<PodTemplate>(&self.template).unwrap_or_default(),
            selector: self.selector.clone(),
            replicas: self.replicas,
        }
    }
}

impl<K: OfKind> Entry for WorkloadEntry<K> {
    type Wire = RawObject;
    const KIND: ObjectKind = K::KIND;
    fn labels(_instance_id: Option<&str>) -> Option<String> {
        None
    }

    fn cache(caches: &Caches) -> &Shared<Self> {
        K::cache(&caches.workloads)
    }

    fn prune(wire: RawObject) -> Self {
        let template = match K::WORKLOAD {
            WorkloadKind::Deployment | WorkloadKind::ReplicaSet => wire.spec.get("template"),
            WorkloadKind::PodTemplate => Some(&wire.template),
        };
        let selector = wire.spec.get("selector").cloned().unwrap_or_default();
        Self {
            id: identity(&wire.metadata),
            generation: wire.metadata.generation.unwrap_or_default(),
            template: template.unwrap_or(&Value::Null).to_string().into(),
            selector: serde_json::from_value(selector).unwrap_or_default(),
            replicas: integer(&wire.spec, "replicas").unwrap_or(1),
            kind: PhantomData,
        }
    }

    fn id(&self) -> &Identity {
        &self.id
    }

    fn terms(&self, _: &ObjectKey) -> Vec<Term> {
        Vec::new()
    }

    fn differs(&self, before: &Self) -> bool {
        self.id.uid != before.id.uid
            || self.generation != before.generation
            || self.template != before.template
            || self.selector != before.selector
            || self.replicas != before.replicas
    }
}

impl<K: OfKind> Trigger for WorkloadEntry<K> {
    fn watchers(&self, key: &ObjectKey, caches: &Caches) -> BTreeSet<ObjectKey> {
        rollouts_with(&Term::NamesWorkload(K::WORKLOAD, key.clone()), caches)
    }

    fn waiting(caches: &Caches) -> BTreeSet<ObjectKey> {
        rollouts_with(&Term::NeedsWorkloads(K::WORKLOAD), caches)
    }
}

/// One cache a kind of workloads.
#[derive(Debug, Default)]
pub struct Workloads {
    /// Deployments.
    pub deployments: Shared<WorkloadEntry<Deployments>>,
    /// ReplicaSets, whoever controls them.
    pub replica_sets: Shared<WorkloadEntry<ReplicaSets>>,
    /// PodTemplates.
    pub pod_templates: Shared<WorkloadEntry<PodTemplates>>,
    /// The kinds that are to be watched.
    pub demand: Demand,
}

impl Workloads {
    /// The workload of that name in `namespace`, or why there is none; `None` where that is not known yet.
    #[must_use]
    pub fn get(&self, namespace: &str, name: &WorkloadName) -> Option<Result<WorkloadView, Unresolved>> {
        let key = ObjectKey::new(namespace, &name.name);
        match name.kind {
            WorkloadKind::Deployment => look_up(&self.deployments, &key),
            WorkloadKind::ReplicaSet => look_up(&self.replica_sets, &key),
            WorkloadKind::PodTemplate => look_up(&self.pod_templates, &key),
        }
    }

    fn doubted_until(&self, kind: WorkloadKind, now: Timestamp) -> Option<Timestamp> {
        match kind {
            WorkloadKind::Deployment => self.deployments.read().doubted_until(now),
            WorkloadKind::ReplicaSet => self.replica_sets.read().doubted_until(now),
            WorkloadKind::PodTemplate => self.pod_templates.read().doubted_until(now),
        }
    }

    /// How long a decision has to wait that is about that workload, whose kind is watched from now on.
    #[must_use]
    pub fn wait(&self, namespace: &str, name: &WorkloadName, now: Timestamp) -> Option<Duration> {
        self.demand.ask(name.kind);
        match self.get(namespace, name) {
            None => Some(UNSEEN),
            // The Rollout is to say so.
            Some(Err(Unresolved::Unreadable(_))) => None,
            // As with Rollouts themselves: an old template must not be judged by ReplicaSets of a newer one.
            Some(Ok(_) | Err(Unresolved::Absent)) => {
                let until = self.doubted_until(name.kind, now)?;
                Some(Duration::try_from(until.duration_since(now)).unwrap_or(UNSEEN))
            }
        }
    }
}

/// The selector of a Rollout, its own or its workload's.
pub(super) fn selector_of(entry: &RolloutEntry, namespace: &str, caches: &Caches) -> Option<LabelSelector> {
    let own = entry.content.as_ref().ok().and_then(|rollout| rollout.spec.selector.clone());
    own.or_else(|| caches.workloads.get(namespace, entry.observed.workload.as_ref()?)?.ok()?.selector)
}

fn look_up<K: OfKind>(
    cache: &Shared<WorkloadEntry<K>>,
    key: &ObjectKey,
) -> Option<Result<WorkloadView, Unresolved>> {
    let cache = cache.read();
    if let Some(entry) = cache.get(key) {
        Some(Ok(entry.view()))
    } else if cache.is_ready() {
        Some(Err(Unresolved::Absent))
    } else {
        cache.refusal().map(|said| Err(Unresolved::Unreadable(said.to_owned())))
    }
}

/// The kinds that are watched only once somebody asks for them.
#[derive(Debug, Default)]
pub struct Demand {
    asked: Mutex<Asked>,
    bell: Notify,
}

#[derive(Debug, Default)]
struct Asked {
    waiting: BTreeSet<WorkloadKind>,
    answered: BTreeSet<WorkloadKind>,
}

impl Demand {
    /// From now on objects of `kind` have to be known.
    fn ask(&self, kind: WorkloadKind) {
        let mut asked = self.asked();
        if !asked.answered.contains(&kind) && asked.waiting.insert(kind) {
            self.bell.notify_one();
        }
    }

    /// The next kind to watch; each comes once.
    pub async fn next(&self) -> WorkloadKind {
        loop {
            if let Some(kind) = self.take() {
                return kind;
            }
            self.bell.notified().await;
        }
    }

    fn take(&self) -> Option<WorkloadKind> {
        let mut asked = self.asked();
        let kind = asked.waiting.pop_first()?;
        asked.answered.insert(kind);
        Some(kind)
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
