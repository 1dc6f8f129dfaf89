//! Watches a namespace and keeps its journal.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt;
use kube::Client;
use kube::api::{ListParams, WatchEvent, WatchParams};
use kube::core::Request as Collection;
use serde_json::Value;
use serin_clock as clock;
use tokio::task::JoinSet;

use crate::api::Objects;
use crate::conformance::journal::Journal;
use crate::conformance::kinds::{self, Kind};

/// How long a broken watch is left alone.
const RETRY: Duration = Duration::from_millis(100);

/// A journal that is being written as long as this lives.
pub(crate) struct Watched {
    journal: Arc<Mutex<Journal>>,
    _watches: JoinSet<()>,
}

impl Watched {
    /// Begins before anything that is of interest happens in the namespace.
    pub(crate) async fn start(objects: &Objects) -> Result<Self, String> {
        let journal = Arc::<Mutex<Journal>>::default();
        let mut watches = JoinSet::new();
        let kinds = Kind::ALL.into_iter().map(|kind| (Some(kind), kind.collection(&objects.namespace)));
        for (kind, path) in kinds.chain([(None, kinds::events(&objects.namespace))]) {
            let client = objects.client().clone();
            let version = version_of_list(&client, &path).await?;
            watches.spawn(watch(client, path, version, kind, Arc::clone(&journal)));
        }
        Ok(Self { journal, _watches: watches })
    }

    /// What has been seen so far.
    pub(crate) fn with<T>(&self, read: impl FnOnce(&Journal) -> T) -> T {
        read(&self.journal.lock().unwrap())
    }
}

async fn version_of_list(client: &Client, path: &str) -> Result<String, String> {
    let request = Collection::new(path).list(&ListParams::default()).map_err(|error| error.to_string())?;
    let list: Value = client.request(request).await.map_err(|error| format!("{path}: {error}"))?;
    let version = list["metadata"]["resourceVersion"].as_str();
    version.map(ToOwned::to_owned).ok_or_else(|| format!("{path}: the list has no resourceVersion"))
}

/// Writes down every change from `version` on. A watch that ends is begun anew where it was; one that the server cannot
/// continue is a fault of the journal.
async fn watch(
    client: Client,
    path: String,
    mut version: String,
    kind: Option<Kind>,
    journal: Arc<Mutex<Journal>>,
) {
    while let Ok(request) = Collection::new(path.as_str()).watch(&WatchParams::default(), &version) {
        let Ok(events) = client.request_events::<Value>(request).await else {
            clock::sleep(RETRY).await;
            continue;
        };
        let mut events = std::pin::pin!(events);
        while let Some(Ok(event)) = events.next().await {
            match write_down(&mut journal.lock().unwrap(), kind, &event) {
                Ok(Some(seen)) => version = seen,
                Ok(None) => {}
                Err(why) => {
                    return journal.lock().unwrap().fault(format!("the watch of {path} broke: {why}"));
                }
            }
        }
    }
}

/// The version of what was seen.
fn write_down(
    journal: &mut Journal,
    kind: Option<Kind>,
    event: &WatchEvent<Value>,
) -> Result<Option<String>, String> {
    let object = match (event, kind) {
        (WatchEvent::Added(object) | WatchEvent::Modified(object), Some(kind)) => {
            journal.saw(kind, object);
            object
        }
        (WatchEvent::Added(object) | WatchEvent::Modified(object), None) => {
            journal.saw_event(object);
            object
        }
        (WatchEvent::Deleted(object), kind) => {
            if let Some(kind) = kind {
                journal.lost(kind, object);
            }
            object
        }
        (WatchEvent::Bookmark(bookmark), _) => return Ok(Some(bookmark.metadata.resource_version.clone())),
        (WatchEvent::Error(status), _) => return Err(status.message.clone()),
    };
    Ok(object["metadata"]["resourceVersion"].as_str().map(ToOwned::to_owned))
}
