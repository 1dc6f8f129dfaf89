//! A document as a tree with positions.

use serde_json::{Map, Number, Value};

/// A position in a file. Line and column count from 1; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::cli::lint) struct Mark {
    pub(in crate::cli::lint) line: usize,
    pub(in crate::cli::lint) column: usize,
}

/// A value and its position.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::cli::lint) struct Node {
    pub(in crate::cli::lint) at: Mark,
    pub(in crate::cli::lint) content: Content,
    /// The source text of an unquoted scalar.
    pub(in crate::cli::lint) word: Option<String>,
}

/// The content of a node.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::cli::lint) enum Content {
    Null,
    Truth(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A field, and the position of its name.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::cli::lint) struct Entry {
    pub(in crate::cli::lint) key: String,
    pub(in crate::cli::lint) at: Mark,
    pub(in crate::cli::lint) value: Node,
}

impl Node {
    /// The value as JSON. The last one of duplicate fields wins.
    pub(in crate::cli::lint) fn to_json(&self) -> Value {
        match &self.content {
            Content::Null => Value::Null,
            Content::Truth(truth) => Value::Bool(*truth),
            Content::Number(number) => Value::Number(number.clone()),
            Content::Text(text) => Value::String(text.clone()),
            Content::List(items) => items.iter().map(Self::to_json).collect(),
            Content::Map(entries) => {
                let fields = entries.iter().map(|entry| (entry.key.clone(), entry.value.to_json()));
                Value::Object(fields.collect::<Map<_, _>>())
            }
        }
    }

    /// The same without the field at `path`. If the path leads to a list item, the whole list is removed.
    pub(in crate::cli::lint) fn without(&self, path: &str) -> Self {
        let path = path.strip_prefix('.').unwrap_or(path);
        let content = match &self.content {
            Content::List(items) => {
                let index = path.strip_prefix('[').and_then(|path| path.split_once(']'));
                let index = index.and_then(|(index, rest)| Some((index.parse::<usize>().ok()?, rest)));
                let item = |(place, item): (usize, &Self)| match index {
                    Some((index, rest)) if index == place => item.without(rest),
                    Some(_) | None => item.clone(),
                };
                Content::List(items.iter().enumerate().map(item).collect())
            }
            Content::Map(entries) => {
                let named = entries.iter().filter(|entry| begins(path, &entry.key));
                let named = named.max_by_key(|entry| entry.key.len()).map(|entry| entry.key.clone());
                let rest = named.as_ref().map_or("", |key| &path[key.len()..]);
                let entry = |entry: &Entry| {
                    if Some(&entry.key) != named.as_ref() {
                        return Some(entry.clone());
                    }
                    let is_end = rest.is_empty() || rest.starts_with('[') && rest.ends_with(']');
                    (!is_end).then(|| Entry { value: entry.value.without(rest), ..entry.clone() })
                };
                Content::Map(entries.iter().filter_map(entry).collect())
            }
            Content::Null | Content::Truth(_) | Content::Number(_) | Content::Text(_) => self.content.clone(),
        };
        Self { at: self.at, content, word: self.word.clone() }
    }

    /// The fields; empty if it is not a map.
    pub(in crate::cli::lint) fn entries(&self) -> &[Entry] {
        match &self.content {
            Content::Map(entries) => entries,
            Content::Null | Content::Truth(_) | Content::Number(_) | Content::Text(_) | Content::List(_) => {
                &[]
            }
        }
    }

    /// The items; empty if it is not a list.
    pub(in crate::cli::lint) fn items(&self) -> &[Self] {
        match &self.content {
            Content::List(items) => items,
            Content::Null | Content::Truth(_) | Content::Number(_) | Content::Text(_) | Content::Map(_) => {
                &[]
            }
        }
    }

    /// The value of a field.
    pub(in crate::cli::lint) fn field(&self, name: &str) -> Option<&Self> {
        self.entries().iter().find(|entry| entry.key == name).map(|entry| &entry.value)
    }

    /// The text of a field, if it is a string.
    pub(in crate::cli::lint) fn text(&self, name: &str) -> Option<&str> {
        match &self.field(name)?.content {
            Content::Text(text) => Some(text),
            Content::Null | Content::Truth(_) | Content::Number(_) | Content::List(_) | Content::Map(_) => {
                None
            }
        }
    }

    /// The position of the field at a path such as `spec.steps[2].setWeight`, or of the last existing part of the
    /// path.
    pub(in crate::cli::lint) fn place(&self, path: &str) -> Mark {
        self.place_of(path).unwrap_or(self.at)
    }

    fn place_of(&self, path: &str) -> Option<Mark> {
        let path = path.strip_prefix('.').unwrap_or(path);
        if let Some((index, rest)) = path.strip_prefix('[').and_then(|path| path.split_once(']')) {
            let item = self.items().get(index.parse::<usize>().ok()?)?;
            return Some(item.place_of(rest).unwrap_or(item.at));
        }
        // A key may contain dots.
        let entry = self.entries().iter().filter(|entry| begins(path, &entry.key));
        let entry = entry.max_by_key(|entry| entry.key.len())?;
        Some(entry.value.place_of(&path[entry.key.len()..]).unwrap_or(entry.at))
    }
}

/// True if the first part of a path is `key`.
fn begins(path: &str, key: &str) -> bool {
    !key.is_empty()
        && path.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[', ' ']))
}
