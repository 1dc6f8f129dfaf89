//! The rules of the language, one table for each.

use jiff::Timestamp;
use serde_json::json;
use serin_conditions::{Condition, ConditionError, Value, Verdict, check, judge, time_of};

fn now() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().expect("a time")
}

fn holds(condition: &str, result: &Value) -> Result<bool, ConditionError> {
    Condition::parse(condition)?.holds(result, now())
}

/// Every condition must hold for `result`.
fn all_hold(result: impl Into<Value>, conditions: &[&str]) {
    let result = result.into();
    for condition in conditions {
        assert_eq!(holds(condition, &result), Ok(true), "{condition}");
    }
}

fn message(condition: &str, result: impl Into<Value>) -> String {
    holds(condition, &result.into()).expect_err(condition).message
}

#[test]
fn the_table_of_the_environment() {
    all_hold(1_i64, &["result == 1"]);
    all_hold("1", &["asInt(result) == 1"]);
    all_hold("1.1", &["asFloat(result) >= 1"]);
    all_hold(f64::NAN, &["isNaN(result)"]);
    all_hold(f64::INFINITY, &["isInf(result)"]);
    all_hold(Value::floats([10.0, 11.0]), &["result[0] < 11", "all(result, # < 12)"]);
    all_hold(Value::Nil, &["isNil(result)", "default(result, 0) < 1"]);
    all_hold("abc", &["result contains \"b\""]);
    all_hold(json!({"a": 1}), &["result.a == 1"]);
    assert!(holds("asInt(result) == 1", &"1.1".into()).is_err());
    assert_eq!(message("1 + 1", 1.0), "expected bool, but got int");
    assert_eq!(message("notDefined", 1.0), "unknown name notDefined");
}

#[test]
fn operators_bind_as_in_the_reference() {
    all_hold(
        1.0,
        &[
            "2 + 3 * 4 == 14",
            "(2 + 3) * 4 == 20",
            "2 ** 3 ** 2 == 512",
            "-2 ** 2 == -4",
            "1 / 2 == 0.5",
            "7 % 3 == 1",
            "not false and true",
            "!(1 > 2) || false",
            "1 < 2 < 3",
            "not (3 < 2 < 5)",
            "1 + 1 in [2]",
            "3 not in [1, 2]",
            "true ? true : false",
            "false ?: true",
            "nil ?? true",
            "1..3 == [1, 2, 3]",
            "'a' + 'b' == 'ab'",
            "'abc' matches '^a.c$' and not ('abc' matches 'x')",
            "'abc' startsWith 'a' && 'abc' endsWith 'c' && 'abc' not contains 'x'",
            "9223372036854775807 + 1 < 0",
            "0x1F == 31 && 0b11 == 3 && 0o17 == 15 && 1_000 == 1000 && .5 == 0.5",
        ],
    );
    assert!(message("1 ?? 2 + 3", 1.0).contains("cannot be mixed"));
}

#[test]
fn members_slices_and_chains() {
    all_hold(
        json!({"a": {"b": [1, 2, {"c": "x"}]}, "c d": 4}),
        &[
            "result.a.b[2].c == 'x'",
            "result['c d'] == 4",
            "result.a.b[-1].c == 'x'",
            "result.x == nil",
            "result?.x?.y.z == nil",
            "(result.x?.y ?? 3) == 3",
            "result.a?.b[0] == 1",
            "result.x?.[0] == nil",
            "result.a.b[:2] == [1, 2]",
            "result.a.b[1:][0] == 2",
            "len(result.a.b[5:9]) == 0",
            "'a' in result and not ('z' in result)",
            "$env.result.a == result.a and 'result' in $env",
            "get(result, 'x') == nil && get(result.a.b, 9) == nil",
        ],
    );
    assert_eq!(message("result.x.y == 1", json!({})), "cannot fetch y from <nil>");
    assert_eq!(message("result.x?.y[0] == 1", json!({})), "cannot fetch 0 from <nil>");
    assert_eq!(message("result[3] == 1", Value::floats([1.0])), "index out of range: 3 (array length is 1)");
}

