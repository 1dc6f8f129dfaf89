//! Findings of `serin lint` about manifests from practice.

use std::fs;
use std::path::{Path, PathBuf};

use super::run;

/// The names of the manifests in a folder.
fn manifests(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).expect("a folder");
    let paths = files.map(|file| file.expect("a file").path());
    let manifests = paths.filter(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    let name = |path: PathBuf| path.file_name().expect("a name").to_string_lossy().into_owned();
    manifests.map(name).collect()
}

/// Compares the findings about each manifest of `tests/FOLDER` with those that were read and found right.
fn findings_are_as_recorded(folder: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let recorded = root.join("tests/cli/lint").join(folder);
    let is_update = std::env::var_os("UPDATE").is_some();
    let mut names = manifests(&root.join("tests").join(folder));
    names.sort();
    let mut wrong = Vec::new();
    for name in &names {
        let done = run(&root.join("tests").join(folder), &[name]);
        let current = format!("{}{}", done.stdout, done.stderr);
        let path = recorded.join(name).with_extension("txt");
        if is_update {
            fs::create_dir_all(&recorded).expect("a folder");
            fs::write(&path, &current).expect("a file");
        }
        let before = fs::read_to_string(&path).unwrap_or_default();
        if before != current {
            wrong.push(format!("--- {folder}/{name}\n{before}+++ now\n{current}"));
        }
    }
    assert!(!names.is_empty(), "there is something to check");
    assert!(wrong.is_empty(), "UPDATE=1 writes them, review each of them:\n{}", wrong.join("\n"));
}

#[test]
fn findings_about_manifests_as_people_write_them() {
    findings_are_as_recorded("real");
}

#[test]
fn findings_about_manifests_that_show_faults() {
    findings_are_as_recorded("faults");
}
