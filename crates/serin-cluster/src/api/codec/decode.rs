//! From JSON to JSON, through a type.

use serde_json::{Map, Value};

use super::forms::{bytes, in_thousandths, int_or_text, is_within, json_kind, words};
use super::quantity;
use super::time;
use super::zero::{write, zero};
use serin_kubernetes::types::{self, Field, Shape, Type};

/// What came of decoding.
#[derive(Debug)]
pub(in crate::api) struct Decoded {
    pub(in crate::api) object: Value,
    /// Paths of fields that the type does not have.
    pub(in crate::api) unknown: Vec<String>,
}

/// Which of the two decoders of the API server reads, each with words of its own for what does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::api) enum Reader {
    /// That of JSON: of several values that do not fit it names the first, unless one that has a form of its own (a
    /// time, a quantity) comes to be read later.
    #[default]
    Json,
    /// That of what was merged already: it ends with the first that does not fit.
    Merged,
}

/// `sent` as an object of a type; none where the type is not known. The refusal is the decoder's part of a message.
pub(in crate::api) fn decode(
    type_name: &str,
    sent: &Value,
    reader: Reader,
) -> Option<Result<Decoded, String>> {
    let own = types::find(type_name)?;
    let mut decoder = Decoder { reader, ..Decoder::default() };
    let read = decoder.object(own, sent.as_object().unwrap_or(&Map::new()));
    Some(read.and_then(|mut object| {
        if let Some(first) = decoder.first {
            return Err(first);
        }
        for name in ["apiVersion", "kind"] {
            object.extend(sent.get(name).map(|value| (name.to_owned(), value.clone())));
        }
        if reader == Reader::Merged {
            decoder.unknown.sort();
        }
        Ok(Decoded { object: object.into(), unknown: decoder.unknown })
    }))
}

#[derive(Default)]
struct Decoder {
    reader: Reader,
    /// The type of the object that is being read.
    owner: &'static str,
    /// The fields that lead to what is being read.
    fields: Vec<&'static str>,
    /// The same with places in lists and keys of maps.
    place: Vec<String>,
    /// The first value that does not fit.
    first: Option<String>,
    unknown: Vec<String>,
}

impl Decoder {
    fn object(
        &mut self,
        own: &'static Type,
        sent: &Map<String, Value>,
    ) -> Result<Map<String, Value>, String> {
        let mut values = Map::new();
        let mut sent: Vec<(&String, &Value)> = sent.iter().collect();
        if self.reader == Reader::Merged {
            sent.sort_by_key(|(name, _)| place_in(own, name));
        }
        for (name, value) in sent {
            let mut through = Vec::new();
            let Some(field) = find(own, name, &mut through) else {
                // The decoder of any object knows these two.
                if !(self.place.is_empty() && matches!(name.as_str(), "apiVersion" | "kind")) {
                    self.unknown.push(self.place_of(name));
                }
                continue;
            };
            if value.is_null() && field.is_pointer {
                continue;
            }
            let (owner, depth) = (std::mem::replace(&mut self.owner, own.short_name()), self.fields.len());
            self.fields.extend(through);
            self.fields.push(field.name);
            let decoded = self.at(format!(".{name}"), |decoder| decoder.value(&field.shape, value));
            self.fields.truncate(depth);
            self.owner = owner;
            values.insert(name.clone(), decoded?);
        }
        let mut object = Map::new();
        write(own, &mut values, &mut object);
        Ok(object)
    }

    fn at<T>(&mut self, step: String, read: impl FnOnce(&mut Self) -> T) -> T {
        self.place.push(step);
        let read = read(self);
        self.place.pop();
        read
    }

    fn place_of(&self, name: &str) -> String {
        format!("{}.{name}", self.place.concat()).trim_start_matches('.').to_owned()
    }

    fn value(&mut self, shape: &Shape, sent: &Value) -> Result<Value, String> {
        if sent.is_null() {
            return Ok(zero(shape));
        }
        match (shape, sent) {
            (Shape::Text(_), Value::String(_)) | (Shape::Truth, Value::Bool(_)) | (Shape::Any, _) => {
                Ok(sent.clone())
            }
            (Shape::Int32, Value::Number(number)) if is_within(number, i32::MAX.into()) => Ok(sent.clone()),
            (Shape::Int64, Value::Number(number)) if is_within(number, i64::MAX) => Ok(sent.clone()),
            (Shape::Float, Value::Number(_)) => Ok(sent.clone()),
            (Shape::Bytes, Value::String(text)) => match (self.reader, bytes(text)) {
                (Reader::Merged, Err(why)) => Err(format!("error decoding from json: {why}")),
                (_, bytes) => Ok(self.or_zero(bytes, shape)),
            },
            (Shape::Quantity, _) => quantity::read(sent).map(|quantity| quantity.to_string().into()),
            (Shape::Time, _) => time::seconds(&words(sent)?).map(Value::from),
            (Shape::MicroTime, _) => time::micros(&words(sent)?).map(Value::from),
            (Shape::IntOrText, _) => int_or_text(sent),
            (Shape::Object(name), Value::Object(sent)) => match types::find(name) {
                Some(own) => self.object(own, sent).map(Value::Object),
                None => Ok(Value::Object(sent.clone())),
            },
            (Shape::List(_, item), Value::Array(sent)) => {
                let items = sent.iter().enumerate();
                items
                    .map(|(index, sent)| self.at(format!("[{index}]"), |all| all.value(item, sent)))
                    .collect()
            }
            (Shape::Map(name, inner), Value::Object(sent)) => {
                let read = |(key, sent): (&String, &Value)| {
                    let value = self.at(format!(".{key}"), |decoder| decoder.value(inner, sent))?;
                    Ok((
                        key.clone(),
                        if *name == Some("v1.ResourceList") { in_thousandths(value) } else { value },
                    ))
                };
                sent.iter().map(read).collect()
            }
            _ if self.reader == Reader::Merged => {
                merged_number(shape, sent).ok_or_else(|| merged_misfit(shape, sent))
            }
            _ => {
                let misfit = self.misfit(shape, sent);
                Ok(self.or_zero(Err(misfit), shape))
            }
        }
    }

