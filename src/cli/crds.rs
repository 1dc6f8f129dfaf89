//! `serin crds`: prints the definitions of the five kinds as YAML.

use std::io::Write;
use std::path::{Path, PathBuf};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;

use serin_core::api::schema::all_crds;

/// The reason why the definitions could not be written.
#[derive(Debug, thiserror::Error)]
pub enum CrdsError {
    /// A file or directory could not be written.
    #[error("cannot write {path}: {source}")]
    File {
        /// The path.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The standard output could not be written.
    #[error("cannot write to the standard output: {0}")]
    Stdout(#[from] std::io::Error),
    /// A definition could not be turned into YAML.
    #[error("cannot write the definition of {kind} as YAML: {source}")]
    Yaml {
        /// Kind of the definition.
        kind: String,
        /// The cause.
        source: serde_yaml::Error,
    },
}

/// A definition as a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrdFile {
    /// Name of the file, such as `rollout-crd.yaml`.
    pub name: String,
    /// The definition as a YAML document.
    pub yaml: String,
}

/// Writes each definition to its own file in the directory `out`, and creates the directory if it is missing. Without
/// `out`, prints all definitions as one YAML stream.
pub fn run(out: Option<&Path>) -> Result<(), CrdsError> {
    let files = files()?;
    let Some(directory) = out else {
        let documents: Vec<_> = files.iter().map(|file| file.yaml.as_str()).collect();
        return Ok(std::io::stdout().lock().write_all(documents.join("---\n").as_bytes())?);
    };
    let write = || -> Result<(), (PathBuf, std::io::Error)> {
        std::fs::create_dir_all(directory).map_err(|error| (directory.to_owned(), error))?;
        files.iter().try_for_each(|file| {
            let path = directory.join(&file.name);
            std::fs::write(&path, &file.yaml).map_err(|error| (path, error))
        })
    };
    write().map_err(|(path, source)| CrdsError::File { path, source })
}

/// The definitions of all kinds, as files.
pub fn files() -> Result<Vec<CrdFile>, CrdsError> {
    all_crds().iter().map(file).collect()
}

fn file(crd: &CustomResourceDefinition) -> Result<CrdFile, CrdsError> {
    let kind = &crd.spec.names.kind;
    let yaml = serde_yaml::to_string(crd).map_err(|source| CrdsError::Yaml { kind: kind.clone(), source })?;
    Ok(CrdFile { name: format!("{}-crd.yaml", kebab(kind)), yaml })
}

/// `AnalysisRun` as `analysis-run`.
fn kebab(kind: &str) -> String {
    let mut name = String::new();
    for letter in kind.chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}
