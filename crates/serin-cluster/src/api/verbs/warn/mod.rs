//! What is allowed but hardly meant, as the answers to writes say.
//!
//! Not every warning of Kubernetes is here: those about pods and services are that people run into.

mod pods;
mod services;

use serde_json::Value;

use super::super::names::label_faults;
use super::super::store::Resource;
use super::super::store::object::{at, generation, name};
use super::call::Part;
use super::metadata::finalizer_warnings;

const INGRESS_CLASS: &str = "kubernetes.io/ingress.class";

/// What there is to say of a new object.
pub(super) fn created(resource: &Resource, object: &Value) -> Vec<String> {
    match (resource.group.as_str(), resource.plural.as_str()) {
        _ if resource.custom.is_some() => finalizer_warnings(None, object),
        ("", "pods") => named("the Pod's hostname", object)
            .into_iter()
            .chain(pods::all("", at(object, &["spec"]), at(object, &["metadata"])))
            .collect(),
        ("", "services") => services::all(object),
        ("apps", "replicasets" | "deployments") | ("batch", "jobs") => {
            named("Pod names and hostnames", object).into_iter().chain(template(object)).collect()
        }
        ("networking.k8s.io", "ingresses")
            if !at(object, &["metadata", "annotations", INGRESS_CLASS]).is_null()
                && at(object, &["spec", "ingressClassName"]).is_null() =>
        {
            let instead = "'spec.ingressClassName'";
            vec![format!("annotation {INGRESS_CLASS:?} is deprecated, please use {instead} instead")]
        }
        _ => Vec::new(),
    }
}

/// What there is to say of a change.
pub(super) fn changed(resource: &Resource, part: Part, old: &Value, new: &Value) -> Vec<String> {
    match (resource.group.as_str(), resource.plural.as_str()) {
        _ if part != Part::Main => Vec::new(),
        _ if resource.custom.is_some() => finalizer_warnings(Some(old), new),
        ("", "services") => services::all(new),
        ("apps", "replicasets" | "deployments") | ("batch", "jobs") if generation(old) != generation(new) => {
            template(new)
        }
        _ => Vec::new(),
    }
}

fn named(used_in: &str, object: &Value) -> Option<String> {
    let faults = label_faults(name(object));
    (!faults.is_empty()).then(|| {
        format!(
            "metadata.name: this is used in {used_in}, which can result in surprising behavior; a DNS label is \
             recommended: [{}]",
            faults.join(" ")
        )
    })
}

fn template(object: &Value) -> Vec<String> {
    let template = at(object, &["spec", "template"]);
    pods::all("spec.template.", at(template, &["spec"]), at(template, &["metadata"]))
}
