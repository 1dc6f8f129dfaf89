//! Objects as they arrive from the API server.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;
use serde_json::Value;

use serin_core::api::keys;
use serin_core::domain::object::ObjectKey;
use serin_core::rollout::snapshot::Identity;

/// An object as it was received. Whatever is inside `spec` and `status` stays JSON, so that no field is lost that
/// is newer than this program.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct RawObject {
    /// `metadata`.
    #[serde(default)]
    pub metadata: ObjectMeta,
    /// `spec`, null where absent.
    #[serde(default)]
    pub spec: Value,
    /// `status`, null where absent.
    #[serde(default)]
    pub status: Value,
    /// `template`, which only a PodTemplate has; null where absent.
    #[serde(default)]
    pub template: Value,
}

impl RawObject {
    /// Namespace and name.
    #[must_use]
    pub fn key(&self) -> ObjectKey {
        let text = |field: &Option<String>| field.clone().unwrap_or_default();
        ObjectKey::new(text(&self.metadata.namespace), text(&self.metadata.name))
    }

    /// Name, uid and resource version.
    #[must_use]
    pub fn identity(&self) -> Identity {
        let text = |field: &Option<String>| field.clone().unwrap_or_default();
        let meta = &self.metadata;
        Identity {
            name: text(&meta.name),
            uid: text(&meta.uid),
            resource_version: text(&meta.resource_version),
        }
    }

    /// When it was made.
    pub(crate) fn created(&self) -> Timestamp {
        self.metadata.creation_timestamp.as_ref().map_or(Timestamp::UNIX_EPOCH, |time| time.0)
    }

    /// Drops what only others need: field ownership, and the copy of the manifest that `kubectl apply` keeps.
    pub(crate) fn slim(&mut self) {
        self.metadata.managed_fields = None;
        if let Some(annotations) = self.metadata.annotations.as_mut() {
            annotations.remove(keys::LAST_APPLIED);
        }
    }
}

/// A number of `object`, if it is one of 32 bits.
pub(crate) fn integer(object: &Value, field: &str) -> Option<i32> {
    object.get(field)?.as_i64().and_then(|n| i32::try_from(n).ok())
}

/// A text of `object`; empty if there is none.
pub(crate) fn text(object: &Value, field: &str) -> String {
    object.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
}