#[test]
fn variables_branches_and_sequences() {
    all_hold(
        3.0,
        &[
            "let x = result * 2; let y = x + 1; y == 7",
            "any([1, 2, 3], let x = #; x > 2)",
            "if result > 2 { true } else if result > 1 { false } else { false }",
            "1; result == 3",
            "(1; true)",
            "map(1..3, {let y = # * 2; y}) == [2, 4, 6]",
        ],
    );
    assert_eq!(message("let result = 2; true", 1.0), "cannot redeclare result");
    assert_eq!(message("let len = 2; true", 1.0), "cannot redeclare builtin len");
    assert_eq!(message("let map = 2; true", 1.0), "cannot redeclare builtin map");
    assert_eq!(message("let isNaN = 2; true", 1.0), "cannot redeclare isNaN");
    assert_eq!(message("let x = 1; let x = 2; true", 1.0), "cannot redeclare variable x");
}

#[test]
fn predicates() {
    all_hold(
        json!([{"v": 1, "n": "a"}, {"v": 2, "n": "b"}, {"v": 3, "n": "a"}]),
        &[
            "all(result, .v > 0) and any(result, {.v == 2}) and one(result, .n == 'b') and none(result, .v > 3)",
            "filter(result, .n == 'a')[1].v == 3",
            "map(result, .v) == [1, 2, 3]",
            "map(result, #index) == [0, 1, 2]",
            "count(result, .v > 1) == 2 && count([true, false]) == 1",
            "sum(result, .v) == 6 && sum([1, 2]) == 3 && sum([]) == 0",
            "find(result, .n == 'a').v == 1 && findLast(result, .n == 'a').v == 3",
            "findIndex(result, .n == 'a') == 0 && findLastIndex(result, .n == 'a') == 2",
            "find(result, .v > 9) == nil && findIndex(result, .v > 9) == -1",
            "groupBy(result, .n).a[1].v == 3 && len(groupBy(result, .n).z) == 0",
            "sortBy(result, .v, 'desc')[0].v == 3 && sortBy(result, .n)[2].n == 'b'",
            "reduce(result, #acc + .v, 0) == 6 && reduce(1..4, #acc * #) == 24",
            "result | map(.v) | sum() == 6",
            "any(result, any([.v], # == 2))",
        ],
    );
}

#[test]
fn functions_of_numbers_and_conversions() {
    all_hold(
        1.0,
        &[
            "abs(-5) == 5 && ceil(1.2) == 2 && floor(-1.2) == -2 && round(2.5) == 3",
            "int('5') == 5 && float('1.5') == 1.5 && string(1.0) == '1' && int(3.9) == 3",
            "max(1, 2.5) == 2.5 && min([3, 1, 2]) == 1 && max([]) == nil",
            "mean([1, 2]) == 1.5 && median([3, 1, 2]) == 2 && median([4, 1, 2, 3]) == 2.5",
            "bitand(6, 3) == 2 && bitor(4, 1) == 5 && bitxor(6, 3) == 5 && bitnand(6, 3) == 4 && bitnot(0) == -1",
            "bitshl(1, 3) == 8 && bitshr(-8, 1) == -4 && bitushr(-1, 60) == 15 && bitshl(1, 64) == 0",
            "type(1) == 'int' && type([]) == 'array' && type({}) == 'map' && type(nil) == 'nil'",
            "type(now()) == 'time.Time' && type(duration('1s')) == 'time.Duration'",
            "toJSON({'a': [1]}) == '{\\n  \"a\": [\\n    1\\n  ]\\n}' && fromJSON('{\"a\": [1]}').a[0] == 1",
            "toBase64('a') == 'YQ==' && fromBase64('YQ==') == 'a'",
            "isNaN(0.0) == false && isNaN(-1 + 2) == false && !isInf(1)",
        ],
    );
    assert!(message("bitshl(1, -1) == 1", 1.0).contains("negative shift count"));
    assert_eq!(message("isNaN(result)", 1_i64), "interface conversion: interface {} is int, not float64");
}

#[test]
fn functions_of_texts() {
    all_hold(
        "x",
        &[
            "trim('  a ') == 'a' && trim('__a_', '_') == 'a' && upper('ä') == 'Ä' && lower('AB') == 'ab'",
            "trimPrefix('abc', 'a') == 'bc' && trimSuffix('abc', 'c') == 'ab'",
            "split('a,b,c', ',') == ['a', 'b', 'c'] && split('a,b,c', ',', 2) == ['a', 'b,c']",
            "split('abc', '') == ['a', 'b', 'c'] && len(split('', '')) == 0 && split('', ',') == ['']",
            "splitAfter('a,b', ',') == ['a,', 'b'] && len(split('a', ',', 0)) == 0",
            "replace('aaa', 'a', 'b') == 'bbb' && replace('aaa', 'a', 'b', 2) == 'bba' && repeat('ab', 2) == 'abab'",
            "join(['a', 'b'], '-') == 'a-b' && join(['a', 'b']) == 'ab' && join([]) == ''",
            "indexOf('abc', 'c') == 2 && lastIndexOf('aba', 'a') == 2 && indexOf('a', 'x') == -1",
            "hasPrefix('abc', 'ab') && hasSuffix('abc', 'bc')",
            "len('ünïcode €') == 9 && 'abc'[1:] == 'bc'",
        ],
    );
}

