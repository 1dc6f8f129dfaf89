//! How results are printed: for people as text, for programs as objects.

use std::io::{self, Write};

use clap::ValueEnum;
use kube::api::DynamicObject;
use serde::Serialize;
use serde_json::json;

use super::failure::Failure;
use crate::api::keys;

/// A form for programs, named as those of kubectl.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Form {
    /// The object as JSON.
    Json,
    /// The object as YAML.
    Yaml,
    /// Its kind and name.
    Name,
}

impl Form {
    /// One object.
    pub(super) fn object(self, object: &DynamicObject) -> Result<String, Failure> {
        match self {
            Self::Name => Ok(name(object)),
            Self::Json | Self::Yaml => self.document(object),
        }
    }

    /// Several objects; as a list, where they are documents.
    pub(super) fn objects(self, objects: &[DynamicObject]) -> Result<String, Failure> {
        match self {
            Self::Name => Ok(objects.iter().map(name).collect()),
            Self::Json | Self::Yaml => {
                // The items of a list do not repeat kind and version, but a mixed list has to.
                let items = objects.iter().map(|object| DynamicObject {
                    types: Some(kube::core::TypeMeta {
                        api_version: keys::API_VERSION.to_owned(),
                        kind: keys::ROLLOUT.to_owned(),
                    }),
                    ..object.clone()
                });
                let items: Vec<_> = items.collect();
                self.document(&json!({"apiVersion": "v1", "kind": "List", "items": items}))
            }
        }
    }

    /// Anything else, as a document; there is none that is but a name.
    pub(super) fn document(self, value: &impl Serialize) -> Result<String, Failure> {
        let failed = |error: &dyn std::error::Error| Failure::Failed(error.to_string());
        if self == Self::Json {
            let text = serde_json::to_string_pretty(value).map_err(|error| failed(&error))?;
            return Ok(text + "\n");
        }
        // Through a JSON value, which has its keys in order.
        let value = serde_json::to_value(value).map_err(|error| failed(&error))?;
        serde_yaml::to_string(&value).map_err(|error| failed(&error))
    }
}

fn name(object: &DynamicObject) -> String {
    format!("rollout.argoproj.io/{}\n", object.metadata.name.as_deref().unwrap_or_default())
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
