//! Writes a JSON value the way Go's `encoding/json` writes the struct that the value was read into.

use std::fmt::Write as _;

use serde_json::{Map, Number, Value};

use super::defaults::default_value;
use super::layout::{Field, Kind, Presence, Struct};
use serin_values::quantity::Quantity;

/// Variants of the rendering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Kubernetes libraries 0.34 and later: an unset `creationTimestamp` is left out.
    Current,
    /// Earlier libraries: an unset `creationTimestamp` is written as `null`.
    NullTimestamps,
    /// Not Go's text but one for comparison: equal quantities, empty or missing lists, and defaults of the API
    /// server, filled in or not, read the same.
    Semantic,
}

/// The JSON text of `value` read into the struct `layout`. Fields that the layout does not have are dropped.
pub(super) fn render_struct(layout: &Struct, value: &Value, style: Style) -> String {
    let mut writer = Writer { out: String::new(), style };
    writer.structure(layout, value.as_object());
    writer.out
}

/// The JSON text of a list of structs; anything that is not a list reads as a missing one.
pub(super) fn render_list(layout: &'static Struct, value: Option<&Value>, style: Style) -> String {
    let mut writer = Writer { out: String::new(), style };
    writer.list(&Kind::Struct(layout), value);
    writer.out
}

struct Writer {
    out: String,
    style: Style,
}

impl Writer {
    fn structure(&mut self, layout: &Struct, object: Option<&Map<String, Value>>) {
        self.out.push('{');
        let mut first = true;
        for field in layout.fields {
            let value = object.and_then(|fields| fields.get(field.name)).filter(|value| !value.is_null());
            let default = match self.style {
                Style::Semantic if !is_set(field, value) => default_value(layout, field.name, object),
                Style::Semantic | Style::Current | Style::NullTimestamps => None,
            };
            let value = default.as_ref().or(value);
            if default.is_none() && !self.is_written(field, value) {
                continue;
            }
            if !first {
                self.out.push(',');
            }
            first = false;
            self.string(field.name);
            self.out.push(':');
            if value.is_none() && field.presence == Presence::AlwaysNullable {
                self.out.push_str("null");
            } else {
                self.value(&field.kind, value);
            }
        }
        self.out.push('}');
    }

    fn is_written(&self, field: &Field, value: Option<&Value>) -> bool {
        let is_null_timestamp = self.style == Style::NullTimestamps
            && field.presence == Presence::NonZero
            && matches!(field.kind, Kind::Time);
        is_null_timestamp
            || matches!(field.presence, Presence::Always | Presence::AlwaysNullable)
            || is_set(field, value)
    }

    /// Writes `value`, or the zero value of `kind` when it is missing.
    fn value(&mut self, kind: &Kind, value: Option<&Value>) {
        match (kind, value.filter(|value| !value.is_null())) {
            (Kind::Struct(layout), value) => self.structure(layout, value.and_then(Value::as_object)),
            (Kind::List(item), value) => self.list(item, value),
            (Kind::Map(item), value) => self.map(item, value),
            (Kind::Quantity, value) => self.quantity(value),
            (Kind::Bool, None) => self.out.push_str("false"),
            (Kind::Int | Kind::IntOrStr, None) => self.out.push('0'),
            (Kind::Str, None) => self.out.push_str("\"\""),
            (Kind::Time | Kind::Raw, None) => self.out.push_str("null"),
            (Kind::Bool | Kind::Int | Kind::IntOrStr | Kind::Str | Kind::Time | Kind::Raw, Some(value)) => {
                self.raw(value);
            }
        }
    }

    fn list(&mut self, item: &Kind, value: Option<&Value>) {
        let Some(items) = value.and_then(Value::as_array) else {
            self.out.push_str(if self.style == Style::Semantic { "[]" } else { "null" });
            return;
        };
        self.out.push('[');
        for (index, value) in items.iter().enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            self.value(item, Some(value));
        }
        self.out.push(']');
    }

    fn map(&mut self, item: &Kind, value: Option<&Value>) {
        let Some(entries) = value.and_then(Value::as_object) else {
            self.out.push_str(if self.style == Style::Semantic { "{}" } else { "null" });
            return;
        };
        self.out.push('{');
        for (index, (key, value)) in entries.iter().enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            self.string(key);
            self.out.push(':');
            self.value(item, Some(value));
        }
        self.out.push('}');
    }

    fn quantity(&mut self, value: Option<&Value>) {
        let text = match value {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => go_number(number),
            Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) | None => "0".to_owned(),
        };
        let rendered = match self.style {
            Style::Current | Style::NullTimestamps => Quantity::rewritten(&text),
            // The API server rounds resource amounts up to thousandths when it stores them.
            Style::Semantic => {
                Quantity::parse(&text).map(|quantity| quantity.rounded_up_to_milli().canonical_decimal())
            }
        };
        self.string(&rendered.unwrap_or(text));
    }

    /// Writes any JSON as Go does: compact, keys sorted, strings escaped for HTML.
    fn raw(&mut self, value: &Value) {
        match value {
            Value::Null => self.out.push_str("null"),
            Value::Bool(true) => self.out.push_str("true"),
            Value::Bool(false) => self.out.push_str("false"),
            Value::Number(number) => self.out.push_str(&go_number(number)),
            Value::String(text) => self.string(text),
            Value::Array(_) => self.list(&Kind::Raw, Some(value)),
            Value::Object(_) => self.map(&Kind::Raw, Some(value)),
        }
    }

    fn string(&mut self, text: &str) {
        self.out.push('"');
        for character in text.chars() {
            match character {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                '\u{8}' => self.out.push_str("\\b"),
                '\u{c}' => self.out.push_str("\\f"),
                '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                    // Writing to a string cannot fail.
                    let _ = write!(self.out, "\\u{:04x}", u32::from(character));
                }
                _ => self.out.push(character),
            }
        }
        self.out.push('"');
    }
}

