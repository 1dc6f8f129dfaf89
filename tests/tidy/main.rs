//! Rules of the house that no compiler knows: walls, floors, sizes, banned words, reasons for exceptions.
//!
//! Each rule is a function from a source to its findings, and is tested on small sources beside it.

mod bans;
mod circles;
mod compatibility;
mod dependencies;
mod edge_cases;
mod english;
mod floors;
mod named_tests;
mod shape;
mod source;
mod walls;
mod words;

use source::{Source, rust_sources, text_files};

/// A violation of a rule, with its place.
type Finding = String;

fn assert_none(findings: &[Finding]) {
    assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), findings.join("\n"));
}

/// Applies `rule` to every Rust file of the repository; there must be some, or the rule sees nothing.
fn check_each(rule: fn(&Source) -> Vec<Finding>) {
    let sources = rust_sources();
    assert!(sources.len() > 20, "only {} Rust files found", sources.len());
    assert_none(&sources.iter().flat_map(rule).collect::<Vec<_>>());
}

#[test]
fn modules_import_only_floors_below() {
    check_each(floors::imports);
}

#[test]
fn modules_import_each_other_in_no_circle() {
    assert_none(&circles::findings(&rust_sources()));
}

#[test]
fn packages_depend_on_what_they_may() {
    assert_none(&walls::breaches());
}

#[test]
fn decisions_are_pure() {
    check_each(bans::impurities);
}

#[test]
fn the_shell_knows_no_strategy() {
    check_each(bans::strategy_words);
}

#[test]
fn only_the_clock_reads_the_time() {
    check_each(bans::clock_reads);
}

#[test]
fn files_and_functions_are_short() {
    check_each(shape::long_parts);
}

#[test]
fn every_allow_has_a_reason() {
    check_each(shape::allows_without_reason);
    let manifest = source::read("Cargo.toml");
    assert_none(&shape::manifest_allows_without_reason(&manifest));
}

#[test]
fn every_open_end_has_an_issue() {
    check_each(shape::open_ends_without_issue);
}

#[test]
fn no_text_speaks_of_one_machine() {
    let files = text_files();
    assert!(files.len() > 20, "only {} text files found", files.len());
    assert_none(&files.iter().flat_map(|(path, text)| words::of_one_machine(path, text)).collect::<Vec<_>>());
}

#[test]
fn texts_are_in_plain_english() {
    let files = text_files();
    let checked: Vec<_> = files.iter().filter(|(path, _)| english::is_checked(path)).collect();
    assert!(checked.len() > 100, "only {} files are checked", checked.len());
    assert_none(&checked.iter().flat_map(|(path, text)| english::habits(path, text)).collect::<Vec<_>>());
}

#[test]
fn every_edge_case_has_tests_or_a_reason() {
    let tests = named_tests::Tests::of(&rust_sources());
    assert_none(&edge_cases::faults(&source::read(edge_cases::TABLE), &tests));
}

#[test]
fn compatibility_is_told_of_every_field_flag_and_metric() {
    let document = source::read(compatibility::DOCUMENT);
    let table = compatibility::Table::of(&document);
    assert_none(&table.faults(&named_tests::Tests::of(&rust_sources())));
    assert_none(&table.amiss_in_fields(&source::read("crds/rollout-crd.yaml")));
    assert_none(&table.amiss_in("Flags", &flags()));
    assert_none(&table.amiss_in("Metrics", &metrics()));
}

/// The flags of the reference, from the tables that the flags are made and tested with.
fn flags() -> Vec<String> {
    let used = source::read("src/cli/controller/flags.rs");
    let (_, used) = used.split_once("const USED: ").expect("a table of the flags that are used");
    let used = used.lines().map_while(|line| (line.trim() != "];").then_some(line));
    let used = used.filter_map(|line| line.trim().strip_prefix("(\""));
    let unneeded = source::read("src/cli/controller/unneeded.rs");
    let unneeded = unneeded.split("row(").skip(1).filter_map(|row| row.trim_start().strip_prefix('"'));
    let names = used.chain(unneeded).filter_map(|row| row.split_once('"'));
    let names: Vec<String> = names.map(|(name, _)| format!("--{name}")).collect();
    assert!(names.len() > 50, "only {} flags found", names.len());
    names
}

/// The metrics of the reference: those of a recording, and those that it had no occasion for.
fn metrics() -> Vec<String> {
    let recorded = source::read("tests/vectors/metrics.txt");
    let recorded = recorded.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let test = source::read("tests/metrics.rs");
    let (_, specified) =
        test.split_once("const SPECIFIED: ").expect("a table of the metrics beyond the recording");
    let specified = specified.lines().map_while(|line| (line.trim() != "];").then_some(line));
    let specified = specified.filter_map(|line| line.trim().strip_prefix("(\"")?.split_once('"'));
    let names: Vec<String> = recorded.chain(specified).map(|(name, _)| name.to_owned()).collect();
    assert!(names.len() > 30, "only {} metrics found", names.len());
    names
}

#[test]
fn every_dependency_has_its_reason() {
    let manifest = source::read("Cargo.toml");
    let reasons = source::read("docs/dependencies.md");
    assert_none(&dependencies::without_reason(&manifest, &reasons));
}
