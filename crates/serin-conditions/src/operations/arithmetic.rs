//! Arithmetic and order. Integers wrap around; an integer with a float is a float.

use std::cmp::Ordering;

use jiff::SignedDuration;

use crate::value::Value;

/// The message about an operation that these values do not have.
fn invalid(name: &str, left: &Value, right: &Value) -> String {
    format!("invalid operation: {} {name} {}", left.type_name(), right.type_name())
}

/// Two numbers of one type.
enum Pair {
    Ints(i64, i64),
    Floats(f64, f64),
}

fn numbers(left: &Value, right: &Value) -> Option<Pair> {
    if let (Value::Int(left), Value::Int(right)) = (left, right) {
        return Some(Pair::Ints(*left, *right));
    }
    Some(Pair::Floats(number(left)?, number(right)?))
}

/// The float that a number is.
#[expect(clippy::cast_precision_loss, reason = "Go rounds, too")]
fn number(value: &Value) -> Option<f64> {
    if let Value::Int(value) = value {
        return Some(*value as f64);
    }
    if let Value::Float(value) = value { Some(*value) } else { None }
}

/// The float that `value` is; an error for what is no number.
pub(crate) fn float_of(value: &Value) -> Result<f64, String> {
    number(value).ok_or_else(|| format!("invalid operation: float({})", value.type_name()))
}

/// The integer that `value` is, a float without its fraction; an error for what is no number.
pub(crate) fn int_of(value: &Value) -> Result<i64, String> {
    if let Value::Int(value) = value {
        return Ok(*value);
    }
    number(value).map(truncated).ok_or_else(|| format!("invalid operation: int({})", value.type_name()))
}

/// `value` without its fraction. The least integer where there is none such, as on the machines that the reference
/// runs on.
#[expect(clippy::cast_possible_truncation, reason = "the range is checked before")]
pub(crate) fn truncated(value: f64) -> i64 {
    const BOUND: f64 = 9_223_372_036_854_775_808.0;
    if (-BOUND..BOUND).contains(&value) { value as i64 } else { i64::MIN }
}

fn moved(time: &jiff::Zoned, nanos: i64, sign: i32) -> Result<Value, String> {
    let span = SignedDuration::from_nanos(nanos) * sign;
    let time = time.checked_add(span).map_err(|_| "time out of range")?;
    Ok(Value::Time(Box::new(time)))
}

pub(crate) fn add(left: &Value, right: &Value) -> Result<Value, String> {
    match (left, right) {
        (Value::String(left), Value::String(right)) => Ok(Value::String(format!("{left}{right}").into())),
        (Value::Time(time), Value::Duration(nanos)) | (Value::Duration(nanos), Value::Time(time)) => {
            moved(time, *nanos, 1)
        }
        (Value::Duration(left), Value::Duration(right)) => Ok(Value::Duration(left.wrapping_add(*right))),
        _ => match numbers(left, right).ok_or_else(|| invalid("+", left, right))? {
            Pair::Ints(left, right) => Ok(Value::Int(left.wrapping_add(right))),
            Pair::Floats(left, right) => Ok(Value::Float(left + right)),
        },
    }
}

pub(crate) fn subtract(left: &Value, right: &Value) -> Result<Value, String> {
    match (left, right) {
        (Value::Time(left), Value::Time(right)) => {
            let nanos = left.timestamp().as_nanosecond() - right.timestamp().as_nanosecond();
            // Like Go, the longest duration where it is longer.
            let longest = if nanos < 0 { i64::MIN } else { i64::MAX };
            Ok(Value::Duration(i64::try_from(nanos).unwrap_or(longest)))
        }
        (Value::Time(time), Value::Duration(nanos)) => moved(time, *nanos, -1),
        (Value::Duration(left), Value::Duration(right)) => Ok(Value::Duration(left.wrapping_sub(*right))),
        _ => match numbers(left, right).ok_or_else(|| invalid("-", left, right))? {
            Pair::Ints(left, right) => Ok(Value::Int(left.wrapping_sub(right))),
            Pair::Floats(left, right) => Ok(Value::Float(left - right)),
        },
    }
}

