//! What holds for every text and every result: no panic, the same outcome each time, an end.

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::json;
use serin_conditions::{Condition, ConditionError, Value, check, judge, time_of};

fn now() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().expect("a time")
}

fn holds(condition: &str, result: &Value) -> Result<bool, ConditionError> {
    Condition::parse(condition)?.holds(result, now())
}

/// Parts of conditions; put together they are often valid.
const PARTS: [&str; 96] = [
    "result",
    "1",
    "0",
    "-1",
    "1.5",
    "'a'",
    "nil",
    "true",
    "false",
    "[]",
    "[1, 'a', nil]",
    "{'a': 1}",
    " + ",
    " - ",
    " * ",
    " / ",
    " % ",
    " ** ",
    " == ",
    " != ",
    " < ",
    " >= ",
    " && ",
    " || ",
    " in ",
    " not in ",
    " ?? ",
    " ? ",
    " : ",
    " ?: ",
    "..",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ";",
    ".",
    "?.",
    "#",
    "#acc",
    "#index",
    ".a",
    "?.b",
    "[0]",
    "[-1]",
    "[1:]",
    "[:2]",
    " | ",
    "let x = ",
    "x",
    "not ",
    "!",
    "-",
    "if ",
    " else ",
    " matches ",
    " contains ",
    "all(",
    "any(",
    "map(",
    "filter(",
    "reduce(",
    "sortBy(",
    "groupBy(",
    "sum(",
    "len(",
    "default(",
    "isNil(",
    "isNaN(",
    "asInt(",
    "asFloat(",
    "max(",
    "median(",
    "flatten(",
    "sort(",
    "uniq(",
    "split(",
    "repeat(",
    "toJSON(",
    "fromJSON(",
    "toPairs(",
    "fromPairs(",
    "date(",
    "duration(",
    "now()",
    ".Year()",
    ".Add(",
    ".Format(",
    "string(",
    "type(",
    "get(",
    "9223372036854775807",
    "$env",
];

fn condition() -> impl Strategy<Value = String> {
    let parts =
        prop::collection::vec(prop::sample::select(&PARTS[..]), 0..14).prop_map(|parts| parts.concat());
    // Complete terms with an operator between them, which are nearly always valid.
    let term = prop::sample::select(vec![
        "result",
        "result.a",
        "result[0]",
        "len(result)",
        "1",
        "2.5",
        "'a'",
        "nil",
        "[1, 2]",
        "asInt(result)",
        "default(result.a, 1)",
        "map(result, # + 1)",
        "sum(result)",
        "string(result)",
        "now()",
        "duration('1h')",
        "toJSON(result)",
        "(1..3)",
        "{'a': [1]}",
        "reverse(result)",
        "groupBy(result, #)",
        "max(result)",
    ]);
    let operator = prop::sample::select(vec![
        "+", "-", "*", "/", "%", "**", "==", "!=", "<", ">=", "&&", "||", "in", "??", "matches", "contains",
        "..", "?:",
    ]);
    let terms = (term.clone(), prop::collection::vec((operator, term), 0..4)).prop_map(|(first, others)| {
        let others = others.iter().map(|(operator, term)| format!(" {operator} {term}"));
        format!("{first}{}", others.collect::<String>())
    });
    prop_oneof![parts, terms, any::<String>()]
}

fn json_value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|value| json!(value)),
        any::<f64>().prop_map(|value| json!(value)),
        "[a-c]{0,3}|[0-9.]{0,4}".prop_map(|text| json!(text)),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|values| json!(values)),
            prop::collection::btree_map("[a-c]", inner, 0..4).prop_map(|values| json!(values)),
        ]
    })
}

