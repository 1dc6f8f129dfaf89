//! What a run leaves for its reader.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serin::cluster::control_plane::ControlPlane;

/// How many lines of the controller's log go with a scenario that differs.
const LOG_LINES: usize = 15;

/// Says something at once, to whoever watches a run of minutes.
pub(crate) fn say(text: &str) {
    // Nobody may be listening.
    let _closed = writeln!(io::stderr(), "{text}");
}

/// The directory for what may be looked at after a run.
pub(crate) fn kept() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("conformance")
}

pub(crate) fn keep(name: &str, text: &str) {
    fs::create_dir_all(kept()).unwrap();
    fs::write(kept().join(name), text).unwrap();
}

/// The log of the controller so far.
pub(crate) fn log(plane: &ControlPlane) -> String {
    fs::read_to_string(plane.directory().join("controller-1.log")).unwrap()
}

/// The last lines of the controller's log about a namespace.
pub(crate) fn log_about(plane: &ControlPlane, namespace: &str) -> String {
    last_lines(log(plane).lines().filter(|line| line.contains(namespace)))
}

fn last_lines<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    let lines: Vec<_> = lines.map(|line| format!("    {line}")).collect();
    lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
}

#[test]
fn the_last_lines_are_kept() {
    let all: Vec<_> = (0..LOG_LINES + 5).map(|number| number.to_string()).collect();
    let last = last_lines(all.iter().map(String::as_str));
    assert_eq!(last.lines().count(), LOG_LINES);
    assert!(last.starts_with("    5\n"));
    assert_eq!(last_lines(["a", "b"].into_iter()), "    a\n    b");
}
