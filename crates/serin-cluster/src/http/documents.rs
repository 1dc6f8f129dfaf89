//! What is served beside the objects: discovery, OpenAPI, the version.

use std::sync::Arc;

use serde_json::{Value, json};

use super::accept::Form;
use super::route::Page;
use crate::api::kinds::{Kind, built_in};
use crate::api::{discovery, openapi};

/// What the documents are made from.
pub(super) struct Documents {
    kinds: Vec<Kind>,
    definitions: Vec<Arc<Value>>,
}

impl Documents {
    /// `definitions` are the objects of all custom resource definitions.
    pub(super) fn new(definitions: Vec<Arc<Value>>) -> Self {
        let custom = definitions.iter().flat_map(|definition| Kind::from_definition(definition));
        Self { kinds: built_in().iter().cloned().chain(custom).collect(), definitions }
    }

    /// A document; none where there is none.
    pub(super) fn get(&self, page: &Page, form: Form, address: &str) -> Option<Value> {
        let Self { kinds, definitions } = self;
        match page {
            Page::CoreVersions | Page::Groups if form == Form::Discovery => {
                Some(discovery::aggregated(kinds, *page == Page::CoreVersions))
            }
            Page::CoreVersions => Some(discovery::core_versions(address)),
            Page::Groups => Some(discovery::groups(kinds)),
            Page::Group(group) => discovery::group(kinds, group),
            Page::Resources(group, version) => discovery::resources(kinds, group, version),
            Page::OpenApiIndex => Some(openapi::index(kinds, definitions)),
            Page::OpenApi(group, version) => openapi::document(kinds, definitions, group, version),
            Page::Swagger => Some(openapi::swagger(kinds, definitions)),
            Page::ServerVersion => Some(version()),
            Page::Root => Some(self.root()),
        }
    }

    fn root(&self) -> Value {
        let mut paths: Vec<String> =
            ["/api", "/apis", "/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version"]
                .map(str::to_owned)
                .to_vec();
        for kind in &self.kinds {
            if kind.group.is_empty() {
                paths.push(format!("/api/{}", kind.version));
            } else {
                paths.extend([format!("/apis/{}", kind.group), format!("/apis/{}", kind.api_version())]);
            }
        }
        paths.sort();
        paths.dedup();
        json!({"paths": paths})
    }
}

/// The version whose API this is; clients take it apart, so that it says nothing else.
fn version() -> Value {
    json!({
        "major": "1", "minor": "36", "gitVersion": "v1.36.3", "gitCommit": "", "gitTreeState": "",
        "buildDate": "1970-01-01T00:00:00Z", "goVersion": "", "compiler": "",
        "platform": format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH),
    })
}
