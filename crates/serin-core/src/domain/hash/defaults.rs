//! What the API server fills in when it stores a pod template (`pkg/apis/core/v1` of Kubernetes).
//!
//! Only templates are meant: defaults that come with the Pod itself, such as `enableServiceLinks`, are not among
//! them.

use std::ptr;

use serde_json::{Map, Value, json};

use super::container_layout::{
    CONTAINER, CONTAINER_PORT, EPHEMERAL_CONTAINER, FILE_KEY_SELECTOR, GRPC_ACTION, HTTP_GET_ACTION, PROBE,
};
use super::layout::Struct;
use super::meta_layout::OBJECT_FIELD_SELECTOR;
use super::pod_layout::POD_SPEC;
use super::volume_layout::{
    AZURE_DISK_VOLUME, CONFIG_MAP_VOLUME, DOWNWARD_API_VOLUME, HOST_PATH_VOLUME, IMAGE_VOLUME, ISCSI_VOLUME,
    PERSISTENT_VOLUME_CLAIM_SPEC, PROJECTED_VOLUME, RBD_VOLUME, SCALE_IO_VOLUME, SECRET_VOLUME,
    SERVICE_ACCOUNT_TOKEN_PROJECTION, VOLUME,
};

/// A default value, or how it is found.
enum Default {
    Text(&'static str),
    Number(i64),
    False,
    Empty,
    /// `Always` for an image tagged `latest` or not at all, else `IfNotPresent`; the image is in the named field.
    PullPolicy(&'static str),
    /// An empty object, if the volume names no other source.
    OnlySource,
}

use Default::{Empty, False, Number, OnlySource, PullPolicy, Text};

static DEFAULTS: &[(&Struct, &str, Default)] = &[
    (&POD_SPEC, "dnsPolicy", Text("ClusterFirst")),
    (&POD_SPEC, "restartPolicy", Text("Always")),
    (&POD_SPEC, "schedulerName", Text("default-scheduler")),
    (&POD_SPEC, "securityContext", Empty),
    (&POD_SPEC, "terminationGracePeriodSeconds", Number(30)),
    (&CONTAINER, "imagePullPolicy", PullPolicy("image")),
    (&CONTAINER, "terminationMessagePath", Text("/dev/termination-log")),
    (&CONTAINER, "terminationMessagePolicy", Text("File")),
    (&EPHEMERAL_CONTAINER, "imagePullPolicy", PullPolicy("image")),
    (&EPHEMERAL_CONTAINER, "terminationMessagePath", Text("/dev/termination-log")),
    (&EPHEMERAL_CONTAINER, "terminationMessagePolicy", Text("File")),
    (&CONTAINER_PORT, "protocol", Text("TCP")),
    (&PROBE, "timeoutSeconds", Number(1)),
    (&PROBE, "periodSeconds", Number(10)),
    (&PROBE, "successThreshold", Number(1)),
    (&PROBE, "failureThreshold", Number(3)),
    (&HTTP_GET_ACTION, "path", Text("/")),
    (&HTTP_GET_ACTION, "scheme", Text("HTTP")),
    (&GRPC_ACTION, "service", Text("")),
    (&OBJECT_FIELD_SELECTOR, "apiVersion", Text("v1")),
    (&FILE_KEY_SELECTOR, "optional", False),
    (&VOLUME, "emptyDir", OnlySource),
    (&SECRET_VOLUME, "defaultMode", Number(0o644)),
    (&CONFIG_MAP_VOLUME, "defaultMode", Number(0o644)),
    (&DOWNWARD_API_VOLUME, "defaultMode", Number(0o644)),
    (&PROJECTED_VOLUME, "defaultMode", Number(0o644)),
    (&SERVICE_ACCOUNT_TOKEN_PROJECTION, "expirationSeconds", Number(3600)),
    (&HOST_PATH_VOLUME, "type", Text("")),
    (&IMAGE_VOLUME, "pullPolicy", PullPolicy("reference")),
    (&PERSISTENT_VOLUME_CLAIM_SPEC, "volumeMode", Text("Filesystem")),
    (&ISCSI_VOLUME, "iscsiInterface", Text("default")),
    (&RBD_VOLUME, "pool", Text("rbd")),
    (&RBD_VOLUME, "user", Text("admin")),
    (&RBD_VOLUME, "keyring", Text("/etc/ceph/keyring")),
    (&AZURE_DISK_VOLUME, "cachingMode", Text("ReadWrite")),
    (&AZURE_DISK_VOLUME, "fsType", Text("ext4")),
    (&AZURE_DISK_VOLUME, "readOnly", False),
    (&AZURE_DISK_VOLUME, "kind", Text("Shared")),
    (&SCALE_IO_VOLUME, "storageMode", Text("ThinProvisioned")),
    (&SCALE_IO_VOLUME, "fsType", Text("xfs")),
];

/// The value that the API server gives `field` of `object`, a struct of that `layout`, when it is unset.
pub(super) fn default_value(
    layout: &Struct,
    field: &str,
    object: Option<&Map<String, Value>>,
) -> Option<Value> {
    let (_, _, default) = DEFAULTS.iter().find(|(of, name, _)| ptr::eq(*of, layout) && *name == field)?;
    let text_of = |field: &str| object.and_then(|fields| fields.get(field)?.as_str()).unwrap_or_default();
    Some(match default {
        Text(text) => json!(text),
        Number(number) => json!(number),
        False => json!(false),
        Empty => json!({}),
        PullPolicy(image) => json!(if is_latest(text_of(image)) { "Always" } else { "IfNotPresent" }),
        OnlySource => {
            let has_source = object?.iter().any(|(name, value)| name != "name" && !value.is_null());
            return (!has_source).then(|| json!({}));
        }
    })
}

/// Whether an image reference means the latest image: its tag says so, or it has neither a tag nor a digest. A text
/// that is no reference does not.
fn is_latest(image: &str) -> bool {
    let (name, digest) = image.split_once('@').map_or((image, None), |(name, digest)| (name, Some(digest)));
    // A colon before the last slash belongs to the port of a registry.
    let path = name.rsplit('/').next().unwrap_or(name);
    let (path, tag) = path.split_once(':').map_or((path, None), |(path, tag)| (path, Some(tag)));
    let is_path = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    match tag {
        Some(tag) => tag == "latest",
        None => digest.is_none() && !path.is_empty() && path.chars().all(is_path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::hash::layout::Presence;

    #[test]
    fn every_default_is_of_a_field_that_can_be_unset() {
        for (layout, name, _) in DEFAULTS {
            let field = layout.fields.iter().find(|field| field.name == *name);
            assert!(field.is_some_and(|field| field.presence != Presence::Always), "{name}");
        }
    }

    #[test]
    fn latest_images() {
        for (image, expected) in [
            ("nginx", true),
            ("nginx:latest", true),
            ("nginx:1.19", false),
            ("registry:5000/nginx", true),
            ("registry:5000/nginx:1.19", false),
            ("nginx@sha256:0123", false),
            ("nginx:1.19@sha256:0123", false),
            ("nginx:latest@sha256:0123", true),
            ("", false),
            ("Not An Image", false),
        ] {
            assert_eq!(is_latest(image), expected, "{image}");
        }
    }
}
