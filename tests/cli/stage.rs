//! An embedded API with the objects of recordings, and the program as users call it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Client;
use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};
use serin_clock::Clock;
use serin_cluster::api::store::{Settings, Store};
use serin_cluster::http::{Front, Server, ServerSettings};
use serin_core::api::schema::definitions;
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::recorded::{Recording, recordings};

/// The name of the reference's plugin.
pub(crate) const PLUGIN: &str = "kubectl-argo-rollouts";
pub(crate) const SERIN: &str = "serin";

/// An embedded API, and a kubeconfig for it.
pub(crate) struct Stage {
    pub(crate) client: Client,
    front: Front,
    directory: TempDir,
    address: SocketAddr,
    // Ends with the test, or when the API server is to go away.
    server: Option<Server>,
}

/// The outcome of a command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) exit: i32,
}

/// The program under a name, with a kubeconfig.
pub(crate) fn command(name: &str, kubeconfig: &std::path::Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_serin"));
    command.arg0(name).args(args).env("KUBECONFIG", kubeconfig);
    command
}

fn settings(port: u16) -> ServerSettings {
    ServerSettings { port, tls: false, token: None }
}

/// Runs a command to its end.
pub(crate) fn outcome(command: &mut Command) -> Outcome {
    let output = command.output().expect("the program runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let exit = output.status.code().expect("an exit code");
    Outcome { stdout: text(&output.stdout), stderr: text(&output.stderr), exit }
}

impl Stage {
    /// An API that knows the kinds of these names, such as `Rollout`.
    pub(crate) async fn knowing(kinds: &[&str]) -> Self {
        let front = Front::new(Store::new(&Settings::default(), Clock::System.now()), Clock::System);
        let client = front.client("default");
        let server = Server::start(front.clone(), settings(0)).await.expect("a server");
        let directory = tempfile::tempdir().expect("a folder");
        std::fs::write(directory.path().join("config"), server.kubeconfig()).expect("a file");
        let api = Api::<CustomResourceDefinition>::all(client.clone());
        let known = definitions()
            .into_iter()
            .filter(|one| kinds.iter().any(|kind| one["spec"]["names"]["kind"] == *kind));
        for definition in known {
            let definition = serde_json::from_value(definition).expect("a definition");
            api.create(&PostParams::default(), &definition).await.expect("a new kind");
        }
        Self { client, front, directory, address: server.address(), server: Some(server) }
    }

    /// An API that knows every kind.
    pub(crate) async fn start() -> Self {
        let kinds = ["Rollout", "Experiment", "AnalysisRun", "AnalysisTemplate", "ClusterAnalysisTemplate"];
        Self::knowing(&kinds).await
    }

    /// The API server goes away, and all connections with it.
    pub(crate) async fn go_away(&mut self) {
        self.server = None;
        // The task that listens ends when it is next looked at.
        while TcpStream::connect(self.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    }

    /// It comes back, where it was and with what it knew.
    pub(crate) async fn come_back(&mut self) {
        let started = Server::start(self.front.clone(), settings(self.address.port())).await;
        self.server = Some(started.expect("the same port"));
    }

    /// The file that says where the API is.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.directory.path().join("config")
    }

    /// The program under a name.
    pub(crate) fn command(&self, name: &str, args: &[&str]) -> Command {
        command(name, &self.kubeconfig(), args)
    }

    /// Runs the program under a name to its end.
    pub(crate) fn run(&self, name: &str, args: &[&str]) -> Outcome {
        outcome(&mut self.command(name, args))
    }

    /// Makes the objects of a recording, in a namespace of its name.
    pub(crate) async fn play(&self, recording: &Recording) {
        let namespace = recording.name.as_str();
        self.make(None, &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}))
            .await;
        let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}});
        self.make(Some(namespace), &account).await;
        let mut uids = BTreeMap::new();
        for kind in ["Rollout", "ReplicaSet", "Pod"] {
            for object in recording.objects.items.iter().filter(|object| object["kind"] == kind) {
                let made = self.make(Some(namespace), &anew(object, &uids)).await;
                let uid = made.metadata.uid.expect("a uid");
                uids.insert(object["metadata"]["uid"].as_str().expect("a uid").to_owned(), uid);
            }
        }
    }

    /// Makes the objects of the recording of that name.
    pub(crate) async fn play_named(&self, name: &str) {
        let recordings = recordings();
        let recording = recordings.iter().find(|recording| recording.name == name);
        self.play(recording.expect("a recording of that name")).await;
    }

    /// Makes an object with its status.
    pub(crate) async fn make(&self, namespace: Option<&str>, object: &Value) -> DynamicObject {
        let api = self.objects(namespace, object);
        let new = serde_json::from_value(object.clone()).expect("an object");
        let made = api.create(&PostParams::default(), &new).await;
        let made = made.unwrap_or_else(|error| panic!("{error}: {object}"));
        let name = made.metadata.name.clone().expect("a name");
        if !object["status"].is_null() {
            let patch = Patch::Merge(json!({"status": object["status"]}));
            api.patch_status(&name, &PatchParams::default(), &patch).await.expect("a status");
        }
        made
    }

    /// Merges `patch` into the status of a Rollout.
    pub(crate) async fn patch_status(&self, namespace: &str, name: &str, patch: Value) {
        let rollout = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout"});
        let patch = Patch::Merge(json!({"status": patch}));
        let patched =
            self.objects(Some(namespace), &rollout).patch_status(name, &PatchParams::default(), &patch).await;
        patched.expect("a patched status");
    }

    /// Deletes a Rollout.
    pub(crate) async fn delete(&self, namespace: &str, name: &str) {
        let rollout = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout"});
        let gone = self.objects(Some(namespace), &rollout).delete(name, &DeleteParams::default()).await;
        gone.expect("a deletion");
    }

    /// The objects of the kind that `object` is of.
    pub(crate) fn objects(&self, namespace: Option<&str>, object: &Value) -> Api<DynamicObject> {
        let text = |field: &str| object[field].as_str().expect("a string");
        let (group, version) = text("apiVersion").split_once('/').unwrap_or(("", text("apiVersion")));
        let kind = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, text("kind")));
        match namespace {
            Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, &kind),
            None => Api::all_with(self.client.clone(), &kind),
        }
    }
}

/// A recorded object without the fields that an API server sets, with owners that were created again.
fn anew(object: &Value, uids: &BTreeMap<String, String>) -> Value {
    let mut object = object.clone();
    let meta = object["metadata"].as_object_mut().expect("metadata");
    meta.retain(|key, _| ["name", "labels", "annotations", "ownerReferences"].contains(&key.as_str()));
    for owner in meta.get_mut("ownerReferences").and_then(Value::as_array_mut).into_iter().flatten() {
        // A Deployment, whose pods a Rollout has taken over, is not recorded.
        if let Some(uid) = owner["uid"].as_str().and_then(|uid| uids.get(uid)) {
            owner["uid"] = uid.as_str().into();
        }
    }
    object
}
