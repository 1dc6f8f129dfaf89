//! Bodies of requests as texts: read with the fields that they have more than once, and refused in the words of the API
//! server.

mod fault;

use std::fmt::{self, Formatter};

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// What a text says.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Of a field that is there more than once, the last.
    pub value: Value,
    /// What the value does not tell of the text.
    pub form: Form,
}

/// What a value does not tell of the text that it was read from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Form {
    /// Its fields, in the order of the text.
    pub fields: Vec<Field>,
    /// For YAML, what there is to say of fields that are there again, such as `line 7: key "replicas" already set in map`.
    pub lines: Vec<String>,
}

/// A field in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Such as `spec.ports[0].port`.
    pub path: String,
    /// Whether its object had it before.
    pub is_again: bool,
}

impl Form {
    /// Complaints of all fields that are there again.
    #[must_use]
    pub fn repeated(&self) -> Vec<String> {
        self.complaints(&[])
    }

    /// Complaints of fields that are there again and of those that are unknown, in the order of the text. What is inside
    /// of a field that is unknown was not looked at.
    #[must_use]
    pub fn complaints(&self, unknown: &[String]) -> Vec<String> {
        let is_inside = |path: &str| {
            let rest = |parent: &String| {
                path.strip_prefix(parent.as_str()).is_some_and(|rest| rest.starts_with(['.', '[']))
            };
            unknown.iter().any(rest)
        };
        let mut complaints = self.lines.clone();
        let mut rest: Vec<&String> = unknown.iter().collect();
        for Field { path, is_again } in &self.fields {
            if let Some(place) = rest.iter().position(|unknown| *unknown == path) {
                complaints.push(format!("unknown field \"{path}\""));
                rest.remove(place);
            } else if *is_again && !is_inside(path) {
                complaints.push(format!("duplicate field \"{path}\""));
            }
        }
        complaints.extend(rest.into_iter().map(|path| format!("unknown field \"{path}\"")));
        complaints
    }
}

/// Reads JSON.
pub fn json(text: &[u8]) -> Result<Document, String> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    let read = read(&mut reader).and_then(|read| reader.end().map(|()| read));
    let (value, fields) = read.map_err(|error| fault::of(text).unwrap_or_else(|| error.to_string()))?;
    Ok(Document { value, form: Form { fields, lines: Vec::new() } })
}

/// Reads YAML.
pub fn yaml(text: &[u8]) -> Result<Document, String> {
    let (value, fields) =
        read(serde_yaml::Deserializer::from_slice(text)).map_err(|error| in_yaml(&error))?;
    let mut form = Form { fields, lines: Vec::new() };
    for field in form.fields.iter_mut().filter(|field| field.is_again) {
        let name = field.path.rsplit('.').next().unwrap_or_default();
        let line = line_of_repetition(text, form.lines.len() + 1);
        form.lines.push(format!("line {line}: key {name:?} already set in map"));
        // The text in JSON that is made of it has every field once.
        field.is_again = false;
    }
    Ok(Document { value, form })
}

fn in_yaml(error: &serde_yaml::Error) -> String {
    let text = error.to_string();
    let what = text.split(" at line ").next().unwrap_or_default();
    match error.location() {
        Some(place) => format!("yaml: line {}: {what}", place.line()),
        None => format!("yaml: {what}"),
    }
}

/// The line on which a text has a field again for the `count`th time: the first with which it is so far.
fn line_of_repetition(text: &[u8], count: usize) -> usize {
    let ends = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(index, _)| index + 1);
    let is_so_far = |end: &usize| {
        let start = read(serde_yaml::Deserializer::from_slice(&text[..*end]));
        start.is_ok_and(|(_, fields)| fields.iter().filter(|field| field.is_again).count() >= count)
    };
    ends.chain([text.len()]).take_while(|end| !is_so_far(end)).count() + 1
}

fn read<'de, D: Deserializer<'de>>(text: D) -> Result<(Value, Vec<Field>), D::Error> {
    let mut fields = Vec::new();
    let value = Noting { path: String::new(), fields: &mut fields }.deserialize(text)?;
    Ok((value, fields))
}

/// Reads one value at `path`.
struct Noting<'a> {
    path: String,
    fields: &'a mut Vec<Field>,
}

impl<'de> DeserializeSeed<'de> for Noting<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Noting<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        loop {
            let path = format!("{}[{}]", self.path, list.len());
            match items.next_element_seed(Noting { path, fields: &mut *self.fields })? {
                Some(item) => list.push(item),
                None => return Ok(Value::Array(list)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let path = if self.path.is_empty() { name.clone() } else { format!("{}.{name}", self.path) };
            self.fields.push(Field { path: path.clone(), is_again: map.contains_key(&name) });
            let value = members.next_value_seed(Noting { path, fields: &mut *self.fields })?;
            map.insert(name, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_named_in_the_order_of_the_text() {
        let text =
            br#"{"z": 1, "a": [{"b": 1, "b": 2.5, "c": -1}, null, true], "d": {"e": 1, "e": 2}, "d": "f"}"#;
        let read = json(text).unwrap();
        assert_eq!(read.value, json!({"a": [{"b": 2.5, "c": -1}, null, true], "d": "f", "z": 1}));
        let again = ["duplicate field \"a[0].b\"", "duplicate field \"d.e\"", "duplicate field \"d\""];
        assert_eq!(read.form.repeated(), again);
        let unknown = ["a[0].c", "d", "z", "gone"].map(str::to_owned);
        let all = [
            "unknown field \"z\"",
            again[0],
            "unknown field \"a[0].c\"",
            "unknown field \"d\"",
            again[2],
            "unknown field \"gone\"",
        ];
        assert_eq!(read.form.complaints(&unknown), all);
    }

    #[test]
    fn lines_of_yaml_are_named() {
        let read = yaml(b"a:\n  b: 1\n  c: 2\n  b:\n    d: 3\na: 4\n").unwrap();
        assert_eq!(read.value, json!({"a": 4}));
        let complaints = ["line 4: key \"b\" already set in map", "line 6: key \"a\" already set in map"];
        assert_eq!(read.form.repeated(), complaints);
        assert_eq!(yaml(b"a: 1").unwrap().form.repeated(), [""; 0]);
    }

    #[test]
    fn what_is_no_yaml_is_refused() {
        let why = "yaml: line 2: mapping values are not allowed in this context";
        assert_eq!(yaml(b"a: b\n  c: d").unwrap_err(), why);
    }
}