pub(crate) fn multiply(left: &Value, right: &Value) -> Result<Value, String> {
    match (left, right) {
        (Value::Duration(left), Value::Duration(right) | Value::Int(right))
        | (Value::Int(left), Value::Duration(right)) => Ok(Value::Duration(left.wrapping_mul(*right))),
        (Value::Duration(nanos), Value::Float(factor)) | (Value::Float(factor), Value::Duration(nanos)) => {
            let nanos = float_of(&Value::Int(*nanos))?;
            Ok(Value::Duration(truncated(nanos * factor)))
        }
        _ => match numbers(left, right).ok_or_else(|| invalid("*", left, right))? {
            Pair::Ints(left, right) => Ok(Value::Int(left.wrapping_mul(right))),
            Pair::Floats(left, right) => Ok(Value::Float(left * right)),
        },
    }
}

/// A float, for integers as well.
pub(crate) fn divide(left: &Value, right: &Value) -> Result<Value, String> {
    match (number(left), number(right)) {
        (Some(left), Some(right)) => Ok(Value::Float(left / right)),
        _ => Err(invalid("/", left, right)),
    }
}

pub(crate) fn remainder(left: &Value, right: &Value) -> Result<Value, String> {
    match (left, right) {
        (Value::Int(_), Value::Int(0)) => Err("runtime error: integer divide by zero".to_owned()),
        (Value::Int(left), Value::Int(right)) => Ok(Value::Int(left.wrapping_rem(*right))),
        _ => Err(invalid("%", left, right)),
    }
}

pub(crate) fn power(left: &Value, right: &Value) -> Result<Value, String> {
    Ok(Value::Float(float_of(left)?.powf(float_of(right)?)))
}

pub(crate) fn negate(value: &Value) -> Result<Value, String> {
    match value {
        Value::Int(value) => Ok(Value::Int(value.wrapping_neg())),
        Value::Float(value) => Ok(Value::Float(-value)),
        _ => Err(format!("invalid operation: - {}", value.type_name())),
    }
}

/// The order of two values, for the operator `name`. `None` where NaN is one of them; an error where they have none.
pub(crate) fn compare(name: &str, left: &Value, right: &Value) -> Result<Option<Ordering>, String> {
    Ok(match (left, right) {
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        (Value::Time(left), Value::Time(right)) => Some(left.timestamp().cmp(&right.timestamp())),
        (Value::Duration(left), Value::Duration(right)) => Some(left.cmp(right)),
        _ => match numbers(left, right).ok_or_else(|| invalid(name, left, right))? {
            Pair::Ints(left, right) => Some(left.cmp(&right)),
            Pair::Floats(left, right) => left.partial_cmp(&right),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_wrap_around() {
        let (least, most) = (Value::Int(i64::MIN), Value::Int(i64::MAX));
        let int = |result: Result<Value, String>| result.and_then(|value| int_of(&value));
        assert_eq!(int(add(&most, &Value::Int(1))), Ok(i64::MIN));
        assert_eq!(int(subtract(&least, &Value::Int(1))), Ok(i64::MAX));
        assert_eq!(int(multiply(&most, &Value::Int(2))), Ok(-2));
        assert_eq!(int(negate(&least)), Ok(i64::MIN));
        assert_eq!(int(remainder(&least, &Value::Int(-1))), Ok(0));
        assert!(remainder(&least, &Value::Int(0)).is_err());
    }

    #[test]
    fn floats_lose_their_fraction_towards_zero() {
        for (value, expected) in
            [(3.99, 3), (-3.99, -3), (f64::NAN, i64::MIN), (f64::INFINITY, i64::MIN), (-1e300, i64::MIN)]
        {
            assert_eq!(truncated(value), expected);
        }
    }
}
