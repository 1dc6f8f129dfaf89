//! Strategic merge patches: merge patches that merge lists by the keys that the kind declares, with directives.
//!
//! | directive | meaning |
//! |---|---|
//! | `$patch: replace` | the map that it is in, or the list that has it as an item, is replaced |
//! | `$patch: delete` | the map is emptied; the item of the list that has the same merge key is removed |
//! | `$retainKeys: [..]` | of the map that it is in, all other keys are dropped |
//! | `$deleteFromPrimitiveList/F: [..]` | these scalars are removed from the list F |
//! | `$setElementOrder/F: [..]` | the order of the items of the list F, of those items that it names |

use std::mem;

use serde_json::{Map, Value};

use super::super::lists::Lists;
use super::super::shown;
use super::super::status::{Reason, Status};
use super::json_kind;

const PATCH: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const DELETE_FROM: &str = "$deleteFromPrimitiveList";
const ELEMENT_ORDER: &str = "$setElementOrder";

type Object = Map<String, Value>;

/// `live` with the strategic merge patch `patch` applied to it.
///
/// A null removes what it names. Refusals are those of the API server, including its 500 for directives and lists that
/// it does not understand.
pub fn strategic(lists: &dyn Lists, live: &Value, patch: &Value) -> Result<Value, Status> {
    let Some(patch) = patch.as_object() else {
        let kind = json_kind(patch);
        let message =
            format!("json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}");
        return Err(Status::new(Reason::BadRequest, message));
    };
    let live = live.as_object().cloned().unwrap_or_default();
    let mut merger = Merger { lists, path: Vec::new() };
    merger.maps(live, patch.clone()).map(Value::Object)
}

/// `patch` as a refusal of what it makes of `live` shows it: as text, without what the merge has taken out of it.
#[must_use]
pub fn spent(live: &Value, patch: &Value) -> String {
    shown::plain(&left(Some(live), patch))
}

fn left(live: Option<&Value>, patch: &Value) -> Value {
    let Value::Object(patch) = patch else { return within_list(patch) };
    match patch.get(PATCH).and_then(Value::as_str) {
        Some("replace") if live.is_some_and(Value::is_object) => {
            return patch
                .iter()
                .filter(|(key, _)| *key != PATCH)
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect();
        }
        Some(_) => return Value::Object(patch.clone()),
        None => {}
    }
    let Some(Value::Object(live)) = live else { return new_part(patch) };
    let is_ordered = |key: &str| patch.contains_key(&format!("{ELEMENT_ORDER}/{key}"));
    let kept = patch
        .iter()
        .filter(|(key, _)| *key != RETAIN_KEYS && !key.starts_with(ELEMENT_ORDER) && !is_ordered(key));
    kept.map(|(key, value)| (key.clone(), left(live.get(key), value))).collect()
}

/// A part of a patch that is new in the object: nulls and what directives remove are taken out of it.
fn new_part(patch: &Object) -> Value {
    let kept = patch.iter().filter(|(_, value)| !value.is_null());
    kept.filter_map(|(key, value)| Some((key.clone(), plain(value.clone())?))).collect()
}

/// A list itself stays as it was sent; what is in its items does not.
fn within_list(patch: &Value) -> Value {
    match patch {
        Value::Array(items) => items
            .iter()
            .map(|item| match item {
                Value::Object(fields) if !fields.contains_key(PATCH) => new_part(fields),
                Value::Object(_)
                | Value::Array(_)
                | Value::String(_)
                | Value::Number(_)
                | Value::Bool(_)
                | Value::Null => item.clone(),
            })
            .collect(),
        Value::Object(_) | Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null => {
            patch.clone()
        }
    }
}

/// Where in the object the merge is.
struct Merger<'a> {
    lists: &'a dyn Lists,
    path: Vec<String>,
}

