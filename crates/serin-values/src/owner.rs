//! Owner references.

use serde_json::{Value, json};

/// The entry of `metadata.ownerReferences` for the controller of an object, which blocks the owner's foreground
/// deletion until the object is gone.
///
/// `None` as name or uid becomes `null`: an owner that has none yet.
#[must_use]
pub fn controller_reference(
    api_version: &str,
    kind: &str,
    name: impl Into<Value>,
    uid: impl Into<Value>,
) -> Value {
    json!({
        "apiVersion": api_version,
        "kind": kind,
        "name": name.into(),
        "uid": uid.into(),
        "controller": true,
        "blockOwnerDeletion": true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_controls_and_blocks() {
        let reference = controller_reference("apps/v1", "ReplicaSet", "web-1", "u-1");
        let expected = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-1", "uid": "u-1",
            "controller": true, "blockOwnerDeletion": true});
        assert_eq!(reference, expected);
        assert!(controller_reference("v1", "Pod", None::<String>, "u")["name"].is_null());
    }
}