#[test]
fn functions_of_lists_and_maps() {
    all_hold(
        1.0,
        &[
            "len([1, 2]) == 2 && len({'a': 1}) == 1 && first([1, 2]) == 1 && last([1, 2]) == 2 && first([]) == nil",
            "take([1, 2, 3], 2) == [1, 2] && take([1], 5) == [1] && reverse([1, 2]) == [2, 1]",
            "sort([3, 1, 2]) == [1, 2, 3] && sort([1, 2], 'desc') == [2, 1] && sort(['b', 'a']) == ['a', 'b']",
            "uniq([1, 1.0, 2]) == [1, 2] && concat([1], [2]) == [1, 2] && flatten([1, [2, [3]]]) == [1, 2, 3]",
            "keys({'b': 1, 'a': 2}) == ['a', 'b'] && values({'b': 1, 'a': 2}) == [2, 1]",
            "fromPairs(toPairs({'a': 1})) == {'a': 1} && toPairs({'a': 1})[0][1] == 1",
            "{a: 1, 'b': 2, (('c')): 3}.c == 3 && {1: 2}['1'] == 2",
            "get({'a': 1}, 'a') == 1 && get([1], 0) == 1",
        ],
    );
    assert!(message("sort([1, 'a']) == []", 1.0).contains("invalid operation: string < int"));
}

#[test]
fn dates_durations_and_time_zones() {
    all_hold(
        1.0,
        &[
            "now() == date('2026-01-02T03:04:05Z')",
            "now() - duration('1h') < now() && now() > date('2020-01-01')",
            "date('2026-03-01') - date('2026-02-01') == duration('672h')",
            "duration('90s') > duration('1m') && duration('1h').Minutes() == 60 && 2 * duration('1h') == duration('2h')",
            "date('2026-01-02').Year() == 2026 && date('2026-01-02').Weekday().String() == 'Friday'",
            "date('02.01.2026 15:04', '02.01.2006 15:04').Hour() == 15",
            "date('2026-07-01 12:00', '2006-01-02 15:04', 'Europe/Zurich').UTC().Hour() == 10",
            "date(timezone('America/New_York'), '2026-01-01').Unix() == 1767243600",
            "now().In(timezone('Asia/Tokyo')).Format('15:04 -0700') == '12:04 +0900'",
            "now().AddDate(0, 1, 30).Format('2006-01-02') == '2026-03-04'",
            "now().Truncate(duration('1h')).Minute() == 0 && now().Add(duration('1h')).After(now())",
            "string(duration('90s')) == '1m30s' && string(now()) == '2026-01-02 03:04:05 +0000 UTC'",
        ],
    );
    assert_eq!(message("date('x') == now()", 1.0), "invalid date x");
    assert_eq!(message("timezone('Mars/X') == nil", 1.0), "unknown time zone Mars/X");
}

#[test]
fn missing_members_are_nil_for_the_functions_about_that() {
    all_hold(
        json!({"a": {"c": null}, "list": []}),
        &[
            "default(result.x.y, 5) == 5",
            "default(result.a.b, 5) == 5 && default(result.a.c, 5) == 5",
            "default(result.list[0], 5) == 5",
            "isNil(result.x.y.z) && isNil(result.a.c) && !isNil(result.a)",
        ],
    );
    all_hold(
        Value::Nil,
        &["isNil(1)", "default(1, 2) == 2", "default(result.a.b, 2) == 2", "isNil(result.a)"],
    );
    all_hold(1.0, &["!isNil(1)", "default(1, 2) == 1", "default(nil, 2) == 2"]);
    assert_eq!(
        message("default(asInt('x'), 1) == 1", 1.0),
        "strconv.ParseInt: parsing \"x\": invalid syntax"
    );
}

