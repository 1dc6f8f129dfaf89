//! The workloads that Rollouts take their templates from: Deployments, ReplicaSets and PodTemplates.
//!
//! There may be thousands of them that no Rollout names, so a kind is watched only once a Rollout has named an object of
//! it, and a template is kept as text, since most are never asked for.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::Notify;

use super::cache::{Caches, Shared};
use super::entry::{Entry, RolloutEntry, Term, identity, integer};
use super::object::{ObjectKey, RawObject};
use super::trigger::{Trigger, rollouts_with};
use serin_core::api::{LabelSelector, PodTemplate};
use serin_core::domain::plan::ObjectKind;
use serin_core::rollout::snapshot::{Identity, Unresolved, WorkloadView};
use serin_core::rollout::workload::{WorkloadKind, WorkloadName};

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

/// A workload, as little of it as will do.
#[derive(Debug, PartialEq)]
struct Workload {
    kind: WorkloadKind,
    id: Identity,
    generation: i64,
    /// The pod template, as JSON.
    template: Box<str>,
    selector: Option<LabelSelector>,
    replicas: i32,
}

impl Workload {
    /// What decisions read of it.
    fn view(&self) -> WorkloadView {
        WorkloadView {
            kind: self.kind,
            id: self.id.clone(),
            generation: self.generation,
            template: serde_json::from_str::<PodTemplate>(&self.template).unwrap_or_default(),
            selector: self.selector.clone(),
            replicas: self.replicas,
        }
    }
}

