//! A reason for each dependency.

use crate::Finding;

/// The direct dependencies of `manifest` that have no line in `reasons`, and lines there about no dependency.
///
/// A line is `` - `name`: reason ``.
pub(crate) fn without_reason(manifest: &str, reasons: &str) -> Vec<Finding> {
    let dependencies = names(manifest);
    let explained: Vec<&str> = reasons.lines().filter_map(explained_name).collect();
    let missing = dependencies.iter().filter(|name| !explained.contains(name));
    let stale = explained.iter().filter(|name| !dependencies.contains(name));
    let missing = missing.map(|name| format!("docs/dependencies.md: no reason for `{name}`"));
    missing.chain(stale.map(|name| format!("docs/dependencies.md: `{name}` is not a dependency"))).collect()
}

fn explained_name(line: &str) -> Option<&str> {
    let (name, reason) = line.strip_prefix("- `")?.split_once("`: ")?;
    (reason.len() > 10).then_some(name)
}

/// A comment, a package of the workspace, or what the workspace's own table has.
fn is_told_elsewhere(line: &str) -> bool {
    line.starts_with('#') || line.contains("path = \"crates/") || line.contains("workspace = true")
}

fn names(manifest: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut is_dependency = false;
    for line in manifest.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[') {
            let section = section.trim_end_matches(']');
            is_dependency = section.ends_with("dependencies");
            // A table of its own: `[dependencies.name]`.
            names.extend(section.split_once("dependencies.").map(|(_, name)| name));
        } else if let Some((name, _)) =
            line.split_once('=').filter(|_| is_dependency && !is_told_elsewhere(line))
        {
            names.push(name.trim());
        }
    }
    names
}

#[test]
fn missing_and_stale_reasons_are_found() {
    let manifest = "[package]\nname = \"x\"\n[dependencies]\na = \"1\"\n# b = \"1\"\ne = { path = \"crates/e\" }\nf.workspace = true\n[dev-dependencies]\nc = { version = \"1\" }\n[dependencies.d]\nversion = \"1\"\n";
    assert_eq!(names(manifest), ["a", "c", "d"]);
    let reasons = "- `a`: does what we need\n- `c`: tests with it, mostly\n- `d`: holds the rest of it\n";
    assert!(without_reason(manifest, reasons).is_empty());
    assert_eq!(without_reason(manifest, &reasons.replace("`a`", "`e`")).len(), 2);
    assert_eq!(without_reason(manifest, &reasons.replace("does what we need", "x")).len(), 1);
}
