//! Secrets: what is sent in clear is kept in base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::super::store::object::{at, remove, set};

/// Moves `stringData`, which is only ever written, into `data`.
pub(super) fn fold(secret: &mut Value) {
    let Some(clear) = remove(secret, &["stringData"]) else {
        return;
    };
    for (key, value) in clear.as_object().into_iter().flatten() {
        let encoded = STANDARD.encode(value.as_str().unwrap_or_default());
        set(secret, &["data", key], encoded.into());
    }
    debug_assert!(at(secret, &["stringData"]).is_null());
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn clear_text_becomes_data() {
        let mut secret = json!({"data": {"x": "Yg=="}, "stringData": {"a": "b"}});
        fold(&mut secret);
        assert_eq!(secret, json!({"data": {"x": "Yg==", "a": "Yg=="}}));
    }
}
