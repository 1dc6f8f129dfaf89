//! The two worlds, and how facts ask them.

use std::any::Any;
use std::time::Duration;

use futures::future::BoxFuture;
use http::{HeaderMap, Request};
use http_body_util::BodyExt;
use kube::Client;
use kube::client::Body;
use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use serde_json::{Value, json};
use serin_clock::Clock;
use serin_cluster::api::store::{Settings, Store};
use serin_cluster::http::{Front, Server, ServerSettings};
use serin_testbed::{ControlPlane, PlaneError};
use tokio::sync::OnceCell;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::support;

pub(crate) const MERGE: &str = "application/merge-patch+json";
pub(crate) const JSON: &str = "application/json-patch+json";
pub(crate) const STRATEGIC: &str = "application/strategic-merge-patch+json";
pub(crate) const APPLY: &str = "application/apply-patch+yaml";
pub(crate) const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";

/// How long a fact may take; both worlds may share a slow machine with others.
const LIMIT: Duration = Duration::from_secs(90);

/// How long to wait for the next event of a watch.
pub(crate) const EVENT_LIMIT: Duration = Duration::from_secs(20);

/// A fact.
pub(crate) struct Fact {
    pub(crate) name: &'static str,
    /// What asserts it.
    pub(crate) holds: fn(World) -> BoxFuture<'static, ()>,
}

/// Facts by the names of their functions.
macro_rules! facts {
    ($($name:ident),* $(,)?) => {
        [$($crate::world::Fact { name: stringify!($name), holds: |world| Box::pin($name(world)) }),*]
    };
}
pub(crate) use facts;

/// What can make an API forget.
#[derive(Clone)]
pub(crate) enum Memory {
    Embedded(Front),
    Real(&'static ControlPlane),
    /// Nothing.
    Lasting,
}

/// An API with a namespace for one fact.
#[derive(Clone)]
pub(crate) struct World {
    client: Client,
    memory: Memory,
    pub(crate) namespace: String,
}

/// What an API answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: u16,
    pub(crate) headers: HeaderMap,
    /// Null where it is no JSON.
    pub(crate) body: Value,
    pub(crate) text: String,
}

/// Asserts every fact in both worlds; panics with all that do not hold.
pub(crate) async fn hold(facts: &[Fact]) {
    hold_after(facts, &Settings::default(), |_| Box::pin(async {})).await;
}

/// As [`hold`], with settings for the embedded world and with something to do first in each.
pub(crate) async fn hold_after(
    facts: &[Fact],
    settings: &Settings,
    prepare: fn(World) -> BoxFuture<'static, ()>,
) {
    let mut failures = Vec::new();
    let front = Front::new(Store::new(settings, Clock::System.now()), Clock::System);
    let server = Server::start(front.clone(), ServerSettings::default()).await.expect("a free port");
    let kubeconfig = Kubeconfig::from_yaml(&server.kubeconfig()).expect("a kubeconfig");
    let world = World::of(client(kubeconfig).await, Memory::Embedded(front));
    failures.extend(hold_in("embedded", &world, facts, prepare).await);
    if let Some(plane) = real().await {
        let kubeconfig = Kubeconfig::read_from(plane.admin_kubeconfig()).expect("a kubeconfig");
        let memory = if plane.is_borrowed() { Memory::Lasting } else { Memory::Real(plane) };
        let world = World::of(client(kubeconfig).await, memory);
        failures.extend(hold_in("real", &world, facts, prepare).await);
    }
    assert!(
        failures.is_empty(),
        "{} of {} facts fail:\n{}",
        failures.len(),
        facts.len(),
        failures.join("\n")
    );
}

async fn real() -> Option<&'static ControlPlane> {
    static PLANE: OnceCell<Result<ControlPlane, PlaneError>> = OnceCell::const_new();
    PLANE.get_or_init(ControlPlane::start).await.as_ref().map_err(support::skip).ok()
}

/// A client that shows every answer as it is: without trying again.
pub(crate) async fn client(kubeconfig: Kubeconfig) -> Client {
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .expect("a configuration");
    config.default_retry = false;
    Client::try_from(config).expect("a client")
}

async fn hold_in(
    name: &'static str,
    world: &World,
    facts: &[Fact],
    prepare: fn(World) -> BoxFuture<'static, ()>,
) -> Vec<String> {
    let mut failures = Vec::new();
    if let Err(why) = tried(world.clone(), prepare).await {
        failures.push(format!("  {name}: before all facts: {why}"));
    }
    let mut running = JoinSet::new();
    for &Fact { name: fact, holds } in facts {
        let world = world.clone();
        running.spawn(async move { (fact, tried(world, holds).await) });
    }
    while let Some(done) = running.join_next().await {
        let (fact, held) = done.expect("panics are caught further in");
        failures.extend(held.err().map(|why| format!("  {name}: {fact}: {why}")));
    }
    failures.sort();
    failures
}

