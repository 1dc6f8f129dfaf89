use serde_json::{Value, json};

use super::node::{Mark, Node};
use super::parse::{Fault, FaultKind, parse};

fn documents(text: &str) -> Vec<Node> {
    let (documents, faults) = parse(text, false);
    assert_eq!(faults, [], "{text}");
    documents
}

fn values(text: &str) -> Vec<Value> {
    documents(text).iter().map(Node::to_json).collect()
}

fn faults(text: &str) -> Vec<Fault> {
    parse(text, false).1
}

fn mark(line: usize, column: usize) -> Mark {
    Mark { line, column }
}

#[test]
fn fields_know_where_they_stand() {
    let text = "# one\na: 1\n---\n# two\nspec:\n  steps:\n  - setWeight: 20\n  - {pause: {}, x.y/z: 1}\n";
    let documents = documents(text);
    assert_eq!(documents.len(), 2);
    let second = &documents[1];
    for (path, at) in [
        ("spec", mark(5, 1)),
        ("spec.steps", mark(6, 3)),
        ("spec.steps[0]", mark(7, 5)),
        ("spec.steps[0].setWeight", mark(7, 5)),
        ("spec.steps[1].pause", mark(8, 6)),
        ("spec.steps[1].x.y/z", mark(8, 17)),
        ("spec.steps[1].pause.duration", mark(8, 6)),
        ("spec.strategy.canary", mark(5, 1)),
        ("status", mark(5, 1)),
    ] {
        assert_eq!(second.place(path), at, "{path}");
    }
}

#[test]
fn documents_are_split_and_empty_ones_left_out() {
    assert_eq!(
        values("---\n---\n# nothing\n--- # more\na: 1\n...\n---\nb: 2"),
        [json!({"a": 1}), json!({"b": 2})]
    );
    assert_eq!(values("%YAML 1.2\n---\na: 1\n"), [json!({"a": 1})]);
    assert_eq!(values("a: |\n  x\n  ---\n  y\n"), [json!({"a": "x\n---\ny\n"})]);
    assert_eq!(values(""), Vec::<Value>::new());
}

#[test]
fn json_is_read_with_its_places() {
    let text = "{\n\t\"a\": {\"b\": \"\\u00e9 \\/ \\ud83d\\ude00 \\\\ud83d\"}\n} {\"c\": [1,\n2]}\n";
    let documents = documents(text);
    assert_eq!(values(text), [json!({"a": {"b": "é / 😀 \\ud83d"}}), json!({"c": [1, 2]})]);
    assert_eq!(documents[0].place("a.b"), mark(2, 8));
    assert_eq!((documents[1].place("c"), documents[1].place("c[1]")), (mark(3, 4), mark(4, 1)));
    let (none, faults) = parse("{\"a\": 1,\n}", true);
    assert!(none.is_empty() && faults[0].at == mark(2, 1), "{faults:?}");
}

#[test]
fn anchors_and_merges_are_written_out() {
    let text = "base: &base {a: 1, b: 2}\nown:\n  b: 3\n  <<: *base\nlist: [*base]\nmany: {<<: [*base, {a: 9, c: 4}]}\n";
    let expected = json!({"base": {"a": 1, "b": 2}, "own": {"a": 1, "b": 3}, "list": [{"a": 1, "b": 2}],
        "many": {"a": 1, "b": 2, "c": 4}});
    assert_eq!(values(text), [expected]);
    assert_eq!(documents(text)[0].place("own.a"), mark(1, 14), "where it is written");
}

#[test]
fn a_broken_document_does_not_hide_the_others() {
    let (documents, faults) = parse("a: 1\n---\nb: [\n---\nc: 3\n", false);
    assert_eq!(documents.iter().map(Node::to_json).collect::<Vec<_>>(), [json!({"a": 1}), json!({"c": 3})]);
    assert_eq!(faults.len(), 1);
    assert!(faults[0].at.line >= 3 && faults[0].at.line <= 4, "{faults:?}");
}

#[test]
fn mistakes_are_explained() {
    for (text, line, said) in [
        ("a:\n\tb: 1\n", 2, "use spaces"),
        ("a: *nowhere\n", 1, "invalid YAML: "),
        ("a: &a [*a]\n", 1, "a value that contains it"),
        ("a: {{ .Values.a }}\n", 1, "render a template"),
        ("a: {<<: 1}\n", 1, "only maps can be merged"),
        ("? [a]\n: 1\n", 1, "must be a string"),
        ("a: 'x\n", 1, "invalid YAML: "),
    ] {
        let faults = faults(text);
        let [fault] = faults.as_slice() else { panic!("{text}: {faults:?}") };
        assert!(fault.problem.contains(said), "{text}: {fault:?}");
        assert!(fault.at.line.abs_diff(line) <= 1 && fault.kind == FaultKind::Syntax, "{text}: {fault:?}");
    }
    let twice = faults("a: 1\nb: 2\na: 3\n");
    let problem = "duplicate field \"a\"; the first one is in line 1".to_owned();
    assert_eq!(twice, [Fault { at: mark(3, 1), kind: FaultKind::Duplicate, problem }]);
}

#[test]
fn what_grows_without_bounds_is_refused() {
    let deep: String = (0..300).map(|level| " ".repeat(level) + "a:\n").collect();
    assert!(faults(&deep)[0].problem.contains("too large"));
    let flow = "[".repeat(500) + &"]".repeat(500);
    assert!(faults(&flow)[0].problem.contains("recursion limit"));
    let level = |level: usize| {
        let alias = format!("*a{}", level - 1);
        format!("a{level}: &a{level} [{}]\n", [alias.as_str(); 10].join(", "))
    };
    let wide = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned()
        + &(1..9).map(level).collect::<Vec<_>>().concat();
    assert!(faults(&wide)[0].problem.contains("too large"));
}
