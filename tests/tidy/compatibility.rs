//! The table of compatibility: everything that the reference has is in it, and the tests that it names exist.

use serde_yaml::Value;

use crate::Finding;
use crate::named_tests::Tests;

/// Where the table is.
pub(crate) const DOCUMENT: &str = "docs/compatibility.md";

/// The allowed states of a row.
const STATES: [&str; 5] = ["same", "better", "refused", "not yet", "no effect"];

/// A row: what it is about, what holds, and what shows it.
struct Row<'a> {
    /// The section that it is in.
    section: &'a str,
    /// The subject. A field has its whole path.
    subjects: Vec<String>,
    state: &'a str,
    remark: &'a str,
    /// File and name of each test.
    tests: Vec<(&'a str, &'a str)>,
    line: &'a str,
}

/// The rows of a document. A heading of the third level is what the fields below it are part of.
pub(crate) struct Table<'a>(Vec<Row<'a>>);

impl<'a> Table<'a> {
    /// Reads `document`.
    pub(crate) fn of(document: &'a str) -> Self {
        let (mut section, mut parent) = ("", None);
        let mut rows = Vec::new();
        for line in document.lines() {
            if let Some(heading) = line.strip_prefix("## ") {
                (section, parent) = (heading, None);
            } else if let Some(heading) = line.strip_prefix("### ") {
                parent = code_spans(heading).next();
            } else if let [about, says, shows] = cells(line)[..]
                && !says.starts_with("---")
                && says != "Serin"
            {
                rows.push(Row::of(section, parent, line, [about, says, shows]));
            }
        }
        Self(rows)
    }

    /// Rows without a state, or with nothing to show for it; tests that do not exist.
    pub(crate) fn faults(&self, tests: &Tests) -> Vec<Finding> {
        self.0.iter().flat_map(|row| row.faults(tests)).collect()
    }

    /// The properties of a definition that have no row, and rows about none of them.
    pub(crate) fn amiss_in_fields(&self, definition: &str) -> Vec<Finding> {
        let definition: Value = serde_yaml::from_str(definition).unwrap_or_else(|error| panic!("{error}"));
        let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"];
        let rows: Vec<&String> = self
            .0
            .iter()
            .filter(|row| row.section.starts_with("Fields"))
            .flat_map(|row| &row.subjects)
            .collect();
        let mut found = Vec::new();
        for part in ["spec", "status"] {
            missing_properties(&schema[part], part, &rows, &mut found);
        }
        let unknown = rows.iter().filter(|path| !is_property(schema, path));
        found.extend(unknown.map(|path| format!("{DOCUMENT}: there is no field {path}")));
        found
    }

    /// The names that have no row in `section`, and rows there about none of them. A `*` in a row stands for anything
    /// at the end of a name.
    pub(crate) fn amiss_in(&self, section: &str, names: &[String]) -> Vec<Finding> {
        let rows = || self.0.iter().filter(|row| row.section == section).flat_map(|row| &row.subjects);
        let is_about = |row: &str, name: &str| match row.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => row == name,
        };
        let missing = names.iter().filter(|name| !rows().any(|row| is_about(row, name)));
        let unknown = rows().filter(|row| !names.iter().any(|name| is_about(row, name)));
        let missing = missing.map(|name| format!("{DOCUMENT}: {section}: no row about {name}"));
        missing.chain(unknown.map(|row| format!("{DOCUMENT}: {section}: there is no {row}"))).collect()
    }
}

