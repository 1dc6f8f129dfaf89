//! Objects as they arrive from the API server, and the names by which the shell knows them.

use std::borrow::Cow;
use std::fmt;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::DynamicResourceScope;
use kube::{Resource, ResourceExt};
use serde::Deserialize;
use serde_json::Value;

use serin_core::api::keys;
use serin_core::domain::plan::ObjectKind;

/// Namespace and name of an object; with its kind it says which object is meant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectKey {
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
}

impl ObjectKey {
    /// The key of the object `name` in `namespace`.
    #[must_use]
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }

    /// The key of `object`.
    #[must_use]
    pub fn of(object: &impl Resource) -> Self {
        Self::new(object.namespace().unwrap_or_default(), object.name_any())
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// Where the API server serves a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResourceType {
    /// API group, empty for the core group.
    pub group: &'static str,
    /// API version.
    pub version: &'static str,
    /// The kind, as `kind` has it.
    pub kind: &'static str,
    /// The resource, as URLs and RBAC rules have it.
    pub plural: &'static str,
}

/// Where the API server serves objects of `kind`.
#[must_use]
pub const fn resource_type(kind: ObjectKind) -> ResourceType {
    let (group, version, kind, plural) = match kind {
        ObjectKind::Rollout => (keys::GROUP, "v1alpha1", keys::ROLLOUT, "rollouts"),
        ObjectKind::ReplicaSet => ("apps", "v1", "ReplicaSet", "replicasets"),
        ObjectKind::Service => ("", "v1", "Service", "services"),
        ObjectKind::Ingress => ("networking.k8s.io", "v1", "Ingress", "ingresses"),
        ObjectKind::Pod => ("", "v1", "Pod", "pods"),
        ObjectKind::Deployment => ("apps", "v1", "Deployment", "deployments"),
        ObjectKind::PodTemplate => ("", "v1", "PodTemplate", "podtemplates"),
    };
    ResourceType { group, version, kind, plural }
}

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

impl Resource for RawObject {
    type DynamicType = ObjectKind;
    type Scope = DynamicResourceScope;

    fn kind(kind: &ObjectKind) -> Cow<'_, str> {
        resource_type(*kind).kind.into()
    }

    fn group(kind: &ObjectKind) -> Cow<'_, str> {
        resource_type(*kind).group.into()
    }

    fn version(kind: &ObjectKind) -> Cow<'_, str> {
        resource_type(*kind).version.into()
    }

    fn plural(kind: &ObjectKind) -> Cow<'_, str> {
        resource_type(*kind).plural.into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_those_of_the_api_server() {
        let path = |kind: ObjectKind| RawObject::url_path(&kind, Some("shop"));
        assert_eq!(path(ObjectKind::Rollout), "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts");
        assert_eq!(path(ObjectKind::ReplicaSet), "/apis/apps/v1/namespaces/shop/replicasets");
        assert_eq!(path(ObjectKind::Service), "/api/v1/namespaces/shop/services");
        assert_eq!(path(ObjectKind::Ingress), "/apis/networking.k8s.io/v1/namespaces/shop/ingresses");
        assert_eq!(path(ObjectKind::Pod), "/api/v1/namespaces/shop/pods");
        assert_eq!(path(ObjectKind::Deployment), "/apis/apps/v1/namespaces/shop/deployments");
        assert_eq!(path(ObjectKind::PodTemplate), "/api/v1/namespaces/shop/podtemplates");
    }
}
