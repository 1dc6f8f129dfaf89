//! Objects seen through the lists of their kind: their fields as a set, the difference of two, one merged into another,
//! and one without some fields.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::super::lists::{ListType, Lists};
use super::field_set::{Element, FieldSet, Scalar};
use super::json_kind;

/// What changed from one object to another.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    pub(super) removed: FieldSet,
    pub(super) modified: FieldSet,
    pub(super) added: FieldSet,
}

impl Comparison {
    /// The changes outside of the fields at these paths.
    pub(super) fn without(&self, paths: &[&[&str]]) -> Self {
        Self {
            removed: self.removed.without(paths),
            modified: self.modified.without(paths),
            added: self.added.without(paths),
        }
    }
}

/// How a value is taken apart.
enum Shape<'a> {
    Leaf,
    Map(&'a Map<String, Value>),
    List(&'a [Value], Option<Vec<String>>),
}

/// A walk through an object: where it is, as elements and as names.
pub(super) struct Walk<'a> {
    lists: &'a dyn Lists,
    path: Vec<Element>,
    names: Vec<String>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(lists: &'a dyn Lists) -> Self {
        Self { lists, path: Vec::new(), names: Vec::new() }
    }

    fn enter<T>(&mut self, element: Element, walk: impl FnOnce(&mut Self) -> T) -> T {
        let is_field = if let Element::Field(name) = &element {
            self.names.push(name.clone());
            true
        } else {
            false
        };
        self.path.push(element);
        let walked = walk(self);
        self.path.pop();
        if is_field {
            self.names.pop();
        }
        walked
    }

    fn names(&self) -> Vec<&str> {
        self.names.iter().map(String::as_str).collect()
    }

    /// How `value`, which is here, is taken apart; the keys of a list are none for a set.
    fn shape<'v>(&self, value: &'v Value) -> Shape<'v> {
        // The items of a list have the names of their list: a list in a list has no type of its own.
        let is_item = !matches!(self.path.last(), None | Some(Element::Field(_)));
        match value {
            Value::Object(map) if !self.lists.is_atomic_map(&self.names()) => Shape::Map(map),
            Value::Array(items) if !is_item => match self.lists.list_type(&self.names()) {
                ListType::Atomic => Shape::Leaf,
                ListType::Set => Shape::List(items, None),
                ListType::Map(keys) => Shape::List(items, Some(keys)),
            },
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_) => Shape::Leaf,
        }
    }

    /// What tells the item of a list here from the others.
    fn identity(&self, item: &Value, index: usize, keys: Option<&[String]>) -> Element {
        let Some(keys) = keys else {
            return if item.is_object() || item.is_array() || item.is_null() {
                Element::Index(index)
            } else {
                Element::Value(Scalar(item.clone()))
            };
        };
        let names = self.names();
        let value = |key: &String| {
            let value = item.get(key).cloned().or_else(|| self.lists.key_default(&names, key))?;
            Some((key.clone(), Scalar(value)))
        };
        let mut fields: Vec<(String, Scalar)> = keys.iter().filter_map(value).collect();
        fields.sort();
        if fields.is_empty() { Element::Index(index) } else { Element::Key(fields) }
    }

    fn identities<'v>(&self, items: &'v [Value], keys: Option<&[String]>) -> Vec<(Element, &'v Value)> {
        items.iter().enumerate().map(|(index, item)| (self.identity(item, index, keys), item)).collect()
    }

    /// An item of an applied list that cannot be told from another, as a path and what is wrong.
    pub(super) fn misfit(&mut self, value: &Value) -> Option<String> {
        match self.shape(value) {
            Shape::Leaf => None,
            Shape::Map(map) => map.iter().find_map(|(name, value)| {
                self.enter(Element::Field(name.clone()), |walk| walk.misfit(value))
            }),
            Shape::List(items, keys) => {
                let here = super::field_set::path_text(&self.path);
                let mut seen = Vec::new();
                for (index, (element, item)) in
                    self.identities(items, keys.as_deref()).into_iter().enumerate()
                {
                    if matches!(element, Element::Index(_)) {
                        return Some(format!(
                            "{here}: element {index}: {}",
                            no_identity(item, keys.as_deref())
                        ));
                    }
                    if seen.contains(&element) {
                        return Some(format!("{here}: duplicate entries for key {element}"));
                    }
                    seen.push(element.clone());
                    if let Some(misfit) = self.enter(element, |walk| walk.misfit(item)) {
                        return Some(misfit);
                    }
                }
                None
            }
        }
    }

    /// Adds the fields of `value`, which is here, to `set`.
    pub(super) fn fields(&mut self, value: &Value, set: &mut FieldSet) {
        match self.shape(value) {
            Shape::Leaf => set.insert(&self.path),
            Shape::Map(map) => {
                for (name, value) in map {
                    self.enter(Element::Field(name.clone()), |walk| {
                        walk.fields(value, set);
                        let is_empty = value.is_null() || value.as_object().is_some_and(Map::is_empty);
                        if is_empty || walk.lists.is_free_key(&walk.names()) {
                            set.insert(&walk.path);
                        }
                    });
                }
            }
            Shape::List(items, keys) => {
                for (element, same) in grouped(self.identities(items, keys.as_deref())) {
                    self.enter(element, |walk| {
                        if let [item] = same.as_slice() {
                            walk.fields(item, set);
                        }
                        set.insert(&walk.path);
                    });
                }
            }
        }
    }

    /// Adds what changed here from `old` to `new`.
    pub(super) fn compare(&mut self, old: Option<&Value>, new: Option<&Value>, changes: &mut Comparison) {
        let shape = |value: Option<&'_ Value>| match value.map(|value| self.shape(value)) {
            Some(Shape::Map(map)) if !map.is_empty() => 1,
            Some(Shape::List(items, _)) if !items.is_empty() => 2,
            Some(Shape::Map(_) | Shape::List(..) | Shape::Leaf) | None => 0,
        };
        let (old_shape, new_shape) = (shape(old), shape(new));
        if old_shape == 0 && new_shape == 0 {
            self.compare_leaves(old, new, changes);
            return;
        }
        self.compare_maps(old, new, changes);
        self.compare_lists(old, new, changes);
        match (old, new) {
            (None, _) => changes.added.insert(&self.path),
            (_, None) => changes.removed.insert(&self.path),
            (Some(old), Some(new)) if are_different(old, new) && (old_shape == 0 || new_shape == 0) => {
                changes.modified.insert(&self.path);
            }
            (Some(_), Some(_)) => {}
        }
    }

    fn compare_leaves(&self, old: Option<&Value>, new: Option<&Value>, changes: &mut Comparison) {
        match (old, new) {
            (None, _) => changes.added.insert(&self.path),
            (_, None) => changes.removed.insert(&self.path),
            (Some(old), Some(new)) if old != new => changes.modified.insert(&self.path),
            (Some(_), Some(_)) => {}
        }
    }

    fn map_of<'v>(&self, value: Option<&'v Value>) -> Option<&'v Map<String, Value>> {
        match value.map(|value| self.shape(value)) {
            Some(Shape::Map(map)) => Some(map),
            Some(Shape::List(..) | Shape::Leaf) | None => None,
        }
    }

    /// The items of a list here by what tells them apart.
    fn list_of<'v>(&self, value: Option<&'v Value>) -> Option<Vec<(Element, &'v Value)>> {
        match value.map(|value| self.shape(value)) {
            Some(Shape::List(items, keys)) => Some(self.identities(items, keys.as_deref())),
            Some(Shape::Map(_) | Shape::Leaf) | None => None,
        }
    }

    fn compare_maps(&mut self, old: Option<&Value>, new: Option<&Value>, changes: &mut Comparison) {
        let (old, new) = (self.map_of(old), self.map_of(new));
        let names = old.into_iter().flatten().chain(new.into_iter().flatten()).map(|(name, _)| name);
        let names: BTreeSet<&String> = names.collect();
        for name in names {
            let old = old.and_then(|map| map.get(name));
            let new = new.and_then(|map| map.get(name));
            self.enter(Element::Field(name.clone()), |walk| walk.compare(old, new, changes));
        }
    }

    fn compare_lists(&mut self, old: Option<&Value>, new: Option<&Value>, changes: &mut Comparison) {
        let old = grouped(self.list_of(old).unwrap_or_default());
        let new = grouped(self.list_of(new).unwrap_or_default());
        let elements: BTreeSet<&Element> = old.keys().chain(new.keys()).collect();
        for element in elements {
            let old = old.get(element).map(Vec::as_slice).unwrap_or_default();
            let new = new.get(element).map(Vec::as_slice).unwrap_or_default();
            self.enter(element.clone(), |walk| walk.compare_items(old, new, changes));
        }
    }

    /// Compares the items of the same identity; several of one are owned as one.
    fn compare_items(&mut self, old: &[&Value], new: &[&Value], changes: &mut Comparison) {
        match (old, new) {
            ([] | [_], [] | [_]) => self.compare(old.first().copied(), new.first().copied(), changes),
            ([_, _, ..], [_, _, ..]) => {
                if old != new {
                    changes.modified.insert(&self.path);
                }
            }
            ([_, _, ..], _) => {
                if let [new] = new {
                    self.compare(None, Some(new), changes);
                }
                changes.removed.insert(&self.path);
            }
            (_, [_, _, ..]) => {
                if let [old] = old {
                    self.compare(Some(old), None, changes);
                }
                changes.added.insert(&self.path);
            }
        }
    }

    /// `old` with the configuration `new` merged into it.
    pub(super) fn merge(&mut self, old: Option<&Value>, new: Option<&Value>) -> Option<Value> {
        let (Some(before), Some(after)) = (old, new) else { return new.or(old).cloned() };
        match (self.shape(before), self.shape(after)) {
            (Shape::Map(before), Shape::Map(after)) => {
                let mut merged = before.clone();
                for (name, value) in after {
                    let old = before.get(name);
                    let value = self.enter(Element::Field(name.clone()), |walk| walk.merge(old, Some(value)));
                    merged.insert(name.clone(), value?);
                }
                Some(Value::Object(merged))
            }
            (Shape::List(before, keys), Shape::List(after, _)) => {
                let before = self.identities(before, keys.as_deref());
                let after = self.identities(after, keys.as_deref());
                Some(Value::Array(self.merge_items(&before, &after)))
            }
            // Null adds nothing to what is there.
            (Shape::Map(map), Shape::Leaf) if after.is_null() && !map.is_empty() => Some(before.clone()),
            (Shape::List(items, _), Shape::Leaf) if after.is_null() && !items.is_empty() => {
                Some(before.clone())
            }
            (Shape::Map(_) | Shape::List(..) | Shape::Leaf, _) => Some(after.clone()),
        }
    }

    /// The items of both lists: those of the configuration in its order, the others where they stand relative to the
    /// items that both have.
    fn merge_items(&mut self, old: &[(Element, &Value)], new: &[(Element, &Value)]) -> Vec<Value> {
        let is_in =
            |list: &[(Element, &Value)], element: &Element| list.iter().any(|(other, _)| other == element);
        let mut shared =
            new.iter().map(|(element, _)| element).filter(|element| is_in(old, element)).peekable();
        let (mut before, mut after) = (0, 0);
        let mut merged = Vec::new();
        while before < old.len() || after < new.len() {
            if let Some((element, item)) = old.get(before) {
                if !is_in(new, element) {
                    merged.push((*item).clone());
                    before += 1;
                    continue;
                }
                let is_next = new.get(after).is_none_or(|(next, _)| next == element);
                let is_of_another_turn = shared.peek().is_some_and(|shared| *shared != element);
                let is_done = new[..after].iter().any(|(done, _)| done == element);
                if is_next || is_of_another_turn || is_done {
                    before += 1;
                }
                if !is_next && is_of_another_turn {
                    continue;
                }
            }
            if let Some((element, item)) = new.get(after) {
                merged.extend(self.merge_item(old, element, item));
                after += 1;
                if shared.peek() == Some(&element) {
                    shared.next();
                }
            }
        }
        merged
    }

    /// An item of the configuration merged into the one that it is; of several that are the same none is merged into.
    fn merge_item(&mut self, old: &[(Element, &Value)], element: &Element, item: &Value) -> Option<Value> {
        let mut same = old.iter().filter(|(other, _)| other == element).map(|(_, item)| *item);
        let old = same.next().filter(|_| same.next().is_none());
        self.enter(element.clone(), |walk| walk.merge(old, Some(item)))
    }

    /// `value` without the members of `set`; nothing where nothing is left of a container, and null for one in it.
    pub(super) fn remove(&mut self, value: &Value, set: &FieldSet) -> Option<Value> {
        match self.shape(value) {
            Shape::Leaf => Some(value.clone()),
            Shape::Map(map) => {
                let mut kept = Map::new();
                for (name, value) in map {
                    let element = Element::Field(name.clone());
                    kept.extend(self.remove_below(value, &element, set).map(|value| (name.clone(), value)));
                }
                (!kept.is_empty() || map.is_empty()).then_some(Value::Object(kept))
            }
            Shape::List(items, keys) => {
                let mut kept = Vec::new();
                for (element, item) in self.identities(items, keys.as_deref()) {
                    kept.extend(self.remove_below(item, &element, set));
                }
                (!kept.is_empty() || items.is_empty()).then_some(Value::Array(kept))
            }
        }
    }

    fn remove_below(&mut self, value: &Value, element: &Element, set: &FieldSet) -> Option<Value> {
        if set.has(element) {
            return None;
        }
        match set.below(element) {
            Some(below) => {
                let rest = self.enter(element.clone(), |walk| walk.remove(value, below));
                Some(rest.unwrap_or_default())
            }
            None => Some(value.clone()),
        }
    }
}

