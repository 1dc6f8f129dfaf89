//! Objects in files.

use serde_json::Value;

use super::finding::{Finding, ObjectName, Remark};
use super::rule::Rule;
use super::rules::{DUPLICATE_FIELD, NOT_AN_OBJECT, NOT_YAML, UNREADABLE_FILE};
use super::source::files::File;
use super::source::node::{Content, Mark, Node};
use super::source::parse::{FaultKind, parse};
use serin_core::api::keys;

/// An object in a file that has no unknown fields.
pub(in crate::cli) struct Sound {
    /// Name of the file.
    pub(in crate::cli) file: String,
    pub(in crate::cli) api_version: String,
    pub(in crate::cli) kind: String,
    pub(in crate::cli) json: Value,
}

/// An object in a file.
#[derive(Debug)]
pub(super) struct Object {
    file: String,
    pub(super) name: ObjectName,
    pub(super) api_version: String,
    pub(super) node: Node,
    pub(super) json: Value,
}

impl Object {
    /// True if it is a custom resource of that kind.
    pub(super) fn is(&self, kind: &str) -> bool {
        self.api_version == keys::API_VERSION && self.name.kind == kind
    }

    pub(super) fn into_sound(self) -> Sound {
        Sound { file: self.file, api_version: self.api_version, kind: self.name.kind, json: self.json }
    }

    /// Findings about the object.
    pub(super) fn finding(&self, (rule, remark): (&'static Rule, Remark)) -> Finding {
        let at = Some(self.node.place(&remark.field));
        Finding { rule, file: self.file.clone(), at, object: Some(self.name.clone()), remark }
    }
}

/// The objects in `files`, including list items, and the findings about unreadable parts.
pub(super) fn objects(files: &[File]) -> (Vec<Object>, Vec<Finding>) {
    let mut objects = Vec::new();
    let mut found = Vec::new();
    for file in files {
        let mut add = |rule, at, remark| {
            found.push(Finding { rule, file: file.name.clone(), at, object: None, remark });
        };
        let text = match &file.text {
            Ok(text) => text,
            Err(error) => {
                add(&UNREADABLE_FILE, None, Remark::whole(format!("cannot be read: {error}")));
                continue;
            }
        };
        let (documents, faults) = parse(text, file.is_json());
        for fault in faults {
            let rule = match fault.kind {
                FaultKind::Syntax => &NOT_YAML,
                FaultKind::Duplicate => &DUPLICATE_FIELD,
            };
            add(rule, Some(fault.at), Remark::whole(fault.problem));
        }
        for document in documents {
            for (at, node) in items(document) {
                match object(file, node) {
                    Ok(Some(object)) => objects.push(object),
                    Ok(None) => {}
                    Err(problem) => add(&NOT_AN_OBJECT, Some(at), Remark::whole(problem)),
                }
            }
        }
    }
    (objects, found)
}

/// Adds a document, or its items if it is a list.
fn items(document: Node) -> Vec<(Mark, Node)> {
    let is_list = document.text("kind").is_some_and(|kind| kind.ends_with("List"));
    let list = document.field("items").filter(|items| is_list && matches!(items.content, Content::List(_)));
    match list {
        Some(list) => list.items().iter().cloned().flat_map(self::items).collect(),
        None => vec![(document.at, document)],
    }
}

fn object(file: &File, node: Node) -> Result<Option<Object>, String> {
    let text = |name: &str| node.text(name).filter(|text| !text.is_empty());
    let Content::Map(_) = node.content else {
        return Err("not an object: a manifest is a map with apiVersion, kind and metadata".to_owned());
    };
    let (Some(api_version), Some(kind)) = (text("apiVersion"), text("kind")) else {
        let problem = "apiVersion or kind is missing; a manifest needs both";
        return if file.is_named { Err(problem.to_owned()) } else { Ok(None) };
    };
    let (group, _) = api_version.split_once('/').unwrap_or_default();
    let kinds = [
        keys::ROLLOUT,
        keys::ANALYSIS_TEMPLATE,
        keys::CLUSTER_ANALYSIS_TEMPLATE,
        keys::ANALYSIS_RUN,
        keys::EXPERIMENT,
    ];
    let is_ours = kinds.contains(&kind);
    if is_ours && group == keys::GROUP && api_version != keys::API_VERSION {
        return Err(format!("{kind} has no version {api_version:?}; use {}", keys::API_VERSION));
    }
    let metadata = node.field("metadata");
    let named = |name: &str| metadata.and_then(|metadata| metadata.text(name)).map(str::to_owned);
    let name = named("name").or_else(|| named("generateName"));
    if is_ours && group == keys::GROUP && name.is_none() {
        return Err(format!("the {kind} has no metadata.name"));
    }
    let name =
        ObjectName { kind: kind.to_owned(), namespace: named("namespace"), name: name.unwrap_or_default() };
    let (file, api_version, json) = (file.name.clone(), api_version.to_owned(), node.to_json());
    Ok(Some(Object { file, name, api_version, node, json }))
}
