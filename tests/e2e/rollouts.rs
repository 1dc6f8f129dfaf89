//! A Rollout on stage: what a user does with it, and what can be seen of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::{Event, Pod, Service};
use k8s_openapi::api::networking::v1::Ingress;
use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject, ListParams};
use serde_json::{Value, json};
use serin_clock as clock;
use serin_core::api::Rollout;
use serin_testbed::{ControlPlane, Held};
use tokio::time::Instant;

use crate::healthy::{is_observed, judge_those};
use crate::support::eventually;

/// The program under test.
pub(crate) const SERIN: &str = env!("CARGO_BIN_EXE_serin");

/// How long a change may take that waits for nothing but pods.
pub(crate) const SOON: Duration = Duration::from_mins(1);

const HASH_LABEL: &str = "rollouts-pod-template-hash";
const REVISION: &str = "rollout.argoproj.io/revision";

/// The path of a manifest in `examples/`.
pub(crate) fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name)
}

/// Starts the program under test, for one namespace only.
pub(crate) fn controller(plane: &ControlPlane, namespace: &str) -> Held {
    let args = ["--namespaced", "--namespace", namespace];
    plane.start_controller(Path::new(SERIN), &args).unwrap()
}

/// A Rollout in a namespace of its own.
pub(crate) struct Stage<'a> {
    pub(crate) plane: &'a ControlPlane,
    pub(crate) namespace: String,
    pub(crate) name: String,
    client: Client,
    /// How many Events a test has looked at.
    heard: AtomicUsize,
}

impl<'a> Stage<'a> {
    /// A namespace for a Rollout of that name.
    pub(crate) async fn new(plane: &'a ControlPlane, name: &str) -> Self {
        let namespace = plane.namespace(name).await.unwrap();
        let client = plane.client().await.unwrap();
        Self { plane, namespace, name: name.to_owned(), client, heard: AtomicUsize::new(0) }
    }

    /// A namespace that is there already.
    pub(crate) async fn within(plane: &'a ControlPlane, namespace: &str, name: &str) -> Self {
        let client = plane.client().await.unwrap();
        let (namespace, name) = (namespace.to_owned(), name.to_owned());
        Self { plane, namespace, name, client, heard: AtomicUsize::new(0) }
    }

    /// The same namespace, for a Rollout of another name.
    pub(crate) fn beside(&self, name: &str) -> Self {
        let (namespace, client) = (self.namespace.clone(), self.client.clone());
        Self { plane: self.plane, namespace, name: name.to_owned(), client, heard: AtomicUsize::new(0) }
    }

    /// Runs kubectl in the namespace; it must succeed.
    pub(crate) async fn kubectl(&self, args: &[&str]) -> String {
        let all: Vec<&str> =
            ["--namespace", &self.namespace].into_iter().chain(args.iter().copied()).collect();
        self.plane.kubectl(&all).await.unwrap().success().unwrap()
    }

    /// `kubectl apply` of a manifest as it is.
    pub(crate) async fn apply_file(&self, path: &Path) {
        self.kubectl(&["apply", "-f", path.to_str().unwrap()]).await;
    }

    /// `kubectl apply` of an object that is written here.
    pub(crate) async fn apply(&self, object: &Value) {
        self.apply_text(&object.to_string()).await;
    }

    /// `kubectl apply` of a manifest that is written here.
    pub(crate) async fn apply_text(&self, manifest: &str) {
        let args = ["--namespace", self.namespace.as_str(), "apply", "-f", "-"];
        let kubeconfig = self.plane.admin_kubeconfig();
        self.plane.kubectl_with(kubeconfig, &args, manifest).await.unwrap().success().unwrap();
    }

    /// A merge patch of the Rollout.
    pub(crate) async fn patch(&self, patch: &Value) {
        self.kubectl(&["patch", "rollout", &self.name, "--type=merge", "-p", &patch.to_string()]).await;
    }

