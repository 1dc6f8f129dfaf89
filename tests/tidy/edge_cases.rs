//! The table of edge cases: every row has tests that exist, or a reason why it has none.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::Finding;
use crate::named_tests::Tests;

/// Where the table is.
pub(crate) const TABLE: &str = "tests/decide/edge_cases/table.yaml";

/// The number of rows.
const ROWS: u32 = 130;

/// One edge case.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    #[serde(rename = "row")]
    number: u32,
    /// The expected behaviour.
    case: String,
    /// Names of tests by file.
    #[serde(default)]
    tests: BTreeMap<String, Vec<String>>,
    /// Changes of the code that the tests were seen to notice.
    mutation: Option<String>,
    /// Why there is no test.
    reason: Option<String>,
}

/// Rows that are missing, twice there, or without what a row must have; tests that do not exist.
pub(crate) fn faults(table: &str, tests: &Tests) -> Vec<Finding> {
    let rows: Vec<Row> = match serde_yaml::from_str(table) {
        Ok(rows) => rows,
        Err(error) => return vec![format!("{TABLE}: {error}")],
    };
    let mut seen = BTreeSet::new();
    let doubles = rows
        .iter()
        .filter(|row| !seen.insert(row.number))
        .map(|row| (row.number, "is there twice".to_owned()));
    let doubles: Vec<_> = doubles.collect();
    let missing = (1..=ROWS).filter(|row| !seen.contains(row)).map(|row| (row, "is missing".to_owned()));
    let unknown = seen.iter().filter(|row| !(1..=ROWS).contains(*row));
    let unknown = unknown.map(|row| (*row, "is not one of the specification's".to_owned()));
    let at_fault =
        rows.iter().flat_map(|row| faults_of(row, tests).into_iter().map(|fault| (row.number, fault)));
    let all = doubles.into_iter().chain(missing).chain(unknown).chain(at_fault);
    all.map(|(row, fault)| format!("{TABLE}: row {row} {fault}")).collect()
}

fn faults_of(row: &Row, tests: &Tests) -> Vec<Finding> {
    let is_said = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.trim().is_empty());
    let mut faults = Vec::new();
    if row.case.trim().is_empty() {
        faults.push("does not say what is expected".to_owned());
    }
    let names = row.tests.iter().flat_map(|(file, names)| names.iter().map(move |name| (file, name)));
    faults.extend(names.clone().filter_map(|(file, name)| tests.lack(file, name)));
    match (names.count() > 0, is_said(&row.reason)) {
        (false, false) => faults.push("has neither a test nor a reason".to_owned()),
        (true, true) => faults.push("has tests, and a reason why it has none".to_owned()),
        (true, false) if !is_said(&row.mutation) => {
            faults.push("does not say what its tests guard".to_owned());
        }
        (true, false) | (false, true) => {}
    }
    faults
}

#[test]
fn faulty_rows_are_found() {
    let source = crate::source::Source::new("tests/a.rs", "#[test] fn f() {}");
    let tests = Tests::of(&[source]);
    let whole: String = (1..=ROWS)
        .map(|row| match row {
            1 => "- {row: 1, case: c, tests: {tests/a.rs: [f]}, mutation: m}\n".to_owned(),
            _ => format!("- {{row: {row}, case: c, reason: r}}\n"),
        })
        .collect();
    let found = |from: &str, to: &str| faults(&whole.replacen(from, to, 1), &tests);
    assert_eq!(found("", ""), [""; 0]);
    for (from, to, fault) in [
        ("row: 130", "row: 129", "row 129 is there twice"),
        ("row: 130", "row: 131", "row 130 is missing"),
        ("row: 130", "row: 131", "row 131 is not one"),
        ("reason: r", "reason: ' '", "has neither a test nor a reason"),
        ("[f]", "[g]", "tests/a.rs has no test g"),
        ("tests/a.rs", "tests/b.rs", "there is no file tests/b.rs"),
        ("mutation: m", "mutation: ''", "row 1 does not say what its tests guard"),
        ("mutation: m", "reason: r", "row 1 has tests, and a reason"),
        ("case: c", "case: ''", "row 1 does not say what is expected"),
        ("mutation: m", "mutations: m", "unknown field"),
    ] {
        let found = found(from, to);
        assert!(found.iter().any(|finding| finding.contains(fault)), "{fault:?} is not in {found:?}");
    }
}