/// A workload of the kind `K`.
#[derive(Debug)]
pub struct WorkloadEntry<K>(Arc<Workload>, PhantomData<K>);

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
        let workload = Workload {
            kind: K::WORKLOAD,
            id: identity(&wire.metadata),
            generation: wire.metadata.generation.unwrap_or_default(),
            template: template.unwrap_or(&Value::Null).to_string().into(),
            selector: serde_json::from_value(selector).unwrap_or_default(),
            replicas: integer(&wire.spec, "replicas").unwrap_or(1),
        };
        Self(Arc::new(workload), PhantomData)
    }

    fn id(&self) -> &Identity {
        &self.0.id
    }

    fn terms(&self, _: &ObjectKey) -> Vec<Term> {
        Vec::new()
    }

    fn differs(&self, before: &Self) -> bool {
        let (now, before) = (&self.0, &before.0);
        now.id.uid != before.id.uid
            || now.generation != before.generation
            || now.template != before.template
            || now.selector != before.selector
            || now.replicas != before.replicas
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
        self.find(namespace, name).map(|found| found.map(|workload| workload.view()))
    }

    fn find(&self, namespace: &str, name: &WorkloadName) -> Option<Result<Arc<Workload>, Unresolved>> {
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
        match self.find(namespace, name) {
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
    own.or_else(|| {
        let workload = caches.workloads.find(namespace, entry.observed.workload.as_ref()?)?;
        workload.ok()?.selector.clone()
    })
}

fn look_up<K: OfKind>(
    cache: &Shared<WorkloadEntry<K>>,
    key: &ObjectKey,
) -> Option<Result<Arc<Workload>, Unresolved>> {
    let cache = cache.read();
    if let Some(entry) = cache.get(key) {
        Some(Ok(Arc::clone(&entry.0)))
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::cache::Change;
    use super::super::double::Double;
    use super::super::entry::ReplicaSetEntry;
    use super::super::observe::{Observed, observe};
    use super::super::queue::Next;
    use super::super::reconcile::Reconciler;
    use super::super::trigger::rollouts;
    use super::*;
    use serin_clock::{Clock, sleep};
    use serin_core::rollout::snapshot::Remembered;
    use serin_values::random::Rng;

    fn key(name: &str) -> ObjectKey {
        ObjectKey::new("shop", name)
    }

    fn entry<T: Entry<Wire = RawObject>>(object: Value) -> T {
        T::prune(serde_json::from_value(object).expect("an object"))
    }

    fn deployment(version: &str, generation: i64) -> WorkloadEntry<Deployments> {
        entry(json!({
            "metadata": {"name": "d", "namespace": "shop", "uid": "u2", "resourceVersion": version,
                "generation": generation},
            "spec": {
                "replicas": 3,
                "selector": {"matchLabels": {"app": "web"}},
                "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"future": [1]}},
            },
            "status": {"readyReplicas": 2},
        }))
    }

    /// The Rollout `web` of the Deployment `d`.
    fn put_rollout(caches: &Caches) {
        let reference = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"});
        let object = json!({
            "metadata": {"name": "web", "namespace": "shop", "uid": "u1", "resourceVersion": "1", "generation": 1},
            "spec": {"workloadRef": reference, "strategy": {"canary": {}}},
        });
        caches.rollouts.write().put(key("web"), entry(object));
    }

    fn named() -> WorkloadName {
        WorkloadName { kind: WorkloadKind::Deployment, name: "d".into() }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).expect("a time")
    }

    #[test]
    fn each_kind_gives_what_it_has() {
        let view = deployment("7", 2).0.view();
        assert_eq!((view.generation, view.replicas, view.id.resource_version.as_str()), (2, 3, "7"));
        let template = json!({"metadata": {"labels": {"app": "web"}}, "spec": {"future": [1]}});
        assert_eq!(view.template.as_value(), &template);
        assert!(view.selector.is_some());

        let set: WorkloadEntry<ReplicaSets> = entry(json!({
            "metadata": {"name": "r"}, "spec": {"template": template, "selector": {"matchLabels": {"app": "web"}}},
        }));
        let view = set.0.view();
        assert_eq!((view.kind, view.replicas), (WorkloadKind::ReplicaSet, 1));
        assert_eq!(view.template.as_value(), &template);
        assert!(view.selector.is_some());

        let alone: WorkloadEntry<PodTemplates> =
            entry(json!({"metadata": {"name": "p"}, "template": template}));
        assert_eq!((alone.0.view().template.as_value(), alone.0.view().selector), (&template, None));
        let empty: WorkloadEntry<PodTemplates> = entry(json!({"metadata": {"name": "p"}}));
        assert!(empty.0.view().template.is_empty());
    }

    #[test]
    fn news_of_its_pods_concern_nobody() {
        assert!(!deployment("8", 2).differs(&deployment("7", 2)));
        assert!(deployment("8", 3).differs(&deployment("7", 2)));
    }

    #[test]
    fn a_workload_concerns_the_rollouts_that_name_it() {
        let caches = Caches::default();
        put_rollout(&caches);
        let concerned = |name: &str| {
            let after = Some(Arc::new(deployment("7", 2)));
            rollouts(&Change { key: key(name), before: None, after }, &caches)
        };
        assert_eq!(concerned("d"), BTreeSet::from([key("web")]));
        assert!(concerned("other").is_empty());
        assert_eq!(WorkloadEntry::<Deployments>::waiting(&caches), BTreeSet::from([key("web")]));
        assert!(WorkloadEntry::<PodTemplates>::waiting(&caches).is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_kind_is_asked_for_once() {
        let demand = Arc::new(Demand::default());
        demand.ask(WorkloadKind::Deployment);
        demand.ask(WorkloadKind::Deployment);
        assert_eq!(demand.next().await, WorkloadKind::Deployment);
        demand.ask(WorkloadKind::Deployment);
        let next = tokio::spawn({
            let demand = Arc::clone(&demand);
            async move { demand.next().await }
        });
        sleep(Duration::from_secs(1)).await;
        assert!(!next.is_finished(), "it is watched already");
        demand.ask(WorkloadKind::PodTemplate);
        assert_eq!(next.await.expect("no panic"), WorkloadKind::PodTemplate);
    }

    #[test]
    fn a_decision_waits_for_the_first_list_and_for_an_interrupted_watch() {
        let workloads = Workloads::default();
        let wait = || workloads.wait("shop", &named(), at(0));
        assert_eq!(wait(), Some(UNSEEN));
        assert_eq!(workloads.demand.take(), Some(WorkloadKind::Deployment), "it was asked for");
        assert!(workloads.deployments.write().refuse("no".into()));
        assert!(!workloads.deployments.write().refuse("no".into()), "that is known");
        workloads.deployments.write().doubt_until(at(3));
        assert_eq!(wait(), None, "there is nothing to wait for");
        assert_eq!(workloads.get("shop", &named()), Some(Err(Unresolved::Unreadable("no".into()))));

        workloads.deployments.write().swap();
        assert_eq!((wait(), workloads.get("shop", &named())), (None, Some(Err(Unresolved::Absent))));
        workloads.deployments.write().put(key("d"), deployment("7", 2));
        workloads.deployments.write().doubt_until(at(3));
        assert_eq!(wait(), Some(Duration::from_secs(3)));
    }

    #[test]
    fn a_snapshot_has_the_workload_and_the_orphans_that_it_selects() {
        let caches = Caches::default();
        put_rollout(&caches);
        for app in ["web", "api"] {
            let metadata = json!({"name": app, "namespace": "shop", "uid": app, "labels": {"app": app}});
            let orphan: ReplicaSetEntry = entry(json!({"metadata": metadata}));
            caches.replica_sets.write().put(key(app), orphan);
        }
        let snapshot = || match observe(&key("web"), &caches, Remembered::default()) {
            Observed::Complete(snapshot) => snapshot,
            other @ (Observed::Absent | Observed::Unreadable(_)) => panic!("{other:?}"),
        };
        assert!(matches!(snapshot().workload, Some(Err(Unresolved::Unreadable(_)))));
        assert!(snapshot().replica_sets.is_empty(), "nothing is known to be selected");
        caches.workloads.deployments.write().put(key("d"), deployment("7", 2));
        let names: Vec<_> = snapshot().replica_sets.iter().map(|rs| rs.id.name.clone()).collect();
        assert_eq!(names, ["web"]);
        assert_eq!(snapshot().workload, Some(Ok(deployment("7", 2).0.view())));

        let orphan =
            Arc::new(entry::<ReplicaSetEntry>(json!({"metadata": {"name": "x", "labels": {"app": "web"}}})));
        let change = Change { key: key("x"), before: None, after: Some(orphan) };
        assert_eq!(rollouts(&change, &caches), BTreeSet::from([key("web")]));
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_decided_before_the_workload_is_known() {
        let clock = Clock::starting_at(Timestamp::UNIX_EPOCH);
        let reconciler = Reconciler::new(Double::default(), clock, Rng::seeded(0));
        put_rollout(&reconciler.caches);
        assert_eq!(reconciler.reconcile(&key("web")).await, Next::Soon(UNSEEN));
        assert!(reconciler.server.lines().is_empty());

        reconciler.caches.workloads.deployments.write().refuse("nobody may".into());
        let Next::At(patience) = reconciler.reconcile(&key("web")).await else { panic!("it waits for more") };
        reconciler.clock.sleep_until(patience).await;
        reconciler.reconcile(&key("web")).await;
        let status = &reconciler.server.body(0)["status"];
        let message = "InvalidSpec: The Rollout \"web\" is invalid: spec.workloadRef: Invalid value: \"Deployment d\": the \
                       controller cannot watch objects of this kind: nobody may; let it get, list and watch them";
        assert_eq!(status["message"], message);
    }
}
