//! Reads the manifests for the playground.

use std::fs;
use std::path::{Path, PathBuf};

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::networking::v1::Ingress;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::PlaygroundError;
use serin_core::api::{AnalysisTemplate, Rollout, keys};

/// An object of a manifest, and its position.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Document {
    /// File and line.
    pub(super) source: String,
    /// The object.
    pub(super) object: Value,
}

/// Reads files, and the YAML and JSON files of directories, sorted by name.
pub(super) fn read(paths: &[PathBuf]) -> Result<Vec<Document>, PlaygroundError> {
    let mut documents = Vec::new();
    for path in paths {
        for file in files(path)? {
            let text = fs::read_to_string(&file).map_err(|cause| failed(&file, cause))?;
            documents.extend(parse(&file.display().to_string(), &text)?);
        }
    }
    Ok(documents)
}

fn failed(path: &Path, cause: std::io::Error) -> PlaygroundError {
    PlaygroundError::File { path: path.to_owned(), cause }
}

fn files(path: &Path) -> Result<Vec<PathBuf>, PlaygroundError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = fs::read_dir(path).map_err(|cause| failed(path, cause))?;
    let paths: Result<Vec<_>, _> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut files = paths.map_err(|cause| failed(path, cause))?;
    let is_manifest = |file: &PathBuf| {
        file.extension().is_some_and(|e| e == "yaml" || e == "yml" || e == "json") && file.is_file()
    };
    files.retain(is_manifest);
    files.sort();
    Ok(files)
}

/// The objects of a text with one or more documents. Skips empty documents.
pub(super) fn parse(name: &str, text: &str) -> Result<Vec<Document>, PlaygroundError> {
    let mut documents = Vec::new();
    let mut line = 1;
    for part in split(text) {
        // Errors count lines from the top of the file.
        let padded = "\n".repeat(line - 1) + &part;
        let wrong = |error: &serde_yaml::Error| PlaygroundError::Manifest {
            source_name: format!("{name}:{}", error.location().map_or(line, |location| location.line())),
            problem: error.to_string(),
        };
        let object: Value = serde_yaml::from_str(&padded).map_err(|error| wrong(&error))?;
        if !object.is_null() {
            let document = checked(format!("{name}:{line}"), object)?;
            fits(&document.object, &padded).map_err(|error| wrong(&error))?;
            documents.push(document);
        }
        line += part.lines().count() + 1;
    }
    Ok(documents)
}

/// Parses an object as the type of its kind, which reports the line of an invalid field. The API validates other
/// kinds.
fn fits(object: &Value, text: &str) -> Result<(), serde_yaml::Error> {
    match (object["apiVersion"].as_str(), object["kind"].as_str()) {
        (Some(keys::API_VERSION), Some("Rollout")) => is_a::<Rollout>(text),
        (Some(keys::API_VERSION), Some("AnalysisTemplate")) => is_a::<AnalysisTemplate>(text),
        (Some("v1"), Some("Service")) => is_a::<Service>(text),
        (Some("apps/v1"), Some("Deployment")) => is_a::<Deployment>(text),
        (Some("networking.k8s.io/v1"), Some("Ingress")) => is_a::<Ingress>(text),
        _ => Ok(()),
    }
}

fn is_a<T: DeserializeOwned>(text: &str) -> Result<(), serde_yaml::Error> {
    serde_yaml::from_str::<T>(text).map(drop)
}

fn split(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    for line in text.lines() {
        if line.trim_end() == "---" {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push_str(line);
            part.push('\n');
        }
    }
    parts
}

fn checked(source: String, object: Value) -> Result<Document, PlaygroundError> {
    for (field, pointer) in
        [("apiVersion", "/apiVersion"), ("kind", "/kind"), ("metadata.name", "/metadata/name")]
    {
        if object.pointer(pointer).and_then(Value::as_str).is_none_or(str::is_empty) {
            let problem = format!("{field} is missing; a manifest needs apiVersion, kind and metadata.name");
            return Err(PlaygroundError::Manifest { source_name: source, problem });
        }
    }
    Ok(Document { source, object })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_know_where_they_stand() {
        let text = "apiVersion: v1\nkind: A\nmetadata: {name: a}\n---\n# nothing\n---\napiVersion: v1\nkind: B\nmetadata: {name: b}\n";
        let sources: Vec<_> = parse("f.yaml", text).unwrap().into_iter().map(|d| d.source).collect();
        assert_eq!(sources, ["f.yaml:1", "f.yaml:7"]);
    }

    #[test]
    fn mistakes_name_file_line_and_field() {
        let said = |text: &str| parse("f.yaml", text).unwrap_err().to_string();
        let missing = said("kind: A\nmetadata: {name: a}\n");
        assert!(missing.starts_with("f.yaml:1: apiVersion is missing"), "{missing}");
        let broken = said("a: b\n---\nkind: [\n");
        assert!(broken.starts_with("f.yaml:1: apiVersion is missing"), "{broken}");
        let broken = said("---\nkind: {\n");
        assert!(broken.starts_with("f.yaml:3: "), "{broken}");
    }

    #[test]
    fn a_field_of_the_wrong_type_is_named_with_its_line() {
        let head = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n---\n";
        let rollout = "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: demo}\nspec:\n  replicas: many\n";
        let said = parse("f.yaml", &format!("{head}{rollout}")).unwrap_err().to_string();
        assert!(said.starts_with("f.yaml:9: spec.replicas: invalid type: string \"many\""), "{said}");
        let service = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n  ports:\n  - port: web\n";
        let said = parse("f.yaml", service).unwrap_err().to_string();
        assert!(said.starts_with("f.yaml:6: spec.ports[0].port: invalid type"), "{said}");
    }
}
