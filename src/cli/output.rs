//! How results are printed: for people as text, for programs as objects.

use std::env;
use std::io::{self, IsTerminal, Write};
use std::str::FromStr;

use kube::api::DynamicObject;
use kube::core::TypeMeta;
use serde::Serialize;
use serde_json::{Value, json};

use super::failure::Failure;
use super::jsonpath::Template;
use crate::api::keys;

/// A form of results, named as those of kubectl.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Form {
    /// Objects as JSON.
    Json,
    /// Objects as YAML.
    Yaml,
    /// Their kinds and names.
    Name,
    /// Text with more in it.
    Wide,
    /// What a template takes from the objects.
    JsonPath(Template),
}

impl FromStr for Form {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "json" => Ok(Self::Json),
            "yaml" => Ok(Self::Yaml),
            "name" => Ok(Self::Name),
            "wide" => Ok(Self::Wide),
            other => match other.strip_prefix("jsonpath=") {
                Some(template) => template.parse().map(Self::JsonPath),
                None => Err("one of json, yaml, name, wide, jsonpath=TEMPLATE".to_owned()),
            },
        }
    }
}

impl Form {
    /// The form, unless it is text.
    pub(super) fn for_programs(form: Option<&Self>) -> Option<&Self> {
        form.filter(|form| **form != Self::Wide)
    }

    /// One object.
    pub(super) fn object(&self, object: &DynamicObject) -> Result<String, Failure> {
        if *self == Self::Name {
            return Ok(name(object));
        }
        self.document(object)
    }

    /// Several objects; as a list, where they are documents.
    pub(super) fn objects(&self, objects: &[DynamicObject]) -> Result<String, Failure> {
        if *self == Self::Name {
            return Ok(objects.iter().map(name).collect());
        }
        // The items of a list that is asked for do not repeat kind and version, but a mixed list has to.
        let rollout =
            || TypeMeta { api_version: keys::API_VERSION.to_owned(), kind: keys::ROLLOUT.to_owned() };
        let items = objects.iter().map(|object| DynamicObject {
            types: Some(object.types.clone().unwrap_or_else(rollout)),
            ..object.clone()
        });
        let items: Vec<_> = items.collect();
        self.document(&json!({"apiVersion": "v1", "kind": "List", "items": items}))
    }

    /// A document of our own.
    pub(super) fn document(&self, value: &impl Serialize) -> Result<String, Failure> {
        let failed = |error: &dyn std::error::Error| Failure::Failed(error.to_string());
        // Through a JSON value, which has its keys in order.
        let value = serde_json::to_value(value).map_err(|error| failed(&error))?;
        match self {
            Self::JsonPath(template) => Ok(template.fill(&value)),
            Self::Yaml => yaml(&value),
            Self::Json | Self::Name | Self::Wide => {
                let text = serde_json::to_string_pretty(&value).map_err(|error| failed(&error))?;
                Ok(text + "\n")
            }
        }
    }
}

/// A value as YAML.
pub(super) fn yaml(value: &Value) -> Result<String, Failure> {
    serde_yaml::to_string(value).map_err(|error| Failure::Failed(error.to_string()))
}

fn name(object: &DynamicObject) -> String {
    let kind = object.types.as_ref().map_or(keys::ROLLOUT, |types| types.kind.as_str()).to_lowercase();
    let version = object.types.as_ref().map_or(keys::API_VERSION, |types| types.api_version.as_str());
    let group = version.split_once('/').map(|(group, _)| format!(".{group}")).unwrap_or_default();
    format!("{kind}{group}/{}\n", object.metadata.name.as_deref().unwrap_or_default())
}

/// Prints a result. Who does not want to read to the end need not.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::Failed(format!("cannot print: {error}")))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Whether who reads the output sees colours.
pub(super) fn has_colours() -> bool {
    let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    io::stdout().is_terminal() && !is_set("NO_COLOR") && env::var_os("TERM").is_none_or(|term| term != "dumb")
}