impl<'a> Row<'a> {
    fn of(section: &'a str, parent: Option<&str>, line: &'a str, [about, says, shows]: [&'a str; 3]) -> Self {
        let whole = |name: &str| parent.map_or_else(|| name.to_owned(), |parent| format!("{parent}.{name}"));
        let (state, remark) = says.split_once([':', ';', ',']).unwrap_or((says, ""));
        Row {
            section,
            subjects: code_spans(about).map(whole).collect(),
            state,
            remark: remark.trim(),
            tests: code_spans(shows).filter_map(|span| span.split_once(": ")).collect(),
            line,
        }
    }

    fn faults(&self, tests: &Tests) -> Vec<Finding> {
        let mut faults: Vec<Finding> =
            self.tests.iter().filter_map(|(file, name)| tests.lack(file, name)).collect();
        if !STATES.contains(&self.state) {
            faults.push(format!("{:?} must be one of {STATES:?}", self.state));
        }
        let is_nothing_shown = self.tests.is_empty();
        if is_nothing_shown && matches!(self.state, "same" | "better" | "refused") {
            faults.push("no test shows it".to_owned());
        } else if is_nothing_shown && self.remark.is_empty() {
            faults.push("neither a test nor a reason".to_owned());
        }
        faults.into_iter().map(|fault| format!("{DOCUMENT}: {}: {fault}", self.line)).collect()
    }
}

/// The cells of a row of a table.
fn cells(line: &str) -> Vec<&str> {
    let inner = line.strip_prefix('|').and_then(|line| line.strip_suffix('|'));
    inner.map_or_else(Vec::new, |inner| inner.split('|').map(str::trim).collect())
}

/// The text between backquotes.
fn code_spans(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The properties of an object, or of the objects in a list.
fn properties(schema: &Value) -> Option<&serde_yaml::Mapping> {
    schema["properties"].as_mapping().or_else(|| schema["items"]["properties"].as_mapping())
}

/// A row about an object speaks for what is below it.
fn missing_properties(schema: &Value, path: &str, rows: &[&String], found: &mut Vec<Finding>) {
    for (name, below) in properties(schema).into_iter().flatten() {
        let path = format!("{path}.{}", name.as_str().unwrap_or_default());
        if rows.iter().any(|row| **row == path) {
            continue;
        }
        if rows.iter().any(|row| row.strip_prefix(path.as_str()).is_some_and(|rest| rest.starts_with('.'))) {
            missing_properties(below, &path, rows, found);
        } else {
            found.push(format!("{DOCUMENT}: no row about the field {path}"));
        }
    }
}

fn is_property(schema: &Value, path: &str) -> bool {
    let mut names = path.split('.');
    let part = names.next().and_then(|part| schema.get(part));
    let below = |schema: &'_ Value, name: &str| properties(schema).and_then(|all| all.get(name)).cloned();
    names.try_fold(part.cloned().unwrap_or_default(), |schema, name| below(&schema, name)).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    const SAMPLE: &str = "\
## Fields of the spec

### `spec`

| field | Serin | shown by |
|---|---|---|
| `a` | same | `tests/a.rs: f` |
| `b.c`, `b.d` | better: with a reason | `tests/a.rs: f`, `tests/a.rs: g` |
| `e` | not yet: no one wants it | - |

## Flags

| flag | Serin | shown by |
|---|---|---|
| `--x` | no effect | `tests/a.rs: f` |
| `--y-*` | refused | `tests/a.rs: g` |
";

    const DEFINITION: &str = "
spec: {versions: [{schema: {openAPIV3Schema: {properties: {spec: {properties: {
  a: {type: integer},
  b: {items: {properties: {c: {}, d: {properties: {deep: {}}}}}},
  e: {}}}, status: {}}}}}]}
";

    /// The faults after one text has replaced another.
    fn found(from: &str, to: &str) -> Vec<Finding> {
        let document = SAMPLE.replacen(from, to, 1);
        let table = Table::of(&document);
        let tests = Tests::of(&[Source::new("tests/a.rs", "#[test] fn f() {} #[test] fn g() {}")]);
        let flags = ["--x".to_owned(), "--y-1".to_owned(), "--y-2".to_owned()];
        let all = [table.faults(&tests), table.amiss_in_fields(DEFINITION), table.amiss_in("Flags", &flags)];
        all.concat()
    }

    #[test]
    fn a_whole_table_has_no_faults() {
        assert_eq!(found("", ""), [""; 0]);
    }

    #[test]
    fn faulty_rows_are_found() {
        for (from, to, fault) in [
            ("same", "fine", "\"fine\" must be one of"),
            ("a.rs: f", "a.rs: h", "tests/a.rs has no test h"),
            ("a.rs: f`, ", "b.rs: f`, ", "there is no file tests/b.rs"),
            ("same | `tests/a.rs: f`", "same | -", "no test shows it"),
            ("not yet: no one wants it", "not yet", "neither a test nor a reason"),
            ("refused | `tests/a.rs: g`", "refused: says so | -", "no test shows it"),
        ] {
            let found = found(from, to);
            assert!(found.iter().any(|finding| finding.contains(fault)), "{fault:?} is not in {found:?}");
        }
    }

    #[test]
    fn what_is_missing_and_what_is_unknown_is_found() {
        for (from, to, fault) in [
            ("`a`", "`z`", "no row about the field spec.a"),
            ("`a`", "`z`", "there is no field spec.z"),
            (", `b.d`", "", "no row about the field spec.b.d"),
            ("`b.d`", "`b.d.deep.er`", "there is no field spec.b.d.deep.er"),
            ("`--x`", "`--z`", "Flags: no row about --x"),
            ("`--x`", "`--z`", "Flags: there is no --z"),
            ("`--y-*`", "`--y-1`", "Flags: no row about --y-2"),
        ] {
            let found = found(from, to);
            assert!(found.iter().any(|finding| finding.ends_with(fault)), "{fault:?} is not in {found:?}");
        }
        // A row about the whole speaks for its parts.
        assert_eq!(found("`b.c`, `b.d`", "`b`"), [""; 0]);
    }
}