async fn tried(world: World, holds: fn(World) -> BoxFuture<'static, ()>) -> Result<(), String> {
    let task = tokio::spawn(async move { holds(world.with_namespace().await).await });
    match timeout(LIMIT, task).await {
        Err(_) => Err(format!("nothing after {LIMIT:?}")),
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => {
            Err(error.try_into_panic().map_or_else(|error| error.to_string(), |panic| text_of(&*panic)))
        }
    }
}

fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic").to_owned()
}

impl World {
    /// A world in which there is a namespace of that name, or is to be.
    pub(crate) fn within(client: Client, namespace: &str) -> Self {
        Self { client, memory: Memory::Lasting, namespace: namespace.to_owned() }
    }

    const fn of(client: Client, memory: Memory) -> Self {
        Self { client, memory, namespace: String::new() }
    }

    /// Forgets what was before now; false where the API is not ours to make forget.
    pub(crate) async fn forget(&self) -> bool {
        let latest = version(&self.get("v1/configmaps").await.done());
        match &self.memory {
            Memory::Embedded(front) => front.compact(latest),
            Memory::Real(plane) => plane.compact(latest).await.expect("etcd forgets"),
            Memory::Lasting => return false,
        }
        true
    }

    async fn with_namespace(self) -> Self {
        let wanted =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"generateName": "contract-"}});
        let made = self.send("POST", "/api/v1/namespaces", &[], &wanted).await.done();
        Self { namespace: text(&made["metadata"]["name"]), ..self }
    }

    /// The path of what is in the namespace, e.g. of `v1/pods/a` and `apps/v1/replicasets?limit=1`.
    pub(crate) fn path(&self, at: &str) -> String {
        let (version, rest) = match at.split_once('/') {
            Some(("v1", rest)) => ("/api/v1".to_owned(), rest),
            Some((group, rest)) => {
                let (version, rest) = rest.split_once('/').expect("GROUP/VERSION/RESOURCE");
                (format!("/apis/{group}/{version}"), rest)
            }
            None => panic!("{at} is no path"),
        };
        format!("{version}/namespaces/{}/{rest}", self.namespace)
    }

    /// Sends a request to a path of the server. A string as `body` goes as it is, null as no body at all.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Answer {
        let response = self.start(method, path, headers, body).await;
        let (head, body) = response.into_parts();
        let bytes = body.collect().await.expect("a whole body").to_bytes();
        let text = String::from_utf8(bytes.to_vec()).expect("UTF-8");
        let body = serde_json::from_str(&text).unwrap_or_default();
        Answer { code: head.status.as_u16(), headers: head.headers, body, text }
    }

    pub(crate) async fn start(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> http::Response<Body> {
        let mut request = Request::builder().method(method).uri(path);
        let is_typed = headers.iter().any(|(name, _)| *name == "content-type");
        if !body.is_null() && !is_typed {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = match body {
            Value::Null => Vec::new(),
            Value::String(text) => text.clone().into_bytes(),
            Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                body.to_string().into_bytes()
            }
        };
        let request = request.body(Body::from(body)).expect("a request");
        self.client.send(request).await.expect("an answer")
    }

    pub(crate) async fn get(&self, at: &str) -> Answer {
        self.send("GET", &self.path(at), &[], &Value::Null).await
    }

    pub(crate) async fn table(&self, at: &str) -> Value {
        self.send("GET", &self.path(at), &[("accept", TABLE)], &Value::Null).await.done()
    }

    pub(crate) async fn post(&self, at: &str, body: &Value) -> Answer {
        self.send("POST", &self.path(at), &[], body).await
    }

    pub(crate) async fn put(&self, at: &str, body: &Value) -> Answer {
        self.send("PUT", &self.path(at), &[], body).await
    }

    /// Patches; `by` is the content type.
    pub(crate) async fn patch(&self, by: &str, at: &str, body: &Value) -> Answer {
        self.send("PATCH", &self.path(at), &[("content-type", by)], body).await
    }

    /// Deletes, with options where `body` is not null.
    pub(crate) async fn delete(&self, at: &str, body: &Value) -> Answer {
        self.send("DELETE", &self.path(at), &[], body).await
    }

    /// Watches; `at` has a query.
    pub(crate) async fn watch(&self, at: &str) -> Watch {
        self.watch_as(at, "application/json").await
    }

    pub(crate) async fn watch_as(&self, at: &str, accept: &str) -> Watch {
        let path = format!("{}&watch=true", self.path(at));
        let response = self.start("GET", &path, &[("accept", accept)], &Value::Null).await;
        assert_eq!(response.status(), 200, "{path}");
        Watch::of(response.into_body())
    }

    /// A config map with `data`.
    pub(crate) async fn config_map(&self, name: &str, data: &Value) -> Value {
        self.post("v1/configmaps", &config_map(name, data)).await.done()
    }

    /// A pod with the labels `app: NAME`, admitted without waiting for the controller of service accounts.
    pub(crate) async fn pod(&self, name: &str) -> Value {
        self.admit_pods().await;
        self.post("v1/pods", &pod(name)).await.done()
    }

    /// Sees to it that pods are admitted: they need the service account `default`.
    pub(crate) async fn admit_pods(&self) {
        let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}});
        let made = self.post("v1/serviceaccounts", &account).await;
        assert!([201, 409].contains(&made.code), "{}", made.text);
    }

    /// A pod as above that is bound to a node, runs and is ready.
    pub(crate) async fn running_pod(&self, name: &str) {
        self.pod(name).await;
        let binding = json!({"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name},
            "target": {"apiVersion": "v1", "kind": "Node", "name": "nowhere"}});
        self.post(&format!("v1/pods/{name}/binding"), &binding).await.done();
        let status =
            json!({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}});
        self.patch(STRATEGIC, &format!("v1/pods/{name}/status"), &status).await.done();
    }
}

