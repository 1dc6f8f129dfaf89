//! Healthy means that the pods run the images of the spec: a checker for everything that is played on a cluster.

#![allow(dead_code, reason = "each test binary uses some of it")]

use std::time::Duration;

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::{Pod, PodTemplate};
use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject, ListParams};
use serde_json::Value;
use serin_clock as clock;
use serin_core::api::{Rollout, keys};

/// How often a Rollout is looked at before a complaint counts: its objects are read one after the other.
const LOOKS: usize = 20;

/// The objects of a namespace that a checker looks at.
struct Seen {
    rollouts: Vec<Value>,
    sets: Vec<Value>,
    pods: Vec<Value>,
    deployments: Vec<Value>,
    pod_templates: Vec<Value>,
}

impl Seen {
    async fn read(client: &Client, namespace: &str) -> kube::Result<Self> {
        let list = async |kind: ApiResource| {
            let api = Api::<DynamicObject>::namespaced_with(client.clone(), namespace, &kind);
            let found = api.list(&ListParams::default()).await?;
            let objects = found.items.into_iter();
            Ok::<_, kube::Error>(objects.map(|it| serde_json::to_value(it).expect("JSON")).collect())
        };
        Ok(Self {
            rollouts: list(ApiResource::erase::<Rollout>(&())).await?,
            sets: list(ApiResource::erase::<ReplicaSet>(&())).await?,
            pods: list(ApiResource::erase::<Pod>(&())).await?,
            deployments: list(ApiResource::erase::<Deployment>(&())).await?,
            pod_templates: list(ApiResource::erase::<PodTemplate>(&())).await?,
        })
    }

    /// The Rollouts that say that they are Healthy.
    fn healthy(&self) -> impl Iterator<Item = &Value> {
        self.rollouts.iter().filter(|rollout| rollout["status"]["phase"] == "Healthy" && is_observed(rollout))
    }

    /// What is wrong with a Rollout of which is said that its pods run the newest revision.
    fn complaint(&self, rollout: &Value) -> Option<String> {
        let (status, name) = (&rollout["status"], &rollout["metadata"]["name"]);
        let template = self.template_of(rollout)?;
        let hash = &status["currentPodHash"];
        let current = self.sets.iter().find(|set| is_owned(set, rollout) && hash_of(set) == hash);
        let Some(current) = current else {
            return Some(format!("{name} is Healthy, and has no ReplicaSet of the hash {hash}"));
        };
        let counted: Vec<&Value> =
            self.pods.iter().filter(|pod| is_owned(pod, current) && is_alive(pod)).collect();
        let wanted = rollout["spec"]["replicas"].as_u64().unwrap_or(1);
        if u64::try_from(counted.len()).is_ok_and(|count| count < wanted) {
            return Some(format!("{name} is Healthy with {} pods of {wanted}", counted.len()));
        }
        let other = counted.into_iter().find(|pod| !runs(&pod["spec"], &template["spec"]))?;
        let (pod, spec) = (&other["metadata"]["name"], images(&template["spec"]));
        Some(format!("{name} is Healthy with {spec:?}, and {pod} runs {:?}", images(&other["spec"])))
    }

    /// The template that a Rollout asks for, unless its workload is gone.
    fn template_of<'s>(&'s self, rollout: &'s Value) -> Option<&'s Value> {
        let reference = &rollout["spec"]["workloadRef"];
        let Some(name) = reference["name"].as_str() else { return Some(&rollout["spec"]["template"]) };
        let named = |all: &'s [Value]| all.iter().find(|it| it["metadata"]["name"] == name);
        match reference["kind"].as_str() {
            Some("PodTemplate") => named(&self.pod_templates).map(|it| &it["template"]),
            Some("ReplicaSet") => named(&self.sets).map(|it| &it["spec"]["template"]),
            _ => named(&self.deployments).map(|it| &it["spec"]["template"]),
        }
    }
}

/// What was seen of the Rollouts of a namespace that say they are Healthy.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// How many there were.
    pub(crate) healthy: usize,
    /// Everything that is wrong with them, each time that they were looked at.
    pub(crate) complaints: Vec<String>,
}

/// Judges the Rollouts of a namespace that say that they are Healthy.
pub(crate) async fn judge(client: &Client, namespace: &str) -> kube::Result<Verdict> {
    judge_those(client, namespace, |_| false).await
}