impl Merger<'_> {
    fn maps(&mut self, mut live: Object, mut patch: Object) -> Result<Object, Status> {
        match patch.get(PATCH).map(|directive| directive.as_str().unwrap_or_default()) {
            Some("replace") => {
                patch.remove(PATCH);
                return Ok(patch);
            }
            Some("delete") => return Ok(Object::new()),
            Some(_) => return Err(unknown_directive(&patch)),
            None => {}
        }
        retain_keys(&mut live, &mut patch)?;
        self.ordered_lists(&mut live, &mut patch)?;
        for (key, change) in patch {
            if key.starts_with(DELETE_FROM) {
                let field = directive_field(&key, DELETE_FROM)?.to_owned();
                delete_scalars(&mut live, &field, &change)?;
            } else if change.is_null() {
                live.remove(&key);
            } else if let Some(merged) = self.field(&key, live.remove(&key), change)? {
                live.insert(key, merged);
            }
        }
        Ok(live)
    }

    /// What `key` is with `change` merged into it; nothing where a directive removes it.
    fn field(&mut self, key: &str, live: Option<Value>, change: Value) -> Result<Option<Value>, Status> {
        self.path.push(key.to_owned());
        let merged = match (live, change) {
            (Some(Value::Object(live)), Value::Object(change)) => {
                self.maps(live, change).map(|merged| Some(Value::Object(merged)))
            }
            (Some(Value::Array(live)), Value::Array(change)) => {
                let key = self.merge_key();
                let merged = key.map_or(Ok(change.clone()), |key| self.items(live, change, &key));
                merged.map(|merged| Some(Value::Array(merged)))
            }
            (_, change) => Ok(plain(change)),
        };
        self.path.pop();
        merged
    }

    fn merge_key(&self) -> Option<String> {
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        self.lists.merge_key(&path).map(str::to_owned)
    }

    /// Two lists merged, by `key` or, where it is empty, as sets of scalars.
    fn items(&mut self, live: Vec<Value>, patch: Vec<Value>, key: &str) -> Result<Vec<Value>, Status> {
        if live.is_empty() && patch.is_empty() {
            return Ok(live);
        }
        let of_maps = are_maps(live.iter().chain(&patch))?;
        if !of_maps {
            let merged = unique(live.iter().chain(&patch).cloned());
            return Ok(in_order(merged, &patch, &live, ""));
        }
        if key.is_empty() {
            let message = format!("cannot merge lists without merge key for {}", self.path.join("."));
            return Err(Status::new(Reason::Unknown, message));
        }
        let (live, patch) = item_directives(live, patch, key)?;
        let mut merged = live.clone();
        for item in &patch {
            let value = keyed(item, key)?;
            let found = merged.iter_mut().find(|other| other.get(key) == Some(value));
            match (found, item) {
                (Some(Value::Object(found)), Value::Object(item)) => {
                    *found = self.maps(mem::take(found), item.clone())?;
                }
                _ => merged.push(bare(item.clone())),
            }
        }
        merged.iter().try_for_each(|item| keyed(item, key).map(|_| ()))?;
        Ok(in_order(merged, &patch, &live, key))
    }

    /// The lists whose order the patch gives are merged and ordered, and leave the patch.
    fn ordered_lists(&mut self, live: &mut Object, patch: &mut Object) -> Result<(), Status> {
        let directives: Vec<String> =
            patch.keys().filter(|key| key.starts_with(ELEMENT_ORDER)).cloned().collect();
        for directive in directives {
            let order = list(patch.remove(&directive).unwrap_or_default())?;
            let field = directive_field(&directive, ELEMENT_ORDER)?.to_owned();
            let old = live.get(&field).cloned().map(list).transpose()?;
            let change = patch.remove(&field).map(list).transpose()?;
            self.path.push(field.clone());
            let key = self.merge_key();
            let ordered = self.ordered(old, change, &order, key.as_deref());
            self.path.pop();
            if let Some(ordered) = ordered? {
                live.insert(field, Value::Array(ordered));
            }
        }
        Ok(())
    }

    fn ordered(
        &mut self,
        old: Option<Vec<Value>>,
        change: Option<Vec<Value>>,
        order: &[Value],
        key: Option<&str>,
    ) -> Result<Option<Vec<Value>>, Status> {
        check_order(change.as_deref().unwrap_or_default(), order, key.unwrap_or_default())?;
        let before = old.clone().unwrap_or_default();
        if [&old, &change].iter().all(|list| list.as_ref().is_none_or(Vec::is_empty))
            && (old.is_some() || change.is_some())
        {
            return Err(Status::new(Reason::Unknown, "no elements in any of the given slices"));
        }
        let merged = match (old, change) {
            (None, None) => return Ok(None),
            (Some(old), None) => old,
            (None, Some(change)) => change.into_iter().filter_map(plain).collect(),
            (Some(old), Some(change)) => match key {
                Some(key) => self.items(old, change, key)?,
                None => change,
            },
        };
        Ok(Some(in_order(merged, order, &before, key.unwrap_or_default())))
    }
}