impl Answer {
    /// The body of an answer that is no refusal.
    #[track_caller]
    pub(crate) fn done(self) -> Value {
        assert!((200..300).contains(&self.code), "refused with {}: {}", self.code, self.text);
        self.body
    }

    /// The body of a refusal, which is a whole `Status`.
    #[track_caller]
    pub(crate) fn refused(self, code: u16, reason: &str) -> Value {
        let facts = (&self.body["kind"], &self.body["apiVersion"], &self.body["status"], &self.body["code"]);
        assert_eq!((self.code, &self.body["reason"]), (code, &json!(reason)), "{}", self.text);
        assert_eq!(facts, (&json!("Status"), &json!("v1"), &json!("Failure"), &json!(code)), "{}", self.text);
        self.body
    }

    /// The refusal of an object whose only fault is `field`; the message of the cause. A server may say it twice (it
    /// checks metadata so), and mention that it left out the rules of a schema.
    #[track_caller]
    pub(crate) fn invalid(self, cause: &str, field: &str) -> String {
        let body = self.refused(422, "Invalid");
        let causes = body["details"]["causes"].as_array().expect("causes");
        let faults = causes.iter().filter(|cause| cause["field"] != "<nil>");
        let mut found: Vec<_> = faults.map(|cause| (text(&cause["reason"]), text(&cause["field"]))).collect();
        found.dedup();
        assert_eq!(found, [(cause.to_owned(), field.to_owned())], "{body}");
        text(&causes[0]["message"])
    }

    /// All `Warning` headers.
    pub(crate) fn warnings(&self) -> Vec<&str> {
        self.headers.get_all("warning").iter().filter_map(|value| value.to_str().ok()).collect()
    }
}

/// The events of a watch.
pub(crate) struct Watch {
    body: Body,
    read: Vec<u8>,
}

impl Watch {
    pub(crate) const fn of(body: Body) -> Self {
        Self { body, read: Vec::new() }
    }

    /// All of it, where it is no stream of events.
    pub(crate) async fn rest(self) -> Value {
        let bytes = self.body.collect().await.expect("a whole body").to_bytes();
        serde_json::from_slice(&bytes).unwrap_or_else(|_| String::from_utf8_lossy(&bytes).into())
    }

    /// The next event, which has to come in time; none when the stream ended.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        timeout(EVENT_LIMIT, self.next_ever()).await.expect("an event in time")
    }

    /// The next event, whenever it comes; none when the stream ended.
    pub(crate) async fn next_ever(&mut self) -> Option<Value> {
        loop {
            if let Some(end) = self.read.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.read.drain(..=end).collect();
                return Some(serde_json::from_slice(&line).expect("an event"));
            }
            match self.body.frame().await? {
                Ok(frame) => self.read.extend(frame.into_data().unwrap_or_default()),
                Err(error) => panic!("the watch broke: {error}"),
            }
        }
    }

    /// The next event, as its type and the name of its object.
    pub(crate) async fn named(&mut self) -> (String, String) {
        let event = self.next().await.expect("one more event");
        (text(&event["type"]), text(&event["object"]["metadata"]["name"]))
    }
}

/// A string; empty where it is none.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The resourceVersion of an object or a list.
#[track_caller]
pub(crate) fn version(object: &Value) -> u64 {
    text(&object["metadata"]["resourceVersion"]).parse().expect("a resourceVersion that is a number")
}

/// The names of the objects of a list.
pub(crate) fn names(list: &Value) -> Vec<String> {
    list["items"].as_array().into_iter().flatten().map(|item| text(&item["metadata"]["name"])).collect()
}

pub(crate) fn config_map(name: &str, data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})
}

pub(crate) fn pod(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"containers": [{"name": "main", "image": "demo:blue"}]}})
}

/// A ReplicaSet that wants no pods, so that its controller leaves its spec and pods alone.
pub(crate) fn replica_set(name: &str) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": name}, "spec": {
        "replicas": 0,
        "selector": {"matchLabels": {"app": name}},
        "template": {
            "metadata": {"labels": {"app": name}},
            "spec": {"containers": [{"name": "main", "image": "demo:blue"}, {"name": "side", "image": "side:1"}]}}}})
}

pub(crate) fn service(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": [{"name": "http", "port": 80}]}})
}
