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
    /// What there is to say of fields that are there more than once.
    pub repeated: Repeated,
}

/// Fields that a text has more than once, as the API server complains of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repeated {
    /// In JSON, such as `duplicate field "spec.replicas"`.
    Fields(Vec<String>),
    /// In YAML, such as `line 7: key "replicas" already set in map`.
    Lines(Vec<String>),
}

impl Default for Repeated {
    fn default() -> Self {
        Self::Fields(Vec::new())
    }
}

/// Reads JSON.
pub fn json(text: &[u8]) -> Result<Document, String> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    let read = read(&mut reader).and_then(|read| reader.end().map(|()| read));
    let (value, repeated) = read.map_err(|error| fault::of(text).unwrap_or_else(|| error.to_string()))?;
    let complaints = repeated.iter().map(|field| format!("duplicate field {:?}", field.path)).collect();
    Ok(Document { value, repeated: Repeated::Fields(complaints) })
}

/// Reads YAML.
pub fn yaml(text: &[u8]) -> Result<Document, String> {
    let (value, repeated) =
        read(serde_yaml::Deserializer::from_slice(text)).map_err(|error| in_yaml(&error))?;
    let lines = repeated.iter().enumerate().map(|(index, field)| {
        let line = line_of_repetition(text, index + 1);
        format!("line {line}: key {:?} already set in map", field.name)
    });
    Ok(Document { value, repeated: Repeated::Lines(lines.collect()) })
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
        start.is_ok_and(|(_, repeated)| repeated.len() >= count)
    };
    ends.chain([text.len()]).take_while(|end| !is_so_far(end)).count() + 1
}

/// A field that is there again.
struct Again {
    path: String,
    name: String,
}

fn read<'de, D: Deserializer<'de>>(text: D) -> Result<(Value, Vec<Again>), D::Error> {
    let mut repeated = Vec::new();
    let value = Noting { path: String::new(), repeated: &mut repeated }.deserialize(text)?;
    Ok((value, repeated))
}

/// Reads one value at `path`.
struct Noting<'a> {
    path: String,
    repeated: &'a mut Vec<Again>,
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
            match items.next_element_seed(Noting { path, repeated: &mut *self.repeated })? {
                Some(item) => list.push(item),
                None => return Ok(Value::Array(list)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            let path = if self.path.is_empty() { name.clone() } else { format!("{}.{name}", self.path) };
            if map.contains_key(&name) {
                self.repeated.push(Again { path: path.clone(), name: name.clone() });
            }
            let value = fields.next_value_seed(Noting { path, repeated: &mut *self.repeated })?;
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
    fn fields_that_are_there_again_are_named() {
        let read =
            json(br#"{"a": [{"b": 1, "b": 2.5, "c": -1}, null, true], "d": {"e": 1}, "d": "f"}"#).unwrap();
        assert_eq!(read.value, json!({"a": [{"b": 2.5, "c": -1}, null, true], "d": "f"}));
        let complaints = ["duplicate field \"a[0].b\"", "duplicate field \"d\""].map(str::to_owned);
        assert_eq!(read.repeated, Repeated::Fields(complaints.into()));
    }

    #[test]
    fn lines_of_yaml_are_named() {
        let read = yaml(b"a:\n  b: 1\n  c: 2\n  b:\n    d: 3\na: 4\n").unwrap();
        assert_eq!(read.value, json!({"a": 4}));
        let complaints = ["line 4: key \"b\" already set in map", "line 6: key \"a\" already set in map"];
        assert_eq!(read.repeated, Repeated::Lines(complaints.map(str::to_owned).into()));
        assert_eq!(yaml(b"a: 1").unwrap().repeated, Repeated::Lines(Vec::new()));
    }

    #[test]
    fn what_is_no_yaml_is_refused() {
        let why = "yaml: line 2: mapping values are not allowed in this context";
        assert_eq!(yaml(b"a: b\n  c: d").unwrap_err(), why);
    }
}
