//! Plain requests about the objects of one namespace, with bodies that no type has touched.

use kube::Client;
use kube::core::Request as Collection;
use kube::core::params::{DeleteParams, GetParams, ListParams};
use serde_json::Value;

use crate::conformance::kinds::Kind;

#[derive(Clone)]
pub(crate) struct Objects {
    client: Client,
    pub(crate) namespace: String,
}

/// How a patch is to be read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum PatchForm {
    /// RFC 7386
    Merge,
    /// RFC 6902
    Operations,
    /// Server-side apply, whoever set the fields before.
    Apply,
}

impl PatchForm {
    fn content_type(self) -> &'static str {
        match self {
            Self::Merge => "application/merge-patch+json",
            Self::Operations => "application/json-patch+json",
            Self::Apply => "application/apply-patch+yaml",
        }
    }

    fn query(self) -> &'static str {
        match self {
            Self::Merge | Self::Operations => "",
            Self::Apply => "?fieldManager=user&force=true&fieldValidation=Strict",
        }
    }
}

impl Objects {
    pub(crate) fn new(client: Client, namespace: String) -> Self {
        Self { client, namespace }
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    fn collection(&self, kind: Kind) -> Collection {
        Collection::new(kind.collection(&self.namespace))
    }

    pub(crate) async fn get(&self, kind: Kind, name: &str) -> Result<Value, String> {
        let request =
            self.collection(kind).get(name, &GetParams::default()).map_err(|error| error.to_string())?;
        self.send(request).await
    }

    pub(crate) async fn list(&self, kind: Kind) -> Result<Vec<Value>, String> {
        let request =
            self.collection(kind).list(&ListParams::default()).map_err(|error| error.to_string())?;
        let list = self.send(request).await?;
        list["items"].as_array().cloned().ok_or_else(|| format!("the items of a list are {}", list["items"]))
    }

    pub(crate) async fn delete(&self, kind: Kind, name: &str) -> Result<(), String> {
        let request = self
            .collection(kind)
            .delete(name, &DeleteParams::default())
            .map_err(|error| error.to_string())?;
        self.send(request).await.map(drop)
    }

    /// Patches an object, or the part of it that `subresource` (such as `status`) names.
    pub(crate) async fn patch(
        &self,
        kind: Kind,
        name: &str,
        subresource: Option<&str>,
        form: PatchForm,
        body: &Value,
    ) -> Result<(), String> {
        let url = [Some(kind.collection(&self.namespace).as_str()), Some(name), subresource]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join("/");
        let request = http::Request::patch(url + form.query())
            .header(http::header::CONTENT_TYPE, form.content_type())
            .body(body.to_string().into_bytes())
            .map_err(|error| error.to_string())?;
        self.send(request).await.map(drop)
    }

    async fn send(&self, request: http::Request<Vec<u8>>) -> Result<Value, String> {
        let what = format!("{} {}", request.method(), request.uri().path());
        self.client.request(request).await.map_err(|error| format!("{what}: {error}"))
    }
}