/// Whether Go, after reading `value` into `field`, can tell that there was one.
fn is_set(field: &Field, value: Option<&Value>) -> bool {
    match field.presence {
        Presence::Set | Presence::AlwaysNullable => value.is_some(),
        Presence::NonZero | Presence::Always => value.is_some_and(|value| !is_zero(value)),
    }
}

/// The zero values that `omitempty` leaves out.
fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.is_empty(),
    }
}

/// A number as Go writes it: integers plain, floats without an exponent between 1e-6 and 1e21.
fn go_number(number: &Number) -> String {
    if number.is_i64() || number.is_u64() {
        return number.to_string();
    }
    let value = number.as_f64().unwrap_or(0.0);
    let magnitude = value.abs();
    if magnitude == 0.0 || (1e-6..1e21).contains(&magnitude) {
        return value.to_string();
    }
    let text = format!("{value:e}");
    if magnitude >= 1e21 { text.replacen('e', "e+", 1) } else { text }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::hash::layout::go_structs;

    go_structs! {
        INNER { always! STR, number: INT }
        OUTER {
            zeta: STR, pointer? BOOL, list! [STR], nullable^ STR, inner! INNER, amounts: {QUANTITY}, port! INT_OR_STR,
            raw? RAW,
        }
    }

    fn outer(value: &Value) -> String {
        render_struct(&OUTER, value, Style::Current)
    }

    #[test]
    fn unset_fields_read_as_their_zero_values() {
        let empty = r#"{"list":null,"nullable":null,"inner":{"always":""},"port":0}"#;
        assert_eq!(outer(&json!({})), empty);
        assert_eq!(outer(&Value::Null), empty);
        assert_eq!(outer(&json!({"zeta": "", "pointer": null, "amounts": {}, "unknown": 1})), empty);
    }

    #[test]
    fn fields_come_in_declaration_order() {
        let value = json!({"raw": {"b": [1, null], "a": "<"}, "port": "http", "nullable": "n", "list": [],
            "pointer": false, "zeta": "z", "amounts": {"cpu": 0.5, "a": "1024Mi"}});
        assert_eq!(
            outer(&value),
            r#"{"zeta":"z","pointer":false,"list":[],"nullable":"n","inner":{"always":""},"amounts":{"a":"1Gi","cpu":"500m"},"port":"http","raw":{"a":"\u003c","b":[1,null]}}"#
        );
    }

    #[test]
    fn strings_are_escaped_for_html() {
        let value = json!({"always": "<>&\u{2028}\u{2029}\u{1}\u{7f}\n\r\t\u{8}\u{c}\"\\é"});
        assert_eq!(
            render_struct(&INNER, &value, Style::Current),
            "{\"always\":\"\\u003c\\u003e\\u0026\\u2028\\u2029\\u0001\u{7f}\\n\\r\\t\\b\\f\\\"\\\\é\"}"
        );
    }

    #[test]
    fn numbers_read_as_go_writes_them() {
        for (value, text) in [
            (json!(1), "1"),
            (json!(-7), "-7"),
            (json!(18_446_744_073_709_551_615_u64), "18446744073709551615"),
            (json!(1.0), "1"),
            (json!(0.5), "0.5"),
            (json!(1e16), "10000000000000000"),
            (json!(1e21), "1e+21"),
            (json!(1.5e-7), "1.5e-7"),
            (json!(0.000_001), "0.000001"),
        ] {
            assert_eq!(value.as_number().map(go_number).as_deref(), Some(text));
        }
    }

    #[test]
    fn semantic_text_ignores_notation() {
        let a = json!({"amounts": {"memory": "1Gi", "cpu": "0.1"}, "list": []});
        let b = json!({"amounts": {"memory": "1073741824", "cpu": "100m"}});
        assert_ne!(outer(&a), outer(&b));
        assert_eq!(render_struct(&OUTER, &a, Style::Semantic), render_struct(&OUTER, &b, Style::Semantic));
    }
}
