//! The files of the repository.

use std::fs;
use std::path::{Path, PathBuf};

/// A Rust file: its path in the repository, its text and its syntax.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) syntax: syn::File,
}

impl Source {
    /// Parses `text` as the file at `path`.
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let syntax = syn::parse_file(text).unwrap_or_else(|error| panic!("{path}: {error}"));
        Self { path: path.to_owned(), text: text.to_owned(), syntax }
    }

    /// The package that the file is part of, and its path there below `src/`. `None` outside libraries and programs.
    pub(crate) fn inside(&self) -> Option<(&str, &str)> {
        match self.path.strip_prefix("crates/") {
            Some(path) => path.split_once("/src/"),
            None => Some(("serin", self.path.strip_prefix("src/")?)),
        }
    }

    /// The package and the top module that the file is part of. `None` for the roots of a package, too.
    pub(crate) fn module(&self) -> Option<(&str, &str)> {
        let (package, inside) = self.inside()?;
        let module = inside.split('/').next()?.trim_end_matches(".rs");
        (module != "lib" && module != "main").then_some((package, module))
    }

    /// True if all of the file is test code.
    pub(crate) fn is_test(&self) -> bool {
        self.path.starts_with("tests/") || self.path.ends_with("/tests.rs") || self.path.contains("/tests/")
    }
}

/// The text of a file that must be there.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every Rust file of the library, the tests, the examples and the benches.
pub(crate) fn rust_sources() -> Vec<Source> {
    let is_rust = |path: &str| Path::new(path).extension().is_some_and(|extension| extension == "rs");
    let folders = ["src/", "crates/", "tests/", "examples/", "benches/"];
    let ours = |path: &str| is_rust(path) && folders.iter().any(|folder| path.starts_with(folder));
    text_files()
        .into_iter()
        .filter(|(path, _)| ours(path))
        .map(|(path, text)| Source::new(&path, &text))
        .collect()
}

/// Every file of the repository that is text, with its path. Build output and git's own files are not among them.
pub(crate) fn text_files() -> Vec<(String, String)> {
    let mut files = Vec::new();
    collect(&root(), &mut files);
    files.sort();
    files
}

fn collect(folder: &Path, files: &mut Vec<(String, String)>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries.map(|entry| entry.unwrap_or_else(|error| panic!("{}: {error}", folder.display()))) {
        let path = entry.path();
        let name = entry.file_name();
        if name == ".git" || name == "target" || name == "node_modules" {
            continue;
        }
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            collect(&path, files);
        } else if let Ok(text) = fs::read_to_string(&path) {
            let inside = path.strip_prefix(root()).unwrap_or(&path).to_string_lossy().into_owned();
            files.push((inside, text));
        }
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn modules_of_files() {
    for (path, module, is_test) in [
        ("src/cli/get.rs", Some(("serin", "cli")), false),
        ("crates/serin-core/src/domain/hash/mod.rs", Some(("serin-core", "domain")), false),
        ("crates/serin-core/src/lib.rs", None, false),
        ("src/lib.rs", None, false),
        ("src/main.rs", None, false),
        ("crates/serin-core/src/rollout/tests.rs", Some(("serin-core", "rollout")), true),
        ("tests/vectors.rs", None, true),
    ] {
        let source = Source::new(path, "");
        assert_eq!((source.module(), source.is_test()), (module, is_test), "{path}");
    }
}