    /// Gives the first container of the template another image.
    pub(crate) async fn set_image(&self, image: &str) {
        let patch =
            json!([{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": image}]);
        self.kubectl(&["patch", "rollout", &self.name, "--type=json", "-p", &patch.to_string()]).await;
    }

    /// Ends the pause, as the command line does.
    pub(crate) async fn promote(&self) {
        self.patch_status(&json!({"pauseConditions": null})).await;
    }

    /// Gives the update up, as the command line does.
    pub(crate) async fn abort(&self) {
        self.patch_status(&json!({"abort": true})).await;
    }

    /// A merge patch of the status of the Rollout.
    pub(crate) async fn patch_status(&self, status: &Value) {
        let patch = json!({"status": status}).to_string();
        let args = ["patch", "rollout", &self.name, "--subresource=status", "--type=merge", "-p", &patch];
        self.kubectl(&args).await;
    }

    /// `kubectl wait --for=condition=Healthy`.
    pub(crate) async fn wait_healthy(&self) {
        let rollout = format!("rollout/{}", self.name);
        self.kubectl(&["wait", "--for=condition=Healthy", &rollout, "--timeout=90s"]).await;
    }

    /// Waits until the status is about the spec as it is, and begins so: the phase, and `: ` with the message if there is
    /// one. Returns the Rollout.
    pub(crate) async fn until(&self, limit: Duration, start: &str) -> Value {
        let deadline = Instant::now() + limit;
        loop {
            let rollout = self.rollout().await;
            if is_observed(&rollout) && progress(&rollout).starts_with(start) {
                return rollout;
            }
            if Instant::now() >= deadline {
                let (seen, told) = (self.view().await, self.events().await);
                panic!("{}: not within {limit:?}: {start}, but\n{seen}\n{told:#?}", self.name);
            }
            clock::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Fails if a Rollout of the namespace says that it is Healthy, or `serin explain` that its pods run the newest
    /// revision, and it has other pods.
    pub(crate) async fn check_healthy(&self) {
        let verdict =
            judge_those(&self.client, &self.namespace, |rollout| self.is_explained_as_done(rollout));
        let wrong = verdict.await.unwrap().complaints;
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    fn is_explained_as_done(&self, rollout: &Value) -> bool {
        let mut command = Command::new(SERIN);
        command.arg("--kubeconfig").arg(self.plane.admin_kubeconfig()).args(["-n", &self.namespace]);
        let told =
            command.arg("explain").arg(rollout["metadata"]["name"].as_str().unwrap()).output().unwrap();
        String::from_utf8_lossy(&told.stdout).contains("the newest revision. At the next change")
    }

    /// Every object of a kind in the namespace.
    pub(crate) async fn list(&self, kind: &ApiResource) -> Vec<Value> {
        let api = Api::<DynamicObject>::namespaced_with(self.client.clone(), &self.namespace, kind);
        let list = api.list(&ListParams::default()).await.unwrap();
        list.items.into_iter().map(|object| serde_json::to_value(object).unwrap()).collect()
    }

    /// The Rollout.
    pub(crate) async fn rollout(&self) -> Value {
        let all = self.list(&resource::<Rollout>()).await;
        all.into_iter().find(|rollout| rollout["metadata"]["name"] == self.name.as_str()).unwrap_or_default()
    }

    /// The ReplicaSets of the Rollout, by revision.
    pub(crate) async fn replica_sets(&self) -> BTreeMap<i64, Value> {
        let mut found = BTreeMap::new();
        for set in self.list(&resource::<ReplicaSet>()).await {
            let owner = &set["metadata"]["ownerReferences"][0];
            if owner["kind"] == "Rollout" && owner["name"] == self.name.as_str() {
                let revision = set["metadata"]["annotations"][REVISION].as_str().unwrap().parse().unwrap();
                let double = found.insert(revision, set);
                assert!(double.is_none(), "two ReplicaSets of revision {revision}");
            }
        }
        found
    }

    /// What the Rollout is about at this moment, in words: its phase, step and weight, the sizes of its ReplicaSets by
    /// revision, which revision each Service selects, and what each canary Ingress says.
    pub(crate) async fn view(&self) -> String {
        let rollout = self.rollout().await;
        let sets = self.replica_sets().await;
        let mut text = progress(&rollout);
        let sizes: Vec<_> = sets.iter().map(|(revision, set)| format!("r{revision}={}", size(set))).collect();
        writeln!(text, "{}", format!("pods {}", sizes.join(" ")).trim_end()).unwrap();
        for service in self.list(&resource::<Service>()).await {
            let (name, hash) = (&service["metadata"]["name"], &service["spec"]["selector"][HASH_LABEL]);
            let revision = sets.iter().find(|(_, set)| set["metadata"]["labels"][HASH_LABEL] == *hash);
            let selected = revision.map_or("all".to_owned(), |(revision, _)| format!("r{revision}"));
            writeln!(text, "{} -> {selected}", name.as_str().unwrap()).unwrap();
        }
        for ingress in self.list(&resource::<Ingress>()).await {
            text.push_str(&canary_ingress(&ingress));
        }
        text
    }

    /// Waits until the [view](Self::view) is that.
    pub(crate) async fn shows(&self, expected: &str) {
        self.shows_within(SOON, expected).await;
    }

    /// Waits that long until the [view](Self::view) is that.
    pub(crate) async fn shows_within(&self, limit: Duration, expected: &str) {
        let wanted = expected.trim().lines().map(str::trim).collect::<Vec<_>>().join("\n");
        let deadline = Instant::now() + limit;
        loop {
            let seen = self.view().await;
            if seen.trim_end() == wanted {
                return;
            }
            if Instant::now() >= deadline {
                let told = self.events().await;
                panic!("{}: not within {limit:?}:\n{wanted}\nbut\n{seen}\n{told:#?}", self.name);
            }
            clock::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Waits until the [view](Self::view) is that, and sees to it that it stays so for `time`.
    pub(crate) async fn stays(&self, time: Duration, expected: &str) {
        self.shows(expected).await;
        clock::sleep(time).await;
        self.shows_within(Duration::ZERO, expected).await;
    }

    /// The Events about the Rollout, oldest first: `Reason: message`, hashes written as revisions (`r2`).
    pub(crate) async fn events(&self) -> Vec<String> {
        let sets = self.replica_sets().await;
        let mut events = self.list(&resource::<Event>()).await;
        events.retain(|event| {
            let about = &event["involvedObject"];
            about["kind"] == "Rollout" && about["name"] == self.name.as_str()
        });
        events.sort_by_key(|event| {
            let version = event["metadata"]["resourceVersion"].as_str().unwrap_or_default();
            version.parse::<u64>().unwrap_or_default()
        });
        let line = |event: &Value| {
            let field = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
            let mut message = field("message");
            for (revision, set) in &sets {
                let hash = set["metadata"]["labels"][HASH_LABEL].as_str().unwrap_or_default();
                message = message.replace(hash, &format!("r{revision}"));
            }
            format!("{}: {message}", field("reason"))
        };
        events.iter().map(line).collect()
    }

    /// Waits until the [Events](Self::events) since the last call of this are exactly these. `NAMESPACE` stands for the
    /// namespace's name.
    pub(crate) async fn tells_exactly(&self, expected: &[&str]) {
        self.tells_within(Duration::from_secs(10), expected).await;
    }

    /// As [`tells_exactly`](Self::tells_exactly), for Events that may take longer.
    pub(crate) async fn tells_within(&self, limit: Duration, expected: &[&str]) {
        let deadline = Instant::now() + limit;
        let wanted: Vec<_> = expected.iter().map(|line| line.replace("NAMESPACE", &self.namespace)).collect();
        loop {
            let heard = self.heard.load(Ordering::Relaxed);
            let fresh = self.events().await.split_off(heard);
            if fresh == wanted {
                self.heard.store(heard + fresh.len(), Ordering::Relaxed);
                return;
            }
            assert!(Instant::now() < deadline, "{}: expected {wanted:#?}\nbut it told {fresh:#?}", self.name);
            clock::sleep(Duration::from_millis(100)).await;
        }
    }

    /// The pods that are not being deleted.
    pub(crate) async fn pods(&self) -> Vec<Value> {
        let mut pods = self.list(&resource::<Pod>()).await;
        pods.retain(|pod| pod["metadata"]["deletionTimestamp"].is_null());
        pods
    }

    /// The uids of the pods that are not being deleted.
    pub(crate) async fn pod_uids(&self) -> BTreeSet<String> {
        self.pods().await.iter().map(|pod| pod["metadata"]["uid"].as_str().unwrap().to_owned()).collect()
    }

    /// The value of a label of each living pod, sorted, as `r1=stable`.
    pub(crate) async fn pod_labels(&self, label: &str) -> Vec<String> {
        let sets = self.replica_sets().await;
        let of = |pod: &Value| {
            let labels = &pod["metadata"]["labels"];
            let set =
                sets.iter().find(|(_, set)| set["metadata"]["labels"][HASH_LABEL] == labels[HASH_LABEL]);
            let revision = set.map_or(0, |(revision, _)| *revision);
            format!("r{revision}={}", labels[label].as_str().unwrap_or("none"))
        };
        let mut all: Vec<_> = self.pods().await.iter().map(of).collect();
        all.sort();
        all
    }

    /// The message of a condition that is `True`.
    pub(crate) async fn condition(&self, kind: &str) -> Option<String> {
        let rollout = self.rollout().await;
        let conditions = rollout["status"]["conditions"].as_array()?;
        let found = conditions.iter().find(|it| it["type"] == kind && it["status"] == "True")?;
        Some(found["message"].as_str().unwrap_or_default().to_owned())
    }

    /// Waits until a condition is `True`; its message.
    pub(crate) async fn until_condition(&self, kind: &str) -> String {
        let what = format!("{} has the condition {kind}", self.name);
        eventually(&what, SOON, async || self.condition(kind).await).await
    }
}

/// A kind, for lists of its objects as JSON.
pub(crate) fn resource<K: kube::Resource<DynamicType = ()>>() -> ApiResource {
    ApiResource::erase::<K>(&())
}

/// A Rollout `demo` with one pod behind NGINX, one weight and one pause, and with all that it needs; old pods stay for
/// `delay` seconds.
pub(crate) fn behind_nginx(pause: &str, delay: u32) -> Value {
    let labels = json!({"app": "demo"});
    let backend = json!({"service": {"name": "demo", "port": {"number": 80}}});
    let service = |name: &str| {
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
               "spec": {"selector": labels, "ports": [{"port": 80}]}})
    };
    let ingress = json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "demo"},
        "spec": {"ingressClassName": "nginx", "rules": [
            {"http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}]},
    });
    let rollout = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "demo"},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels},
                         "spec": {"containers": [{"name": "web", "image": "demo:blue"}]}},
            "strategy": {"canary": {
                "stableService": "demo", "canaryService": "demo-canary", "scaleDownDelaySeconds": delay,
                "trafficRouting": {"nginx": {"stableIngress": "demo"}},
                "steps": [{"setWeight": 50}, {"pause": {"duration": pause}}],
            }},
        },
    });
    json!({"apiVersion": "v1", "kind": "List",
           "items": [service("demo"), service("demo-canary"), ingress, rollout]})
}

