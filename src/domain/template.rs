use serde_json::Value;
pub fn templates_equal(a: &Value, b: &Value) -> bool {
    a == b
}
