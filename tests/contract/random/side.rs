//! One of the two worlds, with what it has answered so far.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::alike::Names;
use super::exceptions::leave_columns_to_the_first;
use super::operation::{
    self, Body, CONTINUE, Kind, LIST_VERSION, OLD_VERSION, Operation, UID, VERSION, Verb,
};
use crate::world::{EVENT_LIMIT, Watch, World, text};

/// A world in which a sequence is played.
pub(crate) struct Side {
    world: World,
    names: Names,
    /// The answers about each object, latest last.
    seen: BTreeMap<(Kind, String), Vec<Value>>,
    /// The names that were generated.
    generated: BTreeMap<String, String>,
    list_versions: BTreeMap<Kind, String>,
    tokens: BTreeMap<Kind, String>,
    watches: Vec<Followed>,
}

impl Side {
    /// Makes the namespace of a sequence.
    pub(crate) async fn new(world: World) -> Self {
        let namespace =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": world.namespace}});
        world.send("POST", "/api/v1/namespaces", &[], &namespace).await.done();
        world.admit_pods().await;
        Self {
            world,
            names: Names::default(),
            seen: BTreeMap::new(),
            generated: BTreeMap::new(),
            list_versions: BTreeMap::new(),
            tokens: BTreeMap::new(),
            watches: Vec::new(),
        }
    }

    /// The answer to an operation, as both worlds should give it.
    pub(crate) async fn play(&mut self, operation: &Operation) -> Value {
        let (path, body) = (self.path(operation), self.body(operation));
        if operation.verb == Verb::Watch {
            return self.watch(operation, &path).await;
        }
        let answer = self.world.send(operation.method, &path, &operation.headers, &body).await;
        self.remember(operation, &answer.body, answer.code);
        let warnings: Vec<&str> = answer.warnings();
        let body = if answer.body.is_null() { Value::from(answer.text.clone()) } else { answer.body.clone() };
        self.names.alike(&json!({"code": answer.code, "warnings": warnings, "body": body}))
    }

    /// What each watch has let through, once the last object of the sequence came.
    pub(crate) async fn watched(&mut self) -> Vec<(usize, Vec<Value>)> {
        let mut all = Vec::new();
        for mut watch in std::mem::take(&mut self.watches) {
            // Without an end the events so far say more than a panic.
            let _ended = timeout(EVENT_LIMIT, &mut watch.task).await;
            let mut events = std::mem::take(&mut *watch.events());
            leave_columns_to_the_first(&mut events);
            all.push((watch.number, events.iter().map(|event| self.names.alike(event)).collect()));
        }
        all
    }

    /// The numbers of the exceptions that were met.
    pub(crate) fn exceptions(&self) -> BTreeSet<usize> {
        self.names.exceptions.met.clone()
    }

    async fn watch(&mut self, operation: &Operation, path: &str) -> Value {
        let response = self.world.start("GET", path, &operation.headers, &Value::Null).await;
        let code = response.status().as_u16();
        if code != 200 {
            let watch = Watch::of(response.into_body());
            let body = watch.rest().await;
            return self.names.alike(&json!({"code": code, "body": body}));
        }
        self.watches.push(Followed::new(operation.number, Watch::of(response.into_body())));
        json!({"code": code})
    }

    fn path(&self, operation: &Operation) -> String {
        let mut at = operation.kind.resource().to_owned();
        let name = self.generated.get(&operation.name).map_or(operation.name.as_str(), String::as_str);
        for part in [name, operation.part].into_iter().filter(|part| !part.is_empty()) {
            at = format!("{at}/{}", part.replace('*', "none"));
        }
        let query: Vec<String> = operation
            .query
            .iter()
            .filter_map(|(name, value)| Some(format!("{name}={}", encoded(&self.filled(value, operation)?))))
            .collect();
        let path = self.world.path(&at);
        if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
    }

    fn body(&self, operation: &Operation) -> Value {
        match &operation.body {
            Body::Given(body) => self.fill_in(body, operation).unwrap_or_default(),
            Body::Seen { age, changes, otherwise } => {
                let mut object = self.seen(operation, *age).unwrap_or(otherwise).clone();
                for change in changes {
                    operation::apply(&mut object, change);
                }
                object
            }
        }
    }

