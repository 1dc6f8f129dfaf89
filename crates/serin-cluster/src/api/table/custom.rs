//! Rows of custom resources: the columns that their definition asks for.

use jiff::Timestamp;
use jsonpath_rust::JsonPath;
use serde_json::{Value, json};

use super::column::{AGE, NAME};
use super::format::{items, name, text};
use serin_kubernetes::age;
use serin_values::json_path::standard;

/// The columns of one version of a definition, after the name.
pub(super) struct CustomColumns {
    columns: Vec<CustomColumn>,
}

struct CustomColumn {
    definition: Value,
    kind: String,
    /// In the standard's notation; none where the definition's is no path.
    path: Option<String>,
}

impl CustomColumns {
    /// The columns of `version`; the age where it asks for none.
    pub(super) fn new(definition: &Value, version: &str) -> Self {
        let found = items(&definition["spec"]["versions"]).iter().find(|entry| entry["name"] == version);
        let asked = found.map(|entry| items(&entry["additionalPrinterColumns"])).unwrap_or_default();
        let age = [json!({"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp",
            "description": AGE.definition()["description"]})];
        let columns = if asked.is_empty() { &age } else { asked };
        Self { columns: columns.iter().map(CustomColumn::new).collect() }
    }

    pub(super) fn definitions(&self) -> Value {
        let own = self.columns.iter().map(|column| column.definition.clone());
        std::iter::once(NAME.definition()).chain(own).collect()
    }

    pub(super) fn cells(&self, object: &Value, now: Timestamp) -> Vec<Value> {
        let own = self.columns.iter().map(|column| column.cell(object, now));
        std::iter::once(name(object)).chain(own).collect()
    }
}

impl CustomColumn {
    fn new(column: &Value) -> Self {
        let path = text(&column["jsonPath"]);
        let description = match text(&column["description"]) {
            "" => format!("Custom resource definition column (in JSONPath format): {path}"),
            description => description.to_owned(),
        };
        let definition = json!({
            "name": column["name"], "type": column["type"], "format": text(&column["format"]),
            "description": description,
            "priority": column["priority"].as_i64().unwrap_or_default(),
        });
        let kind = text(&column["type"]).to_owned();
        Self { definition, kind, path: standard(path).ok() }
    }

    /// What the path leads to, as its type is printed; null where it leads to nothing or to something else.
    fn cell(&self, object: &Value, now: Timestamp) -> Value {
        let found = self.path.as_ref().and_then(|path| object.query(path).ok());
        let Some(value) = found.as_ref().and_then(|found| found.first()) else { return Value::Null };
        match (self.kind.as_str(), value) {
            ("integer" | "number", Value::Number(_)) | ("boolean", Value::Bool(_)) => (*value).clone(),
            ("string", Value::String(text)) => text.as_str().into(),
            ("string", Value::Null) => Value::Null,
            ("string", other) => other.to_string().into(),
            ("date", Value::String(_)) => age::since(value, now).into(),
            _ => Value::Null,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_of_the_columns_types() {
        let column = |kind: &str, path: &str| json!({"name": kind, "type": kind, "jsonPath": path});
        let definition = json!({"spec": {"versions": [{"name": "v1", "additionalPrinterColumns": [
            column("integer", ".spec.replicas"),
            column("string", ".spec.replicas"),
            column("string", r#".status.conditions[?(@.type=="Ready")].status"#),
            column("integer", ".status.absent"),
            column("date", ".metadata.creationTimestamp"),
            column("string", r".metadata.labels.a\.b"),
            column("integer", ".spec.word"),
            column("string", ".spec.short-word"),
            column("string", "spec.word"),
        ]}]}});
        let object = json!({
            "metadata": {"name": "x", "creationTimestamp": "2026-01-01T00:00:00Z", "labels": {"a.b": "c"}},
            "spec": {"replicas": 3, "word": "w", "short-word": "s"},
            "status": {"conditions": [{"type": "Other", "status": "False"}, {"type": "Ready", "status": "True"}]},
        });
        let cells =
            CustomColumns::new(&definition, "v1").cells(&object, "2026-01-01T00:00:09Z".parse().unwrap());
        assert_eq!(json!(cells), json!(["x", 3, "3", "True", null, "9s", "c", null, "s", null]));
        let plain =
            CustomColumns::new(&definition, "v2").cells(&object, "2026-01-01T00:00:09Z".parse().unwrap());
        assert_eq!(json!(plain), json!(["x", "9s"]));
    }
}
