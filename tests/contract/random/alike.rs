//! What makes answers of two worlds comparable: what each world chooses by itself is named by when it was seen first.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::{SignedDuration, Timestamp};
use regex::{Captures, Regex};
use serde_json::{Map, Value, json};

use super::exceptions::{Exceptions, UNORDERED};
use crate::world::text;

/// The address of a service that is only tried.
const TRIED: &str = "10.96.0.0";

/// How far from now a time may be that a world has set.
const NEAR: SignedDuration = SignedDuration::from_hours(24);

/// What a world chooses by itself, as it stands in texts.
struct Pattern {
    /// Where this is not in a text, the pattern is not.
    mark: &'static str,
    regex: Regex,
}

impl Pattern {
    fn new(mark: &'static str, regex: &str) -> Self {
        Self { mark, regex: Regex::new(regex).expect("a regular expression") }
    }

    /// A text with something else in the place of each that is in it.
    fn replaced(&self, text: String, by: impl FnMut(&Captures<'_>) -> String) -> String {
        if text.contains(self.mark) { self.regex.replace_all(&text, by).into_owned() } else { text }
    }
}

static UID: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new("-4", "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
});
static VERSION: LazyLock<Pattern> = LazyLock::new(|| {
    let regex = r"(?i)(resource ?version in (?:the precondition|record) \(|resourceVersion(?::|\W{3,8}))\d+";
    Pattern::new("ersion", regex)
});
static ADDRESS: LazyLock<Pattern> = LazyLock::new(|| Pattern::new("10.96.", r"\b10\.96\.\d+\.\d+\b"));
static VOLUME: LazyLock<Pattern> =
    LazyLock::new(|| Pattern::new("kube-api-access-", "kube-api-access-[a-z0-9]{5}"));
static NODE_PORT: LazyLock<Pattern> = LazyLock::new(|| Pattern::new(":3", r":3[0-2]\d{3}/"));
static TIME: LazyLock<Pattern> =
    LazyLock::new(|| Pattern::new("Z", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z"));

/// The chosen values of one world, each with its common name.
#[derive(Default)]
pub(crate) struct Names {
    known: BTreeMap<String, String>,
    /// The names of objects that were generated.
    generated: BTreeMap<String, String>,
    pub(super) exceptions: Exceptions,
}

impl Names {
    /// Has a name that was generated go by `name`.
    pub(crate) fn learn(&mut self, value: &str, name: &str) {
        self.generated.insert(value.to_owned(), name.to_owned());
    }

    fn name(&mut self, kind: &str, value: &str) -> String {
        let next = self.known.len() + self.generated.len();
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
                let named = std::mem::take(map).into_iter().map(|(key, value)| (self.common(key), value));
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
                    *value = "<port>".into();
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// A text with common names for those that were generated.
    fn common(&self, text: String) -> String {
        self.generated.iter().fold(text, |text, (value, name)| text.replace(value, name))
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
        let mut text = self.common(text);
        if key == "cells" {
            text = NODE_PORT.replaced(text, |_| ":<port>/".to_owned());
        }
        text = UID.replaced(text, |found| self.name("uid", &found[0]));
        text =
            ADDRESS.replaced(text, |found| (if &found[0] == TRIED { TRIED } else { "<address>" }).to_owned());
        text = VOLUME.replaced(text, |_| "kube-api-access-*".to_owned());
        text = VERSION.replaced(text, |found| format!("{}<version>", &found[1]));
        let now = serin_clock::Clock::System.now();
        let is_near =
            |text: &str| text.parse::<Timestamp>().is_ok_and(|time| time.duration_since(now).abs() < NEAR);
        TIME.replaced(text, |found| if is_near(&found[0]) { "<now>".to_owned() } else { found[0].to_owned() })
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
