//! Equality and membership.

use crate::budget::Budget;
use crate::value::{Items, Key, List, Map, MapKind, Value};

/// True if two values are equal. Numbers are compared across types, as are lists, item by item.
pub(crate) fn equal(left: &Value, right: &Value, budget: &mut Budget) -> Result<bool, String> {
    budget.work(1)?;
    Ok(match (left, right) {
        #[expect(clippy::cast_precision_loss, reason = "Go rounds, too")]
        (Value::Int(int), Value::Float(float)) | (Value::Float(float), Value::Int(int)) => {
            is_same(*int as f64, *float)
        }
        (Value::List(left), Value::List(right)) if is_plain(left) && is_plain(right) => {
            if left.values.len() != right.values.len() {
                return Ok(false);
            }
            for (left, right) in left.values.iter().zip(right.values.iter()) {
                if !equal(left, right, budget)? {
                    return Ok(false);
                }
            }
            true
        }
        _ => identical(left, right, budget)?,
    })
}

/// True for lists whose items are compared across types.
fn is_plain(list: &List) -> bool {
    !matches!(list.items, Items::Pair | Items::Pairs)
}

/// Floats are equal as IEEE says: NaN is unequal to itself.
#[expect(clippy::float_cmp, reason = "the language compares exactly")]
fn is_same(left: f64, right: f64) -> bool {
    left == right
}

/// True if two values are equal and have the same type, in the values in them as well.
fn identical(left: &Value, right: &Value, budget: &mut Budget) -> Result<bool, String> {
    budget.work(1)?;
    Ok(match (left, right) {
        (Value::Nil, Value::Nil) => true,
        (Value::Bool(left), Value::Bool(right)) => left == right,
        (Value::Int(left), Value::Int(right)) | (Value::Duration(left), Value::Duration(right)) => {
            left == right
        }
        (Value::Float(left), Value::Float(right)) => is_same(*left, *right),
        (Value::String(left), Value::String(right)) => {
            budget.look_at(left.len() / 8)?;
            left == right
        }
        (Value::Time(left), Value::Time(right)) => left.timestamp() == right.timestamp(),
        (Value::Month(left), Value::Month(right)) | (Value::Weekday(left), Value::Weekday(right)) => {
            left == right
        }
        (Value::Zone(left), Value::Zone(right)) => left == right,
        (Value::List(left), Value::List(right)) => {
            if left.items != right.items || left.values.len() != right.values.len() {
                return Ok(false);
            }
            for (left, right) in left.values.iter().zip(right.values.iter()) {
                if !identical(left, right, budget)? {
                    return Ok(false);
                }
            }
            true
        }
        (Value::Map(left), Value::Map(right)) => identical_maps(left, right, budget)?,
        _ => false,
    })
}

fn identical_maps(left: &Map, right: &Map, budget: &mut Budget) -> Result<bool, String> {
    if left.kind != right.kind || left.entries.len() != right.entries.len() {
        return Ok(false);
    }
    for ((left_key, left), (right_key, right)) in left.entries.iter().zip(right.entries.iter()) {
        if left_key != right_key || !identical(left, right, budget)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// True if `needle` is an item of a list or a key of a map.
pub(crate) fn contains(haystack: &Value, needle: &Value, budget: &mut Budget) -> Result<bool, String> {
    match haystack {
        Value::Nil => Ok(false),
        Value::List(list) => {
            for item in list.values.iter() {
                if equal(item, needle, budget)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Value::Map(map) => Ok(map_key(map, needle)?.is_some_and(|key| map.entries.contains_key(&key))),
        // A time has no fields.
        Value::Time(_) if matches!(needle, Value::String(_)) => Ok(false),
        Value::Time(_) => Err(format!("cannot use {} as field name of time.Time", needle.type_name())),
        _ => Err(format!("operator \"in\" not defined on {}", haystack.type_name())),
    }
}

/// The key of `map` that `value` is; an error if it cannot be one.
pub(super) fn map_key(map: &Map, value: &Value) -> Result<Option<Key>, String> {
    match (map.kind, value) {
        (MapKind::Named, Value::Nil) => Ok(Some(Key::String("".into()))),
        (MapKind::Named, Value::String(_)) => Ok(Key::of(value)),
        (MapKind::Named, _) => Err(format!(
            "reflect.Value.MapIndex: value of type {} is not assignable to type string",
            value.type_name()
        )),
        (MapKind::Groups, _) => match Key::of(value) {
            Some(key) => Ok(Some(key)),
            None => Err(format!("runtime error: hash of unhashable type {}", value.type_name())),
        },
    }
}
