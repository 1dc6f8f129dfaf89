//! Built-in kinds in the protobuf form, in which some commands of kubectl send them. Answers are JSON always.
//!
//! They are read by the table of [`types`].

mod wire;

use jiff::Timestamp;
use k8s_openapi::ByteString;
use serde_json::{Map, Value, json};

use wire::{Fields, Item};

use serin_kubernetes::types::{self, Field, Shape};

/// Media type of the form.
pub(super) const MEDIA: &str = "application/vnd.kubernetes.protobuf";

/// What every message in this form begins with.
const MAGIC: &[u8] = b"k8s\0";

/// An object as JSON; the error says what is wrong with the bytes.
pub(super) fn parse(body: &[u8]) -> Result<Value, String> {
    let envelope = body.strip_prefix(MAGIC).ok_or("it does not begin as one")?;
    let (mut api_version, mut kind, mut raw) = (String::new(), String::new(), &[][..]);
    for field in Fields::of(envelope) {
        match field? {
            (1, Item::Bytes(bytes)) => (api_version, kind) = type_meta(bytes)?,
            (2, Item::Bytes(bytes)) => raw = bytes,
            _ => {}
        }
    }
    let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
    let name = types::name(group, version, &kind);
    let mut object = message(&name, raw)?;
    object.insert("apiVersion".to_owned(), api_version.into());
    object.insert("kind".to_owned(), kind.into());
    Ok(object.into())
}

fn type_meta(bytes: &[u8]) -> Result<(String, String), String> {
    let (mut api_version, mut kind) = (String::new(), String::new());
    for field in Fields::of(bytes) {
        match field? {
            (1, Item::Bytes(bytes)) => api_version = wire::text(bytes)?,
            (2, Item::Bytes(bytes)) => kind = wire::text(bytes)?,
            _ => {}
        }
    }
    Ok((api_version, kind))
}

fn message(type_name: &str, bytes: &[u8]) -> Result<Map<String, Value>, String> {
    let own = types::find(type_name).ok_or_else(|| format!("its type {type_name} is not known"))?;
    let mut object = Map::new();
    for item in Fields::of(bytes) {
        let (number, item) = item?;
        // What is newer than the table is ignored, as an older server does.
        if let Some(field) = own.fields.iter().find(|field| field.number == number) {
            put(&mut object, field, item)?;
        }
    }
    Ok(object)
}

/// Adds what a field holds to an object.
fn put(object: &mut Map<String, Value>, field: &Field, item: Item<'_>) -> Result<(), String> {
    if let Shape::List(None, inner) = &field.shape {
        let list = object.entry(field.name).or_insert_with(|| json!([]));
        if let Value::Array(list) = list {
            list.push(value(inner, item)?);
        }
        return Ok(());
    }
    if let Shape::Map(_, inner) = &field.shape {
        let (key, value) = entry(inner, item)?;
        let map = object.entry(field.name).or_insert_with(|| json!({}));
        map[key] = value;
        return Ok(());
    }
    let value = value(&field.shape, item)?;
    // A null is a time that is not set; what is behind a pointer is there when it was sent.
    let is_left_out = value.is_null() || (field.omits_empty && !field.is_pointer && is_empty(&value));
    if field.name.is_empty() {
        object.extend(value.as_object().cloned().unwrap_or_default());
    } else if !is_left_out {
        object.insert(field.name.to_owned(), value);
    }
    Ok(())
}

fn is_empty(value: &Value) -> bool {
    *value == json!("") || *value == json!(false) || value.as_f64() == Some(0.0)
}

/// Key and value of an entry of a map.
fn entry(shape: &Shape, item: Item<'_>) -> Result<(String, Value), String> {
    let (mut key, mut content) = (String::new(), None);
    for field in Fields::of(item.bytes()?) {
        match field? {
            (1, Item::Bytes(bytes)) => key = wire::text(bytes)?,
            (2, item) => content = Some(value(shape, item)?),
            _ => {}
        }
    }
    // An empty text may be left out.
    Ok((key, content.unwrap_or_else(|| "".into())))
}

fn value(shape: &Shape, item: Item<'_>) -> Result<Value, String> {
    match shape {
        Shape::Text(_) => wire::text(item.bytes()?).map(Value::String),
        Shape::Truth => Ok((item.number()? != 0).into()),
        Shape::Int32 | Shape::Int64 => Ok(item.number()?.cast_signed().into()),
        Shape::Float => Ok(f64::from_bits(item.number()?).into()),
        Shape::Bytes => {
            serde_json::to_value(ByteString(item.bytes()?.to_vec())).map_err(|error| error.to_string())
        }
        Shape::Quantity => quantity(item.bytes()?),
        Shape::Time => Ok(time(item.bytes()?)?.map_or(Value::Null, |time| time.to_string().into())),
        Shape::MicroTime => Ok(time(item.bytes()?)?.map_or(Value::Null, |time| format!("{time:.6}").into())),
        Shape::IntOrText => int_or_string(item.bytes()?),
        Shape::Any => raw_json(item.bytes()?),
        Shape::Object(name) => message(name, item.bytes()?).map(Value::Object),
        Shape::List(_, inner) => listed(inner, item.bytes()?),
        Shape::Map(..) => Err("a map in a list is in no table".to_owned()),
    }
}

