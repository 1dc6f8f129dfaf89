//! Pod templates and job specs, kept as the JSON that the user wrote.
//!
//! They are deliberately not typed: a typed template loses every field that is newer than the library that typed it,
//! and the loss would change the pods.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use macro_rules_attribute::apply;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::schema_template;
use super::wire::{null_as_default, wire};

/// A pod template, as JSON. Copies share the same value.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PodTemplate(Arc<Value>);

/// The spec of a `batch/v1` Job, as JSON. Copies share the same value.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JobSpec(Arc<Value>);

impl PodTemplate {
    /// The template made of `fields`.
    #[must_use]
    pub fn new(fields: Map<String, Value>) -> Self {
        Self(Arc::new(Value::Object(fields)))
    }

    /// The whole template; always a JSON object.
    #[must_use]
    pub fn as_value(&self) -> &Value {
        &self.0
    }

    /// Whether nothing at all is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.as_object().is_none_or(Map::is_empty)
    }

    /// The labels that pods of this template get.
    #[must_use]
    pub fn labels(&self) -> BTreeMap<&str, &str> {
        self.texts("/metadata/labels")
    }

    /// The annotations that pods of this template get.
    #[must_use]
    pub fn annotations(&self) -> BTreeMap<&str, &str> {
        self.texts("/metadata/annotations")
    }

    /// The image of each container, init containers first, in the order of the template.
    pub fn images(&self) -> impl Iterator<Item = &str> {
        ["/spec/initContainers", "/spec/containers"]
            .into_iter()
            .filter_map(|path| self.0.pointer(path)?.as_array())
            .flatten()
            .filter_map(|container| container.get("image")?.as_str())
    }

    fn texts(&self, path: &str) -> BTreeMap<&str, &str> {
        let map = self.0.pointer(path).and_then(Value::as_object);
        map.into_iter().flatten().filter_map(|(key, value)| Some((key.as_str(), value.as_str()?))).collect()
    }
}

impl JobSpec {
    /// The job spec made of `fields`.
    #[must_use]
    pub fn new(fields: Map<String, Value>) -> Self {
        Self(Arc::new(Value::Object(fields)))
    }

    /// The whole spec; always a JSON object.
    #[must_use]
    pub fn as_value(&self) -> &Value {
        &self.0
    }
}

impl Default for PodTemplate {
    fn default() -> Self {
        Self::new(Map::new())
    }
}

impl Default for JobSpec {
    fn default() -> Self {
        Self::new(Map::new())
    }
}

impl<'de> Deserialize<'de> for PodTemplate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        null_as_default(deserializer).map(Self::new)
    }
}

impl<'de> Deserialize<'de> for JobSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        null_as_default(deserializer).map(Self::new)
    }
}

impl JsonSchema for PodTemplate {
    fn schema_name() -> Cow<'static, str> {
        "PodTemplate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schema_template::pod_template()
    }
}

impl JsonSchema for JobSpec {
    fn schema_name() -> Cow<'static, str> {
        "JobSpec".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schema_template::job_spec()
    }
}

/// Labels and annotations to be put on something.
#[apply(wire)]
pub struct TemplateMetadata {
    /// Labels to add.
    pub labels: BTreeMap<String, String>,
    /// Annotations to add.
    pub annotations: BTreeMap<String, String>,
}