fn progress(rollout: &Value) -> String {
    let status = &rollout["status"];
    let mut text = status["phase"].as_str().unwrap_or("none").to_owned();
    if let Some(message) = status["message"].as_str() {
        write!(text, ": {message}").unwrap();
    }
    if let Some(step) = status["currentStepIndex"].as_i64() {
        write!(text, ", step {step}").unwrap();
    }
    let weights = &status["canary"]["weights"];
    if let (Some(canary), Some(stable)) =
        (weights["canary"]["weight"].as_i64(), weights["stable"]["weight"].as_i64())
    {
        write!(text, ", weights {canary}/{stable}").unwrap();
    }
    text.push('\n');
    text
}

/// How many pods a ReplicaSet is to have, and how many it has where that differs.
fn size(set: &Value) -> String {
    let wanted = set["spec"]["replicas"].as_i64().unwrap_or_default();
    let count = |field: &str| set["status"][field].as_i64().unwrap_or_default();
    let (all, available) = (count("replicas"), count("availableReplicas"));
    if (all, available) == (wanted, wanted) {
        return wanted.to_string();
    }
    format!("{wanted}({available} of {all})")
}

fn canary_ingress(ingress: &Value) -> String {
    const PREFIX: &str = "nginx.ingress.kubernetes.io/";
    let annotations = ingress["metadata"]["annotations"].as_object().into_iter().flatten();
    let canary: Vec<_> = annotations
        .filter_map(|(key, value)| Some(format!("{}={}", key.strip_prefix(PREFIX)?, value.as_str()?)))
        .collect();
    if canary.is_empty() {
        return String::new();
    }
    let name = ingress["metadata"]["name"].as_str().unwrap_or_default();
    format!("{name}: {}\n", canary.join(" "))
}
