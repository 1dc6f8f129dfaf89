//! What a run leaves for its reader.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

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
    let file = kept().join(name);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

/// The last lines of the controller's log about a namespace.
pub(crate) fn log_about(log: &str, namespace: &str) -> String {
    last_lines(log.lines().filter(|line| line.contains(namespace)))
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