/// Whether the values are of different kinds; null is of any.
fn are_different(one: &Value, other: &Value) -> bool {
    let kinds = (json_kind(one), json_kind(other));
    kinds.0 != kinds.1 && !one.is_null() && !other.is_null()
}

fn grouped(items: Vec<(Element, &Value)>) -> BTreeMap<Element, Vec<&Value>> {
    let mut groups: BTreeMap<Element, Vec<&Value>> = BTreeMap::new();
    for (element, item) in items {
        groups.entry(element).or_default().push(item);
    }
    groups
}

fn no_identity(item: &Value, keys: Option<&[String]>) -> String {
    match keys {
        Some(keys) if item.is_object() => {
            let keys: Vec<String> = keys.iter().map(|key| format!("{key:?}")).collect();
            format!(
                "associative list with keys has an element that omits all key fields [{}] (and doesn't have default \
                 values for any key fields)",
                keys.join(" ")
            )
        }
        Some(_) if item.is_null() => "associative list with keys may not have a null element".to_owned(),
        Some(_) => "associative list with keys may not have non-map elements".to_owned(),
        None if item.is_object() => {
            "associative list without keys has an element that's a map type".to_owned()
        }
        None if item.is_array() => "not supported: associative list with lists as elements".to_owned(),
        None => "associative list without keys has an element that's an explicit null".to_owned(),
    }
}
