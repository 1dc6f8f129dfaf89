//! Checks fields and value types against the schema of a kind.

use std::collections::BTreeMap;

use super::finding::Remark;
use super::guess::{self, Known};
use super::rule::Rule;
use super::rules::{UNKNOWN_FIELD, WRONG_TYPE};
use super::shape::{Holds, Place};
use super::source::node::{Content, Entry, Node};

/// All unknown fields in `place`, and all values of a wrong type.
pub(super) fn check(object: &Node, place: Place<'_>) -> Vec<(&'static Rule, Remark)> {
    let mut walk = Walk { found: Vec::new(), places: Vec::new() };
    walk.value(object, place, "");
    walk.found
}

struct Walk<'a> {
    found: Vec<(&'static Rule, Remark)>,
    /// The known fields, from the whole object down to the current place.
    places: Vec<Known<'a>>,
}

impl<'a> Walk<'a> {
    fn value(&mut self, node: &Node, place: Place<'a>, path: &str) {
        let holds = place.holds();
        // Null is the same as a missing value.
        if node.content == Content::Null {
            return;
        }
        match (&holds, &node.content) {
            (Holds::Fields(known), Content::Map(entries)) => {
                self.places.push(Known { path: path.to_owned(), fields: known.clone() });
                self.fields(entries, known, path);
                self.places.pop();
            }
            (Holds::Each(place), Content::Map(entries)) => {
                for entry in entries {
                    self.value(&entry.value, *place, &join(path, &entry.key));
                }
            }
            (Holds::Items(place), Content::List(items)) => {
                for (index, item) in items.iter().enumerate() {
                    self.value(item, *place, &format!("{path}[{index}]"));
                }
            }
            _ if fits(&holds, &node.content) => {}
            _ => self.found.push((&WRONG_TYPE, misfit(node, &holds, path))),
        }
    }

    fn fields(&mut self, entries: &[Entry], known: &BTreeMap<&'a str, Place<'a>>, path: &str) {
        for entry in entries {
            let key = entry.key.as_str();
            match known.get(key) {
                Some(place) => self.value(&entry.value, *place, &join(path, key)),
                // Every object has these.
                None if path.is_empty() && matches!(key, "apiVersion" | "kind" | "metadata") => {}
                None => {
                    let (field, problem) = (join(path, key), "unknown field".to_owned());
                    let remedy = guess::remedy(entry, &self.places);
                    self.found
                        .push((&UNKNOWN_FIELD, Remark { field, value: String::new(), problem, remedy }));
                }
            }
        }
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn fits(holds: &Holds<'_>, content: &Content) -> bool {
    let is_whole = |content: &Content| matches!(content, Content::Number(number) if number.is_i64() || number.is_u64() || number.as_f64().is_some_and(|float| float.fract() == 0.0));
    match holds {
        Holds::Open => true,
        Holds::Text => matches!(content, Content::Text(_)),
        Holds::Truth => matches!(content, Content::Truth(_)),
        Holds::Whole => is_whole(content),
        Holds::Number => matches!(content, Content::Number(_)),
        Holds::WholeOrText => is_whole(content) || matches!(content, Content::Text(_)),
        Holds::Fields(_) | Holds::Each(_) | Holds::Items(_) => false,
    }
}

fn misfit(node: &Node, holds: &Holds<'_>, path: &str) -> Remark {
    let wanted = match holds {
        Holds::Fields(_) | Holds::Each(_) | Holds::Open => "a map",
        Holds::Items(_) => "a list",
        Holds::Text => "a string",
        Holds::Truth => "true or false",
        Holds::Whole => "an integer",
        Holds::Number => "a number",
        Holds::WholeOrText => "an integer or a string",
    };
    let is = match &node.content {
        Content::Null => "nothing",
        Content::Truth(_) => "a boolean",
        Content::Number(_) => "a number",
        Content::Text(_) => "a string",
        Content::List(_) => "a list",
        Content::Map(_) => "a map",
    };
    let value = node.to_json();
    let remedy = match (holds, &node.word) {
        (Holds::WholeOrText, _) if path.ends_with(".maxSurge") || path.ends_with(".maxUnavailable") => {
            "write a number of pods such as 1, or a percentage such as 25%".to_owned()
        }
        (Holds::Text, None) if node.entries().len() == 1 && node.text("name").is_some() => {
            format!("write only the name, {}", node.text("name").unwrap_or_default())
        }
        (Holds::Text, Some(word)) => {
            format!("put it in quotes, as in \"{word}\": without them kubectl reads {word} as {value}")
        }
        (Holds::Whole | Holds::Number | Holds::Truth, None) if is == "a string" => {
            "write it without quotes".to_owned()
        }
        _ => String::new(),
    };
    Remark::new(path, value, format!("must be {wanted}, but is {is}"), remedy)
}