fn result() -> impl Strategy<Value = Value> {
    let float = prop_oneof![any::<f64>(), Just(f64::NAN), Just(f64::INFINITY), Just(1.0)];
    prop_oneof![
        json_value().prop_map(Value::from),
        float.clone().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        prop::collection::vec(float, 0..5).prop_map(Value::floats),
        prop::collection::vec(any::<i64>(), 0..5).prop_map(Value::ints),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn outcomes_are_the_same_each_time(condition in condition(), result in result()) {
        let outcome = holds(&condition, &result);
        prop_assert_eq!(&outcome, &holds(&condition, &result));
        prop_assert_eq!(
            judge(Some(&condition), Some(&condition), &result, now()),
            judge(Some(&condition), Some(&condition), &result, now())
        );
        // What holds or does not hold for a result is never refused without one.
        prop_assert!(outcome.is_err() || check(&condition).is_ok(), "{:?}", check(&condition));
        let _ = time_of(&condition, now());
    }

    #[test]
    fn columns_are_in_the_text(condition in condition()) {
        if let Err(ConditionError { column: Some(column), .. }) = check(&condition) {
            prop_assert!(column >= 1 && column <= condition.chars().count() + 1);
        }
    }
}

#[test]
fn endless_work_ends() {
    let long = "a".repeat(100_000);
    let wide = Value::floats((0..20_000).map(f64::from));
    for condition in [
        "len(1..1000000000) > 0",
        "len(-9223372036854775807..9223372036854775807) > 0",
        "1 in 9223372036854775807..9223372036854775807 || len(0..9223372036854775807) > 1",
        "len(repeat('a', 1000000000)) > 0",
        "len(repeat(repeat('a', 10000), 100000)) > 0",
        "len(reduce(1..100, #acc + #acc, 'aaaaaaaaaa')) > 0",
        "len(reduce(1..100, concat(#acc, #acc), [1])) > 0",
        "len(string(reduce(1..100, [#acc, #acc], [1]))) > 0",
        "reduce(1..100, [#acc, #acc], [1]) == reduce(1..100, [#acc, #acc], [1])",
        "len(toJSON(reduce(1..60, [#acc, #acc], [1]))) > 0",
        "len(flatten(reduce(1..60, [#acc, #acc], [1]))) > 0",
        "median(reduce(1..60, [#acc, #acc], [1])) > 0",
        "reduce(1..100000, [#acc], [1]) == nil",
        "len(string(reduce(1..60, [#acc, #acc], []))) > 0",
        "asInt(reduce(1..60, [#acc, #acc], [])) == 1",
        "asFloat(reduce(1..60, {'a': #acc, 'b': #acc}, {})) == 1",
        "fromJSON('null')[reduce(1..60, [#acc, #acc], [])] == 1",
        "fromPairs([reduce(1..60, [#acc, #acc, #acc], [])]) == nil",
        "len(toJSON(reduce(1..60, [#acc, #acc], []))) > 0",
        "len(flatten(reduce(1..60, [#acc, #acc], []))) > 0",
        "max(reduce(1..60, [#acc, #acc], [])) == nil",
        "reduce(1..60, {'a': #acc, 'b': #acc}, {}) == reduce(1..60, {'a': #acc, 'b': #acc}, {})",
        "any(1..1000, 'a' matches '((((a{20}){20}){20}){20})' + string(#))",
        "all(1..10000, all(1..10000, # > 0))",
        "any(1..1000, let p = #; any(1..1000, 'aaaaaaaa' matches string(p * 1000 + #)))",
        "len(replace(repeat('a', 100000), 'a', repeat('b', 100000))) > 0",
        "len(join(map(1..10000, repeat('a', 10000)))) > 0",
        "len(uniq(1..100000)) > 0",
    ] {
        assert!(holds(condition, &Value::Nil).is_err(), "{condition}");
    }
    assert!(holds("len(uniq(result)) > 0", &wide).is_err());
    assert!(holds("all(result, all(result, # >= 0))", &wide).is_err());
    assert_eq!(holds("all(result, # >= 0) and len(sort(result)) == 20000", &wide), Ok(true));
    assert_eq!(holds("result matches '^(a|a)*$'", &long.as_str().into()), Ok(true));
}

#[test]
fn deep_and_long_texts_end() {
    for condition in [
        "(".repeat(20_000),
        "(".repeat(8_000) + "1",
        "(".repeat(1_000) + "1" + &")".repeat(1_000),
        "[".repeat(8_000),
        "!".repeat(8_000) + "true",
        "-".repeat(8_000) + "1",
        "1 + ".repeat(4_000) + "1 > 0",
        "true || ".repeat(2_000) + "true",
        "result".to_owned() + &".a".repeat(5_000),
        "result".to_owned() + &"?.a".repeat(5_000),
        "result".to_owned() + &"[0]".repeat(5_000),
        "true ? ".repeat(2_000),
        "true ?: ".repeat(2_000) + "true",
        "1 < ".repeat(4_000) + "1",
        "let x = 1; ".repeat(1_000) + "true",
        "if true { ".repeat(1_000),
        "all(result, ".repeat(1_000),
        "sort(".repeat(38) + "result" + &")".repeat(38) + " == nil",
        "(".repeat(39) + "true" + &" ?: true)".repeat(39),
        "sort(".repeat(3_000),
        "1; ".repeat(5_000) + "true",
        "a ** ".repeat(3_000) + "1",
        "{'a': ".repeat(2_000),
        "'a' matches '".to_owned() + &"(".repeat(5_000) + "'",
        "result | len() ".repeat(1_000),
        "true || (true && (1 == (1 + (1 * (".repeat(300),
        "#".repeat(10_000),
        "'a' matches '((a{40}){40}){9}' || ".repeat(80) + "true",
    ] {
        let _ = check(&condition);
        let _ = holds(&condition, &json!({"a": null}).into());
    }
    for (start, end) in
        [("all([1], ", ")"), ("default(", ", 1)"), ("[", "][0]"), ("let x = 1; all([1], ", ")")]
    {
        let levels = if start.starts_with('a') { 95 } else { 45 };
        let condition = start.repeat(levels) + "true" + &end.repeat(levels);
        let is_refused = start.starts_with("let");
        assert_eq!(
            holds(&condition, &Value::Nil).is_err(),
            is_refused || start.starts_with('d'),
            "{condition}"
        );
    }
    assert!(check(&("true || ".repeat(60) + "true")).is_ok());
    assert!(check(&("(".repeat(30) + "true" + &")".repeat(30))).is_ok());
}