#[test]
fn errors_have_their_column() {
    for (condition, column) in [
        ("true && notDefined", Some(9)),
        ("result == 1 +", Some(14)),
        ("len(1, 2) == 1", Some(1)),
        ("'ä' + nope == 'x'", Some(7)),
        ("result === 1", Some(10)),
        ("1 + 1", None),
    ] {
        assert_eq!(check(condition).map_err(|error| error.column), Err(column), "{condition}");
    }
}

#[test]
fn what_fails_for_every_result_is_refused_and_nothing_else() {
    for condition in [
        "",
        "result ==",
        "nope",
        "asInt()",
        "default(1)",
        "len()",
        "1",
        "'a' + 1 == 2",
        "result; 1",
        "isNaN('a')",
        "result matches '('",
        "asFloat(result)",
        "nil",
        "now()",
    ] {
        assert!(check(condition).is_err(), "{condition}");
    }
    for condition in [
        "result",
        "result.a.b[0]",
        "result > 1 || result == 'a'",
        "result()?.x ?? true",
        "result ? true : nil",
        "default(result, true)",
        "result?.a",
        "result + 1 == 2",
        "result in [1, 'a']",
        "all(result, .x)",
    ] {
        let refused = check(condition).err().filter(|_| !condition.contains("result()"));
        assert_eq!(refused, None, "{condition}");
    }
}

#[test]
fn verdicts() {
    let judged = |success, failure, result: f64| judge(success, failure, &result.into(), now());
    for (success, failure, result, expected) in [
        (None, None, 1.0, Verdict::Successful),
        (Some("result == 1"), None, 1.0, Verdict::Successful),
        (Some("result == 1"), None, 2.0, Verdict::Failed),
        (None, Some("result == 1"), 1.0, Verdict::Failed),
        (None, Some("result == 1"), 2.0, Verdict::Successful),
        (Some("result > 0"), Some("result == 1"), 1.0, Verdict::Failed),
        (Some("result > 0"), Some("result == 1"), 2.0, Verdict::Successful),
        (Some("result > 0"), Some("result == 1"), 0.0, Verdict::Inconclusive),
        (Some("result >= 0.9"), Some("result < 0.9"), f64::NAN, Verdict::Inconclusive),
        (Some("result == 10"), Some("result != 10"), f64::NAN, Verdict::Failed),
        (Some(""), Some(""), 1.0, Verdict::Successful),
    ] {
        assert_eq!(judged(success, failure, result), Ok(expected), "{success:?} {failure:?} {result}");
    }
    let cause = judged(Some("a"), Some("b"), 1.0);
    assert_eq!(cause, Err("could not evaluate successCondition \"a\": unknown name a".to_owned()));
    let cause = judged(Some("true"), Some("b"), 1.0);
    assert_eq!(cause, Err("could not evaluate failureCondition \"b\": unknown name b".to_owned()));
}

#[test]
fn the_cause_is_the_missing_data_unless_the_condition_is_wrong() {
    const NO_DATA: &str = "metric result is nil or empty: no data returned from the metric provider";
    for result in [Value::Nil, Value::floats([]), json!([]).into()] {
        for (condition, cause) in [
            ("result[0] > 1", NO_DATA),
            ("result < 1", NO_DATA),
            ("result[0] > ", "unexpected token EOF"),
            ("nope == 1", "unknown name nope"),
            ("1 + 1", "expected bool, but got int"),
        ] {
            let expected = Err(format!("could not evaluate successCondition \"{condition}\": {cause}"));
            assert_eq!(judge(Some(condition), None, &result, now()), expected);
        }
    }
}

#[test]
fn times_of_expressions() {
    let time = |text: &str| time_of(text, now()).map(|time| time.to_string()).map_err(|error| error.message);
    assert_eq!(time("now() - duration(\"1h\")").as_deref(), Ok("2026-01-02T02:04:05Z"));
    assert_eq!(time("date(\"2026-01-01T00:00:00Z\")").as_deref(), Ok("2026-01-01T00:00:00Z"));
    for (text, cause) in [
        ("1 + 1", "expected time.Time, but got int"),
        ("duration('1h')", "expected time.Time, but got time.Duration"),
        ("fromJSON('null')", "expected time.Time, but got <nil>"),
        ("result", "unknown name result"),
        ("asInt('1')", "unknown name asInt"),
        ("isNaN(1.0)", "expected time.Time, but got bool"),
        ("date('x')", "invalid date x"),
        ("now() - duration('x')", "time: invalid duration \"x\""),
    ] {
        assert_eq!(time(text), Err(cause.to_owned()), "{text}");
    }
}