    fn seen(&self, operation: &Operation, age: usize) -> Option<&Value> {
        let answers = self.seen.get(&(operation.kind, operation.name.clone()))?;
        answers.get(answers.len().saturating_sub(1 + age))
    }

    /// A body with what this world has in the place of what stands for it; what is not known is left out.
    fn fill_in(&self, body: &Value, operation: &Operation) -> Option<Value> {
        Some(match body {
            Value::String(text) => self.filled(text, operation)?.into(),
            Value::Array(list) => list.iter().filter_map(|item| self.fill_in(item, operation)).collect(),
            Value::Object(map) => {
                let fields = map.iter();
                let filled =
                    |(key, value): (&String, &Value)| Some((key.clone(), self.fill_in(value, operation)?));
                fields.filter_map(filled).collect()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => body.clone(),
        })
    }

    fn filled(&self, word: &str, operation: &Operation) -> Option<String> {
        let of = |age: usize, field: &str| Some(text(&self.seen(operation, age)?["metadata"][field]));
        match word {
            VERSION => of(0, "resourceVersion"),
            OLD_VERSION => of(1, "resourceVersion"),
            UID => of(0, "uid"),
            LIST_VERSION => self.list_versions.get(&operation.kind).cloned(),
            CONTINUE => self.tokens.get(&operation.kind).cloned(),
            // A name inside of a body is the one in the URL.
            word if word.contains("-*") => self.generated.get(word).cloned(),
            word => Some(word.to_owned()),
        }
    }

    fn remember(&mut self, operation: &Operation, body: &Value, code: u16) {
        if operation.verb == Verb::Create && code >= 300 {
            // A generated name is in refusals, too.
            let name = text(&body["details"]["name"]);
            let prefix = format!("g{}-", operation.number);
            if name.len() > prefix.len() && name.starts_with(&prefix) {
                self.names.learn(&name, &format!("{prefix}*"));
            }
        }
        if code >= 300 {
            return;
        }
        if operation.verb == Verb::List {
            self.list_versions.insert(operation.kind, text(&body["metadata"]["resourceVersion"]));
            match text(&body["metadata"]["continue"]) {
                token if token.is_empty() => _ = self.tokens.remove(&operation.kind),
                token => _ = self.tokens.insert(operation.kind, token),
            }
            return;
        }
        if body["kind"] != operation.kind.names().1 {
            return;
        }
        let mut name = text(&body["metadata"]["name"]);
        let is_generated =
            operation.verb == Verb::Create && text(&body["metadata"]["generateName"]).starts_with('g');
        let common = format!("g{}-*", operation.number);
        if is_generated && !self.generated.values().any(|known| *known == name) {
            self.names.learn(&name, &common);
            self.generated.insert(common, name.clone());
        }
        if let Some((common, _)) = self.generated.iter().find(|(_, actual)| **actual == name) {
            name.clone_from(common);
        }
        self.seen.entry((operation.kind, name)).or_default().push(body.clone());
    }
}

/// A watch that is read up to the last object of a sequence, or up to its own end.
struct Followed {
    /// The number of the operation.
    number: usize,
    events: Arc<Mutex<Vec<Value>>>,
    task: JoinHandle<()>,
}

impl Followed {
    fn new(number: usize, mut watch: Watch) -> Self {
        let events = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&events);
        let task = tokio::spawn(async move {
            while let Some(event) = watch.next_ever().await {
                let object = &event["object"];
                let is_progress = event["type"] == "BOOKMARK" && object["metadata"]["annotations"].is_null();
                let is_last = event["type"] == "ADDED" && has_label(object);
                if !is_progress {
                    seen.lock().unwrap_or_else(PoisonError::into_inner).push(event);
                }
                if is_last {
                    break;
                }
            }
        });
        Self { number, events, task }
    }

    fn events(&self) -> MutexGuard<'_, Vec<Value>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Whether an object, or the only one of a table, is the last of a sequence.
fn has_label(object: &Value) -> bool {
    [object, &object["rows"][0]["object"]].iter().any(|object| object["metadata"]["labels"]["last"] == "yes")
}

/// A value in a query.
fn encoded(value: &str) -> String {
    percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC).to_string()
}
