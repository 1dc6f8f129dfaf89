//! Any object of any kind, as the client reads it.

use std::borrow::Cow;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use kube::core::DynamicResourceScope;
use serde::Deserialize;

use serin_core::domain::plan::ObjectKind;
use serin_machine::object::RawObject;

/// A kind, in the version in which the cluster serves it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Served {
    /// The kind.
    pub(super) kind: ObjectKind,
    /// The API version.
    pub(super) version: &'static str,
}

/// An object of a kind that is known at run time only.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct Watched(
    /// The object.
    pub(super) RawObject,
);

impl Resource for Watched {
    type DynamicType = Served;
    type Scope = DynamicResourceScope;

    fn kind(served: &Served) -> Cow<'_, str> {
        served.kind.name().into()
    }

    fn group(served: &Served) -> Cow<'_, str> {
        served.kind.resource().group.into()
    }

    fn version(served: &Served) -> Cow<'_, str> {
        served.version.into()
    }

    fn plural(served: &Served) -> Cow<'_, str> {
        served.kind.plural().into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.0.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.0.metadata
    }
}
