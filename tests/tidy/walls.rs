//! The allowed dependencies between packages of the workspace; cargo refuses imports of anything else.

use crate::Finding;
use crate::source::text_files;

/// A package, the packages of the workspace that it may use, and what it must do without.
const WALLS: [(&str, &[&str], &[&str]); 11] = [
    ("serin-values", &[], &["kube", "kube-core", "tokio", "tracing", "uuid"]),
    (
        "serin-core",
        &["serin-conditions", "serin-values"],
        &["kube", "tokio", "tracing", "uuid", "http", "hyper"],
    ),
    ("serin-conditions", &["serin-values"], &["kube", "kube-core", "tokio", "tracing", "uuid"]),
    ("serin-machine", &["serin-core", "serin-values"], &["kube", "tokio", "tracing", "uuid", "hyper"]),
    (
        "serin-insight",
        &["serin-core", "serin-machine", "serin-values"],
        &["kube", "kube-core", "tokio", "tracing", "clap", "crossterm", "unicode-width"],
    ),
    ("serin-clock", &[], &["kube"]),
    ("serin-kubernetes", &[], &["kube", "kube-core", "tokio", "tracing"]),
    ("serin-client", &[], &["tracing"]),
    (
        "serin-controller",
        &["serin-client", "serin-clock", "serin-core", "serin-machine", "serin-values"],
        &["clap", "serde_yaml", "tracing-subscriber"],
    ),
    ("serin-cluster", &["serin-clock", "serin-kubernetes", "serin-values"], &["clap"]),
    ("serin-testbed", &["serin-client", "serin-clock", "serin-cluster"], &["clap"]),
];

/// Dependencies that break a wall, and packages without one.
pub(crate) fn breaches() -> Vec<Finding> {
    let is_manifest = |path: &str| path.starts_with("crates/") && path.ends_with("/Cargo.toml");
    let manifests = text_files().into_iter().filter(|(path, _)| is_manifest(path));
    manifests.flat_map(|(path, text)| breaches_of(&path, &text)).collect()
}

fn breaches_of(path: &str, manifest: &str) -> Vec<Finding> {
    let package = path.trim_start_matches("crates/").trim_end_matches("/Cargo.toml");
    let Some((_, allowed, forbidden)) = WALLS.iter().find(|(name, _, _)| *name == package) else {
        return vec![format!("{path}: `{package}` has no wall in tests/tidy/walls.rs")];
    };
    let used = dependencies(manifest);
    let is_ours = |name: &str| name.starts_with("serin-");
    let is_wrong =
        |name: &&&str| if is_ours(name) { !allowed.contains(name) } else { forbidden.contains(name) };
    let wrong = used.iter().filter(is_wrong);
    wrong.map(|name| format!("{path}: `{package}` must not depend on `{name}`")).collect()
}

/// The names under `[dependencies]`; tests may use more.
fn dependencies(manifest: &str) -> Vec<&str> {
    let lines = manifest.lines().skip_while(|line| *line != "[dependencies]").skip(1);
    let lines = lines.take_while(|line| !line.starts_with('['));
    lines.filter_map(|line| line.split(['.', ' ', '=']).next().filter(|name| !name.is_empty())).collect()
}

#[test]
fn breaches_are_found() {
    let manifest = |name: &str| {
        format!("[dependencies]\n{name}.workspace = true\n\n[dev-dependencies]\ntokio = \"1\"\n")
    };
    for (package, name, expected) in [
        ("serin-core", "serin-values", 0),
        ("serin-core", "serin-clock", 1),
        ("serin-core", "kube", 1),
        ("serin-core", "jiff", 0),
        ("serin-novelty", "jiff", 1),
    ] {
        let path = format!("crates/{package}/Cargo.toml");
        assert_eq!(breaches_of(&path, &manifest(name)).len(), expected, "{package} {name}");
    }
}
