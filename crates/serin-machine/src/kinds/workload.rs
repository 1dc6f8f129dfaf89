//! The workloads that Rollouts take their templates from: Deployments, ReplicaSets and PodTemplates.
//!
//! There may be thousands of them that no Rollout names, so a kind is watched only while a Rollout names an object of it.

use super::row::{KindRow, named};
use crate::content::{Content, Workload};
use crate::entry::Entry;
use crate::object::RawObject;
use serin_core::rollout::workload::WorkloadKind;

/// How Deployments are watched.
pub(super) const DEPLOYMENT: KindRow = KindRow { differs, ..named(deployment) };
/// How ReplicaSets that a template may come from are watched.
pub(super) const REPLICA_SET: KindRow = KindRow { differs, ..named(replica_set) };
/// How PodTemplates are watched.
pub(super) const POD_TEMPLATE: KindRow = KindRow { differs, ..named(pod_template) };

fn deployment(wire: &mut RawObject) -> Entry {
    prune(WorkloadKind::Deployment, wire)
}

fn replica_set(wire: &mut RawObject) -> Entry {
    prune(WorkloadKind::ReplicaSet, wire)
}

fn pod_template(wire: &mut RawObject) -> Entry {
    prune(WorkloadKind::PodTemplate, wire)
}

fn prune(kind: WorkloadKind, wire: &RawObject) -> Entry {
    let workload = Workload::of(kind, wire);
    Entry { owner: None, ..Entry::new(wire, Content::Workload(Box::new(workload))) }
}

fn differs(now: &Entry, before: &Entry) -> bool {
    now.id.uid != before.id.uid || now.workload() != before.workload()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::raw;
    use serin_core::rollout::snapshot::WorkloadView;

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
        let of_deployment = view(&deployment(&mut raw_deployment("7", 2)));
        let id = of_deployment.id.resource_version.as_str();
        assert_eq!((of_deployment.generation, of_deployment.replicas, id), (2, 3, "7"));
        let template = json!({"metadata": {"labels": {"app": "web"}}, "spec": {"future": [1]}});
        assert_eq!(of_deployment.template.as_value(), &template);
        assert!(of_deployment.selector.is_some());

        let set = view(&replica_set(&mut raw(json!({
            "metadata": {"name": "r"}, "spec": {"template": template, "selector": {"matchLabels": {"app": "web"}}},
        }))));
        assert_eq!((set.kind, set.replicas), (WorkloadKind::ReplicaSet, 1));
        assert_eq!(set.template.as_value(), &template);
        assert!(set.selector.is_some());

        let alone = view(&pod_template(&mut raw(json!({"metadata": {"name": "p"}, "template": template}))));
        assert_eq!((alone.template.as_value(), alone.selector), (&template, None));
        let empty = view(&pod_template(&mut raw(json!({"metadata": {"name": "p"}}))));
        assert!(empty.template.is_empty());
    }

    #[test]
    fn news_of_its_pods_concern_nobody() {
        let deployment = |version, generation| deployment(&mut raw_deployment(version, generation));
        assert!(!differs(&deployment("8", 2), &deployment("7", 2)));
        assert!(differs(&deployment("8", 3), &deployment("7", 2)));
    }
}
