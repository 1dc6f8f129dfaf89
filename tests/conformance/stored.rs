//! What `tests/conformance` holds.

use std::fs;
use std::path::{Path, PathBuf};

use super::compare::Recording;
use super::differences::Differences;
use super::scenario::Scenario;

/// A scenario with what was recorded of it.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) name: String,
    pub(crate) scenario: Scenario,
    pub(crate) recording: Recording,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance")
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// The names of all scenarios, in order.
pub(crate) fn names() -> Result<Vec<String>, String> {
    let folder = folder().join("scenarios");
    let explain = |error| format!("{}: {error}", folder.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).map_err(explain)? {
        let file = entry.map_err(explain)?.file_name();
        let name = file.to_str().and_then(|file| file.strip_suffix(".scenario"));
        names.push(name.ok_or_else(|| format!("{}: not a *.scenario", file.display()))?.to_owned());
    }
    names.sort();
    Ok(names)
}

/// The scenarios that `wanted` names, divided by spaces; all of them without it.
pub(crate) fn chosen(wanted: Option<&str>) -> Result<Vec<Stored>, String> {
    let all = names()?;
    let wanted: Vec<_> = wanted.unwrap_or_default().split_whitespace().collect();
    if let Some(unknown) = wanted.iter().find(|name| !all.iter().any(|known| known == *name)) {
        return Err(format!("no scenario {unknown}: there are {}", all.join(" ")));
    }
    let is_wanted = |name: &String| wanted.is_empty() || wanted.contains(&name.as_str());
    all.into_iter().filter(is_wanted).map(stored).collect()
}

fn stored(name: String) -> Result<Stored, String> {
    let path = folder().join(format!("scenarios/{name}.scenario"));
    let scenario = read(&path)?.parse().map_err(|error| format!("{}: {error}", path.display()))?;
    let path = folder().join(format!("recorded/{name}.json"));
    let recording =
        Recording::parse(&read(&path)?).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(Stored { name, scenario, recording })
}

/// The deliberate differences.
pub(crate) fn differences() -> Result<Differences, String> {
    let path = folder().join("differences.yaml");
    Differences::parse(&read(&path)?, &names()?).map_err(|error| format!("{}: {error}", path.display()))
}
