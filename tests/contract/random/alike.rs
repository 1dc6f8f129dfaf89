//! What makes answers of two worlds comparable: what each world chooses by itself is named by when it was seen first.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use regex::Regex;
use serde_json::{Map, Value, json};

use super::exceptions::{Exceptions, UNORDERED};
use crate::world::text;

/// How far from now a time may be that a world has set.
const NEAR: SignedDuration = SignedDuration::from_hours(24);

/// The chosen values of one world, each with its common name.
pub(crate) struct Names {
    known: BTreeMap<String, String>,
    pub(super) exceptions: Exceptions,
    uid: Regex,
    version: Regex,
    address: Regex,
    volume: Regex,
    node_port: Regex,
    time: Regex,
}

impl Names {
    pub(crate) fn new() -> Self {
        let regex = |text: &str| Regex::new(text).expect("a regular expression");
        Self {
            known: BTreeMap::new(),
            exceptions: Exceptions::new(),
            uid: regex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"),
            version: regex(
                r#"(?i)(resource ?version in (?:the precondition|record) \(|resourceVersion(?::|\W{3,8}))\d+"#,
            ),
            address: regex(r"\b10\.96\.\d+\.\d+\b"),
            volume: regex(r"kube-api-access-[a-z0-9]{5}"),
            node_port: regex(r":(3[0-2]\d{3})/"),
            time: regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z"),
        }
    }

    /// Has a value that was asked for go by `name`.
    pub(crate) fn learn(&mut self, value: &str, name: &str) {
        self.known.insert(value.to_owned(), name.to_owned());
    }

    fn name(&mut self, kind: &str, value: &str) -> String {
        let next = self.known.len();
        self.known.entry(value.to_owned()).or_insert_with(|| format!("<{kind} {next}>")).clone()
    }

    /// An answer as both worlds should give it.
    pub(crate) fn alike(&mut self, answer: &Value) -> Value {
        let mut answer = answer.clone();
        self.rename(&mut answer, "");
        answer
    }

    fn rename(&mut self, value: &mut Value, key: &str) {
        match value {
            Value::Object(map) => {
                sort_causes(map);
                let named = std::mem::take(map).into_iter().map(|(key, value)| (self.generated(key), value));
                map.extend(named);
                let is_bookmark = map.get("type").is_some_and(|event| event == "BOOKMARK");
                if let Some(version) =
                    map.get_mut("object").and_then(|object| object.pointer_mut("/metadata/resourceVersion"))
                    && is_bookmark
                {
                    *version = "<of the bookmark>".into();
                }
                let is_list = map.contains_key("items") || map.contains_key("rows");
                if let Some(version) =
                    map.get_mut("metadata").and_then(|metadata| metadata.get_mut("resourceVersion"))
                    && is_list
                {
                    *version = "<of the list>".into();
                }
                for (key, value) in map.iter_mut() {
                    self.rename(value, key);
                }
            }
            Value::Array(list) => {
                for item in list.iter_mut() {
                    self.rename(item, key);
                }
                if key == "managedFields" {
                    list.sort_by_key(manager_of);
                }
            }
            Value::String(text) => *text = self.renamed(text, key),
            Value::Number(number) if key == "nodePort" || key == "healthCheckNodePort" => {
                if number.as_u64().is_some_and(|port| (30_000..32_768).contains(&port)) {
                    *value = self.name("port", &number.to_string()).into();
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// A text with the names that were generated in it.
    fn generated(&self, text: String) -> String {
        let names = self.known.iter().filter(|(_, name)| name.starts_with('g'));
        names.fold(text, |text, (value, name)| text.replace(value, name))
    }

    fn renamed(&mut self, text: &str, key: &str) -> String {
        if key == "message"
            && let Some((before, json, after)) = object_in(text)
        {
            let mut object = json;
            self.rename(&mut object, "");
            return format!("{}<object>{object}{}", self.renamed(before, key), self.renamed(after, key));
        }
        match key {
            "resourceVersion" if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
                return self.name("version", &format!("version {text}"));
            }
            "continue" if !text.is_empty() => return "<token>".to_owned(),
            // The server calls itself as its program is called.
            "manager" if text == "control-plane" => return "kube-apiserver".to_owned(),
            "cells" if is_age(text) => return "<age>".to_owned(),
            _ => {}
        }
        let text = self.exceptions.without(text);
        let mut renamed = self.generated(text);
        if key == "cells" {
            while let Some(found) = self.node_port.captures(&renamed).map(|found| found[1].to_owned()) {
                renamed = renamed.replace(&found, &self.name("port", &found));
            }
        }
        for (kind, pattern) in [("uid", self.uid.clone()), ("address", self.address.clone())] {
            while let Some(found) = pattern.find(&renamed).map(|found| found.as_str().to_owned()) {
                renamed = renamed.replace(&found, &self.name(kind, &found));
            }
        }
        renamed = self.volume.replace_all(&renamed, "kube-api-access-*").into_owned();
        renamed = self.version.replace_all(&renamed, "$1<version>").into_owned();
        let now = serin::clock::Clock::System.now();
        let is_near =
            |text: &str| text.parse::<Timestamp>().is_ok_and(|time| time.duration_since(now).abs() < NEAR);
        let time = |found: &regex::Captures<'_>| {
            if is_near(&found[0]) { "<now>".to_owned() } else { found[0].to_owned() }
        };
        self.time.replace_all(&renamed, time).into_owned()
    }
}

/// Brings causes that the real server names in any order into one.
fn sort_causes(status: &mut Map<String, Value>) {
    let kind = UNORDERED.iter().find(|unordered| {
        status.get("reason").is_some_and(|reason| reason == unordered.reason)
            && (unordered.group.is_empty() || status["details"]["group"] == unordered.group)
    });
    let Some(causes) = status.get_mut("details").and_then(|details| details["causes"].as_array_mut()) else {
        return;
    };
    if kind.is_none() || causes.len() < 2 {
        return;
    }
    let told = |causes: &[Value]| {
        let mut told: Vec<String> = Vec::new();
        for cause in causes {
            let one = format!("{}: {}", text(&cause["field"]), text(&cause["message"]));
            if !told.contains(&one) {
                told.push(one);
            }
        }
        told.join(", ")
    };
    let before = told(causes);
    causes.sort_by_key(Value::to_string);
    let after = told(causes);
    if let Some(Value::String(message)) = status.get_mut("message") {
        *message = message.replace(&before, &after);
    }
}

/// A message that shows a whole object as a text: what is before it, the object, and what is after it.
fn object_in(message: &str) -> Option<(&str, Value, &str)> {
    let start = message.find(r#""{\""#)?;
    let mut texts = serde_json::Deserializer::from_str(&message[start..]).into_iter::<String>();
    let object = serde_json::from_str(&texts.next()?.ok()?).ok()?;
    let end = start + texts.byte_offset();
    Some((&message[..start], object, &message[end..]))
}

/// Entries of the same time are in any order, and which are of the same time is chance.
fn manager_of(entry: &Value) -> String {
    json!([entry["manager"], entry["operation"], entry["subresource"], entry["apiVersion"]]).to_string()
}

/// `5s`, `2m3s`: how old an object is in a table.
fn is_age(text: &str) -> bool {
    !text.is_empty()
        && text.ends_with(['s', 'm', 'h'])
        && text.bytes().all(|byte| byte.is_ascii_digit() || b"smh".contains(&byte))
        && text.bytes().next().is_some_and(|byte| byte.is_ascii_digit())
}
