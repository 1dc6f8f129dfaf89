//! Checks of a definition of custom resources.

use serde_json::{Value, json};

use super::super::status::Cause;
use super::Schema;
use super::cause::{cause, invalid_value, required, unsupported};

/// The types that a printer column may have.
const COLUMN_TYPES: [&str; 5] = ["boolean", "date", "integer", "number", "string"];

/// Fills in what a definition may leave out: the singular name, the kind of lists, and the conversion.
pub fn default_definition(definition: &mut Value) {
    let Some(spec) = definition.get_mut("spec").filter(|spec| spec.is_object()) else { return };
    if let Some(kind) = spec["names"]["kind"].as_str().map(str::to_owned).filter(|kind| !kind.is_empty()) {
        for (key, value) in [("singular", kind.to_lowercase()), ("listKind", format!("{kind}List"))] {
            if spec["names"].get(key).is_none() {
                spec["names"][key] = Value::from(value);
            }
        }
    }
    if spec.get("conversion").is_none() {
        spec["conversion"] = json!({"strategy": "None"});
    }
}

/// What is wrong with a `CustomResourceDefinition` of `apiextensions.k8s.io/v1` that has its defaults.
///
/// Names, versions and schemas are checked, subresources and printer columns; webhooks for conversion are not.
#[must_use]
pub fn check(definition: &Value) -> Vec<Cause> {
    let spec = &definition["spec"];
    let mut causes = check_names(definition, spec);
    let versions = spec["versions"].as_array().cloned().unwrap_or_default();
    for (index, version) in versions.iter().enumerate() {
        causes.extend(check_version(version, index, versions.len()));
    }
    causes.extend(check_versions(spec, &versions));
    if spec["preserveUnknownFields"] == true {
        let detail = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in \
                      spec.versions[*].schema instead";
        causes.push(invalid_value("spec.preserveUnknownFields", &Value::Bool(true), detail));
    }
    causes
}

fn check_names(definition: &Value, spec: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (plural, group) = (text(&spec["names"]["plural"]), text(&spec["group"]));
    let name = &definition["metadata"]["name"];
    if *name != format!("{plural}.{group}") {
        causes.push(invalid_value("metadata.name", name, "must be spec.names.plural+\".\"+spec.group"));
    }
    if group.is_empty() {
        causes.push(required("spec.group", ""));
    } else if !is_subdomain(&group) {
        let detail = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', \
                      and must start and end with an alphanumeric character (e.g. 'example.com', regex used for \
                      validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
        causes.push(invalid_value("spec.group", &spec["group"], detail));
    }
    match spec["scope"].as_str() {
        Some("Cluster" | "Namespaced") => {}
        None | Some("") => causes.push(required("spec.scope", "")),
        Some(_) => {
            let scopes = ["Cluster", "Namespaced"].into_iter();
            causes.push(unsupported("spec.scope", &spec["scope"], scopes));
        }
    }
    for key in ["plural", "singular", "kind", "listKind"] {
        if text(&spec["names"][key]).is_empty() {
            causes.push(required(format!("spec.names.{key}"), ""));
        }
    }
    causes
}

fn is_subdomain(name: &str) -> bool {
    let is_part = |part: &str| {
        let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !part.is_empty() && part.bytes().all(is_inner) && !part.starts_with('-') && !part.ends_with('-')
    };
    name.split('.').all(is_part)
}

fn check_versions(spec: &Value, versions: &[Value]) -> Vec<Cause> {
    let mut causes = Vec::new();
    let shown = || {
        let shown: Vec<String> = versions.iter().map(shown_version).collect();
        format!("[{}]", shown.join(","))
    };
    let mut complain = |detail: &str| {
        causes.push(cause(
            "FieldValueInvalid",
            "spec.versions",
            format!("Invalid value: {}: {detail}", shown()),
        ));
    };
    let names: Vec<&Value> = versions.iter().map(|version| &version["name"]).collect();
    if names.iter().enumerate().any(|(index, name)| names[..index].contains(name)) {
        complain("must contain unique version names");
    }
    if spec["versions"].as_array().into_iter().flatten().filter(|version| version["storage"] == true).count()
        != 1
    {
        complain("must have exactly one version marked as storage version");
        let detail = "must have at least one stored version";
        if !versions.iter().any(|version| version["storage"] == true) {
            causes.push(invalid_value("status.storedVersions", &Value::Null, detail));
        }
    }
    causes
}

/// A version as messages show it.
fn shown_version(version: &Value) -> String {
    format!(
        "{{\"Name\":{},\"Served\":{},\"Storage\":{},\"Deprecated\":{},\"DeprecationWarning\":{},\"Schema\":null,\
         \"Subresources\":null,\"AdditionalPrinterColumns\":null,\"SelectableFields\":null}}",
        version["name"],
        version["served"] == true,
        version["storage"] == true,
        version["deprecated"] == true,
        version["deprecationWarning"],
    )
}

/// Checks one version. Where there is one alone, messages place its parts at the top of the definition.
fn check_version(version: &Value, index: usize, count: usize) -> Vec<Cause> {
    let (above, schema_path) = if count == 1 {
        ("spec".to_owned(), "spec.validation.openAPIV3Schema".to_owned())
    } else {
        let path = format!("spec.versions[{index}]");
        (path.clone(), format!("{path}.schema.openAPIV3Schema"))
    };
    let mut causes = Vec::new();
    let schema = &version["schema"]["openAPIV3Schema"];
    if schema.is_null() {
        causes.push(required(format!("spec.versions[{index}].schema.openAPIV3Schema"), ""));
    } else if let Err(faults) = Schema::compile(schema, &schema_path) {
        causes.extend(faults);
    }
    let scale = &version["subresources"]["scale"];
    if scale.is_object() {
        let paths = [("specReplicasPath", ".spec"), ("statusReplicasPath", ".status")];
        for (key, root) in paths {
            let field = format!("{above}.subresources.scale.{key}");
            match scale[key].as_str() {
                None | Some("") => causes.push(required(field, "")),
                Some(path) if path.strip_prefix(root).is_some_and(|rest| rest.starts_with('.')) => {}
                Some(_) => {
                    let detail = format!("should be a json path under {root}");
                    causes.push(invalid_value(field, &scale[key], &detail));
                }
            }
        }
    }
    for (index, column) in version["additionalPrinterColumns"].as_array().into_iter().flatten().enumerate() {
        check_column(column, &format!("{above}.additionalPrinterColumns[{index}]"), &mut causes);
    }
    causes
}

fn check_column(column: &Value, path: &str, causes: &mut Vec<Cause>) {
    let text = |key: &str| column[key].as_str().unwrap_or_default();
    if text("name").is_empty() {
        causes.push(required(format!("{path}.name"), ""));
    }
    if !COLUMN_TYPES.contains(&text("type")) {
        let detail = format!("must be one of {}", COLUMN_TYPES.join(","));
        causes.push(invalid_value(format!("{path}.type"), &column["type"], &detail));
    }
    if text("jsonPath").is_empty() {
        causes.push(required(format!("{path}.JSONPath"), ""));
    } else if !text("jsonPath").starts_with(['.', '[']) {
        let detail = "must be a simple json path starting with .";
        causes.push(invalid_value(format!("{path}.JSONPath"), &column["jsonPath"], detail));
    }
}
