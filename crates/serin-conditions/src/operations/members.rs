//! Items of lists, entries of maps, and slices.

use super::arithmetic::int_of;
use super::equality::map_key;
use crate::budget::Budget;
use crate::text::brief;
use crate::value::{MapKind, Value};

/// Why a member was not found.
pub(crate) struct Missing {
    pub(crate) message: String,
    /// True if the owner has the right type, or is nil: another result could have the member.
    pub(crate) is_absent: bool,
}

impl Missing {
    fn absent(message: String) -> Self {
        Self { message, is_absent: true }
    }

    fn wrong(message: String) -> Self {
        Self { message, is_absent: false }
    }
}

/// The position of `index` in `length` items; negative ones count from the end. An error is the index counted so.
fn position(index: i64, length: usize) -> Result<usize, i64> {
    let signed_length = i64::try_from(length).unwrap_or(i64::MAX);
    let index = if index < 0 { index.saturating_add(signed_length) } else { index };
    usize::try_from(index).ok().filter(|position| *position < length).ok_or(index)
}

/// The member `key` of `owner`.
pub(crate) fn fetch(owner: &Value, key: &Value) -> Result<Value, Missing> {
    let out_of_range = |index: i64, length: usize| {
        Missing::absent(format!("index out of range: {index} (array length is {length})"))
    };
    match owner {
        Value::List(list) => {
            let index = int_of(key).map_err(Missing::wrong)?;
            let length = list.values.len();
            let position = position(index, length).map_err(|index| out_of_range(index, length))?;
            Ok(list.values[position].clone())
        }
        Value::String(text) => {
            let index = int_of(key).map_err(Missing::wrong)?;
            let length = text.len();
            let position = position(index, length).map_err(|index| out_of_range(index, length))?;
            Ok(Value::Int(i64::from(text.as_bytes()[position])))
        }
        Value::Map(map) => {
            let key = map_key(map, key).map_err(Missing::wrong)?;
            let found = key.and_then(|key| map.entries.get(&key).cloned());
            Ok(found.unwrap_or_else(|| match map.kind {
                MapKind::Named => Value::Nil,
                MapKind::Groups => Value::any_list(Vec::new()),
            }))
        }
        Value::Nil => Err(Missing::absent(format!("cannot fetch {} from <nil>", brief(key)))),
        _ => Err(Missing::wrong(format!("cannot fetch {} from {}", brief(key), owner.type_name()))),
    }
}

/// The bounds of the slice `from` to `to` of `length` items: negative ones count from the end, others end there.
fn bounds(from: i64, to: i64, length: usize) -> (usize, usize) {
    let bound = |index: i64| match position(index, length) {
        Ok(position) => position,
        Err(index) if index < 0 => 0,
        Err(_) => length,
    };
    let to = bound(to);
    (bound(from).min(to), to)
}

/// The items of `value` from `from` to before `to`. Texts are cut by bytes.
pub(crate) fn slice(
    value: &Value,
    from: Option<&Value>,
    to: Option<&Value>,
    budget: &mut Budget,
) -> Result<Value, String> {
    let from = from.map_or(Ok(0), int_of)?;
    let to = to.map_or(Ok(i64::MAX), int_of)?;
    match value {
        Value::List(list) => {
            let (from, to) = bounds(from, to, list.values.len());
            budget.items(to - from)?;
            Ok(Value::list(list.items, list.values[from..to].to_vec()))
        }
        Value::String(text) => {
            let (from, to) = bounds(from, to, text.len());
            budget.text(to - from)?;
            // A character that is cut in two is replaced.
            Ok(Value::text(&String::from_utf8_lossy(&text.as_bytes()[from..to])))
        }
        _ => Err(format!("cannot slice {}", value.type_name())),
    }
}

/// The items that a predicate looks at: of a list, or the bytes of a text.
pub(crate) fn items(value: &Value, budget: &mut Budget) -> Result<Vec<Value>, String> {
    match value {
        Value::List(list) => {
            budget.look_at(list.values.len())?;
            Ok(list.values.to_vec())
        }
        Value::String(text) => {
            budget.items(text.len())?;
            Ok(text.bytes().map(|byte| Value::Int(i64::from(byte))).collect())
        }
        Value::Map(map) if map.entries.is_empty() => Ok(Vec::new()),
        Value::Map(_) => Err("reflect: call of reflect.Value.Index on map Value".to_owned()),
        Value::Nil => Err("reflect: call of reflect.Value.Len on zero Value".to_owned()),
        _ => Err(format!("reflect: call of reflect.Value.Len on {} Value", value.type_name())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_count_from_both_ends() {
        for (index, expected) in
            [(0, Ok(0)), (2, Ok(2)), (3, Err(3)), (-1, Ok(2)), (-3, Ok(0)), (-4, Err(-1))]
        {
            assert_eq!(position(index, 3), expected);
        }
        assert!(position(i64::MIN, 3).is_err());
        for (from, to, expected) in [(0, 1, (0, 1)), (-1, 9, (2, 3)), (2, 1, (1, 1)), (-9, -9, (0, 0))] {
            assert_eq!(bounds(from, to, 3), expected);
        }
    }
}
