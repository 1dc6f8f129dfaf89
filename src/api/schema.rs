//! The definitions (CRDs) of the five kinds.

use schemars::{Schema, SchemaGenerator};

pub(super) fn pod_template(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<k8s_openapi::api::core::v1::PodTemplateSpec>()
}

pub(super) fn job_spec(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<k8s_openapi::api::batch::v1::JobSpec>()
}
