//! Templates on the way to AnalysisRuns.

mod arguments;
mod check;
mod graphs;
mod run;
mod templates;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::api::analysis::{Argument, TemplateRef};
use crate::api::{AnalysisTemplateSpec, DecodeError, Rollout};

/// The templates of a cluster, by name.
#[derive(Default)]
struct Templates(BTreeMap<TemplateName, Result<AnalysisTemplateSpec, DecodeError>>);

impl Templates {
    /// AnalysisTemplates, and ClusterAnalysisTemplates where the name starts with `cluster/`.
    fn new(specs: &[(&str, Value)]) -> Self {
        let specs = specs.iter().map(|(name, spec)| {
            let spec = crate::api::decode(spec.clone());
            (named(name), spec)
        });
        Self(specs.collect())
    }

    fn collect(&self, names: &[&str]) -> Collected<'_> {
        let names: Vec<_> = names.iter().map(|name| named(name)).collect();
        collect(&names, |name| self.0.get(name).map(|spec| spec.as_ref().map_err(Clone::clone)))
    }
}

fn named(text: &str) -> TemplateName {
    match text.strip_prefix("cluster/") {
        Some(name) => TemplateName::new(Scope::Cluster, name),
        None => TemplateName::new(Scope::Namespace, text),
    }
}

/// References as a template or a Rollout has them.
fn included(names: &[&str]) -> Value {
    let one = |name: &&str| match name.strip_prefix("cluster/") {
        Some(name) => json!({"templateName": name, "clusterScope": true}),
        None => json!({"templateName": name}),
    };
    names.iter().map(one).collect()
}

/// A spec with a metric for each name, and these arguments.
fn measures(metrics: &[&str], args: &Value) -> Value {
    let metric = |name: &&str| json!({"name": name, "provider": {"web": {"url": "http://127.0.0.1/"}}});
    json!({"metrics": metrics.iter().map(metric).collect::<Value>(), "args": args})
}

fn args(list: &Value) -> Vec<Argument> {
    serde_json::from_value(list.clone()).expect("arguments")
}

fn rollout(strategy: &Value) -> Rollout {
    let object = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
        "metadata": {"name": "web", "namespace": "shop", "uid": "u-1"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, "strategy": strategy},
    });
    serde_json::from_value(object).expect("a Rollout")
}

fn messages<T: ToString>(errors: &[T]) -> Vec<String> {
    errors.iter().map(ToString::to_string).collect()
}
