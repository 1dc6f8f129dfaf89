//! The hash by which a Deployment names the ReplicaSet of a template: another than that of a Rollout.
//!
//! It is the hash of the template as a debugging library prints the types of Kubernetes, every unset field included, so
//! that it changes with the version of Kubernetes; it is that of the version whose types are in
//! [`types`](serin_kubernetes::types).

use std::fmt::Write as _;

use serde_json::Value;

use serin_kubernetes::types::{self, Field, Shape};
use serin_values::text_hash::text_hash_after;

/// The hash of a pod template, as stored, after so many collisions. Times in the template's metadata do not count.
pub(super) fn template_hash(template: &Value, collisions: Option<i32>) -> String {
    text_hash_after(&printed(template), collisions)
}

/// A pod template as it is hashed.
fn printed(template: &Value) -> String {
    let mut text = String::from("(v1.PodTemplateSpec)");
    print(&mut text, &Shape::Object("core/v1.PodTemplateSpec"), Some(template));
    text
}

/// A field with its name, its type, and its value.
fn print_field(text: &mut String, field: &Field, owner: Option<&Value>) {
    let value = if field.name.is_empty() { owner } else { owner.and_then(|owner| owner.get(field.name)) };
    let value = value.filter(|value| !value.is_null());
    let mark = if field.is_pointer { "*" } else { "" };
    // Writing to a string cannot fail.
    let _ = write!(text, "{}:({mark}{})", field.go_name(), field.shape.type_name());
    if field.is_pointer && value.is_none() {
        text.push_str("<nil>");
    } else {
        print(text, &field.shape, value);
    }
}

/// A value, or the zero value of its type.
fn print(text: &mut String, shape: &Shape, value: Option<&Value>) {
    match shape {
        Shape::Text(_) => text.push_str(value.and_then(Value::as_str).unwrap_or_default()),
        Shape::Truth => text.push_str(if value == Some(&Value::Bool(true)) { "true" } else { "false" }),
        Shape::Int32 | Shape::Int64 | Shape::Float => {
            text.push_str(
                &value.filter(|value| value.is_number()).map_or_else(|| "0".to_owned(), Value::to_string),
            );
        }
        Shape::Quantity => text.push_str(&quantity(value.and_then(Value::as_str).unwrap_or_default())),
        Shape::IntOrText => text.push_str(&number_or_text(value)),
        Shape::Time | Shape::MicroTime => {
            text.push_str("{Time:(time.Time){wall:(uint64)0 ext:(int64)0 loc:(*time.Location)<nil>}}");
        }
        Shape::Bytes => text.push_str("<nil>"),
        Shape::Any => text.push_str("{Raw:([]uint8)<nil>}"),
        Shape::Object(name) => {
            let fields = types::find(name).map(|own| own.fields.as_slice()).unwrap_or_default();
            enclosed(text, "{", fields, "}", |text, field| print_field(text, field, value));
        }
        Shape::List(_, item) => match value.and_then(Value::as_array).filter(|items| !items.is_empty()) {
            None => text.push_str("<nil>"),
            Some(items) => enclosed(text, "[", items, "]", |text, value| print(text, item, Some(value))),
        },
        Shape::Map(_, item) => match value.and_then(Value::as_object).filter(|map| !map.is_empty()) {
            None => text.push_str("<nil>"),
            Some(map) => {
                let mut entries: Vec<_> = map.iter().collect();
                entries.sort_by_key(|(key, _)| *key);
                enclosed(text, "map[", &entries, "]", |text, (key, value)| {
                    text.extend([key.as_str(), ":"]);
                    print(text, item, Some(value));
                });
            }
        },
    }
}

fn enclosed<T>(text: &mut String, start: &str, items: &[T], end: &str, print: impl Fn(&mut String, &T)) {
    text.push_str(start);
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            text.push(' ');
        }
        print(text, item);
    }
    text.push_str(end);
}

fn number_or_text(value: Option<&Value>) -> String {
    let text = value.and_then(Value::as_str);
    let number = value.and_then(Value::as_i64).unwrap_or_default();
    let kind = i32::from(text.is_some());
    format!("{{Type:(intstr.Type){kind} IntVal:(int32){number} StrVal:(string){}}}", text.unwrap_or_default())
}

/// How many digits of a quantity its type keeps in 64 bits; longer ones it keeps as numbers of any size.
const DIGITS_MAX: usize = 18;
const BINARY_DIGITS_MAX: usize = 15;

const BINARY: [&str; 6] = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const DECIMAL: [&str; 10] = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];

/// A quantity in canonical notation, with what its type keeps beside the amount.
fn quantity(text: &str) -> String {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '-').unwrap_or(text.len());
    let (number, suffix) = text.split_at(digits);
    let amount: i64 = number.parse().unwrap_or_default();
    if let Some(index) = BINARY.iter().position(|known| *known == suffix) {
        let shift = 10 * (index + 1);
        let value = (i128::from(amount) << shift).clamp((-i64::MAX).into(), i64::MAX.into());
        if number.len() + shift * 3 / 10 + 1 > BINARY_DIGITS_MAX {
            return kept(0, 0, &long(value), "", "BinarySI");
        }
        // What has a bigger unit, too, is written anew when it is asked for.
        let notation = if amount % 8 == 0 { "" } else { text };
        return kept(value, 0, "<nil>", notation, "BinarySI");
    }
    debug_assert!(number.len() <= DIGITS_MAX, "{text}");
    let exponent = || suffix.strip_prefix('e').and_then(|exponent| exponent.parse().ok());
    let (scale, format) = match DECIMAL.iter().position(|known| *known == suffix) {
        Some(index) => (i64::try_from(index).unwrap_or_default() * 3 - 9, "DecimalSI"),
        None => (exponent().unwrap_or_default(), "DecimalExponent"),
    };
    let scale = if amount == 0 { 0 } else { scale };
    kept(amount.into(), scale, "<nil>", if text.is_empty() { "0" } else { text }, format)
}

/// A number of any size, in billionths as quantities are rounded to.
fn long(value: i128) -> String {
    let billionths = value.unsigned_abs() * 1_000_000_000;
    let words = [billionths & u128::from(u64::MAX), billionths >> 64];
    let words = words.iter().filter(|word| **word != 0).map(u128::to_string).collect::<Vec<_>>().join(" ");
    let is_negative = value < 0;
    format!("{{unscaled:(big.Int){{neg:(bool){is_negative} abs:(big.nat)[{words}]}} scale:(inf.Scale)9}}")
}

fn kept(value: i128, scale: i64, long: &str, notation: &str, format: &str) -> String {
    format!(
        "{{i:(resource.int64Amount){{value:(int64){value} scale:(resource.Scale){scale}}} \
         d:(resource.infDecAmount){{Dec:(*inf.Dec){long}}} s:(string){notation} Format:(resource.Format){format}}}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Templates with the names that a real controller gave them, without and with one collision.
    const RECORDED: &str = include_str!("hashes.jsonl");

    #[test]
    fn hashes_are_those_of_the_real_controller() {
        for line in RECORDED.lines() {
            let case: Value = serde_json::from_str(line).unwrap();
            let template = &case["template"];
            let found = [template_hash(template, None), template_hash(template, Some(1))];
            assert_eq!(serde_json::json!(found), case["hashes"], "{}", printed(template));
        }
    }
}
