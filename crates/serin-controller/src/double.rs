//! A server for tests: notes what it is sent and answers as it was told to.

use std::sync::Mutex;

use http::Request;
use serde_json::{Value, json};

use super::apply::Server;
use serin_machine::failure::WriteError;
use serin_machine::object::RawObject;

/// A Rollout of that name as a watch shows it, whose spec is invalid: the status is the only thing to write.
pub(super) fn rollout(name: &str) -> RawObject {
    let metadata = json!({"name": name, "namespace": "shop", "uid": name, "resourceVersion": "1"});
    serde_json::from_value(json!({"metadata": metadata, "spec": {"strategy": {}}})).expect("an object")
}

/// Answers every write with the next resource version, except those to a path that contains a key of `errors`.
#[derive(Default)]
pub(super) struct Double {
    errors: Vec<(&'static str, WriteError)>,
    sent: Mutex<Vec<(String, Value)>>,
}

impl Server for Double {
    async fn send(&self, request: Request<Vec<u8>>) -> Result<RawObject, WriteError> {
        let line = format!("{} {}", request.method(), request.uri().path());
        let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        let mut sent = self.sent.lock().expect("no panic");
        sent.push((line.clone(), body));
        if let Some((_, error)) = self.errors.iter().find(|(part, _)| line.contains(part)) {
            return Err(error.clone());
        }
        let metadata = json!({"uid": "u", "resourceVersion": (100 + sent.len()).to_string()});
        let object = json!({"metadata": metadata, "spec": {"template": {"spec": {"found": true}}}});
        Ok(serde_json::from_value(object).expect("an object"))
    }
}

impl Double {
    /// A server that answers requests whose method and path contain `part` with `error`.
    pub(super) fn failing(part: &'static str, error: WriteError) -> Self {
        Self { errors: vec![(part, error)], ..Self::default() }
    }

    /// The requests, as method and path within the namespace.
    pub(super) fn lines(&self) -> Vec<String> {
        let last = |line: &str| {
            let path = line.split_once("/namespaces/shop/").map_or(line, |(_, path)| path);
            format!("{} {path}", line.split(' ').next().unwrap_or_default())
        };
        self.sent.lock().expect("no panic").iter().map(|(line, _)| last(line)).collect()
    }

    /// The body of a request.
    pub(super) fn body(&self, index: usize) -> Value {
        self.sent.lock().expect("no panic")[index].1.clone()
    }
}
