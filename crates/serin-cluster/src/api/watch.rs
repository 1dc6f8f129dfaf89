//! Watches: a position in the log, and a filter of the changes after it.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::codec;
use super::request::Request;
use super::status::{Reason, Status};
use super::store::selector::Selector;
use super::store::{Change, Resource, Store, object};
use super::verbs;
use serin_values::time::after;

/// What happened to an object, as the watcher sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventType {
    /// It came to be, or came into the selection.
    Added,
    /// It changed.
    Modified,
    /// It was deleted, or left the selection.
    Deleted,
    /// Nothing; the object says only up to which resourceVersion the watcher knows all.
    Bookmark,
    /// The watch is over; the object is a Status.
    Error,
}

impl EventType {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "ADDED",
            Self::Modified => "MODIFIED",
            Self::Deleted => "DELETED",
            Self::Bookmark => "BOOKMARK",
            Self::Error => "ERROR",
        }
    }
}

/// One event of a watch.
#[derive(Debug, Clone, PartialEq)]
pub struct WatchEvent {
    /// What happened.
    pub event: EventType,
    /// The object, or a Status.
    pub object: Arc<Value>,
}

/// How often a watch that asked for bookmarks gets one.
const BOOKMARKS_EVERY: SignedDuration = SignedDuration::from_secs(60);
/// How long before its end a watch with a time limit gets its last bookmark.
const BOOKMARK_BEFORE_END: SignedDuration = SignedDuration::from_secs(2);

/// The place of one watcher.
#[derive(Debug)]
pub struct Cursor {
    resource: Arc<Resource>,
    namespace: Option<String>,
    selector: Selector,
    /// All up to this revision was seen.
    position: u64,
    /// What is delivered before the log is read.
    initial: Vec<WatchEvent>,
    bookmark_at: Option<Timestamp>,
    ends_at: Option<Timestamp>,
    over: bool,
}

impl Store {
    /// Begins a watch.
    pub fn watch(&mut self, request: &Request, now: Timestamp) -> Result<Cursor, Status> {
        open(self, request, now)
    }

    /// What a watch has not yet seen. After an [`EventType::Error`] the watch is over.
    #[must_use]
    pub fn next(&self, cursor: &mut Cursor, now: Timestamp) -> Vec<WatchEvent> {
        cursor.advance(self, now)
    }
}

fn open(store: &Store, request: &Request, now: Timestamp) -> Result<Cursor, Status> {
    let resource = verbs::resolve(store, &request.target)?;
    let options = &request.options;
    verbs::check_list_options(options, true)?;
    let fields = verbs::fields_with_name(&request.target, options);
    let selector = Selector::parse(&resource, options.label_selector.as_deref(), fields.as_deref())?;
    let from = match options.resource_version.as_deref().unwrap_or_default() {
        "" | "0" => None,
        text => Some(verbs::parse_revision(text)?),
    };
    let ends_at = options.timeout_seconds.map(|seconds| after(now, Duration::from_secs(seconds)));
    let namespace = resource.namespaced.then(|| request.target.namespace.clone()).flatten();
    let mut cursor = Cursor {
        resource,
        namespace,
        selector,
        position: from.unwrap_or(store.revision()),
        initial: Vec::new(),
        bookmark_at: options.allow_bookmarks.then(|| next_bookmark(now, ends_at)),
        ends_at,
        over: false,
    };
    if options.send_initial_events.unwrap_or(from.is_none()) {
        cursor.position = store.revision();
        cursor.initial = cursor.present(store);
        if options.allow_bookmarks && options.send_initial_events == Some(true) {
            cursor.initial.push(cursor.bookmark(true));
        }
    }
    Ok(cursor)
}

fn next_bookmark(now: Timestamp, ends_at: Option<Timestamp>) -> Timestamp {
    let last = ends_at.map(|end| end - BOOKMARK_BEFORE_END).filter(|last| *last > now);
    let next = now + BOOKMARKS_EVERY;
    last.map_or(next, |last| last.min(next))
}

