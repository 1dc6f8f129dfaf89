//! The hostile Rollouts that a real API server stores, each in a namespace of its own, beside one that must go on.

use std::path::Path;
use std::time::Duration;

use futures::StreamExt;
use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::networking::v1::Ingress;
use kube::Client;
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};
use serin_clock as clock;
use serin_cluster::kubelet::KubeletSettings;
use serin_core::api::Rollout;
use serin_testbed::ControlPlane;

use crate::hostile_cases::{Case, Moment, NAME, cases, complaint, phase};
use crate::rollouts::{SERIN, SOON, Stage, resource};
use crate::support::{eventually, own_plane};

/// How many cases are worked on at a time.
const AT_ONCE: usize = 8;

/// How long a case may take to come to its end: an abort waits for a delay of 30 seconds, too.
const LIMIT: Duration = Duration::from_secs(90);

/// A case in its namespace.
struct Play {
    case: Case,
    namespace: String,
    client: Client,
}

impl Play {
    async fn new(plane: &ControlPlane, case: Case) -> Self {
        let (namespace, client) = (plane.namespace("case").await.unwrap(), plane.client().await.unwrap());
        let play = Self { case, namespace, client };
        for object in play.case.objects() {
            play.create(&object).await;
        }
        if let Some(status) = play.case.status_patch().filter(|_| play.case.at == Moment::Start) {
            play.patch_status(&status).await;
        }
        play
    }

    fn api(&self, kind: &ApiResource) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &self.namespace, kind)
    }

    async fn create(&self, object: &Value) {
        let kind = match object["kind"].as_str().unwrap() {
            "Rollout" => resource::<Rollout>(),
            "ReplicaSet" => resource::<ReplicaSet>(),
            "Service" => resource::<Service>(),
            "Ingress" => resource::<Ingress>(),
            other => panic!("no case has a {other}"),
        };
        let wire = serde_json::from_value(object.clone()).unwrap();
        let answer = self.api(&kind).create(&PostParams::default(), &wire).await;
        answer.unwrap_or_else(|error| panic!("{}: {error}: {object}", self.case.case));
    }

    async fn rollout(&self, name: &str) -> Value {
        serde_json::to_value(self.api(&resource::<Rollout>()).get(name).await.unwrap()).unwrap()
    }

    async fn patch(&self, kind: &ApiResource, name: &str, patch: &Value) {
        let answer = self.api(kind).patch(name, &PatchParams::default(), &Patch::Merge(patch)).await;
        answer.unwrap_or_else(|error| panic!("{}: {error}: {patch}", self.case.case));
    }

    async fn patch_status(&self, status: &Value) {
        let (api, patch) = (self.api(&resource::<Rollout>()), json!({"status": status}));
        let answer = api.patch_status(NAME, &PatchParams::default(), &Patch::Merge(&patch)).await;
        answer.unwrap_or_else(|error| panic!("{}: {error}: {patch}", self.case.case));
    }

    async fn update(&self) {
        let patch = json!({"spec": {"template": {"metadata": {"annotations": {"v": "2"}}}}});
        self.patch(&resource::<Rollout>(), NAME, &patch).await;
    }

    async fn until_phase(&self, start: &str) {
        let what = format!("{} is {start} before it begins", self.case.case);
        let is_there = async || phase(&self.rollout(NAME).await).starts_with(start).then_some(());
        eventually(&what, SOON, is_there).await;
    }

    /// Everything up to the hostile moment, and that.
    async fn strike(&self) {
        if self.case.at == Moment::Start {
            return;
        }
        self.until_phase("Healthy").await;
        if self.case.at == Moment::Paused {
            self.update().await;
            self.until_phase("Paused").await;
        }
        for object in self.case.later_objects() {
            self.create(object).await;
        }
        self.patch(&resource::<Rollout>(), NAME, &self.case.rollout_patch()).await;
        if let Some(status) = self.case.status_patch() {
            self.patch_status(&status).await;
        }
        self.strike_others().await;
        if self.case.update {
            self.update().await;
        }
    }

    async fn strike_others(&self) {
        for set in self.own_replica_sets().await {
            if !self.case.replica_sets.is_null() {
                self.patch(&resource::<ReplicaSet>(), &set, &self.case.replica_sets).await;
            }
        }
        let (services, ingresses) = (&self.case.services, &self.case.ingresses);
        for (kind, patches) in [(resource::<Service>(), services), (resource::<Ingress>(), ingresses)] {
            for (name, patch) in patches {
                if patch.is_null() {
                    self.delete(&kind, name).await;
                } else {
                    self.patch(&kind, name, patch).await;
                }
            }
        }
        let field = match self.case.gone.as_deref() {
            Some("stable") => "stableRS",
            Some(_) => "currentPodHash",
            None => return,
        };
        let hash = self.rollout(NAME).await["status"][field].as_str().unwrap().to_owned();
        self.delete(&resource::<ReplicaSet>(), &format!("{NAME}-{hash}")).await;
    }

    async fn delete(&self, kind: &ApiResource, name: &str) {
        self.api(kind).delete(name, &DeleteParams::background()).await.unwrap();
    }

    async fn own_replica_sets(&self) -> Vec<String> {
        let list = self.api(&resource::<ReplicaSet>()).list(&ListParams::default()).await.unwrap();
        let is_own = |set: &DynamicObject| {
            set.metadata.owner_references.iter().flatten().any(|owner| owner.name == NAME)
        };
        list.items.into_iter().filter(is_own).filter_map(|set| set.metadata.name).collect()
    }

    /// What is wrong with the case now.
    async fn complaint(&self) -> Option<String> {
        let own = complaint(&self.rollout(NAME).await, self.case.says.as_deref(), self.case.ends.as_deref());
        if own.is_some() {
            return own;
        }
        for (name, expected) in &self.case.others {
            let says = expected.contains(": Invalid value").then_some(expected.as_str());
            let ends = says.is_none().then_some(expected.as_str());
            if let Some(complaint) = complaint(&self.rollout(name).await, says, ends) {
                return Some(format!("{name} {complaint}"));
            }
        }
        None
    }

    /// Waits until nothing is wrong; what still is at the end of the limit.
    async fn end(&self) -> Option<String> {
        if self.case.promote {
            self.until_phase("Paused").await;
            self.patch_status(&json!({"pauseConditions": null})).await;
        }
        let deadline = tokio::time::Instant::now() + LIMIT;
        loop {
            let complaint = self.complaint().await;
            if complaint.is_none() || tokio::time::Instant::now() > deadline {
                return complaint.map(|complaint| format!("{}: {complaint}", self.case.case));
            }
            clock::sleep(Duration::from_millis(500)).await;
        }
    }
}

