//! The checks of one value for itself: type, bounds, lengths, pattern, format.

use std::net::{Ipv4Addr, Ipv6Addr};

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::Value;

use super::super::status::Cause;
use super::cause::{NO_FIELD, cause, invalid_value};
use super::kind::Kind;
use super::node::{Checks, Node};

impl Node {
    /// Whether `value` is of the type of the schema.
    pub(super) fn check_type(&self, value: &Value, path: &str, causes: &mut Vec<Cause>) -> bool {
        let actual = kind_of(value);
        let wanted = if self.is_int_or_string {
            "integer,string"
        } else {
            match self.kind {
                Some(kind) => kind.as_str(),
                // A schema without a type has no say; only null has to be allowed where there are fields.
                None if !value.is_null() || self.keeps_unknown => return true,
                None => "object",
            }
        };
        let is_right =
            wanted.split(',').any(|wanted| wanted == actual || (wanted, actual) == ("number", "integer"));
        if is_right {
            return true;
        }
        let format = &self.checks.format;
        let is_fraction = (wanted, actual) == ("integer", "number") && !format.is_empty();
        let (wanted, actual) = if is_fraction { (format.as_str(), "float64") } else { (wanted, actual) };
        causes.push(wrong_type(path, actual, wanted));
        if is_fraction {
            causes.push(out_of_format(path, format));
        }
        false
    }
}

/// The type of a value as messages name it.
fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => Kind::Boolean.as_str(),
        Value::Number(number) if number.as_f64().is_some_and(|number| number.fract() == 0.0) => "integer",
        Value::Number(_) => Kind::Number.as_str(),
        Value::String(_) => Kind::String.as_str(),
        Value::Array(_) => Kind::Array.as_str(),
        Value::Object(_) => Kind::Object.as_str(),
    }
}

fn wrong_type(path: &str, shown: &str, wanted: &str) -> Cause {
    let message = format!("Invalid value: {shown:?}: {path} in body must be of type {wanted}: {shown:?}");
    cause("FieldValueTypeInvalid", path, message)
}

fn out_of_format(path: &str, format: &str) -> Cause {
    let detail = format!("Checked value must be of type integer with format {format} in {path}");
    cause("FieldValueInvalid", NO_FIELD, format!("Invalid value: \"\": {detail}"))
}

impl Checks {
    /// Adds what is wrong with `value`, whose type is right.
    pub(super) fn check_value(&self, value: &Value, path: &str, causes: &mut Vec<Cause>) {
        match value {
            Value::String(text) => causes.extend(self.text_fault(text, path)),
            Value::Number(number) => {
                self.check_number(value, number.as_f64().unwrap_or_default(), path, causes);
            }
            Value::Array(items) => {
                let noun = ("items", self.min_items, self.max_items);
                causes.extend(count_fault(items.len(), noun, path));
            }
            Value::Object(fields) => {
                let noun = ("properties", self.min_properties, self.max_properties);
                causes.extend(count_fault(fields.len(), noun, path));
            }
            Value::Null | Value::Bool(_) => {}
        }
        if !self.one_of_values.is_empty() && !self.one_of_values.contains(value) {
            causes.push(unsupported(value, &self.one_of_values, path));
        }
    }

    /// The first thing that is wrong with a string.
    fn text_fault(&self, text: &str, path: &str) -> Option<Cause> {
        let value = Value::from(text);
        let length = text.chars().count();
        if let Some(most) = self.max_length.filter(|most| length > *most) {
            let message = format!("Too long: may not be more than {most} bytes");
            return Some(cause("FieldValueTooLong", path, message));
        }
        if let Some(least) = self.min_length.filter(|least| length < *least) {
            let detail = format!("{path} in body should be at least {least} chars long");
            return Some(invalid_value(path, &value, &detail));
        }
        if let Some(pattern) = self.pattern.as_ref().filter(|pattern| !pattern.is_match(text)) {
            let detail = format!("{path} in body should match '{pattern}'");
            return Some(invalid_value(path, &value, &detail));
        }
        (!has_format(text, &self.format)).then(|| wrong_type(path, text, &self.format))
    }

    fn check_number(&self, value: &Value, number: f64, path: &str, causes: &mut Vec<Cause>) {
        let is_wide = match self.format.as_str() {
            "int32" => number < f64::from(i32::MIN) || number > f64::from(i32::MAX),
            _ => false,
        };
        if is_wide {
            causes.push(out_of_format(path, &self.format));
        }
        let mut complain = |text: &str, bound: f64| {
            causes.push(invalid_value(path, value, &format!("{path} in body should be {text} {bound}")));
        };
        if let Some(factor) = self.multiple_of.filter(|factor| (number / factor).fract() != 0.0) {
            complain("a multiple of", factor);
        }
        match self.maximum {
            Some(most) if self.exclusive_maximum && number >= most => complain("less than", most),
            Some(most) if number > most => complain("less than or equal to", most),
            Some(_) | None => {}
        }
        match self.minimum {
            Some(least) if self.exclusive_minimum && number <= least => complain("greater than", least),
            Some(least) if number < least => complain("greater than or equal to", least),
            Some(_) | None => {}
        }
    }
}

/// Too few or too many of something.
fn count_fault(count: usize, noun: (&str, Option<usize>, Option<usize>), path: &str) -> Option<Cause> {
    let (noun, least, most) = noun;
    if let Some(least) = least.filter(|least| count < *least) {
        let detail = format!("{path} in body should have at least {least} {noun}");
        return Some(invalid_value(path, &Value::from(count), &detail));
    }
    let most = most.filter(|most| count > *most)?;
    Some(cause("FieldValueTooMany", path, format!("Too many: {count}: must have at most {most} items")))
}

fn unsupported(value: &Value, supported: &[Value], path: &str) -> Cause {
    let supported: Vec<String> = supported
        .iter()
        .map(|value| {
            value.as_str().map_or_else(|| format!("{:?}", value.to_string()), |text| format!("{text:?}"))
        })
        .collect();
    let message = format!("Unsupported value: {value}: supported values: {}", supported.join(", "));
    cause("FieldValueNotSupported", path, message)
}

/// Whether a string has the format; formats that are not known do not restrict it.
fn has_format(text: &str, format: &str) -> bool {
    match format {
        "date-time" | "datetime" => text.parse::<Timestamp>().is_ok(),
        "date" => text.parse::<Date>().is_ok(),
        "ipv4" => text.parse::<Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<Ipv6Addr>().is_ok(),
        "uuid" => {
            let digits = text.bytes().filter(u8::is_ascii_hexdigit).count();
            digits == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
        }
        _ => true,
    }
}
