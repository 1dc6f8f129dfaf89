//! Writes the table of lists and maps in built-in kinds, from the OpenAPI documents of a real API server.
//!
//! `cargo run --example kind-tables -- KUBECONFIG > crates/serin-cluster/src/api/kinds/lists.txt`; the format is described in
//! `crates/serin-cluster/src/api/kinds/lists.rs`. `cargo run --example testbed` starts a server to ask.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::Parser;
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::Value;
use serin_cluster::api::kinds;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Writes the table of lists and maps in built-in kinds to the standard output.
#[derive(Debug, Parser)]
struct Options {
    /// How to reach a real API server of the version that k8s-openapi is used with.
    kubeconfig: PathBuf,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let kubeconfig = Kubeconfig::read_from(Options::parse().kubeconfig)?;
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    let client = kube::Client::try_from(config)?;
    let mut types = BTreeMap::new();
    let mut roots = BTreeSet::new();
    for kind in kinds::built_in() {
        roots.insert(kind.type_name());
        let prefix = if kind.group.is_empty() { "api" } else { "apis" };
        let path = format!("/openapi/v3/{prefix}/{}", kind.api_version());
        let document: Value = client.request(http::Request::get(path).body(Vec::new())?).await?;
        if let Value::Object(schemas) = &document["components"]["schemas"] {
            types.extend(schemas.clone());
        }
    }
    for (name, fields) in table(&types, roots) {
        println!("{name} {}", fields.join(" "));
    }
    Ok(())
}

/// The lines of every type that is reached from `roots`, without those that lead to nothing of note.
fn table(types: &BTreeMap<String, Value>, roots: BTreeSet<String>) -> BTreeMap<String, Vec<String>> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<String> = roots.into_iter().collect();
    while let Some(name) = open.pop() {
        if reached.insert(name.clone()) {
            open.extend(fields(types, &name).into_iter().filter_map(|field| field.target));
        }
    }
    // A type is of note when a field of it is, or leads to a type that is.
    let mut noted: BTreeSet<&String> = BTreeSet::new();
    loop {
        let is_noted = |field: &Field| {
            !field.shape.is_empty() || field.target.as_ref().is_some_and(|target| noted.contains(target))
        };
        let more: Vec<&String> = reached
            .iter()
            .filter(|name| !noted.contains(name) && fields(types, name).iter().any(is_noted))
            .collect();
        if more.is_empty() {
            break;
        }
        noted.extend(more);
    }
    let lines = noted.iter().map(|name| {
        let words = fields(types, name).into_iter().filter_map(|field| field.word(&noted));
        ((*name).clone(), words.collect())
    });
    lines.collect()
}

/// One field of a type.
struct Field {
    name: String,
    shape: String,
    target: Option<String>,
    is_map: bool,
}

impl Field {
    fn word(self, noted: &BTreeSet<&String>) -> Option<String> {
        let target = self.target.filter(|target| noted.contains(target));
        if self.shape.is_empty() && target.is_none() {
            return None;
        }
        let star = if self.is_map { "*" } else { "" };
        let target = target.map(|target| format!(">{star}{target}")).unwrap_or_default();
        Some(format!("{}{}{target}", self.name, self.shape))
    }
}

fn fields(types: &BTreeMap<String, Value>, name: &str) -> Vec<Field> {
    let Some(Value::Object(properties)) = types.get(name).map(|schema| &schema["properties"]) else {
        return Vec::new();
    };
    properties.iter().map(|(name, schema)| field(types, name, schema)).collect()
}

fn field(types: &BTreeMap<String, Value>, name: &str, schema: &Value) -> Field {
    let is_map = schema["additionalProperties"].is_object();
    let inner = match (&schema["items"], &schema["additionalProperties"]) {
        (items, _) if items.is_object() => items,
        (_, values) if values.is_object() => values,
        _ => schema,
    };
    let target = reference(inner).or_else(|| reference(&inner["items"]));
    let referred = target.as_ref().and_then(|target| types.get(target)).unwrap_or(&Value::Null);
    let is_atomic = |schema: &Value| schema["x-kubernetes-map-type"] == "atomic";
    let mut shape = String::new();
    if is_atomic(schema) || (!is_map && is_atomic(referred)) {
        shape.push('!');
    }
    match schema["x-kubernetes-list-type"].as_str() {
        Some("set") => shape.push_str("=set"),
        Some("map") => shape.push_str(&keys(schema, referred)),
        _ => {}
    }
    let strategy = schema["x-kubernetes-patch-strategy"].as_str().unwrap_or_default();
    if strategy.contains("merge") {
        shape.push('~');
        shape.push_str(schema["x-kubernetes-patch-merge-key"].as_str().unwrap_or_default());
    }
    if strategy.contains("retainKeys") {
        shape.push('^');
    }
    Field { name: name.to_owned(), shape, target, is_map }
}

/// `=map:` and the keys, each with the default of its field.
fn keys(schema: &Value, item: &Value) -> String {
    let keys =
        schema["x-kubernetes-list-map-keys"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let keys = keys.map(|key| match &item["properties"][key]["default"] {
        Value::String(default) => format!("{key}:{default}"),
        Value::Number(default) => format!("{key}:{default}"),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => key.to_owned(),
    });
    format!("=map:{}", keys.collect::<Vec<String>>().join(","))
}

fn reference(schema: &Value) -> Option<String> {
    let direct = schema["$ref"].as_str();
    let path = direct.or_else(|| schema["allOf"][0]["$ref"].as_str())?;
    path.rsplit('/').next().map(str::to_owned)
}