/// Judges the Rollouts of a namespace that say that they are Healthy, and those of which somebody else says that their
/// pods run the newest revision.
pub(crate) async fn judge_those(
    client: &Client,
    namespace: &str,
    is_said: impl Fn(&Value) -> bool,
) -> kube::Result<Verdict> {
    let mut verdict = Verdict::default();
    for _ in 0..LOOKS {
        let seen = Seen::read(client, namespace).await?;
        let said = seen.rollouts.iter().filter(|rollout| is_said(rollout));
        let judged = seen.healthy().chain(said);
        verdict.healthy = seen.healthy().count();
        verdict.complaints = judged.filter_map(|rollout| seen.complaint(rollout)).collect();
        if verdict.complaints.is_empty() {
            break;
        }
        clock::sleep(Duration::from_millis(100)).await;
    }
    Ok(verdict)
}

/// Whether the status of the Rollout is about its spec as it is.
pub(crate) fn is_observed(rollout: &Value) -> bool {
    rollout["status"]["observedGeneration"] == rollout["metadata"]["generation"].to_string().as_str()
}

/// Whether the pod is not being deleted and has not ended.
fn is_alive(pod: &Value) -> bool {
    let phase = pod["status"]["phase"].as_str();
    pod["metadata"]["deletionTimestamp"].is_null() && !matches!(phase, Some("Failed" | "Succeeded"))
}

fn is_owned(object: &Value, owner: &Value) -> bool {
    let owners = object["metadata"]["ownerReferences"].as_array();
    owners.into_iter().flatten().any(|it| it["uid"] == owner["metadata"]["uid"])
}

fn hash_of(object: &Value) -> &Value {
    &object["metadata"]["labels"][keys::POD_HASH_LABEL]
}

/// The name and the image of each container.
fn images(spec: &Value) -> Vec<(&str, &str)> {
    let lists = ["initContainers", "containers"].into_iter().filter_map(|field| spec[field].as_array());
    lists.flatten().filter_map(|it| Some((it["name"].as_str()?, it["image"].as_str()?))).collect()
}

/// Whether the pod has each container of the template with its image. It may have others, of admission.
fn runs(pod: &Value, template: &Value) -> bool {
    let has = images(pod);
    images(template).iter().all(|container| has.contains(container))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A Rollout of two pods that says it is Healthy, and pods of these images.
    fn seen(phase: &str, observed: &str, pods: &[&str]) -> Seen {
        let container = |image: &str| json!({"spec": {"containers": [{"name": "app", "image": image}]}});
        let pod = |image: &&str| {
            let mut pod = container(image);
            pod["metadata"] = json!({"name": "demo-1", "ownerReferences": [{"uid": "set"}]});
            pod
        };
        let labels = json!({keys::POD_HASH_LABEL: "abc"});
        Seen {
            rollouts: vec![json!({
                "metadata": {"name": "demo", "uid": "rollout", "generation": 2},
                "spec": {"replicas": 2, "template": container("green")},
                "status": {"phase": phase, "observedGeneration": observed, "currentPodHash": "abc"},
            })],
            sets: vec![
                json!({"metadata": {"uid": "set", "labels": labels, "ownerReferences": [{"uid": "rollout"}]}}),
            ],
            pods: pods.iter().map(pod).collect(),
            deployments: Vec::new(),
            pod_templates: Vec::new(),
        }
    }

    #[test]
    fn a_rollout_that_is_not_as_healthy_as_it_says_is_found() {
        let complaint = |phase: &str, observed: &str, pods: &[&str]| {
            let seen = seen(phase, observed, pods);
            seen.healthy().find_map(|rollout| seen.complaint(rollout)).unwrap_or_default()
        };
        assert!(
            complaint("Healthy", "2", &["green", "blue"]).contains("demo-1\" runs [(\"app\", \"blue\")]")
        );
        assert_eq!(complaint("Healthy", "2", &["green"]), "\"demo\" is Healthy with 1 pods of 2");
        for (phase, observed, pods) in [
            ("Healthy", "2", ["green", "green"]),
            ("Paused", "2", ["green", "blue"]),
            ("Healthy", "1", ["green", "blue"]),
        ] {
            assert_eq!(complaint(phase, observed, &pods), "", "{phase} {observed} {pods:?}");
        }
    }
}