/// Drops what `$retainKeys` does not name.
fn retain_keys(live: &mut Object, patch: &mut Object) -> Result<(), Status> {
    let Some(retained) = patch.remove(RETAIN_KEYS) else { return Ok(()) };
    let bad = || Status::new(Reason::BadRequest, "invalid patch format of retainKeys");
    let retained = retained.as_array().ok_or_else(bad)?;
    let is_retained = |key: &str| retained.iter().any(|name| name.as_str() == Some(key));
    let is_of_list = |key: &str| key.starts_with(DELETE_FROM) || key.starts_with(ELEMENT_ORDER);
    if patch.iter().any(|(key, value)| !value.is_null() && !is_of_list(key) && !is_retained(key)) {
        return Err(bad());
    }
    live.retain(|key, _| is_retained(key));
    Ok(())
}

/// The field after the slash of a directive.
fn directive_field<'a>(directive: &'a str, prefix: &str) -> Result<&'a str, Status> {
    let field = directive.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('/'));
    field.ok_or_else(|| {
        let list = if prefix == DELETE_FROM { "primitive" } else { "setElementOrder" };
        Status::new(Reason::BadRequest, format!("invalid patch format of {list} list"))
    })
}

fn delete_scalars(live: &mut Object, field: &str, deleted: &Value) -> Result<(), Status> {
    let Some(Value::Array(items)) = live.get_mut(field) else { return Ok(()) };
    let deleted = list(deleted.clone())?;
    items.retain(|item| !deleted.contains(item));
    Ok(())
}

/// Takes the directives out of the items of a patch and does them.
fn item_directives(
    mut live: Vec<Value>,
    patch: Vec<Value>,
    key: &str,
) -> Result<(Vec<Value>, Vec<Value>), Status> {
    let mut rest = Vec::new();
    let mut replaces = false;
    for item in patch {
        match item.get(PATCH).map(|directive| directive.as_str().unwrap_or_default()) {
            None => rest.push(item),
            Some("delete") => {
                let value = keyed(&item, key)?;
                live.retain(|other| other.get(key) != Some(value));
            }
            Some("replace") => replaces = true,
            Some("merge") => {
                let message = "merging lists cannot yet be specified in the patch";
                return Err(Status::new(Reason::Unknown, message));
            }
            Some(_) => return Err(unknown_directive(item.as_object().unwrap_or(&Object::new()))),
        }
    }
    Ok(if replaces { (rest.into_iter().map(bare).collect(), Vec::new()) } else { (live, rest) })
}

/// Whether all `items` are maps; a mixture, and lists in lists, cannot be merged.
fn are_maps<'a>(items: impl Iterator<Item = &'a Value>) -> Result<bool, Status> {
    let mut kinds: Vec<&str> = items.map(json_kind).collect();
    if kinds.first() == Some(&"array") {
        let why = "the server rejected our request due to an error in our request";
        return Err(Status::with(Reason::Invalid, why, Value::Object(Object::new())));
    }
    kinds.dedup();
    if kinds.len() > 1 {
        let message = format!("list element types are not identical: {}", kinds.join(", "));
        return Err(Status::new(Reason::Unknown, message));
    }
    Ok(kinds == ["object"])
}

/// `merged` ordered: the items that `first` names in its order, the others as in `live`, which also says where the ones
/// come between the others.
fn in_order(merged: Vec<Value>, first: &[Value], live: &[Value], key: &str) -> Vec<Value> {
    let identity = |item: &Value| if key.is_empty() { item.clone() } else { item[key].clone() };
    let position = |list: &[Value], item: &Value| {
        let wanted = identity(item);
        list.iter().position(|other| identity(other) == wanted)
    };
    let (mut named, mut others): (Vec<Value>, Vec<Value>) =
        merged.into_iter().partition(|item| position(first, item).is_some());
    named.sort_by_key(|item| position(first, item));
    others.sort_by_key(|item| position(live, item).unwrap_or(usize::MAX));
    let mut named = named.into_iter().peekable();
    let mut others = others.into_iter().peekable();
    let mut ordered = Vec::new();
    while let (Some(other), Some(name)) = (others.peek(), named.peek()) {
        let is_before = match (position(live, other), position(live, name)) {
            (Some(other), Some(name)) => other < name,
            (None, _) | (_, None) => false,
        };
        ordered.extend(if is_before { others.next() } else { named.next() });
    }
    ordered.extend(named);
    ordered.extend(others);
    ordered
}