    /// Keeps the first of what does not fit, and goes on without it.
    fn or_zero(&mut self, read: Result<Value, String>, shape: &Shape) -> Value {
        read.unwrap_or_else(|misfit| {
            self.first.get_or_insert(misfit);
            zero(shape)
        })
    }

    fn misfit(&self, shape: &Shape, sent: &Value) -> String {
        let found = match (sent, shape) {
            (Value::Number(number), Shape::Int32 | Shape::Int64) => format!("number {number}"),
            _ => json_kind(sent).to_owned(),
        };
        let (owner, path, expected) = (self.owner, self.fields.join("."), shape.type_name());
        format!("json: cannot unmarshal {found} into Go struct field {owner}.{path} of type {expected}")
    }
}

/// The field of that name, and what stands in the place of fields on the way to it.
fn find(own: &'static Type, name: &str, through: &mut Vec<&'static str>) -> Option<&'static Field> {
    if let Some(field) = own.fields.iter().find(|field| field.name == name && !name.is_empty()) {
        return Some(field);
    }
    own.fields.iter().filter(|field| field.name.is_empty()).find_map(|field| {
        let Shape::Object(inner) = field.shape else { return None };
        let inner = types::find(inner)?;
        through.push(inner.short_name());
        let found = find(inner, name, through);
        if found.is_none() {
            through.pop();
        }
        found
    })
}

/// Where a field stands among all fields of a type.
fn place_in(own: &'static Type, name: &str) -> usize {
    fn count(own: &'static Type, name: &str, before: usize) -> Result<usize, usize> {
        own.fields
            .iter()
            .try_fold(before, |before, field| match (field.name, &field.shape) {
                ("", Shape::Object(inner)) => match types::find(inner) {
                    Some(inner) => match count(inner, name, before) {
                        Ok(found) => Err(found),
                        Err(after) => Ok(after),
                    },
                    None => Ok(before),
                },
                (own, _) if own == name => Err(before),
                _ => Ok(before + 1),
            })
            .map_or_else(Ok, Err)
    }
    count(own, name, 0).unwrap_or(usize::MAX)
}

/// A whole number that is written as another.
fn merged_number(shape: &Shape, sent: &Value) -> Option<Value> {
    let number = sent.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < 9e15)?;
    match shape {
        #[expect(clippy::cast_possible_truncation, reason = "it is whole and in range")]
        Shape::Int32 | Shape::Int64 => Some((number as i64).into()),
        Shape::Text(..)
        | Shape::Truth
        | Shape::Float
        | Shape::Bytes
        | Shape::Quantity
        | Shape::Time
        | Shape::MicroTime
        | Shape::IntOrText
        | Shape::Any
        | Shape::Object(..)
        | Shape::List(..)
        | Shape::Map(..) => None,
    }
}