impl Cursor {
    /// When the watch ends, by its `timeoutSeconds`.
    #[must_use]
    pub const fn ends_at(&self) -> Option<Timestamp> {
        self.ends_at
    }

    /// When the next bookmark is due, if the watch asked for any.
    #[must_use]
    pub const fn bookmark_at(&self) -> Option<Timestamp> {
        self.bookmark_at
    }

    /// The resource that is watched.
    #[must_use]
    pub const fn resource(&self) -> &Arc<Resource> {
        &self.resource
    }

    /// Whether the watch has ended with an error.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.over
    }

    fn advance(&mut self, store: &Store, now: Timestamp) -> Vec<WatchEvent> {
        if self.over {
            return Vec::new();
        }
        let mut events = std::mem::take(&mut self.initial);
        let floor = store.log.floor();
        if self.position < floor {
            self.over = true;
            events.push(expired(self.position, floor));
            return events;
        }
        events.extend(store.log.since(self.position).filter_map(|change| self.see(change)));
        self.position = self.position.max(store.revision());
        if self.bookmark_at.is_some_and(|at| at <= now) {
            events.push(self.bookmark(false));
            self.bookmark_at = Some(next_bookmark(now, self.ends_at));
        }
        events
    }

    /// The objects that are there already, as additions.
    fn present(&self, store: &Store) -> Vec<WatchEvent> {
        let (group, plural) = &self.resource.stored;
        store
            .range(group, plural, self.namespace.as_deref())
            .filter(|(_, object)| self.selector.selects(object))
            .map(|(_, object)| WatchEvent { event: EventType::Added, object: self.view(object) })
            .collect()
    }

    /// What a change is to this watcher.
    fn see(&self, change: &Change) -> Option<WatchEvent> {
        let (group, plural) = &self.resource.stored;
        if !change.key.is_in(group, plural, self.namespace.as_deref()) {
            return None;
        }
        let selected = |object: &Option<Arc<Value>>| {
            object.as_ref().filter(|object| self.selector.selects(object)).map(Arc::clone)
        };
        match (selected(&change.before), selected(&change.after)) {
            (None, None) => None,
            (None, Some(object)) => Some(WatchEvent { event: EventType::Added, object: self.view(&object) }),
            (Some(_), Some(object)) => {
                Some(WatchEvent { event: EventType::Modified, object: self.view(&object) })
            }
            (Some(object), None) => {
                // What is gone, or out of the selection, is told as it last was, with the revision of its going.
                let mut last = (*object).clone();
                object::set(&mut last, &["metadata", "resourceVersion"], change.revision.to_string().into());
                Some(WatchEvent { event: EventType::Deleted, object: self.view(&Arc::new(last)) })
            }
        }
    }

    fn view(&self, object: &Arc<Value>) -> Arc<Value> {
        verbs::view(&self.resource, object)
    }

    fn bookmark(&self, ends_initial_events: bool) -> WatchEvent {
        let mut metadata = json!({"resourceVersion": self.position.to_string()});
        if ends_initial_events {
            metadata["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        // Of a kind that has a type it is an object in which nothing is set.
        let mut object = codec::empty(&self.resource.entry.table_name());
        object::set(&mut object, &["kind"], self.resource.kind.clone().into());
        object::set(&mut object, &["apiVersion"], self.resource.api_version().into());
        object::set(&mut object, &["metadata"], metadata);
        if let (None, Some(paths)) = (&self.resource.custom, &self.resource.scale) {
            // Inside of the server there is no number but none.
            let path: Vec<&str> = paths.spec.iter().map(String::as_str).collect();
            object::set(&mut object, &path, 0.into());
        }
        WatchEvent { event: EventType::Bookmark, object: Arc::new(object) }
    }
}

fn expired(position: u64, floor: u64) -> WatchEvent {
    let message = format!("too old resource version: {position} ({})", floor + 1);
    WatchEvent { event: EventType::Error, object: Arc::new(Status::new(Reason::Expired, message).to_json()) }
}
