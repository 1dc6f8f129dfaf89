//! Started on what the reference left behind, on a real API server, the controller writes nothing and moves no pod.
//!
//! `tests/conformance/live` holds the objects at the end of each recorded scenario. They are created anew, owners first;
//! the kubelet makes their pods ready; then the recorded status is written, its times moved as if the recording had ended
//! just now.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::GroupVersionKind;
use serde_json::{Value, json};
use serin_clock::{self as clock, Clock};
use serin_cluster::kubelet::KubeletSettings;
use serin_testbed::ControlPlane;

use crate::rollouts::{SERIN, Stage};
use crate::support::{eventually, own_plane};

const DEADLINE: &str = "scale-down-deadline";
/// Long enough for everything that a controller does at its start, and for what waited for some seconds.
const WATCHED: Duration = Duration::from_secs(20);

/// The objects of a scenario, and where they are now.
struct Left<'a> {
    name: String,
    objects: Vec<Value>,
    stage: Stage<'a>,
    client: Client,
}

fn scenarios() -> Vec<(String, Vec<Value>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/live");
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let read = |path: PathBuf| {
        let mut list: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let mut objects: Vec<Value> = serde_json::from_value(list["items"].take()).unwrap();
        // A Deployment makes its ReplicaSets by itself.
        objects.retain(|object| object["metadata"]["ownerReferences"][0]["kind"] != "Deployment");
        (path.file_stem().unwrap().to_str().unwrap().to_owned(), objects)
    };
    let mut all: Vec<_> = files.map(read).collect();
    all.sort_by(|a: &(String, Vec<Value>), b| a.0.cmp(&b.0));
    all
}

/// Every time that `value` holds, in place.
fn times(value: &mut Value, change: &mut impl FnMut(Timestamp) -> Option<Timestamp>) {
    match value {
        Value::String(text) => {
            if let Some(time) = text.parse().ok().and_then(&mut *change) {
                *text = time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| times(item, change)),
        Value::Object(fields) => fields.values_mut().for_each(|field| times(field, change)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// How far into the present the recording has to be moved.
fn distance(objects: &[Value], now: Timestamp) -> SignedDuration {
    let mut last = None;
    for object in objects {
        times(&mut object["status"].clone(), &mut |time| {
            last = last.max(Some(time));
            None
        });
    }
    now.duration_since(last.expect("something has happened"))
}

impl Left<'_> {
    fn api(&self, object: &Value) -> Api<DynamicObject> {
        let text = |field: &str| object[field].as_str().unwrap();
        let (group, version) = text("apiVersion").split_once('/').unwrap_or(("", text("apiVersion")));
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, text("kind")));
        Api::namespaced_with(self.client.clone(), &self.stage.namespace, &resource)
    }

    /// Creates everything, owners before what they own.
    async fn create(&self, shift: SignedDuration) {
        let mut uids = BTreeMap::<String, Value>::new();
        let mut objects = self.objects.clone();
        let age = |o: &Value| o["metadata"]["creationTimestamp"].as_str().unwrap_or_default().to_owned();
        objects.sort_by_key(|o| (o["metadata"]["ownerReferences"].is_array(), age(o)));
        for mut object in objects {
            let api = self.api(&object);
            let is_set = object["kind"] == "ReplicaSet";
            let metadata = object["metadata"].as_object_mut().unwrap();
            let before = metadata["uid"].as_str().unwrap().to_owned();
            for field in
                ["uid", "resourceVersion", "generation", "creationTimestamp", "namespace", "managedFields"]
            {
                metadata.remove(field);
            }
            for owner in
                metadata.get_mut("ownerReferences").and_then(Value::as_array_mut).into_iter().flatten()
            {
                owner["uid"] = uids[owner["uid"].as_str().unwrap()].clone();
            }
            times(&mut object["metadata"]["annotations"][DEADLINE], &mut |time| Some(time + shift));
            if object["metadata"]["annotations"][DEADLINE].is_null() {
                object["metadata"]["annotations"].as_object_mut().map(|all| all.remove(DEADLINE));
            }
            object.as_object_mut().unwrap().remove("status");
            for field in ["clusterIP", "clusterIPs"] {
                object["spec"].as_object_mut().map(|spec| spec.remove(field));
            }
            let object = serde_json::from_value(object).unwrap();
            let created = api.create(&PostParams::default(), &object).await.unwrap();
            uids.insert(before, json!(created.metadata.uid));
            if is_set {
                // The order of ages counts, and ages have whole seconds.
                clock::sleep(Duration::from_millis(1_100)).await;
            }
        }
    }

    /// Waits until the ReplicaSets have the pods that were recorded.
    async fn pods_are_ready(&self) {
        for object in self.objects.iter().filter(|o| o["kind"] == "ReplicaSet") {
            let (api, name) = (self.api(object), object["metadata"]["name"].as_str().unwrap());
            let wanted = object["status"]["availableReplicas"].as_i64().unwrap_or(0);
            let what = format!("{}: {name} has {wanted} pods", self.name);
            eventually(&what, Duration::from_secs(90), async || {
                let live = serde_json::to_value(api.get(name).await.unwrap()).unwrap();
                let count = |field: &str| live["status"][field].as_i64().unwrap_or(0);
                let is_seen = live["status"]["observedGeneration"] == live["metadata"]["generation"];
                (is_seen && count("availableReplicas") == wanted && count("replicas") == wanted).then_some(())
            })
            .await;
        }
    }

    /// Writes the recorded status.
    async fn write_status(&self, shift: SignedDuration) {
        let recorded = self.objects.iter().find(|o| o["kind"] == "Rollout").unwrap();
        let (api, name) = (self.api(recorded), recorded["metadata"]["name"].as_str().unwrap());
        let generation = api.get(name).await.unwrap().metadata.generation.unwrap();
        let mut status = recorded["status"].clone();
        times(&mut status, &mut |time| Some(time + shift));
        // It repeats a time of the spec, which has not moved.
        status["restartedAt"] = recorded["status"]["restartedAt"].clone();
        status["observedGeneration"] = generation.to_string().into();
        if !status["workloadObservedGeneration"].is_null() {
            let deployment = self.objects.iter().find(|o| o["kind"] == "Deployment").unwrap();
            let live =
                self.api(deployment).get(deployment["metadata"]["name"].as_str().unwrap()).await.unwrap();
            let generation = live.metadata.generation.unwrap().to_string();
            status["workloadObservedGeneration"] = generation.as_str().into();
            let annotations = json!({"rollout.argoproj.io/workload-generation": generation});
            let patch = Patch::Merge(json!({"metadata": {"annotations": annotations}}));
            api.patch(name, &PatchParams::default(), &patch).await.unwrap();
            for set in self
                .objects
                .iter()
                .filter(|o| !o["metadata"]["annotations"]["rollout.argoproj.io/revision"].is_null())
            {
                if set["kind"] == "ReplicaSet" && set["spec"]["replicas"] != 0 {
                    let name = set["metadata"]["name"].as_str().unwrap();
                    self.api(set).patch(name, &PatchParams::default(), &patch).await.unwrap();
                }
            }
        }
        let patch = Patch::Merge(json!({"status": status}));
        api.patch_status(name, &PatchParams::default(), &patch).await.unwrap();
    }
}

async fn left_behind(plane: &ControlPlane) -> Vec<Left<'_>> {
    let mut all = Vec::new();
    for (name, objects) in scenarios() {
        let stage = Stage::new(plane, "demo").await;
        all.push(Left { name, objects, stage, client: plane.client().await.unwrap() });
    }
    all
}

