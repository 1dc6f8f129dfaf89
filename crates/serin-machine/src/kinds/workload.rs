//! The workloads that Rollouts take their templates from: Deployments, ReplicaSets and PodTemplates.
//!
//! There may be thousands of them that no Rollout names, so a kind is watched only while a Rollout names an object of it.

use serde_json::Value;

use super::{KindRow, named};
use crate::entry::{Content, Entry};
use crate::object::{RawObject, integer};
use crate::packed::Packed;
use serin_core::api::{LabelSelector, PodTemplate};
use serin_core::rollout::snapshot::{Identity, WorkloadView};
use serin_core::rollout::workload::WorkloadKind;

/// How Deployments are watched.
pub(super) const DEPLOYMENT: KindRow = KindRow { differs, ..named(deployment) };
/// How ReplicaSets that a template may come from are watched.
pub(super) const REPLICA_SET: KindRow = KindRow { differs, ..named(replica_set) };
/// How PodTemplates are watched.
pub(super) const POD_TEMPLATE: KindRow = KindRow { differs, ..named(pod_template) };

/// What is kept of a workload.
#[derive(Debug, Clone, PartialEq)]
pub struct Workload {
    kind: WorkloadKind,
    generation: i64,
    template: Packed<Value>,
    selector: Option<LabelSelector>,
    replicas: i32,
}

impl Workload {
    /// What decisions read of the workload of that entry.
    #[must_use]
    pub fn view(&self, id: &Identity) -> WorkloadView {
        let template = self.template.get().unwrap_or_default();
        WorkloadView {
            kind: self.kind,
            id: id.clone(),
            generation: self.generation,
            template: serde_json::from_value::<PodTemplate>(template).unwrap_or_default(),
            selector: self.selector.clone(),
            replicas: self.replicas,
        }
    }

    /// `spec.selector`.
    #[must_use]
    pub const fn selector(&self) -> Option<&LabelSelector> {
        self.selector.as_ref()
    }
}

fn deployment(wire: RawObject) -> Entry {
    let template = wire.spec.get("template").cloned();
    prune(WorkloadKind::Deployment, template, &wire)
}

fn replica_set(wire: RawObject) -> Entry {
    let template = wire.spec.get("template").cloned();
    prune(WorkloadKind::ReplicaSet, template, &wire)
}

fn pod_template(mut wire: RawObject) -> Entry {
    let template = wire.template.take();
    prune(WorkloadKind::PodTemplate, Some(template), &wire)
}

fn prune(kind: WorkloadKind, template: Option<Value>, wire: &RawObject) -> Entry {
    let selector = wire.spec.get("selector").cloned().unwrap_or_default();
    let workload = Workload {
        kind,
        generation: wire.metadata.generation.unwrap_or_default(),
        template: Packed::new(&template.unwrap_or_default()),
        selector: serde_json::from_value(selector).unwrap_or_default(),
        replicas: integer(&wire.spec, "replicas").unwrap_or(1),
    };
    Entry { owner: None, ..Entry::new(wire, Content::Workload(Box::new(workload))) }
}

fn differs(now: &Entry, before: &Entry) -> bool {
    now.id.uid != before.id.uid || now.workload() != before.workload()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cache::{Caches, Closed};
    use crate::observe::{Observed, observe};
    use crate::trigger::concerned;
    use serin_core::domain::object::ObjectKey;
    use serin_core::domain::plan::ObjectKind;
    use serin_core::rollout::snapshot::{Remembered, Snapshot, Unresolved};

    fn raw(object: Value) -> RawObject {
        serde_json::from_value(object).expect("an object")
    }

    fn view(entry: &Entry) -> WorkloadView {
        entry.workload().expect("a workload").view(&entry.id)
    }

    fn raw_deployment(version: &str, generation: i64) -> RawObject {
        raw(json!({
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

    #[test]
    fn each_kind_gives_what_it_has() {
        let of_deployment = view(&deployment(raw_deployment("7", 2)));
        let id = of_deployment.id.resource_version.as_str();
        assert_eq!((of_deployment.generation, of_deployment.replicas, id), (2, 3, "7"));
        let template = json!({"metadata": {"labels": {"app": "web"}}, "spec": {"future": [1]}});
        assert_eq!(of_deployment.template.as_value(), &template);
        assert!(of_deployment.selector.is_some());

        let set = view(&replica_set(raw(json!({
            "metadata": {"name": "r"}, "spec": {"template": template, "selector": {"matchLabels": {"app": "web"}}},
        }))));
        assert_eq!((set.kind, set.replicas), (WorkloadKind::ReplicaSet, 1));
        assert_eq!(set.template.as_value(), &template);
        assert!(set.selector.is_some());

        let alone = view(&pod_template(raw(json!({"metadata": {"name": "p"}, "template": template}))));
        assert_eq!((alone.template.as_value(), alone.selector), (&template, None));
        let empty = view(&pod_template(raw(json!({"metadata": {"name": "p"}}))));
        assert!(empty.template.is_empty());
    }

    #[test]
    fn news_of_its_pods_concern_nobody() {
        let deployment = |version, generation| deployment(raw_deployment(version, generation));
        assert!(!differs(&deployment("8", 2), &deployment("7", 2)));
        assert!(differs(&deployment("8", 3), &deployment("7", 2)));
    }

    #[test]
    fn a_snapshot_has_the_workload_and_the_orphans_that_it_selects() {
        let caches = Caches::default();
        let put = |kind, object| drop(caches.of(kind).write().put(object));
        let reference = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"});
        put(
            ObjectKind::Rollout,
            raw(json!({
                "metadata": {"name": "web", "namespace": "shop", "uid": "u1", "resourceVersion": "1", "generation": 1},
                "spec": {"workloadRef": reference, "strategy": {"canary": {}}},
            })),
        );
        let orphan = |name: &str, app: &str| {
            raw(json!({"metadata": {"name": name, "namespace": "shop", "uid": name, "labels": {"app": app}}}))
        };
        put(ObjectKind::ReplicaSet, orphan("web", "web"));
        put(ObjectKind::ReplicaSet, orphan("api", "api"));
        let snapshot = || -> Snapshot {
            match observe(&ObjectKey::new("shop", "web"), &caches, Remembered::default()) {
                Observed::Complete(snapshot) => *snapshot,
                other @ (Observed::Absent | Observed::Unreadable(_)) => panic!("{other:?}"),
            }
        };
        assert!(matches!(snapshot().workload, Some(Err(Unresolved::Unreadable(_)))));
        assert!(snapshot().replica_sets.is_empty(), "nothing is known to be selected");
        caches.of(ObjectKind::Deployment).write().close(Closed::Refused("no".into()));
        assert_eq!(snapshot().workload, Some(Err(Unresolved::Unreadable("no".into()))));
        caches.of(ObjectKind::Deployment).write().swap();
        assert_eq!(snapshot().workload, Some(Err(Unresolved::Absent)));
        put(ObjectKind::Deployment, raw_deployment("7", 2));
        let names: Vec<_> = snapshot().replica_sets.iter().map(|rs| rs.id.name.clone()).collect();
        assert_eq!(names, ["web"]);
        assert_eq!(snapshot().workload, Some(Ok(view(&deployment(raw_deployment("7", 2))))));

        let change = caches.of(ObjectKind::ReplicaSet).write().put(orphan("x", "web")).expect("news");
        let names: Vec<_> = concerned(&change, &caches).into_iter().map(|object| object.key.name).collect();
        assert_eq!(names, ["web"]);
    }
}