/// A list in a message of its own.
fn listed(shape: &Shape, bytes: &[u8]) -> Result<Value, String> {
    Fields::of(bytes).map(|field| field.and_then(|(_, item)| value(shape, item))).collect()
}

fn quantity(bytes: &[u8]) -> Result<Value, String> {
    match Fields::of(bytes).next() {
        Some(field) => value(&Shape::Text(None), field?.1),
        None => Ok("0".into()),
    }
}

fn raw_json(bytes: &[u8]) -> Result<Value, String> {
    match Fields::of(bytes).next() {
        Some(field) => serde_json::from_slice(field?.1.bytes()?).map_err(|error| error.to_string()),
        None => Ok(Value::Null),
    }
}

/// Seconds and nanoseconds; none where neither is said.
fn time(bytes: &[u8]) -> Result<Option<Timestamp>, String> {
    let (mut seconds, mut nanos) = (None, 0);
    for field in Fields::of(bytes) {
        match field? {
            (1, item) => seconds = Some(item.number()?.cast_signed()),
            (2, item) => nanos = i32::try_from(item.number()?).map_err(|error| error.to_string())?,
            _ => {}
        }
    }
    seconds.map(|seconds| Timestamp::new(seconds, nanos).map_err(|error| error.to_string())).transpose()
}

fn int_or_string(bytes: &[u8]) -> Result<Value, String> {
    let (mut is_text, mut number, mut text) = (false, Value::from(0), Value::from(""));
    for field in Fields::of(bytes) {
        match field? {
            (1, item) => is_text = item.number()? == 1,
            (2, item) => number = value(&Shape::Int32, item)?,
            (3, item) => text = value(&Shape::Text(None), item)?,
            _ => {}
        }
    }
    Ok(if is_text { text } else { number })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A field with bytes.
    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        let head = [number << 3 | 2, u8::try_from(bytes.len()).unwrap()];
        [&head[..], bytes].concat()
    }

    /// A field with a small number.
    fn small(number: u8, value: u8) -> Vec<u8> {
        vec![number << 3, value]
    }

    fn enveloped(api_version: &str, kind: &str, raw: &[u8]) -> Vec<u8> {
        let meta = [field(1, api_version.as_bytes()), field(2, kind.as_bytes())].concat();
        [MAGIC.to_vec(), field(1, &meta), field(2, raw)].concat()
    }

    #[test]
    fn an_object_is_read() {
        let labels = field(11, &[field(1, b"a"), field(2, b"b")].concat());
        let metadata = [field(1, b"x"), field(2, b""), labels, field(8, &[])].concat();
        let container = [field(1, b"c"), field(2, b"image:1")].concat();
        let template = field(2, &field(2, &container));
        let spec = [small(1, 0), field(3, &template)].concat();
        let raw = [field(1, &metadata), field(2, &spec)].concat();
        let read = parse(&enveloped("apps/v1", "Deployment", &raw)).unwrap();
        assert_eq!(
            read,
            json!({
                "apiVersion": "apps/v1", "kind": "Deployment",
                "metadata": {"name": "x", "labels": {"a": "b"}},
                "spec": {"replicas": 0, "template": {"spec": {"containers": [{"name": "c", "image": "image:1"}]}}},
            })
        );
    }

    #[test]
    fn special_types_are_read() {
        let text = [small(1, 1), field(3, b"50%")].concat();
        assert_eq!(int_or_string(&text), Ok(json!("50%")));
        assert_eq!(int_or_string(&small(2, 7)), Ok(json!(7)));
        assert_eq!(time(&small(1, 60)).unwrap().unwrap().to_string(), "1970-01-01T00:01:00Z");
        assert_eq!(time(&[]), Ok(None));
        let data = field(2, &[field(1, b"k"), field(2, b"hi")].concat());
        let secret = parse(&enveloped("v1", "Secret", &data)).unwrap();
        assert_eq!(secret["data"], json!({"k": "aGk="}));
    }

    #[test]
    fn what_stands_in_place_of_a_field_is_merged() {
        let volume = [field(1, b"v"), field(2, &field(2, &[]))].concat();
        let raw = field(2, &field(1, &volume));
        let pod = parse(&enveloped("v1", "Pod", &raw)).unwrap();
        assert_eq!(pod["spec"]["volumes"], json!([{"name": "v", "emptyDir": {}}]));
    }

    #[test]
    fn bad_bytes_are_refused() {
        assert!(parse(b"{}").is_err());
        assert!(parse(&enveloped("v1", "Nothing", &[])).unwrap_err().contains("core/v1.Nothing"));
        let cut = enveloped("v1", "Pod", &field(1, b"abc"));
        assert!(parse(&cut[..cut.len() - 1]).is_err());
    }
}
