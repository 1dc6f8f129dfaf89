//! Numbers and JSON as the reference writes them into the `value` of a measurement.

use serde_json::Value;

/// A number without an exponent, in as few digits as tell it from any other: `10`, `0.1`, `NaN`, `+Inf`.
pub(super) fn number(value: f64) -> String {
    if value.is_nan() {
        "NaN".into()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf".into() } else { "-Inf".into() }
    } else {
        value.to_string()
    }
}

/// A number with an exponent below 10⁻⁴ and from 10²¹ on: `10`, `1e+21`, `1e-05`.
pub(super) fn short_number(value: f64) -> String {
    let magnitude = value.abs();
    if !value.is_finite() || magnitude == 0.0 || (1e-4..1e21).contains(&magnitude) {
        return number(value);
    }
    with_exponent(value, 2)
}

/// A number with an exponent of at least `digits` digits and a sign: `1e+21`.
fn with_exponent(value: f64, digits: usize) -> String {
    let text = format!("{value:e}");
    let (digits_of_value, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ('-', exponent),
        None => ('+', exponent),
    };
    format!("{digits_of_value}e{sign}{exponent:0>digits$}")
}

/// A list of numbers: `[1,2]`, or with other words for `open`, `between` and `close`.
pub(super) fn list<T>(items: &[T], between: &str, text: impl Fn(&T) -> String) -> String {
    format!("[{}]", items.iter().map(text).collect::<Vec<_>>().join(between))
}

/// JSON with sorted keys and without white space. `<`, `>` and `&` are escaped.
pub(super) fn json(value: &Value) -> String {
    match value {
        Value::Null | Value::Bool(_) => value.to_string(),
        Value::Number(_) => value.as_f64().map_or_else(|| value.to_string(), json_number),
        Value::String(text) => quoted(text),
        Value::Array(items) => list(items, ",", json),
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| *name);
            let fields = fields.into_iter().map(|(name, value)| format!("{}:{}", quoted(name), json(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
        }
    }
}

/// A number of JSON, with an exponent below 10⁻⁶ and from 10²¹ on.
fn json_number(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude == 0.0 || (1e-6..1e21).contains(&magnitude) {
        return number(value);
    }
    with_exponent(value, 1)
}

fn quoted(text: &str) -> String {
    let text = Value::from(text).to_string();
    if !text.contains(['<', '>', '&', '\u{2028}', '\u{2029}']) {
        return text;
    }
    let escapes = [
        ("<", "\\u003c"),
        (">", "\\u003e"),
        ("&", "\\u0026"),
        ("\u{2028}", "\\u2028"),
        ("\u{2029}", "\\u2029"),
    ];
    escapes.iter().fold(text, |text, (letter, escape)| text.replace(letter, escape))
}

#[cfg(test)]
mod tests {
    use serde_json::json as value;

    use super::*;

    #[test]
    fn numbers_are_written_as_in_the_reference() {
        for (given, long, short) in [
            (10.0, "10", "10"),
            (0.1, "0.1", "0.1"),
            (-0.0, "-0", "-0"),
            (1e21, "1000000000000000000000", "1e+21"),
            (1.5e-7, "0.00000015", "1.5e-07"),
            (1e-4, "0.0001", "0.0001"),
            (f64::NAN, "NaN", "NaN"),
            (f64::INFINITY, "+Inf", "+Inf"),
            (f64::NEG_INFINITY, "-Inf", "-Inf"),
        ] {
            assert_eq!((number(given), short_number(given)), (long.to_owned(), short.to_owned()), "{given}");
        }
    }

    #[test]
    fn json_is_written_as_in_the_reference() {
        let given = value!({"b": 1.0, "a": [1, true, null, "<x>"], "c": 1e30, "d": 1e-7, "e": 18_446_744_073_709_551_615_u64});
        let expected =
            r#"{"a":[1,true,null,"\u003cx\u003e"],"b":1,"c":1e+30,"d":1e-7,"e":18446744073709552000}"#;
        assert_eq!(json(&given), expected);
    }
}