#[tokio::test]
async fn what_the_reference_left_is_taken_over_without_a_write() {
    let Some(plane) = own_plane().await else { return };
    plane.install().await.unwrap();
    let _kubelet = plane.start_kubelet(KubeletSettings::default()).await.unwrap();
    let all = left_behind(&plane).await;
    let now = Clock::System.now();
    // Creating takes a while; what was to go away some seconds after the recording stays until it can be looked at.
    let shift = |left: &Left<'_>| distance(&left.objects, now) + SignedDuration::from_mins(2);
    join_all(all.iter().map(|left| left.create(shift(left)))).await;
    join_all(all.iter().map(Left::pods_are_ready)).await;
    let now = Clock::System.now();
    join_all(all.iter().map(|left| left.write_status(distance(&left.objects, now)))).await;
    let before = join_all(all.iter().map(|left| left.stage.pod_uids())).await;

    let begin = Clock::System.now();
    let _controller = plane.start_controller(Path::new(SERIN), &[]).unwrap();
    eventually("the controller watches", Duration::from_secs(30), async || {
        plane.audit().unwrap().iter().any(|entry| entry.verb == "watch").then_some(())
    })
    .await;
    clock::sleep(WATCHED).await;

    let after = join_all(all.iter().map(|left| left.stage.pod_uids())).await;
    let mut wrong = Vec::new();
    for ((left, before), after) in all.iter().zip(before).zip(after) {
        if before != after {
            wrong.push(format!("{}: other pods than before", left.name));
        }
        let entries = plane.audit().unwrap().into_iter().filter(|e| e.received > begin && e.is_write());
        let writes = entries.filter(|entry| entry.namespace == left.stage.namespace);
        wrong.extend(
            writes.map(|w| format!("{}: {} {}/{} {}", left.name, w.verb, w.resource, w.name, w.subresource)),
        );
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
