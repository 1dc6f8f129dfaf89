//! Reads files and directories.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The display name of the standard input.
pub(in crate::cli::lint) const STANDARD_INPUT: &str = "-";

/// A file: its name, and its text if it is readable.
#[derive(Debug)]
pub(in crate::cli::lint) struct File {
    /// The path as given by the user, or as found in a given directory.
    pub(in crate::cli::lint) name: String,
    pub(in crate::cli::lint) text: Result<String, String>,
    /// True if the user named the file, and not its directory.
    pub(in crate::cli::lint) is_named: bool,
}

impl File {
    /// True if the file name ends in `.json`.
    pub(in crate::cli::lint) fn is_json(&self) -> bool {
        Path::new(&self.name).extension().is_some_and(|extension| extension == "json")
    }
}

/// Reads files, the standard input, and the manifests in directories, sorted by name. `deep` includes subdirectories.
pub(in crate::cli::lint) fn read(paths: &[PathBuf], deep: bool) -> Vec<File> {
    paths.iter().flat_map(|path| read_path(path, deep, true)).collect()
}

fn read_path(path: &Path, deep: bool, is_named: bool) -> Vec<File> {
    let name = path.display().to_string();
    if name == STANDARD_INPUT {
        let mut bytes = Vec::new();
        let read = io::stdin().read_to_end(&mut bytes).map(|_| bytes);
        return vec![File { name: "<stdin>".to_owned(), text: text(read), is_named }];
    }
    if !path.is_dir() {
        return vec![File { name, text: text(fs::read(path)), is_named }];
    }
    if !is_named && !deep {
        return Vec::new();
    }
    let mut paths: Vec<PathBuf> = match fs::read_dir(path) {
        Ok(entries) => entries.map_while(Result::ok).map(|entry| entry.path()).collect(),
        Err(error) => return vec![File { name, text: Err(error.to_string()), is_named }],
    };
    paths.retain(|path| path.is_dir() && !path.is_symlink() || is_manifest(path));
    paths.sort();
    paths.iter().flat_map(|path| read_path(path, deep, false)).collect()
}

fn is_manifest(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "yaml" || e == "yml" || e == "json")
}

fn text(read: io::Result<Vec<u8>>) -> Result<String, String> {
    let bytes = read.map_err(|error| error.to_string())?;
    let text = String::from_utf8(bytes).map_err(|_| "the file is not UTF-8 text".to_owned())?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}
