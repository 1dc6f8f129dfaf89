//! The manifests that the playground is given.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::error::PlaygroundError;

/// One object of a manifest, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Document {
    /// File and line.
    pub(super) source: String,
    /// The object.
    pub(super) object: Value,
}

/// Reads files, and the YAML and JSON files of directories, in the order of their names.
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

/// The objects of a text of one or more documents; empty ones are left out.
pub(super) fn parse(name: &str, text: &str) -> Result<Vec<Document>, PlaygroundError> {
    let mut documents = Vec::new();
    let mut line = 1;
    for part in split(text) {
        let source = format!("{name}:{line}");
        let object = Value::deserialize(serde_yaml::Deserializer::from_str(&part)).map_err(|error| {
            let at = error.location().map_or(line, |location| line + location.line() - 1);
            PlaygroundError::Manifest { source_name: format!("{name}:{at}"), problem: error.to_string() }
        })?;
        line += part.lines().count() + 1;
        if !object.is_null() {
            documents.push(checked(source, object)?);
        }
    }
    Ok(documents)
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
            let problem =
                format!("{field} is missing; a manifest names its apiVersion, kind and metadata.name");
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
        let missing = parse("f.yaml", "kind: A\nmetadata: {name: a}\n").unwrap_err().to_string();
        assert!(missing.starts_with("f.yaml:1: apiVersion is missing"), "{missing}");
        let broken = parse("f.yaml", "a: b\n---\nkind: [\n").unwrap_err().to_string();
        assert!(broken.starts_with("f.yaml:"), "{broken}");
    }
}