/// The Rollout beside them.
fn good() -> Value {
    let labels = json!({"app": "good"});
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "good"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels},
                         "spec": {"containers": [{"name": "web", "image": "demo:blue"}]}},
            "strategy": {"canary": {"steps": [{"setWeight": 50}, {"pause": {"duration": "1s"}}]}},
        },
    })
}

#[tokio::test]
async fn hostile_rollouts_harm_themselves_alone() {
    let Some(plane) = own_plane().await else { return };
    plane.install().await.unwrap();
    let _kubelet = plane.start_kubelet(KubeletSettings::default()).await.unwrap();
    let args = ["--healthzPort", "0", "--metricsPort", "0", "--leader-elect=false"];
    let mut controller = plane.start_controller(Path::new(SERIN), &args).unwrap();
    let stage = Stage::new(&plane, "good").await;
    stage.apply(&good()).await;

    let real: Vec<Case> = cases().into_iter().filter(|case| case.real).collect();
    assert!(real.len() > 30, "only {} cases for a real API server", real.len());
    let play = async |case| {
        let play = Play::new(&plane, case).await;
        play.strike().await;
        play
    };
    let plays: Vec<Play> = futures::stream::iter(real).map(play).buffer_unordered(AT_ONCE).collect().await;
    stage.wait_healthy().await;
    stage.set_image("demo:green").await;
    stage.shows_within(LIMIT, "Healthy, step 2\npods r1=0 r2=2").await;

    // Long enough for the controller to have looked at each of them.
    clock::sleep(Duration::from_secs(5)).await;
    let ends = futures::stream::iter(&plays).map(Play::end).buffer_unordered(AT_ONCE);
    let wrong: Vec<String> = ends.filter_map(async |complaint| complaint).collect().await;
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), plays.len(), wrong.join("\n"));
    assert_eq!(controller.ended().unwrap(), None, "the controller has ended");
}