/// That the items of a patch come in the order that it gives.
fn check_order(items: &[Value], order: &[Value], key: &str) -> Result<(), Status> {
    if items.is_empty() || order.is_empty() {
        return Ok(());
    }
    let is_deletion = |item: &Value| !key.is_empty() && item.get(PATCH).is_some_and(|it| it == "delete");
    let mut rest = items.iter().filter(|item| !is_deletion(item)).peekable();
    let mut places = order.iter().peekable();
    // A directive behind the last item of the order is refused, too, as the API server does.
    while let (Some(item), Some(place)) = (rest.peek(), places.peek()) {
        if item.get(PATCH).is_some() {
            rest.next();
            continue;
        }
        let is_same = if key.is_empty() { item == place } else { keyed(item, key)? == keyed(place, key)? };
        if is_same {
            rest.next();
        }
        places.next();
    }
    if rest.peek().is_none() || places.peek().is_some() {
        return Ok(());
    }
    let message = format!(
        "The order in patch list:\n{}\n doesn't match {ELEMENT_ORDER} list:\n{}\n",
        shown::plain(&Value::from(items)),
        shown::plain(&Value::from(order)),
    );
    Err(Status::new(Reason::Unknown, message))
}

/// Whether a key is none of the object, but says how to patch it.
fn is_directive(key: &str) -> bool {
    key == PATCH || key == RETAIN_KEYS || key.starts_with(DELETE_FROM) || key.starts_with(ELEMENT_ORDER)
}

/// A value that is new in the object: without nulls in its maps and without what directives remove. Other directives are
/// taken for fields.
fn plain(value: Value) -> Option<Value> {
    match value {
        Value::Object(map) if map.contains_key(PATCH) => None,
        Value::Object(map) => Some(Value::Object(kept(map, plain))),
        Value::Array(items) => Some(Value::Array(items.into_iter().filter_map(plain).collect())),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Some(value),
    }
}

/// An item that is new in a list that is merged: directives in it are not followed, but are no fields either.
fn bare(value: Value) -> Value {
    match value {
        Value::Object(mut map) => {
            map.retain(|key, _| !is_directive(key));
            Value::Object(kept(map, |value| Some(bare(value))))
        }
        Value::Array(items) => items.into_iter().map(bare).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

/// What is kept of each field that is not null.
fn kept(map: Object, inner: fn(Value) -> Option<Value>) -> Object {
    let fields = map.into_iter().filter(|(_, value)| !value.is_null());
    fields.filter_map(|(key, value)| inner(value).map(|value| (key, value))).collect()
}

fn unique(items: impl Iterator<Item = Value>) -> Vec<Value> {
    let mut unique = Vec::new();
    for item in items {
        if !unique.contains(&item) {
            unique.push(item);
        }
    }
    unique
}

fn list(value: Value) -> Result<Vec<Value>, Status> {
    let kind = match value {
        Value::Array(items) => return Ok(items),
        Value::Null => "%!s(<nil>)",
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => shown::type_name(&value),
    };
    Err(Status::new(Reason::Unknown, format!("expected a []interface {{}}, but received a {kind}")))
}

/// The value of the merge key of an item.
fn keyed<'a>(item: &'a Value, key: &str) -> Result<&'a Value, Status> {
    item.get(key).ok_or_else(|| {
        let message = format!("map: {} does not contain declared merge key: {key}", shown::plain(item));
        Status::new(Reason::Unknown, message)
    })
}

fn unknown_directive(patch: &Object) -> Status {
    let directive = shown::plain(patch.get(PATCH).unwrap_or(&Value::Null));
    let message =
        format!("unknown patch type: {directive} in map: {}", shown::plain(&Value::Object(patch.clone())));
    Status::new(Reason::Unknown, message)
}
