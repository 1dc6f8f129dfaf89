//! Finds what an API serves, and follows one resource by list and watch.

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt;
use http::header::ACCEPT;
use kube::core::WatchEvent;
use kube::{Client, Error};
use serde_json::Value;
use tokio::sync::mpsc;

use super::Resource;
use serin_clock as clock;

/// After an error the next try waits this long.
const RETRY: Duration = Duration::from_millis(300);
/// A watch is asked to end after this long; then it goes on from where it was.
const WATCH_SECONDS: u32 = 280;

/// What a watch shows.
#[derive(Debug)]
pub enum Sight {
    /// These objects and no others are there, at a version.
    Listed(Vec<Value>, u64),
    /// An object is there or has changed.
    Applied(Value),
    /// An object is gone.
    Deleted(Value),
}

/// How much of each object is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// All of it.
    Whole,
    /// Its metadata. `kind` and `apiVersion` are those of a partial object.
    Metadata,
}

impl Detail {
    /// The media type of a list.
    fn of_list(self) -> &'static str {
        match self {
            Self::Whole => JSON,
            Self::Metadata => "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
        }
    }

    /// The media type of a watch.
    fn of_watch(self) -> &'static str {
        match self {
            Self::Whole => JSON,
            Self::Metadata => "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
        }
    }
}

const JSON: &str = "application/json";

/// The resources that the API serves, each in the version that its group prefers.
pub async fn discover(client: &Client) -> Result<Vec<Resource>, Error> {
    let core: Value = get(client, "/api/v1").await?;
    let mut found = resources(&core, "", "v1");
    let groups: Value = get(client, "/apis").await?;
    for group in groups["groups"].as_array().into_iter().flatten() {
        let name = group["name"].as_str().unwrap_or_default();
        let version = group["preferredVersion"]["version"].as_str().unwrap_or_default();
        let list: Value = get(client, &format!("/apis/{name}/{version}")).await?;
        found.extend(resources(&list, name, version));
    }
    Ok(found)
}

fn resources(list: &Value, group: &str, version: &str) -> Vec<Resource> {
    let mut found = Vec::new();
    for entry in list["resources"].as_array().into_iter().flatten() {
        let plural = entry["name"].as_str().unwrap_or_default();
        if plural.contains('/') {
            continue;
        }
        let verbs: BTreeSet<&str> =
            entry["verbs"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let name = if group.is_empty() { plural.to_owned() } else { format!("{plural}.{group}") };
        found.push(Resource {
            name: name.into(),
            version: version.to_owned(),
            kind: entry["kind"].as_str().unwrap_or_default().to_owned(),
            is_namespaced: entry["namespaced"].as_bool().unwrap_or(false),
            is_watchable: verbs.contains("list") && verbs.contains("watch"),
            is_deletable: verbs.contains("deletecollection"),
        });
    }
    found
}

async fn get(client: &Client, path: &str) -> Result<Value, Error> {
    client.request(request(path, JSON)?).await
}

fn request(path: &str, accept: &str) -> Result<http::Request<Vec<u8>>, Error> {
    http::Request::get(path).header(ACCEPT, accept).body(Vec::new()).map_err(Error::HttpError)
}

/// Follows `resource` until the receiver is gone: lists, watches on from there, and lists anew when the API has
/// forgotten that point.
pub async fn follow(
    client: Client,
    resource: Resource,
    detail: Detail,
    sights: mpsc::Sender<(Arc<str>, Sight)>,
) {
    let path = resource.path("");
    while !sights.is_closed() {
        let outcome = match list(&client, &path, detail).await {
            Ok((items, version)) => {
                let number = version.parse().unwrap_or(0);
                let listed = (Arc::clone(&resource.name), Sight::Listed(items, number));
                if sights.send(listed).await.is_err() {
                    return;
                }
                let from = From { path: &path, version, detail };
                watch(&client, from, &resource.name, &sights).await
            }
            Err(error) => Err(error),
        };
        if let Err(error) = outcome {
            tracing::debug!(resource = %resource.name, %error, "is listed anew");
        }
        clock::sleep(RETRY).await;
    }
}

async fn list(client: &Client, path: &str, detail: Detail) -> Result<(Vec<Value>, String), Error> {
    let mut list: Value = client.request(request(path, detail.of_list())?).await?;
    let kind = list["kind"].as_str().and_then(|kind| kind.strip_suffix("List")).map(str::to_owned);
    let api_version = list["apiVersion"].clone();
    let version = list["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned();
    let mut items = match list["items"].take() {
        Value::Array(items) => items,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => Vec::new(),
    };
    // The items of a list do not say their kind.
    for item in &mut items {
        if item["kind"].is_null() {
            item["kind"] = kind.clone().map_or(Value::Null, Value::String);
            item["apiVersion"] = api_version.clone();
        }
    }
    Ok((items, version))
}

/// What a watch is asked for: a resource, from a version on.
struct From<'a> {
    path: &'a str,
    version: String,
    detail: Detail,
}

impl From<'_> {
    fn request(&self) -> Result<http::Request<Vec<u8>>, Error> {
        let Self { path, version, detail } = self;
        let query = format!(
            "{path}?watch=true&allowWatchBookmarks=true&timeoutSeconds={WATCH_SECONDS}&resourceVersion={version}"
        );
        request(&query, detail.of_watch())
    }

    fn go_on(&mut self, object: &Value) {
        object["metadata"]["resourceVersion"].as_str().unwrap_or_default().clone_into(&mut self.version);
    }
}

/// Watches until the point from which to go on is forgotten, or nobody listens.
async fn watch(
    client: &Client,
    mut from: From<'_>,
    name: &Arc<str>,
    sights: &mpsc::Sender<(Arc<str>, Sight)>,
) -> Result<(), Error> {
    while !sights.is_closed() {
        if let Err(error) = watch_once(client, &mut from, name, sights).await {
            if is_forgotten(&error) {
                return Err(error);
            }
            tracing::debug!(resource = %name, %error, "the watch is interrupted");
            clock::sleep(RETRY).await;
        }
    }
    Ok(())
}

/// Whether watching on cannot help: what is refused for another reason than being away is listed anew.
fn is_forgotten(error: &Error) -> bool {
    matches!(error, Error::Api(_))
}

async fn watch_once(
    client: &Client,
    from: &mut From<'_>,
    name: &Arc<str>,
    sights: &mpsc::Sender<(Arc<str>, Sight)>,
) -> Result<(), Error> {
    let events = client.request_events::<Value>(from.request()?).await?;
    let mut events = pin!(events);
    while let Some(event) = events.try_next().await? {
        let sight = match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                from.go_on(&object);
                Sight::Applied(object)
            }
            WatchEvent::Deleted(object) => {
                from.go_on(&object);
                Sight::Deleted(object)
            }
            WatchEvent::Bookmark(bookmark) => {
                from.version = bookmark.metadata.resource_version;
                continue;
            }
            WatchEvent::Error(status) => return Err(Error::Api(status)),
        };
        if sights.send((Arc::clone(name), sight)).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}