/// What the second reader says of a value that does not fit.
fn merged_misfit(shape: &Shape, sent: &Value) -> String {
    let found = match sent {
        Value::Null => "invalid",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "slice",
        Value::Object(_) => "map",
    };
    let plain = match shape {
        Shape::Text(_) => "string",
        Shape::Truth => "bool",
        Shape::Int32 => "int32",
        Shape::Int64 => "int64",
        Shape::Float => "float64",
        Shape::Object(_) => return format!("cannot restore struct from: {found}"),
        Shape::Map(..) => return format!("cannot restore map from {found}"),
        Shape::Bytes
        | Shape::Quantity
        | Shape::Time
        | Shape::MicroTime
        | Shape::IntOrText
        | Shape::Any
        | Shape::List(..) => {
            return format!("cannot restore slice from {found}");
        }
    };
    match (shape, found) {
        // Languages convert numbers to each other and to the text with the letter of that number; this reader does not.
        (Shape::Text(_), "int64") | (Shape::Int32 | Shape::Int64, "float64") => {
            format!("cannot convert {found} to {}", shape.type_name())
        }
        _ => format!("unrecognized type: {plain}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::empty;
    use super::*;

    fn read(type_name: &str, sent: &Value) -> Result<Decoded, String> {
        decode(type_name, sent, Reader::Json).expect("a type")
    }

    #[test]
    fn what_is_empty_is_there_or_not_as_the_type_says() {
        let sent = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x", "labels": {}},
            "spec": {"hostNetwork": false, "terminationGracePeriodSeconds": 0, "containers": [
                {"name": "c", "args": [], "env": [{"name": "E", "value": ""}], "image": null}],
                "volumes": [{"name": "v", "emptyDir": {}}]}});
        let expected = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"},
            "spec": {"terminationGracePeriodSeconds": 0, "volumes": [{"name": "v", "emptyDir": {}}], "containers": [
                {"name": "c", "env": [{"name": "E"}], "resources": {}}]}, "status": {}});
        assert_eq!(read("core/v1.Pod", &sent).unwrap().object, expected);
        let template = json!({"metadata": {}, "spec": {"containers": null}});
        let expected = json!({"metadata": {}, "spec": {"selector": null, "template": template}, "status": {"replicas": 0}});
        assert_eq!(empty("apps/v1.ReplicaSet"), expected);
    }

    #[test]
    fn unknown_fields_are_dropped_and_named() {
        let sent = json!({"bogus": 1, "spec": {"containers": [{"name": "c", "imagge": "i"}]}});
        let decoded = read("core/v1.Pod", &sent).unwrap();
        assert_eq!(decoded.unknown, ["bogus", "spec.containers[0].imagge"]);
        assert_eq!(decoded.object.get("bogus"), None);
    }

    #[test]
    fn what_does_not_fit_is_refused_by_its_place_in_the_types() {
        for (type_name, sent, why) in [
            (
                "apps/v1.ReplicaSet",
                json!({"spec": {"replicas": "three"}}),
                "string into Go struct field ReplicaSetSpec.spec.replicas of type int32",
            ),
            (
                "apps/v1.ReplicaSet",
                json!({"spec": {"replicas": 2.5}}),
                "number 2.5 into Go struct field ReplicaSetSpec.spec.replicas of type int32",
            ),
            (
                "apps/v1.ReplicaSet",
                json!({"spec": []}),
                "array into Go struct field ReplicaSet.spec of type v1.ReplicaSetSpec",
            ),
            (
                "core/v1.Service",
                json!({"metadata": {"annotations": {"k": 1}}}),
                "number into Go struct field ObjectMeta.metadata.annotations of type string",
            ),
            (
                "core/v1.Pod",
                json!({"spec": {"volumes": [{"name": "v", "emptyDir": "x"}]}}),
                "string into Go struct field Volume.spec.volumes.VolumeSource.emptyDir of type v1.EmptyDirVolumeSource",
            ),
            (
                "core/v1.Service",
                json!({"spec": {"ports": [{"protocol": 1}]}}),
                "number into Go struct field ServicePort.spec.ports.protocol of type v1.Protocol",
            ),
        ] {
            let refused = read(type_name, &sent).unwrap_err();
            assert_eq!(refused, format!("json: cannot unmarshal {why}"));
        }
    }

    #[test]
    fn base64_has_one_form() {
        let data = |text: &str| read("core/v1.Secret", &json!({"data": {"k": text}}));
        assert_eq!(data("aGk=").unwrap().object["data"]["k"], "aGk=");
        assert_eq!(data("aG\nk=").unwrap().object["data"]["k"], "aGk=");
        for (text, place) in [("?", 0), ("aGk", 0), ("aGkg?AAA", 4), ("aGkga", 4)] {
            assert_eq!(
                data(text).unwrap_err(),
                format!("illegal base64 data at input byte {place}"),
                "{text}"
            );
        }
    }

    #[test]
    fn forms_of_their_own_are_read() {
        let limits = |amount: Value| json!({"spec": {"containers": [{"name": "c", "resources": {"limits": {"cpu": amount}}}]}});
        let pod = read("core/v1.Pod", &limits(json!("0.0005"))).unwrap().object;
        assert_eq!(pod["spec"]["containers"][0]["resources"]["limits"]["cpu"], "1m");
        assert!(
            read("core/v1.Pod", &limits(json!("1 core"))).unwrap_err().starts_with("quantities must match")
        );
        let started = |time: Value| read("core/v1.Pod", &json!({"status": {"startTime": time}}));
        assert_eq!(
            started(json!("2026-01-02T03:04:05+02:00")).unwrap().object["status"]["startTime"],
            "2026-01-02T01:04:05Z"
        );
        assert_eq!(
            started(json!(5)).unwrap_err(),
            "json: cannot unmarshal number into Go value of type string"
        );
        let budget =
            |least: Value| read("policy/v1.PodDisruptionBudget", &json!({"spec": {"minAvailable": least}}));
        assert_eq!(budget(json!("x")).unwrap().object["spec"]["minAvailable"], "x");
        assert_eq!(
            budget(json!(true)).unwrap_err(),
            "json: cannot unmarshal bool into Go value of type int32"
        );
    }
}
