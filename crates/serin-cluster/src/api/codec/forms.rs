//! Decodes single values: numbers, texts, bytes, amounts.

use base64::engine::general_purpose::GeneralPurpose;
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};
use base64::{DecodeError, Engine, alphabet};
use serde_json::{Number, Value};

use super::quantity;

/// Reports whether the number is whole and from `-most - 1` to `most`.
pub(super) fn is_within(number: &Number, most: i64) -> bool {
    number.as_i64().is_some_and(|number| (-most - 1..=most).contains(&number))
}

/// The text of a value that is one by its form.
pub(super) fn words(sent: &Value) -> Result<String, String> {
    sent.as_str()
        .map(str::to_owned)
        .ok_or_else(|| format!("json: cannot unmarshal {} into Go value of type string", json_kind(sent)))
}

/// A number of 32 bits or a text.
pub(super) fn int_or_text(sent: &Value) -> Result<Value, String> {
    match sent {
        Value::String(_) => Ok(sent.clone()),
        Value::Number(number) if is_within(number, i32::MAX.into()) => Ok(sent.clone()),
        Value::Number(number) => {
            Err(format!("json: cannot unmarshal number {number} into Go value of type int32"))
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            Err(format!("json: cannot unmarshal {} into Go value of type int32", json_kind(sent)))
        }
    }
}

/// Base64 in its one form; bits that mean nothing are let pass, line breaks too.
pub(super) fn bytes(text: &str) -> Result<Value, String> {
    let lenient = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical);
    let engine = GeneralPurpose::new(&alphabet::STANDARD, lenient);
    let plain: String = text.chars().filter(|letter| !matches!(letter, '\r' | '\n')).collect();
    match engine.decode(&plain) {
        Ok(bytes) => Ok(engine.encode(bytes).into()),
        Err(error) => {
            let place = match error {
                DecodeError::InvalidByte(place, _) | DecodeError::InvalidLastSymbol(place, _) => place,
                DecodeError::InvalidLength(_) | DecodeError::InvalidPadding => plain.len() / 4 * 4,
            };
            Err(format!("illegal base64 data at input byte {place}"))
        }
    }
}

/// Amounts of resources are counted in thousandths at the finest.
pub(super) fn in_thousandths(value: Value) -> Value {
    match quantity::read(&value) {
        Ok(quantity) => quantity.rounded_away_to_milli().to_string().into(),
        Err(_) => value,
    }
}

/// What a JSON decoder calls the kind of `value`.
pub(in crate::api) fn json_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
